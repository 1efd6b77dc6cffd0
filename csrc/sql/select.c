/* Building SELECT and set operations, and the clauses they share with DML: every function copies a statement's block
 * with one part
 * changed. */
#include "sql/select.h"

#include "sql/build.h"

/* Where each kind of statement keeps each clause; 0: it has none. */
#define OFF(name, f) ((uint16_t)offsetof(ag_n_##name, f))
typedef struct clause_fields {
    uint16_t kind;
    uint16_t at[AG_CL_COUNT];
} clause_fields;

static const clause_fields fields[] = {
    {AG_K_SELECT,
     {[AG_CL_COLUMNS] = OFF(select, columns),
      [AG_CL_FROM] = OFF(select, from),
      [AG_CL_WHERE] = OFF(select, where),
      [AG_CL_GROUP_BY] = OFF(select, group_by),
      [AG_CL_HAVING] = OFF(select, having),
      [AG_CL_ORDER_BY] = OFF(select, order_by),
      [AG_CL_PREFIX] = OFF(select, prefixes),
      [AG_CL_SUFFIX] = OFF(select, suffixes),
      [AG_CL_HINT] = OFF(select, hints),
      [AG_CL_CTE] = OFF(select, ctes),
      [AG_CL_EXTENSION] = OFF(select, extensions),
      [AG_CL_CORRELATE] = OFF(select, correlate),
      [AG_CL_CORRELATE_EXCEPT] = OFF(select, correlate_except)}},
    {AG_K_COMPOUND,
     {[AG_CL_GROUP_BY] = OFF(compound, group_by),
      [AG_CL_ORDER_BY] = OFF(compound, order_by),
      [AG_CL_CTE] = OFF(compound, ctes)}},
    {AG_K_TEXT_SELECT, {[AG_CL_CTE] = OFF(text_select, ctes)}},
    {AG_K_INSERT,
     {[AG_CL_PREFIX] = OFF(insert, prefixes),
      [AG_CL_HINT] = OFF(insert, hints),
      [AG_CL_CTE] = OFF(insert, ctes),
      [AG_CL_EXTENSION] = OFF(insert, extensions),
      [AG_CL_RETURNING] = OFF(insert, returning),
      [AG_CL_RETURN_DEFAULTS] = OFF(insert, return_defaults)}},
    {AG_K_UPDATE,
     {[AG_CL_WHERE] = OFF(update, where),
      [AG_CL_PREFIX] = OFF(update, prefixes),
      [AG_CL_HINT] = OFF(update, hints),
      [AG_CL_CTE] = OFF(update, ctes),
      [AG_CL_EXTENSION] = OFF(update, extensions),
      [AG_CL_RETURNING] = OFF(update, returning),
      [AG_CL_RETURN_DEFAULTS] = OFF(update, return_defaults)}},
    {AG_K_DELETE,
     {[AG_CL_FROM] = OFF(delete, from),
      [AG_CL_WHERE] = OFF(delete, where),
      [AG_CL_PREFIX] = OFF(delete, prefixes),
      [AG_CL_HINT] = OFF(delete, hints),
      [AG_CL_CTE] = OFF(delete, ctes),
      [AG_CL_EXTENSION] = OFF(delete, extensions),
      [AG_CL_RETURNING] = OFF(delete, returning)}},
};

static const char *const clause_names[AG_CL_COUNT] = {
    "columns",          "FROM",  "WHERE", "GROUP BY",          "HAVING",    "ORDER BY",          "prefixes",
    "suffixes",         "hints", "CTEs",  "syntax extensions", "RETURNING", "returned defaults", "correlate",
    "correlate_except",
};

static size_t clause_field(ag_builder *b, const ag_node *stmt, ag_clause clause)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].kind == stmt->kind && fields[i].at[clause])
            return fields[i].at[clause];
    }
    ag_build_fail(b, AG_EXC_ARGUMENT, "a %s has no %s", ag_kind_get(stmt->kind)->name, clause_names[clause]);
    return 0;
}

/* ---- items ---- */

static size_t expanded_count(const ag_node *const *items, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += items[i] && ag_node_is_from(items[i]) ? ag_from_count(items[i]) : 1;
    return count;
}

/* Leaves out the columns of a table (or its alias) that statements do not name. Number of those left. */
static size_t drop_omitted(const ag_node *from, const ag_node **cols, size_t n)
{
    size_t left = 0;
    while (from->kind == AG_K_ALIAS)
        from = AG_AS(alias, ALIAS, from)->element;
    const ag_table *t = from->kind == AG_K_TABLE ? AG_AS(table, TABLE, from)->table : NULL;
    for (size_t i = 0; i < n; i++)
        if (!t || i >= t->ncolumns || !t->columns[i]->omitted)
            cols[left++] = cols[i];
    return left;
}

/* Column expressions with FROMs opened; starts (when not NULL): where each item begins. NULL on failure. */
static const ag_node **expand_at(ag_builder *b, const ag_node *const *items, size_t n, size_t *count, size_t *starts)
{
    size_t at = 0;
    *count = expanded_count(items, n);
    const ag_node **out = ag_build_array(b, *count);
    for (size_t i = 0; out && i < n; i++) {
        if (starts)
            starts[i] = at;
        if (items[i] && ag_node_is_from(items[i])) {
            if (!ag_from_colrefs(b, items[i], out + at))
                return NULL;
            at += drop_omitted(items[i], out + at, ag_from_count(items[i]));
        } else {
            out[at] = ag_as_expr(b, items[i]);
            if (!out[at++])
                return NULL;
        }
    }
    *count = at;
    return out;
}

static const ag_node **expand(ag_builder *b, const ag_node *const *items, size_t n, size_t *count)
{
    return expand_at(b, items, n, count, NULL);
}

/* FROMs that the columns they are opened to do not lead back to: joins, and those without columns. */
static bool is_stray(const ag_node *n)
{
    return n && ag_node_is_from(n) && (n->kind == AG_K_JOIN || n->kind == AG_K_CUSTOM || !ag_from_count(n));
}

typedef struct columns_clause {
    const ag_node **exprs, **implied; /* implied: the node's pairs */
    size_t n, nimplied;
} columns_clause;

static bool open_columns(ag_builder *b, const ag_node *const *items, size_t n, columns_clause *out)
{
    size_t *starts = ag_arena_new(&b->scratch, (n ? n : 1) * sizeof *starts);
    if (!starts) {
        (void)ag_fail_nomem(b->err);
        return false;
    }
    out->exprs = expand_at(b, items, n, &out->n, starts);
    out->implied = out->exprs ? ag_build_array(b, 2 * n) : NULL;
    out->nimplied = 0;
    for (size_t i = 0; out->implied && i < n; i++) {
        if (!is_stray(items[i]))
            continue;
        out->implied[out->nimplied++] = items[i];
        out->implied[out->nimplied++] = starts[i] < out->n ? out->exprs[starts[i]] : items[i];
    }
    return out->implied != NULL;
}

static const ag_node **conditions(ag_builder *b, const ag_node *const *items, size_t n)
{
    const ag_node **out = ag_build_array(b, n);
    for (size_t i = 0; out && i < n; i++) {
        /* TRUE and FALSE are folded when the whole list is known, so that what they make needless still names its FROMs */
        bool constant = items[i] && (items[i]->kind == AG_K_TRUE || items[i]->kind == AG_K_FALSE);
        out[i] = constant ? items[i] : ag_as_condition(b, items[i]);
        if (!out[i])
            return NULL;
    }
    return out;
}

static bool is_from(ag_builder *b, const ag_node *n)
{
    if (n && n->kind == AG_K_TEXT) /* select_from(text("t")) */
        return true;
    if (n && !ag_node_is_from(n))
        ag_build_fail(b, AG_EXC_ARGUMENT, "a table, alias or subquery is expected, not a %s%s",
                      ag_kind_get(n->kind)->name,
                      ag_node_is_selectable(n) ? " (make it a subquery with :subquery())" : "");
    return n && ag_node_is_from(n);
}

/* FROMs; a function stands for itself as a table, raw SQL for whatever it says. */
static const ag_node **as_froms(ag_builder *b, const ag_node *const *items, size_t n)
{
    const ag_node **out = ag_build_array(b, n);
    for (size_t i = 0; out && i < n; i++) {
        out[i] = items[i] && items[i]->kind == AG_K_FUNC ? ag_table_func_bare(b, items[i]) : items[i];
        if (!(out[i] && out[i]->kind == AG_K_TEXT) && !is_from(b, out[i]))
            return NULL;
    }
    return out;
}

/* The items as the clause keeps them; *n is their number then. */
static const ag_node *const *clause_items(ag_builder *b, ag_clause clause, const ag_node *const *items, size_t *n)
{
    switch (clause) {
    case AG_CL_RETURNING:
    case AG_CL_RETURN_DEFAULTS:
    case AG_CL_GROUP_BY:
    case AG_CL_ORDER_BY: return expand(b, items, *n, n);
    case AG_CL_WHERE:
    case AG_CL_HAVING: return conditions(b, items, *n);
    case AG_CL_FROM:
    case AG_CL_CORRELATE:
    case AG_CL_CORRELATE_EXCEPT: return as_froms(b, items, *n);
    default:
        for (size_t i = 0; i < *n; i++) {
            if (!items[i])
                return NULL;
        }
        return items;
    }
}

static unsigned clause_flag(ag_clause clause)
{
    return clause == AG_CL_CORRELATE          ? AG_SELECT_CORRELATE
           : clause == AG_CL_CORRELATE_EXCEPT ? AG_SELECT_CORRELATE_EXCEPT
                                              : 0;
}

static const ag_node *set_columns(ag_builder *b, const ag_node *select, const ag_node *const *items, size_t n,
                                  bool append)
{
    columns_clause x;
    if (!append) /* joins keep the left side that the old columns gave them */
        select = ag_select_settle_joins(b, select);
    if (!select || !open_columns(b, items, n, &x))
        return NULL;
    ag_node *copy = ag_node_with_list(b, select, offsetof(ag_n_select, columns), x.exprs, x.n, append);
    if (copy && (x.nimplied || !append))
        copy = ag_node_with_list(b, copy, offsetof(ag_n_select, implied), x.implied, x.nimplied, append);
    return copy ? ag_node_finish(b, copy) : NULL;
}

const ag_node *ag_stmt_add(ag_builder *b, const ag_node *stmt, ag_clause clause, const ag_node *const *items, size_t n,
                           bool append)
{
    size_t field = stmt ? clause_field(b, stmt, clause) : 0;
    const ag_node *const empty[1] = {NULL};
    if (!field)
        return NULL;
    if (clause == AG_CL_COLUMNS)
        return set_columns(b, stmt, items, n, append);
    items = n ? clause_items(b, clause, items, &n) : empty;
    ag_node *copy = items ? ag_node_with_list(b, stmt, field, items, n, append) : NULL;
    if (!copy)
        return NULL;
    copy->flags |= (uint16_t)clause_flag(clause);
    return ag_node_finish(b, copy);
}

const ag_node *ag_stmt_clear(ag_builder *b, const ag_node *stmt, ag_clause clause)
{
    return ag_stmt_add(b, stmt, clause, NULL, 0, false);
}

/* ---- SELECT ---- */

const ag_node *ag_select(ag_builder *b, const ag_node *const *columns, size_t n)
{
    columns_clause x;
    if (!open_columns(b, columns, n, &x))
        return NULL;
    ag_n_select *s = ag_node_new(b, AG_K_SELECT, NULL, ag_room_list(x.n) + ag_room_list(x.nimplied));
    if (!s)
        return NULL;
    s->columns = ag_node_list(s, x.exprs, x.n);
    s->implied = ag_node_list(s, x.implied, x.nimplied);
    return ag_node_finish(b, s);
}

static bool is_select(ag_builder *b, const ag_node *n, bool compounds)
{
    if (n && (n->kind == AG_K_SELECT || (compounds && n->kind == AG_K_COMPOUND)))
        return true;
    if (n)
        ag_build_fail(b, AG_EXC_ARGUMENT, "a select is expected, not a %s", ag_kind_get(n->kind)->name);
    return false;
}

const ag_node *ag_select_join(ag_builder *b, const ag_node *select, const ag_node *left, const ag_node *right,
                              const ag_node *onclause, unsigned flags)
{
    if (!is_select(b, select, false) || !is_from(b, right) || (left && !is_from(b, left)))
        return NULL;
    if (onclause && !(onclause = ag_as_condition(b, onclause)))
        return NULL;
    ag_n_join_spec *j = ag_node_new(b, AG_K_JOIN_SPEC, NULL, 0);
    if (!j)
        return NULL;
    j->node.flags |= (uint16_t)(flags & AG_NF_KIND);
    j->left = left;
    j->right = right;
    j->onclause = onclause;
    const ag_node *spec = ag_node_finish(b, j);
    ag_node *copy = spec ? ag_node_with_list(b, select, offsetof(ag_n_select, joins), &spec, 1, true) : NULL;
    return copy ? ag_node_finish(b, copy) : NULL;
}

static const ag_node *select_distinct(ag_builder *b, const ag_node *select, const ag_node *const *on, size_t n,
                                      unsigned flags)
{
    size_t count = 0;
    const ag_node **exprs = is_select(b, select, false) ? expand(b, on, n, &count) : NULL;
    ag_node *copy = exprs ? ag_node_with_list(b, select, offsetof(ag_n_select, distinct_on), exprs, count, true) : NULL;
    if (!copy)
        return NULL;
    copy->flags |= (uint16_t)flags;
    return ag_node_finish(b, copy);
}

const ag_node *ag_select_distinct(ag_builder *b, const ag_node *select, const ag_node *const *on, size_t n)
{
    return select_distinct(b, select, on, n, AG_SELECT_DISTINCT);
}

const ag_node *ag_select_distinct_on(ag_builder *b, const ag_node *select, const ag_node *const *on, size_t n)
{
    return select_distinct(b, select, on, n, AG_SELECT_DISTINCT | AG_SELECT_DISTINCT_ON);
}

const ag_node *ag_limit_bind(ag_builder *b, int64_t n)
{
    if (n < 0)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "limit, offset and fetch take integers from 0, not %lld",
                             (long long)n);
    const ag_value v = ag_value_int(n);
    return ag_literal(b, &v, ag_type_plain(n > INT32_MAX ? AG_TYPE_BIGINTEGER : AG_TYPE_INTEGER), false);
}

/* The limit fields of a SELECT or COMPOUND copy. */
typedef struct limits {
    const ag_node **limit, **offset, **fetch, **for_update;
} limits;

static limits limits_of(ag_node *n)
{
    if (n->kind == AG_K_SELECT) {
        ag_n_select *s = (ag_n_select *)(void *)n;
        return (limits){&s->limit, &s->offset, &s->fetch, &s->for_update};
    }
    ag_n_compound *c = (ag_n_compound *)(void *)n;
    return (limits){&c->limit, &c->offset, &c->fetch, &c->for_update};
}

static const ag_node *set_limit(ag_builder *b, const ag_node *stmt, ag_limit_kind which, const ag_node *e,
                                unsigned fetch_flags)
{
    ag_node *copy = is_select(b, stmt, true) ? ag_node_copy(b, stmt) : NULL;
    if (!copy)
        return NULL;
    limits l = limits_of(copy);
    if (which == AG_OFFSET) {
        *l.offset = e;
        return ag_node_finish(b, copy);
    }
    *l.limit = which == AG_LIMIT ? e : NULL;
    *l.fetch = which == AG_FETCH ? e : NULL;
    copy->flags &= (uint16_t) ~(AG_FETCH_TIES | AG_FETCH_PERCENT);
    if (which == AG_FETCH && e)
        copy->flags |= (uint16_t)(fetch_flags & (AG_FETCH_TIES | AG_FETCH_PERCENT));
    return ag_node_finish(b, copy);
}

const ag_node *ag_stmt_limit(ag_builder *b, const ag_node *stmt, ag_limit_kind which, const ag_node *e,
                             unsigned fetch_flags)
{
    e = ag_as_expr(b, e);
    return e ? set_limit(b, stmt, which, e, fetch_flags) : NULL;
}

const ag_node *ag_stmt_limit_clear(ag_builder *b, const ag_node *stmt, ag_limit_kind which)
{
    return set_limit(b, stmt, which, NULL, 0);
}

const ag_node *ag_stmt_for_update(ag_builder *b, const ag_node *stmt, const ag_node *const *of, size_t n,
                                  unsigned flags)
{
    if (!is_select(b, stmt, true))
        return NULL;
    for (size_t i = 0; i < n; i++) {
        if (!of[i])
            return NULL;
    }
    ag_n_for_update *f = ag_node_new(b, AG_K_FOR_UPDATE, NULL, ag_room_list(n));
    if (!f)
        return NULL;
    f->node.flags |= (uint16_t)(flags & AG_NF_KIND);
    f->of = ag_node_list(f, of, n);
    const ag_node *done = ag_node_finish(b, f);
    ag_node *copy = done ? ag_node_copy(b, stmt) : NULL;
    if (!copy)
        return NULL;
    *limits_of(copy).for_update = done;
    return ag_node_finish(b, copy);
}

const ag_node *ag_stmt_for_update_clear(ag_builder *b, const ag_node *stmt)
{
    ag_node *copy = is_select(b, stmt, true) ? ag_node_copy(b, stmt) : NULL;
    if (!copy)
        return NULL;
    *limits_of(copy).for_update = NULL;
    return ag_node_finish(b, copy);
}

/* A set operation with another first select. */
static const ag_node *with_first(ag_builder *b, const ag_node *compound, const ag_node *first)
{
    ag_n_compound *copy = first ? ag_node_copy(b, compound) : NULL;
    if (!copy)
        return NULL;
    *(const ag_node **)(void *)((char *)copy + copy->selects.off) = first;
    return ag_node_finish(b, copy);
}

/* The first select of a set operation decides the names of all, so it takes the style. */
const ag_node *ag_stmt_label_style(ag_builder *b, const ag_node *stmt, ag_label_style style)
{
    if (!is_select(b, stmt, true))
        return NULL;
    if (stmt->kind == AG_K_COMPOUND) {
        const ag_n_compound *c = AG_AS(compound, COMPOUND, stmt);
        const ag_node *first = ag_nlist_at(c, c->selects, 0);
        if (first->kind != AG_K_SELECT && first->kind != AG_K_COMPOUND)
            return stmt;
        const ag_node *styled = ag_stmt_label_style(b, first, style);
        return styled == first ? stmt : with_first(b, stmt, styled);
    }
    if (AG_AS(select, SELECT, stmt)->label_style == (uint32_t)style)
        return stmt;
    ag_n_select *copy = ag_node_copy(b, stmt);
    if (!copy)
        return NULL;
    copy->label_style = style;
    return ag_node_finish(b, copy);
}

const ag_node *ag_stmt_slice(ag_builder *b, const ag_node *stmt, int64_t start, int64_t stop)
{
    if (!is_select(b, stmt, true))
        return NULL;
    if (start < 0 || (stop >= 0 && stop < start))
        return ag_build_fail(b, AG_EXC_ARGUMENT, "slice takes two integers from 0, the second not below the first");
    const ag_node *offset = *limits_of((ag_node *)(uintptr_t)stmt).offset;
    const ag_n_bind *old = offset && offset->kind == AG_K_BIND ? AG_AS(bind, BIND, offset) : NULL;
    if (start && old && old->value.kind == AG_V_INT)
        offset = ag_limit_bind(b, old->value.u.i > INT64_MAX - start ? INT64_MAX : old->value.u.i + start);
    else if (start && offset)
        offset = ag_binary(b, AG_OP_ADD, offset, ag_limit_bind(b, start));
    else if (start)
        offset = ag_limit_bind(b, start);
    const ag_node *n = start ? ag_stmt_limit(b, stmt, AG_OFFSET, offset, 0) : stmt;
    if (!n || stop < 0)
        return n;
    return ag_stmt_limit(b, n, AG_LIMIT, ag_limit_bind(b, stop - start), 0);
}

/* ---- set operations ---- */

static bool columns_match(ag_builder *b, const ag_node *const *selects, size_t n)
{
    uint32_t first = n && selects[0] ? ag_stmt_column_count(selects[0]) : 0;
    for (size_t i = 0; i < n; i++) {
        if (!selects[i])
            return false;
        if (!ag_node_is_selectable(selects[i]) || selects[i]->kind == AG_K_VALUES) {
            ag_build_fail(b, AG_EXC_ARGUMENT, "a set operation is between selects, not a %s",
                          ag_kind_get(selects[i]->kind)->name);
            return false;
        }
        uint32_t count = ag_stmt_column_count(selects[i]);
        if (first && count && count != first) {
            ag_build_fail(b, AG_EXC_ARGUMENT,
                          "all selects of a set operation must have identical numbers of columns; select #1 has "
                          "%u columns, select #%zu has %u",
                          (unsigned)first, i + 1, (unsigned)count);
            return false;
        }
    }
    return true;
}

const ag_node *ag_compound(ag_builder *b, ag_compound_kw kw, const ag_node *const *selects, size_t n)
{
    if (!n)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "a set operation needs at least one select");
    if (!columns_match(b, selects, n))
        return NULL;
    ag_n_compound *c = ag_node_new(b, AG_K_COMPOUND, NULL, ag_room_list(n));
    if (!c)
        return NULL;
    c->keyword = kw;
    c->selects = ag_node_list(c, selects, n);
    return ag_node_finish(b, c);
}

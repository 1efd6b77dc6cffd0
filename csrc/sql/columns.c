/* The columns that a FROM exports: their number, what stands behind each, their names and keys, and the nodes by
 * which expressions
 * refer to them. */
#include "sql/names.h"
#include "sql/node_hash.h"

/* ---- tables ---- */

void ag_owner_unref(ag_owner *o)
{
    if (o && --o->refs == 0)
        o->free(o);
}

ag_status ag_fk_target(ag_column **out, ag_fk *fk, ag_error *err)
{
    if (!fk->target) {
        ag_owner *o = fk->column->table ? fk->column->table->owner : NULL;
        if (!o || !o->resolve)
            return ag_fail(err, AG_EXC_INVALID_REQUEST, "column '%s' belongs to no table yet", fk->column->name.p);
        AG_TRY(o->resolve(o, fk, err));
    }
    *out = fk->target;
    return AG_OK;
}

const ag_node *ag_table_node(ag_builder *b, const ag_table *t)
{
    ag_n_table *n = ag_node_new(b, AG_K_TABLE, NULL, 0);
    if (!n)
        return NULL;
    n->table = t;
    return ag_node_finish(b, n);
}

const ag_node *ag_column_node(ag_builder *b, const ag_column *c)
{
    ag_n_column *n = ag_node_new(b, AG_K_COLUMN, c->type, ag_room_str(c->name.n) + ag_room_str(c->key.n));
    if (!n)
        return NULL;
    n->table = c->table;
    n->index = c->index;
    n->name = ag_node_str(n, c->name);
    n->key = ag_node_str(n, c->key);
    return ag_node_finish(b, n);
}

const ag_node *ag_sequence_next_value(ag_builder *b, const ag_sequence *s)
{
    ag_n_next_value *n = ag_node_new(b, AG_K_NEXT_VALUE, s->type ? s->type : ag_type_plain(AG_TYPE_INTEGER), 0);
    if (!n)
        return NULL;
    n->sequence = s;
    return ag_node_finish(b, n);
}

ag_column *ag_table_column(const ag_table *t, const char *key, size_t len)
{
    const ag_map_entry *e = ag_map_find(&t->by_key, key, len);
    return e ? e->v.p : NULL;
}

/* ---- identity of FROMs ---- */

bool ag_from_same(const ag_node *a, const ag_node *b)
{
    if (a == b)
        return true;
    return a->kind == AG_K_TABLE && b->kind == AG_K_TABLE &&
           AG_AS(table, TABLE, a)->table == AG_AS(table, TABLE, b)->table;
}

uint64_t ag_from_key(const ag_node *from)
{
    if (from->kind == AG_K_TABLE)
        return ag_mix(3, AG_AS(table, TABLE, from)->table->serial) | 1;
    return (uint64_t)(uintptr_t)from;
}

const ag_node *ag_column_from(const ag_node *column)
{
    if (column->kind == AG_K_COLUMN)
        return AG_AS(column, COLUMN, column)->table->node;
    return column->kind == AG_K_COLREF ? AG_AS(colref, COLREF, column)->from : NULL;
}

/* What an alias, subquery … is of; NULL for others. */
static const ag_node *element_of(const ag_node *from)
{
    switch (from->kind) {
    case AG_K_ALIAS: return AG_AS(alias, ALIAS, from)->element;
    case AG_K_SUBQUERY: return AG_AS(subquery, SUBQUERY, from)->element;
    case AG_K_LATERAL: return AG_AS(lateral, LATERAL, from)->element;
    case AG_K_TABLESAMPLE: return AG_AS(tablesample, TABLESAMPLE, from)->element;
    case AG_K_CTE: {
        const ag_n_cte *c = AG_AS(cte, CTE, from);
        return c->alias_of ? c->alias_of : c->element;
    }
    default: return NULL;
    }
}

/* The COLUMN_CLAUSEs of the FROMs that list their columns themselves. */
static bool listed_columns(const ag_node *from, const ag_node *const **items, uint32_t *n)
{
    ag_nlist l;
    switch (from->kind) {
    case AG_K_TABLE_CLAUSE: l = AG_AS(table_clause, TABLE_CLAUSE, from)->columns; break;
    case AG_K_VALUES: l = AG_AS(values, VALUES, from)->columns; break;
    case AG_K_TABLE_FUNC: l = AG_AS(table_func, TABLE_FUNC, from)->columns; break;
    case AG_K_CUSTOM: l = AG_AS(custom, CUSTOM, from)->children; break;
    default: return false;
    }
    *n = l.n;
    *items = l.n ? ag_nlist_items(from, l) : NULL;
    return true;
}

static bool is_exported(const ag_node *e)
{
    return e->kind != AG_K_TEXT && e->kind != AG_K_SPLICE && ag_node_is(e, AG_CLASS_EXPR);
}

static const ag_node *nth_exported(const ag_node *const *items, uint32_t n, uint32_t index)
{
    for (uint32_t i = 0; i < n; i++) {
        if (is_exported(items[i]) && index-- == 0)
            return items[i];
    }
    return NULL;
}

uint32_t ag_from_count(const ag_node *from)
{
    const ag_node *const *items;
    uint32_t n = 0, count = 0;
    ag_label_style style;
    while (ag_node_is_from(from)) {
        const ag_node *element = element_of(from);
        if (from->kind == AG_K_TABLE)
            return count + AG_AS(table, TABLE, from)->table->ncolumns;
        if (from->kind == AG_K_JOIN) {
            count += ag_from_count(AG_AS(join, JOIN, from)->right);
            element = AG_AS(join, JOIN, from)->left;
        }
        if (!element)
            break;
        from = element;
    }
    if (!listed_columns(from, &items, &n))
        items = ag_stmt_exprs(from, &n, &style);
    for (uint32_t i = 0; i < n; i++)
        count += is_exported(items[i]);
    return count;
}

/* Into a join, down to the side that has the column. */
static const ag_node *join_side(const ag_node *from, uint32_t *index)
{
    while (from->kind == AG_K_JOIN) {
        const ag_n_join *j = AG_AS(join, JOIN, from);
        uint32_t n = ag_from_count(j->left);
        from = *index < n ? j->left : j->right;
        *index -= *index < n ? 0 : n;
    }
    return from;
}

static void describe_expr(ag_from_col *out, const ag_node *expr)
{
    out->expr = expr;
    out->type = expr->type;
    out->column = ag_column_root(expr);
}

/* Column `at` of the FROM inner, seen from outside: its own expression for tables, else a reference to be made. */
static bool look_inside(ag_from_col *out, const ag_node *inner, uint32_t at)
{
    ag_from_col col;
    if (!ag_from_column(inner, at, &col))
        return false;
    out->type = col.type;
    out->column = col.column;
    if (inner->kind == AG_K_TABLE || inner->kind == AG_K_CUSTOM) {
        out->expr = col.expr;
    } else {
        out->inner = inner;
        out->inner_index = at;
    }
    return true;
}

bool ag_from_column(const ag_node *from, uint32_t index, ag_from_col *out)
{
    const ag_node *const *items;
    uint32_t n, at = index;
    ag_label_style style;
    *out = (ag_from_col){.index = index};
    const ag_node *side = join_side(from, &at), *element = element_of(from);
    if (side != from)
        return look_inside(out, side, at);
    if (from->kind == AG_K_TABLE) {
        const ag_table *t = AG_AS(table, TABLE, from)->table;
        if (index < t->ncolumns)
            describe_expr(out, t->columns[index]->node);
        return index < t->ncolumns;
    }
    if (element && ag_node_is_from(element))
        return look_inside(out, element, index);
    if (!listed_columns(from, &items, &n))
        items = ag_stmt_exprs(element ? element : from, &n, &style);
    const ag_node *expr = nth_exported(items, n, index);
    if (expr)
        describe_expr(out, expr);
    return expr != NULL;
}

/* ---- with names ---- */

typedef struct named_cols {
    const ag_from_col *cols;
    uint32_t n;
} named_cols;

static void name_table(ag_namer *nm, ag_from_col *cols, const ag_table *t)
{
    for (uint32_t i = 0; i < t->ncolumns; i++) {
        cols[i].name = ag_name_with_quote(ag_name_of_text(nm, t->columns[i]->name), t->columns[i]->quote);
        cols[i].key = t->columns[i]->key;
    }
}

static void name_listed(ag_namer *nm, ag_from_col *cols, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        cols[i].name = ag_label_own(nm, cols[i].expr, false);
        cols[i].key = ag_expr_key(cols[i].expr);
    }
}

static void name_clause(ag_namer *nm, ag_from_col *cols, const ag_node *stmt)
{
    uint32_t n, at = 0;
    ag_label_style style;
    const ag_node *const *exprs = ag_stmt_exprs(stmt, &n, &style);
    const ag_select_col *named = ag_namer_clause(nm, exprs, n, style, false);
    for (uint32_t i = 0; named && i < n; i++) {
        if (!is_exported(named[i].expr))
            continue;
        if (named[i].renamed && named[i].expr->kind == AG_K_LABEL && !(named[i].expr->flags & AG_LABEL_ANON)) {
            nm->clash = ag_expr_name(named[i].expr); /* its text would still say the name that it was given */
            nm->nomem = true;
            return;
        }
        cols[at].name = named[i].name;
        cols[at++].key = named[i].key;
    }
}

static void name_join(ag_namer *nm, ag_from_col *cols, const ag_node *join)
{
    uint32_t n = ag_from_count(join);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = i, nside;
        const ag_node *side = join_side(join, &at);
        const ag_from_col *inner = ag_namer_columns(nm, side, &nside);
        if (!inner)
            return;
        cols[i].name = inner[at].name;
        ag_name key = ag_name_of_from(nm, side);
        key = key.n ? ag_name_add_text(nm, key, AG_STR("_")) : key;
        key = ag_name_settle(nm, ag_name_add_text(nm, key, inner[at].key));
        /* a made-up table name gives "users_1_id": good enough as a key, since nobody can know the number */
        ag_str text = ag_name_plain(key);
        cols[i].key = text.p ? text : inner[at].key;
    }
}

static void name_columns(ag_namer *nm, ag_from_col *cols, uint32_t n, const ag_node *from)
{
    const ag_node *element = element_of(from), *const * items;
    uint32_t count;
    if (from->kind == AG_K_TABLE) {
        name_table(nm, cols, AG_AS(table, TABLE, from)->table);
    } else if (from->kind == AG_K_JOIN) {
        name_join(nm, cols, from);
    } else if (element && ag_node_is_from(element)) {
        const ag_from_col *inner = ag_namer_columns(nm, element, &count);
        for (uint32_t i = 0; inner && i < n && i < count; i++) {
            cols[i].name = inner[i].name;
            cols[i].key = inner[i].key;
        }
    } else if (listed_columns(from, &items, &count)) {
        name_listed(nm, cols, n);
    } else {
        name_clause(nm, cols, element ? element : from);
    }
}

const ag_from_col *ag_namer_columns(ag_namer *nm, const ag_node *from, uint32_t *n)
{
    bool added;
    ag_map_entry *e = ag_map_put_u64(&nm->froms, (uint64_t)(uintptr_t)from, &added);
    named_cols *known = e && !added ? e->v.p : NULL;
    if (known) {
        *n = known->n;
        return known->cols;
    }
    *n = ag_from_count(from);
    ag_from_col *cols = ag_arena_zero(nm->ar, *n ? *n : 1, sizeof *cols);
    known = ag_arena_new(nm->ar, sizeof *known);
    if (!e || !cols || !known) {
        nm->nomem = true;
        return NULL;
    }
    for (uint32_t i = 0; i < *n; i++)
        (void)ag_from_column(from, i, &cols[i]);
    name_columns(nm, cols, *n, from);
    *known = (named_cols){cols, *n};
    e = ag_map_find_u64(&nm->froms, (uint64_t)(uintptr_t)from); /* naming may have moved it */
    if (e)
        e->v.p = known;
    return nm->nomem ? NULL : cols;
}

ag_status ag_from_columns(const ag_node *from, ag_arena *ar, const ag_from_col **out, uint32_t *n, ag_error *err)
{
    ag_namer nm;
    ag_namer_init(&nm, ar);
    *out = ag_namer_columns(&nm, from, n);
    ag_namer_clear(&nm);
    return *out ? AG_OK : ag_namer_fail(&nm, err);
}

/* The table whose keys from's columns have: a table, or the one it is an alias of. */
static const ag_table *keyed_table(const ag_node *from)
{
    while (from->kind == AG_K_ALIAS || from->kind == AG_K_TABLESAMPLE)
        from = element_of(from);
    return from->kind == AG_K_TABLE ? AG_AS(table, TABLE, from)->table : NULL;
}

bool ag_from_is_keyed(const ag_node *from)
{
    return keyed_table(from) != NULL;
}

ag_status ag_from_find(const ag_node *from, const char *key, size_t len, ag_arena *ar, int64_t *index, ag_error *err)
{
    const ag_table *t = keyed_table(from);
    *index = -1;
    if (t) {
        const ag_column *c = ag_table_column(t, key, len);
        *index = c ? (int64_t)c->index : -1;
        return AG_OK;
    }
    const ag_from_col *cols;
    uint32_t n;
    AG_TRY(ag_from_columns(from, ar, &cols, &n, err));
    for (uint32_t i = 0; i < n && *index < 0; i++) {
        if (cols[i].key.n == len && cols[i].key.p && memcmp(cols[i].key.p, key, len) == 0)
            *index = i;
    }
    return AG_OK;
}

/* ---- references ---- */

static const ag_node *make_colref(ag_builder *b, const ag_node *from, uint32_t index, const ag_type *type, ag_name name,
                                  ag_str key, bool literal)
{
    ag_str text = ag_name_plain(name);
    bool anon = !text.p;
    if (anon)
        text = name.n ? name.parts[name.n - 1].text : AG_STR("anon");
    ag_n_colref *r =
        ag_node_new(b, AG_K_COLREF, type ? type : ag_null_type(), ag_room_str(text.n) + ag_room_str(key.n));
    if (!r)
        return NULL;
    r->node.flags |= anon ? AG_COLREF_ANON : literal ? AG_COLREF_LITERAL : 0;
    r->node.flags |= ag_name_quoting(name) > 0 ? AG_NAME_QUOTE : ag_name_quoting(name) == 0 ? AG_NAME_NOQUOTE : 0;
    r->from = from;
    r->index = index;
    r->name = ag_node_str(r, text);
    r->key = ag_node_str(r, key.p ? key : text);
    return ag_node_finish(b, r);
}

static const ag_node *no_column(ag_builder *b, const ag_node *from, uint32_t index)
{
    return ag_build_fail(b, AG_EXC_ARGUMENT, "the %s has no column %u", ag_kind_get(from->kind)->name,
                         (unsigned)index + 1);
}

bool ag_expr_is_literal_column(const ag_node *e)
{
    return (e->kind == AG_K_COLUMN_CLAUSE && (e->flags & AG_COLUMN_CLAUSE_LITERAL)) ||
           (e->kind == AG_K_COLREF && (e->flags & AG_COLREF_LITERAL));
}

/* Does a literal_column stand behind it, however often it was aliased? */
static bool is_literal(ag_from_col col, ag_arena *ar)
{
    const ag_from_col *inner;
    uint32_t n;
    while (!col.expr && col.inner && ag_from_columns(col.inner, ar, &inner, &n, NULL) == AG_OK && col.inner_index < n)
        col = inner[col.inner_index];
    return col.expr && ag_expr_is_literal_column(col.expr);
}

/* All columns of from as references; out has room for ag_from_count(from). */
static bool all_colrefs(ag_builder *b, const ag_node *from, const ag_node **out, uint32_t only, bool one)
{
    ag_arena tmp;
    uint32_t n;
    const ag_from_col *cols;
    ag_arena_init(&tmp, b->alloc);
    bool ok = ag_from_columns(from, &tmp, &cols, &n, b->err) == AG_OK;
    for (uint32_t i = 0; ok && i < n; i++) {
        if (!one || i == only) {
            out[one ? 0 : i] =
                make_colref(b, from, i, cols[i].type, cols[i].name, cols[i].key, is_literal(cols[i], &tmp));
            ok = out[one ? 0 : i] != NULL;
        }
    }
    ag_arena_clear(&tmp);
    return ok;
}

const ag_node *ag_from_colref(ag_builder *b, const ag_node *from, uint32_t index)
{
    const ag_node *out = NULL;
    uint32_t at = index;
    const ag_node *side = join_side(from, &at);
    const ag_table *t = keyed_table(side);
    if (at >= (t ? t->ncolumns : ag_from_count(side)))
        return no_column(b, from, index);
    if (side->kind == AG_K_TABLE)
        return t->columns[at]->node;
    if (side->kind == AG_K_CUSTOM) {
        ag_from_col col;
        return ag_from_column(side, at, &col) ? col.expr : no_column(b, from, index);
    }
    if (t) {
        const ag_column *c = t->columns[at];
        const ag_name_part part = {.text = c->name};
        return make_colref(b, side, at, c->type, ag_name_with_quote((ag_name){&part, 1, 0}, c->quote), c->key, false);
    }
    return all_colrefs(b, side, &out, at, true) ? out : NULL;
}

bool ag_from_colrefs(ag_builder *b, const ag_node *from, const ag_node **out)
{
    uint32_t n = ag_from_count(from);
    if (from->kind != AG_K_TABLE && from->kind != AG_K_JOIN && from->kind != AG_K_CUSTOM && !keyed_table(from))
        return all_colrefs(b, from, out, 0, false);
    for (uint32_t i = 0; i < n; i++) {
        out[i] = ag_from_colref(b, from, i);
        if (!out[i])
            return false;
    }
    return true;
}

void ag_from_describe(struct ag_buf *out, const ag_node *from)
{
    bool named;
    ag_str name = ag_from_given_name(from, &named);
    if (name.p) {
        ag_buf_add(out, name.p, name.n);
        return;
    }
    const ag_node *element = element_of(from);
    ag_buf_printf(out, "%s%s", named ? "an unnamed " : "a ", ag_kind_get(from->kind)->name);
    if (element && ag_node_is_from(element)) {
        ag_buf_str(out, " of ");
        ag_from_describe(out, element);
    }
}

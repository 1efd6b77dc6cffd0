/* INSERT, UPDATE, DELETE and their clauses. */
#include "compile/crud.h"
#include "compile/visitors.h"

#include <string.h>

/* ---- common parts ---- */

static ag_dml_facts *facts(ag_compiler *c, const ag_node *n, const ag_node *table)
{
    if (n != c->stmt || c->failed)
        return NULL;
    ag_dml_facts *d = ag_arena_zero(c->ar, 1, sizeof *d);
    if (!d)
        return ag_c_nomem(c), NULL;
    while (table->kind == AG_K_ALIAS)
        table = AG_AS(alias, ALIAS, table)->element;
    d->table = table->kind == AG_K_TABLE ? AG_AS(table, TABLE, table)->table : NULL;
    return c->dml = d;
}

static void target_name(ag_compiler *c, const ag_crud_item *it)
{
    if (it->column)
        ag_c_quote(c, it->column->name, it->column->quote);
    else
        ag_c_visit(c, it->target, AG_KW_NO_TABLE);
}

static unsigned base_k(const ag_compiler *c)
{
    return c->o->literal_binds ? AG_KW_LITERAL : 0;
}

static void implicit_column(ag_compiler *c, const ag_column *col, bool map)
{
    ag_c_visit(c, col->node, c->d->returning_qualified ? 0 : AG_KW_NO_TABLE);
    if (map)
        ag_c_add_result(c, col->node, col->name, col->type);
}

static void user_columns(ag_compiler *c, const ag_node *stmt, bool map)
{
    const ag_select_col *cols;
    uint32_t n;
    unsigned k = base_k(c) | (c->d->returning_qualified ? 0 : AG_KW_NO_TABLE);
    if (c->failed || !ag_c_ok(c, ag_stmt_columns(stmt, true, &c->tmp, &cols, &n, c->err)))
        return;
    for (uint32_t i = 0; i < n && !c->failed; i++) {
        ag_c_str(c, i ? ", " : "");
        c->item = i;
        ag_c_label_column(c, &cols[i], map, false, k);
    }
}

void ag_c_visit_returning(ag_compiler *c, const ag_node *stmt, ag_nlist returning, const ag_column *const *more,
                          uint32_t nmore, bool map)
{
    if (!returning.n && !nmore)
        return;
    ag_c_str(c, " RETURNING ");
    if (returning.n)
        user_columns(c, stmt, map);
    if (map && c->dml)
        c->dml->nuser_returning = (uint32_t)c->columns.len;
    for (uint32_t i = 0; i < nmore && !c->failed; i++) {
        ag_c_str(c, i || returning.n ? ", " : "");
        implicit_column(c, more[i], map);
    }
    if (!map || !c->dml)
        return;
    c->dml->returning = returning.n ? (nmore ? AG_RETURNING_BOTH : AG_RETURNING_USER) : AG_RETURNING_IMPLICIT;
    c->dml->returning_sorted = (stmt->flags & AG_DML_SORT_BY_PARAMETERS) != 0;
}

static void require(ag_compiler *c, bool feature, const ag_nlist *list, const char *what)
{
    if (list->n && !feature)
        ag_c_fail(c, AG_EXC_COMPILE, "the %s dialect has no %s", c->d->name, what);
}

/* ---- INSERT ---- */

static void insert_columns(ag_compiler *c, ag_crud *u)
{
    ag_c_str(c, " (");
    for (size_t i = 0; i < u->items.len && !c->failed; i++) {
        ag_c_str(c, i ? ", " : "");
        target_name(c, &u->items.items[i]);
    }
    ag_c_str(c, ")");
}

static void single_row(ag_compiler *c, ag_crud *u)
{
    ag_c_str(c, " VALUES ");
    if (c->dml)
        ag_c_mark(c, AG_MARK_VALUES, 0);
    ag_c_str(c, "(");
    for (size_t i = 0; i < u->items.len && !c->failed; i++) {
        const ag_crud_item it = u->items.items[i];
        ag_c_str(c, i ? ", " : "");
        ag_crud_value(c, u, &it, it.value);
    }
    ag_c_str(c, ")");
    if (c->dml)
        ag_c_mark(c, AG_MARK_VALUES_END, 0);
}

/* What a row lacks and the first row has: the column's default. */
static void row_default(ag_compiler *c, ag_crud *u, const ag_crud_item *it)
{
    ag_crud_item d = *it;
    const ag_default *def = it->column ? &it->column->def : NULL;
    switch (def ? def->kind : AG_DEFAULT_NONE) {
    case AG_DEFAULT_SCALAR:
    case AG_DEFAULT_CALLABLE:
        d.how = AG_CRUD_PREFETCH;
        ag_crud_value(c, u, &d, NULL);
        return;
    case AG_DEFAULT_SQL: ag_crud_value(c, u, &d, def->expr); return;
    case AG_DEFAULT_SEQUENCE:
        if (c->d->sequences) {
            ag_crud_value(c, u, &d, def->sequence->next_value);
            return;
        }
        break;
    default: break;
    }
    ag_str key = ag_expr_key(it->target);
    ag_c_fail(c, AG_EXC_COMPILE,
              "INSERT value for column %.*s is explicitly rendered as a bound parameter in the VALUES clause; a scalar "
              "value or SQL expression is required for each row",
              (int)key.n, key.p);
}

static void row_value(ag_compiler *c, ag_crud *u, const ag_n_insert *s, uint32_t row, const ag_crud_item *it)
{
    const ag_node *value =
        it->how == AG_CRUD_VALUE ? ag_nlist_at(s, s->values, row * s->columns.n + it->given) : it->value;
    if (value && value->kind == AG_K_DML_DEFAULT)
        row_default(c, u, it);
    else
        ag_crud_value(c, u, it, value);
}

static void many_rows(ag_compiler *c, ag_crud *u, const ag_n_insert *s)
{
    if (c->dml)
        c->dml->multi_values = true;
    ag_c_str(c, " VALUES ");
    for (uint32_t row = 0; row < s->rows && !c->failed; row++) {
        ag_c_str(c, row ? ", (" : "(");
        c->dml_row = row + 1;
        for (size_t i = 0; i < u->items.len && !c->failed; i++) {
            const ag_crud_item it = u->items.items[i];
            ag_c_str(c, i ? ", " : "");
            row_value(c, u, s, row, &it);
        }
        ag_c_str(c, ")");
    }
    c->dml_row = 0;
}

/* Defaults behind the SELECT's own columns. */
static void select_defaults(ag_compiler *c, uint32_t already)
{
    c->extra_columns = NULL;
    for (size_t i = 0; i < c->crud->items.len && !c->failed; i++) {
        const ag_crud_item it = c->crud->items.items[i];
        if (it.how == AG_CRUD_VALUE)
            continue;
        ag_c_str(c, already++ ? ", " : "");
        ag_name label = it.value ? ag_expr_anon_label(it.value, &c->tmp) : (ag_name){NULL, 0, 0};
        ag_str name = label.n ? ag_c_generated(c, label) : ag_c_anon(c, AG_STR("anon"), (uint64_t)(uintptr_t)it.column);
        ag_crud_value(c, c->crud, &it, it.value);
        ag_c_str(c, " AS ");
        ag_c_quote_generated(c, name);
    }
}

/* In a CTE its columns are written as a subquery's are. */
static void insert_select(ag_compiler *c, ag_crud *u, const ag_n_insert *s, unsigned k)
{
    bool extra = false;
    for (size_t i = 0; i < u->items.len; i++)
        extra |= u->items.items[i].how != AG_CRUD_VALUE;
    if (extra && s->from_select->kind != AG_K_SELECT) {
        ag_c_fail(c, AG_EXC_COMPILE,
                  "Can't extend statement for INSERT..FROM SELECT to include additional default-holding column(s). "
                  "Convert the "
                  "selectable to a subquery() first, or pass include_defaults=false to Insert.from_select() to skip "
                  "these columns.");
        return;
    }
    c->extra_columns = extra ? select_defaults : NULL;
    ag_c_str(c, " ");
    ag_c_visit(c, s->from_select, AG_KW_INSERT | (k & AG_KW_FROM) | base_k(c));
    c->extra_columns = NULL;
    if (c->dml)
        c->dml->from_select = true;
}

static void insert_body(ag_compiler *c, ag_crud *u, const ag_n_insert *s, unsigned k)
{
    bool empty = !u->items.len && c->d->default_values && !s->from_select;
    ag_c_str(c, "INSERT ");
    ag_c_visit_prefixes(c, s, s->prefixes);
    ag_c_str(c, "INTO ");
    ag_c_visit_independent_ctes(c, s, s->ctes);
    ag_c_visit(c, s->table, AG_KW_FROM | AG_KW_INLABEL);
    if (!empty)
        insert_columns(c, u);
    if (s->from_select)
        insert_select(c, u, s, k);
    else if (empty)
        ag_c_str(c, " DEFAULT VALUES");
    else if (s->rows)
        many_rows(c, u, s);
    else
        single_row(c, u);
    ag_c_visit_extensions(c, s, s->extensions, AG_EXT_POST_VALUES, " ", "");
    if (s->on_conflict) {
        ag_c_str(c, " ");
        ag_c_visit(c, s->on_conflict, base_k(c));
    }
}

void ag_visit_insert(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_insert *s = AG_AS(insert, INSERT, n);
    ag_frame_entry f = {0}, *up = c->frame;
    bool top = n == c->stmt;
    const ag_node *outer = c->dml_stmt;
    ag_crud u, *outer_crud = c->crud;
    size_t at = c->out.len;
    ag_dml_facts *d = facts(c, n, s->table);
    require(c, c->d->returning_insert, &s->returning, "INSERT … RETURNING");
    ag_crud_init(&u, c->alloc);
    ag_c_frame_push(c, &f, n);
    c->dml_stmt = n;
    c->crud = &u;
    ag_crud_insert(c, &u, s, top);
    insert_body(c, &u, s, k);
    ag_c_visit_returning(c, n, s->returning, u.returning.items, (uint32_t)u.returning.len, top);
    ag_c_ctes_render(c, at, top ? 0 : f.level, true);
    if (d)
        ag_crud_facts(c, &u);
    ag_crud_clear(&u);
    c->crud = outer_crud;
    c->dml_stmt = outer;
    c->frame = up;
}

/* ---- UPDATE, DELETE ---- */

/* The table and the other FROM elements of an UPDATE or DELETE: *extra lies behind the table, *nextra without it. */
static void dml_frame(ag_compiler *c, ag_frame_entry *f, const ag_node *n, const ag_node *table, const ag_node ***extra,
                      size_t *nextra)
{
    const ag_node **others = NULL;
    size_t n_others = 0;
    ag_c_frame_push(c, f, n);
    *extra = NULL;
    *nextra = 0;
    if (c->failed || !ag_c_ok(c, ag_dml_froms(&c->b, n, &others, &n_others, c->err)))
        return;
    const ag_node **all = ag_arena_new(&c->tmp, (n_others + 1) * sizeof *all);
    if (!all) {
        ag_c_nomem(c);
        return;
    }
    all[0] = table;
    if (n_others)
        memcpy(all + 1, others, n_others * sizeof *all);
    f->up = NULL; /* statements inside see this one's FROMs only */
    ag_c_frame_froms(c, f, all, n_others + 1);
    *extra = all + 1;
    *nextra = n_others;
}

static void extra_froms(ag_compiler *c, const char *word, const ag_node *const *froms, size_t n)
{
    for (size_t i = 0; i < n && !c->failed; i++) {
        ag_c_str(c, i ? ", " : word);
        ag_c_visit(c, froms[i], AG_KW_FROM | base_k(c));
    }
}

static void assignments(ag_compiler *c, ag_crud *u)
{
    if (!u->items.len && !c->failed) {
        ag_c_fail(c, AG_EXC_COMPILE, "this UPDATE sets no column: values{…} or a parameter has to name one");
        return;
    }
    ag_c_str(c, " SET ");
    for (size_t i = 0; i < u->items.len && !c->failed; i++) {
        const ag_crud_item it = u->items.items[i];
        ag_c_str(c, i ? ", " : "");
        target_name(c, &it);
        ag_c_str(c, "=");
        ag_crud_value(c, u, &it, it.value);
    }
}

static void where_clause(ag_compiler *c, const void *owner, ag_nlist where)
{
    if (!where.n)
        return;
    if (c->dml)
        c->dml->has_where = true;
    ag_c_str(c, " WHERE ");
    ag_c_visit_conjunction(c, owner, where, base_k(c));
}

void ag_visit_update(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_update *s = AG_AS(update, UPDATE, n);
    ag_frame_entry f = {0}, *up = c->frame;
    bool top = n == c->stmt;
    const ag_node *outer = c->dml_stmt, **extra;
    ag_crud u, *outer_crud = c->crud;
    size_t at = c->out.len, nextra;
    (void)k;
    ag_dml_facts *d = facts(c, n, s->table);
    require(c, c->d->returning_update, &s->returning, "UPDATE … RETURNING");
    if (s->table->kind == AG_K_JOIN && c->d->update_from)
        ag_c_fail(c, AG_EXC_COMPILE, "the %s dialect updates one table: name the others in where()", c->d->name);
    ag_crud_init(&u, c->alloc);
    dml_frame(c, &f, n, s->table, &extra, &nextra);
    c->dml_stmt = n;
    c->crud = &u;
    ag_crud_update(c, &u, s, top);
    ag_c_visit_independent_ctes(c, s, s->ctes);
    ag_c_str(c, "UPDATE ");
    ag_c_visit_prefixes(c, s, s->prefixes);
    ag_c_visit(c, s->table, AG_KW_FROM);
    assignments(c, &u);
    extra_froms(c, " FROM ", extra, nextra);
    where_clause(c, s, s->where);
    if (nextra)
        ag_c_lint(c, "UPDATE", s, s->where, extra - 1, nextra + 1);
    ag_c_visit_extensions(c, s, s->extensions, AG_EXT_POST_CRITERIA_DML, " ", "");
    ag_c_visit_returning(c, n, s->returning, u.returning.items, (uint32_t)u.returning.len, top);
    ag_c_ctes_render(c, at, top ? 0 : f.level, true);
    if (d)
        ag_crud_facts(c, &u);
    ag_crud_clear(&u);
    c->crud = outer_crud;
    c->dml_stmt = outer;
    c->frame = up;
}

/* Without USING: the rows for which the other tables have a match. */
static void delete_exists(ag_compiler *c, const ag_n_delete *s, const ag_node *const *extra, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ag_from_joins(extra[i], s->table)) {
            ag_c_fail(c, AG_EXC_COMPILE, "using(…) may not name the table that is deleted from: use an alias of it");
            return;
        }
    }
    ag_c_str(c, " WHERE EXISTS (SELECT 1");
    extra_froms(c, " FROM ", extra, n);
    where_clause(c, s, s->where);
    ag_c_str(c, ")");
}

void ag_visit_delete(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_delete *s = AG_AS(delete, DELETE, n);
    ag_frame_entry f = {0}, *up = c->frame;
    bool top = n == c->stmt;
    const ag_node *outer = c->dml_stmt, **extra;
    size_t at = c->out.len, nextra;
    (void)k;
    facts(c, n, s->table);
    require(c, c->d->returning_delete, &s->returning, "DELETE … RETURNING");
    dml_frame(c, &f, n, s->table, &extra, &nextra);
    c->dml_stmt = n;
    ag_c_visit_independent_ctes(c, s, s->ctes);
    ag_c_str(c, "DELETE ");
    ag_c_visit_prefixes(c, s, s->prefixes);
    ag_c_str(c, "FROM ");
    ag_c_visit(c, s->table, AG_KW_FROM);
    if (nextra && !c->d->delete_using) {
        delete_exists(c, s, extra, nextra);
    } else {
        extra_froms(c, " USING ", extra, nextra);
        where_clause(c, s, s->where);
    }
    if (nextra)
        ag_c_lint(c, "DELETE", s, s->where, extra - 1, nextra + 1);
    ag_c_visit_extensions(c, s, s->extensions, AG_EXT_POST_CRITERIA_DML, " ", "");
    ag_c_visit_returning(c, n, s->returning, NULL, 0, top);
    ag_c_ctes_render(c, at, top ? 0 : f.level, true);
    c->dml_stmt = outer;
    c->frame = up;
}

/* ---- from_dml_column ---- */

void ag_visit_dml_column(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_node *col = AG_AS(dml_column, DML_COLUMN, n)->column;
    if (!c->crud) {
        ag_c_fail(c, AG_EXC_COMPILE, "DML target objects may only be used with compiled INSERT or UPDATE statements");
        return;
    }
    for (size_t i = 0; i < c->crud->items.len; i++) {
        const ag_crud_item it = c->crud->items.items[i];
        ag_str a = ag_expr_key(it.target), b = ag_expr_key(col);
        if (a.n == b.n && memcmp(a.p, b.p, a.n) == 0) {
            ag_crud_value(c, c->crud, &it, it.value);
            return;
        }
    }
    /* Not set by this statement: an UPDATE leaves it. */
    ag_str name = ag_expr_key(col);
    if (c->crud->update)
        ag_c_visit(c, col, k & AG_KW_DOWN);
    else
        ag_c_fail(c, AG_EXC_COMPILE, "Can't resolve referenced column name in INSERT statement: '%.*s'", (int)name.n,
                  name.p);
}

void ag_visit_dml_default(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)n, (void)k;
    ag_c_str(c, "DEFAULT");
}

/* ---- ON CONFLICT ---- */

static void conflict_target(ag_compiler *c, const ag_n_on_conflict *o, unsigned k)
{
    ag_str constraint = ag_nstr_get(o, o->constraint);
    if (constraint.n && !c->d->conflict_constraint) {
        ag_c_fail(c, AG_EXC_COMPILE,
                  "the %s dialect has no ON CONFLICT ON CONSTRAINT; name the columns in index_elements", c->d->name);
    } else if (constraint.n) {
        ag_c_str(c, " ON CONSTRAINT ");
        ag_c_quote(c, constraint, -1);
        return;
    }
    if (!o->index_elements.n)
        return;
    ag_c_str(c, " (");
    ag_c_visit_list(c, o, o->index_elements, ", ", k | AG_KW_NO_TABLE);
    ag_c_str(c, ")");
    if (o->index_where) {
        ag_c_str(c, " WHERE ");
        ag_c_visit(c, o->index_where, k | AG_KW_NO_TABLE | (c->d->conflict_where_literal ? AG_KW_LITERAL : 0));
    }
}

static void conflict_set(ag_compiler *c, const ag_n_on_conflict *o, uint32_t i, bool first, unsigned k)
{
    const ag_node *target = ag_nlist_at(o, o->set_columns, i);
    ag_c_str(c, first ? "" : ", ");
    ag_c_visit(c, target, AG_KW_NO_TABLE);
    ag_c_str(c, " = ");
    ag_c_visit_operand(c, ag_nlist_at(o, o->set_values, i), AG_OP_NONE, k | AG_KW_UPSERT);
}

/* The place of a column in its table; -1: not a column. */
static int64_t table_place(const ag_node *n)
{
    switch (n->kind) {
    case AG_K_COLUMN: return AG_AS(column, COLUMN, n)->index;
    case AG_K_COLREF: return AG_AS(colref, COLREF, n)->index;
    default: return -1;
    }
}

/* In the order of the table, then what is no column of it. */
static void conflict_sets(ag_compiler *c, const ag_n_on_conflict *o, unsigned k)
{
    uint32_t ncolumns = (uint32_t)ag_from_count(AG_AS(insert, INSERT, c->dml_stmt)->table);
    bool first = true;
    for (int64_t at = 0; at <= ncolumns; at++) {
        for (uint32_t i = 0; i < o->set_columns.n && !c->failed; i++) {
            int64_t place = table_place(ag_nlist_at(o, o->set_columns, i));
            if (place != at && (at < ncolumns || place >= 0))
                continue;
            conflict_set(c, o, i, first, k);
            first = false;
        }
    }
}

void ag_visit_on_conflict(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_on_conflict *o = AG_AS(on_conflict, ON_CONFLICT, n);
    k &= AG_KW_LITERAL;
    if (!c->d->upsert) {
        ag_c_fail(c, AG_EXC_UNSUPPORTED_COMPILATION, "the %s dialect has no ON CONFLICT", c->d->name);
        return;
    }
    if (o->before && c->d->upsert_one) {
        ag_c_fail(c, AG_EXC_COMPILE, "the %s dialect takes one ON CONFLICT clause", c->d->name);
        return;
    }
    if (c->d->upsert_one && (n->flags & AG_CONFLICT_UPDATE) && !o->constraint.n && !o->index_elements.n) {
        ag_c_fail(c, AG_EXC_COMPILE, "on_conflict_do_update needs index_elements or constraint on %s", c->d->name);
        return;
    }
    if (o->before) {
        ag_c_visit(c, o->before, k);
        ag_c_str(c, " ");
    }
    ag_c_str(c, "ON CONFLICT");
    conflict_target(c, o, k);
    if (!(n->flags & AG_CONFLICT_UPDATE)) {
        ag_c_str(c, " DO NOTHING");
        return;
    }
    ag_c_str(c, " DO UPDATE SET ");
    conflict_sets(c, o, k);
    if (o->where.n) {
        ag_c_str(c, " WHERE ");
        if (o->where.n == 1) /* as it is: no "= 1" behind a boolean, no brackets around LIKE */
            ag_c_visit(c, ag_nlist_at(o, o->where, 0), k);
        else
            ag_c_visit_conjunction(c, o, o->where, k);
    }
}

/* ---- clauses that are written by their owner ---- */

static void misplaced(ag_compiler *c, const ag_node *n)
{
    ag_c_fail(c, AG_EXC_COMPILE, "a %s cannot be written by itself", ag_kind_get(n->kind)->name);
}
void ag_visit_join_spec(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)k;
    misplaced(c, n);
}
void ag_visit_for_update(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)k;
    misplaced(c, n);
}
void ag_visit_hint(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)k;
    misplaced(c, n);
}
void ag_visit_cte_ref(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_visit(c, AG_AS(cte_ref, CTE_REF, n)->cte, k);
}
void ag_visit_prefix(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_visit(c, AG_AS(prefix, PREFIX, n)->element, k & AG_KW_DOWN);
}
void ag_visit_extension(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_visit(c, AG_AS(extension, EXTENSION, n)->element, k & AG_KW_DOWN);
}

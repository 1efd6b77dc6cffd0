/* INSERT, UPDATE, DELETE and upsert. */
#include "sql/dml.h"

#include "sql/build.h"
#include "sql/select.h"

static bool is_table(ag_builder *b, const ag_node *n, bool more, const char *what)
{
    if (!n)
        return false;
    if (n->kind == AG_K_TABLE || n->kind == AG_K_TABLE_CLAUSE ||
        (more && (n->kind == AG_K_ALIAS || n->kind == AG_K_JOIN)))
        return true;
    ag_build_fail(b, AG_EXC_ARGUMENT, "%s needs a table, not a %s", what, ag_kind_get(n->kind)->name);
    return false;
}

const ag_node *ag_insert(ag_builder *b, const ag_node *table)
{
    ag_n_insert *n = is_table(b, table, false, "insert") ? ag_node_new(b, AG_K_INSERT, NULL, 0) : NULL;
    if (!n)
        return NULL;
    n->table = table;
    return ag_node_finish(b, n);
}

const ag_node *ag_update(ag_builder *b, const ag_node *table)
{
    ag_n_update *n = is_table(b, table, true, "update") ? ag_node_new(b, AG_K_UPDATE, NULL, 0) : NULL;
    if (!n)
        return NULL;
    n->table = table;
    return ag_node_finish(b, n);
}

const ag_node *ag_delete(ag_builder *b, const ag_node *table)
{
    ag_n_delete *n = is_table(b, table, true, "delete") ? ag_node_new(b, AG_K_DELETE, NULL, 0) : NULL;
    if (!n)
        return NULL;
    n->table = table;
    return ag_node_finish(b, n);
}

static bool is_dml(ag_builder *b, const ag_node *n, bool insert, bool update)
{
    if (n && ((insert && n->kind == AG_K_INSERT) || (update && n->kind == AG_K_UPDATE)))
        return true;
    if (n)
        ag_build_fail(b, AG_EXC_ARGUMENT, "%s is expected, not a %s",
                      insert ? update ? "an insert or update" : "an insert" : "an update", ag_kind_get(n->kind)->name);
    return false;
}

/* ---- targets and values ---- */

static const ag_node *unknown_target(ag_builder *b, const ag_node *table, ag_str key)
{
    uint32_t n;
    ag_arena tmp;
    const ag_from_col *cols;
    char name[64] = {0};
    const char *near = NULL;
    memcpy(name, key.p ? key.p : "", key.n < 63 ? key.n : 63);
    ag_arena_init(&tmp, b->alloc);
    if (ag_from_columns(table, &tmp, &cols, &n, b->err) == AG_OK) {
        const char **names = ag_arena_zero(&tmp, n ? n : 1, sizeof *names);
        for (uint32_t i = 0; names && i < n; i++)
            names[i] = cols[i].key.p;
        near = names ? ag_nearest(name, names, n) : NULL;
        ag_build_fail(b, AG_EXC_COMPILE, "Unconsumed column names: %s%s%s%s", name, near ? " (did you mean '" : "",
                      near ? near : "", near ? "'?)" : "");
    }
    ag_arena_clear(&tmp);
    return NULL;
}

const ag_node *ag_dml_target(ag_builder *b, const ag_node *table, ag_str key)
{
    ag_arena tmp;
    int64_t index = -1;
    if (!table)
        return NULL;
    ag_arena_init(&tmp, b->alloc);
    ag_status st = ag_from_find(table, key.p, key.n, &tmp, &index, b->err);
    ag_arena_clear(&tmp);
    if (st != AG_OK)
        return NULL;
    return index < 0 ? unknown_target(b, table, key) : ag_from_colref(b, table, (uint32_t)index);
}

const ag_node *ag_dml_value(ag_builder *b, const ag_node *column, const ag_value *value)
{
    if (!column)
        return NULL;
    const ag_bind_spec s = {
        .key = ag_expr_key(column), .type = column->type, .value = value, .flags = AG_BIND_UNIQUE | AG_BIND_DML};
    return ag_bind(b, &s);
}

/* expressions: what an UPDATE may set beside columns, as an array's element. */
static bool are_targets(ag_builder *b, const ag_node *const *columns, size_t n, bool expressions)
{
    for (size_t i = 0; i < n; i++) {
        if (!columns[i])
            return false;
        if (!ag_expr_is_column(columns[i]) && !(expressions && ag_node_is(columns[i], AG_CLASS_EXPR))) {
            ag_build_fail(b, AG_EXC_ARGUMENT, "a column is expected as the target of a value, not a %s",
                          ag_kind_get(columns[i]->kind)->name);
            return false;
        }
    }
    return true;
}

/* Where a statement keeps its columns and values. */
typedef struct dml_lists {
    ag_nlist *columns, *values;
} dml_lists;

static dml_lists lists_of(void *node)
{
    if (((ag_node *)node)->kind == AG_K_INSERT)
        return (dml_lists){&((ag_n_insert *)node)->columns, &((ag_n_insert *)node)->values};
    return (dml_lists){&((ag_n_update *)node)->columns, &((ag_n_update *)node)->values};
}

static dml_lists read_lists(const ag_node *n)
{
    return lists_of((void *)(uintptr_t)n);
}

static size_t columns_field(const ag_node *n)
{
    return n->kind == AG_K_INSERT ? offsetof(ag_n_insert, columns) : offsetof(ag_n_update, columns);
}

/* Both lists set. */
static ag_node *with_values(ag_builder *b, const ag_node *stmt, const ag_node *const *columns, size_t n,
                            const ag_node *const *values, size_t nvalues)
{
    size_t vfield = stmt->kind == AG_K_INSERT ? offsetof(ag_n_insert, values) : offsetof(ag_n_update, values);
    const ag_node *step = ag_node_with_list(b, stmt, columns_field(stmt), columns, n, false);
    ag_node *copy = step ? ag_node_with_list(b, step, vfield, values, nvalues, false) : NULL;
    if (copy)
        copy->flags |= AG_DML_VALUES;
    return copy;
}

/* What the statement has already, with the new pairs put in; the arrays have room for both. Returns their number. */
static size_t merge_values(const ag_node *stmt, const ag_node **columns, const ag_node **values,
                           const ag_node *const *new_columns, const ag_node *const *new_values, size_t n)
{
    dml_lists l = read_lists(stmt);
    size_t count = l.columns->n;
    for (size_t i = 0; i < count; i++) {
        columns[i] = ag_nlist_at(stmt, *l.columns, (uint32_t)i);
        values[i] = ag_nlist_at(stmt, *l.values, (uint32_t)i);
    }
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;
        while (at < count && ag_expr_id(columns[at]) != ag_expr_id(new_columns[i]))
            at++;
        columns[at] = new_columns[i];
        values[at] = new_values[i];
        count += at == count;
    }
    return count;
}

const ag_node *ag_dml_values(ag_builder *b, const ag_node *stmt, const ag_node *const *columns,
                             const ag_node *const *values, size_t n)
{
    if (!is_dml(b, stmt, true, true) || !are_targets(b, columns, n, stmt->kind == AG_K_UPDATE))
        return NULL;
    if (stmt->kind == AG_K_INSERT && AG_AS(insert, INSERT, stmt)->rows)
        return ag_build_fail(b, AG_EXC_INVALID_REQUEST,
                             "Can't mix single and multiple VALUES formats in one INSERT statement");
    if (stmt->kind == AG_K_INSERT && AG_AS(insert, INSERT, stmt)->from_select)
        return ag_build_fail(b, AG_EXC_INVALID_REQUEST, "This construct already inserts from a SELECT");
    if (stmt->flags & AG_DML_ORDERED)
        return ag_build_fail(b, AG_EXC_INVALID_REQUEST, "This statement already has ordered values present");
    size_t room = read_lists(stmt).columns->n + n;
    const ag_node **cols = ag_build_array(b, room), **vals = ag_build_array(b, room), **exprs = ag_build_array(b, n);
    if (!cols || !vals || !exprs || !ag_as_exprs(b, exprs, values, n))
        return NULL;
    size_t count = merge_values(stmt, cols, vals, columns, exprs, n);
    ag_node *copy = with_values(b, stmt, cols, count, vals, count);
    return copy ? ag_node_finish(b, copy) : NULL;
}

const ag_node *ag_update_ordered(ag_builder *b, const ag_node *update, const ag_node *const *columns,
                                 const ag_node *const *values, size_t n)
{
    if (!is_dml(b, update, false, true) || !are_targets(b, columns, n, true))
        return NULL;
    if (update->flags & (AG_DML_ORDERED | AG_DML_VALUES))
        return ag_build_fail(b, AG_EXC_INVALID_REQUEST,
                             "Can only invoke ordered_values() once, and not mixed with values()");
    const ag_node **exprs = ag_build_array(b, n);
    if (!exprs || !ag_as_exprs(b, exprs, values, n))
        return NULL;
    ag_node *copy = with_values(b, update, columns, n, exprs, n);
    if (!copy)
        return NULL;
    copy->flags |= AG_DML_ORDERED;
    return ag_node_finish(b, copy);
}

/* ---- several rows ---- */

static const ag_node *missing_value(ag_builder *b)
{
    ag_node *n = ag_node_new(b, AG_K_DML_DEFAULT, NULL, 0);
    return n ? ag_node_finish(b, n) : NULL;
}

bool ag_dml_has_default(const ag_node *column)
{
    if (column->kind != AG_K_COLUMN)
        return false;
    const ag_n_column *c = AG_AS(column, COLUMN, column);
    ag_default_kind kind = c->table->columns[c->index]->def.kind;
    return kind != AG_DEFAULT_NONE && kind != AG_DEFAULT_SENTINEL;
}

/* The rows' values with what is missing filled in; rows must have what the first row has, but for columns with a default. */
static bool fill_rows(ag_builder *b, const ag_node **out, const ag_node *const *columns, const ag_node *const *values,
                      size_t n, size_t nrows)
{
    for (size_t i = 0; i < n * nrows; i++) {
        if (!values[i] && values[i % n] && !ag_dml_has_default(columns[i % n])) {
            ag_build_fail(b, AG_EXC_COMPILE,
                          "row %zu of the values lacks a column that the first row has: all rows of one "
                          "INSERT … VALUES must have the same columns",
                          i / n + 1);
            return false;
        }
        out[i] = values[i] ? ag_as_expr(b, values[i]) : missing_value(b);
        if (!out[i])
            return false;
    }
    return true;
}

static bool same_columns(const ag_n_insert *i, const ag_node *const *columns, size_t n)
{
    if (i->columns.n != n)
        return false;
    for (uint32_t k = 0; k < n; k++) {
        if (ag_expr_id(ag_nlist_at(i, i->columns, k)) != ag_expr_id(columns[k]))
            return false;
    }
    return true;
}

const ag_node *ag_insert_rows(ag_builder *b, const ag_node *insert, const ag_node *const *columns, size_t n,
                              const ag_node *const *values, size_t nrows)
{
    size_t total;
    if (!is_dml(b, insert, true, false) || !are_targets(b, columns, n, false))
        return NULL;
    const ag_n_insert *old = AG_AS(insert, INSERT, insert);
    if (!n || !nrows || !ag_size_mul(&total, n, nrows))
        return ag_build_fail(b, AG_EXC_ARGUMENT, "values{…} needs at least one row with at least one column");
    if (old->columns.n && (!old->rows || !same_columns(old, columns, n)))
        return ag_build_fail(b, AG_EXC_INVALID_REQUEST,
                             old->rows ? "further rows must have the columns of the rows before them"
                                       : "Can't mix single and multiple VALUES formats in one INSERT statement");
    const ag_node **rows = ag_build_array(b, old->values.n + total);
    if (!rows || !fill_rows(b, rows + old->values.n, columns, values, n, nrows))
        return NULL;
    if (old->values.n)
        memcpy((void *)rows, (const void *)ag_nlist_items(old, old->values), old->values.n * sizeof *rows);
    ag_node *copy = with_values(b, insert, columns, n, rows, old->values.n + total);
    if (!copy)
        return NULL;
    ((ag_n_insert *)(void *)copy)->rows += (uint32_t)nrows;
    return ag_node_finish(b, copy);
}

const ag_node *ag_insert_from_select(ag_builder *b, const ag_node *insert, const ag_node *const *columns, size_t n,
                                     const ag_node *select, bool include_defaults)
{
    if (!is_dml(b, insert, true, false) || !select || !are_targets(b, columns, n, false))
        return NULL;
    if (ag_node_is(select, AG_CLASS_FROM)) /* a table, a subquery, a CTE: all its columns */
        select = ag_select(b, &select, 1);
    if (!select)
        return NULL;
    if (!ag_node_is_selectable(select))
        return ag_build_fail(b, AG_EXC_ARGUMENT, "from_select needs a select, not a %s",
                             ag_kind_get(select->kind)->name);
    if (insert->flags & AG_DML_VALUES)
        return ag_build_fail(b, AG_EXC_INVALID_REQUEST,
                             "This construct already has values; from_select() cannot be added");
    ag_n_insert *copy = ag_node_with_list(b, insert, offsetof(ag_n_insert, columns), columns, n, false);
    if (!copy)
        return NULL;
    copy->from_select = select;
    copy->node.flags |= (uint16_t)(AG_DML_INLINE | (include_defaults ? 0 : AG_DML_NO_DEFAULTS));
    return ag_node_finish(b, copy);
}

const ag_node *ag_insert_inline(ag_builder *b, const ag_node *insert)
{
    if (!is_dml(b, insert, true, true))
        return NULL;
    ag_node *copy = ag_node_copy(b, insert);
    if (!copy)
        return NULL;
    copy->flags |= AG_DML_INLINE;
    return ag_node_finish(b, copy);
}

/* ---- RETURNING ---- */

const ag_node *ag_dml_return_defaults(ag_builder *b, const ag_node *stmt, const ag_node *const *columns, size_t n,
                                      bool sort_by_parameters)
{
    const ag_node *step =
        is_dml(b, stmt, true, true) ? ag_stmt_add(b, stmt, AG_CL_RETURN_DEFAULTS, columns, n, true) : NULL;
    ag_node *copy = step ? ag_node_copy(b, step) : NULL;
    if (!copy)
        return NULL;
    copy->flags |= AG_DML_RETURN_DEFAULTS | (sort_by_parameters ? AG_DML_SORT_BY_PARAMETERS : 0);
    return ag_node_finish(b, copy);
}

const ag_node *ag_dml_returning(ag_builder *b, const ag_node *stmt, const ag_node *const *columns, size_t n,
                                bool sort_by_parameters)
{
    if (stmt && (stmt->flags & AG_DML_RETURN_DEFAULTS) && stmt->kind != AG_K_DELETE)
        return ag_build_fail(b, AG_EXC_INVALID_REQUEST, "return_defaults() is already configured on this statement");
    const ag_node *step = stmt ? ag_stmt_add(b, stmt, AG_CL_RETURNING, columns, n, true) : NULL;
    ag_node *copy = step && sort_by_parameters ? ag_node_copy(b, step) : NULL;
    if (!copy)
        return sort_by_parameters ? NULL : step;
    copy->flags |= AG_DML_SORT_BY_PARAMETERS;
    return ag_node_finish(b, copy);
}

/* ---- upsert ---- */

const ag_node *ag_insert_excluded(ag_builder *b, const ag_node *insert)
{
    const ag_node *alias =
        is_dml(b, insert, true, false) ? ag_alias(b, AG_AS(insert, INSERT, insert)->table, AG_STR("excluded")) : NULL;
    if (!alias)
        return NULL;
    ag_node *n = (ag_node *)(uintptr_t)alias;
    n->flags |= AG_ALIAS_EXCLUDED;
    return ag_node_finish(b, n);
}

static size_t conflict_room(const ag_conflict *c)
{
    return ag_room_str(c->constraint.n) + ag_room_list(c->nindex) + 2 * ag_room_list(c->nset) + ag_room_list(c->nwhere);
}

static const ag_node *make_conflict(ag_builder *b, const ag_conflict *c, const ag_node *before)
{
    const ag_node **index = ag_build_array(b, c->nindex), **values = ag_build_array(b, c->nset),
                  **where = ag_build_array(b, c->nwhere);
    if (!index || !values || !where || !ag_as_exprs(b, index, c->index_elements, c->nindex) ||
        !ag_as_exprs(b, values, c->set_values, c->nset) || !are_targets(b, c->set_columns, c->nset, true))
        return NULL;
    for (size_t i = 0; i < c->nwhere; i++) {
        where[i] = ag_as_condition(b, c->where[i]);
        if (!where[i])
            return NULL;
    }
    const ag_node *index_where = c->index_where ? ag_as_condition(b, c->index_where) : NULL;
    if (c->index_where && !index_where)
        return NULL;
    ag_n_on_conflict *n = ag_node_new(b, AG_K_ON_CONFLICT, NULL, conflict_room(c));
    if (!n)
        return NULL;
    n->node.flags |= c->update ? AG_CONFLICT_UPDATE : 0;
    n->before = before;
    n->constraint = ag_node_str(n, c->constraint);
    n->index_elements = ag_node_list(n, index, c->nindex);
    n->index_where = index_where;
    n->set_columns = ag_node_list(n, c->set_columns, c->nset);
    n->set_values = ag_node_list(n, values, c->nset);
    n->where = ag_node_list(n, where, c->nwhere);
    return ag_node_finish(b, n);
}

const ag_node *ag_on_conflict(ag_builder *b, const ag_node *insert, const ag_conflict *c)
{
    if (!is_dml(b, insert, true, false))
        return NULL;
    const ag_node *before = AG_AS(insert, INSERT, insert)->on_conflict;
    if (before && !AG_AS(on_conflict, ON_CONFLICT, before)->index_elements.n)
        return ag_build_fail(b, AG_EXC_INVALID_REQUEST,
                             "This INSERT construct already has an ON CONFLICT clause without index_elements; such a "
                             "clause must be the last one of the statement");
    if (c->constraint.p && c->nindex)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "'constraint' and 'index_elements' are mutually exclusive");
    if (c->update && !c->nset)
        return ag_build_fail(b, AG_EXC_ARGUMENT,
                             "on_conflict_do_update needs 'set', at least one column and its value");
    const ag_node *clause = make_conflict(b, c, before);
    ag_n_insert *copy = clause ? ag_node_copy(b, insert) : NULL;
    if (!copy)
        return NULL;
    copy->on_conflict = clause;
    return ag_node_finish(b, copy);
}

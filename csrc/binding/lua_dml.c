/* INSERT, UPDATE, DELETE. Column names are resolved at the line that writes them; the order of columns is the table's. */
#include "binding/lua_orm.h"
#include "binding/lua_stmt.h"
#include "compile/dialect.h"
#include "sql/select.h"
#include <string.h>

static int make(lua_State *L, const ag_node *(*ctor)(ag_builder *, const ag_node *))
{
    agl_check_top(L, 1);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ctor(x.b, agl_conv_from(&x, 1, 1)));
}
int agl_fn_insert(lua_State *L)
{
    return make(L, ag_insert);
}
int agl_fn_update(lua_State *L)
{
    return make(L, ag_update);
}
int agl_fn_delete(lua_State *L)
{
    return make(L, ag_delete);
}

static const ag_node *self_dml(agl_build *x)
{
    const ag_node *n = agl_node_at(x->L, 1);
    if (!n || (n->kind != AG_K_INSERT && n->kind != AG_K_UPDATE && n->kind != AG_K_DELETE)) {
        agl_typeerror(x->L, 1, "an INSERT, UPDATE or DELETE (call methods with a colon)");
        return NULL;
    }
    agl_build_anchor(x, 1);
    return n;
}

static const ag_node *dml_table(const ag_node *stmt)
{
    switch (stmt->kind) {
    case AG_K_INSERT: return AG_AS(insert, INSERT, stmt)->table;
    case AG_K_UPDATE: return AG_AS(update, UPDATE, stmt)->table;
    default: return AG_AS(delete, DELETE, stmt)->table;
    }
}

/* A column as the target of table's statement: another table's is meant by its key in an INSERT, as in SQLAlchemy, and refused in an
 * UPDATE, which sets one table. */
static const ag_node *own_column(agl_build *x, const ag_node *table, const ag_node *n, bool insert)
{
    if (table->kind != AG_K_TABLE)
        return n;
    if (n->kind != AG_K_COLUMN)
        return ag_dml_target(x->b, table, ag_expr_key(n));
    const ag_table *mine = AG_AS(table, TABLE, table)->table, *its = AG_AS(column, COLUMN, n)->table;
    if (mine == its)
        return n;
    if (!insert)
        agl_error_in(x->L, AG_EXC_COMPILE, "UPDATE sets columns of one table: '%s' is no column of '%s', but of '%s'",
                     ag_expr_key(n).p, mine->name.p, its->name.p);
    return ag_dml_target(x->b, table, ag_expr_key(n));
}

/* The column that the key at idx names: a string or a column, in an UPDATE also an expression (an array's element). */
static const ag_node *target(agl_build *x, const ag_node *table, int idx, int arg, bool insert)
{
    lua_State *L = x->L;
    const ag_node *n = NULL;
    if (lua_type(L, idx) == LUA_TSTRING) {
        ag_str key;
        key.p = lua_tolstring(L, idx, &key.n);
        n = ag_dml_target(x->b, table, key);
    } else if ((n = agl_node_at(L, idx)) != NULL && ag_expr_is_column(n)) {
        agl_build_anchor(x, idx);
        n = own_column(x, table, n, insert);
    } else if (n && ag_node_is(n, AG_CLASS_EXPR) && !insert) {
        agl_build_anchor(x, idx);
    } else {
        agl_argerror(L, arg, "expected a column's name or a column as key, got %s", agl_describe(L, idx, false));
    }
    if (!n)
        agl_build_raise(x);
    return n;
}

/* The value at idx for a column: an expression, or a bind named after the column. */
static const ag_node *value_for(agl_build *x, const ag_node *column, int idx, int arg)
{
    lua_State *L = x->L;
    const ag_node *v;
    if (agl_node_at(L, idx)) {
        v = agl_build_operand(x, idx, arg, AG_OP_NONE, NULL);
    } else {
        ag_value value;
        if (lua_isnoneornil(L, idx) || !agl_tovalue(L, idx, &value))
            agl_argerror(L, arg, "column '%s': expected a value or an SQL expression, got %s (SQL NULL is ag.null)",
                         ag_expr_key(column).p, agl_describe(L, idx, false));
        if (value.kind == AG_V_HOST)
            agl_build_anchor(x, idx);
        v = ag_dml_value(x->b, column, &value);
    }
    if (!v)
        agl_build_raise(x);
    return v;
}

static size_t count_keys(lua_State *L, int table)
{
    size_t n = 0;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        n++;
    }
    return n;
}

typedef struct pairs {
    const ag_node **columns, **values;
    size_t n;
} pairs;

/* {name = value, [column] = value}. */
static pairs pairs_of(agl_build *x, const ag_node *table, int idx, int arg, bool insert)
{
    lua_State *L = x->L;
    idx = lua_absindex(L, idx);
    pairs p = {.n = 0};
    size_t n = count_keys(L, idx);
    p.columns = agl_build_scratch(x, (n + 1) * sizeof *p.columns);
    p.values = agl_build_scratch(x, (n + 1) * sizeof *p.values);
    /* lua_next needs its key on top, anchors are pushed above: keys first */
    lua_createtable(L, (int)n, 0);
    int keys = lua_gettop(L);
    lua_pushnil(L);
    for (lua_Integer i = 1; lua_next(L, idx); i++) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_rawseti(L, keys, i);
    }
    for (size_t i = 0; i < n; i++) {
        agl_check_room(L, 10, "columns");
        lua_rawgeti(L, keys, (lua_Integer)i + 1);
        int key = lua_gettop(L);
        const ag_node *column = target(x, table, key, arg, insert);
        lua_pushvalue(L, key);
        lua_gettable(L, idx);
        p.columns[p.n] = column;
        p.values[p.n++] = value_for(x, column, lua_gettop(L), arg);
    }
    return p;
}

/* ---- values ---- */

/* The list at idx by position, in the order of the table. */
static pairs positional(agl_build *x, const ag_node *table, int idx)
{
    lua_State *L = x->L;
    uint32_t count = ag_from_count(table);
    pairs p = {.n = lua_rawlen(L, idx)};
    idx = lua_absindex(L, idx);
    if (p.n > count)
        agl_argerror(L, 2, "%d values for a table of %d columns", (int)p.n, (int)count);
    p.columns = agl_build_scratch(x, (p.n + 1) * sizeof *p.columns);
    p.values = agl_build_scratch(x, (p.n + 1) * sizeof *p.values);
    for (size_t i = 0; i < p.n; i++) {
        luaL_checkstack(L, 10, "too many columns");
        p.columns[i] = ag_from_colref(x->b, table, (uint32_t)i);
        lua_rawgeti(L, idx, (lua_Integer)i + 1);
        p.values[i] = value_for(x, p.columns[i], lua_gettop(L), 2);
    }
    return p;
}

/* Row r of values{{…}, {…}}: by name, or a list by position. */
static pairs one_row(agl_build *x, const ag_node *stmt, size_t r)
{
    lua_State *L = x->L;
    lua_rawgeti(L, 2, (lua_Integer)r + 1);
    if (!agl_is_plain_table(L, -1))
        agl_argerror(L, 2, "row %d: expected a table of values, got %s", (int)r + 1, agl_describe(L, -1, false));
    return lua_rawlen(L, -1) ? positional(x, dml_table(stmt), lua_gettop(L))
                             : pairs_of(x, dml_table(stmt), lua_gettop(L), 2, true);
}

static size_t place_of(const pairs *p, const ag_node *column)
{
    size_t i = 0;
    while (i < p->n && ag_expr_id(p->columns[i]) != ag_expr_id(column))
        i++;
    return i;
}

/* The columns of the rows: those of the first, then what others have that has a default (the first then takes the default). */
static pairs columns_of_rows(agl_build *x, const pairs *rows, size_t nrows)
{
    pairs all = {.n = rows[0].n};
    size_t room = 0;
    for (size_t r = 0; r < nrows; r++)
        room += rows[r].n;
    all.columns = agl_build_scratch(x, (room + 1) * sizeof *all.columns);
    memcpy(all.columns, rows[0].columns, all.n * sizeof *all.columns);
    for (size_t r = 1; r < nrows; r++) {
        for (size_t k = 0; k < rows[r].n; k++) {
            const ag_node *column = rows[r].columns[k];
            if (place_of(&all, column) < all.n)
                continue;
            if (!ag_dml_has_default(column))
                agl_error_in(x->L, AG_EXC_COMPILE, "row %d has a column that the first row has not: '%s'", (int)r + 1,
                             ag_expr_key(column).p);
            all.columns[all.n++] = column;
        }
    }
    return all;
}

/* values{{…}, {…}} */
static int insert_rows(agl_build *x, const ag_node *stmt)
{
    size_t nrows = lua_rawlen(x->L, 2);
    pairs *rows = agl_build_scratch(x, nrows * sizeof *rows);
    for (size_t r = 0; r < nrows; r++)
        rows[r] = one_row(x, stmt, r);
    pairs all = columns_of_rows(x, rows, nrows);
    const ag_node **values = agl_build_scratch(x, (nrows * all.n + 1) * sizeof *values);
    for (size_t r = 0; r < nrows; r++) {
        for (size_t c = 0; c < all.n; c++) {
            size_t k = place_of(&rows[r], all.columns[c]);
            values[r * all.n + c] = k < rows[r].n ? rows[r].values[k] : NULL;
        }
    }
    return agl_build_push(x, ag_insert_rows(x->b, stmt, all.columns, all.n, values, nrows));
}

/* values{"a", 5} */
static int insert_positional(agl_build *x, const ag_node *stmt)
{
    pairs p = positional(x, dml_table(stmt), 2);
    return agl_build_push(x, ag_dml_values(x->b, stmt, p.columns, p.values, p.n));
}

static int dml_values(lua_State *L)
{
    int top = lua_gettop(L);
    agl_check_args(L, 2);
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_dml(&x);
    if (top == 1) { /* values() is values{} */
        lua_newtable(L);
        lua_replace(L, 2);
    }
    agl_check_table(L, 2);
    size_t n = lua_rawlen(L, 2);
    if (n > 0 && stmt->kind == AG_K_INSERT) {
        lua_rawgeti(L, 2, 1);
        bool rows = agl_is_plain_table(L, -1);
        lua_pop(L, 1);
        return rows ? insert_rows(&x, stmt) : insert_positional(&x, stmt);
    }
    pairs p = pairs_of(&x, dml_table(stmt), 2, 2, stmt->kind == AG_K_INSERT);
    return agl_build_push(&x, ag_dml_values(x.b, stmt, p.columns, p.values, p.n));
}

/* One list of pairs instead of pairs: spread over the stack. Returns the new top. */
static int spread_pairs(lua_State *L)
{
    bool list = lua_gettop(L) == 2 && agl_is_plain_table(L, 2);
    if (list) {
        lua_rawgeti(L, 2, 1);
        list = agl_is_plain_table(L, -1);
        lua_pop(L, 1);
    }
    if (!list)
        return lua_gettop(L);
    int n = (int)lua_rawlen(L, 2);
    luaL_checkstack(L, n + 4, "pairs");
    for (int i = 1; i <= n; i++)
        lua_rawgeti(L, 2, i);
    lua_remove(L, 2);
    return lua_gettop(L);
}

/* ordered_values({col, v}, …) */
static int update_ordered_values(lua_State *L)
{
    int top = spread_pairs(L);
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_dml(&x);
    pairs p = {.n = 0};
    p.columns = agl_build_scratch(&x, (size_t)top * sizeof *p.columns);
    p.values = agl_build_scratch(&x, (size_t)top * sizeof *p.values);
    for (int i = 2; i <= top; i++) {
        if (!agl_is_plain_table(L, i) || lua_rawlen(L, i) != 2)
            return agl_argerror(L, i, "expected a pair {column, value}, got %s", agl_describe(L, i, false));
        lua_rawgeti(L, i, 1);
        p.columns[p.n] = target(&x, dml_table(stmt), lua_gettop(L), i, false);
        lua_rawgeti(L, i, 2);
        p.values[p.n] = value_for(&x, p.columns[p.n], lua_gettop(L), i);
        p.n++;
    }
    return agl_build_push(&x, ag_update_ordered(x.b, stmt, p.columns, p.values, p.n));
}

/* ---- from_select, inline, returning ---- */

static int insert_from_select(lua_State *L)
{
    static const char *const known[] = {"include_defaults", NULL};
    agl_check_args(L, 4);
    agl_check_table(L, 2);
    bool defaults = !agl_check_options(L, 4, known) || agl_opt_boolean(L, 4, "include_defaults", true);
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_dml(&x);
    size_t n = lua_rawlen(L, 2);
    const ag_node **columns = agl_build_scratch(&x, (n + 1) * sizeof *columns);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        columns[i] = target(&x, dml_table(stmt), lua_gettop(L), 2, true);
    }
    const ag_node *from = agl_node_at(L, 3);
    const ag_node *select =
        from && ag_node_is(from, AG_CLASS_FROM) ? agl_conv_from(&x, 3, 3) : agl_conv_select(&x, 3, 3);
    return agl_build_push(&x, ag_insert_from_select(x.b, stmt, columns, n, select, defaults));
}

static int dml_inline(lua_State *L)
{
    agl_check_top(L, 1);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_insert_inline(x.b, self_dml(&x)));
}

static int dml_returning(lua_State *L)
{
    static const char *const known[] = {"sort_by_parameter_order", NULL};
    int top = lua_gettop(L);
    int options = agl_build_options(L, 2, known);
    bool sort = options && agl_opt_boolean(L, options, "sort_by_parameter_order", false);
    int classes = agl_orm_spans(L, 2, options ? top - 1 : top, 1, true);
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_dml(&x);
    if (sort && stmt->kind != AG_K_INSERT)
        return agl_error_in(L, AG_EXC_ARGUMENT, "sort_by_parameter_order is for INSERT only");
    agl_list l = agl_build_args(&x, 2, options ? top - 1 : top, agl_conv_returning);
    return agl_build_push(&x, agl_orm_spanned(&x, ag_dml_returning(x.b, stmt, l.items, l.n, sort), classes));
}

static int dml_return_defaults(lua_State *L)
{
    static const char *const known[] = {"sort_by_parameter_order", NULL};
    int top = lua_gettop(L);
    int options = agl_build_options(L, 2, known);
    bool sort = options && agl_opt_boolean(L, options, "sort_by_parameter_order", false);
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_dml(&x);
    agl_list l = agl_build_args(&x, 2, options ? top - 1 : top, agl_conv_returning);
    return agl_build_push(&x, ag_dml_return_defaults(x.b, stmt, l.items, l.n, sort));
}

/* with_dialect_options{mysql_limit = 10}: options of other dialects stay with the statement's source; SQLite and PostgreSQL have none
 * for DML, so that theirs can only be misspelt. */
static int dml_with_dialect_options(lua_State *L)
{
    agl_check_args(L, 2);
    agl_check_table(L, 2);
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        const char *end = strchr(name, '_');
        size_t n = end ? (size_t)(end - name) : 0;
        if (!n)
            agl_error_in(L, AG_EXC_ARGUMENT, "dialect options are named <dialect>_<option>, got '%s'", name);
        if (ag_dialect_find(name, n))
            agl_error_in(L, AG_EXC_ARGUMENT, "'%s' is no option of INSERT, UPDATE or DELETE on %s", name,
                         ag_dialect_find(name, n)->name);
    }
    lua_settop(L, 1);
    return 1;
}

/* ---- upsert ---- */

static const ag_node *conv_index_element(agl_build *x, int idx, int arg)
{
    return lua_type(x->L, idx) == LUA_TSTRING ? agl_conv_named(x, idx, arg) : agl_conv_expr(x, idx, arg);
}

/* Strings among index_elements name columns of the table. */
static agl_list index_elements(agl_build *x, const ag_node *table, int options)
{
    lua_State *L = x->L;
    agl_list l = {0};
    if (agl_opt_push(L, options, "index_elements") == LUA_TNIL)
        return l;
    l = agl_build_table(x, lua_gettop(L), options, conv_index_element);
    for (size_t i = 0; i < l.n; i++) {
        if (l.items[i]->kind == AG_K_LABEL_REF) {
            ag_str name = ag_nstr_get(l.items[i], AG_AS(label_ref, LABEL_REF, l.items[i])->name);
            l.items[i] = ag_dml_target(x->b, table, name);
            if (!l.items[i])
                agl_build_raise(x);
        }
    }
    return l;
}

/* set = ins.excluded, set = table.c: every column of the collection. */
static pairs pairs_of_columns(agl_build *x, const ag_node *table, const ag_node *from, int idx)
{
    pairs p = {.n = ag_from_count(from)};
    p.columns = agl_build_scratch(x, (p.n + 1) * sizeof *p.columns);
    p.values = agl_build_scratch(x, (p.n + 1) * sizeof *p.values);
    agl_build_anchor(x, idx);
    for (size_t i = 0; i < p.n; i++) {
        p.values[i] = ag_from_colref(x->b, from, (uint32_t)i);
        p.columns[i] = p.values[i] ? ag_dml_target(x->b, table, ag_expr_key(p.values[i])) : NULL;
        if (!p.columns[i])
            agl_build_raise(x);
    }
    return p;
}

/* constraint = a constraint or an index instead of a name: the options at 2 become those that say the same. */
static void resolve_constraint(lua_State *L)
{
    int type = agl_opt_push(L, 2, "constraint");
    lua_pop(L, 1);
    if (type == LUA_TNIL || type == LUA_TSTRING)
        return;
    lua_getglobal(L, "require");
    lua_pushliteral(L, "argent.schema.conflict");
    lua_call(L, 1, 1);
    lua_pushvalue(L, 2);
    lua_call(L, 1, 1);
    lua_replace(L, 2);
}

static int on_conflict(lua_State *L, bool update)
{
    static const char *const nothing[] = {"index_elements", "index_where", "constraint", NULL};
    static const char *const all[] = {"index_elements", "index_where", "constraint", "set", "where", NULL};
    agl_check_args(L, 2);
    bool options = agl_check_options(L, 2, update ? all : nothing);
    if (options)
        resolve_constraint(L);
    if (update && !options)
        return agl_typeerror(L, 2, "options {index_elements = …, set = {…}}");
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_dml(&x);
    ag_conflict c = {.update = update};
    if (options) {
        agl_list elements = index_elements(&x, dml_table(stmt), 2);
        c.index_elements = elements.items;
        c.nindex = elements.n;
        c.constraint = agl_field_str(L, 2, "constraint");
        if (agl_opt_push(L, 2, "index_where") != LUA_TNIL)
            c.index_where = agl_conv_condition(&x, lua_gettop(L), 2);
    }
    if (update) {
        int type = agl_opt_push(L, 2, "set");
        const ag_node *from = agl_kind_at(L, -1) == AGL_K_COLUMNS ? agl_columns_push_from(L, lua_gettop(L)) : NULL;
        if (!from && (type != LUA_TTABLE || !agl_is_plain_table(L, -1)))
            return agl_opt_error(L, "set", "a table of column = value");
        pairs p = from ? pairs_of_columns(&x, dml_table(stmt), from, lua_gettop(L))
                       : pairs_of(&x, dml_table(stmt), lua_gettop(L), 2, false);
        c.set_columns = p.columns;
        c.set_values = p.values;
        c.nset = p.n;
        if (agl_opt_push(L, 2, "where") != LUA_TNIL) {
            agl_list where = agl_build_table(&x, lua_gettop(L), 2, agl_conv_condition);
            c.where = where.items;
            c.nwhere = where.n;
        }
    }
    return agl_build_push(&x, ag_on_conflict(x.b, stmt, &c));
}
static int insert_on_conflict_do_update(lua_State *L)
{
    return on_conflict(L, true);
}
static int insert_on_conflict_do_nothing(lua_State *L)
{
    return on_conflict(L, false);
}

/* ins.excluded: the columns of the row that could not be inserted. */
static int insert_get_excluded(lua_State *L)
{
    agl_build x = agl_build_begin(L);
    agl_build_push(&x, ag_insert_excluded(x.b, self_dml(&x)));
    lua_replace(L, 1);
    lua_settop(L, 1);
    return agl_from_get_columns(L);
}

/* dml:with_hint(text, {selectable =, dialect_name =}) */
static int dml_with_hint(lua_State *L)
{
    static const char *const known[] = {"selectable", "dialect_name", NULL};
    agl_check_args(L, 3);
    ag_str text = agl_check_str(L, 2), dialect = {0};
    bool options = agl_check_options(L, 3, known);
    if (options)
        dialect = agl_field_str(L, 3, "dialect_name");
    if (dialect.n == 1 && dialect.p[0] == '*')
        dialect = (ag_str){0};
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_dml(&x), *from = NULL;
    switch (stmt->kind) {
    case AG_K_INSERT: from = AG_AS(insert, INSERT, stmt)->table; break;
    case AG_K_UPDATE: from = AG_AS(update, UPDATE, stmt)->table; break;
    default: from = AG_AS(delete, DELETE, stmt)->table; break;
    }
    if (options && agl_opt_push(L, 3, "selectable") != LUA_TNIL)
        from = agl_conv_from(&x, lua_gettop(L), 3);
    const ag_node *hint = ag_hint(x.b, from, text, dialect);
    return agl_build_push(&x, ag_stmt_add(x.b, stmt, AG_CL_HINT, &hint, 1, true));
}

#define DML_METHODS                                                                                                    \
    {"returning", dml_returning}, {"return_defaults", dml_return_defaults}, {"prefix_with", agl_stmt_prefix_with},     \
        {"with_hint", dml_with_hint}, {"add_cte", agl_stmt_add_cte},                                                   \
        {"with_dialect_options", dml_with_dialect_options},                                                            \
    {                                                                                                                  \
        "cte", agl_select_cte                                                                                          \
    }
static const luaL_Reg insert_methods[] = {DML_METHODS,
                                          {"values", dml_values},
                                          {"from_select", insert_from_select},
                                          {"inline", dml_inline},
                                          {"on_conflict_do_update", insert_on_conflict_do_update},
                                          {"on_conflict_do_nothing", insert_on_conflict_do_nothing},
                                          {NULL, NULL}};
static const luaL_Reg insert_getters[] = {{"excluded", insert_get_excluded}, {NULL, NULL}};
static const luaL_Reg update_methods[] = {DML_METHODS,
                                          {"values", dml_values},
                                          {"ordered_values", update_ordered_values},
                                          {"inline", dml_inline},
                                          {"where", agl_stmt_where},
                                          {"filter", agl_stmt_where},
                                          {"filter_by", agl_stmt_filter_by},
                                          {NULL, NULL}};
/* delete:using(table, …): further FROM elements, also those that no criterion names */
static int delete_using(lua_State *L)
{
    int top = lua_gettop(L);
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_dml(&x);
    agl_list l = agl_build_args(&x, 2, top, agl_conv_from);
    return agl_build_push(&x, ag_stmt_add(x.b, stmt, AG_CL_FROM, l.items, l.n, true));
}

static const luaL_Reg delete_methods[] = {DML_METHODS,
                                          {"where", agl_stmt_where},
                                          {"filter", agl_stmt_where},
                                          {"filter_by", agl_stmt_filter_by},
                                          {"using", delete_using},
                                          {NULL, NULL}};
static const agl_class insert_class = {
    .name = "Insert", .methods = insert_methods, .getters = insert_getters, .base = AGL_K_STATEMENT};
static const agl_class update_class = {.name = "Update", .methods = update_methods, .base = AGL_K_STATEMENT};
static const agl_class delete_class = {.name = "Delete", .methods = delete_methods, .base = AGL_K_STATEMENT};
/* from_dml_column(column): what the INSERT or UPDATE around it gives to the column. */
static int fn_from_dml_column(lua_State *L)
{
    agl_check_top(L, 1);
    agl_build x = agl_build_begin(L);
    const ag_node *column = agl_conv_expr(&x, 1, 1);
    if (column->kind != AG_K_COLUMN && column->kind != AG_K_COLREF && column->kind != AG_K_COLUMN_CLAUSE)
        return agl_typeerror(L, 1, "a column");
    return agl_build_push(&x, ag_dml_column(x.b, column));
}

static const luaL_Reg functions[] = {{"from_dml_column", fn_from_dml_column},
                                     {"insert", agl_fn_insert},
                                     {"update", agl_fn_update},
                                     {"delete", agl_fn_delete},
                                     {NULL, NULL}};

void agl_open_dml(lua_State *L)
{
    agl_class_open(L, AGL_K_INSERT, &insert_class);
    agl_class_open(L, AGL_K_UPDATE, &update_class);
    agl_class_open(L, AGL_K_DELETE, &delete_class);
    agl_functions(L, functions);
}

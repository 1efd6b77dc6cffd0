/* FROM elements: aliases, subqueries, CTEs, joins, VALUES, TABLESAMPLE, ad-hoc tables, and their columns (`.c`).
 *
 * A FROM's box has one user value more than its anchors (its number is in box.flags): the collection `.c`, made on demand, so that
 * sub.c.id is one object for as long as sub lives. */
#include "binding/lua_expr.h"
#include "binding/lua_stmt.h"
#include "sql/select.h"
#include "sql/table.h"
#include <string.h>

/* ---- .c ---- */

/* User value 1: the FROM's box. The boxes of the columns met so far are in user values from 2 on, by index (few columns, found by
 * their key at once), else in the table at user value 2, by index and key. */
typedef struct columns {
    agl_box box; /* flags: COLUMNS_DIRECT */
    const ag_node *from;
} columns;
#define COLUMNS_DIRECT 1
#define DIRECT_MAX     32 /* columns */

/* Makes the box of the column; the collection is at index 1. */
static void columns_make(lua_State *L, const columns *c, uint32_t index)
{
    agl_build x = agl_build_begin(L);
    lua_getiuservalue(L, 1, 1);
    agl_build_push(&x, ag_from_colref(x.b, c->from, index));
    lua_pushvalue(L, -1);
}

/* agl_node_at raises when the FROM was lent to a compile hook whose compilation is over. */
static columns *check_columns(lua_State *L, int idx)
{
    columns *c = agl_check(L, idx, AGL_K_COLUMNS);
    lua_getiuservalue(L, idx, 1);
    (void)agl_node_at(L, -1);
    lua_pop(L, 1);
    return c;
}

const ag_node *agl_columns_push_from(lua_State *L, int idx)
{
    columns *c = check_columns(L, idx);
    lua_getiuservalue(L, idx, 1);
    return c->from;
}

static int columns_push(lua_State *L, uint32_t index)
{
    const columns *c = lua_touserdata(L, 1);
    if (c->box.flags & COLUMNS_DIRECT) {
        if (lua_getiuservalue(L, 1, (int)index + 2) != LUA_TNIL)
            return 1;
        columns_make(L, c, index);
        lua_setiuservalue(L, 1, (int)index + 2);
        return 1;
    }
    lua_getiuservalue(L, 1, 2);
    int cache = lua_gettop(L);
    if (lua_rawgeti(L, cache, (lua_Integer)index + 1) != LUA_TNIL)
        return 1;
    lua_settop(L, cache);
    columns_make(L, c, index);
    lua_rawseti(L, cache, (lua_Integer)index + 1);
    return 1;
}

/* The column of a key; false when it must be looked for by name. */
static bool columns_direct(lua_State *L, const columns *c, const char *key, size_t len)
{
    int64_t index;
    if (!(c->box.flags & COLUMNS_DIRECT) || ag_from_find(c->from, key, len, NULL, &index, NULL) != AG_OK || index < 0)
        return false;
    columns_push(L, (uint32_t)index);
    return true;
}

/* Remember the column at the top under its key, too. */
static void columns_keep(lua_State *L, const columns *c)
{
    if (c->box.flags & COLUMNS_DIRECT)
        return;
    lua_getiuservalue(L, 1, 2);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

/* All columns, memory of the builder's scratch. */
static const ag_from_col *columns_list(agl_build *x, const ag_node *from, uint32_t *n)
{
    const ag_from_col *cols = NULL;
    if (ag_from_columns(from, &x->b->scratch, &cols, n, x->b->err) != AG_OK)
        agl_build_raise(x);
    return cols;
}

/* "'latest' has no column 'titel'; did you mean 'title'? (it has: id, title)". The name of what the collection belongs to, if any. */
static int columns_unknown(lua_State *L, const columns *c, const char *key)
{
    agl_build x = agl_build_begin(L);
    uint32_t n = 0;
    luaL_Buffer b;
    const ag_from_col *cols = columns_list(&x, c->from, &n);
    const char **names = agl_build_scratch(&x, (n + 1) * sizeof *names);
    for (uint32_t i = 0; i < n; i++)
        names[i] = cols[i].key.p ? cols[i].key.p : "?";
    const char *near = ag_nearest(key, names, n);
    lua_getiuservalue(L, 1, 1);
    lua_getfield(L, -1, "name");
    const char *name =
        lua_type(L, -1) == LUA_TSTRING ? lua_pushfstring(L, "'%s'", lua_tostring(L, -1)) : "this FROM element";
    luaL_buffinit(L, &b);
    for (uint32_t i = 0; i < n && i < 40; i++) {
        luaL_addstring(&b, i ? ", " : "");
        luaL_addstring(&b, names[i]);
    }
    luaL_addstring(&b, n > 40 ? ", …" : "");
    luaL_pushresult(&b);
    return agl_error(L, AG_EXC_INVALID_REQUEST, "%s has no column '%s'%s%s%s (it has: %s)", name, key,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", lua_tostring(L, -1));
}

static int columns_index(lua_State *L)
{
    columns *c = check_columns(L, 1);
    if (lua_isinteger(L, 2)) {
        lua_Integer i = lua_tointeger(L, 2);
        if (i < 1 || i > (lua_Integer)ag_from_count(c->from)) {
            lua_pushnil(L);
            return 1;
        }
        return columns_push(L, (uint32_t)(i - 1));
    }
    size_t len;
    const char *key = agl_check_string(L, 2, &len);
    if (columns_direct(L, c, key, len))
        return 1;
    if (!(c->box.flags & COLUMNS_DIRECT)) {
        lua_getiuservalue(L, 1, 2);
        lua_pushvalue(L, 2);
        if (lua_rawget(L, -2) != LUA_TNIL)
            return 1;
        lua_settop(L, 2);
    }
    agl_build x = agl_build_begin(L);
    int64_t index;
    if (ag_from_find(c->from, key, len, &x.b->scratch, &index, x.b->err) != AG_OK)
        return agl_build_raise(&x);
    if (index == -2)
        return agl_error(L, AG_EXC_INVALID_REQUEST,
                         "column '%s' is ambiguous: it occurs in more than one table of the join", key);
    if (index < 0)
        return columns_unknown(L, c, key);
    columns_push(L, (uint32_t)index);
    columns_keep(L, c);
    return 1;
}

static int columns_len(lua_State *L)
{
    lua_pushinteger(L, ag_from_count(check_columns(L, 1)->from));
    return 1;
}

/* pairs(t.c): key, column in the order of the table. */
static int columns_next(lua_State *L)
{
    columns *c = check_columns(L, lua_upvalueindex(1));
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
    if (i >= (lua_Integer)ag_from_count(c->from))
        return 0;
    lua_pushinteger(L, i + 1);
    lua_replace(L, lua_upvalueindex(2));
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    agl_build x = agl_build_begin(L);
    uint32_t n = 0;
    const ag_from_col *cols = columns_list(&x, c->from, &n);
    lua_pushlstring(L, cols[i].key.p ? cols[i].key.p : "", cols[i].key.n);
    columns_push(L, (uint32_t)i);
    lua_pushvalue(L, 2);
    lua_insert(L, -2);
    return 2;
}
static int columns_pairs(lua_State *L)
{
    agl_check(L, 1, AGL_K_COLUMNS);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, columns_next, 2);
    return 1;
}

void agl_columns_new(lua_State *L, int from)
{
    from = lua_absindex(L, from);
    const ag_node *node = agl_node_at(L, from);
    uint32_t n = ag_from_is_keyed(node) ? ag_from_count(node) : DIRECT_MAX + 1;
    columns *c = agl_box_new(L, AGL_K_COLUMNS, sizeof *c, n <= DIRECT_MAX ? (int)n + 1 : 2);
    c->from = node;
    lua_pushvalue(L, from);
    lua_setiuservalue(L, -2, 1);
    if (n <= DIRECT_MAX) {
        c->box.flags = COLUMNS_DIRECT;
    } else {
        lua_newtable(L);
        lua_setiuservalue(L, -2, 2);
    }
}

int agl_from_get_columns(lua_State *L)
{
    agl_node *p = lua_touserdata(L, 1);
    int uv = AGL_NODE_UV(p->box.flags);
    if (!uv) {
        agl_columns_new(L, 1);
        return 1;
    }
    if (lua_getiuservalue(L, 1, uv) != LUA_TNIL)
        return 1;
    agl_columns_new(L, 1);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, uv);
    return 1;
}

/* .c before everything else: it is asked for most. */
static bool from_before(lua_State *L)
{
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    return key[0] == 'c' && key[1] == '\0' && agl_from_get_columns(L);
}

/* ---- methods of every FROM ---- */

static int from_alias(lua_State *L)
{
    static const char *const known[] = {"flat", NULL}; /* of joins only, which have no alias */
    AGL_KEYWORDS(L, 2, "name");
    int options = agl_build_options(L, 2, known);
    agl_check_top(L, options ? 3 : 2);
    if (options)
        agl_opt_boolean(L, options, "flat", false);
    lua_settop(L, options == 2 ? 1 : 2);
    int quote;
    ag_str name = agl_opt_name(L, 2, &quote);
    agl_build x = agl_build_begin(L);
    const ag_node *from = agl_conv_node(&x, 1, 1);
    from = from->kind == AG_K_CTE ? ag_cte_alias(x.b, from, name) : ag_alias(x.b, from, name);
    return agl_build_push(&x, ag_with_quote(x.b, from, quote));
}

static int join_with(lua_State *L, unsigned flags)
{
    static const char *const known[] = {"isouter", "full", NULL};
    AGL_KEYWORDS(L, 2, "right", "onclause");
    agl_check_top(L, 4);
    agl_pad(L, 2);
    int top = lua_gettop(L);
    int options = agl_build_options(L, 3, known);
    if (options) {
        flags |= agl_opt_boolean(L, options, "isouter", false) ? AG_JOIN_OUTER : 0;
        flags |= agl_opt_boolean(L, options, "full", false) ? AG_JOIN_FULL : 0;
        top--;
    } else {
        agl_build_no_rest(L, 4);
    }
    agl_build x = agl_build_begin(L);
    const ag_node *left = agl_conv_from(&x, 1, 1), *right = agl_conv_from(&x, 2, 2);
    const ag_node *on = top >= 3 && !lua_isnil(L, 3) ? agl_conv_condition(&x, 3, 3) : NULL;
    return agl_build_push(&x, ag_join(x.b, left, right, on, flags));
}
static int from_join(lua_State *L)
{
    return join_with(L, 0);
}
static int from_outerjoin(lua_State *L)
{
    return join_with(L, AG_JOIN_OUTER);
}

static int from_select(lua_State *L)
{
    agl_check_top(L, 1);
    agl_build x = agl_build_begin(L);
    const ag_node *from = agl_conv_from(&x, 1, 1);
    return agl_build_push(&x, ag_select(x.b, &from, 1));
}

static int from_tablesample(lua_State *L)
{
    AGL_KEYWORDS(L, 2, "sampling");
    static const char *const known[] = {"name", "seed", NULL};
    agl_option_by_place(L, 3, "name");
    agl_check_args(L, 3);
    bool options = agl_check_options(L, 3, known);
    ag_str name = agl_field_str(L, options ? 3 : 0, "name");
    agl_build x = agl_build_begin(L);
    const ag_node *from = agl_conv_from(&x, 1, 1);
    const ag_node *sampling = agl_conv_expr(&x, 2, 2), *seed = NULL;
    if (options && agl_opt_push(L, 3, "seed") != LUA_TNIL)
        seed = agl_conv_expr(&x, lua_gettop(L), 3);
    return agl_build_push(&x, ag_tablesample(x.b, from, sampling, seed, name));
}

static int from_lateral(lua_State *L)
{
    AGL_KEYWORDS(L, 2, "name");
    agl_check_args(L, 2);
    ag_str name = agl_opt_str(L, 2);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_lateral(x.b, agl_conv_node(&x, 1, 1), name));
}

static int from_get_name(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    ag_str name = {0};
    switch (n->kind) {
    case AG_K_ALIAS: name = ag_nstr_get(n, AG_AS(alias, ALIAS, n)->name); break;
    case AG_K_SUBQUERY: name = ag_nstr_get(n, AG_AS(subquery, SUBQUERY, n)->name); break;
    case AG_K_CTE: name = ag_nstr_get(n, AG_AS(cte, CTE, n)->name); break;
    case AG_K_TABLE_CLAUSE: name = ag_nstr_get(n, AG_AS(table_clause, TABLE_CLAUSE, n)->name); break;
    case AG_K_VALUES: name = ag_nstr_get(n, AG_AS(values, VALUES, n)->name); break;
    default: break;
    }
    if (name.p)
        lua_pushlstring(L, name.p, name.n);
    else
        lua_pushnil(L);
    return 1;
}

/* ---- CTE ---- */

static int cte_compound(lua_State *L, ag_compound_kw kw)
{
    int top = lua_gettop(L);
    agl_build x = agl_build_begin(L);
    const ag_node *cte = agl_conv_node(&x, 1, 1);
    agl_list l = agl_build_args(&x, 2, top, agl_conv_select);
    return agl_build_push(&x, ag_cte_compound(x.b, cte, kw, l.items, l.n));
}
static int cte_union(lua_State *L)
{
    return cte_compound(L, AG_UNION);
}
static int cte_union_all(lua_State *L)
{
    return cte_compound(L, AG_UNION_ALL);
}

static int cte_prefix(lua_State *L, size_t field)
{
    static const char *const known[] = {"dialect", NULL};
    int top = lua_gettop(L);
    agl_check(L, 1, AGL_K_CTE);
    int options = agl_build_options(L, 2, known);
    ag_str dialect = agl_field_str(L, options, "dialect");
    agl_build x = agl_build_begin(L);
    const ag_node *cte = agl_conv_node(&x, 1, 1);
    agl_list l = agl_build_prefixes(&x, 2, options ? top - 1 : top, dialect);
    void *copy = ag_node_with_list(x.b, cte, field, l.items, l.n, true);
    return agl_build_push(&x, copy ? ag_node_finish(x.b, copy) : NULL);
}
static int cte_prefix_with(lua_State *L)
{
    return cte_prefix(L, offsetof(ag_n_cte, prefixes));
}
static int cte_suffix_with(lua_State *L)
{
    return cte_prefix(L, offsetof(ag_n_cte, suffixes));
}

/* ---- values, table, lateral ---- */

static int fn_values(lua_State *L)
{
    static const char *const known[] = {"name", "literal_binds", NULL};
    int top = lua_gettop(L);
    int options = agl_build_options(L, 1, known);
    ag_str name = agl_field_str(L, options, "name");
    unsigned flags = options && agl_opt_boolean(L, options, "literal_binds", false) ? AG_VALUES_LITERAL_BINDS : 0;
    agl_build x = agl_build_begin(L);
    agl_list l = agl_build_args(&x, 1, options ? top - 1 : top, agl_conv_node);
    return agl_build_push(&x, ag_values(x.b, name, l.items, l.n, NULL, 0, flags));
}

static int values_data(lua_State *L)
{
    agl_check(L, 1, AGL_K_VALUES);
    agl_check_args(L, 2);
    agl_check_table(L, 2);
    agl_build x = agl_build_begin(L);
    const ag_node *values = agl_conv_node(&x, 1, 1);
    const ag_n_values *v = AG_AS(values, VALUES, values);
    size_t nrows = lua_rawlen(L, 2), width = v->columns.n;
    const ag_node **data = agl_build_scratch(&x, (nrows * width + 1) * sizeof *data);
    for (size_t r = 0; r < nrows; r++) {
        lua_rawgeti(L, 2, (lua_Integer)r + 1);
        int row = lua_gettop(L);
        if (!agl_is_plain_table(L, row) || lua_rawlen(L, row) != width)
            return agl_argerror(L, 2, "row %d: expected a list of %d values, one a column", (int)r + 1, (int)width);
        for (size_t i = 0; i < width; i++) {
            lua_rawgeti(L, row, (lua_Integer)i + 1);
            data[r * width + i] =
                agl_build_unnamed(&x, lua_gettop(L), 2, AG_OP_NONE, ag_nlist_at(v, v->columns, (uint32_t)i));
            if (!data[r * width + i])
                return agl_build_raise(&x);
        }
    }
    return agl_build_push(&x, ag_values_data(x.b, values, data, nrows));
}

static int values_alias(lua_State *L)
{
    agl_check(L, 1, AGL_K_VALUES);
    AGL_KEYWORDS(L, 2, "name");
    agl_check_args(L, 2);
    ag_str name = agl_opt_str(L, 2);
    agl_build x = agl_build_begin(L);
    const ag_node *values = agl_conv_node(&x, 1, 1);
    void *copy = ag_node_with_str(x.b, values, offsetof(ag_n_values, name), name);
    return agl_build_push(&x, copy ? ag_node_finish(x.b, copy) : NULL);
}

static int values_scalar(lua_State *L)
{
    agl_check(L, 1, AGL_K_VALUES);
    agl_check_top(L, 1);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_scalar_values(x.b, agl_conv_node(&x, 1, 1)));
}

static int fn_table(lua_State *L)
{
    static const char *const known[] = {"schema", NULL};
    int top = lua_gettop(L), quote = -1;
    ag_str name = lua_isnoneornil(L, 1) ? agl_check_str(L, 1) : agl_opt_name(L, 1, &quote);
    int options = agl_build_options(L, 2, known);
    ag_str schema = agl_field_str(L, options, "schema");
    agl_build x = agl_build_begin(L);
    agl_list l = agl_build_args(&x, 2, options ? top - 1 : top, agl_conv_node);
    return agl_build_push(&x, ag_with_quote(x.b, ag_table_clause(x.b, schema, name, l.items, l.n), quote));
}

static int fn_alias(lua_State *L)
{
    return from_alias(L);
}

/* The whole row as an expression: func.row_to_json(t:table_valued()). */
static int from_table_valued(lua_State *L)
{
    agl_check_args(L, 1);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_from_value(x.b, agl_conv_from(&x, 1, 1), NULL));
}

static const luaL_Reg columns_meta[] = {
    {"__index", columns_index}, {"__len", columns_len}, {"__pairs", columns_pairs}, {NULL, NULL}};
static const agl_class columns_class = {.name = "columns", .meta = columns_meta};
static const luaL_Reg from_methods[] = {{"alias", from_alias},
                                        {"get_children", agl_node_get_children},
                                        {"join", from_join},
                                        {"outerjoin", from_outerjoin},
                                        {"select", from_select},
                                        {"tablesample", from_tablesample},
                                        {"lateral", from_lateral},
                                        {"table_valued", from_table_valued},
                                        {"insert", agl_fn_insert},
                                        {"update", agl_fn_update},
                                        {"delete", agl_fn_delete},
                                        {"compile", agl_stmt_compile},
                                        {"params", agl_stmt_params},
                                        {"unique_params", agl_stmt_unique_params},
                                        {NULL, NULL}};
static const luaL_Reg from_meta[] = {{"__tostring", agl_compile_tostring}, {"__eq", agl_node_same}, {NULL, NULL}};
static const luaL_Reg from_getters[] = {
    {"__visit_name", agl_node_visit_name},      {"c", agl_from_get_columns}, {"columns", agl_from_get_columns},
    {"exported_columns", agl_from_get_columns}, {"name", from_get_name},     {NULL, NULL}};
static const agl_class from_class = {.name = "FROM clause",
                                     .methods = from_methods,
                                     .more_methods = agl_selectable_methods,
                                     .getters = from_getters,
                                     .before = from_before,
                                     .after = agl_from_part,
                                     .meta = from_meta};
static const luaL_Reg cte_methods[] = {{"union", cte_union},
                                       {"union_all", cte_union_all},
                                       {"prefix_with", cte_prefix_with},
                                       {"suffix_with", cte_suffix_with},
                                       {NULL, NULL}};
static const agl_class cte_class = {.name = "CTE", .methods = cte_methods, .meta = from_meta, .base = AGL_K_FROMCLAUSE};
static const luaL_Reg values_methods[] = {{"data", values_data},
                                          {"alias", values_alias},
                                          {"scalar_values", values_scalar},
                                          {"cte", agl_select_cte},
                                          {NULL, NULL}};
static const agl_class values_class = {
    .name = "VALUES", .methods = values_methods, .meta = from_meta, .base = AGL_K_FROMCLAUSE};
static const luaL_Reg functions[] = {{"values", fn_values},
                                     {"table", fn_table},
                                     {"alias", fn_alias},
                                     {"join", from_join},
                                     {"outerjoin", from_outerjoin},
                                     {"lateral", from_lateral},
                                     {"cte", agl_select_cte},
                                     {"tablesample", from_tablesample},
                                     {NULL, NULL}};

void agl_open_from(lua_State *L)
{
    agl_class_open(L, AGL_K_COLUMNS, &columns_class);
    agl_class_open(L, AGL_K_FROMCLAUSE, &from_class);
    agl_class_open(L, AGL_K_CTE, &cte_class);
    agl_class_open(L, AGL_K_VALUES, &values_class);
    agl_open_table_func(L);
    agl_functions(L, functions);
}

/* Rows as users see them: row.name, row[1], #row, pairs(row), ag.unpack(row), ag.to_table(row). A row has no methods, so every
 * column name is free. */
#include "binding/hint.h"
#include "binding/lua_row.h"
#include "binding/lua_node.h"
#include "binding/module.h"
#include "binding/raise.h"
#include "compile/compiled.h"
#include "sql/expr.h"
#include <string.h>

static int no_such_column(lua_State *L, int shape, const char *name)
{
    const char *names[256];
    size_t n = 0;
    const char *near;
    lua_getiuservalue(L, shape, 2);
    while (n < 256 && lua_rawgeti(L, -1, (lua_Integer)n + 1) == LUA_TSTRING) {
        names[n++] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    const char *hint = agl_hint(AGL_K_ROW, name);
    if (hint)
        return agl_error(L, AG_EXC_NO_SUCH_COLUMN, "the row has no column '%s': %s", name, hint);
    near = ag_nearest(name, names, n);
    if (near)
        return agl_error(L, AG_EXC_NO_SUCH_COLUMN, "the row has no column '%s'; did you mean '%s'?", name, near);
    return agl_error(L, AG_EXC_NO_SUCH_COLUMN, "the row has no column '%s'", name);
}

/* Number of the column from 1 for the string at key; names table and shape at the given indexes. */
static lua_Integer find_name(lua_State *L, int key, int names, int shape)
{
    lua_Integer i;
    lua_pushvalue(L, key);
    lua_rawget(L, names);
    i = lua_tointeger(L, -1);
    if (i == 0) {
        if (lua_isboolean(L, -1))
            agl_error(L, AG_EXC_INVALID_REQUEST, "column name '%s' is ambiguous: the row has several of that name",
                      lua_tostring(L, key));
        lua_pushvalue(L, shape);
        no_such_column(L, lua_gettop(L), lua_tostring(L, key));
    }
    lua_pop(L, 1);
    return i;
}

/* The column that is made like this expression, whatever values are in it. */
static lua_Integer find_unnamed(lua_State *L, const agl_shape *s, const ag_node *node)
{
    lua_Integer found = 0;
    for (uint32_t i = 0; i < s->ncols; i++) {
        if (!s->sources[i].expr || s->sources[i].expr != node->hash)
            continue;
        if (found)
            agl_error(L, AG_EXC_INVALID_REQUEST, "the row has several such expressions; label them, or use a number");
        found = (lua_Integer)i + 1;
    }
    if (!found)
        agl_error(L, AG_EXC_NO_SUCH_COLUMN, "the row has no such expression; label it, or use a number");
    return found;
}

/* Number of the column (from 1) that the SQL expression is: a table's column by itself, else by its name; 0: none of that kind.
 * shape at stack index at. */
static lua_Integer find_expression(lua_State *L, int at, const agl_shape *s, const ag_node *node)
{
    lua_Integer found = 0;
    ag_str name;
    if (node->kind == AG_K_COLUMN) {
        const ag_n_column *c = (const ag_n_column *)node;
        for (uint32_t i = 0; i < s->ncols; i++)
            if (s->sources[i].table == c->table->serial && s->sources[i].column == c->index) {
                if (found)
                    agl_error(L, AG_EXC_INVALID_REQUEST, "the row has this column several times; use its number");
                found = (lua_Integer)i + 1;
            }
        if (found)
            return found;
    }
    name = ag_expr_name(node);
    if (!name.p || !name.n)
        return find_unnamed(L, s, node);
    lua_pushlstring(L, name.p, name.n);
    lua_getiuservalue(L, at, 1);
    found = find_name(L, lua_gettop(L) - 1, lua_gettop(L), at);
    lua_pop(L, 2);
    if (node->kind == AG_K_COLUMN && s->sources[found - 1].table)
        agl_error(L, AG_EXC_NO_SUCH_COLUMN, "the row's column '%s' is another table's; use its name or its number",
                  lua_pushlstring(L, name.p, name.n));
    return found;
}

unsigned agl_shape_column(lua_State *L, int mt, int idx)
{
    const ag_node *node;
    agl_shape *s = agl_shape_of(L, mt);
    lua_Integer i;
    if (lua_type(L, idx) == LUA_TSTRING) {
        int at = lua_gettop(L) + 1;
        idx = lua_absindex(L, idx);
        lua_rawgeti(L, mt, 1);
        lua_getiuservalue(L, at, 1);
        i = find_name(L, idx, at + 1, at);
        lua_settop(L, at - 1);
        return (unsigned)i - 1;
    }
    node = agl_node_at(L, idx);
    if (node && ag_node_is(node, AG_CLASS_EXPR)) {
        lua_rawgeti(L, mt, 1);
        i = find_expression(L, lua_gettop(L), s, node);
        lua_pop(L, 1);
        return (unsigned)i - 1;
    }
    if (!lua_isinteger(L, idx))
        agl_error(L, AG_EXC_NO_SUCH_COLUMN, "a column is named by its name or number, got %s",
                  agl_describe(L, idx, false));
    i = lua_tointeger(L, idx);
    if (i < 1 || i > (lua_Integer)s->ncols)
        agl_error(L, AG_EXC_NO_SUCH_COLUMN, "the rows have %d columns, there is no number %I", (int)s->ncols,
                  (LUAI_UACINT)i);
    return (unsigned)i - 1;
}

/* ---- rows ---- */

void agl_row_push(lua_State *L, const ag_row *row, const agl_shape *shape, int mt)
{
    agl_row *b = agl_box_new_raw(L, AGL_K_ROW, sizeof(agl_box) + row->size, shape->caches, mt);
    memcpy(&b->row, row, row->size);
    b->box.flags = shape->caches ? AGL_ROW_CACHES : 0;
}

void agl_row_push_items(lua_State *L, const agl_shape *shape, int mt)
{
    size_t fixed = ag_row_fixed_size(shape->ncols);
    agl_row *b;
    mt = lua_absindex(L, mt);
    b = agl_box_new_raw(L, AGL_K_ROW, sizeof(agl_box) + fixed, 1, mt);
    memset(&b->row, 0, fixed);
    b->row.size = (uint32_t)fixed;
    b->row.ncols = (uint16_t)shape->ncols;
    b->box.flags = AGL_ROW_ITEMS;
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, 1);
}

static void push_item(lua_State *L, int idx, unsigned i)
{
    lua_getiuservalue(L, idx, 1);
    lua_rawgeti(L, -1, (lua_Integer)i + 1);
    lua_remove(L, -2);
    if (agl_is_null(L, -1)) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
}

/* Decoded cells: user value 1 is a table number → value. */
static void push_cached(lua_State *L, int idx, const agl_row *row, const agl_shape *shape, unsigned i)
{
    ag_value v;
    idx = lua_absindex(L, idx);
    ag_row_get(&v, &row->row, i);
    if (!agl_value_is_decoded(&v, shape->types[i])) {
        agl_push_value(L, &v, shape->types[i], &shape->codec);
        return;
    }
    if (lua_getiuservalue(L, idx, 1) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        agl_box_anchor(L, idx, 1, -1);
    }
    if (lua_rawgeti(L, -1, (lua_Integer)i + 1) == LUA_TNIL) {
        lua_pop(L, 1);
        agl_push_value(L, &v, shape->types[i], &shape->codec);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, (lua_Integer)i + 1);
    }
    lua_remove(L, -2);
}

void agl_row_push_cell(lua_State *L, int idx, const agl_row *row, const agl_shape *shape, unsigned i)
{
    if (i >= row->row.ncols || i >= shape->ncols)
        lua_pushnil(L);
    else if (row->box.flags & AGL_ROW_ITEMS)
        push_item(L, idx, i);
    else if (row->box.flags & AGL_ROW_CACHES)
        push_cached(L, idx, row, shape, i);
    else
        agl_push_cell(L, &row->row, i, shape->types[i], &shape->codec);
}

/* upvalues: shape, name → number */
int agl_row_index(lua_State *L)
{
    const agl_row *row = agl_check(L, 1, AGL_K_ROW);
    const agl_shape *shape = lua_touserdata(L, lua_upvalueindex(1));
    lua_Integer i;
    if (lua_type(L, 2) == LUA_TSTRING)
        i = find_name(L, 2, lua_upvalueindex(2), lua_upvalueindex(1));
    else if (lua_isinteger(L, 2)) {
        i = lua_tointeger(L, 2);
        if (i == 0)
            return agl_error(L, AG_EXC_NO_SUCH_COLUMN, "columns of a row count from 1: row[1] is the first");
        if (i < 1 || i > row->row.ncols)
            return 0;
    } else if (agl_node_at(L, 2) && ag_node_is(agl_node_at(L, 2), AG_CLASS_EXPR)) {
        lua_pushvalue(L, lua_upvalueindex(1));
        i = find_expression(L, lua_gettop(L), shape, agl_node_at(L, 2));
    } else
        return agl_error(L, AG_EXC_NO_SUCH_COLUMN, "a row is indexed by a column's name or number, got %s",
                         agl_describe(L, 2, false));
    agl_row_push_cell(L, 1, row, shape, (unsigned)i - 1);
    return 1;
}

static const agl_row *check_row(lua_State *L, int arg, const agl_shape **shape)
{
    const agl_row *row = agl_check(L, arg, AGL_K_ROW);
    *shape = NULL;
    if (lua_getmetatable(L, arg)) {
        *shape = agl_shape_of(L, -1);
        lua_pop(L, 1);
    }
    if (!*shape)
        agl_typeerror(L, arg, "a Row");
    return row;
}

static int row_len(lua_State *L)
{
    lua_pushinteger(L, ((agl_row *)agl_check(L, 1, AGL_K_ROW))->row.ncols);
    return 1;
}

static int row_newindex(lua_State *L)
{
    return agl_error(L, AG_EXC_ARGUMENT, "a row cannot be changed; ag.to_table(row) gives a table");
}

/* upvalues: row, names, next number */
static int row_next(lua_State *L)
{
    const agl_shape *shape;
    const agl_row *row = check_row(L, lua_upvalueindex(1), &shape);
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(3));
    if (i > row->row.ncols)
        return 0;
    lua_pushinteger(L, i + 1);
    lua_replace(L, lua_upvalueindex(3));
    lua_rawgeti(L, lua_upvalueindex(2), i);
    agl_row_push_cell(L, lua_upvalueindex(1), row, shape, (unsigned)i - 1);
    return 2;
}

static int row_pairs(lua_State *L)
{
    const agl_shape *shape;
    check_row(L, 1, &shape);
    lua_settop(L, 1);
    lua_getmetatable(L, 1);
    agl_shape_push_names(L, 2);
    lua_replace(L, 2);
    lua_pushinteger(L, 1);
    lua_pushcclosure(L, row_next, 3);
    return 1;
}

static int row_eq(lua_State *L)
{
    const agl_row *a = agl_test(L, 1, AGL_K_ROW), *b = agl_test(L, 2, AGL_K_ROW);
    bool equal = a && b && a->row.ncols == b->row.ncols;
    bool items = equal && ((a->box.flags | b->box.flags) & AGL_ROW_ITEMS);
    for (unsigned i = 0; items && equal && i < a->row.ncols; i++) {
        push_item(L, 1, i);
        push_item(L, 2, i);
        equal = lua_compare(L, -1, -2, LUA_OPEQ);
        lua_pop(L, 2);
    }
    if (items) {
        lua_pushboolean(L, equal && (a->box.flags & b->box.flags & AGL_ROW_ITEMS));
        return 1;
    }
    for (unsigned i = 0; equal && i < a->row.ncols; i++) {
        ag_value x, y;
        ag_row_get(&x, &a->row, i);
        ag_row_get(&y, &b->row, i);
        equal = ag_value_equal(&x, &y);
    }
    lua_pushboolean(L, equal);
    return 1;
}

/* Row(id=1, name='ann', age=NULL) */
static int row_tostring(lua_State *L)
{
    const agl_shape *shape;
    const agl_row *row = check_row(L, 1, &shape);
    luaL_Buffer b;
    lua_settop(L, 1);
    lua_getmetatable(L, 1);
    agl_shape_push_names(L, 2);
    luaL_buffinit(L, &b);
    luaL_addstring(&b, "Row(");
    for (unsigned i = 0; i < row->row.ncols; i++) {
        if (i)
            luaL_addstring(&b, ", ");
        lua_rawgeti(L, 3, (lua_Integer)i + 1);
        luaL_addvalue(&b);
        luaL_addchar(&b, '=');
        agl_row_push_cell(L, 1, row, shape, i);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            lua_pushliteral(L, "NULL");
        } else if (lua_type(L, -1) == LUA_TSTRING) {
            lua_pushfstring(L, "'%s'", lua_tostring(L, -1));
            lua_remove(L, -2);
        } else {
            luaL_tolstring(L, -1, NULL);
            lua_remove(L, -2);
        }
        luaL_addvalue(&b);
    }
    luaL_addchar(&b, ')');
    luaL_pushresult(&b);
    return 1;
}

/* ag.unpack(row [, from [, to]]) → values, NULL as nil */
static int row_unpack(lua_State *L)
{
    const agl_shape *shape;
    const agl_row *row = check_row(L, 1, &shape);
    lua_Integer n = row->row.ncols;
    lua_Integer from = lua_isnoneornil(L, 2) ? 1 : agl_check_integer(L, 2, 1, LUA_MAXINTEGER);
    lua_Integer to = lua_isnoneornil(L, 3) ? n : agl_check_integer(L, 3, 0, n);
    if (from > to)
        return 0;
    luaL_checkstack(L, (int)(to - from + 4), "row");
    for (lua_Integer i = from; i <= to; i++)
        agl_row_push_cell(L, 1, row, shape, (unsigned)i - 1);
    return (int)(to - from + 1);
}

void agl_row_push_table(lua_State *L, const ag_row *row, const agl_shape *shape, int mt)
{
    int names;
    mt = lua_absindex(L, mt);
    agl_shape_push_names(L, mt);
    names = lua_gettop(L);
    lua_createtable(L, 0, (int)shape->ncols);
    for (uint32_t i = 0; i < shape->ncols; i++) {
        lua_rawgeti(L, names, (lua_Integer)i + 1);
        agl_push_cell(L, row, i, shape->types[i], &shape->codec);
        lua_rawset(L, -3);
    }
    lua_remove(L, names);
}

/* ag.to_table(row) → {name = value}, NULL missing; ag.to_table(row, {array = true}) → {value…} with ag.null */
static int row_to_table(lua_State *L)
{
    static const char *const known[] = {"array", NULL};
    const agl_shape *shape;
    const agl_row *row = check_row(L, 1, &shape);
    agl_check_options(L, 2, known);
    if (agl_opt_boolean(L, 2, "array", false)) {
        lua_createtable(L, row->row.ncols, 0);
        for (unsigned i = 0; i < row->row.ncols; i++) {
            agl_row_push_cell(L, 1, row, shape, i);
            if (lua_isnil(L, -1)) {
                lua_pop(L, 1);
                agl_push_null(L);
            }
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        return 1;
    }
    lua_createtable(L, 0, row->row.ncols);
    lua_getmetatable(L, 1);
    agl_shape_push_names(L, -1);
    for (unsigned i = 0; i < row->row.ncols; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        agl_row_push_cell(L, 1, row, shape, i);
        lua_rawset(L, -5);
    }
    lua_pop(L, 2);
    return 1;
}

/* row_keys(row) → array of names */
static int row_keys(lua_State *L)
{
    const agl_shape *shape;
    check_row(L, 1, &shape);
    lua_createtable(L, (int)shape->ncols, 0);
    lua_getmetatable(L, 1);
    agl_shape_push_names(L, -1);
    for (uint32_t i = 1; i <= shape->ncols; i++) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -4, i);
    }
    lua_pop(L, 2);
    return 1;
}

static const luaL_Reg meta[] = {
    {"__len", row_len},           {"__newindex", row_newindex}, {"__pairs", row_pairs}, {"__eq", row_eq},
    {"__tostring", row_tostring}, {"__lt", agl_row_lt},         {"__le", agl_row_le},   {NULL, NULL},
};
static const agl_class row_class = {.name = "Row", .meta = meta};
static const luaL_Reg internal[] = {
    {"row_unpack", row_unpack}, {"row_to_table", row_to_table}, {"row_keys", row_keys}, {NULL, NULL}};

static const luaL_Reg names[] = {{"unpack", row_unpack}, {"to_table", row_to_table}, {NULL, NULL}};

void agl_open_row(lua_State *L)
{
    agl_class_open(L, AGL_K_ROW, &row_class);
    agl_functions_internal(L, internal);
    agl_function_names(L, names);
    agl_shapes_open(L);
}

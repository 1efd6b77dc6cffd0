/* result:unique(): which items were given before. */
#include "binding/conv.h"
#include "binding/lua_result.h"
#include "binding/lua_row.h"
#include "value/row.h"

/* Push the chosen columns' values as one text: of each its kind, its length and itself. */
static void push_chosen(lua_State *L, const agl_result *res, const ag_row *row, int extras)
{
    int n = (int)res->ncols;
    luaL_checkstack(L, n + 6, "columns");
    lua_getfield(L, extras, "map");
    int map = lua_gettop(L);
    for (int i = 1; i <= n; i++) {
        ag_value v;
        size_t len;
        lua_rawgeti(L, map, i);
        ag_row_get(&v, row, (unsigned)lua_tointeger(L, -1));
        lua_pop(L, 1);
        agl_push_value_or_null(L, &v, NULL, NULL);
        luaL_tolstring(L, -1, &len);
        lua_remove(L, -2);
        lua_pushfstring(L, "%d:%d:", (int)v.kind, (int)len);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    lua_concat(L, n);
    lua_remove(L, map);
}

/* Push what tells the item at the top from others: the key function's value, the bytes of a packed row, or itself. */
static void push_key(lua_State *L, agl_result *res, int view, const ag_row *row, int extras)
{
    int item = lua_gettop(L);
    if (lua_getfield(L, extras, "key") == LUA_TFUNCTION) {
        lua_pushvalue(L, item);
        lua_call(L, 1, 1);
        if (lua_isnil(L, -1))
            agl_error(L, AG_EXC_ARGUMENT, "the function given to unique() returned nil");
        return;
    }
    lua_pop(L, 1);
    if (row && res->mapped && view != AGL_VIEW_SCALARS)
        push_chosen(L, res, row, extras);
    else if (row && view != AGL_VIEW_SCALARS)
        lua_pushlstring(L, (const char *)row, row->size);
    else if (row && lua_type(L, item) == LUA_TUSERDATA && agl_kind_at(L, item) <= AGL_K_DECIMAL)
        luaL_tolstring(L, item, NULL);
    else if (!row && view == AGL_VIEW_ROWS && res->ncols == 1) {
        lua_rawgeti(L, item, 1);
        if (lua_isnil(L, -1))
            lua_pushvalue(L, item);
    } else
        lua_pushvalue(L, item);
}

/* Was the item at the top given before? */
bool agl_result_seen_before(lua_State *L, agl_result *res, int view, const ag_row *row)
{
    int item = lua_gettop(L);
    bool seen;
    agl_result_push_extras(L, 1);
    lua_getfield(L, item + 1, "seen");
    lua_pushvalue(L, item);
    push_key(L, res, view, row, item + 1);
    lua_remove(L, -2);
    if (lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) != lua_tonumber(L, -1)) {
        lua_settop(L, item); /* NaN equals nothing */
        return false;
    }
    lua_pushvalue(L, -1);
    seen = lua_rawget(L, item + 2) != LUA_TNIL;
    lua_pop(L, 1);
    if (!seen) {
        lua_pushboolean(L, 1);
        lua_rawset(L, item + 2);
    }
    lua_settop(L, item);
    return seen;
}

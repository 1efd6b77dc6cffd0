/* Rows in order, as tuples: the first value that differs decides, of equal beginnings the shorter comes first. So table.sort(rows) works. */
#include "binding/lua_row.h"
#include "binding/raise.h"

static int before(lua_State *L, bool or_equal)
{
    if (agl_kind_at(L, 1) != AGL_K_ROW || agl_kind_at(L, 2) != AGL_K_ROW)
        return agl_error(L, AG_EXC_ARGUMENT, "a row is compared with a row: got %s and %s", agl_describe(L, 1, true),
                         agl_describe(L, 2, true));
    lua_settop(L, 2);
    lua_Integer n = luaL_len(L, 1), m = luaL_len(L, 2);
    for (lua_Integer i = 1; i <= n && i <= m; i++) {
        lua_geti(L, 1, i);
        lua_geti(L, 2, i);
        if (!lua_compare(L, -2, -1, LUA_OPEQ)) {
            if (lua_isnil(L, -1) || lua_isnil(L, -2) || lua_type(L, -1) != lua_type(L, -2) || lua_isboolean(L, -1))
                return agl_error(L, AG_EXC_ARGUMENT, "rows cannot be ordered by their column %d: it holds %s and %s",
                                 (int)i, agl_describe(L, 3, true), agl_describe(L, 4, true));
            lua_pushboolean(L, lua_compare(L, -2, -1, LUA_OPLT));
            return 1;
        }
        lua_settop(L, 2);
    }
    lua_pushboolean(L, or_equal ? n <= m : n < m);
    return 1;
}

int agl_row_lt(lua_State *L)
{
    return before(L, false);
}

int agl_row_le(lua_State *L)
{
    return before(L, true);
}

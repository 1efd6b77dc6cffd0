/* Strings and names among the arguments of constructs. */
#include "binding/lua_node.h"
#include <string.h>

ag_str agl_check_str(lua_State *L, int arg)
{
    ag_str s;
    s.p = agl_check_string(L, arg, &s.n);
    return s;
}

ag_str agl_opt_str(lua_State *L, int arg)
{
    return lua_isnoneornil(L, arg) || agl_is_null(L, arg) ? (ag_str){0} : agl_check_str(L, arg);
}

ag_str agl_opt_name(lua_State *L, int arg, int *quote)
{
    ag_str s;
    *quote = -1;
    bool special = lua_type(L, arg) == LUA_TTABLE && luaL_getmetafield(L, arg, "__name") == LUA_TSTRING;
    if (!special || strcmp(lua_tostring(L, -1), "argent.quoted_name") != 0)
        return agl_opt_str(L, arg);
    lua_getfield(L, arg, "quote");
    *quote = lua_isnil(L, -1) ? -1 : lua_toboolean(L, -1);
    lua_getfield(L, arg, "name");
    s.p = lua_tolstring(L, -1, &s.n);
    lua_pop(L, 3);
    return s.p ? s : agl_opt_str(L, arg);
}

ag_str agl_field_str(lua_State *L, int options, const char *name)
{
    ag_str s = {0};
    if (options)
        s.p = agl_opt_string(L, options, name, &s.n);
    return s;
}

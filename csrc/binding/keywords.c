/* Keyword arguments: f(a, k = v) of Python is f(a, {k = v}) in Lua, also where k is a parameter with a place of its own. */
#include "binding/raise.h"
#include <string.h>

static bool has_key(lua_State *L, int table, const char *name)
{
    bool is = agl_opt_push(L, table, name) != LUA_TNIL;
    lua_pop(L, 1);
    return is;
}

/* A plain table whose keys are all names: it can be options. */
static bool is_options(lua_State *L, int idx)
{
    if (lua_type(L, idx) != LUA_TTABLE)
        return false;
    if (lua_getmetatable(L, idx)) {
        lua_pop(L, 1);
        return false;
    }
    luaL_checkstack(L, 6, "options");
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            lua_pop(L, 2);
            return false;
        }
    }
    return true;
}

/* Pushes a copy of the table at idx without the names; nothing when none is left. */
static void push_rest(lua_State *L, int idx, const char *const *names, int n)
{
    bool any = false;
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        int i = 0;
        while (i < n && strcmp(names[i], lua_tostring(L, -2)) != 0)
            i++;
        if (i < n)
            continue;
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -5);
        any = true;
    }
    if (!any)
        lua_pop(L, 1);
}

void agl_keywords(lua_State *L, int first, const char *const *names)
{
    int top = lua_gettop(L), n = 0, last = -1;
    if (top < first || !is_options(L, top))
        return;
    for (; names[n]; n++)
        last = has_key(L, top, names[n]) ? n : last;
    int given = top - first;
    if (last < 0 || given > n)
        return;
    for (int i = 0; i < given; i++)
        if (has_key(L, top, names[i]))
            agl_error_in(L, AG_EXC_ARGUMENT, "'%s' is given twice, as argument #%d and by its name", names[i],
                         first + i);
    luaL_checkstack(L, n + 4, "arguments");
    for (int i = given; i <= last; i++)
        agl_opt_push(L, top, names[i]);
    push_rest(L, top, names, n);
    lua_remove(L, top);
}

void agl_option_by_place(lua_State *L, int arg, const char *name)
{
    int type = lua_type(L, arg);
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN)
        return;
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, arg);
    lua_setfield(L, -2, name);
    lua_replace(L, arg);
}

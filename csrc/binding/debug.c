/* What tests see of the inside: the allocator's counters and its failure hook, live handles, classes' method tables (to
 * which argent's own Lua modules add). Not part of the public API. */
#include "binding/module.h"
#include "binding/raise.h"
#include <string.h>

/* debug_alloc_fail(n [, forever]): the n-th core allocation from now fails (0: none) */
static int debug_alloc_fail(lua_State *L)
{
    agl_state *st = agl_state_get(L);
    st->memory.fail_at = (uint64_t)agl_check_integer(L, 1, 0, LUA_MAXINTEGER);
    st->memory.fail_forever = lua_toboolean(L, 2);
    return 0;
}

/* debug_memory() → {calls, live, handles, deferred, fail_at} */
static int debug_memory(lua_State *L)
{
    agl_state *st = agl_state_get(L);
    lua_createtable(L, 0, 5);
    lua_pushinteger(L, (lua_Integer)st->memory.calls);
    lua_setfield(L, -2, "calls");
    lua_pushinteger(L, (lua_Integer)st->memory.live);
    lua_setfield(L, -2, "live");
    lua_pushinteger(L, (lua_Integer)st->handles);
    lua_setfield(L, -2, "handles");
    lua_pushinteger(L, (lua_Integer)st->deferred.len);
    lua_setfield(L, -2, "deferred");
    lua_pushinteger(L, (lua_Integer)st->memory.fail_at);
    lua_setfield(L, -2, "fail_at");
    return 1;
}

/* kind_of(v) → "Connection" …, or nil when it is no box of ours */
static int kind_of(lua_State *L)
{
    agl_kind kind = agl_kind_at(L, 1);
    if (kind == AGL_K_NONE)
        lua_pushnil(L);
    else
        lua_pushstring(L, agl_kind_name(kind));
    return 1;
}

/* methods(class name) → the table of methods, for argent's Lua modules to add to */
static int methods(lua_State *L)
{
    agl_state *st = agl_state_get(L);
    const char *name = agl_check_string(L, 1, NULL);
    for (int k = 1; k < AGL_KIND_COUNT; k++)
        if (st->classes[k] && strcmp(st->classes[k]->name, name) == 0) {
            agl_class_push_methods(L, (agl_kind)k);
            return 1;
        }
    return luaL_error(L, "no class '%s'", name);
}

/* where() → "app.lua:12", the user's code being run */
static int where(lua_State *L)
{
    agl_push_where(L);
    return 1;
}

static int describe(lua_State *L)
{
    agl_describe(L, 1, lua_toboolean(L, 2));
    return 1;
}

/* nearest(name, {names}) → the nearest name or nil */
static int nearest(lua_State *L)
{
    const char *names[512];
    size_t n = 0;
    const char *name = agl_check_string(L, 1, NULL), *found;
    agl_check_table(L, 2);
    for (lua_Integer i = 1; n < 512 && lua_rawgeti(L, 2, i) == LUA_TSTRING; i++) {
        names[n++] = lua_tostring(L, -1); /* the table keeps the string */
        lua_pop(L, 1);
    }
    found = ag_nearest(name, names, n);
    if (found)
        lua_pushstring(L, found);
    else
        lua_pushnil(L);
    return 1;
}

static const luaL_Reg functions[] = {
    {"debug_alloc_fail", debug_alloc_fail},
    {"debug_memory", debug_memory},
    {"kind_of", kind_of},
    {"methods", methods},
    {"where", where},
    {"describe", describe},
    {"nearest", nearest},
    {NULL, NULL},
};

void agl_open_debug(lua_State *L)
{
    agl_functions_internal(L, functions);
}

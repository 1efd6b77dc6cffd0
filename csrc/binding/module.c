/* require "argent.core": checks the Lua version, makes the state and opens the parts. */
#include "binding/module.h"

typedef struct part {
    const char *name;
    void (*open)(lua_State *L);
} part;

static const part parts[] = {
#define X(name) {#name, agl_open_##name},
#include "binding/parts.def"
#undef X
};

AG_EXPORT int luaopen_argent_core(lua_State *L)
{
    luaL_checkversion(L);
    lua_settop(L, 0);
    luaL_checkstack(L, 40, "argent.core");
    agl_state_open(L);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        parts[i].open(L);
        lua_settop(L, 1);
    }
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    luaL_getsubtable(L, -1, "internal");
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "internal");
    /* the marks of JSON values: one of each per Lua state, also when argent.json is loaded again */
    luaL_getsubtable(L, LUA_REGISTRYINDEX, "argent.json");
    lua_setfield(L, -2, "json_marks");
    lua_pop(L, 1);
    return 1;
}

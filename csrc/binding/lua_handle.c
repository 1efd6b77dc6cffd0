/* Handles by the address of the core object they hold, so that an event or get_transaction() gives the handle that the program
 * has already. Weak: a handle that nobody keeps is made anew. */
#include "binding/lua_engine.h"
#include "binding/module.h"

static const char handles_key;

void agl_handle_put(lua_State *L, int idx, const void *core)
{
    idx = lua_absindex(L, idx);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &handles_key);
    lua_pushvalue(L, idx);
    lua_rawsetp(L, -2, core);
    lua_pop(L, 1);
}

bool agl_handle_push(lua_State *L, const void *core)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &handles_key);
    lua_rawgetp(L, -1, core);
    lua_remove(L, -2);
    return !lua_isnil(L, -1);
}

void agl_open_handle(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &handles_key);
}

static int void_done(lua_State *L, agl_scope *s)
{
    (void)L;
    (void)s;
    return 0;
}

int agl_run_void(lua_State *L, agl_scope *s, ag_op *op)
{
    return agl_op_run(L, s, op, void_done);
}

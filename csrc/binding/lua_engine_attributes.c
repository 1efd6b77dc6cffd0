/* What an Engine says of itself: url, name, driver, dialect, echo, the figures of its statement cache … */
#include "binding/lua_engine.h"
#include "binding/lua_pool.h"
#include "binding/lua_url.h"
#include "compile/cache.h"
#include "compile/dialect.h"

static int get_url(lua_State *L)
{
    agl_url_push(L, ag_engine_url(agl_engine_check(L, 1)->e));
    return 1;
}

static int get_name(lua_State *L)
{
    lua_pushstring(L, ag_engine_driver(agl_engine_check(L, 1)->e)->dialect);
    return 1;
}

/* What argent.dialect makes of the engine at 1. */
int agl_engine_get_dialect(lua_State *L)
{
    (void)agl_engine_check(L, 1);
    luaL_checkstack(L, 6, "dialect");
    lua_getglobal(L, "require");
    lua_pushliteral(L, "argent.dialect");
    lua_call(L, 1, 1);
    lua_pushvalue(L, 1);
    lua_pushstring(L, ag_engine_dialect(agl_engine_check(L, 1)->e)->name);
    lua_call(L, 2, 1);
    return 1;
}

static int get_echo(lua_State *L)
{
    ag_echo echo = ag_engine_echo(agl_engine_check(L, 1)->e);
    if (echo == AG_ECHO_DEBUG)
        lua_pushliteral(L, "debug");
    else
        lua_pushboolean(L, echo != AG_ECHO_OFF);
    return 1;
}

static int get_hide_parameters(lua_State *L)
{
    lua_pushboolean(L, ag_engine_hides_parameters(agl_engine_check(L, 1)->e));
    return 1;
}

static int get_logging_name(lua_State *L)
{
    lua_pushstring(L, ag_engine_logging_name(agl_engine_check(L, 1)->e));
    return 1;
}

/* engine.engine: so that what takes an engine or a connection can ask both */
static int get_engine(lua_State *L)
{
    lua_pushvalue(L, 1);
    return 1;
}

static int get_driver(lua_State *L)
{
    lua_pushstring(L, ag_engine_driver(agl_engine_check(L, 1)->e)->name);
    return 1;
}

/* engine.server_version: {15, 20} after the first connection, else nil */
static int get_server_version(lua_State *L)
{
    int v = ag_engine_server_version(agl_engine_check(L, 1)->e);
    if (v)
        lua_pushinteger(L, v);
    else
        lua_pushnil(L);
    return 1;
}

/* engine.compiled_cache: figures of the statement cache; nil when there is none */
static int get_compiled_cache(lua_State *L)
{
    struct ag_cache *cache = ag_engine_cache(agl_engine_check(L, 1)->e);
    ag_cache_stats c;
    if (!cache) {
        lua_pushnil(L);
        return 1;
    }
    ag_cache_get_stats(cache, &c);
    const struct {
        const char *name;
        uint64_t value;
    } figures[] = {{"hits", c.hits},           {"misses", c.misses}, {"uncached", c.uncached},
                   {"evictions", c.evictions}, {"size", c.entries},  {"capacity", c.max_entries},
                   {"bytes", c.bytes}};
    lua_createtable(L, 0, 7);
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        lua_pushinteger(L, (lua_Integer)figures[i].value);
        lua_setfield(L, -2, figures[i].name);
    }
    return 1;
}

const luaL_Reg agl_engine_getters[] = {
    {"url", get_url},
    {"name", get_name},
    {"driver", get_driver},
    {"dialect", agl_engine_get_dialect},
    {"echo", get_echo},
    {"hide_parameters", get_hide_parameters},
    {"logging_name", get_logging_name},
    {"engine", get_engine},
    {"server_version", get_server_version},
    {"compiled_cache", get_compiled_cache},
    {"pool", agl_engine_get_pool},
    {NULL, NULL},
};

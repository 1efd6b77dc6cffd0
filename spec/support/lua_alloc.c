/* A Lua module for specs: Lua's own allocator (lua_setallocf) wrapped so that its n-th growth fails, with the retry that Lua
 * makes after an emergency collection, or that all fail from then on. The wrapper is in place only between fail() and off(). */
#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct hook {
    lua_Alloc f; /* the allocator of the state, NULL while the wrapper is not in place */
    void *ud;
    uint64_t calls, fail_at;
    bool forever;
} hook;

static void *failing(void *ud, void *block, size_t osize, size_t nsize)
{
    hook *h = ud;
    if (nsize && (!block || nsize > osize)) {
        uint64_t n = ++h->calls;
        if (h->fail_at && (n == h->fail_at || n == h->fail_at + 1 || (h->forever && n > h->fail_at)))
            return NULL;
    }
    return h->f(h->ud, block, osize, nsize);
}

static hook *self(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

static void restore(lua_State *L, hook *h)
{
    if (h->f)
        lua_setallocf(L, h->f, h->ud);
    h->f = NULL;
}

/* fail(n [, forever]): count the growths from here; the n-th fails (0: none does) */
static int fail(lua_State *L)
{
    hook *h = self(L);
    lua_Integer n = luaL_checkinteger(L, 1);
    bool forever = lua_toboolean(L, 2);
    restore(L, h);
    h->f = lua_getallocf(L, &h->ud);
    h->calls = 0;
    h->fail_at = (uint64_t)n;
    h->forever = forever;
    lua_setallocf(L, failing, h);
    return 0;
}

/* off() → the number of growths since fail() */
static int off(lua_State *L)
{
    hook *h = self(L);
    restore(L, h);
    lua_pushinteger(L, (lua_Integer)h->calls);
    return 1;
}

static int collected(lua_State *L)
{
    restore(L, lua_touserdata(L, 1));
    return 0;
}

__attribute__((visibility("default"))) int luaopen_argent_test_alloc(lua_State *L);

int luaopen_argent_test_alloc(lua_State *L)
{
    static const luaL_Reg functions[] = {{"fail", fail}, {"off", off}, {NULL, NULL}};
    luaL_newlibtable(L, functions);
    hook *h = lua_newuserdatauv(L, sizeof *h, 0);
    *h = (hook){0};
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, collected);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    luaL_setfuncs(L, functions, 1);
    return 1;
}

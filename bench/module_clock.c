/* require "bench.clock": a function that gives the monotonic clock in seconds (os.clock counts this process alone). */
#include <lauxlib.h>
#include <lua.h>
#include <time.h>

static int clock_now(lua_State *L)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    lua_pushnumber(L, (lua_Number)t.tv_sec + (lua_Number)t.tv_nsec * 1e-9);
    return 1;
}

__attribute__((visibility("default"))) int luaopen_bench_clock(lua_State *L);
int luaopen_bench_clock(lua_State *L)
{
    lua_pushcfunction(L, clock_now);
    return 1;
}

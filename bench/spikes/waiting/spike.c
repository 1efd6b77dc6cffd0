/* Spike 1: an operation that waits, calls back, nests and yields, driven from C through lua_callk / lua_pcallk.
 * It knows nothing of argent. An operation waits `waits` times for a timer (a timerfd), asks for `calls` callbacks, then is
 * done. It is started from a plain function, from a C __index, from a C iterator and from __close. */
#include <lauxlib.h>
#include <lua.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

typedef struct op {
    int fd, waits, calls, top, from_call;
    int results;
    long delay_us;
} op;

static int op_close(lua_State *L)
{
    op *o = lua_touserdata(L, 1);
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
    return 0;
}

static void arm(op *o)
{
    struct itimerspec t = {{0, 0}, {o->delay_us / 1000000, o->delay_us % 1000000 * 1000}};
    if (o->delay_us == 0)
        t.it_value.tv_nsec = 1;
    timerfd_settime(o->fd, 0, &t, NULL);
}

static int loop(lua_State *L, op *o);

static int resume(lua_State *L, int status, lua_KContext ctx)
{
    op *o = lua_touserdata(L, (int)ctx);
    (void)status;
    if (o->from_call && status != LUA_YIELD && status != LUA_OK)
        return lua_error(L);
    lua_settop(L, o->top);
    return loop(L, o);
}

/* upvalue 1: the wait hook (nil: poll), upvalue 2: the callback */
static int loop(lua_State *L, op *o)
{
    for (;;) {
        if (o->waits > 0) {
            uint64_t n;
            if (read(o->fd, &n, sizeof n) == sizeof n) {
                if (--o->waits > 0)
                    arm(o);
                continue;
            }
            if (!lua_isnil(L, lua_upvalueindex(1)) && lua_isyieldable(L)) {
                o->from_call = 0;
                lua_pushvalue(L, lua_upvalueindex(1));
                lua_pushinteger(L, o->fd);
                lua_callk(L, 1, 0, o->top, resume);
            } else {
                struct pollfd p = {o->fd, POLLIN, 0};
                poll(&p, 1, -1);
            }
        } else if (o->calls > 0) {
            o->calls--;
            o->from_call = 1;
            lua_pushvalue(L, lua_upvalueindex(2));
            if (lua_pcallk(L, 0, 0, 0, o->top, resume) != LUA_OK)
                return lua_error(L);
        } else {
            lua_pushinteger(L, 42);
            return 1;
        }
    }
}

static int start(lua_State *L, int waits, int calls, long delay_us)
{
    op *o = lua_newuserdatauv(L, sizeof *o, 0);
    *o = (op){-1, waits, calls, 0, 0, 0, delay_us};
    luaL_setmetatable(L, "op");
    o->top = lua_gettop(L);
    lua_toclose(L, o->top);
    if (waits) {
        o->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        arm(o);
    }
    return loop(L, o);
}

/* run(waits, calls, delay_us) */
static int run(lua_State *L)
{
    int waits = (int)luaL_checkinteger(L, 1), calls = (int)luaL_checkinteger(L, 2);
    long delay = (long)luaL_optinteger(L, 3, 0);
    lua_settop(L, 0);
    return start(L, waits, calls, delay);
}

static int meta_index(lua_State *L)
{
    lua_settop(L, 0);
    return start(L, 1, 1, 100);
}

static int iterate(lua_State *L)
{
    int n = (int)lua_tointeger(L, 2);
    lua_settop(L, 0);
    if (n >= 3)
        return 0;
    start(L, 1, 1, 100);
    return 1;
}

/* new(hook, callback) → {run, object, iterate} */
static int new(lua_State *L)
{
    lua_settop(L, 2);
    lua_newtable(L);
    lua_CFunction fns[] = {run, iterate, meta_index};
    const char *names[] = {"run", "iterate", "close"};
    for (int i = 0; i < 3; i++) {
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 2);
        lua_pushcclosure(L, fns[i], 2);
        lua_setfield(L, 3, names[i]);
    }
    lua_newuserdatauv(L, 1, 0);
    lua_newtable(L);
    lua_getfield(L, 3, "close");
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
    lua_setfield(L, -2, "__close");
    lua_setmetatable(L, -2);
    lua_setfield(L, 3, "object");
    return 1;
}

int luaopen_spike(lua_State *L)
{
    luaL_newmetatable(L, "op");
    lua_pushcfunction(L, op_close);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__close");
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, new);
    return 1;
}

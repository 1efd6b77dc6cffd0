/* Functions and collations of Lua inside SQLite: raw:create_function and raw:create_collation, as a rule from a listener of "connect". The
 * database calls them while a statement runs: they must not yield and cannot use the connection. */
#include "base/utf8.h"
#include "binding/host.h"
#include "binding/lua_pool.h"
#include <string.h>

/* One registered function: a userdata in the registry (user value 1: the function), so that it outlives every connection. The driver says
 * when it is gone; the next registration drops it. */
typedef struct function {
    agl_state *st;
    ag_arena result; /* bytes of the last value given */
    bool gone, collation;
} function;

static const char functions_key;

typedef struct function_call {
    function *f;
    const ag_value *args;
    uint32_t n;
    ag_value *out;
    ag_error *err;
} function_call;

static void read_result(lua_State *L, const function_call *c)
{
    ag_value v;
    if (!agl_tovalue(L, -1, &v) || v.kind == AG_V_HOST)
        agl_error_in(L, AG_EXC_ARGUMENT, "a function gave %s, which SQLite has no kind for",
                     agl_describe(L, -1, false));
    if (v.kind == AG_V_TEXT && !ag_utf8_valid(v.u.s.p, v.u.s.n))
        v.kind = AG_V_BYTES;
    ag_arena_reset(&c->f->result);
    if (ag_value_copy(c->out, &v, &c->f->result, c->err) != AG_OK)
        luaL_error(L, "not enough memory");
}

static int call_body(lua_State *L)
{
    const function_call *c = lua_touserdata(L, 1);
    luaL_checkstack(L, (int)c->n + 10, "function");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &functions_key);
    lua_rawgetp(L, -1, c->f);
    lua_getiuservalue(L, -1, 1);
    for (uint32_t i = 0; i < c->n; i++)
        agl_push_value(L, &c->args[i], NULL, NULL);
    lua_call(L, (int)c->n, 1);
    read_result(L, c);
    return 0;
}

static ag_status call(void *ud, const ag_value *args, uint32_t n, ag_value *out, ag_error *err)
{
    function *f = ud;
    function_call c = {f, args, n, out, err};
    return agl_hook_run(f->st, call_body, &c, err);
}

static void release(void *ud)
{
    function *f = ud;
    ag_arena_clear(&f->result);
    f->gone = true;
}

/* Push the table of functions, without those that are gone. */
static void push_functions(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &functions_key) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &functions_key);
    }
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        const function *f = lua_touserdata(L, -1);
        lua_pop(L, 1);
        if (f->gone) {
            lua_pushvalue(L, -1);
            lua_pushnil(L);
            lua_rawset(L, -4);
        }
    }
}

/* Register the function at idx of the stack. */
static int create(lua_State *L, ag_host_function *spec, int idx)
{
    agl_raw *b = agl_raw_check(L, 1);
    ag_dconn *dc = ag_pconn_driver(b->c);
    size_t len;
    spec->name = agl_check_string(L, 2, &len);
    if (!len || strlen(spec->name) != len || len > 255)
        return agl_argerror(L, 2, "expected a name of at most 255 bytes, without NUL bytes");
    agl_check_function(L, idx);
    if (!dc->driver->create_function)
        return agl_error(L, AG_EXC_INVALID_REQUEST, "%s has no functions of Lua", dc->driver->dialect);
    push_functions(L);
    function *f = lua_newuserdatauv(L, sizeof *f, 1);
    agl_state *st = agl_state_get(L);
    *f = (function){.st = st};
    ag_arena_init(&f->result, &st->alloc);
    lua_pushvalue(L, idx);
    lua_setiuservalue(L, -2, 1);
    lua_rawsetp(L, -2, f);
    spec->ud = f;
    spec->call = call;
    spec->release = release;
    ag_error *err = agl_err(L);
    agl_must(L, dc->driver->create_function(dc, spec, err), err);
    return 0;
}

/* raw:create_function(name, nargs, function [, {deterministic = true}]); nargs -1: any number */
int agl_raw_create_function(lua_State *L)
{
    static const char *const known[] = {"deterministic", NULL};
    ag_host_function spec = {0};
    agl_check_top(L, 5);
    spec.nargs = (int)agl_check_integer(L, 3, -1, 127);
    agl_check_options(L, 5, known);
    spec.deterministic = agl_opt_boolean(L, 5, "deterministic", false);
    return create(L, &spec, 4);
}

/* raw:create_collation(name, function(a, b)): gives a number below, equal to or above 0 */
int agl_raw_create_collation(lua_State *L)
{
    ag_host_function spec = {.collation = true};
    agl_check_top(L, 3);
    return create(L, &spec, 3);
}

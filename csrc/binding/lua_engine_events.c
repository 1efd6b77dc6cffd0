/* Answers what the engine asks the host during an operation: events, column defaults, creators. All of it runs inside a
 * protected call that may yield (host.c). */
#include "binding/lua_engine_events.h"
#include "binding/lua_pool.h"
#include "binding/lua_url.h"
#include "binding/module.h"
#include <string.h>

static const char dispatch_key;

/* ---- events ---- */

static int event_answer(lua_State *L, agl_scope *s)
{
    agl_event_answer(L, s, s->op->call.args);
    return 0;
}

static void push_or_nil_engine(lua_State *L, const ag_event *ev)
{
    const ag_engine *e = ev->engine ? ev->engine : ev->conn ? ag_connection_engine(ev->conn) : NULL;
    if (e)
        agl_engine_push(L, e);
    else
        lua_pushnil(L);
}

static int on_event(lua_State *L, agl_scope *s, ag_event *ev)
{
    int n;
    luaL_checkstack(L, 20, "event");
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &dispatch_key) == LUA_TNIL)
        return 0;
    lua_pushstring(L, ag_event_name(ev->id));
    if (ev->conn)
        agl_connection_push(L, ev->conn);
    else
        lua_pushnil(L);
    push_or_nil_engine(L, ev);
    if (ev->pool)
        agl_pool_push(L, ev->pool);
    else
        lua_pushnil(L);
    n = agl_event_push_args(L, s, ev);
    return agl_call_lua(L, s, 4 + n, 3, event_answer);
}

/* ---- defaults ---- */

static int value_answer(lua_State *L, agl_scope *s)
{
    agl_call_answer(L, s, -1);
    return 0;
}

static const char context_key = 0;

/* context:get_current_parameters() */
static int context_parameters(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TTABLE)
        return agl_typeerror(L, 1, "the context of a default function (call it with a colon)");
    lua_getfield(L, 1, "current_parameters");
    return 1;
}

static void push_context_class(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &context_key) != LUA_TNIL)
        return;
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, context_parameters);
    lua_setfield(L, -2, "get_current_parameters");
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &context_key);
}

/* The function gets a context {current_parameters = {…}, connection = conn, isinsert =, isupdate =} with the method
 * get_current_parameters. */
static int on_default(lua_State *L, agl_scope *s, int64_t fn, const ag_default_call *d)
{
    luaL_checkstack(L, 10, "default");
    agl_callback_push(L, fn);
    lua_createtable(L, 0, 4);
    lua_createtable(L, 0, (int)d->nkeys);
    for (size_t i = 0; i < d->nkeys; i++) {
        lua_pushlstring(L, d->keys[i].p, d->keys[i].n);
        agl_push_value(L, &d->values[i], NULL, NULL);
        lua_rawset(L, -3);
    }
    lua_setfield(L, -2, "current_parameters");
    lua_pushboolean(L, !d->update);
    lua_setfield(L, -2, "isinsert");
    lua_pushboolean(L, d->update);
    lua_setfield(L, -2, "isupdate");
    if (d->conn) {
        agl_connection_push(L, d->conn);
        lua_setfield(L, -2, "connection");
    }
    push_context_class(L);
    lua_setmetatable(L, -2);
    return agl_call_lua(L, s, 1, 1, value_answer);
}

/* ---- creators ---- */

static int creator_answer(lua_State *L, agl_scope *s)
{
    ag_event *ev = s->op->call.args;
    if (lua_isnil(L, -1))
        return 0;
    ev->u.do_connect.replace = ag_url_ref(agl_url_check(L, lua_gettop(L)));
    return 0;
}

static int on_creator(lua_State *L, agl_scope *s, int64_t fn, const ag_event *ev)
{
    agl_callback_push(L, fn);
    agl_url_push(L, (ag_url *)(uintptr_t)ev->u.do_connect.url);
    return agl_call_lua(L, s, 1, 1, creator_answer);
}

int agl_engine_on_call(lua_State *L, agl_scope *s, ag_call *call)
{
    switch (call->kind) {
    case AG_CALL_EVENT: return on_event(L, s, call->args);
    case AG_CALL_DEFAULT: return on_default(L, s, call->fn, call->args);
    case AG_CALL_CREATOR: return on_creator(L, s, call->fn, call->args);
    default: return agl_error(L, AG_EXC_NOT_SUPPORTED, "no handler for callbacks of kind %d", (int)call->kind);
    }
}

/* ---- what argent.event uses ---- */

/* event_dispatch(function): called as f(name, conn, engine, pool, …) */
static int event_dispatch(lua_State *L)
{
    agl_check_function(L, 1);
    lua_settop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &dispatch_key);
    return 0;
}

/* event_bit(name) → the bit of an engine event, nil for other names */
static int event_bit(lua_State *L)
{
    const char *name = agl_check_string(L, 1, NULL);
    for (int i = 0; i < AG_EV_COUNT; i++)
        if (strcmp(name, ag_event_name((ag_event_id)i)) == 0) {
            lua_pushinteger(L, (lua_Integer)AG_EV_BIT(i));
            return 1;
        }
    lua_pushnil(L);
    return 1;
}

/* event_names() → all names of engine and pool events */
static int event_names(lua_State *L)
{
    lua_createtable(L, AG_EV_COUNT, 0);
    for (int i = 0; i < AG_EV_COUNT; i++) {
        lua_pushstring(L, ag_event_name((ag_event_id)i));
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* event_mask(engine | pool | connection, mask): which events have listeners on it */
static int event_mask(lua_State *L)
{
    uint64_t mask = (uint64_t)agl_check_integer(L, 2, LUA_MININTEGER, LUA_MAXINTEGER);
    agl_connection *c;
    switch (agl_kind_at(L, 1)) {
    case AGL_K_ENGINE: /* a weak table may still name one that was finalised */
        if (((agl_engine *)lua_touserdata(L, 1))->e)
            ag_engine_set_events(((agl_engine *)lua_touserdata(L, 1))->e, mask);
        break;
    case AGL_K_POOL:
        if (agl_pool_check(L, 1)->p)
            ag_pool_set_events(agl_pool_check(L, 1)->p, mask);
        break;
    case AGL_K_CONNECTION:
        c = lua_touserdata(L, 1);
        c->events = mask;
        if (c->c)
            ag_connection_set_events(c->c, mask);
        break;
    default: return agl_typeerror(L, 1, "an Engine, Pool or Connection");
    }
    return 0;
}

/* engine_parent(engine) → the engine it was made from by execution_options, or nil */
static int engine_parent(lua_State *L)
{
    agl_engine_check(L, 1);
    lua_getiuservalue(L, 1, 1);
    return 1;
}

bool agl_connection_wants(const agl_connection *b, uint64_t events)
{
    return ((b->events | ag_engine_events(ag_connection_engine(b->c))) & events) != 0;
}

static const luaL_Reg internal[] = {
    {"event_dispatch", event_dispatch}, {"event_bit", event_bit},         {"event_names", event_names},
    {"event_mask", event_mask},         {"engine_parent", engine_parent}, {NULL, NULL},
};

void agl_open_engine_events(lua_State *L)
{
    agl_functions_internal(L, internal);
}

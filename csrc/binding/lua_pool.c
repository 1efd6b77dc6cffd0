/* Pool and raw connection handles: engine.pool:status(), engine:raw_connection(), the connection of pool events. */
#include "binding/lua_pool.h"
#include "binding/module.h"
#include <string.h>

agl_pool *agl_pool_check(lua_State *L, int arg)
{
    return agl_check(L, arg, AGL_K_POOL);
}

void agl_pool_push(lua_State *L, ag_pool *p)
{
    agl_pool *b;
    if (agl_handle_push(L, p))
        return;
    lua_pop(L, 1);
    b = agl_box_new(L, AGL_K_POOL, sizeof *b, 1);
    b->st = agl_state_ref(L);
    b->p = ag_pool_ref(p);
    agl_handle_put(L, -1, p);
}

static void release_pool(void *obj)
{
    ag_pool_unref(obj);
}

static int pool_gc(lua_State *L)
{
    agl_pool *b = agl_test(L, 1, AGL_K_POOL);
    if (b && b->st) {
        agl_state *st = b->st;
        ag_pool *p = b->p;
        b->st = NULL;
        b->p = NULL;
        if (p)
            agl_defer(st, L, release_pool, p);
        agl_state_unref(st);
    }
    return 0;
}

int agl_engine_get_pool(lua_State *L)
{
    agl_engine *e = agl_engine_check(L, 1);
    agl_pool_push(L, ag_engine_pool(e->e));
    agl_box_anchor(L, 1, 4, -1);
    return 1;
}

/* engine_pool_is(engine [, pool]): is the engine alive (finalised ones stay in weak tables for a while) and its pool this one? */
static int engine_pool_is(lua_State *L)
{
    agl_engine *e = agl_test(L, 1, AGL_K_ENGINE);
    agl_pool *p = agl_test(L, 2, AGL_K_POOL);
    lua_pushboolean(L, e && e->e && (lua_isnoneornil(L, 2) || (p && p->p && ag_engine_pool(e->e) == p->p)));
    return 1;
}

/* ---- numbers ---- */

static int pool_status(lua_State *L)
{
    agl_pool *b = agl_pool_check(L, 1);
    agl_scope *s = agl_scope_open(L);
    ag_pool_status(b->p, &s->buf);
    agl_scope_push_buf(L, s);
    return 1;
}

/* pool:stats() → a table of all counters */
static int pool_stats(lua_State *L)
{
    ag_pool_stats t;
    ag_pool_stats_get(agl_pool_check(L, 1)->p, &t);
    lua_createtable(L, 0, 12);
#define FIELD(name) (lua_pushinteger(L, (lua_Integer)t.name), lua_setfield(L, -2, #name))
    FIELD(size);
    FIELD(checked_in);
    FIELD(checked_out);
    FIELD(overflow);
    FIELD(waiting);
    FIELD(draining);
    FIELD(connects);
    FIELD(checkouts);
    FIELD(recycled);
    FIELD(invalidated);
    FIELD(timeouts);
    FIELD(ping_failures);
#undef FIELD
    return 1;
}

#define NUMBER(lua, field)                                                                                             \
    static int pool_##lua(lua_State *L)                                                                                \
    {                                                                                                                  \
        ag_pool_stats t;                                                                                               \
        ag_pool_stats_get(agl_pool_check(L, 1)->p, &t);                                                                \
        lua_pushinteger(L, (lua_Integer)t.field);                                                                      \
        return 1;                                                                                                      \
    }
NUMBER(size, size)
NUMBER(checkedin, checked_in)
NUMBER(checkedout, checked_out)
NUMBER(overflow, overflow)

static int pool_timeout(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)ag_pool_options_get(agl_pool_check(L, 1)->p)->timeout_us / 1e6);
    return 1;
}

/* pool:dispose(): idle connections close, lent ones when they come back */
static int pool_dispose(lua_State *L)
{
    ag_pool_dispose(agl_pool_check(L, 1)->p, true);
    return 0;
}

static const char *pool_kind_name(const agl_pool *b)
{
    static const char *const names[] = {"QueuePool", "NullPool", "StaticPool", "AssertionPool"};
    return names[ag_pool_options_get(b->p)->kind & 3];
}

static int pool_get_name(lua_State *L)
{
    lua_pushstring(L, pool_kind_name(agl_pool_check(L, 1)));
    return 1;
}

static int pool_tostring(lua_State *L)
{
    agl_pool *b = agl_pool_check(L, 1);
    agl_scope *s = agl_scope_open(L);
    ag_buf_str(&s->buf, pool_kind_name(b));
    ag_buf_char(&s->buf, '(');
    ag_url_render(&s->buf, ag_pool_url(b->p), true);
    ag_buf_char(&s->buf, ')');
    agl_scope_push_buf(L, s);
    return 1;
}

/* ---- raw connections ---- */

agl_raw *agl_raw_new(lua_State *L)
{
    agl_raw *b = agl_box_new(L, AGL_K_RAW_CONNECTION, sizeof *b, 1);
    b->st = agl_state_ref(L);
    return b;
}

/* One that was looked at through a Connection (user value 1) is gone when that has let go of it. */
static bool raw_is_gone(lua_State *L, const agl_raw *b, int arg)
{
    agl_connection *c;
    bool gone = false;
    if (!b->c)
        return true;
    if (!b->owned && lua_getiuservalue(L, arg, 1) == LUA_TUSERDATA) {
        c = agl_test(L, -1, AGL_K_CONNECTION);
        gone = !c || !c->c || ag_connection_pconn(c->c) != b->c;
    }
    if (!b->owned)
        lua_pop(L, 1);
    return gone || !ag_pconn_driver(b->c);
}

agl_raw *agl_raw_check(lua_State *L, int arg)
{
    agl_raw *b = agl_check(L, arg, AGL_K_RAW_CONNECTION);
    if (raw_is_gone(L, b, arg))
        agl_error_in(L, AG_EXC_RESOURCE_CLOSED, "this connection is closed");
    return b;
}

static agl_raw *raw_check(lua_State *L)
{
    return agl_raw_check(L, 1);
}

static void release_raw(void *obj)
{
    ag_pconn_release(obj, AG_PR_DISCARD);
}

static void raw_close(lua_State *L, agl_raw *b)
{
    ag_pconn *c = b->c;
    b->c = NULL;
    if (c && b->owned)
        agl_defer(b->st, L, release_raw, c);
}

static int raw_gc(lua_State *L)
{
    agl_raw *b = agl_test(L, 1, AGL_K_RAW_CONNECTION);
    if (b && b->st) {
        raw_close(L, b);
        agl_state_unref(b->st);
        b->st = NULL;
    }
    return 0;
}

static int raw_close_method(lua_State *L)
{
    raw_close(L, agl_check(L, 1, AGL_K_RAW_CONNECTION));
    return 0;
}

static int raw_detach(lua_State *L)
{
    ag_pconn_detach(raw_check(L)->c);
    return 0;
}

/* raw:invalidate{soft = false} */
static int raw_invalidate(lua_State *L)
{
    static const char *const known[] = {"soft", NULL};
    agl_raw *b = raw_check(L);
    agl_check_options(L, 2, known);
    ag_pconn_invalidate(b->c, agl_opt_boolean(L, 2, "soft", false), false, NULL);
    return 0;
}

/* the client library's own handle (sqlite3 *, PGconn *) as a light userdata */
static int raw_get_driver_connection(lua_State *L)
{
    ag_dconn *d = ag_pconn_driver(raw_check(L)->c);
    lua_pushlightuserdata(L, d->driver->handle(d));
    return 1;
}

static int raw_get_backend_id(lua_State *L)
{
    ag_dconn *d = ag_pconn_driver(raw_check(L)->c);
    lua_pushinteger(L, d->driver->backend_id(d));
    return 1;
}

static int raw_get_server_version(lua_State *L)
{
    ag_dconn *d = ag_pconn_driver(raw_check(L)->c);
    lua_pushinteger(L, d->driver->server_version(d));
    return 1;
}

static int raw_get_is_valid(lua_State *L)
{
    agl_raw *b = agl_check(L, 1, AGL_K_RAW_CONNECTION);
    lua_pushboolean(L, !raw_is_gone(L, b, 1) && ag_pconn_is_valid(b->c));
    return 1;
}

static int raw_get_id(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)ag_pconn_id(raw_check(L)->c));
    return 1;
}

static int raw_get_age(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)ag_pconn_age_us(raw_check(L)->c) / 1e6);
    return 1;
}

/* info tables live in the callback registry under the number kept with the physical connection */
static void forget_info(void *ud, int64_t id)
{
    agl_state *st = ud;
    if (st->L)
        agl_callback_unref(st->L, id);
}

void agl_push_info(lua_State *L, ag_pconn *c)
{
    int64_t id = ag_pconn_info(c);
    if (id == 0) {
        lua_newtable(L);
        id = agl_callback_ref(L, -1);
        ag_pool_set_info_free(ag_pconn_pool(c), forget_info, agl_state_get(L));
        ag_pconn_set_info(c, id);
        return;
    }
    agl_callback_push(L, id);
}

static int raw_get_info(lua_State *L)
{
    agl_push_info(L, raw_check(L)->c);
    return 1;
}

static const luaL_Reg pool_methods[] = {
    {"status", pool_status},       {"stats", pool_stats},           {"size", pool_size},
    {"checkedin", pool_checkedin}, {"checkedout", pool_checkedout}, {"overflow", pool_overflow},
    {"timeout", pool_timeout},     {"dispose", pool_dispose},       {NULL, NULL},
};
static const luaL_Reg pool_getters[] = {{"name", pool_get_name}, {NULL, NULL}};
static const luaL_Reg pool_meta[] = {{"__gc", pool_gc}, {"__tostring", pool_tostring}, {NULL, NULL}};
static const agl_class pool_class = {
    .name = "Pool", .methods = pool_methods, .getters = pool_getters, .meta = pool_meta};

static const luaL_Reg raw_methods[] = {
    {"close", raw_close_method},
    {"detach", raw_detach},
    {"invalidate", raw_invalidate},
    {"execute", agl_raw_execute},
    {"create_function", agl_raw_create_function},
    {"create_collation", agl_raw_create_collation},
    {NULL, NULL},
};
static const luaL_Reg raw_getters[] = {
    {"driver_connection", raw_get_driver_connection},
    {"dbapi_connection", raw_get_driver_connection},
    {"backend_id", raw_get_backend_id},
    {"server_version", raw_get_server_version},
    {"is_valid", raw_get_is_valid},
    {"id", raw_get_id},
    {"age", raw_get_age},
    {"info", raw_get_info},
    {NULL, NULL},
};
static const luaL_Reg raw_meta[] = {{"__gc", raw_gc}, {"__close", raw_close_method}, {NULL, NULL}};
static const agl_class raw_class = {
    .name = "RawConnection", .methods = raw_methods, .getters = raw_getters, .meta = raw_meta};

static const luaL_Reg internal[] = {{"engine_pool_is", engine_pool_is}, {NULL, NULL}};

void agl_open_pool(lua_State *L)
{
    agl_functions_internal(L, internal);
    agl_class_open(L, AGL_K_POOL, &pool_class);
    agl_class_open(L, AGL_K_RAW_CONNECTION, &raw_class);
}

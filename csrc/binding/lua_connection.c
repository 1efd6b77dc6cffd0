/* The Connection handle: life, state, options. Executing is lua_exec.c, transactions are lua_transaction.c; functions that
 * take a function (begin(fn)) are argent.engine's. */
#include "binding/lua_connection.h"
#include "binding/lua_pool.h"
#include "binding/module.h"
#include <string.h>

/* ---- life ---- */

agl_connection *agl_connection_check(lua_State *L, int arg)
{
    agl_connection *b = agl_check(L, arg, AGL_K_CONNECTION);
    if (!b->c || ag_connection_is_closed(b->c))
        agl_error_in(L, AG_EXC_RESOURCE_CLOSED, "this connection is closed");
    return b;
}

agl_connection *agl_connection_new(lua_State *L, int engine_idx)
{
    agl_engine *e = agl_engine_check(L, engine_idx);
    agl_connection *b;
    engine_idx = lua_absindex(L, engine_idx);
    b = agl_box_new(L, AGL_K_CONNECTION, sizeof *b, 2);
    agl_box_anchor(L, -1, 1, engine_idx);
    b->st = agl_state_ref(L);
    b->host = e->host;
    b->codec = &e->codec; /* in the engine's userdata, anchored above */
    return b;
}

void agl_connection_fill(lua_State *L, int idx, ag_connection *c)
{
    agl_connection *b = agl_check(L, idx, AGL_K_CONNECTION);
    b->c = c;
    agl_handle_put(L, idx, c);
}

void agl_connection_push(lua_State *L, ag_connection *c)
{
    int engine;
    if (agl_handle_push(L, c))
        return;
    lua_pop(L, 1);
    agl_engine_push(L, ag_connection_engine(c));
    engine = lua_gettop(L);
    if (lua_isnil(L, engine))
        return;
    agl_connection_new(L, engine);
    agl_connection_fill(L, -1, ag_connection_ref(c));
    lua_remove(L, engine);
}

static void unref_connection(void *obj)
{
    ag_connection_unref(obj);
}

static void release_connection(void *obj)
{
    ag_connection_release(obj);
    ag_connection_unref(obj);
}

static int connection_gc(lua_State *L)
{
    agl_connection *b = agl_test(L, 1, AGL_K_CONNECTION);
    if (b && b->st) {
        agl_state *st = b->st;
        ag_connection *c = b->c;
        b->st = NULL;
        b->c = NULL;
        if (c)
            agl_defer(st, L, unref_connection, c);
        agl_state_unref(st);
    }
    return 0;
}

/* __close: without waiting, whatever is open is rolled back */
static int connection_close_scope(lua_State *L)
{
    agl_connection *b = agl_test(L, 1, AGL_K_CONNECTION);
    if (b && b->c && !ag_connection_is_closed(b->c))
        agl_defer(b->st, L, release_connection, ag_connection_ref(b->c));
    return 0;
}

/* ---- operations without a result ---- */

typedef ag_status (*conn_init)(ag_conn_op *op, ag_connection *c, ag_error *err);

static int run_conn(lua_State *L, agl_connection *b, conn_init init, agl_finish finish)
{
    agl_scope *s = agl_scope_open(L);
    ag_conn_op *op = agl_scope_new(L, s, sizeof *op);
    s->host = b->host;
    agl_scope_must(L, s, init(op, b->c, &s->err));
    return agl_op_run(L, s, &op->op, finish);
}

/* conn:close() */
static int connection_close(lua_State *L)
{
    agl_connection *b = agl_check(L, 1, AGL_K_CONNECTION);
    if (!b->c || ag_connection_is_closed(b->c))
        return 0;
    return run_conn(L, b, ag_close_init, NULL);
}

static int connection_detach(lua_State *L)
{
    return run_conn(L, agl_connection_check(L, 1), ag_detach_init, NULL);
}

/* conn:invalidate([error]) */
static int connection_invalidate(lua_State *L)
{
    agl_connection *b = agl_connection_check(L, 1);
    agl_scope *s = agl_scope_open(L);
    ag_conn_op *op = agl_scope_new(L, s, sizeof *op);
    ag_error *cause = NULL;
    s->host = b->host;
    if (!lua_isnoneornil(L, 2) && lua_gettop(L) > 2) {
        cause = agl_err(L);
        agl_error_from_lua(L, 2, cause);
        cause->host_value = 0;
    }
    agl_scope_must(L, s, ag_invalidate_init(op, b->c, cause, false, &s->err));
    return agl_run_void(L, s, &op->op);
}

static int isolation_done(lua_State *L, agl_scope *s)
{
    lua_pushstring(L, ag_isolation_name(((ag_conn_op *)s->op)->result));
    return 1;
}

/* conn:get_isolation_level() → "READ COMMITTED" */
static int connection_get_isolation_level(lua_State *L)
{
    return run_conn(L, agl_connection_check(L, 1), ag_get_isolation_init, isolation_done);
}

/* ---- options ---- */

/* conn:execution_options{…} → the connection */
static int connection_execution_options(lua_State *L)
{
    agl_connection *b = agl_connection_check(L, 1);
    ag_exec_options x;
    agl_scope *s;
    agl_check_table(L, 2);
    lua_settop(L, 2);
    s = agl_scope_open(L);
    agl_exec_options_read(L, 2, &x, s);
    agl_scope_must(L, s, ag_connection_set_options(b->c, &x, &s->err));
    lua_getiuservalue(L, 1, 2);
    agl_options_merge(L, -1, 2);
    lua_setiuservalue(L, 1, 2);
    lua_settop(L, 1);
    return 1;
}

/* conn:get_execution_options() → a new table, the engine's included */
static int connection_get_execution_options(lua_State *L)
{
    agl_check(L, 1, AGL_K_CONNECTION);
    lua_settop(L, 1);
    lua_getiuservalue(L, 1, 1);
    lua_getiuservalue(L, 2, 2);
    lua_getiuservalue(L, 1, 2);
    agl_options_merge(L, 3, 4);
    return 1;
}

/* ---- looking ---- */

static int connection_in_transaction(lua_State *L)
{
    agl_connection *b = agl_check(L, 1, AGL_K_CONNECTION);
    lua_pushboolean(L, b->c && ag_connection_in_transaction(b->c));
    return 1;
}

static int connection_in_nested_transaction(lua_State *L)
{
    agl_connection *b = agl_check(L, 1, AGL_K_CONNECTION);
    lua_pushboolean(L, b->c && ag_connection_in_nested(b->c));
    return 1;
}

static int push_transaction(lua_State *L, ag_transaction *t)
{
    if (t)
        agl_transaction_push(L, t);
    else
        lua_pushnil(L);
    return 1;
}

static int connection_get_transaction(lua_State *L)
{
    return push_transaction(L, ag_connection_transaction(agl_connection_check(L, 1)->c));
}

static int connection_get_nested_transaction(lua_State *L)
{
    return push_transaction(L, ag_connection_nested(agl_connection_check(L, 1)->c));
}

static int get_closed(lua_State *L)
{
    agl_connection *b = agl_check(L, 1, AGL_K_CONNECTION);
    lua_pushboolean(L, !b->c || ag_connection_is_closed(b->c));
    return 1;
}

static int get_invalidated(lua_State *L)
{
    agl_connection *b = agl_check(L, 1, AGL_K_CONNECTION);
    lua_pushboolean(L, b->c && ag_connection_is_invalidated(b->c));
    return 1;
}

static int get_engine(lua_State *L)
{
    agl_check(L, 1, AGL_K_CONNECTION);
    lua_getiuservalue(L, 1, 1);
    return 1;
}

static int get_dialect(lua_State *L)
{
    get_engine(L);
    lua_replace(L, 1);
    lua_settop(L, 1);
    return agl_engine_get_dialect(L);
}

static int get_default_isolation_level(lua_State *L)
{
    lua_pushstring(L, ag_isolation_name(ag_connection_default_isolation(agl_connection_check(L, 1)->c)));
    return 1;
}

static ag_pconn *need_pconn(lua_State *L)
{
    ag_pconn *p = ag_connection_pconn(agl_connection_check(L, 1)->c);
    if (!p)
        agl_error_in(L, AG_EXC_RESOURCE_CLOSED, "this connection was invalidated");
    return p;
}

/* conn.info: a table that lives as long as the physical connection */
static int get_info(lua_State *L)
{
    agl_push_info(L, need_pconn(L));
    return 1;
}

/* conn.connection: the raw connection beneath; only looked at, it stays the connection's */
static int get_connection(lua_State *L)
{
    ag_pconn *p = need_pconn(L);
    agl_raw *raw = agl_raw_new(L);
    raw->c = p;
    raw->host = agl_connection_check(L, 1)->host;
    agl_box_anchor(L, -1, 1, 1);
    return 1;
}

static int connection_tostring(lua_State *L)
{
    agl_connection *b = agl_check(L, 1, AGL_K_CONNECTION);
    lua_pushfstring(L, "Connection(%s%p)", !b->c || ag_connection_is_closed(b->c) ? "closed, " : "", (void *)b);
    return 1;
}

static const luaL_Reg methods[] = {
    {"close", connection_close},
    {"detach", connection_detach},
    {"invalidate", connection_invalidate},
    {"get_isolation_level", connection_get_isolation_level},
    {"execution_options", connection_execution_options},
    {"get_execution_options", connection_get_execution_options},
    {"in_transaction", connection_in_transaction},
    {"in_nested_transaction", connection_in_nested_transaction},
    {"get_transaction", connection_get_transaction},
    {"get_nested_transaction", connection_get_nested_transaction},
    {"execute", agl_connection_execute},
    {"scalar", agl_connection_scalar},
    {"scalars", agl_connection_scalars},
    {"exec_driver_sql", agl_connection_exec_driver_sql},
    {NULL, NULL},
};
static const luaL_Reg getters[] = {
    {"closed", get_closed},
    {"invalidated", get_invalidated},
    {"engine", get_engine},
    {"dialect", get_dialect},
    {"info", get_info},
    {"connection", get_connection},
    {"default_isolation_level", get_default_isolation_level},
    {NULL, NULL},
};
static const luaL_Reg meta[] = {
    {"__gc", connection_gc}, {"__close", connection_close_scope}, {"__tostring", connection_tostring}, {NULL, NULL}};
static const agl_class connection_class = {.name = "Connection",
                                           .methods = methods,
                                           .more_methods = agl_connection_transaction_methods,
                                           .getters = getters,
                                           .meta = meta};

void agl_open_connection(lua_State *L)
{
    agl_class_open(L, AGL_K_CONNECTION, &connection_class);
}

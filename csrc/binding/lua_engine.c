/* The Engine handle. argent.engine (Lua) loads the driver module and adds begin(fn) and run_in_transaction; here is
 * what touches the core. */
#include "binding/lua_engine.h"
#include "binding/lua_compile_host.h"
#include "binding/lua_custom.h"
#include "binding/lua_pool.h"
#include "binding/lua_url.h"
#include "binding/module.h"
#include "compile/dialect.h"
#include "compile/cache.h"
#include "engine/fault_driver.h"
#include <stdlib.h>
#include <string.h>

agl_engine *agl_engine_check(lua_State *L, int arg)
{
    agl_engine *b = agl_check(L, arg, AGL_K_ENGINE);
    if (!b->e)
        agl_argerror(L, arg, "this engine is closed");
    return b;
}

static agl_engine *engine_new(lua_State *L)
{
    agl_engine *b = agl_box_new(L, AGL_K_ENGINE, sizeof *b, 4);
    b->st = agl_state_ref(L);
    return b;
}

void agl_engine_push(lua_State *L, const ag_engine *e)
{
    agl_handle_push(L, e);
}

static void release_engine(void *obj)
{
    ag_engine_unref(obj);
}

static int engine_gc(lua_State *L)
{
    agl_engine *b = agl_test(L, 1, AGL_K_ENGINE);
    if (b && b->st) {
        agl_state *st = b->st;
        ag_engine *e = b->e;
        b->st = NULL;
        b->e = NULL;
        if (e)
            agl_defer(st, L, release_engine, e);
        agl_state_unref(st);
    }
    return 0;
}

/* ---- making: core.engine_new(url, options, driver, wait hook, pool) ---- */

static const char *const engine_options[] = {"echo",
                                             "dialect",
                                             "echo_pool",
                                             "pool_size",
                                             "max_overflow",
                                             "pool_timeout",
                                             "pool_recycle",
                                             "pool_pre_ping",
                                             "pool_use_lifo",
                                             "pool_reset_on_return",
                                             "poolclass",
                                             "pool",
                                             "pool_logging_name",
                                             "logging_name",
                                             "isolation_level",
                                             "execution_options",
                                             "connect_args",
                                             "connect_timeout",
                                             "creator",
                                             "query_cache_size",
                                             "use_insertmanyvalues",
                                             "insertmanyvalues_page_size",
                                             "skip_autocommit_rollback",
                                             "hide_parameters",
                                             "max_identifier_length",
                                             "label_length",
                                             "json_serializer",
                                             "json_deserializer",
                                             "wait",
                                             "timeout",
                                             "lock_timeout",
                                             "enable_from_linting",
                                             NULL};

static ag_echo read_echo(lua_State *L, int arg, const char *name)
{
    int type = agl_opt_push(L, arg, name);
    ag_echo echo = AG_ECHO_OFF;
    if (type == LUA_TBOOLEAN)
        echo = lua_toboolean(L, -1) ? AG_ECHO_ON : AG_ECHO_OFF;
    else if (type == LUA_TSTRING && strcmp(lua_tostring(L, -1), "debug") == 0)
        echo = AG_ECHO_DEBUG;
    else if (type != LUA_TNIL)
        agl_opt_error(L, name, "true, false or \"debug\"");
    lua_pop(L, 1);
    return echo;
}

static int64_t read_seconds(lua_State *L, int arg, const char *name, lua_Number min, int64_t def)
{
    lua_Number s = agl_opt_number(L, arg, name, min, -2);
    if (s == -2)
        return def;
    return s < 0 ? -1 : s > 1e9 ? INT64_C(1000000000000000) : (int64_t)(s * 1e6);
}

/* Options of a bounded pool beside a class that has no bounds would be ignored: they raise. */
static void check_unbounded(lua_State *L, int arg, const char *class, bool has_size)
{
    static const char *const bounds[] = {"pool_size", "max_overflow", "pool_timeout", "pool_use_lifo"};
    for (size_t i = has_size ? 1 : 0; i < sizeof bounds / sizeof *bounds; i++) {
        if (agl_opt_push(L, arg, bounds[i]) != LUA_TNIL)
            agl_error_in(L, AG_EXC_ARGUMENT, "option '%s' has no meaning with poolclass = \"%s\"", bounds[i], class);
        lua_pop(L, 1);
    }
}

static void read_poolclass(lua_State *L, int arg, ag_engine_options *o)
{
    static const struct {
        const char *name;
        ag_pool_kind kind;
    } kinds[] = {
        {"QueuePool", AG_POOL_QUEUE},   {"AsyncAdaptedQueuePool", AG_POOL_QUEUE}, {"NullPool", AG_POOL_NULL},
        {"StaticPool", AG_POOL_STATIC}, {"SingletonThreadPool", AG_POOL_STATIC},  {"AssertionPool", AG_POOL_ASSERTION}};
    const char *name = agl_opt_string(L, arg, "poolclass", NULL);
    if (!name)
        return;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(name, kinds[i].name) == 0) {
            o->pool_kind_given = true;
            o->pool_options.kind = kinds[i].kind;
            if (kinds[i].kind != AG_POOL_QUEUE)
                check_unbounded(L, arg, name, strcmp(name, "SingletonThreadPool") == 0);
            return;
        }
    agl_opt_push(L, arg, "poolclass");
    agl_opt_error(L, "poolclass", "QueuePool, NullPool, StaticPool, SingletonThreadPool or AssertionPool");
}

static void read_reset(lua_State *L, int arg, ag_pool_options *p)
{
    int type = agl_opt_push(L, arg, "pool_reset_on_return");
    const char *name = type == LUA_TSTRING ? lua_tostring(L, -1) : "";
    if (strcmp(name, "rollback") == 0 || (type == LUA_TBOOLEAN && lua_toboolean(L, -1)))
        p->reset = AG_RESET_ROLLBACK;
    else if (strcmp(name, "commit") == 0)
        p->reset = AG_RESET_COMMIT;
    else if (type == LUA_TBOOLEAN || agl_is_null(L, -1) || strcmp(name, "none") == 0)
        p->reset = AG_RESET_NONE;
    else if (type != LUA_TNIL)
        agl_opt_error(L, "pool_reset_on_return", "\"rollback\", \"commit\" or \"none\"");
    lua_pop(L, 1);
}

static void read_pool(lua_State *L, int arg, ag_engine_options *o)
{
    ag_pool_options *p = &o->pool_options;
    p->size = (uint32_t)agl_opt_integer(L, arg, "pool_size", 0, 100000, p->size);
    p->max_overflow = agl_opt_integer(L, arg, "max_overflow", -1, 100000, p->max_overflow);
    p->timeout_us = read_seconds(L, arg, "pool_timeout", 0, p->timeout_us);
    p->recycle_us = read_seconds(L, arg, "pool_recycle", -1, p->recycle_us);
    p->pre_ping = agl_opt_boolean(L, arg, "pool_pre_ping", p->pre_ping);
    p->fifo = !agl_opt_boolean(L, arg, "pool_use_lifo", !p->fifo);
    p->echo = read_echo(L, arg, "echo_pool");
    p->logging_name = agl_opt_string(L, arg, "pool_logging_name", NULL);
    if (agl_opt_push(L, arg, "pool") != LUA_TNIL) {
        if (!agl_test(L, -1, AGL_K_POOL))
            agl_opt_error(L, "pool", "a Pool");
        o->pool = agl_pool_check(L, lua_gettop(L))->p; /* the options table is kept with the engine */
    }
    lua_pop(L, 1);
    read_reset(L, arg, p);
    read_poolclass(L, arg, o);
}

/* One connect argument: numbers and booleans as text. */
static void read_connect_arg(lua_State *L, ag_connect_option *out, agl_scope *s)
{
    size_t n;
    const char *text;
    char *copy;
    int type = lua_type(L, -1);
    if (lua_type(L, -2) != LUA_TSTRING || (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN))
        agl_error_in(L, AG_EXC_ARGUMENT, "option 'connect_args': expected texts, numbers or booleans by name");
    out->key = lua_tostring(L, -2);
    text = luaL_tolstring(L, -1, &n);
    if (strlen(text) != n)
        agl_error_in(L, AG_EXC_ARGUMENT, "option 'connect_args': the value of '%s' holds a NUL byte", out->key);
    copy = agl_scope_new(L, s, n + 1);
    memcpy(copy, text, n + 1);
    out->value = copy;
    lua_pop(L, 1);
}

static void read_connect_args(lua_State *L, int arg, ag_engine_options *o, agl_scope *s)
{
    ag_connect_option *args;
    size_t n = 0;
    int type = agl_opt_push(L, arg, "connect_args");
    if (type == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    if (type != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_pushliteral(L, "something else"); /* may be a secret: not shown */
        agl_error_in(L, AG_EXC_ARGUMENT, "option 'connect_args': expected a table");
    }
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        n++;
    args = agl_scope_new(L, s, sizeof *args * (n ? n : 1));
    n = 0;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        read_connect_arg(L, &args[n++], s);
    lua_pop(L, 1);
    o->connect_args = args;
    o->nconnect_args = n;
}

static int64_t read_callback(lua_State *L, int arg, const char *name)
{
    int64_t id = 0;
    int type = agl_opt_push(L, arg, name);
    if (type == LUA_TFUNCTION)
        id = agl_callback_ref(L, -1);
    else if (type != LUA_TNIL)
        agl_opt_error(L, name, "a function");
    lua_pop(L, 1);
    return id;
}

static void read_execution(lua_State *L, int arg, ag_engine_options *o, agl_scope *s)
{
    int at = lua_gettop(L) + 1;
    agl_opt_push(L, arg, "execution_options");
    agl_exec_options_read(L, at, &o->exec, s);
    lua_settop(L, at - 1);
    if (agl_opt_push(L, arg, "isolation_level") != LUA_TNIL) {
        size_t n;
        const char *text = agl_opt_string(L, arg, "isolation_level", &n);
        agl_scope_must(L, s, ag_isolation_parse(&o->exec.isolation, text, n, &s->err));
        o->exec.has |= AG_XO_ISOLATION;
    }
    if (agl_opt_push(L, arg, "timeout") != LUA_TNIL) {
        o->exec.timeout_us = read_seconds(L, arg, "timeout", 0, 0);
        o->exec.has |= AG_XO_TIMEOUT;
    }
    if (agl_opt_push(L, arg, "insertmanyvalues_page_size") != LUA_TNIL) {
        o->exec.insertmanyvalues_page_size =
            (uint32_t)agl_opt_integer(L, arg, "insertmanyvalues_page_size", 1, UINT32_MAX, 1000);
        o->exec.has |= AG_XO_PAGE_SIZE;
    }
    lua_settop(L, at - 1);
    o->lock_timeout_us = read_seconds(L, arg, "lock_timeout", 0, o->lock_timeout_us);
    o->query_cache_size =
        (size_t)agl_opt_integer(L, arg, "query_cache_size", 0, INT32_MAX, (lua_Integer)o->query_cache_size);
    o->use_insertmanyvalues = agl_opt_boolean(L, arg, "use_insertmanyvalues", o->use_insertmanyvalues);
    o->skip_autocommit_rollback = agl_opt_boolean(L, arg, "skip_autocommit_rollback", false);
    o->hide_parameters = agl_opt_boolean(L, arg, "hide_parameters", false);
    o->max_identifier_length = (uint32_t)agl_opt_integer(L, arg, "max_identifier_length", 16, 65535, 0);
    o->label_length = (uint32_t)agl_opt_integer(L, arg, "label_length", 6, 65535, 0);
    o->echo = read_echo(L, arg, "echo");
    o->logging_name = agl_opt_string(L, arg, "logging_name", NULL);
    o->linting = agl_opt_boolean(L, arg, "enable_from_linting", true);
}

static const ag_driver *check_driver(lua_State *L, int arg)
{
    const ag_driver *d = lua_type(L, arg) == LUA_TLIGHTUSERDATA ? lua_touserdata(L, arg) : NULL;
    if (!d)
        agl_error(L, AG_EXC_NO_SUCH_MODULE, "the driver module returned no driver");
    if (d->abi != AG_DRIVER_ABI)
        agl_error(L, AG_EXC_NO_SUCH_MODULE, "the driver module speaks ABI %d, this argent needs %d", (int)d->abi,
                  (int)AG_DRIVER_ABI);
    return d;
}

/* fault_driver(driver) → a driver that wraps it and fails by the option `fault` (driver/fault.h) */
static int core_fault_driver(lua_State *L)
{
    agl_state *st = agl_state_get(L);
    const ag_driver *inner = check_driver(L, 1), *driver;
    ag_error *err = agl_err(L);
    struct ag_fault *f;
    void *items = realloc(st->faults.items, (st->faults.len + 1) * sizeof *st->faults.items);
    agl_must(L, items ? AG_OK : ag_fail_nomem(err), err);
    st->faults.items = items;
    agl_must(L, ag_fault_driver_new(&f, &driver, inner, &st->alloc, err), err);
    st->faults.items[st->faults.len++] = f;
    lua_pushlightuserdata(L, (void *)driver);
    return 1;
}

/* engine_new(url, options, driver) */
static int core_engine_new(lua_State *L)
{
    agl_engine *b;
    ag_url *url;
    agl_scope *s;
    ag_engine_options o = ag_engine_options_default();
    lua_settop(L, 3);
    url = agl_url_check(L, 1);
    agl_check_options(L, 2, engine_options);
    o.driver = check_driver(L, 3);
    b = engine_new(L); /* 4 */
    agl_opt_push(L, 2, "wait");
    b->host = agl_host_for(L, -1);
    lua_settop(L, 4);
    s = agl_scope_open(L); /* 5 */
    o.host = &b->host->base;
    o.dialect = ag_dialect_find(o.driver->dialect, strlen(o.driver->dialect));
    if (agl_opt_push(L, 2, "dialect") != LUA_TNIL && !(o.dialect = agl_dialect_at(L, -1)))
        return agl_opt_error(L, "dialect", "a dialect's name, or what ag.dialects.register returned");
    lua_pop(L, 1);
    b->codec = (agl_codec){read_callback(L, 2, "json_deserializer"), read_callback(L, 2, "json_serializer"),
                           o.driver->dialect};
    o.compile_host = &agl_compile_host_for(L, &b->codec)->base;
    o.creator = read_callback(L, 2, "creator");
    read_pool(L, 2, &o);
    read_execution(L, 2, &o, s);
    read_connect_args(L, 2, &o, s);
    o.connect_timeout_us = read_seconds(L, 2, "connect_timeout", 0, o.connect_timeout_us);
    agl_scope_must(L, s, ag_engine_new(&b->e, &b->st->alloc, url, &o, &s->err));
    agl_opt_push(L, 2, "execution_options");
    lua_setiuservalue(L, 4, 2);
    agl_box_anchor(L, 4, 3, 2);
    agl_handle_put(L, 4, b->e);
    lua_settop(L, 4);
    return 1;
}

/* ---- methods ---- */

static int connect_done(lua_State *L, agl_scope *s)
{
    ag_connect_op *op = (ag_connect_op *)s->op;
    ag_connection *c = op->conn;
    op->conn = NULL;
    if (agl_handle_push(L, c)) { /* a listener has seen it already */
        ag_connection_unref(c);
        return 1;
    }
    agl_connection_fill(L, 2, c);
    lua_pushvalue(L, 2);
    return 1;
}

/* engine:connect() */
static int engine_connect(lua_State *L)
{
    agl_engine *b = agl_engine_check(L, 1);
    ag_connect_op *op;
    agl_scope *s;
    agl_check_top(L, 1);
    agl_connection_new(L, 1); /* 2 */
    agl_push_where(L);        /* 3 */
    s = agl_scope_open(L);
    s->host = b->host;
    op = agl_scope_new(L, s, sizeof *op);
    agl_scope_must(L, s, ag_connect_init(op, b->e, lua_tostring(L, 3), &s->err));
    return agl_op_run(L, s, &op->op, connect_done);
}

static int raw_done(lua_State *L, agl_scope *s)
{
    ag_checkout_op *op = (ag_checkout_op *)s->op;
    agl_raw *b = agl_check(L, 2, AGL_K_RAW_CONNECTION);
    b->c = op->conn;
    b->owned = true;
    op->conn = NULL;
    lua_pushvalue(L, 2);
    return 1;
}

/* engine:_raw_connection() */
static int engine_raw_connection(lua_State *L)
{
    agl_engine *b = agl_engine_check(L, 1);
    ag_checkout_op *op;
    agl_scope *s;
    agl_check_top(L, 1);
    agl_raw_new(L)->host = b->host; /* 2 */
    agl_push_where(L);              /* 3 */
    s = agl_scope_open(L);
    s->host = b->host;
    op = agl_scope_new(L, s, sizeof *op);
    agl_scope_must(L, s, ag_checkout_init(op, ag_engine_pool(b->e), b->e, lua_tostring(L, 3), AG_NO_DEADLINE, &s->err));
    return agl_op_run(L, s, &op->op, raw_done);
}

/* an operation that only waits */
static ag_step sleep_step(ag_op *op, ag_error *err)
{
    (void)err;
    return ag_now_us() >= op->wait.deadline ? AG_STEP_DONE : AG_STEP_WAIT;
}

static void sleep_clear(ag_op *op)
{
    (void)op;
}

/* engine:_sleep(seconds): by the engine's wait hook */
static int engine_sleep(lua_State *L)
{
    agl_engine *b = agl_engine_check(L, 1);
    lua_Number seconds = agl_check_number(L, 2);
    agl_scope *s = agl_scope_open(L);
    ag_op *op = agl_scope_new(L, s, sizeof *op);
    if (!(seconds >= 0 && seconds < 1e6))
        return agl_argerror(L, 2, "expected seconds, got %s", agl_describe(L, 2, false));
    s->host = b->host;
    ag_op_init(op, "sleep", sleep_step, sleep_clear);
    op->wait = (ag_wait){.fd = -1, .deadline = ag_now_us() + (int64_t)(seconds * 1e6)};
    return agl_run_void(L, s, op);
}

/* engine:execution_options{…} → an engine that shares everything but its options */
static int engine_execution_options(lua_State *L)
{
    agl_engine *b = agl_engine_check(L, 1), *sub;
    ag_exec_options x;
    agl_scope *s;
    agl_check_table(L, 2);
    lua_settop(L, 2);
    sub = engine_new(L); /* 3 */
    s = agl_scope_open(L);
    agl_exec_options_read(L, 2, &x, s);
    sub->host = b->host;
    sub->codec = b->codec;
    agl_scope_must(L, s, ag_engine_with_options(&sub->e, b->e, &x, &s->err));
    agl_box_anchor(L, 3, 1, 1);
    lua_getiuservalue(L, 1, 2);
    agl_options_merge(L, -1, 2);
    lua_setiuservalue(L, 3, 2);
    lua_getiuservalue(L, 1, 3);
    lua_setiuservalue(L, 3, 3);
    agl_handle_put(L, 3, sub->e);
    lua_settop(L, 3);
    return 1;
}

static int engine_get_execution_options(lua_State *L)
{
    agl_engine_check(L, 1);
    lua_settop(L, 1);
    lua_getiuservalue(L, 1, 2);
    lua_pushnil(L);
    agl_options_merge(L, 2, 3);
    return 1;
}

/* engine:dispose{close = true} */
static int engine_dispose(lua_State *L)
{
    static const char *const known[] = {"close", NULL};
    agl_engine *b = agl_engine_check(L, 1);
    bool close;
    ag_error *err;
    agl_check_options(L, 2, known);
    close = agl_opt_boolean(L, 2, "close", true);
    err = agl_err(L);
    agl_must(L, ag_engine_dispose(b->e, close, err), err);
    lua_pushnil(L);
    lua_setiuservalue(L, 1, 4);
    return 0;
}

static int set_echo(lua_State *L)
{
    agl_engine *b = agl_engine_check(L, 1);
    lua_settop(L, 2);
    lua_createtable(L, 0, 1);
    lua_insert(L, 2);
    lua_setfield(L, 2, "echo");
    ag_engine_set_echo(b->e, read_echo(L, 2, "echo"));
    return 0;
}

/* engine:clear_compiled_cache() */
static int engine_clear_cache(lua_State *L)
{
    struct ag_cache *cache = ag_engine_cache(agl_engine_check(L, 1)->e);
    agl_check_top(L, 1);
    if (cache)
        ag_cache_drop(cache);
    return 0;
}

static int engine_tostring(lua_State *L)
{
    agl_engine *b = agl_check(L, 1, AGL_K_ENGINE);
    agl_scope *s = agl_scope_open(L);
    ag_buf_str(&s->buf, "Engine(");
    if (b->e)
        ag_url_render(&s->buf, ag_engine_url(b->e), true);
    ag_buf_char(&s->buf, ')');
    agl_scope_push_buf(L, s);
    return 1;
}

static const luaL_Reg methods[] = {
    {"connect", engine_connect},
    {"execution_options", engine_execution_options},
    {"get_execution_options", engine_get_execution_options},
    {"dispose", engine_dispose},
    {"clear_compiled_cache", engine_clear_cache},
    {"_raw_connection", engine_raw_connection},
    {"_sleep", engine_sleep},
    {NULL, NULL},
};
static const luaL_Reg setters[] = {{"echo", set_echo}, {NULL, NULL}};
static const luaL_Reg meta[] = {{"__gc", engine_gc}, {"__tostring", engine_tostring}, {NULL, NULL}};
static const agl_class engine_class = {
    .name = "Engine", .methods = methods, .getters = agl_engine_getters, .setters = setters, .meta = meta};
static const luaL_Reg internal[] = {{"engine_new", core_engine_new}, {"fault_driver", core_fault_driver}, {NULL, NULL}};
static const luaL_Reg names[] = {{"create_engine", core_engine_new}, {NULL, NULL}};

void agl_open_engine(lua_State *L)
{
    agl_class_open(L, AGL_K_ENGINE, &engine_class);
    agl_functions_internal(L, internal);
    agl_function_names(L, names);
}

/* ag.make_url and ag.URL: immutable URLs with SQLAlchemy's fields and methods. tostring hides the password. */
#include "binding/lua_url.h"
#include "binding/conv.h"
#include "binding/host.h"
#include "binding/module.h"
#include <string.h>

agl_url *agl_url_new(lua_State *L)
{
    agl_url *b = agl_box_new(L, AGL_K_URL, sizeof *b, 0);
    b->st = agl_state_ref(L);
    return b;
}

void agl_url_push(lua_State *L, ag_url *u)
{
    agl_url *b = agl_url_new(L);
    b->url = ag_url_ref(u);
}

static ag_url *self(lua_State *L)
{
    agl_url *b = agl_check(L, 1, AGL_K_URL);
    if (!b->url)
        agl_argerror(L, 1, "this URL is closed");
    return b->url;
}

ag_url *agl_url_check(lua_State *L, int arg)
{
    agl_url *b = agl_test(L, arg, AGL_K_URL);
    if (!b) {
        size_t n;
        const char *s;
        ag_error *err;
        if (lua_type(L, arg) != LUA_TSTRING)
            agl_typeerror(L, arg, "a URL or its text");
        s = lua_tolstring(L, arg, &n);
        b = agl_url_new(L);
        err = agl_err(L);
        agl_must(L, ag_url_parse(&b->url, &b->st->alloc, s, n, err), err);
        lua_replace(L, lua_absindex(L, arg));
    }
    return b->url;
}

static int url_gc(lua_State *L)
{
    agl_url *b = agl_test(L, 1, AGL_K_URL);
    if (b && b->st) {
        agl_state *st = b->st;
        ag_url *u = b->url;
        b->st = NULL;
        b->url = NULL;
        ag_url_unref(u);
        agl_state_unref(st);
    }
    return 0;
}

/* ag.make_url(text | URL) */
static int make_url(lua_State *L)
{
    agl_check_top(L, 1);
    agl_url_check(L, 1);
    lua_settop(L, 1);
    return 1;
}

/* ---- reading parts ---- */

static const char *const part_names[] = {"drivername", "username", "password", "host",
                                         "port",       "database", "query",    NULL};

static void read_text(lua_State *L, int arg, const char *name, unsigned bit, ag_str *out, unsigned *fields)
{
    int type = agl_opt_push(L, arg, name);
    if (type != LUA_TNIL) {
        *fields |= bit;
        if (type == LUA_TSTRING) {
            size_t n;
            out->p = lua_tolstring(L, -1, &n);
            out->n = n;
        } else if (!agl_is_null(L, -1))
            agl_opt_error(L, name, "a string");
    }
    lua_pop(L, 1);
}

/* Number of query arguments in the table at the top: a value is a text or an array of texts. */
static size_t count_args(lua_State *L)
{
    size_t n = 0;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        n += lua_type(L, -1) == LUA_TTABLE ? (size_t)lua_rawlen(L, -1) : 1;
        lua_pop(L, 1);
    }
    return n;
}

static void add_arg(lua_State *L, ag_url_arg *arg, int key, int value)
{
    size_t n;
    if (lua_type(L, key) != LUA_TSTRING || lua_type(L, value) != LUA_TSTRING)
        agl_error_in(L, AG_EXC_ARGUMENT, "query arguments are texts or arrays of texts by name");
    arg->key.p = lua_tolstring(L, key, &n);
    arg->key.n = n;
    arg->value.p = lua_tolstring(L, value, &n);
    arg->value.n = n;
}

/* The query table at the top as an array of arguments, in order of their names; pushes scratch above the table. */
static const ag_url_arg *read_args(lua_State *L, size_t *count)
{
    int t = lua_gettop(L), names, n = 0;
    size_t cap, used = 0;
    ag_url_arg *args;
    if (lua_type(L, t) != LUA_TTABLE)
        agl_error_in(L, AG_EXC_ARGUMENT, "query: expected a table, got %s", agl_describe(L, t, true));
    cap = count_args(L);
    args = agl_scratch(L, sizeof *args * (cap ? cap : 1));
    lua_newtable(L);
    names = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, t)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            agl_error_in(L, AG_EXC_ARGUMENT, "query arguments are texts or arrays of texts by name");
        lua_pushvalue(L, -1);
        lua_rawseti(L, names, ++n);
    }
    lua_getglobal(L, "table");
    lua_getfield(L, -1, "sort");
    lua_pushvalue(L, names);
    lua_call(L, 1, 0);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, names, i);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, t) == LUA_TTABLE) {
            size_t len = lua_rawlen(L, -1);
            for (size_t k = 1; k <= len && used < cap; k++) {
                lua_rawgeti(L, -1, (lua_Integer)k);
                add_arg(L, &args[used++], -3, -1);
                lua_pop(L, 1);
            }
        } else if (used < cap)
            add_arg(L, &args[used++], -2, -1);
        lua_settop(L, names);
    }
    *count = used;
    return args;
}

/* The parts in the options table at arg. Their texts stay in the table; the query's in scratch left on the stack. */
static unsigned read_parts(lua_State *L, int arg, ag_url_parts *p)
{
    unsigned fields = 0;
    memset(p, 0, sizeof *p);
    p->port = -1;
    agl_check_options(L, arg, part_names);
    read_text(L, arg, "drivername", AG_URL_DRIVERNAME, &p->drivername, &fields);
    read_text(L, arg, "username", AG_URL_USERNAME, &p->username, &fields);
    read_text(L, arg, "password", AG_URL_PASSWORD, &p->password, &fields);
    read_text(L, arg, "host", AG_URL_HOST, &p->host, &fields);
    read_text(L, arg, "database", AG_URL_DATABASE, &p->database, &fields);
    if (agl_opt_push(L, arg, "port") != LUA_TNIL) {
        fields |= AG_URL_PORT;
        if (!agl_is_null(L, -1))
            p->port = (int)agl_opt_integer(L, arg, "port", 1, 65535, -1);
    }
    lua_pop(L, 1);
    if (agl_opt_push(L, arg, "query") != LUA_TNIL) {
        fields |= AG_URL_QUERY;
        p->args = read_args(L, &p->nargs);
    }
    return fields;
}

/* ag.URL.create(drivername, {username = …}) or create{drivername = …} */
static int url_create(lua_State *L)
{
    ag_url_parts p;
    agl_url *b;
    ag_error *err;
    bool named = lua_type(L, 1) == LUA_TSTRING;
    agl_check_top(L, named ? 2 : 1);
    lua_settop(L, named ? 2 : 1);
    if (!named)
        agl_check_table(L, 1);
    read_parts(L, named ? 2 : 1, &p);
    if (named) {
        size_t n;
        p.drivername.p = lua_tolstring(L, 1, &n);
        p.drivername.n = n;
    }
    b = agl_url_new(L);
    err = agl_err(L);
    agl_must(L, ag_url_create(&b->url, &b->st->alloc, &p, err), err);
    return 1;
}

/* ---- changing (each makes a new URL) ---- */

/* url:set{host = "h", password = ag.null} */
static int url_set(lua_State *L)
{
    ag_url *u = self(L);
    ag_url_parts p;
    unsigned fields;
    agl_url *b;
    ag_error *err;
    agl_check_table(L, 2);
    fields = read_parts(L, 2, &p);
    b = agl_url_new(L);
    err = agl_err(L);
    agl_must(L, ag_url_set(&b->url, u, &p, fields, err), err);
    return 1;
}

static bool append_option(lua_State *L)
{
    static const char *const known[] = {"append", NULL};
    agl_check_options(L, 3, known);
    return agl_opt_boolean(L, 3, "append", false);
}

/* url:update_query_dict({k = v}, {append = true}) */
static int url_update_query_dict(lua_State *L)
{
    ag_url *u = self(L);
    bool append = append_option(L);
    const ag_url_arg *args;
    size_t n;
    agl_url *b;
    ag_error *err;
    agl_check_table(L, 2);
    lua_pushvalue(L, 2);
    args = read_args(L, &n);
    b = agl_url_new(L);
    err = agl_err(L);
    agl_must(L, ag_url_update_query(&b->url, u, args, n, append, err), err);
    return 1;
}

/* url:update_query_pairs({{k, v}, …}, {append = true}) */
static int url_update_query_pairs(lua_State *L)
{
    ag_url *u = self(L);
    bool append = append_option(L);
    size_t n;
    ag_url_arg *args;
    agl_url *b;
    ag_error *err;
    agl_check_table(L, 2);
    n = lua_rawlen(L, 2);
    args = agl_scratch(L, sizeof *args * (n ? n : 1));
    for (size_t i = 0; i < n; i++) {
        if (lua_rawgeti(L, 2, (lua_Integer)i + 1) != LUA_TTABLE)
            return agl_argerror(L, 2, "expected an array of pairs {key, value}");
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        add_arg(L, &args[i], -2, -1);
        lua_pop(L, 3);
    }
    b = agl_url_new(L);
    err = agl_err(L);
    agl_must(L, ag_url_update_query(&b->url, u, args, n, append, err), err);
    return 1;
}

/* url:update_query_string("a=1&b=2", {append = true}) */
static int url_update_query_string(lua_State *L)
{
    ag_url *u = self(L);
    size_t n;
    const char *s = agl_check_string(L, 2, &n);
    bool append = append_option(L);
    agl_url *b = agl_url_new(L);
    ag_error *err = agl_err(L);
    agl_must(L, ag_url_update_query_string(&b->url, u, s, n, append, err), err);
    return 1;
}

/* url:difference_update_query{"name", …} */
static int url_difference_update_query(lua_State *L)
{
    ag_url *u = self(L);
    size_t n;
    ag_str *names;
    agl_url *b;
    ag_error *err;
    agl_check_table(L, 2);
    n = lua_rawlen(L, 2);
    names = agl_scratch(L, sizeof *names * (n ? n : 1));
    for (size_t i = 0; i < n; i++) {
        size_t len;
        if (lua_rawgeti(L, 2, (lua_Integer)i + 1) != LUA_TSTRING)
            return agl_argerror(L, 2, "expected an array of names");
        names[i].p = lua_tolstring(L, -1, &len);
        names[i].n = len;
        lua_pop(L, 1);
    }
    b = agl_url_new(L);
    err = agl_err(L);
    agl_must(L, ag_url_difference_query(&b->url, u, names, n, err), err);
    return 1;
}

/* ---- reading ---- */

static int render(lua_State *L, bool hide)
{
    ag_url *u = self(L);
    agl_scope *s = agl_scope_open(L);
    ag_url_render(&s->buf, u, hide);
    agl_scope_push_buf(L, s);
    return 1;
}

static int url_tostring(lua_State *L)
{
    return render(L, true);
}

/* url:render_as_string{hide_password = false} */
static int url_render_as_string(lua_State *L)
{
    static const char *const known[] = {"hide_password", NULL};
    agl_check_options(L, 2, known);
    return render(L, agl_opt_boolean(L, 2, "hide_password", true));
}

static int push_part(lua_State *L, const ag_str *s)
{
    if (s->p)
        lua_pushlstring(L, s->p, s->n);
    else
        lua_pushnil(L);
    return 1;
}

#define PART(field)                                                                                                    \
    static int get_##field(lua_State *L)                                                                               \
    {                                                                                                                  \
        return push_part(L, &self(L)->p.field);                                                                        \
    }
PART(drivername)
PART(username)
PART(password)
PART(host)
PART(database)

static int get_port(lua_State *L)
{
    int port = self(L)->p.port;
    if (port >= 0)
        lua_pushinteger(L, port);
    else
        lua_pushnil(L);
    return 1;
}

/* A list of values for every key, in a new table. */
static void push_lists(lua_State *L, const ag_url *u)
{
    lua_newtable(L);
    for (size_t i = 0; i < u->p.nargs; i++) {
        const ag_url_arg *a = &u->p.args[i];
        lua_pushlstring(L, a->key.p, a->key.n);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, -3) == LUA_TNIL) {
            lua_pop(L, 1);
            lua_createtable(L, 1, 0);
        }
        lua_pushlstring(L, a->value.p, a->value.n);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        lua_rawset(L, -3);
    }
}

/* url.query: {name = "value" or {"v1", "v2"}} */
static int get_query(lua_State *L)
{
    push_lists(L, self(L));
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (lua_rawlen(L, -1) == 1) { /* given once: the value itself */
            lua_pushvalue(L, -2);
            lua_rawgeti(L, -2, 1);
            lua_rawset(L, -5);
        }
        lua_pop(L, 1);
    }
    return 1;
}

/* The same with a list for every key, however often it is given. */
static int get_normalized_query(lua_State *L)
{
    push_lists(L, self(L));
    return 1;
}

static int name_part(lua_State *L, bool driver)
{
    ag_str backend, name;
    ag_url_names(self(L), &backend, &name);
    if (driver)
        lua_pushlstring(L, name.p ? name.p : "", name.n);
    else
        lua_pushlstring(L, backend.p, backend.n);
    return 1;
}

static int url_get_backend_name(lua_State *L)
{
    return name_part(L, false);
}

static int url_get_driver_name(lua_State *L)
{
    return name_part(L, true);
}

static int url_eq(lua_State *L)
{
    agl_url *a = agl_test(L, 1, AGL_K_URL), *b = agl_test(L, 2, AGL_K_URL);
    lua_pushboolean(L, a && b && a->url && b->url && ag_url_equal(a->url, b->url));
    return 1;
}

static const luaL_Reg methods[] = {
    {"set", url_set},
    {"update_query_dict", url_update_query_dict},
    {"update_query_pairs", url_update_query_pairs},
    {"update_query_string", url_update_query_string},
    {"difference_update_query", url_difference_update_query},
    {"render_as_string", url_render_as_string},
    {"get_backend_name", url_get_backend_name},
    {"get_driver_name", url_get_driver_name},
    {NULL, NULL},
};
static const luaL_Reg getters[] = {
    {"drivername", get_drivername},
    {"username", get_username},
    {"password", get_password},
    {"host", get_host},
    {"port", get_port},
    {"database", get_database},
    {"query", get_query},
    {"normalized_query", get_normalized_query},
    {NULL, NULL},
};
static const luaL_Reg meta[] = {{"__gc", url_gc}, {"__eq", url_eq}, {"__tostring", url_tostring}, {NULL, NULL}};
static const agl_class url_class = {.name = "URL", .methods = methods, .getters = getters, .meta = meta};
static const luaL_Reg functions[] = {{"make_url", make_url}, {NULL, NULL}};
static const luaL_Reg internal[] = {{"url_create", url_create}, {NULL, NULL}};
static const luaL_Reg names[] = {{"URL.create", url_create}, {NULL, NULL}};

void agl_open_url(lua_State *L)
{
    agl_class_open(L, AGL_K_URL, &url_class);
    agl_functions(L, functions);
    agl_functions_internal(L, internal);
    agl_function_names(L, names);
}

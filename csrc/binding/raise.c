/* ag_error to Lua error objects and back; argument and option errors. */
#include "binding/raise.h"
#include "base/buf.h"
#include "binding/exc.h"
#include <string.h>

#define HOST_ERRORS 256 /* Lua errors in flight through the core; older ones fall back on their text */

static const char host_errors_key;

/* ---- Lua errors in flight ---- */

/* registry[host_errors_key] = {[slot * 2 + 1] = number, [slot * 2 + 2] = value} */
static int64_t host_error_keep(lua_State *L, int idx)
{
    agl_state *st = agl_state_get(L);
    int64_t id = st->next_id++;
    int slot = (int)(id % HOST_ERRORS) * 2;
    idx = lua_absindex(L, idx);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &host_errors_key) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &host_errors_key);
    }
    lua_pushvalue(L, idx);
    lua_rawseti(L, -2, slot + 2);
    lua_pushinteger(L, id);
    lua_rawseti(L, -2, slot + 1);
    lua_pop(L, 1);
    return id;
}

/* Push the value of number id, and forget it when told to; false (nothing pushed) when it is gone. */
static bool host_error_push(lua_State *L, int64_t id, bool forget)
{
    int slot = (int)(id % HOST_ERRORS) * 2;
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &host_errors_key) != LUA_TTABLE) {
        lua_pop(L, 1);
        return false;
    }
    lua_rawgeti(L, -1, slot + 1);
    if (lua_tointeger(L, -1) != id) {
        lua_pop(L, 2);
        return false;
    }
    lua_pop(L, 1);
    lua_rawgeti(L, -1, slot + 2);
    if (forget) {
        lua_pushboolean(L, 0);
        lua_rawseti(L, -3, slot + 2);
        lua_pushboolean(L, 0);
        lua_rawseti(L, -3, slot + 1);
    }
    lua_remove(L, -2);
    return true;
}

static void take_text(lua_State *L, int t, const char *field, ag_error *err, char **to)
{
    size_t len;
    const char *s;
    lua_pushstring(L, field);
    lua_rawget(L, t);
    s = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
    if (s && to)
        ag_error_text(err, to, s, len);
    else if (s) {
        strncpy(err->sqlstate, s, 5);
        err->sqlstate[5] = '\0';
    }
    lua_pop(L, 1);
}

void agl_error_from_lua(lua_State *L, int idx, ag_error *err)
{
    int cls = agl_exc_of(L, idx);
    idx = lua_absindex(L, idx);
    ag_error_clear(err);
    luaL_checkstack(L, 6, "error");
    if (cls >= 0) {
        ag_fail(err, (ag_exc)cls, "%s", "error in a callback");
        take_text(L, idx, "message", err, &err->message);
        take_text(L, idx, "sqlstate", err, NULL);
        lua_getfield(L, idx, "retryable");
        err->retryable = lua_toboolean(L, -1);
        lua_getfield(L, idx, "connection_invalidated");
        err->disconnect = lua_toboolean(L, -1);
        lua_pop(L, 2);
    } else {
        const char *s = lua_type(L, idx) == LUA_TSTRING ? lua_tostring(L, idx) : luaL_typename(L, idx);
        ag_fail(err, AG_EXC_ERROR, "%s", s);
    }
    err->host_value = host_error_keep(L, idx);
}

/* ---- error objects ---- */

void agl_push_where(lua_State *L)
{
    lua_Debug ar;
    for (int level = 0; level < 24 && lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline <= 0 || strstr(ar.source, "lua/argent/") || strstr(ar.source, "lua/5.4/argent/") ||
            strstr(ar.source, "lua/5.5/argent/"))
            continue;
        lua_pushfstring(L, "%s:%d", ar.short_src, ar.currentline);
        return;
    }
    lua_pushliteral(L, "");
}

static void set_text(lua_State *L, const char *field, const char *s)
{
    if (s && *s) {
        lua_pushstring(L, s);
        lua_setfield(L, -2, field);
    }
}

static void set_flag(lua_State *L, const char *field, bool on)
{
    if (on) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, field);
    }
}

/* Push a bare error object of cls with its message and place. */
static void push_object(lua_State *L, ag_exc cls, const char *message)
{
    lua_createtable(L, 0, 8);
    set_text(L, "message", message);
    agl_push_where(L);
    lua_setfield(L, -2, "where");
    agl_exc_push_meta(L, cls);
    lua_setmetatable(L, -2);
}

static bool is_dbapi(ag_exc cls)
{
    while (cls != AG_EXC_DBAPI && cls != AG_EXC_ERROR)
        cls = ag_exc_parent(cls);
    return cls == AG_EXC_DBAPI;
}

void agl_push_error_copy(lua_State *L, const ag_error *err, ag_str statement, const char *params)
{
    luaL_checkstack(L, 8, "error");
    if (err->host_value && host_error_push(L, err->host_value, false))
        return;
    push_object(L, err->cls, ag_error_message(err));
    if (is_dbapi(err->cls))
        set_text(L, "orig", ag_error_message(err));
    set_text(L, "sqlstate", err->sqlstate);
    if (err->code) {
        lua_pushinteger(L, err->code);
        lua_setfield(L, -2, "code");
    }
    set_text(L, "detail", err->detail);
    set_text(L, "hint", err->hint);
    set_text(L, "constraint", err->constraint);
    set_text(L, "table", err->table);
    set_text(L, "column", err->column);
    set_text(L, "schema", err->schema);
    set_flag(L, "connection_invalidated", err->disconnect);
    set_flag(L, "retryable", err->retryable);
    if (statement.p) {
        lua_pushlstring(L, statement.p, statement.n);
        lua_setfield(L, -2, "statement");
    }
    set_text(L, "_params", params);
}

void agl_push_error(lua_State *L, ag_error *err, ag_str statement, const char *params)
{
    luaL_checkstack(L, 8, "error");
    if (!err->host_value || !host_error_push(L, err->host_value, true))
        agl_push_error_copy(L, err, statement, params);
    ag_error_clear(err);
}

int agl_raise_statement(lua_State *L, ag_error *err, ag_str statement, const char *params)
{
    agl_push_error(L, err, statement, params);
    return lua_error(L);
}

int agl_raise(lua_State *L, ag_error *err)
{
    return agl_raise_statement(L, err, AGL_NO_STATEMENT, NULL);
}

#define ROOM_TO_RAISE 40 /* left from the check before, which had found it */

void agl_check_room(lua_State *L, int n, const char *what)
{
    if (!lua_checkstack(L, n + ROOM_TO_RAISE))
        agl_error(L, AG_EXC_ARGUMENT, "too many %s: more than Lua can hold on its stack", what);
}

void agl_must(lua_State *L, ag_status status, ag_error *err)
{
    if (status != AG_OK)
        agl_raise(L, err);
}

/* Raise with the message at the top of the stack. */
static int raise_top(lua_State *L, ag_exc cls)
{
    push_object(L, cls, lua_tostring(L, -1));
    return lua_error(L);
}

int agl_error(lua_State *L, ag_exc cls, const char *fmt, ...)
{
    va_list ap;
    luaL_checkstack(L, 8, "error");
    va_start(ap, fmt);
    lua_pushvfstring(L, fmt, ap);
    va_end(ap);
    return raise_top(L, cls);
}

/* ---- who is being called ---- */

typedef struct callee {
    const char *cls, *name;
    bool is_method;
} callee;

static callee find_callee(lua_State *L)
{
    callee c = {NULL, "?", false};
    lua_Debug ar;
    lua_CFunction fn;
    if (!lua_getstack(L, 0, &ar))
        return c;
    lua_getinfo(L, "fn", &ar);
    fn = lua_tocfunction(L, -1);
    lua_pop(L, 1);
    c.is_method = ar.namewhat && strcmp(ar.namewhat, "method") == 0;
    if (fn && c.is_method && agl_method_name(L, fn, agl_kind_at(L, 1), &c.cls, &c.name))
        return c;
    if (fn && agl_function_name(L, fn, &c.cls, &c.name, &c.is_method))
        return c;
    c.cls = NULL;
    c.name = ar.name ? ar.name : "?";
    c.is_method = ar.namewhat && strcmp(ar.namewhat, "method") == 0;
    return c;
}

/* What a metamethod stands for: an operator, or the thing that is called or indexed. False: it is none. */
static bool push_metamethod(lua_State *L, const callee *c)
{
    static const struct {
        const char *name, *sign;
    } operators[] = {{"__add", "+"},   {"__sub", "-"}, {"__mul", "*"},  {"__div", "/"},
                     {"__idiv", "//"}, {"__mod", "%"}, {"__pow", "^"},  {"__concat", ".."},
                     {"__band", "&"},  {"__bor", "|"}, {"__bnot", "~"}, {"__unm", "-"}};
    if (!c->cls || c->name[0] != '_' || c->name[1] != '_')
        return false;
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (strcmp(c->name, operators[i].name) == 0) {
            lua_pushfstring(L, "operator %s", operators[i].sign);
            return true;
        }
    }
    bool call = strcmp(c->name, "__call") == 0;
    if (call && agl_kind_at(L, 1) == AGL_K_TYPE)
        luaL_tolstring(L, 1, NULL); /* "String": a type is made by calling it */
    else if (call || strcmp(c->name, "__index") == 0)
        lua_pushstring(L, c->cls);
    else
        return false;
    return true;
}

/* Push "Connection:execute", "ag.select" or "name". */
static void push_callee(lua_State *L, const callee *c)
{
    if (push_metamethod(L, c))
        return;
    if (c->cls)
        lua_pushfstring(L, "%s%s%s", c->cls, c->is_method ? ":" : ".",
                        c->name + (c->name[0] == '_' && c->name[1] != '_'));
    else
        lua_pushstring(L, c->name);
}

int agl_error_in(lua_State *L, ag_exc cls, const char *fmt, ...)
{
    callee c = find_callee(L);
    va_list ap;
    luaL_checkstack(L, 8, "error");
    push_callee(L, &c);
    va_start(ap, fmt);
    lua_pushvfstring(L, fmt, ap);
    va_end(ap);
    lua_pushfstring(L, "%s: %s", lua_tostring(L, -2), lua_tostring(L, -1));
    return raise_top(L, cls);
}

int agl_argerror(lua_State *L, int arg, const char *fmt, ...)
{
    callee c = find_callee(L);
    va_list ap;
    int shown = c.is_method ? arg - 1 : arg;
    luaL_checkstack(L, 10, "error");
    push_callee(L, &c);
    va_start(ap, fmt);
    lua_pushvfstring(L, fmt, ap);
    va_end(ap);
    if (shown == 0)
        lua_pushfstring(L, "calling %s on a bad self (%s); use ':'", lua_tostring(L, -2), lua_tostring(L, -1));
    else
        lua_pushfstring(L, "bad argument #%d to %s: %s", shown, lua_tostring(L, -2), lua_tostring(L, -1));
    push_object(L, AG_EXC_ARGUMENT, lua_tostring(L, -1));
    lua_pushinteger(L, shown);
    lua_setfield(L, -2, "argument");
    push_callee(L, &c);
    lua_setfield(L, -2, "func");
    return lua_error(L);
}

/* ---- describing values ---- */

static const char *describe_string(lua_State *L, int idx, bool secret)
{
    size_t len;
    const char *s = lua_tolstring(L, idx, &len);
    char cut[48];
    size_t n = len < 40 ? len : 40;
    if (secret)
        return lua_pushliteral(L, "a string");
    while (n > 0 && n < len && ((unsigned char)s[n] & 0xC0u) == 0x80u)
        n--;
    for (size_t i = 0; i < n; i++)
        cut[i] = (unsigned char)s[i] < 32 ? '?' : s[i];
    cut[n] = '\0';
    return lua_pushfstring(L, "string \"%s%s\"", cut, n < len ? "…" : "");
}

const char *agl_describe(lua_State *L, int idx, bool secret)
{
    agl_kind kind = agl_kind_at(L, idx);
    if (kind != AGL_K_NONE) {
        const char *name = agl_kind_name(kind);
        return lua_pushfstring(L, "%s %s", strchr("AEIOUaeiou", name[0]) ? "an" : "a", name);
    }
    switch (lua_type(L, idx)) {
    case LUA_TNONE: return lua_pushliteral(L, "nothing");
    case LUA_TNIL: return lua_pushliteral(L, "nil");
    case LUA_TBOOLEAN: return lua_pushstring(L, lua_toboolean(L, idx) ? "true" : "false");
    case LUA_TNUMBER:
        if (secret)
            return lua_pushliteral(L, "a number");
        if (lua_isinteger(L, idx))
            return lua_pushfstring(L, "number %I", (LUAI_UACINT)lua_tointeger(L, idx));
        return lua_pushfstring(L, "number %f", (LUAI_UACNUMBER)lua_tonumber(L, idx));
    case LUA_TSTRING: return describe_string(L, idx, secret);
    case LUA_TLIGHTUSERDATA: return lua_pushstring(L, lua_touserdata(L, idx) ? "a light userdata" : "ag.null");
    default:
        if (agl_exc_of(L, idx) >= 0)
            return lua_pushliteral(L, "an error object");
        return lua_pushfstring(L, "a %s", luaL_typename(L, idx));
    }
}

int agl_typeerror(lua_State *L, int arg, const char *expected)
{
    const char *got = agl_describe(L, arg, false);
    return agl_argerror(L, arg, "expected %s, got %s", expected, got);
}

int agl_unknown(lua_State *L, ag_exc cls, const char *what, const char *name, const char *const *known)
{
    size_t n = 0;
    const char *near;
    luaL_Buffer b;
    while (known[n])
        n++;
    near = ag_nearest(name, known, n);
    luaL_buffinit(L, &b);
    luaL_addstring(&b, "unknown ");
    luaL_addstring(&b, what);
    luaL_addstring(&b, " '");
    luaL_addstring(&b, name);
    luaL_addstring(&b, "'");
    if (near) {
        luaL_addstring(&b, "; did you mean '");
        luaL_addstring(&b, near);
        luaL_addstring(&b, "'?");
    }
    luaL_addstring(&b, n ? " (known: " : "");
    for (size_t i = 0; i < n; i++) {
        luaL_addstring(&b, i ? ", " : "");
        luaL_addstring(&b, known[i]);
    }
    luaL_addstring(&b, n ? ")" : "");
    luaL_pushresult(&b);
    return agl_error_in(L, cls, "%s", lua_tostring(L, -1));
}

/* ---- typed arguments ---- */

const char *agl_check_string(lua_State *L, int arg, size_t *len)
{
    if (lua_type(L, arg) != LUA_TSTRING)
        agl_typeerror(L, arg, "a string");
    return lua_tolstring(L, arg, len);
}

lua_Integer agl_check_integer(lua_State *L, int arg, lua_Integer min, lua_Integer max)
{
    int is = 0;
    lua_Integer i = lua_type(L, arg) == LUA_TNUMBER ? lua_tointegerx(L, arg, &is) : 0;
    if (!is)
        agl_typeerror(L, arg, "an integer");
    if (i < min || i > max)
        agl_argerror(L, arg, "expected an integer from %I to %I, got %I", (LUAI_UACINT)min, (LUAI_UACINT)max,
                     (LUAI_UACINT)i);
    return i;
}

lua_Number agl_check_number(lua_State *L, int arg)
{
    if (lua_type(L, arg) != LUA_TNUMBER)
        agl_typeerror(L, arg, "a number");
    return lua_tonumber(L, arg);
}

bool agl_check_boolean(lua_State *L, int arg)
{
    if (lua_type(L, arg) != LUA_TBOOLEAN)
        agl_typeerror(L, arg, "true or false");
    return lua_toboolean(L, arg);
}

void agl_check_function(lua_State *L, int arg)
{
    if (lua_type(L, arg) == LUA_TFUNCTION)
        return;
    if (luaL_getmetafield(L, arg, "__call") == LUA_TNIL)
        agl_typeerror(L, arg, "a function");
    lua_pop(L, 1);
}

void agl_check_table(lua_State *L, int arg)
{
    if (lua_type(L, arg) != LUA_TTABLE)
        agl_typeerror(L, arg, "a table");
}

void agl_check_top(lua_State *L, int max)
{
    int top = lua_gettop(L);
    if (top > max) {
        callee c = find_callee(L);
        int self = c.is_method;
        agl_error_in(L, AG_EXC_ARGUMENT, "takes at most %d argument%s, got %d", max - self, max - self == 1 ? "" : "s",
                     top - self);
    }
}

void agl_pad(lua_State *L, int n)
{
    if (lua_gettop(L) < n)
        lua_settop(L, n);
}

void agl_check_args(lua_State *L, int n)
{
    agl_check_top(L, n);
    lua_settop(L, n);
}

/* ---- options ---- */

static bool in_list(const char *const *list, const char *s)
{
    for (; *list; list++)
        if (strcmp(*list, s) == 0)
            return true;
    return false;
}

bool agl_check_options(lua_State *L, int arg, const char *const *known)
{
    if (lua_isnoneornil(L, arg))
        return false;
    if (lua_type(L, arg) != LUA_TTABLE)
        agl_typeerror(L, arg, "an options table");
    arg = lua_absindex(L, arg);
    luaL_checkstack(L, 6, "options");
    lua_pushnil(L);
    while (lua_next(L, arg)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            agl_argerror(L, arg, "an options table has names as keys, got key %s", agl_describe(L, -1, false));
        if (!in_list(known, lua_tostring(L, -1)))
            agl_unknown(L, AG_EXC_ARGUMENT, "option", lua_tostring(L, -1), known);
    }
    return true;
}

int agl_opt_push(lua_State *L, int arg, const char *name)
{
    if (lua_type(L, arg) != LUA_TTABLE) {
        lua_pushnil(L);
        return LUA_TNIL;
    }
    arg = lua_absindex(L, arg);
    lua_pushstring(L, name);
    return lua_rawget(L, arg);
}

int agl_opt_error(lua_State *L, const char *name, const char *expected)
{
    const char *got = agl_describe(L, -1, strstr(name, "password") != NULL);
    return agl_error_in(L, AG_EXC_ARGUMENT, "option '%s': expected %s, got %s", name, expected, got);
}

bool agl_opt_boolean(lua_State *L, int arg, const char *name, bool def)
{
    int type = agl_opt_push(L, arg, name);
    if (type == LUA_TBOOLEAN)
        def = lua_toboolean(L, -1);
    else if (type != LUA_TNIL)
        agl_opt_error(L, name, "true or false");
    lua_pop(L, 1);
    return def;
}

lua_Integer agl_opt_integer(lua_State *L, int arg, const char *name, lua_Integer min, lua_Integer max, lua_Integer def)
{
    int type = agl_opt_push(L, arg, name), is = 1;
    if (type != LUA_TNIL) {
        def = type == LUA_TNUMBER ? lua_tointegerx(L, -1, &is) : 0;
        if (type != LUA_TNUMBER || !is || def < min || def > max) {
            const char *want = max == LUA_MAXINTEGER
                                   ? lua_pushfstring(L, "an integer >= %I", (LUAI_UACINT)min)
                                   : lua_pushfstring(L, "an integer from %I to %I", (LUAI_UACINT)min, (LUAI_UACINT)max);
            lua_insert(L, -2);
            agl_opt_error(L, name, want);
        }
    }
    lua_pop(L, 1);
    return def;
}

lua_Number agl_opt_number(lua_State *L, int arg, const char *name, lua_Number min, lua_Number def)
{
    int type = agl_opt_push(L, arg, name);
    if (type != LUA_TNIL) {
        if (type == LUA_TNUMBER)
            def = lua_tonumber(L, -1);
        if (type != LUA_TNUMBER || !(def >= min)) {
            const char *want = lua_pushfstring(L, "a number >= %f", (LUAI_UACNUMBER)min);
            lua_insert(L, -2);
            agl_opt_error(L, name, want);
        }
    }
    lua_pop(L, 1);
    return def;
}

const char *agl_opt_string(lua_State *L, int arg, const char *name, size_t *len)
{
    const char *s = NULL;
    int type = agl_opt_push(L, arg, name);
    if (type == LUA_TSTRING)
        s = lua_tolstring(L, -1, len);
    else if (type != LUA_TNIL)
        agl_opt_error(L, name, "a string");
    lua_pop(L, 1);
    return s;
}

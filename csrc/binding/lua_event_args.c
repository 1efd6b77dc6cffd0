/* Arguments of engine and pool events, in SQLAlchemy's order, and the answers of listeners that give some. Where SQLAlchemy
 * passes a DBAPI connection and a connection record, listeners get the raw connection twice; it is good for the time of
 * the call. */
#include "binding/lua_node.h"
#include "binding/lua_engine_events.h"
#include "binding/lua_exec.h"
#include "binding/lua_params.h"
#include "binding/lua_pool.h"
#include "binding/lua_result.h"
#include "binding/lua_url.h"
#include <string.h>

enum { KEEP = 3, CONTEXT = 4 }; /* user values of the scope's slot */

void agl_event_push_context(lua_State *L, int slot)
{
    slot = lua_absindex(L, slot);
    if (lua_getiuservalue(L, slot, CONTEXT) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        ((agl_box *)lua_touserdata(L, slot))->flags = 1; /* host.c: user values are set */
        agl_box_anchor(L, slot, CONTEXT, -1);
    }
}

void agl_event_keep(lua_State *L, int slot)
{
    slot = lua_absindex(L, slot);
    if (lua_getiuservalue(L, slot, KEEP) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        agl_box_anchor(L, slot, KEEP, -1);
    }
    lua_insert(L, -2);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
}

/* ---- raw connections ---- */

static void end_loan(void *ud)
{
    ((agl_raw *)ud)->c = NULL;
}

/* Push a raw connection that is taken back when the call ends. */
static void push_lent(lua_State *L, agl_scope *s, ag_pconn *c)
{
    agl_raw *raw;
    if (!c) {
        lua_pushnil(L);
        return;
    }
    raw = agl_raw_new(L);
    raw->c = c;
    raw->host = s->host;
    lua_pushvalue(L, -1);
    agl_event_keep(L, 1); /* after_call looks at it when the stack is gone */
    s->after = end_loan;
    s->after_ud = raw;
}

static int push_raw_twice(lua_State *L, agl_scope *s, ag_pconn *c)
{
    push_lent(L, s, c);
    lua_pushvalue(L, -1);
    return 2;
}

/* ---- pool events ---- */

static int push_pool_args(lua_State *L, agl_scope *s, ag_event *ev)
{
    int n = push_raw_twice(L, s, ev->pconn);
    switch (ev->id) {
    case AG_EV_CHECKOUT: lua_pushvalue(L, -1); return n + 1;
    case AG_EV_RESET:
        lua_createtable(L, 0, 2);
        lua_pushboolean(L, ev->u.reset.transaction_was_reset);
        lua_setfield(L, -2, "transaction_was_reset");
        lua_pushboolean(L, ev->u.reset.terminate_only);
        lua_setfield(L, -2, "terminate_only");
        return n + 1;
    case AG_EV_INVALIDATE:
    case AG_EV_SOFT_INVALIDATE:
        if (ev->u.invalidate.error)
            agl_push_error_copy(L, ev->u.invalidate.error, AGL_NO_STATEMENT, NULL);
        else
            lua_pushnil(L);
        return n + 1;
    case AG_EV_CLOSE_DETACHED: lua_pop(L, 1); return 1;
    default: return n;
    }
}

/* ---- executions ---- */

static int push_execute_args(lua_State *L, ag_event *ev)
{
    static const char *const fields[] = {"statement", "parameters", "execution_options"};
    agl_event_push_context(L, 1);
    agl_connection_push(L, ev->conn);
    for (int i = 0; i < 3; i++)
        lua_getfield(L, -2 - i, fields[i]);
    lua_remove(L, -5);
    /* conn, statement, multiparams, params, execution_options: one of the two parameter forms is empty */
    lua_newtable(L);
    if (ev->u.execute.request && ev->u.execute.request->params.many)
        lua_insert(L, -2);
    else
        lua_insert(L, -3);
    if (lua_isnil(L, -2)) {
        lua_newtable(L);
        lua_replace(L, -3);
    }
    return 5;
}

/* conn, cursor, statement, parameters, context, executemany */
static int push_cursor_args(lua_State *L, agl_scope *s, ag_event *ev)
{
    agl_connection_push(L, ev->conn);
    push_lent(L, s, ag_connection_pconn(ev->conn));
    lua_pushlstring(L, ev->u.cursor.text, ev->u.cursor.text_len);
    agl_push_sets(L, ev->u.cursor.values, ev->u.cursor.values ? ev->u.cursor.nsets : 0, ev->u.cursor.nparams,
                  ev->u.cursor.executemany);
    agl_event_push_context(L, 1);
    lua_pushboolean(L, ev->u.cursor.executemany);
    return 6;
}

/* after_execute: the same with the result, which the listener shares with the caller: rows that it reads are read. */
static int push_executed_args(lua_State *L, ag_event *ev)
{
    int n = push_execute_args(L, ev);
    const agl_connection *b = agl_connection_check(L, -n);
    if (!ev->u.execute.result) {
        lua_pushnil(L);
        return n + 1;
    }
    (void)agl_result_new(L);
    agl_result_fill(L, lua_gettop(L), ag_result_ref(ev->u.execute.result), b->host, b->codec);
    return n + 1;
}

/* One ExceptionContext. The engine is under the pool, which is on top. */
static int push_error_args(lua_State *L, ag_event *ev)
{
    int engine = lua_gettop(L) - 1;
    agl_event_push_context(L, 1);
    lua_createtable(L, 0, 10);
    lua_insert(L, -2);
    lua_setfield(L, -2, "execution_context");
    if (!lua_isnil(L, engine)) {
        lua_pushvalue(L, engine);
        lua_setfield(L, -2, "engine");
        lua_getfield(L, engine, "dialect");
        lua_setfield(L, -2, "dialect");
    }
    if (ev->conn) {
        agl_connection_push(L, ev->conn);
        lua_setfield(L, -2, "connection");
    }
    agl_push_error_copy(L, ev->u.error.error, (ag_str){ev->u.error.text, ev->u.error.text_len}, NULL);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "original_exception");
    lua_setfield(L, -2, "sqlalchemy_exception");
    if (ev->u.error.text) {
        lua_pushlstring(L, ev->u.error.text, ev->u.error.text_len);
        lua_setfield(L, -2, "statement");
    }
    if (ev->u.error.nsets) {
        agl_push_sets(L, ev->u.error.values, ev->u.error.nsets, ev->u.error.nparams, ev->u.error.executemany);
        lua_setfield(L, -2, "parameters");
    }
    lua_pushboolean(L, ev->u.error.is_disconnect);
    lua_setfield(L, -2, "is_disconnect");
    lua_pushboolean(L, ev->u.error.invalidate_pool_on_disconnect);
    lua_setfield(L, -2, "invalidate_pool_on_disconnect");
    lua_pushboolean(L, ev->u.error.is_pre_ping);
    lua_setfield(L, -2, "is_pre_ping");
    lua_pushvalue(L, -1); /* the answer looks at it again */
    lua_setiuservalue(L, 1, 2);
    return 1;
}

static int push_name(lua_State *L, ag_event *ev, const char *name)
{
    agl_connection_push(L, ev->conn);
    if (name)
        lua_pushstring(L, name);
    else
        lua_pushnil(L);
    return 2;
}

int agl_event_push_args(lua_State *L, agl_scope *s, ag_event *ev)
{
    switch (ev->id) {
    case AG_EV_DO_CONNECT: agl_url_push(L, (ag_url *)(uintptr_t)ev->u.do_connect.url); return 1;
    case AG_EV_ENGINE_CONNECT:
    case AG_EV_BEGIN:
    case AG_EV_COMMIT:
    case AG_EV_ROLLBACK: agl_connection_push(L, ev->conn); return 1;
    case AG_EV_ENGINE_DISPOSED: lua_pushvalue(L, -2); return 1;
    case AG_EV_SAVEPOINT: return push_name(L, ev, ev->u.savepoint.name);
    case AG_EV_ROLLBACK_SAVEPOINT:
    case AG_EV_RELEASE_SAVEPOINT:
        push_name(L, ev, ev->u.savepoint.name);
        lua_pushnil(L);
        return 3;
    case AG_EV_BEGIN_TWOPHASE:
    case AG_EV_PREPARE_TWOPHASE: return push_name(L, ev, ev->u.twophase.xid);
    case AG_EV_COMMIT_TWOPHASE:
    case AG_EV_ROLLBACK_TWOPHASE:
        push_name(L, ev, ev->u.twophase.xid);
        lua_pushboolean(L, ev->u.twophase.is_prepared);
        return 3;
    case AG_EV_BEFORE_EXECUTE: return push_execute_args(L, ev);
    case AG_EV_AFTER_EXECUTE: return push_executed_args(L, ev);
    case AG_EV_BEFORE_CURSOR_EXECUTE:
    case AG_EV_AFTER_CURSOR_EXECUTE: return push_cursor_args(L, s, ev);
    case AG_EV_DO_EXECUTE:
    case AG_EV_DO_EXECUTEMANY:
        push_cursor_args(L, s, ev); /* cursor, statement, parameters, context */
        lua_pop(L, 1);
        lua_remove(L, -5);
        return 4;
    case AG_EV_HANDLE_ERROR: return push_error_args(L, ev);
    default: return push_pool_args(L, s, ev);
    }
}

/* ---- answers: up to three values at the top ---- */

/* before_cursor_execute: statement, parameters */
static void answer_cursor(lua_State *L, agl_scope *s, ag_event *ev)
{
    int top = lua_gettop(L), statement = top - 2, params = top - 1;
    ag_params p;
    if (lua_type(L, statement) == LUA_TSTRING) {
        ev->u.cursor.new_text = lua_tolstring(L, statement, &ev->u.cursor.new_text_len);
        lua_pushvalue(L, statement);
        agl_event_keep(L, 1);
    }
    if (!lua_istable(L, params))
        return;
    lua_pushnil(L);
    agl_params_read(L, params, top + 1, s, &p, AGL_PARAMS_POSITIONAL);
    if (p.nsets != ev->u.cursor.nsets && !(p.nsets == 0 && ev->u.cursor.nsets <= 1))
        agl_error(L, AG_EXC_ARGUMENT, "before_cursor_execute returned %I parameter sets for %I", (LUAI_UACINT)p.nsets,
                  (LUAI_UACINT)ev->u.cursor.nsets);
    ev->u.cursor.new_values = p.values;
    ev->u.cursor.new_nparams = p.nkeys;
    lua_settop(L, top + 1);
    agl_event_keep(L, 1);
}

/* before_execute: statement, multiparams, params */
static void answer_execute(lua_State *L, agl_scope *s, ag_event *ev)
{
    int top = lua_gettop(L), statement = top - 2, many = top - 1, one = top;
    ag_exec_request *req;
    const struct ag_node *node = agl_node_at(L, statement);
    if (!node)
        return;
    req = agl_scope_new(L, s, sizeof *req);
    *req = *ev->u.execute.request;
    req->stmt = node;
    req->serial = 0;
    req->text = NULL;
    req->compiled = NULL;
    lua_pushnil(L);
    if (lua_istable(L, many) && lua_rawlen(L, many) > 0)
        agl_params_read(L, many, top + 1, s, &req->params, 0);
    else if (lua_istable(L, one))
        agl_params_read(L, one, top + 1, s, &req->params, 0);
    lua_settop(L, top + 1);
    agl_event_keep(L, 1);
    lua_pushvalue(L, statement);
    agl_event_keep(L, 1);
    ev->u.execute.replace = req;
}

static bool flag(lua_State *L, int t, const char *name)
{
    bool on;
    lua_getfield(L, t, name);
    on = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return on;
}

/* handle_error: an error object takes the place of the error */
static void answer_error(lua_State *L, ag_event *ev)
{
    int top = lua_gettop(L);
    lua_getiuservalue(L, 1, 2);
    if (lua_istable(L, -1)) {
        ev->u.error.is_disconnect = flag(L, -1, "is_disconnect");
        ev->u.error.invalidate_pool_on_disconnect = flag(L, -1, "invalidate_pool_on_disconnect");
    }
    lua_settop(L, top);
    if (!lua_isnil(L, top - 2))
        agl_error_from_lua(L, top - 2, ev->u.error.error);
}

/* checkout: a listener that raised DisconnectionError was answered by argent.event with "disconnect" */
static void answer_checkout(lua_State *L, ag_event *ev)
{
    const char *what = lua_type(L, -3) == LUA_TSTRING ? lua_tostring(L, -3) : "";
    ev->u.checkout.disconnect = strcmp(what, "disconnect") == 0 || strcmp(what, "invalidate") == 0;
    ev->u.checkout.invalidate_pool = strcmp(what, "invalidate") == 0;
}

void agl_event_answer(lua_State *L, agl_scope *s, ag_event *ev)
{
    switch (ev->id) {
    case AG_EV_BEFORE_CURSOR_EXECUTE: answer_cursor(L, s, ev); break;
    case AG_EV_BEFORE_EXECUTE: answer_execute(L, s, ev); break;
    case AG_EV_DO_EXECUTE:
    case AG_EV_DO_EXECUTEMANY: ev->u.cursor.handled = lua_toboolean(L, -3); break;
    case AG_EV_HANDLE_ERROR: answer_error(L, ev); break;
    case AG_EV_CHECKOUT: answer_checkout(L, ev); break;
    case AG_EV_DO_CONNECT:
        if (!lua_isnil(L, -3)) {
            lua_pushvalue(L, -3);
            ev->u.do_connect.replace = ag_url_ref(agl_url_check(L, lua_gettop(L)));
        }
        break;
    default: break;
    }
}

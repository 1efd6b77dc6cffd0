/* Transactions: the handles, and what begins and ends them on a connection. The forms that take a function are
 * argent.engine's (Lua). */
#include "binding/lua_connection.h"
#include "binding/module.h"
#include <string.h>

/* ---- handles ---- */

agl_transaction *agl_transaction_check(lua_State *L, int arg)
{
    agl_transaction *b = agl_check(L, arg, AGL_K_TRANSACTION);
    if (!b->t)
        agl_argerror(L, arg, "this transaction is closed");
    return b;
}

/* Push an empty box for a transaction of the connection handle at conn. */
static agl_transaction *transaction_new(lua_State *L, int conn)
{
    agl_transaction *b;
    agl_connection *c = agl_check(L, conn, AGL_K_CONNECTION);
    conn = lua_absindex(L, conn);
    b = agl_box_new(L, AGL_K_TRANSACTION, sizeof *b, 1);
    agl_box_anchor(L, -1, 1, conn);
    b->st = agl_state_ref(L);
    b->host = c->host;
    return b;
}

void agl_transaction_push(lua_State *L, ag_transaction *t)
{
    agl_transaction *b;
    int conn;
    if (agl_handle_push(L, t))
        return;
    lua_pop(L, 1);
    agl_connection_push(L, ag_transaction_connection(t));
    conn = lua_gettop(L);
    if (lua_isnil(L, conn))
        return;
    b = transaction_new(L, conn);
    b->t = ag_transaction_ref(t);
    agl_handle_put(L, -1, t);
    lua_remove(L, conn);
}

static void unref_transaction(void *obj)
{
    ag_transaction_unref(obj);
}

static void release_transaction(void *obj)
{
    ag_transaction_release(obj);
    ag_transaction_unref(obj);
}

static int transaction_gc(lua_State *L)
{
    agl_transaction *b = agl_test(L, 1, AGL_K_TRANSACTION);
    if (b && b->st) {
        agl_state *st = b->st;
        ag_transaction *t = b->t;
        b->st = NULL;
        b->t = NULL;
        if (t)
            agl_defer(st, L, unref_transaction, t);
        agl_state_unref(st);
    }
    return 0;
}

/* __close: one that was neither committed nor rolled back is rolled back, without waiting */
static int transaction_close_scope(lua_State *L)
{
    agl_transaction *b = agl_test(L, 1, AGL_K_TRANSACTION);
    if (b && b->t && ag_transaction_is_active(b->t))
        agl_defer(b->st, L, release_transaction, ag_transaction_ref(b->t));
    return 0;
}

/* ---- running ---- */

/* A commit whose connection was lost says that nobody knows how it ended. */
static int tx_failed(lua_State *L, agl_scope *s)
{
    bool unknown = ((ag_tx_op *)s->op)->outcome_unknown;
    agl_push_error(L, &s->err, AGL_NO_STATEMENT, NULL);
    if (unknown && lua_istable(L, -1)) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "outcome_unknown");
    }
    return lua_error(L);
}

static ag_tx_op *prepare(lua_State *L, agl_host *host, agl_scope **out)
{
    agl_scope *s = agl_scope_open(L);
    ag_tx_op *op = agl_scope_new(L, s, sizeof *op);
    s->host = host;
    s->failed = tx_failed;
    *out = s;
    return op;
}

/* ---- ending ---- */

typedef ag_status (*tx_init)(ag_tx_op *op, ag_transaction *t, ag_error *err);

static int end_transaction(lua_State *L, tx_init init)
{
    agl_transaction *b = agl_transaction_check(L, 1);
    agl_scope *s;
    ag_tx_op *op = prepare(L, b->host, &s);
    agl_scope_must(L, s, init(op, b->t, &s->err));
    return agl_run_void(L, s, &op->op);
}

static int transaction_commit(lua_State *L)
{
    return end_transaction(L, ag_tx_commit_init);
}

static int transaction_rollback(lua_State *L)
{
    return end_transaction(L, ag_tx_rollback_init);
}

static int transaction_close(lua_State *L)
{
    return end_transaction(L, ag_tx_close_init);
}

static int transaction_prepare(lua_State *L)
{
    return end_transaction(L, ag_tx_prepare_init);
}

typedef ag_status (*conn_tx_init)(ag_tx_op *op, ag_connection *c, ag_error *err);

static int end_on_connection(lua_State *L, conn_tx_init init)
{
    agl_connection *b = agl_connection_check(L, 1);
    agl_scope *s;
    ag_tx_op *op = prepare(L, b->host, &s);
    agl_scope_must(L, s, init(op, b->c, &s->err));
    return agl_run_void(L, s, &op->op);
}

static int connection_commit(lua_State *L)
{
    return end_on_connection(L, ag_connection_commit_init);
}

static int connection_rollback(lua_State *L)
{
    return end_on_connection(L, ag_connection_rollback_init);
}

/* ---- beginning ---- */

/* the box is at index 3 */
static int begin_done(lua_State *L, agl_scope *s)
{
    ag_tx_op *op = (ag_tx_op *)s->op;
    agl_transaction *b = agl_check(L, 3, AGL_K_TRANSACTION);
    b->t = op->tx;
    op->tx = NULL;
    agl_handle_put(L, 3, b->t);
    lua_pushvalue(L, 3);
    return 1;
}

static int begin(lua_State *L, conn_tx_init init)
{
    agl_connection *b = agl_connection_check(L, 1);
    agl_scope *s;
    ag_tx_op *op;
    lua_settop(L, 2);
    transaction_new(L, 1);
    op = prepare(L, b->host, &s);
    agl_scope_must(L, s, init(op, b->c, &s->err));
    return agl_op_run(L, s, &op->op, begin_done);
}

/* conn:_begin(), conn:_begin_nested(): argent.engine adds the forms with a function */
static int connection_begin(lua_State *L)
{
    return begin(L, ag_begin_init);
}

static int connection_begin_nested(lua_State *L)
{
    return begin(L, ag_begin_nested_init);
}

/* ---- two phases ---- */

static const char *check_xid(lua_State *L, int arg)
{
    size_t n;
    const char *xid = agl_check_string(L, arg, &n);
    if (n == 0 || strlen(xid) != n)
        agl_argerror(L, arg, "expected a transaction id without NUL bytes");
    return xid;
}

/* conn:begin_twophase([xid]) */
static int connection_begin_twophase(lua_State *L)
{
    agl_connection *b = agl_connection_check(L, 1);
    const char *xid = lua_isnoneornil(L, 2) ? NULL : check_xid(L, 2);
    agl_scope *s;
    ag_tx_op *op;
    lua_settop(L, 2);
    transaction_new(L, 1);
    op = prepare(L, b->host, &s);
    agl_scope_must(L, s, ag_begin_twophase_init(op, b->c, xid, &s->err));
    return agl_op_run(L, s, &op->op, begin_done);
}

static int recover_done(lua_State *L, agl_scope *s)
{
    ag_tx_op *op = (ag_tx_op *)s->op;
    lua_createtable(L, (int)op->nxids, 0);
    for (size_t i = 0; i < op->nxids; i++) {
        lua_pushstring(L, op->xids[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* conn:recover_twophase() → array of ids */
static int connection_recover_twophase(lua_State *L)
{
    agl_connection *b = agl_connection_check(L, 1);
    agl_scope *s;
    ag_tx_op *op = prepare(L, b->host, &s);
    agl_scope_must(L, s, ag_recover_init(op, b->c, &s->err));
    return agl_op_run(L, s, &op->op, recover_done);
}

static int end_prepared(lua_State *L, bool commit)
{
    static const char *const known[] = {"recover", NULL};
    agl_connection *b = agl_connection_check(L, 1);
    const char *xid = check_xid(L, 2);
    bool recover;
    agl_scope *s;
    ag_tx_op *op;
    agl_check_options(L, 3, known);
    recover = agl_opt_boolean(L, 3, "recover", false);
    op = prepare(L, b->host, &s);
    agl_scope_must(L, s, ag_prepared_init(op, b->c, xid, commit, recover, &s->err));
    return agl_run_void(L, s, &op->op);
}

static int connection_commit_prepared(lua_State *L)
{
    return end_prepared(L, true);
}

static int connection_rollback_prepared(lua_State *L)
{
    return end_prepared(L, false);
}

/* ---- looking ---- */

static int get_is_active(lua_State *L)
{
    agl_transaction *b = agl_check(L, 1, AGL_K_TRANSACTION);
    lua_pushboolean(L, b->t && ag_transaction_is_active(b->t));
    return 1;
}

static int get_is_valid(lua_State *L)
{
    agl_transaction *b = agl_check(L, 1, AGL_K_TRANSACTION);
    lua_pushboolean(L, b->t && ag_transaction_is_valid(b->t));
    return 1;
}

static int get_nested(lua_State *L)
{
    lua_pushboolean(L, ag_transaction_kind(agl_transaction_check(L, 1)->t) == AG_TXK_NESTED);
    return 1;
}

static int get_connection(lua_State *L)
{
    agl_check(L, 1, AGL_K_TRANSACTION);
    lua_getiuservalue(L, 1, 1);
    return 1;
}

static int push_text(lua_State *L, const char *s)
{
    if (s)
        lua_pushstring(L, s);
    else
        lua_pushnil(L);
    return 1;
}

static int get_xid(lua_State *L)
{
    return push_text(L, ag_transaction_xid(agl_transaction_check(L, 1)->t));
}

static int get_savepoint(lua_State *L)
{
    return push_text(L, ag_transaction_savepoint(agl_transaction_check(L, 1)->t));
}

/* tx:_release(): undo it without waiting, for when rollback() failed; argent.engine only */
static int transaction_release(lua_State *L)
{
    agl_transaction *b = agl_transaction_check(L, 1);
    agl_defer(b->st, L, release_transaction, ag_transaction_ref(b->t));
    return 0;
}

/* tx:_block(true): the transaction is run by a function; argent.engine only */
static int transaction_block(lua_State *L)
{
    ag_transaction_set_block(agl_transaction_check(L, 1)->t, lua_toboolean(L, 2));
    return 0;
}

static int transaction_tostring(lua_State *L)
{
    static const char *const names[] = {"RootTransaction", "NestedTransaction", "TwoPhaseTransaction"};
    agl_transaction *b = agl_transaction_check(L, 1);
    lua_pushfstring(L, "%s(%s%p)", names[ag_transaction_kind(b->t)], ag_transaction_is_active(b->t) ? "" : "ended, ",
                    (void *)b);
    return 1;
}

const luaL_Reg agl_connection_transaction_methods[] = {
    {"commit", connection_commit},
    {"rollback", connection_rollback},
    {"_begin", connection_begin},
    {"_begin_nested", connection_begin_nested},
    {"begin_twophase", connection_begin_twophase},
    {"recover_twophase", connection_recover_twophase},
    {"commit_prepared", connection_commit_prepared},
    {"rollback_prepared", connection_rollback_prepared},
    {NULL, NULL},
};
static const luaL_Reg methods[] = {
    {"commit", transaction_commit},
    {"rollback", transaction_rollback},
    {"close", transaction_close},
    {"prepare", transaction_prepare},
    {"_block", transaction_block},
    {"_release", transaction_release},
    {NULL, NULL},
};
static const luaL_Reg getters[] = {
    {"is_active", get_is_active},
    {"is_valid", get_is_valid},
    {"nested", get_nested},
    {"connection", get_connection},
    {"xid", get_xid},
    {"savepoint", get_savepoint},
    {NULL, NULL},
};
static const luaL_Reg meta[] = {
    {"__gc", transaction_gc}, {"__close", transaction_close_scope}, {"__tostring", transaction_tostring}, {NULL, NULL}};
static const agl_class transaction_class = {
    .name = "Transaction", .methods = methods, .getters = getters, .meta = meta};

void agl_open_transaction(lua_State *L)
{
    agl_class_open(L, AGL_K_TRANSACTION, &transaction_class);
}

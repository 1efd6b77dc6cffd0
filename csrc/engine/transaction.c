/* The chain of transactions of a connection: the root (begun or autobegun) and the savepoints inside it, innermost
 * first. This file keeps the books; tx_op.c talks to the database. A transaction outlives its place in the chain
 * as long as the host holds its handle. */
#include "engine/connection_internal.h"
#include <stdio.h>
#include <string.h>

static void tx_free(ag_transaction *t)
{
    const ag_alloc *a = ag_conn_alloc(t->conn);
    for (ag_transaction **at = &t->conn->block; *at; at = &(*at)->outer_block) {
        if (*at == t) {
            *at = t->outer_block;
            break;
        }
    }
    ag_mem_free(a, t->xid);
    ag_mem_free(a, t);
}

ag_transaction *ag_tx_new(ag_connection *c, ag_tx_kind kind, ag_error *err)
{
    ag_transaction *t = ag_mem_zero(ag_conn_alloc(c), 1, sizeof *t);
    if (!t) {
        ag_fail_nomem(err);
        return NULL;
    }
    t->conn = c;
    t->kind = kind;
    t->linked = t->active = true;
    if (kind == AG_TXK_NESTED) {
        t->number = ++c->savepoints;
        (void)snprintf(t->name, sizeof t->name, "ag_savepoint_%u", t->number);
        t->parent = c->nested ? c->nested : c->root;
        c->nested = t;
    } else {
        c->root = t;
    }
    return t;
}

ag_transaction *ag_transaction_ref(ag_transaction *t)
{
    if (t->refs++ == 0)
        ag_connection_ref(t->conn);
    return t;
}

void ag_transaction_unref(ag_transaction *t)
{
    if (!t || --t->refs)
        return;
    ag_connection *c = t->conn;
    if (!t->linked)
        tx_free(t);
    ag_connection_unref(c);
}

static void forget_cmds(ag_connection *c, const ag_transaction *t)
{
    size_t n = 0;
    for (size_t i = 0; i < c->cmds.len; i++)
        if (c->cmds.items[i].tx != t)
            c->cmds.items[n++] = c->cmds.items[i];
    c->cmds.len = n;
}

static void unlink_one(ag_transaction *t)
{
    forget_cmds(t->conn, t);
    t->linked = t->active = false;
    t->parent = NULL;
    if (!t->refs)
        tx_free(t);
}

void ag_tx_unlink(ag_transaction *t)
{
    if (!t->linked)
        return;
    ag_connection *c = t->conn;
    bool root = t == c->root;
    while (c->nested) {
        ag_transaction *in = c->nested;
        bool last = in == t;
        c->nested = in->parent == c->root ? NULL : in->parent;
        unlink_one(in);
        if (last)
            return;
    }
    if (root) {
        c->root = NULL;
        c->ended_by_db = false;
        unlink_one(t);
    }
}

void ag_tx_deactivate(ag_transaction *t)
{
    if (!t->linked)
        return;
    for (ag_transaction *in = t->conn->nested; in && in != t; in = in->parent)
        in->active = false;
    t->active = false;
}

void ag_conn_tx_over(ag_connection *c)
{
    c->begun = false;
    c->cmds.len = 0;
    for (ag_transaction *t = c->nested; t; t = t->parent)
        t->sent = false;
    ag_token_release(c->engine->s, c);
    if (c->pconn && c->pconn->tx_owner == c)
        c->pconn->tx_owner = NULL;
}

ag_status ag_conn_push_cmd(ag_connection *c, ag_cmd_kind kind, ag_transaction *tx, const char *text, ag_error *err)
{
    ag_cmd cmd = {.kind = kind, .tx = tx};
    (void)snprintf(cmd.text, sizeof cmd.text, "%s", text);
    return ag_vec_push(&c->cmds, cmd) ? AG_OK : ag_fail_nomem(err);
}

/* ---- ending without waiting ---- */

static void release_nested(ag_transaction *t)
{
    ag_connection *c = t->conn;
    char text[72];
    ag_error err = {0};
    if (t->sent && c->begun) {
        (void)snprintf(text, sizeof text, "ROLLBACK TO SAVEPOINT %s", t->name);
        ag_status st = ag_conn_push_cmd(c, AG_CMD_ROLLBACK_TO, NULL, text, &err);
        if (st != AG_OK && c->root)
            ag_tx_deactivate(c->root); /* it cannot be undone alone: then all of it */
    }
    ag_error_clear(&err);
    ag_tx_unlink(t);
}

void ag_transaction_release(ag_transaction *t)
{
    ag_connection *c = t->conn;
    if (!t->linked || c->closed)
        return;
    ag_conn_close_streams(c, "rollback", t->kind == AG_TXK_NESTED ? t : NULL);
    if (t->kind == AG_TXK_NESTED) {
        release_nested(t);
        return;
    }
    if (c->begun && c->pconn && c->pconn->dc) {
        c->epoch++;
        ag_conn_driver(c)->cancel(c->pconn->dc);
        ag_conn_driver(c)->release(c->pconn->dc, false);
        c->pconn->draining = true;
    }
    ag_conn_tx_over(c);
    ag_tx_unlink(t);
}

/* ---- may it? ---- */

ag_status ag_conn_check_tx(const ag_connection *c, ag_error *err)
{
    const char *which = c->nested ? "savepoint " : "";
    const ag_transaction *t = c->nested ? c->nested : c->root;
    if (t && (c->invalidated || !c->pconn || !c->pconn->dc))
        return ag_fail(err, AG_EXC_PENDING_ROLLBACK,
                       "Can't reconnect until invalid %stransaction is rolled back.  Please rollback() fully before "
                       "proceeding",
                       which);
    if (c->block && !c->block->active)
        return ag_fail(err, AG_EXC_INVALID_REQUEST,
                       "Can't operate on closed transaction inside its block.  Please leave the block before sending "
                       "further commands.");
    if (t && c->root->prepared)
        return ag_fail(err, AG_EXC_INVALID_REQUEST,
                       "This connection's two-phase transaction is prepared: commit() or rollback() it before sending "
                       "further commands");
    if (!t || (t->active && c->root->active))
        return AG_OK;
    return ag_fail(err, AG_EXC_PENDING_ROLLBACK,
                   "This connection is on an inactive %stransaction%s.  Please rollback() fully before proceeding",
                   which, c->ended_by_db ? " (the database ended it)" : "");
}

ag_status ag_conn_check_owner(const ag_connection *c, const char *verb, ag_error *err)
{
    const ag_connection *o = c->pconn ? c->pconn->tx_owner : NULL;
    if (!o || o == c)
        return AG_OK;
    return ag_fail(
        err, AG_EXC_INVALID_REQUEST,
        "cannot %s: the open transaction of this shared in-memory database belongs to connection %llu, borrowed "
        "at %s: commit or roll it back first",
        verb, (unsigned long long)o->id, o->where ? o->where : "an unknown place");
}

/* ---- autobegin ---- */

ag_step ag_conn_autobegin(ag_connection *c, ag_op *op, ag_event *ev, int *line, ag_error *err)
{
    AG_CO_BEGIN(*line)
    /* what ran since the statement began (a default, a listener) may have closed it: a transaction begun now would check a
     * connection out that nothing gives back */
    if (c->closed) {
        ag_fail(err, AG_EXC_RESOURCE_CLOSED, "This Connection is closed");
        return AG_STEP_FAILED;
    }
    if (c->root) {
        *line = 0;
        return AG_STEP_DONE;
    }
    if (!ag_tx_new(c, AG_TXK_ROOT, err))
        return AG_STEP_FAILED;
    if (ag_conn_prepare_event(c, op, ev, AG_EV_BEGIN)) {
        AG_CO_YIELD(*line, AG_STEP_CALL)
        ag_status st = ag_op_answer(op, err) == AG_STEP_DONE ? AG_OK : AG_ERROR;
        if (st == AG_OK && (c->closed || !c->root))
            st = ag_fail(err, AG_EXC_INVALID_REQUEST,
                         "a listener of \"begin\" ended the transaction that had just begun");
        if (st != AG_OK) {
            *line = 0;
            return AG_STEP_FAILED;
        }
    }
    AG_CO_END(*line);
    return AG_STEP_DONE;
}

/* ---- looking ---- */

bool ag_connection_in_transaction(const ag_connection *c)
{
    return c->root && c->root->active;
}

bool ag_connection_in_nested(const ag_connection *c)
{
    return c->nested && c->nested->active;
}

ag_transaction *ag_connection_transaction(const ag_connection *c)
{
    return c->root;
}

ag_transaction *ag_connection_nested(const ag_connection *c)
{
    return c->nested;
}

ag_tx_kind ag_transaction_kind(const ag_transaction *t)
{
    return t->kind;
}

bool ag_transaction_is_active(const ag_transaction *t)
{
    return t->active;
}

bool ag_transaction_is_valid(const ag_transaction *t)
{
    return !t->conn->invalidated;
}

ag_connection *ag_transaction_connection(const ag_transaction *t)
{
    return t->conn;
}

const char *ag_transaction_xid(const ag_transaction *t)
{
    return t->xid;
}

const char *ag_transaction_savepoint(const ag_transaction *t)
{
    return t->kind == AG_TXK_NESTED ? t->name : NULL;
}

void ag_transaction_set_block(ag_transaction *t, bool block)
{
    ag_transaction **at = &t->conn->block;
    while (*at && *at != t)
        at = &(*at)->outer_block;
    if (block && !*at) {
        t->outer_block = t->conn->block;
        t->conn->block = t;
    } else if (!block && *at) {
        *at = t->outer_block;
    }
}

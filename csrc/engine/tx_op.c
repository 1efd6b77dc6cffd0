/* The transaction operations: begin, savepoints, commit, rollback, two-phase. Each is: may it be done; tell the
 * listeners; what the database has to hear; the books. A statement that has nothing to end in the database is not
 * sent. */
#include "engine/log.h"
#include "engine/segment.h"
#include <stdio.h>
#include <string.h>

enum {
    DO_BEGIN,
    DO_NESTED,
    DO_TWOPHASE,
    DO_COMMIT,
    DO_ROLLBACK,
    DO_RELEASE, /* commit of a savepoint */
    DO_ROLLBACK_TO,
    DO_PREPARE,
    DO_END_PREPARED, /* COMMIT PREPARED / ROLLBACK PREPARED of a foreign xid */
    DO_RECOVER,
    DO_NOTHING,
};

/* ---- beginning ---- */

static ag_status check_begin(const ag_tx_op *op, ag_error *err)
{
    const ag_connection *c = op->conn;
    AG_TRY(ag_conn_check_owner(c, op->what == DO_NESTED ? "begin_nested" : "begin", err));
    if (op->what == DO_NESTED) {
        AG_TRY(ag_conn_check_tx(c, err));
        if (ag_conn_autocommit(c))
            return ag_fail(err, AG_EXC_INVALID_REQUEST,
                           "a savepoint needs a transaction, and this connection's isolation level is AUTOCOMMIT");
        return AG_OK;
    }
    if (c->root)
        return ag_fail(err, AG_EXC_INVALID_REQUEST,
                       "This connection has already initialized a Transaction via begin() or autobegin; can't call "
                       "%s() here unless rollback() or commit() is called first.",
                       op->what == DO_TWOPHASE ? "begin_twophase" : "begin");
    return ag_conn_check_tx(c, err);
}

static ag_status new_nested(ag_tx_op *op, ag_error *err)
{
    ag_transaction *t = ag_tx_new(op->conn, AG_TXK_NESTED, err);
    if (!t)
        return AG_NOMEM;
    char text[64];
    (void)snprintf(text, sizeof text, "SAVEPOINT %s", t->name);
    ag_status st = ag_conn_push_cmd(op->conn, AG_CMD_SAVEPOINT, t, text, err);
    if (st != AG_OK) {
        ag_tx_unlink(t);
        return st;
    }
    op->tx = ag_transaction_ref(t);
    return AG_OK;
}

static ag_status new_twophase(ag_tx_op *op, ag_error *err)
{
    ag_transaction *t = ag_tx_new(op->conn, AG_TXK_TWOPHASE, err);
    if (!t)
        return AG_NOMEM;
    t->xid = ag_mem_strndup(ag_conn_alloc(op->conn), op->xid, strlen(op->xid));
    if (!t->xid) {
        ag_tx_unlink(t);
        return ag_fail_nomem(err);
    }
    op->tx = ag_transaction_ref(t);
    return AG_OK;
}

/* ---- what the database has to hear ---- */

static void log_text(void *ud)
{
    const ag_tx_op *op = ud;
    const ag_engine *e = op->conn->engine;
    if (op->request.text && ag_engine_logs(e))
        ag_log_write(e->s->host, e->s->logger, AG_LOG_INFO, op->request.text, op->request.text_len);
}

static ag_status make_segment(ag_tx_op *op, const char *text, const char *tag, ag_seg_need need, ag_error *err)
{
    const ag_connection *c = op->conn;
    op->seg = ag_arena_zero(&op->arena, 1, sizeof *op->seg);
    if (!op->seg)
        return ag_fail_nomem(err);
    op->request = (ag_request){.text = text, .text_len = text ? strlen(text) : 0, .nsets = 1};
    if (op->what == DO_RECOVER)
        op->request.flags = AG_REQ_ROWS;
    op->tag = tag;
    int64_t deadline = c->x.timeout_us > 0 ? ag_now_us() + c->x.timeout_us : AG_NO_DEADLINE;
    ag_segment_init(op->seg, op->conn, &op->request, &op->reply, text ? 1 : 0, need, deadline);
    op->seg->log = log_text;
    op->seg->log_ud = op;
    return AG_OK;
}

/* "PREPARE TRANSACTION 'x'" */
static const char *with_xid(ag_tx_op *op, const char *verb, const char *xid)
{
    size_t vn = strlen(verb), n = strlen(xid), at = 0;
    char *out = ag_arena_new(&op->arena, vn + 2 * n + 4);
    if (!out)
        return NULL;
    memcpy(out, verb, vn);
    at = vn;
    out[at++] = ' ';
    out[at++] = '\'';
    for (size_t i = 0; i < n; i++) {
        if (xid[i] == '\'')
            out[at++] = '\'';
        out[at++] = xid[i];
    }
    out[at++] = '\'';
    out[at] = '\0';
    return out;
}

static ag_status plan_prepared(ag_tx_op *op, const char *xid, bool commit, ag_error *err)
{
    const char *text = with_xid(op, commit ? "COMMIT PREPARED" : "ROLLBACK PREPARED", xid);
    return text ? make_segment(op, text, NULL, AG_SEG_BARE, err) : ag_fail_nomem(err);
}

static ag_status plan_commit(ag_tx_op *op, ag_error *err)
{
    ag_connection *c = op->conn;
    if (op->target->prepared)
        return plan_prepared(op, op->target->xid, true, err);
    ag_conn_close_streams(c, "commit", NULL);
    if (c->nested) { /* their savepoints end with the transaction */
        ag_transaction *outermost = c->nested;
        while (outermost->parent && outermost->parent != c->root)
            outermost = outermost->parent;
        ag_tx_unlink(outermost);
    }
    return c->begun ? make_segment(op, "COMMIT", "COMMIT", AG_SEG_BARE, err) : AG_OK;
}

static ag_status plan_rollback(ag_tx_op *op, ag_error *err)
{
    ag_connection *c = op->conn;
    if (op->target->prepared)
        return plan_prepared(op, op->target->xid, false, err);
    ag_conn_close_streams(c, "rollback", NULL);
    c->cmds.len = 0;
    return c->begun && c->pconn && c->pconn->dc ? make_segment(op, "ROLLBACK", NULL, AG_SEG_BARE, err) : AG_OK;
}

/* Where round trips cost, the end of a savepoint travels with the next statement; in a failed transaction a
 * RELEASE has to fail now. */
static ag_status plan_savepoint_end(ag_tx_op *op, ag_error *err)
{
    ag_connection *c = op->conn;
    ag_transaction *t = op->target;
    const ag_driver *d = ag_conn_driver(c);
    char text[72];
    bool release = op->what == DO_RELEASE, sent = t->sent && c->begun && c->pconn && c->pconn->dc;
    ag_conn_close_streams(c, release ? "release of its savepoint" : "rollback to its savepoint", t);
    if (!sent)
        return AG_OK;
    if (!release) {
        (void)snprintf(text, sizeof text, "ROLLBACK TO SAVEPOINT %s", t->name);
        AG_TRY(ag_conn_push_cmd(c, AG_CMD_ROLLBACK_TO, NULL, text, err));
    }
    (void)snprintf(text, sizeof text, "RELEASE SAVEPOINT %s", t->name);
    AG_TRY(ag_conn_push_cmd(c, AG_CMD_RELEASE, NULL, text, err));
    bool now = !(d->caps & AG_DRV_PIPELINE) || (release && d->tx_state(c->pconn->dc) != AG_TX_ACTIVE);
    return now ? make_segment(op, NULL, NULL, AG_SEG_BARE, err) : AG_OK;
}

static ag_status plan_prepare(ag_tx_op *op, ag_error *err)
{
    const char *text = with_xid(op, "PREPARE TRANSACTION", op->target->xid);
    ag_conn_close_streams(op->conn, "prepare", NULL);
    return text ? make_segment(op, text, "PREPARE TRANSACTION", AG_SEG_WRITES, err) : ag_fail_nomem(err);
}

static ag_status plan(ag_tx_op *op, ag_error *err)
{
    switch (op->what) {
    case DO_COMMIT: return plan_commit(op, err);
    case DO_ROLLBACK: return plan_rollback(op, err);
    case DO_RELEASE:
    case DO_ROLLBACK_TO: return plan_savepoint_end(op, err);
    case DO_PREPARE: return plan_prepare(op, err);
    case DO_END_PREPARED: return plan_prepared(op, op->xid, op->announce == AG_EV_COMMIT_TWOPHASE, err);
    case DO_RECOVER:
        return make_segment(op,
                            "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared",
                            NULL, AG_SEG_BARE, err);
    default: return AG_OK;
    }
}

/* ---- may it? ---- */

static ag_status check_end(const ag_tx_op *op, ag_error *err)
{
    const ag_transaction *t = op->target;
    const ag_connection *c = op->conn;
    bool undo = op->what == DO_ROLLBACK || op->what == DO_ROLLBACK_TO;
    if (!t)
        return AG_OK;
    if (!op->closing || c->begun)
        AG_TRY(ag_conn_check_owner(c, undo ? "rollback" : "commit", err));
    if (undo || t->active)
        return AG_OK;
    if (!t->linked)
        return ag_fail(err, AG_EXC_INVALID_REQUEST, "This %stransaction is inactive",
                       t->kind == AG_TXK_NESTED ? "nested " : "");
    return ag_conn_check_tx(c, err);
}

/* ---- the books afterwards ---- */

/* COMMIT of a transaction that had failed answers ROLLBACK, without an error. */
static void check_tag(ag_tx_op *op)
{
    ag_segment *s = op->seg;
    if (s->error.set || !op->tag || strcmp(op->reply.tag, "ROLLBACK") != 0)
        return;
    ag_fail(
        &s->error, AG_EXC_INTERNAL,
        "%s did not commit: the transaction had failed before, and the database rolled it back (it answered ROLLBACK)",
        op->tag);
    memcpy(s->error.sqlstate, "25P02", 6);
}

static void note_outcome(ag_tx_op *op)
{
    ag_segment *s = op->seg;
    if (!s->error.set || !s->error.disconnect || op->what != DO_COMMIT)
        return;
    op->outcome_unknown = s->sent_all;
    static const char lost[] = "the connection was lost while COMMIT was under way: whether it happened is not known";
    if (s->sent_all)
        ag_error_text(&s->error, &s->error.hint, lost, sizeof lost - 1);
}

static void settle(ag_tx_op *op, bool failed)
{
    ag_connection *c = op->conn;
    ag_transaction *t = op->target;
    if (!t)
        return;
    bool undo = op->what == DO_ROLLBACK || op->what == DO_ROLLBACK_TO;
    if (op->what == DO_PREPARE) {
        t->prepared = !failed;
        if (failed)
            ag_tx_deactivate(t);
        return;
    }
    if (undo && failed && t->kind == AG_TXK_NESTED && c->root)
        ag_tx_deactivate(c->root); /* it could not be undone alone: then all of it */
    if (undo || !failed) {
        if (t == c->root)
            ag_conn_tx_over(c);
        ag_tx_unlink(t);
        return;
    }
    /* a commit that failed: where the transaction is still open (a lock, a deferred constraint) it may be tried
     * again */
    bool open = c->begun && c->pconn && c->pconn->dc && ag_conn_driver(c)->tx_state(c->pconn->dc) == AG_TX_ACTIVE;
    if (!open)
        ag_tx_deactivate(t);
}

static ag_status read_xids(ag_tx_op *op, ag_error *err)
{
    ag_rows_pos pos = {0};
    const ag_row *row;
    op->xids = ag_arena_zero(&op->arena, op->reply.rows.count + 1, sizeof *op->xids);
    if (!op->xids)
        return ag_fail_nomem(err);
    while ((row = ag_rows_next(&op->reply.rows, &pos))) {
        ag_value v;
        ag_row_get(&v, row, 0);
        if (!ag_vkind_has_bytes(v.kind))
            continue;
        op->xids[op->nxids] = ag_arena_strndup(&op->arena, v.u.s.p, v.u.s.n);
        if (!op->xids[op->nxids++])
            return ag_fail_nomem(err);
    }
    return AG_OK;
}

/* ---- the op ---- */

static bool announces(ag_tx_op *op)
{
    if (op->what == DO_BEGIN || op->announce == AG_EV_COUNT)
        return false;
    if (!ag_conn_prepare_event(op->conn, &op->op, &op->event, op->announce))
        return false;
    const ag_transaction *t = op->tx ? op->tx : op->target;
    if (op->announce >= AG_EV_BEGIN_TWOPHASE && op->announce <= AG_EV_ROLLBACK_TWOPHASE) {
        op->event.u.twophase.xid = t ? t->xid : op->xid;
        op->event.u.twophase.is_prepared = !t || t->prepared;
    } else if (t && t->kind == AG_TXK_NESTED) {
        op->event.u.savepoint.name = t->name;
    }
    return true;
}

static ag_step begin_step(ag_tx_op *op, ag_error *err)
{
    AG_CO_BEGIN(op->line2)
    if (check_begin(op, err) != AG_OK)
        return AG_STEP_FAILED;
    if (op->what == DO_TWOPHASE) {
        if (new_twophase(op, err) != AG_OK)
            return AG_STEP_FAILED;
    } else {
        AG_CO_AWAIT(op->line2, ag_conn_autobegin(op->conn, &op->op, &op->event, &op->line3, err))
        if (op->what == DO_BEGIN)
            op->tx = ag_transaction_ref(op->conn->root);
        else if (new_nested(op, err) != AG_OK)
            return AG_STEP_FAILED;
    }
    AG_CO_END(op->line2);
    return AG_STEP_DONE;
}

static ag_step run_segment(ag_tx_op *op, ag_error *err)
{
    AG_CO_BEGIN(op->line2)
    AG_CO_AWAIT(op->line2, ag_segment_step(op->seg, &op->op, err))
    check_tag(op);
    note_outcome(op);
    settle(op, op->seg->error.set);
    if (op->seg->error.set) {
        AG_CO_AWAIT(op->line2, ag_conn_fault(op->conn, &op->op, &op->event, &op->line3, &op->seg->error,
                                             op->request.text, op->request.text_len))
        ag_error_move(err, &op->seg->error);
        return AG_STEP_FAILED;
    }
    if (op->what == DO_RECOVER && read_xids(op, err) != AG_OK)
        return AG_STEP_FAILED;
    AG_CO_END(op->line2);
    return AG_STEP_DONE;
}

static bool is_begin(const ag_tx_op *op)
{
    return op->what == DO_BEGIN || op->what == DO_NESTED || op->what == DO_TWOPHASE;
}

static ag_step tx_step(ag_op *base, ag_error *err)
{
    ag_tx_op *op = (ag_tx_op *)base;
    AG_CO_BEGIN(base->line)
    if (op->what == DO_NOTHING)
        return AG_STEP_DONE;
    if (ag_conn_enter(op->conn, &op->gate, base, err) != AG_OK)
        return AG_STEP_FAILED;
    if (is_begin(op)) {
        AG_CO_AWAIT(base->line, begin_step(op, err))
    } else if (check_end(op, err) != AG_OK) {
        return AG_STEP_FAILED;
    }
    if (announces(op)) {
        AG_CO_YIELD(base->line, AG_STEP_CALL)
        if (ag_op_answer(base, err) != AG_STEP_DONE || ag_conn_resume(op->conn, &op->gate, err) != AG_OK)
            return AG_STEP_FAILED;
    }
    if (plan(op, err) != AG_OK) {
        if (op->what == DO_ROLLBACK_TO)
            settle(op, true);
        return AG_STEP_FAILED;
    }
    if (op->seg) {
        op->line2 = 0;
        AG_CO_AWAIT(base->line, run_segment(op, err))
    } else {
        settle(op, false);
    }
    ag_conn_leave(&op->gate);
    AG_CO_END(base->line);
    return AG_STEP_DONE;
}

static void tx_clear(ag_op *base)
{
    ag_tx_op *op = (ag_tx_op *)base;
    ag_conn_leave(&op->gate);
    if (op->event.queued)
        ag_pool_event_done(op->event.pool, &op->event);
    if (op->seg)
        ag_segment_clear(op->seg);
    ag_reply_clear(&op->reply);
    ag_transaction_unref(op->tx);
    op->tx = NULL;
    ag_transaction_unref(op->target);
    ag_arena_clear(&op->arena);
    ag_connection_unref(op->conn);
}

static ag_status init(ag_tx_op *op, const char *name, ag_connection *c, ag_transaction *t, int what,
                      ag_event_id announce)
{
    memset(op, 0, sizeof *op);
    ag_op_init(&op->op, name, tx_step, tx_clear);
    op->conn = ag_connection_ref(c);
    op->target = t ? ag_transaction_ref(t) : NULL;
    op->what = what;
    op->announce = announce;
    ag_arena_init(&op->arena, ag_conn_alloc(c));
    ag_reply_init(&op->reply, ag_conn_alloc(c));
    return AG_OK;
}

static ag_status check_open(const ag_connection *c, ag_error *err)
{
    return c->closed ? ag_fail(err, AG_EXC_RESOURCE_CLOSED, "This Connection is closed") : AG_OK;
}

static ag_status check_twophase(const ag_connection *c, const char *xid, ag_error *err)
{
    if (ag_conn_single_writer(c))
        return ag_fail(err, AG_EXC_NOT_SUPPORTED, "%s has no two-phase transactions", ag_conn_driver(c)->dialect);
    if (xid && (!xid[0] || strlen(xid) > 199))
        return ag_fail(err, AG_EXC_ARGUMENT, "a transaction id (xid) has 1 to 199 bytes");
    return AG_OK;
}

ag_status ag_begin_init(ag_tx_op *op, ag_connection *c, ag_error *err)
{
    AG_TRY(check_open(c, err));
    return init(op, "begin", c, NULL, DO_BEGIN, AG_EV_BEGIN);
}

ag_status ag_begin_nested_init(ag_tx_op *op, ag_connection *c, ag_error *err)
{
    AG_TRY(check_open(c, err));
    return init(op, "begin_nested", c, NULL, DO_NESTED, AG_EV_SAVEPOINT);
}

ag_status ag_begin_twophase_init(ag_tx_op *op, ag_connection *c, const char *xid, ag_error *err)
{
    AG_TRY(check_open(c, err));
    AG_TRY(check_twophase(c, xid, err));
    AG_TRY(init(op, "begin_twophase", c, NULL, DO_TWOPHASE, AG_EV_BEGIN_TWOPHASE));
    char made[80];
    if (!xid) {
        ag_engine_shared *s = c->engine->s;
        (void)snprintf(made, sizeof made, "_ag_%ld_%llx_%llu", ag_fork_pid(), (unsigned long long)ag_now_us(),
                       (unsigned long long)++s->next_xid);
        xid = made;
    }
    op->xid = ag_arena_strndup(&op->arena, xid, strlen(xid));
    if (op->xid)
        return AG_OK;
    ag_op_clear(&op->op);
    return ag_fail_nomem(err);
}

static ag_status init_root_end(ag_tx_op *op, ag_connection *c, ag_transaction *t, bool commit)
{
    bool two = t && t->kind == AG_TXK_TWOPHASE;
    ag_event_id ev =
        commit ? (two ? AG_EV_COMMIT_TWOPHASE : AG_EV_COMMIT) : (two ? AG_EV_ROLLBACK_TWOPHASE : AG_EV_ROLLBACK);
    bool nothing = !t || (!commit && !t->linked);
    return init(op, commit ? "commit" : "rollback", c, nothing ? NULL : t,
                nothing  ? DO_NOTHING
                : commit ? DO_COMMIT
                         : DO_ROLLBACK,
                ev);
}

ag_status ag_connection_commit_init(ag_tx_op *op, ag_connection *c, ag_error *err)
{
    AG_TRY(check_open(c, err));
    return init_root_end(op, c, c->root, true);
}

ag_status ag_connection_rollback_init(ag_tx_op *op, ag_connection *c, ag_error *err)
{
    AG_TRY(check_open(c, err));
    return init_root_end(op, c, c->root, false);
}

static ag_status init_end(ag_tx_op *op, ag_transaction *t, bool commit, ag_error *err)
{
    ag_connection *c = t->conn;
    AG_TRY(check_open(c, err));
    if (t->kind != AG_TXK_NESTED)
        return init_root_end(op, c, t, commit);
    bool nothing = !commit && !t->linked;
    return init(op, commit ? "commit of a savepoint" : "rollback of a savepoint", c, nothing ? NULL : t,
                nothing  ? DO_NOTHING
                : commit ? DO_RELEASE
                         : DO_ROLLBACK_TO,
                commit ? AG_EV_RELEASE_SAVEPOINT : AG_EV_ROLLBACK_SAVEPOINT);
}

ag_status ag_tx_commit_init(ag_tx_op *op, ag_transaction *t, ag_error *err)
{
    return init_end(op, t, true, err);
}

ag_status ag_tx_rollback_init(ag_tx_op *op, ag_transaction *t, ag_error *err)
{
    return init_end(op, t, false, err);
}

ag_status ag_tx_close_init(ag_tx_op *op, ag_transaction *t, ag_error *err)
{
    if (t->linked && !t->conn->closed) {
        AG_TRY(init_end(op, t, false, err));
        op->closing = true; /* never an error where there is nothing to undo */
        return AG_OK;
    }
    return init(op, "close of a transaction", t->conn, NULL, DO_NOTHING, AG_EV_COUNT);
}

ag_status ag_tx_prepare_init(ag_tx_op *op, ag_transaction *t, ag_error *err)
{
    AG_TRY(check_open(t->conn, err));
    if (t->kind != AG_TXK_TWOPHASE)
        return ag_fail(err, AG_EXC_INVALID_REQUEST, "prepare() is for transactions of begin_twophase()");
    if (!t->active || t->prepared)
        return ag_fail(err, AG_EXC_INVALID_REQUEST,
                       t->prepared ? "This transaction is prepared already" : "This transaction is inactive");
    return init(op, "prepare", t->conn, t, DO_PREPARE, AG_EV_PREPARE_TWOPHASE);
}

ag_status ag_recover_init(ag_tx_op *op, ag_connection *c, ag_error *err)
{
    AG_TRY(check_open(c, err));
    AG_TRY(check_twophase(c, NULL, err));
    return init(op, "recover_twophase", c, NULL, DO_RECOVER, AG_EV_COUNT);
}

ag_status ag_prepared_init(ag_tx_op *op, ag_connection *c, const char *xid, bool commit, bool recover, ag_error *err)
{
    AG_TRY(check_open(c, err));
    AG_TRY(check_twophase(c, xid, err));
    (void)recover;
    if (c->begun)
        return ag_fail(err, AG_EXC_INVALID_REQUEST,
                       "a prepared transaction can only be ended outside a transaction: commit() or rollback() first");
    AG_TRY(init(op, commit ? "commit_prepared" : "rollback_prepared", c, NULL, DO_END_PREPARED,
                commit ? AG_EV_COMMIT_TWOPHASE : AG_EV_ROLLBACK_TWOPHASE));
    op->xid = ag_arena_strndup(&op->arena, xid, strlen(xid));
    if (op->xid)
        return AG_OK;
    ag_op_clear(&op->op);
    return ag_fail_nomem(err);
}

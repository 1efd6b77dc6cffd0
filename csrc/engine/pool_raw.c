/* Talking to a pooled connection outside transactions: one raw statement, and collecting what was left under way. */
#include "engine/pool_internal.h"
#include <string.h>

#define CANCEL_GRACE_US (2 * INT64_C(1000000))

ag_step ag_pconn_quiesce(ag_pconn *c, ag_reply *reply, ag_error *saved, ag_wait *w)
{
    for (;;) {
        bool done = false;
        ag_error e;
        ag_error_init(&e, c->pool->alloc);
        ag_step s = c->pool->driver->collect(c->dc, reply, &done, w, &e);
        if (s == AG_STEP_WAIT) {
            ag_error_clear(&e);
            return s;
        }
        if (s == AG_STEP_FAILED && !saved->set)
            ag_error_move(saved, &e);
        ag_error_clear(&e);
        if (done)
            return AG_STEP_DONE;
    }
}

static ag_step drain_commit(ag_pconn *c, ag_wait *w, ag_error *err)
{
    ag_reply reply;
    ag_error saved;
    ag_reply_init(&reply, c->pool->alloc);
    ag_error_init(&saved, c->pool->alloc);
    ag_step s = ag_pconn_quiesce(c, &reply, &saved, w);
    ag_reply_clear(&reply);
    bool bad = saved.set || (s == AG_STEP_DONE && c->pool->driver->tx_state(c->dc) != AG_TX_IDLE);
    if (saved.set)
        ag_error_move(err, &saved);
    else if (bad)
        ag_fail(err, AG_EXC_OPERATIONAL, "the COMMIT on return did not end the transaction");
    ag_error_clear(&saved);
    return bad ? AG_STEP_FAILED : s;
}

ag_step ag_pconn_drain(ag_pconn *c, ag_wait *w, ag_error *err)
{
    if (!c->draining && !c->draining_commit)
        return AG_STEP_DONE;
    ag_step s = c->draining ? c->pool->driver->drain_step(c->dc, w, err) : drain_commit(c, w, err);
    if (s == AG_STEP_DONE)
        c->draining = c->draining_commit = false;
    return s;
}

/* ---- one raw statement ---- */

static ag_step collect_raw(ag_raw_op *op, ag_error *err)
{
    const ag_driver *d = op->conn->pool->driver;
    ag_step s = d->collect(op->conn->dc, &op->reply, &(bool){false}, &op->op.wait, err);
    int64_t now = s == AG_STEP_WAIT && op->deadline != AG_NO_DEADLINE ? ag_now_us() : 0;
    if (s != AG_STEP_WAIT)
        return s;
    if (now >= op->deadline) {
        d->cancel(op->conn->dc);
        op->deadline = now + CANCEL_GRACE_US;
    }
    if (op->op.wait.deadline > op->deadline)
        op->op.wait.deadline = op->deadline;
    return s;
}

static ag_step collect_sync(ag_raw_op *op)
{
    ag_reply rest;
    ag_reply_init(&rest, op->conn->pool->alloc);
    ag_step s = ag_pconn_quiesce(op->conn, &rest, &op->saved, &op->op.wait);
    ag_reply_clear(&rest);
    return s;
}

static ag_step raw_step(ag_op *base, ag_error *err)
{
    ag_raw_op *op = (ag_raw_op *)base;
    ag_step s = AG_STEP_DONE;
    AG_CO_BEGIN(base->line)
    if (ag_pool_check_fork(op->conn->pool, err) != AG_OK)
        return AG_STEP_FAILED;
    if (!op->conn->dc) {
        ag_fail(err, AG_EXC_RESOURCE_CLOSED, "This connection is closed");
        return AG_STEP_FAILED;
    }
    AG_CO_AWAIT(base->line, ag_pconn_drain(op->conn, &base->wait, err))
    op->sent = true;
    if (op->conn->pool->driver->send(op->conn->dc, &op->request, err) != AG_OK ||
        op->conn->pool->driver->sync(op->conn->dc, err) != AG_OK)
        return AG_STEP_FAILED;
    AG_CO_TRY(base->line, s, collect_raw(op, &op->saved))
    AG_CO_AWAIT(base->line, collect_sync(op))
    op->sent = false;
    if (op->saved.set) {
        ag_error_move(err, &op->saved);
        return AG_STEP_FAILED;
    }
    AG_CO_END(base->line);
    (void)s;
    return AG_STEP_DONE;
}

static void raw_clear(ag_op *base)
{
    ag_raw_op *op = (ag_raw_op *)base;
    if (op->sent && op->conn->dc) {
        op->conn->pool->driver->cancel(op->conn->dc);
        op->conn->pool->driver->release(op->conn->dc, false);
        op->conn->draining = true;
    }
    ag_reply_clear(&op->reply);
    ag_error_clear(&op->saved);
}

ag_status ag_raw_init(ag_raw_op *op, ag_pconn *c, const char *text, size_t len, const ag_value *values,
                      uint32_t nparams, size_t nsets, int64_t deadline, ag_error *err)
{
    memset(op, 0, sizeof *op);
    if (!nsets)
        return ag_fail(err, AG_EXC_ARGUMENT, "a raw statement needs at least one parameter set");
    ag_op_init(&op->op, "raw statement", raw_step, raw_clear);
    op->conn = c;
    op->deadline = deadline;
    op->request = (ag_request){.text = text,
                               .text_len = len,
                               .flags = AG_REQ_ROWS | AG_REQ_LAST_ID,
                               .nparams = nparams,
                               .nsets = nsets,
                               .values = values,
                               .deadline = deadline == AG_NO_DEADLINE ? 0 : deadline};
    ag_reply_init(&op->reply, c->pool->alloc);
    ag_error_init(&op->saved, c->pool->alloc);
    return AG_OK;
}

/* The next window of a streamed result. */
#include "engine/limit.h"
#include "engine/result_internal.h"
#include <string.h>

static bool is_ours(const ag_fetch_op *op)
{
    const ag_connection *c = op->conn;
    return op->result->conn == c && c->pconn && c->pconn->dc && c->epoch == op->epoch;
}

static ag_step fetch_window(ag_fetch_op *op, ag_error *err)
{
    ag_result *r = op->result;
    if (!is_ours(op)) {
        ag_fail(err, AG_EXC_RESOURCE_CLOSED, "This result object is closed: its connection was taken away meanwhile");
        return AG_STEP_FAILED;
    }
    ag_dconn *dc = op->conn->pconn->dc;
    op->running = true;
    ag_step s = dc->driver->fetch(dc, &r->reply, &op->op.wait, err);
    if (s == AG_STEP_WAIT) {
        ag_limit l = {op->limit, op->cancelled};
        s = ag_limit_wait(&l, dc, &op->op.wait, err);
        op->limit = l.until;
        op->cancelled = l.cancelled;
    }
    if (s != AG_STEP_WAIT)
        op->running = false;
    return s;
}

static void drop_read_rows(ag_result *r)
{
    if (ag_result_remaining(r) == 0) {
        ag_rows_clear(&r->reply.rows);
        memset(&r->pos, 0, sizeof r->pos);
    }
}

static ag_step failed(ag_fetch_op *op, ag_error *err)
{
    AG_CO_BEGIN(op->line2)
    ag_limit_explain(&(ag_limit){op->limit, op->cancelled}, &op->saved);
    ag_result_detach(op->result, "an error");
    AG_CO_AWAIT(op->line2, ag_conn_fault(op->conn, &op->op, &op->event, &op->line3, &op->saved, NULL, 0))
    ag_error_move(err, &op->saved);
    AG_CO_END(op->line2);
    return AG_STEP_FAILED;
}

static ag_step fetch_step(ag_op *base, ag_error *err)
{
    ag_fetch_op *op = (ag_fetch_op *)base;
    ag_step s = AG_STEP_DONE;
    AG_CO_BEGIN(base->line)
    if (!op->result->reply.more) {
        base->line = 0;
        return AG_STEP_DONE;
    }
    if (ag_conn_enter(op->conn, &op->gate, base, err) != AG_OK)
        return AG_STEP_FAILED;
    op->epoch = op->conn->epoch;
    if (is_ours(op))
        op->conn->pconn->dc->driver->set_deadline(op->conn->pconn->dc, op->deadline);
    if (!op->all)
        drop_read_rows(op->result);
    do {
        AG_CO_TRY(base->line, s, fetch_window(op, &op->saved))
        if (s == AG_STEP_FAILED) {
            AG_CO_AWAIT(base->line, failed(op, err))
        }
    } while (op->all && op->result->reply.more);
    if (!op->result->reply.more)
        ag_result_detach(op->result, NULL);
    ag_conn_leave(&op->gate);
    AG_CO_END(base->line);
    (void)s;
    return AG_STEP_DONE;
}

static void fetch_clear(ag_op *base)
{
    ag_fetch_op *op = (ag_fetch_op *)base;
    ag_conn_leave(&op->gate);
    if (op->event.queued)
        ag_pool_event_done(op->event.pool, &op->event);
    if (op->running && is_ours(op))
        ag_conn_abandon(op->conn);
    ag_error_clear(&op->saved);
    ag_result_unref(op->result);
    ag_connection_unref(op->conn);
}

ag_status ag_fetch_init(ag_fetch_op *op, ag_result *r, bool all, ag_error *err)
{
    const ag_row *row;
    memset(op, 0, sizeof *op);
    if (r->closed || !r->returns_rows) {
        (void)ag_result_next_row(r, &row, err);
        return AG_ERROR;
    }
    ag_op_init(&op->op, "fetch", fetch_step, fetch_clear);
    op->result = ag_result_ref(r);
    op->conn = r->conn ? ag_connection_ref(r->conn) : NULL;
    op->all = all;
    int64_t timeout = r->conn ? r->conn->x.timeout_us : 0;
    op->deadline = op->limit = timeout > 0 ? ag_now_us() + timeout : AG_NO_DEADLINE;
    ag_error_init(&op->saved, r->alloc);
    return AG_OK;
}

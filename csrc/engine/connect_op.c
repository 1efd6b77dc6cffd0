/* Operations on the connection itself: connect, close, invalidate, detach, asking for the isolation level. */
#include "engine/segment.h"
#include <string.h>

/* ---- connect ---- */

static ag_step connect_step(ag_op *base, ag_error *err)
{
    ag_connect_op *op = (ag_connect_op *)base;
    AG_CO_BEGIN(base->line)
    AG_CO_AWAIT(base->line, ag_op_sub(base, &op->checkout.op, err))
    op->making = ag_connection_new(op->engine, op->checkout.conn, op->checkout.conn->where, err);
    if (!op->making)
        return AG_STEP_FAILED;
    op->checkout.conn = NULL;
    if (ag_conn_prepare_event(op->making, base, &op->event, AG_EV_ENGINE_CONNECT)) {
        AG_CO_YIELD(base->line, AG_STEP_CALL)
        if (ag_op_answer(base, err) != AG_STEP_DONE)
            return AG_STEP_FAILED;
    }
    op->conn = op->making;
    op->making = NULL;
    AG_CO_END(base->line);
    return AG_STEP_DONE;
}

static void connect_clear(ag_op *base)
{
    ag_connect_op *op = (ag_connect_op *)base;
    ag_op_clear(&op->checkout.op);
    if (op->making) { /* a listener that raised may have kept the handle */
        ag_connection_release(op->making);
        ag_connection_unref(op->making);
    }
    ag_connection_unref(op->conn);
    op->making = op->conn = NULL;
    ag_engine_unref(op->engine);
}

ag_status ag_connect_init(ag_connect_op *op, ag_engine *e, const char *where, ag_error *err)
{
    memset(op, 0, sizeof *op);
    AG_TRY(ag_checkout_init(&op->checkout, e->s->pool, e, where, AG_NO_DEADLINE, err));
    ag_op_init(&op->op, "connect", connect_step, connect_clear);
    op->engine = ag_engine_ref(e);
    return AG_OK;
}

/* ---- close, invalidate, detach, isolation ---- */

enum { DO_CLOSE, DO_INVALIDATE, DO_DETACH, DO_ISOLATION };

static bool prepare_reset(ag_conn_op *op)
{
    ag_connection *c = op->conn;
    if (!c->pconn || !c->pconn->dc || !ag_conn_prepare_event(c, &op->op, &op->event, AG_EV_RESET))
        return false;
    op->event.u.reset.transaction_was_reset = !c->begun;
    return true;
}

static ag_step close_step(ag_conn_op *op, ag_error *err)
{
    AG_CO_BEGIN(op->line2)
    if (op->conn->root && ag_conn_prepare_event(op->conn, &op->op, &op->event, AG_EV_ROLLBACK)) {
        AG_CO_YIELD(op->line2, AG_STEP_CALL)
        if (ag_op_answer(&op->op, err) != AG_STEP_DONE)
            op->raised = true;
    }
    if (prepare_reset(op)) {
        AG_CO_YIELD(op->line2, AG_STEP_CALL)
        if (ag_op_answer(&op->op, err) != AG_STEP_DONE)
            op->raised = true;
    }
    ag_conn_leave(&op->gate);
    ag_conn_give_back(op->conn, AG_PR_NO_RESET_EVENT);
    ag_connection_release(op->conn);
    AG_CO_END(op->line2);
    return op->raised ? AG_STEP_FAILED : AG_STEP_DONE;
}

static ag_status plan_isolation(ag_conn_op *op, ag_error *err)
{
    ag_connection *c = op->conn;
    op->result = c->x.isolation;
    if (ag_conn_single_writer(c) && op->result == AG_ISO_DEFAULT)
        op->result = AG_ISO_SERIALIZABLE;
    if (op->result != AG_ISO_DEFAULT)
        return AG_OK;
    op->seg = ag_arena_zero(&op->arena, 1, sizeof *op->seg);
    if (!op->seg)
        return ag_fail_nomem(err);
    op->request = (ag_request){.text = "SHOW transaction_isolation", .text_len = 26, .flags = AG_REQ_ROWS, .nsets = 1};
    ag_segment_init(op->seg, c, &op->request, &op->reply, 1, AG_SEG_BARE, AG_NO_DEADLINE);
    return AG_OK;
}

static ag_status read_isolation(ag_conn_op *op, ag_error *err)
{
    ag_rows_pos pos = {0};
    const ag_row *row = ag_rows_next(&op->reply.rows, &pos);
    ag_value v = ag_value_null();
    if (row)
        ag_row_get(&v, row, 0);
    if (!ag_vkind_has_bytes(v.kind))
        return ag_fail(err, AG_EXC_INTERNAL, "the database does not tell its isolation level");
    return ag_isolation_parse(&op->result, v.u.s.p, v.u.s.n, err);
}

static ag_step isolation_step(ag_conn_op *op, ag_error *err)
{
    AG_CO_BEGIN(op->line2)
    if (plan_isolation(op, err) != AG_OK)
        return AG_STEP_FAILED;
    if (op->seg) {
        AG_CO_AWAIT(op->line2, ag_segment_step(op->seg, &op->op, err))
        if (op->seg->error.set) {
            AG_CO_AWAIT(op->line2, ag_conn_fault(op->conn, &op->op, &op->event, &op->line3, &op->seg->error,
                                                 op->request.text, op->request.text_len))
            ag_error_move(err, &op->seg->error);
            return AG_STEP_FAILED;
        }
        if (read_isolation(op, err) != AG_OK)
            return AG_STEP_FAILED;
    }
    AG_CO_END(op->line2);
    return AG_STEP_DONE;
}

static void invalidate(ag_conn_op *op)
{
    ag_conn_invalidate(op->conn, op->cause.set ? &op->cause : NULL, op->soft, false);
}

static ag_step conn_step(ag_op *base, ag_error *err)
{
    ag_conn_op *op = (ag_conn_op *)base;
    AG_CO_BEGIN(base->line)
    if (op->what == DO_CLOSE && op->conn->closed) {
        base->line = 0;
        return AG_STEP_DONE;
    }
    if (ag_conn_enter(op->conn, &op->gate, base, err) != AG_OK)
        return AG_STEP_FAILED;
    if (op->what == DO_CLOSE) {
        AG_CO_AWAIT(base->line, close_step(op, err))
    } else if (op->what == DO_ISOLATION) {
        AG_CO_AWAIT(base->line, isolation_step(op, err))
    } else if (!op->conn->pconn) {
        ag_fail(err, AG_EXC_INVALID_REQUEST, "This connection is invalidated already");
        return AG_STEP_FAILED;
    } else if (op->what == DO_INVALIDATE) {
        invalidate(op);
    } else {
        ag_pconn_detach(op->conn->pconn);
    }
    op->line2 = 0;
    AG_CO_AWAIT(base->line, ag_conn_flush_events(op->conn, base, &op->event, &op->line2, err))
    ag_conn_leave(&op->gate);
    AG_CO_END(base->line);
    return AG_STEP_DONE;
}

static void conn_clear(ag_op *base)
{
    ag_conn_op *op = (ag_conn_op *)base;
    ag_conn_leave(&op->gate);
    if (op->event.queued)
        ag_pool_event_done(op->event.pool, &op->event);
    if (op->seg)
        ag_segment_clear(op->seg);
    ag_reply_clear(&op->reply);
    ag_error_clear(&op->cause);
    ag_arena_clear(&op->arena);
    ag_connection_unref(op->conn);
}

static ag_status init(ag_conn_op *op, const char *name, ag_connection *c, int what)
{
    memset(op, 0, sizeof *op);
    ag_op_init(&op->op, name, conn_step, conn_clear);
    op->conn = ag_connection_ref(c);
    op->what = what;
    ag_arena_init(&op->arena, ag_conn_alloc(c));
    ag_reply_init(&op->reply, ag_conn_alloc(c));
    ag_error_init(&op->cause, ag_conn_alloc(c));
    return AG_OK;
}

ag_status ag_close_init(ag_conn_op *op, ag_connection *c, ag_error *err)
{
    (void)err;
    return init(op, "close", c, DO_CLOSE);
}

ag_status ag_invalidate_init(ag_conn_op *op, ag_connection *c, const ag_error *cause, bool soft, ag_error *err)
{
    (void)err;
    AG_TRY(init(op, "invalidate", c, DO_INVALIDATE));
    if (cause)
        ag_error_copy(&op->cause, cause);
    op->soft = soft;
    return AG_OK;
}

ag_status ag_detach_init(ag_conn_op *op, ag_connection *c, ag_error *err)
{
    (void)err;
    return init(op, "detach", c, DO_DETACH);
}

ag_status ag_get_isolation_init(ag_conn_op *op, ag_connection *c, ag_error *err)
{
    (void)err;
    return init(op, "get_isolation_level", c, DO_ISOLATION);
}

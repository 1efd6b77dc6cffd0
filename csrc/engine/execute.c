/* The execute operation: listeners, autobegin, planning, one segment, results, listeners. How a statement becomes
 * driver requests is execute_plan.c and execute_compiled.c; what the replies mean is execute_result.c. */
#include "engine/execute_internal.h"
#include <string.h>

/* ---- events ---- */

static bool prepare_execute_event(ag_exec_op *op, ag_stmt_run *run, ag_event_id id)
{
    if (!ag_conn_prepare_event(op->conn, &op->op, &op->event, id))
        return false;
    op->event.u.execute.request = run->req;
    op->event.u.execute.result = run->result;
    return true;
}

static bool prepare_cursor_event(ag_exec_op *op, ag_stmt_run *run, size_t i, ag_event_id id)
{
    if (!ag_conn_prepare_event(op->conn, &op->op, &op->event, id))
        return false;
    const ag_request *r = &op->requests[run->first + i];
    op->event.u.cursor.text = r->text;
    op->event.u.cursor.text_len = r->text_len;
    op->event.u.cursor.values = r->fill ? NULL : r->values;
    op->event.u.cursor.nsets = r->nsets;
    op->event.u.cursor.nparams = r->nparams;
    op->event.u.cursor.executemany = run->req->params.many;
    op->event.u.cursor.request = run->req;
    return true;
}

static ag_status answered(ag_exec_op *op, ag_error *err)
{
    if (ag_op_answer(&op->op, err) != AG_STEP_DONE)
        return AG_ERROR;
    return op->inner ? AG_OK : ag_conn_resume(op->conn, &op->gate, err);
}

static void take_cursor_answer(ag_exec_op *op, ag_request *r)
{
    if (op->event.u.cursor.new_text) {
        r->text = op->event.u.cursor.new_text;
        r->text_len = op->event.u.cursor.new_text_len;
    }
    if (op->event.u.cursor.new_values) {
        r->values = op->event.u.cursor.new_values;
        r->nparams = op->event.u.cursor.new_nparams;
        r->fill = NULL;
        r->param_types = NULL;
    }
}

/* ---- phases ---- */

static ag_step announce_runs(ag_exec_op *op, ag_error *err)
{
    AG_CO_BEGIN(op->line2)
    for (op->at = 0; op->at < op->nruns; op->at++) {
        if (!prepare_execute_event(op, &op->runs[op->at], AG_EV_BEFORE_EXECUTE))
            continue;
        AG_CO_YIELD(op->line2, AG_STEP_CALL)
        if (answered(op, err) != AG_OK)
            return AG_STEP_FAILED;
        if (op->event.u.execute.replace)
            op->runs[op->at].req = op->event.u.execute.replace;
    }
    AG_CO_END(op->line2);
    return AG_STEP_DONE;
}

static void merge_options(ag_exec_op *op, ag_stmt_run *run)
{
    run->x = op->conn->x;
    if (run->req->options)
        ag_exec_options_merge(&run->x, run->req->options);
    if (run->x.timeout_us <= 0)
        return;
    int64_t until = run->began + run->x.timeout_us;
    if (until < op->deadline)
        op->deadline = until;
}

static ag_step plan_runs(ag_exec_op *op, ag_error *err)
{
    AG_CO_BEGIN(op->line2)
    for (op->at = 0; op->at < op->nruns; op->at++) {
        op->failed = op->at;
        if (ag_exec_connected(op, err) != AG_OK)
            return AG_STEP_FAILED;
        op->runs[op->at].began = ag_now_us();
        merge_options(op, &op->runs[op->at]);
        if (op->runs[op->at].req->text) {
            if (ag_exec_plan_text(op, &op->runs[op->at], err) != AG_OK)
                return AG_STEP_FAILED;
        } else {
            AG_CO_AWAIT(op->line2, ag_exec_plan_compiled(op, &op->runs[op->at], err))
        }
    }
    AG_CO_END(op->line2);
    return AG_STEP_DONE;
}

/* Somebody else runs it: a text that does nothing goes in its place, so that replies stay in step. */
static void take_handled(const ag_exec_op *op, ag_request *r)
{
    if (op->event.u.cursor.handled)
        *r = (ag_request){.text = "", .nsets = 1};
}

static ag_event_id do_event(const ag_exec_op *op)
{
    return op->runs[op->at].req->params.many ? AG_EV_DO_EXECUTEMANY : AG_EV_DO_EXECUTE;
}

static ag_step offer_cursors(ag_exec_op *op, ag_error *err)
{
    AG_CO_BEGIN(op->line2)
    for (op->at = 0; op->at < op->nruns; op->at++) {
        for (op->piece = 0; op->piece < op->runs[op->at].nreqs; op->piece++) {
            if (!prepare_cursor_event(op, &op->runs[op->at], op->piece, do_event(op)))
                continue;
            AG_CO_YIELD(op->line2, AG_STEP_CALL)
            if (answered(op, err) != AG_OK)
                return AG_STEP_FAILED;
            take_handled(op, &op->requests[op->runs[op->at].first + op->piece]);
        }
    }
    AG_CO_END(op->line2);
    return AG_STEP_DONE;
}

static ag_step announce_cursors(ag_exec_op *op, ag_error *err)
{
    AG_CO_BEGIN(op->line2)
    for (op->at = 0; op->at < op->nruns; op->at++) {
        for (op->piece = 0; op->piece < op->runs[op->at].nreqs; op->piece++) {
            if (!prepare_cursor_event(op, &op->runs[op->at], op->piece, AG_EV_BEFORE_CURSOR_EXECUTE))
                continue;
            AG_CO_YIELD(op->line2, AG_STEP_CALL)
            if (answered(op, err) != AG_OK)
                return AG_STEP_FAILED;
            take_cursor_answer(op, &op->requests[op->runs[op->at].first + op->piece]);
        }
    }
    AG_CO_END(op->line2);
    return AG_STEP_DONE;
}

/* ---- the segment ---- */

static ag_seg_need strongest_need(const ag_exec_op *op)
{
    bool reads = false;
    for (size_t i = 0; i < op->nruns; i++) {
        if (op->runs[i].need == AG_SEG_WRITES)
            return AG_SEG_WRITES;
        reads = reads || op->runs[i].need == AG_SEG_READS;
    }
    return reads ? AG_SEG_READS : AG_SEG_BARE;
}

static void log_runs(void *ud)
{
    ag_exec_op *op = ud;
    for (size_t i = 0; i < op->nruns; i++)
        ag_exec_log(op, &op->runs[i]);
}

static ag_status make_segment(ag_exec_op *op, ag_error *err)
{
    if (op->seg)
        ag_segment_clear(op->seg);
    else
        op->seg = ag_arena_zero(&op->arena, 1, sizeof *op->seg);
    if (!op->seg)
        return ag_fail_nomem(err);
    for (size_t i = 0; i < op->nruns; i++) {
        if (op->runs[i].kind == AG_SQL_DDL)
            ag_conn_close_streams(op->conn, "DDL", NULL);
        op->conn->dirty = op->conn->dirty || op->runs[i].dirty;
    }
    ag_segment_init(op->seg, op->conn, op->requests, op->replies, op->nrequests, strongest_need(op), op->deadline);
    op->seg->log = op->retried ? NULL : log_runs;
    op->seg->log_ud = op;
    return AG_OK;
}

static bool is_stale_plan(const ag_error *e)
{
    return strcmp(e->sqlstate, "26000") == 0 || strcmp(e->sqlstate, "42P05") == 0 ||
           (strcmp(e->sqlstate, "XX000") == 0 && e->message && strstr(e->message, "cache lookup failed for type")) ||
           (strcmp(e->sqlstate, "0A000") == 0 && e->message && strstr(e->message, "cached plan"));
}

/* A prepared statement went stale (the driver has dropped it): where nothing else ran in the transaction the
 * segment can be repeated, unseen; elsewhere the caller may repeat the transaction. */
static bool may_repeat(ag_exec_op *op)
{
    ag_segment *s = op->seg;
    ag_connection *c = op->conn;
    if (op->retried || !is_stale_plan(&s->error))
        return false;
    if (s->was_begun || c->nested || !c->pconn || !c->pconn->dc) {
        s->error.retryable = true;
        return false;
    }
    if (c->begun) {
        ag_conn_driver(c)->release(c->pconn->dc, false);
        c->pconn->draining = true;
        ag_conn_tx_over(c);
    }
    ag_segment_clear(s);
    for (size_t i = 0; i < op->nrequests; i++)
        ag_reply_clear(&op->replies[i]);
    op->retried = true;
    return true;
}

static void find_failed(ag_exec_op *op)
{
    op->failed = 0;
    op->failed_set = SIZE_MAX;
    for (size_t i = 0; i < op->nruns; i++) {
        const ag_stmt_run *r = &op->runs[i];
        if (op->seg->failed >= r->first && op->seg->failed < r->first + r->nreqs) {
            op->failed = i;
            op->failed_set = ag_exec_failed_set(op, r);
        }
    }
}

static ag_step fault_step(ag_exec_op *op)
{
    size_t len = 0;
    const char *text = ag_exec_error_text(op, &len);
    ag_event *ev = &op->event;
    ag_step step = ag_conn_fault(op->conn, &op->op, ev, &op->line3, &op->seg->error, text, len);
    if (step == AG_STEP_CALL && ev->id == AG_EV_HANDLE_ERROR)
        ev->u.error.nsets =
            ag_exec_error_values(op, &ev->u.error.values, &ev->u.error.nparams, &ev->u.error.executemany);
    return step;
}

static ag_step run_segment(ag_exec_op *op, ag_error *err)
{
    AG_CO_BEGIN(op->line2)
    do {
        if (make_segment(op, err) != AG_OK)
            return AG_STEP_FAILED;
        AG_CO_AWAIT(op->line2, ag_segment_step(op->seg, &op->op, err))
    } while (op->seg->error.set && may_repeat(op));
    if (op->seg->error.set && ag_exec_is_split(op))
        ag_error_clear(&op->seg->error); /* the group's end, no failure */
    if (op->seg->error.set) {
        find_failed(op);
        AG_CO_AWAIT(op->line2, fault_step(op))
        ag_error_move(err, &op->seg->error);
        return AG_STEP_FAILED;
    }
    AG_CO_END(op->line2);
    return AG_STEP_DONE;
}

static ag_step finish_runs(ag_exec_op *op, ag_error *err)
{
    AG_CO_BEGIN(op->line2)
    for (op->at = 0; op->at < op->nruns; op->at++) {
        op->failed = op->at;
        for (op->piece = 0; op->piece < op->runs[op->at].nreqs; op->piece++) {
            if (!prepare_cursor_event(op, &op->runs[op->at], op->piece, AG_EV_AFTER_CURSOR_EXECUTE))
                continue;
            AG_CO_YIELD(op->line2, AG_STEP_CALL)
            if (answered(op, err) != AG_OK)
                return AG_STEP_FAILED;
        }
        if (ag_exec_make_result(op, &op->runs[op->at], err) != AG_OK)
            return AG_STEP_FAILED;
    }
    AG_CO_END(op->line2);
    return AG_STEP_DONE;
}

static ag_step announce_results(ag_exec_op *op, ag_error *err)
{
    AG_CO_BEGIN(op->line2)
    for (op->at = 0; op->at < op->nruns; op->at++) {
        if (ag_exec_finish_result(&op->runs[op->at], err) != AG_OK)
            return AG_STEP_FAILED;
        ag_exec_log_rows(op, &op->runs[op->at]);
        if (prepare_execute_event(op, &op->runs[op->at], AG_EV_AFTER_EXECUTE)) {
            AG_CO_YIELD(op->line2, AG_STEP_CALL)
            if (answered(op, err) != AG_OK)
                return AG_STEP_FAILED;
        }
    }
    AG_CO_END(op->line2);
    return AG_STEP_DONE;
}

/* ---- the op ---- */

static ag_status enter(ag_exec_op *op, ag_error *err)
{
    if (!op->inner)
        AG_TRY(ag_conn_enter(op->conn, &op->gate, &op->op, err));
    return ag_conn_check_tx(op->conn, err);
}

static ag_step exec_step(ag_op *base, ag_error *err)
{
    ag_exec_op *op = (ag_exec_op *)base;
    AG_CO_BEGIN(base->line)
    if (enter(op, err) != AG_OK)
        return AG_STEP_FAILED;
    AG_CO_AWAIT(base->line, announce_runs(op, err))
    AG_CO_AWAIT(base->line, ag_conn_autobegin(op->conn, base, &op->event, &op->line2, err))
    AG_CO_AWAIT(base->line, ag_conn_ready(op->conn, base, err))
    do {
        AG_CO_AWAIT(base->line, plan_runs(op, err))
        AG_CO_AWAIT(base->line, announce_cursors(op, err))
        AG_CO_AWAIT(base->line, offer_cursors(op, err))
        /* again: a listener may have ended the transaction, and nothing runs outside one */
        AG_CO_AWAIT(base->line, ag_conn_autobegin(op->conn, base, &op->event, &op->line2, err))
        AG_CO_AWAIT(base->line, run_segment(op, err))
        AG_CO_AWAIT(base->line, finish_runs(op, err))
    } while (ag_exec_next_group(op));
    AG_CO_AWAIT(base->line, announce_results(op, err))
    ag_conn_leave(&op->gate);
    AG_CO_END(base->line);
    return AG_STEP_DONE;
}

/* A cursor that no result came to own (something failed after the database had opened it). */
static void close_cursor(const ag_exec_op *op, ag_reply *reply)
{
    const ag_connection *c = op->conn;
    if (reply->cursor && c->pconn && c->pconn->dc)
        ag_conn_driver(c)->cursor_close(c->pconn->dc, reply->cursor);
    reply->cursor = 0;
}

static void exec_clear(ag_op *base)
{
    ag_exec_op *op = (ag_exec_op *)base;
    ag_conn_leave(&op->gate);
    if (op->event.queued)
        ag_pool_event_done(op->event.pool, &op->event);
    if (op->child)
        ag_op_clear(&op->child->op);
    if (op->seg)
        ag_segment_clear(op->seg);
    for (size_t i = 0; i < op->nrequests; i++) {
        close_cursor(op, &op->replies[i]);
        ag_reply_clear(&op->replies[i]);
    }
    for (size_t i = 0; i < op->nruns; i++) {
        if (op->runs[i].result && !op->runs[i].result->conn)
            close_cursor(op, &op->runs[i].result->reply);
        ag_exec_run_clear(&op->runs[i]);
    }
    ag_buf_clear(&op->params_text);
    ag_arena_clear(&op->arena);
    ag_connection_unref(op->conn);
}

static ag_status check_request(const ag_exec_request *r, ag_error *err)
{
    if ((r->text != NULL) == (r->stmt != NULL))
        return ag_fail(err, AG_EXC_ARGUMENT, "a request names either text or a statement");
    return AG_OK;
}

ag_status ag_exec_init(ag_exec_op *op, ag_connection *c, const ag_exec_request *reqs, size_t nreqs, ag_error *err)
{
    memset(op, 0, sizeof *op);
    if (c->closed)
        return ag_fail(err, AG_EXC_RESOURCE_CLOSED, "This Connection is closed");
    for (size_t i = 0; i < nreqs; i++)
        AG_TRY(check_request(&reqs[i], err));
    ag_arena_init(&op->arena, ag_conn_alloc(c));
    op->runs = ag_arena_zero(&op->arena, nreqs, sizeof *op->runs);
    if (!op->runs)
        return ag_fail_nomem(err);
    ag_op_init(&op->op, "execute", exec_step, exec_clear);
    for (size_t i = 0; i < nreqs; i++) {
        op->runs[i].req = &reqs[i];
        op->runs[i].limit = op->runs[i].split = SIZE_MAX;
    }
    op->nruns = nreqs;
    op->reqs = reqs;
    op->conn = ag_connection_ref(c);
    op->deadline = AG_NO_DEADLINE;
    op->failed = op->failed_set = SIZE_MAX;
    ag_buf_init(&op->params_text, ag_conn_alloc(c));
    return AG_OK;
}

ag_result *ag_exec_take(ag_exec_op *op, size_t i)
{
    if (i >= op->nruns || !op->op.finished)
        return NULL;
    ag_result *r = op->runs[i].result;
    op->runs[i].result = NULL;
    return r;
}

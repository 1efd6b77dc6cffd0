/* From a request to driver requests: driver text. Compiled statements are execute_compiled.c. */
#include "engine/execute_internal.h"
#include <string.h>

#define DEFAULT_WINDOW 1000u

ag_status ag_exec_add_requests(ag_exec_op *op, ag_stmt_run *run, size_t n, ag_error *err)
{
    size_t total = op->nrequests + n;
    ag_request *reqs = ag_arena_zero(&op->arena, total, sizeof *reqs);
    ag_reply *replies = ag_arena_zero(&op->arena, total, sizeof *replies);
    if (!reqs || !replies)
        return ag_fail_nomem(err);
    if (op->nrequests) {
        memcpy(reqs, op->requests, op->nrequests * sizeof *reqs);
        memcpy(replies, op->replies, op->nrequests * sizeof *replies);
    }
    for (size_t i = op->nrequests; i < total; i++)
        ag_reply_init(&replies[i], ag_conn_alloc(op->conn));
    if (!run->nreqs)
        run->first = op->nrequests;
    run->nreqs += n;
    op->requests = reqs;
    op->replies = replies;
    op->nrequests = total;
    return AG_OK;
}

ag_status ag_exec_connected(const ag_exec_op *op, ag_error *err)
{
    const ag_connection *c = op->conn;
    if (c->closed)
        return ag_fail(err, AG_EXC_RESOURCE_CLOSED, "This Connection is closed");
    AG_TRY(ag_conn_check_tx(c, err));
    if (!c->pconn || !c->pconn->dc)
        return ag_fail(err, AG_EXC_RESOURCE_CLOSED, "This Connection was invalidated while a statement was under way");
    return AG_OK;
}

/* What the transaction has to be for this text. Only single-writer drivers ask. */
static ag_seg_need need_of(const ag_exec_op *op, const ag_stmt_run *run)
{
    const ag_connection *c = op->conn;
    if (!ag_conn_single_writer(c))
        return AG_SEG_READS;
    if (run->kind == AG_SQL_CONTROL)
        return c->begun ? AG_SEG_READS : AG_SEG_BARE;
    const ag_driver *d = ag_conn_driver(c);
    int answer =
        d->readonly ? d->readonly(c->pconn->dc, run->req->text, run->req->text_len) : run->kind == AG_SQL_QUERY;
    return answer == 0 ? AG_SEG_WRITES : AG_SEG_READS;
}

/* A server's cursor lives in a transaction: without one the rows are buffered. */
bool ag_exec_may_stream(const ag_exec_op *op, const ag_stmt_run *run)
{
    const ag_connection *c = op->conn;
    return (run->x.stream_results || run->x.yield_per) && run->kind == AG_SQL_QUERY && run->req->params.nsets <= 1 &&
           (ag_conn_single_writer(c) || c->begun || !ag_conn_autocommit(c));
}

/* Values as the caller gives them, checked for what no driver takes. */
static ag_status check_values(const ag_value *values, size_t n, ag_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (values[i].kind == AG_V_HOST)
            return ag_fail(err, AG_EXC_STATEMENT,
                           "parameter %zu of driver text is a value that only a typed column can take", i + 1);
        if (values[i].kind == AG_V_ABSENT)
            return ag_fail(err, AG_EXC_STATEMENT, "A value is required for parameter %zu", i + 1);
    }
    return AG_OK;
}

static ag_status fill_text(void *ud, size_t set, ag_value *out, ag_error *err)
{
    const ag_stmt_run *run = ud;
    const ag_params *p = &run->req->params;
    AG_TRY(p->fill(p->fill_ud, set, out, err));
    return check_values(out, p->nkeys, err);
}

static ag_status check_params(const ag_params *p, ag_error *err)
{
    if (p->keys && p->nkeys)
        return ag_fail(err, AG_EXC_ARGUMENT, "driver text takes positional parameters, not names");
    if (p->many && !p->nsets)
        return ag_fail(err, AG_EXC_ARGUMENT, "the list of parameter sets is empty");
    return p->values && !p->fill ? check_values(p->values, p->nsets * p->nkeys, err) : AG_OK;
}

ag_status ag_exec_plan_text(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    const ag_exec_request *q = run->req;
    const ag_params *p = &q->params;
    AG_TRY(check_params(p, err));
    run->kind = ag_sql_classify(q->text, q->text_len, &run->dirty);
    run->need = need_of(op, run);
    run->badge = "raw sql";
    run->badge_seconds = -1;
    AG_TRY(ag_exec_add_requests(op, run, 1, err));
    ag_request *r = &op->requests[run->first];
    *r = (ag_request){.text = q->text, .text_len = q->text_len, .flags = AG_REQ_ROWS, .nsets = p->nsets ? p->nsets : 1};
    r->nparams = p->nsets ? p->nkeys : 0;
    if (p->fill) {
        r->fill = fill_text;
        r->fill_ud = run;
    } else {
        r->values = p->values;
    }
    if (run->kind == AG_SQL_INSERT)
        r->flags |= AG_REQ_LAST_ID;
    if (ag_exec_may_stream(op, run)) {
        r->flags |= AG_REQ_STREAM;
        r->window = run->x.yield_per        ? run->x.yield_per
                    : run->x.max_row_buffer ? run->x.max_row_buffer
                                            : DEFAULT_WINDOW;
    } else if (run->kind != AG_SQL_DDL && run->kind != AG_SQL_CONTROL) {
        r->flags |= AG_REQ_PREPARE;
    }
    return AG_OK;
}

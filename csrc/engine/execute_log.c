/* Echo lines of statements, and the parameters in errors. */
#include "engine/execute_internal.h"
#include "engine/format.h"
#include "engine/log.h"

#define FILL_SHOWN 10u /* sets that are asked of fill just to be shown */

static void format_request(ag_buf *b, const ag_exec_op *op, const ag_request *r, bool many, size_t failed_set)
{
    if (op->conn->engine->s->hide_parameters) {
        ag_format_hidden(b);
        return;
    }
    if (!r->fill) {
        ag_format_sets(b, r->values, r->nsets, r->nparams, many);
        return;
    }
    ag_error err = {0};
    size_t from = failed_set < r->nsets ? failed_set : 0, n = failed_set < r->nsets ? 1 : r->nsets;
    ag_value *row = ag_arena_zero((ag_arena *)&op->arena, r->nparams + 1u, sizeof *row);
    ag_buf_str(b, "[");
    for (size_t i = from; row && i < from + n && i < from + FILL_SHOWN; i++) {
        if (r->fill(r->fill_ud, i, row, &err) != AG_OK)
            break;
        if (i > from)
            ag_buf_str(b, ", ");
        ag_format_set(b, row, r->nparams);
    }
    if (n > FILL_SHOWN)
        ag_buf_printf(b, "  ... displaying %u of %zu total bound parameter sets ...", FILL_SHOWN, n);
    ag_buf_str(b, "]");
    ag_error_clear(&err);
}

static void add_badge(ag_buf *b, const ag_stmt_run *run)
{
    const char *name = run->badge ? run->badge : "no key";
    if (run->badge_seconds >= 0)
        ag_buf_printf(b, "[%s %.5fs%s] ", name, run->badge_seconds, run->badge_ago ? " ago" : "");
    else
        ag_buf_printf(b, "[%s] ", name);
}

static void add_token(ag_buf *b, const ag_stmt_run *run)
{
    if (run->x.logging_token)
        ag_buf_printf(b, "[%s] ", run->x.logging_token);
}

void ag_exec_log(ag_exec_op *op, const ag_stmt_run *run)
{
    const ag_engine_shared *s = op->conn->engine->s;
    if (!ag_engine_logs(op->conn->engine))
        return;
    ag_buf b;
    ag_buf_init(&b, s->alloc);
    for (size_t i = 0; i < run->nreqs; i++) {
        const ag_request *r = &op->requests[run->first + i];
        ag_buf_reset(&b);
        add_token(&b, run);
        ag_buf_add(&b, r->text, r->text_len);
        if (ag_buf_ok(&b))
            ag_log_write(s->host, s->logger, AG_LOG_INFO, b.data, b.len);
        ag_buf_reset(&b);
        add_token(&b, run);
        add_badge(&b, run);
        format_request(&b, op, r, run->req->params.many, SIZE_MAX);
        if (ag_buf_ok(&b))
            ag_log_write(s->host, s->logger, AG_LOG_INFO, b.data, b.len);
    }
    ag_buf_clear(&b);
}

/* echo = "debug": what came back. */
void ag_exec_log_rows(const ag_exec_op *op, const ag_stmt_run *run)
{
    const ag_engine_shared *s = op->conn->engine->s;
    const ag_result *r = run->result;
    if (s->echo != AG_ECHO_DEBUG || !s->host || !r->reply.ncolumns)
        return;
    ag_buf b;
    ag_buf_init(&b, s->alloc);
    ag_buf_str(&b, "Col (");
    for (uint32_t i = 0; i < r->reply.ncolumns; i++)
        ag_buf_printf(&b, "%s'%.*s'", i ? ", " : "", (int)r->reply.columns[i].name_len, r->reply.columns[i].name);
    ag_buf_char(&b, ')');
    if (ag_buf_ok(&b))
        ag_log_write(s->host, s->logger, AG_LOG_DEBUG, b.data, b.len);
    ag_rows_pos pos = {0};
    const ag_row *row;
    while (!s->hide_parameters && (row = ag_rows_next(&r->reply.rows, &pos))) {
        ag_buf_reset(&b);
        ag_buf_str(&b, "Row (");
        for (unsigned i = 0; i < row->ncols; i++) {
            ag_value v;
            ag_row_get(&v, row, i);
            ag_buf_str(&b, i ? ", " : "");
            ag_format_value(&b, &v);
        }
        ag_buf_char(&b, ')');
        if (ag_buf_ok(&b))
            ag_log_write(s->host, s->logger, AG_LOG_DEBUG, b.data, b.len);
    }
    ag_buf_clear(&b);
}

const char *ag_exec_error_text(const ag_exec_op *op, size_t *len)
{
    *len = 0;
    if (op->seg && op->seg->failed < op->nrequests) {
        *len = op->requests[op->seg->failed].text_len;
        return op->requests[op->seg->failed].text;
    }
    if (op->failed >= op->nruns)
        return NULL;
    const ag_stmt_run *run = &op->runs[op->failed];
    *len = run->c ? run->c->text.n : run->req->text_len;
    return run->c ? run->c->text.p : run->req->text;
}

size_t ag_exec_error_values(ag_exec_op *op, const ag_value **values, uint32_t *nparams, bool *many)
{
    *values = NULL;
    *nparams = 0;
    *many = false;
    if (!op->seg || op->seg->failed >= op->nrequests || op->failed >= op->nruns || op->conn->engine->s->hide_parameters)
        return 0;
    const ag_request *r = &op->requests[op->seg->failed];
    *nparams = r->nparams;
    *many = op->runs[op->failed].req->params.many;
    if (!r->fill) {
        *values = r->values;
        return r->values ? r->nsets : 0;
    }
    ag_error err = {0};
    ag_value *row = ag_arena_zero(&op->arena, r->nparams + 1u, sizeof *row);
    bool made = row && r->fill(r->fill_ud, *many && op->failed_set < r->nsets ? op->failed_set : 0, row, &err) == AG_OK;
    ag_error_clear(&err);
    *values = row;
    return made ? 1 : 0;
}

const char *ag_exec_error_params(ag_exec_op *op)
{
    if (!op->seg || op->seg->failed >= op->nrequests || op->failed >= op->nruns)
        return NULL;
    const ag_request *r = &op->requests[op->seg->failed];
    bool many = op->runs[op->failed].req->params.many;
    ag_buf_reset(&op->params_text);
    format_request(&op->params_text, op, r, many, many ? op->failed_set : SIZE_MAX);
    return ag_buf_ok(&op->params_text) ? op->params_text.data : NULL;
}

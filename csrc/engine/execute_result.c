/* From replies to results. */
#include "engine/execute_internal.h"

void ag_exec_run_clear(ag_stmt_run *run)
{
    ag_result_unref(run->result);
    run->result = NULL;
}

size_t ag_exec_failed_set(const ag_exec_op *op, const ag_stmt_run *run)
{
    size_t sets = 0;
    for (size_t i = run->first; i < op->seg->failed; i++)
        sets += op->requests[i].nsets;
    return op->seg->failed_set == SIZE_MAX ? SIZE_MAX : sets + op->seg->failed_set;
}

ag_status ag_exec_make_result(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    ag_result *r = ag_result_new(ag_conn_alloc(op->conn), err);
    if (!r)
        return AG_NOMEM;
    run->result = r;
    r->nsets = run->req->params.nsets ? run->req->params.nsets : 1;
    r->insert = run->kind == AG_TEXT_INSERT;
    AG_TRY(ag_result_take_reply(r, &op->replies[run->first], NULL, err));
    if (r->reply.cursor)
        ag_result_attach(r, op->conn);
    return AG_OK;
}

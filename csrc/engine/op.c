/* Stepping, nesting and driving operations. */
#include "engine/op.h"
#include <string.h>

void ag_op_init(ag_op *op, const char *name, ag_step (*step)(ag_op *, ag_error *), void (*clear)(ag_op *))
{
    memset(op, 0, sizeof *op);
    op->name = name;
    op->step = step;
    op->clear = clear;
}

ag_step ag_op_step(ag_op *op, ag_error *err)
{
    if (!op->step || op->finished) {
        ag_fail(err, AG_EXC_INVALID_REQUEST, "operation \"%s\" is finished", op->name ? op->name : "?");
        return AG_STEP_FAILED;
    }
    ag_step s = op->step(op, err);
    op->finished = s == AG_STEP_DONE || s == AG_STEP_FAILED;
    op->calling = s == AG_STEP_CALL;
    return s;
}

void ag_op_clear(ag_op *op)
{
    if (!op->clear)
        return;
    void (*clear)(ag_op *) = op->clear;
    op->clear = NULL;
    op->step = NULL;
    clear(op);
    ag_error_clear(&op->call.error);
}

ag_step ag_op_sub(ag_op *parent, ag_op *child, ag_error *err)
{
    if (child->calling) {
        child->call.failed = parent->call.failed;
        child->call.has_value = parent->call.has_value;
        child->call.value = parent->call.value;
        ag_error_move(&child->call.error, &parent->call.error);
        parent->call.failed = false;
    }
    ag_step s = ag_op_step(child, err);
    if (s == AG_STEP_WAIT)
        parent->wait = child->wait;
    else if (s == AG_STEP_CALL)
        parent->call = (ag_call){.kind = child->call.kind, .fn = child->call.fn, .args = child->call.args};
    return s;
}

ag_step ag_op_answer(ag_op *op, ag_error *err)
{
    if (!op->call.failed) {
        ag_error_clear(&op->call.error);
        return AG_STEP_DONE;
    }
    op->call.failed = false;
    if (op->call.error.set)
        ag_error_move(err, &op->call.error);
    else
        ag_fail(err, AG_EXC_INVALID_REQUEST, "a callback of operation \"%s\" failed", op->name);
    return AG_STEP_FAILED;
}

ag_status ag_op_run(ag_op *op, ag_error *err)
{
    for (;;) {
        switch (ag_op_step(op, err)) {
        case AG_STEP_DONE: return AG_OK;
        case AG_STEP_FAILED: return err && err->set && err->cls == AG_EXC_MEMORY ? AG_NOMEM : AG_ERROR;
        case AG_STEP_WAIT: ag_wait_poll(&op->wait); break;
        case AG_STEP_CALL:
            op->call.failed = true;
            ag_fail(&op->call.error, AG_EXC_INVALID_REQUEST, "operation \"%s\" needs a host to run a callback",
                    op->name);
            break;
        }
    }
}

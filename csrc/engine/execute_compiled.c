/* From a compiled statement to driver requests. */
#include "engine/execute_internal.h"

ag_step ag_exec_plan_compiled(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    (void)op;
    (void)run;
    ag_fail(err, AG_EXC_NOT_SUPPORTED, "expression statements are not executable yet");
    return AG_STEP_FAILED;
}

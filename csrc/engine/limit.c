/* Deadlines into cancels. */
#include "engine/limit.h"
#include <string.h>

#define GRACE_US (2 * INT64_C(1000000)) /* from the cancel to giving the connection up */

ag_step ag_limit_wait(ag_limit *l, ag_dconn *dc, ag_wait *w, ag_error *err)
{
    if (l->until != AG_NO_DEADLINE && ag_now_us() >= l->until) {
        if (l->cancelled) {
            ag_fail(err, AG_EXC_OPERATIONAL, "the statement's deadline has passed, and the server does not answer");
            memcpy(err->sqlstate, "57014", 6);
            err->disconnect = true;
            return AG_STEP_FAILED;
        }
        l->cancelled = true;
        l->until = ag_now_us() + GRACE_US;
        dc->driver->cancel(dc);
    }
    if (w->deadline > l->until)
        w->deadline = l->until;
    return AG_STEP_WAIT;
}

void ag_limit_explain(const ag_limit *l, ag_error *err)
{
    static const char hint[] = "the statement's timeout has passed";
    if (l->cancelled && strcmp(err->sqlstate, "57014") == 0 && !err->hint)
        ag_error_text(err, &err->hint, hint, sizeof hint - 1);
}

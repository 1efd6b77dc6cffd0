/* A deadline over waits on a driver: when it passes the running statement is cancelled, and when no answer comes
 * to that either the connection is given up. */
#ifndef AG_ENGINE_LIMIT_H
#define AG_ENGINE_LIMIT_H

#include "driver/driver.h"

typedef struct ag_limit {
    int64_t until; /* now the deadline, after the cancel the end of the grace */
    bool cancelled;
} ag_limit;

/* After the driver said WAIT: AG_STEP_WAIT with w->deadline bounded; AG_STEP_FAILED (57014, disconnect) when the
 * grace is over. */
ag_step ag_limit_wait(ag_limit *l, ag_dconn *dc, ag_wait *w, ag_error *err);
/* Say in an error that a cancel of ours caused what caused it. */
void ag_limit_explain(const ag_limit *l, ag_error *err);

#endif

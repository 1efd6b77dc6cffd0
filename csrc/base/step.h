/* The vocabulary of work that may wait. A step function is called again and again until it is done or has failed; in
 * between it names what it waits for. Nothing in the core blocks: whoever drives (the Lua binding, a C test's
 * poll loop) does the waiting. Stepping early is harmless: the step looks again and asks to wait again.
 *
 * AG_CO_* write such a function as straight code (Dunkels' protothreads: the resume point is a switch label). Locals do
 * not survive a wait: keep state in the operation's struct. Not usable inside another switch. */
#ifndef AG_BASE_STEP_H
#define AG_BASE_STEP_H

#include "base/error.h"

typedef enum ag_step {
    AG_STEP_DONE = 0,
    AG_STEP_FAILED, /* the ag_error is filled */
    AG_STEP_WAIT,   /* the ag_wait says for what */
    AG_STEP_CALL,   /* engine and orm only: the operation asks the host to run a callback (engine/op.h) */
} ag_step;

#define AG_WAIT_READ   1u
#define AG_WAIT_WRITE  2u
#define AG_NO_DEADLINE INT64_MAX

typedef struct ag_wait {
    int fd;            /* -1: wait for time (or a wake-up) only */
    unsigned mode;     /* AG_WAIT_READ | AG_WAIT_WRITE; 0 with fd -1 */
    int64_t deadline;  /* monotonic microseconds (ag_now_us), AG_NO_DEADLINE for none: step again then at the latest */
    const void *token; /* not NULL: parked; whoever frees the resource wakes this token */
} ag_wait;

/* CLOCK_MONOTONIC in microseconds. */
int64_t ag_now_us(void);
/* poll(2) as w says, for drivers of operations that have no scheduler. May return early (a signal, or nothing to wait for:
 * neither descriptor nor deadline): step again. */
void ag_wait_poll(const ag_wait *w);

#define AG_CO_BEGIN(line_)                                                                                             \
    switch (line_) {                                                                                                   \
    case 0:
/* Run a sub-step until done; waits, calls and failures pass through to our caller. */
#define AG_CO_AWAIT(line_, expr)                                                                                       \
    (line_) = __LINE__;                                                                                                \
    __attribute__((fallthrough));                                                                                      \
    case __LINE__: {                                                                                                   \
        ag_step co_step_ = (expr);                                                                                     \
        if (co_step_ != AG_STEP_DONE)                                                                                  \
            return co_step_;                                                                                           \
    }
/* Same, but a failure is stored in out (an ag_step lvalue: AG_STEP_DONE or AG_STEP_FAILED) and the code goes on. */
#define AG_CO_TRY(line_, out, expr)                                                                                    \
    (line_) = __LINE__;                                                                                                \
    __attribute__((fallthrough));                                                                                      \
    case __LINE__:                                                                                                     \
        (out) = (expr);                                                                                                \
        if ((out) != AG_STEP_DONE && (out) != AG_STEP_FAILED)                                                          \
            return (out);
/* Return `what` once (AG_STEP_WAIT or AG_STEP_CALL, already described) and resume here at the next step. */
#define AG_CO_YIELD(line_, what)                                                                                       \
    (line_) = __LINE__;                                                                                                \
    return (what);                                                                                                     \
    case __LINE__:;
#define AG_CO_END(line_)                                                                                               \
    }                                                                                                                  \
    (line_) = 0

#endif

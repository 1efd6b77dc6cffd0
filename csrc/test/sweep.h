/* An allocator that counts and fails on demand, and the sweep that fails every allocation of a piece of work in turn:
 * first each one alone, then each one and all that follow (an error path that allocates must survive as well). */
#ifndef AG_TEST_SWEEP_H
#define AG_TEST_SWEEP_H

#include "base/error.h"

typedef struct sweep {
    ag_alloc alloc; /* give this to the code under test */
    size_t calls;   /* allocations and resizes asked for */
    size_t fail_at; /* the call that fails, from 1; 0 = none */
    bool from_then_on;
    size_t live;  /* blocks not freed yet */
    size_t bytes; /* in them */
    size_t peak;  /* most bytes at once */
} sweep;

void sweep_init(sweep *s);

/* Runs work(alloc, ud) again and again until no allocation is left to fail. work cleans up after itself whatever
 * happens and returns its status: AG_OK only when its result was right. Asserts that nothing leaks, that the run without
 * failure is AG_OK, and that a run which failed says AG_NOMEM (or AG_OK when it could do without). */
void sweep_run(ag_status (*work)(const ag_alloc *a, void *ud), void *ud);

#endif

/* A driver that wraps another one and fails on demand: the k-th connect, BEGIN, INSERT, COMMIT, fetch … as an
 * error, as a lost connection, or as a connection lost after the server had done the work. For tests of programs
 * that must survive such things: create_engine("sqlite+fault:///app.db?fault=commit:1:lost-after"). Nothing here is
 * random. */
#ifndef AG_DRIVER_FAULT_H
#define AG_DRIVER_FAULT_H

#include "driver/driver.h"

typedef struct ag_fault ag_fault;

/* Wraps inner, which must outlive it. Without a plan it only passes everything on. AG_NOMEM. */
ag_status ag_fault_new(ag_fault **out, const ag_driver *inner, const ag_alloc *alloc, ag_error *err) AG_NODISCARD;
/* All its connections must be closed. NULL allowed. */
void ag_fault_free(ag_fault *f);
/* The vtable to open connections with; lives as long as f. */
const ag_driver *ag_fault_driver(const ag_fault *f);

/* What is to fail: rules "point:count:kind", parted by commas; replaces the plan and sets all counters to 0.
 *   point  connect, fetch, drain, a statement by its first word (begin commit insert select …), or "statement" for any
 *   count  the how-manieth one, from 1, over all connections; with '+' behind: that one and all later ones
 *   kind   error[=SQLSTATE]  it fails and did not run          lost        the connection is lost before it ran
 *          lost-after        it ran, then the connection is lost: the answer never comes
 * The open option `fault` does the same (once: other connections with the same text go on counting). AG_EXC_ARGUMENT when
 * the text is no plan. */
ag_status ag_fault_plan(ag_fault *f, const char *text, ag_error *err) AG_NODISCARD;
/* How many faults were raised since the plan was set. */
uint64_t ag_fault_hits(const ag_fault *f);

#endif

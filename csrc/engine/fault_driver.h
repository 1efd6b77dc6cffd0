/* Drivers that fail on demand, for the host: what driver/fault.h offers, without its plan (the connection option `fault` sets
 * it). A wrapper outlives every connection that was opened with it. */
#ifndef AG_ENGINE_FAULT_DRIVER_H
#define AG_ENGINE_FAULT_DRIVER_H

#include "base/error.h"

struct ag_driver;
struct ag_fault;

/* Wraps inner, which must outlive it. *driver is what engines take; it lives as long as *out. AG_NOMEM. */
ag_status ag_fault_driver_new(struct ag_fault **out, const struct ag_driver **driver, const struct ag_driver *inner,
                              const ag_alloc *alloc, ag_error *err) AG_NODISCARD;
/* All its connections must be closed. NULL allowed. */
void ag_fault_driver_free(struct ag_fault *f);

#endif

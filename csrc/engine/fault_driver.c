/* The host's door to the fault driver. */
#include "engine/fault_driver.h"

#include "driver/fault.h"

ag_status ag_fault_driver_new(struct ag_fault **out, const struct ag_driver **driver, const struct ag_driver *inner,
                              const ag_alloc *alloc, ag_error *err)
{
    AG_TRY(ag_fault_new(out, inner, alloc, err));
    *driver = ag_fault_driver(*out);
    return AG_OK;
}

void ag_fault_driver_free(struct ag_fault *f)
{
    ag_fault_free(f);
}

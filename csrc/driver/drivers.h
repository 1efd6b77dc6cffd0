/* The drivers that come with argent. Each is a module of its own for Lua (argent/driver/X.so, through the shims in
 * binding/); C tests and tools link them statically and ask here. */
#ifndef AG_DRIVER_DRIVERS_H
#define AG_DRIVER_DRIVERS_H

#include "driver/driver.h"

/* Static vtables, valid for the life of the process. */
const ag_driver *ag_driver_sqlite(void);
const ag_driver *ag_driver_postgresql(void);

#endif

/* Log lines of engine and pool, through AG_HOOK_LOG. Nothing is formatted unless the level is on. */
#ifndef AG_ENGINE_LOG_H
#define AG_ENGINE_LOG_H

#include "engine/engine.h"

/* One line; a host that raises is ignored (a log must not break what it describes). host NULL: nothing. */
void ag_log_write(ag_host *host, const char *logger, ag_log_level level, const char *text, size_t len);
void ag_log_printf(ag_host *host, const char *logger, ag_log_level level, const char *fmt, ...) AG_PRINTF(4, 5);
/* "argent.engine.Engine" + "." + name into ar; name NULL: without. NULL when out of memory. */
const char *ag_log_name(ag_arena *ar, const char *base, const char *name);

#endif

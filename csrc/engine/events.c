/* Names of events. */
#include "engine/events.h"

/* ORDER ag_event_id */
static const char *const names[AG_EV_COUNT] = {
    "connect",
    "first_connect",
    "checkout",
    "checkin",
    "reset",
    "invalidate",
    "soft_invalidate",
    "close",
    "detach",
    "close_detached",
    "do_connect",
    "engine_connect",
    "engine_disposed",
    "set_connection_execution_options",
    "set_engine_execution_options",
    "begin",
    "commit",
    "rollback",
    "savepoint",
    "rollback_savepoint",
    "release_savepoint",
    "begin_twophase",
    "prepare_twophase",
    "commit_twophase",
    "rollback_twophase",
    "before_execute",
    "after_execute",
    "before_cursor_execute",
    "after_cursor_execute",
    "handle_error",
    "do_execute",
    "do_executemany",
};

const char *ag_event_name(ag_event_id id)
{
    return (unsigned)id < AG_EV_COUNT ? names[id] : "?";
}

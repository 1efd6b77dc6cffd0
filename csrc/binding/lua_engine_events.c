/* Answers what the engine asks the host during an operation: events, defaults, creators. */
#include "binding/host.h"

int agl_engine_on_call(lua_State *L, agl_scope *s, ag_call *call)
{
    (void)s;
    return agl_error(L, AG_EXC_NOT_SUPPORTED, "no handler for callback kind %d yet", (int)call->kind);
}

/* The classes of ag.exc as Lua sees them: class objects with a parent, and the metatables of their error objects. Made
 * when first asked for. Classes that only Lua knows (DisconnectionError …) are defined from Lua. */
#ifndef AGL_EXC_H
#define AGL_EXC_H

#include "binding/state.h"

/* Push the metatable of error objects of cls. */
void agl_exc_push_meta(lua_State *L, ag_exc cls);
/* The nearest C class of the error object at idx; -1 when it is none of ours. */
int agl_exc_of(lua_State *L, int idx);

#endif

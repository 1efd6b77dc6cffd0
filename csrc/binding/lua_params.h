/* Parameters of executions, out of Lua tables into ag_params. */
#ifndef AGL_PARAMS_H
#define AGL_PARAMS_H

#include "binding/host.h"
#include "engine/execute.h"

#define AGL_PARAMS_POSITIONAL 1u /* driver text: {1, "x"} or {{1, "x"}, …}; else by name: {a = 1} or {{a = 1}, …} */
#define AGL_PARAMS_NOT_EMPTY  2u /* {} raises: an empty list */
#define AGL_PARAMS_STACK      4u /* anchors may stand on the stack above `anchor` (nothing of the caller's stands there) */
#define AGL_PARAMS_LAZY       8u /* many sets may be read one by one, as they are sent; needs AGL_PARAMS_STACK */

/* Read the parameters at idx (nil: none). Texts are borrowed from Lua strings that a table at stack index `anchor` (a slot
 * that the caller reserved; it is replaced) keeps alive, whatever becomes of the tables while the operation runs; arrays come
 * from the scope's arena. Raises ArgumentError for what is no value, naming parameter and set. */
void agl_params_read(lua_State *L, int idx, int anchor, agl_scope *s, ag_params *out, unsigned flags);
/* After an execution failed: raise for the set that could not be read when it was to be sent, if that was the reason. */
void agl_params_refused(lua_State *L, const ag_params *p);

#endif

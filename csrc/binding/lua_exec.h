/* Executing on a connection handle, for Connection methods and for the session. */
#ifndef AGL_EXEC_H
#define AGL_EXEC_H

#include "binding/lua_connection.h"
#include "binding/lua_params.h"
#include "binding/lua_result.h"

/* One execution under way, in the arena of its scope (s->ud). */
typedef struct agl_exec {
    ag_exec_op op;
    ag_exec_request req;
    ag_exec_options options;
} agl_exec;

/* Open a scope for an execution on b. The scope is at the top of the stack after; one slot above it is reserved for
 * agl_params_read (index s->self + 1). */
agl_exec *agl_exec_open(lua_State *L, agl_connection *b, agl_scope **out);
/* Run what e->req says; the failure names statement and parameters. */
int agl_exec_run(lua_State *L, agl_connection *b, agl_scope *s, agl_finish finish);
/* Raise err with the statement that failed in op and its parameters (field params: a table; nil when they are hidden). */
int agl_raise_exec(lua_State *L, ag_error *err, ag_exec_op *op);
/* Push parameter sets as tables: one array, or an array of arrays when they are many. NULL is ag.null. */
void agl_push_sets(lua_State *L, const ag_value *v, size_t nsets, uint32_t nparams, bool many);
/* s->failed of executions. */
int agl_exec_failed(lua_State *L, agl_scope *s);

#endif

/* Events of engine and pool as Lua listeners get them. argent.event keeps the listeners; here their arguments are built
 * and their answers read. */
#ifndef AGL_ENGINE_EVENTS_H
#define AGL_ENGINE_EVENTS_H

#include "binding/lua_engine.h"
#include "engine/execute.h"

/* Push the arguments of ev behind (name, conn, engine, pool); returns how many. The slot of the scope is at index 1. */
int agl_event_push_args(lua_State *L, agl_scope *s, ag_event *ev);
/* Read what the listeners returned: three values at the top. */
void agl_event_answer(lua_State *L, agl_scope *s, ag_event *ev);
/* Push the table that all listeners of one execution share (context). */
void agl_event_push_context(lua_State *L, int slot);
/* Keep the value at the top alive as long as the scope whose slot is at index slot; pops it. */
void agl_event_keep(lua_State *L, int slot);

/* Do listeners of b want to know of executions (before_execute, after_execute)? */
bool agl_connection_wants(const agl_connection *b, uint64_t events);

#endif

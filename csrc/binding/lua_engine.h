/* Engine, connection and transaction handles, and what other parts of the binding need of them (a session executes through
 * a connection handle; schema:create_all(engine) connects). */
#ifndef AGL_ENGINE_H
#define AGL_ENGINE_H

#include "binding/conv.h"
#include "binding/host.h"
#include "engine/connection.h"

/* User values: 1 parent engine (sub-engines) or nil, 2 options table of the host (execution options as given), 3 what must
 * live as long (driver module, hooks), 4 the pool handle. */
typedef struct agl_engine {
    agl_box box;
    agl_state *st;
    ag_engine *e; /* NULL: not made */
    agl_host *host;
    agl_codec codec;
} agl_engine;

extern const luaL_Reg agl_engine_getters[]; /* lua_engine_attributes.c */
/* f(engine, …) → the object of its dialect */
int agl_engine_get_dialect(lua_State *L);

/* User values: 1 engine handle, 2 options table of the host. */
typedef struct agl_connection {
    agl_box box;
    agl_state *st;
    ag_connection *c; /* NULL: not connected yet, or closed by its finaliser */
    agl_host *host;
    const agl_codec *codec; /* the engine handle's (user value 1) */
    uint64_t events;        /* AG_EV_BIT of those with listeners on this handle */
} agl_connection;

/* User values: 1 connection handle. */
typedef struct agl_transaction {
    agl_box box;
    agl_state *st;
    ag_transaction *t;
    agl_host *host;
} agl_transaction;

agl_engine *agl_engine_check(lua_State *L, int arg);
/* A connection that is open, else raises ResourceClosedError. */
agl_connection *agl_connection_check(lua_State *L, int arg);
agl_transaction *agl_transaction_check(lua_State *L, int arg);

/* Push an empty connection box for the engine handle at engine_idx; box it before the connect operation. */
agl_connection *agl_connection_new(lua_State *L, int engine_idx);
/* Give a box its connection (the reference moves) and enter it among the handles by address. */
void agl_connection_fill(lua_State *L, int idx, ag_connection *c);
/* Push the handle of c, an existing one or a new one (engine handle at engine_idx, or 0: found by address). */
void agl_connection_push(lua_State *L, ag_connection *c);
/* Push the handle of an engine; nil when it has none any more. */
void agl_engine_push(lua_State *L, const ag_engine *e);
/* Push the handle of t (made when missing). */
void agl_transaction_push(lua_State *L, ag_transaction *t);

/* Handles by the address of what they hold, weakly: agl_handle_put enters the box at idx, agl_handle_push pushes it or nil. */
void agl_handle_put(lua_State *L, int idx, const void *core);
bool agl_handle_push(lua_State *L, const void *core);

/* Read execution options from the table at idx (nil: none). Texts borrow from the table, arrays come from ar. Names that
 * argent does not know are the application's own, unless one it knows is near: then raises. */
void agl_exec_options_read(lua_State *L, int idx, ag_exec_options *out, agl_scope *s);
/* Push a new table: what is in the table at base (nil: nothing) overlaid with the one at over. */
void agl_options_merge(lua_State *L, int base, int over);

/* Run an init-ed operation of a connection or transaction that gives nothing back. */
int agl_run_void(lua_State *L, agl_scope *s, ag_op *op);

#endif

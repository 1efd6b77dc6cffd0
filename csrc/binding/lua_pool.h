/* Pools and raw connections in Lua. */
#ifndef AGL_POOL_H
#define AGL_POOL_H

#include "binding/lua_engine.h"
#include "engine/pool.h"

typedef struct agl_pool {
    agl_box box;
    agl_state *st;
    ag_pool *p;
} agl_pool;

/* A pooled connection without transaction handling: of engine:raw_connection() (owned: gives it back) or lent for the time of a
 * pool event (c is cleared after). */
/* User value 1: the Connection it was looked at through, or nil. */
typedef struct agl_raw {
    agl_box box;
    agl_state *st;
    ag_pconn *c; /* NULL: closed */
    agl_host *host;
    bool owned;
} agl_raw;

agl_pool *agl_pool_check(lua_State *L, int arg);
/* Push the handle of p. */
void agl_pool_push(lua_State *L, ag_pool *p);
/* engine.pool */
int agl_engine_get_pool(lua_State *L);
/* A raw connection that is open, else raises ResourceClosedError. */
agl_raw *agl_raw_check(lua_State *L, int arg);
/* Push an empty raw connection box. */
agl_raw *agl_raw_new(lua_State *L);
/* raw:execute(text [, parameters]) (lua_exec.c) */
int agl_raw_execute(lua_State *L);
/* raw:create_function, raw:create_collation (lua_function.c) */
int agl_raw_create_function(lua_State *L);
int agl_raw_create_collation(lua_State *L);
/* Push the info table of the physical connection. */
void agl_push_info(lua_State *L, ag_pconn *c);

#endif

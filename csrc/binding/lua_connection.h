/* The parts of the Connection class that stand in several files. */
#ifndef AGL_CONNECTION_H
#define AGL_CONNECTION_H

#include "binding/lua_engine.h"

/* lua_exec.c */
int agl_connection_execute(lua_State *L);
int agl_connection_scalar(lua_State *L);
int agl_connection_scalars(lua_State *L);
int agl_connection_exec_driver_sql(lua_State *L);
/* lua_transaction.c */
extern const luaL_Reg agl_connection_transaction_methods[];

#endif

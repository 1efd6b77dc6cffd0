/* Methods that several statement classes share. */
#ifndef AGL_LUA_STMT_H
#define AGL_LUA_STMT_H

#include "binding/lua_from.h"

int agl_stmt_where(lua_State *L);
int agl_stmt_filter_by(lua_State *L);
int agl_stmt_prefix_with(lua_State *L);
int agl_stmt_with_hint(lua_State *L);
void agl_hint_args(lua_State *L, bool from);
const ag_node *agl_build_hint(agl_build *x, bool from);
int agl_stmt_add_cte(lua_State *L);
int agl_select_subquery(lua_State *L);
int agl_select_scalar_subquery(lua_State *L);
int agl_select_lateral(lua_State *L);
int agl_select_label(lua_State *L);
int agl_select_exists(lua_State *L);
int agl_fn_exists(lua_State *L);

/* lua_introspect.c */
extern const luaL_Reg agl_introspect_methods[], agl_introspect_getters[];
int agl_node_get_children(lua_State *L);
int agl_node_visit_name(lua_State *L);
void agl_open_introspect(lua_State *L);

#endif

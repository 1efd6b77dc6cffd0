/* What FROM elements and statements share in the binding. */
#ifndef AGL_LUA_FROM_H
#define AGL_LUA_FROM_H

#include "binding/lua_expr.h"

/* Push a new `.c` collection of the FROM box at idx. */
void agl_columns_new(lua_State *L, int from);
/* Push the FROM box whose `.c` collection is at idx; returns its node. Raises where the box was only lent. */
const ag_node *agl_columns_push_from(lua_State *L, int idx);
/* Getter `c` of a FROM box. */
int agl_from_get_columns(lua_State *L);
void agl_open_table_func(lua_State *L);
/* prefix_with(…) arguments as PREFIX nodes: strings are raw SQL by name of the method. */
agl_list agl_build_prefixes(agl_build *x, int first, int last, ag_str dialect);
int agl_fn_insert(lua_State *L);
int agl_fn_update(lua_State *L);
int agl_fn_delete(lua_State *L);
int agl_select_cte(lua_State *L);

#endif

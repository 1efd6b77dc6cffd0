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
/* Push an existing node of the construct at idx as a box of its own. */
void agl_push_part(lua_State *L, int idx, const ag_node *part);
/* A table of them. */
void agl_push_parts(lua_State *L, int idx, const ag_node *const *items, size_t n);
int agl_node_get_children(lua_State *L);
int agl_node_same(lua_State *L);
int agl_node_visit_name(lua_State *L);
void agl_open_introspect(lua_State *L);

/* lua_selectable.c */
extern const luaL_Reg agl_selectable_methods[];
int agl_from_corresponding_column(lua_State *L);
int agl_from_is_derived_from(lua_State *L);
int agl_stmt_get_label_style(lua_State *L);
int agl_node_replace_selectable(lua_State *L);
int agl_expr_shares_lineage(lua_State *L);

/* lua_parts.c. For __index (self, name): push the part that an expression or FROM has by that name; false: nothing pushed. */
bool agl_expr_part(lua_State *L);
bool agl_from_part(lua_State *L);

#endif

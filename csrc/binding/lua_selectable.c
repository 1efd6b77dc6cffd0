/* How columns and FROM elements hang together: corresponding_column, is_derived_from, shares_lineage, replace_selectable; get_label_style. */
#include "binding/lua_expr.h"
#include "binding/lua_stmt.h"
#include "sql/select.h"
#include "sql/table.h"
#include "sql/walk.h"

/* ---- lineage ---- */

/* from:corresponding_column(column, {require_embedded}) → the column of from (or of a SELECT) that stands for it, or nil */
int agl_from_corresponding_column(lua_State *L)
{
    static const char *const known[] = {"require_embedded", NULL};
    AGL_KEYWORDS(L, 2, "column");
    agl_check_args(L, 3);
    bool embedded = agl_check_options(L, 3, known) && agl_opt_boolean(L, 3, "require_embedded", false);
    agl_build x = agl_build_begin(L);
    const ag_node *self = agl_conv_node(&x, 1, 1), *column = agl_conv_expr(&x, 2, 2);
    bool selected = ag_node_is_selectable(self) && !ag_node_is_from(self);
    const ag_node *from = selected ? ag_subquery(x.b, self, (ag_str){0}) : agl_conv_from(&x, 1, 1);
    const ag_node *found = from ? ag_corresponding_column(x.b, from, column, embedded) : NULL;
    if (!found && x.b->err->set)
        return agl_build_raise(&x);
    if (!found)
        lua_pushnil(L);
    if (!found || !selected)
        return found ? agl_build_push(&x, found) : 1;
    lua_Integer index = AG_AS(colref, COLREF, found)->index; /* in the subquery that was made for the search */
    lua_getfield(L, 1, "selected_columns");
    lua_geti(L, -1, index + 1);
    return 1;
}

/* from:is_derived_from(other): is other from itself, or inside it? */
int agl_from_is_derived_from(lua_State *L)
{
    agl_check_args(L, 2);
    agl_build x = agl_build_begin(L);
    const ag_node *from = agl_conv_node(&x, 1, 1), *other = agl_conv_from(&x, 2, 2);
    bool is = ag_from_contains(from, other);
    lua_settop(L, 0);
    lua_pushboolean(L, is);
    return 1;
}

/* a:shares_lineage(b): do the columns go back to one of the same table? */
int agl_expr_shares_lineage(lua_State *L)
{
    agl_check_args(L, 2);
    agl_build x = agl_build_begin(L);
    const ag_node *a = agl_self_expr(&x), *b = agl_conv_expr(&x, 2, 2);
    bool shared = ag_columns_share_lineage(a, b, x.b->alloc);
    lua_settop(L, 0);
    lua_pushboolean(L, shared);
    return 1;
}

/* construct:replace_selectable(old, alias): alias, which is derived from old, in its place, also under its columns */
int agl_node_replace_selectable(lua_State *L)
{
    AGL_KEYWORDS(L, 2, "old", "alias");
    agl_check_args(L, 3);
    agl_build x = agl_build_begin(L);
    const ag_node *root = agl_conv_node(&x, 1, 1), *old = agl_conv_from(&x, 2, 2);
    const ag_adapter a = {.from = agl_conv_from(&x, 3, 3)};
    if (!ag_from_contains(a.from, old))
        return agl_argerror(L, 3,
                            "an alias or subquery of argument #2 expected: its columns stand for those of the other");
    return agl_build_push(&x, ag_adapt(x.b, root, &a));
}

/* select:get_label_style(); of a set operation that of its first SELECT, of a text that of one without labels */
int agl_stmt_get_label_style(lua_State *L)
{
    agl_check_top(L, 1);
    const ag_node *n = agl_node_at(L, 1);
    while (n && n->kind == AG_K_COMPOUND)
        n = ag_nlist_at(n, AG_AS(compound, COMPOUND, n)->selects, 0);
    if (!n || !ag_node_is_selectable(n))
        return agl_typeerror(L, 1, "a SELECT or a set operation");
    bool plain = n->kind == AG_K_SELECT;
    lua_pushinteger(L, plain ? (lua_Integer)AG_AS(select, SELECT, n)->label_style : AG_LABEL_STYLE_NONE);
    return 1;
}

const luaL_Reg agl_selectable_methods[] = {{"corresponding_column", agl_from_corresponding_column},
                                           {"is_derived_from", agl_from_is_derived_from},
                                           {"replace_selectable", agl_node_replace_selectable},
                                           {NULL, NULL}};

/* ag.exists(…) and the methods of an EXISTS. */
#include "binding/lua_stmt.h"
#include "sql/select.h"

/* ---- exists() ---- */

/* ag.exists(), ag.exists(column, …), ag.exists(select): SELECT * when nothing is said. */
int agl_fn_exists(lua_State *L)
{
    int top = lua_gettop(L);
    agl_build x = agl_build_begin(L);
    const ag_node *first = top == 1 ? agl_node_at(L, 1) : NULL;
    const ag_node *select;
    if (first && ag_node_is_selectable(first)) {
        select = agl_conv_select(&x, 1, 1);
    } else {
        agl_list l = agl_build_args(&x, 1, top, agl_conv_column);
        const ag_node *star = ag_star(x.b, NULL);
        select = l.n ? ag_select(x.b, l.items, l.n) : ag_select(x.b, &star, 1);
    }
    return agl_build_push(&x, ag_exists(x.b, select));
}

static const ag_node *exists_select(agl_build *x)
{
    const ag_node *n = agl_node_at(x->L, 1);
    if (!n || n->kind != AG_K_EXISTS) {
        agl_typeerror(x->L, 1, "an EXISTS");
        return NULL;
    }
    agl_build_anchor(x, 1);
    return AG_AS(exists, EXISTS, n)->select;
}
static int exists_add(lua_State *L, ag_clause clause, agl_conv conv)
{
    int top = lua_gettop(L);
    agl_build x = agl_build_begin(L);
    const ag_node *select = exists_select(&x);
    agl_list l = agl_build_args(&x, 2, top, conv);
    return agl_build_push(&x, ag_exists(x.b, ag_stmt_add(x.b, select, clause, l.items, l.n, true)));
}
static int exists_where(lua_State *L)
{
    return exists_add(L, AG_CL_WHERE, agl_conv_condition);
}
static int exists_select_from(lua_State *L)
{
    return exists_add(L, AG_CL_FROM, agl_conv_from);
}
/* One nil: correlates nothing (correlate), everything (correlate_except). */
static int exists_add_or_clear(lua_State *L, ag_clause clause)
{
    if (lua_gettop(L) != 2 || !lua_isnil(L, 2))
        return exists_add(L, clause, agl_conv_from);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_exists(x.b, ag_stmt_clear(x.b, exists_select(&x), clause)));
}
static int exists_correlate(lua_State *L)
{
    return exists_add_or_clear(L, AG_CL_CORRELATE);
}
static int exists_correlate_except(lua_State *L)
{
    return exists_add_or_clear(L, AG_CL_CORRELATE_EXCEPT);
}
static int exists_make_select(lua_State *L)
{
    agl_check_top(L, 1);
    agl_build x = agl_build_begin(L);
    const ag_node *e = agl_self_expr(&x);
    return agl_build_push(&x, ag_select(x.b, &e, 1));
}
const luaL_Reg agl_exists_methods[] = {{"where", exists_where},         {"select_from", exists_select_from},
                                       {"correlate", exists_correlate}, {"correlate_except", exists_correlate_except},
                                       {"select", exists_make_select},  {NULL, NULL}};

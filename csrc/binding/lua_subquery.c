/* ag.exists(…), and the methods of an EXISTS and of a scalar subquery: those of the SELECT inside. */
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
    if (first && first->kind == AG_K_SCALAR_SELECT) {
        select = agl_conv_expr(&x, 1, 1);
    } else if (first && ag_node_is_selectable(first)) {
        select = agl_conv_select(&x, 1, 1);
    } else {
        agl_list l = agl_build_args(&x, 1, top, agl_conv_column);
        const ag_node *star = ag_star(x.b, NULL);
        select = l.n ? ag_select(x.b, l.items, l.n) : ag_select(x.b, &star, 1);
    }
    return agl_build_push(&x, ag_exists(x.b, select));
}

/* ---- the SELECT inside ---- */

static const ag_node *inner(agl_build *x)
{
    const ag_node *n = agl_node_at(x->L, 1);
    if (!n || (n->kind != AG_K_EXISTS && n->kind != AG_K_SCALAR_SELECT)) {
        agl_typeerror(x->L, 1, "an EXISTS or a scalar subquery");
        return NULL;
    }
    agl_build_anchor(x, 1);
    return n->kind == AG_K_EXISTS ? AG_AS(exists, EXISTS, n)->select : AG_AS(scalar_select, SCALAR_SELECT, n)->select;
}
static int push_around(agl_build *x, const ag_node *select)
{
    bool exists = agl_node_at(x->L, 1)->kind == AG_K_EXISTS;
    return agl_build_push(x, exists ? ag_exists(x->b, select) : ag_scalar_select(x->b, select));
}
static int inner_add(lua_State *L, ag_clause clause, agl_conv conv)
{
    int top = lua_gettop(L);
    agl_build x = agl_build_begin(L);
    const ag_node *select = inner(&x);
    agl_list l = agl_build_args(&x, 2, top, conv);
    return push_around(&x, ag_stmt_add(x.b, select, clause, l.items, l.n, true));
}
static int inner_where(lua_State *L)
{
    return inner_add(L, AG_CL_WHERE, agl_conv_condition);
}
static int inner_select_from(lua_State *L)
{
    return inner_add(L, AG_CL_FROM, agl_conv_from);
}
/* One nil or false: correlates nothing (correlate), everything (correlate_except). */
static int inner_add_or_clear(lua_State *L, ag_clause clause)
{
    if (lua_gettop(L) != 2 || lua_toboolean(L, 2))
        return inner_add(L, clause, agl_conv_from);
    agl_build x = agl_build_begin(L);
    return push_around(&x, ag_stmt_clear(x.b, inner(&x), clause));
}
static int inner_correlate(lua_State *L)
{
    return inner_add_or_clear(L, AG_CL_CORRELATE);
}
static int inner_correlate_except(lua_State *L)
{
    return inner_add_or_clear(L, AG_CL_CORRELATE_EXCEPT);
}
static int inner_hint(lua_State *L, bool from)
{
    agl_build x = agl_build_begin(L);
    const ag_node *select = inner(&x), *h = agl_build_hint(&x, from);
    return push_around(&x, ag_stmt_add(x.b, select, AG_CL_HINT, &h, 1, true));
}
static int inner_with_hint(lua_State *L)
{
    agl_hint_args(L, true);
    return inner_hint(L, true);
}
static int inner_with_statement_hint(lua_State *L)
{
    agl_hint_args(L, false);
    return inner_hint(L, false);
}
static int exists_make_select(lua_State *L)
{
    agl_check_top(L, 1);
    agl_build x = agl_build_begin(L);
    const ag_node *e = agl_self_expr(&x);
    return agl_build_push(&x, ag_select(x.b, &e, 1));
}
static const luaL_Reg exists_methods[] = {
    {"where", inner_where},         {"select_from", inner_select_from},
    {"correlate", inner_correlate}, {"correlate_except", inner_correlate_except},
    {"with_hint", inner_with_hint}, {"with_statement_hint", inner_with_statement_hint},
    {"select", exists_make_select}, {NULL, NULL}};
static const luaL_Reg scalar_methods[] = {
    {"where", inner_where}, {"correlate", inner_correlate}, {"correlate_except", inner_correlate_except}, {NULL, NULL}};

void agl_open_subquery(lua_State *L)
{
    static agl_class exists = {.name = "exists", .methods = exists_methods, .base = AGL_K_EXPR},
                     scalar = {.name = "ScalarSelect", .methods = scalar_methods, .base = AGL_K_EXPR};
    exists.meta = scalar.meta = agl_expr_meta();
    agl_class_open(L, AGL_K_EXISTS, &exists);
    agl_class_open(L, AGL_K_SCALAR_SELECT, &scalar);
}

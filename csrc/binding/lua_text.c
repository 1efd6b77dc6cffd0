/* text(): raw SQL with :name placeholders, its bindparams and its columns. */
#include "binding/lua_stmt.h"
#include "sql/select.h"
#include "sql/text.h"
#include <stdlib.h>
#include <string.h>

static int fn_text(lua_State *L)
{
    agl_check_top(L, 1);
    ag_str sql = agl_check_str(L, 1);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_text(x.b, sql));
}

static const ag_node *self_text(agl_build *x)
{
    const ag_node *n = agl_node_at(x->L, 1);
    if (!n || n->kind != AG_K_TEXT) {
        agl_typeerror(x->L, 1, "a text()");
        return NULL;
    }
    agl_build_anchor(x, 1);
    return n;
}

/* One name = value of a final table as a bind. */
static const ag_node *named_bind(agl_build *x, int key, int value)
{
    lua_State *L = x->L;
    ag_value v;
    if (lua_type(L, key) != LUA_TSTRING)
        agl_argerror(L, 2, "expected names as keys, got %s", agl_describe(L, key, false));
    if (!agl_tovalue(L, value, &v))
        agl_argerror(L, 2, "parameter '%s': expected a value, got %s", lua_tostring(L, key),
                     agl_describe(L, value, false));
    if (v.kind == AG_V_HOST)
        agl_build_anchor(x, value);
    ag_bind_spec spec = {.value = &v, .flags = AG_BIND_HAS_VALUE};
    spec.key.p = lua_tolstring(L, key, &spec.key.n);
    return ag_bind(x->b, &spec);
}

/* text:bindparams(bindparam("a", …), …, {b = 5}) */
static int text_bindparams(lua_State *L)
{
    int top = lua_gettop(L);
    size_t n = 0, max = (size_t)top;
    bool named = top >= 2 && agl_is_plain_table(L, top);
    if (named) {
        lua_pushnil(L);
        while (lua_next(L, top)) {
            lua_pop(L, 1);
            max++;
        }
    }
    agl_build x = agl_build_begin(L);
    const ag_node *self = agl_node_at(L, 1);
    const ag_node *text = self && self->kind == AG_K_TEXT_SELECT ? agl_conv_node(&x, 1, 1) : self_text(&x);
    const ag_node **binds = agl_build_scratch(&x, (max + 1) * sizeof *binds);
    for (int i = 2; i <= (named ? top - 1 : top); i++)
        if ((binds[n++] = agl_conv_node(&x, i, i))->kind != AG_K_BIND)
            return agl_typeerror(L, i, "bindparam(…) or a table of values by name");
    if (named) {
        lua_pushnil(L);
        while (lua_next(L, top)) {
            int value = lua_gettop(L);
            binds[n] = named_bind(&x, value - 1, value);
            if (!binds[n++])
                return agl_build_raise(&x);
            /* lua_next wants the key on top: an anchor pushed above it moves below */
            if (lua_gettop(L) > value)
                lua_insert(L, value - 1);
            lua_settop(L, lua_gettop(L) - 1);
        }
    }
    return agl_build_push(&x, ag_text_bindparams(x.b, text, binds, n));
}

static int by_name(const void *a, const void *b)
{
    ag_str x = ag_expr_key(*(const ag_node *const *)a), y = ag_expr_key(*(const ag_node *const *)b);
    int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return order ? order : (x.n > y.n) - (x.n < y.n);
}

/* {name = Type, …} at idx: the type of a given column, or a column more, in the order of the names. Returns how many columns there are. */
static size_t named_columns(agl_build *x, int idx, const ag_node **columns, size_t given)
{
    lua_State *L = x->L;
    size_t n = given;
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            agl_argerror(L, idx, "expected names as keys, got %s", agl_describe(L, -2, false));
        ag_str name;
        name.p = lua_tolstring(L, -2, &name.n);
        size_t at = 0;
        while (at < given &&
               (ag_expr_key(columns[at]).n != name.n || memcmp(ag_expr_key(columns[at]).p, name.p, name.n) != 0))
            at++;
        columns[at < given ? at : n] = ag_column_clause(x->b, name, agl_check_type(L, lua_gettop(L), idx), false);
        if (!columns[at < given ? at : n])
            agl_build_raise(x);
        n += at >= given;
    }
    qsort(columns + given, n - given, sizeof *columns, by_name);
    return n;
}

/* text:columns(column, …) by position; text:columns{name = Type} by name; both: by name. */
static int text_columns(lua_State *L)
{
    int top = lua_gettop(L);
    bool named = top >= 2 && agl_is_plain_table(L, top) && lua_rawlen(L, top) == 0;
    size_t max = 0;
    for (lua_pushnil(L); named && lua_next(L, top); lua_pop(L, 1))
        max++;
    lua_settop(L, top);
    agl_build x = agl_build_begin(L);
    const ag_node *text = self_text(&x);
    agl_list l = agl_build_args(&x, 2, named ? top - 1 : top, agl_conv_node);
    const ag_node **columns = agl_build_scratch(&x, (l.n + max + 1) * sizeof *columns);
    if (l.n)
        memcpy(columns, l.items, l.n * sizeof *columns);
    size_t n = named ? named_columns(&x, top, columns, l.n) : l.n;
    return agl_build_push(&x, ag_text_columns(x.b, text, columns, n, !named || (l.n && n == l.n)));
}

static int text_get_text(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    ag_str s = ag_nstr_get(n, AG_AS(text, TEXT, n)->text);
    lua_pushlstring(L, s.p ? s.p : "", s.n);
    return 1;
}

static const luaL_Reg text_methods[] = {{"bindparams", text_bindparams}, {"columns", text_columns}, {NULL, NULL}};
static const luaL_Reg text_getters[] = {{"text", text_get_text}, {NULL, NULL}};
static const luaL_Reg text_select_methods[] = {
    {"subquery", agl_select_subquery}, {"alias", agl_select_subquery},
    {"cte", agl_select_cte},           {"scalar_subquery", agl_select_scalar_subquery},
    {"bindparams", text_bindparams},   {"lateral", agl_select_lateral},
    {"label", agl_select_label},       {"exists", agl_select_exists},
    {"add_cte", agl_stmt_add_cte},     {NULL, NULL}};
static const luaL_Reg functions[] = {{"text", fn_text}, {NULL, NULL}};

void agl_open_text(lua_State *L)
{
    static agl_class text_class = {
        .name = "text", .methods = text_methods, .getters = text_getters, .base = AGL_K_STATEMENT};
    static agl_class text_select_class = {
        .name = "TextualSelect", .methods = text_select_methods, .base = AGL_K_STATEMENT};
    text_class.meta = agl_expr_meta();
    agl_class_open(L, AGL_K_TEXT, &text_class);
    agl_class_open(L, AGL_K_TEXT_SELECT, &text_select_class);
    agl_functions(L, functions);
}

/* Functions that make expressions: case, extract, bindparam, literal, column, literal_column. */
#include "binding/lua_expr.h"
#include "sql/table.h"
#include <string.h>

/* ---- case ---- */

/* Raises for what is no pair. */
static void not_a_pair(lua_State *L, int arg)
{
    lua_pushnil(L);
    if (agl_is_plain_table(L, arg) && lua_next(L, arg) && lua_type(L, -2) == LUA_TSTRING)
        agl_argerror(L, arg, "expected a pair {condition, result}, got a table with the key '%s': write {\"%s\", …}",
                     lua_tostring(L, -2), lua_tostring(L, -2));
    agl_argerror(L, arg, "expected a pair {condition, result}, got %s", agl_describe(L, arg, false));
}

/* One pair {condition, result}: pushes its two conversions' anchors. */
static void case_pair(agl_build *x, int arg, const ag_node *value, const ag_node **out)
{
    lua_State *L = x->L;
    if (!agl_is_plain_table(L, arg) || lua_rawlen(L, arg) != 2)
        not_a_pair(L, arg);
    lua_rawgeti(L, arg, 1);
    int at = lua_gettop(L);
    out[0] = value ? agl_build_unnamed(x, at, arg, AG_OP_EQ, value) : agl_conv_condition(x, at, arg);
    lua_rawgeti(L, arg, 2);
    at = lua_gettop(L);
    out[1] = agl_build_operand(x, at, arg, AG_OP_NONE, NULL);
    if (!out[0] || !out[1])
        agl_build_raise(x);
}

/* case{{…}, {…}}: one list of pairs is spread over the stack; options stay behind them. Returns how many pairs stand there. */
static int case_spread(lua_State *L, int npairs)
{
    if (npairs != 1 || !agl_is_plain_table(L, 1))
        return npairs;
    int n = (int)lua_rawlen(L, 1);
    bool list = n > 0;
    for (int i = 1; list && i <= n; i++) {
        lua_rawgeti(L, 1, i);
        list = agl_is_plain_table(L, -1);
        lua_pop(L, 1);
    }
    if (!list)
        return npairs;
    luaL_checkstack(L, n + 4, "pairs of a case");
    for (int i = n; i >= 1; i--) {
        lua_rawgeti(L, 1, i);
        lua_insert(L, 2);
    }
    lua_remove(L, 1);
    return n;
}

int agl_fn_case(lua_State *L)
{
    static const char *const known[] = {"value", "else_", NULL};
    int options = agl_build_options(L, 1, known);
    int npairs = case_spread(L, options ? options - 1 : lua_gettop(L));
    if (npairs < 1)
        return agl_error_in(L, AG_EXC_ARGUMENT, "expected at least one pair {condition, result}");
    options = options ? npairs + 1 : 0;
    agl_build x = agl_build_begin(L);
    const ag_node *value = NULL, *else_ = NULL;
    if (options && agl_opt_push(L, options, "value") != LUA_TNIL)
        value = agl_build_operand(&x, lua_gettop(L), options, AG_OP_NONE, NULL);
    const ag_node **whens = agl_build_scratch(&x, (size_t)npairs * 2 * sizeof *whens);
    for (int i = 1; i <= npairs; i++)
        case_pair(&x, i, value, whens + 2 * (i - 1));
    if (options && agl_opt_push(L, options, "else_") != LUA_TNIL && !agl_is_null(L, -1))
        else_ = agl_build_operand(&x, lua_gettop(L), options, AG_OP_NONE, NULL);
    return agl_build_push(&x, ag_case(x.b, value, whens, (size_t)npairs, else_));
}

int agl_fn_extract(lua_State *L)
{
    AGL_KEYWORDS(L, 1, "field", "expr");
    agl_check_args(L, 2);
    ag_str field = agl_check_str(L, 1);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_extract(x.b, field, agl_conv_expr(&x, 2, 2)));
}

/* ---- binds ---- */

/* The list value of an expanding bind. */
static void expanding_values(agl_build *x, int idx, int arg, ag_bind_spec *spec)
{
    lua_State *L = x->L;
    if (!agl_is_plain_table(L, idx))
        agl_argerror(L, arg, "the value of an expanding bindparam is a list, got %s", agl_describe(L, idx, false));
    spec->nvalues = lua_rawlen(L, idx);
    ag_value *values = agl_build_scratch(x, (spec->nvalues + 1) * sizeof *values);
    for (size_t i = 0; i < spec->nvalues; i++) {
        lua_rawgeti(L, idx, (lua_Integer)i + 1);
        if (lua_isnil(L, -1) || !agl_tovalue(L, -1, &values[i]))
            agl_argerror(L, arg, "item %d of the list is no value: %s", (int)i + 1, agl_describe(L, -1, false));
        if (values[i].kind != AG_V_HOST)
            lua_pop(L, 1);
    }
    spec->values = values;
}

static void bind_flags(lua_State *L, int o, ag_bind_spec *spec)
{
    if (agl_opt_boolean(L, o, "unique", false))
        spec->flags |= AG_BIND_UNIQUE;
    if (agl_opt_boolean(L, o, "expanding", false))
        spec->flags |= AG_BIND_EXPANDING;
    if (agl_opt_boolean(L, o, "literal_execute", false))
        spec->flags |= AG_BIND_LITERAL_EXECUTE;
    if (agl_opt_push(L, o, "type") != LUA_TNIL) {
        spec->type = agl_check_type(L, -1, o);
        spec->flags |= AG_BIND_TYPED;
    }
    lua_pop(L, 1);
}

/* The value at idx; arg: the argument that it came in. */
static void bind_value(agl_build *x, int idx, int arg, ag_value *value, ag_bind_spec *spec)
{
    lua_State *L = x->L;
    if (spec->flags & AG_BIND_EXPANDING) {
        expanding_values(x, idx, arg, spec);
    } else {
        if (!agl_tovalue(L, idx, value))
            agl_argerror(L, arg, "the value of a bindparam: expected a value, got %s", agl_describe(L, idx, false));
        spec->value = value;
    }
    spec->flags |= AG_BIND_HAS_VALUE;
}

/* bindparam(name [, value [, type]] [, {options}]); name nil or ag.null: one is made up. A final table is options when all its keys are. */
int agl_fn_bindparam(lua_State *L)
{
    static const char *const known[] = {"value",           "type",     "unique", "required", "expanding",
                                        "literal_execute", "callable", NULL};
    AGL_KEYWORDS(L, 1, "key");
    agl_check_top(L, 4);
    int o = agl_build_options(L, 2, known), last = o ? o - 1 : lua_gettop(L);
    ag_bind_spec spec = {0};
    ag_value value;
    if (lua_isnoneornil(L, 1) || agl_is_null(L, 1))
        spec.flags |= AG_BIND_UNIQUE;
    else
        spec.key = agl_check_str(L, 1);
    if (spec.flags & AG_BIND_UNIQUE)
        spec.key = (ag_str)AG_STR("param");
    if (last > 3)
        return agl_argerror(L, 4, "expected an options table, got %s", agl_describe(L, 4, false));
    if (last == 3 && !lua_isnil(L, 3)) {
        spec.type = agl_check_type(L, 3, 3);
        spec.flags |= AG_BIND_TYPED;
    }
    if (o)
        bind_flags(L, o, &spec);
    agl_build x = agl_build_begin(L);
    if (last >= 2 && !lua_isnil(L, 2))
        bind_value(&x, 2, 2, &value, &spec);
    else if (o && agl_opt_push(L, o, "value") != LUA_TNIL)
        bind_value(&x, lua_gettop(L), o, &value, &spec);
    bool given = spec.flags & AG_BIND_HAS_VALUE;
    if (o && agl_opt_push(L, o, "callable") != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TFUNCTION)
            agl_opt_error(L, "callable", "a function");
        spec.callable = agl_hostvalue_id(L, -1);
        spec.flags |= AG_BIND_CALLABLE;
        given = true;
    }
    if (o ? agl_opt_boolean(L, o, "required", !given) : !given)
        spec.flags |= AG_BIND_REQUIRED;
    return agl_build_push(&x, ag_bind(x.b, &spec));
}

int agl_expr_render_literal_execute(lua_State *L)
{
    agl_check_top(L, 1);
    agl_build x = agl_build_begin(L);
    const ag_node *n = agl_self_expr(&x);
    if (n->kind != AG_K_BIND)
        return agl_error_in(L, AG_EXC_ARGUMENT, "only a bindparam() or a literal() has a value to render, not a %s",
                            ag_kind_get(n->kind)->name);
    ag_node *copy = ag_node_copy(x.b, n);
    if (!copy)
        return agl_build_raise(&x);
    copy->flags |= AG_BIND_LITERAL_EXECUTE;
    return agl_build_push(&x, ag_node_finish(x.b, copy));
}

int agl_fn_literal(lua_State *L)
{
    static const char *const known[] = {"type", "literal_execute", NULL};
    agl_check_args(L, 3);
    const ag_type *type = agl_type_at(L, 2);
    int options = type || lua_isnil(L, 2) ? 3 : 2;
    bool literal_execute = false;
    if (options == 2 && !lua_isnil(L, 3))
        return agl_typeerror(L, 2, "a type (ag.Integer, ag.String(50) …)");
    if (agl_check_options(L, options, known)) {
        literal_execute = agl_opt_boolean(L, options, "literal_execute", false);
        if (agl_opt_push(L, options, "type") != LUA_TNIL)
            type = agl_check_type(L, -1, options);
        lua_pop(L, 1);
    }
    ag_value v;
    if (lua_isnoneornil(L, 1) || !agl_tovalue(L, 1, &v))
        return agl_typeerror(L, 1, "a value (SQL NULL is ag.null)");
    const ag_type *own = !type && v.kind == AG_V_HOST ? agl_value_type(L, 1) : NULL;
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    return agl_build_push(&x, ag_literal(x.b, &v, own ? own : type, literal_execute));
}

/* ---- columns without a table ---- */

static int make_column(lua_State *L, bool literal)
{
    static const char *const known[] = {"is_literal", NULL};
    AGL_KEYWORDS(L, 1, "text", "type");
    agl_check_args(L, 3);
    int quote = -1, options = agl_is_plain_table(L, 2) ? 2 : 3;
    ag_str name = lua_isnoneornil(L, 1) ? agl_check_str(L, 1) : agl_opt_name(L, 1, &quote);
    const ag_type *type = options == 2 || lua_isnoneornil(L, 2) ? NULL : agl_check_type(L, 2, 2);
    if (agl_check_options(L, options, known))
        literal = agl_opt_boolean(L, options, "is_literal", literal);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_with_quote(x.b, ag_column_clause(x.b, name, type, literal), quote));
}
int agl_fn_column(lua_State *L)
{
    return make_column(L, false);
}
int agl_fn_literal_column(lua_State *L)
{
    return make_column(L, true);
}

/* pg.array{…} */
int agl_fn_array(lua_State *L)
{
    static const char *const known[] = {"type", NULL};
    agl_check_args(L, 2);
    agl_check_table(L, 1);
    const ag_type *type = NULL;
    if (agl_check_options(L, 2, known) && agl_opt_push(L, 2, "type") != LUA_TNIL)
        type = agl_check_type(L, -1, 2);
    agl_build x = agl_build_begin(L);
    agl_list l = agl_build_table(&x, 1, 1, agl_conv_expr);
    return agl_build_push(&x, ag_array(x.b, l.items, l.n, type));
}

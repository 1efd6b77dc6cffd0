/* Operators with options or with lists: in_, between, the LIKE family, match, regular expressions, op(). */
#include "binding/lua_expr.h"
#include "sql/select.h"

/* ---- in_ ---- */

/* The list at idx holds only values (no SQL expression); HOST values are anchored. Fills out. */
static bool list_of_values(agl_build *x, int idx, size_t n, ag_value *out)
{
    lua_State *L = x->L;
    for (size_t i = 0; i < n; i++) {
        agl_check_room(L, 4, "tables in a list");
        lua_rawgeti(L, idx, (lua_Integer)i + 1);
        bool expr = agl_node_at(L, -1) != NULL;
        if (expr || lua_isnil(L, -1) || !agl_tovalue(L, -1, &out[i])) {
            if (!expr)
                agl_argerror(L, 2, "item %d of the list: expected a value or an SQL expression, got %s", (int)i + 1,
                             agl_describe(L, -1, false));
            lua_pop(L, 1);
            return false;
        }
        if (out[i].kind != AG_V_HOST)
            lua_pop(L, 1); /* the table keeps strings alive until push copies them */
    }
    return true;
}

static const ag_node *in_tuples(agl_build *x, const ag_node *tuple, size_t n)
{
    lua_State *L = x->L;
    uint32_t width = AG_AS(tuple, TUPLE, tuple)->items.n;
    ag_value *values = agl_build_scratch(x, (n * width + 1) * sizeof *values);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        int row = lua_gettop(L);
        if (!agl_is_plain_table(L, row) || lua_rawlen(L, row) != width)
            agl_argerror(L, 2, "item %d of the list: expected a list of %d values, one for each member of the tuple",
                         (int)i + 1, (int)width);
        if (!list_of_values(x, row, width, values + i * width))
            agl_argerror(L, 2, "item %d of the list: a tuple's members are values, not expressions", (int)i + 1);
        lua_remove(L, row);
    }
    return ag_in_tuples(x->b, tuple, values, n, width);
}

static const ag_node *in_table(agl_build *x, const ag_node *left, ag_op_id op)
{
    lua_State *L = x->L;
    size_t n = lua_rawlen(L, 2);
    lua_rawgeti(L, 2, 1);
    bool exprs = agl_node_at(L, -1) != NULL;
    lua_pop(L, 1);
    if (left->kind == AG_K_TUPLE && !exprs)
        return in_tuples(x, left, n);
    ag_value *values = agl_build_scratch(x, (n + 1) * sizeof *values);
    int top = lua_gettop(L);
    if (list_of_values(x, 2, n, values))
        return ag_in_list(x->b, left, values, n);
    lua_settop(L, top);
    const ag_node **items = agl_build_scratch(x, n * sizeof *items);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        int at = lua_gettop(L);
        items[i] = agl_build_operand(x, at, 2, op, left);
        if (!items[i])
            agl_build_raise(x);
    }
    return ag_list(x->b, AG_OP_COMMA, items, n, true);
}

/* core.in_keys(column or tuple, list) → column IN list, the list as one array parameter. */
int agl_expr_in_keys(lua_State *L)
{
    agl_check_args(L, 2);
    agl_check_table(L, 2);
    agl_build x = agl_build_begin(L);
    const ag_node *left = agl_self_expr(&x);
    size_t n = lua_rawlen(L, 2), width = left->kind == AG_K_TUPLE ? AG_AS(tuple, TUPLE, left)->items.n : 1;
    ag_value *values = agl_build_scratch(&x, (n * width + 1) * sizeof *values);
    for (size_t i = 0; left->kind == AG_K_TUPLE && i < n; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        int row = lua_gettop(L);
        if (!list_of_values(&x, row, width, values + i * width))
            agl_argerror(L, 2, "row %d: expected values", (int)i + 1);
        lua_remove(L, row);
    }
    if (left->kind != AG_K_TUPLE && !list_of_values(&x, 2, n, values))
        agl_argerror(L, 2, "expected values");
    return agl_build_push(&x, ag_binary(x.b, AG_OP_IN, left, ag_in_keys(x.b, left, values, n)));
}

/* in_(bindparam("x", {1, 2})): made without its place in mind, the list was read as one value. */
static const ag_node *in_bind(agl_build *x, const ag_node *left, const ag_node *right)
{
    lua_State *L = x->L;
    const ag_n_bind *old = AG_AS(bind, BIND, right);
    if (left->kind == AG_K_TUPLE || (right->flags & AG_BIND_EXPANDING) || !(right->flags & AG_BIND_HAS_VALUE))
        return right;
    ag_value value;
    ag_nval_get(&value, old, &old->value);
    if (value.kind == AG_V_HOST)
        agl_hostvalue_push(L, value.u.i);
    if (value.kind != AG_V_HOST || !agl_is_plain_table(L, -1))
        agl_argerror(L, 2, "the value of a bindparam in in_ is a list");
    int list = lua_gettop(L);
    size_t n = lua_rawlen(L, list);
    ag_value *values = agl_build_scratch(x, (n + 1) * sizeof *values);
    if (!list_of_values(x, list, n, values))
        agl_argerror(L, 2, "the list of a bindparam holds values, no SQL expressions");
    const ag_bind_spec s = {.key = ag_nstr_get(old, old->key),
                            .type = right->flags & AG_BIND_TYPED ? right->type : left->type,
                            .values = values,
                            .nvalues = n,
                            .flags = (right->flags & AG_NF_KIND) | AG_BIND_EXPANDING};
    return ag_bind(x->b, &s);
}

static int in_with(lua_State *L, ag_op_id op)
{
    if (lua_gettop(L) > 2)
        return agl_error_in(L, AG_EXC_ARGUMENT, "takes one list: in_{1, 2}, in_(values), in_(select)");
    agl_check_args(L, 2);
    agl_build x = agl_build_begin(L);
    const ag_node *left = agl_self_expr(&x);
    const ag_node *right = agl_node_at(L, 2);
    if (right) {
        agl_build_anchor(&x, 2);
        if (ag_node_is_from(right) && right->kind != AG_K_SUBQUERY && right->kind != AG_K_VALUES)
            right = ag_select(x.b, &right, 1); /* a table or CTE: its rows */
        if (right && right->kind == AG_K_BIND)
            right = in_bind(&x, left, right);
        else if (right && right->kind == AG_K_FUNC)
            right = ag_select(x.b, &right, 1); /* its rows, too */
        if (!right)
            return agl_build_raise(&x);
    } else if (agl_is_plain_table(L, 2)) {
        lua_pushnil(L);
        while (lua_next(L, 2)) {
            if (lua_type(L, -2) != LUA_TNUMBER)
                agl_argerror(L, 2, "expected a list, got a table with the key %s", agl_describe(L, -2, false));
            lua_pop(L, 1);
        }
        right = in_table(&x, left, op);
    } else {
        return agl_typeerror(L, 2, "a list of values, a SELECT or bindparam(name, {expanding = true})");
    }
    return agl_build_push(&x, ag_binary(x.b, op, left, right));
}
int agl_expr_in(lua_State *L)
{
    return in_with(L, AG_OP_IN);
}
int agl_expr_not_in(lua_State *L)
{
    return in_with(L, AG_OP_NOT_IN);
}

/* ---- between ---- */

int agl_expr_between(lua_State *L)
{
    static const char *const known[] = {"symmetric", NULL};
    agl_option_by_place(L, 4, "symmetric");
    agl_check_args(L, 4);
    agl_check_options(L, 4, known);
    bool symmetric = agl_opt_boolean(L, 4, "symmetric", false);
    agl_build x = agl_build_begin(L);
    const ag_node *e = agl_conv_expr(&x, 1, 1);
    const ag_node *lower = agl_build_operand(&x, 2, 2, AG_OP_BETWEEN, e);
    const ag_node *upper = agl_build_operand(&x, 3, 3, AG_OP_BETWEEN, e);
    return agl_build_push(&x, ag_between(x.b, e, lower, upper, false, symmetric));
}

/* ---- LIKE family, match, regular expressions ---- */

typedef struct like_form {
    ag_op_id op;
    const char *const *options;
    const char *modifier; /* option that goes into the operator's modifier */
} like_form;

static int like_with(lua_State *L, const like_form *f)
{
    agl_option_by_place(L, 3, f->options[0]);
    agl_check_args(L, 3);
    agl_check_options(L, 3, f->options);
    ag_binary_opts o = {0};
    if (lua_istable(L, 3)) {
        if (!f->modifier) {
            o.escape = agl_field_str(L, 3, "escape");
            if (f->op != AG_OP_LIKE && f->op != AG_OP_NOT_LIKE && f->op != AG_OP_ILIKE && f->op != AG_OP_NOT_ILIKE)
                o.autoescape = agl_opt_boolean(L, 3, "autoescape", false);
        } else {
            o.modifier = agl_field_str(L, 3, f->modifier);
        }
    }
    agl_build x = agl_build_begin(L);
    const ag_node *left = agl_self_expr(&x);
    const ag_node *right = agl_build_operand(&x, 2, 2, f->op, left);
    return agl_push_operation(&x, f->op, left, ag_binary_with(x.b, f->op, left, right, &o));
}

static const char *const like_options[] = {"escape", NULL};
static const char *const contains_options[] = {"escape", "autoescape", NULL};
static const char *const match_options[] = {"postgresql_regconfig", NULL};
static const char *const regexp_options[] = {"flags", NULL};

#define LIKE(name, id, options, modifier)                                                                              \
    int agl_expr_##name(lua_State *L)                                                                                  \
    {                                                                                                                  \
        return like_with(L, &(like_form){AG_OP_##id, options, modifier});                                              \
    }
LIKE(like, LIKE, like_options, NULL)
LIKE(not_like, NOT_LIKE, like_options, NULL)
LIKE(ilike, ILIKE, like_options, NULL)
LIKE(not_ilike, NOT_ILIKE, like_options, NULL)
LIKE(startswith, STARTSWITH, contains_options, NULL)
LIKE(endswith, ENDSWITH, contains_options, NULL)
LIKE(icontains, ICONTAINS, contains_options, NULL)
LIKE(istartswith, ISTARTSWITH, contains_options, NULL)
LIKE(iendswith, IENDSWITH, contains_options, NULL)
LIKE(match, MATCH, match_options, "postgresql_regconfig")
LIKE(regexp_match, REGEXP_MATCH, regexp_options, "flags")
#undef LIKE

int agl_expr_contains(lua_State *L)
{
    if (agl_expr_contains_operator(L))
        return 1;
    return like_with(L, &(like_form){AG_OP_CONTAINS, contains_options, NULL});
}

int agl_expr_regexp_replace(lua_State *L)
{
    agl_option_by_place(L, 4, regexp_options[0]);
    agl_check_args(L, 4);
    agl_check_options(L, 4, regexp_options);
    ag_str flags = lua_istable(L, 4) ? agl_field_str(L, 4, "flags") : (ag_str){0};
    agl_build x = agl_build_begin(L);
    const ag_node *e = agl_self_expr(&x);
    const ag_node *pattern = agl_build_operand(&x, 2, 2, AG_OP_REGEXP_REPLACE, e);
    const ag_node *with = agl_build_operand(&x, 3, 3, AG_OP_REGEXP_REPLACE, e);
    return agl_push_operation(&x, AG_OP_REGEXP_REPLACE, e, ag_regexp_replace(x.b, e, pattern, with, flags));
}

/* ---- op("@@")(right) ---- */

/* Upvalues: the left expression, the operator's text, precedence, flags, return type or nil. */
static int op_call(lua_State *L)
{
    lua_settop(L, 1);
    ag_str text;
    text.p = lua_tolstring(L, lua_upvalueindex(2), &text.n);
    int precedence = (int)lua_tointeger(L, lua_upvalueindex(3));
    unsigned flags = (unsigned)lua_tointeger(L, lua_upvalueindex(4));
    const ag_type *type = agl_type_at(L, lua_upvalueindex(5));
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    agl_build x = agl_build_begin(L);
    const ag_node *left = agl_build_operand(&x, 1, 1, AG_OP_NONE, NULL);
    const ag_node *right = agl_build_operand(&x, 2, 1, AG_OP_CUSTOM, left);
    return agl_build_push(&x, ag_custom_op(x.b, text, precedence, flags, type, left, right));
}

static int make_op(lua_State *L, unsigned flags)
{
    static const char *const known[] = {"precedence", "is_comparison", "return_type", NULL};
    agl_option_by_place(L, 3, "precedence");
    agl_check_top(L, 3);
    agl_check_options(L, 3, known);
    ag_str text = agl_check_str(L, 2);
    if (!ag_op_text_valid(text.p, text.n))
        return agl_argerror(L, 2, "%s is not an operator: use operator characters or words", agl_describe(L, 2, false));
    if (!agl_node_at(L, 1))
        return agl_typeerror(L, 1, "an SQL expression");
    bool options = lua_istable(L, 3);
    lua_Integer precedence = options ? agl_opt_integer(L, 3, "precedence", -100, 100, 0) : 0;
    if (options && agl_opt_boolean(L, 3, "is_comparison", false))
        flags |= AG_BINARY_BOOL;
    lua_settop(L, 3);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushinteger(L, precedence);
    lua_pushinteger(L, flags);
    if (options)
        lua_getfield(L, 3, "return_type");
    else
        lua_pushnil(L);
    if (!lua_isnil(L, -1))
        (void)agl_check_type(L, -1, 3);
    lua_pushcclosure(L, op_call, 5);
    return 1;
}
int agl_expr_op(lua_State *L)
{
    return make_op(L, 0);
}
int agl_expr_bool_op(lua_State *L)
{
    return make_op(L, AG_BINARY_BOOL);
}

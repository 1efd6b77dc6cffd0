/* What values with parts offer: array and JSON items, JSON typed accessors, and PostgreSQL's operators of arrays, JSONB and
 * ranges (names and precedences of sqlalchemy.dialects.postgresql). */
#include "binding/lua_expr.h"
#include "sql/func.h"
#include <string.h>

/* ---- items ---- */

/* The item's key, position or bound at idx; a value's parameter is called as what it is an item of. */
static const ag_node *item_operand(agl_build *x, int idx, const ag_node *of)
{
    const ag_node *e = agl_build_operand(x, idx, idx, AG_OP_GETITEM, NULL);
    return agl_node_at(x->L, idx) ? e : ag_bind_beside(x->b, e, of);
}

/* at{"a", "b", 1}: a JSON path, one bind that the dialect writes in its own form. */
static const ag_node *json_path(agl_build *x, const ag_node *left)
{
    lua_State *L = x->L;
    ag_value v;
    if (!agl_tovalue(L, 2, &v))
        agl_typeerror(L, 2, "a path: a list of keys and positions");
    agl_build_anchor(x, 2);
    const ag_node *path = ag_literal(x->b, &v, ag_type_plain(AG_TYPE_JSON), false);
    return ag_getitem(x->b, left, ag_bind_beside(x->b, path, left), true);
}

int agl_expr_at(lua_State *L)
{
    agl_check_args(L, 2);
    agl_build x = agl_build_begin(L);
    const ag_node *left = agl_self_expr(&x);
    if (agl_is_plain_table(L, 2))
        return agl_build_push(&x, json_path(&x, left));
    const ag_node *index = item_operand(&x, 2, left);
    return agl_build_push(&x, ag_getitem(x.b, left, index, false));
}

static const ag_node *slice_bound(agl_build *x, int idx, const ag_node *of)
{
    return lua_isnoneornil(x->L, idx) || agl_is_null(x->L, idx) ? NULL : item_operand(x, idx, of);
}

int agl_expr_slice(lua_State *L)
{
    const ag_node *self = agl_node_at(L, 1);
    if (self && self->type && ag_type_impl(self->type, NULL)->id == AG_TYPE_PG_HSTORE)
        return agl_comparator_call(L, "slice");
    agl_check_args(L, 4);
    agl_build x = agl_build_begin(L);
    const ag_node *left = agl_self_expr(&x);
    const ag_node *slice = ag_slice(x.b, slice_bound(&x, 2, left), slice_bound(&x, 3, left), slice_bound(&x, 4, left));
    return agl_build_push(&x, ag_getitem(x.b, left, slice, false));
}

/* ---- typed accessors ---- */

/* The same item read as another type: x:at("a"):as_integer(). */
static int as_type(lua_State *L, const ag_type *type)
{
    agl_check_top(L, 1);
    const ag_node *n = agl_node_at(L, 1);
    if (!n || n->kind != AG_K_BINARY || (n->op != AG_OP_JSON_GETITEM && n->op != AG_OP_JSON_PATH_GETITEM))
        return agl_error_in(L, AG_EXC_INVALID_REQUEST, "works on an item of a JSON column: column:at(\"key\")");
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    ag_node *copy = ag_node_copy(x.b, n);
    if (!copy)
        return agl_build_raise(&x);
    copy->type = type;
    return agl_build_push(&x, ag_node_finish(x.b, copy));
}
int agl_expr_as_string(lua_State *L)
{
    return as_type(L, ag_type_plain(AG_TYPE_UNICODE));
}
int agl_expr_as_integer(lua_State *L)
{
    return as_type(L, ag_type_plain(AG_TYPE_INTEGER));
}
int agl_expr_as_float(lua_State *L)
{
    return as_type(L, ag_type_plain(AG_TYPE_FLOAT));
}
int agl_expr_as_boolean(lua_State *L)
{
    return as_type(L, ag_type_plain(AG_TYPE_BOOLEAN));
}
int agl_expr_as_json(lua_State *L)
{
    return as_type(L, ag_type_plain(AG_TYPE_JSON));
}
int agl_expr_as_numeric(lua_State *L)
{
    static const char *const known[] = {"asdecimal", NULL};
    agl_check_top(L, 4);
    agl_check_options(L, 4, known);
    ag_type proto = ag_type_proto(AG_TYPE_NUMERIC);
    proto.precision = (int32_t)agl_check_integer(L, 2, 1, 1000);
    proto.scale = (int32_t)agl_check_integer(L, 3, 0, 1000);
    if (!agl_opt_boolean(L, 4, "asdecimal", true))
        proto.flags &= ~AG_TYPE_ASDECIMAL;
    const ag_type *type;
    agl_must(L, ag_types_intern(agl_state_get(L)->types, &type, &proto, agl_err(L)), agl_err(L));
    lua_settop(L, 1);
    return as_type(L, type);
}

/* ---- PostgreSQL operators ---- */

#define PRECEDENCE_EQ   5
#define PRECEDENCE_ITEM 15
#define PG_OP           (AG_BINARY_NATURAL | AG_BINARY_EAGER)

/* Which types have an operator. */
enum {
    ON_ARRAY = 1,
    ON_JSONB = 2,
    ON_HSTORE = 4,
    ON_RANGE = 8,
};
static unsigned family(const ag_type *type)
{
    const ag_type *t = ag_type_impl(type, NULL);
    switch (ag_type_affinity(t)) {
    case AG_AFF_ARRAY: return ON_ARRAY;
    case AG_AFF_RANGE:
    case AG_AFF_MULTIRANGE: return ON_RANGE;
    default: return t->id == AG_TYPE_PG_JSONB ? ON_JSONB : t->id == AG_TYPE_PG_HSTORE ? ON_HSTORE : 0;
    }
}

/* Raises unless self's type has the operator. Types that nothing is known of, and those with a variant, may have it. */
static void check_family(lua_State *L, unsigned wanted)
{
    const ag_node *n = agl_node_at(L, 1);
    const ag_type *t = n ? n->type : NULL;
    if (!t || t->nvariants || ag_type_affinity(t) == AG_AFF_NULL || (family(t) & wanted))
        return;
    const bool all[] = {wanted & ON_ARRAY, wanted & ON_JSONB, wanted & ON_HSTORE, wanted & ON_RANGE};
    static const char *const names[] = {"ARRAY", "JSONB", "HSTORE", "ranges and multiranges"};
    char text[96] = "";
    for (size_t i = 0; i < 4; i++) {
        if (all[i])
            (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", *text ? ", " : "", names[i]);
    }
    agl_error_in(L, AG_EXC_ARGUMENT, "works on columns of the types %s, not on %s", text, ag_type_lua_name(t));
}

static int custom(lua_State *L, const char *text, int precedence, unsigned flags, const ag_type *type)
{
    agl_check_args(L, 2);
    agl_build x = agl_build_begin(L);
    const ag_node *left = agl_self_expr(&x);
    const ag_node *right = agl_build_operand(&x, 2, 2, AG_OP_CUSTOM, left);
    return agl_build_push(&x, ag_custom_op(x.b, (ag_str){text, strlen(text)}, precedence, flags, type, left, right));
}
static int comparison(lua_State *L, const char *text)
{
    return custom(L, text, PRECEDENCE_EQ, PG_OP | AG_BINARY_BOOL, ag_type_plain(AG_TYPE_BOOLEAN));
}

static bool has_containment(const ag_type *t)
{
    ag_affinity a = ag_type_affinity(t);
    return a == AG_AFF_ARRAY || a == AG_AFF_RANGE || a == AG_AFF_MULTIRANGE || t->id == AG_TYPE_PG_JSONB ||
           t->id == AG_TYPE_PG_HSTORE;
}
bool agl_expr_contains_operator(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    if (!n || !n->type || !has_containment(n->type))
        return false;
    comparison(L, "@>");
    return true;
}

#define COMPARISON(name, text, types)                                                                                  \
    int agl_expr_##name(lua_State *L)                                                                                  \
    {                                                                                                                  \
        check_family(L, types);                                                                                        \
        return comparison(L, text);                                                                                    \
    }
COMPARISON(contained_by, "<@", ON_ARRAY | ON_JSONB | ON_HSTORE | ON_RANGE)
COMPARISON(overlap, "&&", ON_ARRAY | ON_RANGE)
COMPARISON(has_key, "?", ON_JSONB | ON_HSTORE)

/* A text beside a JSON document is a path of it. */
static int path_comparison(lua_State *L, const char *text)
{
    check_family(L, ON_JSONB);
    agl_check_args(L, 2);
    agl_build x = agl_build_begin(L);
    const ag_node *left = agl_self_expr(&x);
    const ag_node *right = agl_build_operand(&x, 2, 2, AG_OP_CUSTOM, left);
    if (right && right->kind == AG_K_BIND && lua_type(L, 2) == LUA_TSTRING && left->type->id == AG_TYPE_PG_JSONB)
        right = ag_bind_with_type(x.b, right, ag_type_plain(AG_TYPE_PG_JSONPATH));
    return agl_build_push(&x, ag_custom_op(x.b, (ag_str){text, strlen(text)}, PRECEDENCE_EQ, PG_OP | AG_BINARY_BOOL,
                                           ag_type_plain(AG_TYPE_BOOLEAN), left, right));
}
int agl_expr_path_exists(lua_State *L)
{
    return path_comparison(L, "@?");
}
int agl_expr_path_match(lua_State *L)
{
    return path_comparison(L, "@@");
}
COMPARISON(adjacent_to, "-|-", ON_RANGE)
COMPARISON(strictly_left_of, "<<", ON_RANGE)
COMPARISON(strictly_right_of, ">>", ON_RANGE)
COMPARISON(not_extend_right_of, "&<", ON_RANGE)
COMPARISON(not_extend_left_of, "&>", ON_RANGE)
#undef COMPARISON

/* array:any(5, {operator = "lt"}): 5 < ANY (array), SQLAlchemy's older form of any_(array):gt(5). */
static int quantified(lua_State *L, ag_op_id op)
{
    static const char *const known[] = {"operator", NULL};
    static const char *const operators[] = {"eq", "ne", "lt", "le", "gt", "ge", NULL};
    static const ag_op_id ids[] = {AG_OP_EQ, AG_OP_NE, AG_OP_LT, AG_OP_LE, AG_OP_GT, AG_OP_GE};
    const ag_node *self = agl_node_at(L, 1);
    agl_check_args(L, 3);
    if (!self || !self->type || ag_type_affinity(self->type) != AG_AFF_ARRAY)
        return agl_error_in(L, AG_EXC_ARGUMENT, "works on arrays: for subqueries there is any_(select):eq(value)");
    agl_check_options(L, 3, known);
    size_t i = 0;
    const char *name = agl_opt_string(L, 3, "operator", NULL);
    name = name ? name : "eq";
    while (operators[i] && strcmp(operators[i], name) != 0)
        i++;
    if (!operators[i])
        return agl_argerror(L, 3, "operator: expected one of eq, ne, lt, le, gt, ge, got '%s'", name);
    agl_build x = agl_build_begin(L);
    const ag_node *all = ag_unary(x.b, op, agl_self_expr(&x));
    const ag_node *other = all ? agl_build_operand(&x, 2, 2, ids[i], all) : NULL;
    ag_op_id mirror = (ag_op_id)ag_op_get(ids[i])->mirror;
    return agl_build_push(&x, all && other ? ag_binary(x.b, mirror, all, other) : NULL);
}
int agl_expr_any(lua_State *L)
{
    return quantified(L, AG_OP_ANY);
}
int agl_expr_all(lua_State *L)
{
    return quantified(L, AG_OP_ALL);
}

static const ag_type *text_array(lua_State *L)
{
    ag_type proto = ag_type_proto(AG_TYPE_ARRAY);
    const ag_type *type = NULL;
    proto.item = ag_type_plain(AG_TYPE_TEXT);
    agl_must(L, ag_types_intern(agl_state_get(L)->types, &type, &proto, agl_err(L)), agl_err(L));
    return type;
}

/* x ?| keys: a plain list of keys is an array of text, as the operator wants. */
static int has_keys(lua_State *L, const char *text)
{
    ag_value v;
    check_family(L, ON_JSONB | ON_HSTORE);
    if (!agl_is_plain_table(L, 2))
        return comparison(L, text);
    agl_check_args(L, 2);
    const ag_type *type = text_array(L);
    lua_pushnil(L);
    if (!lua_rawlen(L, 2) && lua_next(L, 2))
        return agl_argerror(L, 2, "expected a list of keys, got a table with the key %s", agl_describe(L, -2, false));
    lua_settop(L, 2);
    if (!agl_tovalue(L, 2, &v))
        return agl_typeerror(L, 2, "a list of keys");
    agl_build x = agl_build_begin(L);
    const ag_node *left = agl_self_expr(&x);
    agl_build_anchor(&x, 2);
    const ag_node *right = ag_operand_of_type(x.b, left, type, &v);
    return agl_build_push(&x, ag_custom_op(x.b, (ag_str){text, strlen(text)}, PRECEDENCE_EQ, PG_OP | AG_BINARY_BOOL,
                                           ag_type_plain(AG_TYPE_BOOLEAN), left, right));
}
int agl_expr_has_any(lua_State *L)
{
    return has_keys(L, "?|");
}
int agl_expr_has_all(lua_State *L)
{
    return has_keys(L, "?&");
}

/* The path of keys and positions at 2 as a list of texts. */
static void push_path(lua_State *L)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, 2);
    lua_createtable(L, (int)n, 0);
    for (lua_Integer i = 1; i <= n; i++) {
        int kind = lua_rawgeti(L, 2, i);
        if (kind != LUA_TSTRING && !lua_isinteger(L, -1))
            agl_argerror(L, 2, "item %d of the path: expected a key or a position, got %s", (int)i,
                         agl_describe(L, -1, false));
        (void)luaL_tolstring(L, -1, NULL);
        lua_rawseti(L, -3, i);
        lua_pop(L, 1);
    }
}

/* json #- CAST(ARRAY[…] AS TEXT[]) of a list or an array expression; other expressions stand as they are. */
int agl_expr_delete_path(lua_State *L)
{
    check_family(L, ON_JSONB);
    const ag_node *given = agl_node_at(L, 2);
    bool list = agl_is_plain_table(L, 2);
    if (!list && !(given && given->kind == AG_K_ARRAY))
        return custom(L, "#-", PRECEDENCE_ITEM, PG_OP, ag_type_plain(AG_TYPE_PG_JSONB));
    agl_check_args(L, 2);
    const ag_type *type = text_array(L);
    if (list)
        push_path(L);
    agl_build x = agl_build_begin(L);
    const ag_node *left = agl_self_expr(&x), *path;
    if (list) {
        agl_list l = agl_build_table(&x, 3, 2, agl_conv_expr);
        path = ag_array(x.b, l.items, l.n, NULL);
    } else {
        path = agl_conv_expr(&x, 2, 2);
    }
    path = ag_cast(x.b, AG_K_CAST, path, type);
    return agl_build_push(
        &x, ag_custom_op(x.b, AG_STR("#-"), PRECEDENCE_ITEM, PG_OP, ag_type_plain(AG_TYPE_PG_JSONB), left, path));
}

/* json:at("a").astext: the item as text (->> and #>>). */
int agl_expr_astext(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    if (!n || n->kind != AG_K_BINARY || (n->op != AG_OP_JSON_GETITEM && n->op != AG_OP_JSON_PATH_GETITEM))
        return agl_error(L, AG_EXC_INVALID_REQUEST,
                         "astext: works on an item of a JSON column: column:at(\"key\").astext");
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    return agl_build_push(&x, ag_json_astext(x.b, n));
}

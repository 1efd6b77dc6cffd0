/* Methods of SQL expressions: operators, modifiers, casts, labels, array and JSON access. One row of operators.def is one
 * method here; what an operator means is sql/expr.h's affair. Operators that need options are in lua_expr_ops.c. */
#include "binding/hint.h"
#include "binding/lua_stmt.h"
#include "sql/func.h"
#include "sql/table.h"
#include <string.h>

const ag_node *agl_self_expr(agl_build *x)
{
    const ag_node *n = agl_node_at(x->L, 1);
    if (!n || !(ag_node_is(n, AG_CLASS_EXPR) || n->kind == AG_K_SELECT || n->kind == AG_K_COMPOUND)) {
        agl_typeerror(x->L, 1, "an SQL expression (call methods with a colon)");
        return NULL;
    }
    return agl_build_expr(x, 1, 1, n);
}

/* ---- operators that a type does not know ---- */

int agl_push_operation(agl_build *x, ag_op_id op, const ag_node *of, const ag_node *result)
{
    lua_State *L = x->L;
    const ag_type *type = of && result ? of->type : NULL;
    bool odd = type && !ag_op_accepts(op, type);
    const char *name = odd ? ag_type_lua_name(type) : NULL;
    int pushed = agl_build_push(x, result);
    if (!odd)
        return pushed;
    if (lua_getglobal(L, "warn") == LUA_TFUNCTION) {
        lua_pushfstring(L, "argent: the type %s has no operator %s: a cast says what is meant", name,
                        ag_op_get(op)->name);
        lua_call(L, 1, 0);
    } else {
        lua_pop(L, 1);
    }
    return pushed;
}

/* ---- binary operators ---- */

static int binary(lua_State *L, ag_op_id op)
{
    agl_check_args(L, 2);
    agl_build x = agl_build_begin(L);
    const ag_node *left = agl_self_expr(&x);
    const ag_node *right = agl_build_operand(&x, 2, 2, op, left);
    return agl_push_operation(&x, op, left, ag_binary(x.b, op, left, right));
}

/* is_(nil) and is_not(nil) mean NULL; in any other operator nil raises. */
static int binary_or_null(lua_State *L, ag_op_id op)
{
    agl_check_args(L, 2);
    agl_build x = agl_build_begin(L);
    const ag_node *left = agl_self_expr(&x);
    const ag_node *right = lua_isnoneornil(L, 2) ? ag_null_new(x.b) : agl_build_operand(&x, 2, 2, op, left);
    return agl_build_push(&x, ag_binary(x.b, op, left, right));
}

#define BINARY(name, id)                                                                                               \
    static int expr_##name(lua_State *L)                                                                               \
    {                                                                                                                  \
        return binary(L, AG_OP_##id);                                                                                  \
    }
BINARY(eq, EQ)
BINARY(ne, NE)
BINARY(lt, LT)
BINARY(le, LE)
BINARY(gt, GT)
BINARY(ge, GE)
BINARY(is_distinct_from, IS_DISTINCT)
BINARY(is_not_distinct_from, IS_NOT_DISTINCT)
BINARY(concat, CONCAT)
BINARY(bitwise_and, BIT_AND)
BINARY(bitwise_or, BIT_OR)
BINARY(bitwise_xor, BIT_XOR)
BINARY(bitwise_lshift, BIT_LSHIFT)
BINARY(bitwise_rshift, BIT_RSHIFT)
#undef BINARY

static int expr_is(lua_State *L)
{
    return binary_or_null(L, AG_OP_IS);
}
static int expr_is_not(lua_State *L)
{
    return binary_or_null(L, AG_OP_IS_NOT);
}

/* Metamethods: either side may be a Lua value. */
static int arithmetic(lua_State *L, ag_op_id op)
{
    agl_build x = agl_build_begin(L);
    const ag_node *left, *right;
    bool reverse = !agl_node_at(L, 1);
    if (!reverse) {
        left = agl_build_operand(&x, 1, 1, op, NULL);
        right = agl_build_operand(&x, 2, 2, op, left);
    } else {
        right = agl_build_operand(&x, 2, 2, op, NULL);
        left = agl_build_operand(&x, 1, 1, op, right);
    }
    return agl_push_operation(&x, op, reverse ? right : left, ag_binary(x.b, op, left, right));
}

#define ARITHMETIC(name, id)                                                                                           \
    static int meta_##name(lua_State *L)                                                                               \
    {                                                                                                                  \
        return agl_comparator_binary(L, "__" #name, "__r" #name) ? 1 : arithmetic(L, AG_OP_##id);                      \
    }
ARITHMETIC(add, ADD)
ARITHMETIC(sub, SUB)
ARITHMETIC(mul, MUL)
ARITHMETIC(div, DIV)
ARITHMETIC(idiv, FLOORDIV)
ARITHMETIC(mod, MOD)
ARITHMETIC(concat, CONCAT)
#undef ARITHMETIC

static int logical(lua_State *L, ag_op_id op)
{
    agl_build x = agl_build_begin(L);
    const ag_node *items[2];
    items[0] = agl_conv_condition(&x, 1, 1);
    items[1] = agl_conv_condition(&x, 2, 2);
    return agl_push_operation(&x, op, items[0], ag_bool_list(x.b, op, items, 2));
}
static int meta_band(lua_State *L)
{
    return logical(L, AG_OP_AND);
}
static int meta_bor(lua_State *L)
{
    return logical(L, AG_OP_OR);
}
static int meta_bnot(lua_State *L)
{
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_not(x.b, agl_conv_condition(&x, 1, 1)));
}
static int meta_unm(lua_State *L)
{
    agl_build x = agl_build_begin(L);
    const ag_node *e = agl_self_expr(&x);
    return agl_push_operation(&x, AG_OP_NEG, e, ag_unary(x.b, AG_OP_NEG, e));
}

/* ---- unary and modifiers ---- */

static int unary(lua_State *L, ag_op_id op)
{
    agl_check_top(L, 1);
    agl_build x = agl_build_begin(L);
    const ag_node *e = agl_self_expr(&x);
    return agl_push_operation(&x, op, e, ag_unary(x.b, op, e));
}
#define UNARY(name, id)                                                                                                \
    static int expr_##name(lua_State *L)                                                                               \
    {                                                                                                                  \
        return unary(L, AG_OP_##id);                                                                                   \
    }
UNARY(desc, DESC)
UNARY(asc, ASC)
UNARY(nulls_first, NULLS_FIRST)
UNARY(nulls_last, NULLS_LAST)
UNARY(distinct, DISTINCT)
UNARY(any_, ANY)
UNARY(all_, ALL)
UNARY(bitwise_not, BIT_NOT)
#undef UNARY

/* ag.desc(x) …: a string names a label. */
static int modifier(lua_State *L, ag_op_id op)
{
    agl_check_top(L, 1);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_unary(x.b, op, agl_conv_named(&x, 1, 1)));
}
static int fn_desc(lua_State *L)
{
    return modifier(L, AG_OP_DESC);
}
static int fn_asc(lua_State *L)
{
    return modifier(L, AG_OP_ASC);
}
static int fn_nulls_first(lua_State *L)
{
    return modifier(L, AG_OP_NULLS_FIRST);
}
static int fn_nulls_last(lua_State *L)
{
    return modifier(L, AG_OP_NULLS_LAST);
}
static int fn_distinct(lua_State *L)
{
    return unary(L, AG_OP_DISTINCT);
}
static int fn_bitwise_not(lua_State *L)
{
    return unary(L, AG_OP_BIT_NOT);
}
static int fn_any(lua_State *L)
{
    return unary(L, AG_OP_ANY);
}
static int fn_all(lua_State *L)
{
    return unary(L, AG_OP_ALL);
}

/* ---- label, cast, collate ---- */

static int expr_label(lua_State *L)
{
    AGL_KEYWORDS(L, 2, "name");
    agl_check_args(L, 2);
    int quote;
    ag_str name = agl_opt_name(L, 2, &quote);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_with_quote(x.b, ag_label(x.b, agl_self_expr(&x), name), quote));
}

/* expression:self_group(): brackets where it is an operation. */
static int expr_self_group(lua_State *L)
{
    agl_check_args(L, 1);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_self_group(x.b, agl_self_expr(&x)));
}

/* ag.label(name, expression [, type]): with a type, the expression is taken for one of it. */
static int fn_label(lua_State *L)
{
    AGL_KEYWORDS(L, 1, "name", "element", "type");
    agl_check_args(L, 3);
    int quote;
    ag_str name = agl_opt_name(L, 1, &quote);
    const ag_type *type = lua_isnil(L, 3) ? NULL : agl_check_type(L, 3, 3);
    agl_build x = agl_build_begin(L);
    const ag_node *e = agl_conv_expr(&x, 2, 2);
    if (type)
        e = ag_cast(x.b, AG_K_TYPE_COERCE, e, type);
    return agl_build_push(&x, ag_with_quote(x.b, ag_label(x.b, e, name), quote));
}

static int cast_as(lua_State *L, ag_kind kind)
{
    AGL_KEYWORDS(L, 1, "expression", "type");
    agl_check_args(L, 2);
    const ag_type *type = agl_check_type(L, 2, 2);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_cast(x.b, kind, agl_conv_expr(&x, 1, 1), type));
}
static int expr_cast(lua_State *L)
{
    return cast_as(L, AG_K_CAST);
}
static int fn_try_cast(lua_State *L)
{
    return cast_as(L, AG_K_TRY_CAST);
}
static int fn_type_coerce(lua_State *L)
{
    return cast_as(L, AG_K_TYPE_COERCE);
}

static int expr_collate(lua_State *L)
{
    static const char *const known[] = {"collation_schema", NULL};
    AGL_KEYWORDS(L, 2, "collation");
    agl_check_args(L, 3);
    ag_str name = agl_check_str(L, 2), schema = {0};
    if (agl_check_options(L, 3, known))
        schema = agl_field_str(L, 3, "collation_schema");
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_collate(x.b, agl_conv_expr(&x, 1, 1), schema, name));
}

/* ---- and_, or_, not_ ---- */

static int bool_list(lua_State *L, ag_op_id op)
{
    int top = lua_gettop(L);
    agl_build x = agl_build_begin(L);
    agl_list l = agl_build_args(&x, 1, top, agl_conv_condition);
    return agl_build_push(&x, ag_bool_list(x.b, op, l.items, l.n));
}
static int fn_and(lua_State *L)
{
    return bool_list(L, AG_OP_AND);
}
static int fn_or(lua_State *L)
{
    return bool_list(L, AG_OP_OR);
}
static int fn_not(lua_State *L)
{
    agl_check_top(L, 1);
    return meta_bnot(L);
}

static int fn_true(lua_State *L)
{
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_true(x.b));
}
static int fn_false(lua_State *L)
{
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_false(x.b));
}
static int fn_null(lua_State *L)
{
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_null_new(x.b));
}

/* tuple_(a, b, …, {types = {T, …}}): the types are those of the members that are values. */
static int fn_tuple(lua_State *L)
{
    static const char *const known[] = {"types", NULL};
    int options = agl_build_options(L, 1, known), top = options ? options - 1 : lua_gettop(L);
    agl_build x = agl_build_begin(L);
    agl_list l = agl_build_args(&x, 1, top, agl_conv_expr);
    if (options && agl_opt_push(L, options, "types") != LUA_TNIL) {
        int types = lua_gettop(L);
        if (!agl_is_plain_table(L, types) || lua_rawlen(L, types) != l.n)
            return agl_opt_error(L, "types", "a list of types, one a member");
        for (size_t i = 0; i < l.n; i++) {
            lua_rawgeti(L, types, (lua_Integer)i + 1);
            const ag_type *type = agl_check_type(L, lua_gettop(L), options);
            if (l.items[i]->kind == AG_K_BIND && !(l.items[i] = ag_bind_with_type(x.b, l.items[i], type)))
                return agl_build_raise(&x);
            lua_pop(L, 1);
        }
    }
    return agl_build_push(&x, ag_tuple(x.b, l.items, l.n));
}

/* ---- getters ---- */

static int push_str(lua_State *L, ag_str s)
{
    if (s.p)
        lua_pushlstring(L, s.p, s.n);
    else
        lua_pushnil(L);
    return 1;
}
static int expr_get_name(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    if (n->kind == AG_K_FUNC)
        return push_str(L, ag_nstr_get(n, AG_AS(func, FUNC, n)->name));
    return push_str(L, ag_expr_name(n));
}
static int expr_get_key(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    return push_str(L, n->kind == AG_K_BIND ? ag_nstr_get(n, AG_AS(bind, BIND, n)->key) : ag_expr_key(n));
}
static int expr_get_type(lua_State *L)
{
    agl_push_type(L, agl_node_at(L, 1)->type);
    return 1;
}

static const luaL_Reg expr_methods[] = {{"eq", expr_eq},
                                        {"ne", expr_ne},
                                        {"lt", expr_lt},
                                        {"le", expr_le},
                                        {"gt", expr_gt},
                                        {"ge", expr_ge},
                                        {"is_", expr_is},
                                        {"is_not", expr_is_not},
                                        {"isnot", expr_is_not},
                                        {"is_distinct_from", expr_is_distinct_from},
                                        {"is_not_distinct_from", expr_is_not_distinct_from},
                                        {"isnot_distinct_from", expr_is_not_distinct_from},
                                        {"concat", expr_concat},
                                        {"bitwise_and", expr_bitwise_and},
                                        {"bitwise_or", expr_bitwise_or},
                                        {"bitwise_xor", expr_bitwise_xor},
                                        {"bitwise_not", expr_bitwise_not},
                                        {"bitwise_lshift", expr_bitwise_lshift},
                                        {"bitwise_rshift", expr_bitwise_rshift},
                                        {"desc", expr_desc},
                                        {"asc", expr_asc},
                                        {"nulls_first", expr_nulls_first},
                                        {"nulls_last", expr_nulls_last},
                                        {"nullsfirst", expr_nulls_first},
                                        {"nullslast", expr_nulls_last},
                                        {"distinct", expr_distinct},
                                        {"any_", expr_any_},
                                        {"all_", expr_all_},
                                        {"any", agl_expr_any},
                                        {"all", agl_expr_all},
                                        {"label", expr_label},
                                        {"self_group", expr_self_group},
                                        {"cast", expr_cast},
                                        {"collate", expr_collate},
                                        {"in_", agl_expr_in},
                                        {"not_in", agl_expr_not_in},
                                        {"notin_", agl_expr_not_in},
                                        {"between", agl_expr_between},
                                        {"like", agl_expr_like},
                                        {"not_like", agl_expr_not_like},
                                        {"notlike", agl_expr_not_like},
                                        {"ilike", agl_expr_ilike},
                                        {"not_ilike", agl_expr_not_ilike},
                                        {"notilike", agl_expr_not_ilike},
                                        {"contains", agl_expr_contains},
                                        {"startswith", agl_expr_startswith},
                                        {"endswith", agl_expr_endswith},
                                        {"icontains", agl_expr_icontains},
                                        {"istartswith", agl_expr_istartswith},
                                        {"iendswith", agl_expr_iendswith},
                                        {"match", agl_expr_match},
                                        {"regexp_match", agl_expr_regexp_match},
                                        {"regexp_replace", agl_expr_regexp_replace},
                                        {"op", agl_expr_op},
                                        {"bool_op", agl_expr_bool_op},
                                        {"at", agl_expr_at},
                                        {"slice", agl_expr_slice},
                                        {"as_string", agl_expr_as_string},
                                        {"as_integer", agl_expr_as_integer},
                                        {"as_float", agl_expr_as_float},
                                        {"as_boolean", agl_expr_as_boolean},
                                        {"as_numeric", agl_expr_as_numeric},
                                        {"as_json", agl_expr_as_json},
                                        {"contained_by", agl_expr_contained_by},
                                        {"overlap", agl_expr_overlap},
                                        {"overlaps", agl_expr_overlap},
                                        {"has_key", agl_expr_has_key},
                                        {"has_any", agl_expr_has_any},
                                        {"has_all", agl_expr_has_all},
                                        {"path_exists", agl_expr_path_exists},
                                        {"path_match", agl_expr_path_match},
                                        {"delete_path", agl_expr_delete_path},
                                        {"adjacent_to", agl_expr_adjacent_to},
                                        {"strictly_left_of", agl_expr_strictly_left_of},
                                        {"strictly_right_of", agl_expr_strictly_right_of},
                                        {"not_extend_right_of", agl_expr_not_extend_right_of},
                                        {"not_extend_left_of", agl_expr_not_extend_left_of},
                                        {"compile", agl_stmt_compile},
                                        {"compare", agl_node_compare},
                                        {"shares_lineage", agl_expr_shares_lineage},
                                        {"replace_selectable", agl_node_replace_selectable},
                                        {"params", agl_stmt_params},
                                        {"unique_params", agl_stmt_unique_params},
                                        {"render_literal_execute", agl_expr_render_literal_execute},
                                        {"get_children", agl_node_get_children},
                                        {NULL, NULL}};
static const luaL_Reg expr_getters[] = {{"name", expr_get_name},
                                        {"key", expr_get_key},
                                        {"type", expr_get_type},
                                        {"astext", agl_expr_astext},
                                        {"__visit_name", agl_node_visit_name},
                                        {NULL, NULL}};
static const luaL_Reg expr_meta[] = {{"__eq", agl_node_same},
                                     {"__add", meta_add},
                                     {"__sub", meta_sub},
                                     {"__mul", meta_mul},
                                     {"__div", meta_div},
                                     {"__idiv", meta_idiv},
                                     {"__mod", meta_mod},
                                     {"__pow", agl_expr_pow},
                                     {"__concat", meta_concat},
                                     {"__band", meta_band},
                                     {"__bor", meta_bor},
                                     {"__bnot", meta_bnot},
                                     {"__unm", meta_unm},
                                     {"__tostring", agl_compile_tostring},
                                     {"__lt", agl_expr_less},
                                     {"__le", agl_expr_less},
                                     {NULL, NULL}};
static const agl_class expr_class = {.name = "expression",
                                     .methods = expr_methods,
                                     .getters = expr_getters,
                                     .meta = expr_meta,
                                     .before = agl_comparator_method,
                                     .after = agl_expr_part};

static const luaL_Reg functions[] = {{"and_", fn_and},
                                     {"or_", fn_or},
                                     {"not_", fn_not},
                                     {"true_", fn_true},
                                     {"false_", fn_false},
                                     {"null_", fn_null},
                                     {"tuple_", fn_tuple},
                                     {"desc", fn_desc},
                                     {"asc", fn_asc},
                                     {"nulls_first", fn_nulls_first},
                                     {"nulls_last", fn_nulls_last},
                                     {"nullsfirst", fn_nulls_first},
                                     {"nullslast", fn_nulls_last},
                                     {"distinct", fn_distinct},
                                     {"label", fn_label},
                                     {"bitwise_not", fn_bitwise_not},
                                     {"any_", fn_any},
                                     {"all_", fn_all},
                                     {"cast", expr_cast},
                                     {"try_cast", fn_try_cast},
                                     {"type_coerce", fn_type_coerce},
                                     {"collate", expr_collate},
                                     {"between", agl_expr_between},
                                     {"case", agl_fn_case},
                                     {"extract", agl_fn_extract},
                                     {"bindparam", agl_fn_bindparam},
                                     {"literal", agl_fn_literal},
                                     {"column", agl_fn_column},
                                     {"literal_column", agl_fn_literal_column},
                                     {"array", agl_fn_array},
                                     {NULL, NULL}};

const luaL_Reg *agl_expr_meta(void)
{
    return expr_meta;
}

void agl_open_expr(lua_State *L)
{
    agl_class_open(L, AGL_K_EXPR, &expr_class);
    agl_open_subquery(L);
    agl_functions(L, functions);
}

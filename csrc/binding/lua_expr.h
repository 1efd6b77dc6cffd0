/* Functions that the expression class of lua_expr.c takes from its sibling files. Each is a lua_CFunction with the expression (or, for
 * the functions of ag, its first operand) as argument 1. */
#ifndef AGL_LUA_EXPR_H
#define AGL_LUA_EXPR_H

#include "binding/lua_node.h"
#include "binding/lua_types.h"

/* Argument 1 as the operand of a method. */
const ag_node *agl_self_expr(agl_build *x);
/* agl_build_push(x, result), and a warning when the type of the operand `of` (may be NULL) has no operator op. */
int agl_push_operation(agl_build *x, ag_op_id op, const ag_node *of, const ag_node *result);
/* Metamethods of every expression class. */
const luaL_Reg *agl_expr_meta(void);
/* tostring of an expression or statement: readable SQL with :names. */
int agl_compile_tostring(lua_State *L);
void agl_open_subquery(lua_State *L);
/* node:compile{…}, node:compare(other) */
int agl_stmt_compile(lua_State *L);
int agl_node_compare(lua_State *L);
/* node:params{…}, node:unique_params{…} */
int agl_stmt_params(lua_State *L);
int agl_stmt_unique_params(lua_State *L);
/* bind:render_literal_execute() */
int agl_expr_render_literal_execute(lua_State *L);

/* lua_expr_ops.c */
int agl_expr_in(lua_State *L);
int agl_expr_in_keys(lua_State *L); /* orm_in_keys */
int agl_expr_not_in(lua_State *L);
int agl_expr_between(lua_State *L);
int agl_expr_like(lua_State *L);
int agl_expr_not_like(lua_State *L);
int agl_expr_ilike(lua_State *L);
int agl_expr_not_ilike(lua_State *L);
int agl_expr_contains(lua_State *L);
int agl_expr_startswith(lua_State *L);
int agl_expr_endswith(lua_State *L);
int agl_expr_icontains(lua_State *L);
int agl_expr_istartswith(lua_State *L);
int agl_expr_iendswith(lua_State *L);
int agl_expr_pow(lua_State *L);
int agl_expr_match(lua_State *L);
int agl_expr_regexp_match(lua_State *L);
int agl_expr_regexp_replace(lua_State *L);
int agl_expr_op(lua_State *L);
int agl_expr_bool_op(lua_State *L);

/* lua_expr_items.c: arrays, JSON, ranges */
int agl_expr_at(lua_State *L);
int agl_expr_slice(lua_State *L);
int agl_expr_as_string(lua_State *L);
int agl_expr_as_integer(lua_State *L);
int agl_expr_as_float(lua_State *L);
int agl_expr_as_boolean(lua_State *L);
int agl_expr_as_numeric(lua_State *L);
int agl_expr_as_json(lua_State *L);
int agl_expr_astext(lua_State *L);
int agl_expr_contained_by(lua_State *L);
int agl_expr_overlap(lua_State *L);
int agl_expr_has_key(lua_State *L);
int agl_expr_has_any(lua_State *L);
int agl_expr_has_all(lua_State *L);
int agl_expr_any(lua_State *L);
int agl_expr_all(lua_State *L);
int agl_expr_path_exists(lua_State *L);
int agl_expr_path_match(lua_State *L);
int agl_expr_delete_path(lua_State *L);
int agl_expr_adjacent_to(lua_State *L);
int agl_expr_strictly_left_of(lua_State *L);
int agl_expr_strictly_right_of(lua_State *L);
int agl_expr_not_extend_right_of(lua_State *L);
int agl_expr_not_extend_left_of(lua_State *L);
/* x @> y when x's type is an array, JSONB or range; false: x has no such operator (then contains is LIKE). */
bool agl_expr_contains_operator(lua_State *L);

/* lua_comparator.c. For __index (self, name): push the method that the expression's type has in place of (method) or beside (own) the
 * built-in ones; false: nothing pushed. */
bool agl_comparator_method(lua_State *L);
bool agl_comparator_own(lua_State *L);
/* The type that coerce_compared_value of type `beside` gives the value at idx; NULL: beside has no such function. */
const ag_type *agl_coerced_type(lua_State *L, const ag_type *beside, ag_op_id op, int idx);
/* Call the method `name` of the PostgreSQL type of argument 1 with all arguments; the number of results. */
int agl_comparator_call(lua_State *L, const char *name);
/* For a metamethod with two operands: push the result of the type's own operator, called `name`, or `reflected` where only the right
 * operand is an expression; false: it has none. */
bool agl_comparator_binary(lua_State *L, const char *name, const char *reflected);

/* lua_expr_make.c: case, extract, bindparam, literal, column … */
int agl_fn_case(lua_State *L);
int agl_fn_extract(lua_State *L);
int agl_fn_bindparam(lua_State *L);
int agl_fn_literal(lua_State *L);
int agl_fn_column(lua_State *L);
int agl_fn_literal_column(lua_State *L);
int agl_fn_array(lua_State *L);

#endif

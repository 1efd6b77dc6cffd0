/* Private to sql/: shorthands for constructors. */
#ifndef AG_SQL_BUILD_H
#define AG_SQL_BUILD_H

#include "sql/expr.h"
#include "sql/func.h"

#include <string.h>

/* n as an expression: itself, or a select made a scalar subquery. Anything else fails: "… is no expression". NULL
 * gives NULL. */
const ag_node *ag_as_expr(ag_builder *b, const ag_node *n);
/* n as a condition of AND, OR, WHERE, ON: a Boolean that is no operation becomes IS_TRUE of it (SQLAlchemy's
 * AsBoolean), which is
 * written as "x" or "x = 1". */
const ag_node *ag_as_condition(ag_builder *b, const ag_node *n);
/* Fills out (room for n) with ag_as_expr of each; false on failure. */
bool ag_as_exprs(ag_builder *b, const ag_node **out, const ag_node *const *items, size_t n);
/* An array of n pointers that lives in the builder's memory; NULL: out of memory (b->err filled). n may be 0. */
const ag_node **ag_build_array(ag_builder *b, size_t n);

static inline bool ag_is_boolean(const ag_node *e)
{
    return e->type && ag_type_affinity(e->type) == AG_AFF_BOOLEAN;
}
static inline bool ag_is_null_type(const ag_node *e)
{
    return ag_type_impl(e->type, NULL)->id == AG_TYPE_NULL;
}
static inline const ag_type *ag_boolean(void)
{
    return ag_type_plain(AG_TYPE_BOOLEAN);
}
static inline const ag_type *ag_null_type(void)
{
    return ag_type_plain(AG_TYPE_NULL);
}
/* ANY(x), ALL(x); func.any(x), func.all(x) and func.some(x) too. */
static inline bool ag_is_collection(const ag_node *e)
{
    if (e->kind == AG_K_FUNC) {
        uint32_t id = AG_AS(func, FUNC, e)->id;
        return id >= AG_FUNC_ANY && id <= AG_FUNC_SOME;
    }
    return e->kind == AG_K_UNARY && (e->op == AG_OP_ANY || e->op == AG_OP_ALL);
}
static inline bool ag_str_eq(ag_str a, ag_str b)
{
    return a.n == b.n && !a.p == !b.p && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* A copy of e with another type. */
const ag_node *ag_with_type(ag_builder *b, const ag_node *e, const ag_type *type);
/* A node of one child and nothing else. */
const ag_node *ag_build_one(ag_builder *b, ag_kind kind, const ag_type *type, const ag_node *child);
/* A node whose fields are one list (LIST, TUPLE, ARRAY …); op for LIST. */
const ag_node *ag_build_list(ag_builder *b, ag_kind kind, ag_op_id op, const ag_type *type, const ag_node *const *items,
                             size_t n, unsigned flags);

#endif

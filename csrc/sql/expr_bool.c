/* AND, OR, NOT: folding of TRUE and FALSE, the negation rules, and conditions that are no operations (SQLAlchemy:
 * BooleanClauseList, ColumnElement._negate, AsBoolean). */
#include "sql/build.h"

const ag_node *ag_as_expr(ag_builder *b, const ag_node *n)
{
    if (!n || ag_node_is(n, AG_CLASS_EXPR))
        return n;
    if (n->kind == AG_K_SELECT || n->kind == AG_K_COMPOUND || n->kind == AG_K_TEXT_SELECT)
        return ag_scalar_select(b, n);
    return ag_build_fail(b, AG_EXC_ARGUMENT, "an expression is expected here, not a %s", ag_kind_get(n->kind)->name);
}

bool ag_as_exprs(ag_builder *b, const ag_node **out, const ag_node *const *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = ag_as_expr(b, items[i]);
        if (!out[i])
            return false;
    }
    return true;
}

const ag_node *ag_with_type(ag_builder *b, const ag_node *e, const ag_type *type)
{
    ag_node *n = ag_node_copy(b, e);
    if (!n)
        return NULL;
    n->type = type;
    return ag_node_finish(b, n);
}

const ag_node *ag_build_one(ag_builder *b, ag_kind kind, const ag_type *type, const ag_node *child)
{
    if (!child)
        return NULL;
    /* every kind built here begins with its only child (checked by the tests of nodes.def) */
    ag_n_cast *n = ag_node_new(b, kind, type, 0);
    if (!n)
        return NULL;
    n->operand = child;
    return ag_node_finish(b, n);
}

const ag_node *ag_build_list(ag_builder *b, ag_kind kind, ag_op_id op, const ag_type *type, const ag_node *const *items,
                             size_t n, unsigned flags)
{
    ag_n_list *l = ag_node_new(b, kind, type, ag_room_list(n));
    if (!l)
        return NULL;
    l->node.op = (uint16_t)op;
    l->node.flags |= (uint16_t)flags;
    l->items = ag_node_list(l, items, n);
    return ag_node_finish(b, l);
}

static const ag_node *unary(ag_builder *b, ag_op_id op, const ag_type *type, const ag_node *operand)
{
    ag_n_unary *n = operand ? ag_node_new(b, AG_K_UNARY, type, 0) : NULL;
    if (!n)
        return NULL;
    n->node.op = (uint16_t)op;
    n->operand = operand;
    return ag_node_finish(b, n);
}

/* A label with the same name around something else. */
static const ag_node *relabel(ag_builder *b, const ag_node *label, const ag_node *operand)
{
    const ag_n_label *l = AG_AS(label, LABEL, label);
    if (!operand || operand == l->operand)
        return operand ? label : NULL;
    ag_n_label *n = ag_node_copy(b, label);
    if (!n)
        return NULL;
    n->operand = operand;
    n->node.type = operand->type;
    return ag_node_finish(b, n);
}

const ag_node *ag_as_condition(ag_builder *b, const ag_node *n)
{
    n = ag_as_expr(b, n);
    if (!n)
        return NULL;
    switch (n->kind) {
    case AG_K_BINARY:
    case AG_K_UNARY:
    case AG_K_LIST:
    case AG_K_BETWEEN:
    case AG_K_EXISTS:
    case AG_K_SCALAR_SELECT:
    case AG_K_TEXT:
    case AG_K_SPLICE:
    case AG_K_FILTER:
    case AG_K_TUPLE:
    case AG_K_FUNC_COMPARISON:
    case AG_K_LABEL_REF: return n;
    case AG_K_LABEL: return relabel(b, n, ag_as_condition(b, AG_AS(label, LABEL, n)->operand));
    case AG_K_TYPE_COERCE: {
        const ag_node *inner = AG_AS(type_coerce, TYPE_COERCE, n)->operand, *c = ag_as_condition(b, inner);
        return c == inner ? n : ag_build_one(b, AG_K_TYPE_COERCE, n->type, c);
    }
    default: return ag_is_boolean(n) ? unary(b, AG_OP_IS_TRUE, ag_boolean(), n) : n;
    }
}

const ag_node *ag_bool_list(ag_builder *b, ag_op_id op, const ag_node *const *items, size_t n)
{
    ag_kind neutral = op == AG_OP_AND ? AG_K_TRUE : AG_K_FALSE, absorbing = op == AG_OP_AND ? AG_K_FALSE : AG_K_TRUE;
    const ag_node *seen_neutral = NULL, **kept = n ? ag_build_array(b, n) : NULL;
    size_t nkept = 0;
    if (!n)
        return ag_build_fail(b, AG_EXC_ARGUMENT,
                             "%s needs at least one condition: a list that may be empty begins with ag.%s()",
                             ag_op_get(op)->name, op == AG_OP_AND ? "true_" : "false_");
    if (!kept)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        if (!items[i])
            return NULL;
        if (items[i]->kind == (unsigned)absorbing)
            return ag_as_condition(b, items[i]);
        if (items[i]->kind == (unsigned)neutral) {
            seen_neutral = items[i];
            continue;
        }
        kept[nkept] = ag_as_condition(b, items[i]);
        if (!kept[nkept++])
            return NULL;
    }
    if (!nkept)
        return ag_as_condition(b, seen_neutral);
    return nkept == 1 ? kept[0] : ag_build_list(b, AG_K_LIST, op, ag_boolean(), kept, nkept, 0);
}

/* ---- NOT ---- its type is SQLAlchemy's: Boolean where the operand's is, none for the rest (NOT (a AND b) too) */

static const ag_node *make_not(ag_builder *b, const ag_node *e, bool typed)
{
    return unary(b, AG_OP_NOT, typed ? ag_boolean() : ag_null_type(), e);
}

static const ag_node *negate_binary(ag_builder *b, const ag_node *e)
{
    const ag_n_binary *old = AG_AS(binary, BINARY, e);
    ag_op_id opposite = (ag_op_id)ag_op_get((ag_op_id)e->op)->negation;
    if (opposite != AG_OP_NONE && !ag_is_collection(old->left) && !ag_is_collection(old->right)) {
        ag_node *n = ag_node_copy(b, e);
        if (!n)
            return NULL;
        n->op = (uint16_t)opposite;
        return ag_node_finish(b, n);
    }
    return ag_is_boolean(e) ? unary(b, AG_OP_IS_FALSE, ag_boolean(), e) : make_not(b, e, false);
}

static const ag_node *negate_unary(ag_builder *b, const ag_node *e)
{
    const ag_node *operand = AG_AS(unary, UNARY, e)->operand;
    if (e->op != AG_OP_IS_TRUE && e->op != AG_OP_IS_FALSE)
        return make_not(b, e, ag_is_boolean(e));
    if (operand->kind == AG_K_TRUE)
        return ag_false(b);
    if (operand->kind == AG_K_FALSE)
        return ag_true(b);
    return unary(b, e->op == AG_OP_IS_TRUE ? AG_OP_IS_FALSE : AG_OP_IS_TRUE, ag_boolean(), operand);
}

static const ag_node *negate_between(ag_builder *b, const ag_node *e)
{
    ag_node *n = ag_node_copy(b, e);
    if (!n)
        return NULL;
    n->flags ^= AG_BETWEEN_NOT;
    n->op = n->flags & AG_BETWEEN_NOT ? AG_OP_NOT_BETWEEN : AG_OP_BETWEEN;
    return ag_node_finish(b, n);
}

const ag_node *ag_not(ag_builder *b, const ag_node *e)
{
    e = ag_as_expr(b, e);
    if (!e)
        return NULL;
    switch (e->kind) {
    case AG_K_TRUE: return ag_false(b);
    case AG_K_FALSE: return ag_true(b);
    case AG_K_BINARY: return negate_binary(b, e);
    case AG_K_UNARY: return negate_unary(b, e);
    case AG_K_BETWEEN: return negate_between(b, e);
    case AG_K_LABEL: { /* it keeps its type */
        const ag_node *n = relabel(b, e, ag_not(b, AG_AS(label, LABEL, e)->operand));
        return n ? ag_with_type(b, n, e->type) : NULL;
    }
    case AG_K_LIST:
    case AG_K_TEXT: return make_not(b, e, false);
    case AG_K_EXISTS: return make_not(b, e, true);
    default: break;
    }
    if (ag_type_impl(e->type, NULL)->id == AG_TYPE_PG_BIT)
        return ag_unary(b, AG_OP_BIT_NOT, e);
    return ag_is_boolean(e) ? unary(b, AG_OP_IS_FALSE, ag_boolean(), e) : make_not(b, e, false);
}

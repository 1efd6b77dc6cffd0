/* Brackets. SQLAlchemy decides them while building (self_group); here they are decided when the operand is written, by the same table
 * (operators.def) and, where a dialect's operators bind differently from it, by the dialect's own. */
#include "compile/compiler.h"

static int op_precedence(ag_op_id op, int otherwise)
{
    int p = ag_op_get(op)->precedence;
    return p == AG_PRECEDENCE_NONE ? otherwise : p;
}

int ag_node_precedence(const ag_node *n)
{
    if (n->kind == AG_K_BINARY && n->op == AG_OP_CUSTOM) {
        uint32_t p = AG_AS(binary, BINARY, n)->precedence;
        return p ? (int)p - AG_PRECEDENCE_BIAS : 0;
    }
    return op_precedence((ag_op_id)n->op, AG_PRECEDENCE_NONE);
}

static bool is_boolean_op(const ag_node *n)
{
    return ag_op_is((ag_op_id)n->op, AG_OPF_COMPARISON) || n->op == AG_OP_AND || n->op == AG_OP_OR ||
           n->op == AG_OP_IS_TRUE || n->op == AG_OP_IS_FALSE;
}

bool ag_is_implicitly_boolean(const ag_node *n)
{
    switch (n->kind) {
    case AG_K_BINARY: return is_boolean_op(n) || (n->op == AG_OP_CUSTOM && (n->flags & AG_BINARY_BOOL));
    case AG_K_BETWEEN:
    case AG_K_TEXT:
    case AG_K_FUNC_COMPARISON:
    case AG_K_EXISTS: return true;
    case AG_K_LIST:
        if ((n->flags & AG_LIST_GROUP) && AG_AS(list, LIST, n)->items.n == 1)
            return ag_is_implicitly_boolean(ag_nlist_at(AG_AS(list, LIST, n), AG_AS(list, LIST, n)->items, 0));
        return ag_op_is((ag_op_id)n->op, AG_OPF_LOGICAL) || ag_op_is((ag_op_id)n->op, AG_OPF_COMPARISON);
    case AG_K_LABEL: return ag_is_implicitly_boolean(AG_AS(label, LABEL, n)->operand);
    case AG_K_UNARY: return ag_op_is((ag_op_id)n->op, AG_OPF_LOGICAL) || ag_op_is((ag_op_id)n->op, AG_OPF_COMPARISON);
    default: return false;
    }
}

/* How tightly op binds on the database itself; 0 unknown. */
static int real_precedence(const ag_dialect *d, ag_op_id op)
{
    for (const ag_op_precedence *p = d->precedences; p && p->op != AG_OP_NONE; p++) {
        if (p->op == (unsigned)op)
            return p->precedence;
    }
    return 0;
}

static bool really_needs(const ag_dialect *d, ag_op_id op, ag_op_id against, bool right)
{
    int inner = real_precedence(d, op), outer = real_precedence(d, against);
    if (!inner || !outer || (op == against && ag_op_is(op, AG_OPF_ASSOCIATIVE)))
        return false;
    return inner < outer || (inner == outer && right);
}

/* An operation of op, as operand of against. */
static bool operation_needs(ag_compiler *c, ag_op_id op, int precedence, ag_against a)
{
    if (a.op == AG_OP_NONE)
        return true;
    if (op == a.op && op != AG_OP_CUSTOM && (ag_op_is(op, AG_OPF_ASSOCIATIVE) || ag_op_is(op, AG_OPF_NATURAL)))
        return false;
    return precedence <= a.precedence || (c->d->precedences && really_needs(c->d, op, a.op, a.right));
}

static bool unary_needs(ag_compiler *c, const ag_node *n, ag_against a)
{
    if (ag_op_is((ag_op_id)n->op, AG_OPF_ORDERING) || n->op == AG_OP_IS_TRUE || n->op == AG_OP_CUSTOM_POSTFIX)
        return false;
    /* NOT p, or p = 0: SQLAlchemy writes q = NOT p and NOT p IS NULL, which means NOT (p IS NULL) */
    if (n->op == AG_OP_IS_FALSE && (a.op == AG_OP_NONE || a.op == AG_OP_NOT))
        return false;
    a.right = false; /* a prefix cannot be taken for the left operator's */
    return operation_needs(c, (ag_op_id)n->op, ag_node_precedence(n), a);
}

bool ag_c_needs_brackets(ag_compiler *c, const ag_node *n, ag_against a)
{
    bool quantified = a.op == AG_OP_ANY || a.op == AG_OP_ALL;
    switch (n->kind) {
    case AG_K_BINARY:
    case AG_K_LIST:
        if (n->kind == AG_K_LIST && (n->flags & AG_LIST_GROUP))
            return false;
        return operation_needs(c, (ag_op_id)n->op, ag_node_precedence(n), a) ||
               (a.op == AG_OP_NOT && !is_boolean_op(n));
    case AG_K_BETWEEN: return operation_needs(c, AG_OP_BETWEEN, ag_op_get(AG_OP_BETWEEN)->precedence, a);
    case AG_K_UNARY: return unary_needs(c, n, a);
    case AG_K_EXISTS: return operation_needs(c, AG_OP_EXISTS, ag_op_get(AG_OP_EXISTS)->precedence, a);
    case AG_K_FILTER: return operation_needs(c, AG_OP_FILTER, ag_op_get(AG_OP_FILTER)->precedence, a);
    case AG_K_LABEL: return ag_c_needs_brackets(c, AG_AS(label, LABEL, n)->operand, a);
    case AG_K_TYPE_COERCE: return ag_c_needs_brackets(c, AG_AS(type_coerce, TYPE_COERCE, n)->operand, a);
    case AG_K_TEXT:
    case AG_K_SPLICE: return a.op == AG_OP_IN || a.op == AG_OP_NOT_IN;
    case AG_K_ARRAY: return quantified || a.op == AG_OP_GETITEM;
    case AG_K_FUNC: return quantified || (a.op == AG_OP_GETITEM && ag_type_affinity(n->type) == AG_AFF_ARRAY);
    case AG_K_SCALAR_SELECT:
    case AG_K_SCALAR_VALUES:
    case AG_K_TUPLE:
    case AG_K_SLICE: return false;
    default: return quantified;
    }
}

ag_against ag_c_against(ag_op_id op)
{
    return (ag_against){op, op_precedence(op, -AG_PRECEDENCE_NONE), false};
}

void ag_c_visit_against(ag_compiler *c, const ag_node *n, ag_against a, unsigned k)
{
    bool name_only = (k & AG_KW_REFS) && c->ref_label == n && n->kind == AG_K_LABEL;
    bool brackets = !name_only && ag_c_needs_brackets(c, n, a);
    if (brackets)
        ag_c_str(c, "(");
    ag_c_visit(c, n, k);
    if (brackets)
        ag_c_str(c, ")");
}

void ag_c_visit_operand(ag_compiler *c, const ag_node *n, ag_op_id against, unsigned k)
{
    ag_c_visit_against(c, n, ag_c_against(against), k);
}

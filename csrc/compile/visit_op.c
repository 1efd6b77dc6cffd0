/* Operators. How an operator is written is found in three steps: the dialect's visitor, the visitor here, the operator's text. */
#include "compile/visitors.h"

static unsigned down(unsigned k)
{
    return k & AG_KW_DOWN;
}

static ag_against against(const ag_node *n)
{
    ag_op_id op = (ag_op_id)n->op;
    ag_against a = ag_c_against(op);
    if (op == AG_OP_CUSTOM)
        a.precedence = ag_node_precedence(n);
    return a;
}

void ag_c_left(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_visit_against(c, AG_AS(binary, BINARY, n)->left, against(n), down(k));
}

void ag_c_right(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_against a = against(n);
    a.right = true;
    ag_c_visit_against(c, AG_AS(binary, BINARY, n)->right, a, down(k));
}

void ag_c_binary_text(ag_compiler *c, const ag_node *n, const char *text, unsigned k)
{
    k |= AG_KW_OPERATOR;
    ag_c_left(c, n, k);
    ag_c_str(c, text);
    ag_c_right(c, n, k);
}

const char *ag_c_op_text(const ag_compiler *c, ag_op_id op)
{
    for (const ag_op_text *t = c->d->op_texts; t && t->op != AG_OP_NONE; t++) {
        if (t->op == (unsigned)op)
            return t->text;
    }
    return ag_op_get(op)->text;
}

static void unsupported(ag_compiler *c, const ag_node *n)
{
    ag_c_fail(c, AG_EXC_UNSUPPORTED_COMPILATION, "the %s dialect cannot write the operator %s", c->d->name,
              ag_op_get((ag_op_id)n->op)->name);
}

/* ---- the LIKE family ---- */

typedef struct like {
    ag_op_id op;
    bool before, after, insensitive, negated;
} like;

static const like likes[] = {
    {AG_OP_LIKE, false, false, false, false},      {AG_OP_NOT_LIKE, false, false, false, true},
    {AG_OP_ILIKE, false, false, true, false},      {AG_OP_NOT_ILIKE, false, false, true, true},
    {AG_OP_CONTAINS, true, true, false, false},    {AG_OP_NOT_CONTAINS, true, true, false, true},
    {AG_OP_ICONTAINS, true, true, true, false},    {AG_OP_NOT_ICONTAINS, true, true, true, true},
    {AG_OP_STARTSWITH, false, true, false, false}, {AG_OP_NOT_STARTSWITH, false, true, false, true},
    {AG_OP_ISTARTSWITH, false, true, true, false}, {AG_OP_NOT_ISTARTSWITH, false, true, true, true},
    {AG_OP_ENDSWITH, true, false, false, false},   {AG_OP_NOT_ENDSWITH, true, false, false, true},
    {AG_OP_IENDSWITH, true, false, true, false},   {AG_OP_NOT_IENDSWITH, true, false, true, true},
};

static const like *find_like(const ag_node *n)
{
    for (size_t i = 0; i < sizeof likes / sizeof *likes; i++) {
        if (likes[i].op == (ag_op_id)n->op)
            return &likes[i];
    }
    return NULL;
}

static void write_like(ag_compiler *c, const ag_node *n, const like *l, unsigned k)
{
    const ag_n_binary *e = AG_AS(binary, BINARY, n);
    bool lower = l->insensitive && !c->d->ilike;
    ag_str escape = ag_nstr_get(e, e->escape);
    ag_c_str(c, lower ? "lower(" : "");
    ag_c_left(c, n, k);
    ag_c_str(c, lower ? ")" : "");
    ag_c_str(c, l->negated ? " NOT" : "");
    ag_c_str(c, l->insensitive && c->d->ilike ? " ILIKE " : " LIKE ");
    ag_c_str(c, l->before ? "'%' || " : "");
    ag_c_str(c, lower ? "lower(" : "");
    if (!l->insensitive && (l->before || l->after) && e->right->op == AG_OP_CONCAT)
        ag_c_visit(c, e->right, down(k)); /* '%' || a || b || '%' */
    else
        ag_c_right(c, n, k);
    ag_c_str(c, lower ? ")" : "");
    ag_c_str(c, l->after ? " || '%'" : "");
    if (escape.p) {
        ag_c_str(c, " ESCAPE ");
        ag_c_string(c, escape);
    }
}

/* ---- IN ---- */

/* The right side as one array parameter; a list of tuples is a table of as many columns. */
static void write_in_array(ag_compiler *c, const ag_node *right, bool negated)
{
    bool native = c->d->array_form == AG_ARRAY_FORM_NATIVE;
    uint32_t width = AG_AS(bind, BIND, right)->tuple_width;
    if (native && !width) {
        ag_c_str(c, negated ? " != ALL(" : " = ANY(");
        ag_c_visit_array_bind(c, right);
        ag_c_str(c, ")");
        return;
    }
    ag_c_str(c, negated ? " NOT IN (SELECT " : " IN (SELECT ");
    for (uint32_t i = 0; !native && i < width; i++) {
        ag_c_str(c, i ? ", json_extract(value, '$[" : "json_extract(value, '$[");
        ag_buf_int(&c->out, i);
        ag_c_str(c, "]')");
    }
    ag_c_str(c, native ? "* FROM unnest(" : width ? " FROM json_each(" : "value FROM json_each(");
    ag_c_visit_array_bind(c, right);
    ag_c_str(c, "))");
}

static void write_in(ag_compiler *c, const ag_node *n, bool negated, unsigned k)
{
    const ag_n_binary *e = AG_AS(binary, BINARY, n);
    ag_against a = against(n);
    k |= AG_KW_OPERATOR;
    if (negated)
        ag_c_str(c, "(");
    ag_c_left(c, n, k);
    a.right = true;
    if (ag_c_array_form(c, e->right, k)) {
        write_in_array(c, e->right, negated);
    } else {
        ag_c_str(c, negated ? " NOT IN " : " IN ");
        ag_c_visit_against(c, e->right, a, down(k) | (negated ? AG_KW_NOT_IN : AG_KW_IN));
    }
    if (negated)
        ag_c_str(c, ")");
}

/* ---- division ---- */

static void write_truediv(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_node *right = AG_AS(binary, BINARY, n)->right;
    if (!c->d->div_is_floordiv) {
        ag_c_binary_text(c, n, " / ", k);
        return;
    }
    ag_c_left(c, n, k);
    ag_c_str(c, " / CAST(");
    ag_c_right(c, n, k);
    ag_c_str(c, " AS ");
    ag_c_type(c, ag_type_affinity(right->type) == AG_AFF_NUMERIC ? right->type : ag_type_plain(AG_TYPE_NUMERIC));
    ag_c_str(c, ")");
}

static void write_floordiv(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_binary *e = AG_AS(binary, BINARY, n);
    bool integers =
        ag_type_affinity(e->left->type) == AG_AFF_INTEGER && ag_type_affinity(e->right->type) == AG_AFF_INTEGER;
    if (!c->d->div_is_floordiv || !integers)
        ag_c_str(c, "FLOOR(");
    ag_c_binary_text(c, n, " / ", k);
    if (!c->d->div_is_floordiv || !integers)
        ag_c_str(c, ")");
}

static void write_custom(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_binary *e = AG_AS(binary, BINARY, n);
    bool brackets = (n->flags & AG_BINARY_EAGER) && (k & AG_KW_OPERATOR);
    ag_c_str(c, brackets ? "(" : "");
    k |= AG_KW_OPERATOR;
    ag_c_left(c, n, k);
    ag_c_str(c, " ");
    ag_str op = ag_nstr_get(e, e->opstring);
    ag_c_add(c, op);
    ag_c_str(c, " ");
    if (op.n && op.p[0] == '#' && e->right->kind == AG_K_BIND && ag_type_affinity(e->right->type) == AG_AFF_JSON)
        ag_c_visit_json_index(c, e->right, k); /* doc #>> path, doc #- path */
    else
        ag_c_right(c, n, k);
    ag_c_str(c, brackets ? ")" : "");
}

/* ---- chains ---- */

typedef struct chain {
    ag_compiler *c;
    const char *text;
    ag_against a;
    unsigned k;
    bool first;
} chain;

static bool chain_term(void *ud, const ag_node *term)
{
    chain *x = ud;
    if (!x->first)
        ag_c_str(x->c, x->text);
    x->a.right = !x->first;
    x->first = false;
    ag_c_visit_against(x->c, term, x->a, x->k);
    return !x->c->failed;
}

static void write_chain(ag_compiler *c, const ag_node *n, const char *text, unsigned k)
{
    chain x = {.c = c, .text = text, .a = ag_c_against((ag_op_id)n->op), .k = down(k) | AG_KW_OPERATOR, .first = true};
    ag_c_ok(c, ag_chain_each(n, (ag_op_id)n->op, chain_term, &x, c->alloc, c->err));
}

void ag_visit_binary(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_op_id op = (ag_op_id)n->op;
    if (c->d->visit_op[op]) {
        c->d->visit_op[op](c, n, k);
        return;
    }
    const like *l = find_like(n);
    if (l) {
        write_like(c, n, l, k);
        return;
    }
    switch (op) {
    case AG_OP_IN:
    case AG_OP_NOT_IN: write_in(c, n, op == AG_OP_NOT_IN, k); return;
    case AG_OP_DIV: write_truediv(c, n, k); return;
    case AG_OP_FLOORDIV: write_floordiv(c, n, k); return;
    case AG_OP_CUSTOM: write_custom(c, n, k); return;
    case AG_OP_GETITEM:
    case AG_OP_JSON_GETITEM:
    case AG_OP_JSON_PATH_GETITEM:
        ag_c_binary_text(c, n, "[", k);
        ag_c_str(c, "]");
        return;
    default: break;
    }
    const char *text = ag_c_op_text(c, op);
    if (!*text)
        unsupported(c, n);
    else if (ag_op_is(op, AG_OPF_ASSOCIATIVE))
        write_chain(c, n, text, k);
    else
        ag_c_binary_text(c, n, text, k);
    if (AG_AS(binary, BINARY, n)->right->kind == AG_K_NULL) /* IS NULL of a value: nothing beside it tells a type */
        ag_c_resolve(c, AG_AS(binary, BINARY, n)->left);
}

void ag_visit_list(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_list *l = AG_AS(list, LIST, n);
    if (n->flags & AG_LIST_GROUP)
        ag_c_str(c, "(");
    if (n->op == AG_OP_COMMA) {
        for (uint32_t i = 0; i < l->items.n && !c->failed; i++) {
            ag_c_str(c, i ? ", " : "");
            ag_c_visit_operand(c, ag_nlist_at(l, l->items, i), AG_OP_COMMA, k & AG_KW_DOWN);
        }
    } else if (!*ag_c_op_text(c, (ag_op_id)n->op)) {
        unsupported(c, n);
    } else {
        write_chain(c, n, ag_c_op_text(c, (ag_op_id)n->op), k);
    }
    if (n->flags & AG_LIST_GROUP)
        ag_c_str(c, ")");
}

void ag_visit_between(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_between *e = AG_AS(between, BETWEEN, n);
    k |= AG_KW_OPERATOR;
    ag_c_visit_operand(c, e->operand, AG_OP_BETWEEN, down(k));
    ag_c_str(c, n->flags & AG_BETWEEN_NOT ? " NOT BETWEEN " : " BETWEEN ");
    ag_c_str(c, n->flags & AG_BETWEEN_SYMMETRIC ? "SYMMETRIC " : "");
    ag_c_visit_operand(c, e->lower, AG_OP_AND, down(k));
    ag_c_str(c, " AND ");
    ag_c_visit_operand(c, e->upper, AG_OP_AND, down(k));
}

/* ---- unary ---- */

static void write_boolean(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_node *e = AG_AS(unary, UNARY, n)->operand;
    bool bare = c->d->native_boolean || ag_is_implicitly_boolean(e), is_true = n->op == AG_OP_IS_TRUE;
    ag_c_str(c, bare && !is_true ? "NOT " : "");
    if (is_true)
        ag_c_visit(c, e, k & AG_KW_DOWN);
    else
        ag_c_visit_operand(c, e, AG_OP_NONE, k & AG_KW_DOWN);
    ag_c_str(c, bare ? "" : is_true ? " = 1" : " = 0");
}

/* -(a + b) AS x of a label under a prefix: its name comes after the brackets. */
static void labelled_operand(ag_compiler *c, const ag_n_unary *e, ag_op_id op, unsigned k)
{
    const ag_n_label *l = AG_AS(label, LABEL, e->operand);
    ag_name_part part = {.text = ag_nstr_get(l, l->name),
                         .anon = e->operand->flags & AG_LABEL_ANON ? (uint64_t)(uintptr_t)e->operand : 0};
    ag_c_name(c, (ag_name){&part, 1, 0}); /* numbered before what is inside */
    ag_c_visit_operand(c, l->operand, op, (k & AG_KW_DOWN) | AG_KW_INLABEL);
    ag_c_str(c, " AS ");
    ag_c_quote_name(c, (ag_name){&part, 1, 0}, ag_name_quote(e->operand));
}

void ag_visit_unary(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_unary *e = AG_AS(unary, UNARY, n);
    ag_op_id op = (ag_op_id)n->op;
    if (c->d->visit_op[op]) {
        c->d->visit_op[op](c, n, k);
        return;
    }
    k &= AG_KW_DOWN | AG_KW_COLUMNS | AG_KW_INLABEL;
    switch (op) {
    case AG_OP_IS_TRUE:
    case AG_OP_IS_FALSE: write_boolean(c, n, k); return;
    case AG_OP_CUSTOM_PREFIX:
        ag_c_add(c, ag_nstr_get(e, e->opstring));
        ag_c_str(c, " ");
        ag_c_visit_operand(c, e->operand, op, k);
        return;
    case AG_OP_CUSTOM_POSTFIX:
        ag_c_visit_operand(c, e->operand, op, k);
        ag_c_str(c, " ");
        ag_c_add(c, ag_nstr_get(e, e->opstring));
        return;
    default: break;
    }
    bool postfix = ag_op_is(op, AG_OPF_POSTFIX);
    const char *text = ag_c_op_text(c, op);
    if (!postfix)
        ag_c_str(c, text);
    if (!postfix && e->operand->kind == AG_K_LABEL && (k & AG_KW_COLUMNS) && !(k & AG_KW_INLABEL))
        labelled_operand(c, e, op, k);
    else
        ag_c_visit_operand(c, e->operand, op, k);
    if (postfix)
        ag_c_str(c, text);
}

void ag_visit_exists(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_str(c, "EXISTS ");
    ag_c_visit_subselect(c, AG_AS(exists, EXISTS, n)->select, k & (AG_KW_LITERAL | AG_KW_OPERATOR));
}

void ag_visit_scalar_select(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_visit_subselect(c, AG_AS(scalar_select, SCALAR_SELECT, n)->select, k & (AG_KW_LITERAL | AG_KW_OPERATOR));
}

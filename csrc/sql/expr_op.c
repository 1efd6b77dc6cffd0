/* Binary and unary operators (SQLAlchemy: sql/default_comparator.py). */
#include "sql/build.h"

#define EQ_PRECEDENCE   5
#define ITEM_PRECEDENCE 15

typedef struct binary_parts {
    ag_op_id op;
    const ag_node *left, *right;
    const ag_type *type;
    ag_str opstring, escape, modifier;
    int precedence; /* biased; 0 none */
    unsigned flags;
} binary_parts;

static const ag_node *make_binary(ag_builder *b, const binary_parts *p)
{
    if (!p->left || !p->right)
        return NULL;
    size_t room = ag_room_str(p->opstring.n) + ag_room_str(p->escape.n) + ag_room_str(p->modifier.n);
    ag_n_binary *n = ag_node_new(b, AG_K_BINARY, p->type, room);
    if (!n)
        return NULL;
    n->node.op = (uint16_t)p->op;
    n->node.flags |= (uint16_t)p->flags;
    n->left = p->left;
    n->right = p->right;
    n->opstring = ag_node_str(n, p->opstring);
    n->escape = ag_node_str(n, p->escape);
    n->modifier = ag_node_str(n, p->modifier);
    n->precedence = (uint32_t)p->precedence;
    return ag_node_finish(b, n);
}

/* An untyped bind takes the type of the typed expression beside it. */
static const ag_node *typed_beside(ag_builder *b, const ag_node *e, const ag_node *beside)
{
    if (!e || e->kind != AG_K_BIND || !ag_is_null_type(e) || ag_is_null_type(beside) || (e->flags & AG_BIND_EXPANDING))
        return e;
    return ag_with_type(b, e, beside->type);
}

/* ---- IN ---- */

/* An expanding bind beside a tuple: its values come row by row. */
static const ag_node *tuple_bind(ag_builder *b, const ag_n_tuple *tuple, const ag_n_bind *old)
{
    const ag_type *types[64];
    uint32_t width = tuple->items.n;
    if (old->node.flags & AG_BIND_HAS_VALUE)
        return ag_build_fail(b, AG_EXC_ARGUMENT,
                             "in_: the values of a bindparam beside a tuple_ come with the execution; "
                             "a list of rows needs no bindparam");
    if (width > 64)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "a tuple in IN has 1 to 64 members, not %u", (unsigned)width);
    for (uint32_t i = 0; i < width; i++)
        types[i] = ag_nlist_at(tuple, tuple->items, i)->type;
    const ag_bind_spec s = {.key = ag_nstr_get(old, old->key),
                            .flags = (old->node.flags & AG_NF_KIND) | AG_BIND_EXPANDING,
                            .tuple_width = width,
                            .tuple_types = types};
    return ag_bind(b, &s);
}

static const ag_node *in_operand(ag_builder *b, const ag_node *left, const ag_node *right)
{
    if (right->kind == AG_K_BIND && left->kind == AG_K_TUPLE && !AG_AS(bind, BIND, right)->tuple_width)
        return tuple_bind(b, AG_AS(tuple, TUPLE, left), AG_AS(bind, BIND, right));
    switch (right->kind) {
    case AG_K_SELECT:
    case AG_K_COMPOUND:
    case AG_K_TEXT_SELECT: return ag_scalar_select(b, right);
    case AG_K_VALUES: return ag_scalar_values(b, right);
    case AG_K_SUBQUERY: return in_operand(b, left, AG_AS(subquery, SUBQUERY, right)->element);
    case AG_K_BIND: {
        ag_node *n = ag_node_copy(b, right);
        if (!n)
            return NULL;
        n->flags |= AG_BIND_EXPANDING;
        if (ag_is_null_type(n) && left->kind != AG_K_TUPLE)
            n->type = left->type;
        return ag_node_finish(b, n);
    }
    default: return ag_as_expr(b, right);
    }
}

static const ag_node *in_impl(ag_builder *b, binary_parts *p)
{
    if (ag_is_collection(p->left))
        return ag_build_fail(b, AG_EXC_ARGUMENT, "%s does not take any_ and all_: any_(x):eq(y) is y = ANY (x)",
                             ag_op_get(p->op)->name);
    bool rows = p->left->kind == AG_K_TUPLE && p->right->kind == AG_K_BIND && !AG_AS(bind, BIND, p->right)->tuple_width;
    bool ready = !rows && p->right->kind == AG_K_BIND && (p->right->flags & AG_BIND_EXPANDING);
    if (!ready)
        p->right = in_operand(b, p->left, p->right);
    else if (ag_is_null_type(p->right) && !ag_is_null_type(p->left) && p->left->kind != AG_K_TUPLE)
        p->right = ag_with_type(b, p->right, p->left->type); /* the list comes with the call */
    p->type = ag_boolean();
    return make_binary(b, p);
}

/* ---- comparison ---- */

static bool is_constant(const ag_node *e)
{
    return e->kind == AG_K_NULL || e->kind == AG_K_TRUE || e->kind == AG_K_FALSE;
}

/* x = NULL becomes x IS NULL; with TRUE and FALSE only = and IS work; anything else cannot be compared with a
 * constant. */
static bool fold_constant(ag_builder *b, binary_parts *p)
{
    if (p->op == AG_OP_IS_DISTINCT || p->op == AG_OP_IS_NOT_DISTINCT || ag_is_collection(p->left))
        return true;
    if ((p->op == AG_OP_EQ || p->op == AG_OP_NE) && p->right->kind != AG_K_NULL)
        return true;
    if (p->op == AG_OP_EQ || p->op == AG_OP_IS) {
        p->op = AG_OP_IS;
    } else if (p->op == AG_OP_NE || p->op == AG_OP_IS_NOT) {
        p->op = AG_OP_IS_NOT;
    } else {
        ag_build_fail(b, AG_EXC_ARGUMENT,
                      "only eq, ne, is_, is_not, is_distinct_from and is_not_distinct_from compare with "
                      "NULL, true or false, not %s",
                      ag_op_get(p->op)->name);
        return false;
    }
    return true;
}

/* any_(x):lt(5) is written 5 > ANY (x). */
static bool turn_collection(ag_builder *b, binary_parts *p)
{
    if (!ag_is_collection(p->left))
        return true;
    if (!ag_op_is(p->op, AG_OPF_COMPARISON)) {
        ag_build_fail(b, AG_EXC_ARGUMENT, "only comparison operators may be used with any_ and all_, not %s",
                      ag_op_get(p->op)->name);
        return false;
    }
    ag_op_id mirror = (ag_op_id)ag_op_get(p->op)->mirror;
    const ag_node *left = p->left;
    p->op = mirror == AG_OP_NONE ? p->op : mirror;
    p->left = p->right;
    p->right = left;
    return true;
}

/* The same of op(): any_(x):bool_op("@@")(y) is y @@ ANY (x). */
static bool turn_custom(ag_builder *b, binary_parts *p)
{
    if (!ag_is_collection(p->left))
        return true;
    if (!(p->flags & AG_BINARY_BOOL)) {
        ag_build_fail(b, AG_EXC_ARGUMENT,
                      "only comparison operators may be used with any_ and all_, not op('%.*s'): "
                      "say bool_op, or op(text, {is_comparison = true})",
                      (int)p->opstring.n, p->opstring.p);
        return false;
    }
    const ag_node *left = p->left;
    p->left = p->right;
    p->right = left;
    return true;
}

/* contains() on arrays, JSONB, HSTORE and ranges is the operator @>; on JSON it looks at the text, as in SQLAlchemy. */
static bool contains_members(const ag_type *t)
{
    ag_affinity aff = ag_type_affinity(t);
    ag_type_id id = (ag_type_id)ag_type_impl(t, NULL)->id;
    return aff == AG_AFF_ARRAY || aff == AG_AFF_RANGE || aff == AG_AFF_MULTIRANGE || id == AG_TYPE_PG_JSONB ||
           id == AG_TYPE_PG_HSTORE;
}

static const ag_node *compare(ag_builder *b, binary_parts *p)
{
    if (p->op == AG_OP_CONTAINS && contains_members(p->left->type))
        return ag_custom_op(b, AG_STR("@>"), EQ_PRECEDENCE, AG_BINARY_BOOL | AG_BINARY_NATURAL | AG_BINARY_EAGER, NULL,
                            p->left, p->right);
    if (is_constant(p->right) && !fold_constant(b, p))
        return NULL;
    p->right = typed_beside(b, p->right, p->left);
    if (!p->right || !turn_collection(b, p))
        return NULL;
    bool untyped = p->op == AG_OP_REGEXP_MATCH || p->op == AG_OP_NOT_REGEXP_MATCH; /* as in SQLAlchemy */
    if (!p->type)
        p->type = untyped ? ag_null_type() : ag_boolean();
    return make_binary(b, p);
}

/* ---- arithmetic ---- */

static const ag_node *operate(ag_builder *b, binary_parts *p)
{
    if (ag_is_collection(p->left)) {
        (void)turn_collection(b, p); /* refuses */
        return NULL;
    }
    p->right = typed_beside(b, p->right, p->left);
    p->left = typed_beside(b, p->left, p->right ? p->right : p->left);
    if (!p->left || !p->right)
        return NULL;
    const ag_type *type;
    ag_op_result_type(&p->op, &type, p->left->type, p->right->type);
    if (!p->type)
        p->type = type;
    return make_binary(b, p);
}

/* ---- LIKE with escapes ---- */

/* Does a special character, or the escape itself, stand at i? */
static bool needs_escape(ag_str s, size_t i, ag_str escape)
{
    return s.p[i] == '%' || s.p[i] == '_' || (s.n - i >= escape.n && memcmp(s.p + i, escape.p, escape.n) == 0);
}

static size_t escaped_size(ag_str s, ag_str escape)
{
    size_t n = s.n;
    for (size_t i = 0; i < s.n; i++)
        n += needs_escape(s, i, escape) ? escape.n : 0;
    return n;
}

/* The bind with its text escaped, so that it matches itself. */
static const ag_node *escape_bind(ag_builder *b, const ag_node *e, ag_str escape)
{
    const ag_n_bind *old = e->kind == AG_K_BIND ? AG_AS(bind, BIND, e) : NULL;
    ag_value v = {.kind = AG_V_NULL};
    if (old && (e->flags & AG_BIND_HAS_VALUE))
        ag_nval_get(&v, old, &old->value);
    if (v.kind != AG_V_TEXT)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "autoescape needs a string");
    size_t n = escaped_size(v.u.s, escape), at = 0;
    char *text = ag_arena_new(b->arena ? b->arena : &b->scratch, n + 1);
    if (!text) {
        (void)ag_fail_nomem(b->err);
        return NULL;
    }
    for (size_t i = 0; i < v.u.s.n; i++) {
        for (size_t j = 0; j < escape.n && needs_escape(v.u.s, i, escape); j++)
            text[at++] = escape.p[j];
        text[at++] = v.u.s.p[i];
    }
    const ag_value w = ag_value_text(text, at);
    const ag_bind_spec s = {.key = ag_nstr_get(old, old->key), .type = e->type, .value = &w, .flags = e->flags};
    return ag_bind(b, &s);
}

static bool takes_escape(ag_op_id op)
{
    return op >= AG_OP_LIKE && op <= AG_OP_NOT_IENDSWITH;
}

/* One character of UTF-8, or none: LIKE … ESCAPE '' has no escapes on PostgreSQL. */
static bool escape_valid(ag_str escape, bool needed)
{
    size_t chars = 0;
    for (size_t i = 0; i < escape.n; i++)
        chars += ((unsigned char)escape.p[i] & 0xC0u) != 0x80;
    return needed ? chars == 1 : chars <= 1;
}

static bool apply_options(ag_builder *b, binary_parts *p, const ag_binary_opts *o)
{
    p->escape = o->escape;
    p->modifier = o->modifier;
    p->type = o->type;
    if ((o->escape.p || o->autoescape) && !takes_escape(p->op)) {
        ag_build_fail(b, AG_EXC_ARGUMENT, "%s takes no escape", ag_op_get(p->op)->name);
        return false;
    }
    if (o->autoescape && !o->escape.p)
        p->escape = AG_STR("/");
    if (!escape_valid(p->escape, o->autoescape)) {
        ag_build_fail(b, AG_EXC_ARGUMENT, "the escape must be one character%s", o->autoescape ? "" : ", or empty");
        return false;
    }
    if (o->autoescape)
        p->right = escape_bind(b, p->right, p->escape);
    return p->right != NULL;
}

static const ag_node *dispatch(ag_builder *b, binary_parts *p)
{
    switch (p->op) {
    case AG_OP_AND:
    case AG_OP_OR: {
        const ag_node *const both[] = {p->left, p->right};
        return ag_bool_list(b, p->op, both, 2);
    }
    case AG_OP_IN:
    case AG_OP_NOT_IN: return in_impl(b, p);
    case AG_OP_GETITEM: return ag_getitem(b, p->left, p->right, false);
    case AG_OP_JSON_GETITEM: return ag_getitem(b, p->left, p->right, false);
    case AG_OP_JSON_PATH_GETITEM: return ag_getitem(b, p->left, p->right, true);
    default: break;
    }
    p->right = ag_as_expr(b, p->right);
    if (!p->right)
        return NULL;
    if (!ag_op_is(p->op, AG_OPF_BINARY))
        return ag_build_fail(b, AG_EXC_ARGUMENT, "%s is no operator between two expressions", ag_op_get(p->op)->name);
    return ag_op_is(p->op, AG_OPF_COMPARISON) ? compare(b, p) : operate(b, p);
}

const ag_node *ag_binary_with(ag_builder *b, ag_op_id op, const ag_node *left, const ag_node *right,
                              const ag_binary_opts *o)
{
    binary_parts p = {.op = op, .left = ag_as_expr(b, left), .right = right};
    if (!p.left || !right || (o && !apply_options(b, &p, o)))
        return NULL;
    return dispatch(b, &p);
}

const ag_node *ag_binary(ag_builder *b, ag_op_id op, const ag_node *left, const ag_node *right)
{
    return ag_binary_with(b, op, left, right, NULL);
}

const ag_node *ag_custom_op(ag_builder *b, ag_str text, int precedence, unsigned flags, const ag_type *type,
                            const ag_node *left, const ag_node *right)
{
    if (!ag_op_text_valid(text.p, text.n))
        return ag_build_fail(b, AG_EXC_ARGUMENT,
                             "'%.*s' is no operator: it may have the characters +-*/<>=~!@#%%^&|`?:.$ or "
                             "be words",
                             (int)(text.n < 64 ? text.n : 64), text.p);
    if (precedence < -100 || precedence > 100)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "the precedence must be between -100 and 100, not %d", precedence);
    binary_parts p = {.op = AG_OP_CUSTOM,
                      .left = ag_as_expr(b, left),
                      .right = ag_as_expr(b, right),
                      .opstring = text,
                      .precedence = precedence + AG_PRECEDENCE_BIAS,
                      .flags = flags};
    if (!p.left || !p.right)
        return NULL;
    p.right = typed_beside(b, p.right, p.left);
    if (!p.right || !turn_custom(b, &p))
        return NULL;
    p.type = type ? type : (flags & AG_BINARY_BOOL) ? ag_boolean() : p.left->type;
    return make_binary(b, &p);
}

static bool no_collection(ag_builder *b, const ag_node *e, const char *name)
{
    if (e && ag_is_collection(e))
        ag_build_fail(b, AG_EXC_ARGUMENT, "only comparison operators may be used with any_ and all_, not %s", name);
    return !e || !ag_is_collection(e);
}

const ag_node *ag_regexp_replace(ag_builder *b, const ag_node *e, const ag_node *pattern, const ag_node *replacement,
                                 ag_str modifier)
{
    const ag_node *const pair[] = {ag_as_expr(b, pattern), ag_as_expr(b, replacement)};
    if (!pair[0] || !pair[1] || !no_collection(b, e, "regexp_replace"))
        return NULL;
    bool text = e && ag_type_affinity(e->type) == AG_AFF_STRING;
    const binary_parts p = {.op = AG_OP_REGEXP_REPLACE,
                            .left = ag_as_expr(b, e),
                            .right = ag_build_list(b, AG_K_LIST, AG_OP_COMMA, ag_null_type(), pair, 2, 0),
                            .type = text ? e->type : ag_null_type(),
                            .modifier = modifier};
    return make_binary(b, &p);
}

const ag_node *ag_between(ag_builder *b, const ag_node *e, const ag_node *lower, const ag_node *upper, bool negated,
                          bool symmetric)
{
    e = ag_as_expr(b, e);
    lower = ag_as_expr(b, lower);
    upper = ag_as_expr(b, upper);
    if (!e || !lower || !upper)
        return NULL;
    lower = typed_beside(b, lower, e);
    upper = typed_beside(b, upper, e);
    if (!lower || !upper)
        return NULL;
    ag_n_between *n = ag_node_new(b, AG_K_BETWEEN, ag_null_type(), 0); /* SQLAlchemy gives it no type */
    if (!n)
        return NULL;
    n->node.op = negated ? AG_OP_NOT_BETWEEN : AG_OP_BETWEEN;
    n->node.flags |= (uint16_t)((negated ? AG_BETWEEN_NOT : 0) | (symmetric ? AG_BETWEEN_SYMMETRIC : 0));
    n->operand = e;
    n->lower = lower;
    n->upper = upper;
    return ag_node_finish(b, n);
}

/* ---- unary ---- */

static const ag_node *make_unary(ag_builder *b, ag_op_id op, const ag_type *type, const ag_node *operand,
                                 ag_str opstring)
{
    ag_n_unary *n = ag_node_new(b, AG_K_UNARY, type, ag_room_str(opstring.n));
    if (!n)
        return NULL;
    n->node.op = (uint16_t)op;
    n->operand = operand;
    n->opstring = ag_node_str(n, opstring);
    return ag_node_finish(b, n);
}

const ag_node *ag_unary(ag_builder *b, ag_op_id op, const ag_node *operand)
{
    operand = ag_as_expr(b, operand);
    if (!operand)
        return NULL;
    switch (op) {
    case AG_OP_NOT: return ag_not(b, operand);
    case AG_OP_ANY:
    case AG_OP_ALL: return make_unary(b, op, ag_boolean(), operand, (ag_str){0});
    case AG_OP_IS_TRUE:
    case AG_OP_IS_FALSE: return make_unary(b, op, ag_boolean(), operand, (ag_str){0});
    case AG_OP_NEG:
    case AG_OP_BIT_NOT:
    case AG_OP_DISTINCT:
    case AG_OP_DESC:
    case AG_OP_ASC:
    case AG_OP_NULLS_FIRST:
    case AG_OP_NULLS_LAST: return make_unary(b, op, operand->type, operand, (ag_str){0});
    default: return ag_build_fail(b, AG_EXC_ARGUMENT, "%s is no operator on one expression", ag_op_get(op)->name);
    }
}

/* ---- parts ---- */

/* The type of one item of an array: of its item type, or an array of one dimension less. */
static const ag_type *item_type(ag_builder *b, const ag_type *array)
{
    const ag_type *impl = ag_type_impl(array, NULL), *out;
    if (impl->dims > 1 && b->types) {
        ag_type proto = *impl;
        proto.dims--;
        return ag_types_intern(b->types, &out, &proto, b->err) == AG_OK ? out : NULL;
    }
    return impl->item ? impl->item : ag_null_type();
}

/* What is read out of HSTORE or JSON as text: text_type, astext_type. */
static const ag_type *text_type(const ag_type *t)
{
    const ag_type *impl = ag_type_impl(t, NULL);
    return impl->item ? impl->item : ag_type_plain(AG_TYPE_TEXT);
}

const ag_node *ag_getitem(ag_builder *b, const ag_node *left, const ag_node *index, bool path)
{
    left = ag_as_expr(b, left);
    index = ag_as_expr(b, index);
    if (!left || !index)
        return NULL;
    ag_affinity aff = ag_type_affinity(left->type);
    binary_parts p = {.op = AG_OP_GETITEM, .left = left, .right = index, .type = left->type};
    if (index->kind == AG_K_SLICE && aff != AG_AFF_ARRAY) {
        return ag_build_fail(b, AG_EXC_ARGUMENT, "slice() works on arrays, not on %s", ag_type_lua_name(left->type));
    } else if (aff == AG_AFF_JSON) {
        p.op = path ? AG_OP_JSON_PATH_GETITEM : AG_OP_JSON_GETITEM;
    } else if (ag_type_impl(left->type, NULL)->id == AG_TYPE_PG_HSTORE) {
        p.type = text_type(left->type);
    } else if (aff == AG_AFF_ARRAY) {
        if (index->kind != AG_K_SLICE)
            p.type = item_type(b, left->type);
    } else {
        return ag_build_fail(b, AG_EXC_ARGUMENT, "at() works on arrays, JSON and HSTORE, not on %s",
                             ag_type_lua_name(left->type));
    }
    return p.type ? make_binary(b, &p) : NULL;
}

const ag_node *ag_slice(ag_builder *b, const ag_node *start, const ag_node *stop, const ag_node *step)
{
    ag_n_slice *n = ag_node_new(b, AG_K_SLICE, ag_null_type(), 0);
    if (!n)
        return NULL;
    n->start = start;
    n->stop = stop;
    n->step = step;
    return ag_node_finish(b, n);
}

static bool is_json_item(const ag_node *e)
{
    return e->kind == AG_K_BINARY && (e->op == AG_OP_JSON_GETITEM || e->op == AG_OP_JSON_PATH_GETITEM);
}

const ag_node *ag_json_as(ag_builder *b, const ag_node *e, const ag_type *type)
{
    if (!e)
        return NULL;
    if (!is_json_item(e))
        return ag_build_fail(b, AG_EXC_INVALID_REQUEST,
                             "as_… works on a part of a JSON value: json:at(key):as_string()");
    return ag_with_type(b, e, type);
}

const ag_node *ag_json_astext(ag_builder *b, const ag_node *e)
{
    if (!e)
        return NULL;
    if (!is_json_item(e))
        return ag_build_fail(b, AG_EXC_INVALID_REQUEST, "astext works on a part of a JSON value: json:at(key).astext");
    const ag_n_binary *item = AG_AS(binary, BINARY, e);
    ag_str text = e->op == AG_OP_JSON_GETITEM ? AG_STR("->>") : AG_STR("#>>");
    return ag_custom_op(b, text, ITEM_PRECEDENCE, AG_BINARY_NATURAL | AG_BINARY_EAGER, text_type(e->type), item->left,
                        item->right);
}

const ag_node *ag_collate(ag_builder *b, const ag_node *e, ag_str schema, ag_str collation)
{
    if (!no_collection(b, e, "collate"))
        return NULL;
    const binary_parts p = {.op = AG_OP_COLLATE,
                            .left = ag_as_expr(b, e),
                            .right = ag_collation_in(b, schema, collation),
                            .type = e ? e->type : NULL};
    return make_binary(b, &p);
}

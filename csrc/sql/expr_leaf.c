/* Leaves of expressions: constants, names, bind parameters, and the values that stand beside an expression. */
#include "sql/build.h"

#include "base/utf8.h"

const ag_node **ag_build_array(ag_builder *b, size_t n)
{
    ag_arena *ar = b->arena ? b->arena : &b->scratch;
    const ag_node **p = (const ag_node **)ag_arena_zero(ar, n ? n : 1, sizeof *p);
    if (!p)
        (void)ag_fail_nomem(b->err);
    return p;
}

static const ag_node *constant(ag_builder *b, ag_kind kind, const ag_type *type)
{
    ag_node *n = ag_node_new(b, kind, type, 0);
    return n ? ag_node_finish(b, n) : NULL;
}

const ag_node *ag_null_new(ag_builder *b)
{
    return constant(b, AG_K_NULL, ag_null_type());
}

const ag_node *ag_true(ag_builder *b)
{
    return constant(b, AG_K_TRUE, ag_boolean());
}

const ag_node *ag_false(ag_builder *b)
{
    return constant(b, AG_K_FALSE, ag_boolean());
}

/* Identifiers: not empty, no NUL, UTF-8. what: for the message. */
static bool check_name(ag_builder *b, ag_str name, const char *what)
{
    const char *why = !name.n                          ? "must not be empty"
                      : memchr(name.p, '\0', name.n)   ? "contains a NUL byte"
                      : !ag_utf8_valid(name.p, name.n) ? "is not valid UTF-8"
                                                       : NULL;
    if (why)
        (void)ag_fail(b->err, AG_EXC_IDENTIFIER, "%s %s", what, why);
    return !why;
}

const ag_node *ag_column_clause(ag_builder *b, ag_str name, const ag_type *type, bool literal)
{
    if (!check_name(b, name, "the column name"))
        return NULL;
    ag_n_column_clause *n = ag_node_new(b, AG_K_COLUMN_CLAUSE, type ? type : ag_null_type(), ag_room_str(name.n));
    if (!n)
        return NULL;
    n->node.flags |= literal ? AG_COLUMN_CLAUSE_LITERAL : 0;
    n->name = ag_node_str(n, name);
    return ag_node_finish(b, n);
}

const ag_node *ag_star(ag_builder *b, const ag_node *from)
{
    ag_n_star *n = ag_node_new(b, AG_K_STAR, ag_null_type(), 0);
    if (!n)
        return NULL;
    n->from = from;
    return ag_node_finish(b, n);
}

const ag_node *ag_label_ref(ag_builder *b, ag_str name)
{
    if (!check_name(b, name, "the label"))
        return NULL;
    ag_n_label_ref *n = ag_node_new(b, AG_K_LABEL_REF, ag_null_type(), ag_room_str(name.n));
    if (!n)
        return NULL;
    n->name = ag_node_str(n, name);
    return ag_node_finish(b, n);
}

const ag_node *ag_collation_in(ag_builder *b, ag_str schema, ag_str name)
{
    if (!check_name(b, name, "the collation"))
        return NULL;
    ag_n_collation *n =
        ag_node_new(b, AG_K_COLLATION, ag_type_plain(AG_TYPE_STRING), ag_room_str(name.n) + ag_room_str(schema.n));
    if (!n)
        return NULL;
    n->schema = ag_node_str(n, schema);
    n->name = ag_node_str(n, name);
    return ag_node_finish(b, n);
}

const ag_node *ag_collation(ag_builder *b, ag_str name)
{
    return ag_collation_in(b, (ag_str){0}, name);
}

/* ---- bind parameters ---- */

static const ag_value *first_value(const ag_bind_spec *s)
{
    for (size_t i = 0; i < s->nvalues; i++) {
        if (s->values[i].kind != AG_V_NULL)
            return &s->values[i];
    }
    return s->value;
}

static const ag_type *bind_type(const ag_bind_spec *s)
{
    const ag_value *v = first_value(s);
    if (s->type)
        return s->type;
    if (s->tuple_width)
        return ag_type_plain(AG_TYPE_TUPLE);
    return v ? ag_value_sql_type(v) : ag_null_type();
}

static unsigned bind_flags(const ag_bind_spec *s)
{
    unsigned f = s->flags & AG_NF_KIND;
    bool valued = s->value || (f & AG_BIND_HAS_VALUE) || s->callable || s->nvalues;
    if (s->value || s->nvalues)
        f |= AG_BIND_HAS_VALUE;
    if (s->callable)
        f |= AG_BIND_CALLABLE;
    if (!s->key.p)
        f |= AG_BIND_UNIQUE;
    if (!valued)
        f |= AG_BIND_REQUIRED;
    return f;
}

static size_t bind_room(const ag_bind_spec *s, ag_str key)
{
    size_t room = ag_room_str(key.n) + ag_room_vals(s->nvalues) + ag_room_list(s->tuple_width);
    if (s->value)
        room += ag_room_value(s->value);
    for (size_t i = 0; i < s->nvalues; i++)
        room += ag_room_value(&s->values[i]);
    return room;
}

const ag_node *ag_bind(ag_builder *b, const ag_bind_spec *s)
{
    ag_str key = s->key.p ? s->key : AG_STR("param");
    if (!check_name(b, key, "the parameter name"))
        return NULL;
    ag_n_bind *n = ag_node_new(b, AG_K_BIND, bind_type(s), bind_room(s, key));
    if (!n)
        return NULL;
    n->node.flags |= (uint16_t)bind_flags(s);
    n->key = ag_node_str(n, key);
    if (s->value)
        n->value = ag_node_val(n, s->value);
    n->values = ag_node_vals(n, s->values, s->nvalues);
    n->tuple_width = s->tuple_width;
    if (s->tuple_types)
        n->types = ag_node_types(n, s->tuple_types, s->tuple_width);
    n->callable = s->callable;
    n->serial = b->serials ? (int64_t)++ * b->serials : 0;
    return ag_node_finish(b, n);
}

const ag_node *ag_bind_with_type(ag_builder *b, const ag_node *bind, const ag_type *type)
{
    return ag_with_type(b, bind, type);
}

const ag_node *ag_bind_rekey(ag_builder *b, const ag_node *bind, ag_str key)
{
    ag_node *n = bind ? ag_node_with_str(b, bind, offsetof(ag_n_bind, key), key) : NULL;
    return n ? ag_node_finish(b, n) : NULL;
}

const ag_node *ag_literal(ag_builder *b, const ag_value *value, const ag_type *type, bool literal_execute)
{
    const ag_bind_spec s = {.type = type,
                            .value = value,
                            .flags = AG_BIND_UNIQUE | (type ? AG_BIND_TYPED : 0u) |
                                     (literal_execute ? AG_BIND_LITERAL_EXECUTE : 0u)};
    return ag_bind(b, &s);
}

/* Binds beside a column or a function are named after it. */
static ag_str bind_name_beside(const ag_node *e)
{
    if (e->kind == AG_K_COLUMN_CLAUSE)
        return (e->flags & AG_COLUMN_CLAUSE_LITERAL) ? (ag_str){0} : ag_expr_name(e);
    if (e->kind == AG_K_FUNC && (AG_AS(func, FUNC, e)->id < AG_FUNC_CUSTOM || (e->flags & AG_FUNC_GENERIC)))
        return ag_nstr_get(e, AG_AS(func, FUNC, e)->name);
    if (e->kind == AG_K_COLUMN || (e->kind == AG_K_COLREF && !(e->flags & AG_COLREF_ANON)))
        return ag_expr_key(e);
    return (ag_str){0};
}

const ag_node *ag_bind_beside(ag_builder *b, const ag_node *bind, const ag_node *beside)
{
    ag_str name = beside ? bind_name_beside(beside) : (ag_str){0};
    return name.n && bind && bind->kind == AG_K_BIND ? ag_bind_rekey(b, bind, name) : bind;
}

/* The type that a value is compared to: the items' of ANY(array). */
static const ag_type *type_beside(const ag_node *e)
{
    if (!ag_is_collection(e) || e->kind == AG_K_FUNC)
        return e->type;
    const ag_type *t = AG_AS(unary, UNARY, e)->operand->type;
    const ag_type *impl = ag_type_impl(t, NULL);
    return impl->id == AG_TYPE_ARRAY && impl->item ? impl->item : t;
}

/* Operators beside which NULL, true and false are SQL constants, and no binds. */
static bool takes_constants(ag_op_id op)
{
    return (op >= AG_OP_EQ && op <= AG_OP_IS_NOT_DISTINCT) || (op >= AG_OP_LIKE && op <= AG_OP_NOT_MATCH);
}

bool ag_operand_is_constant(const ag_node *beside, ag_op_id op, const ag_value *value)
{
    if (!takes_constants(op) || (value->kind != AG_V_NULL && value->kind != AG_V_BOOL))
        return false;
    const ag_type *t = type_beside(beside);
    if (!t || t->id != AG_TYPE_DECORATOR)
        return true;
    if (value->kind == AG_V_NULL)
        return !(t->flags & AG_TYPE_IS_NOT_NULL);
    return (t->flags & AG_TYPE_IS_BOOLEAN) || op == AG_OP_IS || op == AG_OP_IS_NOT; /* PostgreSQL has no IS $1 */
}

const ag_node *ag_operand(ag_builder *b, const ag_node *beside, ag_op_id op, const ag_value *value)
{
    if (!beside)
        return NULL;
    if (ag_operand_is_constant(beside, op, value)) {
        if (value->kind == AG_V_NULL)
            return ag_null_new(b);
        return value->u.i ? ag_true(b) : ag_false(b);
    }
    const ag_bind_spec s = {.key = bind_name_beside(beside),
                            .type = ag_op_compared_type(op, type_beside(beside), value),
                            .value = value,
                            .flags = AG_BIND_UNIQUE};
    return ag_bind(b, &s);
}

const ag_node *ag_operand_of_type(ag_builder *b, const ag_node *beside, const ag_type *type, const ag_value *value)
{
    const ag_bind_spec s = {
        .key = beside ? bind_name_beside(beside) : (ag_str){0}, .type = type, .value = value, .flags = AG_BIND_UNIQUE};
    return ag_bind(b, &s);
}

const ag_node *ag_in_list(ag_builder *b, const ag_node *beside, const ag_value *values, size_t n)
{
    if (!beside)
        return NULL;
    ag_bind_spec s = {.key = bind_name_beside(beside),
                      .values = values,
                      .nvalues = n,
                      .flags = AG_BIND_UNIQUE | AG_BIND_EXPANDING | AG_BIND_HAS_VALUE};
    s.type = ag_op_compared_type(AG_OP_IN, type_beside(beside), first_value(&s));
    return ag_bind(b, &s);
}

/* May values of the type stand in an array parameter of every database? */
static bool has_array_form(const ag_type *t)
{
    for (uint32_t i = 0; i < t->nvariants; i++) {
        if (!has_array_form(t->variants[i].type))
            return false;
    }
    if (t->flags & AG_TYPE_HAS_BIND_EXPR)
        return false;
    switch (ag_type_affinity(t)) {
    case AG_AFF_INTEGER:
    case AG_AFF_NUMERIC:
    case AG_AFF_BOOLEAN:
    case AG_AFF_DATE:
    case AG_AFF_TIME:
    case AG_AFF_DATETIME:
    case AG_AFF_UUID: return true;
    case AG_AFF_STRING: return t->id != AG_TYPE_ENUM;
    default: return false;
    }
}

const ag_node *ag_in_keys(ag_builder *b, const ag_node *beside, const ag_value *values, size_t n)
{
    const ag_n_tuple *t = beside && beside->kind == AG_K_TUPLE ? AG_AS(tuple, TUPLE, beside) : NULL;
    bool array = beside != NULL;
    for (uint32_t i = 0; t && i < t->items.n; i++)
        array = array && has_array_form(ag_nlist_at(t, t->items, i)->type);
    if (!array || (!t && !has_array_form(beside->type)))
        return t ? ag_in_tuples(b, beside, values, n, t->items.n) : ag_in_list(b, beside, values, n);
    const ag_type *types[64];
    ag_bind_spec s = {.key = t ? (ag_str){"keys", 4} : bind_name_beside(beside),
                      .type = t ? NULL : beside->type,
                      .values = values,
                      .nvalues = n * (t ? t->items.n : 1),
                      .tuple_width = t ? t->items.n : 0,
                      .tuple_types = t ? types : NULL,
                      .flags = AG_BIND_UNIQUE | AG_BIND_EXPANDING | AG_BIND_HAS_VALUE | AG_BIND_ARRAY};
    for (uint32_t i = 0; t && i < t->items.n && i < 64; i++)
        types[i] = ag_nlist_at(t, t->items, i)->type;
    return ag_bind(b, &s);
}

const ag_node *ag_in_tuples(ag_builder *b, const ag_node *tuple, const ag_value *values, size_t n, uint32_t width)
{
    if (!tuple)
        return NULL;
    const ag_type *types[64];
    if (width == 0 || width > 64)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "a tuple in IN has 1 to 64 members, not %u", (unsigned)width);
    const ag_n_tuple *t = tuple->kind == AG_K_TUPLE ? AG_AS(tuple, TUPLE, tuple) : NULL;
    if (t && t->items.n != width)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "the tuple has %u members, the values of in_ have %u",
                             (unsigned)t->items.n, (unsigned)width);
    for (uint32_t i = 0; i < width; i++) {
        const ag_type *beside = t ? ag_nlist_at(t, t->items, i)->type : ag_null_type();
        types[i] = ag_op_compared_type(AG_OP_IN, beside, n ? &values[i] : NULL);
    }
    const ag_bind_spec s = {.values = values,
                            .nvalues = n * width,
                            .tuple_width = width,
                            .tuple_types = types,
                            .flags = AG_BIND_UNIQUE | AG_BIND_EXPANDING | AG_BIND_HAS_VALUE};
    return ag_bind(b, &s);
}

/* CASE, CAST, EXTRACT, labels, lists, subqueries as expressions, constructs of the host. */
#include "sql/build.h"

#include "sql/names.h"
#include "sql/select.h"

const ag_node *ag_list(ag_builder *b, ag_op_id op, const ag_node *const *items, size_t n, bool group)
{
    const ag_node **exprs = ag_build_array(b, n);
    if (!exprs || !ag_as_exprs(b, exprs, items, n))
        return NULL;
    const ag_type *type = op == AG_OP_COMMA || !n ? ag_null_type() : exprs[0]->type;
    return ag_build_list(b, AG_K_LIST, op, type, exprs, n, group ? AG_LIST_GROUP : 0);
}

const ag_node *ag_self_group(ag_builder *b, const ag_node *e)
{
    e = ag_as_expr(b, e);
    const ag_node *inner = e;
    while (inner && inner->kind == AG_K_TYPE_COERCE)
        inner = AG_AS(type_coerce, TYPE_COERCE, inner)->operand;
    if (!inner)
        return NULL;
    bool plain = inner->op == AG_OP_NOT || inner->op == AG_OP_IS_TRUE || inner->op == AG_OP_IS_FALSE ||
                 ag_op_is((ag_op_id)inner->op, AG_OPF_ORDERING);
    switch (inner->kind) {
    case AG_K_LIST: plain = (inner->flags & AG_LIST_GROUP) != 0; break;
    case AG_K_BINARY:
    case AG_K_BETWEEN: plain = false; break;
    case AG_K_UNARY: break;
    default: return e;
    }
    return plain ? e : ag_build_list(b, AG_K_LIST, AG_OP_COMMA, e->type, &e, 1, AG_LIST_GROUP);
}

const ag_node *ag_tuple(ag_builder *b, const ag_node *const *items, size_t n)
{
    const ag_node **exprs = ag_build_array(b, n);
    if (!exprs || !ag_as_exprs(b, exprs, items, n))
        return NULL;
    return ag_build_list(b, AG_K_TUPLE, AG_OP_NONE, ag_type_plain(AG_TYPE_TUPLE), exprs, n, 0);
}

/* ARRAY of the item type, or NULL type when there is no registry to make one. */
static const ag_type *array_of(ag_builder *b, const ag_type *item)
{
    const ag_type *out;
    if (!b->types)
        return ag_null_type();
    ag_type proto = ag_type_proto(AG_TYPE_ARRAY);
    const ag_type *impl = ag_type_impl(item, NULL);
    proto.item = item;
    if (impl->id == AG_TYPE_ARRAY) { /* nested literals: one dimension more */
        proto.item = impl->item;
        proto.dims = impl->dims > 0 ? impl->dims + 1 : 2;
    }
    return ag_types_intern(b->types, &out, &proto, b->err) == AG_OK ? out : NULL;
}

const ag_node *ag_array(ag_builder *b, const ag_node *const *items, size_t n, const ag_type *type)
{
    const ag_node **exprs = ag_build_array(b, n);
    if (!exprs || !ag_as_exprs(b, exprs, items, n))
        return NULL;
    if (!type)
        type = n ? exprs[0]->type : ag_null_type();
    type = array_of(b, type);
    return type ? ag_build_list(b, AG_K_ARRAY, AG_OP_NONE, type, exprs, n, 0) : NULL;
}

const ag_node *ag_case(ag_builder *b, const ag_node *value, const ag_node *const *whens, size_t npairs,
                       const ag_node *else_)
{
    size_t n = npairs * 2;
    const ag_node **exprs = ag_build_array(b, n);
    if (!exprs || !ag_as_exprs(b, exprs, whens, n))
        return NULL;
    if (!npairs)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "case needs at least one {condition, value} pair");
    const ag_type *type = else_ ? else_->type : ag_null_type();
    for (size_t i = n; i > 0; i -= 2) {
        if (!ag_is_null_type(exprs[i - 1])) {
            type = exprs[i - 1]->type;
            break;
        }
    }
    ag_n_case *c = ag_node_new(b, AG_K_CASE, type, ag_room_list(n));
    if (!c)
        return NULL;
    c->value = value;
    c->else_ = else_;
    c->whens = ag_node_list(c, exprs, n);
    return ag_node_finish(b, c);
}

/* Is the value of the bind one of this type? cast("5", Integer) is the database's to convert. */
static bool value_fits(ag_builder *b, const ag_node *bind, const ag_type *type)
{
    ag_value v, out;
    ag_error err;
    ag_arena arena;
    ag_nval_get(&v, bind, &AG_AS(bind, BIND, bind)->value);
    if (!(bind->flags & AG_BIND_HAS_VALUE) || v.kind == AG_V_HOST || v.kind == AG_V_NULL)
        return true;
    if (ag_type_affinity(type) == AG_AFF_JSON) /* texts, numbers and booleans are JSON values, too */
        return true;
    ag_error_init(&err, b->alloc);
    ag_arena_init(&arena, b->alloc);
    bool fits = ag_type_coerce(&out, &v, type, NULL, &arena, &err) != AG_ERROR;
    ag_arena_clear(&arena);
    ag_error_clear(&err);
    return fits;
}

const ag_node *ag_cast(ag_builder *b, ag_kind kind, const ag_node *e, const ag_type *type)
{
    e = ag_as_expr(b, e);
    if (!e)
        return NULL;
    bool plain_value = e->kind == AG_K_BIND && (e->flags & AG_BIND_UNIQUE) && !(e->flags & AG_BIND_TYPED);
    if ((plain_value && value_fits(b, e, type)) || (e->kind == AG_K_BIND && kind == AG_K_TYPE_COERCE)) {
        e = ag_with_type(b, e, type);
        if (!e)
            return NULL;
    }
    return ag_build_one(b, kind, type, e);
}

/* SQL's fields and PostgreSQL's (its documentation, "EXTRACT, date_part"). */
static const char *const extract_fields[] = {
    "century", "day",     "decade", "dow",          "doy",           "epoch",           "hour",
    "isodow",  "isoyear", "julian", "microseconds", "millennium",    "milliseconds",    "minute",
    "month",   "quarter", "second", "timezone",     "timezone_hour", "timezone_minute", "week",
    "year",
};

const ag_node *ag_extract(ag_builder *b, ag_str field, const ag_node *e)
{
    const size_t n = sizeof extract_fields / sizeof *extract_fields;
    e = ag_as_expr(b, e);
    if (!e)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        if (!ag_str_is_word(field, extract_fields[i]))
            continue;
        ag_n_extract *x = ag_node_new(b, AG_K_EXTRACT, ag_type_plain(AG_TYPE_INTEGER), ag_room_str(field.n));
        if (!x)
            return NULL;
        x->field = ag_node_str(x, field);
        x->operand = e;
        return ag_node_finish(b, x);
    }
    char name[32] = {0};
    memcpy(name, field.p ? field.p : "", field.n < 31 ? field.n : 31);
    const char *near = ag_nearest(name, extract_fields, n);
    return ag_build_fail(b, AG_EXC_ARGUMENT, "extract knows no field '%s'%s%s%s", name, near ? " (did you mean '" : "",
                         near ? near : "", near ? "'?)" : "");
}

const ag_node *ag_label(ag_builder *b, const ag_node *e, ag_str name)
{
    e = ag_as_expr(b, e);
    if (!e)
        return NULL;
    while (e->kind == AG_K_LABEL)
        e = AG_AS(label, LABEL, e)->operand;
    bool anon = !name.p;
    if (anon) {
        name = ag_name_escaped(&b->scratch, ag_expr_anon_base(e));
        if (!name.p)
            return (void)ag_fail_nomem(b->err), NULL;
    }
    if (!name.n)
        return ag_build_fail(b, AG_EXC_IDENTIFIER, "the label must not be empty");
    ag_n_label *n = ag_node_new(b, AG_K_LABEL, e->type, ag_room_str(name.n));
    if (!n)
        return NULL;
    n->node.flags |= anon ? AG_LABEL_ANON : 0;
    n->name = ag_node_str(n, name);
    n->operand = e;
    return ag_node_finish(b, n);
}

/* ---- subqueries as expressions ---- */

static const ag_type *first_column_type(const ag_node *stmt)
{
    ag_from_col col;
    return ag_from_column(stmt, 0, &col) && col.type ? col.type : ag_null_type();
}

/* Nobody sees the names inside a subquery that is an expression: they are not told apart. */
static const ag_node *without_labels(ag_builder *b, const ag_node *select)
{
    bool styled = select->kind == AG_K_SELECT || select->kind == AG_K_COMPOUND;
    return styled ? ag_stmt_label_style(b, select, AG_LABEL_STYLE_NONE) : select;
}

const ag_node *ag_scalar_select(ag_builder *b, const ag_node *select)
{
    if (!select)
        return NULL;
    if (!ag_node_is_selectable(select))
        return ag_build_fail(b, AG_EXC_ARGUMENT, "a select is expected here, not a %s",
                             ag_kind_get(select->kind)->name);
    return ag_build_one(b, AG_K_SCALAR_SELECT, first_column_type(select), without_labels(b, select));
}

const ag_node *ag_exists(ag_builder *b, const ag_node *select)
{
    if (!select)
        return NULL;
    if (select->kind == AG_K_SCALAR_SELECT)
        select = AG_AS(scalar_select, SCALAR_SELECT, select)->select;
    if (!ag_node_is_selectable(select))
        return ag_build_fail(b, AG_EXC_ARGUMENT, "exists needs a select, not a %s", ag_kind_get(select->kind)->name);
    return ag_build_one(b, AG_K_EXISTS, ag_boolean(), without_labels(b, select));
}

const ag_node *ag_scalar_values(ag_builder *b, const ag_node *values)
{
    return ag_build_one(b, AG_K_SCALAR_VALUES, ag_null_type(), values);
}

const ag_node *ag_dml_column(ag_builder *b, const ag_node *column)
{
    if (column && !ag_expr_is_column(column))
        return ag_build_fail(b, AG_EXC_ARGUMENT, "from_dml_column takes a column");
    return column ? ag_build_one(b, AG_K_DML_COLUMN, column->type, column) : NULL;
}

/* ---- host constructs ---- */

const ag_node *ag_splice(ag_builder *b, const ag_str *texts, const ag_node *const *items, size_t nitems,
                         const ag_type *type)
{
    size_t room = ag_room_list(nitems);
    for (size_t i = 0; i <= nitems; i++) {
        room += ag_room_str(texts[i].n) + sizeof(ag_nstr);
        if (i < nitems && !items[i])
            return NULL;
    }
    ag_n_splice *n = ag_node_new(b, AG_K_SPLICE, type ? type : ag_null_type(), room);
    if (!n)
        return NULL;
    n->texts = ag_node_strs(n, texts, nitems + 1);
    n->items = ag_node_list(n, items, nitems);
    return ag_node_finish(b, n);
}

const ag_node *ag_as_usual(ag_builder *b, const ag_node *item)
{
    const ag_str none[2] = {{"", 0}, {"", 0}};
    ag_n_splice *n =
        ag_node_new(b, AG_K_SPLICE, ag_null_type(), ag_room_list(1) + 2 * (ag_room_str(0) + sizeof(ag_nstr)));
    if (!n)
        return NULL;
    n->node.flags |= AG_SPLICE_AS_USUAL;
    n->texts = ag_node_strs(n, none, 2);
    n->items = ag_node_list(n, &item, 1);
    return ag_node_finish(b, n);
}

const ag_node *ag_custom(ag_builder *b, int64_t class_id, int64_t host, ag_str identity, const ag_node *const *children,
                         size_t n, const ag_type *type, unsigned flags)
{
    for (size_t i = 0; i < n; i++) {
        if (!children[i])
            return NULL;
    }
    ag_n_custom *c =
        ag_node_new(b, AG_K_CUSTOM, type ? type : ag_null_type(), ag_room_list(n) + ag_room_str(identity.n));
    if (!c)
        return NULL;
    c->node.flags |= (uint16_t)(flags & AG_NF_KIND);
    c->class_id = class_id;
    c->host = host;
    c->identity = ag_node_str(c, identity);
    c->children = ag_node_list(c, children, n);
    return ag_node_finish(b, c);
}

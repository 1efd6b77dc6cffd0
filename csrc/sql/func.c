/* Functions and what stands around them: the registry of known ones and their result types, OVER, FILTER, WITHIN
 * GROUP, ORDER BY
 * inside an aggregate (SQLAlchemy: sql/functions.py). */
#include "sql/func.h"

#include "sql/build.h"

typedef struct known {
    const char *name;
    uint8_t how, type;
    uint16_t flags;
} known;

static const known list[AG_FUNC_COUNT_] = {[AG_FUNC_UNKNOWN] = {NULL, AG_FT_NULL, AG_TYPE_NULL, 0},
#define X(id, name, how, type, flags) [AG_FUNC_##id] = {name, AG_FT_##how, AG_TYPE_##type, flags},
                                           AG_FUNC_LIST(X)
#undef X
};

ag_func_info ag_func_get(ag_func_id id)
{
    const known *k = &list[(unsigned)id < AG_FUNC_COUNT_ ? id : AG_FUNC_UNKNOWN];
    return (ag_func_info){k->name, (ag_func_type)k->how, ag_type_plain((ag_type_id)k->type), k->flags};
}

static bool same_word(const char *a, const char *lower, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = a[i] >= 'A' && a[i] <= 'Z' ? (char)(a[i] + 32) : a[i];
        if (c != lower[i])
            return false;
    }
    return lower[n] == '\0';
}

ag_func_id ag_func_find(const char *name, size_t len)
{
    for (int i = AG_FUNC_UNKNOWN + 1; i < AG_FUNC_COUNT_; i++) {
        if (strlen(list[i].name) == len && same_word(name, list[i].name, len))
            return (ag_func_id)i;
    }
    return AG_FUNC_UNKNOWN;
}

static const ag_type *type_from_args(const ag_node *const *args, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!ag_is_null_type(args[i]))
            return args[i]->type;
    }
    return ag_null_type();
}

static const ag_type *array_type(ag_builder *b, const ag_type *item, int dims)
{
    const ag_type *out;
    if (ag_type_affinity(item) == AG_AFF_ARRAY)
        return item;
    if (!b->types)
        return ag_null_type();
    ag_type proto = ag_type_proto(AG_TYPE_ARRAY);
    proto.item = item;
    proto.dims = dims;
    return ag_types_intern(b->types, &out, &proto, b->err) == AG_OK ? out : NULL;
}

static const ag_type *result_type(ag_builder *b, ag_func_id id, const ag_node *const *args, size_t n)
{
    const ag_func_info k = ag_func_get(id);
    switch (k.how) {
    case AG_FT_FIXED: return k.type;
    case AG_FT_ARGS: return type_from_args(args, n);
    case AG_FT_ARRAY: return array_type(b, type_from_args(args, n), 1);
    default: return ag_null_type();
    }
}

static const ag_node *make_func(ag_builder *b, const ag_str *packages, size_t npackages, ag_str name, uint32_t id,
                                const ag_node *const *args, size_t n, const ag_type *type, unsigned flags)
{
    size_t room = ag_room_str(name.n) + ag_room_list(n);
    for (size_t i = 0; i < npackages; i++)
        room += ag_room_str(packages[i].n) + sizeof(ag_nstr);
    ag_n_func *f = ag_node_new(b, AG_K_FUNC, type, room);
    if (!f)
        return NULL;
    f->node.flags |= (uint16_t)flags;
    f->name = ag_node_str(f, name);
    f->packages = ag_node_strs(f, packages, npackages);
    f->id = id;
    f->args = ag_node_list(f, args, n);
    return ag_node_finish(b, f);
}

/* The first argument of the text search functions is a regconfig when another text follows (ts_headline: a text and a query). */
static bool takes_regconfig(ag_func_id id, const ag_node *const *args, size_t n)
{
    if (id < AG_FUNC_TO_TSVECTOR || id > AG_FUNC_TS_HEADLINE || n < 2)
        return false;
    return id != AG_FUNC_TS_HEADLINE || ag_type_impl(args[1]->type, NULL)->id != AG_TYPE_PG_TSQUERY;
}

static const ag_node *as_regconfig(ag_builder *b, const ag_node *e)
{
    if (e->kind != AG_K_BIND || ag_type_affinity(e->type) != AG_AFF_STRING)
        return e;
    ag_node *n = ag_node_copy(b, e);
    if (!n)
        return NULL;
    n->type = ag_type_plain(AG_TYPE_PG_REGCONFIG);
    return ag_node_finish(b, n);
}

/* The delimiter of aggregate_strings is written into the text: another one is another text. */
static const ag_node *as_literal(ag_builder *b, const ag_node *e)
{
    if (e->kind != AG_K_BIND)
        return e;
    ag_node *n = ag_node_copy(b, e);
    if (!n)
        return NULL;
    n->flags |= AG_BIND_LITERAL_EXECUTE;
    return ag_node_finish(b, n);
}

const ag_node *ag_func(ag_builder *b, const ag_str *packages, size_t npackages, ag_str name, const ag_node *const *args,
                       size_t n, const ag_type *type, unsigned flags)
{
    ag_func_id id = npackages ? AG_FUNC_UNKNOWN : ag_func_find(name.p, name.n);
    const ag_node **exprs = ag_build_array(b, n + 1);
    if (!exprs || !ag_as_exprs(b, exprs, args, n))
        return NULL;
    if (!name.n || memchr(name.p, '\0', name.n))
        return ag_build_fail(b, AG_EXC_IDENTIFIER, "the function name must not be empty or contain a NUL byte");
    if (id == AG_FUNC_COUNT && n == 0) {
        exprs[n++] = ag_star(b, NULL);
        if (!exprs[0])
            return NULL;
    }
    if (id == AG_FUNC_CHAR_LENGTH && n != 1)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "char_length takes one argument, not %zu", n);
    if (takes_regconfig(id, exprs, n) && !(exprs[0] = as_regconfig(b, exprs[0])))
        return NULL;
    if (id == AG_FUNC_AGGREGATE_STRINGS && n > 1 && !(exprs[1] = as_literal(b, exprs[1])))
        return NULL;
    if (!type)
        type = result_type(b, id, exprs, n);
    return type ? make_func(b, packages, npackages, name, id, exprs, n, type, flags | ag_func_get(id).flags) : NULL;
}

const ag_node *ag_func_custom(ag_builder *b, uint32_t cls, const ag_str *packages, size_t npackages, ag_str name,
                              const ag_node *const *args, size_t n, const ag_type *type, unsigned flags)
{
    const ag_node **exprs = ag_build_array(b, n + 1);
    if (!exprs || !ag_as_exprs(b, exprs, args, n))
        return NULL;
    return make_func(b, packages, npackages, name, AG_FUNC_CUSTOM + cls, exprs, n, type ? type : ag_null_type(), flags);
}

/* ---- OVER ---- */

ag_bound ag_bound_of_int(ag_builder *b, int64_t n, const ag_node **value)
{
    *value = NULL;
    if (n == 0)
        return AG_BOUND_CURRENT;
    ag_value v = ag_value_int(n == INT64_MIN ? INT64_MAX : n < 0 ? -n : n);
    *value = ag_literal(b, &v, ag_type_plain(AG_TYPE_INTEGER), false);
    return n < 0 ? AG_BOUND_PRECEDING : AG_BOUND_FOLLOWING;
}

static bool check_bound(ag_builder *b, ag_bound bound, const ag_node *value)
{
    bool wants = bound == AG_BOUND_PRECEDING || bound == AG_BOUND_FOLLOWING;
    if (wants == (value != NULL))
        return true;
    ag_build_fail(b, AG_EXC_ARGUMENT,
                  wants ? "a PRECEDING or FOLLOWING frame bound needs a value"
                        : "an UNBOUNDED or CURRENT ROW frame bound takes no value");
    return false;
}

static bool check_window(ag_builder *b, const ag_window *w)
{
    if (w->frame == AG_FRAME_NONE && w->exclude != AG_EXCLUDE_NONE) {
        ag_build_fail(b, AG_EXC_ARGUMENT, "'exclude' requires one of 'rows', 'range' or 'groups'");
        return false;
    }
    return w->frame == AG_FRAME_NONE ||
           (check_bound(b, w->lower, w->lower_value) && check_bound(b, w->upper, w->upper_value));
}

const ag_node *ag_over(ag_builder *b, const ag_node *element, const ag_window *w)
{
    element = ag_as_expr(b, element);
    const ag_node **part = ag_build_array(b, w->npartition), **order = ag_build_array(b, w->norder);
    if (!element || !part || !order || !check_window(b, w) || !ag_as_exprs(b, part, w->partition_by, w->npartition) ||
        !ag_as_exprs(b, order, w->order_by, w->norder))
        return NULL;
    ag_n_over *n = ag_node_new(b, AG_K_OVER, element->type, ag_room_list(w->npartition) + ag_room_list(w->norder));
    if (!n)
        return NULL;
    n->element = element;
    n->partition_by = ag_node_list(n, part, w->npartition);
    n->order_by = ag_node_list(n, order, w->norder);
    n->frame = w->frame;
    n->lower = w->lower;
    n->upper = w->upper;
    n->exclude = w->exclude;
    n->lower_value = w->lower_value;
    n->upper_value = w->upper_value;
    return ag_node_finish(b, n);
}

/* ---- ordered aggregates, FILTER ---- */

/* element and a list: WITHIN_GROUP and AGG_ORDER. */
static const ag_node *ordered(ag_builder *b, ag_kind kind, const ag_type *type, const ag_node *element,
                              const ag_node *const *order_by, size_t n)
{
    ag_n_within_group *g = ag_node_new(b, kind, type, ag_room_list(n));
    if (!g)
        return NULL;
    g->element = element;
    g->order_by = ag_node_list(g, order_by, n);
    return ag_node_finish(b, g);
}

static const ag_type *within_type(ag_builder *b, const ag_node *fn, const ag_node *first)
{
    if (fn->kind != AG_K_FUNC || !(fn->flags & AG_FUNC_WITHIN_GROUP))
        return fn->type;
    const ag_n_func *f = AG_AS(func, FUNC, fn);
    const ag_type *sort = ag_expr_unwrap_order(first)->type;
    return f->id != AG_FUNC_MODE && f->args.n > 1 ? array_type(b, sort, -1) : sort;
}

const ag_node *ag_within_group(ag_builder *b, const ag_node *fn, const ag_node *const *order_by, size_t n)
{
    const ag_node **exprs = ag_build_array(b, n);
    if (!fn || !exprs || !ag_as_exprs(b, exprs, order_by, n))
        return NULL;
    if (!n)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "within_group needs at least one expression to order by");
    const ag_type *type = within_type(b, fn, exprs[0]);
    return type ? ordered(b, AG_K_WITHIN_GROUP, type, fn, exprs, n) : NULL;
}

const ag_node *ag_aggregate_order_by(ag_builder *b, const ag_node *element, const ag_node *const *order_by, size_t n)
{
    const ag_node **exprs = ag_build_array(b, n);
    element = ag_as_expr(b, element);
    if (!element || !exprs || !ag_as_exprs(b, exprs, order_by, n))
        return NULL;
    if (!n)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "at least one ORDER BY element is required");
    return ordered(b, AG_K_AGG_ORDER, element->type, element, exprs, n);
}

const ag_node *ag_filter(ag_builder *b, const ag_node *fn, const ag_node *const *criteria, size_t n)
{
    if (!fn)
        return NULL;
    const ag_node *old = NULL, *element = fn;
    if (fn->kind == AG_K_FILTER) { /* filter(a):filter(b) is filter(a AND b) */
        old = AG_AS(filter, FILTER, fn)->criterion;
        element = AG_AS(filter, FILTER, fn)->element;
    }
    const ag_node **all = ag_build_array(b, n + 1);
    if (!all)
        return NULL;
    size_t count = 0;
    if (old)
        all[count++] = old;
    for (size_t i = 0; i < n; i++)
        all[count++] = criteria[i];
    if (!count)
        return fn;
    /* a single one stands as it is, even a Boolean column */
    const ag_node *criterion = count == 1 ? ag_as_expr(b, all[0]) : ag_bool_list(b, AG_OP_AND, all, count);
    ag_n_filter *f = criterion ? ag_node_new(b, AG_K_FILTER, element->type, 0) : NULL;
    if (!f)
        return NULL;
    f->element = element;
    f->criterion = criterion;
    return ag_node_finish(b, f);
}

const ag_node *ag_func_comparison(ag_builder *b, const ag_node *fn, uint32_t left, uint32_t right)
{
    const ag_n_func *f = fn && fn->kind == AG_K_FUNC ? AG_AS(func, FUNC, fn) : NULL;
    if (!fn)
        return NULL;
    if (!f || left < 1 || right < 1 || left > f->args.n || right > f->args.n)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "as_comparison takes two numbers of the function's arguments, from 1");
    ag_n_func_comparison *n = ag_node_new(b, AG_K_FUNC_COMPARISON, ag_boolean(), 0);
    if (!n)
        return NULL;
    n->node.op = AG_OP_FUNC_COMPARISON;
    n->function = fn;
    n->left = left;
    n->right = right;
    return ag_node_finish(b, n);
}

const ag_node *ag_func_column(ag_builder *b, const ag_node *fn, ag_str name, const ag_type *type)
{
    if (!fn)
        return NULL;
    if (!name.n || memchr(name.p, '\0', name.n))
        return ag_build_fail(b, AG_EXC_IDENTIFIER, "the column name must not be empty or contain a NUL byte");
    ag_n_func_column *n = ag_node_new(b, AG_K_FUNC_COLUMN, type ? type : ag_null_type(), ag_room_str(name.n));
    if (!n)
        return NULL;
    n->function = fn;
    n->name = ag_node_str(n, name);
    return ag_node_finish(b, n);
}

const ag_node *ag_from_value(ag_builder *b, const ag_node *from, const ag_type *type)
{
    if (from && !ag_node_is_from(from))
        return ag_build_fail(b, AG_EXC_ARGUMENT, "a FROM element is expected, not a %s", ag_kind_get(from->kind)->name);
    return from ? ag_build_one(b, AG_K_FROM_VALUE, type ? type : ag_null_type(), from) : NULL;
}

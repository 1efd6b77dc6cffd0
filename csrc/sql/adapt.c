/* Rewrites on top of the replacement traversal: columns of one FROM by those of another, and binds with other values.
 * */
#include "sql/walk.h"

#include "sql/build.h"
#include "sql/table.h"

/* ---- ClauseAdapter ---- */

typedef struct adapt {
    ag_builder *b;
    const ag_adapter *a;
} adapt;

static const ag_node *by_name(adapt *k, const ag_node *column)
{
    ag_arena tmp;
    int64_t index = -1;
    ag_str name = ag_expr_name(column);
    ag_arena_init(&tmp, k->b->alloc);
    ag_status st = ag_from_find(k->a->from, name.p, name.n, &tmp, &index, k->b->err);
    ag_arena_clear(&tmp);
    return st == AG_OK && index >= 0 ? ag_from_colref(k->b, k->a->from, (uint32_t)index) : NULL;
}

static const ag_node *adapt_column(adapt *k, const ag_node *column)
{
    const ag_adapter *a = k->a;
    if (a->include && !a->include(a->ud, column))
        return NULL;
    const ag_node *found = ag_corresponding_column(k->b, a->from, column, true);
    uint64_t id = ag_expr_id(column);
    for (size_t i = 0; i < a->nequivalents && !found; i++) {
        for (int side = 0; side < 2 && !found; side++) {
            if (ag_expr_id(a->equivalents[i][side]) == id)
                found = ag_corresponding_column(k->b, a->from, a->equivalents[i][1 - side], true);
        }
    }
    return found || !a->on_names ? found : by_name(k, column);
}

/* What `from` exports of an expression that is no column: a label, a function. Constants are themselves. */
static const ag_node *adapt_expression(adapt *k, const ag_node *n)
{
    switch (n->kind) {
    case AG_K_BIND:
    case AG_K_NULL:
    case AG_K_TRUE:
    case AG_K_FALSE: return NULL;
    default: return ag_corresponding_column(k->b, k->a->from, n, true);
    }
}

static const ag_node *adapt_node(void *ud, const ag_node *n)
{
    adapt *k = ud;
    const ag_node *from = ag_column_from(n);
    if (from) {
        const ag_node *found = adapt_column(k, n);
        if (found)
            return found;
        /* its FROM is about to be exchanged, but it has no counterpart there: it stays as it is */
        return ag_from_contains(k->a->from, from) ? n : NULL;
    }
    if (ag_node_is(n, AG_CLASS_EXPR))
        return adapt_expression(k, n);
    if (!ag_node_is_from(n))
        return NULL;
    if (ag_from_contains(k->a->from, n))
        return k->a->from;
    bool table_alias = n->kind == AG_K_ALIAS && ag_node_is(AG_AS(alias, ALIAS, n)->element, AG_CLASS_FROM) &&
                       (AG_AS(alias, ALIAS, n)->element->kind == AG_K_TABLE ||
                        AG_AS(alias, ALIAS, n)->element->kind == AG_K_TABLE_CLAUSE);
    return table_alias ? n : NULL;
}

const ag_node *ag_adapt(ag_builder *b, const ag_node *root, const ag_adapter *a)
{
    adapt k = {b, a};
    const ag_replacer r = {.ud = &k, .fn = adapt_node};
    ag_error *err = b->err;
    ag_error local = {0};
    ag_error_init(&local, b->alloc);
    if (!err)
        b->err = &local; /* failures inside fn are told by it */
    ag_error_clear(b->err);
    const ag_node *result = ag_replace(b, root, &r);
    if (b->err->set)
        result = NULL;
    b->err = err;
    ag_error_clear(&local);
    return result;
}

/* ---- params() ---- */

typedef struct with_params {
    ag_builder *b;
    const ag_param *params;
    size_t n;
    bool unique;
    bool failed;
} with_params;

static const ag_param *find_param(const with_params *k, const ag_n_bind *bind)
{
    ag_str key = ag_nstr_get(bind, bind->key);
    if (bind->node.flags & AG_BIND_UNIQUE)
        return NULL;
    for (size_t i = 0; i < k->n; i++) {
        if (ag_str_eq(k->params[i].key, key))
            return &k->params[i];
    }
    return NULL;
}

/* The bind with p's value(s) in place of its own. */
static const ag_node *set_value(with_params *k, const ag_n_bind *old, const ag_param *p)
{
    unsigned flags =
        old->node.flags & AG_NF_KIND & ~(unsigned)(AG_BIND_REQUIRED | AG_BIND_CALLABLE | AG_BIND_HAS_VALUE);
    ag_bind_spec s = {.key = ag_nstr_get(old, old->key),
                      .flags = flags | (k->unique ? AG_BIND_UNIQUE : 0u),
                      .tuple_width = old->tuple_width};
    if (!ag_is_null_type(&old->node))
        s.type = old->node.type;
    if (old->types.n)
        s.tuple_types = (const ag_type *const *)(const void *)((const char *)old + old->types.off);
    if (p->list) {
        s.values = p->values;
        s.nvalues = p->n;
        s.flags |= AG_BIND_EXPANDING | AG_BIND_HAS_VALUE;
    } else {
        s.value = p->values;
    }
    return ag_bind(k->b, &s);
}

static const ag_node *replace_param(void *ud, const ag_node *n)
{
    with_params *k = ud;
    if (!(n->flags & AG_NF_BINDS))
        return n;
    if (n->kind != AG_K_BIND || k->failed)
        return NULL;
    const ag_n_bind *bind = AG_AS(bind, BIND, n);
    const ag_param *p = find_param(k, bind);
    const ag_node *result = n;
    if (p) {
        result = set_value(k, bind, p);
    } else if (k->unique) {
        ag_node *copy = ag_node_copy(k->b, n);
        if (copy)
            copy->flags |= AG_BIND_UNIQUE;
        result = copy ? ag_node_finish(k->b, copy) : NULL;
    }
    k->failed |= !result;
    return result ? result : n;
}

const ag_node *ag_with_params(ag_builder *b, const ag_node *root, const ag_param *params, size_t n, bool unique)
{
    with_params k = {.b = b, .params = params, .n = n, .unique = unique};
    const ag_replacer r = {.ud = &k, .fn = replace_param};
    const ag_node *result = ag_replace(b, root, &r);
    return k.failed ? NULL : result;
}

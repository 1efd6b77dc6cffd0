/* Cache keys: two trees walked side by side. Nodes with identity are paired when first met, in both directions, and a
 * later
 * meeting must find the same pair; so the walk also proves equal sharing, and visits each of them once. Binds come
 * out in that order. */
#include "sql/key.h"

#include "sql/idmap.h"
#include "sql/node_hash.h"
#include "sql/table.h"
#include <string.h>

#define INLINE_PAIRS 96

typedef struct pair {
    const ag_node *a, *b;
} pair;

typedef struct compare {
    const ag_alloc *alloc;
    pair *items; /* a stack: what is still to be compared */
    size_t len, cap;
    ag_idmap forth, back; /* a → b and b → a of nodes that are paired */
    ag_binds *binds;      /* of b, or NULL */
    bool values;          /* bind values count too */
    bool nomem;
    pair local[INLINE_PAIRS];
} compare;

static void compare_init(compare *c, const ag_alloc *alloc, ag_binds *binds, bool values)
{
    c->alloc = alloc;
    c->items = c->local;
    c->len = 0;
    c->cap = INLINE_PAIRS;
    c->binds = binds;
    c->values = values;
    c->nomem = false;
    ag_idmap_init(&c->forth, alloc);
    ag_idmap_init(&c->back, alloc);
}

static void compare_clear(compare *c)
{
    if (c->items != c->local)
        ag_mem_free(c->alloc, c->items);
    ag_idmap_clear(&c->forth);
    ag_idmap_clear(&c->back);
}

static bool reserve(compare *c, size_t n)
{
    if (c->cap - c->len >= n)
        return true;
    size_t cap = c->cap;
    while (cap - c->len < n)
        cap *= 2;
    pair *items = ag_mem_new(c->alloc, cap * sizeof *items);
    if (!items)
        return !(c->nomem = true);
    memcpy(items, c->items, c->len * sizeof *items);
    if (c->items != c->local)
        ag_mem_free(c->alloc, c->items);
    c->items = items;
    c->cap = cap;
    return true;
}

/* False: differently shared, or out of memory. *first: never met before. */
static bool pair_up(compare *c, const ag_node *a, const ag_node *b, bool *first)
{
    bool fresh_a, fresh_b;
    if (!ag_idmap_put(&c->forth, a, b, &fresh_a) || !ag_idmap_put(&c->back, b, a, &fresh_b))
        return !(c->nomem = true);
    *first = fresh_a;
    return fresh_a == fresh_b && (fresh_a || (ag_idmap_get(&c->forth, a) == b && ag_idmap_get(&c->back, b) == a));
}

static bool is_paired(const ag_node *n)
{
    return n->kind == AG_K_BIND || (n->kind != AG_K_TABLE && ag_node_is(n, AG_CLASS_FROM)) || ag_node_has_identity(n);
}

static bool same_str(ag_str x, ag_str y)
{
    return !x.p == !y.p && x.n == y.n && (x.n == 0 || memcmp(x.p, y.p, x.n) == 0);
}

static bool same_values(const ag_node *a, const ag_nval *x, const ag_node *b, const ag_nval *y, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        ag_value v, w;
        ag_nval_get(&v, a, &x[i]);
        ag_nval_get(&w, b, &y[i]);
        if (!ag_value_equal(&v, &w))
            return false;
    }
    return true;
}

static bool same_strs(const ag_node *a, ag_nlist x, const ag_node *b, ag_nlist y)
{
    if (x.n != y.n)
        return false;
    for (uint32_t i = 0; i < x.n; i++) {
        if (!same_str(ag_nstrs_at(a, x, i), ag_nstrs_at(b, y, i)))
            return false;
    }
    return true;
}

/* Does a part that is no child agree? Types are interned, schema objects told by their serial. */
static bool same_field(const compare *c, const ag_node *a, const ag_node *b, const ag_field *f)
{
    const void *p = (const char *)a + f->offset, *q = (const char *)b + f->offset;
    const ag_nlist *l = p, *m = q;
    bool values = c->values || ag_node_values_count(a);
    switch (f->kind) {
    case AG_FIELD_OPT: return !*(const ag_node *const *)p == !*(const ag_node *const *)q;
    case AG_FIELD_LIST: return l->n == m->n;
    case AG_FIELD_STR: return same_str(ag_nstr_get(a, *(const ag_nstr *)p), ag_nstr_get(b, *(const ag_nstr *)q));
    case AG_FIELD_STRS: return same_strs(a, *l, b, *m);
    case AG_FIELD_INT: return *(const uint32_t *)p == *(const uint32_t *)q;
    case AG_FIELD_I64: return *(const int64_t *)p == *(const int64_t *)q;
    case AG_FIELD_INTS:
        return l->n == m->n && !memcmp((const char *)a + l->off, (const char *)b + m->off, l->n * sizeof(uint32_t));
    case AG_FIELD_TYPE: return *(const ag_type *const *)p == *(const ag_type *const *)q;
    case AG_FIELD_TYPES:
        return l->n == m->n && !memcmp((const char *)a + l->off, (const char *)b + m->off, l->n * sizeof(void *));
    case AG_FIELD_OBJ: {
        const uint64_t *x = *(const uint64_t *const *)p, *y = *(const uint64_t *const *)q;
        return x == y || (x && y && *x == *y);
    }
    case AG_FIELD_VALUE: return !values || same_values(a, p, b, q, 1);
    case AG_FIELD_VALUES:
        if (!values && !ag_node_length_counts(a))
            return true;
        return l->n == m->n &&
               (!values || !l->n || same_values(a, ag_nvals_at(a, *l, 0), b, ag_nvals_at(b, *m, 0), l->n));
    default: return true;
    }
}

static bool same_fields(const compare *c, const ag_node *a, const ag_node *b)
{
    if (a->hash != b->hash || a->kind != b->kind || a->op != b->op || a->type != b->type ||
        ((a->flags ^ b->flags) & AG_NF_KIND))
        return false;
    for (const ag_field *f = ag_kind_get(a->kind)->fields; f->kind != AG_FIELD_END; f++) {
        if (!same_field(c, a, b, f))
            return false;
    }
    return true;
}

/* The same node of the schema on both sides needs no look. */
static inline bool is_shared(const ag_node *a, const ag_node *b)
{
    return a == b && (a->kind == AG_K_COLUMN || a->kind == AG_K_TABLE);
}

static inline bool push_one(compare *c, const ag_node *a, const ag_node *b)
{
    if (!a || !b)
        return a == b;
    if (is_shared(a, b))
        return true;
    if (!reserve(c, 1))
        return false;
    c->items[c->len++] = (pair){a, b};
    return true;
}

static inline bool push_list(compare *c, const void *a, ag_nlist la, const void *b, ag_nlist lb)
{
    bool ok = la.n == lb.n;
    for (uint32_t i = 0; ok && i < la.n; i++)
        ok = push_one(c, ag_nlist_at(a, la, i), ag_nlist_at(b, lb, i));
    return ok;
}

/* ---- one function a kind that pushes its children, made from nodes.def ---- */

#define AG_NODE(KIND, name, CLASS)                                                                                     \
    static bool push_kind_##name(compare *c, const ag_node *na, const ag_node *nb)                                     \
    {                                                                                                                  \
        const ag_n_##name *a = (const ag_n_##name *)(const void *)na, *b = (const ag_n_##name *)(const void *)nb;      \
        (void)c, (void)a, (void)b;                                                                                     \
        return true
#define AG_F_CHILD(name, f) &&push_one(c, a->f, b->f)
#define AG_F_OPT(name, f)   &&push_one(c, a->f, b->f)
#define AG_F_LIST(name, f)  &&push_list(c, a, a->f, b, b->f)
#define AG_NODE_END(KIND, name)                                                                                        \
    ;                                                                                                                  \
    }
#include "sql/nodes.def"

static bool (*const push_kind[AG_K_COUNT])(compare *c, const ag_node *a, const ag_node *b) = {
#define AG_NODE(KIND, name, CLASS) [AG_K_##KIND] = push_kind_##name,
#include "sql/nodes.def"
};

/* Pushes the children, the first one on top. The nodes are of one kind. */
static bool push_children(compare *c, const ag_node *a, const ag_node *b)
{
    size_t start = c->len;
    if (!push_kind[a->kind](c, a, b))
        return false;
    for (size_t lo = start, hi = c->len; lo + 1 < hi; lo++, hi--) {
        pair t = c->items[lo];
        c->items[lo] = c->items[hi - 1];
        c->items[hi - 1] = t;
    }
    return true;
}

/* Expressions in a columns clause are told apart by identity: one that stands there twice is written differently from
 * two equal
 * ones (it is de-duplicated), and ORDER BY may refer to it. */
static bool pair_columns(compare *c, const ag_node *a, const ag_node *b)
{
    if (a->kind != AG_K_SELECT)
        return true;
    const ag_n_select *s = AG_AS(select, SELECT, a), *t = AG_AS(select, SELECT, b);
    for (uint32_t i = 0; i < s->columns.n; i++) {
        const ag_node *x = ag_nlist_at(s, s->columns, i), *y = ag_nlist_at(t, t->columns, i);
        bool first;
        if (x->kind == AG_K_COLUMN || x->kind == AG_K_COLREF || is_paired(x) || x->kind == AG_K_TABLE)
            continue;
        if (!pair_up(c, x, y, &first))
            return false;
    }
    return true;
}

/* One pair of the stack. */
static bool compare_pair(compare *c, const ag_node *a, const ag_node *b)
{
    if (is_shared(a, b))
        return true;
    if (!same_fields(c, a, b))
        return false;
    if (is_paired(a)) {
        bool first;
        if (!pair_up(c, a, b, &first))
            return false;
        if (!first)
            return true;
        if (b->kind == AG_K_BIND && c->binds && !ag_vec_push(c->binds, AG_AS(bind, BIND, b)))
            return !(c->nomem = true);
    }
    return pair_columns(c, a, b) && push_children(c, a, b);
}

static ag_status compare_run(compare *c, bool *same, const ag_node *a, const ag_node *b, ag_error *err)
{
    *same = reserve(c, 1);
    if (*same)
        c->items[c->len++] = (pair){a, b};
    while (*same && c->len) {
        pair p = c->items[--c->len];
        *same = compare_pair(c, p.a, p.b);
    }
    bool nomem = c->nomem;
    compare_clear(c);
    return nomem ? ag_fail_nomem(err) : AG_OK;
}

ag_status ag_tree_same(bool *same, const ag_node *a, const ag_node *b, ag_binds *binds, const ag_alloc *alloc,
                       ag_error *err)
{
    compare c;
    *same = false;
    if (a->hash != b->hash)
        return AG_OK;
    compare_init(&c, alloc, binds, false);
    if (binds)
        binds->len = 0;
    return compare_run(&c, same, a, b, err);
}

ag_status ag_tree_equal(bool *equal, const ag_node *a, const ag_node *b, const ag_alloc *alloc, ag_error *err)
{
    compare c;
    compare_init(&c, alloc, NULL, true);
    return compare_run(&c, equal, a, b, err);
}

/* ---- binds, owners ---- */

typedef struct gather {
    ag_binds *binds;
    void (*owner)(void *ud, ag_owner *o);
    void *ud;
    ag_idmap owners;
    bool nomem;
} gather;

static ag_visit gather_bind(void *ud, const ag_node *n, const ag_node *parent)
{
    gather *g = ud;
    (void)parent;
    if (!(n->flags & AG_NF_BINDS))
        return AG_VISIT_PRUNE;
    if (n->kind != AG_K_BIND)
        return AG_VISIT_CONTINUE;
    g->nomem = !ag_vec_push(g->binds, AG_AS(bind, BIND, n));
    return g->nomem ? AG_VISIT_ABORT : AG_VISIT_PRUNE;
}

ag_status ag_tree_binds(ag_binds *out, const ag_node *root, const ag_alloc *alloc, ag_error *err)
{
    gather g = {.binds = out};
    const ag_walker w = {.ud = &g, .enter = gather_bind, .once = true};
    AG_TRY(ag_walk(root, &w, alloc, NULL, err));
    return g.nomem ? ag_fail_nomem(err) : AG_OK;
}

static ag_visit gather_owner(void *ud, const ag_node *n, const ag_node *parent)
{
    gather *g = ud;
    (void)parent;
    ag_owner *o = NULL;
    if (n->kind == AG_K_COLUMN)
        o = AG_AS(column, COLUMN, n)->table->owner;
    else if (n->kind == AG_K_TABLE)
        o = AG_AS(table, TABLE, n)->table->owner;
    else if (n->kind == AG_K_NEXT_VALUE)
        o = AG_AS(next_value, NEXT_VALUE, n)->sequence->owner;
    bool added = false;
    if (o && !ag_idmap_put(&g->owners, o, o, &added)) {
        g->nomem = true;
        return AG_VISIT_ABORT;
    }
    if (added)
        g->owner(g->ud, o);
    return AG_VISIT_CONTINUE;
}

ag_status ag_tree_owners(const ag_node *root, void (*fn)(void *ud, struct ag_owner *o), void *ud, const ag_alloc *alloc,
                         ag_error *err)
{
    gather g = {.owner = fn, .ud = ud};
    const ag_walker w = {.ud = &g, .enter = gather_owner, .once = true};
    ag_idmap_init(&g.owners, alloc);
    ag_status st = ag_walk(root, &w, alloc, NULL, err);
    ag_idmap_clear(&g.owners);
    if (st == AG_OK && g.nomem)
        st = ag_fail_nomem(err);
    return st;
}

const ag_node *ag_tree_copy(ag_arena *ar, const ag_node *root, const ag_alloc *alloc, size_t *size, ag_error *err)
{
    ag_builder b;
    const ag_replacer r = {.copy_all = true, .drop_values = true};
    size_t before = ar->used;
    ag_builder_init(&b, alloc, NULL, err);
    b.arena = ar;
    const ag_node *copy = ag_replace(&b, root, &r);
    ag_builder_clear(&b);
    if (size)
        *size = ar->used - before;
    return copy;
}

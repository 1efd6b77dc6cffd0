/* Finishing nodes: hash, inherited flags, depth and count, from the node's fields and its children's sums. Fields
 * that are zero, empty
 * or absent are left out of the hash; what is put in says which field it is. */
#include "sql/node_hash.h"
#include "sql/scratch.h"

#define COUNT_MAX UINT32_MAX

typedef struct sums {
    uint64_t hash;
    uint64_t count;
    uint32_t flags, depth; /* flags: all of the children's, not yet masked */
    uint32_t op;           /* the node's operator when chains of it count once, else NO_CHAIN */
} sums;
#define NO_CHAIN UINT32_MAX

/* For small numbers: cheaper than a multiplication, and order counts still. Fields that are zero, empty or absent are
 * left out of the
 * hash; so what is put in says which field it is. */
static inline uint64_t stir(uint64_t h, uint64_t v)
{
    return (h << 7 | h >> 57) ^ v;
}

static inline void add_child(sums *s, const ag_node *c)
{
    uint32_t depth = c->depth + (uint32_t)(c->op != s->op);
    s->hash = ag_mix(s->hash, c->hash);
    s->flags |= c->flags;
    s->depth = depth > s->depth ? depth : s->depth;
    s->count += c->count;
}

static void add_values(sums *s, const ag_node *n, const ag_nval *v, uint32_t count)
{
    if (!ag_node_values_count(n))
        return;
    for (uint32_t i = 0; i < count; i++) {
        ag_value val;
        ag_nval_get(&val, n, &v[i]);
        s->hash = ag_value_hash(s->hash, &val);
    }
}

static bool type_cacheable(const ag_type *t)
{
    return (t->id != AG_TYPE_DECORATOR && t->id != AG_TYPE_USERDEFINED) || (t->flags & AG_TYPE_CACHE_OK);
}

static void add_type(sums *s, const ag_type *t)
{
    s->hash = ag_mix(s->hash, t ? t->hash : 0);
    if (t && !type_cacheable(t))
        s->flags |= AG_NF_UNCACHED;
}

/* ---- one function a kind, made from nodes.def: straight code for the hottest loop of building ---- */

static inline void sum_opt(sums *s, const ag_node *c, uint64_t field)
{
    if (c) {
        s->hash = stir(s->hash, field);
        add_child(s, c);
    }
}

static inline void sum_list(sums *s, const void *n, ag_nlist l, uint64_t field)
{
    if (!l.n)
        return;
    s->hash = stir(s->hash, (uint64_t)l.n << 16 | field);
    const ag_node *const *items = ag_nlist_items(n, l);
    for (uint32_t i = 0; i < l.n; i++)
        add_child(s, items[i]);
}

static inline void sum_str(sums *s, ag_str str, uint64_t field)
{
    if (str.p)
        s->hash = ag_hash_bytes(stir(s->hash, field), str.p, str.n);
}

static void sum_strs(sums *s, const void *n, ag_nlist l, uint64_t field)
{
    for (uint32_t i = 0; i < l.n; i++) {
        ag_str str = ag_nstrs_at(n, l, i);
        s->hash = ag_hash_bytes(stir(s->hash, field), str.p ? str.p : "", str.n);
    }
}

static inline void sum_int(sums *s, uint64_t v, uint64_t field)
{
    if (v)
        s->hash = ag_mix(stir(s->hash, field), v);
}

static void sum_ints(sums *s, const void *n, ag_nlist l)
{
    s->hash = ag_hash_bytes(stir(s->hash, l.n), (const char *)n + l.off, l.n * sizeof(uint32_t));
}

static void sum_types(sums *s, const void *n, ag_nlist l)
{
    for (uint32_t i = 0; i < l.n; i++)
        add_type(s, ag_ntypes_at(n, l, i));
}

static inline void sum_obj(sums *s, const void *obj)
{
    s->hash = ag_mix(s->hash, obj ? *(const uint64_t *)obj : 0); /* its serial */
}

static void sum_values(sums *s, const void *n, ag_nlist l)
{
    s->hash = stir(s->hash, ag_node_length_counts(n) ? l.n : UINT32_MAX);
    add_values(s, n, l.n ? ag_nvals_at(n, l, 0) : NULL, l.n);
}

static void sum_value(sums *s, const ag_node *n, const ag_nval *v)
{
    if (n->flags & AG_BIND_HAS_VALUE)
        add_values(s, n, v, 1);
}

#define FIELD(name, f) offsetof(ag_n_##name, f)
#define AG_NODE(KIND, name, CLASS)                                                                                     \
    static void sum_kind_##name(sums *s, const ag_node *node)                                                          \
    {                                                                                                                  \
        const ag_n_##name *n = (const ag_n_##name *)(const void *)node;                                                \
        (void)s, (void)n;
#define AG_F_CHILD(name, f)      sum_opt(s, n->f, FIELD(name, f));
#define AG_F_OPT(name, f)        sum_opt(s, n->f, FIELD(name, f));
#define AG_F_LIST(name, f)       sum_list(s, n, n->f, FIELD(name, f));
#define AG_F_STR(name, f)        sum_str(s, ag_nstr_get(n, n->f), FIELD(name, f));
#define AG_F_STRS(name, f)       sum_strs(s, n, n->f, FIELD(name, f));
#define AG_F_INT(name, f)        sum_int(s, n->f, FIELD(name, f));
#define AG_F_I64(name, f)        sum_int(s, (uint64_t)n->f, FIELD(name, f));
#define AG_F_INTS(name, f)       sum_ints(s, n, n->f);
#define AG_F_TYPE(name, f)       add_type(s, n->f);
#define AG_F_TYPES(name, f)      sum_types(s, n, n->f);
#define AG_F_OBJ(name, f, ctype) sum_obj(s, n->f);
#define AG_F_VALUE(name, f)      sum_value(s, node, &n->f);
#define AG_F_VALUES(name, f)     sum_values(s, n, n->f);
#define AG_NODE_END(KIND, name)  }
#include "sql/nodes.def"

static void (*const sum_kind[AG_K_COUNT])(sums *s, const ag_node *node) = {
#define AG_NODE(KIND, name, CLASS) [AG_K_##KIND] = sum_kind_##name,
#include "sql/nodes.def"
};

/* Flags a kind sets or clears by itself. */
static uint32_t own_flags(const ag_node *n, uint32_t flags)
{
    if (n->kind == AG_K_BIND)
        flags |= AG_NF_BINDS;
    if (n->kind == AG_K_COLUMN || n->kind == AG_K_COLREF || ag_node_is_from(n))
        flags |= AG_NF_FROMS;
    if (n->kind == AG_K_CUSTOM && !(n->flags & AG_CUSTOM_CACHEABLE))
        flags |= AG_NF_UNCACHED;
    if (n->kind == AG_K_FUNC && AG_AS(func, FUNC, n)->id >= AG_FUNC_CUSTOM && !(n->flags & AG_FUNC_CACHEABLE))
        flags |= AG_NF_UNCACHED;
    if (n->kind == AG_K_FUNC && (n->flags & AG_FUNC_AGGREGATE))
        flags |= AG_NF_AGGREGATE;
    if (n->kind == AG_K_OVER || !ag_node_is(n, AG_CLASS_EXPR))
        flags &= ~(uint32_t)AG_NF_AGGREGATE;
    return flags;
}

const ag_node *ag_node_finish(ag_builder *b, void *node)
{
    ag_node *n = node;
    bool chain = ag_op_is((ag_op_id)n->op, AG_OPF_ASSOCIATIVE);
    sums s = {.hash = ag_mix((uint64_t)n->kind << 16 | (n->flags & AG_NF_HASHED), n->op),
              .count = 1,
              .op = chain ? n->op : NO_CHAIN};
    if (n->type)
        add_type(&s, n->type);
    sum_kind[n->kind](&s, n);
    if (s.depth > AG_DEPTH_MAX)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "the expression is nested more than %u levels deep", AG_DEPTH_MAX);
    if (n->flags & AG_NF_SCRATCH)
        ag_prefix_of(n)->has_scratch = s.flags & AG_NF_SCRATCH;
    s.flags = own_flags(n, s.flags & (AG_NF_INHERIT | AG_NF_AGGREGATE));
    n->flags = (uint16_t)((n->flags & (AG_NF_KIND | AG_NF_SCRATCH)) | s.flags);
    n->depth = (uint16_t)s.depth;
    n->count = s.count > COUNT_MAX ? COUNT_MAX : (uint32_t)s.count;
    n->hash = s.hash;
    return n;
}

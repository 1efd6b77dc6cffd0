/* Making nodes: room in the builder's arena or scratch, parts placed one after another, then one pass over the fields
 * for hash,
 * inherited flags, depth and count. Scratch nodes stand behind a prefix that moving them out writes their new place
 * to. */
#include "sql/node_hash.h"

#include "base/vec.h"
#include <string.h>

#define COUNT_MAX UINT32_MAX

/* Before every scratch node; 16 bytes keep it aligned. */
typedef struct prefix {
    uint32_t generation;  /* of the take that placed it */
    uint32_t has_scratch; /* some of its children are in scratch, too */
    uint64_t offset;
} prefix;

void ag_builder_init(ag_builder *b, const ag_alloc *alloc, ag_types *types, ag_error *err)
{
    *b = (ag_builder){.alloc = alloc, .types = types, .err = err};
    ag_arena_init(&b->scratch, alloc);
}

void ag_builder_clear(ag_builder *b)
{
    ag_arena_clear(&b->scratch);
    ag_mem_free(b->alloc, (void *)b->order);
    b->order = NULL;
    b->norder = b->order_cap = 0;
}

void ag_builder_reset(ag_builder *b)
{
    ag_arena_reset(&b->scratch);
    b->norder = 0;
}

const ag_node *ag_build_fail(ag_builder *b, ag_exc cls, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)ag_failv(b->err, cls, fmt, ap);
    va_end(ap);
    return NULL;
}

static void *build_nomem(ag_builder *b)
{
    (void)ag_fail_nomem(b->err);
    return NULL;
}

static prefix *prefix_of(const ag_node *n)
{
    /* scratch nodes are the builder's own memory, so writing to their prefix is no cheating */
    return (prefix *)(uintptr_t)((const char *)n - sizeof(prefix));
}

/* ---- a block ---- */

void *ag_node_new(ag_builder *b, ag_kind kind, const ag_type *type, size_t extra)
{
    size_t fixed = ag_kind_get(kind)->fixed, total;
    if (!ag_size_add(&total, fixed, extra) || total > UINT32_MAX - 16)
        return build_nomem(b);
    char *p;
    if (b->arena) {
        p = ag_arena_new(b->arena, total);
    } else {
        p = ag_arena_new(&b->scratch, total + sizeof(prefix));
        if (p) {
            memset(p, 0, sizeof(prefix));
            p += sizeof(prefix);
        }
    }
    if (!p)
        return build_nomem(b);
    memset(p, 0, fixed);
    ag_node *n = (ag_node *)(void *)p;
    n->kind = (uint16_t)kind;
    n->flags = b->arena ? 0 : AG_NF_SCRATCH;
    n->size = (uint32_t)fixed; /* grows as parts are placed */
    n->type = type;
    return n;
}

/* n bytes at the end of node's block, 8-aligned. */
static void *place(ag_node *n, size_t bytes, uint32_t *off)
{
    *off = n->size;
    n->size += (uint32_t)((bytes + 7) & ~(size_t)7);
    return (char *)n + *off;
}

ag_nlist ag_node_list(void *node, const ag_node *const *items, size_t n)
{
    ag_nlist l = {0, (uint32_t)n};
    if (n)
        memcpy(place(node, n * sizeof *items, &l.off), (const void *)items, n * sizeof *items);
    return l;
}

ag_nstr ag_node_str(void *node, ag_str s)
{
    ag_nstr r = {0, (uint32_t)s.n};
    if (!s.p)
        return (ag_nstr){0, 0};
    char *p = place(node, s.n + 1, &r.off);
    memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return r;
}

ag_nlist ag_node_strs(void *node, const ag_str *items, size_t n)
{
    ag_nlist l = {0, (uint32_t)n};
    if (!n)
        return l;
    ag_nstr *at = place(node, n * sizeof *at, &l.off);
    for (size_t i = 0; i < n; i++)
        at[i] = ag_node_str(node, items[i]);
    return l;
}

ag_nlist ag_node_ints(void *node, const uint32_t *items, size_t n)
{
    ag_nlist l = {0, (uint32_t)n};
    if (n)
        memcpy(place(node, n * sizeof *items, &l.off), items, n * sizeof *items);
    return l;
}

ag_nlist ag_node_types(void *node, const ag_type *const *items, size_t n)
{
    ag_nlist l = {0, (uint32_t)n};
    if (n)
        memcpy(place(node, n * sizeof *items, &l.off), (const void *)items, n * sizeof *items);
    return l;
}

size_t ag_room_value(const ag_value *v)
{
    return ag_vkind_has_bytes(v->kind) ? ag_room_str(v->u.s.n) : 0;
}

ag_nval ag_node_val(void *node, const ag_value *v)
{
    ag_nval r = {.kind = v->kind, .flags = v->flags, .offset = v->offset};
    if (ag_vkind_has_bytes(v->kind))
        r.u.s = ag_node_str(node, v->u.s.p ? v->u.s : (ag_str){"", 0});
    else if (v->kind == AG_V_INTERVAL)
        r.u.iv = v->u.iv;
    else
        r.u.i = v->u.i;
    return r;
}

ag_nlist ag_node_vals(void *node, const ag_value *v, size_t n)
{
    ag_nlist l = {0, (uint32_t)n};
    if (!n)
        return l;
    ag_nval *at = place(node, n * sizeof *at, &l.off);
    for (size_t i = 0; i < n; i++)
        at[i] = ag_node_val(node, &v[i]);
    return l;
}

/* ---- finishing ---- */

typedef struct sums {
    uint64_t hash;
    uint32_t flags, depth, count;
    uint16_t op;      /* the node's operator when chains of it count once, else AG_OP_NONE */
    uint16_t scratch; /* AG_NF_SCRATCH if a child has it */
} sums;

/* For small numbers that are mostly the same: cheaper than a multiplication, and order counts still. */
static inline uint64_t stir(uint64_t h, uint64_t v)
{
    return (h << 7 | h >> 57) ^ v;
}

static void add_child(sums *s, const ag_node *c)
{
    s->hash = ag_mix(s->hash, c->hash);
    s->scratch |= c->flags & AG_NF_SCRATCH;
    s->flags |= c->flags & (AG_NF_INHERIT | AG_NF_AGGREGATE);
    uint32_t depth = c->depth + (uint32_t) !(s->op != AG_OP_NONE && c->op == s->op);
    s->depth = depth > s->depth ? depth : s->depth;
    s->count = s->count > COUNT_MAX - c->count ? COUNT_MAX : s->count + c->count;
}

static uint64_t hash_str(uint64_t h, ag_str s)
{
    return s.p ? ag_hash_bytes(h, s.p, s.n) : stir(h, 1);
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

static void add_list(sums *s, const ag_node *n, ag_nlist l)
{
    s->hash = stir(s->hash, l.n);
    for (uint32_t i = 0; i < l.n; i++)
        add_child(s, ag_nlist_at(n, l, i));
}

static void add_field(sums *s, const ag_node *n, const ag_field *f)
{
    const void *p = (const char *)n + f->offset;
    const ag_nlist *l = p;
    switch (f->kind) {
    case AG_FIELD_CHILD: add_child(s, *(const ag_node *const *)p); break;
    case AG_FIELD_OPT:
        if (*(const ag_node *const *)p)
            add_child(s, *(const ag_node *const *)p);
        else
            s->hash = stir(s->hash, 1);
        break;
    case AG_FIELD_LIST: add_list(s, n, *l); break;
    case AG_FIELD_STR: s->hash = hash_str(s->hash, ag_nstr_get(n, *(const ag_nstr *)p)); break;
    case AG_FIELD_STRS:
        for (uint32_t i = 0; i < l->n; i++)
            s->hash = hash_str(s->hash, ag_nstrs_at(n, *l, i));
        break;
    case AG_FIELD_INT: s->hash = stir(s->hash, *(const uint32_t *)p); break;
    case AG_FIELD_I64: s->hash = ag_mix(s->hash, (uint64_t) * (const int64_t *)p); break;
    case AG_FIELD_INTS:
        s->hash = ag_hash_bytes(ag_mix(s->hash, l->n), (const char *)n + l->off, l->n * sizeof(uint32_t));
        break;
    case AG_FIELD_TYPE: add_type(s, *(const ag_type *const *)p); break;
    case AG_FIELD_TYPES:
        for (uint32_t i = 0; i < l->n; i++)
            add_type(s, ag_ntypes_at(n, *l, i));
        break;
    case AG_FIELD_OBJ: s->hash = ag_mix(s->hash, *(const void *const *)p ? **(const uint64_t *const *)p : 0); break;
    case AG_FIELD_VALUE:
        if (n->flags & AG_BIND_HAS_VALUE)
            add_values(s, n, p, 1);
        break;
    case AG_FIELD_VALUES:
        s->hash = ag_mix(s->hash, l->n);
        add_values(s, n, l->n ? ag_nvals_at(n, *l, 0) : NULL, l->n);
        break;
    default: break;
    }
}

/* Flags a kind sets or clears by itself. */
static uint32_t own_flags(const ag_node *n, uint32_t flags)
{
    if (n->kind == AG_K_BIND)
        flags |= AG_NF_BINDS;
    if (n->kind == AG_K_COLUMN || n->kind == AG_K_COLREF || ag_node_is_from(n))
        flags |= AG_NF_FROMS;
    if (n->kind == AG_K_CUSTOM && !(n->flags & AG_CUSTOM_CACHEABLE))
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
    const ag_kind_info *k = ag_kind_get(n->kind);
    bool chain = ag_op_is((ag_op_id)n->op, AG_OPF_ASSOCIATIVE);
    sums s = {.hash = ag_mix((uint64_t)n->kind << 16 | (n->flags & AG_NF_HASHED), n->op),
              .count = 1,
              .op = chain ? n->op : (uint16_t)AG_OP_NONE};
    if (n->type)
        add_type(&s, n->type);
    for (const ag_field *f = k->fields; f->kind != AG_FIELD_END; f++)
        add_field(&s, n, f);
    if (s.depth > AG_DEPTH_MAX)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "the expression is nested more than %u levels deep", AG_DEPTH_MAX);
    n->flags = (uint16_t)((n->flags & (AG_NF_KIND | AG_NF_SCRATCH)) | own_flags(n, s.flags));
    n->depth = (uint16_t)s.depth;
    n->count = s.count;
    n->hash = s.hash;
    if (n->flags & AG_NF_SCRATCH)
        prefix_of(n)->has_scratch = s.scratch;
    return n;
}

/* ---- moving a group out of scratch ---- */

typedef struct group {
    ag_builder *b;
    uint32_t generation;
    size_t size;
} group;

static bool group_add(group *g, const ag_node *n)
{
    if (!(n->flags & AG_NF_SCRATCH) || prefix_of(n)->generation == g->generation)
        return true;
    ag_builder *b = g->b;
    if (b->norder == b->order_cap &&
        !ag_vec_grow(b->alloc, &b->order, b->norder, &b->order_cap, 1, sizeof(const ag_node *)))
        return false;
    ((const ag_node **)b->order)[b->norder++] = n;
    prefix_of(n)->generation = g->generation;
    prefix_of(n)->offset = g->size;
    g->size += n->size;
    return true;
}

size_t ag_builder_take(ag_builder *b, const ag_node *root, bool *outside)
{
    *outside = !(root->flags & AG_NF_SCRATCH);
    if (*outside)
        return 0;
    b->norder = 0;
    group g = {b, ++b->generation, 0};
    if (!group_add(&g, root))
        return build_nomem(b), (size_t)0;
    for (size_t i = 0; i < b->norder; i++) {
        const ag_node *n = ((const ag_node **)b->order)[i];
        ag_child_iter it = {0};
        if (!prefix_of(n)->has_scratch)
            continue;
        for (const ag_node *c; (c = ag_child_next(n, &it)) != NULL;) {
            if (!group_add(&g, c))
                return build_nomem(b), (size_t)0;
        }
    }
    return g.size;
}

static void relocate(const ag_node **slot, char *dst)
{
    if (*slot && ((*slot)->flags & AG_NF_SCRATCH))
        *slot = (const ag_node *)(void *)(dst + prefix_of(*slot)->offset);
}

static void relocate_children(ag_node *n, char *dst)
{
    for (const ag_field *f = ag_kind_get(n->kind)->fields; f->kind != AG_FIELD_END; f++) {
        void *p = (char *)n + f->offset;
        if (f->kind == AG_FIELD_CHILD || f->kind == AG_FIELD_OPT) {
            relocate(p, dst);
        } else if (f->kind == AG_FIELD_LIST) {
            const ag_nlist *l = p;
            const ag_node **items = (const ag_node **)(void *)((char *)n + l->off);
            for (uint32_t i = 0; i < l->n; i++)
                relocate(&items[i], dst);
        }
    }
}

const ag_node *ag_builder_move(ag_builder *b, void *dst)
{
    char *base = dst;
    for (size_t i = 0; i < b->norder; i++) {
        const ag_node *n = ((const ag_node **)b->order)[i];
        ag_node *copy = (ag_node *)(void *)(base + prefix_of(n)->offset);
        memcpy(copy, n, n->size);
        copy->flags &= (uint16_t)~AG_NF_SCRATCH;
        if (prefix_of(n)->has_scratch)
            relocate_children(copy, base);
    }
    ag_builder_reset(b);
    return dst;
}

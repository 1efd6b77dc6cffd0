/* Moving what a builder made out of its scratch: the root and the scratch nodes it refers to, as one block of memory.
 * take finds them and
 * gives each its place, move copies them and sets the pointers between them right. */
#include "sql/scratch.h"

#include "base/vec.h"
#include <string.h>

typedef struct group {
    ag_builder *b;
    uint32_t generation;
    size_t size;
} group;

/* Gives the scratch node n its place, once. */
static bool group_add(group *g, const ag_node *n)
{
    if (ag_prefix_of(n)->generation == g->generation)
        return true;
    ag_builder *b = g->b;
    if (b->norder == b->order_cap &&
        !ag_vec_grow(b->alloc, &b->order, b->norder, &b->order_cap, 1, sizeof(const ag_node *)))
        return false;
    ((const ag_node **)b->order)[b->norder++] = n;
    ag_prefix_of(n)->generation = g->generation;
    ag_prefix_of(n)->offset = g->size;
    g->size += n->size;
    return true;
}

/* ---- one function a kind for the children's places, made from nodes.def ---- */

static inline bool scan_child(group *g, const ag_node *c)
{
    return !c || !(c->flags & AG_NF_SCRATCH) || group_add(g, c);
}

static inline bool scan_list(group *g, const void *n, ag_nlist l)
{
    for (uint32_t i = 0; i < l.n; i++) {
        if (!scan_child(g, ag_nlist_at(n, l, i)))
            return false;
    }
    return true;
}

#define AG_NODE(KIND, name, CLASS)                                                                                     \
    static bool scan_kind_##name(group *g, const ag_node *node)                                                        \
    {                                                                                                                  \
        const ag_n_##name *n = (const ag_n_##name *)(const void *)node;                                                \
        (void)g, (void)n;                                                                                              \
        return true
#define AG_F_CHILD(name, f) &&scan_child(g, n->f)
#define AG_F_OPT(name, f)   &&scan_child(g, n->f)
#define AG_F_LIST(name, f)  &&scan_list(g, n, n->f)
#define AG_NODE_END(KIND, name)                                                                                        \
    ;                                                                                                                  \
    }
#include "sql/nodes.def"

static bool (*const scan_kind[AG_K_COUNT])(group *g, const ag_node *node) = {
#define AG_NODE(KIND, name, CLASS) [AG_K_##KIND] = scan_kind_##name,
#include "sql/nodes.def"
};

static inline void move_child(const ag_node **slot, char *dst)
{
    if (*slot && ((*slot)->flags & AG_NF_SCRATCH))
        *slot = (const ag_node *)(void *)(dst + ag_prefix_of(*slot)->offset);
}

static inline void move_list(void *n, ag_nlist l, char *dst)
{
    const ag_node **items = (const ag_node **)(void *)((char *)n + l.off);
    for (uint32_t i = 0; i < l.n; i++)
        move_child(&items[i], dst);
}

#define AG_NODE(KIND, name, CLASS)                                                                                     \
    static void move_kind_##name(ag_node *node, char *dst)                                                             \
    {                                                                                                                  \
        ag_n_##name *n = (ag_n_##name *)(void *)node;                                                                  \
        (void)n, (void)dst;
#define AG_F_CHILD(name, f)     move_child(&n->f, dst);
#define AG_F_OPT(name, f)       move_child(&n->f, dst);
#define AG_F_LIST(name, f)      move_list(n, n->f, dst);
#define AG_NODE_END(KIND, name) }
#include "sql/nodes.def"

static void (*const move_kind[AG_K_COUNT])(ag_node *node, char *dst) = {
#define AG_NODE(KIND, name, CLASS) [AG_K_##KIND] = move_kind_##name,
#include "sql/nodes.def"
};

/* ---- the two steps ---- */

/* The root and all scratch nodes it leads to, in b->order. */
static bool gather(ag_builder *b, const ag_node *root, group *g)
{
    b->norder = 0;
    if (!group_add(g, root))
        return false;
    for (size_t i = 0; i < b->norder; i++) {
        const ag_node *n = ((const ag_node **)b->order)[i];
        if (ag_prefix_of(n)->has_scratch && !scan_kind[n->kind](g, n))
            return false;
    }
    return true;
}

size_t ag_builder_take(ag_builder *b, const ag_node *root, bool *outside)
{
    *outside = !(root->flags & AG_NF_SCRATCH);
    if (*outside)
        return 0;
    if (++b->generation == 0) /* 0 is a node never taken */
        b->generation = 1;
    group g = {b, b->generation, 0};
    if (!ag_prefix_of(root)->has_scratch && b->order_cap) { /* alone: most nodes */
        ((const ag_node **)b->order)[0] = root;
        b->norder = 1;
        ag_prefix_of(root)->offset = 0;
        return root->size;
    }
    if (gather(b, root, &g))
        return g.size;
    (void)ag_fail_nomem(b->err);
    return 0;
}

const ag_node *ag_builder_move(ag_builder *b, void *dst)
{
    char *base = dst;
    for (size_t i = 0; i < b->norder; i++) {
        const ag_node *n = ((const ag_node **)b->order)[i];
        const ag_prefix *p = ag_prefix_of(n);
        ag_node *copy = (ag_node *)(void *)(base + p->offset);
        memcpy(copy, n, n->size);
        copy->flags &= (uint16_t)~AG_NF_SCRATCH;
        if (p->has_scratch)
            move_kind[n->kind](copy, base);
    }
    ag_builder_reset(b);
    return dst;
}

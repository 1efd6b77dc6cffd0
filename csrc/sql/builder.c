/* Making nodes: room in the builder's arena or scratch, and parts placed one after another. (Finishing them:
 * node_sum.c;
 * moving them out of scratch: builder_move.c.) */
#include "sql/scratch.h"

#include <string.h>

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
        p = ag_arena_new(&b->scratch, total + sizeof(ag_prefix));
        if (p) {
            memset(p, 0, sizeof(ag_prefix));
            p += sizeof(ag_prefix);
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

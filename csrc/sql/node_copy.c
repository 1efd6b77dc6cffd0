/* Changed copies of single nodes, for generative methods: the struct is copied, every part is placed anew (so that a
 * chain of
 * where() calls leaves no dead bytes), one part is exchanged. */
#include "sql/node.h"

#include <string.h>

typedef struct change {
    size_t field; /* offset of the part to exchange; 0: none */
    const ag_node *const *items;
    size_t n;
    bool append;
    ag_str str;
} change;

static void copy_vals(ag_node *to, ag_nlist *l, const ag_node *from)
{
    ag_nlist old = *l;
    *l = (ag_nlist){0, old.n};
    if (!old.n || !old.off)
        return;
    l->off = to->size;
    to->size += (uint32_t)(old.n * sizeof(ag_nval));
    ag_nval *at = (ag_nval *)(void *)((char *)to + l->off);
    for (uint32_t i = 0; i < old.n; i++) {
        ag_value v;
        ag_nval_get(&v, from, ag_nvals_at(from, old, i));
        at[i] = ag_node_val(to, &v);
    }
}

static void copy_strs(ag_node *to, ag_nlist *l, const ag_node *from)
{
    ag_nlist old = *l;
    if (!old.n)
        return;
    l->off = to->size;
    to->size += (uint32_t)(old.n * sizeof(ag_nstr));
    for (uint32_t i = 0; i < old.n; i++) {
        ag_nstr s = ag_node_str(to, ag_nstrs_at(from, old, i));
        ((ag_nstr *)(void *)((char *)to + l->off))[i] = s;
    }
}

static void copy_list(ag_node *to, ag_nlist *l, const ag_node *from, const change *ch)
{
    ag_nlist old = *l;
    if (!ch) {
        *l = ag_node_list(to, old.n ? ag_nlist_items(from, old) : NULL, old.n);
        return;
    }
    uint32_t keep = ch->append ? old.n : 0;
    *l = (ag_nlist){0, keep + (uint32_t)ch->n};
    if (!l->n)
        return;
    ag_nlist head = ag_node_list(to, keep ? ag_nlist_items(from, old) : NULL, keep);
    ag_nlist tail = ag_node_list(to, ch->items, ch->n);
    l->off = keep ? head.off : tail.off;
}

static void copy_part(ag_node *to, const ag_node *from, const ag_field *f, const change *ch)
{
    void *p = (char *)to + f->offset;
    ag_nlist *l = p;
    const change *here = ch->field == f->offset ? ch : NULL;
    switch (f->kind) {
    case AG_FIELD_LIST: copy_list(to, l, from, here); break;
    case AG_FIELD_STR: *(ag_nstr *)p = ag_node_str(to, here ? ch->str : ag_nstr_get(from, *(const ag_nstr *)p)); break;
    case AG_FIELD_STRS: copy_strs(to, l, from); break;
    case AG_FIELD_INTS:
        *l = ag_node_ints(to, l->n ? (const uint32_t *)(const void *)((const char *)from + l->off) : NULL, l->n);
        break;
    case AG_FIELD_TYPES:
        *l = ag_node_types(to, l->n ? (const ag_type *const *)(const void *)((const char *)from + l->off) : NULL, l->n);
        break;
    case AG_FIELD_VALUE: {
        ag_value v;
        ag_nval_get(&v, from, p);
        *(ag_nval *)p = ag_node_val(to, &v);
        break;
    }
    case AG_FIELD_VALUES: copy_vals(to, l, from); break;
    default: break;
    }
}

static void *copy_with(ag_builder *b, const ag_node *old, const change *ch)
{
    const ag_kind_info *k = ag_kind_get(old->kind);
    size_t extra = old->size - k->fixed;
    if (!ag_size_add(&extra, extra, ag_room_list(ch->n) + ag_room_str(ch->str.n))) {
        (void)ag_fail_nomem(b->err);
        return NULL;
    }
    ag_node *n = ag_node_new(b, (ag_kind)old->kind, old->type, extra);
    if (!n)
        return NULL;
    uint16_t scratch = n->flags & AG_NF_SCRATCH;
    memcpy(n, old, k->fixed);
    n->size = k->fixed;
    n->flags = (uint16_t)((old->flags & ~AG_NF_SCRATCH) | scratch);
    for (const ag_field *f = k->fields; f->kind != AG_FIELD_END; f++)
        copy_part(n, old, f, ch);
    return n;
}

/* The block as it is with room for more at its end. */
static ag_node *copy_block(ag_builder *b, const ag_node *old, size_t more)
{
    ag_node *n = ag_node_new(b, (ag_kind)old->kind, old->type, old->size - ag_kind_get(old->kind)->fixed + more);
    if (!n)
        return NULL;
    uint16_t scratch = n->flags & AG_NF_SCRATCH;
    memcpy(n, old, old->size);
    n->flags = (uint16_t)((old->flags & ~AG_NF_SCRATCH) | scratch);
    return n;
}

void *ag_node_copy(ag_builder *b, const ag_node *old)
{
    return copy_block(b, old, 0);
}

/* Appending to a list of a statement, whose parts are all lists: the new items are put in behind the old ones, and
 * what comes
 * after them moves. The way of every select:where(). */
static void *append_items(ag_builder *b, const ag_node *old, size_t field, const ag_node *const *items, size_t n)
{
    size_t more = n * sizeof *items;
    ag_node *copy = copy_block(b, old, more);
    if (!copy)
        return NULL;
    ag_nlist *l = (ag_nlist *)(void *)((char *)copy + field);
    uint32_t at = l->n ? l->off + l->n * (uint32_t)sizeof *items : copy->size;
    char *place = (char *)copy + at;
    memmove(place + more, place, copy->size - at);
    memcpy(place, (const void *)items, more);
    copy->size += (uint32_t)more;
    if (!l->n)
        l->off = at;
    l->n += (uint32_t)n;
    for (const ag_field *f = ag_kind_get(old->kind)->fields; f->kind != AG_FIELD_END; f++) {
        ag_nlist *other = (ag_nlist *)(void *)((char *)copy + f->offset);
        if (f->kind == AG_FIELD_LIST && other != l && other->off >= at)
            other->off += (uint32_t)more;
    }
    return copy;
}

void *ag_node_with_list(ag_builder *b, const ag_node *old, size_t field, const ag_node *const *items, size_t n,
                        bool append)
{
    if (append && n && n < UINT16_MAX && ag_node_is(old, AG_CLASS_STMT))
        return append_items(b, old, field, items, n);
    const change ch = {.field = field, .items = items, .n = n, .append = append};
    return copy_with(b, old, &ch);
}

void *ag_node_with_str(ag_builder *b, const ag_node *old, size_t field, ag_str s)
{
    const change ch = {.field = field, .str = s};
    return copy_with(b, old, &ch);
}

/* Bump allocation in growing blocks. The head block is the one being filled; items too big for it get a block of their
 * own behind the head. Under AG_DEBUG_ARENA every item is a block of exactly its size. */
#include "base/arena.h"

#include <string.h>

#define ALIGN     16u
#define MIN_BLOCK 992u /* with its header within what malloc hands out from its thread cache */
#define MAX_BLOCK 65536u

struct ag_arena_block {
    _Alignas(ALIGN) ag_arena_block *next;
    size_t size; /* of the payload */
    size_t used;
};

static char *payload(ag_arena_block *b)
{
    return (char *)(b + 1);
}

void ag_arena_init(ag_arena *ar, const ag_alloc *alloc)
{
    *ar = (ag_arena){.alloc = alloc};
}

void ag_arena_clear(ag_arena *ar)
{
    for (ag_arena_block *b = ar->head, *next; b; b = next) {
        next = b->next;
        ag_mem_free(ar->alloc, b);
    }
    ag_arena_init(ar, ar->alloc);
}

static ag_arena_block *block_new(ag_arena *ar, size_t size)
{
    size_t total;
    if (!ag_size_add(&total, size, sizeof(ag_arena_block)))
        return NULL;
    ag_arena_block *b = ag_mem_new(ar->alloc, total);
    if (!b)
        return NULL;
    *b = (ag_arena_block){.size = size};
    ar->total += total;
    return b;
}

#ifdef AG_DEBUG_ARENA

void ag_arena_reset(ag_arena *ar)
{
    ag_arena_clear(ar);
}

void *ag_arena_new(ag_arena *ar, size_t size)
{
    ag_arena_block *b = block_new(ar, size);
    if (!b)
        return NULL;
    b->next = ar->head;
    ar->head = b;
    ar->used += size;
    return payload(b);
}

#else

void ag_arena_reset(ag_arena *ar)
{
    ag_arena_block *keep = ar->head;
    if (keep && !keep->next) {
        keep->used = 0;
        ar->used = 0;
        return;
    }
    for (ag_arena_block *b = ar->head; b; b = b->next) {
        if (b->size > keep->size)
            keep = b;
    }
    for (ag_arena_block *b = ar->head, *next; b; b = next) {
        next = b->next;
        if (b != keep)
            ag_mem_free(ar->alloc, b);
    }
    ag_arena_init(ar, ar->alloc);
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
        ar->head = keep;
        ar->total = keep->size + sizeof *keep;
    }
}

/* A block with room for size: a new head, or a block of its own for an item that would waste most of the head. */
static ag_arena_block *block_for(ag_arena *ar, size_t size)
{
    size_t normal = ar->total < MIN_BLOCK ? MIN_BLOCK : ar->total > MAX_BLOCK ? MAX_BLOCK : ar->total;
    normal -= sizeof(ag_arena_block);
    bool own = size > normal / 4;
    ag_arena_block *b = block_new(ar, own ? size : normal);
    if (!b)
        return NULL;
    if (own && ar->head) {
        b->next = ar->head->next;
        ar->head->next = b;
    } else {
        b->next = ar->head;
        ar->head = b;
    }
    return b;
}

void *ag_arena_new(ag_arena *ar, size_t size)
{
    if (size > SIZE_MAX - ALIGN)
        return NULL;
    size_t room = size ? (size + (ALIGN - 1)) & ~(size_t)(ALIGN - 1) : ALIGN;
    ag_arena_block *b = ar->head;
    if (!b || b->size - b->used < room) {
        b = block_for(ar, room);
        if (!b)
            return NULL;
    }
    void *p = payload(b) + b->used;
    b->used += room;
    ar->used += size;
    return p;
}

#endif

void *ag_arena_zero(ag_arena *ar, size_t count, size_t size)
{
    size_t total;
    if (!ag_size_mul(&total, count, size))
        return NULL;
    void *p = ag_arena_new(ar, total);
    if (p)
        memset(p, 0, total);
    return p;
}

void *ag_arena_memdup(ag_arena *ar, const void *p, size_t size)
{
    void *copy = ag_arena_new(ar, size);
    if (copy && size)
        memcpy(copy, p, size);
    return copy;
}

char *ag_arena_strndup(ag_arena *ar, const char *s, size_t len)
{
    size_t size;
    if (!ag_size_add(&size, len, 1))
        return NULL;
    char *copy = ag_arena_new(ar, size);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

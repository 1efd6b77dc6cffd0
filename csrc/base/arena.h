/* Arenas: many small allocations freed together. In debug builds (AG_DEBUG_ARENA) each item is its own malloc, so
 * that the sanitizers see overruns. An arena is not for things whose number grows with a long-lived object. */
#ifndef AG_BASE_ARENA_H
#define AG_BASE_ARENA_H

#include "base/alloc.h"

typedef struct ag_arena_block ag_arena_block;
typedef struct ag_arena {
    const ag_alloc *alloc;
    ag_arena_block *head;
    size_t used;  /* bytes handed out */
    size_t total; /* bytes asked of the allocator */
} ag_arena;

void ag_arena_init(ag_arena *ar, const ag_alloc *alloc); /* allocates nothing */
void ag_arena_clear(ag_arena *ar);                       /* frees all; the arena can be used again */
/* Forget all items but keep the largest block for reuse. */
void ag_arena_reset(ag_arena *ar);
/* size may be 0 (a unique pointer). Aligned to 16. NULL when out of memory. */
void *ag_arena_new(ag_arena *ar, size_t size) AG_NODISCARD;
void *ag_arena_zero(ag_arena *ar, size_t count, size_t size) AG_NODISCARD;
void *ag_arena_memdup(ag_arena *ar, const void *p, size_t size) AG_NODISCARD;
/* len bytes plus NUL. */
char *ag_arena_strndup(ag_arena *ar, const char *s, size_t len) AG_NODISCARD;

#endif

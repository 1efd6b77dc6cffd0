/* Typed growing arrays: AG_VEC(type) declares the struct, the macros below work on any of them. Elements move when
 * the vector grows: keep indexes, not pointers. */
#ifndef AG_BASE_VEC_H
#define AG_BASE_VEC_H

#include "base/alloc.h"

#define AG_VEC(type)                                                                                                   \
    struct {                                                                                                           \
        const ag_alloc *alloc;                                                                                         \
        type *items;                                                                                                   \
        size_t len, cap;                                                                                               \
    }

#define ag_vec_init(v, a) ((v)->alloc = (a), (v)->items = NULL, (v)->len = 0, (v)->cap = 0)
#define ag_vec_clear(v)   (ag_mem_free((v)->alloc, (v)->items), (v)->items = NULL, (v)->len = 0, (v)->cap = 0)
/* Room for n more elements; false when out of memory. */
#define ag_vec_reserve(v, n) ag_vec_grow((v)->alloc, &(v)->items, (v)->len, &(v)->cap, (n), sizeof *(v)->items)
/* Append; false (and nothing appended) when out of memory. */
#define ag_vec_push(v, x) (ag_vec_reserve((v), 1) ? ((v)->items[(v)->len++] = (x), true) : false)
#define ag_vec_last(v)    ((v)->items[(v)->len - 1])
#define ag_vec_pop(v)     ((v)->items[--(v)->len])

/* Behind ag_vec_reserve. items: address of the items pointer, whatever its type. */
bool ag_vec_grow(const ag_alloc *a, void *items, size_t len, size_t *cap, size_t more, size_t elem);

#endif

/* The growth step of AG_VEC. The items pointer is handled by memcpy, because its type is the caller's. */
#include "base/vec.h"

#include <string.h>

#define MIN_ITEMS 8u

bool ag_vec_grow(const ag_alloc *a, void *items, size_t len, size_t *cap, size_t more, size_t elem)
{
    size_t need, bytes;
    if (!ag_size_add(&need, len, more))
        return false;
    if (need <= *cap)
        return true;
    size_t want = *cap < SIZE_MAX / 2 ? *cap * 2 : need;
    if (want < need)
        want = need;
    if (want < MIN_ITEMS)
        want = MIN_ITEMS;
    if (!ag_size_mul(&bytes, want, elem))
        return false;
    void *p;
    memcpy(&p, items, sizeof p);
    p = ag_mem_resize(a, p, bytes);
    if (!p)
        return false;
    memcpy(items, &p, sizeof p);
    *cap = want;
    return true;
}

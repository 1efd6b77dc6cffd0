/* The libc allocator and the checked helpers over any ag_alloc. Nothing here keeps state: an allocation is known only
 * to the allocator that made it. */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static void *libc_realloc(void *ud, void *ptr, size_t size)
{
    (void)ud;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, size);
}

const ag_alloc *ag_alloc_libc(void)
{
    static const ag_alloc libc = {libc_realloc, NULL};
    return &libc;
}

void *ag_mem_new(const ag_alloc *a, size_t size)
{
    return a->realloc(a->ud, NULL, size);
}

void *ag_mem_zero(const ag_alloc *a, size_t count, size_t size)
{
    size_t total;
    if (!ag_size_mul(&total, count, size))
        return NULL;
    void *p = ag_mem_new(a, total ? total : 1);
    if (p)
        memset(p, 0, total ? total : 1);
    return p;
}

void *ag_mem_resize(const ag_alloc *a, void *ptr, size_t size)
{
    return a->realloc(a->ud, ptr, size);
}

void ag_mem_free(const ag_alloc *a, void *ptr)
{
    if (ptr)
        (void)a->realloc(a->ud, ptr, 0);
}

char *ag_mem_strndup(const ag_alloc *a, const char *s, size_t len)
{
    size_t size;
    if (!ag_size_add(&size, len, 1))
        return NULL;
    char *p = ag_mem_new(a, size);
    if (!p)
        return NULL;
    if (len)
        memcpy(p, s, len);
    p[len] = '\0';
    return p;
}

bool ag_size_mul(size_t *out, size_t a, size_t b)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *out = a * b;
    return true;
}

bool ag_size_add(size_t *out, size_t a, size_t b)
{
    if (a > SIZE_MAX - b)
        return false;
    *out = a + b;
    return true;
}

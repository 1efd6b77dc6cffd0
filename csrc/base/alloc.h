/* The one door to memory. Every byte of the core is asked for through an ag_alloc, so that a host can count,
 * cap or fail allocations (csrc/test/sweep and the Lua host do). There is no global allocator: whoever owns an
 * object keeps the ag_alloc it was made with and frees with the same one. */
#ifndef AG_BASE_ALLOC_H
#define AG_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define AG_NODISCARD    __attribute__((warn_unused_result))
#define AG_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define AG_NODISCARD
#define AG_PRINTF(f, a)
#endif

/* Marks what a shared object exports; everything else is hidden. */
#define AG_EXPORT __attribute__((visibility("default")))

/* realloc(ud, NULL, n) allocates n > 0 bytes, realloc(ud, p, n) resizes, realloc(ud, p, 0) frees and returns NULL.
 * NULL for n > 0 means out of memory and leaves p as it was. Memory is aligned for any object. */
typedef struct ag_alloc {
    void *(*realloc)(void *ud, void *ptr, size_t size);
    void *ud;
} ag_alloc;

/* malloc-backed allocator, valid for the life of the process. */
const ag_alloc *ag_alloc_libc(void);

/* size > 0. NULL when out of memory. Contents undefined. */
void *ag_mem_new(const ag_alloc *a, size_t size) AG_NODISCARD;
/* Like ag_mem_new for count * size bytes, zeroed; NULL also when the product overflows. */
void *ag_mem_zero(const ag_alloc *a, size_t count, size_t size) AG_NODISCARD;
/* ptr may be NULL. On NULL the old block is untouched. */
void *ag_mem_resize(const ag_alloc *a, void *ptr, size_t size) AG_NODISCARD;
/* ptr may be NULL. */
void ag_mem_free(const ag_alloc *a, void *ptr);
/* Copy of len bytes plus a closing NUL. NULL when out of memory. */
char *ag_mem_strndup(const ag_alloc *a, const char *s, size_t len) AG_NODISCARD;

/* a * b and a + b, false on overflow (out then undefined). */
bool ag_size_mul(size_t *out, size_t a, size_t b) AG_NODISCARD;
bool ag_size_add(size_t *out, size_t a, size_t b) AG_NODISCARD;

#endif

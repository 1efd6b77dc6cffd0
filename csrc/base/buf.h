/* Growing byte buffer with sticky failure: append as often as you like, test once at the end (libpq's
 * PQExpBuffer idea). After a failed allocation every append is ignored and ag_buf_ok is false. */
#ifndef AG_BASE_BUF_H
#define AG_BASE_BUF_H

#include "base/error.h"

typedef struct ag_buf {
    const ag_alloc *alloc;
    char *data; /* NUL after len bytes once anything was appended; NULL when empty */
    size_t len, cap;
    bool failed;
} ag_buf;

void ag_buf_init(ag_buf *b, const ag_alloc *alloc);
void ag_buf_clear(ag_buf *b); /* frees; reusable */
void ag_buf_reset(ag_buf *b); /* len = 0, keeps memory, clears failed */
bool ag_buf_reserve(ag_buf *b, size_t more);
void ag_buf_add(ag_buf *b, const void *p, size_t n);
void ag_buf_str(ag_buf *b, const char *s); /* NUL-terminated */
void ag_buf_char(ag_buf *b, char c);
void ag_buf_printf(ag_buf *b, const char *fmt, ...) AG_PRINTF(2, 3);
void ag_buf_int(ag_buf *b, int64_t v);   /* decimal, locale-free */
void ag_buf_double(ag_buf *b, double v); /* shortest text that reads back equal; always has . or e; inf/nan as such */
/* Cut back to len (len <= b->len). */
void ag_buf_truncate(ag_buf *b, size_t len);
/* Insert n bytes at offset at (at <= len). */
void ag_buf_insert(ag_buf *b, size_t at, const void *p, size_t n);
static inline bool ag_buf_ok(const ag_buf *b)
{
    return !b->failed;
}
/* Ownership of the NUL-terminated bytes moves to the caller (free with ag_mem_free of the same allocator); the buffer
 * is empty after. NULL when failed. */
char *ag_buf_take(ag_buf *b, size_t *len) AG_NODISCARD;

/* Locale-free number reading: whole text must be a number, else false. */
bool ag_parse_int64(const char *s, size_t len, int64_t *out);
bool ag_parse_double(const char *s, size_t len, double *out);

#endif

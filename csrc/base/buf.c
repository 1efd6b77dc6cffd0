/* The growing byte buffer. Invariant: when data is not NULL, cap > len and data[len] is NUL; after a failed allocation
 * nothing changes until reset or clear. */
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#define MIN_CAP 64u

void ag_buf_init(ag_buf *b, const ag_alloc *alloc)
{
    *b = (ag_buf){.alloc = alloc};
}

void ag_buf_clear(ag_buf *b)
{
    ag_mem_free(b->alloc, b->data);
    ag_buf_init(b, b->alloc);
}

void ag_buf_reset(ag_buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data)
        b->data[0] = '\0';
}

bool ag_buf_reserve(ag_buf *b, size_t more)
{
    if (b->failed)
        return false;
    if (b->cap > more && b->cap - more > b->len)
        return true;
    size_t need;
    if (!ag_size_add(&need, b->len, more) || !ag_size_add(&need, need, 1)) {
        b->failed = true;
        return false;
    }
    size_t want = b->cap < SIZE_MAX / 2 ? b->cap * 2 : need;
    if (want < need)
        want = need;
    if (want < MIN_CAP)
        want = MIN_CAP;
    char *p = ag_mem_resize(b->alloc, b->data, want);
    if (!p) {
        b->failed = true;
        return false;
    }
    p[b->len] = '\0';
    b->data = p;
    b->cap = want;
    return true;
}

void ag_buf_add(ag_buf *b, const void *p, size_t n)
{
    if (n == 0 || !ag_buf_reserve(b, n))
        return;
    memcpy(b->data + b->len, p, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void ag_buf_str(ag_buf *b, const char *s)
{
    ag_buf_add(b, s, strlen(s));
}

void ag_buf_char(ag_buf *b, char c)
{
    ag_buf_add(b, &c, 1);
}

void ag_buf_printf(ag_buf *b, const char *fmt, ...)
{
    char small[256];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    if (n < 0) {
        b->failed = true;
    } else if ((size_t)n < sizeof small) {
        ag_buf_add(b, small, (size_t)n);
    } else if (ag_buf_reserve(b, (size_t)n)) {
        (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

void ag_buf_truncate(ag_buf *b, size_t len)
{
    if (b->failed || len >= b->len)
        return;
    b->len = len;
    b->data[len] = '\0';
}

void ag_buf_insert(ag_buf *b, size_t at, const void *p, size_t n)
{
    if (n == 0 || !ag_buf_reserve(b, n))
        return;
    memmove(b->data + at + n, b->data + at, b->len - at + 1);
    memcpy(b->data + at, p, n);
    b->len += n;
}

char *ag_buf_take(ag_buf *b, size_t *len)
{
    if (!ag_buf_reserve(b, 0))
        return NULL;
    char *p = b->data;
    if (len)
        *len = b->len;
    ag_buf_init(b, b->alloc);
    return p;
}

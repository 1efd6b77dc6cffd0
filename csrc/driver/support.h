/* What every driver of ours needs beside ag_services: failing with a format, plain memory through the connection's
 * allocator, and the checks that text goes through before it reaches a client library. All inline: a driver module
 * links nothing. */
#ifndef AG_DRIVER_SUPPORT_H
#define AG_DRIVER_SUPPORT_H

#include "driver/driver.h"

/* Largest value a driver passes on, in bytes (safety.md, Values). */
#define AG_DRIVER_MAX_BYTES ((size_t)256 << 20)

static inline AG_PRINTF(4, 5) ag_status
    ag_driver_fail(const ag_services *core, ag_error *err, ag_exc cls, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ag_status st = core->failv(err, cls, fmt, ap);
    va_end(ap);
    return st;
}

/* size > 0; NULL when out of memory (ptr is then untouched). */
static inline void *ag_driver_realloc(const ag_alloc *a, void *ptr, size_t size)
{
    return a->realloc(a->ud, ptr, size);
}
static inline void *ag_driver_zero(const ag_alloc *a, size_t size)
{
    void *p = a->realloc(a->ud, NULL, size);
    if (p)
        memset(p, 0, size);
    return p;
}
static inline void ag_driver_free(const ag_alloc *a, void *ptr)
{
    if (ptr)
        (void)a->realloc(a->ud, ptr, 0);
}
static inline char *ag_driver_strndup(const ag_alloc *a, const char *s, size_t n)
{
    char *p = a->realloc(a->ud, NULL, n + 1);
    if (p) {
        if (n)
            memcpy(p, s, n);
        p[n] = '\0';
    }
    return p;
}
/* Make room for one more element of `size` bytes in a growing array; false when out of memory. */
static inline bool ag_driver_grow(const ag_alloc *a, void **items, size_t *cap, size_t len, size_t size)
{
    if (len < *cap)
        return true;
    size_t more = *cap ? *cap * 2 : 8;
    if (more > SIZE_MAX / size)
        return false;
    void *p = a->realloc(a->ud, *items, more * size);
    if (!p)
        return false;
    *items = p;
    *cap = more;
    return true;
}

/* Empty a reply before a statement fills it; mostly it is empty already. */
static inline void ag_driver_reply_clear(const ag_services *core, ag_reply *r)
{
    if (r->columns || r->rows.first || r->arena.head || r->last_ids || r->rowcounts || r->rows.failed) {
        core->reply_clear(r);
        return;
    }
    r->rowcount = -1;
    r->sets_done = 0;
    r->cursor = 0;
    r->tag[0] = '\0';
    r->more = r->readonly = r->skipped = false;
}

/* Sticky append to a buffer whose slow path lives in the core. */
static inline char *ag_driver_put(const ag_services *core, ag_buf *b, size_t n)
{
    if (b->failed || (b->cap - b->len <= n && !core->buf_reserve(b, n + 1)))
        return NULL;
    char *p = b->data + b->len;
    b->len += n;
    return p;
}
static inline void ag_driver_add(const ag_services *core, ag_buf *b, const void *s, size_t n)
{
    char *p = ag_driver_put(core, b, n);
    if (p && n)
        memcpy(p, s, n);
}
static inline void ag_driver_add_char(const ag_services *core, ag_buf *b, char ch)
{
    char *p = ag_driver_put(core, b, 1);
    if (p)
        *p = ch;
}

/* Decimal digits of v; returns how many bytes of out they take. */
static inline size_t ag_driver_int_text(char out[24], int64_t v)
{
    char tmp[24];
    size_t n = 0, at = 0;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do
        tmp[n++] = (char)('0' + u % 10);
    while ((u /= 10) != 0);
    if (v < 0)
        out[at++] = '-';
    while (n)
        out[at++] = tmp[--n];
    return at;
}

/* Why text may not travel as text, or NULL when it may. */
static inline const char *ag_driver_text_fault(const ag_services *core, const char *s, size_t n)
{
    if (n > AG_DRIVER_MAX_BYTES)
        return "the text is longer than 256 MiB";
    if (ag_is_plain_ascii(s, n))
        return NULL;
    if (n && memchr(s, 0, n))
        return "the text holds a NUL byte (use a binary type for bytes)";
    return core->utf8_valid(s, n) ? NULL : "the text is not valid UTF-8 (use a binary type for bytes)";
}

/* A value that an Enum with labels does not list. */
static inline bool ag_driver_unlisted(const ag_type *t, const char *s, size_t n)
{
    if (!t || t->id != AG_TYPE_ENUM || !t->nlabels)
        return false;
    for (unsigned i = 0; i < t->nlabels; i++) {
        if (strlen(t->labels[i]) == n && memcmp(t->labels[i], s, n) == 0)
            return false;
    }
    return true;
}

/* The type behind TypeDecorators and domains; may be NULL. */
static inline const ag_type *ag_driver_type(const ag_type *t)
{
    while (t && (t->id == AG_TYPE_DECORATOR || t->id == AG_TYPE_PG_DOMAIN) && t->item)
        t = t->item;
    return t;
}
/* Kind of value a column of type t holds, AG_V_NULL when t says nothing. */
static inline ag_vkind ag_driver_kind(const ag_services *core, const ag_type *t)
{
    t = ag_driver_type(t);
    if (!t)
        return AG_V_NULL;
    ag_vkind k = core->type_kind(t);
    return k == AG_V_HOST ? AG_V_NULL : k;
}

/* 36-character lower-case UUID from 32 hex digits with or without hyphens (or braces); false when it is none. */
static inline bool ag_driver_uuid_parse(char out[36], const char *s, size_t n)
{
    unsigned digits = 0, at = 0;
    if (n >= 2 && s[0] == '{' && s[n - 1] == '}') {
        s++;
        n -= 2;
    }
    for (size_t i = 0; i < n; i++) {
        char ch = s[i];
        if (ch == '-' && i && s[i - 1] != '-' && digits % 4 == 0 && i + 1 < n)
            continue;
        if (ch >= 'A' && ch <= 'F')
            ch = (char)(ch + 32);
        if (!((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f')) || digits == 32)
            return false;
        if (digits == 8 || digits == 12 || digits == 16 || digits == 20)
            out[at++] = '-';
        out[at++] = ch;
        digits++;
    }
    return digits == 32;
}

#endif

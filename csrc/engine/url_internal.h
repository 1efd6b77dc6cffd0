/* Shared by the url_*.c files. */
#ifndef AG_ENGINE_URL_INTERNAL_H
#define AG_ENGINE_URL_INTERNAL_H

#include "engine/url.h"

/* An empty URL with one reference (port -1). NULL when out of memory. */
ag_url *ag_url_alloc(const ag_alloc *a);
/* Decode percent-escapes (and + as a space) of s[from, to) into ar. base: where s starts in what the user wrote. */
ag_status ag_url_decode(ag_str *out, const char *s, size_t from, size_t to, bool plus, const char *what, ag_arena *ar,
                        ag_error *err) AG_NODISCARD;
/* "a=1&b=2" from s[from, len) to args in ar. */
ag_status ag_url_parse_query(const ag_url_arg **args, size_t *nargs, const char *s, size_t from, size_t len,
                             ag_arena *ar, ag_error *err) AG_NODISCARD;
/* 1 … 65535, digits only. */
bool ag_url_parse_port(const char *s, size_t len, int *out);
static inline bool ag_str_is(ag_str s, const char *z)
{
    size_t i = 0;
    for (; i < s.n; i++)
        if (z[i] == '\0' || s.p[i] != z[i])
            return false;
    return z[i] == '\0';
}
static inline bool ag_str_equal(ag_str a, ag_str b)
{
    if (a.n != b.n || !a.p != !b.p)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (a.p[i] != b.p[i])
            return false;
    return true;
}

#endif

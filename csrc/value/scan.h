/* A cursor over text for the small hand-written parsers of this layer. Each take_ function moves past what it names and
 * says true, or leaves the cursor alone and says false. */
#ifndef AG_VALUE_SCAN_H
#define AG_VALUE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ag_scan {
    const char *p, *end;
} ag_scan;

static inline bool ag_scan_is_digit(const ag_scan *s)
{
    return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

static inline bool ag_scan_take(ag_scan *s, char c)
{
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

/* '-' or '+': *sign -1 or 1. */
static inline bool ag_scan_sign(ag_scan *s, int *sign)
{
    *sign = s->p < s->end && *s->p == '-' ? -1 : 1;
    return ag_scan_take(s, '-') || ag_scan_take(s, '+');
}

/* The exact bytes of a NUL-terminated word. */
static inline bool ag_scan_word(ag_scan *s, const char *word)
{
    const char *p = s->p;
    for (; *word; word++, p++) {
        if (p == s->end || *p != *word)
            return false;
    }
    s->p = p;
    return true;
}

/* All digits that follow, at least min and at most max <= 18 of them. */
static inline bool ag_scan_digits(ag_scan *s, int min, int max, int64_t *out)
{
    const char *start = s->p;
    int64_t v = 0;
    while (ag_scan_is_digit(s) && s->p - start < max)
        v = v * 10 + (*s->p++ - '0');
    if (s->p - start < min || ag_scan_is_digit(s)) {
        s->p = start;
        return false;
    }
    *out = v;
    return true;
}

static inline bool ag_scan_two(ag_scan *s, int *out)
{
    int64_t v;
    if (!ag_scan_digits(s, 2, 2, &v))
        return false;
    *out = (int)v;
    return true;
}

/* ".f{1,6}" as microseconds. */
static inline bool ag_scan_fraction(ag_scan *s, int *us)
{
    const char *start = s->p;
    int64_t v;
    if (!ag_scan_take(s, '.'))
        return false;
    const char *digits = s->p;
    if (!ag_scan_digits(s, 1, 6, &v)) {
        s->p = start;
        return false;
    }
    for (ptrdiff_t n = s->p - digits; n < 6; n++)
        v *= 10;
    *us = (int)v;
    return true;
}

#endif

/* UTF-8 checks used before text reaches an identifier or a driver. */
#ifndef AG_BASE_UTF8_H
#define AG_BASE_UTF8_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* Well-formed UTF-8 (no surrogates, no overlong forms, <= U+10FFFF). NUL bytes count as well-formed. */
bool ag_utf8_valid(const char *s, size_t len);
/* Number of code points of valid UTF-8. */
size_t ag_utf8_length(const char *s, size_t len);
/* Largest length <= max that does not cut a code point. */
size_t ag_utf8_cut(const char *s, size_t len, size_t max);

/* Plain ASCII without NUL: what most text is, eight bytes at a time. */
static inline bool ag_is_plain_ascii(const char *s, size_t n)
{
    const uint64_t high = UINT64_C(0x8080808080808080), ones = UINT64_C(0x0101010101010101);
    uint64_t seen = 0, w = 0;
    if (n < sizeof w) {
        unsigned few = 0;
        for (size_t i = 0; i < n; i++)
            few |= (unsigned)(unsigned char)s[i] | ((unsigned)(unsigned char)s[i] - 1u);
        return !(few & 0x80u);
    }
    for (size_t i = 0; i + sizeof w < n; i += sizeof w) {
        memcpy(&w, s + i, sizeof w);
        seen |=
            w | (w - ones); /* a byte that is 0 or over 127 sets its high bit (or a neighbour's: then the slow check) */
    }
    memcpy(&w, s + n - sizeof w, sizeof w); /* the last eight, some of them for the second time */
    seen |= w | (w - ones);
    return !(seen & high);
}
#endif

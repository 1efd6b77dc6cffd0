/* UTF-8 by the table of well-formed byte sequences (Unicode Standard, table 3-7). */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

static bool is_tail(unsigned char c)
{
    return (c & 0xC0u) == 0x80u;
}

/* Bytes of the well-formed sequence at s, 0 when there is none. */
static size_t sequence(const unsigned char *s, size_t left)
{
    unsigned char c = s[0];
    if (c < 0x80)
        return 1;
    if (c < 0xC2 || c > 0xF4)
        return 0;
    size_t n = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    if (left < n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if (!is_tail(s[i]))
            return 0;
    }
    bool overlong = (c == 0xE0 && s[1] < 0xA0) || (c == 0xF0 && s[1] < 0x90);
    bool surrogate = c == 0xED && s[1] > 0x9F;
    bool too_big = c == 0xF4 && s[1] > 0x8F;
    return overlong || surrogate || too_big ? 0 : n;
}

bool ag_utf8_valid(const char *s, size_t len)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t i = 0;
    while (i < len) {
        uint64_t word;
        if (len - i >= 8) {
            memcpy(&word, p + i, 8);
            if (!(word & HIGH_BITS)) {
                i += 8;
                continue;
            }
        }
        size_t n = sequence(p + i, len - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

size_t ag_utf8_length(const char *s, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += !is_tail((unsigned char)s[i]);
    return n;
}

size_t ag_utf8_cut(const char *s, size_t len, size_t max)
{
    if (len <= max)
        return len;
    while (max > 0 && is_tail((unsigned char)s[max]))
        max--;
    return max;
}

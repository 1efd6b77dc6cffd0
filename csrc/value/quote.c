/* Quoting for error messages; see quote.h. */
#include "value/quote.h"

#include "base/utf8.h"

#include <string.h>

#define SHOWN 60u

const char *ag_quote(char out[AG_QUOTE_MAX], const char *s, size_t n)
{
    size_t len = n <= SHOWN ? n : ag_utf8_cut(s, n, SHOWN);
    bool valid = ag_utf8_valid(s, len);
    char *p = out;
    *p++ = '"';
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        *p++ = c < 0x20 || c == 0x7F || (c > 0x7F && !valid) ? '?' : s[i];
    }
    if (len < n) {
        memcpy(p, "...", 3);
        p += 3;
    }
    *p++ = '"';
    *p = '\0';
    return out;
}

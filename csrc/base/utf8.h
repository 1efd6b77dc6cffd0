/* UTF-8 checks used before text reaches an identifier or a driver. */
#ifndef AG_BASE_UTF8_H
#define AG_BASE_UTF8_H
#include <stdbool.h>
#include <stddef.h>
/* Well-formed UTF-8 (no surrogates, no overlong forms, <= U+10FFFF). NUL bytes count as well-formed. */
bool ag_utf8_valid(const char *s, size_t len);
/* Number of code points of valid UTF-8. */
size_t ag_utf8_length(const char *s, size_t len);
/* Largest length <= max that does not cut a code point. */
size_t ag_utf8_cut(const char *s, size_t len, size_t max);
#endif

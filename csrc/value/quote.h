/* Showing a piece of somebody's text in an error message: short, on one line, always valid UTF-8. */
#ifndef AG_VALUE_QUOTE_H
#define AG_VALUE_QUOTE_H

#include <stddef.h>

#define AG_QUOTE_MAX 72
/* Writes s in double quotes into out, NUL-terminated: at most 60 of its bytes, then "...". Control characters, and all
 * bytes over 127 of text that is not UTF-8, show as '?'. Returns out. */
const char *ag_quote(char out[AG_QUOTE_MAX], const char *s, size_t n);

#endif

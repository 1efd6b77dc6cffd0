/* SQLite's REGEXP: any pattern against any text. Both are the program's data. A search takes time that grows with the text only, needs
 * no more memory than the pattern's, and gives the same answer twice. Input: the pattern, a NUL, the text. */
#include "driver/regex.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool stop(void *ud)
{
    unsigned *asked = ud;
    return ++*asked > 2000;
}

/* A copy without room behind it: a byte too many is seen. */
static char *exact(const uint8_t *p, size_t n)
{
    char *s = malloc(n ? n : 1);
    if (s && n)
        memcpy(s, p, n);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ag_alloc *a = ag_alloc_libc();
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    size_t n = end ? (size_t)(end - data) : size, rest = end ? size - n - 1 : 0;
    char *pattern = exact(data, n), *text = exact(end ? end + 1 : data, rest);
    ag_regex *r = NULL;
    const char *why = NULL;
    if (pattern && text && ag_regex_new(&r, a, pattern, n, &why)) {
        unsigned asked = 0, again = 0;
        ag_regex_answer first = ag_regex_search(r, text, rest, stop, &asked);
        ag_regex_answer second = ag_regex_search(r, text, rest, stop, &again);
        if (first != second)
            abort();
    } else if (r) {
        abort();
    }
    ag_regex_free(r, a);
    free(pattern);
    free(text);
    return 0;
}

/* Nearest-name hints by edit distance (Damerau's, adjacent letters only). Costs are doubled so that a difference of
 * case alone can count for half an edit. */
#include "base/error.h"

#include <string.h>

#define MAX_NAME 63u /* longer names get no hint: identifiers end there */
#define EDIT     2u

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

static unsigned replace_cost(char a, char b)
{
    if (a == b)
        return 0;
    return lower((unsigned char)a) == lower((unsigned char)b) ? EDIT / 2 : EDIT;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

static unsigned distance(const char *a, size_t an, const char *b, size_t bn)
{
    unsigned rows[3][MAX_NAME + 1];
    unsigned *before = rows[0], *prev = rows[1], *cur = rows[2];
    for (size_t j = 0; j <= bn; j++)
        prev[j] = (unsigned)j * EDIT;
    for (size_t i = 1; i <= an; i++) {
        cur[0] = (unsigned)i * EDIT;
        for (size_t j = 1; j <= bn; j++) {
            unsigned d = min3(prev[j] + EDIT, cur[j - 1] + EDIT, prev[j - 1] + replace_cost(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + EDIT < d)
                d = before[j - 2] + EDIT;
            cur[j] = d;
        }
        unsigned *free_row = before;
        before = prev;
        prev = cur;
        cur = free_row;
    }
    return prev[bn];
}

/* Of two names as near: the one that begins alike, else the first in the alphabet, so that no order of a Lua table decides. */
static bool goes_before(const char *name, const char *a, const char *b)
{
    if ((a[0] == name[0]) != (b[0] == name[0]))
        return a[0] == name[0];
    return strcmp(a, b) < 0;
}

const char *ag_nearest(const char *name, const char *const *names, size_t count)
{
    size_t len = strlen(name);
    if (len == 0 || len > MAX_NAME)
        return NULL;
    /* one edit for short names, one more for every three letters; at least one letter has to be in common */
    unsigned limit = (unsigned)(len <= 3 ? 1 : 1 + len / 3) * EDIT;
    if (limit >= len * EDIT)
        limit = (unsigned)len * EDIT - 1;
    const char *best = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(names[i]);
        if (n > MAX_NAME)
            continue;
        unsigned d = distance(name, len, names[i], n);
        if (d <= limit && (d < limit || !best || goes_before(name, names[i], best))) {
            best = names[i];
            limit = d;
        }
    }
    return best;
}

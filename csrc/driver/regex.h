/* Regular expressions for SQLite's REGEXP operator, which has no implementation of its own: the syntax of Python's re that a search
 * without captures needs. Matching is a simulation of all ways at once: linear in the text, no backtracking, no recursion. */
#ifndef AG_DRIVER_REGEX_H
#define AG_DRIVER_REGEX_H

#include "driver/driver.h"

typedef struct ag_regex ag_regex;

/* Compile pattern (valid UTF-8). *out is to be freed by ag_regex_free. On a failure *out is NULL and *why says why (static; NULL: out
 * of memory). */
bool ag_regex_new(ag_regex **out, const ag_alloc *a, const char *pattern, size_t len, const char **why);
void ag_regex_free(ag_regex *r, const ag_alloc *a); /* NULL allowed */

typedef enum ag_regex_answer { AG_REGEX_NO, AG_REGEX_YES, AG_REGEX_STOPPED } ag_regex_answer;
/* Is there a match anywhere in text? Broken UTF-8 is taken byte by byte. stop (may be NULL) is asked every few thousand steps. r
 * keeps working memory: one search at a time. */
ag_regex_answer ag_regex_search(ag_regex *r, const char *text, size_t len, bool (*stop)(void *ud), void *ud);

#endif

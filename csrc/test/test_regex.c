/* The regular expressions behind SQLite's REGEXP: random patterns and texts, and every allocation of a pattern failing in turn. What they
 * match is spec/engine/sqlite_function_spec.lua's affair. */
#include "driver/regex.h"
#include "test/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef ARGENT_WITH_SQLITE

static ag_status one_pattern(const ag_alloc *a, void *ud)
{
    static const char pattern[] = "(?i)^(foo|ba[rz]{1,3}|\\d+){2,}(x|y|)*\\b.$";
    ag_regex *r;
    const char *why;
    (void)ud;
    if (!ag_regex_new(&r, a, pattern, sizeof pattern - 1, &why))
        return why ? AG_ERROR : AG_NOMEM;
    bool yes = ag_regex_search(r, "FOO123baz!", 10, NULL, NULL) == AG_REGEX_YES &&
               ag_regex_search(r, "foo", 3, NULL, NULL) == AG_REGEX_NO;
    ag_regex_free(r, a);
    return yes ? AG_OK : AG_ERROR;
}

static void test_sweep(void **state)
{
    (void)state;
    sweep_run(one_pattern, NULL);
}

static bool stop(void *ud)
{
    return ++*(unsigned *)ud > 200;
}

/* n bytes that mean something to a pattern, in a block of just that size. */
static char *noise(unsigned *seed, size_t n)
{
    static const char letters[] = "ab()[]{}|*+?.\\^$-,0123:=<>Pdwsbi!\n\xc3\xa9\xff";
    char *s = malloc(n ? n : 1);
    assert_non_null(s);
    for (size_t i = 0; i < n; i++) {
        *seed = *seed * 1103515245u + 12345u;
        s[i] = letters[(*seed >> 16) % (sizeof letters - 1)];
    }
    return s;
}

static void test_noise(void **state)
{
    sweep s;
    unsigned seed = 1, compiled = 0;
    (void)state;
    sweep_init(&s);
    for (int i = 0; i < 20000; i++) {
        size_t n = (seed >> 8) % 30, m = (seed >> 12) % 36;
        char *pattern = noise(&seed, n), *text = noise(&seed, m);
        ag_regex *r;
        const char *why;
        unsigned steps = 0;
        if (ag_regex_new(&r, &s.alloc, pattern, n, &why)) {
            compiled++;
            ag_regex_answer first = ag_regex_search(r, text, m, stop, &steps);
            assert_int_equal(ag_regex_search(r, text, m, stop, &steps), first);
            ag_regex_free(r, &s.alloc);
        } else {
            assert_non_null(why);
        }
        free(pattern);
        free(text);
    }
    assert_true(compiled > 1000);
    assert_int_equal(s.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sweep), cmocka_unit_test(test_noise)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else
int main(void)
{
    return 77;
}
#endif

/* SQLSTATE codes: class, retryable, disconnect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "driver/sqlstate.h"
#include "driver/stmt_cache.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

static void test_classes(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        ag_exc cls;
        bool retryable, disconnect;
    } cases[] = {
        {"23505", AG_EXC_INTEGRITY, false, false},   {"23P01", AG_EXC_INTEGRITY, false, false},
        {"42601", AG_EXC_PROGRAMMING, false, false}, {"42501", AG_EXC_PROGRAMMING, false, false},
        {"22012", AG_EXC_DATA, false, false},        {"0A000", AG_EXC_NOT_SUPPORTED, false, false},
        {"40001", AG_EXC_OPERATIONAL, true, false},  {"40P01", AG_EXC_OPERATIONAL, true, false},
        {"25P02", AG_EXC_INTERNAL, false, false},    {"25P03", AG_EXC_OPERATIONAL, false, true},
        {"57014", AG_EXC_OPERATIONAL, false, false}, {"57P01", AG_EXC_OPERATIONAL, false, true},
        {"57P03", AG_EXC_OPERATIONAL, false, true},  {"08006", AG_EXC_OPERATIONAL, false, true},
        {"08P01", AG_EXC_OPERATIONAL, false, false}, {"53300", AG_EXC_OPERATIONAL, false, false},
        {"55P03", AG_EXC_OPERATIONAL, false, false}, {"XX000", AG_EXC_INTERNAL, false, false},
        {"P0001", AG_EXC_INTERNAL, false, false},    {"ZZ999", AG_EXC_DATABASE, false, false},
        {"", AG_EXC_DATABASE, false, false},         {"3D000", AG_EXC_PROGRAMMING, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ag_error err;
        ag_error_init(&err, ag_alloc_libc());
        assert_int_equal(ag_sqlstate_class(cases[i].code), cases[i].cls);
        ag_sqlstate_set(&err, cases[i].code);
        assert_string_equal(err.sqlstate, cases[i].code);
        assert_int_equal(err.retryable, cases[i].retryable);
        assert_int_equal(err.disconnect, cases[i].disconnect);
    }
    assert_int_equal(ag_sqlstate_class(NULL), AG_EXC_DATABASE);
    ag_sqlstate_set(NULL, "23505");
}

/* The statement cache of the drivers: same text, other parameter types; recency; growth. */
static void test_stmt_cache(void **state)
{
    (void)state;
    enum { N = 1000 };
    const ag_alloc *a = ag_alloc_libc();
    ag_stmt_cache sc;
    ag_stmt_entry *e = calloc(N, sizeof *e);
    char text[16];
    ag_stmt_cache_init(&sc, a, 10);
    assert_null(ag_stmt_cache_find(&sc, 1, "x", 1, NULL, 0));
    for (uint32_t i = 0; i < N; i++) {
        uint32_t extra = i % 2;
        size_t n = (size_t)snprintf(text, sizeof text, "select %u", i / 2);
        uint64_t h = ag_stmt_hash(text, n, &extra, sizeof extra);
        assert_true(ag_stmt_entry_set_key(&e[i], a, h, text, n, &extra, sizeof extra));
        assert_true(ag_stmt_cache_add(&sc, &e[i]));
    }
    assert_int_equal(sc.count, N);
    assert_ptr_equal(sc.oldest, &e[0]);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t extra = i % 2;
        size_t n = (size_t)snprintf(text, sizeof text, "select %u", i / 2);
        uint64_t h = ag_stmt_hash(text, n, &extra, sizeof extra);
        assert_ptr_equal(ag_stmt_cache_find(&sc, h, text, n, &extra, sizeof extra), &e[i]);
        assert_null(ag_stmt_cache_find(&sc, h, text, n, NULL, 0));
        assert_string_equal(e[i].key, text);
        assert_ptr_equal(sc.newest, &e[i]);
    }
    while (sc.oldest) {
        ag_stmt_entry *old = sc.oldest;
        ag_stmt_cache_remove(&sc, old);
        ag_mem_free(a, old->key);
    }
    assert_int_equal(sc.count, 0);
    ag_stmt_cache_clear(&sc);
    free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_stmt_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Arenas: alignment, sizes from nothing to large, reset, running out of memory. */
#include "base/arena.h"
#include "base/error.h"
#include "test/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ITEMS 2000

static size_t item_size(size_t i)
{
    return i % 101 == 7 ? 20000 + i : (i * 7919) % 90;
}

static bool fill(ag_arena *ar, unsigned char **items)
{
    for (size_t i = 0; i < ITEMS; i++) {
        items[i] = ag_arena_new(ar, item_size(i));
        if (!items[i])
            return false;
        memset(items[i], (int)(i % 251), item_size(i));
    }
    return true;
}

static void items_are_aligned_and_apart(void **state)
{
    (void)state;
    sweep s;
    ag_arena ar;
    static unsigned char *items[ITEMS];
    sweep_init(&s);
    ag_arena_init(&ar, &s.alloc);
    assert_int_equal(s.calls, 0);
    for (int round = 0; round < 3; round++) {
        size_t sum = 0;
        assert_true(fill(&ar, items));
        for (size_t i = 0; i < ITEMS; i++) {
            sum += item_size(i);
            assert_int_equal((uintptr_t)items[i] % 16, 0);
            assert_true(i == 0 || items[i] != items[i - 1]);
            for (size_t k = 0; k < item_size(i); k++) {
                if (items[i][k] != i % 251)
                    fail_msg("item %zu is overwritten", i);
            }
        }
        assert_int_equal(ar.used, sum);
        assert_int_equal(ar.total, s.bytes);
        ag_arena_reset(&ar);
        assert_int_equal(ar.used, 0);
        assert_int_equal(ar.total, s.bytes);
        assert_true(s.live <= 1);
    }
    ag_arena_clear(&ar);
    assert_int_equal(s.live, 0);
    assert_non_null(ag_arena_new(&ar, 1));
    ag_arena_clear(&ar);
}

static void copies_and_zeroes(void **state)
{
    (void)state;
    ag_arena ar;
    ag_arena_init(&ar, ag_alloc_libc());
    assert_string_equal(ag_arena_strndup(&ar, "abcdef", 3), "abc");
    assert_string_equal(ag_arena_strndup(&ar, NULL, 0), "");
    assert_memory_equal(ag_arena_memdup(&ar, "ab\0c", 4), "ab\0c", 4);
    assert_non_null(ag_arena_memdup(&ar, NULL, 0));
    unsigned char *z = ag_arena_zero(&ar, 100, 10);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(z[i], 0);
    assert_null(ag_arena_zero(&ar, SIZE_MAX / 2, 3));
    assert_null(ag_arena_new(&ar, SIZE_MAX));
    assert_null(ag_arena_new(&ar, SIZE_MAX - 16));
    assert_null(ag_arena_strndup(&ar, "", SIZE_MAX));
    ag_arena_clear(&ar);
}

static ag_status work(const ag_alloc *a, void *ud)
{
    (void)ud;
    static unsigned char *items[ITEMS];
    ag_arena ar;
    ag_arena_init(&ar, a);
    bool ok = ag_arena_strndup(&ar, "x", 1) && ag_arena_new(&ar, 5000) && ag_arena_zero(&ar, 3, 400) &&
              ag_arena_memdup(&ar, "abc", 3) && ag_arena_new(&ar, 100000);
    for (size_t i = 0; ok && i < 300; i++)
        ok = (items[i] = ag_arena_new(&ar, item_size(i))) != NULL;
    ag_arena_clear(&ar);
    return ok ? AG_OK : AG_NOMEM;
}

static void arenas_survive_no_memory(void **state)
{
    (void)state;
    sweep_run(work, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_aligned_and_apart),
        cmocka_unit_test(copies_and_zeroes),
        cmocka_unit_test(arenas_survive_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Allocator helpers and growing arrays. */
#include "base/alloc.h"
#include "base/vec.h"
#include "test/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void sizes_are_checked(void **state)
{
    (void)state;
    size_t n;
    assert_true(ag_size_mul(&n, 3, 5));
    assert_int_equal(n, 15);
    assert_true(ag_size_mul(&n, SIZE_MAX, 0));
    assert_int_equal(n, 0);
    assert_true(ag_size_mul(&n, SIZE_MAX / 2, 2));
    assert_false(ag_size_mul(&n, SIZE_MAX / 2 + 1, 2));
    assert_true(ag_size_add(&n, SIZE_MAX - 1, 1));
    assert_false(ag_size_add(&n, SIZE_MAX, 1));
    assert_null(ag_mem_zero(ag_alloc_libc(), SIZE_MAX / 4, 8));
    assert_null(ag_mem_strndup(ag_alloc_libc(), "", SIZE_MAX));
}

static void blocks_keep_their_content(void **state)
{
    (void)state;
    sweep s;
    sweep_init(&s);
    char *p = ag_mem_strndup(&s.alloc, "abcdef", 3);
    assert_string_equal(p, "abc");
    p = ag_mem_resize(&s.alloc, p, 100);
    assert_string_equal(p, "abc");
    s.fail_at = s.calls + 1;
    assert_null(ag_mem_resize(&s.alloc, p, 1000));
    assert_string_equal(p, "abc");
    ag_mem_free(&s.alloc, p);
    ag_mem_free(&s.alloc, NULL);
    int *zeroes = ag_mem_zero(&s.alloc, 10, sizeof *zeroes);
    for (int i = 0; i < 10; i++)
        assert_int_equal(zeroes[i], 0);
    ag_mem_free(&s.alloc, zeroes);
    ag_mem_free(&s.alloc, ag_mem_zero(&s.alloc, 0, 8));
    assert_int_equal(s.live, 0);
}

static void libc_frees_on_size_zero(void **state)
{
    (void)state;
    const ag_alloc *a = ag_alloc_libc();
    void *p = ag_mem_new(a, 10);
    assert_non_null(p);
    assert_null(a->realloc(a->ud, p, 0));
}

typedef AG_VEC(int) ints;

static void vectors_grow(void **state)
{
    (void)state;
    ints v;
    ag_vec_init(&v, ag_alloc_libc());
    for (int i = 0; i < 1000; i++)
        assert_true(ag_vec_push(&v, i));
    for (int i = 0; i < 1000; i++)
        assert_int_equal(v.items[i], i);
    assert_int_equal(ag_vec_last(&v), 999);
    assert_int_equal(ag_vec_pop(&v), 999);
    assert_int_equal(v.len, 999);
    assert_false(ag_vec_reserve(&v, SIZE_MAX));
    assert_false(ag_vec_reserve(&v, SIZE_MAX / 2));
    assert_int_equal(v.len, 999);
    ag_vec_clear(&v);
    assert_null(v.items);
}

static ag_status fill_vector(const ag_alloc *a, void *ud)
{
    (void)ud;
    ints v;
    ag_status st = AG_OK;
    ag_vec_init(&v, a);
    for (int i = 0; i < 100; i++) {
        size_t len = v.len;
        if (!ag_vec_push(&v, i)) {
            st = AG_NOMEM;
            assert_int_equal(v.len, len);
        }
    }
    ag_vec_clear(&v);
    return st;
}

static void a_vector_without_memory_keeps_its_items(void **state)
{
    (void)state;
    sweep_run(fill_vector, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_checked),
        cmocka_unit_test(blocks_keep_their_content),
        cmocka_unit_test(libc_frees_on_size_zero),
        cmocka_unit_test(vectors_grow),
        cmocka_unit_test(a_vector_without_memory_keeps_its_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

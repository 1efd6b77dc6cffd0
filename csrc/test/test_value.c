/* Values: equality and hash agree, copies own their bytes, names. */
#include "test/sweep.h"
#include "value/value.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* All different. */
static const ag_value distinct[] = {
    {.kind = AG_V_NULL},
    {.kind = AG_V_BOOL, .u.i = 0},
    {.kind = AG_V_BOOL, .u.i = 1},
    {.kind = AG_V_INT, .u.i = 0},
    {.kind = AG_V_INT, .u.i = 1},
    {.kind = AG_V_INT, .u.i = -1},
    {.kind = AG_V_FLOAT, .u.f = 0.0},
    {.kind = AG_V_FLOAT, .u.f = -0.0},
    {.kind = AG_V_FLOAT, .u.f = 1.0},
    {.kind = AG_V_FLOAT, .u.f = (double)NAN},
    {.kind = AG_V_TEXT, .u.s = {"", 0}},
    {.kind = AG_V_TEXT, .u.s = {"a", 1}},
    {.kind = AG_V_TEXT, .u.s = {"ab", 2}},
    {.kind = AG_V_BYTES, .u.s = {"a", 1}},
    {.kind = AG_V_DECIMAL, .u.s = {"1", 1}},
    {.kind = AG_V_DECIMAL, .u.s = {"1.0", 3}},
    {.kind = AG_V_DATE, .u.i = 1},
    {.kind = AG_V_TIME, .u.i = 1},
    {.kind = AG_V_TIME, .flags = AG_V_ZONED, .u.i = 1},
    {.kind = AG_V_TIME, .flags = AG_V_ZONED, .offset = 60, .u.i = 1},
    {.kind = AG_V_DATETIME, .u.i = 1},
    {.kind = AG_V_DATETIME, .flags = AG_V_ZONED, .u.i = 1},
    {.kind = AG_V_INTERVAL, .u.iv = {0, 0, 0}},
    {.kind = AG_V_INTERVAL, .u.iv = {1, 0, 0}},
    {.kind = AG_V_INTERVAL, .u.iv = {0, 1, 0}},
    {.kind = AG_V_INTERVAL, .u.iv = {0, 0, 1}},
    {.kind = AG_V_UUID, .u.s = {"a", 1}},
    {.kind = AG_V_JSON, .u.s = {"a", 1}},
    {.kind = AG_V_ARRAY, .u.s = {"a", 1}},
    {.kind = AG_V_RAW, .u.s = {"a", 1}},
    {.kind = AG_V_HOST, .u.i = 1},
};
#define NDISTINCT (sizeof distinct / sizeof distinct[0])

static void distinct_values_differ(void **state)
{
    (void)state;
    for (size_t i = 0; i < NDISTINCT; i++) {
        for (size_t j = 0; j < NDISTINCT; j++) {
            assert_int_equal(ag_value_equal(&distinct[i], &distinct[j]), i == j);
            assert_int_equal(ag_value_hash(5, &distinct[i]) == ag_value_hash(5, &distinct[j]), i == j);
        }
        assert_true(ag_value_hash(5, &distinct[i]) != ag_value_hash(6, &distinct[i]));
    }
}

static void equal_values_hash_alike(void **state)
{
    (void)state;
    char ab[] = "ab";
    double other_nan = -(double)NAN;
    const ag_value pairs[][2] = {
        {ag_value_text("ab", 2), ag_value_text(ab, 2)},
        {ag_value_text(NULL, 0), ag_value_text("", 0)},
        {ag_value_float((double)NAN), ag_value_float(other_nan)},
        /* a zoned datetime is its instant, the offset is for printing */
        {{.kind = AG_V_DATETIME, .flags = AG_V_ZONED, .offset = 60, .u.i = 1},
         {.kind = AG_V_DATETIME, .flags = AG_V_ZONED, .offset = 0, .u.i = 1}},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_true(ag_value_equal(&pairs[i][0], &pairs[i][1]));
        assert_int_equal(ag_value_hash(1, &pairs[i][0]), ag_value_hash(1, &pairs[i][1]));
    }
}

static ag_status copy_all(const ag_alloc *a, void *ud)
{
    (void)ud;
    ag_arena ar;
    ag_error err;
    ag_status st = AG_OK;
    ag_arena_init(&ar, a);
    ag_error_init(&err, a);
    for (size_t i = 0; st == AG_OK && i < NDISTINCT; i++) {
        ag_value v;
        st = ag_value_copy(&v, &distinct[i], &ar, &err);
        if (st != AG_OK)
            break;
        assert_true(ag_value_equal(&v, &distinct[i]));
        if (ag_vkind_has_bytes(v.kind)) {
            assert_ptr_not_equal(v.u.s.p, distinct[i].u.s.p);
            assert_int_equal(v.u.s.p[v.u.s.n], '\0');
        }
    }
    ag_arena_clear(&ar);
    ag_error_clear(&err);
    return st;
}

static void copies_own_their_bytes(void **state)
{
    (void)state;
    sweep_run(copy_all, NULL);
}

static void kinds_have_names(void **state)
{
    (void)state;
    for (int k = 0; k < AG_V_KIND_COUNT; k++)
        assert_string_not_equal(ag_vkind_name((ag_vkind)k), "unknown");
    assert_string_equal(ag_vkind_name(AG_V_INT), "integer");
    assert_string_equal(ag_vkind_name(AG_V_DATETIME), "datetime");
    assert_string_equal(ag_vkind_name(AG_V_HOST), "host value");
    assert_string_equal(ag_vkind_name((ag_vkind)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distinct_values_differ),
        cmocka_unit_test(equal_values_hash_alike),
        cmocka_unit_test(copies_own_their_bytes),
        cmocka_unit_test(kinds_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

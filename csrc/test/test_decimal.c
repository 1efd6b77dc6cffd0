/* Decimals: spellings, limits, order, arithmetic against Python's decimal module (decimal_cases.def) and against laws. */
#include "test/sweep.h"
#include "value/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef enum op { op_add, op_sub, op_mul, op_div, op_round } op;

static ag_status run(ag_buf *out, op o, const char *a, const char *b, int scale, ag_error *err)
{
    size_t an = strlen(a), bn = strlen(b);
    switch (o) {
    case op_add: return ag_decimal_add(out, a, an, b, bn, err);
    case op_sub: return ag_decimal_sub(out, a, an, b, bn, err);
    case op_mul: return ag_decimal_mul(out, a, an, b, bn, err);
    case op_div: return ag_decimal_div(out, a, an, b, bn, scale, err);
    default: return ag_decimal_round(out, a, an, scale, err);
    }
}

static void assert_result(op o, const char *a, const char *b, int scale, const char *want)
{
    ag_buf out;
    ag_error err = {0};
    ag_buf_init(&out, ag_alloc_libc());
    ag_status st = run(&out, o, a, b, scale, &err);
    if (st != AG_OK || strcmp(out.data, want) != 0)
        fail_msg("%s op %d %s (%d): %s, not %s", a, o, b, scale, st == AG_OK ? out.data : ag_error_message(&err), want);
    ag_buf_clear(&out);
}

static void arithmetic_agrees_with_python(void **state)
{
    (void)state;
#define D(o, a, b, scale, want) assert_result(op_##o, a, b, scale, want);
#include "test/decimal_cases.def"
#undef D
}

/* The rare turns of the long division: leading limbs that agree, and a guess that was one too much. */
static void division_guesses_are_corrected(void **state)
{
    (void)state;
    assert_result(op_div, "100000000000000000399999999.7", "500000000000000001999999999", 0, "0");
    assert_result(op_div, "50000000000000000149999999899999999999800000000.2", "500000000000000001999999999", 0,
                  "99999999999999999900");
    assert_result(op_div, "999999999999999998999999999000000000", "999999999999999999000000000", 0, "1000000000");
}

static void special_values_follow_postgresql(void **state)
{
    (void)state;
    assert_result(op_add, "NaN", "1", 0, "NaN");
    assert_result(op_add, "Infinity", "1", 0, "Infinity");
    assert_result(op_add, "-Infinity", "1", 0, "-Infinity");
    assert_result(op_add, "Infinity", "-Infinity", 0, "NaN");
    assert_result(op_sub, "Infinity", "Infinity", 0, "NaN");
    assert_result(op_sub, "1", "Infinity", 0, "-Infinity");
    assert_result(op_sub, "1", "NaN", 0, "NaN");
    assert_result(op_mul, "Infinity", "-2", 0, "-Infinity");
    assert_result(op_mul, "-Infinity", "-Infinity", 0, "Infinity");
    assert_result(op_mul, "Infinity", "0.00", 0, "NaN");
    assert_result(op_mul, "NaN", "0", 0, "NaN");
    assert_result(op_div, "1", "Infinity", 2, "0.00");
    assert_result(op_div, "-Infinity", "2", 2, "-Infinity");
    assert_result(op_div, "Infinity", "-Infinity", 2, "NaN");
    assert_result(op_div, "NaN", "0", 2, "NaN");
    assert_result(op_round, "NaN", "", 2, "NaN");
    assert_result(op_round, "-Infinity", "", 2, "-Infinity");
}

static void assert_parsed(const char *text, const char *want)
{
    ag_buf out;
    ag_error err = {0};
    ag_buf_init(&out, ag_alloc_libc());
    ag_status st = ag_decimal_parse(&out, text, strlen(text), &err);
    if ((st == AG_OK) != (want != NULL))
        fail_msg("\"%s\": %s", text, ag_error_message(&err));
    if (want)
        assert_string_equal(out.data, want);
    else
        assert_int_equal(err.cls, AG_EXC_DATA);
    ag_error_clear(&err);
    ag_buf_clear(&out);
}

static void spellings_become_canonical(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"0", "0"},
        {"-0", "0"},
        {"-0.00", "0.00"},
        {"+01.50e1", "15.0"},
        {"007", "7"},
        {"1.", "1"},
        {".5", "0.5"},
        {"-.50", "-0.50"},
        {"1e3", "1000"},
        {"1.5E3", "1500"},
        {"1.2345e2", "123.45"},
        {"1.50e+2", "150"},
        {"1.500e2", "150.0"},
        {"12e-3", "0.012"},
        {"1e-5", "0.00001"},
        {"0e5", "0"},
        {"0e-3", "0.000"},
        {"0e999999999999999999999", "0"},
        {"00000000000000000000000.1", "0.1"},
        {"NaN", "NaN"},
        {"nan", "NaN"},
        {"-NaN", "NaN"},
        {"inf", "Infinity"},
        {"+Infinity", "Infinity"},
        {"-INFINITY", "-Infinity"},
        {"12345678901234567890123456789012345678901234567890.5",
         "12345678901234567890123456789012345678901234567890.5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_parsed(cases[i][0], cases[i][1]);
        assert_parsed(cases[i][1], cases[i][1]);
    }
}

static void what_is_no_number_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      " ",
                                      "-",
                                      "+",
                                      ".",
                                      "e5",
                                      "1e",
                                      "1e+",
                                      "1.2.3",
                                      "1,5",
                                      " 1",
                                      "1 ",
                                      "0x10",
                                      "--1",
                                      "1_000",
                                      "1e5.5",
                                      "infinit",
                                      "Na",
                                      "nano",
                                      "1e1000000",
                                      "1e-1000000",
                                      "1e131072",
                                      "1e-16384",
                                      "+-1",
                                      "\xEF\xBC\x91",
                                      "Infinityx",
                                      "1e99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_parsed(bad[i], NULL);
}

static void limits_are_postgresqls(void **state)
{
    (void)state;
    ag_buf big, out;
    ag_error err = {0};
    ag_buf_init(&big, ag_alloc_libc());
    ag_buf_init(&out, ag_alloc_libc());
    assert_int_equal(ag_decimal_parse(&big, "9e131071", 8, &err), AG_OK);
    assert_int_equal(big.len, 131072);
    assert_int_equal(ag_decimal_parse(&out, "1e-16383", 8, &err), AG_OK);
    assert_int_equal(out.len, 2 + 16383);
    assert_int_equal(ag_decimal_add(&out, big.data, big.len, big.data, big.len, &err), AG_ERROR);
    assert_string_equal(ag_error_message(&err),
                        "decimal out of range: at most 131072 digits before and 16383 after the point");
    assert_int_equal(ag_decimal_mul(&out, big.data, big.len, "2", 1, &err), AG_ERROR);
    assert_int_equal(ag_decimal_div(&out, "1", 1, "3", 1, 16384, &err), AG_ERROR);
    assert_int_equal(err.cls, AG_EXC_ARGUMENT);
    assert_int_equal(ag_decimal_round(&out, "1", 1, -1, &err), AG_ERROR);
    assert_int_equal(err.cls, AG_EXC_ARGUMENT);
    assert_int_equal(ag_decimal_div(&out, "1", 1, "0.00", 4, 2, &err), AG_ERROR);
    assert_int_equal(err.cls, AG_EXC_DATA);
    assert_string_equal(ag_error_message(&err), "division of a decimal by zero");
    ag_error_clear(&err);
    ag_buf_clear(&big);
    ag_buf_clear(&out);
}

static void results_are_appended(void **state)
{
    (void)state;
    ag_buf out;
    ag_error err = {0};
    ag_buf_init(&out, ag_alloc_libc());
    ag_buf_str(&out, "x = ");
    assert_int_equal(ag_decimal_add(&out, "1.5", 3, "2.25", 4, &err), AG_OK);
    assert_string_equal(out.data, "x = 3.75");
    ag_buf_clear(&out);
}

static void order_is_numeric(void **state)
{
    (void)state;
    static const char *const ascending[] = {"-Infinity", "-100",    "-99.99", "-99.989", "-1",
                                            "-0.10",     "-0.0999", "0",      "0.001",   "0.01",
                                            "1",         "1.01",    "9.9999", "10",      "99999999999999999999.1",
                                            "Infinity",  "NaN"};
    size_t n = sizeof ascending / sizeof ascending[0];
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            const char *a = ascending[i], *b = ascending[j];
            assert_int_equal(ag_decimal_compare(a, strlen(a), b, strlen(b)), (i > j) - (i < j));
        }
    }
    assert_int_equal(ag_decimal_compare("1.0", 3, "1.000", 5), 0);
    assert_int_equal(ag_decimal_compare("-1.50", 5, "-1.5", 4), 0);
    assert_int_equal(ag_decimal_compare("0.00", 4, "0", 1), 0);
}

static void digits_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int significant, scale;
    } cases[] = {{"0", 1, 0},    {"0.00", 1, 2}, {"1.50", 3, 2},  {"-0.0012", 2, 4},
                 {"1000", 4, 0}, {"NaN", 0, 0},  {"12.34", 4, 2}, {"-Infinity", 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int significant, scale;
        ag_decimal_digits(cases[i].text, strlen(cases[i].text), &significant, &scale);
        assert_int_equal(significant, cases[i].significant);
        assert_int_equal(scale, cases[i].scale);
    }
}

static void doubles_are_the_nearest(void **state)
{
    (void)state;
    double f;
    assert_true(ag_decimal_to_double("0.1", 3, &f) && f == 0.1);
    assert_true(ag_decimal_to_double("-12345678901234567890.125", 25, &f) && f == -12345678901234567890.125);
    assert_false(ag_decimal_to_double("NaN", 3, &f));
    assert_false(ag_decimal_to_double("-Infinity", 9, &f));
}

/* ---- laws, over random numbers far longer than the table's ---- */

static uint64_t seed = 42;
static unsigned pick(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % n;
}

static char *random_decimal(unsigned max_digits)
{
    unsigned ints = 1 + pick(max_digits), scale = pick(3) ? pick(max_digits) : 0;
    char *s = malloc(ints + scale + 3), *p = s;
    if (pick(2))
        *p++ = '-';
    /* runs of 9 and 0 make carries and the rare corrections of the division */
    unsigned kind = pick(4);
    for (unsigned i = 0; i < ints + scale; i++) {
        if (i == ints)
            *p++ = '.';
        *p++ = (char)('0' + (kind == 0 ? pick(10) : kind == 1 ? 9 : kind == 2 ? 9 * pick(2) : pick(20) == 0));
    }
    *p = '\0';
    return s;
}

static void canonical(ag_buf *out, const char *s)
{
    ag_error err = {0};
    ag_buf_init(out, ag_alloc_libc());
    assert_int_equal(ag_decimal_parse(out, s, strlen(s), &err), AG_OK);
}

static void result(ag_buf *out, op o, const ag_buf *a, const ag_buf *b, int scale)
{
    ag_error err = {0};
    ag_buf_init(out, ag_alloc_libc());
    if (run(out, o, a->data, b->data, scale, &err) != AG_OK)
        fail_msg("%s", ag_error_message(&err));
}

/* (a + b) - b = a; (a + b) * b = a * b + b * b */
static void check_sums_and_products(const ag_buf *a, const ag_buf *b)
{
    ag_buf sum, back, product, left, right, square;
    result(&sum, op_add, a, b, 0);
    result(&back, op_sub, &sum, b, 0);
    assert_int_equal(ag_decimal_compare(back.data, back.len, a->data, a->len), 0);
    result(&product, op_mul, &sum, b, 0);
    result(&left, op_mul, b, a, 0);
    result(&square, op_mul, b, b, 0);
    result(&right, op_add, &left, &square, 0);
    assert_int_equal(ag_decimal_compare(product.data, product.len, right.data, right.len), 0);
    ag_buf *all[] = {&sum, &back, &product, &left, &right, &square};
    for (size_t i = 0; i < 6; i++)
        ag_buf_clear(all[i]);
}

/* |a - q * b| * 2 <= |b| * 10^-scale */
static void check_quotient(const ag_buf *a, const ag_buf *b, int scale)
{
    ag_buf q, back, rest, twice, unit, limit;
    result(&q, op_div, a, b, scale);
    result(&back, op_mul, &q, b, 0);
    result(&rest, op_sub, a, &back, 0);
    result(&twice, op_add, &rest, &rest, 0);
    char text[16];
    (void)snprintf(text, sizeof text, "1e-%d", scale);
    canonical(&unit, text);
    result(&limit, op_mul, b, &unit, 0);
    const char *t = twice.data + (twice.data[0] == '-'), *l = limit.data + (limit.data[0] == '-');
    if (ag_decimal_compare(t, strlen(t), l, strlen(l)) > 0)
        fail_msg("%s / %s = %s", a->data, b->data, q.data);
    ag_buf *all[] = {&q, &back, &rest, &twice, &unit, &limit};
    for (size_t i = 0; i < 6; i++)
        ag_buf_clear(all[i]);
}

static void arithmetic_keeps_its_laws(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++) {
        unsigned digits = i % 10 == 0 ? 400 : 40;
        char *s = random_decimal(digits), *t = random_decimal(digits);
        ag_buf a, b, rounded;
        canonical(&a, s);
        canonical(&b, t);
        check_sums_and_products(&a, &b);
        if (strpbrk(b.data, "123456789"))
            check_quotient(&a, &b, (int)pick(60));
        int significant, scale, want = (int)pick(30);
        result(&rounded, op_round, &a, &a, want);
        ag_decimal_digits(rounded.data, rounded.len, &significant, &scale);
        assert_int_equal(scale, want);
        free(s);
        free(t);
        ag_buf_clear(&a);
        ag_buf_clear(&b);
        ag_buf_clear(&rounded);
    }
}

static ag_status calculate(const ag_alloc *a, void *ud)
{
    (void)ud;
    ag_buf out, longer;
    ag_error err;
    ag_error_init(&err, a);
    ag_buf_init(&out, a);
    ag_buf_init(&longer, a);
    ag_status st = ag_decimal_parse(&longer, "1234567890123456789.1e180", 25, &err);
    if (st == AG_OK)
        st = ag_decimal_mul(&out, longer.data, longer.len, longer.data, longer.len, &err);
    if (st == AG_OK) {
        ag_buf_reset(&out);
        st = ag_decimal_div(&out, longer.data, longer.len, "1234567890123456789.1", 21, 0, &err);
    }
    if (st == AG_OK)
        assert_int_equal(out.len, 181);
    if (st == AG_OK)
        st = ag_decimal_add(&out, longer.data, longer.len, "1", 1, &err);
    if (st == AG_OK)
        st = ag_decimal_round(&out, longer.data, longer.len, 3, &err);
    ag_buf_clear(&out);
    ag_buf_clear(&longer);
    ag_error_clear(&err);
    return st;
}

static void arithmetic_survives_no_memory(void **state)
{
    (void)state;
    sweep_run(calculate, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_agrees_with_python),
        cmocka_unit_test(division_guesses_are_corrected),
        cmocka_unit_test(special_values_follow_postgresql),
        cmocka_unit_test(spellings_become_canonical),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(limits_are_postgresqls),
        cmocka_unit_test(results_are_appended),
        cmocka_unit_test(order_is_numeric),
        cmocka_unit_test(digits_are_counted),
        cmocka_unit_test(doubles_are_the_nearest),
        cmocka_unit_test(arithmetic_keeps_its_laws),
        cmocka_unit_test(arithmetic_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Buffers with sticky failure; numbers to and from text, under a locale with a decimal comma too. */
#include "base/buf.h"
#include "test/sweep.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void text_is_put_together(void **state)
{
    (void)state;
    ag_buf b;
    ag_buf_init(&b, ag_alloc_libc());
    assert_true(ag_buf_ok(&b));
    ag_buf_add(&b, NULL, 0);
    assert_null(b.data);
    ag_buf_str(&b, "ab");
    ag_buf_char(&b, 'c');
    ag_buf_add(&b, "d\0e", 3);
    assert_int_equal(b.len, 6);
    assert_memory_equal(b.data, "abcd\0e", 7);
    ag_buf_truncate(&b, 3);
    ag_buf_truncate(&b, 10);
    assert_string_equal(b.data, "abc");
    ag_buf_insert(&b, 0, "<<", 2);
    ag_buf_insert(&b, 5, ">>", 2);
    ag_buf_insert(&b, 3, "-", 1);
    ag_buf_insert(&b, 3, "", 0);
    assert_string_equal(b.data, "<<a-bc>>");
    ag_buf_printf(&b, "%d%s", 5, "x");
    assert_string_equal(b.data, "<<a-bc>>5x");
    char long_text[600];
    memset(long_text, 'y', 599);
    long_text[599] = '\0';
    ag_buf_reset(&b);
    assert_int_equal(b.len, 0);
    ag_buf_printf(&b, "%s|%s", long_text, long_text);
    assert_int_equal(b.len, 1199);
    assert_int_equal(strlen(b.data), 1199);
    ag_buf_clear(&b);
    assert_null(b.data);
}

static void every_length_leaves_room_for_the_nul(void **state)
{
    (void)state;
    ag_buf b;
    ag_buf_init(&b, ag_alloc_libc());
    for (size_t n = 0; n < 1000; n++) {
        assert_true(b.len == n && (n == 0 || (b.cap > n && b.data[n] == '\0')));
        ag_buf_char(&b, 'x');
    }
    ag_buf_clear(&b);
}

static void the_bytes_can_be_taken(void **state)
{
    (void)state;
    ag_buf b;
    size_t len = 9;
    ag_buf_init(&b, ag_alloc_libc());
    char *p = ag_buf_take(&b, &len);
    assert_string_equal(p, "");
    assert_int_equal(len, 0);
    ag_mem_free(ag_alloc_libc(), p);
    ag_buf_str(&b, "text");
    p = ag_buf_take(&b, NULL);
    assert_string_equal(p, "text");
    assert_null(b.data);
    ag_mem_free(ag_alloc_libc(), p);
}

static void failure_sticks_until_reset(void **state)
{
    (void)state;
    sweep s;
    ag_buf b;
    sweep_init(&s);
    ag_buf_init(&b, &s.alloc);
    ag_buf_str(&b, "kept");
    s.fail_at = s.calls + 1;
    char big[500] = {0};
    ag_buf_add(&b, big, sizeof big);
    assert_false(ag_buf_ok(&b));
    ag_buf_str(&b, "x");
    ag_buf_char(&b, 'x');
    ag_buf_int(&b, 1);
    ag_buf_double(&b, 1.5);
    ag_buf_printf(&b, "%d", 1);
    ag_buf_insert(&b, 0, "x", 1);
    ag_buf_truncate(&b, 0);
    assert_int_equal(b.len, 4);
    assert_null(ag_buf_take(&b, NULL));
    assert_false(ag_buf_reserve(&b, 0));
    ag_buf_reset(&b);
    assert_true(ag_buf_ok(&b));
    ag_buf_str(&b, "again");
    assert_string_equal(b.data, "again");
    assert_false(ag_buf_reserve(&b, SIZE_MAX));
    assert_false(ag_buf_ok(&b));
    ag_buf_clear(&b);
    assert_int_equal(s.live, 0);
}

static ag_status write_much(const ag_alloc *a, void *ud)
{
    (void)ud;
    ag_buf b;
    ag_buf_init(&b, a);
    for (int i = 0; i < 100; i++)
        ag_buf_printf(&b, "%d and %300d;", i, i);
    char *p = ag_buf_take(&b, NULL);
    ag_mem_free(a, p);
    ag_buf_clear(&b);
    return p ? AG_OK : AG_NOMEM;
}

static void buffers_survive_no_memory(void **state)
{
    (void)state;
    sweep_run(write_much, NULL);
}

/* ---- integers ---- */

static void integers_round_trip(void **state)
{
    (void)state;
    static const int64_t values[] = {0, 1, -1, 9, 10, -10, 999, INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1};
    ag_buf b;
    ag_buf_init(&b, ag_alloc_libc());
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char want[32];
        int64_t back;
        (void)snprintf(want, sizeof want, "%lld", (long long)values[i]);
        ag_buf_reset(&b);
        ag_buf_int(&b, values[i]);
        assert_string_equal(b.data, want);
        assert_true(ag_parse_int64(b.data, b.len, &back));
        assert_int_equal(back, values[i]);
    }
    ag_buf_clear(&b);
}

static void only_whole_integers_are_read(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "-",
                                      "+",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "1e3",
                                      "0x1",
                                      "--1",
                                      "+-1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999",
                                      "18446744073709551617",
                                      "1_0"};
    int64_t v;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(ag_parse_int64(bad[i], strlen(bad[i]), &v));
    assert_false(ag_parse_int64("1\0", 2, &v));
    assert_true(ag_parse_int64("+0012", 5, &v));
    assert_int_equal(v, 12);
    assert_true(ag_parse_int64("123", 2, &v));
    assert_int_equal(v, 12);
    assert_true(ag_parse_int64("-0", 2, &v));
    assert_int_equal(v, 0);
}

/* ---- doubles ---- */

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void check_double(ag_buf *b, double v)
{
    double back;
    ag_buf_reset(b);
    ag_buf_double(b, v);
    if (!ag_parse_double(b->data, b->len, &back) || !same_bits(v, back))
        fail_msg("%a is written %s", v, b->data);
    if (isfinite(v) && !strpbrk(b->data, ".e"))
        fail_msg("%s looks like an integer", b->data);
}

/* The number of significant digits in b. */
static int digits_in(const char *s)
{
    int n = 0, zeros = 0;
    bool started = false;
    for (; *s && *s != 'e'; s++) {
        if (*s < '0' || *s > '9')
            continue;
        started |= *s != '0';
        if (!started)
            continue;
        zeros = *s == '0' ? zeros + 1 : 0;
        n++;
    }
    return n - zeros;
}

static void doubles_have_one_text(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {100.0, "100.0"},
        {123.456, "123.456"},
        {1e15, "1000000000000000.0"},
        {1e16, "1e+16"},
        {1e22, "1e+22"},
        {1.5e300, "1.5e+300"},
        {0.0001, "0.0001"},
        {0.00012345, "0.00012345"},
        {0.00001, "1e-05"},
        {1.0 / 3, "0.3333333333333333"},
        {0.1 + 0.2, "0.30000000000000004"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {4.9e-324, "5e-324"},
        {9007199254740993.0, "9007199254740992.0"},
        {123456789012345680.0, "1.2345678901234568e+17"},
        {1.2345e-7, "1.2345e-07"},
        {7.120236347223045e-307, "7.120236347223045e-307"},
        {(double)INFINITY, "inf"},
        {-(double)INFINITY, "-inf"},
        {(double)NAN, "nan"},
    };
    ag_buf b;
    ag_buf_init(&b, ag_alloc_libc());
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ag_buf_reset(&b);
        ag_buf_double(&b, cases[i].v);
        assert_string_equal(b.data, cases[i].text);
    }
    ag_buf_clear(&b);
}

static void doubles_round_trip_shortest(void **state)
{
    (void)state;
    ag_buf b;
    uint64_t x = 99;
    ag_buf_init(&b, ag_alloc_libc());
    for (int e = -1074; e <= 1023; e++)
        check_double(&b, ldexp(1.0, e));
    for (int i = 0; i < 100000; i++) {
        double v;
        x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        memcpy(&v, &x, sizeof v);
        if (i % 2)
            v = (double)(int64_t)(x >> 40) / 100; /* prices */
        if (!isfinite(v))
            continue;
        check_double(&b, v);
        /* no shorter rounding of it reads back */
        int n = digits_in(b.data);
        char shorter[40];
        if (n > 1) {
            (void)snprintf(shorter, sizeof shorter, "%.*e", n - 2, v);
            if (same_bits(strtod(shorter, NULL), v))
                fail_msg("%s is longer than %s", b.data, shorter);
        }
    }
    ag_buf_clear(&b);
}

static void reading_agrees_with_strtod(void **state)
{
    (void)state;
    uint64_t x = 5;
    for (int i = 0; i < 100000; i++) {
        char text[64];
        double v;
        x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        unsigned a = (unsigned)(x >> 33), e = (unsigned)(x >> 20) % 700;
        if (i % 3 == 0)
            (void)snprintf(text, sizeof text, "%u%u.%u", a, a % 1000003, e * 7919);
        else if (i % 3 == 1)
            (void)snprintf(text, sizeof text, "-.%06u%ue%d", e, a, (int)e - 400);
        else
            (void)snprintf(text, sizeof text, "%u.E%d", a, (int)e - 350);
        double want = strtod(text, NULL);
        bool ok = ag_parse_double(text, strlen(text), &v);
        if (ok != (bool)isfinite(want) || (ok && !same_bits(v, want)))
            fail_msg("%s", text);
    }
}

static void long_texts_are_rounded_right(void **state)
{
    (void)state;
    /* halfway between 1 and the next double, then a 1 far behind */
    char text[2100] = "1.00000000000000011102230246251565404236316680908203125";
    double v;
    size_t n = strlen(text);
    assert_false(ag_parse_double("inf\0x", 5, &v)); /* a NUL is no end */
    assert_true(ag_parse_double(text, n, &v) && v == 1.0);
    memset(text + n, '0', 2000);
    text[n + 1999] = '1';
    assert_true(ag_parse_double(text, n + 1999, &v) && v == 1.0);
    assert_true(ag_parse_double(text, n + 2000, &v) && v == 1.0 + DBL_EPSILON);
    memset(text, '0', 2000);
    memcpy(text + 2000, "25e-1", 5);
    assert_true(ag_parse_double(text, 2005, &v) && v == 2.5);
    memset(text, '1', 2000);
    memcpy(text + 2000, "e-1999", 6);
    assert_true(ag_parse_double(text, 2006, &v) && v == 1.1111111111111112);
}

static void only_whole_doubles_are_read(void **state)
{
    (void)state;
    static const char *const bad[] = {"",       "-",   ".",     "e5",    "1e",    "1e+",  "1.2.3",
                                      "1,5",    " 1",  "1 ",    "0x10",  "infin", "nanx", "1e999",
                                      "-1e999", "+-1", "1e5.0", "--inf", "1f",    "1d0",  "nan(1)"};
    double v;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (ag_parse_double(bad[i], strlen(bad[i]), &v))
            fail_msg("taken: %s", bad[i]);
    }
    assert_true(ag_parse_double("-Infinity", 9, &v) && v < 0 && isinf(v));
    assert_true(ag_parse_double("NaN", 3, &v) && isnan(v));
    assert_true(ag_parse_double("+INF", 4, &v) && v > 0 && isinf(v));
    assert_true(ag_parse_double("1e-999", 6, &v) && v == 0);
    assert_true(ag_parse_double("0e99999999999999999999", 22, &v) && v == 0);
    assert_true(ag_parse_double("1e0000000000000000000000001", 27, &v) && v == 10);
}

/* Switches to a locale with a decimal comma: an installed one, else one made for the occasion. */
static bool set_comma_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (setlocale(LC_NUMERIC, names[i]))
            return true;
    }
    char dir[] = "/tmp/argent_locale_XXXXXX", command[200];
    if (!mkdtemp(dir))
        return false;
    (void)snprintf(command, sizeof command, "localedef -c -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", dir);
    bool made = system(command) >= 0 && setenv("LOCPATH", dir, 1) == 0 && setlocale(LC_NUMERIC, "de_DE.UTF-8");
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) == 0 && made;
}

static void the_locale_does_not_matter(void **state)
{
    (void)state;
    if (!set_comma_locale()) {
        print_message("skipped: there is no locale with a decimal comma and localedef makes none\n");
        skip();
    }
    char comma[8];
    double v;
    ag_buf b;
    ag_buf_init(&b, ag_alloc_libc());
    (void)snprintf(comma, sizeof comma, "%.1f", 0.5);
    ag_buf_double(&b, 1234.5);
    bool ok = ag_parse_double("0.25", 4, &v), bad = ag_parse_double("0,25", 4, &v);
    (void)setlocale(LC_NUMERIC, "C");
    assert_string_equal(comma, "0,5");
    assert_string_equal(b.data, "1234.5");
    assert_true(ok && !bad && v == 0.25);
    ag_buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_put_together),         cmocka_unit_test(every_length_leaves_room_for_the_nul),
        cmocka_unit_test(the_bytes_can_be_taken),       cmocka_unit_test(failure_sticks_until_reset),
        cmocka_unit_test(buffers_survive_no_memory),    cmocka_unit_test(integers_round_trip),
        cmocka_unit_test(only_whole_integers_are_read), cmocka_unit_test(doubles_have_one_text),
        cmocka_unit_test(doubles_round_trip_shortest),  cmocka_unit_test(reading_agrees_with_strtod),
        cmocka_unit_test(long_texts_are_rounded_right), cmocka_unit_test(only_whole_doubles_are_read),
        cmocka_unit_test(the_locale_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

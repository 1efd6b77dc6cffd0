/* UTF-8 against a decoder that works the other way round: every code point is encoded, everything else is refused. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t encode(char out[4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned first[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(first[n] | c);
    return n;
}

static void every_code_point_is_valid_but_surrogates(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x1FFFFF; c++) {
        char s[4];
        size_t n = encode(s, c);
        bool want = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
        if (ag_utf8_valid(s, n) != want)
            fail_msg("U+%X", (unsigned)c);
        for (size_t cut = 1; cut < n; cut++)
            assert_false(ag_utf8_valid(s, cut));
    }
}

/* Of all sequences of up to three bytes only what encode makes is valid. */
static void nothing_else_is_valid(void **state)
{
    (void)state;
    size_t valid[4] = {0};
    char s[4] = {0};
    for (unsigned v = 0; v < 0x1000000; v++) {
        s[0] = (char)(v >> 16);
        s[1] = (char)(v >> 8);
        s[2] = (char)v;
        valid[3] += ag_utf8_valid(s, 3);
        if (v < 0x10000)
            valid[2] += ag_utf8_valid(s + 1, 2);
    }
    size_t one = 0x80, two = 0x800 - 0x80, three = 0x10000 - 0x800 - 0x800;
    assert_int_equal(valid[2], one * one + two);
    assert_int_equal(valid[3], one * one * one + 2 * one * two + three);
}

static uint32_t decode4(const unsigned char *s)
{
    return (s[0] & 7u) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6 | (s[3] & 0x3Fu);
}

/* Four bytes, each of all leads and seconds with the tails that matter: valid if encode makes them of what they decode to. */
static void four_bytes_are_what_encode_makes(void **state)
{
    (void)state;
    static const unsigned char tails[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    for (unsigned v = 0; v < 0x10000 * 100; v++) {
        unsigned char s[4] = {(unsigned char)(0xF0 | (v >> 8 & 0xF)), (unsigned char)v, tails[v / 65536 / 10],
                              tails[v / 65536 % 10]};
        char again[4];
        uint32_t c = decode4(s);
        bool want = c <= 0x10FFFF && encode(again, c) == 4 && memcmp(s, again, 4) == 0;
        if (ag_utf8_valid((const char *)s, 4) != want)
            fail_msg("%02x %02x %02x %02x", s[0], s[1], s[2], s[3]);
    }
}

static void faults_are_found_at_every_place(void **state)
{
    (void)state;
    char s[40];
    assert_true(ag_utf8_valid("", 0));
    assert_true(ag_utf8_valid("a\0b", 3));
    for (size_t len = 1; len <= sizeof s; len++) {
        memset(s, 'x', sizeof s);
        assert_true(ag_utf8_valid(s, len));
        for (size_t i = 0; i < len; i++) {
            s[i] = (char)0xFF;
            assert_false(ag_utf8_valid(s, len));
            s[i] = (char)0xC3; /* needs one more */
            assert_false(ag_utf8_valid(s, len));
            if (i + 1 < len) {
                s[i + 1] = (char)0xA9;
                assert_true(ag_utf8_valid(s, len));
                s[i + 1] = 'x';
            }
            s[i] = 'x';
        }
    }
}

static void lengths_count_code_points(void **state)
{
    (void)state;
    assert_int_equal(ag_utf8_length("", 0), 0);
    assert_int_equal(ag_utf8_length("abc", 3), 3);
    assert_int_equal(ag_utf8_length("h\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 10), 4);
}

static void cuts_fall_between_code_points(void **state)
{
    (void)state;
    const char *s = "h\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    for (size_t max = 0; max < 12; max++) {
        size_t n = ag_utf8_cut(s, 10, max);
        assert_int_equal(n, want[max]);
        assert_true(ag_utf8_valid(s, n));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_is_valid_but_surrogates),
        cmocka_unit_test(nothing_else_is_valid),
        cmocka_unit_test(four_bytes_are_what_encode_makes),
        cmocka_unit_test(faults_are_found_at_every_place),
        cmocka_unit_test(lengths_count_code_points),
        cmocka_unit_test(cuts_fall_between_code_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

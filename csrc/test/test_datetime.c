/* Dates, times, datetimes, intervals: text both ways, order, arithmetic; against a calendar that counts day by day. */
#include "value/datetime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef ag_status (*parser)(ag_value *out, const char *s, size_t n, ag_error *err);

static ag_value parse(parser p, const char *s)
{
    ag_error err = {0};
    ag_value v = {0};
    ag_status st = p(&v, s, strlen(s), &err);
    if (st != AG_OK)
        fail_msg("%s: %s", s, ag_error_message(&err));
    return v;
}

static void assert_refused(parser p, const char *s)
{
    ag_error err = {0};
    ag_value v = {0};
    if (p(&v, s, strlen(s), &err) == AG_OK)
        fail_msg("taken: %s", s);
    assert_int_equal(err.cls, AG_EXC_DATA);
    ag_error_clear(&err);
}

static void assert_written(const ag_value *v, const char *want)
{
    char text[AG_TEMPORAL_MAX];
    size_t n = ag_temporal_write(text, v, ' ', -1);
    assert_string_equal(text, want);
    assert_int_equal(n, strlen(want));
}

/* ---- the calendar ---- */

static bool is_leap(int y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static void check_day(int y, int m, int d, int64_t days)
{
    char want[40], text[AG_TEMPORAL_MAX];
    ag_civil c;
    ag_value v;
    ag_error err = {0};
    ag_civil_from_days(&c, days);
    if (c.year != y || c.month != m || c.day != d || ag_days_from_civil(y, m, d) != days || !ag_civil_valid(&c))
        fail_msg("day %lld is not %04d-%02d-%02d", (long long)days, y, m, d);
    (void)snprintf(want, sizeof want, "%04d-%02d-%02d", y, m, d);
    v = (ag_value){.kind = AG_V_DATE, .u.i = days};
    size_t n = ag_temporal_write(text, &v, ' ', -1);
    if (n != 10 || strcmp(text, want) != 0)
        fail_msg("%s is written %s", want, text);
    if (ag_date_parse(&v, want, 10, &err) != AG_OK || v.u.i != days)
        fail_msg("%s does not read back", want);
}

static void every_day_of_four_digit_years_round_trips(void **state)
{
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = -719162; /* 0001-01-01 */
    for (int y = 1; y <= 9999; y++) {
        for (int m = 1; m <= 12; m++) {
            int last = lengths[m - 1] + (m == 2 && is_leap(y));
            assert_int_equal(ag_days_in_month(y, m), last);
            for (int d = 1; d <= last; d++)
                check_day(y, m, d, days++);
        }
    }
    assert_int_equal(days, 2932897); /* 10000-01-01 */
}

static void far_days_convert_both_ways(void **state)
{
    (void)state;
    for (int64_t days = AG_DATE_MIN; days <= AG_DATE_MAX; days += 977) {
        ag_civil c;
        ag_civil_from_days(&c, days);
        if (ag_days_from_civil(c.year, c.month, c.day) != days || !ag_civil_valid(&c))
            fail_msg("day %lld", (long long)days);
    }
}

static void microseconds_split_on_both_sides_of_the_epoch(void **state)
{
    (void)state;
    ag_civil c;
    ag_error err = {0};
    int64_t us;
    ag_civil_from_us(&c, -1);
    assert_int_equal(c.year, 1969);
    assert_int_equal(c.month, 12);
    assert_int_equal(c.day, 31);
    assert_int_equal(c.hour, 23);
    assert_int_equal(c.microsecond, 999999);
    assert_int_equal(ag_civil_to_us(&us, &c, &err), AG_OK);
    assert_int_equal(us, -1);
    for (int64_t t = AG_DATETIME_MIN; t < AG_DATETIME_MAX - INT64_C(7000000000000007); t += INT64_C(7000000000000007)) {
        ag_civil_from_us(&c, t);
        assert_true(ag_civil_valid(&c));
        assert_int_equal(ag_civil_to_us(&us, &c, &err), AG_OK);
        assert_int_equal(us, t);
    }
    ag_civil_from_us(&c, INT64_MIN);
    assert_true(ag_civil_valid(&c));
    c = (ag_civil){.year = 294247, .month = 1, .day = 11};
    assert_int_equal(ag_civil_to_us(&us, &c, &err), AG_ERROR);
    ag_error_clear(&err);
}

static void impossible_fields_are_not_valid(void **state)
{
    (void)state;
    const ag_civil bad[] = {
        {.year = 2023, .month = 2, .day = 29},
        {.year = 1900, .month = 2, .day = 29},
        {.year = 2024, .month = 13, .day = 1},
        {.year = 2024, .month = 0, .day = 1},
        {.year = 2024, .month = 4, .day = 31},
        {.year = 2024, .month = 4, .day = 0},
        {2024, 1, 1, 24, 0, 0, 0},
        {2024, 1, 1, 0, 60, 0, 0},
        {2024, 1, 1, 0, 0, 60, 0},
        {2024, 1, 1, 0, 0, 0, 1000000},
        {2024, 1, 1, -1, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(ag_civil_valid(&bad[i]));
}

/* ---- text ---- */

typedef struct text_case {
    parser parse;
    const char *text;
    const char *written; /* NULL: the same */
    int64_t i;
    int offset; /* 1: not zoned */
} text_case;

#define NAIVE 1
static const text_case texts[] = {
    {ag_date_parse, "1970-01-01", NULL, 0, NAIVE},
    {ag_date_parse, "2024-02-29", NULL, 19782, NAIVE},
    {ag_date_parse, "12345-01-02", NULL, 3789392, NAIVE},
    {ag_date_parse, "+12345-01-02", "12345-01-02", 3789392, NAIVE},
    {ag_date_parse, "0001-12-31 BC", NULL, -719163, NAIVE},
    {ag_date_parse, "0044-03-15 BC", NULL, -735160, NAIVE},
    {ag_date_parse, "-0043-03-15", "0044-03-15 BC", -735160, NAIVE},
    {ag_date_parse, "+0000-12-31", "0001-12-31 BC", -719163, NAIVE},
    {ag_date_parse, "4714-11-24 BC", NULL, AG_DATE_MIN, NAIVE},
    {ag_date_parse, "5874897-12-31", NULL, AG_DATE_MAX, NAIVE},
    {ag_date_parse, "infinity", NULL, AG_DATE_POS_INF, NAIVE},
    {ag_date_parse, "-infinity", NULL, AG_DATE_NEG_INF, NAIVE},
    {ag_time_parse, "00:00", "00:00:00", 0, NAIVE},
    {ag_time_parse, "23:59:59.999999", NULL, INT64_C(86399999999), NAIVE},
    {ag_time_parse, "24:00:00", NULL, AG_US_PER_DAY, NAIVE},
    {ag_time_parse, "10:00:00.5", "10:00:00.500000", INT64_C(36000500000), NAIVE},
    {ag_time_parse, "10:00:00+02", "10:00:00+02:00", INT64_C(36000000000), 7200},
    {ag_time_parse, "10:00-03:30", "10:00:00-03:30", INT64_C(36000000000), -12600},
    {ag_time_parse, "10:00:00+15:59:59", NULL, INT64_C(36000000000), 57599},
    {ag_time_parse, "10:00:00Z", "10:00:00+00:00", INT64_C(36000000000), 0},
    {ag_datetime_parse, "1970-01-01 00:00:00", NULL, 0, NAIVE},
    {ag_datetime_parse, "1970-01-01T00:00", "1970-01-01 00:00:00", 0, NAIVE},
    {ag_datetime_parse, "1969-12-31 23:59:59.999999", NULL, -1, NAIVE},
    {ag_datetime_parse, "1969-12-31 24:00:00", "1970-01-01 00:00:00", 0, NAIVE},
    {ag_datetime_parse, "2024-01-05 10:00:00+02", "2024-01-05 10:00:00+02:00", INT64_C(1704441600000000), 7200},
    {ag_datetime_parse, "2024-01-05T08:00:00Z", "2024-01-05 08:00:00+00:00", INT64_C(1704441600000000), 0},
    {ag_datetime_parse, "1970-01-01 00:00:00-00:00:01", NULL, 1000000, -1},
    {ag_datetime_parse, "4714-11-24 00:00:00 BC", NULL, AG_DATETIME_MIN, NAIVE},
    {ag_datetime_parse, "4714-11-23 23:00:00-01:00 BC", NULL, AG_DATETIME_MIN, -3600},
    {ag_datetime_parse, "0001-01-01 00:00:00+00 BC", "0001-01-01 00:00:00+00:00 BC", INT64_C(-62167219200000000), 0},
    {ag_datetime_parse, "294247-01-10 04:00:54.775806", NULL, AG_DATETIME_MAX, NAIVE},
    {ag_datetime_parse, "infinity", NULL, INT64_MAX, NAIVE},
    {ag_datetime_parse, "-infinity", NULL, INT64_MIN, NAIVE},
};

static void texts_read_and_write(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const text_case *t = &texts[i];
        ag_value v = parse(t->parse, t->text);
        assert_int_equal(v.u.i, t->i);
        assert_int_equal(v.flags, t->offset == NAIVE ? 0 : AG_V_ZONED);
        assert_int_equal(v.offset, t->offset == NAIVE ? 0 : t->offset);
        assert_written(&v, t->written ? t->written : t->text);
    }
}

static void other_texts_are_refused(void **state)
{
    (void)state;
    static const char *const dates[] = {
        "",
        "2024",
        "2024-1-05",
        "2024-01-5",
        "2024-13-01",
        "2024-00-01",
        "2024-01-00",
        "2024-02-30",
        "0000-01-01",
        "0000-01-01 BC",
        "24-01-05",
        "2024-01-05 ",
        " 2024-01-05",
        "2024-01-05x",
        "2024/01/05",
        "-0043-03-15 BC",
        "5874898-01-01",
        "4714-11-23 BC",
        "99999999-01-01",
        "2024-01-05 10:00:00",
        "Infinity",
        "infinit",
        "2024-01-0\xC3",
        "--2024-01-05",
        "2023-02-29",
    };
    static const char *const times[] = {
        "",          "1:00",          "10",           "10:60",          "24:00:01",
        "24:01",     "25:00",         "10:00:60",     "10:00:00.",      "10:00:00.1234567",
        "10:00:00+", "10:00:00+2",    "10:00:00+16",  "10:00:00+02:60", "10:00:00 Z",
        "10:00:00z", "10:00:00+0200", "10:00:00+02:", "-10:00",         "10:00.5",
    };
    static const char *const datetimes[] = {
        "2024-01-05",
        "2024-01-05 ",
        "2024-01-05  10:00",
        "2024-01-05t10:00",
        "2024-01-05T10",
        "2024-01-05 25:00:00",
        "294247-01-10 04:00:54.775807",
        "294247-01-10 04:00:54.775808",
        "4714-11-23 23:59:59 BC",
        "5874897-12-31 00:00:00",
        "2024-01-05 10:00:00 BCE",
        "2024-01-05 10:00:00+02 ",
        "2024-02-30 10:00:00",
    };
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++)
        assert_refused(ag_date_parse, dates[i]);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        assert_refused(ag_time_parse, times[i]);
    for (size_t i = 0; i < sizeof datetimes / sizeof datetimes[0]; i++)
        assert_refused(ag_datetime_parse, datetimes[i]);
}

static void messages_quote_the_text_and_show_the_form(void **state)
{
    (void)state;
    ag_error err = {0};
    ag_value v;
    assert_int_equal(ag_date_parse(&v, "05.01.2024", 10, &err), AG_ERROR);
    assert_string_equal(ag_error_message(&err), "\"05.01.2024\" is not a date: the form is YYYY-MM-DD");
    assert_int_equal(ag_date_parse(&v, "a\0\n\xFF", 4, &err), AG_ERROR);
    assert_string_equal(ag_error_message(&err), "\"a???\" is not a date: the form is YYYY-MM-DD");
    ag_error_clear(&err);
}

static void fractions_are_cut_as_asked(void **state)
{
    (void)state;
    char text[AG_TEMPORAL_MAX];
    ag_value v = parse(ag_time_parse, "01:02:03.456789");
    static const char *const want[] = {"01:02:03",      "01:02:03.4",     "01:02:03.45",    "01:02:03.456",
                                       "01:02:03.4567", "01:02:03.45678", "01:02:03.456789"};
    for (int n = 0; n <= 6; n++) {
        ag_temporal_write(text, &v, ' ', n);
        assert_string_equal(text, want[n]);
    }
    v = parse(ag_datetime_parse, "2024-01-05 10:00:00");
    ag_temporal_write(text, &v, 'T', 3);
    assert_string_equal(text, "2024-01-05T10:00:00.000");
}

/* ---- intervals ---- */

typedef struct interval_case {
    const char *text, *written;
    ag_interval iv;
} interval_case;

#define SEC INT64_C(1000000)
static const interval_case intervals[] = {
    {"00:00:00", "PT0S", {0, 0, 0}},
    {"1 year 2 mons 3 days 04:05:06.7", "P1Y2M3DT4H5M6.700000S", {14706700000, 3, 14}},
    {"-1 years -2 mons +3 days -04:05:06", "P-1Y-2M3DT-4H-5M-6S", {-14706 * SEC, 3, -14}},
    {"P1Y2M3DT4H5M6.7S", "P1Y2M3DT4H5M6.700000S", {14706700000, 3, 14}},
    {"P-1Y14M", "P2M", {0, 0, 2}},
    {"1 week", "P7D", {0, 7, 0}},
    {"P2W1D", "P15D", {0, 15, 0}},
    {"1 day", "P1D", {0, 1, 0}},
    {"-00:00:00.5", "PT-0.500000S", {-500000, 0, 0}},
    {"PT-0.5S", "PT-0.500000S", {-500000, 0, 0}},
    {"90 minutes", "PT1H30M", {5400 * SEC, 0, 0}},
    {"1 hour -2 mins 1.25 secs", "PT58M1.250000S", {3481250000, 0, 0}},
    {"PT36H", "PT36H", {129600 * SEC, 0, 0}},
    {"2562047788:00:54.775807", "PT2562047788H54.775807S", {INT64_MAX, 0, 0}},
    {"-2562047788:00:54.775808", "PT-2562047788H-54.775808S", {INT64_MIN, 0, 0}},
    {"178956970 years 7 mons 2147483647 days", "P178956970Y7M2147483647D", {0, INT32_MAX, INT32_MAX}},
    {"-178956970 years -8 mons -2147483648 days", "P-178956970Y-8M-2147483648D", {0, INT32_MIN, INT32_MIN}},
};

static void intervals_read_and_write(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof intervals / sizeof intervals[0]; i++) {
        const interval_case *t = &intervals[i];
        ag_value want = {.kind = AG_V_INTERVAL, .u.iv = t->iv}, v = parse(ag_interval_parse, t->text);
        if (!ag_value_equal(&v, &want))
            fail_msg("%s", t->text);
        assert_written(&v, t->written);
        v = parse(ag_interval_parse, t->written);
        assert_true(ag_value_equal(&v, &want));
    }
}

static void other_intervals_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "1",
        "P",
        "PT",
        "P1",
        "PT1",
        "P1H",
        "P1S",
        "PT1D",
        "P1YT",
        "P1Y1Y",
        "1 day 1 day",
        "1 year 1 years",
        "1.5 days",
        "P1.5D",
        "1 day 4",
        "1 fortnight",
        "1 day ago",
        "@ 1 day",
        "04:60:00",
        "04:00:60",
        "1 hour 04:00:00",
        "1 day  2 hours",
        " 1 day",
        "1 day ",
        "PT0.1234567S",
        "178956970 years 8 mons",
        "-178956970 years -9 mons",
        "2147483648 days",
        "2562047788:00:54.775808",
        "9999999999999999999 days",
        "P1Y2M3DT4H5M6.7Sx",
        "1 Day",
        "p1d",
        "1 s",
        "2147483647 weeks",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused(ag_interval_parse, bad[i]);
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* Random bits of a random width: small and huge values alike. */
static int64_t random_int(uint64_t *x)
{
    unsigned shift = (unsigned)(next_random(x) % 64);
    return (int64_t)next_random(x) >> shift;
}

static void random_values_round_trip(void **state)
{
    (void)state;
    uint64_t x = 88172645463325252u;
    char text[AG_TEMPORAL_MAX];
    for (int i = 0; i < 200000; i++) {
        ag_value v = {.kind = AG_V_INTERVAL}, back;
        ag_error err = {0};
        v.u.iv = (ag_interval){random_int(&x), (int32_t)random_int(&x), (int32_t)random_int(&x)};
        parser p = ag_interval_parse;
        if (i % 3 == 1) {
            v = (ag_value){.kind = AG_V_DATETIME, .u.i = random_int(&x)};
            v.flags = i % 2 ? AG_V_ZONED : 0;
            v.offset = i % 2 ? (int32_t)(random_int(&x) % (AG_OFFSET_MAX + 1)) : 0;
            p = ag_datetime_parse;
            if (v.u.i < AG_DATETIME_MIN)
                continue;
        } else if (i % 3 == 2) {
            v = (ag_value){.kind = AG_V_TIME, .u.i = llabs(random_int(&x) % (AG_US_PER_DAY + 1))};
            p = ag_time_parse;
        }
        size_t n = ag_temporal_write(text, &v, i % 5 ? ' ' : 'T', -1);
        assert_true(n < AG_TEMPORAL_MAX);
        if (p(&back, text, n, &err) != AG_OK || !ag_value_equal(&v, &back) || v.offset != back.offset)
            fail_msg("%s does not read back: %s", text, ag_error_message(&err));
    }
}

/* ---- order and arithmetic ---- */

static void assert_order(parser p, const char *a, const char *b, int want)
{
    ag_value x = parse(p, a), y = parse(p, b);
    assert_int_equal(ag_temporal_compare(&x, &y), want);
    assert_int_equal(ag_temporal_compare(&y, &x), -want);
    assert_int_equal(ag_temporal_compare(&x, &x), 0);
}

static void values_have_an_order(void **state)
{
    (void)state;
    assert_order(ag_date_parse, "2024-01-05", "2024-01-06", -1);
    assert_order(ag_date_parse, "infinity", "5874897-12-31", 1);
    assert_order(ag_date_parse, "-infinity", "4714-11-24 BC", -1);
    assert_order(ag_datetime_parse, "2024-01-05 10:00:00+02", "2024-01-05 08:00:00Z", 0);
    assert_order(ag_datetime_parse, "2024-01-05 10:00:00+02", "2024-01-05 09:00:00Z", -1);
    assert_order(ag_time_parse, "10:00", "10:00:00.000001", -1);
    assert_order(ag_time_parse, "10:00+02", "09:00Z", -1);
    assert_order(ag_time_parse, "10:00+02", "08:00Z", -1); /* PostgreSQL: the same instant, east first */
    assert_order(ag_interval_parse, "1 mon", "30 days", 0);
    assert_order(ag_interval_parse, "1 mon", "29 days 23:59:59", 1);
    assert_order(ag_interval_parse, "1 day", "24:00:00", 0);
    assert_order(ag_interval_parse, "-1 days", "-24:00:01", 1);
    assert_order(ag_interval_parse, "-2562047788:00:54.775808", "-2562047788:00:54.775807", -1);
    assert_order(ag_interval_parse, "2562047788:00:54.775807", "178956970 years", -1);
}

typedef struct sum_case {
    parser parse;
    const char *a, *interval;
    int sign;
    const char *want; /* NULL: refused */
} sum_case;

static const sum_case sums[] = {
    {ag_date_parse, "2024-01-31", "1 mon", 1, "2024-02-29"},
    {ag_date_parse, "2023-01-31", "1 mon", 1, "2023-02-28"},
    {ag_date_parse, "2024-03-31", "1 mon", -1, "2024-02-29"},
    {ag_date_parse, "2024-02-29", "1 year", 1, "2025-02-28"},
    {ag_date_parse, "2024-01-01", "1 mon", -1, "2023-12-01"},
    {ag_date_parse, "2024-01-31", "1 mon 1 day", 1, "2024-03-01"},
    {ag_date_parse, "2024-01-31", "1 mon -1 days", -1, "2024-01-01"},
    {ag_date_parse, "2024-01-31", "48:00:00", 1, "2024-02-02"},
    {ag_date_parse, "2024-01-31", "00:00:01", 1, NULL},
    {ag_date_parse, "5874897-12-31", "1 day", 1, NULL},
    {ag_date_parse, "4714-11-24 BC", "1 day", -1, NULL},
    {ag_date_parse, "2024-01-01", "178956970 years", 1, NULL},
    {ag_date_parse, "infinity", "1 year", -1, "infinity"},
    {ag_date_parse, "0001-01-01", "1 day", -1, "0001-12-31 BC"},
    {ag_datetime_parse, "2024-01-31 10:00:00", "1 mon 1 day 14:00:01", 1, "2024-03-02 00:00:01"},
    {ag_datetime_parse, "2024-03-01 00:00:00", "00:00:00.000001", -1, "2024-02-29 23:59:59.999999"},
    {ag_datetime_parse, "2024-01-31 23:30:00-05", "1 mon", 1, "2024-02-29 23:30:00-05:00"},
    {ag_datetime_parse, "2024-01-01 00:30:00+05", "1 mon", -1, "2023-12-01 00:30:00+05:00"},
    {ag_datetime_parse, "294247-01-10 04:00:54.775806", "00:00:00.000001", 1, NULL},
    {ag_datetime_parse, "294247-01-10 04:00:54.775806", "00:00:00.000001", -1, "294247-01-10 04:00:54.775805"},
    {ag_datetime_parse, "2024-01-01 00:00:00", "2562047788:00:54.775807", 1, NULL},
    {ag_datetime_parse, "2024-01-01 00:00:00", "-2562047788:00:54.775808", -1, NULL},
    {ag_datetime_parse, "4714-11-24 00:00:00 BC", "00:00:00.000001", -1, NULL},
    {ag_datetime_parse, "-infinity", "1 day", 1, "-infinity"},
    {ag_time_parse, "23:30", "01:00:00", 1, "00:30:00"},
    {ag_time_parse, "00:30", "01:00:00", -1, "23:30:00"},
    {ag_time_parse, "10:00+02", "5 mons 3 days 25:00:00", 1, "11:00:00+02:00"},
    {ag_time_parse, "10:00", "-2562047788:00:54.775808", 1, "05:59:05.224192"},
    {ag_interval_parse, "1 mon 2 days", "1 mon -3 days 00:00:01", 1, "P2M-1DT1S"},
    {ag_interval_parse, "1 mon", "1 mon", -1, "PT0S"},
    {ag_interval_parse, "2147483647 days", "1 day", 1, NULL},
    {ag_interval_parse, "00:00:00", "-2562047788:00:54.775808", -1, NULL},
};

static void intervals_are_added(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        const sum_case *t = &sums[i];
        ag_error err = {0};
        ag_value a = parse(t->parse, t->a), iv = parse(ag_interval_parse, t->interval);
        ag_status st = ag_temporal_add(&a, &a, &iv.u.iv, t->sign, &err);
        if ((st == AG_OK) != (t->want != NULL))
            fail_msg("%s + %s: %s", t->a, t->interval, ag_error_message(&err));
        if (t->want)
            assert_written(&a, t->want);
        else
            assert_int_equal(err.cls, AG_EXC_DATA);
        ag_error_clear(&err);
    }
}

static void assert_difference(parser p, const char *a, const char *b, const char *want)
{
    ag_error err = {0};
    ag_value x = parse(p, a), y = parse(p, b), d;
    ag_status st = ag_temporal_sub(&d, &x, &y, &err);
    if ((st == AG_OK) != (want != NULL))
        fail_msg("%s - %s: %s", a, b, ag_error_message(&err));
    if (want)
        assert_written(&d, want);
    ag_error_clear(&err);
}

static void differences_are_intervals(void **state)
{
    (void)state;
    assert_difference(ag_date_parse, "2024-03-01", "2024-02-01", "P29D");
    assert_difference(ag_date_parse, "2024-02-01", "2024-03-01", "P-29D");
    assert_difference(ag_date_parse, "5874897-12-31", "4714-11-24 BC", "P2147483493D");
    assert_difference(ag_date_parse, "infinity", "2024-03-01", NULL);
    assert_difference(ag_time_parse, "10:00", "11:30", "PT-1H-30M");
    assert_difference(ag_time_parse, "10:00+02", "10:00Z", "PT-2H");
    assert_difference(ag_time_parse, "10:00+02", "10:00", NULL);
    assert_difference(ag_datetime_parse, "2024-01-02 00:00:00", "2024-01-01 12:00:00", "PT12H");
    assert_difference(ag_datetime_parse, "2024-01-01 12:00:00", "2024-01-03 00:00:00", "P-1DT-12H");
    assert_difference(ag_datetime_parse, "1969-12-31 23:00:00", "1970-01-01 01:00:00", "PT-2H");
    assert_difference(ag_datetime_parse, "2024-01-02 00:00:00Z", "2024-01-01 12:00:00+02", "PT14H");
    assert_difference(ag_datetime_parse, "2024-01-02 00:00:00Z", "2024-01-01 12:00:00", NULL);
    assert_difference(ag_datetime_parse, "294247-01-10 04:00:54.775806", "4714-11-24 00:00:00 BC",
                      "P109192579DT4H54.775806S");
    assert_difference(ag_datetime_parse, "infinity", "2024-01-01 00:00:00", NULL);
    assert_difference(ag_interval_parse, "1 mon", "1 day", "P1M-1D");
    assert_difference(ag_interval_parse, "-2147483648 days", "1 day", NULL);
    ag_error err = {0};
    ag_value date = parse(ag_date_parse, "2024-01-01"), time = parse(ag_time_parse, "10:00"), out;
    assert_int_equal(ag_temporal_sub(&out, &date, &time, &err), AG_ERROR);
    ag_value text = ag_value_text("x", 1);
    assert_int_equal(ag_temporal_sub(&out, &text, &text, &err), AG_ERROR);
    assert_int_equal(ag_temporal_add(&out, &text, &(ag_interval){0}, 1, &err), AG_ERROR);
    ag_error_clear(&err);
}

/* a + (b - a) is b. */
static void sums_undo_differences(void **state)
{
    (void)state;
    uint64_t x = 1234567;
    for (int i = 0; i < 100000; i++) {
        ag_value a = {.kind = AG_V_DATETIME, .u.i = random_int(&x) / 2}, b = a, d, back;
        b.u.i = random_int(&x);
        ag_error err = {0};
        if (a.u.i < AG_DATETIME_MIN || b.u.i < AG_DATETIME_MIN || b.u.i > AG_DATETIME_MAX)
            continue;
        assert_int_equal(ag_temporal_sub(&d, &b, &a, &err), AG_OK);
        assert_false((d.u.iv.days > 0 && d.u.iv.us < 0) || (d.u.iv.days < 0 && d.u.iv.us > 0));
        assert_int_equal(ag_temporal_add(&back, &a, &d.u.iv, 1, &err), AG_OK);
        assert_int_equal(back.u.i, b.u.i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_four_digit_years_round_trips),
        cmocka_unit_test(far_days_convert_both_ways),
        cmocka_unit_test(microseconds_split_on_both_sides_of_the_epoch),
        cmocka_unit_test(impossible_fields_are_not_valid),
        cmocka_unit_test(texts_read_and_write),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(messages_quote_the_text_and_show_the_form),
        cmocka_unit_test(fractions_are_cut_as_asked),
        cmocka_unit_test(intervals_read_and_write),
        cmocka_unit_test(other_intervals_are_refused),
        cmocka_unit_test(random_values_round_trip),
        cmocka_unit_test(values_have_an_order),
        cmocka_unit_test(intervals_are_added),
        cmocka_unit_test(differences_are_intervals),
        cmocka_unit_test(sums_undo_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Reading dates, times and datetimes. A text either matches its form to the last byte or is refused; nothing is guessed,
 * rounded or skipped. */
#include "value/datetime.h"
#include "value/quote.h"
#include "value/scan.h"

#define US_PER_SEC INT64_C(1000000)

static ag_status refuse(ag_error *err, const char *what, const char *form, const char *s, size_t n)
{
    char shown[AG_QUOTE_MAX];
    return ag_fail(err, AG_EXC_DATA, "%s is not a %s: the form is %s", ag_quote(shown, s, n), what, form);
}

/* "YYYY-MM-DD"; *is_signed: the year had a sign and counts from 0. */
static bool scan_date(ag_scan *s, ag_civil *c, bool *is_signed)
{
    int sign;
    int64_t year;
    *is_signed = ag_scan_sign(s, &sign);
    if (!ag_scan_digits(s, 4, 7, &year) || !ag_scan_take(s, '-') || !ag_scan_two(s, &c->month) ||
        !ag_scan_take(s, '-') || !ag_scan_two(s, &c->day))
        return false;
    c->year = year * sign;
    return true;
}

/* A year without sign counts from 1, on either side of the era; checks the date. */
static bool scan_era(ag_scan *s, ag_civil *c, bool is_signed)
{
    if (!is_signed) {
        if (c->year == 0)
            return false;
        if (ag_scan_word(s, " BC"))
            c->year = 1 - c->year;
    }
    return c->month >= 1 && c->month <= 12 && c->day >= 1 && c->day <= ag_days_in_month(c->year, c->month);
}

/* Microseconds since midnight; 24:00:00 is the end of the day. */
static bool scan_time(ag_scan *s, int64_t *us)
{
    int hour, minute, second = 0, fraction = 0;
    if (!ag_scan_two(s, &hour) || !ag_scan_take(s, ':') || !ag_scan_two(s, &minute))
        return false;
    if (ag_scan_take(s, ':')) {
        if (!ag_scan_two(s, &second))
            return false;
        if (s->p < s->end && *s->p == '.' && !ag_scan_fraction(s, &fraction))
            return false;
    }
    *us = ((hour * 60 + minute) * INT64_C(60) + second) * US_PER_SEC + fraction;
    return minute <= 59 && second <= 59 && *us <= AG_US_PER_DAY;
}

/* A zone or nothing: true unless it is malformed. */
static bool scan_zone(ag_scan *s, ag_value *out)
{
    int sign, hour, minute = 0, second = 0;
    if (ag_scan_take(s, 'Z')) {
        out->flags = AG_V_ZONED;
        return true;
    }
    if (!ag_scan_sign(s, &sign))
        return true;
    if (!ag_scan_two(s, &hour))
        return false;
    if (ag_scan_take(s, ':')) {
        if (!ag_scan_two(s, &minute) || (ag_scan_take(s, ':') && !ag_scan_two(s, &second)))
            return false;
    }
    out->flags = AG_V_ZONED;
    out->offset = sign * ((hour * 60 + minute) * 60 + second);
    return minute <= 59 && second <= 59 && out->offset <= AG_OFFSET_MAX && out->offset >= -AG_OFFSET_MAX;
}

static bool scan_infinity(const char *p, size_t n, int *sign)
{
    ag_scan s = {p, p + n};
    (void)ag_scan_sign(&s, sign);
    return ag_scan_word(&s, "infinity") && s.p == s.end;
}

ag_status ag_date_parse(ag_value *out, const char *s, size_t n, ag_error *err)
{
    ag_scan in = {s, s + n};
    ag_civil c;
    bool is_signed;
    int sign;
    *out = (ag_value){.kind = AG_V_DATE};
    if (scan_infinity(s, n, &sign)) {
        out->u.i = sign > 0 ? AG_DATE_POS_INF : AG_DATE_NEG_INF;
        return AG_OK;
    }
    if (!scan_date(&in, &c, &is_signed) || !scan_era(&in, &c, is_signed) || in.p != in.end)
        return refuse(err, "date", "YYYY-MM-DD", s, n);
    out->u.i = ag_days_from_civil(c.year, c.month, c.day);
    if (out->u.i < AG_DATE_MIN || out->u.i > AG_DATE_MAX)
        return ag_fail(err, AG_EXC_DATA, "date out of range: %.*s", (int)n, s);
    return AG_OK;
}

ag_status ag_time_parse(ag_value *out, const char *s, size_t n, ag_error *err)
{
    ag_scan in = {s, s + n};
    int64_t us;
    *out = (ag_value){.kind = AG_V_TIME};
    if (!scan_time(&in, &us) || !scan_zone(&in, out) || in.p != in.end)
        return refuse(err, "time", "HH:MM:SS.ffffff+HH:MM, from seconds on optional", s, n);
    out->u.i = us;
    return AG_OK;
}

ag_status ag_datetime_parse(ag_value *out, const char *s, size_t n, ag_error *err)
{
    ag_scan in = {s, s + n};
    ag_civil c;
    bool is_signed;
    int64_t us, day;
    int sign;
    *out = (ag_value){.kind = AG_V_DATETIME};
    if (scan_infinity(s, n, &sign)) {
        out->u.i = sign > 0 ? INT64_MAX : INT64_MIN;
        return AG_OK;
    }
    bool ok = scan_date(&in, &c, &is_signed) && (ag_scan_take(&in, ' ') || ag_scan_take(&in, 'T')) &&
              scan_time(&in, &us) && scan_zone(&in, out) && scan_era(&in, &c, is_signed) && in.p == in.end;
    if (!ok)
        return refuse(err, "datetime", "YYYY-MM-DD HH:MM:SS.ffffff+HH:MM, from seconds on optional", s, n);
    us -= out->offset * US_PER_SEC;
    if (__builtin_mul_overflow(ag_days_from_civil(c.year, c.month, c.day), AG_US_PER_DAY, &day) ||
        __builtin_add_overflow(day, us, &out->u.i) || out->u.i < AG_DATETIME_MIN || out->u.i > AG_DATETIME_MAX)
        return ag_fail(err, AG_EXC_DATA, "datetime out of range: %.*s", (int)n, s);
    return AG_OK;
}

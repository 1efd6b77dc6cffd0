/* Calendar, order and arithmetic. Days and microseconds are counted; years and months exist only between
 * ag_days_from_civil and ag_civil_from_days. Every sum that a user's number can reach is checked for overflow. */
#include "value/datetime.h"

#define US_PER_SEC  INT64_C(1000000)
#define US_PER_MIN  (60 * US_PER_SEC)
#define US_PER_HOUR (60 * US_PER_MIN)

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* What floor_div leaves, 0 … b - 1. floor_div(a, b) * b itself may overflow. */
static int64_t floor_mod(int64_t a, int64_t b)
{
    int64_t r = a % b;
    return r < 0 ? r + b : r;
}

int64_t ag_days_from_civil(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400);
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

void ag_civil_from_days(ag_civil *out, int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *out = (ag_civil){.day = (int)(doy - (153 * mp + 2) / 5 + 1), .month = (int)(mp < 10 ? mp + 3 : mp - 9)};
    out->year = yoe + era * 400 + (out->month <= 2);
}

void ag_civil_from_us(ag_civil *out, int64_t us)
{
    int64_t t = floor_mod(us, AG_US_PER_DAY);
    ag_civil_from_days(out, floor_div(us, AG_US_PER_DAY));
    out->hour = (int)(t / US_PER_HOUR);
    out->minute = (int)(t / US_PER_MIN % 60);
    out->second = (int)(t / US_PER_SEC % 60);
    out->microsecond = (int)(t % US_PER_SEC);
}

static ag_status out_of_range(ag_error *err, const char *what)
{
    return ag_fail(err, AG_EXC_DATA, "%s out of range", what);
}

/* Microseconds since the epoch of a day and a time of day, which may be a little outside its day. */
static ag_status join_us(int64_t *out, int64_t days, int64_t time, ag_error *err)
{
    int64_t us;
    if (__builtin_mul_overflow(days, AG_US_PER_DAY, &us) || __builtin_add_overflow(us, time, &us) ||
        us < AG_DATETIME_MIN || us > AG_DATETIME_MAX)
        return out_of_range(err, "datetime");
    *out = us;
    return AG_OK;
}

ag_status ag_civil_to_us(int64_t *out, const ag_civil *c, ag_error *err)
{
    int64_t time = c->hour * US_PER_HOUR + c->minute * US_PER_MIN + c->second * US_PER_SEC + c->microsecond;
    return join_us(out, ag_days_from_civil(c->year, c->month, c->day), time, err);
}

int ag_days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

bool ag_civil_valid(const ag_civil *c)
{
    return c->month >= 1 && c->month <= 12 && c->day >= 1 && c->day <= ag_days_in_month(c->year, c->month) &&
           c->hour >= 0 && c->hour <= 23 && c->minute >= 0 && c->minute <= 59 && c->second >= 0 && c->second <= 59 &&
           c->microsecond >= 0 && c->microsecond < US_PER_SEC;
}

/* ---- order ---- */

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_zoned_times(const ag_value *a, const ag_value *b)
{
    int c = order(a->u.i - a->offset * US_PER_SEC, b->u.i - b->offset * US_PER_SEC);
    return c ? c : order(b->offset, a->offset);
}

static int compare_intervals(const ag_interval *a, const ag_interval *b)
{
    int64_t a_more = floor_div(a->us, AG_US_PER_DAY), b_more = floor_div(b->us, AG_US_PER_DAY);
    int c = order(a->months * INT64_C(30) + a->days + a_more, b->months * INT64_C(30) + b->days + b_more);
    return c ? c : order(floor_mod(a->us, AG_US_PER_DAY), floor_mod(b->us, AG_US_PER_DAY));
}

int ag_temporal_compare(const ag_value *a, const ag_value *b)
{
    if (a->kind != b->kind)
        return order(a->kind, b->kind);
    if (a->kind == AG_V_INTERVAL)
        return compare_intervals(&a->u.iv, &b->u.iv);
    if (a->kind == AG_V_TIME && (a->flags & b->flags & AG_V_ZONED))
        return compare_zoned_times(a, b);
    return order(a->u.i, b->u.i);
}

/* ---- arithmetic ---- */

static bool is_infinite(const ag_value *v)
{
    if (v->kind == AG_V_DATE)
        return v->u.i == AG_DATE_NEG_INF || v->u.i == AG_DATE_POS_INF;
    return v->kind == AG_V_DATETIME && (v->u.i == INT64_MIN || v->u.i == INT64_MAX);
}

/* Moves a day by calendar months, back to the month's last day if need be, and then by days. */
static int64_t shift_days(int64_t day, int64_t months, int64_t days)
{
    if (months == 0)
        return day + days;
    ag_civil c;
    ag_civil_from_days(&c, day);
    int64_t m = c.year * 12 + (c.month - 1) + months;
    c.year = floor_div(m, 12);
    c.month = (int)(m - c.year * 12) + 1;
    int last = ag_days_in_month(c.year, c.month);
    return ag_days_from_civil(c.year, c.month, c.day < last ? c.day : last) + days;
}

static ag_status add_date(ag_value *out, const ag_value *a, const ag_interval *iv, int sign, ag_error *err)
{
    if (iv->us % AG_US_PER_DAY != 0)
        return ag_fail(err, AG_EXC_DATA, "a date takes an interval of whole days: make it a datetime first");
    int64_t days = shift_days(a->u.i, iv->months * (int64_t)sign, (iv->days + iv->us / AG_US_PER_DAY) * sign);
    if (days < AG_DATE_MIN || days > AG_DATE_MAX)
        return out_of_range(err, "date");
    *out = *a;
    out->u.i = days;
    return AG_OK;
}

static ag_status add_datetime(ag_value *out, const ag_value *a, const ag_interval *iv, int sign, ag_error *err)
{
    int64_t offset = a->flags & AG_V_ZONED ? a->offset * US_PER_SEC : 0;
    int64_t day = floor_div(a->u.i, AG_US_PER_DAY), time = floor_mod(a->u.i, AG_US_PER_DAY) + offset;
    int64_t over = floor_div(time, AG_US_PER_DAY), more = iv->us / AG_US_PER_DAY, us = 0;
    time += (iv->us % AG_US_PER_DAY) * sign - over * AG_US_PER_DAY - offset;
    day = shift_days(day + over, iv->months * (int64_t)sign, iv->days * (int64_t)sign);
    AG_TRY(join_us(&us, day + more * sign, time, err));
    *out = *a;
    out->u.i = us;
    return AG_OK;
}

static void add_time(ag_value *out, const ag_value *a, const ag_interval *iv, int sign)
{
    *out = *a;
    out->u.i = floor_mod(a->u.i + (iv->us % AG_US_PER_DAY) * sign, AG_US_PER_DAY);
}

static ag_status add_interval(ag_value *out, const ag_interval *a, const ag_interval *b, int sign, ag_error *err)
{
    ag_interval r;
    bool bad;
    if (sign > 0)
        bad = __builtin_add_overflow(a->us, b->us, &r.us) || __builtin_add_overflow(a->days, b->days, &r.days) ||
              __builtin_add_overflow(a->months, b->months, &r.months);
    else
        bad = __builtin_sub_overflow(a->us, b->us, &r.us) || __builtin_sub_overflow(a->days, b->days, &r.days) ||
              __builtin_sub_overflow(a->months, b->months, &r.months);
    if (bad)
        return out_of_range(err, "interval");
    *out = (ag_value){.kind = AG_V_INTERVAL, .u.iv = r};
    return AG_OK;
}

ag_status ag_temporal_add(ag_value *out, const ag_value *a, const ag_interval *iv, int sign, ag_error *err)
{
    if (is_infinite(a)) {
        *out = *a;
        return AG_OK;
    }
    switch (a->kind) {
    case AG_V_DATE: return add_date(out, a, iv, sign, err);
    case AG_V_DATETIME: return add_datetime(out, a, iv, sign, err);
    case AG_V_INTERVAL: return add_interval(out, &a->u.iv, iv, sign, err);
    case AG_V_TIME: add_time(out, a, iv, sign); return AG_OK;
    default: return ag_fail(err, AG_EXC_DATA, "cannot add an interval to a value of kind %s", ag_vkind_name(a->kind));
    }
}

static ag_status check_difference(const ag_value *a, const ag_value *b, ag_error *err)
{
    if (a->kind != b->kind)
        return ag_fail(err, AG_EXC_DATA, "cannot subtract a value of kind %s from one of kind %s",
                       ag_vkind_name(b->kind), ag_vkind_name(a->kind));
    if ((a->flags ^ b->flags) & AG_V_ZONED)
        return ag_fail(err, AG_EXC_DATA, "cannot subtract a %s with a zone and one without", ag_vkind_name(a->kind));
    if (is_infinite(a) || is_infinite(b))
        return ag_fail(err, AG_EXC_DATA, "cannot subtract an infinite %s", ag_vkind_name(a->kind));
    return AG_OK;
}

/* Days and the rest of a - b with one sign; the difference itself may not fit 64 bits. */
static ag_status subtract_datetimes(ag_interval *out, int64_t a, int64_t b, ag_error *err)
{
    int64_t days = a / AG_US_PER_DAY - b / AG_US_PER_DAY, us = a % AG_US_PER_DAY - b % AG_US_PER_DAY;
    days += us / AG_US_PER_DAY;
    us %= AG_US_PER_DAY;
    if (days > 0 && us < 0) {
        days--;
        us += AG_US_PER_DAY;
    } else if (days < 0 && us > 0) {
        days++;
        us -= AG_US_PER_DAY;
    }
    if (days > INT32_MAX || days < INT32_MIN)
        return out_of_range(err, "interval");
    *out = (ag_interval){.days = (int32_t)days, .us = us};
    return AG_OK;
}

ag_status ag_temporal_sub(ag_value *out, const ag_value *a, const ag_value *b, ag_error *err)
{
    AG_TRY(check_difference(a, b, err));
    ag_interval iv = {0};
    int64_t days;
    switch (a->kind) {
    case AG_V_INTERVAL: return add_interval(out, &a->u.iv, &b->u.iv, -1, err);
    case AG_V_DATE:
        days = a->u.i - b->u.i;
        if (days > INT32_MAX || days < INT32_MIN)
            return out_of_range(err, "interval");
        iv.days = (int32_t)days;
        break;
    case AG_V_TIME: iv.us = a->u.i - a->offset * US_PER_SEC - (b->u.i - b->offset * US_PER_SEC); break;
    case AG_V_DATETIME: AG_TRY(subtract_datetimes(&iv, a->u.i, b->u.i, err)); break;
    default: return ag_fail(err, AG_EXC_DATA, "cannot subtract values of kind %s", ag_vkind_name(a->kind));
    }
    *out = (ag_value){.kind = AG_V_INTERVAL, .u.iv = iv};
    return AG_OK;
}

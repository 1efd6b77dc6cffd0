/* Reading intervals: PostgreSQL's default output ("1 year 2 mons -3 days 04:05:06.7") and ISO 8601 durations. Months, days
 * and microseconds are never turned into each other. */
#include "value/datetime.h"
#include "value/quote.h"
#include "value/scan.h"

#include <string.h>

#define US_PER_SEC  INT64_C(1000000)
#define US_PER_MIN  (60 * US_PER_SEC)
#define US_PER_HOUR (60 * US_PER_MIN)

typedef enum field { MONTHS, DAYS, MICROSECONDS } field;

enum { YEAR = 1, MONTH = 2, WEEK = 4, DAY = 8, HOUR = 16, MINUTE = 32, SECOND = 64, CLOCK = HOUR | MINUTE | SECOND };

typedef struct unit {
    const char *name; /* PostgreSQL's words, singular; "s" may follow */
    char iso;         /* designator; after T when part of CLOCK */
    uint8_t bit;
    uint8_t field;
    int64_t factor;
} unit;

static const unit units[] = {
    {"year", 'Y', YEAR, MONTHS, 12},
    {"mon", 'M', MONTH, MONTHS, 1},
    {"month", 'M', MONTH, MONTHS, 1},
    {"week", 'W', WEEK, DAYS, 7},
    {"day", 'D', DAY, DAYS, 1},
    {"hour", 'H', HOUR, MICROSECONDS, US_PER_HOUR},
    {"min", 'M', MINUTE, MICROSECONDS, US_PER_MIN},
    {"minute", 'M', MINUTE, MICROSECONDS, US_PER_MIN},
    {"sec", 'S', SECOND, MICROSECONDS, US_PER_SEC},
    {"second", 'S', SECOND, MICROSECONDS, US_PER_SEC},
};
#define NUNITS (sizeof units / sizeof units[0])

typedef struct reader {
    ag_scan s;
    ag_interval iv;
    unsigned seen; /* units read so far */
    bool overflow;
} reader;

static void add(reader *r, field f, int64_t factor, int64_t count)
{
    int64_t v;
    bool bad = __builtin_mul_overflow(count, factor, &v);
    if (f == MICROSECONDS)
        bad |= __builtin_add_overflow(r->iv.us, v, &r->iv.us);
    else if (f == DAYS)
        bad |= __builtin_add_overflow(r->iv.days, v, &r->iv.days);
    else
        bad |= __builtin_add_overflow(r->iv.months, v, &r->iv.months);
    r->overflow |= bad;
}

/* Takes note of units; false when one of them was read before. */
static bool first_time(reader *r, unsigned bits)
{
    bool ok = !(r->seen & bits);
    r->seen |= bits;
    return ok;
}

static bool add_unit(reader *r, const unit *u, int sign, int64_t count, bool has_fraction, int fraction)
{
    if (!first_time(r, u->bit) || (has_fraction && u->bit != SECOND))
        return false;
    add(r, (field)u->field, u->factor, sign * count);
    if (has_fraction)
        add(r, MICROSECONDS, 1, (int64_t)sign * fraction);
    return true;
}

/* ":MM[:SS[.f]]" after the hours. */
static bool read_clock(reader *r, int sign, int64_t hours)
{
    int minute, second = 0, fraction = 0;
    if (!first_time(r, CLOCK) || !ag_scan_take(&r->s, ':') || !ag_scan_two(&r->s, &minute))
        return false;
    if (ag_scan_take(&r->s, ':')) {
        if (!ag_scan_two(&r->s, &second))
            return false;
        if (r->s.p < r->s.end && *r->s.p == '.' && !ag_scan_fraction(&r->s, &fraction))
            return false;
    }
    add(r, MICROSECONDS, US_PER_HOUR, sign * hours);
    add(r, MICROSECONDS, 1, sign * (minute * US_PER_MIN + second * US_PER_SEC + fraction));
    return minute <= 59 && second <= 59;
}

static const unit *read_unit_name(ag_scan *s)
{
    const char *start = s->p;
    while (s->p < s->end && *s->p >= 'a' && *s->p <= 'z')
        s->p++;
    size_t len = (size_t)(s->p - start);
    if (len > 1 && start[len - 1] == 's')
        len--;
    for (size_t i = 0; i < NUNITS; i++) {
        if (strlen(units[i].name) == len && memcmp(units[i].name, start, len) == 0)
            return &units[i];
    }
    return NULL;
}

static bool read_words(reader *r)
{
    bool any = false;
    while (r->s.p < r->s.end) {
        int sign, fraction = 0;
        int64_t count;
        if (any && !ag_scan_take(&r->s, ' '))
            return false;
        (void)ag_scan_sign(&r->s, &sign);
        if (!ag_scan_digits(&r->s, 1, 18, &count))
            return false;
        any = true;
        if (r->s.p < r->s.end && *r->s.p == ':') {
            if (!read_clock(r, sign, count))
                return false;
            continue;
        }
        bool has_fraction = ag_scan_fraction(&r->s, &fraction);
        (void)ag_scan_take(&r->s, ' ');
        const unit *u = read_unit_name(&r->s);
        if (!u || !add_unit(r, u, sign, count, has_fraction, fraction))
            return false;
    }
    return any;
}

static const unit *find_designator(char c, bool clock)
{
    for (size_t i = 0; i < NUNITS; i++) {
        if (units[i].iso == c && !!(units[i].bit & CLOCK) == clock)
            return &units[i];
    }
    return NULL;
}

/* What follows the P. */
static bool read_iso(reader *r)
{
    bool clock = false, wants_more = true;
    while (r->s.p < r->s.end || wants_more) {
        int sign, fraction = 0;
        int64_t count;
        if (!clock && ag_scan_take(&r->s, 'T')) {
            clock = wants_more = true;
            continue;
        }
        (void)ag_scan_sign(&r->s, &sign);
        if (!ag_scan_digits(&r->s, 1, 18, &count))
            return false;
        bool has_fraction = ag_scan_fraction(&r->s, &fraction);
        const unit *u = r->s.p < r->s.end ? find_designator(*r->s.p++, clock) : NULL;
        if (!u || !add_unit(r, u, sign, count, has_fraction, fraction))
            return false;
        wants_more = false;
    }
    return true;
}

ag_status ag_interval_parse(ag_value *out, const char *s, size_t n, ag_error *err)
{
    reader r = {.s = {s, s + n}};
    char shown[AG_QUOTE_MAX];
    bool ok = ag_scan_take(&r.s, 'P') ? read_iso(&r) : read_words(&r);
    if (!ok)
        return ag_fail(err, AG_EXC_DATA,
                       "%s is not an interval: the forms are \"1 year 2 mons 3 days 04:05:06.7\" and P1Y2M3DT4H5M6.7S",
                       ag_quote(shown, s, n));
    if (r.overflow)
        return ag_fail(err, AG_EXC_DATA, "interval out of range: %s", ag_quote(shown, s, n));
    *out = (ag_value){.kind = AG_V_INTERVAL, .u.iv = r.iv};
    return AG_OK;
}

/* Writing dates, times, datetimes and intervals as text that temporal_parse.c and interval_parse.c (and PostgreSQL) read
 * back to the same value. */
#include "value/datetime.h"

#include <stdio.h>
#include <string.h>

#define US_PER_SEC INT64_C(1000000)

typedef struct writer {
    char *out;
    size_t len;
    int fraction;
} writer;

static void text(writer *w, const char *s)
{
    size_t n = strlen(s);
    memcpy(w->out + w->len, s, n + 1);
    w->len += n;
}

static void number(writer *w, int width, uint64_t v)
{
    int n = snprintf(w->out + w->len, AG_TEMPORAL_MAX - w->len, "%0*llu", width, (unsigned long long)v);
    w->len += (size_t)n;
}

static void write_fraction(writer *w, unsigned us)
{
    int digits = w->fraction >= 0 ? w->fraction : us ? 6 : 0;
    if (digits == 0)
        return;
    for (int i = digits; i < 6; i++)
        us /= 10;
    text(w, ".");
    number(w, digits, us);
}

static void write_date(writer *w, const ag_civil *c)
{
    number(w, 4, (uint64_t)(c->year > 0 ? c->year : 1 - c->year));
    text(w, "-");
    number(w, 2, (uint64_t)c->month);
    text(w, "-");
    number(w, 2, (uint64_t)c->day);
}

static void write_era(writer *w, const ag_civil *c)
{
    if (c->year <= 0)
        text(w, " BC");
}

static void write_time(writer *w, int64_t us)
{
    uint64_t t = (uint64_t)us;
    number(w, 2, t / (3600 * US_PER_SEC));
    text(w, ":");
    number(w, 2, t / (60 * US_PER_SEC) % 60);
    text(w, ":");
    number(w, 2, t / US_PER_SEC % 60);
    write_fraction(w, (unsigned)(t % US_PER_SEC));
}

static void write_zone(writer *w, const ag_value *v)
{
    if (!(v->flags & AG_V_ZONED))
        return;
    unsigned s = v->offset < 0 ? 0u - (unsigned)v->offset : (unsigned)v->offset;
    text(w, v->offset < 0 ? "-" : "+");
    number(w, 2, s / 3600);
    text(w, ":");
    number(w, 2, s / 60 % 60);
    if (s % 60) {
        text(w, ":");
        number(w, 2, s % 60);
    }
}

static void write_datetime(writer *w, const ag_value *v, char sep)
{
    ag_civil c;
    int64_t offset = v->flags & AG_V_ZONED ? v->offset * US_PER_SEC : 0;
    int64_t days = v->u.i / AG_US_PER_DAY, us = v->u.i % AG_US_PER_DAY + offset;
    for (; us < 0; us += AG_US_PER_DAY)
        days--;
    for (; us >= AG_US_PER_DAY; us -= AG_US_PER_DAY)
        days++;
    ag_civil_from_days(&c, days);
    write_date(w, &c);
    text(w, (char[]){sep, '\0'});
    write_time(w, us);
    write_zone(w, v);
    write_era(w, &c);
}

/* A part of an interval, unless it is 0. */
static void write_part(writer *w, int64_t v, const char *designator)
{
    if (v == 0)
        return;
    if (v < 0)
        text(w, "-");
    number(w, 1, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
    text(w, designator);
}

static void write_interval(writer *w, const ag_interval *iv)
{
    int64_t seconds = iv->us / US_PER_SEC, us = iv->us % US_PER_SEC;
    bool is_zero = !iv->months && !iv->days && !iv->us;
    text(w, "P");
    write_part(w, iv->months / 12, "Y");
    write_part(w, iv->months % 12, "M");
    write_part(w, iv->days, "D");
    if (!iv->us && !is_zero)
        return;
    text(w, "T");
    write_part(w, seconds / 3600, "H");
    write_part(w, seconds / 60 % 60, "M");
    seconds %= 60;
    if (!seconds && !us && !is_zero)
        return;
    if (iv->us < 0)
        text(w, "-");
    number(w, 1, (uint64_t)(seconds < 0 ? -seconds : seconds));
    write_fraction(w, (unsigned)(us < 0 ? -us : us));
    text(w, "S");
}

static bool write_infinity(writer *w, int64_t i, int64_t negative, int64_t positive)
{
    if (i != negative && i != positive)
        return false;
    text(w, i == negative ? "-infinity" : "infinity");
    return true;
}

size_t ag_temporal_write(char out[AG_TEMPORAL_MAX], const ag_value *v, char sep, int fraction)
{
    writer w = {.out = out, .fraction = fraction < 6 ? fraction : 6};
    out[0] = '\0';
    if (v->kind == AG_V_DATE && !write_infinity(&w, v->u.i, AG_DATE_NEG_INF, AG_DATE_POS_INF)) {
        ag_civil c;
        ag_civil_from_days(&c, v->u.i);
        write_date(&w, &c);
        write_era(&w, &c);
    } else if (v->kind == AG_V_DATETIME && !write_infinity(&w, v->u.i, INT64_MIN, INT64_MAX)) {
        write_datetime(&w, v, sep);
    } else if (v->kind == AG_V_TIME) {
        write_time(&w, v->u.i);
        write_zone(&w, v);
    } else if (v->kind == AG_V_INTERVAL) {
        write_interval(&w, &v->u.iv);
    }
    return w.len;
}

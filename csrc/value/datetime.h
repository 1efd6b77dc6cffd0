/* Calendar arithmetic and ISO 8601 text for dates, times, datetimes and intervals. Proleptic Gregorian, microseconds. Years
 * 0001 … 9999 have four digits; wider ones are read and written as PostgreSQL does, with more digits and " BC" (0001-01-01
 * BC is year 0 of the arithmetic here). No leap seconds, no time-zone database: offsets only. */
#ifndef AG_VALUE_DATETIME_H
#define AG_VALUE_DATETIME_H

#include "value/value.h"

#define AG_DATE_NEG_INF INT32_MIN
#define AG_DATE_POS_INF INT32_MAX
#define AG_US_PER_DAY   INT64_C(86400000000)
/* What the parsers and the arithmetic give: 4714-11-24 BC (PostgreSQL's first day) up to 5874897-12-31 for dates, to the
 * end of int64 (294247-01-10) for datetimes, and offsets up to 15:59:59 either way. */
#define AG_DATE_MIN     (-INT32_C(2440588))
#define AG_DATE_MAX     INT32_C(2145042905)
#define AG_DATETIME_MIN (AG_DATE_MIN * AG_US_PER_DAY)
#define AG_DATETIME_MAX (INT64_MAX - 1)
#define AG_OFFSET_MAX   57599

typedef struct ag_civil {
    int64_t year;
    int month, day, hour, minute, second, microsecond;
} ag_civil;

/* Days since 1970-01-01 of a valid date of any year up to +-10^12 (algorithms: H. Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms"). */
int64_t ag_days_from_civil(int64_t year, int month, int day);
/* Sets year, month, day; the time of day becomes 0. */
void ag_civil_from_days(ag_civil *out, int64_t days);
/* Date and time of day of microseconds since the epoch. */
void ag_civil_from_us(ag_civil *out, int64_t us);
/* Microseconds since the epoch of a valid c; AG_EXC_DATA when it is outside AG_DATETIME_MIN … AG_DATETIME_MAX. */
ag_status ag_civil_to_us(int64_t *out, const ag_civil *c, ag_error *err) AG_NODISCARD;
/* The fields name a day and a time of day (24:00 and second 60 do not). Any year. */
bool ag_civil_valid(const ag_civil *c);
int ag_days_in_month(int64_t year, int month); /* month 1 … 12 */

/* Parse; the whole text must match, else AG_ERROR (class AG_EXC_DATA) with a message that quotes the text and shows the
 * form. date: YYYY-MM-DD. time: HH:MM[:SS[.f{1,6}]][±HH[:MM[:SS]]|Z], 24:00:00 too. datetime: date, 'T' or space, time
 * (24:00:00 is the next midnight); a zone makes it ZONED, u.i is then of UTC. Dates also "infinity", "-infinity", " BC" at
 * the end, a sign (ISO 8601's expanded years), years over 4 digits. interval: PostgreSQL's default style ("1 year 2 mons -3
 * days 04:05:06.7") and ISO 8601 ("P1Y2M-3DT4H5M6.7S"), each unit once; only seconds have a fraction. */
ag_status ag_date_parse(ag_value *out, const char *s, size_t n, ag_error *err) AG_NODISCARD;
ag_status ag_time_parse(ag_value *out, const char *s, size_t n, ag_error *err) AG_NODISCARD;
ag_status ag_datetime_parse(ag_value *out, const char *s, size_t n, ag_error *err) AG_NODISCARD;
ag_status ag_interval_parse(ag_value *out, const char *s, size_t n, ag_error *err) AG_NODISCARD;

/* Longest text any of the writers makes, with NUL. */
#define AG_TEMPORAL_MAX 80
/* Write v (DATE, TIME, DATETIME or INTERVAL) as text that its parser reads back; sep between date and time (' ' or 'T').
 * fraction: -1 as many digits as needed (0 or 6), 0 … 6 exactly, the rest cut off. Zones as ±HH:MM[:SS]; intervals in ISO
 * 8601 form, each part with its own sign. Returns the length; a NUL follows. */
size_t ag_temporal_write(char out[AG_TEMPORAL_MAX], const ag_value *v, char sep, int fraction);

/* Storage formats (SQLAlchemy's SQLite types): text with %(year)04d, %(month)02d, day, hour, minute, second, microsecond and %%.
 * fields: a bit for each field that occurs (year 1, month 2, day 4 … microsecond 64), 0 for a malformed or too long format. */
unsigned ag_temporal_format_fields(const char *format);
/* Write v (DATE, TIME or DATETIME, its wall clock in UTC) by a good format; the length, 0 when the year has not four digits. */
size_t ag_temporal_format(char out[AG_TEMPORAL_MAX], const char *format, const ag_value *v);
/* Read a value of the kind; fields that the format has not are those of 1970-01-01 00:00. False: the text is none. */
bool ag_temporal_scan(ag_value *out, ag_vkind kind, const char *format, const char *s, size_t n);

/* Total order of two values of the same kind and zonedness: -1, 0, 1. Zoned times by instant, then by offset as
 * PostgreSQL (east first); intervals by length with 30 days a month and 24 hours a day, so that unequal ones may compare 0. */
int ag_temporal_compare(const ag_value *a, const ag_value *b);
/* a + sign * iv (sign 1 or -1). DATETIME: months first (clamping to the month's end), then days, then microseconds, on the
 * wall clock of its offset. DATE stays a date: the interval's time must be whole days. TIME turns round at midnight, months
 * and days do nothing. INTERVAL: part by part. Infinity stays infinity. AG_EXC_DATA when out of range. out may equal a. */
ag_status ag_temporal_add(ag_value *out, const ag_value *a, const ag_interval *iv, int sign,
                          ag_error *err) AG_NODISCARD;
/* a - b of the same kind as an interval: DATE in days, TIME in microseconds, DATETIME in days and microseconds of one
 * sign, INTERVAL part by part. AG_EXC_DATA for kinds that differ, a mix of naive and zoned, infinities, overflow. */
ag_status ag_temporal_sub(ag_value *out, const ag_value *a, const ag_value *b, ag_error *err) AG_NODISCARD;

#endif

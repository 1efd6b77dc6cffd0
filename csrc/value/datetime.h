/* Calendar arithmetic and ISO 8601 text for dates, times, datetimes and intervals. Proleptic Gregorian, microseconds,
 * years 0001 … 9999 in text that argent writes (PostgreSQL's wider years read and write with sign / BC). No leap seconds,
 * no time-zone database: offsets only. */
#ifndef AG_VALUE_DATETIME_H
#define AG_VALUE_DATETIME_H

#include "value/value.h"

#define AG_DATE_NEG_INF INT32_MIN
#define AG_DATE_POS_INF INT32_MAX
#define AG_US_PER_DAY   INT64_C(86400000000)

typedef struct ag_civil {
    int64_t year;
    int month, day, hour, minute, second, microsecond;
} ag_civil;

int64_t ag_days_from_civil(int64_t year, int month, int day);
void ag_civil_from_days(ag_civil *out, int64_t days);
/* Days and time of day of microseconds since the epoch. */
void ag_civil_from_us(ag_civil *out, int64_t us);
bool ag_civil_valid(const ag_civil *c);
int ag_days_in_month(int64_t year, int month);

/* Parse; the whole text must match, else AG_ERROR (class AG_EXC_DATA) with a message that quotes the text and shows the form.
 * date: YYYY-MM-DD. time: HH:MM[:SS[.f{1,6}]][±HH[:MM[:SS]]|Z]. datetime: date, 'T' or space, time. Also PostgreSQL's
 * "infinity", "-infinity", " BC", and years over 4 digits. interval: PostgreSQL's default style ("1 year 2 mons 3 days
 * 04:05:06.7"), ISO 8601 ("P1Y2M3DT4H5M6.7S"). */
ag_status ag_date_parse(ag_value *out, const char *s, size_t n, ag_error *err) AG_NODISCARD;
ag_status ag_time_parse(ag_value *out, const char *s, size_t n, ag_error *err) AG_NODISCARD;
ag_status ag_datetime_parse(ag_value *out, const char *s, size_t n, ag_error *err) AG_NODISCARD;
ag_status ag_interval_parse(ag_value *out, const char *s, size_t n, ag_error *err) AG_NODISCARD;

/* Longest text any of the writers makes, with NUL. */
#define AG_TEMPORAL_MAX 80
/* Write v (DATE, TIME, DATETIME or INTERVAL) as ISO text; sep between date and time (' ' or 'T'). fraction: -1 as many
 * digits as needed (0 or 6), 0 … 6 exactly. Returns the length. */
size_t ag_temporal_write(char out[AG_TEMPORAL_MAX], const ag_value *v, char sep, int fraction);

/* Total order of two values of the same kind (and same zonedness): -1, 0, 1. */
int ag_temporal_compare(const ag_value *a, const ag_value *b);
/* DATE/DATETIME/TIME + INTERVAL (month arithmetic clamps to the month's end, as PostgreSQL); INTERVAL + INTERVAL.
 * AG_EXC_DATA when out of range. */
ag_status ag_temporal_add(ag_value *out, const ag_value *a, const ag_interval *iv, int sign,
                          ag_error *err) AG_NODISCARD;
/* a - b of the same kind as an interval of days and microseconds. */
ag_status ag_temporal_sub(ag_value *out, const ag_value *a, const ag_value *b, ag_error *err) AG_NODISCARD;

#endif

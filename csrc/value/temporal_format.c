/* Dates and times by a storage format: text with fields such as %(year)04d, as SQLAlchemy's SQLite types take it. What a format writes
 * the same format reads. */
#include "value/datetime.h"

#include <string.h>

/* ORDER field_names */
enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, MICROSECOND, NFIELDS, LITERAL };

static const char *const field_names[NFIELDS] = {"year", "month", "day", "hour", "minute", "second", "microsecond"};

/* One piece of a format: a field with its width (0: none given), or a character. */
typedef struct piece {
    int field;
    int width;
    char ch;
} piece;

/* %(name)[0]Nd after the '%'; NULL when it is none. */
static const char *field_piece(piece *out, const char *p)
{
    const char *close = *p == '(' ? strchr(p, ')') : NULL;
    if (!close)
        return NULL;
    size_t n = (size_t)(close - p - 1);
    for (out->field = 0; out->field < NFIELDS; out->field++) {
        if (strlen(field_names[out->field]) == n && memcmp(field_names[out->field], p + 1, n) == 0)
            break;
    }
    out->width = 0;
    for (p = close + 1; *p >= '0' && *p <= '9' && out->width < 10; p++)
        out->width = out->width * 10 + (*p - '0');
    return out->field < NFIELDS && *p == 'd' && out->width < 10 ? p + 1 : NULL;
}

/* The piece at p; NULL: malformed. */
static const char *next_piece(piece *out, const char *p)
{
    *out = (piece){.field = LITERAL, .ch = *p};
    if (*p != '%')
        return p + 1;
    return p[1] == '%' ? p + 2 : field_piece(out, p + 1);
}

unsigned ag_temporal_format_fields(const char *format)
{
    unsigned seen = 0;
    size_t longest = 0;
    piece x;
    for (const char *p = format; *p;) {
        p = next_piece(&x, p);
        longest += x.field == LITERAL ? 1 : 10;
        if (!p || longest >= AG_TEMPORAL_MAX)
            return 0;
        seen |= x.field == LITERAL ? 0u : 1u << x.field;
    }
    return seen;
}

static void to_numbers(int64_t out[NFIELDS], const ag_value *v)
{
    ag_civil c = {0};
    int64_t us = v->kind == AG_V_DATETIME ? v->u.i : v->u.i * (v->kind == AG_V_DATE ? AG_US_PER_DAY : 1);
    ag_civil_from_us(&c, us);
    const int64_t numbers[NFIELDS] = {c.year, c.month, c.day, c.hour, c.minute, c.second, c.microsecond};
    memcpy(out, numbers, sizeof numbers);
}

size_t ag_temporal_format(char out[AG_TEMPORAL_MAX], const char *format, const ag_value *v)
{
    int64_t numbers[NFIELDS];
    size_t n = 0;
    piece x;
    to_numbers(numbers, v);
    if (numbers[YEAR] < 0 || numbers[YEAR] > 9999)
        return 0;
    for (const char *p = format; *p && p && n + 11 < AG_TEMPORAL_MAX;) {
        p = next_piece(&x, p);
        if (!p)
            return 0;
        if (x.field == LITERAL) {
            out[n++] = x.ch;
            continue;
        }
        char digits[12];
        int len = 0;
        for (int64_t rest = numbers[x.field]; rest || !len; rest /= 10)
            digits[len++] = (char)('0' + rest % 10);
        while (len < x.width)
            digits[len++] = '0';
        while (len)
            out[n++] = digits[--len];
    }
    out[n] = '\0';
    return n;
}

/* Digits of a field: exactly its width where another field follows at once, else as many as there are, nine at most. */
static const char *scan_number(const piece *x, const char *next, const char *s, const char *end, int64_t *out)
{
    piece follows;
    bool joined =
        *next && next_piece(&follows, next) && (follows.field != LITERAL || (follows.ch >= '0' && follows.ch <= '9'));
    int most = joined && x->width ? x->width : 9, n = 0;
    for (*out = 0; s < end && n < most && *s >= '0' && *s <= '9'; s++, n++)
        *out = *out * 10 + (*s - '0');
    return n && (!joined || !x->width || n == x->width) ? s : NULL;
}

static bool make(ag_value *out, ag_vkind kind, const int64_t f[NFIELDS])
{
    ag_civil c = {.year = f[YEAR],
                  .month = (int)f[MONTH],
                  .day = (int)f[DAY],
                  .hour = (int)f[HOUR],
                  .minute = (int)f[MINUTE],
                  .second = (int)f[SECOND],
                  .microsecond = (int)f[MICROSECOND]};
    int64_t us;
    if (!ag_civil_valid(&c) || ag_civil_to_us(&us, &c, NULL) != AG_OK)
        return false;
    *out = (ag_value){.kind = (uint8_t)kind, .u.i = us};
    if (kind == AG_V_DATE)
        out->u.i = ag_days_from_civil(c.year, c.month, c.day);
    return true;
}

bool ag_temporal_scan(ag_value *out, ag_vkind kind, const char *format, const char *s, size_t n)
{
    int64_t f[NFIELDS] = {1970, 1, 1};
    const char *end = s + n;
    piece x;
    for (const char *p = format; *p;) {
        p = next_piece(&x, p);
        if (!p)
            return false;
        if (x.field != LITERAL) {
            s = scan_number(&x, p, s, end, &f[x.field]);
            if (!s)
                return false;
        } else if (s == end || *s++ != x.ch) {
            return false;
        }
    }
    return s == end && make(out, kind, f);
}

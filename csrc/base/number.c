/* Numbers to and from text without the locale: what leaves here has a point and what is read must have one, whatever
 * LC_NUMERIC says. The C library does the rounding; it is only ever shown digits and an exponent. */
#include "base/buf.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A double is decided by at most 767 digits; any nonzero digit after that only breaks ties. */
#define MAX_DIGITS 800u
#define MAX_EXP    100000
/* Positional from 1e-4 up to 1e16, as most languages print. */
#define POS_EXP_MIN (-4)
#define POS_EXP_MAX 16

/* The powers of ten that a double holds exactly. */
static const double pow10_exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#define MAX_EXACT_POW10 22
#define MAX_EXACT_INT   9007199254740992.0

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Writes u so that it ends before end; returns its start. */
static char *write_digits(char *end, uint64_t u)
{
    do {
        *--end = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    return end;
}

void ag_buf_int(ag_buf *b, int64_t v)
{
    char text[24], *end = text + sizeof text;
    char *p = write_digits(end, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
    if (v < 0)
        *--p = '-';
    ag_buf_add(b, p, (size_t)(end - p));
}

/* Digits of v > 0 rounded to `count` of them, or the next ones up, without trailing zeros; *exp10 is the power of ten of
 * the first. True when they read back as v. */
static bool digits_of(double v, int count, bool up, char digits[24], int *exp10)
{
    char text[48], back[40];
    (void)snprintf(text, sizeof text, "%.*e", count - 1, v);
    size_t n = 0;
    const char *p = text;
    for (; *p != 'e'; p++) { /* the decimal point may be any bytes, but no digit and no 'e' */
        if (is_digit(*p))
            digits[n++] = *p;
    }
    *exp10 = atoi(p + 1);
    if (up && digits[n - 1]++ == '9')
        return false;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    digits[n] = '\0';
    (void)snprintf(back, sizeof back, "%se%d", digits, *exp10 - (int)n + 1);
    return strtod(back, NULL) == v;
}

/* The common case, numbers of up to 15 digits with few of them after the point: a whole number divided by a power of ten
 * is rounded once, as reading the text is. The first power that works leaves the fewest digits. */
static bool few_digits(double v, char digits[24], int *exp10)
{
    for (int k = 0; k <= 8; k++) {
        double whole = rint(v * pow10_exact[k]);
        if (whole >= 1e15)
            return false;
        if (whole >= 1 && whole / pow10_exact[k] == v) {
            char text[24], *end = text + sizeof text, *p = write_digits(end, (uint64_t)whole);
            *exp10 = (int)(end - p) - 1 - k;
            while (end - p > 1 && end[-1] == '0')
                end--;
            memcpy(digits, p, (size_t)(end - p));
            digits[end - p] = '\0';
            return true;
        }
    }
    return false;
}

static void shortest_digits(double v, char digits[24], int *exp10)
{
    if (few_digits(v, digits, exp10))
        return;
    /* Up to 15 digits survive text -> double -> text, but for the few bits of subnormals. */
    int count = v < DBL_MIN ? 1 : DBL_DIG, exp2;
    while (!digits_of(v, count, false, digits, exp10) && count < DBL_DECIMAL_DIG)
        count++;
    /* Above a power of two its neighbours are twice as far as below: the nearest 16 digits can be below and too far while
     * the next ones are not. */
    char other[24];
    int other_exp10;
    if (count == DBL_DECIMAL_DIG && frexp(v, &exp2) == 0.5 && digits_of(v, count - 1, true, other, &other_exp10)) {
        memcpy(digits, other, sizeof other);
        *exp10 = other_exp10;
    }
}

static void write_positional(ag_buf *b, const char *digits, int exp10)
{
    int n = (int)strlen(digits);
    if (exp10 < 0) {
        ag_buf_add(b, "0.0000", (size_t)(1 - exp10));
        ag_buf_add(b, digits, (size_t)n);
        return;
    }
    for (int i = 0; i <= exp10 || i < n; i++) {
        if (i == exp10 + 1)
            ag_buf_char(b, '.');
        ag_buf_char(b, i < n ? digits[i] : '0');
    }
    if (n <= exp10 + 1)
        ag_buf_str(b, ".0");
}

void ag_buf_double(ag_buf *b, double v)
{
    char digits[24];
    int exp10 = 0;
    if (isnan(v)) {
        ag_buf_str(b, "nan");
        return;
    }
    if (signbit(v))
        ag_buf_char(b, '-');
    v = fabs(v);
    if (isinf(v)) {
        ag_buf_str(b, "inf");
        return;
    }
    if (v == 0) {
        ag_buf_str(b, "0.0");
        return;
    }
    shortest_digits(v, digits, &exp10);
    if (exp10 >= POS_EXP_MIN && exp10 < POS_EXP_MAX) {
        write_positional(b, digits, exp10);
        return;
    }
    ag_buf_add(b, digits, 1);
    if (digits[1]) {
        ag_buf_char(b, '.');
        ag_buf_str(b, digits + 1);
    }
    ag_buf_char(b, 'e');
    ag_buf_char(b, exp10 < 0 ? '-' : '+');
    if (abs(exp10) < 10)
        ag_buf_char(b, '0');
    ag_buf_int(b, abs(exp10));
}

bool ag_parse_int64(const char *s, size_t len, int64_t *out)
{
    bool negative = len && s[0] == '-';
    size_t i = len && (s[0] == '-' || s[0] == '+');
    uint64_t limit = (uint64_t)INT64_MAX + negative, v = 0;
    if (i == len)
        return false;
    for (; i < len; i++) {
        if (!is_digit(s[i]))
            return false;
        unsigned d = (unsigned)(s[i] - '0');
        if (v > (limit - d) / 10)
            return false;
        v = v * 10 + d;
    }
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

static bool is_word(const char *s, size_t len, const char *word)
{
    for (size_t i = 0; i < len; i++) {
        char c = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + 32) : s[i];
        if (!word[i] || c != word[i]) /* s may hold a NUL */
            return false;
    }
    return word[len] == '\0';
}

static bool parse_special(const char *s, size_t len, double *out)
{
    if (is_word(s, len, "nan"))
        *out = (double)NAN;
    else if (is_word(s, len, "inf") || is_word(s, len, "infinity"))
        *out = (double)INFINITY;
    else
        return false;
    return true;
}

/* A number taken apart: its significant digits, and the power of ten of the last one. */
typedef struct scan {
    char digits[MAX_DIGITS + 32];
    size_t n;
    long exp10;
    bool any, sticky;
} scan;

static size_t scan_digits(scan *sc, const char *s, size_t i, size_t len, bool fraction)
{
    for (; i < len && is_digit(s[i]); i++) {
        sc->any = true;
        if (sc->n == 0 && s[i] == '0') {
            sc->exp10 -= fraction;
        } else if (sc->n < MAX_DIGITS) {
            sc->digits[sc->n++] = s[i];
            sc->exp10 -= fraction;
        } else {
            sc->sticky |= s[i] != '0';
            sc->exp10 += !fraction;
        }
    }
    return i;
}

static bool scan_exponent(scan *sc, const char *s, size_t i, size_t len)
{
    bool negative = i < len && s[i] == '-';
    if (i < len && (s[i] == '-' || s[i] == '+'))
        i++;
    if (i == len)
        return false;
    long e = 0;
    for (; i < len; i++) {
        if (!is_digit(s[i]))
            return false;
        if (e < MAX_EXP * 10000L)
            e = e * 10 + (s[i] - '0');
    }
    sc->exp10 += negative ? -e : e;
    return true;
}

/* Clinger's fast path: both numbers are exact, so the one operation rounds as it should. */
static bool exact_value(const scan *sc, double *out)
{
    if (FLT_EVAL_METHOD != 0 || sc->n > 16 || sc->exp10 < -MAX_EXACT_POW10 || sc->exp10 > MAX_EXACT_POW10)
        return false;
    uint64_t u = 0;
    for (size_t i = 0; i < sc->n; i++)
        u = u * 10 + (uint64_t)(sc->digits[i] - '0');
    double whole = (double)u;
    if (whole > MAX_EXACT_INT)
        return false;
    *out = sc->exp10 < 0 ? whole / pow10_exact[-sc->exp10] : whole * pow10_exact[sc->exp10];
    return true;
}

static double scan_value(scan *sc)
{
    double v;
    if (exact_value(sc, &v))
        return v;
    if (sc->sticky) {
        sc->digits[sc->n++] = '1';
        sc->exp10--;
    }
    long e = sc->exp10 > MAX_EXP ? MAX_EXP : sc->exp10 < -MAX_EXP ? -MAX_EXP : sc->exp10;
    (void)snprintf(sc->digits + sc->n, sizeof sc->digits - sc->n, "e%ld", e);
    return strtod(sc->digits, NULL);
}

bool ag_parse_double(const char *s, size_t len, double *out)
{
    scan sc;
    sc.n = 0;
    sc.exp10 = 0;
    sc.any = sc.sticky = false;
    bool negative = len && s[0] == '-';
    size_t i = len && (s[0] == '-' || s[0] == '+');
    double v;
    if (!parse_special(s + i, len - i, &v)) {
        i = scan_digits(&sc, s, i, len, false);
        if (i < len && s[i] == '.')
            i = scan_digits(&sc, s, i + 1, len, true);
        if (!sc.any)
            return false;
        if (i < len && ((s[i] != 'e' && s[i] != 'E') || !scan_exponent(&sc, s, i + 1, len)))
            return false;
        v = scan_value(&sc);
        if (isinf(v))
            return false;
    }
    *out = negative ? -v : v;
    return true;
}

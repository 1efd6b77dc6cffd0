/* numeric's binary form: base-10000 digits with a weight and a display scale (src/backend/utils/adt/numeric.c,
 * numeric_send): int16 ndigits, weight, sign, dscale, then the digits. */
#include "driver/pq_codec.h"

enum { POSITIVE = 0x0000, NEGATIVE = 0x4000, NAN_SIGN = 0xC000, POS_INF = 0xD000, NEG_INF = 0xF000 };

static ag_status special(ag_pq_codec *x, ag_value *out, unsigned sign, ag_error *err)
{
    ag_str s = {NULL, 0};
    if (sign == NAN_SIGN)
        s = AG_STR("NaN");
    else if (sign == POS_INF)
        s = AG_STR("Infinity");
    else if (sign == NEG_INF)
        s = AG_STR("-Infinity");
    else
        return ag_pq_malformed(x, "numeric", err);
    *out = ag_value_bytes(AG_V_DECIMAL, s.p, s.n);
    return AG_OK;
}

static char *put4(char *s, unsigned d)
{
    *s++ = (char)('0' + d / 1000);
    *s++ = (char)('0' + d / 100 % 10);
    *s++ = (char)('0' + d / 10 % 10);
    *s++ = (char)('0' + d % 10);
    return s;
}

/* The digit group whose place is 10000^place, 0 where none is sent. */
static unsigned group(const char *digits, int ndigits, int weight, int place)
{
    int i = weight - place;
    return i >= 0 && i < ndigits ? ag_pq_get16(digits + 2 * i) : 0;
}

static size_t write_decimal(char *s, const char *digits, int ndigits, int weight, bool negative, int dscale)
{
    char *at = s;
    if (negative)
        *at++ = '-';
    char *start = at;
    for (int place = weight > 0 ? weight : 0; place >= 0; place--)
        at = put4(at, group(digits, ndigits, weight, place));
    char *first = start;
    while (first < at - 1 && *first == '0')
        first++;
    memmove(start, first, (size_t)(at - first));
    at -= first - start;
    if (dscale > 0) {
        *at++ = '.';
        char *end = at + dscale;
        for (int place = -1; at < end; place--)
            at = put4(at, group(digits, ndigits, weight, place));
        at = end;
    }
    return (size_t)(at - s);
}

static bool is_zero(const char *s, size_t n)
{
    while (n && (*s == '0' || *s == '.')) {
        s++;
        n--;
    }
    return n == 0;
}

ag_status ag_pq_bin_numeric(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    if (n < 8)
        return ag_pq_malformed(x, "numeric", err);
    int ndigits = ag_pq_get16(p), weight = (int16_t)ag_pq_get16(p + 2);
    unsigned sign = ag_pq_get16(p + 4);
    int dscale = ag_pq_get16(p + 6);
    if (sign != POSITIVE && sign != NEGATIVE)
        return special(x, out, sign, err);
    if (n != 8 + 2 * (size_t)ndigits || dscale > 0x3fff)
        return ag_pq_malformed(x, "numeric", err);
    for (int i = 0; i < ndigits; i++) {
        if (ag_pq_get16(p + 8 + 2 * i) > 9999)
            return ag_pq_malformed(x, "numeric", err);
    }
    size_t size = 16 + 4 * (size_t)(weight > 0 ? weight + 1 : 1) + (size_t)dscale;
    char *s = ag_pq_codec_new(x, size);
    if (!s)
        return x->core->fail_nomem(err);
    size_t len = write_decimal(s, p + 8, ndigits, weight, sign == NEGATIVE, dscale);
    if (sign == NEGATIVE && is_zero(s + 1, len - 1)) { /* there is no negative zero */
        s++;
        len--;
    }
    *out = ag_value_bytes(AG_V_DECIMAL, s, len);
    return AG_OK;
}

/* ---- the other way ---- */

static bool put_special(ag_pq_codec *x, ag_buf *out, unsigned sign)
{
    char *p = ag_driver_put(x->core, out, 8);
    if (p) {
        memset(p, 0, 8);
        ag_pq_set16(p + 4, (uint16_t)sign);
    }
    return true;
}

static unsigned digit_at(const char *s, size_t n, int64_t i)
{
    return i >= 0 && (uint64_t)i < n ? (unsigned)(s[i] - '0') : 0;
}

bool ag_pq_put_numeric(ag_pq_codec *x, ag_buf *out, const char *s, size_t n)
{
    bool negative = n && s[0] == '-';
    s += negative;
    n -= negative;
    if (n == 3 && memcmp(s, "NaN", 3) == 0)
        return put_special(x, out, NAN_SIGN);
    if (n == 8 && memcmp(s, "Infinity", 8) == 0)
        return put_special(x, out, negative ? NEG_INF : POS_INF);
    const char *dot = n ? memchr(s, '.', n) : NULL;
    size_t whole = dot ? (size_t)(dot - s) : n, scale = dot ? n - whole - 1 : 0;
    for (size_t i = 0; i < n; i++) {
        if (i != whole && (s[i] < '0' || s[i] > '9'))
            return false;
    }
    if (!whole || whole > 131072 || scale > 16383)
        return false;
    /* groups: left of the point counted from it, then right of it */
    int weight = (int)((whole + 3) / 4) - 1, ngroups = weight + 1 + (int)((scale + 3) / 4);
    size_t head = out->len;
    char *p = ag_driver_put(x->core, out, 8 + 2 * (size_t)ngroups);
    if (!p)
        return true;
    int first = -1, last = -1;
    const char *frac = dot ? dot + 1 : s;
    for (int g = 0; g < ngroups; g++) {
        unsigned d = 0;
        for (int k = 0; k < 4; k++) {
            int64_t left = (int64_t)whole - 4 * (int64_t)(weight + 1 - g) + k;
            int64_t right = 4 * (int64_t)(g - weight - 1) + k;
            d = d * 10 + (g <= weight ? digit_at(s, whole, left) : digit_at(frac, scale, right));
        }
        if (d && first < 0)
            first = g;
        if (d)
            last = g;
        ag_pq_set16(p + 8 + 2 * g, (uint16_t)d);
    }
    int count = first < 0 ? 0 : last - first + 1;
    if (count)
        memmove(p + 8, p + 8 + 2 * first, 2 * (size_t)count);
    ag_pq_set16(p, (uint16_t)count);
    ag_pq_set16(p + 2, (uint16_t)(count ? weight - first : 0));
    ag_pq_set16(p + 4, negative && count ? NEGATIVE : POSITIVE);
    ag_pq_set16(p + 6, (uint16_t)scale);
    out->len = head + 8 + 2 * (size_t)count;
    return true;
}

/* Decimals as canonical text: reading, order, sums, rounding. Products and quotients are in decimal_mul.c. A result is
 * first made as a row of digits with a scale and then written by ag_dec_emit, the one place that knows the canonical form and the
 * limits. */
#include "value/decimal.h"
#include "value/dec.h"
#include "value/quote.h"
#include "value/scan.h"

#include <string.h>

#define EXP_LIMIT 1000000

void ag_dec_view(ag_dec *d, const char *s, size_t n)
{
    *d = (ag_dec){.negative = n && s[0] == '-'};
    s += d->negative;
    n -= d->negative;
    if (n && (s[0] == 'N' || s[0] == 'I')) {
        d->special = s[0];
        return;
    }
    const char *point = memchr(s, '.', n);
    d->ints = s;
    d->nints = point ? (size_t)(point - s) : n;
    d->fracs = point ? point + 1 : s + n;
    d->scale = n - d->nints - (point != NULL);
}

bool ag_dec_is_zero(const ag_dec *d)
{
    if (d->special)
        return false;
    for (size_t i = 0; i < d->nints + d->scale; i++) {
        if (ag_dec_digit(d, i))
            return false;
    }
    return true;
}

ag_status ag_dec_special(ag_buf *out, bool negative, char special, ag_error *err)
{
    ag_buf_str(out, special == 'N' ? "NaN" : negative ? "-Infinity" : "Infinity");
    return ag_buf_ok(out) ? AG_OK : ag_fail_nomem(err);
}

static ag_status too_long(ag_error *err)
{
    return ag_fail(err, AG_EXC_DATA, "decimal out of range: at most %u digits before and %u after the point",
                   AG_DEC_MAX_INTS, AG_DEC_MAX_SCALE);
}

ag_status ag_dec_emit(ag_buf *out, bool negative, const char *digits, size_t n, size_t scale, ag_error *err)
{
    while (n > scale + 1 && *digits == '0') {
        digits++;
        n--;
    }
    size_t nints = n > scale ? n - scale : 0;
    if (nints > AG_DEC_MAX_INTS || scale > AG_DEC_MAX_SCALE)
        return too_long(err);
    bool zero = true;
    for (size_t i = 0; zero && i < n; i++)
        zero = digits[i] == '0';
    if (negative && !zero)
        ag_buf_char(out, '-');
    if (nints == 0)
        ag_buf_char(out, '0');
    ag_buf_add(out, digits, nints);
    if (scale > 0)
        ag_buf_char(out, '.');
    for (size_t i = n; i < scale; i++)
        ag_buf_char(out, '0');
    ag_buf_add(out, digits + nints, n - nints);
    return ag_buf_ok(out) ? AG_OK : ag_fail_nomem(err);
}

bool ag_dec_scratch(ag_dec_digits *d, const ag_alloc *a, size_t n)
{
    d->n = n;
    d->p = n <= sizeof d->small ? d->small : ag_mem_new(a, n);
    return d->p != NULL;
}

void ag_dec_scratch_clear(ag_dec_digits *d, const ag_alloc *a)
{
    if (d->p != d->small)
        ag_mem_free(a, d->p);
}

/* ---- reading ---- */

static bool lower_is(const char *s, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++) {
        if ((s[i] | 0x20) != word[i])
            return false;
    }
    return word[n] == '\0';
}

static char special_word(const char *s, size_t n)
{
    if (n < 3 || n > 8)
        return 0;
    return lower_is(s, n, "nan") ? 'N' : lower_is(s, n, "inf") || lower_is(s, n, "infinity") ? 'I' : 0;
}

/* "e[+-]digits" to the end of the text; larger exponents than any limit allows are cut down to EXP_LIMIT. */
static bool scan_exponent(ag_scan *s, int64_t *exp)
{
    int sign;
    if (!ag_scan_take(s, 'e') && !ag_scan_take(s, 'E'))
        return true;
    (void)ag_scan_sign(s, &sign);
    if (!ag_scan_is_digit(s))
        return false;
    int64_t e = 0;
    for (; ag_scan_is_digit(s); s->p++)
        e = e < EXP_LIMIT ? e * 10 + (*s->p - '0') : EXP_LIMIT;
    *exp = sign * (e < EXP_LIMIT ? e : EXP_LIMIT);
    return true;
}

/* The spelling taken apart; false when it is none. d->scale is without the exponent. */
static bool scan_decimal(ag_dec *d, int64_t *exp, const char *text, size_t n)
{
    ag_scan s = {text, text + n};
    int sign;
    (void)ag_scan_sign(&s, &sign);
    *d = (ag_dec){.negative = sign < 0, .special = special_word(s.p, (size_t)(s.end - s.p))};
    if (d->special)
        return true;
    d->ints = s.p;
    while (ag_scan_is_digit(&s))
        s.p++;
    d->nints = (size_t)(s.p - d->ints);
    if (ag_scan_take(&s, '.')) {
        d->fracs = s.p;
        while (ag_scan_is_digit(&s))
            s.p++;
        d->scale = (size_t)(s.p - d->fracs);
    }
    *exp = 0;
    return d->nints + d->scale > 0 && scan_exponent(&s, exp) && s.p == s.end;
}

/* The digits of d times 10^exp, exp > 0 beyond its scale: zeros are appended. */
static ag_status emit_shifted(ag_buf *out, const ag_dec *d, int64_t scale, ag_error *err)
{
    size_t zeros = scale < 0 ? (size_t)-scale : 0, n = d->nints + d->scale, lead = 0;
    while (lead < n && ag_dec_digit(d, lead) == 0)
        lead++;
    if (lead == n)
        zeros = 0;
    n -= lead;
    if (n + zeros > AG_DEC_MAX_INTS + AG_DEC_MAX_SCALE || scale > (int64_t)AG_DEC_MAX_SCALE)
        return too_long(err);
    ag_dec_digits digits;
    if (!ag_dec_scratch(&digits, out->alloc, n + zeros))
        return ag_fail_nomem(err);
    for (size_t i = 0; i < n; i++)
        digits.p[i] = (char)('0' + ag_dec_digit(d, lead + i));
    memset(digits.p + n, '0', zeros);
    ag_status st = ag_dec_emit(out, d->negative, digits.p, n + zeros, scale > 0 ? (size_t)scale : 0, err);
    ag_dec_scratch_clear(&digits, out->alloc);
    return st;
}

ag_status ag_decimal_parse(ag_buf *out, const char *s, size_t n, ag_error *err)
{
    ag_dec d;
    int64_t exp;
    char shown[AG_QUOTE_MAX];
    if (!scan_decimal(&d, &exp, s, n))
        return ag_fail(err, AG_EXC_DATA, "%s is not a decimal number", ag_quote(shown, s, n));
    if (d.special)
        return ag_dec_special(out, d.negative, d.special, err);
    return emit_shifted(out, &d, (int64_t)d.scale - exp, err);
}

/* ---- order ---- */

/* |a| against |b|, both finite. */
static int compare_magnitudes(const ag_dec *a, const ag_dec *b)
{
    if (a->nints != b->nints)
        return a->nints < b->nints ? -1 : 1;
    int c = memcmp(a->ints, b->ints, a->nints);
    for (size_t i = 0; c == 0 && (i < a->scale || i < b->scale); i++)
        c = (int)ag_dec_frac(a, i) - (int)ag_dec_frac(b, i);
    return (c > 0) - (c < 0);
}

/* -1 -infinity, 0 finite, 1 infinity, 2 NaN. */
static int rank(const ag_dec *d)
{
    return d->special == 'N' ? 2 : d->special == 'I' ? (d->negative ? -1 : 1) : 0;
}

int ag_decimal_compare(const char *a, size_t an, const char *b, size_t bn)
{
    ag_dec x, y;
    ag_dec_view(&x, a, an);
    ag_dec_view(&y, b, bn);
    if (rank(&x) || rank(&y))
        return (rank(&x) > rank(&y)) - (rank(&x) < rank(&y));
    if (x.negative != y.negative)
        return x.negative ? -1 : 1;
    return x.negative ? compare_magnitudes(&y, &x) : compare_magnitudes(&x, &y);
}

/* ---- sums ---- */

/* Digits of |a| + sign * |b|, where |a| >= |b| if sign is -1. */
static void combine(ag_dec_digits *out, const ag_dec *a, const ag_dec *b, size_t scale, int sign)
{
    int carry = 0;
    for (size_t i = 0; i < out->n; i++) { /* from the lowest digit */
        int v = (int)ag_dec_at(a, scale, i) + sign * (int)ag_dec_at(b, scale, i) + carry;
        carry = v > 9 ? 1 : v < 0 ? -1 : 0;
        out->p[out->n - 1 - i] = (char)('0' + v - carry * 10);
    }
}

static ag_status add(ag_buf *out, const ag_dec *a, const ag_dec *b, ag_error *err)
{
    if (a->special || b->special) {
        if (a->special == 'N' || b->special == 'N' || (a->special && b->special && a->negative != b->negative))
            return ag_dec_special(out, false, 'N', err);
        return ag_dec_special(out, a->special ? a->negative : b->negative, 'I', err);
    }
    size_t scale = a->scale > b->scale ? a->scale : b->scale;
    ag_dec_digits digits;
    if (!ag_dec_scratch(&digits, out->alloc, (a->nints > b->nints ? a->nints : b->nints) + 1 + scale))
        return ag_fail_nomem(err);
    bool negative = a->negative;
    if (a->negative == b->negative) {
        combine(&digits, a, b, scale, 1);
    } else if (compare_magnitudes(a, b) >= 0) {
        combine(&digits, a, b, scale, -1);
    } else {
        combine(&digits, b, a, scale, -1);
        negative = b->negative;
    }
    ag_status st = ag_dec_emit(out, negative, digits.p, digits.n, scale, err);
    ag_dec_scratch_clear(&digits, out->alloc);
    return st;
}

ag_status ag_decimal_add(ag_buf *out, const char *a, size_t an, const char *b, size_t bn, ag_error *err)
{
    ag_dec x, y;
    ag_dec_view(&x, a, an);
    ag_dec_view(&y, b, bn);
    return add(out, &x, &y, err);
}

ag_status ag_decimal_sub(ag_buf *out, const char *a, size_t an, const char *b, size_t bn, ag_error *err)
{
    ag_dec x, y;
    ag_dec_view(&x, a, an);
    ag_dec_view(&y, b, bn);
    y.negative = !y.negative;
    return add(out, &x, &y, err);
}

/* ---- rounding and looking ---- */

ag_status ag_dec_check_scale(int scale, ag_error *err)
{
    if (scale >= 0 && scale <= (int)AG_DEC_MAX_SCALE)
        return AG_OK;
    return ag_fail(err, AG_EXC_ARGUMENT, "a decimal's scale is 0 to %u, not %d", AG_DEC_MAX_SCALE, scale);
}

ag_status ag_decimal_round(ag_buf *out, const char *a, size_t an, int scale, ag_error *err)
{
    ag_dec x;
    AG_TRY(ag_dec_check_scale(scale, err));
    ag_dec_view(&x, a, an);
    if (x.special)
        return ag_dec_special(out, x.negative, x.special, err);
    size_t want = (size_t)scale;
    ag_dec_digits digits;
    if (!ag_dec_scratch(&digits, out->alloc, x.nints + want + 1))
        return ag_fail_nomem(err);
    int carry = ag_dec_frac(&x, want) >= 5;
    for (size_t i = 0; i < digits.n; i++) {
        size_t from_top = digits.n - 1 - i;
        int v = carry;
        if (i < want)
            v += (int)ag_dec_frac(&x, want - 1 - i);
        else if (from_top > 0)
            v += x.ints[from_top - 1] - '0';
        carry = v > 9;
        digits.p[from_top] = (char)('0' + v - carry * 10);
    }
    ag_status st = ag_dec_emit(out, x.negative, digits.p, digits.n, want, err);
    ag_dec_scratch_clear(&digits, out->alloc);
    return st;
}

void ag_decimal_digits(const char *a, size_t an, int *significant, int *scale)
{
    ag_dec x;
    ag_dec_view(&x, a, an);
    *significant = *scale = 0;
    if (x.special)
        return;
    size_t n = x.nints + x.scale, lead = 0;
    while (lead + 1 < n && ag_dec_digit(&x, lead) == 0)
        lead++;
    *significant = (int)(n - lead);
    *scale = (int)x.scale;
}

bool ag_decimal_to_double(const char *a, size_t an, double *out)
{
    ag_dec x;
    ag_dec_view(&x, a, an);
    return !x.special && ag_parse_double(a, an, out);
}

/* Products and quotients of decimals in limbs of nine digits, lowest first; schoolbook methods, the division is Knuth's
 * algorithm D (The Art of Computer Programming, volume 2, 4.3.1). */
#include "value/dec.h"

#include <string.h>

#define BASE UINT64_C(1000000000)
#define LIMB 9u

typedef struct limbs {
    uint32_t *p;
    size_t n; /* the highest is not 0 unless the number is */
} limbs;

static void trim(limbs *x)
{
    while (x->n > 1 && x->p[x->n - 1] == 0)
        x->n--;
}

static bool limbs_new(limbs *x, const ag_alloc *a, size_t n)
{
    x->n = n;
    x->p = ag_mem_zero(a, n, sizeof *x->p);
    return x->p != NULL;
}

/* The digits of d without its point, then `zeros` zeros, as a number. A spare limb of 0 stands behind the highest. */
static bool limbs_of(limbs *x, const ag_alloc *a, const ag_dec *d, size_t zeros)
{
    static const uint32_t pow10[LIMB] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    size_t digits = d->nints + d->scale;
    if (!limbs_new(x, a, (digits + zeros) / LIMB + 2))
        return false;
    for (size_t i = 0; i < digits; i++) {
        size_t at = zeros + i; /* from the lowest */
        x->p[at / LIMB] += ag_dec_digit(d, digits - 1 - i) * pow10[at % LIMB];
    }
    trim(x);
    return true;
}

/* Writes x as the last digits of out, zeros in front. */
static void limbs_write(ag_dec_digits *out, const limbs *x)
{
    memset(out->p, '0', out->n);
    char *p = out->p + out->n;
    for (size_t i = 0; i < x->n; i++) {
        uint32_t v = x->p[i];
        for (size_t k = 0; k < LIMB && p > out->p; k++, v /= 10)
            *--p = (char)('0' + v % 10);
    }
}

static void multiply(limbs *r, const limbs *a, const limbs *b)
{
    for (size_t i = 0; i < a->n; i++) {
        uint64_t carry = 0;
        for (size_t j = 0; j < b->n; j++) {
            uint64_t v = (uint64_t)a->p[i] * b->p[j] + r->p[i + j] + carry;
            r->p[i + j] = (uint32_t)(v % BASE);
            carry = v / BASE;
        }
        r->p[i + b->n] = (uint32_t)carry;
    }
    trim(r);
}

static ag_status multiply_finite(ag_buf *out, const ag_dec *x, const ag_dec *y, ag_error *err)
{
    const ag_alloc *al = out->alloc;
    limbs a = {0}, b = {0}, r = {0};
    ag_dec_digits digits = {0};
    ag_status st;
    size_t scale = x->scale + y->scale, n = x->nints + y->nints + scale;
    if (limbs_of(&a, al, x, 0) && limbs_of(&b, al, y, 0) && limbs_new(&r, al, a.n + b.n) &&
        ag_dec_scratch(&digits, al, n)) {
        multiply(&r, &a, &b);
        limbs_write(&digits, &r);
        st = ag_dec_emit(out, x->negative != y->negative, digits.p, n, scale, err);
        ag_dec_scratch_clear(&digits, al);
    } else {
        st = ag_fail_nomem(err);
    }
    ag_mem_free(al, a.p);
    ag_mem_free(al, b.p);
    ag_mem_free(al, r.p);
    return st;
}

ag_status ag_decimal_mul(ag_buf *out, const char *a, size_t an, const char *b, size_t bn, ag_error *err)
{
    ag_dec x, y;
    ag_dec_view(&x, a, an);
    ag_dec_view(&y, b, bn);
    if (x.special || y.special) {
        bool none = x.special == 'N' || y.special == 'N' || ag_dec_is_zero(&x) || ag_dec_is_zero(&y);
        return ag_dec_special(out, x.negative != y.negative, none ? 'N' : 'I', err);
    }
    return multiply_finite(out, &x, &y, err);
}

/* ---- division ---- */

static void scale_limbs(limbs *x, uint64_t factor)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < x->n; i++) {
        uint64_t v = x->p[i] * factor + carry;
        x->p[i] = (uint32_t)(v % BASE);
        carry = v / BASE;
    }
}

/* Knuth's D3: the quotient limb of u[0 … n] by v[0 … n-1], n >= 2, at most one too big. */
static uint64_t guess(const uint32_t *u, const uint32_t *v, size_t n)
{
    uint64_t top = u[n] * BASE + u[n - 1];
    uint64_t q = top / v[n - 1], rest = top % v[n - 1];
    while (q >= BASE || q * v[n - 2] > rest * BASE + u[n - 2]) {
        q--;
        rest += v[n - 1];
        if (rest >= BASE)
            break;
    }
    return q;
}

/* D4 … D6: u -= q * v; when that was once too much, give back. Returns the true limb. */
static uint32_t subtract(uint32_t *u, const uint32_t *v, size_t n, uint64_t q)
{
    int64_t borrow = 0;
    uint64_t carry = 0;
    for (size_t i = 0; i <= n; i++) {
        uint64_t v_i = i < n ? q * v[i] + carry : carry;
        int64_t d = (int64_t)u[i] - (int64_t)(v_i % BASE) - borrow;
        carry = v_i / BASE;
        borrow = d < 0;
        u[i] = (uint32_t)(d + borrow * (int64_t)BASE);
    }
    if (!borrow)
        return (uint32_t)q;
    carry = 0;
    for (size_t i = 0; i <= n; i++) {
        uint64_t s = (uint64_t)u[i] + (i < n ? v[i] : 0) + carry;
        u[i] = (uint32_t)(s % BASE);
        carry = s / BASE;
    }
    return (uint32_t)(q - 1);
}

static void divide_small(limbs *u, uint64_t v)
{
    uint64_t rest = 0;
    for (size_t i = u->n; i-- > 0;) {
        uint64_t cur = rest * BASE + u->p[i];
        u->p[i] = (uint32_t)(cur / v);
        rest = cur % v;
    }
}

/* u becomes the quotient, rounded down. u and v come from limbs_of; v is destroyed. */
static bool divide(limbs *u, limbs *v, const ag_alloc *a)
{
    if (v->n == 1) {
        divide_small(u, v->p[0]);
        return true;
    }
    size_t m = u->n >= v->n ? u->n - v->n + 1 : 0;
    limbs q;
    if (!limbs_new(&q, a, m + 1))
        return false;
    uint64_t factor = BASE / (v->p[v->n - 1] + UINT64_C(1));
    u->n++;
    scale_limbs(u, factor);
    scale_limbs(v, factor);
    for (size_t j = m; j-- > 0;)
        q.p[j] = subtract(u->p + j, v->p, v->n, guess(u->p + j, v->p, v->n));
    ag_mem_free(a, u->p);
    trim(&q);
    *u = q;
    return true;
}

/* Writes u, which has one digit more than `scale` after the point, rounded half away from zero. */
static ag_status emit_rounded(ag_buf *out, bool negative, const limbs *u, size_t scale, ag_error *err)
{
    ag_dec_digits digits;
    size_t n = u->n * LIMB + 1;
    if (!ag_dec_scratch(&digits, out->alloc, n + 1))
        return ag_fail_nomem(err);
    limbs_write(&digits, u);
    if (digits.p[n] >= '5') {
        size_t i = n - 1;
        for (; digits.p[i] == '9'; i--)
            digits.p[i] = '0';
        digits.p[i]++;
    }
    ag_status st = ag_dec_emit(out, negative, digits.p, n, scale, err);
    ag_dec_scratch_clear(&digits, out->alloc);
    return st;
}

static ag_status divide_finite(ag_buf *out, const ag_dec *x, const ag_dec *y, size_t scale, ag_error *err)
{
    const ag_alloc *al = out->alloc;
    limbs u = {0}, v = {0};
    ag_status st;
    /* x / y * 10^(scale + 1) as a quotient of whole numbers */
    size_t up = scale + 1 + y->scale, down = x->scale;
    size_t more = up > down ? up - down : 0, less = down > up ? down - up : 0;
    if (limbs_of(&u, al, x, more) && limbs_of(&v, al, y, less) && divide(&u, &v, al))
        st = emit_rounded(out, x->negative != y->negative, &u, scale, err);
    else
        st = ag_fail_nomem(err);
    ag_mem_free(al, u.p);
    ag_mem_free(al, v.p);
    return st;
}

ag_status ag_decimal_div(ag_buf *out, const char *a, size_t an, const char *b, size_t bn, int scale, ag_error *err)
{
    ag_dec x, y;
    AG_TRY(ag_dec_check_scale(scale, err));
    ag_dec_view(&x, a, an);
    ag_dec_view(&y, b, bn);
    if (x.special == 'N' || y.special == 'N' || (x.special && y.special))
        return ag_dec_special(out, false, 'N', err);
    if (ag_dec_is_zero(&y))
        return ag_fail(err, AG_EXC_DATA, "division of a decimal by zero");
    if (x.special)
        return ag_dec_special(out, x.negative != y.negative, 'I', err);
    if (y.special)
        return ag_dec_emit(out, false, "0", 1, (size_t)scale, err);
    return divide_finite(out, &x, &y, (size_t)scale, err);
}

/* What decimal.c and decimal_mul.c share: a decimal seen as digits, and the way back to text. Private to them. */
#ifndef AG_VALUE_DEC_H
#define AG_VALUE_DEC_H

#include "value/decimal.h"

#define AG_DEC_MAX_INTS  131072u
#define AG_DEC_MAX_SCALE 16383u

/* A canonical text taken apart; its bytes are borrowed. */
typedef struct ag_dec {
    const char *ints, *fracs; /* digits before and after the point */
    size_t nints, scale;      /* how many */
    bool negative;
    char special; /* 0, 'N' for NaN, 'I' for an infinity */
} ag_dec;

/* s must be canonical. */
void ag_dec_view(ag_dec *d, const char *s, size_t n);
bool ag_dec_is_zero(const ag_dec *d);

/* Digit i of all of them, 0 the highest; i < nints + scale. */
static inline unsigned ag_dec_digit(const ag_dec *d, size_t i)
{
    return (unsigned)((i < d->nints ? d->ints[i] : d->fracs[i - d->nints]) - '0');
}
/* Digit i after the point, 0 the first; zeros follow without end. */
static inline unsigned ag_dec_frac(const ag_dec *d, size_t i)
{
    return i < d->scale ? (unsigned)(d->fracs[i] - '0') : 0;
}
/* Digit i from the lowest, were there `scale` >= d->scale digits after the point; zeros in front without end. */
static inline unsigned ag_dec_at(const ag_dec *d, size_t scale, size_t i)
{
    if (i < scale)
        return ag_dec_frac(d, scale - 1 - i);
    i -= scale;
    return i < d->nints ? (unsigned)(d->ints[d->nints - 1 - i] - '0') : 0;
}

/* Room for n digits; false when out of memory. */
typedef struct ag_dec_digits {
    char *p;
    size_t n;
    char small[128];
} ag_dec_digits;
bool ag_dec_scratch(ag_dec_digits *d, const ag_alloc *a, size_t n);
void ag_dec_scratch_clear(ag_dec_digits *d, const ag_alloc *a);

/* Appends n digits ('0' … '9', leading zeros allowed) of which `scale` stand after the point, in canonical form. AG_EXC_DATA
 * when there are too many. */
ag_status ag_dec_emit(ag_buf *out, bool negative, const char *digits, size_t n, size_t scale,
                      ag_error *err) AG_NODISCARD;
ag_status ag_dec_special(ag_buf *out, bool negative, char special, ag_error *err) AG_NODISCARD;
/* AG_EXC_ARGUMENT when a scale cannot be had. */
ag_status ag_dec_check_scale(int scale, ag_error *err) AG_NODISCARD;

#endif

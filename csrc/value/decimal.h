/* Exact decimals as canonical text: checks, comparison and the arithmetic a value type owes its users. No binary floating
 * point anywhere. Up to 131,072 digits before and 16,383 after the point (PostgreSQL's numeric). */
#ifndef AG_VALUE_DECIMAL_H
#define AG_VALUE_DECIMAL_H

#include "base/buf.h"
#include "value/value.h"

/* Everywhere: results are appended to out (out->alloc also gives the working memory); inputs called canonical are what
 * ag_decimal_parse made, and must not be bytes of out. Statuses: AG_NOMEM, and AG_ERROR with class AG_EXC_DATA when a result
 * has too many digits. NaN and infinities follow PostgreSQL: NaN takes over, Infinity - Infinity is NaN. */

/* Canonical text of any decimal spelling (sign, leading zeros, exponent): "+01.50e1" -> "15.0". Trailing zeros after the
 * point are kept (they are the scale); "-0" -> "0". NaN and infinities (also "inf", any case, signs) as PostgreSQL spells
 * them: NaN, Infinity, -Infinity. AG_EXC_DATA for anything else. */
ag_status ag_decimal_parse(ag_buf *out, const char *s, size_t n, ag_error *err) AG_NODISCARD;
/* Numeric order, scale ignored: -1, 0, 1; NaN equals NaN and is greater than all (PostgreSQL). Canonical inputs. */
int ag_decimal_compare(const char *a, size_t an, const char *b, size_t bn);
/* Canonical inputs. Exact: the scale of a sum is the larger one, of a product the sum of both. */
ag_status ag_decimal_add(ag_buf *out, const char *a, size_t an, const char *b, size_t bn, ag_error *err) AG_NODISCARD;
ag_status ag_decimal_sub(ag_buf *out, const char *a, size_t an, const char *b, size_t bn, ag_error *err) AG_NODISCARD;
ag_status ag_decimal_mul(ag_buf *out, const char *a, size_t an, const char *b, size_t bn, ag_error *err) AG_NODISCARD;
/* Quotient with `scale` (0 … 16,383, else AG_EXC_ARGUMENT) digits after the point, half away from zero (PostgreSQL's
 * rounding). Division by zero: AG_EXC_DATA; by an infinity: 0. */
ag_status ag_decimal_div(ag_buf *out, const char *a, size_t an, const char *b, size_t bn, int scale,
                         ag_error *err) AG_NODISCARD;
/* Rounded (half away from zero) or padded to exactly `scale` (as above) digits. NaN and infinities stay. */
ag_status ag_decimal_round(ag_buf *out, const char *a, size_t an, int scale, ag_error *err) AG_NODISCARD;
/* Digits from the first that is not 0 to the last (at least 1; trailing zeros count), and digits after the point. Both 0 for
 * NaN and infinities. */
void ag_decimal_digits(const char *a, size_t an, int *significant, int *scale);
/* Nearest double; false when NaN/infinite or too large for one. For asdecimal = false and printing only. */
bool ag_decimal_to_double(const char *a, size_t an, double *out);

#endif

/* Exact decimals as canonical text: checks, comparison and the arithmetic a value type owes its users. No binary floating
 * point anywhere. Up to 131,072 digits before and 16,383 after the point (PostgreSQL's numeric). */
#ifndef AG_VALUE_DECIMAL_H
#define AG_VALUE_DECIMAL_H

#include "base/buf.h"
#include "value/value.h"

/* Canonical text of any decimal spelling (sign, leading zeros, exponent): "+01.50e1" -> "15.0". Trailing zeros after the
 * point are kept (they are the scale); "-0" -> "0". NaN and infinities as PostgreSQL spells them. AG_EXC_DATA otherwise. */
ag_status ag_decimal_parse(ag_buf *out, const char *s, size_t n, ag_error *err) AG_NODISCARD;
/* Numeric order, scale ignored; NaN equals NaN and is greater than all (PostgreSQL). Canonical inputs. */
int ag_decimal_compare(const char *a, size_t an, const char *b, size_t bn);
ag_status ag_decimal_add(ag_buf *out, const char *a, size_t an, const char *b, size_t bn, ag_error *err) AG_NODISCARD;
ag_status ag_decimal_sub(ag_buf *out, const char *a, size_t an, const char *b, size_t bn, ag_error *err) AG_NODISCARD;
ag_status ag_decimal_mul(ag_buf *out, const char *a, size_t an, const char *b, size_t bn, ag_error *err) AG_NODISCARD;
/* Quotient with `scale` digits after the point, half away from zero (PostgreSQL's rounding). Division by zero: AG_EXC_DATA. */
ag_status ag_decimal_div(ag_buf *out, const char *a, size_t an, const char *b, size_t bn, int scale,
                         ag_error *err) AG_NODISCARD;
/* Rounded (half away from zero) or padded to exactly `scale` digits. */
ag_status ag_decimal_round(ag_buf *out, const char *a, size_t an, int scale, ag_error *err) AG_NODISCARD;
/* Significant digits, and digits after the point. */
void ag_decimal_digits(const char *a, size_t an, int *significant, int *scale);
/* Nearest double; false when NaN/infinite. For asdecimal = false and printing only. */
bool ag_decimal_to_double(const char *a, size_t an, double *out);

#endif

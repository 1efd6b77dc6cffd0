/* Canonical decimals stay as they are, agree with their order, and sums, products and quotients keep their laws. Input: two
 * spellings on two lines. */
#include "value/decimal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LONGEST 2000u /* products of longer ones only take time */

static void require(bool ok)
{
    if (!ok)
        abort();
}

static int compare(const ag_buf *a, const ag_buf *b)
{
    return ag_decimal_compare(a->data, a->len, b->data, b->len);
}

static bool is_finite(const ag_buf *a)
{
    return !strchr(a->data, 'N') && !strchr(a->data, 'I');
}

static bool parse(ag_buf *out, const char *s, size_t n)
{
    ag_error err = {0};
    ag_buf_init(out, ag_alloc_libc());
    ag_status st = ag_decimal_parse(out, s, n, &err);
    require(st == AG_OK || (st == AG_ERROR && err.cls == AG_EXC_DATA && err.message));
    ag_error_clear(&err);
    if (st != AG_OK)
        ag_buf_clear(out);
    return st == AG_OK;
}

static void check_one(const ag_buf *a)
{
    ag_buf again, rounded;
    int significant, scale;
    double f;
    require(parse(&again, a->data, a->len));
    require(again.len == a->len && memcmp(again.data, a->data, a->len) == 0);
    require(compare(a, a) == 0);
    ag_decimal_digits(a->data, a->len, &significant, &scale);
    if (ag_decimal_to_double(a->data, a->len, &f))
        require(isfinite(f) && !(f > 0 && a->data[0] == '-') && !(f < 0 && a->data[0] != '-'));
    ag_buf_init(&rounded, ag_alloc_libc());
    /* rounding to its own scale changes nothing */
    require(ag_decimal_round(&rounded, a->data, a->len, scale, NULL) == AG_OK);
    require(strcmp(rounded.data, a->data) == 0);
    ag_buf_clear(&rounded);
    ag_buf_clear(&again);
}

static void check_sum(const ag_buf *a, const ag_buf *b)
{
    ag_buf sum, back;
    ag_buf_init(&sum, ag_alloc_libc());
    ag_buf_init(&back, ag_alloc_libc());
    if (ag_decimal_add(&sum, a->data, a->len, b->data, b->len, NULL) == AG_OK && is_finite(&sum)) {
        require(ag_decimal_sub(&back, sum.data, sum.len, b->data, b->len, NULL) == AG_OK);
        require(compare(&back, a) == 0);
    }
    ag_buf_clear(&sum);
    ag_buf_clear(&back);
}

/* (a * b) / b = a */
static void check_product(const ag_buf *a, const ag_buf *b)
{
    ag_buf product, back;
    int significant, scale;
    ag_buf_init(&product, ag_alloc_libc());
    ag_buf_init(&back, ag_alloc_libc());
    ag_decimal_digits(a->data, a->len, &significant, &scale);
    if (ag_decimal_mul(&product, a->data, a->len, b->data, b->len, NULL) == AG_OK &&
        ag_decimal_div(&back, product.data, product.len, b->data, b->len, scale, NULL) == AG_OK)
        require(compare(&back, a) == 0);
    ag_buf_clear(&product);
    ag_buf_clear(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *line = size ? memchr(text, '\n', size) : NULL;
    size_t n = line ? (size_t)(line - text) : size;
    ag_buf a, b;
    if (!parse(&a, text, n))
        return 0;
    if (a.len <= LONGEST)
        check_one(&a);
    if (line && parse(&b, line + 1, size - n - 1)) {
        require(compare(&a, &b) == -compare(&b, &a));
        if (is_finite(&a) && is_finite(&b) && a.len <= LONGEST && b.len <= LONGEST) {
            check_sum(&a, &b);
            check_product(&a, &b);
        }
        ag_buf_clear(&b);
    }
    ag_buf_clear(&a);
    return 0;
}

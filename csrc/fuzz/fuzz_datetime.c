/* What a temporal parser takes is written and read back as the same value, in every form; order and arithmetic stand any
 * value. Input: a byte that picks the parser, then the text. */
#include "value/datetime.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef ag_status (*parser)(ag_value *out, const char *s, size_t n, ag_error *err);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static bool same(const ag_value *a, const ag_value *b)
{
    return ag_value_equal(a, b) && a->offset == b->offset && a->flags == b->flags;
}

static void check_writing(parser parse, const ag_value *v, char sep)
{
    char text[AG_TEMPORAL_MAX], again[AG_TEMPORAL_MAX];
    ag_value back;
    size_t n = ag_temporal_write(text, v, sep, -1);
    require(n < sizeof text && strlen(text) == n);
    require(parse(&back, text, n, NULL) == AG_OK);
    require(same(v, &back));
    for (int fraction = 0; fraction <= 6; fraction++) {
        n = ag_temporal_write(again, v, sep, fraction);
        require(n < sizeof again && parse(&back, again, n, NULL) == AG_OK);
    }
    require(same(v, &back)); /* six digits are all there are */
}

static void check_arithmetic(const ag_value *v, uint8_t seed)
{
    const ag_interval intervals[] = {{1, 1, 1},
                                     {INT64_MAX, INT32_MAX, INT32_MAX},
                                     {INT64_MIN, INT32_MIN, INT32_MIN},
                                     {seed * INT64_C(86400000000), 0, 0}};
    for (size_t i = 0; i < sizeof intervals / sizeof intervals[0]; i++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            ag_value sum, difference;
            if (ag_temporal_add(&sum, v, &intervals[i], sign, NULL) != AG_OK)
                continue;
            require(ag_temporal_compare(v, &sum) == -ag_temporal_compare(&sum, v));
            if (ag_temporal_sub(&difference, &sum, v, NULL) == AG_OK)
                require(difference.kind == AG_V_INTERVAL);
        }
    }
    require(ag_temporal_compare(v, v) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const parser parsers[] = {ag_date_parse, ag_time_parse, ag_datetime_parse, ag_interval_parse};
    if (size == 0)
        return 0;
    parser parse = parsers[data[0] % 4];
    ag_value v;
    ag_error err = {0};
    ag_status st = parse(&v, (const char *)data + 1, size - 1, &err);
    require(st == AG_OK || (st == AG_ERROR && err.cls == AG_EXC_DATA && err.message));
    ag_error_clear(&err);
    if (st == AG_OK) {
        check_writing(parse, &v, ' ');
        check_writing(parse, &v, 'T');
        check_arithmetic(&v, data[0]);
    }
    return 0;
}

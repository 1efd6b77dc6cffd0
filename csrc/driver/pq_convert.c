/* From what the server sent to what was asked for. The server has types, so a value is never guessed at: only
 * conversions that lose nothing are made, and a value that has none stays what it is (extract() gives a numeric
 * that is asked for as Integer and may have a fraction). */
#include "driver/pq_codec.h"
#include "driver/pq_impl.h"

#include "value/datetime.h"

#include <stdio.h>

static ag_status own_bytes(ag_pq_codec *x, ag_value *v, ag_vkind kind, const char *s, size_t n, ag_error *err)
{
    char *copy = ag_pq_codec_new(x, n ? n : 1);
    if (!copy)
        return x->core->fail_nomem(err);
    if (n)
        memcpy(copy, s, n);
    *v = ag_value_bytes(kind, copy, n);
    return AG_OK;
}

#define ROUNDED_MAX 1400 /* 309 digits, a point, up to 1,000 digits */

/* scale: digits after the point that were asked for (decimal_return_scale), -1: all that the double needs. */
static ag_status to_decimal(ag_pq_codec *x, ag_value *v, int32_t scale, ag_error *err)
{
    char digits[24], rounded[ROUNDED_MAX];
    if (v->kind == AG_V_FLOAT && scale >= 0 && scale <= 1000 && v->u.f - v->u.f == 0) {
        int n = snprintf(rounded, sizeof rounded, "%.*f", (int)scale, v->u.f);
        ag_value out;
        AG_TRY(ag_pq_text_numeric(x, &out, rounded, (size_t)n, err));
        *v = out;
        return AG_OK;
    }
    if (v->kind == AG_V_INT)
        return own_bytes(x, v, AG_V_DECIMAL, digits, ag_driver_int_text(digits, v->u.i), err);
    if (v->kind != AG_V_FLOAT)
        return AG_OK;
    ag_buf text = {.alloc = x->alloc};
    ag_status st = ag_pq_put_text(x, &text, v, err);
    size_t n = text.len;
    if (n > 2 && !text.failed && text.data[n - 1] == '0' && text.data[n - 2] == '.')
        n -= 2;
    if (text.failed)
        st = x->core->fail_nomem(err);
    if (st == AG_OK) {
        ag_value out;
        st = ag_pq_text_numeric(x, &out, text.data, n, err);
        *v = st == AG_OK ? out : *v;
    }
    x->core->buf_clear(&text);
    return st;
}

static void to_int(ag_pq_codec *x, ag_value *v)
{
    int64_t i;
    if (v->kind == AG_V_FLOAT && v->u.f >= -9007199254740992.0 && v->u.f <= 9007199254740992.0 &&
        v->u.f == (double)(int64_t)v->u.f)
        *v = ag_value_int((int64_t)v->u.f);
    else if (v->kind == AG_V_BOOL)
        v->kind = AG_V_INT;
    else if (v->kind == AG_V_DECIMAL) {
        const ag_str *s = &v->u.s;
        const char *dot = memchr(s->p, '.', s->n);
        size_t whole = dot ? (size_t)(dot - s->p) : s->n, end = s->n;
        while (dot && end > whole + 1 && s->p[end - 1] == '0')
            end--;
        if (end <= whole + 1 && x->core->parse_int64(s->p, whole, &i))
            *v = ag_value_int(i);
    }
}

static void to_float(ag_pq_codec *x, ag_value *v)
{
    double d;
    if (v->kind == AG_V_INT && v->u.i >= -(INT64_C(1) << 53) && v->u.i <= INT64_C(1) << 53)
        *v = ag_value_float((double)v->u.i);
    else if (v->kind == AG_V_DECIMAL && x->core->decimal_to_double(v->u.s.p, v->u.s.n, &d))
        *v = ag_value_float(d); /* asked for: Numeric(asdecimal = false) */
    else if (v->kind == AG_V_DECIMAL)
        *v = ag_value_float(v->u.s.p[0] == 'N'   ? (double)__builtin_nanf("")
                            : v->u.s.p[0] == '-' ? (double)-__builtin_inff()
                                                 : (double)__builtin_inff());
}

static ag_status to_uuid(ag_pq_codec *x, ag_value *v, ag_error *err)
{
    char text[36];
    if (v->kind != AG_V_TEXT || !ag_driver_uuid_parse(text, v->u.s.p, v->u.s.n))
        return AG_OK;
    return own_bytes(x, v, AG_V_UUID, text, 36, err);
}

static void to_datetime(ag_value *v)
{
    if (v->kind == AG_V_DATE && v->u.i != AG_DATE_NEG_INF && v->u.i != AG_DATE_POS_INF &&
        v->u.i > -INT64_C(106000000) && v->u.i < INT64_C(106000000))
        *v = (ag_value){.kind = AG_V_DATETIME, .u.i = v->u.i * AG_US_PER_DAY};
}

/* A text where a time is asked for: a literal without a cast. What is none stays as it is. */
static ag_status from_text(ag_pq_codec *x, ag_value *v, ag_pq_decode_fn decode, ag_error *err)
{
    ag_error why = {.alloc = err->alloc};
    ag_value out;
    if (v->kind != AG_V_TEXT)
        return AG_OK;
    ag_status st = decode(x, &out, v->u.s.p, v->u.s.n, &why);
    if (st == AG_OK)
        *v = out;
    x->core->error_clear(&why);
    return st == AG_NOMEM ? x->core->fail_nomem(err) : AG_OK;
}

ag_status ag_pq_convert(ag_pq_codec *x, ag_value *v, ag_vkind want, const ag_type *asked, ag_error *err)
{
    switch (want) {
    case AG_V_INT: to_int(x, v); return AG_OK;
    case AG_V_FLOAT: to_float(x, v); return AG_OK;
    case AG_V_DECIMAL: return to_decimal(x, v, asked ? asked->length : -1, err);
    case AG_V_BOOL:
        if (v->kind == AG_V_INT && (v->u.i == 0 || v->u.i == 1))
            v->kind = AG_V_BOOL;
        return AG_OK;
    case AG_V_TEXT:
        if (v->kind == AG_V_RAW || v->kind == AG_V_UUID || v->kind == AG_V_JSON)
            v->kind = AG_V_TEXT;
        return AG_OK;
    case AG_V_RAW:
    case AG_V_JSON:
        if (v->kind == AG_V_TEXT)
            v->kind = (uint8_t)want;
        return AG_OK;
    case AG_V_UUID: return to_uuid(x, v, err);
    case AG_V_DATE: return from_text(x, v, ag_pq_text_date, err);
    case AG_V_TIME: return from_text(x, v, ag_pq_text_time, err);
    case AG_V_INTERVAL: return from_text(x, v, ag_pq_text_interval, err);
    case AG_V_DATETIME: to_datetime(v); return from_text(x, v, ag_pq_text_timestamp, err);
    default: return AG_OK;
    }
}

/* Text column values of the scalar types (the types' output functions, with DateStyle ISO and IntervalStyle
 * postgres), and the choice of a decoder for any column. */
#include "driver/pq_codec.h"

ag_status ag_pq_text_bool(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    if (n != 1 || (p[0] != 't' && p[0] != 'f'))
        return ag_pq_malformed(x, "bool", err);
    *out = ag_value_bool(p[0] == 't');
    return AG_OK;
}

ag_status ag_pq_text_int(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    int64_t i;
    if (!x->core->parse_int64(p, n, &i))
        return ag_pq_malformed(x, "integer", err);
    *out = ag_value_int(i);
    return AG_OK;
}

static bool is_word(const char *p, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(p, word, n) == 0;
}

ag_status ag_pq_text_float8(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    double d;
    if (is_word(p, n, "NaN"))
        d = (double)__builtin_nanf("");
    else if (is_word(p, n, "Infinity"))
        d = (double)__builtin_inff();
    else if (is_word(p, n, "-Infinity"))
        d = (double)-__builtin_inff();
    else if (!x->core->parse_double(p, n, &d))
        return ag_pq_malformed(x, "float", err);
    *out = ag_value_float(d);
    return AG_OK;
}

/* The float4 itself, widened: what the binary form gives. */
ag_status ag_pq_text_float4(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    AG_TRY(ag_pq_text_float8(x, out, p, n, err));
    out->u.f = (double)(float)out->u.f;
    return AG_OK;
}

ag_status ag_pq_text_text(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    (void)x, (void)err;
    *out = ag_value_text(p, n);
    return AG_OK;
}

ag_status ag_pq_text_raw(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    (void)x, (void)err;
    *out = ag_value_bytes(AG_V_RAW, p, n);
    return AG_OK;
}

ag_status ag_pq_text_json(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    (void)x, (void)err;
    *out = ag_value_bytes(AG_V_JSON, p, n);
    return AG_OK;
}

static int hex_digit(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    if (ch >= 'a' && ch <= 'f')
        return ch - 'a' + 10;
    return ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

static ag_status bytea_hex(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    char *s = ag_pq_codec_new(x, n / 2 + 1);
    if (!s)
        return x->core->fail_nomem(err);
    for (size_t i = 0; i + 1 < n; i += 2) {
        int hi = hex_digit(p[i]), lo = hex_digit(p[i + 1]);
        if (hi < 0 || lo < 0)
            return ag_pq_malformed(x, "bytea", err);
        s[i / 2] = (char)(hi << 4 | lo);
    }
    *out = ag_value_bytes(AG_V_BYTES, s, n / 2);
    return n % 2 ? ag_pq_malformed(x, "bytea", err) : AG_OK;
}

/* bytea_output hex ("\x…") or escape ("\ooo", "\\"). */
ag_status ag_pq_text_bytea(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    if (n >= 2 && p[0] == '\\' && p[1] == 'x')
        return bytea_hex(x, out, p + 2, n - 2, err);
    char *s = ag_pq_codec_new(x, n + 1);
    size_t at = 0;
    if (!s)
        return x->core->fail_nomem(err);
    for (size_t i = 0; i < n; i++) {
        if (p[i] != '\\') {
            s[at++] = p[i];
        } else if (i + 1 < n && p[i + 1] == '\\') {
            s[at++] = p[++i];
        } else if (i + 3 < n && p[i + 1] >= '0' && p[i + 1] <= '3' && p[i + 2] >= '0' && p[i + 2] <= '7' &&
                   p[i + 3] >= '0' && p[i + 3] <= '7') {
            s[at++] = (char)((p[i + 1] - '0') << 6 | (p[i + 2] - '0') << 3 | (p[i + 3] - '0'));
            i += 3;
        } else {
            return ag_pq_malformed(x, "bytea", err);
        }
    }
    *out = ag_value_bytes(AG_V_BYTES, s, at);
    return AG_OK;
}

ag_status ag_pq_text_numeric(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    x->buf.len = 0;
    if (x->core->decimal_parse(&x->buf, p, n, NULL) != AG_OK)
        return x->buf.failed ? x->core->fail_nomem(err) : ag_pq_malformed(x, "numeric", err);
    char *s = ag_pq_codec_new(x, x->buf.len);
    if (!s)
        return x->core->fail_nomem(err);
    memcpy(s, x->buf.data, x->buf.len);
    *out = ag_value_bytes(AG_V_DECIMAL, s, x->buf.len);
    return AG_OK;
}

ag_status ag_pq_text_date(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    return x->core->date_parse(out, p, n, err);
}

ag_status ag_pq_text_time(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    return x->core->time_parse(out, p, n, err);
}

ag_status ag_pq_text_timestamp(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    return x->core->datetime_parse(out, p, n, err);
}

ag_status ag_pq_text_timestamptz(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    AG_TRY(x->core->datetime_parse(out, p, n, err));
    out->flags |= AG_V_ZONED; /* "infinity" shows none */
    return AG_OK;
}

ag_status ag_pq_text_interval(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    bool minus = n == 9 && p[0] == '-';
    if (is_word(p + minus, n - minus, "infinity")) { /* PostgreSQL 17: all fields at their end */
        *out = (ag_value){.kind = AG_V_INTERVAL};
        out->u.iv =
            minus ? (ag_interval){INT64_MIN, INT32_MIN, INT32_MIN} : (ag_interval){INT64_MAX, INT32_MAX, INT32_MAX};
        return AG_OK;
    }
    return x->core->interval_parse(out, p, n, err);
}

ag_status ag_pq_text_uuid(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    char *s = ag_pq_codec_new(x, 36);
    if (!s)
        return x->core->fail_nomem(err);
    if (!ag_driver_uuid_parse(s, p, n))
        return ag_pq_malformed(x, "uuid", err);
    *out = ag_value_bytes(AG_V_UUID, s, 36);
    return AG_OK;
}

/* Text decoder for elements or columns of an unknown type, by what was asked for. */
static ag_pq_decode_fn text_decoder(ag_vkind kind)
{
    switch (kind) {
    case AG_V_BOOL: return ag_pq_text_bool;
    case AG_V_INT: return ag_pq_text_int;
    case AG_V_FLOAT: return ag_pq_text_float8;
    case AG_V_TEXT: return ag_pq_text_text;
    case AG_V_BYTES: return ag_pq_text_bytea;
    case AG_V_DECIMAL: return ag_pq_text_numeric;
    case AG_V_UUID: return ag_pq_text_uuid;
    case AG_V_JSON: return ag_pq_text_json;
    case AG_V_DATE: return ag_pq_text_date;
    case AG_V_TIME: return ag_pq_text_time;
    case AG_V_DATETIME: return ag_pq_text_timestamp; /* the text says whether it has a zone */
    case AG_V_INTERVAL: return ag_pq_text_interval;
    default: return ag_pq_text_raw;
    }
}

static ag_status decode_array(ag_pq_codec *x, ag_value *out, const ag_pq_type *item, bool binary, const char *p,
                              size_t n, ag_error *err)
{
    if (!binary)
        return ag_pq_text_array(x, out, p, n, item->text, err);
    if (n >= 12 && ag_pq_get32(p + 8) != item->oid)
        return ag_pq_malformed(x, "array", err);
    return ag_pq_bin_array(x, out, p, n, err);
}

ag_status ag_pq_decode(ag_pq_codec *x, ag_value *out, uint32_t oid, bool binary, ag_vkind kind, ag_vkind item_kind,
                       const char *p, size_t n, ag_error *err)
{
    const ag_pq_type *t = ag_pq_type_find(oid), *item = t ? NULL : ag_pq_type_find_array(oid);
    if (t && (!binary || t->binary))
        return (binary ? t->binary : t->text)(x, out, p, n, err);
    if (item)
        return decode_array(x, out, item, binary, p, n, err);
    if (binary && !t && kind == AG_V_TEXT) /* an enum's or citext's binary form is its text */
        return ag_pq_text_text(x, out, p, n, err);
    if (binary)
        return ag_driver_fail(x->core, err, AG_EXC_DATA,
                              "a value of the type with OID %u came in a form that is not known", (unsigned)oid);
    if (kind == AG_V_ARRAY)
        return ag_pq_text_array(x, out, p, n, text_decoder(item_kind), err);
    return text_decoder(kind)(x, out, p, n, err);
}

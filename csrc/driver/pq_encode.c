/* Parameters: values to the binary form of a type where there is one, else to text, which every type reads. */
#include "driver/pq_codec.h"

#include "value/datetime.h"

uint32_t ag_pq_value_oid(ag_pq_codec *x, const ag_value *v)
{
    switch (v->kind) {
    case AG_V_BOOL: return AG_OID_BOOL;
    case AG_V_INT: return v->u.i >= INT32_MIN && v->u.i <= INT32_MAX ? AG_OID_INT4 : AG_OID_INT8;
    case AG_V_FLOAT: return AG_OID_FLOAT8;
    case AG_V_BYTES: return AG_OID_BYTEA;
    case AG_V_DECIMAL: return AG_OID_NUMERIC;
    case AG_V_DATE: return AG_OID_DATE;
    case AG_V_TIME: return v->flags & AG_V_ZONED ? AG_OID_TIMETZ : AG_OID_TIME;
    case AG_V_DATETIME: return v->flags & AG_V_ZONED ? AG_OID_TIMESTAMPTZ : AG_OID_TIMESTAMP;
    case AG_V_INTERVAL: return AG_OID_INTERVAL;
    case AG_V_UUID: return AG_OID_UUID;
    case AG_V_ARRAY: {
        uint32_t oid = 0;
        size_t count = x->core->array_count(v->u.s.p, v->u.s.n);
        for (size_t i = 0; i < count; i++) {
            ag_value item;
            x->core->array_get(&item, v->u.s.p, v->u.s.n, i);
            uint32_t it = item.kind == AG_V_TEXT ? (uint32_t)AG_OID_TEXT : ag_pq_value_oid(x, &item);
            if (it && it != oid && !(oid == AG_OID_INT8 && it == AG_OID_INT4))
                oid = it; /* one wide integer makes the array wide */
        }
        return ag_pq_array_oid(oid);
    }
    default: return 0;
    }
}

static bool put16(ag_pq_codec *x, ag_buf *out, int64_t v)
{
    char *p = ag_driver_put(x->core, out, 2);
    if (p)
        ag_pq_set16(p, (uint16_t)v);
    return true;
}

static bool put32(ag_pq_codec *x, ag_buf *out, uint32_t v)
{
    char *p = ag_driver_put(x->core, out, 4);
    if (p)
        ag_pq_set32(p, v);
    return true;
}

static bool put64(ag_pq_codec *x, ag_buf *out, uint64_t v)
{
    char *p = ag_driver_put(x->core, out, 8);
    if (p)
        ag_pq_set64(p, v);
    return true;
}

static bool put_double(ag_pq_codec *x, ag_buf *out, double d)
{
    uint64_t bits;
    memcpy(&bits, &d, 8);
    return put64(x, out, bits);
}

static bool put_int(ag_pq_codec *x, ag_buf *out, uint32_t oid, int64_t i)
{
    char digits[24];
    switch (oid) {
    case AG_OID_INT4: return i >= INT32_MIN && i <= INT32_MAX && put32(x, out, (uint32_t)i);
    case AG_OID_INT8: return put64(x, out, (uint64_t)i);
    case AG_OID_INT2: return i >= INT16_MIN && i <= INT16_MAX && put16(x, out, i);
    case AG_OID_OID: return i >= 0 && i <= UINT32_MAX && put32(x, out, (uint32_t)i);
    case AG_OID_FLOAT8: return i >= -(INT64_C(1) << 53) && i <= INT64_C(1) << 53 && put_double(x, out, (double)i);
    case AG_OID_NUMERIC: return ag_pq_put_numeric(x, out, digits, ag_driver_int_text(digits, i));
    default: return false;
    }
}

static bool put_uuid(ag_pq_codec *x, ag_buf *out, const ag_str *s)
{
    char text[36];
    if (!ag_driver_uuid_parse(text, s->p, s->n))
        return false;
    char *p = ag_driver_put(x->core, out, 16);
    for (size_t i = 0, at = 0; p && i < 16; i++) {
        if (text[at] == '-')
            at++;
        unsigned hi = (unsigned)(text[at] <= '9' ? text[at] - '0' : text[at] - 'a' + 10);
        unsigned lo = (unsigned)(text[at + 1] <= '9' ? text[at + 1] - '0' : text[at + 1] - 'a' + 10);
        p[i] = (char)(hi << 4 | lo);
        at += 2;
    }
    return true;
}

/* Uuid{native_uuid = false}: the 32 digits. */
static bool put_uuid_digits(ag_pq_codec *x, ag_buf *out, const ag_str *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->p[i] != '-')
            ag_driver_add_char(x->core, out, s->p[i]);
    }
    return true;
}

static bool put_temporal(ag_pq_codec *x, ag_buf *out, uint32_t oid, const ag_value *v)
{
    bool zoned = (v->flags & AG_V_ZONED) != 0;
    int64_t i = v->u.i;
    switch (v->kind) {
    case AG_V_DATE:
        if (oid != AG_OID_DATE || i < INT32_MIN || i > INT32_MAX)
            return false;
        if (i != INT32_MIN && i != INT32_MAX)
            i -= AG_PQ_EPOCH_DAYS;
        return i >= INT32_MIN && put32(x, out, (uint32_t)(int32_t)i);
    case AG_V_TIME:
        if (oid != (zoned ? AG_OID_TIMETZ : AG_OID_TIME))
            return false;
        (void)put64(x, out, (uint64_t)i);
        return zoned ? put32(x, out, (uint32_t)-v->offset) : true;
    case AG_V_DATETIME:
        if (oid != (zoned ? AG_OID_TIMESTAMPTZ : AG_OID_TIMESTAMP))
            return false;
        if (i != INT64_MIN && i != INT64_MAX) {
            if (i < INT64_MIN + 1 + AG_PQ_EPOCH_US)
                return false;
            i -= AG_PQ_EPOCH_US;
        }
        return put64(x, out, (uint64_t)i);
    default: return false;
    }
}

static bool put_interval(ag_pq_codec *x, ag_buf *out, const ag_interval *iv)
{
    (void)put64(x, out, (uint64_t)iv->us);
    (void)put32(x, out, (uint32_t)iv->days);
    return put32(x, out, (uint32_t)iv->months);
}

static bool is_text_oid(uint32_t oid)
{
    return oid == AG_OID_TEXT || oid == AG_OID_VARCHAR || oid == AG_OID_BPCHAR || oid == AG_OID_NAME;
}

static ag_status check_text(ag_pq_codec *x, const ag_str *s, ag_error *err)
{
    const char *fault = ag_driver_text_fault(x->core, s->p, s->n);
    return fault ? ag_driver_fail(x->core, err, AG_EXC_DATA, "%s", fault) : AG_OK;
}

static ag_status put_bytes(ag_pq_codec *x, ag_buf *out, const ag_str *s, ag_error *err)
{
    if (s->n > AG_DRIVER_MAX_BYTES)
        return ag_driver_fail(x->core, err, AG_EXC_DATA, "the value is longer than 256 MiB");
    ag_driver_add(x->core, out, s->p, s->n);
    return AG_OK;
}

/* array_send's layout; every element must have a binary form. */
static ag_status put_array(ag_pq_codec *x, ag_buf *out, uint32_t elem, const ag_str *s, bool *done, ag_error *err)
{
    const ag_services *core = x->core;
    unsigned ndim = core->array_ndim(s->p, s->n);
    size_t count = core->array_count(s->p, s->n), flags_at = out->len + 4;
    (void)put32(x, out, ndim);
    (void)put32(x, out, 0);
    (void)put32(x, out, elem);
    for (unsigned d = 0; d < ndim; d++) {
        ag_array_dim dim = core->array_dim_get(s->p, s->n, d);
        (void)put32(x, out, (uint32_t)dim.length);
        (void)put32(x, out, (uint32_t)dim.lower);
    }
    *done = true;
    for (size_t i = 0; i < count && *done; i++) {
        ag_value v;
        core->array_get(&v, s->p, s->n, i);
        (void)put32(x, out, UINT32_MAX);
        size_t start = out->len;
        if (v.kind == AG_V_NULL) {
            if (!out->failed)
                ag_pq_set32(out->data + flags_at, 1);
            continue;
        }
        AG_TRY(ag_pq_put_binary(x, out, elem, &v, done, err));
        if (*done && !out->failed)
            ag_pq_set32(out->data + start - 4, (uint32_t)(out->len - start));
    }
    return AG_OK;
}

/* Text of a type whose values are its text, in the binary form of that type. */
static ag_status put_own(ag_pq_codec *x, ag_buf *out, uint32_t oid, const ag_str *s, bool *done, ag_error *err)
{
    switch (oid) {
    case 869: *done = ag_pq_put_inet(x, out, s->p, s->n); return AG_OK;
    case 829: *done = ag_pq_put_macaddr(x, out, s->p, s->n, 6); return AG_OK;
    case 774: *done = ag_pq_put_macaddr(x, out, s->p, s->n, 8); return AG_OK;
    case 1560:
    case 1562: *done = ag_pq_put_bit(x, out, s->p, s->n); return AG_OK;
    case 4072:
        *done = true;
        AG_TRY(check_text(x, s, err));
        ag_driver_add_char(x->core, out, 1);
        return put_bytes(x, out, s, err);
    default: return ag_pq_put_range(x, out, oid, s, done, err);
    }
}

static ag_status put_binary(ag_pq_codec *x, ag_buf *out, uint32_t oid, const ag_value *v, bool *done, ag_error *err)
{
    const ag_str *s = &v->u.s;
    const ag_pq_type *t;
    switch (v->kind) {
    case AG_V_TEXT:
        if (!is_text_oid(oid) && oid != AG_OID_BYTEA)
            return put_own(x, out, oid, s, done, err);
        *done = true;
        if (oid != AG_OID_BYTEA)
            AG_TRY(check_text(x, s, err));
        return put_bytes(x, out, s, err);
    case AG_V_BYTES: *done = oid == AG_OID_BYTEA; return *done ? put_bytes(x, out, s, err) : AG_OK;
    case AG_V_JSON:
        if (oid != AG_OID_JSON && oid != AG_OID_JSONB)
            return AG_OK;
        *done = true;
        AG_TRY(check_text(x, s, err));
        if (oid == AG_OID_JSONB)
            ag_driver_add_char(x->core, out, 1);
        return put_bytes(x, out, s, err);
    case AG_V_DECIMAL: *done = oid == AG_OID_NUMERIC && ag_pq_put_numeric(x, out, s->p, s->n); return AG_OK;
    case AG_V_UUID:
        *done = oid == AG_OID_UUID ? put_uuid(x, out, s) : oid == AG_OID_BPCHAR && put_uuid_digits(x, out, s);
        return AG_OK;
    case AG_V_INTERVAL: *done = oid == AG_OID_INTERVAL && put_interval(x, out, &v->u.iv); return AG_OK;
    case AG_V_ARRAY:
        t = ag_pq_type_find_array(oid);
        return t && t->binary && s->n <= AG_DRIVER_MAX_BYTES ? put_array(x, out, t->oid, s, done, err) : AG_OK;
    case AG_V_RAW: return put_own(x, out, oid, s, done, err);
    default: *done = put_temporal(x, out, oid, v); return AG_OK;
    }
}

ag_status ag_pq_put_binary(ag_pq_codec *x, ag_buf *out, uint32_t oid, const ag_value *v, bool *done, ag_error *err)
{
    size_t start = out->len;
    ag_status st = AG_OK;
    *done = false;
    switch (v->kind) {
    case AG_V_INT: *done = put_int(x, out, oid, v->u.i); break;
    case AG_V_FLOAT: *done = oid == AG_OID_FLOAT8 && put_double(x, out, v->u.f); break;
    case AG_V_BOOL:
        *done = oid == AG_OID_BOOL;
        if (*done)
            ag_driver_add_char(x->core, out, v->u.i != 0);
        break;
    default: st = put_binary(x, out, oid, v, done, err); break;
    }
    if (st == AG_OK && !*done)
        out->len = start;
    return st;
}

/* ---- text ---- */

static void put_float_text(ag_pq_codec *x, ag_buf *out, double d)
{
    if (d != d)
        ag_driver_add(x->core, out, "NaN", 3);
    else if (d - d != 0)
        ag_driver_add(x->core, out, d > 0 ? "Infinity" : "-Infinity", d > 0 ? 8 : 9);
    else
        x->core->buf_double(out, d);
}

static void put_hex(ag_pq_codec *x, ag_buf *out, const ag_str *s)
{
    static const char hex[] = "0123456789abcdef";
    ag_driver_add(x->core, out, "\\x", 2);
    for (size_t i = 0; i < s->n; i++) {
        char two[2] = {hex[(unsigned char)s->p[i] >> 4], hex[(unsigned char)s->p[i] & 15]};
        ag_driver_add(x->core, out, two, 2);
    }
}

/* One element of an array literal, always quoted. */
static ag_status put_item(ag_pq_codec *x, ag_buf *out, const ag_value *v, ag_error *err)
{
    if (v->kind == AG_V_NULL) {
        ag_driver_add(x->core, out, "NULL", 4);
        return AG_OK;
    }
    ag_buf tmp = {.alloc = x->alloc};
    ag_status st = ag_pq_put_text(x, &tmp, v, err);
    ag_driver_add_char(x->core, out, '"');
    for (size_t i = 0; st == AG_OK && i < tmp.len; i++) {
        if (tmp.data[i] == '"' || tmp.data[i] == '\\')
            ag_driver_add_char(x->core, out, '\\');
        ag_driver_add_char(x->core, out, tmp.data[i]);
    }
    ag_driver_add_char(x->core, out, '"');
    out->failed = out->failed || tmp.failed;
    x->core->buf_clear(&tmp);
    return st;
}

static void put_bounds(ag_pq_codec *x, ag_buf *out, const ag_str *s, unsigned ndim)
{
    char digits[24];
    bool plain = true;
    for (unsigned d = 0; d < ndim; d++)
        plain = plain && x->core->array_dim_get(s->p, s->n, d).lower == 1;
    for (unsigned d = 0; d < ndim && !plain; d++) {
        ag_array_dim dim = x->core->array_dim_get(s->p, s->n, d);
        ag_driver_add_char(x->core, out, '[');
        ag_driver_add(x->core, out, digits, ag_driver_int_text(digits, dim.lower));
        ag_driver_add_char(x->core, out, ':');
        ag_driver_add(x->core, out, digits, ag_driver_int_text(digits, (int64_t)dim.lower + dim.length - 1));
        ag_driver_add_char(x->core, out, ']');
    }
    if (!plain)
        ag_driver_add_char(x->core, out, '=');
}

static ag_status put_array_text(ag_pq_codec *x, ag_buf *out, const ag_str *s, ag_error *err)
{
    const ag_services *core = x->core;
    unsigned ndim = core->array_ndim(s->p, s->n);
    size_t count = core->array_count(s->p, s->n), sizes[16];
    if (ndim > 16)
        return ag_driver_fail(core, err, AG_EXC_DATA, "an array of %u dimensions", ndim);
    size_t size = 1;
    for (unsigned d = ndim; d-- > 0;)
        sizes[d] = size *= (size_t)core->array_dim_get(s->p, s->n, d).length;
    put_bounds(x, out, s, ndim);
    if (!count)
        ag_driver_add(core, out, "{}", 2);
    for (size_t i = 0; i < count; i++) {
        ag_value v;
        if (i)
            ag_driver_add_char(core, out, ',');
        for (unsigned d = 0; d < ndim; d++) {
            if (i % sizes[d] == 0)
                ag_driver_add_char(core, out, '{');
        }
        core->array_get(&v, s->p, s->n, i);
        AG_TRY(put_item(x, out, &v, err));
        for (unsigned d = 0; d < ndim; d++) {
            if ((i + 1) % sizes[d] == 0)
                ag_driver_add_char(core, out, '}');
        }
    }
    return AG_OK;
}

ag_status ag_pq_put_text(ag_pq_codec *x, ag_buf *out, const ag_value *v, ag_error *err)
{
    const ag_services *core = x->core;
    char tmp[AG_TEMPORAL_MAX];
    switch (v->kind) {
    case AG_V_BOOL: ag_driver_add_char(core, out, v->u.i ? 't' : 'f'); return AG_OK;
    case AG_V_INT: ag_driver_add(core, out, tmp, ag_driver_int_text(tmp, v->u.i)); return AG_OK;
    case AG_V_FLOAT: put_float_text(x, out, v->u.f); return AG_OK;
    case AG_V_BYTES: put_hex(x, out, &v->u.s); return AG_OK;
    case AG_V_DATE:
    case AG_V_TIME:
    case AG_V_DATETIME:
    case AG_V_INTERVAL: ag_driver_add(core, out, tmp, core->temporal_write(tmp, v, ' ', -1)); return AG_OK;
    case AG_V_TEXT:
    case AG_V_DECIMAL:
    case AG_V_UUID:
    case AG_V_JSON:
    case AG_V_RAW: AG_TRY(check_text(x, &v->u.s, err)); return put_bytes(x, out, &v->u.s, err);
    case AG_V_ARRAY: return put_array_text(x, out, &v->u.s, err);
    default: return ag_driver_fail(core, err, AG_EXC_INTERFACE, "a value of this kind cannot be sent to a database");
    }
}

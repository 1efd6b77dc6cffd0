/* Binary column values of the scalar types: fixed layouts in network byte order (src/backend/utils/adt/ *send
 * functions). Each checks its length first. */
#include "driver/pq_codec.h"

#include "value/datetime.h"

void ag_pq_codec_init(ag_pq_codec *x, const ag_services *core, const ag_alloc *alloc)
{
    memset(x, 0, sizeof *x);
    x->core = core;
    x->alloc = alloc;
    core->arena_init(&x->arena, alloc);
    x->buf.alloc = alloc;
    x->own.alloc = alloc;
}

void ag_pq_codec_clear(ag_pq_codec *x)
{
    x->core->arena_clear(&x->arena);
    x->core->buf_clear(&x->buf);
    x->core->buf_clear(&x->own);
}

void *ag_pq_codec_new(ag_pq_codec *x, size_t n)
{
    x->arena_used = true;
    return x->core->arena_new(&x->arena, n);
}

ag_status ag_pq_malformed(ag_pq_codec *x, const char *what, ag_error *err)
{
    return ag_driver_fail(x->core, err, AG_EXC_DATABASE, "malformed %s from the server", what);
}

static ag_status put_int(ag_value *out, int64_t v)
{
    *out = ag_value_int(v);
    return AG_OK;
}

ag_status ag_pq_bin_bool(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    if (n != 1)
        return ag_pq_malformed(x, "bool", err);
    *out = ag_value_bool(p[0] != 0);
    return AG_OK;
}

ag_status ag_pq_bin_int2(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    return n == 2 ? put_int(out, (int16_t)ag_pq_get16(p)) : ag_pq_malformed(x, "int2", err);
}

ag_status ag_pq_bin_int4(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    return n == 4 ? put_int(out, (int32_t)ag_pq_get32(p)) : ag_pq_malformed(x, "int4", err);
}

ag_status ag_pq_bin_int8(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    return n == 8 ? put_int(out, (int64_t)ag_pq_get64(p)) : ag_pq_malformed(x, "int8", err);
}

ag_status ag_pq_bin_oid(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    return n == 4 ? put_int(out, ag_pq_get32(p)) : ag_pq_malformed(x, "oid", err);
}

ag_status ag_pq_bin_float4(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    float f;
    if (n != 4)
        return ag_pq_malformed(x, "float4", err);
    uint32_t bits = ag_pq_get32(p);
    memcpy(&f, &bits, 4);
    *out = ag_value_float((double)f);
    return AG_OK;
}

ag_status ag_pq_bin_float8(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    double d;
    if (n != 8)
        return ag_pq_malformed(x, "float8", err);
    uint64_t bits = ag_pq_get64(p);
    memcpy(&d, &bits, 8);
    *out = ag_value_float(d);
    return AG_OK;
}

ag_status ag_pq_bin_bytea(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    (void)x, (void)err;
    *out = ag_value_bytes(AG_V_BYTES, p, n);
    return AG_OK;
}

/* ---- dates and times ---- */

/* The server's own range (datatype/timestamp.h): 4713-01-01 BC to 5874897-12-31, timestamps from the same day on. */
#define MIN_DATE      (-2451545)
#define MAX_DATE      2145031948
#define MIN_TIMESTAMP (-INT64_C(211813488000000000))

ag_status ag_pq_bin_date(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    if (n != 4)
        return ag_pq_malformed(x, "date", err);
    int32_t days = (int32_t)ag_pq_get32(p);
    *out = (ag_value){.kind = AG_V_DATE, .u.i = days};
    if (days != INT32_MIN && days != INT32_MAX) {
        if (days < MIN_DATE || days > MAX_DATE)
            return ag_pq_malformed(x, "date", err);
        out->u.i += AG_PQ_EPOCH_DAYS;
    }
    return AG_OK;
}

ag_status ag_pq_bin_time(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    int64_t us = n == 8 ? (int64_t)ag_pq_get64(p) : -1;
    if (us < 0 || us > AG_US_PER_DAY)
        return ag_pq_malformed(x, "time", err);
    *out = (ag_value){.kind = AG_V_TIME, .u.i = us};
    return AG_OK;
}

ag_status ag_pq_bin_timetz(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    int64_t us = n == 12 ? (int64_t)ag_pq_get64(p) : -1;
    int32_t west = n == 12 ? (int32_t)ag_pq_get32(p + 8) : 0; /* seconds west of UTC, under 16 hours */
    if (us < 0 || us > AG_US_PER_DAY || west <= -57600 || west >= 57600)
        return ag_pq_malformed(x, "timetz", err);
    *out = (ag_value){.kind = AG_V_TIME, .flags = AG_V_ZONED, .offset = -west, .u.i = us};
    return AG_OK;
}

static ag_status get_timestamp(ag_pq_codec *x, ag_value *out, const char *p, size_t n, uint8_t flags, ag_error *err)
{
    if (n != 8)
        return ag_pq_malformed(x, "timestamp", err);
    int64_t us = (int64_t)ag_pq_get64(p);
    *out = (ag_value){.kind = AG_V_DATETIME, .flags = flags, .u.i = us};
    if (us == INT64_MIN || us == INT64_MAX)
        return AG_OK;
    if (us < MIN_TIMESTAMP)
        return ag_pq_malformed(x, "timestamp", err);
    if (us > INT64_MAX - 1 - AG_PQ_EPOCH_US)
        return ag_driver_fail(x->core, err, AG_EXC_DATA, "a timestamp after the year 294246 has no value in argent");
    out->u.i = us + AG_PQ_EPOCH_US;
    return AG_OK;
}

ag_status ag_pq_bin_timestamp(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    return get_timestamp(x, out, p, n, 0, err);
}

ag_status ag_pq_bin_timestamptz(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    return get_timestamp(x, out, p, n, AG_V_ZONED, err);
}

ag_status ag_pq_bin_interval(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    if (n != 16)
        return ag_pq_malformed(x, "interval", err);
    *out = (ag_value){.kind = AG_V_INTERVAL};
    out->u.iv = (ag_interval){
        .us = (int64_t)ag_pq_get64(p), .days = (int32_t)ag_pq_get32(p + 8), .months = (int32_t)ag_pq_get32(p + 12)};
    return AG_OK;
}

/* ---- UUID, jsonb ---- */

ag_status ag_pq_bin_uuid(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    static const char hex[] = "0123456789abcdef";
    if (n != 16)
        return ag_pq_malformed(x, "uuid", err);
    char *s = ag_pq_codec_new(x, 36);
    if (!s)
        return x->core->fail_nomem(err);
    for (size_t i = 0, at = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            s[at++] = '-';
        s[at++] = hex[(unsigned char)p[i] >> 4];
        s[at++] = hex[(unsigned char)p[i] & 15];
    }
    *out = ag_value_bytes(AG_V_UUID, s, 36);
    return AG_OK;
}

ag_status ag_pq_bin_jsonb(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    if (n < 1 || p[0] != 1)
        return ag_pq_malformed(x, "jsonb", err);
    *out = ag_value_bytes(AG_V_JSON, p + 1, n - 1);
    return AG_OK;
}

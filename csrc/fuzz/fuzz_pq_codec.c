/* The PostgreSQL decoders against any bytes: they refuse or give a value, and a value that is encoded again (in binary, and as
 * text) is read back equal. Input: a byte for the format, two bytes that pick the type, then the column's bytes. */
#include "driver/driver.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef ARGENT_WITH_POSTGRESQL
#include "driver/pq_codec.h"

static const uint32_t oids[] = {
    AG_OID_BOOL,
    AG_OID_BYTEA,
    AG_OID_CHAR1,
    AG_OID_NAME,
    AG_OID_INT8,
    AG_OID_INT2,
    AG_OID_INT4,
    AG_OID_TEXT,
    AG_OID_OID,
    AG_OID_JSON,
    AG_OID_FLOAT4,
    AG_OID_FLOAT8,
    AG_OID_DATE,
    AG_OID_TIME,
    AG_OID_TIMESTAMP,
    AG_OID_TIMESTAMPTZ,
    AG_OID_INTERVAL,
    AG_OID_TIMETZ,
    AG_OID_NUMERIC,
    AG_OID_UUID,
    AG_OID_JSONB,
    AG_OID_VOID,
    869,
    3904,
    1000 /* bool[] */,
    1001 /* bytea[] */,
    1005,
    1007,
    1009,
    1016,
    1021,
    1022,
    1115,
    1182,
    1183,
    1185,
    1187,
    1231,
    1270,
    2951,
    3807,
    199,
    AG_OID_INT2VECTOR,
    AG_OID_OIDVECTOR,
    1041,
    99999,
    /* types whose values are their text */
    27,
    28,
    650,
    774,
    829,
    1560,
    1562,
    3614,
    3615,
    4072,
    3906,
    3908,
    3910,
    3912,
    3926,
    4451,
    4532,
    4533,
    4534,
    4535,
    4536,
    3905 /* int4range[] */,
    3643,
};

static void require(bool ok)
{
    if (!ok)
        abort();
}

static bool is_zoned(const ag_value *v)
{
    return v->kind == AG_V_DATETIME && (v->flags & AG_V_ZONED);
}

static bool same(const ag_value *a, const ag_value *b)
{
    if (a->kind == AG_V_ARRAY && b->kind == AG_V_ARRAY) {
        size_t n = ag_array_count(a->u.s.p, a->u.s.n);
        require(n == ag_array_count(b->u.s.p, b->u.s.n));
        for (size_t i = 0; i < n; i++) {
            ag_value x, y;
            ag_array_get(&x, a->u.s.p, a->u.s.n, i);
            ag_array_get(&y, b->u.s.p, b->u.s.n, i);
            if (!same(&x, &y))
                return false;
        }
        return true;
    }
    if (is_zoned(a) && is_zoned(b)) /* the same instant; the binary form has no offset */
        return a->u.i == b->u.i;
    return ag_value_equal(a, b);
}

/* exact: what comes back must be equal; a text that the server would write differently need not. */
static void check_again(ag_pq_codec *x, const ag_value *v, uint32_t oid, bool binary, ag_vkind kind, bool exact,
                        ag_error *err)
{
    ag_buf out;
    ag_value back;
    bool done = !binary;
    ag_buf_init(&out, ag_alloc_libc());
    ag_status st = binary ? ag_pq_put_binary(x, &out, oid, v, &done, err) : ag_pq_put_text(x, &out, v, err);
    require(st != AG_ERROR || err->cls == AG_EXC_DATA); /* text that is no UTF-8 */
    if (st == AG_OK && done) {
        require(ag_buf_ok(&out));
        st = ag_pq_decode(x, &back, oid, binary, kind, AG_V_TEXT, out.data ? out.data : "", out.len, err);
        require(st == AG_OK);
        require(!exact || same(v, &back));
    }
    ag_buf_clear(&out);
}

static bool can_be_text(uint32_t oid)
{
    return oid != AG_OID_INT2VECTOR && oid != AG_OID_OIDVECTOR && oid != AG_OID_CHAR1 && oid != AG_OID_FLOAT4 &&
           oid != 1021;
}

/* hstore has no fixed OID: its decoder is called as such. */
static void fuzz_hstore(ag_pq_codec *x, const char *p, size_t n, ag_error *err)
{
    ag_value v;
    ag_status st = ag_pq_bin_hstore(x, &v, p, n, err);
    require(st == AG_OK || err->cls == AG_EXC_DATABASE);
    require(st != AG_OK || v.kind == AG_V_RAW);
}

static void run(const uint8_t *data, size_t size)
{
    if (size < 3)
        return;
    bool binary = data[0] & 1;
    uint32_t oid = oids[((size_t)data[1] << 8 | data[2]) % (sizeof oids / sizeof *oids)];
    ag_pq_codec x;
    ag_value v;
    ag_error err;
    ag_vkind kind = data[0] & 2 ? AG_V_TEXT : data[0] & 4 ? AG_V_ARRAY : AG_V_NULL;
    ag_error_init(&err, ag_alloc_libc());
    ag_pq_codec_init(&x, &ag_core_services, ag_alloc_libc());
    ag_status st = ag_pq_decode(&x, &v, oid, binary, kind, AG_V_TEXT, (const char *)data + 3, size - 3, &err);
    require(st != AG_ERROR || (err.set && (err.cls == AG_EXC_DATABASE || err.cls == AG_EXC_DATA)));
    if (st == AG_OK) {
        bool own = v.kind == AG_V_RAW || (v.kind == AG_V_ARRAY && oid >= 3600);
        check_again(&x, &v, oid, true, kind, binary || !own, &err);
        if (can_be_text(oid) && oid != 99999)
            check_again(&x, &v, oid, false, kind, true, &err);
    }
    fuzz_hstore(&x, (const char *)data + 3, size - 3, &err);
    ag_pq_codec_clear(&x);
    ag_error_clear(&err);
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
#ifdef ARGENT_WITH_POSTGRESQL
    run(data, size);
#else
    (void)data, (void)size;
#endif
    return 0;
}

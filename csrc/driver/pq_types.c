/* The PostgreSQL types we know: OID, array's OID, our type, and both decoders. And the other way: which OID a
 * parameter of one of our types has. OIDs are those of pg_type.dat, which never change. */
#include "driver/pq_codec.h"

#define T(oid, arr, type, kind, bin, text)                                                                             \
    {                                                                                                                  \
        oid, arr, AG_TYPE_##type, AG_V_##kind, bin, text                                                               \
    }
/* Types whose values are their text; bin: the decoder, or NULL where only the server knows the text (names of objects, money). */
#define OWN(oid, arr, type, name)                                                                                      \
    {                                                                                                                  \
        oid, arr, AG_TYPE_##type, AG_V_RAW, ag_pq_bin_##name, ag_pq_text_raw                                           \
    }
#define RAW(oid, arr, type)                                                                                            \
    {                                                                                                                  \
        oid, arr, AG_TYPE_##type, AG_V_RAW, NULL, ag_pq_text_raw                                                       \
    }

/* ORDER by oid (binary search) */
static const ag_pq_type types[] = {
    T(AG_OID_BOOL, 1000, BOOLEAN, BOOL, ag_pq_bin_bool, ag_pq_text_bool),
    T(AG_OID_BYTEA, 1001, LARGEBINARY, BYTES, ag_pq_bin_bytea, ag_pq_text_bytea),
    T(AG_OID_CHAR1, 1002, STRING, TEXT, ag_pq_text_text, ag_pq_text_text),
    T(AG_OID_NAME, 1003, STRING, TEXT, ag_pq_text_text, ag_pq_text_text),
    T(AG_OID_INT8, 1016, BIGINTEGER, INT, ag_pq_bin_int8, ag_pq_text_int),
    T(AG_OID_INT2, 1005, SMALLINTEGER, INT, ag_pq_bin_int2, ag_pq_text_int),
    T(AG_OID_INT2VECTOR, 1006, ARRAY, ARRAY, ag_pq_bin_array, ag_pq_text_vector),
    T(AG_OID_INT4, 1007, INTEGER, INT, ag_pq_bin_int4, ag_pq_text_int),
    RAW(24, 1008, PG_REGCLASS), /* regproc */
    T(AG_OID_TEXT, 1009, TEXT, TEXT, ag_pq_text_text, ag_pq_text_text),
    T(AG_OID_OID, 1028, PG_OID, INT, ag_pq_bin_oid, ag_pq_text_int),
    OWN(27, 1010, NULL, tid), /* tid */
    OWN(28, 1011, NULL, xid), /* xid */
    OWN(29, 1012, NULL, xid), /* cid */
    T(AG_OID_OIDVECTOR, 1013, ARRAY, ARRAY, ag_pq_bin_array, ag_pq_text_vector),
    T(AG_OID_JSON, 199, JSON, JSON, ag_pq_text_json, ag_pq_text_json),
    T(AG_OID_XML, 143, TEXT, TEXT, ag_pq_text_text, ag_pq_text_text),
    OWN(650, 651, PG_CIDR, cidr),
    T(AG_OID_FLOAT4, 1021, SQL_REAL, FLOAT, ag_pq_bin_float4, ag_pq_text_float4),
    T(AG_OID_FLOAT8, 1022, DOUBLE, FLOAT, ag_pq_bin_float8, ag_pq_text_float8),
    T(AG_OID_UNKNOWN, 0, TEXT, TEXT, ag_pq_text_text, ag_pq_text_text),
    OWN(774, 775, PG_MACADDR8, macaddr8),
    RAW(790, 791, PG_MONEY),
    OWN(829, 1040, PG_MACADDR, macaddr),
    OWN(869, 1041, PG_INET, inet),
    T(AG_OID_BPCHAR, 1014, SQL_CHAR, TEXT, ag_pq_text_text, ag_pq_text_text),
    T(AG_OID_VARCHAR, 1015, STRING, TEXT, ag_pq_text_text, ag_pq_text_text),
    T(AG_OID_DATE, 1182, DATE, DATE, ag_pq_bin_date, ag_pq_text_date),
    T(AG_OID_TIME, 1183, TIME, TIME, ag_pq_bin_time, ag_pq_text_time),
    T(AG_OID_TIMESTAMP, 1115, DATETIME, DATETIME, ag_pq_bin_timestamp, ag_pq_text_timestamp),
    T(AG_OID_TIMESTAMPTZ, 1185, DATETIME, DATETIME, ag_pq_bin_timestamptz, ag_pq_text_timestamptz),
    T(AG_OID_INTERVAL, 1187, INTERVAL, INTERVAL, ag_pq_bin_interval, ag_pq_text_interval),
    T(AG_OID_TIMETZ, 1270, TIME, TIME, ag_pq_bin_timetz, ag_pq_text_time),
    OWN(1560, 1561, PG_BIT, bit),
    OWN(1562, 1563, PG_BIT, bit),
    T(AG_OID_NUMERIC, 1231, NUMERIC, DECIMAL, ag_pq_bin_numeric, ag_pq_text_numeric),
    RAW(2205, 2210, PG_REGCLASS),
    RAW(2206, 2211, PG_REGCLASS), /* regtype */
    T(AG_OID_VOID, 0, NULL, RAW, ag_pq_text_raw, ag_pq_text_raw),
    T(AG_OID_UUID, 2951, UUID_GENERIC, UUID, ag_pq_bin_uuid, ag_pq_text_uuid),
    OWN(3614, 3643, PG_TSVECTOR, tsvector),
    OWN(3615, 3645, PG_TSQUERY, tsquery),
    RAW(3734, 3735, PG_REGCONFIG),
    T(AG_OID_JSONB, 3807, PG_JSONB, JSON, ag_pq_bin_jsonb, ag_pq_text_json),
    OWN(3904, 3905, PG_INT4RANGE, int4range),
    OWN(3906, 3907, PG_NUMRANGE, numrange),
    OWN(3908, 3909, PG_TSRANGE, tsrange),
    OWN(3910, 3911, PG_TSTZRANGE, tstzrange),
    OWN(3912, 3913, PG_DATERANGE, daterange),
    OWN(3926, 3927, PG_INT8RANGE, int8range),
    OWN(4072, 4073, PG_JSONPATH, jsonpath),
    OWN(4451, 6150, PG_INT4MULTIRANGE, int4multirange),
    OWN(4532, 6151, PG_NUMMULTIRANGE, nummultirange),
    OWN(4533, 6152, PG_TSMULTIRANGE, tsmultirange),
    OWN(4534, 6153, PG_TSTZMULTIRANGE, tstzmultirange),
    OWN(4535, 6155, PG_DATEMULTIRANGE, datemultirange),
    OWN(4536, 6157, PG_INT8MULTIRANGE, int8multirange),
};
enum { NTYPES = sizeof types / sizeof *types };

const ag_pq_type *ag_pq_type_find(uint32_t oid)
{
    size_t lo = 0, hi = NTYPES;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (types[mid].oid < oid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < NTYPES && types[lo].oid == oid ? &types[lo] : NULL;
}

const ag_pq_type *ag_pq_type_find_array(uint32_t array_oid)
{
    for (size_t i = 0; array_oid && i < NTYPES; i++) {
        if (types[i].array_oid == array_oid)
            return &types[i];
    }
    return NULL;
}

uint32_t ag_pq_array_oid(uint32_t oid)
{
    const ag_pq_type *t = ag_pq_type_find(oid);
    return t ? t->array_oid : 0;
}

bool ag_pq_has_binary(uint32_t oid)
{
    const ag_pq_type *t = ag_pq_type_find(oid);
    if (!t)
        t = ag_pq_type_find_array(oid);
    return t && t->binary;
}

/* ---- our types -> parameter OIDs ---- */

static const struct param_oid {
    uint16_t type;
    uint16_t oid, oid_zoned;
} param_oids[] = {
    {AG_TYPE_INTEGER, AG_OID_INT4, 0},
    {AG_TYPE_SQL_INTEGER, AG_OID_INT4, 0},
    {AG_TYPE_SQL_INT, AG_OID_INT4, 0},
    {AG_TYPE_SMALLINTEGER, AG_OID_INT2, 0},
    {AG_TYPE_SQL_SMALLINT, AG_OID_INT2, 0},
    {AG_TYPE_BIGINTEGER, AG_OID_INT8, 0},
    {AG_TYPE_SQL_BIGINT, AG_OID_INT8, 0},
    {AG_TYPE_STRING, AG_OID_TEXT, 0},
    {AG_TYPE_TEXT, AG_OID_TEXT, 0},
    {AG_TYPE_UNICODE, AG_OID_TEXT, 0},
    {AG_TYPE_UNICODETEXT, AG_OID_TEXT, 0},
    {AG_TYPE_SQL_VARCHAR, AG_OID_VARCHAR, 0},
    {AG_TYPE_SQL_NVARCHAR, AG_OID_VARCHAR, 0},
    {AG_TYPE_SQL_CHAR, AG_OID_BPCHAR, 0},
    {AG_TYPE_SQL_NCHAR, AG_OID_BPCHAR, 0},
    {AG_TYPE_SQL_TEXT, AG_OID_TEXT, 0},
    {AG_TYPE_SQL_CLOB, AG_OID_TEXT, 0},
    {AG_TYPE_BOOLEAN, AG_OID_BOOL, 0},
    {AG_TYPE_SQL_BOOLEAN, AG_OID_BOOL, 0},
    {AG_TYPE_NUMERIC, AG_OID_NUMERIC, 0},
    {AG_TYPE_SQL_NUMERIC, AG_OID_NUMERIC, 0},
    {AG_TYPE_SQL_DECIMAL, AG_OID_NUMERIC, 0},
    {AG_TYPE_FLOAT, AG_OID_FLOAT8, 0},
    {AG_TYPE_DOUBLE, AG_OID_FLOAT8, 0},
    {AG_TYPE_SQL_FLOAT, AG_OID_FLOAT8, 0},
    {AG_TYPE_SQL_REAL, AG_OID_FLOAT8, 0}, /* a double does not fit float4 */
    {AG_TYPE_SQL_DOUBLE, AG_OID_FLOAT8, 0},
    {AG_TYPE_SQL_DOUBLE_PRECISION, AG_OID_FLOAT8, 0},
    {AG_TYPE_DATE, AG_OID_DATE, 0},
    {AG_TYPE_SQL_DATE, AG_OID_DATE, 0},
    {AG_TYPE_TIME, AG_OID_TIME, AG_OID_TIMETZ},
    {AG_TYPE_SQL_TIME, AG_OID_TIME, AG_OID_TIMETZ},
    {AG_TYPE_DATETIME, AG_OID_TIMESTAMP, AG_OID_TIMESTAMPTZ},
    {AG_TYPE_SQL_DATETIME, AG_OID_TIMESTAMP, AG_OID_TIMESTAMPTZ},
    {AG_TYPE_SQL_TIMESTAMP, AG_OID_TIMESTAMP, AG_OID_TIMESTAMPTZ},
    {AG_TYPE_INTERVAL, AG_OID_INTERVAL, 0},
    {AG_TYPE_PG_INTERVAL, AG_OID_INTERVAL, 0},
    {AG_TYPE_LARGEBINARY, AG_OID_BYTEA, 0},
    {AG_TYPE_SQL_BINARY, AG_OID_BYTEA, 0},
    {AG_TYPE_SQL_VARBINARY, AG_OID_BYTEA, 0},
    {AG_TYPE_SQL_BLOB, AG_OID_BYTEA, 0},
    {AG_TYPE_PG_BYTEA, AG_OID_BYTEA, 0},
    {AG_TYPE_JSON, AG_OID_JSON, 0},
    {AG_TYPE_PG_JSONB, AG_OID_JSONB, 0},
    {AG_TYPE_UUID_GENERIC, AG_OID_UUID, 0},
    {AG_TYPE_SQL_UUID, AG_OID_UUID, 0},
    {AG_TYPE_PG_JSONPATH, 4072, 0},
    {AG_TYPE_PG_INET, 869, 0},
    {AG_TYPE_PG_CIDR, 650, 0},
    {AG_TYPE_PG_MACADDR, 829, 0},
    {AG_TYPE_PG_MACADDR8, 774, 0},
    {AG_TYPE_PG_MONEY, 790, 0},
    {AG_TYPE_PG_OID, AG_OID_OID, 0},
    {AG_TYPE_PG_REGCLASS, 2205, 0},
    {AG_TYPE_PG_REGCONFIG, 3734, 0},
    {AG_TYPE_PG_TSVECTOR, 3614, 0},
    {AG_TYPE_PG_TSQUERY, 3615, 0},
    {AG_TYPE_PG_INT4RANGE, 3904, 0},
    {AG_TYPE_PG_INT8RANGE, 3926, 0},
    {AG_TYPE_PG_NUMRANGE, 3906, 0},
    {AG_TYPE_PG_DATERANGE, 3912, 0},
    {AG_TYPE_PG_TSRANGE, 3908, 0},
    {AG_TYPE_PG_TSTZRANGE, 3910, 0},
    {AG_TYPE_PG_INT4MULTIRANGE, 4451, 0},
    {AG_TYPE_PG_INT8MULTIRANGE, 4536, 0},
    {AG_TYPE_PG_NUMMULTIRANGE, 4532, 0},
    {AG_TYPE_PG_DATEMULTIRANGE, 4535, 0},
    {AG_TYPE_PG_TSMULTIRANGE, 4533, 0},
    {AG_TYPE_PG_TSTZMULTIRANGE, 4534, 0},
};

uint32_t ag_pq_type_oid(const ag_type *t)
{
    t = ag_driver_type(t);
    if (!t)
        return 0;
    if (t->id == AG_TYPE_ARRAY)
        return ag_pq_array_oid(ag_pq_type_oid(t->item));
    if (t->id == AG_TYPE_UUID_GENERIC && !(t->flags & AG_TYPE_NATIVE))
        return AG_OID_BPCHAR; /* CHAR(32) */
    if (t->id == AG_TYPE_PG_BIT)
        return t->flags & AG_TYPE_VARYING ? 1562 : 1560;
    for (size_t i = 0; i < sizeof param_oids / sizeof *param_oids; i++) {
        const struct param_oid *p = &param_oids[i];
        if (p->type == t->id)
            return (t->flags & AG_TYPE_TIMEZONE) && p->oid_zoned ? p->oid_zoned : p->oid;
    }
    return 0; /* enums, domains, extension types: the server infers them */
}

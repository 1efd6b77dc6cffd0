/* PostgreSQL's wire forms of values, both formats, without a connection: decoders from column bytes to ag_value,
 * encoders from ag_value to parameter bytes. Everything read here may be malformed: no length or count is trusted.
 * */
#ifndef AG_DRIVER_PQ_CODEC_H
#define AG_DRIVER_PQ_CODEC_H

#include "driver/support.h"

/* OIDs of built-in types (pg_type.dat). */
enum {
    AG_OID_BOOL = 16,
    AG_OID_BYTEA = 17,
    AG_OID_CHAR1 = 18,
    AG_OID_NAME = 19,
    AG_OID_INT8 = 20,
    AG_OID_INT2 = 21,
    AG_OID_INT2VECTOR = 22,
    AG_OID_INT4 = 23,
    AG_OID_TEXT = 25,
    AG_OID_OID = 26,
    AG_OID_OIDVECTOR = 30,
    AG_OID_JSON = 114,
    AG_OID_XML = 142,
    AG_OID_FLOAT4 = 700,
    AG_OID_FLOAT8 = 701,
    AG_OID_UNKNOWN = 705,
    AG_OID_BPCHAR = 1042,
    AG_OID_VARCHAR = 1043,
    AG_OID_DATE = 1082,
    AG_OID_TIME = 1083,
    AG_OID_TIMESTAMP = 1114,
    AG_OID_TIMESTAMPTZ = 1184,
    AG_OID_INTERVAL = 1186,
    AG_OID_TIMETZ = 1266,
    AG_OID_NUMERIC = 1700,
    AG_OID_VOID = 2278,
    AG_OID_UUID = 2950,
    AG_OID_JSONB = 3802,
};

/* Microseconds and days from 1970-01-01 to 2000-01-01, PostgreSQL's epoch. */
#define AG_PQ_EPOCH_US   INT64_C(946684800000000)
#define AG_PQ_EPOCH_DAYS 10957

/* What decoders work with: the core, and memory for bytes that are not in the input (reset per row by the caller). */
typedef struct ag_pq_codec {
    const ag_services *core;
    const ag_alloc *alloc;
    ag_arena arena;
    bool arena_used;
    ag_buf buf;
    ag_buf own; /* text of types whose values are text (ag_pq_own_begin …); nests */
} ag_pq_codec;
void ag_pq_codec_init(ag_pq_codec *x, const ag_services *core, const ag_alloc *alloc);
void ag_pq_codec_clear(ag_pq_codec *x);
/* Forget the bytes of values decoded before. */
static inline void ag_pq_codec_reset(ag_pq_codec *x)
{
    if (x->arena_used) {
        x->core->arena_reset(&x->arena);
        x->arena_used = false;
    }
}
/* n bytes that live until the reset; NULL when out of memory. */
void *ag_pq_codec_new(ag_pq_codec *x, size_t n);

/* out's bytes are in p, or in the codec's arena. p[n] need not be NUL. AG_EXC_DATABASE on bytes that are no such
 * value. */
typedef ag_status (*ag_pq_decode_fn)(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);

typedef struct ag_pq_type {
    uint32_t oid, array_oid; /* array_oid 0: none known */
    uint16_t type;           /* ag_type_id */
    uint8_t kind;            /* ag_vkind of its values */
    ag_pq_decode_fn binary;  /* NULL: only text is understood */
    ag_pq_decode_fn text;    /* never NULL */
} ag_pq_type;

/* The entry of a type, or NULL for one we do not know (enums, composites, extensions …). */
const ag_pq_type *ag_pq_type_find(uint32_t oid);
/* The element type whose array has this OID, or NULL. */
const ag_pq_type *ag_pq_type_find_array(uint32_t array_oid);
/* True when both decoders of this column type exist (element's, for an array). */
bool ag_pq_has_binary(uint32_t oid);

/* One column's value in any known type. kind: what the caller asked for, used for types that we do not know (an
 * enum asked for as text); AG_V_NULL none. */
ag_status ag_pq_decode(ag_pq_codec *x, ag_value *out, uint32_t oid, bool binary, ag_vkind kind, ag_vkind item_kind,
                       const char *p, size_t n, ag_error *err) AG_NODISCARD;

/* ---- decoders (pq_codec_bin.c, pq_codec_text.c, pq_codec_array.c, pq_codec_num.c) ---- */
ag_status ag_pq_bin_bool(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_int2(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_int4(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_int8(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_oid(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_float4(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_float8(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_bytea(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_numeric(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_date(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_time(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_timetz(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_timestamp(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_timestamptz(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_interval(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_uuid(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_jsonb(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_array(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);

/* Values that are the types' own text (pq_codec_net.c, pq_codec_range.c, pq_codec_ts.c). */
ag_status ag_pq_bin_inet(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_cidr(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_macaddr(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_macaddr8(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_bit(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_jsonpath(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_xid(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_tid(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_tsvector(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_tsquery(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_hstore(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_int4range(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_int4multirange(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_int8range(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_int8multirange(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_numrange(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_nummultirange(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_tsrange(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_tsmultirange(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_tstzrange(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_tstzmultirange(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_daterange(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_bin_datemultirange(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
/* Text made by a decoder: it is appended to x->own from `begin` on; `end` makes a RAW value of a copy in the arena, `drop` forgets it. */
size_t ag_pq_own_begin(const ag_pq_codec *x);
void ag_pq_own_drop(ag_pq_codec *x, size_t start);
ag_status ag_pq_own_end(ag_pq_codec *x, size_t start, ag_value *out, ag_error *err) AG_NODISCARD;

ag_status ag_pq_text_bool(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_text_int(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_text_float4(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_text_float8(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_text_text(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err); /* also binary */
ag_status ag_pq_text_raw(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_text_json(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err); /* also binary json */
ag_status ag_pq_text_bytea(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_text_numeric(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_text_date(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_text_time(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_text_timestamp(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_text_timestamptz(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_text_interval(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
ag_status ag_pq_text_uuid(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);
/* An array literal whose elements `item` reads. "1 2 3" (int2vector, oidvector) too when vector is set. */
ag_status ag_pq_text_array(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_pq_decode_fn item, ag_error *err);
ag_status ag_pq_text_vector(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err);

/* "malformed T from the server" */
ag_status ag_pq_malformed(ag_pq_codec *x, const char *what, ag_error *err);

/* ---- encoders (pq_encode.c, pq_codec_num.c) ---- */
/* Append v in the binary form of type oid. AG_OK and *done false: this pair has no binary form (use text). Lengths
 * are not written, only the value's bytes. v is not NULL. */
ag_status ag_pq_put_binary(ag_pq_codec *x, ag_buf *out, uint32_t oid, const ag_value *v, bool *done,
                           ag_error *err) AG_NODISCARD;
/* Append v in text form (no NUL behind). AG_EXC_DATA for text that may not travel. */
ag_status ag_pq_put_text(ag_pq_codec *x, ag_buf *out, const ag_value *v, ag_error *err) AG_NODISCARD;
/* Numeric: canonical decimal text to binary. False when s is not one. */
bool ag_pq_put_numeric(ag_pq_codec *x, ag_buf *out, const char *s, size_t n);
/* The text of an address, MAC address or bit string in binary; false: not a spelling that is understood here. */
bool ag_pq_put_inet(ag_pq_codec *x, ag_buf *out, const char *s, size_t n);
bool ag_pq_put_macaddr(ag_pq_codec *x, ag_buf *out, const char *s, size_t n, unsigned bytes);
bool ag_pq_put_bit(ag_pq_codec *x, ag_buf *out, const char *s, size_t n);
/* The text of a range or multirange of type oid in binary; *done false as above, and for any other type. */
ag_status ag_pq_put_range(ag_pq_codec *x, ag_buf *out, uint32_t oid, const ag_str *s, bool *done,
                          ag_error *err) AG_NODISCARD;
/* Parameter OID for values of a type; 0 = left to the server. */
uint32_t ag_pq_type_oid(const ag_type *t);
/* Parameter OID by value (decision 8): int4 if it fits else int8, text untyped … */
uint32_t ag_pq_value_oid(ag_pq_codec *x, const ag_value *v);
/* Array OID of an element OID; 0 none. */
uint32_t ag_pq_array_oid(uint32_t oid);

/* ---- network byte order ---- */
static inline uint16_t ag_pq_get16(const char *p)
{
    return (uint16_t)((uint16_t)(unsigned char)p[0] << 8 | (unsigned char)p[1]);
}
static inline uint32_t ag_pq_get32(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}
static inline uint64_t ag_pq_get64(const char *p)
{
    return (uint64_t)ag_pq_get32(p) << 32 | ag_pq_get32(p + 4);
}
static inline void ag_pq_set16(char *p, uint16_t v)
{
    p[0] = (char)(v >> 8);
    p[1] = (char)(v & 0xff);
}
static inline void ag_pq_set32(char *p, uint32_t v)
{
    p[0] = (char)(v >> 24);
    p[1] = (char)(v >> 16 & 0xff);
    p[2] = (char)(v >> 8 & 0xff);
    p[3] = (char)(v & 0xff);
}
static inline void ag_pq_set64(char *p, uint64_t v)
{
    ag_pq_set32(p, (uint32_t)(v >> 32));
    ag_pq_set32(p + 4, (uint32_t)v);
}

#endif

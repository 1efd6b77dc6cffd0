/* SQL types as immutable, interned descriptors. Two structurally equal types of one ag_types registry are the same pointer,
 * live as long as the registry (the Lua state), and may be compared with ==. A type knows neither dialects nor SQL text:
 * how it is written in DDL is the dialect's affair, how it travels the driver's. */
#ifndef AG_VALUE_TYPE_H
#define AG_VALUE_TYPE_H

#include "base/map.h"
#include "value/value.h"

typedef enum ag_type_id {
#define X(id, lua, visit, affinity, kind) AG_TYPE_##id,
#include "value/types.def"
#undef X
    AG_TYPE_COUNT
} ag_type_id;

typedef enum ag_affinity {
    AG_AFF_NULL = 0, /* unknown */
    AG_AFF_INTEGER,
    AG_AFF_NUMERIC,
    AG_AFF_STRING,
    AG_AFF_BOOLEAN,
    AG_AFF_DATE,
    AG_AFF_TIME,
    AG_AFF_DATETIME,
    AG_AFF_INTERVAL,
    AG_AFF_BINARY,
    AG_AFF_JSON,
    AG_AFF_UUID,
    AG_AFF_ARRAY,
    AG_AFF_TUPLE,
    AG_AFF_RANGE,
    AG_AFF_MULTIRANGE,
    AG_AFF_RAW,
} ag_affinity;

/* flags */
#define AG_TYPE_TIMEZONE       0x0001u /* DateTime, Time, TIMESTAMP, TIME: with time zone */
#define AG_TYPE_ASDECIMAL      0x0002u /* Numeric family gives decimals (Numeric's default; off for Float) */
#define AG_TYPE_NATIVE         0x0004u /* Enum native_enum, Uuid native_uuid, Interval native: default on */
#define AG_TYPE_CREATE_CHECK   0x0008u /* Boolean/Enum create_constraint */
#define AG_TYPE_NONE_AS_NULL   0x0010u /* JSON */
#define AG_TYPE_VALIDATE       0x0020u /* Enum validate_strings */
#define AG_TYPE_SQLITE_TEXT    0x0040u /* Numeric: stored as TEXT on SQLite, exact */
#define AG_TYPE_CACHE_OK       0x0080u /* TypeDecorator / UserDefinedType: may take part in a cache key */
#define AG_TYPE_AS_UUID        0x0100u
#define AG_TYPE_VARYING        0x0200u /* BIT VARYING */
#define AG_TYPE_HAS_BIND       0x0400u /* host hooks present: process_bind_param … */
#define AG_TYPE_HAS_RESULT     0x0800u
#define AG_TYPE_HAS_LITERAL    0x1000u
#define AG_TYPE_HAS_BIND_EXPR  0x2000u
#define AG_TYPE_HAS_COL_EXPR   0x4000u
#define AG_TYPE_ZERO_INDEXES   0x8000u   /* ARRAY zero_indexes */
#define AG_TYPE_INHERIT_SCHEMA 0x10000u  /* Enum */
#define AG_TYPE_NO_CREATE      0x20000u  /* Enum, DOMAIN: create_type = false */
#define AG_TYPE_HAS_COMPARATOR 0x40000u  /* the host has operators for it, or for the type it decorates */
#define AG_TYPE_HAS_COERCE     0x400000u /* TypeDecorator, UserDefinedType: coerce_compared_value */
#define AG_TYPE_EVALUATES_NONE 0x100000u /* NULL is a value that is written, not an absent one */
#define AG_TYPE_TRUNCATE       0x200000u /* DATETIME, TIME: storage_format drops microseconds */
#define AG_TYPE_NOT_NULL       0x80000u  /* DOMAIN */
#define AG_TYPE_IS_BOOLEAN                                                                                             \
    0x800000u /* TypeDecorator: true and false beside it are SQL constants (coerce_to_is_types) */
#define AG_TYPE_IS_NOT_NULL                                                                                            \
    0x1000000u /* TypeDecorator: NULL beside it is a value like others, = and not IS (coerce_to_is_types) */

typedef struct ag_type ag_type;
struct ag_type {
    uint16_t id; /* ag_type_id */
    uint16_t nlabels;
    uint32_t flags;
    int32_t length;      /* String, LargeBinary, BIT …; Enum; decimal_return_scale of Numeric and Float: -1 none */
    int32_t precision;   /* Numeric, Float; seconds' digits of TIME/TIMESTAMP/INTERVAL; -1 none */
    int32_t scale;       /* -1 none */
    int32_t dims;        /* ARRAY dimensions, -1 unspecified */
    int64_t host;        /* TypeDecorator, UserDefinedType, custom JSON: id the host knows its hooks by; 0 none */
    const ag_type *item; /* ARRAY item; TypeDecorator impl; DOMAIN data type; JSON astext_type, HSTORE text_type */
    const char *name;    /* Enum, DOMAIN name; INTERVAL fields; storage_format of DATE, TIME, DATETIME; NULL none */
    const char *schema;  /* Enum, DOMAIN ("" explicitly none); of the collation for string types */
    const char *collation;
    const char *const
        *labels; /* Enum; DOMAIN: SQL of the default ("" none), then name ("" none) and SQL of each check */
    /* with_variant: pairs (dialect name, type), nvariants of them */
    const struct ag_type_variant *variants;
    uint32_t nvariants;
    uint32_t nderived;
    const struct ag_type_variant
        *derived;  /* ARRAY, set by interning: the same of the item's variant, for each dialect that has one */
    uint64_t hash; /* structural; set by interning */
};

typedef struct ag_type_variant {
    const char *dialect;
    const ag_type *type;
} ag_type_variant;

/* Registry of one host state. */
typedef struct ag_types ag_types;
ag_status ag_types_new(ag_types **out, const ag_alloc *alloc, ag_error *err) AG_NODISCARD;
void ag_types_free(ag_types *ts);
/* The interned equal of proto (deep copy made when new). proto's item, labels, names are borrowed during the call;
 * item and variants' types must be interned already (or static). */
ag_status ag_types_intern(ag_types *ts, const ag_type **out, const ag_type *proto, ag_error *err) AG_NODISCARD;
/* A plain type without parameters: static, needs no registry; interning an equal proto returns this same pointer. */
const ag_type *ag_type_plain(ag_type_id id);
/* ARRAY of a plain type, without dimensions: static like the plain ones. */
const ag_type *ag_type_plain_array(ag_type_id item);
/* DateTime (or Time) with time zone: static like the plain ones. */
const ag_type *ag_type_zoned(bool time);
/* A proto with the defaults of id (length, precision … -1, default flags). */
ag_type ag_type_proto(ag_type_id id);

const char *ag_type_lua_name(const ag_type *t);
ag_affinity ag_type_affinity(const ag_type *t); /* of the impl for a TypeDecorator, of the data type for a DOMAIN */
/* The kind of value a column of this type yields to its user: AG_V_HOST where host hooks make it, AG_V_NULL when the
 * database decides. What a driver reads is the kind of ag_type_strip(t). */
ag_vkind ag_type_kind(const ag_type *t);
/* The type behind TypeDecorators. */
static inline const ag_type *ag_type_strip(const ag_type *t)
{
    while (t->id == AG_TYPE_DECORATOR && t->item)
        t = t->item;
    return t;
}
/* Does NULL given as a value of this type become a value of its own: JSON's null (unless none_as_null)? t may be NULL: no. */
bool ag_type_writes_null(const ag_type *t);
/* True for types whose values the host keeps as tables of its own and whose database form is text (AG_V_RAW): ranges, multiranges,
 * HSTORE and BIT, also behind TypeDecorators and domains. */
bool ag_type_is_hosted(const ag_type *t);
/* Impl behind TypeDecorators, and the dialect's variant when there is one (dialect may be NULL). */
const ag_type *ag_type_impl(const ag_type *t, const char *dialect);
/* What t is somewhere: 0 its impl without a dialect, then what each variant leads to, those of a TypeDecorator's impl included (the same
 * type may come again). NULL: no more. */
const ag_type *ag_type_impl_at(const ag_type *t, uint32_t index);
/* t, or its variant for the dialect (which may have variants itself); decorators stay. dialect may be NULL: t. */
const ag_type *ag_type_on(const ag_type *t, const char *dialect);
/* Has t, or a type that it decorates, the flag (AG_TYPE_HAS_BIND …) on this dialect? t may be NULL. */
bool ag_type_has_hook(const ag_type *t, const char *dialect, uint32_t flag);
/* Readable form for messages and repr, as it is written in Lua: "String(120)", "DateTime({timezone = true})". */
struct ag_buf;
void ag_type_describe(struct ag_buf *out, const ag_type *t);

/* For loops over many values: the kind of values that ag_type_coerce to t leaves as they are, AG_V_INT, AG_V_FLOAT, or AG_V_TEXT if
 * ag_text_is_clean; AG_V_NULL: there is none, ask ag_type_coerce. */
ag_vkind ag_type_passes(const ag_type *t);
/* Valid UTF-8 without NUL? */
bool ag_text_is_clean(ag_str s);

/* Checks and converts v to what a column of type t takes. Strict: nothing is parsed and nothing loses a digit. Integers fit
 * Float (up to 2^53, becoming floats) and Numeric (becoming decimals; floats with asdecimal off); decimals of up to 15
 * digits fit Float; floats fit only Float and Numeric with asdecimal off; a date fits DateTime as its midnight; text fits
 * LargeBinary as bytes; UUIDs are normalised to 36 lower-case characters; an infinite datetime fits with and without zone.
 * Text must be UTF-8 without NUL. Enum labels are checked with VALIDATE only. JSON must be AG_V_JSON. ARRAY coerces each
 * element. NULL fits every type; NullType, TupleType, UserDefinedType, and a TypeDecorator with HAS_BIND take any value (the
 * host's hook looks at it), other TypeDecorators what their impl takes. AG_EXC_DATA otherwise: the message says what is
 * wanted, and what it was. AG_NOMEM. out may equal v. Bytes made on the way come from ar, others stay v's. name: what to
 * call the value in the message ("users.age"), may be NULL. */
ag_status ag_type_coerce(ag_value *out, const ag_value *v, const ag_type *t, const char *name, ag_arena *ar,
                         ag_error *err) AG_NODISCARD;

#endif

/* A value on its way between a host and a database: a tagged union that borrows its bytes. It knows nothing of SQL, Lua
 * or a driver. Who makes an ag_value says how long the bytes behind it live; ag_value_copy gives it bytes of its own. */
#ifndef AG_VALUE_VALUE_H
#define AG_VALUE_VALUE_H

#include "base/arena.h"
#include "base/error.h"

/* ORDER ag_vkind: row cells store these numbers, value.c names them. */
typedef enum ag_vkind {
    AG_V_NULL = 0,
    AG_V_BOOL,     /* i: 0 or 1 */
    AG_V_INT,      /* i */
    AG_V_FLOAT,    /* f */
    AG_V_TEXT,     /* s: UTF-8, no NUL */
    AG_V_BYTES,    /* s: any bytes */
    AG_V_DECIMAL,  /* s: canonical text: -?digits[.digits], or NaN, Infinity, -Infinity (value/decimal.h) */
    AG_V_DATE,     /* i: days since 1970-01-01, proleptic Gregorian; AG_DATE_NEG_INF / AG_DATE_POS_INF */
    AG_V_TIME,     /* i: microseconds since midnight, 0 … 86400e6; offset: seconds east of UTC when flags has ZONED */
    AG_V_DATETIME, /* i: microseconds since 1970-01-01 00:00 (of UTC when ZONED, of the wall clock when not);
                      INT64_MIN / INT64_MAX are -infinity / infinity; offset: seconds east, for printing */
    AG_V_INTERVAL, /* iv */
    AG_V_UUID,     /* s: 36 bytes, lower case */
    AG_V_JSON,     /* s: JSON text */
    AG_V_ARRAY,    /* s: a packed array (value/row.h ag_array) */
    AG_V_RAW,  /* s: the database's own text form of a type argent has no value for (inet, ranges …): offered as text,
                      bound as untyped text */
    AG_V_HOST, /* i: id of a host value that a host hook must turn into one of the above before it is sent */
    AG_V_KIND_COUNT
} ag_vkind;

#define AG_V_ZONED 1u

typedef struct ag_interval {
    int64_t us;
    int32_t days, months;
} ag_interval;

typedef struct ag_str {
    const char *p;
    size_t n;
} ag_str;

/* s is word (lower case ASCII letters and '_'), in any case. */
static inline bool ag_str_is_word(ag_str s, const char *word)
{
    size_t i = 0;
    for (; i < s.n && word[i]; i++) {
        char low = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + ('a' - 'A')) : s.p[i];
        if (low != word[i])
            return false;
    }
    return i == s.n && !word[i];
}

typedef struct ag_value {
    uint8_t kind;   /* ag_vkind */
    uint8_t flags;  /* AG_V_ZONED */
    int32_t offset; /* seconds east of UTC for ZONED TIME and DATETIME */
    union {
        int64_t i;
        double f;
        ag_str s;
        ag_interval iv;
    } u;
} ag_value;

#define AG_STR(lit) ((ag_str){(lit), sizeof(lit) - 1})

static inline ag_value ag_value_null(void)
{
    return (ag_value){.kind = AG_V_NULL};
}
static inline ag_value ag_value_int(int64_t i)
{
    return (ag_value){.kind = AG_V_INT, .u.i = i};
}
static inline ag_value ag_value_bool(bool b)
{
    return (ag_value){.kind = AG_V_BOOL, .u.i = b};
}
static inline ag_value ag_value_float(double f)
{
    return (ag_value){.kind = AG_V_FLOAT, .u.f = f};
}
static inline ag_value ag_value_bytes(ag_vkind kind, const char *p, size_t n)
{
    return (ag_value){.kind = (uint8_t)kind, .u.s = {p, n}};
}
static inline ag_value ag_value_text(const char *p, size_t n)
{
    return ag_value_bytes(AG_V_TEXT, p, n);
}
/* True when the kind keeps its content in u.s. */
static inline bool ag_vkind_has_bytes(unsigned kind)
{
    return kind == AG_V_TEXT || kind == AG_V_BYTES || kind == AG_V_DECIMAL || (kind >= AG_V_UUID && kind <= AG_V_RAW);
}

const char *ag_vkind_name(ag_vkind kind); /* "integer", "text" … for messages */
/* Same kind and same content: 1 and 1.0 differ, 0.0 and -0.0 differ, NaN equals NaN, decimals by text, zoned datetimes by
 * instant. Equal values have equal hashes. */
bool ag_value_equal(const ag_value *a, const ag_value *b);
uint64_t ag_value_hash(uint64_t seed, const ag_value *v);
/* out gets bytes of its own from ar, followed by a NUL. out may equal v. AG_NOMEM. */
ag_status ag_value_copy(ag_value *out, const ag_value *v, ag_arena *ar, ag_error *err) AG_NODISCARD;

#endif

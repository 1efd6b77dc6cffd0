/* The operator table, and the type rules of SQLAlchemy 2.1 (sql/sqltypes.py, sql/type_api.py: _adapt_expression,
 * _expression_adaptations, coerce_compared_value, OperatorClass) on our type affinities. */
#include "sql/operator.h"

#include <string.h>

enum {
    B = AG_OPF_BINARY,
    P = AG_OPF_PREFIX,
    S = AG_OPF_POSTFIX,
    C = AG_OPF_COMPARISON,
    A = AG_OPF_ASSOCIATIVE,
    M = AG_OPF_COMMUTATIVE,
    N = AG_OPF_NATURAL,
    O = AG_OPF_ORDERING,
    L = AG_OPF_LOGICAL,
    NONE = AG_PRECEDENCE_NONE,
};

static const ag_op_info ops[AG_OP_COUNT] = {
#define X(id, lua, text, prec, neg, mirror, flags) [AG_OP_##id] = {lua, text, prec, AG_OP_##neg, AG_OP_##mirror, flags},
#include "sql/operators.def"
#undef X
};

const ag_op_info *ag_op_get(ag_op_id op)
{
    return &ops[(unsigned)op < AG_OP_COUNT ? op : AG_OP_NONE];
}

/* ---- families of types ---- */

/* SQLAlchemy's _type_affinity: like ag_affinity, but Float and its kin are a family of their own. */
typedef enum family {
    F_NULL = AG_AFF_NULL,
    F_INTEGER = AG_AFF_INTEGER,
    F_NUMERIC = AG_AFF_NUMERIC,
    F_DATE = AG_AFF_DATE,
    F_TIME = AG_AFF_TIME,
    F_DATETIME = AG_AFF_DATETIME,
    F_INTERVAL = AG_AFF_INTERVAL,
    F_FLOAT = 100,
} family;

static bool is_float(const ag_type *t)
{
    switch (t->id) {
    case AG_TYPE_FLOAT:
    case AG_TYPE_DOUBLE:
    case AG_TYPE_SQL_FLOAT:
    case AG_TYPE_SQL_REAL:
    case AG_TYPE_SQL_DOUBLE:
    case AG_TYPE_SQL_DOUBLE_PRECISION: return true;
    default: return false;
    }
}

static family family_of(const ag_type *t)
{
    const ag_type *impl = ag_type_impl(t, NULL);
    return is_float(impl) ? F_FLOAT : (family)ag_type_affinity(impl);
}

static bool concatenable(const ag_type *t)
{
    switch (ag_type_affinity(t)) {
    case AG_AFF_STRING:
    case AG_AFF_ARRAY:
    case AG_AFF_JSON: return true;
    default: return ag_type_impl(t, NULL)->id == AG_TYPE_PG_HSTORE;
    }
}

/* The generic type of a family: the class SQLAlchemy finds as affinity. */
static ag_type_id family_type(family f)
{
    switch (f) {
    case F_INTEGER: return AG_TYPE_INTEGER;
    case F_NUMERIC: return AG_TYPE_NUMERIC;
    case F_FLOAT: return AG_TYPE_FLOAT;
    case F_DATE: return AG_TYPE_DATE;
    case F_TIME: return AG_TYPE_TIME;
    case F_DATETIME: return AG_TYPE_DATETIME;
    case F_INTERVAL: return AG_TYPE_INTERVAL;
    default: return AG_TYPE_NULL;
    }
}

/* One rule: left-family op right-family gives result. KEEP: the left type's own class. */
typedef struct rule {
    uint8_t left, op, right;
    uint8_t result;
} rule;
#define KEEP 255u
/* SQLAlchemy's _expression_adaptations. Families fit in bytes; NUMERIC and FLOAT as left share their rules. */
static const rule rules[] = {
    {F_INTEGER, AG_OP_ADD, F_DATE, F_DATE},
    {F_INTEGER, AG_OP_ADD, F_INTEGER, KEEP},
    {F_INTEGER, AG_OP_ADD, F_NUMERIC, F_NUMERIC},
    {F_INTEGER, AG_OP_ADD, F_FLOAT, F_FLOAT},
    {F_INTEGER, AG_OP_MUL, F_INTERVAL, F_INTERVAL},
    {F_INTEGER, AG_OP_MUL, F_INTEGER, KEEP},
    {F_INTEGER, AG_OP_MUL, F_NUMERIC, F_NUMERIC},
    {F_INTEGER, AG_OP_MUL, F_FLOAT, F_FLOAT},
    {F_INTEGER, AG_OP_DIV, F_INTEGER, F_NUMERIC},
    {F_INTEGER, AG_OP_DIV, F_NUMERIC, F_NUMERIC},
    {F_INTEGER, AG_OP_DIV, F_FLOAT, F_FLOAT},
    {F_INTEGER, AG_OP_FLOORDIV, F_INTEGER, KEEP},
    {F_INTEGER, AG_OP_FLOORDIV, F_NUMERIC, F_NUMERIC},
    {F_INTEGER, AG_OP_SUB, F_INTEGER, KEEP},
    {F_INTEGER, AG_OP_SUB, F_NUMERIC, F_NUMERIC},
    {F_INTEGER, AG_OP_SUB, F_FLOAT, F_FLOAT},
    {F_NUMERIC, AG_OP_MUL, F_INTERVAL, F_INTERVAL},
    {F_NUMERIC, AG_OP_MUL, F_NUMERIC, KEEP},
    {F_NUMERIC, AG_OP_DIV, F_NUMERIC, KEEP},
    {F_NUMERIC, AG_OP_ADD, F_NUMERIC, KEEP},
    {F_NUMERIC, AG_OP_SUB, F_NUMERIC, KEEP},
    {F_FLOAT, AG_OP_MUL, F_INTERVAL, F_INTERVAL},
    {F_FLOAT, AG_OP_MUL, F_FLOAT, KEEP},
    {F_FLOAT, AG_OP_DIV, F_FLOAT, KEEP},
    {F_FLOAT, AG_OP_ADD, F_FLOAT, KEEP},
    {F_FLOAT, AG_OP_SUB, F_FLOAT, KEEP},
    {F_DATETIME, AG_OP_SUB, F_DATETIME, F_INTERVAL},
    {F_DATE, AG_OP_ADD, F_INTERVAL, F_DATETIME},
    {F_DATE, AG_OP_ADD, F_TIME, F_DATETIME},
    {F_DATE, AG_OP_SUB, F_DATE, F_INTEGER},
    {F_DATE, AG_OP_SUB, F_INTERVAL, F_DATETIME},
    {F_DATE, AG_OP_SUB, F_DATETIME, F_INTERVAL},
    {F_TIME, AG_OP_ADD, F_DATE, F_DATETIME},
    {F_TIME, AG_OP_SUB, F_TIME, F_INTERVAL},
    {F_INTERVAL, AG_OP_ADD, F_DATE, F_DATETIME},
    {F_INTERVAL, AG_OP_ADD, F_DATETIME, F_DATETIME},
    {F_INTERVAL, AG_OP_ADD, F_TIME, F_TIME},
};

static const ag_type *adapt_by_rule(ag_op_id op, const ag_type *left, const ag_type *right)
{
    family l = family_of(left), r = family_of(right);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const rule *u = &rules[i];
        if (u->left != (unsigned)l || u->op != (unsigned)op || u->right != (unsigned)r)
            continue;
        ag_type_id want = u->result == KEEP ? (ag_type_id)left->id : family_type((family)u->result);
        if (want == family_type(r))
            return right;
        return want == left->id ? left : ag_type_plain(want);
    }
    return left;
}

void ag_op_result_type(ag_op_id *op, const ag_type **out, const ag_type *left, const ag_type *right)
{
    bool lnull = ag_type_impl(left, NULL)->id == AG_TYPE_NULL, rnull = ag_type_impl(right, NULL)->id == AG_TYPE_NULL;
    if (lnull && !rnull && ag_op_is(*op, AG_OPF_COMMUTATIVE)) {
        ag_op_result_type(op, out, right, left);
        return;
    }
    if (concatenable(left) && (*op == AG_OP_ADD || *op == AG_OP_CONCAT)) {
        if (*op == AG_OP_ADD && (rnull || concatenable(right)))
            *op = AG_OP_CONCAT;
        *out = *op == AG_OP_CONCAT && left->id == AG_TYPE_ENUM ? ag_type_plain(AG_TYPE_STRING) : left;
        return;
    }
    *out = adapt_by_rule(*op, left, right);
}

/* ---- values beside expressions ---- */

const ag_type *ag_value_sql_type(const ag_value *v)
{
    switch (v->kind) {
    case AG_V_BOOL: return ag_type_plain(AG_TYPE_BOOLEAN);
    case AG_V_INT:
        return ag_type_plain(v->u.i >= INT32_MIN && v->u.i <= INT32_MAX ? AG_TYPE_INTEGER : AG_TYPE_BIGINTEGER);
    case AG_V_FLOAT: return ag_type_plain(AG_TYPE_DOUBLE);
    case AG_V_TEXT: return ag_type_plain(AG_TYPE_STRING);
    case AG_V_BYTES: return ag_type_plain(AG_TYPE_LARGEBINARY);
    case AG_V_DECIMAL: return ag_type_plain(AG_TYPE_NUMERIC);
    case AG_V_DATE: return ag_type_plain(AG_TYPE_DATE);
    case AG_V_TIME: return v->flags & AG_V_ZONED ? ag_type_zoned(true) : ag_type_plain(AG_TYPE_TIME);
    case AG_V_DATETIME: return v->flags & AG_V_ZONED ? ag_type_zoned(false) : ag_type_plain(AG_TYPE_DATETIME);
    case AG_V_INTERVAL: return ag_type_plain(AG_TYPE_INTERVAL);
    case AG_V_UUID: return ag_type_plain(AG_TYPE_UUID_GENERIC);
    case AG_V_JSON: return ag_type_plain(AG_TYPE_JSON);
    default: return ag_type_plain(AG_TYPE_NULL);
    }
}

/* Under these a text beside a date, number, uuid … is meant as that type: it is converted or refused by it, and never
 * sent as
 * text, which PostgreSQL would not compare. */
static bool compares_values(ag_op_id op)
{
    return (op >= AG_OP_EQ && op <= AG_OP_GE) || (op >= AG_OP_IS_DISTINCT && op <= AG_OP_NOT_BETWEEN);
}

/* What is in the ranges of a type: an element beside such a range must be exactly of this type. */
static const ag_type *element_type(const ag_type *range)
{
    switch (range->id) {
    case AG_TYPE_PG_INT4RANGE:
    case AG_TYPE_PG_INT4MULTIRANGE: return ag_type_plain(AG_TYPE_INTEGER);
    case AG_TYPE_PG_INT8RANGE:
    case AG_TYPE_PG_INT8MULTIRANGE: return ag_type_plain(AG_TYPE_BIGINTEGER);
    case AG_TYPE_PG_NUMRANGE:
    case AG_TYPE_PG_NUMMULTIRANGE: return ag_type_plain(AG_TYPE_NUMERIC);
    case AG_TYPE_PG_DATERANGE:
    case AG_TYPE_PG_DATEMULTIRANGE: return ag_type_plain(AG_TYPE_DATE);
    case AG_TYPE_PG_TSTZRANGE:
    case AG_TYPE_PG_TSTZMULTIRANGE: return ag_type_zoned(false);
    default: return ag_type_plain(AG_TYPE_DATETIME);
    }
}

static bool is_range(const ag_type *t)
{
    return ag_type_affinity(t) == AG_AFF_RANGE || ag_type_affinity(t) == AG_AFF_MULTIRANGE;
}

const ag_type *ag_op_compared_type(ag_op_id op, const ag_type *other, const ag_value *value)
{
    if (!value || other->id == AG_TYPE_DECORATOR || other->id == AG_TYPE_USERDEFINED)
        return other;
    const ag_type *own = ag_value_sql_type(value);
    const ag_type *impl = ag_type_impl(other, NULL);
    if (own->id == AG_TYPE_NULL || family_of(own) == family_of(impl))
        return other;
    if (is_range(impl) && value->kind != AG_V_TEXT && value->kind != AG_V_BOOL && value->kind != AG_V_BYTES)
        return element_type(impl);
    if (is_range(impl) && value->kind == AG_V_TEXT && !(op >= AG_OP_LIKE && op <= AG_OP_NOT_REGEXP_MATCH))
        return other; /* "[1,5)" */
    if (value->kind == AG_V_TEXT && impl->id != AG_TYPE_NULL) {
        ag_affinity aff = ag_type_affinity(impl);
        if (aff == AG_AFF_BINARY)
            return other;
        if ((aff == AG_AFF_UUID || aff == AG_AFF_RAW) && !(op >= AG_OP_LIKE && op <= AG_OP_NOT_REGEXP_MATCH))
            return other; /* a pattern stays text */
        if (compares_values(op) && aff != AG_AFF_JSON)
            return other;
    }
    return own;
}

/* ---- which operators a type takes ---- */

enum {
    OC_BASE = 1,
    OC_BOOL = 2,
    OC_COMPARE = 4,
    OC_INDEX = 8,
    OC_CONTAINS = 16,
    OC_CONCAT = 32,
    OC_MATCH = 64,
    OC_MATH = 128,
    OC_BITS = 256,
    OC_DATE = 512,
    OC_JSON = 1024,
    OC_ANY = 2047,
};

static unsigned classes_of_op(ag_op_id op)
{
    switch (op) {
    case AG_OP_AND:
    case AG_OP_OR: return OC_BOOL;
    case AG_OP_NOT: return OC_BOOL | OC_BITS;
    case AG_OP_ADD: return OC_CONCAT | OC_MATH | OC_DATE | OC_BITS;
    case AG_OP_CONCAT: return OC_CONCAT | OC_BITS;
    case AG_OP_SUB: return OC_MATH | OC_DATE;
    case AG_OP_MUL:
    case AG_OP_DIV:
    case AG_OP_FLOORDIV:
    case AG_OP_MOD:
    case AG_OP_NEG: return OC_MATH;
    case AG_OP_BIT_AND:
    case AG_OP_BIT_OR:
    case AG_OP_BIT_XOR:
    case AG_OP_BIT_NOT:
    case AG_OP_BIT_LSHIFT:
    case AG_OP_BIT_RSHIFT: return OC_BITS;
    case AG_OP_GETITEM: return OC_INDEX;
    case AG_OP_JSON_GETITEM:
    case AG_OP_JSON_PATH_GETITEM: return OC_JSON;
    case AG_OP_CONTAINS:
    case AG_OP_NOT_CONTAINS:
    case AG_OP_ICONTAINS:
    case AG_OP_NOT_ICONTAINS: return OC_CONTAINS;
    case AG_OP_COLLATE:
    case AG_OP_REGEXP_REPLACE: return OC_MATCH;
    default: break;
    }
    if (op >= AG_OP_LIKE && op <= AG_OP_NOT_REGEXP_MATCH)
        return OC_MATCH;
    return ag_op_is(op, AG_OPF_COMPARISON | AG_OPF_ORDERING) ? OC_COMPARE : OC_ANY;
}

/* SQLAlchemy's operator_classes, and what PostgreSQL itself has: intervals are multiplied, keys are taken off JSONB. */
static unsigned classes_of_type(const ag_type *t)
{
    const unsigned base = OC_BASE | OC_COMPARE;
    switch (ag_type_affinity(t)) {
    case AG_AFF_STRING: return base | OC_MATCH | OC_CONTAINS | OC_CONCAT | OC_INDEX;
    case AG_AFF_INTEGER:
    case AG_AFF_NUMERIC:
    case AG_AFF_RANGE:
    case AG_AFF_MULTIRANGE: return base | OC_MATH | OC_BITS;
    case AG_AFF_BOOLEAN: return base | OC_BOOL;
    case AG_AFF_BINARY:
    case AG_AFF_ARRAY:
    case AG_AFF_TUPLE: return base | OC_CONTAINS | OC_CONCAT | OC_INDEX;
    case AG_AFF_DATE:
    case AG_AFF_TIME:
    case AG_AFF_DATETIME: return base | OC_DATE;
    case AG_AFF_INTERVAL: return base | OC_DATE | OC_MATH;
    case AG_AFF_JSON:
        return base | OC_INDEX | OC_JSON |
               (ag_type_impl(t, NULL)->id == AG_TYPE_PG_JSONB ? OC_CONCAT | OC_CONTAINS | OC_MATH : 0);
    case AG_AFF_UUID: return base;
    default: return OC_ANY;
    }
}

bool ag_op_accepts(ag_op_id op, const ag_type *t)
{
    return (classes_of_op(op) & classes_of_type(t)) != 0;
}

/* ---- custom operators ---- */

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ' ' || (c >= '0' && c <= '9');
}

bool ag_op_text_valid(const char *text, size_t len)
{
    if (len == 0 || len > 63)
        return false;
    bool word = is_word_char(text[0]) && text[0] != ' ';
    for (size_t i = 0; i < len; i++) {
        bool symbol = text[i] != '\0' && strchr("+-*/<>=~!@#%^&|`?:.$", text[i]);
        if (word ? !is_word_char(text[i]) : !symbol)
            return false;
        if (i && ((text[i - 1] == '-' && text[i] == '-') || (text[i - 1] == '/' && text[i] == '*')))
            return false;
    }
    return true;
}

/* Operators: what operators.def says of each, and the rules about types that hold for every database: which type an
 * operation has, which operators a type takes. How an operator is written, and how tightly it binds on one database,
 * is the
 * dialect's affair (ag_op_info.precedence is the default). */
#ifndef AG_SQL_OPERATOR_H
#define AG_SQL_OPERATOR_H

#include "value/type.h"

typedef enum ag_op_id {
#define X(id, lua, text, prec, neg, mirror, flags) AG_OP_##id,
#include "sql/operators.def"
#undef X
    AG_OP_COUNT
} ag_op_id;

#define AG_OPF_BINARY      0x0001u
#define AG_OPF_PREFIX      0x0002u
#define AG_OPF_POSTFIX     0x0004u
#define AG_OPF_COMPARISON  0x0008u
#define AG_OPF_ASSOCIATIVE 0x0010u
#define AG_OPF_COMMUTATIVE 0x0020u
#define AG_OPF_NATURAL     0x0040u /* never bracketed against itself on the left, though not associative */
#define AG_OPF_ORDERING    0x0080u
#define AG_OPF_LOGICAL     0x0100u

/* Precedence of operators that are in no table: as an operand always bracketed, never asking brackets of others. */
#define AG_PRECEDENCE_NONE (-100)
#define AG_PRECEDENCE_BIAS                                                                                             \
    1000 /* ag_n_binary.precedence holds precedence + bias, 0 = not given (0 - the default of op()) */

typedef struct ag_op_info {
    const char *name;   /* the Lua method or function */
    const char *text;   /* ANSI, with spaces; "" = its own visitor */
    int16_t precedence; /* AG_PRECEDENCE_NONE: none */
    uint16_t negation;  /* ag_op_id, AG_OP_NONE: no opposite operator */
    uint16_t mirror;
    uint16_t flags; /* AG_OPF_* */
} ag_op_info;

/* Entry of op (< AG_OP_COUNT). Static. */
const ag_op_info *ag_op_get(ag_op_id op);
static inline bool ag_op_is(ag_op_id op, unsigned flag)
{
    return (ag_op_get(op)->flags & flag) != 0;
}

/* ---- types ---- */

/* The operation that `left op right` is, by its operand types, and its type: SQLAlchemy's Comparator._adapt_expression
 * (sql/sqltypes.py). *op may change: + between strings (or arrays) becomes CONCAT; GETITEM on JSON becomes
 * JSON_GETITEM or, when
 * right is a path, JSON_PATH_GETITEM. types: registry for array types, may be NULL. Never fails: unknown is NullType.
 * */
void ag_op_result_type(ag_op_id *op, const ag_type **out, const ag_type *left, const ag_type *right);

/* SQLAlchemy 2.1's OperatorClass check: false when op makes no sense for values of type t ("a JSON value has no LIKE"):
 * worth a warning, no error. NullType and host types take everything. */
bool ag_op_accepts(ag_op_id op, const ag_type *t);

/* Type of a bind whose value stands beside an expression of type `other` under op (TypeEngine.coerce_compared_value):
 * the
 * type of the other side when the affinities agree or the value's type is unknown, else the value's own type. value
 * may be
 * NULL (unknown value). */
const ag_type *ag_op_compared_type(ag_op_id op, const ag_type *other, const ag_value *value);

/* Type of a value that stands alone: integer → Integer (BigInteger outside int4), float → Float, text → String,
 * boolean →
 * Boolean, decimal → Numeric, NULL → NullType … */
const ag_type *ag_value_sql_type(const ag_value *value);

/* Is text usable for op("…"): only the characters + - * / < > = ~ ! @ # % ^ & | ` ? : . $ and, as a whole, words
 * (letters, _,
 * spaces between words); no comment openers (-- and slash-star), no semicolon, no quotes. */
bool ag_op_text_valid(const char *text, size_t len);

#endif

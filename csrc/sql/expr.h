/* Expressions: the constructors behind the methods of columns and behind and_, case, cast, bindparam …. They apply
 * SQLAlchemy's
 * rules at the moment of building: types of results, types of values beside expressions, NULL folding (x = NULL becomes
 * x IS NULL), true/false folding in AND and OR, negation (NOT a = b becomes a != b). */
#ifndef AG_SQL_EXPR_H
#define AG_SQL_EXPR_H

#include "sql/node.h"

/* ---- leaves ---- */
const ag_node *ag_null_new(ag_builder *b);
const ag_node *ag_true(ag_builder *b);
const ag_node *ag_false(ag_builder *b);
const ag_node *ag_column_clause(ag_builder *b, ag_str name, const ag_type *type, bool literal);
const ag_node *ag_star(ag_builder *b, const ag_node *from);
const ag_node *ag_label_ref(ag_builder *b, ag_str name);
const ag_node *ag_collation(ag_builder *b, ag_str name); /* "schema.name" is not split: one identifier */
/* Collation with a schema (schema {NULL,0}: none). */
const ag_node *ag_collation_in(ag_builder *b, ag_str schema, ag_str name);

/* bindparam(). Everything optional but b. */
typedef struct ag_bind_spec {
    ag_str key;             /* {NULL,0}: "param" and unique */
    const ag_type *type;    /* NULL: by value */
    const ag_value *value;  /* NULL: none (required, unless callable) */
    const ag_value *values; /* expanding: nvalues members (rows of tuple_width) */
    size_t nvalues;
    uint32_t tuple_width;
    const ag_type *const *tuple_types;
    int64_t callable;
    unsigned
        flags; /* AG_BIND_*; AG_BIND_TYPED when the user named the type; HAS_VALUE, REQUIRED, CALLABLE are found out */
} ag_bind_spec;
const ag_node *ag_bind(ag_builder *b, const ag_bind_spec *spec);
/* The same bind under another key. */
const ag_node *ag_bind_rekey(ag_builder *b, const ag_node *bind, ag_str key);
/* The same under the name that a value beside the expression has; what is no bind, and beside nameless expressions, as it is. */
const ag_node *ag_bind_beside(ag_builder *b, const ag_node *bind, const ag_node *beside);
/* The bind with another type. */
const ag_node *ag_bind_with_type(ag_builder *b, const ag_node *bind, const ag_type *type);
/* literal(value): unique, by value or type, key "param". */
const ag_node *ag_literal(ag_builder *b, const ag_value *value, const ag_type *type, bool literal_execute);
/* A value beside an expression: a bind named after beside's column (if it is one), typed by ag_op_compared_type.
 * Beside eq, ne, is_ … and
 * the LIKE family NULL, true and false become SQL constants (which ag_binary folds or refuses); elsewhere they stay
 * binds. */
const ag_node *ag_operand(ag_builder *b, const ag_node *beside, ag_op_id op, const ag_value *value);
/* Is NULL, true or false beside such an operator a constant of SQL? Beside a TypeDecorator true and false are values for its functions (but
 * after IS, which takes no values), unless its coerce_to_is_types says otherwise. */
bool ag_operand_is_constant(const ag_node *beside, ag_op_id op, const ag_value *value);
/* The same with the bind's type given; beside (may be NULL) only names it. */
const ag_node *ag_operand_of_type(ag_builder *b, const ag_node *beside, const ag_type *type, const ag_value *value);
/* The members of in_{…}: one expanding bind. */
const ag_node *ag_in_list(ag_builder *b, const ag_node *beside, const ag_value *values, size_t n);
/* A list of keys that travels as one array parameter, so that its length does not decide the text: beside IN, `values` are n rows of one
 * value for an expression, of one for each member for a TUPLE. Where a type has no array form, the same as the two others. */
const ag_node *ag_in_keys(ag_builder *b, const ag_node *beside, const ag_value *values, size_t n);
/* tuple_(a, b):in_{{1,2},{3,4}}: n rows of width values. */
const ag_node *ag_in_tuples(ag_builder *b, const ag_node *tuple, const ag_value *values, size_t n, uint32_t width);

/* ---- operators ---- */
/* left op right for any binary operator of operators.def. eq, ne, is_, is_not with NULL, TRUE, FALSE fold as in
 * SQLAlchemy. right of IN:
 * a bind (made expanding), a select or VALUES (made a subquery), a LIST, a TUPLE …. ANY and ALL on the left change
 * sides. contains on
 * arrays, JSONB, HSTORE, ranges is @>. Selects as operands become scalar subqueries. ag_op_accepts is not asked: who
 * speaks for a user warns. */
const ag_node *ag_binary(ag_builder *b, ag_op_id op, const ag_node *left, const ag_node *right);
typedef struct ag_binary_opts {
    ag_str escape;       /* LIKE family: one character */
    ag_str modifier;     /* regexp flags, match's regconfig */
    bool autoescape;     /* contains, startswith, endswith: escape %, _ and the escape character in the bind's value */
    const ag_type *type; /* result type instead of the inferred one */
} ag_binary_opts;
const ag_node *ag_binary_with(ag_builder *b, ag_op_id op, const ag_node *left, const ag_node *right,
                              const ag_binary_opts *o);
/* left:op("@@")(right). text is checked by ag_op_text_valid. flags AG_BINARY_*; type NULL: Boolean with
 * AG_BINARY_BOOL, else
 * left's type. */
const ag_node *ag_custom_op(ag_builder *b, ag_str text, int precedence, unsigned flags, const ag_type *type,
                            const ag_node *left, const ag_node *right);
const ag_node *ag_regexp_replace(ag_builder *b, const ag_node *e, const ag_node *pattern, const ag_node *replacement,
                                 ag_str modifier);
const ag_node *ag_between(ag_builder *b, const ag_node *e, const ag_node *lower, const ag_node *upper, bool negated,
                          bool symmetric);
/* NEG, BIT_NOT, DISTINCT, ANY, ALL, DESC, ASC, NULLS_FIRST, NULLS_LAST (a SELECT operand of ANY/ALL becomes a scalar
 * subquery). */
const ag_node *ag_unary(ag_builder *b, ag_op_id op, const ag_node *operand);
/* NOT, with the negation rules. */
const ag_node *ag_not(ag_builder *b, const ag_node *e);
/* and_/or_ (op AND or OR) of n conditions: TRUE and FALSE folded, one condition gives itself, none gives NULL with
 * AG_EXC_ARGUMENT. */
const ag_node *ag_bool_list(ag_builder *b, ag_op_id op, const ag_node *const *items, size_t n);
/* A comma list: function arguments are lists of their own; this is for (a, b) and IN (expr, expr). group: brackets. */
const ag_node *ag_list(ag_builder *b, ag_op_id op, const ag_node *const *items, size_t n, bool group);
const ag_node *ag_tuple(ag_builder *b, const ag_node *const *items, size_t n);
/* x:at(i): ARRAY, JSON, HSTORE, by left's type; index may be a SLICE. path: index is a BIND with AG_BIND_JSON_PATH (a
 * JSON array of keys
 * and indexes) or an expression that gives the database's own path. */
const ag_node *ag_getitem(ag_builder *b, const ag_node *left, const ag_node *index, bool path);
/* json:at(…):as_string() …: a JSON part (BINARY JSON_GETITEM or JSON_PATH_GETITEM) read as type;
 * AG_EXC_INVALID_REQUEST for others. */
const ag_node *ag_json_as(ag_builder *b, const ag_node *e, const ag_type *type);
/* json:at(…).astext: ->> or #>> */
const ag_node *ag_json_astext(ag_builder *b, const ag_node *e);
const ag_node *ag_slice(ag_builder *b, const ag_node *start, const ag_node *stop, const ag_node *step);
const ag_node *ag_array(ag_builder *b, const ag_node *const *items, size_t n, const ag_type *type);
const ag_node *ag_collate(ag_builder *b, const ag_node *e, ag_str schema, ag_str collation);

/* ---- the rest ---- */
const ag_node *ag_case(ag_builder *b, const ag_node *value, const ag_node *const *whens, size_t npairs,
                       const ag_node *else_);
/* kind: AG_K_CAST, AG_K_TRY_CAST, AG_K_TYPE_COERCE. A bare bind takes the target type. */
const ag_node *ag_cast(ag_builder *b, ag_kind kind, const ag_node *e, const ag_type *type);
/* e in brackets whatever stands around it, when it is an operation; e itself otherwise (SQLAlchemy's self_group()). */
const ag_node *ag_self_group(ag_builder *b, const ag_node *e);
const ag_node *ag_extract(ag_builder *b, ag_str field, const ag_node *e);
/* name {NULL,0}: anonymous. */
const ag_node *ag_label(ag_builder *b, const ag_node *e, ag_str name);
const ag_node *ag_scalar_select(ag_builder *b,
                                const ag_node *select); /* type: of the only column; AG_EXC_ARGUMENT else */
const ag_node *ag_exists(ag_builder *b, const ag_node *select);
const ag_node *ag_scalar_values(ag_builder *b, const ag_node *values);
const ag_node *ag_dml_column(ag_builder *b, const ag_node *column);
const ag_node *ag_splice(ag_builder *b, const ag_str *texts, const ag_node *const *items, size_t nitems,
                         const ag_type *type);
/* item as if it had no compile hook. */
const ag_node *ag_as_usual(ag_builder *b, const ag_node *item);
const ag_node *ag_custom(ag_builder *b, int64_t class_id, int64_t host, ag_str identity, const ag_node *const *children,
                         size_t n, const ag_type *type, unsigned flags);

/* ---- questions ---- */
/* The name a column expression brings along: label, column name; {NULL,0} for others. */
ag_str ag_expr_name(const ag_node *e);
/* Key of a column expression in .c and rows (label, column key); {NULL,0}. */
ag_str ag_expr_key(const ag_node *e);
/* Base of the made-up name of label() without a name: the name of a column or function, else "anon". */
ag_str ag_expr_anon_base(const ag_node *e);
/* Identity of an expression among those of its statement: columns by FROM and index, however often their nodes were
 * made; all
 * others by address. Never 0. */
uint64_t ag_expr_id(const ag_node *e);
/* Without ordering modifiers. */
const ag_node *ag_expr_unwrap_order(const ag_node *e);
bool ag_expr_is_column(const ag_node *e); /* COLUMN, COLREF, COLUMN_CLAUSE */
/* Visits the terms of a chain of op (AND, OR, CONCAT …) in order, in a loop: LISTs and BINARYs of that op are opened.
 * stops when fn
 * returns false. */
ag_status ag_chain_each(const ag_node *e, ag_op_id op, bool (*fn)(void *ud, const ag_node *term), void *ud,
                        const ag_alloc *alloc, ag_error *err) AG_NODISCARD;

/* ---- text() ---- see text.h */

#endif

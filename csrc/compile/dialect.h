/* What a dialect is: a const struct of features and a sparse table of overrides over the ANSI visitors. Nothing outside dialect/ asks
 * which database it is; it asks for a feature. The interface stands here, in the lower layer; dialect/ fills it. */
#ifndef AG_COMPILE_DIALECT_H
#define AG_COMPILE_DIALECT_H

#include "compile/compiled.h"
#include "schema/constraint.h"
#include "schema/created.h"
#include "sql/func.h"
#include "sql/select.h"

typedef struct ag_dialect ag_dialect;
typedef struct ag_compiler ag_compiler; /* compile/compiler.h */

/* k: AG_KW_* of compiler.h. Failures are sticky in c. */
typedef void (*ag_visit_fn)(ag_compiler *c, const ag_node *n, unsigned k);
typedef void (*ag_visit_type_fn)(ag_compiler *c, const ag_type *t);

typedef enum ag_param_style { AG_PARAM_QMARK, AG_PARAM_DOLLAR, AG_PARAM_NAMED } ag_param_style;

typedef struct ag_op_text {
    uint16_t op; /* ag_op_id */
    const char *text;
} ag_op_text;
typedef struct ag_op_precedence {
    uint16_t op;
    int16_t precedence;
} ag_op_precedence;

struct ag_dialect {
    const char *name; /* "sqlite": variants, prefixes, hints */
    ag_param_style param_style;
    uint32_t max_identifier;     /* bytes; generated names longer than this are hashed */
    bool refuse_long_names;      /* user names over max_identifier are refused (else written as they are) */
    const char *const *reserved; /* sorted by bytes, lower case */
    size_t nreserved;
    char quote_open, quote_close;  /* of identifiers; 0: '"'. A closing one inside a name is doubled */
    const ag_overrides *overrides; /* what a dialect of the host writes by its hooks; NULL: nothing */

    /* features */
    bool native_boolean;    /* true, false; else 1 and 0, and "= 1" behind a bare condition */
    bool ilike;             /* ILIKE; else lower(a) LIKE lower(b) */
    const char *string_agg; /* the function behind aggregate_strings */
    /* Values without a type of their own are what they would be in the SQL text, as they are with psycopg2: texts are literals of unknown
     * type, which the database resolves by what stands beside them (json_array_length('[1]'), date_trunc('day', t) = '2024-01-05'),
     * floats are exact numbers (price * 1.1). Does the function, with n arguments, take some of any type, so that a text has to be told
     * as one? NULL: the database has no such literals. */
    bool (*takes_any)(ag_str function, uint32_t n);
    /* Is it a type of the database, which an unqualified name would mean? NULL: none is. */
    bool (*own_type)(ag_str name);
    bool native_decimal, native_enum, native_uuid, native_arrays;
    bool lateral, tablesample, distinct_on, nulls_order, fetch_first;
    bool compound_brackets;             /* (SELECT …) UNION (SELECT …) */
    bool values_brackets_alias_columns; /* (VALUES …) AS t (a, b) */
    bool update_from, delete_using, update_table_alias;
    bool returning_insert, returning_update, returning_delete, implicit_returning;
    bool conflict_constraint;          /* ON CONFLICT ON CONSTRAINT name */
    bool conflict_where_literal;       /* index_where of ON CONFLICT as literals */
    bool lastrowid;                    /* the driver knows the last row id: no RETURNING for a lone generated key */
    bool null_key_numbers;             /* NULL for the generated key is numbered, too */
    bool upsert_returns_inserted_only; /* no implicit RETURNING beside ON CONFLICT */
    bool default_values, default_metavalue; /* INSERT … DEFAULT VALUES; VALUES (DEFAULT) */
    bool multi_values, upsert;
    bool upsert_one; /* one ON CONFLICT clause, whose DO UPDATE names its target */
    bool sequences, comments, schemas, alter_constraints, inline_comments, identity_columns, computed_columns;
    bool tuple_in_values; /* IN (VALUES (1, 2), (3, 4)) */
    bool empty_in_select; /* x IN (SELECT … WHERE 1!=1) for no members */
    ag_path_form path_form;
    bool backslash_escapes;   /* a backslash in a literal needs E'' */
    bool long_fractions;      /* seconds always with six digits */
    bool div_is_floordiv;     /* integer / integer truncates: true division casts */
    bool limit_needs_value;   /* OFFSET needs a LIMIT */
    bool returning_qualified; /* RETURNING t.c rather than c */
    ag_array_form array_form; /* of long IN lists */
    uint32_t array_form_above;

    /* operators: text instead of ANSI's (closed by AG_OP_NONE), and how tightly they really bind here, where SQLAlchemy's table
     * would leave brackets out that are needed */
    const ag_op_text *op_texts;
    const ag_op_precedence *precedences;

    /* overrides; NULL: the ANSI visitor */
    ag_visit_fn visit[AG_K_COUNT];
    ag_visit_fn visit_op[AG_OP_COUNT];      /* BINARY and UNARY nodes by operator */
    ag_visit_fn visit_func[AG_FUNC_COUNT_]; /* known functions */
    ag_visit_type_fn visit_type[AG_TYPE_COUNT];
    void (*limit)(ag_compiler *c, const ag_node *select, const ag_limits *l);
    void (*for_update)(ag_compiler *c, const ag_n_for_update *f);
    void (*distinct)(ag_compiler *c, const ag_n_select *select, unsigned k);
    void (*on_conflict)(ag_compiler *c, const ag_n_insert *insert);
    void (*hint_from)(ag_compiler *c, const ag_node *from);
    void (*empty_set)(ag_compiler *c, const ag_type *const *types, uint32_t n);
    void (*bind_cast)(ag_compiler *c, const ag_type *t); /* behind a placeholder */
    void (*values_cast)(ag_compiler *c, const ag_node *n,
                        const ag_type *t); /* behind a value of VALUES, of a column of type t */
    /* literal of a value of type t; false: the ANSI way */
    bool (*literal)(ag_compiler *c, const ag_value *v, const ag_type *t);
    /* DDL; NULL: nothing to add */
    bool (*serial)(ag_compiler *c, const ag_column *col);      /* writes SERIAL instead of type and default */
    void (*default_text)(ag_compiler *c, ag_str text);         /* DEFAULT's text, brackets added */
    void (*column_tail)(ag_compiler *c, const ag_column *col); /* instead of what is written behind the default */
    bool (*omits)(const ag_constraint *k);                     /* not written in CREATE TABLE */
    void (*constraint_middle)(ag_compiler *c, const ag_constraint *k); /* before DEFERRABLE */
    void (*constraint_tail)(ag_compiler *c, const ag_constraint *k);
    void (*unique_word)(ag_compiler *c, const ag_constraint *k); /* behind UNIQUE */
    void (*exclude)(ag_compiler *c, const ag_constraint *k);
    void (*table_tail)(ag_compiler *c, const ag_table *t);
    void (*table_word)(ag_compiler *c, const ag_table *t); /* behind CREATE and the table's prefixes */
    void (*index_word)(ag_compiler *c, const ag_index *x); /* behind [CREATE|DROP] INDEX */
    void (*index_using)(ag_compiler *c, const ag_index *x);
    void (*index_item)(ag_compiler *c, const ag_index *x,
                       const ag_node *expr); /* behind one expression, before its order */
    void (*index_tail)(ag_compiler *c, const ag_index *x);
    void (*view_tail)(ag_compiler *c, const ag_table *t); /* behind the name of CREATE VIEW, CREATE TABLE AS */
    bool materialized_views, replaces_views;
    bool index_in_schema; /* CREATE INDEX schema.name ON table, rather than name ON schema.table */
    bool stored_default;  /* computed columns are STORED when nothing is said: older servers have no others */
    bool (*fk_action)(ag_str action); /* actions beyond the standard's */
    /* What a stored CREATE text says; NULL: this database's catalog keeps no texts. Names come into arena, other texts are slices of
     * sql. AG_EXC_ARGUMENT where the text is of another grammar. */
    ag_status (*parse_create)(ag_created **out, ag_arena *arena, ag_str sql, ag_error *err);
};

/* Static. */
const ag_dialect *ag_dialect_ansi(void); /* print(stmt): ANSI with :names */
const ag_dialect *ag_dialect_sqlite(void);
const ag_dialect *ag_dialect_postgresql(void);
/* "sqlite", "postgresql", "default"; NULL for others. */
const ag_dialect *ag_dialect_find(const char *name, size_t len);

/* ag_dialect.limit of a dialect whose host writes the clause. */
void ag_c_limit_hooked(ag_compiler *c, const ag_node *select, const ag_limits *l);

/* ---- names ---- */
/* Appends name quoted when it must be (quote: -1 by rule, 0 never, 1 always). AG_EXC_IDENTIFIER for an empty one, NUL bytes, invalid UTF-8,
 * and where the dialect refuses it its length. */
ag_status ag_quote_identifier(ag_buf *out, const ag_dialect *d, ag_str name, int quote, ag_error *err) AG_NODISCARD;
/* Does the rule ask for quotes? */
bool ag_quote_needed(const ag_dialect *d, ag_str name);
/* Has name characters a plain identifier cannot have? (Function names are quoted only for these.) */
bool ag_quote_illegal(ag_str name);
/* Appends 'text' with quotes doubled, as the dialect wants it. AG_EXC_COMPILE for NUL or invalid UTF-8. */
ag_status ag_quote_string(ag_buf *out, const ag_dialect *d, ag_str text, ag_error *err) AG_NODISCARD;
/* A type as DDL writes it. */
ag_status ag_type_sql(ag_buf *out, const ag_dialect *d, const ag_type *t, ag_compile_host *host, const ag_alloc *alloc,
                      ag_error *err) AG_NODISCARD;
/* v as SQL text. */
ag_status ag_literal_sql(ag_buf *out, const ag_dialect *d, const ag_value *v, const ag_type *t, ag_compile_host *host,
                         const ag_alloc *alloc, ag_error *err) AG_NODISCARD;

#endif

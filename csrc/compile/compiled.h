/* A compiled statement: text and everything that executing it needs to know. Immutable and counted, so that the cache, a running
 * execution and a result can hold it. This header is what the engine and the ORM see of the compiler. */
#ifndef AG_COMPILE_COMPILED_H
#define AG_COMPILE_COMPILED_H

#include "base/buf.h"
#include "base/map.h"
#include "sql/key.h"
#include "sql/table.h"

struct ag_dialect; /* compile/dialect.h */

typedef enum ag_stmt_kind {
    AG_STMT_SELECT,
    AG_STMT_INSERT,
    AG_STMT_UPDATE,
    AG_STMT_DELETE,
    AG_STMT_TEXT,
    AG_STMT_DDL,
    AG_STMT_OTHER,
} ag_stmt_kind;

/* Where the value of a bind comes from. */
typedef enum ag_bind_source {
    AG_SOURCE_TREE,      /* statement bind `index` (ag_tree_binds order); parameters of the call by key go first */
    AG_SOURCE_PARAMETER, /* parameter `name` of the call (column keys of INSERT/UPDATE, text() names) */
    AG_SOURCE_DEFAULT, /* column default of `column`, run by the engine: scalar, callable, or the result of a pre-executed SQL */
    AG_SOURCE_CONSTANT, /* constant `value` the compiler made */
} ag_bind_source;

typedef enum ag_array_form {
    AG_ARRAY_FORM_NONE = 0,
    AG_ARRAY_FORM_NATIVE, /* one array of the database: = ANY($1) */
    AG_ARRAY_FORM_JSON, /* one JSON array, members in the storage form of the type: IN (SELECT value FROM json_each(?)) */
} ag_array_form;

/* How the value of a JSON index or path is written: ag_json_path_write. */
typedef enum ag_path_form {
    AG_PATH_NONE = 0,
    AG_PATH_DOLLAR, /* SQLite: $."a"[1]; of a text, an integer, or (JSON) an array of those */
    AG_PATH_BRACES, /* PostgreSQL: {a,1}; of an array */
} ag_path_form;

typedef struct ag_compiled_bind {
    ag_str name; /* rendered key: id_1, param_1, or the parameter's own */
    const ag_type *type;
    unsigned flags; /* AG_BIND_* */
    ag_bind_source source;
    uint32_t index;              /* TREE: in the gathered binds */
    uint32_t row;                /* 1 + row of multi-values it is written in, 0 none */
    const ag_column *column;     /* DML column it is for, or NULL */
    ag_value value;              /* CONSTANT */
    const ag_node *node;         /* CONSTANT of a BIND with a callable or with members, else NULL */
    uint32_t tuple_width;        /* expanding over tuples */
    const ag_type *const *types; /* of a tuple's members, with array_form; else NULL */
    uint32_t nmembers;  /* expanding whose members stand in the text: their number; its positions carry `member` */
    uint8_t path_form;  /* ag_path_form */
    uint8_t array_form; /* ag_array_form: all members in one placeholder; type is then the type of one member */
    bool unresolved;    /* type is only guessed from the value: see takes_any of ag_dialect */
} ag_compiled_bind;

/* One placeholder. */
#define AG_WHOLE UINT32_MAX
typedef struct ag_position {
    uint32_t bind;   /* index into binds */
    uint32_t member; /* of an expanding bind (row by row of tuple_width), or AG_WHOLE: the value itself */
} ag_position;

/* A place in the text that is finished per execution: only of expanding and literal_execute binds that have a name of the user's,
 * since the values of the call may be others than the tree's. ag_compiled_expand finishes them. */
typedef enum ag_piece_kind {
    AG_PIECE_EXPANDING, /* IN list: "(__[POSTCOMPILE_x])" in string form */
    AG_PIECE_LITERAL,   /* literal_execute: the value is written into the text */
} ag_piece_kind;
typedef struct ag_piece {
    ag_piece_kind kind;
    uint32_t at;       /* byte offset in text where it goes (nothing stands there) */
    uint32_t bind;     /* index into binds */
    uint32_t position; /* number of positions before it */
    bool negated;      /* NOT IN: how an empty list is written */
    bool in;           /* behind IN / NOT IN: brackets and the empty form belong to the piece */
} ag_piece;

typedef struct ag_result_col {
    ag_str key;  /* key in rows */
    ag_str name; /* name as written in SQL: label or column name (what the database reports) */
    const ag_type *type;
    /* what finds it as row[object]: */
    uint64_t table;  /* serial of a table column, 0 none */
    uint32_t column; /* its index */
    uint32_t from;   /* 0; or 1 + number of the FROM with identity (ag_tree_froms order) the COLREF belongs to */
    uint32_t item;   /* index in the statement's flattened columns clause, to match any expression by node */
    bool ambiguous;  /* key occurs more than once */
    uint64_t expr;   /* hash of the expression, values left out: row[expression] */
    ag_str alias;    /* a second key of a column whose key is not its name; {NULL,0}: none */
} ag_result_col;

/* A column the engine must provide a value for before sending (prefetch), or that it may read afterwards (postfetch). */
typedef struct ag_fetch_col {
    const ag_column *column;
    uint32_t bind;   /* prefetch: index into binds */
    bool is_update;  /* onupdate */
    bool preexecute; /* SQL default or sequence of a primary key that must be selected first */
} ag_fetch_col;

typedef enum ag_returning_shape {
    AG_RETURNING_NONE,
    AG_RETURNING_USER,
    AG_RETURNING_IMPLICIT, /* the engine's own: primary key, server defaults */
    AG_RETURNING_BOTH,     /* user's columns first, then the engine's */
} ag_returning_shape;

typedef struct ag_dml_facts {
    const ag_table *table;
    const ag_column *const *insert_columns; /* in the order of the text */
    uint32_t ninsert_columns;
    const ag_fetch_col *prefetch;
    uint32_t nprefetch;
    const ag_column *const *postfetch; /* the server changes them and nothing brings them back */
    uint32_t npostfetch;
    const ag_column *const *implicit_returning; /* columns after nuser_returning result columns */
    uint32_t nimplicit_returning;
    uint32_t nuser_returning;
    ag_returning_shape returning;
    bool lastrowid;    /* the new key is the driver's last row id (for table->autoincrement_column) */
    bool multi_values; /* VALUES (…), (…) in the text: no executemany */
    bool from_select, has_where;
    bool returning_sorted; /* sort_by_parameter_order was asked */
    /* single-row VALUES part, for batching (insertmanyvalues): byte range of "(…)" after VALUES, 0,0 when it cannot be repeated */
    uint32_t values_at, values_len;
    uint32_t values_first, values_count; /* positions inside it */
} ag_dml_facts;

#define AG_COMPILED_RETURNS_ROWS      0x01u
#define AG_COMPILED_DDL               0x02u
#define AG_COMPILED_CACHEABLE         0x04u
#define AG_COMPILED_FOR_UPDATE        0x08u /* SELECT … FOR UPDATE or a writing CTE: not read-only */
#define AG_COMPILED_POSITIONAL_RESULT 0x10u /* text columns match by position */
#define AG_COMPILED_LITERAL_BINDS     0x20u
#define AG_COMPILED_AD_HOC_COLUMNS    0x40u /* result columns unknown before execution (text) */
#define AG_COMPILED_TEMP              0x80u /* DDL: CREATE/DROP … inside no transaction (CREATE INDEX CONCURRENTLY) */
#define AG_COMPILED_INLINED           0x200u /* values of the statement are in the text: it is not cached */
#define AG_COMPILED_OPEN_COLUMNS      0x100u /* a "*" or text among the columns may be any number of them */

typedef struct ag_compiled {
    size_t refs;
    ag_stmt_kind kind;
    unsigned flags;
    ag_str text;
    const ag_compiled_bind *binds; /* distinct */
    uint32_t nbinds;
    const ag_position *
        positions; /* placeholder i (from 0: the i-th `?`, or $i+1) in order of the text, pieces' members not counted */
    uint32_t npositions;
    const struct ag_text_mark {
        uint32_t at, len, position;
    } * marks; /* private: placeholders in the text, kept beside pieces only */
    uint32_t nmarks;
    const ag_piece *pieces; /* ordered by at */
    uint32_t npieces;
    const ag_result_col *columns;
    uint32_t ncolumns;
    const ag_dml_facts *dml; /* INSERT, UPDATE, DELETE; else NULL */
    const ag_node *stmt;     /* copy without values (cacheable ones), else NULL */
    const struct ag_dialect *dialect;
    int64_t exec_options;                   /* the statement's own, as the host knows them */
    ag_arena arena;                         /* owns all of the above */
    ag_str warning;                         /* what the linter found, {NULL,0} nothing */
    uint64_t id;                            /* hash of the text */
    void (*release)(struct ag_compiled *c); /* private: gives back the MetaDatas that stmt refers to */
    void *owners;                           /* private */
    struct ag_exec_facts *facts;            /* private to the engine that executes it, in the arena; NULL at first */
} ag_compiled;
static inline ag_compiled *ag_compiled_ref(ag_compiled *c)
{
    c->refs++;
    return c;
}
void ag_compiled_unref(ag_compiled *c); /* NULL is fine */
/* Index of the bind with that rendered name, or -1. */
int64_t ag_compiled_find_bind(const ag_compiled *c, const char *name, size_t len);

typedef struct ag_translate {
    ag_str from, to; /* {NULL,0}: no schema */
} ag_translate;

typedef struct ag_compile_options {
    const ag_str *column_keys; /* INSERT, UPDATE: keys of the parameter sets, in the order of the call; NULL: none */
    uint32_t ncolumn_keys;
    bool for_executemany;
    const ag_translate *translate; /* schema_translate_map */
    uint32_t ntranslate;
    bool linting;            /* look for cartesian products: ag_compiled.warning */
    bool literal_binds;      /* not cached */
    bool render_postcompile; /* pieces of named expanding binds are finished with the tree's own values */
    bool named;              /* :name instead of placeholders (print) */
    bool no_cache;
    ag_types *types;
    uint64_t serial;     /* of the statement as an object: the same number, the same tree; 0: not known */
    uint32_t max_params; /* parameter limit of this connection, 0 unknown */
    uint32_t label_length, max_identifier; /* instead of the dialect's; 0: the dialect's */
} ag_compile_options;

/* ---- the cache ---- one per engine; bounded by bytes; least recently used goes first. */
typedef struct ag_cache ag_cache;
typedef struct ag_cache_stats {
    uint64_t hits, misses, uncached, evictions;
    size_t entries, bytes, max_bytes, max_entries;
} ag_cache_stats;
ag_status ag_cache_new(ag_cache **out, const ag_alloc *alloc, size_t max_entries, size_t max_bytes,
                       ag_error *err) AG_NODISCARD;
void ag_cache_free(ag_cache *c);
void ag_cache_drop(ag_cache *c); /* all entries */
void ag_cache_get_stats(const ag_cache *c, ag_cache_stats *out);

typedef enum ag_cache_outcome { AG_CACHE_HIT, AG_CACHE_MISS, AG_CACHE_NO_KEY, AG_CACHE_OFF } ag_cache_outcome;

/* Which constructs of ours have SQL of the host's in some dialect, so that the compiler asks before it writes them. */
typedef struct ag_overrides {
    uint64_t kinds[3];   /* a bit for each ag_kind */
    bool types;          /* some type has another name in DDL */
    uint64_t generation; /* grows with every change: part of the cache's key */
} ag_overrides;
static inline bool ag_overrides_has(const ag_overrides *o, unsigned kind)
{
    return o && (o->kinds[kind >> 6] >> (kind & 63) & 1u);
}

/* The clause of limits, for a dialect whose host writes it: NULL where there is none. */
typedef struct ag_limits {
    const ag_node *limit, *offset, *fetch;
    unsigned flags; /* AG_FETCH_* */
} ag_limits;

/* What the compiler asks of the host: one call each, which must not yield. Any may be NULL. */
typedef struct ag_compile_host ag_compile_host;
struct ag_compile_host {
    void *ud;
    const ag_overrides *overrides; /* NULL: none; lives as long as the host */
    /* The SQL of a construct: *out an expression, usually a SPLICE of texts and nodes, made with b (arena mode) or the host's own, alive
     * until `ended`. NULL: the host has none for the dialect. limits: instead of a node's text its clause of row limits, else NULL.
     * */
    ag_status (*construct)(ag_compile_host *h, const ag_node *node, const ag_limits *limits,
                           const struct ag_dialect *dialect, ag_builder *b, const ag_node **out, ag_error *err);
    /* Is a constraint with `asks` written into CREATE TABLE? */
    ag_status (*wanted)(ag_compile_host *h, const struct ag_constraint *c, const struct ag_dialect *dialect, bool *out,
                        ag_error *err);
    /* A compilation during which construct was called begins (before the first call) and ends: nodes it showed are gone now. They nest.
     * ended must not fail. */
    ag_status (*began)(ag_compile_host *h, ag_error *err);
    void (*ended)(ag_compile_host *h);
    /* Another DDL name of a type; *out {NULL,0}: none. Bytes in ar. */
    ag_status (*type_text)(ag_compile_host *h, const ag_type *type, const struct ag_dialect *dialect, ag_str *out,
                           ag_arena *ar, ag_error *err);
    /* A value of a type with AG_TYPE_HAS_BIND / AG_TYPE_HAS_LITERAL as a plain value (literal: process_literal_param), bytes in ar. */
    ag_status (*value)(ag_compile_host *h, const ag_type *type, const ag_value *in, bool literal, ag_value *out,
                       ag_arena *ar, ag_error *err);
    /* bind_expression / column_expression of a type (AG_TYPE_HAS_BIND_EXPR, AG_TYPE_HAS_COL_EXPR): what stands instead of e, or e. */
    ag_status (*type_expr)(ag_compile_host *h, const ag_type *type, const struct ag_dialect *dialect, bool column,
                           const ag_node *e, const ag_node **out, ag_error *err);
    /* DDL name of a USERDEFINED type (get_col_spec), bytes in ar. */
    ag_status (*type_name)(ag_compile_host *h, const ag_type *type, const struct ag_dialect *dialect, ag_str *out,
                           ag_arena *ar, ag_error *err);
};

/* Compiles stmt for dialect, or finds it in cache (NULL: none). *out: a reference of the caller's. binds: stmt's own binds, for
 * AG_SOURCE_TREE (emptied first; initialised by the caller, its memory is reused). options NULL: none. host: hooks for custom
 * constructs, may be NULL. outcome may be NULL. */
ag_status ag_compile_cached(ag_compiled **out, ag_binds *binds, ag_cache *cache, const struct ag_dialect *dialect,
                            const ag_node *stmt, const ag_compile_options *options, ag_compile_host *host,
                            const ag_alloc *alloc, ag_cache_outcome *outcome, ag_error *err) AG_NODISCARD;
/* The same without a cache. */
ag_status ag_compile(ag_compiled **out, ag_binds *binds, const struct ag_dialect *dialect, const ag_node *stmt,
                     const ag_compile_options *options, ag_compile_host *host, const ag_alloc *alloc,
                     ag_error *err) AG_NODISCARD;

/* Number of members (rows of tuple_width) of bind in this call, and one value (member AG_WHOLE: the value of a literal_execute bind). */
typedef struct ag_expand_values {
    void *ud;
    uint32_t (*count)(void *ud, uint32_t bind);
    ag_status (*value)(void *ud, uint32_t bind, uint32_t member, ag_value *out, ag_error *err);
} ag_expand_values;
/* Text and positions of one execution of a statement with pieces. text: emptied first. *positions in ar. */
ag_status ag_compiled_expand(const ag_compiled *c, const ag_expand_values *values, ag_compile_host *host, ag_buf *text,
                             const ag_position **positions, uint32_t *npositions, ag_arena *ar,
                             ag_error *err) AG_NODISCARD;

/* The value of a bind with a path_form as the text that is bound. v: TEXT, INT, or JSON text of an array of strings and integers
 * (AG_EXC_ARGUMENT else). */
ag_status ag_json_path_write(ag_buf *out, ag_path_form form, const ag_value *v, ag_error *err) AG_NODISCARD;

#endif

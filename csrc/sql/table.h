/* Tables and columns as statements need them. A MetaData (csrc/schema) owns and fills these structs; the SQL layer
 * only reads
 * them. Everything here lives as long as its owner; whoever keeps a tree that names tables holds the owner. */
#ifndef AG_SQL_TABLE_H
#define AG_SQL_TABLE_H

#include "base/map.h"
#include "sql/node.h"

typedef struct ag_table ag_table;
typedef struct ag_column ag_column;
typedef struct ag_fk ag_fk;
typedef struct ag_sequence ag_sequence;

/* What owns tables: the MetaData, counted. Embedded as its first member. */
typedef struct ag_owner ag_owner;
struct ag_owner {
    size_t refs;
    void (*free)(ag_owner *o); /* called when refs reaches 0 */
    /* Find a foreign key's target: sets fk->target, or fails with AG_EXC_NO_REFERENCED_TABLE / _COLUMN. */
    ag_status (*resolve)(ag_owner *o, ag_fk *fk, ag_error *err);
};
static inline ag_owner *ag_owner_ref(ag_owner *o)
{
    o->refs++;
    return o;
}
void ag_owner_unref(ag_owner *o); /* NULL is fine */

typedef enum ag_default_kind {
    AG_DEFAULT_NONE = 0,
    AG_DEFAULT_SCALAR,   /* value */
    AG_DEFAULT_CALLABLE, /* host: function of the host; context_sensitive: it takes the current parameters */
    AG_DEFAULT_SQL,      /* expr: written into the statement (or selected before it for a primary key) */
    AG_DEFAULT_SEQUENCE, /* sequence */
    AG_DEFAULT_SENTINEL, /* insert_sentinel(): the engine's own counter */
} ag_default_kind;
/* default=, onupdate=, insert_default=. Bytes of value belong to the owner. */
typedef struct ag_default {
    ag_default_kind kind;
    bool context_sensitive;
    ag_value value;
    int64_t host;
    const ag_node *expr;
    const ag_sequence *sequence;
} ag_default;

typedef enum ag_server_default_kind {
    AG_SERVER_DEFAULT_NONE = 0,
    AG_SERVER_DEFAULT_TEXT,     /* a plain string: rendered as a literal in DDL (expr: a BIND with the value) */
    AG_SERVER_DEFAULT_EXPR,     /* expr: text(), function … */
    AG_SERVER_DEFAULT_FETCHED,  /* FetchedValue(): a trigger does it */
    AG_SERVER_DEFAULT_COMPUTED, /* GENERATED ALWAYS AS (expr): persisted */
    AG_SERVER_DEFAULT_IDENTITY,
} ag_server_default_kind;
typedef struct ag_server_default {
    ag_server_default_kind kind;
    const ag_node *expr;
    int8_t persisted; /* COMPUTED: 1 STORED, 0 VIRTUAL, -1 unspecified */
    bool for_update;  /* server_onupdate, computed */
} ag_server_default;

/* Options shared by Sequence and Identity; has_… false: not given. */
typedef struct ag_identity_options {
    int64_t start, increment, minvalue, maxvalue, cache;
    bool has_start, has_increment, has_minvalue, has_maxvalue, has_cache;
    bool nominvalue, nomaxvalue;
    int8_t cycle, order; /* -1 not given */
    bool always;         /* Identity(always=True) */
    int8_t on_null;
} ag_identity_options;

struct ag_sequence {
    uint64_t serial; /* first: see AG_F_OBJ */
    ag_owner *owner; /* NULL: not in a MetaData */
    ag_str name, schema;
    int8_t quote, quote_schema; /* -1 by rule, 0 never, 1 always */
    const ag_type *type;        /* data type, NULL none */
    bool optional;
    ag_identity_options options;
    const ag_node *next_value; /* NEXT_VALUE node */
    void *schema_data;         /* csrc/schema's own */
};

/* One column of a foreign key. */
struct ag_fk {
    ag_column *column;      /* the referring one */
    ag_column *target;      /* NULL until resolved: ag_fk_target */
    const void *constraint; /* identity of the constraint it belongs to */
    uint32_t order;         /* creation order, over the owner */
    ag_str spec;            /* "schema.table.column", "table.column"; empty when the target was given as a column */
    bool link_to_name;      /* the column part is a name, not a key */
    bool absolute;          /* a table without a schema is in none: the MetaData's default schema is not added */
    void *schema_data;
};

typedef enum ag_autoincrement {
    AG_AUTOINCREMENT_AUTO = 0,
    AG_AUTOINCREMENT_TRUE,
    AG_AUTOINCREMENT_FALSE,
    AG_AUTOINCREMENT_IGNORE_FK,
} ag_autoincrement;

struct ag_column {
    ag_table *table;     /* NULL: not attached yet (then it has no node) */
    uint32_t index;      /* in table->columns */
    const ag_node *node; /* its COLUMN node. The type of a foreign key column is taken from its target when that is
                                 resolved: schema patches node's type and hash in place */
    ag_str name, key;    /* NUL-terminated */
    int8_t quote;        /* -1 by rule, 0 never, 1 always */
    const ag_type *type;
    bool primary_key, nullable, unique, system;
    bool insert_sentinel;
    bool omitted; /* select(t) and insert(t) do not name it (insert_sentinel) */
    ag_autoincrement autoincrement;
    ag_default def, onupdate;
    ag_server_default server_default, server_onupdate;
    const ag_identity_options *identity; /* server_default.kind IDENTITY */
    ag_fk *const *fks;                   /* foreign keys on this column, in creation order */
    uint32_t nfks;
    int64_t host; /* the host's handle, 0 none */
    void *schema_data;
};

struct ag_table {
    uint64_t serial; /* first: unique in one host state, never 0 */
    ag_owner *owner;
    const ag_node *node; /* its TABLE node */
    ag_str name, schema; /* schema {NULL,0}: none */
    int8_t quote, quote_schema;
    ag_column *const *columns;
    uint32_t ncolumns;
    ag_map by_key;                 /* key -> ag_column * */
    ag_column *const *primary_key; /* in table (constraint) order */
    uint32_t npk;
    ag_column *autoincrement_column; /* the one the database numbers, or NULL */
    ag_column *sentinel;             /* insertmanyvalues sentinel column, or NULL */
    ag_fk *const *fks;               /* of all columns, in creation order */
    uint32_t nfks;
    const ag_node *const *prefixes; /* CREATE TABLE prefixes */
    uint32_t nprefixes;
    bool implicit_returning; /* default true */
    bool is_view;
    int64_t host;
    void *schema_data;
};

/* A fresh serial: the caller (schema) keeps the counter; serials of one host state must differ. */

/* fk's target column, resolved when needed. */
ag_status ag_fk_target(ag_column **out, ag_fk *fk, ag_error *err) AG_NODISCARD;

/* Make the nodes of schema objects. Memory as the builder says (schema uses the owner's arena). */
const ag_node *ag_table_node(ag_builder *b, const ag_table *t);
const ag_node *ag_column_node(ag_builder *b, const ag_column *c); /* c->table, index, names, type set */
const ag_node *ag_sequence_next_value(ag_builder *b, const ag_sequence *s);
/* Column by key, or NULL. */
ag_column *ag_table_column(const ag_table *t, const char *key, size_t len);

/* ---- names ----
 * A name that is made up while compiling (anon_1, users_2, count_1) is not known to a tree. It is a list of parts,
 * told apart by
 * identity: all parts with equal anon, dedupe and text get the same number. */
typedef struct ag_name_part {
    ag_str text;
    uint64_t
        anon; /* 0: text stands as it is; else the part is written text "_" N, N counted per text over the statement */
    uint32_t dedupe; /* tells apart the repetitions of one expression in a columns clause */
} ag_name_part;
typedef struct ag_name {
    const ag_name_part *parts;
    uint32_t n;    /* 0: no name */
    uint8_t quote; /* ag_name_with_quote: how to quote it in spite of what its text asks for */
} ag_name;
/* quote: -1: as the text asks, 0: never, 1: always, as in quoted_name. */
static inline ag_name ag_name_with_quote(ag_name name, int quote)
{
    name.quote = quote < 0 ? 0 : quote ? 2 : 1;
    return name;
}
static inline int ag_name_quoting(ag_name name)
{
    return (int)name.quote - 1 < 0 ? -1 : name.quote == 2;
}
/* The text of a name that has none but plain text, {NULL,0} for others. */
ag_str ag_name_plain(ag_name name);
/* Equal names have equal hashes; 0 for no name. */
uint64_t ag_name_hash(ag_name name);
/* What a FROM is called: its own name, or one made up from its element's name or "anon". No name for JOIN and CUSTOM.
 * Parts come from ar; n is 0 when memory ran out, too. */
ag_name ag_from_name(const ag_node *from, ag_arena *ar);

/* ---- columns of anything that may stand in FROM ---- */

/* literal_column(…), or the column that a subquery exports for one. */
bool ag_expr_is_literal_column(const ag_node *e);

typedef struct ag_from_col {
    ag_name name;
    ag_str key; /* how .c finds it. Borrowed from nodes or from the arena */
    const ag_type *type;
    /* What stands behind it: an expression (the COLUMN of a table, the columns clause's item of a subquery, the
     * COLUMN_CLAUSE of
     * values), or NULL: column `inner_index` of the FROM `inner` (alias of a subquery …). */
    const ag_node *expr;
    const ag_node *inner;
    uint32_t inner_index;
    uint32_t index;          /* for the COLREF */
    const ag_column *column; /* the table column at the bottom of the chain, or NULL */
} ag_from_col;

/* Exported columns of from (also of a SELECT, COMPOUND, DML with RETURNING …: what its subquery would export), in
 * order; memory from ar.
 * text() in a columns clause exports nothing and has no index. CUSTOM froms export their children that are
 * expressions. */
ag_status ag_from_columns(const ag_node *from, ag_arena *ar, const ag_from_col **out, uint32_t *n,
                          ag_error *err) AG_NODISCARD;
/* Number of exported columns without listing them. */
uint32_t ag_from_count(const ag_node *from);
/* One column by index: what stands behind a COLREF: type, expr, inner, column and index of *out are set, name and key
 * are not.
 * False when there is no such column. */
bool ag_from_column(const ag_node *from, uint32_t index, ag_from_col *out);
/* Is a column found by its key at once: from is a table, or an alias of one? */
bool ag_from_is_keyed(const ag_node *from);
/* Index of the first column with that key, -1 none. Needs ar for subqueries' names. */
ag_status ag_from_find(const ag_node *from, const char *key, size_t len, ag_arena *ar, int64_t *index,
                       ag_error *err) AG_NODISCARD;

/* The node by which from's column `index` is written in an expression: the COLUMN of a table, the column of a JOIN's
 * side, a new COLREF for
 * all others. */
const ag_node *ag_from_colref(ag_builder *b, const ag_node *from, uint32_t index) AG_NODISCARD;
/* All of them; out has room for ag_from_count(from). False on failure. */
bool ag_from_colrefs(ag_builder *b, const ag_node *from, const ag_node **out) AG_NODISCARD;

/* from.c's member that stands for `column` (SQLAlchemy's corresponding_column): column itself when from holds it,
 * else the
 * one whose chain of bases meets column's, the nearest first. NULL without error: none. require_embedded: only when the
 * column's own from stands inside from. */
const ag_node *ag_corresponding_column(ag_builder *b, const ag_node *from, const ag_node *column,
                                       bool require_embedded);
/* The table column at the bottom, or NULL. */
const ag_column *ag_column_root(const ag_node *column);
/* Do the two share a base (SQLAlchemy's shares_lineage)? */
bool ag_columns_share_lineage(const ag_node *a, const ag_node *b, const ag_alloc *alloc);

/* The FROM of a column node (TABLE of a COLUMN, from of a COLREF), NULL for others. */
const ag_node *ag_column_from(const ag_node *column);
/* Same FROM: the same node, or TABLE nodes of one table. */
bool ag_from_same(const ag_node *a, const ag_node *b);
/* Key to hash a FROM by in maps: equal exactly when ag_from_same. */
uint64_t ag_from_key(const ag_node *from);
/* Is inner from itself or somewhere in its JOINs / alias element (is_derived_from)? */
bool ag_from_contains(const ag_node *from, const ag_node *inner);
/* Is inner from itself or a side of its joins? (Subqueries and aliases are not looked into.) */
bool ag_from_joins(const ag_node *from, const ag_node *inner);
/* For messages: "users", "anon alias of users". */
void ag_from_describe(struct ag_buf *out, const ag_node *from);

/* A named node (node.h AG_NAME_QUOTE) whose name is always (quote > 0) or never (quote 0) quoted; quote < 0: by rule.
 * */
const ag_node *ag_with_quote(ag_builder *b, const ag_node *n, int quote);
/* 1 always, 0 never, -1 by rule. For TABLE and COLUMN what the table says. */
int ag_name_quote(const ag_node *n);

/* ---- constructors of FROMs ----  name {NULL,0}: made up while compiling. */
const ag_node *ag_table_clause(ag_builder *b, ag_str schema, ag_str name, const ag_node *const *columns, size_t n);
const ag_node *ag_alias(ag_builder *b, const ag_node *element, ag_str name); /* of a selectable: a SUBQUERY */
const ag_node *ag_subquery(ag_builder *b, const ag_node *select, ag_str name);
const ag_node *ag_lateral(ag_builder *b, const ag_node *element, ag_str name);
/* flags: AG_CTE_* */
const ag_node *ag_cte(ag_builder *b, const ag_node *element, ag_str name, unsigned flags);
/* cte.alias(name) */
const ag_node *ag_cte_alias(ag_builder *b, const ag_node *cte, ag_str name);
/* cte.union(…): a new CTE of that name whose element is cte's element kw others. */
const ag_node *ag_cte_compound(ag_builder *b, const ag_node *cte, ag_compound_kw kw, const ag_node *const *others,
                               size_t n);
/* sampling: expression; a bind (plain number) is wrapped in system(…) */
const ag_node *ag_tablesample(ag_builder *b, const ag_node *element, const ag_node *sampling, const ag_node *seed,
                              ag_str name);
/* columns: COLUMN_CLAUSEs; data: nrows * n expressions. */
const ag_node *ag_values(ag_builder *b, ag_str name, const ag_node *const *columns, size_t n,
                         const ag_node *const *data, size_t nrows, unsigned flags);
/* values.data(): a copy with more rows. */
const ag_node *ag_values_data(ag_builder *b, const ag_node *values, const ag_node *const *data, size_t nrows);
/* fn.table_valued(…). columns: COLUMN_CLAUSEs, with AG_TABLE_FUNC_ORDINALITY the last is the ordinality. */
const ag_node *ag_table_func(ag_builder *b, const ag_node *fn, const ag_node *const *columns, size_t n, ag_str name,
                             unsigned flags);
/* func.x() as a FROM of its own: select_from(func.x()). */
const ag_node *ag_table_func_bare(ag_builder *b, const ag_node *fn);
/* render_derived: a copy with other flags and name (name {NULL,0}: as it was). */
const ag_node *ag_table_func_derived(ag_builder *b, const ag_node *tf, ag_str name, bool with_types);

/* ---- joins ---- */
/* onclause NULL: inferred from foreign keys. flags AG_JOIN_*. */
const ag_node *ag_join(ag_builder *b, const ag_node *left, const ag_node *right, const ag_node *onclause,
                       unsigned flags);
/* The ON clause between a and b by foreign keys of either side: AG_EXC_NO_FOREIGN_KEYS, AG_EXC_AMBIGUOUS_FOREIGN_KEYS
 * (the
 * message lists the candidates), AG_EXC_NO_REFERENCED_TABLE …. a_subset: NULL, or the right-most part of a to prefer.
 * */
const ag_node *ag_join_condition(ag_builder *b, const ag_node *a, const ag_node *other, const ag_node *a_subset);
/* Could they be joined without an ON clause? Resolves foreign keys; an unresolvable one counts as no. */
bool ag_can_join(ag_builder *b, const ag_node *a, const ag_node *other);

#endif

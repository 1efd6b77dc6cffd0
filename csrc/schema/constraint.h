/* What hangs on a table besides its columns: constraints, indexes, comments, options for one dialect. Owned by the table's
 * MetaData, filled by schema/metadata.h, read by compile/ and dialect/. Immutable once they hang there. */
#ifndef AG_SCHEMA_CONSTRAINT_H
#define AG_SCHEMA_CONSTRAINT_H

#include "sql/table.h"

/* ---- options for one dialect: postgresql_using = "gin" ---- */
typedef struct ag_pair {
    ag_str key;          /* a list's items: {NULL,0} */
    ag_str value;        /* a map's value, a list's item */
    const ag_node *node; /* or an expression */
} ag_pair;
typedef struct ag_option {
    ag_str dialect; /* "postgresql" */
    ag_str name;    /* "using" */
    ag_value value; /* BOOL, INT, FLOAT or TEXT; NULL kind: node or pairs say it */
    const ag_node *node;
    const ag_pair *pairs; /* a list or map, in order (a map's by key) */
    uint32_t npairs;
    bool is_list; /* pairs were given, perhaps none */
} ag_option;
typedef struct ag_options {
    const ag_option *items;
    uint32_t n;
} ag_options;
/* NULL when it was not given. */
const ag_option *ag_option_find(const ag_options *o, const char *dialect, const char *name);
/* A boolean option, false when it was not given. */
bool ag_option_bool(const ag_options *o, const char *dialect, const char *name);
/* A text option, {NULL,0} when it was not given. */
ag_str ag_option_text(const ag_options *o, const char *dialect, const char *name);

/* ---- constraints ---- */
typedef enum ag_constraint_kind {
    AG_CONSTRAINT_PRIMARY_KEY = 1,
    AG_CONSTRAINT_FOREIGN_KEY,
    AG_CONSTRAINT_UNIQUE,
    AG_CONSTRAINT_CHECK,
    AG_CONSTRAINT_EXCLUDE, /* PostgreSQL's: elements */
} ag_constraint_kind;

typedef struct ag_exclude_element {
    const ag_node *expr;
    ag_str op; /* "&&" */
} ag_exclude_element;

typedef struct ag_constraint ag_constraint;
struct ag_constraint {
    uint64_t serial; /* first: see AG_F_OBJ */
    ag_constraint_kind kind;
    ag_table *table;
    uint32_t position;         /* in ag_table_constraints(table) */
    ag_str name;               /* {NULL,0}: without a name. The naming convention has been applied */
    bool generated_name;       /* made by the convention: cut (with a hash) where it is too long */
    int8_t quote;              /* of the name: -1 by rule, 0 never, 1 always */
    bool implicit;             /* made from primary_key = true, unique = true */
    ag_column *const *columns; /* CHECK: none */
    uint32_t ncolumns;
    int8_t deferrable; /* -1 not given, 0 NOT DEFERRABLE, 1 DEFERRABLE */
    ag_str initially;  /* "DEFERRED", "IMMEDIATE"; {NULL,0} */
    ag_str comment;
    /* FOREIGN KEY: one ag_fk a column */
    ag_fk *const *fks;
    ag_str ondelete, onupdate, match;
    bool use_alter;
    /* CHECK */
    const ag_node *sqltext;
    const ag_column *column; /* given with this column, and written behind it; else NULL */
    /* CHECK of a Boolean or Enum column (create_constraint): not written where the database has the type itself, or where the
     * column's type is another one than ag_type_impl_at(type, type_index) */
    const ag_column *type_column;
    uint32_t type_index;
    /* EXCLUDE */
    const ag_exclude_element *elements;
    uint32_t nelements;
    ag_options options;
    const ag_str *dialects; /* written into CREATE TABLE on these only; ndialects 0: everywhere */
    uint32_t ndialects;
    bool asks; /* ddl_if{callable_ = …}: the compiler asks its host whether CREATE TABLE has it */
};

typedef struct ag_index ag_index;
struct ag_index {
    uint64_t serial; /* first: see AG_F_OBJ */
    ag_table *table;
    ag_str name; /* never absent */
    bool generated_name;
    int8_t quote;
    bool unique;
    const ag_node *const *exprs; /* COLUMN nodes and expressions, modifiers (DESC, NULLS FIRST) included */
    uint32_t nexprs;
    ag_options options; /* postgresql_where: node … */
};

/* ---- what a MetaData keeps of a table and of a column ---- */

/* All constraints in the order of CREATE TABLE: the primary key first, the others as they were declared.
 * constraint->position is the index in here. */
const ag_constraint *const *ag_table_constraints(const ag_table *t, uint32_t *n);
/* The primary key constraint; NULL when the table has none. */
const ag_constraint *ag_table_primary_key(const ag_table *t);
const ag_index *const *ag_table_indexes(const ag_table *t, uint32_t *n);
const ag_options *ag_table_options(const ag_table *t);
const ag_options *ag_column_options(const ag_column *c);
#endif

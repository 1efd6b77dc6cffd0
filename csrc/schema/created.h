/* What the text of a CREATE statement says, for databases that keep that text as their catalog. A dialect's parse_create fills
 * it. Texts of names are free of their quotes; expressions are slices of the text that was parsed, which must outlive this.
 * Everything else lives in the arena that was given. */
#ifndef AG_SCHEMA_CREATED_H
#define AG_SCHEMA_CREATED_H

#include "base/arena.h"
#include "schema/constraint.h"

typedef enum ag_created_kind {
    AG_CREATED_TABLE = 1,
    AG_CREATED_VIRTUAL, /* CREATE VIRTUAL TABLE: only the names and the module are read */
    AG_CREATED_INDEX,
    AG_CREATED_VIEW,
} ag_created_kind;

/* A name in a list. */
typedef struct ag_created_name {
    struct ag_created_name *next;
    ag_str name;
} ag_created_name;

/* A constraint, wherever it stood: {NULL,0} for texts that were not there. */
typedef struct ag_created_key {
    struct ag_created_key *next;
    ag_constraint_kind kind; /* PRIMARY_KEY, FOREIGN_KEY, UNIQUE or CHECK */
    ag_str name;
    ag_created_name *columns; /* CHECK: none */
    ag_str conflict;          /* ON CONFLICT's word */
    ag_str sqltext;           /* CHECK: without its brackets */
    ag_str table;             /* FOREIGN KEY: the referred table and columns (perhaps none) */
    ag_created_name *referred;
    ag_str on_delete, on_update, match, initially; /* as written, blanks between words as they were */
    int8_t deferrable;                             /* -1 not said, 0 NOT DEFERRABLE, 1 DEFERRABLE */
    bool autoincrement;
    bool in_column;
} ag_created_key;

typedef struct ag_created_column {
    struct ag_created_column *next;
    ag_str name, type, collate;
    ag_str default_text;                    /* brackets around the whole left out */
    bool default_brackets, default_literal; /* it had brackets; between them stood one token */
    bool not_null;
    ag_str not_null_conflict;
    ag_str generated; /* AS (…) without brackets */
    bool stored;
} ag_created_column;

/* One item of an index. */
typedef struct ag_created_item {
    struct ag_created_item *next;
    ag_str text;    /* all of it, order included */
    ag_str name;    /* of a column; {NULL,0}: an expression */
    ag_str collate; /* beside a column's name */
} ag_created_item;

typedef struct ag_created {
    ag_created_kind kind;
    bool temporary, unique, without_rowid, strict;
    ag_str schema, name;
    ag_str table;  /* INDEX: whose. VIRTUAL: the module */
    ag_str select; /* VIEW, or TABLE … AS */
    ag_str where;  /* INDEX */
    ag_created_column *columns;
    ag_created_key *keys; /* in the order of the text */
    ag_created_item *items;
    ag_created_name *names; /* VIEW: its columns, when they are named */
} ag_created;

#endif

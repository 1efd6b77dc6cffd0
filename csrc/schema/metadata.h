/* MetaData: the owner of tables, columns, foreign keys, constraints, indexes and sequences. Everything lives in its arena until
 * the last reference is gone; what was removed from it stays in memory until then, since nodes may point to it.
 *
 * Building is done from specs: plain structs whose texts are copied. Nodes (check texts, server defaults, index expressions)
 * are not: whoever passes them keeps them alive as long as the MetaData. */
#ifndef AG_SCHEMA_METADATA_H
#define AG_SCHEMA_METADATA_H

#include "base/vec.h"
#include "schema/constraint.h"

typedef struct ag_metadata ag_metadata;
struct ag_metadata {
    ag_owner owner; /* first */
    const ag_alloc *alloc;
    ag_types *types;
    uint64_t *serials; /* the host's counter: outlives the MetaData's building */
    ag_arena arena;
    ag_str schema;           /* default schema of tables and of foreign keys' targets; {NULL,0} none */
    ag_map by_name;          /* "schema.name" or "name" -> ag_table * */
    ag_map all;              /* every table ever made: address -> ag_table * */
    AG_VEC(ag_fk *) pending; /* foreign keys whose target has not been found */
    uint32_t fk_order;
};

/* serials: a counter shared by everything of one host state. types: the state's registry. */
ag_status ag_metadata_new(ag_metadata **out, const ag_alloc *alloc, ag_types *types, uint64_t *serials, ag_str schema,
                          ag_error *err) AG_NODISCARD;
static inline ag_metadata *ag_metadata_of(const ag_table *t)
{
    return (ag_metadata *)t->owner;
}
/* The table, or NULL. fullname: "schema.name" or "name". */
ag_table *ag_metadata_find(const ag_metadata *m, ag_str fullname);
/* Forget the table: it is found no more, but lives on. */
void ag_metadata_remove(ag_metadata *m, ag_table *t);

/* ---- tables ---- */
typedef struct ag_table_spec {
    ag_str name, schema; /* schema as it is to be written: the MetaData's default is the caller's affair */
    int8_t quote, quote_schema;
    ag_str comment;
    ag_options options;
    const ag_node *const *prefixes;
    uint32_t nprefixes;
    bool implicit_returning, is_view;
} ag_table_spec;
/* A table without columns; not found by name until ag_table_publish. AG_EXC_ARGUMENT for an empty name. */
ag_status ag_table_new(ag_table **out, ag_metadata *m, const ag_table_spec *spec, ag_error *err) AG_NODISCARD;
/* Give it another comment and other options (both are copied). AG_NOMEM leaves it as it was. */
ag_status ag_table_change(ag_table *t, ag_str comment, ag_options options, ag_error *err) AG_NODISCARD;
/* Make it known to its MetaData and resolve foreign keys that waited for it. AG_EXC_INVALID_REQUEST when the name is taken. */
ag_status ag_table_publish(ag_table *t, ag_error *err) AG_NODISCARD;

/* spec: name … server defaults are read, the rest (table, index, node, fks) is set here; key absent: the name. Strings are copied.
 * AG_EXC_DUPLICATE_COLUMN for a key or a name that is there. */
typedef struct ag_column_spec {
    ag_column c;
    ag_str comment;
    ag_options options;
    bool
        replace; /* extend_existing: a column of this key or name is replaced at its place, its foreign keys are forgotten */
} ag_column_spec;
ag_status ag_table_add_column(ag_column **out, ag_table *t, const ag_column_spec *spec, ag_error *err) AG_NODISCARD;

/* One column of a foreign key: the target as text or as a column. */
typedef struct ag_fk_spec {
    ag_column *column;
    ag_str spec;
    ag_column *target;
    bool link_to_name;
    bool absolute;
} ag_fk_spec;
/* c: kind, name, quote, columns … are read (arrays and strings are copied). A primary key replaces the one the table had, and marks its
 * columns; FOREIGN KEY: nfks of fks. Targets that are known already are resolved, and untyped columns take their types. */
ag_status ag_table_add_constraint(const ag_constraint **out, ag_table *t, const ag_constraint *c, const ag_fk_spec *fks,
                                  uint32_t nfks, ag_error *err) AG_NODISCARD;
/* Put a column of the table at place `to`; those between move by one. */
ag_status ag_table_move_column(ag_column *c, uint32_t to, ag_error *err) AG_NODISCARD;
/* Take a constraint (no foreign key) from its table; it lives on in memory. For a column that is replaced. */
void ag_table_remove_constraint(const ag_constraint *c);
/* CREATE TABLE writes the constraint for these dialects only (names are copied; none: for all); asks: when the host wants it, too. */
ag_status ag_constraint_restrict(const ag_constraint *c, const ag_str *dialects, uint32_t n, bool asks,
                                 ag_error *err) AG_NODISCARD;
/* Another name (copied; empty: none, but an index has one), quote as in the struct; the naming convention is not asked.
 * AG_EXC_ARGUMENT: an index without a name. */
ag_status ag_constraint_rename(const ag_constraint *c, ag_str name, int8_t quote, ag_error *err) AG_NODISCARD;
ag_status ag_index_rename(const ag_index *x, ag_str name, int8_t quote, ag_error *err) AG_NODISCARD;
ag_status ag_table_add_index(const ag_index **out, ag_table *t, const ag_index *spec, ag_error *err) AG_NODISCARD;
/* Decide table->autoincrement_column; after columns and keys are there. AG_EXC_ARGUMENT for autoincrement = true where it cannot be. */
ag_status ag_table_finish(ag_table *t, ag_error *err) AG_NODISCARD;

/* `on`, of the same MetaData, is created before t and dropped after it: what a view selects from. */
ag_status ag_table_depend(ag_table *t, ag_table *on, ag_error *err) AG_NODISCARD;

/* ---- sequences ---- */
/* spec: name, schema, quotes, type, optional, options are read. */
ag_status ag_sequence_new(ag_sequence **out, ag_metadata *m, const ag_sequence *spec, ag_error *err) AG_NODISCARD;

/* ---- order ---- */
/* tables in creation order (those referred to come first, otherwise by name) into order. alter[i], for i in 0 … *nalter-1:
 * foreign key constraints that must be added afterwards (use_alter, or part of a cycle). Memory of both from ar. Unresolvable
 * targets raise; tables not in the list are passed over. */
ag_status ag_tables_sort(ag_table **order, ag_table *const *tables, uint32_t n, const ag_constraint ***alter,
                         uint32_t *nalter, ag_arena *ar, ag_error *err) AG_NODISCARD;

#endif

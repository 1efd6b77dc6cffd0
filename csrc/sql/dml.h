/* INSERT, UPDATE, DELETE and upsert. Column names are resolved when the statement is built: an unknown one fails at
 * that line. */
#ifndef AG_SQL_DML_H
#define AG_SQL_DML_H

#include "sql/table.h"

/* table: TABLE, TABLE_CLAUSE (UPDATE, DELETE also ALIAS, JOIN); else AG_EXC_ARGUMENT. */
const ag_node *ag_insert(ag_builder *b, const ag_node *table);
const ag_node *ag_update(ag_builder *b, const ag_node *table);
const ag_node *ag_delete(ag_builder *b, const ag_node *table);

/* The column that a key names in a DML statement: a name of the table (NULL, err filled: "Unconsumed column names",
 * with the nearest
 * name). */
const ag_node *ag_dml_target(ag_builder *b, const ag_node *table, ag_str key);
/* One value for a column: a value becomes a BIND with the column's name and type. */
const ag_node *ag_dml_value(ag_builder *b, const ag_node *column, const ag_value *value);

/* values{…}: columns and values parallel; what is set already and named again is replaced, else appended in the order
 * of the table
 * (UPDATE with AG_DML_ORDERED: as given). */
const ag_node *ag_dml_values(ag_builder *b, const ag_node *stmt, const ag_node *const *columns,
                             const ag_node *const *values, size_t n);
/* Has the table's column a default of its own that an INSERT takes for a missing value? */
bool ag_dml_has_default(const ag_node *column);
/* values{{…}, {…}}: nrows * n, NULL where a row lacks a column (becomes DML_DEFAULT; all rows must have the first
 * row's columns, as in SQLAlchemy:
 * AG_EXC_COMPILE else). */
const ag_node *ag_insert_rows(ag_builder *b, const ag_node *insert, const ag_node *const *columns, size_t n,
                              const ag_node *const *values, size_t nrows);
const ag_node *ag_update_ordered(ag_builder *b, const ag_node *update, const ag_node *const *columns,
                                 const ag_node *const *values, size_t n);
const ag_node *ag_insert_from_select(ag_builder *b, const ag_node *insert, const ag_node *const *columns, size_t n,
                                     const ag_node *select, bool include_defaults);
const ag_node *ag_insert_inline(ag_builder *b, const ag_node *insert);
/* columns n 0: all. Sets AG_DML_RETURN_DEFAULTS. */
const ag_node *ag_dml_return_defaults(ag_builder *b, const ag_node *stmt, const ag_node *const *columns, size_t n,
                                      bool sort_by_parameters);
const ag_node *ag_dml_returning(ag_builder *b, const ag_node *stmt, const ag_node *const *columns, size_t n,
                                bool sort_by_parameters);

/* ins.excluded: the ALIAS whose columns are EXCLUDED's. */
const ag_node *ag_insert_excluded(ag_builder *b, const ag_node *insert);
typedef struct ag_conflict {
    ag_str constraint; /* a constraint's name, {NULL,0} none */
    const ag_node *const *index_elements;
    size_t nindex;
    const ag_node *index_where;
    bool update; /* DO UPDATE, else DO NOTHING */
    const ag_node *const *set_columns, *const *set_values;
    size_t nset;
    const ag_node *const *where;
    size_t nwhere;
} ag_conflict;
/* Behind the clause that the INSERT has: several are SQLite's, all but the last with index_elements. */
const ag_node *ag_on_conflict(ag_builder *b, const ag_node *insert, const ag_conflict *c);

#endif

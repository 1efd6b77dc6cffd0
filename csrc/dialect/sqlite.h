/* Private to the SQLite dialect: its DDL. */
#ifndef AG_DIALECT_SQLITE_H
#define AG_DIALECT_SQLITE_H

#include "compile/compiler.h"
#include "schema/created.h"

void ag_sqlite_default_text(ag_compiler *c, ag_str text);
void ag_sqlite_column_tail(ag_compiler *c, const ag_column *col);
bool ag_sqlite_omits(const ag_constraint *k);
void ag_sqlite_constraint_tail(ag_compiler *c, const ag_constraint *k);
void ag_sqlite_table_tail(ag_compiler *c, const ag_table *t);
void ag_sqlite_index_tail(ag_compiler *c, const ag_index *x);

/* parse_create of compile/dialect.h, as SQLite's grammar has it (sqlite.org/lang_createtable.html and its like). */
ag_status ag_sqlite_parse_create(ag_created **out, ag_arena *arena, ag_str sql, ag_error *err) AG_NODISCARD;

#endif

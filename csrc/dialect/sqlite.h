/* Private to the SQLite dialect: its DDL. */
#ifndef AG_DIALECT_SQLITE_H
#define AG_DIALECT_SQLITE_H

#include "compile/compiler.h"

void ag_sqlite_default_text(ag_compiler *c, ag_str text);
void ag_sqlite_column_tail(ag_compiler *c, const ag_column *col);
bool ag_sqlite_omits(const ag_constraint *k);
void ag_sqlite_constraint_tail(ag_compiler *c, const ag_constraint *k);
void ag_sqlite_table_tail(ag_compiler *c, const ag_table *t);
void ag_sqlite_index_tail(ag_compiler *c, const ag_index *x);

#endif

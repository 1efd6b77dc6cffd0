/* What the files of the SQLite dialect share. */
#ifndef AG_DIALECT_SQLITE_H
#define AG_DIALECT_SQLITE_H

#include "compile/compiler.h"

/* sqlite_ddl.c */
void ag_sqlite_column_tail(ag_compiler *c, const ag_column *col);
void ag_sqlite_table_tail(ag_compiler *c, const ag_table *t);

#endif

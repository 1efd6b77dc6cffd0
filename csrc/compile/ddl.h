/* Parts of DDL that dialects use too. Private to compile/ and dialect/. */
#ifndef AG_COMPILE_DDL_H
#define AG_COMPILE_DDL_H

#include "compile/compiler.h"

/* An expression in DDL: literals, columns without their table. */
void ag_ddl_expr(ag_compiler *c, const ag_node *e);
void ag_ddl_computed(ag_compiler *c, const ag_column *col);
void ag_ddl_column_name(ag_compiler *c, const ag_column *col);
/* A name of the user's, or one made by the naming convention, then cut where it is too long. */
void ag_ddl_name(ag_compiler *c, ag_str name, bool generated, int quote);
/* "DEFERRABLE INITIALLY …" */
void ag_ddl_deferrable(ag_compiler *c, const ag_constraint *k);
/* Options of a sequence, between before and after; nothing when there are none. */
void ag_ddl_identity_options(ag_compiler *c, const ag_identity_options *o, const char *before, const char *after);
/* A text option of words, spaces and the characters of extra only (never two dashes: a comment). */
void ag_ddl_words(ag_compiler *c, ag_str text, const char *extra);
/* A text option checked against words and spaces only. */
void ag_ddl_phrase(ag_compiler *c, ag_str text);

#endif

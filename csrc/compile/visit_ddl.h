/* What the DDL visitors and the dialects' own DDL share. Private to compile/ and dialect/. */
#ifndef AG_COMPILE_VISIT_DDL_H
#define AG_COMPILE_VISIT_DDL_H

#include "compile/visitors.h"
#include "schema/constraint.h"
#include <string.h>
#include <strings.h>

/* An identifier: the user's, or one that a naming convention made (cut with a hash where it is too long). */
void ag_ddl_name(ag_compiler *c, ag_str name, int quote, bool generated);
/* [schema.]name, the translate map applied. */
void ag_ddl_qualified(ag_compiler *c, ag_str schema, int quote_schema, ag_str name, int quote);
/* text when the element was made with if_exists / if_not_exists. */
void ag_ddl_if(ag_compiler *c, const ag_node *n, const char *text);
void ag_ddl_cascade(ag_compiler *c, const ag_node *n);
/* (a, b) */
void ag_ddl_column_names(ag_compiler *c, ag_column *const *columns, uint32_t n);
/* CONSTRAINT name PRIMARY KEY (…) … */
void ag_ddl_constraint(ag_compiler *c, const ag_constraint *k);
/* DEFAULT … of a column, with a blank before; nothing when it has none. */
void ag_ddl_default(ag_compiler *c, const ag_column *col);
void ag_ddl_identity_options(ag_compiler *c, const ag_identity_options *o);
/* INCLUDE (…) option of indexes and keys. */
void ag_ddl_include(ag_compiler *c, const ag_options *o);

#endif

/* DDL elements: nodes of class DDL over schema objects. They carry no text: compile/ writes it. Whoever keeps one keeps the
 * MetaData. All return NULL with b->err filled on failure; flags AG_DDL_*. */
#ifndef AG_SCHEMA_DDL_H
#define AG_SCHEMA_DDL_H

#include "schema/constraint.h"

/* skip: positions of constraints that an ALTER adds later. */
const ag_node *ag_ddl_create_table(ag_builder *b, const ag_table *t, const uint32_t *skip, size_t nskip,
                                   unsigned flags);
/* One column of a CREATE TABLE, as ag.CreateColumn(c) and in ag_visit_create_table; skip: as above. */
const ag_node *ag_ddl_create_column(ag_builder *b, const ag_column *c, const uint32_t *skip, size_t nskip,
                                    unsigned flags);
const ag_node *ag_ddl_drop_table(ag_builder *b, const ag_table *t, unsigned flags);
/* t stands for what is made; select: a SELECT, compound or VALUES. */
const ag_node *ag_ddl_create_view(ag_builder *b, const ag_table *t, const ag_node *select, unsigned flags);
const ag_node *ag_ddl_create_table_as(ag_builder *b, const ag_table *t, const ag_node *select, unsigned flags);
const ag_node *ag_ddl_drop_view(ag_builder *b, const ag_table *t, unsigned flags);
/* kind: AG_K_CREATE_INDEX, AG_K_DROP_INDEX */
const ag_node *ag_ddl_index(ag_builder *b, ag_kind kind, const ag_index *x, unsigned flags);
/* kind: AG_K_ADD_CONSTRAINT, AG_K_DROP_CONSTRAINT. Dropping one without a name: AG_EXC_COMPILE. */
const ag_node *ag_ddl_alter_constraint(ag_builder *b, ag_kind kind, const ag_constraint *c, unsigned flags);
/* kind: AG_K_CREATE_SCHEMA, AG_K_DROP_SCHEMA */
const ag_node *ag_ddl_schema(ag_builder *b, ag_kind kind, ag_str name, unsigned flags);
/* kind: AG_K_CREATE_SEQUENCE, AG_K_DROP_SEQUENCE */
const ag_node *ag_ddl_sequence(ag_builder *b, ag_kind kind, const ag_sequence *s, unsigned flags);
/* What a DOMAIN has besides its type; all may be absent. */
typedef struct ag_domain_extra {
    const ag_node *default_, *check;
    ag_str constraint_name;
} ag_domain_extra;
/* type: an Enum or DOMAIN with a name, else AG_EXC_ARGUMENT. extra may be NULL. */
const ag_node *ag_ddl_create_type(ag_builder *b, const ag_type *type, ag_str schema, const ag_domain_extra *extra,
                                  unsigned flags);
const ag_node *ag_ddl_drop_type(ag_builder *b, const ag_type *type, ag_str schema, unsigned flags);
/* comment {NULL,0}: dropped. */
const ag_node *ag_ddl_table_comment(ag_builder *b, const ag_table *t, ag_str comment);
const ag_node *ag_ddl_column_comment(ag_builder *b, const ag_column *c, ag_str comment);
const ag_node *ag_ddl_constraint_comment(ag_builder *b, const ag_constraint *c, ag_str comment);
const ag_node *ag_ddl_text(ag_builder *b, ag_str text);

#endif

/* What mapper.c and mapper_relation.c share: the registry's insides. */
#ifndef AG_ORM_MAPPER_PRIVATE_H
#define AG_ORM_MAPPER_PRIVATE_H

#include "base/vec.h"
#include "orm/session.h"
#include "sql/expr.h"
#include "sql/key.h"

struct ag_registry {
    size_t refs;
    const ag_alloc *alloc;
    ag_orm *orm;
    ag_arena arena;
    AG_VEC(ag_owner *) owners; /* of the tables that are mapped or named, each once */
    uint32_t next_order;
    bool nomem;
};

/* Hold a MetaData as long as the registry. */
ag_status ag_registry_hold(ag_registry *r, ag_owner *o, ag_error *err) AG_NODISCARD;
/* Copies into the arena; a node's tables are held. NULL gives NULL. */
ag_status ag_registry_str(ag_registry *r, ag_str *out, ag_str s, ag_error *err) AG_NODISCARD;
ag_status ag_registry_node(ag_registry *r, const ag_node **out, const ag_node *n, ag_error *err) AG_NODISCARD;
/* A builder whose nodes live in the arena. Clear it after use. */
void ag_registry_builder(ag_registry *r, ag_builder *b, ag_error *err);

#endif

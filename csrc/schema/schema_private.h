/* What csrc/schema keeps behind schema_data, and its small helpers. Private to csrc/schema. */
#ifndef AG_SCHEMA_PRIVATE_H
#define AG_SCHEMA_PRIVATE_H

#include "schema/metadata.h"

typedef struct table_data {
    const ag_constraint **constraints;
    uint32_t nconstraints;
    const ag_index **indexes;
    uint32_t nindexes;
    ag_str comment, fullname;
    ag_options options;
    ag_table **depends; /* tables that are created before this one, beside those of its foreign keys */
    uint32_t ndepends;
    bool published;
} table_data;

typedef struct column_data {
    ag_str comment;
    ag_options options;
} column_data;

static inline table_data *ag_table_data(const ag_table *t)
{
    return t->schema_data;
}

/* A copy in ar with a NUL behind it; {NULL,0} stays. False when out of memory. */
bool ag_schema_str(ag_arena *ar, ag_str *s);
/* Append item to an array of pointers in ar: arrays grow by doubling, the old one is left behind. */
bool ag_schema_push(ag_arena *ar, void *items, uint32_t *n, const void *item);
/* Deep copy of options; nodes are shared. */
bool ag_schema_options(ag_arena *ar, ag_options *o);

/* Find fk's target among m's tables. AG_OK with fk->target NULL when the table is not there; AG_EXC_NO_REFERENCED_COLUMN. */
ag_status ag_schema_resolve(ag_metadata *m, ag_fk *fk, ag_error *err) AG_NODISCARD;
/* fk's target is known: its column takes the target's type when it has none, and those that refer to that column, too. */
ag_status ag_schema_take_type(ag_metadata *m, ag_fk *fk, ag_error *err) AG_NODISCARD;

/* Another column takes the place of this one: forget the foreign keys that it is part of, turn those that refer to it. */
void ag_schema_replace_column(ag_table *t, const ag_column *column, ag_column *by);

#endif

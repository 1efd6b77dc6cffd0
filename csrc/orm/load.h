/* Loading: packed rows of a result into entity blocks. A column map says for each slot of a class which column of the row has it.
 * Finding objects in the identity map and making blocks is the host's; this is what happens inside a block. */
#ifndef AG_ORM_LOAD_H
#define AG_ORM_LOAD_H

#include "orm/session.h"

#define AG_NO_COLUMN UINT16_MAX

typedef struct ag_load_map {
    const ag_mapper *mapper;
    const uint16_t *cols; /* mapper->nslots entries: column of the row (from 0), AG_NO_COLUMN: not in it */
    bool whole;           /* the row is exactly the entity: cols[i] == i, and no other columns */
} ag_load_map;

/* cols is borrowed. ncols: columns of the row. */
void ag_load_map_init(ag_load_map *out, const ag_mapper *m, const uint16_t *cols, unsigned ncols);
/* Bytes that a block needs for the strings of this row. */
size_t ag_load_bytes(const ag_load_map *map, const ag_row *row);
/* Fill a block that ag_entity_init made, big enough: slots without a column are unloaded. State and stamp are the caller's. */
void ag_load_fill(const ag_load_map *map, ag_entity *e, const ag_row *row);
/* The identity in the row; false when it has none (an outer join's empty side, or the key was not selected). */
bool ag_load_key(const ag_load_map *map, ag_value *out, const ag_row *row);
/* Has the entity columns that are not loaded, not changed, and in the row? */
bool ag_load_wanted(const ag_load_map *map, const ag_entity *e);

#endif

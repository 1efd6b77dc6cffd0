/* Private to sql/: a map from node addresses to pointers that needs no memory for the few dozen nodes of a usual
 * statement. */
#ifndef AG_SQL_IDMAP_H
#define AG_SQL_IDMAP_H

#include "sql/node.h"

#define AG_IDMAP_LOCAL 32u

typedef struct ag_idmap_slot {
    const void *key; /* NULL: free */
    const void *value;
} ag_idmap_slot;

typedef struct ag_idmap {
    const ag_alloc *alloc;
    ag_idmap_slot *slots; /* NULL: the local ones, searched one by one */
    size_t len, cap;
    ag_idmap_slot local[AG_IDMAP_LOCAL];
} ag_idmap;

void ag_idmap_init(ag_idmap *m, const ag_alloc *alloc);
void ag_idmap_clear(ag_idmap *m);
/* The value of key, NULL when missing. */
const void *ag_idmap_get(const ag_idmap *m, const void *key);
/* Adds key → value unless key is there (*added false, its value kept). value must not be NULL. False when out of
 * memory. */
bool ag_idmap_put(ag_idmap *m, const void *key, const void *value, bool *added) AG_NODISCARD;

#endif

/* The flush as the binding runs it: gathering links before (lua_orm_gather.c), the operation with its callbacks and the moving
 * of states after it (lua_orm_flush.c). */
#ifndef AGL_LUA_ORM_FLUSH_H
#define AGL_LUA_ORM_FLUSH_H

#include "binding/lua_orm.h"

typedef struct gathering {
    ag_session *s;
    int sidx; /* where the session's box stands */
} gathering;

/* Fill session->links for all tracked objects; marks orphans. May raise; the next gathering starts afresh. */
void agl_gather(lua_State *L, int sidx);
/* Append the links of one relationship of tracked object `index`, which is at idx. */
void agl_gather_relation(lua_State *L, gathering *g, int idx, uint32_t index, unsigned relation);

#endif

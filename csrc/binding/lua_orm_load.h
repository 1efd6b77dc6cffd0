/* The insides of load plans (lua_orm_load.c). */
#ifndef AGL_LUA_ORM_LOAD_H
#define AGL_LUA_ORM_LOAD_H

#include "binding/lua_orm.h"
#include "orm/load.h"

/* One class that rows of an item may be. */
typedef struct plan_variant {
    ag_load_map map;
    uint16_t meta;       /* number of its metatable, from 1 */
    uint16_t key_column; /* of a key of one column, AG_NO_COLUMN else */
} plan_variant;

/* What a part of a row stands for: a column, or an object. */
typedef struct plan_item {
    plan_variant *variants; /* NULL: a column. [0] is the class asked for, then its subclasses */
    uint16_t nvariants;
    uint16_t column;
    uint16_t discriminator;      /* column, AG_NO_COLUMN none */
    uint16_t parent;             /* with relation: the item whose member this is */
    const ag_relation *relation; /* joined loading, NULL none */
    const ag_type *type;
    bool visible; /* the user gets it */
    bool collect; /* list the objects, each once */
} plan_item;

/* lua_orm_links.c */
void agl_open_orm_links(lua_State *L);

#endif

/* The ORM's half of the binding: classes, entities, collections, sessions. This header is shared by the lua_orm_*.c files.
 *
 * What is slow and rare (configuration, loader options, lazy loading, merge …) is written in Lua (lua/argent/orm) and called
 * through hooks, by number (agl_orm_hook). What runs for every object or attribute is here. */
#ifndef AGL_LUA_ORM_H
#define AGL_LUA_ORM_H

#include "binding/conv.h"
#include "binding/host.h"
#include "orm/session.h"

/* ---- the state's ORM ---- */

/* Lua functions that C calls. ORDER hook_names in lua_orm_state.c */
typedef enum agl_orm_hook_id {
    AGL_OH_CONFIGURE = 1, /* (class): configure all mappers before the first object is made */
    AGL_OH_REFRESH,       /* (object, attribute): load expired and deferred columns */
    AGL_OH_LAZY,          /* (object, attribute): load a relationship */
    AGL_OH_VALIDATE, /* (object, attribute, value, old) → value: validators and "set" listeners of a column or to-one link */
    AGL_OH_MEMBER,         /* (object, attribute, member, "append"|"remove") → member: the same for collections */
    AGL_OH_CLASS_INDEX,    /* (class, name) → value of User.name, made when it is first asked for */
    AGL_OH_DESCRIPTOR_GET, /* (object, descriptor, name) */
    AGL_OH_DESCRIPTOR_SET, /* (object, descriptor, name, value) */
    AGL_OH_INIT,           /* (object, arguments) → arguments: "init" listeners */
    AGL_OH_FLUSH,          /* (session): flush, called by autoflush */
    AGL_OH_EVENT,          /* (session, event number, object, connection): mapper events of a flush */
    AGL_OH_LOADED,         /* (session, list of objects, refresh): "load" and "refresh" listeners */
    AGL_OH_RELATION,       /* (session, objects, attribute): a flush needs a relationship of these objects */
    AGL_OH_JOIN,           /* (is it an outer join, select, arguments of join …) → select */
    AGL_OH_GET, /* (session, class, key, options, missing) → object or nil: session:get when the session does not have it; missing: the
                   key is plain, and nothing of that key is there */
    AGL_OH_INIT_SCALAR, /* (object, attribute) → value: read before it was ever set */
    AGL_OH_LARGE,       /* (object, attribute) → what stands for a write_only or dynamic collection */
    AGL_OH_KEYED,       /* (collection, owner, attribute, key) → member */
    AGL_OH_KEYED_SET,   /* (collection, owner, attribute, key, member or nil) */
    AGL_OH_ATTACH, /* (session, object): the save-update cascade of an append or assignment, when someone listens */
    AGL_OH_COLUMN, /* (session, objects, attribute): a flush needs a column of these objects */
    AGL_OH_COUNT
} agl_orm_hook_id;

/* One for a Lua state, in the registry. User values: 1 sessions by slot (weak), 2 hooks. */
typedef struct agl_orm {
    agl_box box;
    agl_state *st;
    ag_orm *orm;
    bool watch; /* somebody listens for objects that enter sessions */
} agl_orm;
agl_orm *agl_orm_get(lua_State *L);
/* Push the weak table of sessions by slot. */
void agl_orm_push_sessions(lua_State *L);
/* Remember that the FROM node `from` stands for the class or class alias at idx (weakly), and push what a node stands for
 * (nil: nothing). */
void agl_orm_register_from(lua_State *L, const ag_node *from, int idx);
int agl_orm_push_from(lua_State *L, const ag_node *from);
/* Push hook `id`; raises when argent.orm was not loaded. */
void agl_orm_hook(lua_State *L, agl_orm_hook_id id);

/* ---- classes ---- */

/* User values of a class. */
enum {
    AGL_CU_MEMBERS = 1, /* methods and plain values; inherits from the parent class's table */
    AGL_CU_META,        /* metatable of its entities */
    AGL_CU_ATTRS,       /* name → expression (User.name), made when first asked for */
    AGL_CU_NAMES,       /* name → attribute number; keeps the names interned */
    AGL_CU_DESCRIPTORS, /* name → descriptor (hybrid, synonym …); inherits too */
    AGL_CU_INFO,        /* what argent.orm keeps of the class (a Lua table) */
    AGL_CU_LAST = AGL_CU_INFO
};
typedef struct agl_name {
    const char *p; /* address of the interned string */
    uint16_t attr;
} agl_name;
typedef struct agl_mapper {
    agl_box box;         /* box and node as in agl_node: a class may stand where a FROM may */
    const ag_node *node; /* what a query selects from. Its address is the class's own: a TABLE node that is in the
                            columns clause of a statement and has this address means objects, not columns */
    agl_state *st;
    ag_registry *reg; /* counted */
    ag_mapper *m;     /* NULL after finalisation */
    agl_name *names;  /* open addressing by address */
    uint32_t mask;
    bool has_init; /* "init" listeners */
    bool has_long; /* some name is too long to be interned */
} agl_mapper;
typedef struct agl_registry {
    agl_box box;
    agl_state *st;
    ag_registry *reg;
} agl_registry;

/* Build the name table anew from the mapper's slots and relationships. The class is at idx. */
void agl_mapper_build_names(lua_State *L, agl_mapper *c, int idx);
void agl_open_orm_mapper(lua_State *L);
/* The class at idx; agl_class_check raises. */
agl_mapper *agl_mapper_test(lua_State *L, int idx);
agl_mapper *agl_mapper_check(lua_State *L, int arg);
/* Attribute number of a name, -1 when it is none. The name is at idx. */
int agl_mapper_attr(lua_State *L, const agl_mapper *c, int idx);
/* Push the class object of an entity (from its metatable); NULL and nothing pushed when idx is no entity. */
agl_mapper *agl_entity_push_class(lua_State *L, int idx);
/* Raise: User has no attribute 'nmae'; did you mean 'name'? name at idx. The class is at cidx. */
int agl_orm_unknown(lua_State *L, int cidx, int idx);

/* ---- entities ---- */

/* Do listeners or validators look at assignments of the attribute? */
static inline bool agl_is_validated(const ag_mapper *m, unsigned attr)
{
    if (attr < m->nslots)
        return (m->slots[attr].flags & AG_SLOT_VALIDATE) != 0;
    return (m->relations[attr - m->nslots]->flags & AG_REL_VALIDATE) != 0;
}
static inline ag_entity *agl_entity_test(lua_State *L, int idx)
{
    return agl_test(L, idx, AGL_K_ENTITY);
}
/* The entity at arg and its class's mapper; raises when it is none. */
ag_entity *agl_entity_check(lua_State *L, int arg, const ag_mapper **m);
/* Mapper of an entity known to be one; NULL when its registry was closed (lua_close is running). */
const ag_mapper *agl_entity_mapper(lua_State *L, int idx);
/* Push a new block of m for `bytes` bytes of strings; mt: stack index of the class's entity metatable. */
ag_entity *agl_entity_new(lua_State *L, const ag_mapper *m, size_t bytes, int mt);
/* Push the value of a loaded column. */
void agl_entity_push(lua_State *L, int idx, const ag_entity *e, const ag_mapper *m, unsigned slot);
/* Write the value at vidx into a column without any tracking: block or spill. Raises for what is no value. */
void agl_entity_write(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned slot, int vidx);
/* Make expiry visible: an entity whose session drew a new epoch loses what was loaded; one whose session is gone is
 * detached. */
void agl_entity_sync(lua_State *L, int idx, ag_entity *e, const ag_mapper *m);
/* Expire everything: as expire(x). Changes are lost (the caller untracks). */
void agl_entity_expire(lua_State *L, int idx, ag_entity *e, const ag_mapper *m);
static inline bool agl_entity_current(const ag_mapper *m, const ag_entity *e)
{
    return ag_entity_is_current(m->orm, e);
}
/* Push a new metatable for entities of the class at cidx, whose user values are set. */
void agl_entity_push_meta(lua_State *L, int cidx);
/* User{…}: a lua_CFunction; argument 1 the class, 2 the table. */
int agl_entity_construct(lua_State *L);
/* Spilled values: uservalue 1. key ≥ 0: slot's value; agl_old_key(attr): what the attribute was before its change. */
static inline lua_Integer agl_old_key(unsigned attr)
{
    return -1 - (lua_Integer)attr;
}
void agl_spill_set(lua_State *L, int idx, lua_Integer key, int vidx);
int agl_spill_push(lua_State *L, int idx, lua_Integer key); /* pushes one value, returns its type */
/* Uservalue number of a relationship. */
static inline int agl_link_uv(unsigned relation)
{
    return 2 + (int)relation;
}

/* ---- changes (lua_orm_change.c) ---- */
/* The object at idx is about to change attribute attr: remember what it was, track it, mark it. Returns with the bit dirty.
 * Old links must have been put aside by the caller. Raises on out of memory before anything was changed. */
void agl_orm_touch(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned attr);
/* object.attr = value (stack index vidx) for a column; validators are not run. */
void agl_orm_set_column(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned slot, int vidx);

/* ---- relationships (lua_orm_link.c, lua_orm_collection.c) ---- */
typedef struct agl_collection {
    agl_box box;       /* flags: AGL_COLL_* */
    uint16_t relation; /* index in the owner's mapper */
} agl_collection;
enum {
    AGL_LU_ITEMS = 1, /* table: the members, or the queued additions */
    AGL_LU_OWNER,
    AGL_LU_BEFORE,  /* table: members before the first change, or nil */
    AGL_LU_REMOVED, /* table: queued removals (unloaded), or nil */
    AGL_LU_LAST = AGL_LU_REMOVED
};
#define AGL_COLL_QUEUE 0x1u /* not loaded: ITEMS and REMOVED are changes to apply when it is */

/* Push object.relation when it is loaded (or can be told without SQL); false, nothing pushed: it must be loaded. */
bool agl_link_push(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned relation);
/* object.relation = value at vidx, with reverse sides, cascades and tracking. */
void agl_link_set(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned relation, int vidx);
/* The loader's word: members (a table at vidx, owned by the collection from now on) or the object at vidx (nil: none) are what the
 * database has. Queued changes are applied to a collection. */
void agl_link_loaded(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned relation, int vidx);
/* Push the collection of a list relationship, made (empty, loaded; or as a queue) when there is none. */
void agl_collection_push(lua_State *L, int idx, ag_entity *e, unsigned relation, bool queue);
/* Change the members of the collection at cidx of the owner at oidx: no events, no other sides. at: position, 0 = at the end. */
void agl_collection_raw_add(lua_State *L, int cidx, int oidx, ag_entity *e, const ag_mapper *m, int vidx,
                            lua_Integer at);
bool agl_collection_raw_remove(lua_State *L, int cidx, int oidx, ag_entity *e, const ag_mapper *m, int vidx);
void agl_collection_assign(lua_State *L, int oidx, ag_entity *e, const ag_mapper *m, const ag_relation *rel, int vidx);
/* Position of the value at vidx in the array at t, 0 when it is not there; push a copy of the array at t. */
lua_Integer agl_list_find(lua_State *L, int t, int vidx);
void agl_list_copy(lua_State *L, int t);
/* Push a fresh array of the members given at vidx (a table or a collection), each checked. */
void agl_collection_members(lua_State *L, const ag_mapper *m, const ag_relation *rel, int vidx);
/* The table at vidx is what the database has: the collection's from now on, with queued changes applied. */
void agl_collection_loaded(lua_State *L, int cidx, int vidx);
/* Add or take out a member without events, reverse sides or cascades, with tracking. */
void agl_link_raw_add(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned relation, int vidx);
void agl_link_raw_remove(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned relation, int vidx);
/* The other sides of a link from owner (idx) to member (vidx) that was made or cut. */
void agl_link_sync_add(lua_State *L, int idx, const ag_relation *rel, int vidx);
void agl_link_sync_remove(lua_State *L, int idx, const ag_relation *rel, int vidx);
/* Raise unless the value at vidx is an entity of the relationship's target class; ag.null and nil are the caller's. */
ag_entity *agl_link_check(lua_State *L, const ag_mapper *m, const ag_relation *rel, int vidx);
/* A pending member lost (or found) its delete-orphan parent. */
void agl_link_orphan(lua_State *L, const ag_relation *rel, int vidx, bool orphan);
/* save-update: the session of the owner takes the member in. */
void agl_link_cascade(lua_State *L, const ag_entity *owner, const ag_relation *rel, int vidx);

/* ---- sessions (lua_orm_session.c, lua_orm_identity.c, lua_orm_attach.c) ---- */
enum {
    AGL_SU_ANCHORS = 1, /* tracked index + 1 → object */
    AGL_SU_IDENTITY,    /* mapper id of the base class → weak table key → object */
    AGL_SU_INFO,        /* what argent.orm keeps of the session (a Lua table) */
    AGL_SU_LAST = AGL_SU_INFO
};
typedef struct agl_session {
    agl_box box;
    agl_state *st;
    ag_session *s;     /* NULL after finalisation */
    int self;          /* stack index of the session's box in the function that runs a core call (agl_session_enter) */
    bool half_moved;   /* a flush succeeded, but not the moving of its objects' states */
    uint32_t inserted; /* serial of the last segment in which a row was inserted */
} agl_session;
agl_session *agl_session_check(lua_State *L, int arg);
/* Push the living session of an entity; NULL, nothing pushed, when it has none. */
agl_session *agl_session_push(lua_State *L, const ag_mapper *m, const ag_entity *e);
/* A core call that may come back through agl_session_host follows: sidx is where the session's box stands in this function. */
void agl_session_enter(lua_State *L, int sidx);
/* Track the object at idx in the session at sidx and anchor it. Returns its index. */
uint32_t agl_session_track(lua_State *L, int sidx, int idx, ag_entity *e, const ag_mapper *m, uint32_t flags);
/* Objects are about to leave the session: a flush under way is broken off (ag_flush_break). Raises inside a function that a type or the
 * log calls, in the middle of a step: nothing may be taken away beneath that. */
void agl_session_leaving(lua_State *L, const agl_session *x);
/* Stop tracking and drop the anchor. */
void agl_session_untrack(lua_State *L, int sidx, ag_entity *e);
/* Push tracked object number index. */
void agl_session_push_tracked(lua_State *L, int sidx, uint32_t index);
/* session:add(object at idx): attaches it, and what it reaches by save-update. */
void agl_session_add(lua_State *L, int sidx, int idx);
/* Loses its changes: key cells as before, no dirty bits, no `before`. */
void agl_session_discard(lua_State *L, int sidx, int idx, ag_entity *e, const ag_mapper *m);
/* Out of the session, without cascades; to_transient: it never had a row. */
void agl_session_detach(lua_State *L, int sidx, int idx, ag_entity *e, const ag_mapper *m, bool to_transient);

/* The identity map. Push the object of a key, or nothing (false). */
bool agl_identity_push(lua_State *L, int sidx, const ag_mapper *m, const ag_value *pk);
/* Put the object at idx under its key; false when another object has it. */
bool agl_identity_put(lua_State *L, int sidx, int idx, const ag_mapper *m, const ag_value *pk);
void agl_identity_drop(lua_State *L, int sidx, const ag_mapper *m, const ag_value *pk);
/* Push the weak table of m's base class (made when missing). */
void agl_identity_table(lua_State *L, int sidx, const ag_mapper *m);
/* Push the key of pk in such a table; false, nothing pushed: it has none (NULL). */
bool agl_identity_key(lua_State *L, const ag_mapper *m, const ag_value *pk);
/* Calls fn for every object of the map; it may take the object out of the map. The object is at idx. */
void agl_identity_each(lua_State *L, int sidx,
                       void (*fn)(lua_State *L, int sidx, int idx, ag_entity *e, const ag_mapper *m, void *ud),
                       void *ud);
/* The key of the entity at idx (its old one after a change); spilled parts included. Values live while the stack keeps idx. */
void agl_entity_key(lua_State *L, int idx, const ag_entity *e, const ag_mapper *m, ag_value *pk);
#define AGL_MAX_KEY 32 /* columns of a primary key */

/* Append the members of the object's loaded relationships that have the cascade to the work list (a table of *n objects). */
void agl_links_enqueue(lua_State *L, int idx, const ag_mapper *m, unsigned cascade, int list, lua_Integer *n);
/* Every object of the session is detached, expired values are unloaded. Allocates nothing. */
void agl_session_let_go(lua_State *L, int sidx);

extern const ag_session_host agl_session_host;

/* Methods of Session that live in lua_orm_attach.c. */
int agl_session_m_add(lua_State *L);
int agl_session_m_add_all(lua_State *L);
int agl_session_m_delete(lua_State *L);
int agl_session_m_expunge(lua_State *L);
int agl_session_m_expire(lua_State *L);
int agl_session_m_contains(lua_State *L);
int agl_session_m_identity(lua_State *L);
int agl_session_m_identity_params(lua_State *L);
int agl_session_m_get(lua_State *L);
int agl_session_m_gone(lua_State *L);
int agl_session_m_rollback(lua_State *L);
int agl_session_m_committed(lua_State *L);
/* lua_orm_flush.c */
int agl_session_m_flush(lua_State *L);
int agl_session_m_flush_over(lua_State *L);
int agl_session_m_half_moved(lua_State *L);

/* select:join(User.posts): is a relationship among the arguments (from 2 on)? Then the call is agl_orm_join's: it returns the new
 * SELECT. flags: AG_JOIN_OUTER of the method. */
bool agl_orm_is_join(lua_State *L);
int agl_orm_join(lua_State *L, unsigned flags);

/* Classes among the arguments first … last of select(…), add_columns(…), returning(…) (a plain table of them too): pushes a table that says
 * which columns they stand for, together with what the statement at index stmt (0: none) says already, and returns its index; 0,
 * nothing pushed, when there is nothing to say. append: the columns come behind the statement's. Before agl_build_begin. */
int agl_orm_spans(lua_State *L, int first, int last, int stmt, bool append);
/* The statement with that table (0: as it is). */
struct agl_build;
const ag_node *agl_orm_spanned(struct agl_build *x, const ag_node *n, int table);

/* Parts, called by agl_open_orm. */
void agl_open_orm_class(lua_State *L);
void agl_open_orm_entity(lua_State *L);
void agl_open_orm_collection(lua_State *L);
void agl_open_orm_session(lua_State *L);
void agl_open_orm_load(lua_State *L);
void agl_open_orm_query(lua_State *L);
void agl_open_orm_attribute(lua_State *L);

#endif

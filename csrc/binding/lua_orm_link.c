/* Relationships of objects in memory: reading, assigning, and the other side (back_populates). Nothing here sends SQL; what is
 * not loaded is left to the lazy loader, or queued. */
#include "binding/lua_orm.h"
#include "binding/lua_node.h"

static unsigned attr_of(const ag_mapper *m, unsigned relation)
{
    return m->nslots + relation;
}

static bool is_loaded(const ag_mapper *m, const ag_entity *e, unsigned relation)
{
    return !ag_entity_is_unloaded(e, attr_of(m, relation));
}

static void set_loaded(const ag_mapper *m, ag_entity *e, unsigned relation)
{
    ag_bit_clear(ag_entity_unloaded(e), attr_of(m, relation));
}

/* ---- reading ---- */

/* A many-to-one onto the target's primary key: nil when the foreign key is NULL, else perhaps the identity map knows. */
static bool push_by_key(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, const ag_relation *rel)
{
    ag_value pk[16];
    const ag_mapper *t = rel->target;
    agl_session *s;
    bool found;
    if (t->npk > 16)
        return false;
    for (unsigned i = 0; i < rel->npairs; i++) {
        ag_value v;
        if (ag_entity_is_unloaded(e, rel->pairs[i].dest) || ag_entity_is_spilled(e, rel->pairs[i].dest))
            return false;
        ag_entity_get(&v, e, rel->pairs[i].dest);
        for (unsigned k = 0; k < t->npk; k++)
            if (t->pk[k] == rel->pairs[i].source)
                pk[k] = v;
        if (v.kind == AG_V_NULL) {
            lua_pushnil(L);
            return true;
        }
    }
    s = agl_session_push(L, m, e);
    if (!s)
        return false;
    found = agl_identity_push(L, lua_gettop(L), t, pk);
    if (found) {
        const ag_mapper *of = agl_entity_mapper(L, -1);
        found = of && ag_mapper_isa(of, t) && !(((ag_entity *)lua_touserdata(L, -1))->state & AG_ES_DELETED);
        if (!found)
            lua_pop(L, 1);
    }
    lua_remove(L, found ? -2 : -1);
    if (found) {
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, idx, agl_link_uv(rel->index));
        set_loaded(m, e, rel->index);
    }
    return found;
}

bool agl_link_push(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned relation)
{
    const ag_relation *rel = m->relations[relation];
    idx = lua_absindex(L, idx);
    if (is_loaded(m, e, relation)) {
        lua_getiuservalue(L, idx, agl_link_uv(relation));
        return true;
    }
    if (e->state & AG_ES_KEY)
        return rel->flags & AG_REL_GET && rel->lazy != AG_LAZY_RAISE && !(e->state & AG_ES_OWN_LOAD) &&
               push_by_key(L, idx, e, m, rel);
    if (rel->flags & AG_REL_LIST)
        agl_collection_push(L, idx, e, relation, false);
    else
        lua_pushnil(L);
    return true;
}

ag_entity *agl_link_check(lua_State *L, const ag_mapper *m, const ag_relation *rel, int vidx)
{
    ag_entity *v = agl_entity_test(L, vidx);
    const ag_mapper *of = v ? agl_entity_mapper(L, vidx) : NULL;
    if (!v)
        agl_error(L, AG_EXC_ARGUMENT, "%s.%s takes objects of class %s, not %s", m->name.p, rel->key.p,
                  rel->target->name.p, agl_describe(L, vidx, false));
    else if (!of || !ag_mapper_isa(of, rel->target))
        agl_error(L, AG_EXC_ARGUMENT, "%s.%s takes objects of class %s, not %s", m->name.p, rel->key.p,
                  rel->target->name.p, of ? of->name.p : "?");
    return v;
}

/* ---- one side, raw ---- */

/* Old target of a to-one link, put aside before its first change: the object, or false for none. */
static void keep_old(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned relation)
{
    unsigned attr = attr_of(m, relation);
    if (ag_entity_is_dirty(e, attr) || !(e->state & AG_ES_KEY) || !is_loaded(m, e, relation))
        return;
    if (lua_getiuservalue(L, idx, agl_link_uv(relation)) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushboolean(L, 0);
    }
    agl_spill_set(L, idx, agl_old_key(attr), -1);
    lua_pop(L, 1);
}

static void raw_set(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned relation, int vidx)
{
    idx = lua_absindex(L, idx);
    vidx = lua_absindex(L, vidx);
    keep_old(L, idx, e, m, relation);
    agl_orm_touch(L, idx, e, m, attr_of(m, relation));
    if (agl_is_null(L, vidx))
        lua_pushnil(L);
    else
        lua_pushvalue(L, vidx);
    lua_setiuservalue(L, idx, agl_link_uv(relation));
    set_loaded(m, e, relation);
}

void agl_link_raw_add(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned relation, int vidx)
{
    const ag_relation *rel = m->relations[relation];
    idx = lua_absindex(L, idx);
    vidx = lua_absindex(L, vidx);
    if (!agl_entity_current(m, e))
        agl_entity_sync(L, idx, e, m);
    if (rel->flags & AG_REL_LIST) {
        bool queue = !is_loaded(m, e, relation) && e->state & AG_ES_KEY;
        agl_collection_push(L, idx, e, relation, queue);
        agl_collection_raw_add(L, lua_gettop(L), idx, e, m, vidx, 0);
        lua_pop(L, 1);
        return;
    }
    if (agl_link_push(L, idx, e, m, relation)) { /* by the identity map, where it is not loaded: never by SQL */
        bool same = lua_rawequal(L, -1, vidx);
        int old = lua_gettop(L);
        if (!same && !lua_isnil(L, old))
            agl_link_sync_remove(L, idx, rel, old);
        lua_settop(L, old - 1);
        if (same)
            return;
    }
    raw_set(L, idx, e, m, relation, vidx);
}

void agl_link_raw_remove(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned relation, int vidx)
{
    const ag_relation *rel = m->relations[relation];
    idx = lua_absindex(L, idx);
    vidx = lua_absindex(L, vidx);
    if (!agl_entity_current(m, e))
        agl_entity_sync(L, idx, e, m);
    if (rel->flags & AG_REL_LIST) {
        bool queue = !is_loaded(m, e, relation) && e->state & AG_ES_KEY;
        agl_collection_push(L, idx, e, relation, queue);
        agl_collection_raw_remove(L, lua_gettop(L), idx, e, m, vidx);
        lua_pop(L, 1);
        return;
    }
    if (!is_loaded(m, e, relation)) {
        if (!(e->state & AG_ES_KEY))
            return;
    } else {
        bool same;
        lua_getiuservalue(L, idx, agl_link_uv(relation));
        same = lua_rawequal(L, -1, vidx);
        lua_pop(L, 1);
        if (!same)
            return;
    }
    lua_pushnil(L);
    raw_set(L, idx, e, m, relation, -1);
    lua_pop(L, 1);
}

/* ---- the other sides ---- */

void agl_link_sync_add(lua_State *L, int idx, const ag_relation *rel, int vidx)
{
    const ag_mapper *of;
    ag_entity *v;
    if (!rel->nreverse)
        return;
    v = lua_touserdata(L, vidx);
    of = agl_entity_mapper(L, vidx);
    for (unsigned i = 0; i < rel->nreverse; i++)
        if (of && ag_mapper_isa(of, rel->reverse[i]->parent))
            agl_link_raw_add(L, vidx, v, of, rel->reverse[i]->index, idx);
}

void agl_link_sync_remove(lua_State *L, int idx, const ag_relation *rel, int vidx)
{
    const ag_mapper *of;
    ag_entity *v;
    if (!rel->nreverse)
        return;
    v = lua_touserdata(L, vidx);
    of = agl_entity_mapper(L, vidx);
    for (unsigned i = 0; i < rel->nreverse; i++)
        if (of && ag_mapper_isa(of, rel->reverse[i]->parent))
            agl_link_raw_remove(L, vidx, v, of, rel->reverse[i]->index, idx);
}

void agl_link_cascade(lua_State *L, const ag_entity *owner, const ag_relation *rel, int vidx)
{
    ag_entity *v = lua_touserdata(L, vidx);
    if (!(rel->cascade & AG_CASCADE_SAVE_UPDATE) || !owner->stamp)
        return;
    if (v->stamp && ag_orm_session(rel->target->orm, v) == ag_orm_session(rel->target->orm, owner))
        return;
    vidx = lua_absindex(L, vidx);
    if (!agl_session_push(L, rel->target, owner))
        return;
    if (agl_orm_get(L)->watch) { /* listeners run at once; here they cannot yield */
        int s = lua_gettop(L);
        agl_orm_hook(L, AGL_OH_ATTACH);
        lua_pushvalue(L, s);
        lua_pushvalue(L, vidx);
        lua_call(L, 2, 0);
    } else
        agl_session_add(L, lua_gettop(L), vidx);
    lua_pop(L, 1);
}

/* ---- assignment ---- */

static void set_one(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, const ag_relation *rel, int vidx)
{
    bool none = lua_isnil(L, vidx) || agl_is_null(L, vidx);
    int old;
    if (!none)
        (void)agl_link_check(L, m, rel, vidx);
    if (!agl_link_push(L, idx, e, m, rel->index))
        lua_pushnil(L); /* not loaded: the old side is left to the flush */
    old = lua_gettop(L);
    if (is_loaded(m, e, rel->index) && (none ? lua_isnil(L, old) : lua_rawequal(L, old, vidx))) {
        lua_settop(L, old - 1);
        return;
    }
    raw_set(L, idx, e, m, rel->index, vidx);
    if (!lua_isnil(L, old))
        agl_link_sync_remove(L, idx, rel, old);
    lua_settop(L, old - 1);
    if (none)
        return;
    agl_link_sync_add(L, idx, rel, vidx);
    agl_link_cascade(L, e, rel, vidx);
}

void agl_link_set(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned relation, int vidx)
{
    const ag_relation *rel = m->relations[relation];
    luaL_checkstack(L, 20, "relationship");
    idx = lua_absindex(L, idx);
    vidx = lua_absindex(L, vidx);
    if (rel->flags & AG_REL_LIST)
        agl_collection_assign(L, idx, e, m, rel, vidx);
    else
        set_one(L, idx, e, m, rel, vidx);
}

void agl_link_loaded(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned relation, int vidx)
{
    const ag_relation *rel = m->relations[relation];
    idx = lua_absindex(L, idx);
    vidx = lua_absindex(L, vidx);
    if (rel->flags & AG_REL_LIST) {
        agl_collection_push(L, idx, e, relation, true);
        agl_collection_loaded(L, lua_gettop(L), vidx);
        lua_pop(L, 1);
    } else {
        lua_pushvalue(L, vidx);
        lua_setiuservalue(L, idx, agl_link_uv(relation));
    }
    set_loaded(m, e, relation);
}

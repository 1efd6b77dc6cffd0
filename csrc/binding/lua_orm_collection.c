/* Collections: what user.posts gives. A collection is a box with a table of members; its owner is a user value. It is handed out
 * loaded, so indexing, # and ipairs never send SQL. A collection of an object whose members were not loaded is a queue of changes until they
 * are. */
#include "binding/lua_orm.h"
#include <string.h>

/* ---- tables of members ---- */

/* Position of the value at vidx in the array at t, 0 when it is not there. */
lua_Integer agl_list_find(lua_State *L, int t, int vidx)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, t);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, t, i);
        bool same = lua_rawequal(L, -1, vidx);
        lua_pop(L, 1);
        if (same)
            return i;
    }
    return 0;
}

static void remove_at(lua_State *L, int t, lua_Integer at)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, t);
    for (; at < n; at++) {
        lua_rawgeti(L, t, at + 1);
        lua_rawseti(L, t, at);
    }
    lua_pushnil(L);
    lua_rawseti(L, t, n);
}

static void insert_at(lua_State *L, int t, lua_Integer at, int vidx)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, t);
    for (; n >= at; n--) {
        lua_rawgeti(L, t, n);
        lua_rawseti(L, t, n + 1);
    }
    lua_pushvalue(L, vidx);
    lua_rawseti(L, t, at);
}

void agl_list_copy(lua_State *L, int t)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, t);
    lua_createtable(L, n > INT32_MAX ? 0 : (int)n, 0);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, t, i);
        lua_rawseti(L, -2, i);
    }
}

/* Push a set (member → true) of the array at t. */
static void push_set(lua_State *L, int t)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, t);
    lua_newtable(L);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, t, i);
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
    }
}

static bool in_set(lua_State *L, int set, int vidx)
{
    bool in;
    lua_pushvalue(L, vidx);
    in = lua_rawget(L, set) != LUA_TNIL;
    lua_pop(L, 1);
    return in;
}

/* A pending member that its delete-orphan parent lets go of will not be inserted, unless a parent takes it in again. */
void agl_link_orphan(lua_State *L, const ag_relation *rel, int vidx, bool orphan)
{
    ag_entity *e = lua_touserdata(L, vidx);
    ag_session *s;
    if (!(rel->cascade & AG_CASCADE_DELETE_ORPHAN) || !e->track)
        return;
    s = ag_orm_session(rel->target->orm, e);
    if (s && s->tracked.items[e->track - 1].flags & AG_TR_NEW)
        ag_track_flags(s, e->track - 1, orphan ? 0 : AG_TR_ORPHAN, orphan ? AG_TR_ORPHAN : 0);
}

/* ---- collections ---- */

void agl_collection_push(lua_State *L, int idx, ag_entity *e, unsigned relation, bool queue)
{
    agl_collection *c;
    const ag_mapper *m;
    idx = lua_absindex(L, idx);
    if (lua_getiuservalue(L, idx, agl_link_uv(relation)) == LUA_TUSERDATA)
        return;
    lua_pop(L, 1);
    c = agl_box_new(L, AGL_K_COLLECTION, sizeof *c, AGL_LU_LAST);
    c->relation = (uint16_t)relation;
    c->box.flags = queue ? AGL_COLL_QUEUE : 0;
    lua_newtable(L);
    lua_setiuservalue(L, -2, AGL_LU_ITEMS);
    lua_pushvalue(L, idx);
    lua_setiuservalue(L, -2, AGL_LU_OWNER);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, idx, agl_link_uv(relation));
    if (queue)
        return;
    m = agl_entity_mapper(L, idx);
    ag_bit_clear(ag_entity_unloaded(e), m->nslots + relation);
}

/* The table of removals of a queue. */
static void push_removed(lua_State *L, int cidx)
{
    if (lua_getiuservalue(L, cidx, AGL_LU_REMOVED) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, cidx, AGL_LU_REMOVED);
}

/* Before the first change of a loaded collection of an object that has a row: keep what was. Then mark the owner. */
static void touch(lua_State *L, int cidx, int oidx, ag_entity *e, const ag_mapper *m)
{
    agl_collection *c = lua_touserdata(L, cidx);
    unsigned attr = m->nslots + (unsigned)c->relation;
    if (ag_entity_is_dirty(e, attr))
        return;
    if (e->state & AG_ES_KEY && !(c->box.flags & AGL_COLL_QUEUE)) {
        lua_getiuservalue(L, cidx, AGL_LU_ITEMS);
        agl_list_copy(L, lua_gettop(L));
        lua_setiuservalue(L, cidx, AGL_LU_BEFORE);
        lua_pop(L, 1);
    }
    agl_orm_touch(L, oidx, e, m, attr);
}

void agl_collection_raw_add(lua_State *L, int cidx, int oidx, ag_entity *e, const ag_mapper *m, int vidx,
                            lua_Integer at)
{
    agl_collection *c = lua_touserdata(L, cidx);
    int items;
    lua_Integer n;
    touch(L, cidx, oidx, e, m);
    agl_link_orphan(L, m->relations[c->relation], vidx, false);
    lua_getiuservalue(L, cidx, AGL_LU_ITEMS);
    items = lua_gettop(L);
    if (c->box.flags & AGL_COLL_QUEUE && lua_getiuservalue(L, cidx, AGL_LU_REMOVED) == LUA_TTABLE) {
        n = agl_list_find(L, items + 1, vidx);
        if (n) { /* it is in the database */
            remove_at(L, items + 1, n);
            lua_settop(L, items - 1);
            return;
        }
    }
    n = (lua_Integer)lua_rawlen(L, items);
    insert_at(L, items, at > 0 && at <= n ? at : n + 1, vidx);
    lua_settop(L, items - 1);
}

bool agl_collection_raw_remove(lua_State *L, int cidx, int oidx, ag_entity *e, const ag_mapper *m, int vidx)
{
    agl_collection *c = lua_touserdata(L, cidx);
    int items;
    lua_Integer at;
    lua_getiuservalue(L, cidx, AGL_LU_ITEMS);
    items = lua_gettop(L);
    at = agl_list_find(L, items, vidx);
    if (at || c->box.flags & AGL_COLL_QUEUE)
        touch(L, cidx, oidx, e, m);
    if (at) {
        remove_at(L, items, at);
        agl_link_orphan(L, m->relations[c->relation], vidx, true);
    } else if (c->box.flags & AGL_COLL_QUEUE) {
        push_removed(L, cidx);
        insert_at(L, items + 1, (lua_Integer)lua_rawlen(L, items + 1) + 1, vidx);
    }
    lua_settop(L, items - 1);
    return at != 0 || c->box.flags & AGL_COLL_QUEUE;
}

/* Queued changes go into the freshly loaded members at vidx. Stack top is kept. */
static void apply_queue(lua_State *L, int cidx, int vidx)
{
    int top = lua_gettop(L), set;
    lua_getiuservalue(L, cidx, AGL_LU_ITEMS);
    push_set(L, vidx);
    set = lua_gettop(L);
    for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, top + 1); i <= n; i++) {
        lua_rawgeti(L, top + 1, i);
        if (!in_set(L, set, set + 1))
            insert_at(L, vidx, (lua_Integer)lua_rawlen(L, vidx) + 1, set + 1);
        lua_settop(L, set);
    }
    if (lua_getiuservalue(L, cidx, AGL_LU_REMOVED) == LUA_TTABLE) {
        int removed = lua_gettop(L);
        for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, removed); i <= n; i++) {
            lua_rawgeti(L, removed, i);
            lua_Integer at = agl_list_find(L, vidx, removed + 1);
            if (at)
                remove_at(L, vidx, at);
            lua_settop(L, removed);
        }
    }
    lua_settop(L, top);
}

void agl_collection_loaded(lua_State *L, int cidx, int vidx)
{
    agl_collection *c = lua_touserdata(L, cidx);
    cidx = lua_absindex(L, cidx);
    vidx = lua_absindex(L, vidx);
    if (c->box.flags & AGL_COLL_QUEUE) {
        agl_list_copy(L, vidx);
        lua_setiuservalue(L, cidx, AGL_LU_BEFORE);
        apply_queue(L, cidx, vidx);
        c->box.flags &= (uint16_t)~AGL_COLL_QUEUE;
    } else {
        lua_pushnil(L);
        lua_setiuservalue(L, cidx, AGL_LU_BEFORE);
    }
    lua_pushvalue(L, vidx);
    lua_setiuservalue(L, cidx, AGL_LU_ITEMS);
    lua_pushnil(L);
    lua_setiuservalue(L, cidx, AGL_LU_REMOVED);
}

/* ---- assignment of a whole list ---- */

/* Push a fresh array of the members given at vidx (a table or a collection), each checked. */
void agl_collection_members(lua_State *L, const ag_mapper *m, const ag_relation *rel, int vidx)
{
    int t;
    if (agl_test(L, vidx, AGL_K_COLLECTION)) {
        lua_getiuservalue(L, vidx, AGL_LU_ITEMS);
        t = lua_gettop(L);
    } else if (lua_istable(L, vidx)) {
        lua_pushvalue(L, vidx);
        t = lua_gettop(L);
    } else {
        agl_error(L, AG_EXC_ARGUMENT, "%s.%s takes an array of objects of class %s, not %s", m->name.p, rel->key.p,
                  rel->target->name.p, agl_describe(L, vidx, false));
        return;
    }
    agl_list_copy(L, t);
    lua_remove(L, t);
    for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, t); i <= n; i++) {
        lua_rawgeti(L, t, i);
        (void)agl_link_check(L, m, rel, -1);
        lua_pop(L, 1);
    }
}

/* For each of the array at t that is not in the set: sync with the other side. */
static void sync_each(lua_State *L, int oidx, const ag_entity *e, const ag_relation *rel, int t, int set, bool add)
{
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, t); i++) {
        lua_rawgeti(L, t, i);
        if (!in_set(L, set, lua_gettop(L))) {
            agl_link_orphan(L, rel, lua_gettop(L), !add);
            if (add) {
                agl_link_sync_add(L, oidx, rel, lua_gettop(L));
                agl_link_cascade(L, e, rel, lua_gettop(L));
            } else
                agl_link_sync_remove(L, oidx, rel, lua_gettop(L));
        }
        lua_pop(L, 1);
    }
}

void agl_collection_assign(lua_State *L, int oidx, ag_entity *e, const ag_mapper *m, const ag_relation *rel, int vidx)
{
    int top = lua_gettop(L), cidx, old, now;
    luaL_checkstack(L, 20, "collection");
    agl_collection_members(L, m, rel, vidx);
    now = top + 1;
    agl_collection_push(L, oidx, e, rel->index, false);
    cidx = top + 2;
    touch(L, cidx, oidx, e, m);
    lua_getiuservalue(L, cidx, AGL_LU_ITEMS);
    agl_list_copy(L, top + 3);
    lua_remove(L, top + 3);
    old = top + 3;
    lua_pushvalue(L, now);
    lua_setiuservalue(L, cidx, AGL_LU_ITEMS);
    push_set(L, now);
    sync_each(L, oidx, e, rel, old, top + 4, false);
    push_set(L, old);
    sync_each(L, oidx, e, rel, now, top + 5, true);
    lua_settop(L, top);
}

/* Before a flush: what changed in the relationships of tracked objects, as ag_links for the core. Members are tracked while
 * they are named, so that indexes stand for them. */
#include "binding/lua_orm_flush.h"

/* Append a member to the session's link items; *n counts those that count. An object that is not in the session is left out. The
 * member is at the top, and popped. */
static void put_member(lua_State *L, gathering *g, uint32_t *n)
{
    ag_entity *e = agl_entity_test(L, -1);
    const ag_mapper *m = e ? agl_entity_mapper(L, -1) : NULL;
    if (m && ag_orm_session(m->orm, e) == g->s) {
        uint32_t index = agl_session_track(L, g->sidx, lua_gettop(L), e, m, 0);
        if (!ag_vec_push(&g->s->link_items, index))
            agl_error(L, AG_EXC_MEMORY, "out of memory");
        ++*n;
    }
    lua_pop(L, 1);
}

static uint32_t here(const gathering *g)
{
    return (uint32_t)g->s->link_items.len;
}

static void finish(lua_State *L, gathering *g, const ag_links *l)
{
    if (!l->nadded && !l->nremoved && !l->nkept && !(l->flags & AG_LINKS_LOADED))
        return;
    if (!ag_vec_push(&g->s->links, *l))
        agl_error(L, AG_EXC_MEMORY, "out of memory");
}

/* All of the array at t. */
static uint32_t put_all(lua_State *L, gathering *g, int t)
{
    uint32_t n = 0;
    for (lua_Integer i = 1, len = (lua_Integer)lua_rawlen(L, t); i <= len; i++) {
        lua_rawgeti(L, t, i);
        put_member(L, g, &n);
    }
    return n;
}

/* Those of the array at t that are (in true) or are not in the set at `set`. */
static uint32_t put_some(lua_State *L, gathering *g, int t, int set, bool in)
{
    uint32_t n = 0;
    for (lua_Integer i = 1, len = (lua_Integer)lua_rawlen(L, t); i <= len; i++) {
        lua_rawgeti(L, t, i);
        lua_pushvalue(L, -1);
        if ((lua_rawget(L, set) != LUA_TNIL) != in) {
            lua_pop(L, 2);
            continue;
        }
        lua_pop(L, 1);
        put_member(L, g, &n);
    }
    return n;
}

static void push_set_of(lua_State *L, int t)
{
    lua_newtable(L);
    for (lua_Integer i = 1, len = (lua_Integer)lua_rawlen(L, t); i <= len; i++) {
        lua_rawgeti(L, t, i);
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
    }
}

/* A changed collection: members now at items, members before at before. */
static void gather_diff(lua_State *L, gathering *g, ag_links *l, int items, int before)
{
    int top = lua_gettop(L);
    push_set_of(L, before);
    l->added = here(g);
    l->nadded = put_some(L, g, items, top + 1, false);
    l->kept = here(g);
    l->nkept = put_some(L, g, items, top + 1, true);
    push_set_of(L, items);
    l->removed = here(g);
    l->nremoved = put_some(L, g, before, top + 2, false);
    lua_settop(L, top);
}

/* The collection at cidx. whole: its members are all new (of a pending owner), or all kept. */
static void gather_collection(lua_State *L, gathering *g, ag_links *l, int cidx, bool is_new)
{
    const agl_collection *c = lua_touserdata(L, cidx);
    int items = lua_gettop(L) + 1;
    lua_getiuservalue(L, cidx, AGL_LU_ITEMS);
    if (c->box.flags & AGL_COLL_QUEUE) {
        l->added = here(g);
        l->nadded = put_all(L, g, items);
        if (lua_getiuservalue(L, cidx, AGL_LU_REMOVED) == LUA_TTABLE) {
            l->removed = here(g);
            l->nremoved = put_all(L, g, items + 1);
        }
    } else {
        l->flags |= AG_LINKS_LOADED;
        if (is_new) {
            l->added = here(g);
            l->nadded = put_all(L, g, items);
        } else if (lua_getiuservalue(L, cidx, AGL_LU_BEFORE) == LUA_TTABLE)
            gather_diff(L, g, l, items, items + 1);
        else {
            l->kept = here(g);
            l->nkept = put_all(L, g, items);
        }
    }
    lua_settop(L, items - 1);
}

/* A to-one link of the object at idx: value now and before. */
static void gather_one(lua_State *L, gathering *g, ag_links *l, int idx, unsigned attr, unsigned relation, bool is_new,
                       bool dirty)
{
    int top = lua_gettop(L);
    bool unknown = false;
    l->flags |= AG_LINKS_LOADED;
    lua_getiuservalue(L, idx, agl_link_uv(relation));
    if (is_new || !dirty) {
        uint32_t *n = is_new ? &l->nadded : &l->nkept;
        *(is_new ? &l->added : &l->kept) = here(g);
        put_member(L, g, n);
        return;
    }
    unknown = agl_spill_push(L, idx, agl_old_key(attr)) == LUA_TNIL;
    if (lua_rawequal(L, top + 1, top + 2) && !unknown) {
        lua_pop(L, 1);
        l->kept = here(g);
        put_member(L, g, &l->nkept);
        return;
    }
    l->removed = here(g);
    put_member(L, g, &l->nremoved);
    l->added = here(g);
    put_member(L, g, &l->nadded);
    if (unknown)
        l->flags |= AG_LINKS_UNKNOWN;
}

void agl_gather_relation(lua_State *L, gathering *g, int idx, uint32_t index, unsigned relation)
{
    const ag_tracked t = g->s->tracked.items[index];
    const ag_relation *rel = t.mapper->relations[relation];
    unsigned attr = t.mapper->nslots + relation;
    ag_links l = {.object = index, .relation = (uint16_t)relation};
    bool is_new = (t.flags & AG_TR_NEW) != 0;
    int top = lua_gettop(L);
    if (rel->flags & AG_REL_LIST) {
        if (lua_getiuservalue(L, idx, agl_link_uv(relation)) == LUA_TUSERDATA)
            gather_collection(L, g, &l, top + 1, is_new);
    } else if (!ag_entity_is_unloaded(t.entity, attr))
        gather_one(L, g, &l, idx, attr, relation, is_new, ag_entity_is_dirty(t.entity, attr));
    lua_settop(L, top);
    finish(L, g, &l);
}

/* All relationships of one tracked object that a flush must know. */
static void gather_object(lua_State *L, gathering *g, uint32_t index)
{
    const ag_tracked t = g->s->tracked.items[index];
    int idx;
    if (!t.entity || !t.mapper->nrelations || !(t.flags & (AG_TR_NEW | AG_TR_LINKS | AG_TR_DELETE)) ||
        t.flags & AG_TR_GONE)
        return;
    agl_session_push_tracked(L, g->sidx, index);
    idx = lua_gettop(L);
    for (unsigned r = 0; r < t.mapper->nrelations; r++) {
        unsigned attr = t.mapper->nslots + r;
        if (t.mapper->relations[r]->flags & AG_REL_VIEWONLY)
            continue;
        if (t.flags & AG_TR_LINKS && !(t.flags & (AG_TR_NEW | AG_TR_DELETE)) && !ag_entity_is_dirty(t.entity, attr))
            continue;
        agl_gather_relation(L, g, idx, index, r);
    }
    lua_settop(L, idx - 1);
}

/* A member that a delete-orphan parent let go of is to be deleted, unless another such parent took it in. */
static void mark_orphans(gathering *g)
{
    ag_session *s = g->s;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < s->links.len; i++) {
            const ag_links *l = &s->links.items[i];
            const ag_relation *rel = s->tracked.items[l->object].mapper->relations[l->relation];
            uint32_t first = pass ? l->added : l->removed, n = pass ? l->nadded : l->nremoved;
            if (!(rel->cascade & AG_CASCADE_DELETE_ORPHAN))
                continue;
            for (uint32_t k = first; k < first + n; k++)
                ag_track_flags(s, s->link_items.items[k], pass ? AG_TR_ORPHAN : 0, pass ? 0 : AG_TR_ORPHAN);
            for (uint32_t k = l->kept; pass && k < l->kept + l->nkept; k++)
                ag_track_flags(s, s->link_items.items[k], AG_TR_ORPHAN, 0);
        }
}

void agl_gather(lua_State *L, int sidx)
{
    agl_session *x = lua_touserdata(L, sidx);
    gathering g = {x->s, lua_absindex(L, sidx)};
    ag_session_clear_links(x->s);
    luaL_checkstack(L, 30, "flush");
    for (uint32_t i = 0; i < x->s->tracked.len; i++)
        gather_object(L, &g, i);
    mark_orphans(&g);
}

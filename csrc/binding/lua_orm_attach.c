/* Objects entering and leaving sessions: add, delete, expunge, expire, and what a rollback does to them. Cascades run through a
 * work list, never by recursion: graphs may be as deep as they like. */
#include "binding/lua_orm.h"

/* ---- the save-update work list ---- */

static const char *class_name(const ag_mapper *m)
{
    return m->name.p;
}

static int in_other_session(lua_State *L, const ag_mapper *m)
{
    return agl_error(L, AG_EXC_INVALID_REQUEST,
                     "Object <%s> is already attached to another session: expunge it there, or use session:merge",
                     class_name(m));
}

/* An object with a row that is in no session: into the identity map. */
static void attach_detached(lua_State *L, int sidx, int idx, ag_entity *e, const ag_mapper *m)
{
    agl_session *x = lua_touserdata(L, sidx);
    ag_value pk[AGL_MAX_KEY];
    agl_entity_key(L, idx, e, m, pk);
    if (!agl_identity_put(L, sidx, idx, m, pk)) {
        agl_error(
            L, AG_EXC_INVALID_REQUEST,
            "Can't attach instance <%s>; another instance with the same key is already present in this session: use "
            "session:merge",
            class_name(m));
        return;
    }
    e->stamp = ag_session_stamp(x->s);
    if (ag_entity_any_dirty(e))
        (void)agl_session_track(L, sidx, idx, e, m, AG_TR_DIRTY | AG_TR_LINKS);
}

/* Put one object into the session. True when it was not in it before (its links are to be followed). */
static bool attach(lua_State *L, int sidx, int idx, ag_entity *e, const ag_mapper *m)
{
    agl_session *x = lua_touserdata(L, sidx);
    ag_session *now = ag_orm_session(m->orm, e);
    if (now && now != x->s) {
        (void)in_other_session(L, m);
        return false;
    }
    if (e->state & (AG_ES_DELETED | AG_ES_WAS_DELETED))
        agl_error(
            L, AG_EXC_INVALID_REQUEST,
            "Instance <%s> has been deleted. Use ag.make_transient to send this object back to the transient state",
            class_name(m));
    if (now) {
        if (e->track && x->s->tracked.items[e->track - 1].flags & AG_TR_DELETE)
            ag_track_flags(x->s, e->track - 1, AG_TR_DELETE, 0);
        return false;
    }
    if (e->stamp)
        agl_entity_sync(L, idx, e, m); /* of a session that is gone */
    if (e->state & AG_ES_KEY)
        attach_detached(L, sidx, idx, e, m);
    else {
        (void)agl_session_track(L, sidx, idx, e, m, AG_TR_NEW);
        e->stamp = ag_session_stamp(x->s);
    }
    return true;
}

/* Put the object at the top onto the work list at `list` (and pop it). */
static void enqueue(lua_State *L, int list, lua_Integer *n)
{
    lua_rawseti(L, list, ++*n);
}

static void add_member(lua_State *L, int sidx, int list, lua_Integer *n)
{
    ag_entity *e = agl_entity_test(L, -1);
    const ag_mapper *m = e ? agl_entity_mapper(L, -1) : NULL;
    if (m && !(e->stamp && ag_orm_session(m->orm, e) == ((agl_session *)lua_touserdata(L, sidx))->s) &&
        attach(L, sidx, lua_gettop(L), e, m) && m->nrelations)
        enqueue(L, list, n);
    else
        lua_pop(L, 1);
}

/* Members of one loaded relationship. The value (object or collection) is at the top, and popped. */
static void add_members(lua_State *L, int sidx, int list, lua_Integer *n)
{
    int top = lua_gettop(L);
    if (!agl_test(L, -1, AGL_K_COLLECTION)) {
        add_member(L, sidx, list, n);
        return;
    }
    lua_getiuservalue(L, top, AGL_LU_ITEMS);
    for (lua_Integer i = 1, len = (lua_Integer)lua_rawlen(L, top + 1); i <= len; i++) {
        lua_rawgeti(L, top + 1, i);
        add_member(L, sidx, list, n);
    }
    lua_settop(L, top - 1);
}

static void add_links(lua_State *L, int sidx, int idx, const ag_mapper *m, int list, lua_Integer *n)
{
    for (unsigned r = 0; r < m->nrelations; r++) {
        if (!(m->relations[r]->cascade & AG_CASCADE_SAVE_UPDATE))
            continue;
        if (lua_getiuservalue(L, idx, agl_link_uv(r)) == LUA_TUSERDATA)
            add_members(L, sidx, list, n);
        else
            lua_pop(L, 1);
    }
}

void agl_session_add(lua_State *L, int sidx, int idx)
{
    const ag_mapper *m;
    ag_entity *e = lua_touserdata(L, idx);
    int list;
    lua_Integer n = 0;
    idx = lua_absindex(L, idx);
    sidx = lua_absindex(L, sidx);
    m = agl_entity_mapper(L, idx);
    if (!m)
        return;
    luaL_checkstack(L, 20, "session");
    (void)attach(L, sidx, idx, e, m);
    if (!m->nrelations)
        return;
    lua_newtable(L);
    list = lua_gettop(L);
    add_links(L, sidx, idx, m, list, &n);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, list, i);
        m = agl_entity_mapper(L, list + 1);
        if (m)
            add_links(L, sidx, list + 1, m, list, &n);
        lua_settop(L, list);
    }
    lua_settop(L, list - 1);
}

int agl_session_m_add(lua_State *L)
{
    const ag_mapper *m;
    (void)agl_session_check(L, 1);
    agl_check_top(L, 2);
    (void)agl_entity_check(L, 2, &m);
    agl_session_add(L, 1, 2);
    return 0;
}

int agl_session_m_add_all(lua_State *L)
{
    lua_Integer n;
    (void)agl_session_check(L, 1);
    agl_check_top(L, 2);
    if (agl_test(L, 2, AGL_K_COLLECTION)) {
        lua_getiuservalue(L, 2, AGL_LU_ITEMS);
        lua_replace(L, 2);
    }
    agl_check_table(L, 2);
    n = (lua_Integer)lua_rawlen(L, 2);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, 2, i);
        if (!agl_entity_test(L, 3))
            return agl_argerror(L, 2, "item %d: expected a mapped object, got %s", (int)i, agl_describe(L, 3, false));
        agl_session_add(L, 1, 3);
        lua_settop(L, 2);
    }
    return 0;
}

/* ---- delete ---- */

int agl_session_m_delete(lua_State *L)
{
    agl_session *x = agl_session_check(L, 1);
    const ag_mapper *m;
    ag_entity *e;
    agl_check_top(L, 2);
    e = agl_entity_check(L, 2, &m);
    if (!(e->state & AG_ES_KEY))
        return agl_error(L, AG_EXC_INVALID_REQUEST,
                         "Instance <%s> is not persisted: it has no row to delete (session:expunge takes a "
                         "pending object out)",
                         class_name(m));
    if (e->state & AG_ES_DELETED && ag_orm_session(m->orm, e) == x->s)
        return 0;
    (void)attach(L, 1, 2, e, m);
    (void)agl_session_track(L, 1, 2, e, m, AG_TR_DELETE);
    return 0;
}

/* ---- leaving ---- */

void agl_session_discard(lua_State *L, int sidx, int idx, ag_entity *e, const ag_mapper *m)
{
    agl_session *x = lua_touserdata(L, sidx);
    ag_tracked *t;
    if (!e->track)
        return;
    t = &x->s->tracked.items[e->track - 1];
    if (t->before) {
        ag_value v;
        for (unsigned i = 0; i < m->npk; i++) {
            ag_row_get(&v, t->before, m->pk[i]);
            if (v.kind == AG_V_HOST) {
                (void)agl_spill_push(L, idx, agl_old_key(m->pk[i]));
                if (!lua_isnil(L, -1))
                    agl_entity_write(L, idx, e, m, m->pk[i], -1);
                lua_pop(L, 1);
            } else if (ag_entity_is_dirty(e, m->pk[i]) && !ag_entity_put(e, m->pk[i], &v)) {
                agl_push_value(L, &v, NULL, NULL);
                agl_entity_write(L, idx, e, m, m->pk[i], -1);
                lua_pop(L, 1);
            }
        }
    }
    t->before = NULL;
    ag_track_flags(x->s, e->track - 1, AG_TR_DIRTY | AG_TR_LINKS | AG_TR_ORPHAN, 0);
    if (!(t->flags & (AG_TR_NEW | AG_TR_DELETE | AG_TR_GONE | AG_TR_KEYED)) && !x->s->flushing)
        agl_session_untrack(L, sidx, e);
}

void agl_session_detach(lua_State *L, int sidx, int idx, ag_entity *e, const ag_mapper *m, bool to_transient)
{
    ag_value pk[AGL_MAX_KEY];
    if (e->track)
        agl_session_leaving(L, lua_touserdata(L, sidx));
    if (!agl_entity_current(m, e))
        agl_entity_sync(L, idx, e, m);
    if (e->state & AG_ES_KEY) {
        agl_entity_key(L, idx, e, m, pk);
        if (agl_identity_push(L, sidx, m, pk)) {
            bool same = lua_rawequal(L, -1, idx);
            lua_pop(L, 1);
            if (same)
                agl_identity_drop(L, sidx, m, pk);
        }
    }
    agl_session_untrack(L, sidx, e);
    e->stamp = 0;
    if (to_transient) {
        e->state &= (uint16_t) ~(AG_ES_KEY | AG_ES_DELETED | AG_ES_WAS_DELETED);
        e->born = 0;
        for (unsigned i = 0; i < m->nslots; i++)
            if (!ag_entity_is_unloaded(e, i) && ag_row_kinds(ag_entity_row(e))[i] != AG_V_NULL)
                ag_bit_set(ag_entity_dirty(e), i);
    } else if (e->state & AG_ES_DELETED)
        e->state = (uint16_t)((e->state & ~AG_ES_DELETED) | AG_ES_WAS_DELETED);
}

/* Detach the object at idx and what it reaches by the expunge cascade. */
static void expunge(lua_State *L, int sidx, int idx)
{
    agl_session *x = lua_touserdata(L, sidx);
    int list;
    lua_newtable(L);
    list = lua_gettop(L);
    lua_pushvalue(L, idx);
    lua_rawseti(L, list, 1);
    for (lua_Integer i = 1, n = 1; i <= n; i++) {
        ag_entity *e;
        const ag_mapper *m;
        lua_rawgeti(L, list, i);
        e = agl_entity_test(L, list + 1);
        m = e ? agl_entity_mapper(L, list + 1) : NULL;
        if (m && ag_orm_session(m->orm, e) == x->s) {
            agl_session_detach(L, sidx, list + 1, e, m, false);
            agl_links_enqueue(L, list + 1, m, AG_CASCADE_EXPUNGE, list, &n);
        }
        lua_settop(L, list);
    }
    lua_settop(L, list - 1);
}

/* Append the members of loaded relationships with `cascade` to the work list. */
void agl_links_enqueue(lua_State *L, int idx, const ag_mapper *m, unsigned cascade, int list, lua_Integer *n)
{
    int top = lua_gettop(L);
    for (unsigned r = 0; r < m->nrelations; r++) {
        if (!(m->relations[r]->cascade & cascade))
            continue;
        if (lua_getiuservalue(L, idx, agl_link_uv(r)) == LUA_TUSERDATA) {
            if (agl_test(L, -1, AGL_K_COLLECTION)) {
                lua_getiuservalue(L, -1, AGL_LU_ITEMS);
                for (lua_Integer i = 1, len = (lua_Integer)lua_rawlen(L, top + 2); i <= len; i++) {
                    lua_rawgeti(L, top + 2, i);
                    enqueue(L, list, n);
                }
            } else
                enqueue(L, list, n);
        }
        lua_settop(L, top);
    }
}

static ag_entity *check_member(lua_State *L, const ag_mapper **m)
{
    agl_session *x = agl_session_check(L, 1);
    ag_entity *e = agl_entity_check(L, 2, m);
    if (ag_orm_session((*m)->orm, e) != x->s)
        agl_error(L, AG_EXC_INVALID_REQUEST, "Instance <%s> is not present in this Session", class_name(*m));
    return e;
}

int agl_session_m_expunge(lua_State *L)
{
    const ag_mapper *m;
    (void)check_member(L, &m);
    agl_check_top(L, 2);
    expunge(L, 1, 2);
    return 0;
}

int agl_session_m_contains(lua_State *L)
{
    agl_session *x = agl_session_check(L, 1);
    const ag_mapper *m;
    ag_entity *e = agl_entity_check(L, 2, &m);
    lua_pushboolean(L, ag_orm_session(m->orm, e) == x->s && !(e->state & AG_ES_DELETED));
    return 1;
}

/* ---- expire ---- */

static void expire_one(lua_State *L, int sidx, int idx, ag_entity *e, const ag_mapper *m, unsigned attr)
{
    agl_session *x = lua_touserdata(L, sidx);
    if (attr < m->nslots && ag_entity_is_dirty(e, attr) && m->slots[attr].flags & AG_SLOT_PK)
        agl_session_discard(L, sidx, idx, e, m);
    ag_bit_set(ag_entity_unloaded(e), attr);
    ag_bit_clear(ag_entity_dirty(e), attr);
    if (attr >= m->nslots) {
        lua_pushnil(L);
        lua_setiuservalue(L, idx, agl_link_uv(attr - m->nslots));
    }
    if (e->track && !ag_entity_any_dirty(e) && x->s->tracked.items[e->track - 1].flags & AG_TR_DIRTY)
        agl_session_discard(L, sidx, idx, e, m);
}

/* session:expire(object [, names]) */
int agl_session_m_expire(lua_State *L)
{
    const ag_mapper *m;
    ag_entity *e = check_member(L, &m);
    agl_mapper *c;
    agl_check_top(L, 3);
    if (!(e->state & AG_ES_KEY))
        return agl_error(L, AG_EXC_INVALID_REQUEST, "Instance <%s> is not persistent within this Session",
                         class_name(m));
    lua_settop(L, 3);
    if (!agl_entity_current(m, e))
        agl_entity_sync(L, 2, e, m);
    if (lua_isnil(L, 3)) {
        agl_session_discard(L, 1, 2, e, m);
        agl_entity_expire(L, 2, e, m);
        return 0;
    }
    agl_check_table(L, 3);
    c = agl_entity_push_class(L, 2);
    for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, 3); c && i <= n; i++) {
        int attr;
        lua_rawgeti(L, 3, i);
        attr = agl_mapper_attr(L, c, 5);
        if (attr < 0)
            return agl_orm_unknown(L, 4, 5);
        expire_one(L, 1, 2, e, m, (unsigned)attr);
        lua_settop(L, 4);
    }
    return 0;
}

/* ---- the identity map from Lua ---- */

/* session:_identity(class, key value …) → object or nil; the second result says that the key was complete */
int agl_session_m_identity(lua_State *L)
{
    agl_session *x = agl_session_check(L, 1);
    agl_mapper *c = agl_mapper_check(L, 2);
    ag_value pk[AGL_MAX_KEY];
    int n = lua_gettop(L) - 2;
    if (n != c->m->npk)
        return agl_error(L, AG_EXC_INVALID_REQUEST,
                         "Incorrect number of values in identifier to formulate primary key for session:get: "
                         "%s has %d, got %d",
                         class_name(c->m), (int)c->m->npk, n);
    for (int i = 0; i < n; i++)
        if (!agl_tovalue(L, 3 + i, &pk[i]))
            return agl_argerror(L, 3, "expected a primary key value, got %s", agl_describe(L, 3 + i, false));
    if (!agl_identity_push(L, 1, c->m, pk)) {
        lua_pushnil(L);
        return 1;
    }
    ag_entity *e = lua_touserdata(L, -1);
    const ag_mapper *m = agl_entity_mapper(L, -1);
    if (!m || !ag_mapper_isa(m, c->m) || e->state & AG_ES_DELETED || ag_entity_session_id(e) != x->s->id)
        lua_pushnil(L);
    return 1;
}

static int get_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)L;
    (void)status;
    (void)ctx;
    return 1;
}

typedef enum known { KNOWN, KNOWN_MISSING, KNOWN_UNSURE } known;

/* The object of a plain one-column key when the session has it, current. MISSING: it has none of that key; UNSURE: Lua must look.
 * Stack: session, class, key */
static known push_known(lua_State *L, const agl_session *x)
{
    agl_mapper *c = agl_mapper_test(L, 2);
    const ag_mapper *m;
    ag_entity *e;
    ag_value pk;
    int type = lua_type(L, 3);
    if (!c || !c->m || c->m->npk != 1 || (type != LUA_TNUMBER && type != LUA_TSTRING) || !agl_tovalue(L, 3, &pk))
        return KNOWN_UNSURE;
    if (!agl_identity_push(L, 1, c->m, &pk))
        return KNOWN_MISSING;
    e = lua_touserdata(L, -1);
    m = agl_entity_mapper(L, -1);
    return m && ag_mapper_isa(m, c->m) && e->stamp == ag_session_stamp(x->s) && !(e->state & AG_ES_DELETED) &&
                   !ag_entity_is_unloaded(e, m->pk[0])
               ? KNOWN
               : KNOWN_UNSURE;
}

/* session:get(class, key [, options]) */
int agl_session_m_get(lua_State *L)
{
    agl_session *x = agl_session_check(L, 1);
    agl_check_top(L, 4);
    lua_settop(L, 4);
    known found = lua_isnil(L, 4) ? push_known(L, x) : KNOWN_UNSURE;
    if (found == KNOWN)
        return 1;
    lua_settop(L, 4);
    lua_pushboolean(L, found == KNOWN_MISSING);
    agl_orm_hook(L, AGL_OH_GET);
    lua_insert(L, 1);
    lua_callk(L, 5, 1, 0, get_k);
    return 1;
}

/* session:_identity_params(class, relationship, object) → the object of the session that a many-to-one's foreign key names, or nil */
int agl_session_m_identity_params(lua_State *L)
{
    const ag_mapper *m;
    ag_entity *e;
    const ag_relation *rel;
    size_t n;
    const char *key = agl_check_string(L, 3, &n);
    ag_value pk[AGL_MAX_KEY];
    (void)agl_session_check(L, 1);
    e = agl_entity_check(L, 4, &m);
    rel = ag_mapper_relation(m, key, n);
    if (!rel || !(rel->flags & AG_REL_GET) || rel->target->npk > AGL_MAX_KEY)
        return 0;
    for (unsigned i = 0; i < rel->npairs; i++)
        for (unsigned k = 0; k < rel->target->npk; k++)
            if (rel->target->pk[k] == rel->pairs[i].source) {
                agl_entity_push(L, 4, e, m, rel->pairs[i].dest); /* stays on the stack: the key borrows it */
                if (!agl_tovalue(L, -1, &pk[k]))
                    return 0;
            }
    if (!agl_identity_push(L, 1, rel->target, pk))
        return 0;
    e = lua_touserdata(L, -1);
    m = agl_entity_mapper(L, -1);
    return m && ag_mapper_isa(m, rel->target) && !(e->state & AG_ES_DELETED) ? 1 : 0;
}

/* session:_gone(object): its row was deleted by a statement */
int agl_session_m_gone(lua_State *L)
{
    const ag_mapper *m;
    ag_entity *e = check_member(L, &m);
    agl_session *x = agl_session_check(L, 1);
    ag_value pk[AGL_MAX_KEY];
    uint32_t index;
    if (!(e->state & AG_ES_KEY) || e->state & AG_ES_DELETED)
        return 0;
    agl_session_discard(L, 1, 2, e, m);
    agl_entity_key(L, 2, e, m, pk);
    agl_identity_drop(L, 1, m, pk);
    index = agl_session_track(L, 1, 2, e, m, 0);
    ag_track_flags(x->s, index, AG_TR_DELETE | AG_TR_DIRTY, AG_TR_GONE);
    x->s->tracked.items[index].serial = x->s->serial;
    e->state |= AG_ES_DELETED;
    return 0;
}

/* ---- rollback ---- */

typedef struct rolling {
    uint32_t serial;
} rolling;

static void roll_inserted(lua_State *L, int sidx, int idx, ag_entity *e, const ag_mapper *m, void *ud)
{
    const rolling *r = ud;
    if (e->born >= r->serial && e->state & AG_ES_KEY)
        agl_session_detach(L, sidx, idx, e, m, true);
}

/* Undo a flushed DELETE. */
static void roll_gone(lua_State *L, int sidx, int idx, ag_entity *e, const ag_mapper *m)
{
    ag_value pk[AGL_MAX_KEY];
    e->state &= (uint16_t)~AG_ES_DELETED;
    agl_entity_key(L, idx, e, m, pk);
    agl_session_untrack(L, sidx, e);
    (void)agl_identity_put(L, sidx, idx, m, pk);
}

static void roll_key(lua_State *L, int sidx, int idx, ag_entity *e, const ag_mapper *m)
{
    agl_session *x = lua_touserdata(L, sidx);
    ag_tracked *t = &x->s->tracked.items[e->track - 1];
    ag_value pk[AGL_MAX_KEY];
    ag_entity_key(pk, m, e, NULL);
    agl_identity_drop(L, sidx, m, pk);
    for (unsigned i = 0; i < m->npk; i++)
        ag_bit_set(ag_entity_dirty(e), m->pk[i]); /* so that discard puts the old value back */
    ag_track_flags(x->s, e->track - 1, AG_TR_KEYED, 0);
    (void)t;
    agl_session_discard(L, sidx, idx, e, m);
    agl_entity_key(L, idx, e, m, pk);
    (void)agl_identity_put(L, sidx, idx, m, pk);
}

static void roll_tracked(lua_State *L, int sidx, uint32_t index, uint32_t serial)
{
    agl_session *x = lua_touserdata(L, sidx);
    ag_tracked t = x->s->tracked.items[index];
    int idx;
    if (!t.entity)
        return;
    agl_session_push_tracked(L, sidx, index);
    idx = lua_gettop(L);
    if (t.flags & AG_TR_NEW)
        agl_session_detach(L, sidx, idx, t.entity, t.mapper, true);
    else if (t.flags & AG_TR_GONE && t.serial >= serial) {
        if (t.entity->born >= serial)
            agl_session_detach(L, sidx, idx, t.entity, t.mapper, true);
        else
            roll_gone(L, sidx, idx, t.entity, t.mapper);
    } else if (t.flags & AG_TR_KEYED && t.serial >= serial)
        roll_key(L, sidx, idx, t.entity, t.mapper);
    else if (!(t.flags & AG_TR_GONE)) {
        ag_track_flags(x->s, index, AG_TR_DELETE, 0);
        agl_session_discard(L, sidx, idx, t.entity, t.mapper);
    }
    lua_settop(L, idx - 1);
}

/* session:_rollback(serial): objects as they were when that segment began; everything loaded is expired */
int agl_session_m_rollback(lua_State *L)
{
    agl_session *x = agl_session_check(L, 1);
    rolling r = {(uint32_t)agl_check_integer(L, 2, 0, UINT32_MAX)};
    luaL_checkstack(L, 20, "session");
    agl_session_leaving(L, x);
    for (uint32_t i = 0; i < x->s->tracked.len; i++)
        roll_tracked(L, 1, i, r.serial);
    if (x->inserted >= r.serial)
        agl_identity_each(L, 1, roll_inserted, &r);
    ag_session_expire_all(x->s);
    (void)ag_track_compact(x->s);
    return 0;
}

/* session:_committed(): deleted objects are detached, key switches are final */
int agl_session_m_committed(lua_State *L)
{
    agl_session *x = agl_session_check(L, 1);
    for (uint32_t i = 0; i < x->s->tracked.len; i++) {
        ag_tracked t = x->s->tracked.items[i];
        if (!t.entity)
            continue;
        agl_session_push_tracked(L, 1, i);
        if (t.flags & AG_TR_GONE)
            agl_session_detach(L, 1, lua_gettop(L), t.entity, t.mapper, false);
        else if (t.flags & AG_TR_KEYED) {
            ag_track_flags(x->s, i, AG_TR_KEYED, 0);
            agl_session_discard(L, 1, lua_gettop(L), t.entity, t.mapper);
        }
        lua_pop(L, 1);
    }
    (void)ag_track_compact(x->s);
    return 0;
}

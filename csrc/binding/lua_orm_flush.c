/* Running a flush, and what its success means for the objects: identity map, states, clean attributes. */
#include "binding/lua_engine.h"
#include "binding/lua_exec.h"
#include "binding/lua_orm_flush.h"
#include "orm/unitofwork.h"

/* ---- callbacks of the flush ---- */

/* Push the session's box in a frame that does not have it. */
static agl_session *push_session(lua_State *L, const ag_session *s)
{
    agl_orm_push_sessions(L);
    lua_rawgeti(L, -1, AG_SESSION_SLOT(s->id));
    lua_remove(L, -2);
    return agl_test(L, -1, AGL_K_SESSION);
}

/* After the loader: hand over what is there now. Stack: scope, session */
static int relation_loaded(lua_State *L, agl_scope *scope)
{
    const ag_orm_call *call = scope->op->call.args;
    gathering g = {call->session, 2};
    for (size_t i = 0; i < call->nobjects; i++) {
        agl_session_push_tracked(L, 2, call->objects[i]);
        agl_gather_relation(L, &g, lua_gettop(L), call->objects[i], call->relation);
        lua_pop(L, 1);
    }
    return 0;
}

static int call_load(lua_State *L, agl_scope *scope, const ag_orm_call *call)
{
    bool column = call->kind == AG_ORM_REFRESH;
    agl_orm_hook(L, column ? AGL_OH_COLUMN : AGL_OH_RELATION);
    lua_pushvalue(L, 2);
    lua_createtable(L, (int)call->nobjects, 0);
    for (size_t i = 0; i < call->nobjects; i++) {
        agl_session_push_tracked(L, 2, call->objects[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_pushstring(L,
                   column ? call->mapper->slots[call->relation].key.p : call->mapper->relations[call->relation]->key.p);
    return agl_call_lua(L, scope, 3, 0, column ? NULL : relation_loaded);
}

static int call_event(lua_State *L, agl_scope *scope, const ag_orm_call *call)
{
    agl_orm_hook(L, AGL_OH_EVENT);
    lua_pushvalue(L, 2);
    lua_pushinteger(L, call->event);
    agl_session_push_tracked(L, 2, call->objects[0]);
    if (call->event != AG_ME_REFRESH_FLUSH)
        return agl_call_lua(L, scope, 3, 0, NULL);
    lua_createtable(L, (int)call->nslots, 0);
    for (size_t i = 0; i < call->nslots; i++) {
        lua_pushstring(L, call->mapper->slots[call->slots[i]].key.p);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return agl_call_lua(L, scope, 4, 0, NULL);
}

static int answer_value(lua_State *L, agl_scope *scope)
{
    agl_call_answer(L, scope, -1);
    return 0;
}

static int call_version(lua_State *L, agl_scope *scope, const ag_orm_call *call)
{
    agl_callback_push(L, call->mapper->version_generator);
    agl_push_value(L, &call->value, NULL, NULL);
    return agl_call_lua(L, scope, 1, 1, answer_value);
}

static int on_call(lua_State *L, agl_scope *scope, ag_call *call)
{
    const ag_orm_call *oc = call->args;
    if (call->kind != AG_CALL_OTHER || call->fn != AG_ORM_FN)
        return agl_engine_on_call(L, scope, call);
    luaL_checkstack(L, 20, "flush");
    lua_settop(L, 1);
    if (!push_session(L, oc->session))
        return agl_error(L, AG_EXC_RESOURCE_CLOSED, "the session was closed while it was flushing");
    switch (oc->kind) {
    case AG_ORM_EVENT: return call_event(L, scope, oc);
    case AG_ORM_REFRESH:
    case AG_ORM_LOAD: return call_load(L, scope, oc);
    case AG_ORM_VERSION: return call_version(L, scope, oc);
    default: return agl_error(L, AG_EXC_INVALID_REQUEST, "unknown request of the flush");
    }
}

/* ---- after success ---- */

/* Additions of the queue at cidx that were flushed are dropped: the database has them now. True when others are left (objects that are
 * not in the session). */
static bool trim_queue(lua_State *L, int cidx)
{
    lua_Integer kept = 0;
    int top = lua_gettop(L);
    lua_getiuservalue(L, cidx, AGL_LU_ITEMS);
    for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, top + 1); i <= n; i++) {
        ag_entity *e;
        lua_rawgeti(L, top + 1, i);
        e = agl_entity_test(L, -1);
        lua_pushnil(L);
        lua_rawseti(L, top + 1, i);
        if (e && !(e->state & AG_ES_KEY))
            lua_rawseti(L, top + 1, ++kept);
        else
            lua_pop(L, 1);
    }
    lua_pushnil(L);
    lua_setiuservalue(L, cidx, AGL_LU_REMOVED);
    lua_settop(L, top);
    return kept > 0;
}

/* Links: what was changed is what is. */
static void clean_link(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned relation)
{
    unsigned attr = m->nslots + relation;
    if (lua_getiuservalue(L, idx, agl_link_uv(relation)) == LUA_TUSERDATA) {
        agl_collection *c = agl_test(L, -1, AGL_K_COLLECTION);
        if (c && c->box.flags & AGL_COLL_QUEUE) {
            if (!trim_queue(L, lua_gettop(L))) {
                lua_pushnil(L);
                lua_setiuservalue(L, idx, agl_link_uv(relation));
            }
        } else if (c) {
            lua_pushnil(L);
            lua_setiuservalue(L, -2, AGL_LU_BEFORE);
        }
    }
    lua_pop(L, 1);
    ag_bit_clear(ag_entity_dirty(e), attr);
}

/* Old values of dirty attributes are forgotten. */
static void forget_old(lua_State *L, int idx, const ag_entity *e, const ag_mapper *m)
{
    if (lua_getiuservalue(L, idx, 1) == LUA_TTABLE) {
        for (unsigned a = 0; a < ag_mapper_nattrs(m); a++) {
            if (!ag_entity_is_dirty(e, a))
                continue;
            lua_pushnil(L);
            lua_rawseti(L, -2, agl_old_key(a));
        }
    }
    lua_pop(L, 1);
}

/* A cell that was an SQL expression has a value in the database that nobody knows yet. */
static void expire_expressions(lua_State *L, int idx, ag_entity *e, const ag_mapper *m)
{
    for (unsigned i = 0; i < m->nslots; i++) {
        agl_kind kind;
        if (!ag_entity_is_spilled(e, i) || !ag_entity_is_dirty(e, i))
            continue;
        (void)agl_spill_push(L, idx, (lua_Integer)i);
        kind = agl_kind_at(L, -1);
        lua_pop(L, 1);
        if (kind >= AGL_K_EXPR && kind <= AGL_K_TEXT)
            ag_bit_set(ag_entity_unloaded(e), i);
    }
}

static void clean(lua_State *L, int idx, ag_entity *e, const ag_mapper *m)
{
    if (!ag_entity_any_dirty(e))
        return;
    forget_old(L, idx, e, m);
    expire_expressions(L, idx, e, m);
    for (unsigned r = 0; r < m->nrelations; r++)
        if (ag_entity_is_dirty(e, m->nslots + r))
            clean_link(L, idx, e, m, r);
    ag_entity_clear_dirty(e);
}

typedef struct moving {
    agl_session *x;
    int sidx;
    const ag_mapper *base; /* whose identity table is at `table` */
    int table;
    uint32_t serial;
} moving;

/* The identity table of m's base class at mv->table. */
static void use_table(lua_State *L, moving *mv, const ag_mapper *m)
{
    if (mv->base == m->base)
        return;
    agl_identity_table(L, mv->sidx, m);
    lua_replace(L, mv->table);
    mv->base = m->base;
}

static void put_identity(lua_State *L, moving *mv, int idx, const ag_entity *e, const ag_mapper *m)
{
    ag_value pk[AGL_MAX_KEY];
    use_table(L, mv, m);
    ag_entity_key(pk, m, e, NULL);
    if (m->npk != 1 || pk[0].kind != AG_V_INT) {
        for (unsigned i = 0; i < m->npk; i++)
            if (pk[i].kind == AG_V_HOST) {
                (void)agl_spill_push(L, idx, (lua_Integer)m->pk[i]);
                if (!agl_tovalue(L, -1, &pk[i]))
                    pk[i] = ag_value_null();
                lua_pop(L, 1);
            }
        if (!agl_identity_key(L, m, pk))
            return;
    } else
        lua_pushinteger(L, pk[0].u.i);
    lua_pushvalue(L, idx);
    lua_rawset(L, mv->table);
}

static void drop_identity(lua_State *L, moving *mv, const ag_mapper *m, const ag_value *pk)
{
    use_table(L, mv, m);
    if (agl_identity_key(L, m, pk)) {
        lua_pushnil(L);
        lua_rawset(L, mv->table);
    }
}

/* Moving has two halves. The first may run out of memory, and then nothing is moved: the new keys go into the identity map, the anchors
 * of what stays tracked into a new table. The second cannot (but for keys of text that go out of the map). */

/* Does the object stay tracked? */
static bool stays(const ag_tracked *t)
{
    return !(t->flags & AG_TR_FORGET) && t->flags & (AG_TR_DELETED | AG_TR_KEYSWITCH | AG_TR_GONE | AG_TR_KEYED);
}

static void prepare_all(lua_State *L, moving *mv, int top)
{
    const ag_session *s = mv->x->s;
    lua_Integer kept = 0;
    for (size_t i = 0; i < s->tracked.len; i++) {
        const ag_tracked *t = &s->tracked.items[i];
        if (!t->entity)
            continue;
        if (!(t->flags & (AG_TR_INSERTED | AG_TR_KEYSWITCH)) && !stays(t))
            continue;
        lua_rawgeti(L, top + 1, (lua_Integer)i + 1);
        if (t->flags & (AG_TR_INSERTED | AG_TR_KEYSWITCH))
            put_identity(L, mv, top + 4, t->entity, t->mapper);
        if (stays(t)) {
            lua_pushvalue(L, top + 4);
            lua_rawseti(L, top + 2, ++kept);
        }
        lua_settop(L, top + 3);
    }
}

/* Returns the flags the object stays tracked with, 0: it is tracked no more. */
static uint32_t move_object(lua_State *L, moving *mv, int idx, ag_tracked *t)
{
    ag_entity *e = t->entity;
    ag_value pk[AGL_MAX_KEY];
    if (t->flags & AG_TR_FORGET) {
        e->stamp = 0;
        return 0;
    }
    if (t->flags & AG_TR_DELETED) {
        agl_entity_key(L, idx, e, t->mapper, pk);
        drop_identity(L, mv, t->mapper, pk);
        clean(L, idx, e, t->mapper);
        e->state |= AG_ES_DELETED;
        t->serial = mv->serial;
        return AG_TR_GONE;
    }
    if (t->flags & AG_TR_INSERTED) {
        e->state |= AG_ES_KEY;
        e->born = mv->serial;
        mv->x->inserted = mv->serial;
    }
    if (t->flags & AG_TR_KEYSWITCH && t->before) {
        agl_entity_key(L, idx, e, t->mapper, pk);
        drop_identity(L, mv, t->mapper, pk);
        if (!(t->flags & AG_TR_KEYED))
            t->serial = mv->serial;
        clean(L, idx, e, t->mapper);
        return AG_TR_KEYED;
    }
    clean(L, idx, e, t->mapper);
    return t->flags & (AG_TR_GONE | AG_TR_KEYED);
}

/* Move all states, and pack what stays tracked to the front. */
static void move_all(lua_State *L, int sidx)
{
    agl_session *x = lua_touserdata(L, sidx);
    ag_session *s = x->s;
    int top = lua_gettop(L);
    size_t kept = 0, n = s->tracked.len;
    moving mv = {.x = x, .sidx = sidx, .table = top + 3, .serial = s->serial};
    luaL_checkstack(L, 30, "flush");
    lua_getiuservalue(L, sidx, AGL_SU_ANCHORS); /* top + 1: old, + 2: new, + 3: identity table, + 4: object */
    lua_newtable(L);
    lua_pushnil(L);
    prepare_all(L, &mv, top);
    for (size_t i = 0; i < n; i++) {
        ag_tracked *t = &s->tracked.items[i];
        uint32_t flags;
        if (!t->entity)
            continue;
        lua_rawgeti(L, top + 1, (lua_Integer)i + 1);
        flags = move_object(L, &mv, top + 4, t);
        t->entity->track = 0;
        if (flags) {
            t->flags = flags;
            t->entity->track = (uint32_t)kept + 1;
            s->tracked.items[kept++] = *t;
        }
        lua_settop(L, top + 3);
    }
    s->tracked.len = kept;
    s->nnew = s->ndirty = s->ndelete = s->ngone = 0;
    for (size_t i = 0; i < kept; i++)
        s->ngone += (s->tracked.items[i].flags & AG_TR_GONE) != 0;
    lua_pushvalue(L, top + 2);
    lua_setiuservalue(L, sidx, AGL_SU_ANCHORS);
    ag_session_clear_links(s);
    (void)ag_track_compact(s);
    lua_settop(L, top);
}

/* ---- the method ---- */

static int flush_done(lua_State *L, agl_scope *scope)
{
    agl_session *x = agl_session_check(L, 1);
    (void)scope;
    x->half_moved = true;
    move_all(L, 1);
    x->half_moved = x->s->flushing = false;
    return 0;
}

static int flush_failed(lua_State *L, agl_scope *scope)
{
    agl_session *x = agl_test(L, 1, AGL_K_SESSION);
    ag_flush_op *op = (ag_flush_op *)(void *)scope->op;
    ag_exec_op *exec = ag_flush_error_exec(op);
    if (x && x->s)
        x->s->flushing = false;
    return exec ? agl_raise_exec(L, &scope->err, exec) : agl_raise(L, &scope->err);
}

/* session:_flush(connection): writes what is pending. before_flush has run. */
int agl_session_m_flush(lua_State *L)
{
    agl_session *x = agl_session_check(L, 1);
    agl_connection *c = agl_connection_check(L, 2);
    agl_scope *scope;
    ag_flush_op *op;
    if (x->s->flushing)
        return agl_error(L, AG_EXC_INVALID_REQUEST, "Session is already flushing");
    lua_settop(L, 2);
    agl_gather(L, 1);
    scope = agl_scope_open(L);
    op = agl_scope_new(L, scope, sizeof *op);
    scope->host = c->host;
    scope->on_call = on_call;
    scope->failed = flush_failed;
    agl_session_enter(L, 1);
    agl_scope_must(L, scope, ag_flush_init(op, x->s, c->c, &scope->err));
    x->s->flushing = true;
    return agl_op_run(L, scope, &op->op, flush_done);
}

/* session:_half_moved() → did memory run out when the database had the changes already? Asked once. */
int agl_session_m_half_moved(lua_State *L)
{
    agl_session *x = agl_session_check(L, 1);
    lua_pushboolean(L, x->half_moved);
    x->half_moved = false;
    return 1;
}

/* session:_flush_over(): a flush whose coroutine died is over */
int agl_session_m_flush_over(lua_State *L)
{
    agl_session *x = agl_session_check(L, 1);
    x->s->flushing = false;
    return 0;
}

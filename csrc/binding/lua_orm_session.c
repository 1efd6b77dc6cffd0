/* Sessions: the box, tracking and anchors, what the core asks (agl_session_host), lists of new, dirty and deleted objects,
 * expiry, closing. Attaching and detaching objects is in lua_orm_attach.c; statements, transactions and loading are Lua's (argent.orm.session)
 * and lua_orm_load.c's. */
#include "binding/lua_orm.h"
#include "binding/lua_node.h"

/* ---- finding ---- */

agl_session *agl_session_check(lua_State *L, int arg)
{
    agl_session *x = agl_check(L, arg, AGL_K_SESSION);
    if (!x->s)
        agl_error(L, AG_EXC_RESOURCE_CLOSED, "the session was closed");
    return x;
}

agl_session *agl_session_push(lua_State *L, const ag_mapper *m, const ag_entity *e)
{
    ag_session *s = ag_orm_session(m->orm, e);
    agl_session *x;
    if (!s)
        return NULL;
    luaL_checkstack(L, 4, "session");
    agl_orm_push_sessions(L);
    lua_rawgeti(L, -1, AG_SESSION_SLOT(s->id));
    lua_remove(L, -2);
    x = agl_test(L, -1, AGL_K_SESSION);
    if (!x || x->s != s) { /* it is being collected */
        lua_pop(L, 1);
        return NULL;
    }
    return x;
}

void agl_session_enter(lua_State *L, int sidx)
{
    agl_session *x = lua_touserdata(L, sidx);
    x->self = lua_absindex(L, sidx);
    x->st->L = L;
}

/* ---- tracking ---- */

uint32_t agl_session_track(lua_State *L, int sidx, int idx, ag_entity *e, const ag_mapper *m, uint32_t flags)
{
    agl_session *x = lua_touserdata(L, sidx);
    uint32_t index;
    idx = lua_absindex(L, idx);
    if (!e->track) { /* the anchor first: it may raise */
        lua_getiuservalue(L, sidx, AGL_SU_ANCHORS);
        lua_pushvalue(L, idx);
        lua_rawseti(L, -2, (lua_Integer)x->s->tracked.len + 1);
        lua_pop(L, 1);
    }
    agl_must(L, ag_track(x->s, e, m, flags, &index, agl_err(L)), agl_err(L));
    return index;
}

void agl_session_leaving(lua_State *L, const agl_session *x)
{
    if (x->st->in_hook && x->s->flush)
        agl_error(L, AG_EXC_INVALID_REQUEST,
                  "the Session is flushing, and a function of a type or of the log that it calls cannot close it or "
                  "take objects out of it");
    ag_flush_break(x->s);
}

void agl_session_untrack(lua_State *L, int sidx, ag_entity *e)
{
    agl_session *x = lua_touserdata(L, sidx);
    uint32_t index;
    if (!e->track)
        return;
    agl_session_leaving(L, x);
    index = e->track - 1;
    ag_untrack(x->s, index);
    lua_getiuservalue(L, sidx, AGL_SU_ANCHORS);
    lua_pushboolean(L, 0); /* not nil: the array stays an array */
    lua_rawseti(L, -2, (lua_Integer)index + 1);
    if (!x->s->flushing && ag_track_compact(x->s) == 0 && index > 1000) {
        lua_newtable(L);
        lua_setiuservalue(L, sidx, AGL_SU_ANCHORS);
    }
    lua_pop(L, 1);
}

void agl_session_push_tracked(lua_State *L, int sidx, uint32_t index)
{
    lua_getiuservalue(L, sidx, AGL_SU_ANCHORS);
    lua_rawgeti(L, -1, (lua_Integer)index + 1);
    lua_remove(L, -2);
}

/* ---- what the core asks ---- */

static lua_State *host_state(ag_session *s, int *sidx)
{
    agl_session *x = s->ud;
    *sidx = x->self;
    return x->st->L;
}

static ag_status host_cell(ag_session *s, uint32_t index, unsigned slot, bool before, ag_value *out,
                           const ag_node **expr, ag_error *err)
{
    int sidx, top;
    lua_State *L = host_state(s, &sidx);
    ag_status status = AG_OK;
    top = lua_gettop(L);
    *expr = NULL;
    if (!lua_checkstack(L, 8))
        return ag_fail_nomem(err);
    agl_session_push_tracked(L, sidx, index);
    if (!before || agl_spill_push(L, top + 1, agl_old_key(slot)) == LUA_TNIL)
        (void)agl_spill_push(L, top + 1, (lua_Integer)slot);
    *expr = agl_node_at(L, -1);
    if (*expr)
        *out = (ag_value){.kind = AG_V_HOST};
    else if (lua_islightuserdata(L, -1) && ag_type_writes_null(s->tracked.items[index].mapper->slots[slot].type))
        *out = ag_value_bytes(AG_V_JSON, "null", 4); /* nil is SQL's NULL */
    else if (!agl_tovalue(L, -1, out))
        status = ag_fail(err, AG_EXC_ARGUMENT, "attribute number %u holds no value that a database could take", slot);
    lua_settop(L, top);
    return status;
}

static int spill_body(lua_State *L)
{
    const ag_value *v = lua_touserdata(L, 3);
    agl_push_value(L, v, NULL, NULL);
    agl_spill_set(L, 1, lua_tointeger(L, 2), -1);
    return 0;
}

static ag_status host_spill(ag_session *s, uint32_t index, unsigned slot, const ag_value *v, ag_error *err)
{
    int sidx;
    lua_State *L = host_state(s, &sidx);
    if (!lua_checkstack(L, 8))
        return ag_fail_nomem(err);
    lua_pushcfunction(L, spill_body);
    agl_session_push_tracked(L, sidx, index);
    lua_pushinteger(L, slot);
    lua_pushlightuserdata(L, (void *)(uintptr_t)v);
    if (lua_pcall(L, 3, 0, 0) != LUA_OK) {
        agl_error_from_lua(L, -1, err);
        lua_pop(L, 1);
        return AG_ERROR;
    }
    return AG_OK;
}

typedef struct find_args {
    const ag_mapper *m;
    const ag_value *pk;
    uint32_t index;
} find_args;

static int find_body(lua_State *L)
{
    find_args *a = lua_touserdata(L, 2);
    if (agl_identity_push(L, 1, a->m, a->pk)) {
        ag_entity *e = lua_touserdata(L, -1);
        const ag_mapper *m = agl_entity_mapper(L, -1);
        if (m)
            a->index = agl_session_track(L, 1, lua_gettop(L), e, m, 0);
    }
    return 0;
}

static ag_status host_find(ag_session *s, const ag_mapper *m, const ag_value *pk, uint32_t *index, ag_error *err)
{
    int sidx;
    lua_State *L = host_state(s, &sidx);
    find_args args = {m, pk, AG_NO_OBJECT};
    if (!lua_checkstack(L, 8))
        return ag_fail_nomem(err);
    lua_pushcfunction(L, find_body);
    lua_pushvalue(L, sidx);
    lua_pushlightuserdata(L, &args);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
        agl_error_from_lua(L, -1, err);
        lua_pop(L, 1);
        return AG_ERROR;
    }
    *index = args.index;
    return AG_OK;
}

static void host_drop_links(ag_session *s, uint32_t index, uint16_t relation)
{
    int sidx;
    lua_State *L = host_state(s, &sidx);
    const ag_tracked *t = &s->tracked.items[index];
    if (!lua_checkstack(L, 4))
        return;
    agl_session_push_tracked(L, sidx, index);
    lua_pushnil(L);
    lua_setiuservalue(L, -2, agl_link_uv(relation));
    lua_pop(L, 1);
    ag_bit_set(ag_entity_unloaded(t->entity), t->mapper->nslots + relation);
}

const ag_session_host agl_session_host = {
    .cell = host_cell, .spill = host_spill, .find = host_find, .drop_links = host_drop_links};

/* ---- life ---- */

/* orm_session(info) → session */
static int orm_session(lua_State *L)
{
    agl_orm *o = agl_orm_get(L);
    agl_session *x;
    agl_check_table(L, 1);
    lua_settop(L, 1);
    x = agl_box_new(L, AGL_K_SESSION, sizeof *x, AGL_SU_LAST);
    x->st = agl_state_ref(L);
    agl_must(L, ag_session_new(&x->s, o->orm, &agl_session_host, x, agl_err(L)), agl_err(L));
    lua_newtable(L);
    lua_setiuservalue(L, 2, AGL_SU_ANCHORS);
    lua_newtable(L);
    lua_setiuservalue(L, 2, AGL_SU_IDENTITY);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, 2, AGL_SU_INFO);
    agl_orm_push_sessions(L);
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, AG_SESSION_SLOT(x->s->id));
    lua_settop(L, 2);
    return 1;
}

/* An object of a closing session: what is expired becomes unloaded, then it is detached. Allocates nothing. */
static void let_go(lua_State *L, int sidx, int idx, ag_entity *e, const ag_mapper *m, void *ud)
{
    (void)sidx;
    (void)ud;
    if (ag_entity_session_id(e) != ((agl_session *)lua_touserdata(L, sidx))->s->id)
        return;
    if (!agl_entity_current(m, e))
        agl_entity_sync(L, idx, e, m);
    if (e->state & AG_ES_DELETED)
        e->state &= (uint16_t)~AG_ES_DELETED;
    e->stamp = 0;
}

void agl_session_let_go(lua_State *L, int sidx)
{
    agl_session *x = lua_touserdata(L, sidx);
    agl_identity_each(L, sidx, let_go, NULL);
    for (uint32_t i = 0; i < x->s->tracked.len; i++) {
        ag_entity *e = x->s->tracked.items[i].entity;
        if (!e)
            continue;
        e->stamp = 0; /* anchored: it is there */
        e->state &= (uint16_t)~AG_ES_DELETED;
        ag_untrack(x->s, i);
    }
    (void)ag_track_compact(x->s);
}

static void free_session(void *obj)
{
    ag_session_free(obj);
}

static int session_gc(lua_State *L)
{
    agl_session *x = lua_touserdata(L, 1);
    agl_state *st = x->st;
    ag_session *s = x->s;
    if (!st)
        return 0;
    if (s && agl_test(L, 1, AGL_K_SESSION) && lua_checkstack(L, 20))
        agl_session_let_go(L, 1);
    x->st = NULL;
    x->s = NULL;
    if (s) {
        s->ud = NULL;
        agl_defer(st, L, free_session, s);
    }
    agl_state_unref(st);
    return 0;
}

/* session:_release(): all objects detached; the session can be used again */
static int session_release(lua_State *L)
{
    agl_session_leaving(L, agl_session_check(L, 1));
    lua_settop(L, 1);
    agl_session_let_go(L, 1);
    lua_newtable(L);
    lua_setiuservalue(L, 1, AGL_SU_ANCHORS);
    lua_newtable(L);
    lua_setiuservalue(L, 1, AGL_SU_IDENTITY);
    return 0;
}

/* session:_info() → the table of argent.orm.session */
static int session_info(lua_State *L)
{
    (void)agl_check(L, 1, AGL_K_SESSION);
    lua_getiuservalue(L, 1, AGL_SU_INFO);
    return 1;
}

/* ---- lists ---- */

static int push_list(lua_State *L, uint32_t with, uint32_t without)
{
    agl_session *x = agl_session_check(L, 1);
    lua_Integer n = 0;
    lua_settop(L, 1);
    lua_newtable(L);
    lua_getiuservalue(L, 1, AGL_SU_ANCHORS);
    for (size_t i = 0; i < x->s->tracked.len; i++) {
        const ag_tracked *t = &x->s->tracked.items[i];
        if (!t->entity || !(t->flags & with) || t->flags & without)
            continue;
        lua_rawgeti(L, 3, (lua_Integer)i + 1);
        lua_rawseti(L, 2, ++n);
    }
    lua_settop(L, 2);
    return 1;
}

/* While after_flush runs, the lists are as they were before: info.shown. */
static bool push_shown(lua_State *L, const char *name)
{
    lua_settop(L, 1);
    (void)agl_session_check(L, 1);
    lua_getiuservalue(L, 1, AGL_SU_INFO);
    if (lua_getfield(L, 2, "shown") != LUA_TTABLE)
        return false;
    lua_getfield(L, 3, name);
    return true;
}

static int get_new(lua_State *L)
{
    return push_shown(L, "new") ? 1 : push_list(L, AG_TR_NEW, 0);
}

static int get_dirty(lua_State *L)
{
    return push_shown(L, "dirty") ? 1 : push_list(L, AG_TR_DIRTY, AG_TR_NEW | AG_TR_DELETE | AG_TR_GONE);
}

static int get_deleted(lua_State *L)
{
    return push_shown(L, "deleted") ? 1 : push_list(L, AG_TR_DELETE, AG_TR_GONE);
}

/* session:_tracked() → all objects with a state of their own: pending, changed, deleted */
static int session_tracked(lua_State *L)
{
    return push_list(L, UINT32_MAX, 0);
}

/* session:_pending() → are there changes that a flush would write? */
static int session_pending(lua_State *L)
{
    const ag_session *s = agl_session_check(L, 1)->s;
    lua_pushboolean(L, s->nnew || s->ndirty || s->ndelete);
    return 1;
}

/* session.autoflush …: fields of the Lua half */
static int info_field(lua_State *L, const char *name)
{
    (void)agl_check(L, 1, AGL_K_SESSION);
    lua_getiuservalue(L, 1, AGL_SU_INFO);
    lua_getfield(L, -1, name);
    return 1;
}
static int set_info_flag(lua_State *L, const char *name)
{
    (void)agl_session_check(L, 1);
    lua_getiuservalue(L, 1, AGL_SU_INFO);
    lua_pushboolean(L, agl_check_boolean(L, 2));
    lua_setfield(L, -2, name);
    return 0;
}
static int get_autoflush(lua_State *L)
{
    return info_field(L, "autoflush");
}
static int set_autoflush(lua_State *L)
{
    return set_info_flag(L, "autoflush");
}
static int get_expire_on_commit(lua_State *L)
{
    return info_field(L, "expire_on_commit");
}
static int set_expire_on_commit(lua_State *L)
{
    return set_info_flag(L, "expire_on_commit");
}
static int get_info(lua_State *L)
{
    return info_field(L, "info");
}
static int get_bind(lua_State *L)
{
    return info_field(L, "bind");
}
static int get_is_active(lua_State *L)
{
    (void)info_field(L, "failed");
    lua_pushboolean(L, lua_isnil(L, -1));
    return 1;
}

/* Info at 2, connection at 3, which becomes what is to be closed: the connection, or of a borrowed one the transaction that the session
 * began on it (nil: none). */
static void push_to_close(lua_State *L)
{
    lua_getfield(L, 2, "borrowed");
    if (lua_toboolean(L, -1)) {
        lua_pushnil(L);
        lua_replace(L, 3);
        if (lua_getfield(L, 2, "tx") == LUA_TTABLE) {
            lua_getfield(L, -1, "outer");
            lua_replace(L, 3);
        }
    }
    lua_settop(L, 3);
    lua_pushnil(L);
    lua_setfield(L, 2, "borrowed");
}

/* leaving the scope: nothing waits; what was not committed is rolled back */
static int session_close_scope(lua_State *L)
{
    agl_session *x = agl_test(L, 1, AGL_K_SESSION);
    if (!x || !x->s)
        return 0;
    lua_settop(L, 1);
    lua_getiuservalue(L, 1, AGL_SU_INFO);
    lua_getfield(L, 2, "conn");
    if (!lua_isnil(L, 3)) {
        push_to_close(L);
        lua_pushnil(L);
        lua_setfield(L, 2, "conn");
        lua_pushnil(L);
        lua_setfield(L, 2, "tx");
        if (luaL_getmetafield(L, 3, "__close") != LUA_TNIL) {
            lua_pushvalue(L, 3);
            lua_call(L, 1, 0);
        }
    }
    lua_settop(L, 1);
    x->s->flushing = false;
    return session_release(L);
}

typedef struct lister {
    int list;
    lua_Integer n;
} lister;

static void list_one(lua_State *L, int sidx, int idx, ag_entity *e, const ag_mapper *m, void *ud)
{
    lister *l = ud;
    (void)sidx;
    (void)e;
    (void)m;
    lua_pushvalue(L, idx);
    lua_rawseti(L, l->list, ++l->n);
}

/* session:_persistent() → array of the objects in the identity map */
static int session_persistent(lua_State *L)
{
    lister l = {2, 0};
    (void)agl_session_check(L, 1);
    lua_settop(L, 1);
    lua_newtable(L);
    agl_identity_each(L, 1, list_one, &l);
    return 1;
}

/* ---- expiry ---- */

/* session:_expire_all() */
static int session_expire_all(lua_State *L)
{
    agl_session *x = agl_session_check(L, 1);
    lua_settop(L, 1);
    for (uint32_t i = 0; i < x->s->tracked.len; i++) {
        ag_tracked *t = &x->s->tracked.items[i];
        if (!t->entity || t->flags & AG_TR_NEW || !(t->flags & AG_TR_DIRTY))
            continue;
        agl_session_push_tracked(L, 1, i);
        agl_session_discard(L, 1, 2, t->entity, t->mapper);
        lua_settop(L, 1);
    }
    ag_session_expire_all(x->s);
    return 0;
}

/* session:_begin_segment(root) → serial */
static int session_begin_segment(lua_State *L)
{
    agl_session *x = agl_session_check(L, 1);
    lua_pushinteger(L, ag_session_begin_segment(x->s, lua_toboolean(L, 2)));
    return 1;
}

void agl_open_orm_session(lua_State *L)
{
    static const luaL_Reg methods[] = {{"_release", session_release},
                                       {"_info", session_info},
                                       {"_pending", session_pending},
                                       {"_tracked", session_tracked},
                                       {"_persistent", session_persistent},
                                       {"expire_all", session_expire_all},
                                       {"_begin_segment", session_begin_segment},
                                       {"add", agl_session_m_add},
                                       {"add_all", agl_session_m_add_all},
                                       {"delete", agl_session_m_delete},
                                       {"expunge", agl_session_m_expunge},
                                       {"expire", agl_session_m_expire},
                                       {"contains", agl_session_m_contains},
                                       {"_identity", agl_session_m_identity},
                                       {"get", agl_session_m_get},
                                       {"_gone", agl_session_m_gone},
                                       {"_identity_params", agl_session_m_identity_params},
                                       {"_rollback", agl_session_m_rollback},
                                       {"_flush", agl_session_m_flush},
                                       {"_flush_over", agl_session_m_flush_over},
                                       {"_half_moved", agl_session_m_half_moved},
                                       {"_committed", agl_session_m_committed},
                                       {NULL, NULL}};
    static const luaL_Reg getters[] = {{"new", get_new},
                                       {"dirty", get_dirty},
                                       {"deleted", get_deleted},
                                       {"autoflush", get_autoflush},
                                       {"expire_on_commit", get_expire_on_commit},
                                       {"info", get_info},
                                       {"bind", get_bind},
                                       {"is_active", get_is_active},
                                       {NULL, NULL}};
    static const luaL_Reg setters[] = {
        {"autoflush", set_autoflush}, {"expire_on_commit", set_expire_on_commit}, {NULL, NULL}};
    static const luaL_Reg meta[] = {{"__gc", session_gc}, {"__close", session_close_scope}, {NULL, NULL}};
    static const agl_class cls = {
        .name = "Session", .methods = methods, .getters = getters, .setters = setters, .meta = meta};
    static const luaL_Reg fns[] = {{"orm_session", orm_session}, {NULL, NULL}};
    agl_class_open(L, AGL_K_SESSION, &cls);
    agl_functions_internal(L, fns);
}

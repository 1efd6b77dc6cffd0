/* Identity maps: weak tables, one for each base class of a session. An integer key is the Lua integer; everything else is the
 * string that ag_identity_key writes. */
#include "binding/lua_orm.h"
#include "base/buf.h"

void agl_identity_table(lua_State *L, int sidx, const ag_mapper *m)
{
    sidx = lua_absindex(L, sidx);
    luaL_checkstack(L, 8, "identity map");
    lua_getiuservalue(L, sidx, AGL_SU_IDENTITY);
    if (lua_rawgeti(L, -1, m->base->id) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_createtable(L, 0, 1);
        lua_pushliteral(L, "v");
        lua_setfield(L, -2, "__mode");
        lua_setmetatable(L, -2);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, m->base->id);
    }
    lua_remove(L, -2);
}

/* The bytes are made in core memory, then copied to memory of the collector's, because making the string may raise. */
static void push_key_bytes(lua_State *L, const ag_mapper *m, const ag_value *pk)
{
    agl_state *st = agl_state_get(L);
    ag_buf b;
    char *copy;
    size_t n = 64;
    for (unsigned i = 0; i < m->npk; i++)
        n += 16 + (ag_vkind_has_bytes(pk[i].kind) ? pk[i].u.s.n : 0);
    copy = agl_scratch(L, n);
    ag_buf_init(&b, &st->alloc);
    ag_identity_key(&b, m, pk);
    if (!ag_buf_ok(&b) || b.len > n) {
        ag_buf_clear(&b);
        agl_error(L, AG_EXC_MEMORY, "out of memory");
    }
    n = b.len;
    memcpy(copy, b.data, n);
    ag_buf_clear(&b);
    lua_pushlstring(L, copy, n);
    lua_remove(L, -2);
}

bool agl_identity_key(lua_State *L, const ag_mapper *m, const ag_value *pk)
{
    if (m->npk == 1 && pk[0].kind == AG_V_INT) {
        lua_pushinteger(L, pk[0].u.i);
        return true;
    }
    if (ag_identity_is_null(m, pk))
        return false;
    if (m->npk == 1 && pk[0].kind == AG_V_FLOAT && pk[0].u.f == (lua_Number)(lua_Integer)pk[0].u.f) {
        lua_pushinteger(L, (lua_Integer)pk[0].u.f);
        return true;
    }
    push_key_bytes(L, m, pk);
    return true;
}

bool agl_identity_push(lua_State *L, int sidx, const ag_mapper *m, const ag_value *pk)
{
    agl_identity_table(L, sidx, m);
    if (agl_identity_key(L, m, pk)) {
        if (lua_rawget(L, -2) == LUA_TUSERDATA) {
            lua_remove(L, -2);
            return true;
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return false;
}

bool agl_identity_put(lua_State *L, int sidx, int idx, const ag_mapper *m, const ag_value *pk)
{
    int t;
    idx = lua_absindex(L, idx);
    agl_identity_table(L, sidx, m);
    t = lua_gettop(L);
    if (!agl_identity_key(L, m, pk)) {
        lua_settop(L, t - 1);
        return true;
    }
    lua_pushvalue(L, t + 1);
    if (lua_rawget(L, t) == LUA_TUSERDATA && !lua_rawequal(L, -1, idx)) {
        lua_settop(L, t - 1);
        return false;
    }
    lua_pop(L, 1);
    lua_pushvalue(L, idx);
    lua_rawset(L, t);
    lua_settop(L, t - 1);
    return true;
}

void agl_identity_drop(lua_State *L, int sidx, const ag_mapper *m, const ag_value *pk)
{
    agl_identity_table(L, sidx, m);
    if (agl_identity_key(L, m, pk)) {
        lua_pushnil(L);
        lua_rawset(L, -3);
    }
    lua_pop(L, 1);
}

void agl_identity_each(lua_State *L, int sidx,
                       void (*fn)(lua_State *L, int sidx, int idx, ag_entity *e, const ag_mapper *m, void *ud),
                       void *ud)
{
    int top = lua_gettop(L);
    sidx = lua_absindex(L, sidx);
    luaL_checkstack(L, 20, "identity map");
    if (lua_getiuservalue(L, sidx, AGL_SU_IDENTITY) != LUA_TTABLE) { /* memory ran out while the session was made */
        lua_settop(L, top);
        return;
    }
    lua_pushnil(L);
    while (lua_next(L, top + 1)) {
        lua_pushnil(L);
        while (lua_next(L, top + 3)) {
            ag_entity *e = agl_entity_test(L, top + 5);
            const ag_mapper *m = e ? agl_entity_mapper(L, top + 5) : NULL;
            if (m)
                fn(L, sidx, top + 5, e, m, ud);
            lua_settop(L, top + 4);
        }
        lua_settop(L, top + 2);
    }
    lua_settop(L, top);
}

void agl_entity_key(lua_State *L, int idx, const ag_entity *e, const ag_mapper *m, ag_value *pk)
{
    ag_session *s = e->track ? ag_orm_session(m->orm, e) : NULL;
    const ag_tracked *t = s ? &s->tracked.items[e->track - 1] : NULL;
    const ag_row *before = t && t->entity == e ? t->before : NULL;
    if (m->npk > AGL_MAX_KEY)
        agl_error(L, AG_EXC_ARGUMENT, "class %s has more than %d primary key columns", m->name.p, AGL_MAX_KEY);
    ag_entity_key(pk, m, e, before);
    for (unsigned i = 0; i < m->npk; i++) {
        if (pk[i].kind != AG_V_HOST)
            continue;
        (void)agl_spill_push(L, idx,
                             before && ag_entity_is_dirty(e, m->pk[i]) ? agl_old_key(m->pk[i]) : (lua_Integer)m->pk[i]);
        if (!agl_tovalue(L, -1, &pk[i]))
            pk[i] = ag_value_null();
        lua_pop(L, 1); /* the object keeps it */
    }
}

/* What loaders in Lua do to objects: hand over members of relationships, ask for keys, look at states. One call for many
 * objects, so that the loops are here. */
#include "binding/lua_orm_load.h"
#include <string.h>

static const ag_relation *relation_named(lua_State *L, const ag_mapper *m, int idx)
{
    size_t n;
    const char *key = agl_check_string(L, idx, &n);
    const ag_relation *rel = ag_mapper_relation(m, key, n);
    if (!rel)
        agl_error(L, AG_EXC_INVALID_REQUEST, "class %s has no relationship '%s'", m->name.p, key);
    return rel;
}

/* Object i of the array at t: pushed; its mapper, NULL when it is none. */
static ag_entity *push_object(lua_State *L, int t, lua_Integer i, const ag_mapper **m)
{
    ag_entity *e;
    lua_rawgeti(L, t, i);
    e = agl_entity_test(L, -1);
    *m = e ? agl_entity_mapper(L, -1) : NULL;
    return *m ? e : NULL;
}

/* Push the value of a column as a table key: NULL gives false. */
static bool push_column_key(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned slot)
{
    agl_entity_push(L, idx, e, m, slot);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return false;
    }
    if (lua_type(L, -1) == LUA_TUSERDATA) { /* dates …: equal values are different objects */
        luaL_tolstring(L, -1, NULL);
        lua_remove(L, -2);
    }
    return true;
}

/* orm_keys(objects, relation, slot name, missing) → {key, …} distinct values of the column, of those objects whose relationship is not
 * loaded (all: of every object), and {object, …} of them */
static int orm_keys(lua_State *L)
{
    lua_Integer n, nkeys = 0, nobjects = 0;
    bool all = lua_toboolean(L, 4);
    agl_check_table(L, 1);
    lua_settop(L, 4);
    n = (lua_Integer)lua_rawlen(L, 1);
    lua_newtable(L); /* 5: keys */
    lua_newtable(L); /* 6: objects */
    lua_newtable(L); /* 7: seen */
    for (lua_Integer i = 1; i <= n; i++) {
        const ag_mapper *m;
        ag_entity *e = push_object(L, 1, i, &m);
        const ag_relation *rel = e ? relation_named(L, m, 2) : NULL;
        size_t len;
        const char *name = agl_check_string(L, 3, &len);
        const ag_slot *slot = e ? ag_mapper_slot(m, name, len) : NULL;
        if (slot && (all || ag_entity_is_unloaded(e, m->nslots + (unsigned)rel->index))) {
            lua_pushvalue(L, 8);
            lua_rawseti(L, 6, ++nobjects);
            if (!ag_entity_is_unloaded(e, slot->index) && push_column_key(L, 8, e, m, slot->index)) {
                lua_pushvalue(L, -1);
                if (lua_rawget(L, 7) == LUA_TNIL) {
                    lua_pushvalue(L, 9);
                    lua_pushboolean(L, 1);
                    lua_rawset(L, 7);
                    agl_entity_push(L, 8, e, m, slot->index);
                    lua_rawseti(L, 5, ++nkeys);
                }
            }
        }
        lua_settop(L, 7);
    }
    lua_settop(L, 6);
    return 2;
}

/* Members by key: array `keys` (value of the joining column of each member) beside array `members` → table key → array. The table is
 * pushed. keys NULL index (0): the column `slot` of the member itself. */
static void push_groups(lua_State *L, int members, int keys, const char *slot_name, size_t slot_len, int stride)
{
    int groups, top;
    lua_Integer n = (lua_Integer)lua_rawlen(L, members);
    lua_newtable(L);
    groups = lua_gettop(L);
    (void)stride;
    for (lua_Integer i = 1; i <= n; i++) {
        const ag_mapper *m;
        ag_entity *e = push_object(L, members, i, &m);
        bool has = false;
        top = lua_gettop(L);
        if (e && keys) {
            has = lua_rawgeti(L, keys, i) != LUA_TNIL && !agl_is_null(L, -1);
            if (has && lua_type(L, -1) == LUA_TUSERDATA) {
                luaL_tolstring(L, -1, NULL);
                lua_replace(L, top + 1);
                lua_settop(L, top + 1);
            }
        } else if (e) {
            const ag_slot *s = ag_mapper_slot(m, slot_name, slot_len);
            has = s && push_column_key(L, top, e, m, s->index);
        }
        if (has) {
            lua_pushvalue(L, top + 1);
            if (lua_rawget(L, groups) != LUA_TTABLE) {
                lua_pop(L, 1);
                lua_newtable(L);
                lua_pushvalue(L, top + 1);
                lua_pushvalue(L, -2);
                lua_rawset(L, groups);
            }
            lua_pushvalue(L, top);
            lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        }
        lua_settop(L, groups);
    }
}

/* orm_distribute(parents, relation, parent column, members, keys | member column): every parent whose relationship is not loaded gets those
 * members whose key equals its column */
static int orm_distribute(lua_State *L)
{
    lua_Integer n;
    size_t len, slen = 0;
    const char *column, *slot = NULL;
    agl_check_table(L, 1);
    column = agl_check_string(L, 3, &len);
    agl_check_table(L, 4);
    lua_settop(L, 5);
    if (lua_type(L, 5) == LUA_TSTRING)
        slot = lua_tolstring(L, 5, &slen);
    else
        agl_check_table(L, 5);
    luaL_checkstack(L, 30, "relationship");
    push_groups(L, 4, slot ? 0 : 5, slot, slen, 1); /* 6 */
    n = (lua_Integer)lua_rawlen(L, 1);
    for (lua_Integer i = 1; i <= n; i++) {
        const ag_mapper *m;
        ag_entity *e = push_object(L, 1, i, &m); /* 7 */
        const ag_relation *rel = e ? relation_named(L, m, 2) : NULL;
        const ag_slot *s = e ? ag_mapper_slot(m, column, len) : NULL;
        if (s && ag_entity_is_unloaded(e, m->nslots + (unsigned)rel->index)) {
            bool found = push_column_key(L, 7, e, m, s->index) && lua_rawget(L, 6) == LUA_TTABLE;
            if (!found)
                lua_settop(L, 7);
            if (rel->flags & AG_REL_LIST) {
                if (!found)
                    lua_newtable(L);
            } else if (found) {
                lua_rawgeti(L, 8, 1);
                lua_replace(L, 8);
            } else
                lua_pushnil(L);
            if (found && rel->flags & AG_REL_LIST) { /* two parents with one key must not share a table */
                lua_Integer k = (lua_Integer)lua_rawlen(L, 8);
                lua_createtable(L, (int)k, 0);
                for (lua_Integer j = 1; j <= k; j++) {
                    lua_rawgeti(L, 8, j);
                    lua_rawseti(L, 9, j);
                }
                lua_replace(L, 8);
            }
            agl_link_loaded(L, 7, e, m, rel->index, 8);
        }
        lua_settop(L, 6);
    }
    return 0;
}

/* orm_set_loaded(object, relation, value): an array of members, an object or nil is what the database has */
static int orm_set_loaded(lua_State *L)
{
    const ag_mapper *m;
    ag_entity *e = agl_entity_check(L, 1, &m);
    const ag_relation *rel = relation_named(L, m, 2);
    lua_settop(L, 3);
    if (rel->flags & AG_REL_LIST)
        agl_check_table(L, 3);
    else if (!lua_isnil(L, 3))
        (void)agl_link_check(L, m, rel, 3);
    agl_link_loaded(L, 1, e, m, rel->index, 3);
    return 0;
}

/* (object, attribute): the object, up to date with its class, and the attribute's number; raises for an unknown one. */
static ag_entity *entity_and_attr(lua_State *L, const ag_mapper **m, int *attr)
{
    ag_entity *e = agl_entity_check(L, 1, m);
    lua_settop(L, 2);
    agl_mapper *c = agl_entity_push_class(L, 1);
    *attr = c ? agl_mapper_attr(L, c, 2) : -1;
    if (*attr < 0)
        (void)agl_orm_unknown(L, 3, 2); /* raises */
    if (!agl_entity_current(*m, e))
        agl_entity_sync(L, 1, e, *m);
    return e;
}

/* orm_is_loaded(object, attribute) */
static int orm_is_loaded(lua_State *L)
{
    const ag_mapper *m;
    int attr;
    ag_entity *e = entity_and_attr(L, &m, &attr);
    lua_pushboolean(L, !ag_entity_is_unloaded(e, (unsigned)attr));
    return 1;
}

/* orm_unloaded(object) → array of names of columns that are not loaded */
static int orm_unloaded(lua_State *L)
{
    const ag_mapper *m;
    ag_entity *e = agl_entity_check(L, 1, &m);
    lua_Integer n = 0;
    if (!agl_entity_current(m, e))
        agl_entity_sync(L, 1, e, m);
    lua_newtable(L);
    for (unsigned a = 0; a < m->nslots; a++) {
        if (!ag_entity_is_unloaded(e, a))
            continue;
        lua_pushstring(L, m->slots[a].key.p);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

/* orm_get(object, attribute) → value as it is in memory (no loading): value, loaded */
static int orm_get(lua_State *L)
{
    const ag_mapper *m;
    int attr;
    ag_entity *e = entity_and_attr(L, &m, &attr);
    if (attr >= m->nslots)
        lua_getiuservalue(L, 1, agl_link_uv((unsigned)attr - m->nslots));
    else
        agl_entity_push(L, 1, e, m, (unsigned)attr);
    lua_pushboolean(L, !ag_entity_is_unloaded(e, (unsigned)attr));
    return 2;
}

/* orm_key(object) → identity values …, nothing when it has none */
static int orm_key(lua_State *L)
{
    const ag_mapper *m;
    ag_entity *e = agl_entity_check(L, 1, &m);
    ag_value pk[AGL_MAX_KEY];
    if (!(e->state & AG_ES_KEY))
        return 0;
    agl_entity_key(L, 1, e, m, pk);
    luaL_checkstack(L, m->npk + 4, "key");
    for (unsigned i = 0; i < m->npk; i++)
        agl_push_value_or_null(L, &pk[i], m->slots[m->pk[i]].type, NULL);
    return m->npk;
}

/* orm_state(object) → "transient" …, session or nil, was its row deleted */
static int orm_state(lua_State *L)
{
    static const char *const names[] = {"transient", "pending", "persistent", "deleted", "detached"};
    const ag_mapper *m;
    ag_entity *e = agl_entity_check(L, 1, &m);
    lua_settop(L, 1);
    if (!agl_entity_current(m, e) && !ag_orm_session(m->orm, e))
        agl_entity_sync(L, 1, e, m);
    lua_pushstring(L, names[ag_entity_state(e, ag_orm_session(m->orm, e))]);
    if (!agl_session_push(L, m, e))
        lua_pushnil(L);
    lua_pushboolean(L, (e->state & (AG_ES_WAS_DELETED | AG_ES_DELETED)) != 0);
    return 3;
}

/* orm_queue(object, attribute) → the collection as far as it is known, for additions and removals without loading it */
static int orm_queue(lua_State *L)
{
    const ag_mapper *m;
    ag_entity *e = agl_entity_check(L, 1, &m);
    const ag_relation *rel = relation_named(L, m, 2);
    if (!agl_entity_current(m, e))
        agl_entity_sync(L, 1, e, m);
    if (!(rel->flags & AG_REL_LIST))
        return agl_error(L, AG_EXC_INVALID_REQUEST, "%s.%s is no collection", m->name.p, rel->key.p);
    agl_collection_push(L, 1, e, rel->index,
                        e->state & AG_ES_KEY && ag_entity_is_unloaded(e, m->nslots + (unsigned)rel->index));
    return 1;
}

/* orm_mark(object, "transient" | "detached" | "loaded"): make_transient, make_transient_to_detached; loaded: as detached, what is NULL counts
 * as loaded */
static int orm_mark(lua_State *L)
{
    const ag_mapper *m;
    ag_entity *e = agl_entity_check(L, 1, &m);
    const char *to = agl_check_string(L, 2, NULL);
    if (ag_orm_session(m->orm, e))
        return agl_error(L, AG_EXC_INVALID_REQUEST, "the object is in a session: expunge it first");
    if (e->stamp)
        agl_entity_sync(L, 1, e, m);
    if (strcmp(to, "transient") != 0) {
        e->state = (uint16_t)((e->state | AG_ES_KEY) & ~AG_ES_WAS_DELETED);
        ag_entity_clear_dirty(e);
        if (strcmp(to, "loaded") == 0)
            return 0;
        for (unsigned a = 0; a < m->nslots; a++)
            if (ag_row_kinds(ag_entity_row(e))[a] == AG_V_NULL)
                ag_bit_set(ag_entity_unloaded(e), a);
        return 0;
    }
    e->state &= (uint16_t) ~(AG_ES_KEY | AG_ES_DELETED | AG_ES_WAS_DELETED);
    e->born = 0;
    for (unsigned a = 0; a < m->nslots; a++) {
        if (ag_entity_is_unloaded(e, a))
            ag_bit_clear(ag_entity_unloaded(e), a);
        else if (ag_row_kinds(ag_entity_row(e))[a] != AG_V_NULL)
            ag_bit_set(ag_entity_dirty(e), a);
    }
    return 0;
}

/* orm_flag(object, attribute): flag_modified */
static int orm_flag(lua_State *L)
{
    const ag_mapper *m;
    int attr;
    ag_entity *e = entity_and_attr(L, &m, &attr);
    if (ag_entity_is_unloaded(e, (unsigned)attr))
        return agl_error(L, AG_EXC_INVALID_REQUEST,
                         "attribute '%s' of the object is not loaded: it cannot be flagged as modified",
                         lua_tostring(L, 2));
    agl_orm_touch(L, 1, e, m, (unsigned)attr);
    return 0;
}

/* orm_history(object, attribute) → dirty, old value, known */
static int orm_history(lua_State *L)
{
    const ag_mapper *m;
    ag_session *s;
    int attr;
    ag_value v;
    ag_entity *e = entity_and_attr(L, &m, &attr);
    lua_pushboolean(L, ag_entity_is_dirty(e, (unsigned)attr));
    s = e->track ? ag_orm_session(m->orm, e) : NULL;
    if (attr >= m->nslots) {
        if (m->relations[attr - m->nslots]->flags & AG_REL_LIST) {
            lua_getiuservalue(L, 1, agl_link_uv((unsigned)attr - m->nslots));
            if (agl_test(L, -1, AGL_K_COLLECTION)) {
                lua_getiuservalue(L, -1, AGL_LU_BEFORE);
                lua_remove(L, -2);
                lua_pushboolean(L, lua_istable(L, -1));
                return 3;
            }
            return 2;
        }
        lua_pushboolean(L, agl_spill_push(L, 1, agl_old_key((unsigned)attr)) != LUA_TNIL);
        return 3;
    }
    if (!s || !s->tracked.items[e->track - 1].before)
        return 1;
    if (ag_bit_get(ag_tracked_unknown(&s->tracked.items[e->track - 1]), (unsigned)attr))
        return 1;
    ag_row_get(&v, s->tracked.items[e->track - 1].before, (unsigned)attr);
    if (v.kind == AG_V_HOST)
        (void)agl_spill_push(L, 1, agl_old_key((unsigned)attr));
    else
        agl_push_value(L, &v, m->slots[attr].type, NULL);
    lua_pushboolean(L, 1);
    return 3;
}

/* Push the table in field `name` of the object's own table at uservalue 1; make: made when missing, else nil is pushed. */
static void push_own(lua_State *L, int idx, const char *name, bool make)
{
    if (lua_getiuservalue(L, idx, 1) != LUA_TTABLE) {
        if (!make)
            return;
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, idx, 1);
    }
    if (lua_getfield(L, -1, name) != LUA_TTABLE && make) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, name);
    }
    lua_remove(L, -2);
}

/* orm_info(object) → its free table, made when first asked for */
static int orm_info(lua_State *L)
{
    const ag_mapper *m;
    (void)agl_entity_check(L, 1, &m);
    lua_settop(L, 1);
    push_own(L, 1, "info", true);
    return 1;
}

/* orm_object_options(objects, attribute, value): a loader option of these objects */
static int orm_object_options(lua_State *L)
{
    agl_check_table(L, 1);
    lua_settop(L, 3);
    for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, 1); i <= n; i++) {
        const ag_mapper *m;
        ag_entity *e = push_object(L, 1, i, &m);
        if (e) {
            push_own(L, 4, "options", true);
            lua_pushvalue(L, 2);
            lua_pushvalue(L, 3);
            lua_rawset(L, 5);
            e->state |= AG_ES_OWN_LOAD;
        }
        lua_settop(L, 3);
    }
    return 0;
}

/* orm_object_option(object, attribute) → value or nil */
static int orm_object_option(lua_State *L)
{
    const ag_mapper *m;
    ag_entity *e = agl_entity_check(L, 1, &m);
    lua_settop(L, 2);
    if (!(e->state & AG_ES_OWN_LOAD))
        return 0;
    push_own(L, 1, "options", false);
    if (!lua_istable(L, 3))
        return 0;
    lua_pushvalue(L, 2);
    lua_rawget(L, 3);
    return 1;
}

void agl_open_orm_links(lua_State *L)
{
    static const luaL_Reg fns[] = {{"orm_keys", orm_keys},
                                   {"orm_distribute", orm_distribute},
                                   {"orm_set_loaded", orm_set_loaded},
                                   {"orm_is_loaded", orm_is_loaded},
                                   {"orm_unloaded", orm_unloaded},
                                   {"orm_get", orm_get},
                                   {"orm_key", orm_key},
                                   {"orm_state", orm_state},
                                   {"orm_mark", orm_mark},
                                   {"orm_queue", orm_queue},
                                   {"orm_flag", orm_flag},
                                   {"orm_history", orm_history},
                                   {"orm_info", orm_info},
                                   {"orm_object_options", orm_object_options},
                                   {"orm_object_option", orm_object_option},
                                   {NULL, NULL}};
    agl_functions_internal(L, fns);
}

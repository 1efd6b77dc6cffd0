/* Entities: reading and writing attributes of mapped objects, and the constructor. The quick way of a read is one hash of the
 * name's address, one comparison of stamps and one switch over the cell's kind. */
#include "binding/lua_orm.h"
#include <string.h>

static const char class_key; /* in an entity's metatable: its class */

/* ---- finding out ---- */

agl_mapper *agl_entity_push_class(lua_State *L, int idx)
{
    agl_mapper *c;
    if (!agl_entity_test(L, idx) || !lua_getmetatable(L, idx))
        return NULL;
    lua_rawgetp(L, -1, &class_key);
    lua_remove(L, -2);
    c = agl_test(L, -1, AGL_K_MAPPER);
    if (!c)
        lua_pop(L, 1);
    return c;
}

const ag_mapper *agl_entity_mapper(lua_State *L, int idx)
{
    agl_mapper *c = agl_entity_push_class(L, idx);
    if (!c)
        return NULL;
    lua_pop(L, 1); /* the object's metatable keeps it */
    return c->m;
}

ag_entity *agl_entity_check(lua_State *L, int arg, const ag_mapper **m)
{
    ag_entity *e = agl_entity_test(L, arg);
    *m = e ? agl_entity_mapper(L, arg) : NULL;
    if (!e)
        agl_typeerror(L, arg, "a mapped object");
    if (!*m)
        agl_error(L, AG_EXC_RESOURCE_CLOSED, "the classes were closed");
    return e;
}

/* ---- spilled values ---- */

void agl_spill_set(lua_State *L, int idx, lua_Integer key, int vidx)
{
    idx = lua_absindex(L, idx);
    vidx = lua_absindex(L, vidx);
    if (lua_getiuservalue(L, idx, 1) != LUA_TTABLE) {
        lua_pop(L, 1);
        if (lua_isnil(L, vidx))
            return;
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, idx, 1);
    }
    lua_pushvalue(L, vidx);
    lua_rawseti(L, -2, key);
    lua_pop(L, 1);
}

int agl_spill_push(lua_State *L, int idx, lua_Integer key)
{
    int type;
    if (lua_getiuservalue(L, idx, 1) != LUA_TTABLE)
        return LUA_TNIL; /* the nil that is there */
    type = lua_rawgeti(L, -1, key);
    lua_remove(L, -2);
    return type;
}

/* ---- cells ---- */

/* JSON, arrays, custom types: the value is made once, then kept, so that it can be looked at twice and changed in place. */
static void push_decoded(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned slot)
{
    const ag_type *type = m->slots[slot].type;
    ag_value v;
    ag_entity_get(&v, e, slot);
    agl_push_value(L, &v, type, NULL);
    if (v.kind == AG_V_NULL || !agl_value_is_decoded(&v, type))
        return;
    agl_spill_set(L, idx, (lua_Integer)slot, -1);
    ag_entity_set_spilled(e, slot);
}

void agl_entity_push(lua_State *L, int idx, const ag_entity *e, const ag_mapper *m, unsigned slot)
{
    const ag_row *r = ag_entity_row(e);
    uint64_t cell = ag_row_cells(r)[slot];
    double d;
    switch (ag_row_kinds(r)[slot]) {
    case AG_V_NULL:
        if (!(m->slots[slot].flags & AG_SLOT_DECODED)) {
            lua_pushnil(L);
            return;
        }
        break;
    case AG_V_INT:
        if (!(m->slots[slot].flags & AG_SLOT_DECODED)) {
            lua_pushinteger(L, (lua_Integer)cell);
            return;
        }
        break;
    case AG_V_TEXT:
        if (!(m->slots[slot].flags & AG_SLOT_DECODED)) {
            lua_pushlstring(L, (const char *)r + (uint32_t)cell, (size_t)(cell >> 32));
            return;
        }
        break;
    case AG_V_FLOAT:
        if (!(m->slots[slot].flags & AG_SLOT_DECODED)) {
            memcpy(&d, &cell, 8);
            lua_pushnumber(L, d);
            return;
        }
        break;
    case AG_V_HOST: (void)agl_spill_push(L, idx, (lua_Integer)slot); return;
    default: break;
    }
    push_decoded(L, lua_absindex(L, idx), (ag_entity *)(uintptr_t)e, m, slot);
}

/* The value at vidx is put aside for a cell that it does not fit into. */
static void write_spilled(lua_State *L, int idx, ag_entity *e, unsigned slot, int vidx)
{
    agl_spill_set(L, idx, (lua_Integer)slot, vidx);
    ag_entity_set_spilled(e, slot);
}

static int bad_value(lua_State *L, const ag_mapper *m, unsigned slot, int vidx)
{
    return agl_error(L, AG_EXC_ARGUMENT, "%s.%s cannot be %s", m->name.p, m->slots[slot].key.p,
                     agl_describe(L, vidx, true));
}

void agl_entity_write(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned slot, int vidx)
{
    ag_value v;
    unsigned was = ag_row_kinds(ag_entity_row(e))[slot];
    if (lua_islightuserdata(L, vidx) && ag_type_writes_null(m->slots[slot].type)) {
        write_spilled(L, idx, e, slot, vidx); /* JSON's null is a value, nil is SQL's NULL */
        return;
    }
    if (lua_type(L, vidx) == LUA_TTABLE || lua_type(L, vidx) == LUA_TUSERDATA) {
        agl_kind kind = agl_kind_at(L, vidx);
        if (kind >= AGL_K_EXPR && kind <= AGL_K_TEXT) { /* an SQL expression, computed when it is flushed */
            write_spilled(L, idx, e, slot, vidx);
            return;
        }
        if (kind == AGL_K_ENTITY || kind == AGL_K_COLLECTION) {
            bad_value(L, m, slot, vidx);
            return;
        }
        if (kind == AGL_K_NONE) {
            write_spilled(L, idx, e, slot, vidx);
            return;
        }
    }
    if (!agl_tovalue(L, vidx, &v)) {
        bad_value(L, m, slot, vidx);
        return;
    }
    if (!ag_entity_put(e, slot, &v)) {
        write_spilled(L, idx, e, slot, vidx);
        return;
    }
    if (was == AG_V_HOST) {
        lua_pushnil(L);
        agl_spill_set(L, idx, (lua_Integer)slot, -1);
        lua_pop(L, 1);
    }
}

/* ---- expiry ---- */

/* Values put aside are forgotten; what else is kept with the object (info, options: string keys) stays. Allocates nothing. */
static void forget_spilled(lua_State *L, int idx)
{
    if (lua_getiuservalue(L, idx, 1) == LUA_TTABLE) {
        lua_pushnil(L);
        while (lua_next(L, -2)) {
            lua_pop(L, 1);
            if (lua_type(L, -1) == LUA_TNUMBER) {
                lua_pushvalue(L, -1);
                lua_pushnil(L);
                lua_rawset(L, -4);
            }
        }
    }
    lua_pop(L, 1);
}

void agl_entity_expire(lua_State *L, int idx, ag_entity *e, const ag_mapper *m)
{
    uint64_t *unloaded = ag_entity_unloaded(e);
    idx = lua_absindex(L, idx);
    for (unsigned a = 0; a < ag_mapper_nattrs(m); a++)
        ag_bit_set(unloaded, a);
    ag_entity_clear_dirty(e);
    forget_spilled(L, idx);
    for (int uv = 2; uv < 2 + m->nrelations; uv++) {
        lua_pushnil(L);
        lua_setiuservalue(L, idx, uv);
    }
}

void agl_entity_sync(lua_State *L, int idx, ag_entity *e, const ag_mapper *m)
{
    ag_session *s = ag_orm_session(m->orm, e);
    if (!s) {
        e->stamp = 0;
        e->track = 0;
        return;
    }
    e->stamp = ag_session_stamp(s);
    agl_entity_expire(L, idx, e, m);
}

/* ---- __index ---- */

static int index_result(lua_State *L, agl_mapper *c, unsigned attr, bool again);

static int return_one(lua_State *L, int status, lua_KContext ctx)
{
    (void)L;
    (void)status;
    (void)ctx;
    return 1;
}

/* After a loader ran: the attribute must be there now. ctx: the attribute. */
static int index_k(lua_State *L, int status, lua_KContext ctx)
{
    agl_mapper *c = lua_touserdata(L, lua_upvalueindex(1));
    (void)status;
    lua_settop(L, 2);
    return index_result(L, c, (unsigned)ctx, true);
}

static int detached(lua_State *L, const ag_mapper *m, unsigned attr)
{
    if (attr < m->nslots)
        return agl_error(
            L, AG_EXC_DETACHED_INSTANCE,
            "Instance <%s> is not bound to a Session; attribute refresh operation cannot proceed: '%s' is expired or "
            "deferred and would be read by SELECT %s FROM %s",
            m->name.p, m->slots[attr].key.p, m->slots[attr].key.p, m->tables[0].table->name.p);
    const ag_relation *rel = m->relations[attr - m->nslots];
    return agl_error(
        L, AG_EXC_DETACHED_INSTANCE,
        "Parent instance <%s> is not bound to a Session; lazy load operation of attribute '%s' cannot proceed: it "
        "would "
        "SELECT from %s. Load it before the session closes, for example with options(ag.selectinload(%s.%s))",
        m->name.p, rel->key.p, rel->target->tables[0].table->name.p, m->name.p, rel->key.p);
}

/* Attribute not loaded: run the Lua loader, then look again. */
static int index_load(lua_State *L, agl_mapper *c, ag_entity *e, unsigned attr, bool again)
{
    const ag_mapper *m = c->m;
    if (again)
        return agl_error(
            L, AG_EXC_OBJECT_DELETED,
            "Instance <%s> has been deleted, or its row is otherwise not present: '%s' could not be loaded", m->name.p,
            attr < m->nslots ? m->slots[attr].key.p : m->relations[attr - m->nslots]->key.p);
    if (!ag_orm_session(m->orm, e))
        return detached(L, m, attr);
    agl_orm_hook(L, attr < m->nslots ? AGL_OH_REFRESH : AGL_OH_LAZY);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_callk(L, 2, 0, (lua_KContext)attr, index_k);
    return index_k(L, LUA_OK, (lua_KContext)attr);
}

static int index_result(lua_State *L, agl_mapper *c, unsigned attr, bool again)
{
    ag_entity *e = lua_touserdata(L, 1);
    if (!c->m)
        return agl_error(L, AG_EXC_RESOURCE_CLOSED, "the classes were closed");
    if (!agl_entity_current(c->m, e))
        agl_entity_sync(L, 1, e, c->m);
    if (attr >= c->m->nslots) {
        if (c->m->relations[attr - c->m->nslots]->lazy >= AG_LAZY_WRITE_ONLY && e->state & AG_ES_KEY) {
            agl_orm_hook(L, AGL_OH_LARGE);
            lua_pushvalue(L, 1);
            lua_pushvalue(L, 2);
            lua_callk(L, 2, 1, 0, return_one);
            return 1;
        }
        if (agl_link_push(L, 1, e, c->m, attr - c->m->nslots))
            return 1;
        return index_load(L, c, e, attr, again);
    }
    if (ag_entity_is_unloaded(e, attr)) {
        if (e->state & AG_ES_KEY)
            return index_load(L, c, e, attr, again);
        ag_bit_clear(ag_entity_unloaded(e), attr); /* a new object: nothing but NULL to be read */
    }
    if (c->m->slots[attr].flags & AG_SLOT_INIT_SCALAR && !(e->state & AG_ES_KEY) && !ag_entity_is_dirty(e, attr)) {
        agl_orm_hook(L, AGL_OH_INIT_SCALAR);
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 2);
        lua_callk(L, 2, 1, 0, return_one);
        return 1;
    }
    agl_entity_push(L, 1, e, c->m, attr);
    return 1;
}

/* Not a mapped name: a method, a descriptor, or a mistake. upvalues: class, members, descriptors */
static int index_other(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_gettable(L, lua_upvalueindex(2)) != LUA_TNIL)
        return 1;
    lua_pop(L, 1);
    lua_pushvalue(L, 2);
    if (lua_gettable(L, lua_upvalueindex(3)) != LUA_TNIL) {
        agl_orm_hook(L, AGL_OH_DESCRIPTOR_GET);
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 3);
        lua_pushvalue(L, 2);
        lua_callk(L, 3, 1, 0, return_one);
        return 1;
    }
    return agl_orm_unknown(L, lua_upvalueindex(1), 2);
}

static int entity_index(lua_State *L)
{
    agl_mapper *c = lua_touserdata(L, lua_upvalueindex(1));
    ag_entity *e = agl_entity_test(L, 1);
    int attr = agl_mapper_attr(L, c, 2);
    if (!e)
        return agl_typeerror(L, 1, "a mapped object");
    if (attr < 0)
        return index_other(L);
    return index_result(L, c, (unsigned)attr, false);
}

/* ---- __newindex ---- */

static int set_attr(lua_State *L, agl_mapper *c, unsigned attr, bool again);

static int set_loaded_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    lua_settop(L, 3);
    return set_attr(L, lua_touserdata(L, lua_upvalueindex(1)), (unsigned)ctx, true);
}

/* A collection, or one object of a one-to-one, is replaced: what is there must be known. */
static bool needs_load(const ag_entity *e, const ag_mapper *m, unsigned attr)
{
    const ag_relation *rel = m->relations[attr - m->nslots];
    return e->state & AG_ES_KEY && ag_entity_is_unloaded(e, attr) && ag_orm_session(m->orm, e) &&
           !(rel->flags & AG_REL_VIEWONLY) && (rel->direction != AG_MANY_TO_ONE || rel->flags & AG_REL_ACTIVE_HISTORY);
}

/* Stack: object, name, value */
static int set_attr(lua_State *L, agl_mapper *c, unsigned attr, bool again)
{
    ag_entity *e = lua_touserdata(L, 1);
    if (!agl_entity_current(c->m, e))
        agl_entity_sync(L, 1, e, c->m);
    if (attr < c->m->nslots) {
        agl_orm_set_column(L, 1, e, c->m, attr, 3);
        return 0;
    }
    if (!again && needs_load(e, c->m, attr)) {
        const ag_relation *rel = c->m->relations[attr - c->m->nslots];
        if (rel->lazy >= AG_LAZY_WRITE_ONLY)
            return agl_error(L, AG_EXC_INVALID_REQUEST,
                             "collection %s.%s is never loaded, so it cannot be replaced: use add and remove",
                             c->m->name.p, rel->key.p);
        agl_orm_hook(L, AGL_OH_LAZY);
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 2);
        lua_callk(L, 2, 0, (lua_KContext)attr, set_loaded_k);
        return set_loaded_k(L, LUA_OK, (lua_KContext)attr);
    }
    agl_link_set(L, 1, e, c->m, attr - c->m->nslots, 3);
    return 0;
}

/* After the validators: their value is at the top. */
static int set_k(lua_State *L, int status, lua_KContext ctx)
{
    agl_mapper *c = lua_touserdata(L, lua_upvalueindex(1));
    (void)status;
    lua_replace(L, 3);
    lua_settop(L, 3);
    return set_attr(L, c, (unsigned)ctx, false);
}

static int set_other(lua_State *L)
{
    lua_settop(L, 3);
    lua_pushvalue(L, 2);
    if (lua_gettable(L, lua_upvalueindex(3)) != LUA_TNIL) {
        agl_orm_hook(L, AGL_OH_DESCRIPTOR_SET);
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 4);
        lua_pushvalue(L, 2);
        lua_pushvalue(L, 3);
        lua_callk(L, 4, 0, 0, return_one);
        return 0;
    }
    return agl_orm_unknown(L, lua_upvalueindex(1), 2);
}

static int entity_newindex(lua_State *L)
{
    agl_mapper *c = lua_touserdata(L, lua_upvalueindex(1));
    ag_entity *e = agl_entity_test(L, 1);
    int attr = agl_mapper_attr(L, c, 2);
    if (!e)
        return agl_typeerror(L, 1, "a mapped object");
    if (attr < 0)
        return set_other(L);
    if (!c->m)
        return agl_error(L, AG_EXC_RESOURCE_CLOSED, "the classes were closed");
    if (agl_is_validated(c->m, (unsigned)attr)) {
        agl_orm_hook(L, AGL_OH_VALIDATE);
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 2);
        lua_pushvalue(L, 3);
        lua_callk(L, 3, 1, (lua_KContext)attr, set_k);
        return set_k(L, LUA_OK, (lua_KContext)attr);
    }
    return set_attr(L, c, (unsigned)attr, false);
}

static int entity_tostring(lua_State *L)
{
    const ag_mapper *m;
    ag_entity *e = agl_entity_check(L, 1, &m);
    ag_value pk;
    if (m->npk != 1 || !(e->state & AG_ES_KEY)) {
        lua_pushfstring(L, "<%s: %p>", m->name.p, (void *)e);
        return 1;
    }
    ag_entity_get(&pk, e, m->pk[0]);
    if (pk.kind == AG_V_INT)
        lua_pushfstring(L, "<%s %I>", m->name.p, (LUAI_UACINT)pk.u.i);
    else if (pk.kind == AG_V_TEXT || pk.kind == AG_V_UUID) {
        lua_pushlstring(L, pk.u.s.p, pk.u.s.n);
        lua_pushfstring(L, "<%s '%s'>", m->name.p, lua_tostring(L, -1));
    } else
        lua_pushfstring(L, "<%s: %p>", m->name.p, (void *)e);
    return 1;
}

/* Pushes a metatable for entities of the class at cidx (its members and descriptors must be there). */
void agl_entity_push_meta(lua_State *L, int cidx)
{
    int mt;
    cidx = lua_absindex(L, cidx);
    agl_class_push_copy(L, AGL_K_ENTITY);
    mt = lua_gettop(L);
    lua_pushvalue(L, cidx);
    lua_getiuservalue(L, cidx, AGL_CU_MEMBERS);
    lua_getiuservalue(L, cidx, AGL_CU_DESCRIPTORS);
    lua_pushcclosure(L, entity_index, 3);
    lua_setfield(L, mt, "__index");
    lua_pushvalue(L, cidx);
    lua_getiuservalue(L, cidx, AGL_CU_MEMBERS);
    lua_getiuservalue(L, cidx, AGL_CU_DESCRIPTORS);
    lua_pushcclosure(L, entity_newindex, 3);
    lua_setfield(L, mt, "__newindex");
    lua_pushvalue(L, cidx);
    lua_rawsetp(L, mt, &class_key);
}

/* ---- making ---- */

ag_entity *agl_entity_new(lua_State *L, const ag_mapper *m, size_t bytes, int mt)
{
    size_t size = ag_entity_size(m, bytes);
    ag_entity *e;
    mt = lua_absindex(L, mt);
    e = agl_box_new_raw(L, AGL_K_ENTITY, size, 1 + m->nrelations, 0);
    ag_entity_init(e, m, size);
    lua_pushvalue(L, mt);
    lua_setmetatable(L, -2);
    return e;
}

void agl_open_orm_entity(lua_State *L)
{
    static const luaL_Reg meta[] = {{"__tostring", entity_tostring}, {NULL, NULL}};
    static const agl_class cls = {.name = "entity", .meta = meta};
    agl_class_open(L, AGL_K_ENTITY, &cls);
}

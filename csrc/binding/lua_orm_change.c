/* Changes of attributes: what an object was is remembered, its session tracks it, its dirty bit is set. In this order, so that
 * a lack of memory leaves the object as it was. */
#include "binding/lua_orm.h"
#include "binding/lua_node.h"

/* The session takes note. New objects are tracked already. */
static void track_change(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, ag_session *s, uint32_t flags)
{
    uint32_t index;
    if (!e->track) {
        if (!agl_session_push(L, m, e))
            return;
        index = agl_session_track(L, lua_gettop(L), idx, e, m, flags);
        lua_pop(L, 1);
    } else {
        index = e->track - 1;
        if (!(s->tracked.items[index].flags & AG_TR_NEW))
            ag_track_flags(s, index, 0, flags);
        else
            ag_track_flags(s, index, 0, flags & ~AG_TR_DIRTY);
    }
    agl_must(L, ag_track_before(s, index, agl_err(L)), agl_err(L));
}

void agl_orm_touch(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned attr)
{
    ag_session *s;
    if (ag_entity_is_dirty(e, attr))
        return;
    idx = lua_absindex(L, idx);
    s = ag_orm_session(m->orm, e);
    if (s)
        track_change(L, idx, e, m, s, attr < m->nslots ? AG_TR_DIRTY : AG_TR_DIRTY | AG_TR_LINKS);
    if (attr < m->nslots && e->state & AG_ES_KEY && ag_entity_is_spilled(e, attr) && !ag_entity_is_unloaded(e, attr)) {
        (void)agl_spill_push(L, idx, (lua_Integer)attr);
        agl_spill_set(L, idx, agl_old_key(attr), -1);
        lua_pop(L, 1);
    }
    ag_bit_set(ag_entity_dirty(e), attr);
}

/* Is the value at vidx what the loaded cell holds? Raises for what no column can hold. */
static bool is_same(lua_State *L, int idx, const ag_entity *e, const ag_mapper *m, unsigned slot, int vidx)
{
    ag_value now, v;
    bool same;
    agl_kind kind = agl_kind_at(L, vidx);
    if (kind >= AGL_K_EXPR && kind <= AGL_K_TEXT)
        return false;
    if (kind == AGL_K_ENTITY || kind == AGL_K_COLLECTION || !agl_tovalue(L, vidx, &v)) {
        agl_error(L, AG_EXC_ARGUMENT, "%s.%s cannot be %s", m->name.p, m->slots[slot].key.p,
                  agl_describe(L, vidx, true));
        return false;
    }
    if (ag_entity_is_unloaded(e, slot))
        return false;
    if (ag_entity_is_spilled(e, slot)) {
        (void)agl_spill_push(L, idx, (lua_Integer)slot);
        same = lua_rawequal(L, -1, vidx) && !lua_istable(L, vidx);
        lua_pop(L, 1);
        return same;
    }
    ag_entity_get(&now, e, slot);
    if (lua_islightuserdata(L, vidx) && ag_type_writes_null(m->slots[slot].type))
        return false; /* JSON's null */
    return ag_value_equal(&now, &v);
}

void agl_orm_set_column(lua_State *L, int idx, ag_entity *e, const ag_mapper *m, unsigned slot, int vidx)
{
    bool same = is_same(L, idx, e, m, slot, vidx);
    if (m->slots[slot].flags & AG_SLOT_EXPRESSION)
        agl_error(L, AG_EXC_INVALID_REQUEST, "%s.%s is an SQL expression (column_property): it cannot be assigned",
                  m->name.p, m->slots[slot].key.p);
    if (same && (e->state & AG_ES_KEY || ag_entity_is_dirty(e, slot)))
        return;
    if (ag_entity_is_dirty(e, slot)) {
        agl_entity_write(L, idx, e, m, slot, vidx);
        return;
    }
    agl_orm_touch(L, idx, e, m, slot);
    agl_entity_write(L, idx, e, m, slot, vidx);
    ag_bit_clear(ag_entity_unloaded(e), slot);
}

/* The tracked objects of a session, and their values as the unit of work sees them. */
#include "orm/session.h"

/* Keep nnew, ndirty, ndelete, ngone right while an entry's flags change. */
static void count_flags(ag_session *s, uint32_t before, uint32_t after)
{
    s->nnew += (size_t) !!(after & AG_TR_NEW) - (size_t) !!(before & AG_TR_NEW);
    s->ndirty += (size_t) !!(after & AG_TR_DIRTY) - (size_t) !!(before & AG_TR_DIRTY);
    s->ndelete += (size_t) !!(after & AG_TR_DELETE) - (size_t) !!(before & AG_TR_DELETE);
    s->ngone += (size_t) !!(after & AG_TR_GONE) - (size_t) !!(before & AG_TR_GONE);
}

void ag_track_flags(ag_session *s, uint32_t index, uint32_t clear, uint32_t set)
{
    ag_tracked *t = &s->tracked.items[index];
    uint32_t flags = (t->flags & ~clear) | set;
    count_flags(s, t->flags, flags);
    t->flags = flags;
}

ag_status ag_track(ag_session *s, ag_entity *e, const ag_mapper *m, uint32_t flags, uint32_t *index, ag_error *err)
{
    if (!e->track) {
        ag_tracked t = {.entity = e, .mapper = m};
        if (s->tracked.len >= AG_NO_OBJECT - 1u || !ag_vec_push(&s->tracked, t))
            return ag_fail_nomem(err);
        e->track = (uint32_t)s->tracked.len;
    }
    *index = e->track - 1;
    ag_track_flags(s, *index, 0, flags);
    return AG_OK;
}

ag_status ag_track_before(ag_session *s, uint32_t index, ag_error *err)
{
    ag_tracked *t = &s->tracked.items[index];
    ag_entity *e = t->entity;
    size_t maps = 16u * e->words;
    char *copy;
    if (t->before || t->flags & AG_TR_NEW)
        return AG_OK;
    copy = ag_arena_memdup(&s->before, ag_entity_unloaded(e), maps + ag_entity_row(e)->size);
    if (!copy)
        return ag_fail_nomem(err);
    t->before = (ag_row *)(void *)(copy + maps);
    for (unsigned w = 0; w < e->words; w++) /* changed before it was tracked: the old value is unknown as well */
        ((uint64_t *)(void *)copy)[w] |= ag_entity_dirty(e)[w];
    return AG_OK;
}

void ag_untrack(ag_session *s, uint32_t index)
{
    ag_tracked *t = &s->tracked.items[index];
    ag_flush_break(s);
    count_flags(s, t->flags, 0);
    if (t->entity)
        t->entity->track = 0;
    *t = (ag_tracked){0};
}

uint32_t ag_track_compact(ag_session *s)
{
    size_t n = s->tracked.len;
    while (n > 0 && !s->tracked.items[n - 1].entity)
        n--;
    s->tracked.len = n;
    if (n == 0)
        ag_arena_reset(&s->before);
    return (uint32_t)n;
}

ag_object_state ag_entity_state(const ag_entity *e, const ag_session *session)
{
    if (!(e->state & AG_ES_KEY))
        return session ? AG_STATE_PENDING : AG_STATE_TRANSIENT;
    if (!session)
        return AG_STATE_DETACHED;
    return e->state & AG_ES_DELETED ? AG_STATE_DELETED : AG_STATE_PERSISTENT;
}

/* ---- values ---- */

ag_status ag_tracked_value(ag_value *out, ag_session *s, uint32_t index, unsigned slot, ag_error *err)
{
    const ag_tracked *t = &s->tracked.items[index];
    const ag_node *expr;
    ag_entity_get(out, t->entity, slot);
    if (out->kind == AG_V_HOST)
        return s->host->cell(s, index, slot, false, out, &expr, err);
    if (out->kind == AG_V_NULL && t->flags & AG_TR_NEW && !ag_entity_is_dirty(t->entity, slot))
        out->kind = AG_V_ABSENT;
    return AG_OK;
}

ag_status ag_tracked_before(ag_value *out, ag_session *s, uint32_t index, unsigned slot, ag_error *err)
{
    const ag_tracked *t = &s->tracked.items[index];
    const ag_node *expr;
    if (!t->before) {
        if (t->flags & AG_TR_NEW || ag_entity_is_dirty(t->entity, slot)) {
            *out = (ag_value){.kind = AG_V_ABSENT};
            return AG_OK;
        }
        return ag_tracked_value(out, s, index, slot, err);
    }
    if (ag_bit_get(ag_tracked_unknown(t), slot) && !(t->mapper->slots[slot].flags & AG_SLOT_PK)) {
        *out = (ag_value){.kind = AG_V_ABSENT};
        return AG_OK;
    }
    ag_row_get(out, t->before, slot);
    return out->kind == AG_V_HOST ? s->host->cell(s, index, slot, true, out, &expr, err) : AG_OK;
}

static bool same_cell(const ag_row *a, const ag_row *b, unsigned slot)
{
    ag_value x, y;
    ag_row_get(&x, a, slot);
    ag_row_get(&y, b, slot);
    return x.kind != AG_V_HOST && ag_value_equal(&x, &y);
}

void ag_tracked_changes(uint64_t *out, const ag_session *s, uint32_t index)
{
    const ag_tracked *t = &s->tracked.items[index];
    ag_entity *e = t->entity;
    const ag_row *now = ag_entity_row(e);
    memcpy(out, ag_entity_dirty(e), 8u * e->words);
    for (unsigned a = t->mapper->nslots; a < ag_mapper_nattrs(t->mapper); a++)
        ag_bit_clear(out, a);
    if (!t->before)
        return;
    for (unsigned w = 0; w < e->words; w++)
        for (uint64_t left = out[w]; left; left &= left - 1) {
            unsigned slot = w * 64 + (unsigned)__builtin_ctzll(left);
            /* a cell that was never loaded has no known old value: it counts as changed */
            if (!ag_bit_get(ag_tracked_unknown(t), slot) && same_cell(now, t->before, slot))
                ag_bit_clear(out, slot);
        }
}

ag_status ag_tracked_put(ag_session *s, uint32_t index, unsigned slot, const ag_value *v, ag_error *err)
{
    ag_entity *e = s->tracked.items[index].entity;
    if (!ag_entity_put(e, slot, v)) {
        AG_TRY(s->host->spill(s, index, slot, v, err));
        ag_entity_set_spilled(e, slot);
    }
    ag_bit_clear(ag_entity_unloaded(e), slot);
    ag_bit_clear(ag_entity_dirty(e), slot);
    return AG_OK;
}

void ag_tracked_expire(ag_session *s, uint32_t index, unsigned slot)
{
    ag_entity *e = s->tracked.items[index].entity;
    ag_bit_set(ag_entity_unloaded(e), slot);
    ag_bit_clear(ag_entity_dirty(e), slot);
}

/* Session slots, epochs and serials; relationship changes of a flush. */
#include "orm/session.h"
#include <string.h>

#define MAX_SESSIONS 0x100000u
#define GENERATIONS  0xfffu
#define FIRST_SLOTS  16u

ag_status ag_orm_new(ag_orm **out, ag_types *types, const ag_alloc *a, ag_error *err)
{
    ag_orm *o = ag_mem_zero(a, 1, sizeof *o);
    if (!o)
        return ag_fail_nomem(err);
    o->slots = ag_mem_zero(a, FIRST_SLOTS, sizeof *o->slots);
    if (!o->slots) {
        ag_mem_free(a, o);
        return ag_fail_nomem(err);
    }
    o->alloc = a;
    o->types = types;
    o->nslots = 1; /* slot 0: objects without a session */
    o->cap = FIRST_SLOTS;
    o->refs = 1;
    *out = o;
    return AG_OK;
}

ag_orm *ag_orm_ref(ag_orm *o)
{
    o->refs++;
    return o;
}

void ag_orm_unref(ag_orm *o)
{
    if (!o || --o->refs)
        return;
    ag_mem_free(o->alloc, o->slots);
    ag_mem_free(o->alloc, o);
}

static ag_status slot_take(ag_orm *o, uint32_t *slot, ag_error *err)
{
    if (o->free_slot) {
        *slot = o->free_slot;
        o->free_slot = o->slots[*slot].next_free;
        return AG_OK;
    }
    if (o->nslots == MAX_SESSIONS)
        return ag_fail(err, AG_EXC_INVALID_REQUEST, "more than %u sessions are open: close those that are not used",
                       MAX_SESSIONS - 1);
    if (o->nslots == o->cap) {
        ag_session_slot *more = ag_mem_resize(o->alloc, o->slots, 2u * o->cap * sizeof *more);
        if (!more)
            return ag_fail_nomem(err);
        o->slots = more;
        o->cap *= 2;
    }
    *slot = o->nslots++;
    return AG_OK;
}

static void set_epoch(ag_session *s)
{
    s->epoch = ++s->orm->epoch;
    s->orm->slots[AG_SESSION_SLOT(s->id)].stamp = ag_session_stamp(s);
}

ag_status ag_session_new(ag_session **out, ag_orm *orm, const ag_session_host *host, void *ud, ag_error *err)
{
    uint32_t slot = 0;
    ag_session *s = ag_mem_zero(orm->alloc, 1, sizeof *s);
    if (!s)
        return ag_fail_nomem(err);
    ag_status status = slot_take(orm, &slot, err);
    if (status != AG_OK) {
        ag_mem_free(orm->alloc, s);
        return status;
    }
    s->orm = ag_orm_ref(orm);
    s->alloc = orm->alloc;
    s->host = host;
    s->ud = ud;
    s->autoflush = s->expire_on_commit = true;
    orm->generation = orm->generation % GENERATIONS + 1;
    s->id = orm->generation << 20 | slot;
    orm->slots[slot] = (ag_session_slot){.session = s};
    set_epoch(s);
    ag_vec_init(&s->tracked, s->alloc);
    ag_vec_init(&s->links, s->alloc);
    ag_vec_init(&s->link_items, s->alloc);
    ag_arena_init(&s->before, s->alloc);
    *out = s;
    return AG_OK;
}

void ag_session_free(ag_session *s)
{
    ag_orm *o;
    uint32_t slot;
    if (!s)
        return;
    ag_flush_break(s);
    o = s->orm;
    slot = AG_SESSION_SLOT(s->id);
    o->slots[slot] = (ag_session_slot){.next_free = o->free_slot};
    o->free_slot = slot;
    ag_vec_clear(&s->tracked);
    ag_vec_clear(&s->links);
    ag_vec_clear(&s->link_items);
    ag_arena_clear(&s->before);
    ag_mem_free(s->alloc, s);
    ag_orm_unref(o);
}

void ag_session_expire_all(ag_session *s)
{
    set_epoch(s);
}

uint32_t ag_session_begin_segment(ag_session *s, bool root)
{
    s->serial++;
    if (root)
        s->base = s->serial;
    return s->serial;
}

void ag_session_clear_links(ag_session *s)
{
    s->links.len = s->link_items.len = 0;
}

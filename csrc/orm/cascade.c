/* What takes part in a flush: first what the session says, then what deletes cascade to. Relationships of deleted objects that are not
 * loaded are loaded by the host, one query a relationship, before the cascade goes on. */
#include "orm/flush.h"

ag_status ag_flush_extend(ag_flush *f, ag_error *err)
{
    ag_session *s = f->session;
    ag_flush_object fresh = {.links = AG_FLUSH_NONE, .syncs = AG_FLUSH_NONE, .twin = AG_FLUSH_NONE};
    if (!ag_vec_reserve(&f->objects, s->tracked.len - f->objects.len) ||
        !ag_vec_reserve(&f->next_link, s->links.len - f->next_link.len))
        return ag_fail_nomem(err);
    while (f->objects.len < s->tracked.len)
        f->objects.items[f->objects.len++] = fresh;
    for (size_t i = f->next_link.len; i < s->links.len; i++) {
        ag_flush_object *o = &f->objects.items[s->links.items[i].object];
        f->next_link.items[i] = o->links;
        o->links = (uint32_t)i;
    }
    f->next_link.len = s->links.len;
    return AG_OK;
}

static ag_action first_action(const ag_tracked *t)
{
    if (!t->entity || t->flags & AG_TR_GONE)
        return AG_ACT_NONE;
    if (t->flags & AG_TR_NEW)
        return t->flags & (AG_TR_ORPHAN | AG_TR_DELETE) ? AG_ACT_FORGET : AG_ACT_INSERT;
    if (t->flags & (AG_TR_DELETE | AG_TR_ORPHAN))
        return AG_ACT_DELETE;
    return t->flags & (AG_TR_DIRTY | AG_TR_LINKS) ? AG_ACT_UPDATE : AG_ACT_NONE;
}

ag_status ag_flush_collect(ag_flush *f, ag_error *err)
{
    AG_TRY(ag_flush_extend(f, err));
    for (size_t i = 0; i < f->objects.len; i++)
        f->objects.items[i].action = (uint8_t)first_action(&f->session->tracked.items[i]);
    return AG_OK;
}

/* The object's loaded links of a relationship, NULL when it is not loaded. */
static const ag_links *loaded_links(const ag_flush *f, uint32_t object, uint16_t relation)
{
    for (uint32_t l = f->objects.items[object].links; l != AG_FLUSH_NONE; l = f->next_link.items[l]) {
        const ag_links *links = &f->session->links.items[l];
        if (links->relation == relation && links->flags & AG_LINKS_LOADED)
            return links;
    }
    return NULL;
}

/* Must the members be known before the parent can be deleted? */
static bool needs_members(const ag_relation *r)
{
    if (r->flags & AG_REL_VIEWONLY || r->flags & (AG_REL_PASSIVE_DELETES | AG_REL_PASSIVE_DELETES_ALL))
        return false;
    if (r->cascade & AG_CASCADE_DELETE)
        return true;
    return r->direction == AG_ONE_TO_MANY || r->direction == AG_MANY_TO_MANY;
}

static void mark_deleted(ag_flush *f, uint32_t object)
{
    ag_flush_object *o = &f->objects.items[object];
    const ag_tracked *t = &f->session->tracked.items[object];
    if (!t->entity || t->flags & AG_TR_GONE)
        return;
    o->action = t->flags & AG_TR_NEW ? AG_ACT_FORGET : AG_ACT_DELETE;
}

static void cascade_members(ag_flush *f, const uint32_t *members, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint8_t action = f->objects.items[members[i]].action;
        if (action != AG_ACT_DELETE && action != AG_ACT_FORGET)
            mark_deleted(f, members[i]);
    }
}

/* Delete what a deleted object's loaded relationships cascade to. */
static void cascade_object(ag_flush *f, uint32_t object)
{
    const ag_mapper *m = ag_flush_mapper(f, object);
    const uint32_t *items = f->session->link_items.items;
    for (uint32_t l = f->objects.items[object].links; l != AG_FLUSH_NONE; l = f->next_link.items[l]) {
        const ag_links *links = &f->session->links.items[l];
        const ag_relation *r = m->relations[links->relation];
        if (r->flags & AG_REL_VIEWONLY || !(r->cascade & AG_CASCADE_DELETE))
            continue;
        cascade_members(f, items + links->kept, links->nkept);
        cascade_members(f, items + links->added, links->nadded);
    }
    f->objects.items[object].cascaded = true;
}

/* Objects of one class among the deleted ones whose relationship r is unknown, into f->wanted. */
static ag_status want_objects(ag_flush *f, const ag_mapper *m, const ag_relation *r, ag_error *err)
{
    f->wanted.len = 0;
    for (uint32_t i = 0; i < f->objects.len; i++) {
        const ag_flush_object *o = &f->objects.items[i];
        if (o->action == AG_ACT_DELETE && !o->cascaded && ag_flush_mapper(f, i) == m && !loaded_links(f, i, r->index) &&
            !ag_vec_push(&f->wanted, i))
            return ag_fail_nomem(err);
    }
    return AG_OK;
}

ag_status ag_flush_cascade(ag_flush *f, const ag_mapper **mapper, const ag_relation **load, ag_error *err)
{
    *load = NULL;
    AG_TRY(ag_flush_extend(f, err));
    for (bool again = true; again;) {
        again = false;
        for (uint32_t i = 0; i < f->objects.len; i++) {
            const ag_flush_object *o = &f->objects.items[i];
            if (o->action != AG_ACT_DELETE || o->cascaded)
                continue;
            const ag_mapper *m = ag_flush_mapper(f, i);
            for (uint16_t k = 0; k < m->nrelations; k++) {
                if (needs_members(m->relations[k]) && !loaded_links(f, i, k)) {
                    *mapper = m;
                    *load = m->relations[k];
                    return want_objects(f, m, *load, err);
                }
            }
            cascade_object(f, i);
            again = true;
        }
    }
    return AG_OK;
}

static bool copies_changed_key(const ag_flush *f, uint32_t object, uint16_t relation)
{
    const ag_relation *r = ag_flush_mapper(f, object)->relations[relation];
    return f->objects.items[object].action == AG_ACT_UPDATE && r->direction == AG_ONE_TO_MANY &&
           !(r->flags & (AG_REL_VIEWONLY | AG_REL_PASSIVE_UPDATES)) && ag_flush_key_changes(f, r, object) &&
           !loaded_links(f, object, relation);
}

ag_status ag_flush_moved_keys(ag_flush *f, const ag_mapper **mapper, const ag_relation **load, ag_error *err)
{
    *load = NULL;
    for (; f->moved < f->objects.len; f->moved++, f->moved_relation = 0) {
        const ag_mapper *m = ag_flush_entity(f, f->moved) ? ag_flush_mapper(f, f->moved) : NULL;
        while (m && f->moved_relation < m->nrelations) {
            uint16_t k = f->moved_relation++; /* asked once, whatever comes back */
            if (!copies_changed_key(f, f->moved, k))
                continue;
            *mapper = m;
            *load = m->relations[k];
            f->wanted.len = 0;
            for (uint32_t i = f->moved; i < f->objects.len; i++) {
                if (ag_flush_entity(f, i) && ag_flush_mapper(f, i) == m && copies_changed_key(f, i, k) &&
                    !ag_vec_push(&f->wanted, i))
                    return ag_fail_nomem(err);
            }
            return AG_OK;
        }
    }
    return AG_OK;
}

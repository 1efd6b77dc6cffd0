/* The flush operation: collect and cascade, plan, write, and report what moved. Everything that can fail happens before the tracked
 * entries' flags are touched; a flush that is not finished puts every cell back. */
#include "orm/persist.h"

static void work_free(ag_flush *f)
{
    ag_persist_clear(f);
    ag_vec_clear(&f->objects);
    ag_vec_clear(&f->next_link);
    ag_vec_clear(&f->syncs);
    ag_vec_clear(&f->pairs);
    ag_vec_clear(&f->undo);
    ag_vec_clear(&f->save_edges);
    ag_vec_clear(&f->delete_edges);
    ag_vec_clear(&f->order);
    ag_vec_clear(&f->wanted);
    ag_vec_clear(&f->filled);
    ag_vec_clear(&f->queue);
    ag_arena_clear(&f->arena);
    ag_arena_clear(&f->scratch);
    ag_mem_free(f->alloc, f);
}

/* Move what the objects became into the tracked flags, for the host. */
static void report(ag_flush *f)
{
    for (size_t i = 0; i < f->objects.len; i++) {
        const ag_flush_object *o = &f->objects.items[i];
        ag_tracked *t = &f->session->tracked.items[i];
        switch ((ag_action)o->action) {
        case AG_ACT_INSERT: t->flags |= AG_TR_INSERTED; break;
        case AG_ACT_UPDATE: t->flags |= AG_TR_UPDATED; break;
        case AG_ACT_DELETE: t->flags |= AG_TR_DELETED; break;
        case AG_ACT_FORGET: t->flags |= AG_TR_FORGET; break;
        default: continue;
        }
        if (o->action != AG_ACT_UPDATE || !t->before)
            continue;
        for (uint16_t k = 0; k < t->mapper->npk; k++) {
            if (ag_entity_is_dirty(t->entity, t->mapper->pk[k]))
                t->flags |= AG_TR_KEYSWITCH;
        }
    }
}

/* ---- row switches: a deleted object's key taken by a new one ---- */

static ag_status find_twins(ag_flush *f, ag_error *err)
{
    ag_map deleted;
    ag_status status = AG_OK;
    ag_map_init(&deleted, f->alloc);
    for (int pass = 0; pass < 2 && status == AG_OK; pass++) {
        for (uint32_t i = 0; i < f->objects.len && status == AG_OK; i++) {
            ag_flush_object *o = &f->objects.items[i];
            ag_value pk[16];
            ag_buf key;
            if (o->action != (pass ? AG_ACT_INSERT : AG_ACT_DELETE) || ag_flush_mapper(f, i)->npk > 16 ||
                (pass && !deleted.len))
                continue;
            const ag_mapper *m = ag_flush_mapper(f, i);
            ag_entity_key(pk, m, ag_flush_entity(f, i), f->session->tracked.items[i].before);
            if (ag_identity_is_null(m, pk))
                continue;
            ag_buf_init(&key, f->alloc);
            ag_buf_add(&key, &m, sizeof m);
            ag_identity_key(&key, m, pk);
            bool added;
            char *bytes = ag_buf_ok(&key) ? ag_arena_memdup(&f->arena, key.data, key.len) : NULL;
            ag_map_entry *e = !bytes ? NULL
                              : pass ? ag_map_find(&deleted, bytes, key.len)
                                     : ag_map_put(&deleted, bytes, key.len, &added);
            if (!bytes || (!pass && !e))
                status = ag_fail_nomem(err);
            else if (!pass)
                e->v.u = i;
            else if (e) {
                o->twin = (uint32_t)e->v.u;
                f->objects.items[e->v.u].wrote = true; /* its row lives on: no DELETE */
            }
            ag_buf_clear(&key);
        }
    }
    ag_map_clear(&deleted);
    return status;
}

/* ---- post_update: foreign keys of cycles, in an UPDATE of their own ---- */

static ag_status order_post_updates(ag_flush *f, ag_error *err)
{
    f->order.len = 0;
    for (uint32_t i = 0; i < f->objects.len; i++) {
        bool post = false;
        for (uint32_t s = f->objects.items[i].syncs; s != AG_FLUSH_NONE; s = f->syncs.items[s].next)
            post |= f->syncs.items[s].post_update;
        if (post && ag_flush_is_saved(&f->objects.items[i]) && !ag_vec_push(&f->order, i))
            return ag_fail_nomem(err);
    }
    return AG_OK;
}

/* ---- versions that were expired: the row is compared with what it is now ---- */

/* Objects of one class whose version has to be read first, into f->wanted. */
static ag_status want_versions(ag_flush *f, const ag_mapper **mapper, ag_error *err)
{
    *mapper = NULL;
    f->wanted.len = 0;
    for (uint32_t i = 0; i < f->objects.len; i++) {
        ag_flush_object *o = &f->objects.items[i];
        const ag_mapper *m = ag_flush_entity(f, i) ? ag_flush_mapper(f, i) : NULL;
        if (!m || m->version_slot == AG_NO_SLOT || o->asked ||
            (o->action != AG_ACT_UPDATE && o->action != AG_ACT_DELETE) ||
            !ag_entity_is_unloaded(ag_flush_entity(f, i), m->version_slot) || (*mapper && *mapper != m))
            continue;
        *mapper = m;
        o->asked = true;
        o->version = (ag_value){.kind = AG_V_ABSENT};
        if (!ag_vec_push(&f->wanted, i))
            return ag_fail_nomem(err);
    }
    return AG_OK;
}

#define MUST(expr)                                                                                                     \
    do {                                                                                                               \
        if ((expr) != AG_OK)                                                                                           \
            return AG_STEP_FAILED;                                                                                     \
    } while (0)

/* Have the host load an attribute of f->wanted. */
static bool ask(ag_flush *f, ag_op *op, ag_orm_call_kind kind, const ag_mapper *m, uint16_t attribute)
{
    f->call = (ag_orm_call){.kind = kind,
                            .session = f->session,
                            .mapper = m,
                            .objects = f->wanted.items,
                            .nobjects = f->wanted.len,
                            .relation = attribute,
                            .conn = f->conn};
    op->call = (ag_call){.kind = AG_CALL_OTHER, .fn = AG_ORM_FN, .args = &f->call};
    return true;
}

/* The host has loaded what was asked for, and may have begun to track more. */
static ag_status loaded(ag_flush *f, ag_op *op, ag_error *err)
{
    if (!op->call.failed)
        return ag_flush_extend(f, err);
    ag_error_move(err, &op->call.error);
    return AG_ERROR;
}

/* The versions just read: what is known of the objects from before their changes does not have them. */
static ag_status keep_versions(ag_flush *f, ag_error *err)
{
    for (size_t i = 0; i < f->wanted.len; i++) {
        uint32_t object = f->wanted.items[i];
        unsigned slot = ag_flush_mapper(f, object)->version_slot;
        ag_value v;
        if (ag_entity_is_unloaded(ag_flush_entity(f, object), slot))
            continue;
        AG_TRY(ag_tracked_value(&v, f->session, object, slot, err));
        AG_TRY(ag_value_copy(&f->objects.items[object].version, &v, &f->arena, err));
    }
    return AG_OK;
}

/* What takes part, what depends on what. */
static ag_step plan_step(ag_flush *f, ag_op *op, ag_error *err)
{
    const ag_mapper *mapper;
    const ag_relation *load;
    AG_CO_BEGIN(f->line_plan);
    MUST(ag_flush_collect(f, err));
    for (;;) {
        MUST(ag_flush_cascade(f, &mapper, &load, err));
        if (!load)
            break;
        ask(f, op, AG_ORM_LOAD, mapper, load->index);
        AG_CO_YIELD(f->line_plan, AG_STEP_CALL);
        MUST(loaded(f, op, err));
    }
    for (;;) {
        MUST(ag_flush_moved_keys(f, &mapper, &load, err));
        if (!load)
            break;
        ask(f, op, AG_ORM_LOAD, mapper, load->index);
        AG_CO_YIELD(f->line_plan, AG_STEP_CALL);
        MUST(loaded(f, op, err));
    }
    MUST(ag_flush_plan(f, err));
    MUST(find_twins(f, err));
    for (;;) {
        MUST(want_versions(f, &mapper, err));
        if (!mapper)
            break;
        ask(f, op, AG_ORM_REFRESH, mapper, mapper->version_slot);
        AG_CO_YIELD(f->line_plan, AG_STEP_CALL);
        MUST(loaded(f, op, err));
        MUST(keep_versions(f, err));
    }
    MUST(ag_flush_free_keys(f, &f->early, err));
    AG_CO_END(f->line_plan);
    return AG_STEP_DONE;
}

void ag_flush_break(ag_session *s)
{
    ag_flush *f = s->flush;
    if (!f)
        return;
    s->flush = NULL;
    ag_flush_rollback(f);
    f->broken = true;
    f->session = NULL;
}

static ag_step flush_step(ag_op *base, ag_error *err)
{
    ag_flush_op *op = (ag_flush_op *)(void *)base;
    ag_flush *f = op->work;
    if (f->broken) {
        (void)ag_fail(err, AG_EXC_INVALID_REQUEST,
                      "objects left the Session while it was flushing: a listener closed it, rolled it back, or "
                      "expunged, expired or "
                      "refreshed them");
        return AG_STEP_FAILED;
    }
    AG_CO_BEGIN(base->line);
    AG_CO_AWAIT(base->line, plan_step(f, base, err));
    if (f->early) {
        f->removing = true;
        AG_CO_AWAIT(base->line, ag_flush_pairs_step(f, base, err));
        f->removing = false;
        MUST(ag_flush_order(f, true, true, err));
        AG_CO_AWAIT(base->line, ag_flush_delete_step(f, base, err));
    }
    MUST(ag_flush_order(f, false, false, err));
    AG_CO_AWAIT(base->line, ag_flush_save_step(f, base, err));
    MUST(order_post_updates(f, err));
    if (f->order.len) { /* the same rows once more */
        AG_CO_AWAIT(base->line, ag_flush_send_step(f, base, err));
    }
    f->posting = true;
    AG_CO_AWAIT(base->line, ag_flush_save_step(f, base, err));
    f->posting = false;
    AG_CO_AWAIT(base->line, ag_flush_pairs_step(f, base, err));
    MUST(ag_flush_order(f, true, false, err));
    AG_CO_AWAIT(base->line, ag_flush_delete_step(f, base, err));
    AG_CO_AWAIT(base->line, ag_flush_send_step(f, base, err));
    report(f);
    f->undo.len = 0;
    f->done = true;
    f->session->flush = NULL;
    AG_CO_END(base->line);
    return AG_STEP_DONE;
}

static void flush_clear(ag_op *base)
{
    ag_flush_op *op = (ag_flush_op *)(void *)base;
    if (!op->work)
        return;
    if (!op->work->done && !op->work->broken) {
        ag_flush_rollback(op->work);
        op->work->session->flush = NULL;
    }
    work_free(op->work);
    op->work = NULL;
}

ag_status ag_flush_init(ag_flush_op *op, ag_session *s, ag_connection *c, ag_error *err)
{
    const ag_alloc *a = s->alloc;
    *op = (ag_flush_op){.op = {.step = flush_step, .clear = flush_clear, .name = "flush"}, .session = s};
    ag_flush *f = ag_mem_zero(a, 1, sizeof *f);
    if (!f)
        return ag_fail_nomem(err);
    f->session = s;
    f->conn = c;
    f->alloc = a;
    ag_arena_init(&f->arena, a);
    ag_arena_init(&f->scratch, a);
    ag_vec_init(&f->objects, a);
    ag_vec_init(&f->next_link, a);
    ag_vec_init(&f->syncs, a);
    ag_vec_init(&f->pairs, a);
    ag_vec_init(&f->undo, a);
    ag_vec_init(&f->save_edges, a);
    ag_vec_init(&f->delete_edges, a);
    ag_vec_init(&f->order, a);
    ag_vec_init(&f->wanted, a);
    ag_vec_init(&f->filled, a);
    ag_vec_init(&f->queue, a);
    op->work = f;
    ag_flush_break(s); /* one whose coroutine was dropped */
    s->flush = f;
    if (!ag_vec_reserve(&f->wanted, 1)) {
        flush_clear(&op->op);
        return ag_fail_nomem(err);
    }
    return AG_OK;
}

ag_exec_op *ag_flush_error_exec(ag_flush_op *op)
{
    return op->work && op->work->exec_live ? &op->work->exec : NULL;
}

/* Writing objects: runs of one class become batches of one statement with many parameter sets; values are bound straight out of the
 * entities' cells. Batches queue up and travel together until something is wanted that only their results tell: a generated key that
 * another row refers to, or a listener that is to see the row. What each object's columns are, and what a statement brings back, is
 * persist_values.c's affair. */
#include "orm/persist.h"
#include "base/buf.h"
#include "sql/select.h"

/* ---- cells ---- */

ag_status ag_flush_put(ag_flush *f, uint32_t object, unsigned slot, const ag_value *v, bool changed, ag_error *err)
{
    ag_session *s = f->session;
    ag_entity *e = ag_flush_entity(f, object);
    ag_flush_undo u = {.object = object,
                       .slot = (uint16_t)slot,
                       .unloaded = ag_entity_is_unloaded(e, slot),
                       .dirty = ag_entity_is_dirty(e, slot)};
    ag_value old;
    ag_entity_get(&old, e, slot);
    AG_TRY(ag_value_copy(&u.value, &old, &f->arena, err));
    if (changed)
        AG_TRY(ag_track_before(s, object, err));
    if (!ag_vec_push(&f->undo, u))
        return ag_fail_nomem(err);
    AG_TRY(ag_tracked_put(s, object, slot, v, err));
    if (changed)
        ag_bit_set(ag_entity_dirty(e), slot);
    return AG_OK;
}

void ag_flush_rollback(ag_flush *f)
{
    while (f->undo.len) {
        ag_flush_undo u = ag_vec_pop(&f->undo);
        ag_entity *e = ag_flush_entity(f, u.object);
        if (!e)
            continue;
        if (u.value.kind == AG_V_HOST)
            ag_entity_set_spilled(e, u.slot);
        else
            (void)ag_entity_put(e, u.slot, &u.value); /* it was there before: it fits */
        (u.unloaded ? ag_bit_set : ag_bit_clear)(ag_entity_unloaded(e), u.slot);
        (u.dirty ? ag_bit_set : ag_bit_clear)(ag_entity_dirty(e), u.slot);
    }
}

/* ---- one batch ---- */

#define MUST(expr)                                                                                                     \
    do {                                                                                                               \
        if ((expr) != AG_OK)                                                                                           \
            return AG_STEP_FAILED;                                                                                     \
    } while (0)

ag_status ag_persist_value_before(ag_value *out, ag_session *s, uint32_t object, unsigned slot, ag_error *err)
{
    const ag_tracked *t = &s->tracked.items[object];
    if (t->flags & AG_TR_NEW || !ag_entity_is_dirty(t->entity, slot)) /* a new object takes over a row of its key */
        return ag_tracked_value(out, s, object, slot, err);
    if (t->before) {
        ag_row_get(out, t->before, slot);
        if (out->kind != AG_V_HOST)
            return AG_OK;
    }
    return ag_tracked_before(out, s, object, slot, err);
}

ag_status ag_persist_version_before(ag_value *out, ag_flush *f, uint32_t object, ag_error *err)
{
    const ag_flush_object *o = &f->objects.items[object];
    if (!o->asked || o->version.kind == AG_V_ABSENT)
        return ag_persist_value_before(out, f->session, object, ag_flush_mapper(f, object)->version_slot, err);
    *out = o->version;
    return AG_OK;
}

static ag_status batch_fill(void *ud, size_t set, ag_value *out, ag_error *err)
{
    const ag_persist_batch *b = ud;
    ag_session *s = b->flush->session;
    for (uint32_t k = 0; k < b->nkeys; k++) {
        const ag_persist_key *key = &b->keys[k];
        uint32_t object = b->objects[set];
        if (key->before && key->slot == b->mapper->version_slot)
            AG_TRY(ag_persist_version_before(&out[k], b->flush, object, err));
        else if (key->before)
            AG_TRY(ag_persist_value_before(&out[k], s, object, key->slot, err));
        else
            AG_TRY(ag_tracked_value(&out[k], s, object, key->slot, err));
        if (out[k].kind == AG_V_ABSENT)
            out[k] = ag_value_null();
    }
    return AG_OK;
}

static ag_status batch_start(ag_flush *f, ag_persist_batch *b, ag_error *err)
{
    b->flush = f;
    b->objects =
        ag_arena_memdup(&f->scratch, b->objects, b->n * sizeof *b->objects); /* f->order goes on to the next phase */
    if (!b->objects)
        return ag_fail_nomem(err);
    b->names = ag_arena_new(&f->scratch, (b->nkeys + 1) * sizeof *b->names);
    if (!b->names)
        return ag_fail_nomem(err);
    for (uint32_t k = 0; k < b->nkeys; k++)
        b->names[k] = b->keys[k].name;
    b->request = (ag_exec_request){
        .stmt = b->stmt,
        .params =
            {.nsets = b->n, .many = b->n > 1, .nkeys = b->nkeys, .keys = b->names, .fill = batch_fill, .fill_ud = b},
        .want_rowcounts = !b->insert,
        .bulk = !b->insert,
        .sql_nulls = true,
    };
    for (size_t i = 0; i < b->n; i++)
        f->objects.items[b->objects[i]].wrote = f->objects.items[b->objects[i]].queued = true;
    return ag_persist_queue(f, b, err);
}

ag_status ag_persist_queue(ag_flush *f, ag_persist_batch *b, ag_error *err)
{
    return ag_vec_push(&f->queue, b) ? AG_OK : ag_fail_nomem(err);
}

/* The segment is over, or abandoned. */
static void queue_end(ag_flush *f)
{
    if (f->exec_live)
        ag_op_clear(&f->exec.op);
    f->exec_live = false;
    for (size_t i = 0; i < f->queue.len; i++) {
        const ag_persist_batch *b = f->queue.items[i];
        for (size_t k = 0; b->objects && k < b->n; k++)
            f->objects.items[b->objects[k]].queued = false;
    }
    f->queue.len = 0;
    ag_arena_reset(&f->scratch);
}

static ag_status queue_start(ag_flush *f, ag_error *err)
{
    ag_exec_request *requests = ag_arena_new(&f->scratch, f->queue.len * sizeof *requests);
    if (!requests)
        return ag_fail_nomem(err);
    for (size_t i = 0; i < f->queue.len; i++)
        requests[i] = f->queue.items[i]->request;
    AG_TRY(ag_exec_init(&f->exec, f->conn, requests, f->queue.len, err));
    f->exec_live = true;
    return AG_OK;
}

ag_step ag_flush_send_step(ag_flush *f, ag_op *op, ag_error *err)
{
    AG_CO_BEGIN(f->line_send);
    if (f->queue.len) {
        MUST(queue_start(f, err));
        AG_CO_AWAIT(f->line_send, ag_op_sub(op, &f->exec.op, err));
        for (size_t i = 0; i < f->queue.len; i++)
            MUST(ag_persist_results(f, f->queue.items[i], i, err));
        queue_end(f);
    }
    AG_CO_END(f->line_send);
    return AG_STEP_DONE;
}

/* ---- building statements ---- */

static ag_builder batch_builder(ag_flush *f, ag_error *err)
{
    ag_builder b;
    ag_builder_init(&b, f->alloc, f->session->orm->types, err);
    b.arena = &f->scratch;
    return b;
}

/* column = :name */
static const ag_node *equals_bind(ag_builder *b, const ag_column *c, ag_str name)
{
    ag_bind_spec spec = {.key = name, .type = c->type, .flags = AG_BIND_REQUIRED};
    return ag_binary(b, AG_OP_EQ, c->node, ag_bind(b, &spec));
}

/* Bind name of a WHERE column: table_column, as SQLAlchemy's labels. */
static ag_status where_name(ag_flush *f, const ag_column *c, ag_str *out, ag_error *err)
{
    size_t n = c->table->name.n + 1 + c->name.n;
    char *p = ag_arena_new(&f->scratch, n + 1);
    if (!p)
        return ag_fail_nomem(err);
    memcpy(p, c->table->name.p, c->table->name.n);
    p[c->table->name.n] = '_';
    memcpy(p + c->table->name.n + 1, c->name.p, c->name.n);
    p[n] = '\0';
    *out = (ag_str){p, n};
    return AG_OK;
}

/* Append the keys of WHERE (primary key, version) to the batch, and the conditions to conds. */
static ag_status add_where(ag_flush *f, ag_persist_batch *p, ag_builder *b, const ag_mapper *m, uint16_t table,
                           const ag_node **conds, size_t *nconds, ag_error *err)
{
    const ag_mapped_table *t = &m->tables[table];
    for (uint16_t i = 0; i < t->npk; i++) {
        const ag_column *c = t->table->primary_key[i];
        ag_persist_key key = {.slot = t->pk[i], .before = true};
        AG_TRY(where_name(f, c, &key.name, err));
        conds[(*nconds)++] = equals_bind(b, c, key.name);
        p->keys[p->nkeys++] = key;
    }
    if (m->version_slot != AG_NO_SLOT && table == 0) {
        const ag_column *c = m->slots[m->version_slot].column;
        ag_persist_key key = {.slot = m->version_slot, .before = true};
        AG_TRY(where_name(f, c, &key.name, err));
        conds[(*nconds)++] = equals_bind(b, c, key.name);
        p->keys[p->nkeys++] = key;
    }
    return AG_OK;
}

ag_status ag_persist_insert(ag_flush *f, ag_persist_batch *p, const ag_mapper *m, uint16_t table, const uint64_t *shape,
                            ag_error *err)
{
    ag_builder b = batch_builder(f, err);
    const ag_mapped_table *t = &m->tables[table];
    size_t room = t->table->ncolumns + 1u, nset = 0;
    const ag_node **columns = ag_arena_new(&f->scratch, room * sizeof *columns);
    const ag_node **values = ag_arena_new(&f->scratch, room * sizeof *values);
    p->insert = true;
    p->keys = ag_arena_new(&f->scratch, room * sizeof *p->keys);
    if (!p->keys || !columns || !values)
        return ag_fail_nomem(err);
    for (uint32_t c = 0; c < t->ncolumns; c++) {
        if (!ag_bit_get(shape, c))
            continue;
        AG_TRY(ag_persist_expression(f, p->objects[0], t->slots[c], &values[nset], err));
        if (values[nset])
            columns[nset++] = t->table->columns[c]->node;
        else
            p->keys[p->nkeys++] = (ag_persist_key){.name = t->table->columns[c]->key, .slot = t->slots[c]};
    }
    p->stmt = ag_insert(&b, t->table->node);
    if (nset)
        p->stmt = ag_dml_values(&b, p->stmt, columns, values, nset);
    ag_builder_clear(&b);
    return p->stmt ? batch_start(f, p, err) : AG_ERROR;
}

ag_status ag_persist_update(ag_flush *f, ag_persist_batch *p, const ag_mapper *m, uint16_t table, const uint64_t *shape,
                            ag_error *err)
{
    ag_builder b = batch_builder(f, err);
    const ag_mapped_table *t = &m->tables[table];
    size_t room = t->table->ncolumns + t->npk + 2u, nconds = 0, nset = 0;
    const ag_node **conds = ag_arena_new(&f->scratch, room * sizeof *conds);
    const ag_node **columns = ag_arena_new(&f->scratch, room * sizeof *columns);
    const ag_node **values = ag_arena_new(&f->scratch, room * sizeof *values);
    p->keys = ag_arena_new(&f->scratch, room * sizeof *p->keys);
    if (!conds || !columns || !values || !p->keys)
        return ag_fail_nomem(err);
    for (uint32_t c = 0; c < t->ncolumns; c++) {
        const ag_column *column = t->table->columns[c];
        if (!ag_bit_get(shape, c))
            continue;
        ag_bind_spec spec = {.key = column->key, .type = column->type, .flags = AG_BIND_REQUIRED | AG_BIND_DML};
        columns[nset] = column->node;
        values[nset] = NULL;
        AG_TRY(ag_persist_expression(f, p->objects[0], t->slots[c], &values[nset], err));
        if (!values[nset]) {
            values[nset] = ag_bind(&b, &spec);
            p->keys[p->nkeys++] = (ag_persist_key){.name = column->key, .slot = t->slots[c]};
        }
        nset++;
    }
    AG_TRY(add_where(f, p, &b, m, table, conds, &nconds, err));
    const ag_node *stmt = ag_stmt_add(&b, ag_update(&b, t->table->node), AG_CL_WHERE, conds, nconds, true);
    p->stmt = ag_dml_values(&b, stmt, columns, values, nset);
    ag_builder_clear(&b);
    return p->stmt ? batch_start(f, p, err) : AG_ERROR;
}

ag_status ag_persist_delete(ag_flush *f, ag_persist_batch *p, const ag_mapper *m, uint16_t table, ag_error *err)
{
    ag_builder b = batch_builder(f, err);
    size_t room = m->tables[table].npk + 2u, nconds = 0;
    const ag_node **conds = ag_arena_new(&f->scratch, room * sizeof *conds);
    p->keys = ag_arena_new(&f->scratch, room * sizeof *p->keys);
    if (!conds || !p->keys)
        return ag_fail_nomem(err);
    AG_TRY(add_where(f, p, &b, m, table, conds, &nconds, err));
    p->stmt = ag_stmt_add(&b, ag_delete(&b, m->tables[table].table->node), AG_CL_WHERE, conds, nconds, true);
    ag_builder_clear(&b);
    return p->stmt ? batch_start(f, p, err) : AG_ERROR;
}

/* ---- events ---- */

/* Ask for a mapper event of one object; true when there are listeners. */
static bool event_call(ag_flush *f, ag_op *op, ag_mapper_event event, uint32_t object)
{
    const ag_mapper *m = ag_flush_mapper(f, object);
    if (!(m->events & AG_ME_BIT(event)))
        return false;
    f->i = object;
    f->wanted.len = 0;
    if (!ag_vec_push(&f->wanted, object))
        return false; /* reserved at init */
    f->call = (ag_orm_call){.kind = AG_ORM_EVENT,
                            .session = f->session,
                            .event = event,
                            .mapper = m,
                            .objects = f->wanted.items,
                            .nobjects = 1,
                            .conn = f->conn};
    op->call = (ag_call){.kind = AG_CALL_OTHER, .fn = AG_ORM_FN, .args = &f->call};
    return true;
}

/* The columns of the object that this flush has filled in (defaults, versions, what the database gave), keys not counted. */
static ag_status find_filled(ag_flush *f, uint32_t object, ag_error *err)
{
    const ag_mapper *m = ag_flush_mapper(f, object);
    f->filled.len = 0;
    for (size_t i = 0; m->events & AG_ME_BIT(AG_ME_REFRESH_FLUSH) && i < f->undo.len; i++) {
        const ag_flush_undo *u = &f->undo.items[i];
        bool known = u->object != object || m->slots[u->slot].flags & (AG_SLOT_PK | AG_SLOT_FK);
        for (size_t k = 0; !known && k < f->filled.len; k++)
            known = f->filled.items[k] == u->slot;
        if (!known && !ag_vec_push(&f->filled, u->slot))
            return ag_fail_nomem(err);
    }
    return AG_OK;
}

/* Ask for refresh_flush of an object; true when there is something to tell. */
static bool filled_call(ag_flush *f, ag_op *op, uint32_t object)
{
    if (!f->filled.len || !event_call(f, op, AG_ME_REFRESH_FLUSH, object))
        return false;
    f->call.slots = f->filled.items;
    f->call.nslots = f->filled.len;
    return true;
}

/* The host's answer: an error it raised. */
static ag_status answered(ag_op *op, ag_error *err)
{
    if (!op->call.failed)
        return AG_OK;
    ag_error_move(err, &op->call.error);
    return AG_ERROR;
}

#define CALL(line_, condition)                                                                                         \
    if (condition) {                                                                                                   \
        AG_CO_YIELD(line_, AG_STEP_CALL);                                                                              \
        if (answered(op, err) != AG_OK)                                                                                \
            return AG_STEP_FAILED;                                                                                     \
    }
/* ---- runs ---- */

/* End of the run that begins at f->at: one class, one action, one layer. */
static size_t run_end(const ag_flush *f)
{
    const ag_flush_object *first = &f->objects.items[f->order.items[f->at]];
    size_t end = f->at + 1;
    for (; end < f->order.len; end++) {
        uint32_t object = f->order.items[end];
        const ag_flush_object *o = &f->objects.items[object];
        if (ag_flush_mapper(f, object) != ag_flush_mapper(f, f->order.items[f->at]) || o->action != first->action ||
            o->rank != first->rank || o->layer != first->layer)
            break;
    }
    return end;
}

#define MOST_QUEUED 64u /* batches: what is in flight stays bounded */

/* Write one table of the run f->at … f->end, batch after batch. */
static ag_step save_table_step(ag_flush *f, ag_op *op, ag_error *err)
{
    AG_CO_BEGIN(f->line_batch);
    f->batch = f->at;
    while (f->batch < f->end) {
        ag_persist_batch *p;
        if (f->queue.len >= MOST_QUEUED) {
            AG_CO_AWAIT(f->line_batch, ag_flush_send_step(f, op, err));
        }
        MUST(ag_persist_next(f, &p, err)); /* p NULL: nothing to write for those objects */
    }
    AG_CO_END(f->line_batch);
    return AG_STEP_DONE;
}

/* Do the rows of the run get their keys from the database, so that the next table of the class must wait for them? */
static bool keys_wait(const ag_flush *f)
{
    for (size_t i = f->at; i < f->end; i++) {
        uint32_t object = f->order.items[i];
        const ag_mapper *m = ag_flush_mapper(f, object);
        for (uint16_t k = 0; f->objects.items[object].queued && k < m->npk; k++) {
            if (ag_persist_unknown(f, object, m->pk[k]))
                return true;
        }
    }
    return false;
}

/* May a callback of the run's class look at the database? Then what was queued is to be there. */
static bool calls_host(const ag_flush *f)
{
    const ag_mapper *m = ag_flush_mapper(f, f->order.items[f->at]);
    if (m->events & AG_ME_FLUSH || m->version_generator)
        return true;
    for (uint16_t i = 0; i < m->nslots; i++) {
        if (m->slots[i].column && m->slots[i].column->def.kind == AG_DEFAULT_CALLABLE)
            return true;
    }
    return false;
}

static uint32_t run_object(const ag_flush *f)
{
    return f->order.items[f->batch];
}
static bool run_inserts(const ag_flush *f)
{
    return !f->posting && f->objects.items[f->order.items[f->at]].action == AG_ACT_INSERT;
}

ag_step ag_flush_save_step(ag_flush *f, ag_op *op, ag_error *err)
{
    AG_CO_BEGIN(f->line_save);
    for (f->at = 0; f->at < f->order.len; f->at = f->end) {
        f->end = run_end(f);
        if (calls_host(f)) {
            AG_CO_AWAIT(f->line_save, ag_flush_send_step(f, op, err));
        }
        for (f->batch = f->at; f->batch < f->end; f->batch++) {
            if (ag_persist_sync_waits(f, run_object(f), f->posting)) {
                AG_CO_AWAIT(f->line_save, ag_flush_send_step(f, op, err));
            }
            MUST(ag_persist_sync(f, run_object(f), f->posting, err));
            if (f->posting)
                continue;
            CALL(f->line_save,
                 event_call(f, op, run_inserts(f) ? AG_ME_BEFORE_INSERT : AG_ME_BEFORE_UPDATE, run_object(f)));
            for (f->slot = 0; f->slot < ag_flush_mapper(f, run_object(f))->nslots; f->slot++) {
                MUST(ag_persist_known(f, run_object(f), f->slot, err));
                CALL(f->line_save, ag_persist_default(f, op, run_object(f), f->slot));
                MUST(ag_persist_default_answer(f, op, run_object(f), f->slot, err));
            }
            CALL(f->line_save, ag_persist_version(f, op, run_object(f)));
            MUST(ag_persist_version_answer(f, op, run_object(f), err));
        }
        for (f->table = 0; f->table < ag_flush_mapper(f, f->order.items[f->at])->ntables; f->table++) {
            if (f->table > 0 && keys_wait(f)) {
                AG_CO_AWAIT(f->line_save, ag_flush_send_step(f, op, err));
            }
            AG_CO_AWAIT(f->line_save, save_table_step(f, op, err));
        }
        if (calls_host(f)) {
            AG_CO_AWAIT(f->line_save, ag_flush_send_step(f, op, err));
        }
        for (f->batch = f->at; !f->posting && f->batch < f->end; f->batch++) {
            MUST(find_filled(f, run_object(f), err));
            CALL(f->line_save, filled_call(f, op, run_object(f)));
        }
        for (f->batch = f->at; f->batch < f->end; f->batch++)
            CALL(f->line_save,
                 !f->posting && f->objects.items[run_object(f)].wrote &&
                     event_call(f, op, run_inserts(f) ? AG_ME_AFTER_INSERT : AG_ME_AFTER_UPDATE, run_object(f)));
    }
    AG_CO_END(f->line_save);
    return AG_STEP_DONE;
}

ag_step ag_flush_delete_step(ag_flush *f, ag_op *op, ag_error *err)
{
    AG_CO_BEGIN(f->line_delete);
    for (f->at = 0; f->at < f->order.len; f->at = f->end) {
        f->end = run_end(f);
        if (calls_host(f)) {
            AG_CO_AWAIT(f->line_delete, ag_flush_send_step(f, op, err));
        }
        for (f->batch = f->at; f->batch < f->end; f->batch++)
            CALL(f->line_delete, event_call(f, op, AG_ME_BEFORE_DELETE, run_object(f)));
        /* the most derived table first */
        for (f->table = ag_flush_mapper(f, f->order.items[f->at])->ntables; f->table-- > 0;) {
            if (f->queue.len >= MOST_QUEUED) {
                AG_CO_AWAIT(f->line_delete, ag_flush_send_step(f, op, err));
            }
            MUST(ag_persist_delete_run(f, err));
        }
        if (calls_host(f)) {
            AG_CO_AWAIT(f->line_delete, ag_flush_send_step(f, op, err));
        }
        for (f->batch = f->at; f->batch < f->end; f->batch++)
            CALL(f->line_delete, event_call(f, op, AG_ME_AFTER_DELETE, run_object(f)));
    }
    AG_CO_END(f->line_delete);
    return AG_STEP_DONE;
}

/* Rows of secondary tables: all that go, then all that come, a statement for each relationship and direction. */
ag_step ag_flush_pairs_step(ag_flush *f, ag_op *op, ag_error *err)
{
    AG_CO_BEGIN(f->line_delete);
    if (ag_persist_pairs_wait(f)) {
        AG_CO_AWAIT(f->line_delete, ag_flush_send_step(f, op, err));
    }
    for (;;) {
        ag_persist_batch *p;
        MUST(ag_persist_pairs(f, &p, err));
        if (!p)
            break;
        if (f->queue.len >= MOST_QUEUED) {
            AG_CO_AWAIT(f->line_delete, ag_flush_send_step(f, op, err));
        }
    }
    AG_CO_END(f->line_delete);
    return AG_STEP_DONE;
}

void ag_persist_clear(ag_flush *f)
{
    queue_end(f);
}

ag_builder ag_persist_builder(ag_flush *f, ag_error *err)
{
    return batch_builder(f, err);
}

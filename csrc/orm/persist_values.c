/* What is written for each object, and what a statement brings back: foreign keys from other objects, defaults, versions, the set of
 * columns that makes a batch, generated keys, row counts. */
#include "orm/persist.h"
#include "sql/select.h"

/* Was the column of a pending object never assigned? */
static bool is_absent(const ag_flush *f, uint32_t object, unsigned slot)
{
    ag_entity *e = ag_flush_entity(f, object);
    return AG_CELL_KIND(ag_row_kinds(ag_entity_row(e))[slot]) == AG_V_NULL && !ag_entity_is_dirty(e, slot);
}

bool ag_persist_unknown(const ag_flush *f, uint32_t object, unsigned slot)
{
    return f->objects.items[object].queued && is_absent(f, object, slot);
}

/* ---- foreign keys ---- */

bool ag_persist_sync_waits(const ag_flush *f, uint32_t object, bool post)
{
    for (uint32_t i = f->objects.items[object].syncs; i != AG_FLUSH_NONE; i = f->syncs.items[i].next) {
        const ag_flush_sync *sync = &f->syncs.items[i];
        if (sync->post_update == post && sync->source != AG_FLUSH_NONE &&
            ag_persist_unknown(f, sync->source, sync->source_slot))
            return true;
    }
    return false;
}

static ag_status put_null(ag_flush *f, uint32_t object, const ag_flush_sync *sync, ag_error *err)
{
    const ag_mapper *m = ag_flush_mapper(f, object);
    const ag_slot *slot = &m->slots[sync->dest_slot];
    ag_value null = ag_value_null(), old;
    for (uint32_t i = f->objects.items[object].syncs; i != AG_FLUSH_NONE; i = f->syncs.items[i].next) {
        const ag_flush_sync *other = &f->syncs.items[i];
        if (other->dest_slot == sync->dest_slot && other->source != AG_FLUSH_NONE)
            return AG_OK; /* another parent takes it */
    }
    if (slot->flags & AG_SLOT_PK)
        return ag_fail(
            err, AG_EXC_FLUSH,
            "%s.%s cannot be set to NULL: it is part of the primary key (the relationship '%s' let go of the object; "
            "delete it, or use cascade = \"all, delete-orphan\")",
            m->name.p, slot->key.p, sync->relation->key.p);
    AG_TRY(ag_tracked_value(&old, f->session, object, sync->dest_slot, err));
    if (old.kind == AG_V_NULL && !ag_entity_is_unloaded(ag_flush_entity(f, object), sync->dest_slot))
        return AG_OK;
    return ag_flush_put(f, object, sync->dest_slot, &null, true, err);
}

ag_status ag_persist_sync(ag_flush *f, uint32_t object, bool post, ag_error *err)
{
    for (uint32_t i = f->objects.items[object].syncs; i != AG_FLUSH_NONE; i = f->syncs.items[i].next) {
        const ag_flush_sync sync = f->syncs.items[i];
        ag_value v, old;
        if (sync.post_update != post)
            continue;
        if (sync.source == AG_FLUSH_NONE) {
            AG_TRY(put_null(f, object, &sync, err));
            continue;
        }
        AG_TRY(ag_tracked_value(&v, f->session, sync.source, sync.source_slot, err));
        if (v.kind == AG_V_ABSENT || v.kind == AG_V_NULL)
            return ag_fail(err, AG_EXC_FLUSH, "relationship '%s': the %s it refers to has no value for '%s' yet",
                           sync.relation->key.p, ag_flush_mapper(f, sync.source)->name.p,
                           ag_flush_mapper(f, sync.source)->slots[sync.source_slot].key.p);
        AG_TRY(ag_tracked_value(&old, f->session, object, sync.dest_slot, err));
        if (!ag_value_equal(&v, &old) || ag_entity_is_unloaded(ag_flush_entity(f, object), sync.dest_slot))
            AG_TRY(ag_flush_put(f, object, sync.dest_slot, &v, true, err));
    }
    return AG_OK;
}

/* ---- defaults ---- */

static bool wants_call(const ag_flush *f, uint32_t object, uint16_t slot)
{
    const ag_column *c = ag_flush_mapper(f, object)->slots[slot].column;
    return c && c->def.kind == AG_DEFAULT_CALLABLE && f->objects.items[object].action == AG_ACT_INSERT &&
           is_absent(f, object, slot);
}

ag_status ag_persist_known(ag_flush *f, uint32_t object, uint16_t slot, ag_error *err)
{
    const ag_mapper *m = ag_flush_mapper(f, object);
    f->default_call = (ag_default_call){0};
    if (!wants_call(f, object, slot) || !m->slots[slot].column->def.context_sensitive)
        return AG_OK;
    ag_str *keys = ag_arena_zero(&f->arena, m->nslots, sizeof *keys);
    ag_value *values = ag_arena_zero(&f->arena, m->nslots, sizeof *values), v;
    if (!keys || !values)
        return ag_fail_nomem(err);
    size_t n = 0;
    for (uint16_t i = 0; i < m->nslots; i++) {
        AG_TRY(ag_tracked_value(&v, f->session, object, i, err));
        if (v.kind == AG_V_ABSENT || !m->slots[i].column || is_absent(f, object, i))
            continue;
        AG_TRY(ag_value_copy(&values[n], &v, &f->arena, err));
        keys[n++] = m->slots[i].column->key;
    }
    f->default_call = (ag_default_call){.keys = keys, .values = values, .nkeys = n};
    return AG_OK;
}

bool ag_persist_default(ag_flush *f, ag_op *op, uint32_t object, uint16_t slot)
{
    const ag_column *c = ag_flush_mapper(f, object)->slots[slot].column;
    if (!wants_call(f, object, slot))
        return false;
    f->default_call.column = c;
    f->default_call.conn = f->conn;
    op->call = (ag_call){.kind = AG_CALL_DEFAULT, .fn = c->def.host, .args = &f->default_call};
    return true;
}

ag_status ag_persist_default_answer(ag_flush *f, ag_op *op, uint32_t object, uint16_t slot, ag_error *err)
{
    const ag_mapper *m = ag_flush_mapper(f, object);
    const ag_column *c = m->slots[slot].column;
    if (f->default_call.column) {
        f->default_call.column = NULL;
        return op->call.has_value ? ag_flush_put(f, object, slot, &op->call.value, true, err) : AG_OK;
    }
    if (f->objects.items[object].action != AG_ACT_INSERT || !is_absent(f, object, slot))
        return AG_OK;
    if (m->discriminator && m->discriminator->index == slot && m->identity.kind != AG_V_NULL)
        return ag_flush_put(f, object, slot, &m->identity, true, err);
    if (c && c->def.kind == AG_DEFAULT_SCALAR)
        return ag_flush_put(f, object, slot, &c->def.value, true, err);
    return AG_OK;
}

/* ---- versions ---- */

static bool has_changes(const ag_flush *f, uint32_t object)
{
    uint64_t words[AG_MAX_ATTRS / 64];
    ag_tracked_changes(words, f->session, object);
    for (unsigned w = 0; w < ag_flush_entity(f, object)->words; w++) {
        if (words[w])
            return true;
    }
    return false;
}

static bool counts_version(const ag_flush *f, uint32_t object)
{
    const ag_mapper *m = ag_flush_mapper(f, object);
    if (m->version_slot == AG_NO_SLOT || m->version_server)
        return false;
    return f->objects.items[object].action == AG_ACT_INSERT ? is_absent(f, object, m->version_slot)
                                                            : has_changes(f, object);
}

bool ag_persist_version(ag_flush *f, ag_op *op, uint32_t object)
{
    const ag_mapper *m = ag_flush_mapper(f, object);
    if (!counts_version(f, object) || !m->version_generator)
        return false;
    f->call = (ag_orm_call){
        .kind = AG_ORM_VERSION, .session = f->session, .mapper = m, .value = ag_value_null(), .conn = f->conn};
    if (f->objects.items[object].action == AG_ACT_UPDATE)
        ag_entity_get(&f->call.value, ag_flush_entity(f, object), m->version_slot);
    op->call = (ag_call){.kind = AG_CALL_OTHER, .fn = AG_ORM_FN, .args = &f->call};
    return true;
}

ag_status ag_persist_version_answer(ag_flush *f, ag_op *op, uint32_t object, ag_error *err)
{
    const ag_mapper *m = ag_flush_mapper(f, object);
    ag_value v = ag_value_int(1), old;
    if (!counts_version(f, object))
        return AG_OK;
    if (m->version_generator) {
        v = op->call.value;
    } else if (f->objects.items[object].action == AG_ACT_UPDATE) {
        AG_TRY(ag_persist_version_before(&old, f, object, err));
        v = ag_value_int(old.kind == AG_V_INT ? old.u.i + 1 : 1);
    }
    return ag_flush_put(f, object, m->version_slot, &v, true, err);
}

ag_status ag_persist_expression(ag_flush *f, uint32_t object, uint16_t slot, const ag_node **expr, ag_error *err)
{
    ag_value v;
    *expr = NULL;
    if (slot == AG_NO_SLOT || !ag_entity_is_spilled(ag_flush_entity(f, object), slot))
        return AG_OK;
    return f->session->host->cell(f->session, object, slot, false, &v, expr, err);
}

/* ---- batches ---- */

/* Columns of an INSERT into one table: what has a value, and NULL for what has neither value nor default. */
static void insert_shape(const ag_flush *f, uint32_t object, const ag_mapped_table *t, uint64_t *shape)
{
    for (uint32_t i = 0; i < t->ncolumns; i++) {
        const ag_column *c = t->table->columns[i];
        if (t->slots[i] == AG_NO_SLOT || c->server_default.kind == AG_SERVER_DEFAULT_COMPUTED)
            continue;
        bool made_elsewhere =
            c->primary_key || c->def.kind != AG_DEFAULT_NONE || c->server_default.kind != AG_SERVER_DEFAULT_NONE;
        if (!is_absent(f, object, t->slots[i]) || !made_elsewhere)
            ag_bit_set(shape, i);
    }
}

/* Columns of an UPDATE of one table: what changed; for a row switch all that is not the key. */
static bool update_shape(const ag_flush *f, uint32_t object, const ag_mapped_table *t, uint64_t *shape)
{
    uint64_t changed[AG_MAX_ATTRS / 64];
    bool any = false, all = !f->posting && f->objects.items[object].twin != AG_FLUSH_NONE;
    ag_tracked_changes(changed, f->session, object);
    for (uint32_t i = 0; i < t->ncolumns; i++) {
        const ag_column *c = t->table->columns[i];
        if (t->slots[i] == AG_NO_SLOT || c->server_default.kind == AG_SERVER_DEFAULT_COMPUTED)
            continue;
        if (all ? !c->primary_key : ag_bit_get(changed, t->slots[i])) {
            ag_bit_set(shape, i);
            any = true;
        }
    }
    return any;
}

static bool has_expression(const ag_flush *f, uint32_t object)
{
    const ag_mapper *m = ag_flush_mapper(f, object);
    for (uint16_t s = 0; s < m->nslots; s++) {
        const ag_node *expr = NULL;
        if (ag_persist_expression((ag_flush *)(uintptr_t)f, object, s, &expr, NULL) == AG_OK && expr)
            return true;
    }
    return false;
}

static bool is_update(const ag_flush *f, uint32_t object)
{
    const ag_flush_object *o = &f->objects.items[object];
    return f->posting || o->action == AG_ACT_UPDATE || o->twin != AG_FLUSH_NONE;
}

ag_status ag_persist_next(ag_flush *f, ag_persist_batch **out, ag_error *err)
{
    uint32_t first = f->order.items[f->batch];
    const ag_mapper *m = ag_flush_mapper(f, first);
    const ag_mapped_table *t = &m->tables[f->table];
    size_t words = t->table->ncolumns / 64 + 1;
    bool update = is_update(f, first);
    *out = NULL;
    ag_persist_batch *p = ag_arena_zero(&f->scratch, 1, sizeof *p);
    uint64_t *shape = ag_arena_zero(&f->scratch, words, sizeof *shape);
    uint64_t *other = ag_arena_zero(&f->scratch, words, sizeof *other);
    if (!p || !shape || !other)
        return ag_fail_nomem(err);
    bool any = true;
    if (update)
        any = update_shape(f, first, t, shape);
    else
        insert_shape(f, first, t, shape);
    size_t end = f->batch + 1;
    bool alone = has_expression(f, first);
    for (; !alone && end < f->end; end++) {
        uint32_t object = f->order.items[end];
        memset(other, 0, words * sizeof *other);
        if (is_update(f, object) != update || has_expression(f, object))
            break;
        if (update)
            (void)update_shape(f, object, t, other);
        else
            insert_shape(f, object, t, other);
        if (memcmp(shape, other, words * sizeof *shape) != 0)
            break;
    }
    p->objects = f->order.items + f->batch;
    p->n = end - f->batch;
    p->mapper = m;
    p->table = t->table;
    p->level = f->table;
    p->shape = shape;
    p->update = update;
    p->checked = update;
    f->batch = end;
    if (!any)
        return AG_OK;
    *out = p;
    return update ? ag_persist_update(f, p, m, f->table, shape, err) : ag_persist_insert(f, p, m, f->table, shape, err);
}

ag_status ag_persist_delete_run(ag_flush *f, ag_error *err)
{
    const ag_mapper *m = ag_flush_mapper(f, f->order.items[f->at]);
    ag_persist_batch *p = ag_arena_zero(&f->scratch, 1, sizeof *p);
    if (!p)
        return ag_fail_nomem(err);
    p->objects = f->order.items + f->at;
    p->n = f->end - f->at;
    p->mapper = m;
    p->table = m->tables[f->table].table;
    p->level = f->table;
    p->remove = true;
    p->checked = m->version_slot != AG_NO_SLOT && f->table == 0;
    return ag_persist_delete(f, p, m, f->table, err);
}

/* ---- secondary rows ---- */

/* Values of one pair: the keys of both objects, in the order of the relation's pairs. */
static ag_status pair_values(ag_flush *f, const ag_flush_pair *pair, ag_value *out, ag_error *err)
{
    const ag_relation *r = pair->relation;
    ag_value v;
    for (uint16_t side = 0; side < 2; side++) {
        const ag_sync *syncs = side ? r->target_pairs : r->pairs;
        uint16_t n = side ? r->ntarget_pairs : r->npairs;
        for (uint16_t i = 0; i < n; i++, out++) {
            uint32_t object = side ? pair->right : pair->left;
            if (pair->remove)
                AG_TRY(ag_persist_value_before(&v, f->session, object, syncs[i].source, err));
            else
                AG_TRY(ag_tracked_value(&v, f->session, object, syncs[i].source, err));
            AG_TRY(ag_value_copy(out, &v, &f->scratch, err));
        }
    }
    return AG_OK;
}

static ag_status pair_statement(ag_flush *f, ag_persist_batch *p, const ag_relation *r, ag_error *err)
{
    ag_builder b = ag_persist_builder(f, err);
    const ag_node **conds = ag_arena_new(&f->scratch, (p->nkeys + 1) * sizeof *conds);
    if (!conds)
        return ag_fail_nomem(err);
    for (uint32_t k = 0; k < p->nkeys; k++) {
        const ag_column *c = k < r->npairs ? r->pairs[k].column : r->target_pairs[k - r->npairs].column;
        ag_bind_spec spec = {.key = c->key, .type = c->type, .flags = AG_BIND_REQUIRED};
        p->keys[k].name = p->names[k] = c->key;
        conds[k] = p->remove ? ag_binary(&b, AG_OP_EQ, c->node, ag_bind(&b, &spec)) : NULL;
    }
    p->stmt = p->remove ? ag_stmt_add(&b, ag_delete(&b, r->secondary->node), AG_CL_WHERE, conds, p->nkeys, true)
                        : ag_insert(&b, r->secondary->node);
    ag_builder_clear(&b);
    return p->stmt ? AG_OK : AG_ERROR;
}

/* The first pair not written yet, rows to be removed before others. */
static const ag_flush_pair *next_pair(const ag_flush *f)
{
    const ag_flush_pair *found = NULL;
    for (size_t i = 0; i < f->pairs.len; i++) {
        const ag_flush_pair *pair = &f->pairs.items[i];
        if (pair->relation && (pair->remove || !f->removing) && (!found || (pair->remove && !found->remove)))
            found = pair;
    }
    return found;
}

bool ag_persist_pairs_wait(const ag_flush *f)
{
    for (size_t i = 0; i < f->pairs.len; i++) {
        const ag_flush_pair *pair = &f->pairs.items[i];
        for (uint16_t k = 0; pair->relation && k < pair->relation->npairs; k++) {
            if (ag_persist_unknown(f, pair->left, pair->relation->pairs[k].source))
                return true;
        }
        for (uint16_t k = 0; pair->relation && k < pair->relation->ntarget_pairs; k++) {
            if (ag_persist_unknown(f, pair->right, pair->relation->target_pairs[k].source))
                return true;
        }
    }
    return false;
}

ag_status ag_persist_pairs(ag_flush *f, ag_persist_batch **out, ag_error *err)
{
    const ag_flush_pair *first = next_pair(f);
    *out = NULL;
    if (!first)
        return AG_OK;
    const ag_relation *r = first->relation;
    bool remove = first->remove;
    ag_persist_batch *p = ag_arena_zero(&f->scratch, 1, sizeof *p);
    uint32_t nkeys = (uint32_t)r->npairs + r->ntarget_pairs;
    ag_value *values = ag_arena_new(&f->scratch, (f->pairs.len * nkeys + 1) * sizeof *values);
    if (!p || !values)
        return ag_fail_nomem(err);
    *p = (ag_persist_batch){.remove = remove, .checked = remove, .nkeys = nkeys, .table = r->secondary, .flush = f};
    p->keys = ag_arena_zero(&f->scratch, nkeys + 1, sizeof *p->keys);
    p->names = ag_arena_zero(&f->scratch, nkeys + 1, sizeof *p->names);
    if (!p->keys || !p->names)
        return ag_fail_nomem(err);
    for (size_t i = 0; i < f->pairs.len; i++) {
        ag_flush_pair *pair = &f->pairs.items[i];
        if (pair->relation != r || pair->remove != remove)
            continue;
        AG_TRY(pair_values(f, pair, values + p->n++ * nkeys, err));
        pair->relation = NULL;
    }
    AG_TRY(pair_statement(f, p, r, err));
    p->request = (ag_exec_request){
        .stmt = p->stmt,
        .params = {.nsets = p->n, .many = p->n > 1, .nkeys = nkeys, .keys = p->names, .values = values},
        .want_rowcounts = remove,
        .bulk = true,
        .sql_nulls = true,
    };
    *out = p;
    return ag_persist_queue(f, p, err);
}

/* ---- what came back ---- */

static ag_status check_counts(const ag_persist_batch *p, const ag_result *r, ag_error *err)
{
    int64_t matched = 0;
    for (size_t k = 0; k < p->n; k++) {
        int64_t count = p->n == 1 ? ag_result_rowcount(r) : ag_result_set_rowcount(r, k);
        if (count < 0)
            return AG_OK; /* the driver does not know */
        matched += count;
    }
    if (matched == (int64_t)p->n)
        return AG_OK;
    return ag_fail(err, AG_EXC_STALE_DATA, "%s statement on table '%s' expected to %s %zu row(s); %lld were matched",
                   p->remove ? "DELETE" : "UPDATE", p->table->name.p, p->remove ? "delete" : "update", p->n,
                   (long long)matched);
}

/* A column that the database or the engine filled: read it again when it is wanted. */
static ag_status expire(ag_flush *f, uint32_t object, unsigned slot, ag_error *err)
{
    ag_value null = ag_value_null();
    if (f->session->tracked.items[object].flags & AG_TR_NEW)
        AG_TRY(ag_flush_put(f, object, slot, &null, false, err));
    ag_tracked_expire(f->session, object, slot);
    return AG_OK;
}

static ag_status returned_defaults(ag_flush *f, const ag_persist_batch *p, const ag_result *r, size_t k,
                                   uint64_t *known, ag_error *err)
{
    uint32_t n = 0;
    const ag_row *row = ag_result_returned_defaults(r, k);
    const ag_result_column *columns = row ? ag_result_default_columns(r, &n) : NULL;
    for (uint32_t i = 0; i < n; i++) {
        const ag_mapped_table *t = &p->mapper->tables[p->level];
        for (uint32_t c = 0; c < p->mapper->tables[p->level].ncolumns; c++) {
            const ag_column *column = p->table->columns[c];
            if (t->slots[c] == AG_NO_SLOT || column->name.n != columns[i].name.n ||
                memcmp(column->name.p, columns[i].name.p, column->name.n) != 0)
                continue;
            ag_value v;
            ag_row_get(&v, row, i);
            AG_TRY(ag_flush_put(f, p->objects[k], t->slots[c], &v, false, err));
            ag_bit_set(known, c);
        }
    }
    return AG_OK;
}

static ag_status insert_results(ag_flush *f, const ag_persist_batch *p, ag_result *r, uint64_t *known, ag_error *err)
{
    const ag_mapped_table *t = &p->mapper->tables[p->level];
    for (size_t k = 0; k < p->n; k++) {
        uint32_t npk = 0, object = p->objects[k];
        const ag_value *key = ag_result_inserted_key(r, k, &npk);
        memset(known, 0, (p->table->ncolumns / 64 + 1) * sizeof *known);
        for (uint32_t i = 0; i < npk && i < t->npk; i++) {
            if (key[i].kind != AG_V_NULL && is_absent(f, object, t->pk[i]))
                AG_TRY(ag_flush_put(f, object, t->pk[i], &key[i], false, err));
        }
        AG_TRY(returned_defaults(f, p, r, k, known, err));
        for (uint32_t c = 0; c < p->mapper->tables[p->level].ncolumns; c++) {
            const ag_column *column = p->table->columns[c];
            if (t->slots[c] == AG_NO_SLOT || column->primary_key || ag_bit_get(p->shape, c) || ag_bit_get(known, c))
                continue;
            if (column->def.kind != AG_DEFAULT_NONE || column->server_default.kind != AG_SERVER_DEFAULT_NONE)
                AG_TRY(expire(f, object, t->slots[c], err));
        }
    }
    return AG_OK;
}

static ag_status identities_known(const ag_flush *f, const ag_persist_batch *p, ag_error *err)
{
    for (size_t k = 0; p->level == 0 && k < p->n; k++) {
        for (uint16_t i = 0; i < p->mapper->npk; i++) {
            ag_value v;
            ag_entity_get(&v, ag_flush_entity(f, p->objects[k]), p->mapper->pk[i]);
            if (v.kind == AG_V_NULL)
                return ag_fail(err, AG_EXC_FLUSH,
                               "a new %s has no value for its primary key '%s' after its INSERT: set it, or let the "
                               "database number it",
                               p->mapper->name.p, p->mapper->slots[p->mapper->pk[i]].key.p);
        }
    }
    return AG_OK;
}

static ag_status update_results(ag_flush *f, const ag_persist_batch *p, ag_error *err)
{
    const ag_mapped_table *t = &p->mapper->tables[p->level];
    for (size_t k = 0; k < p->n; k++) {
        for (uint32_t c = 0; c < p->mapper->tables[p->level].ncolumns; c++) {
            const ag_column *column = p->table->columns[c];
            if (t->slots[c] == AG_NO_SLOT)
                continue;
            bool computed = column->onupdate.kind != AG_DEFAULT_NONE ||
                            column->server_onupdate.kind != AG_SERVER_DEFAULT_NONE ||
                            column->server_default.kind == AG_SERVER_DEFAULT_COMPUTED;
            const ag_node *expr = NULL;
            AG_TRY(ag_persist_expression(f, p->objects[k], t->slots[c], &expr, err));
            if (expr || (computed && !ag_bit_get(p->shape, c)))
                ag_tracked_expire(f->session, p->objects[k], t->slots[c]);
        }
    }
    return AG_OK;
}

ag_status ag_persist_results(ag_flush *f, ag_persist_batch *p, size_t at, ag_error *err)
{
    ag_result *r = ag_exec_take(&f->exec, at);
    ag_status status = AG_OK;
    if (!r)
        return ag_fail(err, AG_EXC_FLUSH, "a statement of the flush gave no result");
    if (p->checked)
        status = check_counts(p, r, err);
    if (status == AG_OK && p->insert) {
        uint64_t *known = ag_arena_zero(&f->scratch, p->table->ncolumns / 64 + 1, sizeof *known);
        status = known ? insert_results(f, p, r, known, err) : ag_fail_nomem(err);
        if (status == AG_OK)
            status = identities_known(f, p, err);
    }
    if (status == AG_OK && p->update)
        status = update_results(f, p, err);
    ag_result_unref(r);
    return status;
}

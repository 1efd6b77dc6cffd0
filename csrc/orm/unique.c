/* Unique keys that move from one row to another within a flush: where a deleted row has what a saved one is to get, its DELETE goes
 * first, and with it all that must go before it. A deleted row that a saved object still refers to (its foreign key is set to NULL by
 * this flush) stays where it is, behind the saves. */
#include "orm/persist.h"
#include "base/buf.h"
#include "schema/constraint.h"

#define MOST_COLUMNS 16u

typedef struct unique_key {
    const ag_table *table;
    uint64_t serial;
    uint32_t n;
    const ag_column *columns[MOST_COLUMNS];
} unique_key;

typedef struct search {
    ag_flush *f;
    ag_map freed; /* serial and values → object + 1 */
    bool any;
} search;

/* ---- the keys of a table ---- */

static bool key_of_index(unique_key *k, const ag_index *index)
{
    k->n = index->nexprs;
    for (uint32_t i = 0; i < k->n && k->n <= MOST_COLUMNS; i++) {
        const ag_node *e = index->exprs[i];
        k->columns[i] = NULL;
        for (uint32_t c = 0; c < k->table->ncolumns; c++) {
            if (k->table->columns[c]->node == e)
                k->columns[i] = k->table->columns[c];
        }
        if (!k->columns[i])
            return false;
    }
    return index->unique && k->n && k->n <= MOST_COLUMNS;
}

/* The i-th unique key of the table (primary key, UNIQUE, unique indexes over columns); *more false: there is none any more. */
static bool key_at(unique_key *k, const ag_table *t, uint32_t i, bool *more)
{
    uint32_t nconstraints = 0, nindexes = 0;
    const ag_constraint *const *constraints = ag_table_constraints(t, &nconstraints);
    const ag_index *const *indexes = ag_table_indexes(t, &nindexes);
    *more = i < nconstraints + nindexes;
    k->table = t;
    if (!*more)
        return false;
    if (i >= nconstraints) {
        k->serial = indexes[i - nconstraints]->serial;
        return key_of_index(k, indexes[i - nconstraints]);
    }
    const ag_constraint *c = constraints[i];
    if ((c->kind != AG_CONSTRAINT_UNIQUE && c->kind != AG_CONSTRAINT_PRIMARY_KEY) || !c->ncolumns ||
        c->ncolumns > MOST_COLUMNS)
        return false;
    k->serial = c->serial;
    k->n = c->ncolumns;
    memcpy(k->columns, c->columns, k->n * sizeof *k->columns);
    return true;
}

/* ---- values ---- */

/* What the column will be: the value of the object, or what a relationship copies into it. */
static ag_status future_value(ag_flush *f, uint32_t object, uint16_t slot, ag_value *out, bool *changed, ag_error *err)
{
    *changed = ag_entity_is_dirty(ag_flush_entity(f, object), slot);
    for (uint32_t i = f->objects.items[object].syncs; i != AG_FLUSH_NONE; i = f->syncs.items[i].next) {
        const ag_flush_sync *sync = &f->syncs.items[i];
        if (sync->dest_slot != slot || sync->source == AG_FLUSH_NONE)
            continue;
        *changed = true;
        return ag_tracked_value(out, f->session, sync->source, sync->source_slot, err);
    }
    return ag_tracked_value(out, f->session, object, slot, err);
}

/* The key's values of the object as bytes in the flush's arena; *bytes NULL: one is NULL or not known, or nothing changes. */
static ag_status key_bytes(ag_flush *f, const unique_key *k, uint32_t object, bool deleted, const char **bytes,
                           size_t *n, ag_error *err)
{
    const ag_mapper *m = ag_flush_mapper(f, object);
    bool insert = f->objects.items[object].action == AG_ACT_INSERT, changes = deleted || insert;
    ag_buf b;
    ag_status status = AG_OK;
    ag_buf_init(&b, f->alloc);
    ag_buf_add(&b, &k->serial, sizeof k->serial);
    *bytes = NULL;
    for (uint32_t i = 0; i < k->n; i++) {
        ag_value v = ag_value_null();
        bool changed = false;
        uint16_t slot = ag_mapper_slot_of(m, k->columns[i]);
        if (slot == AG_NO_SLOT)
            goto done;
        status = deleted ? ag_persist_value_before(&v, f->session, object, slot, err)
                         : future_value(f, object, slot, &v, &changed, err);
        if (status != AG_OK || v.kind == AG_V_NULL || v.kind == AG_V_ABSENT || v.kind == AG_V_HOST)
            goto done;
        changes |= changed;
        ag_identity_add(&b, &v);
    }
    if (changes) {
        *n = b.len;
        *bytes = ag_buf_ok(&b) ? ag_arena_memdup(&f->arena, b.data, b.len) : NULL;
        status = *bytes ? AG_OK : ag_fail_nomem(err);
    }
done:
    ag_buf_clear(&b);
    return status;
}

/* ---- what goes first ---- */

/* The object's DELETE goes before the saves, with all deletes of higher ranks (tables that may refer to this one) and those that edges
 * between objects put before them. false: something of that has to wait for a save. */
static bool mark_early(ag_flush *f, uint32_t object)
{
    uint32_t rank = f->objects.items[object].rank;
    if (f->objects.items[object].held)
        return false;
    for (uint32_t i = 0; i < f->objects.len; i++) {
        const ag_flush_object *o = &f->objects.items[i];
        if (o->action == AG_ACT_DELETE && o->held && o->rank >= rank)
            return false;
    }
    for (uint32_t i = 0; i < f->objects.len; i++) {
        ag_flush_object *o = &f->objects.items[i];
        if (o->action == AG_ACT_DELETE && (o->rank > rank || i == object))
            o->early = true;
    }
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < f->delete_edges.len; i++) {
            const ag_flush_edge *e = &f->delete_edges.items[i];
            ag_flush_object *before = &f->objects.items[e->before];
            if (f->objects.items[e->after].early && before->action == AG_ACT_DELETE && !before->early)
                again = before->early = true;
        }
    }
    return true;
}

static ag_status look(search *s, uint32_t object, bool deleted, ag_error *err)
{
    ag_flush *f = s->f;
    const ag_mapper *m = ag_flush_mapper(f, object);
    for (uint16_t t = 0; t < m->ntables; t++) {
        unique_key k;
        bool more = true;
        for (uint32_t i = 0; more; i++) {
            const char *bytes = NULL;
            size_t n = 0;
            bool added;
            if (!key_at(&k, m->tables[t].table, i, &more))
                continue;
            AG_TRY(key_bytes(f, &k, object, deleted, &bytes, &n, err));
            ag_map_entry *e = !bytes    ? NULL
                              : deleted ? ag_map_put(&s->freed, bytes, n, &added)
                                        : ag_map_find(&s->freed, bytes, n);
            if (bytes && deleted && !e)
                return ag_fail_nomem(err);
            if (e && deleted)
                e->v.u = object;
            else if (e)
                s->any |= mark_early(f, (uint32_t)e->v.u);
        }
    }
    return AG_OK;
}

ag_status ag_flush_free_keys(ag_flush *f, bool *any, ag_error *err)
{
    search s = {.f = f};
    bool deletes = false, saves = false;
    ag_status status = AG_OK;
    *any = false;
    for (uint32_t i = 0; i < f->objects.len; i++) {
        const ag_flush_object *o = &f->objects.items[i];
        deletes |= o->action == AG_ACT_DELETE && !o->wrote;
        saves |= ag_flush_is_saved(o);
    }
    if (!deletes || !saves)
        return AG_OK;
    ag_map_init(&s.freed, f->alloc);
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < f->objects.len && status == AG_OK; i++) {
            const ag_flush_object *o = &f->objects.items[i];
            bool wanted =
                pass ? ag_flush_is_saved(o) && o->twin == AG_FLUSH_NONE : o->action == AG_ACT_DELETE && !o->wrote;
            if (wanted && (!pass || s.freed.len))
                status = look(&s, i, pass == 0, err);
        }
    }
    ag_map_clear(&s.freed);
    *any = s.any;
    return status;
}

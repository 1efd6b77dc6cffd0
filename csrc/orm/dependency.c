/* In which order a flush writes: what is copied between objects (syncs), which secondary rows come and go, ranks of classes from their
 * relationships and foreign keys, and layers of objects where a class depends on itself. */
#include "orm/flush.h"
#include "base/topo.h"
#include <stdlib.h>

/* ---- syncs ---- */

static ag_status add_sync(ag_flush *f, uint32_t dest, uint32_t source, const ag_relation *r, const ag_sync *pair,
                          bool reversed, ag_error *err)
{
    ag_flush_object *o = &f->objects.items[dest];
    ag_flush_sync sync = {
        .source = source, .relation = r, .next = o->syncs, .post_update = (r->flags & AG_REL_POST_UPDATE) != 0};
    sync.source_slot = reversed ? pair->dest : pair->source;
    sync.dest_slot = reversed ? pair->source : pair->dest;
    if (!ag_vec_push(&f->syncs, sync))
        return ag_fail_nomem(err);
    o->syncs = (uint32_t)f->syncs.len - 1;
    if (o->action == AG_ACT_NONE)
        o->action = AG_ACT_UPDATE;
    return AG_OK;
}

/* dest receives the keys of source (AG_FLUSH_NONE: NULL) through r; for a NULL that another link sets in the same flush, the value
 * wins: ag_flush_put's caller applies NULLs first. */
static ag_status sync_all(ag_flush *f, const ag_relation *r, uint32_t dest, uint32_t source, ag_error *err)
{
    for (uint16_t i = 0; i < r->npairs; i++)
        AG_TRY(add_sync(f, dest, source, r, &r->pairs[i], false, err));
    return AG_OK;
}

#define PUSH_EDGE(vec, b, a)                                                                                           \
    do {                                                                                                               \
        ag_flush_edge edge_ = {(b), (a)};                                                                              \
        if ((b) != (a) && !ag_vec_push((vec), edge_))                                                                  \
            return ag_fail_nomem(err);                                                                                 \
    } while (0)

static bool is_gone(const ag_flush *f, uint32_t object)
{
    uint8_t a = f->objects.items[object].action;
    return a == AG_ACT_DELETE || a == AG_ACT_FORGET || !ag_flush_entity(f, object);
}

bool ag_flush_key_changes(const ag_flush *f, const ag_relation *r, uint32_t parent)
{
    ag_entity *e = ag_flush_entity(f, parent);
    if (!(e->state & AG_ES_KEY))
        return false;
    for (uint16_t i = 0; i < r->npairs; i++) {
        if (ag_entity_is_dirty(e, r->pairs[i].source))
            return true;
    }
    return false;
}

static ag_status one_to_many(ag_flush *f, const ag_relation *r, const ag_links *l, ag_error *err)
{
    const uint32_t *items = f->session->link_items.items;
    uint32_t parent = l->object;
    bool gone = is_gone(f, parent), ordered = !(r->flags & AG_REL_POST_UPDATE);
    for (uint32_t i = 0; !gone && i < l->nadded; i++) {
        uint32_t child = items[l->added + i];
        if (is_gone(f, child))
            continue;
        AG_TRY(sync_all(f, r, child, parent, err));
        if (ordered)
            PUSH_EDGE(&f->save_edges, parent, child);
    }
    for (uint32_t i = 0; i < l->nremoved + l->nkept; i++) {
        bool removed = i < l->nremoved;
        uint32_t child = items[removed ? l->removed + i : l->kept + (i - l->nremoved)];
        if (gone && is_gone(f, child)) {
            PUSH_EDGE(&f->delete_edges, child, parent);
        } else if (gone || removed) {
            if (!is_gone(f, child) && !(r->flags & AG_REL_PASSIVE_DELETES_ALL)) {
                f->objects.items[parent].held |= gone;
                AG_TRY(sync_all(f, r, child, AG_FLUSH_NONE, err));
            }
        } else if (!(r->flags & AG_REL_PASSIVE_UPDATES) && ag_flush_key_changes(f, r, parent) && !is_gone(f, child)) {
            AG_TRY(sync_all(f, r, child, parent, err));
            PUSH_EDGE(&f->save_edges, parent, child);
        }
    }
    return AG_OK;
}

static ag_status many_to_one(ag_flush *f, const ag_relation *r, const ag_links *l, ag_error *err)
{
    const uint32_t *items = f->session->link_items.items;
    uint32_t child = l->object;
    if (is_gone(f, child)) {
        for (uint32_t i = 0; i < l->nkept + l->nremoved; i++) {
            uint32_t parent = items[i < l->nkept ? l->kept + i : l->removed + (i - l->nkept)];
            if (f->objects.items[parent].action == AG_ACT_DELETE)
                PUSH_EDGE(&f->delete_edges, child, parent);
        }
        return AG_OK;
    }
    for (uint32_t i = 0; i < l->nremoved; i++)
        f->objects.items[items[l->removed + i]].held = true;
    for (uint32_t i = 0; i < l->nadded; i++) {
        uint32_t parent = items[l->added + i];
        if (f->objects.items[parent].action == AG_ACT_FORGET)
            continue;
        AG_TRY(sync_all(f, r, child, parent, err));
        if (!(r->flags & AG_REL_POST_UPDATE))
            PUSH_EDGE(&f->save_edges, parent, child);
    }
    if (!l->nadded && l->nremoved)
        AG_TRY(sync_all(f, r, child, AG_FLUSH_NONE, err));
    return AG_OK;
}

/* ---- secondary rows ---- */

typedef struct pair_key {
    const ag_relation *relation;
    uint64_t left, right, remove;
} pair_key;

/* Both sides of a back_populates name the same row: it is written once. */
static ag_status add_pair(ag_flush *f, ag_map *seen, const ag_relation *r, uint32_t left, uint32_t right, bool remove,
                          ag_error *err)
{
    for (uint16_t i = 0; i < r->nreverse; i++) {
        if (r->reverse[i] < r && r->reverse[i]->secondary == r->secondary) {
            uint32_t swap = left;
            r = r->reverse[i];
            left = right;
            right = swap;
            break;
        }
    }
    pair_key key = {r, left, right, remove};
    const char *kept = ag_arena_memdup(&f->arena, &key, sizeof key);
    bool added = false;
    if (!kept || !ag_map_put(seen, kept, sizeof key, &added))
        return ag_fail_nomem(err);
    ag_flush_pair pair = {r, left, right, remove};
    if (added && !ag_vec_push(&f->pairs, pair))
        return ag_fail_nomem(err);
    return AG_OK;
}

static ag_status many_to_many(ag_flush *f, ag_map *seen, const ag_relation *r, const ag_links *l, ag_error *err)
{
    const uint32_t *items = f->session->link_items.items;
    bool gone = is_gone(f, l->object), forgotten = f->objects.items[l->object].action == AG_ACT_FORGET;
    if (forgotten)
        return AG_OK;
    for (uint32_t i = 0; !gone && i < l->nadded; i++) {
        uint32_t member = items[l->added + i];
        if (!is_gone(f, member))
            AG_TRY(add_pair(f, seen, r, l->object, member, false, err));
    }
    for (uint32_t i = 0; i < l->nremoved; i++) {
        uint32_t member = items[l->removed + i];
        if (ag_flush_entity(f, member) && ag_flush_entity(f, member)->state & AG_ES_KEY)
            AG_TRY(add_pair(f, seen, r, l->object, member, true, err));
    }
    for (uint32_t i = 0; gone && i < l->nkept; i++)
        AG_TRY(add_pair(f, seen, r, l->object, items[l->kept + i], true, err));
    return AG_OK;
}

static ag_status plan_links(ag_flush *f, ag_map *seen, ag_error *err)
{
    for (size_t i = 0; i < f->session->links.len; i++) {
        const ag_links *l = &f->session->links.items[i];
        const ag_relation *r = ag_flush_mapper(f, l->object)->relations[l->relation];
        if (r->flags & AG_REL_VIEWONLY)
            continue;
        switch (r->direction) {
        case AG_ONE_TO_MANY: AG_TRY(one_to_many(f, r, l, err)); break;
        case AG_MANY_TO_ONE: AG_TRY(many_to_one(f, r, l, err)); break;
        default: AG_TRY(many_to_many(f, seen, r, l, err)); break;
        }
    }
    return AG_OK;
}

/* ---- ranks of classes ---- */

/* Reachability between the base mappers that take part, one bit row a mapper. */
typedef struct ranks {
    AG_VEC(const ag_mapper *) mappers;
    uint64_t *reach;
    uint32_t *rank;
    size_t words;
} ranks;

static size_t mapper_number(const ranks *k, const ag_mapper *base)
{
    for (size_t i = 0; i < k->mappers.len; i++) {
        if (k->mappers.items[i] == base)
            return i;
    }
    return SIZE_MAX;
}

static void reach_set(ranks *k, size_t before, size_t after)
{
    if (before != SIZE_MAX && after != SIZE_MAX && before != after)
        ag_bit_set(k->reach + before * k->words, (unsigned)after);
}

static void relation_edges(ranks *k, const ag_mapper *m)
{
    for (uint16_t i = 0; i < m->nrelations; i++) {
        const ag_relation *r = m->relations[i];
        size_t own = mapper_number(k, m->base), other = mapper_number(k, r->target->base);
        if (r->flags & (AG_REL_VIEWONLY | AG_REL_POST_UPDATE))
            continue;
        if (r->direction == AG_ONE_TO_MANY)
            reach_set(k, own, other);
        else if (r->direction == AG_MANY_TO_ONE)
            reach_set(k, other, own);
    }
}

static void table_edges(ranks *k, const ag_mapper *m)
{
    for (uint16_t t = 0; t < m->ntables; t++) {
        const ag_table *table = m->tables[t].table;
        for (uint32_t i = 0; i < table->nfks; i++) {
            ag_column *target = table->fks[i]->target;
            for (size_t o = 0; target && o < k->mappers.len; o++) {
                if (k->mappers.items[o]->tables[0].table == target->table)
                    reach_set(k, o, mapper_number(k, m->base));
            }
        }
    }
}

/* Transitive closure, then rank = how many strongly connected groups lie before. Classes of one cycle get one rank. */
static void close_and_rank(ranks *k)
{
    size_t n = k->mappers.len;
    for (size_t via = 0; via < n; via++) {
        for (size_t i = 0; i < n; i++) {
            if (!ag_bit_get(k->reach + i * k->words, (unsigned)via))
                continue;
            for (size_t w = 0; w < k->words; w++)
                k->reach[i * k->words + w] |= k->reach[via * k->words + w];
        }
    }
    for (size_t i = 0; i < n; i++) {
        k->rank[i] = 0;
        for (size_t j = 0; j < n; j++) {
            bool before = ag_bit_get(k->reach + j * k->words, (unsigned)i);
            bool after = ag_bit_get(k->reach + i * k->words, (unsigned)j);
            k->rank[i] += before && !after;
        }
    }
}

static ag_status rank_mappers(ag_flush *f, ranks *k, ag_error *err)
{
    const ag_mapper *last = NULL;
    for (uint32_t i = 0; i < f->objects.len; i++) {
        const ag_mapper *m = f->objects.items[i].action ? ag_flush_mapper(f, i) : last;
        if (m == last)
            continue;
        last = m;
        if (mapper_number(k, m->base) == SIZE_MAX && !ag_vec_push(&k->mappers, m->base))
            return ag_fail_nomem(err);
    }
    size_t n = k->mappers.len;
    k->words = (n + 63) / 64;
    k->reach = ag_arena_zero(&f->arena, n * k->words + 1, sizeof *k->reach);
    k->rank = ag_arena_zero(&f->arena, n + 1, sizeof *k->rank);
    if (!k->reach || !k->rank)
        return ag_fail_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const ag_mapper *base = k->mappers.items[i];
        relation_edges(k, base);
        table_edges(k, base);
        for (uint32_t s = 0; s < base->nsubclasses; s++) {
            relation_edges(k, base->subclasses[s]);
            table_edges(k, base->subclasses[s]);
        }
    }
    close_and_rank(k);
    last = NULL;
    uint32_t rank = 0;
    for (uint32_t i = 0; i < f->objects.len; i++) {
        if (!f->objects.items[i].action)
            continue;
        if (ag_flush_mapper(f, i) != last) {
            last = ag_flush_mapper(f, i);
            rank = k->rank[mapper_number(k, last->base)];
        }
        f->objects.items[i].rank = rank;
    }
    return AG_OK;
}

/* ---- layers inside a rank ---- */

static ag_status circular(ag_flush *f, const ag_edge *edges, size_t nedges, ag_error *err)
{
    uint32_t n = (uint32_t)f->objects.len;
    bool *in_cycle = ag_arena_zero(&f->arena, n, sizeof *in_cycle);
    if (!in_cycle)
        return ag_fail_nomem(err);
    AG_TRY(ag_topo_cycles(f->alloc, in_cycle, n, edges, nedges, err));
    const char *names[2] = {"?", "?"};
    size_t found = 0;
    for (uint32_t i = 0; i < n && found < 2; i++) {
        if (in_cycle[i])
            names[found++] = ag_flush_mapper(f, i)->name.p;
    }
    return ag_fail(err, AG_EXC_CIRCULAR_DEPENDENCY,
                   "objects of %s and %s depend on each other's keys: none can be written first "
                   "(set post_update = true on one of the relationships)",
                   names[0], names[1]);
}

/* Layers from those edges whose ends have the same rank; f->objects[].layer. */
static ag_status layer_objects(ag_flush *f, const ag_flush_edge *all, size_t nall, bool saving, ag_error *err)
{
    uint32_t n = (uint32_t)f->objects.len;
    size_t nedges = 0;
    ag_edge *edges = ag_arena_new(&f->arena, (nall + 1) * sizeof *edges);
    if (!edges)
        return ag_fail_nomem(err);
    for (size_t i = 0; i < nall; i++) {
        const ag_flush_object *b = &f->objects.items[all[i].before], *a = &f->objects.items[all[i].after];
        bool live = saving ? ag_flush_is_saved(b) && ag_flush_is_saved(a) && b->action == AG_ACT_INSERT
                           : b->action == AG_ACT_DELETE && a->action == AG_ACT_DELETE;
        if (live && b->rank == a->rank)
            edges[nedges++] = (ag_edge){all[i].before, all[i].after};
    }
    if (!nedges)
        return AG_OK;
    uint32_t *order = ag_arena_new(&f->arena, n * sizeof *order), *layer = ag_arena_new(&f->arena, n * sizeof *layer);
    if (!order || !layer)
        return ag_fail_nomem(err);
    ag_status status = ag_topo_sort(f->alloc, order, layer, n, edges, nedges, err);
    if (status == AG_ERROR && err->cls == AG_EXC_CIRCULAR_DEPENDENCY)
        return circular(f, edges, nedges, err);
    AG_TRY(status);
    for (uint32_t i = 0; i < n; i++) {
        ag_flush_object *o = &f->objects.items[i];
        if (saving ? ag_flush_is_saved(o) : o->action == AG_ACT_DELETE)
            o->layer = layer[i];
    }
    return AG_OK;
}

ag_status ag_flush_plan(ag_flush *f, ag_error *err)
{
    ag_map seen;
    ranks k = {0};
    ag_map_init(&seen, f->alloc);
    ag_vec_init(&k.mappers, f->alloc);
    ag_status status = plan_links(f, &seen, err);
    if (status == AG_OK)
        status = rank_mappers(f, &k, err);
    ag_map_clear(&seen);
    ag_vec_clear(&k.mappers);
    AG_TRY(status);
    AG_TRY(layer_objects(f, f->save_edges.items, f->save_edges.len, true, err));
    return layer_objects(f, f->delete_edges.items, f->delete_edges.len, false, err);
}

/* ---- the order of writing ---- */

/* qsort has no context argument: sort keys stand in the elements. */
typedef struct entry {
    uint64_t major; /* rank, layer */
    uint64_t minor; /* class, then inserts after updates */
    uint64_t key;   /* updates and deletes by primary key, inserts as they were added */
    uint32_t object;
} entry;

static int entry_compare(const void *pa, const void *pb)
{
    const entry *a = pa, *b = pb;
    if (a->major != b->major)
        return a->major < b->major ? -1 : 1;
    if (a->minor != b->minor)
        return a->minor < b->minor ? -1 : 1;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->object < b->object ? -1 : a->object > b->object;
}

/* Rows are locked in the order of their keys, so that concurrent flushes do not deadlock. */
static uint64_t key_order(const ag_flush *f, uint32_t object)
{
    const ag_mapper *m = ag_flush_mapper(f, object);
    ag_value v;
    if (!m->npk)
        return 0;
    ag_entity_get(&v, ag_flush_entity(f, object), m->pk[0]);
    if (v.kind == AG_V_INT)
        return (uint64_t)v.u.i ^ (UINT64_C(1) << 63);
    uint64_t prefix = 0;
    for (size_t i = 0; ag_vkind_has_bytes(v.kind) && i < 8; i++)
        prefix = prefix << 8 | (i < v.u.s.n ? (unsigned char)v.u.s.p[i] : 0);
    return prefix;
}

ag_status ag_flush_order(ag_flush *f, bool deleting, bool early, ag_error *err)
{
    size_t n = 0;
    entry *entries = ag_arena_new(&f->arena, (f->objects.len + 1) * sizeof *entries);
    if (!entries)
        return ag_fail_nomem(err);
    for (uint32_t i = 0; i < f->objects.len; i++) {
        const ag_flush_object *o = &f->objects.items[i];
        if (deleting ? o->action != AG_ACT_DELETE || o->early != early || o->wrote : !ag_flush_is_saved(o))
            continue;
        bool insert = o->action == AG_ACT_INSERT;
        uint64_t rank = deleting ? UINT32_MAX - o->rank : o->rank;
        entries[n++] = (entry){.major = rank << 32 | o->layer,
                               .minor = (uint64_t)ag_flush_mapper(f, i)->id << 1 | insert,
                               .key = insert ? i : key_order(f, i),
                               .object = i};
    }
    qsort(entries, n, sizeof *entries, entry_compare);
    f->order.len = 0;
    if (!ag_vec_reserve(&f->order, n + 1))
        return ag_fail_nomem(err);
    for (size_t i = 0; i < n; i++)
        f->order.items[f->order.len++] = entries[i].object;
    return AG_OK;
}

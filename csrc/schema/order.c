/* The order in which tables can be created: those referred to first. Foreign keys with use_alter do not count; where the
 * others form a cycle, those between its members are left to ALTER. */
#include "schema/schema_private.h"

#include "base/topo.h"
#include <string.h>

typedef struct sorter {
    ag_table *const *tables; /* by name */
    uint32_t n;
    ag_map index; /* address of a table -> its number */
    AG_VEC(ag_edge) edges;
    AG_VEC(const ag_constraint *) alter;
    const bool *in_cycle; /* NULL in the first round */
} sorter;

static int compare(const ag_table *a, const ag_table *b)
{
    ag_str x = ag_table_data(a)->fullname, y = ag_table_data(b)->fullname;
    int c = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return c ? c : (x.n > y.n) - (x.n < y.n);
}

/* Merge sort: the caller's list may be long, and its order is often nearly right. */
static void sort_by_name(ag_table **list, ag_table **tmp, uint32_t n)
{
    if (n < 2)
        return;
    uint32_t half = n / 2, i = 0, k = half, o = 0;
    sort_by_name(list, tmp, half);
    sort_by_name(list + half, tmp, n - half);
    while (i < half && k < n)
        tmp[o++] = compare(list[k], list[i]) < 0 ? list[k++] : list[i++];
    while (i < half)
        tmp[o++] = list[i++];
    memcpy(list, tmp, o * sizeof *list);
}

/* Does constraint c of table `from` have to wait for an ALTER? Else *to is the table that must stand before it, or -1. */
static ag_status look(sorter *s, uint32_t from, const ag_constraint *c, int64_t *to, bool *alter, ag_error *err)
{
    ag_column *target = NULL;
    *to = -1;
    *alter = c->use_alter;
    if (c->use_alter)
        return AG_OK;
    AG_TRY(ag_fk_target(&target, c->fks[0], err));
    const ag_map_entry *e = ag_map_find_u64(&s->index, (uint64_t)(uintptr_t)target->table);
    if (!e || e->v.u == from)
        return AG_OK;
    if (s->in_cycle && s->in_cycle[from] && s->in_cycle[e->v.u])
        *alter = true;
    else
        *to = (int64_t)e->v.u;
    return AG_OK;
}

/* What the table was told to depend on. */
static ag_status gather_depends(sorter *s, uint32_t i, ag_error *err)
{
    const table_data *d = ag_table_data(s->tables[i]);
    for (uint32_t k = 0; k < d->ndepends; k++) {
        const ag_map_entry *e = ag_map_find_u64(&s->index, (uint64_t)(uintptr_t)d->depends[k]);
        if (!e || e->v.u == i)
            continue;
        ag_edge edge = {.before = (uint32_t)e->v.u, .after = i};
        if (!ag_vec_push(&s->edges, edge))
            return ag_fail_nomem(err);
    }
    return AG_OK;
}

static ag_status gather(sorter *s, ag_error *err)
{
    s->edges.len = 0;
    s->alter.len = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t n;
        const ag_constraint *const *list = ag_table_constraints(s->tables[i], &n);
        AG_TRY(gather_depends(s, i, err));
        for (uint32_t k = 0; k < n; k++) {
            int64_t to;
            bool alter;
            if (list[k]->kind != AG_CONSTRAINT_FOREIGN_KEY)
                continue;
            AG_TRY(look(s, i, list[k], &to, &alter, err));
            if (alter && !ag_vec_push(&s->alter, list[k]))
                return ag_fail_nomem(err);
            ag_edge edge = {.before = (uint32_t)to, .after = i};
            if (to >= 0 && !ag_vec_push(&s->edges, edge))
                return ag_fail_nomem(err);
        }
    }
    return AG_OK;
}

static ag_status run(sorter *s, uint32_t *order, ag_arena *ar, const ag_alloc *alloc, ag_error *err)
{
    bool *in_cycle = ag_arena_zero(ar, s->n, sizeof *in_cycle), any = false;
    if (!in_cycle)
        return ag_fail_nomem(err);
    AG_TRY(gather(s, err));
    AG_TRY(ag_topo_cycles(alloc, in_cycle, s->n, s->edges.items, s->edges.len, err));
    for (uint32_t i = 0; i < s->n; i++)
        any = any || in_cycle[i];
    if (any) {
        s->in_cycle = in_cycle;
        AG_TRY(gather(s, err));
    }
    return ag_topo_sort(alloc, order, NULL, s->n, s->edges.items, s->edges.len, err);
}

static ag_status number_tables(sorter *s, ag_error *err)
{
    for (uint32_t i = 0; i < s->n; i++) {
        ag_map_entry *e = ag_map_put_u64(&s->index, (uint64_t)(uintptr_t)s->tables[i], NULL);
        if (!e)
            return ag_fail_nomem(err);
        e->v.u = i;
    }
    return AG_OK;
}

ag_status ag_tables_sort(ag_table **out, ag_table *const *tables, uint32_t n, const ag_constraint ***alter,
                         uint32_t *nalter, ag_arena *ar, ag_error *err)
{
    *nalter = 0;
    if (!n)
        return AG_OK;
    ag_table **sorted = ag_arena_memdup(ar, tables, n * sizeof *sorted), **tmp = ag_arena_zero(ar, n, sizeof *tmp);
    uint32_t *order = ag_arena_zero(ar, n, sizeof *order);
    if (!sorted || !tmp || !order)
        return ag_fail_nomem(err);
    sort_by_name(sorted, tmp, n);
    const ag_alloc *alloc = ar->alloc;
    sorter s = {.tables = sorted, .n = n};
    ag_map_init(&s.index, alloc);
    ag_vec_init(&s.edges, alloc);
    ag_vec_init(&s.alter, alloc);
    ag_status st = number_tables(&s, err);
    if (st == AG_OK)
        st = run(&s, order, ar, alloc, err);
    for (uint32_t i = 0; st == AG_OK && i < n; i++)
        out[i] = sorted[order[i]];
    if (st == AG_OK && s.alter.len) {
        *alter = ag_arena_memdup(ar, s.alter.items, s.alter.len * sizeof *s.alter.items);
        *nalter = (uint32_t)s.alter.len;
        st = *alter ? AG_OK : ag_fail_nomem(err);
    }
    ag_map_clear(&s.index);
    ag_vec_clear(&s.edges);
    ag_vec_clear(&s.alter);
    return st;
}

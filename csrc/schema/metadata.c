/* The MetaData itself: its life, its tables by name, and the targets of foreign keys. */
#include "schema/schema_private.h"

#include "base/buf.h"
#include <string.h>

/* ---- helpers ---- */

bool ag_schema_str(ag_arena *ar, ag_str *s)
{
    if (s->p)
        s->p = ag_arena_strndup(ar, s->p, s->n);
    else
        return true;
    return s->p != NULL;
}

bool ag_schema_push(ag_arena *ar, void *items, uint32_t *n, const void *item)
{
    const void **list;
    memcpy(&list, items, sizeof list);
    if ((*n & (*n - 1)) == 0) { /* 0 or a power of two: full */
        const void **more = ag_arena_new(ar, (*n ? (size_t)*n * 2 : 1) * sizeof *more);
        if (!more)
            return false;
        if (*n)
            memcpy(more, list, *n * sizeof *more);
        list = more;
        memcpy(items, &list, sizeof list);
    }
    list[(*n)++] = item;
    return true;
}

static bool copy_pairs(ag_arena *ar, ag_option *o)
{
    ag_pair *pairs = ag_arena_memdup(ar, o->pairs, o->npairs * sizeof *pairs);
    if (!pairs)
        return false;
    o->pairs = pairs;
    for (uint32_t i = 0; i < o->npairs; i++) {
        if (!ag_schema_str(ar, &pairs[i].key) || !ag_schema_str(ar, &pairs[i].value))
            return false;
    }
    return true;
}

bool ag_schema_options(ag_arena *ar, ag_options *o)
{
    if (!o->n)
        return true;
    ag_option *items = ag_arena_memdup(ar, o->items, o->n * sizeof *items);
    if (!items)
        return false;
    o->items = items;
    for (uint32_t i = 0; i < o->n; i++) {
        ag_option *x = &items[i];
        if (!ag_schema_str(ar, &x->dialect) || !ag_schema_str(ar, &x->name) || (x->npairs && !copy_pairs(ar, x)))
            return false;
        if (x->value.kind == AG_V_TEXT && !ag_schema_str(ar, &x->value.u.s))
            return false;
    }
    return true;
}

/* ---- life ---- */

static void metadata_free(ag_owner *o)
{
    ag_metadata *m = (ag_metadata *)o;
    size_t pos = 0;
    for (ag_map_entry *e; (e = ag_map_next(&m->all, &pos));)
        ag_map_clear(&((ag_table *)e->v.p)->by_key);
    ag_map_clear(&m->all);
    ag_map_clear(&m->by_name);
    ag_vec_clear(&m->pending);
    ag_arena_clear(&m->arena);
    ag_mem_free(m->alloc, m);
}

static ag_status not_found(const ag_metadata *m, const ag_fk *fk, ag_error *err)
{
    size_t dot = fk->spec.n;
    while (dot && fk->spec.p[dot - 1] != '.')
        dot--;
    size_t n = dot ? dot - 1 : fk->spec.n;
    char table[64] = "";
    memcpy(table, fk->spec.p, n < sizeof table ? n : sizeof table - 1);
    const char *names[64];
    size_t count = 0, pos = 0;
    for (ag_map_entry *e; count < 64 && (e = ag_map_next(&m->by_name, &pos));)
        names[count++] = ag_table_data(e->v.p)->fullname.p;
    const char *near = ag_nearest(table, names, count);
    const ag_column *c = fk->column;
    return ag_fail(err, AG_EXC_NO_REFERENCED_TABLE,
                   "foreign key of column '%s.%s' refers to table '%.*s', which is not in this MetaData%s%s%s",
                   c->table->name.p, c->name.p, (int)n, fk->spec.p, near ? "; did you mean '" : "", near ? near : "",
                   near ? "'?" : "");
}

static ag_status metadata_resolve(ag_owner *o, ag_fk *fk, ag_error *err)
{
    ag_metadata *m = (ag_metadata *)o;
    AG_TRY(ag_schema_resolve(m, fk, err));
    if (!fk->target)
        return not_found(m, fk, err);
    return ag_schema_take_type(m, fk, err);
}

ag_status ag_metadata_new(ag_metadata **out, const ag_alloc *alloc, ag_types *types, uint64_t *serials, ag_str schema,
                          ag_error *err)
{
    ag_metadata *m = ag_mem_zero(alloc, 1, sizeof *m);
    if (!m)
        return ag_fail_nomem(err);
    m->owner.refs = 1;
    m->owner.free = metadata_free;
    m->owner.resolve = metadata_resolve;
    m->alloc = alloc;
    m->types = types;
    m->serials = serials;
    ag_arena_init(&m->arena, alloc);
    ag_map_init(&m->by_name, alloc);
    ag_map_init(&m->all, alloc);
    ag_vec_init(&m->pending, alloc);
    m->schema = schema;
    if (!ag_schema_str(&m->arena, &m->schema)) {
        metadata_free(&m->owner);
        return ag_fail_nomem(err);
    }
    *out = m;
    return AG_OK;
}

ag_table *ag_metadata_find(const ag_metadata *m, ag_str fullname)
{
    const ag_map_entry *e = ag_map_find(&m->by_name, fullname.p, fullname.n);
    return e ? e->v.p : NULL;
}

void ag_metadata_remove(ag_metadata *m, ag_table *t)
{
    table_data *d = ag_table_data(t);
    if (d->published)
        ag_map_remove(&m->by_name, d->fullname.p, d->fullname.n);
    d->published = false;
    for (size_t i = m->pending.len; i > 0; i--) {
        if (m->pending.items[i - 1]->column->table == t)
            m->pending.items[i - 1] = m->pending.items[--m->pending.len];
    }
}

/* ---- foreign keys ---- */

/* The table that "a.b" names: as it stands, else in the MetaData's default schema. */
static ag_table *find_target_table(ag_metadata *m, ag_str name, bool absolute)
{
    if (m->schema.p && !absolute && !memchr(name.p, '.', name.n)) {
        ag_buf buf;
        ag_buf_init(&buf, m->alloc);
        ag_buf_add(&buf, m->schema.p, m->schema.n);
        ag_buf_char(&buf, '.');
        ag_buf_add(&buf, name.p, name.n);
        ag_table *t = ag_buf_ok(&buf) ? ag_metadata_find(m, (ag_str){buf.data, buf.len}) : NULL;
        ag_buf_clear(&buf);
        return t;
    }
    return ag_metadata_find(m, name);
}

static ag_column *find_target_column(const ag_table *t, ag_str name, bool by_name)
{
    if (!by_name) {
        ag_column *c = ag_table_column(t, name.p, name.n);
        if (c)
            return c;
    }
    for (uint32_t i = 0; by_name && i < t->ncolumns; i++) {
        if (t->columns[i]->name.n == name.n && memcmp(t->columns[i]->name.p, name.p, name.n) == 0)
            return t->columns[i];
    }
    return NULL;
}

static ag_status no_column(const ag_fk *fk, const ag_table *t, ag_str column, ag_error *err)
{
    const char *names[64];
    size_t n = 0;
    for (; n < t->ncolumns && n < 64; n++)
        names[n] = fk->link_to_name ? t->columns[n]->name.p : t->columns[n]->key.p;
    const char *near = ag_nearest(column.p, names, n);
    return ag_fail(err, AG_EXC_NO_REFERENCED_COLUMN,
                   "foreign key of column '%s.%s': table '%s' has no column '%s'%s%s%s", fk->column->table->name.p,
                   fk->column->name.p, t->name.p, column.p, near ? "; did you mean '" : "", near ? near : "",
                   near ? "'?" : "");
}

/* Length of the table's part of "table.column" when its end lies before `end`; end itself when there is no dot. */
static size_t table_part(ag_str spec, size_t end)
{
    size_t dot = end;
    while (dot && spec.p[dot - 1] != '.')
        dot--;
    return dot ? dot - 1 : end;
}

ag_status ag_schema_resolve(ag_metadata *m, ag_fk *fk, ag_error *err)
{
    if (fk->target)
        return AG_OK;
    size_t n = table_part(fk->spec, fk->spec.n);
    ag_table *t = find_target_table(m, (ag_str){fk->spec.p, n}, fk->absolute);
    for (size_t next = n; !t && (next = table_part(fk->spec, n)) < n;) { /* dots may belong to the column's name */
        n = next;
        t = find_target_table(m, (ag_str){fk->spec.p, n}, fk->absolute);
    }
    if (!t)
        return AG_OK;
    if (n == fk->spec.n) { /* the column of the same name */
        fk->target = find_target_column(t, fk->column->key, false);
        return fk->target ? AG_OK : no_column(fk, t, fk->column->key, err);
    }
    ag_str column = {fk->spec.p + n + 1, fk->spec.n - n - 1};
    fk->target = find_target_column(t, column, fk->link_to_name);
    return fk->target ? AG_OK : no_column(fk, t, column, err);
}

/* Give c its type: its COLUMN node, which is ours, is made again at its place. */
static ag_status patch_type(ag_metadata *m, ag_column *c, const ag_type *type, ag_error *err)
{
    ag_arena tmp;
    ag_builder b;
    ag_arena_init(&tmp, m->alloc);
    ag_builder_init(&b, m->alloc, m->types, err);
    b.arena = &tmp;
    c->type = type;
    const ag_node *fresh = ag_column_node(&b, c);
    if (fresh)
        memcpy((void *)(uintptr_t)c->node, fresh, fresh->size);
    else
        c->type = ag_type_plain(AG_TYPE_NULL);
    ag_builder_clear(&b);
    ag_arena_clear(&tmp);
    return fresh ? AG_OK : err && err->cls == AG_EXC_MEMORY ? AG_NOMEM : AG_ERROR;
}

/* Foreign keys that refer to c are found by a walk over all tables: it is rare that a chain of untyped columns is declared
 * from its far end. */
static ag_status spread_type(ag_metadata *m, const ag_column *c, unsigned depth, ag_error *err)
{
    size_t pos = 0;
    for (ag_map_entry *e; depth < 100 && (e = ag_map_next(&m->by_name, &pos));) {
        const ag_table *t = e->v.p;
        for (uint32_t i = 0; i < t->nfks; i++) {
            ag_column *x = t->fks[i]->column;
            if (t->fks[i]->target != c || x->type->id != AG_TYPE_NULL || x == c)
                continue;
            AG_TRY(patch_type(m, x, c->type, err));
            AG_TRY(spread_type(m, x, depth + 1, err));
        }
    }
    return AG_OK;
}

ag_status ag_schema_take_type(ag_metadata *m, ag_fk *fk, ag_error *err)
{
    ag_column *c = fk->column;
    if (!fk->target || c->type->id != AG_TYPE_NULL || fk->target->type->id == AG_TYPE_NULL)
        return AG_OK;
    AG_TRY(patch_type(m, c, fk->target->type, err));
    return spread_type(m, c, 0, err);
}

/* Constraints, indexes and sequences. */
#include "schema/schema_private.h"

#include <string.h>

/* ---- options ---- */

static bool is(ag_str s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

const ag_option *ag_option_find(const ag_options *o, const char *dialect, const char *name)
{
    for (uint32_t i = 0; i < o->n; i++) {
        if (is(o->items[i].dialect, dialect) && is(o->items[i].name, name))
            return &o->items[i];
    }
    return NULL;
}

bool ag_option_bool(const ag_options *o, const char *dialect, const char *name)
{
    const ag_option *x = ag_option_find(o, dialect, name);
    return x && x->value.kind == AG_V_BOOL && x->value.u.i;
}

ag_str ag_option_text(const ag_options *o, const char *dialect, const char *name)
{
    const ag_option *x = ag_option_find(o, dialect, name);
    return x && x->value.kind == AG_V_TEXT ? x->value.u.s : (ag_str){0};
}

/* ---- reading ---- */

const ag_constraint *const *ag_table_constraints(const ag_table *t, uint32_t *n)
{
    *n = ag_table_data(t)->nconstraints;
    return ag_table_data(t)->constraints;
}

const ag_constraint *ag_table_primary_key(const ag_table *t)
{
    const table_data *d = ag_table_data(t);
    return d->nconstraints && d->constraints[0]->kind == AG_CONSTRAINT_PRIMARY_KEY ? d->constraints[0] : NULL;
}

const ag_index *const *ag_table_indexes(const ag_table *t, uint32_t *n)
{
    *n = ag_table_data(t)->nindexes;
    return ag_table_data(t)->indexes;
}

const ag_options *ag_table_options(const ag_table *t)
{
    return &ag_table_data(t)->options;
}

const ag_options *ag_column_options(const ag_column *c)
{
    return &((const column_data *)c->schema_data)->options;
}

/* ---- foreign keys ---- */

static ag_status add_fk(ag_fk **out, ag_table *t, const ag_fk_spec *spec, const ag_constraint *c, ag_error *err)
{
    ag_metadata *m = ag_metadata_of(t);
    ag_fk *fk = ag_arena_zero(&m->arena, 1, sizeof *fk);
    if (!fk)
        return ag_fail_nomem(err);
    fk->column = spec->column;
    fk->target = spec->target;
    fk->constraint = c;
    fk->order = ++m->fk_order;
    fk->spec = spec->spec;
    fk->link_to_name = spec->link_to_name;
    fk->absolute = spec->absolute;
    if (!ag_schema_str(&m->arena, &fk->spec) ||
        !ag_schema_push(&m->arena, &spec->column->fks, &spec->column->nfks, fk) ||
        !ag_schema_push(&m->arena, &t->fks, &t->nfks, fk))
        return ag_fail_nomem(err);
    *out = fk;
    ag_status st = ag_schema_resolve(m, fk, err);
    if (st == AG_ERROR && err && err->cls == AG_EXC_NO_REFERENCED_COLUMN && fk->link_to_name)
        ag_error_clear(err); /* a reflected table may lack columns: this is said where the target is needed */
    else if (st != AG_OK)
        return st;
    if (fk->target)
        return ag_schema_take_type(m, fk, err);
    return ag_vec_push(&m->pending, fk) ? AG_OK : ag_fail_nomem(err);
}

static ag_status add_fks(ag_table *t, ag_constraint *c, const ag_fk_spec *specs, uint32_t n, ag_error *err)
{
    ag_fk **fks = ag_arena_zero(&ag_metadata_of(t)->arena, n, sizeof *fks);
    if (!fks)
        return ag_fail_nomem(err);
    for (uint32_t i = 0; i < n; i++)
        AG_TRY(add_fk(&fks[i], t, &specs[i], c, err));
    c->fks = fks;
    return AG_OK;
}

/* ---- removing ---- */

static void drop_pointer(void **list, uint32_t *n, const void *x)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *n; i++) {
        if (list[i] != x)
            list[kept++] = list[i];
    }
    *n = kept;
}

static void drop_fk(ag_table *t, ag_fk *fk)
{
    ag_metadata *m = ag_metadata_of(t);
    drop_pointer((void **)(uintptr_t)t->fks, &t->nfks, fk);
    drop_pointer((void **)(uintptr_t)fk->column->fks, &fk->column->nfks, fk);
    for (size_t i = m->pending.len; i > 0; i--) {
        if (m->pending.items[i - 1] == fk)
            m->pending.items[i - 1] = m->pending.items[--m->pending.len];
    }
}

static bool has_column(const ag_constraint *c, const ag_column *column)
{
    for (uint32_t i = 0; i < c->ncolumns; i++) {
        if (c->columns[i] == column)
            return true;
    }
    return false;
}

void ag_schema_replace_column(ag_table *t, const ag_column *column, ag_column *by)
{
    table_data *d = ag_table_data(t);
    uint32_t kept = 0;
    size_t pos = 0;
    for (ag_map_entry *e; (e = ag_map_next(&ag_metadata_of(t)->by_name, &pos));) {
        const ag_table *other = e->v.p;
        for (uint32_t i = 0; i < other->nfks; i++) {
            if (other->fks[i]->target == column)
                other->fks[i]->target = by;
        }
    }
    for (uint32_t i = 0; i < d->nconstraints; i++) {
        ag_constraint *c = (ag_constraint *)(uintptr_t)d->constraints[i];
        if (c->kind == AG_CONSTRAINT_FOREIGN_KEY && has_column(c, column)) {
            for (uint32_t k = 0; k < c->ncolumns; k++)
                drop_fk(t, c->fks[k]);
            continue;
        }
        c->position = kept;
        d->constraints[kept++] = c;
    }
    d->nconstraints = kept;
}

/* ---- adding ---- */

static bool copy_constraint(ag_arena *ar, ag_constraint *c)
{
    if (c->ncolumns) {
        c->columns = ag_arena_memdup(ar, c->columns, c->ncolumns * sizeof *c->columns);
        if (!c->columns)
            return false;
    }
    if (c->nelements) {
        ag_exclude_element *e = ag_arena_memdup(ar, c->elements, c->nelements * sizeof *e);
        if (!e)
            return false;
        c->elements = e;
        for (uint32_t i = 0; i < c->nelements; i++) {
            if (!ag_schema_str(ar, &e[i].op))
                return false;
        }
    }
    return ag_schema_str(ar, &c->name) && ag_schema_str(ar, &c->initially) && ag_schema_str(ar, &c->comment) &&
           ag_schema_str(ar, &c->ondelete) && ag_schema_str(ar, &c->onupdate) && ag_schema_str(ar, &c->match) &&
           ag_schema_options(ar, &c->options);
}

/* A column that is in the key by its own word keeps what it says of NULL (SQLite's keys may hold it); others become NOT NULL. */
static void set_primary_key(ag_table *t, const ag_constraint *c)
{
    for (uint32_t i = 0; i < t->npk; i++)
        t->primary_key[i]->primary_key = has_column(c, t->primary_key[i]);
    t->primary_key = c->columns;
    t->npk = c->ncolumns;
    for (uint32_t i = 0; i < c->ncolumns; i++) {
        c->columns[i]->nullable &= c->columns[i]->primary_key;
        c->columns[i]->primary_key = true;
    }
}

/* The primary key stands first and replaces an older one; the others follow. */
static bool place_constraint(ag_table *t, ag_constraint *c)
{
    table_data *d = ag_table_data(t);
    bool has_key = ag_table_primary_key(t) != NULL;
    if (c->kind == AG_CONSTRAINT_PRIMARY_KEY && has_key) {
        c->position = 0;
        d->constraints[0] = c;
        return true;
    }
    c->position = d->nconstraints;
    if (!ag_schema_push(&ag_metadata_of(t)->arena, &d->constraints, &d->nconstraints, c))
        return false;
    for (; c->kind == AG_CONSTRAINT_PRIMARY_KEY && c->position > 0; c->position--) {
        ag_constraint *before = (ag_constraint *)(uintptr_t)d->constraints[c->position - 1];
        d->constraints[c->position] = before;
        before->position = c->position;
        d->constraints[c->position - 1] = c;
    }
    return true;
}

ag_status ag_table_add_constraint(const ag_constraint **out, ag_table *t, const ag_constraint *spec,
                                  const ag_fk_spec *fks, uint32_t nfks, ag_error *err)
{
    ag_metadata *m = ag_metadata_of(t);
    ag_constraint *c = ag_arena_memdup(&m->arena, spec, sizeof *c);
    if (!c || !copy_constraint(&m->arena, c))
        return ag_fail_nomem(err);
    c->serial = ++*m->serials;
    c->table = t;
    if (c->kind == AG_CONSTRAINT_FOREIGN_KEY)
        AG_TRY(add_fks(t, c, fks, nfks, err));
    if (!place_constraint(t, c))
        return ag_fail_nomem(err);
    if (c->kind == AG_CONSTRAINT_PRIMARY_KEY)
        set_primary_key(t, c);
    *out = c;
    return AG_OK;
}

void ag_table_remove_constraint(const ag_constraint *c)
{
    table_data *d = ag_table_data(c->table);
    if (c->position >= d->nconstraints || d->constraints[c->position] != c)
        return;
    for (uint32_t i = c->position + 1; i < d->nconstraints; i++) {
        ((ag_constraint *)(uintptr_t)d->constraints[i])->position = i - 1;
        d->constraints[i - 1] = d->constraints[i];
    }
    d->nconstraints--;
}

ag_status ag_constraint_restrict(const ag_constraint *c, const ag_str *dialects, uint32_t n, bool asks, ag_error *err)
{
    ag_constraint *own = (ag_constraint *)(uintptr_t)c;
    ag_arena *ar = &ag_metadata_of(c->table)->arena;
    ag_str *list = ag_arena_memdup(ar, dialects, n * sizeof *list);
    for (uint32_t i = 0; list && i < n; i++) {
        if (!ag_schema_str(ar, &list[i]))
            list = NULL;
    }
    if (!list)
        return ag_fail_nomem(err);
    own->dialects = list;
    own->ndialects = n;
    own->asks = asks;
    return AG_OK;
}

ag_status ag_table_add_index(const ag_index **out, ag_table *t, const ag_index *spec, ag_error *err)
{
    ag_metadata *m = ag_metadata_of(t);
    table_data *d = ag_table_data(t);
    ag_index *x = ag_arena_memdup(&m->arena, spec, sizeof *x);
    if (!x)
        return ag_fail_nomem(err);
    if (!x->name.n)
        return ag_fail(err, AG_EXC_ARGUMENT, "an index of table '%s' has no name", t->name.p);
    x->serial = ++*m->serials;
    x->table = t;
    x->exprs = ag_arena_memdup(&m->arena, spec->exprs, spec->nexprs * sizeof *spec->exprs);
    if (!x->exprs || !ag_schema_str(&m->arena, &x->name) || !ag_schema_options(&m->arena, &x->options) ||
        !ag_schema_push(&m->arena, &d->indexes, &d->nindexes, x))
        return ag_fail_nomem(err);
    *out = x;
    return AG_OK;
}

ag_status ag_constraint_rename(const ag_constraint *c, ag_str name, int8_t quote, ag_error *err)
{
    ag_constraint *own = (ag_constraint *)(uintptr_t)c;
    if (name.n && !ag_schema_str(&ag_metadata_of(c->table)->arena, &name))
        return ag_fail_nomem(err);
    own->name = name.n ? name : (ag_str){0};
    own->quote = quote;
    own->generated_name = false;
    return AG_OK;
}

ag_status ag_index_rename(const ag_index *x, ag_str name, int8_t quote, ag_error *err)
{
    ag_index *own = (ag_index *)(uintptr_t)x;
    if (!name.n)
        return ag_fail(err, AG_EXC_ARGUMENT, "an index of table '%s' has no name", x->table->name.p);
    if (!ag_schema_str(&ag_metadata_of(x->table)->arena, &name))
        return ag_fail_nomem(err);
    own->name = name;
    own->quote = quote;
    own->generated_name = false;
    return AG_OK;
}

ag_status ag_sequence_new(ag_sequence **out, ag_metadata *m, const ag_sequence *spec, ag_error *err)
{
    ag_sequence *s = ag_arena_memdup(&m->arena, spec, sizeof *s);
    if (!s || !ag_schema_str(&m->arena, &s->name) || !ag_schema_str(&m->arena, &s->schema))
        return ag_fail_nomem(err);
    s->serial = ++*m->serials;
    s->owner = &m->owner;
    ag_builder b;
    ag_builder_init(&b, m->alloc, m->types, err);
    b.arena = &m->arena;
    s->next_value = ag_sequence_next_value(&b, s);
    ag_builder_clear(&b);
    if (!s->next_value)
        return err->cls == AG_EXC_MEMORY ? AG_NOMEM : AG_ERROR;
    *out = s;
    return AG_OK;
}

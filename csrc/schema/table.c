/* Tables and columns: filling the structs that the SQL layer reads. */
#include "schema/schema_private.h"

#include "base/buf.h"
#include <string.h>

/* A builder whose nodes go into the MetaData's arena. */
static void begin(ag_builder *b, ag_metadata *m, ag_error *err)
{
    ag_builder_init(b, m->alloc, m->types, err);
    b->arena = &m->arena;
}

/* The failure of a builder as a status. */
static ag_status built(const ag_node *n, const ag_error *err)
{
    return n ? AG_OK : err->cls == AG_EXC_MEMORY ? AG_NOMEM : AG_ERROR;
}

static bool fullname(ag_arena *ar, const ag_alloc *alloc, const ag_table *t, ag_str *out)
{
    ag_buf buf;
    ag_buf_init(&buf, alloc);
    if (t->schema.p) {
        ag_buf_add(&buf, t->schema.p, t->schema.n);
        ag_buf_char(&buf, '.');
    }
    ag_buf_add(&buf, t->name.p, t->name.n);
    *out = (ag_str){buf.data, buf.len};
    bool ok = ag_buf_ok(&buf) && ag_schema_str(ar, out);
    ag_buf_clear(&buf);
    return ok;
}

static bool fill_table(ag_metadata *m, ag_table *t, table_data *d, const ag_table_spec *spec)
{
    t->schema_data = d;
    t->owner = &m->owner;
    t->serial = ++*m->serials;
    t->name = spec->name;
    t->schema = spec->schema;
    t->quote = spec->quote;
    t->quote_schema = spec->quote_schema;
    t->implicit_returning = spec->implicit_returning;
    t->is_view = spec->is_view;
    t->nprefixes = spec->nprefixes;
    d->comment = spec->comment;
    d->options = spec->options;
    if (spec->nprefixes) {
        t->prefixes = ag_arena_memdup(&m->arena, spec->prefixes, spec->nprefixes * sizeof *spec->prefixes);
        if (!t->prefixes)
            return false;
    }
    return ag_schema_str(&m->arena, &t->name) && ag_schema_str(&m->arena, &t->schema) &&
           ag_schema_str(&m->arena, &d->comment) && ag_schema_options(&m->arena, &d->options) &&
           fullname(&m->arena, m->alloc, t, &d->fullname);
}

ag_status ag_table_new(ag_table **out, ag_metadata *m, const ag_table_spec *spec, ag_error *err)
{
    if (!spec->name.n)
        return ag_fail(err, AG_EXC_ARGUMENT, "a table needs a name");
    ag_table *t = ag_arena_zero(&m->arena, 1, sizeof *t);
    table_data *d = ag_arena_zero(&m->arena, 1, sizeof *d);
    if (!t || !d || !fill_table(m, t, d, spec))
        return ag_fail_nomem(err);
    ag_map_init(&t->by_key, m->alloc);
    ag_builder b;
    begin(&b, m, err);
    t->node = ag_table_node(&b, t);
    ag_builder_clear(&b);
    AG_TRY(built(t->node, err));
    ag_map_entry *e = ag_map_put_u64(&m->all, (uint64_t)(uintptr_t)t, NULL);
    if (!e)
        return ag_fail_nomem(err);
    e->v.p = t;
    *out = t;
    return AG_OK;
}

ag_status ag_table_change(ag_table *t, ag_str comment, ag_options options, ag_error *err)
{
    ag_arena *ar = &ag_metadata_of(t)->arena;
    if (!ag_schema_str(ar, &comment) || !ag_schema_options(ar, &options))
        return ag_fail_nomem(err);
    ag_table_data(t)->comment = comment;
    ag_table_data(t)->options = options;
    return AG_OK;
}

static void forget_pending(ag_metadata *m, size_t i)
{
    m->pending.items[i] = m->pending.items[--m->pending.len];
}

ag_status ag_table_publish(ag_table *t, ag_error *err)
{
    ag_metadata *m = ag_metadata_of(t);
    table_data *d = ag_table_data(t);
    bool added = false;
    ag_map_entry *e = ag_map_put(&m->by_name, d->fullname.p, d->fullname.n, &added);
    if (!e)
        return ag_fail_nomem(err);
    if (!added)
        return ag_fail(err, AG_EXC_INVALID_REQUEST, "table '%s' is already defined in this MetaData", d->fullname.p);
    e->v.p = t;
    d->published = true;
    for (size_t i = m->pending.len; i > 0; i--) {
        ag_fk *fk = m->pending.items[i - 1];
        ag_error ignored = {0};
        if (ag_schema_resolve(m, fk, &ignored) == AG_OK && fk->target) {
            forget_pending(m, i - 1);
            AG_TRY(ag_schema_take_type(m, fk, err));
        }
        ag_error_clear(&ignored); /* a missing column is reported where the target is needed */
    }
    return AG_OK;
}

/* ---- columns ---- */

static bool copy_value(ag_arena *ar, ag_value *v)
{
    switch (v->kind) {
    case AG_V_TEXT:
    case AG_V_BYTES:
    case AG_V_DECIMAL:
    case AG_V_UUID:
    case AG_V_JSON:
    case AG_V_ARRAY:
    case AG_V_RAW: return ag_schema_str(ar, &v->u.s);
    default: return true;
    }
}

static bool copy_column(ag_arena *ar, ag_column *c)
{
    if (c->identity) {
        c->identity = ag_arena_memdup(ar, c->identity, sizeof *c->identity);
        if (!c->identity)
            return false;
    }
    return ag_schema_str(ar, &c->name) && ag_schema_str(ar, &c->key) && copy_value(ar, &c->def.value) &&
           copy_value(ar, &c->onupdate.value);
}

static ag_column *column_named(const ag_table *t, ag_str name)
{
    for (uint32_t i = 0; i < t->ncolumns; i++) {
        ag_column *c = t->columns[i];
        if (c->name.n == name.n && memcmp(c->name.p, name.p, name.n) == 0)
            return c;
    }
    return NULL;
}

/* Give c the number i: its node, which is ours and which expressions hold, is made again at its place. */
static ag_status renumber(ag_metadata *m, ag_column *c, uint32_t i, ag_error *err)
{
    ag_arena tmp;
    ag_builder b;
    ag_arena_init(&tmp, m->alloc);
    ag_builder_init(&b, m->alloc, m->types, err);
    b.arena = &tmp;
    c->index = i;
    const ag_node *fresh = ag_column_node(&b, c);
    if (fresh)
        memcpy((void *)(uintptr_t)c->node, fresh, fresh->size);
    ag_builder_clear(&b);
    ag_arena_clear(&tmp);
    return built(fresh, err);
}

/* `by` stands in the place of old: old's foreign keys are forgotten, those that refer to it refer to `by`. */
static void replace_column(ag_table *t, const ag_column *old, ag_column *by)
{
    ag_schema_replace_column(t, old, by);
    if (t->sentinel == old)
        t->sentinel = NULL;
    if (old->key.n != by->key.n || memcmp(old->key.p, by->key.p, by->key.n) != 0)
        ag_map_remove(&t->by_key, old->key.p, old->key.n);
}

/* Take the column at i out of the list; those behind it move up. */
static ag_status close_gap(ag_table *t, uint32_t i, ag_error *err)
{
    ag_column **list = (ag_column **)(uintptr_t)t->columns;
    t->ncolumns--;
    for (; i < t->ncolumns; i++) {
        list[i] = list[i + 1];
        AG_TRY(renumber(ag_metadata_of(t), list[i], i, err));
    }
    return AG_OK;
}

/* Where the column goes: a new place, or that of the one it replaces. It may replace two: one by its key, one by its name. */
static ag_status place_column(ag_table *t, ag_column *c, bool replace, ag_error *err)
{
    ag_metadata *m = ag_metadata_of(t);
    ag_column *old = ag_table_column(t, c->key.p, c->key.n), *named = column_named(t, c->name), *also = NULL;
    if ((old || named) && !replace)
        return ag_fail(err, AG_EXC_DUPLICATE_COLUMN, "table '%s' has a column with %s '%s' already", t->name.p,
                       old ? "key" : "name", old ? c->key.p : c->name.p);
    bool new_key = !old;
    if (named != old) {
        also = old && named ? (old->index > named->index ? old : named) : NULL;
        old = also == named ? old : named;
    }
    ag_map_entry *e = ag_map_put(&t->by_key, c->key.p, c->key.n, NULL);
    if (!e)
        return ag_fail_nomem(err);
    c->index = old ? old->index : t->ncolumns;
    ag_builder b;
    begin(&b, m, err);
    c->node = ag_column_node(&b, c);
    ag_builder_clear(&b);
    ag_status st = built(c->node, err);
    if (st == AG_OK && !old && !ag_schema_push(&m->arena, &t->columns, &t->ncolumns, c))
        st = ag_fail_nomem(err);
    if (st != AG_OK) {
        if (new_key)
            ag_map_remove(&t->by_key, c->key.p, c->key.n);
        return st;
    }
    e->key = c->key.p;
    e->v.p = c;
    if (old) {
        ((ag_column **)(uintptr_t)t->columns)[c->index] = c;
        replace_column(t, old, c);
    }
    if (!also)
        return AG_OK;
    uint32_t gap = also->index;
    replace_column(t, also, c);
    AG_TRY(renumber(m, also, c->index, err)); /* expressions that hold it mean the new one */
    return close_gap(t, gap, err);
}

ag_status ag_table_move_column(ag_column *c, uint32_t to, ag_error *err)
{
    ag_table *t = c->table;
    ag_column **list = (ag_column **)(uintptr_t)t->columns;
    uint32_t from = c->index;
    if (to >= t->ncolumns)
        return ag_fail(err, AG_EXC_ARGUMENT, "table '%s' has no place %u for a column", t->name.p, (unsigned)to + 1);
    for (; from != to; from = from < to ? from + 1 : from - 1) {
        uint32_t next = from < to ? from + 1 : from - 1;
        list[from] = list[next];
        AG_TRY(renumber(ag_metadata_of(t), list[from], from, err));
    }
    list[to] = c;
    return renumber(ag_metadata_of(t), c, to, err);
}

ag_status ag_table_add_column(ag_column **out, ag_table *t, const ag_column_spec *spec, ag_error *err)
{
    ag_arena *ar = &ag_metadata_of(t)->arena;
    if (!spec->c.name.n)
        return ag_fail(err, AG_EXC_ARGUMENT, "a column of table '%s' has no name", t->name.p);
    ag_column *c = ag_arena_memdup(ar, &spec->c, sizeof *c);
    column_data *d = ag_arena_zero(ar, 1, sizeof *d);
    if (!c || !d)
        return ag_fail_nomem(err);
    d->comment = spec->comment;
    d->options = spec->options;
    c->schema_data = d;
    c->table = t;
    c->fks = NULL;
    c->nfks = 0;
    c->node = NULL;
    if (!c->key.p)
        c->key = c->name;
    if (!c->type)
        c->type = ag_type_plain(AG_TYPE_NULL);
    if (!copy_column(ar, c) || !ag_schema_str(ar, &d->comment) || !ag_schema_options(ar, &d->options))
        return ag_fail_nomem(err);
    AG_TRY(place_column(t, c, spec->replace, err));
    if (c->insert_sentinel && !t->sentinel)
        t->sentinel = c;
    *out = c;
    return AG_OK;
}

/* ---- order of creation ---- */

ag_status ag_table_depend(ag_table *t, ag_table *on, ag_error *err)
{
    table_data *d = ag_table_data(t);
    if (t->owner != on->owner)
        return ag_fail(err, AG_EXC_ARGUMENT, "table '%s' cannot depend on '%s' of another MetaData", t->name.p,
                       on->name.p);
    for (uint32_t i = 0; i < d->ndepends; i++) {
        if (d->depends[i] == on)
            return AG_OK;
    }
    return ag_schema_push(&ag_metadata_of(t)->arena, &d->depends, &d->ndepends, on) ? AG_OK : ag_fail_nomem(err);
}

/* ---- autoincrement ---- */

static bool is_integer(const ag_column *c)
{
    return ag_type_affinity(ag_type_strip(c->type)) == AG_AFF_INTEGER;
}

static bool has_number(const ag_column *c)
{
    const ag_type *t = ag_type_strip(c->type);
    return is_integer(c) || (ag_type_affinity(t) == AG_AFF_NUMERIC && t->scale <= 0 && (t->flags & AG_TYPE_ASDECIMAL) &&
                             t->precision > 0);
}

/* SQLAlchemy's rule for "auto": the only column of the key, an integer, no foreign key, no default of its own (a sequence
 * and an identity count as numbering). */
static bool numbered_by_itself(const ag_table *t, const ag_column *c)
{
    bool own =
        (c->def.kind != AG_DEFAULT_NONE && c->def.kind != AG_DEFAULT_SEQUENCE) ||
        (c->server_default.kind != AG_SERVER_DEFAULT_NONE && c->server_default.kind != AG_SERVER_DEFAULT_IDENTITY);
    return t->npk == 1 && is_integer(c) && !own && (c->nfks == 0 || c->autoincrement == AG_AUTOINCREMENT_IGNORE_FK);
}

ag_status ag_table_finish(ag_table *t, ag_error *err)
{
    t->autoincrement_column = NULL;
    for (uint32_t i = 0; i < t->npk; i++) {
        ag_column *c = t->primary_key[i];
        bool yes = false;
        if (c->autoincrement == AG_AUTOINCREMENT_TRUE) {
            if (c->type->id != AG_TYPE_NULL && !has_number(c))
                return ag_fail(err, AG_EXC_ARGUMENT, "column '%s.%s': autoincrement = true needs an integer type",
                               t->name.p, c->name.p);
            if (t->autoincrement_column)
                return ag_fail(err, AG_EXC_ARGUMENT, "table '%s' has two autoincrement columns: '%s' and '%s'",
                               t->name.p, t->autoincrement_column->name.p, c->name.p);
            yes = true;
        } else if (c->autoincrement != AG_AUTOINCREMENT_FALSE) {
            yes = numbered_by_itself(t, c);
        }
        if (yes)
            t->autoincrement_column = c;
    }
    return AG_OK;
}

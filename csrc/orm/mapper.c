/* Registries and mappers: building, layout, look-ups. Relationships are worked out in mapper_relation.c. */
#include "orm/mapper_private.h"
#include "sql/walk.h"
#include <string.h>

/* ---- registries ---- */

ag_status ag_registry_new(ag_registry **out, ag_orm *orm, const ag_alloc *a, ag_error *err)
{
    ag_registry *r = ag_mem_zero(a, 1, sizeof *r);
    if (!r)
        return ag_fail_nomem(err);
    r->alloc = a;
    r->orm = ag_orm_ref(orm);
    r->refs = 1;
    ag_arena_init(&r->arena, a);
    ag_vec_init(&r->owners, a);
    *out = r;
    return AG_OK;
}

ag_registry *ag_registry_ref(ag_registry *r)
{
    r->refs++;
    return r;
}

void ag_registry_unref(ag_registry *r)
{
    if (!r || --r->refs)
        return;
    for (size_t i = 0; i < r->owners.len; i++)
        ag_owner_unref(r->owners.items[i]);
    ag_vec_clear(&r->owners);
    ag_arena_clear(&r->arena);
    ag_orm_unref(r->orm);
    ag_mem_free(r->alloc, r);
}

ag_arena *ag_registry_arena(ag_registry *r)
{
    return &r->arena;
}

ag_status ag_registry_hold(ag_registry *r, ag_owner *o, ag_error *err)
{
    for (size_t i = 0; i < r->owners.len; i++)
        if (r->owners.items[i] == o)
            return AG_OK;
    if (!ag_vec_push(&r->owners, o))
        return ag_fail_nomem(err);
    ag_owner_ref(o);
    return AG_OK;
}

ag_status ag_registry_str(ag_registry *r, ag_str *out, ag_str s, ag_error *err)
{
    *out = (ag_str){ag_arena_strndup(&r->arena, s.p ? s.p : "", s.n), s.n};
    return out->p ? AG_OK : ag_fail_nomem(err);
}

void ag_registry_builder(ag_registry *r, ag_builder *b, ag_error *err)
{
    ag_builder_init(b, r->alloc, r->orm->types, err);
    b->arena = &r->arena;
}

static void hold_owner(void *ud, ag_owner *o)
{
    ag_registry *r = ud;
    ag_error ignored = {0};
    if (ag_registry_hold(r, o, &ignored) != AG_OK)
        r->nomem = true;
    ag_error_clear(&ignored);
}

ag_status ag_registry_node(ag_registry *r, const ag_node **out, const ag_node *n, ag_error *err)
{
    ag_builder b;
    const ag_replacer plain = {.copy_all = true};
    *out = NULL;
    if (!n)
        return AG_OK;
    AG_TRY(ag_tree_owners(n, hold_owner, r, r->alloc, err));
    if (r->nomem)
        return ag_fail_nomem(err);
    if (n->kind == AG_K_COLUMN || n->kind == AG_K_TABLE) {
        *out = n;
        return AG_OK;
    }
    ag_registry_builder(r, &b, err);
    *out = ag_replace(&b, n, &plain);
    ag_builder_clear(&b);
    return *out ? AG_OK : AG_ERROR;
}

/* ---- look-ups ---- */

bool ag_mapper_isa(const ag_mapper *m, const ag_mapper *of)
{
    for (; m; m = m->inherits)
        if (m == of)
            return true;
    return false;
}

static bool str_is(ag_str s, const char *key, size_t len)
{
    return s.n == len && memcmp(s.p, key, len) == 0;
}

const ag_slot *ag_mapper_slot(const ag_mapper *m, const char *key, size_t len)
{
    for (unsigned i = 0; i < m->nslots; i++)
        if (str_is(m->slots[i].key, key, len))
            return &m->slots[i];
    return NULL;
}

const ag_relation *ag_mapper_relation(const ag_mapper *m, const char *key, size_t len)
{
    for (unsigned i = 0; i < m->nrelations; i++)
        if (str_is(m->relations[i]->key, key, len))
            return m->relations[i];
    return NULL;
}

uint16_t ag_mapper_slot_of(const ag_mapper *m, const ag_column *c)
{
    for (unsigned i = 0; i < m->ntables; i++)
        if (m->tables[i].table == c->table && c->index < m->tables[i].ncolumns)
            return m->tables[i].slots[c->index];
    return AG_NO_SLOT;
}

void ag_mapper_set_events(ag_mapper *m, unsigned events)
{
    m->events = events;
}

/* ---- building ---- */

typedef struct making {
    ag_mapper *m;
    const ag_mapper_spec *spec;
    ag_registry *r;
    ag_slot *slots;
    ag_error *err;
} making;

#define NEW(mk, count, type) ag_arena_zero(&(mk)->r->arena, (count) ? (count) : 1, sizeof(type))

static unsigned column_flags(const ag_column *c)
{
    unsigned flags = 0;
    ag_vkind kind = ag_type_kind(c->type);
    if (c->nfks)
        flags |= AG_SLOT_FK;
    if (c->server_default.kind != AG_SERVER_DEFAULT_NONE || c->identity)
        flags |= AG_SLOT_SERVER;
    if (kind == AG_V_JSON || kind == AG_V_ARRAY || kind == AG_V_HOST || kind == AG_V_NULL)
        flags |= AG_SLOT_DECODED;
    return flags;
}

static ag_status make_slot(making *mk, ag_slot *s, const ag_slot_spec *spec)
{
    AG_TRY(ag_registry_str(mk->r, &s->key, spec->key, mk->err));
    s->column = spec->column;
    s->flags = spec->flags;
    s->group = spec->group;
    s->host = spec->host;
    if (spec->column) {
        s->expr = spec->column->node;
        s->type = spec->column->type;
        s->flags |= column_flags(spec->column);
        return AG_OK;
    }
    AG_TRY(ag_registry_node(mk->r, &s->expr, spec->expr, mk->err));
    s->type = s->expr->type;
    s->flags |= AG_SLOT_EXPRESSION;
    return AG_OK;
}

static ag_status make_slots(making *mk)
{
    const ag_mapper *parent = mk->spec->inherits;
    unsigned inherited = parent ? parent->nslots : 0, n = inherited;
    size_t total = inherited + mk->spec->nslots;
    if (total + mk->spec->nrelations + (parent ? parent->nrelations : 0) > AG_MAX_ATTRS)
        return ag_fail(mk->err, AG_EXC_ARGUMENT, "class %s maps more than %u attributes", mk->m->name.p, AG_MAX_ATTRS);
    mk->slots = NEW(mk, total, ag_slot);
    if (!mk->slots)
        return ag_fail_nomem(mk->err);
    if (inherited)
        memcpy(mk->slots, parent->slots, inherited * sizeof *mk->slots);
    for (size_t i = 0; i < mk->spec->nslots; i++, n++) {
        mk->slots[n].index = (uint16_t)n;
        AG_TRY(make_slot(mk, &mk->slots[n], &mk->spec->slots[i]));
    }
    mk->m->slots = mk->slots;
    mk->m->nslots = (uint16_t)n;
    return AG_OK;
}

/* Slot of a table's key column that refers to a key column of the parent class's tables, AG_NO_SLOT. */
static uint16_t inherited_key(const making *mk, const ag_column *c)
{
    ag_error ignored = {0};
    for (unsigned i = 0; mk->spec->inherits && i < c->nfks; i++) {
        ag_column *target = NULL;
        uint16_t slot;
        if (ag_fk_target(&target, c->fks[i], &ignored) != AG_OK)
            continue;
        slot = ag_mapper_slot_of(mk->spec->inherits, target);
        if (slot != AG_NO_SLOT)
            return slot;
    }
    ag_error_clear(&ignored);
    return AG_NO_SLOT;
}

static uint16_t slot_for_column(const making *mk, const ag_column *c)
{
    for (unsigned i = 0; i < mk->m->nslots; i++)
        if (mk->slots[i].column == c)
            return (uint16_t)i;
    uint16_t slot = c->primary_key ? inherited_key(mk, c) : AG_NO_SLOT;
    for (unsigned i = 0; slot == AG_NO_SLOT && mk->spec->how == AG_INHERITS_JOINED && i < mk->spec->inherits->nslots;
         i++) {
        const ag_str key = mk->spec->inherits->slots[i].key; /* one attribute for a column of either table */
        if (key.n == c->key.n && memcmp(key.p, c->key.p, key.n) == 0)
            slot = (uint16_t)i;
    }
    return slot;
}

static ag_status fill_table(making *mk, ag_mapped_table *t, const ag_table *table)
{
    uint16_t *slots = NEW(mk, table->ncolumns, uint16_t), *pk = NEW(mk, table->npk, uint16_t);
    if (!slots || !pk)
        return ag_fail_nomem(mk->err);
    for (unsigned i = 0; i < table->ncolumns; i++)
        slots[i] = slot_for_column(mk, table->columns[i]);
    for (unsigned i = 0; i < table->npk; i++)
        pk[i] = slots[table->primary_key[i]->index];
    *t = (ag_mapped_table){
        .table = table, .slots = slots, .ncolumns = table->ncolumns, .pk = pk, .npk = (uint16_t)table->npk};
    return ag_registry_hold(mk->r, table->owner, mk->err);
}

/* Single inheritance: the parent's tables, with the columns that this class adds. */
static ag_status make_tables(making *mk)
{
    const ag_mapper *parent = mk->spec->inherits;
    bool own = mk->spec->table && !(parent && mk->spec->how == AG_INHERITS_SINGLE);
    unsigned n = parent && mk->spec->how != AG_INHERITS_CONCRETE ? parent->ntables : 0;
    ag_mapped_table *tables = NEW(mk, n + 1u, ag_mapped_table);
    if (!tables)
        return ag_fail_nomem(mk->err);
    for (unsigned i = 0; i < n; i++) {
        AG_TRY(fill_table(mk, &tables[i], parent->tables[i].table));
        tables[i].inherit_condition = parent->tables[i].inherit_condition;
    }
    if (own)
        AG_TRY(fill_table(mk, &tables[n++], mk->spec->table));
    mk->m->tables = tables;
    mk->m->ntables = (uint16_t)n;
    return AG_OK;
}

/* The join of all tables of a joined subclass, else the table. */
static ag_status make_from(making *mk)
{
    ag_mapper *m = mk->m;
    ag_builder b;
    const ag_node *from = m->tables[0].table->node;
    ag_registry_builder(mk->r, &b, mk->err);
    for (unsigned i = 1; from && i < m->ntables; i++) {
        ag_mapped_table *t = (ag_mapped_table *)(uintptr_t)&m->tables[i];
        if (!t->inherit_condition)
            t->inherit_condition = ag_join_condition(&b, m->tables[i - 1].table->node, t->table->node, NULL);
        from = t->inherit_condition ? ag_join(&b, from, t->table->node, t->inherit_condition, 0) : NULL;
    }
    ag_builder_clear(&b);
    m->from = from;
    return from ? AG_OK : AG_ERROR;
}

static bool is_integer(const ag_slot *s)
{
    return ag_type_affinity(s->type) == AG_AFF_INTEGER && ag_type_kind(s->type) == AG_V_INT;
}

static ag_status make_key(making *mk)
{
    ag_mapper *m = mk->m;
    const ag_mapper_spec *spec = mk->spec;
    const ag_table *t = m->tables[0].table;
    const ag_column *const *cols = spec->primary_key;
    size_t n = spec->nprimary_key;
    uint16_t *pk;
    if (spec->inherits && spec->how != AG_INHERITS_CONCRETE) {
        m->pk = spec->inherits->pk;
        m->npk = spec->inherits->npk;
        m->int_key = spec->inherits->int_key;
        return AG_OK;
    }
    if (!cols) {
        cols = (const ag_column *const *)t->primary_key;
        n = t->npk;
    }
    if (n == 0)
        return ag_fail(mk->err, AG_EXC_ARGUMENT,
                       "Mapper Mapper[%s(%s)] could not assemble any primary key columns for mapped table '%s'",
                       m->name.p, t->name.p, t->name.p);
    pk = NEW(mk, n, uint16_t);
    if (!pk)
        return ag_fail_nomem(mk->err);
    for (size_t i = 0; i < n; i++) {
        pk[i] = ag_mapper_slot_of(m, cols[i]);
        if (pk[i] == AG_NO_SLOT)
            return ag_fail(mk->err, AG_EXC_ARGUMENT, "primary key column '%s' of class %s is not mapped",
                           cols[i]->name.p, m->name.p);
        mk->slots[pk[i]].flags |= AG_SLOT_PK;
        mk->slots[pk[i]].flags &= ~(AG_SLOT_DEFERRED | AG_SLOT_RAISE);
    }
    m->pk = pk;
    m->npk = (uint16_t)n;
    m->int_key = n == 1 && is_integer(&mk->slots[pk[0]]);
    return AG_OK;
}

static ag_status find_slot(making *mk, const ag_column *c, const char *what, uint16_t *out)
{
    *out = ag_mapper_slot_of(mk->m, c);
    if (*out != AG_NO_SLOT)
        return AG_OK;
    return ag_fail(mk->err, AG_EXC_ARGUMENT, "%s column '%s' of class %s is not mapped", what, c->name.p,
                   mk->m->name.p);
}

static ag_status make_special(making *mk)
{
    ag_mapper *m = mk->m;
    const ag_mapper_spec *spec = mk->spec;
    uint16_t slot;
    m->version_slot = spec->inherits ? spec->inherits->version_slot : AG_NO_SLOT;
    m->version_generator = spec->inherits ? spec->inherits->version_generator : 0;
    m->discriminator = spec->inherits ? spec->inherits->discriminator : NULL;
    if (spec->version) {
        AG_TRY(find_slot(mk, spec->version, "version_id", &m->version_slot));
        mk->slots[m->version_slot].flags |= AG_SLOT_VERSION;
        m->version_generator = spec->version_generator;
        m->version_server = spec->version_server;
    }
    if (spec->polymorphic_on) {
        AG_TRY(find_slot(mk, spec->polymorphic_on, "polymorphic_on", &slot));
        mk->slots[slot].flags |= AG_SLOT_DISCRIMINATOR;
        m->discriminator = &mk->slots[slot];
    }
    return ag_value_copy(&m->identity, &spec->identity, &mk->r->arena, mk->err);
}

/* m becomes known to all classes above it. */
static ag_status add_subclass(making *mk)
{
    for (const ag_mapper *p = mk->spec->inherits; p; p = p->inherits) {
        ag_mapper *up = (ag_mapper *)(uintptr_t)p;
        const ag_mapper **all = NEW(mk, up->nsubclasses + 1u, ag_mapper *);
        if (!all)
            return ag_fail_nomem(mk->err);
        if (up->nsubclasses)
            memcpy(all, up->subclasses, up->nsubclasses * sizeof *all);
        all[up->nsubclasses] = mk->m;
        up->subclasses = all;
        up->nsubclasses++;
    }
    return AG_OK;
}

static ag_status make_relations(making *mk)
{
    const ag_mapper *parent = mk->spec->inherits;
    const ag_relation **all;
    if (!parent || !parent->nrelations)
        return AG_OK;
    all = NEW(mk, parent->nrelations, ag_relation *);
    if (!all)
        return ag_fail_nomem(mk->err);
    memcpy(all, parent->relations, parent->nrelations * sizeof *all);
    mk->m->relations = all;
    mk->m->nrelations = parent->nrelations;
    return AG_OK;
}

static ag_status make_parts(making *mk)
{
    ag_mapper *m = mk->m;
    AG_TRY(ag_registry_str(mk->r, &m->name, mk->spec->name, mk->err));
    AG_TRY(make_slots(mk));
    AG_TRY(make_tables(mk));
    if (!m->ntables)
        return ag_fail(mk->err, AG_EXC_ARGUMENT, "class %s has no table", m->name.p);
    AG_TRY(make_key(mk));
    AG_TRY(make_special(mk));
    AG_TRY(make_relations(mk));
    return make_from(mk);
}

ag_status ag_mapper_new(ag_mapper **out, ag_registry *r, const ag_mapper_spec *spec, ag_error *err)
{
    making mk = {.spec = spec, .r = r, .err = err};
    ag_mapper *m = mk.m = ag_arena_zero(&r->arena, 1, sizeof *m);
    if (!m)
        return ag_fail_nomem(err);
    m->registry = r;
    m->orm = r->orm;
    m->inherits = spec->inherits;
    m->base = spec->inherits && spec->how != AG_INHERITS_CONCRETE ? spec->inherits->base : m;
    m->how = (uint8_t)spec->how;
    m->abstract = spec->abstract;
    m->eager_defaults = spec->eager_defaults;
    m->host = spec->host;
    m->events = spec->inherits ? spec->inherits->events : 0;
    m->order = r->next_order++;
    AG_TRY(make_parts(&mk));
    m->id = ++r->orm->next_mapper;
    for (unsigned i = 0; i < m->nslots; i++)
        m->has_deferred = m->has_deferred || (m->slots[i].flags & AG_SLOT_DEFERRED);
    AG_TRY(add_subclass(&mk));
    *out = m;
    return AG_OK;
}

/* The type of a foreign key column may have become known after the class was made. */
static void settle_type(ag_slot *s)
{
    if (!s->column)
        return;
    s->type = s->column->type;
    s->flags = (s->flags & ~AG_SLOT_DECODED) | column_flags(s->column);
}

ag_status ag_mapper_finish(ag_mapper *m, ag_error *err)
{
    if (ag_mapper_nattrs(m) > AG_MAX_ATTRS)
        return ag_fail(err, AG_EXC_ARGUMENT, "class %s maps more than %u attributes", m->name.p, AG_MAX_ATTRS);
    for (unsigned i = 0; i < m->nslots; i++)
        settle_type((ag_slot *)(uintptr_t)&m->slots[i]);
    m->int_key = m->npk == 1 && is_integer(&m->slots[m->pk[0]]);
    m->words = (uint16_t)((ag_mapper_nattrs(m) + 63) / 64);
    m->row_offset = (uint32_t)(sizeof(ag_entity) + 16u * m->words);
    m->configured = true;
    return AG_OK;
}

/* Relationships: which foreign keys make one, in which direction it goes, what the flush copies. Rules and messages follow
 * SQLAlchemy's JoinCondition (orm/relationships.py), reduced to conditions that are conjunctions of equalities; criteria beyond the
 * column pairs stay in primaryjoin and clear AG_REL_SIMPLE. */
#include "orm/mapper_private.h"
#include <stdio.h>
#include <string.h>

/* One foreign key column and the column it refers to. */
typedef struct key_pair {
    ag_column *fk, *target;
} key_pair;

#define MAX_PAIRS 32u

typedef struct joining {
    ag_mapper *m;
    const ag_relation_spec *spec;
    ag_relation *rel;
    ag_registry *r;
    ag_error *err;
    key_pair pairs[MAX_PAIRS]; /* of the join under examination */
    unsigned npairs;
    bool simple;
    bool nomem;
} joining;

static bool in_tables(const ag_mapper *m, const ag_column *c)
{
    for (unsigned i = 0; i < m->ntables; i++)
        if (m->tables[i].table == c->table)
            return true;
    return false;
}

static bool in_list(const ag_column *const *list, size_t n, const ag_column *c)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == c)
            return true;
    return false;
}

static ag_status fail_no_keys(const joining *j, const char *between)
{
    return ag_fail(
        j->err, AG_EXC_NO_FOREIGN_KEYS,
        "Could not determine join condition between parent/child tables on relationship %s.%s - there are no "
        "foreign keys linking %s. Ensure that referencing columns are associated with a ForeignKey or "
        "ForeignKeyConstraint, or specify a 'primaryjoin' expression.",
        j->m->name.p, j->rel->key.p, between);
}

static ag_status fail_ambiguous(const joining *j, const char *between)
{
    return ag_fail(
        j->err, AG_EXC_AMBIGUOUS_FOREIGN_KEYS,
        "Could not determine join condition between parent/child tables on relationship %s.%s - there are multiple "
        "foreign key paths linking %s. Specify the 'foreign_keys' argument, providing a list of those columns which "
        "should be counted as containing a foreign key reference to the parent table.",
        j->m->name.p, j->rel->key.p, between);
}

/* ---- by foreign keys ---- */

typedef struct search {
    const void *constraint; /* the one found */
    unsigned found;         /* how many */
} search;

/* Does the constraint of fk count? With foreign_keys given, only when this column is one of them. */
static bool counts(const joining *j, const ag_fk *fk)
{
    return !j->spec->nforeign_keys || in_list(j->spec->foreign_keys, j->spec->nforeign_keys, fk->column);
}

/* Foreign keys of `table` that refer to `to`: constraints found, the last one's columns in j->pairs. */
static ag_status keys_between(joining *j, const ag_table *table, const ag_table *to, search *s)
{
    for (unsigned i = 0; i < table->nfks; i++) {
        ag_fk *fk = table->fks[i];
        ag_column *target = NULL;
        AG_TRY(ag_fk_target(&target, fk, j->err));
        if (target->table != to || !counts(j, fk))
            continue;
        if (fk->constraint != s->constraint || !s->found) {
            s->constraint = fk->constraint;
            s->found++;
            j->npairs = 0;
        }
        if (j->npairs == MAX_PAIRS)
            return ag_fail(j->err, AG_EXC_ARGUMENT, "relationship %s.%s joins by more than %u columns", j->m->name.p,
                           j->rel->key.p, MAX_PAIRS);
        j->pairs[j->npairs++] = (key_pair){fk->column, target};
    }
    return AG_OK;
}

/* The most specific table first, as SQLAlchemy's consider_as_foreign_keys with a_subset. */
static ag_status keys_of_classes(joining *j, const ag_mapper *a, const ag_mapper *b, search *s)
{
    for (unsigned i = a->ntables; i-- > 0;)
        for (unsigned k = b->ntables; k-- > 0;)
            AG_TRY(keys_between(j, a->tables[i].table, b->tables[k].table, s));
    return AG_OK;
}

static ag_status describe_tables(const joining *j, char *out, size_t n)
{
    int len = snprintf(out, n, "tables '%s' and '%s'", j->m->tables[j->m->ntables - 1].table->name.p,
                       j->spec->target->tables[j->spec->target->ntables - 1].table->name.p);
    (void)len;
    return AG_OK;
}

static ag_status find_by_keys(joining *j)
{
    search s = {0};
    char between[300];
    AG_TRY(describe_tables(j, between, sizeof between));
    AG_TRY(keys_of_classes(j, j->m, j->spec->target, &s));
    if (j->m->base != j->spec->target->base || j->m->tables[0].table != j->spec->target->tables[0].table) {
        joining back = *j;
        search t = {0};
        AG_TRY(keys_of_classes(&back, j->spec->target, j->m, &t));
        if (t.found && !s.found) {
            memcpy(j->pairs, back.pairs, sizeof j->pairs);
            j->npairs = back.npairs;
        }
        s.found += t.found;
    }
    if (s.found == 0)
        return fail_no_keys(j, between);
    return s.found > 1 ? fail_ambiguous(j, between) : AG_OK;
}

/* ---- by a given condition ---- */

static const ag_column *column_of(const ag_node *n)
{
    return n->kind == AG_K_COLUMN ? AG_AS(column, COLUMN, n)->table->columns[AG_AS(column, COLUMN, n)->index] : NULL;
}

static bool refers_to(const ag_column *a, const ag_column *b)
{
    ag_error ignored = {0};
    bool yes = false;
    for (unsigned i = 0; i < a->nfks && !yes; i++) {
        ag_column *t = NULL;
        yes = ag_fk_target(&t, a->fks[i], &ignored) == AG_OK && t == b;
    }
    ag_error_clear(&ignored);
    return yes;
}

/* Is a the foreign key of the pair (a, b)? */
static bool is_fk_side(const joining *j, const ag_column *a, const ag_column *b)
{
    if (j->spec->nforeign_keys)
        return in_list(j->spec->foreign_keys, j->spec->nforeign_keys, a);
    return refers_to(a, b) || (j->spec->secondary && a->table == j->spec->secondary && b->table != j->spec->secondary);
}

static bool take_term(void *ud, const ag_node *term)
{
    joining *j = ud;
    const ag_column *a = NULL, *b = NULL;
    if (term->kind == AG_K_BINARY && term->op == AG_OP_EQ) {
        a = column_of(AG_AS(binary, BINARY, term)->left);
        b = column_of(AG_AS(binary, BINARY, term)->right);
    }
    if (!a || !b || j->npairs == MAX_PAIRS) {
        j->simple = false;
        return true;
    }
    if (is_fk_side(j, a, b))
        j->pairs[j->npairs++] = (key_pair){(ag_column *)(uintptr_t)a, (ag_column *)(uintptr_t)b};
    else if (is_fk_side(j, b, a))
        j->pairs[j->npairs++] = (key_pair){(ag_column *)(uintptr_t)b, (ag_column *)(uintptr_t)a};
    else
        j->simple = false;
    return true;
}

static ag_status find_by_condition(joining *j, const ag_node *condition)
{
    j->npairs = 0;
    AG_TRY(ag_chain_each(condition, AG_OP_AND, take_term, j, j->r->alloc, j->err));
    if (j->npairs || j->spec->flags & AG_REL_VIEWONLY)
        return AG_OK;
    return ag_fail(
        j->err, AG_EXC_ARGUMENT,
        "Could not locate any relevant foreign key columns for primary join condition on relationship %s.%s. Ensure "
        "that referencing columns are associated with a ForeignKey or ForeignKeyConstraint, or give the 'foreign_keys' "
        "option.",
        j->m->name.p, j->rel->key.p);
}

/* ---- conditions and pairs of the result ---- */

static ag_status build_condition(joining *j, const ag_node **out)
{
    const ag_node *terms[MAX_PAIRS];
    ag_builder b;
    ag_registry_builder(j->r, &b, j->err);
    for (unsigned i = 0; i < j->npairs; i++)
        terms[i] = ag_binary(&b, AG_OP_EQ, j->pairs[i].target->node, j->pairs[i].fk->node);
    *out = ag_bool_list(&b, AG_OP_AND, terms, j->npairs);
    ag_builder_clear(&b);
    return *out ? AG_OK : AG_ERROR;
}

static ag_status slot_in(const joining *j, const ag_mapper *m, const ag_column *c, uint16_t *out)
{
    *out = ag_mapper_slot_of(m, c);
    if (*out != AG_NO_SLOT)
        return AG_OK;
    return ag_fail(j->err, AG_EXC_ARGUMENT, "relationship %s.%s needs column '%s.%s', which class %s does not map",
                   j->m->name.p, j->rel->key.p, c->table->name.p, c->name.p, m->name.p);
}

/* Do the pairs go from the parent's foreign keys to the target (many-to-one)? */
static ag_status find_direction(joining *j)
{
    const ag_mapper *target = j->spec->target;
    bool fk_here = true, fk_there = true;
    for (unsigned i = 0; i < j->npairs; i++) {
        fk_here = fk_here && in_tables(j->m, j->pairs[i].fk) && in_tables(target, j->pairs[i].target);
        fk_there = fk_there && in_tables(target, j->pairs[i].fk) && in_tables(j->m, j->pairs[i].target);
    }
    if (fk_here && fk_there) { /* self-referential */
        bool remote_is_key = false;
        for (unsigned i = 0; i < j->npairs; i++)
            remote_is_key = remote_is_key || in_list(j->spec->remote_side, j->spec->nremote_side, j->pairs[i].target);
        j->rel->direction = remote_is_key ? AG_MANY_TO_ONE : AG_ONE_TO_MANY;
        return AG_OK;
    }
    if (!fk_here && !fk_there)
        return ag_fail(
            j->err, AG_EXC_ARGUMENT,
            "Can't determine relationship direction for relationship '%s.%s' - foreign key columns are present in "
            "neither the parent nor the target tables alone",
            j->m->name.p, j->rel->key.p);
    j->rel->direction = fk_here ? AG_MANY_TO_ONE : AG_ONE_TO_MANY;
    return AG_OK;
}

static ag_status set_pairs(joining *j)
{
    ag_relation *rel = j->rel;
    bool m2o = rel->direction == AG_MANY_TO_ONE;
    const ag_mapper *key_side = m2o ? j->spec->target : j->m, *fk_side = m2o ? j->m : j->spec->target;
    ag_sync *pairs = ag_arena_zero(&j->r->arena, j->npairs ? j->npairs : 1, sizeof *pairs);
    if (!pairs)
        return ag_fail_nomem(j->err);
    for (unsigned i = 0; i < j->npairs; i++) {
        AG_TRY(slot_in(j, key_side, j->pairs[i].target, &pairs[i].source));
        AG_TRY(slot_in(j, fk_side, j->pairs[i].fk, &pairs[i].dest));
        pairs[i].column = j->pairs[i].fk;
    }
    rel->pairs = pairs;
    rel->npairs = (uint16_t)j->npairs;
    return AG_OK;
}

/* MANY_TO_ONE onto exactly the target's key: the identity map can answer. */
static bool is_get(const joining *j)
{
    const ag_mapper *t = j->spec->target;
    if (j->rel->direction != AG_MANY_TO_ONE || !j->simple || j->npairs != t->npk)
        return false;
    for (unsigned k = 0; k < t->npk; k++) {
        bool found = false;
        for (unsigned i = 0; i < j->npairs; i++)
            found = found || j->rel->pairs[i].source == t->pk[k];
        if (!found)
            return false;
    }
    return true;
}

static ag_status join_directly(joining *j)
{
    if (j->spec->primaryjoin) {
        AG_TRY(ag_registry_node(j->r, &j->rel->primaryjoin, j->spec->primaryjoin, j->err));
        AG_TRY(find_by_condition(j, j->rel->primaryjoin));
    } else {
        AG_TRY(find_by_keys(j));
        AG_TRY(build_condition(j, &j->rel->primaryjoin));
    }
    AG_TRY(find_direction(j));
    AG_TRY(set_pairs(j));
    if (is_get(j))
        j->rel->flags |= AG_REL_GET;
    return AG_OK;
}

/* ---- through a secondary table ---- */

/* One side: secondary → class. pairs: slot of the class, column of the secondary. */
static ag_status join_side(joining *j, const ag_mapper *side, const ag_node *given, const ag_node **join,
                           const ag_sync **out, uint16_t *nout)
{
    const ag_table *sec = j->spec->secondary;
    ag_sync *pairs;
    j->npairs = 0;
    if (given) {
        AG_TRY(ag_registry_node(j->r, join, given, j->err));
        AG_TRY(find_by_condition(j, *join));
    } else {
        search s = {0};
        char between[300];
        for (unsigned i = side->ntables; i-- > 0;)
            AG_TRY(keys_between(j, sec, side->tables[i].table, &s));
        (void)snprintf(between, sizeof between, "table '%s' to the secondary table '%s'", side->tables[0].table->name.p,
                       sec->name.p);
        if (s.found != 1)
            return s.found ? fail_ambiguous(j, between) : fail_no_keys(j, between);
        AG_TRY(build_condition(j, join));
    }
    pairs = ag_arena_zero(&j->r->arena, j->npairs ? j->npairs : 1, sizeof *pairs);
    if (!pairs)
        return ag_fail_nomem(j->err);
    for (unsigned i = 0; i < j->npairs; i++) {
        AG_TRY(slot_in(j, side, j->pairs[i].target, &pairs[i].source));
        pairs[i].column = j->pairs[i].fk;
    }
    *out = pairs;
    *nout = (uint16_t)j->npairs;
    return AG_OK;
}

static ag_status join_secondary(joining *j)
{
    ag_relation *rel = j->rel;
    rel->direction = AG_MANY_TO_MANY;
    rel->secondary = j->spec->secondary;
    AG_TRY(ag_registry_hold(j->r, j->spec->secondary->owner, j->err));
    AG_TRY(join_side(j, j->m, j->spec->primaryjoin, &rel->primaryjoin, &rel->pairs, &rel->npairs));
    return join_side(j, j->spec->target, j->spec->secondaryjoin, &rel->secondaryjoin, &rel->target_pairs,
                     &rel->ntarget_pairs);
}

/* ---- options ---- */

static ag_status set_options(joining *j)
{
    const ag_relation_spec *spec = j->spec;
    ag_relation *rel = j->rel;
    const ag_node **order = ag_arena_zero(&j->r->arena, spec->norder_by ? spec->norder_by : 1, sizeof *order);
    if (!order)
        return ag_fail_nomem(j->err);
    for (size_t i = 0; i < spec->norder_by; i++)
        AG_TRY(ag_registry_node(j->r, &order[i], spec->order_by[i], j->err));
    rel->order_by = order;
    rel->norder_by = (uint16_t)spec->norder_by;
    if (spec->uselist < 0 ? rel->direction != AG_MANY_TO_ONE : spec->uselist > 0)
        rel->flags |= AG_REL_LIST;
    if (j->m->base == spec->target->base)
        rel->flags |= AG_REL_SELF;
    if (j->simple)
        rel->flags |= AG_REL_SIMPLE;
    if (rel->cascade & AG_CASCADE_DELETE_ORPHAN && rel->direction != AG_ONE_TO_MANY &&
        !(rel->flags & AG_REL_SINGLE_PARENT))
        return ag_fail(
            j->err, AG_EXC_ARGUMENT,
            "For %s relationship %s.%s, delete-orphan cascade is normally configured only on the \"one\" side of a "
            "one-to-many relationship, and not on the \"many\" side of a many-to-one or many-to-many relationship. To "
            "force this relationship to allow a particular '%s' object to be referenced by only a single '%s' object "
            "at a "
            "time via the relationship, which would allow delete-orphan cascade to take place in this direction, set "
            "the "
            "single_parent = true option.",
            rel->direction == AG_MANY_TO_ONE ? "many-to-one" : "many-to-many", j->m->name.p, rel->key.p,
            spec->target->name.p, j->m->name.p);
    return AG_OK;
}

static ag_status append(ag_registry *r, ag_mapper *m, const ag_relation *rel, ag_error *err)
{
    const ag_relation **all = ag_arena_zero(&r->arena, m->nrelations + 1u, sizeof *all);
    if (!all)
        return ag_fail_nomem(err);
    if (m->nrelations)
        memcpy(all, m->relations, m->nrelations * sizeof *all);
    all[m->nrelations] = rel;
    m->relations = all;
    m->nrelations++;
    return AG_OK;
}

static ag_status add_orphan_parent(joining *j)
{
    ag_mapper *t = (ag_mapper *)(uintptr_t)j->spec->target;
    const ag_relation **all;
    if (!(j->rel->cascade & AG_CASCADE_DELETE_ORPHAN))
        return AG_OK;
    all = ag_arena_zero(&j->r->arena, t->norphan_of + 1u, sizeof *all);
    if (!all)
        return ag_fail_nomem(j->err);
    if (t->norphan_of)
        memcpy(all, t->orphan_of, t->norphan_of * sizeof *all);
    all[t->norphan_of] = j->rel;
    t->orphan_of = all;
    t->norphan_of++;
    t->has_orphans = true;
    return AG_OK;
}

ag_status ag_mapper_add_relation(ag_relation **out, ag_mapper *m, const ag_relation_spec *spec, ag_error *err)
{
    ag_registry *r = m->registry;
    ag_relation *rel = ag_arena_zero(&r->arena, 1, sizeof *rel);
    joining j = {.m = m, .spec = spec, .rel = rel, .r = r, .err = err, .simple = true};
    if (!rel)
        return ag_fail_nomem(err);
    if (m->configured)
        return ag_fail(err, AG_EXC_INVALID_REQUEST,
                       "relationship %s.%s comes too late: objects of class %s were made already", m->name.p,
                       spec->key.p, m->name.p);
    AG_TRY(ag_registry_str(r, &rel->key, spec->key, err));
    rel->parent = m;
    rel->target = spec->target;
    rel->index = m->nrelations;
    rel->lazy = (uint8_t)spec->lazy;
    rel->cascade = spec->cascade;
    rel->flags = spec->flags & ~(AG_REL_LIST | AG_REL_GET | AG_REL_SELF | AG_REL_SIMPLE);
    rel->join_depth = spec->join_depth;
    rel->host = spec->host;
    AG_TRY(spec->secondary ? join_secondary(&j) : join_directly(&j));
    AG_TRY(set_options(&j));
    AG_TRY(append(r, m, rel, err));
    for (unsigned i = 0; i < m->nsubclasses; i++)
        AG_TRY(append(r, (ag_mapper *)(uintptr_t)m->subclasses[i], rel, err));
    AG_TRY(add_orphan_parent(&j));
    *out = rel;
    return AG_OK;
}

static ag_status add_reverse(ag_relation *a, const ag_relation *b, ag_error *err)
{
    const ag_relation **all = ag_arena_zero(&a->parent->registry->arena, a->nreverse + 1u, sizeof *all);
    for (unsigned i = 0; i < a->nreverse; i++)
        if (a->reverse[i] == b)
            return AG_OK;
    if (!all)
        return ag_fail_nomem(err);
    if (a->nreverse)
        memcpy(all, a->reverse, a->nreverse * sizeof *all);
    all[a->nreverse] = b;
    a->reverse = all;
    a->nreverse++;
    return AG_OK;
}

ag_status ag_relation_link(ag_relation *a, ag_relation *b, ag_error *err)
{
    if (!ag_mapper_isa(b->parent, a->target) && !ag_mapper_isa(a->target, b->parent))
        return ag_fail(err, AG_EXC_ARGUMENT,
                       "reverse_property '%s.%s' of relationship %s.%s references relationship of class %s, not %s",
                       b->parent->name.p, b->key.p, a->parent->name.p, a->key.p, b->parent->name.p, a->target->name.p);
    if (a->direction == b->direction && a->direction != AG_MANY_TO_MANY)
        return ag_fail(
            err, AG_EXC_ARGUMENT,
            "%s.%s and back-reference %s.%s are both of the same direction %s. Did you mean to set remote_side on the "
            "many-to-one side ?",
            a->parent->name.p, a->key.p, b->parent->name.p, b->key.p,
            a->direction == AG_ONE_TO_MANY ? "ONETOMANY" : "MANYTOONE");
    AG_TRY(add_reverse(a, b, err));
    return add_reverse(b, a, err);
}

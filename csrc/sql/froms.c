/* What a finished statement selects FROM: FROMs named by its expressions, its chain of joins, correlation
 * (SQLAlchemy: SelectState of
 * sql/selectable.py, find_left_clause_… of sql/util.py, DMLState._make_extra_froms). */
#include "sql/select.h"

#include "base/buf.h"
#include "base/vec.h"
#include "sql/build.h"
#include "sql/walk.h"

typedef AG_VEC(const ag_node *) from_list;

static bool list_has(const from_list *l, const ag_node *from)
{
    for (size_t i = 0; i < l->len; i++) {
        if (ag_from_same(l->items[i], from))
            return true;
    }
    return false;
}

static bool list_add(from_list *l, const ag_node *from)
{
    return list_has(l, from) || ag_vec_push(l, from);
}

/* ---- FROMs that expressions name ---- */

typedef struct collect {
    from_list *out;
    bool nomem;
} collect;

static ag_visit collect_from(void *ud, const ag_node *n, const ag_node *parent)
{
    collect *c = ud;
    (void)parent;
    if (!(n->flags & AG_NF_FROMS) || n->kind == AG_K_SCALAR_VALUES)
        return AG_VISIT_PRUNE;
    const ag_node *from = ag_node_is_from(n) ? n : ag_column_from(n);
    if (from) {
        c->nomem = !list_add(c->out, from);
        return c->nomem ? AG_VISIT_ABORT : AG_VISIT_PRUNE;
    }
    /* selects inside have FROMs of their own */
    return ag_node_is(n, AG_CLASS_STMT) ? AG_VISIT_PRUNE : AG_VISIT_CONTINUE;
}

static ag_status add_froms_of(from_list *out, const ag_node *e, const ag_alloc *alloc, ag_error *err)
{
    collect c = {out, false};
    const ag_walker w = {.ud = &c, .enter = collect_from};
    AG_TRY(ag_walk(e, &w, alloc, NULL, err));
    return c.nomem ? ag_fail_nomem(err) : AG_OK;
}

/* A JOIN in a list brings its sides along. */
static ag_status add_sides(from_list *out, const ag_node *from, ag_error *err)
{
    if (!list_add(out, from))
        return ag_fail_nomem(err);
    if (from->kind != AG_K_JOIN)
        return AG_OK;
    AG_TRY(add_sides(out, AG_AS(join, JOIN, from)->left, err));
    return add_sides(out, AG_AS(join, JOIN, from)->right, err);
}

/* The list as an array in ar; the list is emptied. */
static ag_status give_list(from_list *l, ag_arena *ar, const ag_node ***out, size_t *n, ag_status st, ag_error *err)
{
    if (st == AG_OK) {
        *n = l->len;
        *out = (const ag_node **)ag_arena_new(ar, l->len * sizeof **out);
        if (!*out)
            st = ag_fail_nomem(err);
        else if (l->len)
            memcpy((void *)*out, (const void *)l->items, l->len * sizeof **out);
    }
    ag_vec_clear(l);
    return st;
}

ag_status ag_expr_froms(const ag_node *e, ag_arena *ar, const ag_node ***out, size_t *n, ag_error *err)
{
    from_list l;
    ag_vec_init(&l, ar->alloc);
    ag_status st = add_froms_of(&l, e, ar->alloc, err);
    return give_list(&l, ar, out, n, st, err);
}

bool ag_from_joins(const ag_node *from, const ag_node *inner)
{
    if (ag_from_same(from, inner))
        return true;
    if (from->kind != AG_K_JOIN)
        return false;
    return ag_from_joins(AG_AS(join, JOIN, from)->left, inner) || ag_from_joins(AG_AS(join, JOIN, from)->right, inner);
}

/* Is from inside a JOIN of the list? */
static bool is_joined(const from_list *l, const ag_node *from)
{
    for (size_t i = 0; i < l->len; i++) {
        const ag_n_join *j = l->items[i]->kind == AG_K_JOIN ? AG_AS(join, JOIN, l->items[i]) : NULL;
        if (j && l->items[i] != from && (ag_from_joins(j->left, from) || ag_from_joins(j->right, from)))
            return true;
    }
    return false;
}

/* Removes those that stand inside a JOIN of the list. A JOIN inside another hides nothing that the outer one does not
 * hide, so
 * they can be taken out one by one. */
static void hide_joined(from_list *l)
{
    for (size_t i = 0; i < l->len;) {
        if (!is_joined(l, l->items[i])) {
            i++;
            continue;
        }
        l->len--;
        memmove((void *)&l->items[i], (const void *)&l->items[i + 1], (l->len - i) * sizeof *l->items);
    }
}

/* ---- the join chain ---- */

typedef struct joins {
    ag_builder *b;
    const ag_n_select *select;
    from_list *froms; /* the statement's explicit FROMs so far */
} joins;

/* Are all columns that on names columns of one of these two? */
typedef struct on_check {
    const ag_node *f, *s;
    bool outside;
} on_check;

static ag_visit check_on(void *ud, const ag_node *n, const ag_node *parent)
{
    on_check *c = ud;
    (void)parent;
    if (n->kind == AG_K_COLUMN_CLAUSE)
        c->outside = true;
    const ag_node *from = ag_column_from(n);
    if (from && !ag_from_joins(c->f, from) && !ag_from_joins(c->s, from))
        c->outside = true;
    if (c->outside)
        return AG_VISIT_ABORT;
    return from ? AG_VISIT_PRUNE : AG_VISIT_CONTINUE;
}

static bool on_fits(const joins *j, const ag_node *f, const ag_node *s, const ag_node *on)
{
    on_check c = {f, s, false};
    const ag_walker w = {.ud = &c, .enter = check_on};
    return ag_walk(on, &w, j->b->alloc, NULL, NULL) == AG_OK && !c.outside;
}

/* Can right (or one of its sides) be joined to f? */
static bool can_extend(const joins *j, const ag_node *f, const ag_node *right, const ag_node *on, bool by_on)
{
    if (!ag_from_same(f, right) && (by_on ? on_fits(j, f, right, on) : on || ag_can_join(j->b, f, right)))
        return true;
    if (right->kind != AG_K_JOIN)
        return false;
    return can_extend(j, f, AG_AS(join, JOIN, right)->left, on, by_on) ||
           can_extend(j, f, AG_AS(join, JOIN, right)->right, on, by_on);
}

/* The places in from that spec could be joined to: their number, and the first. */
static size_t find_left(const joins *j, const from_list *from, const ag_n_join_spec *spec, size_t *first)
{
    bool by_on = from->len > 1 && spec->onclause;
    size_t n = 0;
    for (size_t i = 0; i < from->len; i++) {
        if (can_extend(j, from->items[i], spec->right, spec->onclause, by_on) && n++ == 0)
            *first = i;
    }
    if (n > 1) { /* those inside a join of the list do not count */
        n = 0;
        for (size_t i = 0; i < from->len; i++) {
            if (!is_joined(from, from->items[i]) && can_extend(j, from->items[i], spec->right, spec->onclause, by_on) &&
                n++ == 0)
                *first = i;
        }
    }
    if (!n && spec->onclause && from->len) {
        *first = 0;
        n = from->len;
    }
    return n;
}

static ag_status fail_left(const joins *j, const ag_node *right, bool many, ag_error *err)
{
    ag_buf name;
    ag_buf_init(&name, j->b->alloc);
    ag_from_describe(&name, right);
    ag_status st =
        ag_fail(err, AG_EXC_INVALID_REQUEST,
                "%s '%s'. Please use select_from() to establish an explicit left side, as well as providing an "
                "explicit ON clause if not present already to help resolve the ambiguity.",
                many ? "Can't determine which FROM clause to join from, there are several that can join to"
                     : "Don't know how to join to",
                ag_buf_ok(&name) && name.data ? name.data : "?");
    ag_buf_clear(&name);
    return st;
}

/* FROMs that stood in the columns clause in front of that column; column NULL: all. */
static ag_status add_implied(from_list *out, const ag_n_select *s, const ag_node *column, ag_error *err)
{
    for (uint32_t i = 0; i < s->implied.n; i += 2) {
        if ((!column || ag_nlist_at(s, s->implied, i + 1) == column) && !list_add(out, ag_nlist_at(s, s->implied, i)))
            return ag_fail_nomem(err);
    }
    return AG_OK;
}

static ag_status add_column_froms(from_list *out, const ag_n_select *s, const ag_alloc *alloc, ag_error *err)
{
    for (uint32_t i = 0; i < s->columns.n; i++) {
        const ag_node *column = ag_nlist_at(s, s->columns, i);
        AG_TRY(add_implied(out, s, column, err));
        AG_TRY(add_froms_of(out, column, alloc, err));
    }
    return add_implied(out, s, NULL, err);
}

/* FROMs of the columns clause and of WHERE. */
static ag_status add_named_froms(const joins *j, from_list *out, ag_error *err)
{
    const ag_n_select *s = j->select;
    AG_TRY(add_column_froms(out, s, j->b->alloc, err));
    for (uint32_t i = 0; i < s->where.n; i++)
        AG_TRY(add_froms_of(out, ag_nlist_at(s, s->where, i), j->b->alloc, err));
    return AG_OK;
}

static ag_status place_join(joins *j, const ag_n_join_spec *spec, const ag_node *left, int64_t at, const ag_node *on,
                            ag_error *err)
{
    const ag_node *join = ag_join(j->b, left, spec->right, on, spec->node.flags & (AG_JOIN_OUTER | AG_JOIN_FULL));
    if (!join)
        return j->b->err && j->b->err->nomem ? AG_NOMEM : AG_ERROR;
    if (at >= 0)
        j->froms->items[at] = join;
    else if (!ag_vec_push(j->froms, join))
        return ag_fail_nomem(err);
    return AG_OK;
}

/* join(target): the left side is one of the FROMs so far, or one that the columns name. */
static ag_status join_implicit(joins *j, const ag_n_join_spec *spec, ag_error *err)
{
    from_list named;
    size_t at = 0, n;
    ag_vec_init(&named, j->b->alloc);
    bool explicit = j->froms->len > 0;
    ag_status st = explicit ? AG_OK : add_named_froms(j, &named, err);
    const from_list *candidates = explicit ? j->froms : &named;
    if (st == AG_OK) {
        n = find_left(j, candidates, spec, &at);
        if (n == 1)
            st = place_join(j, spec, candidates->items[at], explicit ? (int64_t)at : -1, spec->onclause, err);
        else
            st = fail_left(j, spec->right, n > 1, err);
    }
    ag_vec_clear(&named);
    return st;
}

/* The explicit FROM that left is part of: -1 none, -2 several. */
static int64_t find_given(const joins *j, const ag_node *left)
{
    int64_t liberal = -1, exact = -1;
    size_t nliberal = 0, nexact = 0;
    for (size_t i = 0; i < j->froms->len; i++) {
        if (!ag_from_contains(j->froms->items[i], left))
            continue;
        liberal = (int64_t)i;
        nliberal++;
        if (ag_from_joins(j->froms->items[i], left)) {
            exact = (int64_t)i;
            nexact++;
        }
    }
    if (nliberal > 1 && nexact)
        return nexact == 1 ? exact : -2;
    return nliberal > 1 ? -2 : liberal;
}

/* join_from(left, target) */
static ag_status join_explicit(joins *j, const ag_n_join_spec *spec, ag_error *err)
{
    const ag_node *on = spec->onclause;
    int64_t at = find_given(j, spec->left);
    if (at == -2)
        return ag_fail(err, AG_EXC_INVALID_REQUEST,
                       "Can't identify which entity in which to assign the left side of this join. "
                       "Please use a more specific ON clause.");
    if (at >= 0 && !on) {
        on = ag_join_condition(j->b, spec->left, spec->right, NULL);
        if (!on)
            return AG_ERROR;
    }
    return place_join(j, spec, at >= 0 ? j->froms->items[at] : spec->left, at, on, err);
}

static ag_status resolve_joins(joins *j, ag_error *err)
{
    const ag_n_select *s = j->select;
    for (uint32_t i = 0; i < s->joins.n; i++) {
        const ag_n_join_spec *spec = AG_AS(join_spec, JOIN_SPEC, ag_nlist_at(s, s->joins, i));
        AG_TRY(spec->left ? join_explicit(j, spec, err) : join_implicit(j, spec, err));
    }
    return AG_OK;
}

static ag_status collect_select(joins *j, from_list *all, ag_error *err)
{
    const ag_n_select *s = j->select;
    for (uint32_t i = 0; i < s->from.n; i++) {
        if (!list_add(j->froms, ag_nlist_at(s, s->from, i)))
            return ag_fail_nomem(err);
    }
    AG_TRY(resolve_joins(j, err));
    for (size_t i = 0; i < j->froms->len; i++) {
        if (!list_add(all, j->froms->items[i]))
            return ag_fail_nomem(err);
    }
    return add_named_froms(j, all, err);
}

ag_status ag_select_froms(ag_builder *b, const ag_node *select, const ag_node ***out, size_t *n, ag_error *err)
{
    from_list explicit, all;
    ag_error *saved = b->err;
    joins j = {b, AG_AS(select, SELECT, select), &explicit};
    ag_vec_init(&explicit, b->alloc);
    ag_vec_init(&all, b->alloc);
    b->err = err;
    ag_status st = collect_select(&j, &all, err);
    b->err = saved;
    if (st == AG_OK)
        hide_joined(&all);
    ag_vec_clear(&explicit);
    return give_list(&all, b->arena ? b->arena : &b->scratch, out, n, st, err);
}

const ag_node *ag_select_settle_joins(ag_builder *b, const ag_node *select)
{
    if (select->kind != AG_K_SELECT || !AG_AS(select, SELECT, select)->joins.n)
        return select;
    from_list explicit, all;
    joins j = {b, AG_AS(select, SELECT, select), &explicit};
    const ag_node *copy = NULL;
    ag_vec_init(&explicit, b->alloc);
    ag_vec_init(&all, b->alloc);
    if (collect_select(&j, &all, b->err) == AG_OK) {
        copy = ag_node_with_list(b, select, offsetof(ag_n_select, joins), NULL, 0, false);
        if (copy)
            copy = ag_node_with_list(b, copy, offsetof(ag_n_select, from), explicit.items, explicit.len, false);
        if (copy) {
            ((ag_node *)(uintptr_t)copy)->flags |= AG_SELECT_SETTLED;
            copy = ag_node_finish(b, (ag_node *)(uintptr_t)copy);
        }
    }
    ag_vec_clear(&explicit);
    ag_vec_clear(&all);
    return copy;
}

ag_status ag_select_columns_froms(const ag_node *select, ag_arena *ar, const ag_node ***out, size_t *n, ag_error *err)
{
    from_list l;
    ag_vec_init(&l, ar->alloc);
    ag_status st = add_column_froms(&l, AG_AS(select, SELECT, select), ar->alloc, err);
    return give_list(&l, ar, out, n, st, err);
}

/* ---- correlation ---- */

static bool in_array(const ag_node *const *items, size_t n, const ag_node *from)
{
    for (size_t i = 0; i < n; i++) {
        if (ag_from_same(items[i], from))
            return true;
    }
    return false;
}

static bool in_list(const void *node, ag_nlist l, const ag_node *from)
{
    return l.n && in_array(ag_nlist_items(node, l), l.n, from);
}

/* Is this FROM of s the enclosing statement's? */
static bool is_correlated(const ag_n_select *s, const ag_correlation *c, const ag_node *from, bool automatic)
{
    bool enclosing = in_array(c->explicit_froms, c->nexplicit, from);
    if ((s->node.flags & AG_SELECT_CORRELATE) && enclosing && in_list(s, s->correlate, from))
        return true;
    if ((s->node.flags & AG_SELECT_CORRELATE_EXCEPT) && enclosing && !in_list(s, s->correlate_except, from))
        return true;
    return automatic && in_array(c->implicit_froms, c->nimplicit, from);
}

ag_status ag_select_display_froms(ag_builder *b, const ag_node *select, const ag_correlation *c, const ag_node ***out,
                                  size_t *n, ag_error *err)
{
    const ag_n_select *s = AG_AS(select, SELECT, select);
    AG_TRY(ag_select_froms(b, select, out, n, err));
    bool automatic = !(select->flags & (AG_SELECT_CORRELATE | AG_SELECT_CORRELATE_EXCEPT)) && c->nimplicit && *n > 1;
    size_t kept = 0, had = *n;
    for (size_t i = 0; i < had; i++) {
        if (!is_correlated(s, c, (*out)[i], automatic))
            (*out)[kept++] = (*out)[i];
    }
    *n = kept;
    if (automatic && had && !kept)
        return ag_fail(err, AG_EXC_INVALID_REQUEST,
                       "the select has no FROM clause left after auto-correlation; use "
                       "correlate(<tables>) to control correlation");
    return AG_OK;
}

/* ---- UPDATE, DELETE ---- */

static void leftmost(const ag_node *from, from_list *out, bool *nomem)
{
    if (from->kind == AG_K_JOIN) {
        leftmost(AG_AS(join, JOIN, from)->left, out, nomem);
        leftmost(AG_AS(join, JOIN, from)->right, out, nomem);
    } else if (!ag_vec_push(out, from)) {
        *nomem = true;
    }
}

typedef struct dml_parts {
    const ag_node *table;
    ag_nlist from, where, values;
} dml_parts;

static dml_parts parts_of(const ag_node *stmt)
{
    if (stmt->kind == AG_K_UPDATE) {
        const ag_n_update *u = AG_AS(update, UPDATE, stmt);
        return (dml_parts){.table = u->table, .where = u->where, .values = u->values};
    }
    const ag_n_delete *d = AG_AS(delete, DELETE, stmt);
    return (dml_parts){.table = d->table, .from = d->from, .where = d->where};
}

static ag_status collect_dml(ag_builder *b, const ag_node *stmt, from_list *froms, ag_error *err)
{
    from_list seen, tables;
    dml_parts p = parts_of(stmt);
    bool nomem = false;
    ag_vec_init(&seen, b->alloc);
    ag_vec_init(&tables, b->alloc);
    leftmost(p.table, &tables, &nomem);
    ag_status st = nomem ? ag_fail_nomem(err) : AG_OK;
    for (uint32_t i = 0; i < p.from.n && st == AG_OK; i++) {
        st = add_sides(&seen, ag_nlist_at(stmt, p.from, i), err);
        if (st == AG_OK && !list_add(froms, ag_nlist_at(stmt, p.from, i)))
            st = ag_fail_nomem(err);
    }
    from_list named;
    ag_vec_init(&named, b->alloc);
    for (uint32_t i = 0; i < p.where.n && st == AG_OK; i++)
        st = add_froms_of(&named, ag_nlist_at(stmt, p.where, i), b->alloc, err);
    for (uint32_t i = 0; i < p.values.n && st == AG_OK; i++)
        st = add_froms_of(&named, ag_nlist_at(stmt, p.values, i), b->alloc, err);
    for (size_t i = 0; i < named.len && st == AG_OK; i++) {
        if (ag_from_same(named.items[i], tables.items[0]) || list_has(&seen, named.items[i]))
            continue;
        if (!list_add(froms, named.items[i]))
            st = ag_fail_nomem(err);
    }
    for (size_t i = 1; i < tables.len && st == AG_OK; i++) {
        if (!ag_vec_push(froms, tables.items[i]))
            st = ag_fail_nomem(err);
    }
    ag_vec_clear(&named);
    ag_vec_clear(&seen);
    ag_vec_clear(&tables);
    return st;
}

ag_status ag_dml_froms(ag_builder *b, const ag_node *stmt, const ag_node ***out, size_t *n, ag_error *err)
{
    from_list froms;
    ag_vec_init(&froms, b->alloc);
    ag_status st = collect_dml(b, stmt, &froms, err);
    return give_list(&froms, b->arena ? b->arena : &b->scratch, out, n, st, err);
}

/* Which column stands for which: the chain of columns behind a reference (SQLAlchemy's proxy_set), and the column of
 * a FROM that
 * corresponds to a given one (ColumnCollection.corresponding_column). */
#include "sql/names.h"

#include "base/vec.h"

/* One column of a chain, in pre-order: what stands behind it are the entries up to `end`. */
typedef struct link {
    uint64_t id;
    uint32_t weight; /* 1; deeper in a set operation: the number of the select */
    uint32_t end;
} link;

typedef struct chain {
    AG_VEC(link) links;
    bool nomem;
} chain;

static void chain_init(chain *c, const ag_alloc *alloc)
{
    ag_vec_init(&c->links, alloc);
    c->nomem = false;
}

static void add_column(chain *c, const ag_node *from, uint32_t index, uint32_t weight);

static size_t open_link(chain *c, uint64_t id, uint32_t weight)
{
    link l = {id, weight, 0};
    c->nomem |= !ag_vec_push(&c->links, l);
    return c->links.len - 1;
}

static void close_link(chain *c, size_t at)
{
    if (!c->nomem)
        c->links.items[at].end = (uint32_t)c->links.len;
}

static void add_expr(chain *c, const ag_node *e, uint32_t weight)
{
    if (e->kind == AG_K_COLREF) {
        const ag_n_colref *r = AG_AS(colref, COLREF, e);
        add_column(c, r->from, r->index, weight);
        return;
    }
    size_t at = open_link(c, ag_expr_id(e), weight);
    if (e->kind == AG_K_LABEL)
        add_expr(c, AG_AS(label, LABEL, e)->operand, 1);
    close_link(c, at);
}

/* The set operation whose columns from exports, or NULL. */
static const ag_n_compound *compound_of(const ag_node *from)
{
    const ag_node *e = NULL;
    if (from->kind == AG_K_SUBQUERY)
        e = AG_AS(subquery, SUBQUERY, from)->element;
    else if (from->kind == AG_K_LATERAL)
        e = AG_AS(lateral, LATERAL, from)->element;
    else if (from->kind == AG_K_CTE && !AG_AS(cte, CTE, from)->alias_of)
        e = AG_AS(cte, CTE, from)->element;
    return e && e->kind == AG_K_COMPOUND ? AG_AS(compound, COMPOUND, e) : NULL;
}

/* The index-th expressions of all selects of a set operation. */
static void add_compound(chain *c, const ag_n_compound *x, uint32_t index)
{
    for (uint32_t i = 0; i < x->selects.n; i++) {
        const ag_node *s = ag_nlist_at(x, x->selects, i);
        ag_from_col col;
        if (s->kind == AG_K_COMPOUND)
            add_compound(c, AG_AS(compound, COMPOUND, s), index);
        else if (ag_from_column(s, index, &col) && col.expr)
            add_expr(c, col.expr, i + 1);
    }
}

static uint64_t column_id(const ag_node *from, uint32_t index)
{
    const ag_n_colref probe = {.node.kind = AG_K_COLREF, .from = from, .index = index};
    return ag_expr_id(&probe.node);
}

static void add_column(chain *c, const ag_node *from, uint32_t index, uint32_t weight)
{
    ag_from_col col;
    size_t at = open_link(c, column_id(from, index), weight);
    const ag_n_compound *x = compound_of(from);
    if (x)
        add_compound(c, x, index);
    else if (ag_from_column(from, index, &col) && col.expr)
        add_expr(c, col.expr, 1);
    else if (col.inner)
        add_column(c, col.inner, col.inner_index, 1);
    close_link(c, at);
}

static bool holds(const chain *c, uint64_t id, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (c->links.items[i].id == id)
            return true;
    }
    return false;
}

/* How well a candidate's chain fits the target's. */
typedef struct fit {
    uint32_t shared;   /* columns in both */
    uint32_t distance; /* weight of the candidate's columns that lead to a shared one */
    bool embedded;     /* all of the target is in the candidate */
} fit;

static fit measure(const chain *target, const chain *cand)
{
    fit f = {.embedded = true};
    for (size_t i = 0; i < target->links.len; i++) {
        bool in = holds(cand, target->links.items[i].id, 0, cand->links.len);
        f.shared += in;
        f.embedded &= in;
    }
    for (size_t i = 0; i < cand->links.len; i++) {
        bool leads = false;
        for (size_t k = i; k < cand->links.items[i].end && !leads; k++)
            leads = holds(target, cand->links.items[k].id, 0, target->links.len);
        f.distance += leads ? cand->links.items[i].weight : 0;
    }
    return f;
}

typedef struct best {
    bool found;
    uint32_t index;
    fit fit;
} best;

static void consider(best *b, uint32_t index, fit f, bool require_embedded)
{
    if (!f.shared || (require_embedded && !f.embedded))
        return;
    bool better = !b->found || f.shared > b->fit.shared || (f.shared == b->fit.shared && f.distance < b->fit.distance);
    if (better)
        *b = (best){true, index, f};
}

const ag_node *ag_corresponding_column(ag_builder *b, const ag_node *from, const ag_node *column, bool require_embedded)
{
    uint32_t n = ag_from_count(from);
    chain target, cand;
    best found = {0};
    chain_init(&target, b->alloc);
    chain_init(&cand, b->alloc);
    add_expr(&target, column, 1);
    for (uint32_t i = 0; i < n && !target.nomem && !cand.nomem; i++) {
        cand.links.len = 0;
        ag_from_col col;
        if (from->kind == AG_K_TABLE || from->kind == AG_K_JOIN || from->kind == AG_K_CUSTOM) {
            /* their columns are the ones behind, not references to them */
            if (ag_from_column(from, i, &col) && col.expr)
                add_expr(&cand, col.expr, 1);
            else if (col.inner)
                add_column(&cand, col.inner, col.inner_index, 1);
        } else {
            add_column(&cand, from, i, 1);
        }
        if (cand.links.len && cand.links.items[0].id == ag_expr_id(column)) {
            found = (best){true, i, {0}}; /* from holds column itself */
            break;
        }
        consider(&found, i, measure(&target, &cand), require_embedded);
    }
    bool nomem = target.nomem || cand.nomem;
    ag_vec_clear(&target.links);
    ag_vec_clear(&cand.links);
    if (nomem) {
        (void)ag_fail_nomem(b->err);
        return NULL;
    }
    return found.found ? ag_from_colref(b, from, found.index) : NULL;
}

bool ag_columns_share_lineage(const ag_node *a, const ag_node *b, const ag_alloc *alloc)
{
    chain x, y;
    bool shared = false;
    chain_init(&x, alloc);
    chain_init(&y, alloc);
    add_expr(&x, a, 1);
    add_expr(&y, b, 1);
    for (size_t i = 0; i < x.links.len && !shared; i++)
        shared = holds(&y, x.links.items[i].id, 0, y.links.len);
    ag_vec_clear(&x.links);
    ag_vec_clear(&y.links);
    return shared;
}

const ag_column *ag_column_root(const ag_node *e)
{
    for (;;) {
        ag_from_col col;
        if (e->kind == AG_K_COLUMN) {
            const ag_n_column *c = AG_AS(column, COLUMN, e);
            return c->table->columns[c->index];
        }
        if (e->kind == AG_K_LABEL) {
            e = AG_AS(label, LABEL, e)->operand;
            continue;
        }
        if (e->kind != AG_K_COLREF)
            return NULL;
        const ag_n_colref *r = AG_AS(colref, COLREF, e);
        return ag_from_column(r->from, r->index, &col) ? col.column : NULL;
    }
}

/* ---- FROMs inside FROMs ---- */

static bool select_contains(const ag_node *select, const ag_node *inner);

bool ag_from_contains(const ag_node *from, const ag_node *inner)
{
    if (ag_from_same(from, inner))
        return true;
    switch (from->kind) {
    case AG_K_JOIN:
        return ag_from_contains(AG_AS(join, JOIN, from)->left, inner) ||
               ag_from_contains(AG_AS(join, JOIN, from)->right, inner);
    case AG_K_ALIAS: return ag_from_contains(AG_AS(alias, ALIAS, from)->element, inner);
    case AG_K_TABLESAMPLE: return ag_from_contains(AG_AS(tablesample, TABLESAMPLE, from)->element, inner);
    case AG_K_SUBQUERY: return ag_from_contains(AG_AS(subquery, SUBQUERY, from)->element, inner);
    case AG_K_LATERAL: return ag_from_contains(AG_AS(lateral, LATERAL, from)->element, inner);
    case AG_K_CTE: {
        const ag_n_cte *c = AG_AS(cte, CTE, from);
        return (c->restates && ag_from_contains(c->restates, inner)) ||
               ag_from_contains(c->alias_of ? c->alias_of : c->element, inner);
    }
    case AG_K_SELECT: return select_contains(from, inner);
    case AG_K_COMPOUND: {
        const ag_n_compound *c = AG_AS(compound, COMPOUND, from);
        for (uint32_t i = 0; i < c->selects.n; i++) {
            if (ag_from_contains(ag_nlist_at(c, c->selects, i), inner))
                return true;
        }
        return false;
    }
    default: return false;
    }
}

static bool select_contains(const ag_node *select, const ag_node *inner)
{
    const ag_n_select *s = AG_AS(select, SELECT, select);
    for (uint32_t i = 0; i < s->from.n; i++) {
        if (ag_from_contains(ag_nlist_at(s, s->from, i), inner))
            return true;
    }
    for (uint32_t i = 0; i < s->implied.n; i += 2) {
        if (ag_from_contains(ag_nlist_at(s, s->implied, i), inner))
            return true;
    }
    for (uint32_t i = 0; i < s->joins.n; i++) {
        if (ag_from_contains(AG_AS(join_spec, JOIN_SPEC, ag_nlist_at(s, s->joins, i))->right, inner))
            return true;
    }
    for (uint32_t i = 0; i < s->columns.n; i++) {
        const ag_node *from = ag_column_from(ag_nlist_at(s, s->columns, i));
        if (from && ag_from_contains(from, inner))
            return true;
    }
    return false;
}

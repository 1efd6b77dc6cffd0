/* Common table expressions: each is written once, where it is first met, and hoisted to the front of the statement (or of the nesting
 * level it asks for). The rules about equal names and restated (recursive) ones are SQLAlchemy's visit_cte. */
#include "compile/visitors.h"

#include <string.h>

static const ag_node *reference_of(const ag_node *cte)
{
    while (AG_AS(cte, CTE, cte)->restates)
        cte = AG_AS(cte, CTE, cte)->restates;
    return cte;
}

static ag_cte_entry *find_reference(ag_compiler *c, const ag_node *reference)
{
    for (size_t i = 0; i < c->ctes.len; i++) {
        ag_cte_entry *e = &c->ctes.items[i];
        if (!e->dropped && e->reference == reference)
            return e;
    }
    return NULL;
}

static ag_cte_entry *find_name(ag_compiler *c, ag_str name, uint32_t level)
{
    for (size_t i = 0; i < c->ctes.len; i++) {
        ag_cte_entry *e = &c->ctes.items[i];
        if (!e->dropped && e->level == level && e->name.n == name.n && memcmp(e->name.p, name.p, name.n) == 0)
            return e;
    }
    return NULL;
}

static ag_cte_entry *find_cte(ag_compiler *c, const ag_node *cte)
{
    for (size_t i = 0; i < c->ctes.len; i++) {
        if (!c->ctes.items[i].dropped && c->ctes.items[i].cte == cte)
            return &c->ctes.items[i];
    }
    return NULL;
}

/* The entry that stands in cte's place already; *conflict: another CTE of that name. */
static ag_cte_entry *existing(ag_compiler *c, const ag_node *cte, ag_str name, uint32_t *level, bool nest_here)
{
    bool nesting = (cte->flags & AG_CTE_NESTING) || nest_here;
    uint32_t here = nesting && c->frame ? c->frame->level : 1;
    ag_cte_entry *e = find_reference(c, reference_of(cte));
    if (!e) {
        *level = here;
        return find_name(c, name, here);
    }
    *level = e->level;
    if (nest_here && e->nest_here)
        ag_c_fail(c, AG_EXC_COMPILE, "CTE is stated as 'nest_here' in more than one location");
    if (nest_here) {
        e->level = *level = here;
        e->nest_here = true;
    }
    return e;
}

static bool is_new(ag_compiler *c, const ag_node *cte, ag_cte_entry *e, ag_str name)
{
    if (!e)
        return true;
    if (e->cte == cte || AG_AS(cte, CTE, e->cte)->restates == cte)
        return false;
    if (AG_AS(cte, CTE, cte)->restates == e->cte) {
        e->dropped = true;
        return true;
    }
    bool same = false;
    if (e->cte->hash == cte->hash && !ag_c_ok(c, ag_tree_equal(&same, e->cte, cte, c->alloc, c->err)))
        return false;
    if (!same)
        ag_c_fail(c, AG_EXC_COMPILE, "Multiple, unrelated CTEs found with the same name: '%.*s'", (int)name.n, name.p);
    return false;
}

static void column_list(ag_compiler *c, const ag_node *element)
{
    const ag_select_col *cols;
    uint32_t n, written = 0;
    if (c->failed || !ag_c_ok(c, ag_stmt_columns(element, true, &c->tmp, &cols, &n, c->err)))
        return;
    ag_c_str(c, "(");
    for (uint32_t i = 0; i < n && !c->failed; i++) {
        if (cols[i].repeated)
            continue;
        ag_c_str(c, written++ ? ", " : "");
        if (cols[i].fallback.n)
            ag_c_quote_generated(c, ag_c_generated(c, cols[i].fallback));
        else if (ag_name_plain(cols[i].name).p)
            ag_c_quote(c, ag_name_plain(cols[i].name), ag_name_quoting(cols[i].name));
        else
            ag_c_quote(c, cols[i].key, -1);
    }
    ag_c_str(c, ")");
}

static void options(ag_compiler *c, const ag_n_cte *t)
{
    if (t->node.flags & AG_CTE_MATERIALIZED)
        ag_c_str(c, "MATERIALIZED ");
    else if (t->node.flags & AG_CTE_NOT_MATERIALIZED)
        ag_c_str(c, "NOT MATERIALIZED ");
    ag_c_visit_prefixes(c, t, t->prefixes);
}

/* name AS (…), cut off the output. */
static ag_str definition(ag_compiler *c, const ag_node *n, ag_str name, bool plain)
{
    const ag_n_cte *t = AG_AS(cte, CTE, n);
    size_t at = c->out.len;
    const ag_node *outer = c->visiting_cte;
    if (plain)
        ag_c_quote(c, name, ag_name_quote(n));
    else
        ag_c_quote_generated(c, name);
    if ((n->flags & AG_CTE_RECURSIVE) || t->element->kind == AG_K_VALUES)
        column_list(c, t->element);
    ag_c_str(c, " AS ");
    options(c, t);
    ag_c_str(c, "(");
    c->visiting_cte = n;
    ag_c_visit(c, t->element, AG_KW_FROM | (c->o->literal_binds ? AG_KW_LITERAL : 0));
    c->visiting_cte = outer;
    ag_c_str(c, ")");
    if (t->suffixes.n) {
        ag_c_str(c, " ");
        ag_c_visit_prefixes(c, t, t->suffixes);
    }
    if (t->element->kind == AG_K_INSERT || t->element->kind == AG_K_UPDATE || t->element->kind == AG_K_DELETE)
        c->compiled_flags |= AG_COMPILED_FOR_UPDATE;
    return ag_c_cut(c, at);
}

static void add_entry(ag_compiler *c, const ag_node *n, ag_str name, uint32_t level, bool nest_here, bool alias)
{
    ag_cte_entry e = {.cte = n,
                      .reference = reference_of(n),
                      .name = name,
                      .level = level,
                      .nest_here = nest_here,
                      .alias = alias,
                      .nesting = (n->flags & AG_CTE_NESTING) != 0};
    if (!ag_vec_push(&c->ctes, e))
        ag_c_nomem(c);
}

/* Written: moves to the end, since the order is that of completion (an inner one stands before those that use it). */
static void complete(ag_compiler *c, const ag_node *n, ag_str text)
{
    ag_cte_entry *e = find_cte(c, n);
    if (!e || c->failed)
        return;
    ag_cte_entry done = *e;
    done.text = text;
    size_t i = (size_t)(e - c->ctes.items);
    memmove(e, e + 1, (c->ctes.len - i - 1) * sizeof *e);
    c->ctes.items[c->ctes.len - 1] = done;
}

/* inside: in the element of the CTE that restates t, which has t's name. */
static void reference(ag_compiler *c, const ag_n_cte *t, ag_name name, ag_str text, bool inside)
{
    if (t->alias_of && !inside) {
        ag_c_quote_from(c, t->alias_of);
        ag_c_str(c, " AS ");
    }
    ag_c_quote_text(c, name, text, ag_name_quote(&t->node));
}

void ag_c_visit_cte_full(ag_compiler *c, const ag_node *n, unsigned k, bool nest_here)
{
    const ag_n_cte *t = AG_AS(cte, CTE, n);
    ag_name name = ag_from_name(n, &c->tmp);
    ag_str text = ag_c_name(c, name);
    uint32_t level;
    ag_cte_entry *old = existing(c, n, text, &level, nest_here);
    bool fresh = !c->failed && is_new(c, n, old, text);
    if (c->failed)
        return;
    bool inside = old && !fresh && c->visiting_cte == old->cte;
    if (!c->frame) { /* a CTE by itself: its element */
        ag_c_visit(c, t->element, k);
        return;
    }
    if (fresh) {
        add_entry(c, n, text, level, nest_here, t->alias_of != NULL);
        if (t->alias_of && !find_cte(c, t->alias_of))
            ag_c_visit_cte_full(c, t->alias_of, 0, false);
        if (!t->alias_of)
            complete(c, n, definition(c, n, text, ag_name_plain(name).p != NULL));
    }
    if (k & AG_KW_FROM)
        reference(c, t, name, text, inside);
}

void ag_visit_cte(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_visit_cte_full(c, n, k, false);
}

void ag_c_visit_independent_ctes(ag_compiler *c, const void *owner, ag_nlist refs)
{
    for (uint32_t i = 0; i < refs.n && !c->failed; i++) {
        const ag_node *r = ag_nlist_at(owner, refs, i);
        size_t at = c->out.len;
        ag_c_visit_cte_full(c, AG_AS(cte_ref, CTE_REF, r)->cte, 0, (r->flags & AG_CTE_REF_NEST_HERE) != 0);
        if (!c->failed)
            ag_buf_truncate(&c->out, at);
    }
}

static bool belongs(const ag_cte_entry *e, uint32_t level, bool following)
{
    if (e->dropped || !e->text.p)
        return false;
    if (level <= 1)
        return true;
    return (e->nesting || e->nest_here) && (e->level == level || (following && e->level == level + 1));
}

void ag_c_ctes_render(ag_compiler *c, size_t at, uint32_t level, bool following)
{
    bool recursive = false;
    size_t written = 0, end = c->out.len;
    for (size_t i = 0; i < c->ctes.len; i++)
        recursive |= belongs(&c->ctes.items[i], level, following) && (c->ctes.items[i].cte->flags & AG_CTE_RECURSIVE);
    for (size_t i = 0; i < c->ctes.len && !c->failed; i++) {
        ag_cte_entry *e = &c->ctes.items[i];
        if (!belongs(e, level, following))
            continue;
        ag_c_str(c, written++ ? ", " : recursive ? "WITH RECURSIVE " : "WITH ");
        ag_c_add(c, e->text);
        e->dropped = true;
    }
    if (!written || c->failed)
        return;
    ag_c_str(c, " ");
    ag_str with = ag_c_cut(c, end);
    ag_buf_insert(&c->out, at, with.p, with.n);
}

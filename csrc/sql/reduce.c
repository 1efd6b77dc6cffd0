/* reduce_columns(): columns that always equal another one of the clause are left out (SQLAlchemy: sql/util.py
 * reduce_columns). */
#include "sql/select.h"

#include "sql/build.h"
#include "sql/walk.h"

typedef struct reduce {
    const ag_node **cols;
    bool *omit;
    uint32_t n;
    bool only_synonyms;
    const ag_alloc *alloc;
} reduce;

static bool may_omit(const reduce *r, const ag_node *c, const ag_node *other)
{
    return !r->only_synonyms || ag_str_eq(ag_expr_name(c), ag_expr_name(other));
}

/* Columns with a foreign key to another column of the list. */
static ag_status omit_referring(reduce *r, ag_error *err)
{
    for (uint32_t i = 0; i < r->n; i++) {
        const ag_column *c = ag_column_root(r->cols[i]);
        for (uint32_t f = 0; c && f < c->nfks && !r->omit[i]; f++) {
            ag_column *target;
            AG_TRY(ag_fk_target(&target, c->fks[f], err));
            for (uint32_t k = 0; k < r->n && !r->omit[i]; k++) {
                if (k != i && ag_columns_share_lineage(target->node, r->cols[k], r->alloc))
                    r->omit[i] = may_omit(r, r->cols[k], r->cols[i]);
            }
        }
    }
    return AG_OK;
}

static bool is_listed(const reduce *r, const ag_node *e)
{
    for (uint32_t i = 0; i < r->n; i++) {
        if (!r->omit[i] && ag_expr_is_column(e) && ag_columns_share_lineage(r->cols[i], e, r->alloc))
            return true;
    }
    return false;
}

/* a = b in a condition: b's column goes. */
static ag_visit omit_equal(void *ud, const ag_node *n, const ag_node *parent)
{
    reduce *r = ud;
    (void)parent;
    if (ag_node_is(n, AG_CLASS_STMT))
        return AG_VISIT_PRUNE;
    if (n->kind != AG_K_BINARY || n->op != AG_OP_EQ)
        return AG_VISIT_CONTINUE;
    const ag_n_binary *x = AG_AS(binary, BINARY, n);
    if (!is_listed(r, x->left) || !is_listed(r, x->right))
        return AG_VISIT_CONTINUE;
    for (uint32_t i = r->n; i > 0; i--) {
        const ag_node *c = r->cols[i - 1];
        if (!r->omit[i - 1] && ag_columns_share_lineage(c, x->right, r->alloc) && may_omit(r, c, x->left)) {
            r->omit[i - 1] = true;
            break;
        }
    }
    return AG_VISIT_CONTINUE;
}

static ag_status omit_compared(reduce *r, const ag_n_select *s, ag_error *err)
{
    const ag_walker w = {.ud = r, .enter = omit_equal};
    for (uint32_t i = 0; i < s->where.n; i++)
        AG_TRY(ag_walk(ag_nlist_at(s, s->where, i), &w, r->alloc, NULL, err));
    for (uint32_t i = 0; i < s->from.n; i++)
        AG_TRY(ag_walk(ag_nlist_at(s, s->from, i), &w, r->alloc, NULL, err));
    for (uint32_t i = 0; i < s->implied.n; i += 2)
        AG_TRY(ag_walk(ag_nlist_at(s, s->implied, i), &w, r->alloc, NULL, err));
    return AG_OK;
}

/* The columns that are left; the FROMs that they stood for stay. */
static const ag_node *with_columns(ag_builder *b, const ag_n_select *s, const ag_node *const *columns, size_t n)
{
    const ag_node *result = ag_stmt_add(b, &s->node, AG_CL_COLUMNS, columns, n, false);
    if (!result || !s->implied.n)
        return result;
    ag_node *copy = ag_node_with_list(b, result, offsetof(ag_n_select, implied), ag_nlist_items(s, s->implied),
                                      s->implied.n, false);
    return copy ? ag_node_finish(b, copy) : NULL;
}

const ag_node *ag_select_reduce_columns(ag_builder *b, const ag_node *select, bool only_synonyms)
{
    if (!select)
        return NULL;
    if (select->kind != AG_K_SELECT)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "a select is expected, not a %s", ag_kind_get(select->kind)->name);
    const ag_n_select *s = AG_AS(select, SELECT, select);
    uint32_t n = s->columns.n, kept = 0;
    const ag_node **cols = ag_build_array(b, n), **out = ag_build_array(b, n);
    bool *omit = ag_mem_zero(b->alloc, n ? n : 1, sizeof *omit);
    const ag_node *result = NULL;
    if (!omit)
        (void)ag_fail_nomem(b->err);
    if (cols && out && omit) {
        if (n)
            memcpy((void *)cols, (const void *)ag_nlist_items(s, s->columns), n * sizeof *cols);
        reduce r = {cols, omit, n, only_synonyms, b->alloc};
        if (omit_referring(&r, b->err) == AG_OK && omit_compared(&r, s, b->err) == AG_OK) {
            for (uint32_t i = 0; i < n; i++) {
                if (!omit[i])
                    out[kept++] = cols[i];
            }
            result = with_columns(b, s, out, kept);
        }
    }
    ag_mem_free(b->alloc, omit);
    return result;
}

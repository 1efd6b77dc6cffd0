/* What an expression says of itself: its name, the base of a made-up one, its columns. */
#include "sql/build.h"

#include "base/vec.h"
#include "sql/table.h"

bool ag_expr_is_column(const ag_node *e)
{
    return e->kind == AG_K_COLUMN || e->kind == AG_K_COLREF || e->kind == AG_K_COLUMN_CLAUSE;
}

ag_str ag_expr_name(const ag_node *e)
{
    switch (e->kind) {
    case AG_K_COLUMN: return ag_nstr_get(e, AG_AS(column, COLUMN, e)->name);
    case AG_K_COLREF: return ag_nstr_get(e, AG_AS(colref, COLREF, e)->name);
    case AG_K_COLUMN_CLAUSE: return ag_nstr_get(e, AG_AS(column_clause, COLUMN_CLAUSE, e)->name);
    case AG_K_LABEL: return ag_nstr_get(e, AG_AS(label, LABEL, e)->name);
    case AG_K_LABEL_REF: return ag_nstr_get(e, AG_AS(label_ref, LABEL_REF, e)->name);
    case AG_K_FUNC_COLUMN: return ag_nstr_get(e, AG_AS(func_column, FUNC_COLUMN, e)->name);
    case AG_K_CUSTOM:
        return e->flags & AG_CUSTOM_NAMED ? ag_nstr_get(e, AG_AS(custom, CUSTOM, e)->identity) : (ag_str){0};
    default: return (ag_str){0};
    }
}

ag_str ag_expr_key(const ag_node *e)
{
    if (e->kind == AG_K_COLUMN)
        return ag_nstr_get(e, AG_AS(column, COLUMN, e)->key);
    if (e->kind == AG_K_COLREF)
        return ag_nstr_get(e, AG_AS(colref, COLREF, e)->key);
    return ag_expr_name(e);
}

ag_str ag_expr_anon_base(const ag_node *e)
{
    ag_str name = e->kind == AG_K_FUNC ? ag_nstr_get(e, AG_AS(func, FUNC, e)->name) : ag_expr_name(e);
    return name.p ? name : AG_STR("anon");
}

const ag_node *ag_expr_unwrap_order(const ag_node *e)
{
    while (e->kind == AG_K_UNARY && ag_op_is((ag_op_id)e->op, AG_OPF_ORDERING))
        e = AG_AS(unary, UNARY, e)->operand;
    return e;
}

/* ---- chains ---- */

ag_status ag_chain_each(const ag_node *e, ag_op_id op, bool (*fn)(void *ud, const ag_node *term), void *ud,
                        const ag_alloc *alloc, ag_error *err)
{
    AG_VEC(const ag_node *) todo;
    ag_vec_init(&todo, alloc);
    bool ok = ag_vec_push(&todo, e), go = true;
    while (ok && go && todo.len) {
        const ag_node *n = ag_vec_pop(&todo);
        if (n->op == op && n->kind == AG_K_LIST && !(n->flags & AG_LIST_GROUP)) {
            const ag_n_list *l = AG_AS(list, LIST, n);
            ok = ag_vec_reserve(&todo, l->items.n);
            for (uint32_t i = l->items.n; ok && i > 0; i--)
                todo.items[todo.len++] = ag_nlist_at(l, l->items, i - 1);
        } else if (n->op == op && n->kind == AG_K_BINARY) {
            const ag_n_binary *x = AG_AS(binary, BINARY, n);
            ok = ag_vec_push(&todo, x->right) && ag_vec_push(&todo, x->left);
        } else {
            go = fn(ud, n);
        }
    }
    ag_vec_clear(&todo);
    return ok ? AG_OK : ag_fail_nomem(err);
}

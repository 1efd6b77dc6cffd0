/* Tables by hand, and readable forms of trees, for tests. */
#include "test/tree.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static ag_status resolve(ag_owner *o, ag_fk *fk, ag_error *err)
{
    (void)o;
    return ag_fail(err, AG_EXC_NO_REFERENCED_TABLE, "no table for '%s'", fk->spec.p ? fk->spec.p : "");
}

static void add_column(tree_table *t, const char *name, ag_type_id type)
{
    uint32_t i = t->t.ncolumns++;
    ag_column *c = &t->cols[i];
    *c = (ag_column){.table = &t->t,
                     .index = i,
                     .name = tree_str(name),
                     .key = tree_str(name),
                     .type = ag_type_plain(type),
                     .nullable = i > 0,
                     .primary_key = i == 0,
                     .quote = -1,
                     .fks = t->col_fks[i]};
    t->ptrs[i] = c;
}

static void add_fk(tree_table *t, uint32_t column, ag_column *target, const void *constraint)
{
    ag_fk *fk = &t->fks[t->t.nfks];
    *fk = (ag_fk){.column = &t->cols[column], .target = target, .constraint = constraint, .order = t->t.nfks};
    t->fk_ptrs[t->t.nfks++] = fk;
    t->col_fks[column][t->cols[column].nfks++] = fk;
}

static bool finish_table(tree *t, tree_table *tt, const char *name, uint64_t serial)
{
    ag_table *x = &tt->t;
    x->serial = serial;
    x->owner = &t->owner;
    x->name = tree_str(name);
    x->quote = x->quote_schema = -1;
    x->columns = tt->ptrs;
    x->fks = tt->fk_ptrs;
    x->primary_key = tt->pk;
    tt->pk[0] = &tt->cols[0];
    x->npk = 1;
    x->node = ag_table_node(&t->b, x);
    ag_map_init(&x->by_key, t->alloc);
    for (uint32_t i = 0; i < x->ncolumns; i++) {
        bool added;
        ag_map_entry *e = ag_map_put(&x->by_key, tt->cols[i].key.p, tt->cols[i].key.n, &added);
        tt->cols[i].node = ag_column_node(&t->b, &tt->cols[i]);
        if (!e || !tt->cols[i].node)
            return false;
        e->v.p = &tt->cols[i];
    }
    return x->node != NULL;
}

bool tree_init(tree *t, const ag_alloc *alloc)
{
    static const char a_user, o_user, o_address, p_one, p_two;
    *t = (tree){.owner = {.refs = 1, .resolve = resolve}, .alloc = alloc};
    ag_error_init(&t->err, alloc);
    ag_arena_init(&t->arena, alloc);
    ag_buf_init(&t->text, ag_alloc_libc());
    ag_builder_init(&t->b, alloc, NULL, &t->err);
    t->b.arena = &t->arena;
    if (ag_types_new(&t->types, alloc, &t->err) != AG_OK)
        return false;
    t->b.types = t->types;
    add_column(&t->users, "id", AG_TYPE_INTEGER);
    add_column(&t->users, "name", AG_TYPE_STRING);
    add_column(&t->users, "age", AG_TYPE_INTEGER);
    add_column(&t->users, "active", AG_TYPE_BOOLEAN);
    add_column(&t->addresses, "id", AG_TYPE_INTEGER);
    add_column(&t->addresses, "user_id", AG_TYPE_INTEGER);
    add_column(&t->addresses, "email", AG_TYPE_STRING);
    add_column(&t->orders, "id", AG_TYPE_INTEGER);
    add_column(&t->orders, "user_id", AG_TYPE_INTEGER);
    add_column(&t->orders, "address_id", AG_TYPE_INTEGER);
    add_column(&t->orders, "total", AG_TYPE_NUMERIC);
    add_column(&t->pairs, "id", AG_TYPE_INTEGER);
    add_column(&t->pairs, "one_id", AG_TYPE_INTEGER);
    add_column(&t->pairs, "two_id", AG_TYPE_INTEGER);
    add_fk(&t->addresses, 1, &t->users.cols[0], &a_user);
    add_fk(&t->orders, 1, &t->users.cols[0], &o_user);
    add_fk(&t->orders, 2, &t->addresses.cols[0], &o_address);
    add_fk(&t->pairs, 1, &t->users.cols[0], &p_one);
    add_fk(&t->pairs, 2, &t->users.cols[0], &p_two);
    return finish_table(t, &t->users, "users", 1) && finish_table(t, &t->addresses, "addresses", 2) &&
           finish_table(t, &t->orders, "orders", 3) && finish_table(t, &t->pairs, "pairs", 4);
}

void tree_clear(tree *t)
{
    tree_table *all[] = {&t->users, &t->addresses, &t->orders, &t->pairs};
    for (size_t i = 0; i < 4; i++) {
        if (all[i]->t.by_key.alloc)
            ag_map_clear(&all[i]->t.by_key);
    }
    ag_builder_clear(&t->b);
    ag_types_free(t->types);
    ag_arena_clear(&t->arena);
    ag_error_clear(&t->err);
    ag_buf_clear(&t->text);
}

const ag_node *tree_col(const tree_table *t, const char *key)
{
    const ag_column *c = ag_table_column(&t->t, key, strlen(key));
    assert_non_null(c);
    return c->node;
}

const ag_node *tree_c(tree *t, const ag_node *from, const char *key)
{
    int64_t index = -1;
    if (!from || ag_from_find(from, key, strlen(key), &t->arena, &index, &t->err) != AG_OK)
        return NULL;
    assert_true(index >= 0);
    return ag_from_colref(&t->b, from, (uint32_t)index);
}

const ag_node *tree_int(tree *t, const ag_node *beside, ag_op_id op, int64_t v)
{
    ag_value value = ag_value_int(v);
    return ag_operand(&t->b, beside, op, &value);
}

const ag_node *tree_text(tree *t, const ag_node *beside, ag_op_id op, const char *s)
{
    ag_value value = ag_value_text(s, strlen(s));
    return ag_operand(&t->b, beside, op, &value);
}

const ag_node *tree_bin(tree *t, ag_op_id op, const ag_node *l, const ag_node *r)
{
    return ag_binary(&t->b, op, l, r);
}

const ag_node *tree_eq(tree *t, const ag_node *col, int64_t v)
{
    return tree_bin(t, AG_OP_EQ, col, tree_int(t, col, AG_OP_EQ, v));
}

const ag_node *tree_select(tree *t, ...)
{
    const ag_node *cols[32], *c;
    size_t n = 0;
    va_list ap;
    va_start(ap, t);
    while ((c = va_arg(ap, const ag_node *)) != NULL)
        cols[n++] = c;
    va_end(ap);
    return ag_select(&t->b, cols, n);
}

const ag_node *tree_where(tree *t, const ag_node *select, const ag_node *cond)
{
    return select ? ag_stmt_add(&t->b, select, AG_CL_WHERE, &cond, 1, true) : NULL;
}

static const char *text_of(tree *t)
{
    assert_true(ag_buf_ok(&t->text));
    return t->text.data ? t->text.data : "";
}

const char *tree_dump(tree *t, const ag_node *n)
{
    ag_buf_reset(&t->text);
    if (n)
        ag_node_dump(&t->text, n);
    else
        ag_buf_str(&t->text, "-");
    return text_of(t);
}

const char *tree_name(tree *t, ag_name name)
{
    ag_buf_reset(&t->text);
    ag_buf_str(&t->text, "");
    for (uint32_t i = 0; i < name.n; i++) {
        ag_buf_add(&t->text, name.parts[i].text.p, name.parts[i].text.n);
        if (name.parts[i].anon)
            ag_buf_str(&t->text, "_#");
    }
    return text_of(t);
}

static void add_from(tree *t, const ag_node *from)
{
    if (from->kind != AG_K_JOIN) {
        ag_from_describe(&t->text, from);
        return;
    }
    const ag_n_join *j = AG_AS(join, JOIN, from);
    ag_buf_char(&t->text, '(');
    add_from(t, j->left);
    ag_buf_str(&t->text, from->flags & AG_JOIN_OUTER ? " left " : " join ");
    add_from(t, j->right);
    ag_buf_char(&t->text, ')');
}

const char *tree_froms(tree *t, const ag_node *const *froms, size_t n)
{
    ag_buf_reset(&t->text);
    ag_buf_str(&t->text, "");
    for (size_t i = 0; i < n; i++) {
        if (i)
            ag_buf_str(&t->text, ", ");
        add_from(t, froms[i]);
    }
    return text_of(t);
}

const char *tree_error(tree *t)
{
    ag_buf_reset(&t->text);
    ag_buf_str(&t->text, ag_error_message(&t->err));
    ag_error_clear(&t->err);
    return text_of(t);
}

/* Cache keys: which statements are the same, in which order binds are gathered, copies for the cache; chains of
 * 100,000 terms;
 * replacement traversal, adapters, parameters. */
#include "test/sweep.h"
#include "test/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static tree T;

static int setup(void **state)
{
    *state = &T;
    return tree_init(&T, ag_alloc_libc()) ? 0 : -1;
}

static int teardown(void **state)
{
    tree_clear(*state);
    return 0;
}

#define B      (&t->b)
#define NO_STR ((ag_str){0})
#define U(k)   tree_col(&t->users, k)
#define A(k)   tree_col(&t->addresses, k)

static bool same(tree *t, const ag_node *a, const ag_node *b)
{
    bool yes = false;
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(ag_tree_same(&yes, a, b, NULL, t->alloc, &t->err), AG_OK);
    return yes;
}

static const ag_node *statement(tree *t, int64_t x, const char *name)
{
    const ag_node *s = tree_select(t, U("id"), ag_label(B, U("name"), AG_STR("n")), NULL);
    s = tree_where(t, s, tree_eq(t, U("age"), x));
    return tree_where(t, s, tree_bin(t, AG_OP_LIKE, U("name"), tree_text(t, U("name"), AG_OP_LIKE, name)));
}

static void values_do_not_count(void **state)
{
    tree *t = *state;
    const ag_node *a = statement(t, 1, "x%"), *b = statement(t, 2, "yy%");
    bool equal = true;
    ag_binds binds;
    bool yes = false;
    ag_vec_init(&binds, t->alloc);
    assert_int_equal(ag_tree_same(&yes, a, b, &binds, t->alloc, &t->err), AG_OK);
    assert_true(yes);
    assert_int_equal(binds.len, 2);
    ag_value v;
    ag_nval_get(&v, binds.items[0], &binds.items[0]->value);
    assert_int_equal(v.u.i, 2);
    ag_nval_get(&v, binds.items[1], &binds.items[1]->value);
    assert_memory_equal(v.u.s.p, "yy%", 3);
    ag_vec_clear(&binds);
    assert_int_equal(ag_tree_equal(&equal, a, b, t->alloc, &t->err), AG_OK);
    assert_false(equal);
    assert_int_equal(ag_tree_equal(&equal, a, statement(t, 1, "x%"), t->alloc, &t->err), AG_OK);
    assert_true(equal);
}

static void what_decides_the_text_counts(void **state)
{
    tree *t = *state;
    const ag_node *s = statement(t, 1, "x");
    assert_false(same(t, s, tree_where(t, s, U("active"))));
    assert_false(same(t, s, ag_stmt_label_style(B, s, AG_LABEL_STYLE_NONE)));
    assert_false(same(t, ag_label(B, U("id"), AG_STR("a")), ag_label(B, U("id"), AG_STR("b"))));
    assert_false(same(t, ag_cast(B, AG_K_CAST, U("id"), ag_type_plain(AG_TYPE_STRING)),
                      ag_cast(B, AG_K_CAST, U("id"), ag_type_plain(AG_TYPE_TEXT))));
    assert_false(same(t, ag_text(B, AG_STR("a = :x")), ag_text(B, AG_STR("a = :y"))));
    assert_false(same(t, U("id"), A("id")));
    assert_true(same(t, ag_insert_inline(B, ag_insert(B, TABLE(t->users))),
                     ag_insert_inline(B, ag_insert(B, TABLE(t->users)))));
    const ag_value one = ag_value_int(1), two = ag_value_int(2);
    assert_false(same(t, ag_literal(B, &one, NULL, true), ag_literal(B, &two, NULL, true)));
}

/* a.id = a.age and a.id = b.age have equal hashes: the walk tells them apart. */
static void sharing_counts(void **state)
{
    tree *t = *state;
    const ag_node *a = ag_alias(B, TABLE(t->users), NO_STR), *b = ag_alias(B, TABLE(t->users), NO_STR);
    const ag_node *one = tree_bin(t, AG_OP_EQ, tree_c(t, a, "id"), tree_c(t, a, "age"));
    const ag_node *two = tree_bin(t, AG_OP_EQ, tree_c(t, a, "id"), tree_c(t, b, "age"));
    assert_int_equal(one->hash, two->hash);
    assert_false(same(t, one, two));
    assert_false(same(t, two, one));
    assert_true(same(t, two, tree_bin(t, AG_OP_EQ, tree_c(t, b, "id"), tree_c(t, a, "age"))));
    /* binds: the same one twice, and two */
    const ag_value v = ag_value_int(1);
    const ag_node *p = ag_literal(B, &v, NULL, false), *q = ag_literal(B, &v, NULL, false);
    assert_false(same(t, tree_bin(t, AG_OP_ADD, p, p), tree_bin(t, AG_OP_ADD, p, q)));
    assert_true(same(t, tree_bin(t, AG_OP_ADD, q, p), tree_bin(t, AG_OP_ADD, p, q)));
    /* an expression twice in a columns clause is de-duplicated there, an equal one is not */
    const ag_node *f = ag_func(B, NULL, 0, AG_STR("now"), NULL, 0, NULL, 0),
                  *g = ag_func(B, NULL, 0, AG_STR("now"), NULL, 0, NULL, 0);
    assert_false(same(t, tree_select(t, f, f, NULL), tree_select(t, f, g, NULL)));
    assert_true(same(t, tree_select(t, f, g, NULL), tree_select(t, g, f, NULL)));
    assert_true(same(t, tree_select(t, f, f, NULL), tree_select(t, g, g, NULL)));
}

static void binds_come_in_the_order_of_the_walk(void **state)
{
    tree *t = *state;
    const ag_value v[3] = {ag_value_int(1), ag_value_int(2), ag_value_int(3)};
    const ag_node *p = ag_literal(B, &v[0], NULL, false),
                  *in = tree_bin(t, AG_OP_IN, U("id"), ag_in_list(B, U("id"), v, 3));
    const ag_node *sub = ag_subquery(B, tree_where(t, tree_select(t, U("id"), NULL), in), NO_STR),
                  *c = tree_c(t, sub, "id");
    const ag_node *s = tree_select(t, c, tree_bin(t, AG_OP_ADD, c, p), p, NULL);
    ag_binds binds, other;
    bool yes = false;
    ag_vec_init(&binds, t->alloc);
    ag_vec_init(&other, t->alloc);
    assert_int_equal(ag_tree_binds(&binds, s, t->alloc, &t->err), AG_OK);
    assert_int_equal(binds.len, 2); /* the subquery once, p once */
    assert_int_equal(binds.items[0]->values.n, 3);
    assert_ptr_equal(binds.items[1], p);
    size_t size = 0;
    const ag_node *copy = ag_tree_copy(&t->arena, s, t->alloc, &size, &t->err);
    assert_int_equal(ag_tree_same(&yes, copy, s, &other, t->alloc, &t->err), AG_OK);
    assert_true(yes);
    assert_int_equal(other.len, binds.len);
    for (size_t i = 0; i < binds.len; i++)
        assert_ptr_equal(other.items[i], binds.items[i]);
    /* the copy knows where its binds stood, has their number of members, and no values */
    other.len = 0;
    assert_int_equal(ag_tree_binds(&other, copy, t->alloc, &t->err), AG_OK);
    assert_int_equal(other.items[0]->origin, 1);
    assert_int_equal(other.items[0]->values.n, 3);
    assert_int_equal(other.items[0]->values.off, 0);
    assert_int_equal(other.items[1]->origin, 2);
    assert_int_equal(other.items[1]->value.kind, AG_V_NULL);
    assert_int_equal(copy->hash, s->hash);
    assert_true(size > 0);
    ag_vec_clear(&binds);
    ag_vec_clear(&other);
}

static void long_chains_work_in_loops(void **state)
{
    tree *t = *state;
    const size_t n = 100000;
    const ag_node *c = tree_eq(t, U("id"), 0);
    for (size_t i = 1; i < n; i++)
        c = tree_bin(t, AG_OP_AND, c, tree_eq(t, U("id"), (int64_t)i));
    ag_binds binds;
    bool yes = false;
    ag_vec_init(&binds, t->alloc);
    const ag_node *copy = ag_tree_copy(&t->arena, c, t->alloc, NULL, &t->err);
    assert_non_null(copy);
    assert_int_equal(ag_tree_same(&yes, copy, c, &binds, t->alloc, &t->err), AG_OK);
    assert_true(yes);
    assert_int_equal(binds.len, n);
    assert_int_equal(c->depth, 2);
    ag_vec_clear(&binds);
    tree_dump(t, c); /* cut, not overflowing */
}

static void count_owner(void *ud, ag_owner *o)
{
    (void)o;
    ++*(int *)ud;
}

static void owners_are_told_once(void **state)
{
    tree *t = *state;
    int n = 0;
    const ag_node *s = tree_where(t, tree_select(t, U("id"), A("id"), NULL), U("active"));
    assert_int_equal(ag_tree_owners(s, count_owner, &n, t->alloc, &t->err), AG_OK);
    assert_int_equal(n, 1);
}

/* ---- walking and rewriting ---- */

typedef struct trace {
    char text[512];
    size_t at;
    unsigned prune;
} trace;

static ag_visit on_enter(void *ud, const ag_node *n, const ag_node *parent)
{
    trace *tr = ud;
    (void)parent;
    tr->at += (size_t)snprintf(tr->text + tr->at, sizeof tr->text - tr->at, "+%s ", ag_kind_get(n->kind)->name);
    return n->kind == tr->prune ? AG_VISIT_PRUNE : AG_VISIT_CONTINUE;
}

static ag_visit on_leave(void *ud, const ag_node *n, const ag_node *parent)
{
    trace *tr = ud;
    (void)parent;
    tr->at += (size_t)snprintf(tr->text + tr->at, sizeof tr->text - tr->at, "-%s ", ag_kind_get(n->kind)->name);
    return n->kind == AG_K_BETWEEN ? AG_VISIT_ABORT : AG_VISIT_CONTINUE;
}

static void walks_enter_prune_leave_abort(void **state)
{
    tree *t = *state;
    const ag_node *s = tree_where(t, tree_select(t, U("id"), NULL), tree_eq(t, U("age"), 1));
    trace tr = {.prune = AG_K_NONE};
    ag_walker w = {.ud = &tr, .enter = on_enter, .leave = on_leave};
    bool aborted = true;
    assert_int_equal(ag_walk(s, &w, t->alloc, &aborted, &t->err), AG_OK);
    assert_false(aborted);
    assert_string_equal(tr.text, "+select +column -column +binary +column -column +bind -bind -binary -select ");
    tr = (trace){.prune = AG_K_BINARY};
    assert_int_equal(ag_walk(s, &w, t->alloc, &aborted, &t->err), AG_OK);
    assert_string_equal(tr.text, "+select +column -column +binary -select ");
    const ag_node *b = ag_between(B, U("age"), tree_int(t, U("age"), AG_OP_BETWEEN, 1),
                                  tree_int(t, U("age"), AG_OP_BETWEEN, 2), false, false);
    tr = (trace){.prune = AG_K_COLUMN};
    assert_int_equal(ag_walk(b, &w, t->alloc, &aborted, &t->err), AG_OK);
    assert_true(aborted);
    assert_int_equal(ag_child_count(b), 3);
    assert_ptr_equal(ag_find_kind(b, AG_K_BIND, t->alloc), AG_AS(between, BETWEEN, b)->lower);
    assert_null(ag_find_kind(b, AG_K_SELECT, t->alloc));
}

typedef struct swap {
    const ag_node *from, *to;
} swap;

static const ag_node *swap_node(void *ud, const ag_node *n)
{
    const swap *s = ud;
    return n == s->from ? s->to : NULL;
}

static void replacement_copies_only_what_changes(void **state)
{
    tree *t = *state;
    const ag_node *keep = tree_eq(t, U("id"), 1), *change = tree_eq(t, U("age"), 2);
    const ag_node *s = tree_where(t, tree_where(t, tree_select(t, U("id"), NULL), keep), change);
    swap sw = {U("age"), A("user_id")};
    const ag_replacer r = {.ud = &sw, .fn = swap_node};
    const ag_node *n = ag_replace(B, s, &r);
    assert_ptr_equal(ag_nlist_at(n, AG_AS(select, SELECT, n)->where, 0), keep);
    assert_dump(t, ag_nlist_at(n, AG_AS(select, SELECT, n)->where, 1), "(binary.eq addresses.user_id (bind age 2))");
    assert_true(n->hash != s->hash);
    assert_ptr_equal(ag_replace(B, s, &(ag_replacer){0}), s);
    /* subqueries can be left alone */
    const ag_node *sub = tree_bin(t, AG_OP_EQ, U("age"), ag_scalar_select(B, tree_select(t, U("age"), NULL)));
    const ag_replacer stop = {.ud = &sw, .fn = swap_node, .skip_subqueries = true};
    assert_dump(t, ag_replace(B, sub, &stop),
                "(binary.eq addresses.user_id (scalar_select (select columns[users.age] label_style=1)))");
}

static void adapters_move_columns_to_another_from(void **state)
{
    tree *t = *state;
    const ag_node *a = ag_alias(B, TABLE(t->users), AG_STR("a"));
    const ag_adapter ad = {.from = a};
    const ag_node *c = tree_bin(t, AG_OP_EQ, U("id"), A("user_id"));
    assert_dump(t, ag_adapt(B, c, &ad), "(binary.eq a.id addresses.user_id)");
    const ag_node *s = ag_stmt_add(B, tree_select(t, U("id"), NULL), AG_CL_FROM, &TABLE(t->users), 1, true);
    assert_dump(t, ag_adapt(B, s, &ad), "(select columns[a.id] from[(alias users a)])");
    /* a column that the subquery does not export stays, though its table is inside */
    const ag_node *sub = ag_subquery(B, tree_select(t, U("id"), NULL), AG_STR("s"));
    const ag_adapter to_sub = {.from = sub};
    const ag_node *both = tree_bin(t, AG_OP_EQ, U("id"), U("age"));
    assert_dump(t, ag_adapt(B, both, &to_sub), "(binary.eq s.id users.age)");
    const ag_node *const pairs[][2] = {{A("user_id"), U("id")}};
    const ag_adapter eq = {.from = a, .equivalents = pairs, .nequivalents = 1};
    assert_dump(t, ag_adapt(B, c, &eq), "(binary.eq a.id a.id)");
    const ag_adapter named = {.from = ag_alias(B, TABLE(t->addresses), AG_STR("x")), .on_names = true};
    assert_dump(t, ag_adapt(B, U("id"), &named), "x.id");
}

static void params_give_values(void **state)
{
    tree *t = *state;
    const ag_node *text = ag_text(B, AG_STR("a = :x AND b IN :y AND c = :z"));
    const ag_value one = ag_value_int(1), two[2] = {ag_value_int(5), ag_value_int(6)};
    const ag_param p[] = {
        {AG_STR("x"), &one, 1, false}, {AG_STR("y"), two, 2, true}, {AG_STR("other"), &one, 1, false}};
    const ag_node *n = ag_with_params(B, text, p, 3, false);
    assert_dump(t, n, "(text a =  AND b IN  AND c =  binds[(bind x 1) (bind y 5 6) (bind z)])");
    const ag_n_text *x = AG_AS(text, TEXT, n);
    assert_false(ag_nlist_at(x, x->binds, 0)->flags & AG_BIND_REQUIRED);
    assert_true(ag_nlist_at(x, x->binds, 1)->flags & AG_BIND_EXPANDING);
    assert_ptr_equal(ag_nlist_at(x, x->binds, 2), ag_nlist_at(text, AG_AS(text, TEXT, text)->binds, 2));
    x = AG_AS(text, TEXT, ag_with_params(B, text, p, 1, true));
    for (uint32_t i = 0; i < 3; i++)
        assert_true(ag_nlist_at(x, x->binds, i)->flags & AG_BIND_UNIQUE);
    assert_ptr_equal(ag_with_params(B, U("id"), p, 1, false), U("id"));
}

static ag_status rewrite(const ag_alloc *a, void *ud)
{
    tree tt, *t = &tt;
    ag_status st = AG_NOMEM;
    (void)ud;
    if (tree_init(t, a)) {
        const ag_node *id = t->users.cols[0].node, *alias = ag_alias(B, TABLE(t->users), NO_STR),
                      *c = alias ? tree_eq(t, id, 1) : NULL;
        for (int i = 0; c && i < 120; i++)
            c = tree_bin(t, AG_OP_AND, c, tree_eq(t, id, i));
        const ag_node *s = c ? tree_where(t, ag_select(B, &id, 1), c) : NULL;
        const ag_adapter ad = {.from = alias};
        const ag_node *copy = s ? ag_tree_copy(&t->arena, s, a, NULL, &t->err) : NULL,
                      *moved = copy ? ag_adapt(B, s, &ad) : NULL;
        ag_binds binds;
        bool yes = false;
        ag_vec_init(&binds, a);
        if (moved && ag_tree_same(&yes, copy, s, &binds, a, &t->err) == AG_OK && yes && binds.len == 121 &&
            ag_tree_same(&yes, copy, moved, NULL, a, &t->err) == AG_OK && !yes) {
            binds.len = 0;
            st = ag_tree_binds(&binds, moved, a, &t->err);
        }
        ag_vec_clear(&binds);
    }
    tree_clear(t);
    return st;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    sweep_run(rewrite, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_do_not_count),
        TEST(what_decides_the_text_counts),
        TEST(sharing_counts),
        TEST(binds_come_in_the_order_of_the_walk),
        TEST(long_chains_work_in_loops),
        TEST(owners_are_told_once),
        TEST(walks_enter_prune_leave_abort),
        TEST(replacement_copies_only_what_changes),
        TEST(adapters_move_columns_to_another_from),
        TEST(params_give_values),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}

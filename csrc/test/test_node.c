/* Nodes: the tables of nodes.def, building in arena and scratch, moving out, copies with one part changed, hashes,
 * depth. */
#include "test/sweep.h"
#include "test/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int setup(void **state)
{
    static tree t;
    *state = &t;
    return tree_init(&t, ag_alloc_libc()) ? 0 : -1;
}

static int teardown(void **state)
{
    tree_clear(*state);
    return 0;
}

static void every_kind_has_its_table(void **state)
{
    (void)state;
    for (unsigned k = AG_K_NONE + 1; k < AG_K_COUNT; k++) {
        const ag_kind_info *info = ag_kind_get(k);
        assert_non_null(info->name);
        assert_true(info->cls >= AG_CLASS_EXPR && info->cls <= AG_CLASS_DDL);
        assert_true(info->fixed >= sizeof(ag_node) && info->fixed % 8 == 0);
        uint16_t last = sizeof(ag_node);
        for (const ag_field *f = info->fields; f->kind != AG_FIELD_END; f++) {
            assert_true(f->offset >= last && f->offset < info->fixed);
            last = f->offset;
        }
    }
    assert_string_equal(ag_kind_get(AG_K_COUNT + 5)->name, "none");
}

/* build.h makes these with one function each. */
static void kinds_of_one_shape_agree(void **state)
{
    (void)state;
    assert_int_equal(offsetof(ag_n_cast, operand), offsetof(ag_n_try_cast, operand));
    assert_int_equal(offsetof(ag_n_cast, operand), offsetof(ag_n_type_coerce, operand));
    assert_int_equal(offsetof(ag_n_cast, operand), offsetof(ag_n_scalar_select, select));
    assert_int_equal(offsetof(ag_n_cast, operand), offsetof(ag_n_exists, select));
    assert_int_equal(offsetof(ag_n_cast, operand), offsetof(ag_n_scalar_values, values));
    assert_int_equal(offsetof(ag_n_cast, operand), offsetof(ag_n_dml_column, column));
    assert_int_equal(offsetof(ag_n_cast, operand), offsetof(ag_n_from_value, from));
    assert_int_equal(offsetof(ag_n_list, items), offsetof(ag_n_tuple, items));
    assert_int_equal(offsetof(ag_n_list, items), offsetof(ag_n_array, items));
    assert_int_equal(offsetof(ag_n_alias, name), offsetof(ag_n_subquery, name));
    assert_int_equal(offsetof(ag_n_alias, name), offsetof(ag_n_lateral, name));
    assert_int_equal(offsetof(ag_n_within_group, order_by), offsetof(ag_n_agg_order, order_by));
}

static void equal_trees_hash_alike(void **state)
{
    tree *t = *state;
    const ag_node *id = tree_col(&t->users, "id"), *age = tree_col(&t->users, "age");
    const ag_node *a = tree_eq(t, id, 5), *b = tree_eq(t, id, 7);
    assert_int_equal(a->hash, b->hash); /* bind values do not count */
    assert_true(a->hash != tree_eq(t, age, 5)->hash);
    assert_true(a->hash != tree_bin(t, AG_OP_NE, id, tree_int(t, id, AG_OP_NE, 5))->hash);
    const ag_value v[3] = {ag_value_int(1), ag_value_int(2), ag_value_int(3)};
    const ag_node *in2 = ag_in_list(&t->b, id, v, 2), *in2b = ag_in_list(&t->b, id, v + 1, 2),
                  *in3 = ag_in_list(&t->b, id, v, 3);
    assert_int_equal(in2->hash, in2b->hash);
    assert_true(in2->hash != in3->hash); /* the number of members does */
    const ag_node *l1 = ag_literal(&t->b, &v[0], NULL, true), *l2 = ag_literal(&t->b, &v[1], NULL, true);
    assert_true(l1->hash != l2->hash); /* values written into the text do */
}

static void a_group_moves_out_as_one_block(void **state)
{
    tree *t = *state;
    ag_builder b;
    ag_builder_init(&b, t->alloc, t->types, &t->err);
    const ag_node *id = tree_col(&t->users, "id");
    const ag_value five = ag_value_int(5);
    for (int round = 0; round < 3; round++) {
        const ag_node *unused = ag_literal(&b, &five, NULL, false);
        const ag_node *n = ag_binary(&b, AG_OP_EQ, id, ag_operand(&b, id, AG_OP_EQ, &five));
        bool outside;
        assert_non_null(unused);
        size_t size = ag_builder_take(&b, n, &outside);
        assert_false(outside);
        assert_true(size >= n->size && size < n->size + unused->size + sizeof(ag_n_bind) + 64);
        uint64_t hash = n->hash;
        char *block = malloc(size);
        const ag_node *moved = ag_builder_move(&b, block);
        assert_ptr_equal(moved, block);
        assert_int_equal(moved->hash, hash);
        assert_false(moved->flags & AG_NF_SCRATCH);
        const ag_n_binary *x = AG_AS(binary, BINARY, moved);
        assert_ptr_equal(x->left, id);
        assert_true((const char *)x->right > block && (const char *)x->right < block + size);
        assert_false(x->right->flags & AG_NF_SCRATCH);
        assert_dump(t, moved, "(binary.eq users.id (bind id 5))");
        free(block);
    }
    bool outside;
    assert_int_equal(ag_builder_take(&b, id, &outside), 0);
    assert_true(outside);
    ag_builder_clear(&b);
}

static void a_shared_child_moves_once(void **state)
{
    tree *t = *state;
    ag_builder b;
    ag_builder_init(&b, t->alloc, t->types, &t->err);
    const ag_value five = ag_value_int(5);
    const ag_node *five_node = ag_literal(&b, &five, NULL, false);
    const ag_node *sum = ag_binary(&b, AG_OP_ADD, five_node, five_node);
    bool outside;
    size_t size = ag_builder_take(&b, sum, &outside);
    assert_int_equal(size, sum->size + five_node->size);
    char *block = malloc(size);
    const ag_n_binary *x = AG_AS(binary, BINARY, ag_builder_move(&b, block));
    assert_ptr_equal(x->left, x->right);
    free(block);
    ag_builder_clear(&b);
}

static void generative_copies_change_one_part(void **state)
{
    tree *t = *state;
    const ag_node *id = tree_col(&t->users, "id"), *name = tree_col(&t->users, "name");
    const ag_node *s = tree_select(t, id, name, NULL);
    const ag_node *w = tree_where(t, s, tree_eq(t, id, 1));
    const ag_node *w2 = tree_where(t, w, tree_eq(t, name, 2));
    assert_dump(t, s, "(select columns[users.id users.name])");
    assert_int_equal(AG_AS(select, SELECT, w2)->where.n, 2);
    assert_int_equal(w2->size, w->size + 8); /* no dead bytes */
    const ag_node *cleared = ag_stmt_clear(&t->b, w2, AG_CL_WHERE);
    assert_int_equal(cleared->hash, s->hash);
    assert_int_equal(cleared->size, s->size);
}

static void copies_keep_all_parts(void **state)
{
    tree *t = *state;
    const ag_value tuple[4] = {ag_value_int(1), ag_value_text("abc", 3), ag_value_int(2), ag_value_null()};
    const ag_node *const pair[] = {tree_col(&t->users, "id"), tree_col(&t->users, "name")};
    const ag_node *bind = ag_in_tuples(&t->b, ag_tuple(&t->b, pair, 2), tuple, 2, 2);
    const ag_str packages[] = {AG_STR("a"), AG_STR("b.c")};
    const ag_node *fn = ag_func(&t->b, packages, 2, AG_STR("f"), pair, 2, NULL, 0);
    const ag_node *text = ag_text(&t->b, AG_STR("x = :y AND z = :y"));
    const ag_node *all[] = {bind, fn, text};
    for (size_t i = 0; i < 3; i++) {
        const ag_node *copy = ag_node_finish(&t->b, ag_node_copy(&t->b, all[i]));
        bool equal = false;
        assert_int_equal(copy->hash, all[i]->hash);
        assert_int_equal(copy->size, all[i]->size);
        assert_int_equal(ag_tree_equal(&equal, copy, all[i], t->alloc, &t->err), AG_OK);
        assert_true(equal);
    }
    assert_dump(t, bind, "(bind param 1 'abc' 2 null tuple_width=2)");
    assert_dump(t, fn, "(func f a b.c args[users.id users.name])");
}

static void nesting_has_a_limit_that_says_so(void **state)
{
    tree *t = *state;
    const ag_node *n = tree_col(&t->users, "age");
    unsigned i = 0;
    for (; n && i < 1000; i++) {
        const ag_node *next = tree_bin(t, AG_OP_SUB, n, tree_int(t, n, AG_OP_SUB, 1));
        if (!next)
            break;
        n = next;
    }
    assert_int_equal(i, AG_DEPTH_MAX);
    assert_fails(t, tree_bin(t, AG_OP_SUB, n, n), ARGUMENT, "500 levels");
}

static void chains_have_no_limit(void **state)
{
    tree *t = *state;
    const ag_node *c = tree_eq(t, tree_col(&t->users, "id"), 1), *n = c, *sum = tree_col(&t->users, "age");
    for (unsigned i = 0; i < 2000; i++) {
        n = tree_bin(t, AG_OP_AND, n, c);
        sum = tree_bin(t, AG_OP_ADD, sum, tree_int(t, sum, AG_OP_ADD, 1));
    }
    assert_non_null(n);
    assert_non_null(sum);
    assert_int_equal(n->depth, 2);
    assert_int_equal(sum->depth, 1);
}

static void flags_are_inherited(void **state)
{
    tree *t = *state;
    const ag_node *id = tree_col(&t->users, "id"), *star = ag_star(&t->b, NULL);
    const ag_node *count = ag_func(&t->b, NULL, 0, AG_STR("count"), &star, 1, NULL, 0);
    assert_true(count->flags & AG_NF_AGGREGATE);
    assert_false(count->flags & (AG_NF_FROMS | AG_NF_BINDS));
    const ag_node *more = tree_bin(t, AG_OP_GT, count, tree_int(t, count, AG_OP_GT, 1));
    assert_true(more->flags & AG_NF_AGGREGATE && more->flags & AG_NF_BINDS);
    const ag_window w = {0};
    assert_false(ag_over(&t->b, count, &w)->flags & AG_NF_AGGREGATE);
    const ag_node *sub = ag_scalar_select(&t->b, tree_select(t, count, NULL));
    assert_false(sub->flags & AG_NF_AGGREGATE);
    const ag_node *custom = ag_custom(&t->b, 1, 2, (ag_str){0}, &id, 1, NULL, 0);
    assert_true(custom->flags & AG_NF_UNCACHED);
    assert_false(ag_tree_cacheable(tree_select(t, custom, NULL)));
    const ag_node *ok = ag_custom(&t->b, 1, 2, AG_STR("k"), &id, 1, NULL, AG_CUSTOM_CACHEABLE);
    assert_true(ag_tree_cacheable(ok));
    assert_int_equal(ok->hash, ag_custom(&t->b, 1, 99, AG_STR("k"), &id, 1, NULL, AG_CUSTOM_CACHEABLE)->hash);
}

static void null_children_pass_failure_on(void **state)
{
    tree *t = *state;
    const ag_node *id = tree_col(&t->users, "id"), *none[] = {NULL};
    assert_null(tree_bin(t, AG_OP_EQ, NULL, id));
    assert_null(tree_bin(t, AG_OP_EQ, id, NULL));
    assert_null(ag_not(&t->b, NULL));
    assert_null(ag_bool_list(&t->b, AG_OP_AND, none, 1));
    assert_null(ag_label(&t->b, NULL, AG_STR("x")));
    assert_null(ag_select(&t->b, none, 1));
    assert_null(ag_func(&t->b, NULL, 0, AG_STR("f"), none, 1, NULL, 0));
    assert_null(ag_alias(&t->b, NULL, AG_STR("x")));
    assert_false(t->err.set);
}

/* Work on scratch: nothing leaks whatever allocation fails. */
static ag_status build_and_move(const ag_alloc *a, void *ud)
{
    tree t;
    ag_builder b = {0};
    ag_status st = AG_NOMEM;
    (void)ud;
    if (tree_init(&t, a)) {
        ag_builder_init(&b, a, t.types, &t.err);
        const ag_node *id = t.users.cols[0].node;
        const ag_value v[2] = {ag_value_int(5), ag_value_text("x", 1)};
        const ag_node *in = ag_binary(&b, AG_OP_IN, id, ag_in_list(&b, id, v, 2)), *both[] = {in, in};
        const ag_node *s = in ? ag_select(&b, &TABLE(t.users), 1) : NULL;
        s = s ? ag_stmt_add(&b, s, AG_CL_WHERE, both, 2, true) : NULL;
        bool outside;
        size_t size = s ? ag_builder_take(&b, s, &outside) : 0;
        char *block = size ? malloc(size) : NULL;
        if (block) {
            ag_builder_move(&b, block);
            st = AG_OK;
        }
        free(block);
        ag_builder_clear(&b);
    }
    tree_clear(&t);
    return st;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    sweep_run(build_and_move, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_its_table),
        cmocka_unit_test(kinds_of_one_shape_agree),
        cmocka_unit_test_setup_teardown(equal_trees_hash_alike, setup, teardown),
        cmocka_unit_test_setup_teardown(a_group_moves_out_as_one_block, setup, teardown),
        cmocka_unit_test_setup_teardown(a_shared_child_moves_once, setup, teardown),
        cmocka_unit_test_setup_teardown(generative_copies_change_one_part, setup, teardown),
        cmocka_unit_test_setup_teardown(copies_keep_all_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(nesting_has_a_limit_that_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(chains_have_no_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(flags_are_inherited, setup, teardown),
        cmocka_unit_test_setup_teardown(null_children_pass_failure_on, setup, teardown),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}

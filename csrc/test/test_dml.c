/* INSERT, UPDATE, DELETE: values by column, several rows, targets that do not exist, upsert, RETURNING, extra FROMs. */
#include "test/sweep.h"
#include "test/tree.h"

#include <setjmp.h>
#include <stdarg.h>

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

static const ag_node *value(tree *t, const ag_node *c, int64_t v)
{
    const ag_value x = ag_value_int(v);
    return ag_dml_value(B, c, &x);
}

static const ag_node *set(tree *t, const ag_node *stmt, const ag_node *c, const ag_node *v)
{
    return ag_dml_values(B, stmt, &c, &v, 1);
}

static void values_replace_and_append(void **state)
{
    tree *t = *state;
    const ag_node *ins = ag_insert(B, TABLE(t->users));
    ins = set(t, ins, U("id"), value(t, U("id"), 1));
    ins = set(t, ins, U("age"), value(t, U("age"), 2));
    ins = set(t, ins, U("id"), value(t, U("id"), 3));
    assert_dump(t, ins, "(insert users columns[users.id users.age] values[(bind id 3) (bind age 2)])");
    assert_true(ins->flags & AG_DML_VALUES);
    const ag_n_bind *b = AG_AS(bind, BIND, value(t, U("name"), 1));
    assert_int_equal(b->node.type->id, AG_TYPE_STRING); /* the column's type, whatever the value */
    assert_true(b->node.flags & AG_BIND_DML);
    const ag_node *up =
        set(t, ag_update(B, TABLE(t->users)), U("age"), tree_bin(t, AG_OP_ADD, U("age"), value(t, U("age"), 1)));
    up = tree_where(t, up, tree_eq(t, U("id"), 1));
    assert_dump(t, up,
                "(update users columns[users.age] values[(binary.add users.age (bind age 1))] where[(binary.eq "
                "users.id (bind id 1))])");
    const ag_node *empty = ag_dml_values(B, ag_insert(B, TABLE(t->users)), NULL, NULL, 0);
    assert_true(empty->flags & AG_DML_VALUES);
}

static void targets_are_columns_of_the_table(void **state)
{
    tree *t = *state;
    assert_ptr_equal(ag_dml_target(B, TABLE(t->users), AG_STR("age")), U("age"));
    assert_fails(t, ag_dml_target(B, TABLE(t->users), AG_STR("agee")), COMPILE,
                 "Unconsumed column names: agee (did you mean 'age'?)");
    assert_fails(t, ag_insert(B, ag_alias(B, TABLE(t->users), NO_STR)), ARGUMENT, "insert needs a table");
    assert_fails(t, ag_update(B, U("id")), ARGUMENT, "update needs a table");
    assert_fails(t, set(t, ag_insert(B, TABLE(t->users)), tree_eq(t, U("id"), 1), U("id")), ARGUMENT,
                 "a column is expected");
    assert_non_null(ag_update(B, ag_alias(B, TABLE(t->users), NO_STR)));
    const ag_node *c = ag_column_clause(B, AG_STR("x"), NULL, false),
                  *tc = ag_table_clause(B, NO_STR, AG_STR("t"), &c, 1);
    assert_dump(t, ag_dml_target(B, tc, AG_STR("x")), "t.x");
}

static void several_rows(void **state)
{
    tree *t = *state;
    const ag_node *cols[] = {U("id"), U("age")};
    const ag_node *rows[] = {value(t, U("id"), 1), NULL, value(t, U("id"), 2), value(t, U("age"), 5)};
    const ag_node *ins = ag_insert(B, TABLE(t->users)),
                  *bad[] = {value(t, U("id"), 1), value(t, U("age"), 1), value(t, U("id"), 2), NULL};
    const ag_node *many = ag_insert_rows(B, ins, cols, 2, rows, 2);
    assert_dump(
        t, many,
        "(insert users columns[users.id users.age] values[(bind id 1) (dml_default) (bind id 2) (bind age 5)] rows=2)");
    assert_int_equal(AG_AS(insert, INSERT, ag_insert_rows(B, many, cols, 2, rows, 2))->values.n, 8);
    assert_fails(t, ag_insert_rows(B, ins, cols, 2, bad, 2), COMPILE, "row 2");
    assert_fails(t, set(t, many, U("id"), value(t, U("id"), 1)), INVALID_REQUEST, "Can't mix");
    assert_fails(t, ag_insert_rows(B, set(t, ins, U("id"), value(t, U("id"), 1)), cols, 2, rows, 2), INVALID_REQUEST,
                 "Can't mix");
    assert_fails(t, ag_insert_rows(B, many, cols, 1, rows, 1), INVALID_REQUEST, "columns of the rows before");
    assert_fails(t, ag_insert_rows(B, ins, cols, 2, rows, 0), ARGUMENT, "at least one row");
}

static void ordered_and_from_select(void **state)
{
    tree *t = *state;
    const ag_node *cols[] = {U("age"), U("id")}, *vals[] = {value(t, U("age"), 1), value(t, U("id"), 2)};
    const ag_node *up = ag_update_ordered(B, ag_update(B, TABLE(t->users)), cols, vals, 2);
    assert_true(up->flags & AG_DML_ORDERED);
    assert_fails(t, set(t, up, U("id"), vals[1]), INVALID_REQUEST, "ordered values");
    assert_fails(t, ag_update_ordered(B, up, cols, vals, 2), INVALID_REQUEST, "only invoke ordered_values");
    assert_fails(t, ag_update_ordered(B, ag_insert(B, TABLE(t->users)), cols, vals, 2), ARGUMENT,
                 "an update is expected");
    const ag_node *sel = tree_select(t, A("id"), A("user_id"), NULL), *ins = ag_insert(B, TABLE(t->users));
    const ag_node *fs = ag_insert_from_select(B, ins, cols, 2, sel, false);
    assert_int_equal(fs->flags & AG_NF_KIND, AG_DML_INLINE | AG_DML_NO_DEFAULTS);
    assert_fails(t, set(t, fs, U("id"), vals[1]), INVALID_REQUEST, "inserts from a SELECT");
    assert_fails(t, ag_insert_from_select(B, set(t, ins, U("id"), vals[1]), cols, 2, sel, true), INVALID_REQUEST,
                 "already has values");
    assert_fails(t, ag_insert_from_select(B, ins, cols, 2, U("id"), true), ARGUMENT, "needs a select");
}

static void returning(void **state)
{
    tree *t = *state;
    const ag_node *ins = ag_dml_returning(B, ag_insert(B, TABLE(t->users)), &TABLE(t->users), 1, true);
    assert_int_equal(ag_stmt_column_count(ins), 4);
    assert_true(ag_stmt_returns_rows(ins));
    assert_true(ins->flags & AG_DML_SORT_BY_PARAMETERS);
    assert_false(ag_stmt_returns_rows(ag_delete(B, TABLE(t->users))));
    const ag_node *id = U("id"), *del = ag_dml_returning(B, ag_delete(B, TABLE(t->users)), &id, 1, false);
    assert_dump(t, del, "(delete users returning[users.id])");
    const ag_node *cte = ag_cte(B, del, AG_STR("gone"), 0);
    assert_dump(t, tree_c(t, cte, "id"), "gone.id");
    const ag_node *rd = ag_dml_return_defaults(B, ag_insert(B, TABLE(t->users)), NULL, 0, false);
    assert_true(rd->flags & AG_DML_RETURN_DEFAULTS);
    assert_fails(t, ag_dml_returning(B, rd, &id, 1, false), INVALID_REQUEST, "return_defaults");
}

static void upsert(void **state)
{
    tree *t = *state;
    const ag_node *ins = set(t, ag_insert(B, TABLE(t->users)), U("id"), value(t, U("id"), 1));
    const ag_node *ex = ag_insert_excluded(B, ins), *col = U("age"), *val = tree_c(t, ex, "age"), *id = U("id");
    assert_true(ex->flags & AG_ALIAS_EXCLUDED);
    ag_conflict c = {
        .index_elements = &id, .nindex = 1, .update = true, .set_columns = &col, .set_values = &val, .nset = 1};
    const ag_node *n = ag_on_conflict(B, ins, &c);
    assert_dump(t, n,
                "(insert users columns[users.id] values[(bind id 1)] (on_conflict index_elements[users.id] "
                "set_columns[users.age] "
                "set_values[excluded.age]))");
    assert_int_equal(AG_AS(insert, INSERT, n)->on_conflict->flags & AG_NF_KIND, AG_CONFLICT_UPDATE);
    assert_non_null(
        AG_AS(on_conflict, ON_CONFLICT, AG_AS(insert, INSERT, ag_on_conflict(B, n, &c))->on_conflict)->before);
    const ag_node *any = ag_on_conflict(B, ins, &(ag_conflict){0});
    assert_fails(t, ag_on_conflict(B, any, &c), INVALID_REQUEST, "must be the last one");
    c.nset = 0;
    assert_fails(t, ag_on_conflict(B, ins, &c), ARGUMENT, "needs 'set'");
    const ag_conflict nothing = {.constraint = AG_STR("uq"), .index_elements = &id, .nindex = 1};
    assert_fails(t, ag_on_conflict(B, ins, &nothing), ARGUMENT, "mutually exclusive");
    assert_non_null(ag_on_conflict(B, ins, &(ag_conflict){0}));
}

static const char *extra_froms(tree *t, const ag_node *stmt)
{
    const ag_node **f;
    size_t n;
    assert_int_equal(ag_dml_froms(B, stmt, &f, &n, &t->err), AG_OK);
    return tree_froms(t, f, n);
}

static void other_tables_become_extra_froms(void **state)
{
    tree *t = *state;
    const ag_node *up = set(t, ag_update(B, TABLE(t->users)), U("name"), A("email"));
    assert_string_equal(extra_froms(t, up), "addresses");
    up = tree_where(t, up, tree_bin(t, AG_OP_EQ, U("id"), tree_col(&t->orders, "user_id")));
    assert_string_equal(extra_froms(t, up), "orders, addresses");
    const ag_node *del = tree_where(t, ag_delete(B, TABLE(t->users)), tree_eq(t, U("id"), 1));
    assert_string_equal(extra_froms(t, del), "");
    del = ag_stmt_add(B, del, AG_CL_FROM, &TABLE(t->addresses), 1, true);
    del = tree_where(t, del, tree_bin(t, AG_OP_EQ, U("id"), A("user_id")));
    assert_string_equal(extra_froms(t, del), "addresses");
    const ag_node *j = ag_join(B, TABLE(t->users), TABLE(t->addresses), NULL, 0);
    assert_string_equal(extra_froms(t, ag_update(B, j)), "addresses");
}

static ag_status build_dml(const ag_alloc *a, void *ud)
{
    tree tt, *t = &tt;
    ag_status st = AG_NOMEM;
    (void)ud;
    if (tree_init(t, a)) {
        const ag_node *cols[] = {t->users.cols[0].node, t->users.cols[2].node};
        const ag_node *vals[] = {value(t, cols[0], 1), value(t, cols[1], 2)};
        const ag_node *ins = ag_insert_rows(B, ag_insert(B, TABLE(t->users)), cols, 2, vals, 1);
        const ag_node *ex = ins ? ag_insert_excluded(B, ins) : NULL, *e = ex ? ag_from_colref(B, ex, 2) : NULL;
        const ag_conflict c = {
            .index_elements = cols, .nindex = 1, .update = true, .set_columns = &cols[1], .set_values = &e, .nset = 1};
        ins = e ? ag_on_conflict(B, ins, &c) : NULL;
        ins = ins ? ag_dml_returning(B, ins, &TABLE(t->users), 1, true) : NULL;
        const ag_node *up = ag_dml_values(B, ag_update(B, TABLE(t->users)), cols, vals, 2), **f;
        size_t n;
        up = up ? tree_where(t, up, tree_bin(t, AG_OP_EQ, cols[0], t->addresses.cols[1].node)) : NULL;
        if (ins && up && ag_dml_froms(B, up, &f, &n, &t->err) == AG_OK && n == 1)
            st = AG_OK;
    }
    tree_clear(t);
    return st;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    sweep_run(build_dml, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_replace_and_append),
        TEST(targets_are_columns_of_the_table),
        TEST(several_rows),
        TEST(ordered_and_from_select),
        TEST(returning),
        TEST(upsert),
        TEST(other_tables_become_extra_froms),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests_name("dml", tests, NULL, NULL);
}

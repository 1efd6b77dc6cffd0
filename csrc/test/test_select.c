/* SELECT: clauses, the names of its columns under each label style, its FROM list and join chain, correlation, set
 * operations.
 * The expected names and FROM lists were printed by SQLAlchemy 2.1 for the same statements (# stands for a number). */
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
#define O(k)   tree_col(&t->orders, k)
#define P(k)   tree_col(&t->pairs, k)

static const ag_node *count_of(tree *t, const ag_node *arg)
{
    return ag_func(B, NULL, 0, AG_STR("count"), &arg, arg ? 1 : 0, NULL, 0);
}

/* "required|fallback|key" of each column, a "*" behind repeated ones. */
static const char *names(tree *t, const ag_node *s, bool anon_for_dupe)
{
    static char out[1024];
    const ag_select_col *c;
    uint32_t n;
    size_t at = 0;
    assert_non_null(s);
    assert_int_equal(ag_stmt_columns(s, anon_for_dupe, &t->arena, &c, &n, &t->err), AG_OK);
    out[0] = '\0';
    for (uint32_t i = 0; i < n; i++) {
        at += (size_t)snprintf(out + at, sizeof out - at, "%s%s", i ? ", " : "", tree_name(t, c[i].required));
        at += (size_t)snprintf(out + at, sizeof out - at, "|%s", tree_name(t, c[i].fallback));
        at += (size_t)snprintf(out + at, sizeof out - at, "|%s%s", c[i].key.p ? c[i].key.p : "-",
                               c[i].repeated ? "*" : "");
    }
    return out;
}

/* "key=name" of each exported column. */
static const char *exported(tree *t, const ag_node *from)
{
    static char out[1024];
    const ag_from_col *c;
    uint32_t n;
    size_t at = 0;
    assert_int_equal(ag_from_columns(from, &t->arena, &c, &n, &t->err), AG_OK);
    out[0] = '\0';
    for (uint32_t i = 0; i < n; i++)
        at +=
            (size_t)snprintf(out + at, sizeof out - at, "%s%s=%s", i ? ", " : "", c[i].key.p, tree_name(t, c[i].name));
    return out;
}

static void names_that_clash_are_told_apart(void **state)
{
    tree *t = *state;
    const ag_node *sum = tree_bin(t, AG_OP_ADD, U("age"), tree_int(t, U("age"), AG_OP_ADD, 1));
    const ag_node *s = tree_select(t, U("id"), A("id"), U("id"), count_of(t, NULL), count_of(t, NULL), sum, NULL);
    assert_string_equal(
        names(t, s, true),
        "|id|id, id_#|id_#|id_1, id__#|id__#|id_2*, |count_#|count, |count_#|count_1, |anon_#|_no_label");
    assert_string_equal(exported(t, ag_subquery(B, s, NO_STR)),
                        "id=id, id_1=id_#, id_2=id, count=count_#, count_1=count_#, "
                        "_no_label=anon_#");
}

static void table_qualified_names(void **state)
{
    tree *t = *state;
    const ag_node *u1 = ag_alias(B, TABLE(t->users), NO_STR);
    const ag_node *s = tree_select(t, U("id"), A("id"), U("id"), tree_c(t, u1, "id"), count_of(t, U("id")), NULL);
    s = ag_stmt_label_style(B, s, AG_LABEL_STYLE_TABLENAME_PLUS_COL);
    assert_string_equal(names(t, s, true),
                        "users_id|users_id|users_id, addresses_id|addresses_id|addresses_id, "
                        "users_id__#|users_id__#|users_id_1*, users_#_id|users_#_id|users_1_id, |count_#|count");
}

static void repeated_and_wrapped_columns(void **state)
{
    tree *t = *state;
    const ag_node *f = count_of(t, U("id")), *c1 = ag_cast(B, AG_K_CAST, U("age"), ag_type_plain(AG_TYPE_STRING));
    const ag_node *c2 = ag_cast(B, AG_K_CAST, U("age"), ag_type_plain(AG_TYPE_STRING));
    const ag_value one = ag_value_int(1);
    const ag_node *s = tree_select(t, f, f, c1, c2, ag_literal(B, &one, NULL, false),
                                   ag_column_clause(B, AG_STR("x"), NULL, true), ag_label(B, U("age"), NO_STR), NULL);
    assert_string_equal(names(t, s, true),
                        "|count_#|count, |count__#|count_1*, |age|age, |age__#|age_1*, |anon_#|_no_label, ||x, "
                        "|age_#|_no_label_1");
    s = ag_stmt_label_style(B, tree_select(t, U("id"), A("id"), f, NULL), AG_LABEL_STYLE_NONE);
    assert_string_equal(names(t, s, true), "|id|id, |id|id, |count_#|count");
    assert_string_equal(exported(t, ag_subquery(B, s, NO_STR)), "id=id, id_1=id_#, count=count_#");
}

static void made_up_names_nest(void **state)
{
    tree *t = *state;
    const ag_node *sub = ag_subquery(B, tree_select(t, count_of(t, U("id")), U("id"), U("id"), NULL), NO_STR);
    const ag_node *c0 = ag_from_colref(B, sub, 0), *c1 = ag_from_colref(B, sub, 1), *c2 = ag_from_colref(B, sub, 2);
    const ag_node *s = tree_select(t, c0, c1, c2, NULL);
    assert_true(c0->flags & AG_COLREF_ANON);
    assert_string_equal(names(t, s, true), "|count_#|_no_label, |id|id, id_#|id_#|id_1");
    s = ag_stmt_label_style(B, tree_select(t, c0, c1, NULL), AG_LABEL_STYLE_TABLENAME_PLUS_COL);
    assert_string_equal(names(t, s, true),
                        "anon_#_count_#|anon_#_count_#|anon_1_count_1, anon_#_id|anon_#_id|anon_1_id");
    /* the same column by two nodes is the same column */
    s = tree_select(t, c1, ag_from_colref(B, sub, 1), NULL);
    assert_string_equal(names(t, s, true), "|id|id, id__#|id__#|id_1*");
}

/* A tower of subqueries with made-up names is named in one round, not in 5^30. */
static void made_up_names_nest_deeply(void **state)
{
    tree *t = *state;
    const ag_node *s = tree_select(t, count_of(t, U("id")), count_of(t, U("age")), count_of(t, U("name")), NULL);
    for (int i = 0; i < 30; i++) {
        const ag_node *sub = ag_subquery(B, s, NO_STR);
        s = tree_select(t, ag_from_colref(B, sub, 0), ag_from_colref(B, sub, 1), ag_from_colref(B, sub, 2), NULL);
    }
    assert_string_equal(names(t, s, true), "|count_#|_no_label, |count_#|_no_label_1, |count_#|_no_label_2");
}

/* ---- FROM ---- */

static const char *froms(tree *t, const ag_node *s)
{
    const ag_node **f;
    size_t n;
    assert_non_null(s);
    if (ag_select_froms(B, s, &f, &n, &t->err) != AG_OK)
        return tree_error(t);
    return tree_froms(t, f, n);
}

static const ag_node *joined(tree *t, const ag_node *s, const ag_node *right)
{
    return ag_select_join(B, s, NULL, right, NULL, 0);
}

static void froms_come_from_columns_and_conditions(void **state)
{
    tree *t = *state;
    assert_string_equal(froms(t, tree_select(t, U("id"), NULL)), "users");
    assert_string_equal(
        froms(t, tree_where(t, tree_select(t, U("id"), NULL), tree_bin(t, AG_OP_EQ, U("id"), A("user_id")))),
        "users, addresses");
    const ag_node *sub = ag_exists(B, tree_select(t, O("id"), NULL));
    assert_string_equal(froms(t, tree_where(t, tree_select(t, U("id"), NULL), sub)), "users");
    const ag_node *s = ag_stmt_add(B, tree_select(t, U("id"), NULL), AG_CL_FROM, &TABLE(t->orders), 1, true);
    assert_string_equal(froms(t, s), "orders, users");
    const ag_node *j = ag_join(B, TABLE(t->users), TABLE(t->addresses), NULL, 0);
    s = ag_stmt_add(B, tree_select(t, U("id"), A("id"), NULL), AG_CL_FROM, &j, 1, true);
    assert_string_equal(froms(t, s), "(users join addresses)");
    assert_string_equal(froms(t, ag_select(B, &j, 1)), "(users join addresses)");
    assert_int_equal(ag_stmt_column_count(ag_select(B, &j, 1)), 7);
    assert_string_equal(froms(t, tree_select(t, j, P("id"), NULL)), "(users join addresses), pairs");
}

static void joins_find_their_left_side(void **state)
{
    tree *t = *state;
    assert_string_equal(froms(t, joined(t, tree_select(t, U("id"), NULL), TABLE(t->addresses))),
                        "(users join addresses)");
    assert_string_equal(froms(t, joined(t, tree_select(t, U("id"), P("id"), NULL), TABLE(t->addresses))),
                        "(users join addresses), pairs");
    const ag_node *s = joined(t, tree_select(t, U("id"), NULL), TABLE(t->addresses));
    s = ag_select_join(B, s, NULL, TABLE(t->orders), tree_bin(t, AG_OP_EQ, O("user_id"), U("id")), AG_JOIN_OUTER);
    assert_string_equal(froms(t, s), "((users join addresses) left orders)");
    s = ag_select_join(B, tree_select(t, U("id"), NULL), TABLE(t->users), TABLE(t->addresses), NULL, 0);
    s = ag_select_join(B, s, TABLE(t->addresses), TABLE(t->orders), NULL, 0);
    assert_string_equal(froms(t, s), "((users join addresses) join orders)");
    s = ag_stmt_add(B, tree_select(t, A("id"), NULL), AG_CL_FROM, &TABLE(t->users), 1, true);
    assert_string_equal(froms(t, joined(t, s, TABLE(t->addresses))), "(users join addresses)");
    const ag_node *u1 = ag_alias(B, TABLE(t->users), NO_STR);
    assert_string_equal(froms(t, joined(t, tree_select(t, tree_c(t, u1, "id"), NULL), TABLE(t->addresses))),
                        "(an unnamed alias of users join addresses)");
    const ag_node *self = ag_select_join(B, tree_select(t, U("id"), NULL), NULL, u1,
                                         tree_bin(t, AG_OP_EQ, tree_c(t, u1, "id"), U("id")), 0);
    assert_string_equal(froms(t, self), "(users join an unnamed alias of users)");
}

static void joins_that_cannot_be_found_say_why(void **state)
{
    tree *t = *state;
    const ag_node *s = joined(t, tree_select(t, U("id"), NULL), TABLE(t->pairs)), **f;
    size_t n;
    assert_int_equal(ag_select_froms(B, s, &f, &n, &t->err), AG_ERROR);
    assert_fails(t, NULL, AMBIGUOUS_FOREIGN_KEYS, "pairs.one_id -> users.id, pairs.two_id -> users.id");
    assert_int_equal(ag_select_froms(B, joined(t, tree_select(t, A("id"), NULL), TABLE(t->pairs)), &f, &n, &t->err),
                     AG_ERROR);
    assert_fails(t, NULL, INVALID_REQUEST, "Don't know how to join to 'pairs'");
    assert_int_equal(
        ag_select_froms(B, joined(t, tree_select(t, U("id"), O("id"), NULL), TABLE(t->addresses)), &f, &n, &t->err),
        AG_ERROR);
    assert_fails(t, NULL, INVALID_REQUEST, "several that can join to 'addresses'");
    assert_fails(t, ag_join(B, TABLE(t->addresses), TABLE(t->pairs), NULL, 0), NO_FOREIGN_KEYS,
                 "between 'addresses' and 'pairs'");
    assert_fails(t, ag_join(B, TABLE(t->users), tree_select(t, U("id"), NULL), NULL, 0), ARGUMENT, ":subquery()");
}

/* ---- correlation ---- */

static const char *display(tree *t, const ag_node *s, const ag_node *const *implicit, size_t n)
{
    const ag_correlation c = {.explicit_froms = implicit, .nexplicit = n, .implicit_froms = implicit, .nimplicit = n};
    const ag_node **f;
    size_t count;
    if (ag_select_display_froms(B, s, &c, &f, &count, &t->err) != AG_OK)
        return tree_error(t);
    return tree_froms(t, f, count);
}

static void subqueries_correlate(void **state)
{
    tree *t = *state;
    const ag_node *outer[] = {TABLE(t->users)}, *two[] = {TABLE(t->users), TABLE(t->addresses)};
    const ag_node *s = tree_where(t, tree_select(t, A("id"), NULL), tree_bin(t, AG_OP_EQ, A("user_id"), U("id")));
    assert_string_equal(display(t, s, NULL, 0), "addresses, users");
    assert_string_equal(display(t, s, outer, 1), "addresses");
    assert_string_equal(display(t, tree_select(t, U("id"), NULL), outer, 1), "users"); /* the only FROM stays */
    assert_string_equal(display(t, ag_stmt_clear(B, s, AG_CL_CORRELATE), outer, 1), "addresses, users");
    const ag_node *c = ag_stmt_add(B, s, AG_CL_CORRELATE, &TABLE(t->users), 1, true);
    assert_string_equal(display(t, c, two, 2), "addresses");
    c = ag_stmt_add(B, s, AG_CL_CORRELATE_EXCEPT, &TABLE(t->addresses), 1, true);
    assert_string_equal(display(t, c, two, 2), "addresses");
    assert_string_equal(display(t, ag_stmt_clear(B, s, AG_CL_CORRELATE_EXCEPT), two, 2), "");
    assert_non_null(strstr(display(t, s, two, 2), "no FROM clause left after auto-correlation"));
}

/* ---- clauses ---- */

static void limit_and_fetch_exclude_each_other(void **state)
{
    tree *t = *state;
    const ag_node *s = tree_select(t, U("id"), NULL);
    const ag_node *l = ag_stmt_limit(B, s, AG_LIMIT, ag_limit_bind(B, 5), 0);
    l = ag_stmt_limit(B, l, AG_OFFSET, ag_limit_bind(B, 2), 0);
    const ag_n_select *x = AG_AS(select, SELECT, ag_stmt_limit(B, l, AG_FETCH, ag_limit_bind(B, 3), AG_FETCH_TIES));
    assert_null(x->limit);
    assert_non_null(x->offset);
    assert_non_null(x->fetch);
    assert_true(x->node.flags & AG_FETCH_TIES);
    x = AG_AS(select, SELECT, ag_stmt_limit(B, &x->node, AG_LIMIT, ag_limit_bind(B, 3), 0));
    assert_null(x->fetch);
    assert_false(x->node.flags & AG_FETCH_TIES);
    assert_fails(t, ag_stmt_limit(B, s, AG_LIMIT, ag_limit_bind(B, -1), 0), ARGUMENT, "from 0");
    assert_fails(t, ag_stmt_limit_clear(B, TABLE(t->users), AG_LIMIT), ARGUMENT, "a select is expected");
}

static void clauses_go_where_they_belong(void **state)
{
    tree *t = *state;
    const ag_node *s = tree_select(t, U("id"), NULL), *d = ag_unary(B, AG_OP_DESC, U("name")),
                  *n = ag_label_ref(B, AG_STR("n"));
    const ag_node *order[] = {d, n};
    s = ag_stmt_add(B, s, AG_CL_ORDER_BY, order, 2, true);
    s = ag_stmt_add(B, s, AG_CL_GROUP_BY, &TABLE(t->addresses), 1, true);
    s = ag_select_distinct(B, s, order, 1);
    assert_dump(t, s,
                "(select columns[users.id] group_by[addresses.id addresses.user_id addresses.email] "
                "order_by[(unary.desc users.name) (label_ref n)] distinct_on[(unary.desc users.name)])");
    assert_true(s->flags & AG_SELECT_DISTINCT);
    s = ag_stmt_for_update(B, s, &TABLE(t->users), 1, AG_FOR_UPDATE_NOWAIT);
    assert_int_equal(AG_AS(select, SELECT, s)->for_update->flags & AG_NF_KIND, AG_FOR_UPDATE_NOWAIT);
    assert_null(AG_AS(select, SELECT, ag_stmt_for_update_clear(B, s))->for_update);
    uint64_t hash = s->hash;
    s = ag_stmt_host(B, ag_stmt_exec_options(B, s, 7), 8);
    assert_int_equal(s->hash, hash);
    assert_int_equal(ag_stmt_get_exec_options(s), 7);
    assert_int_equal(ag_stmt_get_host(s), 8);
    assert_fails(t, ag_stmt_add(B, ag_insert(B, TABLE(t->users)), AG_CL_WHERE, &d, 1, true), ARGUMENT,
                 "insert has no WHERE");
    assert_fails(t, ag_stmt_add(B, s, AG_CL_FROM, &s, 1, true), ARGUMENT, ":subquery()");
    assert_dump(t, tree_where(t, tree_select(t, U("id"), NULL), U("active")),
                "(select columns[users.id] where[(unary.is_true users.active)])");
}

static void set_operations(void **state)
{
    tree *t = *state;
    const ag_node *both[] = {tree_select(t, U("id"), U("name"), NULL), tree_select(t, A("id"), A("email"), NULL)};
    const ag_node *u = ag_compound(B, AG_UNION, both, 2), *sub = ag_subquery(B, u, AG_STR("x"));
    assert_string_equal(exported(t, sub), "id=id, name=name");
    assert_int_equal(ag_stmt_column_count(u), 2);
    /* both selects' columns correspond */
    assert_dump(t, ag_corresponding_column(B, sub, A("email"), false), "x.name");
    assert_dump(t, ag_corresponding_column(B, sub, U("name"), false), "x.name");
    assert_null(ag_corresponding_column(B, sub, A("user_id"), false));
    const ag_node *bad[] = {both[0], tree_select(t, A("id"), NULL)};
    assert_fails(t, ag_compound(B, AG_UNION, bad, 2), ARGUMENT, "select #1 has 2 columns, select #2 has 1");
    assert_fails(t, ag_compound(B, AG_UNION, &TABLE(t->users), 1), ARGUMENT, "not a table");
    const ag_node *styled = ag_stmt_label_style(B, u, AG_LABEL_STYLE_TABLENAME_PLUS_COL);
    assert_string_equal(exported(t, ag_subquery(B, styled, NO_STR)), "users_id=users_id, users_name=users_name");
}

static void recursive_cte_restates_itself(void **state)
{
    tree *t = *state;
    const ag_node *base = ag_cte(B, tree_select(t, U("id"), U("age"), NULL), AG_STR("tree"), AG_CTE_RECURSIVE);
    const ag_node *part = tree_select(t, U("id"), U("age"), NULL);
    part = tree_where(t, part, tree_bin(t, AG_OP_EQ, U("age"), tree_c(t, base, "id")));
    const ag_node *cte = ag_cte_compound(B, base, AG_UNION_ALL, &part, 1);
    const ag_n_cte *c = AG_AS(cte, CTE, cte);
    assert_ptr_equal(c->restates, base);
    assert_int_equal(c->element->kind, AG_K_COMPOUND);
    assert_true(cte->flags & AG_CTE_RECURSIVE);
    assert_string_equal(exported(t, cte), "id=id, age=age");
    assert_true(ag_from_contains(cte, base));
    const ag_node *alias = ag_alias(B, cte, AG_STR("t2"));
    assert_ptr_equal(AG_AS(cte, CTE, alias)->alias_of, cte);
    assert_dump(t, tree_c(t, alias, "age"), "t2.age");
    assert_fails(t, ag_cte(B, TABLE(t->users), AG_STR("x"), 0), ARGUMENT, "not a table");
}

static void reduced_columns(void **state)
{
    tree *t = *state;
    const ag_node *j = ag_join(B, TABLE(t->users), TABLE(t->addresses), NULL, 0);
    const ag_node *s = ag_select(B, &j, 1), *r = ag_select_reduce_columns(B, s, false);
    assert_dump(t, r,
                "(select columns[users.id users.name users.age users.active addresses.id addresses.email] "
                "implied[(join users addresses (binary.eq users.id addresses.user_id)) users.id])");
    assert_int_equal(ag_select_reduce_columns(B, s, true)->count, s->count); /* user_id is no synonym of id */
    s = tree_where(t, tree_select(t, U("name"), A("email"), NULL), tree_bin(t, AG_OP_EQ, U("name"), A("email")));
    assert_int_equal(ag_stmt_column_count(ag_select_reduce_columns(B, s, false)), 1);
}

static void values_and_table_functions_export_columns(void **state)
{
    tree *t = *state;
    const ag_value one = ag_value_int(1), x = ag_value_text("x", 1);
    const ag_node *cols[] = {ag_column_clause(B, AG_STR("a"), ag_type_plain(AG_TYPE_INTEGER), false),
                             ag_column_clause(B, AG_STR("b"), ag_type_plain(AG_TYPE_STRING), false)};
    const ag_node *data[] = {ag_literal(B, &one, NULL, false), ag_literal(B, &x, NULL, false)};
    const ag_node *v = ag_values(B, AG_STR("v"), cols, 2, data, 1, 0);
    v = ag_values_data(B, v, data, 1);
    assert_int_equal(AG_AS(values, VALUES, v)->data.n, 4);
    assert_string_equal(exported(t, v), "a=a, b=b");
    assert_dump(t, tree_c(t, v, "b"), "v.b");
    assert_int_equal(tree_c(t, v, "b")->type->id, AG_TYPE_STRING);
    assert_string_equal(exported(t, ag_alias(B, v, AG_STR("w"))), "a=a, b=b");
    const ag_node *fn = ag_func(B, NULL, 0, AG_STR("json_each"), data, 1, NULL, 0);
    const ag_node *tf = ag_table_func(B, fn, cols, 2, NO_STR, AG_TABLE_FUNC_ORDINALITY);
    assert_string_equal(froms(t, tree_select(t, tree_c(t, tf, "a"), NULL)), "an unnamed table_func");
    tf = ag_table_func_derived(B, tf, AG_STR("d"), true);
    assert_int_equal(tf->flags & AG_NF_KIND, AG_TABLE_FUNC_ORDINALITY | AG_TABLE_FUNC_DERIVED | AG_TABLE_FUNC_TYPES);
    assert_dump(t, tree_c(t, tf, "a"), "d.a");
    const ag_node *tc = ag_table_clause(B, AG_STR("s"), AG_STR("t"), cols, 2);
    assert_string_equal(names(t, ag_stmt_label_style(B, ag_select(B, &tc, 1), AG_LABEL_STYLE_TABLENAME_PLUS_COL), true),
                        "s_t_a|s_t_a|s_t_a, s_t_b|s_t_b|s_t_b");
    assert_fails(t, ag_table_clause(B, NO_STR, AG_STR("t"), &TABLE(t->users), 1), ARGUMENT, "made with column()");
    const ag_node *in = ag_binary(B, AG_OP_IN, U("id"), v);
    assert_string_equal(froms(t, tree_where(t, tree_select(t, U("id"), NULL), in)), "users");
}

static void corresponding_columns(void **state)
{
    tree *t = *state;
    const ag_node *a1 = ag_alias(B, TABLE(t->users), AG_STR("a1")),
                  *sub = ag_subquery(B, ag_select(B, &a1, 1), AG_STR("s"));
    assert_ptr_equal(ag_corresponding_column(B, TABLE(t->users), U("age"), false), U("age"));
    assert_dump(t, ag_corresponding_column(B, a1, U("age"), false), "a1.age");
    assert_dump(t, ag_corresponding_column(B, sub, U("age"), false), "s.age");
    assert_dump(t, ag_corresponding_column(B, sub, tree_c(t, a1, "age"), true), "s.age");
    assert_ptr_equal(ag_corresponding_column(B, TABLE(t->users), tree_c(t, a1, "age"), false), U("age"));
    assert_null(
        ag_corresponding_column(B, TABLE(t->users), tree_c(t, a1, "age"), true)); /* not embedded in the table */
    assert_null(ag_corresponding_column(B, a1, A("id"), false));
    const ag_node *j = ag_join(B, a1, TABLE(t->addresses), NULL, 0);
    assert_dump(t, ag_corresponding_column(B, j, U("id"), false), "a1.id");
    assert_dump(t, ag_corresponding_column(B, j, A("id"), false), "addresses.id");
    assert_string_equal(exported(t, j), "a1_id=id, a1_name=name, a1_age=age, a1_active=active, addresses_id=id, "
                                        "addresses_user_id=user_id, addresses_email=email");
    /* a labelled column keeps its lineage */
    const ag_node *l = ag_subquery(B, tree_select(t, ag_label(B, U("id"), AG_STR("x")), NULL), AG_STR("l"));
    assert_dump(t, ag_corresponding_column(B, l, U("id"), false), "l.x");
    assert_ptr_equal(ag_column_root(tree_c(t, l, "x")), &t->users.cols[0]);
    assert_true(ag_columns_share_lineage(tree_c(t, l, "x"), tree_c(t, a1, "id"), t->alloc));
}

static void an_alias_of_a_join_is_a_subquery(void **state)
{
    tree *t = *state;
    const ag_node *j = ag_join(B, TABLE(t->users), TABLE(t->addresses), NULL, 0), *s = ag_alias(B, j, AG_STR("j"));
    assert_int_equal(s->kind, AG_K_SUBQUERY);
    assert_dump(t, tree_c(t, s, "addresses_email"), "j.addresses_email");
}

static void filter_by_searches_all_froms(void **state)
{
    tree *t = *state;
    const ag_node *s = joined(t, tree_select(t, U("id"), NULL), TABLE(t->addresses));
    assert_ptr_equal(ag_stmt_filter_column(B, s, AG_STR("email"), NULL), A("email"));
    assert_ptr_equal(ag_stmt_filter_column(B, s, AG_STR("name"), NULL), U("name"));
    assert_fails(t, ag_stmt_filter_column(B, s, AG_STR("id"), NULL), AMBIGUOUS_COLUMN, "(addresses, users)");
    assert_fails(t, ag_stmt_filter_column(B, s, AG_STR("total"), NULL), INVALID_REQUEST, "Searched: addresses, users");
    const ag_node *j = ag_join(B, TABLE(t->users), TABLE(t->orders), NULL, 0);
    s = ag_stmt_add(B, tree_select(t, U("id"), NULL), AG_CL_FROM, &j, 1, true);
    assert_ptr_equal(ag_stmt_filter_column(B, s, AG_STR("id"), NULL), U("id"));
    assert_dump(t, ag_stmt_filter_column(B, s, AG_STR("total"), NULL), "orders.total");
    assert_ptr_equal(ag_stmt_filter_column(B, ag_delete(B, TABLE(t->users)), AG_STR("age"), NULL), U("age"));
    assert_fails(t, ag_stmt_filter_column(B, ag_insert(B, TABLE(t->users)), AG_STR("age"), NULL), ARGUMENT,
                 "no filter_by");
}

static void with_only_columns_keeps_the_joins(void **state)
{
    tree *t = *state;
    const ag_node *s = joined(t, tree_select(t, U("id"), NULL), TABLE(t->addresses)),
                  *total = tree_col(&t->orders, "total");
    s = ag_stmt_add(B, s, AG_CL_COLUMNS, &total, 1, false);
    assert_string_equal(froms(t, s), "(users join addresses), orders");
    assert_int_equal(AG_AS(select, SELECT, s)->joins.n, 0);
}

static void slices_add_up(void **state)
{
    tree *t = *state;
    const ag_n_select *s =
        AG_AS(select, SELECT, ag_stmt_slice(B, ag_stmt_slice(B, tree_select(t, U("id"), NULL), 5, -1), 3, 10));
    assert_int_equal(AG_AS(bind, BIND, s->offset)->value.u.i, 8);
    assert_int_equal(AG_AS(bind, BIND, s->limit)->value.u.i, 7);
    s = AG_AS(select, SELECT, ag_stmt_slice(B, ag_stmt_limit(B, &s->node, AG_OFFSET, U("age"), 0), 2, 4));
    assert_dump(t, s->offset, "(binary.add users.age (bind param 2))");
    assert_fails(t, ag_stmt_slice(B, &s->node, 4, 2), ARGUMENT, "slice takes");
}

static void functions_and_quoted_names(void **state)
{
    tree *t = *state;
    const ag_node *f = ag_func(B, NULL, 0, AG_STR("generate_series"), NULL, 0, NULL, 0);
    const ag_node *s = ag_stmt_add(B, tree_select(t, ag_star(B, NULL), NULL), AG_CL_FROM, &f, 1, true);
    assert_dump(t, s, "(select columns[(star)] from[(table_func (func generate_series))])");
    const ag_node *l = ag_with_quote(B, ag_label(B, U("id"), AG_STR("x")), 1);
    assert_int_equal(ag_name_quote(l), 1);
    assert_int_equal(ag_name_quote(ag_with_quote(B, ag_alias(B, TABLE(t->users), AG_STR("A")), 0)), 0);
    assert_int_equal(ag_name_quote(U("id")), -1);
    assert_true(l->hash != ag_label(B, U("id"), AG_STR("x"))->hash);
    assert_fails(t, ag_with_quote(B, U("id"), 1), ARGUMENT, "quoted_name");
}

static ag_status build_select(const ag_alloc *a, void *ud)
{
    tree tt, *t = &tt;
    ag_status st = AG_NOMEM;
    (void)ud;
    if (tree_init(t, a)) {
        const ag_node *id = t->users.cols[0].node, *c = count_of(t, id),
                      *s = c ? ag_select(B, (const ag_node *[]){id, id, c}, 3) : NULL;
        s = s ? joined(t, s, TABLE(t->addresses)) : NULL;
        const ag_node *sub = s ? ag_subquery(B, s, NO_STR) : NULL, *out = sub ? ag_select(B, &sub, 1) : NULL, **f;
        const ag_select_col *cols;
        uint32_t n;
        size_t nf;
        if (out && ag_stmt_columns(out, true, &t->arena, &cols, &n, &t->err) == AG_OK && n == 3 &&
            ag_select_froms(B, s, &f, &nf, &t->err) == AG_OK && nf == 1) {
            const ag_node *red = ag_select_reduce_columns(B, out, false);
            st = red && ag_corresponding_column(B, sub, id, false) ? AG_OK : AG_NOMEM;
        }
    }
    tree_clear(t);
    return st;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    sweep_run(build_select, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_that_clash_are_told_apart),
        TEST(table_qualified_names),
        TEST(repeated_and_wrapped_columns),
        TEST(made_up_names_nest),
        TEST(made_up_names_nest_deeply),
        TEST(froms_come_from_columns_and_conditions),
        TEST(joins_find_their_left_side),
        TEST(joins_that_cannot_be_found_say_why),
        TEST(subqueries_correlate),
        TEST(limit_and_fetch_exclude_each_other),
        TEST(clauses_go_where_they_belong),
        TEST(set_operations),
        TEST(recursive_cte_restates_itself),
        TEST(reduced_columns),
        TEST(values_and_table_functions_export_columns),
        TEST(corresponding_columns),
        TEST(an_alias_of_a_join_is_a_subquery),
        TEST(filter_by_searches_all_froms),
        TEST(with_only_columns_keeps_the_joins),
        TEST(slices_add_up),
        TEST(functions_and_quoted_names),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests_name("select", tests, NULL, NULL);
}

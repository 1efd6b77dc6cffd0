/* Expressions: types of results and of values beside them, NULL and constant folding, negation, the known functions.
 * What is
 * expected follows SQLAlchemy 2.1. */
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

#define ID     tree_col(&t->users, "id")
#define NAME   tree_col(&t->users, "name")
#define AGE    tree_col(&t->users, "age")
#define ACTIVE tree_col(&t->users, "active")
#define B      (&t->b)
#define NO_STR ((ag_str){0})

static const ag_node *col(tree *t, const char *name, ag_type_id type)
{
    return ag_column_clause(B, tree_str(name), ag_type_plain(type), false);
}

static ag_type_id type_of(tree *t, ag_op_id op, ag_type_id l, ag_type_id r)
{
    const ag_node *n = tree_bin(t, op, col(t, "a", l), col(t, "b", r));
    assert_non_null(n);
    return (ag_type_id)n->type->id;
}

static void operators_have_types(void **state)
{
    tree *t = *state;
    static const struct {
        ag_op_id op;
        ag_type_id l, r, result;
    } cases[] = {
        {AG_OP_ADD, AG_TYPE_INTEGER, AG_TYPE_INTEGER, AG_TYPE_INTEGER},
        {AG_OP_ADD, AG_TYPE_BIGINTEGER, AG_TYPE_INTEGER, AG_TYPE_BIGINTEGER},
        {AG_OP_ADD, AG_TYPE_INTEGER, AG_TYPE_BIGINTEGER, AG_TYPE_BIGINTEGER},
        {AG_OP_ADD, AG_TYPE_INTEGER, AG_TYPE_NUMERIC, AG_TYPE_NUMERIC},
        {AG_OP_ADD, AG_TYPE_INTEGER, AG_TYPE_FLOAT, AG_TYPE_FLOAT},
        {AG_OP_ADD, AG_TYPE_NUMERIC, AG_TYPE_INTEGER, AG_TYPE_NUMERIC},
        {AG_OP_DIV, AG_TYPE_INTEGER, AG_TYPE_INTEGER, AG_TYPE_NUMERIC},
        {AG_OP_FLOORDIV, AG_TYPE_INTEGER, AG_TYPE_INTEGER, AG_TYPE_INTEGER},
        {AG_OP_MOD, AG_TYPE_INTEGER, AG_TYPE_NUMERIC, AG_TYPE_INTEGER},
        {AG_OP_SUB, AG_TYPE_DATE, AG_TYPE_DATE, AG_TYPE_INTEGER},
        {AG_OP_ADD, AG_TYPE_DATE, AG_TYPE_INTEGER, AG_TYPE_DATE},
        {AG_OP_ADD, AG_TYPE_DATE, AG_TYPE_INTERVAL, AG_TYPE_DATETIME},
        {AG_OP_ADD, AG_TYPE_INTEGER, AG_TYPE_DATE, AG_TYPE_DATE},
        {AG_OP_SUB, AG_TYPE_DATETIME, AG_TYPE_DATETIME, AG_TYPE_INTERVAL},
        {AG_OP_SUB, AG_TYPE_DATETIME, AG_TYPE_INTERVAL, AG_TYPE_DATETIME},
        {AG_OP_ADD, AG_TYPE_INTERVAL, AG_TYPE_DATETIME, AG_TYPE_DATETIME},
        {AG_OP_MUL, AG_TYPE_INTERVAL, AG_TYPE_NUMERIC, AG_TYPE_INTERVAL},
        {AG_OP_MUL, AG_TYPE_INTEGER, AG_TYPE_INTERVAL, AG_TYPE_INTERVAL},
        {AG_OP_ADD, AG_TYPE_TIME, AG_TYPE_DATE, AG_TYPE_DATETIME},
        {AG_OP_ADD, AG_TYPE_NULL, AG_TYPE_INTEGER, AG_TYPE_INTEGER},
        {AG_OP_SUB, AG_TYPE_NULL, AG_TYPE_INTEGER, AG_TYPE_NULL},
        {AG_OP_CONCAT, AG_TYPE_STRING, AG_TYPE_INTEGER, AG_TYPE_STRING},
        {AG_OP_EQ, AG_TYPE_INTEGER, AG_TYPE_STRING, AG_TYPE_BOOLEAN},
        {AG_OP_BIT_AND, AG_TYPE_INTEGER, AG_TYPE_INTEGER, AG_TYPE_INTEGER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(type_of(t, cases[i].op, cases[i].l, cases[i].r), cases[i].result);
}

static void plus_concatenates_strings(void **state)
{
    tree *t = *state;
    assert_dump(t, tree_bin(t, AG_OP_ADD, NAME, tree_text(t, NAME, AG_OP_ADD, "x")),
                "(binary.concat users.name (bind name 'x'))");
    assert_dump(t, tree_bin(t, AG_OP_ADD, AGE, tree_int(t, AGE, AG_OP_ADD, 1)), "(binary.add users.age (bind age 1))");
    assert_int_equal(tree_bin(t, AG_OP_ADD, NAME, ag_null_new(B))->op, AG_OP_CONCAT);
    assert_int_equal(tree_bin(t, AG_OP_ADD, NAME, AGE)->op, AG_OP_ADD);
}

static void values_take_the_type_beside_them(void **state)
{
    tree *t = *state;
    const ag_value f = ag_value_float(1.5), big = ag_value_int(INT64_C(5000000000)), text = ag_value_text("x", 1);
    assert_int_equal(tree_int(t, AGE, AG_OP_EQ, 5)->type->id, AG_TYPE_INTEGER);
    assert_int_equal(ag_operand(B, AGE, AG_OP_EQ, &f)->type->id, AG_TYPE_DOUBLE);
    assert_int_equal(ag_operand(B, AGE, AG_OP_EQ, &big)->type->id, AG_TYPE_INTEGER); /* same family */
    assert_int_equal(ag_operand(B, NAME, AG_OP_EQ, &big)->type->id, AG_TYPE_BIGINTEGER);
    const ag_node *day = col(t, "d", AG_TYPE_DATE), *uuid = col(t, "u", AG_TYPE_UUID_GENERIC);
    assert_int_equal(ag_operand(B, day, AG_OP_EQ, &text)->type->id, AG_TYPE_DATE);
    assert_int_equal(ag_operand(B, uuid, AG_OP_EQ, &text)->type->id, AG_TYPE_UUID_GENERIC);
    assert_int_equal(ag_operand(B, AGE, AG_OP_CONCAT, &text)->type->id, AG_TYPE_STRING);
    const ag_node *untyped = col(t, "x", AG_TYPE_NULL);
    assert_int_equal(ag_operand(B, untyped, AG_OP_EQ, &f)->type->id, AG_TYPE_DOUBLE);
    /* a bindparam without a type takes it when it is compared */
    const ag_bind_spec spec = {.key = AG_STR("p")};
    const ag_node *p = ag_bind(B, &spec);
    assert_int_equal(p->type->id, AG_TYPE_NULL);
    assert_true(p->flags & AG_BIND_REQUIRED);
    const ag_n_binary *cmp = AG_AS(binary, BINARY, tree_bin(t, AG_OP_EQ, AGE, p));
    assert_int_equal(cmp->right->type->id, AG_TYPE_INTEGER);
}

static const ag_node *with_null(tree *t, ag_op_id op)
{
    const ag_value null = ag_value_null();
    return tree_bin(t, op, AGE, ag_operand(B, AGE, op, &null));
}

static void null_folds(void **state)
{
    tree *t = *state;
    assert_dump(t, with_null(t, AG_OP_EQ), "(binary.is_ users.age (null))");
    assert_dump(t, with_null(t, AG_OP_NE), "(binary.is_not users.age (null))");
    assert_dump(t, with_null(t, AG_OP_IS_DISTINCT), "(binary.is_distinct_from users.age (null))");
    assert_dump(t, with_null(t, AG_OP_ADD), "(binary.add users.age (bind age null))");
    assert_fails(t, with_null(t, AG_OP_LT), ARGUMENT, "compare with NULL");
    assert_fails(t, with_null(t, AG_OP_LIKE), ARGUMENT, "not like");
    const ag_value yes = ag_value_bool(true);
    const ag_node *e = tree_bin(t, AG_OP_EQ, ACTIVE, ag_operand(B, ACTIVE, AG_OP_EQ, &yes));
    assert_dump(t, e, "(binary.eq users.active (true))");
    assert_dump(t, tree_bin(t, AG_OP_IS, ACTIVE, ag_false(B)), "(binary.is_ users.active (false))");
    assert_fails(t, tree_bin(t, AG_OP_GT, ACTIVE, ag_true(B)), ARGUMENT, "not gt");
    /* null() and an explicit bind of NULL */
    const ag_value null = ag_value_null();
    assert_dump(t, tree_bin(t, AG_OP_EQ, AGE, ag_literal(B, &null, NULL, false)),
                "(binary.eq users.age (bind param null))");
}

static void and_or_fold_constants(void **state)
{
    tree *t = *state;
    const ag_node *c = tree_eq(t, ID, 1), *d = tree_eq(t, AGE, 2);
    assert_ptr_equal(tree_bin(t, AG_OP_AND, c, ag_true(B)), c);
    assert_ptr_equal(tree_bin(t, AG_OP_OR, ag_false(B), c), c);
    assert_dump(t, tree_bin(t, AG_OP_AND, c, ag_false(B)), "(unary.is_true (false))");
    assert_dump(t, tree_bin(t, AG_OP_OR, ag_true(B), c), "(unary.is_true (true))");
    const ag_node *items[] = {ag_true(B), c, ag_true(B), d};
    assert_dump(t, ag_bool_list(B, AG_OP_AND, items, 4),
                "(list.and_ items[(binary.eq users.id (bind id 1)) (binary.eq users.age (bind age 2))])");
    assert_dump(t, ag_bool_list(B, AG_OP_AND, items, 1), "(unary.is_true (true))");
    assert_dump(t, ag_bool_list(B, AG_OP_OR, items, 1), "(unary.is_true (true))");
    assert_fails(t, ag_bool_list(B, AG_OP_AND, NULL, 0), ARGUMENT, "and_ needs");
    /* a Boolean column is a condition of its own */
    assert_dump(t, tree_bin(t, AG_OP_AND, ACTIVE, c),
                "(list.and_ items[(unary.is_true users.active) (binary.eq users.id (bind id 1))])");
}

static void negation_rules(void **state)
{
    tree *t = *state;
    static const struct {
        ag_op_id op, negated;
    } pairs[] = {
        {AG_OP_EQ, AG_OP_NE},
        {AG_OP_LT, AG_OP_GE},
        {AG_OP_LE, AG_OP_GT},
        {AG_OP_IS, AG_OP_IS_NOT},
        {AG_OP_LIKE, AG_OP_NOT_LIKE},
        {AG_OP_ILIKE, AG_OP_NOT_ILIKE},
        {AG_OP_CONTAINS, AG_OP_NOT_CONTAINS},
        {AG_OP_REGEXP_MATCH, AG_OP_NOT_REGEXP_MATCH},
        {AG_OP_IS_DISTINCT, AG_OP_IS_NOT_DISTINCT},
        {AG_OP_MATCH, AG_OP_NOT_MATCH},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const ag_node *e = tree_bin(t, pairs[i].op, NAME, col(t, "x", AG_TYPE_STRING)), *n = ag_not(B, e);
        assert_int_equal(n->op, pairs[i].negated);
        assert_int_equal(ag_not(B, n)->hash, e->hash);
    }
    const ag_value v = ag_value_int(1);
    assert_int_equal(ag_not(B, tree_bin(t, AG_OP_IN, ID, ag_in_list(B, ID, &v, 1)))->op, AG_OP_NOT_IN);
    const ag_node *both = tree_bin(t, AG_OP_AND, tree_eq(t, ID, 1), tree_eq(t, AGE, 1));
    assert_dump(t, ag_not(B, ag_not(B, both)),
                "(unary.not_ (unary.not_ (list.and_ items[(binary.eq users.id (bind id 1)) (binary.eq users.age (bind "
                "age 1))])))");
    assert_dump(t, ag_not(B, ACTIVE), "(unary.is_false users.active)");
    assert_dump(t, ag_not(B, ag_not(B, ACTIVE)), "(unary.is_true users.active)");
    assert_dump(t, ag_not(B, AGE), "(unary.not_ users.age)");
    assert_dump(t, ag_not(B, ag_true(B)), "(false)");
    assert_dump(t, ag_not(B, ag_label(B, ACTIVE, AG_STR("on"))), "(label on (unary.is_false users.active))");
    const ag_node *ex = ag_exists(B, tree_select(t, ID, NULL));
    assert_int_equal(ag_not(B, ex)->kind, AG_K_UNARY);
    const ag_node *btw =
        ag_between(B, AGE, tree_int(t, AGE, AG_OP_BETWEEN, 1), tree_int(t, AGE, AG_OP_BETWEEN, 2), false, true);
    assert_int_equal(ag_not(B, btw)->flags & AG_NF_KIND, AG_BETWEEN_NOT | AG_BETWEEN_SYMMETRIC);
    assert_int_equal(ag_not(B, ag_not(B, btw))->hash, btw->hash);
    /* custom operators have no opposite */
    const ag_node *m = ag_custom_op(B, AG_STR("@@"), 0, AG_BINARY_BOOL, NULL, NAME, NAME);
    assert_int_equal(ag_not(B, m)->op, AG_OP_IS_FALSE);
    assert_int_equal(ag_not(B, ag_custom_op(B, AG_STR("@"), 0, 0, NULL, NAME, NAME))->op, AG_OP_NOT);
}

static void any_and_all_change_sides(void **state)
{
    tree *t = *state;
    const ag_type *array;
    ag_type proto = ag_type_proto(AG_TYPE_ARRAY);
    proto.item = ag_type_plain(AG_TYPE_INTEGER);
    assert_int_equal(ag_types_intern(t->types, &array, &proto, &t->err), AG_OK);
    const ag_node *tags = ag_column_clause(B, AG_STR("tags"), array, false), *any = ag_unary(B, AG_OP_ANY, tags);
    const ag_node *e = tree_bin(t, AG_OP_LT, any, tree_int(t, any, AG_OP_LT, 5));
    assert_dump(t, e, "(binary.gt (bind param 5) (unary.any_ (column_clause tags)))");
    assert_int_equal(AG_AS(binary, BINARY, e)->left->type->id, AG_TYPE_INTEGER);
    assert_dump(t, ag_not(B, e), "(unary.is_false (binary.gt (bind param 5) (unary.any_ (column_clause tags))))");
    assert_fails(t, tree_bin(t, AG_OP_ADD, any, AGE), ARGUMENT, "only comparison operators");
    assert_dump(t, tree_bin(t, AG_OP_EQ, any, ag_null_new(B)), "(binary.eq (null) (unary.any_ (column_clause tags)))");
    /* parts of arrays */
    const ag_value one = ag_value_int(1);
    assert_int_equal(ag_getitem(B, tags, ag_literal(B, &one, NULL, false), false)->type->id, AG_TYPE_INTEGER);
    const ag_node *slice = ag_slice(B, ag_literal(B, &one, NULL, false), NULL, NULL);
    assert_ptr_equal(ag_getitem(B, tags, slice, false)->type, array);
    assert_dump(t, tree_bin(t, AG_OP_CONTAINS, tags, tags),
                "(binary.op (column_clause tags) (column_clause tags) @> precedence=1005)");
    assert_fails(t, ag_getitem(B, AGE, ID, false), ARGUMENT, "not on Integer");
    assert_int_equal(ag_array(B, (const ag_node *[]){ID}, 1, NULL)->type, array);
}

static void json_parts(void **state)
{
    tree *t = *state;
    const ag_node *data = col(t, "data", AG_TYPE_JSON);
    const ag_value key = ag_value_text("a", 1), path = ag_value_bytes(AG_V_JSON, "[\"a\",1]", 7);
    const ag_bind_spec spec = {.value = &path, .flags = AG_BIND_UNIQUE | AG_BIND_JSON_PATH};
    const ag_node *item = ag_getitem(B, data, ag_literal(B, &key, NULL, false), false);
    const ag_node *deep = ag_getitem(B, data, ag_bind(B, &spec), true);
    assert_int_equal(item->op, AG_OP_JSON_GETITEM);
    assert_int_equal(deep->op, AG_OP_JSON_PATH_GETITEM);
    assert_int_equal(item->type->id, AG_TYPE_JSON);
    assert_int_equal(ag_json_as(B, item, ag_type_plain(AG_TYPE_INTEGER))->type->id, AG_TYPE_INTEGER);
    assert_dump(t, ag_json_astext(B, item), "(binary.op (column_clause data) (bind param 'a') ->> precedence=1015)");
    assert_fails(t, ag_json_as(B, data, ag_type_plain(AG_TYPE_INTEGER)), INVALID_REQUEST, "part of a JSON");
}

static void like_escapes(void **state)
{
    tree *t = *state;
    const ag_node *v = tree_text(t, NAME, AG_OP_CONTAINS, "50%_/x");
    const ag_node *e = ag_binary_with(B, AG_OP_CONTAINS, NAME, v, &(ag_binary_opts){.autoescape = true});
    assert_dump(t, e, "(binary.contains users.name (bind name '50/%/_//x') /)");
    e = ag_binary_with(B, AG_OP_STARTSWITH, NAME, v, &(ag_binary_opts){.autoescape = true, .escape = AG_STR("^")});
    assert_dump(t, e, "(binary.startswith users.name (bind name '50^%^_/x') ^)");
    assert_fails(t, ag_binary_with(B, AG_OP_CONTAINS, NAME, NAME, &(ag_binary_opts){.autoescape = true}), ARGUMENT,
                 "needs a string");
    assert_fails(t, ag_binary_with(B, AG_OP_LIKE, NAME, v, &(ag_binary_opts){.escape = AG_STR("ab")}), ARGUMENT,
                 "one character");
    assert_fails(t, ag_binary_with(B, AG_OP_EQ, NAME, v, &(ag_binary_opts){.escape = AG_STR("a")}), ARGUMENT,
                 "takes no escape");
}

static void in_takes_lists_selects_and_tuples(void **state)
{
    tree *t = *state;
    const ag_value v[4] = {ag_value_null(), ag_value_int(2), ag_value_int(3), ag_value_int(4)};
    assert_dump(t, tree_bin(t, AG_OP_IN, ID, ag_in_list(B, ID, v, 3)), "(binary.in_ users.id (bind id null 2 3))");
    assert_dump(t, tree_bin(t, AG_OP_IN, ID, ag_in_list(B, ID, v, 0)), "(binary.in_ users.id (bind id))");
    const ag_node *sub = tree_bin(t, AG_OP_IN, ID, tree_select(t, AGE, NULL));
    assert_dump(t, sub, "(binary.in_ users.id (scalar_select (select columns[users.age] label_style=1)))");
    const ag_bind_spec spec = {.key = AG_STR("ids")};
    const ag_n_binary *named = AG_AS(binary, BINARY, tree_bin(t, AG_OP_IN, ID, ag_bind(B, &spec)));
    assert_true(named->right->flags & AG_BIND_EXPANDING);
    assert_int_equal(named->right->type->id, AG_TYPE_INTEGER);
    const ag_node *pair[] = {ID, NAME}, *tuple = ag_tuple(B, pair, 2);
    const ag_value rows[4] = {ag_value_int(1), ag_value_text("a", 1), ag_value_int(2), ag_value_text("b", 1)};
    const ag_n_bind *bt = AG_AS(bind, BIND, ag_in_tuples(B, tuple, rows, 2, 2));
    assert_int_equal(bt->values.n, 4);
    assert_int_equal(ag_ntypes_at(bt, bt->types, 1)->id, AG_TYPE_STRING);
    assert_fails(t, ag_in_tuples(B, tuple, rows, 1, 3), ARGUMENT, "2 members");
}

static void custom_operators_are_checked(void **state)
{
    tree *t = *state;
    static const char *const good[] = {"@@", "->>", "#>", "!~~*", "IS OF", "overlaps", "||/", "?|"};
    static const char *const bad[] = {"", "--", "; DROP", "/*", "a-b", "'", "x\"", "+ +", " a", "a--b", "\n"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(ag_op_text_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ag_op_text_valid(bad[i], strlen(bad[i])));
    assert_false(ag_op_text_valid("a\0b", 3));
    assert_fails(t, ag_custom_op(B, AG_STR("--"), 0, 0, NULL, ID, ID), ARGUMENT, "'--' is no operator");
    assert_fails(t, ag_custom_op(B, AG_STR("@"), 101, 0, NULL, ID, ID), ARGUMENT, "precedence");
    assert_int_equal(ag_custom_op(B, AG_STR("@"), 0, 0, NULL, NAME, ID)->type->id, AG_TYPE_STRING);
    assert_int_equal(ag_custom_op(B, AG_STR("@"), 0, AG_BINARY_BOOL, NULL, NAME, ID)->type->id, AG_TYPE_BOOLEAN);
}

static const ag_node *fn(tree *t, const char *name, const ag_node *arg)
{
    return ag_func(B, NULL, 0, tree_str(name), &arg, arg ? 1 : 0, NULL, 0);
}

static void known_functions_have_types(void **state)
{
    tree *t = *state;
    assert_dump(t, fn(t, "count", NULL), "(func count id=10 args[(star)])");
    assert_int_equal(fn(t, "COUNT", AGE)->type->id, AG_TYPE_INTEGER);
    assert_int_equal(fn(t, "max", NAME)->type->id, AG_TYPE_STRING);
    assert_int_equal(fn(t, "now", NULL)->type->id, AG_TYPE_DATETIME);
    assert_int_equal(fn(t, "lower", NAME)->type->id, AG_TYPE_NULL);
    const ag_node *args[] = {ag_null_new(B), AGE};
    assert_int_equal(ag_func(B, NULL, 0, AG_STR("coalesce"), args, 2, NULL, 0)->type->id, AG_TYPE_INTEGER);
    const ag_node *agg = fn(t, "array_agg", AGE);
    assert_int_equal(agg->type->id, AG_TYPE_ARRAY);
    assert_int_equal(agg->type->item->id, AG_TYPE_INTEGER);
    assert_true(fn(t, "current_date", NULL)->flags & AG_FUNC_ANSI);
    const ag_str pkg = AG_STR("my");
    assert_int_equal(ag_func(B, &pkg, 1, AG_STR("count"), NULL, 0, NULL, 0)->type->id, AG_TYPE_NULL);
    assert_int_equal(
        ag_within_group(B, fn(t, "percentile_cont", AGE), (const ag_node *[]){ag_unary(B, AG_OP_DESC, NAME)}, 1)
            ->type->id,
        AG_TYPE_STRING);
    assert_fails(t, fn(t, "char_length", NULL), ARGUMENT, "one argument");
    assert_fails(t, fn(t, "", NULL), IDENTIFIER, "function name");
}

static void windows_and_filters(void **state)
{
    tree *t = *state;
    const ag_node *part = NAME, *order = ag_unary(B, AG_OP_DESC, ID), *value = NULL;
    ag_window w = {.partition_by = &part, .npartition = 1, .order_by = &order, .norder = 1, .frame = AG_FRAME_ROWS};
    w.lower = ag_bound_of_int(B, -3, &value);
    w.lower_value = value;
    w.upper = AG_BOUND_CURRENT;
    const ag_node *e = ag_over(B, fn(t, "row_number", NULL), &w);
    assert_dump(
        t, e,
        "(over (func row_number) partition_by[users.name] order_by[(unary.desc users.id)] frame=1 lower=2 upper=1 "
        "(bind param 3))");
    assert_int_equal(ag_bound_of_int(B, 0, &value), AG_BOUND_CURRENT);
    assert_null(value);
    assert_int_equal(ag_bound_of_int(B, 4, &value), AG_BOUND_FOLLOWING);
    w.lower_value = NULL;
    assert_fails(t, ag_over(B, ID, &w), ARGUMENT, "needs a value");
    const ag_window bad = {.exclude = AG_EXCLUDE_TIES};
    assert_fails(t, ag_over(B, ID, &bad), ARGUMENT, "'exclude'");
    const ag_node *c1 = tree_eq(t, ID, 1), *c2 = tree_eq(t, AGE, 2);
    const ag_node *f = ag_filter(B, ag_filter(B, fn(t, "count", ID), &c1, 1), &c2, 1);
    assert_dump(t, f,
                "(filter (func count id=10 args[users.id]) (list.and_ items[(binary.eq users.id (bind id 1)) "
                "(binary.eq users.age (bind age 2))]))");
    assert_fails(t, ag_within_group(B, fn(t, "mode", NULL), NULL, 0), ARGUMENT, "at least one");
    assert_fails(t, ag_func_comparison(B, fn(t, "f", ID), 1, 2), ARGUMENT, "as_comparison");
}

static void case_cast_extract_label(void **state)
{
    tree *t = *state;
    const ag_value one = ag_value_int(1);
    const ag_node *lit = ag_literal(B, &one, NULL, false),
                  *whens[] = {tree_eq(t, ID, 1), ag_null_new(B), tree_eq(t, ID, 2), NAME};
    assert_int_equal(ag_case(B, NULL, whens, 2, lit)->type->id, AG_TYPE_STRING);
    assert_int_equal(ag_case(B, NULL, whens, 1, lit)->type->id, AG_TYPE_INTEGER);
    assert_fails(t, ag_case(B, NULL, NULL, 0, lit), ARGUMENT, "at least one");
    const ag_node *c = ag_cast(B, AG_K_CAST, lit, ag_type_plain(AG_TYPE_NUMERIC));
    assert_int_equal(AG_AS(cast, CAST, c)->operand->type->id, AG_TYPE_NUMERIC); /* the value takes the type */
    c = ag_cast(B, AG_K_CAST, lit, ag_type_plain(AG_TYPE_STRING));
    assert_int_equal(AG_AS(cast, CAST, c)->operand->type->id, AG_TYPE_INTEGER); /* it is none: the database converts */
    assert_dump(t, ag_extract(B, AG_STR("year"), NAME), "(extract year users.name)");
    assert_fails(t, ag_extract(B, AG_STR("yaer"), NAME), ARGUMENT, "did you mean 'year'");
    const ag_node *l = ag_label(B, ag_label(B, AGE, AG_STR("a")), AG_STR("b"));
    assert_dump(t, l, "(label b users.age)");
    assert_dump(t, ag_label(B, AGE, NO_STR), "(label age users.age)");
    assert_dump(t, ag_label(B, fn(t, "lower", NAME), NO_STR), "(label lower (func lower args[users.name]))");
    assert_fails(t, ag_label(B, AGE, AG_STR("")), IDENTIFIER, "label");
    assert_fails(t, ag_column_clause(B, (ag_str){"a\0b", 3}, NULL, false), IDENTIFIER, "NUL");
    assert_fails(t, ag_column_clause(B, (ag_str){"\xff", 1}, NULL, false), IDENTIFIER, "UTF-8");
}

static void selects_become_scalar_subqueries(void **state)
{
    tree *t = *state;
    const ag_node *s = tree_select(t, fn(t, "max", AGE), NULL);
    const ag_node *e = tree_bin(t, AG_OP_EQ, AGE, s);
    assert_dump(
        t, e, "(binary.eq users.age (scalar_select (select columns[(func max id=2 args[users.age])] label_style=1)))");
    assert_int_equal(ag_scalar_select(B, s)->type->id, AG_TYPE_INTEGER);
    assert_fails(t, tree_bin(t, AG_OP_EQ, AGE, TABLE(t->users)), ARGUMENT, "not a table");
    assert_fails(t, ag_scalar_select(B, AGE), ARGUMENT, "a select is expected");
    assert_fails(t, ag_exists(B, AGE), ARGUMENT, "exists needs");
}

typedef struct terms {
    size_t n;
    const ag_node *last;
} terms;

static bool count_term(void *ud, const ag_node *term)
{
    terms *c = ud;
    c->n++;
    c->last = term;
    return true;
}

static void chains_are_opened_in_order(void **state)
{
    tree *t = *state;
    terms c = {0};
    const ag_node *last = tree_eq(t, AGE, 9), *chain = tree_eq(t, ID, 0);
    for (int i = 0; i < 20000; i++)
        chain = tree_bin(t, AG_OP_OR, chain, tree_eq(t, ID, i));
    chain = tree_bin(t, AG_OP_OR, chain, tree_bin(t, AG_OP_OR, tree_eq(t, ID, 1), last));
    assert_int_equal(ag_chain_each(chain, AG_OP_OR, count_term, &c, t->alloc, &t->err), AG_OK);
    assert_int_equal(c.n, 20003);
    assert_ptr_equal(c.last, last);
}

static ag_status build_expressions(const ag_alloc *a, void *ud)
{
    tree tt, *t = &tt;
    ag_status st = AG_NOMEM;
    (void)ud;
    if (tree_init(t, a)) {
        const ag_value v[3] = {ag_value_int(1), ag_value_int(2), ag_value_text("50%", 3)};
        const ag_node *id = t->users.cols[0].node, *name = t->users.cols[1].node,
                      *order = ag_unary(B, AG_OP_DESC, name);
        const ag_node *in = ag_binary(B, AG_OP_IN, id, ag_in_list(B, id, v, 2));
        const ag_node *like = ag_binary_with(B, AG_OP_CONTAINS, name, ag_operand(B, name, AG_OP_CONTAINS, &v[2]),
                                             &(ag_binary_opts){.autoescape = true});
        const ag_node *text = ag_text(B, AG_STR("x = :a OR y = :b"));
        const ag_node *items[] = {ag_not(B, in), like, text};
        const ag_node *all = ag_bool_list(B, AG_OP_AND, items, 3);
        const ag_node *agg = ag_func(B, NULL, 0, AG_STR("array_agg"), &id, 1, NULL, 0);
        const ag_window w = {.order_by = &order, .norder = 1};
        const ag_node *f = agg ? ag_filter(B, agg, &all, 1) : NULL, *over = f ? ag_over(B, f, &w) : NULL;
        terms c = {0};
        if (over && ag_chain_each(all, AG_OP_AND, count_term, &c, a, &t->err) == AG_OK && c.n == 3)
            st = AG_OK;
    }
    tree_clear(t);
    return st;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    sweep_run(build_expressions, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(operators_have_types),
        TEST(plus_concatenates_strings),
        TEST(values_take_the_type_beside_them),
        TEST(null_folds),
        TEST(and_or_fold_constants),
        TEST(negation_rules),
        TEST(any_and_all_change_sides),
        TEST(json_parts),
        TEST(like_escapes),
        TEST(in_takes_lists_selects_and_tuples),
        TEST(custom_operators_are_checked),
        TEST(known_functions_have_types),
        TEST(windows_and_filters),
        TEST(case_cast_extract_label),
        TEST(selects_become_scalar_subqueries),
        TEST(chains_are_opened_in_order),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests_name("expr", tests, NULL, NULL);
}

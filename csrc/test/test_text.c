/* text(): which colons are placeholders. */
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

#define B (&t->b)

/* The SQL with placeholders as {name}. */
static const char *marked(tree *t, const char *sql)
{
    const ag_node *n = ag_text(B, tree_str(sql));
    if (!n)
        return tree_error(t);
    const ag_n_text *x = AG_AS(text, TEXT, n);
    ag_str text = ag_nstr_get(x, x->text);
    size_t at = 0;
    ag_buf_reset(&t->text);
    ag_buf_str(&t->text, "");
    for (uint32_t i = 0; i < x->places.n; i++) {
        uint32_t place = ag_nints_at(x, x->places, i);
        const ag_n_bind *b = AG_AS(bind, BIND, ag_nlist_at(x, x->binds, i));
        assert_true(place >= at && place <= text.n);
        ag_buf_add(&t->text, text.p + at, place - at);
        ag_buf_printf(&t->text, "{%s}", ag_nstr_get(b, b->key).p);
        at = place;
    }
    ag_buf_add(&t->text, text.p + at, text.n - at);
    return t->text.data;
}

static void placeholders_are_found(void **state)
{
    tree *t = *state;
    static const char *const cases[][2] = {
        {"select 1", "select 1"},
        {"", ""},
        {":a", "{a}"},
        {"x=:a and y=:b_2", "x={a} and y={b_2}"},
        {"(:a,:b)", "({a},{b})"},
        {":a::int", "{a}::int"},
        {"x::int", "x::int"},
        {"a[1:2]", "a[1:2]"},
        {"x := 5", "x := 5"},
        {"x:=:a", "x:={a}"},
        {"'12:30' :a", "'12:30' {a}"},
        {"12:30", "12:30"},
        {"\\:a", ":a"},
        {"x\\:\\:int", "x::int"},
        {"'it''s :no' :a", "'it''s :no' {a}"},
        {"E'\\' :no' :a", "E'\\' :no' {a}"},
        {"e'\\\\' :a", "e'\\\\' {a}"},
        {"like'\\' :a", "like'\\' {a}"},
        {"'\\' :a", "'\\' {a}"},
        {"\"col:no\" :a", "\"col:no\" {a}"},
        {"\"a\"\":no\" :a", "\"a\"\":no\" {a}"},
        {"$$ :no $$ :a", "$$ :no $$ {a}"},
        {"$t$ :no $$ :no $t$ :a", "$t$ :no $$ :no $t$ {a}"},
        {"$1 :a", "$1 {a}"},
        {"a$b$ :a", "a$b$ {a}"},
        {"-- :no\n:a", "-- :no\n{a}"},
        {"/* :no */ :a", "/* :no */ {a}"},
        {"/* /* */ :no */ :a", "/* /* */ :no */ {a}"},
        {"a - -:a", "a - -{a}"},
        {"a / :a * :b", "a / {a} * {b}"},
        {"'open :no", "'open :no"},
        {"/* open :no", "/* open :no"},
        {"$x$ open :no", "$x$ open :no"},
        {"-- open :no", "-- open :no"},
        {":", ":"},
        {"::", "::"},
        {":a :a", "{a} {a}"},
        {":größe", "{größe}"},
        {":a:b", "{a}:b"},
        {"\\", "\\"},
        {"'a\\:b'", "'a\\:b'"},
        {"{\"a\": :b}", "{\"a\": {b}}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(marked(t, cases[i][0]), cases[i][1]);
}

static void tokens_follow_one_another(void **state)
{
    (void)state;
    const char sql[] = "a :b 'c' \\: -- d";
    static const ag_text_kind kinds[] = {AG_TEXT_PLAIN, AG_TEXT_BIND,   AG_TEXT_PLAIN, AG_TEXT_QUOTED,
                                         AG_TEXT_PLAIN, AG_TEXT_ESCAPE, AG_TEXT_PLAIN, AG_TEXT_QUOTED};
    size_t pos = 0, i = 0, end;
    for (; pos < sizeof sql - 1; pos = end, i++)
        assert_int_equal(ag_text_token(sql, sizeof sql - 1, pos, &end), kinds[i]);
    assert_int_equal(i, 8);
}

static void one_bind_a_name(void **state)
{
    tree *t = *state;
    const ag_n_text *x = AG_AS(text, TEXT, ag_text(B, AG_STR(":a :b :a")));
    assert_int_equal(x->binds.n, 3);
    assert_ptr_equal(ag_nlist_at(x, x->binds, 0), ag_nlist_at(x, x->binds, 2));
    assert_true(ag_nlist_at(x, x->binds, 0)->flags & AG_BIND_REQUIRED);
    const ag_value v = ag_value_int(7);
    const ag_bind_spec spec = {.key = AG_STR("a"), .value = &v}, wrong = {.key = AG_STR("aa"), .value = &v};
    const ag_node *bind = ag_bind(B, &spec), *bad = ag_bind(B, &wrong);
    const ag_n_text *y = AG_AS(text, TEXT, ag_text_bindparams(B, &x->node, &bind, 1));
    assert_ptr_equal(ag_nlist_at(y, y->binds, 0), bind);
    assert_ptr_equal(ag_nlist_at(y, y->binds, 2), bind);
    assert_fails(t, ag_text_bindparams(B, &x->node, &bad, 1), ARGUMENT, "named 'aa' (did you mean 'a'?)");
    assert_fails(t, ag_text_bindparams(B, bind, &bind, 1), ARGUMENT, "not for a bind");
}

static void bad_text_is_refused(void **state)
{
    tree *t = *state;
    assert_fails(t, ag_text(B, (ag_str){"a\0b", 3}), ARGUMENT, "NUL");
    assert_fails(t, ag_text(B, AG_STR("\xff")), ARGUMENT, "UTF-8");
}

static void columns_make_it_selectable(void **state)
{
    tree *t = *state;
    const ag_node *c = ag_column_clause(B, AG_STR("n"), ag_type_plain(AG_TYPE_INTEGER), false);
    const ag_node *s = ag_text_columns(B, ag_text(B, AG_STR("select 1 as n")), &c, 1, true);
    assert_true(s->flags & AG_TEXT_SELECT_POSITIONAL);
    assert_int_equal(ag_stmt_column_count(s), 1);
    const ag_node *sub = ag_subquery(B, s, AG_STR("q"));
    assert_dump(t, tree_c(t, sub, "n"), "q.n");
    assert_int_equal(tree_c(t, sub, "n")->type->id, AG_TYPE_INTEGER);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(placeholders_are_found),
        cmocka_unit_test(tokens_follow_one_another),
        TEST(one_bind_a_name),
        TEST(bad_text_is_refused),
        TEST(columns_make_it_selectable),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}

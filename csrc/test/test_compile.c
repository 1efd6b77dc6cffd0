/* The compiler: text per dialect, placeholders, binds, the result map, facts of DML, the cache, failing memory. The bulk of the SQL is
 * in spec/golden; here is what a text does not show. */
#include "compile/dialect.h"
#include "test/sweep.h"
#include "test/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

#define B    (&t->b)
#define U(k) tree_col(&t->users, k)
#define A(k) tree_col(&t->addresses, k)

static ag_compiled *compile(tree *t, const ag_dialect *d, const ag_node *n, const ag_compile_options *o)
{
    ag_compiled *c;
    ag_binds binds;
    ag_vec_init(&binds, ag_alloc_libc());
    assert_non_null(n);
    ag_status st = ag_compile(&c, &binds, d, n, o, NULL, ag_alloc_libc(), &t->err);
    if (st != AG_OK)
        print_error("%s\n", ag_error_message(&t->err));
    ag_vec_clear(&binds);
    assert_int_equal(st, AG_OK);
    return c;
}

static void expect_text(tree *t, const ag_dialect *d, const ag_node *n, const char *text)
{
    ag_compiled *c = compile(t, d, n, NULL);
    assert_string_equal(c->text.p, text);
    ag_compiled_unref(c);
}

static void expect_error(tree *t, const ag_dialect *d, const ag_node *n, ag_exc cls)
{
    ag_compiled *c;
    ag_binds binds;
    ag_vec_init(&binds, ag_alloc_libc());
    assert_int_equal(ag_compile(&c, &binds, d, n, NULL, NULL, ag_alloc_libc(), &t->err), AG_ERROR);
    assert_int_equal(t->err.cls, cls);
    assert_null(c);
    ag_error_clear(&t->err);
    ag_vec_clear(&binds);
}

static const ag_node *eq(tree *t, const ag_node *col, int64_t v)
{
    return tree_bin(t, AG_OP_EQ, col, tree_int(t, col, AG_OP_EQ, v));
}

static const ag_node *where(tree *t, const ag_node *s, const ag_node *condition)
{
    return ag_stmt_add(B, s, AG_CL_WHERE, &condition, 1, true);
}

static void placeholders_follow_the_dialect(void **state)
{
    tree *t = *state;
    const ag_node *s = where(t, tree_select(t, U("id"), NULL),
                             ag_bool_list(B, AG_OP_OR, (const ag_node *[]){eq(t, U("id"), 5), eq(t, U("age"), 6)}, 2));
    expect_text(t, ag_dialect_sqlite(), s, "SELECT users.id FROM users WHERE users.id = ? OR users.age = ?");
    expect_text(t, ag_dialect_postgresql(), s, "SELECT users.id FROM users WHERE users.id = $1 OR users.age = $2");
    expect_text(t, ag_dialect_ansi(), s, "SELECT users.id FROM users WHERE users.id = :id_1 OR users.age = :age_1");
}

/* The server can tell that both are one expression only when they are one placeholder. */
static void one_bind_is_one_number(void **state)
{
    tree *t = *state;
    const ag_node *sum = tree_bin(t, AG_OP_ADD, U("age"), tree_int(t, U("age"), AG_OP_ADD, 1));
    const ag_node *s = ag_stmt_add(B, tree_select(t, sum, NULL), AG_CL_GROUP_BY, &sum, 1, true);
    ag_compiled *c = compile(t, ag_dialect_postgresql(), s, NULL);
    assert_string_equal(c->text.p, "SELECT users.age + $1 AS anon_1 FROM users GROUP BY users.age + $1");
    assert_int_equal(c->npositions, 1);
    ag_compiled_unref(c);
    c = compile(t, ag_dialect_sqlite(), s, NULL);
    assert_string_equal(c->text.p, "SELECT users.age + ? AS anon_1 FROM users GROUP BY users.age + ?");
    assert_int_equal(c->npositions, 2);
    assert_int_equal(c->nbinds, 1);
    assert_int_equal(c->binds[0].source, AG_SOURCE_TREE);
    ag_compiled_unref(c);
}

static void the_result_map_knows_columns(void **state)
{
    tree *t = *state;
    const ag_node *s = tree_select(t, U("id"), A("id"), U("name"), NULL);
    ag_compiled *c = compile(t, ag_dialect_sqlite(), s, NULL);
    assert_string_equal(c->text.p, "SELECT users.id, addresses.id AS id_1, users.name FROM users, addresses");
    assert_int_equal(c->ncolumns, 3);
    assert_string_equal(c->columns[1].key.p, "id_1");
    assert_int_equal(c->columns[1].table, AG_AS(column, COLUMN, A("id"))->table->serial);
    assert_int_equal(c->columns[2].item, 2);
    assert_true(c->flags & AG_COMPILED_RETURNS_ROWS);
    ag_compiled_unref(c);
}

static void facts_of_an_insert(void **state)
{
    tree *t = *state;
    t->users.t.autoincrement_column = t->users.ptrs[0];
    t->users.t.implicit_returning = true;
    const ag_node *ins = ag_insert(B, TABLE(t->users)), *col = U("name");
    ag_value v = ag_value_text("ann", 3);
    const ag_node *value = ag_dml_value(B, col, &v);
    ins = ag_dml_values(B, ins, &col, &value, 1);
    ag_compiled *c = compile(t, ag_dialect_sqlite(), ins, NULL);
    assert_string_equal(c->text.p, "INSERT INTO users (name) VALUES (?)");
    assert_non_null(c->dml);
    assert_true(c->dml->lastrowid);
    assert_int_equal(c->dml->values_at, strlen("INSERT INTO users (name) VALUES "));
    assert_int_equal(c->dml->values_len, 3);
    assert_int_equal(c->dml->values_count, 1);
    ag_compiled_unref(c);
    c = compile(t, ag_dialect_postgresql(), ins, NULL);
    assert_string_equal(c->text.p, "INSERT INTO users (name) VALUES ($1) RETURNING users.id");
    assert_int_equal(c->dml->returning, AG_RETURNING_IMPLICIT);
    assert_int_equal(c->dml->nimplicit_returning, 1);
    ag_compiled_unref(c);
}

static void keys_of_the_call(void **state)
{
    tree *t = *state;
    const ag_str keys[] = {AG_STR("age"), AG_STR("name")}, wrong[] = {AG_STR("nmae")};
    ag_compile_options o = {.column_keys = keys, .ncolumn_keys = 2, .for_executemany = true};
    const ag_node *ins = ag_insert(B, TABLE(t->users));
    ag_compiled *c = compile(t, ag_dialect_postgresql(), ins, &o);
    assert_string_equal(c->text.p, "INSERT INTO users (name, age) VALUES ($1, $2)");
    assert_int_equal(c->binds[c->positions[0].bind].source, AG_SOURCE_PARAMETER);
    ag_compiled_unref(c);
    o.column_keys = wrong;
    o.ncolumn_keys = 1;
    ag_binds binds;
    ag_vec_init(&binds, ag_alloc_libc());
    assert_int_equal(ag_compile(&c, &binds, ag_dialect_sqlite(), ins, &o, NULL, ag_alloc_libc(), &t->err), AG_ERROR);
    assert_string_equal(ag_error_message(&t->err), "Unconsumed column names: nmae (did you mean 'name'?)");
    ag_error_clear(&t->err);
    ag_vec_clear(&binds);
}

static void schemas_are_translated(void **state)
{
    tree *t = *state;
    const ag_translate map[] = {{{NULL, 0}, AG_STR("tenant")}};
    const ag_compile_options o = {.translate = map, .ntranslate = 1};
    ag_compiled *c = compile(t, ag_dialect_sqlite(), tree_select(t, U("id"), NULL), &o);
    assert_string_equal(c->text.p, "SELECT tenant.users.id FROM tenant.users");
    ag_compiled_unref(c);
}

static void long_chains_compile(void **state)
{
    tree *t = *state;
    const ag_node *all = eq(t, U("id"), 0);
    for (int i = 1; i < 100000; i++)
        all = ag_bool_list(B, AG_OP_AND, (const ag_node *[]){all, eq(t, U("id"), i)}, 2);
    ag_compiled *c = compile(t, ag_dialect_postgresql(), where(t, tree_select(t, U("id"), NULL), all), NULL);
    assert_int_equal(c->npositions, 100000);
    ag_compiled_unref(c);
}

static const ag_node *in_list(tree *t, size_t n)
{
    ag_value *v = test_calloc(n, sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = ag_value_int((int64_t)i);
    const ag_node *list = ag_in_list(B, U("id"), v, n);
    test_free(v);
    return where(t, tree_select(t, U("id"), NULL), ag_binary(B, AG_OP_IN, U("id"), list));
}

static void long_in_lists_are_arrays(void **state)
{
    tree *t = *state;
    expect_text(t, ag_dialect_postgresql(), in_list(t, 3), "SELECT users.id FROM users WHERE users.id IN ($1, $2, $3)");
    expect_text(t, ag_dialect_postgresql(), in_list(t, 1001), "SELECT users.id FROM users WHERE users.id = ANY($1)");
    expect_text(t, ag_dialect_sqlite(), in_list(t, 1001),
                "SELECT users.id FROM users WHERE users.id IN (SELECT value FROM json_each(?))");
}

static void names_are_checked(void **state)
{
    tree *t = *state;
    char name[65];
    memset(name, 'x', 64);
    name[64] = '\0';
    const ag_node *s = tree_select(t, ag_label(B, U("id"), (ag_str){name, 64}), NULL);
    expect_error(t, ag_dialect_postgresql(), s, AG_EXC_IDENTIFIER);
    ag_buf out;
    ag_buf_init(&out, ag_alloc_libc());
    assert_int_equal(ag_quote_identifier(&out, ag_dialect_sqlite(), (ag_str){"a\0b", 3}, -1, &t->err), AG_ERROR);
    assert_int_equal(ag_quote_identifier(&out, ag_dialect_sqlite(), AG_STR("\xff"), -1, &t->err), AG_ERROR);
    assert_int_equal(ag_quote_identifier(&out, ag_dialect_sqlite(), AG_STR(""), -1, &t->err), AG_ERROR);
    ag_buf_reset(&out);
    assert_int_equal(ag_quote_identifier(&out, ag_dialect_sqlite(), AG_STR("a\"b"), -1, &t->err), AG_OK);
    assert_int_equal(ag_quote_identifier(&out, ag_dialect_sqlite(), AG_STR("select"), -1, &t->err), AG_OK);
    assert_int_equal(ag_quote_identifier(&out, ag_dialect_sqlite(), AG_STR("plain"), 1, &t->err), AG_OK);
    assert_int_equal(ag_quote_identifier(&out, ag_dialect_sqlite(), AG_STR("Mixed"), 0, &t->err), AG_OK);
    assert_string_equal(out.data, "\"a\"\"b\"\"select\"\"plain\"Mixed");
    ag_error_clear(&t->err);
    ag_buf_clear(&out);
}

static void expect_literal(tree *t, const ag_dialect *d, ag_value v, ag_type_id type, const char *text)
{
    ag_buf out;
    ag_buf_init(&out, ag_alloc_libc());
    ag_status st = ag_literal_sql(&out, d, &v, ag_type_plain(type), NULL, ag_alloc_libc(), &t->err);
    if (text)
        assert_string_equal(st == AG_OK ? out.data : ag_error_message(&t->err), text);
    else
        assert_int_equal(st, AG_ERROR);
    ag_error_clear(&t->err);
    ag_buf_clear(&out);
}

static void literals_are_safe(void **state)
{
    tree *t = *state;
    const ag_dialect *s = ag_dialect_sqlite(), *p = ag_dialect_postgresql();
    expect_literal(t, s, ag_value_int(-5), AG_TYPE_INTEGER, "(-5)");
    expect_literal(t, s, ag_value_float(-1.5), AG_TYPE_FLOAT, "(-1.5)");
    expect_literal(t, s, ag_value_float(0.0 / 0.0), AG_TYPE_FLOAT, NULL);
    expect_literal(t, p, ag_value_float(0.0 / 0.0), AG_TYPE_FLOAT, "'NaN'::float8");
    expect_literal(t, p, ag_value_float(1e308 * 10), AG_TYPE_FLOAT, "'Infinity'::float8");
    expect_literal(t, s, ag_value_text("it's", 4), AG_TYPE_STRING, "'it''s'");
    expect_literal(t, s, ag_value_text("a\\b", 3), AG_TYPE_STRING, "'a\\b'");
    expect_literal(t, p, ag_value_text("a\\'b", 4), AG_TYPE_STRING, "E'a\\\\''b'");
    expect_literal(t, p, ag_value_text("a\0b", 3), AG_TYPE_STRING, NULL);
    expect_literal(t, p, ag_value_text("\xc3", 1), AG_TYPE_STRING, NULL);
    expect_literal(t, p, ag_value_bool(true), AG_TYPE_BOOLEAN, "true");
    expect_literal(t, s, ag_value_bool(true), AG_TYPE_BOOLEAN, "1");
    expect_literal(t, s, ag_value_bytes(AG_V_BYTES, "\x01\xff", 2), AG_TYPE_LARGEBINARY, "X'01ff'");
    expect_literal(t, p, ag_value_bytes(AG_V_BYTES, "\x01\xff", 2), AG_TYPE_LARGEBINARY, "E'\\\\x01ff'::bytea");
    expect_literal(t, p, ag_value_bytes(AG_V_DECIMAL, "-1.50", 5), AG_TYPE_NUMERIC, "(-1.50)");
    expect_literal(t, p, ag_value_bytes(AG_V_DECIMAL, "1;drop", 6), AG_TYPE_NUMERIC, NULL);
    expect_literal(t, p, ag_value_null(), AG_TYPE_STRING, "NULL");
}

static void paths(void **state)
{
    tree *t = *state;
    const ag_value v[] = {ag_value_text("a\"b", 3), ag_value_int(2), ag_value_int(-1),
                          ag_value_bytes(AG_V_JSON, "[\"a\", 1, \"\\u00e9\"]", 18), ag_value_bytes(AG_V_JSON, "{}", 2)};
    const char *dollar[] = {"$.\"a\\\"b\"", "$[2]", "$[#-1]", "$.\"a\"[1].\"\xc3\xa9\"", NULL};
    const char *braces[] = {"{\"a\\\"b\"}", "{2}", "{-1}", "{\"a\",1,\"\xc3\xa9\"}", NULL};
    for (size_t i = 0; i < 5; i++) {
        for (int form = AG_PATH_DOLLAR; form <= AG_PATH_BRACES; form++) {
            const char *want = (form == AG_PATH_DOLLAR ? dollar : braces)[i];
            ag_buf out;
            ag_buf_init(&out, ag_alloc_libc());
            ag_status st = ag_json_path_write(&out, (ag_path_form)form, &v[i], &t->err);
            assert_int_equal(st, want ? AG_OK : AG_ERROR);
            if (want)
                assert_string_equal(out.data, want);
            ag_error_clear(&t->err);
            ag_buf_clear(&out);
        }
    }
}

/* ---- pieces ---- */

static uint32_t three(void *ud, uint32_t bind)
{
    (void)bind;
    return *(uint32_t *)ud;
}
static ag_status nth(void *ud, uint32_t bind, uint32_t member, ag_value *out, ag_error *err)
{
    (void)ud, (void)bind, (void)err;
    *out = ag_value_int(member);
    return AG_OK;
}

static void pieces_are_finished_for_each_call(void **state)
{
    tree *t = *state;
    const ag_bind_spec spec = {
        .key = AG_STR("ids"), .type = ag_type_plain(AG_TYPE_INTEGER), .flags = AG_BIND_EXPANDING};
    const ag_node *both = ag_bool_list(
        B, AG_OP_AND, (const ag_node *[]){ag_binary(B, AG_OP_IN, U("id"), ag_bind(B, &spec)), eq(t, U("age"), 1)}, 2);
    ag_compiled *c = compile(t, ag_dialect_postgresql(), where(t, tree_select(t, U("id"), NULL), both), NULL);
    assert_string_equal(c->text.p, "SELECT users.id FROM users WHERE users.id IN  AND users.age = $1");
    assert_int_equal(c->npieces, 1);
    const char *want[] = {"SELECT users.id FROM users WHERE users.id IN (NULL) AND (1 != 1) AND users.age = $1",
                          "SELECT users.id FROM users WHERE users.id IN ($1, $2) AND users.age = $3"};
    for (uint32_t n = 0; n <= 2; n += 2) {
        const ag_expand_values values = {&n, three, nth};
        const ag_position *positions;
        uint32_t npositions;
        ag_buf text;
        ag_buf_init(&text, ag_alloc_libc());
        assert_int_equal(ag_compiled_expand(c, &values, NULL, &text, &positions, &npositions, &t->arena, &t->err),
                         AG_OK);
        assert_string_equal(text.data, want[n / 2]);
        assert_int_equal(npositions, n + 1);
        ag_buf_clear(&text);
    }
    ag_compiled_unref(c);
}

/* ---- the cache ---- */

static const ag_node *by_id(tree *t, int64_t id)
{
    return where(t, tree_select(t, U("id"), U("name"), NULL), eq(t, U("id"), id));
}

static void the_cache_finds_equal_statements(void **state)
{
    tree *t = *state;
    ag_cache *cache;
    ag_cache_stats stats;
    ag_binds binds;
    ag_cache_outcome how;
    ag_compiled *a, *b;
    ag_vec_init(&binds, ag_alloc_libc());
    assert_int_equal(ag_cache_new(&cache, ag_alloc_libc(), 2, 0, &t->err), AG_OK);
    assert_int_equal(ag_compile_cached(&a, &binds, cache, ag_dialect_sqlite(), by_id(t, 1), NULL, NULL, ag_alloc_libc(),
                                       &how, &t->err),
                     AG_OK);
    assert_int_equal(how, AG_CACHE_MISS);
    assert_int_equal(ag_compile_cached(&b, &binds, cache, ag_dialect_sqlite(), by_id(t, 2), NULL, NULL, ag_alloc_libc(),
                                       &how, &t->err),
                     AG_OK);
    assert_int_equal(how, AG_CACHE_HIT);
    assert_ptr_equal(a, b);
    assert_int_equal(binds.len, 1);
    ag_value v;
    ag_nval_get(&v, binds.items[0], &binds.items[0]->value);
    assert_int_equal(v.u.i, 2);
    ag_compiled_unref(a);
    ag_compiled_unref(b);
    for (int i = 0; i < 3; i++) {
        const ag_node *s = i == 0   ? tree_select(t, U("id"), NULL)
                           : i == 1 ? tree_select(t, U("age"), NULL)
                                    : in_list(t, 2);
        assert_int_equal(
            ag_compile_cached(&a, &binds, cache, ag_dialect_sqlite(), s, NULL, NULL, ag_alloc_libc(), &how, &t->err),
            AG_OK);
        ag_compiled_unref(a);
    }
    ag_cache_get_stats(cache, &stats);
    assert_int_equal(stats.entries, 2);
    assert_int_equal(stats.evictions, 2);
    assert_int_equal(stats.hits, 1);
    assert_int_equal(stats.misses, 4);
    ag_cache_free(cache);
    ag_vec_clear(&binds);
}

/* ---- failing memory ---- */

static ag_status cached_work(const ag_alloc *alloc, void *ud)
{
    const ag_node *stmt = ud;
    ag_cache *cache;
    ag_compiled *c = NULL;
    ag_binds binds;
    ag_error err;
    ag_error_init(&err, alloc);
    ag_vec_init(&binds, alloc);
    ag_status st = ag_cache_new(&cache, alloc, 10, 0, &err);
    for (int i = 0; i < 2 && st == AG_OK; i++) {
        st = ag_compile_cached(&c, &binds, cache, i ? ag_dialect_postgresql() : ag_dialect_sqlite(), stmt, NULL, NULL,
                               alloc, NULL, &err);
        ag_compiled_unref(c);
    }
    ag_cache_free(cache);
    ag_vec_clear(&binds);
    ag_error_clear(&err);
    return st;
}

static void memory_may_run_out(void **state)
{
    tree *t = *state;
    const ag_node *inner = ag_cte(B, by_id(t, 3), AG_STR("c"), 0),
                  *sub = ag_subquery(B, tree_select(t, ag_from_colref(B, inner, 0), NULL), (ag_str){0});
    const ag_node *item = ag_from_colref(B, sub, 0);
    const ag_node *s = where(
        t, tree_select(t, item, U("id"), U("id"), NULL),
        ag_binary(B, AG_OP_IN, U("id"), ag_in_list(B, U("id"), (ag_value[]){ag_value_int(1), ag_value_int(2)}, 2)));
    s = ag_stmt_limit(B, s, AG_LIMIT, ag_limit_bind(B, 4), 0);
    s = ag_stmt_add(B, s, AG_CL_ORDER_BY, &item, 1, true);
    sweep_run(cached_work, (void *)(uintptr_t)s);
    const ag_node *col = U("name");
    ag_value v = ag_value_text("ann", 3);
    const ag_node *value = ag_dml_value(B, col, &v), *id = U("id");
    const ag_node *ins = ag_dml_values(B, ag_insert(B, TABLE(t->users)), &col, &value, 1);
    sweep_run(cached_work, (void *)(uintptr_t)ins);
    const ag_node *up = where(t, ag_dml_values(B, ag_update(B, TABLE(t->users)), &col, &value, 1),
                              tree_bin(t, AG_OP_EQ, A("user_id"), U("id")));
    sweep_run(cached_work, (void *)(uintptr_t)ag_dml_returning(B, up, &id, 1, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(placeholders_follow_the_dialect, setup, teardown),
        cmocka_unit_test_setup_teardown(one_bind_is_one_number, setup, teardown),
        cmocka_unit_test_setup_teardown(the_result_map_knows_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(facts_of_an_insert, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_of_the_call, setup, teardown),
        cmocka_unit_test_setup_teardown(schemas_are_translated, setup, teardown),
        cmocka_unit_test_setup_teardown(long_chains_compile, setup, teardown),
        cmocka_unit_test_setup_teardown(long_in_lists_are_arrays, setup, teardown),
        cmocka_unit_test_setup_teardown(names_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(literals_are_safe, setup, teardown),
        cmocka_unit_test_setup_teardown(paths, setup, teardown),
        cmocka_unit_test_setup_teardown(pieces_are_finished_for_each_call, setup, teardown),
        cmocka_unit_test_setup_teardown(the_cache_finds_equal_statements, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_may_run_out, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

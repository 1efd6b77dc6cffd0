/* The parser of SQLite's CREATE texts: what each form of the grammar gives, and what is refused. */
#include "compile/dialect.h"
#include "test/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static ag_arena arena;

static int setup(void **state)
{
    (void)state;
    ag_arena_init(&arena, ag_alloc_libc());
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ag_arena_clear(&arena);
    return 0;
}

static const ag_created *parse(const char *sql)
{
    ag_error err = {0};
    ag_created *x = NULL;
    if (ag_dialect_sqlite()->parse_create(&x, &arena, (ag_str){sql, strlen(sql)}, &err) != AG_OK)
        fail_msg("%s: %s", sql, ag_error_message(&err));
    return x;
}

static void is(ag_str s, const char *want)
{
    if (!want) {
        assert_null(s.p);
        return;
    }
    if (!s.p || s.n != strlen(want) || memcmp(s.p, want, s.n) != 0)
        fail_msg("expected '%s', got '%.*s'", want, (int)s.n, s.p ? s.p : "");
}

static void columns(void **state)
{
    (void)state;
    const ag_created *x =
        parse("CREATE TABLE \"a\"\"b\" (id INTEGER PRIMARY KEY, `c d` VARCHAR ( 10 , 2 ) NOT NULL ON CONFLICT "
              "ignore DEFAULT (1 + (2)) COLLATE nocase, [e] , 'f' double precision default -1.5e-3 unique,"
              "g DEFAULT ('x'), h INT GENERATED ALWAYS AS (a + ')') STORED, i AS (1), j DEFAULT x'00')");
    const ag_created_column *c = x->columns;
    is(x->name, "a\"b");
    is(c->name, "id");
    is(c->type, "INTEGER");
    c = c->next;
    is(c->name, "c d");
    is(c->type, "VARCHAR ( 10 , 2 )");
    is(c->default_text, "1 + (2)");
    is(c->collate, "nocase");
    is(c->not_null_conflict, "ignore");
    assert_true(c->default_brackets && !c->default_literal && c->not_null);
    c = c->next;
    is(c->name, "e");
    is(c->type, NULL);
    c = c->next;
    is(c->name, "f");
    is(c->type, "double precision");
    is(c->default_text, "-1.5e-3");
    c = c->next;
    assert_true(c->default_literal);
    c = c->next;
    is(c->generated, "a + ')'");
    assert_true(c->stored);
    c = c->next;
    is(c->generated, "1");
    assert_false(c->stored);
    is(c->next->default_text, "x'00'");
}

static void constraints(void **state)
{
    (void)state;
    const ag_created *x = parse(
        "CREATE TABLE main.t (a INT CONSTRAINT pk PRIMARY KEY DESC ON CONFLICT FAIL AUTOINCREMENT CHECK(a>0) -- , \n"
        ", b REFERENCES r(x) ON DELETE SET  NULL ON UPDATE NO ACTION MATCH FULL NOT DEFERRABLE INITIALLY IMMEDIATE,\n"
        "CONSTRAINT \"my ck\" CHECK (a IN (1,2) /* ) */ ), UNIQUE (a, \"b\" COLLATE nocase DESC) ON CONFLICT replace\n"
        "CONSTRAINT fk FOREIGN KEY (a, b) REFERENCES s (c, d) DEFERRABLE INITIALLY DEFERRED) WITHOUT ROWID, STRICT");
    const ag_created_key *k = x->keys;
    is(x->schema, "main");
    assert_true(x->strict && x->without_rowid);
    assert_int_equal(k->kind, AG_CONSTRAINT_PRIMARY_KEY);
    is(k->name, "pk");
    is(k->conflict, "FAIL");
    assert_true(k->autoincrement && k->in_column);
    k = k->next;
    is(k->sqltext, "a>0");
    is(k->name, NULL);
    k = k->next;
    assert_int_equal(k->kind, AG_CONSTRAINT_FOREIGN_KEY);
    is(k->columns->name, "b");
    is(k->table, "r");
    is(k->referred->name, "x");
    is(k->on_delete, "SET  NULL");
    is(k->match, "FULL");
    is(k->initially, "IMMEDIATE");
    assert_int_equal(k->deferrable, 0);
    k = k->next;
    is(k->name, "my ck");
    is(k->sqltext, "a IN (1,2)");
    k = k->next;
    assert_int_equal(k->kind, AG_CONSTRAINT_UNIQUE);
    is(k->columns->next->name, "b");
    is(k->conflict, "replace");
    k = k->next;
    is(k->name, "fk");
    is(k->columns->next->name, "b");
    is(k->referred->next->name, "d");
    assert_int_equal(k->deferrable, 1);
    assert_null(k->next);
}

static void indexes(void **state)
{
    (void)state;
    const ag_created *x =
        parse("CREATE UNIQUE INDEX IF NOT EXISTS i ON t (a, lower(b) DESC, c COLLATE x || d, \"e\" NULLS LAST)"
              " WHERE a > ')'");
    const ag_created_item *i = x->items;
    assert_true(x->unique && x->kind == AG_CREATED_INDEX);
    is(x->table, "t");
    is(x->where, "a > ')'");
    is(i->name, "a");
    i = i->next;
    is(i->name, NULL);
    is(i->text, "lower(b) DESC");
    i = i->next;
    is(i->name, NULL);
    is(i->text, "c COLLATE x || d");
    is(i->next->name, "e");
}

static void others(void **state)
{
    (void)state;
    const ag_created *x = parse("create temp view v (a, b) as select 1, 2");
    assert_true(x->temporary && x->kind == AG_CREATED_VIEW);
    is(x->names->next->name, "b");
    is(x->select, "select 1, 2");
    x = parse("CREATE VIRTUAL TABLE f USING fts5(a, b)");
    assert_int_equal(x->kind, AG_CREATED_VIRTUAL);
    is(x->table, "fts5");
    is(parse("CREATE TABLE t AS SELECT 1")->select, "SELECT 1");
    is(parse("CREATE TABLE \"\" (\"\" \"\")")->columns->name, "");
}

static void refusals(void **state)
{
    static const char *const bad[] = {"",
                                      "SELECT 1",
                                      "CREATE",
                                      "CREATE TABLE",
                                      "CREATE TABLE t",
                                      "CREATE TABLE t ()",
                                      "CREATE TABLE t (a",
                                      "CREATE TABLE t (a CHECK (b",
                                      "CREATE TABLE t (a DEFAULT )",
                                      "CREATE TABLE t (a \"b",
                                      "CREATE TABLE t (a REFERENCES)",
                                      "CREATE TABLE t (a, PRIMARY KEY)",
                                      "CREATE TABLE t (a, FOREIGN KEY (a))",
                                      "CREATE TABLE t (a) WITHOUT",
                                      "CREATE TABLE t (a DEFERRABLE)",
                                      "CREATE INDEX i ON t ()",
                                      "CREATE INDEX i ON t (a) WHERE",
                                      "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ag_error err = {0};
        ag_created *x = NULL;
        if (ag_dialect_sqlite()->parse_create(&x, &arena, (ag_str){bad[i], strlen(bad[i])}, &err) != AG_ERROR)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(err.cls, AG_EXC_ARGUMENT);
        ag_error_clear(&err);
    }
}

/* A megabyte of brackets neither nests nor takes quadratic time. */
static void deep(void **state)
{
    const size_t n = 500000;
    char *text = malloc(2 * n + 100);
    (void)state;
    assert_non_null(text);
    size_t len = (size_t)sprintf(text, "CREATE TABLE t (a CHECK (");
    memset(text + len, '(', n);
    len += n;
    text[len++] = '1';
    memset(text + len, ')', n);
    len += n;
    len += (size_t)sprintf(text + len, "))");
    const ag_created *x = parse(text);
    assert_int_equal(x->keys->sqltext.n, 2 * n + 1);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(columns, setup, teardown),
        cmocka_unit_test_setup_teardown(constraints, setup, teardown),
        cmocka_unit_test_setup_teardown(indexes, setup, teardown),
        cmocka_unit_test_setup_teardown(others, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(deep, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

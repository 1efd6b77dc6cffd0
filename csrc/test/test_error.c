/* Errors: filling, moving, copying, running out of memory; the class tree; nearest names. */
#include "base/error.h"
#include "test/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void classes_form_a_tree(void **state)
{
    (void)state;
    assert_string_equal(ag_exc_name(AG_EXC_ERROR), "Error");
    assert_string_equal(ag_exc_name(AG_EXC_INTEGRITY), "IntegrityError");
    assert_int_equal(ag_exc_parent(AG_EXC_INTEGRITY), AG_EXC_DATABASE);
    assert_int_equal(ag_exc_parent(AG_EXC_ERROR), AG_EXC_ERROR);
    for (int c = 1; c < AG_EXC_COUNT; c++) {
        assert_true((int)ag_exc_parent((ag_exc)c) < c);
        for (int other = 0; other < c; other++)
            assert_string_not_equal(ag_exc_name((ag_exc)c), ag_exc_name((ag_exc)other));
    }
    assert_string_equal(ag_exc_name((ag_exc)AG_EXC_COUNT), "Error");
}

static void failing_fills_and_replaces(void **state)
{
    (void)state;
    sweep s;
    ag_error err;
    sweep_init(&s);
    ag_error_init(&err, &s.alloc);
    assert_string_equal(ag_error_message(&err), "no error");
    assert_int_equal(ag_fail(&err, AG_EXC_DATA, "value %d", 7), AG_ERROR);
    assert_true(err.set);
    assert_int_equal(err.cls, AG_EXC_DATA);
    assert_string_equal(ag_error_message(&err), "value 7");
    ag_error_text(&err, &err.detail, "why\0x", 5);
    assert_memory_equal(err.detail, "why\0x", 6);
    ag_error_text(&err, &err.detail, err.detail, 3);
    assert_string_equal(err.detail, "why");
    err.disconnect = true;
    /* an error may be wrapped in its own text */
    assert_int_equal(ag_fail(&err, AG_EXC_FLUSH, "while flushing: %s", ag_error_message(&err)), AG_ERROR);
    assert_string_equal(ag_error_message(&err), "while flushing: value 7");
    assert_null(err.detail);
    assert_false(err.disconnect);
    char long_text[1000];
    memset(long_text, 'x', 999);
    long_text[999] = '\0';
    ag_fail(&err, AG_EXC_ERROR, "%s!", long_text);
    assert_int_equal(strlen(ag_error_message(&err)), 1000);
    ag_error_clear(&err);
    assert_false(err.set);
    assert_int_equal(s.live, 0);
}

static void without_memory_the_class_stays(void **state)
{
    (void)state;
    sweep s;
    ag_error err;
    sweep_init(&s);
    s.fail_at = 1;
    s.from_then_on = true;
    ag_error_init(&err, &s.alloc);
    assert_int_equal(ag_fail(&err, AG_EXC_DATA, "value %d", 7), AG_ERROR);
    assert_int_equal(err.cls, AG_EXC_DATA);
    assert_true(err.nomem);
    assert_string_equal(ag_error_message(&err), "out of memory");
    assert_int_equal(ag_fail(&err, AG_EXC_MEMORY, "x"), AG_NOMEM);
    assert_int_equal(ag_fail_nomem(&err), AG_NOMEM);
    assert_int_equal(err.cls, AG_EXC_MEMORY);
    assert_string_equal(ag_error_message(&err), "out of memory");
    ag_error_text(&err, &err.hint, "x", 1);
    assert_null(err.hint);
    ag_error_clear(&err);
}

static void no_error_object_is_needed(void **state)
{
    (void)state;
    assert_int_equal(ag_fail(NULL, AG_EXC_DATA, "x"), AG_ERROR);
    assert_int_equal(ag_fail_nomem(NULL), AG_NOMEM);
    ag_error zero = {0};
    assert_int_equal(ag_fail(&zero, AG_EXC_DATA, "x"), AG_ERROR);
    assert_string_equal(ag_error_message(&zero), "x");
    ag_error_clear(&zero);
}

static void fill(ag_error *err)
{
    ag_fail(err, AG_EXC_INTEGRITY, "duplicate");
    char **texts[] = {&err->detail, &err->hint, &err->constraint, &err->table, &err->column, &err->schema};
    for (size_t i = 0; i < 6; i++)
        ag_error_text(err, texts[i], &"abcdef"[i], 1);
    memcpy(err->sqlstate, "23505", 6);
    err->code = 19;
    err->retryable = true;
    err->host_value = 9;
}

static void assert_filled(const ag_error *err)
{
    assert_true(err->set && err->retryable && !err->disconnect && !err->nomem);
    assert_int_equal(err->cls, AG_EXC_INTEGRITY);
    assert_int_equal(err->code, 19);
    assert_int_equal(err->host_value, 9);
    assert_string_equal(err->sqlstate, "23505");
    assert_string_equal(err->message, "duplicate");
    assert_string_equal(err->detail, "a");
    assert_string_equal(err->hint, "b");
    assert_string_equal(err->constraint, "c");
    assert_string_equal(err->table, "d");
    assert_string_equal(err->column, "e");
    assert_string_equal(err->schema, "f");
}

static void errors_move_and_copy(void **state)
{
    (void)state;
    sweep s;
    ag_error a, b;
    sweep_init(&s);
    ag_error_init(&a, &s.alloc);
    ag_error_init(&b, &s.alloc);
    fill(&a);
    fill(&b);
    ag_error_move(&b, &a);
    assert_filled(&b);
    assert_false(a.set);
    ag_error_copy(&a, &b);
    assert_filled(&a);
    assert_filled(&b);
    ag_error_move(&a, &a);
    ag_error_copy(&a, &a);
    assert_filled(&a);
    ag_error_clear(&b);
    assert_filled(&a);
    ag_error_clear(&a);
    ag_error_copy(&a, &b);
    assert_false(a.set);
    assert_int_equal(s.live, 0);
}

static ag_status copy_one(const ag_alloc *a, void *ud)
{
    (void)ud;
    ag_error from = {0}, to;
    fill(&from);
    ag_error_init(&to, a);
    ag_error_copy(&to, &from);
    bool nomem = to.nomem;
    assert_int_equal(to.cls, AG_EXC_INTEGRITY);
    assert_int_equal(to.code, 19);
    if (!nomem)
        assert_filled(&to);
    ag_error_clear(&to);
    ag_error_clear(&from);
    return nomem ? AG_NOMEM : AG_OK;
}

static void copies_survive_no_memory(void **state)
{
    (void)state;
    sweep_run(copy_one, NULL);
}

static const char *const words[] = {"select",   "insert",   "update", "delete", "where",
                                    "order_by", "group_by", "id",     "Name"};

static void assert_nearest(const char *name, const char *want)
{
    const char *got = ag_nearest(name, words, sizeof words / sizeof words[0]);
    if (!want)
        assert_null(got);
    else if (!got)
        fail_msg("nothing near %s", name);
    else
        assert_string_equal(got, want);
}

static void the_nearest_name_is_found(void **state)
{
    (void)state;
    assert_nearest("slect", "select");
    assert_nearest("select", "select");
    assert_nearest("SELECT", "select");
    assert_nearest("selcet", "select");
    assert_nearest("orderby", "order_by");
    assert_nearest("groupBy", "group_by");
    assert_nearest("wher", "where");
    assert_nearest("name", "Name");
    assert_nearest("ID", "id");
    assert_nearest("di", "id");
    assert_nearest("xyz", NULL);
    assert_nearest("x", NULL);
    assert_nearest("", NULL);
    assert_nearest("completely_else", NULL);
    assert_null(ag_nearest("select", NULL, 0));
    char very_long[200];
    memset(very_long, 'a', 199);
    very_long[199] = '\0';
    const char *names[] = {very_long};
    assert_null(ag_nearest(very_long, names, 1));
    assert_null(ag_nearest("aaaa", names, 1));
    const char *equals[] = {"cat", "car", "can"};
    assert_string_equal(ag_nearest("cas", equals, 3), "can"); /* of equals the first in the alphabet, */
    assert_string_equal(ag_nearest("bat", (const char *[]){"bar", "cat", "a"}, 3),
                        "bar"); /* or the one that begins alike */
    /* case alone decides between equals */
    const char *cases[] = {"users", "Userd", "USERD"};
    assert_string_equal(ag_nearest("userd", cases, 3), "Userd");
}

/* Distances by the textbook's recursion, without case. */
static unsigned slow_distance(const char *a, size_t an, const char *b, size_t bn)
{
    if (an == 0 || bn == 0)
        return (unsigned)(an + bn);
    unsigned best = slow_distance(a, an - 1, b, bn - 1) + (a[an - 1] != b[bn - 1]);
    unsigned d = slow_distance(a, an - 1, b, bn) + 1;
    best = d < best ? d : best;
    d = slow_distance(a, an, b, bn - 1) + 1;
    best = d < best ? d : best;
    if (an > 1 && bn > 1 && a[an - 1] == b[bn - 2] && a[an - 2] == b[bn - 1]) {
        d = slow_distance(a, an - 2, b, bn - 2) + 1;
        best = d < best ? d : best;
    }
    return best;
}

static void nearness_is_edit_distance(void **state)
{
    (void)state;
    srand(7);
    for (int i = 0; i < 3000; i++) {
        char a[8], b[8];
        size_t an = 2 + (size_t)rand() % 4, bn = 1 + (size_t)rand() % 5;
        for (size_t k = 0; k < an; k++)
            a[k] = (char)('a' + rand() % 3);
        for (size_t k = 0; k < bn; k++)
            b[k] = (char)('a' + rand() % 3);
        a[an] = b[bn] = '\0';
        const char *names[] = {b};
        unsigned d = slow_distance(a, an, b, bn);
        bool near = d <= (an <= 3 ? 1 : 1 + an / 3) && d < an;
        assert_int_equal(ag_nearest(a, names, 1) != NULL, near);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_form_a_tree),
        cmocka_unit_test(failing_fills_and_replaces),
        cmocka_unit_test(without_memory_the_class_stays),
        cmocka_unit_test(no_error_object_is_needed),
        cmocka_unit_test(errors_move_and_copy),
        cmocka_unit_test(copies_survive_no_memory),
        cmocka_unit_test(the_nearest_name_is_found),
        cmocka_unit_test(nearness_is_edit_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Results: reading, closing, copying, streaming on SQLite. */
#include "engine/result.h"
#include "test/engine_util.h"
#include "test/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void must(ag_status st, ag_error *err)
{
    if (st != AG_OK)
        fail_msg("%s", ag_error_message(err));
}

static const char series[] = "with recursive n(x) as (select 1 union all select x + 1 from n where x < 1000) select x, "
                             "'row ' || x as name from n";

static ag_result *run(ag_connection *c, const char *text, const ag_exec_options *x)
{
    ag_exec_request req = {.text = text, .text_len = strlen(text), .options = x};
    ag_exec_op op;
    ag_error err = {0};
    must(ag_exec_init(&op, c, &req, 1, &err), &err);
    must(ag_op_run(&op.op, &err), &err);
    ag_result *r = ag_exec_take(&op, 0);
    ag_op_clear(&op.op);
    return r;
}

static int64_t first_cell(const ag_row *row)
{
    ag_value v;
    ag_row_get(&v, row, 0);
    return v.u.i;
}

static size_t read_rest(ag_result *r, int64_t *sum)
{
    size_t n = 0;
    const ag_row *row;
    ag_error err = {0};
    for (;;) {
        ag_fetch_op op;
        switch (ag_result_next_row(r, &row, &err)) {
        case AG_NEXT_ROW:
            *sum += first_cell(row);
            n++;
            break;
        case AG_NEXT_FETCH:
            must(ag_fetch_init(&op, r, false, &err), &err);
            must(ag_op_run(&op.op, &err), &err);
            ag_op_clear(&op.op);
            break;
        case AG_NEXT_END: return n;
        case AG_NEXT_ERROR: fail_msg("%s", ag_error_message(&err)); return 0;
        }
    }
}

static void assert_closed(ag_result *r, const char *says)
{
    const ag_row *row;
    ag_error err = {0};
    ag_fetch_op op;
    assert_int_equal(ag_result_next_row(r, &row, &err), AG_NEXT_ERROR);
    assert_int_equal(err.cls, AG_EXC_RESOURCE_CLOSED);
    if (!strstr(ag_error_message(&err), says))
        fail_msg("%s", ag_error_message(&err));
    ag_error_clear(&err);
    assert_int_equal(ag_fetch_init(&op, r, false, &err), AG_ERROR);
    ag_error_clear(&err);
}

static void test_columns_and_rows(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    ag_result *r = run(c, "select 1 as a, 'x' as b union all select 2, null", NULL);
    const ag_row *row;
    ag_value v;
    ag_error err = {0};
    assert_true(ag_result_returns_rows(r));
    assert_int_equal(ag_result_ncolumns(r), 2);
    assert_string_equal(ag_result_columns(r)[0].name.p, "a");
    assert_string_equal(ag_result_columns(r)[1].name.p, "b");
    assert_int_equal(ag_result_columns(r)[0].source, -1);
    assert_null(ag_result_connection(r));
    assert_null(ag_result_compiled(r));
    assert_int_equal(ag_result_remaining(r), 2);
    ag_connection_unref(c); /* a buffered result needs no connection */
    ag_engine_unref(e);
    assert_int_equal(ag_result_next_row(r, &row, &err), AG_NEXT_ROW);
    ag_row_get(&v, row, 1);
    assert_int_equal(v.kind, AG_V_TEXT);
    assert_int_equal(ag_result_next_row(r, &row, &err), AG_NEXT_ROW);
    ag_row_get(&v, row, 1);
    assert_int_equal(v.kind, AG_V_NULL);
    assert_int_equal(ag_result_next_row(r, &row, &err), AG_NEXT_END);
    assert_int_equal(ag_result_next_row(r, &row, &err), AG_NEXT_END);
    must(ag_result_rewind(r, &err), &err);
    assert_int_equal(ag_result_remaining(r), 2);
    assert_true(ag_result_bytes(r) > 0);
    ag_result_close(r);
    ag_result_close(r);
    assert_true(ag_result_is_closed(r));
    assert_closed(r, "This result object is closed.");
    ag_result_unref(r);
}

static void test_statements_without_rows(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    ag_result *r = run(c, "create table t (x integer primary key, y)", NULL);
    assert_false(ag_result_returns_rows(r));
    assert_closed(r, "does not return rows");
    ag_result_unref(r);
    r = run(c, "insert into t values (7, 1), (8, 2)", NULL);
    assert_int_equal(ag_result_rowcount(r), 2);
    assert_int_equal(ag_result_lastrowid(r), 8);
    assert_false(ag_result_is_insert(r)); /* a text, no insert() */
    ag_result_unref(r);
    r = run(c, "update t set y = 5", NULL);
    assert_int_equal(ag_result_rowcount(r), 2);
    assert_int_equal(ag_result_set_rowcount(r, 0), 2);
    assert_int_equal(ag_result_set_rowcount(r, 1), -1);
    assert_null(ag_result_inserted_key(r, 0, &(uint32_t){0}));
    assert_null(ag_result_returned_defaults(r, 0));
    ag_result_unref(r);
    r = run(c, "insert into t (y) values (3) returning x, y", NULL);
    int64_t sum = 0;
    assert_int_equal(read_rest(r, &sum), 1);
    assert_int_equal(sum, 9);
    ag_result_unref(r);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_copy_and_merge(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    ag_result *a = run(c, series, NULL), *b = run(c, "select 5000, 'b'", NULL), *frozen, *merged;
    const ag_row *row;
    ag_error err = {0};
    int64_t sum = 0;
    assert_int_equal(ag_result_next_row(a, &row, &err), AG_NEXT_ROW);
    must(ag_result_copy(&frozen, a, &err), &err);
    ag_result *both[] = {frozen, b};
    must(ag_result_merge(&merged, both, 2, &err), &err);
    assert_int_equal(read_rest(merged, &sum), 1000); /* 999 and 1 */
    assert_int_equal(sum, 500500 - 1 + 5000);
    ag_result_unref(merged);
    sum = 0;
    assert_int_equal(read_rest(frozen, &sum), 999);
    must(ag_result_rewind(frozen, &err), &err);
    assert_int_equal(read_rest(frozen, &sum), 999);
    ag_result *other = run(c, "select 1", NULL), *bad[] = {a, other};
    assert_int_equal(ag_result_merge(&merged, bad, 2, &err), AG_ERROR);
    assert_non_null(strstr(ag_error_message(&err), "cannot merge results of 2 and 1 columns"));
    ag_error_clear(&err);
    sum = 0;
    assert_int_equal(read_rest(a, &sum), 999);
    ag_result_drop_read(a);
    assert_int_equal(ag_result_rewind(a, &err), AG_ERROR);
    ag_error_clear(&err);
    ag_result *all[] = {a, b, frozen, other};
    for (int i = 0; i < 4; i++)
        ag_result_unref(all[i]);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_given_rows(void **state)
{
    (void)state;
    ag_rows rows;
    ag_error err = {0};
    ag_rows_init(&rows, ag_alloc_libc());
    assert_true(ag_rows_begin(&rows, 1));
    ag_rows_int(&rows, AG_V_INT, 42);
    ag_rows_end(&rows);
    char name[] = "answer";
    ag_result_column col = {
        .name = {name, 6}, .db_name = {name, 6}, .type = ag_type_plain(AG_TYPE_INTEGER), .source = -1};
    ag_result *r;
    must(ag_result_of_rows(&r, ag_alloc_libc(), &col, 1, &rows, &err), &err);
    name[0] = 'x';
    assert_string_equal(ag_result_columns(r)->name.p, "answer");
    int64_t sum = 0;
    assert_int_equal(read_rest(r, &sum), 1);
    assert_int_equal(sum, 42);
    ag_result_unref(r);
    ag_rows_clear(&rows);
}

static const ag_exec_options by_ten = {.has = AG_XO_YIELD_PER, .yield_per = 10};

static void test_streaming(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_result *r = run(c, series, &by_ten), *copy;
    int64_t sum = 0;
    assert_true(ag_result_is_streaming(r));
    assert_ptr_equal(ag_result_connection(r), c);
    assert_int_equal(ag_result_remaining(r), 10);
    assert_int_equal(test_int(c, "select 42"), 42); /* beside it */
    assert_int_equal(ag_result_copy(&copy, r, &err), AG_ERROR);
    ag_error_clear(&err);
    size_t bytes = ag_result_bytes(r);
    assert_int_equal(read_rest(r, &sum), 1000);
    assert_int_equal(sum, 500500);
    assert_true(ag_result_bytes(r) <= bytes + 4096);
    assert_null(ag_result_connection(r));
    ag_result_unref(r);
    /* the rest at once */
    r = run(c, series, &by_ten);
    ag_fetch_op op;
    must(ag_fetch_init(&op, r, true, &err), &err);
    must(ag_op_run(&op.op, &err), &err);
    ag_op_clear(&op.op);
    assert_int_equal(ag_result_remaining(r), 1000);
    must(ag_fetch_init(&op, r, true, &err), &err); /* nothing more: no effect */
    must(ag_op_run(&op.op, &err), &err);
    ag_op_clear(&op.op);
    ag_result_unref(r);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void tx(ag_connection *c, const char *what)
{
    ag_error err = {0};
    ag_transaction_unref(test_tx(c, what, &err));
    if (err.set)
        fail_msg("%s: %s", what, ag_error_message(&err));
}

static void test_what_closes_streams(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_result *outer = run(c, series, &by_ten), *inner;
    ag_transaction *t = test_tx(c, "nested", &err);
    inner = run(c, series, &by_ten);
    must(test_tx_end(t, "rollback", &err), &err);
    ag_transaction_unref(t);
    assert_closed(inner, "rollback to its savepoint ended its cursor");
    assert_false(ag_result_is_closed(outer));
    ag_result_unref(inner);
    inner = run(c, series, &by_ten);
    tx(c, "commit");
    assert_closed(inner, "commit ended its cursor");
    assert_string_equal(ag_result_closed_by(outer), "commit");
    ag_result_unref(inner);
    ag_result_unref(outer);
    inner = run(c, series, &by_ten);
    tx(c, "rollback");
    assert_closed(inner, "rollback ended");
    ag_result_unref(inner);
    inner = run(c, series, &by_ten);
    test_do(c, "create table t (x)");
    assert_closed(inner, "DDL ended");
    ag_result_unref(inner);
    inner = run(c, series, &by_ten);
    ag_result_close(inner);
    assert_closed(inner, "is closed.");
    ag_result_unref(inner);
    inner = run(c, series, &by_ten);
    ag_connection_release(c);
    assert_closed(inner, "is closed");
    ag_result_unref(inner);
    ag_connection_unref(c);
    /* the result is dropped while it streams, and may be the last to hold the connection */
    c = test_connect(e);
    inner = run(c, series, &by_ten);
    ag_connection_unref(c);
    int64_t sum = 0;
    assert_int_equal(read_rest(inner, &sum), 1000);
    ag_result_unref(inner);
    c = test_connect(e);
    inner = run(c, series, &by_ten);
    ag_connection_unref(c);
    ag_engine_unref(e);
    ag_result_unref(inner);
}

static void test_stream_errors(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_fetch_op op;
    ag_result *r = run(c,
                       "with recursive n(x) as (select 1 union all select x + 1 from n where x < 100) select "
                       "case when x = 55 then abs(-9223372036854775808) else x end from n",
                       &by_ten);
    const ag_row *row;
    size_t n = 0;
    for (;;) {
        ag_result_next next = ag_result_next_row(r, &row, &err);
        if (next == AG_NEXT_ROW) {
            assert_int_equal(first_cell(row), ++n);
            continue;
        }
        assert_int_equal(next, AG_NEXT_FETCH);
        must(ag_fetch_init(&op, r, false, &err), &err);
        ag_status st = ag_op_run(&op.op, &err);
        ag_op_clear(&op.op);
        if (st != AG_OK)
            break;
    }
    assert_int_equal(n, 50);
    assert_non_null(strstr(ag_error_message(&err), "integer overflow"));
    ag_error_clear(&err);
    assert_closed(r, "an error ended its cursor");
    ag_result_unref(r);
    assert_int_equal(test_int(c, "select 1"), 1);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

/* ---- out of memory ---- */

static ag_status sweep_work(const ag_alloc *a, void *ud)
{
    ag_error err;
    ag_result *r, *copy = NULL;
    ag_rows rows;
    ag_result_column col = {.name = {"x", 1}, .type = ag_type_plain(AG_TYPE_INTEGER), .source = -1};
    (void)ud;
    ag_error_init(&err, a);
    ag_rows_init(&rows, a);
    bool ok = true;
    for (int i = 0; ok && i < 3000; i++) {
        ok = ag_rows_begin(&rows, 1);
        if (ok) {
            ag_rows_int(&rows, AG_V_INT, i);
            ag_rows_end(&rows);
        }
    }
    ag_status st = ok ? ag_result_of_rows(&r, a, &col, 1, &rows, &err) : AG_NOMEM;
    if (st == AG_OK) {
        st = ag_result_copy(&copy, r, &err);
        if (st == AG_OK && ag_result_remaining(copy) != 3000)
            st = AG_ERROR;
        ag_result_unref(copy);
        ag_result_unref(r);
    }
    ag_rows_clear(&rows);
    ag_error_clear(&err);
    return st;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    sweep_run(sweep_work, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_and_rows), cmocka_unit_test(test_statements_without_rows),
        cmocka_unit_test(test_copy_and_merge),   cmocka_unit_test(test_given_rows),
        cmocka_unit_test(test_streaming),        cmocka_unit_test(test_what_closes_streams),
        cmocka_unit_test(test_stream_errors),    cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

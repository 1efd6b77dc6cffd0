/* Executing driver text on SQLite: parameters, many sets, deadlines, log, errors, faults at every point, out of
 * memory. */
#include "driver/drivers.h"
#include "driver/fault.h"
#include "test/engine_util.h"
#include "test/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static test_host host;

static void must(ag_status st, ag_error *err)
{
    if (st != AG_OK)
        fail_msg("%s", ag_error_message(err));
}

static void tx(ag_connection *c, const char *what)
{
    ag_error err = {0};
    ag_transaction_unref(test_tx(c, what, &err));
    if (err.set)
        fail_msg("%s: %s", what, ag_error_message(&err));
}

static ag_engine *logging_engine(bool hide)
{
    ag_engine_options o = ag_engine_options_default();
    test_host_init(&host);
    o.host = &host.base;
    o.echo = AG_ECHO_ON;
    o.hide_parameters = hide;
    return test_engine("sqlite://", &o);
}

static ag_status many(ag_connection *c, const char *text, const ag_value *v, size_t nsets, uint32_t n, ag_error *err,
                      ag_result **out)
{
    ag_exec_request req = {.text = text,
                           .text_len = strlen(text),
                           .params = {.nsets = nsets, .many = true, .nkeys = n, .values = v},
                           .want_rowcounts = true};
    ag_exec_op op;
    ag_status st = ag_exec_init(&op, c, &req, 1, err);
    if (st != AG_OK)
        return st;
    st = ag_op_run(&op.op, err);
    if (st == AG_OK && out)
        *out = ag_exec_take(&op, 0);
    ag_op_clear(&op.op);
    return st;
}

static void test_parameters(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_result *r = NULL;
    test_do(c, "create table t (x integer primary key, y text)");
    ag_value v[] = {ag_value_int(1), ag_value_text("a", 1), ag_value_int(2),
                    ag_value_null(), ag_value_int(3),       ag_value_text("c", 1)};
    must(many(c, "insert into t values (?, ?)", v, 3, 2, &err, &r), &err);
    assert_int_equal(ag_result_rowcount(r), 3);
    assert_int_equal(ag_result_nsets(r), 3);
    assert_int_equal(ag_result_set_rowcount(r, 2), 1);
    ag_result_unref(r);
    ag_value w[] = {ag_value_int(1), ag_value_int(99), ag_value_int(2)};
    must(many(c, "delete from t where x = ?", w, 3, 1, &err, &r), &err);
    assert_int_equal(ag_result_rowcount(r), 2);
    assert_int_equal(ag_result_set_rowcount(r, 1), 0);
    ag_result_unref(r);
    assert_int_equal(test_int(c, "select count(*) from t"), 1);
    /* refusals */
    assert_int_equal(many(c, "select 1", NULL, 0, 0, &err, NULL), AG_ERROR);
    assert_non_null(strstr(ag_error_message(&err), "list of parameter sets is empty"));
    ag_error_clear(&err);
    ag_value bad = {.kind = AG_V_HOST};
    assert_int_equal(many(c, "select ?", &bad, 1, 1, &err, NULL), AG_ERROR);
    assert_int_equal(err.cls, AG_EXC_STATEMENT);
    ag_error_clear(&err);
    bad.kind = AG_V_ABSENT;
    assert_int_equal(many(c, "select ?", &bad, 1, 1, &err, NULL), AG_ERROR);
    ag_error_clear(&err);
    assert_int_equal(many(c, "select ?, ?", v, 1, 1, &err, NULL), AG_ERROR);
    assert_non_null(strstr(ag_error_message(&err), "has 2 parameters, 1 values were given"));
    ag_error_clear(&err);
    assert_int_equal(test_int(c, "select 1"), 1);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

typedef struct filler {
    size_t calls, fail_at;
} filler;

static ag_status fill(void *ud, size_t set, ag_value *out, ag_error *err)
{
    filler *f = ud;
    f->calls++;
    if (set == f->fail_at)
        return ag_fail(err, AG_EXC_DATA, "no set %zu", set);
    out[0] = ag_value_int((int64_t)set);
    return AG_OK;
}

static void test_sets_that_are_filled(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_exec_op op;
    filler f = {0, SIZE_MAX};
    test_do(c, "create table t (x integer)");
    static const char text[] = "insert into t values (?)";
    ag_exec_request req = {.text = text,
                           .text_len = sizeof text - 1,
                           .params = {.nsets = 1000, .many = true, .nkeys = 1, .fill = fill, .fill_ud = &f}};
    must(ag_exec_init(&op, c, &req, 1, &err), &err);
    must(ag_op_run(&op.op, &err), &err);
    ag_op_clear(&op.op);
    assert_int_equal(f.calls, 1000);
    assert_int_equal(test_int(c, "select sum(x) from t"), 499500);
    tx(c, "commit");
    f = (filler){0, 10};
    must(ag_exec_init(&op, c, &req, 1, &err), &err);
    assert_int_equal(ag_op_run(&op.op, &err), AG_ERROR);
    assert_string_equal(ag_error_message(&err), "no set 10");
    assert_int_equal(op.failed_set, 10);
    ag_error_clear(&err);
    ag_op_clear(&op.op);
    tx(c, "rollback");
    assert_int_equal(test_int(c, "select count(*) from t"), 1000);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_deadline(void **state)
{
    (void)state;
    ag_engine_options o = ag_engine_options_default();
    o.exec = (ag_exec_options){.has = AG_XO_TIMEOUT, .timeout_us = 50000};
    ag_engine *e = test_engine("sqlite://", &o);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    int64_t began = ag_now_us();
    assert_null(
        test_exec(c, "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n", &err));
    assert_true(ag_now_us() - began < 2000000);
    assert_int_equal(err.cls, AG_EXC_OPERATIONAL);
    assert_string_equal(err.sqlstate, "57014");
    ag_error_clear(&err);
    assert_int_equal(test_int(c, "select 1"), 1);
    /* 0 on the statement lifts the engine's */
    ag_exec_options none = {.has = AG_XO_TIMEOUT, .timeout_us = 0};
    static const char text[] =
        "with recursive n(x) as (select 1 union all select x + 1 from n where x < 300000) select "
        "count(*) from n";
    ag_exec_request req = {.text = text, .text_len = sizeof text - 1, .options = &none};
    ag_exec_op op;
    must(ag_exec_init(&op, c, &req, 1, &err), &err);
    must(ag_op_run(&op.op, &err), &err);
    ag_op_clear(&op.op);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_log(void **state)
{
    (void)state;
    ag_engine *e = logging_engine(false);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_exec_options x = {.has = AG_XO_LOGGING_TOKEN, .logging_token = "tok"};
    test_do(c, "create table t (x, y)");
    must(ag_connection_set_options(c, &x, &err), &err);
    ag_value v[] = {ag_value_int(1), ag_value_text("it's", 4)};
    must(many(c, "insert into t values (?, ?)", v, 1, 2, &err, NULL), &err);
    tx(c, "commit");
    assert_string_equal(host.log, "BEGIN IMMEDIATE (implicit)\ncreate table t (x, y)\n[raw sql] ()\n"
                                  "[tok] insert into t values (?, ?)\n[tok] [raw sql] [(1, 'it''s')]\nCOMMIT\n");
    host.log[0] = '\0';
    ag_engine_set_echo(e, AG_ECHO_OFF);
    test_int(c, "select 1");
    assert_string_equal(host.log, "");
    ag_connection_unref(c);
    ag_engine_unref(e);
    e = logging_engine(true);
    c = test_connect(e);
    must(many(c, "select ?", v, 1, 1, &err, NULL), &err);
    assert_non_null(strstr(host.log, "[raw sql] [SQL parameters hidden due to hide_parameters=true]"));
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_long_parameters_are_cut(void **state)
{
    (void)state;
    ag_engine *e = logging_engine(false);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    char big[2000];
    ag_value v[50];
    memset(big, 'x', sizeof big);
    for (int i = 0; i < 50; i++)
        v[i] = ag_value_int(i);
    must(many(c, "select ?", v, 50, 1, &err, NULL), &err);
    assert_non_null(strstr(host.log,
                           "[(0), (1), (2), (3), (4), (5), (6), (7)  ... displaying 10 of 50 total bound parameter "
                           "sets ...  (48), (49)]"));
    v[0] = ag_value_text(big, sizeof big);
    must(many(c, "select ?", v, 1, 1, &err, NULL), &err);
    assert_non_null(strstr(host.log, "xxx ... (1700 bytes cut) ... xxx"));
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_session_settings_go_back(void **state)
{
    (void)state;
    ag_engine_options o = ag_engine_options_default();
    o.pool_options.size = 1;
    ag_engine *e = test_engine(NULL, &o);
    ag_connection *c = test_connect(e);
    test_do(c, "pragma foreign_keys = off");
    assert_int_equal(test_int(c, "pragma foreign_keys"), 0);
    ag_connection_unref(c);
    c = test_connect(e);
    assert_int_equal(test_int(c, "pragma foreign_keys"), 1);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_urls_that_name_no_file(void **state)
{
    (void)state;
    static const char *const urls[] = {"sqlite://app.db", "sqlite://user@/app.db", "sqlite://:5/x"};
    for (size_t i = 0; i < 3; i++) {
        ag_error err = {0};
        ag_url *u;
        ag_engine *e;
        ag_engine_options o = ag_engine_options_default();
        o.driver = ag_driver_sqlite();
        must(ag_url_parse(&u, ag_alloc_libc(), urls[i], strlen(urls[i]), &err), &err);
        assert_int_equal(ag_engine_new(&e, ag_alloc_libc(), u, &o, &err), AG_ERROR);
        assert_non_null(strstr(ag_error_message(&err), "Invalid sqlite URL"));
        ag_error_clear(&err);
        ag_url_unref(u);
    }
}

static void test_dispose(void **state)
{
    (void)state;
    ag_engine *e = test_engine(NULL, NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_pool *old = ag_engine_pool(e);
    must(ag_engine_dispose(e, true, &err), &err);
    assert_ptr_not_equal(ag_engine_pool(e), old);
    assert_int_equal(test_int(c, "select 1"), 1); /* goes on until it comes back */
    ag_connection_unref(c);
    c = test_connect(e);
    assert_true(ag_engine_server_version(e) > 3000000);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_busy_connection(void **state)
{
    (void)state;
    test_host_init(&host);
    ag_engine_options o = ag_engine_options_default();
    o.host = &host.base;
    ag_engine *e = test_engine("sqlite://", &o);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_engine_set_events(e, AG_EV_BIT(AG_EV_BEFORE_CURSOR_EXECUTE));
    static const char text[] = "select 1";
    ag_exec_request req = {.text = text, .text_len = sizeof text - 1};
    ag_exec_op a, b;
    must(ag_exec_init(&a, c, &req, 1, &err), &err);
    must(ag_exec_init(&b, c, &req, 1, &err), &err);
    assert_int_equal(ag_op_step(&a.op, &err), AG_STEP_CALL);
    /* while a's listener runs, the connection may be used … */
    assert_null(ag_connection_busy(c));
    assert_int_equal(ag_op_step(&b.op, &err), AG_STEP_CALL);
    /* … but a does not go on while b is inside */
    assert_int_equal(ag_op_step(&a.op, &err), AG_STEP_FAILED);
    assert_non_null(strstr(ag_error_message(&err), "This connection is busy"));
    ag_error_clear(&err);
    ag_op_clear(&a.op);
    assert_int_equal(ag_op_step(&b.op, &err), AG_STEP_DONE);
    ag_op_clear(&b.op);
    ag_engine_set_events(e, 0);
    assert_int_equal(test_int(c, "select 1"), 1);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

/* ---- every fault at every point leaves a consistent file ---- */

static const char *fault_url(char out[400])
{
    (void)snprintf(out, 400, "sqlite:///%s", test_file("fault"));
    return out;
}

/* Moves 10 from a to b in a transaction with a savepoint; AG_OK when commit said so. */
static ag_status transfer(ag_engine *e, ag_error *err)
{
    ag_connect_op op;
    AG_TRY(ag_connect_init(&op, e, "fault", err));
    ag_status st = ag_op_run(&op.op, err);
    ag_connection *c = op.conn;
    op.conn = NULL;
    ag_op_clear(&op.op);
    if (st != AG_OK)
        return st;
    ag_result *r = test_exec(c, "update acc set n = n - 10 where id = 'a'", err);
    ag_transaction *t = r ? test_tx(c, "nested", err) : NULL;
    ag_result_unref(r);
    r = t ? test_exec(c, "update acc set n = n + 10 where id = 'b'", err) : NULL;
    if (r && !err->set)
        (void)test_tx_end(t, "commit", err);
    if (r && !err->set)
        ag_transaction_unref(test_tx(c, "commit", err));
    ag_result_unref(r);
    ag_transaction_unref(t);
    ag_connection_unref(c);
    return err->set ? AG_ERROR : AG_OK;
}

static void check_accounts(ag_engine *e, bool said_ok, const char *what)
{
    ag_connection *c = test_connect(e);
    int64_t sum = test_int(c, "select sum(n) from acc"), b = test_int(c, "select n from acc where id = 'b'");
    if (sum != 100)
        fail_msg("%s: the sum is %lld", what, (long long)sum);
    if (said_ok && b != 10)
        fail_msg("%s: commit said OK and did not happen", what);
    test_do(c, "update acc set n = case id when 'a' then 100 else 0 end");
    tx(c, "commit");
    ag_connection_unref(c);
}

static void test_faults(void **state)
{
    (void)state;
    static const char *const points[] = {"connect", "begin",  "update", "savepoint",
                                         "release", "commit", "drain",  "statement"};
    static const char *const kinds[] = {"error", "lost", "lost-after"};
    ag_error err = {0};
    ag_fault *f;
    char url[400], plan[60];
    must(ag_fault_new(&f, ag_driver_sqlite(), ag_alloc_libc(), &err), &err);
    ag_engine_options o = ag_engine_options_default();
    o.driver = ag_fault_driver(f);
    ag_engine *e = test_engine(fault_url(url), &o);
    ag_connection *c = test_connect(e);
    test_do(c, "create table acc (id text primary key, n integer)");
    test_do(c, "insert into acc values ('a', 100), ('b', 0)");
    tx(c, "commit");
    ag_connection_unref(c);
    unsigned hits = 0;
    for (size_t p = 0; p < sizeof points / sizeof *points; p++) {
        for (int k = 1; k <= 6; k++) {
            for (size_t kind = 0; kind < 3; kind++) {
                (void)snprintf(plan, sizeof plan, "%s:%d:%s", points[p], k, kinds[kind]);
                must(ag_fault_plan(f, plan, &err), &err);
                ag_status st = transfer(e, &err);
                hits += ag_fault_hits(f) > 0;
                ag_error_clear(&err);
                must(ag_fault_plan(f, "", &err), &err);
                check_accounts(e, st == AG_OK, plan);
            }
        }
    }
    assert_true(hits > 20);
    ag_engine_unref(e);
    ag_fault_free(f);
}

/* ---- out of memory ---- */

static ag_status step_all(ag_op *op, ag_error *err)
{
    ag_status st = test_run(op, &host, err);
    ag_op_clear(op);
    return st;
}

static ag_status run_text(ag_connection *c, const char *text, ag_error *err)
{
    ag_exec_op op;
    ag_exec_request req = {.text = text, .text_len = strlen(text)};
    AG_TRY(ag_exec_init(&op, c, &req, 1, err));
    return step_all(&op.op, err);
}

static ag_status end(ag_connection *c, bool commit, ag_error *err)
{
    ag_tx_op op;
    if (commit)
        AG_TRY(ag_connection_commit_init(&op, c, err));
    else
        AG_TRY(ag_connection_rollback_init(&op, c, err));
    return step_all(&op.op, err);
}

static ag_status use_connection(ag_connection *c, ag_error *err)
{
    ag_tx_op op;
    ag_transaction *t = NULL;
    AG_TRY(run_text(c, "create table t (x integer primary key)", err));
    AG_TRY(ag_begin_nested_init(&op, c, err));
    ag_status st = test_run(&op.op, &host, err);
    t = op.tx;
    op.tx = NULL;
    ag_op_clear(&op.op);
    AG_TRY(st);
    st = run_text(c, "insert into t values (1), (2)", err);
    if (st == AG_OK && (st = ag_tx_rollback_init(&op, t, err)) == AG_OK)
        st = step_all(&op.op, err);
    ag_transaction_unref(t);
    AG_TRY(st);
    AG_TRY(run_text(c, "insert into t values (3)", err));
    AG_TRY(end(c, true, err));
    return run_text(c, "select * from t", err);
}

static ag_status sweep_connection(ag_engine *e, ag_error *err)
{
    ag_connect_op op;
    AG_TRY(ag_connect_init(&op, e, "sweep", err));
    ag_status st = test_run(&op.op, &host, err);
    ag_connection *c = op.conn;
    op.conn = NULL;
    ag_op_clear(&op.op);
    if (st != AG_OK)
        return st;
    st = use_connection(c, err);
    ag_conn_op close;
    if (st == AG_OK && (st = ag_close_init(&close, c, err)) == AG_OK)
        st = step_all(&close.op, err);
    ag_connection_unref(c);
    return st;
}

static ag_status sweep_work(const ag_alloc *a, void *ud)
{
    static const char text[] = "sqlite://";
    ag_error err;
    ag_url *u;
    ag_engine *e;
    ag_engine_options o = ag_engine_options_default();
    (void)ud;
    test_host_init(&host);
    o.driver = ag_driver_sqlite();
    o.host = &host.base;
    o.echo = AG_ECHO_ON;
    ag_error_init(&err, a);
    ag_status st = ag_url_parse(&u, a, text, sizeof text - 1, &err);
    if (st == AG_OK) {
        st = ag_engine_new(&e, a, u, &o, &err);
        ag_url_unref(u);
    }
    if (st == AG_OK) {
        ag_engine_set_events(e, ~(uint64_t)0 & ~AG_EV_BIT(AG_EV_DO_CONNECT));
        ag_pool_set_events(ag_engine_pool(e), ~(uint64_t)0 & ~AG_EV_BIT(AG_EV_DO_CONNECT));
        st = sweep_connection(e, &err);
        ag_engine_unref(e);
    }
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
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_sets_that_are_filled),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_long_parameters_are_cut),
        cmocka_unit_test(test_session_settings_go_back),
        cmocka_unit_test(test_urls_that_name_no_file),
        cmocka_unit_test(test_dispose),
        cmocka_unit_test(test_busy_connection),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

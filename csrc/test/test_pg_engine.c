/* The engine on PostgreSQL: pipelined BEGIN, aborted transactions, lost connections, deadlines, two-phase,
 * streams, stale plans. Needs ARGENT_PG_URL; without it the program exits 77. */
#include "test/engine_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static test_host host;

static ag_engine *pg(ag_engine_options *o)
{
    ag_engine_options own = ag_engine_options_default();
    test_host_init(&host);
    if (!o)
        o = &own;
    o->host = &host.base;
    return test_engine(test_pg_url(), o);
}

static void tx(ag_connection *c, const char *what)
{
    ag_error err = {0};
    ag_transaction_unref(test_tx(c, what, &err));
    if (err.set)
        fail_msg("%s: %s", what, ag_error_message(&err));
}

static void must(ag_status st, ag_error *err)
{
    if (st != AG_OK)
        fail_msg("%s", ag_error_message(err));
}

static void assert_fails(ag_connection *c, const char *text, ag_exc cls, const char *says)
{
    ag_error err = {0};
    assert_null(test_exec(c, text, &err));
    if (err.cls != cls || !strstr(ag_error_message(&err), says))
        fail_msg("%s: %s: %s", text, ag_exc_name(err.cls), ag_error_message(&err));
    ag_error_clear(&err);
}

static void fresh_table(ag_engine *e)
{
    ag_connection *c = test_connect(e);
    test_do(c, "drop table if exists ag_t");
    test_do(c, "create table ag_t (x integer primary key, s text)");
    tx(c, "commit");
    ag_connection_unref(c);
}

static void test_transactions(void **state)
{
    (void)state;
    ag_engine *e = pg(NULL);
    fresh_table(e);
    ag_connection *a = test_connect(e), *b = test_connect(e);
    test_do(a, "insert into ag_t values (1)");
    assert_int_equal(test_int(b, "select count(*) from ag_t"), 0);
    tx(a, "commit");
    tx(b, "rollback");
    assert_int_equal(test_int(b, "select count(*) from ag_t"), 1);
    test_do(a, "insert into ag_t values (2)");
    ag_connection_release(a);
    ag_connection_unref(a);
    a = test_connect(e); /* collects the rollback */
    assert_int_equal(test_int(a, "select count(*) from ag_t"), 1);
    ag_connection_unref(a);
    ag_connection_unref(b);
    ag_engine_unref(e);
}

static void test_savepoints(void **state)
{
    (void)state;
    ag_engine *e = pg(NULL);
    fresh_table(e);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    test_do(c, "insert into ag_t values (1)");
    ag_transaction *a = test_tx(c, "nested", &err);
    assert_fails(c, "insert into ag_t values (1)", AG_EXC_INTEGRITY, "duplicate key");
    assert_fails(c, "select 1", AG_EXC_INTERNAL, "current transaction is aborted");
    assert_int_equal(test_tx_end(a, "commit", &err), AG_ERROR);
    assert_string_equal(err.sqlstate, "25P02");
    ag_error_clear(&err);
    must(test_tx_end(a, "rollback", &err), &err);
    ag_transaction_unref(a);
    a = test_tx(c, "nested", &err);
    test_do(c, "insert into ag_t values (2)");
    must(test_tx_end(a, "commit", &err), &err);
    ag_transaction_unref(a);
    a = test_tx(c, "nested", &err); /* never reaches the server */
    must(test_tx_end(a, "rollback", &err), &err);
    ag_transaction_unref(a);
    a = test_tx(c, "nested", &err);
    test_do(c, "insert into ag_t values (3)");
    ag_transaction_release(a);
    ag_transaction_unref(a);
    tx(c, "commit");
    assert_int_equal(test_int(c, "select sum(x) from ag_t"), 3);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_commit_of_an_aborted_transaction(void **state)
{
    (void)state;
    ag_engine *e = pg(NULL);
    fresh_table(e);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    test_do(c, "insert into ag_t values (1)");
    assert_fails(c, "select nonsense", AG_EXC_PROGRAMMING, "does not exist");
    assert_null(test_tx(c, "commit", &err));
    assert_non_null(strstr(ag_error_message(&err), "did not commit"));
    assert_string_equal(err.sqlstate, "25P02");
    ag_error_clear(&err);
    assert_fails(c, "select 1", AG_EXC_PENDING_ROLLBACK, "inactive transaction");
    tx(c, "rollback");
    assert_int_equal(test_int(c, "select count(*) from ag_t"), 0);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_commit_that_fails(void **state)
{
    (void)state;
    ag_engine *e = pg(NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    test_do(c, "drop table if exists ag_child");
    test_do(c, "create table ag_child (x integer unique deferrable initially deferred)");
    tx(c, "commit");
    test_do(c, "insert into ag_child values (1), (1)");
    assert_null(test_tx(c, "commit", &err));
    assert_int_equal(err.cls, AG_EXC_INTEGRITY);
    ag_error_clear(&err);
    assert_fails(c, "select 1", AG_EXC_PENDING_ROLLBACK, "inactive");
    tx(c, "rollback");
    assert_int_equal(test_int(c, "select count(*) from ag_child"), 0);
    test_do(c, "drop table ag_child");
    tx(c, "commit");
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_isolation_in_begin(void **state)
{
    (void)state;
    ag_engine_options o = ag_engine_options_default();
    o.exec = (ag_exec_options){.has = AG_XO_ISOLATION | AG_XO_READONLY | AG_XO_DEFERRABLE,
                               .isolation = AG_ISO_SERIALIZABLE,
                               .readonly = true,
                               .deferrable = true};
    o.echo = AG_ECHO_ON;
    ag_engine *e = pg(&o);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    assert_int_equal(test_int(c, "select (current_setting('transaction_isolation') = 'serializable')::int"), 1);
    assert_int_equal(test_int(c, "select (current_setting('transaction_read_only') = 'on')::int"), 1);
    assert_non_null(strstr(host.log, "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE (implicit)\n"));
    assert_non_null(strstr(host.log, "[raw sql] ()"));
    tx(c, "rollback");
    ag_exec_options x = {.has = AG_XO_ISOLATION, .isolation = AG_ISO_AUTOCOMMIT};
    must(ag_connection_set_options(c, &x, &err), &err);
    test_int(c, "select pg_current_xact_id()::text::bigint");
    tx(c, "commit");
    ag_connection_unref(c);
    c = test_connect(e);
    ag_conn_op op;
    must(ag_get_isolation_init(&op, c, &err), &err);
    must(test_run(&op.op, &host, &err), &err);
    assert_int_equal(op.result, AG_ISO_SERIALIZABLE);
    ag_op_clear(&op.op);
    ag_connection_unref(c);
    ag_engine_unref(e);
    e = pg(NULL);
    c = test_connect(e);
    must(ag_get_isolation_init(&op, c, &err), &err);
    must(test_run(&op.op, &host, &err), &err);
    assert_int_equal(op.result, AG_ISO_READ_COMMITTED);
    ag_op_clear(&op.op);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void kill_backend(ag_engine *e, ag_connection *victim)
{
    ag_connection *k = test_connect(e);
    char text[100];
    const ag_driver *d = ag_engine_driver(e);
    (void)snprintf(text, sizeof text, "select pg_terminate_backend(%lld, 5000)::int",
                   (long long)d->backend_id(ag_pconn_driver(ag_connection_pconn(victim))));
    assert_int_equal(test_int(k, text), 1);
    ag_connection_unref(k);
}

static void test_lost_connection(void **state)
{
    (void)state;
    ag_engine *e = pg(NULL);
    ag_connection *c = test_connect(e), *other = test_connect(e);
    ag_error err = {0};
    test_int(other, "select 1");
    ag_connection_unref(other); /* idle, of the same generation */
    test_int(c, "select 1");
    kill_backend(e, c);
    assert_null(test_exec(c, "select 1", &err));
    assert_true(err.disconnect);
    assert_int_equal(err.cls, AG_EXC_OPERATIONAL);
    ag_error_clear(&err);
    assert_true(ag_connection_is_invalidated(c));
    assert_fails(c, "select 1", AG_EXC_PENDING_ROLLBACK, "Can't reconnect until invalid transaction is rolled back");
    tx(c, "rollback");
    assert_int_equal(test_int(c, "select 1"), 1);
    /* killed while idle in the pool: noticed at checkout */
    ag_pool_stats s;
    other = test_connect(e);
    kill_backend(e, other);
    ag_connection_unref(other);
    other = test_connect(e);
    assert_int_equal(test_int(other, "select 1"), 1);
    ag_pool_stats_get(ag_engine_pool(e), &s);
    assert_true(s.invalidated > 0);
    ag_connection_unref(other);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_lost_during_commit(void **state)
{
    (void)state;
    ag_engine *e = pg(NULL);
    fresh_table(e);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_tx_op op;
    test_do(c, "insert into ag_t values (1)");
    kill_backend(e, c);
    must(ag_connection_commit_init(&op, c, &err), &err);
    assert_int_equal(test_run(&op.op, &host, &err), AG_ERROR);
    assert_true(err.disconnect);
    assert_true(op.outcome_unknown);
    assert_non_null(strstr(err.hint, "whether it happened is not known"));
    ag_error_clear(&err);
    ag_op_clear(&op.op);
    tx(c, "rollback");
    assert_int_equal(test_int(c, "select count(*) from ag_t"), 0);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_deadline(void **state)
{
    (void)state;
    ag_engine *e = pg(NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_exec_options x = {.has = AG_XO_TIMEOUT, .timeout_us = 100000};
    static const char text[] = "select pg_sleep(30)";
    ag_exec_request req = {.text = text, .text_len = sizeof text - 1, .options = &x};
    ag_exec_op op;
    int64_t began = ag_now_us();
    must(ag_exec_init(&op, c, &req, 1, &err), &err);
    assert_int_equal(test_run(&op.op, &host, &err), AG_ERROR);
    assert_true(ag_now_us() - began < 5000000);
    assert_int_equal(err.cls, AG_EXC_OPERATIONAL);
    assert_string_equal(err.sqlstate, "57014");
    assert_string_equal(err.hint, "the statement's timeout has passed");
    ag_error_clear(&err);
    ag_op_clear(&op.op);
    tx(c, "rollback");
    assert_int_equal(test_int(c, "select 1"), 1);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_abandoned_statement(void **state)
{
    (void)state;
    ag_engine_options o = ag_engine_options_default();
    o.pool_options.size = 1;
    o.pool_options.max_overflow = 0;
    ag_engine *e = pg(&o);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    static const char text[] = "select pg_sleep(30)";
    ag_exec_request req = {.text = text, .text_len = sizeof text - 1};
    ag_exec_op op;
    int64_t began = ag_now_us();
    must(ag_exec_init(&op, c, &req, 1, &err), &err);
    assert_int_equal(ag_op_step(&op.op, &err), AG_STEP_WAIT);
    assert_fails(c, "select 1", AG_EXC_INVALID_REQUEST, "\"execute\" is under way");
    ag_op_clear(&op.op); /* the coroutine died */
    assert_fails(c, "select 1", AG_EXC_PENDING_ROLLBACK, "inactive");
    tx(c, "rollback");
    assert_int_equal(test_int(c, "select 1"), 1);
    assert_true(ag_now_us() - began < 5000000);
    /* the handle goes first, the op later */
    must(ag_exec_init(&op, c, &req, 1, &err), &err);
    assert_int_equal(ag_op_step(&op.op, &err), AG_STEP_WAIT);
    ag_connection_release(c);
    ag_connection_unref(c);
    assert_int_equal(ag_op_step(&op.op, &err), AG_STEP_FAILED);
    assert_int_equal(err.cls, AG_EXC_RESOURCE_CLOSED);
    ag_error_clear(&err);
    ag_op_clear(&op.op);
    c = test_connect(e);
    assert_int_equal(test_int(c, "select 1"), 1);
    assert_true(ag_now_us() - began < 5000000);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_two_phase(void **state)
{
    (void)state;
    ag_engine *e = pg(NULL);
    fresh_table(e);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_tx_op op;
    must(ag_begin_twophase_init(&op, c, "it's me", &err), &err);
    must(test_run(&op.op, &host, &err), &err);
    ag_transaction *t = op.tx;
    op.tx = NULL;
    ag_op_clear(&op.op);
    assert_int_equal(ag_transaction_kind(t), AG_TXK_TWOPHASE);
    test_do(c, "insert into ag_t values (1)");
    must(test_tx_end(t, "prepare", &err), &err);
    assert_fails(c, "select 1", AG_EXC_INVALID_REQUEST, "is prepared");
    ag_connection *other = test_connect(e);
    must(ag_recover_init(&op, other, &err), &err);
    must(test_run(&op.op, &host, &err), &err);
    assert_int_equal(op.nxids, 1);
    assert_string_equal(op.xids[0], "it's me");
    ag_op_clear(&op.op);
    must(test_tx_end(t, "commit", &err), &err);
    ag_transaction_unref(t);
    assert_int_equal(test_int(c, "select count(*) from ag_t"), 1);
    tx(c, "rollback");
    /* prepared, lost, recovered by another connection */
    must(ag_begin_twophase_init(&op, c, NULL, &err), &err);
    must(test_run(&op.op, &host, &err), &err);
    t = op.tx;
    op.tx = NULL;
    ag_op_clear(&op.op);
    char xid[100];
    (void)snprintf(xid, sizeof xid, "%s", ag_transaction_xid(t));
    test_do(c, "insert into ag_t values (2)");
    must(test_tx_end(t, "prepare", &err), &err);
    ag_transaction_unref(t);
    ag_connection_unref(c);
    must(ag_prepared_init(&op, other, xid, false, true, &err), &err);
    must(test_run(&op.op, &host, &err), &err);
    ag_op_clear(&op.op);
    assert_int_equal(test_int(other, "select count(*) from ag_t"), 1);
    tx(other, "rollback");
    must(ag_prepared_init(&op, other, "nobody", true, true, &err), &err);
    assert_int_equal(test_run(&op.op, &host, &err), AG_ERROR);
    assert_string_equal(err.sqlstate, "42704");
    ag_error_clear(&err);
    ag_op_clear(&op.op);
    ag_connection_unref(other);
    ag_engine_unref(e);
}

static ag_result *stream(ag_connection *c, const char *text, uint32_t n)
{
    ag_exec_options x = {.has = AG_XO_YIELD_PER, .yield_per = n};
    ag_exec_request req = {.text = text, .text_len = strlen(text), .options = &x};
    ag_exec_op op;
    ag_error err = {0};
    must(ag_exec_init(&op, c, &req, 1, &err), &err);
    must(test_run(&op.op, &host, &err), &err);
    ag_result *r = ag_exec_take(&op, 0);
    ag_op_clear(&op.op);
    return r;
}

static size_t read_all(ag_result *r, int64_t *sum)
{
    size_t n = 0;
    ag_error err = {0};
    for (;;) {
        const ag_row *row;
        ag_value v;
        ag_fetch_op op;
        switch (ag_result_next_row(r, &row, &err)) {
        case AG_NEXT_ROW:
            ag_row_get(&v, row, 0);
            *sum += v.u.i;
            n++;
            break;
        case AG_NEXT_FETCH:
            must(ag_fetch_init(&op, r, false, &err), &err);
            must(test_run(&op.op, &host, &err), &err);
            ag_op_clear(&op.op);
            break;
        case AG_NEXT_ERROR: fail_msg("%s", ag_error_message(&err)); return 0;
        case AG_NEXT_END: return n;
        }
    }
}

static void test_streams(void **state)
{
    (void)state;
    ag_engine *e = pg(NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    const ag_row *row;
    int64_t sum = 0;
    ag_result *r = stream(c, "select * from generate_series(1, 1000)", 7);
    assert_int_equal(test_int(c, "select 42"), 42); /* other statements go on beside it */
    assert_int_equal(read_all(r, &sum), 1000);
    assert_int_equal(sum, 500500);
    ag_result_unref(r);
    r = stream(c, "select * from generate_series(1, 1000)", 10);
    assert_int_equal(ag_result_next_row(r, &row, &err), AG_NEXT_ROW);
    tx(c, "commit");
    assert_int_equal(ag_result_next_row(r, &row, &err), AG_NEXT_ERROR);
    assert_int_equal(err.cls, AG_EXC_RESOURCE_CLOSED);
    assert_non_null(strstr(ag_error_message(&err), "commit ended its cursor"));
    ag_error_clear(&err);
    ag_result_unref(r);
    /* outside a transaction there is no cursor: all rows at once */
    ag_exec_options x = {.has = AG_XO_ISOLATION, .isolation = AG_ISO_AUTOCOMMIT};
    must(ag_connection_set_options(c, &x, &err), &err);
    r = stream(c, "select * from generate_series(1, 1000)", 10);
    assert_false(ag_result_is_streaming(r));
    assert_int_equal(ag_result_remaining(r), 1000);
    ag_result_unref(r);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_stale_plan_is_repeated(void **state)
{
    (void)state;
    ag_engine *e = pg(NULL);
    fresh_table(e);
    ag_connection *c = test_connect(e), *d = test_connect(e);
    ag_error err = {0};
    test_do(c, "insert into ag_t values (1)");
    tx(c, "commit");
    for (int i = 0; i < 3; i++) {
        test_do(c, "select * from ag_t");
        tx(c, "commit");
    }
    test_do(d, "alter table ag_t add column more integer default 5");
    tx(d, "commit");
    test_do(c, "select * from ag_t"); /* first in its transaction: repeated, unseen */
    tx(c, "commit");
    test_do(d, "alter table ag_t drop column more");
    tx(d, "commit");
    test_int(c, "select 1");
    assert_null(test_exec(c, "select * from ag_t", &err));
    assert_string_equal(err.sqlstate, "0A000");
    assert_true(err.retryable);
    ag_error_clear(&err);
    ag_connection_unref(c);
    ag_connection_unref(d);
    ag_engine_unref(e);
}

static void test_session_changes_are_discarded(void **state)
{
    (void)state;
    ag_engine_options o = ag_engine_options_default();
    o.pool_options.size = 1;
    o.pool_options.max_overflow = 0;
    ag_engine *e = pg(&o);
    ag_connection *c = test_connect(e);
    test_do(c, "set work_mem = '17MB'");
    test_do(c, "create temporary table ag_temp (x integer)");
    test_do(c, "select pg_advisory_lock(4711)");
    tx(c, "commit");
    ag_connection_unref(c);
    c = test_connect(e);
    assert_int_equal(test_int(c, "select (current_setting('work_mem') = '17MB')::int"), 0);
    assert_int_equal(test_int(c, "select count(*) from pg_locks where locktype = 'advisory'"), 0);
    assert_int_equal(test_int(c, "select count(*) from pg_class where relname = 'ag_temp'"), 0);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_segments(void **state)
{
    (void)state;
    ag_engine *e = pg(NULL);
    fresh_table(e);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_value one = ag_value_int(1), two = ag_value_int(2);
    ag_exec_request reqs[] = {
        {.text = "insert into ag_t values ($1)", .text_len = 28, .params = {.nsets = 1, .nkeys = 1, .values = &one}},
        {.text = "insert into ag_t values ($1)", .text_len = 28, .params = {.nsets = 1, .nkeys = 1, .values = &two}},
        {.text = "select sum(x) from ag_t", .text_len = 23},
    };
    ag_exec_op op;
    must(ag_exec_init(&op, c, reqs, 3, &err), &err);
    must(test_run(&op.op, &host, &err), &err);
    ag_result *r = ag_exec_take(&op, 2);
    const ag_row *row;
    ag_value v;
    assert_int_equal(ag_result_next_row(r, &row, &err), AG_NEXT_ROW);
    ag_row_get(&v, row, 0);
    assert_int_equal(v.u.i, 3);
    ag_result_unref(r);
    r = ag_exec_take(&op, 0);
    assert_int_equal(ag_result_rowcount(r), 1);
    assert_string_equal(ag_result_tag(r), "INSERT 0 1");
    ag_result_unref(r);
    assert_null(ag_exec_take(&op, 0));
    ag_op_clear(&op.op);
    must(ag_exec_init(&op, c, reqs, 3, &err), &err);
    assert_int_equal(test_run(&op.op, &host, &err), AG_ERROR);
    assert_int_equal(err.cls, AG_EXC_INTEGRITY);
    assert_int_equal(op.failed, 0);
    size_t len;
    assert_string_equal(ag_exec_error_text(&op, &len), "insert into ag_t values ($1)");
    assert_int_equal(len, 28);
    assert_string_equal(ag_exec_error_params(&op), "(1)");
    ag_error_clear(&err);
    ag_op_clear(&op.op);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

int main(void)
{
    if (!test_pg_url()) {
        puts("skipped: ARGENT_PG_URL is not set, or the driver was not built");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transactions),
        cmocka_unit_test(test_savepoints),
        cmocka_unit_test(test_commit_of_an_aborted_transaction),
        cmocka_unit_test(test_commit_that_fails),
        cmocka_unit_test(test_isolation_in_begin),
        cmocka_unit_test(test_lost_connection),
        cmocka_unit_test(test_lost_during_commit),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_abandoned_statement),
        cmocka_unit_test(test_two_phase),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_stale_plan_is_repeated),
        cmocka_unit_test(test_session_changes_are_discarded),
        cmocka_unit_test(test_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

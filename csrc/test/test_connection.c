/* Connections and transactions on SQLite: autobegin, savepoints, isolation, the write token, sharing, closing. */
#include "test/engine_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_fails(ag_connection *c, const char *text, ag_exc cls, const char *says)
{
    ag_error err = {0};
    assert_null(test_exec(c, text, &err));
    if (err.cls != cls || !strstr(ag_error_message(&err), says))
        fail_msg("%s: %s: %s", text, ag_exc_name(err.cls), ag_error_message(&err));
    ag_error_clear(&err);
}

static void must(ag_status st, ag_error *err)
{
    if (st != AG_OK)
        fail_msg("%s", ag_error_message(err));
}

static void tx(ag_connection *c, const char *what)
{
    ag_error err = {0};
    ag_transaction *t = test_tx(c, what, &err);
    if (err.set)
        fail_msg("%s: %s", what, ag_error_message(&err));
    ag_transaction_unref(t);
}

static void test_autobegin_commit_rollback(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    assert_false(ag_connection_in_transaction(c));
    test_do(c, "create table t (x integer)");
    assert_true(ag_connection_in_transaction(c));
    tx(c, "commit");
    assert_false(ag_connection_in_transaction(c));
    test_do(c, "insert into t values (1)");
    tx(c, "rollback");
    assert_int_equal(test_int(c, "select count(*) from t"), 0);
    test_do(c, "insert into t values (2)");
    tx(c, "commit");
    tx(c, "commit"); /* nothing to do is no error */
    tx(c, "rollback");
    assert_int_equal(test_int(c, "select x from t"), 2);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_begin_refuses_a_second(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_transaction *t = test_tx(c, "begin", &err);
    assert_non_null(t);
    assert_null(test_tx(c, "begin", &err));
    assert_int_equal(err.cls, AG_EXC_INVALID_REQUEST);
    assert_non_null(strstr(ag_error_message(&err), "already initialized"));
    ag_error_clear(&err);
    must(test_tx_end(t, "commit", &err), &err);
    assert_false(ag_transaction_is_active(t));
    assert_int_equal(test_tx_end(t, "commit", &err), AG_ERROR);
    assert_non_null(strstr(ag_error_message(&err), "This transaction is inactive"));
    ag_error_clear(&err);
    must(test_tx_end(t, "rollback", &err), &err);
    must(test_tx_end(t, "close", &err), &err);
    ag_transaction_unref(t);
    test_int(c, "select 1"); /* autobegins */
    assert_null(test_tx(c, "begin", &err));
    ag_error_clear(&err);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_savepoints(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    test_do(c, "create table t (x integer)");
    tx(c, "commit");
    test_do(c, "insert into t values (1)");
    ag_transaction *a = test_tx(c, "nested", &err);
    test_do(c, "insert into t values (2)");
    ag_transaction *b = test_tx(c, "nested", &err);
    assert_ptr_equal(ag_connection_nested(c), b);
    test_do(c, "insert into t values (3)");
    must(test_tx_end(b, "rollback", &err), &err);
    assert_ptr_equal(ag_connection_nested(c), a);
    assert_int_equal(test_int(c, "select count(*) from t"), 2);
    must(test_tx_end(a, "commit", &err), &err);
    assert_null(ag_connection_nested(c));
    assert_int_equal(test_tx_end(a, "commit", &err), AG_ERROR);
    assert_non_null(strstr(ag_error_message(&err), "This nested transaction is inactive"));
    ag_error_clear(&err);
    ag_transaction_unref(a);
    ag_transaction_unref(b);
    /* the outer one ends the inner ones */
    a = test_tx(c, "nested", &err);
    b = test_tx(c, "nested", &err);
    test_do(c, "insert into t values (4)");
    must(test_tx_end(a, "rollback", &err), &err);
    assert_false(ag_transaction_is_active(b));
    assert_false(ag_connection_in_nested(c));
    ag_transaction_unref(a);
    ag_transaction_unref(b);
    /* the root commits over an open savepoint */
    a = test_tx(c, "nested", &err);
    test_do(c, "insert into t values (5)");
    tx(c, "commit");
    assert_false(ag_transaction_is_active(a));
    ag_transaction_unref(a);
    assert_int_equal(test_int(c, "select sum(x) from t"), 8);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_savepoint_released_without_waiting(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    test_do(c, "create table t (x integer)");
    tx(c, "commit");
    test_do(c, "insert into t values (1)");
    ag_transaction *a = test_tx(c, "nested", &err);
    test_do(c, "insert into t values (2)");
    ag_transaction_release(a);
    ag_transaction_unref(a);
    assert_int_equal(test_int(c, "select count(*) from t"), 1);
    ag_transaction *root = ag_transaction_ref(ag_connection_transaction(c));
    ag_transaction_release(root);
    assert_false(ag_transaction_is_active(root));
    ag_transaction_unref(root);
    assert_int_equal(test_int(c, "select count(*) from t"), 0);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_closed_handles(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_transaction *t = test_tx(c, "begin", &err);
    test_do(c, "create table t (x integer)");
    ag_conn_op op;
    must(ag_close_init(&op, c, &err), &err);
    must(ag_op_run(&op.op, &err), &err);
    ag_op_clear(&op.op);
    assert_true(ag_connection_is_closed(c));
    assert_false(ag_transaction_is_active(t));
    assert_fails(c, "select 1", AG_EXC_RESOURCE_CLOSED, "This Connection is closed");
    assert_int_equal(test_tx_end(t, "commit", &err), AG_ERROR);
    assert_int_equal(err.cls, AG_EXC_RESOURCE_CLOSED);
    ag_error_clear(&err);
    must(test_tx_end(t, "close", &err), &err);
    must(ag_close_init(&op, c, &err), &err);
    must(ag_op_run(&op.op, &err), &err);
    ag_op_clear(&op.op);
    ag_transaction_unref(t);
    ag_connection_release(c);
    ag_connection_unref(c);
    c = test_connect(e);
    assert_fails(c, "select * from t", AG_EXC_PROGRAMMING, "no such table");
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_reads_begin_nothing(void **state)
{
    (void)state;
    ag_engine *e = test_engine(NULL, NULL);
    ag_connection *a = test_connect(e), *b = test_connect(e);
    test_do(a, "create table t (x integer)");
    tx(a, "commit");
    assert_int_equal(test_int(a, "select count(*) from t"), 0);
    assert_true(ag_connection_in_transaction(a));
    test_do(b, "insert into t values (1)");
    tx(b, "commit");
    /* no snapshot was taken */
    assert_int_equal(test_int(a, "select count(*) from t"), 1);
    ag_connection_unref(a);
    ag_connection_unref(b);
    ag_engine_unref(e);
}

static ag_engine *with_isolation(ag_isolation iso)
{
    ag_engine_options o = ag_engine_options_default();
    o.exec = (ag_exec_options){.has = AG_XO_ISOLATION, .isolation = iso};
    return test_engine(NULL, &o);
}

static void test_deferred_reads_a_snapshot(void **state)
{
    (void)state;
    ag_engine *e = with_isolation(AG_ISO_DEFERRED);
    ag_connection *a = test_connect(e), *b = test_connect(e);
    ag_error err = {0};
    test_do(a, "pragma journal_mode = wal");
    test_do(a, "create table t (x integer)");
    tx(a, "commit");
    assert_int_equal(test_int(a, "select count(*) from t"), 0);
    test_do(b, "insert into t values (1)");
    tx(b, "commit");
    assert_int_equal(test_int(a, "select count(*) from t"), 0);
    ag_result *r = test_exec(a, "insert into t values (2)", &err); /* a snapshot that is too old */
    assert_null(r);
    assert_int_equal(err.code, 517);
    assert_true(err.retryable);
    ag_error_clear(&err);
    tx(a, "rollback");
    ag_connection_unref(a);
    ag_connection_unref(b);
    ag_engine_unref(e);
}

static void test_autocommit(void **state)
{
    (void)state;
    ag_engine *e = with_isolation(AG_ISO_AUTOCOMMIT);
    ag_connection *a = test_connect(e), *b = test_connect(e);
    ag_error err = {0};
    test_do(a, "create table t (x integer)");
    test_do(a, "insert into t values (1)");
    assert_int_equal(test_int(b, "select count(*) from t"), 1);
    tx(a, "rollback");
    assert_int_equal(test_int(b, "select count(*) from t"), 1);
    assert_null(test_tx(a, "nested", &err));
    assert_int_equal(err.cls, AG_EXC_INVALID_REQUEST);
    ag_error_clear(&err);
    /* VACUUM refuses a transaction */
    test_do(a, "vacuum");
    ag_connection_unref(a);
    ag_connection_unref(b);
    ag_engine_unref(e);
}

static void test_isolation_options(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_exec_options x = {.has = AG_XO_ISOLATION, .isolation = AG_ISO_REPEATABLE_READ};
    assert_int_equal(ag_connection_set_options(c, &x, &err), AG_ERROR);
    assert_non_null(strstr(ag_error_message(&err), "Valid isolation levels for sqlite are"));
    ag_error_clear(&err);
    x.isolation = AG_ISO_READ_UNCOMMITTED;
    must(ag_connection_set_options(c, &x, &err), &err);
    assert_int_equal(test_int(c, "pragma read_uncommitted"), 0); /* control text: outside */
    test_int(c, "select 1");
    assert_int_equal(test_int(c, "pragma read_uncommitted"), 1);
    x.isolation = AG_ISO_SERIALIZABLE;
    assert_int_equal(ag_connection_set_options(c, &x, &err), AG_ERROR);
    assert_int_equal(err.cls, AG_EXC_INVALID_REQUEST);
    ag_error_clear(&err);
    ag_connection_unref(c);
    c = test_connect(e);
    test_int(c, "select 1");
    assert_int_equal(test_int(c, "pragma read_uncommitted"), 0);
    ag_conn_op op;
    must(ag_get_isolation_init(&op, c, &err), &err);
    must(ag_op_run(&op.op, &err), &err);
    assert_int_equal(op.result, AG_ISO_SERIALIZABLE);
    ag_op_clear(&op.op);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_write_token(void **state)
{
    (void)state;
    test_host h;
    test_host_init(&h);
    h.base.has_scheduler = true;
    ag_engine_options o = ag_engine_options_default();
    o.host = &h.base;
    ag_engine *e = test_engine(NULL, &o);
    ag_connection *a = test_connect(e), *b = test_connect(e);
    ag_error err = {0};
    test_do(a, "create table t (x integer)");
    tx(a, "commit");
    test_do(a, "insert into t values (0)");
    tx(a, "rollback");
    test_do(a, "delete from t");
    /* b parks until a commits, and is woken */
    ag_exec_op op;
    static const char text[] = "insert into t values (1)";
    ag_exec_request req = {.text = text, .text_len = sizeof text - 1};
    must(ag_exec_init(&op, b, &req, 1, &err), &err);
    assert_int_equal(ag_op_step(&op.op, &err), AG_STEP_WAIT);
    assert_non_null(op.op.wait.token);
    assert_int_equal(op.op.wait.fd, -1);
    assert_int_equal(ag_op_step(&op.op, &err), AG_STEP_WAIT);
    assert_int_equal(h.wakes, 0);
    tx(a, "commit");
    assert_int_equal(h.wakes, 1);
    assert_ptr_equal(h.last_token, op.op.wait.token);
    assert_int_equal(ag_op_step(&op.op, &err), AG_STEP_DONE);
    ag_op_clear(&op.op);
    /* a waiter that gives up passes the token on */
    must(ag_exec_init(&op, a, &req, 1, &err), &err);
    assert_int_equal(ag_op_step(&op.op, &err), AG_STEP_WAIT);
    tx(b, "commit");
    ag_op_clear(&op.op);
    test_do(b, "insert into t values (2)");
    tx(b, "commit");
    assert_int_equal(test_int(a, "select count(*) from t"), 2);
    /* the token is freed when the writer's handle goes */
    test_do(b, "insert into t values (3)");
    ag_connection_unref(b);
    test_do(a, "insert into t values (4)");
    tx(a, "commit");
    assert_int_equal(test_int(a, "select count(*) from t"), 3);
    ag_connection_unref(a);
    ag_engine_unref(e);
}

static void test_write_token_without_scheduler(void **state)
{
    (void)state;
    ag_engine *e = test_engine(NULL, NULL);
    ag_connection *a = test_connect(e), *b = test_connect(e);
    test_do(a, "create table t (x integer)");
    tx(a, "commit");
    test_do(a, "insert into t values (0)");
    assert_fails(b, "insert into t values (1)", AG_EXC_OPERATIONAL, "database is locked: connection 1");
    tx(a, "commit");
    test_do(b, "insert into t values (1)");
    ag_connection_unref(a);
    ag_connection_unref(b);
    ag_engine_unref(e);
}

static void test_shared_memory(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *a = test_connect(e), *b = test_connect(e);
    ag_error err = {0};
    test_do(a, "create table t (x integer)");
    /* b's statement runs inside a's transaction; ending it is a's affair */
    test_do(b, "insert into t values (1)");
    assert_null(test_tx(b, "commit", &err));
    assert_true(err.set);
    assert_int_equal(err.cls, AG_EXC_INVALID_REQUEST);
    assert_non_null(strstr(ag_error_message(&err), "belongs to connection 1, borrowed at test"));
    ag_error_clear(&err);
    assert_null(test_tx(b, "rollback", &err));
    assert_true(err.set);
    ag_error_clear(&err);
    assert_null(test_tx(b, "nested", &err));
    assert_true(err.set);
    ag_error_clear(&err);
    tx(a, "commit");
    tx(b, "commit");
    assert_int_equal(test_int(b, "select count(*) from t"), 1);
    /* closing b does not touch a's transaction */
    test_do(a, "insert into t values (2)");
    ag_connection_unref(b);
    tx(a, "commit");
    assert_int_equal(test_int(a, "select count(*) from t"), 2);
    /* closing a does */
    b = test_connect(e);
    test_do(a, "insert into t values (3)");
    ag_connection_unref(a);
    assert_int_equal(test_int(b, "select count(*) from t"), 2);
    test_do(b, "insert into t values (4)");
    tx(b, "commit");
    ag_connection_unref(b);
    b = test_connect(e);
    assert_int_equal(test_int(b, "select count(*) from t"), 3);
    ag_connection_unref(b);
    ag_engine_unref(e);
}

static void test_blocks(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_transaction *t = test_tx(c, "begin", &err);
    ag_transaction_set_block(t, true);
    test_int(c, "select 1");
    tx(c, "commit");
    assert_fails(c, "select 1", AG_EXC_INVALID_REQUEST, "Can't operate on closed transaction inside its block");
    ag_transaction_set_block(t, false);
    test_int(c, "select 1");
    ag_transaction_unref(t);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_database_ends_the_transaction(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    test_do(c, "create table t (x integer unique on conflict rollback)");
    tx(c, "commit");
    test_do(c, "insert into t values (1)");
    assert_fails(c, "insert into t values (1)", AG_EXC_INTEGRITY, "UNIQUE");
    assert_fails(c, "select 1", AG_EXC_PENDING_ROLLBACK, "the database ended it");
    assert_null(test_tx(c, "commit", &err));
    assert_int_equal(err.cls, AG_EXC_PENDING_ROLLBACK);
    ag_error_clear(&err);
    tx(c, "rollback");
    assert_int_equal(test_int(c, "select count(*) from t"), 0);
    /* an ordinary error ends nothing */
    test_do(c, "create table u (x integer unique)");
    test_do(c, "insert into u values (1)");
    assert_fails(c, "insert into u values (1)", AG_EXC_INTEGRITY, "UNIQUE");
    tx(c, "commit");
    assert_int_equal(test_int(c, "select count(*) from u"), 1);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_raw_transactions(void **state)
{
    (void)state;
    ag_engine *e = test_engine("sqlite://", NULL);
    ag_connection *c = test_connect(e);
    test_do(c, "begin");
    test_do(c, "create table t (x integer)");
    test_do(c, "commit");
    test_do(c, "insert into t values (1)");
    tx(c, "rollback");
    assert_int_equal(test_int(c, "select count(*) from t"), 0);
    test_do(c, "begin");
    test_do(c, "insert into t values (1)");
    tx(c, "commit"); /* what raw text began, commit ends */
    assert_int_equal(test_int(c, "select count(*) from t"), 1);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_invalidate(void **state)
{
    (void)state;
    ag_engine *e = test_engine(NULL, NULL);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    test_do(c, "create table t (x integer)");
    tx(c, "commit");
    test_do(c, "insert into t values (1)");
    ag_conn_op op;
    must(ag_invalidate_init(&op, c, NULL, false, &err), &err);
    must(ag_op_run(&op.op, &err), &err);
    ag_op_clear(&op.op);
    assert_true(ag_connection_is_invalidated(c));
    assert_false(ag_connection_is_closed(c));
    assert_fails(c, "select 1", AG_EXC_PENDING_ROLLBACK, "Can't reconnect until invalid transaction is rolled back");
    tx(c, "rollback");
    assert_int_equal(test_int(c, "select count(*) from t"), 0);
    assert_false(ag_connection_is_invalidated(c));
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_detach(void **state)
{
    (void)state;
    ag_engine_options o = ag_engine_options_default();
    o.pool_options.size = 1;
    o.pool_options.max_overflow = 0;
    ag_engine *e = test_engine(NULL, &o);
    ag_connection *c = test_connect(e), *d;
    ag_error err = {0};
    ag_conn_op op;
    must(ag_detach_init(&op, c, &err), &err);
    must(ag_op_run(&op.op, &err), &err);
    ag_op_clear(&op.op);
    d = test_connect(e);
    assert_int_equal(test_int(c, "select 1"), 1);
    ag_connection_unref(c);
    ag_connection_unref(d);
    ag_engine_unref(e);
}

static void test_sub_engine(void **state)
{
    (void)state;
    ag_engine *e = test_engine(NULL, NULL), *sub;
    ag_error err = {0};
    ag_exec_options x = {
        .has = AG_XO_ISOLATION | AG_XO_LOGGING_TOKEN, .isolation = AG_ISO_AUTOCOMMIT, .logging_token = "tok"};
    must(ag_engine_with_options(&sub, e, &x, &err), &err);
    assert_ptr_equal(ag_engine_pool(sub), ag_engine_pool(e));
    assert_ptr_equal(ag_engine_parent(sub), e);
    assert_string_equal(ag_engine_exec_options(sub)->logging_token, "tok");
    ag_engine_unref(e);
    ag_connection *c = test_connect(sub);
    test_do(c, "create table t (x integer)");
    tx(c, "rollback");
    assert_int_equal(test_int(c, "select count(*) from t"), 0);
    ag_connection_unref(c);
    ag_engine_unref(sub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_autobegin_commit_rollback),
        cmocka_unit_test(test_begin_refuses_a_second),
        cmocka_unit_test(test_savepoints),
        cmocka_unit_test(test_savepoint_released_without_waiting),
        cmocka_unit_test(test_closed_handles),
        cmocka_unit_test(test_reads_begin_nothing),
        cmocka_unit_test(test_deferred_reads_a_snapshot),
        cmocka_unit_test(test_autocommit),
        cmocka_unit_test(test_isolation_options),
        cmocka_unit_test(test_write_token),
        cmocka_unit_test(test_write_token_without_scheduler),
        cmocka_unit_test(test_shared_memory),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_database_ends_the_transaction),
        cmocka_unit_test(test_raw_transactions),
        cmocka_unit_test(test_invalidate),
        cmocka_unit_test(test_detach),
        cmocka_unit_test(test_sub_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

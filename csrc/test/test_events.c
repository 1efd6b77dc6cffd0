/* Events: which, in which order, what they may change; and the pipelined segments of a server-like driver
 * (fake_driver). */
#include "test/engine_util.h"
#include "test/fake_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static test_host host;
static fake_driver fake;

#define ALL (~(uint64_t)0 & ~AG_EV_BIT(AG_EV_DO_CONNECT))

static void must(ag_status st, ag_error *err)
{
    if (st != AG_OK)
        fail_msg("%s", ag_error_message(err));
}

static ag_engine *engine(const char *url, uint64_t events)
{
    ag_engine_options o = ag_engine_options_default();
    test_host_init(&host);
    fake_init(&fake);
    o.host = &host.base;
    if (strncmp(url, "fake", 4) == 0)
        o.driver = &fake.base;
    ag_engine *e = test_engine(url, &o);
    ag_engine_set_events(e, events);
    ag_pool_set_events(ag_engine_pool(e), events);
    return e;
}

static void tx(ag_connection *c, const char *what)
{
    ag_error err = {0};
    ag_transaction_unref(test_tx(c, what, &err));
    if (err.set)
        fail_msg("%s: %s", what, ag_error_message(&err));
}

static void end(ag_transaction *t, const char *what)
{
    ag_error err = {0};
    must(test_tx_end(t, what, &err), &err);
    ag_transaction_unref(t);
}

static void assert_events(const char *want)
{
    assert_string_equal(host.events, want);
    host.events[0] = '\0';
}

static void close_conn(ag_connection *c)
{
    ag_conn_op op;
    ag_error err = {0};
    must(ag_close_init(&op, c, &err), &err);
    must(test_run(&op.op, &host, &err), &err);
    ag_op_clear(&op.op);
    ag_connection_unref(c);
}

static void test_order(void **state)
{
    (void)state;
    ag_engine *e = engine("sqlite://", ALL);
    ag_error err = {0};
    ag_connection *c = test_connect(e);
    assert_events("first_connect connect checkout engine_connect");
    test_do(c, "create table t (x integer unique)");
    assert_events("before_execute begin before_cursor_execute do_execute after_cursor_execute after_execute");
    end(test_tx(c, "nested", &err), "commit");
    assert_events("savepoint release_savepoint");
    end(test_tx(c, "nested", &err), "rollback");
    assert_events("savepoint rollback_savepoint");
    tx(c, "commit");
    assert_events("commit");
    tx(c, "commit"); /* nothing to commit, nothing to tell */
    assert_events("");
    end(test_tx(c, "begin", &err), "rollback");
    assert_events("begin rollback");
    assert_null(test_exec(c, "nonsense", &err));
    ag_error_clear(&err);
    assert_events("before_execute begin before_cursor_execute do_execute handle_error");
    close_conn(c);
    assert_events("rollback reset checkin");
    c = test_connect(e);
    assert_events("checkout engine_connect");
    ag_connection_unref(c); /* without an operation: told by the next one */
    assert_events("");
    c = test_connect(e);
    assert_events("reset checkin checkout engine_connect");
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_nobody_listens(void **state)
{
    (void)state;
    ag_engine *e = engine("sqlite://", 0);
    ag_connection *c = test_connect(e);
    test_do(c, "create table t (x)");
    tx(c, "commit");
    close_conn(c);
    assert_events("");
    ag_engine_unref(e);
}

static void test_targets(void **state)
{
    (void)state;
    ag_engine *e = engine("sqlite://", 0), *sub;
    ag_error err = {0};
    ag_exec_options x = {0};
    must(ag_engine_with_options(&sub, e, &x, &err), &err);
    ag_engine_set_events(e, AG_EV_BIT(AG_EV_BEGIN));
    ag_connection *c = test_connect(sub);
    ag_connection_set_events(c, AG_EV_BIT(AG_EV_COMMIT));
    test_do(c, "create table t (x)");
    tx(c, "commit");
    assert_events("begin commit"); /* the parent's and the connection's own */
    ag_connection_unref(c);
    ag_engine_unref(sub);
    ag_engine_unref(e);
}

static ag_status rewrite(test_host *h, ag_event *ev, ag_error *err)
{
    static const ag_value seven = {.kind = AG_V_INT, .u.i = 7};
    (void)h;
    (void)err;
    if (ev->id == AG_EV_BEFORE_CURSOR_EXECUTE) {
        assert_false(ev->u.cursor.executemany);
        ev->u.cursor.new_text = "select ? + 1";
        ev->u.cursor.new_text_len = 12;
        ev->u.cursor.new_values = &seven;
        ev->u.cursor.new_nparams = 1;
    }
    return AG_OK;
}

static void test_rewriting_text_and_values(void **state)
{
    (void)state;
    ag_engine *e = engine("sqlite://", AG_EV_BIT(AG_EV_BEFORE_CURSOR_EXECUTE));
    ag_connection *c = test_connect(e);
    host.on_event = rewrite;
    assert_int_equal(test_int(c, "select 1"), 8);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static ag_status other_request(test_host *h, ag_event *ev, ag_error *err)
{
    static const ag_exec_request req = {.text = "select 99", .text_len = 9};
    (void)h;
    (void)err;
    if (ev->id == AG_EV_BEFORE_EXECUTE)
        ev->u.execute.replace = &req;
    else
        assert_int_equal(ag_result_remaining(ev->u.execute.result), 1);
    return AG_OK;
}

static void test_replacing_the_statement(void **state)
{
    (void)state;
    ag_engine *e = engine("sqlite://", AG_EV_BIT(AG_EV_BEFORE_EXECUTE) | AG_EV_BIT(AG_EV_AFTER_EXECUTE));
    ag_connection *c = test_connect(e);
    host.on_event = other_request;
    assert_int_equal(test_int(c, "select 1"), 99);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static ag_status raise_on(test_host *h, ag_event *ev, ag_error *err)
{
    const ag_event_id *id = h->ud;
    return ev->id == *id ? ag_fail(err, AG_EXC_STATEMENT, "raised in %s", ag_event_name(ev->id)) : AG_OK;
}

static void test_listeners_that_raise(void **state)
{
    (void)state;
    static const ag_event_id ids[] = {AG_EV_BEFORE_EXECUTE, AG_EV_BEGIN, AG_EV_BEFORE_CURSOR_EXECUTE,
                                      AG_EV_AFTER_CURSOR_EXECUTE, AG_EV_AFTER_EXECUTE};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        ag_engine *e = engine("sqlite://", ALL);
        ag_connection *c = test_connect(e);
        ag_error err = {0};
        ag_event_id id = ids[i];
        host.on_event = raise_on;
        host.ud = &id;
        assert_null(test_exec(c, "select 1", &err));
        assert_non_null(strstr(ag_error_message(&err), ag_event_name(id)));
        ag_error_clear(&err);
        id = AG_EV_COUNT;
        tx(c, "rollback");
        assert_int_equal(test_int(c, "select 1"), 1);
        id = AG_EV_COMMIT;
        assert_null(test_tx(c, "commit", &err));
        assert_true(err.set);
        ag_error_clear(&err);
        id = AG_EV_RESET; /* closing closes whatever a listener says */
        ag_conn_op op;
        must(ag_close_init(&op, c, &err), &err);
        assert_int_equal(test_run(&op.op, &host, &err), AG_ERROR);
        ag_error_clear(&err);
        ag_op_clear(&op.op);
        assert_true(ag_connection_is_closed(c));
        ag_connection_unref(c);
        ag_engine_unref(e);
    }
}

static ag_status use_it(test_host *h, ag_event *ev, ag_error *err)
{
    (void)err;
    if (ev->id == AG_EV_BEFORE_CURSOR_EXECUTE && !h->ud) {
        h->ud = h;
        test_do(ev->conn, "create table if not exists seen (x)");
        test_do(ev->conn, "insert into seen values (1)");
        h->ud = NULL;
    }
    return AG_OK;
}

static void test_listeners_may_use_the_connection(void **state)
{
    (void)state;
    ag_engine *e = engine("sqlite://", AG_EV_BIT(AG_EV_BEFORE_CURSOR_EXECUTE));
    ag_connection *c = test_connect(e);
    host.on_event = use_it;
    assert_int_equal(test_int(c, "select count(*) from (select 1)"), 1);
    host.on_event = NULL;
    assert_int_equal(test_int(c, "select count(*) from seen"), 1);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static ag_status on_error(test_host *h, ag_event *ev, ag_error *err)
{
    if (ev->id != AG_EV_HANDLE_ERROR)
        return AG_OK;
    const char *how = h->ud;
    assert_true(ev->u.error.error->set);
    if (strcmp(how, "disconnect") == 0)
        ev->u.error.is_disconnect = true;
    else if (strcmp(how, "keep pool") == 0)
        ev->u.error.invalidate_pool_on_disconnect = false;
    else if (strcmp(how, "raise") == 0)
        return ag_fail(err, AG_EXC_DATA, "another error for %.*s", (int)ev->u.error.text_len, ev->u.error.text);
    return AG_OK;
}

static void test_handle_error(void **state)
{
    (void)state;
    char raise[] = "raise", disconnect[] = "disconnect", keep[] = "keep pool";
    ag_engine *e = engine("fake://", AG_EV_BIT(AG_EV_HANDLE_ERROR));
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    host.on_event = on_error;
    host.ud = raise;
    fake.fail_text = "bad";
    assert_null(test_exec(c, "bad", &err));
    assert_int_equal(err.cls, AG_EXC_DATA);
    assert_string_equal(ag_error_message(&err), "another error for bad");
    ag_error_clear(&err);
    tx(c, "rollback");
    host.ud = disconnect;
    assert_null(test_exec(c, "bad", &err));
    assert_true(ag_connection_is_invalidated(c));
    ag_error_clear(&err);
    tx(c, "rollback");
    /* the pool's generation ends, unless a listener says no */
    ag_connection *other = test_connect(e);
    ag_connection_unref(other);
    unsigned opened = fake.opened;
    host.ud = keep;
    fake.fail_disconnects = true;
    assert_null(test_exec(c, "bad", &err));
    assert_true(err.disconnect);
    ag_error_clear(&err);
    other = test_connect(e);
    assert_int_equal(fake.opened, opened + 1); /* c had reconnected; other's was kept */
    ag_connection_unref(other);
    ag_connection_unref(c);
    ag_engine_unref(e);
    assert_int_equal(fake.live, 0);
}

static void test_abandoned_in_a_listener(void **state)
{
    (void)state;
    for (int stop = 1; stop < 9; stop++) {
        ag_engine *e = engine("sqlite://", ALL);
        ag_connection *c = test_connect(e);
        ag_error err = {0};
        ag_exec_op op;
        ag_exec_request req = {.text = "select 1", .text_len = 8};
        must(ag_exec_init(&op, c, &req, 1, &err), &err);
        int calls = 0;
        while (calls < stop && ag_op_step(&op.op, &err) == AG_STEP_CALL)
            calls++;
        ag_op_clear(&op.op);
        assert_int_equal(test_int(c, "select 1"), 1);
        tx(c, "commit");
        ag_connection_unref(c);
        ag_engine_unref(e);
    }
}

/* ---- segments of a pipelining driver ---- */

static void assert_log(const char *want)
{
    assert_string_equal(fake.log, want);
    fake.log[0] = '\0';
}

static void test_begin_and_savepoints_travel(void **state)
{
    (void)state;
    ag_engine *e = engine("fake://", 0);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    assert_log("1+ ");
    tx(c, "rollback");
    assert_log(""); /* nothing was begun */
    ag_transaction *t = test_tx(c, "begin", &err), *a, *b;
    assert_log("");
    a = test_tx(c, "nested", &err);
    b = test_tx(c, "nested", &err);
    end(b, "rollback");
    assert_log("");
    test_do(c, "one");
    assert_log("1:BEGIN;1:SAVEPOINT ag_savepoint_1;1:one;| ");
    end(a, "commit");
    assert_log("");
    test_do(c, "two");
    assert_log("1:RELEASE SAVEPOINT ag_savepoint_1;1:two;| ");
    a = test_tx(c, "nested", &err);
    test_do(c, "three");
    end(a, "rollback");
    end(t, "commit");
    assert_log("1:SAVEPOINT ag_savepoint_3;1:three;| 1:ROLLBACK TO SAVEPOINT ag_savepoint_3;1:RELEASE SAVEPOINT "
               "ag_savepoint_3;1:COMMIT;| ");
    ag_connection_unref(c);
    assert_log(""); /* idle: nothing to reset */
    ag_engine_unref(e);
    assert_log("1- ");
}

static void test_release_of_an_aborted_savepoint(void **state)
{
    (void)state;
    ag_engine *e = engine("fake://", 0);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_transaction *a = test_tx(c, "nested", &err);
    fake.fail_text = "bad";
    assert_null(test_exec(c, "bad", &err));
    ag_error_clear(&err);
    assert_int_equal(test_tx_end(a, "commit", &err), AG_ERROR);
    assert_string_equal(err.sqlstate, "25P02");
    ag_error_clear(&err);
    must(test_tx_end(a, "rollback", &err), &err);
    ag_transaction_unref(a);
    test_do(c, "good");
    tx(c, "commit");
    ag_connection_unref(c);
    ag_engine_unref(e);
}

/* A SAVEPOINT that was skipped is sent again. */
static void test_skipped_savepoint(void **state)
{
    (void)state;
    ag_engine *e = engine("fake://", 0);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_transaction *a = test_tx(c, "nested", &err);
    fake.fail_text = "BEGIN";
    fake.fail_once = true;
    assert_null(test_exec(c, "one", &err));
    ag_error_clear(&err);
    fake.log[0] = '\0';
    test_do(c, "one");
    assert_log("1:BEGIN;1:SAVEPOINT ag_savepoint_1;1:one;| ");
    end(a, "commit");
    tx(c, "commit");
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_commit_tag(void **state)
{
    (void)state;
    ag_engine *e = engine("fake://", 0);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    test_do(c, "one");
    fake.commit_tag_rollback = true;
    assert_null(test_tx(c, "commit", &err));
    assert_non_null(strstr(ag_error_message(&err), "did not commit"));
    ag_error_clear(&err);
    tx(c, "rollback");
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_server_that_hangs(void **state)
{
    (void)state;
    ag_engine *e = engine("fake://", 0);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_exec_options x = {.has = AG_XO_TIMEOUT, .timeout_us = 10000};
    must(ag_connection_set_options(c, &x, &err), &err);
    fake.hang = true;
    assert_null(test_exec(c, "slow", &err));
    assert_string_equal(err.sqlstate, "57014");
    assert_false(err.disconnect);
    ag_error_clear(&err);
    assert_non_null(strstr(fake.log, "1! "));
    tx(c, "rollback");
    test_do(c, "quick");
    tx(c, "rollback");
    /* one that does not answer a cancel is given up */
    fake.hang = fake.deaf = true;
    int64_t began = ag_now_us();
    assert_null(test_exec(c, "slow", &err));
    assert_true(ag_now_us() - began < 4000000);
    assert_true(err.disconnect);
    assert_string_equal(err.sqlstate, "57014");
    ag_error_clear(&err);
    fake.hang = fake.deaf = false;
    tx(c, "rollback");
    test_do(c, "quick");
    ag_connection_unref(c);
    ag_engine_unref(e);
    assert_int_equal(fake.live, 0);
}

static void test_close_while_busy(void **state)
{
    (void)state;
    ag_engine *e = engine("fake://", 0);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_exec_op op;
    ag_conn_op close;
    ag_exec_request req = {.text = "slow", .text_len = 4};
    fake.collect_waits = 1000;
    must(ag_exec_init(&op, c, &req, 1, &err), &err);
    assert_int_equal(ag_op_step(&op.op, &err), AG_STEP_WAIT);
    assert_string_equal(ag_connection_busy(c), "execute");
    must(ag_close_init(&close, c, &err), &err);
    assert_int_equal(test_run(&close.op, &host, &err), AG_ERROR);
    assert_non_null(strstr(ag_error_message(&err), "operation \"close\" cannot start while \"execute\" is under way"));
    ag_error_clear(&err);
    ag_op_clear(&close.op);
    ag_connection_release(c); /* a finaliser does not ask */
    assert_non_null(strstr(fake.log, "1! 1~ "));
    assert_int_equal(ag_op_step(&op.op, &err), AG_STEP_FAILED);
    ag_error_clear(&err);
    ag_op_clear(&op.op);
    ag_connection_unref(c);
    fake.collect_waits = 0;
    c = test_connect(e);
    test_do(c, "quick");
    ag_connection_unref(c);
    ag_engine_unref(e);
    assert_int_equal(fake.live, 0);
}

static void test_release_of_the_root_while_busy(void **state)
{
    (void)state;
    ag_engine *e = engine("fake://", 0);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_exec_op op;
    ag_exec_request req = {.text = "slow", .text_len = 4};
    test_do(c, "one");
    ag_transaction *t = ag_transaction_ref(ag_connection_transaction(c));
    fake.collect_waits = 1000;
    must(ag_exec_init(&op, c, &req, 1, &err), &err);
    assert_int_equal(ag_op_step(&op.op, &err), AG_STEP_WAIT);
    ag_transaction_release(t);
    ag_transaction_unref(t);
    assert_int_equal(ag_op_step(&op.op, &err), AG_STEP_FAILED);
    assert_non_null(strstr(ag_error_message(&err), "rolled back while a statement was under way"));
    ag_error_clear(&err);
    ag_op_clear(&op.op);
    fake.collect_waits = 0;
    test_do(c, "two");
    tx(c, "commit");
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_stale_plans(void **state)
{
    (void)state;
    ag_engine *e = engine("fake://", 0);
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    fake.fail_text = "select";
    fake.fail_state = "26000";
    fake.fail_once = true;
    test_do(c, "select"); /* first in its transaction: sent again */
    assert_log("1+ 1:BEGIN;1:select;| 1~ 1:BEGIN;1:select;| ");
    fake.fail_text = "select";
    assert_null(test_exec(c, "select", &err));
    assert_true(err.retryable);
    ag_error_clear(&err);
    tx(c, "rollback");
    fake.fail_text = "select";
    fake.fail_once = false;
    assert_null(test_exec(c, "select", &err)); /* once is enough */
    ag_error_clear(&err);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

static void test_twophase(void **state)
{
    (void)state;
    ag_engine *e = engine("fake://", ALL & ~(AG_EV_BIT(AG_EV_BEFORE_EXECUTE) | AG_EV_BIT(AG_EV_AFTER_EXECUTE) |
                                             AG_EV_BIT(AG_EV_BEFORE_CURSOR_EXECUTE) |
                                             AG_EV_BIT(AG_EV_AFTER_CURSOR_EXECUTE) | AG_EV_BIT(AG_EV_DO_EXECUTE)));
    ag_connection *c = test_connect(e);
    ag_error err = {0};
    ag_tx_op op;
    host.events[0] = fake.log[0] = '\0';
    must(ag_begin_twophase_init(&op, c, "x'y", &err), &err);
    must(test_run(&op.op, &host, &err), &err);
    ag_transaction *t = op.tx;
    op.tx = NULL;
    ag_op_clear(&op.op);
    test_do(c, "one");
    must(test_tx_end(t, "prepare", &err), &err);
    end(t, "commit");
    assert_log("1:BEGIN;1:one;| 1:PREPARE TRANSACTION 'x''y';| 1:COMMIT PREPARED 'x''y';| ");
    assert_events("begin_twophase prepare_twophase commit_twophase");
    must(ag_begin_twophase_init(&op, c, NULL, &err), &err);
    must(test_run(&op.op, &host, &err), &err);
    t = op.tx;
    op.tx = NULL;
    ag_op_clear(&op.op);
    test_do(c, "one");
    end(t, "commit"); /* unprepared: an ordinary commit */
    assert_log("1:BEGIN;1:one;| 1:COMMIT;| ");
    assert_events("begin_twophase commit_twophase");
    assert_int_equal(ag_begin_twophase_init(&op, c, "", &err), AG_ERROR);
    ag_error_clear(&err);
    ag_connection_unref(c);
    ag_engine_unref(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_rewriting_text_and_values),
        cmocka_unit_test(test_replacing_the_statement),
        cmocka_unit_test(test_listeners_that_raise),
        cmocka_unit_test(test_listeners_may_use_the_connection),
        cmocka_unit_test(test_handle_error),
        cmocka_unit_test(test_abandoned_in_a_listener),
        cmocka_unit_test(test_begin_and_savepoints_travel),
        cmocka_unit_test(test_release_of_an_aborted_savepoint),
        cmocka_unit_test(test_skipped_savepoint),
        cmocka_unit_test(test_commit_tag),
        cmocka_unit_test(test_server_that_hangs),
        cmocka_unit_test(test_close_while_busy),
        cmocka_unit_test(test_release_of_the_root_while_busy),
        cmocka_unit_test(test_stale_plans),
        cmocka_unit_test(test_twophase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

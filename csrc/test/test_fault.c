/* The fault driver over SQLite: each kind of fault, at each kind of point, and what the database says afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drive.h"

#include "driver/drivers.h"
#include "driver/fault.h"

#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/argent-fault-XXXXXX";
static ag_fault *fault;

static void reopen(drive *t)
{
    ag_connect_params p = {.database = path};
    drive_open(t, ag_fault_driver(fault), &p, ag_alloc_libc());
}

static int setup(void **state)
{
    drive *t = calloc(1, sizeof *t);
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    int fd = mkstemp(path);
    if (!t || fd < 0 || close(fd) != 0 || ag_fault_new(&fault, ag_driver_sqlite(), ag_alloc_libc(), NULL) != AG_OK)
        return 1;
    reopen(t);
    drive_ok(t, "create table f (a)");
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    drive_close(*state);
    free(*state);
    ag_fault_free(fault);
    return unlink(path);
}

static void plan(const char *text)
{
    ag_error err;
    ag_error_init(&err, ag_alloc_libc());
    if (ag_fault_plan(fault, text, &err) != AG_OK)
        fail_msg("%s", ag_error_message(&err));
}

static void test_passes_through(void **state)
{
    drive *t = *state;
    assert_string_equal(t->d->dialect, "sqlite");
    assert_int_equal(t->d->server_version(t->c), t->d->client_version());
    drive_ok(t, "insert into f values (1)");
    assert_string_equal(drive_query(t, "select a from f", NULL, 0), "1");
    assert_int_equal(t->d->readonly(t->c, "select 1", 8), 1);
    assert_int_equal(ag_fault_hits(fault), 0);
}

static void test_error(void **state)
{
    drive *t = *state;
    plan("insert:2:error=40001,update:1+:error");
    drive_ok(t, "insert into f values (1)");
    drive_fails(t, " INSERT into f values (2)");
    assert_string_equal(t->err.sqlstate, "40001");
    assert_true(t->err.retryable);
    assert_int_equal(t->err.cls, AG_EXC_OPERATIONAL);
    drive_ok(t, "insert into f values (3)");
    drive_fails(t, "update f set a = 0");
    drive_fails(t, "update f set a = 0");
    assert_string_equal(ag_error_message(&t->err), "fault: update 2 failed");
    assert_string_equal(drive_query(t, "select a from f", NULL, 0), "1\n3");
    assert_int_equal(ag_fault_hits(fault), 3);
}

static void test_lost_before_and_after_commit(void **state)
{
    drive *t = *state;
    static const char *const kinds[] = {"commit:1:lost", "commit:1:lost-after"};
    for (size_t i = 0; i < 2; i++) {
        plan(kinds[i]);
        drive_ok(t, "begin immediate");
        drive_ok(t, i ? "insert into f values ('after')" : "insert into f values ('before')");
        drive_fails(t, "commit");
        assert_true(t->err.disconnect);
        assert_int_equal(t->d->alive(t->c), AG_DEAD);
        assert_int_equal(t->d->tx_state(t->c), AG_TX_UNKNOWN);
        drive_fails(t, "select 1");
        assert_true(t->err.disconnect);
        t->d->release(t->c, false);
        assert_int_equal(drive_drain(t), AG_STEP_FAILED);
        drive_close(t);
        reopen(t);
        assert_string_equal(drive_query(t, "select a from f", NULL, 0), i ? "'after'" : "");
    }
}

static void test_rest_of_the_segment_is_skipped(void **state)
{
    drive *t = *state;
    bool sync_done;
    static const char *const sql[] = {"insert into f values (1)", "delete from f", "insert into f values (2)"};
    plan("delete:1:error");
    for (size_t i = 0; i < 3; i++) {
        ag_request req = {.text = sql[i], .text_len = strlen(sql[i]), .nsets = 1};
        assert_int_equal(t->d->send(t->c, &req, &t->err), AG_OK);
    }
    assert_int_equal(t->d->sync(t->c, &t->err), AG_OK);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_FAILED);
    assert_false(t->reply.skipped);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_FAILED);
    assert_true(t->reply.skipped);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_true(sync_done);
    assert_string_equal(drive_query(t, "select a from f", NULL, 0), "1");
}

static void test_connect_fetch_drain(void **state)
{
    drive *t = *state;
    drive u;
    ag_connect_option option = {"fault", "connect:2:lost,fetch:1:error,drain:1:lost"};
    ag_connect_params p = {.database = path, .options = &option, .noptions = 1};
    assert_int_equal(drive_try_open(&u, ag_fault_driver(fault), &p, ag_alloc_libc()), AG_STEP_DONE);
    drive_close(&u);
    assert_int_equal(drive_try_open(&u, ag_fault_driver(fault), &p, ag_alloc_libc()), AG_STEP_FAILED);
    assert_true(u.err.disconnect);
    drive_close(&u);
    drive_ok(t, "insert into f values (1), (2), (3)");
    ag_request req = {
        .text = "select a from f", .text_len = 15, .flags = AG_REQ_ROWS | AG_REQ_STREAM, .nsets = 1, .window = 1};
    assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
    assert_int_equal(drive_fetch(t), AG_STEP_FAILED);
    assert_int_equal(t->reply.cursor, 0);
    t->d->release(t->c, true);
    assert_int_equal(drive_drain(t), AG_STEP_FAILED);
}

static void test_bad_plans(void **state)
{
    (void)state;
    static const char *const bad[] = {"x",
                                      "commit:0:lost",
                                      "commit:x:lost",
                                      "commit::lost",
                                      ":1:lost",
                                      "commit:1:slow",
                                      "commit:1:error=4",
                                      "commit:1:lost,,",
                                      "a-very-long-name-of-a-point:1:lost"};
    ag_error err;
    ag_error_init(&err, ag_alloc_libc());
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(ag_fault_plan(fault, bad[i], &err), AG_ERROR);
        assert_int_equal(err.cls, AG_EXC_ARGUMENT);
    }
    ag_error_clear(&err);
    plan("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_passes_through, setup, teardown),
        cmocka_unit_test_setup_teardown(test_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_before_and_after_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rest_of_the_segment_is_skipped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_connect_fetch_drain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_plans, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The mock driver: what it records, what it answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drive.h"
#include "sweep.h"

#include "driver/mock.h"

#include <stdlib.h>

static const ag_mock_options options = {
    .dialect = "postgresql", .caps = AG_DRV_PIPELINE | AG_DRV_DOLLAR, .server_version = 150000};

static const char *const names[] = {"id", "name"};

static void start(ag_mock **m, drive *t)
{
    ag_connect_params p = {.database = "db"};
    assert_int_equal(ag_mock_new(m, &options, ag_alloc_libc(), NULL), AG_OK);
    drive_open(t, ag_mock_driver(*m), &p, ag_alloc_libc());
}

static void stop(ag_mock *m, drive *t)
{
    drive_close(t);
    ag_mock_free(m);
}

static void test_records(void **state)
{
    (void)state;
    ag_mock *m;
    drive t;
    start(&m, &t);
    ag_value vals[] = {ag_value_int(1), v_text("ann")};
    drive_ok(&t, "BEGIN");
    assert_int_equal(t.d->tx_state(t.c), AG_TX_ACTIVE);
    (void)drive_query(&t, "INSERT INTO u VALUES ($1, $2)", vals, 2);
    drive_ok(&t, "COMMIT");
    assert_int_equal(t.d->tx_state(t.c), AG_TX_IDLE);
    assert_int_equal(t.d->server_version(t.c), 150000);
    assert_string_equal(t.d->dialect, "postgresql");
    assert_string_equal(t.d->name, "mock");
    assert_int_equal(ag_mock_count(m), 7);
    assert_int_equal(ag_mock_event_at(m, 0)->what, AG_MOCK_OPEN);
    assert_string_equal(ag_mock_event_at(m, 0)->text, "db");
    const ag_mock_event *e = ag_mock_event_at(m, 3);
    assert_int_equal(e->what, AG_MOCK_STATEMENT);
    assert_string_equal(e->text, "INSERT INTO u VALUES ($1, $2)");
    assert_int_equal(e->nparams, 2);
    assert_int_equal(e->values[0].u.i, 1);
    assert_memory_equal(e->values[1].u.s.p, "ann", 3);
    assert_int_equal(ag_mock_event_at(m, 4)->what, AG_MOCK_SYNC);
    ag_mock_forget(m);
    t.d->release(t.c, false);
    assert_int_equal(drive_drain(&t), AG_STEP_DONE);
    assert_int_equal(ag_mock_count(m), 1);
    stop(m, &t);
}

static void test_answers(void **state)
{
    (void)state;
    ag_mock *m;
    drive t;
    start(&m, &t);
    ag_value rows[] = {ag_value_int(1), v_text("ann"), ag_value_int(2), ag_value_null()};
    ag_mock_answer once = {.match = "FROM u", .times = 1, .error = "duplicate", .sqlstate = "23505"};
    ag_mock_answer always = {
        .match = "FROM u", .columns = names, .ncolumns = 2, .values = rows, .nrows = 2, .rowcount = -1};
    assert_int_equal(ag_mock_answer_add(m, &once, NULL), AG_OK);
    assert_int_equal(ag_mock_answer_add(m, &always, NULL), AG_OK);
    drive_fails(&t, "SELECT * FROM u");
    assert_int_equal(t.err.cls, AG_EXC_INTEGRITY);
    assert_string_equal(t.err.sqlstate, "23505");
    assert_string_equal(drive_query(&t, "SELECT * FROM u", NULL, 0), "1|'ann'\n2|-");
    assert_string_equal(t.reply.columns[1].name, "name");
    assert_int_equal(t.reply.rowcount, 2);
    assert_string_equal(drive_query(&t, "SELECT * FROM x", NULL, 0), "");
    ag_mock_answer update = {.match = "UPDATE", .rowcount = 3, .tag = "UPDATE 3"};
    assert_int_equal(ag_mock_answer_add(m, &update, NULL), AG_OK);
    drive_ok(&t, "UPDATE u SET a = 1");
    assert_int_equal(t.reply.rowcount, 3);
    assert_string_equal(t.reply.tag, "UPDATE 3");
    ag_request req = {
        .text = "SELECT * FROM u", .text_len = 15, .flags = AG_REQ_ROWS | AG_REQ_STREAM, .nsets = 1, .window = 1};
    assert_int_equal(drive_request(&t, &req), AG_STEP_DONE);
    assert_true(t.reply.more);
    assert_int_equal(drive_fetch(&t), AG_STEP_DONE);
    assert_string_equal(drive_rows(&t), "1|'ann'\n2|-");
    assert_int_equal(drive_fetch(&t), AG_STEP_FAILED);
    ag_mock_answer gone = {.match = "bye", .error = "gone", .cls = AG_EXC_OPERATIONAL, .disconnect = true};
    assert_int_equal(ag_mock_answer_add(m, &gone, NULL), AG_OK);
    drive_fails(&t, "bye");
    assert_true(t.err.disconnect);
    assert_int_equal(t.d->alive(t.c), AG_DEAD);
    drive_fails(&t, "SELECT 1");
    assert_true(t.err.disconnect);
    stop(m, &t);
}

static void test_many_sets(void **state)
{
    (void)state;
    ag_mock *m;
    drive t;
    start(&m, &t);
    ag_value vals[] = {ag_value_int(1), ag_value_int(2), ag_value_int(3)};
    ag_mock_answer a = {.rowcount = 1, .last_id = 10};
    assert_int_equal(ag_mock_answer_add(m, &a, NULL), AG_OK);
    ag_request req = {
        .text = "INSERT", .text_len = 6, .flags = AG_REQ_LAST_ID, .nparams = 1, .nsets = 3, .values = vals};
    assert_int_equal(drive_request(&t, &req), AG_STEP_DONE);
    assert_int_equal(t.reply.rowcount, 3);
    assert_int_equal(t.reply.last_ids[2], 12);
    assert_int_equal(t.reply.rowcounts[1], 1);
    assert_int_equal(ag_mock_event_at(m, 1)->nsets, 3);
    assert_int_equal(ag_mock_event_at(m, 1)->values[2].u.i, 3);
    stop(m, &t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_many_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

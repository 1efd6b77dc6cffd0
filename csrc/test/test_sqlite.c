/* The SQLite driver against a real library: values both ways, counts, errors and their fields, locks, deadlines,
 * streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drive.h"
#include "sweep.h"

#include "driver/drivers.h"
#include "value/datetime.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define assert_rows(t, sql, expected) assert_string_equal(drive_query((t), (sql), NULL, 0), (expected))

static void open_with(drive *t, const char *database, const ag_connect_option *options, size_t n)
{
    drive_open(t, ag_driver_sqlite(), &(ag_connect_params){.database = database, .options = options, .noptions = n},
               ag_alloc_libc());
}

static int setup(void **state)
{
    drive *t = calloc(1, sizeof *t);
    open_with(t, NULL, NULL, 0);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    drive_close(*state);
    free(*state);
    return 0;
}

static const ag_type *plain(ag_type_id id)
{
    return ag_type_plain(id);
}

/* One row of one value through a column declared `decl`, with the type for writing and for reading. */
static const char *round_trip(drive *t, const char *decl, const ag_type *type, ag_value v)
{
    char sql[200];
    (void)snprintf(sql, sizeof sql, "create table rt (x %s)", decl);
    drive_ok(t, "drop table if exists rt");
    drive_ok(t, sql);
    ag_request req = {.text = "insert into rt values (?)", .text_len = 25, .nparams = 1, .nsets = 1, .values = &v};
    req.param_types = &type;
    if (drive_request(t, &req) != AG_STEP_DONE)
        return ag_error_message(&t->err);
    req = (ag_request){.text = "select x from rt", .text_len = 16, .flags = AG_REQ_ROWS, .nsets = 1};
    req.result_types = &type;
    req.nresult_types = type ? 1 : 0;
    if (drive_request(t, &req) != AG_STEP_DONE)
        return ag_error_message(&t->err);
    return drive_rows(t);
}

static void test_versions(void **state)
{
    drive *t = *state;
    assert_true(t->d->client_version() >= 3035000);
    assert_int_equal(t->d->server_version(t->c), t->d->client_version());
    assert_int_equal(t->d->fd(t->c), -1);
    assert_int_equal(t->d->alive(t->c), AG_ALIVE);
    assert_int_equal(t->d->backend_id(t->c), 0);
    assert_true(t->d->max_params(t->c) >= 999);
    assert_non_null(t->d->handle(t->c));
}

static void test_rows_by_storage_class(void **state)
{
    drive *t = *state;
    assert_rows(t, "select 1, 2.5, 'a', x'00ff', null", "1|f2.5|'a'|x'00ff'|-");
    assert_int_equal(t->reply.ncolumns, 5);
    assert_string_equal(t->reply.columns[1].name, "2.5");
    assert_int_equal(t->reply.columns[0].type->id, AG_TYPE_NULL);
    assert_int_equal(t->reply.rowcount, 1);
    assert_true(t->reply.readonly);
    assert_rows(t, "select 1 where 0", "");
    assert_int_equal(t->reply.ncolumns, 1);
    assert_int_equal(t->reply.rowcount, 0);
    assert_rows(t, "select '' as e", "''");
}

static void test_declared_types(void **state)
{
    drive *t = *state;
    drive_ok(t, "create table d (b boolean, d date, t time, ts datetime, n numeric(10,2), j json, i integer, r real,"
                "v varchar(20), bl blob, u uuid, ts2 timestamp)");
    drive_ok(t, "insert into d values (1, '2024-01-05', '10:20:30', '2024-01-05 10:20:30.5', 1.5, '[1]', 7, 2.0,"
                "'x', x'01', 'A0EEBC999C0B4EF8BB6D6BB9BD380A11', '2024-01-05')");
    assert_rows(t, "select * from d",
                "b1|@2024-01-05|@10:20:30|@2024-01-05 10:20:30.500000|d1.50|j[1]|7|f2.0|'x'|x'01'|"
                "ua0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|@2024-01-05 00:00:00");
    assert_int_equal(t->reply.columns[0].type->id, AG_TYPE_BOOLEAN);
    assert_string_equal(t->reply.columns[4].decl, "numeric(10,2)");
    /* a declared type is only a hint */
    drive_ok(t, "delete from d");
    drive_ok(t, "insert into d (b, d, i, r, ts) values (7, 'soon', 'many', 'x', 1700000000)");
    assert_rows(t, "select b, d, i, r, ts from d", "7|'soon'|'many'|'x'|1700000000");
}

static void test_asked_types_are_promises(void **state)
{
    drive *t = *state;
    static const struct {
        const char *sql;
        ag_type_id type;
        const char *says;
    } bad[] = {
        {"select name from loose", AG_TYPE_INTEGER, "column name holds text 'x', which is not a value of type Integer"},
        {"select f as n from loose", AG_TYPE_INTEGER,
         "column n holds a float '2.5', which is not a value of type Integer"},
        {"select 2 as n", AG_TYPE_BOOLEAN, "column n holds an integer '2', which is not a value of type Boolean"},
        {"select i as n from loose", AG_TYPE_STRING,
         "column n holds an integer '5', which is not a value of type String"},
        {"select b as n from loose", AG_TYPE_TEXT, "column n holds a blob, which is not a value of type Text"},
        {"select 'soon' as d", AG_TYPE_DATE, "column d holds text 'soon', which is not a value of type Date"},
        {"select '1-2' as d", AG_TYPE_UUID_GENERIC, "column d holds text '1-2', which is not a value of type Uuid"},
        {"select 'abc' as d", AG_TYPE_NUMERIC, "column d holds text 'abc', which is not a value of type Numeric"},
    };
    drive_ok(t, "create table loose (name int, f int, i blob, b blob)");
    drive_ok(t, "insert into loose values ('x', 2.5, 5, x'00')");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const ag_type *type = plain(bad[i].type);
        ag_request req = {.text = bad[i].sql,
                          .text_len = strlen(bad[i].sql),
                          .flags = AG_REQ_ROWS | AG_REQ_PREPARE,
                          .nsets = 1,
                          .result_types = &type,
                          .nresult_types = 1};
        assert_int_equal(drive_request(t, &req), AG_STEP_FAILED);
        assert_string_equal(ag_error_message(&t->err), bad[i].says);
        assert_int_equal(t->err.cls, AG_EXC_DATA);
    }
    /* what does fit */
    const ag_type *types[] = {plain(AG_TYPE_INTEGER), plain(AG_TYPE_FLOAT),       plain(AG_TYPE_NUMERIC),
                              plain(AG_TYPE_JSON),    plain(AG_TYPE_LARGEBINARY), plain(AG_TYPE_UUID_GENERIC)};
    ag_request req = {.text = "select 3.0, 3, 0.1, 5, 'ab', x'a0eebc999c0b4ef8bb6d6bb9bd380a11'",
                      .flags = AG_REQ_ROWS,
                      .nsets = 1,
                      .result_types = types,
                      .nresult_types = 6};
    req.text_len = strlen(req.text);
    assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
    assert_string_equal(drive_rows(t), "3|f3.0|d0.1|j5|x'6162'|ua0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    assert_ptr_equal(t->reply.columns[0].type, types[0]);
    /* an expression's type is inferred: values of other plain kinds come as they are */
    const ag_type *inferred[] = {plain(AG_TYPE_INTEGER), plain(AG_TYPE_INTEGER), plain(AG_TYPE_STRING),
                                 plain(AG_TYPE_FLOAT)};
    req = (ag_request){.text = "select 'x', 2.5, 5, 'y'",
                       .flags = AG_REQ_ROWS,
                       .nsets = 1,
                       .result_types = inferred,
                       .nresult_types = 4};
    req.text_len = strlen(req.text);
    assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
    assert_string_equal(drive_rows(t), "'x'|f2.5|5|'y'");
}

static void test_round_trips(void **state)
{
    drive *t = *state;
    ag_value date, dt, zoned, tm;
    ag_type numeric = ag_type_proto(AG_TYPE_NUMERIC), text_numeric = ag_type_proto(AG_TYPE_NUMERIC);
    numeric.precision = 10;
    numeric.scale = 2;
    text_numeric.flags |= AG_TYPE_SQLITE_TEXT;
    assert_int_equal(ag_date_parse(&date, "2024-02-29", 10, NULL), AG_OK);
    assert_int_equal(ag_datetime_parse(&dt, "1999-12-31 23:59:59.000001", 26, NULL), AG_OK);
    assert_int_equal(ag_datetime_parse(&zoned, "2024-01-01 12:00:00+02", 22, NULL), AG_OK);
    assert_int_equal(ag_time_parse(&tm, "01:02:03", 8, NULL), AG_OK);
    assert_string_equal(round_trip(t, "date", plain(AG_TYPE_DATE), date), "@2024-02-29");
    assert_rows(t, "select cast(x as text) from rt", "'2024-02-29'");
    assert_string_equal(round_trip(t, "datetime", plain(AG_TYPE_DATETIME), dt), "@1999-12-31 23:59:59.000001");
    assert_string_equal(round_trip(t, "datetime", plain(AG_TYPE_DATETIME), zoned), "@2024-01-01 10:00:00+00:00");
    assert_string_equal(round_trip(t, "time", plain(AG_TYPE_TIME), tm), "@01:02:03");
    assert_rows(t, "select cast(x as text) from rt", "'01:02:03.000000'");
    assert_string_equal(round_trip(t, "boolean", plain(AG_TYPE_BOOLEAN), ag_value_bool(true)), "b1");
    assert_string_equal(round_trip(t, "numeric(10,2)", &numeric, v_kind(AG_V_DECIMAL, "12.50")), "d12.50");
    assert_string_equal(round_trip(t, "numeric(10,2)", &numeric, v_kind(AG_V_DECIMAL, "-3")), "d-3.00");
    assert_string_equal(round_trip(t, "numeric", plain(AG_TYPE_NUMERIC), v_kind(AG_V_DECIMAL, "1234567890123456789")),
                        "d1234567890123456789");
    assert_string_equal(round_trip(t, "numeric", plain(AG_TYPE_NUMERIC), v_kind(AG_V_DECIMAL, "0.000001")),
                        "d0.000001");
    assert_string_equal(round_trip(t, "text", &text_numeric, v_kind(AG_V_DECIMAL, "12345678901234567890.12")),
                        "d12345678901234567890.12");
    assert_string_equal(round_trip(t, "json", plain(AG_TYPE_JSON), v_kind(AG_V_JSON, "{\"a\": 1}")), "j{\"a\": 1}");
    assert_string_equal(round_trip(t, "json", plain(AG_TYPE_JSON), v_kind(AG_V_JSON, "5")), "j5");
    assert_string_equal(round_trip(t, "char(32)", plain(AG_TYPE_UUID_GENERIC),
                                   v_kind(AG_V_UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
                        "ua0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    assert_rows(t, "select x from rt", "'a0eebc999c0b4ef8bb6d6bb9bd380a11'");
    assert_string_equal(round_trip(t, "blob", plain(AG_TYPE_LARGEBINARY), ag_value_bytes(AG_V_BYTES, "\0\1", 2)),
                        "x'0001'");
    assert_string_equal(round_trip(t, "blob", plain(AG_TYPE_LARGEBINARY), ag_value_bytes(AG_V_BYTES, NULL, 0)), "x''");
    assert_string_equal(round_trip(t, "text", plain(AG_TYPE_TEXT), ag_value_text(NULL, 0)), "''");
    assert_string_equal(round_trip(t, "text", plain(AG_TYPE_TEXT), v_text("gr\xc3\xbc\xc3\x9f")),
                        "'gr\xc3\xbc\xc3\x9f'");
    ag_value iv = {.kind = AG_V_INTERVAL, .u.iv = {.us = 1500000, .days = 2}};
    assert_string_equal(round_trip(t, "datetime", plain(AG_TYPE_INTERVAL), iv), "~0m2d1500000");
    assert_rows(t, "select cast(x as text) from rt", "'1970-01-03 00:00:01.500000'");
    assert_string_equal(round_trip(t, "integer", NULL, ag_value_int(INT64_MIN)), "-9223372036854775808");
}

static void test_values_that_would_change(void **state)
{
    drive *t = *state;
    ag_value iv = {.kind = AG_V_INTERVAL, .u.iv = {.months = 1}};
    ag_value inf = {.kind = AG_V_DATE, .u.i = AG_DATE_POS_INF};
    assert_non_null(strstr(round_trip(t, "real", NULL, ag_value_float((double)__builtin_nanf(""))),
                           "parameter 1: SQLite would store NaN as NULL"));
    assert_int_equal(t->err.cls, AG_EXC_DATA);
    assert_non_null(strstr(round_trip(t, "numeric", NULL, v_kind(AG_V_DECIMAL, "12345678901234567890.12")),
                           "ag.Numeric(p, s, {sqlite_text = true})"));
    assert_non_null(strstr(round_trip(t, "text", NULL, ag_value_text("a\0b", 3)), "NUL"));
    assert_non_null(strstr(round_trip(t, "text", NULL, ag_value_text("\xff", 1)), "UTF-8"));
    assert_non_null(strstr(round_trip(t, "text", NULL, iv), "months"));
    assert_non_null(strstr(round_trip(t, "date", NULL, inf), "infinite"));
    assert_non_null(strstr(round_trip(t, "json", NULL, v_kind(AG_V_JSON, "12345678901234567890123")), "15 digits"));
    assert_non_null(strstr(round_trip(t, "text", NULL, (ag_value){.kind = AG_V_HOST}), "cannot be sent"));
}

static void test_array_parameter_is_json(void **state)
{
    drive *t = *state;
    ag_arena ar;
    ag_value items[3] = {ag_value_int(3), ag_value_null(), ag_value_int(-7)}, v;
    ag_value texts[2] = {v_text("a\"\\\n"), v_text("\xc3\xa4")};
    ag_array_dim dim = {.length = 3, .lower = 1};
    ag_arena_init(&ar, ag_alloc_libc());
    assert_int_equal(ag_array_pack(&v, 1, &dim, items, 3, &ar, NULL), AG_OK);
    assert_string_equal(drive_query(t, "select value from json_each(?)", &v, 1), "3\n-\n-7");
    dim.length = 2;
    assert_int_equal(ag_array_pack(&v, 1, &dim, texts, 2, &ar, NULL), AG_OK);
    assert_string_equal(drive_query(t, "select value from json_each(?)", &v, 1), "'a\"\\\n'\n'\xc3\xa4'");
    assert_string_equal(drive_query(t, "select ?", &v, 1), "'[\"a\\\"\\\\\\u000a\",\"\xc3\xa4\"]'");
    ag_arena_clear(&ar);
}

/* ---- executemany, counts ---- */

static ag_status fill_square(void *ud, size_t set, ag_value *out, ag_error *err)
{
    size_t *stop = ud;
    if (set == *stop)
        return ag_fail(err, AG_EXC_ARGUMENT, "no value for set %zu", set);
    out[0] = ag_value_int((int64_t)set);
    out[1] = ag_value_int((int64_t)(set * set));
    return AG_OK;
}

static void test_many_sets(void **state)
{
    drive *t = *state;
    size_t never = SIZE_MAX, third = 3;
    drive_ok(t, "create table sq (id integer primary key, v integer unique)");
    ag_request req = {.text = "insert into sq values (?, ?)",
                      .text_len = 28,
                      .flags = AG_REQ_LAST_ID | AG_REQ_PREPARE,
                      .nparams = 2,
                      .nsets = 100,
                      .fill = fill_square,
                      .fill_ud = &never};
    assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
    assert_int_equal(t->reply.rowcount, 100);
    assert_int_equal(t->reply.sets_done, 100);
    assert_int_equal(t->reply.last_ids[0], 0);
    assert_int_equal(t->reply.last_ids[99], 99);
    assert_int_equal(t->reply.rowcounts[50], 1);
    assert_false(t->reply.readonly);
    /* the second set violates the primary key */
    ag_value vals[] = {ag_value_int(1000), ag_value_int(-1), ag_value_int(5), ag_value_int(-2)};
    req = (ag_request){.text = req.text, .text_len = 28, .nparams = 2, .nsets = 2, .values = vals};
    assert_int_equal(drive_request(t, &req), AG_STEP_FAILED);
    assert_int_equal(t->reply.sets_done, 1);
    assert_string_equal(t->err.sqlstate, "23505");
    req = (ag_request){.text = "insert into sq values (?+200, -?-10)",
                       .text_len = 36,
                       .nparams = 2,
                       .nsets = 10,
                       .fill = fill_square,
                       .fill_ud = &third};
    assert_int_equal(drive_request(t, &req), AG_STEP_FAILED);
    assert_int_equal(t->reply.sets_done, 3);
    assert_string_equal(ag_error_message(&t->err), "no value for set 3");
    assert_rows(t, "select count(*) from sq where id >= 200 and id < 300", "3");
    /* rows of all sets in order */
    ag_value ids[] = {ag_value_int(3), ag_value_int(7), ag_value_int(12345)};
    req = (ag_request){.text = "delete from sq where id = ? returning v",
                       .text_len = 39,
                       .flags = AG_REQ_ROWS,
                       .nparams = 1,
                       .nsets = 3,
                       .values = ids};
    assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
    assert_string_equal(drive_rows(t), "9\n49");
    assert_int_equal(t->reply.rowcounts[1], 1);
    assert_int_equal(t->reply.rowcounts[2], 0);
    assert_int_equal(t->reply.rowcount, 2);
}

static void test_counts(void **state)
{
    drive *t = *state;
    drive_ok(t, "create table c (id integer primary key, n integer)");
    assert_int_equal(t->reply.rowcount, -1);
    drive_ok(t, "insert into c values (1, 1), (2, 2), (3, 3)");
    assert_int_equal(t->reply.rowcount, 3);
    drive_ok(t, "/* comment */ -- and\n update c set n = n + 1 where id > 1");
    assert_int_equal(t->reply.rowcount, 2);
    drive_ok(t, "create table c2 (id integer)"); /* sqlite3_changes still says 2 */
    assert_int_equal(t->reply.rowcount, -1);
    drive_ok(t, "with x as (select 1 as id) delete from c where id in (select id from x)");
    assert_int_equal(t->reply.rowcount, 1);
    assert_rows(t, "select n from c order by id", "3\n4");
    assert_int_equal(t->reply.rowcount, 2);
    drive_ok(
        t, "create trigger tr after insert on c begin insert into c2 values (new.id); insert into c2 values (0); end");
    drive_ok(t, "insert into c values (9, 9)");
    assert_int_equal(t->reply.rowcount, 1); /* not what triggers did */
}

/* ---- statements ---- */

static void test_one_statement_per_call(void **state)
{
    drive *t = *state;
    drive_fails(t, "select 1; select 2");
    assert_int_equal(t->err.cls, AG_EXC_PROGRAMMING);
    assert_rows(t, "select 1; -- done\n /* really */ ;", "1");
    assert_rows(t, "", "");
    assert_rows(t, "-- nothing", "");
    ag_value two[] = {ag_value_int(1), ag_value_int(2)};
    assert_int_equal(drive_exec(t, "select ?", two, 2), AG_STEP_FAILED);
    assert_string_equal(ag_error_message(&t->err), "the statement has 1 parameters, 2 values were given");
    ag_request nul = {.text = "select 1\0; drop table x", .text_len = 23, .nsets = 1};
    assert_int_equal(drive_request(t, &nul), AG_STEP_FAILED);
}

static void test_script(void **state)
{
    drive *t = *state;
    ag_request req = {
        .text = "create table s (a); insert into s values (1), (2); select a from s; select a+1 as b from s;\n",
        .flags = AG_REQ_SCRIPT | AG_REQ_ROWS,
        .nsets = 1};
    req.text_len = strlen(req.text);
    assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
    assert_string_equal(drive_rows(t), "2\n3");
    assert_string_equal(t->reply.columns[0].name, "b");
    req.text = "select a from s; select a from s where a > 99";
    req.text_len = strlen(req.text);
    assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
    assert_string_equal(drive_rows(t), "");
    assert_int_equal(t->reply.ncolumns, 1);
    req.text = "insert into s values (3); oops; insert into s values (4)";
    req.text_len = strlen(req.text);
    assert_int_equal(drive_request(t, &req), AG_STEP_FAILED);
    assert_rows(t, "select count(*) from s", "3");
}

static void test_statements_survive_schema_changes(void **state)
{
    drive *t = *state;
    drive_ok(t, "create table g (a integer)");
    drive_ok(t, "insert into g values (1)");
    assert_rows(t, "select * from g", "1");
    drive_ok(t, "alter table g add column b text default 'x'");
    assert_rows(t, "select * from g", "1|'x'");
    assert_int_equal(t->reply.ncolumns, 2);
    assert_string_equal(t->reply.columns[1].name, "b");
}

static void test_statement_cache_is_bounded(void **state)
{
    (void)state;
    drive t;
    char sql[40];
    open_with(&t, NULL, &(ag_connect_option){"cached_statements", "3"}, 1);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 20; i++) {
            (void)snprintf(sql, sizeof sql, "select %d", i);
            drive_ok(&t, sql);
        }
    }
    drive_close(&t);
    open_with(&t, NULL, &(ag_connect_option){"cached_statements", "0"}, 1);
    assert_rows(&t, "select 1", "1");
    drive_close(&t);
}

static void test_readonly(void **state)
{
    drive *t = *state;
    drive_ok(t, "create table ro (a)");
    static const struct {
        const char *sql;
        int is;
    } cases[] = {{"select * from ro", 1},
                 {"insert into ro values (1)", 0},
                 {"begin", 0},
                 {"commit", 0},
                 {"savepoint x", 0},
                 {"pragma foreign_keys", 1},
                 {"", 1},
                 {"select * from nowhere", -1},
                 {"delete from ro returning a", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(t->d->readonly(t->c, cases[i].sql, strlen(cases[i].sql)), cases[i].is);
}

/* ---- safety on open ---- */

static void test_settings(void **state)
{
    drive *t = *state;
    assert_rows(t, "pragma foreign_keys", "1");
    assert_rows(t, "pragma trusted_schema", "0");
    assert_rows(t, "pragma busy_timeout", "0");
    drive_fails(t, "select \"nosuch\"");
    assert_int_equal(t->err.cls, AG_EXC_PROGRAMMING);
    drive_ok(t, "pragma writable_schema = on"); /* defensive: has no effect */
    drive_fails(t, "update sqlite_schema set sql = 'x'");
    drive_fails(t, "select load_extension('x')");
    ag_connect_option relax[] = {
        {"disable_foreign_keys", "true"}, {"allow_double_quoted_strings", "yes"}, {"timeout", "0.25"}};
    drive u;
    open_with(&u, ":memory:", relax, 3);
    assert_rows(&u, "pragma foreign_keys", "0");
    assert_rows(&u, "select \"nosuch\"", "'nosuch'");
    drive_close(&u);
}

static void test_open_modes(void **state)
{
    (void)state;
    char path[] = "/tmp/argent-mode-XXXXXX";
    int fd = mkstemp(path);
    drive t, u;
    assert_true(fd >= 0 && close(fd) == 0);
    open_with(&t, path, NULL, 0);
    drive_ok(&t, "create table m (a)");
    drive_close(&t);
    open_with(&t, path, &(ag_connect_option){"mode", "ro"}, 1);
    drive_fails(&t, "insert into m values (1)");
    assert_int_equal(t.err.cls, AG_EXC_OPERATIONAL);
    assert_non_null(strstr(ag_error_message(&t.err), "readonly"));
    drive_close(&t);
    ag_connect_option frozen[] = {{"immutable", "1"}, {"mode", "ro"}};
    open_with(&t, path, frozen, 2);
    assert_rows(&t, "select count(*) from m", "0");
    drive_close(&t);
    assert_int_equal(unlink(path), 0);
    ag_connect_params p = {.database = path, .options = &(ag_connect_option){"mode", "rw"}, .noptions = 1};
    assert_int_equal(drive_try_open(&t, ag_driver_sqlite(), &p, ag_alloc_libc()), AG_STEP_FAILED);
    drive_close(&t);
    /* one memory database for several connections */
    ag_connect_option shared[] = {{"uri", "true"}, {"mode", "memory"}, {"cache", "shared"}, {"timeout", "0.05"}};
    open_with(&t, "file:argent_shared", shared, 4);
    open_with(&u, "file:argent_shared", shared, 4);
    drive_ok(&t, "create table s (a)");
    drive_ok(&t, "insert into s values (7)");
    assert_rows(&u, "select a from s", "7");
    drive_ok(&t, "begin immediate");
    drive_ok(&t, "insert into s values (8)");
    drive_fails(&u, "select a from s"); /* table lock of the shared cache, waited for as well */
    assert_int_equal(u.err.code, 262);
    assert_true(u.waits > 2);
    drive_ok(&t, "commit");
    assert_rows(&u, "select a from s", "7\n8");
    drive_close(&t);
    drive_close(&u);
}

static void test_bad_options(void **state)
{
    (void)state;
    static const ag_connect_option bad[] = {{"tmeout", "1"},     {"mode", "rx"},     {"cache", "big"},
                                            {"timeout", "soon"}, {"uri", "perhaps"}, {"cached_statements", "-1"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        drive t;
        ag_connect_params p = {.options = &bad[i], .noptions = 1};
        assert_int_equal(drive_try_open(&t, ag_driver_sqlite(), &p, ag_alloc_libc()), AG_STEP_FAILED);
        assert_int_equal(t.err.cls, AG_EXC_ARGUMENT);
        assert_non_null(strstr(ag_error_message(&t.err), bad[i].key));
        drive_close(&t);
    }
    drive t;
    ag_connect_params p = {.database = "/nonexistent/dir/x.db"};
    assert_int_equal(drive_try_open(&t, ag_driver_sqlite(), &p, ag_alloc_libc()), AG_STEP_FAILED);
    assert_int_equal(t.err.cls, AG_EXC_OPERATIONAL);
    assert_non_null(strstr(ag_error_message(&t.err), "unable to open database file /"));
    drive_close(&t);
}

/* ---- errors ---- */

static void test_error_fields(void **state)
{
    drive *t = *state;
    drive_ok(t, "create table p (id integer primary key, e text unique, a int, b int, n text not null default '',"
                "constraint age_positive check (a >= 0), unique (a, b))");
    drive_ok(t, "create table ch (pid int references p(id))");
    drive_ok(t, "insert into p (id, e, a, b) values (1, 'x', 1, 1)");
    drive_fails(t, "insert into p (id, e) values (2, 'x')");
    assert_int_equal(t->err.cls, AG_EXC_INTEGRITY);
    assert_string_equal(t->err.sqlstate, "23505");
    assert_string_equal(t->err.table, "p");
    assert_string_equal(t->err.column, "e");
    assert_int_equal(t->err.code, 2067);
    drive_fails(t, "insert into p (id, a, b) values (3, 1, 1)");
    assert_string_equal(t->err.table, "p");
    assert_null(t->err.column);
    drive_fails(t, "insert into p (id) values (1)");
    assert_string_equal(t->err.sqlstate, "23505");
    drive_fails(t, "insert into p (id, a) values (4, -1)");
    assert_string_equal(t->err.sqlstate, "23514");
    assert_string_equal(t->err.constraint, "age_positive");
    drive_fails(t, "insert into p (id, n) values (4, null)");
    assert_string_equal(t->err.sqlstate, "23502");
    assert_string_equal(t->err.column, "n");
    drive_fails(t, "insert into ch values (77)");
    assert_string_equal(t->err.sqlstate, "23503");
    drive_fails(t, "select * from nowhere");
    assert_int_equal(t->err.cls, AG_EXC_PROGRAMMING);
    assert_string_equal(t->err.sqlstate, "42P01");
    assert_string_equal(t->err.table, "nowhere");
    drive_fails(t, "selec 1");
    assert_int_equal(t->err.cls, AG_EXC_PROGRAMMING);
    assert_string_equal(t->err.sqlstate, "42601");
    drive_fails(t, "select nocol from p");
    assert_string_equal(t->err.sqlstate, "42703");
    drive_fails(t, "rollback to savepoint nosuch");
    assert_int_equal(t->err.cls, AG_EXC_OPERATIONAL);
    drive_fails(t, "select abs(-9223372036854775808)");
    assert_int_equal(t->err.cls, AG_EXC_DATA);
}

static void test_not_a_database(void **state)
{
    (void)state;
    char path[] = "/tmp/argent-test-XXXXXX";
    int fd = mkstemp(path);
    drive t;
    assert_true(fd >= 0);
    for (int i = 0; i < 200; i++)
        assert_int_equal(write(fd, "this is no database\n", 20), 20);
    open_with(&t, path, NULL, 0);
    drive_fails(&t, "select * from x");
    assert_int_equal(t.err.cls, AG_EXC_DATABASE);
    drive_close(&t);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
}

/* ---- segments ---- */

static void test_segment_stops_at_the_first_error(void **state)
{
    drive *t = *state;
    bool sync_done;
    static const char *const sql[] = {"create table seg (a unique)", "insert into seg values (1)",
                                      "insert into seg values (1)", "insert into seg values (2)"};
    for (size_t i = 0; i < 4; i++) {
        ag_request req = {.text = sql[i], .text_len = strlen(sql[i]), .nsets = 1};
        assert_int_equal(t->d->send(t->c, &req, &t->err), AG_OK);
    }
    assert_int_equal(t->d->sync(t->c, &t->err), AG_OK);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_FAILED);
    assert_string_equal(t->err.sqlstate, "23505");
    assert_false(t->reply.skipped);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_FAILED);
    assert_true(t->reply.skipped);
    assert_non_null(strstr(ag_error_message(&t->err), "skipped"));
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_true(sync_done);
    assert_rows(t, "select a from seg", "1");
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_FAILED); /* nothing was sent */
}

static void test_transaction_state(void **state)
{
    drive *t = *state;
    drive_ok(t, "create table tx (a unique)");
    assert_int_equal(t->d->tx_state(t->c), AG_TX_IDLE);
    drive_ok(t, "begin immediate");
    assert_int_equal(t->d->tx_state(t->c), AG_TX_ACTIVE);
    drive_ok(t, "insert into tx values (1)");
    drive_fails(t, "insert into tx values (1)");
    assert_int_equal(t->d->tx_state(t->c), AG_TX_ACTIVE);
    t->d->release(t->c, true);
    assert_int_equal(drive_drain(t), AG_STEP_DONE);
    assert_int_equal(t->d->tx_state(t->c), AG_TX_IDLE);
    assert_rows(t, "select count(*) from tx", "0");
    assert_rows(t, "pragma foreign_keys", "1");
}

/* ---- streams ---- */

static void test_stream(void **state)
{
    drive *t = *state;
    const char *sql = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 7) select i from n";
    ag_request req = {
        .text = sql, .text_len = strlen(sql), .flags = AG_REQ_ROWS | AG_REQ_STREAM, .nsets = 1, .window = 3};
    assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
    assert_string_equal(drive_rows(t), "1\n2\n3");
    assert_true(t->reply.more);
    ag_reply first = t->reply;
    ag_reply_init(&t->reply, t->alloc);
    assert_int_equal(drive_request(t, &req), AG_STEP_DONE); /* a second cursor of the same text */
    assert_true(t->reply.cursor != first.cursor);
    assert_rows(t, "select 42", "42");
    ag_reply_clear(&t->reply);
    t->reply = first;
    assert_int_equal(drive_fetch(t), AG_STEP_DONE);
    assert_string_equal(drive_rows(t), "1\n2\n3\n4\n5\n6");
    assert_int_equal(drive_fetch(t), AG_STEP_DONE);
    assert_string_equal(drive_rows(t), "1\n2\n3\n4\n5\n6\n7");
    assert_false(t->reply.more);
    assert_int_equal(t->reply.cursor, 0);
    assert_int_equal(drive_fetch(t), AG_STEP_FAILED);
    assert_int_equal(t->err.cls, AG_EXC_RESOURCE_CLOSED);
    t->d->cursor_close(t->c, first.cursor + 1);
    t->d->cursor_close(t->c, 999);
}

/* ---- locks and time ---- */

static char shared_path[] = "/tmp/argent-lock-XXXXXX";

static int lock_setup(void **state)
{
    drive *t = calloc(2, sizeof *t);
    ag_connect_option timeout = {"timeout", "0.2"};
    memcpy(shared_path + sizeof shared_path - 7, "XXXXXX", 6);
    int fd = mkstemp(shared_path);
    if (fd < 0 || close(fd) != 0)
        return 1;
    open_with(&t[0], shared_path, &timeout, 1);
    open_with(&t[1], shared_path, &timeout, 1);
    drive_ok(&t[0], "create table l (a)");
    *state = t;
    return 0;
}

static int lock_teardown(void **state)
{
    drive *t = *state;
    drive_close(&t[0]);
    drive_close(&t[1]);
    free(t);
    return unlink(shared_path);
}

static void test_lock_wait_ends(void **state)
{
    drive *t = *state;
    drive_ok(&t[0], "begin immediate");
    int64_t start = ag_now_us();
    drive_fails(&t[1], "begin immediate");
    int64_t took = ag_now_us() - start;
    assert_int_equal(t[1].err.cls, AG_EXC_OPERATIONAL);
    assert_int_equal(t[1].err.code, 5);
    assert_non_null(strstr(ag_error_message(&t[1].err), "database is locked (waited 0.2 s"));
    assert_true(took >= 190000 && took < 2000000);
    assert_true(t[1].waits >= 4 && t[1].waits < 40);
    drive_ok(&t[0], "commit");
    drive_ok(&t[1], "begin immediate");
}

/* The lock is freed while the other one waits. */
static void test_lock_wait_succeeds(void **state)
{
    drive *t = *state;
    bool sync_done;
    ag_wait w;
    drive_ok(&t[0], "begin immediate");
    ag_value v = ag_value_int(1);
    ag_request req = {.text = "insert into l values (?)", .text_len = 24, .nparams = 1, .nsets = 1, .values = &v};
    assert_int_equal(t[1].d->send(t[1].c, &req, &t[1].err), AG_OK);
    assert_int_equal(t[1].d->sync(t[1].c, &t[1].err), AG_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(t[1].d->collect(t[1].c, &t[1].reply, &sync_done, &w, &t[1].err), AG_STEP_WAIT);
        assert_int_equal(w.fd, -1);
        assert_true(w.deadline > ag_now_us() - 1000 && w.deadline < ag_now_us() + 60000);
    }
    drive_ok(&t[0], "commit");
    assert_int_equal(drive_collect(&t[1], &sync_done), AG_STEP_DONE);
    assert_int_equal(t[1].reply.rowcount, 1);
    assert_int_equal(drive_collect(&t[1], &sync_done), AG_STEP_DONE);
}

static void test_stale_snapshot_is_not_waited_for(void **state)
{
    drive *t = *state;
    drive_ok(&t[0], "pragma journal_mode = wal");
    drive_ok(&t[1], "begin");
    assert_rows(&t[1], "select count(*) from l", "0");
    drive_ok(&t[0], "insert into l values (1)");
    t[1].waits = 0;
    drive_fails(&t[1], "insert into l values (2)");
    assert_int_equal(t[1].err.code, 517);
    assert_true(t[1].err.retryable);
    assert_int_equal(t[1].waits, 0);
}

static void test_cancel_while_waiting(void **state)
{
    drive *t = *state;
    bool sync_done;
    ag_wait w;
    drive_ok(&t[0], "begin immediate");
    ag_request req = {.text = "begin immediate", .text_len = 15, .nsets = 1};
    assert_int_equal(t[1].d->send(t[1].c, &req, &t[1].err), AG_OK);
    assert_int_equal(t[1].d->sync(t[1].c, &t[1].err), AG_OK);
    assert_int_equal(t[1].d->collect(t[1].c, &t[1].reply, &sync_done, &w, &t[1].err), AG_STEP_WAIT);
    t[1].d->cancel(t[1].c);
    assert_int_equal(drive_collect(&t[1], &sync_done), AG_STEP_FAILED);
    assert_string_equal(t[1].err.sqlstate, "57014");
    assert_int_equal(drive_collect(&t[1], &sync_done), AG_STEP_DONE);
    assert_rows(&t[1], "select 1", "1");
}

static void test_deadline(void **state)
{
    drive *t = *state;
    const char *endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    ag_request req = {.text = endless, .text_len = strlen(endless), .flags = AG_REQ_ROWS, .nsets = 1};
    int64_t start = ag_now_us();
    req.deadline = start + 30000;
    assert_int_equal(drive_request(t, &req), AG_STEP_FAILED);
    assert_string_equal(t->err.sqlstate, "57014");
    assert_int_equal(t->err.cls, AG_EXC_OPERATIONAL);
    assert_true(ag_now_us() - start < 1000000);
    assert_rows(t, "select 1", "1");
    t->d->set_deadline(t->c, ag_now_us() + 30000);
    req.deadline = 0;
    assert_int_equal(drive_request(t, &req), AG_STEP_FAILED);
    assert_string_equal(t->err.sqlstate, "57014");
    t->d->set_deadline(t->c, AG_NO_DEADLINE);
    assert_rows(t, "select 1", "1");
}

/* ---- memory ---- */

static ag_status everything(const ag_alloc *a, void *ud)
{
    (void)ud;
    drive t;
    ag_value vals[] = {ag_value_int(1), v_text("some text that is longer than a cell"), v_kind(AG_V_DECIMAL, "1.50")};
    ag_connect_params p = {.database = ":memory:"};
    ag_step s = drive_try_open(&t, ag_driver_sqlite(), &p, a);
    static const char *const sql[] = {"create table m (a integer, b text, c numeric(5,2), d date)",
                                      "insert into m values (?, ?, ?, '2024-01-01')", "select * from m"};
    for (size_t i = 0; i < 3 && s == AG_STEP_DONE; i++) {
        bool sync_done;
        ag_request req = {
            .text = sql[i], .text_len = strlen(sql[i]), .flags = AG_REQ_ROWS | AG_REQ_PREPARE, .nsets = 1};
        req.nparams = i == 1 ? 3 : 0;
        req.values = vals;
        if (t.d->send(t.c, &req, &t.err) != AG_OK || t.d->sync(t.c, &t.err) != AG_OK)
            s = AG_STEP_FAILED;
        for (int k = 0; k < 2 && s == AG_STEP_DONE; k++) {
            s = drive_collect(&t, &sync_done);
            if (s == AG_STEP_DONE && i == 2 && k == 0)
                assert_int_equal(t.reply.rows.count, 1);
        }
    }
    ag_status st = s == AG_STEP_DONE ? AG_OK : t.err.cls == AG_EXC_MEMORY ? AG_NOMEM : AG_ERROR;
    drive_close(&t);
    return st;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    sweep_run(everything, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rows_by_storage_class, setup, teardown),
        cmocka_unit_test_setup_teardown(test_declared_types, setup, teardown),
        cmocka_unit_test_setup_teardown(test_asked_types_are_promises, setup, teardown),
        cmocka_unit_test_setup_teardown(test_round_trips, setup, teardown),
        cmocka_unit_test_setup_teardown(test_values_that_would_change, setup, teardown),
        cmocka_unit_test_setup_teardown(test_array_parameter_is_json, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_sets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_statement_per_call, setup, teardown),
        cmocka_unit_test_setup_teardown(test_script, setup, teardown),
        cmocka_unit_test_setup_teardown(test_statements_survive_schema_changes, setup, teardown),
        cmocka_unit_test(test_statement_cache_is_bounded),
        cmocka_unit_test_setup_teardown(test_readonly, setup, teardown),
        cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
        cmocka_unit_test(test_open_modes),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test_setup_teardown(test_error_fields, setup, teardown),
        cmocka_unit_test(test_not_a_database),
        cmocka_unit_test_setup_teardown(test_segment_stops_at_the_first_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_transaction_state, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lock_wait_ends, lock_setup, lock_teardown),
        cmocka_unit_test_setup_teardown(test_lock_wait_succeeds, lock_setup, lock_teardown),
        cmocka_unit_test_setup_teardown(test_stale_snapshot_is_not_waited_for, lock_setup, lock_teardown),
        cmocka_unit_test_setup_teardown(test_cancel_while_waiting, lock_setup, lock_teardown),
        cmocka_unit_test_setup_teardown(test_deadline, setup, teardown),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

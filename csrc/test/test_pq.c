/* The PostgreSQL driver against a real server (ARGENT_PG_URL; skipped without): values both ways in both formats, the
 * pipeline, prepared statements, errors, cancelling, release, streams, scripts and COPY. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pq_server.h"

#include "value/datetime.h"

#include <stdio.h>
#include <stdlib.h>

#define assert_rows(t, sql, expected) assert_string_equal(drive_query((t), (sql), NULL, 0), (expected))

static const ag_type *plain(ag_type_id id)
{
    return ag_type_plain(id);
}

/* ---- connecting ---- */

static void test_versions(void **state)
{
    drive *t = *state;
    assert_true(t->d->server_version(t->c) >= 120000);
    assert_true(t->d->client_version() >= 140000);
    assert_true(t->d->backend_id(t->c) > 0);
    assert_true(t->d->fd(t->c) >= 0);
    assert_int_equal(t->d->max_params(t->c), 65535);
    assert_int_equal(t->d->alive(t->c), AG_ALIVE);
    assert_int_equal(t->d->tx_state(t->c), AG_TX_IDLE);
    assert_rows(t, "show client_encoding", "'UTF8'");
    assert_rows(t, "show application_name", "'argent'");
    assert_rows(t, "show extra_float_digits", "'1'");
}

static void test_connect_errors(void **state)
{
    (void)state;
    drive t;
    ag_connect_option odd = {"sslmod", "x"};
    ag_connect_params p = {.options = &odd, .noptions = 1};
    assert_int_equal(drive_try_open(&t, ag_driver_postgresql(), &p, ag_alloc_libc()), AG_STEP_FAILED);
    assert_int_equal(t.err.cls, AG_EXC_ARGUMENT);
    assert_non_null(strstr(ag_error_message(&t.err), "unknown option 'sslmod'"));
    assert_non_null(strstr(ag_error_message(&t.err), "sslmode"));
    drive_close(&t);

    pq_server s = pq_server_params();
    s.params.database = "no_such_database";
    assert_int_equal(drive_try_open(&t, ag_driver_postgresql(), &s.params, ag_alloc_libc()), AG_STEP_FAILED);
    assert_int_equal(t.err.cls, AG_EXC_OPERATIONAL);
    assert_non_null(strstr(ag_error_message(&t.err), "no_such_database"));
    assert_false(t.err.disconnect);
    drive_close(&t);

    const char *none[] = {"/nonexistent"};
    p = (ag_connect_params){.hosts = none, .nhosts = 1};
    assert_int_equal(drive_try_open(&t, ag_driver_postgresql(), &p, ag_alloc_libc()), AG_STEP_FAILED);
    assert_int_equal(t.err.cls, AG_EXC_OPERATIONAL);
    drive_close(&t);
}

/* A host that answers nothing is given up after connect_timeout, and the next one tried. */
static void test_silent_host(void **state)
{
    (void)state;
    drive t;
    pq_server s = pq_server_params();
    int fd;
    uint16_t port;
    pq_silent_listener(&fd, &port);
    const char *hosts[] = {"127.0.0.1", s.hosts[0]};
    uint16_t ports[] = {port, s.params.ports ? s.params.ports[0] : 0};
    ag_connect_option timeout = {"connect_timeout", "1"};
    s.params.hosts = hosts;
    s.params.ports = ports;
    s.params.nhosts = 2;
    s.params.options = &timeout;
    s.params.noptions = 1;
    int64_t start = ag_now_us();
    drive_open(&t, ag_driver_postgresql(), &s.params, ag_alloc_libc());
    assert_true(ag_now_us() - start >= 900000 && ag_now_us() - start < 4000000);
    assert_rows(&t, "select 1", "1");
    drive_close(&t);
    s.params.nhosts = 1;
    s.params.deadline = ag_now_us() + 200000;
    assert_int_equal(drive_try_open(&t, ag_driver_postgresql(), &s.params, ag_alloc_libc()), AG_STEP_FAILED);
    assert_non_null(strstr(ag_error_message(&t.err), "timed out"));
    drive_close(&t);
    pq_close_fd(fd);
}

/* ---- values ---- */

/* Runs a query twice: the first time in text (nothing is known of its columns), then in binary if all are known. */
static void both_formats(drive *t, const char *sql, const char *expected)
{
    assert_rows(t, sql, expected);
    assert_rows(t, sql, expected);
}

static void test_scalars(void **state)
{
    drive *t = *state;
    both_formats(t, "select true, false, 1::int2, -2::int4, 3::int8, 4::oid, null::int4", "b1|b0|1|-2|3|4|-");
    assert_int_equal(t->reply.columns[3].type->id, AG_TYPE_INTEGER);
    assert_int_equal(t->reply.columns[3].db_type, 23);
    both_formats(t, "select 0.1::float8, 0.1::float4, 'NaN'::float8, '-Infinity'::float8, 1e300::float8",
                 "f0.1|f0.10000000149011612|fnan|f-inf|f1e+300");
    both_formats(t, "select 'a'::text, 'b'::varchar(3), 'c'::char(3), 'd'::name, 'e'::\"char\", ''::text",
                 "'a'|'b'|'c  '|'d'|'e'|''");
    both_formats(t, "select '\\x00ff'::bytea, ''::bytea", "x'00ff'|x''");
    both_formats(t, "select '{\"a\": [1]}'::json, '{\"a\": [1]}'::jsonb", "j{\"a\": [1]}|j{\"a\": [1]}");
    both_formats(t, "select 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid", "ua0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    both_formats(t, "select pg_sleep(0)", "r");
}

static void test_numeric(void **state)
{
    drive *t = *state;
    both_formats(
        t,
        "select 0::numeric, 1.50::numeric, -0.00001::numeric, 12345678901234567890.12::numeric, 10000::numeric,"
        "1e20::numeric, 0.000::numeric, 'NaN'::numeric, 100000000.0001::numeric, 1e-20::numeric",
        "d0|d1.50|d-0.00001|d12345678901234567890.12|d10000|d100000000000000000000|d0.000|dNaN|d100000000.0001|"
        "d0.00000000000000000001");
    if (t->d->server_version(t->c) >= 140000)
        both_formats(t, "select 'Infinity'::numeric, '-Infinity'::numeric", "dInfinity|d-Infinity");
}

static void test_temporal(void **state)
{
    drive *t = *state;
    both_formats(t, "select date '2024-02-29', date '0001-01-01', date 'infinity', date '-infinity'",
                 "@2024-02-29|@0001-01-01|@infinity|@-infinity");
    both_formats(t, "select time '10:20:30.5', time '24:00', time with time zone '10:20:30+05:30'",
                 "@10:20:30.500000|@24:00:00|@10:20:30+05:30");
    both_formats(t, "select timestamp '1999-12-31 23:59:59.000001', timestamp 'infinity', timestamp '0044-03-15 BC'",
                 "@1999-12-31 23:59:59.000001|@infinity|@0044-03-15 00:00:00 BC");
    drive_ok(t, "set timezone = 'Asia/Kolkata'");
    both_formats(t, "select timestamptz '2024-01-01 12:00:00+02'", "@2024-01-01 10:00:00+00:00");
    both_formats(t, "select timestamptz 'infinity' > now(), array[timestamptz '-infinity']", "b1|{@-infinity}");
    both_formats(t, "select interval '1 year 2 mons -3 days 04:05:06.7', interval '-1 us', interval '0'",
                 "~14m-3d14706700000|~0m0d-1|~0m0d0");
}

static void test_arrays(void **state)
{
    drive *t = *state;
    both_formats(t, "select '{1,NULL,3}'::int4[], '{}'::text[], '{{1,2},{3,4}}'::int8[], '[0:1]={7,8}'::int2[]",
                 "{1,-,3}|{}|[2][2]{1,2,3,4}|[0:]{7,8}");
    both_formats(t, "select array['a,b', 'c\"d', 'e\\f', '', 'NULL', null, ' x ']::text[]",
                 "{'a,b','c\"d','e\\f','','NULL',-,' x '}");
    both_formats(t,
                 "select array[1.50]::numeric[], array[date '2024-01-01'], array[true, false],"
                 "array['\\x01']::bytea[], array['{}']::jsonb[], array['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']::uuid[],"
                 "array[timestamptz '2024-01-01 00:00+00'], array[interval '1 day']",
                 "{d1.50}|{@2024-01-01}|{b1,b0}|{x'01'}|{j{}}|{ua0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}|"
                 "{@2024-01-01 00:00:00+00:00}|{~0m1d0}");
    assert_int_equal(t->reply.columns[0].type->id, AG_TYPE_ARRAY);
    both_formats(t,
                 "select '1 2'::int2vector, ''::oidvector, (select array_agg(i) from generate_series(1, 70000) i) = "
                 "array(select generate_series(1, 70000))",
                 "[0:]{1,2}|{}|b1");
    drive_ok(t, "select array_agg(i) from generate_series(1, 70000) i");
}

static void test_types_without_values(void **state)
{
    drive *t = *state;
    drive_ok(t, "create type color as enum ('red', 'green')");
    drive_ok(t, "create domain age as int check (value >= 0)");
    both_formats(
        t, "select '10.0.0.1/8'::inet, '[1,5)'::int4range, 'red'::color, 7::age, '{red,green}'::color[], row(1, 'a')",
        "r10.0.0.1/8|r[1,5)|rred|7|r{red,green}|r(1,a)");
    /* asked for as what they are they are values, in either format */
    ag_type array = ag_type_proto(AG_TYPE_ARRAY);
    array.item = plain(AG_TYPE_ENUM);
    const ag_type *types[] = {plain(AG_TYPE_ENUM), &array, plain(AG_TYPE_STRING)};
    ag_request req = {.text = "select 'red'::color, '{red,green}'::color[], '10.0.0.1'::inet",
                      .flags = AG_REQ_ROWS | AG_REQ_PREPARE,
                      .nsets = 1,
                      .result_types = types,
                      .nresult_types = 3};
    req.text_len = strlen(req.text);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
        assert_string_equal(drive_rows(t), "'red'|{'red','green'}|'10.0.0.1'");
    }
    req.text = "select 'red'::color, 5";
    req.text_len = strlen(req.text);
    req.nresult_types = 1;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
        assert_string_equal(drive_rows(t), "'red'|5");
    }
}

static void test_asked_types(void **state)
{
    drive *t = *state;
    const ag_type *types[] = {plain(AG_TYPE_INTEGER), plain(AG_TYPE_INTEGER),      plain(AG_TYPE_FLOAT),
                              plain(AG_TYPE_NUMERIC), plain(AG_TYPE_UUID_GENERIC), plain(AG_TYPE_DATETIME),
                              plain(AG_TYPE_INTEGER)};
    ag_request req = {.text =
                          "select sum(x), 1.5::numeric, 7::int8, 0.5::float8, 'a0eebc999c0b4ef8bb6d6bb9bd380a11'::text,"
                          "date '2024-01-01', null::text from (values (2::int8), (3)) v(x)",
                      .flags = AG_REQ_ROWS | AG_REQ_PREPARE,
                      .nsets = 1,
                      .result_types = types,
                      .nresult_types = 7};
    req.text_len = strlen(req.text);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
        assert_string_equal(drive_rows(t),
                            "5|d1.5|f7.0|d0.5|ua0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|@2024-01-01 00:00:00|-");
        assert_ptr_equal(t->reply.columns[0].type, types[0]);
    }
}

/* ---- parameters ---- */

static const char *echo(drive *t, const char *sql, const ag_type *type, ag_value v)
{
    ag_request req = {
        .text = sql, .text_len = strlen(sql), .flags = AG_REQ_ROWS | AG_REQ_PREPARE, .nsets = 1, .nparams = 1};
    req.values = &v;
    req.param_types = &type;
    if (drive_request(t, &req) != AG_STEP_DONE)
        return ag_error_message(&t->err);
    return drive_rows(t);
}

static void test_parameters_by_value(void **state)
{
    drive *t = *state;
    static const char sql[] = "select pg_typeof($1)::text, $1";
    ag_value date, dt, zoned;
    assert_int_equal(ag_date_parse(&date, "2024-02-29", 10, NULL), AG_OK);
    assert_int_equal(ag_datetime_parse(&dt, "1999-12-31 23:59:59.000001", 26, NULL), AG_OK);
    assert_int_equal(ag_datetime_parse(&zoned, "2024-01-01 12:00:00+02", 22, NULL), AG_OK);
    assert_string_equal(echo(t, sql, NULL, ag_value_int(5)), "'integer'|5");
    assert_string_equal(echo(t, sql, NULL, ag_value_int(INT64_C(5000000000))), "'bigint'|5000000000");
    assert_string_equal(echo(t, sql, NULL, ag_value_float(0.1)), "'double precision'|f0.1");
    assert_string_equal(echo(t, sql, NULL, ag_value_bool(true)), "'boolean'|b1");
    assert_string_equal(echo(t, "select $1", NULL, v_text("x")), "'x'");
    assert_string_equal(echo(t, sql, NULL, ag_value_bytes(AG_V_BYTES, "\0\1", 2)), "'bytea'|x'0001'");
    assert_string_equal(echo(t, sql, NULL, v_kind(AG_V_DECIMAL, "-12345.6700")), "'numeric'|d-12345.6700");
    assert_string_equal(echo(t, sql, NULL, date), "'date'|@2024-02-29");
    assert_string_equal(echo(t, sql, NULL, dt), "'timestamp without time zone'|@1999-12-31 23:59:59.000001");
    assert_string_equal(echo(t, sql, NULL, zoned), "'timestamp with time zone'|@2024-01-01 10:00:00+00:00");
    assert_string_equal(echo(t, sql, NULL, v_kind(AG_V_UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
                        "'uuid'|ua0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    ag_value iv = {.kind = AG_V_INTERVAL, .u.iv = {.us = -5, .days = 2, .months = -1}};
    assert_string_equal(echo(t, sql, NULL, iv), "'interval'|~-1m2d-5");
    /* an untyped string fits any type; an integer fits substr and date + n */
    assert_string_equal(echo(t, "select $1::date + 1", NULL, v_text("2024-01-31")), "@2024-02-01");
    assert_string_equal(echo(t, "select substr('abc', $1)", NULL, ag_value_int(2)), "'bc'");
    assert_string_equal(echo(t, "select date '2024-01-01' + $1", NULL, ag_value_int(2)), "@2024-01-03");
    assert_string_equal(echo(t, "select $1::int is null", NULL, ag_value_null()), "b1");
}

static void test_decimals_both_ways(void **state)
{
    drive *t = *state;
    static const char *const cases[] = {"0",
                                        "0.00",
                                        "1",
                                        "-1",
                                        "10000",
                                        "0.0001",
                                        "0.00012345",
                                        "99999999.9999",
                                        "123456789012345678901234567890",
                                        "-0.5",
                                        "100.00",
                                        "1000000000000",
                                        "0.00000000000000000001",
                                        "NaN",
                                        "9999",
                                        "12345.6"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[80];
        (void)snprintf(expected, sizeof expected, "d%s|'%s'", cases[i], cases[i]);
        assert_string_equal(
            echo(t, "select $1::numeric, $1::text", plain(AG_TYPE_NUMERIC), v_kind(AG_V_DECIMAL, cases[i])), expected);
    }
}

static void test_typed_parameters(void **state)
{
    drive *t = *state;
    static const char sql[] = "select pg_typeof($1)::text, $1";
    ag_type zoned = ag_type_proto(AG_TYPE_DATETIME);
    zoned.flags |= AG_TYPE_TIMEZONE;
    assert_string_equal(echo(t, sql, plain(AG_TYPE_SMALLINTEGER), ag_value_int(5)), "'smallint'|5");
    assert_string_equal(echo(t, sql, plain(AG_TYPE_INTEGER), ag_value_int(INT64_C(5000000000))), "'bigint'|5000000000");
    assert_string_equal(echo(t, sql, plain(AG_TYPE_BIGINTEGER), ag_value_int(5)), "'bigint'|5");
    assert_string_equal(echo(t, sql, plain(AG_TYPE_FLOAT), ag_value_int(5)), "'double precision'|f5.0");
    assert_string_equal(echo(t, sql, plain(AG_TYPE_NUMERIC), ag_value_int(-50000)), "'numeric'|d-50000");
    assert_string_equal(echo(t, sql, plain(AG_TYPE_NUMERIC), ag_value_float(0.1)), "'numeric'|d0.1");
    assert_string_equal(echo(t, sql, plain(AG_TYPE_STRING), v_text("x")), "'text'|'x'");
    assert_string_equal(echo(t, sql, plain(AG_TYPE_LARGEBINARY), v_text("ab")), "'bytea'|x'6162'");
    assert_string_equal(echo(t, sql, plain(AG_TYPE_JSON), v_kind(AG_V_JSON, "[1, 2]")), "'json'|j[1, 2]");
    assert_string_equal(echo(t, sql, plain(AG_TYPE_PG_JSONB), v_kind(AG_V_JSON, "[1,2]")), "'jsonb'|j[1, 2]");
    assert_string_equal(echo(t, sql, plain(AG_TYPE_PG_INET), v_kind(AG_V_RAW, "10.0.0.1")), "'inet'|r10.0.0.1");
    assert_string_equal(echo(t, sql, plain(AG_TYPE_UUID_GENERIC), v_text("a0eebc999c0b4ef8bb6d6bb9bd380a11")),
                        "'uuid'|ua0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    assert_string_equal(echo(t, sql, plain(AG_TYPE_INTEGER), ag_value_null()), "'integer'|-");
    assert_non_null(strstr(echo(t, sql, &zoned, (ag_value){.kind = AG_V_DATETIME}),
                           "parameter $1: a datetime without a time zone"));
    assert_int_equal(t->err.cls, AG_EXC_DATA);
    assert_non_null(strstr(echo(t, sql, NULL, ag_value_text("a\0b", 3)), "NUL"));
    assert_non_null(strstr(echo(t, sql, NULL, ag_value_text("\xff", 1)), "UTF-8"));
    assert_rows(t, "select 1", "1");
}

static void test_array_parameters(void **state)
{
    drive *t = *state;
    ag_arena ar;
    ag_value v, ints[] = {ag_value_int(1), ag_value_null(), ag_value_int(3)};
    ag_value texts[] = {v_text("a,b"), v_text("q\"\\"), ag_value_null(), v_text("NULL")};
    ag_array_dim dims[] = {{3, 1}, {1, 1}};
    ag_type ai = ag_type_proto(AG_TYPE_ARRAY), ae = ag_type_proto(AG_TYPE_ARRAY);
    ai.item = plain(AG_TYPE_BIGINTEGER);
    ae.item = plain(AG_TYPE_ENUM);
    ag_arena_init(&ar, ag_alloc_libc());
    assert_int_equal(ag_array_pack(&v, 1, dims, ints, 3, &ar, NULL), AG_OK);
    assert_string_equal(echo(t, "select pg_typeof($1)::text, $1", NULL, v), "'integer[]'|{1,-,3}");
    assert_string_equal(echo(t, "select pg_typeof($1)::text, $1", &ai, v), "'bigint[]'|{1,-,3}");
    assert_string_equal(echo(t, "select 3 = any($1)", NULL, v), "b1");
    dims[0].lower = -1;
    assert_int_equal(ag_array_pack(&v, 1, dims, ints, 3, &ar, NULL), AG_OK);
    assert_string_equal(echo(t, "select $1::text, $1", NULL, v), "'[-1:1]={1,NULL,3}'|[-1:]{1,-,3}");
    dims[0] = (ag_array_dim){4, 1};
    assert_int_equal(ag_array_pack(&v, 1, dims, texts, 4, &ar, NULL), AG_OK);
    assert_string_equal(echo(t, "select $1", NULL, v), "{'a,b','q\"\\',-,'NULL'}");
    assert_string_equal(echo(t, "select $1::text[]", &ae, v), "{'a,b','q\"\\',-,'NULL'}"); /* as a literal */
    dims[0] = (ag_array_dim){2, 1};
    dims[1] = (ag_array_dim){2, 0};
    assert_int_equal(ag_array_pack(&v, 2, dims, texts, 4, &ar, NULL), AG_OK);
    assert_string_equal(echo(t, "select $1::text[]::text", NULL, v),
                        "'[1:2][0:1]={{\"a,b\",\"q\\\"\\\\\"},{NULL,\"NULL\"}}'");
    assert_string_equal(echo(t, "select $1::text[]::text", &ae, v),
                        "'[1:2][0:1]={{\"a,b\",\"q\\\"\\\\\"},{NULL,\"NULL\"}}'");
    assert_int_equal(ag_array_pack(&v, 0, NULL, NULL, 0, &ar, NULL), AG_OK);
    assert_string_equal(echo(t, "select $1", &ai, v), "{}");
    assert_string_equal(echo(t, "select $1::text[]", &ae, v), "{}");
    ag_arena_clear(&ar);
}

/* ---- pipeline ---- */

static ag_status fill_pair(void *ud, size_t set, ag_value *out, ag_error *err)
{
    size_t *stop = ud;
    if (set == *stop)
        return ag_fail(err, AG_EXC_ARGUMENT, "no value for set %zu", set);
    out[0] = ag_value_int((int64_t)set);
    out[1] = set % 3 ? v_text("some text") : ag_value_null();
    return AG_OK;
}

static void test_many_sets(void **state)
{
    drive *t = *state;
    size_t never = SIZE_MAX, stop = 700;
    drive_ok(t, "create table many (id int primary key, s text)");
    for (unsigned flags = 0; flags <= AG_REQ_PREPARE; flags += AG_REQ_PREPARE) {
        const ag_type *types[] = {plain(AG_TYPE_INTEGER), plain(AG_TYPE_TEXT)};
        ag_request req = {.text = "insert into many values ($1, $2)",
                          .text_len = 32,
                          .flags = flags,
                          .nparams = 2,
                          .nsets = 3000,
                          .fill = fill_pair,
                          .fill_ud = &never,
                          .param_types = types};
        assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
        assert_int_equal(t->reply.rowcount, 3000);
        assert_int_equal(t->reply.sets_done, 3000);
        assert_int_equal(t->reply.rowcounts[2999], 1);
        assert_string_equal(t->reply.tag, "INSERT 0 1");
        assert_rows(t, "select count(*), count(s), sum(id) from many", "3000|2000|4498500");
        drive_ok(t, "delete from many");
        assert_int_equal(t->reply.rowcount, 3000);
        /* types by value: NULL and text alternate between two prepared statements */
        req.param_types = NULL;
        assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
        drive_ok(t, "delete from many where id < 650");
        /* the values of set 700 cannot be had; what went before has run */
        drive_ok(t, "begin");
        req.text = "delete from many where id = $1 and $2::text is null returning id";
        req.text_len = strlen(req.text);
        req.flags = flags | AG_REQ_ROWS;
        req.fill_ud = &stop;
        assert_int_equal(drive_request(t, &req), AG_STEP_FAILED);
        assert_string_equal(ag_error_message(&t->err), "no value for set 700");
        assert_int_equal(t->reply.sets_done, 700);
        assert_int_equal(t->reply.rows.count, 17); /* 651, 654 … 699 */
        drive_ok(t, "rollback");
        drive_ok(t, "delete from many");
        /* the server refuses set 5 */
        ag_value ids[] = {ag_value_int(0), ag_value_int(1), ag_value_int(2), ag_value_int(3),
                          ag_value_int(4), ag_value_int(2), ag_value_int(6)};
        req = (ag_request){.text = "insert into many values ($1)",
                           .text_len = 28,
                           .flags = flags,
                           .nparams = 1,
                           .nsets = 7,
                           .values = ids};
        assert_int_equal(drive_request(t, &req), AG_STEP_FAILED);
        assert_int_equal(t->reply.sets_done, 5);
        assert_string_equal(t->err.sqlstate, "23505");
        assert_rows(t, "select count(*) from many", "0"); /* one implicit transaction */
    }
}

/* Far more bytes both ways than any socket buffer holds. */
static void test_large_values_both_ways(void **state)
{
    drive *t = *state;
    size_t n = (size_t)3 << 20;
    char *big = malloc(n);
    memset(big, 'x', n);
    ag_value vals[6];
    for (int i = 0; i < 6; i++)
        vals[i] = ag_value_text(big, n);
    ag_request req = {
        .text = "select $1::text", .text_len = 15, .flags = AG_REQ_ROWS, .nparams = 1, .nsets = 6, .values = vals};
    assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
    assert_int_equal(t->reply.rows.count, 6);
    ag_rows_pos pos = {0};
    ag_value v;
    ag_row_get(&v, ag_rows_next(&t->reply.rows, &pos), 0);
    assert_int_equal(v.u.s.n, n);
    free(big);
}

static void send_text(drive *t, const char *sql, unsigned flags)
{
    ag_request req = {.text = sql, .text_len = strlen(sql), .flags = flags, .nsets = 1};
    assert_int_equal(t->d->send(t->c, &req, &t->err), AG_OK);
}

static void test_segments(void **state)
{
    drive *t = *state;
    bool sync_done;
    send_text(t, "begin", 0);
    send_text(t, "create temp table seg (a int unique)", 0);
    send_text(t, "insert into seg values (1)", AG_REQ_PREPARE);
    send_text(t, "insert into seg values (1)", AG_REQ_PREPARE);
    send_text(t, "select * from seg", AG_REQ_ROWS | AG_REQ_PREPARE);
    assert_int_equal(t->d->sync(t->c, &t->err), AG_OK);
    send_text(t, "rollback", 0);
    send_text(t, "select 5", AG_REQ_ROWS | AG_REQ_PREPARE);
    assert_int_equal(t->d->sync(t->c, &t->err), AG_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_string_equal(t->reply.tag, "INSERT 0 1");
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_FAILED);
    assert_string_equal(t->err.sqlstate, "23505");
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_FAILED);
    assert_true(t->reply.skipped);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_true(sync_done);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_string_equal(t->reply.tag, "ROLLBACK");
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_string_equal(drive_rows(t), "5");
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_int_equal(t->d->tx_state(t->c), AG_TX_IDLE);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_FAILED); /* nothing was sent */
    /* a statement whose Parse was skipped is not taken for prepared */
    drive_fails(t, "select * from seg");
    assert_string_equal(t->err.sqlstate, "42P01");
    /* an empty segment */
    assert_int_equal(t->d->sync(t->c, &t->err), AG_OK);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_true(sync_done);
}

/* A reply can be had before the segment is ended. */
static void test_collect_before_sync(void **state)
{
    drive *t = *state;
    bool sync_done;
    send_text(t, "select 1", AG_REQ_ROWS);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_string_equal(drive_rows(t), "1");
    assert_int_equal(t->d->tx_state(t->c), AG_TX_IDLE);
    send_text(t, "select 2", AG_REQ_ROWS);
    assert_int_equal(t->d->sync(t->c, &t->err), AG_OK);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_string_equal(drive_rows(t), "2");
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_true(sync_done);
}

static void test_transaction_state(void **state)
{
    drive *t = *state;
    drive_ok(t, "begin");
    assert_int_equal(t->d->tx_state(t->c), AG_TX_ACTIVE);
    drive_fails(t, "select 1/0");
    assert_string_equal(t->err.sqlstate, "22012");
    assert_int_equal(t->err.cls, AG_EXC_DATA);
    assert_int_equal(t->d->tx_state(t->c), AG_TX_FAILED);
    drive_fails(t, "select 1");
    assert_string_equal(t->err.sqlstate, "25P02");
    drive_ok(t, "commit");
    assert_string_equal(t->reply.tag, "ROLLBACK");
    assert_int_equal(t->d->tx_state(t->c), AG_TX_IDLE);
}

/* ---- prepared statements ---- */

static void test_statement_cache(void **state)
{
    (void)state;
    drive t;
    pq_open(&t, &(ag_connect_option){"prepared_statement_cache_size", "5"}, 1);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 12; i++) {
            char sql[40], expected[20];
            (void)snprintf(sql, sizeof sql, "select %d", i);
            (void)snprintf(expected, sizeof expected, "%d", i);
            assert_rows(&t, sql, expected);
        }
    }
    assert_rows(&t, "select count(*) < 8 from pg_prepared_statements", "b1");
    /* the server's copies go away behind our back */
    drive_ok(&t, "deallocate all");
    assert_rows(&t, "select 11", "11");
    drive_ok(&t, "discard all");
    assert_rows(&t, "select 11", "11");
    drive_ok(&t, "do $$ begin execute 'deallocate all'; end $$");
    drive_fails(&t, "select 11");
    assert_string_equal(t.err.sqlstate, "26000");
    assert_true(t.err.retryable);
    assert_rows(&t, "select 11", "11");
    drive_close(&t);
    pq_open(&t, &(ag_connect_option){"prepared_statement_cache_size", "0"}, 1);
    assert_rows(&t, "select 1", "1");
    assert_rows(&t, "select count(*) from pg_prepared_statements", "0");
    drive_close(&t);
}

static void test_plan_goes_stale(void **state)
{
    drive *t = *state;
    drive_ok(t, "create temp table stale (a int)");
    drive_ok(t, "insert into stale values (1)");
    assert_rows(t, "select * from stale", "1");
    assert_rows(t, "select * from stale", "1");
    drive_ok(t, "alter table stale add b text default 'x'"); /* our own DDL: prepared again at once */
    assert_rows(t, "select * from stale", "1|'x'");
    assert_rows(t, "select * from stale", "1|'x'");
    drive_ok(t, "do 'begin alter table stale add c int default 3; end'"); /* unseen */
    drive_fails(t, "select * from stale");
    assert_string_equal(t->err.sqlstate, "0A000");
    assert_true(t->err.retryable);
    assert_rows(t, "select * from stale", "1|'x'|3");
    assert_rows(t, "select * from stale", "1|'x'|3");
}

/* ---- errors ---- */

static void test_error_fields(void **state)
{
    drive *t = *state;
    drive_ok(t, "create schema es create table p (id int primary key, n text not null, constraint age_positive check "
                "(id > 0))");
    drive_ok(t, "create table es.ch (pid int constraint ch_fk references es.p)");
    drive_ok(t, "insert into es.p values (1, 'x')");
    drive_fails(t, "insert into es.p values (1, 'y')");
    assert_int_equal(t->err.cls, AG_EXC_INTEGRITY);
    assert_string_equal(t->err.sqlstate, "23505");
    assert_string_equal(t->err.constraint, "p_pkey");
    assert_string_equal(t->err.table, "p");
    assert_string_equal(t->err.schema, "es");
    assert_non_null(strstr(t->err.detail, "already exists"));
    assert_non_null(strstr(ag_error_message(&t->err), "duplicate key value"));
    assert_false(t->err.disconnect);
    drive_fails(t, "insert into es.p values (2, null)");
    assert_string_equal(t->err.sqlstate, "23502");
    assert_string_equal(t->err.column, "n");
    drive_fails(t, "insert into es.p values (-2, 'a')");
    assert_string_equal(t->err.constraint, "age_positive");
    drive_fails(t, "insert into es.ch values (7)");
    assert_string_equal(t->err.sqlstate, "23503");
    drive_fails(t, "selec 1");
    assert_string_equal(t->err.sqlstate, "42601");
    assert_int_equal(t->err.cls, AG_EXC_PROGRAMMING);
    drive_fails(t, "select nosuch");
    assert_int_equal(t->err.cls, AG_EXC_PROGRAMMING);
    drive_fails(t, "select lower(1)");
    assert_non_null(t->err.hint);
    ag_value v = ag_value_int(1);
    assert_int_equal(drive_exec(t, "select $1 + $2", &v, 1), AG_STEP_FAILED);
    assert_false(t->err.disconnect);
    assert_rows(t, "select 1", "1");
}

static void test_copy_as_a_statement_is_refused(void **state)
{
    (void)state;
    drive t;
    pq_open(&t, NULL, 0);
    drive_ok(&t, "create temp table cp (a int)");
    drive_fails(&t, "copy cp from stdin");
    assert_int_equal(t.err.cls, AG_EXC_NOT_SUPPORTED);
    assert_true(t.err.disconnect);
    drive_fails(&t, "select 1");
    assert_true(t.err.disconnect);
    drive_close(&t);
}

/* ---- the server goes away ---- */

static void test_killed_while_idle(void **state)
{
    drive *t = *state;
    drive u;
    char sql[80];
    pq_open(&u, NULL, 0);
    (void)snprintf(sql, sizeof sql, "select pg_terminate_backend(%lld)", (long long)u.d->backend_id(u.c));
    assert_int_equal(u.d->alive(u.c), AG_ALIVE);
    drive_ok(t, sql);
    pq_sleep_ms(100);
    assert_int_equal(u.d->alive(u.c), AG_DEAD);
    drive_fails(&u, "select 1");
    assert_true(u.err.disconnect);
    assert_int_equal(u.err.cls, AG_EXC_OPERATIONAL);
    assert_string_equal(u.err.sqlstate, "57P01");
    assert_int_equal(u.d->tx_state(u.c), AG_TX_UNKNOWN);
    u.d->release(u.c, false);
    assert_int_equal(drive_drain(&u), AG_STEP_FAILED);
    drive_close(&u);
}

static void test_killed_while_working(void **state)
{
    drive *t = *state;
    drive u;
    bool sync_done;
    ag_wait w;
    char sql[80];
    pq_open(&u, NULL, 0);
    (void)snprintf(sql, sizeof sql, "select pg_terminate_backend(%lld)", (long long)u.d->backend_id(u.c));
    send_text(&u, "select pg_sleep(30)", AG_REQ_ROWS);
    send_text(&u, "select 2", AG_REQ_ROWS);
    assert_int_equal(u.d->sync(u.c, &u.err), AG_OK);
    assert_int_equal(u.d->collect(u.c, &u.reply, &sync_done, &w, &u.err), AG_STEP_WAIT);
    pq_sleep_ms(50);
    drive_ok(t, sql);
    assert_int_equal(drive_collect(&u, &sync_done), AG_STEP_FAILED);
    assert_string_equal(u.err.sqlstate, "57P01");
    assert_true(u.err.disconnect);
    assert_int_equal(drive_collect(&u, &sync_done), AG_STEP_FAILED);
    assert_true(u.err.disconnect);
    assert_int_equal(drive_collect(&u, &sync_done), AG_STEP_FAILED);
    assert_true(sync_done);
    drive_close(&u);
}

/* ---- cancel, release ---- */

static void test_cancel(void **state)
{
    drive *t = *state;
    bool sync_done;
    ag_wait w;
    for (int i = 0; i < 3; i++) {
        send_text(t, "select pg_sleep(30)", AG_REQ_ROWS);
        assert_int_equal(t->d->sync(t->c, &t->err), AG_OK);
        assert_int_equal(t->d->collect(t->c, &t->reply, &sync_done, &w, &t->err), AG_STEP_WAIT);
        assert_int_equal(w.fd, t->d->fd(t->c));
        int64_t start = ag_now_us();
        t->d->cancel(t->c);
        assert_int_equal(drive_collect(t, &sync_done), AG_STEP_FAILED);
        assert_string_equal(t->err.sqlstate, "57014");
        assert_int_equal(t->err.cls, AG_EXC_OPERATIONAL);
        assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
        assert_true(ag_now_us() - start < 2000000);
        assert_rows(t, "select 1", "1");
    }
    t->d->cancel(t->c); /* nothing to cancel */
    assert_rows(t, "select 1", "1");
    /* not sent yet: it is not sent at all */
    send_text(t, "select pg_sleep(30)", AG_REQ_ROWS);
    assert_int_equal(t->d->sync(t->c, &t->err), AG_OK);
    t->d->cancel(t->c);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_FAILED);
    assert_string_equal(t->err.sqlstate, "57014");
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_rows(t, "select 1", "1");
}

static void test_deadline_bounds_the_wait(void **state)
{
    drive *t = *state;
    bool sync_done;
    ag_wait w;
    int64_t deadline = ag_now_us() + 12345;
    t->d->set_deadline(t->c, deadline);
    send_text(t, "select pg_sleep(0.05)", AG_REQ_ROWS);
    assert_int_equal(t->d->sync(t->c, &t->err), AG_OK);
    assert_int_equal(t->d->collect(t->c, &t->reply, &sync_done, &w, &t->err), AG_STEP_WAIT);
    assert_int_equal(w.deadline, deadline);
    t->d->set_deadline(t->c, AG_NO_DEADLINE);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
}

static void test_release(void **state)
{
    drive *t = *state;
    ag_wait w;
    bool sync_done;
    drive_ok(t, "create table rel (a int)");
    /* idle: nothing to do */
    t->d->release(t->c, false);
    assert_int_equal(t->d->drain_step(t->c, &w, &t->err), AG_STEP_DONE);
    /* in a transaction */
    drive_ok(t, "begin");
    drive_ok(t, "insert into rel values (1)");
    t->d->release(t->c, false);
    assert_int_equal(drive_drain(t), AG_STEP_DONE);
    assert_rows(t, "select count(*) from rel", "0");
    /* in a failed one */
    drive_ok(t, "begin");
    drive_fails(t, "select 1/0");
    t->d->release(t->c, true);
    assert_int_equal(drive_drain(t), AG_STEP_DONE);
    assert_int_equal(t->d->tx_state(t->c), AG_TX_IDLE);
    /* abandoned in the middle of a statement, with more queued */
    drive_ok(t, "begin");
    send_text(t, "insert into rel values (2)", 0);
    send_text(t, "select pg_sleep(30)", AG_REQ_ROWS);
    send_text(t, "select 1", AG_REQ_ROWS | AG_REQ_PREPARE);
    assert_int_equal(t->d->collect(t->c, &t->reply, &sync_done, &w, &t->err), AG_STEP_WAIT);
    int64_t start = ag_now_us();
    t->d->release(t->c, true);
    assert_true(ag_now_us() - start < 200000);
    assert_int_equal(drive_drain(t), AG_STEP_DONE);
    assert_true(ag_now_us() - start < 3000000);
    assert_rows(t, "select count(*) from rel", "0");
    /* abandoned with rows unread */
    send_text(t, "select * from generate_series(1, 200000)", AG_REQ_ROWS);
    assert_int_equal(t->d->sync(t->c, &t->err), AG_OK);
    assert_int_equal(t->d->collect(t->c, &t->reply, &sync_done, &w, &t->err), AG_STEP_WAIT);
    t->d->release(t->c, false);
    assert_int_equal(drive_drain(t), AG_STEP_DONE);
    /* discard puts settings back, and ours too */
    drive_ok(t, "set datestyle = 'German'");
    drive_ok(t, "set extra_float_digits = 0");
    drive_ok(t, "create temp table gone (a int)");
    t->d->release(t->c, true);
    assert_int_equal(drive_drain(t), AG_STEP_DONE);
    assert_rows(t, "show extra_float_digits", "'1'");
    assert_rows(t, "select date '2024-01-02'", "@2024-01-02");
    drive_fails(t, "select * from gone");
}

/* ---- streams ---- */

static void test_stream(void **state)
{
    drive *t = *state;
    ag_value v = ag_value_int(7);
    ag_request req = {.text = "select i, 'x' || i from generate_series(1, $1) i",
                      .flags = AG_REQ_ROWS | AG_REQ_STREAM,
                      .nsets = 1,
                      .nparams = 1,
                      .values = &v,
                      .window = 3};
    req.text_len = strlen(req.text);
    drive_ok(t, "begin");
    assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
    assert_string_equal(drive_rows(t), "1|'x1'\n2|'x2'\n3|'x3'");
    assert_true(t->reply.more);
    ag_reply first = t->reply;
    ag_reply_init(&t->reply, t->alloc);
    assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
    uint32_t second = t->reply.cursor;
    assert_true(second && second != first.cursor);
    assert_rows(t, "select 42", "42");
    ag_reply_clear(&t->reply);
    t->reply = first;
    assert_int_equal(drive_fetch(t), AG_STEP_DONE);
    assert_string_equal(drive_rows(t), "1|'x1'\n2|'x2'\n3|'x3'\n4|'x4'\n5|'x5'\n6|'x6'");
    assert_int_equal(drive_fetch(t), AG_STEP_DONE);
    assert_false(t->reply.more);
    assert_int_equal(t->reply.cursor, 0);
    assert_int_equal(t->reply.rows.count, 7);
    t->d->cursor_close(t->c, second);
    assert_rows(t, "select 43", "43");
    assert_rows(t, "select count(*) from pg_cursors where name <> ''", "0");
    assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
    drive_ok(t, "commit");
    assert_int_equal(t->d->tx_state(t->c), AG_TX_IDLE);
    /* an error while it streams */
    drive_ok(t, "begin");
    req.text = "select 10 / (3 - i) from generate_series(1, $1) i";
    req.text_len = strlen(req.text);
    req.window = 2;
    assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
    assert_int_equal(drive_fetch(t), AG_STEP_FAILED);
    assert_string_equal(t->err.sqlstate, "22012");
    assert_int_equal(t->reply.cursor, 0);
    drive_ok(t, "rollback");
    drive_fails(t, "select 1/0");
    assert_rows(t, "select 1", "1");
}

/* ---- scripts, COPY ---- */

static void test_script(void **state)
{
    drive *t = *state;
    bool sync_done;
    ag_request req = {.text = "create temp table s (a int); insert into s values (1), (2); select a from s order by 1; "
                              "select a + 1 as b from s order by 1",
                      .flags = AG_REQ_SCRIPT | AG_REQ_ROWS,
                      .nsets = 1};
    req.text_len = strlen(req.text);
    assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
    assert_string_equal(drive_rows(t), "2\n3");
    assert_string_equal(t->reply.columns[0].name, "b");
    /* between others of its segment */
    send_text(t, "begin", 0);
    send_text(t, "insert into s values (3); insert into s values (4)", AG_REQ_SCRIPT);
    send_text(t, "select count(*) from s", AG_REQ_ROWS | AG_REQ_PREPARE);
    assert_int_equal(t->d->sync(t->c, &t->err), AG_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_string_equal(drive_rows(t), "4");
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_true(sync_done);
    assert_int_equal(t->d->tx_state(t->c), AG_TX_ACTIVE);
    drive_ok(t, "rollback");
    send_text(t, "insert into s values (3); oops; select 1", AG_REQ_SCRIPT);
    send_text(t, "select 1", AG_REQ_ROWS);
    assert_int_equal(t->d->sync(t->c, &t->err), AG_OK);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_FAILED);
    assert_string_equal(t->err.sqlstate, "42601");
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_FAILED);
    assert_true(t->reply.skipped);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_rows(t, "select count(*) from s", "2");
    send_text(t, "copy s from stdin; select 1", AG_REQ_SCRIPT);
    assert_int_equal(t->d->sync(t->c, &t->err), AG_OK);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_FAILED);
    assert_int_equal(t->err.cls, AG_EXC_NOT_SUPPORTED);
    assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
    assert_rows(t, "select 1", "1");
}

static void test_copy_in(void **state)
{
    drive *t = *state;
    size_t never = SIZE_MAX, stop = 900;
    const ag_type *types[] = {plain(AG_TYPE_INTEGER), plain(AG_TYPE_TEXT)};
    ag_request req = {.text = "copy cpy from stdin (format binary)",
                      .text_len = 35,
                      .flags = AG_REQ_COPY_IN,
                      .nparams = 2,
                      .nsets = 50000,
                      .fill = fill_pair,
                      .fill_ud = &never,
                      .param_types = types};
    drive_ok(t, "create temp table cpy (a int, b text)");
    assert_int_equal(drive_request(t, &req), AG_STEP_DONE);
    assert_string_equal(t->reply.tag, "COPY 50000");
    assert_int_equal(t->reply.rowcount, 50000);
    assert_rows(t, "select count(*), count(b), sum(a::int8) from cpy", "50000|33333|d1249975000");
    req.fill_ud = &stop;
    assert_int_equal(drive_request(t, &req), AG_STEP_FAILED);
    assert_string_equal(ag_error_message(&t->err), "no value for set 900");
    types[0] = plain(AG_TYPE_BIGINTEGER);
    req.fill_ud = &never;
    assert_int_equal(drive_request(t, &req), AG_STEP_FAILED);
    assert_int_equal(t->err.cls, AG_EXC_DATA);
    req.text = "copy nowhere from stdin (format binary)";
    req.text_len = strlen(req.text);
    assert_int_equal(drive_request(t, &req), AG_STEP_FAILED);
    assert_string_equal(t->err.sqlstate, "42P01");
    assert_rows(t, "select count(*) from cpy", "50000");
}

static void test_release_outside_the_pipeline(void **state)
{
    drive *t = *state;
    ag_wait w;
    bool sync_done;
    size_t never = SIZE_MAX;
    drive_ok(t, "create table rel2 (a int, b text)");
    send_text(t, "insert into rel2 values (1, 'x'); select pg_sleep(30); select 1", AG_REQ_SCRIPT);
    send_text(t, "select 2", AG_REQ_ROWS);
    assert_int_equal(t->d->collect(t->c, &t->reply, &sync_done, &w, &t->err), AG_STEP_WAIT);
    assert_int_equal(t->d->tx_state(t->c), AG_TX_UNKNOWN);
    int64_t start = ag_now_us();
    t->d->release(t->c, true);
    assert_int_equal(drive_drain(t), AG_STEP_DONE);
    assert_true(ag_now_us() - start < 3000000);
    assert_rows(t, "select count(*) from rel2", "0");
    const ag_type *types[] = {plain(AG_TYPE_INTEGER), plain(AG_TYPE_TEXT)};
    ag_request req = {.text = "copy rel2 from stdin (format binary)", .flags = AG_REQ_COPY_IN, .nparams = 2};
    req.text_len = strlen(req.text);
    req.nsets = 100000;
    req.fill = fill_pair;
    req.fill_ud = &never;
    req.param_types = types;
    assert_int_equal(t->d->send(t->c, &req, &t->err), AG_OK);
    assert_int_equal(t->d->sync(t->c, &t->err), AG_OK);
    assert_int_equal(t->d->collect(t->c, &t->reply, &sync_done, &w, &t->err), AG_STEP_WAIT);
    t->d->release(t->c, false);
    assert_int_equal(drive_drain(t), AG_STEP_DONE);
    assert_rows(t, "select count(*) from rel2", "0");
}

/* Segments of random statements, some of them wrong, against what must come back. */
static void test_random_segments(void **state)
{
    drive *t = *state;
    unsigned seed = 12345;
    char sql[40][64], expected[40][24];
    bool sync_done;
    drive_ok(t, "create temp table rnd (a int unique)");
    for (int round = 0; round < 300; round++) {
        unsigned n = (seed = seed * 1103515245u + 12345u) >> 16 & 31;
        unsigned fail_at = (seed = seed * 1103515245u + 12345u) >> 16 & 63;
        for (unsigned i = 0; i < n; i++) {
            seed = seed * 1103515245u + 12345u;
            unsigned what = seed >> 16 & 3, k = seed >> 20 & 255;
            unsigned flags = AG_REQ_ROWS | (seed & 0x10000000 ? AG_REQ_PREPARE : 0);
            (void)snprintf(expected[i], sizeof expected[i], "%u", k);
            if (i == fail_at)
                (void)snprintf(sql[i], sizeof sql[i], what & 1 ? "select 1/0 /* %u */" : "oops %u", k);
            else if (what == 0 && !(flags & AG_REQ_PREPARE))
                (void)snprintf(sql[i], sizeof sql[i], "select %u; ", k), flags = AG_REQ_ROWS | AG_REQ_SCRIPT;
            else
                (void)snprintf(sql[i], sizeof sql[i], "select %u", k);
            send_text(t, sql[i], flags);
        }
        assert_int_equal(t->d->sync(t->c, &t->err), AG_OK);
        for (unsigned i = 0; i < n; i++) {
            ag_step s = drive_collect(t, &sync_done);
            assert_false(sync_done);
            assert_int_equal(s, i < fail_at ? AG_STEP_DONE : AG_STEP_FAILED);
            assert_int_equal(t->reply.skipped, i > fail_at);
            if (s == AG_STEP_DONE)
                assert_string_equal(drive_rows(t), expected[i]);
        }
        assert_int_equal(drive_collect(t, &sync_done), AG_STEP_DONE);
        assert_true(sync_done);
        assert_int_equal(t->d->tx_state(t->c), AG_TX_IDLE);
    }
}

/* ---- memory ---- */

static ag_status everything(const ag_alloc *a, void *ud)
{
    (void)ud;
    drive t;
    pq_server s = pq_server_params();
    ag_value vals[] = {ag_value_int(1), v_text("text"), v_kind(AG_V_DECIMAL, "1.50")};
    static const char *const sql[] = {"create temp table m (a int, b text, c numeric, d int[])",
                                      "insert into m values ($1, $2, $3, '{1,2}')", "select * from m",
                                      "select * from m"};
    ag_step st = drive_try_open(&t, ag_driver_postgresql(), &s.params, a);
    for (size_t i = 0; i < 4 && st == AG_STEP_DONE; i++) {
        bool sync_done;
        ag_request req = {
            .text = sql[i], .text_len = strlen(sql[i]), .flags = AG_REQ_ROWS | AG_REQ_PREPARE, .nsets = 1};
        req.nparams = i == 1 ? 3 : 0;
        req.values = vals;
        if (t.d->send(t.c, &req, &t.err) != AG_OK || t.d->sync(t.c, &t.err) != AG_OK)
            st = AG_STEP_FAILED;
        for (int k = 0; k < 2 && st == AG_STEP_DONE; k++) {
            st = drive_collect(&t, &sync_done);
            if (st == AG_STEP_DONE && i >= 2 && k == 0)
                assert_int_equal(t.reply.rows.count, 1);
        }
    }
    ag_status status = st == AG_STEP_DONE ? AG_OK : t.err.cls == AG_EXC_MEMORY ? AG_NOMEM : AG_ERROR;
    if (status == AG_ERROR && strstr(ag_error_message(&t.err), "out of memory"))
        status = AG_NOMEM;
    drive_close(&t);
    return status;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    sweep_run(everything, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_versions, pq_setup, pq_teardown),
        cmocka_unit_test(test_connect_errors),
        cmocka_unit_test(test_silent_host),
        cmocka_unit_test_setup_teardown(test_scalars, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_numeric, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_temporal, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_arrays, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_types_without_values, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_asked_types, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_parameters_by_value, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_decimals_both_ways, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_typed_parameters, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_array_parameters, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_many_sets, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_large_values_both_ways, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_segments, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_collect_before_sync, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_transaction_state, pq_setup, pq_teardown),
        cmocka_unit_test(test_statement_cache),
        cmocka_unit_test_setup_teardown(test_plan_goes_stale, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_error_fields, pq_setup, pq_teardown),
        cmocka_unit_test(test_copy_as_a_statement_is_refused),
        cmocka_unit_test_setup_teardown(test_killed_while_idle, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_killed_while_working, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_cancel, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_deadline_bounds_the_wait, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_release, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_stream, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_script, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_copy_in, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_release_outside_the_pipeline, pq_setup, pq_teardown),
        cmocka_unit_test_setup_teardown(test_random_segments, pq_setup, pq_teardown),
        cmocka_unit_test(test_out_of_memory),
    };
    if (!pq_server_available())
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

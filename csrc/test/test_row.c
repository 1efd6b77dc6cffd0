/* Packed rows: building, iterating, dropping, and reading back every kind; arrays. */
#include "base/buf.h"
#include "test/sweep.h"
#include "value/row.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const ag_value samples[] = {
    {.kind = AG_V_NULL},
    {.kind = AG_V_BOOL, .u.i = 1},
    {.kind = AG_V_INT, .u.i = INT64_MIN},
    {.kind = AG_V_FLOAT, .u.f = -0.0},
    {.kind = AG_V_TEXT, .u.s = {"h\xC3\xA9llo", 6}},
    {.kind = AG_V_TEXT, .u.s = {"", 0}},
    {.kind = AG_V_BYTES, .u.s = {"\0\1\2", 3}},
    {.kind = AG_V_DECIMAL, .u.s = {"-12.50", 6}},
    {.kind = AG_V_DATE, .u.i = -1},
    {.kind = AG_V_TIME, .u.i = INT64_C(86400000000)},
    {.kind = AG_V_TIME, .flags = AG_V_ZONED, .offset = -3600, .u.i = 5},
    {.kind = AG_V_DATETIME, .u.i = INT64_MAX},
    {.kind = AG_V_DATETIME, .flags = AG_V_ZONED, .u.i = 12345},
    {.kind = AG_V_INTERVAL, .u.iv = {INT64_MIN, -5, 7}},
    {.kind = AG_V_UUID, .u.s = {"00000000-0000-0000-0000-000000000001", 36}},
    {.kind = AG_V_JSON, .u.s = {"{\"a\":1}", 7}},
    {.kind = AG_V_RAW, .u.s = {"[1,2)", 5}},
    {.kind = AG_V_HOST, .u.i = 42},
};
#define NSAMPLES (sizeof samples / sizeof samples[0])

static void assert_same(const ag_value *got, const ag_value *want)
{
    assert_true(ag_value_equal(got, want));
    assert_int_equal(got->flags, want->flags);
    assert_int_equal(got->offset, want->offset);
}

static void every_kind_reads_back(void **state)
{
    (void)state;
    ag_rows rs;
    ag_rows_init(&rs, ag_alloc_libc());
    assert_true(ag_rows_begin(&rs, NSAMPLES));
    for (size_t i = 0; i < NSAMPLES; i++)
        ag_rows_value(&rs, &samples[i]);
    ag_rows_end(&rs);
    ag_rows_pos pos = {0};
    const ag_row *r = ag_rows_next(&rs, &pos);
    assert_non_null(r);
    assert_int_equal(r->ncols, NSAMPLES);
    /* a row may be copied as bytes */
    ag_row *copy = malloc(r->size);
    memcpy(copy, r, r->size);
    for (unsigned i = 0; i < NSAMPLES; i++) {
        ag_value v;
        ag_row_get(&v, copy, i);
        assert_same(&v, &samples[i]);
        if (ag_vkind_has_bytes(v.kind))
            assert_int_equal(v.u.s.p[v.u.s.n], '\0');
    }
    free(copy);
    assert_null(ag_rows_next(&rs, &pos));
    ag_rows_clear(&rs);
}

/* The text of cell c of row i: lengths from nothing to several chunks. */
static size_t text_length(size_t i, unsigned c)
{
    size_t h = (i * 2654435761u + c * 40503u) >> 7;
    return i % 97 == 13 ? h % 100000 : i % 1009 == 500 ? 3000000 : h % 40;
}

static ag_status build(ag_rows *rs, size_t nrows, unsigned ncols)
{
    char *text = malloc(3000000);
    memset(text, 'x', 3000000);
    for (size_t i = 0; i < nrows && !rs->failed; i++) {
        if (!ag_rows_begin(rs, ncols))
            break;
        for (unsigned c = 0; c < ncols; c++) {
            if (c % 2)
                ag_rows_bytes(rs, AG_V_TEXT, text, text_length(i, c), ag_rows_grow);
            else
                ag_rows_int(rs, AG_V_INT, (int64_t)i + c);
        }
        ag_rows_end(rs);
    }
    free(text);
    return rs->failed ? AG_NOMEM : AG_OK;
}

static void check_row(const ag_row *r, size_t i, unsigned ncols)
{
    assert_int_equal(r->ncols, ncols);
    assert_int_equal((uintptr_t)r % 8, 0);
    for (unsigned c = 0; c < ncols; c++) {
        ag_value v;
        ag_row_get(&v, r, c);
        if (c % 2 == 0) {
            assert_int_equal(v.u.i, i + c);
        } else {
            assert_int_equal(v.u.s.n, text_length(i, c));
            assert_int_equal(strlen(v.u.s.p), v.u.s.n);
        }
    }
}

static void rows_of_all_sizes_come_in_order(void **state)
{
    (void)state;
    sweep s;
    sweep_init(&s);
    for (unsigned ncols = 0; ncols <= 20; ncols += 5) {
        ag_rows rs;
        ag_rows_init(&rs, &s.alloc);
        assert_int_equal(build(&rs, 2000, ncols), AG_OK);
        assert_int_equal(rs.count, 2000);
        assert_int_equal(rs.bytes, s.bytes);
        ag_rows_pos pos = {0};
        size_t n = 0;
        for (const ag_row *r; (r = ag_rows_next(&rs, &pos)); n++) {
            assert_int_equal(pos.index, n + 1);
            check_row(r, n, ncols);
        }
        assert_int_equal(n, 2000);
        ag_rows_clear(&rs);
        assert_int_equal(s.live, 0);
    }
}

static void read_chunks_can_be_dropped_while_rows_arrive(void **state)
{
    (void)state;
    sweep s;
    sweep_init(&s);
    ag_rows rs;
    ag_rows_init(&rs, &s.alloc);
    ag_rows_pos pos = {0};
    for (int window = 0; window < 50; window++) {
        size_t before = pos.index;
        for (int i = 0; i < 1000; i++) {
            assert_true(ag_rows_begin(&rs, 2));
            ag_rows_int(&rs, AG_V_INT, window * 1000 + i);
            ag_rows_bytes(&rs, AG_V_TEXT, "some text", 9, ag_rows_grow);
            ag_rows_end(&rs);
        }
        for (const ag_row *r; (r = ag_rows_next(&rs, &pos));) {
            ag_value v;
            ag_row_get(&v, r, 0);
            assert_int_equal(v.u.i, pos.index - 1);
            if (pos.index % 300 == 0)
                ag_rows_drop_read(&rs, &pos);
        }
        assert_int_equal(pos.index, before + 1000);
        ag_rows_drop_read(&rs, &pos);
    }
    assert_int_equal(rs.count, 50000);
    assert_true(s.peak < 300000);
    ag_rows_clear(&rs);
    assert_int_equal(s.live, 0);
}

static void dropping_spares_the_row_under_construction(void **state)
{
    (void)state;
    ag_rows rs;
    ag_rows_init(&rs, ag_alloc_libc());
    ag_rows_pos pos = {0};
    assert_true(ag_rows_begin(&rs, 1));
    ag_rows_int(&rs, AG_V_INT, 1);
    ag_rows_end(&rs);
    assert_non_null(ag_rows_next(&rs, &pos));
    assert_true(ag_rows_begin(&rs, 1));
    ag_rows_drop_read(&rs, &pos);
    assert_null(ag_rows_next(&rs, &pos));
    ag_rows_int(&rs, AG_V_INT, 2);
    ag_rows_end(&rs);
    ag_value v;
    ag_row_get(&v, ag_rows_next(&rs, &pos), 0);
    assert_int_equal(v.u.i, 2);
    ag_rows_clear(&rs);
}

static void an_abandoned_row_is_gone(void **state)
{
    (void)state;
    ag_rows rs;
    ag_rows_init(&rs, ag_alloc_libc());
    char big[10000] = {0};
    ag_rows_pos pos = {0};
    for (int i = 0; i < 20; i++) {
        assert_true(ag_rows_begin(&rs, 2));
        ag_rows_int(&rs, AG_V_INT, i);
        ag_rows_bytes(&rs, AG_V_BYTES, big, (size_t)i * 500, ag_rows_grow);
        if (i % 2)
            ag_rows_abandon(&rs);
        else
            ag_rows_end(&rs);
    }
    for (int i = 0; i < 20; i += 2) {
        ag_value v;
        ag_row_get(&v, ag_rows_next(&rs, &pos), 0);
        assert_int_equal(v.u.i, i);
    }
    assert_null(ag_rows_next(&rs, &pos));
    assert_int_equal(rs.count, 10);
    ag_rows_clear(&rs);
}

static ag_status copy_rows(const ag_alloc *a, void *ud)
{
    (void)ud;
    ag_rows from, to;
    ag_error err;
    ag_error_init(&err, a);
    ag_rows_init(&from, a);
    ag_rows_init(&to, a);
    ag_status st = build(&from, 600, 4);
    ag_rows_pos pos = {0};
    for (const ag_row *r; st == AG_OK && (r = ag_rows_next(&from, &pos));)
        st = ag_rows_append(&to, r, &err);
    if (st == AG_OK) {
        size_t n = 0;
        pos = (ag_rows_pos){0};
        for (const ag_row *r; (r = ag_rows_next(&to, &pos)); n++)
            check_row(r, n, 4);
        assert_int_equal(n, 600);
    }
    ag_rows_clear(&from);
    ag_rows_clear(&to);
    ag_error_clear(&err);
    return st;
}

static void rows_survive_no_memory(void **state)
{
    (void)state;
    sweep_run(copy_rows, NULL);
}

static void a_failed_row_is_not_counted(void **state)
{
    (void)state;
    sweep s;
    sweep_init(&s);
    ag_rows rs;
    ag_rows_init(&rs, &s.alloc);
    s.fail_at = 2;
    static char big[8000];
    assert_true(ag_rows_begin(&rs, 2));
    ag_rows_bytes(&rs, AG_V_BYTES, big, sizeof big, ag_rows_grow);
    assert_true(rs.failed);
    ag_rows_bytes(&rs, AG_V_BYTES, big, sizeof big, ag_rows_grow);
    ag_rows_end(&rs);
    assert_int_equal(rs.count, 0);
    assert_false(ag_rows_begin(&rs, 1));
    ag_rows_pos pos = {0};
    assert_null(ag_rows_next(&rs, &pos));
    ag_rows_clear(&rs);
    assert_int_equal(s.live, 0);
    assert_true(ag_rows_begin(&rs, 1));
    ag_rows_clear(&rs);
}

/* ---- arrays ---- */

static ag_value element(size_t i)
{
    if (i % 7 == 3)
        return ag_value_null();
    return i % 2 ? ag_value_int((int64_t)i) : ag_value_text("abcdefgh", i % 9);
}

typedef struct array_case {
    size_t count;
    unsigned ndim;
    ag_array_dim dims[6];
} array_case;

static ag_status pack_array(const ag_alloc *a, void *ud)
{
    const array_case *c = ud;
    ag_arena ar;
    ag_error err;
    ag_value v, got;
    ag_value *items = malloc((c->count + 1) * sizeof *items);
    for (size_t i = 0; i < c->count; i++)
        items[i] = element(i);
    ag_arena_init(&ar, a);
    ag_error_init(&err, a);
    ag_status st = ag_array_pack(&v, c->ndim, c->dims, items, c->count, &ar, &err);
    if (st == AG_OK) {
        /* read from an odd address, as inside a row */
        char *odd = malloc(v.u.s.n + 1);
        memcpy(odd + 1, v.u.s.p, v.u.s.n);
        assert_int_equal(v.kind, AG_V_ARRAY);
        assert_int_equal(ag_array_ndim(odd + 1, v.u.s.n), c->count ? c->ndim : 0);
        assert_int_equal(ag_array_count(odd + 1, v.u.s.n), c->count);
        for (size_t i = 0; i < c->count; i++) {
            ag_array_get(&got, odd + 1, v.u.s.n, i);
            assert_same(&got, &items[i]);
        }
        ag_array_get(&got, odd + 1, v.u.s.n, c->count);
        assert_int_equal(got.kind, AG_V_NULL);
        for (unsigned d = 0; c->count && d < c->ndim; d++) {
            ag_array_dim dim = ag_array_dim_get(odd + 1, v.u.s.n, d);
            assert_int_equal(dim.length, c->dims[d].length);
            assert_int_equal(dim.lower, c->dims[d].lower);
        }
        free(odd);
    }
    free(items);
    ag_arena_clear(&ar);
    ag_error_clear(&err);
    return st;
}

static void arrays_read_back(void **state)
{
    (void)state;
    array_case cases[] = {
        {0, 0, {{0, 0}}},
        {0, 1, {{0, 1}}},
        {5, 1, {{5, 1}}},
        {12, 2, {{3, 1}, {4, -2}}},
        {64, 6, {{2, 1}, {2, 1}, {2, 1}, {2, 1}, {2, 1}, {2, 1}}},
        {65535, 1, {{65535, 1}}},
        {65536, 1, {{65536, 0}}},
        {200000, 2, {{1000, 1}, {200, 1}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        sweep_run(pack_array, &cases[i]);
}

static void arrays_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    ag_arena ar;
    ag_error err;
    ag_value v, one = ag_value_int(1), nested;
    ag_arena_init(&ar, ag_alloc_libc());
    ag_error_init(&err, ag_alloc_libc());
    ag_array_dim seven[7] = {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
    assert_int_equal(ag_array_pack(&v, 7, seven, &one, 1, &ar, &err), AG_ERROR);
    assert_string_equal(ag_error_message(&err), "an array has at most 6 dimensions, not 7");
    ag_array_dim two = {2, 1}, negative = {-1, 1}, single = {1, 1};
    assert_int_equal(ag_array_pack(&v, 1, &two, &one, 1, &ar, &err), AG_ERROR);
    assert_string_equal(ag_error_message(&err), "an array's dimensions ask for 2 elements, it has 1");
    assert_int_equal(ag_array_pack(&v, 1, &negative, &one, 1, &ar, &err), AG_ERROR);
    assert_int_equal(ag_array_pack(&nested, 1, &single, &one, 1, &ar, &err), AG_OK);
    assert_int_equal(ag_array_pack(&v, 1, &single, &nested, 1, &ar, &err), AG_ERROR);
    assert_int_equal(err.cls, AG_EXC_DATA);
    ag_error_clear(&err);
    ag_arena_clear(&ar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_reads_back),
        cmocka_unit_test(rows_of_all_sizes_come_in_order),
        cmocka_unit_test(read_chunks_can_be_dropped_while_rows_arrive),
        cmocka_unit_test(dropping_spares_the_row_under_construction),
        cmocka_unit_test(an_abandoned_row_is_gone),
        cmocka_unit_test(rows_survive_no_memory),
        cmocka_unit_test(a_failed_row_is_not_counted),
        cmocka_unit_test(arrays_read_back),
        cmocka_unit_test(arrays_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

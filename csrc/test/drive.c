/* The poll loop and the printer behind drive.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drive.h"

#include "value/datetime.h"

#include <stdio.h>

ag_step drive_try_open(drive *t, const ag_driver *d, const ag_connect_params *p, const ag_alloc *alloc)
{
    ag_wait w;
    ag_step s;
    memset(t, 0, sizeof *t);
    t->d = d;
    t->alloc = alloc;
    ag_error_init(&t->err, alloc);
    ag_reply_init(&t->reply, alloc);
    ag_buf_init(&t->text, ag_alloc_libc());
    if (d->open(d, &t->c, p, &ag_core_services, alloc, &t->err) != AG_OK)
        return AG_STEP_FAILED;
    while ((s = d->open_step(t->c, &w, &t->err)) == AG_STEP_WAIT) {
        t->waits++;
        ag_wait_poll(&w);
    }
    return s;
}

void drive_open(drive *t, const ag_driver *d, const ag_connect_params *p, const ag_alloc *alloc)
{
    if (drive_try_open(t, d, p, alloc) != AG_STEP_DONE)
        fail_msg("open: %s", ag_error_message(&t->err));
}

void drive_close(drive *t)
{
    if (t->c)
        t->d->close(t->c);
    t->c = NULL;
    ag_reply_clear(&t->reply);
    ag_error_clear(&t->err);
    ag_buf_clear(&t->text);
}

ag_step drive_collect(drive *t, bool *sync_done)
{
    ag_wait w;
    ag_step s;
    while ((s = t->d->collect(t->c, &t->reply, sync_done, &w, &t->err)) == AG_STEP_WAIT) {
        t->waits++;
        ag_wait_poll(&w);
    }
    return s;
}

ag_step drive_request(drive *t, const ag_request *req)
{
    ag_reply mine;
    ag_error first;
    bool sync_done;
    ag_error_clear(&t->err);
    assert_int_equal(t->d->send(t->c, req, &t->err), AG_OK);
    assert_int_equal(t->d->sync(t->c, &t->err), AG_OK);
    ag_step s = drive_collect(t, &sync_done);
    assert_false(sync_done);
    mine = t->reply;
    ag_reply_init(&t->reply, t->alloc);
    first = t->err;
    ag_error_init(&t->err, t->alloc);
    ag_step end = drive_collect(t, &sync_done);
    assert_true(sync_done);
    assert_true(end == AG_STEP_DONE || s == AG_STEP_FAILED);
    ag_reply_clear(&t->reply);
    ag_error_clear(&t->err);
    t->reply = mine;
    t->err = first;
    return s;
}

ag_step drive_exec(drive *t, const char *sql, const ag_value *vals, size_t n)
{
    ag_request req = {.text = sql, .text_len = strlen(sql), .flags = AG_REQ_ROWS | AG_REQ_PREPARE, .nsets = 1};
    req.nparams = (uint32_t)n;
    req.values = vals;
    return drive_request(t, &req);
}

const char *drive_query(drive *t, const char *sql, const ag_value *vals, size_t n)
{
    if (drive_exec(t, sql, vals, n) != AG_STEP_DONE)
        fail_msg("%s: %s", sql, ag_error_message(&t->err));
    return drive_rows(t);
}

void drive_fails(drive *t, const char *sql)
{
    if (drive_exec(t, sql, NULL, 0) != AG_STEP_FAILED)
        fail_msg("should have failed: %s", sql);
    assert_true(t->err.set);
}

ag_step drive_fetch(drive *t)
{
    ag_wait w;
    ag_step s;
    while ((s = t->d->fetch(t->c, &t->reply, &w, &t->err)) == AG_STEP_WAIT)
        ag_wait_poll(&w);
    return s;
}

ag_step drive_drain(drive *t)
{
    ag_wait w;
    ag_step s;
    while ((s = t->d->drain_step(t->c, &w, &t->err)) == AG_STEP_WAIT)
        ag_wait_poll(&w);
    return s;
}

static void print_value(ag_buf *b, const ag_value *v);

static void print_array(ag_buf *b, const ag_str *s)
{
    unsigned ndim = ag_array_ndim(s->p, s->n);
    size_t n = ag_array_count(s->p, s->n);
    for (unsigned d = 0; d < ndim && ndim > 1; d++)
        ag_buf_printf(b, "[%d]", ag_array_dim_get(s->p, s->n, d).length);
    if (ndim == 1 && ag_array_dim_get(s->p, s->n, 0).lower != 1)
        ag_buf_printf(b, "[%d:]", ag_array_dim_get(s->p, s->n, 0).lower);
    ag_buf_char(b, '{');
    for (size_t i = 0; i < n; i++) {
        ag_value v;
        ag_array_get(&v, s->p, s->n, i);
        if (i)
            ag_buf_char(b, ',');
        print_value(b, &v);
    }
    ag_buf_char(b, '}');
}

static void print_value(ag_buf *b, const ag_value *v)
{
    static const char mark[] = {[AG_V_DECIMAL] = 'd', [AG_V_UUID] = 'u', [AG_V_JSON] = 'j', [AG_V_RAW] = 'r'};
    char tmp[AG_TEMPORAL_MAX];
    switch (v->kind) {
    case AG_V_NULL: ag_buf_char(b, '-'); break;
    case AG_V_BOOL: ag_buf_printf(b, "b%d", (int)v->u.i); break;
    case AG_V_INT: ag_buf_int(b, v->u.i); break;
    case AG_V_FLOAT:
        ag_buf_char(b, 'f');
        ag_buf_double(b, v->u.f);
        break;
    case AG_V_TEXT: ag_buf_printf(b, "'%.*s'", (int)v->u.s.n, v->u.s.p); break;
    case AG_V_BYTES:
        ag_buf_str(b, "x'");
        for (size_t i = 0; i < v->u.s.n; i++)
            ag_buf_printf(b, "%02x", (unsigned char)v->u.s.p[i]);
        ag_buf_char(b, '\'');
        break;
    case AG_V_DATE:
    case AG_V_TIME:
    case AG_V_DATETIME:
        ag_buf_char(b, '@');
        ag_buf_add(b, tmp, ag_temporal_write(tmp, v, ' ', -1));
        break;
    case AG_V_INTERVAL: ag_buf_printf(b, "~%dm%dd%lld", v->u.iv.months, v->u.iv.days, (long long)v->u.iv.us); break;
    case AG_V_ARRAY: print_array(b, &v->u.s); break;
    default:
        ag_buf_char(b, mark[v->kind]);
        ag_buf_add(b, v->u.s.p, v->u.s.n);
        break;
    }
}

const char *drive_rows(drive *t)
{
    ag_rows_pos pos = {0};
    const ag_row *r;
    ag_buf_reset(&t->text);
    ag_buf_str(&t->text, "");
    while ((r = ag_rows_next(&t->reply.rows, &pos)) != NULL) {
        if (pos.index > 1)
            ag_buf_char(&t->text, '\n');
        for (unsigned i = 0; i < r->ncols; i++) {
            ag_value v;
            if (i)
                ag_buf_char(&t->text, '|');
            ag_row_get(&v, r, i);
            print_value(&t->text, &v);
        }
    }
    assert_true(ag_buf_ok(&t->text));
    return t->text.data ? t->text.data : "";
}

/* Helpers of the engine's tests. */
#include "test/engine_util.h"
#include "driver/drivers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static ag_status on_hook(ag_host *base, ag_hook hook, int64_t fn, void *inout, ag_error *err)
{
    test_host *h = (test_host *)base;
    (void)fn;
    (void)err;
    if (hook == AG_HOOK_WAKE) {
        h->wakes++;
        h->last_token = inout;
    } else if (hook == AG_HOOK_LOG) {
        const ag_log_line *line = inout;
        size_t n = strlen(h->log);
        (void)snprintf(h->log + n, sizeof h->log - n, "%.*s\n", (int)line->len, line->text);
    }
    return AG_OK;
}

void test_host_init(test_host *h)
{
    memset(h, 0, sizeof *h);
    h->base.call = on_hook;
}

static void answer(ag_op *op, test_host *h)
{
    ag_status st = AG_OK;
    ag_error_init(&op->call.error, ag_alloc_libc());
    if (op->call.kind == AG_CALL_EVENT) {
        ag_event *ev = op->call.args;
        size_t n = strlen(h->events);
        (void)snprintf(h->events + n, sizeof h->events - n, "%s%s", n ? " " : "", ag_event_name(ev->id));
        if (h->on_event)
            st = h->on_event(h, ev, &op->call.error);
    } else if (h->on_call) {
        st = h->on_call(h, &op->call, &op->call.error);
    } else {
        st = ag_fail(&op->call.error, AG_EXC_INVALID_REQUEST, "the test has no answer");
    }
    op->call.failed = st != AG_OK;
}

ag_status test_run(ag_op *op, test_host *h, ag_error *err)
{
    for (;;) {
        switch (ag_op_step(op, err)) {
        case AG_STEP_DONE: return AG_OK;
        case AG_STEP_FAILED: return err->cls == AG_EXC_MEMORY ? AG_NOMEM : AG_ERROR;
        case AG_STEP_WAIT: ag_wait_poll(&op->wait); break;
        case AG_STEP_CALL:
            if (h)
                answer(op, h);
            else
                op->call.failed = true;
            break;
        }
    }
}

const ag_driver *test_driver(const char *url)
{
#ifdef ARGENT_WITH_SQLITE
    if (strncmp(url, "sqlite", 6) == 0)
        return ag_driver_sqlite();
#endif
#ifdef ARGENT_WITH_POSTGRESQL
    if (strncmp(url, "postgresql", 10) == 0)
        return ag_driver_postgresql();
#endif
    (void)url;
    return NULL;
}

const char *test_pg_url(void)
{
    const char *url = getenv("ARGENT_PG_URL");
    return url && *url && test_driver("postgresql:") ? url : NULL;
}

static void remove_file(const char *path)
{
    static const char *const suffix[] = {"", "-journal", "-wal", "-shm"};
    char full[320];
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(full, sizeof full, "%s%s", path, suffix[i]);
        (void)unlink(full);
    }
}

/* What test_file gave out, removed when the process ends, also after failures. */
static char made[32][300];
static size_t nmade;
static pid_t maker;

static void remove_files(void)
{
    for (size_t i = 0; i < nmade && getpid() == maker; i++)
        remove_file(made[i]);
}

const char *test_file(const char *name)
{
    static char path[300];
    const char *dir = getenv("TMPDIR");
    size_t i = 0;
    (void)snprintf(path, sizeof path, "%s/argent_%s_%ld.db", dir ? dir : "/tmp", name, (long)getpid());
    remove_file(path);
    if (!nmade)
        (void)atexit(remove_files);
    maker = getpid();
    while (i < nmade && strcmp(made[i], path) != 0)
        i++;
    if (i == nmade && nmade < sizeof made / sizeof *made)
        memcpy(made[nmade++], path, sizeof path);
    return path;
}

ag_engine *test_engine(const char *url, ag_engine_options *o)
{
    ag_engine_options own = ag_engine_options_default();
    char text[400];
    ag_error err = {0};
    ag_url *u;
    ag_engine *e;
    if (!o)
        o = &own;
    if (!url) {
        (void)snprintf(text, sizeof text, "sqlite:///%s", test_file("engine"));
        url = text;
    }
    const ag_alloc *a = ag_alloc_libc();
    if (!o->driver)
        o->driver = test_driver(url);
    assert_non_null(o->driver);
    assert_int_equal(ag_url_parse(&u, a, url, strlen(url), &err), AG_OK);
    if (ag_engine_new(&e, a, u, o, &err) != AG_OK)
        fail_msg("%s", ag_error_message(&err));
    ag_url_unref(u);
    return e;
}

static test_host *host_of(ag_engine *e)
{
    return (test_host *)ag_engine_host(e);
}

ag_connection *test_connect(ag_engine *e)
{
    ag_connect_op op;
    ag_error err = {0};
    assert_int_equal(ag_connect_init(&op, e, "test", &err), AG_OK);
    if (test_run(&op.op, host_of(e), &err) != AG_OK)
        fail_msg("connect: %s", ag_error_message(&err));
    ag_connection *c = op.conn;
    op.conn = NULL;
    ag_op_clear(&op.op);
    return c;
}

ag_result *test_exec(ag_connection *c, const char *text, ag_error *err)
{
    ag_exec_op op;
    ag_exec_request req = {.text = text, .text_len = strlen(text)};
    ag_result *r = NULL;
    if (ag_exec_init(&op, c, &req, 1, err) != AG_OK)
        return NULL;
    if (test_run(&op.op, host_of(ag_connection_engine(c)), err) == AG_OK)
        r = ag_exec_take(&op, 0);
    ag_op_clear(&op.op);
    return r;
}

void test_do(ag_connection *c, const char *text)
{
    ag_error err = {0};
    ag_result *r = test_exec(c, text, &err);
    if (!r)
        fail_msg("%s: %s", text, ag_error_message(&err));
    ag_result_unref(r);
}

int64_t test_int(ag_connection *c, const char *text)
{
    ag_error err = {0};
    ag_result *r = test_exec(c, text, &err);
    const ag_row *row;
    ag_value v;
    if (!r)
        fail_msg("%s: %s", text, ag_error_message(&err));
    assert_int_equal(ag_result_next_row(r, &row, &err), AG_NEXT_ROW);
    ag_row_get(&v, row, 0);
    int64_t n = v.u.i;
    ag_result_unref(r);
    return n;
}

ag_transaction *test_tx(ag_connection *c, const char *what, ag_error *err)
{
    ag_tx_op op;
    ag_transaction *t = NULL;
    ag_status st = strcmp(what, "begin") == 0    ? ag_begin_init(&op, c, err)
                   : strcmp(what, "nested") == 0 ? ag_begin_nested_init(&op, c, err)
                   : strcmp(what, "commit") == 0 ? ag_connection_commit_init(&op, c, err)
                                                 : ag_connection_rollback_init(&op, c, err);
    if (st != AG_OK)
        return NULL;
    if (test_run(&op.op, host_of(ag_connection_engine(c)), err) == AG_OK) {
        t = op.tx;
        op.tx = NULL;
    }
    ag_op_clear(&op.op);
    return t;
}

ag_status test_tx_end(ag_transaction *t, const char *what, ag_error *err)
{
    ag_tx_op op;
    ag_status st = strcmp(what, "commit") == 0     ? ag_tx_commit_init(&op, t, err)
                   : strcmp(what, "rollback") == 0 ? ag_tx_rollback_init(&op, t, err)
                   : strcmp(what, "prepare") == 0  ? ag_tx_prepare_init(&op, t, err)
                                                   : ag_tx_close_init(&op, t, err);
    if (st != AG_OK)
        return st;
    st = test_run(&op.op, host_of(ag_connection_engine(ag_transaction_connection(t))), err);
    ag_op_clear(&op.op);
    return st;
}

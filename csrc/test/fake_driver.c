/* The scripted driver of fake_driver.h. */
#include "test/fake_driver.h"
#include "engine/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ITEMS = 64 };

typedef struct fake_conn {
    ag_dconn base;
    fake_driver *f;
    unsigned number, waits, drain_waits;
    char texts[MAX_ITEMS][200]; /* "" is a sync */
    size_t nsets[MAX_ITEMS];
    size_t first, count;
    bool failed, lost, cancelled, draining;
    ag_tx_state tx;
} fake_conn;

static fake_conn *of(const ag_dconn *c)
{
    return (fake_conn *)(void *)(size_t)c;
}

static void note(fake_driver *f, unsigned number, const char *text)
{
    size_t n = strlen(f->log);
    if (number)
        (void)snprintf(f->log + n, sizeof f->log - n, "%u%s", number, text);
    else
        (void)snprintf(f->log + n, sizeof f->log - n, "%s", text);
}

static ag_status fail(ag_error *err, ag_exc cls, const char *state, bool disconnect, const char *text)
{
    ag_fail(err, cls, "%s", text);
    if (err) {
        (void)snprintf(err->sqlstate, sizeof err->sqlstate, "%s", state);
        err->disconnect = disconnect;
    }
    return AG_ERROR;
}

static ag_status fake_open(const ag_driver *self, ag_dconn **out, const ag_connect_params *params,
                           const ag_services *core, const ag_alloc *alloc, ag_error *err)
{
    fake_driver *f = (fake_driver *)(size_t)self;
    fake_conn *c = ag_mem_zero(alloc, 1, sizeof *c);
    (void)params;
    if (!c)
        return ag_fail_nomem(err);
    c->base = (ag_dconn){self, core, alloc};
    c->f = f;
    c->number = ++f->opened;
    c->waits = f->open_waits;
    f->live++;
    note(f, c->number, "+ ");
    *out = &c->base;
    return AG_OK;
}

static ag_step wait_a_bit(ag_wait *w)
{
    *w = (ag_wait){.fd = -1, .deadline = ag_now_us() + 1000};
    return AG_STEP_WAIT;
}

static ag_step fake_open_step(ag_dconn *base, ag_wait *w, ag_error *err)
{
    fake_conn *c = of(base);
    if (c->waits) {
        c->waits--;
        return wait_a_bit(w);
    }
    if (c->f->open_fails) {
        (void)fail(err, AG_EXC_OPERATIONAL, "08001", false, "cannot connect");
        return AG_STEP_FAILED;
    }
    return AG_STEP_DONE;
}

static void fake_close(ag_dconn *base)
{
    fake_conn *c = of(base);
    note(c->f, c->number, "- ");
    c->f->closed++;
    c->f->live--;
    ag_mem_free(base->alloc, c);
}

static ag_status push(fake_conn *c, const char *text, size_t nsets, ag_error *err)
{
    if (c->first + c->count >= MAX_ITEMS)
        return fail(err, AG_EXC_INTERNAL, "XX000", false, "too many requests for the fake driver");
    (void)snprintf(c->texts[c->first + c->count], sizeof c->texts[0], "%s", text);
    c->nsets[c->first + c->count++] = nsets;
    return AG_OK;
}

/* Ask for every set, as a driver does; values and their types are noted when the test wants them. */
static ag_status run_fill(fake_driver *f, const ag_request *req, ag_error *err)
{
    ag_value row[64] = {{0}};
    for (size_t k = 0; (req->fill || f->values) && req->nparams && req->nparams <= 64 && k < req->nsets; k++) {
        if (req->fill)
            AG_TRY(req->fill(req->fill_ud, k, row, err));
        else
            memcpy(row, req->values + k * req->nparams, req->nparams * sizeof *row);
        if (!f->values)
            continue;
        ag_buf b;
        ag_buf_init(&b, ag_alloc_libc());
        ag_format_set(&b, row, req->nparams);
        note(f, 0, b.data ? b.data : "?");
        ag_buf_clear(&b);
    }
    return AG_OK;
}

static ag_status fake_send(ag_dconn *base, const ag_request *req, ag_error *err)
{
    fake_conn *c = of(base);
    note(c->f, c->number, ":");
    char times[24] = ";";
    note(c->f, 0, req->text);
    if (req->nsets > 1)
        (void)snprintf(times, sizeof times, " *%zu;", req->nsets);
    note(c->f, 0, times);
    if (run_fill(c->f, req, err) != AG_OK)
        return AG_ERROR;
    if (!c->count)
        c->waits = c->f->collect_waits;
    return push(c, req->text, req->nsets, err);
}

static ag_status fake_sync(ag_dconn *base, ag_error *err)
{
    note(of(base)->f, 0, "| ");
    return push(of(base), "", 0, err);
}

static bool begins(const char *s, const char *word)
{
    return strncmp(s, word, strlen(word)) == 0;
}

static bool scripted_failure(fake_conn *c, const char *text)
{
    fake_driver *f = c->f;
    if (f->ping_lost && begins(text, "SELECT 1"))
        return true;
    if (!f->fail_text || !begins(text, f->fail_text))
        return false;
    if (f->fail_after) {
        f->fail_after--;
        return false;
    }
    return true;
}

static ag_step fail_now(fake_conn *c, const char *text, ag_error *err)
{
    fake_driver *f = c->f;
    bool ping = f->ping_lost && begins(text, "SELECT 1");
    c->failed = true;
    c->lost = ping || f->fail_disconnects;
    c->tx = c->lost ? AG_TX_UNKNOWN : c->tx == AG_TX_ACTIVE ? AG_TX_FAILED : c->tx;
    const char *state = ping ? "57P01" : f->fail_state ? f->fail_state : "XX000";
    ag_exc cls = c->lost || strcmp(state, "57014") == 0 ? AG_EXC_OPERATIONAL : AG_EXC_INTEGRITY;
    if (f->fail_once)
        f->fail_text = NULL;
    if (ping)
        f->ping_lost = false;
    (void)fail(err, cls, state, c->lost, "scripted failure");
    return AG_STEP_FAILED;
}

static void pop(fake_conn *c)
{
    c->first++;
    if (--c->count == 0)
        c->first = 0;
}

static void succeed(fake_conn *c, const char *text, size_t nsets, ag_reply *reply)
{
    (void)sscanf(text, "%8s", reply->tag);
    if (begins(text, "BEGIN"))
        c->tx = AG_TX_ACTIVE;
    else if (begins(text, "ROLLBACK TO"))
        c->tx = AG_TX_ACTIVE;
    else if (begins(text, "COMMIT") && (c->tx == AG_TX_FAILED || c->f->commit_tag_rollback))
        (void)snprintf(reply->tag, sizeof reply->tag, "ROLLBACK");
    if (begins(text, "COMMIT") || (begins(text, "ROLLBACK") && !begins(text, "ROLLBACK TO")) ||
        begins(text, "PREPARE TR"))
        c->tx = AG_TX_IDLE;
    if (begins(text, "PREPARE TR"))
        (void)snprintf(reply->tag, sizeof reply->tag, "PREPARE TRANSACTION");
    reply->rowcount = (int64_t)nsets;
    reply->sets_done = nsets;
    if (begins(text, "SHOW") && ag_rows_begin(&reply->rows, 1)) {
        ag_rows_bytes(&reply->rows, AG_V_TEXT, "read committed", 14, ag_rows_grow);
        ag_rows_end(&reply->rows);
    }
}

static ag_step hang(fake_conn *c, ag_wait *w, ag_error *err)
{
    if (!c->cancelled || c->f->deaf) {
        *w = (ag_wait){.fd = -1, .deadline = ag_now_us() + 2000};
        return AG_STEP_WAIT;
    }
    c->f->hang = false;
    c->failed = true;
    c->cancelled = false;
    c->tx = c->tx == AG_TX_ACTIVE ? AG_TX_FAILED : c->tx;
    pop(c);
    (void)fail(err, AG_EXC_OPERATIONAL, "57014", false, "canceling statement due to user request");
    return AG_STEP_FAILED;
}

static ag_step fake_collect(ag_dconn *base, ag_reply *reply, bool *sync_done, ag_wait *w, ag_error *err)
{
    fake_conn *c = of(base);
    *sync_done = false;
    if (c->waits) {
        c->waits--;
        return wait_a_bit(w);
    }
    if (!c->count) {
        (void)fail(err, AG_EXC_INTERFACE, "", false, "nothing was sent");
        *sync_done = true;
        return AG_STEP_FAILED;
    }
    char text[200];
    (void)snprintf(text, sizeof text, "%s", c->texts[c->first]);
    if (text[0] && !c->failed && c->f->hang && !begins(text, "BEGIN"))
        return hang(c, w, err);
    size_t nsets = c->nsets[c->first];
    pop(c);
    ag_reply_clear(reply);
    if (!text[0]) {
        c->failed = false;
        *sync_done = true;
        if (!c->lost)
            return AG_STEP_DONE;
        (void)fail(err, AG_EXC_OPERATIONAL, "08006", true, "the connection was lost");
        return AG_STEP_FAILED;
    }
    if (c->failed) {
        reply->skipped = true;
        (void)fail(err, AG_EXC_OPERATIONAL, "", c->lost, "skipped: an earlier statement of the same batch failed");
        return AG_STEP_FAILED;
    }
    if (scripted_failure(c, text))
        return fail_now(c, text, err);
    if (c->tx == AG_TX_FAILED && !begins(text, "ROLLBACK") && !begins(text, "COMMIT")) {
        c->failed = true;
        (void)fail(err, AG_EXC_INTERNAL, "25P02", false, "current transaction is aborted");
        return AG_STEP_FAILED;
    }
    succeed(c, text, nsets, reply);
    return AG_STEP_DONE;
}

static ag_step fake_fetch(ag_dconn *c, ag_reply *reply, ag_wait *w, ag_error *err)
{
    (void)c;
    (void)reply;
    (void)w;
    (void)fail(err, AG_EXC_INTERFACE, "", false, "no cursor");
    return AG_STEP_FAILED;
}

static void fake_cursor_close(ag_dconn *c, uint32_t cursor)
{
    (void)c;
    (void)cursor;
}

static void fake_cancel(ag_dconn *base)
{
    fake_conn *c = of(base);
    if (!c->count)
        return;
    note(c->f, c->number, "! ");
    c->cancelled = true;
}

static void fake_set_deadline(ag_dconn *c, int64_t deadline)
{
    (void)c;
    (void)deadline;
}

static ag_tx_state fake_tx_state(const ag_dconn *base)
{
    const fake_conn *c = of(base);
    return c->lost || c->count ? AG_TX_UNKNOWN : c->tx;
}

static ag_alive fake_alive(ag_dconn *base)
{
    return of(base)->f->dead ? AG_DEAD : AG_ALIVE;
}

static void fake_release(ag_dconn *base, bool discard)
{
    fake_conn *c = of(base);
    note(c->f, c->number, discard ? "~discard " : "~ ");
    c->first = c->count = 0;
    c->failed = c->cancelled = false;
    c->draining = true;
    c->drain_waits = c->f->drain_waits;
    if (!c->lost)
        c->tx = AG_TX_IDLE;
}

static ag_step fake_drain_step(ag_dconn *base, ag_wait *w, ag_error *err)
{
    fake_conn *c = of(base);
    if (c->drain_waits) {
        c->drain_waits--;
        return wait_a_bit(w);
    }
    c->draining = false;
    if (!c->lost && !c->f->drain_fails)
        return AG_STEP_DONE;
    (void)fail(err, AG_EXC_OPERATIONAL, "08006", true, "not clean");
    return AG_STEP_FAILED;
}

static int fake_version(const ag_dconn *c)
{
    (void)c;
    return 150020;
}

static int fake_client_version(void)
{
    return 1;
}

static int64_t fake_backend(const ag_dconn *c)
{
    return of(c)->number;
}

static uint32_t fake_max_params(const ag_dconn *c)
{
    (void)c;
    return 65535;
}

static int fake_fd(const ag_dconn *c)
{
    (void)c;
    return -1;
}

static void *fake_handle(ag_dconn *c)
{
    return c;
}

void fake_init(fake_driver *f)
{
    memset(f, 0, sizeof *f);
    f->base = (ag_driver){.abi = AG_DRIVER_ABI,
                          .size = sizeof(ag_driver),
                          .name = "fake",
                          .dialect = "fake",
                          .caps = AG_DRV_PIPELINE,
                          .open = fake_open,
                          .open_step = fake_open_step,
                          .close = fake_close,
                          .send = fake_send,
                          .sync = fake_sync,
                          .collect = fake_collect,
                          .fetch = fake_fetch,
                          .cursor_close = fake_cursor_close,
                          .cancel = fake_cancel,
                          .set_deadline = fake_set_deadline,
                          .tx_state = fake_tx_state,
                          .alive = fake_alive,
                          .release = fake_release,
                          .drain_step = fake_drain_step,
                          .server_version = fake_version,
                          .client_version = fake_client_version,
                          .backend_id = fake_backend,
                          .max_params = fake_max_params,
                          .fd = fake_fd,
                          .handle = fake_handle};
}

/* Requests are recorded when they are sent and answered when they are collected; nothing ever waits. Rows of an
 * answer are written once for each parameter set. */
#include "driver/mock.h"

#include "base/vec.h"
#include "driver/sqlstate.h"

#include <strings.h>

struct answer {
    ag_mock_answer a; /* copies in the mock's arena */
    unsigned given;
};

struct ag_mock {
    ag_driver vt; /* first: a vtable pointer is the object */
    const ag_alloc *alloc;
    int server_version;
    unsigned nconns;
    ag_arena answers_mem, events_mem;
    AG_VEC(struct answer *) answers;
    AG_VEC(ag_mock_event *) events;
};

typedef struct item {
    bool sync;
    ag_request req;
} item;

typedef struct conn {
    ag_dconn base;
    ag_mock *m;
    unsigned id;
    AG_VEC(item) items;
    size_t first;
    bool failed, lost, in_tx;
    struct answer *streaming; /* rows left of the open stream */
    size_t stream_at;
} conn;

static conn *of(ag_dconn *base)
{
    return (conn *)(void *)base;
}

/* ---- the record ---- */

static ag_status record(ag_mock *m, const ag_mock_event *e, ag_error *err)
{
    ag_mock_event *copy = ag_arena_memdup(&m->events_mem, e, sizeof *e);
    if (!copy || (e->text && !(copy->text = ag_arena_strndup(&m->events_mem, e->text, e->text_len))) ||
        !ag_vec_push(&m->events, copy))
        return ag_fail_nomem(err);
    return AG_OK;
}

static void record_plain(conn *c, ag_mock_what what)
{
    ag_mock_event e = {.what = what, .conn = c->id};
    (void)record(c->m, &e, NULL);
}

size_t ag_mock_count(const ag_mock *m)
{
    return m->events.len;
}

const ag_mock_event *ag_mock_event_at(const ag_mock *m, size_t i)
{
    return m->events.items[i];
}

void ag_mock_forget(ag_mock *m)
{
    m->events.len = 0;
    ag_arena_clear(&m->events_mem);
}

/* ---- answers ---- */

static ag_status copy_values(ag_value **out, const ag_value *values, size_t n, ag_arena *ar, ag_error *err)
{
    *out = n <= SIZE_MAX / sizeof **out ? ag_arena_zero(ar, n + 1, sizeof **out) : NULL;
    if (!*out)
        return ag_fail_nomem(err);
    for (size_t i = 0; i < n; i++)
        AG_TRY(ag_value_copy(&(*out)[i], &values[i], ar, err));
    return AG_OK;
}

static bool copy_text(ag_arena *ar, const char **s)
{
    return !*s || (*s = ag_arena_strndup(ar, *s, strlen(*s))) != NULL;
}

ag_status ag_mock_answer_add(ag_mock *m, const ag_mock_answer *answer, ag_error *err)
{
    ag_arena *ar = &m->answers_mem;
    struct answer *mine = ag_arena_zero(ar, 1, sizeof *mine);
    ag_value *values;
    if (!mine)
        return ag_fail_nomem(err);
    mine->a = *answer;
    AG_TRY(copy_values(&values, answer->values, answer->nrows * answer->ncolumns, ar, err));
    mine->a.values = values;
    const char **names = ag_arena_zero(ar, answer->ncolumns + 1, sizeof *names);
    if (!names || !copy_text(ar, &mine->a.match) || !copy_text(ar, &mine->a.error) || !copy_text(ar, &mine->a.tag) ||
        !copy_text(ar, &mine->a.sqlstate))
        return ag_fail_nomem(err);
    for (uint32_t i = 0; i < answer->ncolumns; i++) {
        names[i] = answer->columns[i];
        if (!copy_text(ar, &names[i]))
            return ag_fail_nomem(err);
    }
    mine->a.columns = names;
    if (answer->types)
        mine->a.types = ag_arena_memdup(ar, answer->types, answer->ncolumns * sizeof *answer->types);
    if ((answer->types && !mine->a.types) || !ag_vec_push(&m->answers, mine))
        return ag_fail_nomem(err);
    return AG_OK;
}

static struct answer *find_answer(ag_mock *m, const char *text, size_t len)
{
    for (size_t i = 0; i < m->answers.len; i++) {
        struct answer *a = m->answers.items[i];
        if (a->a.times && a->given >= a->a.times)
            continue;
        if (a->a.match && !memmem(text, len, a->a.match, strlen(a->a.match)))
            continue;
        a->given++;
        return a;
    }
    return NULL;
}

static ag_status write_columns(const ag_mock_answer *a, ag_reply *reply, ag_error *err)
{
    ag_column_info *info = ag_arena_zero(&reply->arena, a->ncolumns, sizeof *info);
    if (!info)
        return ag_fail_nomem(err);
    for (uint32_t i = 0; i < a->ncolumns; i++) {
        size_t n = strlen(a->columns[i]);
        info[i].name = ag_arena_strndup(&reply->arena, a->columns[i], n);
        info[i].name_len = n;
        info[i].type = a->types && a->types[i] ? a->types[i] : ag_type_plain(AG_TYPE_NULL);
        if (!info[i].name)
            return ag_fail_nomem(err);
    }
    reply->columns = info;
    reply->ncolumns = a->ncolumns;
    return AG_OK;
}

static ag_status write_rows(const ag_mock_answer *a, size_t from, size_t to, ag_rows *rs, ag_error *err)
{
    for (size_t r = from; r < to; r++) {
        if (!ag_rows_begin(rs, a->ncolumns))
            return ag_fail_nomem(err);
        for (uint32_t i = 0; i < a->ncolumns; i++)
            ag_rows_value(rs, &a->values[r * a->ncolumns + i]);
        ag_rows_end(rs);
    }
    return rs->failed ? ag_fail_nomem(err) : AG_OK;
}

static ag_status raise_error(conn *c, const ag_mock_answer *a, ag_error *err)
{
    ag_status st = ag_fail(err, a->sqlstate ? ag_sqlstate_class(a->sqlstate) : a->cls, "%s", a->error);
    ag_sqlstate_set(err, a->sqlstate);
    if (err)
        err->disconnect = err->disconnect || a->disconnect;
    c->lost = c->lost || a->disconnect;
    return st;
}

static ag_status reserve_sets(const ag_request *req, ag_reply *reply, ag_error *err)
{
    const ag_alloc *alloc = reply->rows.alloc;
    if ((req->flags & AG_REQ_LAST_ID) && !(reply->last_ids = ag_mem_zero(alloc, req->nsets, sizeof(int64_t))))
        return ag_fail_nomem(err);
    if (req->nsets > 1 && !(reply->rowcounts = ag_mem_zero(alloc, req->nsets, sizeof(int64_t))))
        return ag_fail_nomem(err);
    return AG_OK;
}

static ag_status give(conn *c, struct answer *an, const ag_request *req, ag_reply *reply, ag_error *err)
{
    const ag_mock_answer *a = &an->a;
    size_t window = (req->flags & AG_REQ_STREAM) && req->window < a->nrows ? req->window : a->nrows;
    int64_t each = a->rowcount < 0 || a->ncolumns ? (int64_t)a->nrows : a->rowcount;
    if (a->ncolumns)
        AG_TRY(write_columns(a, reply, err));
    for (size_t k = 0; k < req->nsets; k++) {
        if (req->flags & AG_REQ_ROWS)
            AG_TRY(write_rows(a, 0, window, &reply->rows, err));
        if (reply->rowcounts)
            reply->rowcounts[k] = each;
        if (reply->last_ids)
            reply->last_ids[k] = a->last_id + (int64_t)k;
    }
    reply->rowcount = each * (int64_t)req->nsets;
    if (window < a->nrows) {
        c->streaming = an;
        c->stream_at = window;
        reply->more = true;
        reply->cursor = 1;
    }
    if (a->tag)
        memcpy(reply->tag, a->tag, strnlen(a->tag, sizeof reply->tag - 1));
    return AG_OK;
}

/* ---- the driver ---- */

static ag_status mock_open(const ag_driver *self, ag_dconn **out, const ag_connect_params *params,
                           const ag_services *core, const ag_alloc *alloc, ag_error *err)
{
    ag_mock *m = (ag_mock *)(void *)self;
    conn *c = ag_mem_zero(alloc, 1, sizeof *c);
    ag_mock_event e = {.what = AG_MOCK_OPEN, .conn = m->nconns + 1, .text = params->database};
    *out = NULL;
    if (!c)
        return ag_fail_nomem(err);
    e.text_len = e.text ? strlen(e.text) : 0;
    if (record(m, &e, err) != AG_OK) {
        ag_mem_free(alloc, c);
        return AG_NOMEM;
    }
    c->base = (ag_dconn){.driver = self, .core = core, .alloc = alloc};
    c->m = m;
    c->id = ++m->nconns;
    ag_vec_init(&c->items, alloc);
    *out = &c->base;
    return AG_OK;
}

static ag_step mock_open_step(ag_dconn *base, ag_wait *w, ag_error *err)
{
    (void)base, (void)w, (void)err;
    return AG_STEP_DONE;
}

static void mock_close(ag_dconn *base)
{
    if (!base)
        return;
    record_plain(of(base), AG_MOCK_CLOSE);
    ag_vec_clear(&of(base)->items);
    ag_mem_free(base->alloc, base);
}

static ag_status record_request(conn *c, const ag_request *req, ag_error *err)
{
    ag_arena *ar = &c->m->events_mem;
    ag_mock_event e = {.what = AG_MOCK_STATEMENT, .conn = c->id, .text = req->text, .text_len = req->text_len};
    size_t n = (size_t)req->nparams * req->nsets;
    ag_value *values = NULL;
    e.nparams = req->nparams;
    e.nsets = req->nsets;
    if (n) {
        if (!(values = ag_arena_zero(ar, n, sizeof *values)))
            return ag_fail_nomem(err);
        for (size_t k = 0; k < req->nsets; k++) {
            ag_value *set = values + k * req->nparams;
            if (req->fill)
                AG_TRY(req->fill(req->fill_ud, k, set, err));
            for (uint32_t i = 0; i < req->nparams; i++)
                AG_TRY(ag_value_copy(&set[i], req->fill ? &set[i] : &req->values[k * req->nparams + i], ar, err));
        }
    }
    e.values = values;
    return record(c->m, &e, err);
}

static ag_status push(conn *c, const ag_request *req, ag_error *err)
{
    item it = {.sync = !req};
    if (req)
        it.req = *req;
    return ag_vec_push(&c->items, it) ? AG_OK : ag_fail_nomem(err);
}

static ag_status mock_send(ag_dconn *base, const ag_request *req, ag_error *err)
{
    return push(of(base), req, err);
}

static ag_status mock_sync(ag_dconn *base, ag_error *err)
{
    return push(of(base), NULL, err);
}

static bool begins(const ag_request *req, const char *word)
{
    size_t n = strlen(word);
    return req->text_len >= n && strncasecmp(req->text, word, n) == 0;
}

static void follow_transaction(conn *c, const ag_request *req)
{
    if (begins(req, "begin"))
        c->in_tx = true;
    else if (begins(req, "commit") || (begins(req, "rollback") && !begins(req, "rollback to")))
        c->in_tx = false;
}

static ag_status run(conn *c, const ag_request *req, ag_reply *reply, ag_error *err)
{
    if (c->lost)
        return raise_error(
            c, &(ag_mock_answer){.error = "the connection is lost", .cls = AG_EXC_OPERATIONAL, .disconnect = true},
            err);
    if (c->failed) {
        reply->skipped = true;
        return ag_fail(err, AG_EXC_OPERATIONAL, "skipped: an earlier statement of the same batch failed");
    }
    AG_TRY(record_request(c, req, err));
    AG_TRY(reserve_sets(req, reply, err));
    struct answer *an = find_answer(c->m, req->text, req->text_len);
    if (an && an->a.error)
        return raise_error(c, &an->a, err);
    follow_transaction(c, req);
    reply->sets_done = req->nsets;
    reply->rowcount = 0;
    return an ? give(c, an, req, reply, err) : AG_OK;
}

static ag_step mock_collect(ag_dconn *base, ag_reply *reply, bool *sync_done, ag_wait *w, ag_error *err)
{
    conn *c = of(base);
    (void)w;
    *sync_done = false;
    if (c->first == c->items.len) {
        (void)ag_fail(err, AG_EXC_INTERFACE, "nothing was sent");
        return AG_STEP_FAILED;
    }
    item it = c->items.items[c->first++];
    if (c->first == c->items.len)
        c->first = c->items.len = 0;
    base->core->reply_clear(reply);
    if (it.sync) {
        record_plain(c, AG_MOCK_SYNC);
        *sync_done = true;
        c->failed = false;
        return AG_STEP_DONE;
    }
    if (run(c, &it.req, reply, err) == AG_OK)
        return AG_STEP_DONE;
    c->failed = true;
    return AG_STEP_FAILED;
}

static ag_step mock_fetch(ag_dconn *base, ag_reply *reply, ag_wait *w, ag_error *err)
{
    conn *c = of(base);
    (void)w;
    record_plain(c, AG_MOCK_FETCH);
    if (!c->streaming || !reply->cursor) {
        (void)ag_fail(err, AG_EXC_RESOURCE_CLOSED, "the cursor is closed");
        return AG_STEP_FAILED;
    }
    if (write_rows(&c->streaming->a, c->stream_at, c->streaming->a.nrows, &reply->rows, err) != AG_OK)
        return AG_STEP_FAILED;
    c->streaming = NULL;
    reply->more = false;
    reply->cursor = 0;
    return AG_STEP_DONE;
}

static void mock_cursor_close(ag_dconn *base, uint32_t cursor)
{
    if (cursor)
        of(base)->streaming = NULL;
}

static void mock_cancel(ag_dconn *base)
{
    record_plain(of(base), AG_MOCK_CANCEL);
}

static void mock_set_deadline(ag_dconn *base, int64_t deadline_us)
{
    (void)base, (void)deadline_us;
}

static ag_tx_state mock_tx_state(const ag_dconn *base)
{
    const conn *c = (const conn *)(const void *)base;
    return c->lost ? AG_TX_UNKNOWN : c->in_tx ? AG_TX_ACTIVE : AG_TX_IDLE;
}

static ag_alive mock_alive(ag_dconn *base)
{
    return of(base)->lost ? AG_DEAD : AG_ALIVE;
}

static void mock_release(ag_dconn *base, bool discard)
{
    conn *c = of(base);
    (void)discard;
    record_plain(c, AG_MOCK_RELEASE);
    c->first = c->items.len = 0;
    c->failed = c->in_tx = false;
    c->streaming = NULL;
}

static ag_step mock_drain_step(ag_dconn *base, ag_wait *w, ag_error *err)
{
    (void)w;
    if (!of(base)->lost)
        return AG_STEP_DONE;
    (void)ag_fail(err, AG_EXC_OPERATIONAL, "the connection is lost");
    return AG_STEP_FAILED;
}

static int mock_server_version(const ag_dconn *base)
{
    return ((const conn *)(const void *)base)->m->server_version;
}

static int mock_client_version(void)
{
    return 0;
}

static int64_t mock_backend_id(const ag_dconn *base)
{
    return ((const conn *)(const void *)base)->id;
}

static uint32_t mock_max_params(const ag_dconn *base)
{
    (void)base;
    return 65535;
}

static int mock_fd(const ag_dconn *base)
{
    (void)base;
    return -1;
}

static void *mock_handle(ag_dconn *base)
{
    return of(base)->m;
}

static int mock_readonly(ag_dconn *base, const char *text, size_t len)
{
    (void)base;
    ag_request req = {.text = text, .text_len = len};
    return begins(&req, "select") || begins(&req, "pragma") || begins(&req, "values");
}

static const ag_driver vtable = {
    .abi = AG_DRIVER_ABI,
    .size = sizeof(ag_driver),
    .open = mock_open,
    .open_step = mock_open_step,
    .close = mock_close,
    .send = mock_send,
    .sync = mock_sync,
    .collect = mock_collect,
    .fetch = mock_fetch,
    .cursor_close = mock_cursor_close,
    .cancel = mock_cancel,
    .set_deadline = mock_set_deadline,
    .tx_state = mock_tx_state,
    .alive = mock_alive,
    .release = mock_release,
    .drain_step = mock_drain_step,
    .server_version = mock_server_version,
    .client_version = mock_client_version,
    .backend_id = mock_backend_id,
    .max_params = mock_max_params,
    .fd = mock_fd,
    .handle = mock_handle,
    .readonly = mock_readonly,
};

/* ---- the object ---- */

ag_status ag_mock_new(ag_mock **out, const ag_mock_options *options, const ag_alloc *alloc, ag_error *err)
{
    ag_mock *m = ag_mem_zero(alloc, 1, sizeof *m);
    *out = m;
    if (!m)
        return ag_fail_nomem(err);
    m->vt = vtable;
    m->vt.name = options->name ? options->name : "mock";
    m->vt.dialect = options->dialect;
    m->vt.caps = options->caps;
    m->server_version = options->server_version;
    m->alloc = alloc;
    ag_arena_init(&m->answers_mem, alloc);
    ag_arena_init(&m->events_mem, alloc);
    ag_vec_init(&m->answers, alloc);
    ag_vec_init(&m->events, alloc);
    return AG_OK;
}

void ag_mock_free(ag_mock *m)
{
    if (!m)
        return;
    ag_vec_clear(&m->answers);
    ag_vec_clear(&m->events);
    ag_arena_clear(&m->answers_mem);
    ag_arena_clear(&m->events_mem);
    ag_mem_free(m->alloc, m);
}

const ag_driver *ag_mock_driver(const ag_mock *m)
{
    return &m->vt;
}

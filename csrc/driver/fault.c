/* Faults are decided when a request is sent (that is when it is counted) and happen when it is collected, so that
 * what stands before it in the segment has its real answer. Once "lost", a connection's inner one is closed and
 * every call fails. */
#include "driver/fault.h"

#include "driver/sqlstate.h"

#include <strings.h>

typedef enum fault_kind { FAULT_NONE, FAULT_ERROR, FAULT_LOST, FAULT_LOST_AFTER } fault_kind;
enum { MAX_RULES = 16 };

struct rule {
    char point[24];
    fault_kind kind;
    char sqlstate[6];
    uint64_t at, seen;
    bool from_then_on;
};

struct ag_fault {
    ag_driver vt; /* first: a vtable pointer is the object */
    const ag_driver *inner;
    const ag_alloc *alloc;
    char *text; /* of the plan */
    struct rule rules[MAX_RULES];
    size_t nrules;
    uint64_t hits;
};

enum marker { PASSED, SYNC, FAILING, LOSING, LOSING_AFTER, SKIPPED };

typedef struct conn {
    ag_dconn base;
    ag_fault *f;
    ag_dconn *inner; /* NULL once lost */
    uint8_t *marks;  /* what was sent and is not collected */
    size_t first, nmarks, cap;
    bool stopped;    /* sends of this segment no longer reach the inner driver */
    struct rule why; /* the last fault's */
} conn;

static conn *of(ag_dconn *base)
{
    return (conn *)(void *)base;
}

static const ag_driver *inner_of(const ag_dconn *base)
{
    return ((const conn *)(const void *)base)->f->inner;
}

/* ---- the plan ---- */

static ag_status bad_plan(const char *text, ag_error *err)
{
    return ag_fail(err, AG_EXC_ARGUMENT,
                   "'%s' is no fault plan: point:count[+]:kind, kind error[=SQLSTATE], lost or lost-after", text);
}

static bool parse_kind(struct rule *r, const char *s, size_t n)
{
    if (n == 4 && memcmp(s, "lost", 4) == 0)
        r->kind = FAULT_LOST;
    else if (n == 10 && memcmp(s, "lost-after", 10) == 0)
        r->kind = FAULT_LOST_AFTER;
    else if (n == 5 && memcmp(s, "error", 5) == 0)
        r->kind = FAULT_ERROR;
    else if (n == 11 && memcmp(s, "error=", 6) == 0) {
        r->kind = FAULT_ERROR;
        memcpy(r->sqlstate, s + 6, 5);
    } else
        return false;
    return true;
}

static bool parse_rule(struct rule *r, const char *s, size_t n)
{
    const char *end = s + n, *c1 = memchr(s, ':', n), *c2 = c1 ? memchr(c1 + 1, ':', (size_t)(end - c1 - 1)) : NULL;
    int64_t count;
    *r = (struct rule){.kind = FAULT_NONE};
    if (!c2 || c1 == s || (size_t)(c1 - s) >= sizeof r->point || c2 == c1 + 1)
        return false;
    memcpy(r->point, s, (size_t)(c1 - s));
    r->from_then_on = c2[-1] == '+';
    if (!ag_parse_int64(c1 + 1, (size_t)(c2 - c1 - 1 - r->from_then_on), &count) || count < 1)
        return false;
    r->at = (uint64_t)count;
    return parse_kind(r, c2 + 1, (size_t)(end - c2 - 1));
}

ag_status ag_fault_plan(ag_fault *f, const char *text, ag_error *err)
{
    struct rule rules[MAX_RULES];
    size_t n = 0;
    for (const char *s = text; *s;) {
        size_t len = strcspn(s, ",");
        if (n == MAX_RULES || !parse_rule(&rules[n++], s, len))
            return bad_plan(text, err);
        s += len + (s[len] == ',');
    }
    char *copy = ag_mem_strndup(f->alloc, text, strlen(text));
    if (!copy)
        return ag_fail_nomem(err);
    ag_mem_free(f->alloc, f->text);
    f->text = copy;
    memcpy(f->rules, rules, n * sizeof *rules);
    f->nrules = n;
    f->hits = 0;
    return AG_OK;
}

uint64_t ag_fault_hits(const ag_fault *f)
{
    return f->hits;
}

/* Count one arrival at a point; the rule that says it fails, or NULL. */
static const struct rule *arrive(ag_fault *f, const char *point, size_t n, bool statement)
{
    const struct rule *hit = NULL;
    for (size_t i = 0; i < f->nrules; i++) {
        struct rule *r = &f->rules[i];
        bool named = strlen(r->point) == n && strncasecmp(r->point, point, n) == 0;
        if (!named && !(statement && strcmp(r->point, "statement") == 0))
            continue;
        r->seen++;
        if (!hit && (r->from_then_on ? r->seen >= r->at : r->seen == r->at))
            hit = r;
    }
    f->hits += hit != NULL;
    return hit;
}

static ag_step fail_rule(const struct rule *r, const char *what, bool lost, ag_error *err)
{
    (void)ag_fail(err, lost ? AG_EXC_OPERATIONAL : AG_EXC_DATABASE, "fault: %s %llu %s", r->point,
                  (unsigned long long)r->seen, what);
    if (!err)
        return AG_STEP_FAILED;
    err->disconnect = lost;
    if (r->sqlstate[0]) {
        err->cls = ag_sqlstate_class(r->sqlstate);
        ag_sqlstate_set(err, r->sqlstate);
    }
    return AG_STEP_FAILED;
}

static ag_step lose(conn *c, const struct rule *r, ag_error *err)
{
    c->why = *r;
    if (c->inner)
        c->f->inner->close(c->inner);
    c->inner = NULL;
    return fail_rule(r, "lost the connection", true, err);
}

static ag_step fail_lost(const conn *c, ag_error *err)
{
    return fail_rule(&c->why, "lost the connection", true, err);
}

/* ---- opening ---- */

static ag_status take_option(ag_fault *f, const ag_connect_params *params, ag_connect_params *rest, ag_arena *ar,
                             ag_error *err)
{
    ag_connect_option *options = ag_arena_zero(ar, params->noptions + 1, sizeof *options);
    if (!options)
        return ag_fail_nomem(err);
    *rest = *params;
    rest->options = options;
    rest->noptions = 0;
    for (size_t i = 0; i < params->noptions; i++) {
        if (strcmp(params->options[i].key, "fault") != 0)
            options[rest->noptions++] = params->options[i];
        else if (!f->text || strcmp(f->text, params->options[i].value) != 0)
            AG_TRY(ag_fault_plan(f, params->options[i].value, err));
    }
    return AG_OK;
}

static ag_status fault_open(const ag_driver *self, ag_dconn **out, const ag_connect_params *params,
                            const ag_services *core, const ag_alloc *alloc, ag_error *err)
{
    ag_fault *f = (ag_fault *)(void *)self;
    ag_connect_params rest;
    ag_arena ar;
    conn *c = ag_mem_zero(alloc, 1, sizeof *c);
    *out = NULL;
    if (!c)
        return ag_fail_nomem(err);
    c->base = (ag_dconn){.driver = self, .core = core, .alloc = alloc};
    c->f = f;
    ag_arena_init(&ar, alloc);
    ag_status st = take_option(f, params, &rest, &ar, err);
    if (st == AG_OK)
        st = f->inner->open(f->inner, &c->inner, &rest, core, alloc, err);
    ag_arena_clear(&ar);
    if (st != AG_OK) {
        ag_mem_free(alloc, c);
        return st;
    }
    *out = &c->base;
    return AG_OK;
}

static ag_step fault_open_step(ag_dconn *base, ag_wait *w, ag_error *err)
{
    conn *c = of(base);
    if (!c->inner)
        return fail_lost(c, err);
    ag_step s = c->f->inner->open_step(c->inner, w, err);
    if (s != AG_STEP_DONE)
        return s;
    const struct rule *r = arrive(c->f, "connect", 7, false);
    return r ? lose(c, r, err) : AG_STEP_DONE;
}

static void fault_close(ag_dconn *base)
{
    conn *c = of(base);
    if (!base)
        return;
    if (c->inner)
        c->f->inner->close(c->inner);
    ag_mem_free(base->alloc, c->marks);
    ag_mem_free(base->alloc, c);
}

/* ---- sending ---- */

static ag_status push(conn *c, enum marker mark, ag_error *err)
{
    if (c->nmarks == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 32;
        uint8_t *marks = ag_mem_resize(c->base.alloc, c->marks, cap);
        if (!marks)
            return ag_fail_nomem(err);
        c->marks = marks;
        c->cap = cap;
    }
    c->marks[c->nmarks++] = (uint8_t)mark;
    return AG_OK;
}

static const struct rule *arrive_statement(conn *c, const ag_request *req)
{
    size_t at = 0, n = 0;
    while (at < req->text_len && strchr(" \t\r\n;(", req->text[at]))
        at++;
    while (at + n < req->text_len && ((req->text[at + n] | 32) >= 'a' && (req->text[at + n] | 32) <= 'z'))
        n++;
    return arrive(c->f, req->text + at, n, true);
}

static ag_status fault_send(ag_dconn *base, const ag_request *req, ag_error *err)
{
    conn *c = of(base);
    if (!c->inner || c->stopped)
        return push(c, SKIPPED, err);
    const struct rule *r = arrive_statement(c, req);
    fault_kind kind = r ? r->kind : FAULT_NONE;
    if (r) {
        c->why = *r;
        c->stopped = true;
    }
    if (kind == FAULT_ERROR || kind == FAULT_LOST)
        return push(c, kind == FAULT_ERROR ? FAILING : LOSING, err);
    AG_TRY(c->f->inner->send(c->inner, req, err));
    if (kind == FAULT_LOST_AFTER)
        AG_TRY(c->f->inner->sync(c->inner, err)); /* so that the server really does it */
    return push(c, kind == FAULT_LOST_AFTER ? LOSING_AFTER : PASSED, err);
}

static ag_status fault_sync(ag_dconn *base, ag_error *err)
{
    conn *c = of(base);
    c->stopped = false;
    if (c->inner)
        AG_TRY(c->f->inner->sync(c->inner, err));
    return push(c, SYNC, err);
}

/* ---- collecting ---- */

static ag_step skipped(ag_reply *reply, ag_error *err)
{
    reply->skipped = true;
    (void)ag_fail(err, AG_EXC_OPERATIONAL, "skipped: an earlier statement of the same batch failed");
    return AG_STEP_FAILED;
}

/* The statement runs, its reply and the sync's are thrown away, then the connection is gone. */
static ag_step collect_then_lose(conn *c, ag_reply *reply, ag_wait *w, ag_error *err)
{
    bool sync_done = false;
    while (!sync_done) {
        ag_step s = c->f->inner->collect(c->inner, reply, &sync_done, w, err);
        if (s == AG_STEP_WAIT)
            return s;
    }
    c->base.core->reply_clear(reply);
    return lose(c, &c->why, err);
}

static ag_step collect_marked(conn *c, ag_reply *reply, bool *sync_done, ag_wait *w, ag_error *err)
{
    uint8_t mark = c->marks[c->first];
    if (!c->inner || (mark != PASSED && mark != SYNC && mark != LOSING_AFTER))
        c->base.core->reply_clear(reply);
    if (!c->inner) {
        *sync_done = mark == SYNC;
        return fail_lost(c, err);
    }
    switch (mark) {
    case SKIPPED: return skipped(reply, err);
    case FAILING: return fail_rule(&c->why, "failed", false, err);
    case LOSING: return lose(c, &c->why, err);
    case LOSING_AFTER: return collect_then_lose(c, reply, w, err);
    default: return c->f->inner->collect(c->inner, reply, sync_done, w, err);
    }
}

static ag_step fault_collect(ag_dconn *base, ag_reply *reply, bool *sync_done, ag_wait *w, ag_error *err)
{
    conn *c = of(base);
    *sync_done = false;
    if (c->first == c->nmarks) {
        (void)ag_fail(err, AG_EXC_INTERFACE, "nothing was sent");
        return AG_STEP_FAILED;
    }
    ag_step s = collect_marked(c, reply, sync_done, w, err);
    if (s != AG_STEP_WAIT && ++c->first == c->nmarks)
        c->first = c->nmarks = 0;
    return s;
}

static ag_step fault_fetch(ag_dconn *base, ag_reply *reply, ag_wait *w, ag_error *err)
{
    conn *c = of(base);
    if (!c->inner)
        return fail_lost(c, err);
    ag_step s = c->f->inner->fetch(c->inner, reply, w, err);
    if (s != AG_STEP_DONE)
        return s;
    const struct rule *r = arrive(c->f, "fetch", 5, false);
    if (!r)
        return s;
    reply->more = false;
    if (r->kind != FAULT_ERROR)
        return lose(c, r, err);
    c->f->inner->cursor_close(c->inner, reply->cursor);
    reply->cursor = 0;
    return fail_rule(r, "failed", false, err);
}

static void fault_release(ag_dconn *base, bool discard)
{
    conn *c = of(base);
    c->first = c->nmarks = 0;
    c->stopped = false;
    if (c->inner)
        c->f->inner->release(c->inner, discard);
}

static ag_step fault_drain_step(ag_dconn *base, ag_wait *w, ag_error *err)
{
    conn *c = of(base);
    if (!c->inner)
        return fail_lost(c, err);
    ag_step s = c->f->inner->drain_step(c->inner, w, err);
    if (s != AG_STEP_DONE)
        return s;
    const struct rule *r = arrive(c->f, "drain", 5, false);
    return r ? lose(c, r, err) : s;
}

/* ---- passed on ---- */

static void fault_cursor_close(ag_dconn *base, uint32_t cursor)
{
    if (of(base)->inner)
        inner_of(base)->cursor_close(of(base)->inner, cursor);
}

static void fault_cancel(ag_dconn *base)
{
    if (of(base)->inner)
        inner_of(base)->cancel(of(base)->inner);
}

static void fault_set_deadline(ag_dconn *base, int64_t deadline_us)
{
    if (of(base)->inner)
        inner_of(base)->set_deadline(of(base)->inner, deadline_us);
}

static const ag_dconn *inner_conn(const ag_dconn *base)
{
    return ((const conn *)(const void *)base)->inner;
}

static ag_tx_state fault_tx_state(const ag_dconn *base)
{
    return inner_conn(base) ? inner_of(base)->tx_state(inner_conn(base)) : AG_TX_UNKNOWN;
}

static ag_alive fault_alive(ag_dconn *base)
{
    return of(base)->inner ? inner_of(base)->alive(of(base)->inner) : AG_DEAD;
}

static int fault_server_version(const ag_dconn *base)
{
    return inner_conn(base) ? inner_of(base)->server_version(inner_conn(base)) : 0;
}

static int64_t fault_backend_id(const ag_dconn *base)
{
    return inner_conn(base) ? inner_of(base)->backend_id(inner_conn(base)) : 0;
}

static uint32_t fault_max_params(const ag_dconn *base)
{
    return inner_conn(base) ? inner_of(base)->max_params(inner_conn(base)) : 999;
}

static int fault_fd(const ag_dconn *base)
{
    return inner_conn(base) ? inner_of(base)->fd(inner_conn(base)) : -1;
}

static void *fault_handle(ag_dconn *base)
{
    return of(base)->inner ? inner_of(base)->handle(of(base)->inner) : NULL;
}

static ag_status fault_create_function(ag_dconn *base, const ag_host_function *f, ag_error *err)
{
    return inner_of(base)->create_function(of(base)->inner, f, err);
}

static int fault_readonly(ag_dconn *base, const char *text, size_t len)
{
    return of(base)->inner ? inner_of(base)->readonly(of(base)->inner, text, len) : -1;
}

/* ---- the object ---- */

ag_status ag_fault_new(ag_fault **out, const ag_driver *inner, const ag_alloc *alloc, ag_error *err)
{
    ag_fault *f = ag_mem_zero(alloc, 1, sizeof *f);
    *out = f;
    if (!f)
        return ag_fail_nomem(err);
    f->inner = inner;
    f->alloc = alloc;
    f->vt = (ag_driver){
        .abi = AG_DRIVER_ABI,
        .size = sizeof(ag_driver),
        .name = "fault",
        .dialect = inner->dialect,
        .caps = inner->caps,
        .open = fault_open,
        .open_step = fault_open_step,
        .close = fault_close,
        .send = fault_send,
        .sync = fault_sync,
        .collect = fault_collect,
        .fetch = fault_fetch,
        .cursor_close = fault_cursor_close,
        .cancel = fault_cancel,
        .set_deadline = fault_set_deadline,
        .tx_state = fault_tx_state,
        .alive = fault_alive,
        .release = fault_release,
        .drain_step = fault_drain_step,
        .server_version = fault_server_version,
        .client_version = inner->client_version,
        .backend_id = fault_backend_id,
        .max_params = fault_max_params,
        .fd = fault_fd,
        .handle = fault_handle,
        .readonly = inner->readonly ? fault_readonly : NULL,
        .create_function = inner->create_function ? fault_create_function : NULL,
    };
    return AG_OK;
}

void ag_fault_free(ag_fault *f)
{
    if (!f)
        return;
    ag_mem_free(f->alloc, f->text);
    ag_mem_free(f->alloc, f);
}

const ag_driver *ag_fault_driver(const ag_fault *f)
{
    return &f->vt;
}

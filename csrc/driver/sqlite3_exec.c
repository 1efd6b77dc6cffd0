/* Running requests. A request is one collect: prepare, then for each parameter set bind, step to the end, reset. It
 * can stop in the middle only to wait for a lock, with the current set bound; the run in the connection remembers
 * where. SQLite repeats a statement safely as long as it has returned no row: what a failed step did is undone by
 * the reset. */
#include "driver/sqlite3_impl.h"

enum { LOCK_DELAY_MIN = 1000, LOCK_DELAY_MAX = 50000, PROGRESS_OPS = 1000 };

/* ---- deadlines and locks ---- */

static int progress(void *ud)
{
    ag_sqlite *c = ud;
    return c->cancelled || c->base.core->now_us() >= c->run_deadline;
}

void ag_sqlite_arm(ag_sqlite *c, int64_t request_deadline)
{
    c->run_deadline = c->deadline;
    if (request_deadline > 0 && request_deadline < c->run_deadline)
        c->run_deadline = request_deadline;
    bool wanted = c->run_deadline != AG_NO_DEADLINE || c->cancelled;
    if (wanted != c->handler_on)
        sqlite3_progress_handler(c->db, wanted ? PROGRESS_OPS : 0, wanted ? progress : NULL, c);
    c->handler_on = wanted;
}

static ag_step fail_cancelled(ag_sqlite *c, ag_error *err)
{
    (void)ag_driver_fail(c->base.core, err, AG_EXC_OPERATIONAL,
                         c->cancelled ? "the statement was cancelled" : "the statement's deadline has passed");
    if (err) {
        err->code = SQLITE_INTERRUPT;
        c->base.core->sqlstate_set(err, "57014");
    }
    return AG_STEP_FAILED;
}

ag_step ag_sqlite_lock_wait(ag_sqlite *c, int rc, ag_wait *w, ag_error *err)
{
    ag_sqlite_run *run = &c->run;
    int64_t now = c->base.core->now_us();
    if (c->cancelled || now >= c->run_deadline)
        return fail_cancelled(c, err);
    if (!run->lock_since) {
        run->lock_since = now;
        run->lock_delay = LOCK_DELAY_MIN;
    }
    int64_t end = run->lock_since + c->lock_timeout;
    if (now >= end) {
        (void)ag_driver_fail(c->base.core, err, AG_EXC_OPERATIONAL,
                             "database is locked (waited %.3g s, the connection's timeout option)",
                             (double)c->lock_timeout / 1e6);
        if (err)
            err->code = rc;
        return AG_STEP_FAILED;
    }
    int64_t until = now + run->lock_delay;
    if (run->lock_delay < LOCK_DELAY_MAX)
        run->lock_delay = run->lock_delay * 2 < LOCK_DELAY_MAX ? run->lock_delay * 2 : LOCK_DELAY_MAX;
    if (until > end)
        until = end;
    *w = (ag_wait){.fd = -1, .deadline = until < c->run_deadline ? until : c->run_deadline};
    return AG_STEP_WAIT;
}

static bool is_lock(const ag_sqlite *c, int rc)
{
    return ((rc & 0xff) == SQLITE_BUSY && rc != SQLITE_BUSY_SNAPSHOT && c->busy_seen) ||
           rc == SQLITE_LOCKED_SHAREDCACHE;
}

/* ---- one parameter set ---- */

static ag_step failed(ag_sqlite *c, int rc, ag_error *err)
{
    if ((rc & 0xff) == SQLITE_INTERRUPT)
        return fail_cancelled(c, err);
    ag_sqlite_error(c, rc, true, err);
    return AG_STEP_FAILED;
}

static ag_step bind_set(ag_sqlite *c, const ag_request *req, ag_error *err)
{
    ag_sqlite_run *run = &c->run;
    const ag_value *vals = req->values ? req->values + run->set * req->nparams : NULL;
    if (req->fill) {
        vals = c->filled;
        if (req->fill(req->fill_ud, run->set, c->filled, err) != AG_OK)
            return AG_STEP_FAILED;
    }
    if (ag_sqlite_bind(c, run->stmt->handle, vals, req->nparams, err) != AG_OK)
        return AG_STEP_FAILED;
    run->bound = true;
    run->stepped_row = false;
    return AG_STEP_DONE;
}

/* Read rows to the end of the set, or to the end of the window when limit is not 0. *more: the statement is not at
 * its end. */
static ag_step step_rows(ag_sqlite *c, const ag_request *req, ag_reply *reply, uint64_t limit, bool *more, ag_wait *w,
                         ag_error *err)
{
    ag_sqlite_run *run = &c->run;
    ag_sqlite_stmt *st = run->stmt;
    *more = false;
    c->busy_seen = st->is_reset = false;
    for (;;) {
        int rc = sqlite3_step(st->handle);
        if (rc == SQLITE_ROW) {
            if (!run->stepped_row) {
                run->stepped_row = true;
                if (ag_sqlite_plan_columns(c, st, req->result_types, req->nresult_types, err) != AG_OK)
                    return AG_STEP_FAILED;
                run->planned = true;
            }
            run->nrows++;
            if ((req->flags & AG_REQ_ROWS) && ag_sqlite_read_row(c, st, &reply->rows, err) != AG_OK)
                return AG_STEP_FAILED;
            if (limit && --limit == 0) {
                *more = true;
                return AG_STEP_DONE;
            }
        } else if (rc == SQLITE_DONE) {
            return AG_STEP_DONE;
        } else {
            ag_step how = AG_STEP_FAILED;
            if (is_lock(c, rc) && !run->stepped_row)
                how = ag_sqlite_lock_wait(c, rc, w, err);
            else
                (void)failed(c, rc, err);
            (void)sqlite3_reset(st->handle);
            return how;
        }
    }
}

static int64_t changes(ag_sqlite *c)
{
#if SQLITE_VERSION_NUMBER >= 3037000
    return sqlite3_changes64(c->db);
#else
    return sqlite3_changes(c->db);
#endif
}

static void count_set(ag_sqlite *c, ag_reply *reply)
{
    ag_sqlite_run *run = &c->run;
    int64_t n = run->stmt->dml ? changes(c) : 0;
    run->changed += n;
    if (reply->rowcounts)
        reply->rowcounts[run->set] = n;
    if (reply->last_ids)
        reply->last_ids[run->set] = n ? sqlite3_last_insert_rowid(c->db) : 0;
}

static ag_step run_sets(ag_sqlite *c, const ag_request *req, ag_reply *reply, ag_wait *w, ag_error *err)
{
    ag_sqlite_run *run = &c->run;
    bool more;
    for (; run->set < req->nsets; run->set++) {
        ag_step s = run->bound ? AG_STEP_DONE : bind_set(c, req, err);
        if (s == AG_STEP_DONE)
            s = step_rows(c, req, reply, 0, &more, w, err);
        reply->sets_done = run->set;
        if (s != AG_STEP_DONE)
            return s;
        count_set(c, reply);
        (void)sqlite3_reset(run->stmt->handle);
        run->stmt->is_reset = true;
        run->bound = false;
        run->lock_since = 0;
    }
    reply->sets_done = req->nsets;
    return AG_STEP_DONE;
}

/* ---- a request ---- */

static ag_status start(ag_sqlite *c, const ag_request *req, ag_reply *reply, ag_error *err)
{
    const ag_services *core = c->base.core;
    const ag_alloc *a = reply->rows.alloc;
    c->run = (ag_sqlite_run){.active = true, .at = req->text, .left = req->text_len};
    ag_sqlite_arm(c, req->deadline);
    if (req->flags & AG_REQ_COPY_IN)
        return ag_driver_fail(core, err, AG_EXC_NOT_SUPPORTED, "SQLite has no COPY");
    if (!req->nsets)
        return ag_driver_fail(core, err, AG_EXC_INTERFACE, "a request without parameter sets");
    if ((req->flags & AG_REQ_SCRIPT) && (req->nparams || req->nsets != 1))
        return ag_driver_fail(core, err, AG_EXC_INTERFACE, "a script takes no parameters");
    if (req->nsets > SIZE_MAX / sizeof(int64_t))
        return core->fail_nomem(err);
    if ((req->flags & AG_REQ_LAST_ID) && !(reply->last_ids = ag_driver_zero(a, req->nsets * sizeof(int64_t))))
        return core->fail_nomem(err);
    if (req->nsets > 1 && !(reply->rowcounts = ag_driver_zero(a, req->nsets * sizeof(int64_t))))
        return core->fail_nomem(err);
    return ag_sqlite_plan_params(c, req, err);
}

/* Prepare the next piece of the request's text. */
static ag_step prepare(ag_sqlite *c, const ag_request *req, ag_wait *w, ag_error *err)
{
    ag_sqlite_run *run = &c->run;
    size_t used = run->left;
    int rc;
    bool script = (req->flags & AG_REQ_SCRIPT) != 0;
    run->stmt =
        ag_sqlite_prepare(c, run->at, run->left, (req->flags & AG_REQ_PREPARE) != 0, script ? &used : NULL, &rc, err);
    if (!run->stmt) {
        if (is_lock(c, rc))
            return ag_sqlite_lock_wait(c, rc, w, err);
        return AG_STEP_FAILED;
    }
    run->at += used;
    run->left -= used;
    run->lock_since = 0;
    unsigned wanted = run->stmt->nparams;
    if (wanted == req->nparams)
        return AG_STEP_DONE;
    (void)ag_driver_fail(c->base.core, err, AG_EXC_PROGRAMMING, "the statement has %u parameters, %u values were given",
                         wanted, (unsigned)req->nparams);
    return AG_STEP_FAILED;
}

static void finish_counts(const ag_sqlite *c, ag_reply *reply)
{
    const ag_sqlite_run *run = &c->run;
    if (run->any_dml)
        reply->rowcount = run->changed;
    else if (run->any_rows)
        reply->rowcount = (int64_t)run->nrows;
}

static void end_piece(ag_sqlite *c)
{
    ag_sqlite_run *run = &c->run;
    ag_sqlite_stmt_release(c, run->stmt);
    run->stmt = NULL;
    run->set = 0;
    run->bound = run->planned = false;
}

static ag_step open_cursor(ag_sqlite *c, const ag_request *req, ag_reply *reply, ag_wait *w, ag_error *err)
{
    ag_sqlite_run *run = &c->run;
    bool more;
    ag_step s = run->bound ? AG_STEP_DONE : bind_set(c, req, err);
    if (s == AG_STEP_DONE)
        s = step_rows(c, req, reply, req->window ? req->window : 1, &more, w, err);
    if (s != AG_STEP_DONE)
        return s;
    reply->sets_done = 1;
    count_set(c, reply);
    if (!more)
        return AG_STEP_DONE;
    ag_sqlite_cursor *cur = ag_driver_zero(c->base.alloc, sizeof *cur);
    if (!cur) {
        (void)c->base.core->fail_nomem(err);
        return AG_STEP_FAILED;
    }
    if (++c->next_cursor == 0)
        c->next_cursor = 1;
    *cur = (ag_sqlite_cursor){.next = c->cursors, .id = c->next_cursor, .window = req->window ? req->window : 1};
    cur->stmt = run->stmt;
    ag_sqlite_stmt_detach(c, cur->stmt);
    run->stmt = NULL;
    c->cursors = cur;
    reply->cursor = cur->id;
    reply->more = true;
    return AG_STEP_DONE;
}

/* Everything after the rows of a statement: columns (also when there was no row) and what was counted. */
static ag_step describe(ag_sqlite *c, const ag_request *req, const ag_sqlite_stmt *st, ag_reply *reply, ag_error *err)
{
    ag_sqlite_run *run = &c->run;
    reply->readonly = st->readonly;
    run->any_dml = run->any_dml || st->dml;
    if (sqlite3_column_count(st->handle) == 0)
        return AG_STEP_DONE;
    run->any_rows = true;
    if ((!run->planned &&
         ag_sqlite_plan_columns(c, (ag_sqlite_stmt *)st, req->result_types, req->nresult_types, err) != AG_OK) ||
        ag_sqlite_describe(c, st, reply, err) != AG_OK)
        return AG_STEP_FAILED;
    return AG_STEP_DONE;
}

static ag_step run_request(ag_sqlite *c, const ag_request *req, ag_reply *reply, ag_wait *w, ag_error *err)
{
    ag_sqlite_run *run = &c->run;
    ag_step s;
    for (;;) {
        if (!run->stmt && (s = prepare(c, req, w, err)) != AG_STEP_DONE)
            return s;
        ag_sqlite_stmt *st = run->stmt;
        if (st->handle) {
            if (reply->ncolumns && sqlite3_column_count(st->handle)) /* a script gives the rows of its last query */
                c->base.core->reply_clear(reply);
            s = (req->flags & AG_REQ_STREAM) ? open_cursor(c, req, reply, w, err) : run_sets(c, req, reply, w, err);
            if (s == AG_STEP_DONE)
                s = describe(c, req, st, reply, err);
            if (s != AG_STEP_DONE)
                return s;
        }
        end_piece(c);
        if (!run->left || !(req->flags & AG_REQ_SCRIPT))
            break;
    }
    finish_counts(c, reply);
    return AG_STEP_DONE;
}

static void end_run(ag_sqlite *c)
{
    ag_sqlite_stmt_release(c, c->run.stmt);
    c->run = (ag_sqlite_run){.active = false};
    c->cancelled = false;
}

static void pop(ag_sqlite *c)
{
    if (++c->first == c->nitems)
        c->first = c->nitems = 0;
}

ag_step ag_sqlite_collect(ag_dconn *base, ag_reply *reply, bool *sync_done, ag_wait *w, ag_error *err)
{
    ag_sqlite *c = ag_sqlite_of(base);
    *sync_done = false;
    if (c->first == c->nitems) {
        (void)ag_driver_fail(base->core, err, AG_EXC_INTERFACE, "nothing was sent");
        return AG_STEP_FAILED;
    }
    ag_sqlite_item *it = &c->items[c->first];
    ag_step s = AG_STEP_DONE;
    if (!c->run.active)
        ag_driver_reply_clear(base->core, reply);
    if (it->sync) {
        c->segment_failed = false;
        *sync_done = true;
    } else if (c->segment_failed) {
        reply->skipped = true;
        s = AG_STEP_FAILED;
        (void)ag_driver_fail(base->core, err, AG_EXC_OPERATIONAL,
                             "skipped: an earlier statement of the same batch failed");
    } else {
        if (!c->run.active && start(c, &it->req, reply, err) != AG_OK)
            s = AG_STEP_FAILED;
        if (s == AG_STEP_DONE)
            s = run_request(c, &it->req, reply, w, err);
        if (s == AG_STEP_WAIT)
            return s;
        end_run(c);
        c->segment_failed = s == AG_STEP_FAILED;
    }
    pop(c);
    return s;
}

/* ---- cursors ---- */

static ag_sqlite_cursor **find_cursor(ag_sqlite *c, uint32_t id)
{
    ag_sqlite_cursor **at = &c->cursors;
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static void free_cursor(ag_sqlite *c, ag_sqlite_cursor **at)
{
    ag_sqlite_cursor *cur = *at;
    if (!cur)
        return;
    *at = cur->next;
    ag_sqlite_stmt_release(c, cur->stmt);
    ag_driver_free(c->base.alloc, cur);
}

ag_step ag_sqlite_fetch(ag_dconn *base, ag_reply *reply, ag_wait *w, ag_error *err)
{
    ag_sqlite *c = ag_sqlite_of(base);
    ag_sqlite_cursor **at = find_cursor(c, reply->cursor);
    if (!reply->cursor || !*at) {
        (void)ag_driver_fail(base->core, err, AG_EXC_RESOURCE_CLOSED, "the cursor is closed");
        return AG_STEP_FAILED;
    }
    ag_sqlite_stmt *st = (*at)->stmt;
    ag_request req = {.flags = AG_REQ_ROWS};
    c->run = (ag_sqlite_run){.stmt = st, .stepped_row = true};
    ag_sqlite_arm(c, 0);
    ag_step s = step_rows(c, &req, reply, (*at)->window, &reply->more, w, err);
    if (s == AG_STEP_DONE)
        reply->rowcount += (int64_t)c->run.nrows;
    c->run.stmt = NULL;
    end_run(c);
    if (s != AG_STEP_DONE || !reply->more) {
        free_cursor(c, at);
        reply->cursor = 0;
        reply->more = false;
    }
    return s;
}

void ag_sqlite_cursor_close(ag_dconn *base, uint32_t cursor)
{
    ag_sqlite *c = ag_sqlite_of(base);
    if (cursor)
        free_cursor(c, find_cursor(c, cursor));
}

void ag_sqlite_abandon(ag_sqlite *c)
{
    if (c->run.active)
        end_run(c);
    c->first = c->nitems = 0;
    c->segment_failed = false;
    c->cancelled = false;
    while (c->cursors)
        free_cursor(c, &c->cursors);
}

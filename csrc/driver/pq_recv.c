/* Answers. One loop sends, flushes and reads until the oldest uncollected item is answered; PQgetResult is only
 * called when it cannot block, and until it says NULL. What the server says of items that failed already is read
 * and dropped. */
#include "driver/pq_impl.h"

#include <stdlib.h>

/* ---- the connection is gone ---- */

void ag_pq_lose(ag_pq *c, ag_error *why)
{
    if (c->lost)
        return;
    if (why)
        c->base.core->error_move(&c->lost_error, why);
    else
        ag_pq_conn_error(c, "the connection is unusable (out of memory)", &c->lost_error);
    c->lost_error.disconnect = true;
    c->lost = true;
    while (c->ncmds)
        ag_pq_pop_cmd(c);
    ag_pq_cancel_close(c);
}

ag_step ag_pq_fail_lost(ag_pq *c, ag_error *err)
{
    const ag_error *why = &c->lost_error;
    (void)ag_driver_fail(c->base.core, err, why->cls, "%s", why->message ? why->message : "the connection is lost");
    if (err) {
        c->base.core->sqlstate_set(err, why->sqlstate);
        err->disconnect = true;
    }
    return AG_STEP_FAILED;
}

/* A filled error that ends the connection: keep a copy for all later calls. */
static void lose_with(ag_pq *c, const ag_error *err)
{
    ag_error copy = {.alloc = c->base.alloc};
    (void)ag_driver_fail(c->base.core, &copy, err->cls, "%s", err->message ? err->message : "the connection is lost");
    c->base.core->sqlstate_set(&copy, err->sqlstate);
    ag_pq_lose(c, &copy);
}

/* ---- waiting ---- */

ag_step ag_pq_wait_socket(ag_pq *c, bool write, ag_wait *w)
{
    /* always for reading too: a server that cannot write to us does not read either */
    *w = (ag_wait){.fd = PQsocket(c->pg), .mode = AG_WAIT_READ | (write ? AG_WAIT_WRITE : 0), .deadline = c->deadline};
    if (c->cancelled) {
        bool over = ag_pq_cancel_step(c);
        int64_t soon = over ? c->cancel_until + 1000 : c->base.core->now_us() + 10000;
        w->deadline = soon < w->deadline ? soon : w->deadline;
    }
    return AG_STEP_WAIT;
}

static void flush(ag_pq *c)
{
    if (!c->flush_pending && !c->write_blocked)
        return;
    int rc = PQflush(c->pg);
    c->flush_pending = false;
    c->write_blocked = rc == 1;
    if (rc < 0 && PQstatus(c->pg) == CONNECTION_BAD)
        c->may_read = true; /* the server's last words may say why */
}

/* ---- one result ---- */

/* What a statement was prepared for may be gone: types of its parameters are not looked up again by the server. */
static bool drops_something(const char *tag)
{
    return strncmp(tag, "DROP ", 5) == 0 || strncmp(tag, "ALTER ", 6) == 0;
}

void ag_pq_note_tag(ag_pq *c, const char *tag)
{
    if (tag[0] == 'D' && (strcmp(tag, "DISCARD ALL") == 0 || strcmp(tag, "DEALLOCATE ALL") == 0)) {
        ag_pq_stmts_clear(c, false);
        c->setup_pending = c->setup_pending || tag[1] == 'I';
    } else if (drops_something(tag)) {
        ag_pq_stmts_clear(c, true);
        c->changed_schema = true;
    } else if (strncmp(tag, "CREATE ", 7) == 0) {
        c->changed_schema = true;
    } else if (strcmp(tag, "COMMIT") == 0 || strcmp(tag, "ROLLBACK") == 0) {
        ag_pq_cursors_forget(c, true);
        if (c->changed_schema && tag[0] == 'R') /* what was prepared for is as it was before, or gone */
            ag_pq_stmts_clear(c, true);
    } else if (strcmp(tag, "BEGIN") == 0) { /* not at ROLLBACK: it may have been TO SAVEPOINT */
        c->changed_schema = false;
    }
}

static int64_t tuples(PGresult *res)
{
    const char *s = PQcmdTuples(res);
    return *s ? strtoll(s, NULL, 10) : -1;
}

/* The set's last result: tag and counts. */
static void end_set(ag_pq *c, const ag_pq_item *it, PGresult *res, ag_reply *reply)
{
    const char *tag = PQcmdStatus(res);
    int64_t n = tuples(res);
    if (PQresultStatus(res) == PGRES_TUPLES_OK && !(it->req.flags & AG_REQ_STREAM) && n < 0)
        n = (int64_t)c->set_rows;
    if (it->kind == AG_PQ_ITEM_FETCH || (it->req.flags & AG_REQ_STREAM)) {
        ag_pq_cursor *cur = ag_pq_cursor_find(c, it->cursor);
        reply->more = cur && c->set_rows == cur->window;
        reply->cursor = reply->more ? cur->id : 0;
        if (cur)
            cur->ended = !reply->more;
        n = (int64_t)c->set_rows;
    }
    if (n >= 0)
        reply->rowcount = (reply->rowcount < 0 ? 0 : reply->rowcount) + n;
    if (reply->rowcounts && it->done < it->req.nsets)
        reply->rowcounts[it->done] = n < 0 ? 0 : n;
    size_t len = strlen(tag);
    if (len >= sizeof reply->tag)
        len = sizeof reply->tag - 1;
    memcpy(reply->tag, tag, len);
    reply->tag[len] = '\0';
}

/* The server is content, we are not: what else it was sent has run, and is collected as such. */
static ag_step unreadable(ag_pq *c)
{
    c->soft_error = true;
    return AG_STEP_FAILED;
}

static ag_step rows_result(ag_pq *c, const ag_pq_item *it, PGresult *res, ag_reply *reply, ag_error *err)
{
    bool wanted = it->kind == AG_PQ_ITEM_FETCH || (it->req.flags & AG_REQ_ROWS);
    ag_pq_stmt *st = ag_pq_head(c)->stmt;
    if (!c->reading) {
        ag_pq_cursor *cur = ag_pq_cursor_find(c, it->cursor);
        if (ag_pq_describe(c, st, &it->req, res, reply, err) != AG_OK)
            return unreadable(c);
        int8_t format = c->reading->can_binary ? AG_PQ_FORMAT_BINARY : AG_PQ_FORMAT_TEXT;
        if (st)
            st->format = format;
        if (cur)
            cur->format = format;
    }
    c->set_rows += (uint64_t)PQntuples(res);
    if (wanted && ag_pq_read_rows(c, res, &reply->rows, err) != AG_OK)
        return unreadable(c);
    return AG_STEP_DONE;
}

/* A prepared statement that the server has lost, or whose plan went stale, is forgotten; running the transaction
 * again prepares it anew. */
static void drop_stale(ag_pq *c, const PGresult *res, ag_pq_stmt *st, ag_error *err)
{
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *where = PQresultErrorField(res, PG_DIAG_SOURCE_FUNCTION);
    if (!st || !st->cached || !state)
        return;
    bool stale = strcmp(state, "0A000") == 0 && where && strcmp(where, "RevalidateCachedQuery") == 0;
    const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    stale = stale || (strcmp(state, "XX000") == 0 && text && strstr(text, "cache lookup failed for type"));
    bool gone = strcmp(state, "26000") == 0 || strcmp(state, "42P05") == 0;
    if (!stale && !gone)
        return;
    ag_pq_stmt_drop(c, st, stale);
    if (err)
        err->retryable = true;
}

static ag_step error_result(ag_pq *c, const PGresult *res, ag_error *err)
{
    ag_pq_cmd *cmd = ag_pq_head(c);
    ag_error local = {.alloc = c->base.alloc}, *e = err ? err : &local;
    ag_pq_result_error(c, res, e);
    drop_stale(c, res, cmd->stmt, e);
    if (cmd->kind == AG_PQ_CMD_PREPARE && cmd->stmt->cached)
        ag_pq_stmt_drop(c, cmd->stmt, false);
    if (e->disconnect)
        lose_with(c, e);
    c->base.core->error_clear(&local);
    return AG_STEP_FAILED;
}

/* COPY's protocol inside a pipeline cannot be left again. */
static ag_step copy_result(ag_pq *c, ag_error *err)
{
    ag_error why = {.alloc = c->base.alloc};
    (void)ag_driver_fail(c->base.core, &why, AG_EXC_NOT_SUPPORTED,
                         "COPY cannot be executed as a statement; the connection is closed");
    ag_pq_lose(c, &why);
    return ag_pq_fail_lost(c, err);
}

/* A result of the head item's own command. */
static ag_step own_result(ag_pq *c, PGresult *res, ag_reply *reply, ag_error *err)
{
    ag_pq_item *it = &c->items[c->first];
    ag_pq_cmd *cmd = ag_pq_head(c);
    ag_step s = AG_STEP_DONE;
    switch (PQresultStatus(res)) {
    case PGRES_SINGLE_TUPLE: return rows_result(c, it, res, reply, err);
    case PGRES_TUPLES_OK:
        s = rows_result(c, it, res, reply, err);
        if (s == AG_STEP_DONE)
            end_set(c, it, res, reply);
        return s;
    case PGRES_COMMAND_OK:
        if (cmd->kind == AG_PQ_CMD_PREPARE)
            cmd->stmt->state = AG_PQ_STMT_READY;
        else if (cmd->kind == AG_PQ_CMD_EXEC)
            end_set(c, it, res, reply);
        ag_pq_note_tag(c, PQcmdStatus(res));
        return s;
    case PGRES_EMPTY_QUERY: return s;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH: return copy_result(c, err);
    case PGRES_PIPELINE_ABORTED:
        (void)ag_driver_fail(c->base.core, err, AG_EXC_OPERATIONAL,
                             "skipped: an earlier statement of the same batch failed");
        reply->skipped = true;
        return AG_STEP_FAILED;
    default: return error_result(c, res, err);
    }
}

/* A result that nobody waits for (our housekeeping, or the rest of a failed item). */
static void stray_result(ag_pq *c, PGresult *res)
{
    ag_pq_cmd *cmd = ag_pq_head(c);
    switch (PQresultStatus(res)) {
    case PGRES_COMMAND_OK:
        if (cmd->kind == AG_PQ_CMD_PREPARE)
            cmd->stmt->state = AG_PQ_STMT_READY;
        ag_pq_note_tag(c, PQcmdStatus(res));
        break;
    case PGRES_PIPELINE_ABORTED:
        if (cmd->kind == AG_PQ_CMD_PREPARE)
            cmd->stmt->state = AG_PQ_STMT_NEW;
        break;
    case PGRES_FATAL_ERROR: (void)error_result(c, res, NULL); break;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH: (void)copy_result(c, NULL); break;
    default: break;
    }
}

static void end_sync(ag_pq *c)
{
    ag_pq_cmd *cmd = ag_pq_head(c);
    if (cmd->kind == AG_PQ_CMD_SYNC && !c->draining)
        c->items[cmd->item - c->base_serial].done = 1;
    ag_pq_pop_cmd(c);
    PGnotify *note;
    while ((note = PQnotifies(c->pg)) != NULL)
        PQfreemem(note);
}

/* PQgetResult said NULL: the head command is over. */
static ag_step end_command(ag_pq *c, bool own)
{
    ag_pq_cmd *cmd = ag_pq_head(c);
    if (PQstatus(c->pg) == CONNECTION_BAD && !c->answered) {
        ag_pq_lose(c, NULL);
        return AG_STEP_DONE; /* the loop sees it */
    }
    c->answered = false;
    if (own && cmd->kind == AG_PQ_CMD_EXEC) {
        if (cmd->stmt)
            cmd->stmt->last_rows = c->set_rows < UINT32_MAX ? (uint32_t)c->set_rows : UINT32_MAX;
        c->items[c->first].done++;
        c->set_rows = 0;
        c->reading = NULL; /* the next set may run another statement, or in another format */
    }
    ag_pq_pop_cmd(c);
    return AG_STEP_DONE;
}

/* The NULL after a failed or skipped command, at once: libpq forgets it when something is sent into an aborted pipeline
 * before it was read (pqAppendCmdQueueEntry moves its queue on), and every later answer would count for its neighbour. */
static void take_end(ag_pq *c)
{
    if (c->lost || !c->ncmds || PQpipelineStatus(c->pg) == PQ_PIPELINE_OFF || PQisBusy(c->pg) ||
        PQstatus(c->pg) == CONNECTION_BAD)
        return;
    PGresult *none = PQgetResult(c->pg);
    if (none) { /* not in any libpq so far */
        PQclear(none);
        ag_pq_lose(c, NULL);
        return;
    }
    (void)end_command(c, false);
}

static ag_step take_result(ag_pq *c, ag_reply *reply, ag_error *err)
{
    ag_pq_cmd *cmd = ag_pq_head(c);
    bool own = reply && c->first < c->nitems && cmd->item == ag_pq_serial(c, c->first);
    PGresult *res = PQgetResult(c->pg);
    ag_step s = AG_STEP_DONE;
    if (!res)
        return end_command(c, own);
    c->answered = true;
    if (PQresultStatus(res) == PGRES_PIPELINE_SYNC) {
        c->answered = false;
        end_sync(c);
    } else if (own) {
        s = own_result(c, res, reply, err);
    } else {
        stray_result(c, res);
    }
    bool over = PQresultStatus(res) == PGRES_FATAL_ERROR || PQresultStatus(res) == PGRES_PIPELINE_ABORTED;
    PQclear(res);
    if (over)
        take_end(c);
    return s;
}

/* ---- the loop ---- */

/* PQgetResult would not block. */
static bool result_ready(ag_pq *c)
{
    if (!c->ncmds)
        return false;
    if (!c->armed && ag_pq_head(c)->rows)
        (void)PQsetSingleRowMode(c->pg);
    c->armed = true;
    return !PQisBusy(c->pg) || PQstatus(c->pg) == CONNECTION_BAD;
}

static bool head_answered(const ag_pq *c)
{
    const ag_pq_item *it = &c->items[c->first];
    if (it->kind == AG_PQ_ITEM_SYNC || it->kind == AG_PQ_ITEM_FETCH)
        return it->done == 1;
    return it->local_error ? it->done == it->sent : it->done == it->req.nsets;
}

ag_step ag_pq_run(ag_pq *c, ag_reply *reply, ag_wait *w, ag_error *err)
{
    for (;;) {
        if (reply ? head_answered(c) : !c->ncmds && !c->simple)
            return AG_STEP_DONE;
        if (c->lost)
            return ag_pq_fail_lost(c, err);
        if (reply && !ag_pq_send_more(c))
            continue;
        if (c->simple) {
            bool failed = false;
            ag_step s = ag_pq_simple_step(c, reply, w, err, &failed);
            if (s == AG_STEP_WAIT || failed)
                return failed ? AG_STEP_FAILED : s;
            continue;
        }
        if (result_ready(c)) {
            c->may_read = true; /* when this is used up there may be more in the socket */
            if (take_result(c, reply, err) == AG_STEP_FAILED)
                return AG_STEP_FAILED;
            continue;
        }
        flush(c);
        if (c->may_read) {
            c->may_read = false;
            if (!PQconsumeInput(c->pg) && PQstatus(c->pg) != CONNECTION_BAD) /* else it shows in the next result */
                ag_pq_lose(c, NULL);
        } else if (c->ncmds) {
            if (c->unsynced && !c->flush_asked) { /* or the server keeps the answers in its buffer */
                c->flush_asked = true;
                c->flush_pending = PQsendFlushRequest(c->pg) == 1;
                continue;
            }
            c->may_read = true;
            return ag_pq_wait_socket(c, c->write_blocked, w);
        } else if (reply && c->sending > c->first && !head_answered(c)) {
            ag_pq_lose(c, NULL); /* nothing is under way and yet there is no answer: cannot be */
        }
    }
}

/* ---- collecting ---- */

static ag_step collect_request(ag_pq *c, ag_reply *reply, ag_wait *w, ag_error *err)
{
    ag_pq_item *it = &c->items[c->first];
    const ag_services *core = c->base.core;
    if (c->failed_segment == c->recv_segment && !c->lost) {
        reply->skipped = true;
        (void)ag_driver_fail(core, err, AG_EXC_OPERATIONAL, "skipped: an earlier statement of the same batch failed");
        return AG_STEP_FAILED;
    }
    if (it->req.nsets > 1 && !reply->rowcounts) {
        if (it->req.nsets <= SIZE_MAX / sizeof(int64_t))
            reply->rowcounts = ag_driver_zero(reply->rows.alloc, it->req.nsets * sizeof(int64_t));
        if (!reply->rowcounts) {
            (void)core->fail_nomem(err);
            return AG_STEP_FAILED;
        }
    }
    ag_step s = ag_pq_run(c, reply, w, err);
    it = &c->items[c->first];
    reply->sets_done = it->done;
    if (s == AG_STEP_DONE && it->local_error) {
        core->error_move(err, &c->local_error);
        s = AG_STEP_FAILED;
    }
    return s;
}

static void pop_item(ag_pq *c)
{
    if (c->sending == c->first) { /* it failed before it was wholly sent */
        ag_pq_stmt_unref(c, c->send_stmt);
        c->send_stmt = NULL;
        c->sending++;
    }
    if (++c->first < c->nitems)
        return;
    c->base_serial += c->nitems;
    c->first = c->nitems = c->sending = 0;
}

/* End of a segment. */
static ag_step collect_sync(ag_pq *c, ag_reply *reply, ag_wait *w, ag_error *err)
{
    ag_step s = ag_pq_run(c, reply, w, err);
    if (s == AG_STEP_DONE && c->cancelled && !ag_pq_cancel_step(c))
        return ag_pq_wait_cancel(c, w); /* a late cancel must not hit the next statement */
    if (s == AG_STEP_WAIT)
        return s;
    c->cancelled = false;
    if (c->local_error.set)
        c->base.core->error_clear(&c->local_error);
    c->recv_segment++;
    return s;
}

ag_step ag_pq_collect(ag_dconn *base, ag_reply *reply, bool *sync_done, ag_wait *w, ag_error *err)
{
    ag_pq *c = ag_pq_of(base);
    *sync_done = false;
    if (c->first == c->nitems) {
        (void)ag_driver_fail(base->core, err, AG_EXC_INTERFACE, "nothing was sent");
        return AG_STEP_FAILED;
    }
    if (!c->collecting) {
        ag_driver_reply_clear(base->core, reply);
        c->reading = NULL;
        c->set_rows = 0;
        c->soft_error = false;
        c->collecting = true;
    }
    bool sync = c->items[c->first].kind == AG_PQ_ITEM_SYNC;
    ag_step s = sync ? collect_sync(c, reply, w, err) : collect_request(c, reply, w, err);
    if (s == AG_STEP_WAIT)
        return s;
    c->collecting = false;
    *sync_done = sync;
    if (s == AG_STEP_FAILED && !sync) {
        if (!c->soft_error)
            c->failed_segment = c->recv_segment;
        ag_pq_cursor_drop(c, c->items[c->first].cursor);
    }
    pop_item(c);
    return s;
}

/* From the engine's requests to commands in libpq's pipeline. Nothing here waits: what the window has no room for
 * stays in `items` until answers have made some. A request that turns out wrong on our side (a value that cannot be
 * sent) stops its segment like a server error would. */
#include "driver/pq_impl.h"

#include <stdio.h>

/* ---- the two queues ---- */

bool ag_pq_push_cmd(ag_pq *c, ag_pq_cmd cmd)
{
    if (c->ncmds == c->cap_cmds) {
        size_t cap = c->cap_cmds ? c->cap_cmds * 2 : 64;
        ag_pq_cmd *ring = ag_driver_realloc(c->base.alloc, NULL, cap * sizeof *ring);
        if (!ring)
            return false;
        for (size_t i = 0; i < c->ncmds; i++)
            ring[i] = c->cmds[(c->cmd_first + i) % c->cap_cmds];
        ag_driver_free(c->base.alloc, c->cmds);
        c->cmds = ring;
        c->cap_cmds = cap;
        c->cmd_first = 0;
    }
    if (cmd.stmt)
        cmd.stmt->refs++;
    c->cmds[(c->cmd_first + c->ncmds++) % c->cap_cmds] = cmd;
    if (c->ncmds == 1)
        c->armed = false;
    c->bytes_in_flight += cmd.bytes;
    c->flush_pending = true;
    c->flush_asked = false;
    c->may_read = false; /* the answer cannot be here yet */
    bool sync = cmd.kind == AG_PQ_CMD_SYNC || cmd.kind == AG_PQ_CMD_QUIET_SYNC;
    c->unsynced = sync ? 0 : c->unsynced + 1;
    return true;
}

void ag_pq_pop_cmd(ag_pq *c)
{
    ag_pq_cmd *cmd = ag_pq_head(c);
    ag_pq_stmt_unref(c, cmd->stmt);
    c->bytes_in_flight -= cmd->bytes;
    c->cmd_first = (c->cmd_first + 1) % c->cap_cmds;
    c->ncmds--;
    c->armed = false;
}

ag_status ag_pq_push_item(ag_pq *c, ag_pq_item item, ag_error *err)
{
    if (!ag_driver_grow(c->base.alloc, (void **)&c->items, &c->cap_items, c->nitems, sizeof *c->items))
        return c->base.core->fail_nomem(err);
    c->items[c->nitems++] = item;
    return AG_OK;
}

ag_status ag_pq_send(ag_dconn *base, const ag_request *req, ag_error *err)
{
    ag_pq *c = ag_pq_of(base);
    const ag_services *core = base->core;
    if (req->nparams > 65535)
        return ag_driver_fail(core, err, AG_EXC_INTERFACE, "a statement has at most 65535 parameters, this one has %u",
                              (unsigned)req->nparams);
    if (!req->nsets)
        return ag_driver_fail(core, err, AG_EXC_INTERFACE, "a request without parameter sets");
    if ((req->flags & AG_REQ_SCRIPT) && (req->nparams || req->nsets != 1))
        return ag_driver_fail(core, err, AG_EXC_INTERFACE, "a script takes no parameters");
    if ((req->flags & AG_REQ_STREAM) && req->nsets != 1)
        return ag_driver_fail(core, err, AG_EXC_INTERFACE, "a streamed statement takes one parameter set");
    if (req->text_len > AG_DRIVER_MAX_BYTES || (req->text_len && memchr(req->text, 0, req->text_len)))
        return ag_driver_fail(core, err, AG_EXC_PROGRAMMING,
                              "the statement holds a NUL byte or is longer than 256 MiB");
    return ag_pq_push_item(c, (ag_pq_item){.kind = AG_PQ_ITEM_REQUEST, .req = *req}, err);
}

ag_status ag_pq_sync(ag_dconn *base, ag_error *err)
{
    return ag_pq_push_item(ag_pq_of(base), (ag_pq_item){.kind = AG_PQ_ITEM_SYNC}, err);
}

/* ---- housekeeping ---- */

bool ag_pq_quiet(ag_pq *c, const char *text)
{
    return PQsendQueryParams(c->pg, text, 0, NULL, NULL, NULL, NULL, 0) == 1 &&
           ag_pq_push_cmd(c, (ag_pq_cmd){.kind = AG_PQ_CMD_QUIET, .item = UINT64_MAX, .bytes = 64});
}

bool ag_pq_quiet_sync(ag_pq *c)
{
    return PQpipelineSync(c->pg) == 1 &&
           ag_pq_push_cmd(c, (ag_pq_cmd){.kind = AG_PQ_CMD_QUIET_SYNC, .item = UINT64_MAX});
}

/* Settings that our text decoders count on, where the server's report differs; extra_float_digits is not reported. */
static bool send_setup(ag_pq *c)
{
    static const struct {
        const char *name, *is, *set;
    } wanted[] = {
        {"DateStyle", "ISO", "SET datestyle = ISO"},
        {"IntervalStyle", "postgres", "SET intervalstyle = postgres"},
        {"standard_conforming_strings", "on", "SET standard_conforming_strings = on"},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const char *is = PQparameterStatus(c->pg, wanted[i].name);
        if ((!is || strncmp(is, wanted[i].is, strlen(wanted[i].is)) != 0) && !ag_pq_quiet(c, wanted[i].set))
            return false;
    }
    c->setup_pending = false;
    return ag_pq_quiet(c, "SET extra_float_digits = 1");
}

/* In a segment of its own before the next one, in the same packet. */
static bool send_housekeeping(ag_pq *c)
{
    char text[40];
    if (c->ncmds)
        return true; /* the state of the transaction is not known now: next time */
    PGTransactionStatusType tx = PQtransactionStatus(c->pg);
    if (tx == PQTRANS_INTRANS)
        return ag_pq_send_closes(c) && (!c->unsynced || ag_pq_quiet_sync(c));
    if (tx != PQTRANS_IDLE)
        return true;
    ag_pq_cursors_forget(c, false);
    if (c->setup_pending && !send_setup(c))
        return false;
    while (c->ndealloc) {
        (void)snprintf(text, sizeof text, "DEALLOCATE ag_%u", (unsigned)c->dealloc[--c->ndealloc]);
        if (!ag_pq_quiet(c, text))
            return false;
    }
    return !c->unsynced || ag_pq_quiet_sync(c);
}

/* ---- sending ---- */

/* Results that were this short the last time are fetched as one PGresult: row by row costs a PGresult each. */
enum { WHOLE_ROWS = 64 };

static bool window_full(ag_pq *c)
{
    size_t cmds = AG_PQ_WINDOW_CMDS, bytes = AG_PQ_WINDOW_BYTES;
    if (c->window_was_full) {
        cmds /= 2;
        bytes /= 2;
    }
    c->window_was_full = c->ncmds >= cmds || (c->ncmds && c->bytes_in_flight >= bytes);
    return c->window_was_full;
}

bool ag_pq_is_barrier(const ag_pq_item *it)
{
    return it->kind == AG_PQ_ITEM_REQUEST && (it->req.flags & (AG_REQ_SCRIPT | AG_REQ_COPY_IN)) != 0;
}

static void item_is_sent(ag_pq *c)
{
    ag_pq_stmt_unref(c, c->send_stmt);
    c->send_stmt = NULL;
    c->sending++;
}

/* This item's next set could not be made: it fails once what was sent of it is answered. */
static void stop_here(ag_pq *c, ag_pq_item *it)
{
    it->local_error = true;
    c->send_stopped = true;
    item_is_sent(c);
}

static bool send_sync(ag_pq *c, ag_pq_item *it)
{
    if (!c->unsynced && !c->ncmds)
        it->done = 1; /* the server has nothing to end */
    else if (PQpipelineSync(c->pg) != 1 ||
             !ag_pq_push_cmd(c, (ag_pq_cmd){.kind = AG_PQ_CMD_SYNC, .item = ag_pq_serial(c, c->sending)}))
        return false;
    c->send_segment++;
    c->send_stopped = false;
    c->sending++;
    return true;
}

/* Is c->send_stmt right for the encoded set? (Values decide OIDs, so it may change from set to set.) */
static bool stmt_fits(const ag_pq *c, const ag_request *req)
{
    const ag_pq_stmt *st = c->send_stmt;
    size_t n = req->nparams * sizeof(uint32_t);
    return st && st->entry.extra_len == n &&
           (!n || memcmp(st->entry.key + st->entry.text_len + 1, c->params.oids, n) == 0);
}

static const char *text_of(ag_pq *c, const ag_request *req)
{
    c->text.len = 0;
    ag_driver_add(c->base.core, &c->text, req->text, req->text_len);
    ag_driver_add_char(c->base.core, &c->text, '\0');
    return c->text.failed ? NULL : c->text.data;
}

static bool send_direct(ag_pq *c, const ag_request *req, ag_pq_cmd *cmd)
{
    ag_pq_params *p = &c->params;
    const char *text = text_of(c, req);
    cmd->bytes += (uint32_t)req->text_len;
    return text && PQsendQueryParams(c->pg, text, (int)req->nparams, p->oids, p->values, p->lengths, p->formats,
                                     ag_pq_first_format(req)) == 1;
}

static bool send_prepare(ag_pq *c, const ag_request *req, ag_pq_stmt *st, uint64_t serial)
{
    ag_pq_cmd cmd = {.kind = AG_PQ_CMD_PREPARE, .item = serial, .stmt = st, .bytes = (uint32_t)req->text_len + 32};
    if (PQsendPrepare(c->pg, st->name, st->entry.key, (int)req->nparams, c->params.oids) != 1 ||
        !ag_pq_push_cmd(c, cmd))
        return false;
    st->state = AG_PQ_STMT_SENT;
    return true;
}

static bool send_prepared(ag_pq *c, const ag_request *req, uint64_t serial, ag_pq_cmd *cmd)
{
    ag_pq_params *p = &c->params;
    if (!stmt_fits(c, req)) {
        ag_pq_stmt_unref(c, c->send_stmt);
        c->send_stmt = ag_pq_stmt_get(c, req, (req->flags & AG_REQ_PREPARE) && c->cache.limit > 0);
    }
    ag_pq_stmt *st = c->send_stmt;
    if (!st || (st->state == AG_PQ_STMT_NEW && !send_prepare(c, req, st, serial)))
        return false;
    cmd->stmt = st;
    cmd->rows = cmd->rows && st->last_rows > WHOLE_ROWS;
    int format = st->format == AG_PQ_FORMAT_UNKNOWN ? ag_pq_first_format(req) : st->format;
    if (req->flags & AG_REQ_TEXT_ROWS)
        format = AG_PQ_FORMAT_TEXT;
    return PQsendQueryPrepared(c->pg, st->name, (int)req->nparams, p->values, p->lengths, p->formats, format) == 1;
}

static bool send_set(ag_pq *c, ag_pq_item *it, uint64_t serial)
{
    const ag_request *req = &it->req;
    ag_error *err = &c->local_error;
    const ag_value *vals = req->values ? req->values + it->sent * req->nparams : NULL;
    ag_status st = ag_pq_params_reserve(c, req->nparams, err);
    if (st == AG_OK && req->fill) {
        vals = c->params.filled;
        st = req->fill(req->fill_ud, it->sent, c->params.filled, err);
    }
    if (st == AG_OK)
        st = ag_pq_encode(c, req, serial, vals, err);
    if (st != AG_OK) {
        stop_here(c, it);
        return true;
    }
    ag_pq_cmd cmd = {.kind = AG_PQ_CMD_EXEC, .item = serial, .rows = (req->flags & AG_REQ_ROWS) != 0};
    cmd.bytes = (uint32_t)c->params.bytes.len + 64;
    if (req->flags & AG_REQ_STREAM) {
        if (!ag_pq_send_stream(c, it, serial))
            return false;
    } else {
        bool keep = (req->flags & AG_REQ_PREPARE) && c->cache.limit > 0;
        if (!(keep || req->nsets > 1 ? send_prepared(c, req, serial, &cmd) : send_direct(c, req, &cmd)) ||
            !ag_pq_push_cmd(c, cmd))
            return false;
    }
    if (++it->sent == req->nsets)
        item_is_sent(c);
    return true;
}

static bool send_item(ag_pq *c, ag_pq_item *it)
{
    uint64_t serial = ag_pq_serial(c, c->sending);
    if (c->cancelled) {
        (void)ag_driver_fail(c->base.core, &c->local_error, AG_EXC_OPERATIONAL, "the statement was cancelled");
        c->base.core->sqlstate_set(&c->local_error, "57014");
        stop_here(c, it);
        return true;
    }
    if (it->kind == AG_PQ_ITEM_FETCH) {
        bool ok = ag_pq_send_fetch(c, it, serial);
        it->sent = 1;
        item_is_sent(c);
        return ok;
    }
    return send_set(c, it, serial);
}

/* A script or COPY: the pipeline must be empty, and is left for it. */
static bool send_barrier(ag_pq *c, ag_pq_item *it)
{
    if (c->unsynced)
        return ag_pq_quiet_sync(c);
    return c->ncmds != 0 || ag_pq_simple_start(c, it);
}

static bool send_next(ag_pq *c, bool *stop)
{
    ag_pq_item *it = &c->items[c->sending];
    if (it->kind == AG_PQ_ITEM_SYNC)
        return send_sync(c, it);
    if (c->send_stopped || c->failed_segment == c->send_segment) {
        item_is_sent(c);
        return true;
    }
    if (!c->unsynced && !send_housekeeping(c))
        return false;
    if (!ag_pq_is_barrier(it))
        return send_item(c, it);
    *stop = true;
    return send_barrier(c, it);
}

bool ag_pq_send_more(ag_pq *c)
{
    bool stop = false;
    while (!stop && !c->simple && c->sending < c->nitems && !window_full(c)) {
        if (!send_next(c, &stop)) {
            ag_pq_lose(c, NULL);
            return false;
        }
    }
    return true;
}

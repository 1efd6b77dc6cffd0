/* Streaming: a server-side cursor read in windows. DECLARE and the first FETCH travel together; the CLOSE of a
 * cursor that was read to its end goes with the next segment of its transaction, unless that ends first. */
#include "driver/pq_impl.h"

#include <stdio.h>

static size_t index_of(const ag_pq *c, uint32_t id)
{
    size_t i = 0;
    while (i < c->ncursors && c->cursors[i].id != id)
        i++;
    return i;
}

ag_pq_cursor *ag_pq_cursor_find(ag_pq *c, uint32_t id)
{
    size_t i = id ? index_of(c, id) : c->ncursors;
    return i < c->ncursors ? &c->cursors[i] : NULL;
}

static void remove_at(ag_pq *c, size_t i)
{
    ag_driver_free(c->base.alloc, (void *)c->cursors[i].types);
    c->cursors[i] = c->cursors[--c->ncursors];
}

void ag_pq_cursor_drop(ag_pq *c, uint32_t id)
{
    size_t i = id ? index_of(c, id) : c->ncursors;
    if (i < c->ncursors)
        remove_at(c, i);
}

void ag_pq_cursors_forget(ag_pq *c, bool only_ended)
{
    for (size_t i = c->ncursors; i-- > 0;) {
        if (c->cursors[i].ended || !only_ended)
            remove_at(c, i);
    }
}

void ag_pq_cursor_close(ag_dconn *base, uint32_t cursor)
{
    ag_pq_cursor *cur = ag_pq_cursor_find(ag_pq_of(base), cursor);
    if (cur)
        cur->ended = true;
}

bool ag_pq_send_closes(ag_pq *c)
{
    char text[40];
    for (size_t i = c->ncursors; i-- > 0;) {
        if (!c->cursors[i].ended)
            continue;
        (void)snprintf(text, sizeof text, "CLOSE argent_c%u", (unsigned)c->cursors[i].id);
        remove_at(c, i);
        if (!ag_pq_quiet(c, text))
            return false;
    }
    return true;
}

static ag_pq_cursor *cursor_new(ag_pq *c, const ag_request *req)
{
    const ag_alloc *a = c->base.alloc;
    uint32_t n = req->result_types ? req->nresult_types : 0;
    const ag_type **types = NULL;
    if (!ag_driver_grow(a, (void **)&c->cursors, &c->cap_cursors, c->ncursors, sizeof *c->cursors))
        return NULL;
    if (n && !(types = ag_driver_zero(a, n * sizeof *types)))
        return NULL;
    if (n)
        memcpy((void *)types, req->result_types, n * sizeof *types);
    if (++c->next_cursor == 0)
        c->next_cursor = 1;
    ag_pq_cursor *cur = &c->cursors[c->ncursors++];
    *cur = (ag_pq_cursor){.id = c->next_cursor, .types = types, .ntypes = n, .format = AG_PQ_FORMAT_UNKNOWN};
    cur->window = req->window ? req->window : 1;
    return cur;
}

static bool send_fetch(ag_pq *c, const ag_pq_cursor *cur, int format, uint64_t serial)
{
    char text[64];
    (void)snprintf(text, sizeof text, "FETCH FORWARD %u FROM argent_c%u", (unsigned)cur->window, (unsigned)cur->id);
    return PQsendQueryParams(c->pg, text, 0, NULL, NULL, NULL, NULL, format) == 1 &&
           ag_pq_push_cmd(c, (ag_pq_cmd){.kind = AG_PQ_CMD_EXEC, .rows = true, .item = serial, .bytes = 64});
}

/* The set is encoded in c->params. */
bool ag_pq_send_stream(ag_pq *c, ag_pq_item *it, uint64_t serial)
{
    const ag_services *core = c->base.core;
    const ag_request *req = &it->req;
    ag_pq_params *p = &c->params;
    char head[64];
    ag_pq_cursor *cur = cursor_new(c, req);
    if (!cur)
        return false;
    it->cursor = cur->id;
    int n = snprintf(head, sizeof head, "DECLARE argent_c%u NO SCROLL CURSOR FOR ", (unsigned)cur->id);
    c->text.len = 0;
    ag_driver_add(core, &c->text, head, (size_t)n);
    ag_driver_add(core, &c->text, req->text, req->text_len);
    ag_driver_add_char(core, &c->text, '\0');
    ag_pq_cmd cmd = {.kind = AG_PQ_CMD_DECLARE, .item = serial, .bytes = (uint32_t)(c->text.len + p->bytes.len)};
    return !c->text.failed &&
           PQsendQueryParams(c->pg, c->text.data, (int)req->nparams, p->oids, p->values, p->lengths, p->formats, 0) ==
               1 &&
           ag_pq_push_cmd(c, cmd) && send_fetch(c, cur, ag_pq_first_format(req), serial);
}

bool ag_pq_send_fetch(ag_pq *c, ag_pq_item *it, uint64_t serial)
{
    ag_pq_cursor *cur = ag_pq_cursor_find(c, it->cursor);
    return cur && send_fetch(c, cur, cur->format == AG_PQ_FORMAT_BINARY, serial);
}

/* Item and sync are pushed at the first step; the reply goes on from the window before. */
static ag_status begin_fetch(ag_pq *c, const ag_reply *reply, ag_error *err)
{
    const ag_services *core = c->base.core;
    ag_pq_cursor *cur = ag_pq_cursor_find(c, reply->cursor);
    if (c->first != c->nitems || c->ncmds)
        return ag_driver_fail(core, err, AG_EXC_INTERFACE, "the connection is not quiet");
    if (!cur || cur->ended)
        return ag_driver_fail(core, err, AG_EXC_RESOURCE_CLOSED, "the cursor is closed");
    ag_pq_item it = {.kind = AG_PQ_ITEM_FETCH, .cursor = cur->id};
    it.req = (ag_request){
        .flags = AG_REQ_ROWS | AG_REQ_STREAM, .nsets = 1, .result_types = cur->types, .nresult_types = cur->ntypes};
    AG_TRY(ag_pq_push_item(c, it, err));
    ag_status st = ag_pq_push_item(c, (ag_pq_item){.kind = AG_PQ_ITEM_SYNC}, err);
    if (st != AG_OK) {
        c->nitems--;
        return st;
    }
    c->reading = NULL;
    c->set_rows = 0;
    c->soft_error = c->fetch_failed = false;
    c->collecting = true; /* collect is not to clear the reply */
    c->fetching = true;
    return AG_OK;
}

ag_step ag_pq_fetch(ag_dconn *base, ag_reply *reply, ag_wait *w, ag_error *err)
{
    ag_pq *c = ag_pq_of(base);
    const ag_services *core = base->core;
    ag_reply end = {.rowcount = -1};
    ag_error why = {.alloc = base->alloc};
    bool sync_done;
    if (!c->fetching && begin_fetch(c, reply, err) != AG_OK)
        return AG_STEP_FAILED;
    if (c->items[c->first].kind == AG_PQ_ITEM_FETCH) {
        ag_step s = ag_pq_collect(base, reply, &sync_done, w, &why);
        if (s == AG_STEP_WAIT)
            return s;
        c->fetch_failed = s == AG_STEP_FAILED;
        if (c->fetch_failed) { /* kept over the waits for the sync */
            core->error_move(&c->fetch_error, &why);
            reply->more = false;
            reply->cursor = 0;
        }
    }
    ag_step s = ag_pq_collect(base, &end, &sync_done, w, &why); /* fails only when the connection is lost */
    if (s != AG_STEP_WAIT) {
        c->fetching = false;
        if (c->fetch_failed || s == AG_STEP_FAILED)
            core->error_move(err, c->fetch_failed ? &c->fetch_error : &why);
        s = c->fetch_failed ? AG_STEP_FAILED : s;
    }
    core->error_clear(&why);
    return s;
}

/* The pool's books: records, places, slots, and giving back without waiting. Checkout, which waits, is
 * pool_checkout.c.
 *
 * Invariants: every record with a slot is counted in `open`, whatever its place; a waiter is in the queue exactly
 * while `queued`, and what is handed to it (a record or a slot) is its own at once. */
#include "engine/pool_internal.h"
#include "engine/log.h"
#include "engine/url_connect.h"
#include <string.h>

ag_pool_options ag_pool_options_default(void)
{
    return (ag_pool_options){.kind = AG_POOL_QUEUE,
                             .size = 5,
                             .max_overflow = 10,
                             .timeout_us = 30 * INT64_C(1000000),
                             .recycle_us = -1,
                             .reset = AG_RESET_ROLLBACK};
}

/* ---- records ---- */

ag_pconn *ag_pconn_new(ag_pool *p)
{
    ag_pconn *c = ag_mem_zero(p->alloc, 1, sizeof *c);
    if (!c)
        return NULL;
    c->refs = 1;
    c->pool = p;
    c->id = ++p->next_id;
    c->generation = p->generation;
    c->has_slot = true;
    return c;
}

void ag_pconn_ref(ag_pconn *c)
{
    c->refs++;
}

void ag_pconn_unref(ag_pconn *c)
{
    if (--c->refs)
        return;
    ag_mem_free(c->pool->alloc, c->where);
    ag_mem_free(c->pool->alloc, c);
}

void ag_pconn_close(ag_pconn *c)
{
    ag_pool *p = c->pool;
    if (!c->dc)
        return;
    if (ag_pool_logs(p, AG_ECHO_ON))
        ag_log_printf(p->host, p->logger, AG_LOG_INFO, "Closing connection #%llu", (unsigned long long)c->id);
    if (!ag_forked(&p->guard)) /* in a child the socket is the parent's */
        p->driver->close(c->dc);
    c->dc = NULL;
    c->draining = c->draining_commit = c->soft = c->read_uncommitted = false;
    ag_pool_note_event(p, c->detached ? AG_EV_CLOSE_DETACHED : AG_EV_CLOSE, c, false);
    if (c->info && p->info_free)
        p->info_free(p->info_ud, c->info);
    c->info = 0;
}

static void unlink_record(ag_pconn *c)
{
    ag_pool *p = c->pool;
    if (c->place == AG_PLACE_NONE)
        return;
    bool idle = c->place == AG_PLACE_IDLE;
    ag_pconn **first = idle ? &p->idle_first : &p->lent_first, **last = idle ? &p->idle_last : &p->lent_last;
    *(c->prev ? &c->prev->next : first) = c->next;
    *(c->next ? &c->next->prev : last) = c->prev;
    c->prev = c->next = NULL;
    c->place = AG_PLACE_NONE;
    *(idle ? &p->nidle : &p->nlent) -= 1;
}

/* Idle connections are lent from the front: the last returned stands there, or (FIFO) the one longest idle. */
void ag_pool_place(ag_pconn *c, ag_place place)
{
    ag_pool *p = c->pool;
    unlink_record(c);
    c->place = place;
    if (place == AG_PLACE_NONE)
        return;
    bool idle = place == AG_PLACE_IDLE, front = idle && !p->o.fifo;
    ag_pconn **first = idle ? &p->idle_first : &p->lent_first, **last = idle ? &p->idle_last : &p->lent_last;
    c->prev = front ? NULL : *last;
    c->next = front ? *first : NULL;
    *(c->prev ? &c->prev->next : first) = c;
    *(c->next ? &c->next->prev : last) = c;
    *(idle ? &p->nidle : &p->nlent) += 1;
}

static void free_slot(ag_pconn *c)
{
    if (!c->has_slot)
        return;
    c->has_slot = false;
    c->pool->open--;
    ag_pool_hand_slots(c->pool);
}

void ag_pconn_drop(ag_pconn *c)
{
    ag_pconn_close(c);
    ag_pool_place(c, AG_PLACE_NONE);
    free_slot(c);
    ag_pconn_unref(c);
}

/* ---- waiters ---- */

bool ag_pool_may_open(const ag_pool *p)
{
    switch (p->o.kind) {
    case AG_POOL_NULL: return true;
    case AG_POOL_STATIC:
    case AG_POOL_ASSERTION: return p->open == 0;
    case AG_POOL_QUEUE: break;
    }
    if (p->o.size == 0 || p->o.max_overflow < 0)
        return true;
    return (int64_t)p->open < (int64_t)p->o.size + p->o.max_overflow;
}

void ag_pool_unqueue(ag_pool *p, ag_checkout_op *op)
{
    if (!op->queued)
        return;
    *(op->prev ? &op->prev->next : &p->wait_first) = op->next;
    *(op->next ? &op->next->prev : &p->wait_last) = op->prev;
    op->prev = op->next = NULL;
    op->queued = false;
    p->nwaiting--;
}

void ag_pool_wake(ag_pool *p, const void *token)
{
    ag_error err = {0};
    if (p->host && p->host->call && p->host->call(p->host, AG_HOOK_WAKE, 0, (void *)(size_t)token, &err) != AG_OK)
        ag_error_clear(&err);
}

bool ag_pool_hand_over(ag_pool *p, ag_pconn *c)
{
    ag_checkout_op *op = p->wait_first;
    if (!op)
        return false;
    ag_pool_unqueue(p, op);
    ag_pool_place(c, AG_PLACE_NONE);
    op->trying = c;
    ag_pool_wake(p, op);
    return true;
}

void ag_pool_hand_slots(ag_pool *p)
{
    while (p->wait_first && ag_pool_may_open(p)) {
        ag_checkout_op *op = p->wait_first;
        ag_pool_unqueue(p, op);
        op->granted = true;
        p->open++;
        ag_pool_wake(p, op);
    }
}

/* ---- giving back ---- */

/* COMMIT cannot be left to release: send it, and take what comes without waiting. */
static bool send_commit(ag_pconn *c)
{
    const ag_driver *d = c->pool->driver;
    ag_request req = {.text = "COMMIT", .text_len = 6, .nsets = 1};
    ag_error err = {0};
    bool ok = d->send(c->dc, &req, &err) == AG_OK && d->sync(c->dc, &err) == AG_OK;
    ag_error_clear(&err);
    if (!ok)
        return false;
    ag_reply reply;
    ag_wait w;
    ag_reply_init(&reply, c->pool->alloc);
    ag_step s = ag_pconn_quiesce(c, &reply, &err, &w);
    ag_reply_clear(&reply);
    c->draining_commit = s == AG_STEP_WAIT;
    if (err.set)
        ok = !err.disconnect;
    ag_error_clear(&err);
    return ok && s != AG_STEP_FAILED;
}

/* Make the connection clean for the next holder; false when it has to be closed. */
static bool reset(ag_pconn *c, unsigned flags)
{
    ag_pool *p = c->pool;
    if (!c->dc || (flags & AG_PR_BROKEN) || p->disposed || c->detached || c->generation < p->generation)
        return false;
    bool commit = p->o.reset == AG_RESET_COMMIT && !(flags & (AG_PR_ROLLBACK | AG_PR_BUSY)) &&
                  p->driver->tx_state(c->dc) == AG_TX_ACTIVE;
    if (!(flags & AG_PR_NO_RESET_EVENT))
        ag_pool_note_event(p, AG_EV_RESET, c, p->driver->tx_state(c->dc) == AG_TX_IDLE);
    if (commit && !send_commit(c))
        return false;
    bool rollback = p->o.reset == AG_RESET_ROLLBACK || (flags & (AG_PR_ROLLBACK | AG_PR_DISCARD | AG_PR_BUSY));
    if (rollback && !commit && !c->draining && !c->draining_commit &&
        (p->driver->tx_state(c->dc) != AG_TX_IDLE || (flags & (AG_PR_DISCARD | AG_PR_BUSY)))) {
        p->driver->release(c->dc, (flags & AG_PR_DISCARD) != 0);
        c->draining = true;
    }
    return true;
}

static bool keeps(const ag_pool *p)
{
    return p->o.kind != AG_POOL_NULL && (p->o.kind != AG_POOL_QUEUE || p->o.size == 0 || p->nidle < p->o.size);
}

static void give_back(ag_pconn *c, unsigned flags)
{
    ag_pool *p = c->pool;
    bool clean = reset(c, flags);
    if (!c->detached)
        ag_pool_note_event(p, AG_EV_CHECKIN, c->dc ? c : NULL, false);
    if (clean && (p->wait_first || keeps(p))) {
        if (!ag_pool_hand_over(p, c))
            ag_pool_place(c, AG_PLACE_IDLE);
        return;
    }
    ag_pconn_close(c);
    if (p->o.kind == AG_POOL_STATIC && !p->disposed && !c->detached) {
        ag_pool_place(c, AG_PLACE_IDLE); /* the record stays: its next holder reconnects */
        return;
    }
    ag_pconn_drop(c);
}

void ag_pconn_release(ag_pconn *c, unsigned flags)
{
    ag_pool *p = c->pool;
    if (p->o.kind == AG_POOL_STATIC && --c->holders > 0) {
        if (flags & AG_PR_BROKEN)
            ag_pconn_close(c);
        else if ((flags & (AG_PR_ROLLBACK | AG_PR_BUSY)) && c->dc)
            p->driver->release(c->dc, false), c->draining = true;
        ag_pool_unref(p);
        return;
    }
    c->holders = 0;
    if (ag_pool_logs(p, AG_ECHO_DEBUG))
        ag_log_printf(p->host, p->logger, AG_LOG_DEBUG, "Connection #%llu being returned to pool",
                      (unsigned long long)c->id);
    if (ag_forked(&p->guard))
        ag_pconn_drop(c);
    else
        give_back(c, flags);
    ag_pool_unref(p);
}

void ag_pconn_invalidate(ag_pconn *c, bool soft, bool all, const ag_error *err)
{
    ag_pool *p = c->pool;
    if (ag_pool_logs(p, AG_ECHO_ON))
        ag_log_printf(p->host, p->logger, AG_LOG_INFO, "%snvalidate connection #%llu%s%s", soft ? "Soft i" : "I",
                      (unsigned long long)c->id, err ? ": " : "", err ? ag_error_message(err) : "");
    p->counters.invalidated++;
    ag_pool_note_event(p, soft ? AG_EV_SOFT_INVALIDATE : AG_EV_INVALIDATE, c, false);
    if (all)
        p->generation = c->generation < p->generation ? p->generation : p->generation + 1;
    if (soft)
        c->soft = true;
    else
        ag_pconn_close(c);
}

void ag_pconn_detach(ag_pconn *c)
{
    if (c->detached)
        return;
    ag_pool_note_event(c->pool, AG_EV_DETACH, c, false);
    c->detached = true;
    free_slot(c);
}

/* ---- queued events ---- */

#define NOTES_MAX 4096u /* a host that never steps an op must not fill memory */

void ag_pool_note_event(ag_pool *p, ag_event_id id, ag_pconn *c, bool flag)
{
    if (!(p->events & AG_EV_BIT(id)) || p->notes.len - p->notes_read >= NOTES_MAX)
        return;
    if (p->notes_read && p->notes_read == p->notes.len)
        p->notes.len = p->notes_read = 0;
    if (ag_vec_push(&p->notes, ((ag_pool_note){id, c, flag})) && c)
        ag_pconn_ref(c);
}

bool ag_pool_next_event(ag_pool *p, ag_event *out)
{
    if (p->notes_read >= p->notes.len)
        return false;
    ag_pool_note *n = &p->notes.items[p->notes_read++];
    memset(out, 0, sizeof *out);
    out->id = n->id;
    out->queued = true;
    out->pool = p;
    out->pconn = n->conn;
    if (n->id == AG_EV_RESET)
        out->u.reset.transaction_was_reset = n->flag;
    return true;
}

void ag_pool_event_done(ag_pool *p, ag_event *ev)
{
    if (ev->queued && ev->pconn)
        ag_pconn_unref(ev->pconn);
    ev->pconn = NULL;
    ev->queued = false;
    (void)p;
}

ag_status ag_pool_check_fork(const ag_pool *p, ag_error *err)
{
    if (!ag_forked(&p->guard))
        return AG_OK;
    return ag_fail(err, AG_EXC_INVALID_REQUEST,
                   "this engine belongs to another process: after fork() call engine:dispose{close = false} in the "
                   "child before using it (connections cannot be shared between processes)");
}

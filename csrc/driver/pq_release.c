/* Giving a connection back without waiting: whatever is under way is cancelled, ROLLBACK (and DISCARD ALL) are put
 * behind it, and drain_step reads the answers when somebody wants the connection next. */
#include "driver/pq_impl.h"

/* Our commands behind everything that is in the pipeline. False: the connection is lost. */
static bool push_reset(ag_pq *c)
{
    bool idle = !c->ncmds && PQtransactionStatus(c->pg) == PQTRANS_IDLE;
    if (c->unsynced && !ag_pq_quiet_sync(c))
        return false;
    if (!idle && !(ag_pq_quiet(c, "ROLLBACK") && ag_pq_quiet_sync(c)))
        return false;
    if (!c->drain_discard)
        return true;
    ag_pq_stmts_clear(c, false);
    c->setup_pending = true;
    return ag_pq_quiet(c, "DISCARD ALL") && ag_pq_quiet_sync(c);
}

void ag_pq_release(ag_dconn *base, bool discard)
{
    ag_pq *c = ag_pq_of(base);
    if (c->ncmds || c->simple)
        ag_pq_cancel(base);
    ag_pq_stmt_unref(c, c->send_stmt);
    c->send_stmt = NULL;
    c->base_serial += c->nitems;
    c->first = c->nitems = c->sending = 0;
    c->collecting = c->fetching = c->send_stopped = false;
    c->failed_segment = UINT64_MAX;
    c->recv_segment = c->send_segment;
    c->deadline = AG_NO_DEADLINE;
    ag_pq_cursors_forget(c, false);
    c->draining = true;
    c->drain_discard = discard;
    c->drain_reset = false;
    if (c->lost || c->phase != AG_PQ_OPEN || c->simple)
        return;
    c->drain_reset = true;
    if (!push_reset(c)) {
        ag_pq_lose(c, NULL);
        return;
    }
    if (c->flush_pending) {
        c->flush_pending = false;
        c->write_blocked = PQflush(c->pg) == 1;
    }
}

static ag_step not_clean(ag_pq *c, ag_error *err)
{
    c->draining = false;
    (void)ag_driver_fail(c->base.core, err, AG_EXC_OPERATIONAL, "the connection could not be reset");
    if (err)
        err->disconnect = true;
    return AG_STEP_FAILED;
}

ag_step ag_pq_drain_step(ag_dconn *base, ag_wait *w, ag_error *err)
{
    ag_pq *c = ag_pq_of(base);
    if (c->phase != AG_PQ_OPEN)
        return not_clean(c, err);
    ag_step s = ag_pq_run(c, NULL, w, err);
    if (s == AG_STEP_DONE && c->draining && !c->drain_reset) { /* a script or COPY has ended: now the rest */
        c->drain_reset = true;
        if (!push_reset(c))
            ag_pq_lose(c, NULL);
        s = ag_pq_run(c, NULL, w, err);
    }
    if (s == AG_STEP_WAIT)
        return s;
    if (s == AG_STEP_FAILED) {
        c->draining = false;
        return s;
    }
    if (c->cancelled && !ag_pq_cancel_step(c))
        return ag_pq_wait_cancel(c, w);
    c->cancelled = false;
    c->draining = false;
    return PQtransactionStatus(c->pg) == PQTRANS_IDLE ? AG_STEP_DONE : not_clean(c, err);
}

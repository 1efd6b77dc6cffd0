/* Checkout: get a record (idle, new, or by waiting), make it ready (collect its drain, look at it, ping, connect),
 * tell the listeners. The step is one coroutine that calls two others: ready (of an open connection) and connect. */
#include "engine/pool_internal.h"
#include "engine/engine_internal.h"
#include "engine/log.h"
#include "engine/url_connect.h"
#include <string.h>

#define MAX_TRIES       3u
#define PING_TIMEOUT_US (10 * INT64_C(1000000))

static uint64_t mask(const ag_checkout_op *op)
{
    return op->pool->events | (op->engine ? ag_engine_events(op->engine) : 0);
}

static bool prepare_event(ag_checkout_op *op, ag_event_id id)
{
    if (!(mask(op) & AG_EV_BIT(id)))
        return false;
    memset(&op->event, 0, sizeof op->event);
    op->event.id = id;
    op->event.engine = op->engine;
    op->event.pool = op->pool;
    op->event.pconn = op->trying;
    op->op.call = (ag_call){.kind = AG_CALL_EVENT, .args = &op->event};
    return true;
}

/* ---- connecting ---- */

static bool prepare_do_connect(ag_checkout_op *op)
{
    bool emit = prepare_event(op, AG_EV_DO_CONNECT);
    if (!emit && !op->pool->creator)
        return false;
    op->event.id = AG_EV_DO_CONNECT;
    op->event.engine = op->engine;
    op->event.pool = op->pool;
    op->event.pconn = op->trying;
    op->event.u.do_connect.url = op->url;
    op->event.u.do_connect.replace = NULL;
    op->op.call = (ag_call){
        .kind = op->pool->creator ? AG_CALL_CREATOR : AG_CALL_EVENT, .fn = op->pool->creator, .args = &op->event};
    return true;
}

static void take_url(ag_checkout_op *op)
{
    if (op->event.id != AG_EV_DO_CONNECT || !op->event.u.do_connect.replace)
        return;
    ag_url *u = op->event.u.do_connect.replace;
    op->event.u.do_connect.replace = NULL;
    ag_url_unref(op->url);
    op->url = u;
}

static ag_status open_driver(ag_checkout_op *op, ag_error *err)
{
    ag_pool *p = op->pool;
    ag_connect_params params;
    ag_arena_reset(&op->arena);
    AG_TRY(ag_url_connect_params(&params, op->url, p->connect_args, p->nconnect_args, &op->arena, err));
    int64_t until = ag_now_us() + p->connect_timeout_us;
    op->connect_deadline = until < op->deadline ? until : op->deadline;
    params.deadline = op->connect_deadline;
    AG_TRY(p->driver->open(p->driver, &op->trying->dc, &params, p->services, p->alloc, err));
    op->trying->generation = p->generation;
    return AG_OK;
}

static ag_step open_step(ag_checkout_op *op, ag_error *err)
{
    ag_step s = op->pool->driver->open_step(op->trying->dc, &op->op.wait, err);
    if (s != AG_STEP_WAIT)
        return s;
    if (ag_now_us() >= op->connect_deadline) {
        ag_fail(err, AG_EXC_OPERATIONAL, "connecting to the database did not finish within %.1f s",
                (double)op->pool->connect_timeout_us / 1e6);
        return AG_STEP_FAILED;
    }
    if (op->op.wait.deadline > op->connect_deadline)
        op->op.wait.deadline = op->connect_deadline;
    return s;
}

static void connected(ag_checkout_op *op)
{
    ag_pool *p = op->pool;
    op->trying->connected_at = ag_now_us();
    p->counters.connects++;
    if (ag_pool_logs(p, AG_ECHO_ON))
        ag_log_printf(p->host, p->logger, AG_LOG_INFO, "Created new connection #%llu",
                      (unsigned long long)op->trying->id);
}

/* A connection that could not be opened is an error that HANDLE_ERROR's listeners see, too, with no connection and no statement. */
static bool prepare_connect_error(ag_checkout_op *op, ag_error *err)
{
    if (!err->set || !prepare_event(op, AG_EV_HANDLE_ERROR))
        return false;
    ag_error_clear(&op->saved);
    ag_error_move(&op->saved, err);
    op->event.u.error.error = &op->saved;
    op->event.u.error.is_disconnect = op->saved.disconnect;
    op->event.u.error.invalidate_pool_on_disconnect = true;
    return true;
}

/* The listeners' answer: what one raised, else the error, which may be another by now. */
static void connect_failed(ag_checkout_op *op, ag_error *err)
{
    if (ag_op_answer(&op->op, err) != AG_STEP_DONE)
        ag_error_clear(&op->saved);
    else
        ag_error_move(err, &op->saved);
}

/* Opens op->trying. On failure the record is left without a connection. */
static ag_step connect_step(ag_checkout_op *op, ag_error *err)
{
    AG_CO_BEGIN(op->line3)
    ag_url_unref(op->url);
    op->url = ag_url_ref(op->pool->url);
    if (prepare_do_connect(op)) {
        AG_CO_YIELD(op->line3, AG_STEP_CALL)
        if (ag_op_answer(&op->op, err) != AG_STEP_DONE)
            return AG_STEP_FAILED;
        take_url(op);
    }
    if (op->trying->dc) { /* a listener used another handle of a shared record, which opened it */
        op->line3 = 0;
        return AG_STEP_DONE;
    }
    op->sub = AG_STEP_FAILED;
    if (open_driver(op, err) == AG_OK) {
        AG_CO_TRY(op->line3, op->sub, open_step(op, err))
    }
    if (op->sub == AG_STEP_FAILED) {
        if (prepare_connect_error(op, err)) {
            AG_CO_YIELD(op->line3, AG_STEP_CALL)
            connect_failed(op, err);
        }
        return AG_STEP_FAILED;
    }
    connected(op);
    if (!op->pool->first_connected) {
        op->pool->first_connected = true;
        if (op->engine)
            ag_engine_first_connect(op->engine, op->trying->dc);
        if (prepare_event(op, AG_EV_FIRST_CONNECT)) {
            AG_CO_YIELD(op->line3, AG_STEP_CALL)
            if (ag_op_answer(&op->op, err) != AG_STEP_DONE)
                return AG_STEP_FAILED;
        }
    }
    if (prepare_event(op, AG_EV_CONNECT)) {
        AG_CO_YIELD(op->line3, AG_STEP_CALL)
        if (ag_op_answer(&op->op, err) != AG_STEP_DONE)
            return AG_STEP_FAILED;
    }
    AG_CO_END(op->line3);
    return AG_STEP_DONE;
}

/* ---- making an open connection ready ---- */

static bool is_stale(const ag_checkout_op *op)
{
    const ag_pool *p = op->pool;
    const ag_pconn *c = op->trying;
    return c->soft || c->generation < p->generation ||
           (p->o.recycle_us >= 0 && ag_now_us() - c->connected_at > p->o.recycle_us);
}

static void clamp_wait(ag_checkout_op *op)
{
    if (op->op.wait.deadline > op->connect_deadline)
        op->op.wait.deadline = op->connect_deadline;
}

static ag_step drain_step(ag_checkout_op *op, ag_error *err)
{
    ag_step s = ag_pconn_drain(op->trying, &op->op.wait, err);
    if (s == AG_STEP_WAIT && ag_now_us() >= op->connect_deadline) {
        ag_fail(err, AG_EXC_OPERATIONAL, "a connection did not become clean in time");
        return AG_STEP_FAILED;
    }
    clamp_wait(op);
    return s;
}

static ag_status send_ping(ag_checkout_op *op, ag_error *err)
{
    static const ag_request ping = {.text = "SELECT 1", .text_len = 8, .nsets = 1};
    const ag_driver *d = op->pool->driver;
    ag_dconn *dc = op->trying->dc;
    AG_TRY(d->send(dc, &ping, err));
    return d->sync(dc, err);
}

static ag_step ping_step(ag_checkout_op *op, ag_error *err)
{
    ag_step s = ag_pconn_quiesce(op->trying, &op->reply, &op->saved, &op->op.wait);
    if (s == AG_STEP_WAIT && ag_now_us() >= op->connect_deadline) {
        ag_fail(err, AG_EXC_OPERATIONAL, "no answer to the ping");
        return AG_STEP_FAILED;
    }
    clamp_wait(op);
    if (s == AG_STEP_DONE && op->saved.set) {
        ag_error_move(err, &op->saved);
        return AG_STEP_FAILED;
    }
    return s;
}

static bool prepare_ping_error(ag_checkout_op *op, ag_error *err)
{
    ag_error_move(&op->saved, err);
    if (!prepare_event(op, AG_EV_HANDLE_ERROR))
        return false;
    op->event.u.error.error = &op->saved;
    op->event.u.error.text = "SELECT 1";
    op->event.u.error.text_len = 8;
    op->event.u.error.is_disconnect = true;
    op->event.u.error.invalidate_pool_on_disconnect = true;
    op->event.u.error.is_pre_ping = true;
    return true;
}

/* A dead connection found by asking: the others are suspect too, unless a listener knows better (told: one was
 * asked). FAILED: it says that the connection is not lost, or raised. */
static ag_step ping_failed(ag_checkout_op *op, bool told, ag_error *err)
{
    op->pool->counters.ping_failures++;
    ag_pconn_invalidate(op->trying, false, !told || op->event.u.error.invalidate_pool_on_disconnect, &op->saved);
    if (told && ag_op_answer(&op->op, err) != AG_STEP_DONE)
        return AG_STEP_FAILED;
    if (!told || op->event.u.error.is_disconnect) {
        ag_error_clear(&op->saved);
        return AG_STEP_DONE;
    }
    ag_error_move(err, &op->saved);
    return AG_STEP_FAILED;
}

/* Leaves op->trying ready, or closed (then it has to be connected). */
static ag_step ready_step(ag_checkout_op *op, ag_error *err)
{
    AG_CO_BEGIN(op->line3)
    op->connect_deadline = ag_now_us() + PING_TIMEOUT_US;
    if (op->connect_deadline > op->deadline)
        op->connect_deadline = op->deadline;
    if (is_stale(op)) {
        op->pool->counters.recycled++;
        ag_pconn_close(op->trying);
        op->line3 = 0;
        return AG_STEP_DONE;
    }
    AG_CO_TRY(op->line3, op->sub, drain_step(op, err))
    if (op->sub == AG_STEP_FAILED || op->pool->driver->alive(op->trying->dc) == AG_DEAD) {
        ag_pconn_invalidate(op->trying, false, false, err->set ? err : NULL);
        ag_error_clear(err);
        op->line3 = 0;
        return AG_STEP_DONE;
    }
    if (op->pool->o.pre_ping) {
        ag_reply_clear(&op->reply);
        ag_reply_init(&op->reply, op->pool->alloc);
        ag_error_clear(&op->saved);
        op->sub = AG_STEP_FAILED;
        if (send_ping(op, err) == AG_OK) {
            AG_CO_TRY(op->line3, op->sub, ping_step(op, err))
        }
        if (op->sub == AG_STEP_FAILED) {
            op->told = prepare_ping_error(op, err);
            if (op->told) {
                AG_CO_YIELD(op->line3, AG_STEP_CALL)
            }
            if (ping_failed(op, op->told, err) != AG_STEP_DONE)
                return AG_STEP_FAILED;
        }
    }
    AG_CO_END(op->line3);
    return AG_STEP_DONE;
}

/* ---- getting a record ---- */

/* Static pool: be one more holder of a record that is lent. Counted from here on, since its other holders may go while listeners run. */
static void share(ag_checkout_op *op, ag_pconn *c)
{
    ag_pool_ref(op->pool);
    c->holders++;
    op->trying = c;
    op->shares = true;
}

static ag_pconn *shareable(const ag_pool *p)
{
    ag_pconn *c = p->o.kind == AG_POOL_STATIC ? p->lent_first : NULL;
    while (c && c->detached)
        c = c->next;
    return c;
}

static bool take_idle(ag_checkout_op *op)
{
    ag_pool *p = op->pool;
    ag_pconn *c = p->idle_first;
    if (c) {
        ag_pool_place(c, AG_PLACE_NONE);
        op->trying = c;
        return true;
    }
    c = shareable(p);
    if (c)
        share(op, c);
    return c != NULL;
}

/* AG_ERROR without a filled err: nothing to be had now. */
static ag_status take_record(ag_checkout_op *op, bool *got, ag_error *err)
{
    ag_pool *p = op->pool;
    *got = false;
    if (op->trying) {
        *got = true;
        return AG_OK;
    }
    if (!op->granted) {
        if (!p->wait_first && take_idle(op)) {
            *got = true;
            return AG_OK;
        }
        if (p->wait_first || !ag_pool_may_open(p))
            return AG_OK;
        p->open++;
    }
    op->granted = false;
    op->trying = ag_pconn_new(p);
    if (!op->trying) {
        p->open--;
        ag_pool_hand_slots(p);
        return ag_fail_nomem(err);
    }
    *got = true;
    return AG_OK;
}

static void enqueue(ag_checkout_op *op)
{
    ag_pool *p = op->pool;
    op->prev = p->wait_last;
    op->next = NULL;
    *(p->wait_last ? &p->wait_last->next : &p->wait_first) = op;
    p->wait_last = op;
    op->queued = true;
    p->nwaiting++;
}

/* Parked: DONE when something was handed over, FAILED at the deadline. */
static ag_step park_step(ag_checkout_op *op, ag_error *err)
{
    ag_pool *p = op->pool;
    if (!op->queued)
        return AG_STEP_DONE;
    if (ag_now_us() >= op->park_deadline) {
        ag_pool_unqueue(p, op);
        ag_pool_fail_timeout(p, true, err);
        return AG_STEP_FAILED;
    }
    op->op.wait = (ag_wait){.fd = -1, .deadline = op->park_deadline, .token = op};
    return AG_STEP_WAIT;
}

static bool may_park(const ag_checkout_op *op)
{
    return op->pool->o.kind != AG_POOL_ASSERTION && op->pool->host && op->pool->host->has_scheduler;
}

static ag_step get_step(ag_checkout_op *op, ag_error *err)
{
    bool got;
    AG_CO_BEGIN(op->line3)
    if (take_record(op, &got, err) != AG_OK)
        return AG_STEP_FAILED;
    if (!got) {
        if (!may_park(op)) {
            ag_pool_fail_timeout(op->pool, false, err);
            return AG_STEP_FAILED;
        }
        enqueue(op);
        AG_CO_AWAIT(op->line3, park_step(op, err))
        if (take_record(op, &got, err) != AG_OK)
            return AG_STEP_FAILED;
    }
    AG_CO_END(op->line3);
    return AG_STEP_DONE;
}

/* ---- the op ---- */

/* Put back what this op has in hand, without an event. */
static void put_back(ag_checkout_op *op)
{
    ag_pool *p = op->pool;
    ag_pconn *c = op->trying;
    op->trying = NULL;
    if (op->granted) {
        op->granted = false;
        p->open--;
        ag_pool_hand_slots(p);
    }
    if (op->shares) {
        op->shares = false;
        ag_pconn_release(c, AG_PR_NO_RESET_EVENT);
        return;
    }
    if (!c)
        return;
    if (!c->dc && p->o.kind != AG_POOL_STATIC) {
        ag_pconn_drop(c);
        return;
    }
    if (!ag_pool_hand_over(p, c))
        ag_pool_place(c, AG_PLACE_IDLE);
}

/* An abandoned ping or connect leaves an unknown state: close. */
static void abandon(ag_checkout_op *op)
{
    if (op->trying && !op->shares && op->touched)
        ag_pconn_close(op->trying);
    put_back(op);
}

static void lend(ag_checkout_op *op)
{
    ag_pool *p = op->pool;
    ag_pconn *c = op->trying;
    op->trying = NULL;
    if (!op->shares) {
        ag_pool_ref(p); /* counted by each holder */
        c->holders++;
    }
    op->shares = false;
    c->lent_at = ag_now_us();
    if (c->place != AG_PLACE_LENT)
        ag_pool_place(c, AG_PLACE_LENT);
    ag_mem_free(p->alloc, c->where);
    c->where = op->where;
    op->where = NULL;
    p->counters.checkouts++;
    if (ag_pool_logs(p, AG_ECHO_DEBUG))
        ag_log_printf(p->host, p->logger, AG_LOG_DEBUG, "Connection #%llu checked out from pool",
                      (unsigned long long)c->id);
    op->conn = c;
    while (p->o.kind == AG_POOL_STATIC && p->wait_first) { /* all share it */
        ag_checkout_op *w = p->wait_first;
        ag_pool_unqueue(p, w);
        share(w, c);
        ag_pool_wake(p, w);
    }
}

/* The CHECKOUT listeners' verdict: true when the connection was rejected and another try is due. */
static bool rejected(ag_checkout_op *op)
{
    if (!op->event.u.checkout.disconnect)
        return false;
    ag_pconn_invalidate(op->trying, false, op->event.u.checkout.invalidate_pool, NULL);
    return true;
}

static ag_step checkout_step(ag_op *base, ag_error *err)
{
    ag_checkout_op *op = (ag_checkout_op *)base;
    AG_CO_BEGIN(base->line)
    if (ag_pool_check_fork(op->pool, err) != AG_OK)
        return AG_STEP_FAILED;
    while (ag_pool_next_event(op->pool, &op->event)) {
        op->event.engine = op->engine;
        base->call = (ag_call){.kind = AG_CALL_EVENT, .args = &op->event};
        AG_CO_YIELD(base->line, AG_STEP_CALL)
        ag_pool_event_done(op->pool, &op->event);
        if (ag_op_answer(base, err) != AG_STEP_DONE)
            return AG_STEP_FAILED;
    }
    AG_CO_AWAIT(base->line, get_step(op, err))
    for (;;) {
        op->touched = true;
        if (op->trying->dc && !op->shares) {
            AG_CO_AWAIT(base->line, ready_step(op, err))
        }
        if (!op->trying->dc) {
            AG_CO_TRY(base->line, op->sub, connect_step(op, err))
            if (op->sub == AG_STEP_FAILED) {
                ag_pconn_close(op->trying);
                put_back(op);
                return AG_STEP_FAILED;
            }
        }
        if (!prepare_event(op, AG_EV_CHECKOUT))
            break;
        AG_CO_YIELD(base->line, AG_STEP_CALL)
        if (ag_op_answer(base, err) != AG_STEP_DONE) {
            put_back(op);
            return AG_STEP_FAILED;
        }
        if (!rejected(op))
            break;
        if (++op->tries >= MAX_TRIES) {
            ag_fail(err, AG_EXC_INVALID_REQUEST, "the checkout listeners rejected %u connections in a row", op->tries);
            put_back(op);
            return AG_STEP_FAILED;
        }
    }
    lend(op);
    AG_CO_END(base->line);
    return AG_STEP_DONE;
}

static void checkout_clear(ag_op *base)
{
    ag_checkout_op *op = (ag_checkout_op *)base;
    ag_pool *p = op->pool;
    if (op->event.queued)
        ag_pool_event_done(p, &op->event);
    ag_pool_unqueue(p, op);
    abandon(op);
    if (op->conn)
        ag_pconn_release(op->conn, 0);
    op->conn = NULL;
    take_url(op);
    ag_url_unref(op->url);
    ag_mem_free(p->alloc, op->where);
    ag_arena_clear(&op->arena);
    ag_reply_clear(&op->reply);
    ag_error_clear(&op->saved);
    ag_pool_unref(p);
}

ag_status ag_checkout_init(ag_checkout_op *op, ag_pool *p, struct ag_engine *engine, const char *where,
                           int64_t deadline, ag_error *err)
{
    memset(op, 0, sizeof *op);
    if (where) {
        op->where = ag_mem_strndup(p->alloc, where, strlen(where));
        if (!op->where)
            return ag_fail_nomem(err);
    }
    ag_op_init(&op->op, "checkout", checkout_step, checkout_clear);
    op->deadline = op->park_deadline = deadline;
    if (deadline - ag_now_us() > p->o.timeout_us)
        op->park_deadline = ag_now_us() + p->o.timeout_us;
    op->pool = ag_pool_ref(p);
    op->engine = engine;
    ag_arena_init(&op->arena, p->alloc);
    ag_reply_init(&op->reply, p->alloc);
    ag_error_init(&op->saved, p->alloc);
    return AG_OK;
}

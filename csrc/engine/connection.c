/* The connection handle: life, the gate that lets one operation in, readiness, invalidation, release without
 * waiting. */
#include "engine/connection_internal.h"
#include <string.h>

/* ---- life ---- */

ag_connection *ag_connection_new(ag_engine *e, ag_pconn *p, const char *where, ag_error *err)
{
    const ag_alloc *a = e->s->alloc;
    ag_connection *c = ag_mem_zero(a, 1, sizeof *c);
    char *place = c && where ? ag_mem_strndup(a, where, strlen(where)) : NULL;
    if (!c || (where && !place)) {
        ag_mem_free(a, c);
        ag_fail_nomem(err);
        return NULL;
    }
    c->refs = 1;
    c->engine = ag_engine_ref(e);
    c->pconn = p;
    c->where = place;
    c->x = e->x;
    c->id = ++e->s->next_conn_id;
    ag_arena_init(&c->arena, a);
    ag_vec_init(&c->cmds, a);
    return c;
}

ag_connection *ag_connection_ref(ag_connection *c)
{
    c->refs++;
    return c;
}

static void drop_reconnect(ag_connection *c)
{
    if (!c->reconnect)
        return;
    ag_op_clear(&c->reconnect->op);
    ag_mem_free(ag_conn_alloc(c), c->reconnect);
    c->reconnect = NULL;
}

void ag_connection_unref(ag_connection *c)
{
    if (!c || --c->refs)
        return;
    c->refs = 1; /* what follows must not come back here */
    ag_connection_release(c);
    const ag_alloc *a = ag_conn_alloc(c);
    ag_engine *e = c->engine;
    ag_vec_clear(&c->cmds);
    ag_arena_clear(&c->arena);
    ag_mem_free(a, c->where);
    ag_mem_free(a, c);
    ag_engine_unref(e);
}

static ag_gate **gate_head(ag_connection *c)
{
    return c->pconn && c->pconn->pool->o.kind == AG_POOL_STATIC ? &c->pconn->pool->gate : &c->gate;
}

/* Is an op of this handle inside, other than in a callback? Then answers may be outstanding. */
static bool is_inside(ag_connection *c)
{
    for (const ag_gate *g = *gate_head(c); g; g = g->outer)
        if (g->conn == c && !g->op->calling && !g->op->finished)
            return true;
    return false;
}

static unsigned release_flags(ag_connection *c)
{
    return (is_inside(c) ? AG_PR_BUSY : 0u) | (c->dirty ? AG_PR_DISCARD : 0u) |
           (c->begun || c->root ? AG_PR_ROLLBACK : 0u);
}

static bool shares(const ag_connection *c)
{
    return c->pconn && c->pconn->pool->o.kind == AG_POOL_STATIC && c->pconn->holders > 1;
}

void ag_conn_give_back(ag_connection *c, unsigned extra)
{
    ag_pconn *p = c->pconn;
    if (!p)
        return;
    unsigned flags = release_flags(c) | extra;
    if ((flags & AG_PR_BUSY) && p->dc)
        p->pool->driver->cancel(p->dc);
    if (shares(c) && c->pconn->tx_owner != c)
        flags &= ~AG_PR_ROLLBACK; /* the transaction that is open is another handle's */
    ag_conn_close_streams(c, "close", NULL);
    c->pconn = NULL;
    ag_conn_tx_over(c);
    if (p->tx_owner == c)
        p->tx_owner = NULL;
    ag_pconn_release(p, flags);
}

void ag_connection_release(ag_connection *c)
{
    if (c->closed)
        return;
    c->closed = true;
    ag_conn_give_back(c, 0);
    if (c->root)
        ag_tx_unlink(c->root);
    drop_reconnect(c);
}

/* ---- the gate ---- */

static ag_status fail_busy(const ag_gate *g, const char *name, ag_error *err)
{
    return ag_fail(
        err, AG_EXC_INVALID_REQUEST,
        "This connection is busy: operation \"%s\" cannot start while \"%s\" is under way (one operation at a "
        "time; use a connection for each coroutine)",
        name, g->op->name);
}

ag_status ag_conn_enter(ag_connection *c, ag_gate *g, ag_op *op, ag_error *err)
{
    if (c->closed)
        return ag_fail(err, AG_EXC_RESOURCE_CLOSED, "This Connection is closed");
    AG_TRY(ag_pool_check_fork(c->pconn ? c->pconn->pool : c->engine->s->pool, err));
    ag_gate **head = gate_head(c);
    if (*head && !(*head)->op->calling && !(*head)->op->finished)
        return fail_busy(*head, op->name, err);
    *g = (ag_gate){op, c, *head, head, head == &c->gate ? NULL : ag_pool_ref(c->pconn->pool)};
    *head = g;
    return AG_OK;
}

void ag_conn_leave(ag_gate *g)
{
    if (!g->head)
        return;
    for (ag_gate **at = g->head; *at; at = &(*at)->outer) {
        if (*at == g) {
            *at = g->outer;
            break;
        }
    }
    g->head = NULL;
    ag_pool_unref(g->pool);
    g->pool = NULL;
}

ag_status ag_conn_resume(ag_connection *c, const ag_gate *g, ag_error *err)
{
    if (c->closed)
        return ag_fail(err, AG_EXC_RESOURCE_CLOSED, "This Connection is closed");
    if (*g->head != g)
        return fail_busy(*g->head, g->op->name, err);
    return AG_OK;
}

/* ---- events ---- */

bool ag_conn_prepare_event(ag_connection *c, ag_op *op, ag_event *ev, ag_event_id id)
{
    if (!(ag_conn_events(c) & AG_EV_BIT(id)))
        return false;
    memset(ev, 0, sizeof *ev);
    ev->id = id;
    ev->engine = c->engine;
    ev->conn = c;
    ev->pconn = c->pconn;
    ev->pool = c->engine->s->pool;
    op->call = (ag_call){.kind = AG_CALL_EVENT, .args = ev};
    return true;
}

ag_step ag_conn_flush_events(ag_connection *c, ag_op *op, ag_event *ev, int *line, ag_error *err)
{
    ag_pool *p = c->engine->s->pool;
    AG_CO_BEGIN(*line)
    while (ag_pool_next_event(p, ev)) {
        ev->engine = c->engine;
        ev->conn = c;
        op->call = (ag_call){.kind = AG_CALL_EVENT, .args = ev};
        AG_CO_YIELD(*line, AG_STEP_CALL)
        ag_pool_event_done(ev->pool, ev);
        if (ag_op_answer(op, err) != AG_STEP_DONE) {
            *line = 0;
            return AG_STEP_FAILED;
        }
    }
    AG_CO_END(*line);
    return AG_STEP_DONE;
}

/* ---- readiness ---- */

static ag_step reconnect(ag_connection *c, ag_op *op, ag_error *err)
{
    if (!c->reconnect) {
        c->reconnect = ag_mem_zero(ag_conn_alloc(c), 1, sizeof *c->reconnect);
        if (!c->reconnect) {
            ag_fail_nomem(err);
            return AG_STEP_FAILED;
        }
        if (ag_checkout_init(c->reconnect, c->engine->s->pool, c->engine, c->where, AG_NO_DEADLINE, err) != AG_OK) {
            drop_reconnect(c);
            return AG_STEP_FAILED;
        }
    }
    ag_step s = ag_op_sub(op, &c->reconnect->op, err);
    if (s == AG_STEP_DONE) {
        c->pconn = c->reconnect->conn;
        c->reconnect->conn = NULL;
        c->invalidated = false;
    }
    if (s == AG_STEP_DONE || s == AG_STEP_FAILED)
        drop_reconnect(c);
    return s;
}

ag_step ag_conn_ready(ag_connection *c, ag_op *op, ag_error *err)
{
    if (!c->pconn || !c->pconn->dc) {
        if (c->pconn)
            ag_conn_invalidate(c, NULL, false, false);
        ag_step s = reconnect(c, op, err);
        if (s != AG_STEP_DONE)
            return s;
    }
    ag_step s = ag_pconn_drain(c->pconn, &op->wait, err);
    if (s == AG_STEP_FAILED)
        ag_conn_invalidate(c, err, false, false);
    return s;
}

void ag_conn_invalidate(ag_connection *c, const ag_error *err, bool soft, bool all)
{
    ag_pconn *p = c->pconn;
    if (!p)
        return;
    ag_pconn_invalidate(p, soft, all, err);
    if (soft)
        return;
    c->invalidated = true;
    c->dirty = false;
    if (c->root)
        ag_tx_deactivate(c->root);
    ag_conn_give_back(c, AG_PR_BROKEN);
}

void ag_conn_abandon(ag_connection *c)
{
    ag_pconn *p = c->pconn;
    if (!p || !p->dc)
        return;
    const ag_driver *d = ag_conn_driver(c);
    ag_conn_close_streams(c, "an abandoned operation", NULL);
    c->epoch++;
    d->cancel(p->dc);
    d->release(p->dc, false);
    p->draining = true;
    ag_connection *owner = p->tx_owner ? p->tx_owner : c;
    /* a BEGIN may have been on its way */
    if (owner->root && (owner->begun || !(ag_conn_single_writer(owner) || ag_conn_autocommit(owner)))) {
        ag_tx_deactivate(owner->root);
        owner->ended_by_db = true;
    }
    ag_conn_tx_over(owner);
}

/* ---- looking ---- */

ag_status ag_connection_set_options(ag_connection *c, const ag_exec_options *x, ag_error *err)
{
    if (c->closed)
        return ag_fail(err, AG_EXC_RESOURCE_CLOSED, "This Connection is closed");
    AG_TRY(ag_engine_check_options(c->engine, x, err));
    if ((x->has & AG_XO_ISOLATION) && c->root && x->isolation != c->x.isolation)
        return ag_fail(
            err, AG_EXC_INVALID_REQUEST,
            "This connection has already initialized a Transaction via begin() or autobegin; isolation_level "
            "may not be altered unless rollback() or commit() is called first.");
    ag_exec_options own;
    AG_TRY(ag_exec_options_copy(&own, x, &c->arena, err));
    ag_exec_options_merge(&c->x, &own);
    return AG_OK;
}

ag_engine *ag_connection_engine(const ag_connection *c)
{
    return c->engine;
}

ag_pconn *ag_connection_pconn(const ag_connection *c)
{
    return c->pconn;
}

bool ag_connection_is_closed(const ag_connection *c)
{
    return c->closed;
}

bool ag_connection_is_invalidated(const ag_connection *c)
{
    return c->invalidated;
}

ag_isolation ag_connection_default_isolation(const ag_connection *c)
{
    return c->engine->x.isolation;
}

void ag_connection_set_events(ag_connection *c, uint64_t mask)
{
    c->events = mask;
}

const char *ag_connection_busy(const ag_connection *c)
{
    const ag_gate *g = c->pconn && c->pconn->pool->o.kind == AG_POOL_STATIC ? c->pconn->pool->gate : c->gate;
    return g && !g->op->calling && !g->op->finished ? g->op->name : NULL;
}

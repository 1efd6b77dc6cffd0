/* What follows a failed statement: the HANDLE_ERROR listeners, then, when the connection is lost, invalidation. */
#include "engine/connection_internal.h"

static void fill(ag_event *ev, ag_error *error, const char *text, size_t len)
{
    ev->u.error.error = error;
    ev->u.error.text = text;
    ev->u.error.text_len = len;
    ev->u.error.is_disconnect = error->disconnect;
    ev->u.error.invalidate_pool_on_disconnect = true;
}

/* The listeners' answer: one that raised replaces the error. */
static bool take_answer(ag_op *op, ag_event *ev, ag_error *error)
{
    error->disconnect = ev->u.error.is_disconnect;
    if (op->call.failed) {
        bool lost = error->disconnect;
        (void)ag_op_answer(op, error);
        error->disconnect = lost;
    }
    return ev->u.error.invalidate_pool_on_disconnect;
}

ag_step ag_conn_fault(ag_connection *c, ag_op *op, ag_event *ev, int *line, ag_error *error, const char *text,
                      size_t len)
{
    bool all = true;
    AG_CO_BEGIN(*line)
    if (ag_conn_prepare_event(c, op, ev, AG_EV_HANDLE_ERROR)) {
        fill(ev, error, text, len);
        AG_CO_YIELD(*line, AG_STEP_CALL)
        all = take_answer(op, ev, error);
    }
    if (error->disconnect && c->pconn)
        ag_conn_invalidate(c, error, false, all);
    while (ag_pool_next_event(c->engine->s->pool, ev)) {
        ev->engine = c->engine;
        ev->conn = c;
        op->call = (ag_call){.kind = AG_CALL_EVENT, .args = ev};
        AG_CO_YIELD(*line, AG_STEP_CALL)
        ag_pool_event_done(ev->pool, ev);
        if (op->call.failed)
            (void)ag_op_answer(op, error);
    }
    AG_CO_END(*line);
    return AG_STEP_DONE;
}

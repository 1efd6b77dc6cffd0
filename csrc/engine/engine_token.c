/* The write token: of one engine's connections to a single-writer database only one writes at a time, in the order
 * they asked. It keeps writers of this process from fighting over the file lock; other processes are waited for by
 * the driver. */
#include "engine/engine_internal.h"

static void unlink_wait(ag_engine_shared *s, ag_token_wait *w)
{
    *(w->prev ? &w->prev->next : &s->token_first) = w->next;
    *(w->next ? &w->next->prev : &s->token_last) = w->prev;
    w->prev = w->next = NULL;
    w->queued = false;
}

bool ag_token_take(ag_engine_shared *s, struct ag_connection *c, ag_token_wait *w)
{
    if (s->writer == c)
        return true;
    if (!s->writer && (!s->token_first || s->token_first == w)) {
        if (w->queued)
            unlink_wait(s, w);
        s->writer = c;
        return true;
    }
    if (!w->queued) {
        w->conn = c;
        w->prev = s->token_last;
        w->next = NULL;
        *(s->token_last ? &s->token_last->next : &s->token_first) = w;
        s->token_last = w;
        w->queued = true;
    }
    return false;
}

static void pass_on(ag_engine_shared *s)
{
    ag_token_wait *w = s->token_first;
    if (s->writer || !w)
        return;
    unlink_wait(s, w);
    s->writer = w->conn;
    ag_pool_wake(s->pool, w);
}

void ag_token_release(ag_engine_shared *s, struct ag_connection *c)
{
    if (s->writer != c)
        return;
    s->writer = NULL;
    pass_on(s);
}

void ag_token_cancel(ag_engine_shared *s, ag_token_wait *w)
{
    if (w->queued)
        unlink_wait(s, w);
    pass_on(s);
}

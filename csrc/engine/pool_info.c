/* Looking at a pool: counters, status text, the exhausted-pool message. */
#include "engine/pool_internal.h"

ag_dconn *ag_pconn_driver(const ag_pconn *c)
{
    return c->dc;
}

ag_pool *ag_pconn_pool(const ag_pconn *c)
{
    return c->pool;
}

bool ag_pconn_is_valid(const ag_pconn *c)
{
    return c->dc != NULL;
}

uint64_t ag_pconn_id(const ag_pconn *c)
{
    return c->id;
}

int64_t ag_pconn_age_us(const ag_pconn *c)
{
    return ag_now_us() - c->connected_at;
}

int64_t ag_pconn_info(const ag_pconn *c)
{
    return c->info;
}

void ag_pconn_set_info(ag_pconn *c, int64_t host_id)
{
    c->info = host_id;
}

const ag_pool_options *ag_pool_options_get(const ag_pool *p)
{
    return &p->o;
}

ag_url *ag_pool_url(const ag_pool *p)
{
    return p->url;
}

void ag_pool_stats_get(const ag_pool *p, ag_pool_stats *out)
{
    *out = p->counters;
    out->size = p->o.size;
    out->checked_in = p->nidle;
    out->checked_out = p->nlent;
    out->overflow = (int64_t)p->open - (int64_t)p->o.size;
    out->waiting = p->nwaiting;
    for (const ag_pconn *c = p->idle_first; c; c = c->next)
        out->draining += c->draining || c->draining_commit;
}

void ag_pool_status(const ag_pool *p, ag_buf *out)
{
    switch (p->o.kind) {
    case AG_POOL_QUEUE:
        ag_buf_printf(
            out, "Pool size: %u  Connections in pool: %u Current Overflow: %lld Current Checked out connections: %u",
            p->o.size, p->nidle, (long long)p->open - (long long)p->o.size, p->nlent);
        break;
    case AG_POOL_NULL: ag_buf_str(out, "NullPool"); break;
    case AG_POOL_STATIC: ag_buf_str(out, "StaticPool"); break;
    case AG_POOL_ASSERTION: ag_buf_str(out, "AssertionPool"); break;
    }
}

#define HOLDERS_SHOWN 20u

static void list_holders(const ag_pool *p, ag_buf *b)
{
    int64_t now = ag_now_us();
    unsigned n = 0;
    for (const ag_pconn *c = p->lent_first; c && n < HOLDERS_SHOWN; c = c->next, n++)
        ag_buf_printf(b, "%s#%llu for %.2f s, borrowed at %s", n ? "; " : "", (unsigned long long)c->id,
                      (double)(now - c->lent_at) / 1e6, c->where ? c->where : "an unknown place");
    if (p->nlent > n)
        ag_buf_printf(b, "; and %u more", p->nlent - n);
    if (!p->nlent)
        ag_buf_str(b, "nobody (connections are being opened)");
}

void ag_pool_fail_timeout(ag_pool *p, bool waited, ag_error *err)
{
    ag_buf b;
    ag_buf_init(&b, p->alloc);
    p->counters.timeouts++;
    if (p->o.kind == AG_POOL_ASSERTION)
        ag_buf_str(&b, "connection is already checked out");
    else if (p->o.kind == AG_POOL_STATIC)
        ag_buf_str(&b, "the shared connection is being opened by another operation");
    else
        ag_buf_printf(&b, "QueuePool limit of size %u overflow %lld reached", p->o.size, (long long)p->o.max_overflow);
    if (waited)
        ag_buf_printf(&b, ", connection timed out, timeout %.2f s", (double)p->o.timeout_us / 1e6);
    else if (p->o.kind == AG_POOL_QUEUE)
        ag_buf_str(&b, ", and without a scheduler nothing can return a connection while this call waits");
    ag_buf_str(&b, ". Held by: ");
    list_holders(p, &b);
    ag_exc cls = p->o.kind == AG_POOL_ASSERTION ? AG_EXC_INVALID_REQUEST : AG_EXC_TIMEOUT;
    if (ag_buf_ok(&b))
        ag_fail(err, cls, "%s", b.data);
    else
        ag_fail_nomem(err);
    ag_buf_clear(&b);
}

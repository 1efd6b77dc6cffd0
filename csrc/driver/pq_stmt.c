/* Prepared statements on the server, and what is known of statements that are not kept. The cache is keyed by text
 * and parameter OIDs. An entry counts as prepared only when its own Parse was answered; in flight it is merely
 * "sent". */
#include "driver/pq_impl.h"

#include <stdio.h>

static void stmt_free(ag_pq *c, ag_pq_stmt *st)
{
    ag_pq_plan_clear(c, &st->plan);
    ag_driver_free(c->base.alloc, st->entry.key);
    ag_driver_free(c->base.alloc, st);
}

void ag_pq_stmt_unref(ag_pq *c, ag_pq_stmt *st)
{
    if (st && --st->refs == 0 && !st->cached)
        stmt_free(c, st);
}

/* Remember to DEALLOCATE it; when there is no memory for that the server keeps it until the session ends. */
static void deallocate_later(ag_pq *c, const ag_pq_stmt *st)
{
    if (ag_driver_grow(c->base.alloc, (void **)&c->dealloc, &c->cap_dealloc, c->ndealloc, sizeof *c->dealloc))
        c->dealloc[c->ndealloc++] = st->id;
}

void ag_pq_stmt_drop(ag_pq *c, ag_pq_stmt *st, bool tell)
{
    if (!st->cached)
        return;
    ag_stmt_cache_remove(&c->cache, &st->entry);
    if (tell && st->state == AG_PQ_STMT_READY)
        deallocate_later(c, st);
    st->cached = false;
    st->state = AG_PQ_STMT_NEW;
    st->id = 0;
    st->name[0] = '\0';
    if (!st->refs)
        stmt_free(c, st);
}

void ag_pq_stmts_clear(ag_pq *c, bool tell)
{
    while (c->cache.oldest)
        ag_pq_stmt_drop(c, (ag_pq_stmt *)(void *)c->cache.oldest, tell);
    if (!tell)
        c->ndealloc = 0;
}

static void trim(ag_pq *c)
{
    ag_stmt_entry *e = c->cache.oldest;
    while (e && c->cache.count > c->cache.limit) {
        ag_pq_stmt *st = (ag_pq_stmt *)(void *)e;
        e = e->newer;
        if (!st->refs)
            ag_pq_stmt_drop(c, st, true);
    }
}

ag_pq_stmt *ag_pq_stmt_get(ag_pq *c, const ag_request *req, bool keep)
{
    const ag_alloc *a = c->base.alloc;
    size_t noids = req->nparams * sizeof(uint32_t);
    uint64_t hash = 0;
    ag_pq_stmt *st;
    if (keep) {
        hash = ag_stmt_hash(req->text, req->text_len, c->params.oids, noids);
        ag_stmt_entry *e = ag_stmt_cache_find(&c->cache, hash, req->text, req->text_len, c->params.oids, noids);
        if (e) {
            st = (ag_pq_stmt *)(void *)e;
            st->refs++;
            return st;
        }
    }
    st = ag_driver_zero(a, sizeof *st);
    if (!st)
        return NULL;
    *st = (ag_pq_stmt){.refs = 1, .format = AG_PQ_FORMAT_UNKNOWN, .last_rows = UINT32_MAX};
    if (!ag_stmt_entry_set_key(&st->entry, a, hash, req->text, req->text_len, c->params.oids, noids)) {
        stmt_free(c, st);
        return NULL;
    }
    if (keep && ag_stmt_cache_add(&c->cache, &st->entry)) {
        st->id = ++c->next_id;
        (void)snprintf(st->name, sizeof st->name, "ag_%u", (unsigned)st->id);
        st->cached = true;
        trim(c);
    }
    return st;
}

/* Making, ending, disposing pools. */
#include "engine/pool_internal.h"
#include "engine/log.h"
#include <string.h>

static const char *const kind_names[] = {"QueuePool", "NullPool", "StaticPool", "AssertionPool"};

static ag_status copy_args(ag_pool *p, const ag_connect_option *args, size_t n, ag_error *err)
{
    if (!n)
        return AG_OK;
    p->connect_args = ag_arena_zero(&p->arena, n, sizeof *p->connect_args);
    if (!p->connect_args)
        return ag_fail_nomem(err);
    for (size_t i = 0; i < n; i++) {
        char *k = ag_arena_strndup(&p->arena, args[i].key, strlen(args[i].key));
        char *v = ag_arena_strndup(&p->arena, args[i].value, strlen(args[i].value));
        if (!k || !v)
            return ag_fail_nomem(err);
        p->connect_args[i] = (ag_connect_option){k, v};
    }
    p->nconnect_args = n;
    return AG_OK;
}

static ag_status set_names(ag_pool *p, const char *name, ag_error *err)
{
    char base[40] = "argent.pool.";
    strcat(base, kind_names[p->o.kind]);
    p->logger = ag_log_name(&p->arena, base, name);
    if (!p->logger)
        return ag_fail_nomem(err);
    if (name) {
        p->o.logging_name = ag_arena_strndup(&p->arena, name, strlen(name));
        if (!p->o.logging_name)
            return ag_fail_nomem(err);
    }
    return AG_OK;
}

static ag_status check_options(const ag_pool_options *o, ag_error *err)
{
    if ((unsigned)o->kind > AG_POOL_ASSERTION)
        return ag_fail(err, AG_EXC_ARGUMENT, "unknown kind of pool");
    if (o->max_overflow < -1)
        return ag_fail(err, AG_EXC_ARGUMENT, "max_overflow must be -1 (no limit) or more, not %lld",
                       (long long)o->max_overflow);
    if (o->timeout_us < 0)
        return ag_fail(err, AG_EXC_ARGUMENT, "pool_timeout must not be negative");
    return AG_OK;
}

ag_status ag_pool_new(ag_pool **out, const ag_pool_config *cfg, ag_error *err)
{
    *out = NULL;
    AG_TRY(check_options(&cfg->options, err));
    ag_pool *p = ag_mem_zero(cfg->alloc, 1, sizeof *p);
    if (!p)
        return ag_fail_nomem(err);
    p->refs = 1;
    p->alloc = cfg->alloc;
    p->host = cfg->host;
    p->driver = cfg->driver;
    p->services = cfg->services ? cfg->services : &ag_core_services;
    p->o = cfg->options;
    p->o.logging_name = NULL;
    p->url = ag_url_ref(cfg->url);
    p->connect_timeout_us = cfg->connect_timeout_us > 0 ? cfg->connect_timeout_us : 10 * INT64_C(1000000);
    p->creator = cfg->creator;
    ag_arena_init(&p->arena, p->alloc);
    ag_vec_init(&p->notes, p->alloc);
    ag_fork_guard_init(&p->guard);
    ag_status st = copy_args(p, cfg->connect_args, cfg->nconnect_args, err);
    if (st == AG_OK)
        st = set_names(p, cfg->options.logging_name, err);
    if (st != AG_OK) {
        ag_pool_unref(p);
        return st;
    }
    *out = p;
    return AG_OK;
}

ag_pool *ag_pool_ref(ag_pool *p)
{
    p->refs++;
    return p;
}

static void drop_notes(ag_pool *p)
{
    for (size_t i = p->notes_read; i < p->notes.len; i++)
        if (p->notes.items[i].conn)
            ag_pconn_unref(p->notes.items[i].conn);
    p->notes.len = p->notes_read = 0;
}

void ag_pool_unref(ag_pool *p)
{
    if (!p || --p->refs)
        return;
    p->refs = 1; /* closing below must not come back here */
    p->events = 0;
    p->disposed = true;
    while (p->idle_first)
        ag_pconn_drop(p->idle_first);
    drop_notes(p);
    ag_vec_clear(&p->notes);
    ag_fork_guard_clear(&p->guard);
    ag_url_unref(p->url);
    ag_arena_clear(&p->arena);
    ag_mem_free(p->alloc, p);
}

ag_status ag_pool_recreate(ag_pool **out, const ag_pool *p, ag_error *err)
{
    ag_pool_config cfg = {.options = p->o,
                          .driver = p->driver,
                          .url = p->url,
                          .connect_args = p->connect_args,
                          .nconnect_args = p->nconnect_args,
                          .connect_timeout_us = p->connect_timeout_us,
                          .creator = p->creator,
                          .host = p->host,
                          .alloc = p->alloc,
                          .services = p->services};
    AG_TRY(ag_pool_new(out, &cfg, err));
    (*out)->events = p->events;
    (*out)->info_free = p->info_free;
    (*out)->info_ud = p->info_ud;
    return AG_OK;
}

void ag_pool_dispose(ag_pool *p, bool close)
{
    if (ag_pool_logs(p, AG_ECHO_ON))
        ag_log_printf(p->host, p->logger, AG_LOG_INFO, "Pool disposed");
    ag_pconn *c;
    while ((c = p->idle_first)) {
        if (!close)
            c->dc = NULL; /* the parent process owns what is behind it */
        ag_pconn_drop(c);
    }
    p->generation++; /* those lent out close on return */
    if (!close) {
        for (c = p->lent_first; c; c = c->next)
            c->dc = NULL;
        ag_fork_guard_clear(&p->guard);
        ag_fork_guard_init(&p->guard);
    }
}

void ag_pool_set_events(ag_pool *p, uint64_t mask)
{
    p->events = mask;
}

void ag_pool_set_info_free(ag_pool *p, void (*fn)(void *ud, int64_t host_id), void *ud)
{
    p->info_free = fn;
    p->info_ud = ud;
}

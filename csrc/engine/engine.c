/* The engine's books: making, options, sub-engines, dispose. What runs statements is connection*.c and execute*.c. */
#include "engine/engine_internal.h"
#include "engine/log.h"
#include "engine/url_internal.h"
#include "base/buf.h"
#include "compile/dialect.h"
#include <stdio.h>
#include <string.h>

ag_engine_options ag_engine_options_default(void)
{
    return (ag_engine_options){.pool_options = ag_pool_options_default(),
                               .connect_timeout_us = 10 * INT64_C(1000000),
                               .lock_timeout_us = -1,
                               .query_cache_size = 500,
                               .use_insertmanyvalues = true,
                               .linting = true};
}

/* A database that exists once per connection can only be shared by sharing the connection. */
static bool is_private_memory(const ag_url *u)
{
    const ag_str *mode = ag_url_arg_get(u, "mode");
    ag_str db = u->p.database;
    return !db.n || ag_str_is(db, ":memory:") || ag_str_is(db, "file::memory:") || (mode && ag_str_is(*mode, "memory"));
}

static ag_status check_url(const ag_url *u, const ag_driver *d, ag_error *err)
{
    if (!(d->caps & AG_DRV_SHARED_MEMORY) || (!u->p.host.p && !u->p.username.p && u->p.port == -1))
        return AG_OK;
    return ag_fail(err, AG_EXC_ARGUMENT,
                   "Invalid %s URL: it names a file, not a host or a user. Valid forms are %s:// (in memory), "
                   "%s:///relative/path.db and %s:////absolute/path.db",
                   d->dialect, d->dialect, d->dialect, d->dialect);
}

static ag_status check_isolation(const ag_driver *d, const ag_exec_options *x, ag_error *err)
{
    if (!(x->has & AG_XO_ISOLATION))
        return AG_OK;
    ag_isolation i = x->isolation;
    bool single = d->caps & AG_DRV_SINGLE_WRITER;
    bool ok = single ? i != AG_ISO_READ_COMMITTED && i != AG_ISO_REPEATABLE_READ : i != AG_ISO_DEFERRED;
    if (ok)
        return AG_OK;
    return ag_fail(err, AG_EXC_ARGUMENT,
                   "Invalid value \"%s\" for isolation_level. Valid isolation levels for %s are %s",
                   ag_isolation_name(i), d->dialect,
                   single ? "AUTOCOMMIT, READ UNCOMMITTED, SERIALIZABLE, DEFERRED"
                          : "AUTOCOMMIT, READ UNCOMMITTED, READ COMMITTED, REPEATABLE READ, SERIALIZABLE");
}

static ag_status check_lengths(const ag_engine_options *o, ag_error *err)
{
    uint32_t max = o->max_identifier_length;
    if (!max && o->dialect)
        max = o->dialect->max_identifier;
    if (!max || o->label_length <= max)
        return AG_OK;
    return ag_fail(err, AG_EXC_ARGUMENT,
                   "Label length of %u is greater than this dialect's maximum identifier length of %u", o->label_length,
                   max);
}

ag_status ag_engine_check_options(const ag_engine *e, const ag_exec_options *x, ag_error *err)
{
    return check_isolation(e->s->driver, x, err);
}

/* `timeout` of the connect arguments, or else of the URL. */
static bool timeout_argument(const ag_engine_shared *s, const ag_engine_options *o, double *seconds)
{
    const ag_str *arg = ag_url_arg_get(s->url, "timeout");
    ag_str text = arg ? *arg : (ag_str){NULL, 0};
    for (size_t i = 0; i < o->nconnect_args; i++)
        if (strcmp(o->connect_args[i].key, "timeout") == 0)
            text = (ag_str){o->connect_args[i].value, strlen(o->connect_args[i].value)};
    return text.p && ag_parse_double(text.p, text.n, seconds) && *seconds >= 0 && *seconds < 1e9;
}

/* Waiting for a lock inside the engine (the write token) and inside the driver takes one time: lock_timeout becomes the
 * driver's `timeout`, and the other way round. args: room for one more. */
static void settle_lock_timeout(ag_engine_shared *s, const ag_engine_options *o, ag_connect_option *args, size_t *nargs,
                                char *text)
{
    double seconds = 5;
    bool known = timeout_argument(s, o, &seconds);
    s->lock_timeout_us = o->lock_timeout_us >= 0 ? o->lock_timeout_us : (int64_t)(seconds * 1e6);
    if (known || o->lock_timeout_us < 0 || !(o->driver->caps & AG_DRV_SINGLE_WRITER))
        return;
    (void)snprintf(text, 40, "%lld.%06d", (long long)(o->lock_timeout_us / 1000000),
                   (int)(o->lock_timeout_us % 1000000));
    args[(*nargs)++] = (ag_connect_option){"timeout", text};
}

static ag_status make_pool(ag_engine_shared *s, const ag_engine_options *o, ag_error *err)
{
    char timeout[40];
    size_t nargs = o->nconnect_args;
    ag_connect_option *args = ag_arena_zero(&s->arena, nargs + 1, sizeof *args);
    if (!args)
        return ag_fail_nomem(err);
    for (size_t i = 0; i < nargs; i++)
        args[i] = o->connect_args[i];
    settle_lock_timeout(s, o, args, &nargs, timeout);
    if (o->pool) {
        s->pool = ag_pool_ref(o->pool);
        return AG_OK;
    }
    ag_pool_config cfg = {.options = o->pool_options,
                          .driver = o->driver,
                          .url = s->url,
                          .connect_args = args,
                          .nconnect_args = nargs,
                          .connect_timeout_us = o->connect_timeout_us,
                          .creator = o->creator,
                          .host = o->host,
                          .alloc = s->alloc,
                          .services = s->services};
    if (!o->pool_kind_given && (o->driver->caps & AG_DRV_SHARED_MEMORY) && is_private_memory(s->url))
        cfg.options.kind = AG_POOL_STATIC;
    return ag_pool_new(&s->pool, &cfg, err);
}

static void shared_unref(ag_engine_shared *s)
{
    if (--s->refs)
        return;
    ag_engine_cache_free(s);
    ag_pool_unref(s->pool);
    ag_url_unref(s->url);
    ag_arena_clear(&s->arena);
    ag_mem_free(s->alloc, s);
}

static ag_status shared_fill(ag_engine_shared *s, ag_url *url, const ag_engine_options *o, ag_error *err)
{
    s->refs = 1;
    s->host = o->host;
    s->driver = o->driver;
    s->dialect = o->dialect;
    s->compile_host = o->compile_host;
    s->types = o->types;
    s->services = o->services ? o->services : &ag_core_services;
    s->url = ag_url_ref(url);
    s->echo = o->echo;
    s->hide_parameters = o->hide_parameters;
    s->use_insertmanyvalues = o->use_insertmanyvalues;
    s->skip_autocommit_rollback = o->skip_autocommit_rollback;
    s->linting = o->linting;
    s->max_identifier_length = o->max_identifier_length;
    s->label_length = o->label_length;
    ag_arena_init(&s->arena, s->alloc);
    s->logger = ag_log_name(&s->arena, "argent.engine.Engine", o->logging_name);
    if (!s->logger)
        return ag_fail_nomem(err);
    AG_TRY(check_url(url, o->driver, err));
    AG_TRY(check_isolation(o->driver, &o->exec, err));
    AG_TRY(check_lengths(o, err));
    AG_TRY(ag_engine_cache_new(s, o->query_cache_size, err));
    return make_pool(s, o, err);
}

/* An engine over s (whose reference moves in), with x over the parent's options. */
static ag_status engine_over(ag_engine **out, ag_engine_shared *s, ag_engine *parent, const ag_exec_options *x,
                             ag_error *err)
{
    ag_engine *e = ag_mem_zero(s->alloc, 1, sizeof *e);
    if (!e) {
        shared_unref(s);
        return ag_fail_nomem(err);
    }
    e->refs = 1;
    e->s = s;
    ag_arena_init(&e->arena, s->alloc);
    if (parent) {
        e->parent = ag_engine_ref(parent);
        e->x = parent->x;
    }
    ag_exec_options own;
    ag_status st = ag_exec_options_copy(&own, x, &e->arena, err);
    if (st != AG_OK) {
        ag_engine_unref(e);
        return st;
    }
    ag_exec_options_merge(&e->x, &own);
    *out = e;
    return AG_OK;
}

ag_status ag_engine_new(ag_engine **out, const ag_alloc *a, ag_url *url, const ag_engine_options *o, ag_error *err)
{
    *out = NULL;
    if (!o->driver || o->driver->abi != AG_DRIVER_ABI)
        return ag_fail(err, AG_EXC_ARGUMENT, "the driver module speaks ABI %u, this argent needs %u",
                       o->driver ? o->driver->abi : 0u, AG_DRIVER_ABI);
    ag_engine_shared *s = ag_mem_zero(a, 1, sizeof *s);
    if (!s)
        return ag_fail_nomem(err);
    s->alloc = a;
    ag_status st = shared_fill(s, url, o, err);
    if (st != AG_OK) {
        shared_unref(s);
        return st;
    }
    return engine_over(out, s, NULL, &o->exec, err);
}

ag_status ag_engine_with_options(ag_engine **out, ag_engine *parent, const ag_exec_options *x, ag_error *err)
{
    *out = NULL;
    AG_TRY(check_isolation(parent->s->driver, x, err));
    parent->s->refs++;
    return engine_over(out, parent->s, parent, x, err);
}

ag_engine *ag_engine_ref(ag_engine *e)
{
    e->refs++;
    return e;
}

void ag_engine_unref(ag_engine *e)
{
    while (e && --e->refs == 0) {
        ag_engine *parent = e->parent;
        const ag_alloc *a = e->s->alloc;
        ag_arena_clear(&e->arena);
        shared_unref(e->s);
        ag_mem_free(a, e);
        e = parent;
    }
}

ag_status ag_engine_dispose(ag_engine *e, bool close, ag_error *err)
{
    ag_pool *fresh;
    AG_TRY(ag_pool_recreate(&fresh, e->s->pool, err));
    ag_pool_dispose(e->s->pool, close);
    ag_pool_unref(e->s->pool);
    e->s->pool = fresh;
    if (!close)
        e->s->writer = NULL;
    return AG_OK;
}

void ag_engine_first_connect(ag_engine *e, ag_dconn *dc)
{
    e->s->server_version = e->s->driver->server_version(dc);
}

/* ---- looking ---- */

ag_url *ag_engine_url(const ag_engine *e)
{
    return e->s->url;
}

ag_pool *ag_engine_pool(const ag_engine *e)
{
    return e->s->pool;
}

const ag_driver *ag_engine_driver(const ag_engine *e)
{
    return e->s->driver;
}

const struct ag_dialect *ag_engine_dialect(const ag_engine *e)
{
    return e->s->dialect;
}

struct ag_cache *ag_engine_cache(const ag_engine *e)
{
    return e->s->cache;
}

ag_host *ag_engine_host(const ag_engine *e)
{
    return e->s->host;
}

ag_engine *ag_engine_parent(const ag_engine *e)
{
    return e->parent;
}

const ag_exec_options *ag_engine_exec_options(const ag_engine *e)
{
    return &e->x;
}

bool ag_engine_hides_parameters(const ag_engine *e)
{
    return e->s->hide_parameters;
}

void ag_engine_set_echo(ag_engine *e, ag_echo echo)
{
    e->s->echo = echo;
}

ag_echo ag_engine_echo(const ag_engine *e)
{
    return e->s->echo;
}

const char *ag_engine_logging_name(const ag_engine *e)
{
    static const char prefix[] = "argent.engine.Engine.";
    bool named = strncmp(e->s->logger, prefix, sizeof prefix - 1) == 0;
    return named ? e->s->logger + sizeof prefix - 1 : NULL;
}

void ag_engine_set_events(ag_engine *e, uint64_t mask)
{
    e->events = mask;
}

uint64_t ag_engine_events(const ag_engine *e)
{
    uint64_t mask = 0;
    for (; e; e = e->parent)
        mask |= e->events;
    return mask;
}

int ag_engine_server_version(const ag_engine *e)
{
    return e->s->server_version;
}

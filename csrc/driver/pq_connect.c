/* Connecting without blocking: libpq's polling connect, with the timeouts that it leaves to its caller. libpq tries
 * the hosts of a list in turn, but waits for a silent one forever; when a host's time is up the connect is begun
 * again with those behind it. (A host name is looked up inside PQconnectStartParams: give hostaddr where that must
 * not block.) */
#include "driver/pq_impl.h"

#include <unistd.h>

enum { MIN_SERVER = 120000, MIN_CLIENT = 140000 };

ag_status ag_pq_open(const ag_driver *self, ag_dconn **out, const ag_connect_params *params, const ag_services *core,
                     const ag_alloc *alloc, ag_error *err)
{
    *out = NULL;
    if (PQlibVersion() < MIN_CLIENT)
        return ag_driver_fail(core, err, AG_EXC_INTERFACE, "argent needs libpq 14 or newer, this is %d.%d",
                              PQlibVersion() / 10000, PQlibVersion() % 10000);
    ag_pq *c = ag_driver_zero(alloc, sizeof *c);
    if (!c)
        return core->fail_nomem(err);
    c->base = (ag_dconn){.driver = self, .core = core, .alloc = alloc};
    c->cancel_fd = -1;
    c->deadline = AG_NO_DEADLINE;
    c->connect_deadline = params->deadline ? params->deadline : AG_NO_DEADLINE;
    c->failed_segment = UINT64_MAX;
    c->lost_error.alloc = c->local_error.alloc = c->fetch_error.alloc = alloc;
    c->text.alloc = c->params.bytes.alloc = alloc;
    ag_pq_codec_init(&c->codec, core, alloc);
    ag_stmt_cache_init(&c->cache, alloc, 0);
    ag_status st = ag_pq_read_options(c, params, err);
    if (st != AG_OK) {
        ag_pq_close(&c->base);
        return st;
    }
    *out = &c->base;
    return AG_OK;
}

/* "a,b,c" of hosts or ports from host_from on. */
static bool join(ag_pq *c, char *const *list)
{
    const ag_services *core = c->base.core;
    c->text.len = 0;
    for (size_t i = c->host_from; i < c->nhosts; i++) {
        if (i > c->host_from)
            ag_driver_add_char(core, &c->text, ',');
        ag_driver_add(core, &c->text, list[i], strlen(list[i]));
    }
    ag_driver_add_char(core, &c->text, '\0');
    return !c->text.failed;
}

static ag_status start(ag_pq *c, ag_error *err)
{
    const ag_alloc *a = c->base.alloc;
    size_t n = c->nkeys;
    char *host = NULL, *port = NULL;
    if (c->nhosts) {
        host = join(c, c->hosts) ? ag_driver_strndup(a, c->text.data, c->text.len) : NULL;
        port = host && join(c, c->ports) ? ag_driver_strndup(a, c->text.data, c->text.len) : NULL;
        if (!port) {
            ag_driver_free(a, host);
            return c->base.core->fail_nomem(err);
        }
        c->keys[n] = (char *)"host";
        c->vals[n++] = host;
        c->keys[n] = (char *)"port";
        c->vals[n++] = port;
    }
    c->keys[n] = c->vals[n] = NULL;
    PQfinish(c->pg);
    c->pg = PQconnectStartParams((const char *const *)c->keys, (const char *const *)c->vals, 0);
    for (size_t i = c->nkeys; i < n; i++)
        c->keys[i] = c->vals[i] = NULL;
    ag_driver_free(a, host);
    ag_driver_free(a, port);
    return c->pg ? AG_OK : c->base.core->fail_nomem(err);
}

static void drop_notice(void *ud, const PGresult *res)
{
    (void)ud, (void)res;
}

/* A new host under trial starts its own clock. False when out of memory. */
static bool watch_host(ag_pq *c, int64_t now)
{
    const char *host = PQhost(c->pg), *port = PQport(c->pg);
    const ag_services *core = c->base.core;
    c->text.len = 0;
    ag_driver_add(core, &c->text, host ? host : "", host ? strlen(host) : 0);
    ag_driver_add_char(core, &c->text, ' ');
    ag_driver_add(core, &c->text, port ? port : "", port ? strlen(port) : 0);
    ag_driver_add_char(core, &c->text, '\0');
    if (c->text.failed)
        return false;
    if (c->current_host && strcmp(c->current_host, c->text.data) == 0)
        return true;
    ag_driver_free(c->base.alloc, c->current_host);
    c->current_host = ag_driver_strndup(c->base.alloc, c->text.data, c->text.len);
    c->host_deadline = c->host_timeout == AG_NO_DEADLINE ? AG_NO_DEADLINE : now + c->host_timeout;
    return c->current_host != NULL;
}

/* The silent host's time is up: go on behind it. False when there is none behind. */
static bool skip_host(ag_pq *c)
{
    const char *host = PQhost(c->pg), *port = PQport(c->pg);
    size_t i = c->host_from;
    while (i < c->nhosts &&
           (!host || strcmp(c->hosts[i], host) != 0 || (c->ports[i][0] && port && strcmp(c->ports[i], port) != 0)))
        i++;
    if (i + 1 >= c->nhosts)
        return false;
    c->host_from = i + 1;
    return true;
}

static ag_step fail_timeout(ag_pq *c, ag_error *err)
{
    const char *host = PQhost(c->pg);
    (void)ag_driver_fail(c->base.core, err, AG_EXC_OPERATIONAL, "connection to server at \"%s\" timed out",
                         host ? host : "");
    return AG_STEP_FAILED;
}

static ag_step check_server(ag_pq *c, ag_error *err)
{
    int version = PQserverVersion(c->pg);
    const char *encoding = PQparameterStatus(c->pg, "client_encoding");
    if (version < MIN_SERVER) {
        (void)ag_driver_fail(c->base.core, err, AG_EXC_NOT_SUPPORTED,
                             "argent needs PostgreSQL 12 or newer, the server is %s",
                             PQparameterStatus(c->pg, "server_version"));
        return AG_STEP_FAILED;
    }
    if (PQsetnonblocking(c->pg, 1) != 0 || PQenterPipelineMode(c->pg) != 1) {
        ag_pq_conn_error(c, "preparing the connection", err);
        return AG_STEP_FAILED;
    }
    if (encoding && strcmp(encoding, "UTF8") != 0) {
        (void)ag_driver_fail(c->base.core, err, AG_EXC_OPERATIONAL, "the server does not speak UTF8 but %s", encoding);
        return AG_STEP_FAILED;
    }
    ag_pq_free_options(c); /* the password among them */
    c->setup_pending = true;
    c->phase = AG_PQ_OPEN;
    return AG_STEP_DONE;
}

static ag_step poll_wait(ag_pq *c, PostgresPollingStatusType how, ag_wait *w)
{
    int64_t end = c->host_deadline < c->connect_deadline ? c->host_deadline : c->connect_deadline;
    *w = (ag_wait){.fd = PQsocket(c->pg), .deadline = end};
    w->mode = how == PGRES_POLLING_WRITING ? AG_WAIT_WRITE : AG_WAIT_READ;
    return AG_STEP_WAIT;
}

ag_step ag_pq_open_step(ag_dconn *base, ag_wait *w, ag_error *err)
{
    ag_pq *c = ag_pq_of(base);
    int64_t now = base->core->now_us();
    if (c->phase == AG_PQ_OPEN)
        return AG_STEP_DONE;
    PostgresPollingStatusType how = PGRES_POLLING_WRITING; /* libpq: before the first poll wait for writing */
    if (c->phase == AG_PQ_START) {
        if (start(c, err) != AG_OK)
            return AG_STEP_FAILED;
        (void)PQsetNoticeReceiver(c->pg, drop_notice, NULL);
        c->phase = AG_PQ_CONNECTING;
    } else if (now >= c->connect_deadline) {
        return fail_timeout(c, err);
    } else if (now >= c->host_deadline) {
        if (!skip_host(c))
            return fail_timeout(c, err);
        c->phase = AG_PQ_START;
        return ag_pq_open_step(base, w, err); /* once for each host at most */
    } else {
        how = PQconnectPoll(c->pg);
    }
    if (PQstatus(c->pg) == CONNECTION_BAD || how == PGRES_POLLING_FAILED) {
        ag_pq_conn_error(c, "connecting", err);
        if (err)
            err->disconnect = false; /* there was none yet */
        return AG_STEP_FAILED;
    }
    if (how == PGRES_POLLING_OK)
        return check_server(c, err);
    if (!watch_host(c, now)) {
        (void)base->core->fail_nomem(err);
        return AG_STEP_FAILED;
    }
    return poll_wait(c, how, w);
}

void ag_pq_close(ag_dconn *base)
{
    if (!base)
        return;
    ag_pq *c = ag_pq_of(base);
    const ag_alloc *a = base->alloc;
    const ag_services *core = base->core;
    ag_pq_cancel_close(c);
    while (c->ncmds)
        ag_pq_pop_cmd(c);
    ag_pq_stmt_unref(c, c->send_stmt);
    c->send_stmt = NULL;
    ag_pq_stmts_clear(c, false);
    ag_stmt_cache_clear(&c->cache);
    ag_pq_cursors_forget(c, false);
    PQfinish(c->pg); /* sends Terminate; the socket is non-blocking */
    ag_pq_free_options(c);
    ag_pq_params_clear(c);
    ag_pq_codec_clear(&c->codec);
    core->error_clear(&c->lost_error);
    core->error_clear(&c->local_error);
    core->error_clear(&c->fetch_error);
    core->buf_clear(&c->text);
    ag_driver_free(a, c->current_host);
    ag_driver_free(a, c->items);
    ag_driver_free(a, c->cmds);
    ag_driver_free(a, c->dealloc);
    ag_driver_free(a, c->cursors);
    ag_pq_plan_clear(c, &c->plan);
    ag_driver_free(a, c);
}

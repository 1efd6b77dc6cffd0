/* What a URL and connect_args become for libpq. Every libpq keyword passes through (PQconndefaults lists them), so
 * TLS and the rest need no list here; our own defaults stand first and can be overridden, our own options are taken
 * out. */
#include "driver/pq_impl.h"

#include <stdio.h>

enum { DEFAULT_STATEMENTS = 256, DEFAULT_CONNECT_TIMEOUT = 10 };

static const char own_options[] = "prepared_statement_cache_size";

/* keepalives alone miss a peer that vanishes while data is unacknowledged, tcp_user_timeout alone one that vanishes
 * while nothing is sent. */
static const ag_connect_option defaults[] = {
    {"client_encoding", "UTF8"},   {"fallback_application_name", "argent"},
    {"keepalives", "1"},           {"keepalives_idle", "30"},
    {"keepalives_interval", "10"}, {"keepalives_count", "3"},
    {"tcp_user_timeout", "30000"}, {"gssencmode", "disable"},
};

/* Add or replace one keyword; the value is copied. */
static ag_status put(ag_pq *c, const char *key, const char *value, ag_error *err)
{
    const ag_alloc *a = c->base.alloc;
    size_t i = 0;
    while (i < c->nkeys && strcmp(c->keys[i], key) != 0)
        i++;
    char *v = ag_driver_strndup(a, value, strlen(value));
    if (!v)
        return c->base.core->fail_nomem(err);
    if (i < c->nkeys) {
        ag_driver_free(a, c->vals[i]);
        c->vals[i] = v;
        return AG_OK;
    }
    char *k = i + 1 < c->cap_keys ? ag_driver_strndup(a, key, strlen(key)) : NULL;
    if (!k) {
        ag_driver_free(a, v);
        return c->base.core->fail_nomem(err);
    }
    c->keys[i] = k;
    c->vals[i] = v;
    c->nkeys++;
    return AG_OK;
}

static ag_status unknown_option(ag_pq *c, const PQconninfoOption *known, const char *key, ag_error *err)
{
    const ag_services *core = c->base.core;
    ag_buf names = {.alloc = c->base.alloc};
    ag_driver_add(core, &names, own_options, strlen(own_options));
    for (; known && known->keyword; known++) {
        ag_driver_add(core, &names, ", ", 2);
        ag_driver_add(core, &names, known->keyword, strlen(known->keyword));
    }
    ag_driver_add_char(core, &names, '\0');
    ag_status st = ag_driver_fail(core, err, AG_EXC_ARGUMENT, "postgresql: unknown option '%s' (known: %s)", key,
                                  names.failed ? own_options : names.data);
    core->buf_clear(&names);
    return st;
}

static bool is_known(const PQconninfoOption *known, const char *key)
{
    for (; known && known->keyword; known++) {
        if (strcmp(known->keyword, key) == 0)
            return true;
    }
    return false;
}

static ag_status number(ag_pq *c, const ag_connect_option *o, int64_t max, int64_t *out, ag_error *err)
{
    if (c->base.core->parse_int64(o->value, strlen(o->value), out) && *out >= 0 && *out <= max)
        return AG_OK;
    return ag_driver_fail(c->base.core, err, AG_EXC_ARGUMENT,
                          "postgresql: option %s must be a number from 0 to %lld, not '%s'", o->key, (long long)max,
                          o->value);
}

static ag_status add_host(ag_pq *c, const char *host, const char *port, ag_error *err)
{
    const ag_alloc *a = c->base.alloc;
    char *h = ag_driver_strndup(a, host, strlen(host));
    char *p = ag_driver_strndup(a, port, strlen(port));
    if (!h || !p) {
        ag_driver_free(a, h);
        ag_driver_free(a, p);
        return c->base.core->fail_nomem(err);
    }
    c->hosts[c->nhosts] = h;
    c->ports[c->nhosts++] = p;
    return AG_OK;
}

static ag_status read_hosts(ag_pq *c, const ag_connect_params *p, ag_error *err)
{
    const ag_alloc *a = c->base.alloc;
    if (!p->nhosts)
        return AG_OK;
    c->hosts = ag_driver_zero(a, p->nhosts * sizeof *c->hosts);
    c->ports = ag_driver_zero(a, p->nhosts * sizeof *c->ports);
    if (!c->hosts || !c->ports)
        return c->base.core->fail_nomem(err);
    for (size_t i = 0; i < p->nhosts; i++) {
        char port[8] = "";
        if (p->ports && p->ports[i])
            (void)snprintf(port, sizeof port, "%u", (unsigned)p->ports[i]);
        if (strchr(p->hosts[i] ? p->hosts[i] : "", ','))
            return ag_driver_fail(c->base.core, err, AG_EXC_ARGUMENT, "postgresql: a host name holds a comma");
        AG_TRY(add_host(c, p->hosts[i] ? p->hosts[i] : "", port, err));
    }
    return AG_OK;
}

static ag_status read_one(ag_pq *c, const ag_connect_option *o, const PQconninfoOption *known, ag_error *err)
{
    int64_t n;
    if (strcmp(o->key, own_options) == 0) {
        AG_TRY(number(c, o, 1000000, &n, err));
        c->cache.limit = (size_t)n;
        return AG_OK;
    }
    if (strcmp(o->key, "connect_timeout") == 0) {
        AG_TRY(number(c, o, 86400, &n, err));
        c->host_timeout = n ? n * 1000000 : AG_NO_DEADLINE; /* libpq leaves it to whoever polls: us */
        return AG_OK;
    }
    if (strcmp(o->key, "client_encoding") == 0)
        return ag_driver_fail(c->base.core, err, AG_EXC_ARGUMENT, "postgresql: client_encoding is always UTF8");
    if (strcmp(o->key, "replication") == 0 || !is_known(known, o->key))
        return unknown_option(c, known, o->key, err);
    return put(c, o->key, o->value, err);
}

ag_status ag_pq_read_options(ag_pq *c, const ag_connect_params *p, ag_error *err)
{
    const ag_services *core = c->base.core;
    size_t ndefaults = sizeof defaults / sizeof *defaults;
    ag_status st = AG_OK;
    c->host_timeout = DEFAULT_CONNECT_TIMEOUT * INT64_C(1000000);
    c->cache.limit = DEFAULT_STATEMENTS;
    c->cap_keys = ndefaults + p->noptions + 6; /* user password dbname host port, and the closing NULL */
    c->keys = ag_driver_zero(c->base.alloc, c->cap_keys * sizeof *c->keys);
    c->vals = ag_driver_zero(c->base.alloc, c->cap_keys * sizeof *c->vals);
    if (!c->keys || !c->vals)
        return core->fail_nomem(err);
    for (size_t i = 0; i < ndefaults && st == AG_OK; i++)
        st = put(c, defaults[i].key, defaults[i].value, err);
    if (st == AG_OK && p->username)
        st = put(c, "user", p->username, err);
    if (st == AG_OK && p->password)
        st = put(c, "password", p->password, err);
    if (st == AG_OK && p->database)
        st = put(c, "dbname", p->database, err);
    if (st == AG_OK)
        st = read_hosts(c, p, err);
    PQconninfoOption *known = PQconndefaults();
    for (size_t i = 0; i < p->noptions && st == AG_OK; i++)
        st = read_one(c, &p->options[i], known, err);
    PQconninfoFree(known);
    return st;
}

void ag_pq_free_options(ag_pq *c)
{
    const ag_alloc *a = c->base.alloc;
    for (size_t i = 0; i < c->nkeys; i++) {
        if (strcmp(c->keys[i], "password") == 0)
            memset(c->vals[i], 0, strlen(c->vals[i]));
        ag_driver_free(a, c->keys[i]);
        ag_driver_free(a, c->vals[i]);
    }
    for (size_t i = 0; i < c->nhosts; i++) {
        ag_driver_free(a, c->hosts[i]);
        ag_driver_free(a, c->ports[i]);
    }
    ag_driver_free(a, c->keys);
    ag_driver_free(a, c->vals);
    ag_driver_free(a, c->hosts);
    ag_driver_free(a, c->ports);
    c->keys = c->vals = c->hosts = c->ports = NULL;
    c->nkeys = c->nhosts = 0;
}

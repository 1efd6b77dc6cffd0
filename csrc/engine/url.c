/* URL objects: making them from parts, changing, comparing, asking. Immutable: a change copies. */
#include "engine/url_internal.h"
#include "base/map.h"
#include "base/utf8.h"
#include <string.h>

ag_url *ag_url_alloc(const ag_alloc *a)
{
    ag_url *u = ag_mem_zero(a, 1, sizeof *u);
    if (!u)
        return NULL;
    u->refs = 1;
    u->alloc = a;
    u->p.port = -1;
    ag_arena_init(&u->arena, a);
    return u;
}

ag_url *ag_url_ref(ag_url *u)
{
    u->refs++;
    return u;
}

void ag_url_unref(ag_url *u)
{
    if (!u || --u->refs)
        return;
    ag_arena_clear(&u->arena);
    ag_mem_free(u->alloc, u);
}

static ag_status copy_str(ag_str *out, ag_str s, const char *what, ag_url *u, ag_error *err)
{
    *out = (ag_str){NULL, 0};
    if (!s.p)
        return AG_OK;
    if (s.n && memchr(s.p, '\0', s.n))
        return ag_fail(err, AG_EXC_ARGUMENT, "the URL's %s must not hold a NUL byte", what);
    if (!ag_utf8_valid(s.p, s.n))
        return ag_fail(err, AG_EXC_ARGUMENT, "the URL's %s is not valid UTF-8", what);
    char *p = ag_arena_strndup(&u->arena, s.p, s.n);
    if (!p)
        return ag_fail_nomem(err);
    *out = (ag_str){p, s.n};
    return AG_OK;
}

static ag_status check_drivername(ag_str s, ag_error *err)
{
    if (!s.p || !s.n)
        return ag_fail(err, AG_EXC_ARGUMENT, "a URL needs a drivername: dialect or dialect+driver");
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+'))
            return ag_fail(err, AG_EXC_ARGUMENT,
                           "the URL's drivername may hold letters, digits, '_' and '+' only, not byte %zu of \"%.*s\"",
                           i + 1, (int)(s.n > 60 ? 60 : s.n), s.p);
    }
    return AG_OK;
}

static ag_status copy_args(ag_url *u, const ag_url_arg *args, size_t n, ag_error *err)
{
    u->p.args = NULL;
    u->p.nargs = 0;
    if (!n)
        return AG_OK;
    ag_url_arg *list = ag_arena_zero(&u->arena, n, sizeof *list);
    if (!list)
        return ag_fail_nomem(err);
    for (size_t i = 0; i < n; i++) {
        if (!args[i].key.n)
            return ag_fail(err, AG_EXC_ARGUMENT, "a key of the URL's query is empty");
        AG_TRY(copy_str(&list[i].key, args[i].key, "query", u, err));
        AG_TRY(copy_str(&list[i].value, args[i].value, "query", u, err));
        if (!list[i].value.p)
            list[i].value = AG_STR("");
    }
    u->p.args = list;
    u->p.nargs = n;
    return AG_OK;
}

static ag_status copy_parts(ag_url *u, const ag_url_parts *p, ag_error *err)
{
    AG_TRY(check_drivername(p->drivername, err));
    if (p->port != -1 && (p->port < 1 || p->port > 65535))
        return ag_fail(err, AG_EXC_ARGUMENT, "the URL's port must be from 1 to 65535, not %d", p->port);
    u->p.port = p->port;
    AG_TRY(copy_str(&u->p.drivername, p->drivername, "drivername", u, err));
    AG_TRY(copy_str(&u->p.username, p->username, "username", u, err));
    AG_TRY(copy_str(&u->p.password, p->password, "password", u, err));
    AG_TRY(copy_str(&u->p.host, p->host, "host", u, err));
    AG_TRY(copy_str(&u->p.database, p->database, "database", u, err));
    return copy_args(u, p->args, p->nargs, err);
}

ag_status ag_url_create(ag_url **out, const ag_alloc *a, const ag_url_parts *parts, ag_error *err)
{
    *out = NULL;
    ag_url *u = ag_url_alloc(a);
    if (!u)
        return ag_fail_nomem(err);
    ag_status st = copy_parts(u, parts, err);
    if (st != AG_OK) {
        ag_url_unref(u);
        return st;
    }
    *out = u;
    return AG_OK;
}

ag_status ag_url_set(ag_url **out, const ag_url *u, const ag_url_parts *parts, unsigned fields, ag_error *err)
{
    ag_url_parts p = u->p;
    if (fields & AG_URL_DRIVERNAME)
        p.drivername = parts->drivername;
    if (fields & AG_URL_USERNAME)
        p.username = parts->username;
    if (fields & AG_URL_PASSWORD)
        p.password = parts->password;
    if (fields & AG_URL_HOST)
        p.host = parts->host;
    if (fields & AG_URL_PORT)
        p.port = parts->port;
    if (fields & AG_URL_DATABASE)
        p.database = parts->database;
    if (fields & AG_URL_QUERY) {
        p.args = parts->args;
        p.nargs = parts->nargs;
    }
    return ag_url_create(out, u->alloc, &p, err);
}

static bool has_key(const ag_url_arg *args, size_t n, ag_str key)
{
    for (size_t i = 0; i < n; i++)
        if (ag_str_equal(args[i].key, key))
            return true;
    return false;
}

static size_t add_key(ag_url_arg *list, size_t n, const ag_url_arg *args, size_t nargs, ag_str key)
{
    for (size_t i = 0; i < nargs; i++)
        if (ag_str_equal(args[i].key, key))
            list[n++] = args[i];
    return n;
}

/* Each key once, at the place of its first appearance, with its old values (unless replaced) and then the new ones. */
static size_t merge_args(ag_url_arg *list, const ag_url_parts *old, const ag_url_arg *args, size_t nargs, bool append)
{
    size_t n = 0;
    for (size_t i = 0; i < old->nargs; i++) {
        ag_str key = old->args[i].key;
        if (has_key(list, n, key))
            continue;
        if (append || !has_key(args, nargs, key))
            n = add_key(list, n, old->args, old->nargs, key);
        n = add_key(list, n, args, nargs, key);
    }
    for (size_t i = 0; i < nargs; i++)
        if (!has_key(list, n, args[i].key))
            n = add_key(list, n, args, nargs, args[i].key);
    return n;
}

ag_status ag_url_update_query(ag_url **out, const ag_url *u, const ag_url_arg *args, size_t nargs, bool append,
                              ag_error *err)
{
    *out = NULL;
    ag_url_arg *list = ag_mem_zero(u->alloc, u->p.nargs + nargs + 1, sizeof *list);
    if (!list)
        return ag_fail_nomem(err);
    ag_url_parts p = u->p;
    p.args = list;
    p.nargs = merge_args(list, &u->p, args, nargs, append);
    ag_status st = ag_url_create(out, u->alloc, &p, err);
    ag_mem_free(u->alloc, list);
    return st;
}

ag_status ag_url_update_query_string(ag_url **out, const ag_url *u, const char *query, size_t len, bool append,
                                     ag_error *err)
{
    *out = NULL;
    ag_arena ar;
    ag_arena_init(&ar, u->alloc);
    const ag_url_arg *args;
    size_t nargs;
    ag_status st = ag_url_parse_query(&args, &nargs, query, 0, len, &ar, err);
    if (st == AG_OK)
        st = ag_url_update_query(out, u, args, nargs, append, err);
    ag_arena_clear(&ar);
    return st;
}

ag_status ag_url_difference_query(ag_url **out, const ag_url *u, const ag_str *names, size_t n, ag_error *err)
{
    *out = NULL;
    ag_url_arg *list = ag_mem_zero(u->alloc, u->p.nargs + 1, sizeof *list);
    if (!list)
        return ag_fail_nomem(err);
    ag_url_parts p = u->p;
    p.args = list;
    p.nargs = 0;
    for (size_t i = 0; i < u->p.nargs; i++) {
        bool drop = false;
        for (size_t k = 0; k < n && !drop; k++)
            drop = ag_str_equal(names[k], u->p.args[i].key);
        if (!drop)
            list[p.nargs++] = u->p.args[i];
    }
    ag_status st = ag_url_create(out, u->alloc, &p, err);
    ag_mem_free(u->alloc, list);
    return st;
}

/* The k-th value of a key, or NULL. */
static const ag_str *nth_value(const ag_url_parts *p, ag_str key, size_t k)
{
    for (size_t i = 0; i < p->nargs; i++)
        if (ag_str_equal(p->args[i].key, key) && k-- == 0)
            return &p->args[i].value;
    return NULL;
}

static bool args_equal(const ag_url_parts *a, const ag_url_parts *b)
{
    if (a->nargs != b->nargs)
        return false;
    for (size_t i = 0; i < a->nargs; i++) {
        size_t k = 0;
        for (size_t j = 0; j < i; j++)
            k += ag_str_equal(a->args[j].key, a->args[i].key);
        const ag_str *v = nth_value(b, a->args[i].key, k);
        if (!v || !ag_str_equal(*v, a->args[i].value))
            return false;
    }
    return true;
}

bool ag_url_equal(const ag_url *a, const ag_url *b)
{
    const ag_url_parts *p = &a->p, *q = &b->p;
    return p->port == q->port && ag_str_equal(p->drivername, q->drivername) && ag_str_equal(p->username, q->username) &&
           ag_str_equal(p->password, q->password) && ag_str_equal(p->host, q->host) &&
           ag_str_equal(p->database, q->database) && args_equal(p, q);
}

uint64_t ag_url_hash(const ag_url *u)
{
    const ag_str *parts[] = {&u->p.drivername, &u->p.username, &u->p.password, &u->p.host, &u->p.database};
    uint64_t h = ag_hash_u64(1, (uint64_t)u->p.port), args = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        h = ag_hash_bytes(ag_hash_u64(h, parts[i]->p != NULL), parts[i]->p ? parts[i]->p : "", parts[i]->n);
    for (size_t i = 0; i < u->p.nargs; i++) {
        const ag_url_arg *a = &u->p.args[i];
        args += ag_hash_bytes(ag_hash_bytes(2, a->key.p, a->key.n), a->value.p, a->value.n);
    }
    return ag_hash_u64(h, args);
}

void ag_url_names(const ag_url *u, ag_str *backend, ag_str *driver)
{
    ag_str s = u->p.drivername;
    const char *plus = memchr(s.p, '+', s.n);
    if (!plus) {
        *backend = s;
        *driver = AG_STR("");
        return;
    }
    *backend = (ag_str){s.p, (size_t)(plus - s.p)};
    *driver = (ag_str){plus + 1, s.n - backend->n - 1};
}

const ag_str *ag_url_arg_get(const ag_url *u, const char *key)
{
    for (size_t i = 0; i < u->p.nargs; i++)
        if (ag_str_is(u->p.args[i].key, key))
            return &u->p.args[i].value;
    return NULL;
}

bool ag_url_bool(ag_str text, bool *out)
{
    static const char *const yes[] = {"true", "yes", "on", "y", "t", "1"};
    static const char *const no[] = {"false", "no", "off", "n", "f", "0"};
    char low[8];
    if (!text.n || text.n >= sizeof low)
        return false;
    for (size_t i = 0; i < text.n; i++)
        low[i] = text.p[i] >= 'A' && text.p[i] <= 'Z' ? (char)(text.p[i] + 32) : text.p[i];
    low[text.n] = '\0';
    for (size_t i = 0; i < 6; i++) {
        if (strcmp(low, yes[i]) == 0 || strcmp(low, no[i]) == 0) {
            *out = strcmp(low, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

/* Writing URLs, and the list of hosts that libpq's multi-host forms stand for. */
#include "engine/url_internal.h"
#include <string.h>

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '~';
}

/* Percent-encode what is neither unreserved nor in safe; plus: a space becomes '+'. */
static void quote(ag_buf *out, ag_str s, const char *safe, bool plus)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_unreserved((char)c) || strchr(safe, c)) {
            ag_buf_char(out, (char)c);
        } else if (plus && c == ' ') {
            ag_buf_char(out, '+');
        } else {
            char esc[3] = {'%', hex[c >> 4], hex[c & 15]};
            ag_buf_add(out, esc, 3);
        }
    }
}

static bool is_secret(ag_str key)
{
    static const char *const names[] = {"password", "passwd", "pwd", "sslpassword", "passphrase", "token", "key"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ag_str_is(key, names[i]))
            return true;
    return false;
}

static void render_host(ag_buf *out, ag_str h)
{
    if (memchr(h.p, ',', h.n)) {
        quote(out, h, ":,[]", false);
        return;
    }
    bool v6 = memchr(h.p, ':', h.n) != NULL;
    if (v6)
        ag_buf_char(out, '[');
    quote(out, h, ":", false);
    if (v6)
        ag_buf_char(out, ']');
}

static int compare_keys(ag_str a, ag_str b)
{
    int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* The entry that follows entry `last` (NULL: the first) in key order, stable within a key. */
static const ag_url_arg *next_arg(const ag_url_parts *p, const ag_url_arg *last)
{
    const ag_url_arg *best = NULL;
    for (size_t i = 0; i < p->nargs; i++) {
        const ag_url_arg *a = &p->args[i];
        int c = last ? compare_keys(a->key, last->key) : 1;
        if (c < 0 || (c == 0 && a <= last))
            continue;
        if (!best || compare_keys(a->key, best->key) < 0)
            best = a;
    }
    return best;
}

static void render_query(ag_buf *out, const ag_url_parts *p, bool hide)
{
    char sep = '?';
    for (const ag_url_arg *a = next_arg(p, NULL); a; a = next_arg(p, a)) {
        ag_buf_char(out, sep);
        sep = '&';
        quote(out, a->key, "", true);
        ag_buf_char(out, '=');
        if (hide && is_secret(a->key))
            ag_buf_str(out, "***");
        else
            quote(out, a->value, "", true);
    }
}

void ag_url_render(ag_buf *out, const ag_url *u, bool hide_password)
{
    const ag_url_parts *p = &u->p;
    ag_buf_add(out, p->drivername.p, p->drivername.n);
    ag_buf_str(out, "://");
    if (p->username.p || p->password.p) {
        quote(out, p->username, " +", false);
        if (p->password.p) {
            ag_buf_char(out, ':');
            if (hide_password)
                ag_buf_str(out, "***");
            else
                quote(out, p->password, " +", false);
        }
        ag_buf_char(out, '@');
    }
    if (p->host.p)
        render_host(out, p->host);
    if (p->port != -1) {
        ag_buf_char(out, ':');
        ag_buf_int(out, p->port);
    }
    if (p->database.p) {
        ag_buf_char(out, '/');
        quote(out, p->database, " +/:", false);
    }
    render_query(out, p, hide_password);
}

/* ---- hosts ---- */

typedef struct host_list {
    const char **hosts;
    uint16_t *ports;
    size_t n, cap, nhosts_given, nports_given;
    ag_arena *ar;
    ag_error *err;
} host_list;

static ag_status add_host(host_list *l, const char *s, size_t n, int port)
{
    if (n && s[0] == '[' && s[n - 1] == ']')
        s++, n -= 2;
    char *copy = ag_arena_strndup(l->ar, s, n);
    if (!copy)
        return ag_fail_nomem(l->err);
    l->hosts[l->n] = copy;
    l->ports[l->n++] = (uint16_t)(port > 0 ? port : 0);
    return AG_OK;
}

static ag_status bad_port(ag_error *err)
{
    return ag_fail(err, AG_EXC_ARGUMENT,
                   "Received non-integer port arguments in the URL's host list: a port is a "
                   "number from 1 to 65535");
}

/* host[:port]; of a lone host a text after ':' that is no number belongs to the name, as does anything in a path. */
static ag_status add_host_port(host_list *l, const char *s, size_t n, bool lone)
{
    const char *colon = NULL;
    if (n && s[0] != '/')
        for (size_t i = 0; i < n; i++)
            colon = s[i] == ':' ? s + i : s[i] == ']' ? NULL : colon;
    if (!colon)
        return add_host(l, s, n, 0);
    size_t hn = (size_t)(colon - s), pn = n - hn - 1;
    int port = 0;
    if (pn && !ag_url_parse_port(colon + 1, pn, &port))
        return lone ? add_host(l, s, n, 0) : bad_port(l->err);
    return add_host(l, s, hn, port);
}

static ag_status add_list(host_list *l, ag_str s, bool lone)
{
    for (size_t from = 0; from <= s.n;) {
        const char *comma = memchr(s.p + from, ',', s.n - from);
        size_t to = comma ? (size_t)(comma - s.p) : s.n;
        AG_TRY(add_host_port(l, s.p + from, to - from, lone));
        from = to + 1;
    }
    return AG_OK;
}

static size_t count_hosts(ag_str s)
{
    size_t n = 1;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == ',';
    return n;
}

static size_t count_all(const ag_url *u, const char *key)
{
    size_t n = 0;
    for (size_t i = 0; i < u->p.nargs; i++)
        if (ag_str_is(u->p.args[i].key, key))
            n += count_hosts(u->p.args[i].value);
    return n;
}

/* The ports of one list, from host number *at on. */
static ag_status add_port_list(host_list *l, ag_str s, size_t *at)
{
    for (size_t from = 0; from <= s.n; (*at)++) {
        const char *comma = memchr(s.p + from, ',', s.n - from);
        size_t to = comma ? (size_t)(comma - s.p) : s.n;
        int port = 0;
        if (to > from && !ag_url_parse_port(s.p + from, to - from, &port))
            return bad_port(l->err);
        if (l->ports[*at])
            return ag_fail(l->err, AG_EXC_ARGUMENT,
                           "Can't mix 'multihost' formats together: give ports either as "
                           "host=name:port or as port=…");
        l->ports[*at] = (uint16_t)port;
        from = to + 1;
    }
    return AG_OK;
}

/* ?port=1,2 beside ?host=a,b; or port=1&port=2 */
static ag_status add_ports(host_list *l, const ag_url *u)
{
    size_t at = 0;
    if (!ag_url_arg_get(u, "port"))
        return AG_OK;
    if (count_all(u, "port") != l->n)
        return ag_fail(l->err, AG_EXC_ARGUMENT, "the number of hosts and ports in the URL's query don't match");
    for (size_t i = 0; i < u->p.nargs; i++)
        if (ag_str_is(u->p.args[i].key, "port"))
            AG_TRY(add_port_list(l, u->p.args[i].value, &at));
    return AG_OK;
}

static ag_status query_hosts(host_list *l, const ag_url *u)
{
    size_t nargs = 0;
    for (size_t i = 0; i < u->p.nargs; i++) {
        if (!ag_str_is(u->p.args[i].key, "host"))
            continue;
        nargs++;
        AG_TRY(add_list(l, u->p.args[i].value, count_all(u, "host") == 1));
    }
    if (nargs > 1 && ag_url_arg_get(u, "port"))
        return ag_fail(l->err, AG_EXC_ARGUMENT,
                       "Can't mix 'multihost' formats together: with several host= give ports as host=name:port");
    return add_ports(l, u);
}

static ag_status plain_host(host_list *l, const ag_url *u)
{
    AG_TRY(add_host(l, u->p.host.p ? u->p.host.p : "", u->p.host.n, u->p.port));
    return u->p.port == -1 ? add_ports(l, u) : AG_OK;
}

ag_status ag_url_hosts(const ag_url *u, ag_arena *ar, const char *const **hosts, const uint16_t **ports, size_t *nhosts,
                       ag_error *err)
{
    bool list = u->p.host.p && memchr(u->p.host.p, ',', u->p.host.n), query = ag_url_arg_get(u, "host") != NULL;
    host_list l = {.ar = ar, .err = err};
    l.cap = count_all(u, "host") + count_hosts(u->p.host) + 1;
    l.hosts = ag_arena_zero(ar, l.cap, sizeof *l.hosts);
    l.ports = ag_arena_zero(ar, l.cap, sizeof *l.ports);
    if (!l.hosts || !l.ports)
        return ag_fail_nomem(err);
    if (query)
        AG_TRY(query_hosts(&l, u));
    else if (list)
        AG_TRY(add_list(&l, u->p.host, false));
    else if (u->p.host.p || u->p.port != -1 || ag_url_arg_get(u, "port"))
        AG_TRY(plain_host(&l, u));
    *hosts = l.hosts;
    *ports = l.ports;
    *nhosts = l.n;
    return AG_OK;
}

/* Reading URLs: text to parts. The grammar stands in url.h; every refusal says what is wrong and at which byte,
 * and never quotes what may be a password. Decoded bytes live in the URL's arena. */
#include "engine/url_internal.h"
#include "base/utf8.h"
#include <string.h>

typedef struct scan {
    const char *s;
    size_t len, at;
    ag_url *url;
    ag_error *err;
} scan;

static ag_status bad(const scan *sc, size_t at, const char *what)
{
    return ag_fail(sc->err, AG_EXC_ARGUMENT, "Could not parse database URL: %s (at byte %zu)", what, at + 1);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+';
}

static bool is_digits(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] < '0' || s[i] > '9')
            return false;
    return n > 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

ag_status ag_url_decode(ag_str *out, const char *s, size_t from, size_t to, bool plus, const char *what, ag_arena *ar,
                        ag_error *err)
{
    char *p = ag_arena_new(ar, to - from + 1);
    if (!p)
        return ag_fail_nomem(err);
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        char c = s[i];
        if (c == '%') {
            int hi = i + 2 < to ? hex_digit(s[i + 1]) : -1, lo = i + 2 < to ? hex_digit(s[i + 2]) : -1;
            if (hi < 0 || lo < 0)
                return ag_fail(err, AG_EXC_ARGUMENT,
                               "Could not parse database URL: bad percent-escape in the %s (at byte %zu); a literal "
                               "%% is written %%25",
                               what, i + 1);
            c = (char)(hi * 16 + lo);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == '\0')
            return ag_fail(err, AG_EXC_ARGUMENT, "Could not parse database URL: NUL in the %s", what);
        p[n++] = c;
    }
    p[n] = '\0';
    if (!ag_utf8_valid(p, n))
        return ag_fail(err, AG_EXC_ARGUMENT, "Could not parse database URL: the %s is not valid UTF-8", what);
    *out = (ag_str){p, n};
    return AG_OK;
}

bool ag_url_parse_port(const char *s, size_t len, int *out)
{
    if (len > 5 || !is_digits(s, len))
        return false;
    int v = 0;
    for (size_t i = 0; i < len; i++)
        v = v * 10 + (s[i] - '0');
    *out = v;
    return v >= 1 && v <= 65535;
}

static size_t find(const char *s, size_t from, size_t to, char c)
{
    const char *p = from < to ? memchr(s + from, c, to - from) : NULL;
    return p ? (size_t)(p - s) : to;
}

static size_t find_either(const char *s, size_t from, size_t to, char a, char b)
{
    size_t i = from;
    while (i < to && s[i] != a && s[i] != b)
        i++;
    return i;
}

static ag_status scan_name(scan *sc)
{
    while (sc->at < sc->len && is_word(sc->s[sc->at]))
        sc->at++;
    if (sc->at == 0)
        return bad(sc, 0, "expected dialect://… or dialect+driver://…");
    if (sc->len - sc->at < 3 || memcmp(sc->s + sc->at, "://", 3) != 0)
        return bad(
            sc, sc->at,
            "expected \"://\" after the driver name, as in sqlite:///file.db or postgresql://user@host/database");
    AG_TRY(ag_url_decode(&sc->url->p.drivername, sc->s, 0, sc->at, false, "driver name", &sc->url->arena, sc->err));
    sc->at += 3;
    return AG_OK;
}

/* user@ without a password, before end: the last '@' ends it. */
static ag_status scan_user_alone(scan *sc, size_t end)
{
    size_t limit = find(sc->s, sc->at, end, '?');
    while (limit > sc->at && sc->s[limit - 1] != '@')
        limit--;
    if (limit == sc->at)
        return AG_OK;
    AG_TRY(ag_url_decode(&sc->url->p.username, sc->s, sc->at, limit - 1, false, "user name", &sc->url->arena, sc->err));
    sc->at = limit;
    return AG_OK;
}

/* user[:password]@. The user ends at the first ':' or '/', the password at the first '@' (so it may hold '/' and
 * '?', as SQLAlchemy takes it); host:port followed by '?' or by a path and a '?' is not mistaken for one. */
static ag_status scan_user(scan *sc)
{
    const char *s = sc->s;
    size_t user_end = find_either(s, sc->at, sc->len, ':', '/');
    if (user_end == sc->len || s[user_end] == '/')
        return scan_user_alone(sc, user_end);
    size_t at = find(s, user_end + 1, sc->len, '@'), q = find(s, sc->at, sc->len, '?');
    if (q < user_end || at == sc->len)
        return scan_user_alone(sc, user_end); /* no '@' after the ':', or it belongs to the query: user@host:port */
    size_t port_end = find_either(s, user_end + 1, at, '/', '?');
    if (q < at && is_digits(s + user_end + 1, port_end - user_end - 1))
        return scan_user_alone(sc, user_end);
    AG_TRY(ag_url_decode(&sc->url->p.username, s, sc->at, user_end, false, "user name", &sc->url->arena, sc->err));
    AG_TRY(ag_url_decode(&sc->url->p.password, s, user_end + 1, at, false, "password", &sc->url->arena, sc->err));
    sc->at = at + 1;
    return AG_OK;
}

/* One host[:port] in [from, to); *host_end is where the port's ':' stands (to when there is none). */
static ag_status check_host(const scan *sc, size_t from, size_t to, size_t *host_end, int *port)
{
    const char *s = sc->s;
    *port = -1;
    size_t colon = find(s, from, to, ':');
    if (from < to && s[from] == '[') {
        size_t close = find(s, from, to, ']');
        if (close == to)
            return bad(sc, from, "'[' without ']' in the host");
        if (close == from + 1)
            return bad(sc, from, "empty host in []");
        colon = close + 1;
        if (colon < to && s[colon] != ':')
            return bad(sc, colon, "expected ':' or '/' after ']'");
    }
    *host_end = colon;
    if (colon < to && !ag_url_parse_port(s + colon + 1, to - colon - 1, port))
        return bad(sc, colon + 1, "the port is not a number from 1 to 65535");
    return AG_OK;
}

static ag_status scan_host_list(scan *sc, size_t end)
{
    for (size_t from = sc->at; from <= end;) {
        size_t to = find(sc->s, from, end, ','), host_end;
        int port;
        AG_TRY(check_host(sc, from, to, &host_end, &port));
        if (host_end == from)
            return bad(sc, from, "empty host in the host list");
        from = to + 1;
    }
    AG_TRY(ag_url_decode(&sc->url->p.host, sc->s, sc->at, end, false, "host list", &sc->url->arena, sc->err));
    sc->at = end;
    return AG_OK;
}

static ag_status scan_host(scan *sc)
{
    size_t end = find_either(sc->s, sc->at, sc->len, '/', '?'), host_end;
    if (end == sc->at)
        return AG_OK;
    if (find(sc->s, sc->at, end, ',') < end)
        return scan_host_list(sc, end);
    AG_TRY(check_host(sc, sc->at, end, &host_end, &sc->url->p.port));
    size_t from = sc->at, to = host_end;
    if (sc->s[from] == '[')
        from++, to--;
    if (to > from)
        AG_TRY(ag_url_decode(&sc->url->p.host, sc->s, from, to, false, "host", &sc->url->arena, sc->err));
    sc->at = end;
    return AG_OK;
}

static ag_status scan_arg(ag_url_arg *out, const char *s, size_t from, size_t to, ag_arena *ar, ag_error *err)
{
    size_t eq = find(s, from, to, '=');
    if (eq == to)
        return ag_fail(err, AG_EXC_ARGUMENT,
                       "Could not parse database URL: expected key=value in the query (at byte %zu)", from + 1);
    if (eq == from)
        return ag_fail(err, AG_EXC_ARGUMENT, "Could not parse database URL: empty key in the query (at byte %zu)",
                       from + 1);
    AG_TRY(ag_url_decode(&out->key, s, from, eq, true, "query", ar, err));
    return ag_url_decode(&out->value, s, eq + 1, to, true, "query", ar, err);
}

ag_status ag_url_parse_query(const ag_url_arg **args, size_t *nargs, const char *s, size_t from, size_t len,
                             ag_arena *ar, ag_error *err)
{
    size_t count = 1, n = 0;
    for (size_t i = from; i < len; i++)
        count += s[i] == '&';
    ag_url_arg *list = ag_arena_zero(ar, count, sizeof *list);
    if (!list)
        return ag_fail_nomem(err);
    while (from < len) {
        size_t to = find(s, from, len, '&');
        if (to > from)
            AG_TRY(scan_arg(&list[n++], s, from, to, ar, err));
        from = to + 1;
    }
    *args = list;
    *nargs = n;
    return AG_OK;
}

static ag_status scan_all(scan *sc)
{
    ag_url *u = sc->url;
    if (memchr(sc->s, '\0', sc->len))
        return bad(sc, strlen(sc->s), "NUL");
    AG_TRY(scan_name(sc));
    AG_TRY(scan_user(sc));
    AG_TRY(scan_host(sc));
    if (sc->at < sc->len && sc->s[sc->at] == '/') {
        size_t end = find(sc->s, sc->at, sc->len, '?');
        AG_TRY(ag_url_decode(&u->p.database, sc->s, sc->at + 1, end, false, "database", &u->arena, sc->err));
        sc->at = end;
    }
    if (sc->at < sc->len && sc->s[sc->at] == '?')
        AG_TRY(ag_url_parse_query(&u->p.args, &u->p.nargs, sc->s, sc->at + 1, sc->len, &u->arena, sc->err));
    return AG_OK;
}

ag_status ag_url_parse(ag_url **out, const ag_alloc *a, const char *text, size_t len, ag_error *err)
{
    *out = NULL;
    ag_url *u = ag_url_alloc(a);
    if (!u)
        return ag_fail_nomem(err);
    scan sc = {text, len, 0, u, err};
    ag_status st = scan_all(&sc);
    if (st != AG_OK) {
        ag_url_unref(u);
        return st;
    }
    *out = u;
    return AG_OK;
}

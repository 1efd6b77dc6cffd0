/* Database URLs: dialect+driver://user:password@host:port/database?key=value. Parsing, rendering and changing
 * them; no connecting. A URL is immutable and reference-counted; every change makes a new one. The grammar is
 * SQLAlchemy's (RFC 1738 with underscores in the scheme) plus libpq's host lists; what it does not accept raises
 * AG_EXC_ARGUMENT with a message that says what is wrong and at which byte, never showing the password. */
#ifndef AG_ENGINE_URL_H
#define AG_ENGINE_URL_H

#include "base/buf.h"
#include "value/value.h"

/* One query argument. Repeated keys are several entries; order is kept. */
typedef struct ag_url_arg {
    ag_str key, value;
} ag_url_arg;

/* What a URL is made of. p NULL = absent; n 0 with p = present and empty ("dbtype://host/" has an empty database).
 * All texts are decoded UTF-8 without NUL. host may be a libpq list, kept as written: "h1:5432,h2"; a lone IPv6
 * host is kept without brackets, inside a list with them. */
typedef struct ag_url_parts {
    ag_str drivername, username, password, host, database;
    int port; /* 1 … 65535, or -1 absent */
    const ag_url_arg *args;
    size_t nargs;
} ag_url_parts;

typedef struct ag_url {
    unsigned refs;
    const ag_alloc *alloc;
    ag_arena arena;
    ag_url_parts p;
} ag_url;

/* Fields for ag_url_set. */
#define AG_URL_DRIVERNAME 0x01u
#define AG_URL_USERNAME   0x02u
#define AG_URL_PASSWORD   0x04u
#define AG_URL_HOST       0x08u
#define AG_URL_PORT       0x10u
#define AG_URL_DATABASE   0x20u
#define AG_URL_QUERY      0x40u

/* make_url(text). *out gets one reference. AG_ERROR with AG_EXC_ARGUMENT, or AG_NOMEM. */
ag_status ag_url_parse(ag_url **out, const ag_alloc *a, const char *text, size_t len, ag_error *err) AG_NODISCARD;
/* URL.create(): parts are copied and checked (drivername required; no NUL; UTF-8; port range). */
ag_status ag_url_create(ag_url **out, const ag_alloc *a, const ag_url_parts *parts, ag_error *err) AG_NODISCARD;
/* url:set{…}: a copy with the fields named in `fields` (AG_URL_*) taken from parts. */
ag_status ag_url_set(ag_url **out, const ag_url *u, const ag_url_parts *parts, unsigned fields,
                     ag_error *err) AG_NODISCARD;
/* update_query_pairs: keys in args replace the old values of the same key at its old place (append: are added behind
 * them); new keys go to the end. Several args of one key are a list. */
ag_status ag_url_update_query(ag_url **out, const ag_url *u, const ag_url_arg *args, size_t nargs, bool append,
                              ag_error *err) AG_NODISCARD;
/* update_query_string: the same with "a=1&b=2" (percent-escapes and + understood). */
ag_status ag_url_update_query_string(ag_url **out, const ag_url *u, const char *query, size_t len, bool append,
                                     ag_error *err) AG_NODISCARD;
/* difference_update_query: without these keys; unknown ones are ignored. */
ag_status ag_url_difference_query(ag_url **out, const ag_url *u, const ag_str *names, size_t n,
                                  ag_error *err) AG_NODISCARD;
ag_url *ag_url_ref(ag_url *u);
void ag_url_unref(ag_url *u); /* NULL allowed */

/* Append the text form. hide_password: "***" in its place (also for an empty one), and in place of the values of
 * the query arguments password, sslpassword, passfile's kin (names in url.c). A parse of the unhidden form gives
 * an equal URL. */
void ag_url_render(ag_buf *out, const ag_url *u, bool hide_password);
/* Same parts; the order of query arguments counts only within one key. */
bool ag_url_equal(const ag_url *a, const ag_url *b);
uint64_t ag_url_hash(const ag_url *u);
/* "postgresql" and "libpq" of "postgresql+libpq"; driver is empty when not given. Borrowed from u. */
void ag_url_names(const ag_url *u, ag_str *backend, ag_str *driver);
/* First value of a query argument, or NULL. Borrowed. */
const ag_str *ag_url_arg_get(const ag_url *u, const char *key);
/* "true/yes/on/y/t/1" and their opposites (SQLAlchemy's asbool); false when the text is neither. */
bool ag_url_bool(ag_str text, bool *out);

/* The hosts to try, in order: of the authority (host:port, or a list) or else of the query's host/port arguments
 * (?host=a:1&host=b, ?host=a,b&port=1,2). Arrays live in ar. nhosts 0 = the driver's default (a local socket).
 * AG_EXC_ARGUMENT when the numbers of hosts and ports differ or a port is bad. */
ag_status ag_url_hosts(const ag_url *u, ag_arena *ar, const char *const **hosts, const uint16_t **ports, size_t *nhosts,
                       ag_error *err) AG_NODISCARD;

#endif

/* Prepared statements: preparing, keeping the recently used ones, giving them back. A statement in use by a cursor
 * is taken out of the cache, so that the same text can run meanwhile. */
#include "driver/sqlite3_impl.h"

#include <strings.h>

/* Past blanks, comments and semicolons. */
static const char *skip_blank(const char *s, const char *end)
{
    while (s < end) {
        if (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r' || *s == '\f' || *s == ';') {
            s++;
        } else if (end - s >= 2 && s[0] == '-' && s[1] == '-') {
            while (s < end && *s != '\n')
                s++;
        } else if (end - s >= 2 && s[0] == '/' && s[1] == '*') {
            s += 2;
            while (end - s >= 2 && !(s[0] == '*' && s[1] == '/'))
                s++;
            s = end - s >= 2 ? s + 2 : end;
        } else {
            break;
        }
    }
    return s;
}

const char *ag_sqlite_first_word(const char *text, size_t n, size_t *len)
{
    const char *end = text + n, *s = skip_blank(text, end), *e = s;
    while (e < end && ((*e >= 'a' && *e <= 'z') || (*e >= 'A' && *e <= 'Z')))
        e++;
    *len = (size_t)(e - s);
    return s;
}

static bool is_one_of(const char *word, size_t len, const char *const *list)
{
    for (; *list; list++) {
        if (strlen(*list) == len && strncasecmp(word, *list, len) == 0)
            return true;
    }
    return false;
}

static void classify(ag_sqlite_stmt *st, const char *text, size_t n)
{
    static const char *const dml[] = {"insert", "update", "delete", "replace", NULL};
    static const char *const control[] = {"begin", "commit", "end", "rollback", "savepoint", "release", NULL};
    size_t len;
    const char *word = ag_sqlite_first_word(text, n, &len);
    st->nparams = (uint32_t)sqlite3_bind_parameter_count(st->handle);
    st->readonly = sqlite3_stmt_readonly(st->handle) != 0;
    st->control = is_one_of(word, len, control);
    st->dml = is_one_of(word, len, dml) || (!st->readonly && len == 4 && strncasecmp(word, "with", 4) == 0);
}

static void stmt_free(ag_sqlite *c, ag_sqlite_stmt *st)
{
    (void)sqlite3_finalize(st->handle);
    ag_driver_free(c->base.alloc, st->columns);
    ag_driver_free(c->base.alloc, st->entry.key);
    ag_driver_free(c->base.alloc, st);
}

static void keep(ag_sqlite *c, ag_sqlite_stmt *st, uint64_t hash, const char *text, size_t len)
{
    if (!ag_stmt_entry_set_key(&st->entry, c->base.alloc, hash, text, len, NULL, 0) ||
        !ag_stmt_cache_add(&c->cache, &st->entry))
        return; /* works uncached as well */
    st->cached = true;
    while (c->cache.count > c->cache.limit) {
        ag_sqlite_stmt *old = (ag_sqlite_stmt *)(void *)c->cache.oldest;
        ag_stmt_cache_remove(&c->cache, &old->entry);
        stmt_free(c, old);
    }
}

/* sqlite3_prepare_v3 with the checks that it leaves to its caller. */
static int compile(ag_sqlite *c, ag_sqlite_stmt *st, const char *text, size_t len, bool persist, size_t *used,
                   ag_error *err)
{
    const ag_services *core = c->base.core;
    const char *tail = NULL;
    if (len > (size_t)sqlite3_limit(c->db, SQLITE_LIMIT_SQL_LENGTH, -1) || len > INT32_MAX - 1) {
        (void)ag_driver_fail(core, err, AG_EXC_PROGRAMMING, "the statement is %zu bytes long, SQLite's limit is %d",
                             len, sqlite3_limit(c->db, SQLITE_LIMIT_SQL_LENGTH, -1));
        return SQLITE_TOOBIG;
    }
    if (memchr(text, 0, len)) {
        (void)ag_driver_fail(core, err, AG_EXC_PROGRAMMING, "the statement holds a NUL byte");
        return SQLITE_ERROR;
    }
    c->busy_seen = false;
    int rc = sqlite3_prepare_v3(c->db, text, (int)len, persist ? SQLITE_PREPARE_PERSISTENT : 0, &st->handle, &tail);
    if (rc != SQLITE_OK) {
        bool wait = ((rc & 0xff) == SQLITE_BUSY && c->busy_seen) || rc == SQLITE_LOCKED_SHAREDCACHE;
        if (!wait)
            ag_sqlite_error(c, rc, false, err);
        return rc;
    }
    size_t n = tail ? (size_t)(tail - text) : len;
    if (used) {
        *used = n;
    } else if (skip_blank(text + n, text + len) < text + len) {
        (void)ag_driver_fail(core, err, AG_EXC_PROGRAMMING,
                             "one statement per call: there is more after the first ';'");
        return SQLITE_ERROR;
    }
    if (st->handle)
        classify(st, text, n);
    return SQLITE_OK;
}

ag_sqlite_stmt *ag_sqlite_prepare(ag_sqlite *c, const char *text, size_t len, bool keep_it, size_t *used, int *rc,
                                  ag_error *err)
{
    bool cacheable = keep_it && !used && c->cache.limit > 0;
    uint64_t hash = 0;
    *rc = SQLITE_OK;
    if (!used && c->cache.count + (cacheable ? 1 : 0)) { /* what readonly() prepared serves an uncached request too */
        hash = ag_stmt_hash(text, len, NULL, 0);
        ag_stmt_entry *e = ag_stmt_cache_find(&c->cache, hash, text, len, NULL, 0);
        if (e)
            return (ag_sqlite_stmt *)(void *)e;
    }
    ag_sqlite_stmt *st = ag_driver_zero(c->base.alloc, sizeof *st);
    if (!st) {
        *rc = SQLITE_NOMEM;
        (void)c->base.core->fail_nomem(err);
        return NULL;
    }
    *rc = compile(c, st, text, len, cacheable, used, err);
    if (*rc != SQLITE_OK) {
        stmt_free(c, st);
        return NULL;
    }
    if (cacheable && st->handle)
        keep(c, st, hash, text, len);
    return st;
}

void ag_sqlite_stmt_release(ag_sqlite *c, ag_sqlite_stmt *st)
{
    if (!st)
        return;
    if (!st->cached) {
        stmt_free(c, st);
        return;
    }
    if (!st->is_reset)
        (void)sqlite3_reset(st->handle);
    if (st->nparams)
        (void)sqlite3_clear_bindings(st->handle); /* they point into the caller's memory */
}

void ag_sqlite_stmt_detach(ag_sqlite *c, ag_sqlite_stmt *st)
{
    if (!st->cached)
        return;
    ag_stmt_cache_remove(&c->cache, &st->entry);
    st->cached = false;
}

void ag_sqlite_stmts_clear(ag_sqlite *c)
{
    while (c->cache.oldest) {
        ag_sqlite_stmt *st = (ag_sqlite_stmt *)(void *)c->cache.oldest;
        ag_stmt_cache_remove(&c->cache, &st->entry);
        stmt_free(c, st);
    }
}

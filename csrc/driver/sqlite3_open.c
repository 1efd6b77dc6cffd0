/* Opening a database file: what the URL's options mean, and the settings every session starts with (safety.md,
 * SQLite). Opening does not wait: SQLite takes no lock before the first statement. */
#include "driver/sqlite3_impl.h"

#include <strings.h>

enum { MIN_VERSION = 3035000, DEFAULT_STATEMENTS = 256 };

/* What open collects from the options before there is a file name. */
struct settings {
    ag_sqlite *c;
    const ag_connect_params *params;
    bool uri, memory;
    const char *immutable, *nolock, *mode, *cache;
    size_t statements;
};

static const char known_options[] =
    "allow_double_quoted_strings, allow_load_extension, allow_trusted_schema, allow_writable_schema, cache, "
    "cached_statements, disable_foreign_keys, immutable, mode, nolock, timeout, uri, vfs";

static bool parse_bool(const char *s, bool *out)
{
    static const char *const yes[] = {"1", "true", "yes", "on"}, *const no[] = {"0", "false", "no", "off", ""};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (strcasecmp(s, yes[i]) == 0)
            return *out = true;
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        if (strcasecmp(s, no[i]) == 0) {
            *out = false;
            return true;
        }
    }
    return false;
}

static ag_status bad_value(struct settings *s, const ag_connect_option *o, const char *wanted, ag_error *err)
{
    return ag_driver_fail(s->c->base.core, err, AG_EXC_ARGUMENT, "sqlite: option %s must be %s, not '%s'", o->key,
                          wanted, o->value);
}

static ag_status flag_option(struct settings *s, const ag_connect_option *o, bool *known, ag_error *err)
{
    ag_sqlite *c = s->c;
    bool *const targets[] = {&c->double_quoted_strings, &c->load_extension, &c->trusted_schema, &c->writable_schema,
                             &s->uri};
    static const char *const names[] = {"allow_double_quoted_strings", "allow_load_extension", "allow_trusted_schema",
                                        "allow_writable_schema", "uri"};
    bool on = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(o->key, names[i]) != 0)
            continue;
        *known = true;
        return parse_bool(o->value, targets[i]) ? AG_OK : bad_value(s, o, "true or false", err);
    }
    if (strcmp(o->key, "disable_foreign_keys") != 0)
        return AG_OK;
    *known = true;
    if (!parse_bool(o->value, &on))
        return bad_value(s, o, "true or false", err);
    c->foreign_keys = !on;
    return AG_OK;
}

static ag_status mode_option(struct settings *s, const ag_connect_option *o, ag_error *err)
{
    ag_sqlite *c = s->c;
    s->mode = o->value;
    c->open_flags &= ~(SQLITE_OPEN_READONLY | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (strcmp(o->value, "ro") == 0)
        c->open_flags |= SQLITE_OPEN_READONLY;
    else if (strcmp(o->value, "rw") == 0)
        c->open_flags |= SQLITE_OPEN_READWRITE;
    else if (strcmp(o->value, "rwc") == 0)
        c->open_flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    else if (strcmp(o->value, "memory") == 0)
        c->open_flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY;
    else
        return bad_value(s, o, "ro, rw, rwc or memory", err);
    return AG_OK;
}

static ag_status value_option(struct settings *s, const ag_connect_option *o, bool *known, ag_error *err)
{
    ag_sqlite *c = s->c;
    const ag_services *core = c->base.core;
    *known = true;
    if (strcmp(o->key, "mode") == 0)
        return mode_option(s, o, err);
    if (strcmp(o->key, "cache") == 0) {
        s->cache = o->value;
        if (strcmp(o->value, "shared") == 0)
            c->open_flags |= SQLITE_OPEN_SHAREDCACHE;
        else if (strcmp(o->value, "private") == 0)
            c->open_flags |= SQLITE_OPEN_PRIVATECACHE;
        else
            return bad_value(s, o, "shared or private", err);
    } else if (strcmp(o->key, "timeout") == 0) {
        double seconds;
        if (!core->parse_double(o->value, strlen(o->value), &seconds) || !(seconds >= 0 && seconds < 1e9))
            return bad_value(s, o, "a number of seconds", err);
        c->lock_timeout = (int64_t)(seconds * 1e6);
    } else if (strcmp(o->key, "cached_statements") == 0) {
        int64_t n;
        if (!core->parse_int64(o->value, strlen(o->value), &n) || n < 0 || n > 1000000)
            return bad_value(s, o, "a number from 0 to 1000000", err);
        s->statements = (size_t)n;
    } else if (strcmp(o->key, "vfs") == 0) {
        ag_driver_free(c->base.alloc, c->vfs);
        c->vfs = ag_driver_strndup(c->base.alloc, o->value, strlen(o->value));
        return c->vfs ? AG_OK : core->fail_nomem(err);
    } else if (strcmp(o->key, "immutable") == 0) {
        s->immutable = o->value;
    } else if (strcmp(o->key, "nolock") == 0) {
        s->nolock = o->value;
    } else {
        *known = false;
    }
    return AG_OK;
}

static ag_status read_options(struct settings *s, ag_error *err)
{
    const ag_connect_params *p = s->params;
    for (size_t i = 0; i < p->noptions; i++) {
        bool known = false;
        AG_TRY(flag_option(s, &p->options[i], &known, err));
        if (!known)
            AG_TRY(value_option(s, &p->options[i], &known, err));
        if (!known)
            return ag_driver_fail(s->c->base.core, err, AG_EXC_ARGUMENT, "sqlite: unknown option '%s' (known: %s)",
                                  p->options[i].key, known_options);
    }
    return AG_OK;
}

/* A path as it must be written in a file: URI. */
static void add_escaped(const ag_services *core, ag_buf *b, const char *s)
{
    static const char hex[] = "0123456789ABCDEF";
    for (; *s; s++) {
        if (*s == '%' || *s == '?' || *s == '#') {
            ag_driver_add_char(core, b, '%');
            ag_driver_add_char(core, b, hex[(unsigned char)*s >> 4]);
            ag_driver_add_char(core, b, hex[(unsigned char)*s & 15]);
        } else {
            ag_driver_add_char(core, b, *s);
        }
    }
}

static void add_argument(const ag_services *core, ag_buf *b, const char *key, const char *value)
{
    if (!value)
        return;
    ag_driver_add_char(core, b, memchr(b->data, '?', b->len) ? '&' : '?');
    ag_driver_add(core, b, key, strlen(key));
    ag_driver_add_char(core, b, '=');
    add_escaped(core, b, value);
}

/* The name for sqlite3_open_v2: a plain path, or a URI where the URL says uri=true or an option exists only there. */
static ag_status make_filename(struct settings *s, ag_error *err)
{
    ag_sqlite *c = s->c;
    const ag_services *core = c->base.core;
    const char *db = s->params->database;
    if (!db || !*db)
        db = ":memory:";
    ag_buf b = {.alloc = c->base.alloc};
    bool is_uri = s->uri && strncmp(db, "file:", 5) == 0;
    if (is_uri || s->immutable || s->nolock) {
        c->open_flags |= SQLITE_OPEN_URI;
        if (is_uri) {
            ag_driver_add(core, &b, db, strlen(db));
        } else {
            ag_driver_add(core, &b, "file:", 5);
            add_escaped(core, &b, db);
        }
        add_argument(core, &b, "immutable", s->immutable);
        add_argument(core, &b, "nolock", s->nolock);
        add_argument(core, &b, "mode", is_uri ? s->mode : NULL);
        add_argument(core, &b, "cache", is_uri ? s->cache : NULL);
    } else {
        ag_driver_add(core, &b, db, strlen(db));
    }
    ag_driver_add_char(core, &b, '\0');
    if (!b.failed)
        c->filename = ag_driver_strndup(c->base.alloc, b.data, b.len - 1);
    core->buf_clear(&b);
    return c->filename ? AG_OK : core->fail_nomem(err);
}

ag_status ag_sqlite_open(const ag_driver *self, ag_dconn **out, const ag_connect_params *params,
                         const ag_services *core, const ag_alloc *alloc, ag_error *err)
{
    *out = NULL;
    if (sqlite3_libversion_number() < MIN_VERSION)
        return ag_driver_fail(core, err, AG_EXC_INTERFACE, "argent needs SQLite 3.35 or newer, this is %s",
                              sqlite3_libversion());
    ag_sqlite *c = ag_driver_zero(alloc, sizeof *c);
    if (!c)
        return core->fail_nomem(err);
    c->base = (ag_dconn){.driver = self, .core = core, .alloc = alloc};
    c->lock_timeout = 5000000;
    c->foreign_keys = true;
    c->open_flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    c->deadline = c->run_deadline = AG_NO_DEADLINE;
    core->arena_init(&c->scratch, alloc);
    c->text.alloc = alloc;
    struct settings s = {.c = c, .params = params, .statements = DEFAULT_STATEMENTS};
    ag_stmt_cache_init(&c->cache, alloc, 0);
    ag_status st = read_options(&s, err);
    if (st == AG_OK)
        st = make_filename(&s, err);
    c->cache.limit = s.statements;
    if (st != AG_OK) {
        ag_sqlite_close(&c->base);
        return st;
    }
    *out = &c->base;
    return AG_OK;
}

/* Called when SQLite would wait for a lock. We never wait inside: remember that waiting makes sense, and give up. */
static int busy_seen(void *ud, int times)
{
    (void)times;
    ((ag_sqlite *)ud)->busy_seen = true;
    return 0;
}

static bool set_config(ag_sqlite *c, int what, bool on, const char *name, ag_error *err)
{
    int is = -1;
    int rc = sqlite3_db_config(c->db, what, on ? 1 : 0, &is);
    if (rc == SQLITE_OK && (is != 0) == on)
        return true;
    (void)ag_driver_fail(c->base.core, err, AG_EXC_INTERFACE, "this SQLite library cannot turn %s %s", name,
                         on ? "on" : "off");
    return false;
}

bool ag_sqlite_configure(ag_sqlite *c, ag_error *err)
{
    (void)sqlite3_extended_result_codes(c->db, 1);
    (void)sqlite3_busy_handler(c->db, busy_seen, c);
    return set_config(c, SQLITE_DBCONFIG_ENABLE_FKEY, c->foreign_keys, "foreign key enforcement", err) &&
           set_config(c, SQLITE_DBCONFIG_TRUSTED_SCHEMA, c->trusted_schema, "trusted_schema", err) &&
           set_config(c, SQLITE_DBCONFIG_DEFENSIVE, !c->writable_schema, "defensive mode", err) &&
           set_config(c, SQLITE_DBCONFIG_DQS_DML, c->double_quoted_strings, "double-quoted strings", err) &&
           set_config(c, SQLITE_DBCONFIG_DQS_DDL, c->double_quoted_strings, "double-quoted strings", err) &&
           set_config(c, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, c->load_extension, "extension loading", err);
}

ag_step ag_sqlite_open_step(ag_dconn *base, ag_wait *w, ag_error *err)
{
    ag_sqlite *c = ag_sqlite_of(base);
    (void)w;
    if (c->db)
        return AG_STEP_DONE;
    int rc = sqlite3_open_v2(c->filename, &c->db, c->open_flags | SQLITE_OPEN_NOMUTEX, c->vfs);
    if (rc != SQLITE_OK) {
        ag_sqlite_error(c, c->db ? sqlite3_extended_errcode(c->db) : rc, true, err);
        if ((rc & 0xff) == SQLITE_CANTOPEN) {
            (void)ag_driver_fail(c->base.core, err, AG_EXC_OPERATIONAL,
                                 "unable to open database file %s (is its folder there, and may it be written?)",
                                 c->filename);
            if (err)
                err->code = rc;
        }
        sqlite3_close_v2(c->db);
        c->db = NULL;
        return AG_STEP_FAILED;
    }
    if (!ag_sqlite_add_functions(c)) {
        ag_sqlite_error(c, sqlite3_extended_errcode(c->db), true, err);
        return AG_STEP_FAILED;
    }
    return ag_sqlite_configure(c, err) ? AG_STEP_DONE : AG_STEP_FAILED;
}

void ag_sqlite_close(ag_dconn *base)
{
    if (!base)
        return;
    ag_sqlite *c = ag_sqlite_of(base);
    const ag_alloc *a = base->alloc;
    ag_sqlite_abandon(c);
    ag_sqlite_stmts_clear(c);
    ag_stmt_cache_clear(&c->cache);
    (void)sqlite3_close_v2(c->db);
    base->core->arena_clear(&c->scratch);
    base->core->buf_clear(&c->text);
    ag_driver_free(a, c->items);
    ag_driver_free(a, c->params);
    ag_driver_free(a, c->filled);
    ag_driver_free(a, c->filename);
    ag_driver_free(a, c->vfs);
    ag_driver_free(a, c);
}

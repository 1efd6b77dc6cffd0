/* Functions of ours inside SQLite: REGEXP, and what the host registers on a connection. */
#include "driver/regex.h"
#include "driver/sqlite3_impl.h"

/* ---- REGEXP ---- */

typedef struct pattern {
    ag_regex *r;
    const ag_alloc *a;
} pattern;

static void free_pattern(void *p)
{
    pattern *x = p;
    ag_regex_free(x->r, x->a);
    ag_driver_free(x->a, x);
}

static bool must_stop(void *ud)
{
    const ag_sqlite *c = ud;
    return c->cancelled || (c->run_deadline != AG_NO_DEADLINE && c->base.core->now_us() >= c->run_deadline);
}

/* The compiled pattern: SQLite keeps it as long as the argument stays the same. */
static pattern *pattern_of(sqlite3_context *ctx, ag_sqlite *c, sqlite3_value *v)
{
    pattern *x = sqlite3_get_auxdata(ctx, 0);
    if (x)
        return x;
    const char *why, *text = (const char *)sqlite3_value_text(v);
    x = text ? ag_driver_zero(c->base.alloc, sizeof *x) : NULL;
    if (!x) {
        sqlite3_result_error_nomem(ctx);
        return NULL;
    }
    x->a = c->base.alloc;
    if (!ag_regex_new(&x->r, x->a, text, (size_t)sqlite3_value_bytes(v), &why)) {
        ag_driver_free(x->a, x);
        if (!why) {
            sqlite3_result_error_nomem(ctx);
            return NULL;
        }
        char *message = sqlite3_mprintf("regular expression '%.100s': %s", text, why);
        sqlite3_result_error(ctx, message ? message : why, -1);
        sqlite3_free(message);
        return NULL;
    }
    sqlite3_set_auxdata(ctx, 0, x, free_pattern);
    return sqlite3_get_auxdata(ctx, 0); /* NULL: it could not be kept, and is freed */
}

/* x REGEXP y is regexp(y, x). */
static void regexp(sqlite3_context *ctx, int n, sqlite3_value **v)
{
    ag_sqlite *c = sqlite3_user_data(ctx);
    (void)n;
    if (sqlite3_value_type(v[0]) == SQLITE_NULL || sqlite3_value_type(v[1]) == SQLITE_NULL)
        return;
    pattern *x = pattern_of(ctx, c, v[0]);
    const char *text = x ? (const char *)sqlite3_value_text(v[1]) : NULL;
    if (!text) {
        if (x)
            sqlite3_result_error_nomem(ctx);
        return;
    }
    ag_regex_answer answer = ag_regex_search(x->r, text, (size_t)sqlite3_value_bytes(v[1]), must_stop, c);
    if (answer == AG_REGEX_STOPPED)
        sqlite3_result_error_code(ctx, SQLITE_INTERRUPT);
    else
        sqlite3_result_int(ctx, answer == AG_REGEX_YES);
}

bool ag_sqlite_add_functions(ag_sqlite *c)
{
    return sqlite3_create_function_v2(c->db, "regexp", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, c,
                                      regexp, NULL, NULL, NULL) == SQLITE_OK;
}

/* ---- functions of the host ---- */

typedef struct hosted {
    ag_host_function f;
    const ag_alloc *a;
    const ag_services *core;
} hosted;

static void free_hosted(void *p)
{
    hosted *h = p;
    if (h->f.release)
        h->f.release(h->f.ud);
    ag_driver_free(h->a, h);
}

static ag_value value_of(sqlite3_value *v)
{
    switch (sqlite3_value_type(v)) {
    case SQLITE_INTEGER: return ag_value_int(sqlite3_value_int64(v));
    case SQLITE_FLOAT: return ag_value_float(sqlite3_value_double(v));
    case SQLITE_TEXT: {
        const char *p = (const char *)sqlite3_value_text(v);
        return p ? ag_value_text(p, (size_t)sqlite3_value_bytes(v)) : ag_value_null();
    }
    case SQLITE_BLOB: {
        const char *p = sqlite3_value_blob(v);
        return ag_value_bytes(AG_V_BYTES, p ? p : "", (size_t)sqlite3_value_bytes(v));
    }
    default: return ag_value_null();
    }
}

static void give(sqlite3_context *ctx, const ag_value *v)
{
    switch (v->kind) {
    case AG_V_NULL: sqlite3_result_null(ctx); break;
    case AG_V_BOOL:
    case AG_V_INT: sqlite3_result_int64(ctx, v->u.i); break;
    case AG_V_FLOAT: sqlite3_result_double(ctx, v->u.f); break;
    case AG_V_BYTES: sqlite3_result_blob64(ctx, v->u.s.p, v->u.s.n, SQLITE_TRANSIENT); break;
    case AG_V_TEXT:
    case AG_V_DECIMAL: sqlite3_result_text64(ctx, v->u.s.p, v->u.s.n, SQLITE_TRANSIENT, SQLITE_UTF8); break;
    default: sqlite3_result_error(ctx, "a function of the host gave a value that SQLite has no kind for", -1);
    }
}

static void call_hosted(sqlite3_context *ctx, int n, sqlite3_value **v)
{
    hosted *h = sqlite3_user_data(ctx);
    ag_value out = ag_value_null(), *args = ag_driver_zero(h->a, ((size_t)n + 1) * sizeof *args);
    ag_error err = {.alloc = h->a};
    if (!args) {
        sqlite3_result_error_nomem(ctx);
        return;
    }
    for (int i = 0; i < n; i++)
        args[i] = value_of(v[i]);
    if (h->f.call(h->f.ud, args, (uint32_t)n, &out, &err) == AG_OK)
        give(ctx, &out);
    else
        sqlite3_result_error(ctx, err.message ? err.message : "a function of the host failed", -1);
    h->core->error_clear(&err);
    ag_driver_free(h->a, args);
}

static int compare_hosted(void *ud, int an, const void *a, int bn, const void *b)
{
    hosted *h = ud;
    ag_value out = ag_value_null(), args[2] = {ag_value_text(a, (size_t)an), ag_value_text(b, (size_t)bn)};
    ag_error err = {.alloc = h->a};
    /* A comparison cannot fail in SQLite: one that does counts as equal. */
    int64_t order = h->f.call(h->f.ud, args, 2, &out, &err) == AG_OK && out.kind == AG_V_INT ? out.u.i : 0;
    h->core->error_clear(&err);
    return order < 0 ? -1 : order > 0;
}

static hosted *keep(ag_sqlite *c, const ag_host_function *f)
{
    hosted *h = ag_driver_zero(c->base.alloc, sizeof *h);
    if (h)
        *h = (hosted){*f, c->base.alloc, c->base.core};
    return h;
}

ag_status ag_sqlite_create_function(ag_dconn *base, const ag_host_function *f, ag_error *err)
{
    ag_sqlite *c = ag_sqlite_of(base);
    hosted *h = keep(c, f);
    int rc;
    if (!h) {
        if (f->release)
            f->release(f->ud);
        return base->core->fail_nomem(err);
    }
    /* SQLite frees h, too, when it refuses a function; a refused collation is ours to free. */
    if (f->collation) {
        rc = sqlite3_create_collation_v2(c->db, f->name, SQLITE_UTF8, h, compare_hosted, free_hosted);
        if (rc != SQLITE_OK)
            free_hosted(h);
    } else {
        int flags = SQLITE_UTF8 | (f->deterministic ? SQLITE_DETERMINISTIC : 0);
        rc = sqlite3_create_function_v2(c->db, f->name, f->nargs, flags, h, call_hosted, NULL, NULL, free_hosted);
    }
    if (rc == SQLITE_OK)
        return AG_OK;
    return ag_driver_fail(base->core, err, AG_EXC_OPERATIONAL, "the %s '%s' was refused: %s",
                          f->collation ? "collation" : "function", f->name, sqlite3_errstr(rc));
}

/* Values to SQLite parameters. Bytes are bound without a copy (they live until the statement is reset); what has to
 * be written out first (dates, UUIDs …) goes to the connection's scratch arena. Storage forms are SQLAlchemy's:
 * dates and times as ISO text, UUIDs as 32 hex digits, intervals as a datetime counted from 1970-01-01. Nothing
 * that SQLite would change silently is let through: NaN (becomes NULL), decimals of more than 15 digits (become a
 * double). */
#include "driver/sqlite3_impl.h"

#include "value/datetime.h"

/* One parameter on its way. */
struct bind {
    ag_sqlite *c;
    sqlite3_stmt *st;
    int at; /* from 1 */
    const ag_sqlite_param *param;
    ag_error *err;
};

ag_status ag_sqlite_plan_params(ag_sqlite *c, const ag_request *req, ag_error *err)
{
    const ag_services *core = c->base.core;
    uint32_t n = req->nparams;
    if (n > c->cap_params) {
        void *p = ag_driver_realloc(c->base.alloc, c->params, n * sizeof *c->params);
        if (!p)
            return core->fail_nomem(err);
        c->params = p;
        c->cap_params = n;
    }
    if (req->fill && n > c->cap_filled) {
        void *p = ag_driver_realloc(c->base.alloc, c->filled, n * sizeof *c->filled);
        if (!p)
            return core->fail_nomem(err);
        c->filled = p;
        c->cap_filled = n;
    }
    for (uint32_t i = 0; i < n; i++) {
        const ag_type *t = req->param_types ? ag_driver_type(req->param_types[i]) : NULL;
        c->params[i] = (ag_sqlite_param){.kind = AG_V_NULL};
        if (!t)
            continue;
        c->params[i].kind = (uint8_t)ag_driver_kind(core, t);
        c->params[i].decimal_text = (t->flags & AG_TYPE_SQLITE_TEXT) != 0;
        c->params[i].zoned = (t->flags & AG_TYPE_TIMEZONE) != 0;
        if (t->id == AG_TYPE_SQL_DATE || t->id == AG_TYPE_SQL_TIME || t->id == AG_TYPE_SQL_DATETIME) {
            c->params[i].format = t->name;
            c->params[i].truncate = (t->flags & AG_TYPE_TRUNCATE) != 0;
        }
    }
    return AG_OK;
}

static ag_status bad(const struct bind *b, ag_exc cls, const char *why)
{
    return ag_driver_fail(b->c->base.core, b->err, cls, "parameter %d: %s", b->at, why);
}

static ag_status done(const struct bind *b, int rc)
{
    if (rc == SQLITE_OK)
        return AG_OK;
    ag_sqlite_error(b->c, rc, true, b->err);
    return rc == SQLITE_NOMEM ? AG_NOMEM : AG_ERROR;
}

static char *scratch(const struct bind *b, size_t n)
{
    b->c->scratch_used = true;
    return b->c->base.core->arena_new(&b->c->scratch, n);
}

static ag_status bind_bytes(const struct bind *b, const ag_str *s)
{
    if (s->n > AG_DRIVER_MAX_BYTES)
        return bad(b, AG_EXC_DATA, "the value is longer than 256 MiB");
    if (!s->n) /* a NULL pointer would bind NULL */
        return done(b, sqlite3_bind_zeroblob(b->st, b->at, 0));
    return done(b, sqlite3_bind_blob64(b->st, b->at, s->p, s->n, SQLITE_STATIC));
}

static ag_status bind_plain(const struct bind *b, const char *s, size_t n)
{
    return done(b, sqlite3_bind_text64(b->st, b->at, n ? s : "", n, SQLITE_STATIC, SQLITE_UTF8));
}

static ag_status bind_uuid(const struct bind *b, const ag_str *s)
{
    char text[36];
    char *hex = scratch(b, 32);
    if (!hex)
        return b->c->base.core->fail_nomem(b->err);
    if (!ag_driver_uuid_parse(text, s->p, s->n))
        return bad(b, AG_EXC_DATA, "the text is not a UUID");
    for (size_t i = 0, at = 0; i < 36; i++) {
        if (text[i] != '-')
            hex[at++] = text[i];
    }
    return bind_plain(b, hex, 32);
}

/* A column declared JSON has NUMERIC affinity: a top-level number is stored as a number, and must survive that. */
static bool json_number_is_safe(const ag_services *core, const char *s, size_t n)
{
    int64_t i;
    double d;
    if (!n || !(s[0] == '-' || (s[0] >= '0' && s[0] <= '9')) || core->parse_int64(s, n, &i))
        return true;
    size_t digits = 0;
    for (size_t k = 0; k < n && s[k] != 'e' && s[k] != 'E'; k++)
        digits += s[k] >= '0' && s[k] <= '9';
    return digits <= AG_SQLITE_DIGITS && core->parse_double(s, n, &d);
}

static ag_status bind_text(const struct bind *b, const ag_str *s)
{
    const ag_services *core = b->c->base.core;
    if (b->param->kind == AG_V_BYTES)
        return bind_bytes(b, s);
    if (b->param->kind == AG_V_UUID)
        return bind_uuid(b, s);
    const char *fault = ag_driver_text_fault(core, s->p, s->n);
    if (fault)
        return bad(b, AG_EXC_DATA, fault);
    return bind_plain(b, s->p, s->n);
}

static ag_status bind_json(const struct bind *b, const ag_str *s)
{
    if (!json_number_is_safe(b->c->base.core, s->p, s->n))
        return bad(b, AG_EXC_DATA,
                   "a number of more than 15 digits alone in a JSON column would lose digits on SQLite");
    return bind_text(b, s);
}

/* Where a decimal fits a number exactly: *i (true) or *d (false). False from the function: neither. */
static bool decimal_number(const ag_services *core, const ag_str *s, bool *is_int, int64_t *i, double *d)
{
    int significant, scale;
    const char *dot = memchr(s->p, '.', s->n);
    size_t whole = dot ? (size_t)(dot - s->p) : s->n, end = s->n;
    while (dot && end > whole + 1 && s->p[end - 1] == '0')
        end--;
    *is_int = end <= whole + 1 && core->parse_int64(s->p, whole, i);
    if (*is_int)
        return true;
    core->decimal_digits(s->p, end, &significant, &scale);
    return significant <= AG_SQLITE_DIGITS && core->decimal_to_double(s->p, end, d);
}

static ag_status bind_decimal(const struct bind *b, const ag_str *s)
{
    const ag_services *core = b->c->base.core;
    int64_t i;
    double d;
    bool is_int;
    if (b->param->decimal_text)
        return bind_plain(b, s->p, s->n);
    if (s->n && (s->p[0] == 'N' || s->p[s->n - 1] == 'y'))
        return bad(b, AG_EXC_DATA, "SQLite has no NaN or infinite decimals");
    if (!decimal_number(core, s, &is_int, &i, &d))
        return ag_driver_fail(
            core, b->err, AG_EXC_DATA,
            "parameter %d: the decimal %.*s has more than the 15 digits that a NUMERIC column of SQLite "
            "keeps; declare the column as ag.Numeric(p, s, {sqlite_text = true}) to store it exactly",
            b->at, (int)(s->n > 60 ? 60 : s->n), s->p);
    return done(b, is_int ? sqlite3_bind_int64(b->st, b->at, i) : sqlite3_bind_double(b->st, b->at, d));
}

static bool is_infinite(const ag_value *v)
{
    if (v->kind == AG_V_DATE)
        return v->u.i == AG_DATE_NEG_INF || v->u.i == AG_DATE_POS_INF;
    return v->kind == AG_V_DATETIME && (v->u.i == INT64_MIN || v->u.i == INT64_MAX);
}

/* By the column's storage_format, which must keep the value. */
static ag_status bind_formatted(const struct bind *b, char *s, const ag_value *v)
{
    const ag_services *core = b->c->base.core;
    ag_value back;
    size_t n = core->temporal_format(s, b->param->format, v);
    if (!n)
        return bad(b, AG_EXC_DATA, "the storage_format takes years from 0 to 9999");
    if (!b->param->truncate &&
        (!core->temporal_scan(&back, (ag_vkind)v->kind, b->param->format, s, n) || back.u.i != v->u.i))
        return bad(b, AG_EXC_DATA, "the storage_format does not keep the value");
    return bind_plain(b, s, n);
}

static ag_status bind_temporal(const struct bind *b, const ag_value *v)
{
    const ag_services *core = b->c->base.core;
    ag_value utc = *v;
    if (is_infinite(v))
        return bad(b, AG_EXC_DATA, "SQLite has no infinite dates");
    if (v->kind == AG_V_DATETIME && (v->flags & AG_V_ZONED))
        utc.offset = 0; /* one form for one instant, so that texts compare */
    char *s = scratch(b, AG_TEMPORAL_MAX);
    if (!s)
        return core->fail_nomem(b->err);
    if (b->param && b->param->format)
        return bind_formatted(b, s, v);
    return bind_plain(b, s, core->temporal_write(s, &utc, ' ', 6));
}

static ag_status bind_interval(const struct bind *b, const ag_interval *iv)
{
    int64_t us;
    if (iv->months)
        return bad(b, AG_EXC_DATA, "SQLite stores intervals as a length of time: months have none");
    if (__builtin_mul_overflow((int64_t)iv->days, AG_US_PER_DAY, &us) || __builtin_add_overflow(us, iv->us, &us) ||
        us < INT64_C(-62135596800000000) || us > INT64_C(253402300799999999))
        return bad(b, AG_EXC_DATA, "the interval is too long to be stored on SQLite");
    return bind_temporal(b, &(ag_value){.kind = AG_V_DATETIME, .u.i = us});
}

/* ---- arrays become JSON text for json_each(?) ---- */

static void json_string(const ag_services *core, ag_buf *out, const char *s, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    ag_driver_add_char(core, out, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char ch = (unsigned char)s[i];
        if (ch == '"' || ch == '\\') {
            char esc[2] = {'\\', (char)ch};
            ag_driver_add(core, out, esc, 2);
        } else if (ch < 0x20) {
            char esc[6] = {'\\', 'u', '0', '0', hex[ch >> 4], hex[ch & 15]};
            ag_driver_add(core, out, esc, 6);
        } else {
            ag_driver_add_char(core, out, (char)ch);
        }
    }
    ag_driver_add_char(core, out, '"');
}

static ag_status json_item(const struct bind *b, ag_buf *out, const ag_value *v)
{
    const ag_services *core = b->c->base.core;
    char text[AG_TEMPORAL_MAX], hex[32], digits[24];
    const ag_str *s = &v->u.s;
    switch (v->kind) {
    case AG_V_NULL: ag_driver_add(core, out, "null", 4); return AG_OK;
    case AG_V_BOOL:
    case AG_V_INT: ag_driver_add(core, out, digits, ag_driver_int_text(digits, v->u.i)); return AG_OK;
    case AG_V_FLOAT:
        if (!(v->u.f - v->u.f == 0))
            return bad(b, AG_EXC_DATA, "NaN and infinities have no JSON form");
        core->buf_double(out, v->u.f);
        return AG_OK;
    case AG_V_DECIMAL: {
        int64_t i;
        double d;
        bool is_int;
        if (!decimal_number(core, s, &is_int, &i, &d))
            return bad(b, AG_EXC_DATA, "a decimal of the list has more than 15 digits");
        ag_driver_add(core, out, s->p, s->n);
        return AG_OK;
    }
    case AG_V_DATE:
    case AG_V_TIME:
    case AG_V_DATETIME: json_string(core, out, text, core->temporal_write(text, v, ' ', 6)); return AG_OK;
    case AG_V_UUID:
        for (size_t i = 0, at = 0; i < s->n && at < 32; i++) {
            if (s->p[i] != '-')
                hex[at++] = s->p[i];
        }
        json_string(core, out, hex, 32);
        return AG_OK;
    case AG_V_TEXT:
    case AG_V_RAW:
        if (ag_driver_text_fault(core, s->p, s->n))
            return bad(b, AG_EXC_DATA, ag_driver_text_fault(core, s->p, s->n));
        json_string(core, out, s->p, s->n);
        return AG_OK;
    case AG_V_JSON: ag_driver_add(core, out, s->p, s->n); return AG_OK;
    default: return bad(b, AG_EXC_NOT_SUPPORTED, "SQLite cannot take a list of such values");
    }
}

static ag_status bind_array(const struct bind *b, const ag_str *s)
{
    const ag_services *core = b->c->base.core;
    ag_buf out = {.alloc = b->c->base.alloc};
    size_t count = core->array_count(s->p, s->n);
    unsigned ndim = core->array_ndim(s->p, s->n);
    size_t width = ndim == 2 ? (size_t)core->array_dim_get(s->p, s->n, 1).length : 0; /* rows of a list of tuples */
    ag_status st = AG_OK;
    if (ndim > 2)
        return bad(b, AG_EXC_NOT_SUPPORTED, "SQLite has no arrays of several dimensions");
    ag_driver_add_char(core, &out, '[');
    for (size_t i = 0; i < count && st == AG_OK; i++) {
        ag_value v;
        core->array_get(&v, s->p, s->n, i);
        if (i)
            ag_driver_add_char(core, &out, ',');
        if (width && i % width == 0)
            ag_driver_add_char(core, &out, '[');
        st = json_item(b, &out, &v);
        if (width && i % width == width - 1)
            ag_driver_add_char(core, &out, ']');
    }
    ag_driver_add_char(core, &out, ']');
    char *copy = st == AG_OK && !out.failed ? scratch(b, out.len) : NULL;
    if (st == AG_OK && !copy)
        st = core->fail_nomem(b->err);
    if (st == AG_OK) {
        memcpy(copy, out.data, out.len);
        st = bind_plain(b, copy, out.len);
    }
    core->buf_clear(&out);
    return st;
}

static ag_status bind_rare(const struct bind *b, const ag_value *v)
{
    switch (v->kind) {
    case AG_V_BOOL: return done(b, sqlite3_bind_int(b->st, b->at, v->u.i != 0));
    case AG_V_BYTES: return bind_bytes(b, &v->u.s);
    case AG_V_DECIMAL: return bind_decimal(b, &v->u.s);
    case AG_V_DATE:
    case AG_V_TIME:
    case AG_V_DATETIME: return bind_temporal(b, v);
    case AG_V_INTERVAL: return bind_interval(b, &v->u.iv);
    case AG_V_UUID: return bind_uuid(b, &v->u.s);
    case AG_V_JSON: return bind_json(b, &v->u.s);
    case AG_V_RAW: return bind_text(b, &v->u.s);
    case AG_V_ARRAY: return bind_array(b, &v->u.s);
    default: return bad(b, AG_EXC_INTERFACE, "a value of this kind cannot be sent to a database");
    }
}

ag_status ag_sqlite_bind(ag_sqlite *c, sqlite3_stmt *st, const ag_value *vals, uint32_t n, ag_error *err)
{
    if (c->scratch_used) {
        c->base.core->arena_reset(&c->scratch);
        c->scratch_used = false;
    }
    struct bind b = {.c = c, .st = st, .err = err};
    for (uint32_t i = 0; i < n; i++) {
        const ag_value *v = &vals[i];
        b.at = (int)i + 1;
        b.param = &c->params[i];
        int rc = SQLITE_OK;
        switch (v->kind) {
        case AG_V_NULL: rc = sqlite3_bind_null(st, b.at); break;
        case AG_V_INT: rc = sqlite3_bind_int64(st, b.at, v->u.i); break;
        case AG_V_FLOAT:
            if (v->u.f != v->u.f)
                return bad(&b, AG_EXC_DATA, "SQLite would store NaN as NULL");
            rc = sqlite3_bind_double(st, b.at, v->u.f);
            break;
        case AG_V_TEXT: AG_TRY(bind_text(&b, &v->u.s)); break;
        default: AG_TRY(bind_rare(&b, v)); break;
        }
        if (rc != SQLITE_OK)
            return done(&b, rc);
    }
    return AG_OK;
}

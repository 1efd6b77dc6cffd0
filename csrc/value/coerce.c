/* ag_type_coerce: which values a column of a type takes, and what they become. One function a family of types; each either
 * fills out or explains what the column wants. Nothing is converted that would not read back as the same thing. */
#include "value/type.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "value/datetime.h"
#include "value/decimal.h"
#include "value/quote.h"
#include "value/row.h"

#include <stdio.h>
#include <string.h>

/* A double holds every integer up to 2^53 and every decimal of 15 digits. */
#define EXACT_INT    (INT64_C(1) << 53)
#define EXACT_DIGITS 15

typedef struct coercion {
    const ag_value *v;
    const ag_type *t; /* the type that decides, impl of a TypeDecorator */
    const char *name; /* may be NULL */
    ag_arena *ar;
    ag_error *err;
} coercion;

/* "a float (1.5)": the value as a message shows it. Numbers in full, text cut short, bytes not at all. */
static void describe_value(ag_buf *b, const ag_value *v)
{
    char shown[AG_QUOTE_MAX], temporal[AG_TEMPORAL_MAX];
    const char *kind = ag_vkind_name((ag_vkind)v->kind);
    if (v->kind == AG_V_HOST) {
        ag_buf_str(b, "a table (a list of values is for in_)");
        return;
    }
    bool zoned = v->flags & AG_V_ZONED, mass = v->kind == AG_V_TEXT || v->kind == AG_V_BYTES || v->kind == AG_V_JSON;
    if (!mass)
        ag_buf_str(b, strchr("aeiou", kind[0]) && !zoned ? "an " : "a ");
    if (zoned)
        ag_buf_str(b, "zoned ");
    ag_buf_str(b, kind);
    ag_buf_str(b, " (");
    size_t before = b->len;
    if (v->kind == AG_V_BOOL)
        ag_buf_str(b, v->u.i ? "true" : "false");
    else if (v->kind == AG_V_INT)
        ag_buf_int(b, v->u.i);
    else if (v->kind == AG_V_FLOAT)
        ag_buf_double(b, v->u.f);
    else if (v->kind == AG_V_DECIMAL)
        ag_buf_add(b, v->u.s.p, v->u.s.n < 60 ? v->u.s.n : 60);
    else if (v->kind == AG_V_TEXT || v->kind == AG_V_UUID || v->kind == AG_V_RAW || v->kind == AG_V_JSON)
        ag_buf_str(b, ag_quote(shown, v->u.s.p, v->u.s.n));
    else if (v->kind >= AG_V_DATE && v->kind <= AG_V_INTERVAL)
        ag_buf_add(b, temporal, ag_temporal_write(temporal, v, ' ', -1));
    if (b->len == before)
        ag_buf_truncate(b, before - 2);
    else
        ag_buf_char(b, ')');
}

/* "users.age takes an integer (SmallInteger), not text ("x")". */
static ag_status refuse(const coercion *c, const char *wanted)
{
    ag_buf b;
    ag_buf_init(&b, c->ar->alloc);
    ag_buf_str(&b, c->name ? c->name : "this value's type");
    ag_buf_str(&b, " (");
    ag_type_describe(&b, c->t);
    ag_buf_str(&b, ") takes ");
    ag_buf_str(&b, wanted);
    ag_buf_str(&b, ", not ");
    describe_value(&b, c->v);
    ag_status st = ag_buf_ok(&b) ? ag_fail(c->err, AG_EXC_DATA, "%s", b.data) : ag_fail_nomem(c->err);
    ag_buf_clear(&b);
    return st;
}

static ag_status pass(ag_value *out, const coercion *c)
{
    *out = *c->v;
    return AG_OK;
}

/* ---- numbers ---- */

static void integer_range(const ag_type *t, int64_t *low, int64_t *high, const char **wanted)
{
    *low = INT64_MIN;
    *high = INT64_MAX;
    *wanted = "an integer";
    if (t->id == AG_TYPE_SMALLINTEGER || t->id == AG_TYPE_SQL_SMALLINT) {
        *low = INT16_MIN;
        *high = INT16_MAX;
        *wanted = "an integer from -32768 to 32767";
    } else if (t->id == AG_TYPE_PG_OID) {
        *low = 0;
        *high = UINT32_MAX;
        *wanted = "an integer from 0 to 4294967295";
    }
}

static ag_status coerce_integer(ag_value *out, const coercion *c)
{
    int64_t low, high;
    const char *wanted;
    integer_range(c->t, &low, &high, &wanted);
    if (c->v->kind == AG_V_INT && c->v->u.i >= low && c->v->u.i <= high)
        return pass(out, c);
    if (c->v->kind == AG_V_FLOAT)
        wanted = "an integer (math.tointeger or // makes one)";
    return refuse(c, wanted);
}

static ag_status int_to_decimal(ag_value *out, const coercion *c)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", (long long)c->v->u.i);
    char *p = ag_arena_strndup(c->ar, text, (size_t)n);
    if (!p)
        return ag_fail_nomem(c->err);
    *out = ag_value_bytes(AG_V_DECIMAL, p, (size_t)n);
    return AG_OK;
}

static bool fits_double(int64_t i)
{
    return i >= -EXACT_INT && i <= EXACT_INT;
}

static bool is_binary_float(const ag_type *t)
{
    switch (t->id) {
    case AG_TYPE_FLOAT:
    case AG_TYPE_DOUBLE:
    case AG_TYPE_SQL_FLOAT:
    case AG_TYPE_SQL_REAL:
    case AG_TYPE_SQL_DOUBLE:
    case AG_TYPE_SQL_DOUBLE_PRECISION: return true;
    default: return false;
    }
}

/* Columns of binary floats: what goes in must come out. */
static ag_status coerce_float(ag_value *out, const coercion *c)
{
    int significant, scale;
    double f;
    switch (c->v->kind) {
    case AG_V_FLOAT: return pass(out, c);
    case AG_V_INT:
        if (!fits_double(c->v->u.i))
            return refuse(c, "an integer that a float can hold");
        *out = ag_value_float((double)c->v->u.i);
        return AG_OK;
    case AG_V_DECIMAL:
        ag_decimal_digits(c->v->u.s.p, c->v->u.s.n, &significant, &scale);
        if (significant > EXACT_DIGITS || !ag_decimal_to_double(c->v->u.s.p, c->v->u.s.n, &f))
            return refuse(c, "a decimal that a float can hold (up to 15 digits)");
        *out = ag_value_float(f);
        return AG_OK;
    default: return refuse(c, "a number");
    }
}

static ag_status coerce_numeric(ag_value *out, const coercion *c)
{
    if (is_binary_float(c->t))
        return coerce_float(out, c);
    bool floats = !(c->t->flags & AG_TYPE_ASDECIMAL);
    switch (c->v->kind) {
    case AG_V_DECIMAL: return pass(out, c);
    case AG_V_INT:
        if (!floats || !fits_double(c->v->u.i))
            return int_to_decimal(out, c);
        *out = ag_value_float((double)c->v->u.i);
        return AG_OK;
    case AG_V_FLOAT:
        if (floats)
            return pass(out, c);
        return refuse(c, "a decimal or an integer (ag.decimal(\"1.50\"), or asdecimal = false for floats)");
    case AG_V_TEXT:
        return refuse(c, floats ? "a number" : "a decimal or an integer (ag.decimal(\"1.50\") makes one of text)");
    default: return refuse(c, floats ? "a number" : "a decimal or an integer");
    }
}

static ag_status coerce_boolean(ag_value *out, const coercion *c)
{
    return c->v->kind == AG_V_BOOL ? pass(out, c) : refuse(c, "true or false");
}

/* ---- text ---- */

bool ag_text_is_clean(ag_str s)
{
    return ag_is_plain_ascii(s.p, s.n) || (!memchr(s.p, '\0', s.n) && ag_utf8_valid(s.p, s.n));
}

static ag_status check_text(const coercion *c)
{
    const ag_str *s = &c->v->u.s;
    if (s->n && memchr(s->p, '\0', s->n))
        return refuse(c, "text without NUL bytes");
    return ag_utf8_valid(s->p, s->n) ? AG_OK : refuse(c, "valid UTF-8");
}

static bool has_label(const ag_type *t, const ag_str *s)
{
    for (unsigned i = 0; i < t->nlabels; i++) {
        if (strlen(t->labels[i]) == s->n && memcmp(t->labels[i], s->p, s->n) == 0)
            return true;
    }
    return false;
}

static ag_status refuse_label(const coercion *c)
{
    ag_buf wanted;
    ag_buf_init(&wanted, c->ar->alloc);
    ag_buf_str(&wanted, "one of ");
    for (unsigned i = 0; i < c->t->nlabels; i++) {
        if (i)
            ag_buf_str(&wanted, ", ");
        ag_buf_str(&wanted, c->t->labels[i]);
    }
    ag_status st = ag_buf_ok(&wanted) ? refuse(c, wanted.data) : ag_fail_nomem(c->err);
    ag_buf_clear(&wanted);
    return st;
}

static ag_status coerce_text(ag_value *out, const coercion *c)
{
    bool raw = ag_type_kind(c->t) == AG_V_RAW;
    if (c->v->kind != AG_V_TEXT && !(raw && c->v->kind == AG_V_RAW))
        return refuse(c, "text");
    AG_TRY(check_text(c));
    if (c->t->id == AG_TYPE_ENUM && (c->t->flags & AG_TYPE_VALIDATE) && !has_label(c->t, &c->v->u.s))
        return refuse_label(c);
    *out = ag_value_bytes(raw ? AG_V_RAW : AG_V_TEXT, c->v->u.s.p, c->v->u.s.n);
    return AG_OK;
}

static ag_status coerce_binary(ag_value *out, const coercion *c)
{
    if (c->v->kind != AG_V_BYTES && c->v->kind != AG_V_TEXT)
        return refuse(c, "a string of bytes");
    *out = ag_value_bytes(AG_V_BYTES, c->v->u.s.p, c->v->u.s.n);
    return AG_OK;
}

static ag_status coerce_json(ag_value *out, const coercion *c)
{
    if (c->v->kind != AG_V_JSON)
        return refuse(c, "JSON");
    AG_TRY(check_text(c));
    return pass(out, c);
}

static int hex_digit(char ch)
{
    char low = (char)(ch | 0x20);
    return ch >= '0' && ch <= '9' ? ch - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* The 36 characters of a UUID spelled with or without hyphens (between groups of four digits), braces, "urn:uuid:". */
static bool normalise_uuid(char out[36], const char *s, size_t n)
{
    if (n > 9 && memcmp(s, "urn:uuid:", 9) == 0) {
        s += 9;
        n -= 9;
    } else if (n > 2 && s[0] == '{' && s[n - 1] == '}') {
        s++;
        n -= 2;
    }
    size_t digits = 0, len = 0;
    for (size_t i = 0; i < n; i++) {
        int d = hex_digit(s[i]);
        if (d < 0) {
            if (s[i] != '-' || digits == 0 || digits % 4 || digits >= 32 || s[i - 1] == '-')
                return false;
            continue;
        }
        if (digits == 32)
            return false;
        if (digits == 8 || digits == 12 || digits == 16 || digits == 20)
            out[len++] = '-';
        out[len++] = "0123456789abcdef"[d];
        digits++;
    }
    return digits == 32;
}

static ag_status coerce_uuid(ag_value *out, const coercion *c)
{
    char text[36];
    if (c->v->kind != AG_V_TEXT && c->v->kind != AG_V_UUID)
        return refuse(c, "a UUID as text");
    if (!normalise_uuid(text, c->v->u.s.p, c->v->u.s.n))
        return refuse(c, "a UUID (32 hexadecimal digits)");
    const char *p = c->v->u.s.p;
    if (c->v->u.s.n != sizeof text || memcmp(p, text, sizeof text) != 0)
        p = ag_arena_strndup(c->ar, text, sizeof text);
    if (!p)
        return ag_fail_nomem(c->err);
    *out = ag_value_bytes(AG_V_UUID, p, sizeof text);
    return AG_OK;
}

/* ---- dates and times ---- */

static ag_status coerce_date(ag_value *out, const coercion *c)
{
    if (c->v->kind == AG_V_DATE)
        return pass(out, c);
    return refuse(c, c->v->kind == AG_V_TEXT ? "a date (ag.date(\"2024-01-31\") makes one)" : "a date");
}

static ag_status refuse_zone(const coercion *c, const char *what)
{
    bool wants_zone = c->t->flags & AG_TYPE_TIMEZONE;
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "a %s %s a time zone", what, wants_zone ? "with" : "without");
    return refuse(c, wanted);
}

static ag_status coerce_time(ag_value *out, const coercion *c)
{
    if (c->v->kind != AG_V_TIME)
        return refuse(c, c->v->kind == AG_V_TEXT ? "a time (ag.time(\"10:00:00\") makes one)" : "a time");
    if (!(c->t->flags & AG_TYPE_TIMEZONE) != !(c->v->flags & AG_V_ZONED))
        return refuse_zone(c, "time");
    return pass(out, c);
}

/* A date is the midnight it begins with. */
static ag_status date_to_datetime(ag_value *out, const coercion *c)
{
    int64_t us;
    if (c->v->u.i == AG_DATE_NEG_INF || c->v->u.i == AG_DATE_POS_INF)
        us = c->v->u.i < 0 ? INT64_MIN : INT64_MAX;
    else if (__builtin_mul_overflow(c->v->u.i, AG_US_PER_DAY, &us))
        return refuse(c, "a datetime up to the year 294246");
    *out = (ag_value){.kind = AG_V_DATETIME, .u.i = us};
    return AG_OK;
}

static ag_status coerce_datetime(ag_value *out, const coercion *c)
{
    bool zoned = c->t->flags & AG_TYPE_TIMEZONE;
    if (c->v->kind == AG_V_DATE && !zoned)
        return date_to_datetime(out, c);
    if (c->v->kind != AG_V_DATETIME)
        return refuse(c, c->v->kind == AG_V_TEXT ? "a datetime (ag.datetime(\"2024-01-31 10:00:00\") makes one)"
                                                 : "a datetime");
    bool infinite = c->v->u.i == INT64_MIN || c->v->u.i == INT64_MAX;
    if (zoned != !!(c->v->flags & AG_V_ZONED) && !infinite)
        return refuse_zone(c, "datetime");
    *out = *c->v;
    out->flags = zoned ? AG_V_ZONED : 0; /* infinity is written without a zone */
    return AG_OK;
}

static ag_status coerce_interval(ag_value *out, const coercion *c)
{
    if (c->v->kind == AG_V_INTERVAL)
        return pass(out, c);
    return refuse(c, "an interval (ag.interval{days = 1} makes one)");
}

/* ---- arrays ---- */

/* The element's name is made only when a message needs it. */
static ag_status coerce_element(ag_value *out, const coercion *c, const ag_value *v, size_t i)
{
    char name[160];
    ag_status st = ag_type_coerce(out, v, c->t->item, NULL, c->ar, c->err);
    if (st != AG_ERROR)
        return st;
    (void)snprintf(name, sizeof name, "%.120s[%zu]", c->name ? c->name : "element ", i + 1);
    return ag_type_coerce(out, v, c->t->item, name, c->ar, c->err);
}

static ag_status repack(ag_value *out, const coercion *c, const ag_value *items, size_t count)
{
    const ag_str *s = &c->v->u.s;
    ag_array_dim dims[6];
    unsigned ndim = ag_array_ndim(s->p, s->n);
    for (unsigned i = 0; i < ndim; i++)
        dims[i] = ag_array_dim_get(s->p, s->n, i);
    return ag_array_pack(out, ndim, dims, items, count, c->ar, c->err);
}

static ag_status refuse_dims(const coercion *c, unsigned ndim)
{
    return ag_fail(c->err, AG_EXC_DATA, "%s takes an array of %d dimensions, not of %u",
                   c->name ? c->name : "this value's type", (int)c->t->dims, ndim);
}

static ag_status coerce_array(ag_value *out, const coercion *c)
{
    const ag_str *s = &c->v->u.s;
    if (c->v->kind != AG_V_ARRAY)
        return refuse(c, "an array");
    unsigned ndim = ag_array_ndim(s->p, s->n);
    size_t count = ag_array_count(s->p, s->n);
    if (c->t->dims > 0 && ndim > 0 && ndim != (unsigned)c->t->dims)
        return refuse_dims(c, ndim);
    if (!c->t->item || count == 0)
        return pass(out, c);
    ag_value *items = ag_arena_zero(c->ar, count, sizeof *items);
    if (!items)
        return ag_fail_nomem(c->err);
    bool changed = false;
    for (size_t i = 0; i < count; i++) {
        ag_value v;
        ag_array_get(&v, s->p, s->n, i);
        AG_TRY(coerce_element(&items[i], c, &v, i));
        changed |= !ag_value_equal(&v, &items[i]);
    }
    return changed ? repack(out, c, items, count) : pass(out, c);
}

/* What the database reads by itself, and ranges: its own text. */
static ag_status coerce_raw(ag_value *out, const coercion *c)
{
    if (c->v->kind == AG_V_RAW)
        return pass(out, c);
    return coerce_text(out, c);
}

static ag_status (*const by_affinity[])(ag_value *out, const coercion *c) = {
    [AG_AFF_INTEGER] = coerce_integer,   [AG_AFF_NUMERIC] = coerce_numeric,   [AG_AFF_STRING] = coerce_text,
    [AG_AFF_BOOLEAN] = coerce_boolean,   [AG_AFF_DATE] = coerce_date,         [AG_AFF_TIME] = coerce_time,
    [AG_AFF_DATETIME] = coerce_datetime, [AG_AFF_INTERVAL] = coerce_interval, [AG_AFF_BINARY] = coerce_binary,
    [AG_AFF_JSON] = coerce_json,         [AG_AFF_UUID] = coerce_uuid,         [AG_AFF_ARRAY] = coerce_array,
    [AG_AFF_RANGE] = coerce_raw,         [AG_AFF_MULTIRANGE] = coerce_raw,    [AG_AFF_RAW] = coerce_raw,
};

/* The type whose rules hold: NULL when any value may pass (the host or the database looks at it). */
static const ag_type *deciding_type(const ag_type *t)
{
    while (t->item && (t->id == AG_TYPE_DECORATOR || t->id == AG_TYPE_PG_DOMAIN)) {
        if (t->flags & AG_TYPE_HAS_BIND)
            return NULL;
        t = t->item;
    }
    ag_affinity a = ag_type_affinity(t);
    bool free_form = a == AG_AFF_NULL || a == AG_AFF_TUPLE || (t->flags & AG_TYPE_HAS_BIND);
    return free_form ? NULL : t;
}

ag_status ag_type_coerce(ag_value *out, const ag_value *v, const ag_type *t, const char *name, ag_arena *ar,
                         ag_error *err)
{
    const ag_type *rules = deciding_type(t);
    coercion c = {v, rules, name, ar, err};
    if (!rules || v->kind == AG_V_NULL)
        return pass(out, &c);
    return by_affinity[ag_type_affinity(rules)](out, &c);
}

ag_vkind ag_type_passes(const ag_type *t)
{
    int64_t low, high;
    const char *wanted;
    if (!t || deciding_type(t) != t)
        return AG_V_NULL;
    switch (ag_type_affinity(t)) {
    case AG_AFF_INTEGER:
        integer_range(t, &low, &high, &wanted);
        return low == INT64_MIN && high == INT64_MAX ? AG_V_INT : AG_V_NULL;
    case AG_AFF_NUMERIC: return is_binary_float(t) ? AG_V_FLOAT : AG_V_NULL;
    case AG_AFF_STRING: return t->id != AG_TYPE_ENUM && ag_type_kind(t) == AG_V_TEXT ? AG_V_TEXT : AG_V_NULL;
    default: return AG_V_NULL;
    }
}

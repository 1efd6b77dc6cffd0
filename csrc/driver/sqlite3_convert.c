/* Rows from SQLite: the readers of kinds that SQLite does not have (booleans, decimals, dates …), which live in
 * columns of other storage classes, and the choice of a reader by asked or declared type. A declared type is a hint
 * (SQLite itself does not enforce it): a value that does not fit comes as it is. An asked type is a promise: such a
 * value raises. */
#include "driver/sqlite3_impl.h"

#include "value/datetime.h"

#include <stdio.h>
#include <strings.h>

/* A double with a fraction has at most 17 digits before its point and, written shortest, 340 after. */
#define ROUNDED_MAX 400

static bool is_null(ag_rows *rs, sqlite3_value *v)
{
    if (sqlite3_value_type(v) != SQLITE_NULL)
        return false;
    ag_rows_null(rs);
    return true;
}

/* Text of a TEXT value; false when it is of another class. */
static bool get_text(sqlite3_value *v, ag_str *out)
{
    if (sqlite3_value_type(v) != SQLITE_TEXT)
        return false;
    out->p = (const char *)sqlite3_value_text(v);
    out->n = (size_t)sqlite3_value_bytes(v);
    return out->p != NULL;
}

static bool read_bool(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err)
{
    if (sqlite3_value_type(v) == SQLITE_INTEGER) {
        int64_t i = sqlite3_value_int64(v);
        if (i == 0 || i == 1) {
            ag_rows_int(rs, AG_V_BOOL, i);
            return true;
        }
    }
    return is_null(rs, v) || ag_sqlite_misfit(c, rs, col, v, err);
}

static bool read_bytes(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err)
{
    int type = sqlite3_value_type(v);
    ag_str s;
    if (type == SQLITE_BLOB)
        return ag_sqlite_read_any(c, rs, col, v, err);
    if (!col->strict || !get_text(v, &s))
        return is_null(rs, v) || ag_sqlite_misfit(c, rs, col, v, err);
    ag_rows_bytes(rs, AG_V_BYTES, s.p, s.n, c->base.core->rows_grow);
    return true;
}

/* ---- decimals ---- */

/* c->text holds a decimal: pad it to the column's scale and write the cell. */
static bool put_decimal(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, ag_error *err)
{
    const ag_services *core = c->base.core;
    ag_buf *b = &c->text;
    const char *dot = b->failed ? NULL : memchr(b->data, '.', b->len);
    bool finite = !b->failed && b->len && b->data[b->len - 1] >= '0' && b->data[b->len - 1] <= '9';
    if (finite && col->scale > 0) {
        int have = dot ? (int)(b->data + b->len - dot) - 1 : 0;
        if (!dot)
            ag_driver_add_char(core, b, '.');
        for (; have < col->scale; have++)
            ag_driver_add_char(core, b, '0');
    }
    if (b->failed) {
        core->buf_clear(b);
        (void)core->fail_nomem(err);
        return false;
    }
    ag_rows_bytes(rs, AG_V_DECIMAL, b->data, b->len, core->rows_grow);
    return true;
}

static bool parse_decimal(ag_sqlite *c, const char *s, size_t n)
{
    c->text.len = 0;
    return c->base.core->decimal_parse(&c->text, s, n, NULL) == AG_OK;
}

static int digits_after_point(const ag_buf *b)
{
    const char *dot = b->failed ? NULL : memchr(b->data, '.', b->len);
    return dot ? (int)(b->data + b->len - dot) - 1 : 0;
}

/* Digits past what a double keeps are what was computed with floats: 0.1 + 0.2 in a Numeric(10, 2) is 0.30. Shorter ones
 * are exact, and stay: what was bound comes back (sqlite3_bind.c refuses longer ones). decimal_return_scale always rounds. */
static bool is_rounded(ag_sqlite *c, const ag_sqlite_column *col)
{
    const ag_buf *b = &c->text;
    const ag_type *t = ag_driver_type(col->type);
    int significant, scale;
    if (b->failed || col->scale < 0 || digits_after_point(b) <= col->scale)
        return false;
    c->base.core->decimal_digits(b->data, b->len, &significant, &scale);
    return significant > AG_SQLITE_DIGITS || (t && t->length >= 0);
}

/* The shortest text that reads back as the same double; ".0" is not a digit that was ever stored. */
static bool decimal_of_double(ag_sqlite *c, const ag_sqlite_column *col, double d)
{
    char tmp[64], rounded[ROUNDED_MAX];
    ag_buf *b = &c->text;
    b->len = 0;
    c->base.core->buf_double(b, d);
    if (b->failed || b->len >= sizeof tmp)
        return !b->failed;
    size_t n = b->len;
    if (n > 2 && b->data[n - 1] == '0' && b->data[n - 2] == '.')
        n -= 2;
    memcpy(tmp, b->data, n);
    if (!parse_decimal(c, tmp, n) || !is_rounded(c, col))
        return !b->failed;
    int len = snprintf(rounded, sizeof rounded, "%.*f", col->scale, d);
    return len > 0 && (size_t)len < sizeof rounded && parse_decimal(c, rounded, (size_t)len);
}

static bool read_decimal(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err)
{
    char digits[24];
    ag_str s;
    switch (sqlite3_value_type(v)) {
    case SQLITE_NULL: ag_rows_null(rs); return true;
    case SQLITE_INTEGER:
        c->text.len = 0;
        ag_driver_add(c->base.core, &c->text, digits, ag_driver_int_text(digits, sqlite3_value_int64(v)));
        return put_decimal(c, rs, col, err);
    case SQLITE_FLOAT: {
        double d = sqlite3_value_double(v);
        bool infinite = d - d != 0;
        if (!infinite && decimal_of_double(c, col, d))
            return put_decimal(c, rs, col, err);
        if (!infinite)
            break;
        c->text.len = 0;
        ag_driver_add(c->base.core, &c->text, d > 0 ? "Infinity" : "-Infinity", d > 0 ? 8 : 9);
        return put_decimal(c, rs, col, err);
    }
    case SQLITE_TEXT:
        if (get_text(v, &s) && parse_decimal(c, s.p, s.n))
            return put_decimal(c, rs, col, err);
        break;
    default: break;
    }
    return ag_sqlite_misfit(c, rs, col, v, err);
}

/* ---- dates and times ---- */

static bool put_value(ag_sqlite *c, ag_rows *rs, const ag_value *v)
{
    c->base.core->rows_value(rs, v);
    return true;
}

/* The column's storage_format, NULL none. */
static const char *format_of(const ag_sqlite_column *col)
{
    const ag_type *t = ag_driver_type(col->type);
    bool dated = t && (t->id == AG_TYPE_SQL_DATE || t->id == AG_TYPE_SQL_TIME || t->id == AG_TYPE_SQL_DATETIME);
    return dated ? t->name : NULL;
}

static bool read_formatted(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_vkind kind,
                           ag_error *err)
{
    ag_str s;
    ag_value out;
    if (get_text(v, &s) && c->base.core->temporal_scan(&out, kind, format_of(col), s.p, s.n))
        return put_value(c, rs, &out);
    return is_null(rs, v) || ag_sqlite_misfit(c, rs, col, v, err);
}

static bool read_date(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err)
{
    if (format_of(col))
        return read_formatted(c, rs, col, v, AG_V_DATE, err);
    ag_str s;
    ag_value out;
    if (get_text(v, &s) && c->base.core->date_parse(&out, s.p, s.n, NULL) == AG_OK)
        return put_value(c, rs, &out);
    return is_null(rs, v) || ag_sqlite_misfit(c, rs, col, v, err);
}

static bool read_time(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err)
{
    if (format_of(col))
        return read_formatted(c, rs, col, v, AG_V_TIME, err);
    ag_str s;
    ag_value out;
    if (get_text(v, &s) && c->base.core->time_parse(&out, s.p, s.n, NULL) == AG_OK)
        return put_value(c, rs, &out);
    return is_null(rs, v) || ag_sqlite_misfit(c, rs, col, v, err);
}

/* A text with a date only is its midnight (CURRENT_DATE as a default of a DATETIME column). */
static bool parse_datetime(ag_sqlite *c, sqlite3_value *v, ag_value *out)
{
    const ag_services *core = c->base.core;
    ag_str s;
    if (!get_text(v, &s))
        return false;
    if (s.n > 10)
        return core->datetime_parse(out, s.p, s.n, NULL) == AG_OK;
    if (core->date_parse(out, s.p, s.n, NULL) != AG_OK || out->u.i == AG_DATE_NEG_INF || out->u.i == AG_DATE_POS_INF)
        return false;
    *out = (ag_value){.kind = AG_V_DATETIME, .u.i = out->u.i * AG_US_PER_DAY};
    return true;
}

static bool read_datetime(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err)
{
    if (format_of(col))
        return read_formatted(c, rs, col, v, AG_V_DATETIME, err);
    ag_value out;
    if (!parse_datetime(c, v, &out))
        return is_null(rs, v) || ag_sqlite_misfit(c, rs, col, v, err);
    return put_value(c, rs, &out);
}

static bool read_interval(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err)
{
    ag_value out;
    if (!parse_datetime(c, v, &out) || (out.flags & AG_V_ZONED))
        return is_null(rs, v) || ag_sqlite_misfit(c, rs, col, v, err);
    int64_t us = out.u.i;
    ag_value iv = {.kind = AG_V_INTERVAL};
    iv.u.iv.days = (int32_t)(us / AG_US_PER_DAY);
    iv.u.iv.us = us % AG_US_PER_DAY;
    return put_value(c, rs, &iv);
}

/* ---- JSON, UUID ---- */

static bool read_json(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err)
{
    char digits[24];
    ag_str s;
    switch (sqlite3_value_type(v)) {
    case SQLITE_NULL: ag_rows_null(rs); return true;
    case SQLITE_INTEGER: /* a JSON column has NUMERIC affinity: a top-level number is stored as one */
        s.n = ag_driver_int_text(digits, sqlite3_value_int64(v));
        ag_rows_bytes(rs, AG_V_JSON, digits, s.n, c->base.core->rows_grow);
        return true;
    case SQLITE_FLOAT:
        c->text.len = 0;
        c->base.core->buf_double(&c->text, sqlite3_value_double(v));
        if (c->text.failed) {
            c->base.core->buf_clear(&c->text);
            (void)c->base.core->fail_nomem(err);
            return false;
        }
        ag_rows_bytes(rs, AG_V_JSON, c->text.data, c->text.len, c->base.core->rows_grow);
        return true;
    default: break;
    }
    if (!get_text(v, &s))
        return ag_sqlite_misfit(c, rs, col, v, err);
    ag_rows_bytes(rs, AG_V_JSON, s.p, s.n, c->base.core->rows_grow);
    return true;
}

static bool read_uuid(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err)
{
    static const char hex[] = "0123456789abcdef";
    char plain[32], text[36];
    ag_str s = {NULL, 0};
    if (sqlite3_value_type(v) == SQLITE_BLOB && sqlite3_value_bytes(v) == 16) {
        const unsigned char *b = sqlite3_value_blob(v);
        for (size_t i = 0; i < 16; i++) {
            plain[2 * i] = hex[b[i] >> 4];
            plain[2 * i + 1] = hex[b[i] & 15];
        }
        s = (ag_str){plain, 32};
    }
    if ((s.p || get_text(v, &s)) && ag_driver_uuid_parse(text, s.p, s.n)) {
        ag_rows_bytes(rs, AG_V_UUID, text, 36, c->base.core->rows_grow);
        return true;
    }
    return is_null(rs, v) || ag_sqlite_misfit(c, rs, col, v, err);
}

/* An Enum: what its list lacks is refused, as in SQLAlchemy. */
static bool read_enum(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err)
{
    ag_str s;
    if (get_text(v, &s) && ag_driver_unlisted(ag_driver_type(col->type), s.p, s.n))
        return ag_sqlite_misfit(c, rs, col, v, err);
    return ag_sqlite_read_text(c, rs, col, v, err);
}

/* ---- choosing ---- */

static ag_sqlite_read_fn reader_of(ag_vkind kind)
{
    switch (kind) {
    case AG_V_BOOL: return read_bool;
    case AG_V_INT: return ag_sqlite_read_int;
    case AG_V_FLOAT: return ag_sqlite_read_float;
    case AG_V_TEXT:
    case AG_V_RAW: return ag_sqlite_read_text;
    case AG_V_BYTES: return read_bytes;
    case AG_V_DECIMAL: return read_decimal;
    case AG_V_DATE: return read_date;
    case AG_V_TIME: return read_time;
    case AG_V_DATETIME: return read_datetime;
    case AG_V_INTERVAL: return read_interval;
    case AG_V_UUID: return read_uuid;
    case AG_V_JSON: return read_json;
    default: return ag_sqlite_read_any;
    }
}

static bool contains(const char *s, size_t n, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= n; i++) {
        if (strncasecmp(s + i, word, len) == 0)
            return true;
    }
    return false;
}

/* Declared types that mean more than SQLite's affinity (datatype3.html, 3.1, whose rules come last). `whole`: the
 * first word is the name; else the name occurs in it. */
static const struct declared {
    const char *word;
    bool whole;
    uint16_t type;
} declared[] = {
    {"BOOLEAN", true, AG_TYPE_BOOLEAN},   {"BOOL", true, AG_TYPE_BOOLEAN},      {"DATE", true, AG_TYPE_DATE},
    {"TIME", true, AG_TYPE_TIME},         {"DATETIME", true, AG_TYPE_DATETIME}, {"TIMESTAMP", true, AG_TYPE_DATETIME},
    {"NUMERIC", true, AG_TYPE_NUMERIC},   {"DECIMAL", true, AG_TYPE_NUMERIC},   {"JSON", true, AG_TYPE_JSON},
    {"UUID", true, AG_TYPE_UUID_GENERIC}, {"INT", false, AG_TYPE_INTEGER},      {"CHAR", false, AG_TYPE_STRING},
    {"CLOB", false, AG_TYPE_TEXT},        {"TEXT", false, AG_TYPE_TEXT},        {"BLOB", false, AG_TYPE_LARGEBINARY},
    {"REAL", false, AG_TYPE_FLOAT},       {"FLOA", false, AG_TYPE_FLOAT},       {"DOUB", false, AG_TYPE_DOUBLE},
};

static ag_type_id declared_type(const char *decl, size_t n)
{
    size_t first = strcspn(decl, " (");
    for (size_t i = 0; i < sizeof declared / sizeof *declared; i++) {
        const struct declared *d = &declared[i];
        if (d->whole ? strlen(d->word) == first && strncasecmp(decl, d->word, first) == 0 : contains(decl, n, d->word))
            return (ag_type_id)d->type;
    }
    return AG_TYPE_NULL;
}

/* s of "NUMERIC(p, s)", -1 when there is none. */
static int declared_scale(const char *decl)
{
    const char *comma = strchr(decl, ',');
    if (!comma)
        return -1;
    do
        comma++;
    while (*comma == ' ');
    int scale = 0;
    for (; *comma >= '0' && *comma <= '9' && scale < 1000; comma++)
        scale = scale * 10 + (*comma - '0');
    return scale;
}

void ag_sqlite_pick_reader(ag_sqlite *c, ag_sqlite_column *col, const ag_type *asked)
{
    const ag_services *core = c->base.core;
    const ag_type *t = ag_driver_type(asked);
    if (t && t->id != AG_TYPE_NULL) {
        col->type = asked;
        col->strict = true;
        col->zoned = (t->flags & AG_TYPE_TIMEZONE) != 0;
        col->read = t->id == AG_TYPE_ENUM && t->nlabels ? read_enum : reader_of(ag_driver_kind(core, t));
        col->scale = t->length >= 0 ? t->length : t->scale;
        return;
    }
    ag_type_id id = col->decl ? declared_type(col->decl, col->decl_len) : AG_TYPE_NULL;
    col->type = core->type_plain(id);
    col->read = reader_of(core->type_kind(col->type));
    if (id == AG_TYPE_NUMERIC)
        col->scale = declared_scale(col->decl);
}

/* JSON indexes and paths as the databases write them. */
#include "compile/compiled.h"

#include <string.h>

static ag_status bad(ag_error *err)
{
    return ag_fail(err, AG_EXC_ARGUMENT, "a JSON path is an array of strings and integers");
}

static void dollar_key(ag_buf *out, const char *s, size_t n)
{
    ag_buf_str(out, ".\"");
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"' || s[i] == '\\')
            ag_buf_char(out, '\\');
        ag_buf_char(out, s[i]);
    }
    ag_buf_char(out, '"');
}

static void brace_key(ag_buf *out, const char *s, size_t n)
{
    ag_buf_char(out, '"');
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"' || s[i] == '\\')
            ag_buf_char(out, '\\');
        ag_buf_char(out, s[i]);
    }
    ag_buf_char(out, '"');
}

static void key(ag_buf *out, ag_path_form form, const char *s, size_t n, size_t nth)
{
    if (form == AG_PATH_DOLLAR) {
        dollar_key(out, s, n);
        return;
    }
    if (nth)
        ag_buf_char(out, ',');
    brace_key(out, s, n);
}

/* SQLite counts from the end with [#-n]. */
static void position(ag_buf *out, ag_path_form form, int64_t i, size_t nth)
{
    if (form == AG_PATH_DOLLAR) {
        ag_buf_str(out, i < 0 ? "[#" : "[");
        ag_buf_int(out, i);
        ag_buf_char(out, ']');
        return;
    }
    if (nth)
        ag_buf_char(out, ',');
    ag_buf_int(out, i);
}

static unsigned hex4(const char *s)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        char ch = s[i];
        v = v << 4 | (unsigned)(ch >= 'a' ? ch - 'a' + 10 : ch >= 'A' ? ch - 'A' + 10 : ch - '0');
    }
    return v & 0xffff;
}

static void utf8(ag_buf *out, unsigned cp)
{
    if (cp < 0x80) {
        ag_buf_char(out, (char)cp);
    } else if (cp < 0x800) {
        ag_buf_char(out, (char)(0xc0 | cp >> 6));
        ag_buf_char(out, (char)(0x80 | (cp & 63)));
    } else if (cp < 0x10000) {
        ag_buf_char(out, (char)(0xe0 | cp >> 12));
        ag_buf_char(out, (char)(0x80 | (cp >> 6 & 63)));
        ag_buf_char(out, (char)(0x80 | (cp & 63)));
    } else {
        ag_buf_char(out, (char)(0xf0 | cp >> 18));
        ag_buf_char(out, (char)(0x80 | (cp >> 12 & 63)));
        ag_buf_char(out, (char)(0x80 | (cp >> 6 & 63)));
        ag_buf_char(out, (char)(0x80 | (cp & 63)));
    }
}

/* One escape at s (behind the backslash); the bytes used, 0 when it is none. */
static size_t unescape(ag_buf *out, const char *s, const char *end)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *m = s < end && *s ? strchr(from, *s) : NULL;
    if (m) {
        ag_buf_char(out, to[m - from]);
        return 1;
    }
    if (end - s < 5 || *s != 'u')
        return 0;
    unsigned cp = hex4(s + 1);
    if (cp < 0xd800 || cp > 0xdbff) {
        utf8(out, cp);
        return 5;
    }
    if (end - s < 11 || s[5] != '\\' || s[6] != 'u')
        return 0;
    utf8(out, 0x10000 + ((cp & 0x3ff) << 10) + (hex4(s + 7) & 0x3ff));
    return 11;
}

/* A JSON string at s (behind the quote) into out; behind its closing quote, or NULL. */
static const char *read_string(ag_buf *out, const char *s, const char *end)
{
    while (s < end && *s != '"') {
        if (*s != '\\') {
            ag_buf_char(out, *s++);
            continue;
        }
        size_t n = unescape(out, s + 1, end);
        if (!n)
            return NULL;
        s += n + 1;
    }
    return s < end ? s + 1 : NULL;
}

static const char *blanks(const char *s, const char *end)
{
    while (s < end && (*s == ' ' || *s == '\n' || *s == '\t' || *s == '\r'))
        s++;
    return s;
}

static const char *element(ag_buf *out, ag_buf *text, ag_path_form form, const char *s, const char *end, size_t nth)
{
    if (s < end && *s == '"') {
        ag_buf_reset(text);
        s = read_string(text, s + 1, end);
        if (s)
            key(out, form, text->data ? text->data : "", text->len, nth);
        return s;
    }
    const char *from = s;
    int64_t i;
    while (s < end && (*s == '-' || (*s >= '0' && *s <= '9')))
        s++;
    if (!ag_parse_int64(from, (size_t)(s - from), &i))
        return NULL;
    position(out, form, i, nth);
    return s;
}

static ag_status array(ag_buf *out, ag_path_form form, ag_str json, ag_error *err)
{
    const char *end = json.p + json.n, *s = blanks(json.p, end);
    ag_buf text;
    ag_buf_init(&text, out->alloc);
    bool ok = s < end && *s == '[';
    s = ok ? blanks(s + 1, end) : s;
    for (size_t nth = 0; ok && s < end && *s != ']'; nth++) {
        s = element(out, &text, form, s, end, nth);
        ok = s != NULL;
        s = ok ? blanks(s, end) : s;
        if (ok && s < end && *s == ',')
            s = blanks(s + 1, end);
        else if (ok)
            ok = s < end && *s == ']';
    }
    ok = ok && s < end;
    bool nomem = !ag_buf_ok(&text);
    ag_buf_clear(&text);
    return nomem ? ag_fail_nomem(err) : ok ? AG_OK : bad(err);
}

ag_status ag_json_path_write(ag_buf *out, ag_path_form form, const ag_value *v, ag_error *err)
{
    ag_buf_char(out, form == AG_PATH_DOLLAR ? '$' : '{');
    if (v->kind == AG_V_INT)
        position(out, form, v->u.i, 0);
    else if (v->kind == AG_V_TEXT)
        key(out, form, v->u.s.p, v->u.s.n, 0);
    else if (v->kind == AG_V_JSON)
        AG_TRY(array(out, form, v->u.s, err));
    else
        return bad(err);
    if (form == AG_PATH_BRACES)
        ag_buf_char(out, '}');
    return ag_buf_ok(out) ? AG_OK : ag_fail_nomem(err);
}

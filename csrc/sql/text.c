/* The scanner of text(), and the nodes made from it. PostgreSQL's lexical rules (its documentation, "Lexical
 * Structure"), which include
 * SQLite's but for brackets as quotes. */
#include "sql/text.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "sql/build.h"

/* ---- scanning ---- */

/* Letters, digits, underscore, and all bytes of non-ASCII characters. */
static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static bool is_name(char c)
{
    return is_word(c) || c == '$';
}

/* Behind the closing quote q; doubled quotes, and after a backslash anything, go on. */
static size_t end_of_quote(const char *s, size_t len, size_t pos, char q, bool backslash)
{
    for (pos++; pos < len; pos++) {
        if (backslash && s[pos] == '\\')
            pos++;
        else if (s[pos] == q && (pos + 1 == len || s[pos + 1] != q))
            return pos + 1;
        else if (s[pos] == q)
            pos++;
    }
    return len;
}

/* Is the quote at pos that of an E'' string? */
static bool is_escape_string(const char *s, size_t pos)
{
    return pos > 0 && (s[pos - 1] == 'e' || s[pos - 1] == 'E') && (pos < 2 || !is_name(s[pos - 2]));
}

/* Length of "$tag$" at pos, 0 if it is none. */
static size_t dollar_tag(const char *s, size_t len, size_t pos)
{
    size_t i = pos + 1;
    if (pos > 0 && is_name(s[pos - 1]))
        return 0;
    if (i < len && s[i] >= '0' && s[i] <= '9')
        return 0;
    while (i < len && is_word(s[i]))
        i++;
    return i < len && s[i] == '$' ? i + 1 - pos : 0;
}

static size_t end_of_dollar(const char *s, size_t len, size_t pos, size_t tag)
{
    for (size_t i = pos + tag; i + tag <= len; i++) {
        if (s[i] == '$' && memcmp(s + i, s + pos, tag) == 0)
            return i + tag;
    }
    return len;
}

/* Block comments nest. */
static size_t end_of_comment(const char *s, size_t len, size_t pos)
{
    size_t depth = 1;
    for (pos += 2; pos + 1 < len; pos++) {
        if (s[pos] == '/' && s[pos + 1] == '*') {
            depth++;
            pos++;
        } else if (s[pos] == '*' && s[pos + 1] == '/') {
            pos++;
            if (--depth == 0)
                return pos + 1;
        }
    }
    return len;
}

static size_t end_of_line(const char *s, size_t len, size_t pos)
{
    while (pos < len && s[pos] != '\n')
        pos++;
    return pos;
}

/* End of the quoted thing that begins at pos, 0 if none does. */
static size_t end_of_quoted(const char *s, size_t len, size_t pos)
{
    char c = s[pos], next = pos + 1 < len ? s[pos + 1] : '\0';
    size_t tag;
    if (c == '\'' || c == '"')
        return end_of_quote(s, len, pos, c, c == '\'' && is_escape_string(s, pos));
    if (c == '-' && next == '-')
        return end_of_line(s, len, pos);
    if (c == '/' && next == '*')
        return end_of_comment(s, len, pos);
    if (c == '$' && (tag = dollar_tag(s, len, pos)) != 0)
        return end_of_dollar(s, len, pos, tag);
    return 0;
}

/* End of the placeholder at pos, 0 if there is none: no colon or word before it ("::int", "a[1:2]"), a name behind
 * it. */
static size_t end_of_bind(const char *s, size_t len, size_t pos)
{
    size_t i = pos + 1;
    if (s[pos] != ':' || (pos > 0 && (s[pos - 1] == ':' || is_name(s[pos - 1]))))
        return 0;
    while (i < len && is_name(s[i]))
        i++;
    return i > pos + 1 ? i : 0;
}

ag_text_kind ag_text_token(const char *sql, size_t len, size_t pos, size_t *end)
{
    for (size_t i = pos; i < len; i++) {
        ag_text_kind kind;
        size_t stop;
        if (sql[i] == '\\' && i + 1 < len && sql[i + 1] == ':') {
            kind = AG_TEXT_ESCAPE;
            stop = i + 2;
        } else if ((stop = end_of_quoted(sql, len, i)) != 0) {
            kind = AG_TEXT_QUOTED;
        } else if ((stop = end_of_bind(sql, len, i)) != 0) {
            kind = AG_TEXT_BIND;
        } else {
            continue;
        }
        if (i > pos) { /* what comes before it is a token of its own */
            *end = i;
            return AG_TEXT_PLAIN;
        }
        *end = stop;
        return kind;
    }
    *end = len;
    return AG_TEXT_PLAIN;
}

/* ---- nodes ---- */

typedef struct scan {
    ag_builder *b;
    ag_buf text;
    AG_VEC(const ag_node *) binds; /* one a place */
    AG_VEC(uint32_t) places;
    bool nomem, failed;
} scan;

/* The bind of that name, made when it is met first. */
static const ag_node *bind_named(scan *s, ag_str name)
{
    for (size_t i = 0; i < s->binds.len; i++) {
        const ag_node *known = s->binds.items[i];
        if (ag_str_eq(ag_nstr_get(known, AG_AS(bind, BIND, known)->key), name))
            return known;
    }
    const ag_bind_spec spec = {.key = name};
    return ag_bind(s->b, &spec);
}

static void add_place(scan *s, ag_str name)
{
    const ag_node *bind = bind_named(s, name);
    if (!bind)
        s->failed = true;
    else if (!ag_vec_push(&s->binds, bind) || !ag_vec_push(&s->places, (uint32_t)s->text.len))
        s->nomem = true;
}

static void scan_all(scan *s, ag_str sql)
{
    for (size_t pos = 0, end; pos < sql.n && !s->nomem && !s->failed; pos = end) {
        switch (ag_text_token(sql.p, sql.n, pos, &end)) {
        case AG_TEXT_ESCAPE: ag_buf_char(&s->text, ':'); break;
        case AG_TEXT_BIND: add_place(s, (ag_str){sql.p + pos + 1, end - pos - 1}); break;
        default: ag_buf_add(&s->text, sql.p + pos, end - pos); break;
        }
    }
    s->nomem |= !ag_buf_ok(&s->text);
}

static const ag_node *make_text(scan *s)
{
    ag_str text = {s->text.data ? s->text.data : "", s->text.len};
    size_t n = s->binds.len;
    ag_n_text *t =
        ag_node_new(s->b, AG_K_TEXT, ag_null_type(), ag_room_str(text.n) + ag_room_list(n) + ag_room_ints(n));
    if (!t)
        return NULL;
    t->text = ag_node_str(t, text);
    t->binds = ag_node_list(t, s->binds.items, n);
    t->places = ag_node_ints(t, s->places.items, n);
    return ag_node_finish(s->b, t);
}

const ag_node *ag_text(ag_builder *b, ag_str sql)
{
    if (sql.n >= UINT32_MAX || (sql.n && memchr(sql.p, '\0', sql.n)))
        return ag_build_fail(b, AG_EXC_ARGUMENT, "text() takes SQL without NUL bytes");
    if (!ag_utf8_valid(sql.p, sql.n))
        return ag_build_fail(b, AG_EXC_ARGUMENT, "the SQL of text() is not valid UTF-8");
    scan s = {.b = b};
    ag_buf_init(&s.text, b->alloc);
    ag_vec_init(&s.binds, b->alloc);
    ag_vec_init(&s.places, b->alloc);
    scan_all(&s, sql);
    const ag_node *n = s.nomem || s.failed ? NULL : make_text(&s);
    if (s.nomem)
        (void)ag_fail_nomem(b->err);
    ag_buf_clear(&s.text);
    ag_vec_clear(&s.binds);
    ag_vec_clear(&s.places);
    return n;
}

static const ag_node *unknown_bind(ag_builder *b, const ag_n_text *t, ag_str key)
{
    const char *names[64], *near;
    size_t n = 0;
    char name[64] = {0};
    memcpy(name, key.p ? key.p : "", key.n < 63 ? key.n : 63);
    for (uint32_t i = 0; i < t->binds.n && n < 64; i++) {
        const ag_node *bind = ag_nlist_at(t, t->binds, i);
        names[n++] = ag_nstr_get(bind, AG_AS(bind, BIND, bind)->key).p;
    }
    near = ag_nearest(name, names, n);
    return ag_build_fail(b, AG_EXC_ARGUMENT, "this text() doesn't define a bound parameter named '%s'%s%s%s", name,
                         near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

const ag_node *ag_text_bindparams(ag_builder *b, const ag_node *text, const ag_node *const *binds, size_t n)
{
    if (!text)
        return NULL;
    if (text->kind == AG_K_TEXT_SELECT) {
        const ag_node *inner = ag_text_bindparams(b, AG_AS(text_select, TEXT_SELECT, text)->text, binds, n);
        ag_n_text_select *outer = inner ? ag_node_copy(b, text) : NULL;
        if (!outer)
            return NULL;
        outer->text = inner;
        return ag_node_finish(b, outer);
    }
    if (text->kind != AG_K_TEXT)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "bindparams() is for text(), not for a %s",
                             ag_kind_get(text->kind)->name);
    const ag_n_text *t = AG_AS(text, TEXT, text);
    const ag_node **all = ag_build_array(b, t->binds.n);
    if (!all)
        return NULL;
    if (t->binds.n)
        memcpy((void *)all, (const void *)ag_nlist_items(t, t->binds), t->binds.n * sizeof *all);
    for (size_t i = 0; i < n; i++) {
        bool found = false;
        if (!binds[i])
            return NULL;
        ag_str key = ag_nstr_get(binds[i], AG_AS(bind, BIND, binds[i])->key);
        for (uint32_t k = 0; k < t->binds.n; k++) {
            const ag_node *old = ag_nlist_at(t, t->binds, k);
            if (!ag_str_eq(ag_nstr_get(old, AG_AS(bind, BIND, old)->key), key))
                continue;
            all[k] = binds[i];
            found = true;
        }
        if (!found)
            return unknown_bind(b, t, key);
    }
    ag_node *copy = ag_node_with_list(b, text, offsetof(ag_n_text, binds), all, t->binds.n, false);
    return copy ? ag_node_finish(b, copy) : NULL;
}

const ag_node *ag_text_columns(ag_builder *b, const ag_node *text, const ag_node *const *columns, size_t n,
                               bool positional)
{
    if (!text)
        return NULL;
    if (text->kind != AG_K_TEXT)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "columns() is for text(), not for a %s",
                             ag_kind_get(text->kind)->name);
    const ag_node **exprs = ag_build_array(b, n);
    if (!exprs || !ag_as_exprs(b, exprs, columns, n))
        return NULL;
    ag_n_text_select *s = ag_node_new(b, AG_K_TEXT_SELECT, NULL, ag_room_list(n));
    if (!s)
        return NULL;
    s->node.flags |= positional ? AG_TEXT_SELECT_POSITIONAL : 0;
    s->text = text;
    s->columns = ag_node_list(s, exprs, n);
    s->exec_options = AG_AS(text, TEXT, text)->exec_options;
    return ag_node_finish(b, s);
}

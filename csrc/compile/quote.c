/* Identifiers and string literals: the one place where a name becomes SQL. Follows SQLAlchemy's rule for when quotes are written; what
 * no database takes (empty, NUL, broken UTF-8) is refused here. */
#include "compile/compiler.h"

#include "base/utf8.h"

#include <string.h>

/* Order of s beside the word w; most words differ in the first letter. */
static int compare(const char *s, size_t n, const char *w)
{
    if (*s != *w)
        return (unsigned char)*s < (unsigned char)*w ? -1 : 1;
    int cmp = strncmp(s, w, n);
    return cmp == 0 && w[n] ? -1 : cmp;
}

static bool is_reserved(const ag_dialect *d, const char *s, size_t n)
{
    size_t lo = 0, hi = d->nreserved;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int cmp = compare(s, n, d->reserved[mid]);
        if (cmp == 0)
            return true;
        if (cmp < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return false;
}

typedef enum chars { CHARS_PLAIN, CHARS_UPPER, CHARS_ILLEGAL } chars;

/* What stands in a name: only a-z 0-9 _ $ (and not a digit or $ first), capitals too, or something else. */
static chars look(ag_str s)
{
    bool upper = false;
    if (!s.n || (s.p[0] >= '0' && s.p[0] <= '9') || s.p[0] == '$')
        return CHARS_ILLEGAL;
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        if ((ch >= 'a' && ch <= 'z') || ch == '_' || (ch >= '0' && ch <= '9') || ch == '$')
            continue;
        if (ch < 'A' || ch > 'Z')
            return CHARS_ILLEGAL;
        upper = true;
    }
    return upper ? CHARS_UPPER : CHARS_PLAIN;
}

bool ag_quote_illegal(ag_str name)
{
    return look(name) == CHARS_ILLEGAL;
}

bool ag_quote_needed(const ag_dialect *d, ag_str name)
{
    return look(name) != CHARS_PLAIN || is_reserved(d, name.p, name.n);
}

static ag_status check(ag_str name, ag_error *err)
{
    if (!name.n)
        return ag_fail(err, AG_EXC_IDENTIFIER, "an identifier may not be empty");
    if (memchr(name.p, '\0', name.n))
        return ag_fail(err, AG_EXC_IDENTIFIER, "an identifier may not hold a NUL byte");
    if (!ag_utf8_valid(name.p, name.n))
        return ag_fail(err, AG_EXC_IDENTIFIER, "an identifier must be valid UTF-8");
    return AG_OK;
}

static void add_quoted(ag_buf *out, ag_str s, char open, char quote)
{
    ag_buf_char(out, open);
    for (size_t i = 0, from = 0; i <= s.n; i++) {
        if (i < s.n && s.p[i] != quote)
            continue;
        ag_buf_add(out, s.p + from, i - from);
        if (i < s.n) {
            ag_buf_char(out, quote);
            from = i;
        }
    }
    ag_buf_char(out, quote);
}

static ag_status identifier(ag_buf *out, const ag_dialect *d, ag_str name, int quote, bool generated, ag_error *err)
{
    bool plain = quote < 1 && (quote == 0 ? look(name) != CHARS_ILLEGAL : !ag_quote_needed(d, name));
    if (!plain)
        AG_TRY(check(name, err));
    if (!generated && d->refuse_long_names && name.n > d->max_identifier)
        return ag_fail(err, AG_EXC_IDENTIFIER, "Identifier '%.*s' exceeds maximum length of %u bytes", (int)name.n,
                       name.p, d->max_identifier);
    if (plain)
        ag_buf_add(out, name.p, name.n);
    else
        add_quoted(out, name, d->quote_open ? d->quote_open : '"', d->quote_close ? d->quote_close : '"');
    return ag_buf_ok(out) ? AG_OK : ag_fail_nomem(err);
}

ag_status ag_quote_identifier(ag_buf *out, const ag_dialect *d, ag_str name, int quote, ag_error *err)
{
    return identifier(out, d, name, quote, false, err);
}

ag_status ag_quote_string(ag_buf *out, const ag_dialect *d, ag_str text, ag_error *err)
{
    if (text.n && memchr(text.p, '\0', text.n))
        return ag_fail(err, AG_EXC_COMPILE, "a string with a NUL byte has no literal form");
    if (text.n && !ag_utf8_valid(text.p, text.n))
        return ag_fail(err, AG_EXC_COMPILE, "a string that is not valid UTF-8 has no literal form");
    if (!d->backslash_escapes || !text.n || !memchr(text.p, '\\', text.n)) {
        add_quoted(out, text, '\'', '\'');
        return ag_buf_ok(out) ? AG_OK : ag_fail_nomem(err);
    }
    /* E'' means the same whatever standard_conforming_strings is. */
    ag_buf_str(out, "E'");
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\\' || text.p[i] == '\'')
            ag_buf_char(out, text.p[i]);
        ag_buf_char(out, text.p[i]);
    }
    ag_buf_char(out, '\'');
    return ag_buf_ok(out) ? AG_OK : ag_fail_nomem(err);
}

/* ---- for visitors ---- */

void ag_c_quote(ag_compiler *c, ag_str name, int quote)
{
    if (!c->failed)
        ag_c_ok(c, identifier(&c->out, c->d, name, quote, false, c->err));
}

void ag_c_quote_generated(ag_compiler *c, ag_str name)
{
    if (!c->failed)
        ag_c_ok(c, identifier(&c->out, c->d, name, -1, true, c->err));
}

void ag_c_string(ag_compiler *c, ag_str text)
{
    if (!c->failed)
        ag_c_ok(c, ag_quote_string(&c->out, c->d, text, c->err));
}

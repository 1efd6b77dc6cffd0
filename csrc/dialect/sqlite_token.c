/* SQLite's tokens. Operators come byte by byte: whoever asks wants brackets, commas and words. */
#include "dialect/sqlite_token.h"

#include <string.h>

static bool is_blank(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v');
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_start(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_part(unsigned char c)
{
    return is_start(c) || is_digit(c) || c == '$';
}

/* Past blanks and comments. One of the slash kind without an end reaches to the end of the text, as in SQLite. */
static size_t skip(ag_str s, size_t i)
{
    while (i < s.n) {
        const char *p = s.p + i;
        size_t left = s.n - i;
        if (is_blank((unsigned char)*p)) {
            i++;
        } else if (left > 1 && p[0] == '-' && p[1] == '-') {
            const char *end = memchr(p, '\n', left);
            i = end ? (size_t)(end - s.p) : s.n;
        } else if (left > 1 && p[0] == '/' && p[1] == '*') {
            for (i += 2; i < s.n && !(s.p[i - 1] == '*' && s.p[i] == '/' && s.p + i - 1 > p + 1);)
                i++;
            i += i < s.n;
        } else {
            break;
        }
    }
    return i;
}

/* Behind the closing quote, a doubled one stands for itself; 0 when there is none. */
static size_t quoted(ag_str s, size_t i, char quote)
{
    for (i++; i < s.n; i++) {
        if (s.p[i] != quote)
            continue;
        if (quote == ']' || i + 1 == s.n || s.p[i + 1] != quote)
            return i + 1;
        i++;
    }
    return 0;
}

/* Digits, a fraction, an exponent, 0x…, digit separators: whatever follows is part of it as long as it is a name's. */
static size_t number(ag_str s, size_t i)
{
    bool hex = i + 1 < s.n && s.p[i] == '0' && (s.p[i + 1] | 0x20) == 'x';
    for (i++; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool sign = (c == '+' || c == '-') && !hex && (s.p[i - 1] | 0x20) == 'e';
        if (!is_part(c) && c != '.' && !sign)
            break;
    }
    return i;
}

static ag_sqlite_token token(ag_sqlite_token_kind kind, size_t from, size_t to)
{
    return (ag_sqlite_token){to ? kind : AG_SQLITE_BAD, from, to ? to : from};
}

ag_sqlite_token ag_sqlite_next_token(ag_str s, size_t at)
{
    size_t i = skip(s, at);
    if (i >= s.n)
        return (ag_sqlite_token){AG_SQLITE_END, s.n, s.n};
    unsigned char c = (unsigned char)s.p[i];
    switch (c) {
    case '"':
    case '`': return token(AG_SQLITE_QUOTED, i, quoted(s, i, (char)c));
    case '[': return token(AG_SQLITE_QUOTED, i, quoted(s, i, ']'));
    case '\'': return token(AG_SQLITE_STRING, i, quoted(s, i, '\''));
    default: break;
    }
    if ((c == 'x' || c == 'X') && i + 1 < s.n && s.p[i + 1] == '\'')
        return token(AG_SQLITE_BLOB, i, quoted(s, i + 1, '\''));
    if (is_digit(c) || (c == '.' && i + 1 < s.n && is_digit((unsigned char)s.p[i + 1])))
        return token(AG_SQLITE_NUMBER, i, number(s, i));
    if (!is_start(c))
        return token(AG_SQLITE_SIGN, i, i + 1);
    size_t from = i;
    while (i < s.n && is_part((unsigned char)s.p[i]))
        i++;
    return token(AG_SQLITE_WORD, from, i);
}

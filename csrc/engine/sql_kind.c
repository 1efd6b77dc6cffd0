/* Reading the first words of driver text. Not a parser: it decides only what is safe to decide either way (whether
 * to begin a transaction, whether the session has to be reset on return). */
#include "engine/execute_internal.h"
#include <string.h>

typedef struct words {
    const char *s;
    size_t len, at;
} words;

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Skip blanks, comments, '(' and ';'. */
static void skip(words *w)
{
    while (w->at < w->len) {
        const char *p = w->s + w->at;
        size_t left = w->len - w->at;
        if (is_space(*p) || *p == '(' || *p == ';') {
            w->at++;
        } else if (left > 1 && p[0] == '-' && p[1] == '-') {
            const char *nl = memchr(p, '\n', left);
            w->at = nl ? (size_t)(nl - w->s) + 1 : w->len;
        } else if (left > 1 && p[0] == '/' && p[1] == '*') {
            size_t i = 2;
            while (i + 1 < left && !(p[i] == '*' && p[i + 1] == '/'))
                i++;
            w->at = i + 1 < left ? w->at + i + 2 : w->len;
        } else {
            break;
        }
    }
}

/* The next word, upper case, cut to 15 bytes; "" when there is none. */
static void next_word(words *w, char out[16])
{
    size_t n = 0;
    skip(w);
    while (w->at < w->len && is_word_char(w->s[w->at])) {
        char c = w->s[w->at++];
        if (n < 15)
            out[n++] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    out[n] = '\0';
}

static bool is_one_of(const char *word, const char *list)
{
    size_t n = strlen(word);
    for (const char *p = n ? strstr(list, word) : NULL; p; p = strstr(p + 1, word))
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

static bool same_word(const char *s, const char *lower, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((s[i] | 0x20) != lower[i] && s[i] != lower[i])
            return false;
    return true;
}

/* advisory_lock (pg_advisory_lock, pg_try_advisory_lock …) or set_config, found by their '_'. */
static bool calls_session_function(const char *s, size_t len)
{
    for (size_t at = 0; at < len; at++) {
        const char *p = memchr(s + at, '_', len - at);
        if (!p)
            return false;
        at = (size_t)(p - s);
        if (at >= 8 && len - at >= 5 && same_word(p - 8, "advisory_lock", 13))
            return true;
        if (at >= 3 && len - at >= 7 && same_word(p - 3, "set_config", 10))
            return true;
    }
    return false;
}

static bool session_word(const char *first, words *w)
{
    char second[16];
    next_word(w, second);
    if (strcmp(first, "SET") == 0)
        return !is_one_of(second, "LOCAL TRANSACTION CONSTRAINTS");
    if (strcmp(first, "CREATE") == 0)
        return is_one_of(second, "TEMP TEMPORARY GLOBAL LOCAL");
    if (strcmp(first, "PRAGMA") == 0)
        return memchr(w->s, '=', w->len) || memchr(w->s, '(', w->len);
    return is_one_of(first, "LISTEN LOAD PREPARE DISCARD RESET ATTACH DECLARE");
}

ag_sql_kind ag_sql_classify(const char *text, size_t len, bool *changes_session)
{
    words w = {text, len, 0};
    char first[16];
    next_word(&w, first);
    *changes_session = session_word(first, &w) || calls_session_function(text, len);
    if (is_one_of(first, "SELECT WITH VALUES TABLE"))
        return AG_SQL_QUERY;
    if (is_one_of(first, "INSERT REPLACE"))
        return AG_SQL_INSERT;
    if (is_one_of(first, "UPDATE DELETE MERGE"))
        return AG_SQL_DML;
    if (is_one_of(first, "CREATE ALTER DROP TRUNCATE"))
        return AG_SQL_DDL;
    if (is_one_of(first, "BEGIN START COMMIT END ROLLBACK SAVEPOINT RELEASE PRAGMA VACUUM ATTACH DETACH"))
        return AG_SQL_CONTROL;
    return AG_SQL_OTHER;
}

/* Names of isolation levels; merging and copying execution options. */
#include "engine/options.h"
#include <string.h>

/* ORDER ag_isolation */
static const char *const iso_names[AG_ISO_COUNT] = {
    "DEFAULT", "AUTOCOMMIT", "READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "DEFERRED"};

const char *ag_isolation_name(ag_isolation iso)
{
    return (unsigned)iso < AG_ISO_COUNT ? iso_names[iso] : "?";
}

static bool same_word(const char *name, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = s[i];
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 32);
        else if (c == '_' || c == '-')
            c = ' ';
        if (name[i] == '\0' || name[i] != c)
            return false;
    }
    return name[len] == '\0';
}

ag_status ag_isolation_parse(ag_isolation *out, const char *s, size_t len, ag_error *err)
{
    for (int i = 0; i < AG_ISO_COUNT; i++) {
        if (same_word(iso_names[i], s, len)) {
            *out = (ag_isolation)i;
            return AG_OK;
        }
    }
    const char *near = NULL;
    char word[40];
    if (len < sizeof word) {
        for (size_t i = 0; i < len; i++)
            word[i] = s[i] >= 'a' && s[i] <= 'z' ? (char)(s[i] - 32) : s[i];
        word[len] = '\0';
        near = ag_nearest(word, iso_names, AG_ISO_COUNT);
    }
    return ag_fail(err, AG_EXC_ARGUMENT,
                   "Invalid value \"%.*s\" for isolation_level%s%s%s. Known levels: AUTOCOMMIT, READ UNCOMMITTED, READ "
                   "COMMITTED, REPEATABLE READ, SERIALIZABLE, DEFERRED",
                   (int)(len > 60 ? 60 : len), s, near ? " (did you mean \"" : "", near ? near : "",
                   near ? "\"?)" : "");
}

void ag_exec_options_merge(ag_exec_options *dst, const ag_exec_options *src)
{
    unsigned has = src->has;
#define TAKE(bit, field)                                                                                               \
    if (has & (bit))                                                                                                   \
    dst->field = src->field
    TAKE(AG_XO_ISOLATION, isolation);
    TAKE(AG_XO_TIMEOUT, timeout_us);
    TAKE(AG_XO_STREAM, stream_results);
    TAKE(AG_XO_YIELD_PER, yield_per);
    TAKE(AG_XO_MAX_ROW_BUFFER, max_row_buffer);
    TAKE(AG_XO_PAGE_SIZE, insertmanyvalues_page_size);
    TAKE(AG_XO_PRESERVE_ROWCOUNT, preserve_rowcount);
    TAKE(AG_XO_NO_PARAMETERS, no_parameters);
    TAKE(AG_XO_LOGGING_TOKEN, logging_token);
    TAKE(AG_XO_CACHE, compiled_cache);
    TAKE(AG_XO_SCHEMA_MAP, schema_map);
    TAKE(AG_XO_SCHEMA_MAP, nschema_map);
    TAKE(AG_XO_READONLY, readonly);
    TAKE(AG_XO_DEFERRABLE, deferrable);
#undef TAKE
    dst->has |= has;
}

static bool copy_text(const char **out, const char *s, ag_arena *ar)
{
    if (!s)
        return true;
    *out = ag_arena_strndup(ar, s, strlen(s));
    return *out != NULL;
}

ag_status ag_exec_options_copy(ag_exec_options *dst, const ag_exec_options *src, ag_arena *ar, ag_error *err)
{
    *dst = *src;
    if (!copy_text(&dst->logging_token, src->logging_token, ar))
        return ag_fail_nomem(err);
    if (!src->nschema_map)
        return AG_OK;
    ag_schema_pair *map = ag_arena_zero(ar, src->nschema_map, sizeof *map);
    if (!map)
        return ag_fail_nomem(err);
    for (size_t i = 0; i < src->nschema_map; i++)
        if (!copy_text(&map[i].from, src->schema_map[i].from, ar) || !copy_text(&map[i].to, src->schema_map[i].to, ar))
            return ag_fail_nomem(err);
    dst->schema_map = map;
    return AG_OK;
}

/* The scanner of text(): tokens cover any input without gaps, placeholders are names, and the node made of a valid
 * input puts its
 * placeholders where they stood. */
#include "sql/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           (unsigned char)c >= 0x80;
}

/* Number of placeholders. *plain: bytes that are neither placeholders nor the backslashes of escapes. */
static size_t check_tokens(const char *sql, size_t len, size_t *plain)
{
    size_t binds = 0;
    *plain = 0;
    for (size_t pos = 0, end = 0; pos < len; pos = end) {
        ag_text_kind kind = ag_text_token(sql, len, pos, &end);
        require(end > pos && end <= len);
        if (kind == AG_TEXT_BIND) {
            require(sql[pos] == ':' && end > pos + 1);
            for (size_t i = pos + 1; i < end; i++)
                require(is_name(sql[i]));
            binds++;
        } else {
            *plain += kind == AG_TEXT_ESCAPE ? 1 : end - pos;
        }
        if (kind == AG_TEXT_ESCAPE)
            require(end == pos + 2 && sql[pos] == '\\' && sql[pos + 1] == ':');
    }
    return binds;
}

static void check_node(ag_builder *b, const char *sql, size_t len, size_t binds, size_t plain)
{
    const ag_node *n = ag_text(b, (ag_str){sql, len});
    if (!n) {
        require(b->err->set);
        return;
    }
    const ag_n_text *t = AG_AS(text, TEXT, n);
    require(t->binds.n == binds && t->places.n == binds && t->text.n == plain);
    uint32_t last = 0;
    for (uint32_t i = 0; i < t->places.n; i++) {
        uint32_t place = ag_nints_at(t, t->places, i);
        require(place >= last && place <= t->text.n);
        last = place;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t plain;
    char *sql = malloc(size ? size : 1); /* exactly as long, so that a look behind the end is seen */
    if (!sql)
        return 0;
    if (size)
        memcpy(sql, data, size);
    size_t binds = check_tokens(sql, size, &plain);
    ag_error err = {0};
    ag_arena ar;
    ag_builder b;
    ag_error_init(&err, ag_alloc_libc());
    ag_arena_init(&ar, ag_alloc_libc());
    ag_builder_init(&b, ag_alloc_libc(), NULL, &err);
    b.arena = &ar;
    check_node(&b, sql, size, binds, plain);
    ag_builder_clear(&b);
    ag_arena_clear(&ar);
    ag_error_clear(&err);
    free(sql);
    return 0;
}

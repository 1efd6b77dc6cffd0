/* Any bytes as a CREATE text of SQLite: parsing ends, fails only by its message, and gives slices that lie inside the text. */
#include "compile/dialect.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(ag_str s, const uint8_t *data, size_t size)
{
    if (s.p && ((const uint8_t *)s.p < data || (const uint8_t *)s.p + s.n > data + size))
        abort();
}

static void check(const ag_created *x, const uint8_t *data, size_t size)
{
    inside(x->where, data, size);
    inside(x->select, data, size);
    for (const ag_created_column *c = x->columns; c; c = c->next) {
        inside(c->type, data, size);
        inside(c->default_text, data, size);
        inside(c->generated, data, size);
    }
    for (const ag_created_key *k = x->keys; k; k = k->next) {
        inside(k->sqltext, data, size);
        inside(k->on_delete, data, size);
        if (k->kind != AG_CONSTRAINT_CHECK && !k->columns)
            abort();
    }
    for (const ag_created_item *i = x->items; i; i = i->next)
        inside(i->text, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ag_error err = {0};
    ag_arena ar;
    ag_created *x = NULL;
    ag_arena_init(&ar, ag_alloc_libc());
    if (ag_dialect_sqlite()->parse_create(&x, &ar, (ag_str){(const char *)data, size}, &err) == AG_OK)
        check(x, data, size);
    else if (err.cls != AG_EXC_ARGUMENT)
        abort();
    ag_arena_clear(&ar);
    ag_error_clear(&err);
    return 0;
}

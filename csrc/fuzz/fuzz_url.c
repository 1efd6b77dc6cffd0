/* Any bytes as a URL: parsing must not fail otherwise than by a message, and what it takes must read back equal from its own
 * text. */
#include "engine/url.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const ag_url *u, const ag_alloc *a)
{
    ag_error err = {0};
    ag_buf text;
    ag_url *again;
    ag_arena ar;
    const char *const *hosts;
    const uint16_t *ports;
    size_t n;
    ag_buf_init(&text, a);
    ag_url_render(&text, u, false);
    if (ag_url_parse(&again, a, text.data, text.len, &err) != AG_OK || !ag_url_equal(u, again))
        abort();
    ag_buf_reset(&text);
    ag_url_render(&text, u, true);
    ag_arena_init(&ar, a);
    (void)!ag_url_hosts(u, &ar, &hosts, &ports, &n, &err);
    ag_arena_clear(&ar);
    ag_error_clear(&err);
    ag_url_unref(again);
    ag_buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ag_alloc *a = ag_alloc_libc();
    ag_error err = {0};
    ag_url *u;
    if (ag_url_parse(&u, a, (const char *)data, size, &err) == AG_OK) {
        check(u, a);
        ag_url_unref(u);
    } else if (err.cls != AG_EXC_ARGUMENT) {
        abort();
    }
    ag_error_clear(&err);
    return 0;
}

/* The failing allocator. Blocks always move when resized, so that a stale pointer shows under the sanitizers. */
#include "test/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct head {
    _Alignas(16) size_t size;
} head;

static bool fails(sweep *s)
{
    s->calls++;
    if (!s->fail_at)
        return false;
    return s->from_then_on ? s->calls >= s->fail_at : s->calls == s->fail_at;
}

static void *sweep_realloc(void *ud, void *ptr, size_t size)
{
    sweep *s = ud;
    head *old = ptr ? (head *)ptr - 1 : NULL, *h = NULL;
    if (size) {
        if (fails(s))
            return NULL;
        h = malloc(sizeof *h + size);
        if (!h)
            abort();
        h->size = size;
        if (old)
            memcpy(h + 1, ptr, old->size < size ? old->size : size);
        s->live++;
        s->bytes += size;
    }
    if (old) {
        s->live--;
        s->bytes -= old->size;
        free(old);
    }
    if (s->bytes > s->peak)
        s->peak = s->bytes;
    return h ? h + 1 : NULL;
}

void sweep_init(sweep *s)
{
    *s = (sweep){.alloc = {sweep_realloc, s}};
}

void sweep_run(ag_status (*work)(const ag_alloc *a, void *ud), void *ud)
{
    for (int from_then_on = 0; from_then_on <= 1; from_then_on++) {
        for (size_t n = 1;; n++) {
            sweep s;
            sweep_init(&s);
            s.fail_at = n;
            s.from_then_on = from_then_on;
            ag_status st = work(&s.alloc, ud);
            if (s.live)
                fail_msg("allocation %zu failing leaks %zu blocks", n, s.live);
            if (s.calls < n) {
                assert_int_equal(st, AG_OK);
                break;
            }
            if (st == AG_ERROR)
                fail_msg("allocation %zu failing is reported as another error", n);
        }
    }
}

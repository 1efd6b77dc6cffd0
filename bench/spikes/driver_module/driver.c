/* The "driver": a module of its own. Compiled three ways: using the services table (default), using the core's symbol by name
 * (BY_NAME), and with a copy of the core linked in (COPY). */
#include "spike.h"

#include <time.h>

int core_by_name(int x);
const services *core_services(void);

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* n rows of five cells; ns a row. */
__attribute__((visibility("default"))) double driver_run(const services *s, int n)
{
    rows r = {0};
    double start = now();
    for (int i = 0; i < n; i++) {
#ifdef COPY
        s = core_services(); /* the compiler sees the table's functions only here */
#endif
        if (!s->begin(&r, 5))
            return -1;
        uint64_t *cells = (uint64_t *)(void *)(r.cur + 8);
        for (unsigned k = 0; k < 5; k++) {
            cells[k] = (uint64_t)i + k;
            ((char *)(cells + 5))[k] = 2;
        }
        s->end(&r);
    }
    return (now() - start) / n;
}

__attribute__((visibility("default"))) double driver_calls(const services *s, int n)
{
    double start = now();
    volatile int sum = 0;
    for (int i = 0; i < n; i++)
        sum += s->by_name(i);
    return (now() - start) / n;
}

__attribute__((visibility("default"))) int driver_symbol(void)
{
#ifdef BY_NAME
    return core_by_name(41);
#else
    return 0;
#endif
}

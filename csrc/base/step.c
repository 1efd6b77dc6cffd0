/* The clock and the poll loop behind operations that have no scheduler. */
#include "base/step.h"

#include <poll.h>
#include <time.h>

#define US_PER_MS 1000
/* With neither descriptor nor deadline nobody would end the sleep: look again soon. */
#define PARKED_MS  10
#define LONGEST_MS 3600000

int64_t ag_now_us(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int timeout_ms(const ag_wait *w)
{
    if (w->deadline == AG_NO_DEADLINE)
        return w->fd < 0 ? PARKED_MS : LONGEST_MS;
    int64_t left = w->deadline - ag_now_us();
    if (left <= 0)
        return 0;
    /* rounded up: waking a moment early would only spin */
    return left > (int64_t)LONGEST_MS * US_PER_MS ? LONGEST_MS : (int)((left + US_PER_MS - 1) / US_PER_MS);
}

void ag_wait_poll(const ag_wait *w)
{
    struct pollfd p = {.fd = w->fd};
    if (w->mode & AG_WAIT_READ)
        p.events |= POLLIN;
    if (w->mode & AG_WAIT_WRITE)
        p.events |= POLLOUT;
    (void)poll(&p, w->fd < 0 ? 0 : 1, timeout_ms(w));
}

/* Did this process fork since? A page that the kernel wipes in children answers without a system call; where that
 * is not to be had, getpid does. */
#ifndef AG_ENGINE_FORK_H
#define AG_ENGINE_FORK_H

#include <stdbool.h>

typedef struct ag_fork_guard {
    volatile unsigned char *page; /* NULL: compare pids */
    long pid;
} ag_fork_guard;

void ag_fork_guard_init(ag_fork_guard *g);
void ag_fork_guard_clear(ag_fork_guard *g);
long ag_fork_pid(void);
static inline bool ag_forked(const ag_fork_guard *g)
{
    return g->page ? *g->page == 0 : g->pid != ag_fork_pid();
}

#endif

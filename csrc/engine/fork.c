/* The page of fork.h: madvise(2) MADV_WIPEONFORK, Linux 4.14. */
#include "engine/fork.h"
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

long ag_fork_pid(void)
{
    return (long)getpid();
}

void ag_fork_guard_init(ag_fork_guard *g)
{
    g->pid = ag_fork_pid();
    g->page = NULL;
#ifdef MADV_WIPEONFORK
    void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return;
    if (madvise(p, PAGE, MADV_WIPEONFORK) != 0) {
        munmap(p, PAGE);
        return;
    }
    g->page = p;
    *g->page = 1;
#endif
}

void ag_fork_guard_clear(ag_fork_guard *g)
{
    if (g->page)
        munmap((void *)(size_t)g->page, PAGE);
    g->page = NULL;
}

/* Writing log lines. */
#include "engine/log.h"
#include <stdio.h>
#include <string.h>

void ag_log_write(ag_host *host, const char *logger, ag_log_level level, const char *text, size_t len)
{
    if (!host || !host->call)
        return;
    ag_log_line line = {logger, level, text, len};
    ag_error err = {0};
    if (host->call(host, AG_HOOK_LOG, 0, &line, &err) != AG_OK)
        ag_error_clear(&err);
}

void ag_log_printf(ag_host *host, const char *logger, ag_log_level level, const char *fmt, ...)
{
    if (!host || !host->call)
        return;
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    ag_log_write(host, logger, level, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

const char *ag_log_name(ag_arena *ar, const char *base, const char *name)
{
    size_t bn = strlen(base), nn = name ? strlen(name) + 1 : 0;
    char *p = ag_arena_new(ar, bn + nn + 1);
    if (!p)
        return NULL;
    memcpy(p, base, bn + 1);
    if (name) {
        p[bn] = '.';
        memcpy(p + bn + 1, name, nn);
    }
    return p;
}

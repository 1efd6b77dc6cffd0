/* A small reader of postgresql://user:password@host:port/database?host=… for pq_server.h. The C tests are below the
 * engine and must not need its URL parser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pq_server.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static struct {
    bool parsed;
    char text[1024];
    const char *user, *password, *database;
    const char *hosts[1];
    uint16_t ports[1];
} url;

bool pq_server_available(void)
{
    if (getenv("ARGENT_PG_URL"))
        return true;
    (void)printf("skipped: ARGENT_PG_URL is not set (script/pg run …)\n");
    return false;
}

/* Cut s at the first c; the rest or NULL. */
static char *cut(char *s, char c)
{
    char *p = s ? strchr(s, c) : NULL;
    if (p)
        *p++ = '\0';
    return p;
}

static void parse(void)
{
    const char *env = getenv("ARGENT_PG_URL");
    (void)snprintf(url.text, sizeof url.text, "%s", env ? env : "");
    char *s = strstr(url.text, "://");
    s = s ? s + 3 : url.text;
    char *query = cut(s, '?'), *database = cut(s, '/'), *at = cut(s, '@');
    char *host = at ? at : s, *user = at ? s : NULL, *password = cut(user, ':'), *port = cut(host, ':');
    url.user = user;
    url.password = password;
    url.database = database;
    url.hosts[0] = host && *host ? host : NULL;
    url.ports[0] = port ? (uint16_t)atoi(port) : 0;
    if (query && strncmp(query, "host=", 5) == 0)
        url.hosts[0] = query + 5;
    url.parsed = true;
}

pq_server pq_server_params(void)
{
    if (!url.parsed)
        parse();
    pq_server s = {.hosts = {url.hosts[0]}, .ports = {url.ports[0]}};
    s.params = (ag_connect_params){.username = url.user, .password = url.password, .database = url.database};
    if (url.hosts[0]) {
        s.params.hosts = url.hosts;
        s.params.ports = url.ports;
        s.params.nhosts = 1;
    }
    return s;
}

void pq_open(drive *t, const ag_connect_option *options, size_t n)
{
    pq_server s = pq_server_params();
    s.params.options = options;
    s.params.noptions = n;
    drive_open(t, ag_driver_postgresql(), &s.params, ag_alloc_libc());
}

int pq_setup(void **state)
{
    drive *t = calloc(1, sizeof *t);
    if (!t)
        return 1;
    pq_open(t, NULL, 0);
    *state = t;
    return 0;
}

int pq_teardown(void **state)
{
    drive_close(*state);
    free(*state);
    return 0;
}

void pq_sleep_ms(int ms)
{
    struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&ts, NULL);
}

void pq_silent_listener(int *fd, uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    *fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(*fd >= 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&a, n), 0);
    assert_int_equal(listen(*fd, 8), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(a.sin_port);
}

void pq_close_fd(int fd)
{
    (void)close(fd);
}

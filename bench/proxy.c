/* A proxy before a PostgreSQL server's unix socket, for P12: every byte arrives DELAY milliseconds later, each way, and the
 * round trips are counted: how often the client sends after it has received. The count stands in FOLDER/count.
 * usage: proxy SERVER_FOLDER FOLDER DELAY_MS   (listens at FOLDER/.s.PGSQL.5432 until its standard input ends) */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_PAIRS 16
#define CHUNK     65536

typedef struct chunk {
    struct chunk *next;
    double due;
    size_t len, at;
    char data[];
} chunk;

/* One direction of one connection. */
typedef struct lane {
    int from, to;
    bool upward; /* from the client to the server */
    chunk *first, **last;
} lane;

static lane lanes[MAX_PAIRS * 2];
static bool received[MAX_PAIRS]; /* since the client sent last */
static int npairs, count_fd;
static long trips;
static double delay;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static struct sockaddr_un address(const char *folder)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s/.s.PGSQL.5432", folder);
    return a;
}

static void count_trip(void)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", ++trips);
    if (pwrite(count_fd, text, (size_t)n, 0) != n)
        fail("count");
}

static void open_pair(int client, const char *server)
{
    struct sockaddr_un a = address(server);
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    if (npairs == MAX_PAIRS || s < 0 || connect(s, (struct sockaddr *)&a, sizeof a) < 0)
        fail(server);
    lane *up = &lanes[npairs * 2], *down = up + 1;
    *up = (lane){.from = client, .to = s, .upward = true};
    *down = (lane){.from = s, .to = client};
    up->last = &up->first;
    down->last = &down->first;
    received[npairs++] = true;
}

/* False at the end of the stream. */
static bool take(lane *l, int pair)
{
    chunk *c = malloc(sizeof *c + CHUNK);
    ssize_t n = c ? read(l->from, c->data, CHUNK) : -1;
    if (n <= 0) {
        free(c);
        return false;
    }
    *c = (chunk){.due = now() + delay, .len = (size_t)n};
    *l->last = c;
    l->last = &c->next;
    if (l->upward && received[pair])
        count_trip();
    received[pair] = !l->upward;
    return true;
}

static void give(lane *l)
{
    while (l->first && l->first->due <= now()) {
        chunk *c = l->first;
        ssize_t n = send(l->to, c->data + c->at, c->len - c->at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        c->at = n < 0 ? c->len : c->at + (size_t)n;
        if (c->at < c->len)
            return;
        l->first = c->next;
        if (!l->first)
            l->last = &l->first;
        free(c);
    }
}

static int wait_ms(void)
{
    double due = -1;
    for (int i = 0; i < npairs * 2; i++)
        if (lanes[i].first && (due < 0 || lanes[i].first->due < due))
            due = lanes[i].first->due;
    if (due < 0)
        return -1;
    double left = (due - now()) * 1e3;
    return left > 0.2 ? (int)left : 0; /* below a millisecond poll would sleep too long: turn in circles */
}

int main(int argc, char **argv)
{
    char path[256];
    if (argc != 4)
        return fprintf(stderr, "usage: proxy SERVER_FOLDER FOLDER DELAY_MS\n"), 2;
    signal(SIGPIPE, SIG_IGN);
    delay = atof(argv[3]) * 1e-3;
    snprintf(path, sizeof path, "%s/count", argv[2]);
    count_fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
    struct sockaddr_un a = address(argv[2]);
    unlink(a.sun_path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (count_fd < 0 || listener < 0 || bind(listener, (struct sockaddr *)&a, sizeof a) < 0 || listen(listener, 8) < 0)
        fail(argv[2]);
    for (;;) {
        struct pollfd p[MAX_PAIRS * 2 + 2];
        p[0] = (struct pollfd){.fd = listener, .events = POLLIN};
        p[1] = (struct pollfd){.fd = 0, .events = POLLIN};
        for (int i = 0; i < npairs * 2; i++)
            p[i + 2] = (struct pollfd){.fd = lanes[i].from, .events = POLLIN};
        int known = npairs * 2;
        if (poll(p, (nfds_t)known + 2, wait_ms()) < 0 && errno != EINTR)
            fail("poll");
        if (p[1].revents)
            return 0;
        if (p[0].revents & POLLIN)
            open_pair(accept(listener, NULL, NULL), argv[1]);
        for (int i = 0; i < known; i++) {
            if (lanes[i].from >= 0 && p[i + 2].revents && !take(&lanes[i], i / 2)) {
                shutdown(lanes[i].to, SHUT_WR);
                lanes[i].from = -1;
            }
            give(&lanes[i]);
        }
    }
}

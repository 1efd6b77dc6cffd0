/* Cancelling without blocking. libpq 17 has calls for it; before, PQcancel connects and waits. Up to libpq 16 we
 * send the CancelRequest (protocol 3.0, 16 bytes to a second connection) ourselves over a non-blocking socket to
 * the same address. The secret in it is not offered by libpq, only kept in PGcancel, whose layout was the same from
 * 8.x to 16; it is used only if everything else in there is what it should be, else PQcancel is. */
#include "driver/pq_impl.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef LIBPQ_HAS_ASYNC_CANCEL
/* built against an older libpq, perhaps running with a newer one */
typedef struct pg_cancel_conn PGcancelConn;
extern PGcancelConn *PQcancelCreate(PGconn *conn) __attribute__((weak));
extern int PQcancelStart(PGcancelConn *cancelConn) __attribute__((weak));
extern PostgresPollingStatusType PQcancelPoll(PGcancelConn *cancelConn) __attribute__((weak));
extern int PQcancelSocket(const PGcancelConn *cancelConn) __attribute__((weak));
extern void PQcancelFinish(PGcancelConn *cancelConn) __attribute__((weak));
#define HAVE_ASYNC_CANCEL (PQcancelCreate && PQcancelStart && PQcancelPoll && PQcancelSocket && PQcancelFinish)
#else
#define HAVE_ASYNC_CANCEL true
#endif

enum { CANCEL_CODE = 1234 << 16 | 5678, GIVE_UP_US = 2000000, AGAIN_US = 250000 };

/* struct pg_cancel of libpq 14 … 16 as far as it is read here. */
struct cancel_layout {
    struct {
        struct sockaddr_storage addr;
        socklen_t salen;
    } raddr;
    int be_pid, be_key;
};

/* The server's address and our secret; false when they cannot be had. */
static bool find_secret(ag_pq *c, struct sockaddr_storage *addr, socklen_t *len, int *key)
{
    struct cancel_layout layout;
    int version = PQlibVersion();
    bool found = false;
    *len = sizeof *addr;
    if (version < 140000 || version >= 170000 || getpeername(PQsocket(c->pg), (struct sockaddr *)addr, len) != 0)
        return false;
    PGcancel *cancel = PQgetCancel(c->pg);
    if (!cancel)
        return false;
    memcpy(&layout, (const void *)cancel, sizeof layout);
    found = layout.be_pid == PQbackendPID(c->pg) && layout.raddr.addr.ss_family == addr->ss_family &&
            layout.raddr.salen > 0 && layout.raddr.salen <= sizeof layout.raddr.addr;
    if (found)
        memcpy(addr, &layout.raddr.addr, layout.raddr.salen);
    *len = layout.raddr.salen;
    *key = layout.be_key;
    PQfreeCancel(cancel);
    return found;
}

void ag_pq_cancel_close(ag_pq *c)
{
    if (c->cancel_fd >= 0)
        (void)close(c->cancel_fd);
    c->cancel_fd = -1;
    if (c->cancel_async && HAVE_ASYNC_CANCEL)
        PQcancelFinish(c->cancel_async);
    c->cancel_async = NULL;
}

static bool start_own(ag_pq *c)
{
    struct sockaddr_storage addr;
    socklen_t len;
    int key;
    if (!find_secret(c, &addr, &len, &key))
        return false;
    c->cancel_fd = socket(addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->cancel_fd < 0)
        return false;
    if (connect(c->cancel_fd, (struct sockaddr *)&addr, len) != 0 && errno != EINPROGRESS) {
        ag_pq_cancel_close(c); /* a unix socket's backlog is full: EAGAIN */
        return false;
    }
    ag_pq_set32(c->cancel_packet, 16);
    ag_pq_set32(c->cancel_packet + 4, CANCEL_CODE);
    ag_pq_set32(c->cancel_packet + 8, (uint32_t)PQbackendPID(c->pg));
    ag_pq_set32(c->cancel_packet + 12, (uint32_t)key);
    c->cancel_sent = 0;
    return true;
}

static void start(ag_pq *c)
{
    char why[256];
    c->cancel_until = c->base.core->now_us() + GIVE_UP_US;
    if (HAVE_ASYNC_CANCEL) {
        c->cancel_async = PQcancelCreate(c->pg);
        if (c->cancel_async && PQcancelStart(c->cancel_async) == 1)
            return;
        ag_pq_cancel_close(c);
    } else if (!PQsslInUse(c->pg) && start_own(c)) {
        return;
    }
    PGcancel *cancel = PQgetCancel(c->pg);
    if (cancel)
        (void)PQcancel(cancel, why, sizeof why);
    PQfreeCancel(cancel);
}

/* True when the server has closed the cancel connection, which it does when the signal is sent. */
static bool own_step(ag_pq *c)
{
    char byte;
    while (c->cancel_sent < sizeof c->cancel_packet) {
        ssize_t n = send(c->cancel_fd, c->cancel_packet + c->cancel_sent, sizeof c->cancel_packet - c->cancel_sent,
                         MSG_NOSIGNAL);
        if (n < 0)
            return errno != EAGAIN && errno != EINTR && errno != ENOTCONN && errno != EINPROGRESS;
        c->cancel_sent += (size_t)n;
    }
    ssize_t n = recv(c->cancel_fd, &byte, 1, 0);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static bool under_way(const ag_pq *c)
{
    return c->cancel_fd >= 0 || c->cancel_async;
}

bool ag_pq_cancel_step(ag_pq *c)
{
    int64_t now = c->base.core->now_us();
    bool over = false;
    if (c->cancel_async) {
        PostgresPollingStatusType how = PQcancelPoll(c->cancel_async);
        over = how == PGRES_POLLING_OK || how == PGRES_POLLING_FAILED;
    } else if (c->cancel_fd >= 0) {
        over = own_step(c);
    }
    if (under_way(c) && (over || now > c->cancel_until)) {
        ag_pq_cancel_close(c);
        c->cancel_until = now + AGAIN_US;
    } else if (!under_way(c) && (c->ncmds || c->simple) && now > c->cancel_until) {
        start(c); /* it came before the statement did: the server ignored it */
    }
    return !under_way(c);
}

ag_step ag_pq_wait_cancel(ag_pq *c, ag_wait *w)
{
    *w = (ag_wait){.fd = c->cancel_async ? PQcancelSocket(c->cancel_async) : c->cancel_fd, .mode = AG_WAIT_READ};
    w->deadline = c->base.core->now_us() + 10000;
    return AG_STEP_WAIT;
}

void ag_pq_cancel(ag_dconn *base)
{
    ag_pq *c = ag_pq_of(base);
    if (c->cancelled || c->lost || c->phase != AG_PQ_OPEN || (c->first == c->nitems && !c->ncmds && !c->simple))
        return;
    c->cancelled = true;
    if (!c->ncmds && !c->simple)
        return; /* nothing was sent: what is queued will not be */
    start(c);
    if (c->cancel_fd >= 0 || c->cancel_async)
        (void)ag_pq_cancel_step(c);
}

/* PQstatus stays OK on a dead idle connection: look at the socket. */
ag_alive ag_pq_alive(ag_dconn *base)
{
    ag_pq *c = ag_pq_of(base);
    if (c->lost || c->phase != AG_PQ_OPEN || PQstatus(c->pg) != CONNECTION_OK)
        return AG_DEAD;
    struct pollfd p = {.fd = PQsocket(c->pg), .events = POLLIN | POLLRDHUP};
    int rc;
    do
        rc = poll(&p, 1, 0);
    while (rc < 0 && errno == EINTR);
    if (rc == 0)
        return AG_ALIVE;
    if (rc < 0)
        return AG_ALIVE_UNKNOWN;
    if (p.revents & (POLLERR | POLLHUP | POLLNVAL | POLLRDHUP))
        return AG_DEAD;
    /* a notice, a notification, or last words */
    if (!PQconsumeInput(c->pg))
        return AG_DEAD;
    (void)PQisBusy(c->pg);
    return PQstatus(c->pg) == CONNECTION_OK ? AG_ALIVE : AG_DEAD;
}

/* Connection pools. A pool makes driver connections, lends them out one holder at a time, resets what comes back
 * without waiting, and closes what is stale. It knows nothing of transactions' handles or statements. The
 * invariant: what is lent out is clean, idle and, as far as can be seen, alive.
 *
 * Life: a pool is reference-counted (engine, sub-engines, host handle and every borrowed connection hold it). All
 * of it belongs to one host state; there are no locks. */
#ifndef AG_ENGINE_POOL_H
#define AG_ENGINE_POOL_H

#include "base/buf.h"
#include "driver/driver.h"
#include "engine/events.h"

typedef struct ag_pool ag_pool;
typedef struct ag_pconn ag_pconn; /* one pooled connection ("connection record") */

typedef enum ag_pool_kind {
    AG_POOL_QUEUE,
    AG_POOL_NULL,      /* opens and closes every time */
    AG_POOL_STATIC,    /* one connection shared by all holders (sqlite://; SingletonThreadPool is this one) */
    AG_POOL_ASSERTION, /* at most one holder, a second checkout raises and names the first */
} ag_pool_kind;

typedef enum ag_pool_reset { AG_RESET_ROLLBACK, AG_RESET_COMMIT, AG_RESET_NONE } ag_pool_reset;

typedef enum ag_echo { AG_ECHO_OFF, AG_ECHO_ON, AG_ECHO_DEBUG } ag_echo;

typedef struct ag_pool_options {
    ag_pool_kind kind;
    uint32_t size;        /* kept open; default 5. 0 = no limit at all (as SQLAlchemy) */
    int64_t max_overflow; /* above size; default 10, -1 unlimited */
    int64_t timeout_us;   /* wait for a free connection; default 30 s */
    int64_t recycle_us;   /* replace connections older than this at checkout; -1 never (default) */
    bool pre_ping;        /* a round trip at each checkout; the cheap look at the socket is always made */
    bool fifo;            /* default LIFO */
    ag_pool_reset reset;
    ag_echo echo;
    const char *logging_name; /* copied; may be NULL */
} ag_pool_options;
ag_pool_options ag_pool_options_default(void);

typedef struct ag_pool_config {
    ag_pool_options options;
    const ag_driver *driver;
    ag_url *url;                           /* a reference is taken */
    const ag_connect_option *connect_args; /* copied; after the URL's query arguments, which they override */
    size_t nconnect_args;
    int64_t connect_timeout_us; /* default 10 s */
    /* not 0: AG_CALL_CREATOR with this fn and an ag_event (DO_CONNECT) as args asks the host for each connection's URL */
    int64_t creator;
    ag_host *host; /* may be NULL: no hooks, no scheduler. Must outlive the pool */
    const ag_alloc *alloc;
    const ag_services *services; /* NULL = ag_core_services */
} ag_pool_config;

ag_status ag_pool_new(ag_pool **out, const ag_pool_config *cfg, ag_error *err) AG_NODISCARD;
ag_pool *ag_pool_ref(ag_pool *p);
/* The last reference closes the idle connections. Safe in finalisers and in a forked child (which only frees). */
void ag_pool_unref(ag_pool *p);
/* A fresh, empty pool with the same configuration and event mask (pool.recreate()). */
ag_status ag_pool_recreate(ag_pool **out, const ag_pool *p, ag_error *err) AG_NODISCARD;

/* ---- checkout ---- */
/* Op: borrow a connection. Waits for a free one (up to the pool's timeout, or `deadline` when that is earlier),
 * collects what a drained one still has to say, connects, pings. Fails with AG_EXC_TIMEOUT naming each holder (its
 * `where` text and age); at once when nobody could free one while we wait (no scheduler). Connect errors pass
 * through as the driver gave them. */
typedef struct ag_checkout_op {
    ag_op op;
    ag_pconn *conn; /* out, when done; take it (set NULL) or clear() gives it back */
    /* private */
    ag_pool *pool;
    struct ag_engine *engine; /* for events; borrowed; may be NULL */
    ag_pconn *trying;         /* being made ready; handed over by a release while parked */
    bool granted;             /* a slot for a new connection was handed over while parked */
    bool queued, touched, told;
    bool shares; /* `trying` has other holders; counted as one of them */
    char *where;
    int64_t deadline, park_deadline, connect_deadline;
    struct ag_checkout_op *prev, *next; /* waiters, first come first served */
    unsigned tries;
    ag_url *url;
    ag_arena arena;
    ag_event event;
    ag_reply reply;
    ag_error saved;
    ag_step sub;
    int line3;
} ag_checkout_op;
/* where: "file.lua:12" or NULL; copied. deadline: AG_NO_DEADLINE for the pool's own timeout. Takes a reference on p. */
ag_status ag_checkout_init(ag_checkout_op *op, ag_pool *p, struct ag_engine *engine, const char *where,
                           int64_t deadline, ag_error *err) AG_NODISCARD;

/* How a connection comes back. */
#define AG_PR_DISCARD        0x1u  /* raw text changed the session: reset it to defaults */
#define AG_PR_BROKEN         0x2u  /* close it */
#define AG_PR_ROLLBACK       0x4u  /* roll back whatever the pool's reset option says */
#define AG_PR_NO_RESET_EVENT 0x8u  /* the caller emitted RESET */
#define AG_PR_BUSY           0x10u /* a statement may still be under way */
/* Give a connection back without waiting: ROLLBACK (or COMMIT, or nothing, by the reset option) is sent and the
 * connection left draining; a waiter is woken. Never fails. Events are queued for the next op (ag_pool_next_event). */
void ag_pconn_release(ag_pconn *c, unsigned flags);
/* Mark for closing: closed on release, counts as gone at once. soft: finish this use, not reused after. err: why,
 * may be NULL. With all set, every connection made so far is stale (the pool's generation ends): use for a lost
 * connection. */
void ag_pconn_invalidate(ag_pconn *c, bool soft, bool all, const ag_error *err);
/* Take it out of the pool for good: the pool may open another one in its place; release then closes. */
void ag_pconn_detach(ag_pconn *c);

ag_dconn *ag_pconn_driver(const ag_pconn *c); /* NULL when invalidated */
ag_pool *ag_pconn_pool(const ag_pconn *c);
bool ag_pconn_is_valid(const ag_pconn *c);
uint64_t ag_pconn_id(const ag_pconn *c);    /* from 1, unique in the pool */
int64_t ag_pconn_age_us(const ag_pconn *c); /* since connected */
/* A number the host may keep with a connection (its `info` table): survives as long as the physical connection.
 * The host is told to drop it through ag_pool_set_info_free. */
int64_t ag_pconn_info(const ag_pconn *c);
void ag_pconn_set_info(ag_pconn *c, int64_t host_id);
/* Called, never yielding, when a connection with an info is closed. */
void ag_pool_set_info_free(ag_pool *p, void (*fn)(void *ud, int64_t host_id), void *ud);

/* ---- raw use: connect listeners, raw_connection() ---- */
/* Op: run one driver text on a borrowed connection, outside any transaction handling. `reply` holds what came back. */
typedef struct ag_raw_op {
    ag_op op;
    ag_reply reply; /* out; gone with clear */
    /* private */
    ag_pconn *conn;
    ag_request request;
    int64_t deadline;
    ag_error saved;
    bool sent;
} ag_raw_op;
/* text and values are borrowed until clear. One statement; nsets >= 1 sets of nparams values. */
ag_status ag_raw_init(ag_raw_op *op, ag_pconn *c, const char *text, size_t len, const ag_value *values,
                      uint32_t nparams, size_t nsets, int64_t deadline, ag_error *err) AG_NODISCARD;

/* ---- events that could not be emitted when they happened ---- */
/* The oldest one into *out, false when there is none. Its connection stays valid until ag_pool_event_done. Ops
 * call this when they end; a host that releases handles by finaliser may call it too. */
bool ag_pool_next_event(ag_pool *p, ag_event *out);
void ag_pool_event_done(ag_pool *p, ag_event *ev);

/* ---- looking at it ---- */
typedef struct ag_pool_stats {
    uint32_t size;        /* configured */
    uint32_t checked_in;  /* idle (draining ones too) */
    uint32_t checked_out; /* lent */
    int64_t overflow;     /* open beyond size; negative while fewer than size are open (SQLAlchemy's) */
    uint32_t waiting;     /* checkouts parked */
    uint32_t draining;
    uint64_t connects, checkouts, recycled, invalidated, timeouts, ping_failures;
} ag_pool_stats;
void ag_pool_stats_get(const ag_pool *p, ag_pool_stats *out);
/* "Pool size: 5  Connections in pool: 1 Current Overflow: -4 Current Checked out connections: 0" */
void ag_pool_status(const ag_pool *p, ag_buf *out);
const ag_pool_options *ag_pool_options_get(const ag_pool *p);
ag_url *ag_pool_url(const ag_pool *p);              /* borrowed */
void ag_pool_set_events(ag_pool *p, uint64_t mask); /* AG_EV_BIT of what has listeners on this pool */
/* Close idle connections, and make the lent ones close on return. close false: forget them without closing (after fork:
 * memory is freed, sockets are left to the parent). The pool goes on, empty. */
void ag_pool_dispose(ag_pool *p, bool close);

#endif

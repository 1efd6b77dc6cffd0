/* What the pool's files share, and what the engine keeps with a pooled connection. */
#ifndef AG_ENGINE_POOL_INTERNAL_H
#define AG_ENGINE_POOL_INTERNAL_H

#include "base/vec.h"
#include "engine/fork.h"
#include "engine/pool.h"

struct ag_gate;

typedef enum ag_place { AG_PLACE_NONE, AG_PLACE_IDLE, AG_PLACE_LENT } ag_place;

struct ag_pconn {
    unsigned refs;    /* place (idle, lent or in a checkout) and queued events */
    unsigned holders; /* lent: 1; more in a static pool, where a checkout under way counts too */
    ag_pool *pool;    /* counted while it has holders */
    ag_dconn *dc;     /* NULL: not connected */
    ag_pconn *prev, *next;
    ag_place place;
    uint64_t id, generation;
    int64_t connected_at, lent_at;
    int64_t info;
    char *where;          /* of the last borrower */
    bool draining;        /* drain_step has to be called before use */
    bool draining_commit; /* … or rather collect until the sync */
    bool soft;            /* replace at the next checkout */
    bool detached, has_slot;
    bool read_uncommitted;          /* session setting now in force (engine) */
    struct ag_connection *tx_owner; /* static pool: the handle whose transaction is open (engine) */
};

typedef struct ag_pool_note { /* a queued event */
    ag_event_id id;
    ag_pconn *conn; /* counted; NULL allowed */
    bool flag;
} ag_pool_note;

struct ag_pool {
    unsigned refs;
    const ag_alloc *alloc;
    ag_host *host;
    const ag_driver *driver;
    const ag_services *services;
    ag_url *url;
    ag_arena arena; /* connect_args, names */
    ag_connect_option *connect_args;
    size_t nconnect_args;
    int64_t connect_timeout_us, creator;
    ag_pool_options o;
    const char *logger;
    ag_fork_guard guard;
    uint64_t generation, next_id, events;
    ag_pconn *idle_first, *idle_last, *lent_first, *lent_last;
    uint32_t nidle, nlent, open; /* open: slots in use (idle, lent, being connected; not detached) */
    ag_checkout_op *wait_first, *wait_last;
    uint32_t nwaiting;
    ag_pool_stats counters; /* the uint64 fields */
    AG_VEC(ag_pool_note) notes;
    size_t notes_read;
    bool first_connected, disposed;
    void (*info_free)(void *ud, int64_t id);
    void *info_ud;
    struct ag_gate *gate; /* the engine's, for a static pool: operations of all holders */
};

/* pool.c */
ag_pconn *ag_pconn_new(ag_pool *p); /* takes a slot unless op->granted was counted already; NULL when out of memory */
void ag_pconn_ref(ag_pconn *c);
void ag_pconn_unref(ag_pconn *c);
/* Close the driver connection now (without waiting); the record stays. terminate: no event. */
void ag_pconn_close(ag_pconn *c);
/* The record leaves its place, and its slot goes to the first waiter or back to the pool. The place's reference is
 * dropped. */
void ag_pconn_drop(ag_pconn *c);
void ag_pool_place(ag_pconn *c, ag_place place);
bool ag_pool_may_open(const ag_pool *p);
void ag_pool_note_event(ag_pool *p, ag_event_id id, ag_pconn *c, bool flag);
/* Somebody may go on: give the connection, or a free slot, to the first waiter. True when c was taken by one. */
bool ag_pool_hand_over(ag_pool *p, ag_pconn *c);
void ag_pool_hand_slots(ag_pool *p);
void ag_pool_unqueue(ag_pool *p, ag_checkout_op *op);
void ag_pool_wake(ag_pool *p, const void *token);
/* AG_ERROR in a forked child. */
ag_status ag_pool_check_fork(const ag_pool *p, ag_error *err) AG_NODISCARD;
/* One collect loop step until the segment is over; the first error is kept in saved. */
ag_step ag_pconn_quiesce(ag_pconn *c, ag_reply *reply, ag_error *saved, ag_wait *w);
/* Collect what a release left over: DONE = clean and idle. */
ag_step ag_pconn_drain(ag_pconn *c, ag_wait *w, ag_error *err);
/* pool_new.c: "QueuePool". */
/* pool_info.c: the exhausted-pool message. */
void ag_pool_fail_timeout(ag_pool *p, bool waited, ag_error *err);
static inline bool ag_pool_logs(const ag_pool *p, ag_echo level)
{
    return p->o.echo >= level && p->host;
}

#endif

/* What the files of connections, transactions and execution share. */
#ifndef AG_ENGINE_CONNECTION_INTERNAL_H
#define AG_ENGINE_CONNECTION_INTERNAL_H

#include "engine/connection.h"
#include "engine/engine_internal.h"
#include "engine/result.h"

/* ---- transactions ---- */
struct ag_transaction {
    unsigned refs;          /* host handles */
    ag_connection *conn;    /* counted while refs > 0; valid while linked */
    ag_transaction *parent; /* enclosing savepoint or the root; NULL for the root and once unlinked */
    ag_tx_kind kind;
    bool linked; /* in the connection's chain */
    bool active; /* may be committed */
    bool sent;   /* nested: the SAVEPOINT is in the database */
    bool prepared;
    ag_transaction *outer_block;
    unsigned number; /* nested: from 1, inner ones are higher */
    char *xid;
    char name[32];
};

/* A control statement waiting to travel with the next segment. */
typedef enum ag_cmd_kind {
    AG_CMD_BEGIN,
    AG_CMD_SAVEPOINT,
    AG_CMD_ROLLBACK_TO,
    AG_CMD_RELEASE,
    AG_CMD_SETTING
} ag_cmd_kind;
typedef struct ag_cmd {
    ag_cmd_kind kind;
    ag_transaction *tx; /* SAVEPOINT: whose; NULL once that has gone */
    char text[72];
} ag_cmd;

struct ag_connection {
    unsigned refs;
    ag_engine *engine; /* counted */
    ag_pconn *pconn;   /* borrowed from the pool; NULL when closed or invalidated */
    ag_arena arena;    /* option texts */
    ag_exec_options x; /* merged with the engine's */
    ag_transaction *root, *nested;
    ag_transaction
        *block; /* innermost one that the host runs as a block: nothing runs after its end until it is left */
    ag_gate *gate;
    ag_result *streams; /* open cursors, newest first */
    ag_checkout_op *reconnect;
    AG_VEC(ag_cmd) cmds;
    uint64_t id, events;
    char *where;
    unsigned savepoints; /* numbered so far */
    unsigned epoch;      /* rises when what was under way is thrown away */
    bool closed, invalidated;
    bool begun;       /* the database has our BEGIN */
    bool dirty;       /* raw text changed the session */
    bool ended_by_db; /* root went inactive because the database ended it */
};

static inline const ag_driver *ag_conn_driver(const ag_connection *c)
{
    return c->engine->s->driver;
}
static inline bool ag_conn_single_writer(const ag_connection *c)
{
    return (ag_conn_driver(c)->caps & AG_DRV_SINGLE_WRITER) != 0;
}
static inline bool ag_conn_autocommit(const ag_connection *c)
{
    return c->x.isolation == AG_ISO_AUTOCOMMIT;
}
static inline const ag_alloc *ag_conn_alloc(const ag_connection *c)
{
    return c->engine->s->alloc;
}
/* Events that anyone listens for on this connection. */
static inline uint64_t ag_conn_events(const ag_connection *c)
{
    return c->events | ag_engine_events(c->engine) | (c->pconn ? c->pconn->pool->events : 0);
}
/* Fill ev (zeroed) and op's call for an event of c; false when nobody listens. */
bool ag_conn_prepare_event(ag_connection *c, ag_op *op, ag_event *ev, ag_event_id id);

ag_connection *ag_connection_new(ag_engine *e, ag_pconn *p, const char *where, ag_error *err) AG_NODISCARD;
/* Enter: fails with AG_EXC_INVALID_REQUEST naming the op that is under way, AG_EXC_RESOURCE_CLOSED, or after a fork. */
ag_status ag_conn_enter(ag_connection *c, ag_gate *g, ag_op *op, ag_error *err) AG_NODISCARD;
void ag_conn_leave(ag_gate *g); /* harmless when not entered */
/* After a callback: is op still the one that may act? */
ag_status ag_conn_resume(ag_connection *c, const ag_gate *g, ag_error *err) AG_NODISCARD;
/* May a statement run now? AG_EXC_PENDING_ROLLBACK / INVALID_REQUEST when the transaction does not allow it. */
ag_status ag_conn_check_tx(const ag_connection *c, ag_error *err) AG_NODISCARD;
/* Static pool: AG_EXC_INVALID_REQUEST when another handle's transaction is open. verb: "commit". */
ag_status ag_conn_check_owner(const ag_connection *c, const char *verb, ag_error *err) AG_NODISCARD;
/* Back to the pool, whatever state it is in; flags: AG_PR_* beside what the connection knows itself. */
void ag_conn_give_back(ag_connection *c, unsigned flags);
/* Make sure there is a physical connection, quiet and clean. */
ag_step ag_conn_ready(ag_connection *c, ag_op *op, ag_error *err);
/* The connection was lost, or is to be thrown away. all: the pool's generation too. */
void ag_conn_invalidate(ag_connection *c, const ag_error *err, bool soft, bool all);
/* An op was cleared while its answers were outstanding: cancel, roll back without waiting. */
void ag_conn_abandon(ag_connection *c);
/* Close open cursors; why: "commit" …, kept in the results. above: only those opened inside this savepoint or
 * deeper; NULL all. */
void ag_conn_close_streams(ag_connection *c, const char *why, const ag_transaction *above);
/* Emit events that the pool has queued; call inside AG_CO_AWAIT with a line of its own. */
ag_step ag_conn_flush_events(ag_connection *c, ag_op *op, ag_event *ev, int *line, ag_error *err);

/* ---- transaction.c: the chain ---- */
ag_transaction *ag_tx_new(ag_connection *c, ag_tx_kind kind, ag_error *err); /* linked, active, no host handle */
/* Unlink t and every savepoint inside it: they are over. Pending SAVEPOINTs of theirs are forgotten. */
void ag_tx_unlink(ag_transaction *t);
/* t and what is inside it can only be rolled back now. */
void ag_tx_deactivate(ag_transaction *t);
/* The database's transaction is over (commit, rollback or by itself). */
void ag_conn_tx_over(ag_connection *c);
ag_status ag_conn_push_cmd(ag_connection *c, ag_cmd_kind kind, ag_transaction *tx, const char *text,
                           ag_error *err) AG_NODISCARD;
/* Autobegin: event and root transaction when there is none. */
ag_step ag_conn_autobegin(ag_connection *c, ag_op *op, ag_event *ev, int *line, ag_error *err);

/* ---- a statement's error ---- */
/* Emits HANDLE_ERROR for *error, then invalidates what is lost. DONE always (unless waiting or calling): *error is
 * final. */
ag_step ag_conn_fault(ag_connection *c, ag_op *op, ag_event *ev, int *line, ag_error *error, const char *text,
                      size_t len);

#endif

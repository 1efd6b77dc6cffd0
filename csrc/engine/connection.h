/* Connections and transactions: one borrowed pool connection, the transaction that statements open on it, its
 * savepoints.
 *
 * Rules. A connection begins its transaction with its first statement (autobegin); commit or rollback end it.
 * BEGIN is never a round trip of its own: it travels with the first statement. With a single-writer driver
 * (SQLite) read-only statements begin nothing in the database and the first writing one sends BEGIN IMMEDIATE,
 * after the engine's write token was waited for. One operation at a time: a second one raises
 * AG_EXC_INVALID_REQUEST naming the first. Handles: connection and transaction are reference-counted; a
 * transaction holds its connection, a connection its engine. Closing twice is harmless; using a closed one raises
 * AG_EXC_RESOURCE_CLOSED. */
#ifndef AG_ENGINE_CONNECTION_H
#define AG_ENGINE_CONNECTION_H

#include "engine/engine.h"

typedef struct ag_connection ag_connection;
typedef struct ag_transaction ag_transaction;

/* ---- life ---- */

/* Op: engine.connect(). `conn` is the new handle, one reference; take it by setting NULL, else clear releases it. */
typedef struct ag_connect_op {
    ag_op op;
    ag_connection *conn; /* out */
    /* private */
    ag_engine *engine;
    ag_checkout_op checkout;
    ag_connection *making;
    ag_event event;
} ag_connect_op;
/* where: the borrower's place ("file.lua:12") for the exhausted-pool message, may be NULL; copied. */
ag_status ag_connect_init(ag_connect_op *op, ag_engine *e, const char *where, ag_error *err) AG_NODISCARD;

ag_connection *ag_connection_ref(ag_connection *c);
/* The last reference releases as ag_connection_release does. */
void ag_connection_unref(ag_connection *c);
/* Close without waiting and without events (they are queued for a later op): __gc, __close, coroutine death. An
 * open transaction is rolled back, a running statement cancelled, open streams end. Idempotent. */
void ag_connection_release(ag_connection *c);

typedef struct ag_conn_op { /* close, invalidate, detach, ping, isolation level */
    ag_op op;
    ag_isolation result; /* out of ag_get_isolation_init */
    /* private */
    ag_connection *conn;
    int what;
    ag_arena arena;
    struct ag_segment *seg;
    ag_request request;
    ag_event event;
    ag_reply reply;
    ag_error cause;
    bool soft, raised;
    ag_gate gate;
    int line2, line3;
} ag_conn_op;
/* Op: conn:close(): rollback, reset and checkin events, release. */
ag_status ag_close_init(ag_conn_op *op, ag_connection *c, ag_error *err) AG_NODISCARD;
/* Op: conn:invalidate(err): the physical connection is closed; the handle reconnects at its next use once the
 * transaction that was open has been rolled back. cause may be NULL; copied. */
ag_status ag_invalidate_init(ag_conn_op *op, ag_connection *c, const ag_error *cause, bool soft,
                             ag_error *err) AG_NODISCARD;
/* Op: conn:detach(). */
ag_status ag_detach_init(ag_conn_op *op, ag_connection *c, ag_error *err) AG_NODISCARD;
/* Op: ask the database for the current isolation level (op->result). */
ag_status ag_get_isolation_init(ag_conn_op *op, ag_connection *c, ag_error *err) AG_NODISCARD;

/* conn:execution_options{…}, in place. A changed isolation level is applied with the next statement and put back
 * when the connection is returned; while a transaction is open it raises AG_EXC_INVALID_REQUEST. */
ag_status ag_connection_set_options(ag_connection *c, const ag_exec_options *x, ag_error *err) AG_NODISCARD;

ag_engine *ag_connection_engine(const ag_connection *c); /* borrowed */
ag_pconn *ag_connection_pconn(const ag_connection *c);   /* NULL when closed or invalidated */
bool ag_connection_is_closed(const ag_connection *c);
bool ag_connection_is_invalidated(const ag_connection *c);
bool ag_connection_in_transaction(const ag_connection *c);
bool ag_connection_in_nested(const ag_connection *c);
/* Borrowed; NULL when there is none. The nested one is the innermost savepoint. */
ag_transaction *ag_connection_transaction(const ag_connection *c);
ag_transaction *ag_connection_nested(const ag_connection *c);
ag_isolation ag_connection_default_isolation(const ag_connection *c);
void ag_connection_set_events(ag_connection *c, uint64_t mask);
/* Name of the operation that is using the connection now, or NULL. */
const char *ag_connection_busy(const ag_connection *c);

/* ---- transactions ---- */

typedef enum ag_tx_kind { AG_TXK_ROOT, AG_TXK_NESTED, AG_TXK_TWOPHASE } ag_tx_kind;

ag_transaction *ag_transaction_ref(ag_transaction *t);
void ag_transaction_unref(ag_transaction *t); /* drops the handle only: the transaction goes on with its connection */
ag_tx_kind ag_transaction_kind(const ag_transaction *t);
/* is_active: may still be committed. is_valid: its connection is not invalidated. */
bool ag_transaction_is_active(const ag_transaction *t);
bool ag_transaction_is_valid(const ag_transaction *t);
ag_connection *ag_transaction_connection(const ag_transaction *t); /* borrowed */
const char *ag_transaction_xid(const ag_transaction *t);           /* two-phase, else NULL */
const char *ag_transaction_savepoint(const ag_transaction *t);     /* nested, else NULL */
/* The host runs t as a block (engine:begin(fn), conn:begin(fn)): after t's end the connection refuses statements until
 * the block is left. Blocks nest. */
void ag_transaction_set_block(ag_transaction *t, bool block);
/* End without waiting (__close of a tx handle where nothing may yield): as a rollback of it, sent with the
 * connection's next segment. */
void ag_transaction_release(ag_transaction *t);

/* Every transaction operation. `tx` is the new handle of a begin (one reference; take by setting NULL). `xids` is
 * recover's list (strings and array from the op's arena, gone with clear). */
typedef struct ag_tx_op {
    ag_op op;
    ag_transaction *tx; /* out */
    const char **xids;  /* out */
    size_t nxids;
    bool outcome_unknown; /* out, commit failed: the connection was lost while COMMIT was under way */
    /* private */
    ag_connection *conn;
    ag_transaction *target; /* a handle is held */
    int what;
    ag_arena arena;
    struct ag_segment *seg;
    ag_request request;
    ag_reply reply;
    ag_event event;
    const char *xid, *tag; /* tag: what must not be answered by ROLLBACK */
    ag_event_id announce;
    bool closing;
    ag_gate gate;
    int line2, line3;
} ag_tx_op;

/* conn:begin(): raises AG_EXC_INVALID_REQUEST when a transaction has begun (autobegin included). Sends nothing by
 * itself. */
ag_status ag_begin_init(ag_tx_op *op, ag_connection *c, ag_error *err) AG_NODISCARD;
/* conn:begin_nested(): a SAVEPOINT (autobegins the outer transaction when there is none); the statement travels
 * with the next one where the driver pipelines. */
ag_status ag_begin_nested_init(ag_tx_op *op, ag_connection *c, ag_error *err) AG_NODISCARD;
/* conn:begin_twophase(xid). xid NULL: generated. AG_EXC_NOT_SUPPORTED where the database has none. */
ag_status ag_begin_twophase_init(ag_tx_op *op, ag_connection *c, const char *xid, ag_error *err) AG_NODISCARD;
/* conn:commit() / conn:rollback() end the root transaction with its savepoints; without one commit does nothing …
 * as SQLAlchemy. */
ag_status ag_connection_commit_init(ag_tx_op *op, ag_connection *c, ag_error *err) AG_NODISCARD;
ag_status ag_connection_rollback_init(ag_tx_op *op, ag_connection *c, ag_error *err) AG_NODISCARD;
/* tx:commit(), tx:rollback(), tx:close() (rollback unless ended already; never raises for an ended one),
 * tx:prepare(). */
ag_status ag_tx_commit_init(ag_tx_op *op, ag_transaction *t, ag_error *err) AG_NODISCARD;
ag_status ag_tx_rollback_init(ag_tx_op *op, ag_transaction *t, ag_error *err) AG_NODISCARD;
ag_status ag_tx_close_init(ag_tx_op *op, ag_transaction *t, ag_error *err) AG_NODISCARD;
ag_status ag_tx_prepare_init(ag_tx_op *op, ag_transaction *t, ag_error *err) AG_NODISCARD;
/* conn:recover_twophase(), commit_prepared(xid, {recover}), rollback_prepared(xid, {recover}). */
ag_status ag_recover_init(ag_tx_op *op, ag_connection *c, ag_error *err) AG_NODISCARD;
ag_status ag_prepared_init(ag_tx_op *op, ag_connection *c, const char *xid, bool commit, bool recover,
                           ag_error *err) AG_NODISCARD;

#endif

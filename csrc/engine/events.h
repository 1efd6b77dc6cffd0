/* Events: what the engine tells a host before and after it acts. Emitted as AG_STEP_CALL requests with kind
 * AG_CALL_EVENT, fn 0 and args an ag_event; one request an event, the host dispatches to its listeners (pool's,
 * engine's, parent engine's, connection's) by the handles in it. Nothing is emitted, and nothing is built, unless
 * the bit of the event is set in the mask of a target concerned. A listener may yield, raise, and use the
 * connection in the event. */
#ifndef AG_ENGINE_EVENTS_H
#define AG_ENGINE_EVENTS_H

#include "engine/op.h"
#include "engine/url.h"

struct ag_engine;
struct ag_pool;
struct ag_pconn;
struct ag_connection;
struct ag_transaction;
struct ag_result;
struct ag_exec_request;

/* ORDER ag_event_id: events.c names them. */
typedef enum ag_event_id {
    /* pool (also listened for on an engine) */
    AG_EV_CONNECT = 0,   /* pconn: made, before first use */
    AG_EV_FIRST_CONNECT, /* pconn: once a pool, before CONNECT */
    AG_EV_CHECKOUT,      /* u.checkout: may reject the connection */
    AG_EV_CHECKIN,       /* pconn may be NULL: it was invalidated */
    AG_EV_RESET,         /* u.reset */
    AG_EV_INVALIDATE,    /* u.invalidate */
    AG_EV_SOFT_INVALIDATE,
    AG_EV_CLOSE, /* pconn is about to be closed (deferred: it is closed already) */
    AG_EV_DETACH,
    AG_EV_CLOSE_DETACHED,
    /* engine */
    AG_EV_DO_CONNECT,     /* u.do_connect: may replace the URL */
    AG_EV_ENGINE_CONNECT, /* conn */
    AG_EV_ENGINE_DISPOSED,
    AG_EV_SET_CONNECTION_OPTIONS, /* conn; emitted by the host itself: the core knows no foreign options */
    AG_EV_SET_ENGINE_OPTIONS,
    AG_EV_BEGIN,
    AG_EV_COMMIT,
    AG_EV_ROLLBACK,
    AG_EV_SAVEPOINT, /* u.savepoint for these three */
    AG_EV_ROLLBACK_SAVEPOINT,
    AG_EV_RELEASE_SAVEPOINT,
    AG_EV_BEGIN_TWOPHASE, /* u.twophase for these four */
    AG_EV_PREPARE_TWOPHASE,
    AG_EV_COMMIT_TWOPHASE,
    AG_EV_ROLLBACK_TWOPHASE,
    AG_EV_BEFORE_EXECUTE, /* u.execute: may replace statement and parameters */
    AG_EV_AFTER_EXECUTE,
    AG_EV_BEFORE_CURSOR_EXECUTE, /* u.cursor: may replace text and values */
    AG_EV_AFTER_CURSOR_EXECUTE,
    AG_EV_HANDLE_ERROR, /* u.error: may replace the error, is_disconnect */
    AG_EV_DO_EXECUTE,   /* u.cursor, behind BEFORE_CURSOR_EXECUTE: the host may do it itself (handled) */
    AG_EV_DO_EXECUTEMANY,
    AG_EV_COUNT
} ag_event_id;

#define AG_EV_BIT(id) ((uint64_t)1 << (id))
const char *ag_event_name(ag_event_id id); /* "before_cursor_execute" */

typedef struct ag_event {
    ag_event_id id;
    bool queued; /* the core's: told later than it happened */
    /* Borrowed for the call; NULL where it makes no sense. */
    struct ag_engine *engine;
    struct ag_pool *pool;
    struct ag_pconn *pconn;
    struct ag_connection *conn;
    union {
        struct {
            const ag_url *url;
            ag_url *replace; /* out: connect to this one; one reference moves to the core */
        } do_connect;
        struct {
            bool disconnect; /* out: reject this connection (DisconnectionError): it is closed and another one tried */
            bool invalidate_pool; /* out, with disconnect: all pooled connections are stale too */
        } checkout;
        struct {
            bool transaction_was_reset; /* the transaction had been ended before */
            bool terminate_only;        /* the connection is about to be closed */
        } reset;
        struct {
            const ag_error *error; /* why; may be NULL */
        } invalidate;
        struct {
            const char *name;
        } savepoint;
        struct {
            const char *xid;
            bool is_prepared;
        } twophase;
        struct {
            const struct ag_exec_request *request;
            /* out, BEFORE_EXECUTE: execute this instead; everything in it lives until the execute op is cleared */
            const struct ag_exec_request *replace;
            struct ag_result *result; /* AFTER_EXECUTE */
        } execute;
        struct {
            const char *text;
            size_t text_len;
            const ag_value *values; /* nsets * nparams; NULL when they are given row by row (fill) */
            size_t nsets;
            uint32_t nparams;
            bool executemany;
            const struct ag_exec_request *request;
            /* out, BEFORE_CURSOR_EXECUTE (retval listeners): NULL = unchanged; live until the execute op is cleared */
            const char *new_text;
            size_t new_text_len;
            const ag_value *new_values; /* the same nsets; new_nparams a set */
            uint32_t new_nparams;
            bool handled; /* out, DO_EXECUTE: nothing is sent, there are no rows */
        } cursor;
        struct {
            ag_error *error;  /* in/out: may be changed; host_value set = the host's own error takes its place */
            const char *text; /* may be NULL */
            size_t text_len;
            const ag_value *values; /* nsets * nparams of the statement; NULL: none are known, or they are hidden */
            size_t nsets;
            uint32_t nparams;
            bool executemany;
            bool is_disconnect;                 /* in/out */
            bool invalidate_pool_on_disconnect; /* in/out, true at first */
            bool is_pre_ping;
        } error;
    } u;
} ag_event;

/* args of AG_CALL_DEFAULT: a column default or onupdate function. answer: the value. */
typedef struct ag_default_call {
    const void *column; /* the compile layer's column facts (struct ag_column of schema) */
    struct ag_connection *conn;
    bool update;        /* onupdate, in an UPDATE */
    size_t set;         /* which parameter set, from 0 */
    const ag_str *keys; /* context.get_current_parameters(): nkeys names and values, those known so far */
    const ag_value *values;
    size_t nkeys;
} ag_default_call;

#endif

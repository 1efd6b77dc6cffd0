/* The interface between the engine and a database client library. A driver gets SQL text and values and gives back
 * packed rows and error fields; it knows nothing of expressions, dialects, pools or Lua. No call here blocks: what may
 * wait is a step function that names what it waits for (base/step.h).
 *
 * A driver is a module of its own and cannot link to the core's symbols (Lua opens modules RTLD_LOCAL): all it needs of
 * the core comes in ag_services. The binding's shim hands the vtable over as a light userdata; abi is checked first. */
#ifndef AG_DRIVER_DRIVER_H
#define AG_DRIVER_DRIVER_H

#include "base/buf.h"
#include "base/step.h"
#include "base/utf8.h"
#include "value/row.h"
#include "value/type.h"

#define AG_DRIVER_ABI 1u

struct ag_reply;

/* What the core lends to drivers: the functions of base/ and value/ that a driver needs, under the names and with the
 * contracts of their headers (ag_fail is failv, ag_arena_new is arena_new …). A driver calls no other function of the
 * core: the inline ones of the headers and these. Grows at the end only; size guards old drivers. */
typedef struct ag_services {
    uint32_t abi, size;
    /* base/error.h */
    ag_status (*failv)(ag_error *err, ag_exc cls, const char *fmt, va_list ap);
    ag_status (*fail_nomem)(ag_error *err);
    void (*error_text)(ag_error *err, char **field, const char *s, size_t len);
    void (*error_clear)(ag_error *err);
    void (*error_move)(ag_error *dst, ag_error *src);
    /* base/arena.h, base/buf.h, base/utf8.h */
    void (*arena_init)(ag_arena *ar, const ag_alloc *alloc);
    void *(*arena_new)(ag_arena *ar, size_t size);
    void (*arena_reset)(ag_arena *ar);
    void (*arena_clear)(ag_arena *ar);
    bool (*buf_reserve)(ag_buf *b, size_t more);
    void (*buf_clear)(ag_buf *b);
    void (*buf_double)(ag_buf *b, double v);
    bool (*parse_int64)(const char *s, size_t len, int64_t *out);
    bool (*parse_double)(const char *s, size_t len, double *out);
    bool (*utf8_valid)(const char *s, size_t len);
    /* value/row.h: rows */
    bool (*rows_begin)(ag_rows *rs, unsigned ncols);
    void (*rows_end)(ag_rows *rs);
    void (*rows_abandon)(ag_rows *rs);
    ag_rows_grow_fn rows_grow;
    void (*rows_value)(ag_rows *rs, const ag_value *v);
    /* value/row.h: arrays */
    ag_status (*array_pack)(ag_value *out, unsigned ndim, const ag_array_dim *dims, const ag_value *items, size_t count,
                            ag_arena *ar, ag_error *err);
    unsigned (*array_ndim)(const char *bytes, size_t n);
    ag_array_dim (*array_dim_get)(const char *bytes, size_t n, unsigned dim);
    size_t (*array_count)(const char *bytes, size_t n);
    void (*array_get)(ag_value *out, const char *bytes, size_t n, size_t index);
    /* value/datetime.h, value/decimal.h */
    ag_status (*date_parse)(ag_value *out, const char *s, size_t n, ag_error *err);
    ag_status (*time_parse)(ag_value *out, const char *s, size_t n, ag_error *err);
    ag_status (*datetime_parse)(ag_value *out, const char *s, size_t n, ag_error *err);
    ag_status (*interval_parse)(ag_value *out, const char *s, size_t n, ag_error *err);
    size_t (*temporal_write)(char out[80], const ag_value *v, char sep, int fraction);
    ag_status (*decimal_parse)(ag_buf *out, const char *s, size_t n, ag_error *err);
    void (*decimal_digits)(const char *a, size_t an, int *significant, int *scale);
    bool (*decimal_to_double)(const char *a, size_t an, double *out);
    /* value/type.h, value/value.h */
    const ag_type *(*type_plain)(ag_type_id id);
    const char *(*type_lua_name)(const ag_type *t);
    ag_vkind (*type_kind)(const ag_type *t);
    const char *(*vkind_name)(ag_vkind kind);
    /* driver/sqlstate.h */
    void (*sqlstate_set)(ag_error *err, const char *sqlstate);
    ag_exc (*sqlstate_class)(const char *sqlstate);
    int64_t (*now_us)(void);
    void (*reply_clear)(struct ag_reply *r);             /* ag_reply_clear */
    const ag_type *(*type_plain_array)(ag_type_id item); /* ARRAY of a plain type */
    size_t (*temporal_format)(char *out, const char *format, const ag_value *v);
    bool (*temporal_scan)(ag_value *out, ag_vkind kind, const char *format, const char *s, size_t n);
} ag_services;
extern const ag_services ag_core_services; /* the core's own table (engine/services.c) */

/* ---- connecting ---- */

typedef struct ag_connect_option {
    const char *key, *value;
} ag_connect_option;

/* What a URL and connect_args say. Strings are borrowed during open only. */
typedef struct ag_connect_params {
    const char *username, *password, *database; /* NULL when absent */
    const char *const *hosts;                   /* nhosts of them; ports[i] 0 = default */
    const uint16_t *ports;
    size_t nhosts;
    const ag_connect_option *options; /* query arguments and connect_args, in order */
    size_t noptions;
    int64_t deadline; /* of the whole connect */
} ag_connect_params;

typedef struct ag_dconn ag_dconn; /* a driver's connection; each driver defines its own struct starting with this one */
struct ag_dconn {
    const struct ag_driver *driver;
    const ag_services *core;
    const ag_alloc *alloc;
};

/* Transaction state as the client library reports it, never as we believe it to be. */
typedef enum ag_tx_state {
    AG_TX_IDLE,
    AG_TX_ACTIVE,  /* in a transaction block */
    AG_TX_FAILED,  /* PostgreSQL: aborted, only ROLLBACK is understood */
    AG_TX_UNKNOWN, /* connection lost or command under way */
} ag_tx_state;

/* ---- requests ---- */

#define AG_REQ_PREPARE   0x01u /* keep a prepared statement for (text, parameter types) */
#define AG_REQ_ROWS      0x02u /* rows are wanted (else they are counted and dropped) */
#define AG_REQ_STREAM    0x04u /* leave the cursor open and return rows in windows: see fetch */
#define AG_REQ_LAST_ID   0x08u /* last_id of each set is wanted (SQLite rowids; ignored elsewhere) */
#define AG_REQ_TEXT_ROWS 0x10u /* PostgreSQL: text result format (a column of unknown type) */
#define AG_REQ_SCRIPT    0x20u /* no parameters, perhaps several statements (PostgreSQL: simple protocol) */
#define AG_REQ_COPY_IN   0x40u /* AG_DRV_COPY: text is COPY … FROM STDIN (FORMAT binary); each set is one row of it */

/* One statement, run once for each parameter set. Everything borrowed must live until its reply is collected. */
typedef struct ag_request {
    const char *text;
    size_t text_len;
    unsigned flags;
    uint32_t nparams; /* placeholders a set */
    size_t nsets;     /* >= 1; nparams 0 with nsets n runs it n times */
    /* The values of set k are values[k * nparams …], or, when fill is set, what fill writes (called just before a
     * set is bound, in order, exactly once per set; bytes must live until the next call; AG_ERROR stops before that
     * set). */
    const ag_value *values; /* no AG_V_HOST among them */
    ag_status (*fill)(void *ud, size_t set, ag_value *out, ag_error *err);
    void *fill_ud;
    /* Type of each placeholder, NULL entries (or a NULL array) = by value. PostgreSQL: parameter OIDs; SQLite:
     * storage form of dates, decimals … Dialect variants are resolved already. */
    const ag_type *const *param_types;
    /* Type each result column is to be read as; NULL entries, a NULL array or columns past nresult_types = what the
     * database says. */
    const ag_type *const *result_types;
    uint32_t nresult_types;
    uint32_t window; /* STREAM: rows a window, >= 1 */
    /* Monotonic microseconds; 0 = none. A driver that runs statements inside collect (SQLite) stops them by itself
     * when it passes (class OPERATIONAL, sqlstate 57014); elsewhere the engine calls cancel. */
    int64_t deadline;
} ag_request;

typedef struct ag_column_info {
    const char *name; /* as the database calls it */
    size_t name_len;
    const ag_type *type; /* the type its values are given as; never NULL (NullType when unknown) */
    uint32_t db_type;    /* OID on PostgreSQL, 0 on SQLite */
    const char *decl;    /* SQLite declared type, may be NULL */
} ag_column_info;

/* What came back for one request. Zero it before the first use; clear with reply_clear. */
typedef struct ag_reply {
    ag_rows rows;            /* rows of all sets, in order */
    ag_arena arena;          /* column names and other small things live here */
    ag_column_info *columns; /* ncolumns; set even when there are no rows */
    uint32_t ncolumns;
    int64_t rowcount;   /* rows matched/changed by DML summed over sets; rows returned for queries; -1 unknown */
    size_t sets_done;   /* parameter sets that ran; on an error, the index of the set that failed */
    int64_t *last_ids;  /* AG_REQ_LAST_ID: one a set (SQLite), in arena-independent memory of rows.alloc; else NULL */
    int64_t *rowcounts; /* one a set when nsets > 1 (StaleDataError needs them); else NULL */
    char tag[64];       /* PostgreSQL command tag, e.g. "INSERT 0 5" */
    bool more;          /* STREAM: a further window may follow */
    uint32_t cursor;    /* STREAM: names the open cursor for fetch and cursor_close; 0 when there is none (any more) */
    bool readonly;      /* SQLite: sqlite3_stmt_readonly; PostgreSQL: false */
    bool skipped;       /* FAILED only because an earlier request of the segment failed: it did not run */
} ag_reply;

/* A function of the host that the database calls while a statement runs (SQLite). */
typedef struct ag_host_function {
    const char *name;
    int nargs; /* -1: any number */
    bool deterministic;
    bool collation; /* compares two texts: < 0, 0, > 0 */
    void *ud;
    /* Bytes of out live until the next call. Must not use the connection. */
    ag_status (*call)(void *ud, const ag_value *args, uint32_t n, ag_value *out, ag_error *err);
    void (*release)(void *ud);
} ag_host_function;

typedef enum ag_alive { AG_ALIVE, AG_DEAD, AG_ALIVE_UNKNOWN } ag_alive;

typedef struct ag_driver {
    uint32_t abi, size;
    const char *name; /* "sqlite", "postgresql": the URL's driver part, e.g. postgresql+libpq */
    const char *dialect;
    unsigned caps; /* AG_DRV_* */

    /* Make a connection object and begin connecting. self is this vtable, so that a driver can be an object that
     * embeds its vtable (mock, fault). On AG_OK the object exists even if connecting later fails: close it. An
     * option that the driver does not know is an AG_EXC_ARGUMENT that names the known ones. */
    ag_status (*open)(const struct ag_driver *self, ag_dconn **out, const ag_connect_params *params,
                      const ag_services *core, const ag_alloc *alloc, ag_error *err);
    ag_step (*open_step)(ag_dconn *c, ag_wait *w, ag_error *err);
    /* Free at once, without waiting. Always possible. */
    void (*close)(ag_dconn *c);

    /* Queue a request. Nothing need be sent yet. Replies come in the order of sends. */
    ag_status (*send)(ag_dconn *c, const ag_request *req, ag_error *err);
    /* End of a segment: after an error the rest of the segment is not run (PostgreSQL: pipeline sync; SQLite does
     * the same) and is collected as FAILED with reply->skipped (AG_EXC_OPERATIONAL, "skipped: an earlier statement
     * of the same batch failed"). Requests outside BEGIN that share a segment are one implicit transaction on
     * PostgreSQL, each its own on SQLite. */
    ag_status (*sync)(ag_dconn *c, ag_error *err);
    /* Reply of the oldest uncollected request. AG_STEP_FAILED is that statement's error; go on collecting the
     * others. After the last reply of a segment a further collect returns DONE with *sync_done true and an empty
     * reply: the segment is over and the connection quiet. When the connection is lost every uncollected request
     * fails with err.disconnect, and the sync is FAILED with *sync_done true. What an earlier request left in reply
     * is cleared first; reply must come from ag_reply_init. */
    ag_step (*collect)(ag_dconn *c, ag_reply *reply, bool *sync_done, ag_wait *w, ag_error *err);
    /* Next window of the streaming request whose reply this is: appends to reply->rows, sets more; the cursor
     * closes itself at its end (cursor 0). Several cursors may be open at once. The connection must be quiet (all
     * segments collected). */
    ag_step (*fetch)(ag_dconn *c, ag_reply *reply, ag_wait *w, ag_error *err);
    /* Close a cursor, without waiting (PostgreSQL queues CLOSE; SQLite finalises). 0 and unknown ids are ignored. */
    void (*cursor_close)(ag_dconn *c, uint32_t cursor);

    /* A deadline passed or the host lost interest: make the running statement end soon. Does not wait; the
     * statement's reply (57014, or success if it was done already) still has to be collected. */
    void (*cancel)(ag_dconn *c);
    /* Deadline (monotonic microseconds, AG_NO_DEADLINE for none) of everything collected or fetched from now on,
     * beside each request's own: for fetch and for drivers that compute inside it (SQLite ends the statement itself
     * with 57014). Where the work is elsewhere (PostgreSQL) it only bounds ag_wait.deadline, and the engine calls
     * cancel. */
    void (*set_deadline)(ag_dconn *c, int64_t deadline_us);
    ag_tx_state (*tx_state)(const ag_dconn *c);
    /* Looks at the socket without waiting (RDHUP, pending FIN). SQLite: always AG_ALIVE. */
    ag_alive (*alive)(ag_dconn *c);
    /* Release without waiting: send ROLLBACK (if in a transaction) and, when discard is set, DISCARD ALL / PRAGMA
     * resets. drain_step collects the answers later and is DONE when the connection is clean and idle, FAILED when
     * it has to be closed. */
    void (*release)(ag_dconn *c, bool discard);
    ag_step (*drain_step)(ag_dconn *c, ag_wait *w, ag_error *err);

    /* "15.20", encoded 150020 / 3040001 */
    int (*server_version)(const ag_dconn *c);
    /* Client library version, encoded the same way. */
    int (*client_version)(void);
    int64_t (*backend_id)(const ag_dconn *c); /* PostgreSQL backend pid, else 0 */
    uint32_t (*max_params)(const ag_dconn *c);
    int (*fd)(const ag_dconn *c); /* -1 none */
    /* Raw client handle (sqlite3 *, PGconn *), for raw_connection().driver_connection. */
    void *(*handle)(ag_dconn *c);
    /* Single-writer drivers (may be NULL elsewhere): 1 = this statement only reads, 0 = it writes or changes the
     * session's transaction, -1 = it does not prepare (send it to get the error). Prepares and keeps it; never
     * waits. */
    int (*readonly)(ag_dconn *c, const char *text, size_t len);
    /* Make a function or a collation of the host known to this connection; NULL: the database has none. f is copied, its name is
     * borrowed; f->release is called when it is gone, also after a failure. */
    ag_status (*create_function)(ag_dconn *c, const ag_host_function *f, ag_error *err);
} ag_driver;

#define AG_DRV_PIPELINE      0x01u /* a segment costs one round trip */
#define AG_DRV_DOLLAR        0x02u /* placeholders are $1; else ? */
#define AG_DRV_LAST_ID       0x04u /* AG_REQ_LAST_ID works */
#define AG_DRV_SHARED_MEMORY 0x08u /* an in-memory database exists once per connection */
/* One writer at a time: reads need no BEGIN, the engine sends BEGIN IMMEDIATE before the first write. Where another
 * process holds the lock, collect itself waits (AG_STEP_WAIT on a timer) up to the connection's `timeout` option
 * (seconds, default 5) or the deadline, and then fails (AG_EXC_OPERATIONAL, code 5): the engine need not repeat. */
#define AG_DRV_SINGLE_WRITER 0x10u
#define AG_DRV_COPY          0x20u /* AG_REQ_COPY_IN works */

/* Fills engine-side helpers (implemented in engine/services.c). */
void ag_reply_init(ag_reply *r, const ag_alloc *alloc);
void ag_reply_clear(ag_reply *r);

#endif

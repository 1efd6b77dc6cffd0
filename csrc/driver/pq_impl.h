/* Inside the PostgreSQL driver: the connection, its two queues, and what the driver's files ask of each other.
 *
 * Requests wait in `items` (as the engine sent them). From there they become commands of libpq's pipeline, a window at
 * a time: `cmds` mirrors libpq's own queue, one entry for each answer that is still to come. Answers arrive in order;
 * those of items that were collected already (failed ones) are dropped. Only pq*.c includes this. */
#ifndef AG_DRIVER_PQ_IMPL_H
#define AG_DRIVER_PQ_IMPL_H

#include "driver/pq_codec.h"
#include "driver/stmt_cache.h"

#include <libpq-fe.h>

/* What is in flight at most: enough to hide a slow network, little enough that neither side has to store much. A window
 * that was full is filled up again when half of it is answered, so that neither side sends driblets. */
enum { AG_PQ_WINDOW_CMDS = 2048, AG_PQ_WINDOW_BYTES = 1 << 20 };

/* How a result's column is read. */
typedef struct ag_pq_column {
    uint8_t fast;      /* AG_PQ_FAST_* */
    uint8_t kind;      /* ag_vkind of its values as they come */
    uint8_t want;      /* ag_vkind asked for, AG_V_NULL none */
    uint8_t item_kind; /* of an asked array's elements */
    bool binary;
    uint32_t oid;
    ag_pq_decode_fn decode; /* NULL: ag_pq_decode chooses */
    uint32_t name_at;       /* in the plan's names */
    uint32_t name_len;
    const ag_type *type;  /* what its values are given as */
    const ag_type *asked; /* may be NULL */
} ag_pq_column;

/* How the rows of a result are read: decoders picked once, and kept with a prepared statement. */
typedef struct ag_pq_plan {
    ag_pq_column *columns; /* one block, the names behind */
    uint32_t ncolumns;
    uint32_t names_size;
    bool can_binary; /* all columns have a binary decoder */
} ag_pq_plan;

enum { AG_PQ_STMT_NEW, AG_PQ_STMT_SENT, AG_PQ_STMT_READY };
enum { AG_PQ_FORMAT_UNKNOWN = -1, AG_PQ_FORMAT_TEXT = 0, AG_PQ_FORMAT_BINARY = 1 };

/* A statement for one (text, parameter OIDs), known to the server by "ag_<id>" once its Parse was answered. */
typedef struct ag_pq_stmt {
    ag_stmt_entry entry;
    uint32_t id;   /* 0: not kept, the server's unnamed statement */
    char name[16]; /* "ag_<id>" or "" */
    uint32_t refs; /* commands in flight and the item being sent */
    bool cached;
    uint8_t state;
    int8_t format;      /* of its results, learnt from the first one */
    uint32_t last_rows; /* rows of its last result: few are fetched as a whole, many row by row */
    ag_pq_plan plan;
} ag_pq_stmt;

typedef enum ag_pq_cmd_kind {
    AG_PQ_CMD_EXEC,    /* one parameter set of an item */
    AG_PQ_CMD_DECLARE, /* the DECLARE before a streaming item's first FETCH */
    AG_PQ_CMD_PREPARE, /* a Parse */
    AG_PQ_CMD_SYNC,    /* the engine's sync */
    AG_PQ_CMD_QUIET,   /* our own housekeeping: its answer, also an error, is dropped */
    AG_PQ_CMD_QUIET_SYNC,
} ag_pq_cmd_kind;

typedef struct ag_pq_cmd {
    uint8_t kind;
    bool rows; /* single-row mode */
    uint32_t bytes;
    uint64_t item; /* serial of the item it belongs to */
    ag_pq_stmt *stmt;
} ag_pq_cmd;

typedef enum ag_pq_item_kind { AG_PQ_ITEM_REQUEST, AG_PQ_ITEM_SYNC, AG_PQ_ITEM_FETCH } ag_pq_item_kind;

typedef struct ag_pq_item {
    uint8_t kind;
    ag_request req;
    uint32_t cursor;  /* FETCH; of a streaming request once it was sent */
    size_t sent;      /* parameter sets sent */
    size_t done;      /* parameter sets answered */
    bool local_error; /* the next set could not be made: c->local_error once `sent` are answered */
} ag_pq_item;

typedef struct ag_pq_cursor {
    uint32_t id, window;
    int8_t format;
    bool ended; /* all rows read; to be closed with the next segment */
    /* the request's asked types, copied */
    const ag_type **types;
    uint32_t ntypes;
} ag_pq_cursor;

/* One parameter set, encoded. */
typedef struct ag_pq_params {
    ag_buf bytes;
    size_t cap;
    uint32_t *oids;
    uint32_t *type_oids; /* of the request's types, made once an item */
    int *lengths, *formats;
    size_t *offsets; /* into bytes; SIZE_MAX = NULL */
    const char **values;
    ag_value *filled;
} ag_pq_params;

typedef enum ag_pq_phase { AG_PQ_START, AG_PQ_CONNECTING, AG_PQ_OPEN, AG_PQ_CLOSED } ag_pq_phase;

typedef struct ag_pq {
    ag_dconn base;
    PGconn *pg;
    ag_pq_phase phase;
    /* connecting */
    char **keys, **vals; /* NULL-terminated, for PQconnectStartParams */
    size_t nkeys, cap_keys;
    char **hosts;
    char **ports;
    size_t nhosts, host_from;
    char *current_host; /* "host port" that libpq is trying */
    int64_t connect_deadline, host_timeout, host_deadline;
    /* lost: every call fails with this from now on */
    bool lost;
    ag_error lost_error;
    /* queues */
    ag_pq_item *items;
    size_t first, nitems, cap_items; /* items[first … nitems) are uncollected */
    uint64_t base_serial;            /* serial of items[0] */
    size_t sending;                  /* first item not wholly sent */
    ag_pq_cmd *cmds;                 /* ring */
    size_t cmd_first, ncmds, cap_cmds, bytes_in_flight;
    /* segments: an error on either side skips what is left of the same one */
    uint64_t send_segment, recv_segment, failed_segment; /* failed_segment == recv_segment: an error was collected */
    bool send_stopped;                                   /* nothing more of the segment being sent goes out */
    size_t unsynced;                                     /* commands since the last sync */
    ag_error local_error;
    /* the wire */
    bool flush_pending, flush_asked, window_was_full, may_read, write_blocked, armed, answered, collecting;
    bool soft_error; /* the head item failed on our side after the server had done its part */
    /* statements */
    ag_stmt_cache cache;
    ag_pq_stmt *send_stmt; /* of the item being sent; a reference */
    uint32_t next_id;
    uint32_t *dealloc; /* ids to DEALLOCATE with the next segment */
    size_t ndealloc, cap_dealloc;
    bool changed_schema; /* CREATE, DROP or ALTER ran in this transaction */
    bool setup_pending;
    ag_buf text;
    ag_pq_params params;
    uint64_t params_item; /* serial whose type OIDs are in params, +1 */
    /* cursors */
    ag_pq_cursor *cursors;
    size_t ncursors, cap_cursors;
    uint32_t next_cursor;
    bool fetching, fetch_failed;
    ag_error fetch_error;
    /* rows of the head item */
    ag_pq_codec codec;
    ag_pq_plan plan;           /* of statements that are not kept */
    const ag_pq_plan *reading; /* the plan in use: this one or a statement's */
    uint64_t set_rows;         /* rows of the current set */
    /* scripts and COPY run outside the pipeline */
    bool simple, copying, copy_last, copy_ended;
    size_t copy_set;
    /* time, cancel, release */
    int64_t deadline;
    int cancel_fd; /* -1 none */
    int64_t cancel_until;
    char cancel_packet[16];
    size_t cancel_sent;
    void *cancel_async; /* PGcancelConn of libpq 17 */
    bool cancelled;
    bool draining, drain_discard, drain_reset;
} ag_pq;

static inline ag_pq *ag_pq_of(ag_dconn *c)
{
    return (ag_pq *)(void *)c;
}
static inline uint64_t ag_pq_serial(const ag_pq *c, size_t index)
{
    return c->base_serial + index;
}
static inline ag_pq_cmd *ag_pq_head(ag_pq *c)
{
    return &c->cmds[c->cmd_first];
}

/* ---- pq_connect.c, pq_options.c ---- */
ag_status ag_pq_open(const ag_driver *self, ag_dconn **out, const ag_connect_params *params, const ag_services *core,
                     const ag_alloc *alloc, ag_error *err) AG_NODISCARD;
ag_step ag_pq_open_step(ag_dconn *base, ag_wait *w, ag_error *err);
void ag_pq_close(ag_dconn *base);
/* Turn params into c->keys/vals, hosts, timeouts. */
ag_status ag_pq_read_options(ag_pq *c, const ag_connect_params *params, ag_error *err) AG_NODISCARD;
void ag_pq_free_options(ag_pq *c);

/* ---- pq_stmt.c ---- */
/* The statement for the request's text and the encoded parameters' OIDs; a reference. NULL out of memory. */
ag_pq_stmt *ag_pq_stmt_get(ag_pq *c, const ag_request *req, bool keep);
void ag_pq_stmt_unref(ag_pq *c, ag_pq_stmt *st);
/* Forget it: the server's copy is gone (tell false) or has to be deallocated. */
void ag_pq_stmt_drop(ag_pq *c, ag_pq_stmt *st, bool tell);
/* Forget all of them; tell: they are to be deallocated, else the server has done so already. */
void ag_pq_stmts_clear(ag_pq *c, bool tell);

/* ---- pq_params.c ---- */
/* Encode one set of the request into c->params. */
ag_status ag_pq_encode(ag_pq *c, const ag_request *req, uint64_t serial, const ag_value *vals,
                       ag_error *err) AG_NODISCARD;
/* Room for n parameters. */
ag_status ag_pq_params_reserve(ag_pq *c, uint32_t n, ag_error *err) AG_NODISCARD;
void ag_pq_params_clear(ag_pq *c);
/* Result format for a statement that has not run yet: binary only when every column was asked for as a type whose
 * every database type we read in binary. */
int ag_pq_first_format(const ag_request *req);

/* ---- pq_send.c ---- */
ag_status ag_pq_send(ag_dconn *base, const ag_request *req, ag_error *err) AG_NODISCARD;
ag_status ag_pq_sync(ag_dconn *base, ag_error *err) AG_NODISCARD;
ag_status ag_pq_push_item(ag_pq *c, ag_pq_item item, ag_error *err) AG_NODISCARD;
/* Hand to libpq what the window has room for. False: the connection is lost. */
bool ag_pq_send_more(ag_pq *c);
/* Queue one statement of our own, or a sync of our own. */
bool ag_pq_quiet(ag_pq *c, const char *text);
bool ag_pq_quiet_sync(ag_pq *c);
/* The item that ends the segment of items[i]. */
bool ag_pq_is_barrier(const ag_pq_item *it);

/* ---- pq_recv.c ---- */
ag_step ag_pq_collect(ag_dconn *base, ag_reply *reply, bool *sync_done, ag_wait *w, ag_error *err);
/* Send, flush and read until the head item is answered (or, with reply NULL, until nothing is in flight). */
ag_step ag_pq_run(ag_pq *c, ag_reply *reply, ag_wait *w, ag_error *err);
/* The connection is gone: remember why (err may be NULL: libpq's message), drop everything in flight. */
void ag_pq_lose(ag_pq *c, ag_error *why);
/* What a command tag says about prepared statements and cursors. */
void ag_pq_note_tag(ag_pq *c, const char *tag);
/* Fill err for a lost connection. */
ag_step ag_pq_fail_lost(ag_pq *c, ag_error *err);
/* Describe a wait for the socket. */
ag_step ag_pq_wait_socket(ag_pq *c, bool write, ag_wait *w);

/* ---- pq_rows.c ---- */
/* Set c->reading, and the reply's columns unless it has them. st: the statement that keeps the plan, or NULL. */
ag_status ag_pq_describe(ag_pq *c, ag_pq_stmt *st, const ag_request *req, const PGresult *res, ag_reply *reply,
                         ag_error *err) AG_NODISCARD;
ag_status ag_pq_read_rows(ag_pq *c, const PGresult *res, ag_rows *rs, ag_error *err) AG_NODISCARD;
void ag_pq_plan_clear(ag_pq *c, ag_pq_plan *plan);

/* ---- pq_convert.c ---- */
/* Exact conversions from what the server sent to what was asked for; a value that has none stays as it is. */
ag_status ag_pq_convert(ag_pq_codec *x, ag_value *v, ag_vkind want, const ag_type *asked, ag_error *err) AG_NODISCARD;

/* ---- pq_error.c ---- */
void ag_pq_result_error(ag_pq *c, const PGresult *res, ag_error *err);
/* From libpq's own message (no result). */
void ag_pq_conn_error(ag_pq *c, const char *doing, ag_error *err);

/* ---- pq_cursor.c ---- */
ag_pq_cursor *ag_pq_cursor_find(ag_pq *c, uint32_t id);
/* Declare and fetch the first window. */
bool ag_pq_send_stream(ag_pq *c, ag_pq_item *it, uint64_t serial);
bool ag_pq_send_fetch(ag_pq *c, ag_pq_item *it, uint64_t serial);
ag_step ag_pq_fetch(ag_dconn *base, ag_reply *reply, ag_wait *w, ag_error *err);
void ag_pq_cursor_close(ag_dconn *base, uint32_t cursor);
/* The transaction ended: its cursors are gone. only_ended: those that wait for their CLOSE. */
void ag_pq_cursors_forget(ag_pq *c, bool only_ended);
/* Forget one (its transaction failed). 0 is ignored. */
void ag_pq_cursor_drop(ag_pq *c, uint32_t id);
/* CLOSE for those that ended. */
bool ag_pq_send_closes(ag_pq *c);

/* ---- pq_script.c ---- */
/* Begin a script or COPY (the pipeline is empty). */
bool ag_pq_simple_start(ag_pq *c, ag_pq_item *it);
/* Go on with it. DONE: progress; WAIT. */
ag_step ag_pq_simple_step(ag_pq *c, ag_reply *reply, ag_wait *w, ag_error *err, bool *failed);

/* ---- pq_cancel.c, pq_release.c ---- */
void ag_pq_cancel(ag_dconn *base);
/* Push a cancel request that is under way; true when none is (any more). */
bool ag_pq_cancel_step(ag_pq *c);
/* Wait for it, when nothing else is to be waited for. */
ag_step ag_pq_wait_cancel(ag_pq *c, ag_wait *w);
void ag_pq_cancel_close(ag_pq *c);
ag_alive ag_pq_alive(ag_dconn *base);
void ag_pq_release(ag_dconn *base, bool discard);
ag_step ag_pq_drain_step(ag_dconn *base, ag_wait *w, ag_error *err);

/* Queue of commands (pq_send.c). */
bool ag_pq_push_cmd(ag_pq *c, ag_pq_cmd cmd);
void ag_pq_pop_cmd(ag_pq *c);

#endif

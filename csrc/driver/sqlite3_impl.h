/* Inside the SQLite driver: the connection, its statements, the request under way, and what the driver's files ask
 * of each other. Only sqlite3*.c includes this. */
#ifndef AG_DRIVER_SQLITE3_IMPL_H
#define AG_DRIVER_SQLITE3_IMPL_H

#include "driver/stmt_cache.h"
#include "driver/support.h"

#include <sqlite3.h>

/* Significant digits of a decimal that comes back from a double as it was (DBL_DIG). */
#define AG_SQLITE_DIGITS 15

typedef struct ag_sqlite ag_sqlite;
typedef struct ag_sqlite_column ag_sqlite_column;

/* Writes one cell; false with err filled when the value does not fit. */
typedef bool (*ag_sqlite_read_fn)(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v,
                                  ag_error *err);

struct ag_sqlite_column {
    ag_sqlite_read_fn read;
    const ag_type *type; /* what its values are given as */
    const char *name;    /* in the statement's own block */
    const char *decl;    /* likewise; NULL none */
    uint32_t name_len, decl_len;
    int scale;   /* of a decimal column: digits to pad or round to, -1 none */
    bool strict; /* the type was asked for: a value that does not fit raises instead of coming as it is */
    bool zoned;  /* timezone = true */
};

/* A prepared statement and, once it has run, how its columns are read. */
typedef struct ag_sqlite_stmt {
    ag_stmt_entry entry;                 /* key: the text; only when cached */
    sqlite3_stmt *handle;                /* NULL: the text was empty or a comment */
    bool cached, readonly, dml, control; /* control: BEGIN, COMMIT, SAVEPOINT … */
    bool is_reset;
    uint32_t nparams;
    /* column plan, made at the first row; remade when SQLite prepared again or other types are asked for */
    ag_sqlite_column *columns; /* one block with the names behind; NULL none yet */
    size_t block_size;
    int ncolumns, prepared_times;
    const ag_type **asked; /* in the block: the requested types of the plan */
} ag_sqlite_stmt;

typedef struct ag_sqlite_cursor {
    struct ag_sqlite_cursor *next;
    uint32_t id;
    uint32_t window;
    ag_sqlite_stmt *stmt;
} ag_sqlite_cursor;

/* How one parameter's values are stored. */
typedef struct ag_sqlite_param {
    uint8_t kind;      /* ag_vkind of the type, AG_V_NULL: by value */
    bool decimal_text; /* Numeric with sqlite_text */
    bool zoned;
    bool truncate;      /* microseconds that the format has no place for are dropped */
    const char *format; /* storage_format of a date or time, NULL none */
} ag_sqlite_param;

/* The request being collected; it survives waits. */
typedef struct ag_sqlite_run {
    bool active;
    const char *at; /* text not yet prepared (a script has more than one piece) */
    size_t left;
    ag_sqlite_stmt *stmt;
    size_t set;
    bool bound;       /* the current set is bound: a repetition must not ask fill again */
    bool stepped_row; /* the current set has returned a row: it cannot be repeated */
    uint64_t nrows;   /* rows returned so far */
    int64_t changed;
    bool any_dml, any_rows;
    bool planned;                   /* the statement's column plan is that of its last row */
    int64_t lock_since, lock_delay; /* waiting for a lock since, 0 not */
} ag_sqlite_run;

typedef struct ag_sqlite_item {
    bool sync;
    ag_request req;
} ag_sqlite_item;

struct ag_sqlite {
    ag_dconn base;
    sqlite3 *db;
    /* options */
    char *filename, *vfs;
    int open_flags;
    int64_t lock_timeout; /* microseconds */
    bool foreign_keys, trusted_schema, double_quoted_strings, writable_schema, load_extension;
    /* statements */
    ag_stmt_cache cache;
    ag_sqlite_cursor *cursors;
    uint32_t next_cursor;
    /* the queue */
    ag_sqlite_item *items;
    size_t first, nitems, cap_items; /* items[first … nitems) are uncollected */
    bool segment_failed;
    ag_sqlite_run run;
    /* parameters of the request under way */
    ag_sqlite_param *params;
    size_t cap_params;
    ag_value *filled; /* what fill writes */
    size_t cap_filled;
    ag_arena scratch; /* texts made for binding; reset per set */
    bool scratch_used;
    ag_buf text; /* scratch of the readers */
    /* time */
    int64_t deadline;     /* set_deadline */
    int64_t run_deadline; /* the earlier of it and the request's */
    bool cancelled, handler_on, busy_seen, drain_failed;
};

static inline ag_sqlite *ag_sqlite_of(ag_dconn *c)
{
    return (ag_sqlite *)(void *)c;
}

/* ---- sqlite3_function.c ---- */
/* REGEXP; false: SQLite refused. */
bool ag_sqlite_add_functions(ag_sqlite *c);
ag_status ag_sqlite_create_function(ag_dconn *base, const ag_host_function *f, ag_error *err) AG_NODISCARD;

/* ---- sqlite3_open.c ---- */
ag_status ag_sqlite_open(const ag_driver *self, ag_dconn **out, const ag_connect_params *params,
                         const ag_services *core, const ag_alloc *alloc, ag_error *err) AG_NODISCARD;
ag_step ag_sqlite_open_step(ag_dconn *base, ag_wait *w, ag_error *err);
void ag_sqlite_close(ag_dconn *base);
/* The session's settings as they are after opening (release with discard puts them back). False: could not. */
bool ag_sqlite_configure(ag_sqlite *c, ag_error *err);

/* ---- sqlite3_stmt.c ---- */
/* Prepare text[0 … len) (from the cache when keep is set). *used, when not NULL, is how many bytes the first
 * statement took; when NULL the text must hold one statement only. SQLite's code comes back in *rc (SQLITE_OK … );
 * err is filled unless it is SQLITE_BUSY or SQLITE_LOCKED_SHAREDCACHE. */
ag_sqlite_stmt *ag_sqlite_prepare(ag_sqlite *c, const char *text, size_t len, bool keep, size_t *used, int *rc,
                                  ag_error *err);
/* Give a statement back: reset, bindings cleared; kept when cached, else freed. NULL allowed. */
void ag_sqlite_stmt_release(ag_sqlite *c, ag_sqlite_stmt *st);
/* Take it out of the cache: from now on it is freed when released. */
void ag_sqlite_stmt_detach(ag_sqlite *c, ag_sqlite_stmt *st);
/* Finalise every cached statement. */
void ag_sqlite_stmts_clear(ag_sqlite *c);
/* First word of a statement, past blanks and comments; *len its length. */
const char *ag_sqlite_first_word(const char *text, size_t n, size_t *len);

/* ---- sqlite3_bind.c ---- */
/* Decide how each placeholder of req is stored. */
ag_status ag_sqlite_plan_params(ag_sqlite *c, const ag_request *req, ag_error *err) AG_NODISCARD;
/* Bind one set. Bytes of vals must live until the statement is reset. */
ag_status ag_sqlite_bind(ag_sqlite *c, sqlite3_stmt *st, const ag_value *vals, uint32_t n, ag_error *err) AG_NODISCARD;

/* ---- sqlite3_read.c, sqlite3_convert.c ---- */
/* Make (or keep) st's column plan for these requested types. */
ag_status ag_sqlite_plan_columns(ag_sqlite *c, ag_sqlite_stmt *st, const ag_type *const *types, uint32_t ntypes,
                                 ag_error *err) AG_NODISCARD;
/* Copy the plan's columns into a reply (names in its arena). */
ag_status ag_sqlite_describe(ag_sqlite *c, const ag_sqlite_stmt *st, ag_reply *reply, ag_error *err) AG_NODISCARD;
/* Append the statement's current row. */
ag_status ag_sqlite_read_row(ag_sqlite *c, const ag_sqlite_stmt *st, ag_rows *rs, ag_error *err) AG_NODISCARD;
/* Reader of a column of type t, or of a declared type when t is NULL (then *type is found). */
void ag_sqlite_pick_reader(ag_sqlite *c, ag_sqlite_column *col, const ag_type *asked);
bool ag_sqlite_read_any(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err);
bool ag_sqlite_read_int(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err);
bool ag_sqlite_read_float(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err);
bool ag_sqlite_read_text(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err);
/* A value that does not fit: as it is when the type was only declared, else AG_EXC_DATA naming the column. */
bool ag_sqlite_misfit(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err);

/* ---- sqlite3_error.c ---- */
/* Fill err from a result code and the connection's message; running: the statement had been prepared. */
void ag_sqlite_error(ag_sqlite *c, int rc, bool running, ag_error *err);

/* ---- sqlite3_exec.c ---- */
ag_step ag_sqlite_collect(ag_dconn *base, ag_reply *reply, bool *sync_done, ag_wait *w, ag_error *err);
ag_step ag_sqlite_fetch(ag_dconn *base, ag_reply *reply, ag_wait *w, ag_error *err);
void ag_sqlite_cursor_close(ag_dconn *base, uint32_t cursor);
/* Forget the queue, the request under way and all cursors. */
void ag_sqlite_abandon(ag_sqlite *c);
/* SQLITE_BUSY: describe the wait, or (time is up) fill err. */
ag_step ag_sqlite_lock_wait(ag_sqlite *c, int rc, ag_wait *w, ag_error *err);
/* Install or remove the progress handler as run_deadline and cancelled demand. */
void ag_sqlite_arm(ag_sqlite *c, int64_t request_deadline);

#endif

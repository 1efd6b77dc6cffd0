/* Results: packed rows with their column names and types, and what DML brought back. Buffered results hold all
 * their rows and need no connection; streaming ones hold a cursor of an open connection and get their rows window
 * by window. The host builds one(), scalars(), mappings() … on this cursor. */
#ifndef AG_ENGINE_RESULT_H
#define AG_ENGINE_RESULT_H

#include "engine/events.h"
#include "value/row.h"
#include "value/type.h"

struct ag_connection;
struct ag_compiled;

typedef struct ag_result ag_result;

typedef struct ag_result_column {
    ag_str name;         /* the key: label or column name as the statement says, else what the database calls it */
    ag_str db_name;      /* what the database calls it */
    const ag_type *type; /* the type its values are given as (host hooks of a TypeDecorator still to be applied) */
    uint32_t db_type;
    int32_t source; /* index of the compile layer's result column, -1 none */
} ag_result_column;

ag_result *ag_result_ref(ag_result *r);
void ag_result_unref(ag_result *r); /* the last reference closes a stream without waiting */

/* ---- columns ---- */
bool ag_result_returns_rows(const ag_result *r);
uint32_t ag_result_ncolumns(const ag_result *r);
const ag_result_column *ag_result_columns(const ag_result *r);
/* A number of the host's for these columns, 0 at first: results with the same place for it have the same columns. NULL: they are
 * this result's alone. Lives as long as the result. */
uint64_t *ag_result_mark(ag_result *r);
/* The compiled statement it came from (for column objects as keys), or NULL. Borrowed. */
const struct ag_compiled *ag_result_compiled(const ag_result *r);
struct ag_connection *ag_result_connection(const ag_result *r); /* NULL once a buffered result is complete */

/* ---- reading ---- */
typedef enum ag_result_next {
    AG_NEXT_ROW,
    AG_NEXT_END,
    AG_NEXT_FETCH, /* streaming: run a fetch op, then ask again */
    AG_NEXT_ERROR, /* closed (AG_EXC_RESOURCE_CLOSED), or the statement returns no rows */
} ag_result_next;
/* Next row, borrowed until the next call on the result (buffered: until ag_result_drop_read or the result ends). */
ag_result_next ag_result_next_row(ag_result *r, const ag_row **row, ag_error *err);
/* Rows not read yet; of a stream: those in memory. */
size_t ag_result_remaining(const ag_result *r);
/* All rows of a buffered result (read ones included unless dropped). */
/* Free memory of the rows already read (never needed for correctness). */
void ag_result_drop_read(ag_result *r);
/* Bytes held, for the host's collector. */
size_t ag_result_bytes(const ag_result *r);
bool ag_result_is_streaming(const ag_result *r);
uint32_t ag_result_yield_per(const ag_result *r); /* rows a partition, as the execution's options say; 0: they do not */

/* Op: bring the next window of a stream. Errors are the statement's; AG_EXC_RESOURCE_CLOSED when commit, rollback
 * or DDL closed the stream. */
typedef struct ag_fetch_op {
    ag_op op;
    /* private */
    ag_result *result;
    struct ag_connection *conn;
    bool all; /* read to the end */
    bool running;
    ag_gate gate;
    ag_error saved;
    ag_event event;
    int64_t deadline, limit;
    unsigned epoch;
    int line2, line3;
    bool cancelled;
} ag_fetch_op;
ag_status ag_fetch_init(ag_fetch_op *op, ag_result *r, bool all, ag_error *err) AG_NODISCARD;

/* Hard close: rows are dropped, a stream's cursor closed without waiting; reading then raises. Idempotent. */
void ag_result_close(ag_result *r);
bool ag_result_is_closed(const ag_result *r);
/* Why a stream was closed by the connection ("commit"), else NULL. */
const char *ag_result_closed_by(const ag_result *r);

/* Buffered only. freeze: a detached copy of the unread rows sharing nothing with a connection; thaw it as often as
 * wanted. */
ag_status ag_result_copy(ag_result **out, const ag_result *r, ag_error *err) AG_NODISCARD;
/* Read again from the first row; AG_EXC_INVALID_REQUEST when rows were dropped or it streams. */
ag_status ag_result_rewind(ag_result *r, ag_error *err) AG_NODISCARD;
/* Result.merge: rows of all, in order; same column count. */
ag_status ag_result_merge(ag_result **out, ag_result *const *rs, size_t n, ag_error *err) AG_NODISCARD;
/* A result of given rows (rows move in; rs is emptied). Column texts are copied. */
ag_status ag_result_of_rows(ag_result **out, const ag_alloc *a, const ag_result_column *cols, uint32_t ncols,
                            ag_rows *rs, ag_error *err) AG_NODISCARD;

/* ---- what DML brought back ---- */
int64_t ag_result_rowcount(const ag_result *r); /* -1 unknown */
/* Parameter sets that ran, and the row count of set k (-1 unknown; asked for with want_rowcounts). */
size_t ag_result_nsets(const ag_result *r);
int64_t ag_result_set_rowcount(const ag_result *r, size_t set);
bool ag_result_is_insert(const ag_result *r);
/* Primary key of the row inserted by set k: *npk values in table key order (borrowed until the next call; NULL-kind where unknown), or
 * NULL when the statement is no INSERT of an execution that reports keys. */
const ag_value *ag_result_inserted_key(ag_result *r, size_t set, uint32_t *npk);
/* Values the server made that were returned implicitly (returned_defaults / server onupdate): the row of set k
 * with columns as ag_result_default_columns says, or NULL. */
const ag_row *ag_result_returned_defaults(const ag_result *r, size_t set);
const ag_result_column *ag_result_default_columns(const ag_result *r, uint32_t *n);
int64_t ag_result_lastrowid(const ag_result *r); /* 0 none */
/* Values sent for set k, by compiled key order (last_inserted_params); NULL when not kept. */
const char *ag_result_tag(const ag_result *r); /* PostgreSQL command tag, "" elsewhere */

#endif

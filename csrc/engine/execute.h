/* Executing statements: an expression tree (compiled through the cache), a compiled statement, or driver text,
 * with one or many parameter sets, into a result. Several requests can go as one segment: one round trip where the
 * driver pipelines, one after another elsewhere; the first failure skips the rest. */
#ifndef AG_ENGINE_EXECUTE_H
#define AG_ENGINE_EXECUTE_H

#include "engine/connection.h"
#include "engine/result.h"

struct ag_node;     /* sql/node.h */
struct ag_compiled; /* compile/compiled.h */

/* Kind of a value that is missing from its set: the column's default applies, a text() name raises. Never sent. */
#define AG_V_ABSENT 0xffu

/* Parameters. Keys and values are borrowed until the op is cleared. */
typedef struct ag_params {
    size_t nsets; /* 0 = none given (the statement runs once) */
    bool many;    /* a list was given: executemany, even with one set */
    uint32_t nkeys;
    const ag_str *keys;     /* names, or NULL: positional (driver text) */
    const ag_value *values; /* nsets * nkeys, row by row, AG_V_ABSENT where a set lacks the key; or NULL and: */
    /* writes set k's nkeys values to out; called in order, possibly more than once a set; bytes live until the next
     * call. A set with keys that are not among `keys` adds them (keys and nkeys grow, old pointers stay valid) and writes nothing.
     * AG_ERROR stops before that set. */
    ag_status (*fill)(void *ud, size_t set, ag_value *out, ag_error *err);
    void *fill_ud;
} ag_params;

typedef struct ag_exec_request {
    /* either text or stmt */
    const char *text; /* driver text (exec_driver_sql) */
    size_t text_len;
    const struct ag_node *stmt;
    uint64_t serial; /* of stmt as an object of the host's: the same number, the same tree; 0: not known */
    struct ag_compiled
        *compiled; /* of stmt, made by the caller for this dialect and these keys: the cache is not asked */
    ag_params params;
    const ag_exec_options *options; /* the statement's and the call's; NULL = none */
    int64_t host_stmt;              /* what the host knows the statement by, for events and errors; 0 none */
    bool want_rowcounts;            /* row count of each set (ag_result_set_rowcount), executemany */
    /* the caller needs neither primary keys nor defaults of each set back: an INSERT of many sets goes the fastest way.
     * Without it ag_result_inserted_key and ag_result_returned_defaults know every set. Ignored for a single set. */
    bool bulk;
    /* NULL among the parameters is SQL's NULL for JSON columns too: a flush knows which of its values are absent. Without
     * it NULL given to a JSON column is JSON's null, unless the type says none_as_null. */
    bool sql_nulls;
} ag_exec_request;

typedef struct ag_stmt_run ag_stmt_run; /* private: one request under way */

/* Op: run `nreqs` requests in one segment. results[i] in the order of requests; take each by ag_exec_take. On failure
 * `failed` is the index of the request whose statement failed, failed_set the parameter set (SIZE_MAX when unknown);
 * statement text and parameters for the message are in error_text / error_params. */
typedef struct ag_exec_op {
    ag_op op;
    /* out, after a failure */
    size_t failed, failed_set;
    /* private */
    ag_connection *conn;
    const ag_exec_request *reqs;
    ag_arena arena;
    ag_stmt_run *runs;
    size_t nruns, at, piece;
    ag_request *requests; /* of all runs, in order */
    ag_reply *replies;
    size_t nrequests;
    struct ag_segment *seg;
    struct ag_exec_op *child; /* a default that is selected first */
    ag_event event;
    ag_gate gate;
    ag_buf params_text;
    int64_t deadline;
    bool inner; /* runs inside another op: that one holds the gate */
    bool retried;
    int line2, line3, line4;
} ag_exec_op;
/* reqs (the array too) is borrowed until clear. */
ag_status ag_exec_init(ag_exec_op *op, ag_connection *c, const ag_exec_request *reqs, size_t nreqs,
                       ag_error *err) AG_NODISCARD;
/* The i-th result, its reference moves to the caller; NULL when not done or taken already. */
ag_result *ag_exec_take(ag_exec_op *op, size_t i);
/* After a failure: the statement text as sent (NULL when none was; *len bytes), and its parameters in readable
 * form, cut to a sane length ("[SQL parameters hidden due to hide_parameters=true]" …; NULL when none were sent).
 * Borrowed until clear. */
const char *ag_exec_error_text(const ag_exec_op *op, size_t *len);
const char *ag_exec_error_params(ag_exec_op *op);
/* The parameters themselves: the number of sets, each of *nparams values in *values; *many: an executemany. Of one whose values
 * are made while they are sent, the set that failed, made once more. 0 when none were sent or they are hidden. Borrowed until the
 * next call of this or of error_params. */
size_t ag_exec_error_values(ag_exec_op *op, const ag_value **values, uint32_t *nparams, bool *many);

#endif

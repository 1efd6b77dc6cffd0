/* What the files of execution share. An op has runs (one a request of the caller's); a run becomes one or more
 * driver requests, which stand side by side in the op's arrays and travel in one segment. */
#ifndef AG_ENGINE_EXECUTE_INTERNAL_H
#define AG_ENGINE_EXECUTE_INTERNAL_H

#include "engine/execute.h"
#include "engine/result_internal.h"
#include "engine/segment.h"

/* What the first words of a text say about it. */
typedef enum ag_sql_kind {
    AG_SQL_OTHER,
    AG_SQL_QUERY, /* SELECT, WITH, VALUES, TABLE: may be streamed */
    AG_SQL_INSERT,
    AG_SQL_DML,
    AG_SQL_DDL,     /* CREATE, ALTER, DROP, TRUNCATE: open cursors are closed first */
    AG_SQL_CONTROL, /* BEGIN, COMMIT …, PRAGMA, VACUUM, ATTACH: opens no transaction on single-writer drivers */
} ag_sql_kind;
/* changes_session: SET, LISTEN, PRAGMA x = …, temporary objects, advisory locks. */
ag_sql_kind ag_sql_classify(const char *text, size_t len, bool *changes_session);

/* How one bind of a compiled statement gets its value. */
typedef struct ag_bind_slot {
    const ag_compiled_bind *b;
    int64_t key;           /* index into the parameters' row, -1 none */
    const ag_default *def; /* a scalar default; NULL none */
    int32_t dynamic;       /* index into the made values of a set, -1 none */
    bool hooked;           /* the host turns values of this type into plain ones */
    ag_vkind passes;       /* values of this kind go as they are (text: if clean); AG_V_NULL none */
} ag_bind_slot;

/* Values of a compiled statement's placeholders, set by set. */
typedef struct ag_bind_plan {
    ag_exec_op *op;
    ag_stmt_run *run;
    ag_bind_slot *slots; /* one a bind */
    const ag_position *positions;
    uint32_t npositions;
    ag_value *row;                /* the caller's values of the current set */
    ag_value *callables;          /* by bind: values of binds with a callable; NULL when there are none */
    ag_value *defaults;           /* nsets * ndynamic, from the group's first set on */
    const ag_fetch_col **dynamic; /* columns whose default is a function or SQL to be selected: one value a set */
    uint32_t ndynamic;
    ag_arena scratch; /* what conversion makes: one set's, or one batch's */
    ag_arena batch;   /* packed arrays of the current batch */
    ag_value *items;  /* by position: batch_rows values */
    size_t batch_rows;
    bool keep_scratch; /* a batch is being filled: sets pile up */
} ag_bind_plan;

struct ag_stmt_run {
    const ag_exec_request *req;
    ag_exec_options x;
    ag_sql_kind kind;
    bool dirty;
    ag_seg_need need;
    size_t first, nreqs; /* its driver requests */
    int64_t began;
    ag_result *result;
    const char *badge;    /* for the log: "raw sql", "cached since" … */
    double badge_seconds; /* negative: none */
    bool badge_ago;
    /* compiled statements */
    ag_compiled *c;
    ag_binds binds;
    ag_bind_plan *plan;
    const ag_str *keys; /* of this group: those that its sets have */
    uint32_t nkeys;
    size_t from, nsets; /* the group: sets [from, from + nsets) of the caller's, all with the same keys */
    size_t done;        /* sets of it that the database took */
    size_t limit;       /* known end of the group, SIZE_MAX unknown */
    size_t split;       /* where fill met a set with other keys; SIZE_MAX: not */
    size_t page;        /* rows a batch; 0: no batches */
    ag_value *pk;       /* inserted keys of all sets: nsets of the call * npk */
    uint32_t npk;
    bool rowid_keys; /* the database makes the key of every set, a rowid: the result keeps those, there is no pk */
    int line, line2;
    uint32_t at_bind;
    size_t at_set;
};

/* execute_plan.c: from requests to driver requests. */
/* Is there a connection to plan for? Defaults and listeners ran, which may have closed or invalidated it. */
ag_status ag_exec_connected(const ag_exec_op *op, ag_error *err) AG_NODISCARD;
ag_status ag_exec_plan_text(ag_exec_op *op, ag_stmt_run *run, ag_error *err) AG_NODISCARD;
/* Is the statement one that opens a cursor, and may it? */
bool ag_exec_may_stream(const ag_exec_op *op, const ag_stmt_run *run);
/* Room for n more driver requests; the arrays may move. */
ag_status ag_exec_add_requests(ag_exec_op *op, ag_stmt_run *run, size_t n, ag_error *err) AG_NODISCARD;
/* execute_bind.c */
const ag_default *ag_exec_default_of(const ag_fetch_col *f);
ag_status ag_bind_plan_new(ag_exec_op *op, ag_stmt_run *run, ag_error *err) AG_NODISCARD;
/* The driver's values of one set (numbered as the caller's) in order of the placeholders. Bytes live until the
 * next call, or with keep_scratch until the scratch is reset. AG_ERROR with run->split set: the set has other keys
 * than the group's. */
ag_status ag_bind_values(ag_bind_plan *p, size_t set, ag_value *out, ag_error *err) AG_NODISCARD;
/* ag_request.fill over ag_bind_values: set k is the group's k-th. */
ag_status ag_bind_fill(void *run, size_t set, ag_value *out, ag_error *err);
/* All sets at once, in the op's arena. */
ag_status ag_bind_materialise(ag_exec_op *op, ag_stmt_run *run, ag_request *r, ag_error *err) AG_NODISCARD;
bool ag_bind_same_keys(const ag_bind_plan *p);
/* Members of an expanding bind, of the set whose row was read last. */
uint32_t ag_bind_member_count(const ag_bind_plan *p, uint32_t bind);
ag_status ag_bind_member(ag_bind_plan *p, uint32_t bind, uint32_t member, ag_value *out, ag_error *err) AG_NODISCARD;
/* The types that the driver is told: of placeholders and of result columns. */
ag_status ag_bind_types(ag_exec_op *op, ag_stmt_run *run, ag_request *r, ag_error *err) AG_NODISCARD;
/* The caller's own values of a set into plan->row. AG_ERROR with run->split set: it has keys that no set had before. */
ag_status ag_bind_read_row(ag_bind_plan *p, size_t set, ag_error *err) AG_NODISCARD;
/* Lists given for expanding binds, in the row read last, become packed arrays. */
ag_status ag_bind_settle_lists(ag_bind_plan *p, ag_error *err) AG_NODISCARD;
/* execute_default.c: values of columns that the caller left out, and of binds with a callable. */
ag_step ag_exec_run_defaults(ag_exec_op *op, ag_stmt_run *run, ag_error *err);
/* execute_insert.c: *done: the rows of an executemany INSERT travel in batches. */
ag_status ag_exec_plan_batches(ag_exec_op *op, ag_stmt_run *run, bool *done, ag_error *err) AG_NODISCARD;
/* execute_compiled.c: may call the host and run statements of its own. */
ag_step ag_exec_plan_compiled(ag_exec_op *op, ag_stmt_run *run, ag_error *err);
/* execute_result.c */
ag_status ag_exec_make_result(ag_exec_op *op, ag_stmt_run *run, ag_error *err) AG_NODISCARD;
/* When all groups are done: keys, defaults. */
ag_status ag_exec_finish_result(ag_stmt_run *run, ag_error *err) AG_NODISCARD;
/* After a failure that is only a group's end: the sets that did run. */
bool ag_exec_is_split(const ag_exec_op *op);
/* Does a run have sets that were not sent yet? Then the next group is set up. */
bool ag_exec_next_group(ag_exec_op *op);
size_t ag_exec_failed_set(const ag_exec_op *op, const ag_stmt_run *run);
void ag_exec_run_clear(ag_stmt_run *run);
/* execute_log.c */
void ag_exec_log(ag_exec_op *op, const ag_stmt_run *run);
void ag_exec_log_rows(const ag_exec_op *op, const ag_stmt_run *run);

#endif

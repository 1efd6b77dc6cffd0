/* What the files of execution share. An op has runs (one a request of the caller's); a run becomes one or more driver requests,
 * which stand side by side in the op's arrays and travel in one segment. */
#ifndef AG_ENGINE_EXECUTE_INTERNAL_H
#define AG_ENGINE_EXECUTE_INTERNAL_H

#include "engine/execute.h"
#include "engine/result_internal.h"
#include "engine/segment.h"

/* What the first words of a text say about it. */
typedef enum ag_text_kind {
    AG_TEXT_OTHER,
    AG_TEXT_QUERY,   /* SELECT, WITH, VALUES, TABLE: may be streamed */
    AG_TEXT_INSERT,
    AG_TEXT_DML,
    AG_TEXT_DDL,     /* CREATE, ALTER, DROP, TRUNCATE: open cursors are closed first */
    AG_TEXT_CONTROL, /* BEGIN, COMMIT …, PRAGMA, VACUUM, ATTACH: opens no transaction on single-writer drivers */
} ag_text_kind;
/* changes_session: SET, LISTEN, PRAGMA x = …, temporary objects, advisory locks. */
ag_text_kind ag_text_classify(const char *text, size_t len, bool *changes_session);

struct ag_stmt_run {
    const ag_exec_request *req;
    ag_exec_options x;
    ag_text_kind kind;
    bool dirty;
    ag_seg_need need;
    size_t first, nreqs; /* its driver requests */
    int64_t began;
    ag_result *result;
    const char *badge; /* for the log: "raw sql", "cached" … */
    double badge_seconds;
};

/* execute_plan.c: from requests to driver requests. */
ag_status ag_exec_plan_text(ag_exec_op *op, ag_stmt_run *run, ag_error *err) AG_NODISCARD;
/* Room for n more driver requests; the arrays may move. */
ag_status ag_exec_add_requests(ag_exec_op *op, ag_stmt_run *run, size_t n, ag_error *err) AG_NODISCARD;
/* execute_compiled.c: may call the host and run statements of its own. */
ag_step ag_exec_plan_compiled(ag_exec_op *op, ag_stmt_run *run, ag_error *err);
/* execute_result.c */
ag_status ag_exec_make_result(ag_exec_op *op, ag_stmt_run *run, ag_error *err) AG_NODISCARD;
size_t ag_exec_failed_set(const ag_exec_op *op, const ag_stmt_run *run);
void ag_exec_run_clear(ag_stmt_run *run);
/* execute_log.c */
size_t ag_exec_error_text_len(const ag_exec_op *op);
void ag_exec_log(ag_exec_op *op, const ag_stmt_run *run);

#endif

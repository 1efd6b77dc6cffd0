/* The flush: all that is new, changed or to be deleted in a session becomes INSERT, UPDATE and DELETE in an order that the foreign keys
 * allow, as one operation. How it goes: architecture page, "The unit of work"; cascade.c finds what takes part, dependency.c the order,
 * persist.c writes. */
#ifndef AG_ORM_UNITOFWORK_H
#define AG_ORM_UNITOFWORK_H

#include "orm/session.h"

typedef struct ag_flush ag_flush; /* orm/flush.h */

typedef struct ag_flush_op {
    ag_op op;
    ag_session *session;
    ag_flush *work; /* private */
} ag_flush_op;

/* Op: write the session's changes through c. What must have happened before, and what the host does after: orm/session.h. Errors: the
 * database's; AG_EXC_STALE_DATA, AG_EXC_FLUSH, AG_EXC_CIRCULAR_DEPENDENCY. When it fails or is cleared before its end, every entity and
 * tracked entry is as it was at init, except for what event listeners changed. s and c are borrowed until clear. */
ag_status ag_flush_init(ag_flush_op *op, ag_session *s, ag_connection *c, ag_error *err) AG_NODISCARD;

/* After a failure, before clear: the execution that failed (ag_exec_error_text …); NULL when no statement had. */
ag_exec_op *ag_flush_error_exec(ag_flush_op *op);

#endif

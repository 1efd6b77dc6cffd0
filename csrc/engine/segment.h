/* A segment: the control statements a connection has waiting (BEGIN, SAVEPOINT …) and some requests, sent
 * together, answered together. It keeps the connection's picture of the transaction true to what the driver
 * reports, waits for the write token, and turns a deadline into a cancel. It knows nothing of compiled statements
 * or results. */
#ifndef AG_ENGINE_SEGMENT_H
#define AG_ENGINE_SEGMENT_H

#include "engine/connection_internal.h"
#include "engine/limit.h"

typedef enum ag_seg_need {
    AG_SEG_READS,  /* a transaction is opened where the isolation level wants one for reading */
    AG_SEG_WRITES, /* the write token and BEGIN IMMEDIATE on single-writer drivers */
    AG_SEG_BARE,   /* nothing is begun: COMMIT, ROLLBACK, statements that refuse a transaction */
} ag_seg_need;

typedef struct ag_segment {
    /* in */
    ag_connection *conn;
    const ag_request *reqs;
    ag_reply *replies; /* n of them, initialised; filled in order */
    size_t n;
    ag_seg_need need;
    int64_t deadline;
    void (*log)(void *ud); /* echo of the requests, told behind that of the control statements; NULL: none */
    void *log_ud;
    /* out */
    ag_error error;    /* the first failure; set = the segment failed */
    size_t failed;     /* index of the request it belongs to; SIZE_MAX: a control statement */
    size_t failed_set; /* replies[failed].sets_done at the failure */
    bool sent_all;     /* everything was handed to the driver: a lost connection leaves the outcome open */
    bool was_begun;    /* the transaction had begun before this segment */
    /* private */
    ag_token_wait token;
    ag_reply cmd_reply;
    size_t cmds, at, sent;
    int64_t token_limit;
    bool outstanding, synced;
    ag_limit limit;
    unsigned epoch;
    int line;
} ag_segment;

void ag_segment_init(ag_segment *s, ag_connection *c, const ag_request *reqs, ag_reply *replies, size_t n,
                     ag_seg_need need, int64_t deadline);
/* DONE when all answers are in (look at error); FAILED when nothing was sent (err filled). op receives waits and
 * calls. */
ag_step ag_segment_step(ag_segment *s, ag_op *op, ag_error *err);
/* Release; one that is under way is abandoned (ag_conn_abandon). */
void ag_segment_clear(ag_segment *s);

#endif

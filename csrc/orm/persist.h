/* Between persist.c (batches, order of steps) and persist_values.c (which columns, which values, what comes back). Private to the unit
 * of work. */
#ifndef AG_ORM_PERSIST_H
#define AG_ORM_PERSIST_H

#include "orm/flush.h"
#include "sql/dml.h"
#include "sql/expr.h"
#include <string.h>

/* One parameter of a batch. */
typedef struct ag_persist_key {
    ag_str name;
    uint16_t slot;
    bool before; /* the value as it was before the change: identity, old version */
} ag_persist_key;

typedef struct ag_persist_batch {
    ag_flush *flush;
    const uint32_t *objects; /* n of them */
    size_t n;
    const ag_node *stmt;
    ag_persist_key *keys;
    uint32_t nkeys;
    ag_str *names;
    bool insert, update, remove;
    bool checked; /* every set must match one row */
    const ag_mapper *mapper;
    const ag_table *table;
    uint16_t level; /* of the mapper's tables */
    const uint64_t *shape;
    ag_exec_request request;
} ag_persist_batch;

/* persist.c */
ag_status ag_persist_insert(ag_flush *f, ag_persist_batch *p, const ag_mapper *m, uint16_t table, const uint64_t *shape,
                            ag_error *err);
ag_status ag_persist_update(ag_flush *f, ag_persist_batch *p, const ag_mapper *m, uint16_t table, const uint64_t *shape,
                            ag_error *err);
ag_status ag_persist_delete(ag_flush *f, ag_persist_batch *p, const ag_mapper *m, uint16_t table, ag_error *err);
/* The batch goes with the next segment. */
ag_status ag_persist_queue(ag_flush *f, ag_persist_batch *p, ag_error *err) AG_NODISCARD;
ag_builder ag_persist_builder(ag_flush *f, ag_error *err);
/* The value by which a row is found: as it was before it was changed. An expired cell still holds the last value known. */
ag_status ag_persist_value_before(ag_value *out, ag_session *s, uint32_t object, unsigned slot,
                                  ag_error *err) AG_NODISCARD;
/* The version that the row is expected to have. */
ag_status ag_persist_version_before(ag_value *out, ag_flush *f, uint32_t object, ag_error *err) AG_NODISCARD;
/* Abandon the segment under way. */
void ag_persist_clear(ag_flush *f);

/* persist_values.c */
/* Foreign keys that the object receives. post: those of post_update relationships. */
ag_status ag_persist_sync(ag_flush *f, uint32_t object, bool post, ag_error *err) AG_NODISCARD;
/* What a context-sensitive default function of the column, called next, is told of the object's values. */
ag_status ag_persist_known(ag_flush *f, uint32_t object, uint16_t slot, ag_error *err) AG_NODISCARD;
/* Does the column want a value from the host (callable default)? Then op->call is set. Other defaults are filled in here. */
bool ag_persist_default(ag_flush *f, ag_op *op, uint32_t object, uint16_t slot);
ag_status ag_persist_default_answer(ag_flush *f, ag_op *op, uint32_t object, uint16_t slot, ag_error *err) AG_NODISCARD;
bool ag_persist_version(ag_flush *f, ag_op *op, uint32_t object);
ag_status ag_persist_version_answer(ag_flush *f, ag_op *op, uint32_t object, ag_error *err) AG_NODISCARD;
/* The SQL expression assigned to an attribute, or NULL. */
ag_status ag_persist_expression(ag_flush *f, uint32_t object, uint16_t slot, const ag_node **expr,
                                ag_error *err) AG_NODISCARD;
/* Start the next batch of the run from f->batch on, moving it past the objects taken. *out NULL: they need no statement. */
ag_status ag_persist_next(ag_flush *f, ag_persist_batch **out, ag_error *err) AG_NODISCARD;
ag_status ag_persist_delete_run(ag_flush *f, ag_error *err) AG_NODISCARD;
ag_status ag_persist_pairs(ag_flush *f, ag_persist_batch **out, ag_error *err) AG_NODISCARD;
/* Keys, defaults, row counts of a batch that has run, the at-th (from 0) of its segment. */
ag_status ag_persist_results(ag_flush *f, ag_persist_batch *p, size_t at, ag_error *err) AG_NODISCARD;
/* Is the column made by the database, in a batch that was not sent yet? */
bool ag_persist_unknown(const ag_flush *f, uint32_t object, unsigned slot);
/* Does the object receive a key, a secondary row one, that is not known yet? */
bool ag_persist_sync_waits(const ag_flush *f, uint32_t object, bool post);
bool ag_persist_pairs_wait(const ag_flush *f);

#endif

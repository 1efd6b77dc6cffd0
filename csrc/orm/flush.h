/* The state of one flush, shared by its parts. Private to the unit of work.
 *
 * Objects are the session's tracked entries, by the same index. An object takes part with one action; values that are copied between
 * objects (foreign keys) are "syncs", kept as a chain per receiving object and applied just before that object is written. */
#ifndef AG_ORM_FLUSH_H
#define AG_ORM_FLUSH_H

#include "orm/unitofwork.h"

#define AG_FLUSH_NONE UINT32_MAX /* end of a chain */

typedef enum ag_action {
    AG_ACT_NONE = 0,
    AG_ACT_INSERT,
    AG_ACT_UPDATE,
    AG_ACT_DELETE,
    AG_ACT_FORGET, /* pending and not wanted any more: expunged when the flush succeeds */
} ag_action;

typedef struct ag_flush_object {
    uint8_t action; /* ag_action */
    bool cascaded;  /* its delete cascade has been followed */
    bool held;      /* deleted, but a saved object lets go of it in this flush: not before that */
    bool asked;     /* its version was expired: `version` is what the row has, kind AG_V_ABSENT without one */
    bool early;     /* its DELETE goes before the inserts: a unique value moves to another row */
    bool queued;    /* a batch with it waits to be sent: keys and defaults that the database makes are not known yet */
    bool wrote;     /* some statement was sent for it */
    ag_value version;
    uint32_t rank;  /* of its mapper: saved in this order, deleted in the opposite one */
    uint32_t layer; /* inside the rank */
    uint32_t links; /* first ag_links of the object in `next_link` chains */
    uint32_t syncs; /* first sync in which it receives */
    uint32_t twin;  /* row switch: the deleted object whose row this insert takes over, AG_FLUSH_NONE none */
} ag_flush_object;

/* Copy a column from one object to another; source AG_FLUSH_NONE: set NULL. */
typedef struct ag_flush_sync {
    uint32_t source;
    const ag_relation *relation; /* for messages */
    uint16_t source_slot, dest_slot;
    bool post_update; /* written by an UPDATE of its own after the inserts */
    uint32_t next;
} ag_flush_sync;

/* One row of a secondary table. left: object of the relation's parent, right: of its target. */
typedef struct ag_flush_pair {
    const ag_relation *relation;
    uint32_t left, right;
    bool remove;
} ag_flush_pair;

/* A cell before the flush changed it. */
typedef struct ag_flush_undo {
    uint32_t object;
    uint16_t slot;
    bool unloaded, dirty;
    ag_value value; /* bytes from the arena */
} ag_flush_undo;

typedef struct ag_flush_edge {
    uint32_t before, after;
} ag_flush_edge;

struct ag_flush {
    ag_session *session;
    ag_connection *conn;
    const ag_alloc *alloc;
    ag_arena arena; /* lives as long as the flush */
    AG_VEC(ag_flush_object) objects;
    AG_VEC(uint32_t) next_link; /* by index of session->links */
    AG_VEC(ag_flush_sync) syncs;
    AG_VEC(ag_flush_pair) pairs;
    AG_VEC(ag_flush_undo) undo;
    AG_VEC(ag_flush_edge) save_edges, delete_edges; /* between objects of one rank */
    AG_VEC(uint32_t) order;                         /* objects to be written, in the order of the present phase */
    AG_VEC(uint32_t) wanted;                        /* objects whose relationship is to be loaded */
    AG_VEC(uint32_t) filled;                        /* columns of the present object that the flush filled in */
    /* the call under way */
    ag_orm_call call;
    ag_default_call default_call;
    /* the run of objects being written */
    size_t at, end; /* in order */
    size_t i;       /* object of the present step */
    uint16_t table; /* of the mapper's chain */
    uint16_t slot;
    size_t batch; /* first object of the batch sent */
    size_t nbatch;
    uint32_t moved; /* objects looked at by ag_flush_moved_keys, and relationships of the present one */
    uint16_t moved_relation;
    bool early;    /* some deletes go before the saves */
    bool removing; /* of the secondary rows only those that go */
    bool posting;  /* writing the post_update columns */
    bool done;
    bool broken; /* objects left the session meanwhile: nothing of it may be looked at any more */
    AG_VEC(struct ag_persist_batch *) queue; /* batches that travel together, in one segment */
    ag_exec_op exec;
    bool exec_live;
    ag_arena scratch; /* of the queue */
    int line_save, line_delete, line_batch, line_send, line_plan;
};

/* ---- cascade.c ---- */
/* Entries for objects tracked meanwhile; index of new links. */
ag_status ag_flush_extend(ag_flush *f, ag_error *err) AG_NODISCARD;
/* First actions from the tracked flags. */
ag_status ag_flush_collect(ag_flush *f, ag_error *err) AG_NODISCARD;
/* Follow the delete cascade as far as relationships are known. *load: a relationship that the host must load first (f->wanted are the
 * objects), NULL when the cascade is complete. */
ag_status ag_flush_cascade(ag_flush *f, const ag_mapper **mapper, const ag_relation **load, ag_error *err) AG_NODISCARD;

/* Relationships whose members have to be known because a key that they copy changes (no passive_updates), one after another as above. */
ag_status ag_flush_moved_keys(ag_flush *f, const ag_mapper **mapper, const ag_relation **load,
                              ag_error *err) AG_NODISCARD;

/* ---- dependency.c ---- */
/* Is a key column of the parent, which children copy, about to change? */
bool ag_flush_key_changes(const ag_flush *f, const ag_relation *r, uint32_t parent);
/* Syncs, secondary rows and edges from the links; ranks and layers. */
ag_status ag_flush_plan(ag_flush *f, ag_error *err) AG_NODISCARD;
/* Fill f->order with the objects to save (deleting false) or to delete, sorted. early: only those deleted before the inserts. */
ag_status ag_flush_order(ag_flush *f, bool deleting, bool early, ag_error *err) AG_NODISCARD;

/* ---- unique.c ---- */
/* Mark deletes that must go before the saves, because a saved object takes over a unique key. *any: there are some. */
ag_status ag_flush_free_keys(ag_flush *f, bool *any, ag_error *err) AG_NODISCARD;

/* ---- persist.c ---- */
/* Write a cell during the flush, remembering what was there. */
ag_status ag_flush_put(ag_flush *f, uint32_t object, unsigned slot, const ag_value *v, bool changed,
                       ag_error *err) AG_NODISCARD;
/* Undo all puts. */
void ag_flush_rollback(ag_flush *f);
/* Send what is queued and read what came back. */
ag_step ag_flush_send_step(ag_flush *f, ag_op *op, ag_error *err);
/* Step through f->order. */
ag_step ag_flush_save_step(ag_flush *f, ag_op *op, ag_error *err);
ag_step ag_flush_delete_step(ag_flush *f, ag_op *op, ag_error *err);
ag_step ag_flush_pairs_step(ag_flush *f, ag_op *op, ag_error *err);

static inline ag_entity *ag_flush_entity(const ag_flush *f, uint32_t object)
{
    return f->session->tracked.items[object].entity;
}
static inline const ag_mapper *ag_flush_mapper(const ag_flush *f, uint32_t object)
{
    return f->session->tracked.items[object].mapper;
}
static inline bool ag_flush_is_saved(const ag_flush_object *o)
{
    return o->action == AG_ACT_INSERT || o->action == AG_ACT_UPDATE;
}

#endif

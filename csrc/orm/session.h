/* Sessions: the core's half. It holds the tracked objects, the epochs and transaction serials, and what a flush works on. The
 * host's half (csrc/binding) holds the objects, the identity map, the connection's handle and all that may yield.
 *
 * Who does what
 *   host    add / delete / attribute and collection changes → ag_track; save-update cascade (at add and append); before_flush; the
 *           gathering of links; one flush op; moving states when it succeeded (identity map, AG_ES_*, untrack); loading; transactions
 *   core    the flush op (orm/unitofwork.h): delete cascade, orphans, presort, order, SQL, keys and foreign keys, versions
 *
 * Epochs. entity.stamp = session id << 32 | epoch. An entity is current when its stamp equals the stamp in its session's slot of the
 * ag_orm, which takes one comparison; expire_all draws a new epoch. A different epoch under the same session id means expired; a
 * different id means that the session is gone: detached. Epochs are never repeated in one ag_orm.
 *
 * Serials. Every transaction and savepoint draws a serial when it begins; an object's born (and a tracked GONE/KEYED entry's serial) is the
 * current serial when it happened. Rolling back to a segment undoes what has a serial >= its own. */
#ifndef AG_ORM_SESSION_H
#define AG_ORM_SESSION_H

#include "engine/execute.h"
#include "orm/identity.h"

/* ---- what the sessions of one host state share ---- */
typedef struct ag_session_slot {
    uint64_t stamp; /* id << 32 | current epoch; 0: free */
    ag_session *session;
    uint32_t next_free;
} ag_session_slot;
/* Session ids are generation << 20 | slot; slot 0 belongs to objects without a session and has stamp 0. */
#define AG_SESSION_SLOT(id) ((id)&0xfffffu)
struct ag_orm {
    const ag_alloc *alloc;
    ag_types *types;        /* the host's registry; may be NULL */
    ag_session_slot *slots; /* moves when sessions are added */
    uint32_t nslots, cap, free_slot;
    uint32_t generation, epoch, next_mapper;
    size_t refs;
};
ag_status ag_orm_new(ag_orm **out, ag_types *types, const ag_alloc *a, ag_error *err) AG_NODISCARD;
ag_orm *ag_orm_ref(ag_orm *o);
void ag_orm_unref(ag_orm *o);
/* The living session an entity belongs to, or NULL. */
static inline ag_session *ag_orm_session(const ag_orm *o, const ag_entity *e)
{
    uint32_t id = ag_entity_session_id(e);
    const ag_session_slot *s = &o->slots[AG_SESSION_SLOT(id)];
    return id && (uint32_t)(s->stamp >> 32) == id ? s->session : NULL;
}
static inline bool ag_entity_is_current(const ag_orm *o, const ag_entity *e)
{
    return o->slots[AG_SESSION_SLOT(ag_entity_session_id(e))].stamp == e->stamp;
}

/* ---- what the core asks of the host, at once (no yielding, no SQL; may fail for memory only, or when a host value is none) ---- */
typedef struct ag_session_host {
    /* Value of a spilled cell of a tracked object, and of a cell that was spilled before the change. AG_V_HOST with an id: a value that
     * only the column's type can turn into bytes (JSON table, custom type): goes into a bind as it is. An SQL expression assigned to the
     * attribute: *expr (its tree lives as long as the object is tracked and unchanged); else NULL. */
    ag_status (*cell)(ag_session *s, uint32_t index, unsigned slot, bool before, ag_value *out, const ag_node **expr,
                      ag_error *err);
    /* Keep a value that does not fit into the block. */
    ag_status (*spill)(ag_session *s, uint32_t index, unsigned slot, const ag_value *v, ag_error *err);
    /* Identity map: find and track. */
    ag_status (*find)(ag_session *s, const ag_mapper *m, const ag_value *pk, uint32_t *index, ag_error *err);
    /* Forget loaded relationships (bits: attrs ≥ nslots) of an object whose keys changed. */
    void (*drop_links)(ag_session *s, uint32_t index, uint16_t relation);
} ag_session_host;

struct ag_session {
    ag_orm *orm;
    const ag_alloc *alloc;
    const ag_session_host *host;
    void *ud; /* the host's session */
    uint32_t id, epoch;
    bool autoflush, expire_on_commit;
    bool flushing;          /* a flush op runs: further tracking appends only */
    struct ag_flush *flush; /* its work, while that depends on what is tracked; see ag_flush_break */
    AG_VEC(ag_tracked) tracked;
    size_t nnew, ndirty, ndelete, ngone; /* live entries with those flags */
    ag_arena before;                     /* the copies; reset when nothing is dirty */
    /* relationship changes of the flush under way: the host fills them before the op starts, and when asked (AG_ORM_LOAD) */
    AG_VEC(ag_links) links;
    AG_VEC(uint32_t) link_items;
    /* transaction segments */
    uint32_t serial, base; /* current; of the open root transaction */
};

/* host->ud etc. are set by the caller afterwards. AG_EXC_INVALID_REQUEST with more than a million living sessions. */
ag_status ag_session_new(ag_session **out, ag_orm *orm, const ag_session_host *host, void *ud,
                         ag_error *err) AG_NODISCARD;
/* The flush under way cannot go on, since objects are about to leave the session (a listener closed it, rolled it back, expunged or
 * refreshed them): what it has put into objects is taken back now, and its next step fails. Nothing when there is none. */
void ag_flush_break(ag_session *s);
/* The slot is free; entities that still carry its id are detached from now on. */
void ag_session_free(ag_session *s);
/* Draw a new epoch: everything loaded is expired. Changed objects are the host's to untrack first. */
void ag_session_expire_all(ag_session *s);
static inline uint64_t ag_session_stamp(const ag_session *s)
{
    return (uint64_t)s->id << 32 | s->epoch;
}
/* A new segment begins (transaction or savepoint): its serial. root: also the base. */
uint32_t ag_session_begin_segment(ag_session *s, bool root);

void ag_session_clear_links(ag_session *s);

/* ---- what a flush asks of the host and may take time: AG_STEP_CALL with kind AG_CALL_OTHER, fn AG_ORM_FN, args an ag_orm_call ---- */
#define AG_ORM_FN INT64_C(-2)
typedef enum ag_orm_call_kind {
    AG_ORM_EVENT = 1, /* a mapper event of one object: the host runs the listeners (mapper, connection, object) */
    AG_ORM_LOAD, /* the relationship of these objects (deleted ones, changed keys): the host loads it where it is not loaded, in one
                         query, and appends ag_links to session->links for each object, `kept` being what there is */
    AG_ORM_VERSION, /* version_id_generator: value in, answer: the next */
    AG_ORM_REFRESH, /* load the column in slot `relation` of these objects, in one query (an expired version) */
} ag_orm_call_kind;
typedef struct ag_orm_call {
    ag_orm_call_kind kind;
    ag_session *session;
    ag_mapper_event event; /* EVENT */
    const ag_mapper *mapper;
    const uint32_t *objects; /* tracked indexes */
    size_t nobjects;
    const uint32_t *slots; /* EVENT refresh_flush: the columns that the flush filled in */
    size_t nslots;
    uint16_t relation;          /* LOAD: index in each object's mapper->relations */
    ag_value value;             /* VERSION: the current one */
    struct ag_connection *conn; /* EVENT: may be used by the listener */
} ag_orm_call;

/* ---- the flush, in orm/unitofwork.h ----
 *   ag_status ag_flush_init(ag_flush_op *op, ag_session *s, ag_connection *c, ag_error *err);
 * An ag_op. On success AG_TR_INSERTED … tell the host what to move; entities hold their final cells. On failure every entity and
 * tracked entry is as it was when the op was initialised. Before: the host has run before_flush, filled session->links for all tracked
 * objects (NEW: every assigned relationship; DIRTY: changed ones; DELETE: loaded ones), and set session->flushing. */

#endif

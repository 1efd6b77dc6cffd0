/* Tracking: what a session knows of the objects it must not forget. An object is tracked while it is pending, changed, to be
 * deleted, deleted in the open transaction, or takes part in a flush; exactly then the host anchors it (the host keeps a table of
 * the tracked objects by the same index). Loaded and unchanged objects have no state outside their block.
 *
 * The index of a tracked object is its name for the unit of work. Indexes grow in the order of add(), holes (entity NULL) are skipped; the
 * array is compacted only outside of a flush. */
#ifndef AG_ORM_STATE_H
#define AG_ORM_STATE_H

#include "base/vec.h"
#include "orm/entity.h"

typedef struct ag_session ag_session;

typedef enum ag_object_state {
    AG_STATE_TRANSIENT,
    AG_STATE_PENDING,
    AG_STATE_PERSISTENT,
    AG_STATE_DELETED,
    AG_STATE_DETACHED,
} ag_object_state;

/* ag_tracked.flags */
#define AG_TR_NEW    0x01u /* pending: to be inserted */
#define AG_TR_DIRTY  0x02u /* cells or links were changed (net changes are found at flush) */
#define AG_TR_DELETE 0x04u /* session:delete(), or cascaded: to be deleted */
#define AG_TR_GONE   0x08u /* its DELETE was flushed; kept until the transaction ends */
#define AG_TR_LINKS  0x10u /* some relationship changed */
#define AG_TR_ORPHAN 0x20u /* a delete-orphan parent let go of it since the last flush */
#define AG_TR_KEYED  0x40u /* its key was switched in this transaction: `before` is kept for rollback */
/* written by the flush, read (and cleared) by the host when the flush has succeeded */
#define AG_TR_INSERTED  0x0100u
#define AG_TR_UPDATED   0x0200u
#define AG_TR_DELETED   0x0400u
#define AG_TR_KEYSWITCH 0x0800u /* the identity changed: `before` has the old key */
#define AG_TR_FORGET    0x1000u /* pending orphan: expunge instead of insert */

typedef struct ag_tracked {
    ag_entity *entity;       /* NULL: a hole */
    const ag_mapper *mapper; /* the object's own class */
    ag_row *before;          /* copy of the row before its first change since load or flush, NULL: none. Cells that
                                were spilled then are AG_V_HOST: ag_session_host.before_cell */
    uint32_t flags;          /* AG_TR_* */
    uint32_t serial;         /* GONE, KEYED: transaction segment in which it happened */
} ag_tracked;

/* Relationship changes of one object, as the host hands them over for a flush. Members are indexes of tracked objects, in ranges
 * of ag_session.link_items. A collection's `kept` is complete only with AG_LINKS_LOADED. A to-one relationship has at most one of each. */
#define AG_LINKS_LOADED  0x01u /* the relationship was loaded: added + kept is all there is */
#define AG_LINKS_UNKNOWN 0x02u /* a to-one link whose old target was never loaded */
typedef struct ag_links {
    uint32_t object;   /* owner */
    uint16_t relation; /* index in the owner's mapper->relations */
    uint16_t flags;    /* AG_LINKS_* */
    uint32_t added, nadded;
    uint32_t kept, nkept;
    uint32_t removed, nremoved;
} ag_links;

/* Bitmap of the attributes that were not loaded when `before` was taken (their old value is unknown). t->before is not NULL. */
static inline const uint64_t *ag_tracked_unknown(const ag_tracked *t)
{
    return (const uint64_t *)(const void *)t->before - 2u * t->entity->words;
}
/* Begin to track an object, or find its entry. *index is stable until the session compacts. The host anchors it before anything
 * else may run. AG_NOMEM leaves all as it was. */
ag_status ag_track(ag_session *s, ag_entity *e, const ag_mapper *m, uint32_t flags, uint32_t *index,
                   ag_error *err) AG_NODISCARD;
/* Change an entry's flags (the session's counters follow). */
void ag_track_flags(ag_session *s, uint32_t index, uint32_t clear, uint32_t set);
/* Copy the row into tracked.before unless there is one (pending objects have none). Call before the first change. */
ag_status ag_track_before(ag_session *s, uint32_t index, ag_error *err) AG_NODISCARD;
/* Stop tracking: the entry becomes a hole, the entity's track 0. The host drops its anchor. */
void ag_untrack(ag_session *s, uint32_t index);
/* Remove holes at the end, or all entries when nothing is left; the host truncates its anchors to the count returned. */
uint32_t ag_track_compact(ag_session *s);

/* transient … detached of an entity. session: of its stamp, NULL when none or gone. */
ag_object_state ag_entity_state(const ag_entity *e, const ag_session *session);
/* Bitmap of the columns whose value differs from `before` (every loaded or assigned one of a pending object): out has
 * mapper->words words. Spilled cells that are dirty count as changed unless the host says they are equal. */
void ag_tracked_changes(uint64_t *out, const ag_session *s, uint32_t index);
/* Value of a column of a tracked object, spilled ones included. Bytes live until the host is asked again 16 times, or the
 * cell is written. AG_V_ABSENT (engine/execute.h) for a pending object's column that was never assigned. */
ag_status ag_tracked_value(ag_value *out, ag_session *s, uint32_t index, unsigned slot, ag_error *err) AG_NODISCARD;
/* The same as it was before the change (equal to the value when it was not changed; kind AG_V_ABSENT when unknown). */
ag_status ag_tracked_before(ag_value *out, ag_session *s, uint32_t index, unsigned slot, ag_error *err) AG_NODISCARD;
/* Write a column of a tracked object (a key from the database, a synchronised foreign key): in the block, or spilled by the host. The
 * column is loaded and clean afterwards; the old value is the caller's affair. */
ag_status ag_tracked_put(ag_session *s, uint32_t index, unsigned slot, const ag_value *v, ag_error *err) AG_NODISCARD;
/* The column must be read again when it is next wanted (a server default that nothing brought back). */
void ag_tracked_expire(ag_session *s, uint32_t index, unsigned slot);

#endif

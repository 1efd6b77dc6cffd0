/* Entities: one block of host memory for each object. Layout, offsets in bytes:
 *
 *   0              ag_entity
 *   sizeof         uint64_t unloaded[words]   one bit an attribute (columns, then relationships)
 *                  uint64_t dirty[words]      changed since it was loaded or flushed
 *   row_offset     ag_row: cells, kinds, then the bytes of strings (value/row.h)
 *
 * The row is what a driver's packed row is, so loading is a memcpy. A cell of kind AG_V_HOST is *spilled*: its value does not fit
 * into the block (a longer string, decoded JSON, an SQL expression) and the host has it (ag_session_host.cell). Links between
 * objects are never here: the host keeps them where its collector sees them.
 * The block never moves. The core may use it during a call, and longer only while a session tracks it (state.h).
 * A cell whose attribute is unloaded still holds the last known value; primary key cells are the identity while state has KEY and the
 * key is not dirty (then: ag_tracked.before). */
#ifndef AG_ORM_ENTITY_H
#define AG_ORM_ENTITY_H

#include "orm/mapper.h"
#include "value/row.h"

/* ag_entity.state */
#define AG_ES_KEY         0x0001u /* has an identity: its row exists (or did), pk cells say which */
#define AG_ES_DELETED     0x0002u /* its DELETE was flushed in the open transaction */
#define AG_ES_EXPUNGED    0x0004u
#define AG_ES_WAS_DELETED 0x0040u /* its row was deleted, and it left its session */
#define AG_ES_OWN_LOAD    0x0008u /* loader options of its own are kept by the host */
#define AG_ES_INIT        0x0010u /* the constructor is running */
#define AG_ES_EXPIRED     0x0020u /* expired as a whole (expire(x)): refresh loads all */

typedef struct ag_entity {
    uint64_t box;   /* the host's header */
    uint64_t stamp; /* session id << 32 | epoch it is valid for; 0: in no session. See session.h */
    uint32_t track; /* 1 + index of its ag_tracked in its session, 0: not tracked */
    uint32_t born;  /* serial of the transaction segment that inserted its row; counts when >= the session's base */
    uint32_t cap;   /* bytes from the row's start to the block's end */
    uint16_t state; /* AG_ES_* */
    uint16_t words; /* of one bitmap */
} ag_entity;

static inline bool ag_bit_get(const uint64_t *words, unsigned i)
{
    return words[i >> 6] >> (i & 63) & 1;
}
static inline void ag_bit_set(uint64_t *words, unsigned i)
{
    words[i >> 6] |= UINT64_C(1) << (i & 63);
}
static inline void ag_bit_clear(uint64_t *words, unsigned i)
{
    words[i >> 6] &= ~(UINT64_C(1) << (i & 63));
}
static inline uint64_t *ag_entity_unloaded(ag_entity *e)
{
    return (uint64_t *)(void *)(e + 1);
}
static inline uint64_t *ag_entity_dirty(ag_entity *e)
{
    return ag_entity_unloaded(e) + e->words;
}
static inline ag_row *ag_entity_row(const ag_entity *e)
{
    return (ag_row *)(void *)((char *)(uintptr_t)(e + 1) + 16u * e->words);
}
static inline bool ag_entity_is_unloaded(const ag_entity *e, unsigned attr)
{
    return ag_bit_get(ag_entity_unloaded((ag_entity *)(uintptr_t)e), attr);
}
static inline bool ag_entity_is_dirty(const ag_entity *e, unsigned attr)
{
    return ag_bit_get(ag_entity_dirty((ag_entity *)(uintptr_t)e), attr);
}
static inline uint64_t *ag_row_cells_mut(ag_row *r)
{
    return (uint64_t *)(void *)(r + 1);
}
static inline uint8_t *ag_row_kinds_mut(ag_row *r)
{
    return (uint8_t *)(ag_row_cells_mut(r) + r->ncols);
}
static inline bool ag_entity_is_spilled(const ag_entity *e, unsigned slot)
{
    return AG_CELL_KIND(ag_row_kinds(ag_entity_row(e))[slot]) == AG_V_HOST;
}
/* Session id of the entity, 0 none. Whether that session still lives: ag_orm_session. */
static inline uint32_t ag_entity_session_id(const ag_entity *e)
{
    return (uint32_t)(e->stamp >> 32);
}

/* Bytes of a block for m whose row's strings need `bytes` (each with its NUL). */
size_t ag_entity_size(const ag_mapper *m, size_t bytes);
/* Initialise a block of `size` bytes: all cells NULL and loaded, relationships unloaded, transient. The box is left alone. */
void ag_entity_init(ag_entity *e, const ag_mapper *m, size_t size);
/* Borrow a cell. A spilled one gives kind AG_V_HOST with u.i 0: ask the host. Its bytes live until the cell is written. */
static inline void ag_entity_get(ag_value *out, const ag_entity *e, unsigned slot)
{
    ag_row_get(out, ag_entity_row(e), slot);
}
/* Write a cell; false when the bytes do not fit: nothing was changed, and the host must spill it. Neither bitmap changes. */
bool ag_entity_put(ag_entity *e, unsigned slot, const ag_value *v);
/* Mark a cell spilled (the host has put its value aside). */
void ag_entity_set_spilled(ag_entity *e, unsigned slot);
/* Is any column / any attribute dirty? */
bool ag_entity_any_dirty(const ag_entity *e);
void ag_entity_clear_dirty(ag_entity *e);
/* The identity of an entity: npk values, from `before` when given (a changed key), else from its cells. */
void ag_entity_key(ag_value *out, const ag_mapper *m, const ag_entity *e, const ag_row *before);

#endif

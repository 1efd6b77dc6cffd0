/* Mappers: what a mapped class is for the core. A mapper knows the class's columns (slots: one cell each), its tables (one, or a
 * chain for joined inheritance), and its relationships. It is built by the host while classes are configured and is read-only
 * from then on, except for the event mask.
 *
 * Attributes are numbered: 0 … nslots-1 are columns, nslots … nslots+nrelations-1 relationships ("attr" below). A subclass's
 * slots begin with its parent's, in the same order; so do its relationships.
 * Life: a registry owns its mappers, their strings, nodes and arrays (one arena). A reference from outside counts on the registry. */
#ifndef AG_ORM_MAPPER_H
#define AG_ORM_MAPPER_H

#include "base/arena.h"
#include "base/map.h"
#include "sql/table.h"

typedef struct ag_orm ag_orm;           /* orm/session.h: what sessions of one host state share */
typedef struct ag_registry ag_registry; /* all mappers of one declarative base */
typedef struct ag_mapper ag_mapper;
typedef struct ag_slot ag_slot;
typedef struct ag_relation ag_relation;

#define AG_NO_SLOT   UINT16_MAX
#define AG_MAX_ATTRS 4096u /* columns and relationships of one class */

/* ---- columns ---- */
#define AG_SLOT_PK            0x0001u /* part of the identity */
#define AG_SLOT_VERSION       0x0002u
#define AG_SLOT_DISCRIMINATOR 0x0004u
#define AG_SLOT_EXPRESSION    0x0008u /* column_property: selected, never written */
#define AG_SLOT_DEFERRED      0x0010u
#define AG_SLOT_RAISE         0x0020u /* deferred_raiseload */
#define AG_SLOT_ACTIVE        0x0040u /* active_history: load the old value before a change */
#define AG_SLOT_FK            0x0080u
#define AG_SLOT_DECODED       0x0100u /* JSON, arrays, host types: reading makes a mutable value, which is kept spilled */
#define AG_SLOT_SERVER        0x0200u /* the database may set it: server default, computed, identity */
#define AG_SLOT_COMPOSITE     0x0800u /* hidden behind a composite */
#define AG_SLOT_INIT_SCALAR                                                                                            \
    0x2000u                      /* the host gives a value when a new object's attribute is read that was never set */
#define AG_SLOT_VALIDATE 0x1000u /* the host runs validators or attribute events on assignment */

/* One mapped column (or SQL expression): one cell of every entity. */
struct ag_slot {
    ag_str key;              /* name of the attribute, NUL-terminated */
    const ag_column *column; /* of the most basic table that has it; NULL for AG_SLOT_EXPRESSION */
    const ag_node *expr;     /* what is selected: column->node, or the expression */
    const ag_type *type;
    unsigned flags; /* AG_SLOT_* */
    uint16_t index; /* of this slot */
    uint16_t group; /* deferred group, 0 none (numbers of the registry) */
    int64_t host;   /* the host's own, 0 none */
};

/* One table of a mapper, base first. */
typedef struct ag_mapped_table {
    const ag_table *table;
    const uint16_t *slots; /* slot of each table column (by ag_column.index); AG_NO_SLOT: not mapped */
    uint32_t ncolumns;     /* of slots: the table may have got more meanwhile (those of subclasses in the same table) */
    const uint16_t *pk;    /* slots of the table's primary key, in table->primary_key order */
    uint16_t npk;
    /* joined inheritance, table k > 0: the columns of the parent table that its key refers to, and its own: table[k].pk[i] is
     * the same slot as the parent's, so nothing has to be copied; inherit_condition joins them */
    const ag_node *inherit_condition;
} ag_mapped_table;

/* ---- relationships ---- */
typedef enum ag_direction { AG_ONE_TO_MANY = 1, AG_MANY_TO_ONE, AG_MANY_TO_MANY } ag_direction;

#define AG_CASCADE_SAVE_UPDATE   0x01u
#define AG_CASCADE_MERGE         0x02u
#define AG_CASCADE_EXPUNGE       0x04u
#define AG_CASCADE_REFRESH       0x08u /* refresh-expire */
#define AG_CASCADE_DELETE        0x10u
#define AG_CASCADE_DELETE_ORPHAN 0x20u
#define AG_CASCADE_ALL           0x1fu /* "all" has no delete-orphan */

typedef enum ag_lazy {
    AG_LAZY_SELECT = 0,
    AG_LAZY_SELECTIN,
    AG_LAZY_JOINED,
    AG_LAZY_SUBQUERY,
    AG_LAZY_IMMEDIATE,
    AG_LAZY_RAISE,
    AG_LAZY_RAISE_ON_SQL,
    AG_LAZY_NOLOAD,
    AG_LAZY_WRITE_ONLY,
    AG_LAZY_DYNAMIC,
} ag_lazy;

#define AG_REL_LIST                0x0001u /* a collection; else one object or nil */
#define AG_REL_VIEWONLY            0x0002u
#define AG_REL_PASSIVE_DELETES     0x0004u /* the database cascades: do not load children to delete or nullify them */
#define AG_REL_PASSIVE_DELETES_ALL 0x0008u /* passive_deletes = "all": not even loaded children are nullified */
#define AG_REL_PASSIVE_UPDATES     0x0010u /* the database cascades changes of keys (default on) */
#define AG_REL_POST_UPDATE         0x0020u
#define AG_REL_SINGLE_PARENT       0x0040u
#define AG_REL_INNERJOIN           0x0080u
#define AG_REL_ACTIVE_HISTORY      0x0100u
#define AG_REL_SELF                0x0400u /* target and parent share a base mapper */
#define AG_REL_GET                 0x0800u /* MANY_TO_ONE onto the target's whole primary key: look in the identity map first */
#define AG_REL_VALIDATE            0x1000u /* as AG_SLOT_VALIDATE */
#define AG_REL_SET                 0x2000u /* collection_class: members are unique */
#define AG_REL_KEYED               0x8000u /* collection_class: members are found by a key of their own, which the host knows */
#define AG_REL_SIMPLE              0x4000u /* the join condition is exactly the pairs below (no further criteria) */

/* Column pairs of a relationship that the flush copies ("sync").
 *   ONE_TO_MANY:  parent slot `source` (key)      → target slot `dest` (foreign key)
 *   MANY_TO_ONE:  target slot `source` (key)      → parent slot `dest` (foreign key)
 *   MANY_TO_MANY: pairs: parent slot `source` → column `column` of the secondary table; target_pairs: target slot `source` → column. */
typedef struct ag_sync {
    uint16_t source, dest;
    const ag_column *column; /* MANY_TO_MANY: of `secondary`; else the foreign key column */
} ag_sync;

struct ag_relation {
    ag_str key;              /* NUL-terminated */
    const ag_mapper *parent; /* that declared it */
    const ag_mapper *target;
    uint16_t index;    /* in mapper->relations; attr = mapper->nslots + index; an entity's uservalue is 2 + index */
    uint8_t direction; /* ag_direction */
    uint8_t lazy;      /* ag_lazy */
    unsigned cascade;  /* AG_CASCADE_* */
    unsigned flags;    /* AG_REL_* */
    const ag_sync *pairs;
    uint16_t npairs;
    const ag_table *secondary;
    const ag_sync *target_pairs;
    uint16_t ntarget_pairs;
    const ag_relation *const *reverse; /* back_populates: other sides, usually one */
    uint16_t nreverse;
    const ag_node *primaryjoin, *secondaryjoin; /* in terms of the tables */
    const ag_node *const *order_by;
    uint16_t norder_by;
    uint16_t join_depth;
    int64_t host;
};

/* ---- mappers ---- */
typedef enum ag_inherits {
    AG_INHERITS_NONE = 0,
    AG_INHERITS_SINGLE,
    AG_INHERITS_JOINED,
    AG_INHERITS_CONCRETE
} ag_inherits;

/* Bits of ag_mapper.events: listeners exist. ORDER ag_mapper_event */
typedef enum ag_mapper_event {
    AG_ME_BEFORE_INSERT,
    AG_ME_AFTER_INSERT,
    AG_ME_BEFORE_UPDATE,
    AG_ME_AFTER_UPDATE,
    AG_ME_BEFORE_DELETE,
    AG_ME_AFTER_DELETE,
    AG_ME_LOAD,
    AG_ME_REFRESH,
    AG_ME_REFRESH_FLUSH,
    AG_ME_EXPIRE,
    AG_ME_INIT,
    AG_ME_COUNT
} ag_mapper_event;
#define AG_ME_BIT(e) (1u << (e))
#define AG_ME_FLUSH                                                                                                    \
    (AG_ME_BIT(AG_ME_AFTER_DELETE + 1) - 1 + AG_ME_BIT(AG_ME_REFRESH_FLUSH)) /* those that a flush calls */

struct ag_mapper {
    ag_registry *registry;
    ag_orm *orm;
    ag_str name;     /* class name, NUL-terminated */
    uint32_t id;     /* unique among the mappers of one ag_orm, from 1 */
    uint32_t order;  /* of definition */
    bool configured; /* relationships are resolved */

    const ag_mapper *inherits;    /* parent class, NULL none */
    const ag_mapper *base;        /* root of the hierarchy (itself without inheritance): identity is (base, key) */
    uint8_t how;                  /* ag_inherits */
    bool abstract;                /* polymorphic_abstract */
    const ag_slot *discriminator; /* polymorphic_on, or NULL */
    ag_value identity;            /* polymorphic_identity, kind NULL: none */
    const ag_mapper *const *subclasses; /* all below it, itself not counted */
    uint32_t nsubclasses;

    const ag_slot *slots;
    const ag_relation *const *relations;
    const ag_mapped_table *tables; /* base first */
    const uint16_t *pk;            /* slots of the identity, in the base table's key order */
    uint16_t nslots, nrelations, ntables, npk;
    uint16_t words;            /* of one entity bitmap: ceil((nslots + nrelations) / 64) */
    uint32_t row_offset;       /* of the ag_row in an entity: entity.h */
    uint16_t version_slot;     /* AG_NO_SLOT none */
    int64_t version_generator; /* host's callback, 0: the built-in counter */
    bool version_server;       /* version_id_generator = false: the server counts */
    bool eager_defaults;
    bool int_key;                        /* one primary key column of integer affinity */
    bool has_deferred;                   /* some slot is AG_SLOT_DEFERRED */
    bool has_orphans;                    /* some relationship onto this class has delete-orphan */
    const ag_relation *const *orphan_of; /* those relationships (each of another class, or of this one) */
    uint16_t norphan_of;
    unsigned events;     /* AG_ME_BIT of events with listeners, here or on a parent class */
    const ag_node *from; /* what a query selects from: the table, or the join of tables */
    int64_t host;        /* the host's own: its class */
    void *loader;        /* orm/load.c's own */
};

static inline unsigned ag_mapper_nattrs(const ag_mapper *m)
{
    return (unsigned)m->nslots + m->nrelations;
}
/* Is m the class `of` or one of its subclasses? */
bool ag_mapper_isa(const ag_mapper *m, const ag_mapper *of);
/* Slot or relationship by attribute name, NULL when there is none. */
const ag_slot *ag_mapper_slot(const ag_mapper *m, const char *key, size_t len);
const ag_relation *ag_mapper_relation(const ag_mapper *m, const char *key, size_t len);
/* Slot that a table column is mapped to, AG_NO_SLOT. */
uint16_t ag_mapper_slot_of(const ag_mapper *m, const ag_column *c);

/* ---- building (host only) ---- */
ag_status ag_registry_new(ag_registry **out, ag_orm *orm, const ag_alloc *a, ag_error *err) AG_NODISCARD;
ag_registry *ag_registry_ref(ag_registry *r);
void ag_registry_unref(ag_registry *r); /* NULL is fine */
ag_arena *ag_registry_arena(ag_registry *r);

typedef struct ag_slot_spec {
    ag_str key;
    const ag_column *column; /* NULL with expr */
    const ag_node *expr;     /* column_property: copied into the registry's arena */
    unsigned flags;          /* those that columns do not tell: DEFERRED, RAISE, ACTIVE, MUTABLE, VALIDATE … */
    uint16_t group;
    int64_t host;
} ag_slot_spec;

typedef struct ag_mapper_spec {
    ag_str name;
    const ag_mapper *inherits;
    ag_inherits how;
    const ag_table *table;     /* its own; NULL for single inheritance */
    const ag_slot_spec *slots; /* its own (not the parent's) */
    size_t nslots;
    size_t nrelations; /* its own, to be filled in by ag_mapper_add_relation before the first entity is made */
    const ag_column *const *primary_key; /* mapper option primary_key; NULL = the table's */
    size_t nprimary_key;
    const ag_column *polymorphic_on, *version;
    ag_value identity;
    bool abstract, eager_defaults, version_server;
    int64_t version_generator, host;
} ag_mapper_spec;
/* A class without a primary key fails with AG_EXC_ARGUMENT (SQLAlchemy's words), an unknown parent slot likewise. The tables' owner is
 * referenced by the registry. */
ag_status ag_mapper_new(ag_mapper **out, ag_registry *r, const ag_mapper_spec *spec, ag_error *err) AG_NODISCARD;

typedef struct ag_relation_spec {
    ag_str key;
    const ag_mapper *target;
    unsigned flags, cascade; /* AG_REL_LIST is worked out from the direction unless uselist is given */
    int uselist;             /* -1 by direction, 0, 1 */
    ag_lazy lazy;
    const ag_table *secondary;
    const ag_node *primaryjoin, *secondaryjoin; /* NULL: from foreign keys */
    const ag_column *const *foreign_keys;       /* which columns count as foreign keys, NULL: by schema */
    size_t nforeign_keys;
    const ag_column *const *remote_side;
    size_t nremote_side;
    const ag_node *const *order_by;
    size_t norder_by;
    uint16_t join_depth;
    int64_t host;
} ag_relation_spec;
/* Works out direction, pairs, join conditions. Errors: AG_EXC_ARGUMENT, AG_EXC_NO_FOREIGN_KEYS, AG_EXC_AMBIGUOUS_FOREIGN_KEYS naming the relationship and
 * the option that resolves it. The relation is appended to m and to m's subclasses. */
ag_status ag_mapper_add_relation(ag_relation **out, ag_mapper *m, const ag_relation_spec *spec,
                                 ag_error *err) AG_NODISCARD;
/* back_populates: both sides know each other; directions must fit (AG_EXC_ARGUMENT). */
ag_status ag_relation_link(ag_relation *a, ag_relation *b, ag_error *err) AG_NODISCARD;
/* All relationships are there: layouts, orphan lists are final. */
ag_status ag_mapper_finish(ag_mapper *m, ag_error *err) AG_NODISCARD;
void ag_mapper_set_events(ag_mapper *m, unsigned events);

#endif

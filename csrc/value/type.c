/* The table of plain types, the interning of the others, and the questions a type answers about itself. Interned types
 * and all they point to live in the registry's arena until it is freed. */
#include "value/type.h"

#include "base/buf.h"

#include <string.h>

/* SQLAlchemy's defaults of asdecimal and of the native_… options. */
#define ASDECIMAL_IDS(id) ((id) == AG_TYPE_NUMERIC || (id) == AG_TYPE_SQL_NUMERIC || (id) == AG_TYPE_SQL_DECIMAL)
#define NATIVE_IDS(id)    ((id) == AG_TYPE_ENUM || (id) == AG_TYPE_UUID_GENERIC || (id) == AG_TYPE_INTERVAL)
#define DEFAULT_FLAGS(id) ((ASDECIMAL_IDS(id) ? AG_TYPE_ASDECIMAL : 0u) | (NATIVE_IDS(id) ? AG_TYPE_NATIVE : 0u))
#define PLAIN_HASH(id)    (((uint64_t)(id) + 1) * UINT64_C(0x9e3779b97f4a7c15))

static const ag_type plain[AG_TYPE_COUNT] = {
#define X(id_, lua, visit, affinity, kind)                                                                             \
    {                                                                                                                  \
        .id = AG_TYPE_##id_,                                                                                           \
        .flags = DEFAULT_FLAGS(AG_TYPE_##id_),                                                                         \
        .length = -1,                                                                                                  \
        .precision = -1,                                                                                               \
        .scale = -1,                                                                                                   \
        .dims = -1,                                                                                                    \
        .hash = PLAIN_HASH(AG_TYPE_##id_),                                                                             \
    },
#include "value/types.def"
#undef X
};

static const ag_type plain_arrays[AG_TYPE_COUNT] = {
#define X(id_, lua, visit, affinity, kind)                                                                             \
    {                                                                                                                  \
        .id = AG_TYPE_ARRAY,                                                                                           \
        .length = -1,                                                                                                  \
        .precision = -1,                                                                                               \
        .scale = -1,                                                                                                   \
        .dims = -1,                                                                                                    \
        .item = &plain[AG_TYPE_##id_],                                                                                 \
        .hash = PLAIN_HASH(AG_TYPE_##id_ + AG_TYPE_COUNT),                                                             \
    },
#include "value/types.def"
#undef X
};

const ag_type *ag_type_plain_array(ag_type_id item)
{
    return &plain_arrays[item];
}

#define ZONED(id_)                                                                                                     \
    {                                                                                                                  \
        .id = AG_TYPE_##id_, .flags = AG_TYPE_TIMEZONE, .length = -1, .precision = -1, .scale = -1, .dims = -1,        \
        .hash = ~PLAIN_HASH(AG_TYPE_##id_),                                                                            \
    }
static const ag_type zoned_datetime = ZONED(DATETIME), zoned_time = ZONED(TIME);
#undef ZONED

const ag_type *ag_type_zoned(bool time)
{
    return time ? &zoned_time : &zoned_datetime;
}

typedef struct traits {
    const char *lua_name;
    uint8_t affinity, kind;
} traits;

static const traits type_traits[AG_TYPE_COUNT] = {
#define X(id, lua, visit, aff, kind_) {lua, AG_AFF_##aff, AG_V_##kind_},
#include "value/types.def"
#undef X
};

typedef struct node node;
struct node {
    ag_type type;
    node *next; /* of the same hash */
};

struct ag_types {
    const ag_alloc *alloc;
    ag_arena arena;
    ag_map by_hash; /* hash -> node chain */
};

const ag_type *ag_type_plain(ag_type_id id)
{
    return &plain[id];
}

ag_type ag_type_proto(ag_type_id id)
{
    ag_type t = plain[id];
    t.hash = 0;
    return t;
}

ag_status ag_types_new(ag_types **out, const ag_alloc *alloc, ag_error *err)
{
    ag_types *ts = ag_mem_new(alloc, sizeof *ts);
    if (!ts)
        return ag_fail_nomem(err);
    ts->alloc = alloc;
    ag_arena_init(&ts->arena, alloc);
    ag_map_init(&ts->by_hash, alloc);
    *out = ts;
    return AG_OK;
}

void ag_types_free(ag_types *ts)
{
    if (!ts)
        return;
    ag_map_clear(&ts->by_hash);
    ag_arena_clear(&ts->arena);
    ag_mem_free(ts->alloc, ts);
}

static uint64_t hash_text(uint64_t h, const char *s)
{
    return s ? ag_hash_bytes(h, s, strlen(s)) : ag_hash_u64(h, 0);
}

static uint64_t hash_type(const ag_type *t)
{
    uint64_t h = ag_hash_u64(t->id, t->flags);
    h = ag_hash_u64(h, (uint64_t)(uint32_t)t->length << 32 | (uint32_t)t->precision);
    h = ag_hash_u64(h, (uint64_t)(uint32_t)t->scale << 32 | (uint32_t)t->dims);
    h = ag_hash_u64(h, (uint64_t)t->host);
    h = ag_hash_u64(h, t->item ? t->item->hash : 0);
    h = hash_text(hash_text(hash_text(h, t->name), t->schema), t->collation);
    h = ag_hash_u64(h, (uint64_t)t->nlabels << 32 | t->nvariants);
    for (unsigned i = 0; i < t->nlabels; i++)
        h = hash_text(h, t->labels[i]);
    for (uint32_t i = 0; i < t->nvariants; i++)
        h = ag_hash_u64(hash_text(h, t->variants[i].dialect), t->variants[i].type->hash);
    return h;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_lists(const ag_type *a, const ag_type *b)
{
    if (a->nlabels != b->nlabels || a->nvariants != b->nvariants)
        return false;
    for (unsigned i = 0; i < a->nlabels; i++) {
        if (strcmp(a->labels[i], b->labels[i]) != 0)
            return false;
    }
    for (uint32_t i = 0; i < a->nvariants; i++) {
        if (a->variants[i].type != b->variants[i].type || strcmp(a->variants[i].dialect, b->variants[i].dialect) != 0)
            return false;
    }
    return true;
}

static bool same_type(const ag_type *a, const ag_type *b)
{
    return a->id == b->id && a->flags == b->flags && a->length == b->length && a->precision == b->precision &&
           a->scale == b->scale && a->dims == b->dims && a->host == b->host && a->item == b->item &&
           same_text(a->name, b->name) && same_text(a->schema, b->schema) && same_text(a->collation, b->collation) &&
           same_lists(a, b);
}

/* Copies *s into ar unless it is NULL; false when out of memory. */
static bool own_text(ag_arena *ar, const char **s)
{
    if (*s)
        *s = ag_arena_strndup(ar, *s, strlen(*s));
    return *s != NULL;
}

static bool own_texts(ag_arena *ar, ag_type *t)
{
    return (!t->name || own_text(ar, &t->name)) && (!t->schema || own_text(ar, &t->schema)) &&
           (!t->collation || own_text(ar, &t->collation));
}

static bool own_lists(ag_arena *ar, ag_type *t)
{
    const char **labels = NULL;
    ag_type_variant *variants = NULL;
    if (t->nlabels) {
        labels = ag_arena_memdup(ar, t->labels, t->nlabels * sizeof *labels);
        for (unsigned i = 0; labels && i < t->nlabels; i++) {
            if (!own_text(ar, &labels[i]))
                return false;
        }
    }
    if (t->nvariants) {
        variants = ag_arena_memdup(ar, t->variants, t->nvariants * sizeof *variants);
        for (uint32_t i = 0; variants && i < t->nvariants; i++) {
            if (!own_text(ar, &variants[i].dialect))
                return false;
        }
    }
    t->labels = labels;
    t->variants = variants;
    return (labels || !t->nlabels) && (variants || !t->nvariants);
}

static const ag_type *find_variant(const ag_type *t, const char *dialect)
{
    for (uint32_t i = 0; dialect && i < t->nvariants; i++) {
        if (strcmp(t->variants[i].dialect, dialect) == 0)
            return t->variants[i].type;
    }
    for (uint32_t i = 0; dialect && i < t->nderived; i++) {
        if (strcmp(t->derived[i].dialect, dialect) == 0)
            return t->derived[i].type;
    }
    return NULL;
}

const ag_type *ag_type_on(const ag_type *t, const char *dialect)
{
    for (const ag_type *v; (v = find_variant(t, dialect));)
        t = v;
    return t;
}

/* ---- arrays of types with variants ---- */

#define MAX_DIALECTS 16
#define MAX_DEPTH    8 /* of types in types */

static void collect_dialects(const ag_type *t, const char **names, uint32_t *n, int depth)
{
    for (uint32_t i = 0; i < t->nvariants; i++) {
        uint32_t k = 0;
        while (k < *n && strcmp(names[k], t->variants[i].dialect) != 0)
            k++;
        if (k == *n && k < MAX_DIALECTS)
            names[(*n)++] = t->variants[i].dialect;
        if (depth)
            collect_dialects(t->variants[i].type, names, n, depth - 1);
    }
    if (depth && t->id == AG_TYPE_DECORATOR && t->item)
        collect_dialects(t->item, names, n, depth - 1);
}

static ag_status intern(ag_types *ts, const ag_type **out, const ag_type *proto, int depth, ag_error *err);

/* t as it is on the dialect, decorated types too. */
static ag_status resolve(ag_types *ts, const ag_type **out, const ag_type *t, const char *dialect, int depth,
                         ag_error *err)
{
    *out = t = ag_type_on(t, dialect);
    if (!depth || t->id != AG_TYPE_DECORATOR || !t->item)
        return AG_OK;
    ag_type proto = *t;
    AG_TRY(resolve(ts, &proto.item, t->item, dialect, depth - 1, err));
    if (proto.item == t->item)
        return AG_OK;
    proto.variants = NULL;
    proto.nvariants = 0;
    return intern(ts, out, &proto, 0, err);
}

/* What reads and writes arrays knows the item by the array alone: so an array has the variants of its item. */
static ag_status derive_variants(ag_types *ts, ag_type *array, int depth, ag_error *err)
{
    const char *names[MAX_DIALECTS];
    uint32_t n = 0;
    collect_dialects(array->item, names, &n, MAX_DEPTH);
    ag_type_variant *list = n ? ag_arena_new(&ts->arena, n * sizeof *list) : NULL;
    if (n && !list)
        return ag_fail_nomem(err);
    for (uint32_t i = 0; i < n; i++) {
        ag_type proto = *array;
        proto.variants = NULL;
        proto.nvariants = 0;
        AG_TRY(resolve(ts, &proto.item, array->item, names[i], MAX_DEPTH, err));
        if (proto.item == array->item)
            continue;
        ag_type_variant *v = &list[array->nderived];
        v->dialect = names[i];
        AG_TRY(intern(ts, &v->type, &proto, depth - 1, err));
        array->nderived++;
    }
    array->derived = list;
    return AG_OK;
}

static ag_status intern(ag_types *ts, const ag_type **out, const ag_type *proto, int depth, ag_error *err)
{
    if (same_type(proto, &plain[proto->id])) {
        *out = &plain[proto->id];
        return AG_OK;
    }
    if (proto->item && proto->item == &plain[proto->item->id] && same_type(proto, &plain_arrays[proto->item->id])) {
        *out = &plain_arrays[proto->item->id];
        return AG_OK;
    }
    for (int time = 0; time < 2; time++) {
        if (same_type(proto, ag_type_zoned(time))) {
            *out = ag_type_zoned(time);
            return AG_OK;
        }
    }
    uint64_t hash = hash_type(proto);
    const ag_map_entry *e = ag_map_find_u64(&ts->by_hash, hash);
    for (const node *n = e ? e->v.p : NULL; n; n = n->next) {
        if (same_type(proto, &n->type)) {
            *out = &n->type;
            return AG_OK;
        }
    }
    node *n = ag_arena_new(&ts->arena, sizeof *n);
    if (!n)
        return ag_fail_nomem(err);
    n->type = *proto;
    n->type.hash = hash;
    n->type.derived = NULL;
    n->type.nderived = 0;
    if (!own_texts(&ts->arena, &n->type) || !own_lists(&ts->arena, &n->type))
        return ag_fail_nomem(err);
    if (depth && proto->id == AG_TYPE_ARRAY && proto->item)
        AG_TRY(derive_variants(ts, &n->type, depth, err));
    ag_map_entry *slot = ag_map_put_u64(&ts->by_hash, hash, NULL);
    if (!slot)
        return ag_fail_nomem(err);
    n->next = slot->v.p;
    slot->v.p = n;
    *out = &n->type;
    return AG_OK;
}

ag_status ag_types_intern(ag_types *ts, const ag_type **out, const ag_type *proto, ag_error *err)
{
    return intern(ts, out, proto, MAX_DEPTH, err);
}

const char *ag_type_lua_name(const ag_type *t)
{
    return type_traits[t->id].lua_name;
}

ag_affinity ag_type_affinity(const ag_type *t)
{
    while ((t->id == AG_TYPE_DECORATOR || t->id == AG_TYPE_PG_DOMAIN) && t->item)
        t = t->item;
    return (ag_affinity)type_traits[t->id].affinity;
}

bool ag_type_writes_null(const ag_type *t)
{
    while (t && (t->id == AG_TYPE_DECORATOR || t->id == AG_TYPE_PG_DOMAIN) && t->item)
        t = t->item;
    return t && ag_type_affinity(t) == AG_AFF_JSON && !(t->flags & AG_TYPE_NONE_AS_NULL);
}

bool ag_type_is_hosted(const ag_type *t)
{
    while ((t->id == AG_TYPE_DECORATOR || t->id == AG_TYPE_PG_DOMAIN) && t->item)
        t = t->item;
    uint8_t affinity = type_traits[t->id].affinity;
    return affinity == AG_AFF_RANGE || affinity == AG_AFF_MULTIRANGE || t->id == AG_TYPE_PG_HSTORE ||
           t->id == AG_TYPE_PG_BIT;
}

ag_vkind ag_type_kind(const ag_type *t)
{
    while ((t->id == AG_TYPE_DECORATOR && !(t->flags & AG_TYPE_HAS_RESULT) && t->item) ||
           (t->id == AG_TYPE_PG_DOMAIN && t->item))
        t = t->item;
    if (t->id == AG_TYPE_USERDEFINED && !(t->flags & AG_TYPE_HAS_RESULT))
        return AG_V_NULL;
    if (type_traits[t->id].affinity == AG_AFF_NUMERIC)
        return t->flags & AG_TYPE_ASDECIMAL ? AG_V_DECIMAL : AG_V_FLOAT;
    return (ag_vkind)type_traits[t->id].kind;
}

bool ag_type_has_hook(const ag_type *t, const char *dialect, uint32_t flag)
{
    while (t) {
        t = ag_type_on(t, dialect);
        if (t->flags & flag)
            return true;
        t = t->id == AG_TYPE_DECORATOR || t->id == AG_TYPE_PG_DOMAIN ? t->item : NULL;
    }
    return false;
}

const ag_type *ag_type_impl_at(const ag_type *t, uint32_t index)
{
    if (index-- == 0)
        return ag_type_impl(t, NULL);
    for (const ag_type *x = t; x; x = x->id == AG_TYPE_DECORATOR ? x->item : NULL) {
        if (index < x->nvariants)
            return ag_type_impl(t, x->variants[index].dialect);
        index -= x->nvariants;
    }
    return NULL;
}

const ag_type *ag_type_impl(const ag_type *t, const char *dialect)
{
    for (;;) {
        const ag_type *variant = find_variant(t, dialect);
        if (variant)
            t = variant;
        else if (t->id == AG_TYPE_DECORATOR && t->item)
            t = t->item;
        else
            return t;
    }
}

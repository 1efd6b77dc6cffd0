/* The first AG_IDMAP_LOCAL entries are searched one by one, in the map's own memory; beyond that open addressing. */
#include "sql/idmap.h"

void ag_idmap_init(ag_idmap *m, const ag_alloc *alloc)
{
    m->alloc = alloc;
    m->slots = NULL;
    m->len = m->cap = 0;
}

void ag_idmap_clear(ag_idmap *m)
{
    ag_mem_free(m->alloc, m->slots);
    ag_idmap_init(m, m->alloc);
}

static ag_idmap_slot *slot_of(ag_idmap_slot *slots, size_t cap, const void *key)
{
    uint64_t h = (uint64_t)(uintptr_t)key * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (size_t)(h >> 32) & (cap - 1);
    while (slots[i].key && slots[i].key != key)
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static ag_idmap_slot *find_local(const ag_idmap *m, const void *key)
{
    for (size_t i = 0; i < m->len; i++) {
        if (m->local[i].key == key)
            return (ag_idmap_slot *)(uintptr_t)&m->local[i];
    }
    return NULL;
}

const void *ag_idmap_get(const ag_idmap *m, const void *key)
{
    const ag_idmap_slot *s = m->slots ? slot_of(m->slots, m->cap, key) : find_local(m, key);
    return s && s->key ? s->value : NULL;
}

static bool grow(ag_idmap *m)
{
    size_t cap = m->slots ? m->cap * 2 : AG_IDMAP_LOCAL * 4;
    ag_idmap_slot *slots = ag_mem_zero(m->alloc, cap, sizeof *slots);
    if (!slots)
        return false;
    size_t n = m->slots ? m->cap : m->len;
    const ag_idmap_slot *old = m->slots ? m->slots : m->local;
    for (size_t i = 0; i < n; i++) {
        if (old[i].key)
            *slot_of(slots, cap, old[i].key) = old[i];
    }
    ag_mem_free(m->alloc, m->slots);
    m->slots = slots;
    m->cap = cap;
    return true;
}

bool ag_idmap_put(ag_idmap *m, const void *key, const void *value, bool *added)
{
    *added = false;
    if (ag_idmap_get(m, key))
        return true;
    if (m->slots ? m->len * 2 >= m->cap : m->len == AG_IDMAP_LOCAL) {
        if (!grow(m))
            return false;
    }
    ag_idmap_slot *s = m->slots ? slot_of(m->slots, m->cap, key) : &m->local[m->len];
    *s = (ag_idmap_slot){key, value};
    m->len++;
    *added = true;
    return true;
}

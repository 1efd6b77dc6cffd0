/* Insertion-ordered hash maps. Entries stand in a growing array; slots hold entry numbers plus one and are probed
 * linearly. A removed entry stays in place, dead, until the array is full and rebuilt; so slots are never more than half
 * full and need no tombstones of their own. */
#include "base/map.h"

#include <string.h>

#define MIN_CAP 8u
#define MAX_CAP ((size_t)1 << 30)

void ag_map_init(ag_map *m, const ag_alloc *alloc)
{
    *m = (ag_map){.alloc = alloc};
}

void ag_map_clear(ag_map *m)
{
    ag_mem_free(m->alloc, m->entries);
    ag_mem_free(m->alloc, m->slots);
    ag_map_init(m, m->alloc);
}

/* Integer keys are kept raw in hash; they are mixed here. */
static size_t first_slot(const ag_map *m, const char *key, uint64_t hash)
{
    return (size_t)(key ? hash : ag_hash_u64(0, hash)) & (m->nslots - 1);
}

static bool same_key(const ag_map_entry *e, const char *key, size_t len, uint64_t hash)
{
    if (e->hash != hash || e->key_len != len)
        return false;
    return !key || len == 0 || memcmp(e->key, key, len) == 0;
}

static ag_map_entry *find(const ag_map *m, const char *key, size_t len, uint64_t hash)
{
    if (m->len == 0)
        return NULL;
    for (size_t i = first_slot(m, key, hash); m->slots[i]; i = (i + 1) & (m->nslots - 1)) {
        ag_map_entry *e = &m->entries[m->slots[i] - 1];
        if (e->live && same_key(e, key, len, hash))
            return e;
    }
    return NULL;
}

static void link_slot(ag_map *m, size_t index)
{
    const ag_map_entry *e = &m->entries[index];
    size_t i = first_slot(m, e->key, e->hash);
    while (m->slots[i])
        i = (i + 1) & (m->nslots - 1);
    m->slots[i] = (uint32_t)(index + 1);
}

/* Drops dead entries, and doubles the room unless that alone freed half of it. */
static bool rebuild(ag_map *m)
{
    size_t cap = m->cap ? m->cap : MIN_CAP;
    if (m->cap && m->len > m->cap / 2)
        cap = m->cap * 2;
    if (cap > MAX_CAP)
        return false;
    ag_map_entry *entries = ag_mem_zero(m->alloc, cap, sizeof *entries);
    uint32_t *slots = ag_mem_zero(m->alloc, cap * 2, sizeof *slots);
    if (!entries || !slots) {
        ag_mem_free(m->alloc, entries);
        ag_mem_free(m->alloc, slots);
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (m->entries[i].live)
            entries[n++] = m->entries[i];
    }
    ag_mem_free(m->alloc, m->entries);
    ag_mem_free(m->alloc, m->slots);
    *m = (ag_map){m->alloc, entries, slots, n, n, cap, cap * 2};
    for (size_t i = 0; i < n; i++)
        link_slot(m, i);
    return true;
}

static ag_map_entry *put(ag_map *m, const char *key, size_t len, uint64_t hash, bool *added)
{
    ag_map_entry *e = find(m, key, len, hash);
    if (added)
        *added = !e;
    if (e)
        return e;
    if (m->count == m->cap && !rebuild(m))
        return NULL;
    e = &m->entries[m->count];
    *e = (ag_map_entry){.key = key, .key_len = len, .hash = hash, .live = true};
    link_slot(m, m->count);
    m->count++;
    m->len++;
    return e;
}

static bool drop(ag_map *m, ag_map_entry *e)
{
    if (!e)
        return false;
    e->live = false;
    m->len--;
    return true;
}

/* NULL stands for "integer map", so an empty key needs an address. */
static const char *key_address(const char *key)
{
    return key ? key : "";
}

ag_map_entry *ag_map_find(const ag_map *m, const char *key, size_t len)
{
    return find(m, key_address(key), len, ag_hash_bytes(0, key, len));
}

ag_map_entry *ag_map_put(ag_map *m, const char *key, size_t len, bool *added)
{
    return put(m, key_address(key), len, ag_hash_bytes(0, key, len), added);
}

ag_map_entry *ag_map_find_u64(const ag_map *m, uint64_t key)
{
    return find(m, NULL, 0, key);
}

ag_map_entry *ag_map_put_u64(ag_map *m, uint64_t key, bool *added)
{
    return put(m, NULL, 0, key, added);
}

bool ag_map_remove(ag_map *m, const char *key, size_t len)
{
    return drop(m, ag_map_find(m, key, len));
}

bool ag_map_remove_u64(ag_map *m, uint64_t key)
{
    return drop(m, ag_map_find_u64(m, key));
}

ag_map_entry *ag_map_next(const ag_map *m, size_t *pos)
{
    while (*pos < m->count) {
        ag_map_entry *e = &m->entries[(*pos)++];
        if (e->live)
            return e;
    }
    return NULL;
}

/* Open-addressing hash maps with byte-string or 64-bit keys, insertion-ordered iteration, and uintptr-sized values.
 * Keys of the string map are borrowed, not copied: their owner outlives the map. */
#ifndef AG_BASE_MAP_H
#define AG_BASE_MAP_H

#include "base/alloc.h"

typedef struct ag_map_entry {
    const char *key; /* string key (borrowed), or NULL in an integer map */
    size_t key_len;
    uint64_t hash; /* the key itself in an integer map */
    union {
        void *p;
        uint64_t u;
        int64_t i;
    } v;
    bool live;
} ag_map_entry;

typedef struct ag_map {
    const ag_alloc *alloc;
    ag_map_entry *entries; /* in insertion order; skip those that are not live */
    uint32_t *slots;
    size_t len;   /* live entries */
    size_t count; /* entries, dead ones too */
    size_t cap, nslots;
} ag_map;

uint64_t ag_hash_bytes(uint64_t seed, const void *p, size_t n); /* wyhash-like, not for hostile remote keys */
uint64_t ag_hash_u64(uint64_t seed, uint64_t v);

void ag_map_init(ag_map *m, const ag_alloc *alloc);
void ag_map_clear(ag_map *m);
/* Entry or NULL. Valid until the next insertion. */
ag_map_entry *ag_map_find(const ag_map *m, const char *key, size_t len);
/* Entry for key, made (value zero, *added true) when missing. NULL when out of memory. */
ag_map_entry *ag_map_put(ag_map *m, const char *key, size_t len, bool *added) AG_NODISCARD;
ag_map_entry *ag_map_find_u64(const ag_map *m, uint64_t key);
ag_map_entry *ag_map_put_u64(ag_map *m, uint64_t key, bool *added) AG_NODISCARD;
/* True when something was removed. */
bool ag_map_remove(ag_map *m, const char *key, size_t len);
bool ag_map_remove_u64(ag_map *m, uint64_t key);
/* Next live entry after index *pos (start with 0), or NULL at the end. */
ag_map_entry *ag_map_next(const ag_map *m, size_t *pos);

#endif

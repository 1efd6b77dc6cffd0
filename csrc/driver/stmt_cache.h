/* A bounded, least-recently-used set of prepared statements, keyed by text and a few extra bytes (parameter OIDs).
 * It keeps order and finds; what an entry holds beyond its key, and how it is released, is the driver's. Linked
 * into each driver module, so it calls nothing of the core. */
#ifndef AG_DRIVER_STMT_CACHE_H
#define AG_DRIVER_STMT_CACHE_H

#include "base/alloc.h"

/* First member of a driver's statement. */
typedef struct ag_stmt_entry {
    struct ag_stmt_entry *newer, *older; /* recency list */
    struct ag_stmt_entry *chain;         /* hash bucket */
    uint64_t hash;
    char *key; /* text, a NUL, extra bytes; owned by the entry */
    size_t text_len, extra_len;
} ag_stmt_entry;

typedef struct ag_stmt_cache {
    const ag_alloc *alloc;
    ag_stmt_entry **buckets;
    size_t nbuckets; /* a power of two, or 0 */
    ag_stmt_entry *newest, *oldest;
    size_t count, limit;
} ag_stmt_cache;

/* Allocates nothing. limit 0: nothing is ever kept. */
void ag_stmt_cache_init(ag_stmt_cache *sc, const ag_alloc *alloc, size_t limit);
/* Frees the buckets. The entries must be out (ag_stmt_cache_remove, or forgotten by the caller). */
void ag_stmt_cache_clear(ag_stmt_cache *sc);
uint64_t ag_stmt_hash(const char *text, size_t text_len, const void *extra, size_t extra_len);
/* The entry with this key, now the newest, or NULL. Borrowed. */
ag_stmt_entry *ag_stmt_cache_find(ag_stmt_cache *sc, uint64_t hash, const char *text, size_t text_len,
                                  const void *extra, size_t extra_len);
/* Give e its key (copied). False when out of memory. */
bool ag_stmt_entry_set_key(ag_stmt_entry *e, const ag_alloc *alloc, uint64_t hash, const char *text, size_t text_len,
                           const void *extra, size_t extra_len) AG_NODISCARD;
/* Put a keyed entry in as the newest. False when out of memory (e is then not in). Going over the limit is the
 * caller's to mend: remove ->oldest entries that are not in use. */
bool ag_stmt_cache_add(ag_stmt_cache *sc, ag_stmt_entry *e) AG_NODISCARD;
/* Take it out; the entry stays the caller's. */
void ag_stmt_cache_remove(ag_stmt_cache *sc, ag_stmt_entry *e);

#endif

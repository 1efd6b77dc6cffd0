/* Chained hash table plus a recency list through the entries themselves; one allocation for the buckets. */
#include "driver/stmt_cache.h"

#include <string.h>

void ag_stmt_cache_init(ag_stmt_cache *sc, const ag_alloc *alloc, size_t limit)
{
    memset(sc, 0, sizeof *sc);
    sc->alloc = alloc;
    sc->limit = limit;
}

void ag_stmt_cache_clear(ag_stmt_cache *sc)
{
    if (sc->buckets)
        (void)sc->alloc->realloc(sc->alloc->ud, sc->buckets, 0);
    ag_stmt_cache_init(sc, sc->alloc, sc->limit);
}

static uint64_t mix(uint64_t h, uint64_t w)
{
    h = (h ^ w) * UINT64_C(0x9fb21c651e98df25);
    return h ^ h >> 29;
}

static uint64_t hash_bytes(uint64_t h, const char *p, size_t n)
{
    h = mix(h, n);
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        h = mix(h, w);
    }
    uint64_t tail = 0;
    if (n)
        memcpy(&tail, p, n);
    return mix(h, tail);
}

uint64_t ag_stmt_hash(const char *text, size_t text_len, const void *extra, size_t extra_len)
{
    uint64_t h = hash_bytes(UINT64_C(0x2545f4914f6cdd1d), text, text_len);
    return extra_len ? hash_bytes(h, extra, extra_len) : h;
}

static void link_newest(ag_stmt_cache *sc, ag_stmt_entry *e)
{
    e->newer = NULL;
    e->older = sc->newest;
    if (sc->newest)
        sc->newest->newer = e;
    else
        sc->oldest = e;
    sc->newest = e;
}

static void unlink_entry(ag_stmt_cache *sc, ag_stmt_entry *e)
{
    if (e->newer)
        e->newer->older = e->older;
    else
        sc->newest = e->older;
    if (e->older)
        e->older->newer = e->newer;
    else
        sc->oldest = e->newer;
}

ag_stmt_entry *ag_stmt_cache_find(ag_stmt_cache *sc, uint64_t hash, const char *text, size_t text_len,
                                  const void *extra, size_t extra_len)
{
    if (!sc->nbuckets)
        return NULL;
    ag_stmt_entry *e = sc->buckets[hash & (sc->nbuckets - 1)];
    for (; e; e = e->chain) {
        if (e->hash != hash || e->text_len != text_len || e->extra_len != extra_len ||
            memcmp(e->key, text, text_len) != 0)
            continue;
        if (!extra_len || memcmp(e->key + text_len + 1, extra, extra_len) == 0)
            break;
    }
    if (e && e != sc->newest) {
        unlink_entry(sc, e);
        link_newest(sc, e);
    }
    return e;
}

bool ag_stmt_entry_set_key(ag_stmt_entry *e, const ag_alloc *alloc, uint64_t hash, const char *text, size_t text_len,
                           const void *extra, size_t extra_len)
{
    if (extra_len > SIZE_MAX - 1 - text_len)
        return false;
    e->key = alloc->realloc(alloc->ud, NULL, text_len + extra_len + 1);
    if (!e->key)
        return false;
    memcpy(e->key, text, text_len);
    e->key[text_len] = '\0';
    if (extra_len)
        memcpy(e->key + text_len + 1, extra, extra_len);
    e->hash = hash;
    e->text_len = text_len;
    e->extra_len = extra_len;
    return true;
}

static bool grow(ag_stmt_cache *sc)
{
    size_t n = sc->nbuckets ? sc->nbuckets * 2 : 64;
    ag_stmt_entry **buckets = sc->alloc->realloc(sc->alloc->ud, NULL, n * sizeof *buckets);
    if (!buckets)
        return sc->nbuckets != 0; /* a crowded table still works */
    for (size_t i = 0; i < n; i++)
        buckets[i] = NULL;
    for (ag_stmt_entry *e = sc->oldest; e; e = e->newer) {
        e->chain = buckets[e->hash & (n - 1)];
        buckets[e->hash & (n - 1)] = e;
    }
    if (sc->buckets)
        (void)sc->alloc->realloc(sc->alloc->ud, sc->buckets, 0);
    sc->buckets = buckets;
    sc->nbuckets = n;
    return true;
}

bool ag_stmt_cache_add(ag_stmt_cache *sc, ag_stmt_entry *e)
{
    if (sc->count >= sc->nbuckets && !grow(sc))
        return false;
    ag_stmt_entry **bucket = &sc->buckets[e->hash & (sc->nbuckets - 1)];
    e->chain = *bucket;
    *bucket = e;
    link_newest(sc, e);
    sc->count++;
    return true;
}

void ag_stmt_cache_remove(ag_stmt_cache *sc, ag_stmt_entry *e)
{
    ag_stmt_entry **at = &sc->buckets[e->hash & (sc->nbuckets - 1)];
    while (*at != e)
        at = &(*at)->chain;
    *at = e->chain;
    unlink_entry(sc, e);
    sc->count--;
}

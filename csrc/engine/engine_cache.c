/* The engine's compile cache, and since when its statements are known (for the log). */
#include "compile/compiled.h"
#include "engine/engine_internal.h"

#define BYTES_AN_ENTRY 65536u /* the cache is bounded by bytes too: this much for each entry asked for */
#define BADGES_MAX     4096u

ag_status ag_engine_cache_new(ag_engine_shared *s, size_t entries, ag_error *err)
{
    size_t bytes;
    ag_map_init(&s->badges, s->alloc);
    if (!entries || !s->dialect)
        return AG_OK;
    if (!ag_size_mul(&bytes, entries, BYTES_AN_ENTRY))
        bytes = SIZE_MAX;
    return ag_cache_new(&s->cache, s->alloc, entries, bytes, err);
}

void ag_engine_cache_free(ag_engine_shared *s)
{
    if (s->cache)
        ag_cache_free(s->cache);
    if (s->badges.alloc)
        ag_map_clear(&s->badges);
}

int64_t ag_engine_badge_time(ag_engine_shared *s, uint64_t id, int64_t now)
{
    bool added = false;
    if (s->badges.len >= BADGES_MAX)
        ag_map_clear(&s->badges);
    ag_map_entry *e = ag_map_put_u64(&s->badges, id, &added);
    if (!e)
        return now;
    if (added)
        e->v.i = now;
    return e->v.i;
}

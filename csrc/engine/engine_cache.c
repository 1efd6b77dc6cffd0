/* The engine's compile cache. */
#include "engine/engine_internal.h"

ag_status ag_engine_cache_new(ag_engine_shared *s, size_t entries, ag_error *err)
{
    (void)s;
    (void)entries;
    (void)err;
    return AG_OK;
}

void ag_engine_cache_free(ag_engine_shared *s)
{
    (void)s;
}

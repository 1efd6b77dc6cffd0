/* Names, equality, hash and copies of values. ORDER ag_vkind: the name table below. */
#include "value/value.h"
#include "base/map.h"

#include <math.h>
#include <string.h>

static const char *const kind_names[AG_V_KIND_COUNT] = {
    "null", "boolean",  "integer",  "float", "text", "bytes", "decimal",        "date",
    "time", "datetime", "interval", "uuid",  "json", "array", "database value", "host value",
}; /* ORDER ag_vkind */

const char *ag_vkind_name(ag_vkind kind)
{
    return (unsigned)kind < AG_V_KIND_COUNT ? kind_names[kind] : "unknown";
}

/* The bits of a float, one pattern for all NaNs. */
static uint64_t float_bits(double f)
{
    uint64_t bits = UINT64_C(0x7ff8000000000000);
    if (!isnan(f))
        memcpy(&bits, &f, sizeof bits);
    return bits;
}

static bool is_zoned_time(const ag_value *v)
{
    return v->kind == AG_V_TIME && (v->flags & AG_V_ZONED);
}

bool ag_value_equal(const ag_value *a, const ag_value *b)
{
    if (a->kind != b->kind || (a->flags & AG_V_ZONED) != (b->flags & AG_V_ZONED))
        return false;
    if (ag_vkind_has_bytes(a->kind))
        return a->u.s.n == b->u.s.n && (a->u.s.n == 0 || memcmp(a->u.s.p, b->u.s.p, a->u.s.n) == 0);
    switch (a->kind) {
    case AG_V_NULL: return true;
    case AG_V_FLOAT: return float_bits(a->u.f) == float_bits(b->u.f);
    case AG_V_INTERVAL:
        return a->u.iv.us == b->u.iv.us && a->u.iv.days == b->u.iv.days && a->u.iv.months == b->u.iv.months;
    default: return a->u.i == b->u.i && (!is_zoned_time(a) || a->offset == b->offset);
    }
}

uint64_t ag_value_hash(uint64_t seed, const ag_value *v)
{
    seed = ag_hash_u64(seed, (uint64_t)v->kind | (uint64_t)(v->flags & AG_V_ZONED) << 8);
    if (ag_vkind_has_bytes(v->kind))
        return ag_hash_bytes(seed, v->u.s.p, v->u.s.n);
    switch (v->kind) {
    case AG_V_NULL: return seed;
    case AG_V_FLOAT: return ag_hash_u64(seed, float_bits(v->u.f));
    case AG_V_INTERVAL:
        seed = ag_hash_u64(seed, (uint64_t)(uint32_t)v->u.iv.days << 32 | (uint32_t)v->u.iv.months);
        return ag_hash_u64(seed, (uint64_t)v->u.iv.us);
    default:
        if (is_zoned_time(v))
            seed = ag_hash_u64(seed, (uint64_t)v->offset);
        return ag_hash_u64(seed, (uint64_t)v->u.i);
    }
}

ag_status ag_value_copy(ag_value *out, const ag_value *v, ag_arena *ar, ag_error *err)
{
    ag_value copy = *v;
    if (ag_vkind_has_bytes(v->kind)) {
        copy.u.s.p = ag_arena_strndup(ar, v->u.s.p, v->u.s.n);
        if (!copy.u.s.p)
            return ag_fail_nomem(err);
    }
    *out = copy;
    return AG_OK;
}

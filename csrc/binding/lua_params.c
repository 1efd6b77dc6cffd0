/* Reading parameters in one pass: values into one array, row by row, names as they turn up. Rows made alike have their keys in one
 * order, so a key is mostly found where the row before had it. */
#include "binding/lua_params.h"
#include "base/map.h"
#include "binding/conv.h"
#include <stdio.h>
#include <string.h>

typedef struct reader {
    lua_State *L;
    agl_scope *s;
    ag_str *keys;
    ag_value *values;
    size_t nkeys, stride; /* names known; values of one set */
    size_t nsets, set;
    int arg, anchor;
    lua_Integer nanchors;
} reader;

static ag_value *new_values(reader *r, size_t n)
{
    size_t size;
    if (!ag_size_mul(&size, n ? n : 1, sizeof(ag_value)))
        agl_error(r->L, AG_EXC_MEMORY, "out of memory");
    ag_value *v = ag_arena_new(&r->s->arena, size);
    if (!v)
        agl_error(r->L, AG_EXC_MEMORY, "out of memory");
    return v;
}

static void anchor_top(reader *r)
{
    if (r->nanchors == 0) {
        lua_createtable(r->L, 4, 0);
        lua_replace(r->L, r->anchor);
    }
    lua_pushvalue(r->L, -1);
    lua_rawseti(r->L, r->anchor, ++r->nanchors);
}

/* The value at the top into *out. */
static void read_value(reader *r, ag_value *out, const char *name)
{
    lua_State *L = r->L;
    int type = lua_type(L, -1);
    if (type == LUA_TNUMBER && lua_isinteger(L, -1)) {
        *out = ag_value_int(lua_tointeger(L, -1));
        return;
    }
    if (!agl_tovalue(L, -1, out)) {
        const char *what = agl_describe(L, -1, false);
        if (r->nsets > 1)
            agl_argerror(L, r->arg, "parameter '%s' of set %I: %s is no value", name, (LUAI_UACINT)r->set + 1, what);
        agl_argerror(L, r->arg, "parameter '%s': %s is no value", name, what);
    }
    if (type == LUA_TSTRING || type == LUA_TTABLE || type == LUA_TUSERDATA)
        anchor_top(r);
}

/* Room for one more name: rows read so far move to the wider stride. */
static void widen(reader *r)
{
    size_t stride = r->stride < 4 ? 8 : r->stride * 2;
    ag_str *keys = ag_arena_new(&r->s->arena, stride * sizeof *keys);
    ag_value *values;
    size_t total = 0;
    if (!keys || !ag_size_mul(&total, stride, r->nsets))
        agl_error(r->L, AG_EXC_MEMORY, "out of memory");
    values = new_values(r, total);
    if (r->nkeys)
        memcpy(keys, r->keys, r->nkeys * sizeof *keys);
    for (size_t k = 0; r->nkeys && k <= r->set && k < r->nsets; k++) {
        memcpy(values + k * stride, r->values + k * r->stride, r->stride * sizeof *values);
        for (size_t i = r->stride; i < stride; i++)
            values[k * stride + i].kind = AG_V_ABSENT;
    }
    if (!r->nkeys)
        for (size_t i = 0; i < stride; i++)
            values[i].kind = AG_V_ABSENT;
    r->keys = keys;
    r->values = values;
    r->stride = stride;
}

/* Number of the name whose string is at stack index key; new ones are added. */
static size_t find_key(reader *r, int key)
{
    size_t n, i;
    const char *name = lua_tolstring(r->L, key, &n);
    for (i = 0; i < r->nkeys; i++)
        if (r->keys[i].p == name || (r->keys[i].n == n && memcmp(r->keys[i].p, name, n) == 0))
            return i;
    if (r->nkeys >= 65535)
        agl_argerror(r->L, r->arg, "too many parameters");
    if (r->nkeys == r->stride)
        widen(r);
    lua_pushvalue(r->L, key);
    anchor_top(r);
    lua_pop(r->L, 1);
    r->keys[r->nkeys] = (ag_str){name, n};
    return r->nkeys++;
}

/* One set, {name = value}, at the top. */
static void read_named(reader *r)
{
    lua_State *L = r->L;
    int t = lua_gettop(L);
    size_t at = 0;
    for (size_t i = 0; i < r->stride; i++)
        r->values[r->set * r->stride + i].kind = AG_V_ABSENT;
    lua_pushnil(L);
    while (lua_next(L, t)) {
        const char *name;
        size_t i;
        if (lua_type(L, t + 1) != LUA_TSTRING)
            agl_argerror(L, r->arg, "parameters go by name, got key %s", agl_describe(L, t + 1, false));
        name = lua_tostring(L, t + 1);
        i = at < r->nkeys && r->keys[at].p == name ? at : find_key(r, t + 1);
        read_value(r, &r->values[r->set * r->stride + i], name);
        at = i + 1;
        lua_pop(L, 1);
    }
}

/* One set, {value, …}, at the top. All sets are as long as the first. */
static void read_positional(reader *r)
{
    lua_State *L = r->L;
    int t = lua_gettop(L);
    size_t n = lua_rawlen(L, t);
    if (lua_getfield(L, t, "n") == LUA_TNUMBER && lua_tointeger(L, -1) >= 0) /* table.pack: nil in it is NULL */
        n = (size_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (r->set == 0) {
        size_t total;
        if (n > 65535)
            agl_argerror(L, r->arg, "too many parameters");
        r->nkeys = r->stride = n;
        if (!ag_size_mul(&total, n, r->nsets))
            agl_error(L, AG_EXC_MEMORY, "out of memory");
        r->values = new_values(r, total);
    } else if (n != r->nkeys)
        agl_argerror(L, r->arg, "set %I has %I parameters, the first has %I", (LUAI_UACINT)r->set + 1, (LUAI_UACINT)n,
                     (LUAI_UACINT)r->nkeys);
    for (size_t i = 0; i < n; i++) {
        char name[24];
        lua_rawgeti(L, t, (lua_Integer)i + 1);
        (void)snprintf(name, sizeof name, "%zu", i + 1);
        read_value(r, &r->values[r->set * r->stride + i], name);
        lua_pop(L, 1);
    }
}

/* The values are packed by stride; the core wants nkeys a set. */
static void compact(reader *r)
{
    if (r->stride == r->nkeys)
        return;
    for (size_t k = 1; k < r->nsets; k++)
        memmove(r->values + k * r->nkeys, r->values + k * r->stride, r->nkeys * sizeof *r->values);
}

static void read_sets(reader *r, int idx, bool many, bool positional)
{
    for (r->set = 0; r->set < r->nsets; r->set++) {
        if (many && lua_rawgeti(r->L, idx, (lua_Integer)r->set + 1) != LUA_TTABLE)
            agl_argerror(r->L, r->arg, "set %I of the parameters: expected a table, got %s", (LUAI_UACINT)r->set + 1,
                         agl_describe(r->L, -1, false));
        if (!many)
            lua_pushvalue(r->L, idx);
        if (positional)
            read_positional(r);
        else
            read_named(r);
        lua_pop(r->L, 1);
    }
}

/* Presize names and values by the first set, so that they need not grow. */
static void presize(reader *r, int idx, bool many)
{
    lua_State *L = r->L;
    size_t n = 0, total;
    if (many)
        lua_rawgeti(L, idx, 1);
    else
        lua_pushvalue(L, idx);
    if (lua_istable(L, -1))
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
            n++;
    lua_pop(L, 1);
    if (n == 0 || n > 65535 || !ag_size_mul(&total, n, r->nsets))
        return;
    r->keys = agl_scope_new(L, r->s, n * sizeof *r->keys);
    r->values = new_values(r, total);
    r->stride = n;
}

void agl_params_read(lua_State *L, int idx, int anchor, agl_scope *s, ag_params *out, unsigned flags)
{
    reader r = {.L = L, .s = s, .arg = idx, .anchor = anchor, .nsets = 1};
    bool positional = flags & AGL_PARAMS_POSITIONAL, many;
    memset(out, 0, sizeof *out);
    if (lua_isnoneornil(L, idx))
        return;
    if (lua_type(L, idx) != LUA_TTABLE)
        agl_argerror(L, idx, "expected %s, got %s",
                     positional ? "an array of values, or an array of such arrays" : "a table of parameters by name, or an array of such tables",
                     agl_describe(L, idx, false));
    luaL_checkstack(L, 16, "parameters");
    many = lua_rawgeti(L, idx, 1) == LUA_TTABLE;
    lua_pop(L, 1);
    lua_pushnil(L);
    if (!lua_next(L, idx)) {
        if (flags & AGL_PARAMS_NOT_EMPTY)
            agl_argerror(L, idx, "an empty list of parameters; {{}} is one row of defaults");
        return;
    }
    lua_pop(L, 2);
    if (many)
        r.nsets = lua_rawlen(L, idx);
    if (!positional)
        presize(&r, idx, many);
    read_sets(&r, idx, many, positional);
    compact(&r);
    out->nsets = r.nsets;
    out->many = many;
    out->nkeys = (uint32_t)r.nkeys;
    out->keys = positional ? NULL : r.keys;
    out->values = r.values;
}

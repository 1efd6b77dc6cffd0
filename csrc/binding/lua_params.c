/* Reading parameters: values into one array, row by row, names as they turn up. Rows made alike have their keys in one order, so a key
 * is mostly found where the row before had it. The many sets of an INSERT are not read before, but each when it is sent. */
#include "binding/lua_params.h"
#include "base/map.h"
#include "binding/conv.h"
#include <string.h>

typedef struct reader {
    lua_State *L;
    agl_scope *s;
    ag_str *keys;
    ag_value *values;
    size_t nkeys, stride; /* names known; values of one set */
    size_t nsets, set;
    int arg, anchor;
    bool on_stack; /* one set: anchors stand on the stack, which is cheaper than a table */
    lua_Integer nanchors;
} reader;

#define STACK_ANCHORS 24

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

/* Move the anchors on the stack into the table. Items of the frame stand above them: count of those. */
static void to_table(reader *r)
{
    lua_State *L = r->L;
    lua_createtable(L, STACK_ANCHORS * 2, 0);
    for (lua_Integer i = 1; i <= r->nanchors; i++) {
        lua_pushvalue(L, r->anchor + (int)i);
        lua_rawseti(L, -2, i);
    }
    lua_replace(L, r->anchor);
    r->on_stack = false;
}

/* Keep the value at idx alive. */
static void anchor(reader *r, int idx)
{
    lua_State *L = r->L;
    if (r->on_stack && r->nanchors < STACK_ANCHORS) {
        lua_pushvalue(L, idx);
        lua_replace(L, r->anchor + (int)++r->nanchors);
        return;
    }
    if (r->on_stack)
        to_table(r);
    else if (r->nanchors == 0) {
        lua_createtable(L, 4, 0);
        lua_replace(L, r->anchor);
    }
    lua_pushvalue(L, idx);
    lua_rawseti(L, r->anchor, ++r->nanchors);
}

static void no_value(reader *r, const char *name, size_t number)
{
    lua_State *L = r->L;
    const char *what = agl_describe(L, -1, false);
    if (!name)
        name = lua_pushfstring(L, "%I", (LUAI_UACINT)number);
    if (r->nsets > 1)
        agl_argerror(L, r->arg, "parameter '%s' of set %I: %s is no value", name, (LUAI_UACINT)r->set + 1, what);
    agl_argerror(L, r->arg, "parameter '%s': %s is no value", name, what);
}

/* The value at the top into *out; it is the parameter `name`, or the one of this number. */
static void read_value(reader *r, ag_value *out, const char *name, size_t number)
{
    lua_State *L = r->L;
    int type = lua_type(L, -1);
    if (type == LUA_TNUMBER && lua_isinteger(L, -1)) {
        *out = ag_value_int(lua_tointeger(L, -1));
        return;
    }
    if (!agl_tovalue(L, -1, out))
        no_value(r, name, number);
    if (type == LUA_TSTRING || type == LUA_TTABLE || type == LUA_TUSERDATA)
        anchor(r, lua_gettop(L));
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
    anchor(r, key);
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
            agl_argerror(
                L, r->arg,
                "parameters go by name, {name = value} for :name, got key %s (exec_driver_sql takes them by place)",
                agl_describe(L, t + 1, false));
        name = lua_tostring(L, t + 1);
        i = at < r->nkeys && r->keys[at].p == name ? at : find_key(r, t + 1);
        read_value(r, &r->values[r->set * r->stride + i], name, 0);
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
        lua_rawgeti(L, t, (lua_Integer)i + 1);
        read_value(r, &r->values[r->set * r->stride + i], NULL, i + 1);
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
    if (!many)
        n = 6;
    else if (lua_rawgeti(L, idx, 1) == LUA_TTABLE)
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
            n++;
    if (many)
        lua_pop(L, 1);
    if (n == 0 || n > 65535 || !ag_size_mul(&total, n, r->nsets))
        return;
    r->keys = agl_scope_new(L, r->s, n * sizeof *r->keys);
    r->values = new_values(r, total);
    r->stride = n;
}

/* ---- sets that are read when they are sent ---- */

#define LAZY_SETS 16u /* fewer are read at once */

typedef struct agl_lazy_params {
    reader r;
    ag_params *out;
    size_t room;                     /* names that r.keys has room for */
    bool refused;                    /* a set that cannot be read so: agl_params_refused says what is wrong with it */
    const void *seen[STACK_ANCHORS]; /* the Lua string of each name, as the set before had it: most are found by it */
} agl_lazy_params;

/* The slots above the anchor: values of the set that was read last, then the names in the set before. */
static int value_slot(const agl_lazy_params *z, size_t i)
{
    return z->r.anchor + 1 + (int)i;
}

static int name_slot(const agl_lazy_params *z, size_t i)
{
    return z->r.anchor + 1 + STACK_ANCHORS + (int)i;
}

/* What may allocate Lua objects, and so raise, runs protected. (value) → the host's number for it */
static int number_host_value(lua_State *L)
{
    ag_value v;
    if (!agl_tovalue(L, 1, &v))
        return 0;
    lua_pushinteger(L, v.u.i);
    return 1;
}

/* (table, i, value) */
static int keep_in_table(lua_State *L)
{
    lua_rawset(L, 1);
    return 0;
}

/* The value at the top outlives changes to the set. */
static inline bool keep_value(const agl_lazy_params *z, size_t i)
{
    lua_State *L = z->r.L;
    if (i < STACK_ANCHORS) {
        lua_copy(L, -1, value_slot(z, i));
        return true;
    }
    lua_pushcfunction(L, keep_in_table);
    lua_pushvalue(L, z->r.anchor);
    lua_pushinteger(L, (lua_Integer)i);
    lua_pushvalue(L, -4);
    bool kept = lua_pcall(L, 3, 0, 0) == LUA_OK;
    if (!kept)
        lua_pop(L, 1);
    return kept;
}

/* The value at the top, as the set's value i; it stays on the stack of the execution. */
static bool lazy_value(agl_lazy_params *z, ag_value *out, size_t i)
{
    lua_State *L = z->r.L;
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
        *out = lua_isinteger(L, -1) ? ag_value_int(lua_tointeger(L, -1)) : ag_value_float(lua_tonumber(L, -1));
        return true;
    case LUA_TBOOLEAN:
    case LUA_TLIGHTUSERDATA: return agl_tovalue(L, -1, out);
    case LUA_TUSERDATA:
        if (agl_kind_at(L, -1) == AGL_K_NONE)
            break;
        return agl_tovalue(L, -1, out) && keep_value(z, i);
    case LUA_TSTRING: {
        size_t len;
        const char *s = lua_tolstring(L, -1, &len);
        *out = ag_value_text(s, len);
        return keep_value(z, i);
    }
    case LUA_TTABLE: break;
    default: return false;
    }
    lua_pushcfunction(L, number_host_value);
    lua_pushvalue(L, -2);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK || !lua_isinteger(L, -1)) {
        lua_pop(L, 1);
        return false;
    }
    *out = (ag_value){.kind = AG_V_HOST, .u.i = lua_tointeger(L, -1)};
    lua_pop(L, 1);
    return keep_value(z, i);
}

/* A name that no set had before; false: no room or no memory for it. */
static bool lazy_name(agl_lazy_params *z, const char *name, size_t n)
{
    if (z->r.nkeys >= 65535)
        return false;
    if (z->r.nkeys == z->room) {
        size_t room = z->room ? z->room * 2 : 8;
        ag_str *keys = ag_arena_new(&z->r.s->arena, room * sizeof *keys);
        if (!keys)
            return false;
        if (z->r.nkeys)
            memcpy(keys, z->r.keys, z->r.nkeys * sizeof *keys);
        z->r.keys = keys;
        z->room = room;
    }
    char *kept = ag_arena_strndup(&z->r.s->arena, name, n);
    if (!kept)
        return false;
    z->r.keys[z->r.nkeys++] = (ag_str){kept, n};
    return true;
}

static size_t lazy_key(const agl_lazy_params *z, const char *name, size_t n)
{
    size_t i = 0;
    while (i < z->r.nkeys && (z->r.keys[i].n != n || memcmp(z->r.keys[i].p, name, n) != 0))
        i++;
    return i;
}

/* ag_params.fill: one set, {name = value}, at the top. Nothing here may raise. */
static bool lazy_set(agl_lazy_params *z, ag_value *out)
{
    lua_State *L = z->r.L;
    int t = lua_gettop(L);
    size_t at = 0, known = z->out->nkeys;
    for (size_t i = 0; i < known; i++)
        out[i].kind = AG_V_ABSENT;
    lua_pushnil(L);
    while (lua_next(L, t)) {
        size_t n, i = at;
        const void *key = lua_topointer(L, t + 1);
        if (at >= STACK_ANCHORS || !key || z->seen[at] != key) {
            if (lua_type(L, t + 1) != LUA_TSTRING)
                return false;
            const char *name = lua_tolstring(L, t + 1, &n);
            i = lazy_key(z, name, n);
            if (i == z->r.nkeys && !lazy_name(z, name, n))
                return false;
            if (i < STACK_ANCHORS) {
                lua_copy(L, t + 1, name_slot(z, i));
                z->seen[i] = key;
            }
        }
        if (i < known && !lazy_value(z, &out[i], i))
            return false;
        at = i + 1;
        lua_pop(L, 1);
    }
    return true;
}

static ag_status lazy_fill(void *ud, size_t set, ag_value *out, ag_error *err)
{
    agl_lazy_params *z = ud;
    lua_State *L = z->r.L;
    int top = lua_gettop(L);
    bool read =
        lua_checkstack(L, 8) && lua_rawgeti(L, z->r.arg, (lua_Integer)set + 1) == LUA_TTABLE && lazy_set(z, out);
    lua_settop(L, top);
    if (!read) {
        z->refused = true;
        return ag_fail(err, AG_EXC_ARGUMENT, "set %zu of the parameters cannot be read", set + 1);
    }
    z->out->keys = z->r.keys;
    z->out->nkeys = (uint32_t)z->r.nkeys;
    return AG_OK;
}

/* Names of the first set. False: sets that are better read at once. */
static bool lazy_open(reader *r, ag_params *out)
{
    lua_State *L = r->L;
    agl_lazy_params *z = agl_scope_new(L, r->s, sizeof *z);
    memset(z, 0, sizeof *z);
    *z = (agl_lazy_params){.r = *r, .out = out};
    lua_rawgeti(L, r->arg, 1);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        size_t n;
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &n) : NULL;
        if (!name || z->r.nkeys == STACK_ANCHORS || !lazy_name(z, name, n)) {
            lua_settop(L, r->anchor);
            return false;
        }
    }
    if (!z->r.nkeys) {
        lua_settop(L, r->anchor);
        return false;
    }
    lua_newtable(L);
    lua_replace(L, r->anchor);
    lua_settop(L, r->anchor + 2 * STACK_ANCHORS);
    *out = (ag_params){.nsets = r->nsets,
                       .many = true,
                       .nkeys = (uint32_t)z->r.nkeys,
                       .keys = z->r.keys,
                       .fill = lazy_fill,
                       .fill_ud = z};
    return true;
}

void agl_params_refused(lua_State *L, const ag_params *p)
{
    const agl_lazy_params *z = p->fill == lazy_fill ? p->fill_ud : NULL;
    if (!z || !z->refused)
        return;
    reader r = z->r;
    lua_settop(L, r.anchor + 2 * STACK_ANCHORS);
    r.keys = NULL;
    r.nkeys = r.stride = 0;
    r.values = NULL;
    presize(&r, r.arg, true);
    read_sets(&r, r.arg, true, false); /* raises for the first set that is wrong */
}

/* ---- reading ---- */

void agl_params_read(lua_State *L, int idx, int slot, agl_scope *s, ag_params *out, unsigned flags)
{
    reader r = {.L = L, .s = s, .arg = idx, .anchor = slot, .nsets = 1};
    bool positional = flags & AGL_PARAMS_POSITIONAL, many;
    memset(out, 0, sizeof *out);
    if (lua_isnoneornil(L, idx))
        return;
    if (lua_type(L, idx) != LUA_TTABLE)
        agl_argerror(L, idx, "expected %s, got %s",
                     positional ? "an array of values, or an array of such arrays"
                                : "a table of parameters by name, or an array of such tables",
                     agl_describe(L, idx, false));
    luaL_checkstack(L, 2 * STACK_ANCHORS + 16, "parameters");
    many = lua_rawgeti(L, idx, 1) == LUA_TTABLE;
    lua_pop(L, 1);
    lua_pushnil(L);
    if (!lua_next(L, idx)) {
        if (flags & AGL_PARAMS_NOT_EMPTY)
            agl_argerror(L, idx, "an empty list of parameters; {{}} is one row of defaults");
        return;
    }
    lua_pop(L, 2);
    if (many) {
        r.nsets = lua_rawlen(L, idx);
        if ((flags & AGL_PARAMS_LAZY) && r.nsets >= LAZY_SETS && lazy_open(&r, out))
            return;
    } else if (flags & AGL_PARAMS_STACK) {
        r.on_stack = true;
        lua_settop(L, slot + STACK_ANCHORS);
    }
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

/* Reading parameters in one pass: values into one array, row by row, names as they turn up. Rows made alike have their keys in one
 * order, so a key is mostly found where the row before had it. */
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
            agl_argerror(L, r->arg, "parameters go by name, got key %s", agl_describe(L, t + 1, false));
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
    luaL_checkstack(L, STACK_ANCHORS + 16, "parameters");
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
    else if (flags & AGL_PARAMS_STACK) {
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

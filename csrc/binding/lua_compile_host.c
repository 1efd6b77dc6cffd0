/* Values of types with hooks (process_bind_param, process_literal_param), JSON and arrays out of Lua tables. */
#include "binding/lua_compile_host.h"
#include "binding/host.h"
#include <stdlib.h>
#include <string.h>

static const char json_encode_key;

static void bind_top(lua_State *L, const agl_compile_host *h, const ag_type *type, bool literal, ag_value *out,
                     ag_arena *ar);

static void copy(lua_State *L, ag_value *out, const ag_value *v, ag_arena *ar)
{
    ag_error *err = agl_err(L);
    agl_must(L, ag_value_copy(out, v, ar, err), err);
}

/* ---- JSON ---- */

static void push_encoder(lua_State *L, const agl_codec *codec)
{
    if (codec->json_encode) {
        agl_callback_push(L, codec->json_encode);
        return;
    }
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &json_encode_key) != LUA_TNIL)
        return;
    lua_pop(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "argent.json");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "encode");
    lua_remove(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &json_encode_key);
}

/* The value at the top as JSON text. */
static void bind_json(lua_State *L, const agl_compile_host *h, ag_value *out, ag_arena *ar)
{
    size_t n;
    const char *s;
    ag_value v;
    push_encoder(L, &h->codec);
    lua_insert(L, -2);
    lua_call(L, 1, 1);
    if (lua_type(L, -1) != LUA_TSTRING)
        agl_error(L, AG_EXC_ARGUMENT, "json_serializer returned %s instead of a string", agl_describe(L, -1, false));
    s = lua_tolstring(L, -1, &n);
    v = ag_value_bytes(AG_V_JSON, s, n);
    copy(L, out, &v, ar);
}

/* ---- arrays ---- */

#define MAX_DIMS 6

typedef struct array_maker {
    const agl_compile_host *h;
    const ag_type *item;
    ag_arena *ar;
    bool literal;
    unsigned ndim;
    ag_array_dim dims[MAX_DIMS];
    ag_value *items;
    size_t count, next;
} array_maker;

/* A table that lists elements: values that are tables with a metatable of their own (ranges …) are none. */
static bool is_plain_list(lua_State *L, int idx)
{
    bool list = lua_type(L, idx) == LUA_TTABLE;
    if (list && luaL_getmetafield(L, idx, "__sqltype") != LUA_TNIL) {
        lua_pop(L, 1);
        list = false;
    }
    return list;
}

/* Is the list at the top one value of the item type (an hstore, the ranges of a multirange), not a further dimension? */
static bool is_item(lua_State *L, const array_maker *m)
{
    const ag_type *item = m->item;
    while (item && (item->id == AG_TYPE_DECORATOR || item->id == AG_TYPE_PG_DOMAIN) && item->item)
        item = item->item;
    if (!item || item->host || ag_type_affinity(item) == AG_AFF_JSON)
        return true;
    if (item->id == AG_TYPE_PG_HSTORE)
        return lua_rawlen(L, -1) == 0;
    if (ag_type_affinity(item) != AG_AFF_MULTIRANGE)
        return false;
    int type = lua_rawgeti(L, -1, 1);
    bool ranges = type == LUA_TNIL || (type == LUA_TTABLE && !is_plain_list(L, -1) && lua_rawlen(L, -1) == 0);
    lua_pop(L, 1);
    return ranges;
}

/* Sizes of the nested lists, taken from the first of each level. */
static void measure(lua_State *L, array_maker *m, int max_dims)
{
    int top = lua_gettop(L);
    m->count = 1;
    for (m->ndim = 0; m->ndim < MAX_DIMS && is_plain_list(L, -1); m->ndim++) {
        size_t n = lua_rawlen(L, -1);
        if (max_dims >= 0 && m->ndim == (unsigned)max_dims)
            break;
        if (m->ndim > 0 && max_dims < 0 && is_item(L, m))
            break;
        if (n == 0 && m->ndim == 0)
            break;
        m->dims[m->ndim] = (ag_array_dim){(int32_t)n, 1};
        if (n > INT32_MAX || !ag_size_mul(&m->count, m->count, n))
            agl_error(L, AG_EXC_DATA, "the array is too large");
        lua_rawgeti(L, -1, 1);
    }
    if (m->ndim == 0)
        m->count = 0;
    lua_settop(L, top);
}

static void fill(lua_State *L, array_maker *m, unsigned dim)
{
    size_t n = (size_t)m->dims[dim].length;
    luaL_checkstack(L, 8, "array");
    if (!is_plain_list(L, -1) || lua_rawlen(L, -1) != n)
        agl_error(L, AG_EXC_DATA, "an array's parts differ in length");
    for (size_t i = 1; i <= n; i++) {
        int type = lua_rawgeti(L, -1, (lua_Integer)i);
        if (type == LUA_TNIL)
            agl_error(L, AG_EXC_DATA, "an array has a hole at %I (write ag.null)", (LUAI_UACINT)i);
        if (dim + 1 < m->ndim)
            fill(L, m, dim + 1);
        else {
            bind_top(L, m->h, m->item, m->literal, &m->items[m->next], m->ar);
            if (m->items[m->next].kind == AG_V_NULL &&
                ag_type_writes_null(m->item)) /* as in a column of the item's type */
                m->items[m->next] = ag_value_bytes(AG_V_JSON, "null", 4);
            m->next++;
        }
        lua_pop(L, 1);
    }
}

/* The list at the top as a packed array; each element as its type takes it. */
static void bind_array(lua_State *L, const agl_compile_host *h, const ag_type *type, bool literal, ag_value *out,
                       ag_arena *ar)
{
    array_maker m = {.h = h, .item = type->item, .ar = ar, .literal = literal};
    ag_error *err;
    measure(L, &m, type->dims);
    m.items = ag_arena_new(ar, (m.count ? m.count : 1) * sizeof *m.items);
    if (!m.items)
        agl_error(L, AG_EXC_MEMORY, "out of memory");
    if (m.ndim)
        fill(L, &m, 0);
    err = agl_err(L);
    agl_must(L, ag_array_pack(out, m.ndim, m.dims, m.items, m.count, ar, err), err);
}

/* ---- ranges, HSTORE, BIT ---- */

static const char hosted_encode_key;

/* The table at the top as the text that the database reads, by argent.postgresql.codec. */
static void bind_hosted(lua_State *L, const ag_type *type, ag_value *out, ag_arena *ar)
{
    size_t n;
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &hosted_encode_key) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_getglobal(L, "require");
        lua_pushliteral(L, "argent.postgresql.codec");
        lua_call(L, 1, 1);
        lua_getfield(L, -1, "encode");
        lua_remove(L, -2);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &hosted_encode_key);
    }
    lua_insert(L, -2);
    lua_pushstring(L, ag_type_lua_name(type));
    lua_call(L, 2, 1);
    const char *s = lua_tolstring(L, -1, &n);
    ag_value v = ag_value_bytes(AG_V_RAW, s, n);
    copy(L, out, &v, ar);
}

/* ---- one value ---- */

/* self.process_bind_param(self, value, dialect): replaces the value at the top. */
static void run_hook(lua_State *L, const agl_compile_host *h, const ag_type *type, bool literal)
{
    const char *name = literal && (type->flags & AG_TYPE_HAS_LITERAL) ? "process_literal_param" : "process_bind_param";
    agl_callback_push(L, type->host);
    if (lua_getfield(L, -1, name) != LUA_TFUNCTION) {
        lua_pop(L, 2);
        return;
    }
    if (agl_is_null(L, -3)) { /* NULL in an array: hooks know it as nil */
        lua_pushnil(L);
        lua_replace(L, -4);
    }
    lua_insert(L, -3); /* function, value, self */
    lua_insert(L, -2); /* function, self, value */
    agl_push_dialect(L, h->codec.dialect);
    lua_call(L, 3, 1);
}

static bool takes_lists(const ag_type *t)
{
    return t->id == AG_TYPE_ARRAY;
}

/* The value at the top, which stays there, into *out. */
static void bind_top(lua_State *L, const agl_compile_host *h, const ag_type *type, bool literal, ag_value *out,
                     ag_arena *ar)
{
    ag_value v;
    luaL_checkstack(L, 10, "value");
    lua_pushvalue(L, -1);
    type = type ? ag_type_on(type, h->codec.dialect) : NULL;
    while (type && type->item && (type->id == AG_TYPE_DECORATOR || type->id == AG_TYPE_PG_DOMAIN)) {
        if (type->flags & (AG_TYPE_HAS_BIND | AG_TYPE_HAS_LITERAL))
            run_hook(L, h, type, literal);
        type = ag_type_on(type->item, h->codec.dialect);
    }
    if (type && type->id == AG_TYPE_USERDEFINED && (type->flags & (AG_TYPE_HAS_BIND | AG_TYPE_HAS_LITERAL)))
        run_hook(L, h, type, literal);
    if (!agl_tovalue(L, -1, &v))
        agl_error(L, AG_EXC_ARGUMENT, "%s is no value", agl_describe(L, -1, false));
    if (type && v.kind != AG_V_NULL && ag_type_affinity(type) == AG_AFF_JSON)
        bind_json(L, h, out, ar);
    else if (v.kind == AG_V_HOST && type && takes_lists(type))
        bind_array(L, h, type, literal, out, ar);
    else if (v.kind == AG_V_HOST && type && ag_type_is_hosted(type))
        bind_hosted(L, type, out, ar);
    else if (v.kind == AG_V_HOST && (!type || type->id == AG_TYPE_NULL))
        agl_error(L, AG_EXC_DATA,
                  "%s is no value of a parameter without a type: bindparams(ag.bindparam(name, {type = …})), or "
                  "{expanding = true} for a list after IN",
                  agl_describe(L, -1, false));
    else if (v.kind == AG_V_HOST)
        agl_error(L, AG_EXC_DATA, "%s is no value for a column of type %s", agl_describe(L, -1, false),
                  ag_type_lua_name(type));
    else
        copy(L, out, &v, ar);
    lua_pop(L, 1);
}

void agl_bind_value(lua_State *L, const agl_compile_host *h, const ag_type *type, const ag_value *in, bool literal,
                    ag_value *out, ag_arena *ar)
{
    agl_push_value(L, in, NULL, &h->codec);
    bind_top(L, h, type, literal, out, ar);
    lua_pop(L, 1);
}

typedef struct value_call {
    const agl_compile_host *h;
    const ag_type *type;
    const ag_value *in;
    ag_value *out;
    ag_arena *ar;
    bool literal;
} value_call;

static int value_body(lua_State *L)
{
    value_call *c = lua_touserdata(L, 1);
    agl_bind_value(L, c->h, c->type, c->in, c->literal, c->out, c->ar);
    return 0;
}

static ag_status host_value(ag_compile_host *base, const ag_type *type, const ag_value *in, bool literal, ag_value *out,
                            ag_arena *ar, ag_error *err)
{
    agl_compile_host *h = (agl_compile_host *)base;
    ag_value made = ag_value_null();
    value_call c = {h, type, in, &made, ar, literal};
    AG_TRY(agl_hook_run(h->st, value_body, &c, err));
    *out = made;
    return AG_OK;
}

/* ---- hosts ---- */

static void take_hooks(agl_compile_host *h, const ag_compile_host *from)
{
    h->base.construct = from->construct ? from->construct : h->base.construct;
    h->base.wanted = from->wanted ? from->wanted : h->base.wanted;
    h->base.began = from->began ? from->began : h->base.began;
    h->base.ended = from->ended ? from->ended : h->base.ended;
    h->base.type_text = from->type_text ? from->type_text : h->base.type_text;
    h->base.overrides = from->overrides ? from->overrides : h->base.overrides;
    h->base.type_expr = from->type_expr ? from->type_expr : h->base.type_expr;
    h->base.type_name = from->type_name ? from->type_name : h->base.type_name;
}

void agl_compile_host_set(lua_State *L, const ag_compile_host *from)
{
    agl_compile_host *first = agl_compile_host_for(L, NULL);
    take_hooks(first, from);
    for (agl_compile_host *h = first->st->compile_hosts; h; h = h->next)
        take_hooks(h, from);
}

agl_compile_host *agl_compile_host_for(lua_State *L, const agl_codec *codec)
{
    static const agl_codec none;
    agl_state *st = agl_state_get(L);
    agl_compile_host *h;
    if (!codec)
        codec = &none;
    for (h = st->compile_hosts; h; h = h->next)
        if (memcmp(&h->codec, codec, sizeof *codec) == 0)
            return h;
    h = calloc(1, sizeof *h);
    if (!h)
        luaL_error(L, "not enough memory");
    h->base = (ag_compile_host){.ud = st, .value = host_value};
    h->st = st;
    h->codec = *codec;
    for (agl_compile_host *other = st->compile_hosts; other; other = other->next)
        take_hooks(h, &other->base);
    h->next = st->compile_hosts;
    st->compile_hosts = h;
    return h;
}

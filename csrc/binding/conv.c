/* Lua values to ag_value and back. */
#include "binding/conv.h"
#include "binding/raise.h"
#include "value/datetime.h"
#include <string.h>

bool agl_tovalue(lua_State *L, int idx, ag_value *out)
{
    switch (lua_type(L, idx)) {
    case LUA_TNIL: *out = ag_value_null(); return true;
    case LUA_TBOOLEAN: *out = ag_value_bool(lua_toboolean(L, idx)); return true;
    case LUA_TNUMBER:
        if (lua_isinteger(L, idx))
            *out = ag_value_int(lua_tointeger(L, idx));
        else
            *out = ag_value_float(lua_tonumber(L, idx));
        return true;
    case LUA_TSTRING: {
        size_t len;
        const char *s = lua_tolstring(L, idx, &len);
        *out = ag_value_text(s, len);
        return true;
    }
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, idx))
            return false;
        *out = ag_value_null();
        return true;
    case LUA_TUSERDATA: {
        agl_kind kind = agl_kind_at(L, idx);
        if (kind >= AGL_K_DATE && kind <= AGL_K_DECIMAL) {
            *out = ((agl_value *)lua_touserdata(L, idx))->v;
            return true;
        }
        if (kind != AGL_K_NONE)
            return false;
        break;
    }
    case LUA_TTABLE: break;
    default: return false;
    }
    *out = (ag_value){.kind = AG_V_HOST, .u.i = agl_hostvalue_id(L, idx)};
    return true;
}

/* ---- pushing ---- */

static void push_array(lua_State *L, const ag_value *v, const ag_type *type, const agl_codec *codec);
static const char json_decode_key;

static void push_json(lua_State *L, const ag_value *v, const agl_codec *codec)
{
    if (codec && codec->json_decode)
        agl_callback_push(L, codec->json_decode);
    else if (lua_rawgetp(L, LUA_REGISTRYINDEX, &json_decode_key) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_getglobal(L, "require");
        lua_pushliteral(L, "argent.json");
        lua_call(L, 1, 1);
        lua_getfield(L, -1, "decode");
        lua_remove(L, -2);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &json_decode_key);
    }
    lua_pushlstring(L, v->u.s.p, v->u.s.n);
    lua_call(L, 1, 1);
}

static const char hosted_decode_key;

/* A range, HSTORE … out of its text, by argent.postgresql.codec. */
static void push_hosted(lua_State *L, const ag_value *v, const ag_type *type)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &hosted_decode_key) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_getglobal(L, "require");
        lua_pushliteral(L, "argent.postgresql.codec");
        lua_call(L, 1, 1);
        lua_getfield(L, -1, "decode");
        lua_remove(L, -2);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &hosted_decode_key);
    }
    lua_pushlstring(L, v->u.s.p, v->u.s.n);
    lua_pushstring(L, ag_type_lua_name(type));
    lua_call(L, 2, 1);
}

/* Push what stands in v, of the type that is left when decorators and domains are taken away. */
static void push_plain(lua_State *L, const ag_value *v, const ag_type *type, const agl_codec *codec)
{
    switch (v->kind) {
    case AG_V_BOOL: lua_pushboolean(L, v->u.i != 0); break;
    case AG_V_INT: lua_pushinteger(L, v->u.i); break;
    case AG_V_FLOAT: lua_pushnumber(L, v->u.f); break;
    case AG_V_RAW:
        if (type && ag_type_is_hosted(type)) {
            push_hosted(L, v, type);
            break;
        }
        lua_pushlstring(L, v->u.s.p, v->u.s.n);
        break;
    case AG_V_TEXT:
    case AG_V_BYTES:
    case AG_V_UUID: lua_pushlstring(L, v->u.s.p, v->u.s.n); break;
    case AG_V_DATE:
    case AG_V_TIME:
    case AG_V_DATETIME:
    case AG_V_INTERVAL:
    case AG_V_DECIMAL: agl_value_new(L, v); break;
    case AG_V_JSON: push_json(L, v, codec); break;
    case AG_V_ARRAY: push_array(L, v, type, codec); break;
    case AG_V_HOST: agl_hostvalue_push(L, v->u.i); break;
    default: lua_pushnil(L); break;
    }
}

void agl_push_dialect(lua_State *L, const char *name)
{
    if (!name) {
        lua_pushnil(L);
        return;
    }
    luaL_getsubtable(L, LUA_REGISTRYINDEX, "argent.dialects");
    if (lua_getfield(L, -1, name) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_createtable(L, 0, 1);
        lua_pushstring(L, name);
        lua_setfield(L, -2, "name");
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, name);
    }
    lua_remove(L, -2);
}

/* The type behind the outermost decorator or domain of t, NULL when t is neither. */
static const ag_type *inner_type(const ag_type *t)
{
    return t && (t->id == AG_TYPE_DECORATOR || t->id == AG_TYPE_PG_DOMAIN) ? t->item : NULL;
}

/* depth: of variants in variants */
static bool has_result(const ag_type *t, int depth)
{
    for (; t; t = inner_type(t)) {
        if ((t->flags & AG_TYPE_HAS_RESULT) && t->host)
            return true;
        for (uint32_t i = 0; depth && i < t->nvariants; i++) {
            const ag_type *v = t->variants[i].type;
            if (ag_type_is_hosted(v) || ag_type_strip(v)->id == AG_TYPE_ARRAY || has_result(v, depth - 1))
                return true;
        }
    }
    return false;
}

bool agl_type_has_result(const ag_type *t)
{
    return has_result(t, 8);
}

/* process_result_value of every decorator, the innermost first. */
static void push_decorated(lua_State *L, const ag_value *v, const ag_type *type, const agl_codec *codec)
{
    const ag_type *inner = inner_type(type);
    if (inner)
        inner = ag_type_on(inner, codec ? codec->dialect : NULL);
    luaL_checkstack(L, 8, "value");
    if (!type || !(type->flags & AG_TYPE_HAS_RESULT) || !type->host) {
        if (inner)
            push_decorated(L, v, inner, codec);
        else
            push_plain(L, v, type, codec);
        return;
    }
    /* the host object of a type: a table with process_result_value(self, value) */
    agl_callback_push(L, type->host);
    lua_getfield(L, -1, "process_result_value");
    lua_insert(L, -2);
    if (inner)
        push_decorated(L, v, inner, codec);
    else
        push_plain(L, v, NULL, codec);
    agl_push_dialect(L, codec ? codec->dialect : NULL);
    lua_call(L, 3, 1);
}

void agl_push_value(lua_State *L, const ag_value *v, const ag_type *type, const agl_codec *codec)
{
    luaL_checkstack(L, 8, "value");
    push_decorated(L, v,
                   type && (type->nvariants || type->nderived) ? ag_type_on(type, codec ? codec->dialect : NULL) : type,
                   codec);
}

void agl_push_value_or_null(lua_State *L, const ag_value *v, const ag_type *type, const agl_codec *codec)
{
    agl_push_value(L, v, type, codec);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        agl_push_null(L);
    }
}

bool agl_value_is_decoded(const ag_value *v, const ag_type *type)
{
    return v->kind == AG_V_JSON || v->kind == AG_V_ARRAY ||
           (type && (agl_type_has_result(type) || ag_type_is_hosted(type)));
}

void agl_push_cell(lua_State *L, const ag_row *row, unsigned i, const ag_type *type, const agl_codec *codec)
{
    ag_value v;
    if (!type) {
        const uint64_t cell = ag_row_cells(row)[i];
        switch (ag_row_kinds(row)[i]) {
        case AG_V_NULL: lua_pushnil(L); return;
        case AG_V_INT: lua_pushinteger(L, (lua_Integer)cell); return;
        case AG_V_TEXT: lua_pushlstring(L, (const char *)row + (uint32_t)cell, (size_t)(cell >> 32)); return;
        default: break;
        }
    }
    ag_row_get(&v, row, i);
    agl_push_value(L, &v, type, codec);
}

/* ---- arrays ---- */

typedef struct array_reader {
    const ag_value *v;
    const ag_type *item;
    const agl_codec *codec;
    size_t next;
    unsigned ndim;
} array_reader;

static void push_dim(lua_State *L, array_reader *r, unsigned dim)
{
    ag_array_dim d = ag_array_dim_get(r->v->u.s.p, r->v->u.s.n, dim);
    luaL_checkstack(L, 6, "array");
    lua_createtable(L, d.length, 0);
    for (int i = 1; i <= d.length; i++) {
        if (dim + 1 < r->ndim)
            push_dim(L, r, dim + 1);
        else {
            ag_value e;
            ag_array_get(&e, r->v->u.s.p, r->v->u.s.n, r->next++);
            agl_push_value_or_null(L, &e, r->item, r->codec);
        }
        lua_rawseti(L, -2, i);
    }
}

static void push_array(lua_State *L, const ag_value *v, const ag_type *type, const agl_codec *codec)
{
    array_reader r = {v, type ? type->item : NULL, codec, 0, ag_array_ndim(v->u.s.p, v->u.s.n)};
    if (r.ndim == 0)
        lua_newtable(L);
    else
        push_dim(L, &r, 0);
}

/* ---- value boxes ---- */

static agl_kind value_kind(unsigned vkind)
{
    switch (vkind) {
    case AG_V_DATE: return AGL_K_DATE;
    case AG_V_TIME: return AGL_K_TIME;
    case AG_V_DATETIME: return AGL_K_DATETIME;
    case AG_V_INTERVAL: return AGL_K_INTERVAL;
    default: return AGL_K_DECIMAL;
    }
}

void agl_value_new(lua_State *L, const ag_value *v)
{
    bool bytes = ag_vkind_has_bytes(v->kind);
    agl_kind kind = value_kind(v->kind);
    size_t n = bytes ? v->u.s.n : 0;
    agl_value *b = agl_box_new(L, kind, sizeof(agl_value) + (bytes ? n + 1 : 0), 0);
    b->v = *v;
    if (bytes) {
        memcpy(b + 1, v->u.s.p, n);
        ((char *)(b + 1))[n] = '\0';
        b->v.u.s.p = (const char *)(b + 1);
    }
}

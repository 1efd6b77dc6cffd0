/* Shapes: what rows of the same columns share, names and types, behind their metatable; found again by the statement or by the
 * columns. */
#include "binding/lua_row.h"
#include "binding/module.h"
#include "compile/compiled.h"
#include <string.h>

static const char shapes_key;

static uint64_t shape_hash(const ag_result_column *cols, uint32_t n, const agl_codec *codec)
{
    uint64_t h = ag_hash_u64(ag_hash_u64(n, (uint64_t)codec->json_decode), (uint64_t)(uintptr_t)codec->dialect);
    for (uint32_t i = 0; i < n; i++) {
        h = ag_hash_bytes(h, cols[i].name.p, cols[i].name.n);
        h = ag_hash_u64(h, (uint64_t)(uintptr_t)cols[i].type);
    }
    return h;
}

/* Does reading a value of this type need the type at all? */
static bool type_matters(const ag_type *t)
{
    return t && (agl_type_has_result(t) || ag_type_strip(t)->id == AG_TYPE_ARRAY || ag_type_is_hosted(t));
}

static bool type_caches(const ag_type *t)
{
    ag_vkind kind = t ? ag_type_kind(t) : AG_V_NULL;
    return t && (agl_type_has_result(t) || kind == AG_V_JSON || kind == AG_V_ARRAY || kind == AG_V_HOST ||
                 ag_type_is_hosted(t));
}

static struct agl_source source_of(const ag_result_column *col, const ag_compiled *c)
{
    const ag_result_col *r;
    if (!c || col->source < 0 || (uint32_t)col->source >= c->ncolumns)
        return (struct agl_source){0, 0, 0, 0};
    r = &c->columns[col->source];
    uint64_t alias = r->alias.n ? ag_hash_bytes(1, r->alias.p, r->alias.n) : 0;
    return r->from ? (struct agl_source){0, 0, r->expr, alias}
                   : (struct agl_source){r->table, r->column, r->expr, alias};
}

static bool same_source(const struct agl_source *a, const struct agl_source *b)
{
    return a->table == b->table && a->alias == b->alias;
}

/* Is s made of these columns? */
static bool same_columns(const agl_shape *s, const ag_result_column *cols, uint32_t n, const agl_codec *codec,
                         const ag_compiled *c)
{
    if (!s || s->ncols != n || s->codec.json_decode != codec->json_decode || s->codec.dialect != codec->dialect)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        struct agl_source from = source_of(&cols[i], c);
        if (s->names[i].n != cols[i].name.n ||
            (cols[i].name.n && memcmp(s->names[i].p, cols[i].name.p, cols[i].name.n) != 0) ||
            (s->types[i] != cols[i].type && (s->types[i] || type_matters(cols[i].type))) ||
            (c && !same_source(&s->sources[i], &from)))
            return false;
    }
    return true;
}

/* Push name → number and the array of names. */
static void push_names(lua_State *L, const ag_result_column *cols, uint32_t n)
{
    lua_createtable(L, 0, (int)n);
    lua_createtable(L, (int)n, 0);
    for (uint32_t i = 0; i < n; i++) {
        lua_pushlstring(L, cols[i].name.p, cols[i].name.n);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, (lua_Integer)i + 1);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, -4) == LUA_TNIL)
            lua_pushinteger(L, (lua_Integer)i + 1);
        else
            lua_pushboolean(L, 0);
        lua_remove(L, -2);
        lua_rawset(L, -4);
    }
}

/* Keys of columns that are not their names, into the table name → number at index names. A column's name goes before. */
static void add_keys(lua_State *L, int names, const ag_result_column *cols, uint32_t n, const ag_compiled *c)
{
    for (uint32_t i = 0; c && i < n; i++) {
        if (cols[i].source < 0 || (uint32_t)cols[i].source >= c->ncolumns || !c->columns[cols[i].source].alias.n)
            continue;
        ag_str key = c->columns[cols[i].source].alias;
        lua_pushlstring(L, key.p, key.n);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, names) == LUA_TNIL) {
            lua_pushvalue(L, -2);
            lua_pushinteger(L, (lua_Integer)i + 1);
            lua_rawset(L, names);
        }
        lua_pop(L, 2);
    }
}

/* Push the metatable for rows of a new shape. */
static agl_shape *shape_new(lua_State *L, const ag_result_column *cols, uint32_t n, const agl_codec *codec,
                            const ag_compiled *compiled)
{
    int at = lua_gettop(L) + 1;
    agl_shape *s;
    luaL_checkstack(L, 12, "row");
    agl_class_push_copy(L, AGL_K_ROW); /* at */
    s = agl_box_new(L, AGL_K_SHAPE, sizeof *s + n * (sizeof s->types[0] + sizeof s->names[0] + sizeof s->sources[0]),
                    3);
    s->names = (ag_str *)(void *)&s->types[n];
    s->sources = (struct agl_source *)(void *)&s->names[n];
    s->ncols = n;
    s->codec = *codec;
    s->plain = true;
    for (uint32_t i = 0; i < n; i++) {
        s->caches = s->caches || type_caches(cols[i].type);
        if (type_matters(cols[i].type)) {
            s->types[i] = cols[i].type;
            s->plain = false;
        }
    }
    push_names(L, cols, n); /* at + 2, at + 3 */
    add_keys(L, at + 2, cols, n, compiled);
    for (uint32_t i = 0; i < n; i++) {
        lua_rawgeti(L, at + 3, (lua_Integer)i + 1);
        s->names[i].p = lua_tolstring(L, -1, &s->names[i].n);
        s->sources[i] = source_of(&cols[i], compiled);
        lua_pop(L, 1);
    }
    agl_box_anchor(L, at + 1, 1, at + 2);
    agl_box_anchor(L, at + 1, 2, at + 3);
    agl_box_anchor(L, at + 1, 3, at);
    lua_pushvalue(L, at + 1);
    lua_pushvalue(L, at + 2);
    lua_pushcclosure(L, agl_row_index, 2);
    lua_setfield(L, at, "__index");
    lua_pushvalue(L, at + 1);
    lua_rawseti(L, at, 1);
    lua_settop(L, at);
    return s;
}

agl_shape *agl_shape_push(lua_State *L, const ag_result_column *cols, uint32_t n, const agl_codec *codec,
                          const ag_compiled *compiled)
{
    static const agl_codec none;
    lua_Integer key;
    agl_shape *s;
    if (!codec)
        codec = &none;
    /* A statement's address finds its shape quicker than a hash of names; addresses are even. */
    key = compiled ? (lua_Integer)(uintptr_t)compiled : (lua_Integer)(shape_hash(cols, n, codec) | 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &shapes_key);
    if (lua_rawgeti(L, -1, key) == LUA_TTABLE) {
        s = agl_shape_of(L, -1);
        if (same_columns(s, cols, n, codec, compiled)) {
            lua_remove(L, -2);
            return s;
        }
    }
    lua_pop(L, 1);
    s = shape_new(L, cols, n, codec, compiled);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, key);
    lua_remove(L, -2);
    return s;
}

bool agl_shape_push_marked(lua_State *L, uint64_t mark, const ag_compiled *compiled, const agl_codec *codec)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &shapes_key);
    if (lua_rawgeti(L, -1, (lua_Integer)(uintptr_t)compiled) == LUA_TTABLE) {
        const agl_shape *s = agl_shape_of(L, -1);
        if (s->mark == mark && s->codec.json_decode == codec->json_decode && s->codec.dialect == codec->dialect) {
            lua_remove(L, -2);
            return true;
        }
    }
    lua_pop(L, 2);
    return false;
}

agl_shape *agl_shape_of(lua_State *L, int mt)
{
    agl_shape *s;
    lua_rawgeti(L, mt, 1);
    s = agl_test(L, -1, AGL_K_SHAPE);
    lua_pop(L, 1);
    return s;
}

void agl_shape_push_names(lua_State *L, int mt)
{
    lua_rawgeti(L, mt, 1);
    lua_getiuservalue(L, -1, 2);
    lua_remove(L, -2);
}

void agl_shapes_open(lua_State *L)
{
    static const agl_class shape_class = {.name = "shape"};
    agl_class_open(L, AGL_K_SHAPE, &shape_class);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &shapes_key);
}

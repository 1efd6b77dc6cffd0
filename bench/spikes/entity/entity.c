/* Spike 2: what an entity costs as one userdata block. A throw-away: one shape (id, name, email, age, score, and padding
 * columns), no checks. ./run builds it and prints the table of docs/adr/0002. */
#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { K_NULL, K_INT, K_FLOAT, K_TEXT, K_SPILL };

typedef struct entity {
    uint32_t magic;
    uint16_t kind, flags;
    uint64_t stamp; /* session slot and epoch, compared in one go */
    uint64_t unloaded, dirty;
    uint32_t size;
    uint16_t ncols, nrel;
    /* uint64_t cells[ncols]; uint8_t kinds[pad8(ncols)]; bytes */
} entity;

#define NAMES 64
typedef struct mapper {
    const char *ptr[NAMES]; /* interned name, by address */
    int slot[NAMES];
    int ncols;
    uint64_t *stamps; /* of the sessions */
} mapper;

static uint64_t *cells(entity *e) { return (uint64_t *)(e + 1); }
static uint8_t *kinds(entity *e) { return (uint8_t *)(cells(e) + e->ncols); }

static unsigned hash_ptr(const char *p) { return (unsigned)(((uintptr_t)p >> 4) ^ ((uintptr_t)p >> 10)) & (NAMES - 1); }

static int slot_of(const mapper *m, const char *p)
{
    unsigned h = hash_ptr(p);
    while (m->ptr[h]) {
        if (m->ptr[h] == p)
            return m->slot[h];
        h = (h + 1) & (NAMES - 1);
    }
    return -1;
}

/* __index: upvalue 1 the mapper, 2 the methods */
static int entity_index(lua_State *L)
{
    mapper *m = lua_touserdata(L, lua_upvalueindex(1));
    entity *e = lua_touserdata(L, 1);
    int s;
    if (!e || e->magic != 0xA26E7B0Bu)
        return luaL_error(L, "not an entity");
    if (lua_type(L, 2) != LUA_TSTRING || (s = slot_of(m, lua_tostring(L, 2))) < 0) {
        lua_pushvalue(L, 2);
        lua_rawget(L, lua_upvalueindex(2));
        return 1;
    }
    if (e->stamp != m->stamps[e->stamp >> 32])
        return luaL_error(L, "expired");
    if (s >= e->ncols) {
        lua_getiuservalue(L, 1, 2 + s - e->ncols);
        return 1;
    }
    if (e->unloaded >> s & 1)
        return luaL_error(L, "not loaded");
    uint64_t c = cells(e)[s];
    switch (kinds(e)[s]) {
    case K_NULL: lua_pushnil(L); break;
    case K_INT: lua_pushinteger(L, (lua_Integer)c); break;
    case K_FLOAT: { double d; memcpy(&d, &c, 8); lua_pushnumber(L, d); break; }
    case K_TEXT: lua_pushlstring(L, (char *)e + (uint32_t)c, c >> 32); break;
    default: lua_getiuservalue(L, 1, 1); lua_rawgeti(L, -1, s); break;
    }
    return 1;
}

static int entity_newindex(lua_State *L)
{
    mapper *m = lua_touserdata(L, lua_upvalueindex(1));
    entity *e = lua_touserdata(L, 1);
    int s;
    if (!e || e->magic != 0xA26E7B0Bu || lua_type(L, 2) != LUA_TSTRING || (s = slot_of(m, lua_tostring(L, 2))) < 0)
        return luaL_error(L, "bad");
    if (s >= e->ncols) {
        lua_settop(L, 3);
        lua_setiuservalue(L, 1, 2 + s - e->ncols);
        return 0;
    }
    uint64_t *c = &cells(e)[s];
    e->dirty |= 1ull << s;
    switch (lua_type(L, 3)) {
    case LUA_TNIL: kinds(e)[s] = K_NULL; break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, 3)) { *c = (uint64_t)lua_tointeger(L, 3); kinds(e)[s] = K_INT; }
        else { double d = lua_tonumber(L, 3); memcpy(c, &d, 8); kinds(e)[s] = K_FLOAT; }
        break;
    default: {
        size_t n;
        const char *p = lua_tolstring(L, 3, &n);
        uint64_t old = *c;
        if (kinds(e)[s] == K_TEXT && n <= old >> 32) {
            memcpy((char *)e + (uint32_t)old, p, n + 1);
            *c = (uint32_t)old | (uint64_t)n << 32;
        } else {
            kinds(e)[s] = K_SPILL;
            if (lua_getiuservalue(L, 1, 1) != LUA_TTABLE) {
                lua_newtable(L);
                lua_pushvalue(L, -1);
                lua_setiuservalue(L, 1, 1);
            }
            lua_pushvalue(L, 3);
            lua_rawseti(L, -2, s);
        }
    }
    }
    return 0;
}

static const char *names[] = {"id", "name", "email", "age", "score", "c6", "c7", "c8"};

/* class(ncols, nrel) -> metatable, mapper */
static int new_class(lua_State *L)
{
    int ncols = (int)luaL_checkinteger(L, 1), nrel = (int)luaL_checkinteger(L, 2);
    lua_newtable(L); /* 3 metatable */
    mapper *m = lua_newuserdatauv(L, sizeof *m, 1);
    memset(m, 0, sizeof *m);
    m->ncols = ncols;
    m->stamps = calloc(16, sizeof *m->stamps);
    m->stamps[1] = 1ull << 32 | 7;
    lua_newtable(L); /* anchors the names */
    for (int i = 0; i < ncols + nrel; i++) {
        const char *p = i < ncols ? lua_pushstring(L, names[i]) : lua_pushfstring(L, "r%d", i - ncols + 1);
        unsigned h = hash_ptr(p);
        while (m->ptr[h])
            h = (h + 1) & (NAMES - 1);
        m->ptr[h] = p;
        m->slot[h] = i;
        lua_rawseti(L, -2, i + 1);
    }
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, -1);
    lua_newtable(L);
    lua_pushcclosure(L, entity_index, 2);
    lua_setfield(L, 3, "__index");
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, entity_newindex, 1);
    lua_setfield(L, 3, "__newindex");
    return 2;
}

static entity *make(lua_State *L, int mt, int ncols, int nrel, lua_Integer id)
{
    char name[32], email[48];
    size_t nn = (size_t)snprintf(name, sizeof name, "name-%lld", (long long)id);
    size_t ne = (size_t)snprintf(email, sizeof email, "user%lld@example.org", (long long)id);
    size_t fixed = sizeof(entity) + (size_t)ncols * 8 + (((size_t)ncols + 7) & ~7u);
    entity *e = lua_newuserdatauv(L, fixed + nn + ne + 2, 1 + nrel);
    *e = (entity){0xA26E7B0Bu, 1, 0, 1ull << 32 | 7, 0, 0, (uint32_t)(fixed + nn + ne + 2), (uint16_t)ncols, (uint16_t)nrel};
    uint64_t *c = cells(e);
    uint8_t *k = kinds(e);
    double score = (double)id / 3;
    c[0] = (uint64_t)id; k[0] = K_INT;
    c[1] = fixed | nn << 32; k[1] = K_TEXT; memcpy((char *)e + fixed, name, nn + 1);
    c[2] = (fixed + nn + 1) | ne << 32; k[2] = K_TEXT; memcpy((char *)e + fixed + nn + 1, email, ne + 1);
    c[3] = (uint64_t)(id % 90); k[3] = K_INT;
    memcpy(&c[4], &score, 8); k[4] = K_FLOAT;
    for (int i = 5; i < ncols; i++) { c[i] = (uint64_t)i; k[i] = K_INT; }
    lua_pushvalue(L, mt);
    lua_setmetatable(L, -2);
    return e;
}

/* load(mt, ncols, nrel, list, map | nil, from, to): entities into list, and into the identity map */
static int load(lua_State *L)
{
    int ncols = (int)luaL_checkinteger(L, 2), nrel = (int)luaL_checkinteger(L, 3);
    lua_Integer from = luaL_checkinteger(L, 6), to = luaL_checkinteger(L, 7);
    int has_map = lua_istable(L, 5);
    for (lua_Integer i = from; i <= to; i++) {
        if (has_map) {
            if (lua_rawgeti(L, 5, i) != LUA_TNIL) {
                lua_rawseti(L, 4, i);
                continue;
            }
            lua_pop(L, 1);
        }
        make(L, 1, ncols, nrel, i);
        if (has_map) {
            lua_pushvalue(L, -1);
            lua_rawseti(L, 5, i);
        }
        lua_rawseti(L, 4, i - from + 1);
    }
    return 0;
}

/* link(list, n, rel, mode): a ring of links. mode 1: own uservalue each; 2: all in one table at uservalue 1 */
static int link_all(lua_State *L)
{
    lua_Integer n = luaL_checkinteger(L, 2);
    int rel = (int)luaL_checkinteger(L, 3), mode = (int)luaL_checkinteger(L, 4);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
        if (mode == 2 && lua_getiuservalue(L, -1, 1) != LUA_TTABLE) {
            lua_pop(L, 1);
            lua_createtable(L, 2, 0);
            lua_pushvalue(L, -1);
            lua_setiuservalue(L, -3, 1);
        }
        lua_rawgeti(L, 1, i % n + 1);
        if (mode == 1)
            lua_setiuservalue(L, -2, 1 + rel);
        else
            lua_rawseti(L, -2, rel);
        lua_settop(L, 4);
    }
    return 0;
}

int luaopen_entity(lua_State *L)
{
    static const luaL_Reg fns[] = {{"class", new_class}, {"load", load}, {"link", link_all}, {NULL, NULL}};
    luaL_newlib(L, fns);
    return 1;
}

/* Mapped classes: userdata that hold a mapper. User.name gives an expression, User{…} an object, function User:f() adds a
 * method. What a definition means is worked out in Lua (argent.orm.declarative), which calls the orm_… functions of the core
 * here to make mappers and relationships. */
#include "binding/lua_orm.h"
#include "binding/lua_node.h"
#include "binding/module.h"
#include <string.h>

#define LONG_NAME 40u /* LUAI_MAXSHORTLEN */

/* ---- the name table: attribute number by address of the interned name ---- */

static uint32_t hash_address(const void *p)
{
    uintptr_t a = (uintptr_t)p;
    return (uint32_t)((a >> 4) ^ (a >> 11));
}

/* Names over 40 bytes are not interned by Lua: those are compared. */
static int long_attr(const agl_mapper *c, const char *p, size_t n)
{
    const ag_slot *slot = ag_mapper_slot(c->m, p, n);
    const ag_relation *rel = slot ? NULL : ag_mapper_relation(c->m, p, n);
    return slot ? (int)slot->index : rel ? c->m->nslots + rel->index : -1;
}

int agl_mapper_attr(lua_State *L, const agl_mapper *c, int idx)
{
    const char *p;
    uint32_t h;
    if (!c->names || lua_type(L, idx) != LUA_TSTRING)
        return -1;
    p = lua_tostring(L, idx);
    for (h = hash_address(p) & c->mask; c->names[h].p; h = (h + 1) & c->mask)
        if (c->names[h].p == p)
            return c->names[h].attr;
    if (c->has_long && lua_rawlen(L, idx) > LONG_NAME)
        return long_attr(c, p, lua_rawlen(L, idx));
    return -1;
}

static void put_name(agl_mapper *c, const char *p, unsigned attr)
{
    uint32_t h = hash_address(p) & c->mask;
    while (c->names[h].p)
        h = (h + 1) & c->mask;
    c->names[h] = (agl_name){p, (uint16_t)attr};
}

/* Push the interned name of attribute attr and note it in the table at names. */
static void add_name(lua_State *L, agl_mapper *c, int names, ag_str key, unsigned attr)
{
    const char *p;
    p = lua_pushlstring(L, key.p, key.n);
    lua_pushinteger(L, attr);
    lua_rawset(L, names); /* the table keeps the string */
    if (key.n > LONG_NAME)
        c->has_long = true;
    else
        put_name(c, p, attr);
}

/* Build the table anew from the mapper's slots and relationships. The class is at idx. */
void agl_mapper_build_names(lua_State *L, agl_mapper *c, int idx)
{
    unsigned n = ag_mapper_nattrs(c->m);
    uint32_t size = 16;
    int names;
    idx = lua_absindex(L, idx);
    while (size < 3 * n)
        size *= 2;
    ag_mem_free(&c->st->alloc, c->names);
    c->names = ag_mem_zero(&c->st->alloc, size, sizeof *c->names);
    if (!c->names)
        agl_error(L, AG_EXC_MEMORY, "out of memory");
    c->mask = size - 1;
    lua_createtable(L, 0, (int)n);
    names = lua_gettop(L);
    lua_pushvalue(L, names);
    lua_setiuservalue(L, idx, AGL_CU_NAMES);
    for (unsigned i = 0; i < c->m->nslots; i++)
        add_name(L, c, names, c->m->slots[i].key, i);
    for (unsigned i = 0; i < c->m->nrelations; i++)
        add_name(L, c, names, c->m->relations[i]->key, c->m->nslots + i);
    lua_pop(L, 1);
}

/* ---- finding ---- */

agl_mapper *agl_mapper_test(lua_State *L, int idx)
{
    return agl_test(L, idx, AGL_K_MAPPER);
}

agl_mapper *agl_mapper_check(lua_State *L, int arg)
{
    agl_mapper *c = agl_mapper_test(L, arg);
    if (!c)
        agl_typeerror(L, arg, "a mapped class");
    else if (!c->m)
        agl_error(L, AG_EXC_RESOURCE_CLOSED, "the classes were closed");
    return c;
}

/* Collect the string keys of the table at the top (and pop it). */
static size_t collect_keys(lua_State *L, const char **names, size_t n, size_t max)
{
    if (lua_type(L, -1) == LUA_TTABLE) {
        lua_pushnil(L);
        while (lua_next(L, -2)) {
            lua_pop(L, 1);
            if (lua_type(L, -1) == LUA_TSTRING && n < max)
                names[n++] = lua_tostring(L, -1);
        }
    }
    lua_pop(L, 1);
    return n;
}

int agl_orm_unknown(lua_State *L, int cidx, int idx)
{
    agl_mapper *c = agl_mapper_test(L, cidx);
    const char *names[256], *near, *name = c && c->m ? c->m->name.p : "?";
    size_t n = 0;
    if (lua_type(L, idx) != LUA_TSTRING)
        return agl_error(L, AG_EXC_ARGUMENT, "class %s has no attribute %s", name, agl_describe(L, idx, false));
    for (unsigned i = 0; c->m && i < c->m->nslots && n < 200; i++)
        names[n++] = c->m->slots[i].key.p;
    for (unsigned i = 0; c->m && i < c->m->nrelations && n < 200; i++)
        names[n++] = c->m->relations[i]->key.p;
    lua_getiuservalue(L, cidx, AGL_CU_MEMBERS);
    n = collect_keys(L, names, n, 230);
    lua_getiuservalue(L, cidx, AGL_CU_DESCRIPTORS);
    n = collect_keys(L, names, n, 256);
    near = ag_nearest(lua_tostring(L, idx), names, n);
    if (near)
        return agl_error(L, AG_EXC_ARGUMENT, "%s has no attribute '%s'; did you mean '%s'?", name, lua_tostring(L, idx),
                         near);
    return agl_error(L, AG_EXC_ARGUMENT, "%s has no attribute '%s'", name, lua_tostring(L, idx));
}

/* ---- User.name, function User:f(), User{…} ---- */

static int class_index_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    if (lua_isnil(L, -1))
        return agl_orm_unknown(L, 1, 2);
    return 1;
}

static int class_index(lua_State *L)
{
    agl_mapper *c = agl_mapper_check(L, 1);
    lua_settop(L, 2);
    lua_getiuservalue(L, 1, AGL_CU_ATTRS);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, 3) != LUA_TNIL)
        return 1;
    lua_settop(L, 2);
    lua_getiuservalue(L, 1, AGL_CU_MEMBERS);
    if (agl_mapper_attr(L, c, 2) < 0) {
        lua_pushvalue(L, 2);
        if (lua_gettable(L, 3) != LUA_TNIL)
            return 1;
    }
    lua_settop(L, 2);
    agl_orm_hook(L, AGL_OH_CLASS_INDEX);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_callk(L, 2, 1, 0, class_index_k);
    return class_index_k(L, LUA_OK, 0);
}

/* Metamethods that a class may define for its objects. */
static bool is_metamethod(const char *name)
{
    static const char *const allowed[] = {"__tostring", "__len",  "__concat", "__eq",  "__lt",  "__le",
                                          "__call",     "__add",  "__sub",    "__mul", "__div", "__mod",
                                          "__unm",      "__idiv", "__pow",    NULL};
    for (int i = 0; allowed[i]; i++)
        if (strcmp(name, allowed[i]) == 0)
            return true;
    return false;
}

static int class_newindex(lua_State *L)
{
    agl_mapper *c = agl_mapper_check(L, 1);
    const char *name;
    if (lua_type(L, 2) != LUA_TSTRING)
        return agl_error(L, AG_EXC_ARGUMENT, "class %s takes methods by name, not %s", c->m->name.p,
                         agl_describe(L, 2, false));
    name = lua_tostring(L, 2);
    if (agl_mapper_attr(L, c, 2) >= 0)
        return agl_error(L, AG_EXC_ARGUMENT, "%s.%s is mapped and cannot be replaced", c->m->name.p, name);
    if (is_metamethod(name))
        lua_getiuservalue(L, 1, AGL_CU_META);
    else if (strncmp(name, "__", 2) == 0)
        return agl_error(L, AG_EXC_ARGUMENT, "%s.%s cannot be assigned after the class was made", c->m->name.p, name);
    else
        lua_getiuservalue(L, 1, AGL_CU_MEMBERS);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_rawset(L, -3);
    return 0;
}

static int class_tostring(lua_State *L)
{
    agl_mapper *c = agl_mapper_check(L, 1);
    lua_pushfstring(L, "class %s", c->m->name.p);
    return 1;
}

static void release_registry(void *obj)
{
    ag_registry_unref(obj);
}

static int class_gc(lua_State *L)
{
    agl_mapper *c = lua_touserdata(L, 1);
    agl_state *st = c->st;
    if (!st)
        return 0;
    c->st = NULL;
    c->m = NULL;
    c->node = NULL;
    ag_mem_free(&st->alloc, c->names);
    c->names = NULL;
    if (c->reg)
        agl_defer(st, L, release_registry, c->reg);
    c->reg = NULL;
    agl_state_unref(st);
    return 0;
}

/* ---- registries ---- */

static int registry_gc(lua_State *L)
{
    agl_registry *r = lua_touserdata(L, 1);
    agl_state *st = r->st;
    if (!st)
        return 0;
    r->st = NULL;
    if (r->reg)
        agl_defer(st, L, release_registry, r->reg);
    r->reg = NULL;
    agl_state_unref(st);
    return 0;
}

/* orm_registry() → registry */
static int orm_registry(lua_State *L)
{
    agl_orm *o = agl_orm_get(L);
    agl_registry *r = agl_box_new(L, AGL_K_REGISTRY, sizeof *r, 0);
    r->st = agl_state_ref(L);
    agl_must(L, ag_registry_new(&r->reg, o->orm, &r->st->alloc, agl_err(L)), agl_err(L));
    return 1;
}

/* ---- what Lua asks of a class ---- */

/* orm_class_part(class, "members"|"descriptors"|"attrs"|"info"|"names") → table */
static int orm_class_part(lua_State *L)
{
    static const char *const parts[] = {"members", "meta", "attrs", "names", "descriptors", "info", NULL};
    agl_mapper *c = agl_mapper_check(L, 1);
    const char *name = agl_check_string(L, 2, NULL);
    (void)c;
    for (int i = 0; parts[i]; i++)
        if (strcmp(parts[i], name) == 0 && i != 1) {
            lua_getiuservalue(L, 1, i + 1);
            return 1;
        }
    return agl_unknown(L, AG_EXC_ARGUMENT, "part of a class", name, parts);
}

/* orm_set_events(class, mask, init) */
static int orm_set_events(lua_State *L)
{
    agl_mapper *c = agl_mapper_check(L, 1);
    ag_mapper_set_events(c->m, (unsigned)agl_check_integer(L, 2, 0, UINT32_MAX));
    c->has_init = lua_toboolean(L, 3);
    return 0;
}

/* orm_set_validated(class, attribute, on, init_scalar): assignments go through the validate hook; reading what was never set through the
 * init_scalar hook */
static int orm_set_validated(lua_State *L)
{
    agl_mapper *c = agl_mapper_check(L, 1);
    size_t n;
    const char *key = agl_check_string(L, 2, &n);
    ag_slot *slot = (ag_slot *)(uintptr_t)ag_mapper_slot(c->m, key, n);
    ag_relation *rel = (ag_relation *)(uintptr_t)ag_mapper_relation(c->m, key, n);
    bool on = lua_toboolean(L, 3);
    unsigned init = slot && lua_toboolean(L, 4) ? AG_SLOT_INIT_SCALAR : 0;
    if (slot)
        slot->flags = (slot->flags & ~(AG_SLOT_VALIDATE | AG_SLOT_INIT_SCALAR)) | init | (on ? AG_SLOT_VALIDATE : 0);
    else if (rel)
        rel->flags = on ? rel->flags | AG_REL_VALIDATE : rel->flags & ~AG_REL_VALIDATE;
    else
        return agl_orm_unknown(L, 1, 2);
    return 0;
}

/* orm_class_of(object) → class, or nothing */
static int orm_class_of(lua_State *L)
{
    return agl_entity_push_class(L, 1) ? 1 : 0;
}

/* orm_isa(class, class) */
static int orm_isa(lua_State *L)
{
    lua_pushboolean(L, ag_mapper_isa(agl_mapper_check(L, 1)->m, agl_mapper_check(L, 2)->m));
    return 1;
}

void agl_open_orm_class(lua_State *L)
{
    static const luaL_Reg meta[] = {{"__index", class_index},
                                    {"__newindex", class_newindex},
                                    {"__call", agl_entity_construct},
                                    {"__tostring", class_tostring},
                                    {"__gc", class_gc},
                                    {NULL, NULL}};
    static const luaL_Reg registry_meta[] = {{"__gc", registry_gc}, {NULL, NULL}};
    static const agl_class cls = {.name = "Mapper", .meta = meta},
                           registry = {.name = "registry", .meta = registry_meta};
    static const luaL_Reg fns[] = {{"orm_registry", orm_registry},
                                   {"orm_class_part", orm_class_part},
                                   {"orm_set_events", orm_set_events},
                                   {"orm_set_validated", orm_set_validated},
                                   {"orm_class_of", orm_class_of},
                                   {"orm_isa", orm_isa},
                                   {NULL, NULL}};
    agl_class_open(L, AGL_K_MAPPER, &cls);
    agl_class_open(L, AGL_K_REGISTRY, &registry);
    agl_functions_internal(L, fns);
    agl_open_orm_mapper(L);
}

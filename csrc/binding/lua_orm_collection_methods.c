/* The methods of collections: append, insert, remove …, indexing, length. */
#include "binding/lua_orm.h"

/* ---- methods ---- */

/* The collection at 1, its owner (pushed at `owner`, always index top + 1) and relationship. */
typedef struct coll {
    agl_collection *c;
    ag_entity *e;
    const ag_mapper *m;
    const ag_relation *rel;
    int owner;
} coll;

static coll open_coll(lua_State *L)
{
    coll x = {.c = agl_check(L, 1, AGL_K_COLLECTION)};
    luaL_checkstack(L, 20, "collection");
    lua_getiuservalue(L, 1, AGL_LU_OWNER);
    x.owner = lua_gettop(L);
    x.e = lua_touserdata(L, x.owner);
    x.m = agl_entity_mapper(L, x.owner);
    if (!x.m)
        agl_error(L, AG_EXC_RESOURCE_CLOSED, "the classes were closed");
    else
        x.rel = x.m->relations[x.c->relation];
    return x;
}

static void add(lua_State *L, coll *x, int vidx, lua_Integer at)
{
    (void)agl_link_check(L, x->m, x->rel, vidx);
    if (x->rel->flags & AG_REL_SET) {
        lua_getiuservalue(L, 1, AGL_LU_ITEMS);
        bool there = agl_list_find(L, lua_gettop(L), vidx) != 0;
        lua_pop(L, 1);
        if (there)
            return;
    }
    agl_collection_raw_add(L, 1, x->owner, x->e, x->m, vidx, at);
    agl_link_sync_add(L, x->owner, x->rel, vidx);
    agl_link_cascade(L, x->e, x->rel, vidx);
}

static bool take(lua_State *L, coll *x, int vidx)
{
    if (!agl_collection_raw_remove(L, 1, x->owner, x->e, x->m, vidx))
        return false;
    agl_link_sync_remove(L, x->owner, x->rel, vidx);
    return true;
}

/* Listeners and validators, then go on in `k` with what they say the member is, in place of the value at 2. */
static int with_member_hook(lua_State *L, const coll *x, const char *what, int vidx, lua_KContext ctx, lua_KFunction k)
{
    agl_orm_hook(L, AGL_OH_MEMBER);
    lua_pushvalue(L, x->owner);
    lua_pushstring(L, x->rel->key.p);
    lua_pushvalue(L, vidx);
    lua_pushstring(L, what);
    lua_callk(L, 4, 1, ctx, k);
    return k(L, LUA_OK, ctx);
}

/* Stack: collection, member as given, …, member as the hook says. ctx: position. */
static int append_k(lua_State *L, int status, lua_KContext ctx)
{
    coll x;
    (void)status;
    lua_replace(L, 2);
    lua_settop(L, 2);
    x = open_coll(L);
    add(L, &x, 2, (lua_Integer)ctx);
    return 0;
}

static int append_at(lua_State *L, lua_Integer at)
{
    coll x = open_coll(L);
    (void)agl_link_check(L, x.m, x.rel, 2);
    if (x.rel->flags & AG_REL_VALIDATE)
        return with_member_hook(L, &x, "append", 2, (lua_KContext)at, append_k);
    add(L, &x, 2, at);
    return 0;
}

static int coll_append(lua_State *L)
{
    (void)agl_check(L, 1, AGL_K_COLLECTION);
    agl_check_top(L, 2);
    lua_settop(L, 2);
    return append_at(L, 0);
}

static int coll_insert(lua_State *L)
{
    lua_Integer at, n;
    (void)agl_check(L, 1, AGL_K_COLLECTION);
    agl_check_top(L, 3);
    lua_settop(L, 3);
    lua_getiuservalue(L, 1, AGL_LU_ITEMS);
    n = (lua_Integer)lua_rawlen(L, -1);
    at = agl_check_integer(L, 2, 1, n + 1);
    lua_pushvalue(L, 3);
    lua_replace(L, 2);
    lua_settop(L, 2);
    return append_at(L, at);
}

/* The list at the top is what the collection becomes. */
static int assign_k(lua_State *L, int status, lua_KContext ctx)
{
    coll x;
    int list = lua_gettop(L);
    (void)status;
    (void)ctx;
    x = open_coll(L);
    agl_collection_assign(L, x.owner, x.e, x.m, x.rel, list);
    return 0;
}

/* The same, when listeners and validators have looked at it. */
static int assign_hooked(lua_State *L, const coll *x)
{
    int list = lua_gettop(L);
    agl_orm_hook(L, AGL_OH_VALIDATE);
    lua_pushvalue(L, x->owner);
    lua_pushstring(L, x->rel->key.p);
    lua_pushvalue(L, list);
    lua_pushboolean(L, 1);
    lua_callk(L, 4, 1, 0, assign_k);
    return assign_k(L, LUA_OK, 0);
}

static int remove_k(lua_State *L, int status, lua_KContext ctx)
{
    coll x;
    (void)status;
    (void)ctx;
    lua_settop(L, 2);
    x = open_coll(L);
    if (!take(L, &x, 2))
        return agl_error(L, AG_EXC_ARGUMENT, "%s.%s does not contain this %s", x.m->name.p, x.rel->key.p,
                         x.rel->target->name.p);
    return 0;
}

static int coll_remove(lua_State *L)
{
    coll x;
    (void)agl_check(L, 1, AGL_K_COLLECTION);
    agl_check_top(L, 2);
    lua_settop(L, 2);
    x = open_coll(L);
    (void)agl_link_check(L, x.m, x.rel, 2);
    if (x.rel->flags & AG_REL_VALIDATE)
        return with_member_hook(L, &x, "remove", 2, 0, remove_k);
    return remove_k(L, LUA_OK, 0);
}

static int pop_k(lua_State *L, int status, lua_KContext ctx)
{
    coll x;
    (void)status;
    (void)ctx;
    lua_settop(L, 2);
    x = open_coll(L);
    (void)take(L, &x, 2);
    lua_settop(L, 2);
    return 1;
}

/* pop([position]) → the member taken out (the last one), nil from an empty collection */
static int coll_pop(lua_State *L)
{
    lua_Integer n, at;
    coll x;
    (void)agl_check(L, 1, AGL_K_COLLECTION);
    agl_check_top(L, 2);
    lua_settop(L, 2);
    lua_getiuservalue(L, 1, AGL_LU_ITEMS);
    n = (lua_Integer)lua_rawlen(L, 3);
    if (n == 0) {
        lua_pushnil(L);
        return 1;
    }
    at = lua_isnil(L, 2) ? n : agl_check_integer(L, 2, 1, n);
    lua_rawgeti(L, 3, at);
    lua_replace(L, 2);
    lua_settop(L, 2);
    x = open_coll(L);
    if (x.rel->flags & AG_REL_VALIDATE)
        return with_member_hook(L, &x, "remove", 2, 0, pop_k);
    return pop_k(L, LUA_OK, 0);
}

static int coll_contains(lua_State *L)
{
    (void)agl_check(L, 1, AGL_K_COLLECTION);
    agl_check_top(L, 2);
    if (!agl_entity_test(L, 2))
        return agl_typeerror(L, 2, "a mapped object");
    lua_getiuservalue(L, 1, AGL_LU_ITEMS);
    lua_pushboolean(L, agl_list_find(L, lua_gettop(L), 2) != 0);
    return 1;
}

/* index(object) → position, nil when it is not there */
static int coll_index_of(lua_State *L)
{
    lua_Integer at;
    (void)agl_check(L, 1, AGL_K_COLLECTION);
    agl_check_top(L, 2);
    lua_settop(L, 2);
    lua_getiuservalue(L, 1, AGL_LU_ITEMS);
    at = agl_list_find(L, 3, 2);
    if (at)
        lua_pushinteger(L, at);
    else
        lua_pushnil(L);
    return 1;
}

static int coll_clear(lua_State *L)
{
    coll x;
    (void)agl_check(L, 1, AGL_K_COLLECTION);
    agl_check_top(L, 1);
    x = open_coll(L);
    lua_newtable(L);
    return x.rel->flags & AG_REL_VALIDATE ? assign_hooked(L, &x) : assign_k(L, LUA_OK, 0);
}

static int coll_extend(lua_State *L)
{
    coll x;
    int members;
    (void)agl_check(L, 1, AGL_K_COLLECTION);
    agl_check_top(L, 2);
    lua_settop(L, 2);
    x = open_coll(L);
    agl_collection_members(L, x.m, x.rel, 2);
    members = lua_gettop(L);
    if (x.rel->flags & AG_REL_VALIDATE) {
        lua_getiuservalue(L, 1, AGL_LU_ITEMS);
        agl_list_copy(L, lua_gettop(L));
        lua_Integer had = (lua_Integer)lua_rawlen(L, -1);
        for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, members); i <= n; i++) {
            lua_rawgeti(L, members, i);
            lua_rawseti(L, -2, had + i);
        }
        return assign_hooked(L, &x);
    }
    for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, members); i <= n; i++) {
        lua_rawgeti(L, members, i);
        add(L, &x, members + 1, 0);
        lua_settop(L, members);
    }
    return 0;
}

/* all() → a plain array of the members */
static int coll_all(lua_State *L)
{
    (void)agl_check(L, 1, AGL_K_COLLECTION);
    lua_getiuservalue(L, 1, AGL_LU_ITEMS);
    agl_list_copy(L, lua_gettop(L));
    return 1;
}

static int next_member(lua_State *L)
{
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(2)) + 1;
    lua_pushinteger(L, i);
    lua_replace(L, lua_upvalueindex(2));
    lua_getiuservalue(L, lua_upvalueindex(1), AGL_LU_ITEMS);
    lua_rawgeti(L, -1, i);
    return 1;
}

/* for post in user.posts:each() do */
static int coll_each(lua_State *L)
{
    (void)agl_check(L, 1, AGL_K_COLLECTION);
    agl_check_top(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_member, 2);
    return 1;
}

static const luaL_Reg methods[] = {{"append", coll_append},  {"add", coll_append},  {"insert", coll_insert},
                                   {"remove", coll_remove},  {"pop", coll_pop},     {"contains", coll_contains},
                                   {"index", coll_index_of}, {"clear", coll_clear}, {"extend", coll_extend},
                                   {"all", coll_all},        {"each", coll_each},   {NULL, NULL}};

static int return_one(lua_State *L, int status, lua_KContext ctx)
{
    (void)L;
    (void)status;
    (void)ctx;
    return 1;
}

/* A member by its key, or (set) the member at 3 under that key. Stack: collection, key, value */
static int keyed(lua_State *L, bool set)
{
    coll x = open_coll(L);
    if (!(x.rel->flags & AG_REL_KEYED))
        return -1;
    agl_orm_hook(L, set ? AGL_OH_KEYED_SET : AGL_OH_KEYED);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, x.owner);
    lua_pushstring(L, x.rel->key.p);
    lua_pushvalue(L, 2);
    if (set)
        lua_pushvalue(L, 3);
    lua_callk(L, set ? 5 : 4, 1, 0, return_one);
    return 1;
}

static int coll_index(lua_State *L)
{
    agl_collection *c = agl_test(L, 1, AGL_K_COLLECTION);
    if (c && lua_isinteger(L, 2)) {
        lua_getiuservalue(L, 1, AGL_LU_ITEMS);
        lua_rawgeti(L, -1, lua_tointeger(L, 2));
        return 1;
    }
    lua_settop(L, 2);
    agl_class_push_methods(L, AGL_K_COLLECTION);
    lua_pushvalue(L, 2);
    if (c && lua_rawget(L, 3) != LUA_TNIL)
        return 1;
    lua_settop(L, 2);
    if (c && keyed(L, false) > 0)
        return 1;
    lua_settop(L, 2);
    agl_class_push_methods(L, AGL_K_COLLECTION);
    return agl_unknown_name(L, 3, NULL, "a collection");
}

/* The members with the one at `at` replaced by the value at 3 (nil: taken out). */
static int replace_hooked(lua_State *L, const coll *x, lua_Integer at)
{
    lua_Integer n;
    lua_getiuservalue(L, 1, AGL_LU_ITEMS);
    agl_list_copy(L, lua_gettop(L));
    n = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = at; lua_isnil(L, 3) && i <= n; i++) {
        lua_rawgeti(L, -1, i + 1);
        lua_rawseti(L, -2, i);
    }
    if (!lua_isnil(L, 3)) {
        lua_pushvalue(L, 3);
        lua_rawseti(L, -2, at);
    }
    return assign_hooked(L, x);
}

/* collection[i] = object (i from 1 to # + 1), collection[i] = nil */
static int coll_newindex(lua_State *L)
{
    coll x;
    lua_Integer at, n;
    (void)agl_check(L, 1, AGL_K_COLLECTION);
    lua_settop(L, 3);
    if (!lua_isinteger(L, 2) && keyed(L, true) > 0)
        return 0;
    lua_settop(L, 3);
    lua_getiuservalue(L, 1, AGL_LU_ITEMS);
    n = (lua_Integer)lua_rawlen(L, 4);
    at = agl_check_integer(L, 2, 1, n + 1);
    lua_rawgeti(L, 4, at);
    lua_replace(L, 2); /* the old member */
    lua_settop(L, 3);
    x = open_coll(L);
    if (!lua_isnil(L, 3))
        (void)agl_link_check(L, x.m, x.rel, 3);
    if (x.rel->flags & AG_REL_VALIDATE)
        return replace_hooked(L, &x, at);
    if (!lua_isnil(L, 2))
        (void)take(L, &x, 2);
    if (!lua_isnil(L, 3))
        add(L, &x, 3, at);
    return 0;
}

static int coll_len(lua_State *L)
{
    (void)agl_check(L, 1, AGL_K_COLLECTION);
    lua_getiuservalue(L, 1, AGL_LU_ITEMS);
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
    return 1;
}

static int coll_tostring(lua_State *L)
{
    coll x;
    (void)agl_check(L, 1, AGL_K_COLLECTION);
    lua_settop(L, 1);
    x = open_coll(L);
    lua_getiuservalue(L, 1, AGL_LU_ITEMS);
    lua_pushfstring(L, "%s.%s: %d of class %s", x.m->name.p, x.rel->key.p, (int)lua_rawlen(L, -1),
                    x.rel->target->name.p);
    return 1;
}

void agl_open_orm_collection(lua_State *L)
{
    static const luaL_Reg meta[] = {{"__index", coll_index},
                                    {"__newindex", coll_newindex},
                                    {"__len", coll_len},
                                    {"__tostring", coll_tostring},
                                    {NULL, NULL}};
    static const agl_class cls = {.name = "collection", .methods = methods, .meta = meta};
    agl_class_open(L, AGL_K_COLLECTION, &cls);
}

/* Collections: what user.posts gives. A collection is a box with a table of members; its owner is a user value. It is handed out
 * loaded, so indexing, # and ipairs never send SQL. A collection of an object whose members were not loaded is a queue of changes until they
 * are. */
#include "binding/lua_orm.h"
#include <string.h>

/* ---- tables of members ---- */

/* Position of the value at vidx in the array at t, 0 when it is not there. */
static lua_Integer find_member(lua_State *L, int t, int vidx)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, t);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, t, i);
        bool same = lua_rawequal(L, -1, vidx);
        lua_pop(L, 1);
        if (same)
            return i;
    }
    return 0;
}

static void remove_at(lua_State *L, int t, lua_Integer at)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, t);
    for (; at < n; at++) {
        lua_rawgeti(L, t, at + 1);
        lua_rawseti(L, t, at);
    }
    lua_pushnil(L);
    lua_rawseti(L, t, n);
}

static void insert_at(lua_State *L, int t, lua_Integer at, int vidx)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, t);
    for (; n >= at; n--) {
        lua_rawgeti(L, t, n);
        lua_rawseti(L, t, n + 1);
    }
    lua_pushvalue(L, vidx);
    lua_rawseti(L, t, at);
}

static void push_copy(lua_State *L, int t)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, t);
    lua_createtable(L, n > INT32_MAX ? 0 : (int)n, 0);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, t, i);
        lua_rawseti(L, -2, i);
    }
}

/* Push a set (member → true) of the array at t. */
static void push_set(lua_State *L, int t)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, t);
    lua_newtable(L);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, t, i);
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
    }
}

static bool in_set(lua_State *L, int set, int vidx)
{
    bool in;
    lua_pushvalue(L, vidx);
    in = lua_rawget(L, set) != LUA_TNIL;
    lua_pop(L, 1);
    return in;
}

/* A pending member that its delete-orphan parent lets go of will not be inserted, unless a parent takes it in again. */
void agl_link_orphan(lua_State *L, const ag_relation *rel, int vidx, bool orphan)
{
    ag_entity *e = lua_touserdata(L, vidx);
    ag_session *s;
    if (!(rel->cascade & AG_CASCADE_DELETE_ORPHAN) || !e->track)
        return;
    s = ag_orm_session(rel->target->orm, e);
    if (s && s->tracked.items[e->track - 1].flags & AG_TR_NEW)
        ag_track_flags(s, e->track - 1, orphan ? 0 : AG_TR_ORPHAN, orphan ? AG_TR_ORPHAN : 0);
}

/* ---- collections ---- */

void agl_collection_push(lua_State *L, int idx, ag_entity *e, unsigned relation, bool queue)
{
    agl_collection *c;
    const ag_mapper *m;
    idx = lua_absindex(L, idx);
    if (lua_getiuservalue(L, idx, agl_link_uv(relation)) == LUA_TUSERDATA)
        return;
    lua_pop(L, 1);
    c = agl_box_new(L, AGL_K_COLLECTION, sizeof *c, AGL_LU_LAST);
    c->relation = (uint16_t)relation;
    c->box.flags = queue ? AGL_COLL_QUEUE : 0;
    lua_newtable(L);
    lua_setiuservalue(L, -2, AGL_LU_ITEMS);
    lua_pushvalue(L, idx);
    lua_setiuservalue(L, -2, AGL_LU_OWNER);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, idx, agl_link_uv(relation));
    if (queue)
        return;
    m = agl_entity_mapper(L, idx);
    ag_bit_clear(ag_entity_unloaded(e), m->nslots + relation);
}

/* The table of removals of a queue. */
static void push_removed(lua_State *L, int cidx)
{
    if (lua_getiuservalue(L, cidx, AGL_LU_REMOVED) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, cidx, AGL_LU_REMOVED);
}

/* Before the first change of a loaded collection of an object that has a row: keep what was. Then mark the owner. */
static void touch(lua_State *L, int cidx, int oidx, ag_entity *e, const ag_mapper *m)
{
    agl_collection *c = lua_touserdata(L, cidx);
    unsigned attr = m->nslots + (unsigned)c->relation;
    if (ag_entity_is_dirty(e, attr))
        return;
    if (e->state & AG_ES_KEY && !(c->box.flags & AGL_COLL_QUEUE)) {
        lua_getiuservalue(L, cidx, AGL_LU_ITEMS);
        push_copy(L, lua_gettop(L));
        lua_setiuservalue(L, cidx, AGL_LU_BEFORE);
        lua_pop(L, 1);
    }
    agl_orm_touch(L, oidx, e, m, attr);
}

void agl_collection_raw_add(lua_State *L, int cidx, int oidx, ag_entity *e, const ag_mapper *m, int vidx,
                            lua_Integer at)
{
    agl_collection *c = lua_touserdata(L, cidx);
    int items;
    lua_Integer n;
    touch(L, cidx, oidx, e, m);
    agl_link_orphan(L, m->relations[c->relation], vidx, false);
    lua_getiuservalue(L, cidx, AGL_LU_ITEMS);
    items = lua_gettop(L);
    if (c->box.flags & AGL_COLL_QUEUE && lua_getiuservalue(L, cidx, AGL_LU_REMOVED) == LUA_TTABLE) {
        n = find_member(L, items + 1, vidx);
        if (n) { /* it is in the database */
            remove_at(L, items + 1, n);
            lua_settop(L, items - 1);
            return;
        }
    }
    n = (lua_Integer)lua_rawlen(L, items);
    insert_at(L, items, at > 0 && at <= n ? at : n + 1, vidx);
    lua_settop(L, items - 1);
}

bool agl_collection_raw_remove(lua_State *L, int cidx, int oidx, ag_entity *e, const ag_mapper *m, int vidx)
{
    agl_collection *c = lua_touserdata(L, cidx);
    int items;
    lua_Integer at;
    lua_getiuservalue(L, cidx, AGL_LU_ITEMS);
    items = lua_gettop(L);
    at = find_member(L, items, vidx);
    if (at || c->box.flags & AGL_COLL_QUEUE)
        touch(L, cidx, oidx, e, m);
    if (at) {
        remove_at(L, items, at);
        agl_link_orphan(L, m->relations[c->relation], vidx, true);
    } else if (c->box.flags & AGL_COLL_QUEUE) {
        push_removed(L, cidx);
        insert_at(L, items + 1, (lua_Integer)lua_rawlen(L, items + 1) + 1, vidx);
    }
    lua_settop(L, items - 1);
    return at != 0;
}

/* Queued changes go into the freshly loaded members at vidx. Stack top is kept. */
static void apply_queue(lua_State *L, int cidx, int vidx)
{
    int top = lua_gettop(L), set;
    lua_getiuservalue(L, cidx, AGL_LU_ITEMS);
    push_set(L, vidx);
    set = lua_gettop(L);
    for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, top + 1); i <= n; i++) {
        lua_rawgeti(L, top + 1, i);
        if (!in_set(L, set, set + 1))
            insert_at(L, vidx, (lua_Integer)lua_rawlen(L, vidx) + 1, set + 1);
        lua_settop(L, set);
    }
    if (lua_getiuservalue(L, cidx, AGL_LU_REMOVED) == LUA_TTABLE) {
        int removed = lua_gettop(L);
        for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, removed); i <= n; i++) {
            lua_rawgeti(L, removed, i);
            lua_Integer at = find_member(L, vidx, removed + 1);
            if (at)
                remove_at(L, vidx, at);
            lua_settop(L, removed);
        }
    }
    lua_settop(L, top);
}

void agl_collection_loaded(lua_State *L, int cidx, int vidx)
{
    agl_collection *c = lua_touserdata(L, cidx);
    cidx = lua_absindex(L, cidx);
    vidx = lua_absindex(L, vidx);
    if (c->box.flags & AGL_COLL_QUEUE) {
        push_copy(L, vidx);
        lua_setiuservalue(L, cidx, AGL_LU_BEFORE);
        apply_queue(L, cidx, vidx);
        c->box.flags &= (uint16_t)~AGL_COLL_QUEUE;
    } else {
        lua_pushnil(L);
        lua_setiuservalue(L, cidx, AGL_LU_BEFORE);
    }
    lua_pushvalue(L, vidx);
    lua_setiuservalue(L, cidx, AGL_LU_ITEMS);
    lua_pushnil(L);
    lua_setiuservalue(L, cidx, AGL_LU_REMOVED);
}

/* ---- assignment of a whole list ---- */

/* Push a fresh array of the members given at vidx (a table or a collection), each checked. */
static void push_members(lua_State *L, const ag_mapper *m, const ag_relation *rel, int vidx)
{
    int t;
    if (agl_test(L, vidx, AGL_K_COLLECTION)) {
        lua_getiuservalue(L, vidx, AGL_LU_ITEMS);
        t = lua_gettop(L);
    } else if (lua_istable(L, vidx)) {
        lua_pushvalue(L, vidx);
        t = lua_gettop(L);
    } else {
        agl_error(L, AG_EXC_ARGUMENT, "%s.%s takes an array of objects of class %s, not %s", m->name.p, rel->key.p,
                  rel->target->name.p, agl_describe(L, vidx, false));
        return;
    }
    push_copy(L, t);
    lua_remove(L, t);
    for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, t); i <= n; i++) {
        lua_rawgeti(L, t, i);
        (void)agl_link_check(L, m, rel, -1);
        lua_pop(L, 1);
    }
}

/* For each of the array at t that is not in the set: sync with the other side. */
static void sync_each(lua_State *L, int oidx, const ag_entity *e, const ag_relation *rel, int t, int set, bool add)
{
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, t); i++) {
        lua_rawgeti(L, t, i);
        if (!in_set(L, set, lua_gettop(L))) {
            agl_link_orphan(L, rel, lua_gettop(L), !add);
            if (add) {
                agl_link_sync_add(L, oidx, rel, lua_gettop(L));
                agl_link_cascade(L, e, rel, lua_gettop(L));
            } else
                agl_link_sync_remove(L, oidx, rel, lua_gettop(L));
        }
        lua_pop(L, 1);
    }
}

void agl_collection_assign(lua_State *L, int oidx, ag_entity *e, const ag_mapper *m, const ag_relation *rel, int vidx)
{
    int top = lua_gettop(L), cidx, old, now;
    luaL_checkstack(L, 20, "collection");
    push_members(L, m, rel, vidx);
    now = top + 1;
    agl_collection_push(L, oidx, e, rel->index, false);
    cidx = top + 2;
    touch(L, cidx, oidx, e, m);
    lua_getiuservalue(L, cidx, AGL_LU_ITEMS);
    push_copy(L, top + 3);
    lua_remove(L, top + 3);
    old = top + 3;
    lua_pushvalue(L, now);
    lua_setiuservalue(L, cidx, AGL_LU_ITEMS);
    push_set(L, now);
    sync_each(L, oidx, e, rel, old, top + 4, false);
    push_set(L, old);
    sync_each(L, oidx, e, rel, now, top + 5, true);
    lua_settop(L, top);
}

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
        bool there = find_member(L, lua_gettop(L), vidx) != 0;
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
    (void)take(L, &x, 2);
    lua_settop(L, 2);
    return 1;
}

static int coll_contains(lua_State *L)
{
    (void)agl_check(L, 1, AGL_K_COLLECTION);
    agl_check_top(L, 2);
    if (!agl_entity_test(L, 2))
        return agl_typeerror(L, 2, "a mapped object");
    lua_getiuservalue(L, 1, AGL_LU_ITEMS);
    lua_pushboolean(L, find_member(L, lua_gettop(L), 2) != 0);
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
    at = find_member(L, 3, 2);
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
    agl_collection_assign(L, x.owner, x.e, x.m, x.rel, lua_gettop(L));
    return 0;
}

static int coll_extend(lua_State *L)
{
    coll x;
    int members;
    (void)agl_check(L, 1, AGL_K_COLLECTION);
    agl_check_top(L, 2);
    lua_settop(L, 2);
    x = open_coll(L);
    push_members(L, x.m, x.rel, 2);
    members = lua_gettop(L);
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
    push_copy(L, lua_gettop(L));
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
    return agl_error(L, AG_EXC_ARGUMENT,
                     "a collection has no attribute %s; its methods are append, insert, remove, pop, contains, "
                     "index, clear, extend, all, each",
                     agl_describe(L, 2, false));
}

/* collection[i] = object (i from 1 to # + 1), collection[i] = nil */
static int coll_newindex(lua_State *L)
{
    coll x;
    lua_Integer at, n;
    (void)agl_check(L, 1, AGL_K_COLLECTION);
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

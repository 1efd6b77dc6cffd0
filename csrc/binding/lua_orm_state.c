/* The ORM of a Lua state: session slots, the Lua functions that C calls, and which FROM nodes mean classes. */
#include "binding/lua_orm.h"
#include "binding/module.h"
#include <string.h>

static const char orm_key;

enum { UV_SESSIONS = 1, UV_HOOKS, UV_FROMS, UV_LAST = UV_FROMS };

/* ORDER agl_orm_hook_id */
static const char *const hook_names[AGL_OH_COUNT + 1] = {
    "?",     "configure", "refresh", "lazy",   "validate", "member", "class_index", "descriptor_get", "descriptor_set",
    "init",  "flush",     "event",   "loaded", "relation", "join",   "get",         "init_scalar",    "large",
    "keyed", "keyed_set", "attach",  "column", NULL};

agl_orm *agl_orm_get(lua_State *L)
{
    agl_orm *o;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &orm_key);
    o = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (!o || !o->orm)
        luaL_error(L, "argent.core was closed");
    return o;
}

static void push_part(lua_State *L, int uv)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &orm_key);
    lua_getiuservalue(L, -1, uv);
    lua_remove(L, -2);
}

void agl_orm_hook(lua_State *L, agl_orm_hook_id id)
{
    luaL_checkstack(L, 12, "argent");
    push_part(L, UV_HOOKS);
    if (lua_rawgeti(L, -1, id) == LUA_TNIL)
        agl_error(L, AG_EXC_INVALID_REQUEST, "argent.orm is not loaded (hook '%s')", hook_names[id]);
    lua_remove(L, -2);
}

void agl_orm_push_sessions(lua_State *L)
{
    push_part(L, UV_SESSIONS);
}

void agl_orm_register_from(lua_State *L, const ag_node *from, int idx)
{
    idx = lua_absindex(L, idx);
    push_part(L, UV_FROMS);
    lua_pushvalue(L, idx);
    lua_rawsetp(L, -2, from);
    lua_pop(L, 1);
}

int agl_orm_push_from(lua_State *L, const ag_node *from)
{
    int type;
    push_part(L, UV_FROMS);
    type = lua_rawgetp(L, -1, from);
    lua_remove(L, -2);
    return type;
}

/* orm_watch(): from now on what enters sessions is told to the attach hook, and loaders give all new objects */
static int orm_watch(lua_State *L)
{
    agl_orm_get(L)->watch = true;
    return 0;
}

/* orm_hooks{refresh = function …}: set the given ones */
static int orm_hooks(lua_State *L)
{
    agl_check_table(L, 1);
    lua_settop(L, 1);
    push_part(L, UV_HOOKS);
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        int id = 0;
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        for (int i = 1; i < AGL_OH_COUNT; i++)
            if (strcmp(hook_names[i], name) == 0)
                id = i;
        if (!id || lua_type(L, -1) != LUA_TFUNCTION)
            return agl_unknown(L, AG_EXC_ARGUMENT, "hook", name, hook_names + 1);
        lua_rawseti(L, 2, id);
    }
    return 0;
}

static void release_orm(void *obj)
{
    ag_orm_unref(obj);
}

static int orm_gc(lua_State *L)
{
    agl_orm *o = lua_touserdata(L, 1);
    agl_state *st = o->st;
    if (!st)
        return 0;
    o->st = NULL;
    if (o->orm)
        agl_defer(st, L, release_orm, o->orm);
    o->orm = NULL;
    agl_state_unref(st);
    return 0;
}

static void push_weak_table(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
}

void agl_open_orm(lua_State *L)
{
    static const luaL_Reg meta[] = {{"__gc", orm_gc}, {NULL, NULL}};
    static const agl_class cls = {.name = "orm state", .meta = meta};
    static const luaL_Reg fns[] = {{"orm_hooks", orm_hooks}, {"orm_watch", orm_watch}, {NULL, NULL}};
    agl_orm *o;
    agl_class_open(L, AGL_K_ORM_STATE, &cls);
    o = agl_box_new(L, AGL_K_ORM_STATE, sizeof *o, UV_LAST);
    o->st = agl_state_ref(L);
    agl_must(L, ag_orm_new(&o->orm, o->st->types, &o->st->alloc, agl_err(L)), agl_err(L));
    push_weak_table(L);
    lua_setiuservalue(L, -2, UV_SESSIONS);
    lua_newtable(L);
    lua_setiuservalue(L, -2, UV_HOOKS);
    push_weak_table(L);
    lua_setiuservalue(L, -2, UV_FROMS);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &orm_key);
    agl_functions_internal(L, fns);
    agl_open_orm_class(L);
    agl_open_orm_entity(L);
    agl_open_orm_collection(L);
    agl_open_orm_session(L);
    agl_open_orm_load(L);
    agl_open_orm_query(L);
}

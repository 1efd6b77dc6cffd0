/* Error classes. registry[classes_key] maps name → class and class → metatable of its objects. A class is a table
 * {name, parent}; an error object a table whose metatable's `class` field names its class. */
#include "binding/exc.h"
#include "binding/module.h"
#include "binding/raise.h"
#include <string.h>

static const char classes_key, class_meta_key;

/* Is the table at idx a class? */
static bool is_class(lua_State *L, int idx)
{
    bool is;
    if (lua_type(L, idx) != LUA_TTABLE || !lua_getmetatable(L, idx))
        return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &class_meta_key);
    is = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is;
}

/* Push the class of the error object at idx; false (nothing pushed) when it is none of ours. */
static bool push_class_of(lua_State *L, int idx)
{
    if (lua_type(L, idx) != LUA_TTABLE || !lua_getmetatable(L, idx))
        return false;
    lua_pushliteral(L, "class");
    lua_rawget(L, -2);
    lua_remove(L, -2);
    if (is_class(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

/* e:is(cls) */
static int error_is(lua_State *L)
{
    if (!push_class_of(L, 1))
        return agl_argerror(L, 1, "expected an error object, got %s", agl_describe(L, 1, false));
    if (!is_class(L, 2))
        return agl_error(L, AG_EXC_ARGUMENT, "bad argument #1 to error:is: expected a class of ag.exc, got %s",
                         agl_describe(L, 2, false));
    lua_settop(L, 3);
    while (lua_istable(L, 3)) {
        if (lua_rawequal(L, 2, 3)) {
            lua_pushboolean(L, 1);
            return 1;
        }
        lua_getfield(L, 3, "parent");
        lua_replace(L, 3);
    }
    lua_pushboolean(L, 0);
    return 1;
}

static void add_field(lua_State *L, luaL_Buffer *b, const char *field, const char *before, const char *after)
{
    lua_pushstring(L, field);
    if (lua_rawget(L, 1) == LUA_TSTRING && lua_rawlen(L, -1) > 0) {
        lua_pushstring(L, before);
        lua_insert(L, -2);
        lua_pushstring(L, after);
        lua_concat(L, 3);
        luaL_addvalue(b);
    } else
        lua_pop(L, 1);
}

/* "app.lua:12: IntegrityError: message\nDETAIL: …\n[SQL: …]\n[parameters: …]" */
static int error_tostring(lua_State *L)
{
    luaL_Buffer b;
    lua_settop(L, 1);
    if (!push_class_of(L, 1))
        return luaL_error(L, "not an error object");
    lua_getfield(L, -1, "name");
    luaL_buffinit(L, &b);
    add_field(L, &b, "where", "", ": ");
    lua_pushvalue(L, 3);
    luaL_addvalue(&b);
    add_field(L, &b, "message", ": ", "");
    add_field(L, &b, "detail", "\nDETAIL: ", "");
    add_field(L, &b, "hint", "\nHINT: ", "");
    add_field(L, &b, "statement", "\n[SQL: ", "]");
    add_field(L, &b, "_params", "\n[parameters: ", "]");
    luaL_pushresult(&b);
    return 1;
}

/* class("message") or class{message = …, field = …}: an error object to raise */
static int class_call(lua_State *L)
{
    lua_settop(L, 2);
    if (!is_class(L, 1))
        return luaL_error(L, "not an error class");
    if (lua_type(L, 2) == LUA_TSTRING) {
        lua_createtable(L, 0, 2);
        lua_pushvalue(L, 2);
        lua_setfield(L, -2, "message");
    } else if (lua_type(L, 2) == LUA_TTABLE && !lua_getmetatable(L, 2))
        lua_pushvalue(L, 2);
    else
        return agl_error(L, AG_EXC_ARGUMENT, "an error is made from a message or a table of fields, got %s",
                         agl_describe(L, 2, false));
    lua_rawgetp(L, LUA_REGISTRYINDEX, &classes_key);
    lua_pushvalue(L, 1);
    lua_rawget(L, -2);
    lua_setmetatable(L, -3);
    lua_pop(L, 1);
    return 1;
}

static int class_tostring(lua_State *L)
{
    lua_getfield(L, 1, "name");
    lua_pushfstring(L, "argent.exc.%s", lua_tostring(L, -1));
    return 1;
}

/* stack: classes table at ct, class at the top: make the metatable of its objects */
static void make_object_meta(lua_State *L, int ct)
{
    int cls = lua_gettop(L);
    lua_createtable(L, 0, 4);
    lua_createtable(L, 0, 3);
    lua_pushcfunction(L, error_is);
    lua_setfield(L, -2, "is");
    lua_pushvalue(L, cls);
    lua_setfield(L, -2, "class");
    lua_getfield(L, cls, "name");
    lua_setfield(L, -2, "name");
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, error_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushvalue(L, cls);
    lua_setfield(L, -2, "class");
    lua_getfield(L, cls, "name");
    lua_setfield(L, -2, "__name");
    lua_pushvalue(L, cls);
    lua_insert(L, -2);
    lua_rawset(L, ct);
}

/* Push a new class with the parent at index parent (0 none) and enter it. classes table at ct. */
static void make_class(lua_State *L, int ct, const char *name, int parent, int id)
{
    lua_createtable(L, 0, 3);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "name");
    lua_pushinteger(L, id);
    lua_setfield(L, -2, "id");
    if (parent) {
        lua_pushvalue(L, parent);
        lua_setfield(L, -2, "parent");
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &class_meta_key);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, ct, name);
    make_object_meta(L, ct);
}

void agl_exc_push(lua_State *L, ag_exc cls)
{
    int ct, parent = 0;
    luaL_checkstack(L, 12, "error class");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &classes_key);
    ct = lua_gettop(L);
    if (lua_getfield(L, ct, ag_exc_name(cls)) == LUA_TNIL) {
        lua_pop(L, 1);
        if (cls != AG_EXC_ERROR) {
            agl_exc_push(L, ag_exc_parent(cls));
            parent = lua_gettop(L);
        }
        make_class(L, ct, ag_exc_name(cls), parent, (int)cls);
    }
    lua_replace(L, ct);
    lua_settop(L, ct);
}

void agl_exc_push_meta(lua_State *L, ag_exc cls)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &classes_key);
    agl_exc_push(L, cls);
    lua_rawget(L, -2);
    lua_remove(L, -2);
}

int agl_exc_of(lua_State *L, int idx)
{
    int id;
    if (!push_class_of(L, idx))
        return -1;
    lua_getfield(L, -1, "id");
    id = (int)lua_tointeger(L, -1);
    lua_pop(L, 2);
    return id;
}

/* exc_class(name) → class or nil */
static int exc_class(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    for (int i = 0; i < AG_EXC_COUNT; i++)
        if (strcmp(name, ag_exc_name((ag_exc)i)) == 0) {
            agl_exc_push(L, (ag_exc)i);
            return 1;
        }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &classes_key);
    lua_getfield(L, -1, name);
    return 1;
}

/* exc_names() → array of the names of the core's classes */
static int exc_names(lua_State *L)
{
    lua_createtable(L, AG_EXC_COUNT, 0);
    for (int i = 0; i < AG_EXC_COUNT; i++) {
        lua_pushstring(L, ag_exc_name((ag_exc)i));
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* exc_define(name, parent) → class; for classes that only Lua raises */
static int exc_define(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    int id;
    luaL_argcheck(L, is_class(L, 2), 2, "class expected");
    lua_settop(L, 2);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &classes_key);
    lua_getfield(L, 2, "id");
    id = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    make_class(L, 3, name, 2, id);
    return 1;
}

/* exc_is_error(v) → is it an error object of ours? */
static int exc_is_error(lua_State *L)
{
    lua_pushboolean(L, lua_gettop(L) > 0 && agl_exc_of(L, 1) >= 0);
    return 1;
}

/* arg_error(level, class name, message, fields): raise from Lua code with the caller's place */
static int exc_raise(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lua_settop(L, 3);
    lua_pushcfunction(L, exc_class);
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    luaL_argcheck(L, is_class(L, 4), 1, "class name expected");
    if (lua_isnil(L, 3)) {
        lua_newtable(L);
        lua_replace(L, 3);
    }
    lua_pushvalue(L, 2);
    lua_setfield(L, 3, "message");
    agl_push_where(L);
    lua_setfield(L, 3, "where");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &classes_key);
    lua_pushvalue(L, 4);
    lua_rawget(L, -2);
    lua_setmetatable(L, 3);
    lua_settop(L, 3);
    return lua_error(L);
}

static const luaL_Reg functions[] = {
    {"exc_class", exc_class},       {"exc_names", exc_names}, {"exc_define", exc_define},
    {"exc_is_error", exc_is_error}, {"exc_raise", exc_raise}, {NULL, NULL},
};

void agl_open_raise(lua_State *L)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &classes_key);
    lua_createtable(L, 0, 3);
    lua_pushcfunction(L, class_call);
    lua_setfield(L, -2, "__call");
    lua_pushcfunction(L, class_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "argent.exc");
    lua_setfield(L, -2, "__metatable");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &class_meta_key);
    agl_functions_internal(L, functions);
}

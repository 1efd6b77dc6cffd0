/* Boxes and classes. Metatables live in the registry under static addresses, one for each kind. */
#include "binding/box.h"
#include "binding/hint.h"
#include "binding/raise.h"
#include "binding/state.h"
#include <string.h>

static const char metatable_key[AGL_KIND_COUNT];
static const char methods_key[AGL_KIND_COUNT];

static const char *const kind_names[AGL_KIND_COUNT] = {
    "no box",
#define X(id, name, role) name,
#include "binding/kinds.def"
#undef X
};

const char *agl_kind_name(agl_kind kind)
{
    return (unsigned)kind < AGL_KIND_COUNT ? kind_names[kind] : "?";
}

agl_kind agl_kind_at(lua_State *L, int idx)
{
    const agl_box *b = lua_touserdata(L, idx);
    if (!b || lua_rawlen(L, idx) < sizeof(agl_box)) /* light userdata: length 0 */
        return AGL_K_NONE;
    return b->magic == AGL_MAGIC && b->kind < AGL_KIND_COUNT ? (agl_kind)b->kind : AGL_K_NONE;
}

void *agl_test(lua_State *L, int idx, agl_kind kind)
{
    agl_box *b = lua_touserdata(L, idx);
    if (!b || lua_rawlen(L, idx) < sizeof(agl_box)) /* light userdata: length 0 */
        return NULL;
    return b->magic == AGL_MAGIC && b->kind == kind ? b : NULL;
}

void *agl_check(lua_State *L, int arg, agl_kind kind)
{
    void *b = agl_test(L, arg, kind);
    if (b)
        return b;
    const char *name = agl_kind_name(kind), *got = agl_describe(L, arg, false);
    agl_argerror(L, arg, "expected %s %s, got %s", strchr("AEIOUaeiou", name[0]) ? "an" : "a", name, got);
    return NULL;
}

void *agl_box_new(lua_State *L, agl_kind kind, size_t size, int nuv)
{
    agl_box *b = lua_newuserdatauv(L, size, nuv);
    memset(b, 0, size);
    b->magic = AGL_MAGIC;
    b->kind = (uint16_t)kind;
    agl_class_push(L, kind);
    lua_setmetatable(L, -2);
    return b;
}

void *agl_box_new_raw(lua_State *L, agl_kind kind, size_t size, int nuv, int mt)
{
    agl_box *b;
    if (mt)
        mt = lua_absindex(L, mt);
    b = lua_newuserdatauv(L, size, nuv);
    b->magic = AGL_MAGIC;
    b->kind = (uint16_t)kind;
    b->flags = 0;
    if (mt) {
        lua_pushvalue(L, mt);
        lua_setmetatable(L, -2);
    }
    return b;
}

void agl_box_anchor(lua_State *L, int box_idx, int n, int idx)
{
    box_idx = lua_absindex(L, box_idx);
    lua_pushvalue(L, idx);
    lua_setiuservalue(L, box_idx, n);
}

void *agl_scratch(lua_State *L, size_t size)
{
    return lua_newuserdatauv(L, size ? size : 1, 0);
}

/* ---- classes ---- */

void agl_class_push(lua_State *L, agl_kind kind)
{
    if (agl_state_upvalue(L))
        lua_getiuservalue(L, lua_upvalueindex(1), (int)kind);
    else
        lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key[kind]);
}

void agl_class_push_methods(lua_State *L, agl_kind kind)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &methods_key[kind]);
}

#define MOST_NAMES 255

/* The names that are keys of the table at idx. */
static void add_names(lua_State *L, int idx, const char **names, size_t *n)
{
    int top = lua_gettop(L);
    lua_pushnil(L);
    while (*n < MOST_NAMES && lua_next(L, idx)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING)
            names[(*n)++] = lua_tostring(L, -1);
    }
    lua_settop(L, top);
}

/* The name is at 2. */
static int raise_unknown(lua_State *L, const char *class_name, const char *const *names, size_t n)
{
    const char *near = ag_nearest(lua_tostring(L, 2), names, n);
    if (near)
        return agl_error(L, AG_EXC_ARGUMENT, "%s has no attribute '%s'; did you mean '%s'?", class_name,
                         lua_tostring(L, 2), near);
    return agl_error(L, AG_EXC_ARGUMENT, "%s has no attribute '%s'", class_name, lua_tostring(L, 2));
}

int agl_unknown_name(lua_State *L, int methods, const char *const *fields, const char *class_name)
{
    const char *names[MOST_NAMES + 1];
    size_t n = 0;
    if (lua_type(L, 2) != LUA_TSTRING)
        return agl_error(L, AG_EXC_ARGUMENT, "%s has no attribute %s", class_name, agl_describe(L, 2, false));
    for (; fields && fields[n]; n++)
        names[n] = fields[n];
    add_names(L, methods, names, &n);
    return raise_unknown(L, class_name, names, n);
}

/* Raise for a name that neither methods nor getters know. Upvalues as of class_index. */
static int unknown_attribute(lua_State *L)
{
    const char *names[MOST_NAMES + 1];
    agl_kind kind = (agl_kind)lua_tointeger(L, lua_upvalueindex(3));
    const char *class_name = agl_kind_name(kind);
    bool named = lua_type(L, 2) == LUA_TSTRING;
    size_t n = 0;
    const char *hint = agl_hint(kind, named ? lua_tostring(L, 2) : NULL);
    if (hint && named)
        return agl_error(L, AG_EXC_ARGUMENT, "%s has no attribute '%s': %s", class_name, lua_tostring(L, 2), hint);
    if (!named)
        return agl_error(L, AG_EXC_ARGUMENT, "%s has no attribute %s%s%s", class_name, agl_describe(L, 2, false),
                         hint ? ": " : "", hint ? hint : "");
    if (agl_is_column_of(L))
        return agl_error(L, AG_EXC_ARGUMENT, "%s has no attribute '%s'; did you mean 'c.%s'?", class_name,
                         lua_tostring(L, 2), lua_tostring(L, 2));
    for (int up = 1; up <= 2; up++)
        add_names(L, lua_upvalueindex(up), names, &n);
    return raise_unknown(L, class_name, names, n);
}

int agl_accessor_done(lua_State *L, int status, lua_KContext ctx)
{
    (void)L;
    (void)status;
    return (int)ctx;
}

/* upvalues: methods, getters, kind, class */
static int class_index(lua_State *L)
{
    const agl_class *cls = lua_touserdata(L, lua_upvalueindex(4));
    lua_settop(L, 2);
    if (cls->before && cls->before(L))
        return 1;
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;
    lua_pop(L, 1);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_callk(L, 1, 1, 1, agl_accessor_done);
        return 1;
    }
    lua_settop(L, 2);
    if (cls->after && cls->after(L))
        return 1;
    return unknown_attribute(L);
}

/* upvalues: setters, getters, kind */
static int class_newindex(lua_State *L)
{
    agl_kind kind = (agl_kind)lua_tointeger(L, lua_upvalueindex(3));
    lua_settop(L, 3);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
        lua_insert(L, 1);
        lua_remove(L, 3);
        lua_callk(L, 2, 0, 0, agl_accessor_done);
        return 0;
    }
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL)
        return agl_error(L, AG_EXC_ARGUMENT, "attribute '%s' of a %s cannot be assigned", luaL_tolstring(L, 2, NULL),
                         agl_kind_name(kind));
    lua_settop(L, 2);
    return unknown_attribute(L);
}

void agl_setfuncs(lua_State *L, const luaL_Reg *regs)
{
    agl_state_push(L);
    luaL_setfuncs(L, regs, 1);
}

static void push_function_table(lua_State *L, const luaL_Reg *regs, const luaL_Reg *base)
{
    lua_newtable(L);
    if (base)
        agl_setfuncs(L, base);
    if (regs)
        agl_setfuncs(L, regs);
}

/* methods of a class with those that its base class has by now (Lua-written ones too) */
static void push_methods(lua_State *L, const agl_class *cls)
{
    lua_newtable(L);
    if (cls->base != AGL_K_NONE) {
        agl_class_push_methods(L, cls->base);
        lua_pushnil(L);
        while (lua_next(L, -2)) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, -5);
        }
        lua_pop(L, 1);
    }
    if (cls->methods)
        agl_setfuncs(L, cls->methods);
    if (cls->more_methods)
        agl_setfuncs(L, cls->more_methods);
}

/* The __index of a class without getters is its table of methods, which Lua reads by itself; only a name that is not there comes
 * here. upvalues as of class_index; the first argument is the table of methods. */
static int class_missing(lua_State *L)
{
    lua_settop(L, 2);
    return unknown_attribute(L);
}

static void set_closure(lua_State *L, int mt, const char *field, lua_CFunction fn, int up1, int up2, agl_kind kind,
                        const agl_class *cls)
{
    lua_pushvalue(L, up1);
    lua_pushvalue(L, up2);
    lua_pushinteger(L, kind);
    lua_pushlightuserdata(L, (void *)(uintptr_t)cls);
    lua_pushcclosure(L, fn, 4);
    lua_setfield(L, mt, field);
}

void agl_class_open(lua_State *L, agl_kind kind, const agl_class *cls)
{
    agl_state *st = agl_state_get(L);
    const agl_class *base = cls->base != AGL_K_NONE ? st->classes[cls->base] : NULL;
    int top = lua_gettop(L), mt = top + 1;
    luaL_checkstack(L, 12, "class");
    const agl_class *hooks = cls->before || cls->after || !base ? cls : base;
    st->classes[kind] = cls;
    lua_newtable(L);
    push_methods(L, cls);                                              /* top + 2 */
    push_function_table(L, cls->getters, base ? base->getters : NULL); /* top + 3 */
    push_function_table(L, cls->setters, base ? base->setters : NULL); /* top + 4 */
    if (cls->getters || hooks->before || hooks->after || (base && base->getters)) {
        set_closure(L, mt, "__index", class_index, top + 2, top + 3, kind, hooks);
    } else {
        lua_pushvalue(L, top + 2);
        lua_setfield(L, mt, "__index");
        lua_createtable(L, 0, 1);
        set_closure(L, lua_gettop(L), "__index", class_missing, top + 2, top + 3, kind, cls);
        lua_setmetatable(L, top + 2);
    }
    set_closure(L, mt, "__newindex", class_newindex, top + 4, top + 3, kind, cls);
    lua_pushfstring(L, "argent.%s", cls->name);
    lua_pushvalue(L, -1);
    lua_setfield(L, mt, "__name");
    lua_setfield(L, mt, "__metatable");
    lua_pushvalue(L, mt);
    if (cls->meta || (base && base->meta))
        agl_setfuncs(L, cls->meta ? cls->meta : base->meta);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &metatable_key[kind]);
    agl_state_push(L);
    lua_pushvalue(L, mt);
    lua_setiuservalue(L, -2, (int)kind);
    lua_pushvalue(L, top + 2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &methods_key[kind]);
    lua_settop(L, top);
}

void agl_class_push_copy(lua_State *L, agl_kind kind)
{
    lua_createtable(L, 0, 12);
    agl_class_push(L, kind);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -5);
    }
    lua_pop(L, 1);
}

void agl_function_names(lua_State *L, const luaL_Reg *regs)
{
    agl_state *st = agl_state_get(L);
    if (st->nfunctions < sizeof st->functions / sizeof st->functions[0])
        st->functions[st->nfunctions++] = regs;
}

void agl_functions(lua_State *L, const luaL_Reg *regs)
{
    agl_function_names(L, regs);
    agl_setfuncs(L, regs);
}

void agl_internal_name(lua_State *L, int idx, const char *name)
{
    luaL_getsubtable(L, idx, "internal");
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

void agl_functions_internal(lua_State *L, const luaL_Reg *regs)
{
    agl_setfuncs(L, regs);
    luaL_getsubtable(L, -1, "internal");
    for (; regs->name; regs++) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, regs->name);
    }
    lua_pop(L, 1);
}

static const char *find_in(const luaL_Reg *r, lua_CFunction fn)
{
    for (; r && r->name; r++)
        if (r->func == fn)
            return r->name;
    return NULL;
}

static const char *find_in_class(const agl_class *c, lua_CFunction fn)
{
    const luaL_Reg *lists[] = {c->methods, c->more_methods, c->getters, c->setters, c->meta};
    const char *name = NULL;
    for (size_t i = 0; !name && i < sizeof lists / sizeof lists[0]; i++)
        name = find_in(lists[i], fn);
    return name;
}

bool agl_method_name(lua_State *L, lua_CFunction fn, agl_kind kind, const char **cls, const char **name)
{
    const agl_state *st = agl_state_get(L);
    for (agl_kind k = kind; k != AGL_K_NONE && st->classes[k]; k = st->classes[k]->base) {
        if ((*name = find_in_class(st->classes[k], fn))) {
            *cls = st->classes[kind]->name;
            return true;
        }
    }
    return false;
}

bool agl_function_name(lua_State *L, lua_CFunction fn, const char **cls, const char **name, bool *is_method)
{
    agl_state *st = agl_state_get(L);
    for (unsigned i = 0; i < st->nfunctions; i++)
        if ((*name = find_in(st->functions[i], fn))) {
            *cls = "ag";
            *is_method = false;
            return true;
        }
    for (int k = 0; k < AGL_KIND_COUNT; k++) {
        const agl_class *c = st->classes[k];
        if (c && (*name = find_in_class(c, fn))) {
            *cls = c->name;
            *is_method = true;
            return true;
        }
    }
    return false;
}

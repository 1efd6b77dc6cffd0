/* Spike 5: the two orders of a binding function under an allocator that fails at every point. One Lua state whose
 * allocator, and a "core" whose allocator, are the same counter; the k-th allocation fails, for every k, once or from then on.
 * What is still live in the core after lua_close is a leak. The function under test does what conn:execute does: it makes an
 * output handle, converts a table of strings into core memory, runs a core call that allocates a result, and fills the handle. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long countdown, total, core_live;
static int forever;

static int fails(void)
{
    total++;
    if (countdown == 0)
        return 0;
    if (--countdown > 0)
        return 0;
    if (forever)
        countdown = 1;
    return 1;
}

static void *lua_alloc(void *ud, void *p, size_t osize, size_t nsize)
{
    (void)ud;
    if (nsize == 0) {
        free(p);
        return NULL;
    }
    if ((p == NULL || nsize > osize) && fails())
        return NULL;
    return realloc(p, nsize);
}

static void *core_new(size_t n)
{
    void *p = fails() ? NULL : malloc(n);
    core_live += p != NULL;
    return p;
}

static void core_free(void *p)
{
    core_live -= p != NULL;
    free(p);
}

/* ---- the core: a result made of parameters; a list of strings ---- */
typedef struct item { struct item *next; char text[32]; } item;
typedef struct result { item *rows; } result;

static void items_free(item *i)
{
    while (i) {
        item *n = i->next;
        core_free(i);
        i = n;
    }
}

static int items_add(item **list, const char *s)
{
    item *i = core_new(sizeof *i);
    if (!i)
        return 0;
    strncpy(i->text, s, sizeof i->text - 1);
    i->text[sizeof i->text - 1] = 0;
    i->next = *list;
    *list = i;
    return 1;
}

static result *core_execute(const item *params)
{
    result *r = core_new(sizeof *r);
    if (!r)
        return NULL;
    r->rows = NULL;
    for (; params; params = params->next)
        if (!items_add(&r->rows, params->text)) {
            items_free(r->rows);
            core_free(r);
            return NULL;
        }
    return r;
}

typedef struct handle { result *r; } handle;
typedef struct scope { item *params; } scope;

static int handle_gc(lua_State *L)
{
    handle *h = lua_touserdata(L, 1);
    if (h->r) {
        items_free(h->r->rows);
        core_free(h->r);
        h->r = NULL;
    }
    return 0;
}

static int scope_end(lua_State *L)
{
    scope *s = lua_touserdata(L, 1);
    items_free(s->params);
    s->params = NULL;
    return 0;
}

/* Number n as text: allocates in Lua, as reading a decimal or JSON value does. */
static const char *field(lua_State *L, int i)
{
    lua_rawgeti(L, 1, i);
    lua_pushfstring(L, "value-%d-%s", i, lua_tostring(L, -1));
    return lua_tostring(L, -1);
}

static int acquire_then_box(lua_State *L)
{
    item *params = NULL;
    result *r;
    handle *h;
    for (int i = 1; i <= 8; i++) {
        if (!items_add(&params, field(L, i))) {
            items_free(params);
            return luaL_error(L, "out of memory");
        }
        lua_pop(L, 2);
    }
    r = core_execute(params);
    items_free(params);
    if (!r)
        return luaL_error(L, "out of memory");
    h = lua_newuserdatauv(L, sizeof *h, 0);
    h->r = r;
    luaL_setmetatable(L, "handle");
    return 1;
}

static int box_first(lua_State *L)
{
    handle *h = lua_newuserdatauv(L, sizeof *h, 0);
    scope *s;
    h->r = NULL;
    luaL_setmetatable(L, "handle");
    s = lua_newuserdatauv(L, sizeof *s, 0);
    s->params = NULL;
    luaL_setmetatable(L, "scope");
    lua_toclose(L, lua_gettop(L));
    for (int i = 1; i <= 8; i++) {
        if (!items_add(&s->params, field(L, i)))
            return luaL_error(L, "out of memory");
        lua_pop(L, 2);
    }
    h->r = core_execute(s->params);
    if (!h->r)
        return luaL_error(L, "out of memory");
    lua_pushvalue(L, -2);
    return 1;
}

static int setup(lua_State *L)
{
    luaL_newmetatable(L, "handle");
    lua_pushcfunction(L, handle_gc);
    lua_setfield(L, -2, "__gc");
    luaL_newmetatable(L, "scope");
    lua_pushcfunction(L, scope_end);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__gc");
    lua_setfield(L, -2, "__close");
    lua_settop(L, 0);
    lua_newtable(L);
    for (int i = 1; i <= 8; i++) {
        lua_pushinteger(L, i * 1000);
        lua_pushfstring(L, "s%d", i);
        lua_remove(L, -2);
        lua_rawseti(L, 1, i);
    }
    lua_setglobal(L, "t");
    return 0;
}

static int call(lua_State *L)
{
    lua_CFunction f = *(lua_CFunction *)lua_touserdata(L, 1);
    lua_settop(L, 0);
    for (int i = 0; i < 3; i++) {
        lua_pushcfunction(L, f);
        lua_getglobal(L, "t");
        lua_call(L, 1, 1);
    }
    return 0;
}

/* 1 when it failed at this point; *leaked is added to */
static int run(lua_CFunction f, long at, int always, int *leaked)
{
    lua_State *L = lua_newstate(lua_alloc, NULL);
    int rc;
    countdown = 0;
    core_live = 0;
    lua_pushcfunction(L, setup);
    lua_call(L, 0, 0);
    lua_pushcfunction(L, call);
    lua_pushlightuserdata(L, &f);
    lua_gc(L, LUA_GCCOLLECT, 0);
    total = 0;
    countdown = at;
    forever = always;
    rc = lua_pcall(L, 1, 0, 0);
    countdown = 0;
    lua_close(L);
    *leaked += core_live != 0;
    return rc != LUA_OK;
}

static void sweep(const char *name, lua_CFunction f)
{
    for (int always = 0; always <= 1; always++) {
        int leaked = 0, failed = 0, none = 0;
        long points;
        run(f, 0, 0, &none);
        points = total;
        for (long k = 1; k <= points; k++)
            failed += run(f, k, always, &leaked);
        printf("%-18s fails %-11s %3ld points, %3d raised, %2d leaked\n", name, always ? "from then on" : "once", points,
               failed, leaked);
    }
}

int main(void)
{
    sweep("acquire then box", acquire_then_box);
    sweep("box first", box_first);
    return 0;
}

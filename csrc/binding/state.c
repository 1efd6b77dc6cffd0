/* One agl_state for each Lua state: allocator, registries, deferred releases. */
#include "binding/host.h"
#include "binding/lua_compile_host.h"
#include "engine/fault_driver.h"
#include <stdlib.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#include <string.h>

static const char state_key, callbacks_key, host_by_id_key, host_ids_key;

typedef struct state_box {
    agl_box box;
    agl_state *st;
} state_box;

/* ---- allocator ---- */

static bool must_fail(agl_memory *m)
{
    if (m->fail_at == 0)
        return false;
    if (m->fail_at > 1) {
        m->fail_at--;
        return false;
    }
    if (!m->fail_forever)
        m->fail_at = 0;
    return true;
}

/* Blocks come and go with every statement, and results die in crowds when the collector runs, which is where malloc's
 * own caches end and it begins to merge and to search. So freed blocks of up to 16 KiB are kept, by class: of up to 512
 * bytes a class a size that malloc has, above it powers of two. The block's own first word links it. Not with the sanitizers,
 * which could not see their misuse then. */
#if defined(AG_DEBUG_ARENA) || !defined(__GLIBC__)
static void *block_new(agl_memory *m, size_t size)
{
    (void)m;
    return malloc(size);
}

static void block_free(agl_memory *m, void *ptr)
{
    (void)m;
    free(ptr);
}
#else
#define SMALL_CLASSES 32u /* usable sizes 24, 40 … 520 */
_Static_assert(AGL_BLOCK_CLASSES == SMALL_CLASSES + 5, "the classes of 1, 2, 4, 8 and 16 KiB follow");

/* The class that serves size, and what malloc is asked for; AGL_BLOCK_CLASSES: none. */
static unsigned class_for(size_t size, size_t *room)
{
    *room = size;
    if (size <= 16 * SMALL_CLASSES + 8)
        return size <= 24 ? 0 : (unsigned)((size + 7) / 16 - 1);
    for (unsigned c = 0; c < AGL_BLOCK_CLASSES - SMALL_CLASSES; c++) {
        *room = (size_t)1024 << c;
        if (size <= *room)
            return SMALL_CLASSES + c;
    }
    *room = size;
    return AGL_BLOCK_CLASSES;
}

/* The class that a block of this usable size can serve: all of its sizes fit, and not much is wasted. */
static unsigned class_of(size_t usable)
{
    if (usable <= 16 * SMALL_CLASSES + 8)
        return usable < 24 ? AGL_BLOCK_CLASSES : (unsigned)((usable - 8) / 16 - 1);
    for (unsigned c = 0; c < AGL_BLOCK_CLASSES - SMALL_CLASSES; c++)
        if (usable >= (size_t)1024 << c && usable < ((size_t)1024 << c) + 64)
            return SMALL_CLASSES + c;
    return AGL_BLOCK_CLASSES;
}

static void *block_new(agl_memory *m, size_t size)
{
    size_t room;
    unsigned c = class_for(size, &room);
    void *p = c < AGL_BLOCK_CLASSES ? m->spare[c] : NULL;
    if (!p)
        return malloc(room);
    memcpy(&m->spare[c], p, sizeof(void *));
    m->spare_bytes -= malloc_usable_size(p);
    return p;
}

static void block_free(agl_memory *m, void *ptr)
{
    size_t usable = malloc_usable_size(ptr);
    unsigned c = class_of(usable);
    if (c == AGL_BLOCK_CLASSES || m->spare_bytes + usable > AGL_BLOCKS_KEPT) {
        free(ptr);
        return;
    }
    memcpy(ptr, &m->spare[c], sizeof(void *));
    m->spare[c] = ptr;
    m->spare_bytes += usable;
}
#endif

static void blocks_clear(agl_memory *m)
{
    for (unsigned c = 0; c < AGL_BLOCK_CLASSES; c++)
        for (void *p = m->spare[c], *next; p; p = next) {
            memcpy(&next, p, sizeof next);
            free(p);
        }
}

static void *state_realloc(void *ud, void *ptr, size_t size)
{
    agl_memory *m = ud;
    void *p;
    if (size == 0) {
        if (ptr) {
            m->live--;
            block_free(m, ptr);
        }
        return NULL;
    }
    m->calls++;
    if (must_fail(m))
        return NULL;
    p = ptr ? realloc(ptr, size) : block_new(m, size);
    if (p && !ptr)
        m->live++;
    return p;
}

/* ---- life ---- */

static void state_free(agl_state *st)
{
    while (st->hosts) {
        agl_host *h = st->hosts;
        st->hosts = h->next;
        free(h);
    }
    while (st->compile_hosts) {
        agl_compile_host *h = st->compile_hosts;
        st->compile_hosts = h->next;
        free(h);
    }
    while (st->spare) {
        agl_scope *s = st->spare;
        st->spare = s->next;
        ag_arena_clear(&s->arena);
        ag_error_clear(&s->err);
        free(s);
    }
    ag_error_clear(&st->err);
    if (st->types)
        ag_types_free(st->types);
    for (size_t i = 0; i < st->faults.len; i++)
        ag_fault_driver_free(st->faults.items[i]);
    agl_dialects_free(st);
    free(st->faults.items);
    free(st->deferred.items);
    if (st->lent.items)
        ag_vec_clear(&st->lent);
    blocks_clear(&st->memory);
    free(st);
}

void agl_state_unref(agl_state *st)
{
    if (st && --st->refs == 0)
        state_free(st);
    else if (st)
        st->handles--;
}

static int state_gc(lua_State *L)
{
    state_box *b = agl_test(L, 1, AGL_K_STATE);
    if (b && b->st) {
        agl_state *st = b->st;
        b->st = NULL;
        st->closing = true;
        agl_deferred_run(st, L);
        st->L = NULL;
        st->handles++; /* the box is no handle */
        agl_state_unref(st);
    }
    return 0;
}

/* The box at the first upvalue of the running function, or NULL. The upvalues of our functions are ours: a userdata among them
 * begins with a box. */
static inline const state_box *upvalue_box(lua_State *L)
{
    const state_box *up = lua_touserdata(L, lua_upvalueindex(1));
    return up && up->box.magic == AGL_MAGIC && up->box.kind == AGL_K_STATE && up->st ? up : NULL;
}

agl_state *agl_state_upvalue(lua_State *L)
{
    const state_box *up = upvalue_box(L);
    return up ? up->st : NULL;
}

void agl_state_push(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &state_key);
}

agl_state *agl_state_get(lua_State *L)
{
    agl_state *st;
    const state_box *up = upvalue_box(L);
    if (up)
        return up->st;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &state_key);
    st = lua_touserdata(L, -1) ? ((state_box *)lua_touserdata(L, -1))->st : NULL;
    lua_pop(L, 1);
    if (!st)
        luaL_error(L, "argent.core is not open in this Lua state");
    return st;
}

static void new_weak_table(lua_State *L, const void *key, const char *mode)
{
    lua_newtable(L);
    if (mode) {
        lua_createtable(L, 0, 1);
        lua_pushstring(L, mode);
        lua_setfield(L, -2, "__mode");
        lua_setmetatable(L, -2);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void agl_state_open(lua_State *L)
{
    state_box *b = lua_newuserdatauv(L, sizeof *b, AGL_KIND_COUNT);
    agl_state *st;
    memset(b, 0, sizeof *b);
    b->box = (agl_box){AGL_MAGIC, AGL_K_STATE, 0};
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, state_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    st = calloc(1, sizeof *st);
    if (!st)
        luaL_error(L, "not enough memory");
    b->st = st;
    st->refs = 1;
    st->L = L;
    st->alloc = (ag_alloc){state_realloc, &st->memory};
    st->next_id = 1;
    ag_error_init(&st->err, &st->alloc);
    new_weak_table(L, &callbacks_key, NULL);
    new_weak_table(L, &host_by_id_key, "v");
    new_weak_table(L, &host_ids_key, "k");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &state_key);
    if (ag_types_new(&st->types, &st->alloc, &st->err) != AG_OK)
        luaL_error(L, "%s", ag_error_message(&st->err));
}

/* Room for one deferred release a handle, from libc and not from the core's allocator: a test that fails allocations
 * must not find this one in its way, and a finaliser must never need it. */
static bool reserve_deferred(agl_state *st)
{
    size_t need = st->deferred.len + st->handles + 2;
    if (need > st->deferred.cap) {
        size_t cap = need + need / 2 + 16;
        void *p = realloc(st->deferred.items, cap * sizeof *st->deferred.items);
        if (!p)
            return false;
        st->deferred.items = p;
        st->deferred.cap = cap;
    }
    return true;
}

agl_state *agl_state_ref(lua_State *L)
{
    return agl_state_ref_quick(L, agl_state_get(L));
}

agl_state *agl_state_ref_quick(lua_State *L, agl_state *st)
{
    if (st->deferred.len)
        agl_deferred_run(st, L);
    if (!reserve_deferred(st))
        luaL_error(L, "not enough memory");
    st->refs++;
    st->handles++;
    return st;
}

ag_error *agl_err(lua_State *L)
{
    agl_state *st = agl_state_get(L);
    ag_error_clear(&st->err);
    st->L = L;
    return &st->err;
}

/* ---- deferred releases ---- */

void agl_defer(agl_state *st, lua_State *L, void (*release)(void *obj), void *obj)
{
    if (st->in_hook == 0 || st->deferred.len >= st->deferred.cap) {
        lua_State *before = st->L;
        st->L = L;
        release(obj);
        st->L = before;
        return;
    }
    st->deferred.items[st->deferred.len++] = (agl_deferred){release, obj};
}

void agl_deferred_run(agl_state *st, lua_State *L)
{
    lua_State *before = st->L;
    st->L = L;
    while (st->in_hook == 0 && st->deferred.len > 0) {
        agl_deferred d = st->deferred.items[--st->deferred.len];
        d.release(d.obj);
    }
    st->L = before;
}

/* ---- numbers for Lua values ---- */

int64_t agl_callback_ref(lua_State *L, int idx)
{
    agl_state *st = agl_state_get(L);
    int64_t id = st->next_id++;
    idx = lua_absindex(L, idx);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &callbacks_key);
    lua_pushvalue(L, idx);
    lua_rawseti(L, -2, id);
    lua_pop(L, 1);
    return id;
}

void agl_callback_unref(lua_State *L, int64_t id)
{
    if (id == 0)
        return;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &callbacks_key);
    if (lua_rawgeti(L, -1, id) != LUA_TNIL) { /* assigning nil to a present key allocates nothing */
        lua_pushnil(L);
        lua_rawseti(L, -3, id);
    }
    lua_pop(L, 2);
}

void agl_callback_push(lua_State *L, int64_t id)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &callbacks_key);
    int type = lua_rawgeti(L, -1, id);
    lua_remove(L, -2);
    if (type == LUA_TNIL) {
        lua_pop(L, 1);
        agl_hostvalue_push(L, id);
    }
}

int64_t agl_hostvalue_id(lua_State *L, int idx)
{
    int64_t id;
    idx = lua_absindex(L, idx);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &host_ids_key);
    lua_pushvalue(L, idx);
    if (lua_rawget(L, -2) == LUA_TNUMBER) {
        id = lua_tointeger(L, -1);
        lua_pop(L, 2);
        return id;
    }
    lua_pop(L, 1);
    id = agl_state_get(L)->next_id++;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &host_by_id_key);
    lua_pushvalue(L, idx);
    lua_rawseti(L, -2, id);
    lua_pop(L, 1);
    lua_pushvalue(L, idx);
    lua_pushinteger(L, id);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    return id;
}

void agl_hostvalue_push(lua_State *L, int64_t id)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &host_by_id_key);
    lua_rawgeti(L, -1, id);
    lua_remove(L, -2);
}

void agl_gc_account(lua_State *L, size_t bytes)
{
    if (bytes < 16384 || lua_gc(L, LUA_GCISRUNNING) != 1)
        return;
#if LUA_VERSION_NUM >= 505
    lua_gc(L, LUA_GCSTEP, bytes);
#else
    lua_gc(L, LUA_GCSTEP, (int)(bytes >> 10 > 1u << 20 ? 1u << 20 : bytes >> 10));
#endif
}

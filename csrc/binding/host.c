/* The operation runner, scopes, and the core's way into Lua. A scope is a C struct (recycled) behind a small userdata;
 * the userdata's user values 1 and 2 anchor the answers of callbacks, alternately, because the core may look at an answer until
 * the step after next; 3 and 4 are the events' (lua_event_args.c). */
#include "binding/host.h"
#include "binding/conv.h"
#include "binding/module.h"
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define SPARE_SCOPES 16
#define SLOT_VALUES  4     /* user values of a slot */
#define BOX_USED     1u    /* flag of a box: user values may be set */
#define SPARE_ARENA  65536 /* an arena that grew beyond is freed, not kept */

typedef struct scope_box {
    agl_box box;
    agl_scope *s;
} scope_box;

enum { FROM_WAIT = 1, FROM_CALL };

static const char scope_meta_key, scope_boxes_key, hook_table_key, nop_key;

/* ---- scopes ---- */

static void scope_recycle(void *obj)
{
    agl_scope *s = obj;
    agl_state *st = s->st;
    if (s->after)
        s->after(s->after_ud);
    if (s->op)
        ag_op_clear(s->op);
    s->op = NULL;
    ag_error_clear(&s->err);
    ag_buf_clear(&s->buf);
    if (st->nspare < SPARE_SCOPES && s->arena.total <= SPARE_ARENA) {
        ag_arena_reset(&s->arena);
        s->next = st->spare;
        st->spare = s;
        st->nspare++;
    } else {
        ag_arena_clear(&s->arena);
        free(s);
    }
    agl_state_unref(st);
}

/* The box at 1 goes back to the spare ones: a new userdata with a finaliser costs more than all the rest of a scope. The table
 * has its places already: nothing is allocated. */
static void box_recycle(lua_State *L, scope_box *b, agl_state *st)
{
    if (st->nboxes >= SPARE_SCOPES || st->closing)
        return;
    if (b->box.flags & BOX_USED)
        for (int uv = 1; uv <= SLOT_VALUES; uv++) {
            lua_pushnil(L);
            lua_setiuservalue(L, 1, uv);
        }
    b->box.flags = 0;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &scope_boxes_key);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, ++st->nboxes);
}

static int scope_gc(lua_State *L)
{
    scope_box *b = agl_test(L, 1, AGL_K_SCOPE);
    if (b && b->s) {
        agl_scope *s = b->s;
        b->s = NULL;
        agl_defer(s->st, L, scope_recycle, s);
    }
    return 0;
}

static int scope_end(lua_State *L)
{
    scope_box *b = agl_test(L, 1, AGL_K_SCOPE);
    if (b && b->s) {
        agl_state *st = b->s->st;
        scope_gc(L);
        box_recycle(L, b, st);
    }
    return 0;
}

/* Push a spare box or a new one. */
static scope_box *box_take(lua_State *L, agl_state *st)
{
    scope_box *b;
    if (st->nboxes > 0) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &scope_boxes_key);
        lua_rawgeti(L, -1, st->nboxes);
        lua_pushboolean(L, 0);
        lua_rawseti(L, -3, st->nboxes--);
        lua_remove(L, -2);
        return lua_touserdata(L, -1);
    }
    b = lua_newuserdatauv(L, sizeof *b, SLOT_VALUES);
    b->box = (agl_box){AGL_MAGIC, AGL_K_SCOPE, 0};
    b->s = NULL;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &scope_meta_key);
    lua_setmetatable(L, -2);
    return b;
}

static agl_scope *scope_take(lua_State *L, agl_state *st)
{
    agl_scope *s = st->spare;
    if (s) {
        ag_arena keep = s->arena;
        st->spare = s->next;
        st->nspare--;
        memset(s, 0, sizeof *s);
        s->arena = keep;
    } else {
        s = calloc(1, sizeof *s);
        if (!s) {
            agl_state_unref(st);
            luaL_error(L, "not enough memory");
            return NULL;
        }
        ag_arena_init(&s->arena, &st->alloc);
    }
    ag_error_init(&s->err, &st->alloc);
    ag_buf_init(&s->buf, &st->alloc);
    s->st = st;
    return s;
}

agl_scope *agl_scope_open(lua_State *L)
{
    scope_box *b;
    agl_scope *s;
    agl_state *st;
    if (!lua_checkstack(L, 40))
        luaL_error(L, "stack overflow");
    st = agl_state_get(L);
    b = box_take(L, st);
    s = scope_take(L, agl_state_ref_quick(L, st));
    b->s = s;
    s->L = s->st->L = L;
    s->self = lua_gettop(L);
    lua_toclose(L, s->self);
    return s;
}

agl_scope *agl_scope_at(lua_State *L, int idx)
{
    scope_box *b = agl_test(L, idx, AGL_K_SCOPE);
    return b ? b->s : NULL;
}

void *agl_scope_new(lua_State *L, agl_scope *s, size_t size)
{
    void *p = ag_arena_zero(&s->arena, 1, size);
    if (!p) {
        ag_fail_nomem(&s->err);
        agl_raise(L, &s->err);
    }
    return p;
}

void agl_scope_push_buf(lua_State *L, agl_scope *s)
{
    if (!ag_buf_ok(&s->buf)) {
        ag_fail_nomem(&s->err);
        agl_raise(L, &s->err);
    }
    lua_pushlstring(L, s->buf.data ? s->buf.data : "", s->buf.len);
}

int agl_scope_raise(lua_State *L, agl_scope *s)
{
    return agl_raise(L, &s->err);
}

void agl_scope_must(lua_State *L, agl_scope *s, ag_status status)
{
    if (status != AG_OK)
        agl_raise(L, &s->err);
}

/* ---- waiting ---- */

static void poll_wait(lua_State *L, const ag_wait *w)
{
    struct pollfd p = {.fd = w->fd, .events = 0, .revents = 0};
    int timeout = -1;
    if (w->mode & AG_WAIT_READ)
        p.events |= POLLIN;
    if (w->mode & AG_WAIT_WRITE)
        p.events |= POLLOUT;
    if (w->deadline != AG_NO_DEADLINE) {
        int64_t us = w->deadline - ag_now_us();
        timeout = us <= 0 ? 0 : us > INT64_C(1000000) * 3600 ? 3600 * 1000 : (int)((us + 999) / 1000);
    }
    (void)poll(&p, w->fd >= 0 ? 1 : 0, timeout);
    /* A pending debug hook (lua.c's Ctrl-C) only runs when Lua code does. */
    if (lua_gethook(L)) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &nop_key);
        lua_call(L, 0, 0);
    }
}

/* Push registry[hook_table_key][host].field */
static int push_hook(lua_State *L, const agl_host *h, const char *field)
{
    int type;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &hook_table_key);
    lua_rawgetp(L, -1, h);
    type = lua_getfield(L, -1, field);
    lua_replace(L, -3);
    lua_pop(L, 1);
    return type;
}

/* Push the hook's time for a monotonic deadline, nil for none. The hook's now() must not yield. */
static void push_deadline(lua_State *L, const agl_host *h, int64_t deadline)
{
    lua_Number now;
    if (deadline == AG_NO_DEADLINE) {
        lua_pushnil(L);
        return;
    }
    if (h->has_now) {
        push_hook(L, h, "now");
        lua_call(L, 0, 1);
        now = lua_tonumber(L, -1);
        lua_pop(L, 1);
        lua_pushnumber(L, now + (lua_Number)(deadline - ag_now_us()) / 1e6);
    } else
        lua_pushnumber(L, (lua_Number)deadline / 1e6);
}

static const char *mode_name(unsigned mode)
{
    return mode == AG_WAIT_READ ? "r" : mode == AG_WAIT_WRITE ? "w" : "rw";
}

/* Push the hook's function and arguments for w; returns the number of arguments. */
static int push_wait(lua_State *L, const agl_host *h, const ag_wait *w)
{
    if (w->fd >= 0) {
        push_hook(L, h, "wait");
        lua_pushinteger(L, w->fd);
        lua_pushstring(L, mode_name(w->mode));
        push_deadline(L, h, w->deadline);
        return 3;
    }
    push_hook(L, h, "park");
    push_deadline(L, h, w->deadline);
    if (w->token)
        lua_pushlightuserdata(L, (void *)(uintptr_t)w->token);
    else
        lua_pushnil(L);
    return 2;
}

/* ---- running ---- */

static int op_loop(lua_State *L, agl_scope *s);

/* After the hook returned: false means "cannot wait here", then poll. */
static void after_wait(lua_State *L, agl_scope *s)
{
    bool refused = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
    lua_settop(L, s->top);
    if (refused)
        poll_wait(L, &s->op->wait);
}

static void after_call(lua_State *L, agl_scope *s, int status)
{
    ag_call *call = &s->op->call;
    if (s->after)
        s->after(s->after_ud);
    s->after = NULL;
    if (status != LUA_OK && status != LUA_YIELD) {
        call->has_value = false;
        ag_error_clear(&call->error);
        agl_error_from_lua(L, -1, &call->error);
        call->failed = true;
    }
    lua_settop(L, s->top);
}

static int run_k(lua_State *L, int status, lua_KContext ctx)
{
    scope_box *b = lua_touserdata(L, (int)ctx);
    agl_scope *s = b->s;
    s->L = L;
    if (s->pending == FROM_WAIT)
        after_wait(L, s);
    else
        after_call(L, s, status);
    return op_loop(L, s);
}

static void do_wait(lua_State *L, agl_scope *s)
{
    ag_wait *w = &s->op->wait;
    if (!s->host || !s->host->base.has_scheduler) {
        poll_wait(L, w);
        return;
    }
    s->pending = FROM_WAIT;
    lua_callk(L, push_wait(L, s->host, w), 1, s->self, run_k);
    after_wait(L, s);
}

static int call_body_k(lua_State *L, int status, lua_KContext ctx)
{
    scope_box *b = lua_touserdata(L, 1);
    (void)status;
    (void)ctx;
    return b->s->answer ? b->s->answer(L, b->s) : 0;
}

/* The protected part of a request: upvalue-free C function with the scope as argument 1. */
static int call_body(lua_State *L)
{
    scope_box *b = lua_touserdata(L, 1);
    agl_scope *s = b->s;
    s->answer = NULL;
    return s->on_call ? s->on_call(L, s, &s->op->call) : agl_engine_on_call(L, s, &s->op->call);
}

int agl_call_lua(lua_State *L, agl_scope *s, int nargs, int nres, agl_finish answer)
{
    s->answer = answer;
    lua_callk(L, nargs, nres, 0, call_body_k);
    return answer ? answer(L, s) : 0;
}

void agl_call_answer(lua_State *L, agl_scope *s, int idx)
{
    ag_call *call = &s->op->call;
    if (!agl_tovalue(L, idx, &call->value))
        agl_error(L, AG_EXC_ARGUMENT, "a callback returned %s, which is no database value",
                  agl_describe(L, idx, false));
    agl_box_anchor(L, 1, 1 + (int)(s->answers++ & 1), idx);
    call->has_value = true;
}

static void do_call(lua_State *L, agl_scope *s)
{
    int status;
    ((scope_box *)lua_touserdata(L, s->self))->box.flags = BOX_USED;
    s->op->call.failed = s->op->call.has_value = false;
    s->pending = FROM_CALL;
    lua_pushcfunction(L, call_body);
    lua_pushvalue(L, s->self);
    status = lua_pcallk(L, 1, 0, 0, s->self, run_k);
    after_call(L, s, status);
}

static int op_failed(lua_State *L, agl_scope *s)
{
    if (s->failed)
        return s->failed(L, s);
    return agl_raise(L, &s->err);
}

static int op_done(lua_State *L, agl_scope *s)
{
    agl_finish finish = s->finish;
    return finish ? finish(L, s) : 0;
}

static int op_loop(lua_State *L, agl_scope *s)
{
    for (;;) {
        ag_step step;
        s->st->L = L;
        if (s->host)
            s->host->base.has_scheduler = s->host->has_hook && lua_isyieldable(L);
        step = ag_op_step(s->op, &s->err);
        if (s->st->deferred.len)
            agl_deferred_run(s->st, L);
        switch (step) {
        case AG_STEP_DONE: return op_done(L, s);
        case AG_STEP_FAILED: return op_failed(L, s);
        case AG_STEP_WAIT: do_wait(L, s); break;
        case AG_STEP_CALL: do_call(L, s); break;
        }
    }
}

int agl_op_run(lua_State *L, agl_scope *s, ag_op *op, agl_finish finish)
{
    if (s->op && s->op != op)
        ag_op_clear(s->op);
    s->op = op;
    s->finish = finish;
    s->top = lua_gettop(L);
    luaL_checkstack(L, 20, "argent");
    return op_loop(L, s);
}

/* ---- pure hooks ---- */

typedef struct hook_call {
    agl_host *h;
    ag_hook hook;
    int64_t fn;
    void *inout;
} hook_call;

static int hook_body(lua_State *L)
{
    hook_call *c = lua_touserdata(L, 1);
    agl_state *st = c->h->st;
    if ((unsigned)c->hook < AGL_HOOKS && st->hooks[c->hook])
        st->hooks[c->hook](L, c->h, c->fn, c->inout);
    return 0;
}

/* (error value, err): keeping the error may run out of memory, too. */
static int take_error(lua_State *L)
{
    agl_error_from_lua(L, 1, lua_touserdata(L, 2));
    return 0;
}

ag_status agl_hook_run(agl_state *st, lua_CFunction body, void *ud, ag_error *err)
{
    lua_State *L = st->L;
    ag_status result = AG_OK;
    if (!L || !lua_checkstack(L, 8))
        return ag_fail(err, AG_EXC_INVALID_REQUEST, "no Lua state to run a callback on");
    st->in_hook++;
    lua_pushcfunction(L, body);
    lua_pushlightuserdata(L, ud);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        if (err) {
            lua_pushcfunction(L, take_error);
            lua_insert(L, -2);
            lua_pushlightuserdata(L, err);
            if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
                (void)ag_fail_nomem(err);
                lua_pop(L, 1);
            }
        } else {
            lua_pop(L, 1);
        }
        result = AG_ERROR;
    }
    st->in_hook--;
    st->L = L;
    return result;
}

static ag_status host_call(ag_host *base, ag_hook hook, int64_t fn, void *inout, ag_error *err)
{
    agl_host *h = (agl_host *)base;
    hook_call c = {h, hook, fn, inout};
    return agl_hook_run(h->st, hook_body, &c, err);
}

void agl_hook_set(lua_State *L, ag_hook hook, agl_hook_fn fn)
{
    agl_state_get(L)->hooks[hook] = fn;
}

/* AG_HOOK_WAKE: inout is the token itself */
static void hook_wake(lua_State *L, agl_host *h, int64_t fn, void *inout)
{
    (void)fn;
    if (!h->has_hook)
        return;
    push_hook(L, h, "wake");
    lua_pushlightuserdata(L, inout);
    lua_call(L, 1, 0);
}

/* ---- hosts ---- */

static bool has_field(lua_State *L, int idx, const char *field)
{
    int type = lua_getfield(L, idx, field);
    lua_pop(L, 1);
    return type == LUA_TFUNCTION || type == LUA_TTABLE || type == LUA_TUSERDATA;
}

static void check_hook(lua_State *L, int idx)
{
    static const char *const need[] = {"wait", "park", "wake"};
    if (lua_type(L, idx) != LUA_TTABLE)
        agl_error_in(L, AG_EXC_ARGUMENT, "option 'wait': expected a table {wait, park, wake, now}, got %s",
                     agl_describe(L, idx, false));
    for (int i = 0; i < 3; i++)
        if (!has_field(L, idx, need[i]))
            agl_error_in(L, AG_EXC_ARGUMENT, "option 'wait': the hook has no function '%s'", need[i]);
}

static agl_host *find_host(lua_State *L, agl_state *st, int idx)
{
    bool hook = !lua_isnoneornil(L, idx);
    for (agl_host *h = st->hosts; h; h = h->next) {
        bool same = !hook && !h->has_hook;
        if (hook && h->has_hook) {
            lua_rawgetp(L, LUA_REGISTRYINDEX, &hook_table_key);
            lua_rawgetp(L, -1, h);
            same = lua_rawequal(L, -1, idx);
            lua_pop(L, 2);
        }
        if (same)
            return h;
    }
    return NULL;
}

agl_host *agl_host_for(lua_State *L, int idx)
{
    agl_state *st = agl_state_get(L);
    agl_host *h;
    bool hook = !lua_isnoneornil(L, idx);
    idx = lua_absindex(L, idx);
    if (hook)
        check_hook(L, idx);
    h = find_host(L, st, idx);
    if (h)
        return h;
    h = calloc(1, sizeof *h);
    if (!h)
        luaL_error(L, "not enough memory");
    *h = (agl_host){.base = {.ud = st, .call = host_call}, .st = st, .has_hook = hook, .next = st->hosts};
    st->hosts = h; /* owned by the state from here on */
    if (hook) {
        h->has_hook = false; /* until the table is anchored */
        h->has_now = has_field(L, idx, "now");
        lua_rawgetp(L, LUA_REGISTRYINDEX, &hook_table_key);
        lua_pushvalue(L, idx);
        lua_rawsetp(L, -2, h);
        lua_pop(L, 1);
        h->has_hook = true;
    }
    return h;
}

static int nop(lua_State *L)
{
    (void)L;
    return 0;
}

void agl_open_host(lua_State *L)
{
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, scope_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, scope_end);
    lua_setfield(L, -2, "__close");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &scope_meta_key);
    lua_createtable(L, SPARE_SCOPES, 0);
    for (int i = 1; i <= SPARE_SCOPES; i++) {
        lua_pushboolean(L, 0);
        lua_rawseti(L, -2, i);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, &scope_boxes_key);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &hook_table_key);
    lua_pushcfunction(L, nop);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &nop_key);
    agl_hook_set(L, AG_HOOK_WAKE, hook_wake);
}

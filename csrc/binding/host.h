/* Driving operations, and the shape of every binding function that calls the core:
 *
 *   static int conn_execute(lua_State *L)
 *   {
 *       agl_connection *c = agl_connection_check(L, 1);             check arguments: may raise, nothing is held yet
 *       agl_result *out = agl_box_new(L, AGL_K_RESULT, …);          box every output, empty
 *       agl_scope *s = agl_scope_open(L);                           a to-be-closed slot owns what follows
 *       ag_exec_op *op = agl_scope_new(L, s, sizeof *op);           memory of the scope, zeroed
 *       … convert arguments into s->arena …                         may raise: the slot frees
 *       agl_must(L, ag_exec_init(op, c->conn, …, &s->err), &s->err);
 *       return agl_op_run(L, s, &op->op, execute_done);             one core call; raises, or ends in execute_done
 *   }
 *   static int execute_done(lua_State *L, agl_scope *s) { … return 1; }   the stack is as agl_op_run found it
 *
 * Because the operation may yield in between, nothing of the C frame survives agl_op_run: what execute_done needs is on
 * the stack or in the scope. Functions that do not run operations use agl_err or a scope without agl_op_run. */
#ifndef AGL_HOST_H
#define AGL_HOST_H

#include "base/buf.h"
#include "binding/raise.h"

/* One for each wait hook (a table {wait, park, wake, now}) and one without. Lives as long as the state. */
struct agl_host {
    ag_host base; /* what the core sees; has_scheduler is set before each step */
    agl_state *st;
    agl_host *next;
    bool has_hook;
    bool has_now;
};
/* The host for the wait hook at idx (nil: poll(2)). Raises ArgumentError when it is no hook. */
agl_host *agl_host_for(lua_State *L, int idx);

typedef int (*agl_finish)(lua_State *L, agl_scope *s);
/* Answer one AG_STEP_CALL. Runs inside a protected call: whatever it raises becomes the call's failure. Push function and
 * arguments, return lua_call-style through agl_call_lua. */
typedef int (*agl_on_call)(lua_State *L, agl_scope *s, ag_call *call);

struct agl_scope {
    agl_state *st;
    ag_error err;   /* errors of the core calls made under this scope */
    ag_arena arena; /* freed when the slot closes */
    ag_buf buf;     /* text under construction; freed when the slot closes */
    ag_op *op;      /* the operation being run; cleared when the slot closes */
    agl_host *host;
    agl_finish finish;
    agl_finish failed;       /* instead of raising s->err: may add to it, must raise or return results. NULL = raise */
    agl_on_call on_call;     /* NULL = agl_engine_on_call */
    agl_finish answer;       /* what reads a callback's results (agl_call_lua) */
    void *ud;                /* the caller's */
    lua_State *L;            /* the thread it runs on */
    int self;                /* stack index of the slot */
    int top;                 /* stack top when agl_op_run was called */
    void (*after)(void *ud); /* called once when the callback under way has ended, however */
    void *after_ud;
    int pending;      /* what run_k continues from; private */
    unsigned answers; /* private: which of two anchor slots is next */
    agl_scope *next;  /* spare list */
};

/* Push a to-be-closed slot that owns a fresh scope. When the C function returns, raises, or its coroutine dies, the
 * operation is cleared, the arena freed, the error cleared. */
agl_scope *agl_scope_open(lua_State *L);
/* The scope in the slot at idx, NULL when it was closed or is none. */
agl_scope *agl_scope_at(lua_State *L, int idx);
/* Zeroed memory of the scope, aligned to 16; raises OutOfMemoryError. */
void *agl_scope_new(lua_State *L, agl_scope *s, size_t size);
/* Push what s->buf holds; raises OutOfMemoryError when an append failed. */
void agl_scope_push_buf(lua_State *L, agl_scope *s);
/* Raise s->err. */
int agl_scope_raise(lua_State *L, agl_scope *s);
/* if (status != AG_OK) raise s->err. */
void agl_scope_must(lua_State *L, agl_scope *s, ag_status status);

/* Run op to its end on behalf of the C function being executed, which returns what this returns. op was initialised and is
 * cleared by the scope (s->op is set here; set it earlier when something may raise between init and run). Waits by the
 * hook of s->host (set it before: an engine's; NULL = poll(2)); where the caller cannot yield, by poll(2).
 * Then finish(L, s) gives the results. After finish has started another agl_op_run on the same scope may follow
 * (`return agl_op_run(L, s, &op2->op, finish2)`): the first op is cleared by then. */
int agl_op_run(lua_State *L, agl_scope *s, ag_op *op, agl_finish finish);

/* For agl_on_call functions: call the function below nargs arguments at the top, with nres results, then answer(L, s) with
 * the results on top; may yield. `return agl_call_lua(…)`. answer may be NULL. */
int agl_call_lua(lua_State *L, agl_scope *s, int nargs, int nres, agl_finish answer);
/* In an answer function: the value at idx is the call's answer; it is kept alive as long as the core may look at it.
 * Raises when it is no value. */
void agl_call_answer(lua_State *L, agl_scope *s, int idx);
/* The engine layer's callbacks (events, defaults, creators): lua_engine_events.c. ORM handlers fall back on it. */
int agl_engine_on_call(lua_State *L, agl_scope *s, ag_call *call);

/* Run body(L) with a light userdata ud as its argument, protected, on the thread that called the core last: for hooks of the
 * core (ag_host, ag_compile_host). Releases that finalisers ask for meanwhile wait. AG_ERROR with err filled when it raised. */
ag_status agl_hook_run(agl_state *st, lua_CFunction body, void *ud, ag_error *err);

/* Handlers of pure hooks (ag_host.call), by ag_hook: filled by the files that know them. Called protected, with st->L; may
 * raise, may not yield; stack is balanced by the caller. */
typedef void (*agl_hook_fn)(lua_State *L, agl_host *h, int64_t fn, void *inout);
void agl_hook_set(lua_State *L, ag_hook hook, agl_hook_fn fn); /* at module open */

#endif

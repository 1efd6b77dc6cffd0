/* What argent keeps for one Lua state: the allocator of the core, the type registry, the callbacks that the core knows by
 * number, host error values on their way through the core, and releases that a finaliser had to put off.
 *
 * The struct is C memory with a count of references: the registry's box holds one and every handle holds one, because
 * finalisers run in any order and the core's memory hook must outlive what it made. */
#ifndef AGL_STATE_H
#define AGL_STATE_H

#include "base/vec.h"
#include "binding/box.h"
#include "compile/compiled.h"
#include "engine/op.h"
#include "value/type.h"

#define AGL_HOOKS 8

typedef struct agl_host agl_host;
typedef struct agl_scope agl_scope;

#define AGL_BLOCK_CLASSES 37u     /* of kept blocks, see state.c */
#define AGL_BLOCKS_KEPT   262144u /* bytes that freed blocks may hold back */

/* The allocator with its test hook. Counts are exact; fail_at counts down to the allocation that fails. */
typedef struct agl_memory {
    uint64_t calls;                 /* allocations asked for so far (frees not counted) */
    size_t live;                    /* blocks not freed */
    uint64_t fail_at;               /* 0: never; n: the n-th call from now */
    bool fail_forever;              /* from the n-th on, all */
    void *spare[AGL_BLOCK_CLASSES]; /* freed blocks, linked through their first word */
    size_t spare_bytes;             /* of them */
} agl_memory;

typedef struct agl_deferred {
    void (*release)(void *obj);
    void *obj;
} agl_deferred;

/* A box lent to hooks of the compilation of this depth. */
typedef struct agl_lent {
    void *box;
    unsigned depth;
} agl_lent;

typedef struct agl_state {
    unsigned refs;
    lua_State *L;   /* the thread that called into the core last: hooks run on it */
    ag_alloc alloc; /* of everything in the core */
    agl_memory memory;
    ag_types *types;
    struct agl_sql_state *sql; /* the builder of SQL nodes, lua_node.c's; anchored in the registry */
    ag_error err;              /* agl_err: the error of calls that need no scope */
    unsigned in_hook;          /* depth of ag_host.call: the core is on the C stack, releases wait */
    size_t handles;            /* live handles: deferred always has room for as many */
    AG_VEC(agl_deferred) deferred;
    int64_t next_id;              /* of callbacks, host values, host errors */
    uint64_t serials;             /* of schema objects */
    agl_host *hosts;              /* one for each wait hook in use */
    unsigned compiles;            /* compilations under way in which a hook in Lua runs, nested ones counted */
    AG_VEC(agl_lent) lent;        /* boxes shown to their hooks (lua_custom.c) */
    ag_overrides overrides;       /* constructs with a compile hook */
    struct agl_dialect *dialects; /* those made in Lua (lua_dialect.c) */
    struct agl_compile_host *compile_hosts; /* one for each pair of JSON codec and dialect */
    AG_VEC(struct ag_fault *)
    faults;           /* fault drivers: their connections may outlive the engine, so they live as long as the state */
    agl_scope *spare; /* closed scopes for reuse */
    unsigned nspare;
    int nboxes;   /* spare slots (userdata) of scopes */
    bool closing; /* lua_close is running */
    const agl_class *classes[AGL_KIND_COUNT];
    const luaL_Reg *functions[64]; /* agl_functions lists */
    unsigned nfunctions;
    void (*hooks[AGL_HOOKS])(lua_State *L, agl_host *h, int64_t fn, void *inout); /* agl_hook_set */
} agl_state;

/* The state of L; raises when argent.core was not opened in it. Quick (2 ns) in functions that have it as their first upvalue
 * (agl_setfuncs: all methods, metamethods and functions of classes and lists), else one registry look-up (10 ns). */
agl_state *agl_state_get(lua_State *L);
/* The state when the first upvalue of the running function is its box, else NULL. */
agl_state *agl_state_upvalue(lua_State *L);
/* Push the state's box. Its user values are the metatables, by kind. */
void agl_state_push(lua_State *L);
/* Make it and anchor it in the registry (module open only). */
void agl_state_open(lua_State *L);
/* For handles: one reference each, taken after the box was made and dropped in its finaliser. agl_state_ref also reserves
 * the room that lets agl_defer never fail; it raises on out of memory. */
agl_state *agl_state_ref(lua_State *L);
/* The same for who has the state already. */
agl_state *agl_state_ref_quick(lua_State *L, agl_state *st);
void agl_state_unref(agl_state *st);
/* An unset error for a core call that needs no scope because it neither waits nor nests: its texts are freed by the next
 * agl_err, so that raising from it leaks nothing. Not across a call into Lua. */
ag_error *agl_err(lua_State *L);

/* ---- releasing ---- */
/* Release a core object from a finaliser or __close: at once, or, when the core is on the C stack (a hook is running), as
 * soon as it is left. Never fails, never waits, never raises. */
void agl_defer(agl_state *st, lua_State *L, void (*release)(void *obj), void *obj);
/* Run what was put off. Called by agl_op_run and by every agl_state_ref. */
void agl_deferred_run(agl_state *st, lua_State *L);

/* ---- things the core knows by number ---- */
/* Callbacks: keep the value at idx until agl_callback_unref, return its number (> 0). The same value may be kept twice. */
int64_t agl_callback_ref(lua_State *L, int idx);
void agl_callback_unref(lua_State *L, int64_t id); /* 0 is ignored; never raises */
/* Push it, or the host value of that number (a callback held weakly: a column's default); nil when the number is unknown. */
void agl_callback_push(lua_State *L, int64_t id);

/* Host values (AG_V_HOST): a number for the collectable value at idx, always the same one while it lives. Held weakly: whoever
 * gives the number to the core keeps the value alive (a stack slot, a user value of the node). */
int64_t agl_hostvalue_id(lua_State *L, int idx);
void agl_hostvalue_push(lua_State *L, int64_t id); /* nil when it is gone */

/* Free the dialects made in Lua (lua_dialect.c). */
void agl_dialects_free(agl_state *st);

/* ---- accounting ---- */
/* A box came to own `bytes` of core memory: tell the collector when that is 16 KiB or more. Call it last: it may run
 * finalisers. */
void agl_gc_account(lua_State *L, size_t bytes);

#endif

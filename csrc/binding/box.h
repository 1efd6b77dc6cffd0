/* Boxes: the header that every argent userdata begins with, and the classes (metatables) behind them.
 *
 * Two roles, as kinds.def says. A handle owns something outside Lua and has __gc/__close; make the box first
 * (agl_box_new: metatable set, contents zero), acquire the resource into it after. A value owns nothing outside its own
 * bytes and never has __gc. What a box needs to keep alive in Lua goes into its user values. A check never trusts a
 * metatable: it looks at magic and kind, after the length proved that there is a header to look at. */
#ifndef AGL_BOX_H
#define AGL_BOX_H

#include "base/alloc.h"
#include <lauxlib.h>
#include <lua.h>

#define AGL_MAGIC 0xA26E7B0Bu

typedef enum agl_kind {
    AGL_K_NONE = 0,
#define X(id, name, role) AGL_K_##id,
#include "binding/kinds.def"
#undef X
    AGL_KIND_COUNT
} agl_kind;

/* First member of every box struct. flags are the kind's own. */
typedef struct agl_box {
    uint32_t magic;
    uint16_t kind;
    uint16_t flags;
} agl_box;

/* "Connection", "row" …: for messages. Static. */
const char *agl_kind_name(agl_kind kind);

/* ---- recognising ---- */
/* The box at idx when it is one of this kind, else NULL. Never raises; any value may stand at idx. */
void *agl_test(lua_State *L, int idx, agl_kind kind);
/* Same, but raises an argument error ("expected a Connection, got nil") for argument number arg. */
void *agl_check(lua_State *L, int arg, agl_kind kind);
/* Kind of the box at idx, AGL_K_NONE when it is no box. */
agl_kind agl_kind_at(lua_State *L, int idx);

/* ---- making ---- */
/* Push a new box of `size` bytes (header included, all zero behind the header) with nuv user values and its class's
 * metatable. Raises on out of memory, before anything was acquired. */
void *agl_box_new(lua_State *L, agl_kind kind, size_t size, int nuv);
/* The quick form for values made by the million: the metatable is the one at stack index mt (0: none yet), bytes behind the
 * header are NOT cleared: write all of them before the next Lua call. */
void *agl_box_new_raw(lua_State *L, agl_kind kind, size_t size, int nuv, int mt);
/* Push a value box whose bytes behind the header are a copy of block: how position-independent blocks (SQL nodes,
 * packed rows) come into Lua. The copy begins at agl_box_bytes(box), aligned to 8. mt as in agl_box_new_raw. */
static inline void *agl_box_bytes(void *box)
{
    return (char *)box + sizeof(agl_box);
}
/* Keep the value at idx alive as long as the box at box_idx: its n-th user value (from 1). */
void agl_box_anchor(lua_State *L, int box_idx, int n, int idx);
/* Scratch memory that the collector frees: pushes a plain userdata; valid while it stays on the stack. Needs no clean-up
 * when something raises, which is why it beats malloc in binding code. */
void *agl_scratch(lua_State *L, size_t size);

/* ---- classes ---- */
/* What a kind's metatable is made from. All arrays are static, ended by {NULL, NULL}; each may be NULL. */
typedef struct agl_class {
    const char *name;             /* "Connection": shown in errors as Connection:execute */
    const luaL_Reg *methods;      /* obj:name(…) */
    const luaL_Reg *more_methods; /* further ones, of another file */
    const luaL_Reg *getters;      /* obj.name: f(obj) gives one value. f may yield */
    const luaL_Reg *setters;      /* obj.name = v: f(obj, v). Without an entry assignment raises */
    const luaL_Reg *meta; /* metamethods; NULL: the base's. An __index or __newindex here replaces the generic one */
    bool (*before)(
        lua_State
            *L); /* obj.name, asked before the methods: true when it pushed what obj has by that name; inherited */
    bool (*after)(lua_State *L); /* the same for names that methods and getters do not know */
    agl_kind base;               /* class whose methods and getters are inherited (opened before), or AGL_K_NONE */
} agl_class;

/* Make the metatable of kind; once per Lua state. The generic __index (the table of methods itself, when there are no getters)
 * finds methods, then getters, else raises
 * NoSuchAttribute-like ArgumentError with the nearest name. __metatable is set, so that Lua code cannot reach it.
 * The class struct must be static: errors find function names in it. */
void agl_class_open(lua_State *L, agl_kind kind, const agl_class *cls);
/* Raise for the name at 2 of an object whose __index is its own; nearest among the keys of the table at `methods` and `fields` (ends with
 * NULL; may be NULL). */
int agl_unknown_name(lua_State *L, int methods, const char *const *fields, const char *class_name);
/* Push the metatable of kind (nil before agl_class_open). */
void agl_class_push(lua_State *L, agl_kind kind);
/* Push the table of methods of kind. Lua modules add methods to it (argent.core.methods(name)). */
void agl_class_push_methods(lua_State *L, agl_kind kind);
/* Make further metatable for objects of this kind (row shapes, mapped classes): copies all fields of the class's
 * metatable into a new table and pushes it. */
void agl_class_push_copy(lua_State *L, agl_kind kind);

/* Continuation of an accessor that may yield: returns the ctx results at the top of the stack. */
int agl_accessor_done(lua_State *L, int status, lua_KContext ctx);
/* luaL_setfuncs into the table at the top of the stack, with the state's box as the functions' first upvalue. */
void agl_setfuncs(lua_State *L, const luaL_Reg *regs);
/* Register plain functions into the core module table at the top of the stack ("ag.select" in errors). regs is static. */
void agl_functions(lua_State *L, const luaL_Reg *regs);
/* The same for functions that are not public: argent.core has them, `ag` does not show them. */
void agl_functions_internal(lua_State *L, const luaL_Reg *regs);
/* `ag` does not show core[name] (core: the module table at idx). */
void agl_internal_name(lua_State *L, int idx, const char *name);
/* Names for errors only: public names of internal functions that Lua modules wrap ("create_engine"). regs is static. */
void agl_function_names(lua_State *L, const luaL_Reg *regs);
/* Readable name of a C function of a registered class or function list: "Connection:execute", "ag.select"; false when
 * unknown. *is_method: argument 1 is self. */
bool agl_function_name(lua_State *L, lua_CFunction fn, const char **cls, const char **name, bool *is_method);
/* The same for a method called on an object of this kind: several classes, and `ag`, may have the function. */
bool agl_method_name(lua_State *L, lua_CFunction fn, agl_kind kind, const char **cls, const char **name);

#endif

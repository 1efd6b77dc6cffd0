/* Constructs and dialects written in Lua. */
#ifndef AGL_LUA_CUSTOM_H
#define AGL_LUA_CUSTOM_H

#include "binding/lua_node.h"
#include "compile/dialect.h"

/* A dialect made in Lua, a copy of another one with other features; lives as long as the state. */
typedef struct agl_dialect {
    ag_dialect d; /* first: the core's pointer is ours */
    const ag_dialect *base;
    ag_overrides overrides;
    struct agl_dialect *next;
} agl_dialect;

/* The dialect that the value at idx means: the name of one of ours or of one made in Lua, or what ag.dialects.register returned; NULL
 * for others. */
int agl_type_compile(lua_State *L); /* the method of types */
const ag_dialect *agl_dialect_at(lua_State *L, int idx);
/* The one of that name, ours or made in Lua; NULL. */
const ag_dialect *agl_dialect_find(agl_state *st, const char *name, size_t len);
/* The one that a dialect made in Lua is a copy of; NULL for ours. */
const ag_dialect *agl_dialect_base(const agl_state *st, const ag_dialect *d);

/* Keep the value at the top alive as long as the innermost compilation that has hooks. */
void agl_keep_lent(lua_State *L, agl_state *st);

void agl_open_custom(lua_State *L);
void agl_open_type_expr(lua_State *L);
void agl_open_dialect(lua_State *L);

#endif

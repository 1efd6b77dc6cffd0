/* What the compiler and the executor ask of Lua while they work (compile/compiled.h, ag_compile_host): values of types with
 * hooks, JSON, arrays. None of it may yield. One for each pair of codec and dialect, alive as long as the state. */
#ifndef AGL_COMPILE_HOST_H
#define AGL_COMPILE_HOST_H

#include "binding/conv.h"
#include "compile/compiled.h"

typedef struct agl_compile_host agl_compile_host;
struct agl_compile_host {
    ag_compile_host
        base; /* value is here; construct, type_expr and type_name are those of the state (agl_compile_host_set) */
    agl_state *st;
    agl_codec codec;
    agl_compile_host *next;
};

/* The host for codec (codec->dialect names the dialect; NULL codec: argent's JSON, no dialect). Raises on out of memory. */
agl_compile_host *agl_compile_host_for(lua_State *L, const agl_codec *codec);
/* The SQL binding's part of all hosts, those made already and those to come: the functions of `from` that are not NULL. */
void agl_compile_host_set(lua_State *L, const ag_compile_host *from);
/* Convert in to what a column of type takes, as the executor does: pushes nothing, raises. Bytes in ar. */
void agl_bind_value(lua_State *L, const agl_compile_host *h, const ag_type *type, const ag_value *in, bool literal,
                    ag_value *out, ag_arena *ar);

#endif

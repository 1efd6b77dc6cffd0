/* argent.core: opens every part of the binding listed in parts.def. */
#ifndef AGL_MODULE_H
#define AGL_MODULE_H

#include "binding/state.h"

#define X(name) void agl_open_##name(lua_State *L);
#include "binding/parts.def"
#undef X

/* require "argent.core" */
AG_EXPORT int luaopen_argent_core(lua_State *L);

#endif

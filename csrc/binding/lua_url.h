/* Database URLs in Lua. */
#ifndef AGL_URL_H
#define AGL_URL_H

#include "binding/state.h"
#include "engine/url.h"

typedef struct agl_url {
    agl_box box;
    agl_state *st;
    ag_url *url;
} agl_url;

/* Push an empty box; fill ->url after. */
agl_url *agl_url_new(lua_State *L);
/* Push u (a reference is taken). */
void agl_url_push(lua_State *L, ag_url *u);
/* The URL at arg: a URL, or a text that is parsed (and replaced by a URL on the stack). Borrowed from the stack. */
ag_url *agl_url_check(lua_State *L, int arg);

#endif

/* What a Column says of itself, whether it is in a table or not. */
#include "binding/lua_schema.h"

static int column_get_type(lua_State *L)
{
    agl_schema *h = agl_check_schema(L, 1, AGL_K_COLUMN);
    if (h->n.node)
        agl_push_type(L, h->n.node->type);
    else {
        lua_getiuservalue(L, 1, 1);
        if (lua_getfield(L, -1, "_type") == LUA_TNIL)
            agl_push_type(L, ag_type_plain(AG_TYPE_NULL));
    }
    return 1;
}

static int column_get_primary_key(lua_State *L)
{
    agl_schema *h = agl_check_schema(L, 1, AGL_K_COLUMN);
    if (h->u.column) {
        lua_pushboolean(L, h->u.column->primary_key);
        return 1;
    }
    lua_getiuservalue(L, 1, 1);
    lua_getfield(L, -1, "_primary_key");
    return 1;
}

static int column_get_nullable(lua_State *L)
{
    agl_schema *h = agl_check_schema(L, 1, AGL_K_COLUMN);
    if (h->u.column) {
        lua_pushboolean(L, h->u.column->nullable);
        return 1;
    }
    lua_getiuservalue(L, 1, 1);
    lua_getfield(L, -1, "_nullable");
    return 1;
}

const luaL_Reg agl_column_getters[] = {{"type", column_get_type},
                                       {"primary_key", column_get_primary_key},
                                       {"nullable", column_get_nullable},
                                       {NULL, NULL}};

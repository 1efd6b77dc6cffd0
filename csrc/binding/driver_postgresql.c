/* The Lua module argent.driver.postgresql: the PostgreSQL driver's vtable as a light userdata, and the ABI it was
 * built for. Like every driver module it links nothing of the core, and is never unloaded (-z nodelete). */
#include "driver/drivers.h"

#include <lua.h>

AG_EXPORT int luaopen_argent_driver_postgresql(lua_State *L);

int luaopen_argent_driver_postgresql(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)ag_driver_postgresql());
    lua_pushinteger(L, AG_DRIVER_ABI);
    return 2;
}

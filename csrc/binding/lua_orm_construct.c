/* User{…}: new objects from a table of attributes. What an attribute does on assignment is lua_orm_entity.c's affair. */
#include "binding/lua_orm.h"

/* Bytes that the strings of the table at idx will need. */
static size_t constructor_room(lua_State *L, int idx)
{
    size_t bytes = 0;
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        if (lua_type(L, -1) == LUA_TSTRING)
            bytes += lua_rawlen(L, -1) + 1;
        lua_pop(L, 1);
    }
    return bytes;
}

static int construct_next(lua_State *L, agl_mapper *c, int pass);

/* A slow attribute (link, validator, descriptor) was set. Stack: class, table, object, key */
static int construct_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    lua_settop(L, 4);
    return construct_next(L, lua_touserdata(L, 1), (int)ctx);
}

enum {
    CONSTRUCT_OTHERS = 1,     /* columns are done */
    CONSTRUCT_HAS_OTHERS = 2, /* there are keys that are no columns */
};

/* Set the keys of the table at 2 on the object at 3, going on after the key at 4: columns first, then everything else, so that
 * validators and listeners of relationships see a whole object. Columns are written at once; what has listeners, and everything else,
 * goes the way of an assignment, which may yield. */
static int construct_next(lua_State *L, agl_mapper *c, int pass)
{
    ag_entity *e = lua_touserdata(L, 3);
    for (;;) {
        while (lua_next(L, 2)) {
            int attr = agl_mapper_attr(L, c, 4);
            bool column = attr >= 0 && attr < c->m->nslots;
            if (column == (pass & CONSTRUCT_OTHERS)) {
                pass |= column ? 0 : CONSTRUCT_HAS_OTHERS;
                lua_pop(L, 1);
                continue;
            }
            if (column && !agl_is_validated(c->m, (unsigned)attr)) {
                agl_entity_write(L, 3, e, c->m, (unsigned)attr, 5);
                ag_bit_set(ag_entity_dirty(e), (unsigned)attr);
                lua_pop(L, 1);
                continue;
            }
            lua_getmetatable(L, 3);
            lua_getfield(L, -1, "__newindex");
            lua_replace(L, -2);
            lua_pushvalue(L, 3);
            lua_pushvalue(L, 4);
            lua_pushvalue(L, 5);
            lua_callk(L, 3, 0, (lua_KContext)pass, construct_k);
            lua_settop(L, 4);
        }
        if (pass != CONSTRUCT_HAS_OTHERS)
            break;
        pass = CONSTRUCT_OTHERS;
        lua_pushnil(L);
    }
    lua_settop(L, 3);
    return 1;
}

/* "init" listeners have seen the arguments, which are at the top. */
static int init_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    agl_check_table(L, lua_gettop(L));
    lua_replace(L, 2);
    lua_settop(L, 3);
    lua_pushnil(L);
    return construct_next(L, lua_touserdata(L, 1), 0);
}

static int construct_start(lua_State *L, int status, lua_KContext ctx)
{
    agl_mapper *c = lua_touserdata(L, 1);
    ag_value v;
    (void)status;
    (void)ctx;
    lua_settop(L, 2);
    if (!c->m || !c->m->configured)
        return agl_error(L, AG_EXC_INVALID_REQUEST, "the class is not configured");
    if (c->m->abstract)
        return agl_error(L, AG_EXC_INVALID_REQUEST,
                         "class %s is abstract (polymorphic_abstract): it has no objects of its own", c->m->name.p);
    lua_getiuservalue(L, 1, AGL_CU_META);
    ag_entity *e = agl_entity_new(L, c->m, constructor_room(L, 2), 3);
    lua_replace(L, 3);
    if (c->m->discriminator && c->m->identity.kind != AG_V_NULL) {
        v = c->m->identity;
        if (!ag_entity_put(e, c->m->discriminator->index, &v)) {
            agl_push_value(L, &v, NULL, NULL);
            agl_entity_write(L, 3, e, c->m, c->m->discriminator->index, 4);
            lua_settop(L, 3);
        }
        ag_bit_set(ag_entity_dirty(e), c->m->discriminator->index);
    }
    if (c->has_init) {
        agl_orm_hook(L, AGL_OH_INIT);
        lua_pushvalue(L, 3);
        lua_pushvalue(L, 2);
        lua_callk(L, 2, 1, 0, init_k);
        return init_k(L, LUA_OK, 0);
    }
    lua_pushnil(L);
    return construct_next(L, c, 0);
}

/* User{…}: upvalue-free, argument 1 the class */
int agl_entity_construct(lua_State *L)
{
    agl_mapper *c = agl_mapper_check(L, 1);
    agl_check_top(L, 2);
    if (lua_isnoneornil(L, 2)) {
        lua_settop(L, 1);
        lua_newtable(L);
    }
    agl_check_table(L, 2);
    if (c->m && c->m->configured)
        return construct_start(L, LUA_OK, 0);
    agl_orm_hook(L, AGL_OH_CONFIGURE);
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 0, 0, construct_start);
    return construct_start(L, LUA_OK, 0);
}

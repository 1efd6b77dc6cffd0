/* Methods that come with an expression's type: comparator_factory of TypeDecorator and UserDefinedType, which goes before the built-in
 * ones, and those of PostgreSQL's own types (HSTORE, ranges), which come after. The tables and the rules are in argent.comparator. */
#include "binding/lua_expr.h"

static const char override_key, own_key;

/* Push argent.comparator's function `name`, kept under key. */
static void push_function(lua_State *L, const void *key, const char *name)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) != LUA_TNIL)
        return;
    lua_pop(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "argent.comparator");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

/* Push the override of `name` by the type of node n, or nothing. */
static bool push_override(lua_State *L, const ag_node *n, const char *name)
{
    for (const ag_type *t = n->type; t && (t->flags & AG_TYPE_HAS_COMPARATOR); t = t->item) {
        luaL_checkstack(L, 8, "comparator");
        push_function(L, &override_key, "override");
        agl_callback_push(L, t->host);
        lua_pushstring(L, name);
        lua_call(L, 2, 1);
        if (!lua_isnil(L, -1))
            return true;
        lua_pop(L, 1);
    }
    return false;
}

bool agl_comparator_method(lua_State *L)
{
    const ag_node *n = lua_type(L, 2) == LUA_TSTRING ? agl_node_at(L, 1) : NULL;
    return n && n->type && (n->type->flags & AG_TYPE_HAS_COMPARATOR) && push_override(L, n, lua_tostring(L, 2));
}

static bool push_own(lua_State *L, const ag_node *n, const char *name)
{
    const ag_type *t = n && n->type ? ag_type_impl(n->type, NULL) : NULL;
    if (!t || t->id < AG_TYPE_PG_BYTEA)
        return false;
    luaL_checkstack(L, 8, "comparator");
    push_function(L, &own_key, "own");
    lua_pushstring(L, ag_type_lua_name(t));
    lua_pushstring(L, name);
    lua_call(L, 2, 1);
    if (!lua_isnil(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

bool agl_comparator_own(lua_State *L)
{
    return lua_type(L, 2) == LUA_TSTRING && push_own(L, agl_node_at(L, 1), lua_tostring(L, 2));
}

int agl_comparator_call(lua_State *L, const char *name)
{
    int top = lua_gettop(L);
    if (!push_own(L, agl_node_at(L, 1), name))
        return agl_error_in(L, AG_EXC_ARGUMENT, "the type of the expression has no method '%s'", name);
    lua_insert(L, 1);
    lua_call(L, top, 1);
    return 1;
}

/* f(self, other) with the function at the top */
static bool call_override(lua_State *L, int self, int other)
{
    lua_pushvalue(L, self);
    lua_pushvalue(L, other);
    lua_call(L, 2, 1);
    return true;
}

bool agl_comparator_binary(lua_State *L, const char *name, const char *reflected)
{
    const ag_node *left = agl_node_at(L, 1), *right = agl_node_at(L, 2);
    if (left && left->type && push_override(L, left, name))
        return call_override(L, 1, 2);
    if (!left && right && right->type && push_override(L, right, reflected))
        return call_override(L, 2, 1);
    return false;
}

const ag_type *agl_coerced_type(lua_State *L, const ag_type *beside, ag_op_id op, int idx)
{
    if (!beside || !(beside->flags & AG_TYPE_HAS_COERCE))
        return NULL;
    luaL_checkstack(L, 8, "type");
    idx = lua_absindex(L, idx);
    agl_callback_push(L, beside->host);
    lua_getfield(L, -1, "coerce_compared_value");
    lua_insert(L, -2);
    lua_pushstring(L, ag_op_get(op)->name);
    lua_pushvalue(L, idx);
    lua_call(L, 3, 1);
    agl_callback_push(L, beside->host);
    bool itself = lua_rawequal(L, -1, -2) || lua_isnil(L, -2); /* self stands for its type */
    lua_pop(L, 1);
    const ag_type *t = itself ? beside : agl_type_at(L, -1);
    if (!t)
        agl_error(L, AG_EXC_ARGUMENT, "coerce_compared_value of a type returned %s instead of a type",
                  agl_describe(L, -1, false));
    lua_pop(L, 1);
    return t;
}

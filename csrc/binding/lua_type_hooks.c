/* Types with functions in Lua: ag.TypeDecorator{impl = ag.Text, process_bind_param = f, …} and ag.UserDefinedType{get_col_spec =
 * …}. The table is kept as a callback of the state for good (interned types live as long), and is the `self` of its functions;
 * the core knows it by the type's host number. */
#include "binding/lua_types.h"

typedef struct hook {
    const char *name;
    uint32_t flag;
} hook;

static const hook hooks[] = {{"process_bind_param", AG_TYPE_HAS_BIND},
                             {"process_result_value", AG_TYPE_HAS_RESULT},
                             {"process_literal_param", AG_TYPE_HAS_LITERAL},
                             {"bind_expression", AG_TYPE_HAS_BIND_EXPR},
                             {"column_expression", AG_TYPE_HAS_COL_EXPR},
                             {"coerce_compared_value", AG_TYPE_HAS_COERCE},
                             {"compare_values", 0},
                             {"sort_key_function", 0}};

static const char *const decorator_options[] = {"impl",
                                                "cache_ok",
                                                "name",
                                                "info",
                                                "process_bind_param",
                                                "process_result_value",
                                                "process_literal_param",
                                                "bind_expression",
                                                "column_expression",
                                                "comparator_factory",
                                                "coerce_compared_value",
                                                "coerce_to_is_types",
                                                "compare_values",
                                                "sort_key_function",
                                                NULL};
static const char *const user_options[] = {"get_col_spec",
                                           "cache_ok",
                                           "name",
                                           "info",
                                           "process_bind_param",
                                           "process_result_value",
                                           "process_literal_param",
                                           "bind_expression",
                                           "column_expression",
                                           "comparator_factory",
                                           "coerce_compared_value",
                                           "compare_values",
                                           "sort_key_function",
                                           NULL};

static void read_hooks(lua_State *L, ag_type *proto)
{
    for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++) {
        int type = agl_opt_push(L, 1, hooks[i].name);
        if (type != LUA_TNIL && type != LUA_TFUNCTION)
            agl_opt_error(L, hooks[i].name, "a function");
        if (type == LUA_TFUNCTION)
            proto->flags |= hooks[i].flag;
        lua_pop(L, 1);
    }
    int factory = agl_opt_push(L, 1, "comparator_factory");
    if (factory != LUA_TNIL && factory != LUA_TTABLE)
        agl_opt_error(L, "comparator_factory", "a table of functions");
    if (factory == LUA_TTABLE)
        proto->flags |= AG_TYPE_HAS_COMPARATOR;
    lua_pop(L, 1);
    if (proto->item) /* what the decorated type has, and the decorator has not */
        proto->flags |= proto->item->flags & (AG_TYPE_HAS_BIND_EXPR | AG_TYPE_HAS_COL_EXPR | AG_TYPE_HAS_COMPARATOR);
    if (agl_opt_boolean(L, 1, "cache_ok", false))
        proto->flags |= AG_TYPE_CACHE_OK;
}

/* coerce_to_is_types: what eq and ne turn into IS, by the names that type() gives; {"nil"} unless it is given. */
static void read_is_types(lua_State *L, ag_type *proto)
{
    int type = agl_opt_push(L, 1, "coerce_to_is_types");
    if (type != LUA_TNIL) {
        if (type != LUA_TTABLE)
            agl_opt_error(L, "coerce_to_is_types", "a list of \"nil\" and \"boolean\"");
        proto->flags |= AG_TYPE_IS_NOT_NULL;
        for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
            const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
            if (strcmp(name, "nil") == 0)
                proto->flags &= ~AG_TYPE_IS_NOT_NULL;
            else if (strcmp(name, "boolean") == 0)
                proto->flags |= AG_TYPE_IS_BOOLEAN;
            else
                agl_opt_error(L, "coerce_to_is_types", "a list of \"nil\" and \"boolean\"");
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static int finish(lua_State *L, ag_type *proto)
{
    proto->host = agl_callback_ref(L, 1);
    agl_push_type_proto(L, proto);
    agl_type_spec_set(L, 1, agl_type_at(L, -1));
    return 1;
}

static int type_decorator(lua_State *L)
{
    agl_check_top(L, 1);
    agl_check_table(L, 1);
    agl_check_options(L, 1, decorator_options);
    ag_type proto = ag_type_proto(AG_TYPE_DECORATOR);
    agl_opt_push(L, 1, "impl");
    proto.item = agl_type_at(L, -1);
    if (!proto.item)
        return agl_opt_error(L, "impl", "a type (ag.Text, ag.String(50) …)");
    proto.name = agl_opt_string(L, 1, "name", NULL);
    read_hooks(L, &proto);
    read_is_types(L, &proto);
    return finish(L, &proto);
}

/* get_col_spec: the DDL text, or a function that gives it, called once with the table. */
static const char *col_spec(lua_State *L)
{
    int type = agl_opt_push(L, 1, "get_col_spec");
    if (type == LUA_TFUNCTION) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 1);
        type = lua_type(L, -1);
    }
    if (type != LUA_TSTRING)
        agl_opt_error(L, "get_col_spec", "the type's text in DDL, or a function that returns it");
    return lua_tostring(L, -1);
}

static int user_defined_type(lua_State *L)
{
    agl_check_top(L, 1);
    agl_check_table(L, 1);
    agl_check_options(L, 1, user_options);
    ag_type proto = ag_type_proto(AG_TYPE_USERDEFINED);
    proto.name = col_spec(L);
    read_hooks(L, &proto);
    return finish(L, &proto);
}

static const luaL_Reg functions[] = {
    {"TypeDecorator", type_decorator}, {"UserDefinedType", user_defined_type}, {NULL, NULL}};

void agl_open_type_hooks(lua_State *L)
{
    agl_functions(L, functions);
}

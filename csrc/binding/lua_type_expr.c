/* SQL around values and columns of types with functions in Lua: bind_expression and column_expression. The function sees the bind or
 * the column lent, as compile hooks do (lua_custom.c), and what it returns is compiled in its place. */
#include "binding/host.h"
#include "binding/lua_compile_host.h"
#include "binding/lua_custom.h"
#include "compile/dialect.h"

typedef struct question {
    agl_state *st;
    const ag_type *type;
    const char *dialect;
    const ag_node *node, *out;
    bool column;
} question;

static const ag_type *decorated(const ag_type *t)
{
    return t->id == AG_TYPE_DECORATOR || t->id == AG_TYPE_PG_DOMAIN ? t->item : NULL;
}

/* Push the function of the outermost decorator (the dialect's variants included) that has one, and the table it belongs to. */
static bool push_function(lua_State *L, const question *q)
{
    for (const ag_type *t = q->type; t; t = decorated(t)) {
        t = ag_type_on(t, q->dialect);
        if (!t->host)
            continue;
        agl_callback_push(L, t->host);
        if (lua_getfield(L, -1, q->column ? "column_expression" : "bind_expression") == LUA_TFUNCTION) {
            lua_insert(L, -2);
            return true;
        }
        lua_pop(L, 2);
    }
    return false;
}

static int expr_body(lua_State *L)
{
    question *q = lua_touserdata(L, 1);
    luaL_checkstack(L, 10, "type");
    if (!push_function(L, q))
        return 0;
    agl_push_borrowed(L, q->st, q->node);
    lua_call(L, 2, 1);
    if (lua_isnil(L, -1))
        return 0;
    q->out = agl_node_at(L, -1);
    if (!q->out || !ag_node_is(q->out, AG_CLASS_EXPR))
        return agl_error(L, AG_EXC_ARGUMENT, "%s of a type returned %s instead of an SQL expression",
                         q->column ? "column_expression" : "bind_expression", agl_describe(L, -1, false));
    agl_keep_lent(L, q->st);
    return 0;
}

static ag_status host_type_expr(ag_compile_host *base, const ag_type *type, const ag_dialect *dialect, bool column,
                                const ag_node *e, const ag_node **out, ag_error *err)
{
    agl_state *st = ((agl_compile_host *)base)->st;
    question q = {.st = st, .type = type, .dialect = dialect->name, .node = e, .out = e, .column = column};
    AG_TRY(agl_hook_run(st, expr_body, &q, err));
    *out = q.out;
    return AG_OK;
}

void agl_open_type_expr(lua_State *L)
{
    ag_compile_host hooks = {.type_expr = host_type_expr};
    agl_compile_host_set(L, &hooks);
}

/* What every statement and expression can do: show its SQL, compile it for a dialect, take execution options and parameters, be compared.
 * A Compiled holds the text, and in its user values the bind values as they were given: 1 `positional`, 2 `params`. */
#include "binding/lua_compile_host.h"
#include "binding/lua_custom.h"
#include "binding/lua_stmt.h"
#include "compile/dialect.h"
#include "sql/key.h"
#include "sql/select.h"
#include <string.h>

typedef struct compiled {
    agl_box box;
    ag_compiled *c;
    agl_state *st;
} compiled;

static void compiled_release(void *p)
{
    ag_compiled_unref(p);
}

static int compiled_gc(lua_State *L)
{
    compiled *p = agl_test(L, 1, AGL_K_COMPILED);
    if (p && p->c) {
        agl_defer(p->st, L, compiled_release, p->c);
        p->c = NULL;
    }
    if (p && p->st) {
        agl_state *st = p->st;
        p->st = NULL;
        agl_state_unref(st);
    }
    return 0;
}

static const ag_compiled *check_compiled(lua_State *L)
{
    return ((compiled *)agl_check(L, 1, AGL_K_COMPILED))->c;
}
/* What is finished only when it is executed is shown as SQLAlchemy does: (__[POSTCOMPILE_x]). */
static int compiled_get_string(lua_State *L)
{
    const ag_compiled *c = check_compiled(L);
    luaL_Buffer b;
    size_t from = 0;
    bool shown = c->dialect->param_style == AG_PARAM_NAMED; /* the text has them */
    luaL_buffinit(L, &b);
    for (uint32_t i = 0; !shown && i < c->npieces; i++) {
        const ag_piece *p = &c->pieces[i];
        ag_str name = c->binds[p->bind].name;
        luaL_addlstring(&b, c->text.p + from, p->at - from);
        luaL_addstring(&b, p->kind == AG_PIECE_LITERAL ? "__[POSTCOMPILE_" : "(__[POSTCOMPILE_");
        luaL_addlstring(&b, name.p, name.n);
        luaL_addstring(&b, p->kind == AG_PIECE_LITERAL ? "]" : "])");
        from = p->at;
    }
    luaL_addlstring(&b, c->text.p + from, c->text.n - from);
    luaL_pushresult(&b);
    return 1;
}
static int compiled_get_positional(lua_State *L)
{
    (void)check_compiled(L);
    lua_getiuservalue(L, 1, 1);
    return 1;
}
static int compiled_get_params(lua_State *L)
{
    (void)check_compiled(L);
    lua_getiuservalue(L, 1, 2);
    return 1;
}
static int compiled_get_dialect(lua_State *L)
{
    lua_pushstring(L, check_compiled(L)->dialect->name);
    return 1;
}

/* ---- values of the binds ---- */

/* Push one value of a bind: the whole one, or a member of an expanding list. */
static void push_bind_value(lua_State *L, const ag_compiled *c, const ag_binds *tree, uint32_t bind, uint32_t member)
{
    const ag_compiled_bind *b = &c->binds[bind];
    const ag_n_bind *n = NULL;
    ag_value v = ag_value_null();
    if (b->source == AG_SOURCE_TREE && b->index < tree->len)
        n = tree->items[b->index];
    else if (b->source == AG_SOURCE_CONSTANT)
        v = b->value;
    if (n && n->node.flags & AG_BIND_EXPANDING && member != AG_WHOLE && member < n->values.n)
        ag_nval_get(&v, n, ag_nvals_at(n, n->values, member));
    else if (n && n->node.flags & AG_BIND_HAS_VALUE && !(n->node.flags & AG_BIND_EXPANDING))
        ag_nval_get(&v, n, &n->value);
    agl_push_value_or_null(L, &v, NULL, NULL);
}

static uint32_t member_count(const ag_compiled *c, const ag_binds *tree, uint32_t bind)
{
    const ag_compiled_bind *b = &c->binds[bind];
    if (b->source != AG_SOURCE_TREE || b->index >= tree->len ||
        !(tree->items[b->index]->node.flags & AG_BIND_EXPANDING))
        return AG_WHOLE;
    return tree->items[b->index]->values.n;
}

static void push_bind(lua_State *L, const ag_compiled *c, const ag_binds *tree, uint32_t bind)
{
    uint32_t n = member_count(c, tree, bind);
    if (n == AG_WHOLE) {
        push_bind_value(L, c, tree, bind, AG_WHOLE);
        return;
    }
    lua_createtable(L, (int)n, 0);
    for (uint32_t i = 0; i < n; i++) {
        push_bind_value(L, c, tree, bind, i);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void keep_values(lua_State *L, const ag_compiled *c, const ag_binds *tree)
{
    int box = lua_gettop(L);
    lua_createtable(L, (int)c->npositions, 0);
    for (uint32_t i = 0; i < c->npositions; i++) {
        if (c->positions[i].member == AG_WHOLE)
            push_bind(L, c, tree, c->positions[i].bind);
        else
            push_bind_value(L, c, tree, c->positions[i].bind, c->positions[i].member);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setiuservalue(L, box, 1);
    lua_createtable(L, 0, (int)c->nbinds);
    for (uint32_t i = 0; i < c->nbinds; i++) {
        lua_pushlstring(L, c->binds[i].name.p, c->binds[i].name.n);
        push_bind(L, c, tree, i);
        lua_rawset(L, -3);
    }
    lua_setiuservalue(L, box, 2);
}

/* ---- compile ---- */

/* The binds gathered by one compilation: freed with the slot, whatever raises. */
typedef struct compile_work {
    ag_binds binds;
    ag_error err; /* hooks run meanwhile: not agl_err */
    bool live;
} compile_work;

static void work_release(compile_work *w)
{
    if (w->live) {
        ag_vec_clear(&w->binds);
        ag_error_clear(&w->err);
    }
    w->live = false;
}
static int work_gc(lua_State *L)
{
    work_release(agl_box_bytes(lua_touserdata(L, 1)));
    return 0;
}
static const luaL_Reg work_meta[] = {{"__gc", work_gc}, {"__close", work_gc}, {NULL, NULL}};
static const agl_class work_class = {.name = "compilation", .meta = work_meta};

static compile_work *work_open(lua_State *L, agl_state *st)
{
    compile_work *w = agl_box_bytes(agl_box_new(L, AGL_K_COMPILE_WORK, sizeof(agl_box) + sizeof *w, 0));
    ag_vec_init(&w->binds, &st->alloc);
    ag_error_init(&w->err, &st->alloc);
    w->live = true;
    lua_toclose(L, -1);
    return w;
}

static const ag_dialect *dialect_option(lua_State *L, int options)
{
    static const char *const known[] = {"sqlite", "postgresql", "default", NULL};
    if (!options || agl_opt_push(L, options, "dialect") == LUA_TNIL)
        return ag_dialect_ansi();
    const ag_dialect *d = agl_dialect_at(L, -1);
    if (!d && lua_type(L, -1) == LUA_TSTRING)
        agl_unknown(L, AG_EXC_ARGUMENT, "dialect", lua_tostring(L, -1), known);
    if (!d)
        agl_opt_error(L, "dialect", "a dialect's name, or what ag.dialects.register returned");
    return d;
}

/* Option column_keys: scratch array of strings that stay in the table. */
static void column_keys_option(lua_State *L, int options, ag_compile_options *o)
{
    if (agl_opt_push(L, options, "column_keys") == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    if (!agl_is_plain_table(L, -1))
        agl_opt_error(L, "column_keys", "a list of column names");
    int list = lua_gettop(L);
    size_t n = lua_rawlen(L, list);
    ag_str *keys = agl_scratch(L, (n + 1) * sizeof *keys);
    for (size_t i = 0; i < n; i++) {
        if (lua_rawgeti(L, list, (lua_Integer)i + 1) != LUA_TSTRING)
            agl_opt_error(L, "column_keys", "a list of column names");
        keys[i].p = lua_tolstring(L, -1, &keys[i].n);
        lua_pop(L, 1); /* the list keeps it */
    }
    o->column_keys = keys;
    o->ncolumn_keys = (uint32_t)n;
}

static void translate_option(lua_State *L, int options, ag_compile_options *o)
{
    if (agl_opt_push(L, options, "schema_translate_map") == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    if (!agl_is_plain_table(L, -1))
        agl_opt_error(L, "schema_translate_map", "a table of schema = schema");
    int map = lua_gettop(L);
    size_t n = 0;
    for (lua_pushnil(L); lua_next(L, map); lua_pop(L, 1))
        n++;
    ag_translate *pairs = agl_scratch(L, (n + 1) * sizeof *pairs);
    for (lua_pushnil(L); lua_next(L, map); lua_pop(L, 1)) {
        ag_translate *p = &pairs[o->ntranslate++];
        *p = (ag_translate){{0}, {0}};
        if (lua_type(L, -2) == LUA_TSTRING)
            p->from.p = lua_tolstring(L, -2, &p->from.n);
        else if (!agl_is_null(L, -2))
            agl_opt_error(L, "schema_translate_map", "schema names as keys (ag.null: no schema)");
        if (lua_type(L, -1) == LUA_TSTRING)
            p->to.p = lua_tolstring(L, -1, &p->to.n);
        else if (!agl_is_null(L, -1))
            agl_opt_error(L, "schema_translate_map", "schema names as values (ag.null: no schema)");
    }
    o->translate = pairs;
}

static const ag_node *check_compilable(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    if (!n)
        agl_typeerror(L, 1, "an SQL expression or statement (call methods with a colon)");
    return n;
}

int agl_stmt_compile(lua_State *L)
{
    static const char *const known[] = {
        "dialect", "literal_binds", "render_postcompile", "column_keys", "schema_translate_map", "no_cache", NULL};
    agl_check_top(L, 2);
    const ag_node *n = check_compilable(L);
    int options = agl_check_options(L, 2, known) ? 2 : 0;
    const ag_dialect *d = dialect_option(L, options);
    agl_state *st = agl_state_get(L);
    ag_compile_options o = {.types = st->types, .named = d == ag_dialect_ansi()};
    if (options) {
        o.literal_binds = agl_opt_boolean(L, 2, "literal_binds", false);
        o.render_postcompile = agl_opt_boolean(L, 2, "render_postcompile", false);
        column_keys_option(L, 2, &o);
        translate_option(L, 2, &o);
    }
    compiled *box = agl_box_new(L, AGL_K_COMPILED, sizeof *box, 2);
    box->st = agl_state_ref(L);
    lua_pushvalue(L, -1);
    compile_work *w = work_open(L, st);
    const agl_codec codec = {.dialect = d->name}; /* types' functions are told it, variants are found by it */
    ag_compile_host *host = &agl_compile_host_for(L, &codec)->base;
    agl_must(L, ag_compile(&box->c, &w->binds, d, n, &o, host, &st->alloc, &w->err), &w->err);
    lua_pushvalue(L, -2);
    keep_values(L, box->c, &w->binds);
    work_release(w);
    return 1;
}

/* What the default dialect has no words for is shown as PostgreSQL writes it (SQLAlchemy's stringify_dialect). */
int agl_compile_tostring(lua_State *L)
{
    const ag_node *n = check_compilable(L);
    agl_state *st = agl_state_get(L);
    ag_compile_options o = {.types = st->types, .named = true};
    compiled *box = agl_box_new(L, AGL_K_COMPILED, sizeof *box, 2);
    box->st = agl_state_ref(L);
    compile_work *w = work_open(L, st);
    ag_compile_host *host = &agl_compile_host_for(L, NULL)->base;
    ag_status made = ag_compile(&box->c, &w->binds, ag_dialect_ansi(), n, &o, host, &st->alloc, &w->err);
    const ag_dialect *fallback = ag_dialect_find("postgresql", strlen("postgresql"));
    if (made != AG_OK && w->err.cls == AG_EXC_UNSUPPORTED_COMPILATION && fallback) {
        ag_error_clear(&w->err);
        made = ag_compile(&box->c, &w->binds, fallback, n, &o, host, &st->alloc, &w->err);
    }
    agl_must(L, made, &w->err);
    work_release(w);
    lua_pushlstring(L, box->c->text.p, box->c->text.n);
    return 1;
}

/* ---- execution options: a Lua table, known to the core by number ---- */

/* What a statement cannot say for itself. */
static const char *const of_connections[] = {"isolation_level", "compiled_cache"};

static int stmt_execution_options(lua_State *L)
{
    agl_check_args(L, 2);
    agl_check_table(L, 2);
    const ag_node *stmt = check_compilable(L);
    for (size_t i = 0; i < sizeof of_connections / sizeof of_connections[0]; i++)
        if (lua_getfield(L, 2, of_connections[i]) != LUA_TNIL)
            return agl_error(
                L, AG_EXC_ARGUMENT,
                "'%s' is an option of a connection or an engine: set it by their execution_options(), or where "
                "the engine is made",
                of_connections[i]);
    lua_settop(L, 2);
    lua_newtable(L);
    int merged = lua_gettop(L);
    agl_hostvalue_push(L, ag_stmt_get_exec_options(stmt));
    for (int from = lua_istable(L, -1) ? lua_gettop(L) : 2; from; from = from == 2 ? 0 : 2) {
        for (lua_pushnil(L); lua_next(L, from); lua_pop(L, 1)) {
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, merged);
        }
    }
    lua_settop(L, merged);
    int64_t id = agl_hostvalue_id(L, merged);
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    agl_build_anchor(&x, merged);
    return agl_build_push(&x, ag_stmt_exec_options(x.b, stmt, id));
}

static int stmt_get_execution_options(lua_State *L)
{
    const ag_node *stmt = check_compilable(L);
    agl_hostvalue_push(L, ag_stmt_get_exec_options(stmt));
    if (lua_isnil(L, -1))
        lua_newtable(L);
    return 1;
}

static int stmt_compare(lua_State *L)
{
    agl_check_top(L, 2);
    const ag_node *a = check_compilable(L), *b = agl_node_at(L, 2);
    if (!b)
        return agl_typeerror(L, 2, "an SQL expression or statement");
    bool equal = false;
    ag_error *err = agl_err(L);
    agl_must(L, ag_tree_equal(&equal, a, b, &agl_state_get(L)->alloc, err), err);
    lua_pushboolean(L, equal);
    return 1;
}

static const luaL_Reg compiled_getters[] = {{"string", compiled_get_string},
                                            {"positional", compiled_get_positional},
                                            {"params", compiled_get_params},
                                            {"dialect", compiled_get_dialect},
                                            {NULL, NULL}};
static const luaL_Reg compiled_meta[] = {{"__gc", compiled_gc}, {"__tostring", compiled_get_string}, {NULL, NULL}};
static const agl_class compiled_class = {.name = "Compiled", .getters = compiled_getters, .meta = compiled_meta};
static const luaL_Reg stmt_methods[] = {{"compile", agl_stmt_compile},
                                        {"execution_options", stmt_execution_options},
                                        {"get_execution_options", stmt_get_execution_options},
                                        {"compare", stmt_compare},
                                        {NULL, NULL}};
static const luaL_Reg stmt_meta[] = {{"__tostring", agl_compile_tostring}, {NULL, NULL}};
static const agl_class stmt_class = {.name = "statement",
                                     .methods = stmt_methods,
                                     .more_methods = agl_introspect_methods,
                                     .getters = agl_introspect_getters,
                                     .meta = stmt_meta};

int agl_node_compare(lua_State *L)
{
    return stmt_compare(L);
}

void agl_open_compile(lua_State *L)
{
    agl_class_open(L, AGL_K_COMPILE_WORK, &work_class);
    agl_class_open(L, AGL_K_COMPILED, &compiled_class);
    agl_class_open(L, AGL_K_STATEMENT, &stmt_class);
}

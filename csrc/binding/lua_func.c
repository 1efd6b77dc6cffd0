/* ag.func: func.name(…) and func.package.name(…), and the methods of functions: over, filter, within_group, table_valued …
 *
 * A generator (func, func.lower, func.pkg …) is a box with its name in the block; user value 1 caches what was asked of it,
 * user value 2 is the generator it came from. */
#include "binding/lua_from.h"
#include "sql/func.h"
#include "sql/table.h"
#include <string.h>

#define MAX_PACKAGES 8

typedef struct generator {
    agl_box box;
    size_t len;
    char name[]; /* NUL-terminated; empty: ag.func itself */
} generator;

static generator *generator_new(lua_State *L, const char *name, size_t len)
{
    generator *g = agl_box_new(L, AGL_K_FUNCTION_NAME, sizeof *g + len + 1, 2);
    g->len = len;
    memcpy(g->name, name, len);
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    return g;
}

static int generator_index(lua_State *L)
{
    agl_check(L, 1, AGL_K_FUNCTION_NAME);
    size_t len;
    const char *name = agl_check_string(L, 2, &len);
    lua_getiuservalue(L, 1, 1);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) != LUA_TNIL)
        return 1;
    lua_pop(L, 1);
    if (!len)
        return agl_error(L, AG_EXC_ARGUMENT, "a function's name cannot be empty");
    len -= len > 1 && name[len - 1] == '_'; /* func.end_, as in SQLAlchemy */
    generator_new(L, name, len);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 2);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
    return 1;
}

/* Names from ag.func down to the generator at argument 1; the last is the function's. Returns how many. The boxes stay alive
 * through each other. */
static size_t generator_path(lua_State *L, ag_str *out)
{
    size_t n = 0;
    ag_str names[MAX_PACKAGES + 1];
    lua_pushvalue(L, 1);
    for (;;) {
        const generator *g = lua_touserdata(L, -1);
        if (!g->len)
            break;
        if (n > MAX_PACKAGES)
            agl_error(L, AG_EXC_ARGUMENT, "func: more than %d package names", MAX_PACKAGES);
        names[n++] = (ag_str){g->name, g->len};
        lua_getiuservalue(L, -1, 2);
        lua_remove(L, -2);
    }
    lua_pop(L, 1);
    for (size_t i = 0; i < n; i++)
        out[i] = names[n - 1 - i];
    return n;
}

/* An argument: a value is a bind called as the function, a table in FROM stands for its row. */
static const ag_node *function_argument(agl_build *x, int idx, int arg, ag_str name)
{
    const ag_node *n = agl_node_at(x->L, idx);
    if (n && ag_node_is_from(n)) {
        agl_build_anchor(x, idx);
        return ag_from_value(x->b, n, NULL);
    }
    const ag_node *e = agl_conv_expr(x, idx, arg);
    return !n && e && e->kind == AG_K_BIND ? ag_bind_rekey(x->b, e, name) : e;
}

/* func_name(generator) → "pkg.name" in lower case: argent.custom's key of functions. */
static int func_name(lua_State *L)
{
    agl_check(L, 1, AGL_K_FUNCTION_NAME);
    ag_str path[MAX_PACKAGES + 1];
    size_t n = generator_path(L, path);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < n; i++) {
        if (i)
            luaL_addchar(&b, '.');
        luaL_addlstring(&b, path[i].p, path[i].n);
    }
    luaL_pushresult(&b);
    return 1;
}

static const char registered_key = 0;

/* The class registered under the generator's name (ag.GenericFunction), pushed when there is one. */
static bool push_registered(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &registered_key) != LUA_TTABLE) {
        lua_pop(L, 1);
        return false;
    }
    lua_pushcfunction(L, func_name);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    if (lua_gettable(L, -2) != LUA_TNIL) {
        lua_remove(L, -2);
        return true;
    }
    lua_pop(L, 2);
    return false;
}

static int call_registered(lua_State *L, int top)
{
    lua_replace(L, 1);
    lua_call(L, top - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* func_registry(table): name → class */
static int func_registry(lua_State *L)
{
    lua_settop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &registered_key);
    return 0;
}

static void push_argent(lua_State *L, const char *name)
{
    luaL_checkstack(L, 4, "argent");
    lua_getglobal(L, "require");
    lua_pushliteral(L, "argent");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

/* What is called like a function and is none: func.cast(x, T), func.extract(field, x), func.next_value(sequence). Pushes what stands for it. */
static bool push_construct(lua_State *L, ag_str name)
{
    if (strcmp(name.p, "cast") == 0 || strcmp(name.p, "extract") == 0) {
        push_argent(L, name.p);
        return true;
    }
    if (strcmp(name.p, "next_value") != 0)
        return false;
    if (lua_type(L, 2) != LUA_TTABLE || lua_getfield(L, 2, "next_value") != LUA_TFUNCTION)
        agl_typeerror(L, 2, "a Sequence");
    return true;
}

/* func.name(args…, {type = T, monotonic = true}): a final table is options when every key is one; any other table raises. monotonic is
 * taken as SQLAlchemy's and changes nothing: the rows of an INSERT come back in their order whatever their keys are. */
static int generator_call(lua_State *L)
{
    static const char *const known[] = {"type", "monotonic", NULL};
    agl_check(L, 1, AGL_K_FUNCTION_NAME);
    ag_str path[MAX_PACKAGES + 1];
    size_t n = generator_path(L, path);
    if (!n)
        return agl_error(L, AG_EXC_ARGUMENT, "func is not a function itself: func.name(…)");
    int top = lua_gettop(L);
    const ag_type *type = NULL;
    if (push_registered(L) || (n == 1 && push_construct(L, path[0])))
        return call_registered(L, top);
    if (top >= 2 && agl_is_plain_table(L, top)) {
        if (lua_rawlen(L, top))
            return agl_error(L, AG_EXC_ARGUMENT,
                             "func.%s: a table at the end is options: a list as an argument is written "
                             "ag.literal(list, type), or ag.postgresql.array(list)",
                             lua_pushlstring(L, path[n - 1].p, path[n - 1].n));
        agl_check_options(L, top, known);
        if (agl_opt_push(L, top, "type") != LUA_TNIL)
            type = agl_check_type(L, -1, top);
        (void)agl_opt_boolean(L, top, "monotonic", false);
        lua_settop(L, --top);
    }
    agl_build x = agl_build_begin(L);
    agl_list args = {agl_build_scratch(&x, (size_t)top * sizeof(ag_node *)), (size_t)(top - 1)};
    for (int i = 2; i <= top; i++) {
        args.items[i - 2] = function_argument(&x, i, i, path[n - 1]);
        if (!args.items[i - 2])
            agl_build_raise(&x);
    }
    return agl_build_push(&x, ag_func(x.b, path, n - 1, path[n - 1], args.items, args.n, type, 0));
}

/* a ^ b: pow(a, b), power(a, b) on PostgreSQL; either side may be a Lua value. */
int agl_expr_pow(lua_State *L)
{
    if (agl_comparator_binary(L, "__pow", "__rpow"))
        return 1;
    agl_build x = agl_build_begin(L);
    const ag_str name = AG_STR("pow");
    const ag_node *args[2] = {function_argument(&x, 1, 1, name), function_argument(&x, 2, 2, name)};
    if (!args[0] || !args[1])
        agl_build_raise(&x);
    return agl_build_push(&x, ag_func(x.b, NULL, 0, name, args, 2, NULL, 0));
}

/* custom_func(class, flags, packages, name, type|nil, args…): a function of a class made by argent.custom. */
static int custom_func(lua_State *L)
{
    int top = lua_gettop(L);
    uint32_t cls = (uint32_t)agl_check_integer(L, 1, 1, INT32_MAX);
    unsigned flags = (unsigned)agl_check_integer(L, 2, 0, AG_NF_KIND);
    ag_str packages[MAX_PACKAGES], name = agl_check_str(L, 4);
    size_t npackages = lua_rawlen(L, 3);
    const ag_type *type = lua_isnil(L, 5) ? NULL : agl_check_type(L, 5, 5);
    for (size_t i = 0; i < npackages && i < MAX_PACKAGES; i++) {
        lua_rawgeti(L, 3, (lua_Integer)i + 1);
        packages[i] = agl_check_str(L, -1); /* the table keeps it */
        lua_pop(L, 1);
    }
    agl_build x = agl_build_begin(L);
    agl_list args = {agl_build_scratch(&x, (size_t)top * sizeof(ag_node *)), (size_t)(top - 5)};
    for (int i = 6; i <= top; i++) {
        args.items[i - 6] = function_argument(&x, i, i - 5, name);
        if (!args.items[i - 6])
            agl_build_raise(&x);
    }
    return agl_build_push(&x, ag_func_custom(x.b, cls, packages, npackages, name, args.items, args.n, type, flags));
}

/* ---- over ---- */

typedef struct frame_option {
    const char *name;
    ag_frame frame;
} frame_option;

/* A bound of ag.FrameClause(start, stop, start_type, stop_type). */
static void frame_clause_bound(agl_build *x, int options, int at, int i, ag_bound *bound, const ag_node **value)
{
    static const char *const fields[] = {"start_frame_type", "end_frame_type"};
    static const char *const types[] = {"UNBOUNDED", "CURRENT", "PRECEDING", "FOLLOWING", NULL};
    lua_State *L = x->L;
    const char *type = agl_opt_string(L, at, fields[i], NULL);
    int found = -1;
    for (int t = 0; type && types[t]; t++)
        found = strcmp(type, types[t]) == 0 ? t : found;
    if (found < 0)
        agl_unknown(L, AG_EXC_ARGUMENT, "type of a frame's bound", type ? type : "nil", types);
    *bound = (ag_bound)(AG_BOUND_UNBOUNDED + found);
    if (*bound == AG_BOUND_UNBOUNDED || *bound == AG_BOUND_CURRENT)
        return;
    lua_rawgeti(L, at, i + 1);
    if (agl_is_null(L, -1) || agl_node_at(L, -1))
        agl_argerror(L, options, "a bound of type %s needs a value, got %s", type, agl_describe(L, -1, false));
    *value = agl_conv_expr(x, lua_gettop(L), options);
    if (!*value)
        agl_build_raise(x);
}

/* rows = {lower, upper}: a number (negative: preceding), ag.null (unbounded), an expression is not a bound. */
static void frame_bounds(agl_build *x, int options, int at, const char *name, ag_window *w)
{
    lua_State *L = x->L;
    if (!agl_is_plain_table(L, at) || lua_rawlen(L, at) != 2)
        agl_argerror(L, options, "option '%s': expected a pair {lower, upper} of numbers or ag.null", name);
    ag_bound *bounds[2] = {&w->lower, &w->upper};
    const ag_node **values[2] = {&w->lower_value, &w->upper_value};
    bool clause = lua_getfield(L, at, "start_frame_type") != LUA_TNIL;
    lua_pop(L, 1);
    for (int i = 0; i < 2; i++) {
        if (clause) {
            frame_clause_bound(x, options, at, i, bounds[i], values[i]);
            continue;
        }
        lua_rawgeti(L, at, i + 1);
        if (agl_is_null(L, -1)) {
            *bounds[i] = AG_BOUND_UNBOUNDED;
        } else if (lua_isinteger(L, -1)) {
            *bounds[i] = ag_bound_of_int(x->b, lua_tointeger(L, -1), values[i]);
        } else {
            agl_argerror(L, options, "option '%s': a bound is an integer or ag.null (unbounded), got %s", name,
                         agl_describe(L, -1, false));
        }
        lua_pop(L, 1);
    }
}

static ag_exclude exclude_option(lua_State *L, int options)
{
    static const char *const names[] = {"CURRENT ROW", "GROUP", "TIES", "NO OTHERS", NULL};
    ag_str s = agl_field_str(L, options, "exclude");
    if (!s.p)
        return AG_EXCLUDE_NONE;
    for (int i = 0; names[i]; i++) {
        if (strlen(names[i]) == s.n && strncasecmp(names[i], s.p, s.n) == 0)
            return (ag_exclude)(AG_EXCLUDE_CURRENT_ROW + i);
    }
    agl_unknown(L, AG_EXC_ARGUMENT, "frame exclusion", s.p, names);
    return AG_EXCLUDE_NONE;
}

static void window_list(agl_build *x, int options, const char *name, const ag_node *const **items, size_t *n)
{
    lua_State *L = x->L;
    if (agl_opt_push(L, options, name) == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    agl_list l = agl_build_table(x, lua_gettop(L), options, agl_conv_named);
    *items = l.items;
    *n = l.n;
}

static int fn_over(lua_State *L)
{
    static const char *const known[] = {"partition_by", "order_by", "rows", "range", "groups", "exclude", NULL};
    static const frame_option frames[] = {
        {"rows", AG_FRAME_ROWS}, {"range", AG_FRAME_RANGE}, {"groups", AG_FRAME_GROUPS}, {NULL, AG_FRAME_NONE}};
    agl_check_args(L, 2);
    bool options = agl_check_options(L, 2, known);
    ag_window w = {0};
    agl_build x = agl_build_begin(L);
    const ag_node *element = agl_self_expr(&x);
    if (options) {
        window_list(&x, 2, "partition_by", &w.partition_by, &w.npartition);
        window_list(&x, 2, "order_by", &w.order_by, &w.norder);
        for (const frame_option *f = frames; f->name; f++) {
            if (agl_opt_push(L, 2, f->name) != LUA_TNIL) {
                if (w.frame)
                    return agl_argerror(L, 2, "rows, range and groups exclude each other");
                w.frame = f->frame;
                frame_bounds(&x, 2, lua_gettop(L), f->name, &w);
            }
            lua_pop(L, 1);
        }
        w.exclude = exclude_option(L, 2);
    }
    return agl_build_push(&x, ag_over(x.b, element, &w));
}

static int fn_filter(lua_State *L)
{
    int top = lua_gettop(L);
    agl_build x = agl_build_begin(L);
    const ag_node *element = agl_self_expr(&x);
    agl_list l = agl_build_args(&x, 2, top, agl_conv_condition);
    return agl_build_push(&x, ag_filter(x.b, element, l.items, l.n));
}

static int fn_within_group(lua_State *L)
{
    int top = lua_gettop(L);
    agl_build x = agl_build_begin(L);
    const ag_node *element = agl_self_expr(&x);
    agl_list l = agl_build_args(&x, 2, top, agl_conv_named);
    return agl_build_push(&x, ag_within_group(x.b, element, l.items, l.n));
}

/* fn:aggregate_order_by(…) and pg.aggregate_order_by(expr, …) */
static int fn_aggregate_order_by(lua_State *L)
{
    int top = lua_gettop(L);
    agl_build x = agl_build_begin(L);
    const ag_node *element = agl_conv_expr(&x, 1, 1);
    agl_list l = agl_build_args(&x, 2, top, agl_conv_named);
    return agl_build_push(&x, ag_aggregate_order_by(x.b, element, l.items, l.n));
}

static int fn_as_comparison(lua_State *L)
{
    agl_check_args(L, 3);
    uint32_t left = (uint32_t)agl_check_integer(L, 2, 1, 255), right = (uint32_t)agl_check_integer(L, 3, 1, 255);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_func_comparison(x.b, agl_self_expr(&x), left, right));
}

/* ---- functions in FROM ---- */

/* A column of table_valued: a name or column(). */
static const ag_node *conv_table_column(agl_build *x, int idx, int arg)
{
    lua_State *L = x->L;
    if (lua_type(L, idx) == LUA_TSTRING) {
        size_t n;
        const char *s = lua_tolstring(L, idx, &n);
        return ag_column_clause(x->b, (ag_str){s, n}, NULL, false);
    }
    return agl_conv_node(x, idx, arg);
}

static int fn_table_valued(lua_State *L)
{
    static const char *const known[] = {"name", "with_ordinality", "joins_implicitly", NULL};
    int top = lua_gettop(L);
    int options = agl_build_options(L, 2, known);
    int last = options ? top - 1 : top;
    ag_str name = agl_field_str(L, options, "name"), ordinality = agl_field_str(L, options, "with_ordinality");
    unsigned flags = options && agl_opt_boolean(L, options, "joins_implicitly", false) ? AG_TABLE_FUNC_JOINS : 0;
    agl_build x = agl_build_begin(L);
    const ag_node *fn = agl_self_expr(&x);
    agl_list l = agl_build_args(&x, 2, last, conv_table_column);
    if (ordinality.p) {
        const ag_node **more = agl_build_scratch(&x, (l.n + 1) * sizeof *more);
        if (l.n)
            memcpy(more, l.items, l.n * sizeof *more);
        more[l.n++] = ag_column_clause(x.b, ordinality, ag_type_plain(AG_TYPE_INTEGER), false);
        l.items = more;
        flags |= AG_TABLE_FUNC_ORDINALITY;
    }
    return agl_build_push(&x, ag_table_func(x.b, fn, l.items, l.n, name, flags));
}

static int fn_column_valued(lua_State *L)
{
    static const char *const known[] = {"joins_implicitly", NULL};
    AGL_KEYWORDS(L, 2, "name");
    int options = agl_build_options(L, 2, known);
    agl_check_top(L, options ? 3 : 2);
    ag_str name = options == 2 ? (ag_str){0} : agl_opt_str(L, 2);
    unsigned flags = AG_TABLE_FUNC_SCALAR;
    flags |= options && agl_opt_boolean(L, options, "joins_implicitly", false) ? AG_TABLE_FUNC_JOINS : 0;
    agl_build x = agl_build_begin(L);
    const ag_node *fn = agl_self_expr(&x);
    const ag_node *from = ag_table_func(x.b, fn, NULL, 0, name, flags);
    return agl_build_push(&x, ag_from_value(x.b, from, fn->type));
}

static int fn_alias(lua_State *L)
{
    static const char *const known[] = {"joins_implicitly", NULL};
    AGL_KEYWORDS(L, 2, "name");
    int options = agl_build_options(L, 2, known);
    agl_check_top(L, options ? 3 : 2);
    ag_str name = options == 2 ? (ag_str){0} : agl_opt_str(L, 2);
    unsigned flags = AG_TABLE_FUNC_SCALAR;
    flags |= options && agl_opt_boolean(L, options, "joins_implicitly", false) ? AG_TABLE_FUNC_JOINS : 0;
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_table_func(x.b, agl_self_expr(&x), NULL, 0, name, flags));
}

static int fn_scalar_table_valued(lua_State *L)
{
    AGL_KEYWORDS(L, 2, "name", "type");
    agl_check_args(L, 3);
    ag_str name = agl_check_str(L, 2);
    const ag_type *type = lua_isnoneornil(L, 3) ? NULL : agl_check_type(L, 3, 3);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_func_column(x.b, agl_self_expr(&x), name, type));
}

/* ---- table functions: methods of what table_valued gives ---- */

static int table_func_render_derived(lua_State *L)
{
    static const char *const known[] = {"name", "with_types", NULL};
    agl_check(L, 1, AGL_K_TABLE_FUNC);
    agl_check_args(L, 2);
    bool options = agl_check_options(L, 2, known);
    ag_str name = agl_field_str(L, options ? 2 : 0, "name");
    bool with_types = options && agl_opt_boolean(L, 2, "with_types", false);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_table_func_derived(x.b, agl_conv_from(&x, 1, 1), name, with_types));
}

/* alias.column: the function's value as a column. */
static int table_func_column(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    return agl_build_push(&x, ag_from_value(x.b, n, AG_AS(table_func, TABLE_FUNC, n)->function->type));
}

/* SELECT function(…) */
static int fn_select(lua_State *L)
{
    agl_check(L, 1, AGL_K_FUNCTION);
    agl_check_args(L, 1);
    push_argent(L, "select");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static const luaL_Reg generator_meta[] = {{"__index", generator_index}, {"__call", generator_call}, {NULL, NULL}};
static const agl_class generator_class = {.name = "func", .meta = generator_meta};
static const luaL_Reg function_methods[] = {{"over", fn_over},
                                            {"filter", fn_filter},
                                            {"within_group", fn_within_group},
                                            {"aggregate_order_by", fn_aggregate_order_by},
                                            {"as_comparison", fn_as_comparison},
                                            {"table_valued", fn_table_valued},
                                            {"column_valued", fn_column_valued},
                                            {"alias", fn_alias},
                                            {"select", fn_select},
                                            {"scalar_table_valued", fn_scalar_table_valued},
                                            {NULL, NULL}};
static const luaL_Reg table_func_methods[] = {{"render_derived", table_func_render_derived}, {NULL, NULL}};
static const luaL_Reg table_func_getters[] = {{"column", table_func_column}, {NULL, NULL}};
static const luaL_Reg internal[] = {
    {"custom_func", custom_func}, {"func_name", func_name}, {"func_registry", func_registry}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"aggregate_order_by", fn_aggregate_order_by},
                                     {"over", fn_over},
                                     {"funcfilter", fn_filter},
                                     {"within_group", fn_within_group},
                                     {NULL, NULL}};

void agl_open_func(lua_State *L)
{
    static agl_class function_class = {.name = "function", .methods = function_methods, .base = AGL_K_EXPR};
    function_class.meta = agl_expr_meta();
    agl_class_open(L, AGL_K_FUNCTION, &function_class);
    agl_class_open(L, AGL_K_FUNCTION_NAME, &generator_class);
    agl_functions(L, functions);
    agl_functions_internal(L, internal);
    generator_new(L, "", 0);
    lua_setfield(L, -2, "func");
}

void agl_open_table_func(lua_State *L)
{
    static const agl_class table_func_class = {.name = "table function",
                                               .methods = table_func_methods,
                                               .getters = table_func_getters,
                                               .base = AGL_K_FROMCLAUSE};
    agl_class_open(L, AGL_K_TABLE_FUNC, &table_func_class);
}

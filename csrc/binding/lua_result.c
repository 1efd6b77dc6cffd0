/* The Result handle: making and filling, views, properties of DML, freeze and merge. Reading is lua_result_read.c. */
#include "binding/hint.h"
#include "binding/lua_result.h"
#include "binding/module.h"
#include "compile/compiled.h"

agl_result *agl_result_check(lua_State *L, int arg)
{
    return agl_check(L, arg, AGL_K_RESULT);
}

agl_result *agl_result_new(lua_State *L)
{
    agl_result *res = agl_box_new(L, AGL_K_RESULT, sizeof *res, 2);
    res->st = agl_state_ref(L);
    return res;
}

void agl_result_push_extras(lua_State *L, int idx)
{
    idx = lua_absindex(L, idx);
    if (lua_getiuservalue(L, idx, 2) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        agl_box_anchor(L, idx, 2, -1);
    }
}

/* Push the metatable of rows; a statement's later executions find it by the mark of the first. */
static void push_shape(lua_State *L, const agl_result *res, const agl_codec *codec)
{
    uint64_t *mark = ag_result_mark(res->r);
    agl_shape *s;
    if (mark && *mark && codec && agl_shape_push_marked(L, *mark, ag_result_compiled(res->r), codec))
        return;
    s = agl_shape_push(L, ag_result_columns(res->r), res->ncols, codec, ag_result_compiled(res->r));
    if (!mark || !codec)
        return;
    if (!s->mark)
        s->mark = ++res->st->serials;
    *mark = s->mark;
}

void agl_result_fill(lua_State *L, int idx, ag_result *r, agl_host *host, const agl_codec *codec)
{
    agl_result *res = agl_result_check(L, idx);
    size_t bytes;
    idx = lua_absindex(L, idx);
    res->r = r; /* owned by the box from here on */
    res->window = r ? ag_result_yield_per(r) : 0;
    res->host = host;
    if (!r || !ag_result_returns_rows(r))
        return;
    res->ncols = ag_result_ncolumns(r);
    push_shape(L, res, codec);
    lua_setiuservalue(L, idx, 1);
    bytes = ag_result_bytes(r);
    agl_gc_account(L, bytes);
}

void agl_result_fill_items(lua_State *L, int idx, int items, lua_Integer nrows, int names, uint32_t ncols, int refill)
{
    agl_result *res = agl_result_check(L, idx);
    ag_result_column *cols;
    idx = lua_absindex(L, idx);
    items = lua_absindex(L, items);
    names = lua_absindex(L, names);
    if (refill)
        refill = lua_absindex(L, refill);
    cols = agl_scratch(L, sizeof *cols * (ncols ? ncols : 1));
    for (uint32_t i = 0; i < ncols; i++) {
        size_t len;
        lua_rawgeti(L, names, (lua_Integer)i + 1);
        cols[i] = (ag_result_column){.source = -1};
        cols[i].name.p = lua_tolstring(L, -1, &len); /* names keeps it */
        cols[i].name.n = len;
        lua_pop(L, 1);
    }
    agl_shape_push(L, cols, ncols, NULL, NULL);
    lua_setiuservalue(L, idx, 1);
    agl_result_push_extras(L, idx);
    lua_pushvalue(L, items);
    lua_setfield(L, -2, "items");
    if (refill) {
        lua_pushvalue(L, refill);
        lua_setfield(L, -2, "refill");
    }
    lua_pop(L, 2);
    res->from_items = true;
    res->nitems = nrows;
    res->ncols = ncols;
}

void agl_result_set_unique(lua_State *L, int idx)
{
    agl_result *res = agl_result_check(L, idx);
    res->unique = true;
    agl_result_push_extras(L, idx);
    lua_newtable(L);
    lua_setfield(L, -2, "seen");
    lua_pop(L, 1);
}

static void release_result(void *obj)
{
    ag_result_unref(obj);
}

static void close_core(void *obj)
{
    ag_result_close(obj);
    ag_result_unref(obj);
}

void agl_result_end(agl_result *res, lua_State *L)
{
    res->closed = true;
    if (res->r)
        agl_defer(res->st, L, close_core, ag_result_ref(res->r));
}

/* ---- life ---- */

static int result_gc(lua_State *L)
{
    agl_result *res = agl_test(L, 1, AGL_K_RESULT);
    if (res && res->st) {
        agl_state *st = res->st;
        ag_result *r = res->r;
        res->st = NULL;
        res->r = NULL;
        res->closed = true;
        if (r)
            agl_defer(st, L, release_result, r);
        agl_state_unref(st);
    }
    return 0;
}

/* result:close(), and __close at the end of a loop */
static int result_close(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    agl_result_end(res, L);
    return 0;
}

static int result_get_closed(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    lua_pushboolean(L, res->closed || (res->r && ag_result_is_closed(res->r)));
    return 1;
}

/* ---- views ---- */

/* Push a new Result over the same cursor as the one at 1. */
static agl_result *push_view_of(lua_State *L, agl_result *from)
{
    agl_result *res = agl_result_new(L);
    int at = lua_gettop(L);
    agl_box keep = res->box;
    agl_state *st = res->st;
    *res = *from;
    res->box = keep;
    res->st = st;
    if (res->r)
        ag_result_ref(res->r);
    for (int uv = 1; uv <= 2; uv++) {
        lua_getiuservalue(L, 1, uv);
        lua_setiuservalue(L, at, uv);
    }
    return res;
}

static void need_rows(lua_State *L, const agl_result *res)
{
    if (lua_getiuservalue(L, 1, 1) != LUA_TTABLE)
        agl_error_in(L, AG_EXC_RESOURCE_CLOSED,
                     res->closed || !res->r ? "this result is closed" : "the statement returns no rows");
    lua_pop(L, 1);
}

/* Number of the column meant by argument arg (from 0) */
static uint32_t column_arg(lua_State *L, int arg)
{
    unsigned col;
    lua_getiuservalue(L, 1, 1);
    col = agl_shape_column(L, lua_gettop(L), arg);
    lua_pop(L, 1);
    return col;
}

/* result:scalars([column]) */
static int result_scalars(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    uint32_t col = 0;
    need_rows(L, res);
    if (!lua_isnoneornil(L, 2))
        col = column_arg(L, 2);
    lua_settop(L, 1);
    res = push_view_of(L, res);
    res->view = AGL_VIEW_SCALARS;
    res->column = col;
    return 1;
}

static int result_mappings(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    need_rows(L, res);
    lua_settop(L, 1);
    push_view_of(L, res)->view = AGL_VIEW_MAPPINGS;
    return 1;
}

/* for i, a, b in result:tuples() do: the view is its own iterator */
static int result_tuples(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    need_rows(L, res);
    lua_settop(L, 1);
    res = push_view_of(L, res);
    res->view = AGL_VIEW_TUPLES;
    res->given = 0;
    lua_pushnil(L);
    lua_pushnil(L);
    lua_pushvalue(L, 2);
    return 4;
}

/* Column numbers for columns(…): composed with an earlier choice. names table at 3, map at 4. */
static void choose_column(lua_State *L, agl_result *res, int arg, int n)
{
    uint32_t col = column_arg(L, arg);
    lua_getiuservalue(L, 1, 1);
    agl_shape_push_names(L, -1);
    lua_rawgeti(L, -1, (lua_Integer)col + 1);
    lua_rawseti(L, 3, n);
    lua_pop(L, 2);
    if (res->mapped) {
        agl_result_push_extras(L, 1);
        lua_getfield(L, -1, "map");
        lua_rawgeti(L, -1, (lua_Integer)col + 1);
        col = (uint32_t)lua_tointeger(L, -1);
        lua_pop(L, 3);
    }
    lua_pushinteger(L, col);
    lua_rawseti(L, 4, n);
}

/* Push the metatable for the chosen columns. Arguments' table at 2, names at 3. */
static void push_chosen_shape(lua_State *L, agl_result *res, int n)
{
    ag_result_column *cols = agl_scratch(L, sizeof *cols * (size_t)(n ? n : 1));
    agl_shape *from;
    lua_getiuservalue(L, 1, 1);
    from = agl_shape_of(L, -1);
    for (int i = 0; i < n; i++) {
        size_t len;
        cols[i] = (ag_result_column){.source = -1};
        lua_rawgeti(L, 3, i + 1);
        cols[i].name.p = lua_tolstring(L, -1, &len);
        cols[i].name.n = len;
        lua_rawgeti(L, 4, i + 1);
        if (res->r && !res->from_items)
            cols[i].type = ag_result_columns(res->r)[lua_tointeger(L, -1)].type;
        lua_pop(L, 2);
    }
    agl_shape_push(L, cols, (uint32_t)n, &from->codec, NULL);
}

/* result:columns(a, b …): rows of these columns only, in this order; in place, as SQLAlchemy */
static int result_columns(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    int n;
    need_rows(L, res);
    if (res->from_items)
        return agl_error_in(L, AG_EXC_INVALID_REQUEST, "not on a result of entities; select the columns");
    if (lua_type(L, 2) != LUA_TTABLE) { /* columns("a", "b") is columns{"a", "b"} */
        n = lua_gettop(L) - 1;
        lua_createtable(L, n, 0);
        for (int i = 1; i <= n; i++) {
            lua_pushvalue(L, i + 1);
            lua_rawseti(L, -2, i);
        }
        lua_replace(L, 2);
    }
    lua_settop(L, 2);
    n = (int)lua_rawlen(L, 2);
    if (n == 0)
        return agl_argerror(L, 2, "expected names or numbers of columns, got none");
    lua_createtable(L, n, 0);
    lua_createtable(L, n, 0);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, 2, i);
        choose_column(L, res, 5, i);
        lua_settop(L, 4);
    }
    push_chosen_shape(L, res, n);
    lua_setiuservalue(L, 1, 1);
    agl_result_push_extras(L, 1);
    lua_pushvalue(L, 4);
    lua_setfield(L, -2, "map");
    res->mapped = true;
    res->ncols = (uint32_t)n;
    lua_settop(L, 1);
    return 1;
}

/* result:unique([key function]) → the result */
static int result_unique(lua_State *L)
{
    agl_result_check(L, 1);
    if (!lua_isnoneornil(L, 2))
        agl_check_function(L, 2);
    agl_result_set_unique(L, 1);
    agl_result_push_extras(L, 1);
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "key");
    lua_settop(L, 1);
    return 1;
}

/* result:yield_per(n) → the result; partitions() and streams take n rows at a time */
static int result_yield_per(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    res->window = agl_check_integer(L, 2, 1, UINT32_MAX);
    lua_settop(L, 1);
    return 1;
}

/* result:keys() → array of names */
static int result_keys(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    need_rows(L, res);
    lua_createtable(L, (int)res->ncols, 0);
    lua_getiuservalue(L, 1, 1);
    agl_shape_push_names(L, -1);
    for (uint32_t i = 1; i <= res->ncols; i++) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -4, i);
    }
    lua_pop(L, 2);
    return 1;
}

/* ---- freeze, merge ---- */

/* upvalue 1: the frozen result */
static int thaw(lua_State *L)
{
    agl_result *res;
    ag_error *err;
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    res = push_view_of(L, agl_result_check(L, 1));
    if (res->r)
        ag_result_unref(res->r);
    res->r = NULL;
    err = agl_err(L);
    agl_must(L, ag_result_copy(&res->r, agl_result_check(L, 1)->r, err), err);
    return 1;
}

/* result:freeze() → a function that gives the result again, as often as called */
static int result_freeze(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1), *copy;
    ag_error *err;
    need_rows(L, res);
    lua_settop(L, 1);
    if (res->from_items)
        return agl_error_in(L, AG_EXC_INVALID_REQUEST, "not on a result of entities; use all()");
    copy = push_view_of(L, res);
    ag_result_unref(copy->r);
    copy->r = NULL;
    err = agl_err(L);
    agl_must(L, ag_result_copy(&copy->r, res->r, err), err);
    agl_result_end(res, L);
    lua_pushcclosure(L, thaw, 1);
    return 1;
}

/* result:merge(other, …) → one result of all rows, in order */
static int result_merge(lua_State *L)
{
    int n = lua_gettop(L);
    agl_result *first = agl_result_check(L, 1), *out;
    ag_result **rs;
    ag_error *err;
    need_rows(L, first);
    rs = agl_scratch(L, sizeof *rs * (size_t)n);
    for (int i = 1; i <= n; i++) {
        agl_result *r = agl_result_check(L, i);
        if (!r->r || r->closed)
            return agl_argerror(L, i, "this result is closed or holds entities");
        rs[i - 1] = r->r;
    }
    out = push_view_of(L, first);
    ag_result_unref(out->r);
    out->r = NULL;
    err = agl_err(L);
    agl_must(L, ag_result_merge(&out->r, rs, (size_t)n, err), err);
    return 1;
}

/* ---- what DML brought back ---- */

ag_result *agl_result_core(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    if (!res->r)
        agl_error_in(L, AG_EXC_RESOURCE_CLOSED, "this result has no statement's data");
    return res->r;
}

static int get_rowcount(lua_State *L)
{
    lua_pushinteger(L, ag_result_rowcount(agl_result_core(L)));
    return 1;
}

/* result:set_rowcounts() → row count of each parameter set of an executemany */
static int result_set_rowcounts(lua_State *L)
{
    ag_result *r = agl_result_core(L);
    size_t n = ag_result_nsets(r);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushinteger(L, ag_result_set_rowcount(r, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int get_lastrowid(lua_State *L)
{
    int64_t id = ag_result_lastrowid(agl_result_core(L));
    if (id)
        lua_pushinteger(L, id);
    else
        lua_pushnil(L);
    return 1;
}

static int get_returns_rows(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    lua_pushboolean(L, res->from_items || (res->r && ag_result_returns_rows(res->r)));
    return 1;
}

static int get_is_insert(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    lua_pushboolean(L, res->r && ag_result_is_insert(res->r));
    return 1;
}

/* the database's command tag ("INSERT 0 5"), "" where there is none */
static int get_tag(lua_State *L)
{
    lua_pushstring(L, ag_result_tag(agl_result_core(L)));
    return 1;
}

static int result_tostring(lua_State *L)
{
    static const char *const views[] = {"Result", "ScalarResult", "MappingResult", "TupleResult"};
    agl_result *res = agl_result_check(L, 1);
    lua_pushfstring(L, "%s(%s%p)", views[res->view & 3], res->closed ? "closed, " : "", (void *)res);
    return 1;
}

static const luaL_Reg methods[] = {
    {"scalars", result_scalars},
    {"mappings", result_mappings},
    {"tuples", result_tuples},
    {"columns", result_columns},
    {"unique", result_unique},
    {"yield_per", result_yield_per},
    {"keys", result_keys},
    {"freeze", result_freeze},
    {"merge", result_merge},
    {"close", result_close},
    {"set_rowcounts", result_set_rowcounts},
    {"prefetch_cols", agl_result_prefetch_cols},
    {"postfetch_cols", agl_result_postfetch_cols},
    {"supports_sane_rowcount", agl_result_supports_sane_rowcount},
    {"supports_sane_multi_rowcount", agl_result_supports_sane_rowcount},
    {NULL, NULL},
};
static const luaL_Reg getters[] = {
    {"closed", result_get_closed},
    {"rowcount", get_rowcount},
    {"lastrowid", get_lastrowid},
    {"returns_rows", get_returns_rows},
    {"is_insert", get_is_insert},
    {"inserted_primary_key", agl_result_get_inserted_primary_key},
    {"inserted_primary_key_rows", agl_result_get_inserted_primary_key_rows},
    {"returned_defaults", agl_result_get_returned_defaults},
    {"returned_defaults_rows", agl_result_get_returned_defaults_rows},
    {"tag", get_tag},
    {NULL, NULL},
};
/* #result, pairs(result) */
static int result_no_list(lua_State *L)
{
    return agl_error(L, AG_EXC_ARGUMENT, "a Result is no list: %s", agl_hint(AGL_K_RESULT, NULL));
}

static const luaL_Reg meta[] = {
    {"__gc", result_gc},
    {"__close", result_close},
    {"__call", agl_result_call},
    {"__tostring", result_tostring},
    {"__len", result_no_list},
    {"__pairs", result_no_list},
    {NULL, NULL},
};
static const agl_class result_class = {
    .name = "Result", .methods = methods, .more_methods = agl_result_read_methods, .getters = getters, .meta = meta};

void agl_open_result(lua_State *L)
{
    agl_class_open(L, AGL_K_RESULT, &result_class);
}

/* Reading results: all, first, one, scalar …, iteration and partitions. All of them are one loop over the rows that can
 * stop to fetch (streams) or to call (items), because any of them may wait.
 *
 * Stack frame of the loop: 1 result, 2 what is collected (a table, or the first item), 3 method, 4 wanted count, 5 the scope of
 * a fetch or nil. */
#include "binding/lua_result.h"
#include <string.h>

enum method { ALL, MANY, FIRST, FETCHONE, ONE, ONE_OR_NONE, SCALAR, SCALAR_ONE, SCALAR_ONE_OR_NONE, ITER, PARTITION };
enum { COLLECT = 2, METHOD = 3, WANT = 4, SCOPE = 5 };

static int read_loop(lua_State *L);

static bool is_scalar_method(int m)
{
    return m == SCALAR || m == SCALAR_ONE || m == SCALAR_ONE_OR_NONE;
}

static bool collects(int m)
{
    return m == ALL || m == MANY || m == PARTITION;
}

/* ---- one row into Lua ---- */

static void push_extra(lua_State *L, const char *name)
{
    lua_getiuservalue(L, 1, 2);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

static int not_open(lua_State *L, const agl_result *res)
{
    const char *by = res->r ? ag_result_closed_by(res->r) : NULL;
    if (by && strcmp(by, "close") != 0)
        return agl_error(L, AG_EXC_RESOURCE_CLOSED, "the result was closed by %s", by);
    return agl_error(L, AG_EXC_RESOURCE_CLOSED,
                     "this result is closed (first(), one(), scalar() and close() close it)");
}

/* columns(…): row as a block of the chosen cells, pushed as a Row */
static void push_mapped(lua_State *L, const ag_row *row, const agl_shape *shape, agl_state *st)
{
    ag_rows rs;
    ag_rows_pos pos = {0};
    const ag_row *out;
    int top = lua_gettop(L);
    agl_row *b;
    push_extra(L, "map");
    b = agl_box_new_raw(L, AGL_K_ROW, sizeof(agl_box) + row->size + (size_t)shape->ncols * row->size + 64,
                        shape->caches, 0);
    b->box.flags = shape->caches ? AGL_ROW_CACHES : 0;
    b->row = (ag_row){0, 0, 0};
    ag_rows_init(&rs, &st->alloc);
    if (ag_rows_begin(&rs, shape->ncols)) {
        for (uint32_t i = 1; i <= shape->ncols; i++) {
            ag_value v;
            lua_rawgeti(L, top + 1, i);
            ag_row_get(&v, row, (unsigned)lua_tointeger(L, -1));
            lua_pop(L, 1);
            ag_rows_value(&rs, &v);
        }
        ag_rows_end(&rs);
    }
    out = rs.failed ? NULL : ag_rows_next(&rs, &pos);
    if (out)
        memcpy(&b->row, out, out->size);
    ag_rows_clear(&rs);
    if (!out)
        agl_error(L, AG_EXC_MEMORY, "out of memory");
    lua_getiuservalue(L, 1, 1);
    lua_setmetatable(L, -2);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

static void push_array(lua_State *L, const ag_row *row, const agl_shape *shape)
{
    lua_createtable(L, (int)shape->ncols, 0);
    for (uint32_t i = 0; i < shape->ncols; i++) {
        agl_push_cell(L, row, i, shape->types[i], &shape->codec);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            agl_push_null(L);
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* Push the packed row as the view says. mt is the metatable of rows, shape the one behind it. */
static void push_view(lua_State *L, agl_result *res, int view, const ag_row *row, const agl_shape *shape, int mt)
{
    uint32_t col = res->column;
    if (res->mapped && view == AGL_VIEW_SCALARS) {
        push_extra(L, "map");
        lua_rawgeti(L, -1, (lua_Integer)col + 1);
        col = (uint32_t)lua_tointeger(L, -1);
        lua_pop(L, 2);
    }
    switch (view) {
    case AGL_VIEW_SCALARS:
        agl_push_cell(L, row, col, res->mapped ? shape->types[res->column] : shape->types[col], &shape->codec);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            agl_push_null(L);
        }
        return;
    case AGL_VIEW_ROWS:
        if (res->mapped)
            push_mapped(L, row, shape, res->st);
        else {
            agl_row *b = agl_box_new_raw(L, AGL_K_ROW, sizeof(agl_box) + row->size, shape->caches, 0);
            if (ag_result_is_closed(res->r)) /* a finaliser of the user's closed it */
                not_open(L, res);
            memcpy(&b->row, row, row->size);
            b->box.flags = shape->caches ? AGL_ROW_CACHES : 0;
            lua_pushvalue(L, mt);
            lua_setmetatable(L, -2);
        }
        return;
    default:
        if (res->mapped) {
            agl_row *b;
            push_mapped(L, row, shape, res->st);
            b = lua_touserdata(L, -1);
            row = &b->row;
        }
        if (view == AGL_VIEW_MAPPINGS)
            agl_row_push_table(L, row, shape, mt);
        else
            push_array(L, row, shape);
        if (res->mapped)
            lua_remove(L, -2);
    }
}

/* Push row number n (from 0) of the items at index items. */
static void push_items_view(lua_State *L, agl_result *res, int view, int items, lua_Integer n, int mt)
{
    lua_Integer base = n * res->ncols;
    agl_shape *shape = agl_shape_of(L, mt);
    if (view == AGL_VIEW_SCALARS) {
        lua_rawgeti(L, items, base + res->column + 1);
        return;
    }
    if (view == AGL_VIEW_MAPPINGS) {
        agl_shape_push_names(L, mt);
        lua_createtable(L, 0, (int)res->ncols);
        for (uint32_t i = 1; i <= res->ncols; i++) {
            lua_rawgeti(L, -2, i);
            lua_rawgeti(L, items, base + i);
            if (agl_is_null(L, -1))
                lua_pop(L, 2);
            else
                lua_rawset(L, -3);
        }
        lua_remove(L, -2);
        return;
    }
    lua_createtable(L, (int)res->ncols, 0);
    for (uint32_t i = 1; i <= res->ncols; i++) {
        lua_rawgeti(L, items, base + i);
        lua_rawseti(L, -2, i);
    }
    if (view == AGL_VIEW_ROWS)
        agl_row_push_items(L, shape, mt);
}

/* ---- finishing ---- */

static void close_result(lua_State *L, agl_result *res)
{
    agl_result_end(res, L);
}

/* The item at COLLECT as a return value: ag.null of a scalar is nil. */
static int give_one(lua_State *L)
{
    lua_pushvalue(L, COLLECT);
    if (agl_is_null(L, -1)) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
    return 1;
}

static int give_tuple(lua_State *L, agl_result *res)
{
    int n = (int)res->ncols;
    luaL_checkstack(L, n + 4, "tuple");
    lua_pushinteger(L, ++res->given);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, COLLECT, i);
        if (agl_is_null(L, -1)) {
            lua_pop(L, 1);
            lua_pushnil(L);
        }
    }
    return n + 1;
}

/* All that was wanted is there, or the rows are at their end. */
static int finish(lua_State *L, agl_result *res, lua_Integer count, bool end)
{
    int m = (int)lua_tointeger(L, METHOD);
    if (end && res->r && m != ITER)
        ag_result_drop_read(res->r);
    switch (m) {
    case ALL:
    case MANY: lua_pushvalue(L, COLLECT); return 1;
    case PARTITION: lua_pushvalue(L, count ? COLLECT : SCOPE + 1); return 1;
    case ITER:
        if (count == 0)
            return 0;
        if (res->view == AGL_VIEW_TUPLES)
            return give_tuple(L, res);
        lua_pushvalue(L, COLLECT);
        return 1;
    case FETCHONE:
        if (!count)
            lua_pushnil(L);
        return count ? give_one(L) : 1;
    case ONE:
    case SCALAR_ONE:
        if (count == 0) {
            close_result(L, res);
            return agl_error(L, AG_EXC_NO_RESULT_FOUND, "no row was found when one was required");
        }
        break;
    default: break;
    }
    close_result(L, res);
    if (count > 1)
        return agl_error(L, AG_EXC_MULTIPLE_RESULTS_FOUND, "several rows were found when %s was required",
                         m == ONE || m == SCALAR_ONE ? "exactly one" : "one or none");
    if (count == 0) {
        lua_pushnil(L);
        return 1;
    }
    return give_one(L);
}

/* ---- the loop ---- */

/* Keep the item at the top. */
static void collect(lua_State *L, int m, lua_Integer count)
{
    if (collects(m))
        lua_rawseti(L, COLLECT, count);
    else if (count == 1)
        lua_replace(L, COLLECT);
    else
        lua_pop(L, 1);
}

static int fetch_done(lua_State *L, agl_scope *s)
{
    (void)s;
    lua_settop(L, SCOPE);
    return read_loop(L);
}

static int fetch(lua_State *L, agl_result *res, bool all)
{
    agl_scope *s;
    ag_fetch_op *op;
    if (lua_isnil(L, SCOPE)) {
        lua_settop(L, SCOPE - 1);
        s = agl_scope_open(L);
        s->host = res->host;
        s->ud = agl_scope_new(L, s, sizeof *op);
    } else {
        lua_settop(L, SCOPE);
        s = agl_scope_at(L, SCOPE);
    }
    op = s->ud;
    if (s->op)
        ag_op_clear(s->op);
    s->op = NULL;
    agl_scope_must(L, s, ag_fetch_init(op, res->r, all, &s->err));
    return agl_op_run(L, s, &op->op, fetch_done);
}

static int refill_done(lua_State *L, int status, lua_KContext ctx)
{
    agl_result *res = agl_result_check(L, 1);
    (void)status;
    (void)ctx;
    res->item = 0;
    res->nitems = lua_istable(L, -2) ? lua_tointeger(L, -1) : -1;
    agl_result_push_extras(L, 1);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "items");
    lua_settop(L, SCOPE);
    return read_loop(L);
}

static int refill(lua_State *L)
{
    push_extra(L, "refill");
    lua_callk(L, 0, 2, 0, refill_done);
    return refill_done(L, LUA_OK, 0);
}

/* items: 1 row pushed, 0 end, -1 refill */
static int next_item(lua_State *L, agl_result *res, int view, int items, int mt)
{
    if (res->item < res->nitems) {
        push_items_view(L, res, view, items, res->item++, mt);
        return 1;
    }
    if (res->nitems < 0)
        return 0;
    push_extra(L, "refill");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return 0;
    }
    lua_pop(L, 1);
    return -1;
}

static int read_items(lua_State *L, agl_result *res, int m, int view)
{
    lua_Integer want = lua_tointeger(L, WANT);
    lua_Integer count = collects(m) ? (lua_Integer)lua_rawlen(L, COLLECT) : !lua_isnil(L, COLLECT);
    lua_getiuservalue(L, 1, 1); /* SCOPE + 1: metatable */
    push_extra(L, "items");     /* SCOPE + 2 */
    while (count < want) {
        int more = next_item(L, res, view, SCOPE + 2, SCOPE + 1);
        if (more < 0)
            return refill(L);
        if (more == 0)
            break;
        if (res->unique && agl_result_seen_before(L, res, view, NULL)) {
            lua_pop(L, 1);
            continue;
        }
        collect(L, m, ++count);
    }
    lua_settop(L, SCOPE);
    lua_pushnil(L);
    return finish(L, res, count, count < want);
}

static int read_core(lua_State *L, agl_result *res, int m, int view)
{
    lua_Integer want = lua_tointeger(L, WANT);
    lua_Integer count = collects(m) ? (lua_Integer)lua_rawlen(L, COLLECT) : !lua_isnil(L, COLLECT);
    const agl_shape *shape;
    lua_getiuservalue(L, 1, 1); /* SCOPE + 1 */
    shape = lua_istable(L, -1) ? agl_shape_of(L, -1) : NULL;
    while (count < want) {
        const ag_row *row;
        ag_error *err;
        ag_result_next next = ag_result_next_row(res->r, &row, &res->st->err);
        if (next == AG_NEXT_END)
            break;
        if (next == AG_NEXT_FETCH)
            return fetch(L, res, m == ALL);
        err = &res->st->err;
        if (next == AG_NEXT_ERROR || !shape)
            return agl_raise(L, err);
        push_view(L, res, view, row, shape, SCOPE + 1);
        if (res->unique && agl_result_seen_before(L, res, view, row)) {
            lua_pop(L, 1);
            continue;
        }
        collect(L, m, ++count);
    }
    lua_settop(L, SCOPE);
    lua_pushnil(L);
    return finish(L, res, count, count < want);
}

static int read_loop(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    int m = (int)lua_tointeger(L, METHOD);
    int view = is_scalar_method(m) ? AGL_VIEW_SCALARS : res->view;
    if (res->must_unique && !res->unique)
        return agl_error(L, AG_EXC_INVALID_REQUEST,
                         "The unique() method must be invoked on this Result, as it contains results "
                         "that include joined eager loads against collections");
    if (res->from_items && !res->closed)
        return read_items(L, res, m, view);
    if (!res->r || res->closed)
        return not_open(L, res);
    return read_core(L, res, m, view);
}

static size_t rows_ahead(const agl_result *res, lua_Integer want)
{
    size_t n = res->r ? ag_result_remaining(res->r) : (size_t)(res->nitems > res->item ? res->nitems - res->item : 0);
    return want < (lua_Integer)n ? (size_t)want : n;
}

/* Set up the frame with the result at 1 and run. */
static int start(lua_State *L, enum method m, lua_Integer want)
{
    agl_result *res = agl_result_check(L, 1);
    if (is_scalar_method((int)m))
        res->column = res->view == AGL_VIEW_SCALARS ? res->column : 0;
    lua_settop(L, 1);
    luaL_checkstack(L, 20, "result");
    if (collects((int)m))
        lua_createtable(L, (int)rows_ahead(res, want), 0);
    else
        lua_pushnil(L);
    lua_pushinteger(L, (lua_Integer)m);
    lua_pushinteger(L, want);
    lua_pushnil(L);
    return read_loop(L);
}

/* ---- methods ---- */

/* A method that takes nothing. */
static int start_alone(lua_State *L, enum method m, lua_Integer want)
{
    agl_check_top(L, 1);
    return start(L, m, want);
}

static int result_all(lua_State *L)
{
    return start_alone(L, ALL, LUA_MAXINTEGER);
}

static int result_fetchmany(lua_State *L)
{
    const agl_result *res = agl_result_check(L, 1);
    lua_Integer usual = res->window > 0 ? res->window : 1; /* of yield_per(n) */
    lua_Integer n = lua_isnoneornil(L, 2) ? usual : agl_check_integer(L, 2, 1, LUA_MAXINTEGER);
    return start(L, MANY, n);
}

static int result_first(lua_State *L)
{
    return start_alone(L, FIRST, 1);
}

static int result_fetchone(lua_State *L)
{
    return start_alone(L, FETCHONE, 1);
}

static int result_one(lua_State *L)
{
    return start_alone(L, ONE, 2);
}

static int result_one_or_none(lua_State *L)
{
    return start_alone(L, ONE_OR_NONE, 2);
}

static int result_scalar(lua_State *L)
{
    return start_alone(L, SCALAR, 1);
}

int agl_result_read_scalar(lua_State *L)
{
    return start(L, SCALAR, 1);
}

static int result_scalar_one(lua_State *L)
{
    return start_alone(L, SCALAR_ONE, 2);
}

static int result_scalar_one_or_none(lua_State *L)
{
    return start_alone(L, SCALAR_ONE_OR_NONE, 2);
}

/* result:_fetch() → are there rows in memory? A stream gets its next window for that. (The ORM reads windows itself.) */
static int window_done(lua_State *L, agl_scope *s)
{
    (void)s;
    lua_pushboolean(L, ag_result_remaining(agl_result_check(L, 1)->r) > 0);
    return 1;
}

static int result_fetch(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    agl_scope *s;
    ag_fetch_op *op;
    if (!res->r || res->closed)
        return not_open(L, res);
    lua_settop(L, 1);
    if (ag_result_remaining(res->r) > 0)
        return window_done(L, NULL);
    s = agl_scope_open(L);
    s->host = res->host;
    op = agl_scope_new(L, s, sizeof *op);
    agl_scope_must(L, s, ag_fetch_init(op, res->r, false, &s->err));
    return agl_op_run(L, s, &op->op, window_done);
}

/* ---- iteration ---- */

/* for row in result do: result(nil, previous) */
int agl_result_call(lua_State *L)
{
    return start(L, ITER, 1);
}

/* for row in result:rows() do */
static int result_rows(lua_State *L)
{
    agl_check_top(L, 1);
    agl_result *res = agl_result_check(L, 1);
    res->given = 0;
    lua_pushcfunction(L, agl_result_call);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    lua_pushvalue(L, 1);
    return 4;
}

/* state: 1 result; the size is the result's window */
static int next_partition(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    return start(L, PARTITION, res->window > 0 ? res->window : LUA_MAXINTEGER);
}

/* for part in result:partitions(n) do */
static int result_partitions(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    if (!lua_isnoneornil(L, 2))
        res->window = agl_check_integer(L, 2, 1, LUA_MAXINTEGER);
    lua_pushcfunction(L, next_partition);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    lua_pushvalue(L, 1);
    return 4;
}

const luaL_Reg agl_result_read_methods[] = {
    {"all", result_all},
    {"fetchall", result_all},
    {"fetchmany", result_fetchmany},
    {"fetchone", result_fetchone},
    {"_fetch", result_fetch},
    {"first", result_first},
    {"one", result_one},
    {"one_or_none", result_one_or_none},
    {"scalar", result_scalar},
    {"scalar_one", result_scalar_one},
    {"scalar_one_or_none", result_scalar_one_or_none},
    {"rows", result_rows},
    {"partitions", result_partitions},
    {NULL, NULL},
};

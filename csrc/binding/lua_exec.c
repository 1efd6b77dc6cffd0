/* conn:execute, scalar, scalars and exec_driver_sql; raw:execute. */
#include "binding/lua_exec.h"
#include "binding/lua_engine_events.h"
#include "binding/lua_node.h"
#include "sql/select.h"
#include "binding/lua_pool.h"
#include <string.h>

agl_exec *agl_exec_open(lua_State *L, agl_connection *b, agl_scope **out)
{
    agl_scope *s = agl_scope_open(L);
    agl_exec *e = agl_scope_new(L, s, sizeof *e);
    lua_pushnil(L); /* the anchors of parameters */
    s->ud = e;
    s->host = b->host;
    *out = s;
    return e;
}

static void push_set(lua_State *L, const ag_value *v, uint32_t n)
{
    lua_createtable(L, (int)n, 0);
    for (uint32_t i = 0; i < n; i++) {
        agl_push_value_or_null(L, &v[i], NULL, NULL);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

void agl_push_sets(lua_State *L, const ag_value *v, size_t nsets, uint32_t nparams, bool many)
{
    luaL_checkstack(L, 6, "parameters");
    if (!nsets || !many) {
        push_set(L, v, nsets ? nparams : 0);
        return;
    }
    lua_createtable(L, nsets < INT32_MAX ? (int)nsets : 0, 0);
    for (size_t k = 0; k < nsets; k++) {
        push_set(L, v + k * nparams, nparams);
        lua_rawseti(L, -2, (lua_Integer)k + 1);
    }
}

int agl_raise_exec(lua_State *L, ag_error *err, ag_exec_op *op)
{
    bool own = !err->host_value, many = false;
    ag_str text = AGL_NO_STATEMENT;
    const ag_value *values = NULL;
    uint32_t nparams = 0;
    text.p = ag_exec_error_text(op, &text.n);
    agl_push_error(L, err, text, ag_exec_error_params(op));
    size_t nsets = ag_exec_error_values(op, &values, &nparams, &many); /* last: they are borrowed until the next call */
    if (own && text.p && nsets) {
        agl_push_sets(L, values, nsets, nparams, many);
        lua_setfield(L, -2, "params");
    }
    return lua_error(L);
}

int agl_exec_failed(lua_State *L, agl_scope *s)
{
    agl_exec *e = s->ud;
    agl_connection *b = agl_test(L, 1, AGL_K_CONNECTION);
    agl_params_refused(L, &e->req.params);
    if (b && b->c && ag_engine_hides_parameters(ag_connection_engine(b->c)))
        ag_error_text(&s->err, &s->err.detail, "", 0); /* the server quotes values in it */
    return agl_raise_exec(L, &s->err, &e->op);
}

int agl_exec_run(lua_State *L, agl_connection *b, agl_scope *s, agl_finish finish)
{
    agl_exec *e = s->ud;
    s->failed = agl_exec_failed;
    agl_scope_must(L, s, ag_exec_init(&e->op, b->c, &e->req, 1, &s->err));
    return agl_op_run(L, s, &e->op.op, finish);
}

/* ---- what is executed ---- */

static int not_executable(lua_State *L, int arg)
{
    if (lua_type(L, arg) == LUA_TSTRING)
        return agl_error_in(L, AG_EXC_OBJECT_NOT_EXECUTABLE,
                            "a plain string is not executed: write ag.text(\"…\"), or conn:exec_driver_sql(\"…\")");
    agl_kind kind = agl_kind_at(L, arg);
    const char *more = kind == AGL_K_TABLE || kind == AGL_K_FROMCLAUSE || kind == AGL_K_COLUMN || kind == AGL_K_EXPR
                           ? " (ag.select(…) reads it)"
                           : "";
    return agl_error_in(L, AG_EXC_OBJECT_NOT_EXECUTABLE, "not an executable object: %s%s", agl_describe(L, arg, false),
                        more);
}

/* An empty list of rows is a mistake where rows are written. */
static unsigned params_flags(lua_State *L, int idx)
{
    agl_kind kind = agl_kind_at(L, idx);
    if (kind == AGL_K_INSERT)
        return AGL_PARAMS_NOT_EMPTY | AGL_PARAMS_LAZY;
    return kind == AGL_K_UPDATE || kind == AGL_K_DELETE ? AGL_PARAMS_NOT_EMPTY : 0;
}

/* Execution options: the statement's own, then those of the call, argument 4: {execution_options = {…}} */
static void read_options(lua_State *L, agl_scope *s, agl_exec *e)
{
    static const char *const known[] = {"execution_options", NULL};
    int top = lua_gettop(L);
    if (e->req.stmt && ag_stmt_get_exec_options(e->req.stmt)) {
        agl_hostvalue_push(L, ag_stmt_get_exec_options(e->req.stmt)); /* the statement keeps the table */
        agl_exec_options_read(L, top + 1, &e->options, s);
        e->req.options = &e->options;
    }
    if (agl_check_options(L, 4, known)) {
        ag_exec_options call;
        agl_opt_push(L, 4, "execution_options");
        agl_exec_options_read(L, lua_gettop(L), &call, s);
        ag_exec_options_merge(&e->options, &call);
        e->req.options = &e->options;
    }
    lua_settop(L, top);
}

/* What before_execute and after_execute will show: context.statement … */
static void note_execution(lua_State *L, agl_connection *b, const agl_scope *s)
{
    static const char *const fields[] = {"statement", "parameters"};
    if (!agl_connection_wants(b, AG_EV_BIT(AG_EV_BEFORE_EXECUTE) | AG_EV_BIT(AG_EV_AFTER_EXECUTE)))
        return;
    agl_event_push_context(L, s->self);
    for (int i = 0; i < 2; i++) {
        lua_pushvalue(L, 2 + i);
        lua_setfield(L, -2, fields[i]);
    }
    if (agl_opt_push(L, 4, "execution_options") == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
    }
    lua_setfield(L, -2, "execution_options");
    lua_pop(L, 1);
}

/* ---- finishing: the result box is at 5 ---- */

static agl_connection *conn_of(lua_State *L)
{
    return agl_check(L, 1, AGL_K_CONNECTION);
}

static void fill_result(lua_State *L, agl_scope *s)
{
    agl_exec *e = s->ud;
    agl_connection *b = conn_of(L);
    agl_result_fill(L, 5, ag_exec_take(&e->op, 0), b->host, b->codec);
    lua_settop(L, 5); /* closes the scope */
}

static int execute_done(lua_State *L, agl_scope *s)
{
    fill_result(L, s);
    return 1;
}

static int scalar_done(lua_State *L, agl_scope *s)
{
    fill_result(L, s);
    lua_replace(L, 1);
    return agl_result_read_scalar(L);
}

static int scalars_done(lua_State *L, agl_scope *s)
{
    fill_result(L, s);
    agl_result_check(L, 5)->view = AGL_VIEW_SCALARS;
    return 1;
}

/* ---- methods ---- */

/* Tables and expressions are none. */
static bool is_statement(const struct ag_node *n)
{
    return ag_node_is(n, AG_CLASS_STMT) || ag_node_is(n, AG_CLASS_DDL) || n->kind == AG_K_TEXT ||
           n->kind == AG_K_CUSTOM;
}

/* A function or a sequence's next value at 2 is selected; an object with __executable (a Sequence) gives what stands for it. */
static const struct ag_node *executable(lua_State *L)
{
    if (lua_type(L, 2) == LUA_TTABLE && luaL_getmetafield(L, 2, "__executable") != LUA_TNIL) {
        lua_pushvalue(L, 2);
        lua_call(L, 1, 1);
        lua_replace(L, 2);
    }
    const struct ag_node *node = agl_node_at(L, 2);
    if (!node || (node->kind != AG_K_FUNC && node->kind != AG_K_NEXT_VALUE))
        return node && is_statement(node) ? node : NULL;
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 2);
    agl_build_push(&x, ag_select(x.b, &node, 1));
    lua_replace(L, 2);
    return agl_node_at(L, 2);
}

/* Serial of the statement at idx: 0 until it is executed for the second time, and for what has none. Most are executed once,
 * and need not be remembered. */
static uint64_t statement_serial(lua_State *L, int idx)
{
    agl_node *p = lua_touserdata(L, idx);
    uint64_t serial;
    const ag_node *n = agl_node_at(L, idx);
    if (!n || !ag_node_is(n, AG_CLASS_STMT) || !(p->box.flags & AGL_NODE_SERIAL))
        return 0;
    char *at = (char *)p + lua_rawlen(L, idx) - sizeof serial;
    memcpy(&serial, at, sizeof serial);
    if (serial > 1)
        return serial;
    agl_state *st = agl_state_get(L);
    if (!st->serials)
        st->serials = 1;
    uint64_t next = serial ? ++st->serials : 1;
    memcpy(at, &next, sizeof next);
    return serial ? next : 0;
}

/* Stack: 1 connection, 2 statement, 3 parameters, 4 options, 5 result, then the scope */
static int execute(lua_State *L, agl_finish finish)
{
    agl_connection *b = agl_connection_check(L, 1);
    agl_scope *s;
    agl_exec *e;
    const struct ag_node *node;
    agl_check_top(L, 4);
    lua_settop(L, 4);
    node = executable(L);
    if (!node)
        return not_executable(L, 2);
    agl_result_new(L);
    e = agl_exec_open(L, b, &s);
    e->req.stmt = node;
    e->req.serial = statement_serial(L, 2);
    read_options(L, s, e);
    agl_params_read(L, 3, s->self + 1, s, &e->req.params, params_flags(L, 2) | AGL_PARAMS_STACK);
    if (e->req.params.many && ag_node_is_selectable(node))
        return agl_error_in(L, AG_EXC_INVALID_REQUEST,
                            "a list of parameters is for INSERT, UPDATE and DELETE; a SELECT takes one table of them");
    note_execution(L, b, s);
    return agl_exec_run(L, b, s, finish);
}

int agl_connection_execute(lua_State *L)
{
    return execute(L, execute_done);
}

int agl_connection_scalar(lua_State *L)
{
    return execute(L, scalar_done);
}

int agl_connection_scalars(lua_State *L)
{
    return execute(L, scalars_done);
}

/* conn:exec_driver_sql(text [, parameters [, {execution_options = …}]]) */
int agl_connection_exec_driver_sql(lua_State *L)
{
    agl_connection *b = agl_connection_check(L, 1);
    agl_scope *s;
    agl_exec *e;
    agl_check_top(L, 4);
    lua_settop(L, 4);
    agl_check_string(L, 2, NULL);
    agl_result_new(L);
    e = agl_exec_open(L, b, &s);
    e->req.text = lua_tolstring(L, 2, &e->req.text_len);
    read_options(L, s, e);
    agl_params_read(L, 3, s->self + 1, s, &e->req.params, AGL_PARAMS_POSITIONAL | AGL_PARAMS_STACK);
    note_execution(L, b, s);
    return agl_exec_run(L, b, s, execute_done);
}

/* ---- raw connections ---- */

static int raw_done(lua_State *L, agl_scope *s)
{
    ag_raw_op *op = (ag_raw_op *)s->op;
    ag_rows_pos pos = {0};
    lua_Integer n = 0;
    const ag_row *row;
    lua_createtable(L, (int)op->reply.rows.count, 0);
    while ((row = ag_rows_next(&op->reply.rows, &pos))) {
        lua_createtable(L, row->ncols, 0);
        for (unsigned i = 0; i < row->ncols; i++) {
            agl_push_cell(L, row, i, NULL, NULL);
            if (lua_isnil(L, -1)) {
                lua_pop(L, 1);
                agl_push_null(L);
            }
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

/* raw:execute(text [, {values}]) → array of arrays */
int agl_raw_execute(lua_State *L)
{
    agl_raw *b = agl_raw_check(L, 1);
    agl_scope *s;
    ag_raw_op *op;
    ag_params p;
    size_t len;
    const char *text;
    lua_settop(L, 3);
    text = agl_check_string(L, 2, &len);
    s = agl_scope_open(L);
    s->host = b->host;
    op = agl_scope_new(L, s, sizeof *op);
    lua_pushnil(L);
    agl_params_read(L, 3, s->self + 1, s, &p, AGL_PARAMS_POSITIONAL);
    agl_scope_must(L, s,
                   ag_raw_init(op, b->c, text, len, p.values, p.nkeys, p.nsets ? p.nsets : 1, AG_NO_DEADLINE, &s->err));
    return agl_op_run(L, s, &op->op, raw_done);
}

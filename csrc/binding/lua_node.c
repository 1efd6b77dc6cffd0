/* Boxes for SQL nodes and the conversion of arguments into nodes. The builder is one per Lua state; see lua_node.h for the shape
 * of a building function. */
#include "binding/lua_stmt.h"
#include "binding/hint.h"
#include "binding/lua_expr.h"
#include "binding/lua_schema.h"
#include "sql/func.h"
#include "sql/select.h"
#include <string.h>

/* The state's builders; kept in the registry. A finaliser may run wherever Lua allocates, so also between the first conversion of an
 * argument and the box; what it builds itself goes through a builder of its own. Finalisers do not nest: two are enough. */
typedef struct agl_sql_state {
    agl_box box;
    ag_builder builder[2];
    ag_error err[2];
    agl_state *st;
} sql_state;

static const char sql_key = 0;

static int sql_gc(lua_State *L)
{
    sql_state *s = lua_touserdata(L, 1);
    if (s->st) {
        for (int i = 0; i < 2; i++) {
            ag_builder_clear(&s->builder[i]);
            ag_error_clear(&s->err[i]);
        }
        agl_state *st = s->st;
        s->st = NULL;
        agl_state_unref(st);
    }
    return 0;
}

static const luaL_Reg sql_meta[] = {{"__gc", sql_gc}, {NULL, NULL}};
static const agl_class sql_class = {.name = "sql state", .meta = sql_meta};

void agl_open_node(lua_State *L)
{
    agl_class_open(L, AGL_K_SQL_STATE, &sql_class);
    sql_state *s = agl_box_new(L, AGL_K_SQL_STATE, sizeof *s, 0);
    agl_state *st = agl_state_ref(L);
    s->st = st;
    for (int i = 0; i < 2; i++) {
        ag_error_init(&s->err[i], &st->alloc);
        ag_builder_init(&s->builder[i], &st->alloc, st->types, &s->err[i]);
        s->builder[i].serials = &st->serials;
    }
    st->sql = s;
    lua_rawsetp(L, LUA_REGISTRYINDEX, &sql_key);
}

/* Is a finaliser running (or could none run at all)? Lua refuses the question, or answers 0, while it calls one. */
static bool in_finaliser(lua_State *L)
{
    return lua_gc(L, LUA_GCISRUNNING) != 1;
}

#define ROOM 40 /* stack slots asked for at once; 20 of them are never counted as room for anchors */

agl_build agl_build_begin(lua_State *L)
{
    agl_state *st = agl_state_upvalue(L);
    bool quick = st != NULL;
    int which = in_finaliser(L);
    if (!quick)
        st = agl_state_get(L);
    sql_state *s = st->sql;
    if (s->err[which].set)
        ag_error_clear(&s->err[which]);
    ag_builder_reset(&s->builder[which]);
    if (!lua_checkstack(L, ROOM))
        luaL_error(L, "stack overflow");
    return (agl_build){
        .L = L, .b = &s->builder[which], .st = st, .base = lua_gettop(L), .room = ROOM - 20, .quick = quick};
}

void agl_build_anchor(agl_build *x, int idx)
{
    if (--x->room < 0) {
        agl_check_room(x->L, ROOM, "operands");
        x->room = ROOM - 20;
    }
    lua_pushvalue(x->L, idx);
}

int agl_build_raise(agl_build *x)
{
    return agl_raise(x->L, x->b->err);
}

void *agl_build_scratch(agl_build *x, size_t size)
{
    void *p = ag_arena_new(&x->b->scratch, size);
    if (!p) {
        ag_fail_nomem(x->b->err);
        agl_build_raise(x);
    }
    return p;
}

agl_kind agl_node_kind(const ag_node *n)
{
    switch (n->kind) {
    case AG_K_SELECT: return AGL_K_SELECT;
    case AG_K_COMPOUND: return AGL_K_COMPOUND;
    case AG_K_TEXT: return AGL_K_TEXT;
    case AG_K_TEXT_SELECT: return AGL_K_TEXT_SELECT;
    case AG_K_INSERT: return AGL_K_INSERT;
    case AG_K_UPDATE: return AGL_K_UPDATE;
    case AG_K_DELETE: return AGL_K_DELETE;
    case AG_K_CTE: return AGL_K_CTE;
    case AG_K_VALUES: return AGL_K_VALUES;
    case AG_K_TABLE_FUNC: return AGL_K_TABLE_FUNC;
    case AG_K_FUNC:
    case AG_K_FILTER:
    case AG_K_WITHIN_GROUP:
    case AG_K_AGG_ORDER: return AGL_K_FUNCTION;
    case AG_K_EXISTS: return AGL_K_EXISTS;
    case AG_K_SCALAR_SELECT: return AGL_K_SCALAR_SELECT;
    default: break;
    }
    if (ag_node_is(n, AG_CLASS_DDL))
        return AGL_K_DDL;
    if (ag_node_is(n, AG_CLASS_CLAUSE))
        return AGL_K_CLAUSE;
    return ag_node_is_from(n) ? AGL_K_FROMCLAUSE : AGL_K_EXPR;
}

/* Is a box of this kind a node box? */
static bool is_node_kind(agl_kind kind)
{
    return (kind >= AGL_K_EXPR && kind <= AGL_K_DDL) || kind == AGL_K_TABLE || kind == AGL_K_COLUMN ||
           kind == AGL_K_MAPPER || kind == AGL_K_CLASS_ALIAS || kind == AGL_K_ATTRIBUTE;
}

const ag_node *agl_node_at(lua_State *L, int idx)
{
    const agl_node *p = lua_touserdata(L, idx);
    if (!p || lua_rawlen(L, idx) < sizeof *p || p->box.magic != AGL_MAGIC || !is_node_kind((agl_kind)p->box.kind))
        return NULL;
    if (!p->node && (p->box.flags & AGL_NODE_BORROWED))
        agl_error(L, AG_EXC_INVALID_REQUEST, "this SQL construct was shown to a compile hook; its compilation is over");
    return p->node;
}

/* Does one of the anchors show what is only lent? */
static bool borrows(agl_build *x)
{
    for (int i = lua_gettop(x->L); i > x->base; i--) {
        if (lua_type(x->L, i) != LUA_TUSERDATA || !is_node_kind(agl_kind_at(x->L, i)))
            continue;
        if (((const agl_box *)lua_touserdata(x->L, i))->flags & AGL_NODE_BORROWED)
            return true;
    }
    return false;
}

/* Anchors base+1 … top become user values of the box at the top (or one table when there are many); the box moves to
 * base+1. */
static void finish_box(agl_build *x, int nanchors, bool table)
{
    lua_State *L = x->L;
    int box = lua_gettop(L);
    if (table) {
        lua_createtable(L, nanchors, 0);
        for (int i = 1; i <= nanchors; i++) {
            lua_pushvalue(L, x->base + i);
            lua_rawseti(L, -2, i);
        }
        lua_setiuservalue(L, box, 1);
    } else {
        lua_insert(L, x->base + 1);
        for (int i = nanchors; i > 0; i--)
            lua_setiuservalue(L, x->base + 1, i);
        return;
    }
    if (box != x->base + 1)
        lua_replace(L, x->base + 1);
    lua_settop(L, x->base + 1);
}

/* The box of an existing node among the stack's values, else a new box that points at it. */
static int push_outside(agl_build *x, const ag_node *n)
{
    lua_State *L = x->L;
    int top = lua_gettop(L);
    for (int i = 1; i <= top; i++) {
        if (lua_type(L, i) == LUA_TUSERDATA && agl_node_at(L, i) == n) {
            lua_pushvalue(L, i);
            lua_replace(L, x->base + 1);
            lua_settop(L, x->base + 1);
            return 1;
        }
    }
    if (agl_schema_push_node(L, n)) { /* users.c.id stays one object */
        lua_replace(L, x->base + 1);
        lua_settop(L, x->base + 1);
        return 1;
    }
    int nanchors = top - x->base;
    bool borrowed = x->st->compiles && borrows(x);
    agl_node *p = agl_box_new(L, agl_node_kind(n), sizeof *p, 1);
    p->node = n;
    finish_box(x, nanchors, true);
    if (borrowed)
        agl_node_borrow(L, x->st);
    return 1;
}

#define DIRECT_ANCHORS 6 /* more go into one table */

int agl_build_push(agl_build *x, const ag_node *n)
{
    lua_State *L = x->L;
    if (!n)
        return agl_build_raise(x);
    bool outside = false;
    size_t size = ag_builder_take(x->b, n, &outside);
    if (outside)
        return push_outside(x, n);
    if (!size)
        return agl_build_raise(x);
    int nanchors = lua_gettop(L) - x->base;
    bool table = nanchors > DIRECT_ANCHORS, borrowed = x->st->compiles && borrows(x);
    agl_kind kind = agl_node_kind(n);
    int nuv = table ? 1 : nanchors;
    bool from = ag_node_is_from(n);
    nuv += from; /* for .c, see lua_from.c */
    bool numbered = ag_node_is(n, AG_CLASS_STMT);
    agl_node *p = agl_box_new_raw(L, kind, sizeof *p + size + (numbered ? sizeof(uint64_t) : 0), nuv, 0);
    p->box.flags = (uint16_t)(from ? nuv : 0);
    p->node = ag_builder_move(x->b, p + 1);
    if (numbered) {
        memset((char *)(p + 1) + size, 0, sizeof(uint64_t));
        p->box.flags |= AGL_NODE_SERIAL;
    }
    if (x->quick)
        lua_getiuservalue(L, lua_upvalueindex(1), (int)kind);
    else
        agl_class_push(L, kind);
    lua_setmetatable(L, -2);
    finish_box(x, nanchors, table);
    if (borrowed)
        agl_node_borrow(L, x->st);
    return 1;
}

/* ---- arguments ---- */

bool agl_is_plain_table(lua_State *L, int idx)
{
    if (lua_type(L, idx) != LUA_TTABLE)
        return false;
    if (!lua_getmetatable(L, idx))
        return true;
    lua_pop(L, 1);
    return false;
}

static const ag_node *no_operand(agl_build *x, int idx, int arg)
{
    if (lua_isnoneornil(x->L, idx))
        agl_argerror(x->L, arg, "expected an SQL expression or a value, got nil (SQL NULL is ag.null)");
    agl_argerror(x->L, arg, "expected an SQL expression or a value, got %s", agl_describe(x->L, idx, false));
    return NULL;
}

const ag_type *agl_value_type(lua_State *L, int idx)
{
    if (luaL_getmetafield(L, idx, "__sqltype") == LUA_TNIL)
        return NULL;
    lua_pushvalue(L, idx < 0 ? idx - 1 : idx);
    lua_call(L, 1, 1);
    const ag_type *t = agl_type_at(L, -1);
    lua_pop(L, 1);
    return t;
}

bool agl_node_takes(lua_State *L, const char *event)
{
    if (!agl_node_at(L, 2) || luaL_getmetafield(L, 2, event) == LUA_TNIL)
        return false;
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_call(L, 2, 1);
    return true;
}

const ag_node *agl_build_expr(agl_build *x, int idx, int arg, const ag_node *n)
{
    agl_build_anchor(x, idx);
    if (ag_node_is(n, AG_CLASS_EXPR))
        return n;
    if (n->kind == AG_K_SELECT || n->kind == AG_K_COMPOUND || n->kind == AG_K_TEXT_SELECT)
        return ag_scalar_select(x->b, n);
    return no_operand(x, idx, arg);
}

/* A list beside ARRAY[…] is one too: as a parameter its type would be fixed, and text[] @> varchar[] has no operator. */
static const ag_node *array_beside(agl_build *x, int idx, int arg)
{
    agl_list l = agl_build_table(x, idx, arg, agl_conv_expr);
    return ag_array(x->b, l.items, l.n, NULL);
}

/* A list beside a tuple is a row: each item stands beside the tuple's own. */
static const ag_node *tuple_beside(agl_build *x, int idx, int arg, ag_op_id op, const ag_node *beside)
{
    lua_State *L = x->L;
    const ag_n_tuple *t = AG_AS(tuple, TUPLE, beside);
    if (lua_rawlen(L, idx) != t->items.n)
        agl_argerror(L, arg, "expected a row of %d values beside the tuple, got %d", (int)t->items.n,
                     (int)lua_rawlen(L, idx));
    const ag_node **items = agl_build_scratch(x, (t->items.n + 1) * sizeof *items);
    for (uint32_t i = 0; i < t->items.n; i++) {
        lua_rawgeti(L, idx, (lua_Integer)i + 1);
        items[i] = agl_build_operand(x, lua_gettop(L), arg, op, ag_nlist_at(t, t->items, i));
        if (!items[i])
            return NULL;
    }
    return ag_tuple(x->b, items, t->items.n);
}

const ag_node *agl_build_operand(agl_build *x, int idx, int arg, ag_op_id op, const ag_node *beside)
{
    lua_State *L = x->L;
    const ag_node *n = agl_node_at(L, idx);
    if (n)
        return agl_build_expr(x, idx, arg, n);
    if (beside && beside->kind == AG_K_ARRAY && agl_is_plain_table(L, idx))
        return array_beside(x, idx, arg);
    if (beside && beside->kind == AG_K_TUPLE && agl_is_plain_table(L, idx))
        return tuple_beside(x, idx, arg, op, beside);
    ag_value v;
    if (lua_isnoneornil(L, idx) || !agl_tovalue(L, idx, &v))
        return no_operand(x, idx, arg);
    bool constant = beside && ag_operand_is_constant(beside, op, &v);
    const ag_type *coerced = beside && !constant ? agl_coerced_type(L, beside->type, op, idx) : NULL;
    if (coerced) {
        if (v.kind == AG_V_HOST)
            agl_build_anchor(x, idx);
        return ag_operand_of_type(x->b, beside, coerced, &v);
    }
    if (v.kind == AG_V_HOST) {
        const ag_type *own = agl_value_type(L, idx);
        agl_build_anchor(x, idx);
        if (own && (!beside || ag_type_affinity(own) != ag_type_affinity(beside->type)))
            return ag_operand_of_type(x->b, beside, own, &v);
    }
    if (beside)
        return ag_operand(x->b, beside, op, &v);
    return v.kind == AG_V_NULL ? ag_null_new(x->b)
                               : ag_literal(x->b, &v, NULL, false); /* None is NULL in SQLAlchemy's too */
}

const ag_node *agl_build_unnamed(agl_build *x, int idx, int arg, ag_op_id op, const ag_node *beside)
{
    const ag_node *n = agl_build_operand(x, idx, arg, op, beside);
    if (!n || n->kind != AG_K_BIND || agl_node_at(x->L, idx))
        return n;
    void *copy = ag_node_with_str(x->b, n, offsetof(ag_n_bind, key), AG_STR("param"));
    return copy ? ag_node_finish(x->b, copy) : NULL;
}

const ag_node *agl_conv_expr(agl_build *x, int idx, int arg)
{
    return agl_build_operand(x, idx, arg, AG_OP_NONE, NULL);
}

const ag_node *agl_conv_named(agl_build *x, int idx, int arg)
{
    if (lua_type(x->L, idx) == LUA_TSTRING) {
        size_t n;
        const char *s = lua_tolstring(x->L, idx, &n);
        return ag_label_ref(x->b, (ag_str){s, n});
    }
    const ag_node *n = agl_node_at(x->L, idx);
    if (!n) {
        agl_argerror(x->L, arg, "expected a column, an expression or a label's name, got %s",
                     agl_describe(x->L, idx, false));
        return NULL;
    }
    return agl_build_expr(x, idx, arg, n);
}

const ag_node *agl_conv_condition(agl_build *x, int idx, int arg)
{
    lua_State *L = x->L;
    if (agl_is_null(L, idx))
        return ag_null_new(x->b);
    const ag_node *n = agl_node_at(L, idx);
    if (!n)
        agl_no_condition(L, idx, arg);
    return agl_build_expr(x, idx, arg, n);
}

const ag_node *agl_conv_from(agl_build *x, int idx, int arg)
{
    lua_State *L = x->L;
    const ag_node *n = agl_node_at(L, idx);
    if (n && (n->kind == AG_K_SELECT || n->kind == AG_K_COMPOUND || n->kind == AG_K_TEXT_SELECT))
        agl_argerror(L, arg, "expected a table, alias or join, got a SELECT: call :subquery() on it");
    if (!n || !(ag_node_is_from(n) || n->kind == AG_K_FUNC || n->kind == AG_K_TEXT)) {
        agl_argerror(L, arg, "expected a table, alias, subquery or join, got %s", agl_describe(L, idx, false));
        return NULL;
    }
    agl_build_anchor(x, idx);
    return n;
}

/* select(1), select(true), select("*"): numbers are written as they are, as in SQLAlchemy; NULL for what is no constant. */
static const ag_node *constant_column(agl_build *x, int idx)
{
    lua_State *L = x->L;
    ag_value v;
    size_t n;
    if (agl_is_null(L, idx))
        return ag_null_new(x->b);
    if (lua_type(L, idx) == LUA_TBOOLEAN)
        return lua_toboolean(L, idx) ? ag_true(x->b) : ag_false(x->b);
    if (lua_type(L, idx) == LUA_TSTRING)
        return strcmp(lua_tostring(L, idx), "*") == 0 ? ag_star(x->b, NULL) : NULL;
    if (!agl_tovalue(L, idx, &v) || (v.kind != AG_V_INT && v.kind != AG_V_FLOAT && v.kind != AG_V_DECIMAL))
        return NULL;
    if (v.kind == AG_V_FLOAT && (v.u.f != v.u.f || v.u.f - v.u.f != 0.0))
        return NULL;
    const char *text = luaL_tolstring(L, idx, &n);
    const ag_node *node = ag_column_clause(x->b, (ag_str){text, n}, NULL, true);
    lua_pop(L, 1);
    return node;
}

const ag_node *agl_conv_column(agl_build *x, int idx, int arg)
{
    lua_State *L = x->L;
    const ag_node *n = agl_node_at(L, idx), *constant = n ? NULL : constant_column(x, idx);
    if (constant)
        return constant;
    if (!n) {
        agl_no_column(L, idx, arg);
        return NULL;
    }
    if (ag_node_is_from(n)) {
        agl_build_anchor(x, idx);
        if (n->kind == AG_K_TABLE_FUNC && !AG_AS(table_func, TABLE_FUNC, n)->columns.n)
            return ag_from_value(x->b, n, AG_AS(table_func, TABLE_FUNC, n)->function->type); /* func.f():alias("x") */
        return n;
    }
    return agl_build_expr(x, idx, arg, n);
}

const ag_node *agl_conv_returning(agl_build *x, int idx, int arg)
{
    return agl_conv_column(x, idx, arg);
}

const ag_node *agl_conv_select(agl_build *x, int idx, int arg)
{
    const ag_node *n = agl_node_at(x->L, idx);
    if (!n || !(ag_node_is_selectable(n) || n->kind == AG_K_CTE)) {
        agl_argerror(x->L, arg, "expected a SELECT, got %s", agl_describe(x->L, idx, false));
        return NULL;
    }
    agl_build_anchor(x, idx);
    return n;
}

const ag_node *agl_conv_node(agl_build *x, int idx, int arg)
{
    const ag_node *n = agl_node_at(x->L, idx);
    if (!n) {
        agl_typeerror(x->L, arg, "an SQL construct");
        return NULL;
    }
    agl_build_anchor(x, idx);
    return n;
}

agl_list agl_build_table(agl_build *x, int idx, int arg, agl_conv conv)
{
    lua_State *L = x->L;
    if (!agl_is_plain_table(L, idx)) {
        agl_list one = {agl_build_scratch(x, sizeof(ag_node *)), 1};
        one.items[0] = conv(x, idx, arg);
        if (!one.items[0])
            agl_build_raise(x);
        return one;
    }
    idx = lua_absindex(L, idx);
    agl_check_list(L, idx, arg, conv == agl_conv_condition);
    agl_list out = {NULL, lua_rawlen(L, idx)};
    out.items = agl_build_scratch(x, (out.n + 1) * sizeof(ag_node *));
    for (size_t i = 0; i < out.n; i++) {
        agl_check_room(L, 10, "operands");
        lua_rawgeti(L, idx, (lua_Integer)i + 1);
        int at = lua_gettop(L);
        out.items[i] = conv(x, at, arg);
        if (!out.items[i])
            agl_build_raise(x);
        if (lua_gettop(L) == at)
            lua_settop(L, at - 1); /* nothing to keep alive: not an anchor */
        else
            lua_remove(L, at);
    }
    return out;
}

agl_list agl_build_args(agl_build *x, int first, int last, agl_conv conv)
{
    if (first == last && agl_is_plain_table(x->L, first))
        return agl_build_table(x, first, first, conv);
    size_t n = last >= first ? (size_t)(last - first + 1) : 0;
    agl_list out = {agl_build_scratch(x, (n + 1) * sizeof(ag_node *)), n};
    for (int i = first; i <= last; i++) {
        out.items[i - first] = conv(x, i, i);
        if (!out.items[i - first])
            agl_build_raise(x);
    }
    return out;
}

int agl_build_options(lua_State *L, int first, const char *const *known)
{
    int top = lua_gettop(L);
    if (top < first || !agl_is_plain_table(L, top))
        return 0;
    bool named = false;
    lua_pushnil(L);
    while (lua_next(L, top)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING) {
            named = true;
            lua_pop(L, 1);
            break;
        }
    }
    if (!named)
        return 0;
    agl_check_options(L, top, known);
    return top;
}

void agl_build_no_rest(lua_State *L, int arg)
{
    if (lua_isnoneornil(L, arg))
        return;
    if (agl_is_plain_table(L, arg)) {
        lua_pushnil(L);
        if (!lua_next(L, arg))
            return;
        lua_pop(L, 2);
    }
    agl_argerror(L, arg, "expected a plain options table, got %s", agl_describe(L, arg, false));
}

void agl_open_sql(lua_State *L)
{
    agl_open_node(L);
    lua_settop(L, 1);
    agl_open_compile(L);
    agl_open_expr(L);
    agl_open_func(L);
    agl_open_from(L);
    agl_open_select(L);
    agl_open_dml(L);
    agl_open_text(L);
    agl_open_introspect(L);
}

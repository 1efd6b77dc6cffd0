/* What argent.orm.query asks of statements: which parts of a columns clause are classes, the statement's loader options, and the
 * exchange of columns (class → alias, class → subquery). Also the boxes of User.posts and of ag.aliased(User). */
#include "binding/lua_orm.h"
#include "binding/lua_expr.h"
#include "binding/lua_node.h"
#include "sql/select.h"
#include "sql/walk.h"

/* ---- statements ---- */

/* Box a node that lives inside the statement at idx (which keeps it alive). */
static void push_inner(lua_State *L, int idx, const ag_node *n)
{
    agl_build x;
    idx = lua_absindex(L, idx);
    x = agl_build_begin(L);
    agl_build_anchor(&x, idx);
    (void)agl_build_push(&x, n);
}

static const ag_node *check_select(lua_State *L, int arg)
{
    const ag_node *n = agl_node_at(L, arg);
    if (!n || n->kind != AG_K_SELECT)
        agl_typeerror(L, arg, "a SELECT");
    return n;
}

/* Push the class or alias that a FROM in a columns clause stands for; false: it stands for its columns. */
static bool push_class_of(lua_State *L, const ag_node *n)
{
    if (!ag_node_is_from(n))
        return false;
    if (agl_orm_push_from(L, n) == LUA_TUSERDATA)
        return true;
    lua_pop(L, 1);
    return false;
}

static const ag_node *dml_table(const ag_node *n)
{
    switch (n ? n->kind : AG_K_NONE) {
    case AG_K_INSERT: return AG_AS(insert, INSERT, n)->table;
    case AG_K_UPDATE: return AG_AS(update, UPDATE, n)->table;
    case AG_K_DELETE: return AG_AS(delete, DELETE, n)->table;
    default: return NULL;
    }
}

static ag_nlist dml_returning(const ag_node *n)
{
    switch (n ? n->kind : AG_K_NONE) {
    case AG_K_INSERT: return AG_AS(insert, INSERT, n)->returning;
    case AG_K_UPDATE: return AG_AS(update, UPDATE, n)->returning;
    case AG_K_DELETE: return AG_AS(delete, DELETE, n)->returning;
    default: return (ag_nlist){0};
    }
}

/* ---- which columns are classes ----
 * A class in select(…) or returning(…) stands for its columns, and the tree has only those. What they stood for is in the statement's host table:
 * {spans = {at, number of columns, class or alias, …}, options = {loader options}}. */

static bool is_class(lua_State *L, int idx)
{
    agl_kind kind = agl_kind_at(L, idx);
    return kind == AGL_K_MAPPER || kind == AGL_K_CLASS_ALIAS;
}

/* The list of columns that spans count in. */
static ag_nlist columns_list(const ag_node *n)
{
    if (n && n->kind == AG_K_SELECT)
        return AG_AS(select, SELECT, n)->columns;
    return dml_returning(n);
}

static bool any_class(lua_State *L, int first, int last)
{
    if (first == last && lua_type(L, first) == LUA_TTABLE) {
        bool found = false;
        for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, first); i <= n && !found; i++) {
            lua_rawgeti(L, first, i);
            found = is_class(L, -1);
            lua_pop(L, 1);
        }
        return found;
    }
    for (int i = first; i <= last; i++)
        if (is_class(L, i))
            return true;
    return false;
}

/* Note what the value at idx stands for; at: columns before it. Returns how many it has. The array of spans is at `spans`. */
static uint32_t note_one(lua_State *L, int idx, int spans, uint32_t at)
{
    const ag_node *n = agl_node_at(L, idx);
    uint32_t count = n && ag_node_is_from(n) ? ag_from_count(n) : 1;
    lua_Integer len = (lua_Integer)lua_rawlen(L, spans);
    if (!is_class(L, idx))
        return count;
    lua_pushinteger(L, at);
    lua_rawseti(L, spans, len + 1);
    lua_pushinteger(L, count);
    lua_rawseti(L, spans, len + 2);
    lua_pushvalue(L, idx);
    lua_rawseti(L, spans, len + 3);
    return count;
}

static void note_all(lua_State *L, int first, int last, int spans, uint32_t at)
{
    if (first == last && lua_type(L, first) == LUA_TTABLE) {
        for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, first); i <= n; i++) {
            lua_rawgeti(L, first, i);
            at += note_one(L, lua_gettop(L), spans, at);
            lua_pop(L, 1);
        }
        return;
    }
    for (int i = first; i <= last; i++)
        at += note_one(L, i, spans, at);
}

/* Copy the array in field `name` of the table at from (an index) into the one at to. */
static void copy_field(lua_State *L, int from, const char *name, int to)
{
    if (lua_getfield(L, from, name) == LUA_TTABLE)
        for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, -1); i <= n; i++) {
            lua_rawgeti(L, -1, i);
            lua_rawseti(L, to, i);
        }
    lua_pop(L, 1);
}

int agl_orm_spans(lua_State *L, int first, int last, int stmt, bool append)
{
    const ag_node *old = stmt ? agl_node_at(L, stmt) : NULL;
    int64_t host = old ? ag_stmt_get_host(old) : 0;
    int table, spans;
    if (!host && !any_class(L, first, last))
        return 0;
    luaL_checkstack(L, 12, "statement");
    lua_createtable(L, 0, 2);
    table = lua_gettop(L);
    lua_newtable(L);
    spans = table + 1;
    if (host) {
        agl_hostvalue_push(L, host);
        if (lua_istable(L, -1)) {
            if (append)
                copy_field(L, table + 2, "spans", spans);
            lua_getfield(L, table + 2, "options");
            lua_setfield(L, table, "options");
        }
        lua_settop(L, spans);
    }
    note_all(L, first, last, spans, append ? columns_list(old).n : 0);
    lua_setfield(L, table, "spans");
    return table;
}

const ag_node *agl_orm_spanned(agl_build *x, const ag_node *n, int table)
{
    if (!table || !n)
        return n;
    agl_build_anchor(x, table);
    return ag_stmt_host(x->b, n, agl_hostvalue_id(x->L, table));
}

/* Push the spans of the statement; false, nothing pushed: it has none. */
static bool push_spans(lua_State *L, const ag_node *n)
{
    int64_t host = n ? ag_stmt_get_host(n) : 0;
    if (!host)
        return false;
    agl_hostvalue_push(L, host);
    if (lua_istable(L, -1)) {
        if (lua_getfield(L, -1, "spans") == LUA_TTABLE && lua_rawlen(L, -1) >= 3) {
            lua_remove(L, -2);
            return true;
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return false;
}

/* orm_has_classes(statement) → is a class in the columns clause? */
static int orm_has_classes(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    lua_pushboolean(L, n && (n->kind == AG_K_SELECT || columns_list(n).n) && push_spans(L, n));
    return 1;
}

/* orm_select_items(statement) → array of classes, aliases and expressions: what the columns clause (or RETURNING) lists; has it classes? */
static int orm_select_items(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    ag_nlist list = columns_list(n);
    lua_Integer at = 1, out = 0, nspans = 0;
    lua_settop(L, 1);
    lua_createtable(L, (int)list.n, 0);
    if (push_spans(L, n))
        nspans = (lua_Integer)lua_rawlen(L, 3);
    for (uint32_t i = 0; i < list.n;) {
        lua_settop(L, 3);
        if (at < nspans) {
            lua_rawgeti(L, 3, at);
            lua_rawgeti(L, 3, at + 1);
            if ((uint32_t)lua_tointeger(L, 4) == i) {
                i += (uint32_t)lua_tointeger(L, 5);
                lua_rawgeti(L, 3, at + 2);
                lua_rawseti(L, 2, ++out);
                at += 3;
                continue;
            }
        }
        push_inner(L, 1, ag_nlist_at(n, list, i++));
        lua_rawseti(L, 2, ++out);
    }
    lua_settop(L, 2);
    lua_pushboolean(L, nspans > 0);
    return 2;
}

/* orm_select_class(select) → the class when the columns clause is one class and nothing else */
static int orm_select_class(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    if (!n || n->kind != AG_K_SELECT || !push_spans(L, n))
        return 0;
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    lua_rawgeti(L, -3, 3);
    if (lua_tointeger(L, -3) != 0 || lua_tointeger(L, -2) != columns_list(n).n || !agl_mapper_test(L, -1))
        return 0;
    return 1;
}

/* orm_select_facts(select) → {limited =, distinct =, grouped =, order_by = {expressions}} */
static int orm_select_facts(lua_State *L)
{
    const ag_node *n = check_select(L, 1);
    const ag_n_select *s = (const ag_n_select *)(const void *)n;
    lua_settop(L, 1);
    lua_createtable(L, 0, 4);
    lua_pushboolean(L, s->limit || s->offset || s->fetch);
    lua_setfield(L, 2, "limited");
    lua_pushboolean(L, (n->flags & AG_SELECT_DISTINCT) != 0);
    lua_setfield(L, 2, "distinct");
    lua_pushboolean(L, s->group_by.n != 0);
    lua_setfield(L, 2, "grouped");
    lua_createtable(L, (int)s->order_by.n, 0);
    for (uint32_t i = 0; i < s->order_by.n; i++) {
        push_inner(L, 1, ag_nlist_at(s, s->order_by, i));
        lua_rawseti(L, 3, (lua_Integer)i + 1);
    }
    lua_setfield(L, 2, "order_by");
    return 1;
}

/* orm_column_count(select) → number of result columns */
static int orm_column_count(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    lua_pushinteger(L, n ? ag_stmt_column_count(n) : 0);
    return 1;
}

/* orm_with_options(statement, options) → the statement with that array of loader options */
static int orm_with_options(lua_State *L)
{
    agl_build x;
    const ag_node *n = agl_node_at(L, 1);
    int table;
    if (!n)
        return agl_typeerror(L, 1, "a statement");
    agl_check_table(L, 2);
    lua_settop(L, 2);
    table = agl_orm_spans(L, 3, 2, 1, true);
    if (!table) {
        lua_newtable(L);
        table = lua_gettop(L);
    }
    lua_pushvalue(L, 2);
    lua_setfield(L, table, "options");
    x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    return agl_build_push(&x, agl_orm_spanned(&x, n, table));
}

/* orm_options(statement) → that array or nil */
static int orm_options(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    int64_t id = n ? ag_stmt_get_host(n) : 0;
    if (!id)
        return 0;
    agl_hostvalue_push(L, id);
    if (!lua_istable(L, -1))
        return 0;
    lua_getfield(L, -1, "options");
    return 1;
}

/* ---- INSERT, UPDATE, DELETE ---- */

/* orm_dml_class(statement) → the class that it writes, nothing for a plain table */
static int orm_dml_class(lua_State *L)
{
    const ag_node *table = dml_table(agl_node_at(L, 1));
    return table && push_class_of(L, table) && agl_mapper_test(L, -1) ? 1 : 0;
}

/* orm_dml_columns(UPDATE) → keys of the columns that it sets, as an array */
static int orm_dml_columns(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    lua_settop(L, 1);
    lua_newtable(L);
    if (!n || n->kind != AG_K_UPDATE)
        return 1;
    const ag_n_update *u = AG_AS(update, UPDATE, n);
    for (uint32_t i = 0; i < u->columns.n; i++) {
        const ag_node *c = ag_nlist_at(u, u->columns, i);
        ag_str name = c->kind == AG_K_COLUMN ? ag_nstr_get(c, AG_AS(column, COLUMN, c)->name) : (ag_str){"", 0};
        lua_pushlstring(L, name.p, name.n);
        lua_rawseti(L, 2, (lua_Integer)i + 1);
    }
    return 1;
}

/* orm_dml_where(UPDATE or DELETE, select) → the select with the same WHERE */
static int orm_dml_where(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1), *select = check_select(L, 2);
    ag_nlist where = {0};
    agl_build x;
    if (n && n->kind == AG_K_UPDATE)
        where = AG_AS(update, UPDATE, n)->where;
    else if (n && n->kind == AG_K_DELETE)
        where = AG_AS(delete, DELETE, n)->where;
    lua_settop(L, 2);
    if (!where.n)
        return 1;
    x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    agl_build_anchor(&x, 2);
    return agl_build_push(&x, ag_stmt_add(x.b, select, AG_CL_WHERE, ag_nlist_items(n, where), where.n, true));
}

/* ---- joins along relationships ---- */

static bool is_attribute(lua_State *L, int idx)
{
    return agl_test(L, idx, AGL_K_ATTRIBUTE) != NULL;
}

bool agl_orm_is_join(lua_State *L)
{
    int top = lua_gettop(L);
    for (int i = 2; i <= top && i <= 4; i++)
        if (is_attribute(L, i))
            return true;
    return false;
}

static int return_top(lua_State *L, int status, lua_KContext ctx)
{
    (void)L;
    (void)status;
    (void)ctx;
    return 1;
}

int agl_orm_join(lua_State *L, unsigned flags)
{
    int top = lua_gettop(L);
    agl_orm_hook(L, AGL_OH_JOIN);
    lua_insert(L, 1);
    lua_pushboolean(L, (flags & AG_JOIN_OUTER) != 0);
    lua_insert(L, 2);
    lua_callk(L, top + 1, 1, 0, return_top);
    return 1;
}

/* ---- exchanging columns ---- */

typedef struct exchange {
    const ag_node **from, **to;
    size_t n;
} exchange;

static bool same_column(const ag_node *a, const ag_node *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind)
        return false;
    if (a->kind == AG_K_COLUMN)
        return AG_AS(column, COLUMN, a)->table == AG_AS(column, COLUMN, b)->table &&
               AG_AS(column, COLUMN, a)->index == AG_AS(column, COLUMN, b)->index;
    if (a->kind == AG_K_COLREF)
        return AG_AS(colref, COLREF, a)->from == AG_AS(colref, COLREF, b)->from &&
               AG_AS(colref, COLREF, a)->index == AG_AS(colref, COLREF, b)->index;
    return false;
}

static const ag_node *exchange_one(void *ud, const ag_node *n)
{
    const exchange *x = ud;
    if (!ag_node_is(n, AG_CLASS_EXPR))
        return NULL;
    for (size_t i = 0; i < x->n; i++)
        if (same_column(x->from[i], n))
            return x->to[i];
    return NULL;
}

/* orm_adapt(expression, {{old, new}, …}) → the expression with columns exchanged */
static int orm_adapt(lua_State *L)
{
    const ag_node *e = agl_node_at(L, 1);
    exchange ex = {0};
    ag_replacer r = {.ud = &ex, .fn = exchange_one};
    agl_build x;
    size_t n;
    if (!e)
        return agl_typeerror(L, 1, "an SQL expression");
    agl_check_table(L, 2);
    lua_settop(L, 2);
    n = lua_rawlen(L, 2);
    ex.from = agl_scratch(L, (2 * n + 2) * sizeof *ex.from); /* 3 */
    ex.to = ex.from + n + 1;
    for (size_t i = 0; i < n; i++) {
        if (lua_rawgeti(L, 2, (lua_Integer)i + 1) != LUA_TTABLE)
            return agl_error(L, AG_EXC_ARGUMENT, "pair %d of columns is no table", (int)i + 1);
        lua_rawgeti(L, 4, 1);
        lua_rawgeti(L, 4, 2);
        ex.from[i] = agl_node_at(L, 5);
        ex.to[i] = agl_node_at(L, 6);
        if (!ex.from[i] || !ex.to[i])
            return agl_error(L, AG_EXC_ARGUMENT, "pair %d of columns is none", (int)i + 1);
        lua_settop(L, 3);
        ex.n++;
    }
    x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    agl_build_anchor(&x, 2); /* the pairs keep the new columns alive */
    return agl_build_push(&x, ag_replace(x.b, e, &r));
}

/* orm_unwrap_order(expression) → without DESC, NULLS FIRST … */
static int orm_unwrap_order(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    if (!n)
        return agl_typeerror(L, 1, "an SQL expression");
    lua_settop(L, 1);
    push_inner(L, 1, ag_expr_unwrap_order(n));
    return 1;
}

/* orm_table_column(x) → the Column that the expression is, or nothing */
static int orm_is_column(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    lua_pushboolean(L, n && n->kind == AG_K_COLUMN);
    return 1;
}

/* orm_same_column(a, b) */
static int orm_same_column(lua_State *L)
{
    const ag_node *a = agl_node_at(L, 1), *b = agl_node_at(L, 2);
    lua_pushboolean(L, a && b && same_column(a, b));
    return 1;
}

void agl_open_orm_query(lua_State *L)
{
    static const luaL_Reg fns[] = {{"orm_has_classes", orm_has_classes},   {"orm_select_items", orm_select_items},
                                   {"orm_select_class", orm_select_class}, {"orm_select_facts", orm_select_facts},
                                   {"orm_column_count", orm_column_count}, {"orm_with_options", orm_with_options},
                                   {"orm_options", orm_options},           {"orm_dml_class", orm_dml_class},
                                   {"orm_dml_where", orm_dml_where},       {"orm_in_keys", agl_expr_in_keys},
                                   {"orm_dml_columns", orm_dml_columns},   {"orm_adapt", orm_adapt},
                                   {"orm_unwrap_order", orm_unwrap_order}, {"orm_is_column", orm_is_column},
                                   {"orm_same_column", orm_same_column},   {NULL, NULL}};
    agl_functions_internal(L, fns);
    agl_open_orm_attribute(L);
}

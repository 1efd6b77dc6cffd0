/* SELECT and set operations: ag.select and the generative methods of statements. Each method returns a new statement; nil clears the
 * clauses that SQLAlchemy clears with None. */
#include "binding/lua_orm.h"
#include "binding/lua_stmt.h"
#include "sql/select.h"
#include <stdlib.h>
#include <string.h>

static int fn_select(lua_State *L)
{
    int top = lua_gettop(L);
    int classes = agl_orm_spans(L, 1, top, 0, false);
    agl_build x = agl_build_begin(L);
    agl_list l = agl_build_args(&x, 1, top, agl_conv_column);
    return agl_build_push(&x, agl_orm_spanned(&x, ag_select(x.b, l.items, l.n), classes));
}

/* The statement at argument 1, anchored. */
static const ag_node *self_stmt(agl_build *x)
{
    const ag_node *n = agl_node_at(x->L, 1);
    if (!n || !(ag_node_is(n, AG_CLASS_STMT) || n->kind == AG_K_TEXT)) {
        agl_typeerror(x->L, 1, "a statement (call methods with a colon)");
        return NULL;
    }
    agl_build_anchor(x, 1);
    return n;
}

/* ---- clauses that are lists ---- */

static int add_list(lua_State *L, ag_clause clause, agl_conv conv)
{
    int top = lua_gettop(L);
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_stmt(&x);
    agl_list l = agl_build_args(&x, 2, top, conv);
    return agl_build_push(&x, ag_stmt_add(x.b, stmt, clause, l.items, l.n, true));
}

/* The same where one nil clears the clause. */
static int add_or_clear(lua_State *L, ag_clause clause, agl_conv conv)
{
    if (lua_gettop(L) == 2 && lua_isnil(L, 2)) {
        agl_build x = agl_build_begin(L);
        return agl_build_push(&x, ag_stmt_clear(x.b, self_stmt(&x), clause));
    }
    return add_list(L, clause, conv);
}

static int stmt_where(lua_State *L)
{
    return add_list(L, AG_CL_WHERE, agl_conv_condition);
}
static int stmt_having(lua_State *L)
{
    return add_list(L, AG_CL_HAVING, agl_conv_condition);
}
static int stmt_order_by(lua_State *L)
{
    return add_or_clear(L, AG_CL_ORDER_BY, agl_conv_named);
}
static int stmt_group_by(lua_State *L)
{
    return add_or_clear(L, AG_CL_GROUP_BY, agl_conv_named);
}
/* correlate(false) is correlate(nil): the clause is there and names nothing. */
static int correlate(lua_State *L, ag_clause clause)
{
    if (lua_gettop(L) == 2 && lua_type(L, 2) == LUA_TBOOLEAN && !lua_toboolean(L, 2)) {
        lua_pushnil(L);
        lua_replace(L, 2);
    }
    return add_or_clear(L, clause, agl_conv_from);
}
static int select_correlate(lua_State *L)
{
    return correlate(L, AG_CL_CORRELATE);
}
static int select_correlate_except(lua_State *L)
{
    return correlate(L, AG_CL_CORRELATE_EXCEPT);
}
static int select_add_columns(lua_State *L)
{
    int top = lua_gettop(L);
    int classes = agl_orm_spans(L, 2, top, 1, true);
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_stmt(&x);
    agl_list l = agl_build_args(&x, 2, top, agl_conv_column);
    return agl_build_push(&x, agl_orm_spanned(&x, ag_stmt_add(x.b, stmt, AG_CL_COLUMNS, l.items, l.n, true), classes));
}
static int select_select_from(lua_State *L)
{
    return add_list(L, AG_CL_FROM, agl_conv_from);
}

static int select_with_only_columns(lua_State *L)
{
    static const char *const known[] = {"maintain_column_froms", NULL};
    int top = lua_gettop(L);
    int options = agl_build_options(L, 2, known);
    bool maintain = options && agl_opt_boolean(L, options, "maintain_column_froms", false);
    int classes = agl_orm_spans(L, 2, options ? top - 1 : top, 1, false);
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_stmt(&x);
    if (maintain) {
        const ag_node **froms = NULL;
        size_t n = 0;
        if (ag_select_columns_froms(stmt, &x.b->scratch, &froms, &n, x.b->err) != AG_OK)
            return agl_build_raise(&x);
        stmt = ag_stmt_add(x.b, stmt, AG_CL_FROM, froms, n, true);
    }
    agl_list l = agl_build_args(&x, 2, options ? top - 1 : top, agl_conv_column);
    return agl_build_push(&x, agl_orm_spanned(&x, ag_stmt_add(x.b, stmt, AG_CL_COLUMNS, l.items, l.n, false), classes));
}

/* ---- filter_by{name = value} ---- */

static int compare_names(lua_State *L, int table)
{
    lua_newtable(L);
    int names = lua_gettop(L);
    lua_Integer n = 0;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            return agl_argerror(L, table, "expected names as keys, got %s", agl_describe(L, -1, false));
        lua_pushvalue(L, -1);
        lua_rawseti(L, names, ++n);
    }
    /* by name: the SQL must not depend on the order of pairs */
    lua_getglobal(L, "table");
    lua_getfield(L, -1, "sort");
    lua_pushvalue(L, names);
    lua_call(L, 1, 0);
    lua_settop(L, names);
    return (int)n;
}

typedef struct named_column {
    const ag_node *column;
    uint64_t rank;
    int name; /* its number among the names */
} named_column;

static int by_rank(const void *a, const void *b)
{
    const named_column *x = a, *y = b;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* Criteria stand in the order of the FROMs and of their columns. */
static int stmt_filter_by(lua_State *L)
{
    agl_check_args(L, 2);
    agl_check_table(L, 2);
    int n = compare_names(L, 2);
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_stmt(&x);
    named_column *columns = agl_build_scratch(&x, (size_t)(n + 1) * sizeof *columns);
    const ag_node **items = agl_build_scratch(&x, (size_t)(n + 1) * sizeof *items);
    for (int i = 0; i < n; i++) {
        ag_str key;
        lua_rawgeti(L, 3, i + 1);
        key.p = lua_tolstring(L, -1, &key.n);
        columns[i].name = i + 1;
        columns[i].column = ag_stmt_filter_column(x.b, stmt, key, &columns[i].rank);
        if (!columns[i].column)
            return agl_build_raise(&x);
        lua_pop(L, 1);
    }
    qsort(columns, (size_t)n, sizeof *columns, by_rank);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, 3, columns[i].name);
        lua_rawget(L, 2);
        const ag_node *column = columns[i].column;
        items[i] = ag_binary(x.b, AG_OP_EQ, column, agl_build_operand(&x, lua_gettop(L), 2, AG_OP_EQ, column));
        if (!items[i])
            return agl_build_raise(&x);
    }
    return agl_build_push(&x, ag_stmt_add(x.b, stmt, AG_CL_WHERE, items, (size_t)n, true));
}

/* ---- joins ---- */

static unsigned join_flags(lua_State *L, int options, unsigned flags)
{
    if (options) {
        flags |= agl_opt_boolean(L, options, "isouter", false) ? AG_JOIN_OUTER : 0;
        flags |= agl_opt_boolean(L, options, "full", false) ? AG_JOIN_FULL : 0;
    }
    return flags;
}

/* join(target, onclause, options): first: the argument of the target; from: also a left side before it. */
static int join_with(lua_State *L, unsigned flags, bool from)
{
    static const char *const known[] = {"isouter", "full", NULL};
    int target = from ? 3 : 2;
    if (from)
        AGL_KEYWORDS(L, 2, "from", "target", "onclause");
    else
        AGL_KEYWORDS(L, 2, "target", "onclause");
    if (agl_orm_is_join(L)) {
        agl_check(L, 1, AGL_K_SELECT);
        return agl_orm_join(L, flags);
    }
    agl_check_top(L, target + 2);
    agl_pad(L, target);
    int top = lua_gettop(L);
    int options = agl_build_options(L, target + 1, known);
    flags = join_flags(L, options, flags);
    if (options)
        top--;
    else
        agl_build_no_rest(L, target + 2);
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_stmt(&x);
    const ag_node *left = from ? agl_conv_from(&x, 2, 2) : NULL;
    const ag_node *right = agl_conv_from(&x, target, target);
    const ag_node *on =
        top > target && !lua_isnil(L, target + 1) ? agl_conv_condition(&x, target + 1, target + 1) : NULL;
    return agl_build_push(&x, ag_select_join(x.b, stmt, left, right, on, flags));
}
static int select_join(lua_State *L)
{
    return join_with(L, 0, false);
}
static int select_outerjoin(lua_State *L)
{
    return join_with(L, AG_JOIN_OUTER, false);
}
static int select_join_from(lua_State *L)
{
    return join_with(L, 0, true);
}
static int select_outerjoin_from(lua_State *L)
{
    return join_with(L, AG_JOIN_OUTER, true);
}

/* ---- distinct, limit, for update ---- */

static int select_distinct(lua_State *L)
{
    int top = lua_gettop(L);
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_stmt(&x);
    agl_list l = agl_build_args(&x, 2, top, agl_conv_named);
    return agl_build_push(&x, ag_select_distinct(x.b, stmt, l.items, l.n));
}

static const ag_node *count_argument(agl_build *x, int idx)
{
    lua_State *L = x->L;
    if (lua_isinteger(L, idx))
        return ag_limit_bind(x->b, lua_tointeger(L, idx));
    if (!agl_node_at(L, idx))
        agl_typeerror(L, idx, "an integer from 0 on or an SQL expression");
    return agl_build_operand(x, idx, idx, AG_OP_NONE, NULL);
}

static int limit_with(lua_State *L, ag_limit_kind which, unsigned flags)
{
    if (lua_gettop(L) == 1)
        return agl_typeerror(L, 2, "an integer from 0 on, an SQL expression or nil");
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_stmt(&x);
    if (lua_isnil(L, 2) || agl_is_null(L, 2))
        return agl_build_push(&x, ag_stmt_limit_clear(x.b, stmt, which));
    const ag_node *e = count_argument(&x, 2);
    return e ? agl_build_push(&x, ag_stmt_limit(x.b, stmt, which, e, flags)) : agl_build_raise(&x);
}
static int stmt_limit(lua_State *L)
{
    agl_check_top(L, 2);
    return limit_with(L, AG_LIMIT, 0);
}
static int stmt_offset(lua_State *L)
{
    agl_check_top(L, 2);
    return limit_with(L, AG_OFFSET, 0);
}
static int stmt_fetch(lua_State *L)
{
    static const char *const known[] = {"with_ties", "percent", NULL};
    agl_option_by_place(L, 3, "with_ties");
    agl_check_top(L, 3);
    unsigned flags = 0;
    if (agl_check_options(L, 3, known)) {
        flags |= agl_opt_boolean(L, 3, "with_ties", false) ? AG_FETCH_TIES : 0;
        flags |= agl_opt_boolean(L, 3, "percent", false) ? AG_FETCH_PERCENT : 0;
    }
    return limit_with(L, AG_FETCH, flags);
}

/* slice(a, b): rows a … b-1, from 0, as in SQLAlchemy. */
static int stmt_slice(lua_State *L)
{
    agl_check_args(L, 3);
    lua_Integer start = agl_check_integer(L, 2, 0, INT64_MAX), stop = agl_check_integer(L, 3, start, INT64_MAX);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_stmt_slice(x.b, self_stmt(&x), start, stop));
}

static int stmt_with_for_update(lua_State *L)
{
    static const char *const known[] = {"nowait", "read", "of", "skip_locked", "key_share", NULL};
    agl_check_args(L, 2);
    unsigned flags = 0;
    bool options = agl_check_options(L, 2, known);
    if (options) {
        flags |= agl_opt_boolean(L, 2, "nowait", false) ? AG_FOR_UPDATE_NOWAIT : 0;
        flags |= agl_opt_boolean(L, 2, "read", false) ? AG_FOR_UPDATE_READ : 0;
        flags |= agl_opt_boolean(L, 2, "skip_locked", false) ? AG_FOR_UPDATE_SKIP_LOCKED : 0;
        flags |= agl_opt_boolean(L, 2, "key_share", false) ? AG_FOR_UPDATE_KEY_SHARE : 0;
    }
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_stmt(&x);
    agl_list of = {0};
    if (options && agl_opt_push(L, 2, "of") != LUA_TNIL)
        of = agl_build_table(&x, lua_gettop(L), 2, agl_conv_node);
    return agl_build_push(&x, ag_stmt_for_update(x.b, stmt, of.items, of.n, flags));
}

/* ---- prefixes, hints, label style ---- */

static const ag_node *conv_raw(agl_build *x, int idx, int arg)
{
    lua_State *L = x->L;
    if (lua_type(L, idx) == LUA_TSTRING) {
        size_t n;
        const char *s = lua_tolstring(L, idx, &n);
        return ag_text(x->b, (ag_str){s, n});
    }
    return agl_conv_expr(x, idx, arg);
}

agl_list agl_build_prefixes(agl_build *x, int first, int last, ag_str dialect)
{
    agl_list l = agl_build_args(x, first, last, conv_raw);
    for (size_t i = 0; i < l.n; i++) {
        l.items[i] = ag_prefix(x->b, l.items[i], dialect);
        if (!l.items[i])
            agl_build_raise(x);
    }
    return l;
}

static int prefix_with(lua_State *L, ag_clause clause)
{
    static const char *const known[] = {"dialect", NULL};
    int top = lua_gettop(L);
    int options = agl_build_options(L, 2, known);
    ag_str dialect = agl_field_str(L, options, "dialect");
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_stmt(&x);
    agl_list l = agl_build_prefixes(&x, 2, options ? top - 1 : top, dialect);
    return agl_build_push(&x, ag_stmt_add(x.b, stmt, clause, l.items, l.n, true));
}
int agl_stmt_prefix_with(lua_State *L)
{
    return prefix_with(L, AG_CL_PREFIX);
}
static int stmt_suffix_with(lua_State *L)
{
    return prefix_with(L, AG_CL_SUFFIX);
}

/* with_hint(selectable, text, dialect_name), with_statement_hint(text, dialect_name) */
void agl_hint_args(lua_State *L, bool from)
{
    if (from)
        AGL_KEYWORDS(L, 2, "selectable", "text", "dialect_name");
    else
        AGL_KEYWORDS(L, 2, "text", "dialect_name");
    agl_check_args(L, from ? 4 : 3);
}
const ag_node *agl_build_hint(agl_build *x, bool from)
{
    int at = from ? 3 : 2;
    ag_str text = agl_check_str(x->L, at), dialect = agl_opt_str(x->L, at + 1);
    if (dialect.p && dialect.n == 1 && dialect.p[0] == '*')
        dialect = (ag_str){0};
    return ag_hint(x->b, from ? agl_conv_from(x, 2, 2) : NULL, text, dialect);
}
static int hint(lua_State *L, bool from)
{
    agl_hint_args(L, from);
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_stmt(&x), *h = agl_build_hint(&x, from);
    return agl_build_push(&x, ag_stmt_add(x.b, stmt, AG_CL_HINT, &h, 1, true));
}
int agl_stmt_with_hint(lua_State *L)
{
    return hint(L, true);
}
static int stmt_with_statement_hint(lua_State *L)
{
    return hint(L, false);
}

static int stmt_set_label_style(lua_State *L)
{
    agl_check_args(L, 2);
    lua_Integer style = agl_check_integer(L, 2, AG_LABEL_STYLE_DISAMBIGUATE_ONLY, AG_LABEL_STYLE_TABLENAME_PLUS_COL);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_stmt_label_style(x.b, self_stmt(&x), (ag_label_style)style));
}

static int select_reduce_columns(lua_State *L)
{
    static const char *const known[] = {"only_synonyms", NULL};
    bool only = !agl_check_options(L, 2, known) || agl_opt_boolean(L, 2, "only_synonyms", true);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_select_reduce_columns(x.b, self_stmt(&x), only));
}

/* ---- as a FROM, as a value ---- */

static int select_subquery(lua_State *L)
{
    static const char *const known[] = {"flat", NULL}; /* of joins only, as in from:alias() */
    AGL_KEYWORDS(L, 2, "name");
    int options = agl_build_options(L, 2, known);
    agl_check_top(L, options ? 3 : 2);
    if (options)
        agl_opt_boolean(L, options, "flat", false);
    lua_settop(L, options == 2 ? 1 : 2);
    int quote;
    ag_str name = agl_opt_name(L, 2, &quote);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_with_quote(x.b, ag_subquery(x.b, agl_conv_node(&x, 1, 1), name), quote));
}
int agl_select_lateral(lua_State *L)
{
    AGL_KEYWORDS(L, 2, "name");
    agl_check_args(L, 2);
    ag_str name = agl_opt_str(L, 2);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_lateral(x.b, agl_conv_node(&x, 1, 1), name));
}

int agl_select_cte(lua_State *L)
{
    static const char *const known[] = {"recursive", "nesting", NULL};
    AGL_KEYWORDS(L, 2, "name");
    agl_check_top(L, 3);
    int options = agl_build_options(L, 2, known);
    int quote = -1;
    ag_str name = options == 2 ? (ag_str){0} : agl_opt_name(L, 2, &quote);
    unsigned flags = 0;
    if (options) {
        flags |= agl_opt_boolean(L, options, "recursive", false) ? AG_CTE_RECURSIVE : 0;
        flags |= agl_opt_boolean(L, options, "nesting", false) ? AG_CTE_NESTING : 0;
    } else {
        agl_build_no_rest(L, 3);
    }
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_with_quote(x.b, ag_cte(x.b, agl_conv_node(&x, 1, 1), name, flags), quote));
}

int agl_stmt_add_cte(lua_State *L)
{
    static const char *const known[] = {"nest_here", NULL};
    int top = lua_gettop(L);
    int options = agl_build_options(L, 2, known);
    bool nest = options && agl_opt_boolean(L, options, "nest_here", false);
    agl_build x = agl_build_begin(L);
    const ag_node *stmt = self_stmt(&x);
    agl_list l = agl_build_args(&x, 2, options ? top - 1 : top, agl_conv_node);
    return agl_build_push(&x, ag_stmt_ctes(x.b, stmt, l.items, l.n, nest));
}

int agl_select_scalar_subquery(lua_State *L)
{
    agl_check_top(L, 1);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_scalar_select(x.b, agl_conv_select(&x, 1, 1)));
}
int agl_select_label(lua_State *L)
{
    AGL_KEYWORDS(L, 2, "name");
    agl_check_args(L, 2);
    int quote;
    ag_str name = agl_opt_name(L, 2, &quote);
    agl_build x = agl_build_begin(L);
    const ag_node *label = ag_label(x.b, ag_scalar_select(x.b, agl_conv_select(&x, 1, 1)), name);
    return agl_build_push(&x, ag_with_quote(x.b, label, quote));
}
int agl_select_exists(lua_State *L)
{
    agl_check_top(L, 1);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_exists(x.b, agl_conv_select(&x, 1, 1)));
}

/* ---- set operations ---- */

static int compound(lua_State *L, ag_compound_kw kw)
{
    int top = lua_gettop(L);
    agl_build x = agl_build_begin(L);
    agl_list l = agl_build_args(&x, 1, top, agl_conv_select);
    return agl_build_push(&x, ag_compound(x.b, kw, l.items, l.n));
}
#define COMPOUND(name, kw)                                                                                             \
    static int fn_##name(lua_State *L)                                                                                 \
    {                                                                                                                  \
        return compound(L, AG_##kw);                                                                                   \
    }
COMPOUND(union, UNION)
COMPOUND(union_all, UNION_ALL)
COMPOUND(except, EXCEPT)
COMPOUND(except_all, EXCEPT_ALL)
COMPOUND(intersect, INTERSECT)
COMPOUND(intersect_all, INTERSECT_ALL)
#undef COMPOUND

#define LIMIT_METHODS                                                                                                  \
    {"limit", stmt_limit}, {"offset", stmt_offset}, {"fetch", stmt_fetch}, {"slice", stmt_slice},                      \
        {"order_by", stmt_order_by}, {"group_by", stmt_group_by}, {"with_for_update", stmt_with_for_update},           \
        {"set_label_style", stmt_set_label_style}, {"get_label_style", agl_stmt_get_label_style},                      \
        {"add_cte", agl_stmt_add_cte}, {"subquery", select_subquery}, {"alias", select_subquery},                      \
        {"lateral", agl_select_lateral}, {"cte", agl_select_cte}, {"scalar_subquery", agl_select_scalar_subquery},     \
        {"label", agl_select_label}, {"exists", agl_select_exists}, {"union", fn_union}, {"union_all", fn_union_all},  \
        {"except_", fn_except}, {"except_all", fn_except_all}, {"intersect", fn_intersect},                            \
    {                                                                                                                  \
        "intersect_all", fn_intersect_all                                                                              \
    }
static const luaL_Reg select_methods[] = {LIMIT_METHODS,
                                          {"where", stmt_where},
                                          {"filter", stmt_where},
                                          {"filter_by", stmt_filter_by},
                                          {"having", stmt_having},
                                          {"join", select_join},
                                          {"outerjoin", select_outerjoin},
                                          {"join_from", select_join_from},
                                          {"outerjoin_from", select_outerjoin_from},
                                          {"select_from", select_select_from},
                                          {"distinct", select_distinct},
                                          {"correlate", select_correlate},
                                          {"correlate_except", select_correlate_except},
                                          {"add_columns", select_add_columns},
                                          {"with_only_columns", select_with_only_columns},
                                          {"reduce_columns", select_reduce_columns},
                                          {"prefix_with", agl_stmt_prefix_with},
                                          {"suffix_with", stmt_suffix_with},
                                          {"with_hint", agl_stmt_with_hint},
                                          {"with_statement_hint", stmt_with_statement_hint},
                                          {NULL, NULL}};
static const luaL_Reg compound_methods[] = {LIMIT_METHODS, {NULL, NULL}};
static const luaL_Reg functions[] = {{"select", fn_select},
                                     {"exists", agl_fn_exists},
                                     {"union", fn_union},
                                     {"union_all", fn_union_all},
                                     {"except_", fn_except},
                                     {"except_all", fn_except_all},
                                     {"intersect", fn_intersect},
                                     {"intersect_all", fn_intersect_all},
                                     {NULL, NULL}};

int agl_stmt_where(lua_State *L)
{
    return stmt_where(L);
}
int agl_stmt_filter_by(lua_State *L)
{
    return stmt_filter_by(L);
}
int agl_select_subquery(lua_State *L)
{
    return select_subquery(L);
}

void agl_open_select(lua_State *L)
{
    static agl_class select_class = {.name = "Select", .methods = select_methods, .base = AGL_K_STATEMENT};
    static agl_class compound_class = {.name = "CompoundSelect", .methods = compound_methods, .base = AGL_K_STATEMENT};
    agl_class_open(L, AGL_K_SELECT, &select_class);
    agl_class_open(L, AGL_K_COMPOUND, &compound_class);
    agl_functions(L, functions);
    static const struct {
        const char *name;
        ag_label_style style;
    } styles[] = {{"LABEL_STYLE_NONE", AG_LABEL_STYLE_NONE},
                  {"LABEL_STYLE_TABLENAME_PLUS_COL", AG_LABEL_STYLE_TABLENAME_PLUS_COL},
                  {"LABEL_STYLE_DISAMBIGUATE_ONLY", AG_LABEL_STYLE_DISAMBIGUATE_ONLY},
                  {"LABEL_STYLE_DEFAULT", AG_LABEL_STYLE_DISAMBIGUATE_ONLY}};
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        lua_pushinteger(L, styles[i].style);
        lua_setfield(L, -2, styles[i].name);
    }
}

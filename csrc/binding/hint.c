/* What newcomers write, and what would be right. */
#include "binding/hint.h"
#include "binding/lua_node.h"
#include "binding/raise.h"
#include "sql/table.h"
#include <string.h>

#define RUN "a statement is run by a connection: conn:execute(statement):all()"
#define CONNECT                                                                                                        \
    "statements run on a connection: local conn <close> = engine:connect(), or engine:begin(function(conn) … end)"
#define FUNC   "functions of SQL are ag.func.name(column)"
#define SELECT "rows of a table are read by conn:execute(ag.select(table))"
#define ROWS   "rows come from all(), first(), one(), or for row in result:rows() do"
#define COUNT  "count by #result:all(), or in SQL by ag.select(ag.func.count()):select_from(table)"
#define NULLS  "NULL is a:is_(ag.null) and a:is_not(ag.null)"
#define JOINS  "write outerjoin(target), or join(target, onclause, {isouter = true})"
#define EQ     "comparisons are a:eq(b), ne, lt, le, gt, ge"

typedef struct hint {
    const char *names; /* between spaces */
    const char *says;
} hint;

static const hint engine_hints[] = {
    {" execute scalar scalars query exec run commit rollback cursor exec_driver_sql ", CONNECT},
    {" close ", "engine:dispose() closes its connections"},
    {NULL, NULL}};
static const hint connection_hints[] = {
    {" query exec run prepare ", "write conn:execute(statement, parameters)"},
    {" cursor ", "write conn:execute(statement), or conn:exec_driver_sql(text, parameters)"},
    {" all first one fetchall fetchone fetch rows ", "rows belong to a result: conn:execute(statement):all()"},
    {" transaction begin_transaction ", "write conn:begin()"},
    {" savepoint ", "a savepoint is conn:begin_nested()"},
    {NULL, NULL}};
static const hint statement_hints[] = {
    {" all first one one_or_none scalar scalars rows execute fetchall fetchone get mappings tuples run scalar_one ",
     RUN},
    {" count ", COUNT},
    {" c columns_ ",
     "columns of a SELECT are those of its subquery: statement:subquery().c, or statement.selected_columns"},
    {" left_join leftjoin left_outer_join outer_join ", JOINS},
    {" set ", "columns are set by values{name = value}"},
    {" and_where or_where ", "conditions of several where() are joined by AND; a | b is OR"},
    {NULL, NULL}};
static const hint result_hints[] = {
    {" next items each iter fetch get rows_ row iterate ", ROWS},
    {" count length len size ", "rows are counted by #result:all(); result.rowcount counts rows that were changed"},
    {NULL, NULL}};
static const hint expression_hints[] = {
    {" equals equal eql is_equal neq not_equal gte lte greater less ", EQ},
    {" is_null isnull is_not_null isnotnull notnull is_nil is_none null ", NULLS},
    {" lower upper length count sum avg min max coalesce trim substr round abs ", FUNC},
    {" alias as_ as_label ", "an expression gets a name by label(\"name\")"},
    {NULL, NULL}};
static const hint table_hints[] = {{" all where filter find get query first order_by rows filter_by ", SELECT},
                                   {" add remove save ", "rows are written by conn:execute(ag.insert(table), rows)"},
                                   {" label ", "another name for a table is alias(\"name\")"},
                                   {NULL, NULL}};
static const hint row_hints[] = {
    {" keys values items count index get _mapping _asdict _fields _tuple tuple to_table unpack ",
     "rows have no methods: pairs(row), #row, row[1], ag.to_table(row), ag.unpack(row)"},
    {NULL, NULL}};
static const hint metadata_hints[] = {
    {" create ", "write create_all(engine)"}, {" drop ", "write drop_all(engine)"}, {NULL, NULL}};

static const char *find_hint(const hint *list, const char *name)
{
    size_t n = strlen(name);
    for (; list->names; list++) {
        for (const char *at = list->names; (at = strstr(at, name)); at++)
            if (at[-1] == ' ' && at[n] == ' ')
                return list->says;
    }
    return NULL;
}

const char *agl_hint(agl_kind kind, const char *name)
{
    if (name && (!*name || strchr(name, ' ')))
        return NULL;
    switch (kind) {
    case AGL_K_ENGINE: return name ? find_hint(engine_hints, name) : NULL;
    case AGL_K_CONNECTION: return name ? find_hint(connection_hints, name) : NULL;
    case AGL_K_SELECT:
    case AGL_K_COMPOUND:
    case AGL_K_TEXT:
    case AGL_K_TEXT_SELECT:
    case AGL_K_INSERT:
    case AGL_K_UPDATE:
    case AGL_K_DELETE: return name ? find_hint(statement_hints, name) : NULL;
    case AGL_K_RESULT: return name ? find_hint(result_hints, name) : ROWS;
    case AGL_K_COLUMN:
    case AGL_K_EXPR:
    case AGL_K_FUNCTION: return name ? find_hint(expression_hints, name) : "elements are read by a:at(index)";
    case AGL_K_TABLE:
    case AGL_K_FROMCLAUSE: return name ? find_hint(table_hints, name) : NULL;
    case AGL_K_ROW: return name ? find_hint(row_hints, name) : NULL;
    case AGL_K_METADATA: return name ? find_hint(metadata_hints, name) : NULL;
    default: return NULL;
    }
}

bool agl_is_column_of(lua_State *L)
{
    const ag_node *from = agl_node_at(L, 1);
    size_t n;
    int64_t index = -1;
    if (!from || !ag_node_is_from(from) || lua_type(L, 2) != LUA_TSTRING)
        return false;
    const char *key = lua_tolstring(L, 2, &n);
    agl_build x = agl_build_begin(L);
    if (ag_from_find(from, key, n, &x.b->scratch, &index, x.b->err) != AG_OK)
        agl_build_raise(&x);
    return index >= 0;
}

void agl_check_list(lua_State *L, int idx, int arg, bool conditions)
{
    size_t n = lua_rawlen(L, idx);
    if (n)
        lua_pushinteger(L, (lua_Integer)n);
    else
        lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_pop(L, 1);
        if (lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1 && lua_tointeger(L, -1) <= (lua_Integer)n)
            continue;
        agl_argerror(L, arg, "expected a list, got a table with the key %s%s", agl_describe(L, -1, false),
                     conditions ? " (column = value by name is filter_by{…}; a condition is written column:eq(value))"
                                : "");
    }
}

int agl_no_condition(lua_State *L, int idx, int arg)
{
    if (lua_type(L, idx) == LUA_TBOOLEAN)
        return agl_argerror(
            L, arg,
            "expected a condition, got the Lua boolean %s: write a:eq(b), since a == b compares objects in "
            "Lua, and & | ~ for and, or, not",
            lua_toboolean(L, idx) ? "true" : "false");
    return agl_argerror(L, arg, "expected a condition, got %s%s", agl_describe(L, idx, false),
                        lua_type(L, idx) == LUA_TSTRING ? " (raw SQL is written as ag.text)" : "");
}

int agl_expr_less(lua_State *L)
{
    return agl_error(L, AG_EXC_ARGUMENT,
                     "Lua's < <= > >= give booleans: write a:lt(b), a:le(b), a:gt(b), a:ge(b), which give conditions");
}

int agl_no_column(lua_State *L, int idx, int arg)
{
    const char *more = "";
    if (lua_type(L, idx) == LUA_TSTRING)
        more = " (raw SQL is written as ag.text or ag.literal_column)";
    else if (agl_kind_at(L, idx) == AGL_K_FUNCTION_NAME)
        more = " (it is to be called: ag.func.count())";
    return agl_argerror(L, arg, "expected a column, an expression or a table, got %s%s", agl_describe(L, idx, false),
                        more);
}

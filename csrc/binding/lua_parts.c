/* Constructs tell what they are made of, by SQLAlchemy's names: binary.left, func.clauses, label.element, bind.value,
 * join.onclause, alias.element, column.table, subquery.primary_key. */
#include "binding/conv.h"
#include "binding/lua_stmt.h"
#include "sql/table.h"
#include <string.h>

/* The parts whose name here is not that of the field in nodes.def, or that are not shown by others of the list below. */
static const struct part {
    uint16_t kind;
    const char *name, *field;
} parts[] = {
    {AG_K_BINARY, "left", "left"},
    {AG_K_BINARY, "right", "right"},
    {AG_K_UNARY, "element", "operand"},
    {AG_K_BETWEEN, "left", "operand"},
    {AG_K_BETWEEN, "lower", "lower"},
    {AG_K_BETWEEN, "upper", "upper"},
    {AG_K_LIST, "clauses", "items"},
    {AG_K_TUPLE, "clauses", "items"},
    {AG_K_ARRAY, "clauses", "items"},
    {AG_K_CASE, "value", "value"},
    {AG_K_CASE, "else_", "else_"},
    {AG_K_CAST, "clause", "operand"},
    {AG_K_TRY_CAST, "clause", "operand"},
    {AG_K_TYPE_COERCE, "clause", "operand"},
    {AG_K_EXTRACT, "field", "field"},
    {AG_K_EXTRACT, "expr", "operand"},
    {AG_K_LABEL, "element", "operand"},
    {AG_K_FUNC, "clauses", "args"},
    {AG_K_FUNC, "packagenames", "packages"},
    {AG_K_OVER, "element", "element"},
    {AG_K_OVER, "partition_by", "partition_by"},
    {AG_K_OVER, "order_by", "order_by"},
    {AG_K_WITHIN_GROUP, "element", "element"},
    {AG_K_WITHIN_GROUP, "order_by", "order_by"},
    {AG_K_FILTER, "func", "element"},
    {AG_K_FILTER, "criterion", "criterion"},
    {AG_K_AGG_ORDER, "element", "element"},
    {AG_K_AGG_ORDER, "order_by", "order_by"},
    {AG_K_SCALAR_SELECT, "element", "select"},
    {AG_K_EXISTS, "element", "select"},
    {AG_K_SLICE, "start", "start"},
    {AG_K_SLICE, "stop", "stop"},
    {AG_K_SLICE, "step", "step"},
    {AG_K_COLREF, "table", "from"},
    {AG_K_ALIAS, "element", "element"},
    {AG_K_SUBQUERY, "element", "element"},
    {AG_K_LATERAL, "element", "element"},
    {AG_K_CTE, "element", "element"},
    {AG_K_TABLESAMPLE, "element", "element"},
    {AG_K_TABLESAMPLE, "sampling", "sampling"},
    {AG_K_TABLESAMPLE, "seed", "seed"},
    {AG_K_TABLE_FUNC, "element", "function"},
    {AG_K_TABLE_CLAUSE, "schema", "schema"},
    {AG_K_JOIN, "left", "left"},
    {AG_K_JOIN, "right", "right"},
    {AG_K_JOIN, "onclause", "onclause"},
};

static const ag_field *field_of(const ag_node *n, const char *name)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].kind != n->kind || strcmp(parts[i].name, name) != 0)
            continue;
        for (const ag_field *f = ag_kind_get(n->kind)->fields; f->kind != AG_FIELD_END; f++) {
            if (strcmp(f->name, parts[i].field) == 0)
                return f;
        }
    }
    return NULL;
}

static void push_str(lua_State *L, ag_str s)
{
    if (s.p)
        lua_pushlstring(L, s.p, s.n);
    else
        lua_pushnil(L);
}

static void push_field(lua_State *L, const ag_node *n, const ag_field *f)
{
    const void *at = (const char *)n + f->offset;
    const ag_node *child = NULL;
    const ag_nlist *list = at;
    switch (f->kind) {
    case AG_FIELD_CHILD:
    case AG_FIELD_OPT:
        memcpy(&child, at, sizeof child);
        if (child)
            agl_push_part(L, 1, child);
        else
            lua_pushnil(L);
        return;
    case AG_FIELD_LIST: agl_push_parts(L, 1, ag_nlist_items(n, *list), list->n); return;
    case AG_FIELD_STRS:
        lua_createtable(L, (int)list->n, 0);
        for (uint32_t i = 0; i < list->n; i++) {
            push_str(L, ag_nstrs_at(n, *list, i));
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        return;
    case AG_FIELD_STR: push_str(L, ag_nstr_get(n, *(const ag_nstr *)at)); return;
    default: lua_pushnil(L); return;
    }
}

/* ---- what is no field of its own ---- */

/* The name of the method that makes it ("eq"); of op("&&"): the operator itself. */
static void push_operator(lua_State *L, const ag_node *n)
{
    ag_str own = {0};
    if (n->kind == AG_K_BINARY)
        own = ag_nstr_get(n, AG_AS(binary, BINARY, n)->opstring);
    if (n->kind == AG_K_UNARY)
        own = ag_nstr_get(n, AG_AS(unary, UNARY, n)->opstring);
    if (own.n)
        push_str(L, own);
    else
        lua_pushstring(L, ag_op_get((ag_op_id)n->op)->name);
}

/* operator of what stands between or before its operands, modifier of what stands behind. */
static bool operator_part(lua_State *L, const ag_node *n, const char *name)
{
    bool is_operator = strcmp(name, "operator") == 0;
    if (n->kind == AG_K_UNARY && (is_operator || strcmp(name, "modifier") == 0)) {
        bool behind = n->op == AG_OP_CUSTOM_POSTFIX || ag_op_is((ag_op_id)n->op, AG_OPF_POSTFIX);
        if (behind == is_operator)
            lua_pushnil(L);
        else
            push_operator(L, n);
        return true;
    }
    if (!is_operator || (n->kind != AG_K_BINARY && n->kind != AG_K_LIST && n->kind != AG_K_BETWEEN))
        return false;
    push_operator(L, n);
    return true;
}

static void push_bind_value(lua_State *L, const ag_n_bind *b, bool called)
{
    ag_value v = ag_value_null();
    if (b->node.flags & AG_BIND_CALLABLE) {
        agl_hostvalue_push(L, b->callable);
        if (called && lua_isfunction(L, -1))
            lua_call(L, 0, 1);
        return;
    }
    if (b->node.flags & AG_BIND_EXPANDING) {
        lua_createtable(L, (int)b->values.n, 0);
        for (uint32_t i = 0; i < b->values.n; i++) {
            ag_nval_get(&v, b, ag_nvals_at(b, b->values, i));
            agl_push_value_or_null(L, &v, NULL, NULL);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        return;
    }
    if (b->node.flags & AG_BIND_HAS_VALUE)
        ag_nval_get(&v, b, &b->value);
    agl_push_value(L, &v, NULL, NULL);
}

static bool bind_part(lua_State *L, const ag_node *n, const char *name)
{
    static const struct {
        const char *name;
        unsigned flag;
    } flags[] = {{"unique", AG_BIND_UNIQUE},
                 {"required", AG_BIND_REQUIRED},
                 {"expanding", AG_BIND_EXPANDING},
                 {"literal_execute", AG_BIND_LITERAL_EXECUTE}};
    const ag_n_bind *b = AG_AS(bind, BIND, n);
    bool called = strcmp(name, "effective_value") == 0, callable = strcmp(name, "callable") == 0;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcmp(name, flags[i].name) == 0) {
            lua_pushboolean(L, (n->flags & flags[i].flag) != 0);
            return true;
        }
    }
    if (!called && !callable && strcmp(name, "value") != 0)
        return false;
    if ((n->flags & AG_BIND_CALLABLE ? !called && !callable : callable))
        lua_pushnil(L);
    else
        push_bind_value(L, b, called);
    return true;
}

/* whens: {{condition, result}, …} */
static bool case_part(lua_State *L, const ag_node *n, const char *name)
{
    if (strcmp(name, "whens") != 0)
        return false;
    ag_nlist whens = AG_AS(case, CASE, n)->whens;
    lua_createtable(L, (int)whens.n / 2, 0);
    for (uint32_t i = 0; i + 1 < whens.n; i += 2) {
        agl_push_parts(L, 1, ag_nlist_items(n, whens) + i, 2);
        lua_rawseti(L, -2, (lua_Integer)i / 2 + 1);
    }
    return true;
}

/* What an exported column has of the table's column behind it; of any other expression behind it: as a plain column. */
static bool column_part(lua_State *L, const ag_node *n, const char *name)
{
    static const char *const known[] = {"primary_key", "nullable", "foreign_keys"};
    const ag_column *root = ag_column_root(n);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i]) != 0)
            continue;
        if (root) {
            agl_push_part(L, 1, root->node);
            lua_getfield(L, -1, name);
        } else if (i < 2) {
            lua_pushboolean(L, i == 1);
        } else {
            lua_newtable(L);
        }
        return true;
    }
    return false;
}

static bool join_part(lua_State *L, const ag_node *n, const char *name)
{
    bool outer = strcmp(name, "isouter") == 0;
    if (!outer && strcmp(name, "full") != 0)
        return false;
    lua_pushboolean(L, (n->flags & (outer ? AG_JOIN_OUTER : AG_JOIN_FULL)) != 0);
    return true;
}

/* alias.original: what the innermost alias is of. */
static bool alias_part(lua_State *L, const ag_node *n, const char *name)
{
    if (strcmp(name, "original") != 0)
        return false;
    while (n->kind == AG_K_ALIAS)
        n = AG_AS(alias, ALIAS, n)->element;
    agl_push_part(L, 1, n);
    return true;
}

static bool special_part(lua_State *L, const ag_node *n, const char *name)
{
    switch (n->kind) {
    case AG_K_BIND: return bind_part(L, n, name);
    case AG_K_CASE: return case_part(L, n, name);
    case AG_K_COLREF: return column_part(L, n, name);
    case AG_K_JOIN: return join_part(L, n, name);
    case AG_K_ALIAS: return alias_part(L, n, name);
    case AG_K_COLUMN_CLAUSE:
        if (strcmp(name, "is_literal") != 0)
            return false;
        lua_pushboolean(L, (n->flags & AG_COLUMN_CLAUSE_LITERAL) != 0);
        return true;
    default: return operator_part(L, n, name);
    }
}

static bool part(lua_State *L)
{
    const ag_node *n = lua_type(L, 2) == LUA_TSTRING ? agl_node_at(L, 1) : NULL;
    if (!n)
        return false;
    const char *name = lua_tostring(L, 2);
    const ag_field *f = field_of(n, name);
    luaL_checkstack(L, 8, "parts");
    if (f)
        push_field(L, n, f);
    return f || special_part(L, n, name);
}

bool agl_expr_part(lua_State *L)
{
    return part(L) || agl_comparator_own(L);
}

/* primary_key and foreign_keys of a FROM: argent.introspect works them out from its columns. */
bool agl_from_part(lua_State *L)
{
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (part(L))
        return true;
    if (!agl_node_at(L, 1) || (strcmp(name, "primary_key") != 0 && strcmp(name, "foreign_keys") != 0))
        return false;
    lua_getglobal(L, "require");
    lua_pushliteral(L, "argent.introspect");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, name);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return true;
}

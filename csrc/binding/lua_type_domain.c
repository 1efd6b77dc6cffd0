/* The arguments of DOMAIN(name, type, {default, not_null, check, constraint_name, constraints …}) and its attributes. What CREATE
 * DOMAIN writes travels in the type's labels: the default's SQL ("" none), the collation's schema ("" none), then name ("" none) and SQL
 * of each check. */
#include "base/buf.h"
#include "binding/lua_node.h"
#include "binding/lua_types.h"
#include <string.h>

#define MAX_CHECKS  256
#define FIRST_CHECK 2 /* label */

typedef struct domain {
    lua_State *L;
    int opts;
    const char **labels;
    unsigned n;
} domain;

/* text(":x") without its value would be written as NULL. */
static void check_binds(domain *d, const ag_node *node, const char *option)
{
    const ag_n_text *t = node->kind == AG_K_TEXT ? AG_AS(text, TEXT, node) : NULL;
    for (uint32_t i = 0; t && i < t->binds.n; i++) {
        if (!(ag_nlist_at(t, t->binds, i)->flags & AG_BIND_HAS_VALUE))
            agl_argerror(d->L, d->opts, "option '%s': the text has parameters without values", option);
    }
}

/* The expression at the stack's top as SQL of PostgreSQL, in its place. */
static const char *sql_of_node(lua_State *L)
{
    lua_getfield(L, -1, "compile");
    lua_insert(L, -2);
    lua_createtable(L, 0, 2);
    lua_pushliteral(L, "postgresql");
    lua_setfield(L, -2, "dialect");
    lua_pushboolean(L, true);
    lua_setfield(L, -2, "literal_binds");
    lua_call(L, 2, 1);
    lua_getfield(L, -1, "string");
    lua_remove(L, -2);
    return lua_tostring(L, -1);
}

/* SQL of the value at the stack's top: an expression, text; with `literal`, a string in quotes and a number. It stays on the stack. */
static const char *sql_of(domain *d, const char *option, bool literal)
{
    lua_State *L = d->L;
    const ag_node *node = agl_node_at(L, -1);
    if (node) {
        check_binds(d, node, option);
        return sql_of_node(L);
    }
    if (!lua_isstring(L, -1))
        agl_argerror(L, d->opts, "option '%s': expected a string or an expression, got %s", option,
                     agl_describe(L, -1, false));
    if (lua_type(L, -1) == LUA_TSTRING && strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
        agl_argerror(L, d->opts, "option '%s' contains a NUL byte", option);
    if (!literal || lua_type(L, -1) == LUA_TNUMBER)
        return lua_tostring(L, -1);
    luaL_gsub(L, lua_tostring(L, -1), "'", "''");
    return lua_pushfstring(L, "'%s'", lua_tostring(L, -1));
}

/* One check from the table at idx: its fields `name_field` and "check". */
static void add_check(domain *d, int idx, const char *name_field)
{
    lua_State *L = d->L;
    luaL_checkstack(L, 6, "domain");
    if (lua_getfield(L, idx, "check") == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    const char *check = sql_of(d, "check", false);
    const char *name = "";
    if (lua_getfield(L, idx, name_field) != LUA_TNIL)
        name = sql_of(d, name_field, false);
    if (d->n + 2 > FIRST_CHECK + 2 * MAX_CHECKS)
        agl_argerror(L, d->opts, "more than %d checks", MAX_CHECKS);
    d->labels[d->n++] = name;
    d->labels[d->n++] = check;
}

static void add_checks(domain *d)
{
    lua_State *L = d->L;
    add_check(d, d->opts, "constraint_name");
    if (lua_getfield(L, d->opts, "constraints") == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    int list = lua_gettop(L);
    if (!agl_is_plain_table(L, list))
        agl_argerror(L, d->opts, "option 'constraints': expected a list of {name =, check =}, got %s",
                     agl_describe(L, list, false));
    lua_Integer n = (lua_Integer)lua_rawlen(L, list);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, list, i);
        if (!agl_is_plain_table(L, -1))
            agl_argerror(L, d->opts, "option 'constraints', item %d: expected {name =, check =}, got %s", (int)i,
                         agl_describe(L, -1, false));
        luaL_checkstack(L, 8, "domain");
        add_check(d, lua_gettop(L), "name");
    }
}

void agl_domain_options(lua_State *L, int opts, ag_type *t)
{
    domain d = {.L = L, .opts = opts};
    if (!opts)
        return;
    d.labels = agl_scratch(L, (FIRST_CHECK + 2 * MAX_CHECKS) * sizeof *d.labels);
    d.labels[d.n++] = "";
    d.labels[d.n++] = "";
    if (lua_getfield(L, opts, "default") != LUA_TNIL)
        d.labels[0] = sql_of(&d, "default", true);
    if (lua_getfield(L, opts, "collation_schema") != LUA_TNIL) {
        d.labels[1] = agl_check_string(L, lua_gettop(L), NULL);
        if (!t->collation)
            agl_argerror(L, opts, "option 'collation_schema' without 'collation'");
    }
    add_checks(&d);
    if (d.n > FIRST_CHECK || d.labels[0][0] || d.labels[1][0]) {
        t->labels = d.labels;
        t->nlabels = (uint16_t)d.n;
    }
    if (agl_opt_boolean(L, opts, "not_null", false))
        t->flags |= AG_TYPE_NOT_NULL;
    if (!agl_opt_boolean(L, opts, "create_type", true))
        t->flags |= AG_TYPE_NO_CREATE;
}

/* ---- attributes ---- */

static const ag_type *self(lua_State *L)
{
    return ((const agl_type *)agl_check(L, 1, AGL_K_TYPE))->type;
}

/* The SQL of label i of a domain, or nil. */
static int push_label(lua_State *L, unsigned i)
{
    const ag_type *t = self(L);
    if (t->id == AG_TYPE_PG_DOMAIN && i < t->nlabels && t->labels[i][0])
        lua_pushstring(L, t->labels[i]);
    else
        lua_pushnil(L);
    return 1;
}

int agl_type_get_default(lua_State *L)
{
    return push_label(L, 0);
}

int agl_type_get_constraint_name(lua_State *L)
{
    return push_label(L, FIRST_CHECK);
}

int agl_type_get_check(lua_State *L)
{
    return push_label(L, FIRST_CHECK + 1);
}

int agl_type_get_not_null(lua_State *L)
{
    lua_pushboolean(L, (self(L)->flags & AG_TYPE_NOT_NULL) != 0);
    return 1;
}

int agl_type_get_constraints(lua_State *L)
{
    const ag_type *t = self(L);
    if (t->id != AG_TYPE_PG_DOMAIN) {
        lua_pushnil(L);
        return 1;
    }
    lua_newtable(L);
    for (unsigned i = FIRST_CHECK; i + 1 < t->nlabels; i += 2) {
        lua_createtable(L, 0, 2);
        if (t->labels[i][0]) {
            lua_pushstring(L, t->labels[i]);
            lua_setfield(L, -2, "name");
        }
        lua_pushstring(L, t->labels[i + 1]);
        lua_setfield(L, -2, "check");
        lua_rawseti(L, -2, (lua_Integer)i / 2);
    }
    return 1;
}

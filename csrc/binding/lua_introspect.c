/* Looking into statements and rewriting them: selected_columns, columns_clause_froms, get_final_froms, whereclause …, params(),
 * get_children, replacement of parts, adaption of columns to another FROM. */
#include "binding/lua_stmt.h"
#include "sql/idmap.h"
#include "sql/select.h"
#include "sql/table.h"
#include "sql/walk.h"
#include <string.h>

static const ag_node *self_node(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    if (!n)
        agl_typeerror(L, 1, "an SQL construct (call methods with a colon)");
    return n;
}

void agl_push_part(lua_State *L, int idx, const ag_node *part)
{
    idx = lua_absindex(L, idx);
    int top = lua_gettop(L);
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, idx);
    if (agl_node_at(L, -1) == part)
        return;
    agl_build_push(&x, part);
    lua_settop(L, top + 1);
}

void agl_push_parts(lua_State *L, int idx, const ag_node *const *items, size_t n)
{
    idx = lua_absindex(L, idx);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        agl_push_part(L, idx, items[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* ---- columns ---- */

typedef struct result_column {
    const ag_node *node; /* the expression, or the FROM that it is a column of */
    bool of_from;
    uint32_t index;
} result_column;

static void push_result_column(lua_State *L, const result_column *c)
{
    if (!c->of_from) {
        agl_push_part(L, 1, c->node);
        return;
    }
    int top = lua_gettop(L);
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    agl_build_push(&x, ag_from_colref(x.b, c->node, c->index));
    lua_settop(L, top + 1);
}

/* Keys and expressions of the result columns: two tables on top, the second has the boxes. */
static int push_columns(lua_State *L, const ag_node *stmt)
{
    int top = lua_gettop(L);
    agl_build x = agl_build_begin(L);
    const ag_select_col *cols = NULL;
    uint32_t n = 0;
    ag_status st = ag_stmt_columns(stmt, false, &x.b->scratch, &cols, &n, x.b->err); /* gone with the next build */
    result_column *exprs = st == AG_OK ? agl_scratch(L, (n + 1) * sizeof *exprs) : NULL;
    lua_createtable(L, (int)n, 0);
    for (uint32_t i = 0; exprs && i < n; i++) {
        const ag_node *e = cols[i].expr;
        bool made = e->kind == AG_K_COLREF; /* perhaps in scratch: made again below */
        exprs[i] = (result_column){made ? AG_AS(colref, COLREF, e)->from : e, made,
                                   made ? AG_AS(colref, COLREF, e)->index : 0};
        lua_pushlstring(L, cols[i].key.p ? cols[i].key.p : "", cols[i].key.n);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    if (st != AG_OK)
        return agl_build_raise(&x);
    lua_createtable(L, (int)n, 0);
    for (uint32_t i = 0; i < n; i++) {
        push_result_column(L, &exprs[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_remove(L, top + 1); /* the scratch */
    return 2;
}

/* argent.introspect.<name>(stmt, keys, expressions): the collection, or the descriptions. */
static int columns_by(lua_State *L, const char *name)
{
    const ag_node *stmt = self_node(L);
    lua_settop(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "argent.introspect");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, name);
    lua_replace(L, 2);
    lua_settop(L, 2);
    if (stmt->kind == AG_K_TEXT)
        agl_error(L, AG_EXC_INVALID_REQUEST, "the columns of a text() are not known: text(…):columns(…)");
    push_columns(L, stmt);
    lua_call(L, 2, 1);
    return 1;
}

static int stmt_get_columns(lua_State *L)
{
    return columns_by(L, "collection");
}
static int stmt_get_descriptions(lua_State *L)
{
    return columns_by(L, "descriptions");
}

/* ---- FROMs, WHERE, parts ---- */

static int push_froms(lua_State *L, bool of_columns)
{
    const ag_node *stmt = self_node(L);
    agl_check_top(L, 1);
    if (stmt->kind != AG_K_SELECT)
        return agl_typeerror(L, 1, "a SELECT");
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    const ag_node **froms = NULL;
    size_t n = 0;
    ag_status st = of_columns ? ag_select_columns_froms(stmt, &x.b->scratch, &froms, &n, x.b->err)
                              : ag_select_froms(x.b, stmt, &froms, &n, x.b->err);
    if (st != AG_OK)
        return agl_build_raise(&x);
    /* joins that were worked out are the builder's: they come as a SELECT with these FROMs */
    const ag_node *holder = ag_stmt_add(x.b, stmt, AG_CL_FROM, froms, n, false);
    if (!n) {
        lua_newtable(L);
        return 1;
    }
    agl_build_push(&x, holder);
    holder = agl_node_at(L, -1);
    const ag_n_select *s = AG_AS(select, SELECT, holder);
    agl_push_parts(L, lua_gettop(L), ag_nlist_items(s, s->from), s->from.n);
    return 1;
}
static int stmt_get_columns_clause_froms(lua_State *L)
{
    return push_froms(L, true);
}
static int stmt_get_final_froms(lua_State *L)
{
    return push_froms(L, false);
}

static int stmt_get_whereclause(lua_State *L)
{
    const ag_node *n = self_node(L);
    ag_nlist where = {0, 0};
    switch (n->kind) {
    case AG_K_SELECT: where = AG_AS(select, SELECT, n)->where; break;
    case AG_K_UPDATE: where = AG_AS(update, UPDATE, n)->where; break;
    case AG_K_DELETE: where = AG_AS(delete, DELETE, n)->where; break;
    default: return agl_typeerror(L, 1, "a SELECT, UPDATE or DELETE");
    }
    lua_settop(L, 1);
    if (!where.n) {
        lua_pushnil(L);
        return 1;
    }
    if (where.n == 1) {
        agl_push_part(L, 1, ag_nlist_at(n, where, 0));
        return 1;
    }
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    return agl_build_push(&x, ag_bool_list(x.b, AG_OP_AND, ag_nlist_items(n, where), where.n));
}

static int stmt_get_selects(lua_State *L)
{
    const ag_node *n = self_node(L);
    if (n->kind != AG_K_COMPOUND)
        return agl_typeerror(L, 1, "a set operation");
    const ag_n_compound *c = AG_AS(compound, COMPOUND, n);
    agl_push_parts(L, 1, ag_nlist_items(c, c->selects), c->selects.n);
    return 1;
}

static int stmt_get_table(lua_State *L)
{
    const ag_node *n = self_node(L);
    switch (n->kind) {
    case AG_K_INSERT: agl_push_part(L, 1, AG_AS(insert, INSERT, n)->table); return 1;
    case AG_K_UPDATE: agl_push_part(L, 1, AG_AS(update, UPDATE, n)->table); return 1;
    case AG_K_DELETE: agl_push_part(L, 1, AG_AS(delete, DELETE, n)->table); return 1;
    default: return agl_typeerror(L, 1, "an INSERT, UPDATE or DELETE");
    }
}

/* {name =, table =} of what an INSERT, UPDATE or DELETE is of. */
static int stmt_get_entity_description(lua_State *L)
{
    stmt_get_table(L);
    lua_createtable(L, 0, 2);
    lua_getfield(L, -2, "name");
    lua_setfield(L, -2, "name");
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "table");
    return 1;
}

/* ---- walking ---- */

typedef struct children {
    const ag_node **items;
    size_t n, max;
} children;

static ag_visit add_child(void *ud, const ag_node *n, const ag_node *parent)
{
    children *c = ud;
    if (!parent)
        return AG_VISIT_CONTINUE;
    if (c->n < c->max)
        c->items[c->n++] = n;
    return AG_VISIT_PRUNE;
}

int agl_node_get_children(lua_State *L)
{
    agl_check_top(L, 1);
    const ag_node *n = self_node(L);
    children c = {NULL, 0, ag_child_count(n)};
    ag_error *err = agl_err(L);
    c.items = agl_scratch(L, (c.max + 1) * sizeof *c.items);
    const ag_walker w = {.ud = &c, .enter = add_child};
    agl_must(L, ag_walk(n, &w, &agl_state_get(L)->alloc, NULL, err), err);
    agl_push_parts(L, 1, c.items, c.n);
    return 1;
}

/* a == b of two handles: are they handles of one construct, or of one column of it? (a:eq(b) is SQL.) */
int agl_node_same(lua_State *L)
{
    const ag_node *a = agl_node_at(L, 1), *b = agl_node_at(L, 2);
    bool same = a && b && a == b;
    if (a && b && !same && a->kind == AG_K_COLREF && b->kind == AG_K_COLREF) {
        const ag_n_colref *x = AG_AS(colref, COLREF, a), *y = AG_AS(colref, COLREF, b);
        same = x->index == y->index && ag_from_same(x->from, y->from);
    }
    lua_pushboolean(L, same);
    return 1;
}

/* SQLAlchemy's __visit_name__ of a construct. */
int agl_node_visit_name(lua_State *L)
{
    static const struct {
        uint16_t kind;
        const char *name;
    } other[] = {{AG_K_BIND, "bindparam"},
                 {AG_K_FUNC, "function"},
                 {AG_K_LIST, "clauselist"},
                 {AG_K_COMPOUND, "compound_select"},
                 {AG_K_TEXT, "textclause"},
                 {AG_K_COLREF, "column"},
                 {AG_K_COLUMN_CLAUSE, "column"},
                 {AG_K_TABLE_CLAUSE, "table"},
                 {AG_K_TEXT_SELECT, "textual_select"},
                 {AG_K_LABEL_REF, "label_reference"},
                 {AG_K_AGG_ORDER, "aggregate_order_by"},
                 {AG_K_FILTER, "funcfilter"},
                 {AG_K_WITHIN_GROUP, "withingroup"},
                 {AG_K_TABLE_FUNC, "table_valued_alias"}};
    const ag_node *n = self_node(L);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (other[i].kind == n->kind) {
            lua_pushstring(L, other[i].name);
            return 1;
        }
    lua_pushstring(L, ag_kind_get(n->kind)->name);
    return 1;
}

/* node_id(construct): tells nodes apart, a light userdata; two boxes of one node have the same. */
static int node_id(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)self_node(L));
    return 1;
}

/* ---- rewriting ---- */

static const ag_node *look_up(void *ud, const ag_node *n)
{
    return ag_idmap_get(ud, n);
}

/* node_replace(construct, {old, …}, {new, …}) */
static int node_replace(lua_State *L)
{
    lua_settop(L, 3);
    agl_build x = agl_build_begin(L);
    const ag_node *root = self_node(L), *out = NULL;
    agl_build_anchor(&x, 1);
    agl_list from = agl_build_table(&x, 2, 2, agl_conv_node), to = agl_build_table(&x, 3, 3, agl_conv_node);
    ag_idmap map;
    bool ok = from.n == to.n, added;
    ag_idmap_init(&map, x.b->alloc);
    for (size_t i = 0; ok && i < from.n; i++)
        ok = ag_idmap_put(&map, from.items[i], to.items[i], &added);
    const ag_replacer r = {.ud = &map, .fn = look_up};
    if (ok)
        out = ag_replace(x.b, root, &r);
    else
        (void)ag_fail_nomem(x.b->err);
    ag_idmap_clear(&map);
    return agl_build_push(&x, out);
}

/* node_adapt(from, construct, on_names) */
static int node_adapt(lua_State *L)
{
    lua_settop(L, 3);
    bool on_names = lua_toboolean(L, 3);
    agl_build x = agl_build_begin(L);
    const ag_node *from = agl_conv_from(&x, 1, 1), *root = agl_conv_node(&x, 2, 2);
    const ag_adapter a = {.from = from, .on_names = on_names};
    return agl_build_push(&x, ag_adapt(x.b, root, &a));
}

/* One value, or the list of an expanding bind. */
static void read_param(agl_build *x, ag_param *p, int value)
{
    lua_State *L = x->L;
    size_t n = 1;
    p->list = agl_is_plain_table(L, value);
    if (p->list)
        n = lua_rawlen(L, value);
    ag_value *values = agl_build_scratch(x, (n + 1) * sizeof *values);
    for (size_t i = 0; i < n; i++) {
        if (p->list)
            lua_rawgeti(L, value, (lua_Integer)i + 1);
        else
            lua_pushvalue(L, value);
        if (!agl_tovalue(L, -1, &values[i]))
            agl_argerror(L, 2, "parameter '%s': expected a value, got %s", p->key.p, agl_describe(L, -1, false));
        if (values[i].kind != AG_V_HOST)
            lua_pop(L, 1); /* else it stays as an anchor */
    }
    p->values = values;
    p->n = n;
}

static int with_params(lua_State *L, bool unique)
{
    agl_check_args(L, 2);
    const ag_node *stmt = self_node(L);
    size_t n = 0;
    if (!lua_isnil(L, 2)) {
        agl_check_table(L, 2);
        for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1))
            if (lua_type(L, -2) == LUA_TSTRING)
                n++;
            else
                agl_argerror(L, 2, "expected names as keys, got %s", agl_describe(L, -2, false));
    }
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    ag_param *params = agl_build_scratch(&x, (n + 1) * sizeof *params);
    lua_pushnil(L);
    for (size_t i = 0; i < n && lua_next(L, 2); i++) {
        int value = lua_gettop(L);
        params[i].key.p = lua_tolstring(L, value - 1, &params[i].key.n); /* the table keeps it */
        read_param(&x, &params[i], value);
        lua_pushvalue(L, value - 1); /* the key goes on top; below it stay the anchors */
        lua_remove(L, value - 1);
        agl_check_room(L, 10, "parameters");
    }
    return agl_build_push(&x, ag_with_params(x.b, stmt, params, n, unique));
}
int agl_stmt_params(lua_State *L)
{
    return with_params(L, false);
}
int agl_stmt_unique_params(lua_State *L)
{
    return with_params(L, true);
}

/* stmt.is_select …: what an event or a hook asks of a statement that it did not make. */
#define IS_A(name, test)                                                                                               \
    static int stmt_is_##name(lua_State *L)                                                                            \
    {                                                                                                                  \
        unsigned kind = agl_node_at(L, 1)->kind;                                                                       \
        lua_pushboolean(L, test);                                                                                      \
        return 1;                                                                                                      \
    }
IS_A(select, kind == AG_K_SELECT || kind == AG_K_COMPOUND || kind == AG_K_TEXT_SELECT)
IS_A(insert, kind == AG_K_INSERT)
IS_A(update, kind == AG_K_UPDATE)
IS_A(delete, kind == AG_K_DELETE)
IS_A(dml, kind == AG_K_INSERT || kind == AG_K_UPDATE || kind == AG_K_DELETE)
IS_A(text, kind == AG_K_TEXT || kind == AG_K_TEXT_SELECT)
#undef IS_A

const luaL_Reg agl_introspect_methods[] = {{"params", agl_stmt_params},
                                           {"unique_params", agl_stmt_unique_params},
                                           {"get_final_froms", stmt_get_final_froms},
                                           {"get_children", agl_node_get_children},
                                           {"replace_selectable", agl_node_replace_selectable},
                                           {"corresponding_column", agl_from_corresponding_column},
                                           {"is_derived_from", agl_from_is_derived_from},
                                           {NULL, NULL}};
const luaL_Reg agl_introspect_getters[] = {{"selected_columns", stmt_get_columns},
                                           {"exported_columns", stmt_get_columns},
                                           {"column_descriptions", stmt_get_descriptions},
                                           {"returning_column_descriptions", stmt_get_descriptions},
                                           {"entity_description", stmt_get_entity_description},
                                           {"columns_clause_froms", stmt_get_columns_clause_froms},
                                           {"whereclause", stmt_get_whereclause},
                                           {"selects", stmt_get_selects},
                                           {"table", stmt_get_table},
                                           {"is_select", stmt_is_select},
                                           {"is_insert", stmt_is_insert},
                                           {"is_update", stmt_is_update},
                                           {"is_delete", stmt_is_delete},
                                           {"is_dml", stmt_is_dml},
                                           {"is_text", stmt_is_text},
                                           {"__visit_name", agl_node_visit_name},
                                           {NULL, NULL}};

static const luaL_Reg functions[] = {{"node_id", node_id},
                                     {"node_children", agl_node_get_children},
                                     {"node_visit_name", agl_node_visit_name},
                                     {"node_replace", node_replace},
                                     {"node_adapt", node_adapt},
                                     {NULL, NULL}};

void agl_open_introspect(lua_State *L)
{
    agl_functions_internal(L, functions);
}

/* DDL elements from Lua: internal functions over schema handles, which lua/argent/schema/ddl.lua makes the public ag.CreateTable(…)
 * … of. The last argument of each is flags: "i" IF [NOT] EXISTS, "c" CASCADE, "n" NOT NULL, "t" TEMPORARY, "r" OR REPLACE,
 * "m" MATERIALIZED, "a" constraints with ddl_if were asked for, "q" the name is quoted, "u" it is not. */
#include "binding/lua_expr.h"
#include "binding/host.h"
#include "binding/lua_compile_host.h"
#include "binding/lua_schema.h"
#include "compile/dialect.h"
#include "schema/ddl.h"
#include "schema/metadata.h"
#include "sql/select.h"
#include "sql/walk.h"
#include <string.h>

static unsigned read_flags(lua_State *L, int arg)
{
    const char *s = luaL_optstring(L, arg, "");
    return (strchr(s, 'i') ? AG_DDL_IF : 0u) | (strchr(s, 'c') ? AG_DDL_CASCADE : 0u) |
           (strchr(s, 'n') ? AG_DDL_NOT_NULL : 0u) | (strchr(s, 't') ? AG_DDL_TEMPORARY : 0u) |
           (strchr(s, 'r') ? AG_DDL_OR_REPLACE : 0u) | (strchr(s, 'm') ? AG_DDL_MATERIALIZED : 0u) |
           (strchr(s, 'a') ? AG_DDL_ASKED : 0u) | (strchr(s, 'q') ? AG_NAME_QUOTE : 0u) |
           (strchr(s, 'u') ? AG_NAME_NOQUOTE : 0u);
}

/* ddl_create_table(table, {constraint, …} left to ALTER, flags) */
static int ddl_create_table(lua_State *L)
{
    agl_schema *t = agl_check_schema(L, 1, AGL_K_TABLE);
    unsigned flags = read_flags(L, 3);
    agl_build x = agl_build_begin(L);
    uint32_t n = lua_type(L, 2) == LUA_TTABLE ? (uint32_t)lua_rawlen(L, 2) : 0;
    uint32_t *skip = agl_build_scratch(&x, (n + 1) * sizeof *skip);
    for (uint32_t i = 0; i < n; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        skip[i] = agl_check_schema(L, lua_gettop(L), AGL_K_SCHEMA_ITEM)->u.constraint->position;
        lua_pop(L, 1);
    }
    agl_build_anchor(&x, 1);
    return agl_build_push(&x, ag_ddl_create_table(x.b, t->u.table, skip, n, flags));
}

/* ddl_create_column(column) */
static int ddl_create_column(lua_State *L)
{
    agl_schema *c = agl_check_schema(L, 1, AGL_K_COLUMN);
    if (!c->u.column)
        return agl_argerror(L, 1, "this column belongs to no table yet");
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    return agl_build_push(&x, ag_ddl_create_column(x.b, c->u.column, NULL, 0, 0));
}

/* ddl_drop_table(table, flags) */
static int ddl_drop_table(lua_State *L)
{
    agl_schema *t = agl_check_schema(L, 1, AGL_K_TABLE);
    unsigned flags = read_flags(L, 2);
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    return agl_build_push(&x, ag_ddl_drop_table(x.b, t->u.table, flags));
}

/* ddl_create_view(table, select, flags, is it a table) */
static int ddl_create_view(lua_State *L)
{
    agl_schema *t = agl_check_schema(L, 1, AGL_K_TABLE);
    const ag_node *select = agl_node_at(L, 2);
    unsigned flags = read_flags(L, 3);
    bool as = lua_toboolean(L, 4);
    if (!select)
        return agl_typeerror(L, 2, "a select");
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    agl_build_anchor(&x, 2);
    return agl_build_push(&x, as ? ag_ddl_create_table_as(x.b, t->u.table, select, flags)
                                 : ag_ddl_create_view(x.b, t->u.table, select, flags));
}

/* ddl_drop_view(table, flags) */
static int ddl_drop_view(lua_State *L)
{
    agl_schema *t = agl_check_schema(L, 1, AGL_K_TABLE);
    unsigned flags = read_flags(L, 2);
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    return agl_build_push(&x, ag_ddl_drop_view(x.b, t->u.table, flags));
}

static int ddl_item(lua_State *L, ag_kind kind)
{
    agl_schema *h = agl_check_schema(L, 1, AGL_K_SCHEMA_ITEM);
    unsigned flags = read_flags(L, 2);
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    switch ((int)kind) {
    case AG_K_CREATE_INDEX:
    case AG_K_DROP_INDEX: return agl_build_push(&x, ag_ddl_index(x.b, kind, h->u.index, flags));
    case AG_K_ADD_CONSTRAINT:
    case AG_K_DROP_CONSTRAINT: return agl_build_push(&x, ag_ddl_alter_constraint(x.b, kind, h->u.constraint, flags));
    default: return agl_build_push(&x, ag_ddl_sequence(x.b, kind, h->u.sequence, flags));
    }
}
static int ddl_create_index(lua_State *L)
{
    return ddl_item(L, AG_K_CREATE_INDEX);
}
static int ddl_drop_index(lua_State *L)
{
    return ddl_item(L, AG_K_DROP_INDEX);
}
static int ddl_add_constraint(lua_State *L)
{
    return ddl_item(L, AG_K_ADD_CONSTRAINT);
}
static int ddl_drop_constraint(lua_State *L)
{
    return ddl_item(L, AG_K_DROP_CONSTRAINT);
}
static int ddl_create_sequence(lua_State *L)
{
    return ddl_item(L, AG_K_CREATE_SEQUENCE);
}
static int ddl_drop_sequence(lua_State *L)
{
    return ddl_item(L, AG_K_DROP_SEQUENCE);
}

static int ddl_schema(lua_State *L, ag_kind kind)
{
    ag_str name = agl_check_str(L, 1);
    unsigned flags = read_flags(L, 2);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_ddl_schema(x.b, kind, name, flags));
}
static int ddl_create_schema(lua_State *L)
{
    return ddl_schema(L, AG_K_CREATE_SCHEMA);
}
static int ddl_drop_schema(lua_State *L)
{
    return ddl_schema(L, AG_K_DROP_SCHEMA);
}

/* ddl_create_type(type, schema, {default =, check =, constraint_name =}, flags) */
static int ddl_create_type(lua_State *L)
{
    const ag_type *type = agl_check_type(L, 1, 1);
    ag_str schema = agl_opt_str(L, 2);
    unsigned flags = read_flags(L, 4);
    ag_domain_extra extra = {0};
    if (lua_type(L, 3) == LUA_TTABLE) {
        extra = (ag_domain_extra){agl_spec_node(L, 3, "default"), agl_spec_node(L, 3, "check"),
                                  agl_spec_str(L, 3, "constraint_name")};
    }
    agl_build x = agl_build_begin(L);
    if (lua_type(L, 3) == LUA_TTABLE)
        agl_build_anchor(&x, 3);
    return agl_build_push(&x, ag_ddl_create_type(x.b, type, schema, &extra, flags));
}

/* ddl_drop_type(type, schema, flags) */
static int ddl_drop_type(lua_State *L)
{
    const ag_type *type = agl_check_type(L, 1, 1);
    ag_str schema = agl_opt_str(L, 2);
    unsigned flags = read_flags(L, 3);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_ddl_drop_type(x.b, type, schema, flags));
}

/* ddl_comment(table | column | constraint, comment or nil) */
static int ddl_comment(lua_State *L)
{
    agl_kind kind = agl_kind_at(L, 1);
    if (kind != AGL_K_TABLE && kind != AGL_K_COLUMN)
        kind = AGL_K_SCHEMA_ITEM;
    agl_schema *h = agl_check_schema(L, 1, kind);
    ag_str comment = agl_opt_str(L, 2);
    if (!h->u.p)
        return agl_argerror(L, 1, "the column belongs to no table");
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    return agl_build_push(&x, kind == AGL_K_TABLE    ? ag_ddl_table_comment(x.b, h->u.table, comment)
                              : kind == AGL_K_COLUMN ? ag_ddl_column_comment(x.b, h->u.column, comment)
                                                     : ag_ddl_constraint_comment(x.b, h->u.constraint, comment));
}

/* schema_is_expression(v): an SQL expression or text() */
static int schema_is_expression(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    lua_pushboolean(L, n && (ag_node_is(n, AG_CLASS_EXPR) || n->kind == AG_K_TEXT || ag_node_is_selectable(n)));
    return 1;
}

/* schema_only_dialects(constraint, {name, …}, is there a function to be asked) */
static int schema_only_dialects(lua_State *L)
{
    agl_schema *h = agl_check_schema(L, 1, AGL_K_SCHEMA_ITEM);
    agl_check_table(L, 2);
    uint32_t n = (uint32_t)lua_rawlen(L, 2);
    ag_str *list = agl_scratch(L, (n + 1) * sizeof *list);
    for (uint32_t i = 0; i < n; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        list[i] = agl_check_str(L, lua_gettop(L)); /* the table keeps it */
        lua_pop(L, 1);
    }
    ag_error *err = agl_err(L);
    agl_must(L, ag_constraint_restrict(h->u.constraint, list, n, lua_toboolean(L, 3), err), err);
    return 0;
}

/* schema_remove_constraint(constraint): its table has it no more */
static int schema_remove_constraint(lua_State *L)
{
    ag_table_remove_constraint(agl_check_schema(L, 1, AGL_K_SCHEMA_ITEM)->u.constraint);
    return 0;
}

/* schema_depend(table, table): the second is created first */
static int schema_depend(lua_State *L)
{
    agl_schema *t = agl_check_schema(L, 1, AGL_K_TABLE);
    agl_schema *on = agl_check_schema(L, 2, AGL_K_TABLE);
    ag_error *err = agl_err(L);
    agl_must(L, ag_table_depend(t->u.table, on->u.table, err), err);
    return 0;
}

typedef struct gather {
    lua_State *L;
    lua_Integer n;
} gather;

static ag_visit gather_column(void *ud, const ag_node *n, const ag_node *parent)
{
    gather *g = ud;
    (void)parent;
    if (n->kind == AG_K_COLUMN && agl_schema_push(g->L, n))
        lua_rawseti(g->L, 2, ++g->n);
    return AG_VISIT_CONTINUE;
}

static ag_visit gather_table(void *ud, const ag_node *n, const ag_node *parent)
{
    gather *g = ud;
    (void)parent;
    const ag_node *t = n->kind == AG_K_TABLE    ? n
                       : n->kind == AG_K_COLUMN ? AG_AS(column, COLUMN, n)->table->node
                                                : NULL;
    if (t && agl_schema_push(g->L, t))
        lua_rawseti(g->L, 2, ++g->n);
    return AG_VISIT_CONTINUE;
}

/* The list of what `enter` finds below the expression at 1. */
static int gather_all(lua_State *L, ag_visit (*enter)(void *, const ag_node *, const ag_node *))
{
    const ag_node *n = agl_node_at(L, 1);
    if (!n)
        return agl_typeerror(L, 1, "an SQL expression");
    lua_settop(L, 1);
    lua_createtable(L, 8, 0);
    gather g = {L, 0};
    luaL_checkstack(L, 10, NULL);
    const ag_walker w = {.ud = &g, .enter = enter};
    ag_error *err = agl_err(L);
    agl_must(L, ag_walk(n, &w, &agl_state_get(L)->alloc, NULL, err), err);
    return 1;
}

/* schema_columns_of(expression) → list of the table columns in it, repetitions included */
static int schema_columns_of(lua_State *L)
{
    return gather_all(L, gather_column);
}

/* schema_tables_of(expression) → list of the tables in it, repetitions included */
static int schema_tables_of(lua_State *L)
{
    return gather_all(L, gather_table);
}

/* schema_select_columns(select) → list of {name =, type =}; name is absent where the database makes one up */
static int schema_select_columns(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    if (!n || !(ag_node_is(n, AG_CLASS_STMT) || n->kind == AG_K_VALUES))
        return agl_typeerror(L, 1, "a select");
    agl_scope *s = agl_scope_open(L);
    const ag_select_col *cols;
    uint32_t count;
    agl_scope_must(L, s, ag_stmt_columns(n, false, &s->arena, &cols, &count, &s->err));
    lua_createtable(L, (int)count, 0);
    for (uint32_t i = 0; i < count; i++) {
        ag_str name = ag_name_plain(cols[i].name);
        lua_createtable(L, 0, 2);
        if (name.p)
            lua_pushlstring(L, name.p, name.n);
        else
            lua_pushnil(L);
        lua_setfield(L, -2, "name");
        agl_push_type(L, cols[i].expr->type ? cols[i].expr->type : ag_type_plain(AG_TYPE_NULL));
        lua_setfield(L, -2, "type");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int ddl_text(lua_State *L)
{
    ag_str text = agl_check_str(L, 1);
    agl_build x = agl_build_begin(L);
    return agl_build_push(&x, ag_ddl_text(x.b, text));
}

static const luaL_Reg functions[] = {{"ddl_create_table", ddl_create_table},
                                     {"ddl_drop_table", ddl_drop_table},
                                     {"ddl_create_view", ddl_create_view},
                                     {"ddl_drop_view", ddl_drop_view},
                                     {"ddl_create_index", ddl_create_index},
                                     {"ddl_drop_index", ddl_drop_index},
                                     {"ddl_add_constraint", ddl_add_constraint},
                                     {"ddl_drop_constraint", ddl_drop_constraint},
                                     {"ddl_create_sequence", ddl_create_sequence},
                                     {"ddl_drop_sequence", ddl_drop_sequence},
                                     {"ddl_create_schema", ddl_create_schema},
                                     {"ddl_drop_schema", ddl_drop_schema},
                                     {"ddl_create_type", ddl_create_type},
                                     {"ddl_drop_type", ddl_drop_type},
                                     {"ddl_create_column", ddl_create_column},
                                     {"ddl_comment", ddl_comment},
                                     {"ddl_text", ddl_text},
                                     {"schema_is_expression", schema_is_expression},
                                     {"schema_only_dialects", schema_only_dialects},
                                     {"schema_remove_constraint", schema_remove_constraint},
                                     {"schema_depend", schema_depend},
                                     {"schema_columns_of", schema_columns_of},
                                     {"schema_tables_of", schema_tables_of},
                                     {"schema_select_columns", schema_select_columns},
                                     {NULL, NULL}};

/* ---- ddl_if{callable_ = …} of a constraint, asked while CREATE TABLE is compiled ---- */
typedef struct wanted_call {
    const ag_constraint *constraint;
    const char *dialect;
    bool out;
} wanted_call;

static int wanted_body(lua_State *L)
{
    wanted_call *c = lua_touserdata(L, 1);
    if (!agl_schema_push(L, c->constraint))
        return 0;
    lua_getiuservalue(L, -1, 1); /* the object that Lua knows */
    lua_getglobal(L, "require");
    lua_pushliteral(L, "argent.schema.ddl");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "_wanted");
    lua_pushvalue(L, -3);
    agl_push_dialect(L, c->dialect);
    lua_call(L, 2, 1);
    c->out = lua_toboolean(L, -1);
    return 0;
}

static ag_status host_wanted(ag_compile_host *base, const ag_constraint *k, const ag_dialect *d, bool *out,
                             ag_error *err)
{
    wanted_call c = {.constraint = k, .dialect = d->name, .out = true};
    AG_TRY(agl_hook_run(((agl_compile_host *)base)->st, wanted_body, &c, err));
    *out = c.out;
    return AG_OK;
}

static int call_done(lua_State *L, int status, lua_KContext ctx)
{
    (void)L;
    (void)status;
    (void)ctx;
    return 0;
}

/* element(…), as a listener of events: its method _call, which is Lua's */
static int ddl_call(lua_State *L)
{
    agl_class_push_methods(L, AGL_K_DDL);
    lua_getfield(L, -1, "_call");
    lua_insert(L, 1);
    lua_pop(L, 1);
    lua_callk(L, lua_gettop(L) - 1, 0, 0, call_done);
    return 0;
}

/* What the element creates, drops or changes, as its address; NULL: a name, a type or text. */
static const void *element_of(const ag_node *n)
{
    switch (n->kind) {
    case AG_K_CREATE_TABLE: return AG_AS(create_table, CREATE_TABLE, n)->table;
    case AG_K_CREATE_COLUMN: {
        const ag_n_create_column *s = AG_AS(create_column, CREATE_COLUMN, n);
        return s->table->columns[s->index];
    }
    case AG_K_DROP_TABLE: return AG_AS(drop_table, DROP_TABLE, n)->table;
    case AG_K_CREATE_VIEW: return AG_AS(create_view, CREATE_VIEW, n)->table;
    case AG_K_CREATE_TABLE_AS: return AG_AS(create_table_as, CREATE_TABLE_AS, n)->table;
    case AG_K_DROP_VIEW: return AG_AS(drop_view, DROP_VIEW, n)->table;
    case AG_K_CREATE_INDEX: return AG_AS(create_index, CREATE_INDEX, n)->index;
    case AG_K_DROP_INDEX: return AG_AS(drop_index, DROP_INDEX, n)->index;
    case AG_K_ADD_CONSTRAINT: return AG_AS(add_constraint, ADD_CONSTRAINT, n)->constraint;
    case AG_K_DROP_CONSTRAINT: return AG_AS(drop_constraint, DROP_CONSTRAINT, n)->constraint;
    case AG_K_CREATE_SEQUENCE: return AG_AS(create_sequence, CREATE_SEQUENCE, n)->sequence;
    case AG_K_DROP_SEQUENCE: return AG_AS(drop_sequence, DROP_SEQUENCE, n)->sequence;
    case AG_K_TABLE_COMMENT: return AG_AS(table_comment, TABLE_COMMENT, n)->table;
    case AG_K_COLUMN_COMMENT: {
        const ag_n_column_comment *s = AG_AS(column_comment, COLUMN_COMMENT, n);
        return s->table->columns[s->index];
    }
    case AG_K_CONSTRAINT_COMMENT: return AG_AS(constraint_comment, CONSTRAINT_COMMENT, n)->constraint;
    default: return NULL;
    }
}

/* element.element: the table, column, index, constraint or sequence; nil for names, types and text */
static int get_element(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    const void *p = n ? element_of(n) : NULL;
    if (!p || !agl_schema_push(L, p))
        lua_pushnil(L);
    else if (agl_kind_at(L, -1) == AGL_K_SCHEMA_ITEM)
        lua_getiuservalue(L, -1, 1); /* the object that Lua knows */
    return 1;
}

/* element.table: of a table, a view, or what belongs to one */
static int get_table(lua_State *L)
{
    get_element(L);
    agl_kind kind = agl_kind_at(L, -1);
    if (lua_isnil(L, -1) || kind == AGL_K_TABLE)
        return 1;
    ag_kind of = agl_node_at(L, 1)->kind;
    if (of == AG_K_CREATE_SEQUENCE || of == AG_K_DROP_SEQUENCE) {
        lua_pushnil(L);
        return 1;
    }
    lua_getfield(L, -1, "table");
    return 1;
}

static const luaL_Reg ddl_getters[] = {{"element", get_element}, {"table", get_table}, {NULL, NULL}};
static const luaL_Reg ddl_meta[] = {{"__tostring", agl_compile_tostring}, {"__call", ddl_call}, {NULL, NULL}};
static const agl_class ddl_class = {
    .name = "DDL element", .getters = ddl_getters, .meta = ddl_meta, .base = AGL_K_STATEMENT};

void agl_open_ddl(lua_State *L)
{
    agl_class_open(L, AGL_K_DDL, &ddl_class);
    agl_functions_internal(L, functions);
    agl_compile_host_set(L, &(ag_compile_host){.wanted = host_wanted});
}

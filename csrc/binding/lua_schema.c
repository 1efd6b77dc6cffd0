/* The classes MetaData, Table, Column and schema item, and the internal functions by which lua/argent/schema builds them. What
 * their users may write is checked there; here a malformed spec only raises. */
#include "binding/lua_schema.h"
#include "binding/lua_expr.h"
#include "binding/host.h"
#include <string.h>

static const char handles_key; /* registry: address -> handle, weak */

/* ---- handles ---- */

static void release_owner(void *owner)
{
    ag_owner_unref(owner);
}

static int schema_gc(lua_State *L)
{
    agl_schema *h = lua_touserdata(L, 1);
    if (!h->st)
        return 0;
    agl_state *st = h->st;
    h->st = NULL;
    h->u.p = NULL;
    h->n.node = NULL;
    if (h->owner)
        agl_defer(st, L, release_owner, h->owner);
    h->owner = NULL;
    agl_state_unref(st);
    return 0;
}

agl_schema *agl_check_schema(lua_State *L, int arg, agl_kind kind)
{
    agl_schema *h = agl_check(L, arg, kind);
    if (!h->st || (!h->u.p && kind != AGL_K_COLUMN))
        agl_argerror(L, arg, "this %s is closed", agl_kind_name(kind));
    return h;
}

agl_schema *agl_schema_new(lua_State *L, agl_kind kind, int data)
{
    data = lua_absindex(L, data);
    agl_schema *h = agl_box_new(L, kind, sizeof *h, 1);
    h->st = agl_state_ref(L);
    lua_pushvalue(L, data);
    lua_setiuservalue(L, -2, 1);
    return h;
}

static void remember(lua_State *L, const void *p)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &handles_key);
    lua_pushvalue(L, -2);
    lua_rawsetp(L, -2, p);
    lua_pop(L, 1);
}

/* The handle is at the top of the stack. */
void agl_schema_set(lua_State *L, agl_schema *h, void *p, const ag_node *node, ag_owner *owner)
{
    remember(L, p);
    if (node)
        remember(L, node);
    h->u.p = p;
    h->n.node = node;
    h->owner = ag_owner_ref(owner);
}

bool agl_schema_push(lua_State *L, const void *p)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &handles_key);
    if (lua_rawgetp(L, -1, p) == LUA_TNIL) {
        lua_pop(L, 2);
        return false;
    }
    lua_remove(L, -2);
    return true;
}

bool agl_schema_push_node(lua_State *L, const ag_node *node)
{
    return (node->kind == AG_K_TABLE || node->kind == AG_K_COLUMN) && agl_schema_push(L, node);
}

/* ---- attributes: data first, then the attributes that Lua declares (a function computes, true: nil when absent), then the
 * class. upvalues: the class's own __index, the table of attributes, the class's methods ---- */

static int schema_index(lua_State *L)
{
    lua_settop(L, 2);
    lua_getiuservalue(L, 1, 1);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, 3) != LUA_TNIL)
        return 1;
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    int type = lua_rawget(L, lua_upvalueindex(2));
    if (type == LUA_TFUNCTION) {
        lua_pushvalue(L, 1);
        lua_callk(L, 1, 1, 1, agl_accessor_done);
        return 1;
    }
    if (type != LUA_TNIL) {
        lua_pushnil(L);
        return 1;
    }
    lua_settop(L, 2);
    if (agl_comparator_method(L))
        return 1;
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(3)) != LUA_TNIL)
        return 1;
    lua_settop(L, 2);
    if (lua_istable(L, lua_upvalueindex(1))) { /* the methods, whose own metatable raises */
        lua_gettable(L, lua_upvalueindex(1));
        return 1;
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_callk(L, 2, 1, 1, agl_accessor_done);
    return 1;
}

/* Replace the __index of a class; its table of attributes goes to core.schema_attributes[name] (internal). */
static void open_attributes(lua_State *L, agl_kind kind, const char *name)
{
    agl_internal_name(L, 1, "schema_attributes");
    luaL_getsubtable(L, 1, "schema_attributes");
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, name);
    agl_class_push(L, kind);
    lua_getfield(L, -1, "__index");
    lua_pushvalue(L, -3);
    agl_class_push_methods(L, kind);
    lua_pushcclosure(L, schema_index, 3);
    lua_setfield(L, -2, "__index");
    lua_settop(L, 1);
}

static int schema_tostring(lua_State *L)
{
    const agl_schema *h = lua_touserdata(L, 1);
    lua_getiuservalue(L, 1, 1);
    if (h->n.box.kind == AGL_K_COLUMN && h->u.column)
        lua_pushfstring(L, "%s.%s", h->u.column->table->name.p, h->u.column->name.p);
    else if (h->n.box.kind == AGL_K_METADATA)
        lua_pushliteral(L, "MetaData()");
    else if (lua_getfield(L, -1, "fullname") != LUA_TSTRING && lua_getfield(L, -2, "name") != LUA_TSTRING)
        lua_pushfstring(L, "a %s", agl_kind_name((agl_kind)h->n.box.kind));
    return 1;
}

/* ---- building ---- */

/* schema_data(handle) → its data table */
static int schema_data(lua_State *L)
{
    agl_kind kind = agl_kind_at(L, 1);
    if (kind != AGL_K_METADATA && kind != AGL_K_TABLE && kind != AGL_K_COLUMN && kind != AGL_K_SCHEMA_ITEM)
        return agl_typeerror(L, 1, "a schema object");
    lua_getiuservalue(L, 1, 1);
    return 1;
}

/* schema_metadata(data, schema) → MetaData */
static int schema_metadata(lua_State *L)
{
    agl_check_table(L, 1);
    ag_str schema = agl_opt_str(L, 2);
    agl_schema *h = agl_schema_new(L, AGL_K_METADATA, 1);
    ag_metadata *m = NULL;
    ag_error *err = agl_err(L);
    agl_must(L, ag_metadata_new(&m, &h->st->alloc, h->st->types, &h->st->serials, schema, err), err);
    h->u.metadata = m;
    h->owner = &m->owner; /* the reference that ag_metadata_new gave */
    return 1;
}

/* schema_column(data, clause) → Column without a table: in expressions it is the ad-hoc column until a table takes it */
static int schema_column(lua_State *L)
{
    agl_check_table(L, 1);
    agl_schema *h = agl_schema_new(L, AGL_K_COLUMN, 1);
    h->n.node = agl_node_at(L, 2);
    return 1;
}

static void read_prefixes(lua_State *L, ag_table_spec *spec)
{
    spec->nprefixes = agl_spec_count(L, 3, "prefixes");
    if (!spec->nprefixes)
        return;
    const ag_node **list = agl_scratch(L, spec->nprefixes * sizeof *list);
    lua_getfield(L, 3, "prefixes");
    for (uint32_t i = 0; i < spec->nprefixes; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        list[i] = agl_node_at(L, -1);
        if (!list[i])
            agl_argerror(L, 3, "prefix %d is no SQL construct", (int)i + 1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    spec->prefixes = list;
}

/* schema_table(metadata, data, spec) → Table without columns, not published */
static int schema_table(lua_State *L)
{
    agl_schema *m = agl_check_schema(L, 1, AGL_K_METADATA);
    agl_check_table(L, 2);
    agl_check_table(L, 3);
    ag_table_spec spec = {.name = agl_spec_str(L, 3, "name"),
                          .schema = agl_spec_str(L, 3, "schema"),
                          .quote = agl_spec_tristate(L, 3, "quote"),
                          .quote_schema = agl_spec_tristate(L, 3, "quote_schema"),
                          .comment = agl_spec_str(L, 3, "comment"),
                          .implicit_returning = agl_spec_bool(L, 3, "implicit_returning", true),
                          .is_view = agl_spec_bool(L, 3, "is_view", false)};
    spec.options = agl_spec_options(L, 3);
    read_prefixes(L, &spec);
    agl_schema *h = agl_schema_new(L, AGL_K_TABLE, 2);
    ag_table *t = NULL;
    ag_error *err = agl_err(L);
    agl_must(L, ag_table_new(&t, m->u.metadata, &spec, err), err);
    agl_schema_set(L, h, t, t->node, t->owner);
    return 1;
}

/* schema_change(table, {comment =, options =}): instead of those it has */
static int schema_change(lua_State *L)
{
    agl_schema *t = agl_check_schema(L, 1, AGL_K_TABLE);
    agl_check_table(L, 2);
    ag_str comment = agl_spec_str(L, 2, "comment");
    ag_options options = agl_spec_options(L, 2);
    ag_error *err = agl_err(L);
    agl_must(L, ag_table_change(t->u.table, comment, options, err), err);
    return 0;
}

/* schema_add_column(table, column, spec): the column handle stands for it from now on */
static int schema_add_column(lua_State *L)
{
    agl_schema *t = agl_check_schema(L, 1, AGL_K_TABLE);
    agl_schema *c = agl_check_schema(L, 2, AGL_K_COLUMN);
    agl_check_table(L, 3);
    if (c->u.column)
        return agl_argerror(L, 2, "column '%s' belongs to table '%s' already", c->u.column->name.p,
                            c->u.column->table->name.p);
    ag_column_spec spec;
    agl_spec_column(L, 3, &spec);
    ag_column *column = NULL;
    ag_error *err = agl_err(L);
    agl_must(L, ag_table_add_column(&column, t->u.table, &spec, err), err);
    lua_pushvalue(L, 2);
    agl_schema_set(L, c, column, column->node, t->owner);
    return 0;
}

static ag_fk_spec *read_fks(lua_State *L, uint32_t *n)
{
    *n = agl_spec_count(L, 3, "fks");
    ag_fk_spec *fks = agl_scratch(L, *n * sizeof *fks);
    lua_getfield(L, 3, "fks");
    for (uint32_t i = 0; i < *n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        int t = lua_gettop(L);
        agl_schema *column = agl_spec_handle(L, t, "column", AGL_K_COLUMN);
        agl_schema *target = agl_spec_handle(L, t, "target", AGL_K_COLUMN);
        fks[i] = (ag_fk_spec){.column = column ? column->u.column : NULL,
                              .target = target ? target->u.column : NULL,
                              .spec = agl_spec_str(L, t, "spec"),
                              .link_to_name = agl_spec_bool(L, t, "link_to_name", false),
                              .absolute = agl_spec_bool(L, t, "absolute", false)};
        if (!fks[i].column || (target && !fks[i].target))
            agl_argerror(L, 3, "a column of the foreign key has no table");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return fks;
}

static void read_elements(lua_State *L, ag_constraint *c)
{
    c->nelements = agl_spec_count(L, 3, "elements");
    if (!c->nelements)
        return;
    ag_exclude_element *list = agl_scratch(L, c->nelements * sizeof *list);
    lua_getfield(L, 3, "elements");
    for (uint32_t i = 0; i < c->nelements; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        int t = lua_gettop(L);
        list[i] = (ag_exclude_element){agl_spec_node(L, t, "node"), agl_spec_str(L, t, "op")};
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    c->elements = list;
}

static void read_constraint(lua_State *L, ag_constraint *c)
{
    static const char *const kinds[] = {"", "PRIMARY KEY", "FOREIGN KEY", "UNIQUE", "CHECK", "EXCLUDE"};
    ag_str kind = agl_spec_str(L, 3, "kind");
    *c = (ag_constraint){.name = agl_spec_str(L, 3, "name"),
                         .generated_name = agl_spec_bool(L, 3, "generated", false),
                         .quote = agl_spec_tristate(L, 3, "quote"),
                         .implicit = agl_spec_bool(L, 3, "implicit", false),
                         .deferrable = agl_spec_tristate(L, 3, "deferrable"),
                         .initially = agl_spec_str(L, 3, "initially"),
                         .comment = agl_spec_str(L, 3, "comment"),
                         .ondelete = agl_spec_str(L, 3, "ondelete"),
                         .onupdate = agl_spec_str(L, 3, "onupdate"),
                         .match = agl_spec_str(L, 3, "match"),
                         .use_alter = agl_spec_bool(L, 3, "use_alter", false),
                         .sqltext = agl_spec_node(L, 3, "sqltext")};
    for (int i = 1; i <= AG_CONSTRAINT_EXCLUDE; i++) {
        if (kind.p && strcmp(kind.p, kinds[i]) == 0)
            c->kind = (ag_constraint_kind)i;
    }
    agl_schema *type_column = agl_spec_handle(L, 3, "type_column", AGL_K_COLUMN);
    c->type_column = type_column ? type_column->u.column : NULL;
    int64_t type_index = 0;
    (void)agl_spec_int(L, 3, "type_index", &type_index);
    c->type_index = (uint32_t)type_index;
    agl_schema *column = agl_spec_handle(L, 3, "column", AGL_K_COLUMN);
    c->column = column ? column->u.column : NULL;
    c->columns = agl_spec_columns(L, 3, "columns", &c->ncolumns);
    c->options = agl_spec_options(L, 3);
    read_elements(L, c);
    if (!c->kind || (c->kind == AG_CONSTRAINT_CHECK && !c->sqltext))
        agl_argerror(L, 3, "this is no constraint");
}

/* schema_add_constraint(table, data, spec) → handle */
static int schema_add_constraint(lua_State *L)
{
    agl_schema *t = agl_check_schema(L, 1, AGL_K_TABLE);
    agl_check_table(L, 2);
    agl_check_table(L, 3);
    ag_constraint spec;
    read_constraint(L, &spec);
    uint32_t nfks = 0;
    ag_fk_spec *fks = spec.kind == AG_CONSTRAINT_FOREIGN_KEY ? read_fks(L, &nfks) : NULL;
    agl_schema *h = agl_schema_new(L, AGL_K_SCHEMA_ITEM, 2);
    const ag_constraint *c = NULL;
    ag_error *err = agl_err(L);
    agl_must(L, ag_table_add_constraint(&c, t->u.table, &spec, fks, nfks, err), err);
    agl_schema_set(L, h, (void *)(uintptr_t)c, NULL, t->owner);
    return 1;
}

/* schema_add_index(table, data, spec) → handle */
static int schema_add_index(lua_State *L)
{
    agl_schema *t = agl_check_schema(L, 1, AGL_K_TABLE);
    agl_check_table(L, 2);
    agl_check_table(L, 3);
    ag_index spec = {.name = agl_spec_str(L, 3, "name"),
                     .generated_name = agl_spec_bool(L, 3, "generated", false),
                     .quote = agl_spec_tristate(L, 3, "quote"),
                     .unique = agl_spec_bool(L, 3, "unique", false),
                     .nexprs = agl_spec_count(L, 3, "exprs")};
    const ag_node **exprs = agl_scratch(L, spec.nexprs * sizeof *exprs);
    lua_getfield(L, 3, "exprs");
    for (uint32_t i = 0; i < spec.nexprs; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        exprs[i] = agl_node_at(L, -1);
        if (!exprs[i])
            return agl_argerror(L, 3, "item %d of the index is no SQL expression", (int)i + 1);
        lua_pop(L, 1);
    }
    spec.exprs = exprs;
    spec.options = agl_spec_options(L, 3);
    agl_schema *h = agl_schema_new(L, AGL_K_SCHEMA_ITEM, 2);
    const ag_index *x = NULL;
    ag_error *err = agl_err(L);
    agl_must(L, ag_table_add_index(&x, t->u.table, &spec, err), err);
    agl_schema_set(L, h, (void *)(uintptr_t)x, NULL, t->owner);
    return 1;
}

/* schema_rename(handle, is_index, name or nil, quote or nil): another name for a constraint or index. */
static int schema_rename(lua_State *L)
{
    agl_schema *h = agl_check_schema(L, 1, AGL_K_SCHEMA_ITEM);
    ag_str name = {0};
    if (!lua_isnil(L, 3))
        name.p = luaL_checklstring(L, 3, &name.n);
    int8_t quote = lua_isnil(L, 4) ? -1 : (int8_t)lua_toboolean(L, 4);
    ag_error *err = agl_err(L);
    ag_status status = lua_toboolean(L, 2) ? ag_index_rename(h->u.index, name, quote, err)
                                           : ag_constraint_rename(h->u.constraint, name, quote, err);
    agl_must(L, status, err);
    return 0;
}

/* schema_sequence(metadata, data, spec) → handle */
static int schema_sequence(lua_State *L)
{
    agl_schema *m = agl_check_schema(L, 1, AGL_K_METADATA);
    agl_check_table(L, 2);
    agl_check_table(L, 3);
    ag_sequence spec = {.name = agl_spec_str(L, 3, "name"),
                        .schema = agl_spec_str(L, 3, "schema"),
                        .quote = agl_spec_tristate(L, 3, "quote"),
                        .quote_schema = agl_spec_tristate(L, 3, "quote_schema"),
                        .optional = agl_spec_bool(L, 3, "optional", false)};
    lua_getfield(L, 3, "type");
    spec.type = agl_type_at(L, -1);
    agl_spec_identity(L, 3, &spec.options);
    agl_schema *h = agl_schema_new(L, AGL_K_SCHEMA_ITEM, 2);
    ag_sequence *s = NULL;
    ag_error *err = agl_err(L);
    agl_must(L, ag_sequence_new(&s, m->u.metadata, &spec, err), err);
    agl_schema_set(L, h, s, NULL, m->owner);
    return 1;
}

/* schema_next_value(sequence) → SQL expression */
static int schema_next_value(lua_State *L)
{
    agl_schema *s = agl_check_schema(L, 1, AGL_K_SCHEMA_ITEM);
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    return agl_build_push(&x, s->u.sequence->next_value);
}

/* schema_move_column(table, column, place from 1) */
static int schema_move_column(lua_State *L)
{
    (void)agl_check_schema(L, 1, AGL_K_TABLE);
    ag_column *c = agl_check_schema(L, 2, AGL_K_COLUMN)->u.column;
    lua_Integer to = luaL_checkinteger(L, 3);
    ag_error *err = agl_err(L);
    if (!c || to < 1 || to > UINT32_MAX)
        return agl_argerror(L, 3, "no place of a column");
    agl_must(L, ag_table_move_column(c, (uint32_t)to - 1, err), err);
    return 0;
}

/* schema_finish(table): columns and constraints are complete */
static int schema_finish(lua_State *L)
{
    agl_schema *t = agl_check_schema(L, 1, AGL_K_TABLE);
    ag_error *err = agl_err(L);
    agl_must(L, ag_table_finish(t->u.table, err), err);
    lua_pushnil(L);
    if (t->u.table->autoincrement_column) {
        lua_pop(L, 1);
        if (!agl_schema_push(L, t->u.table->autoincrement_column))
            lua_pushnil(L);
    }
    return 1;
}

static int schema_publish(lua_State *L)
{
    agl_schema *t = agl_check_schema(L, 1, AGL_K_TABLE);
    ag_error *err = agl_err(L);
    agl_must(L, ag_table_publish(t->u.table, err), err);
    return 0;
}

/* schema_remove(metadata, table) */
static int schema_remove(lua_State *L)
{
    agl_schema *m = agl_check_schema(L, 1, AGL_K_METADATA);
    agl_schema *t = agl_check_schema(L, 2, AGL_K_TABLE);
    if (t->owner == m->owner)
        ag_metadata_remove(m->u.metadata, t->u.table);
    return 0;
}

/* schema_fk_target(constraint, i) → Column; raises when it cannot be found */
static int schema_fk_target(lua_State *L)
{
    agl_schema *h = agl_check_schema(L, 1, AGL_K_SCHEMA_ITEM);
    lua_Integer i = agl_check_integer(L, 2, 1, h->u.constraint->ncolumns);
    ag_column *target = NULL;
    ag_error *err = agl_err(L);
    agl_must(L, ag_fk_target(&target, h->u.constraint->fks[i - 1], err), err);
    if (!agl_schema_push(L, target))
        lua_pushnil(L);
    return 1;
}

/* schema_sort(tables) → tables in creation order, constraints left to ALTER */
static int schema_sort(lua_State *L)
{
    agl_check_table(L, 1);
    uint32_t n = (uint32_t)lua_rawlen(L, 1), nalter = 0;
    agl_scope *s = agl_scope_open(L);
    ag_table **tables = agl_scope_new(L, s, (n + 1) * sizeof *tables),
             **order = agl_scope_new(L, s, (n + 1) * sizeof *order);
    for (uint32_t i = 0; i < n; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        tables[i] = agl_check_schema(L, lua_gettop(L), AGL_K_TABLE)->u.table;
        lua_pop(L, 1);
    }
    const ag_constraint **alter = NULL;
    agl_scope_must(L, s, ag_tables_sort(order, tables, n, &alter, &nalter, &s->arena, &s->err));
    lua_createtable(L, (int)n, 0);
    for (uint32_t i = 0; i < n; i++) {
        if (agl_schema_push(L, order[i]))
            lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_createtable(L, (int)nalter, 0);
    for (uint32_t i = 0; i < nalter; i++) {
        if (agl_schema_push(L, alter[i]))
            lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 2;
}

static const luaL_Reg schema_meta[] = {{"__gc", schema_gc}, {"__tostring", schema_tostring}, {NULL, NULL}};
static const agl_class metadata_class = {.name = "MetaData", .meta = schema_meta};
static const agl_class table_class = {.name = "Table", .meta = schema_meta, .base = AGL_K_FROMCLAUSE};
static const agl_class column_class = {
    .name = "Column", .getters = agl_column_getters, .meta = schema_meta, .base = AGL_K_EXPR};
static const agl_class item_class = {.name = "schema item", .meta = schema_meta};
static const luaL_Reg functions[] = {{"schema_data", schema_data},
                                     {"schema_metadata", schema_metadata},
                                     {"schema_column", schema_column},
                                     {"schema_table", schema_table},
                                     {"schema_change", schema_change},
                                     {"schema_add_column", schema_add_column},
                                     {"schema_add_constraint", schema_add_constraint},
                                     {"schema_add_index", schema_add_index},
                                     {"schema_rename", schema_rename},
                                     {"schema_sequence", schema_sequence},
                                     {"schema_next_value", schema_next_value},
                                     {"schema_move_column", schema_move_column},
                                     {"schema_finish", schema_finish},
                                     {"schema_publish", schema_publish},
                                     {"schema_remove", schema_remove},
                                     {"schema_fk_target", schema_fk_target},
                                     {"schema_sort", schema_sort},
                                     {NULL, NULL}};

void agl_open_schema(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &handles_key);
    agl_class_open(L, AGL_K_METADATA, &metadata_class);
    agl_class_open(L, AGL_K_TABLE, &table_class);
    agl_class_open(L, AGL_K_COLUMN, &column_class);
    agl_class_open(L, AGL_K_SCHEMA_ITEM, &item_class);
    agl_class_push(L, AGL_K_COLUMN);
    agl_setfuncs(L, agl_expr_meta());
    agl_setfuncs(L, schema_meta);
    lua_settop(L, 1);
    open_attributes(L, AGL_K_METADATA, "MetaData");
    open_attributes(L, AGL_K_TABLE, "Table");
    open_attributes(L, AGL_K_COLUMN, "Column");
    open_attributes(L, AGL_K_SCHEMA_ITEM, "schema item");
    agl_functions_internal(L, functions);
    agl_open_ddl(L);
}

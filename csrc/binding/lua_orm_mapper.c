/* Making mapped classes and relationships from what argent.orm.declarative and argent.orm.configure worked out: reading their spec
 * tables into the core's specs. */
#include "binding/lua_orm.h"
#include "binding/lua_node.h"
#include <string.h>

/* ---- making a class from what Lua worked out ---- */

typedef struct flag_name {
    const char *name;
    unsigned flag;
} flag_name;

static unsigned read_flags(lua_State *L, int idx, const flag_name *names)
{
    unsigned flags = 0;
    for (; names->name; names++) {
        lua_getfield(L, idx, names->name);
        if (lua_toboolean(L, -1))
            flags |= names->flag;
        lua_pop(L, 1);
    }
    return flags;
}

static const ag_column *column_at(lua_State *L, int idx)
{
    const ag_node *n = agl_node_at(L, idx);
    if (!n || n->kind != AG_K_COLUMN)
        return NULL;
    return AG_AS(column, COLUMN, n)->table->columns[AG_AS(column, COLUMN, n)->index];
}

static const ag_table *table_at(lua_State *L, int idx)
{
    const ag_node *n = agl_node_at(L, idx);
    return n && n->kind == AG_K_TABLE ? AG_AS(table, TABLE, n)->table : NULL;
}

static ag_str str_field(lua_State *L, int idx, const char *name)
{
    ag_str s = {0};
    lua_getfield(L, idx, name);
    if (lua_type(L, -1) == LUA_TSTRING)
        s.p = lua_tolstring(L, -1, &s.n);
    lua_pop(L, 1); /* the table keeps it */
    return s;
}

/* One entry of spec.slots: {key =, column = | expr =, deferred = …} at idx. */
static void read_slot(lua_State *L, int idx, ag_slot_spec *out)
{
    static const flag_name names[] = {{"deferred", AG_SLOT_DEFERRED},     {"raise", AG_SLOT_RAISE},
                                      {"active_history", AG_SLOT_ACTIVE}, {"validate", AG_SLOT_VALIDATE},
                                      {"composite", AG_SLOT_COMPOSITE},   {NULL, 0}};
    out->key = str_field(L, idx, "key");
    out->flags = read_flags(L, idx, names);
    lua_getfield(L, idx, "group");
    out->group = (uint16_t)lua_tointeger(L, -1);
    lua_getfield(L, idx, "column");
    out->column = column_at(L, -1);
    lua_getfield(L, idx, "expr");
    out->expr = agl_node_at(L, -1);
    lua_pop(L, 3);
    if (!out->column && !out->expr)
        agl_error(L, AG_EXC_ARGUMENT, "attribute '%s' has neither column nor expression",
                  out->key.p ? out->key.p : "?");
}

static const ag_column *column_field(lua_State *L, int idx, const char *name)
{
    const ag_column *c;
    lua_getfield(L, idx, name);
    c = column_at(L, -1);
    lua_pop(L, 1);
    return c;
}

/* The array of columns in field `name`; NULL with *n 0 when absent. Scratch is pushed. */
static const ag_column *const *columns_field(lua_State *L, int idx, const char *name, size_t *n)
{
    const ag_column **out = NULL;
    *n = 0;
    if (lua_getfield(L, idx, name) == LUA_TTABLE) {
        size_t len = lua_rawlen(L, -1);
        int list = lua_gettop(L);
        out = agl_scratch(L, (len + 1) * sizeof *out);
        for (size_t i = 1; i <= len; i++) {
            lua_rawgeti(L, list, (lua_Integer)i);
            out[*n] = column_at(L, -1);
            lua_pop(L, 1);
            if (!out[*n])
                agl_error(L, AG_EXC_ARGUMENT, "option '%s': item %d is no column of a table", name, (int)i);
            ++*n;
        }
    } else
        lua_pushnil(L);
    return out;
}

static void read_spec(lua_State *L, int idx, ag_mapper_spec *spec)
{
    static const char *const hows[] = {"single", "joined", "concrete"};
    agl_mapper *parent;
    ag_slot_spec *slots;
    ag_str how = str_field(L, idx, "how");
    spec->name = str_field(L, idx, "name");
    lua_getfield(L, idx, "inherits");
    parent = agl_mapper_test(L, -1);
    spec->inherits = parent ? parent->m : NULL;
    lua_pop(L, 1);
    for (int i = 0; how.p && i < 3; i++)
        if (strcmp(how.p, hows[i]) == 0)
            spec->how = (ag_inherits)(AG_INHERITS_SINGLE + i);
    lua_getfield(L, idx, "table");
    spec->table = table_at(L, -1);
    lua_pop(L, 1);
    lua_getfield(L, idx, "slots");
    spec->nslots = lua_rawlen(L, -1);
    slots = agl_scratch(L, (spec->nslots + 1) * sizeof *slots);
    memset(slots, 0, (spec->nslots + 1) * sizeof *slots);
    for (size_t i = 0; i < spec->nslots; i++) {
        lua_rawgeti(L, -2, (lua_Integer)i + 1);
        read_slot(L, lua_gettop(L), &slots[i]);
        lua_pop(L, 1);
    }
    spec->slots = slots;
    spec->primary_key = columns_field(L, idx, "primary_key", &spec->nprimary_key);
    spec->polymorphic_on = column_field(L, idx, "polymorphic_on");
    spec->version = column_field(L, idx, "version_id_col");
    lua_getfield(L, idx, "polymorphic_identity");
    if (!agl_tovalue(L, -1, &spec->identity))
        agl_error(L, AG_EXC_ARGUMENT, "polymorphic_identity cannot be %s", agl_describe(L, -1, false));
    lua_getfield(L, idx, "version_id_generator");
    if (lua_isboolean(L, -1) && !lua_toboolean(L, -1))
        spec->version_server = true;
    else if (lua_isfunction(L, -1))
        spec->version_generator = agl_callback_ref(L, -1);
    lua_getfield(L, idx, "abstract");
    spec->abstract = lua_toboolean(L, -1);
    lua_getfield(L, idx, "eager_defaults");
    spec->eager_defaults = lua_toboolean(L, -1);
}

/* The class's own FROM: a copy of the table's node under an address of its own, or the join of a subclass. */
static const ag_node *own_from(lua_State *L, agl_mapper *c)
{
    ag_builder b;
    const ag_node *n = c->m->from;
    if (n->kind != AG_K_TABLE)
        return n;
    ag_builder_init(&b, &c->st->alloc, c->st->types, agl_err(L));
    b.arena = ag_registry_arena(c->reg);
    n = ag_table_node(&b, c->m->tables[c->m->ntables - 1].table);
    ag_builder_clear(&b);
    if (!n)
        agl_raise(L, agl_err(L));
    c->m->from = n;
    return n;
}

static void inherit_table(lua_State *L, int child, int parent_class, int uv)
{
    child = lua_absindex(L, child);
    lua_createtable(L, 0, 1);
    lua_getiuservalue(L, parent_class, uv);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, child);
}

/* Fresh tables for members, descriptors, attributes; the first two inherit from the class at parent (0: none). */
static void make_tables(lua_State *L, int cidx, int parent)
{
    static const int inherited[] = {AGL_CU_MEMBERS, AGL_CU_DESCRIPTORS};
    for (int i = 0; i < 2; i++) {
        lua_newtable(L);
        if (parent)
            inherit_table(L, -1, parent, inherited[i]);
        lua_setiuservalue(L, cidx, inherited[i]);
    }
    lua_newtable(L);
    lua_setiuservalue(L, cidx, AGL_CU_ATTRS);
    lua_newtable(L);
    lua_setiuservalue(L, cidx, AGL_CU_INFO);
}

/* orm_class(registry, spec) → class */
static int orm_class(lua_State *L)
{
    agl_registry *r = agl_check(L, 1, AGL_K_REGISTRY);
    ag_mapper_spec spec = {0};
    agl_mapper *c;
    int cidx;
    agl_check_table(L, 2);
    lua_settop(L, 2);
    c = agl_box_new(L, AGL_K_MAPPER, sizeof *c, AGL_CU_LAST);
    cidx = lua_gettop(L);
    c->st = agl_state_ref(L);
    read_spec(L, 2, &spec);
    c->reg = ag_registry_ref(r->reg);
    agl_must(L, ag_mapper_new(&c->m, r->reg, &spec, agl_err(L)), agl_err(L));
    c->node = own_from(L, c);
    lua_getfield(L, 2, "inherits");
    make_tables(L, cidx, spec.inherits ? lua_gettop(L) : 0);
    agl_mapper_build_names(L, c, cidx);
    agl_entity_push_meta(L, cidx);
    lua_setiuservalue(L, cidx, AGL_CU_META);
    agl_orm_register_from(L, c->node, cidx);
    lua_settop(L, cidx);
    return 1;
}

/* ---- relationships ---- */

static const char *const direction_names[] = {"?", "ONETOMANY", "MANYTOONE", "MANYTOMANY"};

static ag_lazy lazy_of(lua_State *L, ag_str s)
{
    static const char *const names[] = {"select",       "selectin", "joined",     "subquery", "immediate", "raise",
                                        "raise_on_sql", "noload",   "write_only", "dynamic",  NULL};
    for (int i = 0; s.p && names[i]; i++)
        if (strcmp(s.p, names[i]) == 0)
            return (ag_lazy)i;
    if (s.p)
        agl_unknown(L, AG_EXC_ARGUMENT, "lazy strategy", s.p, names);
    return AG_LAZY_SELECT;
}

static const ag_node *node_field(lua_State *L, int idx, const char *name)
{
    const ag_node *n;
    lua_getfield(L, idx, name);
    n = agl_node_at(L, -1);
    if (!n && !lua_isnil(L, -1))
        agl_error(L, AG_EXC_ARGUMENT, "relationship option '%s': expected an SQL expression, got %s", name,
                  agl_describe(L, -1, false));
    lua_pop(L, 1);
    return n;
}

static void read_relation(lua_State *L, int idx, ag_relation_spec *spec)
{
    static const flag_name flags[] = {{"viewonly", AG_REL_VIEWONLY},
                                      {"passive_deletes", AG_REL_PASSIVE_DELETES},
                                      {"passive_deletes_all", AG_REL_PASSIVE_DELETES_ALL},
                                      {"passive_updates", AG_REL_PASSIVE_UPDATES},
                                      {"post_update", AG_REL_POST_UPDATE},
                                      {"single_parent", AG_REL_SINGLE_PARENT},
                                      {"innerjoin", AG_REL_INNERJOIN},
                                      {"active_history", AG_REL_ACTIVE_HISTORY},
                                      {"validate", AG_REL_VALIDATE},
                                      {"set", AG_REL_SET},
                                      {"keyed", AG_REL_KEYED},
                                      {NULL, 0}};
    static const flag_name cascades[] = {{"save-update", AG_CASCADE_SAVE_UPDATE},
                                         {"merge", AG_CASCADE_MERGE},
                                         {"expunge", AG_CASCADE_EXPUNGE},
                                         {"refresh-expire", AG_CASCADE_REFRESH},
                                         {"delete", AG_CASCADE_DELETE},
                                         {"delete-orphan", AG_CASCADE_DELETE_ORPHAN},
                                         {NULL, 0}};
    agl_mapper *target;
    spec->key = str_field(L, idx, "key");
    lua_getfield(L, idx, "target");
    target = agl_mapper_test(L, -1);
    lua_pop(L, 1);
    if (!target || !target->m)
        agl_error(L, AG_EXC_ARGUMENT, "relationship '%s' has no target class", spec->key.p ? spec->key.p : "?");
    else
        spec->target = target->m;
    spec->flags = read_flags(L, idx, flags);
    lua_getfield(L, idx, "cascade");
    spec->cascade = lua_istable(L, -1) ? read_flags(L, lua_gettop(L), cascades) : 0;
    lua_pop(L, 1);
    lua_getfield(L, idx, "uselist");
    spec->uselist = lua_isnil(L, -1) ? -1 : lua_toboolean(L, -1);
    lua_pop(L, 1);
    spec->lazy = lazy_of(L, str_field(L, idx, "lazy"));
    lua_getfield(L, idx, "secondary");
    spec->secondary = table_at(L, -1);
    lua_pop(L, 1);
    spec->primaryjoin = node_field(L, idx, "primaryjoin");
    spec->secondaryjoin = node_field(L, idx, "secondaryjoin");
    lua_getfield(L, idx, "join_depth");
    spec->join_depth = (uint16_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
    spec->foreign_keys = columns_field(L, idx, "foreign_keys", &spec->nforeign_keys);
    spec->remote_side = columns_field(L, idx, "remote_side", &spec->nremote_side);
}

static void read_order_by(lua_State *L, int idx, ag_relation_spec *spec)
{
    const ag_node **out;
    size_t n;
    if (lua_getfield(L, idx, "order_by") != LUA_TTABLE)
        return;
    n = lua_rawlen(L, -1);
    out = agl_scratch(L, (n + 1) * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, -2, (lua_Integer)i + 1);
        out[i] = agl_node_at(L, -1);
        lua_pop(L, 1);
        if (!out[i])
            agl_error(L, AG_EXC_ARGUMENT, "relationship option 'order_by': item %d is no SQL expression", (int)i + 1);
    }
    spec->order_by = out;
    spec->norder_by = n;
}

static ag_relation *relation_at(lua_State *L, int cidx, int kidx)
{
    agl_mapper *c = agl_mapper_check(L, cidx);
    size_t n;
    const char *key = agl_check_string(L, kidx, &n);
    const ag_relation *rel = ag_mapper_relation(c->m, key, n);
    if (!rel)
        agl_error(L, AG_EXC_INVALID_REQUEST, "class %s has no relationship '%s'", c->m->name.p, key);
    return (ag_relation *)(uintptr_t)rel;
}

static void push_relation_info(lua_State *L, const ag_relation *rel)
{
    lua_createtable(L, 0, 4);
    lua_pushstring(L, direction_names[rel->direction]);
    lua_setfield(L, -2, "direction");
    lua_pushboolean(L, (rel->flags & AG_REL_LIST) != 0);
    lua_setfield(L, -2, "uselist");
    lua_pushboolean(L, (rel->flags & AG_REL_GET) != 0);
    lua_setfield(L, -2, "use_get");
    lua_pushboolean(L, (rel->flags & AG_REL_SIMPLE) != 0);
    lua_setfield(L, -2, "simple");
    lua_pushboolean(L, (rel->flags & AG_REL_SELF) != 0);
    lua_setfield(L, -2, "self_referential");
}

/* orm_relation(class, spec) → {direction, uselist, use_get, …} */
static int orm_relation(lua_State *L)
{
    agl_mapper *c = agl_mapper_check(L, 1);
    ag_relation_spec spec = {0};
    ag_relation *rel = NULL;
    agl_check_table(L, 2);
    lua_settop(L, 2);
    read_relation(L, 2, &spec);
    read_order_by(L, 2, &spec);
    agl_must(L, ag_mapper_add_relation(&rel, c->m, &spec, agl_err(L)), agl_err(L));
    push_relation_info(L, rel);
    return 1;
}

/* orm_link(class, key, class, key): back_populates */
static int orm_link(lua_State *L)
{
    ag_relation *a = relation_at(L, 1, 2), *b = relation_at(L, 3, 4);
    agl_must(L, ag_relation_link(a, b, agl_err(L)), agl_err(L));
    return 0;
}

/* orm_pairs(class, key) → {{source, dest or secondary column name}, …}, {the same of the secondary's target side} */
static void push_pairs(lua_State *L, const ag_relation *rel, const ag_sync *pairs, unsigned n, const ag_mapper *source)
{
    const ag_mapper *dest = rel->direction == AG_MANY_TO_ONE ? rel->parent : rel->target;
    lua_createtable(L, (int)n, 0);
    for (unsigned i = 0; i < n; i++) {
        lua_createtable(L, 0, 3);
        lua_pushstring(L, source->slots[pairs[i].source].key.p);
        lua_setfield(L, -2, "source");
        if (!rel->secondary) {
            lua_pushstring(L, dest->slots[pairs[i].dest].key.p);
            lua_setfield(L, -2, "dest");
        }
        lua_pushstring(L, pairs[i].column->key.p);
        lua_setfield(L, -2, "column");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static int orm_pairs(lua_State *L)
{
    const ag_relation *rel = relation_at(L, 1, 2);
    push_pairs(L, rel, rel->pairs, rel->npairs, rel->direction == AG_MANY_TO_ONE ? rel->target : rel->parent);
    push_pairs(L, rel, rel->target_pairs, rel->ntarget_pairs, rel->target);
    return 2;
}

/* orm_join(class, key, secondary): push the join condition as an expression (primaryjoin, or secondaryjoin) */
static int orm_condition(lua_State *L)
{
    const ag_relation *rel = relation_at(L, 1, 2);
    const ag_node *n = lua_toboolean(L, 3) ? rel->secondaryjoin : rel->primaryjoin;
    agl_build x;
    if (!n)
        return 0;
    x = agl_build_begin(L);
    agl_build_anchor(&x, 1); /* the registry owns the tree */
    return agl_build_push(&x, n);
}

/* orm_order_by(class, key) → array of expressions */
static int orm_order_by(lua_State *L)
{
    const ag_relation *rel = relation_at(L, 1, 2);
    lua_settop(L, 1);
    lua_createtable(L, rel->norder_by, 0);
    for (unsigned i = 0; i < rel->norder_by; i++) {
        agl_build x = agl_build_begin(L);
        agl_build_anchor(&x, 1);
        (void)agl_build_push(&x, rel->order_by[i]);
        lua_rawseti(L, 2, (lua_Integer)i + 1);
    }
    return 1;
}

/* orm_finish(class): relationships are complete; the class can make objects */
static int orm_finish(lua_State *L)
{
    agl_mapper *c = agl_mapper_check(L, 1);
    agl_must(L, ag_mapper_finish(c->m, agl_err(L)), agl_err(L));
    agl_mapper_build_names(L, c, 1);
    return 0;
}

void agl_open_orm_mapper(lua_State *L)
{
    static const luaL_Reg fns[] = {{"orm_class", orm_class},         {"orm_relation", orm_relation},
                                   {"orm_link", orm_link},           {"orm_pairs", orm_pairs},
                                   {"orm_condition", orm_condition}, {"orm_order_by", orm_order_by},
                                   {"orm_finish", orm_finish},       {NULL, NULL}};
    agl_functions_internal(L, fns);
}

/* The boxes of User.posts and of ag.aliased(User), and what argent.orm asks about a class's columns. */
#include "binding/lua_node.h"
#include "binding/lua_orm.h"

/* ---- User.posts: user value 1 is the table of facts ---- */

typedef struct agl_attribute {
    agl_box box; /* as agl_node; node NULL: a relationship is no expression by itself */
    const ag_node *node;
} agl_attribute;

/* orm_attribute(facts) → attribute */
static int orm_attribute(lua_State *L)
{
    agl_check_table(L, 1);
    lua_settop(L, 1);
    (void)agl_box_new(L, AGL_K_ATTRIBUTE, sizeof(agl_attribute), 1);
    agl_box_anchor(L, 2, 1, 1);
    return 1;
}

/* orm_attribute_info(attribute) → facts */
static int orm_attribute_info(lua_State *L)
{
    (void)agl_check(L, 1, AGL_K_ATTRIBUTE);
    lua_getiuservalue(L, 1, 1);
    return 1;
}

static int attribute_field(lua_State *L, const char *name)
{
    (void)agl_check(L, 1, AGL_K_ATTRIBUTE);
    lua_getiuservalue(L, 1, 1);
    lua_getfield(L, -1, name);
    return 1;
}

static int attribute_key(lua_State *L)
{
    return attribute_field(L, "key");
}

static int attribute_class(lua_State *L)
{
    return attribute_field(L, "class");
}

static int attribute_tostring(lua_State *L)
{
    (void)agl_check(L, 1, AGL_K_ATTRIBUTE);
    lua_getiuservalue(L, 1, 1);
    lua_getfield(L, 2, "name");
    lua_getfield(L, 2, "key");
    lua_pushfstring(L, "%s.%s", luaL_tolstring(L, 3, NULL), luaL_tolstring(L, 4, NULL));
    return 1;
}

/* ---- ag.aliased(User): user values 1 class, 2 FROM box, 3 attributes met so far, 4 facts ---- */

typedef struct agl_class_alias {
    agl_box box; /* as agl_node */
    const ag_node *node;
} agl_class_alias;
enum { ALIAS_CLASS = 1, ALIAS_FROM, ALIAS_ATTRS, ALIAS_INFO };

/* orm_alias(class, from, facts) → alias */
static int orm_alias(lua_State *L)
{
    const ag_node *from = agl_node_at(L, 2);
    agl_class_alias *a;
    (void)agl_mapper_check(L, 1);
    if (!from || !ag_node_is_from(from))
        return agl_typeerror(L, 2, "an alias or a subquery");
    if (((const agl_box *)lua_touserdata(L, 2))->flags & AGL_NODE_BORROWED)
        return agl_argerror(L, 2, "this SQL construct was lent to a compile hook: it cannot be aliased");
    agl_check_table(L, 3);
    lua_settop(L, 3);
    a = agl_box_new(L, AGL_K_CLASS_ALIAS, sizeof *a, ALIAS_INFO);
    a->node = from;
    agl_box_anchor(L, 4, ALIAS_CLASS, 1);
    agl_box_anchor(L, 4, ALIAS_FROM, 2);
    agl_box_anchor(L, 4, ALIAS_INFO, 3);
    lua_newtable(L);
    lua_setiuservalue(L, 4, ALIAS_ATTRS);
    agl_orm_register_from(L, from, 4);
    return 1;
}

/* orm_alias_info(alias) → class, from, facts */
static int orm_alias_info(lua_State *L)
{
    (void)agl_check(L, 1, AGL_K_CLASS_ALIAS);
    lua_getiuservalue(L, 1, ALIAS_CLASS);
    lua_getiuservalue(L, 1, ALIAS_FROM);
    lua_getiuservalue(L, 1, ALIAS_INFO);
    return 3;
}

static int alias_index_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    if (lua_isnil(L, -1)) {
        lua_getiuservalue(L, 1, ALIAS_CLASS);
        return agl_orm_unknown(L, lua_gettop(L), 2);
    }
    lua_getiuservalue(L, 1, ALIAS_ATTRS);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    return 1;
}

static int alias_index(lua_State *L)
{
    (void)agl_check(L, 1, AGL_K_CLASS_ALIAS);
    lua_settop(L, 2);
    lua_getiuservalue(L, 1, ALIAS_ATTRS);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, 3) != LUA_TNIL)
        return 1;
    lua_settop(L, 2);
    agl_orm_hook(L, AGL_OH_CLASS_INDEX);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_callk(L, 2, 1, 0, alias_index_k);
    return alias_index_k(L, LUA_OK, 0);
}

static int alias_tostring(lua_State *L)
{
    agl_mapper *c;
    (void)agl_check(L, 1, AGL_K_CLASS_ALIAS);
    lua_getiuservalue(L, 1, ALIAS_CLASS);
    c = agl_mapper_check(L, 2);
    lua_pushfstring(L, "alias of class %s", c->m->name.p);
    return 1;
}

/* ---- facts about classes ---- */

/* orm_slots(class) → array of {key =, expr = is it an expression, deferred =, group =, raise =, pk =, name = column key} */
static int orm_slots(lua_State *L)
{
    agl_mapper *c = agl_mapper_check(L, 1);
    lua_createtable(L, c->m->nslots, 0);
    for (unsigned i = 0; i < c->m->nslots; i++) {
        const ag_slot *s = &c->m->slots[i];
        lua_createtable(L, 0, 6);
        lua_pushlstring(L, s->key.p, s->key.n);
        lua_setfield(L, -2, "key");
        lua_pushboolean(L, (s->flags & AG_SLOT_EXPRESSION) != 0);
        lua_setfield(L, -2, "expression");
        lua_pushboolean(L, (s->flags & AG_SLOT_DEFERRED) != 0);
        lua_setfield(L, -2, "deferred");
        lua_pushboolean(L, (s->flags & AG_SLOT_RAISE) != 0);
        lua_setfield(L, -2, "raise");
        lua_pushinteger(L, s->group);
        lua_setfield(L, -2, "group");
        lua_pushboolean(L, (s->flags & AG_SLOT_PK) != 0);
        lua_setfield(L, -2, "pk");
        if (s->column) {
            lua_pushinteger(L, s->column->index + 1);
            lua_setfield(L, -2, "index");
            lua_pushboolean(L, s->column->table == c->m->tables[c->m->ntables - 1].table);
            lua_setfield(L, -2, "own_table");
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* orm_class_facts(class) → {pk = {names}, ncolumns = of its table, tables = number, discriminator = name, identity =, abstract =} */
static int orm_class_facts(lua_State *L)
{
    agl_mapper *c = agl_mapper_check(L, 1);
    const ag_mapper *m = c->m;
    lua_settop(L, 1);
    lua_createtable(L, 0, 8);
    lua_createtable(L, m->npk, 0);
    for (unsigned i = 0; i < m->npk; i++) {
        lua_pushstring(L, m->slots[m->pk[i]].key.p);
        lua_rawseti(L, 3, (lua_Integer)i + 1);
    }
    lua_setfield(L, 2, "pk");
    lua_pushinteger(L, m->tables[m->ntables - 1].table->ncolumns);
    lua_setfield(L, 2, "ncolumns");
    lua_pushinteger(L, m->ntables);
    lua_setfield(L, 2, "tables");
    if (m->discriminator) {
        lua_pushstring(L, m->discriminator->key.p);
        lua_setfield(L, 2, "discriminator");
    }
    agl_push_value(L, &m->identity, NULL, NULL);
    lua_setfield(L, 2, "identity");
    lua_pushboolean(L, m->how == AG_INHERITS_SINGLE);
    lua_setfield(L, 2, "single");
    lua_pushboolean(L, m->nsubclasses > 0);
    lua_setfield(L, 2, "has_subclasses");
    lua_pushboolean(L, m->abstract);
    lua_setfield(L, 2, "abstract");
    return 1;
}

void agl_open_orm_attribute(lua_State *L)
{
    static const luaL_Reg attribute_getters[] = {{"key", attribute_key}, {"class", attribute_class}, {NULL, NULL}};
    static const luaL_Reg attribute_meta[] = {{"__tostring", attribute_tostring}, {NULL, NULL}};
    static const luaL_Reg alias_meta[] = {{"__index", alias_index}, {"__tostring", alias_tostring}, {NULL, NULL}};
    static const agl_class attribute = {.name = "attribute", .getters = attribute_getters, .meta = attribute_meta};
    static const agl_class alias = {.name = "class alias", .meta = alias_meta};
    static const luaL_Reg fns[] = {{"orm_attribute", orm_attribute},
                                   {"orm_attribute_info", orm_attribute_info},
                                   {"orm_alias", orm_alias},
                                   {"orm_alias_info", orm_alias_info},
                                   {"orm_slots", orm_slots},
                                   {"orm_class_facts", orm_class_facts},
                                   {NULL, NULL}};
    agl_class_open(L, AGL_K_ATTRIBUTE, &attribute);
    agl_class_open(L, AGL_K_CLASS_ALIAS, &alias);
    agl_functions_internal(L, fns);
}

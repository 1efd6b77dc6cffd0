/* Where named types live: the schema of an Enum or DOMAIN that a table's column has, and the MetaData it belongs to. */
#include "binding/host.h"
#include "binding/lua_node.h"
#include "binding/lua_types.h"
#include <string.h>

#define DEEPEST 32 /* types in types: items of arrays, bases of domains, variants */

typedef struct place {
    lua_State *L;
    const char *table;    /* the table's schema, "" none */
    const char *metadata; /* the MetaData's, "" none */
    bool force;           /* the table's, whatever the type says */
} place;

static const ag_type *in_place(const place *p, const ag_type *t, int depth);

/* Is it created by a statement of its own somewhere? */
static bool is_named(const ag_type *t)
{
    return (t->id == AG_TYPE_ENUM || t->id == AG_TYPE_PG_DOMAIN) && t->name;
}

static void set_schema(const place *p, ag_type *t)
{
    if (p->force || (t->flags & AG_TYPE_INHERIT_SCHEMA))
        t->schema = p->table;
    else if (!t->schema && p->metadata[0])
        t->schema = p->metadata;
    t->flags &= ~AG_TYPE_INHERIT_SCHEMA;
}

static const ag_type *intern(const place *p, const ag_type *proto)
{
    const ag_type *out = NULL;
    ag_error *err = agl_err(p->L);
    agl_must(p->L, ag_types_intern(agl_state_get(p->L)->types, &out, proto, err), err);
    return out;
}

static const ag_type *in_place(const place *p, const ag_type *t, int depth)
{
    ag_type proto = *t;
    bool changed = false;
    if (depth > DEEPEST)
        agl_error(p->L, AG_EXC_ARGUMENT, "types are nested too deep");
    if (t->item) {
        proto.item = in_place(p, t->item, depth + 1);
        changed = proto.item != t->item;
    }
    if (t->nvariants) {
        ag_type_variant *list = agl_scratch(p->L, t->nvariants * sizeof *list);
        memcpy(list, t->variants, t->nvariants * sizeof *list);
        for (uint32_t i = 0; i < t->nvariants; i++) {
            list[i].type = in_place(p, list[i].type, depth + 1);
            changed |= list[i].type != t->variants[i].type;
        }
        proto.variants = list;
    }
    if (is_named(t)) {
        set_schema(p, &proto);
        changed |= proto.schema != t->schema || proto.flags != t->flags;
    }
    return changed ? intern(p, &proto) : t;
}

/* type_in_schema(type, table's schema, MetaData's schema, force) */
static int type_in_schema(lua_State *L)
{
    const ag_type *t = agl_check_type(L, 1, 1);
    place p = {
        .L = L, .table = luaL_optstring(L, 2, ""), .metadata = luaL_optstring(L, 3, ""), .force = lua_toboolean(L, 4)};
    luaL_checkstack(L, DEEPEST * 2 + 8, "type");
    agl_push_type(L, in_place(&p, t, 0));
    return 1;
}

void agl_type_join(lua_State *L, int opts)
{
    if (lua_getfield(L, opts, "metadata") == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    lua_getglobal(L, "require");
    lua_pushliteral(L, "argent.schema.named");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "join");
    lua_pushvalue(L, -4); /* the type */
    lua_pushvalue(L, -4); /* the MetaData */
    lua_call(L, 2, 1);
}

const char *agl_type_schema_option(lua_State *L, int opts)
{
    const char *s;
    size_t n;
    if (!opts)
        return NULL;
    int type = lua_getfield(L, opts, "schema");
    if (type == LUA_TNIL)
        return NULL;
    if (agl_is_null(L, -1))
        return "";
    if (type == LUA_TTABLE) /* a quoted_name, ag.BLANK_SCHEMA */
        lua_getfield(L, -1, "name");
    s = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &n) : NULL;
    if (!s || strlen(s) != n)
        agl_argerror(L, opts, "option 'schema': expected a name, got %s", agl_describe(L, -1, false));
    return s;
}

/* ---- type:create(bind, options), type:drop(bind, options): argent.schema.create's, loaded when they are called ---- */
static int call_done(lua_State *L, int status, lua_KContext ctx)
{
    (void)L;
    (void)status;
    (void)ctx;
    return 0;
}

static int call_named(lua_State *L, const char *name)
{
    (void)agl_check(L, 1, AGL_K_TYPE);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "argent.schema.create");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, name);
    lua_insert(L, 1);
    lua_pop(L, 1);
    lua_callk(L, lua_gettop(L) - 1, 0, 0, call_done);
    return 0;
}

int agl_type_create(lua_State *L)
{
    return call_named(L, "_create_type");
}

int agl_type_drop(lua_State *L)
{
    return call_named(L, "_drop_type");
}

static bool is_earlier(const ag_type *t, uint32_t index)
{
    const ag_type *it = ag_type_impl_at(t, index);
    bool found = false;
    for (uint32_t i = 0; i < index && !found; i++)
        found = ag_type_impl_at(t, i) == it;
    return found;
}

/* type_checks(type) → {{index =, type =}, …}: the Booleans and Enums with create_constraint that the type is on some dialect */
static int type_checks(lua_State *L)
{
    const ag_type *t = agl_check_type(L, 1, 1), *it;
    lua_Integer n = 0;
    lua_newtable(L);
    for (uint32_t i = 0; (it = ag_type_impl_at(t, i)) != NULL; i++) {
        if (!(it->flags & AG_TYPE_CREATE_CHECK) || is_earlier(t, i))
            continue;
        lua_createtable(L, 0, 2);
        lua_pushinteger(L, (lua_Integer)i);
        lua_setfield(L, -2, "index");
        agl_push_type(L, it);
        lua_setfield(L, -2, "type");
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

static const luaL_Reg functions[] = {{"type_in_schema", type_in_schema}, {"type_checks", type_checks}, {NULL, NULL}};

void agl_open_type_schema(lua_State *L)
{
    agl_functions_internal(L, functions);
}

/* Reading the spec tables that lua/argent/schema has checked. Strings are borrowed from the tables, which their caller keeps. */
#include "binding/lua_schema.h"
#include <string.h>

ag_str agl_spec_str(lua_State *L, int t, const char *field)
{
    ag_str s = {0};
    if (lua_getfield(L, t, field) == LUA_TSTRING)
        s.p = lua_tolstring(L, -1, &s.n);
    if (s.p && memchr(s.p, 0, s.n))
        agl_error(L, AG_EXC_ARGUMENT, "%s contains a NUL byte", field);
    lua_pop(L, 1);
    return s;
}

bool agl_spec_bool(lua_State *L, int t, const char *field, bool def)
{
    if (lua_getfield(L, t, field) == LUA_TBOOLEAN)
        def = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return def;
}

int8_t agl_spec_tristate(lua_State *L, int t, const char *field)
{
    int8_t v = lua_getfield(L, t, field) == LUA_TBOOLEAN ? (int8_t)lua_toboolean(L, -1) : (int8_t)-1;
    lua_pop(L, 1);
    return v;
}

bool agl_spec_int(lua_State *L, int t, const char *field, int64_t *out)
{
    lua_getfield(L, t, field);
    bool is = lua_isinteger(L, -1);
    if (is)
        *out = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return is;
}

const ag_node *agl_spec_node(lua_State *L, int t, const char *field)
{
    lua_getfield(L, t, field);
    const ag_node *n = agl_node_at(L, -1);
    lua_pop(L, 1);
    return n;
}

uint32_t agl_spec_count(lua_State *L, int t, const char *field)
{
    uint32_t n = lua_getfield(L, t, field) == LUA_TTABLE ? (uint32_t)lua_rawlen(L, -1) : 0;
    lua_pop(L, 1);
    return n;
}

agl_schema *agl_spec_handle(lua_State *L, int t, const char *field, agl_kind kind)
{
    lua_getfield(L, t, field);
    agl_schema *h = agl_test(L, -1, kind);
    lua_pop(L, 1);
    return h;
}

ag_column **agl_spec_columns(lua_State *L, int t, const char *field, uint32_t *n)
{
    *n = agl_spec_count(L, t, field);
    if (!*n)
        return NULL;
    ag_column **list = agl_scratch(L, *n * sizeof *list);
    lua_getfield(L, t, field);
    for (uint32_t i = 0; i < *n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        const agl_schema *h = agl_test(L, -1, AGL_K_COLUMN);
        if (!h || !h->u.column)
            agl_argerror(L, t, "item %d of '%s' is no column of a table", (int)i + 1, field);
        else
            list[i] = h->u.column;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return list;
}

/* ---- options ---- */

static void read_value(lua_State *L, int t, ag_value *out)
{
    lua_getfield(L, t, "value");
    if (!agl_tovalue(L, -1, out) || out->kind == AG_V_HOST)
        *out = ag_value_null();
    lua_pop(L, 1);
}

static const ag_pair *read_pairs(lua_State *L, int option, uint32_t n)
{
    ag_pair *pairs = agl_scratch(L, n * sizeof *pairs);
    lua_getfield(L, option, "pairs");
    for (uint32_t i = 0; i < n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        int p = lua_gettop(L);
        pairs[i] = (ag_pair){agl_spec_str(L, p, "key"), agl_spec_str(L, p, "value"), agl_spec_node(L, p, "node")};
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return pairs;
}

ag_options agl_spec_options(lua_State *L, int t)
{
    ag_options out = {.n = agl_spec_count(L, t, "options")};
    if (!out.n)
        return out;
    ag_option *items = agl_scratch(L, out.n * sizeof *items);
    luaL_checkstack(L, (int)out.n + 20, "options");
    lua_getfield(L, t, "options");
    int list = lua_gettop(L);
    for (uint32_t i = 0; i < out.n; i++) {
        lua_rawgeti(L, list, (lua_Integer)i + 1);
        int o = lua_gettop(L);
        items[i] = (ag_option){.dialect = agl_spec_str(L, o, "dialect"), .name = agl_spec_str(L, o, "name")};
        items[i].node = agl_spec_node(L, o, "node");
        items[i].npairs = agl_spec_count(L, o, "pairs");
        items[i].is_list = lua_getfield(L, o, "pairs") != LUA_TNIL;
        lua_pop(L, 1);
        read_value(L, o, &items[i].value);
        if (items[i].npairs)
            items[i].pairs = read_pairs(L, o, items[i].npairs); /* leaves its memory above o */
    }
    out.items = items;
    return out;
}

/* ---- columns ---- */

/* default = {kind = "scalar"|"callable"|"sql"|"sequence"|"sentinel", value =, node =, fn =, context =, sequence =} */
static void read_default(lua_State *L, int t, const char *field, ag_default *d)
{
    if (lua_getfield(L, t, field) != LUA_TTABLE) {
        lua_pop(L, 1);
        return;
    }
    int f = lua_gettop(L);
    ag_str kind = agl_spec_str(L, f, "kind");
    kind.p = kind.p ? kind.p : "";
    if (strcmp(kind.p, "scalar") == 0) {
        d->kind = AG_DEFAULT_SCALAR;
        lua_getfield(L, f, "value");
        if (!agl_tovalue(L, -1, &d->value))
            agl_argerror(L, t, "%s is no value", field);
    } else if (strcmp(kind.p, "callable") == 0) {
        d->kind = AG_DEFAULT_CALLABLE;
        d->context_sensitive = agl_spec_bool(L, f, "context", false);
        lua_getfield(L, f, "fn");
        d->host = agl_hostvalue_id(L, -1); /* weak: the column's data keeps the function */
    } else if (strcmp(kind.p, "sql") == 0) {
        d->kind = AG_DEFAULT_SQL;
        d->expr = agl_spec_node(L, f, "node");
    } else if (strcmp(kind.p, "sentinel") == 0) {
        d->kind = AG_DEFAULT_SENTINEL;
    } else {
        const agl_schema *s = agl_spec_handle(L, f, "sequence", AGL_K_SCHEMA_ITEM);
        d->kind = AG_DEFAULT_SEQUENCE;
        d->sequence = s ? s->u.sequence : NULL;
    }
    lua_settop(L, f - 1);
}

/* {kind = "text"|"expr"|"fetched"|"computed"|"identity", node =, persisted =, for_update =} */
static void read_server_default(lua_State *L, int t, const char *field, ag_server_default *d)
{
    static const char *const kinds[] = {"", "text", "expr", "fetched", "computed", "identity"};
    if (lua_getfield(L, t, field) != LUA_TTABLE) {
        lua_pop(L, 1);
        return;
    }
    int f = lua_gettop(L);
    ag_str kind = agl_spec_str(L, f, "kind");
    for (int i = 1; i <= AG_SERVER_DEFAULT_IDENTITY; i++) {
        if (kind.p && strcmp(kind.p, kinds[i]) == 0)
            d->kind = (ag_server_default_kind)i;
    }
    d->expr = agl_spec_node(L, f, "node");
    d->persisted = agl_spec_tristate(L, f, "persisted");
    d->for_update = agl_spec_bool(L, f, "for_update", false);
    lua_pop(L, 1);
}

void agl_spec_identity(lua_State *L, int t, ag_identity_options *o)
{
    *o = (ag_identity_options){.always = agl_spec_bool(L, t, "always", false),
                               .on_null = agl_spec_tristate(L, t, "on_null"),
                               .cycle = agl_spec_tristate(L, t, "cycle"),
                               .order = agl_spec_tristate(L, t, "order"),
                               .nominvalue = agl_spec_bool(L, t, "nominvalue", false),
                               .nomaxvalue = agl_spec_bool(L, t, "nomaxvalue", false)};
    o->has_start = agl_spec_int(L, t, "start", &o->start);
    o->has_increment = agl_spec_int(L, t, "increment", &o->increment);
    o->has_minvalue = agl_spec_int(L, t, "minvalue", &o->minvalue);
    o->has_maxvalue = agl_spec_int(L, t, "maxvalue", &o->maxvalue);
    o->has_cache = agl_spec_int(L, t, "cache", &o->cache);
}

static ag_autoincrement read_autoincrement(lua_State *L, int t)
{
    int type = lua_getfield(L, t, "autoincrement");
    ag_autoincrement a = AG_AUTOINCREMENT_AUTO;
    if (type == LUA_TBOOLEAN)
        a = lua_toboolean(L, -1) ? AG_AUTOINCREMENT_TRUE : AG_AUTOINCREMENT_FALSE;
    else if (type == LUA_TSTRING && strcmp(lua_tostring(L, -1), "ignore_fk") == 0)
        a = AG_AUTOINCREMENT_IGNORE_FK;
    lua_pop(L, 1);
    return a;
}

void agl_spec_column(lua_State *L, int t, ag_column_spec *out)
{
    memset(out, 0, sizeof *out);
    ag_column *c = &out->c;
    c->name = agl_spec_str(L, t, "name");
    c->key = agl_spec_str(L, t, "key");
    c->quote = agl_spec_tristate(L, t, "quote");
    lua_getfield(L, t, "type");
    c->type = agl_type_at(L, -1);
    lua_pop(L, 1);
    c->primary_key = agl_spec_bool(L, t, "primary_key", false);
    c->nullable = agl_spec_bool(L, t, "nullable", true);
    c->unique = agl_spec_bool(L, t, "unique", false);
    c->system = agl_spec_bool(L, t, "system", false);
    c->insert_sentinel = agl_spec_bool(L, t, "insert_sentinel", false);
    c->omitted = agl_spec_bool(L, t, "omitted", false);
    c->autoincrement = read_autoincrement(L, t);
    read_default(L, t, "default", &c->def);
    read_default(L, t, "onupdate", &c->onupdate);
    read_server_default(L, t, "server_default", &c->server_default);
    read_server_default(L, t, "server_onupdate", &c->server_onupdate);
    if (lua_getfield(L, t, "identity") == LUA_TTABLE) {
        ag_identity_options *o = agl_scratch(L, sizeof *o);
        agl_spec_identity(L, lua_gettop(L) - 1, o);
        c->identity = o; /* its memory stays on the stack */
    }
    out->comment = agl_spec_str(L, t, "comment");
    out->replace = agl_spec_bool(L, t, "replace", false);
    out->options = agl_spec_options(L, t);
}

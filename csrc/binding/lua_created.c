/* core.sqlite_parse_create(text): what a CREATE text of SQLite's catalog says, as plain tables for lua/argent/reflect. */
#include "binding/host.h"
#include "binding/lua_node.h"
#include "binding/module.h"
#include "compile/dialect.h"

static void set_str(lua_State *L, const char *field, ag_str s)
{
    if (!s.p)
        return;
    lua_pushlstring(L, s.p, s.n);
    lua_setfield(L, -2, field);
}

static void set_true(lua_State *L, const char *field, bool v)
{
    if (!v)
        return;
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, field);
}

/* FOREIGN KEY's words in upper case, one blank between them: "SET  null" → "SET NULL". */
static void set_words(lua_State *L, const char *field, ag_str s)
{
    luaL_Buffer b;
    if (!s.p)
        return;
    luaL_buffinit(L, &b);
    for (size_t i = 0, blank = 0; i < s.n; i++) {
        char c = s.p[i];
        bool space = c == ' ' || (c >= '\t' && c <= '\r');
        if (!space && blank)
            luaL_addchar(&b, ' ');
        blank = space;
        if (!space)
            luaL_addchar(&b, (char)(c >= 'a' && c <= 'z' ? c - 32 : c));
    }
    luaL_pushresult(&b);
    lua_setfield(L, -2, field);
}

static void set_names(lua_State *L, const char *field, const ag_created_name *n)
{
    lua_newtable(L);
    for (lua_Integer i = 1; n; n = n->next, i++) {
        lua_pushlstring(L, n->name.p, n->name.n);
        lua_rawseti(L, -2, i);
    }
    lua_setfield(L, -2, field);
}

static void push_column(lua_State *L, const ag_created_column *c)
{
    lua_newtable(L);
    set_str(L, "name", c->name);
    set_str(L, "type", c->type);
    set_str(L, "collate", c->collate);
    set_str(L, "default", c->default_text);
    set_true(L, "default_brackets", c->default_brackets);
    set_true(L, "default_literal", c->default_literal);
    set_true(L, "not_null", c->not_null);
    set_words(L, "not_null_conflict", c->not_null_conflict);
    set_str(L, "generated", c->generated);
    set_true(L, "stored", c->stored);
}

static void push_key(lua_State *L, const ag_created_key *k)
{
    lua_newtable(L);
    set_str(L, "name", k->name);
    if (k->kind != AG_CONSTRAINT_CHECK)
        set_names(L, "columns", k->columns);
    set_words(L, "conflict", k->conflict);
    set_str(L, "sqltext", k->sqltext);
    set_true(L, "autoincrement", k->autoincrement);
    set_true(L, "in_column", k->in_column);
    if (k->kind != AG_CONSTRAINT_FOREIGN_KEY)
        return;
    set_str(L, "table", k->table);
    set_names(L, "referred", k->referred);
    set_words(L, "ondelete", k->on_delete);
    set_words(L, "onupdate", k->on_update);
    set_words(L, "match", k->match);
    set_words(L, "initially", k->initially);
    if (k->deferrable >= 0) {
        lua_pushboolean(L, k->deferrable);
        lua_setfield(L, -2, "deferrable");
    }
}

/* The keys of one kind as a list (or, of the primary key, the last one itself); with: "columns" stands at the top. */
static void set_keys(lua_State *L, const char *field, const ag_created *x, ag_constraint_kind kind)
{
    lua_Integer n = 0;
    lua_newtable(L);
    for (const ag_created_key *k = x->keys; k; k = k->next) {
        if (k->kind != kind)
            continue;
        push_key(L, k);
        lua_rawseti(L, -2, ++n);
    }
    if (kind == AG_CONSTRAINT_PRIMARY_KEY) {
        if (n)
            lua_rawgeti(L, -1, n);
        else
            lua_pushnil(L);
        lua_remove(L, -2);
    }
    lua_setfield(L, -2, field);
}

static void set_columns(lua_State *L, const ag_created_column *c)
{
    lua_newtable(L);
    for (lua_Integer i = 1; c; c = c->next, i++) {
        push_column(L, c);
        lua_rawseti(L, -2, i);
    }
    lua_setfield(L, -2, "columns");
}

static void set_items(lua_State *L, const ag_created_item *x)
{
    lua_newtable(L);
    for (lua_Integer i = 1; x; x = x->next, i++) {
        lua_newtable(L);
        set_str(L, "text", x->text);
        set_str(L, "name", x->name);
        set_str(L, "collate", x->collate);
        lua_rawseti(L, -2, i);
    }
    lua_setfield(L, -2, "items");
}

static void push_created(lua_State *L, const ag_created *x)
{
    static const char *const kinds[] = {"", "table", "virtual", "index", "view"};
    lua_newtable(L);
    lua_pushstring(L, kinds[x->kind]);
    lua_setfield(L, -2, "kind");
    set_str(L, "schema", x->schema);
    set_str(L, "name", x->name);
    set_str(L, "table", x->table);
    set_str(L, "select", x->select);
    set_str(L, "where", x->where);
    set_true(L, "temporary", x->temporary);
    set_true(L, "is_unique", x->unique);
    set_true(L, "without_rowid", x->without_rowid);
    set_true(L, "strict", x->strict);
    if (x->kind == AG_CREATED_TABLE) {
        set_columns(L, x->columns);
        set_keys(L, "primary_key", x, AG_CONSTRAINT_PRIMARY_KEY);
        set_keys(L, "foreign_keys", x, AG_CONSTRAINT_FOREIGN_KEY);
        set_keys(L, "unique", x, AG_CONSTRAINT_UNIQUE);
        set_keys(L, "checks", x, AG_CONSTRAINT_CHECK);
    }
    if (x->kind == AG_CREATED_INDEX)
        set_items(L, x->items);
    if (x->names)
        set_names(L, "names", x->names);
}

/* sqlite_parse_create(text) → table; ArgumentError where it is no CREATE statement of SQLite */
static int sqlite_parse_create(lua_State *L)
{
    ag_str sql = agl_check_str(L, 1);
    agl_scope *s = agl_scope_open(L);
    ag_created *x = NULL;
    agl_scope_must(L, s, ag_dialect_find("sqlite", 6)->parse_create(&x, &s->arena, sql, &s->err));
    push_created(L, x);
    return 1;
}

static const luaL_Reg functions[] = {{"sqlite_parse_create", sqlite_parse_create}, {NULL, NULL}};

void agl_open_created(lua_State *L)
{
    agl_functions_internal(L, functions);
}

/* Execution options of the core, out of Lua tables. */
#include "binding/lua_engine.h"
#include <string.h>

/* Known to the core, to the ORM, and to SQLAlchemy's users. */
static const char *const known[] = {
    "isolation_level", "timeout", "stream_results", "yield_per", "max_row_buffer", "insertmanyvalues_page_size",
    "preserve_rowcount", "no_parameters", "logging_token", "compiled_cache", "schema_translate_map",
    "postgresql_readonly", "postgresql_deferrable",
    /* the ORM's */
    "populate_existing", "autoflush", "identity_token", "synchronize_session", "render_nulls", "dml_strategy",
    "include_deferred", "is_delete_using", "is_update_from", "prebuffer_rows", NULL};

static void check_names(lua_State *L, int idx)
{
    if (lua_type(L, idx) != LUA_TTABLE)
        agl_error_in(L, AG_EXC_ARGUMENT, "execution options: expected a table, got %s", agl_describe(L, idx, false));
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        bool is_known = false;
        size_t n = 0;
        const char *name, *near;
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            agl_error_in(L, AG_EXC_ARGUMENT, "execution options have names as keys, got %s",
                         agl_describe(L, -1, false));
        name = lua_tostring(L, -1);
        for (; known[n]; n++)
            is_known = is_known || strcmp(known[n], name) == 0;
        near = is_known ? NULL : ag_nearest(name, known, n);
        if (near)
            agl_error_in(L, AG_EXC_ARGUMENT, "unknown execution option '%s'; did you mean '%s'?", name, near);
    }
}

static void read_schema_map(lua_State *L, int idx, ag_exec_options *x, agl_scope *s)
{
    ag_schema_pair *pairs;
    size_t n = 0;
    if (agl_opt_push(L, idx, "schema_translate_map") == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    if (lua_type(L, -1) != LUA_TTABLE)
        agl_opt_error(L, "schema_translate_map", "a table from name to name");
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        n++;
    pairs = agl_scope_new(L, s, sizeof *pairs * (n ? n : 1));
    n = 0;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        bool no_from = agl_is_null(L, -2), no_to = agl_is_null(L, -1);
        if ((lua_type(L, -2) != LUA_TSTRING && !no_from) || (lua_type(L, -1) != LUA_TSTRING && !no_to))
            agl_error_in(L, AG_EXC_ARGUMENT, "schema_translate_map maps names (or ag.null: none) to names");
        pairs[n].from = no_from ? NULL : lua_tostring(L, -2);
        pairs[n++].to = no_to ? NULL : lua_tostring(L, -1);
    }
    x->has |= AG_XO_SCHEMA_MAP;
    x->schema_map = pairs;
    x->nschema_map = n;
    lua_pop(L, 1);
}

static bool given(lua_State *L, int idx, const char *name)
{
    bool is = agl_opt_push(L, idx, name) != LUA_TNIL;
    lua_pop(L, 1);
    return is;
}

static bool read_flag(lua_State *L, int idx, const char *name, unsigned bit, ag_exec_options *x)
{
    if (!given(L, idx, name))
        return false;
    x->has |= bit;
    bool off = agl_opt_push(L, idx, name) == LUA_TLIGHTUSERDATA && agl_is_null(L, -1); /* None in Python */
    lua_pop(L, 1);
    return !off && agl_opt_boolean(L, idx, name, false);
}

static uint32_t read_count(lua_State *L, int idx, const char *name, unsigned bit, ag_exec_options *x)
{
    if (!given(L, idx, name))
        return 0;
    x->has |= bit;
    return (uint32_t)agl_opt_integer(L, idx, name, 1, UINT32_MAX, 1);
}

static void read_isolation(lua_State *L, int idx, ag_exec_options *x, agl_scope *s)
{
    size_t n;
    const char *text = agl_opt_string(L, idx, "isolation_level", &n);
    if (!text)
        return;
    agl_scope_must(L, s, ag_isolation_parse(&x->isolation, text, n, &s->err));
    x->has |= AG_XO_ISOLATION;
}

void agl_exec_options_read(lua_State *L, int idx, ag_exec_options *x, agl_scope *s)
{
    memset(x, 0, sizeof *x);
    if (lua_isnoneornil(L, idx))
        return;
    luaL_checkstack(L, 10, "options");
    idx = lua_absindex(L, idx);
    check_names(L, idx);
    read_isolation(L, idx, x, s);
    if (given(L, idx, "timeout")) {
        lua_Number t = agl_opt_number(L, idx, "timeout", 0, 0);
        x->timeout_us = t > 1e9 ? INT64_C(1000000000000000) : (int64_t)(t * 1e6);
        if (t > 0 && x->timeout_us == 0)
            x->timeout_us = 1;
        x->has |= AG_XO_TIMEOUT;
    }
    x->stream_results = read_flag(L, idx, "stream_results", AG_XO_STREAM, x);
    x->yield_per = read_count(L, idx, "yield_per", AG_XO_YIELD_PER, x);
    x->max_row_buffer = read_count(L, idx, "max_row_buffer", AG_XO_MAX_ROW_BUFFER, x);
    x->insertmanyvalues_page_size = read_count(L, idx, "insertmanyvalues_page_size", AG_XO_PAGE_SIZE, x);
    x->preserve_rowcount = read_flag(L, idx, "preserve_rowcount", AG_XO_PRESERVE_ROWCOUNT, x);
    x->no_parameters = read_flag(L, idx, "no_parameters", AG_XO_NO_PARAMETERS, x);
    x->compiled_cache = read_flag(L, idx, "compiled_cache", AG_XO_CACHE, x);
    x->readonly = read_flag(L, idx, "postgresql_readonly", AG_XO_READONLY, x);
    x->deferrable = read_flag(L, idx, "postgresql_deferrable", AG_XO_DEFERRABLE, x);
    x->logging_token = agl_opt_string(L, idx, "logging_token", NULL);
    if (x->logging_token)
        x->has |= AG_XO_LOGGING_TOKEN;
    read_schema_map(L, idx, x, s);
}

void agl_options_merge(lua_State *L, int base, int over)
{
    int idx[2] = {lua_absindex(L, base), lua_absindex(L, over)};
    lua_newtable(L);
    for (int i = 0; i < 2; i++) {
        if (!lua_istable(L, idx[i]))
            continue;
        lua_pushnil(L);
        while (lua_next(L, idx[i])) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, -4);
        }
    }
}

/* What an INSERT or UPDATE tells of itself: keys, defaults that came back, columns with values that the statement did not give. */
#include "binding/host.h"
#include "binding/lua_result.h"
#include "binding/lua_row.h"
#include "binding/lua_schema.h"
#include "compile/compiled.h"
#include "engine/result.h"

/* Push the row of key values of set k, named by the table's key columns; false when there is none. */
static bool push_key(lua_State *L, agl_result *res, size_t set)
{
    uint32_t n;
    ag_value *none;
    const ag_value *key = ag_result_inserted_key(res->r, set, &n);
    const ag_compiled *c = ag_result_compiled(res->r);
    const ag_table *t = c && c->dml ? c->dml->table : NULL;
    ag_result_column *cols;
    if (!key && set == 0 && t && t->npk) { /* an INSERT that brings no key back: every part is nil */
        n = t->npk;
        key = none = agl_scratch(L, sizeof *none * n);
        for (uint32_t i = 0; i < n; i++)
            none[i] = ag_value_null();
    }
    if (!key)
        return false;
    lua_createtable(L, (int)n, 0);
    cols = agl_scratch(L, sizeof *cols * (n ? n : 1));
    for (uint32_t i = 0; i < n; i++) {
        cols[i] = (ag_result_column){.name = AG_STR("key"), .source = -1};
        if (t && i < t->npk)
            cols[i].name = t->primary_key[i]->key;
        agl_push_value_or_null(L, &key[i], NULL, NULL);
        lua_rawseti(L, -3, (lua_Integer)i + 1);
    }
    agl_shape_push(L, cols, n, NULL, NULL);
    lua_pushvalue(L, -3);
    agl_row_push_items(L, agl_shape_of(L, -2), -2);
    lua_replace(L, -4);
    lua_pop(L, 2);
    return true;
}

static agl_result *need_insert(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    if (!ag_result_is_insert(agl_result_core(L)))
        agl_error_in(L, AG_EXC_INVALID_REQUEST, "the statement is not an INSERT");
    const struct ag_compiled *c = ag_result_compiled(res->r);
    if (c && c->dml && c->dml->returning == AG_RETURNING_USER)
        agl_error_in(L, AG_EXC_INVALID_REQUEST, "no keys are told where returning() is used: return them");
    return res;
}

int agl_result_get_inserted_primary_key(lua_State *L)
{
    agl_result *res = need_insert(L);
    if (ag_result_nsets(res->r) > 1)
        return agl_error_in(L, AG_EXC_INVALID_REQUEST,
                            "the statement was executed with a list of parameters: see inserted_primary_key_rows");
    if (!push_key(L, res, 0))
        lua_pushnil(L);
    return 1;
}

int agl_result_get_inserted_primary_key_rows(lua_State *L)
{
    agl_result *res = need_insert(L);
    size_t n = ag_result_nsets(res->r);
    uint32_t parts;
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++)
        if (ag_result_inserted_key(res->r, i, &parts) && push_key(L, res, i))
            lua_rawseti(L, -2, (lua_Integer)i + 1);
    return 1;
}

/* Push the defaults that came back for set k; false when none did. */
static bool push_defaults(lua_State *L, agl_result *res, size_t set)
{
    uint32_t n;
    const ag_row *row = ag_result_returned_defaults(res->r, set);
    const ag_result_column *cols = ag_result_default_columns(res->r, &n);
    agl_shape *shape;
    if (!row || !cols)
        return false;
    shape = agl_shape_push(L, cols, n, NULL, NULL);
    agl_row_push(L, row, shape, lua_gettop(L));
    lua_remove(L, -2);
    return true;
}

int agl_result_get_returned_defaults(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    agl_result_core(L);
    if (!push_defaults(L, res, 0))
        lua_pushnil(L);
    return 1;
}

int agl_result_get_returned_defaults_rows(lua_State *L)
{
    agl_result *res = agl_result_check(L, 1);
    size_t n = ag_result_nsets(agl_result_core(L));
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++)
        if (push_defaults(L, res, i))
            lua_rawseti(L, -2, (lua_Integer)i + 1);
    return 1;
}

/* ---- columns that got values by themselves ---- */

static const ag_dml_facts *need_dml(lua_State *L)
{
    agl_check_top(L, 1);
    const struct ag_compiled *c = ag_result_compiled(agl_result_core(L));
    if (!c || !c->dml || (c->kind != AG_STMT_INSERT && c->kind != AG_STMT_UPDATE))
        agl_error_in(L, AG_EXC_INVALID_REQUEST, "the statement is not an insert() or update() construct");
    return c->dml;
}

/* result:prefetch_cols(): columns whose default the engine ran before the statement. */
int agl_result_prefetch_cols(lua_State *L)
{
    const ag_dml_facts *d = need_dml(L);
    lua_createtable(L, (int)d->nprefetch, 0);
    for (uint32_t i = 0; i < d->nprefetch; i++)
        if (agl_schema_push(L, d->prefetch[i].column))
            lua_rawseti(L, -2, (lua_Integer)i + 1);
    return 1;
}

/* result:postfetch_cols(): columns whose new values the server made and the statement did not bring back. */
int agl_result_postfetch_cols(lua_State *L)
{
    const ag_dml_facts *d = need_dml(L);
    lua_createtable(L, (int)d->npostfetch, 0);
    for (uint32_t i = 0; i < d->npostfetch; i++)
        if (agl_schema_push(L, d->postfetch[i]))
            lua_rawseti(L, -2, (lua_Integer)i + 1);
    return 1;
}

/* Both drivers count the rows that a condition met, one set at a time. */
int agl_result_supports_sane_rowcount(lua_State *L)
{
    agl_check_top(L, 1);
    agl_result_check(L, 1);
    lua_pushboolean(L, true);
    return 1;
}

/* Rows from SQLite: a column plan made once per statement (which reader, which type), and the readers of the plain
 * kinds. The sqlite3_value of a column is read directly: the connection belongs to one thread and was opened
 * without a mutex. */
#include "driver/sqlite3_impl.h"

bool ag_sqlite_misfit(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err)
{
    static const char *const classes[] = {"", "an integer", "a float", "text", "a blob", "NULL"};
    if (!col->strict)
        return ag_sqlite_read_any(c, rs, col, v, err);
    const char *text = sqlite3_value_type(v) == SQLITE_BLOB ? NULL : (const char *)sqlite3_value_text(v);
    size_t n = text ? strlen(text) : 0;
    (void)ag_driver_fail(c->base.core, err, AG_EXC_DATA,
                         "column %.*s holds %s%s%.*s%s, which is not a value of type %s", (int)col->name_len, col->name,
                         classes[sqlite3_value_type(v)], text ? " '" : "", (int)(n > 60 ? 60 : n), text ? text : "",
                         text ? "'" : "", c->base.core->type_lua_name(col->type));
    return false;
}

static bool put_bytes(ag_sqlite *c, ag_rows *rs, unsigned kind, sqlite3_value *v, ag_error *err)
{
    const void *p = kind == AG_V_BYTES ? sqlite3_value_blob(v) : sqlite3_value_text(v);
    int n = sqlite3_value_bytes(v);
    if (!p && (n > 0 || kind != AG_V_BYTES)) {
        (void)c->base.core->fail_nomem(err);
        return false;
    }
    ag_rows_bytes(rs, kind, p, (size_t)n, c->base.core->rows_grow);
    return true;
}

/* By storage class. */
bool ag_sqlite_read_any(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err)
{
    (void)col;
    switch (sqlite3_value_type(v)) {
    case SQLITE_INTEGER: ag_rows_int(rs, AG_V_INT, sqlite3_value_int64(v)); return true;
    case SQLITE_FLOAT: ag_rows_float(rs, sqlite3_value_double(v)); return true;
    case SQLITE_TEXT: return put_bytes(c, rs, AG_V_TEXT, v, err);
    case SQLITE_BLOB: return put_bytes(c, rs, AG_V_BYTES, v, err);
    default: ag_rows_null(rs); return true;
    }
}

/* An expression's type is inferred, from its first operand or branch: one that gives a value of another plain kind gives it as SQLite
 * holds it (coalesce(age, 'none')). A table's column keeps its promise. */
static bool expression_misfit(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err)
{
    return col->decl ? ag_sqlite_misfit(c, rs, col, v, err) : ag_sqlite_read_any(c, rs, col, v, err);
}

bool ag_sqlite_read_int(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err)
{
    int type = sqlite3_value_type(v);
    if (type == SQLITE_INTEGER) {
        ag_rows_int(rs, AG_V_INT, sqlite3_value_int64(v));
        return true;
    }
    if (type == SQLITE_NULL) {
        ag_rows_null(rs);
        return true;
    }
    if (type == SQLITE_FLOAT && col->strict) {
        double d = sqlite3_value_double(v);
        if (d >= -9007199254740992.0 && d <= 9007199254740992.0 && d == (double)(int64_t)d) {
            ag_rows_int(rs, AG_V_INT, (int64_t)d);
            return true;
        }
    }
    return expression_misfit(c, rs, col, v, err);
}

bool ag_sqlite_read_float(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err)
{
    int type = sqlite3_value_type(v);
    if (type == SQLITE_FLOAT) {
        ag_rows_float(rs, sqlite3_value_double(v));
        return true;
    }
    if (type == SQLITE_NULL) {
        ag_rows_null(rs);
        return true;
    }
    if (type == SQLITE_INTEGER) {
        int64_t i = sqlite3_value_int64(v);
        if (i >= -(INT64_C(1) << 53) && i <= INT64_C(1) << 53) {
            ag_rows_float(rs, (double)i);
            return true;
        }
    }
    return expression_misfit(c, rs, col, v, err);
}

bool ag_sqlite_read_text(ag_sqlite *c, ag_rows *rs, const ag_sqlite_column *col, sqlite3_value *v, ag_error *err)
{
    int type = sqlite3_value_type(v);
    if (type == SQLITE_TEXT)
        return put_bytes(c, rs, AG_V_TEXT, v, err);
    if (type == SQLITE_NULL) {
        ag_rows_null(rs);
        return true;
    }
    return expression_misfit(c, rs, col, v, err);
}

ag_status ag_sqlite_read_row(ag_sqlite *c, const ag_sqlite_stmt *st, ag_rows *rs, ag_error *err)
{
    const ag_services *core = c->base.core;
    const ag_sqlite_column *col = st->columns;
    int n = st->ncolumns;
    if (!core->rows_begin(rs, (unsigned)n))
        return core->fail_nomem(err);
    for (int i = 0; i < n; i++, col++) {
        if (!col->read(c, rs, col, sqlite3_column_value(st->handle, i), err)) {
            core->rows_abandon(rs);
            return AG_ERROR;
        }
    }
    core->rows_end(rs);
    return rs->failed ? core->fail_nomem(err) : AG_OK;
}

/* ---- the plan ---- */

static bool plan_is_current(const ag_sqlite_stmt *st, const ag_type *const *types, uint32_t ntypes)
{
    if (!st->columns || st->prepared_times != sqlite3_stmt_status(st->handle, SQLITE_STMTSTATUS_REPREPARE, 0))
        return false;
    for (int i = 0; i < st->ncolumns; i++) {
        if (st->asked[i] != ((uint32_t)i < ntypes && types ? types[i] : NULL))
            return false;
    }
    return true;
}

static size_t text_size(const char *s)
{
    return s ? strlen(s) + 1 : 0;
}

static const char *take_text(char **at, const char *s, uint32_t *len)
{
    size_t n = text_size(s);
    char *p = *at;
    if (!n)
        return NULL;
    memcpy(p, s, n);
    *at += n;
    *len = (uint32_t)(n - 1);
    return p;
}

ag_status ag_sqlite_plan_columns(ag_sqlite *c, ag_sqlite_stmt *st, const ag_type *const *types, uint32_t ntypes,
                                 ag_error *err)
{
    if (plan_is_current(st, types, ntypes))
        return AG_OK;
    int n = sqlite3_column_count(st->handle);
    size_t size = (size_t)n * (sizeof(ag_sqlite_column) + sizeof(ag_type *));
    for (int i = 0; i < n; i++) {
        if (!sqlite3_column_name(st->handle, i))
            return c->base.core->fail_nomem(err);
        size += text_size(sqlite3_column_name(st->handle, i)) + text_size(sqlite3_column_decltype(st->handle, i));
    }
    ag_sqlite_column *cols = ag_driver_realloc(c->base.alloc, NULL, size + 1);
    if (!cols)
        return c->base.core->fail_nomem(err);
    const ag_type **asked = (const ag_type **)(void *)(cols + n);
    char *at = (char *)(asked + n);
    for (int i = 0; i < n; i++) {
        ag_sqlite_column *col = &cols[i];
        *col = (ag_sqlite_column){.scale = -1};
        col->name = take_text(&at, sqlite3_column_name(st->handle, i), &col->name_len);
        col->decl = take_text(&at, sqlite3_column_decltype(st->handle, i), &col->decl_len);
        asked[i] = (uint32_t)i < ntypes && types ? types[i] : NULL;
        ag_sqlite_pick_reader(c, col, asked[i]);
    }
    ag_driver_free(c->base.alloc, st->columns);
    st->columns = cols;
    st->asked = asked;
    st->ncolumns = n;
    st->block_size = (size_t)(at - (char *)cols);
    st->prepared_times = sqlite3_stmt_status(st->handle, SQLITE_STMTSTATUS_REPREPARE, 0);
    return AG_OK;
}

ag_status ag_sqlite_describe(ag_sqlite *c, const ag_sqlite_stmt *st, ag_reply *reply, ag_error *err)
{
    size_t n = (size_t)st->ncolumns;
    const char *names = (const char *)(st->asked + n);
    size_t nbytes = st->block_size - (size_t)(names - (const char *)st->columns);
    if (!n)
        return AG_OK;
    char *block = c->base.core->arena_new(&reply->arena, n * sizeof(ag_column_info) + nbytes);
    if (!block)
        return c->base.core->fail_nomem(err);
    ag_column_info *info = (ag_column_info *)(void *)block;
    char *copy = block + n * sizeof *info;
    memcpy(copy, names, nbytes);
    for (size_t i = 0; i < n; i++) {
        const ag_sqlite_column *col = &st->columns[i];
        info[i] = (ag_column_info){.name = copy + (col->name - names),
                                   .name_len = col->name_len,
                                   .type = col->type,
                                   .decl = col->decl ? copy + (col->decl - names) : NULL};
    }
    reply->columns = info;
    reply->ncolumns = (uint32_t)n;
    return AG_OK;
}

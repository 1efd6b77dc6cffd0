/* Types as DDL and CAST write them. A dialect's table of type visitors goes first; what stands here is the generic form. */
#include "compile/compiler.h"

#include <string.h>

void ag_c_type_args(ag_compiler *c, const char *name, int32_t a, int32_t b)
{
    ag_c_str(c, name);
    if (a < 0)
        return;
    ag_c_str(c, "(");
    ag_buf_int(&c->out, a);
    if (b >= 0) {
        ag_c_str(c, ", ");
        ag_buf_int(&c->out, b);
    }
    ag_c_str(c, ")");
}

void ag_c_collation(ag_compiler *c, const ag_type *t)
{
    if (!t->collation)
        return;
    ag_c_str(c, " COLLATE ");
    if (t->schema) {
        ag_c_quote(c, (ag_str){t->schema, strlen(t->schema)}, -1);
        ag_c_str(c, ".");
    }
    ag_c_quote(c, (ag_str){t->collation, strlen(t->collation)}, -1);
}

void ag_c_type_name(ag_compiler *c, const ag_type *t, ag_str schema)
{
    if (!t->name) {
        ag_c_fail(c, AG_EXC_COMPILE, "PostgreSQL %s type requires a name.", t->id == AG_TYPE_ENUM ? "ENUM" : "DOMAIN");
        return;
    }
    ag_str name = {t->name, strlen(t->name)};
    schema = ag_c_schema(c, schema);
    if (schema.n) {
        ag_c_quote(c, schema, -1);
        ag_c_str(c, ".");
    } else if (c->d->own_type && c->d->own_type(name)) {
        ag_c_fail(c, AG_EXC_COMPILE,
                  "%s '%s': the database has a type of this name, which would be meant instead; give this one a schema",
                  t->id == AG_TYPE_ENUM ? "ENUM" : "DOMAIN", t->name);
        return;
    }
    ag_c_quote(c, name, -1);
}

static void string_type(ag_compiler *c, const ag_type *t, const char *name)
{
    ag_c_type_args(c, name, t->length > 0 ? t->length : -1, -1);
    ag_c_collation(c, t);
}

/* VARCHAR of the longest label, in characters, or of the length that was asked for. */
static void enum_type(ag_compiler *c, const ag_type *t)
{
    ag_c_type_args(c, "VARCHAR", t->length > 0 ? t->length : -1, -1);
}

static void host_type(ag_compiler *c, const ag_type *t)
{
    ag_str name = {0};
    if (t->name && (!c->host || !c->host->type_name)) { /* get_col_spec */
        ag_c_str(c, t->name);
        return;
    }
    if (!c->host || !c->host->type_name) {
        ag_c_fail(c, AG_EXC_COMPILE, "a user-defined type has no name without its host");
        return;
    }
    if (ag_c_ok(c, c->host->type_name(c->host, t, c->d, &name, &c->tmp, c->err)))
        ag_c_add(c, name);
}

static void null_type(ag_compiler *c)
{
    if (c->d == ag_dialect_ansi())
        ag_c_str(c, "NULL");
    else
        ag_c_fail(c, AG_EXC_COMPILE,
                  "Can't generate DDL for NullType(); did you forget to specify a type on this Column?");
}

/* Types whose DDL is one word whatever their arguments. */
static const char *const plain_names[AG_TYPE_COUNT] = {
    [AG_TYPE_INTEGER] = "INTEGER",
    [AG_TYPE_SQL_INTEGER] = "INTEGER",
    [AG_TYPE_SQL_INT] = "INTEGER",
    [AG_TYPE_SMALLINTEGER] = "SMALLINT",
    [AG_TYPE_SQL_SMALLINT] = "SMALLINT",
    [AG_TYPE_BIGINTEGER] = "BIGINT",
    [AG_TYPE_SQL_BIGINT] = "BIGINT",
    [AG_TYPE_SQL_CLOB] = "CLOB",
    [AG_TYPE_BOOLEAN] = "BOOLEAN",
    [AG_TYPE_SQL_BOOLEAN] = "BOOLEAN",
    [AG_TYPE_FLOAT] = "FLOAT",
    [AG_TYPE_SQL_FLOAT] = "FLOAT",
    [AG_TYPE_DOUBLE] = "DOUBLE",
    [AG_TYPE_SQL_DOUBLE] = "DOUBLE",
    [AG_TYPE_SQL_REAL] = "REAL",
    [AG_TYPE_SQL_DOUBLE_PRECISION] = "DOUBLE PRECISION",
    [AG_TYPE_DATE] = "DATE",
    [AG_TYPE_SQL_DATE] = "DATE",
    [AG_TYPE_TIME] = "TIME",
    [AG_TYPE_SQL_TIME] = "TIME",
    [AG_TYPE_DATETIME] = "DATETIME",
    [AG_TYPE_SQL_DATETIME] = "DATETIME",
    [AG_TYPE_INTERVAL] = "DATETIME",
    [AG_TYPE_SQL_TIMESTAMP] = "TIMESTAMP",
    [AG_TYPE_LARGEBINARY] = "BLOB",
    [AG_TYPE_SQL_BLOB] = "BLOB",
    [AG_TYPE_JSON] = "JSON",
    [AG_TYPE_PG_JSONB] = "JSONB",
};

static void generic_type(ag_compiler *c, const ag_type *t)
{
    int32_t length = t->length > 0 ? t->length : -1;
    if (t->id < AG_TYPE_COUNT && plain_names[t->id]) {
        ag_c_str(c, plain_names[t->id]);
        return;
    }
    switch ((ag_type_id)t->id) {
    case AG_TYPE_NULL: null_type(c); return;
    case AG_TYPE_STRING:
    case AG_TYPE_UNICODE:
    case AG_TYPE_SQL_VARCHAR: string_type(c, t, "VARCHAR"); return;
    case AG_TYPE_TEXT:
    case AG_TYPE_UNICODETEXT:
    case AG_TYPE_SQL_TEXT: string_type(c, t, "TEXT"); return;
    case AG_TYPE_SQL_CHAR: string_type(c, t, "CHAR"); return;
    case AG_TYPE_SQL_NVARCHAR: string_type(c, t, "NVARCHAR"); return;
    case AG_TYPE_SQL_NCHAR: string_type(c, t, "NCHAR"); return;
    case AG_TYPE_NUMERIC:
    case AG_TYPE_SQL_NUMERIC: ag_c_type_args(c, "NUMERIC", t->precision, t->scale); return;
    case AG_TYPE_SQL_DECIMAL: ag_c_type_args(c, "DECIMAL", t->precision, t->scale); return;
    case AG_TYPE_SQL_BINARY: ag_c_type_args(c, "BINARY", length, -1); return;
    case AG_TYPE_SQL_VARBINARY: ag_c_type_args(c, "VARBINARY", length, -1); return;
    case AG_TYPE_ENUM: enum_type(c, t); return;
    case AG_TYPE_SQL_UUID: /* SQLite takes what is declared as UUID for a number: all digits would become one */
        ag_c_str(c, c->d == ag_dialect_sqlite() ? "CHAR(32)" : "UUID");
        return;
    case AG_TYPE_UUID_GENERIC:
        ag_c_str(c, c->d->native_uuid && (t->flags & AG_TYPE_NATIVE) ? "UUID" : "CHAR(32)");
        return;
    case AG_TYPE_USERDEFINED: host_type(c, t); return;
    default: break;
    }
    if (c->d == ag_dialect_ansi())
        ag_c_str(c, ag_type_lua_name(t));
    else
        ag_c_fail(c, AG_EXC_UNSUPPORTED_COMPILATION, "the %s dialect has no type %s", c->d->name, ag_type_lua_name(t));
}

/* A name from a hook of the host (ag.compiles), or a failure. */
static bool type_hooked(ag_compiler *c, const ag_type *t)
{
    ag_str name = {0};
    bool asks = c->host && c->host->type_text &&
                ((c->host->overrides && c->host->overrides->types) || (c->d->overrides && c->d->overrides->types));
    if (!asks || !ag_c_ok(c, c->host->type_text(c->host, t, c->d, &name, &c->tmp, c->err)))
        return c->failed;
    ag_c_add(c, name);
    return name.p != NULL;
}

void ag_c_type(ag_compiler *c, const ag_type *t)
{
    if (c->failed || type_hooked(c, t))
        return;
    t = ag_type_impl(t, c->d->name);
    if (type_hooked(c, t))
        return;
    ag_visit_type_fn fn = t->id < AG_TYPE_COUNT ? c->d->visit_type[t->id] : NULL;
    (fn ? fn : generic_type)(c, t);
}

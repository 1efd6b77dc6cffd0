/* The arguments of types, ag.Numeric(10, 2, {asdecimal = false}): positional ones as SQLAlchemy has them, then options. */
#include "binding/lua_types.h"
#include "value/datetime.h"
#include <string.h>

typedef enum family {
    NONE,
    STRING,
    BINARY,
    NUMERIC,
    FLOAT,
    TEMPORAL,
    DATED,
    BOOLEAN,
    INTERVAL,
    PG_INTERVAL,
    ENUM,
    JSON,
    UUID,
    ARRAY,
    BIT,
    DOMAIN,
    HSTORE,
} family;

static family family_of(const ag_type *t)
{
    switch (t->id) {
    case AG_TYPE_NUMERIC:
    case AG_TYPE_SQL_NUMERIC:
    case AG_TYPE_SQL_DECIMAL: return NUMERIC;
    case AG_TYPE_TIME:
    case AG_TYPE_DATETIME:
    case AG_TYPE_SQL_TIME:
    case AG_TYPE_SQL_DATETIME:
    case AG_TYPE_SQL_TIMESTAMP: return TEMPORAL;
    case AG_TYPE_SQL_DATE: return DATED;
    case AG_TYPE_INTERVAL: return INTERVAL;
    case AG_TYPE_PG_INTERVAL: return PG_INTERVAL;
    case AG_TYPE_ENUM: return ENUM;
    case AG_TYPE_ARRAY: return ARRAY;
    case AG_TYPE_PG_BIT: return BIT;
    case AG_TYPE_PG_DOMAIN: return DOMAIN;
    case AG_TYPE_PG_HSTORE: return HSTORE;
    case AG_TYPE_PG_JSONPATH: return NONE;
    default: break;
    }
    switch (ag_type_affinity(t)) {
    case AG_AFF_STRING: return STRING;
    case AG_AFF_NUMERIC: return FLOAT;
    case AG_AFF_BINARY: return BINARY;
    case AG_AFF_BOOLEAN: return BOOLEAN;
    case AG_AFF_JSON: return JSON;
    case AG_AFF_UUID: return UUID;
    default: return NONE;
    }
}

static const char *const no_options[] = {NULL};
static const char *const options_of[][12] = {
    [STRING] = {"length", "collation", "collation_schema"},
    [BINARY] = {"length"},
    [NUMERIC] = {"precision", "scale", "asdecimal", "decimal_return_scale", "sqlite_text"},
    [FLOAT] = {"precision", "asdecimal", "decimal_return_scale"},
    [TEMPORAL] = {"timezone", "precision", "storage_format", "truncate_microseconds"},
    [DATED] = {"storage_format"},
    [BOOLEAN] = {"create_constraint", "name"},
    [INTERVAL] = {"native", "second_precision", "day_precision"},
    [PG_INTERVAL] = {"precision", "fields"},
    [ENUM] = {"name", "schema", "native_enum", "create_constraint", "length", "validate_strings", "inherit_schema",
              "create_type", "metadata"},
    [JSON] = {"none_as_null", "astext_type"},
    [UUID] = {"as_uuid", "native_uuid"},
    [ARRAY] = {"dimensions", "zero_indexes", "as_tuple"},
    [BIT] = {"length", "varying"},
    [DOMAIN] = {"collation", "collation_schema", "schema", "create_type", "default", "not_null", "check",
                "constraint_name", "constraints", "metadata", "inherit_schema"},
    [HSTORE] = {"text_type"},
};

#define MAX_SIZE 0x7fffffff

typedef struct args {
    lua_State *L;
    ag_type *t;
    int next, last; /* positional arguments next … last */
    int opts;       /* index of the options table, 0 none */
} args;

static int32_t number(args *a, const char *option, int32_t def)
{
    if (a->next <= a->last && !lua_isnil(a->L, a->next))
        def = (int32_t)agl_check_integer(a->L, a->next, 0, MAX_SIZE);
    a->next++;
    if (a->opts)
        def = (int32_t)agl_opt_integer(a->L, a->opts, option, 0, MAX_SIZE, def);
    return def;
}

static int32_t option_number(args *a, const char *option, int32_t def)
{
    return a->opts ? (int32_t)agl_opt_integer(a->L, a->opts, option, 0, MAX_SIZE, def) : def;
}

static const char *text(args *a, const char *option)
{
    size_t n = 0;
    const char *s = a->opts ? agl_opt_string(a->L, a->opts, option, &n) : NULL;
    if (s && strlen(s) != n)
        agl_argerror(a->L, a->opts, "option '%s' contains a NUL byte", option);
    return s;
}

/* The type stays alive in the options table. */
static const ag_type *type_option(args *a, const char *option)
{
    const ag_type *t = NULL;
    if (a->opts && lua_getfield(a->L, a->opts, option) != LUA_TNIL)
        t = agl_check_type(a->L, -1, a->opts);
    if (a->opts)
        lua_pop(a->L, 1);
    return t;
}

static void flag(args *a, const char *option, uint32_t bit)
{
    if (!a->opts)
        return;
    bool on = agl_opt_boolean(a->L, a->opts, option, (a->t->flags & bit) != 0);
    a->t->flags = on ? a->t->flags | bit : a->t->flags & ~bit;
}

/* ---- Enum ---- */

static int count_labels(args *a, int *list)
{
    lua_State *L = a->L;
    *list = 0;
    if (a->next <= a->last && lua_type(L, a->next) == LUA_TTABLE) {
        *list = a->next;
        if (a->last > a->next)
            agl_argerror(L, a->next + 1, "expected the options after the list of labels, got %s",
                         agl_describe(L, a->next + 1, false));
        return (int)lua_rawlen(L, a->next);
    }
    return a->last - a->next + 1;
}

static void check_label(args *a, const char *const *labels, int i, int arg)
{
    lua_State *L = a->L;
    if (lua_type(L, -1) != LUA_TSTRING)
        agl_argerror(L, arg, "label %d: expected a string, got %s", i + 1, agl_describe(L, -1, false));
    if (strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
        agl_argerror(L, arg, "label %d contains a NUL byte", i + 1);
    for (int k = 0; k < i; k++) {
        if (strcmp(labels[k], lua_tostring(L, -1)) == 0)
            agl_argerror(L, arg, "label '%s' occurs twice", lua_tostring(L, -1));
    }
}

static int32_t utf8_length(const char *s)
{
    int32_t n = 0;
    for (; *s; s++)
        n += (*s & 0xc0) != 0x80;
    return n;
}

/* Where a named type lives. */
static void schema_arg(args *a)
{
    a->t->schema = agl_type_schema_option(a->L, a->opts);
    flag(a, "inherit_schema", AG_TYPE_INHERIT_SCHEMA);
    if (a->t->schema && (a->t->flags & AG_TYPE_INHERIT_SCHEMA))
        agl_argerror(a->L, a->opts, "options 'schema' and 'inherit_schema' mean the same");
}

/* {length = ag.null}: a VARCHAR without one. */
static int32_t enum_length(args *a, int32_t longest)
{
    lua_State *L = a->L;
    bool none = false;
    if (a->opts) {
        lua_getfield(L, a->opts, "length");
        none = agl_is_null(L, -1);
        lua_pop(L, 1);
    }
    int32_t length = none ? -1 : option_number(a, "length", longest);
    if (!none && length < longest)
        agl_argerror(L, a->opts, "length %d is shorter than the longest label (%d)", (int)length, (int)longest);
    return length;
}

/* The labels stay alive in their table or on the stack. */
static void enum_args(args *a)
{
    lua_State *L = a->L;
    int list, n = count_labels(a, &list);
    const char *name = text(a, "name");
    if ((n < 1 && !(list && name)) || n > 65535) /* PostgreSQL has enums without labels: they need a name */
        agl_argerror(L, a->next, "expected a list of at least one label");
    const char **labels = agl_scratch(L, (size_t)(n + 1) * sizeof *labels);
    int32_t longest = 0;
    for (int i = 0; i < n; i++) {
        int arg = list ? list : a->next + i;
        if (list)
            lua_rawgeti(L, list, i + 1);
        else
            lua_pushvalue(L, arg);
        check_label(a, labels, i, arg);
        labels[i] = lua_tostring(L, -1);
        longest = utf8_length(labels[i]) > longest ? utf8_length(labels[i]) : longest;
        lua_pop(L, 1);
    }
    a->t->labels = n ? labels : NULL;
    a->t->nlabels = (uint16_t)n;
    a->t->length = enum_length(a, longest);
    a->t->name = name;
    schema_arg(a);
    flag(a, "native_enum", AG_TYPE_NATIVE);
    flag(a, "create_constraint", AG_TYPE_CREATE_CHECK);
    flag(a, "validate_strings", AG_TYPE_VALIDATE);
    if (a->opts && !agl_opt_boolean(L, a->opts, "create_type", true))
        a->t->flags |= AG_TYPE_NO_CREATE;
    a->next = a->last + 1;
}

/* ---- the other families ---- */

static void item_args(args *a)
{
    if (a->next > a->last)
        agl_argerror(a->L, a->next, "expected the type of the elements, got nothing");
    a->t->item = agl_check_type(a->L, a->next, a->next);
    if (a->t->item->id == AG_TYPE_ARRAY)
        agl_argerror(a->L, a->next, "an ARRAY of ARRAYs is written ARRAY(%s, {dimensions = 2})",
                     ag_type_lua_name(a->t->item->item ? a->t->item->item : a->t->item));
    a->next++;
    a->t->dims = option_number(a, "dimensions", -1);
    flag(a, "zero_indexes", AG_TYPE_ZERO_INDEXES);
    if (a->opts)
        (void)agl_opt_boolean(a->L, a->opts, "as_tuple", false);
}

static void domain_args(args *a)
{
    a->t->name = agl_check_string(a->L, a->next, NULL);
    a->t->item = agl_check_type(a->L, a->next + 1, a->next + 1);
    a->next += 2;
    a->t->collation = text(a, "collation");
    schema_arg(a);
    agl_domain_options(a->L, a->opts, a->t);
}

/* Digits of the decimals that are made of floats. */
static int32_t return_scale(args *a)
{
    return a->opts ? (int32_t)agl_opt_integer(a->L, a->opts, "decimal_return_scale", 0, 1000, -1) : -1;
}

static void numeric_args(args *a)
{
    a->t->length = return_scale(a);
    a->t->precision = number(a, "precision", -1);
    a->t->scale = number(a, "scale", -1);
    if (a->t->scale >= 0 && a->t->precision < 0)
        agl_argerror(a->L, 2, "a scale without a precision");
    if (a->t->scale > a->t->precision && a->t->precision >= 0)
        agl_argerror(a->L, 3, "scale %d is larger than precision %d", (int)a->t->scale, (int)a->t->precision);
    flag(a, "asdecimal", AG_TYPE_ASDECIMAL);
    flag(a, "sqlite_text", AG_TYPE_SQLITE_TEXT);
}

/* storage_format of SQLite's DATE, TIME and DATETIME: it must have the fields of its type. */
static void storage_format(args *a)
{
    const unsigned day = 7, clock = 7u << 3;
    bool date = a->t->id == AG_TYPE_SQL_DATE, time = a->t->id == AG_TYPE_SQL_TIME;
    unsigned wanted = date ? day : time ? clock : day | clock;
    if (a->opts && !date && agl_opt_boolean(a->L, a->opts, "truncate_microseconds", false)) {
        a->t->flags |= AG_TYPE_TRUNCATE;
        a->t->name = time ? "%(hour)02d:%(minute)02d:%(second)02d"
                          : "%(year)04d-%(month)02d-%(day)02d %(hour)02d:%(minute)02d:%(second)02d";
    }
    const char *format = text(a, "storage_format");
    if (!format)
        return;
    if (a->t->id != AG_TYPE_SQL_DATE && a->t->id != AG_TYPE_SQL_TIME && a->t->id != AG_TYPE_SQL_DATETIME)
        agl_argerror(a->L, a->opts, "storage_format belongs to DATE, TIME and DATETIME");
    if ((ag_temporal_format_fields(format) & wanted) != wanted)
        agl_argerror(a->L, a->opts, "option 'storage_format': expected text with the fields %s",
                     date   ? "%(year)04d, %(month)02d, %(day)02d"
                     : time ? "%(hour)02d, %(minute)02d, %(second)02d"
                            : "%(year)04d, %(month)02d, %(day)02d, %(hour)02d, %(minute)02d, %(second)02d");
    a->t->name = format;
}

static void temporal_args(args *a)
{
    if (a->next <= a->last && lua_type(a->L, a->next) == LUA_TBOOLEAN) {
        a->t->flags |= lua_toboolean(a->L, a->next) ? AG_TYPE_TIMEZONE : 0u;
        a->next++;
    }
    flag(a, "timezone", AG_TYPE_TIMEZONE);
    a->t->precision = option_number(a, "precision", -1);
}

static void family_args(args *a, family f)
{
    ag_type *t = a->t;
    switch (f) {
    case STRING:
        t->length = number(a, "length", -1);
        t->collation = text(a, "collation");
        t->schema = text(a, "collation_schema");
        if (t->schema && !t->collation)
            agl_argerror(a->L, a->opts, "option 'collation_schema' without 'collation'");
        break;
    case BINARY: t->length = number(a, "length", -1); break;
    case NUMERIC: numeric_args(a); break;
    case FLOAT:
        t->precision = number(a, "precision", -1);
        flag(a, "asdecimal", AG_TYPE_ASDECIMAL);
        t->length = return_scale(a);
        break;
    case TEMPORAL:
        temporal_args(a);
        storage_format(a);
        break;
    case DATED: storage_format(a); break;
    case BOOLEAN:
        flag(a, "create_constraint", AG_TYPE_CREATE_CHECK);
        t->name = text(a, "name");
        break;
    case INTERVAL:
        flag(a, "native", AG_TYPE_NATIVE);
        t->precision = option_number(a, "second_precision", -1);
        (void)option_number(a, "day_precision", -1);
        break;
    case PG_INTERVAL:
        t->precision = number(a, "precision", -1);
        t->name = text(a, "fields");
        break;
    case ENUM: enum_args(a); break;
    case JSON:
        flag(a, "none_as_null", AG_TYPE_NONE_AS_NULL);
        t->item = type_option(a, "astext_type");
        break;
    case HSTORE: t->item = type_option(a, "text_type"); break;
    case UUID:
        flag(a, "as_uuid", AG_TYPE_AS_UUID);
        flag(a, "native_uuid", AG_TYPE_NATIVE);
        break;
    case ARRAY: item_args(a); break;
    case BIT:
        t->length = number(a, "length", -1);
        flag(a, "varying", AG_TYPE_VARYING);
        break;
    case DOMAIN: domain_args(a); break;
    case NONE: break;
    }
}

/* The last argument when it is a table and not Enum's list of labels. */
static int options_at(lua_State *L, family f)
{
    int top = lua_gettop(L);
    if (top < 2 || lua_type(L, top) != LUA_TTABLE)
        return 0;
    return f == ENUM && top == 2 ? 0 : top;
}

void agl_type_args(lua_State *L, ag_type *proto)
{
    family f = family_of(proto);
    args a = {.L = L, .t = proto, .next = 2, .opts = options_at(L, f)};
    a.last = a.opts ? a.opts - 1 : lua_gettop(L);
    if (a.opts)
        agl_check_options(L, a.opts, f == NONE ? no_options : options_of[f]);
    family_args(&a, f);
    if (a.next <= a.last)
        agl_argerror(L, a.next, "%s takes no such argument (got %s)", ag_type_lua_name(proto),
                     agl_describe(L, a.next, false));
}

/* Type objects: the class, its attributes, variants, and the tables of names. How a type's arguments are read is
 * lua_type_args.c, types with Lua hooks are lua_type_hooks.c. */
#include "binding/lua_types.h"
#include "binding/lua_custom.h"
#include "base/buf.h"
#include <string.h>

static const char cache_key; /* registry: light userdata of a type -> its box, weak */
static const char
    spec_key; /* registry: the table a type with hooks was made of -> light userdata of the type, weak keys */

const ag_type *agl_type_at(lua_State *L, int idx)
{
    const agl_type *t = agl_test(L, idx, AGL_K_TYPE);
    return t ? t->type : NULL;
}

void agl_type_spec_set(lua_State *L, int idx, const ag_type *type)
{
    idx = lua_absindex(L, idx);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &spec_key);
    lua_pushvalue(L, idx);
    lua_pushlightuserdata(L, (void *)(uintptr_t)type);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

/* The type whose hooks are in this table: inside a hook `self` stands for the type. NULL: another value. */
static const ag_type *type_of_spec(lua_State *L, int idx)
{
    if (lua_type(L, idx) != LUA_TTABLE)
        return NULL;
    idx = lua_absindex(L, idx);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &spec_key);
    lua_pushvalue(L, idx);
    lua_rawget(L, -2);
    const ag_type *type = lua_touserdata(L, -1);
    lua_pop(L, 2);
    return type;
}

const ag_type *agl_check_type(lua_State *L, int idx, int arg)
{
    const agl_type *t = agl_test(L, idx, AGL_K_TYPE);
    const ag_type *type = t ? t->type : type_of_spec(L, idx);
    if (!type)
        agl_argerror(L, arg, "expected a type (ag.Integer, ag.String(50) …), got %s", agl_describe(L, idx, false));
    return type;
}

void agl_push_type(lua_State *L, const ag_type *type)
{
    if (!type) {
        lua_pushnil(L);
        return;
    }
    luaL_checkstack(L, 6, "type");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &cache_key);
    if (lua_rawgetp(L, -1, type) == LUA_TNIL) {
        lua_pop(L, 1);
        agl_type *t = agl_box_new(L, AGL_K_TYPE, sizeof *t, 0);
        t->type = type;
        lua_pushvalue(L, -1);
        lua_rawsetp(L, -3, type);
    }
    lua_remove(L, -2);
}

int agl_push_type_proto(lua_State *L, const ag_type *proto)
{
    const ag_type *type = NULL;
    ag_error *err = agl_err(L);
    agl_must(L, ag_types_intern(agl_state_get(L)->types, &type, proto, err), err);
    agl_push_type(L, type);
    return 1;
}

static const ag_type *self(lua_State *L)
{
    return ((const agl_type *)agl_check(L, 1, AGL_K_TYPE))->type;
}

/* ---- calling, variants ---- */

/* sqlite.JSONB{…} is another type: what such a decorator's table has under the key below makes it. */
static bool call_maker(lua_State *L, const ag_type *t)
{
    if (t->id != AG_TYPE_DECORATOR || !t->host)
        return false;
    agl_callback_push(L, t->host);
    if (lua_getfield(L, -1, "_with_options") != LUA_TFUNCTION)
        return false;
    lua_remove(L, -2);
    lua_replace(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return true;
}

static int type_call(lua_State *L)
{
    const ag_type *t = self(L);
    if (lua_gettop(L) == 1) {
        lua_settop(L, 1);
        return 1;
    }
    int args = lua_gettop(L);
    if (call_maker(L, t))
        return 1;
    lua_settop(L, args);
    if (t != ag_type_plain((ag_type_id)t->id))
        return agl_error(L, AG_EXC_ARGUMENT, "this %s has its arguments already: call ag.%s(…) instead",
                         ag_type_lua_name(t), ag_type_lua_name(t));
    ag_type proto = ag_type_proto((ag_type_id)t->id);
    int top = lua_gettop(L);
    agl_type_args(L, &proto);
    agl_push_type_proto(L, &proto);
    if (lua_type(L, top) == LUA_TTABLE && (proto.id == AG_TYPE_ENUM || proto.id == AG_TYPE_PG_DOMAIN))
        agl_type_join(L, top);
    return 1;
}

/* type:with_variant(other, "postgresql", …) */
static int type_with_variant(lua_State *L)
{
    ag_type proto = *self(L);
    int top = lua_gettop(L);
    const ag_type *other = agl_check_type(L, 2, 2);
    uint32_t n = proto.nvariants, more = top > 2 ? (uint32_t)(top - 2) : 0;
    if (!more)
        return agl_argerror(L, 3, "expected the name of a dialect, got nothing");
    ag_type_variant *list = agl_scratch(L, (n + more) * sizeof *list);
    if (n)
        memcpy(list, proto.variants, n * sizeof *list);
    for (int i = 3; i <= top; i++) {
        const char *dialect = agl_check_string(L, i, NULL);
        for (uint32_t k = 0; k < n; k++) {
            if (strcmp(list[k].dialect, dialect) == 0)
                return agl_argerror(L, i, "dialect '%s' has a variant already", dialect);
        }
        list[n++] = (ag_type_variant){dialect, other};
    }
    proto.variants = list;
    proto.nvariants = n;
    return agl_push_type_proto(L, &proto);
}

/* type:dialect_impl("postgresql"): the type that is used there */
static int type_dialect_impl(lua_State *L)
{
    const ag_type *t = self(L);
    agl_push_type(L, ag_type_impl(t, agl_check_string(L, 2, NULL)));
    return 1;
}

/* type:evaluates_none(): the same type, whose NULL the ORM writes even where a default would stand for an absent value */
static int type_evaluates_none(lua_State *L)
{
    ag_type proto = *self(L);
    proto.flags |= AG_TYPE_EVALUATES_NONE;
    return agl_push_type_proto(L, &proto);
}

/* The generic type that a vendor's type is a kind of (SQLAlchemy's class hierarchy); NULL: none. */
static ag_type_id generic_id(const ag_type *t)
{
    switch (t->id) {
    case AG_TYPE_SQL_SMALLINT: return AG_TYPE_SMALLINTEGER;
    case AG_TYPE_SQL_BIGINT: return AG_TYPE_BIGINTEGER;
    case AG_TYPE_SQL_INTEGER:
    case AG_TYPE_SQL_INT: return AG_TYPE_INTEGER;
    case AG_TYPE_SQL_TEXT:
    case AG_TYPE_SQL_CLOB:
    case AG_TYPE_PG_CITEXT: return AG_TYPE_TEXT;
    case AG_TYPE_SQL_NVARCHAR:
    case AG_TYPE_SQL_NCHAR: return AG_TYPE_UNICODE;
    case AG_TYPE_SQL_VARCHAR:
    case AG_TYPE_SQL_CHAR: return AG_TYPE_STRING;
    case AG_TYPE_SQL_NUMERIC:
    case AG_TYPE_SQL_DECIMAL: return AG_TYPE_NUMERIC;
    case AG_TYPE_SQL_DOUBLE:
    case AG_TYPE_SQL_DOUBLE_PRECISION: return AG_TYPE_DOUBLE;
    case AG_TYPE_SQL_FLOAT:
    case AG_TYPE_SQL_REAL: return AG_TYPE_FLOAT;
    case AG_TYPE_PG_JSONPATH:
    case AG_TYPE_PG_OID: return AG_TYPE_NULL;
    default: break;
    }
    switch (ag_type_affinity(t)) {
    case AG_AFF_BOOLEAN: return AG_TYPE_BOOLEAN;
    case AG_AFF_DATE: return AG_TYPE_DATE;
    case AG_AFF_TIME: return AG_TYPE_TIME;
    case AG_AFF_DATETIME: return AG_TYPE_DATETIME;
    case AG_AFF_INTERVAL: return AG_TYPE_INTERVAL;
    case AG_AFF_BINARY: return AG_TYPE_LARGEBINARY;
    case AG_AFF_JSON: return AG_TYPE_JSON;
    case AG_AFF_UUID: return AG_TYPE_UUID_GENERIC;
    default: return AG_TYPE_NULL;
    }
}

/* type:as_generic({allow_nulltype = true}) */
static int type_as_generic(lua_State *L)
{
    static const char *const known[] = {"allow_nulltype", NULL};
    const ag_type *t = self(L);
    agl_check_args(L, 2);
    bool allow = agl_check_options(L, 2, known) && agl_opt_boolean(L, 2, "allow_nulltype", false);
    if (t->id < AG_TYPE_SQL_INTEGER) {
        lua_settop(L, 1);
        return 1;
    }
    ag_type_id id = generic_id(t);
    if (id == AG_TYPE_NULL && !allow)
        return agl_error_in(L, AG_EXC_INVALID_REQUEST, "%s has no generic type; {allow_nulltype = true} gives NullType",
                            ag_type_lua_name(t));
    ag_type proto = ag_type_proto(id);
    proto.length = id == AG_TYPE_LARGEBINARY || ag_type_affinity(t) == AG_AFF_STRING ? t->length : -1;
    if (ag_type_affinity(t) == AG_AFF_NUMERIC)
        proto.length = t->length;
    proto.precision = t->precision;
    proto.scale = id == AG_TYPE_NUMERIC ? t->scale : -1;
    proto.collation = ag_type_affinity(t) == AG_AFF_STRING ? t->collation : NULL;
    proto.flags |= t->flags & (AG_TYPE_TIMEZONE | AG_TYPE_NONE_AS_NULL);
    if (id == AG_TYPE_NUMERIC || id == AG_TYPE_FLOAT || id == AG_TYPE_DOUBLE)
        proto.flags = (proto.flags & ~AG_TYPE_ASDECIMAL) | (t->flags & AG_TYPE_ASDECIMAL);
    if (id == AG_TYPE_NULL)
        proto.precision = -1;
    return agl_push_type_proto(L, &proto);
}

/* ---- attributes ---- */

/* A TypeDecorator has the attributes of the type that it decorates. */
static const ag_type *attributes(lua_State *L)
{
    return ag_type_strip(self(L));
}

#define NUMBER(field)                                                                                                  \
    static int type_get_##field(lua_State *L)                                                                          \
    {                                                                                                                  \
        const ag_type *t = attributes(L);                                                                              \
        if (t->field < 0)                                                                                              \
            lua_pushnil(L);                                                                                            \
        else                                                                                                           \
            lua_pushinteger(L, t->field);                                                                              \
        return 1;                                                                                                      \
    }
NUMBER(length)
NUMBER(precision)
NUMBER(scale)
NUMBER(dims)
#undef NUMBER

#define TEXT(field, type)                                                                                              \
    static int type_get_##field(lua_State *L)                                                                          \
    {                                                                                                                  \
        lua_pushstring(L, (type)->field);                                                                              \
        return 1;                                                                                                      \
    }
TEXT(name, self(L))
TEXT(collation, attributes(L))
#undef TEXT

static int type_get_schema(lua_State *L)
{
    const ag_type *t = attributes(L);
    lua_pushstring(L, t->schema && t->schema[0] ? t->schema : NULL);
    return 1;
}

/* What only types of one kind have: nil for all others. */
#define ONLY(name, condition, push)                                                                                    \
    static int type_get_##name(lua_State *L)                                                                           \
    {                                                                                                                  \
        const ag_type *t = attributes(L);                                                                              \
        if (condition)                                                                                                 \
            push;                                                                                                      \
        else                                                                                                           \
            lua_pushnil(L);                                                                                            \
        return 1;                                                                                                      \
    }
ONLY(native_enum, t->id == AG_TYPE_ENUM, lua_pushboolean(L, (t->flags & AG_TYPE_NATIVE) != 0))
ONLY(native_uuid, t->id == AG_TYPE_UUID_GENERIC, lua_pushboolean(L, (t->flags & AG_TYPE_NATIVE) != 0))
ONLY(second_precision, t->id == AG_TYPE_INTERVAL && t->precision >= 0, lua_pushinteger(L, t->precision))
ONLY(decimal_return_scale, ag_type_affinity(t) == AG_AFF_NUMERIC && t->length >= 0, lua_pushinteger(L, t->length))
ONLY(fields, t->id == AG_TYPE_PG_INTERVAL, lua_pushstring(L, t->name))
ONLY(text_type, t->id == AG_TYPE_PG_HSTORE, agl_push_type(L, t->item ? t->item : ag_type_plain(AG_TYPE_TEXT)))
ONLY(astext_type, t->id == AG_TYPE_JSON || t->id == AG_TYPE_PG_JSONB,
     agl_push_type(L, t->item ? t->item : ag_type_plain(AG_TYPE_TEXT)))
ONLY(data_type, t->id == AG_TYPE_PG_DOMAIN, agl_push_type(L, t->item))
#undef ONLY

static int type_get_collation_schema(lua_State *L)
{
    const ag_type *t = attributes(L);
    if (t->id == AG_TYPE_PG_DOMAIN)
        lua_pushstring(L, t->nlabels > 1 && t->labels[1][0] ? t->labels[1] : NULL);
    else
        lua_pushstring(L, t->collation ? t->schema : NULL);
    return 1;
}

#define FLAG(name, bit)                                                                                                \
    static int type_get_##name(lua_State *L)                                                                           \
    {                                                                                                                  \
        lua_pushboolean(L, (attributes(L)->flags & (bit)) != 0);                                                       \
        return 1;                                                                                                      \
    }
FLAG(timezone, AG_TYPE_TIMEZONE)
FLAG(asdecimal, AG_TYPE_ASDECIMAL)
FLAG(native, AG_TYPE_NATIVE)
FLAG(create_constraint, AG_TYPE_CREATE_CHECK)
FLAG(none_as_null, AG_TYPE_NONE_AS_NULL)
FLAG(validate_strings, AG_TYPE_VALIDATE)
FLAG(varying, AG_TYPE_VARYING)
FLAG(zero_indexes, AG_TYPE_ZERO_INDEXES)
FLAG(inherit_schema, AG_TYPE_INHERIT_SCHEMA)
#undef FLAG

/* JSON writes NULL as JSON null unless none_as_null is set */
static int type_get_should_evaluate_none(lua_State *L)
{
    const ag_type *t = self(L);
    lua_pushboolean(L, ag_type_writes_null(t) || (t->flags & AG_TYPE_EVALUATES_NONE));
    return 1;
}

static int type_get_create_type(lua_State *L)
{
    lua_pushboolean(L, !(attributes(L)->flags & AG_TYPE_NO_CREATE));
    return 1;
}

static int type_get_cache_ok(lua_State *L)
{
    lua_pushboolean(L, (self(L)->flags & AG_TYPE_CACHE_OK) != 0);
    return 1;
}

static int type_get_item(lua_State *L)
{
    agl_push_type(L, attributes(L)->item);
    return 1;
}

static int type_get_impl(lua_State *L)
{
    agl_push_type(L, self(L)->item);
    return 1;
}

static int type_get_enums(lua_State *L)
{
    const ag_type *t = attributes(L);
    if (t->id != AG_TYPE_ENUM) {
        lua_pushnil(L);
        return 1;
    }
    lua_createtable(L, t->nlabels, 0);
    for (unsigned i = 0; i < t->nlabels; i++) {
        lua_pushstring(L, t->labels[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* "Integer", "VARCHAR": the name of the class, without arguments */
static int type_get_class_name(lua_State *L)
{
    lua_pushstring(L, ag_type_lua_name(self(L)));
    return 1;
}

/* The table a TypeDecorator or UserDefinedType was made from. */
static int type_get_spec(lua_State *L)
{
    agl_callback_push(L, self(L)->host);
    return 1;
}

/* JSON.NULL */
static int type_get_null(lua_State *L)
{
    if (ag_type_affinity(self(L)) != AG_AFF_JSON)
        return agl_error(L, AG_EXC_ARGUMENT, "type has no attribute 'NULL'");
    lua_getglobal(L, "require");
    lua_pushliteral(L, "argent.json");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "NULL");
    return 1;
}

/* ---- text ---- */

typedef struct text_box {
    agl_box box;
    ag_buf buf;
    agl_state *st;
} text_box;

static int text_gc(lua_State *L)
{
    text_box *b = lua_touserdata(L, 1);
    if (b->st) {
        ag_buf_clear(&b->buf);
        agl_state_unref(b->st);
        b->st = NULL;
    }
    return 0;
}

static int type_tostring(lua_State *L)
{
    const ag_type *t = attributes(L);
    text_box *b = agl_box_new(L, AGL_K_TEXT_BUFFER, sizeof *b, 0);
    b->st = agl_state_ref(L);
    ag_buf_init(&b->buf, &b->st->alloc);
    ag_type_describe(&b->buf, t);
    if (!ag_buf_ok(&b->buf)) {
        ag_error *err = agl_err(L);
        agl_must(L, ag_fail_nomem(err), err);
    }
    lua_pushlstring(L, b->buf.data, b->buf.len);
    ag_buf_clear(&b->buf);
    return 1;
}

/* ---- opening ---- */

static const luaL_Reg type_methods[] = {{"with_variant", type_with_variant},
                                        {"compile", agl_type_compile},
                                        {"dialect_impl", type_dialect_impl},
                                        {"as_generic", type_as_generic},
                                        {"evaluates_none", type_evaluates_none},
                                        {"create", agl_type_create},
                                        {"drop", agl_type_drop},
                                        {NULL, NULL}};
static const luaL_Reg type_getters[] = {{"length", type_get_length},
                                        {"precision", type_get_precision},
                                        {"scale", type_get_scale},
                                        {"dimensions", type_get_dims},
                                        {"name", type_get_name},
                                        {"schema", type_get_schema},
                                        {"collation", type_get_collation},
                                        {"collation_schema", type_get_collation_schema},
                                        {"timezone", type_get_timezone},
                                        {"asdecimal", type_get_asdecimal},
                                        {"native", type_get_native},
                                        {"native_enum", type_get_native_enum},
                                        {"native_uuid", type_get_native_uuid},
                                        {"second_precision", type_get_second_precision},
                                        {"decimal_return_scale", type_get_decimal_return_scale},
                                        {"fields", type_get_fields},
                                        {"text_type", type_get_text_type},
                                        {"astext_type", type_get_astext_type},
                                        {"data_type", type_get_data_type},
                                        {"create_constraint", type_get_create_constraint},
                                        {"none_as_null", type_get_none_as_null},
                                        {"validate_strings", type_get_validate_strings},
                                        {"varying", type_get_varying},
                                        {"zero_indexes", type_get_zero_indexes},
                                        {"cache_ok", type_get_cache_ok},
                                        {"inherit_schema", type_get_inherit_schema},
                                        {"create_type", type_get_create_type},
                                        {"should_evaluate_none", type_get_should_evaluate_none},
                                        {"default", agl_type_get_default},
                                        {"not_null", agl_type_get_not_null},
                                        {"check", agl_type_get_check},
                                        {"constraint_name", agl_type_get_constraint_name},
                                        {"constraints", agl_type_get_constraints},
                                        {"item_type", type_get_item},
                                        {"impl", type_get_impl},
                                        {"enums", type_get_enums},
                                        {"class_name", type_get_class_name},
                                        {"spec", type_get_spec},
                                        {"NULL", type_get_null},
                                        {NULL, NULL}};
static const luaL_Reg type_meta[] = {{"__call", type_call}, {"__tostring", type_tostring}, {NULL, NULL}};
static const agl_class type_class = {
    .name = "type", .methods = type_methods, .getters = type_getters, .meta = type_meta};
static const luaL_Reg text_meta[] = {{"__gc", text_gc}, {NULL, NULL}};
static const agl_class text_class = {.name = "text buffer", .meta = text_meta};

static void set_plain(lua_State *L, int table, ag_type_id id)
{
    agl_push_type(L, ag_type_plain(id));
    lua_setfield(L, table, ag_type_lua_name(ag_type_plain(id)));
}

/* ORDER ag_type_id: PostgreSQL's own come last; TypeDecorator and UserDefinedType are functions. */
static void set_names(lua_State *L)
{
    int core = lua_gettop(L);
    for (int id = AG_TYPE_NULL; id < AG_TYPE_PG_BYTEA; id++) {
        if (id != AG_TYPE_DECORATOR && id != AG_TYPE_USERDEFINED)
            set_plain(L, core, (ag_type_id)id);
    }
    lua_newtable(L);
    for (int id = AG_TYPE_PG_BYTEA; id < AG_TYPE_COUNT; id++)
        set_plain(L, core + 1, (ag_type_id)id);
    agl_push_type(L, ag_type_plain(AG_TYPE_ARRAY));
    lua_setfield(L, core + 1, "ARRAY");
    agl_push_type(L, ag_type_plain(AG_TYPE_ENUM));
    lua_setfield(L, core + 1, "ENUM");
    lua_setfield(L, core, "postgresql_types");
    agl_internal_name(L, core, "postgresql_types");
}

static void open_weak(lua_State *L, const char *mode, const void *key)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushstring(L, mode);
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void agl_open_types(lua_State *L)
{
    agl_class_open(L, AGL_K_TYPE, &type_class);
    agl_class_open(L, AGL_K_TEXT_BUFFER, &text_class);
    open_weak(L, "v", &cache_key);
    open_weak(L, "k", &spec_key);
    set_names(L);
    agl_open_type_hooks(L);
}

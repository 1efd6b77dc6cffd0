/* Dialects made in Lua: a copy of one of ours with other features, words and operators, whose hooks (argent.custom) write what
 * differs. They live as long as the state, since engines, caches and compiled statements point to them. */
#include "binding/lua_custom.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct made {
    agl_dialect dialect; /* first */
    ag_arena arena;      /* its texts */
} made;

void agl_dialects_free(agl_state *st)
{
    while (st->dialects) {
        made *m = (made *)st->dialects;
        st->dialects = m->dialect.next;
        ag_arena_clear(&m->arena);
        free(m);
    }
}

const ag_dialect *agl_dialect_find(agl_state *st, const char *name, size_t len)
{
    for (const agl_dialect *d = st->dialects; d; d = d->next)
        if (strlen(d->d.name) == len && memcmp(d->d.name, name, len) == 0)
            return &d->d;
    return ag_dialect_find(name, len);
}

const ag_dialect *agl_dialect_base(const agl_state *st, const ag_dialect *d)
{
    for (const agl_dialect *m = st->dialects; m; m = m->next)
        if (&m->d == d)
            return m->base;
    return NULL;
}

const ag_dialect *agl_dialect_at(lua_State *L, int idx)
{
    size_t n;
    idx = lua_absindex(L, idx);
    const ag_dialect *d = NULL;
    int top = lua_gettop(L);
    if (lua_type(L, idx) == LUA_TTABLE) {
        lua_pushliteral(L, "name");
        lua_rawget(L, idx);
        idx = top + 1;
    }
    if (lua_type(L, idx) == LUA_TSTRING) {
        const char *name = lua_tolstring(L, idx, &n);
        d = agl_dialect_find(agl_state_get(L), name, n);
    }
    lua_settop(L, top);
    return d;
}

/* ---- making one ---- */

#define FEATURE(name)                                                                                                  \
    {                                                                                                                  \
#name, offsetof(ag_dialect, name)                                                                              \
    }
static const struct feature {
    const char *name;
    size_t offset;
} features[] = {
    FEATURE(native_boolean),
    FEATURE(ilike),
    FEATURE(native_decimal),
    FEATURE(native_enum),
    FEATURE(native_uuid),
    FEATURE(native_arrays),
    FEATURE(lateral),
    FEATURE(tablesample),
    FEATURE(distinct_on),
    FEATURE(nulls_order),
    FEATURE(fetch_first),
    FEATURE(compound_brackets),
    FEATURE(values_brackets_alias_columns),
    FEATURE(update_from),
    FEATURE(delete_using),
    FEATURE(update_table_alias),
    FEATURE(returning_insert),
    FEATURE(returning_update),
    FEATURE(returning_delete),
    FEATURE(implicit_returning),
    FEATURE(lastrowid),
    FEATURE(default_values),
    FEATURE(default_metavalue),
    FEATURE(multi_values),
    FEATURE(upsert),
    FEATURE(sequences),
    FEATURE(comments),
    FEATURE(schemas),
    FEATURE(alter_constraints),
    FEATURE(inline_comments),
    FEATURE(identity_columns),
    FEATURE(computed_columns),
    FEATURE(tuple_in_values),
    FEATURE(empty_in_select),
    FEATURE(backslash_escapes),
    FEATURE(long_fractions),
    FEATURE(div_is_floordiv),
    FEATURE(limit_needs_value),
    FEATURE(returning_qualified),
    FEATURE(refuse_long_names),
};

static void *memory(lua_State *L, made *m, size_t size)
{
    void *p = ag_arena_new(&m->arena, size);
    if (!p)
        agl_error(L, AG_EXC_MEMORY, "out of memory");
    return p;
}

static const char *text(lua_State *L, made *m, int idx)
{
    size_t n;
    const char *s = agl_check_string(L, idx, &n);
    char *p = memory(L, m, n + 1);
    memcpy(p, s, n + 1);
    return p;
}

static void read_features(lua_State *L, made *m, int t)
{
    if (agl_opt_push(L, t, "features") == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    int list = lua_gettop(L);
    agl_check_table(L, list);
    for (lua_pushnil(L); lua_next(L, list); lua_pop(L, 1)) {
        const char *name = agl_check_string(L, -2, NULL), *known[sizeof features / sizeof *features + 1] = {0};
        const struct feature *found = NULL;
        for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
            known[i] = features[i].name;
            found = strcmp(name, features[i].name) == 0 ? &features[i] : found;
        }
        if (!found)
            agl_unknown(L, AG_EXC_ARGUMENT, "dialect feature", name, known);
        if (!lua_isboolean(L, -1))
            agl_opt_error(L, name, "a boolean");
        *(bool *)((char *)&m->dialect.d + found->offset) = lua_toboolean(L, -1);
    }
    lua_pop(L, 1);
}

/* The reserved words, a list sorted by Lua. */
static void read_reserved(lua_State *L, made *m, int t)
{
    if (agl_opt_push(L, t, "reserved_words") != LUA_TNIL) {
        agl_check_table(L, lua_gettop(L));
        size_t n = lua_rawlen(L, -1);
        const char **words = memory(L, m, (n + 1) * sizeof *words);
        for (size_t i = 0; i < n; i++) {
            lua_rawgeti(L, -1, (lua_Integer)i + 1);
            words[i] = text(L, m, -1);
            lua_pop(L, 1);
        }
        m->dialect.d.reserved = words;
        m->dialect.d.nreserved = n;
    }
    lua_pop(L, 1);
}

static ag_op_id check_operator(lua_State *L, int idx)
{
    const char *name = agl_check_string(L, idx, NULL), *known[AG_OP_COUNT + 1] = {0};
    for (int op = 1; op < AG_OP_COUNT; op++) {
        known[op - 1] = ag_op_get((ag_op_id)op)->name;
        if (strcmp(known[op - 1], name) == 0)
            return (ag_op_id)op;
    }
    agl_unknown(L, AG_EXC_ARGUMENT, "operator", name, known);
    return AG_OP_NONE;
}

static size_t count(lua_State *L, int t)
{
    size_t n = 0;
    for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1))
        n++;
    return n;
}

/* operators = {concat = " + "}: before those of the base, so that they are found first. A visitor of the base's gives way. */
static void read_operators(lua_State *L, made *m, int t)
{
    if (agl_opt_push(L, t, "operators") != LUA_TNIL) {
        int list = lua_gettop(L);
        agl_check_table(L, list);
        size_t n = 0, old = 0;
        const ag_op_text *base = m->dialect.d.op_texts;
        while (base && base[old].op != AG_OP_NONE)
            old++;
        ag_op_text *texts = memory(L, m, (count(L, list) + old + 1) * sizeof *texts);
        for (lua_pushnil(L); lua_next(L, list); lua_pop(L, 1), n++) {
            texts[n] = (ag_op_text){.op = (uint16_t)check_operator(L, -2), .text = text(L, m, -1)};
            m->dialect.d.visit_op[texts[n].op] = NULL;
        }
        if (old)
            memcpy(texts + n, base, old * sizeof *texts);
        texts[n + old] = (ag_op_text){AG_OP_NONE, NULL};
        m->dialect.d.op_texts = texts;
    }
    lua_pop(L, 1);
}

static void read_precedences(lua_State *L, made *m, int t)
{
    if (agl_opt_push(L, t, "precedences") != LUA_TNIL) {
        int list = lua_gettop(L);
        agl_check_table(L, list);
        size_t n = 0;
        ag_op_precedence *out = memory(L, m, (count(L, list) + 1) * sizeof *out);
        for (lua_pushnil(L); lua_next(L, list); lua_pop(L, 1), n++)
            out[n] = (ag_op_precedence){(uint16_t)check_operator(L, -2), (int16_t)agl_check_integer(L, -1, -100, 100)};
        out[n] = (ag_op_precedence){AG_OP_NONE, 0};
        m->dialect.d.precedences = out;
    }
    lua_pop(L, 1);
}

static void read_words(lua_State *L, made *m, int t)
{
    static const char *const styles[] = {"qmark", "numeric_dollar", "named", NULL};
    size_t n;
    const char *quotes = agl_opt_string(L, t, "identifier_quote", &n),
               *style = agl_opt_string(L, t, "paramstyle", NULL);
    if (quotes && (n < 1 || n > 2))
        agl_error(L, AG_EXC_ARGUMENT,
                  "option 'identifier_quote' of ag.dialects.register: expected one character, or an opening and a "
                  "closing one (\"[]\")");
    if (quotes) {
        m->dialect.d.quote_open = quotes[0];
        m->dialect.d.quote_close = quotes[n - 1];
    }
    for (int i = 0; style && styles[i]; i++) {
        if (strcmp(style, styles[i]) != 0)
            continue;
        m->dialect.d.param_style = (ag_param_style)i;
        style = NULL;
    }
    if (style)
        agl_unknown(L, AG_EXC_ARGUMENT, "paramstyle", style, styles);
    m->dialect.d.max_identifier =
        (uint32_t)agl_opt_integer(L, t, "max_identifier_length", 1, 9999, m->dialect.d.max_identifier);
    const char *agg = agl_opt_string(L, t, "string_agg", NULL);
    if (agg)
        m->dialect.d.string_agg = strcpy(memory(L, m, strlen(agg) + 1), agg);
}

/* overrides = {"cast", "limit", "type", …}: the constructs with hooks. Those of the base give way to them by being asked later. */
static void read_overrides(lua_State *L, made *m, int t)
{
    m->dialect.d.overrides = &m->dialect.overrides;
    if (agl_opt_push(L, t, "overrides") != LUA_TTABLE)
        agl_opt_error(L, "overrides", "a table of names");
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++, lua_pop(L, 1)) {
        const char *name = lua_tostring(L, -1);
        if (strcmp(name, "limit") == 0)
            m->dialect.d.limit = ag_c_limit_hooked;
        m->dialect.overrides.types |= strcmp(name, "type") == 0;
        for (unsigned k = 1; k < AG_K_COUNT; k++)
            if (strcmp(ag_kind_get(k)->name, name) == 0)
                m->dialect.overrides.kinds[k >> 6] |= (uint64_t)1 << (k & 63);
    }
    lua_pop(L, 2);
}

/* dialect_new(name, base, spec): argent.dialects checked the spec's keys. */
static int dialect_new(lua_State *L)
{
    agl_state *st = agl_state_get(L);
    const ag_dialect *base = agl_dialect_at(L, 2);
    (void)agl_check_string(L, 1, NULL);
    if (!base)
        return agl_typeerror(L, 2, "the name of a dialect");
    agl_check_table(L, 3);
    made *m = calloc(1, sizeof *m);
    if (!m)
        return agl_error(L, AG_EXC_MEMORY, "out of memory");
    ag_arena_init(&m->arena, &st->alloc);
    m->dialect.d = *base;
    m->dialect.base = base;
    m->dialect.d.name = ""; /* found by nobody until it is whole */
    m->dialect.next = st->dialects;
    st->dialects = &m->dialect; /* owned by the state from here on, whatever raises */
    m->dialect.overrides = base->overrides ? *base->overrides : m->dialect.overrides;
    read_words(L, m, 3);
    read_features(L, m, 3);
    read_reserved(L, m, 3);
    read_operators(L, m, 3);
    read_precedences(L, m, 3);
    read_overrides(L, m, 3);
    m->dialect.d.name = text(L, m, 1);
    return 0;
}

static int dialect_exists(lua_State *L)
{
    lua_pushboolean(L, agl_dialect_at(L, 1) != NULL);
    return 1;
}

/* dialect_features(name) → its features under SQLAlchemy's names */
static int dialect_features(lua_State *L)
{
    const ag_dialect *d = agl_dialect_at(L, 1);
    if (!d)
        return agl_typeerror(L, 1, "the name of a dialect");
    const struct {
        const char *name;
        bool is;
    } known[] = {{"supports_native_boolean", d->native_boolean},
                 {"supports_native_decimal", d->native_decimal},
                 {"supports_native_enum", d->native_enum},
                 {"supports_native_uuid", d->native_uuid},
                 {"supports_sequences", d->sequences},
                 {"supports_comments", d->comments},
                 {"inline_comments", d->inline_comments},
                 {"supports_schemas", d->schemas},
                 {"supports_alter", d->alter_constraints},
                 {"supports_identity_columns", d->identity_columns},
                 {"supports_default_values", d->default_values},
                 {"supports_default_metavalue", d->default_metavalue},
                 {"supports_multivalues_insert", d->multi_values},
                 {"insert_returning", d->returning_insert},
                 {"update_returning", d->returning_update},
                 {"delete_returning", d->returning_delete},
                 {"tuple_in_values", d->tuple_in_values},
                 {"div_is_floordiv", d->div_is_floordiv},
                 {"postfetch_lastrowid", d->lastrowid}};
    static const char *const styles[] = {"qmark", "numeric_dollar", "named"};
    lua_newtable(L);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        lua_pushboolean(L, known[i].is);
        lua_setfield(L, -2, known[i].name);
    }
    lua_pushinteger(L, d->max_identifier);
    lua_setfield(L, -2, "max_identifier_length");
    lua_pushstring(L, styles[d->param_style]);
    lua_setfield(L, -2, "paramstyle");
    return 1;
}

static const luaL_Reg functions[] = {{"dialect_features", dialect_features},
                                     {"dialect_new", dialect_new},
                                     {"dialect_exists", dialect_exists},
                                     {NULL, NULL}};

void agl_open_dialect(lua_State *L)
{
    agl_functions_internal(L, functions);
}

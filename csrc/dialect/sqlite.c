/* SQLite 3.35 and later. */
#include "dialect/sqlite.h"

#include "value/datetime.h"
#include "value/decimal.h"

#include "compile/visitors.h"

#include <string.h>

/* SQLAlchemy's SQLiteIdentifierPreparer.reserved_words, and "nothing", "recursive", "returning", "with", which SQLite 3.40
 * does not take everywhere as they are either. */
static const char *const reserved[] = {"add",          "after",
                                       "all",          "alter",
                                       "analyze",      "and",
                                       "as",           "asc",
                                       "attach",       "autoincrement",
                                       "before",       "begin",
                                       "between",      "by",
                                       "cascade",      "case",
                                       "cast",         "check",
                                       "collate",      "column",
                                       "commit",       "conflict",
                                       "constraint",   "create",
                                       "cross",        "current_date",
                                       "current_time", "current_timestamp",
                                       "database",     "default",
                                       "deferrable",   "deferred",
                                       "delete",       "desc",
                                       "detach",       "distinct",
                                       "drop",         "each",
                                       "else",         "end",
                                       "escape",       "except",
                                       "exclusive",    "exists",
                                       "explain",      "fail",
                                       "false",        "for",
                                       "foreign",      "from",
                                       "full",         "glob",
                                       "group",        "having",
                                       "if",           "ignore",
                                       "immediate",    "in",
                                       "index",        "indexed",
                                       "initially",    "inner",
                                       "insert",       "instead",
                                       "intersect",    "into",
                                       "is",           "isnull",
                                       "join",         "key",
                                       "left",         "like",
                                       "limit",        "match",
                                       "natural",      "not",
                                       "nothing",      "notnull",
                                       "null",         "of",
                                       "offset",       "on",
                                       "or",           "order",
                                       "outer",        "plan",
                                       "pragma",       "primary",
                                       "query",        "raise",
                                       "recursive",    "references",
                                       "reindex",      "rename",
                                       "replace",      "restrict",
                                       "returning",    "right",
                                       "rollback",     "row",
                                       "select",       "set",
                                       "table",        "temp",
                                       "temporary",    "then",
                                       "to",           "transaction",
                                       "trigger",      "true",
                                       "union",        "unique",
                                       "update",       "using",
                                       "vacuum",       "values",
                                       "view",         "virtual",
                                       "when",         "where",
                                       "with"};

/* How tightly operators bind on SQLite (sqlite.org/lang_expr.html). */
static const ag_op_precedence precedences[] = {
    {AG_OP_CONCAT, 9},     {AG_OP_MUL, 8},        {AG_OP_DIV, 8},     {AG_OP_MOD, 8},
    {AG_OP_ADD, 7},        {AG_OP_SUB, 7},        {AG_OP_BIT_AND, 6}, {AG_OP_BIT_OR, 6},
    {AG_OP_BIT_LSHIFT, 6}, {AG_OP_BIT_RSHIFT, 6}, {AG_OP_NONE, 0},
};

static const ag_op_text op_texts[] = {
    {AG_OP_IS_DISTINCT, " IS NOT "},          {AG_OP_IS_NOT_DISTINCT, " IS "}, {AG_OP_REGEXP_MATCH, " REGEXP "},
    {AG_OP_NOT_REGEXP_MATCH, " NOT REGEXP "}, {AG_OP_MATCH, " MATCH "},        {AG_OP_NONE, NULL},
};

/* ---- operators ---- */

/* (a | b) - (a & b): SQLite has no XOR. */
static void bit_xor(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_str(c, "((");
    ag_c_binary_text(c, n, " | ", k);
    ag_c_str(c, ") - (");
    ag_c_binary_text(c, n, " & ", k);
    ag_c_str(c, "))");
}

static void truediv(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_left(c, n, k);
    ag_c_str(c, " / (");
    ag_c_right(c, n, k);
    ag_c_str(c, " + 0.0)");
}

static void not_match(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_str(c, "NOT ");
    ag_c_binary_text(c, n, " MATCH ", k);
}

static void tuple(ag_compiler *c, const ag_node *n, unsigned k)
{
    if (k & AG_KW_COLUMNS)
        ag_c_fail(c, AG_EXC_COMPILE, "SQLite cannot select a tuple_(): select its members");
    else
        ag_visit_tuple(c, n, k);
}

static void no_items(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)n;
    (void)k;
    ag_c_fail(c, AG_EXC_UNSUPPORTED_COMPILATION,
              "SQLite has no arrays: at() and slice() of an ARRAY cannot be written");
}

static void json_getitem(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_binary *e = AG_AS(binary, BINARY, n);
    bool json = ag_type_affinity(n->type) == AG_AFF_JSON;
    k &= AG_KW_DOWN;
    ag_c_str(c, json ? "JSON_QUOTE(JSON_EXTRACT(" : "CAST(JSON_EXTRACT(");
    ag_c_left(c, n, k);
    ag_c_str(c, ", ");
    ag_c_visit_json_index(c, e->right, k);
    if (json) {
        ag_c_str(c, "))");
        return;
    }
    ag_c_str(c, ") AS ");
    ag_c_type(c, n->type);
    ag_c_str(c, ")");
}

/* (expr || text) COLLATE … needs no visitor; regexp_replace has no function of SQLite's. */
static void extract(ag_compiler *c, const ag_node *n, unsigned k)
{
    static const char *const map[][2] = {
        {"month", "%m"}, {"day", "%d"},    {"year", "%Y"},  {"second", "%S"}, {"hour", "%H"},
        {"doy", "%j"},   {"minute", "%M"}, {"epoch", "%s"}, {"dow", "%w"},    {"week", "%W"},
    };
    const ag_n_extract *e = AG_AS(extract, EXTRACT, n);
    ag_str field = ag_nstr_get(e, e->field);
    for (size_t i = 0; i < sizeof map / sizeof *map; i++) {
        if (!ag_str_is_word(field, map[i][0]))
            continue;
        ag_c_str(c, "CAST(STRFTIME('");
        ag_c_str(c, map[i][1]);
        ag_c_str(c, "', ");
        ag_c_visit(c, e->operand, k & AG_KW_DOWN);
        ag_c_str(c, ") AS INTEGER)");
        return;
    }
    ag_c_fail(c, AG_EXC_COMPILE, "%.*s is not a valid extract argument.", (int)field.n, field.p);
}

/* A table function's name is no value here: its column of that name is (json_each, generate_series). */
static void from_value(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_visit_from_value(c, n, k);
    if (AG_AS(from_value, FROM_VALUE, n)->from->kind == AG_K_TABLE_FUNC)
        ag_c_str(c, ".value");
}

static void between(ag_compiler *c, const ag_node *n, unsigned k)
{
    if (n->flags & AG_BETWEEN_SYMMETRIC)
        ag_c_fail(c, AG_EXC_COMPILE, "SQLite has no BETWEEN SYMMETRIC");
    else
        ag_visit_between(c, n, k);
}

/* ---- functions ---- */

static void now(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)n, (void)k;
    ag_c_str(c, "CURRENT_TIMESTAMP");
}

static void localtimestamp(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)n, (void)k;
    ag_c_str(c, "DATETIME(CURRENT_TIMESTAMP, 'localtime')");
}

static void char_length(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_str(c, "length(");
    ag_c_args(c, n, k);
    ag_c_str(c, ")");
}

/* ---- clauses ---- */

static void constant(ag_compiler *c, int64_t value)
{
    ag_value v = ag_value_int(value);
    const ag_node *n = ag_literal(&c->b, &v, ag_type_plain(AG_TYPE_INTEGER), false);
    if (!n)
        ag_c_ok(c, AG_ERROR);
    else
        ag_c_visit(c, n, c->o->literal_binds ? AG_KW_LITERAL : 0);
}

/* SQLAlchemy writes the OFFSET always. FETCH FIRST is a LIMIT here. */
static void limit(ag_compiler *c, const ag_node *select, const ag_limits *l)
{
    unsigned k = c->o->literal_binds ? AG_KW_LITERAL : 0;
    const ag_node *count = l->limit ? l->limit : l->fetch;
    (void)select;
    if (l->fetch && (l->flags & (AG_FETCH_TIES | AG_FETCH_PERCENT))) {
        ag_c_fail(c, AG_EXC_COMPILE, "SQLite has no FETCH FIRST … %s",
                  l->flags & AG_FETCH_TIES ? "WITH TIES" : "PERCENT");
        return;
    }
    ag_c_str(c, " LIMIT ");
    if (count)
        ag_c_visit(c, count, k);
    else
        constant(c, -1);
    ag_c_str(c, " OFFSET ");
    if (l->offset)
        ag_c_visit(c, l->offset, k);
    else
        constant(c, 0);
}

static void for_update(ag_compiler *c, const ag_n_for_update *f)
{
    (void)c, (void)f; /* one writer at a time anyway */
}

static void empty_set(ag_compiler *c, const ag_type *const *types, uint32_t n)
{
    (void)types;
    for (int twice = 0; twice < 2; twice++) {
        ag_c_str(c, twice ? " FROM (SELECT " : "SELECT ");
        for (uint32_t i = 0; i < n; i++)
            ag_c_str(c, i ? ", 1" : "1");
    }
    ag_c_str(c, ") WHERE 1!=1");
}

/* ---- types, literals ---- */

static void numeric(ag_compiler *c, const ag_type *t)
{
    if (t->flags & AG_TYPE_SQLITE_TEXT)
        ag_c_str(c, "TEXT");
    else
        ag_c_type_args(c, "NUMERIC", t->precision, t->scale);
}

/* Stored as digits only, a value must not become a number: CHAR gives the column the affinity TEXT. */
static void dated(ag_compiler *c, const ag_type *t)
{
    char sample[AG_TEMPORAL_MAX];
    ag_value zero = {.kind = AG_V_DATETIME};
    size_t n = t->name ? ag_temporal_format(sample, t->name, &zero) : 0;
    ag_c_str(c, ag_type_lua_name(t));
    if (n && strspn(sample, "0123456789") == n)
        ag_c_str(c, "_CHAR");
}

static bool formatted_literal(ag_compiler *c, const ag_value *v, const ag_type *t)
{
    char text[AG_TEMPORAL_MAX];
    bool dated_type = t->id == AG_TYPE_SQL_DATE || t->id == AG_TYPE_SQL_TIME || t->id == AG_TYPE_SQL_DATETIME;
    bool value = v->kind == AG_V_DATE || v->kind == AG_V_TIME || v->kind == AG_V_DATETIME;
    if (!dated_type || !t->name || !value)
        return false;
    size_t n = ag_temporal_format(text, t->name, v);
    if (n)
        ag_c_string(c, (ag_str){text, n});
    else
        ag_c_fail(c, AG_EXC_COMPILE, "the storage_format takes years from 0 to 9999");
    return true;
}

/* As the driver stores them: zoned ones in UTC, so that texts compare. */
static void datetime_literal(ag_compiler *c, ag_value v)
{
    char text[AG_TEMPORAL_MAX];
    if (v.u.i == INT64_MIN || v.u.i == INT64_MAX) {
        ag_c_fail(c, AG_EXC_COMPILE, "SQLite has no infinite dates");
        return;
    }
    v.offset = 0;
    ag_c_string(c, (ag_str){text, ag_temporal_write(text, &v, ' ', 6)});
}

/* A length of time is the datetime so long after 1970. */
static void interval_literal(ag_compiler *c, const ag_interval *iv)
{
    int64_t us;
    if (iv->months || __builtin_mul_overflow((int64_t)iv->days, AG_US_PER_DAY, &us) ||
        __builtin_add_overflow(us, iv->us, &us) || us < INT64_C(-62135596800000000) || us > INT64_C(253402300799999999))
        ag_c_fail(c, AG_EXC_COMPILE,
                  "SQLite stores intervals as a length of time: months have none, and it has limits");
    else
        datetime_literal(c, (ag_value){.kind = AG_V_DATETIME, .u.i = us});
}

/* Would SQLite make another number of it? It keeps 64-bit integers and 15 digits of others, as the driver binds them. */
static bool rounded(const ag_str *s)
{
    const char *dot = memchr(s->p, '.', s->n);
    size_t whole = dot ? (size_t)(dot - s->p) : s->n, end = s->n;
    int significant, scale;
    int64_t i;
    while (dot && end > whole + 1 && s->p[end - 1] == '0')
        end--;
    if (end <= whole + 1 && ag_parse_int64(s->p, whole, &i))
        return false;
    ag_decimal_digits(s->p, end, &significant, &scale);
    return significant > 15;
}

static bool literal(ag_compiler *c, const ag_value *v, const ag_type *t)
{
    if (formatted_literal(c, v, t))
        return true;
    if (v->kind == AG_V_DATETIME || v->kind == AG_V_INTERVAL) {
        if (v->kind == AG_V_DATETIME)
            datetime_literal(c, *v);
        else
            interval_literal(c, &v->u.iv);
        return true;
    }
    if (v->kind == AG_V_FLOAT && (v->u.f > 1.7976931348623157e308 || v->u.f < -1.7976931348623157e308)) {
        ag_c_str(c, v->u.f > 0 ? "9e999" : "(-9e999)");
        return true;
    }
    if (v->kind == AG_V_DECIMAL && (t->flags & AG_TYPE_SQLITE_TEXT)) {
        ag_c_string(c, v->u.s);
        return true;
    }
    if (v->kind == AG_V_DECIMAL && rounded(&v->u.s)) {
        ag_c_fail(
            c, AG_EXC_DATA,
            "the decimal %.*s has more than the 15 digits that a NUMERIC column of SQLite keeps; declare the column as "
            "ag.Numeric(p, s, {sqlite_text = true}) to store it exactly",
            (int)(v->u.s.n > 60 ? 60 : v->u.s.n), v->u.s.p);
        return true;
    }
    return false;
}

static const ag_dialect sqlite = {
    .name = "sqlite",
    .param_style = AG_PARAM_QMARK,
    .max_identifier = 9999,
    .reserved = reserved,
    .nreserved = sizeof reserved / sizeof *reserved,
    .string_agg = "group_concat",
    .nulls_order = true,
    .update_from = true,
    .update_table_alias = true,
    .returning_insert = true,
    .returning_update = true,
    .returning_delete = true,
    .lastrowid = true,
    .null_key_numbers = true,
    .upsert_returns_inserted_only = true,
    .conflict_where_literal = true,
    .default_values = true,
    .multi_values = true,
    .upsert = true,
    .schemas = true,
    .computed_columns = true,
    .tuple_in_values = true,
    .empty_in_select = true,
    .long_fractions = true,
    .limit_needs_value = true,
    .div_is_floordiv = true,
    .path_form = AG_PATH_DOLLAR,
    .array_form = AG_ARRAY_FORM_JSON,
    .array_form_above = 1000,
    .op_texts = op_texts,
    .precedences = precedences,
    .visit = {[AG_K_EXTRACT] = extract, [AG_K_TUPLE] = tuple, [AG_K_FROM_VALUE] = from_value, [AG_K_BETWEEN] = between},
    .visit_op = {[AG_OP_BIT_XOR] = bit_xor,
                 [AG_OP_DIV] = truediv,
                 [AG_OP_NOT_MATCH] = not_match,
                 [AG_OP_GETITEM] = no_items,
                 [AG_OP_JSON_GETITEM] = json_getitem,
                 [AG_OP_JSON_PATH_GETITEM] = json_getitem},
    .visit_func = {[AG_FUNC_NOW] = now, [AG_FUNC_LOCALTIMESTAMP] = localtimestamp, [AG_FUNC_CHAR_LENGTH] = char_length},
    .visit_type = {[AG_TYPE_NUMERIC] = numeric,
                   [AG_TYPE_SQL_NUMERIC] = numeric,
                   [AG_TYPE_SQL_DATE] = dated,
                   [AG_TYPE_SQL_TIME] = dated,
                   [AG_TYPE_SQL_DATETIME] = dated},
    .limit = limit,
    .for_update = for_update,
    .empty_set = empty_set,
    .literal = literal,
    .default_text = ag_sqlite_default_text,
    .column_tail = ag_sqlite_column_tail,
    .omits = ag_sqlite_omits,
    .constraint_tail = ag_sqlite_constraint_tail,
    .table_tail = ag_sqlite_table_tail,
    .index_tail = ag_sqlite_index_tail,
    .index_in_schema = true,
    .parse_create = ag_sqlite_parse_create,
};

const ag_dialect *ag_dialect_sqlite(void)
{
    return &sqlite;
}

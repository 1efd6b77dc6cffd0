/* PostgreSQL 12 and later. */
#include "compile/visitors.h"

#include "dialect/postgresql.h"

#include <string.h>

/* SQLAlchemy's postgresql RESERVED_WORDS, and "collation", "concurrently", "lateral", "tablesample": reserved words that may name
 * functions or types, but no tables and columns. */
static const char *const reserved[] = {"all",
                                       "analyse",
                                       "analyze",
                                       "and",
                                       "any",
                                       "array",
                                       "as",
                                       "asc",
                                       "asymmetric",
                                       "authorization",
                                       "between",
                                       "binary",
                                       "both",
                                       "case",
                                       "cast",
                                       "check",
                                       "collate",
                                       "collation",
                                       "column",
                                       "concurrently",
                                       "constraint",
                                       "create",
                                       "cross",
                                       "current_catalog",
                                       "current_date",
                                       "current_role",
                                       "current_schema",
                                       "current_time",
                                       "current_timestamp",
                                       "current_user",
                                       "default",
                                       "deferrable",
                                       "desc",
                                       "distinct",
                                       "do",
                                       "else",
                                       "end",
                                       "except",
                                       "false",
                                       "fetch",
                                       "for",
                                       "foreign",
                                       "freeze",
                                       "from",
                                       "full",
                                       "grant",
                                       "group",
                                       "having",
                                       "ilike",
                                       "in",
                                       "initially",
                                       "inner",
                                       "intersect",
                                       "into",
                                       "is",
                                       "isnull",
                                       "join",
                                       "lateral",
                                       "leading",
                                       "left",
                                       "like",
                                       "limit",
                                       "localtime",
                                       "localtimestamp",
                                       "natural",
                                       "new",
                                       "not",
                                       "notnull",
                                       "null",
                                       "of",
                                       "off",
                                       "offset",
                                       "old",
                                       "on",
                                       "only",
                                       "or",
                                       "order",
                                       "outer",
                                       "over",
                                       "overlaps",
                                       "placing",
                                       "primary",
                                       "references",
                                       "returning",
                                       "right",
                                       "select",
                                       "session_user",
                                       "similar",
                                       "some",
                                       "symmetric",
                                       "table",
                                       "tablesample",
                                       "then",
                                       "to",
                                       "trailing",
                                       "true",
                                       "union",
                                       "unique",
                                       "user",
                                       "using",
                                       "variadic",
                                       "verbose",
                                       "when",
                                       "where",
                                       "window",
                                       "with"};

/* How tightly operators bind on PostgreSQL (section 4.1.6 of its manual): all that are not listed there are alike. */
static const ag_op_precedence precedences[] = {
    {AG_OP_MUL, 9},        {AG_OP_DIV, 9},     {AG_OP_MOD, 9},    {AG_OP_ADD, 8},     {AG_OP_SUB, 8},
    {AG_OP_CONCAT, 7},     {AG_OP_BIT_AND, 7}, {AG_OP_BIT_OR, 7}, {AG_OP_BIT_XOR, 7}, {AG_OP_BIT_LSHIFT, 7},
    {AG_OP_BIT_RSHIFT, 7}, {AG_OP_BIT_NOT, 7}, {AG_OP_NONE, 0},
};

static const ag_op_text op_texts[] = {
    {AG_OP_BIT_XOR, " # "},
    {AG_OP_NONE, NULL},
};

/* ---- operators ---- */

static void arrow(ag_compiler *c, const ag_node *n, const char *text, unsigned k)
{
    bool brackets = (k & AG_KW_OPERATOR) != 0;
    ag_c_str(c, brackets ? "(" : "");
    if (n->op == AG_OP_JSON_PATH_GETITEM) {
        k |= AG_KW_OPERATOR;
        ag_c_left(c, n, k);
        ag_c_str(c, text);
        ag_c_visit_json_index(c, AG_AS(binary, BINARY, n)->right, k & AG_KW_DOWN);
    } else {
        ag_c_binary_text(c, n, text, k);
    }
    ag_c_str(c, brackets ? ")" : "");
}

/* doc['a'], an element that an UPDATE can set; what is subscripted stands in brackets when it is a call, a cast or a bind. */
static void subscript(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_kind left = (ag_kind)AG_AS(binary, BINARY, n)->left->kind;
    bool brackets = left == AG_K_FUNC || left == AG_K_CAST || left == AG_K_BIND;
    ag_c_str(c, brackets ? "(" : "");
    ag_c_left(c, n, brackets ? k & ~AG_KW_OPERATOR : k);
    ag_c_str(c, brackets ? ")[" : "[");
    ag_c_right(c, n, k);
    ag_c_str(c, "]");
}

/* doc -> 'a', on JSONB doc['a'] (from PostgreSQL 14 on, as SQLAlchemy); a part read as another type is the text of it, cast. */
static void json_getitem(ag_compiler *c, const ag_node *n, unsigned k)
{
    bool path = n->op == AG_OP_JSON_PATH_GETITEM;
    if (ag_type_affinity(n->type) == AG_AFF_JSON || ag_type_affinity(n->type) == AG_AFF_NULL) {
        const ag_type *left = ag_type_impl(AG_AS(binary, BINARY, n)->left->type, "postgresql");
        if (!path && left->id == AG_TYPE_PG_JSONB)
            subscript(c, n, k);
        else
            arrow(c, n, path ? " #> " : " -> ", k);
        return;
    }
    ag_c_str(c, "CAST(");
    arrow(c, n, path ? " #>> " : " ->> ", k);
    ag_c_str(c, " AS ");
    ag_c_type(c, n->type);
    ag_c_str(c, ")");
}

static void getitem(ag_compiler *c, const ag_node *n, unsigned k)
{
    if (ag_type_impl(AG_AS(binary, BINARY, n)->left->type, "postgresql")->id == AG_TYPE_PG_HSTORE) {
        subscript(c, n, k);
        return;
    }
    ag_c_left(c, n, k);
    ag_c_str(c, "[");
    ag_c_right(c, n, k);
    ag_c_str(c, "]");
}

static void match_text(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_str config = ag_nstr_get(n, AG_AS(binary, BINARY, n)->modifier);
    ag_c_left(c, n, k);
    ag_c_str(c, " @@ plainto_tsquery(");
    if (config.n) {
        ag_c_string(c, config);
        ag_c_str(c, ", ");
    }
    ag_c_right(c, n, k);
    ag_c_str(c, ")");
}

static void not_match(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_str(c, "NOT ");
    match_text(c, n, k);
}

static void regexp(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_str flags = ag_nstr_get(n, AG_AS(binary, BINARY, n)->modifier);
    bool negated = n->op == AG_OP_NOT_REGEXP_MATCH, i = flags.n == 1 && *flags.p == 'i';
    if (!flags.n || i) {
        ag_c_binary_text(c, n, negated ? (i ? " !~* " : " !~ ") : i ? " ~* " : " ~ ", k);
        return;
    }
    ag_c_left(c, n, k);
    ag_c_str(c, negated ? " !~ CONCAT('(?', " : " ~ CONCAT('(?', ");
    ag_c_string(c, flags);
    ag_c_str(c, ", ')', ");
    ag_c_right(c, n, k);
    ag_c_str(c, ")");
}

static void regexp_replace(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_binary *e = AG_AS(binary, BINARY, n);
    ag_str flags = ag_nstr_get(e, e->modifier);
    ag_c_str(c, "REGEXP_REPLACE(");
    ag_c_left(c, n, k);
    ag_c_str(c, ", ");
    ag_c_visit(c, e->right, k & AG_KW_DOWN);
    if (flags.n) {
        ag_c_str(c, ", ");
        ag_c_string(c, flags);
    }
    ag_c_str(c, ")");
}

/* ---- functions ---- */

static void pow_func(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_str(c, "power(");
    ag_c_args(c, n, k);
    ag_c_str(c, ")");
}

/* SUBSTRING(x FROM start FOR length), of a pattern without length */
static void substring(ag_compiler *c, const ag_node *n, unsigned k)
{
    static const char *const before[] = {"SUBSTRING(", " FROM ", " FOR "};
    const ag_n_func *f = AG_AS(func, FUNC, n);
    if (f->args.n < 2 || f->args.n > 3) {
        ag_c_fail(c, AG_EXC_COMPILE, "substring takes two or three arguments, not %u", f->args.n);
        return;
    }
    for (uint32_t i = 0; i < f->args.n; i++) {
        ag_c_str(c, before[i]);
        ag_c_visit_operand(c, ag_nlist_at(f, f->args, i), AG_OP_COMMA, k & AG_KW_DOWN);
    }
    ag_c_str(c, ")");
}

static void sequence_name(ag_buf *out, ag_compiler *c, const ag_sequence *s)
{
    ag_str schema = ag_c_schema(c, s->schema);
    if (schema.n && ag_c_ok(c, ag_quote_identifier(out, c->d, schema, s->quote_schema, c->err)))
        ag_buf_char(out, '.');
    if (!c->failed)
        ag_c_ok(c, ag_quote_identifier(out, c->d, s->name, s->quote, c->err));
}

static void next_value(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)k;
    ag_buf name;
    ag_buf_init(&name, c->alloc);
    sequence_name(&name, c, AG_AS(next_value, NEXT_VALUE, n)->sequence);
    ag_c_str(c, "nextval(");
    if (!ag_buf_ok(&name))
        ag_c_nomem(c);
    else
        ag_c_string(c, (ag_str){name.data, name.len});
    ag_c_str(c, ")");
    ag_buf_clear(&name);
}

/* ---- clauses ---- */

static void limit(ag_compiler *c, const ag_node *select, const ag_limits *l)
{
    unsigned k = c->o->literal_binds ? AG_KW_LITERAL : 0;
    (void)select;
    if (l->limit) {
        ag_c_str(c, " LIMIT ");
        ag_c_visit(c, l->limit, k);
    }
    if (l->offset) {
        ag_c_str(c, l->fetch ? " OFFSET (" : l->limit ? " OFFSET " : " LIMIT ALL OFFSET ");
        ag_c_visit(c, l->offset, k);
        ag_c_str(c, l->fetch ? ") ROWS" : "");
    }
    if (!l->fetch)
        return;
    ag_c_str(c, " FETCH FIRST (");
    ag_c_visit(c, l->fetch, k);
    ag_c_str(c, l->flags & AG_FETCH_PERCENT ? ") PERCENT" : ")");
    ag_c_str(c, l->flags & AG_FETCH_TIES ? " ROWS WITH TIES" : " ROWS ONLY");
}

/* FOR UPDATE OF takes names, each FROM's once. */
static void lock_target(ag_compiler *c, const ag_node *n)
{
    if (n->kind == AG_K_TABLE)
        ag_c_quote(c, AG_AS(table, TABLE, n)->table->name, AG_AS(table, TABLE, n)->table->quote);
    else
        ag_c_quote_from(c, n);
}

typedef struct locked {
    const ag_node *seen[64];
    size_t n;
    bool written;
} locked;

static void lock_one(ag_compiler *c, locked *l, const ag_node *e)
{
    const ag_node *from = ag_node_is(e, AG_CLASS_FROM) ? e : ag_column_from(e);
    for (size_t j = 0; from && j < l->n; j++) {
        if (ag_from_same(l->seen[j], from))
            return;
    }
    ag_c_str(c, l->written ? ", " : " OF ");
    l->written = true;
    if (from)
        lock_target(c, from);
    else /* text(), literal_column() */
        ag_c_visit(c, e, 0);
    if (from && l->n < sizeof l->seen / sizeof *l->seen)
        l->seen[l->n++] = from;
}

/* A join stands for its tables, the right one first (SQLAlchemy: surface_selectables_only). */
static void lock_targets(ag_compiler *c, const ag_n_for_update *f)
{
    locked l = {.n = 0};
    for (uint32_t i = 0; i < f->of.n && !c->failed; i++) {
        const ag_node *stack[64];
        size_t depth = 0;
        stack[depth++] = ag_nlist_at(f, f->of, i);
        while (depth && !c->failed) {
            const ag_node *e = stack[--depth];
            if (e->kind != AG_K_JOIN) {
                lock_one(c, &l, e);
            } else if (depth + 2 > sizeof stack / sizeof *stack) {
                ag_c_fail(c, AG_EXC_COMPILE, "FOR UPDATE OF a join nested deeper than %d", 63);
            } else {
                stack[depth++] = AG_AS(join, JOIN, e)->left;
                stack[depth++] = AG_AS(join, JOIN, e)->right;
            }
        }
    }
}

static void for_update(ag_compiler *c, const ag_n_for_update *f)
{
    unsigned flags = f->node.flags;
    bool share = (flags & AG_FOR_UPDATE_KEY_SHARE) != 0;
    if (flags & AG_FOR_UPDATE_READ)
        ag_c_str(c, share ? " FOR KEY SHARE" : " FOR SHARE");
    else
        ag_c_str(c, share ? " FOR NO KEY UPDATE" : " FOR UPDATE");
    lock_targets(c, f);
    ag_c_str(c, flags & AG_FOR_UPDATE_NOWAIT ? " NOWAIT" : "");
    ag_c_str(c, flags & AG_FOR_UPDATE_SKIP_LOCKED ? " SKIP LOCKED" : "");
}

static void distinct(ag_compiler *c, const ag_n_select *s, unsigned k)
{
    ag_c_str(c, "DISTINCT ON (");
    ag_c_visit_list(c, s, s->distinct_on, ", ", k);
    ag_c_str(c, ") ");
}

/* with_hint(t, "ONLY") */
static bool only(ag_compiler *c, const ag_node *from)
{
    const ag_node *stmt = c->frame ? c->frame->stmt : NULL;
    const ag_nlist *hints = NULL;
    if (stmt && stmt->kind == AG_K_SELECT)
        hints = &AG_AS(select, SELECT, stmt)->hints;
    else if (stmt && stmt->kind == AG_K_UPDATE)
        hints = &AG_AS(update, UPDATE, stmt)->hints;
    else if (stmt && stmt->kind == AG_K_DELETE)
        hints = &AG_AS(delete, DELETE, stmt)->hints;
    for (uint32_t i = 0; hints && i < hints->n; i++) {
        const ag_n_hint *h = AG_AS(hint, HINT, ag_nlist_at(stmt, *hints, i));
        ag_str d = ag_nstr_get(h, h->dialect), text = ag_nstr_get(h, h->text);
        if (!h->from || !ag_from_same(h->from, from) ||
            (d.n && *d.p != '*' && (d.n != 10 || memcmp(d.p, "postgresql", 10) != 0)))
            continue;
        if (text.n == 4 && strncasecmp(text.p, "ONLY", 4) == 0)
            return true;
        ag_c_fail(c, AG_EXC_COMPILE, "Unrecognized hint: '%.*s'", (int)text.n, text.p);
    }
    return false;
}

static void table(ag_compiler *c, const ag_node *n, unsigned k)
{
    if (only(c, n))
        ag_c_str(c, "ONLY ");
    ag_visit_table(c, n, k);
}

static void table_clause(ag_compiler *c, const ag_node *n, unsigned k)
{
    if (only(c, n))
        ag_c_str(c, "ONLY ");
    ag_visit_table_clause(c, n, k);
}

static void alias(ag_compiler *c, const ag_node *n, unsigned k)
{
    if (!(n->flags & AG_ALIAS_EXCLUDED) && only(c, n))
        ag_c_str(c, "ONLY ");
    ag_visit_alias(c, n, k);
}

static void empty_set(ag_compiler *c, const ag_type *const *types, uint32_t n)
{
    ag_c_str(c, "SELECT ");
    for (uint32_t i = 0; i < n; i++) {
        ag_c_str(c, i ? ", CAST(NULL AS " : "CAST(NULL AS ");
        ag_c_type(c,
                  ag_type_impl(types[i], "postgresql")->id == AG_TYPE_NULL ? ag_type_plain(AG_TYPE_INTEGER) : types[i]);
        ag_c_str(c, ")");
    }
    ag_c_str(c, " WHERE 1!=1");
}

/* Placeholders whose type the server would guess wrongly, as SQLAlchemy's psycopg2 dialect casts them. */
static void bind_cast(ag_compiler *c, const ag_type *t)
{
    t = ag_type_impl(t, "postgresql");
    switch (ag_type_affinity(t)) {
    case AG_AFF_JSON:
    case AG_AFF_RANGE:
    case AG_AFF_MULTIRANGE: break;
    case AG_AFF_ARRAY:
        if (!t->item || t->item->id == AG_TYPE_NULL)
            return;
        break;
    case AG_AFF_UUID:
        if (t->id == AG_TYPE_UUID_GENERIC && !(t->flags & AG_TYPE_NATIVE))
            return;
        break;
    default: return; /* BIT(n) would cut or fill the value */
    }
    ag_c_str(c, "::");
    ag_c_type(c, t);
}

static const ag_dialect postgresql = {
    .name = "postgresql",
    .param_style = AG_PARAM_DOLLAR,
    .max_identifier = 63,
    .refuse_long_names = true,
    .reserved = reserved,
    .nreserved = sizeof reserved / sizeof *reserved,
    .native_boolean = true,
    .ilike = true,
    .string_agg = "string_agg",
    .takes_any = ag_postgresql_takes_any,
    .own_type = ag_postgresql_own_type,
    .native_decimal = true,
    .native_enum = true,
    .native_uuid = true,
    .native_arrays = true,
    .lateral = true,
    .tablesample = true,
    .distinct_on = true,
    .nulls_order = true,
    .fetch_first = true,
    .compound_brackets = true,
    .values_brackets_alias_columns = true,
    .update_from = true,
    .delete_using = true,
    .update_table_alias = true,
    .returning_insert = true,
    .returning_update = true,
    .returning_delete = true,
    .implicit_returning = true,
    .returning_qualified = true,
    .default_values = true,
    .default_metavalue = true,
    .multi_values = true,
    .upsert = true,
    .upsert_one = true,
    .conflict_constraint = true,
    .sequences = true,
    .comments = true,
    .schemas = true,
    .alter_constraints = true,
    .identity_columns = true,
    .materialized_views = true,
    .replaces_views = true,
    .computed_columns = true,
    .backslash_escapes = true,
    .div_is_floordiv = true,
    .path_form = AG_PATH_BRACES,
    .array_form = AG_ARRAY_FORM_NATIVE,
    .array_form_above = 1000,
    .op_texts = op_texts,
    .precedences = precedences,
    .visit = {[AG_K_ARRAY] = ag_postgresql_visit_array,
              [AG_K_NEXT_VALUE] = next_value,
              [AG_K_TABLE] = table,
              [AG_K_TABLE_CLAUSE] = table_clause,
              [AG_K_ALIAS] = alias},
    .visit_op = {[AG_OP_JSON_GETITEM] = json_getitem,
                 [AG_OP_JSON_PATH_GETITEM] = json_getitem,
                 [AG_OP_GETITEM] = getitem,
                 [AG_OP_MATCH] = match_text,
                 [AG_OP_NOT_MATCH] = not_match,
                 [AG_OP_REGEXP_MATCH] = regexp,
                 [AG_OP_NOT_REGEXP_MATCH] = regexp,
                 [AG_OP_REGEXP_REPLACE] = regexp_replace},
    .visit_func = {[AG_FUNC_POW] = pow_func, [AG_FUNC_SUBSTRING] = substring},
    .visit_type = AG_POSTGRESQL_TYPES,
    .limit = limit,
    .for_update = for_update,
    .distinct = distinct,
    .empty_set = empty_set,
    .bind_cast = bind_cast,
    .values_cast = ag_postgresql_label_cast,
    .literal = ag_postgresql_literal,
    .serial = ag_postgresql_serial,
    .constraint_middle = ag_postgresql_constraint_middle,
    .constraint_tail = ag_postgresql_constraint_tail,
    .unique_word = ag_postgresql_unique_word,
    .exclude = ag_postgresql_exclude,
    .table_tail = ag_postgresql_table_tail,
    .table_word = ag_postgresql_table_word,
    .index_word = ag_postgresql_index_word,
    .index_using = ag_postgresql_index_using,
    .index_item = ag_postgresql_index_item,
    .index_tail = ag_postgresql_index_tail,
    .view_tail = ag_postgresql_view_tail,
    .stored_default = true,
    .fk_action = ag_postgresql_fk_action,
};

const ag_dialect *ag_dialect_postgresql(void)
{
    return &postgresql;
}

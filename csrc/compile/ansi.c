/* The default dialect: what print(stmt) shows. ANSI text with :names, true and false, and forms of its own where ANSI has none. */
#include "compile/visitors.h"

#include <string.h>

/* SQLAlchemy's compiler.RESERVED_WORDS. */
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
                                       "column",
                                       "constraint",
                                       "create",
                                       "cross",
                                       "current_date",
                                       "current_role",
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
                                       "off",
                                       "offset",
                                       "old",
                                       "on",
                                       "only",
                                       "or",
                                       "order",
                                       "outer",
                                       "overlaps",
                                       "placing",
                                       "primary",
                                       "references",
                                       "right",
                                       "select",
                                       "session_user",
                                       "set",
                                       "similar",
                                       "some",
                                       "symmetric",
                                       "table",
                                       "then",
                                       "to",
                                       "trailing",
                                       "true",
                                       "union",
                                       "unique",
                                       "user",
                                       "using",
                                       "verbose",
                                       "when",
                                       "where"};

static void limit(ag_compiler *c, const ag_node *select, const ag_limits *l)
{
    (void)select;
    if (l->limit) {
        ag_c_str(c, " LIMIT ");
        ag_c_visit(c, l->limit, 0);
    }
    if (l->offset) {
        ag_c_str(c, l->limit || l->fetch ? " OFFSET " : " LIMIT -1 OFFSET ");
        ag_c_visit(c, l->offset, 0);
        ag_c_str(c, l->fetch ? " ROWS" : "");
    }
    if (l->fetch) {
        ag_c_str(c, " FETCH FIRST ");
        ag_c_visit(c, l->fetch, 0);
        ag_c_str(c, l->flags & AG_FETCH_PERCENT ? " PERCENT" : "");
        ag_c_str(c, l->flags & AG_FETCH_TIES ? " ROWS WITH TIES" : " ROWS ONLY");
    }
}

static void for_update(ag_compiler *c, const ag_n_for_update *f)
{
    (void)f;
    ag_c_str(c, " FOR UPDATE");
}

static const ag_dialect ansi = {
    .name = "default",
    .param_style = AG_PARAM_NAMED,
    .max_identifier = 9999,
    .reserved = reserved,
    .nreserved = sizeof reserved / sizeof *reserved,
    .native_boolean = true,
    .native_decimal = true,
    .native_enum = true,
    .native_uuid = true,
    .native_arrays = true,
    .lateral = true,
    .tablesample = true,
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
    .returning_qualified = true,
    .default_values = true,
    .multi_values = true,
    .upsert = true,
    .conflict_constraint = true,
    .sequences = true,
    .comments = true,
    .schemas = true,
    .alter_constraints = true,
    .identity_columns = true,
    .materialized_views = true,
    .replaces_views = true,
    .computed_columns = true,
    .div_is_floordiv = true,
    .lastrowid = true,
    .limit = limit,
    .for_update = for_update,
};

const ag_dialect *ag_dialect_ansi(void)
{
    return &ansi;
}

const ag_dialect *ag_dialect_find(const char *name, size_t len)
{
    const ag_dialect *all[] = {ag_dialect_ansi(), ag_dialect_sqlite(), ag_dialect_postgresql()};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strlen(all[i]->name) == len && memcmp(all[i]->name, name, len) == 0)
            return all[i];
    }
    return NULL;
}

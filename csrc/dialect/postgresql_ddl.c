/* PostgreSQL's DDL: SERIAL for keys that the database numbers, and what stands behind CREATE TABLE's closing bracket. */
#include "compile/visit_ddl.h"
#include "dialect/postgresql.h"

/* SERIAL and its sizes stand for the autoincrement column without a default of its own; other columns are written the ANSI way. */
void ag_postgresql_column_type(ag_compiler *c, const ag_column *col)
{
    bool optional_sequence = col->def.kind == AG_DEFAULT_SEQUENCE && col->def.sequence->optional;
    if (!col->primary_key || col->table->autoincrement_column != col || col->identity ||
        col->server_default.kind != AG_SERVER_DEFAULT_NONE || (col->def.kind != AG_DEFAULT_NONE && !optional_sequence))
        return;
    switch (ag_type_impl(col->type, "postgresql")->id) {
    case AG_TYPE_BIGINTEGER:
    case AG_TYPE_SQL_BIGINT: ag_c_str(c, "BIGSERIAL"); break;
    case AG_TYPE_SMALLINTEGER:
    case AG_TYPE_SQL_SMALLINT: ag_c_str(c, "SMALLSERIAL"); break;
    default: ag_c_str(c, "SERIAL"); break;
    }
}

static void text_option(ag_compiler *c, const ag_options *o, const char *name, const char *before, bool quoted)
{
    ag_str text = ag_option_text(o, "postgresql", name);
    if (!text.p)
        return;
    ag_c_str(c, before);
    if (quoted)
        ag_c_quote(c, text, -1);
    else
        ag_c_add(c, text);
}

static void inherits(ag_compiler *c, const ag_options *o)
{
    const ag_option *parents = ag_option_find(o, "postgresql", "inherits");
    if (!parents)
        return;
    ag_c_str(c, "\n INHERITS (");
    if (parents->value.kind == AG_V_TEXT)
        ag_c_quote(c, parents->value.u.s, -1);
    for (uint32_t i = 0; i < parents->npairs; i++) {
        ag_c_str(c, i ? ", " : "");
        ag_c_quote(c, parents->pairs[i].value, -1);
    }
    ag_c_str(c, ")");
}

static void with(ag_compiler *c, const ag_options *o)
{
    const ag_option *list = ag_option_find(o, "postgresql", "with");
    for (uint32_t i = 0; list && i < list->npairs; i++) {
        ag_c_str(c, i ? ", " : "\n WITH (");
        ag_c_quote(c, list->pairs[i].key, -1);
        ag_c_str(c, " = ");
        ag_c_add(c, list->pairs[i].value);
    }
    if (list && list->npairs)
        ag_c_str(c, ")");
}

/* postgresql_on_commit takes one of the words that the standard knows. */
static void on_commit(ag_compiler *c, const ag_options *o)
{
    static const char *const words[] = {"PRESERVE ROWS", "DELETE ROWS", "DROP", NULL};
    ag_str text = ag_option_text(o, "postgresql", "on_commit");
    if (!text.p)
        return;
    for (size_t i = 0; words[i]; i++) {
        if (strlen(words[i]) == text.n && strncasecmp(words[i], text.p, text.n) == 0) {
            ag_c_str(c, "\n ON COMMIT ");
            ag_c_str(c, words[i]);
            return;
        }
    }
    ag_c_fail(c, AG_EXC_COMPILE, "postgresql_on_commit is PRESERVE ROWS, DELETE ROWS or DROP, not '%.*s'", (int)text.n, text.p);
}

void ag_postgresql_table_tail(ag_compiler *c, const ag_table *t)
{
    const ag_options *o = ag_table_options(t);
    inherits(c, o);
    text_option(c, o, "partition_by", "\n PARTITION BY ", false);
    text_option(c, o, "using", "\n USING ", true);
    with(c, o);
    on_commit(c, o);
    text_option(c, o, "tablespace", "\n TABLESPACE ", true);
}

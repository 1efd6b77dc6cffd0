/* DDL of what is not a table: indexes, schemas, sequences, types, comments, raw text. */
#include "compile/visit_ddl.h"

#define DOWN (AG_KW_LITERAL | AG_KW_DDL | AG_KW_NO_TABLE)

/* ---- indexes ---- */

/* Operator class of the i-th expression: postgresql_ops = {column = "text_pattern_ops"}. */
static void operator_class(ag_compiler *c, const ag_index *index, const ag_node *expr)
{
    const ag_option *ops = ag_option_find(&index->options, c->d->name, "ops");
    ag_str key = ag_expr_key(ag_expr_unwrap_order(expr));
    for (uint32_t i = 0; ops && key.p && i < ops->npairs; i++) {
        if (ops->pairs[i].key.n == key.n && memcmp(ops->pairs[i].key.p, key.p, key.n) == 0) {
            ag_c_str(c, " ");
            ag_c_quote(c, ops->pairs[i].value, -1);
        }
    }
}

/* A column as it is; on a database that wants it, any other expression but a function in brackets. */
static void index_expression(ag_compiler *c, const ag_index *index, const ag_node *expr)
{
    const ag_node *bare = ag_expr_unwrap_order(expr);
    bool brackets = c->d->index_expression_brackets && expr == bare && !ag_expr_is_column(bare) && bare->kind != AG_K_FUNC &&
                    bare->kind != AG_K_TEXT;
    ag_c_str(c, brackets ? "(" : "");
    ag_c_visit(c, expr, DOWN);
    ag_c_str(c, brackets ? ")" : "");
    operator_class(c, index, expr);
}

static void with_option(ag_compiler *c, const ag_options *o)
{
    const ag_option *with = ag_option_find(o, c->d->name, "with");
    for (uint32_t i = 0; with && i < with->npairs; i++) {
        ag_c_str(c, i ? ", " : " WITH (");
        ag_c_quote(c, with->pairs[i].key, -1);
        ag_c_str(c, " = ");
        ag_c_add(c, with->pairs[i].value);
    }
    if (with && with->npairs)
        ag_c_str(c, ")");
}

static void index_tail(ag_compiler *c, const ag_index *index)
{
    ag_ddl_include(c, &index->options);
    const ag_option *distinct = ag_option_find(&index->options, c->d->name, "nulls_not_distinct");
    if (distinct && distinct->value.kind == AG_V_BOOL)
        ag_c_str(c, distinct->value.u.i ? " NULLS NOT DISTINCT" : " NULLS DISTINCT");
    with_option(c, &index->options);
    ag_str tablespace = ag_option_text(&index->options, c->d->name, "tablespace");
    if (tablespace.p) {
        ag_c_str(c, " TABLESPACE ");
        ag_c_quote(c, tablespace, -1);
    }
    const ag_option *where = ag_option_find(&index->options, c->d->name, "where");
    if (where && where->node) {
        ag_c_str(c, " WHERE ");
        ag_c_visit(c, where->node, DOWN);
    }
}

void ag_visit_create_index(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_index *index = AG_AS(create_index, CREATE_INDEX, n)->index;
    ag_str using = ag_option_text(&index->options, c->d->name, "using");
    (void)k;
    ag_c_str(c, index->unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ");
    if (ag_option_bool(&index->options, c->d->name, "concurrently")) {
        ag_c_str(c, "CONCURRENTLY ");
        c->compiled_flags |= AG_COMPILED_TEMP;
    }
    ag_ddl_if(c, n, "IF NOT EXISTS ");
    if (c->d->index_schema_before_name && index->table->schema.p) {
        ag_c_quote(c, ag_c_schema(c, index->table->schema), index->table->quote_schema);
        ag_c_str(c, ".");
    }
    ag_ddl_name(c, index->name, index->quote, index->generated_name);
    ag_c_str(c, " ON ");
    if (c->d->index_schema_before_name)
        ag_c_quote(c, index->table->name, index->table->quote);
    else
        ag_c_table(c, index->table);
    if (using.p) {
        ag_c_str(c, " USING ");
        ag_c_quote(c, using, -1);
    }
    ag_c_str(c, " (");
    for (uint32_t i = 0; i < index->nexprs; i++) {
        ag_c_str(c, i ? ", " : "");
        index_expression(c, index, index->exprs[i]);
    }
    ag_c_str(c, ")");
    index_tail(c, index);
}

void ag_visit_drop_index(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_index *index = AG_AS(drop_index, DROP_INDEX, n)->index;
    ag_str schema = ag_c_schema(c, index->table->schema);
    (void)k;
    ag_c_str(c, "\nDROP INDEX ");
    if (ag_option_bool(&index->options, c->d->name, "concurrently")) {
        ag_c_str(c, "CONCURRENTLY ");
        c->compiled_flags |= AG_COMPILED_TEMP;
    }
    ag_ddl_if(c, n, "IF EXISTS ");
    if (schema.p) {
        ag_c_quote(c, schema, index->table->quote_schema);
        ag_c_str(c, ".");
    }
    ag_ddl_name(c, index->name, index->quote, index->generated_name);
    ag_ddl_cascade(c, n);
}

/* ---- schemas, sequences ---- */

void ag_visit_create_schema(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)k;
    ag_c_str(c, "CREATE SCHEMA ");
    ag_ddl_if(c, n, "IF NOT EXISTS ");
    ag_c_quote(c, ag_nstr_get(n, AG_AS(create_schema, CREATE_SCHEMA, n)->name), -1);
}

void ag_visit_drop_schema(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)k;
    ag_c_str(c, "DROP SCHEMA ");
    ag_ddl_if(c, n, "IF EXISTS ");
    ag_c_quote(c, ag_nstr_get(n, AG_AS(drop_schema, DROP_SCHEMA, n)->name), -1);
    ag_ddl_cascade(c, n);
}

void ag_visit_create_sequence(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_sequence *s = AG_AS(create_sequence, CREATE_SEQUENCE, n)->sequence;
    (void)k;
    ag_c_str(c, "CREATE SEQUENCE ");
    ag_ddl_if(c, n, "IF NOT EXISTS ");
    ag_ddl_qualified(c, s->schema, s->quote_schema, s->name, s->quote);
    if (s->type) {
        ag_c_str(c, " AS ");
        ag_c_type(c, s->type);
    }
    size_t at = c->out.len;
    ag_c_str(c, " ");
    size_t empty = c->out.len;
    ag_ddl_identity_options(c, &s->options);
    if (c->out.len == empty)
        ag_buf_truncate(&c->out, at);
}

void ag_visit_drop_sequence(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_sequence *s = AG_AS(drop_sequence, DROP_SEQUENCE, n)->sequence;
    (void)k;
    ag_c_str(c, "DROP SEQUENCE ");
    ag_ddl_if(c, n, "IF EXISTS ");
    ag_ddl_qualified(c, s->schema, s->quote_schema, s->name, s->quote);
}

/* ---- types ---- */

static ag_str text_of(const char *s)
{
    return s ? (ag_str){s, strlen(s)} : (ag_str){0};
}

static void type_name(ag_compiler *c, const ag_node *n, const ag_type *t, ag_nstr schema)
{
    ag_str where = ag_nstr_get(n, schema);
    if (!t->name) {
        ag_c_fail(c, AG_EXC_COMPILE, "an Enum or DOMAIN needs a name to be created on %s: ag.Enum({…}, {name = \"…\"})", c->d->name);
        return;
    }
    ag_ddl_qualified(c, where.p ? where : text_of(t->schema), -1, text_of(t->name), -1);
}

static void domain_body(ag_compiler *c, const ag_n_create_type *create)
{
    ag_str name = ag_nstr_get(create, create->constraint_name);
    ag_c_str(c, " AS ");
    ag_c_type(c, create->of->item);
    if (create->default_) {
        ag_c_str(c, " DEFAULT ");
        ag_c_visit(c, create->default_, DOWN);
    }
    if (name.p) {
        ag_c_str(c, " CONSTRAINT ");
        ag_c_quote(c, name, -1);
    }
    if (create->node.flags & AG_DDL_NOT_NULL)
        ag_c_str(c, " NOT NULL");
    if (create->check) {
        ag_c_str(c, " CHECK (");
        ag_c_visit(c, create->check, DOWN);
        ag_c_str(c, ")");
    }
}

void ag_visit_create_type(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_create_type *create = AG_AS(create_type, CREATE_TYPE, n);
    const ag_type *t = create->of;
    (void)k;
    ag_c_str(c, t->id == AG_TYPE_PG_DOMAIN ? "CREATE DOMAIN " : "CREATE TYPE ");
    type_name(c, n, t, create->schema);
    if (t->id == AG_TYPE_PG_DOMAIN) {
        domain_body(c, create);
        return;
    }
    ag_c_str(c, " AS ENUM (");
    for (uint16_t i = 0; i < t->nlabels; i++) {
        ag_c_str(c, i ? ", " : "");
        ag_c_string(c, text_of(t->labels[i]));
    }
    ag_c_str(c, ")");
}

void ag_visit_drop_type(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_drop_type *drop = AG_AS(drop_type, DROP_TYPE, n);
    (void)k;
    ag_c_str(c, drop->of->id == AG_TYPE_PG_DOMAIN ? "DROP DOMAIN " : "DROP TYPE ");
    ag_ddl_if(c, n, "IF EXISTS ");
    type_name(c, n, drop->of, drop->schema);
    ag_ddl_cascade(c, n);
}

/* ---- comments, text ---- */

static void comment(ag_compiler *c, ag_str text)
{
    ag_c_str(c, " IS ");
    if (text.p)
        ag_c_string(c, text);
    else
        ag_c_str(c, "NULL");
}

void ag_visit_table_comment(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_table_comment *t = AG_AS(table_comment, TABLE_COMMENT, n);
    (void)k;
    ag_c_str(c, "COMMENT ON TABLE ");
    ag_c_table(c, t->table);
    comment(c, ag_nstr_get(n, t->comment));
}

void ag_visit_column_comment(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_column_comment *col = AG_AS(column_comment, COLUMN_COMMENT, n);
    (void)k;
    ag_c_str(c, "COMMENT ON COLUMN ");
    ag_c_table(c, col->table);
    ag_c_str(c, ".");
    ag_c_quote(c, col->table->columns[col->index]->name, col->table->columns[col->index]->quote);
    comment(c, ag_nstr_get(n, col->comment));
}

void ag_visit_constraint_comment(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_constraint_comment *con = AG_AS(constraint_comment, CONSTRAINT_COMMENT, n);
    (void)k;
    ag_c_str(c, "COMMENT ON CONSTRAINT ");
    ag_ddl_name(c, con->constraint->name, con->constraint->quote, con->constraint->generated_name);
    ag_c_str(c, " ON ");
    ag_c_table(c, con->constraint->table);
    comment(c, ag_nstr_get(n, con->comment));
}

void ag_visit_ddl_text(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)k;
    ag_c_add(c, ag_nstr_get(n, AG_AS(ddl_text, DDL_TEXT, n)->text));
}

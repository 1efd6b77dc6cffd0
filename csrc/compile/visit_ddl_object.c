/* CREATE and DROP of schemas, sequences, types; comments; raw DDL. */
#include "compile/ddl.h"
#include "compile/visitors.h"

#include <string.h>

/* ---- schemas, sequences, types ---- */

static int name_quote(const ag_node *n)
{
    return n->flags & AG_NAME_QUOTE ? 1 : n->flags & AG_NAME_NOQUOTE ? 0 : -1;
}

void ag_visit_create_schema(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)k;
    ag_c_str(c, n->flags & AG_DDL_IF ? "CREATE SCHEMA IF NOT EXISTS " : "CREATE SCHEMA ");
    ag_c_quote(c, ag_nstr_get(n, AG_AS(create_schema, CREATE_SCHEMA, n)->name), name_quote(n));
}

void ag_visit_drop_schema(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)k;
    ag_c_str(c, n->flags & AG_DDL_IF ? "DROP SCHEMA IF EXISTS " : "DROP SCHEMA ");
    ag_c_quote(c, ag_nstr_get(n, AG_AS(drop_schema, DROP_SCHEMA, n)->name), name_quote(n));
    ag_c_str(c, n->flags & AG_DDL_CASCADE ? " CASCADE" : "");
}

static void sequence_name(ag_compiler *c, const ag_sequence *s)
{
    ag_str schema = ag_c_schema(c, s->schema);
    if (schema.n) {
        ag_c_quote(c, schema, s->quote_schema);
        ag_c_str(c, ".");
    }
    ag_c_quote(c, s->name, s->quote);
}

void ag_visit_create_sequence(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_sequence *s = AG_AS(create_sequence, CREATE_SEQUENCE, n)->sequence;
    (void)k;
    ag_c_str(c, n->flags & AG_DDL_IF ? "CREATE SEQUENCE IF NOT EXISTS " : "CREATE SEQUENCE ");
    sequence_name(c, s);
    if (s->type && c->d->sequences && c->d->default_metavalue) {
        ag_c_str(c, " AS ");
        ag_c_type(c, s->type);
    }
    ag_ddl_identity_options(c, &s->options, " ", "");
}

void ag_visit_drop_sequence(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)k;
    ag_c_str(c, n->flags & AG_DDL_IF ? "DROP SEQUENCE IF EXISTS " : "DROP SEQUENCE ");
    sequence_name(c, AG_AS(drop_sequence, DROP_SEQUENCE, n)->sequence);
    ag_c_str(c, n->flags & AG_DDL_CASCADE ? " CASCADE" : "");
}

/* What the type itself says (labels: the default, the collation's schema, name and text of each check): NOT NULL first, so that the name is the check's. */
static void domain_own(ag_compiler *c, const ag_type *t)
{
    if (t->nlabels && t->labels[0][0]) {
        ag_c_str(c, " DEFAULT ");
        ag_c_str(c, t->labels[0]);
    }
    ag_c_str(c, t->flags & AG_TYPE_NOT_NULL ? " NOT NULL" : "");
    for (uint16_t i = 2; i + 1 < t->nlabels && !c->failed; i += 2) {
        if (t->labels[i][0]) {
            ag_c_str(c, " CONSTRAINT ");
            ag_c_quote(c, (ag_str){t->labels[i], strlen(t->labels[i])}, -1);
        }
        ag_c_str(c, " CHECK (");
        ag_c_str(c, t->labels[i + 1]);
        ag_c_str(c, ")");
    }
}

static void domain_body(ag_compiler *c, const ag_n_create_type *s)
{
    ag_str name = ag_nstr_get(s, s->constraint_name);
    ag_c_str(c, " AS ");
    ag_c_type(c, s->of->item);
    if (s->of->collation) {
        ag_c_str(c, " COLLATE ");
        if (s->of->nlabels > 1 && s->of->labels[1][0]) {
            ag_c_quote(c, (ag_str){s->of->labels[1], strlen(s->of->labels[1])}, -1);
            ag_c_str(c, ".");
        }
        ag_c_quote(c, (ag_str){s->of->collation, strlen(s->of->collation)}, -1);
    }
    domain_own(c, s->of);
    if (s->default_) {
        ag_c_str(c, " DEFAULT ");
        ag_ddl_expr(c, s->default_);
    }
    if (name.n) {
        ag_c_str(c, " CONSTRAINT ");
        ag_c_quote(c, name, -1);
    }
    ag_c_str(c, s->node.flags & AG_DDL_NOT_NULL ? " NOT NULL" : "");
    if (s->check) {
        ag_c_str(c, " CHECK (");
        ag_ddl_expr(c, s->check);
        ag_c_str(c, ")");
    }
}

void ag_visit_create_type(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_create_type *s = AG_AS(create_type, CREATE_TYPE, n);
    (void)k;
    ag_c_str(c, s->of->id == AG_TYPE_ENUM ? "CREATE TYPE " : "CREATE DOMAIN ");
    ag_c_type_name(c, s->of, ag_nstr_get(s, s->schema));
    if (s->of->id != AG_TYPE_ENUM) {
        domain_body(c, s);
        return;
    }
    ag_c_str(c, " AS ENUM (");
    for (uint16_t i = 0; i < s->of->nlabels && !c->failed; i++) {
        ag_c_str(c, i ? ", " : "");
        ag_c_string(c, (ag_str){s->of->labels[i], strlen(s->of->labels[i])});
    }
    ag_c_str(c, ")");
}

void ag_visit_drop_type(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_drop_type *s = AG_AS(drop_type, DROP_TYPE, n);
    (void)k;
    ag_c_str(c, s->of->id == AG_TYPE_ENUM ? "DROP TYPE " : "DROP DOMAIN ");
    ag_c_str(c, n->flags & AG_DDL_IF ? "IF EXISTS " : "");
    ag_c_type_name(c, s->of, ag_nstr_get(s, s->schema));
    ag_c_str(c, n->flags & AG_DDL_CASCADE ? " CASCADE" : "");
}

/* ---- comments ---- */

static void comment_text(ag_compiler *c, ag_str text)
{
    ag_c_str(c, " IS ");
    if (text.p)
        ag_c_string(c, text);
    else
        ag_c_str(c, "NULL");
}

static bool comments(ag_compiler *c)
{
    if (!c->d->comments)
        ag_c_fail(c, AG_EXC_UNSUPPORTED_COMPILATION, "the %s dialect has no comments", c->d->name);
    return c->d->comments;
}

void ag_visit_table_comment(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_table_comment *s = AG_AS(table_comment, TABLE_COMMENT, n);
    (void)k;
    if (!comments(c))
        return;
    ag_c_str(c, "COMMENT ON TABLE ");
    ag_c_table(c, s->table);
    comment_text(c, ag_nstr_get(s, s->comment));
}

void ag_visit_column_comment(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_column_comment *s = AG_AS(column_comment, COLUMN_COMMENT, n);
    (void)k;
    if (!comments(c))
        return;
    ag_c_str(c, "COMMENT ON COLUMN ");
    ag_c_table(c, s->table);
    ag_c_str(c, ".");
    ag_ddl_column_name(c, s->table->columns[s->index]);
    comment_text(c, ag_nstr_get(s, s->comment));
}

void ag_visit_constraint_comment(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_constraint_comment *s = AG_AS(constraint_comment, CONSTRAINT_COMMENT, n);
    (void)k;
    if (!comments(c))
        return;
    ag_c_str(c, "COMMENT ON CONSTRAINT ");
    ag_ddl_name(c, s->constraint->name, s->constraint->generated_name, s->constraint->quote);
    ag_c_str(c, " ON ");
    ag_c_table(c, s->constraint->table);
    comment_text(c, ag_nstr_get(s, s->comment));
}

void ag_visit_ddl_text(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)k;
    ag_c_add(c, ag_nstr_get(n, AG_AS(ddl_text, DDL_TEXT, n)->text));
}

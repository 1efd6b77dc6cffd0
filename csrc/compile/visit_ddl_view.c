/* CREATE VIEW, CREATE TABLE … AS, DROP VIEW. The select's values are written as literals: neither statement takes parameters. */
#include "compile/ddl.h"
#include "compile/visitors.h"

static void word(ag_compiler *c, const ag_node *n, unsigned flag, const char *text)
{
    if (n->flags & flag)
        ag_c_str(c, text);
}

/* The select with literals for values, in subqueries and CTEs, too. */
static void literal_select(ag_compiler *c, const ag_node *select)
{
    const ag_compile_options *given = c->o;
    ag_compile_options o = *given;
    o.literal_binds = true;
    c->o = &o;
    ag_c_visit(c, select, AG_KW_LITERAL);
    c->o = given;
    c->columns.len = 0; /* it is no query: nothing comes back */
}

static bool supported(ag_compiler *c, const ag_node *n)
{
    const char *what = n->flags & AG_DDL_MATERIALIZED && !c->d->materialized_views ? "materialized views"
                       : n->flags & AG_DDL_OR_REPLACE && !c->d->replaces_views     ? "CREATE OR REPLACE VIEW"
                                                                                   : NULL;
    if (what)
        ag_c_fail(c, AG_EXC_UNSUPPORTED_COMPILATION, "the %s dialect has no %s", c->d->name, what);
    return !what;
}

static void create(ag_compiler *c, const ag_node *n, const ag_table *t, const ag_node *select)
{
    bool view = n->kind == AG_K_CREATE_VIEW;
    if (!supported(c, n))
        return;
    ag_c_str(c, "CREATE ");
    word(c, n, AG_DDL_OR_REPLACE, "OR REPLACE ");
    word(c, n, AG_DDL_TEMPORARY, "TEMPORARY ");
    word(c, n, AG_DDL_MATERIALIZED, "MATERIALIZED ");
    ag_c_str(c, view ? "VIEW " : "TABLE ");
    if (n->flags & AG_DDL_IF || (view && ag_option_bool(ag_table_options(t), c->d->name, "if_not_exists")))
        ag_c_str(c, "IF NOT EXISTS ");
    ag_c_table(c, t);
    if (c->d->view_tail)
        c->d->view_tail(c, t);
    ag_c_str(c, " AS ");
    literal_select(c, select);
}

void ag_visit_create_view(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_create_view *s = AG_AS(create_view, CREATE_VIEW, n);
    (void)k;
    create(c, n, s->table, s->select);
}

void ag_visit_create_table_as(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_create_table_as *s = AG_AS(create_table_as, CREATE_TABLE_AS, n);
    (void)k;
    create(c, n, s->table, s->select);
}

void ag_visit_drop_view(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)k;
    if (!supported(c, n))
        return;
    ag_c_str(c, n->flags & AG_DDL_MATERIALIZED ? "DROP MATERIALIZED VIEW " : "DROP VIEW ");
    ag_c_str(c, n->flags & AG_DDL_IF ? "IF EXISTS " : "");
    ag_c_table(c, AG_AS(drop_view, DROP_VIEW, n)->table);
    ag_c_str(c, n->flags & AG_DDL_CASCADE ? " CASCADE" : "");
}

/* What stands in FROM: tables, aliases, subqueries, joins, VALUES, table functions. */
#include "compile/visitors.h"

static void hint_of(ag_compiler *c, const ag_node *from)
{
    if (c->d->hint_from)
        c->d->hint_from(c, from);
}

static void as_ambiguous(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_str alias = k & AG_KW_INLABEL ? (ag_str){0} : ag_c_ambiguous(c, n);
    if (!alias.n)
        return;
    ag_c_str(c, " AS ");
    ag_c_quote_generated(c, alias);
}

void ag_visit_table(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_table(c, AG_AS(table, TABLE, n)->table);
    as_ambiguous(c, n, k);
    hint_of(c, n);
}

void ag_visit_table_clause(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_table_clause *t = AG_AS(table_clause, TABLE_CLAUSE, n);
    ag_str schema = ag_c_schema(c, ag_nstr_get(t, t->schema));
    if (schema.n) {
        ag_c_quote(c, schema, -1);
        ag_c_str(c, ".");
    }
    ag_c_quote(c, ag_nstr_get(t, t->name), ag_name_quote(n));
    as_ambiguous(c, n, k);
    hint_of(c, n);
}

/* The name is settled before what it names is written, since that may make up names too. */
static void aliased(ag_compiler *c, const ag_node *n, const ag_node *element, bool brackets, unsigned k)
{
    ag_name name = ag_from_name(n, &c->tmp);
    ag_str text = ag_c_name(c, name);
    ag_c_str(c, brackets ? "(" : "");
    ag_c_visit(c, element, k);
    ag_c_str(c, brackets ? ")" : "");
    ag_c_str(c, " AS ");
    ag_c_quote_text(c, name, text, ag_name_quote(n));
    hint_of(c, n);
}

static bool is_statement(const ag_node *n)
{
    return ag_node_is(n, AG_CLASS_STMT) || n->kind == AG_K_VALUES || n->kind == AG_K_JOIN;
}

/* A subquery that is the root of what is compiled: its statement, without brackets and name. */
static bool is_alone(const ag_compiler *c, const ag_node *element, unsigned k)
{
    return !c->frame && !(k & AG_KW_FROM) && ag_node_is(element, AG_CLASS_STMT);
}

void ag_visit_alias(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_node *e = AG_AS(alias, ALIAS, n)->element;
    while (e->kind == AG_K_ALIAS)
        e = AG_AS(alias, ALIAS, e)->element;
    if (n->flags & AG_ALIAS_EXCLUDED) {
        ag_c_str(c, "excluded");
        return;
    }
    if (e->kind == AG_K_SUBQUERY)
        e = AG_AS(subquery, SUBQUERY, e)->element;
    if (is_alone(c, e, k)) {
        ag_c_visit(c, e, k);
        return;
    }
    /* INLABEL: a table under an alias needs no other one. */
    aliased(c, n, e, is_statement(e), (k & AG_KW_DOWN) | AG_KW_FROM | AG_KW_INLABEL);
}

void ag_visit_subquery(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_node *e = AG_AS(subquery, SUBQUERY, n)->element;
    if (is_alone(c, e, k))
        ag_c_visit(c, e, k);
    else
        aliased(c, n, e, true, (k & AG_KW_LITERAL) | AG_KW_FROM);
}

void ag_visit_lateral(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_node *e = AG_AS(lateral, LATERAL, n)->element;
    if (!c->d->lateral) {
        ag_c_fail(c, AG_EXC_UNSUPPORTED_COMPILATION, "the %s dialect has no LATERAL", c->d->name);
        return;
    }
    while (e->kind == AG_K_SUBQUERY || e->kind == AG_K_ALIAS)
        e = e->kind == AG_K_SUBQUERY ? AG_AS(subquery, SUBQUERY, e)->element : AG_AS(alias, ALIAS, e)->element;
    ag_c_str(c, "LATERAL ");
    aliased(c, n, e, is_statement(e), (k & AG_KW_LITERAL) | AG_KW_FROM | AG_KW_LATERAL);
}

void ag_visit_tablesample(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_tablesample *t = AG_AS(tablesample, TABLESAMPLE, n);
    if (!c->d->tablesample) {
        ag_c_fail(c, AG_EXC_UNSUPPORTED_COMPILATION, "the %s dialect has no TABLESAMPLE", c->d->name);
        return;
    }
    const ag_node *e = t->element; /* its own name stands for that of an alias */
    while (e->kind == AG_K_ALIAS)
        e = AG_AS(alias, ALIAS, e)->element;
    aliased(c, n, e, is_statement(e), (k & AG_KW_DOWN) | AG_KW_FROM | AG_KW_INLABEL);
    ag_c_str(c, " TABLESAMPLE ");
    ag_c_visit(c, t->sampling, k & AG_KW_DOWN);
    if (t->seed) {
        ag_c_str(c, " REPEATABLE (");
        ag_c_visit(c, t->seed, k & AG_KW_DOWN);
        ag_c_str(c, ")");
    }
}

void ag_visit_join(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_join *j = AG_AS(join, JOIN, n);
    bool brackets = j->right->kind == AG_K_JOIN;
    k = (k & AG_KW_DOWN) | AG_KW_FROM;
    ag_c_visit(c, j->left, k);
    ag_c_str(c, n->flags & AG_JOIN_FULL    ? " FULL OUTER JOIN "
                : n->flags & AG_JOIN_OUTER ? " LEFT OUTER JOIN "
                                           : " JOIN ");
    ag_c_str(c, brackets ? "(" : "");
    ag_c_visit(c, j->right, k);
    ag_c_str(c, brackets ? ")" : "");
    ag_c_str(c, " ON ");
    ag_c_visit(c, j->onclause, k & AG_KW_DOWN);
}

/* ---- VALUES ---- */

static void values_rows(ag_compiler *c, const ag_n_values *v, unsigned k)
{
    uint32_t width = v->columns.n ? v->columns.n : 1;
    if (v->node.flags & AG_VALUES_LITERAL_BINDS)
        k |= AG_KW_LITERAL;
    ag_c_str(c, "VALUES ");
    for (uint32_t i = 0; i < v->data.n && !c->failed; i++) {
        ag_c_str(c, i % width ? ", " : i ? ", (" : "(");
        ag_c_visit_operand(c, ag_nlist_at(v, v->data, i), AG_OP_COMMA, k);
        if (c->d->values_cast && v->columns.n)
            c->d->values_cast(c, ag_nlist_at(v, v->data, i), ag_nlist_at(v, v->columns, i % width)->type);
        ag_c_str(c, i % width == width - 1 ? ")" : "");
    }
}

static void column_names(ag_compiler *c, const void *owner, ag_nlist columns, bool types)
{
    ag_c_str(c, "(");
    for (uint32_t i = 0; i < columns.n && !c->failed; i++) {
        const ag_node *col = ag_nlist_at(owner, columns, i);
        ag_c_str(c, i ? ", " : "");
        ag_c_quote(c, ag_expr_name(col), -1);
        if (types) {
            ag_c_str(c, " ");
            ag_c_type(c, col->type);
        }
    }
    ag_c_str(c, ")");
}

/* Where an alias cannot name columns: their own names are column1, column2 … */
static void renamed_values(ag_compiler *c, const ag_n_values *v, unsigned k)
{
    ag_c_str(c, "(SELECT ");
    for (uint32_t i = 0; i < v->columns.n && !c->failed; i++) {
        ag_c_str(c, i ? ", column" : "column");
        ag_buf_int(&c->out, (int64_t)i + 1);
        ag_c_str(c, " AS ");
        ag_c_quote(c, ag_expr_name(ag_nlist_at(v, v->columns, i)), -1);
    }
    ag_c_str(c, " FROM (");
    values_rows(c, v, k);
    ag_c_str(c, ")) AS ");
}

void ag_visit_values(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_values *v = AG_AS(values, VALUES, n);
    unsigned down = k & (AG_KW_LITERAL | AG_KW_DDL);
    bool cte = c->visiting_cte && AG_AS(cte, CTE, c->visiting_cte)->element == n;
    if (!(k & AG_KW_FROM) || cte) {
        values_rows(c, v, down);
        return;
    }
    /* An unnamed one gets a made-up name (SQLAlchemy writes none, so that neither database finds its columns). */
    ag_name name = ag_from_name(n, &c->tmp);
    ag_str text = ag_c_name(c, name);
    bool named = name.n != 0;
    if (n->flags & AG_VALUES_LATERAL && !c->d->lateral)
        ag_c_fail(c, AG_EXC_UNSUPPORTED_COMPILATION, "the %s dialect has no LATERAL", c->d->name);
    if (n->flags & AG_VALUES_LATERAL)
        ag_c_str(c, "LATERAL ");
    if (named && !c->d->values_brackets_alias_columns) {
        renamed_values(c, v, down);
        ag_c_quote(c, text, ag_name_quote(n));
        return;
    }
    ag_c_str(c, "(");
    values_rows(c, v, down);
    ag_c_str(c, ")");
    if (!named)
        return;
    ag_c_str(c, " AS ");
    ag_c_quote(c, text, ag_name_quote(n));
    ag_c_str(c, " ");
    column_names(c, v, v->columns, false);
}

void ag_visit_scalar_values(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_str(c, "(");
    values_rows(c, AG_AS(values, VALUES, AG_AS(scalar_values, SCALAR_VALUES, n)->values),
                k & (AG_KW_LITERAL | AG_KW_DDL));
    ag_c_str(c, ")");
}

/* ---- functions in FROM ---- */

void ag_visit_table_func(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_table_func *t = AG_AS(table_func, TABLE_FUNC, n);
    bool bare = (n->flags & AG_TABLE_FUNC_BARE) != 0;
    ag_name name = bare ? (ag_name){NULL, 0, 0} : ag_from_name(n, &c->tmp);
    ag_str text = ag_c_name(c, name);
    if (n->flags & AG_TABLE_FUNC_LATERAL)
        ag_c_str(c, "LATERAL ");
    ag_c_visit(c, t->function, k & AG_KW_LITERAL);
    if (n->flags & AG_TABLE_FUNC_ORDINALITY)
        ag_c_str(c, " WITH ORDINALITY");
    if (bare)
        return;
    ag_c_str(c, " AS ");
    ag_c_quote_text(c, name, text, ag_name_quote(n));
    if (n->flags & (AG_TABLE_FUNC_DERIVED | AG_TABLE_FUNC_TYPES))
        column_names(c, t, t->columns, (n->flags & AG_TABLE_FUNC_TYPES) != 0);
}

void ag_visit_from_value(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)k;
    ag_c_quote_from(c, AG_AS(from_value, FROM_VALUE, n)->from);
}

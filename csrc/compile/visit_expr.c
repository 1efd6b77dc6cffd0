/* Leaves and plain expressions: columns, binds, constants, labels, CASE, CAST, text. */
#include "compile/visitors.h"

#include <string.h>

#define DOWN(k) ((k)&AG_KW_DOWN)

/* ---- columns ---- */

/* "schema.table." before a column. */
static void qualifier(ag_compiler *c, const ag_node *from)
{
    ag_str alias = from->kind == AG_K_TABLE || from->kind == AG_K_TABLE_CLAUSE ? ag_c_ambiguous(c, from) : (ag_str){0};
    if (alias.n || from->kind == AG_K_TABLE) {
        if (alias.n)
            ag_c_quote_generated(c, alias);
        else
            ag_c_table(c, AG_AS(table, TABLE, from)->table);
        ag_c_str(c, ".");
        return;
    }
    if (from->kind == AG_K_TABLE_CLAUSE) {
        const ag_n_table_clause *t = AG_AS(table_clause, TABLE_CLAUSE, from);
        ag_str schema = ag_c_schema(c, ag_nstr_get(t, t->schema));
        if (schema.n) {
            ag_c_quote(c, schema, -1);
            ag_c_str(c, ".");
        }
    }
    if (from->kind == AG_K_ALIAS && (from->flags & AG_ALIAS_EXCLUDED)) {
        ag_c_str(c, "excluded.");
        return;
    }
    ag_name name = ag_from_name(from, &c->tmp);
    if (!name.n)
        return;
    ag_c_quote_name(c, name, ag_name_quote(from));
    ag_c_str(c, ".");
}

void ag_visit_column(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_column *col = AG_AS(column, COLUMN, n);
    const ag_table *t = col->table;
    if (!(k & AG_KW_NO_TABLE))
        qualifier(c, t->node);
    ag_c_quote(c, ag_nstr_get(col, col->name), t->columns[col->index]->quote);
}

/* The name of an exported column. */
static ag_name colref_name(ag_compiler *c, const ag_n_colref *r)
{
    const ag_from_col *cols;
    uint32_t n;
    if (ag_c_ok(c, ag_from_columns(r->from, &c->tmp, &cols, &n, c->err)) && r->index < n)
        return cols[r->index].name;
    return (ag_name){NULL, 0, 0};
}

void ag_visit_colref(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_colref *r = AG_AS(colref, COLREF, n);
    /* The column's name is numbered before its FROM's. */
    ag_str anon = n->flags & AG_COLREF_ANON ? ag_c_generated(c, colref_name(c, r)) : (ag_str){0};
    if (!(k & AG_KW_NO_TABLE))
        qualifier(c, r->from);
    ag_str name = ag_nstr_get(r, r->name);
    if (n->flags & AG_COLREF_LITERAL)
        ag_c_add(c, name);
    else if ((n->flags & AG_COLREF_ANON) && ag_name_quote(n) < 0)
        ag_c_quote_generated(c, anon);
    else
        ag_c_quote(c, n->flags & AG_COLREF_ANON ? anon : name, ag_name_quote(n));
}

void ag_visit_column_clause(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_column_clause *col = AG_AS(column_clause, COLUMN_CLAUSE, n);
    (void)k;
    if (n->flags & AG_COLUMN_CLAUSE_LITERAL)
        ag_c_add(c, ag_nstr_get(col, col->name));
    else
        ag_c_quote(c, ag_nstr_get(col, col->name), ag_name_quote(n));
}

void ag_visit_star(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_node *from = AG_AS(star, STAR, n)->from;
    if (from && !(k & AG_KW_NO_TABLE))
        qualifier(c, from);
    ag_c_str(c, "*");
}

/* ---- constants ---- */

void ag_visit_null(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)n, (void)k;
    ag_c_str(c, "NULL");
}

void ag_visit_true(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)n, (void)k;
    ag_c_str(c, c->d->native_boolean ? "true" : "1");
}

void ag_visit_false(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)n, (void)k;
    ag_c_str(c, c->d->native_boolean ? "false" : "0");
}

/* ---- labels ---- */

void ag_visit_label(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_label *l = AG_AS(label, LABEL, n);
    bool with_as = (k & AG_KW_COLUMNS) && !(k & AG_KW_INLABEL), only = (k & AG_KW_REFS) && c->ref_label == n;
    ag_name_part part = {.text = ag_nstr_get(l, l->name),
                         .anon = n->flags & AG_LABEL_ANON ? (uint64_t)(uintptr_t)n : 0};
    ag_name name = {&part, 1, 0};
    if (!with_as && !only) {
        ag_c_visit(c, l->operand, k & ~(unsigned)AG_KW_COLUMNS);
        return;
    }
    ag_c_name(c, name); /* numbered before what is inside */
    if (!with_as) {
        ag_c_quote_name(c, name, ag_name_quote(n));
        return;
    }
    ag_c_visit_operand(c, l->operand, AG_OP_AS, (k & ~(unsigned)AG_KW_RESULT) | AG_KW_INLABEL);
    ag_c_str(c, " AS ");
    ag_c_quote_name(c, name, ag_name_quote(n));
}

/* ---- CASE, CAST, EXTRACT ---- */

void ag_visit_case(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_case *e = AG_AS(case, CASE, n);
    k = DOWN(k);
    ag_c_str(c, "CASE ");
    if (e->value) {
        ag_c_visit(c, e->value, k);
        ag_c_str(c, " ");
    }
    for (uint32_t i = 0; i + 1 < e->whens.n; i += 2) {
        ag_c_str(c, "WHEN ");
        ag_c_visit_operand(c, ag_nlist_at(e, e->whens, i), AG_OP_NONE, k);
        ag_c_str(c, " THEN ");
        ag_c_visit(c, ag_nlist_at(e, e->whens, i + 1), k);
        ag_c_str(c, " ");
    }
    if (e->else_) {
        ag_c_str(c, "ELSE ");
        ag_c_visit(c, e->else_, k);
        ag_c_str(c, " ");
    }
    ag_c_str(c, "END");
}

void ag_visit_cast(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_str(c, "CAST(");
    ag_c_visit(c, AG_AS(cast, CAST, n)->operand, DOWN(k));
    ag_c_str(c, " AS ");
    size_t at = c->out.len;
    ag_c_type(c, n->type);
    /* CAST(x AS VARCHAR) COLLATE "c": the collation is no part of the type here. */
    const ag_type *t = ag_type_impl(n->type, c->d->name);
    if (t->item && t->id == AG_TYPE_ARRAY)
        t = ag_type_impl(t->item, c->d->name);
    if (!t->collation || c->failed) {
        ag_c_str(c, ")");
        return;
    }
    ag_str text = ag_c_cut(c, at);
    const char *m = text.n ? memmem(text.p, text.n, " COLLATE ", 9) : NULL;
    size_t head = m ? (size_t)(m - text.p) : text.n;
    ag_buf_add(&c->out, text.p, head);
    ag_c_str(c, ")");
    ag_buf_add(&c->out, text.p + head, text.n - head);
}

void ag_visit_try_cast(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)n, (void)k;
    if (c->d != ag_dialect_ansi()) {
        ag_c_fail(c, AG_EXC_UNSUPPORTED_COMPILATION, "the %s dialect has no TRY_CAST", c->d->name);
        return;
    }
    ag_c_str(c, "TRY_CAST(");
    ag_c_visit(c, AG_AS(try_cast, TRY_CAST, n)->operand, DOWN(k));
    ag_c_str(c, " AS ");
    ag_c_type(c, n->type);
    ag_c_str(c, ")");
}

void ag_visit_type_coerce(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_visit(c, AG_AS(type_coerce, TYPE_COERCE, n)->operand, k & ~(unsigned)AG_KW_COLUMNS);
}

void ag_visit_extract(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_extract *e = AG_AS(extract, EXTRACT, n);
    ag_c_str(c, "EXTRACT(");
    ag_c_add(c, ag_nstr_get(e, e->field));
    ag_c_str(c, " FROM ");
    ag_c_visit(c, e->operand, DOWN(k));
    ag_c_str(c, ")");
}

void ag_visit_collation(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_collation *e = AG_AS(collation, COLLATION, n);
    ag_str schema = ag_nstr_get(e, e->schema);
    (void)k;
    if (schema.n) {
        ag_c_quote(c, schema, -1);
        ag_c_str(c, ".");
    }
    ag_c_quote(c, ag_nstr_get(e, e->name), ag_name_quote(n));
}

/* ---- lists ---- */

void ag_visit_tuple(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_tuple *t = AG_AS(tuple, TUPLE, n);
    ag_c_str(c, "(");
    for (uint32_t i = 0; i < t->items.n; i++) {
        if (i)
            ag_c_str(c, ", ");
        ag_c_visit_operand(c, ag_nlist_at(t, t->items, i), AG_OP_COMMA, DOWN(k));
    }
    ag_c_str(c, ")");
}

void ag_visit_array(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)k;
    ag_c_fail(c, AG_EXC_UNSUPPORTED_COMPILATION, "the %s dialect has no ARRAY[…] (%s)", c->d->name,
              ag_kind_get(n->kind)->name);
}

void ag_visit_slice(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_slice *s = AG_AS(slice, SLICE, n);
    if (s->start)
        ag_c_visit(c, s->start, DOWN(k));
    ag_c_str(c, ":");
    if (s->stop)
        ag_c_visit(c, s->stop, DOWN(k));
}

void ag_c_visit_list(ag_compiler *c, const void *owner, ag_nlist items, const char *sep, unsigned k)
{
    for (uint32_t i = 0; i < items.n && !c->failed; i++) {
        if (i)
            ag_c_str(c, sep);
        ag_c_visit(c, ag_nlist_at(owner, items, i), k);
    }
}

/* ---- raw SQL ---- */

void ag_visit_text(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_text *t = AG_AS(text, TEXT, n);
    ag_str text = ag_nstr_get(t, t->text);
    uint32_t at = 0;
    for (uint32_t i = 0; i < t->binds.n && !c->failed; i++) {
        uint32_t place = ag_nints_at(t, t->places, i);
        ag_buf_add(&c->out, text.p + at, place - at);
        ag_c_visit(c, ag_nlist_at(t, t->binds, i), DOWN(k));
        at = place;
    }
    ag_buf_add(&c->out, text.p + at, text.n - at);
    if (n == c->stmt)
        c->compiled_flags |= AG_COMPILED_AD_HOC_COLUMNS;
}

void ag_visit_splice(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_splice *s = AG_AS(splice, SPLICE, n);
    if (n->flags & AG_SPLICE_AS_USUAL) {
        ag_c_visit_as_usual(c, ag_nlist_at(s, s->items, 0), k);
        return;
    }
    for (uint32_t i = 0; i < s->texts.n && !c->failed; i++) {
        ag_c_add(c, ag_nstrs_at(s, s->texts, i));
        if (i < s->items.n)
            ag_c_visit(c, ag_nlist_at(s, s->items, i), k & ~(unsigned)AG_KW_COLUMNS);
    }
}

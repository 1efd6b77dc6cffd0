/* CREATE and DROP of tables and indexes, constraints in tables and by ALTER. */
#include "compile/ddl.h"
#include "base/utf8.h"
#include "compile/md5.h"
#include "compile/visitors.h"
#include "schema/ddl.h"

#include <string.h>

void ag_ddl_expr(ag_compiler *c, const ag_node *e)
{
    ag_c_visit(c, e, AG_KW_DDL | AG_KW_LITERAL | AG_KW_NO_TABLE);
}

void ag_ddl_column_name(ag_compiler *c, const ag_column *col)
{
    ag_c_quote(c, col->name, col->quote);
}

void ag_ddl_name(ag_compiler *c, ag_str name, bool generated, int quote)
{
    uint32_t max = ag_c_max_identifier(c);
    if (!generated || name.n <= max) {
        ag_c_quote(c, name, quote);
        return;
    }
    char digits[5];
    ag_buf_reset(&c->scratch);
    ag_buf_add(&c->scratch, name.p, ag_utf8_cut(name.p, name.n, max - 8));
    ag_buf_char(&c->scratch, '_');
    ag_md5_tail(digits, name.p, name.n);
    ag_buf_add(&c->scratch, digits, 4);
    if (!ag_buf_ok(&c->scratch))
        ag_c_nomem(c);
    else
        ag_c_quote_generated(c, (ag_str){c->scratch.data, c->scratch.len});
}

void ag_ddl_words(ag_compiler *c, ag_str text, const char *extra)
{
    for (size_t i = 0; i < text.n; i++) {
        char ch = text.p[i];
        bool word =
            (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_' || ch == ' ';
        if (!word && (!ch || !strchr(extra, ch))) {
            ag_c_fail(c, AG_EXC_COMPILE, "Unexpected SQL phrase: '%.*s'", (int)text.n, text.p);
            return;
        }
    }
    if (text.n > 1 && strstr(text.p, "--")) {
        ag_c_fail(c, AG_EXC_COMPILE, "Unexpected SQL phrase: '%.*s'", (int)text.n, text.p);
        return;
    }
    ag_c_add(c, text);
}

void ag_ddl_phrase(ag_compiler *c, ag_str text)
{
    ag_ddl_words(c, text, "");
}

/* ---- columns ---- */

static void default_value(ag_compiler *c, const ag_column *col)
{
    ag_server_default_kind kind = col->server_default.kind;
    if (kind != AG_SERVER_DEFAULT_TEXT && kind != AG_SERVER_DEFAULT_EXPR)
        return;
    ag_c_str(c, " DEFAULT ");
    size_t at = c->out.len;
    ag_ddl_expr(c, col->server_default.expr);
    if (c->d->default_text && !c->failed)
        c->d->default_text(c, ag_c_cut(c, at));
}

void ag_ddl_computed(ag_compiler *c, const ag_column *col)
{
    const ag_server_default *d = &col->server_default;
    if (d->kind != AG_SERVER_DEFAULT_COMPUTED)
        return;
    ag_c_str(c, " GENERATED ALWAYS AS (");
    ag_ddl_expr(c, d->expr);
    ag_c_str(c, ")");
    if (d->persisted == 1 || (c->d->stored_default && d->persisted < 0))
        ag_c_str(c, " STORED");
    else if (d->persisted == 0)
        ag_c_str(c, " VIRTUAL");
}

static void number_option(ag_compiler *c, size_t start, bool has, const char *text, int64_t value)
{
    if (!has)
        return;
    ag_c_str(c, c->out.len > start ? " " : "");
    ag_c_str(c, text);
    ag_buf_int(&c->out, value);
}

static void word_option(ag_compiler *c, size_t start, bool has, const char *text)
{
    if (has)
        ag_c_str(c, c->out.len > start ? " " : "");
    if (has)
        ag_c_str(c, text);
}

void ag_ddl_identity_options(ag_compiler *c, const ag_identity_options *o, const char *before, const char *after)
{
    size_t at = c->out.len;
    ag_c_str(c, before);
    size_t start = c->out.len;
    number_option(c, start, o->has_increment, "INCREMENT BY ", o->increment);
    number_option(c, start, o->has_start, "START WITH ", o->start);
    number_option(c, start, o->has_minvalue, "MINVALUE ", o->minvalue);
    number_option(c, start, o->has_maxvalue, "MAXVALUE ", o->maxvalue);
    word_option(c, start, o->nominvalue, "NO MINVALUE");
    word_option(c, start, o->nomaxvalue, "NO MAXVALUE");
    number_option(c, start, o->has_cache, "CACHE ", o->cache);
    word_option(c, start, o->cycle >= 0, o->cycle > 0 ? "CYCLE" : "NO CYCLE");
    if (c->out.len == start && ag_buf_ok(&c->out))
        ag_buf_truncate(&c->out, at);
    else
        ag_c_str(c, after);
}

static bool has_identity(const ag_compiler *c, const ag_column *col)
{
    return c->d->identity_columns && col->server_default.kind == AG_SERVER_DEFAULT_IDENTITY && col->identity;
}

/* ---- constraints ---- */

static void names(ag_compiler *c, ag_column *const *columns, uint32_t n)
{
    ag_c_str(c, "(");
    for (uint32_t i = 0; i < n && !c->failed; i++) {
        ag_c_str(c, i ? ", " : "");
        ag_ddl_column_name(c, columns[i]);
    }
    ag_c_str(c, ")");
}

/* An implicit key has its generated column first. */
static void primary_key_names(ag_compiler *c, const ag_constraint *k)
{
    const ag_column *first = k->implicit ? k->table->autoincrement_column : NULL;
    uint32_t written = 0;
    ag_c_str(c, "(");
    if (first && first->primary_key) {
        ag_ddl_column_name(c, first);
        written++;
    }
    for (uint32_t i = 0; i < k->ncolumns && !c->failed; i++) {
        if (written && k->columns[i] == first)
            continue;
        ag_c_str(c, written++ ? ", " : "");
        ag_ddl_column_name(c, k->columns[i]);
    }
    ag_c_str(c, ")");
}

void ag_ddl_deferrable(ag_compiler *c, const ag_constraint *k)
{
    if (k->deferrable >= 0)
        ag_c_str(c, k->deferrable ? " DEFERRABLE" : " NOT DEFERRABLE");
    if (k->initially.p) {
        ag_c_str(c, " INITIALLY ");
        ag_ddl_phrase(c, k->initially);
    }
}

static bool is_word(ag_str s, const char *w)
{
    return s.n == strlen(w) && strncasecmp(s.p, w, s.n) == 0;
}

static void action(ag_compiler *c, const char *what, ag_str text)
{
    static const char *const known[] = {"RESTRICT", "CASCADE", "SET NULL", "NO ACTION", "SET DEFAULT"};
    bool ok = false;
    if (!text.p)
        return;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        ok |= is_word(text, known[i]);
    if (!ok && !(c->d->fk_action && c->d->fk_action(text))) {
        ag_c_fail(c, AG_EXC_COMPILE, "Unexpected SQL phrase: '%.*s'", (int)text.n, text.p);
        return;
    }
    ag_c_str(c, what);
    ag_c_add(c, text);
}

static void foreign_key(ag_compiler *c, const ag_constraint *k)
{
    const ag_table *remote = NULL;
    ag_c_str(c, "FOREIGN KEY(");
    for (uint32_t i = 0; i < k->ncolumns && !c->failed; i++) {
        ag_column *target;
        ag_c_str(c, i ? ", " : "");
        ag_ddl_column_name(c, k->columns[i]);
        if (ag_c_ok(c, ag_fk_target(&target, k->fks[i], c->err)))
            remote = target->table;
    }
    if (c->failed || !remote)
        return;
    ag_c_str(c, ") REFERENCES ");
    if (c->d->index_in_schema)
        ag_c_quote(c, remote->name, remote->quote);
    else
        ag_c_table(c, remote);
    ag_c_str(c, " (");
    for (uint32_t i = 0; i < k->ncolumns && !c->failed; i++) {
        ag_c_str(c, i ? ", " : "");
        ag_ddl_column_name(c, k->fks[i]->target);
    }
    ag_c_str(c, ")");
    if (k->match.p) {
        ag_c_str(c, " MATCH ");
        ag_ddl_phrase(c, k->match);
    }
    action(c, " ON DELETE ", k->ondelete);
    action(c, " ON UPDATE ", k->onupdate);
}

static void unique(ag_compiler *c, const ag_constraint *k)
{
    ag_c_str(c, "UNIQUE ");
    if (c->d->unique_word)
        c->d->unique_word(c, k);
    names(c, k->columns, k->ncolumns);
}

static void exclude(ag_compiler *c, const ag_constraint *k)
{
    if (c->d->exclude)
        c->d->exclude(c, k);
    else
        ag_c_fail(c, AG_EXC_UNSUPPORTED_COMPILATION, "the %s dialect has no EXCLUDE constraints", c->d->name);
}

static void constraint(ag_compiler *c, const ag_constraint *k)
{
    if (k->name.p) {
        ag_c_str(c, "CONSTRAINT ");
        ag_ddl_name(c, k->name, k->generated_name, k->quote);
        ag_c_str(c, " ");
    }
    switch (k->kind) {
    case AG_CONSTRAINT_PRIMARY_KEY:
        ag_c_str(c, "PRIMARY KEY ");
        primary_key_names(c, k);
        break;
    case AG_CONSTRAINT_FOREIGN_KEY: foreign_key(c, k); break;
    case AG_CONSTRAINT_UNIQUE: unique(c, k); break;
    case AG_CONSTRAINT_CHECK:
        ag_c_str(c, "CHECK (");
        ag_ddl_expr(c, k->sqltext);
        ag_c_str(c, ")");
        break;
    case AG_CONSTRAINT_EXCLUDE: exclude(c, k); break;
    }
    if (c->d->constraint_middle)
        c->d->constraint_middle(c, k);
    ag_ddl_deferrable(c, k);
    if (c->d->constraint_tail)
        c->d->constraint_tail(c, k);
}

/* A CHECK that stands for a type which the database has itself, or which the column does not have here. */
static bool type_does_it(const ag_compiler *c, const ag_constraint *k)
{
    if (!k->type_column)
        return false;
    const ag_type *t = ag_type_impl(k->type_column->type, c->d->name);
    if (t != ag_type_impl_at(k->type_column->type, k->type_index))
        return true;
    if (ag_type_affinity(t) == AG_AFF_BOOLEAN)
        return c->d->native_boolean;
    return t->id == AG_TYPE_ENUM && c->d->native_enum && (t->flags & AG_TYPE_NATIVE);
}

/* ddl_if{dialect = …} */
static bool elsewhere(const ag_compiler *c, const ag_constraint *k)
{
    for (uint32_t i = 0; i < k->ndialects; i++) {
        if (strcmp(k->dialects[i].p, c->d->name) == 0)
            return false;
    }
    return k->ndialects > 0;
}

/* ddl_if{callable_ = …} */
static bool wanted(ag_compiler *c, const ag_node *owner, const ag_constraint *k)
{
    bool out = true;
    if (k->asks && !(owner->flags & AG_DDL_ASKED) && c->host && c->host->wanted && !c->failed)
        return ag_c_ok(c, c->host->wanted(c->host, k, c->d, &out, c->err)) && out;
    return true;
}

/* skip: positions of what an ALTER adds later, kept in owner. */
static bool written(ag_compiler *c, const ag_nlist *skip, const ag_node *owner, const ag_constraint *k)
{
    for (uint32_t i = 0; i < skip->n; i++) {
        if (ag_nints_at(owner, *skip, i) == k->position)
            return false;
    }
    if ((k->kind == AG_CONSTRAINT_PRIMARY_KEY || k->kind == AG_CONSTRAINT_UNIQUE) && !k->ncolumns)
        return false;
    return !type_does_it(c, k) && !elsewhere(c, k) && !(c->d->alter_constraints && k->use_alter) &&
           !(c->d->omits && c->d->omits(k)) && wanted(c, owner, k);
}

/* An ARRAY of labels that the database does not know has no CHECK that could hold them. */
static bool lacks_check(const ag_compiler *c, const ag_type *t)
{
    const ag_type *array = ag_type_impl(t, c->d->name);
    const ag_type *item = array->id == AG_TYPE_ARRAY && array->item ? ag_type_impl(array->item, c->d->name) : NULL;
    return item && item->id == AG_TYPE_ENUM && (item->flags & AG_TYPE_CREATE_CHECK) &&
           !(c->d->native_enum && (item->flags & AG_TYPE_NATIVE));
}

static void column_type(ag_compiler *c, const ag_column *col)
{
    bool identity = has_identity(c, col);
    if (lacks_check(c, col->type)) {
        ag_c_fail(
            c, AG_EXC_COMPILE,
            "there is no CHECK for an ARRAY of an Enum that is not native: give the Enum create_constraint = false");
        return;
    }
    ag_ddl_column_name(c, col);
    if (!c->d->serial || !c->d->serial(c, col)) {
        ag_c_str(c, " ");
        ag_c_type(c, col->type);
        default_value(c, col);
    }
    if (c->d->column_tail) {
        c->d->column_tail(c, col);
        return;
    }
    ag_ddl_computed(c, col);
    if (identity) {
        ag_c_str(c, col->identity->always ? " GENERATED ALWAYS AS IDENTITY" : " GENERATED BY DEFAULT AS IDENTITY");
        ag_ddl_identity_options(c, col->identity, " (", ")");
    }
    if (!col->nullable && !identity)
        ag_c_str(c, " NOT NULL");
    else if (col->nullable && identity)
        ag_c_str(c, " NULL");
}

/* name TYPE …, and the CHECKs that were given with the column. */
void ag_visit_create_column(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_create_column *s = AG_AS(create_column, CREATE_COLUMN, n);
    const ag_column *col = s->table->columns[s->index];
    uint32_t count;
    const ag_constraint *const *list = ag_table_constraints(s->table, &count);
    (void)k;
    column_type(c, col);
    for (uint32_t i = 0; i < count && !c->failed; i++) {
        if (list[i]->column != col || !written(c, &s->skip, n, list[i]))
            continue;
        ag_c_str(c, " ");
        constraint(c, list[i]);
    }
}

/* ---- tables ---- */

static void table_constraints(ag_compiler *c, const ag_n_create_table *n, const char *sep)
{
    uint32_t count;
    const ag_constraint *const *list = ag_table_constraints(n->table, &count);
    const ag_constraint *key = ag_table_primary_key(n->table);
    if (key && written(c, &n->skip, &n->node, key)) {
        ag_c_str(c, sep);
        constraint(c, key);
        sep = ", \n\t";
    }
    for (uint32_t i = 0; i < count && !c->failed; i++) {
        if (list[i] == key || list[i]->column || !written(c, &n->skip, &n->node, list[i]))
            continue;
        ag_c_str(c, sep);
        constraint(c, list[i]);
        sep = ", \n\t";
    }
}

void ag_visit_create_table(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_create_table *s = AG_AS(create_table, CREATE_TABLE, n);
    const ag_table *t = s->table;
    const char *sep = "\n\t";
    ag_c_str(c, "CREATE ");
    for (uint32_t i = 0; i < t->nprefixes && !c->failed; i++) {
        ag_c_visit(c, t->prefixes[i], k & AG_KW_DOWN);
        ag_c_str(c, " ");
    }
    if (c->d->table_word)
        c->d->table_word(c, t);
    ag_c_str(c, n->flags & AG_DDL_IF ? "TABLE IF NOT EXISTS " : "TABLE ");
    ag_c_table(c, t);
    ag_c_str(c, " (");
    for (uint32_t i = 0; i < t->ncolumns && !c->failed; i++) {
        if (t->columns[i]->system)
            continue;
        ag_c_str(c, sep);
        ag_c_visit(
            c,
            ag_ddl_create_column(&c->b, t->columns[i], ag_nints_items(s, s->skip), s->skip.n, n->flags & AG_DDL_ASKED),
            k);
        sep = ", \n\t";
    }
    table_constraints(c, s, sep);
    ag_c_str(c, "\n)");
    if (c->d->table_tail)
        c->d->table_tail(c, t);
}

void ag_visit_drop_table(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)k;
    ag_c_str(c, n->flags & AG_DDL_IF ? "DROP TABLE IF EXISTS " : "DROP TABLE ");
    ag_c_table(c, AG_AS(drop_table, DROP_TABLE, n)->table);
    ag_c_str(c, n->flags & AG_DDL_CASCADE ? " CASCADE" : "");
}

/* ---- indexes ---- */

static void index_name(ag_compiler *c, const ag_index *x, bool schema)
{
    ag_str s = ag_c_schema(c, x->table->schema);
    if (schema && s.n) {
        ag_c_quote(c, s, x->table->quote_schema);
        ag_c_str(c, ".");
    }
    ag_ddl_name(c, x->name, x->generated_name, x->quote);
}

static bool plain_column(const ag_node *e)
{
    return e->kind == AG_K_COLUMN || e->kind == AG_K_COLREF || e->kind == AG_K_COLUMN_CLAUSE;
}

/* DESC, NULLS LAST …: from the inside out. At most two or three of them. */
static void index_order(ag_compiler *c, const ag_node *e, const ag_node *inner)
{
    if (e == inner)
        return;
    index_order(c, AG_AS(unary, UNARY, e)->operand, inner);
    ag_c_str(c, ag_c_op_text(c, (ag_op_id)e->op));
}

/* An expression in brackets where PostgreSQL wants them, its operator class, its order. */
static void index_item(ag_compiler *c, const ag_index *x, const ag_node *e)
{
    const ag_node *inner = ag_expr_unwrap_order(e);
    const ag_node *bare = inner->kind == AG_K_LABEL ? AG_AS(label, LABEL, inner)->operand : inner;
    if (plain_column(inner)) {
        ag_ddl_expr(c, inner);
    } else if (bare->kind == AG_K_CASE) { /* no operand needs brackets around it, the grammar of CREATE INDEX does */
        ag_c_str(c, "(");
        ag_ddl_expr(c, bare);
        ag_c_str(c, ")");
    } else {
        ag_c_visit_operand(c, inner, AG_OP_NONE, AG_KW_DDL | AG_KW_LITERAL | AG_KW_NO_TABLE);
    }
    c->d->index_item(c, x, e);
    index_order(c, e, inner);
}

static void index_items(ag_compiler *c, const ag_index *x)
{
    ag_c_str(c, "(");
    for (uint32_t i = 0; i < x->nexprs && !c->failed; i++) {
        ag_c_str(c, i ? ", " : "");
        if (c->d->index_item)
            index_item(c, x, x->exprs[i]);
        else
            ag_ddl_expr(c, x->exprs[i]);
    }
    ag_c_str(c, ")");
}

void ag_visit_create_index(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_index *x = AG_AS(create_index, CREATE_INDEX, n)->index;
    (void)k;
    ag_c_str(c, x->unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ");
    if (c->d->index_word)
        c->d->index_word(c, x);
    ag_c_str(c, n->flags & AG_DDL_IF ? "IF NOT EXISTS " : "");
    index_name(c, x, c->d->index_in_schema);
    ag_c_str(c, " ON ");
    if (c->d->index_in_schema)
        ag_c_quote(c, x->table->name, x->table->quote);
    else
        ag_c_table(c, x->table);
    ag_c_str(c, " ");
    if (c->d->index_using)
        c->d->index_using(c, x);
    index_items(c, x);
    if (c->d->index_tail)
        c->d->index_tail(c, x);
}

void ag_visit_drop_index(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_index *x = AG_AS(drop_index, DROP_INDEX, n)->index;
    (void)k;
    ag_c_str(c, "DROP INDEX ");
    if (c->d->index_word)
        c->d->index_word(c, x);
    ag_c_str(c, n->flags & AG_DDL_IF ? "IF EXISTS " : "");
    index_name(c, x, true);
    ag_c_str(c, n->flags & AG_DDL_CASCADE ? " CASCADE" : "");
}

/* ---- ALTER ---- */

void ag_visit_add_constraint(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_constraint *x = AG_AS(add_constraint, ADD_CONSTRAINT, n)->constraint;
    (void)k;
    ag_c_str(c, "ALTER TABLE ");
    ag_c_table(c, x->table);
    ag_c_str(c, " ADD ");
    constraint(c, x);
}

void ag_visit_drop_constraint(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_constraint *x = AG_AS(drop_constraint, DROP_CONSTRAINT, n)->constraint;
    (void)k;
    ag_c_str(c, "ALTER TABLE ");
    ag_c_table(c, x->table);
    ag_c_str(c, n->flags & AG_DDL_IF ? " DROP CONSTRAINT IF EXISTS " : " DROP CONSTRAINT ");
    ag_ddl_name(c, x->name, x->generated_name, x->quote);
    ag_c_str(c, n->flags & AG_DDL_CASCADE ? " CASCADE" : "");
}

/* PostgreSQL's own in DDL: SERIAL, EXCLUDE, INCLUDE, NOT VALID, index methods and options, table options. */
#include "dialect/postgresql.h"

#include "compile/ddl.h"

#include <string.h>

#define PG "postgresql"

bool ag_postgresql_serial(ag_compiler *c, const ag_column *col)
{
    bool sequence = col->def.kind == AG_DEFAULT_SEQUENCE && col->def.sequence && col->def.sequence->optional;
    if (!col->primary_key || col != col->table->autoincrement_column ||
        col->server_default.kind == AG_SERVER_DEFAULT_IDENTITY || (col->def.kind != AG_DEFAULT_NONE && !sequence))
        return false;
    const ag_type *t = ag_type_strip(ag_type_impl(col->type, PG));
    if (t->id == AG_TYPE_BIGINTEGER || t->id == AG_TYPE_SQL_BIGINT)
        ag_c_str(c, " BIGSERIAL");
    else if (t->id == AG_TYPE_SMALLINTEGER || t->id == AG_TYPE_SQL_SMALLINT)
        ag_c_str(c, " SMALLSERIAL");
    else
        ag_c_str(c, " SERIAL");
    return true;
}

static void include(ag_compiler *c, const ag_options *o)
{
    const ag_option *x = ag_option_find(o, PG, "include");
    if (!x || !x->npairs)
        return;
    for (uint32_t i = 0; i < x->npairs && !c->failed; i++) {
        ag_c_str(c, i ? ", " : " INCLUDE (");
        if (x->pairs[i].node)
            ag_ddl_expr(c, x->pairs[i].node);
        else
            ag_c_quote(c, x->pairs[i].value, -1);
    }
    ag_c_str(c, ")");
}

static void nulls_distinct(ag_compiler *c, const ag_options *o, const char *before, const char *after)
{
    const ag_option *x = ag_option_find(o, PG, "nulls_not_distinct");
    if (!x || x->value.kind != AG_V_BOOL)
        return;
    ag_c_str(c, before);
    ag_c_str(c, x->value.u.i ? "NULLS NOT DISTINCT" : "NULLS DISTINCT");
    ag_c_str(c, after);
}

void ag_postgresql_unique_word(ag_compiler *c, const ag_constraint *k)
{
    nulls_distinct(c, &k->options, "", " ");
}

void ag_postgresql_constraint_middle(ag_compiler *c, const ag_constraint *k)
{
    if (k->kind == AG_CONSTRAINT_PRIMARY_KEY || k->kind == AG_CONSTRAINT_UNIQUE)
        include(c, &k->options);
}

void ag_postgresql_constraint_tail(ag_compiler *c, const ag_constraint *k)
{
    if (k->kind == AG_CONSTRAINT_CHECK && ag_option_bool(&k->options, PG, "no_inherit"))
        ag_c_str(c, " NO INHERIT");
    if ((k->kind == AG_CONSTRAINT_CHECK || k->kind == AG_CONSTRAINT_FOREIGN_KEY) &&
        ag_option_bool(&k->options, PG, "not_valid"))
        ag_c_str(c, " NOT VALID");
}

/* Behind the identifier at i: "quoted", or a bare word; 0 when there is none. */
static size_t end_of_name(ag_str a, size_t i)
{
    size_t start = i;
    if (i < a.n && a.p[i] == '"') {
        for (i++; i < a.n; i++) {
            if (a.p[i] != '"')
                continue;
            if (i + 1 >= a.n || a.p[i + 1] != '"')
                return i > start + 1 ? i + 1 : 0;
            i++;
        }
        return 0;
    }
    while (i < a.n && ((a.p[i] >= '0' && a.p[i] <= '9') || (a.p[i] >= 'a' && a.p[i] <= 'z') ||
                       (a.p[i] >= 'A' && a.p[i] <= 'Z') || a.p[i] == '_' || a.p[i] == '$' || (a.p[i] & 0x80)))
        i++;
    return i > start ? i : 0;
}

/* SET NULL (a, "b c"), SET DEFAULT (a): of PostgreSQL 15. */
bool ag_postgresql_fk_action(ag_str a)
{
    size_t n = a.n > 11 && strncasecmp(a.p, "SET DEFAULT", 11) == 0 ? 11
               : a.n > 8 && strncasecmp(a.p, "SET NULL", 8) == 0    ? 8
                                                                    : 0;
    while (n && n < a.n && a.p[n] == ' ')
        n++;
    if (!n || n >= a.n || a.p[n] != '(')
        return false;
    do {
        for (n++; n < a.n && a.p[n] == ' '; n++)
            ;
        n = end_of_name(a, n);
    } while (n && n < a.n && a.p[n] == ',');
    return n && n + 1 == a.n && a.p[n] == ')';
}

static void lower_phrase(ag_compiler *c, ag_str text)
{
    size_t at = c->out.len;
    ag_ddl_phrase(c, text);
    for (size_t i = at; !c->failed && i < c->out.len; i++) {
        char ch = c->out.data[i];
        c->out.data[i] = ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
    }
}

static ag_str operator_class(const ag_options *o, const ag_node *expr)
{
    const ag_option *ops = ag_option_find(o, PG, "ops");
    const ag_node *bare = ag_expr_unwrap_order(expr);
    if (bare->kind == AG_K_BINARY && bare->op == AG_OP_COLLATE)
        bare = AG_AS(binary, BINARY, bare)->left;
    ag_str key = ag_expr_key(bare);
    for (uint32_t i = 0; ops && key.n && i < ops->npairs; i++) {
        if (ops->pairs[i].key.n == key.n && memcmp(ops->pairs[i].key.p, key.p, key.n) == 0)
            return ops->pairs[i].value;
    }
    return (ag_str){0};
}

static void write_class(ag_compiler *c, const ag_options *o, const ag_node *expr)
{
    ag_str op = operator_class(o, expr);
    if (!op.n)
        return;
    ag_c_str(c, " ");
    ag_ddl_words(c, op, ".()=,"); /* public.gist_trgm_ops(siglen=32) */
}

void ag_postgresql_exclude(ag_compiler *c, const ag_constraint *k)
{
    ag_str using = ag_option_text(&k->options, PG, "using");
    const ag_option *where = ag_option_find(&k->options, PG, "where");
    ag_c_str(c, "EXCLUDE USING ");
    lower_phrase(c, using.n ? using : AG_STR("gist"));
    ag_c_str(c, " (");
    for (uint32_t i = 0; i < k->nelements && !c->failed; i++) {
        ag_c_str(c, i ? ", " : "");
        ag_c_visit_operand(c, k->elements[i].expr, AG_OP_NONE, AG_KW_DDL | AG_KW_LITERAL | AG_KW_NO_TABLE);
        write_class(c, &k->options, k->elements[i].expr);
        if (!ag_op_text_valid(k->elements[i].op.p, k->elements[i].op.n))
            ag_c_fail(c, AG_EXC_COMPILE, "'%.*s' is no operator", (int)k->elements[i].op.n, k->elements[i].op.p);
        ag_c_str(c, " WITH ");
        ag_c_add(c, k->elements[i].op);
    }
    ag_c_str(c, ")");
    if (where && where->node) {
        ag_c_str(c, " WHERE (");
        ag_ddl_expr(c, where->node);
        ag_c_str(c, ")");
    }
}

/* ---- indexes ---- */

void ag_postgresql_index_word(ag_compiler *c, const ag_index *x)
{
    if (!ag_option_bool(&x->options, PG, "concurrently"))
        return;
    ag_c_str(c, "CONCURRENTLY ");
    c->compiled_flags |= AG_COMPILED_TEMP;
}

void ag_postgresql_index_using(ag_compiler *c, const ag_index *x)
{
    ag_str using = ag_option_text(&x->options, PG, "using");
    if (!using.n)
        return;
    ag_c_str(c, "USING ");
    lower_phrase(c, using);
    ag_c_str(c, " ");
}

void ag_postgresql_index_item(ag_compiler *c, const ag_index *x, const ag_node *expr)
{
    write_class(c, &x->options, expr);
}

/* "fillfactor", "toast.autovacuum_enabled" */
static void storage_name(ag_compiler *c, ag_str name)
{
    const char *dot = memchr(name.p, '.', name.n);
    size_t head = dot ? (size_t)(dot - name.p) : name.n;
    ag_ddl_phrase(c, (ag_str){name.p, head});
    if (!dot)
        return;
    ag_c_str(c, ".");
    ag_ddl_phrase(c, (ag_str){dot + 1, name.n - head - 1});
}

/* A word or a number as it is, anything else as a literal. */
static void storage_value(ag_compiler *c, ag_str value)
{
    if (strspn(value.p, "0123456789.") == value.n) {
        ag_c_add(c, value);
        return;
    }
    for (size_t i = 0; i < value.n; i++) {
        char ch = value.p[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_')) {
            ag_c_string(c, value);
            return;
        }
    }
    ag_c_add(c, value);
}

/* WITH (name = value, …). */
static void with_options(ag_compiler *c, const ag_options *o, const char *before)
{
    const ag_option *w = ag_option_find(o, PG, "with");
    if (!w || !w->npairs)
        return;
    ag_c_str(c, before);
    for (uint32_t i = 0; i < w->npairs && !c->failed; i++) {
        ag_c_str(c, i ? ", " : "WITH (");
        storage_name(c, w->pairs[i].key);
        if (!w->pairs[i].value.n)
            continue;
        ag_c_str(c, " = ");
        storage_value(c, w->pairs[i].value);
    }
    ag_c_str(c, ")");
}

void ag_postgresql_view_tail(ag_compiler *c, const ag_table *t)
{
    with_options(c, ag_table_options(t), " ");
}

static void tablespace(ag_compiler *c, const ag_options *o, const char *before)
{
    ag_str name = ag_option_text(o, PG, "tablespace");
    if (!name.n)
        return;
    ag_c_str(c, before);
    ag_c_str(c, "TABLESPACE ");
    ag_c_quote(c, name, -1);
}

void ag_postgresql_index_tail(ag_compiler *c, const ag_index *x)
{
    const ag_option *where = ag_option_find(&x->options, PG, "where");
    include(c, &x->options);
    nulls_distinct(c, &x->options, " ", "");
    with_options(c, &x->options, " ");
    tablespace(c, &x->options, " ");
    if (where && where->node) {
        ag_c_str(c, " WHERE ");
        ag_ddl_expr(c, where->node);
    }
}

/* ---- tables ---- */

void ag_postgresql_table_word(ag_compiler *c, const ag_table *t)
{
    if (ag_option_bool(ag_table_options(t), PG, "unlogged"))
        ag_c_str(c, "UNLOGGED ");
}

static void inherits(ag_compiler *c, const ag_options *o)
{
    const ag_option *x = ag_option_find(o, PG, "inherits");
    ag_str one = ag_option_text(o, PG, "inherits");
    if (!x)
        return;
    ag_c_str(c, "\n INHERITS (");
    for (uint32_t i = 0; i < x->npairs && !c->failed; i++) {
        ag_c_str(c, i ? ", " : "");
        ag_c_quote(c, x->pairs[i].value, -1);
    }
    if (one.n)
        ag_c_quote(c, one, -1);
    ag_c_str(c, ")");
}

static void raw(ag_compiler *c, const ag_options *o, const char *name, const char *before)
{
    ag_str text = ag_option_text(o, PG, name);
    if (!text.n)
        return;
    ag_c_str(c, before);
    ag_c_add(c, text); /* an expression of the user's: RANGE (created) */
}

static void on_commit(ag_compiler *c, const ag_options *o)
{
    ag_str text = ag_option_text(o, PG, "on_commit");
    if (!text.n)
        return;
    ag_c_str(c, "\n ON COMMIT ");
    size_t at = c->out.len;
    ag_ddl_phrase(c, text);
    for (size_t i = at; !c->failed && i < c->out.len; i++) {
        char ch = c->out.data[i];
        c->out.data[i] = ch == '_' ? ' ' : ch >= 'a' && ch <= 'z' ? (char)(ch - 'a' + 'A') : ch;
    }
}

void ag_postgresql_table_tail(ag_compiler *c, const ag_table *t)
{
    const ag_options *o = ag_table_options(t);
    const ag_option *oids = ag_option_find(o, PG, "with_oids");
    inherits(c, o);
    raw(c, o, "partition_by", "\n PARTITION BY ");
    ag_str using = ag_option_text(o, PG, "using");
    if (using.n) {
        ag_c_str(c, "\n USING ");
        ag_ddl_phrase(c, using);
    }
    with_options(c, o, "\n ");
    if (oids && oids->value.kind == AG_V_BOOL)
        ag_c_str(c, oids->value.u.i ? "\n WITH OIDS" : "\n WITHOUT OIDS");
    on_commit(c, o);
    tablespace(c, o, "\n ");
}

/* SQLite's own in DDL: AUTOINCREMENT, ON CONFLICT of constraints, WITHOUT ROWID, STRICT, partial indexes. */
#include "dialect/sqlite.h"

#include "compile/ddl.h"

#include <string.h>

/* "current_timestamp" stands as it is, an expression needs brackets. */
void ag_sqlite_default_text(ag_compiler *c, ag_str text)
{
    bool quoted = text.n && strchr("'\"(", text.p[0]) != NULL, other = false;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char ch = (unsigned char)text.p[i];
        other |= !((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_' ||
                   ch >= 0x80);
    }
    ag_c_str(c, !quoted && other ? "(" : "");
    ag_c_add(c, text);
    ag_c_str(c, !quoted && other ? ")" : "");
}

static bool on_conflict(ag_compiler *c, const ag_options *o, const char *name)
{
    ag_str word = ag_option_text(o, "sqlite", name);
    if (!word.p)
        return false;
    ag_c_str(c, " ON CONFLICT ");
    ag_ddl_phrase(c, word);
    return true;
}

/* PRIMARY KEY AUTOINCREMENT stands with the column. */
static bool inline_key(const ag_column *col)
{
    return ag_option_bool(ag_table_options(col->table), "sqlite", "autoincrement") && col->table->npk == 1 &&
           col->primary_key && ag_type_affinity(col->type) == AG_AFF_INTEGER && !col->nfks;
}

void ag_sqlite_column_tail(ag_compiler *c, const ag_column *col)
{
    if (!col->nullable) {
        ag_c_str(c, " NOT NULL");
        on_conflict(c, ag_column_options(col), "on_conflict_not_null");
    }
    if (col->primary_key && col->autoincrement == AG_AUTOINCREMENT_TRUE && col->table->npk != 1) {
        ag_c_fail(c, AG_EXC_COMPILE, "SQLite does not support autoincrement for composite primary keys");
        return;
    }
    if (inline_key(col)) {
        ag_c_str(c, " PRIMARY KEY");
        on_conflict(c, ag_column_options(col), "on_conflict_primary_key");
        ag_c_str(c, " AUTOINCREMENT");
    }
    ag_ddl_computed(c, col);
}

bool ag_sqlite_omits(const ag_constraint *k)
{
    if (k->kind == AG_CONSTRAINT_PRIMARY_KEY)
        return k->ncolumns == 1 && inline_key(k->columns[0]);
    if (k->kind != AG_CONSTRAINT_FOREIGN_KEY || !k->ncolumns || !k->fks[0]->target)
        return false;
    ag_str a = k->table->schema, b = k->fks[0]->target->table->schema;
    return a.n != b.n || (a.n && memcmp(a.p, b.p, a.n) != 0);
}

void ag_sqlite_constraint_tail(ag_compiler *c, const ag_constraint *k)
{
    if (k->kind == AG_CONSTRAINT_FOREIGN_KEY || on_conflict(c, &k->options, "on_conflict") || k->ncolumns != 1)
        return;
    const ag_options *o = ag_column_options(k->columns[0]);
    if (k->kind == AG_CONSTRAINT_PRIMARY_KEY)
        on_conflict(c, o, "on_conflict_primary_key");
    else if (k->kind == AG_CONSTRAINT_UNIQUE)
        on_conflict(c, o, "on_conflict_unique");
}

void ag_sqlite_table_tail(ag_compiler *c, const ag_table *t)
{
    const ag_options *o = ag_table_options(t);
    const ag_option *rowid = ag_option_find(o, "sqlite", "with_rowid");
    bool without = rowid && rowid->value.kind == AG_V_BOOL && !rowid->value.u.i;
    ag_c_str(c, without ? "\n WITHOUT ROWID" : "");
    if (ag_option_bool(o, "sqlite", "strict"))
        ag_c_str(c, without ? ",\n STRICT" : "\n STRICT");
}

void ag_sqlite_index_tail(ag_compiler *c, const ag_index *x)
{
    const ag_option *where = ag_option_find(&x->options, "sqlite", "where");
    if (!where || !where->node)
        return;
    ag_c_str(c, " WHERE ");
    ag_ddl_expr(c, where->node);
}

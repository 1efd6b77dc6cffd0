/* SQLite's DDL: what stands behind a column and behind CREATE TABLE's closing bracket. */
#include "dialect/sqlite.h"
#include "compile/visit_ddl.h"

/* ON CONFLICT of NOT NULL, and PRIMARY KEY AUTOINCREMENT, which SQLite wants inline. */
void ag_sqlite_column_tail(ag_compiler *c, const ag_column *col)
{
    ag_str not_null = ag_option_text(ag_column_options(col), "sqlite", "on_conflict_not_null");
    if (not_null.p && !col->nullable) {
        ag_c_str(c, " ON CONFLICT ");
        ag_c_add(c, not_null);
    }
    if (!ag_option_bool(ag_table_options(col->table), "sqlite", "autoincrement") || !col->primary_key)
        return;
    if (col->table->npk != 1) {
        ag_c_fail(c, AG_EXC_COMPILE, "SQLite does not support autoincrement for composite primary keys (table '%s')",
                  col->table->name.p);
        return;
    }
    ag_c_str(c, " PRIMARY KEY");
    ag_str conflict = ag_option_text(ag_column_options(col), "sqlite", "on_conflict_primary_key");
    if (conflict.p) {
        ag_c_str(c, " ON CONFLICT ");
        ag_c_add(c, conflict);
    }
    ag_c_str(c, " AUTOINCREMENT");
}

void ag_sqlite_table_tail(ag_compiler *c, const ag_table *t)
{
    const ag_options *o = ag_table_options(t);
    bool without_rowid = ag_option_find(o, "sqlite", "with_rowid") && !ag_option_bool(o, "sqlite", "with_rowid");
    bool strict = ag_option_bool(o, "sqlite", "strict");
    if (without_rowid)
        ag_c_str(c, "\n WITHOUT ROWID");
    if (strict)
        ag_c_str(c, without_rowid ? ",\n STRICT" : "\n STRICT");
}

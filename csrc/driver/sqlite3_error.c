/* SQLite's result codes and its fixed texts as error fields. The texts are part of what SQLite keeps stable enough
 * for its own tests ("UNIQUE constraint failed: t.c"); when one does not look as expected the field is simply left
 * out. */
#include "driver/sqlite3_impl.h"

static ag_exc class_of(int rc, bool running)
{
    switch (rc & 0xff) {
    case SQLITE_NOMEM: return AG_EXC_MEMORY;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH: return AG_EXC_INTEGRITY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return AG_EXC_DATABASE;
    case SQLITE_TOOBIG: return AG_EXC_DATA;
    case SQLITE_MISUSE:
    case SQLITE_RANGE: return AG_EXC_INTERFACE;
    case SQLITE_INTERNAL:
    case SQLITE_NOTFOUND: return AG_EXC_INTERNAL;
    case SQLITE_ERROR: return running ? AG_EXC_OPERATIONAL : AG_EXC_PROGRAMMING;
    default: return AG_EXC_OPERATIONAL;
    }
}

static const char *after(const char *msg, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(msg, prefix, n) == 0 ? msg + n : NULL;
}

/* "table.column" (the last point parts them) into the two fields; a list of columns names only the table. */
static void set_table_column(ag_sqlite *c, ag_error *err, const char *s)
{
    size_t n = strcspn(s, ","), dot = n;
    while (dot && s[dot] != '.')
        dot--;
    if (!dot)
        return;
    c->base.core->error_text(err, &err->table, s, dot);
    if (!s[n])
        c->base.core->error_text(err, &err->column, s + dot + 1, n - dot - 1);
}

static void constraint_fields(ag_sqlite *c, int rc, const char *msg, ag_error *err)
{
    const ag_services *core = c->base.core;
    const char *s;
    switch (rc) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        core->sqlstate_set(err, "23505");
        if ((s = after(msg, "UNIQUE constraint failed: index '")) != NULL && *s)
            core->error_text(err, &err->constraint, s, strlen(s) - 1);
        else if ((s = after(msg, "UNIQUE constraint failed: ")) != NULL)
            set_table_column(c, err, s);
        break;
    case SQLITE_CONSTRAINT_NOTNULL:
        core->sqlstate_set(err, "23502");
        if ((s = after(msg, "NOT NULL constraint failed: ")) != NULL)
            set_table_column(c, err, s);
        break;
    case SQLITE_CONSTRAINT_CHECK:
        core->sqlstate_set(err, "23514");
        if ((s = after(msg, "CHECK constraint failed: ")) != NULL)
            core->error_text(err, &err->constraint, s, strlen(s));
        break;
    case SQLITE_CONSTRAINT_FOREIGNKEY: core->sqlstate_set(err, "23503"); break;
    default: break;
    }
}

/* Messages of plain SQLITE_ERROR that have a SQLSTATE. */
static void general_fields(ag_sqlite *c, const char *msg, ag_error *err)
{
    const ag_services *core = c->base.core;
    const char *s;
    if ((s = after(msg, "no such table: ")) != NULL) {
        core->sqlstate_set(err, "42P01");
        core->error_text(err, &err->table, s, strlen(s));
        err->cls = AG_EXC_PROGRAMMING;
    } else if ((s = after(msg, "no such column: ")) != NULL) {
        core->sqlstate_set(err, "42703");
        core->error_text(err, &err->column, s, strlen(s));
    } else if (strstr(msg, "syntax error") || after(msg, "incomplete input") || after(msg, "unrecognized token")) {
        core->sqlstate_set(err, "42601");
    } else if (after(msg, "no such function: ")) {
        core->sqlstate_set(err, "42883");
    } else if (strstr(msg, " already exists")) {
        core->sqlstate_set(err, "42P07");
    } else if (after(msg, "integer overflow")) {
        core->sqlstate_set(err, "22003");
        err->cls = AG_EXC_DATA;
    } else if (after(msg, "malformed JSON") || after(msg, "bad JSON path")) {
        core->sqlstate_set(err, "22032");
        err->cls = AG_EXC_DATA;
    }
}

void ag_sqlite_error(ag_sqlite *c, int rc, bool running, ag_error *err)
{
    const ag_services *core = c->base.core;
    if ((rc & 0xff) == SQLITE_NOMEM) {
        (void)core->fail_nomem(err);
        return;
    }
    const char *msg = c->db ? sqlite3_errmsg(c->db) : sqlite3_errstr(rc);
    /* a code that the library returned without recording it (misuse) has no message of its own */
    if (c->db && (sqlite3_extended_errcode(c->db) & 0xff) != (rc & 0xff))
        msg = sqlite3_errstr(rc);
    (void)ag_driver_fail(core, err, class_of(rc, running), "%s", msg);
    if (!err)
        return;
    err->code = rc;
    switch (rc & 0xff) {
    case SQLITE_CONSTRAINT: constraint_fields(c, rc, msg, err); break;
    case SQLITE_ERROR: general_fields(c, msg, err); break;
    case SQLITE_INTERRUPT: core->sqlstate_set(err, "57014"); break;
    /* waiting cannot help where SQLite did not even ask its busy handler: a stale snapshot (517) or two upgrades that
     * wait for each other. Running the whole transaction again does. */
    case SQLITE_BUSY: err->retryable = rc == SQLITE_BUSY_SNAPSHOT || !c->busy_seen; break;
    default: break;
    }
}

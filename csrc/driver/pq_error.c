/* Server errors with all their fields, and libpq's own messages. */
#include "driver/pq_impl.h"

static void field(ag_pq *c, const PGresult *res, int code, ag_error *err, char **out)
{
    const char *s = PQresultErrorField(res, code);
    if (s)
        c->base.core->error_text(err, out, s, strlen(s));
}

/* libpq ends its messages with a newline. */
static int trimmed(const char *s)
{
    size_t n = strlen(s);
    while (n && (s[n - 1] == '\n' || s[n - 1] == ' '))
        n--;
    return n > INT32_MAX ? INT32_MAX : (int)n;
}

void ag_pq_conn_error(ag_pq *c, const char *doing, ag_error *err)
{
    const char *s = c->pg ? PQerrorMessage(c->pg) : "";
    int n = trimmed(s);
    (void)ag_driver_fail(c->base.core, err, AG_EXC_OPERATIONAL, "%.*s", n ? n : (int)strlen(doing), n ? s : doing);
    if (err)
        err->disconnect = !c->pg || PQstatus(c->pg) == CONNECTION_BAD;
}

void ag_pq_result_error(ag_pq *c, const PGresult *res, ag_error *err)
{
    const ag_services *core = c->base.core;
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE),
               *msg = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
    bool bad = PQstatus(c->pg) == CONNECTION_BAD;
    if (!msg) { /* libpq's own: the connection broke, or memory ran out */
        const char *s = PQresultErrorMessage(res);
        (void)ag_driver_fail(core, err, bad ? AG_EXC_OPERATIONAL : AG_EXC_DATABASE, "%.*s", trimmed(s), s);
        if (err)
            err->disconnect = bad;
        return;
    }
    (void)ag_driver_fail(core, err, core->sqlstate_class(state), "%s", msg);
    if (!err)
        return;
    core->sqlstate_set(err, state);
    if (bad || (severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0)))
        err->disconnect = true;
    field(c, res, PG_DIAG_MESSAGE_DETAIL, err, &err->detail);
    field(c, res, PG_DIAG_MESSAGE_HINT, err, &err->hint);
    field(c, res, PG_DIAG_CONSTRAINT_NAME, err, &err->constraint);
    field(c, res, PG_DIAG_TABLE_NAME, err, &err->table);
    field(c, res, PG_DIAG_COLUMN_NAME, err, &err->column);
    field(c, res, PG_DIAG_SCHEMA_NAME, err, &err->schema);
}

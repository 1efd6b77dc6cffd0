/* The cursor over packed rows: reading, closing, looking. Where the rows come from is execute*.c, further windows
 * result_fetch.c. */
#include "engine/facts.h"
#include "engine/result_internal.h"
#include <string.h>

ag_result *ag_result_new(const ag_alloc *a, ag_error *err)
{
    ag_result *r = ag_mem_zero(a, 1, sizeof *r);
    if (!r) {
        ag_fail_nomem(err);
        return NULL;
    }
    r->refs = 1;
    r->alloc = a;
    ag_reply_init(&r->reply, a);
    ag_arena_init(&r->arena, a);
    ag_rows_init(&r->defaults, a);
    return r;
}

ag_result *ag_result_ref(ag_result *r)
{
    r->refs++;
    return r;
}

void ag_result_unref(ag_result *r)
{
    if (!r || --r->refs)
        return;
    r->refs = 1;
    ag_result_detach(r, "close");
    ag_reply_clear(&r->reply);
    ag_rows_clear(&r->defaults);
    ag_arena_clear(&r->arena);
    if (r->compiled)
        ag_compiled_unref(r->compiled);
    ag_mem_free(r->alloc, r);
}

/* ---- columns ---- */

static void column_of_reply(ag_result_column *out, const ag_column_info *c)
{
    *out = (ag_result_column){.name = {c->name, c->name_len},
                              .db_name = {c->name, c->name_len},
                              .type = c->type,
                              .db_type = c->db_type,
                              .source = -1};
}

/* Where a "*" may be any number of columns, those of the statement are found by the name that the database reports. */
static uint32_t place_in_statement(const ag_result_column *col, const ag_compiled *c, uint32_t i)
{
    if (!(c->flags & AG_COMPILED_OPEN_COLUMNS))
        return i;
    for (uint32_t k = 0; k < c->ncolumns; k++) {
        if (c->columns[k].key.n == col->db_name.n && memcmp(c->columns[k].key.p, col->db_name.p, col->db_name.n) == 0)
            return k;
    }
    return c->ncolumns;
}

/* The statement's own names and types go before the database's, by position. */
static void column_of_statement(ag_result_column *out, const ag_compiled *c, uint32_t i)
{
    if (c)
        i = place_in_statement(out, c, i);
    if (!c || i >= c->ncolumns)
        return;
    out->source = (int32_t)i;
    if (c->columns[i].key.n) /* raw SQL has none */
        out->name = c->columns[i].key;
    if (c->columns[i].type && c->columns[i].type->id != AG_TYPE_NULL)
        out->type = c->columns[i].type;
}

/* The columns: those that an earlier execution found, if the database describes them as then. */
static ag_status make_columns(ag_result *r, const char *dialect, ag_error *err)
{
    const ag_column_info *info = r->reply.columns;
    ag_exec_facts *f = ag_exec_facts_of(r->compiled, dialect);
    r->columns = ag_exec_facts_columns(f, info, r->ncolumns);
    if (r->columns)
        return AG_OK;
    ag_result_column *columns = ag_arena_zero(&r->arena, r->ncolumns, sizeof *columns);
    if (!columns)
        return ag_fail_nomem(err);
    r->columns = columns;
    for (uint32_t i = 0; i < r->ncolumns; i++) {
        column_of_reply(&columns[i], &info[i]);
        column_of_statement(&columns[i], r->compiled, i);
    }
    if (f && !f->columns)
        ag_exec_facts_keep(r->compiled, columns, info, r->ncolumns);
    return AG_OK;
}

ag_status ag_result_take_reply(ag_result *r, ag_reply *reply, ag_compiled *compiled, const char *dialect, ag_error *err)
{
    ag_reply_clear(&r->reply);
    r->reply = *reply;
    ag_reply_init(reply, r->alloc);
    r->compiled = compiled ? ag_compiled_ref(compiled) : NULL;
    r->ncolumns = r->reply.ncolumns;
    r->returns_rows = r->ncolumns > 0;
    size_t done = r->reply.sets_done;
    r->lastrowid = r->reply.last_ids && done ? r->reply.last_ids[done - 1] : 0;
    return r->ncolumns ? make_columns(r, dialect, err) : AG_OK;
}

bool ag_result_returns_rows(const ag_result *r)
{
    return r->returns_rows;
}

uint32_t ag_result_ncolumns(const ag_result *r)
{
    return r->ncolumns;
}

const ag_result_column *ag_result_columns(const ag_result *r)
{
    return r->columns;
}

uint64_t *ag_result_mark(ag_result *r)
{
    ag_exec_facts *f = r->compiled ? r->compiled->facts : NULL;
    return f && r->columns && r->columns == f->columns ? &f->mark : NULL;
}

const struct ag_compiled *ag_result_compiled(const ag_result *r)
{
    return r->compiled;
}

struct ag_connection *ag_result_connection(const ag_result *r)
{
    return r->conn;
}

/* ---- open cursors ---- */

void ag_result_attach(ag_result *r, ag_connection *c)
{
    r->conn = ag_connection_ref(c);
    r->streaming = true;
    r->savepoint = c->nested ? c->nested->number : 0;
    r->next = c->streams;
    if (c->streams)
        c->streams->prev = r;
    c->streams = r;
}

void ag_result_detach(ag_result *r, const char *by)
{
    ag_connection *c = r->conn;
    if (!c)
        return;
    if (r->reply.cursor && c->pconn && c->pconn->dc)
        ag_conn_driver(c)->cursor_close(c->pconn->dc, r->reply.cursor);
    r->reply.cursor = 0;
    r->reply.more = false;
    if (by && !r->closed) {
        r->closed = true;
        r->closed_by = by;
        ag_rows_clear(&r->reply.rows);
    }
    *(r->prev ? &r->prev->next : &c->streams) = r->next;
    if (r->next)
        r->next->prev = r->prev;
    r->prev = r->next = NULL;
    r->conn = NULL;
    ag_connection_unref(c);
}

void ag_conn_close_streams(ag_connection *c, const char *why, const ag_transaction *above)
{
    c->refs++; /* the last stream may hold the last reference */
    for (ag_result *r = c->streams, *next; r; r = next) {
        next = r->next;
        if (!above || r->savepoint >= above->number)
            ag_result_detach(r, why);
    }
    ag_connection_unref(c);
}

/* ---- reading ---- */

static ag_status fail_closed(const ag_result *r, ag_error *err)
{
    if (!r->returns_rows)
        return ag_fail(err, AG_EXC_RESOURCE_CLOSED,
                       "This result object does not return rows. It has been closed automatically.");
    if (r->closed_by && strcmp(r->closed_by, "close") != 0)
        return ag_fail(err, AG_EXC_RESOURCE_CLOSED,
                       "This result object is closed: %s ended its cursor (a streamed result lives only as long as its "
                       "transaction)",
                       r->closed_by);
    return ag_fail(err, AG_EXC_RESOURCE_CLOSED, "This result object is closed.");
}

ag_result_next ag_result_next_row(ag_result *r, const ag_row **row, ag_error *err)
{
    if (r->closed || !r->returns_rows) {
        (void)fail_closed(r, err);
        return AG_NEXT_ERROR;
    }
    *row = ag_rows_next(&r->reply.rows, &r->pos);
    if (*row)
        return AG_NEXT_ROW;
    return r->reply.more ? AG_NEXT_FETCH : AG_NEXT_END;
}

size_t ag_result_remaining(const ag_result *r)
{
    return r->reply.rows.count - r->pos.index;
}

void ag_result_drop_read(ag_result *r)
{
    r->dropped = true;
    ag_rows_drop_read(&r->reply.rows, &r->pos);
}

size_t ag_result_bytes(const ag_result *r)
{
    return r->reply.rows.bytes + r->reply.arena.total + r->arena.total + r->defaults.bytes + sizeof *r;
}

uint32_t ag_result_yield_per(const ag_result *r)
{
    return r->yield_per;
}

bool ag_result_is_streaming(const ag_result *r)
{
    return r->streaming;
}

void ag_result_close(ag_result *r)
{
    if (r->closed)
        return;
    if (r->conn)
        ag_result_detach(r, "close");
    r->closed = true;
    if (!r->closed_by)
        r->closed_by = "close";
    ag_rows_clear(&r->reply.rows);
    memset(&r->pos, 0, sizeof r->pos);
}

bool ag_result_is_closed(const ag_result *r)
{
    return r->closed;
}

const char *ag_result_closed_by(const ag_result *r)
{
    return r->closed_by;
}

/* ---- what DML brought back ---- */

int64_t ag_result_rowcount(const ag_result *r)
{
    return r->reply.rowcount;
}

size_t ag_result_nsets(const ag_result *r)
{
    return r->nsets;
}

int64_t ag_result_set_rowcount(const ag_result *r, size_t set)
{
    if (set >= r->nsets)
        return -1;
    if (r->nsets == 1)
        return r->reply.rowcount;
    return r->reply.rowcounts ? r->reply.rowcounts[set] : -1;
}

bool ag_result_is_insert(const ag_result *r)
{
    return r->insert;
}

const ag_value *ag_result_inserted_key(ag_result *r, size_t set, uint32_t *npk)
{
    const int64_t *rowids = !r->rowid_keys ? NULL : r->rowids ? r->rowids : r->reply.last_ids;
    if (!(r->keys || rowids) || set >= r->nsets)
        return NULL;
    if (!r->keys) {
        *npk = 1;
        r->rowid = rowids[set] ? ag_value_int(rowids[set]) : ag_value_null();
        return &r->rowid;
    }
    *npk = r->npk;
    return r->keys + set * r->npk;
}

const ag_row *ag_result_returned_defaults(const ag_result *r, size_t set)
{
    return r->default_rows && set < r->nsets ? r->default_rows[set] : NULL;
}

const ag_result_column *ag_result_default_columns(const ag_result *r, uint32_t *n)
{
    *n = r->ndefault_columns;
    return r->default_columns;
}

int64_t ag_result_lastrowid(const ag_result *r)
{
    return r->lastrowid;
}

const char *ag_result_tag(const ag_result *r)
{
    return r->reply.tag;
}

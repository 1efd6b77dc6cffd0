/* From replies to results. The engine's own RETURNING columns are taken out of the rows and become primary keys
 * and returned defaults; the replies of several batches and groups become one result. */
#include "engine/execute_internal.h"
#include <string.h>

void ag_exec_run_clear(ag_stmt_run *run)
{
    ag_result_unref(run->result);
    run->result = NULL;
    if (run->c)
        ag_compiled_unref(run->c);
    run->c = NULL;
    if (run->binds.alloc)
        ag_vec_clear(&run->binds);
    if (run->plan) {
        ag_arena_clear(&run->plan->scratch);
        ag_arena_clear(&run->plan->batch);
    }
}

/* ---- sets ---- */

/* request: index among the run's; the second one of a batched run is its short tail. */
static size_t sets_of(const ag_stmt_run *run, size_t request, size_t done)
{
    if (!run->page)
        return done;
    size_t n = done * (request ? run->nsets % run->page : run->page);
    return n < run->nsets ? n : run->nsets;
}

size_t ag_exec_failed_set(const ag_exec_op *op, const ag_stmt_run *run)
{
    size_t sets = run->from;
    if (op->seg->failed_set == SIZE_MAX || run->page)
        return SIZE_MAX; /* of a batch: any of its rows */
    for (size_t i = run->first; i < op->seg->failed; i++)
        sets += op->requests[i].nsets;
    return sets + op->seg->failed_set;
}

/* Sets of the group that the database has taken. */
static size_t sets_done(const ag_exec_op *op, const ag_stmt_run *run)
{
    size_t n = 0;
    for (size_t i = 0; i < run->nreqs; i++)
        n += sets_of(run, i, op->replies[run->first + i].sets_done);
    return n < run->nsets ? n : run->nsets;
}

bool ag_exec_is_split(const ag_exec_op *op)
{
    const ag_stmt_run *run = &op->runs[0];
    return op->nruns == 1 && run->c && run->split != SIZE_MAX && op->seg->failed < op->nrequests;
}

bool ag_exec_next_group(ag_exec_op *op)
{
    ag_stmt_run *run = &op->runs[0];
    if (op->nruns != 1 || !run->c || !run->req->params.nsets)
        return false;
    run->from += run->split != SIZE_MAX ? run->done : run->nsets;
    run->limit = run->split != SIZE_MAX && run->split > run->from ? run->split : SIZE_MAX;
    if (run->from >= run->req->params.nsets)
        return false;
    for (size_t i = 0; i < op->nrequests; i++)
        ag_reply_clear(&op->replies[i]);
    op->nrequests = run->nreqs = 0;
    return true;
}

/* ---- rows ---- */

static ag_status append_all(ag_rows *dst, const ag_rows *src, ag_error *err)
{
    ag_rows_pos pos = {0};
    const ag_row *row;
    while ((row = ag_rows_next(src, &pos)))
        AG_TRY(ag_rows_append(dst, row, err));
    return AG_OK;
}

/* Cells [from, to) of every row of src. */
static ag_status append_cells(ag_rows *dst, const ag_rows *src, uint32_t from, uint32_t to, ag_error *err)
{
    ag_rows_pos pos = {0};
    const ag_row *row;
    while ((row = ag_rows_next(src, &pos))) {
        if (!ag_rows_begin(dst, to - from))
            return ag_fail_nomem(err);
        for (uint32_t i = from; i < to && i < row->ncols; i++) {
            ag_value v;
            ag_row_get(&v, row, i);
            ag_rows_value(dst, &v);
        }
        if (dst->failed) {
            ag_rows_abandon(dst);
            return ag_fail_nomem(err);
        }
        ag_rows_end(dst);
    }
    return AG_OK;
}

/* The engine's own columns out of a reply; what is left is the user's. */
static ag_status take_implicit(ag_result *r, const ag_dml_facts *d, ag_reply *reply, ag_error *err)
{
    uint32_t user = d->nuser_returning, all = reply->ncolumns;
    if (d->returning == AG_RETURNING_IMPLICIT) {
        if (!r->defaults.count) {
            ag_rows_clear(&r->defaults);
            r->defaults = reply->rows;
            ag_rows_init(&reply->rows, r->alloc);
        } else {
            AG_TRY(append_all(&r->defaults, &reply->rows, err));
        }
        ag_rows_clear(&reply->rows);
        reply->ncolumns = 0;
        return AG_OK;
    }
    ag_rows rest;
    ag_rows_init(&rest, r->alloc);
    ag_status st = append_cells(&r->defaults, &reply->rows, user, all, err);
    if (st == AG_OK)
        st = append_cells(&rest, &reply->rows, 0, user, err);
    ag_rows_clear(&reply->rows);
    reply->rows = rest;
    reply->ncolumns = user;
    return st;
}

static ag_status default_columns(ag_result *r, const ag_dml_facts *d, ag_error *err)
{
    uint32_t n = d->nimplicit_returning;
    if (r->default_columns || !n)
        return AG_OK;
    r->default_columns = ag_arena_zero(&r->arena, n, sizeof *r->default_columns);
    if (!r->default_columns)
        return ag_fail_nomem(err);
    r->ndefault_columns = n;
    for (uint32_t i = 0; i < n; i++) {
        const ag_column *c = d->implicit_returning[i];
        r->default_columns[i] = (ag_result_column){.name = c->name, .db_name = c->name, .type = c->type, .source = -1};
    }
    return AG_OK;
}

/* One more reply into r. */
static ag_status add_reply(ag_result *r, const ag_exec_op *op, ag_stmt_run *run, ag_reply *reply, bool first,
                           ag_error *err)
{
    const ag_dml_facts *d = run->c ? run->c->dml : NULL;
    bool implicit = d && (d->returning == AG_RETURNING_IMPLICIT || d->returning == AG_RETURNING_BOTH);
    if (implicit) {
        AG_TRY(default_columns(r, d, err));
        AG_TRY(take_implicit(r, d, reply, err));
    }
    if (first)
        return ag_result_take_reply(r, reply, run->c, ag_conn_driver(op->conn)->dialect, err);
    int64_t a = r->reply.rowcount, b = reply->rowcount;
    r->reply.rowcount = a >= 0 && b >= 0 ? a + b : -1;
    return append_all(&r->reply.rows, &reply->rows, err);
}

/* ---- primary keys ---- */

static int64_t implicit_index(const ag_dml_facts *d, const ag_column *c)
{
    for (uint32_t i = 0; i < d->nimplicit_returning; i++)
        if (d->implicit_returning[i] == c)
            return i;
    return -1;
}

static ag_status key_of_returning(const ag_stmt_run *run, ag_value *keys, const ag_row *row, ag_arena *ar,
                                  ag_error *err)
{
    const ag_dml_facts *d = run->c->dml;
    for (uint32_t i = 0; i < run->npk; i++) {
        int64_t at = implicit_index(d, d->table->primary_key[i]);
        ag_value v;
        if (at < 0 || at >= row->ncols)
            continue;
        ag_row_get(&v, row, (unsigned)at);
        AG_TRY(ag_value_copy(&keys[i], &v, ar, err));
    }
    return AG_OK;
}

/* Rows of the engine's RETURNING, from number `first` on, stand for the group's sets in order, as long as there are as many. */
static ag_status keys_of_returning(ag_result *r, ag_stmt_run *run, size_t first, ag_error *err)
{
    ag_rows_pos pos = {0};
    const ag_row *row;
    size_t at = 0;
    if (!run->pk || r->defaults.count - first != run->done)
        return AG_OK;
    while ((row = ag_rows_next(&r->defaults, &pos)))
        if (at++ >= first)
            AG_TRY(key_of_returning(run, run->pk + (run->from + at - 1 - first) * run->npk, row, &r->arena, err));
    return AG_OK;
}

static void keys_of_rowids(ag_stmt_run *run, const ag_reply *reply, size_t sets)
{
    const ag_table *t = run->c->dml->table;
    if (!reply->last_ids || !run->c->dml->lastrowid)
        return;
    for (uint32_t i = 0; i < run->npk; i++) {
        if (t->primary_key[i] != t->autoincrement_column)
            continue;
        for (size_t k = 0; k < sets; k++) {
            ag_value *key = &run->pk[(run->from + k) * run->npk + i];
            if (key->kind == AG_V_NULL && reply->last_ids[k] != 0)
                *key = ag_value_int(reply->last_ids[k]);
        }
    }
}

/* As keys_of_rowids, where they are all there is to keep. */
static ag_status keep_rowids(ag_result *r, const ag_stmt_run *run, const ag_reply *reply, size_t sets, ag_error *err)
{
    if (!reply->last_ids)
        return AG_OK;
    r->rowid_keys = true;
    if (sets == r->nsets) /* one group: they stay in the reply, which the result takes over */
        return AG_OK;
    if (!r->rowids && !(r->rowids = ag_arena_zero(&r->arena, r->nsets, sizeof *r->rowids)))
        return ag_fail_nomem(err);
    memcpy(r->rowids + run->from, reply->last_ids, sets * sizeof *r->rowids);
    return AG_OK;
}

/* Values kept while binding live in the op's arena: the result needs its own. */
static ag_status copy_keys(ag_result *r, const ag_stmt_run *run, ag_error *err)
{
    size_t n = r->nsets * run->npk;
    r->keys = ag_arena_zero(&r->arena, n + 1, sizeof *r->keys);
    if (!r->keys)
        return ag_fail_nomem(err);
    for (size_t i = 0; i < n; i++)
        AG_TRY(ag_value_copy(&r->keys[i], &run->pk[i], &r->arena, err));
    r->npk = run->npk;
    return AG_OK;
}

/* Row of each set, so that asking for one does not walk them all. */
static ag_status index_defaults(ag_result *r, ag_error *err)
{
    ag_rows_pos pos = {0};
    const ag_row *row;
    size_t k = 0;
    if (!r->defaults.count || r->defaults.count != r->nsets)
        return AG_OK;
    r->default_rows = ag_arena_zero(&r->arena, r->nsets, sizeof *r->default_rows);
    if (!r->default_rows)
        return ag_fail_nomem(err);
    while ((row = ag_rows_next(&r->defaults, &pos)))
        r->default_rows[k++] = row;
    return AG_OK;
}

/* A request that stopped at a group's end was not counted. */
static void count_split(const ag_stmt_run *run, size_t request, ag_reply *reply)
{
    if (run->split == SIZE_MAX || reply->rowcount >= 0)
        return;
    int64_t n = 0;
    for (size_t k = 0; reply->rowcounts && k < reply->sets_done; k++)
        n += reply->rowcounts[k];
    reply->rowcount = reply->rowcounts ? n : (int64_t)sets_of(run, request, reply->sets_done);
}

/* ---- the result ---- */

ag_status ag_exec_make_result(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    bool first = !run->result;
    if (first) {
        run->result = ag_result_new(ag_conn_alloc(op->conn), err);
        if (!run->result)
            return AG_NOMEM;
    }
    ag_result *r = run->result;
    r->yield_per = run->x.yield_per;
    r->nsets = run->req->params.nsets ? run->req->params.nsets : 1;
    if (!run->c)
        run->nsets = r->nsets;
    run->done = sets_done(op, run); /* taking a reply empties it */
    r->insert = run->c && run->c->kind == AG_STMT_INSERT;
    size_t defaults_before = r->defaults.count;
    for (size_t i = 0; i < run->nreqs; i++) {
        ag_reply *reply = &op->replies[run->first + i];
        if (run->c)
            count_split(run, i, reply);
        if (run->pk)
            keys_of_rowids(run, reply, run->page ? 0 : reply->sets_done);
        else if (run->rowid_keys && !run->page)
            AG_TRY(keep_rowids(r, run, reply, reply->sets_done, err));
        AG_TRY(add_reply(r, op, run, reply, first && i == 0, err));
    }
    AG_TRY(keys_of_returning(r, run, defaults_before, err));
    if (run->page || run->nreqs != 1 || run->nsets != r->nsets) { /* not one count a set of the caller's */
        ag_mem_free(r->alloc, r->reply.rowcounts);
        r->reply.rowcounts = NULL;
    }
    if (r->reply.cursor)
        ag_result_attach(r, op->conn);
    return AG_OK;
}

/* Rows stand for the sets in order; where the order was asked for, a missing row (a trigger may swallow one) must not
 * shift the others unseen. */
static ag_status check_sorted(const ag_stmt_run *run, ag_error *err)
{
    const ag_result *r = run->result;
    const ag_dml_facts *d = run->c && run->c->kind == AG_STMT_INSERT ? run->c->dml : NULL;
    size_t came =
        r->returns_rows ? r->reply.rows.count : r->defaults.count; /* return_defaults() keeps its rows apart */
    if (!d || !d->returning_sorted || d->from_select || d->multi_values || r->nsets < 2 || r->reply.cursor ||
        came == r->nsets)
        return AG_OK;
    return ag_fail(
        err, AG_EXC_INVALID_REQUEST,
        "sort_by_parameter_order: %zu rows came back for %zu parameter sets, so that their order is not known", came,
        r->nsets);
}

ag_status ag_exec_finish_result(ag_stmt_run *run, ag_error *err)
{
    ag_result *r = run->result;
    AG_TRY(check_sorted(run, err));
    AG_TRY(index_defaults(r, err));
    return run->pk ? copy_keys(r, run, err) : AG_OK;
}

/* Making results out of results: frozen copies, concatenation, given rows; reading again. */
#include "engine/result_internal.h"
#include <string.h>

static ag_status copy_str(ag_str *s, ag_arena *ar)
{
    char *p = ag_arena_strndup(ar, s->p ? s->p : "", s->n);
    if (!p)
        return AG_NOMEM;
    s->p = p;
    return AG_OK;
}

static ag_status copy_columns(ag_result *out, const ag_result_column *cols, uint32_t n, ag_error *err)
{
    out->ncolumns = n;
    out->returns_rows = true;
    if (!n)
        return AG_OK;
    ag_result_column *copy = ag_arena_zero(&out->arena, n, sizeof *cols);
    if (!copy)
        return ag_fail_nomem(err);
    memcpy(copy, cols, n * sizeof *cols);
    for (uint32_t i = 0; i < n; i++)
        if (copy_str(&copy[i].name, &out->arena) != AG_OK || copy_str(&copy[i].db_name, &out->arena) != AG_OK)
            return ag_fail_nomem(err);
    out->columns = copy;
    return AG_OK;
}

static ag_status append_rest(ag_result *out, const ag_result *r, ag_error *err)
{
    ag_rows_pos pos = r->pos;
    const ag_row *row;
    while ((row = ag_rows_next(&r->reply.rows, &pos)))
        AG_TRY(ag_rows_append(&out->reply.rows, row, err));
    return AG_OK;
}

static ag_status check_buffered(const ag_result *r, const char *what, ag_error *err)
{
    if (r->closed || !r->returns_rows)
        return ag_fail(err, AG_EXC_RESOURCE_CLOSED,
                       "This result object is closed or does not return rows; cannot %s it", what);
    if (r->reply.more)
        return ag_fail(err, AG_EXC_INVALID_REQUEST, "cannot %s a result that is still streaming", what);
    return AG_OK;
}

static ag_status fill_copy(ag_result *out, const ag_result *r, ag_error *err)
{
    AG_TRY(copy_columns(out, r->columns, r->ncolumns, err));
    out->compiled = r->compiled ? ag_compiled_ref(r->compiled) : NULL;
    AG_TRY(append_rest(out, r, err));
    out->reply.rowcount = r->reply.rowcount;
    return AG_OK;
}

static ag_status finish(ag_result **out, ag_result *made, ag_status st)
{
    if (st == AG_OK)
        *out = made;
    else
        ag_result_unref(made);
    return st;
}

ag_status ag_result_copy(ag_result **out, const ag_result *r, ag_error *err)
{
    *out = NULL;
    AG_TRY(check_buffered(r, "freeze", err));
    ag_result *made = ag_result_new(r->alloc, err);
    if (!made)
        return AG_NOMEM;
    return finish(out, made, fill_copy(made, r, err));
}

ag_status ag_result_rewind(ag_result *r, ag_error *err)
{
    AG_TRY(check_buffered(r, "rewind", err));
    if (r->dropped || r->streaming)
        return ag_fail(err, AG_EXC_INVALID_REQUEST, "cannot rewind: rows that were read have been dropped");
    memset(&r->pos, 0, sizeof r->pos);
    return AG_OK;
}

ag_status ag_result_merge(ag_result **out, ag_result *const *rs, size_t n, ag_error *err)
{
    *out = NULL;
    if (!n)
        return ag_fail(err, AG_EXC_ARGUMENT, "merge needs at least one result");
    for (size_t i = 0; i < n; i++) {
        AG_TRY(check_buffered(rs[i], "merge", err));
        if (rs[i]->ncolumns != rs[0]->ncolumns)
            return ag_fail(err, AG_EXC_INVALID_REQUEST, "cannot merge results of %u and %u columns", rs[0]->ncolumns,
                           rs[i]->ncolumns);
    }
    ag_result *made = ag_result_new(rs[0]->alloc, err);
    if (!made)
        return AG_NOMEM;
    ag_status st = fill_copy(made, rs[0], err);
    for (size_t i = 1; st == AG_OK && i < n; i++) {
        st = append_rest(made, rs[i], err);
        bool known = made->reply.rowcount >= 0 && rs[i]->reply.rowcount >= 0;
        made->reply.rowcount = known ? made->reply.rowcount + rs[i]->reply.rowcount : -1;
    }
    return finish(out, made, st);
}

ag_status ag_result_of_rows(ag_result **out, const ag_alloc *a, const ag_result_column *cols, uint32_t ncols,
                            ag_rows *rs, ag_error *err)
{
    *out = NULL;
    ag_result *made = ag_result_new(a, err);
    if (!made)
        return AG_NOMEM;
    ag_status st = copy_columns(made, cols, ncols, err);
    if (st == AG_OK) {
        made->reply.rowcount = (int64_t)rs->count;
        made->reply.rows = *rs;
        ag_rows_init(rs, a);
    }
    return finish(out, made, st);
}

/* Rows: for each column of a result a decoder is picked once, then every row is one pass over them. The commonest
 * types are written straight into the packed row; the others go through an ag_value. */
#include "driver/pq_impl.h"

enum { FAST_NONE, FAST_INT4, FAST_INT8, FAST_INT2, FAST_FLOAT8, FAST_BOOL, FAST_BYTES, FAST_INT_TEXT };

static const ag_type *asked_type(const ag_type *const *types, uint32_t ntypes, int i)
{
    const ag_type *t = types && (uint32_t)i < ntypes ? types[i] : NULL;
    const ag_type *impl = ag_driver_type(t);
    return impl && impl->id != AG_TYPE_NULL ? t : NULL;
}

/* An enum's (or citext's) binary form is its text, whatever its OID is. */
static bool is_textual(const ag_type *asked)
{
    const ag_type *t = ag_driver_type(asked);
    return t && (t->id == AG_TYPE_ENUM || t->id == AG_TYPE_PG_CITEXT);
}

/* hstore's OID is each database's own: it is known by what was asked for. */
static bool is_hstore(const ag_type *asked)
{
    const ag_type *t = ag_driver_type(asked);
    return t && t->id == AG_TYPE_PG_HSTORE;
}

static bool can_binary(uint32_t oid, const ag_type *asked)
{
    return ag_pq_has_binary(oid) || (!ag_pq_type_find(oid) && (is_textual(asked) || is_hstore(asked)));
}

static uint8_t fast_path(const ag_pq_type *t, bool binary)
{
    if (!t)
        return FAST_NONE;
    if (t->kind == AG_V_TEXT || t->oid == AG_OID_JSON)
        return FAST_BYTES;
    if (!binary)
        return t->kind == AG_V_INT ? FAST_INT_TEXT : FAST_NONE;
    switch (t->oid) {
    case AG_OID_INT4: return FAST_INT4;
    case AG_OID_INT8: return FAST_INT8;
    case AG_OID_INT2: return FAST_INT2;
    case AG_OID_FLOAT8: return FAST_FLOAT8;
    case AG_OID_BOOL: return FAST_BOOL;
    case AG_OID_BYTEA: return FAST_BYTES;
    default: return FAST_NONE;
    }
}

static void plan_column(ag_pq *c, ag_pq_column *col, uint32_t oid, bool binary, const ag_type *asked)
{
    const ag_services *core = c->base.core;
    const ag_pq_type *t = ag_pq_type_find(oid);
    const ag_type *impl = ag_driver_type(asked);
    ag_vkind want = ag_driver_kind(core, asked);
    *col = (ag_pq_column){.oid = oid, .binary = binary, .type = asked, .asked = asked, .kind = t ? t->kind : AG_V_NULL};
    if (t)
        col->decode = binary ? t->binary : t->text; /* NULL: binary, and not known to us; ag_pq_decode says so */
    else if (is_hstore(asked))
        col->decode = binary ? ag_pq_bin_hstore : ag_pq_text_raw;
    if (want == AG_V_ARRAY && impl->item)
        col->item_kind = (uint8_t)ag_driver_kind(core, impl->item);
    col->want = (uint8_t)want;
    if (want == AG_V_NULL || want == col->kind)
        col->fast = col->decode && !(impl && impl->id == AG_TYPE_ENUM) ? fast_path(t, binary) : FAST_NONE;
    if (asked)
        return;
    const ag_pq_type *item = t ? NULL : ag_pq_type_find_array(oid);
    col->type = item ? core->type_plain_array((ag_type_id)item->type)
                     : core->type_plain(t ? (ag_type_id)t->type : AG_TYPE_NULL);
}

void ag_pq_plan_clear(ag_pq *c, ag_pq_plan *plan)
{
    ag_driver_free(c->base.alloc, plan->columns);
    *plan = (ag_pq_plan){.columns = NULL};
}

static ag_status make_plan(ag_pq *c, ag_pq_plan *plan, const ag_request *req, const PGresult *res, ag_error *err)
{
    int n = PQnfields(res);
    size_t bytes = 0;
    for (int i = 0; i < n; i++)
        bytes += strlen(PQfname(res, i)) + 1;
    ag_pq_plan_clear(c, plan);
    plan->columns = ag_driver_realloc(c->base.alloc, NULL, (size_t)n * sizeof *plan->columns + bytes + 1);
    if (!plan->columns)
        return c->base.core->fail_nomem(err);
    plan->ncolumns = (uint32_t)n;
    plan->names_size = (uint32_t)bytes;
    plan->can_binary = true;
    char *names = (char *)(plan->columns + n);
    for (int i = 0, at = 0; i < n; i++) {
        ag_pq_column *col = &plan->columns[i];
        const ag_type *asked = asked_type(req->result_types, req->nresult_types, i);
        plan_column(c, col, PQftype(res, i), PQfformat(res, i) == 1, asked);
        plan->can_binary = plan->can_binary && can_binary(col->oid, asked);
        col->name_at = (uint32_t)at;
        col->name_len = (uint32_t)strlen(PQfname(res, i));
        memcpy(names + at, PQfname(res, i), col->name_len + 1);
        at += (int)col->name_len + 1;
    }
    return AG_OK;
}

/* A prepared statement's columns keep their names and types, but it may be fetched in the other format, or other types be
 * asked for. */
static bool plan_fits(const ag_pq_plan *plan, const ag_request *req, const PGresult *res)
{
    int n = PQnfields(res);
    if (!plan->columns || plan->ncolumns != (uint32_t)n)
        return false;
    for (int i = 0; i < n; i++) {
        const ag_pq_column *col = &plan->columns[i];
        if (col->asked != asked_type(req->result_types, req->nresult_types, i) || col->oid != PQftype(res, i))
            return false;
    }
    return !n || plan->columns[0].binary == (PQfformat(res, 0) == 1);
}

/* Names and types for the reply, in one block of its arena. */
static ag_status describe_reply(ag_pq *c, const ag_pq_plan *plan, ag_reply *reply, ag_error *err)
{
    size_t n = plan->ncolumns;
    char *block = c->base.core->arena_new(&reply->arena, n * sizeof(ag_column_info) + plan->names_size);
    if (!block)
        return c->base.core->fail_nomem(err);
    ag_column_info *info = (ag_column_info *)(void *)block;
    char *names = block + n * sizeof *info;
    memcpy(names, plan->columns + n, plan->names_size);
    for (size_t i = 0; i < n; i++) {
        const ag_pq_column *col = &plan->columns[i];
        info[i] = (ag_column_info){
            .name = names + col->name_at, .name_len = col->name_len, .type = col->type, .db_type = col->oid};
    }
    reply->columns = info;
    reply->ncolumns = (uint32_t)n;
    return AG_OK;
}

ag_status ag_pq_describe(ag_pq *c, ag_pq_stmt *st, const ag_request *req, const PGresult *res, ag_reply *reply,
                         ag_error *err)
{
    ag_pq_plan *plan = st ? &st->plan : &c->plan;
    if (!st || !plan_fits(plan, req, res))
        AG_TRY(make_plan(c, plan, req, res, err));
    c->reading = plan;
    return plan->ncolumns && !reply->ncolumns ? describe_reply(c, plan, reply, err) : AG_OK;
}

/* ---- cells ---- */

static ag_status cell_error(ag_pq *c, const PGresult *res, int i, ag_error *why, ag_error *err)
{
    ag_status st = ag_driver_fail(c->base.core, err, why->cls, "column %s: %s", PQfname(res, i),
                                  why->message ? why->message : "the value cannot be read");
    c->base.core->error_clear(why);
    return st;
}

static ag_status slow_cell(ag_pq *c, const PGresult *res, int i, const char *p, size_t n, ag_rows *rs, ag_error *err)
{
    const ag_pq_column *col = &c->reading->columns[i];
    ag_error why = {.alloc = c->base.alloc};
    ag_value v;
    ag_status st = col->decode ? col->decode(&c->codec, &v, p, n, &why)
                               : ag_pq_decode(&c->codec, &v, col->oid, col->binary, (ag_vkind)col->want,
                                              (ag_vkind)col->item_kind, p, n, &why);
    if (st == AG_OK && col->want != AG_V_NULL && col->want != v.kind)
        st = ag_pq_convert(&c->codec, &v, (ag_vkind)col->want, ag_driver_type(col->asked), &why);
    if (st == AG_NOMEM)
        return c->base.core->fail_nomem(err);
    if (st != AG_OK)
        return cell_error(c, res, i, &why, err);
    if (v.kind == AG_V_TEXT && ag_driver_unlisted(ag_driver_type(col->asked), v.u.s.p, v.u.s.n))
        return ag_driver_fail(c->base.core, err, AG_EXC_DATA, "column %s: '%.64s' is not among the values of its Enum",
                              PQfname(res, i), v.u.s.p);
    c->base.core->rows_value(rs, &v);
    return AG_OK;
}

static bool int_text(const char *p, size_t n, int64_t *out)
{
    bool minus = n && p[0] == '-';
    uint64_t v = 0;
    if (n - minus > 18 || n == minus)
        return false;
    for (size_t i = minus; i < n; i++) {
        unsigned d = (unsigned)p[i] - '0';
        if (d > 9)
            return false;
        v = v * 10 + d;
    }
    *out = minus ? -(int64_t)v : (int64_t)v;
    return true;
}

static bool fast_cell(const ag_pq_column *col, const char *p, size_t n, ag_rows *rs, ag_rows_grow_fn grow)
{
    int64_t i;
    uint64_t bits;
    switch (col->fast) {
    case FAST_INT4:
        if (n == 4)
            ag_rows_int(rs, AG_V_INT, (int32_t)ag_pq_get32(p));
        return n == 4;
    case FAST_BYTES: ag_rows_bytes(rs, col->kind, p, n, grow); return true;
    case FAST_FLOAT8:
        bits = n == 8 ? ag_pq_get64(p) : 0;
        if (n == 8)
            ag_rows_cell(rs, AG_V_FLOAT, bits);
        return n == 8;
    case FAST_INT8:
        if (n == 8)
            ag_rows_int(rs, AG_V_INT, (int64_t)ag_pq_get64(p));
        return n == 8;
    case FAST_INT2:
        if (n == 2)
            ag_rows_int(rs, AG_V_INT, (int16_t)ag_pq_get16(p));
        return n == 2;
    case FAST_BOOL:
        if (n == 1)
            ag_rows_int(rs, AG_V_BOOL, p[0] != 0);
        return n == 1;
    case FAST_INT_TEXT:
        if (!int_text(p, n, &i))
            return false;
        ag_rows_int(rs, AG_V_INT, i);
        return true;
    default: return false;
    }
}

ag_status ag_pq_read_rows(ag_pq *c, const PGresult *res, ag_rows *rs, ag_error *err)
{
    const ag_services *core = c->base.core;
    const ag_pq_column *cols = c->reading->columns;
    int nrows = PQntuples(res), ncols = (int)c->reading->ncolumns;
    if (PQnfields(res) != ncols)
        return ag_driver_fail(core, err, AG_EXC_DATABASE, "the columns of the result changed on the way");
    if (ncols > UINT16_MAX)
        return ag_driver_fail(core, err, AG_EXC_DATABASE, "a result of %d columns", ncols);
    for (int r = 0; r < nrows; r++) {
        if (!core->rows_begin(rs, (unsigned)ncols))
            return core->fail_nomem(err);
        for (int i = 0; i < ncols; i++) {
            size_t n = (size_t)PQgetlength(res, r, i);
            if (!n && PQgetisnull(res, r, i)) {
                ag_rows_null(rs);
                continue;
            }
            const char *p = PQgetvalue(res, r, i);
            ag_status st = AG_OK;
            if (!cols[i].fast || !fast_cell(&cols[i], p, n, rs, core->rows_grow))
                st = slow_cell(c, res, i, p, n, rs, err);
            if (st != AG_OK) {
                core->rows_abandon(rs);
                return st;
            }
        }
        core->rows_end(rs);
        ag_pq_codec_reset(&c->codec);
        if (rs->failed)
            return core->fail_nomem(err);
    }
    return AG_OK;
}

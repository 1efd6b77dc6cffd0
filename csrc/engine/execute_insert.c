/* INSERT of many sets where a round trip and a parse a set would cost more than the rows: the VALUES tuple of the
 * compiled text is either turned into one array a column (SELECT … FROM unnest), or repeated (insertmanyvalues).
 * Rows come back in the order of the sets. Only for pipelining drivers with numbered placeholders; elsewhere a
 * prepared statement in a loop is the fastest way. */
#include "engine/execute_internal.h"
#include <stdio.h>
#include <string.h>

#define DEFAULT_PAGE 1000u

typedef struct batch_text {
    const ag_compiled *c;
    const char *tuple, *suffix;
    size_t prefix_len, tuple_len, suffix_len;
    uint32_t first, count, npositions;
} batch_text;

static bool is_blank(char ch)
{
    return ch == ' ' || ch == '\n';
}

static bool starts_with(const char *s, size_t len, const char *word)
{
    size_t n = strlen(word);
    while (len && is_blank(*s))
        s++, len--;
    return len >= n && memcmp(s, word, n) == 0;
}

static bool split_text(batch_text *t, const ag_compiled *c)
{
    const ag_dml_facts *d = c->dml;
    if (!d || !d->values_len || d->multi_values || d->from_select || c->npieces)
        return false;
    *t = (batch_text){.c = c,
                      .tuple = c->text.p + d->values_at,
                      .tuple_len = d->values_len,
                      .suffix = c->text.p + d->values_at + d->values_len,
                      .suffix_len = c->text.n - d->values_at - d->values_len,
                      .prefix_len = d->values_at,
                      .first = d->values_first,
                      .count = d->values_count,
                      .npositions = c->npositions};
    /* an upsert may touch one row twice: set by set is the only right way */
    size_t rest = t->suffix_len;
    while (rest && is_blank(t->suffix[t->suffix_len - rest]))
        rest--;
    return rest == 0 || starts_with(t->suffix, t->suffix_len, "RETURNING");
}

/* ---- arrays ---- */

/* Types whose arrays unnest into what the column takes; an untyped or named one the database could not tell. */
static bool array_type_ok(const ag_type *t)
{
    switch (t ? ag_type_affinity(t) : AG_AFF_NULL) {
    case AG_AFF_INTEGER:
    case AG_AFF_NUMERIC:
    case AG_AFF_BOOLEAN:
    case AG_AFF_DATE:
    case AG_AFF_TIME:
    case AG_AFF_DATETIME:
    case AG_AFF_INTERVAL:
    case AG_AFF_BINARY:
    case AG_AFF_JSON:
    case AG_AFF_UUID: return true;
    case AG_AFF_STRING: return t->id != AG_TYPE_ENUM && t->id != AG_TYPE_PG_JSONPATH && t->id != AG_TYPE_PG_CITEXT;
    default: return false;
    }
}

/* "($1, $2, $3)" and nothing else. */
static bool is_plain_tuple(const batch_text *t)
{
    size_t at = 1;
    char want[16];
    if (!t->count || t->tuple[0] != '(')
        return false;
    for (uint32_t i = 0; i < t->count; i++) {
        int n = snprintf(want, sizeof want, "%s$%u", i ? ", " : "", t->first + i + 1);
        if (at + (size_t)n >= t->tuple_len || memcmp(t->tuple + at, want, (size_t)n) != 0)
            return false;
        at += (size_t)n;
    }
    return at + 1 == t->tuple_len && t->tuple[at] == ')';
}

static bool may_unnest(const ag_exec_op *op, const batch_text *t)
{
    const char *dialect = ag_conn_driver(op->conn)->dialect;
    if (!is_plain_tuple(t))
        return false;
    for (uint32_t i = 0; i < t->count; i++) {
        const ag_compiled_bind *b = &t->c->binds[t->c->positions[t->first + i].bind];
        if (!b->type || !array_type_ok(ag_type_impl(b->type, dialect)))
            return false;
    }
    return true;
}

static size_t without_values_word(const batch_text *t)
{
    size_t n = t->prefix_len;
    while (n && is_blank(t->c->text.p[n - 1]))
        n--;
    return n >= 6 && memcmp(t->c->text.p + n - 6, "VALUES", 6) == 0 ? n - 6 : SIZE_MAX;
}

static ag_status unnest_text(ag_buf *out, const batch_text *t)
{
    ag_buf_add(out, t->c->text.p, without_values_word(t));
    ag_buf_str(out, "SELECT * FROM unnest");
    ag_buf_add(out, t->tuple, t->tuple_len);
    ag_buf_add(out, t->suffix, t->suffix_len);
    return ag_buf_ok(out) ? AG_OK : AG_NOMEM;
}

static size_t rows_of_batch(const ag_stmt_run *run, size_t batch)
{
    size_t left = run->nsets - batch * run->page;
    return left < run->page ? left : run->page;
}

static ag_status read_batch(ag_bind_plan *p, size_t batch, size_t rows, ag_value *out, ag_error *err)
{
    const ag_stmt_run *run = p->run;
    bool copy = run->req->params.fill != NULL;
    for (size_t r = 0; r < rows; r++) {
        AG_TRY(ag_bind_values(p, run->from + batch * run->page + r, out, err));
        for (uint32_t i = 0; i < p->npositions; i++) {
            ag_value *item = &p->items[i * run->page + r];
            *item = out[i];
            if (copy && ag_vkind_has_bytes(item->kind))
                AG_TRY(ag_value_copy(item, &out[i], &p->scratch, err));
        }
    }
    return AG_OK;
}

/* ag_request.fill: one array a column of the tuple, with the rows of batch k. */
static ag_status fill_arrays(void *ud, size_t batch, ag_value *out, ag_error *err)
{
    ag_stmt_run *run = ud;
    ag_bind_plan *p = run->plan;
    const ag_dml_facts *d = run->c->dml;
    size_t rows = rows_of_batch(run, batch);
    ag_array_dim dim = {(int32_t)rows, 1};
    ag_arena_reset(&p->scratch);
    ag_arena_reset(&p->batch);
    AG_TRY(read_batch(p, batch, rows, out, err));
    for (uint32_t i = d->values_first; i < d->values_first + d->values_count; i++)
        AG_TRY(ag_array_pack(&out[i], 1, &dim, &p->items[i * run->page], rows, &p->batch, err));
    return AG_OK;
}

static ag_status array_types(ag_exec_op *op, const batch_text *t, ag_request *r, ag_error *err)
{
    const ag_type **types = ag_arena_zero(&op->arena, r->nparams + 1u, sizeof *types);
    ag_type *arrays = ag_arena_zero(&op->arena, t->count, sizeof *arrays);
    if (!arrays || !types)
        return ag_fail_nomem(err);
    memcpy(types, r->param_types, r->nparams * sizeof *types); /* those are the statement's, for other executions too */
    for (uint32_t i = 0; i < t->count; i++) {
        arrays[i] = ag_type_proto(AG_TYPE_ARRAY);
        arrays[i].item = types[t->first + i];
        arrays[i].dims = 1;
        types[t->first + i] = &arrays[i];
    }
    r->param_types = types;
    return AG_OK;
}

/* ---- repeated tuples ---- */

/* Copy SQL, adding shift to the number of every placeholder from `from` on. Quoted parts are left alone. */
static void renumber(ag_buf *out, const char *s, size_t len, uint32_t from, uint32_t shift)
{
    char quote = '\0';
    bool escapes = false;
    for (size_t i = 0; i < len; i++) {
        char ch = s[i];
        if (quote) {
            ag_buf_char(out, ch);
            if (ch == '\\' && escapes && i + 1 < len)
                ag_buf_char(out, s[++i]);
            else if (ch == quote)
                quote = '\0'; /* a doubled one opens again at once */
            continue;
        }
        if (ch == '\'' || ch == '"') {
            quote = ch;
            escapes = ch == '\'' && i && (s[i - 1] == 'E' || s[i - 1] == 'e');
        }
        ag_buf_char(out, ch);
        if (ch != '$' || i + 1 >= len || s[i + 1] < '0' || s[i + 1] > '9')
            continue;
        uint32_t n = 0;
        while (i + 1 < len && s[i + 1] >= '0' && s[i + 1] <= '9')
            n = n * 10 + (uint32_t)(s[++i] - '0');
        ag_buf_int(out, n >= from ? n + shift : n);
    }
}

static ag_status values_text(ag_buf *out, const batch_text *t, size_t rows)
{
    ag_buf_add(out, t->c->text.p, t->prefix_len);
    for (size_t r = 0; r < rows; r++) {
        if (r)
            ag_buf_str(out, ", ");
        renumber(out, t->tuple, t->tuple_len, t->first + 1, (uint32_t)r * t->count);
    }
    renumber(out, t->suffix, t->suffix_len, t->first + t->count + 1, (uint32_t)(rows - 1) * t->count);
    return ag_buf_ok(out) ? AG_OK : AG_NOMEM;
}

/* Values of `rows` sets from `at` on: what stands before the tuples, the tuples, what stands behind. */
static ag_status fill_rows(ag_bind_plan *p, size_t at, size_t rows, ag_value *out, ag_error *err)
{
    const ag_stmt_run *run = p->run;
    const ag_dml_facts *d = run->c->dml;
    ag_value *one = ag_arena_zero(&p->batch, p->npositions + 1u, sizeof *one);
    if (!one)
        return ag_fail_nomem(err);
    bool copy = run->req->params.fill != NULL;
    uint32_t count = d->values_count, behind = p->npositions - d->values_first - count;
    for (size_t r = 0; r < rows; r++) {
        AG_TRY(ag_bind_values(p, run->from + at + r, one, err));
        for (uint32_t i = 0; copy && i < p->npositions; i++)
            if (ag_vkind_has_bytes(one[i].kind))
                AG_TRY(ag_value_copy(&one[i], &one[i], &p->scratch, err));
        if (!r) {
            memcpy(out, one, d->values_first * sizeof *one);
            memcpy(out + d->values_first + rows * count, one + d->values_first + count, behind * sizeof *one);
        }
        memcpy(out + d->values_first + r * count, one + d->values_first, count * sizeof *one);
    }
    return AG_OK;
}

static ag_status fill_values(void *ud, size_t batch, ag_value *out, ag_error *err)
{
    ag_stmt_run *run = ud;
    ag_arena_reset(&run->plan->scratch);
    ag_arena_reset(&run->plan->batch);
    return fill_rows(run->plan, batch * run->page, run->page, out, err);
}

/* The last batch, when it is shorter. */
static ag_status fill_tail(void *ud, size_t set, ag_value *out, ag_error *err)
{
    ag_stmt_run *run = ud;
    size_t full = run->nsets / run->page;
    (void)set;
    ag_arena_reset(&run->plan->scratch);
    ag_arena_reset(&run->plan->batch);
    return fill_rows(run->plan, full * run->page, run->nsets - full * run->page, out, err);
}

static ag_status repeated_types(ag_exec_op *op, const batch_text *t, size_t rows, ag_request *r, ag_error *err)
{
    const ag_type **types = ag_arena_zero(&op->arena, r->nparams + 1u, sizeof *types);
    if (!types)
        return ag_fail_nomem(err);
    for (uint32_t i = 0; i < t->npositions; i++) {
        bool inside = i >= t->first && i < t->first + t->count;
        size_t times = inside ? rows : 1, at = i < t->first + t->count ? i : i + (rows - 1) * t->count;
        for (size_t k = 0; k < times; k++)
            types[at + k * t->count] = r->param_types[i];
    }
    r->param_types = types;
    return AG_OK;
}

static ag_status finish_text(ag_exec_op *op, ag_request *r, ag_buf *b, ag_status st, ag_error *err)
{
    if (st == AG_OK) {
        r->text = ag_arena_strndup(&op->arena, b->data, b->len);
        r->text_len = b->len;
    }
    ag_buf_clear(b);
    return st == AG_OK && r->text ? AG_OK : ag_fail_nomem(err);
}

static ag_status values_request(ag_exec_op *op, ag_stmt_run *run, const batch_text *t, const ag_request *proto,
                                size_t rows, size_t nsets, ag_request *r, ag_error *err)
{
    ag_buf b;
    ag_buf_init(&b, ag_conn_alloc(op->conn));
    *r = *proto;
    r->nsets = nsets;
    r->nparams = t->npositions + (uint32_t)(rows - 1) * t->count;
    r->fill = rows == run->page ? fill_values : fill_tail;
    r->fill_ud = run;
    if (nsets == 1)
        r->flags &= ~AG_REQ_PREPARE; /* a text of its own length */
    AG_TRY(finish_text(op, r, &b, values_text(&b, t, rows), err));
    return repeated_types(op, t, rows, r, err);
}

/* ---- which way ---- */

static size_t page_size(const ag_exec_op *op, const ag_stmt_run *run, const batch_text *t, bool unnest)
{
    size_t page = run->x.insertmanyvalues_page_size ? run->x.insertmanyvalues_page_size : DEFAULT_PAGE;
    size_t max = ag_conn_driver(op->conn)->max_params(op->conn->pconn->dc), other = t->npositions - t->count;
    if (!unnest && t->count && max > other && page > (max - other) / t->count)
        page = (max - other) / t->count;
    return page < run->nsets ? page : run->nsets;
}

static ag_status plan_unnest(ag_exec_op *op, ag_stmt_run *run, const batch_text *t, const ag_request *proto,
                             ag_error *err)
{
    ag_bind_plan *p = run->plan;
    ag_buf b;
    ag_buf_init(&b, ag_conn_alloc(op->conn));
    AG_TRY(ag_exec_add_requests(op, run, 1, err));
    ag_request *r = &op->requests[run->first];
    *r = *proto;
    r->nsets = (run->nsets + run->page - 1) / run->page;
    r->fill = fill_arrays;
    r->fill_ud = run;
    p->items = ag_arena_zero(&op->arena, run->page * p->npositions + 1, sizeof *p->items);
    if (!p->items)
        return ag_fail_nomem(err);
    AG_TRY(array_types(op, t, r, err));
    return finish_text(op, r, &b, unnest_text(&b, t), err);
}

static ag_status plan_values(ag_exec_op *op, ag_stmt_run *run, const batch_text *t, const ag_request *proto,
                             ag_error *err)
{
    size_t full = run->nsets / run->page, tail = run->nsets % run->page;
    AG_TRY(ag_exec_add_requests(op, run, 1 + (tail > 0), err));
    AG_TRY(values_request(op, run, t, proto, run->page, full, &op->requests[run->first], err));
    if (!tail)
        return AG_OK;
    return values_request(op, run, t, proto, tail, 1, &op->requests[run->first + 1], err);
}

ag_status ag_exec_plan_batches(ag_exec_op *op, ag_stmt_run *run, bool *done, ag_error *err)
{
    const unsigned need = AG_DRV_PIPELINE | AG_DRV_DOLLAR;
    batch_text t;
    *done = false;
    run->page = 0;
    if (run->c->kind != AG_STMT_INSERT || run->nsets < 2 || (ag_conn_driver(op->conn)->caps & need) != need ||
        !op->conn->engine->s->use_insertmanyvalues || !split_text(&t, run->c))
        return AG_OK;
    bool unnest = may_unnest(op, &t) && without_values_word(&t) != SIZE_MAX;
    size_t page = page_size(op, run, &t, unnest);
    if (page < 2)
        return AG_OK;
    run->page = page;
    ag_request proto = {.flags = AG_REQ_PREPARE | (run->c->ncolumns ? AG_REQ_ROWS : 0u), .nparams = t.npositions};
    AG_TRY(ag_bind_types(op, run, &proto, err));
    run->plan->keep_scratch = true;
    *done = true;
    return unnest ? plan_unnest(op, run, &t, &proto, err) : plan_values(op, run, &t, &proto, err);
}

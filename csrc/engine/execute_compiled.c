/* From a statement to driver requests: compile it (through the cache), find the group of sets it fits, make its
 * defaults, and choose how the sets travel. */
#include "engine/execute_internal.h"
#include "engine/log.h"
#include <string.h>

#define DEFAULT_WINDOW 1000u

/* ---- the group ---- */

/* Keys that the group's first set has. Sets with other keys are a group of their own, with a statement of their own. */
static ag_status group_keys(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    const ag_params *q = &run->req->params;
    size_t total = q->nsets ? q->nsets : 1, end = run->limit < total ? run->limit : total;
    run->nsets = end - run->from;
    run->split = SIZE_MAX;
    run->keys = q->keys;
    run->nkeys = q->nkeys;
    if (!q->nsets || !q->nkeys || (run->req->stmt->kind != AG_K_INSERT && run->req->stmt->kind != AG_K_UPDATE))
        return AG_OK;
    ag_bind_plan probe = {.run = run};
    ag_status st;
    do { /* again where the set has names that were not known: there is room for them then */
        run->split = SIZE_MAX;
        probe.row = ag_arena_zero(&op->arena, q->nkeys, sizeof *probe.row);
        if (!probe.row)
            return ag_fail_nomem(err);
        st = ag_bind_read_row(&probe, run->from, err);
    } while (st != AG_OK && run->split != SIZE_MAX);
    AG_TRY(st);
    ag_str *keys = ag_arena_zero(&op->arena, q->nkeys, sizeof *keys);
    if (!keys)
        return ag_fail_nomem(err);
    run->keys = q->keys;
    run->nkeys = q->nkeys;
    uint32_t n = 0;
    for (uint32_t i = 0; i < q->nkeys; i++)
        if (probe.row[i].kind != AG_V_ABSENT)
            keys[n++] = q->keys[i];
    if (n < q->nkeys) {
        run->keys = keys;
        run->nkeys = n;
    }
    return AG_OK;
}

/* Listeners see all values before anything is sent. */
static bool wants_values(const ag_exec_op *op)
{
    const uint64_t bits = AG_EV_BIT(AG_EV_BEFORE_CURSOR_EXECUTE) | AG_EV_BIT(AG_EV_AFTER_CURSOR_EXECUTE) |
                          AG_EV_BIT(AG_EV_DO_EXECUTE) | AG_EV_BIT(AG_EV_DO_EXECUTEMANY);
    return (ag_conn_events(op->conn) & bits) != 0;
}

/* Where does the group end? Found while its sets are being sent, unless defaults have to be made before, rows or keys come back,
 * or the values are wanted at once. */
static ag_status find_limit(ag_bind_plan *p, ag_error *err)
{
    ag_stmt_run *run = p->run;
    bool early = p->ndynamic || run->c->ncolumns || run->c->npieces || !(run->req->bulk || run->rowid_keys) ||
                 wants_values(p->op);
    if (run->c->kind != AG_STMT_INSERT || run->nsets < 2 || !early)
        return AG_OK;
    for (size_t k = 1; k < run->nsets; k++) {
        ag_status st = ag_bind_read_row(p, run->from + k, err);
        bool other = st == AG_OK ? !ag_bind_same_keys(p) : run->split == run->from + k;
        if (!other)
            AG_TRY(st);
        if (other) {
            run->split = SIZE_MAX;
            run->limit = run->from + k;
            run->nsets = k;
        }
    }
    return AG_OK;
}

/* ---- compiling ---- */

static ag_status translate(ag_compile_options *o, const ag_stmt_run *run, ag_arena *ar, ag_error *err)
{
    if (!run->x.nschema_map)
        return AG_OK;
    ag_translate *map = ag_arena_zero(ar, run->x.nschema_map, sizeof *map);
    if (!map)
        return ag_fail_nomem(err);
    for (size_t i = 0; i < run->x.nschema_map; i++) {
        const ag_schema_pair *s = &run->x.schema_map[i];
        if (s->from)
            map[i].from = (ag_str){s->from, strlen(s->from)};
        if (s->to)
            map[i].to = (ag_str){s->to, strlen(s->to)};
    }
    o->translate = map;
    o->ntranslate = (uint32_t)run->x.nschema_map;
    return AG_OK;
}

static void set_badge(ag_exec_op *op, ag_stmt_run *run, ag_cache_outcome outcome, int64_t began)
{
    static const char *const badges[] = {"cached since", "generated in", "no key", "caching disabled"};
    run->badge_seconds = -1;
    if (!ag_engine_logs(op->conn->engine))
        return;
    run->badge = badges[outcome];
    double took = (double)(ag_now_us() - began) / 1e6;
    run->badge_seconds = took;
    int64_t since = ag_engine_badge_time(op->conn->engine->s, run->c->id, began);
    if (outcome == AG_CACHE_HIT) {
        run->badge_ago = true;
        run->badge_seconds = (double)(began - since) / 1e6;
    }
}

static ag_status compile(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    ag_engine_shared *s = op->conn->engine->s;
    const ag_exec_request *q = run->req;
    bool keyed = q->stmt->kind == AG_K_INSERT || q->stmt->kind == AG_K_UPDATE;
    bool many = q->params.many || q->params.nsets > 1;
    ag_compile_options o = {.for_executemany = many && q->bulk, .types = s->types, .serial = q->serial};
    ag_cache_outcome outcome = AG_CACHE_OFF;
    bool use_cache = s->cache && !((run->x.has & AG_XO_CACHE) && !run->x.compiled_cache);
    int64_t began = ag_engine_logs(op->conn->engine) ? ag_now_us() : 0;
    if (run->c)
        ag_compiled_unref(run->c);
    run->c = NULL;
    if (!run->binds.alloc)
        ag_vec_init(&run->binds, s->alloc);
    if (q->compiled) {
        run->c = ag_compiled_ref(q->compiled);
        run->badge = "compiled";
        run->badge_seconds = -1;
        run->binds.len = 0;
        return ag_tree_binds(&run->binds, q->stmt, s->alloc, err);
    }
    if (keyed) { /* no keys at all: the statement's own values and defaults */
        static const ag_str none;
        o.column_keys = q->params.nsets && run->keys ? run->keys : &none;
        o.ncolumn_keys = q->params.nsets ? run->nkeys : 0;
    }
    o.linting = s->linting;
    o.label_length = s->label_length;
    o.max_identifier = s->max_identifier_length;
    o.max_params = ag_conn_driver(op->conn)->max_params(op->conn->pconn->dc);
    AG_TRY(translate(&o, run, &op->arena, err));
    AG_TRY(ag_compile_cached(&run->c, &run->binds, use_cache ? s->cache : NULL, s->dialect, q->stmt, &o,
                             s->compile_host, s->alloc, &outcome, err));
    set_badge(op, run, outcome, began);
    if (run->c->warning.p && outcome != AG_CACHE_HIT)
        ag_log_write(s->host, s->logger, AG_LOG_WARNING, run->c->warning.p, run->c->warning.n);
    return AG_OK;
}

/* ---- what kind of thing it is ---- */

static void text_need(const ag_exec_op *op, ag_stmt_run *run)
{
    const ag_connection *c = op->conn;
    const ag_driver *d = ag_conn_driver(c);
    run->kind = ag_sql_classify(run->c->text.p, run->c->text.n, &run->dirty);
    if (!ag_conn_single_writer(c))
        return;
    if (run->kind == AG_SQL_CONTROL) {
        run->need = c->begun ? AG_SEG_READS : AG_SEG_BARE;
        return;
    }
    int answer = d->readonly ? d->readonly(c->pconn->dc, run->c->text.p, run->c->text.n) : run->kind == AG_SQL_QUERY;
    run->need = answer == 0 ? AG_SEG_WRITES : AG_SEG_READS;
}

static void find_need(const ag_exec_op *op, ag_stmt_run *run)
{
    run->need = AG_SEG_READS;
    switch (run->c->kind) {
    case AG_STMT_SELECT:
        run->kind = AG_SQL_QUERY;
        if (run->c->flags & AG_COMPILED_FOR_UPDATE)
            run->need = AG_SEG_WRITES;
        break;
    case AG_STMT_INSERT:
        run->kind = AG_SQL_INSERT;
        run->need = AG_SEG_WRITES;
        break;
    case AG_STMT_UPDATE:
    case AG_STMT_DELETE:
        run->kind = AG_SQL_DML;
        run->need = AG_SEG_WRITES;
        break;
    case AG_STMT_DDL:
        run->kind = AG_SQL_DDL;
        run->need = (run->c->flags & AG_COMPILED_TEMP) && !op->conn->begun ? AG_SEG_BARE : AG_SEG_WRITES;
        break;
    case AG_STMT_TEXT:
    case AG_STMT_OTHER: text_need(op, run); break;
    }
}

static bool reports_keys(const ag_stmt_run *run)
{
    const ag_dml_facts *d = run->c->dml;
    bool many = run->req->params.nsets > 1;
    return run->c->kind == AG_STMT_INSERT && !d->multi_values && !d->from_select && d->table && d->table->npk &&
           (!many || !run->req->bulk);
}

/* Are the keys that sets of this group get all rowids? */
static bool gets_rowids(const ag_exec_op *op, const ag_stmt_run *run)
{
    if (!reports_keys(run) || run->pk || run->req->params.nsets < 2 || run->c->ncolumns)
        return false;
    const ag_table *t = run->c->dml->table;
    if (t->npk != 1 || t->primary_key[0] != t->autoincrement_column || !run->c->dml->lastrowid ||
        !(ag_conn_driver(op->conn)->caps & AG_DRV_LAST_ID))
        return false;
    for (uint32_t i = 0; i < run->c->nbinds; i++)
        if (run->c->binds[i].column == t->primary_key[0])
            return false;
    return true;
}

/* Keys of an INSERT are reported where its rows are one by one known. */
static ag_status room_for_keys(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    size_t total = run->req->params.nsets ? run->req->params.nsets : 1;
    if (!reports_keys(run) || run->pk || run->rowid_keys)
        return AG_OK;
    run->npk = run->c->dml->table->npk;
    run->pk = ag_arena_zero(&op->arena, total * run->npk, sizeof *run->pk); /* kind 0: NULL */
    if (!run->pk)
        return ag_fail_nomem(err);
    const int64_t *ids = run->result ? run->result->rowids : NULL; /* of the groups before, which gave no keys */
    for (size_t k = 0; ids && k < run->from; k++)
        if (ids[k])
            run->pk[k] = ag_value_int(ids[k]);
    return AG_OK;
}

/* ---- requests ---- */

static void set_flags(const ag_exec_op *op, const ag_stmt_run *run, ag_request *r)
{
    const ag_compiled *c = run->c;
    bool ddl = run->kind == AG_SQL_DDL || run->kind == AG_SQL_CONTROL;
    r->flags = AG_REQ_ROWS;
    if (ag_exec_may_stream(op, run)) {
        r->flags |= AG_REQ_STREAM;
        r->window = run->x.yield_per        ? run->x.yield_per
                    : run->x.max_row_buffer ? run->x.max_row_buffer
                                            : DEFAULT_WINDOW;
    } else if (!ddl && !c->npieces) {
        r->flags |= AG_REQ_PREPARE;
    }
    bool single = run->req->params.nsets <= 1;
    if (c->kind == AG_STMT_INSERT && (single || !run->req->bulk) && (ag_conn_driver(op->conn)->caps & AG_DRV_LAST_ID))
        r->flags |= AG_REQ_LAST_ID;
}

/* ---- IN lists and literals that are finished per set ---- */

static uint32_t count_members(void *ud, uint32_t bind)
{
    return ag_bind_member_count(ud, bind);
}

static ag_status member_value(void *ud, uint32_t bind, uint32_t member, ag_value *out, ag_error *err)
{
    return ag_bind_member(ud, bind, member, out, err);
}

static ag_status expand_set(ag_exec_op *op, ag_stmt_run *run, size_t k, ag_request *r, ag_error *err)
{
    ag_bind_plan *p = run->plan;
    ag_expand_values source = {p, count_members, member_value};
    ag_buf text;
    AG_TRY(ag_bind_read_row(p, run->from + k, err));
    AG_TRY(ag_bind_settle_lists(p, err));
    ag_buf_init(&text, ag_conn_alloc(op->conn));
    ag_status st = ag_compiled_expand(run->c, &source, op->conn->engine->s->compile_host, &text, &p->positions,
                                      &p->npositions, &op->arena, err);
    if (st == AG_OK) {
        r->text = ag_arena_strndup(&op->arena, text.data, text.len);
        r->text_len = text.len;
        if (!r->text)
            st = ag_fail_nomem(err);
    }
    ag_buf_clear(&text);
    AG_TRY(st);
    r->nsets = 1;
    r->nparams = p->npositions;
    set_flags(op, run, r);
    AG_TRY(ag_bind_types(op, run, r, err));
    ag_value *values = ag_arena_zero(&op->arena, r->nparams + 1u, sizeof *values);
    if (!values)
        return ag_fail_nomem(err);
    AG_TRY(ag_bind_values(p, run->from + k, values, err));
    for (uint32_t i = 0; i < r->nparams; i++)
        AG_TRY(ag_value_copy(&values[i], &values[i], &op->arena, err));
    r->values = values;
    return AG_OK;
}

static ag_status plan_expanded(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    AG_TRY(ag_exec_add_requests(op, run, run->nsets, err));
    for (size_t k = 0; k < run->nsets; k++)
        AG_TRY(expand_set(op, run, k, &op->requests[run->first + k], err));
    return AG_OK;
}

static ag_status plan_plain(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    AG_TRY(ag_exec_add_requests(op, run, 1, err));
    ag_request *r = &op->requests[run->first];
    *r = (ag_request){.text = run->c->text.p,
                      .text_len = run->c->text.n,
                      .nsets = run->nsets,
                      .nparams = run->plan->npositions,
                      .fill = ag_bind_fill,
                      .fill_ud = run};
    set_flags(op, run, r);
    AG_TRY(ag_bind_types(op, run, r, err));
    if (run->nsets == 1 || wants_values(op))
        return ag_bind_materialise(op, run, r, err);
    return AG_OK;
}

static ag_status plan_requests(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    bool done = false;
    run->nreqs = 0;
    AG_TRY(room_for_keys(op, run, err));
    if (run->c->npieces)
        return plan_expanded(op, run, err);
    AG_TRY(ag_exec_plan_batches(op, run, &done, err));
    return done ? AG_OK : plan_plain(op, run, err);
}

static ag_status prepare(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    const ag_params *q = &run->req->params;
    if (q->many && !q->nsets)
        return ag_fail(err, AG_EXC_ARGUMENT, "the list of parameter sets is empty");
    if (q->nkeys && !q->keys)
        return ag_fail(err, AG_EXC_ARGUMENT, "parameters of an expression statement are given by name");
    AG_TRY(group_keys(op, run, err));
    AG_TRY(compile(op, run, err));
    if (run->c->dml && run->c->dml->multi_values && q->nsets > 1)
        return ag_fail(
            err, AG_EXC_INVALID_REQUEST,
            "an INSERT with several VALUES rows of its own cannot be executed with a list of parameter sets");
    find_need(op, run);
    run->rowid_keys = gets_rowids(op, run);
    AG_TRY(ag_bind_plan_new(op, run, err));
    return find_limit(run->plan, err);
}

ag_step ag_exec_plan_compiled(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    AG_CO_BEGIN(op->line3)
    if (prepare(op, run, err) != AG_OK)
        return AG_STEP_FAILED;
    AG_CO_AWAIT(op->line3, ag_exec_run_defaults(op, run, err))
    if (ag_exec_connected(op, err) != AG_OK || plan_requests(op, run, err) != AG_OK)
        return AG_STEP_FAILED;
    AG_CO_END(op->line3);
    return AG_STEP_DONE;
}

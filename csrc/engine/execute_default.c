/* Values that are made for an execution: column defaults (host functions, SQL that is selected first) and binds
 * with a callable. */
#include "engine/execute_internal.h"
#include "sql/select.h"
#include <string.h>

static ag_value *cell(const ag_stmt_run *run)
{
    ag_bind_plan *p = run->plan;
    return &p->defaults[run->at_set * p->ndynamic + run->at_bind];
}

static const ag_default *current_default(const ag_stmt_run *run)
{
    return ag_exec_default_of(run->plan->dynamic[run->at_bind]);
}

/* ---- host functions ---- */

typedef struct known_values {
    ag_default_call args;
    ag_str *keys;
    ag_value *values;
} known_values;

/* The value of a bind as far as it is known: given with the call or in the statement, a default made before this one. */
static bool known_value(const ag_stmt_run *run, uint32_t bind, ag_value *out)
{
    const ag_bind_plan *p = run->plan;
    const ag_bind_slot *slot = &p->slots[bind];
    const ag_compiled_bind *b = slot->b;
    *out = ag_value_null();
    if (slot->key >= 0 && p->row[slot->key].kind != AG_V_ABSENT)
        *out = p->row[slot->key];
    else if (slot->dynamic >= 0 && (uint32_t)slot->dynamic < run->at_bind)
        *out = p->defaults[run->at_set * p->ndynamic + (size_t)slot->dynamic];
    else if (slot->dynamic >= 0)
        return false;
    else if (slot->def && slot->def->kind == AG_DEFAULT_SCALAR)
        *out = slot->def->value;
    else if (b->source == AG_SOURCE_CONSTANT && !b->node)
        *out = b->value;
    else if (b->source != AG_SOURCE_TREE || b->nmembers || b->index >= run->binds.len ||
             !(run->binds.items[b->index]->node.flags & AG_BIND_HAS_VALUE))
        return false;
    else
        ag_nval_get(out, run->binds.items[b->index], &run->binds.items[b->index]->value);
    return true;
}

/* context:get_current_parameters(): the values of this set by column key, those of other binds by name. Of several rows of
 * VALUES only the one that the default is for. */
static ag_status current_parameters(ag_exec_op *op, ag_stmt_run *run, known_values *k, ag_error *err)
{
    const ag_compiled *c = run->c;
    uint32_t row = c->binds[run->plan->dynamic[run->at_bind]->bind].row;
    size_t n = 0;
    k->keys = ag_arena_zero(&op->arena, c->nbinds + 1u, sizeof *k->keys);
    k->values = ag_arena_zero(&op->arena, c->nbinds + 1u, sizeof *k->values);
    if (!k->keys || !k->values)
        return ag_fail_nomem(err);
    AG_TRY(ag_bind_read_row(run->plan, run->from + run->at_set, err));
    for (uint32_t i = 0; i < c->nbinds; i++) {
        const ag_compiled_bind *b = &c->binds[i];
        if ((b->row && b->row != row) || !known_value(run, i, &k->values[n]))
            continue;
        k->keys[n++] = b->column ? b->column->key : b->name;
    }
    k->args.keys = k->keys;
    k->args.values = k->values;
    k->args.nkeys = n;
    return AG_OK;
}

static ag_status prepare_call(ag_exec_op *op, ag_stmt_run *run, const ag_default *d, ag_error *err)
{
    known_values *k = ag_arena_zero(&op->arena, 1, sizeof *k);
    if (!k)
        return ag_fail_nomem(err);
    k->args.column = run->plan->dynamic[run->at_bind]->column;
    k->args.conn = op->conn;
    k->args.set = run->from + run->at_set;
    k->args.update = run->plan->dynamic[run->at_bind]->is_update;
    if (d->context_sensitive)
        AG_TRY(current_parameters(op, run, k, err));
    op->op.call = (ag_call){.kind = AG_CALL_DEFAULT, .fn = d->host, .args = &k->args};
    return AG_OK;
}

static ag_status take_answer(ag_exec_op *op, ag_value *out, ag_error *err)
{
    if (ag_op_answer(&op->op, err) != AG_STEP_DONE)
        return AG_ERROR;
    if (!op->op.call.has_value) {
        *out = ag_value_null();
        return AG_OK;
    }
    return ag_value_copy(out, &op->op.call.value, &op->arena, err);
}

/* ---- SQL that is selected first ---- */

static ag_status prepare_select(ag_exec_op *op, const ag_default *d, ag_error *err)
{
    ag_engine_shared *s = op->conn->engine->s;
    ag_builder b;
    const ag_node *expr = d->kind == AG_DEFAULT_SEQUENCE ? d->sequence->next_value : d->expr;
    ag_builder_init(&b, s->alloc, s->types, err);
    b.arena = &op->arena;
    const ag_node *select = ag_select(&b, &expr, 1);
    ag_builder_clear(&b);
    ag_exec_request *req = ag_arena_zero(&op->arena, 1, sizeof *req);
    if (!op->child)
        op->child = ag_arena_zero(&op->arena, 1, sizeof *op->child);
    if (!select || !req || !op->child)
        return err->set ? AG_ERROR : ag_fail_nomem(err);
    req->stmt = select;
    AG_TRY(ag_exec_init(op->child, op->conn, req, 1, err));
    op->child->inner = true;
    op->child->deadline = op->deadline;
    return AG_OK;
}

static ag_status take_selected(ag_exec_op *op, ag_value *out, ag_error *err)
{
    ag_result *r = ag_exec_take(op->child, 0);
    const ag_row *row = NULL;
    ag_value v = ag_value_null();
    ag_status st = AG_OK;
    if (ag_result_next_row(r, &row, err) == AG_NEXT_ROW)
        ag_row_get(&v, row, 0);
    else
        st = ag_fail(err, AG_EXC_INVALID_REQUEST, "the SQL default of a column gave no row");
    if (st == AG_OK)
        st = ag_value_copy(out, &v, &op->arena, err);
    ag_result_unref(r);
    ag_op_clear(&op->child->op);
    return st;
}

/* ---- all of them ---- */

static ag_step one_default(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    AG_CO_BEGIN(run->line2)
    if (current_default(run)->kind == AG_DEFAULT_CALLABLE) {
        if (prepare_call(op, run, current_default(run), err) != AG_OK)
            return AG_STEP_FAILED;
        AG_CO_YIELD(run->line2, AG_STEP_CALL)
        if (take_answer(op, cell(run), err) != AG_OK)
            return AG_STEP_FAILED;
    } else {
        if (prepare_select(op, current_default(run), err) != AG_OK)
            return AG_STEP_FAILED;
        AG_CO_AWAIT(run->line2, ag_op_sub(&op->op, &op->child->op, err))
        if (take_selected(op, cell(run), err) != AG_OK)
            return AG_STEP_FAILED;
    }
    AG_CO_END(run->line2);
    return AG_STEP_DONE;
}

static ag_status room_for_defaults(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    ag_bind_plan *p = run->plan;
    p->defaults = ag_arena_zero(&op->arena, run->nsets * p->ndynamic + 1, sizeof *p->defaults);
    return p->defaults ? AG_OK : ag_fail_nomem(err);
}

static bool has_callable(const ag_stmt_run *run, uint32_t bind)
{
    const ag_compiled_bind *b = &run->c->binds[bind];
    if (run->plan->slots[bind].key >= 0)
        return false;
    const ag_n_bind *t = b->node                                                    ? AG_AS(bind, BIND, b->node)
                         : b->source == AG_SOURCE_TREE && b->index < run->binds.len ? run->binds.items[b->index]
                                                                                    : NULL;
    return t && (t->node.flags & AG_BIND_CALLABLE);
}

static ag_status prepare_callable(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    const ag_compiled_bind *b = &run->c->binds[run->at_bind];
    const ag_n_bind *t = b->node ? AG_AS(bind, BIND, b->node) : run->binds.items[b->index];
    ag_bind_plan *p = run->plan;
    if (!p->callables) {
        p->callables = ag_arena_zero(&op->arena, run->c->nbinds, sizeof *p->callables);
        if (!p->callables)
            return ag_fail_nomem(err);
        for (uint32_t i = 0; i < run->c->nbinds; i++)
            p->callables[i].kind = AG_V_ABSENT;
    }
    ag_default_call *args = ag_arena_zero(&op->arena, 1, sizeof *args);
    if (!args)
        return ag_fail_nomem(err);
    args->conn = op->conn;
    op->op.call = (ag_call){.kind = AG_CALL_DEFAULT, .fn = t->callable, .args = args};
    return AG_OK;
}

ag_step ag_exec_run_defaults(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    AG_CO_BEGIN(run->line)
    if (run->plan->ndynamic && room_for_defaults(op, run, err) != AG_OK)
        return AG_STEP_FAILED;
    for (run->at_set = 0; run->plan->ndynamic && run->at_set < run->nsets; run->at_set++) {
        for (run->at_bind = 0; run->at_bind < run->plan->ndynamic; run->at_bind++) {
            AG_CO_AWAIT(run->line, one_default(op, run, err))
        }
    }
    for (run->at_bind = 0; run->at_bind < run->c->nbinds; run->at_bind++) {
        if (!has_callable(run, run->at_bind))
            continue;
        if (prepare_callable(op, run, err) != AG_OK)
            return AG_STEP_FAILED;
        AG_CO_YIELD(run->line, AG_STEP_CALL)
        if (take_answer(op, &run->plan->callables[run->at_bind], err) != AG_OK)
            return AG_STEP_FAILED;
    }
    AG_CO_END(run->line);
    return AG_STEP_DONE;
}

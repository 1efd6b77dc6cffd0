/* Values of placeholders. Each bind says where its value comes from (the call's parameters, the tree, a default, a
 * constant); here it is fetched and made what the bind's type takes. Sets are converted one at a time, just before
 * the driver binds them. */
#include "engine/execute_internal.h"
#include "engine/facts.h"
#include <string.h>

/* ---- planning ---- */

static int64_t find_key(const ag_params *p, ag_str name)
{
    if (!p->keys)
        return -1;
    for (uint32_t i = 0; i < p->nkeys; i++)
        if (p->keys[i].n == name.n && memcmp(p->keys[i].p, name.p, name.n) == 0)
            return i;
    return -1;
}

/* Does the host have to look at values of this type? */
static bool is_hooked(const ag_type *t, const char *dialect)
{
    return t && (ag_type_has_hook(t, dialect, AG_TYPE_HAS_BIND) ||
                 ag_type_affinity(ag_type_impl(t, dialect)) == AG_AFF_JSON);
}

static const char *dialect_of(const ag_exec_op *op)
{
    return ag_conn_driver(op->conn)->dialect;
}

static void plan_slot(ag_bind_slot *slot, const ag_compiled_bind *b, const ag_stmt_run *run, const char *dialect)
{
    *slot =
        (ag_bind_slot){.b = b, .key = -1, .dynamic = -1, .hooked = is_hooked(b->type, dialect), .passes = AG_V_NULL};
    if (run->req->params.nsets > 1 && !slot->hooked && b->path_form == AG_PATH_NONE &&
        b->array_form == AG_ARRAY_FORM_NONE)
        slot->passes = ag_type_passes(b->type ? ag_type_impl(b->type, dialect) : NULL);
    if (b->source == AG_SOURCE_PARAMETER || b->source == AG_SOURCE_TREE)
        slot->key = find_key(&run->req->params, b->name);
}

const ag_default *ag_exec_default_of(const ag_fetch_col *f)
{
    return f->is_update ? &f->column->onupdate : &f->column->def;
}

static ag_status plan_prefetch(ag_bind_plan *p, ag_error *err)
{
    const ag_dml_facts *d = p->run->c->dml;
    uint32_t n = d ? d->nprefetch : 0;
    p->ndynamic = 0;
    p->dynamic = ag_arena_zero(&p->op->arena, n + 1u, sizeof *p->dynamic);
    if (!p->dynamic)
        return ag_fail_nomem(err);
    for (uint32_t i = 0; i < n; i++) {
        const ag_fetch_col *f = &d->prefetch[i];
        const ag_default *def = ag_exec_default_of(f);
        if (def->kind == AG_DEFAULT_CALLABLE || def->kind == AG_DEFAULT_SQL || def->kind == AG_DEFAULT_SEQUENCE) {
            p->slots[f->bind].dynamic = (int32_t)p->ndynamic;
            p->dynamic[p->ndynamic++] = f;
        } else {
            p->slots[f->bind].def = def;
        }
    }
    return AG_OK;
}

/* A parameter that text() does not name is a mistake: dropping it would hide a misspelt one. Other statements may be given more than
 * they use, as in SQLAlchemy. */
static ag_status check_text_keys(const ag_stmt_run *run, ag_error *err)
{
    const ag_params *q = &run->req->params;
    const char *names[64], *near;
    char name[64] = {0};
    size_t n = 0;
    if (run->c->kind != AG_STMT_TEXT || !q->keys)
        return AG_OK;
    for (uint32_t k = 0; k < q->nkeys; k++) {
        ag_str key = q->keys[k];
        if (ag_compiled_find_bind(run->c, key.p, key.n) >= 0)
            continue;
        memcpy(name, key.p, key.n < sizeof name ? key.n : sizeof name - 1);
        for (uint32_t i = 0; i < run->c->nbinds && n < 64; i++)
            names[n++] = run->c->binds[i].name.p;
        near = ag_nearest(name, names, n);
        return ag_fail(err, AG_EXC_STATEMENT, "this text() has no parameter '%.*s'%s%s%s", (int)key.n, key.p,
                       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    return AG_OK;
}

ag_status ag_bind_plan_new(ag_exec_op *op, ag_stmt_run *run, ag_error *err)
{
    const ag_compiled *c = run->c;
    ag_bind_plan *p = run->plan;
    AG_TRY(check_text_keys(run, err));
    if (!p) {
        p = run->plan = ag_arena_zero(&op->arena, 1, sizeof *p);
        if (!p)
            return ag_fail_nomem(err);
        ag_arena_init(&p->scratch, ag_conn_alloc(op->conn));
        ag_arena_init(&p->batch, ag_conn_alloc(op->conn));
    }
    p->op = op;
    p->run = run;
    p->slots = ag_arena_zero(&op->arena, c->nbinds + 1u, sizeof *p->slots);
    p->row = ag_arena_zero(&op->arena, run->req->params.nkeys + 1u, sizeof *p->row);
    if (!p->slots || !p->row)
        return ag_fail_nomem(err);
    for (uint32_t i = 0; i < c->nbinds; i++)
        plan_slot(&p->slots[i], &c->binds[i], run, dialect_of(op));
    AG_TRY(plan_prefetch(p, err));
    p->positions = c->positions;
    p->npositions = c->npositions;
    p->callables = NULL;
    p->defaults = NULL;
    p->keep_scratch = false;
    return AG_OK;
}

/* ---- one value ---- */

static ag_status fail_required(const ag_bind_plan *p, ag_str name, size_t set, ag_error *err)
{
    if (p->run->req->params.many)
        return ag_fail(err, AG_EXC_STATEMENT, "A value is required for bind parameter '%.*s', in parameter group %zu",
                       (int)name.n, name.p, set);
    return ag_fail(err, AG_EXC_STATEMENT, "A value is required for bind parameter '%.*s'", (int)name.n, name.p);
}

static const ag_n_bind *tree_bind(const ag_bind_plan *p, const ag_compiled_bind *b)
{
    return b->index < p->run->binds.len ? p->run->binds.items[b->index] : NULL;
}

static ag_status tree_value(const ag_bind_plan *p, const ag_bind_slot *slot, uint32_t member, size_t set, ag_value *out,
                            ag_error *err)
{
    const ag_n_bind *t = slot->b->source == AG_SOURCE_TREE ? tree_bind(p, slot->b) : NULL;
    if (slot->b->node)
        t = AG_AS(bind, BIND, slot->b->node);
    if (member != AG_WHOLE && t && member < t->values.n) {
        ag_nval_get(out, t, ag_nvals_at(t, t->values, member));
        return AG_OK;
    }
    if (!t || (!(t->node.flags & AG_BIND_HAS_VALUE) && (t->node.flags & AG_BIND_REQUIRED)))
        return fail_required(p, slot->b->name, set, err);
    ag_nval_get(out, t, &t->value);
    return AG_OK;
}

/* The value as it was given, before its type looks at it. */
static ag_status raw_value(const ag_bind_plan *p, uint32_t bind, uint32_t member, size_t set, ag_value *out,
                           ag_error *err)
{
    const ag_bind_slot *slot = &p->slots[bind];
    if (slot->key >= 0 && p->row[slot->key].kind != AG_V_ABSENT) {
        const ag_value *v = &p->row[slot->key];
        if (member == AG_WHOLE || v->kind != AG_V_ARRAY)
            *out = *v;
        else
            ag_array_get(out, v->u.s.p, v->u.s.n, member);
        return AG_OK;
    }
    if (slot->dynamic >= 0) {
        *out = p->defaults[(set - p->run->from) * p->ndynamic + (size_t)slot->dynamic];
        return AG_OK;
    }
    if (slot->def) {
        *out = slot->def->kind == AG_DEFAULT_SCALAR ? slot->def->value : ag_value_null();
        return AG_OK;
    }
    if (p->callables && p->callables[bind].kind != AG_V_ABSENT) {
        *out = p->callables[bind];
        return AG_OK;
    }
    if (slot->b->source == AG_SOURCE_CONSTANT && !slot->b->node) {
        *out = slot->b->value;
        return AG_OK;
    }
    if (slot->b->source == AG_SOURCE_PARAMETER || slot->b->source == AG_SOURCE_DEFAULT)
        return fail_required(p, slot->b->name, set, err);
    return tree_value(p, slot, member, set, out, err);
}

static ag_status by_host(ag_bind_plan *p, const ag_bind_slot *slot, ag_value *v, ag_error *err)
{
    ag_compile_host *h = p->op->conn->engine->s->compile_host;
    if (!h || !h->value)
        return ag_fail(err, AG_EXC_STATEMENT, "bind parameter '%.*s' needs a host to convert its value",
                       (int)slot->b->name.n, slot->b->name.p);
    ag_value in = *v;
    ag_status st = h->value(h, slot->b->type, &in, false, v, &p->scratch, err);
    if (st != AG_OK && err && err->cls == AG_EXC_DATA && err->message && slot->b->type &&
        !ag_type_has_hook(slot->b->type, dialect_of(p->op), AG_TYPE_HAS_BIND)) {
        char *why = ag_arena_strndup(&p->scratch, err->message, strlen(err->message));
        return why ? ag_fail(err, AG_EXC_DATA, "%.*s: %s", (int)slot->b->name.n, slot->b->name.p, why)
                   : ag_fail_nomem(err);
    }
    return st;
}

/* JSON columns take any value; one that is JSON already, or SQL NULL, goes as it is. */
static bool needs_host(const ag_bind_slot *slot, const ag_value *v, const char *dialect)
{
    const ag_type *type = slot->b->type ? ag_type_on(slot->b->type, dialect) : NULL;
    if (v->kind == AG_V_HOST && !slot->hooked && type && type->id != AG_TYPE_NULL && !type->item &&
        !ag_type_is_hosted(type))
        return false; /* a plain type takes no tables: its coercion says so, with the column's name */
    if (v->kind == AG_V_HOST)
        return true;
    if (!slot->hooked)
        return false;
    if (ag_type_has_hook(type, dialect, AG_TYPE_HAS_BIND))
        return true;
    return v->kind != AG_V_JSON && v->kind != AG_V_NULL;
}

/* An index or path into JSON, as the dialect writes it. */
static ag_status write_path(ag_bind_plan *p, const ag_bind_slot *slot, ag_value *v, ag_error *err)
{
    ag_buf b;
    bool array = slot->b->path_form == AG_PATH_BRACES; /* text[]: the database has to read it */
    if (v->kind == AG_V_HOST)
        AG_TRY(by_host(p, slot, v, err));
    ag_buf_init(&b, ag_conn_alloc(p->op->conn));
    ag_status st = ag_json_path_write(&b, (ag_path_form)slot->b->path_form, v, err);
    if (st == AG_OK) {
        ag_value text = ag_value_bytes(array ? AG_V_RAW : AG_V_TEXT, b.data ? b.data : "", b.len);
        st = ag_buf_ok(&b) ? ag_value_copy(v, &text, &p->scratch, err) : ag_fail_nomem(err);
    }
    ag_buf_clear(&b);
    return st;
}

static ag_status convert(ag_bind_plan *p, const ag_bind_slot *slot, ag_value *v, ag_error *err)
{
    const ag_type *t = slot->b->type;
    bool as_value = v->kind == AG_V_HOST || !p->run->req->sql_nulls;
    if (slot->b->path_form != AG_PATH_NONE && v->kind != AG_V_NULL)
        return write_path(p, slot, v, err);
    if (needs_host(slot, v, dialect_of(p->op)))
        AG_TRY(by_host(p, slot, v, err));
    if (v->kind == AG_V_NULL && as_value && slot->b->path_form == AG_PATH_NONE && ag_type_writes_null(t))
        *v = ag_value_bytes(AG_V_JSON, "null", 4);
    if (v->kind == AG_V_NULL || !t)
        return AG_OK;
    t = ag_type_impl(t, dialect_of(p->op));
    return ag_type_coerce(v, v, t, slot->b->name.p, &p->scratch, err);
}

/* ---- one set ---- */

static ag_status other_keys(ag_bind_plan *p, size_t set, ag_error *err)
{
    p->run->split = set;
    return ag_fail(err, AG_EXC_STATEMENT, "parameter group %zu has other keys than the group before it", set);
}

ag_status ag_bind_read_row(ag_bind_plan *p, size_t set, ag_error *err)
{
    const ag_params *q = &p->run->req->params;
    if (!q->nkeys || set >= q->nsets)
        return AG_OK;
    if (q->fill) {
        uint32_t known = q->nkeys;
        AG_TRY(q->fill(q->fill_ud, set, p->row, err));
        return q->nkeys == known ? AG_OK : other_keys(p, set, err);
    }
    memcpy(p->row, q->values + set * q->nkeys, q->nkeys * sizeof *p->row);
    return AG_OK;
}

static const ag_type *array_of(ag_exec_op *op, const ag_type *item, int dims, ag_error *err)
{
    ag_type *t = ag_arena_zero(&op->arena, 1, sizeof *t);
    if (!t) {
        ag_fail_nomem(err);
        return NULL;
    }
    *t = ag_type_proto(AG_TYPE_ARRAY);
    t->item = item;
    t->dims = dims;
    return t;
}

/* A list of rows of so many values, or an empty list? */
static bool has_rows(const ag_value *list, uint32_t width)
{
    const char *bytes = list->u.s.p;
    size_t n = list->u.s.n;
    return !ag_array_count(bytes, n) ||
           (ag_array_ndim(bytes, n) == 2 && ag_array_dim_get(bytes, n, 1).length == (int32_t)width);
}

/* Lists given for expanding binds become packed arrays, once they are read. */
ag_status ag_bind_settle_lists(ag_bind_plan *p, ag_error *err)
{
    ag_compile_host *h = p->op->conn->engine->s->compile_host;
    const ag_compiled *c = p->run->c;
    for (uint32_t i = 0; i < c->npieces; i++) {
        const ag_bind_slot *slot = &p->slots[c->pieces[i].bind];
        ag_value *v = slot->key >= 0 ? &p->row[slot->key] : NULL;
        if (c->pieces[i].kind != AG_PIECE_EXPANDING || !v || v->kind != AG_V_HOST || !h || !h->value)
            continue;
        uint32_t width = slot->b->tuple_width; /* of tuples: each member is converted by its own type when it is read */
        const ag_type *item = slot->b->type && !width ? slot->b->type : ag_type_plain(AG_TYPE_NULL);
        const ag_type *t = array_of(p->op, item, width ? 2 : 1, err);
        ag_value in = *v;
        if (!t)
            return AG_NOMEM;
        AG_TRY(h->value(h, t, &in, false, v, &p->scratch, err));
        if (width && v->kind == AG_V_ARRAY && !has_rows(v, width))
            return ag_fail(err, AG_EXC_STATEMENT,
                           "bind parameter '%.*s' beside a tuple takes a list of rows of %u values",
                           (int)slot->b->name.n, slot->b->name.p, (unsigned)width);
    }
    return AG_OK;
}

/* Does this set have exactly the keys that the statement was compiled for? */
bool ag_bind_same_keys(const ag_bind_plan *p)
{
    const ag_stmt_run *run = p->run;
    uint32_t n = run->req->params.nkeys, present = 0;
    for (uint32_t i = 0; i < n; i++)
        present += p->row[i].kind != AG_V_ABSENT;
    if (present != run->nkeys)
        return false;
    if (present == n)
        return true;
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++)
        if (p->row[i].kind != AG_V_ABSENT && run->keys[at++].p != run->req->params.keys[i].p)
            return false;
    return true;
}

static ag_status check_keys(ag_bind_plan *p, size_t set, ag_error *err)
{
    ag_stmt_run *run = p->run;
    if (run->c->kind != AG_STMT_INSERT || run->req->params.nsets < 2 || ag_bind_same_keys(p))
        return AG_OK;
    return other_keys(p, set, err);
}

/* A member of a list, of tuples: as its own type wants it. A list of the call went through its type's functions when it was
 * read (ag_bind_settle_lists). */
static ag_status convert_member(ag_bind_plan *p, const ag_bind_slot *slot, uint32_t i, ag_value *v, ag_error *err)
{
    ag_bind_slot one = *slot;
    if (!slot->b->types) {
        if (slot->key >= 0 && p->row[slot->key].kind == AG_V_ARRAY)
            one.hooked = false;
        return convert(p, &one, v, err);
    }
    ag_compiled_bind b = *slot->b;
    b.type = slot->b->types[i % b.tuple_width];
    one.b = &b;
    one.hooked = is_hooked(b.type, dialect_of(p->op));
    return convert(p, &one, v, err);
}

/* The members as one array: all of them (of tuples: two dimensions), or those of one place in the tuples. */
static ag_status member_array(ag_bind_plan *p, const ag_position *at, size_t set, ag_value *out, ag_error *err)
{
    const ag_bind_slot *slot = &p->slots[at->bind];
    const ag_n_bind *t = slot->b->node ? AG_AS(bind, BIND, slot->b->node) : tree_bind(p, slot->b);
    uint32_t n = t ? t->values.n : 0, width = slot->b->types ? slot->b->tuple_width : 1;
    uint32_t first = at->member == AG_WHOLE ? 0 : at->member, step = at->member == AG_WHOLE ? 1 : width, count = 0;
    ag_value *items = ag_arena_zero(&p->scratch, n + 1u, sizeof *items);
    if (!items)
        return ag_fail_nomem(err);
    for (uint32_t i = first; i < n; i += step, count++) {
        AG_TRY(raw_value(p, at->bind, i, set, &items[count], err));
        AG_TRY(convert_member(p, slot, i, &items[count], err));
    }
    ag_array_dim dims[2] = {{(int32_t)(step == 1 ? n / width : count), 1}, {(int32_t)width, 1}};
    return ag_array_pack(out, !count ? 0u : step == 1 && width > 1 ? 2u : 1u, dims, items, count, &p->scratch, err);
}

/* Keys of an INSERT are reported to the caller: remember what was sent. */
static ag_status keep_key(ag_bind_plan *p, const ag_bind_slot *slot, size_t set, const ag_value *v, ag_error *err)
{
    ag_stmt_run *run = p->run;
    const ag_table *t = run->c->dml->table;
    for (uint32_t i = 0; i < run->npk; i++) {
        ag_value *key = &run->pk[set * run->npk + i];
        if (t->primary_key[i] == slot->b->column && key->kind == AG_V_NULL)
            return ag_value_copy(key, v, &p->op->arena, err);
    }
    return AG_OK;
}

/* The set's value where it needs no conversion; most need none. */
static inline bool passes(const ag_bind_plan *p, const ag_bind_slot *slot, ag_value *out)
{
    if (slot->passes == AG_V_NULL || slot->key < 0)
        return false;
    const ag_value *v = &p->row[slot->key];
    if (v->kind != slot->passes || (v->kind == AG_V_TEXT && !ag_text_is_clean(v->u.s)))
        return false;
    *out = *v;
    return true;
}

ag_status ag_bind_values(ag_bind_plan *p, size_t set, ag_value *out, ag_error *err)
{
    if (!p->keep_scratch)
        ag_arena_reset(&p->scratch);
    AG_TRY(ag_bind_read_row(p, set, err));
    AG_TRY(check_keys(p, set, err));
    AG_TRY(ag_bind_settle_lists(p, err));
    for (uint32_t i = 0; i < p->npositions; i++) {
        const ag_position *at = &p->positions[i];
        const ag_bind_slot *slot = &p->slots[at->bind];
        if (slot->b->array_form != AG_ARRAY_FORM_NONE) {
            AG_TRY(member_array(p, at, set, &out[i], err));
            continue;
        }
        if (!passes(p, slot, &out[i])) {
            AG_TRY(raw_value(p, at->bind, at->member, set, &out[i], err));
            AG_TRY(at->member == AG_WHOLE ? convert(p, slot, &out[i], err)
                                          : convert_member(p, slot, at->member, &out[i], err));
        }
        if (p->run->pk && slot->b->column)
            AG_TRY(keep_key(p, slot, set, &out[i], err));
    }
    return AG_OK;
}

ag_status ag_bind_fill(void *ud, size_t set, ag_value *out, ag_error *err)
{
    ag_stmt_run *run = ud;
    return ag_bind_values(run->plan, run->from + set, out, err);
}

ag_status ag_bind_materialise(ag_exec_op *op, ag_stmt_run *run, ag_request *r, ag_error *err)
{
    ag_bind_plan *p = run->plan;
    ag_value *all = ag_arena_zero(&op->arena, r->nsets * r->nparams + 1, sizeof *all);
    if (!all)
        return ag_fail_nomem(err);
    p->keep_scratch = r->nsets == 1; /* a lone set stays where it was made */
    ag_arena_reset(&p->scratch);
    for (size_t k = 0; k < r->nsets; k++) {
        ag_value *row = all + k * r->nparams;
        AG_TRY(ag_bind_values(p, run->from + k, row, err));
        for (uint32_t i = 0; r->nsets > 1 && i < r->nparams; i++)
            AG_TRY(ag_value_copy(&row[i], &row[i], &op->arena, err));
    }
    r->values = all;
    r->fill = NULL;
    return AG_OK;
}

/* ---- members, for pieces that are finished per set ---- */

/* A list given in the call stands in the parameter as a packed array. */
static const ag_value *given_list(const ag_bind_plan *p, uint32_t bind)
{
    int64_t key = p->slots[bind].key;
    return key >= 0 && p->row[key].kind == AG_V_ARRAY ? &p->row[key] : NULL;
}

uint32_t ag_bind_member_count(const ag_bind_plan *p, uint32_t bind)
{
    const ag_bind_slot *slot = &p->slots[bind];
    const ag_value *list = given_list(p, bind);
    uint32_t width = slot->b->tuple_width ? slot->b->tuple_width : 1;
    if (list)
        return (uint32_t)ag_array_count(list->u.s.p, list->u.s.n) / width;
    const ag_n_bind *t = slot->b->node ? AG_AS(bind, BIND, slot->b->node) : tree_bind(p, slot->b);
    return t ? t->values.n / width : 0;
}

ag_status ag_bind_member(ag_bind_plan *p, uint32_t bind, uint32_t member, ag_value *out, ag_error *err)
{
    const ag_value *list = given_list(p, bind);
    if (list && member != AG_WHOLE) {
        ag_array_get(out, list->u.s.p, list->u.s.n, member);
        return AG_OK;
    }
    AG_TRY(raw_value(p, bind, member, p->run->from, out, err));
    return member == AG_WHOLE ? convert(p, &p->slots[bind], out, err) : AG_OK;
}

/* ---- types ---- */

/* The type that values of a position are sent as; NULL: by value. */
static ag_status position_type(ag_exec_op *op, const ag_compiled *c, const ag_position *at, const ag_type **out,
                               ag_error *err)
{
    const char *dialect = dialect_of(op);
    const ag_compiled_bind *b = &c->binds[at->bind];
    bool typed = b->type && b->type->id != AG_TYPE_NULL && b->path_form == AG_PATH_NONE;
    *out = typed ? ag_type_impl(b->type, dialect) : NULL;
    if (b->unresolved)
        *out = b->type->id == AG_TYPE_DOUBLE ? ag_type_plain(AG_TYPE_NUMERIC) : NULL;
    if (b->types)
        *out = ag_type_impl(b->types[at->member == AG_WHOLE ? 0 : at->member % b->tuple_width], dialect);
    if (b->array_form == AG_ARRAY_FORM_NONE || !*out)
        return AG_OK;
    *out = array_of(op, *out, 1, err);
    return *out ? AG_OK : AG_NOMEM;
}

/* Types of the placeholders; those of the statement's own positions are kept for later executions. */
static ag_status input_types(ag_exec_op *op, ag_stmt_run *run, ag_request *r, ag_error *err)
{
    const ag_bind_plan *p = run->plan;
    ag_exec_facts *f = p->positions == run->c->positions ? ag_exec_facts_of(run->c, dialect_of(op)) : NULL;
    if (f && f->in) {
        r->param_types = f->in;
        return AG_OK;
    }
    for (uint32_t i = 0; i < run->c->nbinds; i++)
        if (run->c->binds[i].array_form != AG_ARRAY_FORM_NONE)
            f = NULL; /* its array type is made for one execution */
    const ag_type **in = ag_arena_zero(f ? &run->c->arena : &op->arena, p->npositions + 1u, sizeof *in);
    if (!in)
        return ag_fail_nomem(err);
    for (uint32_t i = 0; i < p->npositions; i++)
        AG_TRY(position_type(op, run->c, &p->positions[i], &in[i], err));
    r->param_types = in;
    if (f)
        f->in = in;
    return AG_OK;
}

ag_status ag_bind_types(ag_exec_op *op, ag_stmt_run *run, ag_request *r, ag_error *err)
{
    ag_compiled *c = run->c;
    ag_exec_facts *f = ag_exec_facts_of(c, dialect_of(op));
    AG_TRY(input_types(op, run, r, err));
    r->nresult_types = c->flags & AG_COMPILED_OPEN_COLUMNS ? 0 : c->ncolumns;
    if (f && f->out) {
        r->result_types = f->out;
        return AG_OK;
    }
    const ag_type **out = ag_arena_zero(f ? &c->arena : &op->arena, c->ncolumns + 1u, sizeof *out);
    if (!out)
        return ag_fail_nomem(err);
    for (uint32_t i = 0; i < c->ncolumns; i++) {
        const ag_type *t = c->columns[i].type;
        out[i] = t && t->id != AG_TYPE_NULL ? ag_type_impl(t, dialect_of(op)) : NULL;
    }
    r->result_types = out;
    if (f)
        f->out = out;
    return AG_OK;
}

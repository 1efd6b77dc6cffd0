/* One parameter set as libpq wants it: OIDs, formats, lengths and pointers. Bytes are gathered in one buffer, which
 * may move while it grows, so offsets become pointers at the end. */
#include "driver/pq_impl.h"

static bool resize(ag_pq *c, void **p, size_t n, size_t size)
{
    void *q = ag_driver_realloc(c->base.alloc, *p, n * size);
    if (q)
        *p = q;
    return q != NULL;
}

ag_status ag_pq_params_reserve(ag_pq *c, uint32_t n, ag_error *err)
{
    ag_pq_params *p = &c->params;
    if (n <= p->cap)
        return AG_OK;
    size_t cap = n < 16 ? 16 : n;
    if (!resize(c, (void **)&p->oids, cap, sizeof *p->oids) ||
        !resize(c, (void **)&p->type_oids, cap, sizeof *p->type_oids) ||
        !resize(c, (void **)&p->lengths, cap, sizeof *p->lengths) ||
        !resize(c, (void **)&p->formats, cap, sizeof *p->formats) ||
        !resize(c, (void **)&p->offsets, cap, sizeof *p->offsets) ||
        !resize(c, (void **)&p->values, cap, sizeof *p->values) ||
        !resize(c, (void **)&p->filled, cap, sizeof *p->filled))
        return c->base.core->fail_nomem(err);
    p->cap = cap;
    return AG_OK;
}

void ag_pq_params_clear(ag_pq *c)
{
    const ag_alloc *a = c->base.alloc;
    ag_pq_params *p = &c->params;
    c->base.core->buf_clear(&p->bytes);
    ag_driver_free(a, p->oids);
    ag_driver_free(a, p->type_oids);
    ag_driver_free(a, p->lengths);
    ag_driver_free(a, p->formats);
    ag_driver_free(a, p->offsets);
    ag_driver_free(a, (void *)p->values);
    ag_driver_free(a, p->filled);
}

/* An array of labels or of an extension's type: its items tell nothing, the server infers it. */
#define INFERRED UINT32_MAX

static uint32_t oid_of(const ag_type *t)
{
    uint32_t oid = ag_pq_type_oid(t);
    const ag_type *array = oid ? NULL : ag_driver_type(t), *item = NULL;
    if (array && array->id == AG_TYPE_ARRAY)
        item = ag_driver_type(array->item);
    return item && item->id != AG_TYPE_NULL ? INFERRED : oid;
}

static void plan_types(ag_pq *c, const ag_request *req, uint64_t serial)
{
    if (c->params_item == serial + 1)
        return;
    for (uint32_t i = 0; i < req->nparams; i++)
        c->params.type_oids[i] = req->param_types ? oid_of(req->param_types[i]) : 0;
    c->params_item = serial + 1;
}

/* A type's OID, widened where the value needs it: an Integer column's parameter is int4 unless the number is
 * larger. */
static uint32_t pick_oid(ag_pq *c, uint32_t oid, const ag_value *v)
{
    if (oid == INFERRED)
        return v->kind == AG_V_ARRAY ? 0 : ag_pq_value_oid(&c->codec, v);
    if (!oid)
        return ag_pq_value_oid(&c->codec, v);
    if (v->kind != AG_V_INT)
        return oid;
    if (oid == AG_OID_INT2 && (v->u.i < INT16_MIN || v->u.i > INT16_MAX))
        oid = AG_OID_INT4;
    if (oid == AG_OID_INT4 && (v->u.i < INT32_MIN || v->u.i > INT32_MAX))
        oid = AG_OID_INT8;
    return oid;
}

/* Text that would be read as something else than was meant. */
static const char *text_form_fault(uint32_t oid, const ag_value *v)
{
    if (v->kind == AG_V_BYTES && oid && oid != AG_OID_BYTEA)
        return "bytes for a parameter that is not binary";
    bool zoned = (v->flags & AG_V_ZONED) != 0;
    if (v->kind == AG_V_DATETIME && (oid == AG_OID_TIMESTAMPTZ || oid == AG_OID_TIMESTAMP) &&
        zoned != (oid == AG_OID_TIMESTAMPTZ))
        return zoned ? "a datetime with a time zone for a column without"
                     : "a datetime without a time zone for a column with one";
    return NULL;
}

static ag_status encode_one(ag_pq *c, uint32_t i, const ag_value *v, ag_error *err)
{
    ag_pq_params *p = &c->params;
    const ag_services *core = c->base.core;
    bool done = false;
    uint32_t oid = pick_oid(c, p->type_oids[i], v);
    p->oids[i] = oid;
    p->formats[i] = 0;
    p->lengths[i] = 0;
    p->offsets[i] = SIZE_MAX;
    if (v->kind == AG_V_NULL)
        return AG_OK;
    p->offsets[i] = p->bytes.len;
    if (oid)
        AG_TRY(ag_pq_put_binary(&c->codec, &p->bytes, oid, v, &done, err));
    if (!done) {
        const char *fault = text_form_fault(oid, v);
        if (fault)
            return ag_driver_fail(core, err, AG_EXC_DATA, "%s", fault);
        AG_TRY(ag_pq_put_text(&c->codec, &p->bytes, v, err));
    }
    p->formats[i] = done;
    p->lengths[i] = (int)(p->bytes.len - p->offsets[i]);
    ag_driver_add_char(core, &p->bytes, '\0'); /* text parameters end at a NUL */
    return AG_OK;
}

ag_status ag_pq_encode(ag_pq *c, const ag_request *req, uint64_t serial, const ag_value *vals, ag_error *err)
{
    ag_pq_params *p = &c->params;
    const ag_services *core = c->base.core;
    plan_types(c, req, serial);
    p->bytes.len = 0;
    for (uint32_t i = 0; i < req->nparams; i++) {
        ag_error why = {.alloc = c->base.alloc};
        ag_status st = encode_one(c, i, &vals[i], &why);
        if (st == AG_ERROR)
            (void)ag_driver_fail(core, err, why.cls, "parameter $%u: %s", (unsigned)i + 1,
                                 why.message ? why.message : "");
        core->error_clear(&why);
        if (st != AG_OK)
            return st == AG_NOMEM ? core->fail_nomem(err) : st;
        if (p->bytes.len > (size_t)INT32_MAX)
            return ag_driver_fail(core, err, AG_EXC_DATA, "the parameters together are larger than 2 GiB");
    }
    if (p->bytes.failed) {
        core->buf_clear(&p->bytes);
        return core->fail_nomem(err);
    }
    for (uint32_t i = 0; i < req->nparams; i++)
        p->values[i] = p->offsets[i] == SIZE_MAX ? NULL : p->bytes.data + p->offsets[i];
    return AG_OK;
}

/* Asked types whose columns are binary whatever the database makes of them: no text-like ones, which may be a
 * column of an enum or an extension type. */
static bool is_certain(const ag_type *t)
{
    t = ag_driver_type(t);
    switch (t ? t->id : AG_TYPE_NULL) {
    case AG_TYPE_INTEGER:
    case AG_TYPE_SMALLINTEGER:
    case AG_TYPE_BIGINTEGER:
    case AG_TYPE_SQL_INTEGER:
    case AG_TYPE_SQL_INT:
    case AG_TYPE_SQL_SMALLINT:
    case AG_TYPE_SQL_BIGINT:
    case AG_TYPE_BOOLEAN:
    case AG_TYPE_SQL_BOOLEAN:
    case AG_TYPE_FLOAT:
    case AG_TYPE_DOUBLE:
    case AG_TYPE_NUMERIC:
    case AG_TYPE_SQL_NUMERIC:
    case AG_TYPE_DATE:
    case AG_TYPE_TIME:
    case AG_TYPE_DATETIME:
    case AG_TYPE_SQL_TIMESTAMP:
    case AG_TYPE_LARGEBINARY:
    case AG_TYPE_PG_BYTEA:
    case AG_TYPE_UUID_GENERIC:
    case AG_TYPE_SQL_UUID:
    case AG_TYPE_PG_JSONB: return true;
    default: return false;
    }
}

int ag_pq_first_format(const ag_request *req)
{
    if ((req->flags & AG_REQ_TEXT_ROWS) || !(req->flags & AG_REQ_ROWS) || !req->result_types || !req->nresult_types)
        return AG_PQ_FORMAT_TEXT;
    for (uint32_t i = 0; i < req->nresult_types; i++) {
        if (!is_certain(req->result_types[i]))
            return AG_PQ_FORMAT_TEXT;
    }
    return AG_PQ_FORMAT_BINARY;
}

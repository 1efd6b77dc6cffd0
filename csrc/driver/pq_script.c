/* What the pipeline cannot carry: scripts of several statements (the simple protocol) and COPY … FROM STDIN. The
 * pipeline is left while one runs, and nothing else is in flight. */
#include "driver/pq_impl.h"

#include <stdlib.h>

enum { COPY_CHUNK = 1 << 16 };

bool ag_pq_simple_start(ag_pq *c, ag_pq_item *it)
{
    const ag_services *core = c->base.core;
    c->text.len = 0;
    ag_driver_add(core, &c->text, it->req.text, it->req.text_len);
    ag_driver_add_char(core, &c->text, '\0');
    if (c->text.failed || PQexitPipelineMode(c->pg) != 1 || PQsendQuery(c->pg, c->text.data) != 1)
        return false;
    c->simple = true;
    c->copying = c->copy_ended = false;
    c->copy_set = 0;
    c->flush_pending = true;
    c->may_read = false;
    core->error_clear(&c->local_error);
    c->sending++;
    return true;
}

/* ---- COPY data ---- */

static ag_status copy_value(ag_pq *c, uint32_t i, const ag_value *v, ag_error *err)
{
    const ag_services *core = c->base.core;
    ag_pq_params *p = &c->params;
    size_t at = p->bytes.len;
    bool done = false;
    char *head = ag_driver_put(core, &p->bytes, 4);
    if (head)
        ag_pq_set32(head, UINT32_MAX);
    if (v->kind == AG_V_NULL)
        return AG_OK;
    uint32_t oid = p->type_oids[i];
    if (!oid && v->kind == AG_V_TEXT)
        oid = AG_OID_TEXT; /* an enum's binary form is its text */
    if (oid)
        AG_TRY(ag_pq_put_binary(&c->codec, &p->bytes, oid, v, &done, err));
    if (!done)
        return ag_driver_fail(core, err, AG_EXC_DATA,
                              "COPY column %u: a value of kind %s does not fit the column's type", (unsigned)i + 1,
                              core->vkind_name((ag_vkind)v->kind));
    if (!p->bytes.failed)
        ag_pq_set32(p->bytes.data + at, (uint32_t)(p->bytes.len - at - 4));
    return AG_OK;
}

static ag_status copy_row(ag_pq *c, const ag_request *req, ag_error *err)
{
    ag_pq_params *p = &c->params;
    const ag_value *vals = req->values ? req->values + c->copy_set * req->nparams : NULL;
    if (req->fill) {
        vals = p->filled;
        AG_TRY(req->fill(req->fill_ud, c->copy_set, p->filled, err));
    }
    char *head = ag_driver_put(c->base.core, &p->bytes, 2);
    if (head)
        ag_pq_set16(head, (uint16_t)req->nparams);
    for (uint32_t i = 0; i < req->nparams; i++)
        AG_TRY(copy_value(c, i, &vals[i], err));
    c->copy_set++;
    return p->bytes.failed ? c->base.core->fail_nomem(err) : AG_OK;
}

static ag_status copy_begin(ag_pq *c, const ag_request *req, ag_error *err)
{
    static const char head[19] = "PGCOPY\n\377\r\n\0"; /* signature, flags, length of the header's extension */
    if (req->nparams > INT16_MAX)
        return ag_driver_fail(c->base.core, err, AG_EXC_INTERFACE, "COPY of %u columns", (unsigned)req->nparams);
    AG_TRY(ag_pq_params_reserve(c, req->nparams, err));
    for (uint32_t i = 0; i < req->nparams; i++)
        c->params.type_oids[i] = req->param_types ? ag_pq_type_oid(req->param_types[i]) : 0;
    c->params_item = 0;
    c->params.bytes.len = 0;
    ag_driver_add(c->base.core, &c->params.bytes, head, sizeof head);
    c->copying = true;
    return AG_OK;
}

/* End the data; why: it is to fail. */
static void copy_end(ag_pq *c, const char *why)
{
    c->copying = false;
    c->copy_ended = true;
    (void)PQputCopyEnd(c->pg, why);
    c->flush_pending = true;
}

/* Encode and hand over data until libpq's buffer pushes back. False: wait for the socket. */
static bool copy_step(ag_pq *c, const ag_request *req)
{
    ag_buf *b = &c->params.bytes;
    while (c->copying) {
        while (b->len < COPY_CHUNK && c->copy_set < req->nsets) {
            if (copy_row(c, req, &c->local_error) != AG_OK) {
                copy_end(c, "the client stopped");
                return true;
            }
        }
        if (c->copy_set == req->nsets && !c->copy_last) {
            ag_driver_add(c->base.core, b, "\377\377", 2);
            c->copy_last = true;
        }
        int rc = b->failed ? -1 : PQputCopyData(c->pg, b->data, (int)b->len);
        if (rc == 0)
            return false;
        b->len = 0;
        if (rc < 0 || c->copy_last) {
            copy_end(c, rc < 0 ? "the client stopped" : NULL);
            return true;
        }
        c->write_blocked = PQflush(c->pg) == 1;
        if (c->write_blocked)
            return false;
    }
    return true;
}

/* ---- results ---- */

static void script_rows(ag_pq *c, const ag_request *req, const PGresult *res, ag_reply *reply)
{
    ag_error *err = &c->local_error;
    c->base.core->reply_clear(reply); /* a script gives the rows of its last query */
    reply->rowcount = PQntuples(res);
    if (ag_pq_describe(c, NULL, req, res, reply, err) != AG_OK || !(req->flags & AG_REQ_ROWS))
        return;
    if (ag_pq_read_rows(c, res, &reply->rows, err) != AG_OK)
        c->soft_error = true;
}

static void command_ok(PGresult *res, ag_reply *reply)
{
    const char *count = PQcmdTuples(res);
    size_t len = strlen(PQcmdStatus(res));
    if (len >= sizeof reply->tag)
        len = sizeof reply->tag - 1;
    memcpy(reply->tag, PQcmdStatus(res), len);
    reply->tag[len] = '\0';
    if (PQresultStatus(res) == PGRES_COMMAND_OK)
        reply->rowcount = *count ? strtoll(count, NULL, 10) : -1;
}

static void drop_copy_out(ag_pq *c)
{
    char *row;
    int n;
    while ((n = PQgetCopyData(c->pg, &row, 1)) > 0)
        PQfreemem(row);
}

static void refuse_copy(ag_pq *c)
{
    if (!c->local_error.set)
        (void)ag_driver_fail(c->base.core, &c->local_error, AG_EXC_NOT_SUPPORTED, "COPY cannot run inside a script");
}

static void simple_result(ag_pq *c, PGresult *res, const ag_request *req, ag_reply *reply)
{
    switch (PQresultStatus(res)) {
    case PGRES_TUPLES_OK:
        if (reply) {
            script_rows(c, req, res, reply);
            command_ok(res, reply);
        }
        break;
    case PGRES_COMMAND_OK:
        ag_pq_note_tag(c, PQcmdStatus(res));
        if (reply)
            command_ok(res, reply);
        break;
    case PGRES_EMPTY_QUERY: break;
    case PGRES_COPY_IN:
        c->copy_last = false;
        if (!reply || !(req->flags & AG_REQ_COPY_IN))
            refuse_copy(c);
        else if (copy_begin(c, req, &c->local_error) == AG_OK)
            break;
        copy_end(c, "the client stopped");
        break;
    case PGRES_COPY_OUT:
        refuse_copy(c);
        drop_copy_out(c);
        break;
    default:
        if (!c->local_error.set)
            ag_pq_result_error(c, res, &c->local_error);
        break;
    }
}

/* The script's end: back to the pipeline. */
static bool simple_end(ag_pq *c, ag_reply *reply, ag_error *err)
{
    bool failed = c->local_error.set;
    if (PQstatus(c->pg) == CONNECTION_BAD || PQenterPipelineMode(c->pg) != 1) {
        ag_pq_lose(c, failed ? &c->local_error : NULL);
        c->simple = false;
        return false;
    }
    c->simple = c->copying = false;
    if (reply && !failed)
        c->items[c->first].done = c->items[c->first].req.nsets;
    if (reply && failed)
        c->base.core->error_move(err, &c->local_error);
    c->base.core->error_clear(&c->local_error);
    return reply && failed;
}

ag_step ag_pq_simple_step(ag_pq *c, ag_reply *reply, ag_wait *w, ag_error *err, bool *failed)
{
    const ag_request *req = reply ? &c->items[c->first].req : NULL;
    if (c->copying && !reply)
        copy_end(c, "the client stopped");
    if (c->copying && !copy_step(c, req)) {
        if (c->may_read)
            (void)PQconsumeInput(c->pg);
        c->may_read = true;
        return ag_pq_wait_socket(c, true, w);
    }
    if (c->flush_pending || c->write_blocked) {
        c->flush_pending = false;
        c->write_blocked = PQflush(c->pg) == 1;
    }
    if (PQisBusy(c->pg) && PQstatus(c->pg) != CONNECTION_BAD) {
        if (c->may_read) {
            c->may_read = false;
            (void)PQconsumeInput(c->pg);
            return AG_STEP_DONE;
        }
        c->may_read = true;
        return ag_pq_wait_socket(c, c->write_blocked, w);
    }
    c->may_read = true;
    PGresult *res = PQgetResult(c->pg);
    if (!res) {
        *failed = simple_end(c, reply, err);
        return AG_STEP_DONE;
    }
    simple_result(c, res, req, reply);
    PQclear(res);
    return AG_STEP_DONE;
}

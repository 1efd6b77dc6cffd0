/* Keys as bytes and as text. The map itself is the host's. */
#include "orm/session.h"
#include "base/buf.h"

/* Numbers that are equal must give equal keys, whatever the database or the user called them. */
static void key_number(ag_buf *out, const ag_value *v)
{
    int64_t i = v->u.i;
    if (v->kind == AG_V_FLOAT) {
        double f = v->u.f;
        if (!(f >= -9.2e18 && f <= 9.2e18) || (double)(int64_t)f != f) {
            ag_buf_char(out, 'f');
            ag_buf_add(out, &f, sizeof f);
            return;
        }
        i = (int64_t)f;
    }
    ag_buf_char(out, 'i');
    ag_buf_add(out, &i, sizeof i);
}

void ag_identity_add(ag_buf *out, const ag_value *v)
{
    uint32_t n;
    switch (v->kind) {
    case AG_V_NULL: ag_buf_char(out, 'n'); return;
    case AG_V_BOOL:
    case AG_V_INT:
    case AG_V_FLOAT: key_number(out, v); return;
    case AG_V_TEXT:
    case AG_V_BYTES:
    case AG_V_UUID:
    case AG_V_RAW:
    case AG_V_DECIMAL:
    case AG_V_JSON:
    case AG_V_ARRAY:
        n = (uint32_t)v->u.s.n;
        ag_buf_char(out, 's');
        ag_buf_add(out, &n, sizeof n);
        ag_buf_add(out, v->u.s.p, v->u.s.n);
        return;
    case AG_V_INTERVAL:
        ag_buf_char(out, 'v');
        ag_buf_add(out, &v->u.iv, sizeof v->u.iv);
        return;
    default: ag_buf_char(out, (char)v->kind); ag_buf_add(out, &v->u.i, sizeof v->u.i);
    }
}

void ag_identity_key(ag_buf *out, const ag_mapper *m, const ag_value *pk)
{
    for (unsigned i = 0; i < m->npk; i++)
        ag_identity_add(out, &pk[i]);
}

bool ag_identity_is_null(const ag_mapper *m, const ag_value *pk)
{
    for (unsigned i = 0; i < m->npk; i++)
        if (pk[i].kind == AG_V_NULL || pk[i].kind == AG_V_ABSENT)
            return true;
    return false;
}

static void describe_part(ag_buf *out, const ag_value *v)
{
    switch (v->kind) {
    case AG_V_NULL:
    case AG_V_ABSENT: ag_buf_str(out, "NULL"); return;
    case AG_V_BOOL: ag_buf_str(out, v->u.i ? "true" : "false"); return;
    case AG_V_INT: ag_buf_int(out, v->u.i); return;
    case AG_V_FLOAT: ag_buf_double(out, v->u.f); return;
    default:
        if (!ag_vkind_has_bytes(v->kind)) {
            ag_buf_printf(out, "<%s>", ag_vkind_name((ag_vkind)v->kind));
            return;
        }
        ag_buf_char(out, '\'');
        ag_buf_add(out, v->u.s.p, v->u.s.n > 60 ? 60 : v->u.s.n);
        ag_buf_str(out, v->u.s.n > 60 ? "…'" : "'");
    }
}

void ag_identity_describe(ag_buf *out, const ag_mapper *m, const ag_value *pk)
{
    ag_buf_add(out, m->name.p, m->name.n);
    ag_buf_char(out, '(');
    for (unsigned i = 0; i < m->npk; i++) {
        if (i)
            ag_buf_str(out, ", ");
        describe_part(out, &pk[i]);
    }
    ag_buf_char(out, ')');
}

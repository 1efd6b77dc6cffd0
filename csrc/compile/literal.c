/* Values as SQL text: for DDL defaults, literal_binds and literal_execute. Never trusts a value: text is quoted, numbers are printed by
 * us, negative ones stand in brackets (two minus signs begin a comment), and what has no literal form is refused. */
#include "compile/compiler.h"

#include "value/datetime.h"
#include "value/row.h"

#include <math.h>
#include <string.h>

static void integer(ag_compiler *c, int64_t i)
{
    if (i < 0)
        ag_c_str(c, "(");
    ag_buf_int(&c->out, i);
    if (i < 0)
        ag_c_str(c, ")");
}

static void floating(ag_compiler *c, double f)
{
    if (isnan(f) || isinf(f)) {
        ag_c_fail(c, AG_EXC_COMPILE, "%s has no literal form on %s", isnan(f) ? "NaN" : "Infinity", c->d->name);
        return;
    }
    if (signbit(f))
        ag_c_str(c, "(");
    ag_buf_double(&c->out, f);
    if (signbit(f))
        ag_c_str(c, ")");
}

static void decimal(ag_compiler *c, ag_str s)
{
    bool negative = s.n && s.p[0] == '-';
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        if (!((ch >= '0' && ch <= '9') || ch == '.' || (ch == '-' && i == 0))) {
            ag_c_fail(c, AG_EXC_COMPILE, "%.*s has no literal form on %s", (int)s.n, s.p, c->d->name);
            return;
        }
    }
    ag_c_str(c, negative ? "(" : "");
    ag_c_add(c, s);
    ag_c_str(c, negative ? ")" : "");
}

void ag_c_hex(ag_compiler *c, ag_str s)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char b = (unsigned char)s.p[i];
        char two[2] = {digits[b >> 4], digits[b & 15]};
        ag_buf_add(&c->out, two, 2);
    }
}

static void temporal(ag_compiler *c, const ag_value *v)
{
    char text[AG_TEMPORAL_MAX];
    int fraction = c->d->long_fractions && v->kind != AG_V_DATE ? 6 : -1;
    size_t n = ag_temporal_write(text, v, ' ', fraction);
    ag_c_string(c, (ag_str){text, n});
}

/* A UUID where the database has none: 32 digits. */
static void uuid(ag_compiler *c, ag_str s, const ag_type *t)
{
    char plain[36];
    size_t n = 0;
    if (c->d->native_uuid && (t->id != AG_TYPE_UUID_GENERIC || (t->flags & AG_TYPE_NATIVE))) {
        ag_c_string(c, s);
        return;
    }
    for (size_t i = 0; i < s.n && n < sizeof plain; i++) {
        if (s.p[i] != '-')
            plain[n++] = s.p[i];
    }
    ag_c_string(c, (ag_str){plain, n});
}

static void hosted(ag_compiler *c, const ag_value *v, const ag_type *t)
{
    ag_value out;
    if (!c->host || !c->host->value) {
        ag_c_fail(c, AG_EXC_COMPILE, "the value needs its host to be written as a literal");
        return;
    }
    if (ag_c_ok(c, c->host->value(c->host, t, v, true, &out, &c->tmp, c->err))) {
        if (out.kind == AG_V_HOST)
            ag_c_fail(c, AG_EXC_COMPILE, "the type's literal hook gave no plain value");
        else
            ag_c_literal(c, &out, ag_type_impl(t, c->d->name));
    }
}

static bool needs_host(const ag_compiler *c, const ag_value *v, const ag_type *t)
{
    return v->kind == AG_V_HOST || ag_type_has_hook(t, c->d->name, AG_TYPE_HAS_BIND | AG_TYPE_HAS_LITERAL);
}

static void plain(ag_compiler *c, const ag_value *v, const ag_type *t)
{
    switch ((ag_vkind)v->kind) {
    case AG_V_NULL: ag_c_str(c, "NULL"); return;
    case AG_V_BOOL: ag_c_str(c, c->d->native_boolean ? (v->u.i ? "true" : "false") : v->u.i ? "1" : "0"); return;
    case AG_V_INT: integer(c, v->u.i); return;
    case AG_V_FLOAT: floating(c, v->u.f); return;
    case AG_V_DECIMAL: decimal(c, v->u.s); return;
    case AG_V_TEXT:
    case AG_V_JSON:
    case AG_V_RAW: ag_c_string(c, v->u.s); return;
    case AG_V_BYTES:
        ag_c_str(c, "X'");
        ag_c_hex(c, v->u.s);
        ag_c_str(c, "'");
        return;
    case AG_V_DATE:
    case AG_V_TIME:
    case AG_V_DATETIME: temporal(c, v); return;
    case AG_V_UUID: uuid(c, v->u.s, t); return;
    default:
        ag_c_fail(c, AG_EXC_COMPILE, "no literal form of a value of kind %s with type %s on %s",
                  ag_vkind_name((ag_vkind)v->kind), ag_type_lua_name(t), c->d->name);
    }
}

void ag_c_literal(ag_compiler *c, const ag_value *v, const ag_type *t)
{
    if (c->failed)
        return;
    const ag_value json_null = ag_value_bytes(AG_V_JSON, "null", 4);
    ag_value taken;
    t = t ? t : ag_type_plain(AG_TYPE_NULL);
    if (v->kind == AG_V_NULL && ag_type_writes_null(t))
        v = &json_null;
    bool encode = ag_type_affinity(t) == AG_AFF_JSON && v->kind != AG_V_JSON && c->host && c->host->value;
    if (v->kind != AG_V_NULL && (encode || needs_host(c, v, t))) {
        hosted(c, v, t);
        return;
    }
    t = ag_type_impl(t, c->d->name); /* what is bound is checked, so is what is written */
    if (!ag_c_ok(c, ag_type_coerce(&taken, v, t, NULL, &c->tmp, c->err)))
        return;
    v = &taken;
    if (!c->d->literal || !c->d->literal(c, v, t))
        plain(c, v, t);
}

/* ag.decimal in Lua: exact decimals that compare, add, multiply and divide with each other and with integers. A float on either
 * side raises: its decimal meaning is a guess. The arithmetic is value/decimal.h's. */
#include "binding/conv.h"
#include "binding/host.h"
#include "binding/lua_node.h"
#include "binding/module.h"
#include "value/decimal.h"
#include <stdio.h>

#define DIV_SCALE 16 /* digits after the point a quotient is computed to, at least */

typedef struct operand {
    char small[24];
    const char *p;
    size_t n;
} operand;

/* The decimal or integer at idx as canonical text; false for anything else. */
static bool get_operand(lua_State *L, int idx, operand *o)
{
    agl_value *b = agl_test(L, idx, AGL_K_DECIMAL);
    if (b) {
        o->p = b->v.u.s.p;
        o->n = b->v.u.s.n;
        return true;
    }
    if (!lua_isinteger(L, idx))
        return false;
    o->n = (size_t)snprintf(o->small, sizeof o->small, LUA_INTEGER_FMT, (LUAI_UACINT)lua_tointeger(L, idx));
    o->p = o->small;
    return true;
}

static void need_operands(lua_State *L, const char *op, operand *a, operand *b)
{
    if (get_operand(L, 1, a) && get_operand(L, 2, b))
        return;
    if (lua_type(L, 1) == LUA_TNUMBER || lua_type(L, 2) == LUA_TNUMBER)
        agl_error(L, AG_EXC_ARGUMENT, "cannot compute %s %s %s: a float is not exact, write ag.decimal(\"…\")",
                  agl_describe(L, 1, false), op, agl_describe(L, 2, false));
    agl_error(L, AG_EXC_ARGUMENT, "cannot compute %s %s %s", agl_describe(L, 1, false), op, agl_describe(L, 2, false));
}

static int push_buf(lua_State *L, agl_scope *s)
{
    ag_value v;
    if (!ag_buf_ok(&s->buf)) {
        ag_fail_nomem(&s->err);
        agl_scope_raise(L, s);
    }
    v = ag_value_bytes(AG_V_DECIMAL, s->buf.data, s->buf.len);
    agl_value_new(L, &v);
    return 1;
}

/* ag.decimal(text | integer | decimal) */
static int value_decimal(lua_State *L)
{
    size_t n;
    const char *text;
    operand o;
    agl_scope *s;
    agl_check_top(L, 1);
    if (agl_test(L, 1, AGL_K_DECIMAL))
        return 1;
    if (get_operand(L, 1, &o)) {
        text = o.p;
        n = o.n;
    } else if (lua_type(L, 1) == LUA_TNUMBER)
        return agl_argerror(L, 1, "a float is not exact: write it as text, ag.decimal(\"1.50\")");
    else if (lua_type(L, 1) == LUA_TSTRING)
        text = lua_tolstring(L, 1, &n);
    else
        return agl_typeerror(L, 1, "a text or an integer");
    s = agl_scope_open(L);
    agl_scope_must(L, s, ag_decimal_parse(&s->buf, text, n, &s->err));
    return push_buf(L, s);
}

typedef ag_status (*binary_fn)(ag_buf *, const char *, size_t, const char *, size_t, ag_error *);

static int binary(lua_State *L, const char *op, binary_fn fn)
{
    operand a, b;
    agl_scope *s;
    if (agl_node_takes(L, *op == '+' ? "__add" : *op == '-' ? "__sub" : "__mul"))
        return 1;
    need_operands(L, op, &a, &b);
    s = agl_scope_open(L);
    agl_scope_must(L, s, fn(&s->buf, a.p, a.n, b.p, b.n, &s->err));
    return push_buf(L, s);
}

static int decimal_add(lua_State *L)
{
    return binary(L, "+", ag_decimal_add);
}

static int decimal_sub(lua_State *L)
{
    return binary(L, "-", ag_decimal_sub);
}

static int decimal_mul(lua_State *L)
{
    return binary(L, "*", ag_decimal_mul);
}

static int decimal_unm(lua_State *L)
{
    agl_value *d = agl_check(L, 1, AGL_K_DECIMAL);
    agl_scope *s = agl_scope_open(L);
    agl_scope_must(L, s, ag_decimal_sub(&s->buf, "0", 1, d->v.u.s.p, d->v.u.s.n, &s->err));
    return push_buf(L, s);
}

/* Cut zeros at the end, down to `keep` digits after the point. */
static void trim(ag_buf *b, int keep)
{
    int digits, scale;
    if (!ag_buf_ok(b))
        return;
    ag_decimal_digits(b->data, b->len, &digits, &scale);
    while (scale > keep && b->len > 1 && b->data[b->len - 1] == '0') {
        ag_buf_truncate(b, b->len - 1);
        scale--;
    }
    if (b->len > 0 && b->data[b->len - 1] == '.')
        ag_buf_truncate(b, b->len - 1);
}

static int divide(lua_State *L, int scale, bool exactly)
{
    operand a, b;
    int digits, sa, sb, least;
    agl_scope *s;
    need_operands(L, "/", &a, &b);
    ag_decimal_digits(a.p, a.n, &digits, &sa);
    ag_decimal_digits(b.p, b.n, &digits, &sb);
    least = sa > sb ? sa : sb;
    if (!exactly && scale < least)
        scale = least;
    s = agl_scope_open(L);
    agl_scope_must(L, s, ag_decimal_div(&s->buf, a.p, a.n, b.p, b.n, scale, &s->err));
    if (!exactly)
        trim(&s->buf, least);
    return push_buf(L, s);
}

/* a / b: 16 digits after the point or as many as the operands have, without needless zeros */
static int decimal_div(lua_State *L)
{
    if (agl_node_takes(L, "__div"))
        return 1;
    return divide(L, DIV_SCALE, false);
}

/* d:div(other, scale): exactly `scale` digits after the point, half away from zero */
static int decimal_div_scale(lua_State *L)
{
    int scale = (int)agl_check_integer(L, 3, 0, 16383);
    return divide(L, scale, true);
}

/* d:round(digits) */
static int decimal_round(lua_State *L)
{
    agl_value *d = agl_check(L, 1, AGL_K_DECIMAL);
    int scale = lua_isnoneornil(L, 2) ? 0 : (int)agl_check_integer(L, 2, 0, 16383);
    agl_scope *s = agl_scope_open(L);
    agl_scope_must(L, s, ag_decimal_round(&s->buf, d->v.u.s.p, d->v.u.s.n, scale, &s->err));
    return push_buf(L, s);
}

/* d:tonumber(): the nearest float (not exact); nil for NaN and infinities */
static int decimal_tonumber(lua_State *L)
{
    agl_value *d = agl_check(L, 1, AGL_K_DECIMAL);
    double f;
    if (ag_decimal_to_double(d->v.u.s.p, d->v.u.s.n, &f))
        lua_pushnumber(L, f);
    else
        lua_pushnil(L);
    return 1;
}

/* d:tointeger(): an integer when it is one and fits, else nil */
static int decimal_tointeger(lua_State *L)
{
    agl_value *d = agl_check(L, 1, AGL_K_DECIMAL);
    int64_t i;
    size_t n = d->v.u.s.n;
    const char *p = d->v.u.s.p;
    int digits, scale;
    ag_decimal_digits(p, n, &digits, &scale);
    while (scale > 0 && p[n - 1] == '0')
        n--, scale--;
    if (n > 0 && p[n - 1] == '.')
        n--;
    if (scale == 0 && ag_parse_int64(p, n, &i))
        lua_pushinteger(L, i);
    else
        lua_pushnil(L);
    return 1;
}

/* d.digits, d.scale */
static int decimal_digits(lua_State *L)
{
    agl_value *d = agl_check(L, 1, AGL_K_DECIMAL);
    int digits, scale;
    ag_decimal_digits(d->v.u.s.p, d->v.u.s.n, &digits, &scale);
    lua_pushinteger(L, digits);
    return 1;
}

static int decimal_scale(lua_State *L)
{
    agl_value *d = agl_check(L, 1, AGL_K_DECIMAL);
    int digits, scale;
    ag_decimal_digits(d->v.u.s.p, d->v.u.s.n, &digits, &scale);
    lua_pushinteger(L, scale);
    return 1;
}

static int decimal_tostring(lua_State *L)
{
    agl_value *d = agl_check(L, 1, AGL_K_DECIMAL);
    lua_pushlstring(L, d->v.u.s.p, d->v.u.s.n);
    return 1;
}

static int compare(lua_State *L)
{
    operand a, b;
    if (!get_operand(L, 1, &a) || !get_operand(L, 2, &b))
        agl_error(L, AG_EXC_ARGUMENT, "cannot compare %s with %s", agl_describe(L, 1, false),
                  agl_describe(L, 2, false));
    return ag_decimal_compare(a.p, a.n, b.p, b.n);
}

static int decimal_eq(lua_State *L)
{
    operand a, b;
    lua_pushboolean(L, get_operand(L, 1, &a) && get_operand(L, 2, &b) && ag_decimal_compare(a.p, a.n, b.p, b.n) == 0);
    return 1;
}

static int decimal_lt(lua_State *L)
{
    lua_pushboolean(L, compare(L) < 0);
    return 1;
}

static int decimal_le(lua_State *L)
{
    lua_pushboolean(L, compare(L) <= 0);
    return 1;
}

static const luaL_Reg methods[] = {
    {"round", decimal_round},
    {"div", decimal_div_scale},
    {"tonumber", decimal_tonumber},
    {"tointeger", decimal_tointeger},
    {NULL, NULL},
};
static const luaL_Reg getters[] = {{"digits", decimal_digits}, {"scale", decimal_scale}, {NULL, NULL}};
static const luaL_Reg meta[] = {
    {"__tostring", decimal_tostring}, {"__eq", decimal_eq},   {"__lt", decimal_lt},   {"__le", decimal_le},
    {"__add", decimal_add},           {"__sub", decimal_sub}, {"__mul", decimal_mul}, {"__div", decimal_div},
    {"__unm", decimal_unm},           {NULL, NULL},
};
static const agl_class decimal_class = {.name = "decimal", .methods = methods, .getters = getters, .meta = meta};
static const luaL_Reg functions[] = {{"decimal", value_decimal}, {NULL, NULL}};

void agl_open_decimal(lua_State *L)
{
    agl_class_open(L, AGL_K_DECIMAL, &decimal_class);
    agl_functions(L, functions);
}

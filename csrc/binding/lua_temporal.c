/* ag.date, ag.time, ag.datetime and ag.interval in Lua: making, reading, comparing, adding. Immutable values; the
 * calendar is value/datetime.h's. As table keys they count by identity: use tostring(d). */
#include "binding/conv.h"
#include "binding/lua_node.h"
#include "binding/module.h"
#include "binding/raise.h"
#include "value/datetime.h"
#include <string.h>
#include <time.h>

typedef ag_status (*parse_fn)(ag_value *out, const char *s, size_t n, ag_error *err);

static const ag_value *check_temporal(lua_State *L, int arg)
{
    agl_kind kind = agl_kind_at(L, arg);
    if (kind < AGL_K_DATE || kind > AGL_K_INTERVAL)
        agl_typeerror(L, arg, "a date, time, datetime or interval");
    return &((agl_value *)lua_touserdata(L, arg))->v;
}

static const ag_value *test_temporal(lua_State *L, int arg)
{
    agl_kind kind = agl_kind_at(L, arg);
    return kind >= AGL_K_DATE && kind <= AGL_K_INTERVAL ? &((agl_value *)lua_touserdata(L, arg))->v : NULL;
}

/* ---- making ---- */

static int make(lua_State *L, agl_kind kind, parse_fn parse, const char *form,
                void (*from_table)(lua_State *, ag_value *))
{
    ag_value v = {.kind = AG_V_NULL};
    agl_check_top(L, 1);
    if (lua_type(L, 1) == LUA_TSTRING) {
        size_t n;
        const char *s = lua_tolstring(L, 1, &n);
        ag_error *err = agl_err(L);
        agl_must(L, parse(&v, s, n, err), err);
    } else if (lua_type(L, 1) == LUA_TTABLE)
        from_table(L, &v);
    else if (agl_test(L, 1, kind))
        return 1;
    else
        return agl_typeerror(L, 1, form);
    agl_value_new(L, &v);
    return 1;
}

static int64_t field(lua_State *L, const char *name, lua_Integer min, lua_Integer max, lua_Integer def)
{
    return agl_opt_integer(L, 1, name, min, max, def);
}

static void need(lua_State *L, const char *name)
{
    if (agl_opt_push(L, 1, name) == LUA_TNIL)
        agl_error_in(L, AG_EXC_ARGUMENT, "field '%s' is missing", name);
    lua_pop(L, 1);
}

static void read_date(lua_State *L, ag_civil *c)
{
    need(L, "year");
    need(L, "month");
    need(L, "day");
    c->year = field(L, "year", 1, 9999, 0);
    c->month = (int)field(L, "month", 1, 12, 0);
    c->day = (int)field(L, "day", 1, 31, 0);
    if (c->day > ag_days_in_month(c->year, c->month))
        agl_error_in(L, AG_EXC_DATA, "there is no day %d in %I-%d", c->day, (LUAI_UACINT)c->year, c->month);
}

static int64_t read_time(lua_State *L)
{
    int64_t us = field(L, "hour", 0, 23, 0) * 3600 + field(L, "minute", 0, 59, 0) * 60 + field(L, "second", 0, 59, 0);
    return us * 1000000 + field(L, "microsecond", 0, 999999, 0);
}

static void read_offset(lua_State *L, ag_value *v)
{
    if (agl_opt_push(L, 1, "offset") != LUA_TNIL) {
        v->flags |= AG_V_ZONED;
        v->offset = (int32_t)field(L, "offset", -86399, 86399, 0);
    }
    lua_pop(L, 1);
}

static void date_from_table(lua_State *L, ag_value *v)
{
    static const char *const known[] = {"year", "month", "day", NULL};
    ag_civil c = {0};
    agl_check_options(L, 1, known);
    read_date(L, &c);
    *v = (ag_value){.kind = AG_V_DATE, .u.i = ag_days_from_civil(c.year, c.month, c.day)};
}

static void time_from_table(lua_State *L, ag_value *v)
{
    static const char *const known[] = {"hour", "minute", "second", "microsecond", "offset", NULL};
    agl_check_options(L, 1, known);
    *v = (ag_value){.kind = AG_V_TIME, .u.i = read_time(L)};
    read_offset(L, v);
}

static void datetime_from_table(lua_State *L, ag_value *v)
{
    static const char *const known[] = {"year",   "month",       "day",    "hour", "minute",
                                        "second", "microsecond", "offset", NULL};
    ag_civil c = {0};
    agl_check_options(L, 1, known);
    read_date(L, &c);
    *v = (ag_value){.kind = AG_V_DATETIME};
    v->u.i = ag_days_from_civil(c.year, c.month, c.day) * AG_US_PER_DAY + read_time(L);
    read_offset(L, v);
    v->u.i -= (int64_t)v->offset * 1000000;
}

static int64_t scaled(lua_State *L, const char *name, int64_t unit, int64_t sum)
{
    int64_t n = field(L, name, LUA_MININTEGER, LUA_MAXINTEGER, 0), product;
    if (__builtin_mul_overflow(n, unit, &product) || __builtin_add_overflow(sum, product, &sum))
        agl_error_in(L, AG_EXC_DATA, "the interval is out of range (%s)", name);
    return sum;
}

static int32_t narrow(lua_State *L, int64_t n, const char *name)
{
    if (n < INT32_MIN || n > INT32_MAX)
        agl_error_in(L, AG_EXC_DATA, "the interval is out of range (%s)", name);
    return (int32_t)n;
}

/* seconds may be a float (1.5): whole microseconds only */
static int64_t add_seconds(lua_State *L, int64_t us)
{
    lua_Number s;
    if (agl_opt_push(L, 1, "seconds") == LUA_TNUMBER && !lua_isinteger(L, -1)) {
        s = lua_tonumber(L, -1) * 1e6;
        lua_pop(L, 1);
        if (!(s > -9.2e18 && s < 9.2e18))
            agl_error_in(L, AG_EXC_DATA, "the interval is out of range (seconds)");
        return us + (int64_t)(s + (s < 0 ? -0.5 : 0.5));
    }
    lua_pop(L, 1);
    return scaled(L, "seconds", 1000000, us);
}

static void interval_from_table(lua_State *L, ag_value *v)
{
    static const char *const known[] = {"years",   "months",  "weeks",        "days",         "hours",
                                        "minutes", "seconds", "milliseconds", "microseconds", NULL};
    int64_t us = 0;
    agl_check_options(L, 1, known);
    *v = (ag_value){.kind = AG_V_INTERVAL};
    us = scaled(L, "hours", INT64_C(3600000000), us);
    us = scaled(L, "minutes", 60000000, us);
    us = add_seconds(L, us);
    us = scaled(L, "milliseconds", 1000, us);
    v->u.iv.us = scaled(L, "microseconds", 1, us);
    v->u.iv.days = narrow(L, scaled(L, "days", 1, scaled(L, "weeks", 7, 0)), "days");
    v->u.iv.months = narrow(L, scaled(L, "months", 1, scaled(L, "years", 12, 0)), "months");
}

static int value_date(lua_State *L)
{
    return make(L, AGL_K_DATE, ag_date_parse, "a text YYYY-MM-DD or a table {year, month, day}", date_from_table);
}

static int value_time(lua_State *L)
{
    return make(L, AGL_K_TIME, ag_time_parse, "a text HH:MM:SS or a table {hour, minute, …}", time_from_table);
}

static int value_datetime(lua_State *L)
{
    return make(L, AGL_K_DATETIME, ag_datetime_parse, "a text YYYY-MM-DD HH:MM:SS or a table {year, month, day, …}",
                datetime_from_table);
}

static int value_interval(lua_State *L)
{
    return make(L, AGL_K_INTERVAL, ag_interval_parse, "a text (1 day 02:00:00, P1DT2H) or a table {days, hours, …}",
                interval_from_table);
}

/* datetime_now(zoned) → the present, in UTC: zoned, or the naive wall clock of UTC */
static int value_now(lua_State *L)
{
    struct timespec ts;
    ag_value v = {.kind = AG_V_DATETIME};
    clock_gettime(CLOCK_REALTIME, &ts);
    v.u.i = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
    if (lua_toboolean(L, 1))
        v.flags = AG_V_ZONED;
    agl_value_new(L, &v);
    return 1;
}

/* datetime_from_timestamp(seconds) → zoned */
static int value_from_timestamp(lua_State *L)
{
    ag_value v = {.kind = AG_V_DATETIME, .flags = AG_V_ZONED};
    if (lua_isinteger(L, 1))
        v.u.i = agl_check_integer(L, 1, INT64_C(-62135596800), INT64_C(253402300799)) * 1000000;
    else {
        lua_Number s = agl_check_number(L, 1);
        if (!(s >= -62135596800.0 && s < 253402300800.0))
            return agl_argerror(L, 1, "timestamp out of range");
        v.u.i = (int64_t)(s * 1e6 + (s < 0 ? -0.5 : 0.5));
    }
    agl_value_new(L, &v);
    return 1;
}

/* ---- reading ---- */

static bool is_infinite(const ag_value *v)
{
    return (v->kind == AG_V_DATE && (v->u.i == AG_DATE_NEG_INF || v->u.i == AG_DATE_POS_INF)) ||
           (v->kind == AG_V_DATETIME && (v->u.i == INT64_MIN || v->u.i == INT64_MAX));
}

static void civil_of(ag_civil *c, const ag_value *v)
{
    memset(c, 0, sizeof *c);
    if (v->kind == AG_V_DATE)
        ag_civil_from_days(c, v->u.i);
    else if (v->kind == AG_V_DATETIME)
        ag_civil_from_us(c, v->u.i + (int64_t)v->offset * 1000000);
    else
        ag_civil_from_us(c, v->u.i);
}

/* Push a calendar field of v by name; false when v has none of that name. */
static bool push_date_field(lua_State *L, const ag_value *v, const ag_civil *c, const char *name)
{
    if (v->kind == AG_V_TIME)
        return false;
    if (strcmp(name, "year") == 0)
        lua_pushinteger(L, c->year);
    else if (strcmp(name, "month") == 0)
        lua_pushinteger(L, c->month);
    else if (strcmp(name, "day") == 0)
        lua_pushinteger(L, c->day);
    else
        return false;
    return true;
}

static bool push_time_field(lua_State *L, const ag_value *v, const ag_civil *c, const char *name)
{
    if (v->kind == AG_V_DATE)
        return false;
    if (strcmp(name, "hour") == 0)
        lua_pushinteger(L, v->kind == AG_V_TIME && v->u.i == AG_US_PER_DAY ? 24 : c->hour);
    else if (strcmp(name, "minute") == 0)
        lua_pushinteger(L, c->minute);
    else if (strcmp(name, "second") == 0)
        lua_pushinteger(L, c->second);
    else if (strcmp(name, "microsecond") == 0)
        lua_pushinteger(L, c->microsecond);
    else if (strcmp(name, "offset") == 0) {
        if (v->flags & AG_V_ZONED)
            lua_pushinteger(L, v->offset);
        else
            lua_pushnil(L);
    } else
        return false;
    return true;
}

static bool push_interval_field(lua_State *L, const ag_interval *iv, const char *name)
{
    if (strcmp(name, "months") == 0)
        lua_pushinteger(L, iv->months);
    else if (strcmp(name, "days") == 0)
        lua_pushinteger(L, iv->days);
    else if (strcmp(name, "microseconds") == 0)
        lua_pushinteger(L, iv->us);
    else
        return false;
    return true;
}

static const char *const interval_fields[] = {"months", "days", "microseconds", NULL};
static const char *const date_fields[] = {"infinite", "year", "month", "day", NULL};
static const char *const time_fields[] = {"infinite", "hour", "minute", "second", "microsecond", "offset", NULL};
static const char *const datetime_fields[] = {"infinite", "year",   "month",       "day",    "hour",
                                              "minute",   "second", "microsecond", "offset", NULL};

static const char *const *fields_of(agl_kind kind)
{
    return kind == AGL_K_DATE ? date_fields : kind == AGL_K_TIME ? time_fields : datetime_fields;
}

/* upvalue 1: the methods */
static int temporal_index(lua_State *L)
{
    const ag_value *v = check_temporal(L, 1);
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    ag_civil c;
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;
    if (v->kind == AG_V_INTERVAL) {
        if (push_interval_field(L, &v->u.iv, name))
            return 1;
        return agl_unknown_name(L, lua_upvalueindex(1), interval_fields, "an interval");
    }
    if (strcmp(name, "infinite") == 0) {
        lua_pushboolean(L, is_infinite(v));
        return 1;
    }
    if (is_infinite(v)) {
        lua_pushnil(L);
        return 1;
    }
    civil_of(&c, v);
    if (push_date_field(L, v, &c, name) || push_time_field(L, v, &c, name))
        return 1;
    agl_kind kind = agl_kind_at(L, 1);
    lua_pushfstring(L, "a %s", agl_kind_name(kind));
    lua_replace(L, 1); /* the name stays at 2 */
    return agl_unknown_name(L, lua_upvalueindex(1), fields_of(kind), lua_tostring(L, 1));
}

static int temporal_newindex(lua_State *L)
{
    return agl_error(L, AG_EXC_ARGUMENT, "a %s cannot be changed; make a new one", agl_kind_name(agl_kind_at(L, 1)));
}

static int write_text(lua_State *L, char sep)
{
    char text[AG_TEMPORAL_MAX];
    size_t n = ag_temporal_write(text, check_temporal(L, 1), sep, -1);
    lua_pushlstring(L, text, n);
    return 1;
}

static int temporal_tostring(lua_State *L)
{
    return write_text(L, ' ');
}

/* d:isoformat([sep]) */
static int temporal_isoformat(lua_State *L)
{
    size_t n = 1;
    const char *sep = lua_isnoneornil(L, 2) ? "T" : agl_check_string(L, 2, &n);
    if (n != 1)
        return agl_argerror(L, 2, "expected one character, got %s", agl_describe(L, 2, false));
    return write_text(L, sep[0]);
}

/* d:date(), d:time() of a datetime */
static int datetime_date(lua_State *L)
{
    agl_value *b = agl_check(L, 1, AGL_K_DATETIME);
    ag_civil c;
    ag_value v = {.kind = AG_V_DATE};
    if (is_infinite(&b->v))
        v.u.i = b->v.u.i == INT64_MIN ? AG_DATE_NEG_INF : AG_DATE_POS_INF;
    else {
        civil_of(&c, &b->v);
        v.u.i = ag_days_from_civil(c.year, c.month, c.day);
    }
    agl_value_new(L, &v);
    return 1;
}

static int datetime_time(lua_State *L)
{
    agl_value *b = agl_check(L, 1, AGL_K_DATETIME);
    ag_civil c;
    ag_value v = {.kind = AG_V_TIME, .flags = b->v.flags, .offset = b->v.offset};
    if (is_infinite(&b->v))
        return agl_error_in(L, AG_EXC_DATA, "an infinite datetime has no time");
    civil_of(&c, &b->v);
    v.u.i = ((int64_t)c.hour * 3600 + c.minute * 60 + c.second) * 1000000 + c.microsecond;
    agl_value_new(L, &v);
    return 1;
}

/* d:timestamp() → seconds since 1970-01-01 UTC, a float; zoned datetimes only */
static int datetime_timestamp(lua_State *L)
{
    agl_value *b = agl_check(L, 1, AGL_K_DATETIME);
    if (!(b->v.flags & AG_V_ZONED) || is_infinite(&b->v))
        return agl_error_in(L, AG_EXC_ARGUMENT, "only a finite datetime with an offset has a timestamp");
    lua_pushnumber(L, (lua_Number)b->v.u.i / 1e6);
    return 1;
}

/* d:isoweekday(): Monday 1 … Sunday 7 */
static int temporal_isoweekday(lua_State *L)
{
    const ag_value *v = check_temporal(L, 1);
    ag_civil c;
    int64_t days;
    if ((v->kind != AG_V_DATE && v->kind != AG_V_DATETIME) || is_infinite(v))
        return agl_typeerror(L, 1, "a finite date or datetime");
    civil_of(&c, v);
    days = ag_days_from_civil(c.year, c.month, c.day);
    lua_pushinteger(L, ((days + 3) % 7 + 7) % 7 + 1);
    return 1;
}

/* iv:total_seconds(): a float; raises when there are months */
static int interval_total_seconds(lua_State *L)
{
    agl_value *b = agl_check(L, 1, AGL_K_INTERVAL);
    if (b->v.u.iv.months)
        return agl_error_in(L, AG_EXC_ARGUMENT, "an interval with months has no length in seconds");
    lua_pushnumber(L, (lua_Number)b->v.u.iv.days * 86400.0 + (lua_Number)b->v.u.iv.us / 1e6);
    return 1;
}

/* ---- comparing ---- */

/* Both operands, of one kind and zonedness; else raises (no __lt between them) or, for equality, false. */
static bool comparable(lua_State *L, const ag_value *a, const ag_value *b, bool raise)
{
    if (a && b && a->kind == b->kind && (a->flags & AG_V_ZONED) == (b->flags & AG_V_ZONED))
        return true;
    if (!raise && !(a && b && a->kind == b->kind))
        return false;
    if (a && b && a->kind == b->kind)
        agl_error(L, AG_EXC_ARGUMENT, "a %s with an offset cannot be compared with one without",
                  agl_kind_name(agl_kind_at(L, 1)));
    return agl_error(L, AG_EXC_ARGUMENT, "cannot compare %s with %s", agl_describe(L, 1, false),
                     agl_describe(L, 2, false));
}

static int temporal_eq(lua_State *L)
{
    const ag_value *a = test_temporal(L, 1), *b = test_temporal(L, 2);
    lua_pushboolean(L, comparable(L, a, b, false) && ag_temporal_compare(a, b) == 0);
    return 1;
}

static int temporal_lt(lua_State *L)
{
    const ag_value *a = test_temporal(L, 1), *b = test_temporal(L, 2);
    lua_pushboolean(L, comparable(L, a, b, true) && ag_temporal_compare(a, b) < 0);
    return 1;
}

static int temporal_le(lua_State *L)
{
    const ag_value *a = test_temporal(L, 1), *b = test_temporal(L, 2);
    lua_pushboolean(L, comparable(L, a, b, true) && ag_temporal_compare(a, b) <= 0);
    return 1;
}

/* ---- arithmetic ---- */

/* interval + column is an expression; everything else that comes here is refused. */
static int no_arithmetic(lua_State *L, const char *op)
{
    const char *event = *op == '+' ? "__add" : *op == '-' ? "__sub" : "__mul";
    if (agl_node_takes(L, event))
        return 1;
    return agl_error(L, AG_EXC_ARGUMENT, "cannot compute %s %s %s", agl_describe(L, 1, false), op,
                     agl_describe(L, 2, false));
}

static int add(lua_State *L, const ag_value *a, const ag_value *iv, int sign)
{
    ag_value out;
    ag_error *err = agl_err(L);
    agl_must(L, ag_temporal_add(&out, a, &iv->u.iv, sign, err), err);
    agl_value_new(L, &out);
    return 1;
}

static int temporal_add(lua_State *L)
{
    const ag_value *a = test_temporal(L, 1), *b = test_temporal(L, 2);
    if (!a || !b || (a->kind != AG_V_INTERVAL && b->kind != AG_V_INTERVAL))
        return no_arithmetic(L, "+");
    return b->kind == AG_V_INTERVAL ? add(L, a, b, 1) : add(L, b, a, 1);
}

static int temporal_sub(lua_State *L)
{
    const ag_value *a = test_temporal(L, 1), *b = test_temporal(L, 2);
    ag_value out;
    ag_error *err;
    if (!a || !b)
        return no_arithmetic(L, "-");
    if (b->kind == AG_V_INTERVAL)
        return add(L, a, b, -1);
    if (a->kind != b->kind)
        return no_arithmetic(L, "-");
    comparable(L, a, b, true);
    err = agl_err(L);
    agl_must(L, ag_temporal_sub(&out, a, b, err), err);
    agl_value_new(L, &out);
    return 1;
}

static int scale_interval(lua_State *L, const ag_interval *iv, int64_t by)
{
    ag_value out = {.kind = AG_V_INTERVAL};
    int64_t days, months;
    if (__builtin_mul_overflow(iv->us, by, &out.u.iv.us) || __builtin_mul_overflow((int64_t)iv->days, by, &days) ||
        __builtin_mul_overflow((int64_t)iv->months, by, &months))
        return agl_error(L, AG_EXC_DATA, "the interval is out of range");
    out.u.iv.days = narrow(L, days, "days");
    out.u.iv.months = narrow(L, months, "months");
    agl_value_new(L, &out);
    return 1;
}

static int interval_mul(lua_State *L)
{
    const ag_value *a = test_temporal(L, 1), *b = test_temporal(L, 2);
    if (a && a->kind == AG_V_INTERVAL && lua_isinteger(L, 2))
        return scale_interval(L, &a->u.iv, lua_tointeger(L, 2));
    if (b && b->kind == AG_V_INTERVAL && lua_isinteger(L, 1))
        return scale_interval(L, &b->u.iv, lua_tointeger(L, 1));
    return no_arithmetic(L, "*");
}

static int interval_unm(lua_State *L)
{
    agl_value *b = agl_check(L, 1, AGL_K_INTERVAL);
    return scale_interval(L, &b->v.u.iv, -1);
}

/* ---- classes ---- */

static const luaL_Reg date_methods[] = {
    {"isoformat", temporal_isoformat}, {"isoweekday", temporal_isoweekday}, {NULL, NULL}};
static const luaL_Reg time_methods[] = {{"isoformat", temporal_isoformat}, {NULL, NULL}};
static const luaL_Reg datetime_methods[] = {{"isoformat", temporal_isoformat}, {"isoweekday", temporal_isoweekday},
                                            {"date", datetime_date},           {"time", datetime_time},
                                            {"timestamp", datetime_timestamp}, {NULL, NULL}};
static const luaL_Reg interval_methods[] = {
    {"isoformat", temporal_isoformat}, {"total_seconds", interval_total_seconds}, {NULL, NULL}};

#define COMMON                                                                                                         \
    {"__tostring", temporal_tostring}, {"__eq", temporal_eq}, {"__lt", temporal_lt}, {"__le", temporal_le},            \
        {"__add", temporal_add}, {"__sub", temporal_sub},                                                              \
    {                                                                                                                  \
        "__newindex", temporal_newindex                                                                                \
    }
static const luaL_Reg meta[] = {COMMON, {NULL, NULL}};
static const luaL_Reg interval_meta[] = {COMMON, {"__mul", interval_mul}, {"__unm", interval_unm}, {NULL, NULL}};

static const agl_class date_class = {.name = "date", .methods = date_methods, .meta = meta};
static const agl_class time_class = {.name = "time", .methods = time_methods, .meta = meta};
static const agl_class datetime_class = {.name = "datetime", .methods = datetime_methods, .meta = meta};
static const agl_class interval_class = {.name = "interval", .methods = interval_methods, .meta = interval_meta};

/* argent.values wraps these: ag.date("…"), ag.datetime.now() */
static const luaL_Reg functions[] = {
    {"date", value_date},         {"time", value_time}, {"datetime", value_datetime},
    {"interval", value_interval}, {NULL, NULL},
};
static const luaL_Reg internal[] = {
    {"datetime_now", value_now}, {"datetime_from_timestamp", value_from_timestamp}, {NULL, NULL}};

static void open_class(lua_State *L, agl_kind kind, const agl_class *cls)
{
    agl_class_open(L, kind, cls);
    agl_class_push(L, kind);
    agl_class_push_methods(L, kind);
    lua_pushcclosure(L, temporal_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

void agl_open_temporal(lua_State *L)
{
    open_class(L, AGL_K_DATE, &date_class);
    open_class(L, AGL_K_TIME, &time_class);
    open_class(L, AGL_K_DATETIME, &datetime_class);
    open_class(L, AGL_K_INTERVAL, &interval_class);
    agl_functions(L, functions);
    agl_functions_internal(L, internal);
}

/* Types: the table, interning, description; coercion as a table of type x value. */
#include "base/buf.h"
#include "test/sweep.h"
#include "value/datetime.h"
#include "value/row.h"
#include "value/type.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static ag_types *registry;

static const ag_type *intern(const ag_type *proto)
{
    const ag_type *t;
    ag_error err = {0};
    assert_int_equal(ag_types_intern(registry, &t, proto, &err), AG_OK);
    return t;
}

static int set_up(void **state)
{
    (void)state;
    ag_error err = {0};
    return ag_types_new(&registry, ag_alloc_libc(), &err) != AG_OK;
}

static int tear_down(void **state)
{
    (void)state;
    ag_types_free(registry);
    registry = NULL;
    return 0;
}

static void plain_types_are_static(void **state)
{
    (void)state;
    for (int id = 0; id < AG_TYPE_COUNT; id++) {
        const ag_type *t = ag_type_plain((ag_type_id)id);
        ag_type proto = ag_type_proto((ag_type_id)id);
        assert_int_equal(t->id, id);
        assert_non_null(ag_type_lua_name(t));
        assert_ptr_equal(intern(&proto), t);
        for (int other = 0; other < id; other++)
            assert_true(ag_type_plain((ag_type_id)other)->hash != t->hash);
    }
    assert_string_equal(ag_type_lua_name(ag_type_plain(AG_TYPE_PG_JSONB)), "JSONB");
}

static ag_type string_of(int32_t length)
{
    ag_type t = ag_type_proto(AG_TYPE_STRING);
    t.length = length;
    return t;
}

static void equal_types_are_one_pointer(void **state)
{
    (void)state;
    ag_type a = string_of(20), b = string_of(21), c = string_of(20);
    c.collation = "C";
    assert_ptr_equal(intern(&a), intern(&a));
    assert_ptr_not_equal(intern(&a), intern(&b));
    assert_ptr_not_equal(intern(&a), intern(&c));
    assert_ptr_not_equal(intern(&a), ag_type_plain(AG_TYPE_STRING));

    char red[] = "red", green[] = "green", name[] = "color";
    const char *labels[] = {red, green};
    ag_type e = ag_type_proto(AG_TYPE_ENUM);
    e.labels = labels;
    e.nlabels = 2;
    e.name = name;
    const ag_type *kept = intern(&e);
    assert_ptr_equal(kept, intern(&e));
    red[0] = 'b'; /* the registry has copies */
    labels[1] = "x";
    name[0] = 'd';
    assert_string_equal(kept->labels[0], "red");
    assert_string_equal(kept->labels[1], "green");
    assert_string_equal(kept->name, "color");
    assert_ptr_not_equal(kept, intern(&e));

    ag_type array = ag_type_proto(AG_TYPE_ARRAY), array2 = array;
    array.item = intern(&a);
    array2.item = intern(&b);
    assert_ptr_equal(intern(&array), intern(&array));
    assert_ptr_not_equal(intern(&array), intern(&array2));
}

/* Every field counts. */
static void no_field_is_forgotten(void **state)
{
    (void)state;
    const char *label[] = {"a"}, *label2[] = {"b"};
    ag_type_variant pg = {"postgresql", ag_type_plain(AG_TYPE_PG_JSONB)};
    ag_type_variant lite = {"sqlite", ag_type_plain(AG_TYPE_PG_JSONB)};
    ag_type protos[20];
    size_t n = 0;
    for (size_t i = 0; i < 20; i++)
        protos[i] = ag_type_proto(AG_TYPE_ENUM);
    protos[n++].flags ^= AG_TYPE_NATIVE;
    protos[n++].length = 0;
    protos[n++].precision = 0;
    protos[n++].scale = 0;
    protos[n++].dims = 0;
    protos[n++].host = 1;
    protos[n++].item = ag_type_plain(AG_TYPE_TEXT);
    protos[n++].item = ag_type_plain(AG_TYPE_INTEGER);
    protos[n++].name = "";
    protos[n++].name = "a";
    protos[n++].schema = "a";
    protos[n++].collation = "a";
    protos[n].nlabels = 1;
    protos[n++].labels = label;
    protos[n].nlabels = 1;
    protos[n++].labels = label2;
    protos[n].nvariants = 1;
    protos[n++].variants = &pg;
    protos[n].nvariants = 1;
    protos[n++].variants = &lite;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++)
            assert_int_equal(intern(&protos[i]) == intern(&protos[j]), i == j);
        assert_ptr_not_equal(intern(&protos[i]), ag_type_plain(AG_TYPE_ENUM));
    }
}

static void decorators_and_variants_resolve(void **state)
{
    (void)state;
    ag_type s = string_of(10);
    ag_type_variant variants[] = {{"postgresql", ag_type_plain(AG_TYPE_PG_CITEXT)}};
    s.variants = variants;
    s.nvariants = 1;
    const ag_type *with_variant = intern(&s);
    ag_type d = ag_type_proto(AG_TYPE_DECORATOR);
    d.item = with_variant;
    d.host = 7;
    const ag_type *decorated = intern(&d);
    assert_ptr_equal(ag_type_impl(decorated, NULL), with_variant);
    assert_ptr_equal(ag_type_impl(decorated, "sqlite"), with_variant);
    assert_ptr_equal(ag_type_impl(decorated, "postgresql"), ag_type_plain(AG_TYPE_PG_CITEXT));
    assert_ptr_equal(ag_type_strip(decorated), with_variant);
    assert_int_equal(ag_type_affinity(decorated), AG_AFF_STRING);
    assert_int_equal(ag_type_kind(decorated), AG_V_TEXT);
    d.flags |= AG_TYPE_HAS_RESULT;
    assert_int_equal(ag_type_kind(intern(&d)), AG_V_HOST);
    ag_type domain = ag_type_proto(AG_TYPE_PG_DOMAIN);
    domain.item = ag_type_plain(AG_TYPE_INTEGER);
    domain.name = "age";
    assert_int_equal(ag_type_kind(intern(&domain)), AG_V_INT);
    assert_int_equal(ag_type_affinity(intern(&domain)), AG_AFF_INTEGER);
}

static void kinds_follow_asdecimal(void **state)
{
    (void)state;
    ag_type numeric = ag_type_proto(AG_TYPE_NUMERIC), flt = ag_type_proto(AG_TYPE_FLOAT);
    assert_int_equal(ag_type_kind(&numeric), AG_V_DECIMAL);
    assert_int_equal(ag_type_kind(&flt), AG_V_FLOAT);
    numeric.flags &= ~AG_TYPE_ASDECIMAL;
    flt.flags |= AG_TYPE_ASDECIMAL;
    assert_int_equal(ag_type_kind(&numeric), AG_V_FLOAT);
    assert_int_equal(ag_type_kind(&flt), AG_V_DECIMAL);
}

static void assert_described(const ag_type *t, const char *want)
{
    ag_buf b;
    ag_buf_init(&b, ag_alloc_libc());
    ag_type_describe(&b, t);
    assert_string_equal(b.data, want);
    ag_buf_clear(&b);
}

static void types_describe_themselves_as_lua(void **state)
{
    (void)state;
    const char *labels[] = {"red", "dark \"red\""};
    ag_type t = string_of(120);
    assert_described(&t, "String(120)");
    t.collation = "C";
    assert_described(&t, "String(120, {collation = \"C\"})");
    t = ag_type_proto(AG_TYPE_NUMERIC);
    assert_described(&t, "Numeric");
    t.precision = 10;
    t.scale = 2;
    assert_described(&t, "Numeric(10, 2)");
    t.flags ^= AG_TYPE_ASDECIMAL;
    assert_described(&t, "Numeric(10, 2, {asdecimal = false})");
    t = ag_type_proto(AG_TYPE_DATETIME);
    t.flags |= AG_TYPE_TIMEZONE;
    assert_described(&t, "DateTime({timezone = true})");
    t = ag_type_proto(AG_TYPE_SQL_TIMESTAMP);
    t.precision = 3;
    assert_described(&t, "TIMESTAMP({precision = 3})");
    t = ag_type_proto(AG_TYPE_ENUM);
    t.labels = labels;
    t.nlabels = 2;
    t.name = "color";
    assert_described(&t, "Enum({\"red\", \"dark \\\"red\\\"\"}, {name = \"color\"})");
    t = ag_type_proto(AG_TYPE_ARRAY);
    t.item = ag_type_plain(AG_TYPE_INTEGER);
    t.dims = 2;
    assert_described(&t, "ARRAY(Integer, {dimensions = 2})");
    t = ag_type_proto(AG_TYPE_UUID_GENERIC);
    t.flags &= ~AG_TYPE_NATIVE;
    assert_described(&t, "Uuid({native_uuid = false})");
}

static ag_status intern_many(const ag_alloc *a, void *ud)
{
    (void)ud;
    ag_error err;
    ag_types *ts = NULL;
    ag_error_init(&err, a);
    ag_status st = ag_types_new(&ts, a, &err);
    const char *labels[] = {"one", "two", "three"};
    ag_type_variant variants[] = {{"sqlite", ag_type_plain(AG_TYPE_TEXT)}};
    for (int i = 0; i < 100 && st == AG_OK; i++) {
        const ag_type *first, *again;
        ag_type t = string_of(i);
        t.name = "name";
        t.labels = labels;
        t.nlabels = 3;
        t.variants = variants;
        t.nvariants = 1;
        st = ag_types_intern(ts, &first, &t, &err);
        if (st == AG_OK) {
            assert_int_equal(ag_types_intern(ts, &again, &t, &err), AG_OK);
            assert_ptr_equal(first, again);
        }
    }
    ag_types_free(ts);
    ag_error_clear(&err);
    return st;
}

static void interning_survives_no_memory(void **state)
{
    (void)state;
    sweep_run(intern_many, NULL);
}

/* ---- coercion ---- */

static ag_arena arena;

static ag_status coerce(ag_value *out, const ag_value *v, const ag_type *t, ag_error *err)
{
    ag_arena_clear(&arena);
    ag_arena_init(&arena, ag_alloc_libc());
    return ag_type_coerce(out, v, t, "users.x", &arena, err);
}

static void assert_becomes(const ag_type *t, ag_value v, ag_value want)
{
    ag_error err = {0};
    ag_value out;
    if (coerce(&out, &v, t, &err) != AG_OK)
        fail_msg("%s", ag_error_message(&err));
    if (!ag_value_equal(&out, &want))
        fail_msg("%s: another %s", ag_type_lua_name(t), ag_vkind_name((ag_vkind)out.kind));
    /* in place as well */
    assert_int_equal(ag_type_coerce(&v, &v, t, NULL, &arena, &err), AG_OK);
    assert_true(ag_value_equal(&v, &want));
}

static void assert_passes(const ag_type *t, ag_value v)
{
    assert_becomes(t, v, v);
}

static void assert_refuses(const ag_type *t, ag_value v, const char *message)
{
    ag_error err = {0};
    ag_value out;
    if (coerce(&out, &v, t, &err) == AG_OK)
        fail_msg("%s takes it", ag_type_lua_name(t));
    assert_int_equal(err.cls, AG_EXC_DATA);
    if (message)
        assert_string_equal(ag_error_message(&err), message);
    ag_error_clear(&err);
}

static ag_value text(const char *s)
{
    return ag_value_text(s, strlen(s));
}

static ag_value bytes(ag_vkind kind, const char *s)
{
    return ag_value_bytes(kind, s, strlen(s));
}

static const ag_type *plain(ag_type_id id)
{
    return ag_type_plain(id);
}

static void null_fits_every_type(void **state)
{
    (void)state;
    for (int id = 0; id < AG_TYPE_COUNT; id++)
        assert_passes(plain((ag_type_id)id), ag_value_null());
}

static void integers_are_strict(void **state)
{
    (void)state;
    assert_passes(plain(AG_TYPE_INTEGER), ag_value_int(INT64_MAX));
    assert_refuses(plain(AG_TYPE_INTEGER), ag_value_float(1.0),
                   "users.x (Integer) takes an integer (math.tointeger or // makes one), not a float (1.0)");
    assert_refuses(plain(AG_TYPE_INTEGER), text("12"), "users.x (Integer) takes an integer, not text (\"12\")");
    assert_refuses(plain(AG_TYPE_INTEGER), ag_value_bool(true),
                   "users.x (Integer) takes an integer, not a boolean (true)");
    assert_refuses(plain(AG_TYPE_BIGINTEGER), bytes(AG_V_DECIMAL, "1"), NULL);
    assert_passes(plain(AG_TYPE_SMALLINTEGER), ag_value_int(-32768));
    assert_passes(plain(AG_TYPE_SQL_SMALLINT), ag_value_int(32767));
    assert_refuses(plain(AG_TYPE_SMALLINTEGER), ag_value_int(32768),
                   "users.x (SmallInteger) takes an integer from -32768 to 32767, not an integer (32768)");
    assert_refuses(plain(AG_TYPE_SQL_SMALLINT), ag_value_int(-32769), NULL);
    assert_passes(plain(AG_TYPE_PG_OID), ag_value_int(UINT32_MAX));
    assert_refuses(plain(AG_TYPE_PG_OID), ag_value_int(-1), NULL);
}

static void decimals_and_floats_keep_apart(void **state)
{
    (void)state;
    const ag_type *numeric = plain(AG_TYPE_NUMERIC), *flt = plain(AG_TYPE_FLOAT);
    assert_passes(numeric, bytes(AG_V_DECIMAL, "12345678901234567890.12"));
    assert_becomes(numeric, ag_value_int(INT64_MIN), bytes(AG_V_DECIMAL, "-9223372036854775808"));
    assert_refuses(numeric, ag_value_float(1.5),
                   "users.x (Numeric) takes a decimal or an integer (ag.decimal(\"1.50\"), or asdecimal = false for "
                   "floats), not a float (1.5)");
    assert_refuses(numeric, text("1.5"), NULL);
    assert_passes(flt, ag_value_float(0.1));
    assert_becomes(flt, ag_value_int(3), ag_value_float(3.0));
    assert_becomes(flt, ag_value_int(INT64_C(1) << 53), ag_value_float(9007199254740992.0));
    assert_refuses(flt, ag_value_int((INT64_C(1) << 53) + 1), NULL);
    assert_becomes(flt, bytes(AG_V_DECIMAL, "0.1"), ag_value_float(0.1));
    assert_refuses(flt, bytes(AG_V_DECIMAL, "0.1234567890123456"), NULL);
    assert_refuses(flt, bytes(AG_V_DECIMAL, "NaN"), NULL);
    assert_refuses(flt, text("1.5"), "users.x (Float) takes a number, not text (\"1.5\")");
    assert_passes(plain(AG_TYPE_SQL_DOUBLE_PRECISION), ag_value_float(1e300));
    ag_type as_float = ag_type_proto(AG_TYPE_NUMERIC);
    as_float.flags &= ~AG_TYPE_ASDECIMAL;
    assert_passes(&as_float, ag_value_float(1.5));
    assert_passes(&as_float, bytes(AG_V_DECIMAL, "0.1234567890123456"));
    assert_becomes(&as_float, ag_value_int(3), ag_value_float(3.0));
    assert_becomes(&as_float, ag_value_int(INT64_MAX), bytes(AG_V_DECIMAL, "9223372036854775807"));
    assert_refuses(&as_float, ag_value_bool(false),
                   "users.x (Numeric({asdecimal = false})) takes a number, not a "
                   "boolean (false)");
    ag_type as_decimal = ag_type_proto(AG_TYPE_FLOAT);
    as_decimal.flags |= AG_TYPE_ASDECIMAL;
    assert_becomes(&as_decimal, bytes(AG_V_DECIMAL, "2.50"), ag_value_float(2.5));
}

static void booleans_are_true_or_false(void **state)
{
    (void)state;
    assert_passes(plain(AG_TYPE_BOOLEAN), ag_value_bool(true));
    assert_refuses(plain(AG_TYPE_BOOLEAN), ag_value_int(1),
                   "users.x (Boolean) takes true or false, not an integer (1)");
    assert_refuses(plain(AG_TYPE_SQL_BOOLEAN), text("true"), NULL);
}

static void text_is_utf8_without_nul(void **state)
{
    (void)state;
    const ag_type *t = plain(AG_TYPE_TEXT);
    assert_passes(t, text("h\xC3\xA9"));
    assert_passes(t, text(""));
    assert_refuses(t, text("\xFF"), "users.x (Text) takes valid UTF-8, not text (\"?\")");
    assert_refuses(t, ag_value_text("a\0b", 3), "users.x (Text) takes text without NUL bytes, not text (\"a?b\")");
    assert_refuses(t, ag_value_int(5), "users.x (Text) takes text, not an integer (5)");
    assert_refuses(t, bytes(AG_V_BYTES, "secret"), "users.x (Text) takes text, not bytes");
    assert_becomes(plain(AG_TYPE_LARGEBINARY), ag_value_text("a\0\xFF", 3), ag_value_bytes(AG_V_BYTES, "a\0\xFF", 3));
    assert_passes(plain(AG_TYPE_PG_BYTEA), ag_value_bytes(AG_V_BYTES, "\0", 1));
    assert_refuses(plain(AG_TYPE_LARGEBINARY), ag_value_int(5), NULL);
    assert_becomes(plain(AG_TYPE_PG_INET), text("10.0.0.1"), bytes(AG_V_RAW, "10.0.0.1"));
    assert_becomes(plain(AG_TYPE_PG_JSONPATH), text("$.a"), bytes(AG_V_RAW, "$.a"));
    assert_passes(plain(AG_TYPE_PG_INT4RANGE), bytes(AG_V_RAW, "[1,5)"));
    assert_refuses(plain(AG_TYPE_PG_INT4RANGE), ag_value_int(1), NULL);
    assert_refuses(plain(AG_TYPE_PG_INET), text("\xC3"), NULL);
}

static void enums_check_labels_when_asked(void **state)
{
    (void)state;
    const char *labels[] = {"red", "green"};
    ag_type t = ag_type_proto(AG_TYPE_ENUM);
    t.labels = labels;
    t.nlabels = 2;
    assert_passes(&t, text("blue"));
    assert_refuses(&t, ag_value_int(1), NULL);
    t.flags |= AG_TYPE_VALIDATE;
    assert_passes(&t, text("green"));
    assert_refuses(&t, text("blue"),
                   "users.x (Enum({\"red\", \"green\"}, {validate_strings = true})) takes one of red, "
                   "green, not text (\"blue\")");
    assert_refuses(&t, text("re"), NULL);
}

static void uuids_are_normalised(void **state)
{
    (void)state;
    const ag_type *t = plain(AG_TYPE_UUID_GENERIC);
    ag_value want = bytes(AG_V_UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    static const char *const good[] = {
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",          "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
        "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",        "a0eebc999c0b4ef8bb6d6bb9bd380a11",
        "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",       "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}",
        "urn:uuid:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    };
    static const char *const bad[] = {
        "",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111",
        "a0eebc99--9c0b-4ef8-bb6d-6bb9bd380a11",
        "-a0eebc999c0b4ef8bb6d6bb9bd380a11",
        "a0eebc999c0b4ef8bb6d6bb9bd380a11-",
        "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "a0eebc9-99c0b-4ef8-bb6d-6bb9bd380a11",
        "{}",
        "urn:uuid:",
        "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        " a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_becomes(t, text(good[i]), want);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refuses(t, text(bad[i]), NULL);
    assert_passes(plain(AG_TYPE_SQL_UUID), want);
    assert_refuses(t, text("5"), "users.x (Uuid) takes a UUID (32 hexadecimal digits), not text (\"5\")");
    assert_refuses(t, ag_value_int(5), NULL);
}

static ag_value parsed(ag_status (*parse)(ag_value *, const char *, size_t, ag_error *), const char *s)
{
    ag_value v;
    assert_int_equal(parse(&v, s, strlen(s), NULL), AG_OK);
    return v;
}

static void dates_and_times_are_not_text(void **state)
{
    (void)state;
    ag_value date = parsed(ag_date_parse, "2024-01-05"), time = parsed(ag_time_parse, "10:00");
    ag_value naive = parsed(ag_datetime_parse, "2024-01-05 00:00:00");
    ag_value zoned = parsed(ag_datetime_parse, "2024-01-05 00:00:00+02");
    ag_type tz = ag_type_proto(AG_TYPE_DATETIME), ttz = ag_type_proto(AG_TYPE_TIME);
    tz.flags |= AG_TYPE_TIMEZONE;
    ttz.flags |= AG_TYPE_TIMEZONE;
    assert_passes(plain(AG_TYPE_DATE), date);
    assert_refuses(plain(AG_TYPE_DATE), text("2024-01-05"),
                   "users.x (Date) takes a date (ag.date(\"2024-01-31\") makes one), not text (\"2024-01-05\")");
    assert_refuses(plain(AG_TYPE_DATE), naive, "users.x (Date) takes a date, not a datetime (2024-01-05 00:00:00)");
    assert_passes(plain(AG_TYPE_TIME), time);
    assert_refuses(&ttz, time,
                   "users.x (Time({timezone = true})) takes a time with a time zone, not a time (10:00:00)");
    assert_passes(&ttz, parsed(ag_time_parse, "10:00+02"));
    assert_passes(plain(AG_TYPE_DATETIME), naive);
    assert_becomes(plain(AG_TYPE_DATETIME), date, naive);
    assert_passes(&tz, zoned);
    assert_refuses(&tz, date, NULL);
    assert_refuses(&tz, naive, NULL);
    assert_refuses(plain(AG_TYPE_DATETIME), zoned,
                   "users.x (DateTime) takes a datetime without a time zone, not a zoned datetime (2024-01-05 "
                   "00:00:00+02:00)");
    ag_value forever = parsed(ag_datetime_parse, "infinity"), zoned_forever = forever;
    zoned_forever.flags = AG_V_ZONED;
    assert_passes(plain(AG_TYPE_DATETIME), forever);
    assert_becomes(&tz, forever, zoned_forever);
    assert_becomes(plain(AG_TYPE_DATETIME), zoned_forever, forever);
    assert_becomes(plain(AG_TYPE_DATETIME), parsed(ag_date_parse, "infinity"), forever);
    assert_refuses(plain(AG_TYPE_DATETIME), parsed(ag_date_parse, "5874897-01-01"), NULL);
    assert_passes(plain(AG_TYPE_INTERVAL), parsed(ag_interval_parse, "1 mon"));
    assert_refuses(plain(AG_TYPE_INTERVAL), text("1 mon"), NULL);
}

static void json_is_encoded_by_the_host(void **state)
{
    (void)state;
    assert_passes(plain(AG_TYPE_JSON), bytes(AG_V_JSON, "{}"));
    assert_passes(plain(AG_TYPE_PG_JSONB), bytes(AG_V_JSON, "null"));
    assert_refuses(plain(AG_TYPE_JSON), text("{}"), NULL);
    assert_refuses(plain(AG_TYPE_JSON), bytes(AG_V_JSON, "\"\xFF\""), NULL);
}

static void hosts_types_take_anything(void **state)
{
    (void)state;
    ag_value host = {.kind = AG_V_HOST, .u.i = 3};
    ag_type d = ag_type_proto(AG_TYPE_DECORATOR);
    d.item = plain(AG_TYPE_INTEGER);
    assert_refuses(&d, text("5"), "users.x (Integer) takes an integer, not text (\"5\")");
    assert_refuses(&d, host, "users.x (Integer) takes an integer, not a table (a list of values is for in_)");
    d.flags |= AG_TYPE_HAS_BIND;
    assert_passes(&d, text("5"));
    assert_passes(&d, host);
    assert_passes(plain(AG_TYPE_NULL), host);
    assert_passes(plain(AG_TYPE_NULL), text("\xFF"));
    assert_passes(plain(AG_TYPE_USERDEFINED), ag_value_float(1));
    assert_passes(plain(AG_TYPE_PG_DOMAIN), ag_value_float(1));
    ag_type domain = ag_type_proto(AG_TYPE_PG_DOMAIN);
    domain.item = plain(AG_TYPE_INTEGER);
    assert_refuses(&domain, ag_value_float(1), NULL);
}

static ag_value array_of(const ag_value *items, int32_t n, ag_arena *ar)
{
    ag_array_dim dim = {n, 1};
    ag_value v;
    assert_int_equal(ag_array_pack(&v, 1, &dim, items, (size_t)n, ar, NULL), AG_OK);
    return v;
}

static void arrays_coerce_their_elements(void **state)
{
    (void)state;
    ag_arena ar;
    ag_arena_init(&ar, ag_alloc_libc());
    ag_type t = ag_type_proto(AG_TYPE_ARRAY);
    t.item = plain(AG_TYPE_NUMERIC);
    ag_value ints[] = {ag_value_int(1), ag_value_null(), ag_value_int(-3)};
    ag_value decimals[] = {bytes(AG_V_DECIMAL, "1"), ag_value_null(), bytes(AG_V_DECIMAL, "-3")};
    ag_value mixed[] = {bytes(AG_V_DECIMAL, "1"), ag_value_float(2.5)};
    assert_becomes(&t, array_of(ints, 3, &ar), array_of(decimals, 3, &ar));
    assert_passes(&t, array_of(decimals, 3, &ar));
    assert_passes(&t, array_of(NULL, 0, &ar));
    assert_refuses(&t, array_of(mixed, 2, &ar),
                   "users.x[2] (Numeric) takes a decimal or an integer (ag.decimal(\"1.50\"), or asdecimal = false for "
                   "floats), not a float (2.5)");
    assert_refuses(&t, ag_value_int(1), "users.x (ARRAY(Numeric)) takes an array, not an integer (1)");
    t.dims = 2;
    assert_refuses(&t, array_of(decimals, 3, &ar), "users.x takes an array of 2 dimensions, not of 1");
    assert_passes(&t, array_of(NULL, 0, &ar));
    ag_arena_clear(&ar);
}

static ag_status coerce_some(const ag_alloc *a, void *ud)
{
    (void)ud;
    ag_arena ar;
    ag_error err;
    ag_value items[] = {ag_value_int(1), ag_value_int(2)}, v, out, uuid = text("A0EEBC999C0B4EF8BB6D6BB9BD380A11");
    ag_array_dim dim = {2, 1};
    ag_type t = ag_type_proto(AG_TYPE_ARRAY);
    t.item = plain(AG_TYPE_NUMERIC);
    ag_arena_init(&ar, a);
    ag_error_init(&err, a);
    ag_status st = ag_array_pack(&v, 1, &dim, items, 2, &ar, &err);
    if (st == AG_OK)
        st = ag_type_coerce(&out, &v, &t, "x", &ar, &err);
    if (st == AG_OK)
        st = ag_type_coerce(&out, &uuid, plain(AG_TYPE_SQL_UUID), "x", &ar, &err);
    if (st == AG_OK && ag_type_coerce(&out, &uuid, plain(AG_TYPE_INTEGER), "x", &ar, &err) == AG_NOMEM)
        st = AG_NOMEM;
    ag_arena_clear(&ar);
    ag_error_clear(&err);
    return st;
}

static void coercion_survives_no_memory(void **state)
{
    (void)state;
    sweep_run(coerce_some, NULL);
}

static int clear_arena(void **state)
{
    (void)state;
    ag_arena_clear(&arena);
    return 0;
}

static int init_arena(void **state)
{
    (void)state;
    ag_arena_init(&arena, ag_alloc_libc());
    return 0;
}

#define TYPE(f)   cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define COERCE(f) cmocka_unit_test_setup_teardown(f, init_arena, clear_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TYPE(plain_types_are_static),
        TYPE(equal_types_are_one_pointer),
        TYPE(no_field_is_forgotten),
        TYPE(decorators_and_variants_resolve),
        TYPE(kinds_follow_asdecimal),
        TYPE(types_describe_themselves_as_lua),
        cmocka_unit_test(interning_survives_no_memory),
        COERCE(null_fits_every_type),
        COERCE(integers_are_strict),
        COERCE(decimals_and_floats_keep_apart),
        COERCE(booleans_are_true_or_false),
        COERCE(text_is_utf8_without_nul),
        COERCE(enums_check_labels_when_asked),
        COERCE(uuids_are_normalised),
        COERCE(dates_and_times_are_not_text),
        COERCE(json_is_encoded_by_the_host),
        COERCE(hosts_types_take_anything),
        COERCE(arrays_coerce_their_elements),
        cmocka_unit_test(coercion_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

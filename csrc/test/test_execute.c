/* Executing expression statements on SQLite and, with ARGENT_PG_URL, on PostgreSQL: where values come from,
 * defaults, many sets, batches, keys, IN lists, the cache. */
#include "compile/dialect.h"
#include "schema/metadata.h"
#include "sql/dml.h"
#include "sql/expr.h"
#include "test/engine_util.h"
#include "test/fake_driver.h"
#include "test/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static test_host host;

typedef struct world {
    ag_engine *engine;
    ag_connection *conn;
    ag_types *types;
    ag_metadata *md;
    ag_table *item;
    ag_arena arena;
    ag_builder b;
    ag_error err;
    uint64_t serials;
    ag_arena answers;
    bool pg;
} world;

static ag_str str(const char *s)
{
    return (ag_str){s, strlen(s)};
}

static void must(ag_status st, ag_error *err)
{
    if (st != AG_OK)
        fail_msg("%s", ag_error_message(err));
}

static ag_column *add_column(world *w, const char *name, ag_type_id type, ag_column proto)
{
    ag_column_spec spec = {.c = proto};
    ag_column *c;
    spec.c.name = str(name);
    spec.c.quote = -1;
    spec.c.type = ag_type_plain(type);
    spec.c.nullable = !proto.primary_key;
    must(ag_table_add_column(&c, w->item, &spec, &w->err), &w->err);
    return c;
}

/* item (id integer primary key, name text, n integer default 7, made text default <function 1>, stamp text default
 * <server>) */
static void make_table(world *w)
{
    ag_table_spec spec = {.name = str("ag_item"), .quote = -1, .quote_schema = -1, .implicit_returning = true};
    must(ag_table_new(&w->item, w->md, &spec, &w->err), &w->err);
    ag_column *id = add_column(w, "id", AG_TYPE_INTEGER, (ag_column){.primary_key = true});
    add_column(w, "name", AG_TYPE_STRING, (ag_column){0});
    add_column(w, "n", AG_TYPE_INTEGER, (ag_column){.def = {.kind = AG_DEFAULT_SCALAR, .value = ag_value_int(7)}});
    add_column(w, "made", AG_TYPE_TEXT,
               (ag_column){.def = {.kind = AG_DEFAULT_CALLABLE, .host = 1, .context_sensitive = true}});
    add_column(w, "stamp", AG_TYPE_TEXT,
               (ag_column){.server_default = {.kind = AG_SERVER_DEFAULT_TEXT, .expr = ag_text(&w->b, str("'srv'"))}});
    ag_column *pk[] = {id};
    ag_constraint c = {.kind = AG_CONSTRAINT_PRIMARY_KEY, .columns = pk, .ncolumns = 1, .quote = -1, .deferrable = -1};
    must(ag_table_add_constraint(&(const ag_constraint *){0}, w->item, &c, NULL, 0, &w->err), &w->err);
    must(ag_table_finish(w->item, &w->err), &w->err);
    must(ag_table_publish(w->item, &w->err), &w->err);
}

static ag_status on_default(test_host *h, ag_call *call, ag_error *err)
{
    world *w = h->ud;
    const ag_default_call *d = call->args;
    char text[100];
    const ag_value *name = NULL;
    for (size_t i = 0; i < d->nkeys; i++)
        if (strcmp(d->keys[i].p, "name") == 0)
            name = &d->values[i];
    if (call->kind != AG_CALL_DEFAULT)
        return ag_fail(err, AG_EXC_INVALID_REQUEST, "not a default");
    int n = snprintf(text, sizeof text, "made %zu %.*s", d->set, name ? (int)name->u.s.n : 1, name ? name->u.s.p : "-");
    char *copy = ag_arena_strndup(&w->answers, text, (size_t)n);
    call->has_value = copy != NULL;
    call->value = ag_value_text(copy, (size_t)n);
    return copy ? AG_OK : ag_fail_nomem(err);
}

/* Values of types with hooks: text in capitals; an array of JSON from a number. */
static ag_status host_value(ag_compile_host *h, const ag_type *type, const ag_value *in, bool literal, ag_value *out,
                            ag_arena *ar, ag_error *err)
{
    (void)h;
    (void)literal;
    if (in->kind == AG_V_HOST || type->id == AG_TYPE_JSON) {
        char text[40];
        int n = snprintf(text, sizeof text, "[%lld]", (long long)in->u.i);
        ag_value v = ag_value_bytes(AG_V_JSON, text, (size_t)n);
        return ag_value_copy(out, &v, ar, err);
    }
    AG_TRY(ag_value_copy(out, in, ar, err));
    for (size_t i = 0; out->kind == AG_V_TEXT && i < out->u.s.n; i++)
        if (out->u.s.p[i] >= 'a' && out->u.s.p[i] <= 'z')
            ((char *)(size_t)out->u.s.p)[i] -= 32;
    return AG_OK;
}

static ag_compile_host compile_host = {.value = host_value};

static fake_driver fake;

static void open_world(world *w, const char *url)
{
    memset(w, 0, sizeof *w);
    test_host_init(&host);
    host.on_call = on_default;
    host.ud = w;
    const ag_alloc *a = ag_alloc_libc();
    w->pg = strncmp(url, "postgresql", 10) == 0;
    must(ag_types_new(&w->types, a, &w->err), &w->err);
    ag_engine_options o = ag_engine_options_default();
    bool is_fake = strncmp(url, "fake", 4) == 0;
    if (is_fake) {
        fake_init(&fake);
        fake.base.caps |= AG_DRV_DOLLAR;
        fake.base.dialect = "postgresql";
        o.driver = &fake.base;
    }
    o.dialect = w->pg || is_fake ? ag_dialect_postgresql() : ag_dialect_sqlite();
    o.host = &host.base;
    o.types = w->types;
    o.compile_host = &compile_host;
    w->engine = test_engine(url, &o);
    w->conn = test_connect(w->engine);
    ag_arena_init(&w->arena, a);
    ag_arena_init(&w->answers, a);
    ag_builder_init(&w->b, a, w->types, &w->err);
    w->b.arena = &w->arena;
    must(ag_metadata_new(&w->md, a, w->types, &w->serials, (ag_str){0}, &w->err), &w->err);
    make_table(w);
    test_do(w->conn, "drop table if exists ag_item");
    test_do(w->conn,
            w->pg ? "create table ag_item (id serial primary key, name varchar(50), n integer, made text, stamp text "
                    "default 'srv')"
                  : "create table ag_item (id integer primary key, name varchar(50), n integer, made text, stamp "
                    "text default 'srv')");
}

static void close_world(world *w)
{
    ag_connection_unref(w->conn);
    ag_engine_unref(w->engine);
    ag_owner_unref(&w->md->owner);
    ag_builder_clear(&w->b);
    ag_arena_clear(&w->arena);
    ag_arena_clear(&w->answers);
    ag_types_free(w->types);
    ag_error_clear(&w->err);
}

/* Every test runs on SQLite, and on PostgreSQL when there is one. */
static const char *urls[2];

static const ag_node *col(const world *w, const char *key)
{
    const ag_column *c = ag_table_column(w->item, key, strlen(key));
    assert_non_null(c);
    return c->node;
}

static const ag_node *checked(world *w, const ag_node *n)
{
    if (!n)
        fail_msg("%s", ag_error_message(&w->err));
    return n;
}

static const ag_node *select_all(world *w, const ag_node *where)
{
    const ag_node *item = w->item->node, *id = col(w, "id");
    const ag_node *s = ag_select(&w->b, &item, 1);
    if (where)
        s = ag_stmt_add(&w->b, s, AG_CL_WHERE, &where, 1, true);
    return checked(w, ag_stmt_add(&w->b, s, AG_CL_ORDER_BY, &id, 1, true));
}

static ag_status try_exec(world *w, const ag_exec_request *req, ag_result **out)
{
    ag_exec_op op;
    *out = NULL;
    ag_status st = ag_exec_init(&op, w->conn, req, 1, &w->err);
    if (st != AG_OK)
        return st;
    st = test_run(&op.op, &host, &w->err);
    if (st == AG_OK)
        *out = ag_exec_take(&op, 0);
    ag_op_clear(&op.op);
    return st;
}

static ag_result *exec(world *w, const ag_exec_request *req)
{
    ag_result *r;
    must(try_exec(w, req, &r), &w->err);
    return r;
}

static void refused(world *w, const ag_exec_request *req, ag_exc cls, const char *says)
{
    ag_result *r;
    assert_int_equal(try_exec(w, req, &r), AG_ERROR);
    if (w->err.cls != cls || !strstr(ag_error_message(&w->err), says))
        fail_msg("%s: %s", ag_exc_name(w->err.cls), ag_error_message(&w->err));
    ag_error_clear(&w->err);
}

/* "1 a 7 …; 2 b …" */
static const char *dump(world *w, ag_result *r)
{
    static char text[8000];
    const ag_row *row;
    size_t at = 0;
    text[0] = '\0';
    while (ag_result_next_row(r, &row, &w->err) == AG_NEXT_ROW) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s", at ? "; " : "");
        for (unsigned i = 0; i < row->ncols; i++) {
            ag_value v;
            ag_row_get(&v, row, i);
            const char *sep = i ? " " : "";
            if (v.kind == AG_V_NULL)
                at += (size_t)snprintf(text + at, sizeof text - at, "%s-", sep);
            else if (v.kind == AG_V_INT)
                at += (size_t)snprintf(text + at, sizeof text - at, "%s%lld", sep, (long long)v.u.i);
            else
                at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*s", sep, (int)v.u.s.n, v.u.s.p);
        }
    }
    ag_result_unref(r);
    return text;
}

static const char *all_rows(world *w)
{
    ag_exec_request req = {.stmt = select_all(w, NULL)};
    return dump(w, exec(w, &req));
}

static const ag_str two_keys[] = {{"name", 4}, {"n", 1}};

static ag_exec_request insert_of(world *w, const ag_value *values, size_t nsets, uint32_t nkeys)
{
    return (ag_exec_request){
        .stmt = checked(w, ag_insert(&w->b, w->item->node)),
        .params = {.nsets = nsets, .many = nsets > 1, .nkeys = nkeys, .keys = two_keys, .values = values}};
}

static void each(void (*work)(world *w))
{
    for (int i = 0; i < 2; i++) {
        world w;
        if (!urls[i])
            continue;
        open_world(&w, urls[i]);
        work(&w);
        close_world(&w);
    }
}

#define TEXT(s) ag_value_text((s), sizeof(s) - 1)

static void single_insert(world *w)
{
    ag_value v[] = {TEXT("a"), ag_value_int(5)};
    ag_exec_request req = insert_of(w, v, 1, 2);
    ag_result *r = exec(w, &req);
    uint32_t npk = 0;
    const ag_value *key = ag_result_inserted_key(r, 0, &npk);
    assert_non_null(key);
    assert_int_equal(npk, 1);
    assert_int_equal(key->u.i, 1);
    assert_int_equal(ag_result_rowcount(r), 1);
    assert_true(ag_result_is_insert(r));
    assert_false(ag_result_returns_rows(r));
    assert_int_equal(ag_result_lastrowid(r), w->pg ? 0 : 1);
    ag_result_unref(r);
    req = insert_of(w, v, 1, 1); /* n has a default */
    ag_result_unref(exec(w, &req));
    assert_string_equal(all_rows(w), "1 a 5 made 0 a srv; 2 a 7 made 0 a srv");
    req = insert_of(w, NULL, 0, 0);
    ag_result_unref(exec(w, &req));
    assert_non_null(strstr(all_rows(w), "3 - 7 made 0 - srv"));
}

static void test_single_insert(void **state)
{
    (void)state;
    each(single_insert);
}

static void many_inserts(world *w)
{
    ag_value v[] = {TEXT("a"), ag_value_int(1), TEXT("b"), ag_value_null(), TEXT("c"), ag_value_int(3)};
    for (int bulk = 0; bulk < 2; bulk++) {
        ag_exec_request req = insert_of(w, v, 3, 2);
        uint32_t npk = 0;
        req.bulk = bulk;
        ag_result *r = exec(w, &req);
        assert_int_equal(ag_result_rowcount(r), 3);
        assert_int_equal(ag_result_nsets(r), 3);
        if (bulk) {
            assert_null(ag_result_inserted_key(r, 0, &npk));
        } else {
            for (size_t k = 0; k < 3; k++)
                assert_int_equal(ag_result_inserted_key(r, k, &npk)->u.i, k + 1);
        }
        ag_result_unref(r);
    }
    assert_string_equal(all_rows(w),
                        "1 a 1 made 0 a srv; 2 b - made 1 b srv; 3 c 3 made 2 c srv; 4 a 1 made 0 a srv; 5 b - made "
                        "1 b srv; 6 c 3 made 2 c srv");
}

static void test_many_inserts(void **state)
{
    (void)state;
    each(many_inserts);
}

typedef struct source {
    size_t n, odd; /* from set `odd` on, key n is missing */
} source;

static ag_status fill(void *ud, size_t set, ag_value *out, ag_error *err)
{
    const source *s = ud;
    static char text[20];
    (void)err;
    int n = snprintf(text, sizeof text, "row %zu", set);
    out[0] = ag_value_text(text, (size_t)n);
    out[1] = set >= s->odd ? (ag_value){.kind = AG_V_ABSENT} : ag_value_int((int64_t)set);
    return AG_OK;
}

static void filled_inserts(world *w)
{
    static const size_t sizes[] = {1, 2, 999, 1000, 1001, 2500};
    int64_t total = 0;
    w->item->columns[3]->def.kind = AG_DEFAULT_NONE;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int bulk = 0; bulk < 2; bulk++) {
            source s = {sizes[i], SIZE_MAX};
            ag_exec_request req = insert_of(w, NULL, sizes[i], 2);
            uint32_t npk = 0;
            req.params.fill = fill;
            req.params.fill_ud = &s;
            req.params.many = true;
            req.bulk = bulk;
            ag_result *r = exec(w, &req);
            assert_int_equal(ag_result_rowcount(r), sizes[i]);
            for (size_t k = 0; !bulk && k < sizes[i]; k += 100)
                assert_int_equal(ag_result_inserted_key(r, k, &npk)->u.i, total + (int64_t)k + 1);
            ag_result_unref(r);
            total += (int64_t)sizes[i];
        }
    }
    assert_int_equal(test_int(w->conn, "select count(*) from ag_item"), total);
    assert_int_equal(test_int(w->conn, "select count(*) from ag_item where name = 'row ' || n"), total);
}

static void test_filled_inserts(void **state)
{
    (void)state;
    each(filled_inserts);
}

static void heterogeneous(world *w)
{
    ag_value none = {.kind = AG_V_ABSENT};
    ag_value v[] = {TEXT("a"),       ag_value_int(1), TEXT("b"),       none,      none,
                    ag_value_int(3), TEXT("d"),       ag_value_int(4), TEXT("e"), none};
    for (int bulk = 0; bulk < 2; bulk++) {
        ag_exec_request req = insert_of(w, v, 5, 2);
        req.bulk = bulk;
        ag_result *r = exec(w, &req);
        uint32_t npk = 0;
        assert_int_equal(ag_result_rowcount(r), 5);
        for (size_t k = 0; !bulk && k < 5; k++)
            assert_int_equal(ag_result_inserted_key(r, k, &npk)->u.i, k + 1);
        ag_result_unref(r);
    }
    assert_non_null(strstr(all_rows(w),
                           "1 a 1 made 0 a srv; 2 b 7 made 1 b srv; 3 - 3 made 2 - srv; 4 d 4 made 3 d srv; 5 e 7 "
                           "made 4 e srv; 6 a 1"));
    /* found only while the rows are being sent: nothing is lost, nothing comes twice */
    w->item->columns[3]->def.kind = AG_DEFAULT_NONE;
    test_do(w->conn, "delete from ag_item");
    source s = {2000, 1234};
    ag_exec_request req = insert_of(w, NULL, 2000, 2);
    req.params.fill = fill;
    req.params.fill_ud = &s;
    req.bulk = true;
    ag_result *r = exec(w, &req);
    assert_int_equal(ag_result_rowcount(r), 2000);
    ag_result_unref(r);
    assert_int_equal(test_int(w->conn, "select count(distinct name) from ag_item"), 2000);
    assert_int_equal(test_int(w->conn, "select count(*) from ag_item where n = 7 and name >= 'row 1234'"), 766 + 1);
}

static void test_heterogeneous(void **state)
{
    (void)state;
    each(heterogeneous);
}

static void returning(world *w)
{
    const ag_node *cols[] = {col(w, "name"), col(w, "id")};
    ag_value v[] = {TEXT("a"), ag_value_int(1), TEXT("b"), ag_value_int(2), TEXT("c"), ag_value_int(3)};
    ag_exec_request req = insert_of(w, v, 3, 2);
    req.stmt = checked(w, ag_dml_returning(&w->b, req.stmt, cols, 2, false));
    req.bulk = true;
    ag_result *r = exec(w, &req);
    assert_int_equal(ag_result_ncolumns(r), 2);
    assert_string_equal(ag_result_columns(r)[0].name.p, "name");
    assert_int_equal(ag_result_columns(r)[1].source, 1);
    assert_non_null(ag_result_compiled(r));
    assert_string_equal(dump(w, r), "a 1; b 2; c 3");
    req = insert_of(w, v, 1, 2);
    req.stmt = checked(w, ag_dml_returning(&w->b, req.stmt, cols, 2, false));
    assert_string_equal(dump(w, exec(w, &req)), "a 4");
    const ag_node *stmt = checked(w, ag_delete(&w->b, w->item->node));
    req = (ag_exec_request){.stmt = checked(w, ag_dml_returning(&w->b, stmt, &cols[1], 1, false))};
    r = exec(w, &req);
    assert_int_equal(ag_result_remaining(r), 4);
    ag_result_unref(r);
}

static void test_returning(void **state)
{
    (void)state;
    each(returning);
}

static void returned_defaults(world *w)
{
    ag_value v[] = {TEXT("a"), ag_value_int(1), TEXT("b"), ag_value_int(2)};
    ag_exec_request req = insert_of(w, v, 2, 2);
    uint32_t n = 0;
    req.stmt = checked(w, ag_dml_return_defaults(&w->b, req.stmt, NULL, 0, false));
    ag_result *r = exec(w, &req);
    const ag_result_column *c = ag_result_default_columns(r, &n);
    const ag_row *row = ag_result_returned_defaults(r, 1);
    assert_non_null(row);
    assert_int_equal(row->ncols, n);
    bool found = false;
    for (uint32_t i = 0; i < n; i++) {
        ag_value val;
        ag_row_get(&val, row, i);
        if (strcmp(c[i].name.p, "stamp") == 0) {
            assert_memory_equal(val.u.s.p, "srv", 3);
            found = true;
        }
    }
    assert_true(found);
    assert_null(ag_result_returned_defaults(r, 2));
    uint32_t npk = 0;
    assert_int_equal(ag_result_inserted_key(r, 1, &npk)->u.i, 2);
    ag_result_unref(r);
}

static void test_returned_defaults(void **state)
{
    (void)state;
    each(returned_defaults);
}

static void updates(world *w)
{
    ag_value v[] = {TEXT("a"), ag_value_int(1), TEXT("b"), ag_value_int(2), TEXT("c"), ag_value_int(3)};
    ag_exec_request req = insert_of(w, v, 3, 2);
    ag_result_unref(exec(w, &req));
    /* update … set n = :n where name = :who, many times */
    ag_bind_spec spec = {.key = str("who"), .type = ag_type_plain(AG_TYPE_STRING)};
    const ag_node *cond = ag_binary(&w->b, AG_OP_EQ, col(w, "name"), ag_bind(&w->b, &spec));
    const ag_node *stmt = ag_stmt_add(&w->b, ag_update(&w->b, w->item->node), AG_CL_WHERE, &cond, 1, true);
    static const ag_str keys[] = {{"n", 1}, {"who", 3}};
    ag_value u[] = {ag_value_int(10), TEXT("a"), ag_value_int(20), TEXT("nobody"), ag_value_int(30), TEXT("c")};
    req = (ag_exec_request){.stmt = checked(w, stmt),
                            .params = {.nsets = 3, .many = true, .nkeys = 2, .keys = keys, .values = u},
                            .want_rowcounts = true};
    ag_result *r = exec(w, &req);
    assert_int_equal(ag_result_rowcount(r), 2);
    assert_int_equal(ag_result_set_rowcount(r, 0), 1);
    assert_int_equal(ag_result_set_rowcount(r, 1), 0);
    ag_result_unref(r);
    assert_string_equal(all_rows(w), "1 a 10 made 0 a srv; 2 b 2 made 1 b srv; 3 c 30 made 2 c srv");
    req.params.nkeys = 1;
    req.params.nsets = 1;
    req.params.many = false;
    refused(w, &req, AG_EXC_STATEMENT, "A value is required for bind parameter 'who'");
}

static void test_updates(void **state)
{
    (void)state;
    each(updates);
}

static void in_lists(world *w)
{
    ag_value v[2 * 30];
    for (int i = 0; i < 30; i++) {
        v[2 * i] = TEXT("x");
        v[2 * i + 1] = ag_value_int(i);
    }
    ag_exec_request req = insert_of(w, v, 30, 2);
    req.bulk = true;
    ag_result_unref(exec(w, &req));
    static ag_value list[1500];
    for (int i = 0; i < 1500; i++)
        list[i] = ag_value_int(i * 2 + 1);
    static const size_t sizes[] = {0, 1, 3, 1500};
    static const size_t found[] = {0, 1, 3, 15};
    for (int i = 0; i < 4; i++) {
        const ag_node *right = checked(w, ag_in_list(&w->b, col(w, "n"), list, sizes[i]));
        const ag_node *cond = checked(w, ag_binary(&w->b, AG_OP_IN, col(w, "n"), right));
        req = (ag_exec_request){.stmt = select_all(w, cond)};
        ag_result *r = exec(w, &req);
        assert_int_equal(ag_result_remaining(r), found[i]);
        ag_result_unref(r);
    }
    /* a named one takes its members from the call */
    ag_bind_spec spec = {.key = str("ids"), .type = ag_type_plain(AG_TYPE_INTEGER), .flags = AG_BIND_EXPANDING};
    const ag_node *cond = checked(w, ag_binary(&w->b, AG_OP_IN, col(w, "n"), ag_bind(&w->b, &spec)));
    static const ag_str key[] = {{"ids", 3}};
    ag_value packed;
    ag_array_dim dim = {3, 1};
    must(ag_array_pack(&packed, 1, &dim, list, 3, &w->arena, &w->err), &w->err);
    req = (ag_exec_request){.stmt = select_all(w, cond),
                            .params = {.nsets = 1, .nkeys = 1, .keys = key, .values = &packed}};
    ag_result *r = exec(w, &req);
    assert_int_equal(ag_result_remaining(r), 3);
    ag_result_unref(r);
}

static void test_in_lists(void **state)
{
    (void)state;
    each(in_lists);
}

static void texts(world *w)
{
    static const ag_str keys[] = {{"a", 1}, {"b", 1}};
    ag_value v[] = {ag_value_int(40), ag_value_int(2)};
    ag_exec_request req = {.stmt = checked(w, ag_text(&w->b, str("select :a + :b as x, :a - 0 as y"))),
                           .params = {.nsets = 1, .nkeys = 2, .keys = keys, .values = v}};
    ag_result *r = exec(w, &req);
    assert_string_equal(ag_result_columns(r)[0].name.p, "x");
    assert_string_equal(dump(w, r), "42 40");
    req.params.nkeys = 1;
    refused(w, &req, AG_EXC_STATEMENT, "A value is required for bind parameter 'b'");
    req = (ag_exec_request){.stmt = checked(w, ag_text(&w->b, str("insert into ag_item (name, n) values ('t', :a)"))),
                            .params = {.nsets = 2, .many = true, .nkeys = 1, .keys = keys, .values = v}};
    r = exec(w, &req);
    assert_int_equal(ag_result_rowcount(r), 2);
    ag_result_unref(r);
    assert_int_equal(test_int(w->conn, "select sum(n) from ag_item"), 42);
}

static void test_texts(void **state)
{
    (void)state;
    each(texts);
}

static void coercion(world *w)
{
    ag_value v[] = {ag_value_int(1), ag_value_int(5)};
    ag_exec_request req = insert_of(w, v, 1, 2);
    ag_result *r;
    assert_int_equal(try_exec(w, &req, &r), AG_ERROR); /* an integer is no name */
    assert_non_null(strstr(ag_error_message(&w->err), "name"));
    ag_error_clear(&w->err);
    ag_value u[] = {TEXT("ok"), TEXT("5")};
    req = insert_of(w, u, 1, 2);
    assert_int_equal(try_exec(w, &req, &r), AG_ERROR);
    ag_error_clear(&w->err);
    assert_int_equal(test_int(w->conn, "select count(*) from ag_item"), 0);
    req = insert_of(w, u, 1, 1);
    req.params.many = true;
    ag_result_unref(exec(w, &req));
    req.params.nsets = 0;
    refused(w, &req, AG_EXC_ARGUMENT, "list of parameter sets is empty");
}

static void test_coercion(void **state)
{
    (void)state;
    each(coercion);
}

static void cached(world *w)
{
    ag_cache_stats s;
    for (int i = 0; i < 5; i++)
        (void)all_rows(w);
    ag_cache_get_stats(ag_engine_cache(w->engine), &s);
    assert_int_equal(s.misses, 1);
    assert_int_equal(s.hits, 4);
    ag_engine_set_echo(w->engine, AG_ECHO_ON);
    host.log[0] = '\0';
    (void)all_rows(w);
    assert_non_null(strstr(host.log, "[cached since "));
    ag_exec_options x = {.has = AG_XO_CACHE, .compiled_cache = false};
    ag_exec_request req = {.stmt = select_all(w, NULL), .options = &x};
    ag_result_unref(exec(w, &req));
    assert_non_null(strstr(host.log, "[caching disabled "));
}

static void test_cached(void **state)
{
    (void)state;
    each(cached);
}

static void errors(world *w)
{
    ag_value v[] = {TEXT("a"), ag_value_int(1), TEXT("b"), ag_value_int(2)};
    test_do(w->conn, "create unique index ag_ix on ag_item (name)");
    ag_exec_request req = insert_of(w, v, 1, 2);
    ag_result_unref(exec(w, &req));
    ag_exec_op op;
    must(ag_exec_init(&op, w->conn, &req, 1, &w->err), &w->err);
    assert_int_equal(test_run(&op.op, &host, &w->err), AG_ERROR);
    assert_int_equal(w->err.cls, AG_EXC_INTEGRITY);
    size_t len;
    assert_non_null(strstr(ag_exec_error_text(&op, &len), "INSERT INTO ag_item"));
    assert_non_null(strstr(ag_exec_error_params(&op), "'a'"));
    ag_error_clear(&w->err);
    ag_op_clear(&op.op);
    ag_transaction_unref(test_tx(w->conn, "rollback", &w->err));
}

static void test_errors(void **state)
{
    (void)state;
    each(errors);
}

static void selected_defaults(world *w)
{
    ag_value v[] = {TEXT("a"), ag_value_int(1)};
    uint32_t npk = 0;
    w->item->autoincrement_column = NULL;
    w->item->columns[0]->def =
        (ag_default){.kind = AG_DEFAULT_SQL, .expr = ag_text(&w->b, str("(select 100 + count(*) from ag_item)"))};
    w->item->columns[2]->def = (ag_default){.kind = AG_DEFAULT_SQL, .expr = ag_text(&w->b, str("40 + 2"))};
    for (int i = 0; i < 2; i++) {
        ag_exec_request req = insert_of(w, v, 1, 1);
        ag_result *r = exec(w, &req);
        assert_int_equal(ag_result_inserted_key(r, 0, &npk)->u.i, 100 + i);
        ag_result_unref(r);
    }
    assert_non_null(strstr(all_rows(w), "100 a 42 made 0 a srv; 101 a 42"));
    /* one that is selected before the INSERT, where the statement holds a placeholder for it */
    w->item->columns[3]->def =
        (ag_default){.kind = AG_DEFAULT_SQL, .expr = ag_text(&w->b, str("(select 'first ' || count(*) from ag_item)"))};
    ag_exec_request req = insert_of(w, v, 1, 1); /* the cached text of the function */
    ag_result_unref(exec(w, &req));
    assert_non_null(strstr(all_rows(w), "102 a 42 first 2 srv"));
    w->item->columns[3]->def.expr = ag_text(&w->b, str("nonsense"));
    ag_result *r;
    assert_int_equal(try_exec(w, &req, &r), AG_ERROR);
    assert_int_equal(w->err.cls, AG_EXC_PROGRAMMING);
    ag_error_clear(&w->err);
    ag_transaction_unref(test_tx(w->conn, "rollback", &w->err));
}

static void test_selected_defaults(void **state)
{
    (void)state;
    each(selected_defaults);
}

static ag_status refuse_default(test_host *h, ag_call *call, ag_error *err)
{
    (void)h;
    (void)call;
    return ag_fail(err, AG_EXC_DATA, "no default today");
}

static void other_sources(world *w)
{
    /* a bind with a callable, a default that raises */
    ag_value v[] = {TEXT("a"), TEXT("b"), TEXT("c")};
    ag_exec_request req = insert_of(w, v, 3, 1);
    ag_result_unref(exec(w, &req));
    ag_bind_spec spec = {.key = str("who"), .type = ag_type_plain(AG_TYPE_STRING), .callable = 5};
    const ag_node *cond = checked(w, ag_binary(&w->b, AG_OP_EQ, col(w, "made"), ag_bind(&w->b, &spec)));
    req = (ag_exec_request){.stmt = select_all(w, cond)};
    ag_result *r = exec(w, &req); /* "made 0 -" fits no row */
    assert_int_equal(ag_result_remaining(r), 0);
    ag_result_unref(r);
    host.on_call = refuse_default;
    req = insert_of(w, v, 3, 1);
    refused(w, &req, AG_EXC_DATA, "no default today");
    host.on_call = on_default;
    assert_int_equal(test_int(w->conn, "select count(*) from ag_item"), 3);
}

static void test_other_sources(void **state)
{
    (void)state;
    each(other_sources);
}

static void host_types(world *w)
{
    ag_type proto = ag_type_proto(AG_TYPE_DECORATOR);
    const ag_type *loud;
    proto.item = ag_type_plain(AG_TYPE_STRING);
    proto.flags |= AG_TYPE_HAS_BIND | AG_TYPE_CACHE_OK;
    proto.host = 9;
    must(ag_types_intern(w->types, &loud, &proto, &w->err), &w->err);
    static const ag_str keys[] = {{"a", 1}, {"j", 1}};
    ag_bind_spec a = {.key = str("a"), .type = loud}, j = {.key = str("j"), .type = ag_type_plain(AG_TYPE_JSON)};
    const ag_node *binds[] = {ag_bind(&w->b, &a), ag_bind(&w->b, &j)};
    const ag_node *text = ag_text(&w->b, str("select cast(:a as varchar(20)) || 'x', :j"));
    ag_value v[] = {TEXT("loud"), {.kind = AG_V_HOST, .u.i = 7}};
    ag_exec_request req = {.stmt = checked(w, ag_text_bindparams(&w->b, text, binds, 2)),
                           .params = {.nsets = 1, .nkeys = 2, .keys = keys, .values = v}};
    assert_string_equal(dump(w, exec(w, &req)), "LOUDx [7]");
    v[1] = ag_value_int(8);
    assert_string_equal(dump(w, exec(w, &req)), "LOUDx [8]");
    v[1] = ag_value_null();
    assert_string_equal(dump(w, exec(w, &req)), "LOUDx null");
    req.sql_nulls = true;
    assert_string_equal(dump(w, exec(w, &req)), "LOUDx -");
    v[0] = ag_value_int(8); /* the hook lets it through, the type behind does not */
    ag_result *r;
    assert_int_equal(try_exec(w, &req, &r), AG_ERROR);
    ag_error_clear(&w->err);
}

static void test_host_types(void **state)
{
    (void)state;
    each(host_types);
}

static void streamed(world *w)
{
    source s = {5000, SIZE_MAX};
    ag_exec_options x = {.has = AG_XO_YIELD_PER, .yield_per = 100};
    ag_exec_request req = insert_of(w, NULL, 5000, 2);
    size_t n = 0;
    w->item->columns[3]->def.kind = AG_DEFAULT_NONE;
    req.params.fill = fill;
    req.params.fill_ud = &s;
    req.bulk = true;
    ag_result_unref(exec(w, &req));
    req = (ag_exec_request){.stmt = select_all(w, NULL), .options = &x};
    ag_result *r = exec(w, &req);
    size_t most = ag_result_bytes(r);
    for (;;) {
        const ag_row *row;
        ag_fetch_op op;
        ag_result_next next = ag_result_next_row(r, &row, &w->err);
        if (next == AG_NEXT_END)
            break;
        if (next == AG_NEXT_ROW) {
            n++;
            continue;
        }
        must(ag_fetch_init(&op, r, false, &w->err), &w->err);
        must(test_run(&op.op, &host, &w->err), &w->err);
        ag_op_clear(&op.op);
        most = ag_result_bytes(r) > most ? ag_result_bytes(r) : most;
    }
    assert_int_equal(n, 5000);
    assert_true(most < 65536);
    ag_result_unref(r);
}

static void test_streamed(void **state)
{
    (void)state;
    each(streamed);
}

static ag_status see_sets(test_host *h, ag_event *ev, ag_error *err)
{
    (void)err;
    world *w = h->ud;
    if (ev->id == AG_EV_BEFORE_CURSOR_EXECUTE) {
        assert_non_null(ev->u.cursor.values);
        assert_true(ev->u.cursor.executemany);
        w->serials += ev->u.cursor.nsets * ev->u.cursor.nparams;
    }
    return AG_OK;
}

static void listened(world *w)
{
    ag_value v[] = {TEXT("a"), ag_value_int(1), TEXT("b"), ag_value_int(2)};
    static const ag_str keys[] = {{"a", 1}, {"b", 1}};
    ag_exec_request req = {.stmt = checked(w, ag_text(&w->b, str("insert into ag_item (name, n) values (:a, :b)"))),
                           .params = {.nsets = 2, .many = true, .nkeys = 2, .keys = keys, .values = v}};
    ag_connection_set_events(w->conn, AG_EV_BIT(AG_EV_BEFORE_CURSOR_EXECUTE));
    host.on_event = see_sets;
    uint64_t before = w->serials;
    ag_result_unref(exec(w, &req));
    assert_int_equal(w->serials - before, 4);
    ag_connection_set_events(w->conn, 0);
    assert_int_equal(test_int(w->conn, "select count(*) from ag_item"), 2);
}

static void test_listened(void **state)
{
    (void)state;
    each(listened);
}

/* ---- out of memory ---- */

typedef struct sweep_in {
    world *w;
    const ag_node *insert, *select;
} sweep_in;

static ag_status one(ag_connection *c, const ag_exec_request *req, ag_error *err)
{
    ag_exec_op op;
    AG_TRY(ag_exec_init(&op, c, req, 1, err));
    ag_status st = test_run(&op.op, &host, err);
    ag_op_clear(&op.op);
    return st;
}

static ag_status sweep_work(const ag_alloc *a, void *ud)
{
    sweep_in *in = ud;
    ag_error err;
    ag_url *u;
    ag_engine *e = NULL;
    ag_connect_op op;
    ag_engine_options o = ag_engine_options_default();
    ag_value v[] = {TEXT("a"), {.kind = AG_V_INT, .u.i = 1}, TEXT("b"), {.kind = AG_V_ABSENT},
                    TEXT("c"), {.kind = AG_V_INT, .u.i = 3}};
    o.driver = test_driver("sqlite:");
    o.dialect = ag_dialect_sqlite();
    o.host = &host.base;
    o.types = in->w->types;
    ag_error_init(&err, a);
    ag_arena_reset(&in->w->answers);
    ag_status st = ag_url_parse(&u, a, "sqlite://", 9, &err);
    if (st == AG_OK) {
        st = ag_engine_new(&e, a, u, &o, &err);
        ag_url_unref(u);
    }
    if (st == AG_OK && (st = ag_connect_init(&op, e, NULL, &err)) == AG_OK) {
        st = test_run(&op.op, &host, &err);
        ag_exec_request create = {.text = "create table ag_item (id integer primary key, name, n, made, stamp)",
                                  .text_len = 67};
        ag_exec_request insert = {.stmt = in->insert,
                                  .params = {.nsets = 3, .many = true, .nkeys = 2, .keys = two_keys, .values = v}};
        ag_exec_request select = {.stmt = in->select};
        if (st == AG_OK)
            st = one(op.conn, &create, &err);
        if (st == AG_OK)
            st = one(op.conn, &insert, &err);
        if (st == AG_OK)
            st = one(op.conn, &select, &err);
        ag_op_clear(&op.op);
    }
    ag_engine_unref(e);
    ag_error_clear(&err);
    return st;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    world w;
    open_world(&w, "sqlite://");
    sweep_in in = {&w, checked(&w, ag_insert(&w.b, w.item->node)), select_all(&w, NULL)};
    sweep_run(sweep_work, &in);
    close_world(&w);
}

/* ---- how many sets travel (a fake driver with pipeline and $1) ---- */

static void assert_log(const char *want)
{
    if (strcmp(fake.log, want) != 0)
        fail_msg("sent:   %s\nwanted: %s", fake.log, want);
    fake.log[0] = '\0';
}

static void test_batches(void **state)
{
    (void)state;
    world w;
    open_world(&w, "fake://");
    ag_value v[] = {TEXT("a"), ag_value_int(1), TEXT("b"), ag_value_null(), TEXT("c"), ag_value_int(3)};
    ag_exec_options two = {.has = AG_XO_PAGE_SIZE, .insertmanyvalues_page_size = 2};
    ag_transaction_unref(test_tx(w.conn, "rollback", &w.err));
    w.item->columns[3]->def.kind = AG_DEFAULT_NONE;
    fake.log[0] = '\0';
    fake.values = true;
    /* plain placeholders: one array a column */
    ag_exec_request req = insert_of(&w, v, 3, 2);
    req.bulk = true;
    ag_result_unref(exec(&w, &req));
    assert_log(
        "1:BEGIN;1:INSERT INTO ag_item (name, n) SELECT * FROM unnest($1, $2);(['a', 'b', 'c'], [1, NULL, 3])| ");
    req.options = &two;
    ag_result_unref(exec(&w, &req));
    assert_log("1:INSERT INTO ag_item (name, n) SELECT * FROM unnest($1, $2) *2;(['a', 'b'], [1, NULL])(['c'], [3])| ");
    /* an expression in the tuple: the tuple is repeated, the last batch is shorter */
    w.item->columns[3]->def = (ag_default){.kind = AG_DEFAULT_SQL, .expr = ag_text(&w.b, str("'$1' || now()"))};
    ag_cache_drop(ag_engine_cache(w.engine));
    ag_result_unref(exec(&w, &req));
    assert_log(
        "1:INSERT INTO ag_item (name, n, made) VALUES ($1, $2, '$1' || now()), ($3, $4, '$1' || now());('a', 1, 'b', "
        "NULL)1:INSERT INTO ag_item (name, n, made) VALUES ($1, $2, '$1' || now());('c', 3)| ");
    /* what stands behind is numbered on */
    ag_value seven = ag_value_int(7);
    const ag_node *sum = checked(&w, ag_binary(&w.b, AG_OP_ADD, col(&w, "n"), ag_literal(&w.b, &seven, NULL, false)));
    req.stmt = checked(&w, ag_dml_returning(&w.b, req.stmt, &sum, 1, false));
    ag_result_unref(exec(&w, &req));
    assert_log(
        "1:INSERT INTO ag_item (name, n, made) VALUES ($1, $2, '$1' || now()), ($3, $4, '$1' || now()) RETURNING "
        "ag_item.n + $5 AS anon_1;('a', 1, 'b', NULL, 7)1:INSERT INTO ag_item (name, n, made) VALUES ($1, $2, '$1' || "
        "now()) RETURNING ag_item.n + $3 AS anon_1;('c', 3, 7)| ");
    w.item->columns[3]->def.kind = AG_DEFAULT_NONE;
    ag_cache_drop(ag_engine_cache(w.engine));
    fake.values = false;
    ag_result_unref(exec(&w, &req));
    assert_log("1:INSERT INTO ag_item (name, n) SELECT * FROM unnest($1, $2) RETURNING ag_item.n + $3 AS anon_1 *2;| ");
    /* an upsert goes set by set */
    const ag_node *elements[] = {col(&w, "id")};
    ag_conflict conflict = {.index_elements = elements, .nindex = 1};
    req.stmt = checked(&w, ag_on_conflict(&w.b, checked(&w, ag_insert(&w.b, w.item->node)), &conflict));
    ag_result_unref(exec(&w, &req));
    assert_log("1:INSERT INTO ag_item (name, n) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING *3;| ");
    close_world(&w);
}

static ag_status batch_sweep(const ag_alloc *a, void *ud)
{
    sweep_in *in = ud;
    ag_error err;
    ag_url *u;
    ag_engine *e = NULL;
    ag_connect_op op;
    ag_engine_options o = ag_engine_options_default();
    ag_value v[] = {TEXT("a"), ag_value_int(1), TEXT("b"), ag_value_int(2), TEXT("c"), ag_value_int(3)};
    fake_init(&fake);
    fake.base.caps |= AG_DRV_DOLLAR;
    fake.base.dialect = "postgresql";
    o.driver = &fake.base;
    o.dialect = ag_dialect_postgresql();
    o.host = &host.base;
    o.types = in->w->types;
    o.exec = (ag_exec_options){.has = AG_XO_PAGE_SIZE, .insertmanyvalues_page_size = 2};
    ag_error_init(&err, a);
    ag_arena_reset(&in->w->answers);
    ag_status st = ag_url_parse(&u, a, "fake://", 7, &err);
    if (st == AG_OK) {
        st = ag_engine_new(&e, a, u, &o, &err);
        ag_url_unref(u);
    }
    if (st == AG_OK && (st = ag_connect_init(&op, e, NULL, &err)) == AG_OK) {
        st = test_run(&op.op, &host, &err);
        ag_params params = {.nsets = 3, .many = true, .nkeys = 2, .keys = two_keys, .values = v};
        ag_exec_request reqs[] = {{.stmt = in->insert, .bulk = true, .params = params},
                                  {.stmt = in->insert, .params = params}};
        for (int i = 0; st == AG_OK && i < 2; i++)
            st = one(op.conn, &reqs[i], &err);
        ag_op_clear(&op.op);
    }
    ag_engine_unref(e);
    ag_error_clear(&err);
    assert_int_equal(fake.live, 0);
    return st;
}

static void test_batches_out_of_memory(void **state)
{
    (void)state;
    world w;
    open_world(&w, "sqlite://");
    sweep_in in = {&w, checked(&w, ag_insert(&w.b, w.item->node)), NULL};
    sweep_run(batch_sweep, &in);
    close_world(&w);
}

int main(void)
{
    urls[0] = "sqlite://";
    urls[1] = test_pg_url();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_insert),
        cmocka_unit_test(test_many_inserts),
        cmocka_unit_test(test_filled_inserts),
        cmocka_unit_test(test_heterogeneous),
        cmocka_unit_test(test_returning),
        cmocka_unit_test(test_returned_defaults),
        cmocka_unit_test(test_updates),
        cmocka_unit_test(test_in_lists),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_coercion),
        cmocka_unit_test(test_cached),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_selected_defaults),
        cmocka_unit_test(test_other_sources),
        cmocka_unit_test(test_host_types),
        cmocka_unit_test(test_streamed),
        cmocka_unit_test(test_listened),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_batches_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

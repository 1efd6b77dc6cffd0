/* The drivers alone, without engine and Lua, on the rows of the performance table: what of a row's time is theirs. Same
 * benches and tables as raw_sqlite and raw_postgresql. usage: driver_rows sqlite|postgresql BENCH ROWS; prints
 * nanoseconds per row. */
#include "driver/drivers.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const ag_driver *d;
static ag_dconn *c;
static ag_reply reply;
static ag_error err;
static bool pg;
static const ag_type *types[5];

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, ag_error_message(&err));
    exit(1);
}

static void collect(const char *what)
{
    bool sync_done;
    ag_wait w;
    ag_step s;
    while ((s = d->collect(c, &reply, &sync_done, &w, &err)) == AG_STEP_WAIT)
        ag_wait_poll(&w);
    if (s == AG_STEP_FAILED)
        fail(what);
}

static void send_request(const ag_request *req)
{
    if (d->send(c, req, &err) != AG_OK)
        fail(req->text);
}

/* The statement's reply stays in `kept`. */
static void request(const ag_request *req, ag_reply *kept)
{
    send_request(req);
    if (d->sync(c, &err) != AG_OK)
        fail(req->text);
    collect(req->text);
    *kept = reply;
    ag_reply_init(&reply, ag_alloc_libc());
    collect("sync");
}

static void run(const char *sql)
{
    ag_reply kept;
    ag_request req = {.text = sql, .text_len = strlen(sql), .nsets = 1};
    request(&req, &kept);
    ag_reply_clear(&kept);
}

typedef struct user {
    char name[32], email[48];
    size_t name_len, email_len;
} user;

static user *users;

static ag_status fill(void *ud, size_t i, ag_value *out, ag_error *e)
{
    (void)ud, (void)e;
    out[0] = ag_value_text(users[i].name, users[i].name_len);
    out[1] = ag_value_text(users[i].email, users[i].email_len);
    out[2] = ag_value_int((int64_t)(i % 90));
    out[3] = ag_value_float((double)i * 0.5);
    return AG_OK;
}

static void make_users(size_t n)
{
    users = calloc(n, sizeof *users);
    for (size_t i = 0; i < n; i++) {
        users[i].name_len = (size_t)snprintf(users[i].name, sizeof users[i].name, "user %zu", i);
        users[i].email_len = (size_t)snprintf(users[i].email, sizeof users[i].email, "user%zu@example.org", i);
    }
}

static double many(const char *sql, size_t n, unsigned flags)
{
    ag_reply kept;
    ag_request req = {.text = sql, .text_len = strlen(sql), .flags = flags, .nparams = 4, .nsets = n, .fill = fill};
    req.param_types = types + 1;
    double start = (double)ag_now_us();
    run(pg ? "BEGIN" : "BEGIN IMMEDIATE");
    request(&req, &kept);
    ag_reply_clear(&kept);
    run("COMMIT");
    return ((double)ag_now_us() - start) * 1e3 / (double)n;
}

static double insert(size_t n)
{
    return many(pg ? "INSERT INTO raw_users (name, email, age, score) VALUES ($1, $2, $3, $4)"
                   : "INSERT INTO raw_users (name, email, age, score) VALUES (?, ?, ?, ?)",
                n, AG_REQ_PREPARE);
}

static double copy(size_t n)
{
    return many("COPY raw_users (name, email, age, score) FROM STDIN (FORMAT binary)", n, AG_REQ_COPY_IN);
}

/* The engine's batches: four arrays of 1000. */
static double unnest(size_t n)
{
    static const char sql[] =
        "INSERT INTO raw_users (name, email, age, score) SELECT * FROM unnest($1, $2, $3, $4) AS t(a, b, c, d)";
    ag_type arrays[4];
    const ag_type *ptypes[4];
    ag_value *cells[4], vals[4], set[4];
    ag_arena ar;
    ag_arena_init(&ar, ag_alloc_libc());
    for (int k = 0; k < 4; k++) {
        arrays[k] = ag_type_proto(AG_TYPE_ARRAY);
        arrays[k].item = types[k + 1];
        ptypes[k] = &arrays[k];
        cells[k] = calloc(1000, sizeof **cells);
    }
    double start = (double)ag_now_us();
    run("BEGIN");
    for (size_t from = 0; from < n; from += 1000) {
        size_t count = n - from < 1000 ? n - from : 1000;
        ag_array_dim dim = {(int32_t)count, 1};
        for (size_t i = 0; i < count; i++) {
            (void)fill(NULL, from + i, set, NULL);
            for (int k = 0; k < 4; k++)
                cells[k][i] = set[k];
        }
        for (int k = 0; k < 4; k++) {
            if (ag_array_pack(&vals[k], 1, &dim, cells[k], count, &ar, &err) != AG_OK)
                fail("pack");
        }
        ag_reply kept;
        ag_request req = {
            .text = sql, .text_len = sizeof sql - 1, .flags = AG_REQ_PREPARE, .nparams = 4, .nsets = 1, .values = vals};
        req.param_types = ptypes;
        request(&req, &kept);
        ag_reply_clear(&kept);
        ag_arena_reset(&ar);
    }
    run("COMMIT");
    return ((double)ag_now_us() - start) * 1e3 / (double)n;
}

static double select_all(size_t n)
{
    static const char sql[] = "SELECT id, name, email, age, score FROM raw_users";
    ag_reply kept;
    ag_request req = {.text = sql, .text_len = sizeof sql - 1, .flags = AG_REQ_ROWS | AG_REQ_PREPARE, .nsets = 1};
    req.result_types = types;
    req.nresult_types = 5;
    pg ? copy(n) : insert(n);
    request(&req, &kept); /* PostgreSQL: the first time in text */
    ag_reply_clear(&kept);
    double start = (double)ag_now_us();
    request(&req, &kept);
    double took = (double)ag_now_us() - start;
    if (kept.rows.count != n)
        fail("rows");
    ag_reply_clear(&kept);
    return took * 1e3 / (double)n;
}

static double get(size_t n)
{
    const char *sql = pg ? "SELECT id, name, email, age, score FROM raw_users WHERE id = $1"
                         : "SELECT id, name, email, age, score FROM raw_users WHERE id = ?";
    ag_reply kept;
    ag_value id;
    ag_request req = {
        .text = sql, .text_len = strlen(sql), .flags = AG_REQ_ROWS | AG_REQ_PREPARE, .nsets = 1, .nparams = 1};
    req.values = &id;
    req.param_types = types;
    req.result_types = types;
    req.nresult_types = 5;
    pg ? copy(n) : insert(n);
    if (pg)
        run("ANALYZE raw_users");
    double start = (double)ag_now_us();
    for (size_t i = 0; i < n; i++) {
        id = ag_value_int((int64_t)((i * 7919) % n + 1));
        request(&req, &kept);
        if (kept.rows.count != 1)
            fail("get");
        ag_reply_clear(&kept);
    }
    return ((double)ag_now_us() - start) * 1e3 / (double)n;
}

static const char *url_part(const PQconninfoOption *o, const char *key)
{
    for (; o->keyword; o++) {
        if (strcmp(o->keyword, key) == 0)
            return o->val;
    }
    return NULL;
}

static void connect_to(const char *which)
{
    ag_connect_params p = {.deadline = AG_NO_DEADLINE};
    const char *host = NULL;
    ag_wait w;
    ag_step s;
    pg = strcmp(which, "postgresql") == 0;
    d = pg ? ag_driver_postgresql() : ag_driver_sqlite();
    if (pg) {
        PQconninfoOption *o = PQconninfoParse(getenv("ARGENT_PG_URL"), NULL);
        if (!o)
            exit(2);
        p.username = url_part(o, "user");
        p.database = url_part(o, "dbname");
        host = url_part(o, "host");
        p.hosts = &host;
        p.nhosts = 1;
    }
    if (d->open(d, &c, &p, &ag_core_services, ag_alloc_libc(), &err) != AG_OK)
        fail("open");
    while ((s = d->open_step(c, &w, &err)) == AG_STEP_WAIT)
        ag_wait_poll(&w);
    if (s == AG_STEP_FAILED)
        fail("open");
    if (pg)
        run("DROP TABLE IF EXISTS raw_users");
    run(pg ? "CREATE TABLE raw_users (id serial PRIMARY KEY, name text, email text, age int, score float8)"
           : "CREATE TABLE raw_users (id INTEGER PRIMARY KEY, name TEXT, email TEXT, age INTEGER, score REAL)");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        double (*fn)(size_t n);
    } benches[] = {{"insert", insert}, {"unnest", unnest}, {"copy", copy}, {"select", select_all}, {"get", get}};
    static const ag_type_id ids[5] = {AG_TYPE_INTEGER, AG_TYPE_STRING, AG_TYPE_STRING, AG_TYPE_INTEGER, AG_TYPE_FLOAT};
    if (argc != 4)
        return fprintf(stderr, "usage: driver_rows sqlite|postgresql insert|unnest|copy|select|get ROWS\n"), 2;
    ag_error_init(&err, ag_alloc_libc());
    ag_reply_init(&reply, ag_alloc_libc());
    for (int i = 0; i < 5; i++)
        types[i] = ag_type_plain(ids[i]);
    size_t n = (size_t)atoi(argv[3]);
    make_users(n);
    connect_to(argv[1]);
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++) {
        if (strcmp(argv[2], benches[i].name) == 0)
            printf("%.1f\n", benches[i].fn(n));
    }
    ag_reply_clear(&reply);
    d->close(c);
    return 0;
}

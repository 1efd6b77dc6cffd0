/* The smallest C programs on libpq for the rows of the performance table: what argent is measured against.
 * usage: raw_postgresql BENCH ROWS, with ARGENT_PG_URL; prints nanoseconds per row. The table is (id, name, email, age,
 * score). Results and arrays travel in binary. */
#include <libpq-fe.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static PGconn *pg;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, PQerrorMessage(pg));
    exit(1);
}

static void done(PGresult *res, ExecStatusType wanted, const char *what)
{
    if (PQresultStatus(res) != wanted)
        fail(what);
    PQclear(res);
}

static void run(const char *sql)
{
    done(PQexec(pg, sql), PGRES_COMMAND_OK, sql);
}

/* ---- growing binary parameters ---- */

typedef struct bytes {
    char *p;
    size_t n, cap;
} bytes;

static void add(bytes *b, const void *p, size_t n)
{
    if (b->n + n > b->cap) {
        b->cap = (b->n + n) * 2;
        b->p = realloc(b->p, b->cap);
        if (!b->p)
            abort();
    }
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

static void add32(bytes *b, uint32_t v)
{
    v = __builtin_bswap32(v);
    add(b, &v, 4);
}

static void add64(bytes *b, uint64_t v)
{
    v = __builtin_bswap64(v);
    add(b, &v, 8);
}

static void array_head(bytes *b, uint32_t elem, int n)
{
    const uint32_t head[] = {1, 0, elem, (uint32_t)n, 1};
    b->n = 0;
    for (size_t i = 0; i < 5; i++)
        add32(b, head[i]);
}

static void add_double(bytes *b, double d)
{
    uint64_t bits;
    memcpy(&bits, &d, 8);
    add64(b, bits);
}

/* The values as a program would have them before the clock starts. */
typedef struct user {
    char name[32], email[48];
    size_t name_len, email_len;
} user;

static user *make_users(int n)
{
    user *u = calloc((size_t)n, sizeof *u);
    for (int i = 0; u && i < n; i++) {
        u[i].name_len = (size_t)snprintf(u[i].name, sizeof u[i].name, "user %d", i);
        u[i].email_len = (size_t)snprintf(u[i].email, sizeof u[i].email, "user%d@example.org", i);
    }
    if (!u)
        abort();
    return u;
}

/* ---- inserts ---- */

static void fill_arrays(bytes b[4], const user *u, int from, int n)
{
    static const uint32_t elem[4] = {25, 25, 23, 701};
    for (int k = 0; k < 4; k++)
        array_head(&b[k], elem[k], n);
    for (int i = from; i < from + n; i++) {
        add32(&b[0], (uint32_t)u[i].name_len);
        add(&b[0], u[i].name, u[i].name_len);
        add32(&b[1], (uint32_t)u[i].email_len);
        add(&b[1], u[i].email, u[i].email_len);
        add32(&b[2], 4);
        add32(&b[2], (uint32_t)(i % 90));
        add32(&b[3], 8);
        add_double(&b[3], i * 0.5);
    }
}

/* unnest of four arrays, 1000 rows a statement. */
static double insert_unnest(int n)
{
    static const Oid oids[4] = {1009, 1009, 1007, 1022};
    const int formats[4] = {1, 1, 1, 1};
    user *u = make_users(n);
    bytes b[4] = {{0}};
    double start = now();
    run("BEGIN");
    done(PQprepare(
             pg, "ins",
             "INSERT INTO raw_users (name, email, age, score) SELECT * FROM unnest($1, $2, $3, $4) AS t(a, b, c, d)", 4,
             oids),
         PGRES_COMMAND_OK, "prepare");
    for (int from = 0; from < n; from += 1000) {
        int count = n - from < 1000 ? n - from : 1000;
        fill_arrays(b, u, from, count);
        const char *values[4] = {b[0].p, b[1].p, b[2].p, b[3].p};
        const int lengths[4] = {(int)b[0].n, (int)b[1].n, (int)b[2].n, (int)b[3].n};
        done(PQexecPrepared(pg, "ins", 4, values, lengths, formats, 0), PGRES_COMMAND_OK, "insert");
    }
    run("COMMIT");
    return (now() - start) / n;
}

static double insert_copy(int n)
{
    static const char head[19] = "PGCOPY\n\377\r\n\0";
    user *u = make_users(n);
    bytes b = {0};
    double start = now();
    run("BEGIN");
    done(PQexec(pg, "COPY raw_users (name, email, age, score) FROM STDIN (FORMAT binary)"), PGRES_COPY_IN, "copy");
    add(&b, head, sizeof head);
    for (int i = 0; i < n; i++) {
        add(&b, "\0\4", 2);
        add32(&b, (uint32_t)u[i].name_len);
        add(&b, u[i].name, u[i].name_len);
        add32(&b, (uint32_t)u[i].email_len);
        add(&b, u[i].email, u[i].email_len);
        add32(&b, 4);
        add32(&b, (uint32_t)(i % 90));
        add32(&b, 8);
        add_double(&b, i * 0.5);
        if (b.n > 65536 || i + 1 == n) {
            if (i + 1 == n)
                add(&b, "\377\377", 2);
            if (PQputCopyData(pg, b.p, (int)b.n) != 1)
                fail("copy data");
            b.n = 0;
        }
    }
    if (PQputCopyEnd(pg, NULL) != 1)
        fail("copy end");
    done(PQgetResult(pg), PGRES_COMMAND_OK, "copy");
    while (PQgetResult(pg))
        ;
    run("COMMIT");
    return (now() - start) / n;
}

/* ---- selects ---- */

static uint32_t get32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}

static long long read_row(const PGresult *res, int r)
{
    long long sum = (long long)get32(PQgetvalue(res, r, 0)) + PQgetvalue(res, r, 1)[0] + PQgetlength(res, r, 1);
    sum += PQgetvalue(res, r, 2)[0] + PQgetlength(res, r, 2) + (long long)get32(PQgetvalue(res, r, 3));
    return sum + PQgetvalue(res, r, 4)[0];
}

static const char all[] = "SELECT id, name, email, age, score FROM raw_users";

static double select_whole(int n)
{
    long long sum = 0;
    insert_copy(n);
    double start = now();
    PGresult *res = PQexecParams(pg, all, 0, NULL, NULL, NULL, NULL, 1);
    for (int i = 0; i < PQntuples(res); i++)
        sum += read_row(res, i);
    double end = now();
    if (!sum)
        fail("select");
    PQclear(res);
    return (end - start) / n;
}

static double select_single(int n)
{
    long long sum = 0;
    insert_copy(n);
    double start = now();
    if (!PQsendQueryParams(pg, all, 0, NULL, NULL, NULL, NULL, 1) || !PQsetSingleRowMode(pg))
        fail("select");
    for (PGresult *res; (res = PQgetResult(pg)) != NULL; PQclear(res)) {
        if (PQntuples(res))
            sum += read_row(res, 0);
    }
    double end = now();
    if (!sum)
        fail("select");
    return (end - start) / n;
}

static double get(int n)
{
    static const Oid oid = 23;
    const int length = 4, format = 1;
    long long sum = 0;
    insert_copy(n);
    run("ANALYZE raw_users");
    done(PQprepare(pg, "get", "SELECT id, name, email, age, score FROM raw_users WHERE id = $1", 1, &oid),
         PGRES_COMMAND_OK, "prepare");
    double start = now();
    for (int i = 0; i < n; i++) {
        uint32_t id = __builtin_bswap32((uint32_t)((i * 7919LL) % n + 1));
        const char *value = (const char *)&id;
        PGresult *res = PQexecPrepared(pg, "get", 1, &value, &length, &format, 1);
        if (PQntuples(res) != 1)
            fail("get");
        sum += read_row(res, 0);
        PQclear(res);
    }
    double end = now();
    if (!sum)
        fail("get");
    return (end - start) / n;
}

/* ---- the flush of P12: a third updates, a third inserts, a third deletes, in one pipeline ---- */

static void pump(int *pending)
{
    while (*pending) {
        struct pollfd p = {.fd = PQsocket(pg), .events = POLLIN};
        if (PQflush(pg) == 1)
            p.events |= POLLOUT;
        while (*pending && !PQisBusy(pg)) {
            PGresult *res = PQgetResult(pg);
            if (!res)
                continue;
            ExecStatusType st = PQresultStatus(res);
            if (st == PGRES_FATAL_ERROR)
                fail("flush");
            *pending -= st == PGRES_COMMAND_OK || st == PGRES_PIPELINE_SYNC;
            PQclear(res);
        }
        if (*pending && (poll(&p, 1, -1) < 0 || !PQconsumeInput(pg)))
            fail("poll");
    }
}

static double flush(int n)
{
    static const char *const sql[3] = {"UPDATE raw_users SET age = $2 WHERE id = $1",
                                       "INSERT INTO raw_users (id, age) VALUES ($1, $2)",
                                       "DELETE FROM raw_users WHERE id = $1 AND $2::int IS NOT NULL"};
    static const char *const names[3] = {"u", "i", "d"};
    static const Oid oids[2] = {23, 23};
    const int lengths[2] = {4, 4}, formats[2] = {1, 1};
    int each = n / 3, pending = 0;
    insert_copy(3 * each);
    for (int k = 0; k < 3; k++)
        done(PQprepare(pg, names[k], sql[k], 2, oids), PGRES_COMMAND_OK, "prepare");
    run("ANALYZE raw_users");
    PQsetnonblocking(pg, 1);
    PQenterPipelineMode(pg);
    double start = now();
    PQsendQueryParams(pg, "BEGIN", 0, NULL, NULL, NULL, NULL, 0);
    pending++;
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < each; i++) {
            uint32_t id = __builtin_bswap32((uint32_t)(k == 1 ? 1000000 + i : k * each + i + 1)),
                     age = __builtin_bswap32(7);
            const char *values[2] = {(const char *)&id, (const char *)&age};
            if (!PQsendQueryPrepared(pg, names[k], 2, values, lengths, formats, 0))
                fail("send");
            if (++pending == 256) {
                PQsendFlushRequest(pg);
                pump(&pending);
            }
        }
    }
    PQsendQueryParams(pg, "COMMIT", 0, NULL, NULL, NULL, NULL, 0);
    PQpipelineSync(pg);
    pending += 2;
    pump(&pending);
    return (now() - start) / (3 * each);
}

/* ---- P16: eight connections in one process, each asking for one row after another ---- */

#define LOOPS 8

static void ask(PGconn *c, int i, int n)
{
    const int length = 4, format = 1;
    uint32_t id = __builtin_bswap32((uint32_t)((i * 7919LL) % n + 1));
    const char *value = (const char *)&id;
    if (!PQsendQueryPrepared(c, "get", 1, &value, &length, &format, 1))
        fail("send");
}

/* Reads what has come; true when the answer is complete. */
static bool answered(PGconn *c, long long *sum)
{
    if (!PQconsumeInput(c))
        fail("read");
    while (!PQisBusy(c)) {
        PGresult *res = PQgetResult(c);
        if (!res)
            return true;
        if (PQntuples(res) == 1)
            *sum += read_row(res, 0);
        PQclear(res);
    }
    return false;
}

static double loops(int n)
{
    static const Oid oid = 23;
    PGconn *c[LOOPS];
    struct pollfd p[LOOPS];
    long long sum = 0;
    insert_copy(10000);
    run("ANALYZE raw_users");
    for (int i = 0; i < LOOPS; i++) {
        c[i] = PQconnectdb(getenv("ARGENT_PG_URL"));
        done(PQprepare(c[i], "get", "SELECT id, name, email, age, score FROM raw_users WHERE id = $1", 1, &oid),
             PGRES_COMMAND_OK, "prepare");
        p[i] = (struct pollfd){.fd = PQsocket(c[i]), .events = POLLIN};
    }
    double start = now();
    int asked = 0, got = 0;
    for (int i = 0; i < LOOPS && asked < n; i++)
        ask(c[i], asked++, 10000);
    while (got < n) {
        if (poll(p, LOOPS, -1) < 0)
            fail("poll");
        for (int i = 0; i < LOOPS; i++) {
            if (!(p[i].revents & POLLIN) || !answered(c[i], &sum))
                continue;
            got++;
            if (asked < n)
                ask(c[i], asked++, 10000);
        }
    }
    double end = now();
    for (int i = 0; i < LOOPS; i++)
        PQfinish(c[i]);
    if (!sum)
        fail("loops");
    return (end - start) / n;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        double (*fn)(int n);
    } benches[] = {{"insert", insert_unnest},
                   {"copy", insert_copy},
                   {"select", select_whole},
                   {"select_single", select_single},
                   {"get", get},
                   {"flush", flush},
                   {"loops", loops}};
    const char *url = getenv("ARGENT_PG_URL");
    if (argc != 3 || !url)
        return fprintf(stderr,
                       "usage: ARGENT_PG_URL=… raw_postgresql insert|copy|select|select_single|get|flush|loops ROWS\n"),
               2;
    pg = PQconnectdb(url);
    if (PQstatus(pg) != CONNECTION_OK)
        fail("connect");
    done(PQexec(pg, "SET client_min_messages = warning"), PGRES_COMMAND_OK, "set");
    run("DROP TABLE IF EXISTS raw_users");
    run("CREATE TABLE raw_users (id serial PRIMARY KEY, name text, email text, age int, score float8)");
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++) {
        if (strcmp(argv[1], benches[i].name) == 0) {
            printf("%.1f\n", benches[i].fn(atoi(argv[2])));
            PQfinish(pg);
            return 0;
        }
    }
    return fprintf(stderr, "unknown bench %s\n", argv[1]), 2;
}

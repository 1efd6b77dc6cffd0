/* The smallest C programs on libsqlite3 for the rows of the performance table: what argent is measured against.
 * usage: raw_sqlite BENCH ROWS; prints nanoseconds per row. The table is (id, name, email, age, score). */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static sqlite3 *db;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void must(int rc, const char *what)
{
    if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
        return;
    fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
    exit(1);
}

static sqlite3_stmt *prepare(const char *sql)
{
    sqlite3_stmt *s;
    must(sqlite3_prepare_v2(db, sql, -1, &s, NULL), sql);
    return s;
}

static void run(const char *sql)
{
    must(sqlite3_exec(db, sql, NULL, NULL, NULL), sql);
}

/* One transaction of n inserts, values made the way the Lua side makes them before the clock starts. */
static double insert(int n)
{
    char (*names)[32] = calloc((size_t)n, sizeof *names), (*emails)[48] = calloc((size_t)n, sizeof *emails);
    for (int i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "user %d", i);
        snprintf(emails[i], sizeof emails[i], "user%d@example.org", i);
    }
    double start = now();
    run("BEGIN");
    sqlite3_stmt *s = prepare("INSERT INTO users (name, email, age, score) VALUES (?, ?, ?, ?)");
    for (int i = 0; i < n; i++) {
        sqlite3_bind_text(s, 1, names[i], -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, emails[i], -1, SQLITE_STATIC);
        sqlite3_bind_int64(s, 3, i % 90);
        sqlite3_bind_double(s, 4, i * 0.5);
        must(sqlite3_step(s), "insert");
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
    run("COMMIT");
    return (now() - start) / n;
}

static double select_all(int n)
{
    insert(n);
    double start = now();
    sqlite3_stmt *s = prepare("SELECT id, name, email, age, score FROM users");
    long long sum = 0;
    while (sqlite3_step(s) == SQLITE_ROW) {
        sum += sqlite3_column_int64(s, 0) + sqlite3_column_bytes(s, 1) + sqlite3_column_text(s, 1)[0];
        sum += sqlite3_column_bytes(s, 2) + sqlite3_column_text(s, 2)[0] + sqlite3_column_int64(s, 3);
        sum += (long long)sqlite3_column_double(s, 4);
    }
    double end = now();
    sqlite3_finalize(s);
    if (sum == 0)
        abort();
    return (end - start) / n;
}

static double get(int n)
{
    insert(n);
    sqlite3_stmt *s = prepare("SELECT id, name, email, age, score FROM users WHERE id = ?");
    double start = now();
    long long sum = 0;
    for (int i = 0; i < n; i++) {
        sqlite3_bind_int64(s, 1, (i * 7919LL) % n + 1);
        must(sqlite3_step(s), "get");
        sum += sqlite3_column_bytes(s, 1) + sqlite3_column_text(s, 1)[0] + sqlite3_column_int64(s, 3);
        sqlite3_reset(s);
    }
    double end = now();
    sqlite3_finalize(s);
    if (sum == 0)
        abort();
    return (end - start) / n;
}

static double change(int n, const char *sql)
{
    insert(n);
    double start = now();
    run("BEGIN");
    sqlite3_stmt *s = prepare(sql);
    for (int i = 1; i <= n; i++) {
        sqlite3_bind_int64(s, 1, i);
        must(sqlite3_step(s), sql);
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
    run("COMMIT");
    return (now() - start) / n;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return fprintf(stderr, "usage: raw_sqlite insert|select|get|update|delete ROWS\n"), 2;
    int n = atoi(argv[2]);
    must(sqlite3_open(":memory:", &db), "open");
    run("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT, age INTEGER, score REAL)");
    double ns;
    if (!strcmp(argv[1], "insert"))
        ns = insert(n);
    else if (!strcmp(argv[1], "select"))
        ns = select_all(n);
    else if (!strcmp(argv[1], "get"))
        ns = get(n);
    else if (!strcmp(argv[1], "update"))
        ns = change(n, "UPDATE users SET age = age + 1 WHERE id = ?");
    else if (!strcmp(argv[1], "delete"))
        ns = change(n, "DELETE FROM users WHERE id = ?");
    else
        return fprintf(stderr, "unknown bench %s\n", argv[1]), 2;
    printf("%.1f\n", ns);
    sqlite3_close(db);
    return 0;
}

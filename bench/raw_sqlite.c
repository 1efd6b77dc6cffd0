/* The smallest C programs on libsqlite3 for the rows of the performance table: what argent is measured against.
 * usage: raw_sqlite BENCH ROWS [FILL]; prints nanoseconds per row. The table is (id, name, email, age, score). FILL: size of the
 * table that gets and pages read (default ROWS). */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static sqlite3 *db;
static int filled;

/* Processor time, as os.clock on the other side: nothing here waits, and other processes do not count. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
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
    char(*names)[32] = calloc((size_t)n, sizeof *names), (*emails)[48] = calloc((size_t)n, sizeof *emails);
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

static long long read_user(sqlite3_stmt *s)
{
    long long sum = sqlite3_column_int64(s, 0) + sqlite3_column_bytes(s, 1) + sqlite3_column_text(s, 1)[0];
    sum += sqlite3_column_bytes(s, 2) + sqlite3_column_text(s, 2)[0] + sqlite3_column_int64(s, 3);
    return sum + (long long)sqlite3_column_double(s, 4);
}

static double select_all(int n)
{
    insert(n);
    double start = now();
    sqlite3_stmt *s = prepare("SELECT id, name, email, age, score FROM users");
    long long sum = 0;
    while (sqlite3_step(s) == SQLITE_ROW)
        sum += read_user(s);
    double end = now();
    sqlite3_finalize(s);
    if (sum == 0)
        abort();
    return (end - start) / n;
}

static double get(int n)
{
    insert(filled);
    sqlite3_stmt *s = prepare("SELECT id, name, email, age, score FROM users WHERE id = ?");
    double start = now();
    long long sum = 0;
    for (int i = 0; i < n; i++) {
        sqlite3_bind_int64(s, 1, (i * 7919LL) % filled + 1);
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

/* Pages of 100 rows; nanoseconds a page. */
static double page(int n)
{
    insert(filled);
    sqlite3_stmt *s = prepare("SELECT id, name, email, age, score FROM users WHERE id > ? ORDER BY id LIMIT 100");
    double start = now();
    long long sum = 0;
    for (int i = 1; i <= n; i++) {
        sqlite3_bind_int64(s, 1, i * 7 % (filled - 100));
        while (sqlite3_step(s) == SQLITE_ROW)
            sum += read_user(s);
        sqlite3_reset(s);
    }
    double end = now();
    sqlite3_finalize(s);
    if (sum == 0)
        abort();
    return (end - start) / n;
}

/* n parents with five children each. */
static void families(int n)
{
    insert(n);
    run("BEGIN; CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER, title TEXT, body TEXT);"
        "CREATE INDEX posts_user ON posts (user_id)");
    sqlite3_stmt *s = prepare("INSERT INTO posts (user_id, title, body) VALUES (?, ?, ?)");
    for (int i = 0; i < 5 * n; i++) {
        char title[32];
        snprintf(title, sizeof title, "title %d", i);
        sqlite3_bind_int64(s, 1, i / 5 + 1);
        sqlite3_bind_text(s, 2, title, -1, SQLITE_TRANSIENT);
        sqlite3_bind_text(s, 3, "what was to be said", -1, SQLITE_STATIC);
        must(sqlite3_step(s), "insert");
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
    run("COMMIT");
}

static long long read_post(sqlite3_stmt *s, int at)
{
    long long sum = sqlite3_column_int64(s, at) + sqlite3_column_int64(s, at + 1) + sqlite3_column_bytes(s, at + 2);
    return sum + sqlite3_column_text(s, at + 2)[0] + sqlite3_column_text(s, at + 3)[0] +
           sqlite3_column_bytes(s, at + 3);
}

/* Parents, then all children by one scan, which the smallest program can do since it wants them all; nanoseconds a parent. */
static double selectin(int n)
{
    families(n);
    double start = now();
    long long sum = 0;
    sqlite3_stmt *s = prepare("SELECT id, name, email, age, score FROM users");
    while (sqlite3_step(s) == SQLITE_ROW)
        sum += read_user(s);
    sqlite3_finalize(s);
    s = prepare("SELECT id, user_id, title, body FROM posts");
    while (sqlite3_step(s) == SQLITE_ROW)
        sum += read_post(s, 0);
    double end = now();
    sqlite3_finalize(s);
    if (sum == 0)
        abort();
    return (end - start) / n;
}

static double joined(int n)
{
    families(n);
    double start = now();
    long long sum = 0;
    sqlite3_stmt *s =
        prepare("SELECT u.id, u.name, u.email, u.age, u.score, p.id, p.user_id, p.title, p.body FROM users u "
                "LEFT OUTER JOIN posts p ON u.id = p.user_id");
    while (sqlite3_step(s) == SQLITE_ROW)
        sum += read_user(s) + read_post(s, 5);
    double end = now();
    sqlite3_finalize(s);
    if (sum == 0)
        abort();
    return (end - start) / n;
}

/* P5: one execution of a prepared statement with three joins, empty tables. */
static double cached(int n)
{
    run("CREATE TABLE addresses (id INTEGER PRIMARY KEY, user_id INTEGER, email TEXT);"
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, address_id INTEGER);"
        "CREATE TABLE items (id INTEGER PRIMARY KEY, order_id INTEGER, name TEXT); BEGIN");
    sqlite3_stmt *s =
        prepare("SELECT users.id, addresses.email, items.name FROM users JOIN addresses ON users.id = "
                "addresses.user_id JOIN orders ON addresses.id = orders.address_id JOIN items ON orders.id = "
                "items.order_id WHERE users.age > ? AND items.name = ? ORDER BY users.id LIMIT ? OFFSET ?");
    double start = now();
    for (int i = 0; i < n; i++) {
        sqlite3_bind_int64(s, 1, 18);
        sqlite3_bind_text(s, 2, "x", 1, SQLITE_STATIC);
        sqlite3_bind_int64(s, 3, 10);
        sqlite3_bind_int64(s, 4, 0);
        while (sqlite3_step(s) == SQLITE_ROW)
            ;
        sqlite3_reset(s);
    }
    double end = now();
    sqlite3_finalize(s);
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
    if (argc < 3)
        return fprintf(stderr,
                       "usage: raw_sqlite insert|select|get|page|cached|selectin|joined|update|delete ROWS [FILL]\n"),
               2;
    int n = atoi(argv[2]);
    filled = argc > 3 ? atoi(argv[3]) : n;
    must(sqlite3_open(":memory:", &db), "open");
    run("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT, age INTEGER, score REAL)");
    double ns;
    if (!strcmp(argv[1], "insert"))
        ns = insert(n);
    else if (!strcmp(argv[1], "select"))
        ns = select_all(n);
    else if (!strcmp(argv[1], "get"))
        ns = get(n);
    else if (!strcmp(argv[1], "page"))
        ns = page(n);
    else if (!strcmp(argv[1], "selectin"))
        ns = selectin(n);
    else if (!strcmp(argv[1], "joined"))
        ns = joined(n);
    else if (!strcmp(argv[1], "cached"))
        ns = cached(n);
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

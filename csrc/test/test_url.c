/* URLs: the cases of SQLAlchemy's test_parseconnect and MultiHostConnectTest, and refusals. */
#include "engine/url.h"
#include "test/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static ag_url *parse(const char *text)
{
    ag_error err = {0};
    ag_url *u;
    if (ag_url_parse(&u, ag_alloc_libc(), text, strlen(text), &err) != AG_OK)
        fail_msg("%s: %s", text, ag_error_message(&err));
    return u;
}

static void assert_str(ag_str s, const char *want)
{
    if (!want) {
        assert_null(s.p);
        return;
    }
    assert_non_null(s.p);
    assert_string_equal(s.p, want);
    assert_int_equal(s.n, strlen(want));
}

static void assert_render(const ag_url *u, bool hide, const char *want)
{
    ag_buf b;
    ag_buf_init(&b, ag_alloc_libc());
    ag_url_render(&b, u, hide);
    assert_string_equal(b.data, want);
    ag_buf_clear(&b);
}

static void round_trip(const ag_url *u)
{
    ag_buf b;
    ag_buf_init(&b, ag_alloc_libc());
    ag_url_render(&b, u, false);
    ag_url *again = parse(b.data);
    assert_true(ag_url_equal(u, again));
    assert_true(ag_url_hash(u) == ag_url_hash(again));
    ag_url_unref(again);
    ag_buf_clear(&b);
}

typedef struct parsed {
    const char *text, *drivername, *username, *password, *host, *database;
    int port;
    size_t nargs;
} parsed;

static const parsed rfc1738[] = {
    {"dbtype://username:password@hostspec:110//usr/db_file.db", "dbtype", "username", "password", "hostspec",
     "/usr/db_file.db", 110, 0},
    {"dbtype://username:password@hostspec/database", "dbtype", "username", "password", "hostspec", "database", -1, 0},
    {"dbtype+apitype://username:password@hostspec/database", "dbtype+apitype", "username", "password", "hostspec",
     "database", -1, 0},
    {"dbtype://username:password@hostspec", "dbtype", "username", "password", "hostspec", NULL, -1, 0},
    {"dbtype://username:password@/database", "dbtype", "username", "password", NULL, "database", -1, 0},
    {"dbtype://username@hostspec", "dbtype", "username", NULL, "hostspec", NULL, -1, 0},
    {"dbtype://username:password@127.0.0.1:1521", "dbtype", "username", "password", "127.0.0.1", NULL, 1521, 0},
    {"dbtype://hostspec/database", "dbtype", NULL, NULL, "hostspec", "database", -1, 0},
    {"dbtype://hostspec", "dbtype", NULL, NULL, "hostspec", NULL, -1, 0},
    {"dbtype://hostspec/?arg1=val1&arg2=val2", "dbtype", NULL, NULL, "hostspec", "", -1, 2},
    {"dbtype+apitype:///database", "dbtype+apitype", NULL, NULL, NULL, "database", -1, 0},
    {"dbtype:///:memory:", "dbtype", NULL, NULL, NULL, ":memory:", -1, 0},
    {"dbtype:///foo/bar/im/a/file", "dbtype", NULL, NULL, NULL, "foo/bar/im/a/file", -1, 0},
    {"dbtype:///E:/srv/src/LEM/db/hello.db", "dbtype", NULL, NULL, NULL, "E:/srv/src/LEM/db/hello.db", -1, 0},
    {"dbtype:///E:/srv/src/LEM/db/hello.db?foo=bar&hoho=lala&hoho=bat", "dbtype", NULL, NULL, NULL,
     "E:/srv/src/LEM/db/hello.db", -1, 3},
    {"dbtype://", "dbtype", NULL, NULL, NULL, NULL, -1, 0},
    {"dbtype:////usr/local/_xtest@example.com/members.db", "dbtype", NULL, NULL, NULL,
     "/usr/local/_xtest@example.com/members.db", -1, 0},
    {"dbtype://username:apples%2Foranges@hostspec/database", "dbtype", "username", "apples/oranges", "hostspec",
     "database", -1, 0},
    {"dbtype://username:apples/oranges@hostspec/database", "dbtype", "username", "apples/oranges", "hostspec",
     "database", -1, 0},
    {"dbtype://username:password@[2001:da8:2004:1000:202:116:160:90]/database?foo=bar", "dbtype", "username",
     "password", "2001:da8:2004:1000:202:116:160:90", "database", -1, 1},
    {"dbtype://username:password@[2001:da8:2004:1000:202:116:160:90]:80/database?foo=bar", "dbtype", "username",
     "password", "2001:da8:2004:1000:202:116:160:90", "database", 80, 1},
    {"dbtype://username:password@hostspec/test+database with%40atsign", "dbtype", "username", "password", "hostspec",
     "test+database with@atsign", -1, 0},
    {"dbtype://username:password@hostspec/db%3Fwith%3Dqmark", "dbtype", "username", "password", "hostspec",
     "db?with=qmark", -1, 0},
    {"dbtype://username:password@hostspec?query=but_no_db", "dbtype", "username", "password", "hostspec", NULL, -1, 1},
    {"dbtype://username:password with spaces@hostspec:450?query=but_no_db", "dbtype", "username",
     "password with spaces", "hostspec", NULL, 450, 1},
    {"dbtype+apitype://username with space+and+plus:password with space+and+plus@hostspec:450?query=but_no_db",
     "dbtype+apitype", "username with space+and+plus", "password with space+and+plus", "hostspec", NULL, 450, 1},
    {"dbtype://user%25%26%7C:pass%25%26%7C@hostspec:499?query=but_no_db", "dbtype", "user%&|", "pass%&|", "hostspec",
     NULL, 499, 1},
    {"dbtype://user\xF0\x9F\x90\x8D:pass\xF0\x9F\x90\x8D@hostspec:499", "dbtype", "user\xF0\x9F\x90\x8D",
     "pass\xF0\x9F\x90\x8D", "hostspec", NULL, 499, 0},
    {"dbtype://hostspec:450?mail=a@b.c", "dbtype", NULL, NULL, "hostspec", NULL, 450, 1},
    {"dbtype://hostspec:450/db?mail=a@b.c", "dbtype", NULL, NULL, "hostspec", "db", 450, 1},
    {"dbtype://username%40:@hostspec/database", "dbtype", "username@", "", "hostspec", "database", -1, 0},
    {"postgresql://h1:5432,h2,[::1]:99/db", "postgresql", NULL, NULL, "h1:5432,h2,[::1]:99", "db", -1, 0},
    {"postgresql://%2Fvar%2Frun/db", "postgresql", NULL, NULL, "/var/run", "db", -1, 0},
    {"sqlite://", "sqlite", NULL, NULL, NULL, NULL, -1, 0},
    {"sqlite:////abs/file.db", "sqlite", NULL, NULL, NULL, "/abs/file.db", -1, 0},
    {"sqlite:///file:path?mode=ro&uri=true", "sqlite", NULL, NULL, NULL, "file:path", -1, 2},
};

static void test_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rfc1738 / sizeof *rfc1738; i++) {
        const parsed *p = &rfc1738[i];
        ag_url *u = parse(p->text);
        assert_str(u->p.drivername, p->drivername);
        assert_str(u->p.username, p->username);
        assert_str(u->p.password, p->password);
        assert_str(u->p.host, p->host);
        assert_str(u->p.database, p->database);
        assert_int_equal(u->p.port, p->port);
        assert_int_equal(u->p.nargs, p->nargs);
        round_trip(u);
        ag_url_unref(u);
    }
}

static void test_password_is_hidden(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"dbtype://user:pass word + other%3Awords@host/dbname", "dbtype://user:***@host/dbname",
         "dbtype://user:pass word + other%3Awords@host/dbname"},
        {"dbtype://username:apples%40oranges%40%40@hostspec/database", "dbtype://username:***@hostspec/database",
         "dbtype://username:apples%40oranges%40%40@hostspec/database"},
        {"dbtype://username%40:@hostspec/database", "dbtype://username%40:***@hostspec/database",
         "dbtype://username%40:@hostspec/database"},
        {"dbtype://u@h/d?sslpassword=secret&x=1", "dbtype://u@h/d?sslpassword=***&x=1",
         "dbtype://u@h/d?sslpassword=secret&x=1"},
        {"dbtype:///path/with/slashes", "dbtype:///path/with/slashes", "dbtype:///path/with/slashes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ag_url *u = parse(cases[i][0]);
        assert_render(u, true, cases[i][1]);
        assert_render(u, false, cases[i][2]);
        ag_url_unref(u);
    }
}

static void test_query(void **state)
{
    (void)state;
    ag_url *u = parse("dialect://user:pass@host/db?arg1%3D=param1&arg2=param+2&arg2=%26");
    assert_int_equal(u->p.nargs, 3);
    assert_str(u->p.args[0].key, "arg1=");
    assert_str(u->p.args[1].value, "param 2");
    assert_str(u->p.args[2].value, "&");
    assert_str(*ag_url_arg_get(u, "arg2"), "param 2");
    assert_null(ag_url_arg_get(u, "arg"));
    assert_render(u, false, "dialect://user:pass@host/db?arg1%3D=param1&arg2=param+2&arg2=%26");
    ag_url_unref(u);
    ag_url *empty = parse("d://?a=");
    assert_str(*ag_url_arg_get(empty, "a"), "");
    ag_url_unref(empty);
}

static void test_update_query(void **state)
{
    (void)state;
    static const struct {
        const char *start, *with, *want;
        bool append;
    } cases[] = {
        {"foo1=bar1&foo2=bar2", "foo2=bar22&foo3=bar3", "foo1=bar1&foo2=bar22&foo3=bar3", false},
        {"foo1=bar1&foo2=bar2", "foo2=bar22&foo3=bar3", "foo1=bar1&foo2=bar2&foo2=bar22&foo3=bar3", true},
        {"foo1=bar1&foo2=bar21&foo2=bar22&foo3=bar31", "foo2=bar23&foo3=bar32&foo3=bar33",
         "foo1=bar1&foo2=bar21&foo2=bar22&foo2=bar23&foo3=bar31&foo3=bar32&foo3=bar33", true},
        {"foo1=bar1&foo2=bar21&foo2=bar22&foo3=bar31", "foo2=bar23&foo3=bar32&foo3=bar33",
         "foo1=bar1&foo2=bar23&foo3=bar32&foo3=bar33", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200] = "drivername:///?";
        ag_error err = {0};
        ag_url *u, *got, *want;
        strcat(text, cases[i].start);
        u = parse(text);
        assert_int_equal(
            ag_url_update_query_string(&got, u, cases[i].with, strlen(cases[i].with), cases[i].append, &err), AG_OK);
        strcpy(text, "drivername:///?");
        strcat(text, cases[i].want);
        want = parse(text);
        assert_true(ag_url_equal(got, want));
        ag_url_unref(u);
        ag_url_unref(got);
        ag_url_unref(want);
    }
    ag_error err = {0};
    ag_url *u = parse("d://?a=1&b=2&a=3"), *got;
    ag_str names[] = {{"a", 1}, {"zzz", 3}};
    assert_int_equal(ag_url_difference_query(&got, u, names, 2, &err), AG_OK);
    assert_render(got, false, "d://?b=2");
    ag_url_unref(u);
    ag_url_unref(got);
}

static void test_set(void **state)
{
    (void)state;
    ag_error err = {0};
    ag_url *u = parse("d://u:p@h:1/db?x=1"), *v, *w;
    ag_url_parts parts = {.drivername = AG_STR("e+f"), .password = {NULL, 0}, .host = AG_STR("::1"), .port = -1};
    assert_int_equal(ag_url_set(&v, u, &parts, AG_URL_DRIVERNAME | AG_URL_PASSWORD | AG_URL_HOST | AG_URL_PORT, &err),
                     AG_OK);
    assert_render(v, false, "e+f://u@[::1]/db?x=1");
    assert_false(ag_url_equal(u, v));
    ag_str backend, driver;
    ag_url_names(v, &backend, &driver);
    assert_int_equal(backend.n, 1);
    assert_memory_equal(driver.p, "f", 1);
    assert_int_equal(ag_url_set(&w, v, &u->p, AG_URL_DRIVERNAME | AG_URL_PASSWORD | AG_URL_HOST | AG_URL_PORT, &err),
                     AG_OK);
    assert_true(ag_url_equal(u, w));
    ag_url_unref(u);
    ag_url_unref(v);
    ag_url_unref(w);
}

static void test_comparison(void **state)
{
    (void)state;
    ag_url *a = parse("d://h/?x=1&y=2"), *b = parse("d://h/?y=2&x=1"), *c = parse("d://h/?x=1&x=2"),
           *d = parse("d://h/?x=2&x=1"), *e = parse("d://h"), *f = parse("d://h/");
    assert_true(ag_url_equal(a, b));
    assert_true(ag_url_hash(a) == ag_url_hash(b));
    assert_false(ag_url_equal(c, d));
    assert_false(ag_url_equal(e, f));
    ag_url *all[] = {a, b, c, d, e, f};
    for (size_t i = 0; i < 6; i++)
        ag_url_unref(all[i]);
}

static const struct {
    const char *text, *says;
} refused[] = {
    {"", "expected dialect://"},
    {"foo",
     "expected \"://\" after the driver name, as in sqlite:///file.db or postgresql://user@host/database (at byte 4)"},
    {"sqlite:/x", "expected \"://\""},
    {"d-b://x", "(at byte 2)"},
    {"d://h:/db", "port is not a number from 1 to 65535 (at byte 7)"},
    {"d://h:abc/db", "port is not a number"},
    {"d://h:0/db", "port is not a number"},
    {"d://h:65536/db", "port is not a number"},
    {"d://h:1.5/db", "port is not a number"},
    {"d://[::1/db", "'[' without ']'"},
    {"d://[]/db", "empty host"},
    {"d://[::1]x/db", "expected ':' or '/' after ']'"},
    {"d://h1,,h2/db", "empty host in the host list"},
    {"d://h1:x,h2/db", "port is not a number"},
    {"d://u:100%@h/db", "bad percent-escape in the password"},
    {"d://h/a%zz", "bad percent-escape in the database (at byte 8)"},
    {"d://h/a%2", "bad percent-escape"},
    {"d://h/a%00b", "NUL in the database"},
    {"d://h/a%ff", "not valid UTF-8"},
    {"d://h?x", "expected key=value in the query (at byte 7)"},
    {"d://h?=x", "empty key"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        ag_error err = {0};
        ag_url *u;
        if (ag_url_parse(&u, ag_alloc_libc(), refused[i].text, strlen(refused[i].text), &err) != AG_ERROR)
            fail_msg("\"%s\" was taken", refused[i].text);
        assert_null(u);
        assert_int_equal(err.cls, AG_EXC_ARGUMENT);
        if (!strstr(ag_error_message(&err), refused[i].says))
            fail_msg("\"%s\": %s", refused[i].text, ag_error_message(&err));
        assert_null(strstr(ag_error_message(&err), "100%@")); /* no part of a password */
        ag_error_clear(&err);
    }
    ag_error err = {0};
    ag_url *u;
    assert_int_equal(ag_url_parse(&u, ag_alloc_libc(), "d://h\0x", 7, &err), AG_ERROR);
    ag_error_clear(&err);
    ag_url_parts parts = {.drivername = {"d", 1}, .username = {"a\0b", 3}, .port = -1};
    assert_int_equal(ag_url_create(&u, ag_alloc_libc(), &parts, &err), AG_ERROR);
    ag_error_clear(&err);
    parts = (ag_url_parts){.drivername = {"d b", 3}, .port = -1};
    assert_int_equal(ag_url_create(&u, ag_alloc_libc(), &parts, &err), AG_ERROR);
    ag_error_clear(&err);
    parts = (ag_url_parts){.port = -1};
    assert_int_equal(ag_url_create(&u, ag_alloc_libc(), &parts, &err), AG_ERROR);
    ag_error_clear(&err);
    parts = (ag_url_parts){.drivername = {"d", 1}, .port = 70000};
    assert_int_equal(ag_url_create(&u, ag_alloc_libc(), &parts, &err), AG_ERROR);
    ag_error_clear(&err);
}

static const struct {
    const char *text;
    const char *want; /* "host:port host:port", or "!text of the error" */
} hosts[] = {
    {"p://USER:PASS@/DB?host=hostA", "hostA:0"},
    {"p://USER:PASS@/DB?host=hostA:xyz", "hostA:xyz:0"},
    {"p://USER:PASS@/DB?host=hostA:123.456", "hostA:123.456:0"},
    {"p://USER:PASS@/DB?host=192.168.1.50", "192.168.1.50:0"},
    {"p://USER:PASS@/DB?host=192.168.1.50:", "192.168.1.50:0"},
    {"p://USER:PASS@/DB?host=192.168.1.50:5678", "192.168.1.50:5678"},
    {"p://USER:PASS@/DB?host=/cloudsql/my-gcp-project:us-central1:mydbisnstance",
     "/cloudsql/my-gcp-project:us-central1:mydbisnstance:0"},
    {"p://USER:PASS@/DB?host=/cloudsql/my-gcp-project:4567", "/cloudsql/my-gcp-project:4567:0"},
    {"p://USER:PASS@/DB?host=hostA&host=hostB&host=hostC", "hostA:0 hostB:0 hostC:0"},
    {"p://USER:PASS@/DB?host=hostA&host=hostB:222&host=hostC:333", "hostA:0 hostB:222 hostC:333"},
    {"p:///?host=hostA:111&host=hostB:222&host=hostC:333", "hostA:111 hostB:222 hostC:333"},
    {"p:///?host=hostA,hostB,hostC&port=111,222,333", "hostA:111 hostB:222 hostC:333"},
    {"p:///?host=hostA,hostB&port=111&port=222", "hostA:111 hostB:222"},
    {"p:///?host=hostA,hostB,hostC&port=111,&port=333", "hostA:111 hostB:0 hostC:333"},
    {"p:///?host=hostA,hostB&port=&port=", "hostA:0 hostB:0"},
    {"p://USER:PASS@/DB?host=hostA,hostB,&port=111,222,333", "hostA:111 hostB:222 :333"},
    {"p://USER:PASS@hostfixed/DB?port=111", "hostfixed:111"},
    {"p://USER:PASS@hostfixed/DB?host=hostA:111", "hostA:111"},
    {"p://USER:PASS@hostfixed/DB?host=hostA&port=111", "hostA:111"},
    {"p://USER:PASS@hostfixed/DB?host=hostA", "hostA:0"},
    {"p://USER:PASS@/DB?port=111", ":111"},
    {"p://h1:5432,h2,[::1]:99/db", "h1:5432 h2:0 ::1:99"},
    {"p://h:1/db", "h:1"},
    {"p:///db", ""},
    {"p://USER:PASS@/DB?host=hostA:111&host=hostB:vvv&host=hostC:333", "!Received non-integer port arguments"},
    {"p://USER:PASS@/DB?host=hostA,hostB:,hostC&port=111,vvv,333", "!Received non-integer port arguments"},
    {"p://USER:PASS@/DB?host=hostA:xyz&host=hostB:123", "!Received non-integer port arguments"},
    {"p://USER:PASS@/DB?host=hostA&port=xyz", "!Received non-integer port arguments"},
    {"p://USER:PASS@/DB?host=hostA,hostC&port=111,222,333", "!number of hosts and ports"},
    {"p://USER:PASS@/DB?host=hostA&port=111,222", "!number of hosts and ports"},
    {"p:///?host=H&host=H&port=5432,5432", "!Can't mix 'multihost' formats together"},
};

static void test_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        ag_url *u = parse(hosts[i].text);
        ag_error err = {0};
        ag_arena ar;
        ag_buf got;
        const char *const *names;
        const uint16_t *ports;
        size_t n;
        ag_arena_init(&ar, ag_alloc_libc());
        ag_buf_init(&got, ag_alloc_libc());
        ag_status st = ag_url_hosts(u, &ar, &names, &ports, &n, &err);
        if (hosts[i].want[0] == '!') {
            assert_int_equal(st, AG_ERROR);
            if (!strstr(ag_error_message(&err), hosts[i].want + 1))
                fail_msg("%s: %s", hosts[i].text, ag_error_message(&err));
        } else {
            assert_int_equal(st, AG_OK);
            for (size_t k = 0; k < n; k++)
                ag_buf_printf(&got, "%s%s:%d", k ? " " : "", names[k], ports[k]);
            assert_string_equal(got.data ? got.data : "", hosts[i].want);
        }
        ag_error_clear(&err);
        ag_buf_clear(&got);
        ag_arena_clear(&ar);
        ag_url_unref(u);
    }
}

static void test_bool(void **state)
{
    (void)state;
    bool b = false;
    assert_true(ag_url_bool(AG_STR("True"), &b) && b);
    assert_true(ag_url_bool(AG_STR("off"), &b) && !b);
    assert_false(ag_url_bool(AG_STR("maybe"), &b));
    assert_false(ag_url_bool(AG_STR(""), &b));
}

static ag_status sweep_work(const ag_alloc *a, void *ud)
{
    static const char text[] = "p://u:p%40@h1:1,h2:2/db?x=1&host=a:1&host=b:2";
    ag_error err;
    ag_url *u = NULL, *v = NULL;
    ag_arena ar;
    const char *const *names;
    const uint16_t *ports;
    size_t n;
    (void)ud;
    ag_error_init(&err, a);
    ag_arena_init(&ar, a);
    ag_status st = ag_url_parse(&u, a, text, sizeof text - 1, &err);
    if (st == AG_OK)
        st = ag_url_update_query_string(&v, u, "y=2&x=3", 7, true, &err);
    if (st == AG_OK)
        st = ag_url_hosts(v, &ar, &names, &ports, &n, &err);
    ag_url_unref(u);
    ag_url_unref(v);
    ag_arena_clear(&ar);
    ag_error_clear(&err);
    return st;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    sweep_run(sweep_work, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),   cmocka_unit_test(test_password_is_hidden),
        cmocka_unit_test(test_query),   cmocka_unit_test(test_update_query),
        cmocka_unit_test(test_set),     cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_bool),    cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

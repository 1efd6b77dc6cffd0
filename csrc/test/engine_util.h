/* What the tests of the engine share: an engine on a URL, statements in one line, a host that answers events and
 * simulates a scheduler. Everything asserts on failure unless it says otherwise. */
#ifndef AG_TEST_ENGINE_UTIL_H
#define AG_TEST_ENGINE_UTIL_H

#include "engine/execute.h"

/* A host for tests: counts wakes, records log lines and events. */
typedef struct test_host {
    ag_host base;
    unsigned wakes;
    const void *last_token;
    char log[8192];                                                          /* lines, each ended by \n */
    char events[4096];                                                       /* names of events told, blank-separated */
    ag_status (*on_event)(struct test_host *h, ag_event *ev, ag_error *err); /* may be NULL; AG_ERROR = raise */
    ag_status (*on_call)(struct test_host *h, ag_call *call, ag_error *err); /* other calls */
    void *ud;
} test_host;
void test_host_init(test_host *h);

/* Step op to its end; calls go to the host, waits are polled. Asserts nothing. */
ag_status test_run(ag_op *op, test_host *h, ag_error *err);

/* An engine; url NULL: a fresh SQLite file that test_engine_file names. o may be NULL. */
ag_engine *test_engine(const char *url, ag_engine_options *o);
/* The driver of a URL, or NULL when it was not built. */
const ag_driver *test_driver(const char *url);
/* Text of ARGENT_PG_URL, or NULL (the test is skipped then). */
const char *test_pg_url(void);
/* A path of a database file that does not exist (any more); static buffer. */
const char *test_file(const char *name);

ag_connection *test_connect(ag_engine *e);
/* Run text with n integer parameters; the result, or NULL with err filled. */
ag_result *test_exec(ag_connection *c, const char *text, ag_error *err);
void test_do(ag_connection *c, const char *text);
/* First cell of the first row as an integer; asserts there is one. */
int64_t test_int(ag_connection *c, const char *text);
/* Transaction operations by name: "begin" "commit" "rollback" "nested". The handle of a begin (unref it), else NULL. */
ag_transaction *test_tx(ag_connection *c, const char *what, ag_error *err);
ag_status test_tx_end(ag_transaction *t, const char *what, ag_error *err);

#endif

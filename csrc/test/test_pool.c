/* Pools over the fake driver: limits, waiting, recycling, pinging, resetting, invalidating, events, forks, out of
 * memory. */
#include "engine/pool.h"
#include "test/engine_util.h"
#include "test/fake_driver.h"
#include "test/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static fake_driver fake;
static test_host host;

static ag_url *make_url(const ag_alloc *a)
{
    ag_url *u;
    ag_error err = {0};
    if (ag_url_parse(&u, a, "fake://h/db", 11, &err) == AG_OK)
        return u;
    ag_error_clear(&err);
    return NULL;
}

static ag_pool *make_pool(const ag_pool_options *o)
{
    fake_init(&fake);
    test_host_init(&host);
    host.base.has_scheduler = true;
    ag_pool_config cfg = {.options = *o, .driver = &fake.base, .host = &host.base, .alloc = ag_alloc_libc()};
    cfg.url = make_url(cfg.alloc);
    ag_pool *p;
    ag_error err = {0};
    if (ag_pool_new(&p, &cfg, &err) != AG_OK)
        fail_msg("%s", ag_error_message(&err));
    ag_url_unref(cfg.url);
    return p;
}

static ag_pool *queue_pool(uint32_t size, int64_t overflow)
{
    ag_pool_options o = ag_pool_options_default();
    o.size = size;
    o.max_overflow = overflow;
    return make_pool(&o);
}

static ag_pconn *checkout(ag_pool *p, ag_error *err)
{
    ag_checkout_op op;
    ag_pconn *c = NULL;
    assert_int_equal(ag_checkout_init(&op, p, NULL, "here.lua:1", AG_NO_DEADLINE, err), AG_OK);
    if (test_run(&op.op, &host, err) == AG_OK) {
        c = op.conn;
        op.conn = NULL;
    }
    ag_op_clear(&op.op);
    return c;
}

static ag_pconn *take(ag_pool *p)
{
    ag_error err = {0};
    ag_pconn *c = checkout(p, &err);
    if (!c)
        fail_msg("%s", ag_error_message(&err));
    return c;
}

static void assert_stats(ag_pool *p, unsigned in, unsigned out, int64_t overflow)
{
    ag_pool_stats s;
    ag_pool_stats_get(p, &s);
    assert_int_equal(s.checked_in, in);
    assert_int_equal(s.checked_out, out);
    assert_int_equal(s.overflow, overflow);
}

static void test_reuse_and_limits(void **state)
{
    (void)state;
    ag_pool *p = queue_pool(2, 1);
    ag_error err = {0};
    ag_pconn *a = take(p), *b = take(p), *c = take(p);
    assert_stats(p, 0, 3, 1);
    host.base.has_scheduler = false;
    assert_null(checkout(p, &err));
    assert_int_equal(err.cls, AG_EXC_TIMEOUT);
    assert_non_null(strstr(ag_error_message(&err), "QueuePool limit of size 2 overflow 1 reached"));
    assert_non_null(strstr(ag_error_message(&err), "without a scheduler"));
    assert_non_null(strstr(ag_error_message(&err), "borrowed at here.lua:1"));
    ag_error_clear(&err);
    ag_pconn_release(a, 0);
    ag_pconn_release(b, 0);
    ag_pconn_release(c, 0); /* beyond size: closed */
    assert_stats(p, 2, 0, 0);
    assert_int_equal(fake.closed, 1);
    a = take(p);
    assert_int_equal(ag_pconn_id(a), 2); /* LIFO */
    ag_pconn_release(a, 0);
    assert_int_equal(fake.opened, 3);
    ag_buf text;
    ag_buf_init(&text, ag_alloc_libc());
    ag_pool_status(p, &text);
    assert_string_equal(text.data,
                        "Pool size: 2  Connections in pool: 2 Current Overflow: 0 Current Checked out connections: 0");
    ag_buf_clear(&text);
    ag_pool_unref(p);
    assert_int_equal(fake.live, 0);
}

static void test_fifo_and_unlimited(void **state)
{
    (void)state;
    ag_pool_options o = ag_pool_options_default();
    o.fifo = true;
    o.size = 1;
    o.max_overflow = -1;
    ag_pool *p = make_pool(&o);
    ag_pconn *c[20];
    for (int i = 0; i < 20; i++)
        c[i] = take(p);
    for (int i = 0; i < 20; i++)
        ag_pconn_release(c[i], 0);
    assert_stats(p, 1, 0, 0);
    ag_pool_unref(p);
    o.size = 0; /* no limit at all, everything is kept */
    o.max_overflow = 0;
    p = make_pool(&o);
    for (int i = 0; i < 20; i++)
        c[i] = take(p);
    for (int i = 0; i < 20; i++)
        ag_pconn_release(c[i], 0);
    assert_stats(p, 20, 0, 20);
    ag_pconn *first = take(p);
    assert_int_equal(ag_pconn_id(first), 1);
    ag_pconn_release(first, 0);
    ag_pool_unref(p);
    assert_int_equal(fake.live, 0);
}

static void test_waiters_are_served_in_order(void **state)
{
    (void)state;
    ag_pool *p = queue_pool(1, 0);
    ag_error err = {0};
    ag_checkout_op w[3];
    ag_pconn *a = take(p);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ag_checkout_init(&w[i], p, NULL, NULL, AG_NO_DEADLINE, &err), AG_OK);
        assert_int_equal(ag_op_step(&w[i].op, &err), AG_STEP_WAIT);
        assert_ptr_equal(w[i].op.wait.token, &w[i]);
    }
    ag_pool_stats s;
    ag_pool_stats_get(p, &s);
    assert_int_equal(s.waiting, 3);
    ag_pconn_release(a, 0);
    assert_int_equal(host.wakes, 1);
    assert_ptr_equal(host.last_token, &w[0]);
    /* who comes later does not overtake, who was not woken waits on */
    assert_int_equal(ag_op_step(&w[1].op, &err), AG_STEP_WAIT);
    host.base.has_scheduler = false;
    assert_null(checkout(p, &err));
    ag_error_clear(&err);
    host.base.has_scheduler = true;
    /* the woken one gives up: the next gets it */
    ag_op_clear(&w[0].op);
    assert_int_equal(host.wakes, 2);
    assert_int_equal(ag_op_step(&w[1].op, &err), AG_STEP_DONE);
    /* broken on return: the slot goes on to the last */
    ag_pconn *b = w[1].conn;
    w[1].conn = NULL;
    ag_op_clear(&w[1].op);
    ag_pconn_release(b, AG_PR_BROKEN);
    assert_int_equal(ag_op_step(&w[2].op, &err), AG_STEP_DONE);
    ag_op_clear(&w[2].op); /* gives back */
    assert_stats(p, 1, 0, 0);
    ag_pool_unref(p);
    assert_int_equal(fake.live, 0);
}

static void test_timeout(void **state)
{
    (void)state;
    ag_pool_options o = ag_pool_options_default();
    o.size = 1;
    o.max_overflow = 0;
    o.timeout_us = 20000;
    ag_pool *p = make_pool(&o);
    ag_error err = {0};
    ag_pconn *a = take(p);
    int64_t began = ag_now_us();
    assert_null(checkout(p, &err));
    assert_true(ag_now_us() - began >= 20000);
    assert_int_equal(err.cls, AG_EXC_TIMEOUT);
    assert_non_null(strstr(ag_error_message(&err), "connection timed out, timeout 0.02 s. Held by: #1 for 0.0"));
    ag_error_clear(&err);
    ag_pool_stats s;
    ag_pool_stats_get(p, &s);
    assert_int_equal(s.timeouts, 1);
    assert_int_equal(s.waiting, 0);
    ag_pconn_release(a, 0);
    ag_pool_unref(p);
}

static void test_reset_on_return(void **state)
{
    (void)state;
    static const char *const want[] = {"1+ 1:BEGIN;| 1~ ", "1+ 1:BEGIN;| 1:COMMIT;| ", "1+ 1:BEGIN;| "};
    for (int r = 0; r < 3; r++) {
        ag_pool_options o = ag_pool_options_default();
        o.reset = (ag_pool_reset)r;
        ag_pool *p = make_pool(&o);
        ag_error err = {0};
        ag_pconn *c = take(p);
        ag_raw_op raw;
        assert_int_equal(ag_raw_init(&raw, c, "BEGIN", 5, NULL, 0, 1, AG_NO_DEADLINE, &err), AG_OK);
        assert_int_equal(ag_op_run(&raw.op, &err), AG_OK);
        assert_string_equal(raw.reply.tag, "BEGIN");
        ag_op_clear(&raw.op);
        fake.drain_waits = fake.collect_waits = 3;
        ag_pconn_release(c, 0);
        assert_string_equal(fake.log, want[r]);
        c = take(p);
        assert_int_equal(ag_pconn_id(c), 1);
        assert_int_equal(fake.base.tx_state(ag_pconn_driver(c)), r == AG_RESET_NONE ? AG_TX_ACTIVE : AG_TX_IDLE);
        /* what the pool did not begin it can be told to roll back */
        ag_pconn_release(c, AG_PR_ROLLBACK);
        c = take(p);
        assert_int_equal(fake.base.tx_state(ag_pconn_driver(c)), AG_TX_IDLE);
        ag_pconn_release(c, AG_PR_DISCARD);
        assert_non_null(strstr(fake.log, "1~discard"));
        ag_pool_unref(p);
        assert_int_equal(fake.live, 0);
    }
}

static void test_drain_that_fails_is_replaced(void **state)
{
    (void)state;
    ag_pool *p = queue_pool(1, 0);
    ag_pconn *c = take(p);
    fake.drain_fails = true;
    ag_pconn_release(c, AG_PR_DISCARD);
    c = take(p);
    assert_int_equal(fake.opened, 2);
    assert_int_equal(fake.closed, 1);
    ag_pconn_release(c, 0);
    ag_pool_unref(p);
}

static void test_recycle_and_liveness(void **state)
{
    (void)state;
    ag_pool_options o = ag_pool_options_default();
    o.recycle_us = 0;
    ag_pool *p = make_pool(&o);
    ag_pconn *c = take(p);
    ag_pconn_release(c, 0);
    usleep(1000);
    c = take(p);
    assert_int_equal(fake.opened, 2);
    ag_pconn_release(c, 0);
    ag_pool_stats s;
    ag_pool_stats_get(p, &s);
    assert_int_equal(s.recycled, 1);
    ag_pool_unref(p);
    p = queue_pool(5, 0);
    c = take(p);
    ag_pconn_release(c, 0);
    fake.dead = true;
    c = take(p); /* the socket says it is gone */
    assert_int_equal(fake.opened, 2);
    ag_pconn_release(c, 0);
    ag_pool_unref(p);
}

static void test_pre_ping(void **state)
{
    (void)state;
    ag_pool_options o = ag_pool_options_default();
    o.pre_ping = true;
    ag_pool *p = make_pool(&o);
    ag_pconn *a = take(p), *b = take(p), *c = take(p);
    ag_pconn_release(a, 0);
    ag_pconn_release(b, 0);
    fake.collect_waits = 2;
    a = take(p);
    assert_non_null(strstr(fake.log, "2:SELECT 1;| "));
    ag_pconn_release(a, 0);
    fake.ping_lost = true; /* one connection is lost: so are the others, the one that is lent too */
    a = take(p);
    b = take(p);
    assert_int_equal(fake.opened, 5);
    ag_pconn_release(c, 0);
    assert_int_equal(fake.live, 2);
    ag_pool_stats s;
    ag_pool_stats_get(p, &s);
    assert_int_equal(s.ping_failures, 1);
    ag_pconn_release(a, 0);
    ag_pconn_release(b, 0);
    ag_pool_unref(p);
    assert_int_equal(fake.live, 0);
}

static ag_status on_ping(test_host *h, ag_event *ev, ag_error *err)
{
    const char *how = h->ud;
    if (ev->id != AG_EV_HANDLE_ERROR)
        return AG_OK;
    assert_true(ev->u.error.is_pre_ping && ev->u.error.is_disconnect);
    ev->u.error.invalidate_pool_on_disconnect = strcmp(how, "keep pool") != 0;
    ev->u.error.is_disconnect = strcmp(how, "no disconnect") != 0;
    return strcmp(how, "raise") == 0 ? ag_fail(err, AG_EXC_DATA, "raised") : AG_OK;
}

static void test_pre_ping_listeners(void **state)
{
    (void)state;
    static const char *const how[] = {"nothing", "keep pool", "no disconnect", "raise"};
    for (int i = 0; i < 4; i++) {
        ag_pool_options o = ag_pool_options_default();
        ag_error err = {0};
        char word[20];
        o.pre_ping = true;
        ag_pool *p = make_pool(&o);
        ag_pool_set_events(p, AG_EV_BIT(AG_EV_HANDLE_ERROR));
        host.on_event = on_ping;
        host.ud = strcpy(word, how[i]);
        ag_pconn *a = take(p), *b = take(p);
        ag_pconn_release(a, 0);
        ag_pconn_release(b, 0);
        fake.ping_lost = true;
        a = checkout(p, &err);
        assert_int_equal(a != NULL, i < 2);
        assert_string_equal(ag_error_message(&err), i < 2 ? "no error" : i == 2 ? "scripted failure" : "raised");
        ag_error_clear(&err);
        b = take(p);
        assert_int_equal(fake.opened, i == 0 ? 4 : 3);
        ag_pconn_release(b, 0);
        if (a)
            ag_pconn_release(a, 0);
        ag_pool_unref(p);
        assert_int_equal(fake.live, 0);
    }
}

static void test_connect_errors_free_their_slot(void **state)
{
    (void)state;
    ag_pool *p = queue_pool(1, 0);
    ag_error err = {0};
    fake.open_fails = true;
    fake.open_waits = 2;
    assert_null(checkout(p, &err));
    assert_int_equal(err.cls, AG_EXC_OPERATIONAL);
    assert_string_equal(ag_error_message(&err), "cannot connect");
    ag_error_clear(&err);
    assert_stats(p, 0, 0, -1);
    assert_int_equal(fake.live, 0);
    fake.open_fails = false;
    ag_pconn_release(take(p), 0);
    ag_pool_unref(p);
}

static void test_connect_abandoned(void **state)
{
    (void)state;
    ag_pool *p = queue_pool(1, 0);
    ag_error err = {0};
    ag_checkout_op op;
    fake.open_waits = 2;
    assert_int_equal(ag_checkout_init(&op, p, NULL, NULL, AG_NO_DEADLINE, &err), AG_OK);
    assert_int_equal(ag_op_step(&op.op, &err), AG_STEP_WAIT);
    ag_op_clear(&op.op);
    assert_int_equal(fake.live, 0);
    assert_stats(p, 0, 0, -1);
    ag_pool_unref(p);
}

static void test_connect_deadline(void **state)
{
    (void)state;
    ag_pool *p = queue_pool(1, 0);
    ag_error err = {0};
    ag_checkout_op op;
    fake.open_waits = 100000;
    assert_int_equal(ag_checkout_init(&op, p, NULL, NULL, ag_now_us() + 15000, &err), AG_OK);
    assert_int_equal(ag_op_run(&op.op, &err), AG_ERROR);
    assert_int_equal(err.cls, AG_EXC_OPERATIONAL);
    ag_error_clear(&err);
    ag_op_clear(&op.op);
    assert_int_equal(fake.live, 0);
    ag_pool_unref(p);
}

static void test_invalidation(void **state)
{
    (void)state;
    ag_pool *p = queue_pool(3, 0);
    ag_pconn *a = take(p), *b = take(p), *c = take(p);
    ag_pconn_invalidate(a, false, false, NULL);
    assert_false(ag_pconn_is_valid(a));
    ag_pconn_release(a, 0);
    assert_stats(p, 0, 2, -1);
    ag_pconn_invalidate(b, true, false, NULL); /* soft: usable until it comes back */
    assert_true(ag_pconn_is_valid(b));
    ag_pconn_release(b, 0);
    b = take(p);
    assert_int_equal(fake.opened, 4);
    ag_pconn_invalidate(b, false, true, NULL); /* the generation ends */
    ag_pconn_release(b, 0);
    ag_pconn_release(c, 0);
    assert_stats(p, 0, 0, -3);
    assert_int_equal(fake.live, 0);
    ag_pool_unref(p);
}

static void test_detach(void **state)
{
    (void)state;
    ag_pool *p = queue_pool(1, 0);
    ag_pconn *a = take(p);
    ag_pconn_detach(a);
    ag_pconn *b = take(p);
    ag_pconn_release(b, 0);
    assert_int_equal(fake.live, 2);
    ag_pconn_release(a, 0);
    assert_int_equal(fake.live, 1);
    ag_pool_unref(p);
}

static void test_dispose(void **state)
{
    (void)state;
    ag_pool *p = queue_pool(2, 0);
    ag_pconn *a = take(p), *b = take(p);
    ag_pconn_release(a, 0);
    ag_pool_dispose(p, true);
    assert_int_equal(fake.live, 1);
    assert_true(ag_pconn_is_valid(b));
    ag_pconn_release(b, 0); /* of the old generation */
    assert_int_equal(fake.live, 0);
    ag_pconn_release(take(p), 0);
    ag_pool_unref(p);
    assert_int_equal(fake.live, 0);
}

static void test_pool_outlives_its_handle(void **state)
{
    (void)state;
    ag_pool *p = queue_pool(2, 0);
    ag_pconn *a = take(p);
    ag_pool_unref(p);
    assert_int_equal(fake.live, 1);
    ag_pconn_release(a, 0);
    assert_int_equal(fake.live, 0);
}

static void test_null_pool(void **state)
{
    (void)state;
    ag_pool_options o = ag_pool_options_default();
    o.kind = AG_POOL_NULL;
    ag_pool *p = make_pool(&o);
    for (int i = 0; i < 3; i++)
        ag_pconn_release(take(p), 0);
    assert_int_equal(fake.opened, 3);
    assert_int_equal(fake.live, 0);
    ag_pool_unref(p);
}

static void test_static_pool(void **state)
{
    (void)state;
    ag_pool_options o = ag_pool_options_default();
    o.kind = AG_POOL_STATIC;
    ag_pool *p = make_pool(&o);
    ag_pconn *a = take(p), *b = take(p);
    assert_ptr_equal(a, b);
    ag_pconn_release(a, 0);
    assert_int_equal(fake.live, 1);
    ag_pconn_release(b, 0);
    assert_int_equal(fake.live, 1);
    a = take(p);
    ag_pconn_invalidate(a, false, false, NULL);
    ag_pconn_release(a, 0);
    a = take(p);
    assert_int_equal(fake.opened, 2);
    ag_pconn_release(a, 0);
    ag_pool_unref(p);
    assert_int_equal(fake.live, 0);
}

static void test_assertion_pool(void **state)
{
    (void)state;
    ag_pool_options o = ag_pool_options_default();
    ag_error err = {0};
    o.kind = AG_POOL_ASSERTION;
    ag_pool *p = make_pool(&o);
    ag_pconn *a = take(p);
    assert_null(checkout(p, &err));
    assert_int_equal(err.cls, AG_EXC_INVALID_REQUEST);
    assert_non_null(strstr(ag_error_message(&err), "already checked out. Held by: #1"));
    ag_error_clear(&err);
    ag_pconn_release(a, 0);
    a = take(p);
    assert_int_equal(fake.opened, 1);
    ag_pconn_release(a, 0);
    ag_pool_unref(p);
}

static ag_status reject_first(test_host *h, ag_event *ev, ag_error *err)
{
    (void)err;
    unsigned *left = h->ud;
    if (ev->id == AG_EV_CHECKOUT && *left) {
        --*left;
        ev->u.checkout.disconnect = true;
        ev->u.checkout.invalidate_pool = true;
    }
    return AG_OK;
}

static void test_events(void **state)
{
    (void)state;
    ag_pool *p = queue_pool(1, 0);
    ag_error err = {0};
    ag_pool_set_events(p, ~(uint64_t)0 & ~AG_EV_BIT(AG_EV_DO_CONNECT));
    ag_pconn *c = take(p);
    assert_string_equal(host.events, "first_connect connect checkout");
    host.events[0] = '\0';
    ag_pconn_release(c, 0); /* tells nothing now … */
    assert_string_equal(host.events, "");
    c = take(p); /* … but with the next operation */
    assert_string_equal(host.events, "reset checkin checkout");
    ag_pconn_invalidate(c, false, false, NULL);
    ag_pconn_release(c, 0);
    host.events[0] = '\0';
    c = take(p);
    assert_string_equal(host.events, "invalidate close checkin connect checkout");
    ag_pconn_release(c, 0);
    unsigned left = 2;
    host.on_event = reject_first;
    host.ud = &left;
    fake.opened = 0;
    c = take(p);
    assert_int_equal(fake.opened, 2);
    ag_pconn_release(c, 0);
    left = 100;
    assert_null(checkout(p, &err));
    assert_non_null(strstr(ag_error_message(&err), "rejected 3 connections in a row"));
    ag_error_clear(&err);
    left = 0;
    /* an event nobody came to hear */
    c = take(p);
    ag_pconn_release(c, 0);
    ag_pool_unref(p);
    assert_int_equal(fake.live, 0);
}

static ag_status raise_it(test_host *h, ag_event *ev, ag_error *err)
{
    (void)ev;
    return h->ud ? ag_fail(err, AG_EXC_INVALID_REQUEST, "no") : AG_OK;
}

static void test_listeners_that_raise(void **state)
{
    (void)state;
    static const ag_event_id ids[] = {AG_EV_FIRST_CONNECT, AG_EV_CONNECT, AG_EV_CHECKOUT, AG_EV_DO_CONNECT};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        ag_pool *p = queue_pool(1, 0);
        ag_error err = {0};
        ag_pool_set_events(p, AG_EV_BIT(ids[i]));
        host.on_event = raise_it;
        host.ud = &err;
        assert_null(checkout(p, &err));
        assert_string_equal(ag_error_message(&err), "no");
        ag_error_clear(&err);
        host.ud = NULL;
        ag_pconn_release(take(p), 0);
        assert_int_equal(fake.live, 1);
        ag_pool_unref(p);
        assert_int_equal(fake.live, 0);
    }
}

static ag_status other_url(test_host *h, ag_event *ev, ag_error *err)
{
    (void)h;
    return ag_url_parse(&ev->u.do_connect.replace, ag_alloc_libc(), "fake://other", 12, err);
}

static void test_do_connect(void **state)
{
    (void)state;
    ag_pool *p = queue_pool(1, 0);
    ag_pool_set_events(p, AG_EV_BIT(AG_EV_DO_CONNECT));
    host.on_event = other_url;
    ag_pconn_release(take(p), 0);
    ag_pool_unref(p);
    assert_int_equal(fake.live, 0);
}

static void test_fork(void **state)
{
    (void)state;
    ag_pool *p = queue_pool(2, 0);
    ag_pconn *a = take(p), *b = take(p);
    ag_pconn_release(a, 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        ag_error err = {0};
        bool ok = !checkout(p, &err) && err.set && strstr(ag_error_message(&err), "after fork()");
        ag_error_clear(&err);
        ag_pconn_release(b, 0);
        ok = ok && fake.closed == 0; /* the parent's sockets are left alone */
        ag_pool_dispose(p, false);
        ag_pconn *c = checkout(p, &err);
        ok = ok && c && ag_pconn_id(c) == 3;
        _exit(ok ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    ag_pconn_release(b, 0);
    ag_pconn_release(take(p), 0);
    ag_pool_unref(p);
    assert_int_equal(fake.live, 0);
}

/* ---- out of memory ---- */

static ag_status use_pool(ag_pool *p, const ag_alloc *a, ag_error *err)
{
    ag_checkout_op op, second;
    ag_raw_op raw;
    ag_status st = ag_checkout_init(&op, p, NULL, "here", AG_NO_DEADLINE, err);
    if (st != AG_OK)
        return st;
    st = test_run(&op.op, &host, err);
    if (st == AG_OK) {
        st = ag_raw_init(&raw, op.conn, "BEGIN", 5, NULL, 0, 1, AG_NO_DEADLINE, err);
        if (st == AG_OK) {
            st = test_run(&raw.op, &host, err);
            ag_op_clear(&raw.op);
        }
    }
    ag_op_clear(&op.op); /* gives back, dirty */
    if (st != AG_OK)
        return st;
    st = ag_checkout_init(&second, p, NULL, "there", AG_NO_DEADLINE, err);
    if (st != AG_OK)
        return st;
    st = test_run(&second.op, &host, err);
    if (st == AG_OK && fake.base.tx_state(ag_pconn_driver(second.conn)) != AG_TX_IDLE)
        st = AG_ERROR;
    ag_op_clear(&second.op);
    (void)a;
    return st;
}

static ag_status sweep_work(const ag_alloc *a, void *ud)
{
    (void)ud;
    fake_init(&fake);
    test_host_init(&host);
    ag_connect_option args[] = {{"a", "b"}};
    ag_pool_config cfg = {.options = ag_pool_options_default(), .driver = &fake.base, .host = &host.base, .alloc = a};
    cfg.options.pre_ping = true;
    cfg.options.logging_name = "x";
    cfg.connect_args = args;
    cfg.nconnect_args = 1;
    cfg.url = make_url(a);
    if (!cfg.url)
        return AG_NOMEM;
    ag_pool *p;
    ag_error err;
    ag_error_init(&err, a);
    ag_status st = ag_pool_new(&p, &cfg, &err);
    ag_url_unref(cfg.url);
    if (st == AG_OK) {
        ag_pool_set_events(p, ~(uint64_t)0);
        st = use_pool(p, a, &err);
        ag_pool_unref(p);
    }
    ag_error_clear(&err);
    if (fake.live)
        fail_msg("%u driver connections leak", fake.live);
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
        cmocka_unit_test(test_reuse_and_limits),
        cmocka_unit_test(test_fifo_and_unlimited),
        cmocka_unit_test(test_waiters_are_served_in_order),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_reset_on_return),
        cmocka_unit_test(test_drain_that_fails_is_replaced),
        cmocka_unit_test(test_recycle_and_liveness),
        cmocka_unit_test(test_pre_ping),
        cmocka_unit_test(test_pre_ping_listeners),
        cmocka_unit_test(test_connect_errors_free_their_slot),
        cmocka_unit_test(test_connect_abandoned),
        cmocka_unit_test(test_connect_deadline),
        cmocka_unit_test(test_invalidation),
        cmocka_unit_test(test_detach),
        cmocka_unit_test(test_dispose),
        cmocka_unit_test(test_pool_outlives_its_handle),
        cmocka_unit_test(test_null_pool),
        cmocka_unit_test(test_static_pool),
        cmocka_unit_test(test_assertion_pool),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_listeners_that_raise),
        cmocka_unit_test(test_do_connect),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

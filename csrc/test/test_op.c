/* Operations: stepping, nesting, answers, driving with poll. */
#include "engine/op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct counter {
    ag_op op;
    int waits, calls, cleared;
    bool fails;
    int64_t got;
} counter;

static ag_step count_step(ag_op *base, ag_error *err)
{
    counter *c = (counter *)base;
    AG_CO_BEGIN(base->line)
    while (c->waits > 0) {
        c->waits--;
        base->wait = (ag_wait){.fd = -1, .deadline = ag_now_us() + 500};
        AG_CO_YIELD(base->line, AG_STEP_WAIT)
    }
    while (c->calls > 0) {
        c->calls--;
        base->call = (ag_call){.kind = AG_CALL_DEFAULT, .fn = 7};
        AG_CO_YIELD(base->line, AG_STEP_CALL)
        if (ag_op_answer(base, err) != AG_STEP_DONE)
            return AG_STEP_FAILED;
        c->got += base->call.value.u.i;
    }
    if (c->fails) {
        ag_fail(err, AG_EXC_DATA, "it fails");
        return AG_STEP_FAILED;
    }
    AG_CO_END(base->line);
    return AG_STEP_DONE;
}

static void count_clear(ag_op *base)
{
    ((counter *)base)->cleared++;
}

static void count_init(counter *c)
{
    memset(c, 0, sizeof *c);
    ag_op_init(&c->op, "count", count_step, count_clear);
}

typedef struct outer {
    ag_op op;
    counter inner;
} outer;

static ag_step outer_step(ag_op *base, ag_error *err)
{
    outer *o = (outer *)base;
    AG_CO_BEGIN(base->line)
    AG_CO_AWAIT(base->line, ag_op_sub(base, &o->inner.op, err))
    AG_CO_END(base->line);
    return AG_STEP_DONE;
}

static void outer_clear(ag_op *base)
{
    ag_op_clear(&((outer *)base)->inner.op);
}

static void test_run_polls(void **state)
{
    (void)state;
    counter c;
    ag_error err = {0};
    count_init(&c);
    c.waits = 3;
    assert_int_equal(ag_op_run(&c.op, &err), AG_OK);
    assert_true(c.op.finished);
    assert_int_equal(ag_op_step(&c.op, &err), AG_STEP_FAILED);
    assert_non_null(strstr(ag_error_message(&err), "\"count\" is finished"));
    ag_error_clear(&err);
    ag_op_clear(&c.op);
    ag_op_clear(&c.op);
    assert_int_equal(c.cleared, 1);
    counter zero = {0};
    ag_op_clear(&zero.op);
}

static void test_run_cannot_call(void **state)
{
    (void)state;
    counter c;
    ag_error err = {0};
    count_init(&c);
    c.calls = 1;
    assert_int_equal(ag_op_run(&c.op, &err), AG_ERROR);
    assert_non_null(strstr(ag_error_message(&err), "needs a host"));
    ag_error_clear(&err);
    ag_op_clear(&c.op);
}

static void test_calls_pass_through(void **state)
{
    (void)state;
    outer o;
    ag_error err = {0};
    memset(&o, 0, sizeof o);
    ag_op_init(&o.op, "outer", outer_step, outer_clear);
    count_init(&o.inner);
    o.inner.calls = 2;
    o.inner.waits = 1;
    assert_int_equal(ag_op_step(&o.op, &err), AG_STEP_WAIT);
    assert_int_equal(o.op.wait.fd, -1);
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(ag_op_step(&o.op, &err), AG_STEP_CALL);
        assert_true(o.op.calling && o.inner.op.calling);
        assert_int_equal(o.op.call.fn, 7);
        o.op.call.has_value = true;
        o.op.call.value = ag_value_int(10 * i);
    }
    assert_int_equal(ag_op_step(&o.op, &err), AG_STEP_DONE);
    assert_int_equal(o.inner.got, 30);
    ag_op_clear(&o.op);
    assert_int_equal(o.inner.cleared, 1);
}

static void test_failed_callbacks(void **state)
{
    (void)state;
    outer o;
    ag_error err = {0};
    memset(&o, 0, sizeof o);
    ag_op_init(&o.op, "outer", outer_step, outer_clear);
    count_init(&o.inner);
    o.inner.calls = 1;
    assert_int_equal(ag_op_step(&o.op, &err), AG_STEP_CALL);
    o.op.call.failed = true;
    ag_fail(&o.op.call.error, AG_EXC_STATEMENT, "raised");
    o.op.call.error.host_value = 99;
    assert_int_equal(ag_op_step(&o.op, &err), AG_STEP_FAILED);
    assert_string_equal(ag_error_message(&err), "raised");
    assert_int_equal(err.host_value, 99);
    ag_error_clear(&err);
    ag_op_clear(&o.op);
    /* one that leaves no error behind */
    counter c;
    count_init(&c);
    c.calls = 1;
    assert_int_equal(ag_op_step(&c.op, &err), AG_STEP_CALL);
    c.op.call.failed = true;
    assert_int_equal(ag_op_step(&c.op, &err), AG_STEP_FAILED);
    assert_non_null(strstr(ag_error_message(&err), "a callback of operation \"count\" failed"));
    ag_error_clear(&err);
    ag_op_clear(&c.op);
    /* cleared while the callback's error waits to be taken */
    count_init(&c);
    c.calls = 1;
    assert_int_equal(ag_op_step(&c.op, &err), AG_STEP_CALL);
    c.op.call.failed = true;
    ag_fail(&c.op.call.error, AG_EXC_STATEMENT, "raised");
    ag_op_clear(&c.op);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_polls),
        cmocka_unit_test(test_run_cannot_call),
        cmocka_unit_test(test_calls_pass_through),
        cmocka_unit_test(test_failed_callbacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

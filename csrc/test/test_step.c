/* The clock, waiting by poll, and straight code over steps. */
#include "base/step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static void the_clock_goes_forward(void **state)
{
    (void)state;
    int64_t a = ag_now_us();
    ag_wait_poll(&(ag_wait){.fd = -1, .deadline = a + 2000});
    int64_t b = ag_now_us();
    assert_true(b - a >= 2000);
    assert_true(b - a < 5000000);
}

static void passed_deadlines_do_not_wait(void **state)
{
    (void)state;
    int64_t a = ag_now_us();
    for (int i = 0; i < 100; i++)
        ag_wait_poll(&(ag_wait){.fd = -1, .deadline = a - 1});
    ag_wait_poll(&(ag_wait){.fd = -1, .deadline = INT64_MIN / 2});
    assert_true(ag_now_us() - a < 1000000);
}

/* With nothing to wait for it comes back soon, so that the caller looks again. */
static void parked_waits_end(void **state)
{
    (void)state;
    int64_t a = ag_now_us();
    ag_wait_poll(&(ag_wait){.fd = -1, .deadline = AG_NO_DEADLINE, .token = state});
    assert_true(ag_now_us() - a < 5000000);
}

static void readiness_ends_the_wait(void **state)
{
    (void)state;
    int fds[2];
    int64_t a = ag_now_us();
    assert_int_equal(pipe(fds), 0);
    ag_wait_poll(&(ag_wait){.fd = fds[1], .mode = AG_WAIT_WRITE, .deadline = AG_NO_DEADLINE});
    ag_wait_poll(&(ag_wait){.fd = fds[0], .mode = AG_WAIT_READ, .deadline = a + 1000});
    assert_int_equal(write(fds[1], "x", 1), 1);
    ag_wait_poll(&(ag_wait){.fd = fds[0], .mode = AG_WAIT_READ, .deadline = AG_NO_DEADLINE});
    close(fds[1]);
    ag_wait_poll(&(ag_wait){.fd = fds[0], .mode = AG_WAIT_WRITE, .deadline = AG_NO_DEADLINE}); /* hang-up */
    close(fds[0]);
    assert_true(ag_now_us() - a < 5000000);
}

typedef struct task {
    int line, countdown;
    bool fails;
    int log;
} task;

static ag_step count_down(task *t)
{
    if (t->countdown-- > 0)
        return AG_STEP_WAIT;
    return t->fails ? AG_STEP_FAILED : AG_STEP_DONE;
}

static ag_step run(task *t)
{
    ag_step st;
    AG_CO_BEGIN(t->line)
    t->log = 1;
    AG_CO_AWAIT(t->line, count_down(t));
    t->log = 2;
    AG_CO_YIELD(t->line, AG_STEP_CALL);
    t->log = 3;
    t->countdown = 1;
    t->fails = true;
    AG_CO_TRY(t->line, st, count_down(t));
    t->log = st == AG_STEP_FAILED ? 4 : 5;
    AG_CO_END(t->line);
    return AG_STEP_DONE;
}

static void steps_resume_where_they_stopped(void **state)
{
    (void)state;
    task t = {.countdown = 2};
    assert_int_equal(run(&t), AG_STEP_WAIT);
    assert_int_equal(run(&t), AG_STEP_WAIT);
    assert_int_equal(t.log, 1);
    assert_int_equal(run(&t), AG_STEP_CALL);
    assert_int_equal(t.log, 2);
    assert_int_equal(run(&t), AG_STEP_WAIT);
    assert_int_equal(t.log, 3);
    assert_int_equal(run(&t), AG_STEP_DONE);
    assert_int_equal(t.log, 4);
    assert_int_equal(t.line, 0);
    t = (task){.fails = true};
    assert_int_equal(run(&t), AG_STEP_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_goes_forward),
        cmocka_unit_test(passed_deadlines_do_not_wait),
        cmocka_unit_test(parked_waits_end),
        cmocka_unit_test(readiness_ends_the_wait),
        cmocka_unit_test(steps_resume_where_they_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

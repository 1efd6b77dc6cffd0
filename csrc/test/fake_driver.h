/* A driver without a database, for tests of the layers above: it records what it is sent, follows BEGIN, COMMIT
 * and ROLLBACK, and fails, waits or dies on demand. One script drives all its connections. */
#ifndef AG_TEST_FAKE_DRIVER_H
#define AG_TEST_FAKE_DRIVER_H

#include "driver/driver.h"

typedef struct fake_driver {
    ag_driver base; /* caps may be changed: PIPELINE at first */
    char log
        [8192]; /* "1:BEGIN;1:select 1;|" : connection, text; *3 three sets; | a segment's end; 1+ opened, 1- closed, 1~ released, 1! cancelled */
    bool values; /* note the values of each set too */
    unsigned opened, closed, live;
    unsigned open_waits;    /* timer waits of each open */
    unsigned collect_waits; /* … of each segment's first reply */
    unsigned drain_waits;
    bool open_fails, drain_fails, dead; /* dead: alive() says so */
    bool ping_lost;                     /* "SELECT 1" loses the connection */
    const char *fail_text;              /* a statement that begins with this fails … */
    const char *fail_state;             /* … with this SQLSTATE */
    bool fail_disconnects;              /* … and the connection is lost */
    bool fail_once;
    unsigned fail_after; /* … only after so many others were let through */
    bool hang;           /* the next collect never ends until cancelled */
    bool deaf;           /* … nor then */
    bool commit_tag_rollback;
    bool collect_failed; /* private */
} fake_driver;

void fake_init(fake_driver *f);

#endif

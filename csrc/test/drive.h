/* Driving a database driver from a C test: steps run with poll(2), rows come as readable text. */
#ifndef AG_TEST_DRIVE_H
#define AG_TEST_DRIVE_H

#include "driver/driver.h"

typedef struct drive {
    const ag_driver *d;
    ag_dconn *c;
    const ag_alloc *alloc;
    ag_reply reply;
    ag_error err;
    ag_buf text;
    size_t waits; /* how often a step asked to wait */
} drive;

/* Open and connect; asserts that it works. */
void drive_open(drive *t, const ag_driver *d, const ag_connect_params *p, const ag_alloc *alloc);
/* Open; AG_STEP_FAILED leaves the error in t->err (drive_close frees). */
ag_step drive_try_open(drive *t, const ag_driver *d, const ag_connect_params *p, const ag_alloc *alloc);
void drive_close(drive *t);

/* Collect one reply into t->reply, polling. */
ag_step drive_collect(drive *t, bool *sync_done);
/* send + sync + collect + collect of the sync. The status of the statement. */
ag_step drive_request(drive *t, const ag_request *req);
/* One statement with rows wanted, kept prepared. */
ag_step drive_exec(drive *t, const char *sql, const ag_value *vals, size_t n);
/* Same, and it must succeed: the rows as text. */
const char *drive_query(drive *t, const char *sql, const ag_value *vals, size_t n);
#define drive_ok(t, sql) ((void)drive_query((t), (sql), NULL, 0))
/* The statement must fail; t->err says how. */
void drive_fails(drive *t, const char *sql);
ag_step drive_fetch(drive *t);
ag_step drive_drain(drive *t);

/* Rows of t->reply: cells parted by '|', rows by '\n'. NULL is "-"; text 'x', bytes x'00', decimal d1.5, float
 * f1.5, bool b1, dates and times @…, interval ~…, uuid u…, JSON j…, raw r…, array {…}; integers plain. Valid until
 * the next call. */
const char *drive_rows(drive *t);

static inline ag_value v_text(const char *s)
{
    return ag_value_text(s, strlen(s));
}
static inline ag_value v_kind(ag_vkind kind, const char *s)
{
    return ag_value_bytes(kind, s, strlen(s));
}

#endif

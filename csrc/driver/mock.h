/* A driver without a database: it records what it is sent and answers from a script. For looking at the SQL a
 * program emits, and for testing one without a server. It follows BEGIN, COMMIT and ROLLBACK so far that the
 * transaction state is right; a statement that no answer matches succeeds with no rows. */
#ifndef AG_DRIVER_MOCK_H
#define AG_DRIVER_MOCK_H

#include "driver/driver.h"

typedef struct ag_mock ag_mock;

typedef struct ag_mock_options {
    const char *name;    /* the driver's; NULL = "mock". Static, as dialect is */
    const char *dialect; /* "sqlite", "postgresql" */
    unsigned caps;       /* AG_DRV_* to claim */
    int server_version;  /* encoded as driver.h says */
} ag_mock_options;

/* What to answer. Everything is copied. */
typedef struct ag_mock_answer {
    const char *match; /* part of the statement's text, case as it is; NULL = every statement */
    unsigned times;    /* how often this answer is given, 0 = always */
    /* rows: nrows * ncolumns values; types NULL = by value */
    const char *const *columns;
    const ag_type *const *types;
    uint32_t ncolumns;
    const ag_value *values;
    size_t nrows;
    int64_t rowcount; /* of each set, -1: the number of rows */
    int64_t last_id;  /* of the first set; counts up from there */
    const char *tag;  /* NULL = none */
    /* or an error */
    const char *error; /* its message; NULL = no error */
    ag_exc cls;
    const char *sqlstate; /* decides the class when set */
    bool disconnect;
} ag_mock_answer;

typedef enum ag_mock_what {
    AG_MOCK_OPEN,
    AG_MOCK_STATEMENT,
    AG_MOCK_SYNC,
    AG_MOCK_FETCH,
    AG_MOCK_CANCEL,
    AG_MOCK_RELEASE,
    AG_MOCK_CLOSE,
} ag_mock_what;

/* One thing that happened. Lives until ag_mock_forget. */
typedef struct ag_mock_event {
    ag_mock_what what;
    unsigned conn; /* which connection, from 1 */
    const char *text;
    size_t text_len;
    uint32_t nparams;
    size_t nsets;
    const ag_value *values; /* nsets * nparams */
} ag_mock_event;

ag_status ag_mock_new(ag_mock **out, const ag_mock_options *options, const ag_alloc *alloc, ag_error *err) AG_NODISCARD;
/* All its connections must be closed. NULL allowed. */
void ag_mock_free(ag_mock *m);
/* The vtable to open connections with; lives as long as m. */
const ag_driver *ag_mock_driver(const ag_mock *m);
/* Answers are tried in the order they were added, used-up ones passed over. */
ag_status ag_mock_answer_add(ag_mock *m, const ag_mock_answer *answer, ag_error *err) AG_NODISCARD;
size_t ag_mock_count(const ag_mock *m);
/* i < count. Borrowed. */
const ag_mock_event *ag_mock_event_at(const ag_mock *m, size_t i);
/* Empty the record; answers stay. */
void ag_mock_forget(ag_mock *m);

#endif

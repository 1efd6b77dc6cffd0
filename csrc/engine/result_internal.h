/* What makes results (execute*.c) and closes them (connection.c) sees of one. */
#ifndef AG_ENGINE_RESULT_INTERNAL_H
#define AG_ENGINE_RESULT_INTERNAL_H

#include "compile/compiled.h"
#include "driver/driver.h"
#include "engine/connection_internal.h"
#include "engine/result.h"

struct ag_result {
    unsigned refs;
    const ag_alloc *alloc;
    ag_connection *conn;    /* streaming only; counted */
    ag_result *prev, *next; /* in conn's list while the cursor is open */
    unsigned savepoint;     /* number of the savepoint it was opened in, 0 outside */
    ag_compiled *compiled;  /* counted; may be NULL */
    ag_reply reply;
    ag_rows_pos pos;
    ag_arena arena;                  /* columns, keys */
    const ag_result_column *columns; /* in arena, or in compiled's */
    uint32_t ncolumns;
    bool returns_rows, closed, streaming, dropped, insert;
    const char *closed_by;
    uint32_t yield_per; /* of the execution, 0 none */
    size_t nsets;
    int64_t lastrowid;
    uint32_t npk; /* inserted_primary_key: nsets * npk values */
    ag_value *keys;
    bool rowid_keys;             /* instead of keys: each is the rowid that the database made, */
    int64_t *rowids;             /* one a set, 0 unknown; NULL: reply.last_ids */
    ag_value rowid;              /* the one that was asked for last */
    ag_rows defaults;            /* returned_defaults, one row a set; or none */
    const ag_row **default_rows; /* by set; NULL when rows and sets do not match */
    ag_result_column *default_columns;
    uint32_t ndefault_columns;
};

ag_result *ag_result_new(const ag_alloc *a, ag_error *err);
/* Takes reply over (it is empty after) and makes columns of what the database says, or of the compiled statement. dialect: the
 * driver's. */
ag_status ag_result_take_reply(ag_result *r, ag_reply *reply, ag_compiled *compiled, const char *dialect,
                               ag_error *err) AG_NODISCARD;
/* Link an open cursor to its connection. */
void ag_result_attach(ag_result *r, ag_connection *c);
/* The cursor is over (read to its end, or closed): unlink, let the connection go. by: NULL at the end. */
void ag_result_detach(ag_result *r, const char *by);

#endif

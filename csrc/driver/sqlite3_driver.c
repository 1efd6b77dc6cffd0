/* The SQLite driver's vtable, and the small calls: queueing, transaction state, release. */
#include "driver/drivers.h"
#include "driver/sqlite3_impl.h"

static ag_status push(ag_sqlite *c, const ag_request *req, ag_error *err)
{
    if (!ag_driver_grow(c->base.alloc, (void **)&c->items, &c->cap_items, c->nitems, sizeof *c->items))
        return c->base.core->fail_nomem(err);
    ag_sqlite_item *it = &c->items[c->nitems++];
    it->sync = !req;
    if (req)
        it->req = *req;
    return AG_OK;
}

static ag_status send_request(ag_dconn *base, const ag_request *req, ag_error *err)
{
    return push(ag_sqlite_of(base), req, err);
}

static ag_status sync_segment(ag_dconn *base, ag_error *err)
{
    return push(ag_sqlite_of(base), NULL, err);
}

static void cancel(ag_dconn *base)
{
    ag_sqlite *c = ag_sqlite_of(base);
    if (c->first == c->nitems && !c->run.active)
        return;
    c->cancelled = true;
    if (c->db)
        ag_sqlite_arm(c, c->run_deadline);
}

static void set_deadline(ag_dconn *base, int64_t deadline_us)
{
    ag_sqlite_of(base)->deadline = deadline_us;
}

static ag_tx_state tx_state(const ag_dconn *base)
{
    const ag_sqlite *c = (const ag_sqlite *)(const void *)base;
    if (!c->db)
        return AG_TX_UNKNOWN;
    return sqlite3_get_autocommit(c->db) ? AG_TX_IDLE : AG_TX_ACTIVE;
}

static ag_alive alive(ag_dconn *base)
{
    (void)base;
    return AG_ALIVE;
}

static const char reset_text[] =
    "PRAGMA query_only = 0; PRAGMA defer_foreign_keys = 0; PRAGMA ignore_check_constraints = 0;"
    "PRAGMA read_uncommitted = 0; PRAGMA reverse_unordered_selects = 0;"
    "PRAGMA recursive_triggers = 0";

static void release(ag_dconn *base, bool discard)
{
    ag_sqlite *c = ag_sqlite_of(base);
    ag_sqlite_abandon(c);
    c->deadline = AG_NO_DEADLINE;
    if (!c->db)
        return;
    ag_sqlite_arm(c, 0);
    c->drain_failed = false;
    if (!sqlite3_get_autocommit(c->db)) {
        (void)sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
        c->drain_failed = !sqlite3_get_autocommit(c->db);
    }
    if (discard && !c->drain_failed)
        c->drain_failed =
            sqlite3_exec(c->db, reset_text, NULL, NULL, NULL) != SQLITE_OK || !ag_sqlite_configure(c, NULL);
}

static ag_step drain_step(ag_dconn *base, ag_wait *w, ag_error *err)
{
    ag_sqlite *c = ag_sqlite_of(base);
    (void)w;
    if (c->db && !c->drain_failed)
        return AG_STEP_DONE;
    (void)ag_driver_fail(base->core, err, AG_EXC_OPERATIONAL, "the connection could not be reset");
    return AG_STEP_FAILED;
}

static int readonly(ag_dconn *base, const char *text, size_t len)
{
    ag_sqlite *c = ag_sqlite_of(base);
    int rc, answer;
    ag_sqlite_stmt *st = ag_sqlite_prepare(c, text, len, true, NULL, &rc, NULL);
    if (!st)
        return -1;
    answer = !st->handle || (st->readonly && !st->control);
    if (!st->cached)
        ag_sqlite_stmt_release(c, st);
    return answer;
}

static int server_version(const ag_dconn *base)
{
    (void)base;
    return sqlite3_libversion_number();
}

static int64_t backend_id(const ag_dconn *base)
{
    (void)base;
    return 0;
}

static uint32_t max_params(const ag_dconn *base)
{
    const ag_sqlite *c = (const ag_sqlite *)(const void *)base;
    return c->db ? (uint32_t)sqlite3_limit(c->db, SQLITE_LIMIT_VARIABLE_NUMBER, -1) : 999;
}

static int no_fd(const ag_dconn *base)
{
    (void)base;
    return -1;
}

static void *handle(ag_dconn *base)
{
    return ag_sqlite_of(base)->db;
}

static const ag_driver vtable = {
    .abi = AG_DRIVER_ABI,
    .size = sizeof(ag_driver),
    .name = "sqlite",
    .dialect = "sqlite",
    .caps = AG_DRV_LAST_ID | AG_DRV_SHARED_MEMORY | AG_DRV_SINGLE_WRITER,
    .open = ag_sqlite_open,
    .open_step = ag_sqlite_open_step,
    .close = ag_sqlite_close,
    .send = send_request,
    .sync = sync_segment,
    .collect = ag_sqlite_collect,
    .fetch = ag_sqlite_fetch,
    .cursor_close = ag_sqlite_cursor_close,
    .cancel = cancel,
    .set_deadline = set_deadline,
    .tx_state = tx_state,
    .alive = alive,
    .release = release,
    .drain_step = drain_step,
    .server_version = server_version,
    .client_version = sqlite3_libversion_number,
    .backend_id = backend_id,
    .max_params = max_params,
    .fd = no_fd,
    .handle = handle,
    .readonly = readonly,
    .create_function = ag_sqlite_create_function,
};

const ag_driver *ag_driver_sqlite(void)
{
    return &vtable;
}

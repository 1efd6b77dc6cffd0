/* The PostgreSQL driver's vtable, and the small calls. */
#include "driver/drivers.h"
#include "driver/pq_impl.h"

static void set_deadline(ag_dconn *base, int64_t deadline_us)
{
    ag_pq_of(base)->deadline = deadline_us;
}

static const ag_pq *const_of(const ag_dconn *base)
{
    return (const ag_pq *)(const void *)base;
}

static ag_tx_state tx_state(const ag_dconn *base)
{
    const ag_pq *c = const_of(base);
    if (c->lost || c->phase != AG_PQ_OPEN || c->ncmds || c->simple)
        return AG_TX_UNKNOWN;
    switch (PQtransactionStatus(c->pg)) {
    case PQTRANS_IDLE: return AG_TX_IDLE;
    case PQTRANS_INTRANS: return AG_TX_ACTIVE;
    case PQTRANS_INERROR: return AG_TX_FAILED;
    default: return AG_TX_UNKNOWN;
    }
}

static int server_version(const ag_dconn *base)
{
    const ag_pq *c = const_of(base);
    return c->pg ? PQserverVersion(c->pg) : 0;
}

static int64_t backend_id(const ag_dconn *base)
{
    const ag_pq *c = const_of(base);
    return c->pg ? PQbackendPID(c->pg) : 0;
}

static uint32_t max_params(const ag_dconn *base)
{
    (void)base;
    return 65535;
}

static int fd(const ag_dconn *base)
{
    const ag_pq *c = const_of(base);
    return c->pg ? PQsocket(c->pg) : -1;
}

static void *handle(ag_dconn *base)
{
    return ag_pq_of(base)->pg;
}

static const ag_driver vtable = {
    .abi = AG_DRIVER_ABI,
    .size = sizeof(ag_driver),
    .name = "postgresql",
    .dialect = "postgresql",
    .caps = AG_DRV_PIPELINE | AG_DRV_DOLLAR | AG_DRV_COPY,
    .open = ag_pq_open,
    .open_step = ag_pq_open_step,
    .close = ag_pq_close,
    .send = ag_pq_send,
    .sync = ag_pq_sync,
    .collect = ag_pq_collect,
    .fetch = ag_pq_fetch,
    .cursor_close = ag_pq_cursor_close,
    .cancel = ag_pq_cancel,
    .set_deadline = set_deadline,
    .tx_state = tx_state,
    .alive = ag_pq_alive,
    .release = ag_pq_release,
    .drain_step = ag_pq_drain_step,
    .server_version = server_version,
    .client_version = PQlibVersion,
    .backend_id = backend_id,
    .max_params = max_params,
    .fd = fd,
    .handle = handle,
};

const ag_driver *ag_driver_postgresql(void)
{
    return &vtable;
}

/* Running a segment. The order of things: be connected and quiet; take the write token; send the waiting control
 * statements and the requests; collect; then ask the driver what state the transaction is in, and believe it. */
#include "engine/segment.h"
#include "engine/log.h"
#include <stdio.h>
#include <string.h>

void ag_segment_init(ag_segment *s, ag_connection *c, const ag_request *reqs, ag_reply *replies, size_t n,
                     ag_seg_need need, int64_t deadline)
{
    memset(s, 0, sizeof *s);
    s->conn = c;
    s->reqs = reqs;
    s->replies = replies;
    s->n = n;
    s->need = need;
    s->deadline = s->limit.until = deadline;
    s->failed = s->failed_set = SIZE_MAX;
    ag_error_init(&s->error, ag_conn_alloc(c));
    ag_reply_init(&s->cmd_reply, ag_conn_alloc(c));
}

/* ---- what has to come first ---- */

static const char *begin_single(const ag_connection *c, ag_seg_need need)
{
    switch (c->x.isolation) {
    case AG_ISO_SERIALIZABLE: return "BEGIN IMMEDIATE";
    case AG_ISO_DEFERRED: return "BEGIN DEFERRED";
    default: return need == AG_SEG_WRITES ? "BEGIN IMMEDIATE" : NULL;
    }
}

static void begin_server(const ag_connection *c, char *out, size_t size)
{
    const ag_exec_options *x = &c->x;
    bool level = x->isolation != AG_ISO_DEFAULT;
    (void)snprintf(out, size, "BEGIN%s%s%s%s", level ? " ISOLATION LEVEL " : "",
                   level ? ag_isolation_name(x->isolation) : "",
                   x->has & AG_XO_READONLY ? (x->readonly ? " READ ONLY" : " READ WRITE") : "",
                   x->has & AG_XO_DEFERRABLE ? (x->deferrable ? " DEFERRABLE" : " NOT DEFERRABLE") : "");
}

static bool is_foreign_tx(const ag_connection *c)
{
    const ag_connection *o = c->pconn->tx_owner;
    return o && o != c;
}

/* Put BEGIN in front of the waiting commands when this segment opens the transaction. */
static ag_status plan_begin(const ag_segment *s, ag_error *err)
{
    ag_connection *c = s->conn;
    char text[72];
    const char *begin = text;
    if (c->begun || s->need == AG_SEG_BARE || ag_conn_autocommit(c) || is_foreign_tx(c) || !c->root)
        return AG_OK;
    if (ag_conn_single_writer(c))
        begin = begin_single(c, s->need);
    else
        begin_server(c, text, sizeof text);
    if (!begin)
        return AG_OK;
    AG_TRY(ag_conn_push_cmd(c, AG_CMD_BEGIN, NULL, begin, err));
    ag_cmd cmd = ag_vec_last(&c->cmds);
    memmove(c->cmds.items + 1, c->cmds.items, (c->cmds.len - 1) * sizeof cmd);
    c->cmds.items[0] = cmd;
    return AG_OK;
}

/* SQLite's session setting for READ UNCOMMITTED follows the connection that uses the session. */
static ag_status plan_settings(const ag_segment *s, ag_error *err)
{
    ag_connection *c = s->conn;
    bool want = c->x.isolation == AG_ISO_READ_UNCOMMITTED;
    if (!ag_conn_single_writer(c) || want == c->pconn->read_uncommitted || c->begun)
        return AG_OK;
    AG_TRY(ag_conn_push_cmd(c, AG_CMD_SETTING, NULL,
                            want ? "PRAGMA read_uncommitted = 1" : "PRAGMA read_uncommitted = 0", err));
    ag_cmd cmd = ag_vec_last(&c->cmds);
    memmove(c->cmds.items + 1, c->cmds.items, (c->cmds.len - 1) * sizeof cmd);
    c->cmds.items[0] = cmd;
    return AG_OK;
}

/* Savepoints wait for the BEGIN that they live in; without one now, they go on waiting. */
static size_t count_cmds(const ag_segment *s)
{
    const ag_connection *c = s->conn;
    size_t n = 0;
    bool begun = c->begun;
    while (n < c->cmds.len) {
        ag_cmd_kind k = c->cmds.items[n].kind;
        begun = begun || k == AG_CMD_BEGIN;
        if (!begun && k != AG_CMD_SETTING)
            break;
        n++;
    }
    return s->need == AG_SEG_BARE && !c->begun ? 0 : n;
}

static bool wants_token(const ag_segment *s)
{
    const ag_connection *c = s->conn;
    if (!ag_conn_single_writer(c) || c->pconn->pool->o.kind == AG_POOL_STATIC)
        return false;
    return s->need == AG_SEG_WRITES || (s->need == AG_SEG_READS && !c->begun && c->x.isolation == AG_ISO_SERIALIZABLE);
}

static ag_status fail_token(const ag_segment *s, bool waited, ag_error *err)
{
    const ag_connection *w = s->conn->engine->s->writer;
    ag_fail(err, AG_EXC_OPERATIONAL,
            "database is locked: connection %llu of this engine, borrowed at %s, has written and not yet committed%s",
            (unsigned long long)(w ? w->id : 0), w && w->where ? w->where : "an unknown place",
            waited ? "" : ", and without a scheduler it cannot do so while this call waits");
    err->code = 5; /* SQLITE_BUSY */
    return AG_ERROR;
}

static ag_step token_step(ag_segment *s, ag_op *op, ag_error *err)
{
    ag_engine_shared *e = s->conn->engine->s;
    if (!wants_token(s) || ag_token_take(e, s->conn, &s->token))
        return AG_STEP_DONE;
    bool may_wait = e->host && e->host->has_scheduler;
    if (!s->token_limit) {
        s->token_limit = ag_now_us() + e->lock_timeout_us;
        if (s->token_limit > s->deadline)
            s->token_limit = s->deadline;
    }
    if (!may_wait || ag_now_us() >= s->token_limit) {
        (void)fail_token(s, may_wait, err);
        ag_token_cancel(e, &s->token);
        return AG_STEP_FAILED;
    }
    op->wait = (ag_wait){.fd = -1, .deadline = s->token_limit, .token = &s->token};
    return AG_STEP_WAIT;
}

/* ---- sending ---- */

static void log_cmd(const ag_connection *c, const ag_cmd *cmd)
{
    if (ag_engine_logs(c->engine))
        ag_log_printf(c->engine->s->host, c->engine->s->logger, AG_LOG_INFO, "%s%s", cmd->text,
                      cmd->kind == AG_CMD_BEGIN ? " (implicit)" : "");
}

static ag_status send_cmds(ag_segment *s, ag_error *err)
{
    ag_connection *c = s->conn;
    size_t n = s->cmds;
    for (s->cmds = 0; s->cmds < n; s->cmds++) {
        const ag_cmd *cmd = &c->cmds.items[s->cmds];
        ag_request req = {.text = cmd->text, .text_len = strlen(cmd->text), .nsets = 1};
        log_cmd(c, cmd);
        AG_TRY(ag_conn_driver(c)->send(c->pconn->dc, &req, err));
    }
    return AG_OK;
}

/* A request that the driver refuses ends the segment like one that the database refuses: those before it run. */
static ag_status send_all(ag_segment *s, ag_error *err)
{
    ag_connection *c = s->conn;
    const ag_driver *d = ag_conn_driver(c);
    ag_dconn *dc = c->pconn->dc;
    d->set_deadline(dc, s->deadline);
    s->outstanding = true;
    ag_status st = send_cmds(s, &s->error);
    if (s->log)
        s->log(s->log_ud);
    for (s->sent = 0; st == AG_OK && s->sent < s->n; s->sent++) {
        st = d->send(dc, &s->reqs[s->sent], &s->error);
        if (st != AG_OK) {
            s->failed = s->sent;
            break;
        }
    }
    AG_TRY(d->sync(dc, err));
    s->sent_all = st == AG_OK;
    return AG_OK;
}

/* ---- collecting ---- */

static ag_step collect(ag_segment *s, ag_reply *reply, ag_wait *w, ag_error *err)
{
    const ag_driver *d = ag_conn_driver(s->conn);
    ag_dconn *dc = s->conn->pconn->dc;
    ag_step st = d->collect(dc, reply, &s->synced, w, err);
    if (st != AG_STEP_WAIT)
        return st;
    st = ag_limit_wait(&s->limit, dc, w, err);
    s->synced = st == AG_STEP_FAILED; /* nothing more will come */
    return st;
}

static void note_failure(ag_segment *s, ag_error *e, const ag_reply *reply, size_t index)
{
    if (!s->error.set) {
        s->failed = index;
        s->failed_set = index == SIZE_MAX ? SIZE_MAX : reply->sets_done;
        ag_error_move(&s->error, e);
        ag_limit_explain(&s->limit, &s->error);
    }
    ag_error_clear(e);
}

static void cmd_done(ag_segment *s, const ag_cmd *cmd)
{
    ag_connection *c = s->conn;
    switch (cmd->kind) {
    case AG_CMD_BEGIN:
        c->begun = true;
        if (c->pconn->pool->o.kind == AG_POOL_STATIC)
            c->pconn->tx_owner = c;
        break;
    case AG_CMD_SAVEPOINT:
        if (cmd->tx)
            cmd->tx->sent = true;
        break;
    case AG_CMD_SETTING: c->pconn->read_uncommitted = c->x.isolation == AG_ISO_READ_UNCOMMITTED; break;
    case AG_CMD_ROLLBACK_TO:
    case AG_CMD_RELEASE: break;
    }
}

/* All replies: commands first, then the requests, then the end of the segment. */
static ag_step collect_all(ag_segment *s, ag_wait *w)
{
    while (!s->synced) {
        bool is_cmd = s->at < s->cmds;
        size_t i = s->at - s->cmds;
        ag_reply *reply = !is_cmd && i < s->sent ? &s->replies[i] : &s->cmd_reply;
        ag_error e;
        ag_error_init(&e, s->error.alloc);
        ag_step st = collect(s, reply, w, &e);
        if (st == AG_STEP_WAIT) {
            ag_error_clear(&e);
            return st;
        }
        if (st == AG_STEP_FAILED)
            note_failure(s, &e, reply, is_cmd || i >= s->sent ? SIZE_MAX : i);
        else if (is_cmd)
            cmd_done(s, &s->conn->cmds.items[s->at]);
        s->at++;
    }
    return AG_STEP_DONE;
}

/* ---- afterwards ---- */

/* A SAVEPOINT that did not come to pass goes on waiting; BEGIN is planned anew each time. */
static void forget_sent_cmds(ag_segment *s)
{
    ag_connection *c = s->conn;
    size_t n = 0;
    for (size_t i = 0; i < c->cmds.len; i++) {
        const ag_cmd *cmd = &c->cmds.items[i];
        bool planned = cmd->kind == AG_CMD_BEGIN || cmd->kind == AG_CMD_SETTING;
        bool unsent = cmd->kind == AG_CMD_SAVEPOINT && cmd->tx && !cmd->tx->sent;
        if (!planned && (i >= s->cmds || unsent))
            c->cmds.items[n++] = *cmd;
    }
    c->cmds.len = n;
    s->cmds = 0;
}

/* The transaction is what the driver says, not what was sent. */
static void reconcile(ag_segment *s)
{
    ag_connection *c = s->conn;
    ag_connection *owner = c->pconn->tx_owner ? c->pconn->tx_owner : c;
    ag_tx_state st = ag_conn_driver(c)->tx_state(c->pconn->dc);
    if (st == AG_TX_IDLE && owner->begun) {
        if (s->error.set && owner->root) { /* SQLITE_FULL, an interrupt …: all of it is undone */
            owner->ended_by_db = owner->root->active;
            ag_tx_deactivate(owner->root);
        }
        ag_conn_tx_over(owner);
    } else if ((st == AG_TX_ACTIVE || st == AG_TX_FAILED) && !owner->begun) {
        c->begun = true; /* raw text began it */
        if (c->pconn->pool->o.kind == AG_POOL_STATIC)
            c->pconn->tx_owner = c;
    }
    if (!c->begun)
        ag_token_release(c->engine->s, c);
}

static bool still_ours(const ag_segment *s)
{
    return !s->conn->closed && s->conn->pconn && s->conn->pconn->dc && s->conn->epoch == s->epoch;
}

/* Prepare and send; FAILED: the driver could not even take the end of the segment. */
static ag_step start(ag_segment *s, ag_error *err)
{
    ag_connection *c = s->conn;
    s->was_begun = c->begun;
    s->epoch = c->epoch;
    ag_status st = plan_begin(s, err);
    if (st == AG_OK)
        st = plan_settings(s, err);
    if (st == AG_OK) {
        s->cmds = count_cmds(s);
        st = send_all(s, err);
    }
    if (st == AG_OK)
        return AG_STEP_DONE;
    if (s->outstanding)
        ag_conn_abandon(c);
    s->outstanding = false;
    forget_sent_cmds(s);
    if (!c->begun)
        ag_token_release(c->engine->s, c);
    return AG_STEP_FAILED;
}

ag_step ag_segment_step(ag_segment *s, ag_op *op, ag_error *err)
{
    if (s->outstanding && !still_ours(s)) {
        s->outstanding = false;
        ag_fail(err, AG_EXC_RESOURCE_CLOSED,
                "This Connection was closed or rolled back while a statement was under way");
        return AG_STEP_FAILED;
    }
    AG_CO_BEGIN(s->line)
    AG_CO_AWAIT(s->line, ag_conn_ready(s->conn, op, err))
    AG_CO_AWAIT(s->line, token_step(s, op, err))
    if (start(s, err) != AG_STEP_DONE)
        return AG_STEP_FAILED;
    AG_CO_AWAIT(s->line, collect_all(s, &op->wait))
    s->outstanding = false;
    forget_sent_cmds(s);
    reconcile(s);
    AG_CO_END(s->line);
    return AG_STEP_DONE;
}

void ag_segment_clear(ag_segment *s)
{
    if (!s->conn)
        return;
    ag_token_cancel(s->conn->engine->s, &s->token);
    if (s->outstanding && still_ours(s))
        ag_conn_abandon(s->conn);
    else if (!s->conn->begun)
        ag_token_release(s->conn->engine->s, s->conn);
    ag_reply_clear(&s->cmd_reply);
    ag_error_clear(&s->error);
    s->conn = NULL;
}

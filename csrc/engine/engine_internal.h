/* What the engine's files share: the engine, and the token that lets one connection at a time write. */
#ifndef AG_ENGINE_ENGINE_INTERNAL_H
#define AG_ENGINE_ENGINE_INTERNAL_H

#include "engine/engine.h"
#include "base/map.h"
#include "engine/pool_internal.h"

/* A parked operation that wants the write token. Embedded in a segment. */
typedef struct ag_token_wait {
    struct ag_connection *conn;
    struct ag_token_wait *prev, *next;
    bool queued;
} ag_token_wait;

/* What an engine and its sub-engines have in common. */
typedef struct ag_engine_shared {
    unsigned refs;
    const ag_alloc *alloc;
    ag_host *host;
    const ag_driver *driver;
    const struct ag_dialect *dialect;
    const ag_services *services;
    struct ag_compile_host *compile_host;
    struct ag_types *types;
    ag_url *url;
    ag_pool *pool;
    struct ag_cache *cache;
    ag_arena arena;
    const char *logger;
    ag_echo echo;
    bool hide_parameters, use_insertmanyvalues, skip_autocommit_rollback, linting;
    uint32_t max_identifier_length, label_length;
    int64_t lock_timeout_us;
    int server_version;
    uint64_t next_conn_id, next_xid;
    uint64_t pool_events;         /* carried over when the pool is replaced */
    struct ag_connection *writer; /* holder of the write token */
    ag_token_wait *token_first, *token_last;
    ag_map badges; /* statement id -> when it was first seen; only while echo is on */
} ag_engine_shared;

struct ag_engine {
    unsigned refs;
    ag_engine_shared *s;
    ag_engine *parent; /* counted */
    ag_arena arena;
    ag_exec_options x; /* merged with the parents' */
    uint64_t events;
};

/* AG_EXC_ARGUMENT when the driver does not know the isolation level. */
ag_status ag_engine_check_options(const ag_engine *e, const ag_exec_options *x, ag_error *err) AG_NODISCARD;
/* The compile cache (engine_cache.c). */
ag_status ag_engine_cache_new(ag_engine_shared *s, size_t entries, ag_error *err) AG_NODISCARD;
void ag_engine_cache_free(ag_engine_shared *s);
/* When the statement with this id was first logged (now, if it is new). For "[cached since …]". */
int64_t ag_engine_badge_time(ag_engine_shared *s, uint64_t id, int64_t now);
/* The first connection of a pool tells what it is connected to. */
void ag_engine_first_connect(ag_engine *e, ag_dconn *dc);
static inline bool ag_engine_logs(const ag_engine *e)
{
    return e->s->echo != AG_ECHO_OFF && e->s->host;
}

/* ---- the write token (single-writer drivers): first come, first served ---- */
/* True when c has it now (or none is needed); else w is queued. */
bool ag_token_take(ag_engine_shared *s, struct ag_connection *c, ag_token_wait *w);
/* Harmless when c does not have it. The next one in the queue gets it and is woken. */
void ag_token_release(ag_engine_shared *s, struct ag_connection *c);
void ag_token_cancel(ag_engine_shared *s, ag_token_wait *w);

#endif

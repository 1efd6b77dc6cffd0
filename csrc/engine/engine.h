/* The engine: a URL, a driver, a dialect, a pool, a compile cache and default options. It opens nothing until the
 * first connection. Sub-engines (execution_options) share everything but their options and their event mask.
 *
 * Life: reference-counted; connections, results and sub-engines hold their engine. One engine and all it made
 * belong to one host state. In a forked child every operation raises; finalisers only free. */
#ifndef AG_ENGINE_ENGINE_H
#define AG_ENGINE_ENGINE_H

#include "engine/options.h"
#include "engine/pool.h"

struct ag_dialect;      /* compile/dialect.h */
struct ag_cache;        /* compile/compiled.h */
struct ag_compile_host; /* compile/compiled.h */
struct ag_types;        /* value/type.h */

typedef struct ag_engine ag_engine;

typedef struct ag_engine_options {
    /* given by the host, which loaded the modules for the URL's dialect+driver; all must outlive the engine */
    const ag_driver *driver;
    const struct ag_dialect *dialect;
    ag_host *host; /* may be NULL: no hooks, callbacks fail, no scheduler */
    struct ag_compile_host
        *compile_host; /* custom constructs, and values of types with hooks (AG_TYPE_HAS_BIND, JSON); may be NULL */
    struct ag_types *types;      /* may be NULL */
    const ag_services *services; /* NULL = ag_core_services */
    /* pool: options are used unless pool is given (a reference is taken) */
    ag_pool *pool;
    bool pool_kind_given; /* false: QUEUE, or STATIC where an in-memory database is per connection (sqlite://) */
    ag_pool_options pool_options;
    const ag_connect_option *connect_args;
    size_t nconnect_args;
    int64_t connect_timeout_us;
    int64_t creator; /* ag_pool_config.creator */
    /* execution */
    ag_exec_options exec; /* default level: isolation_level, execution_options */
    int64_t
        lock_timeout_us; /* how long to wait for a database lock; < 0: the `timeout` of URL or connect_args, or 5 s */
    size_t query_cache_size;       /* compiled statements kept; default 500, 0 = no cache */
    bool use_insertmanyvalues;     /* default true */
    bool skip_autocommit_rollback; /* default false */
    bool hide_parameters;
    bool linting;                                 /* enable_from_linting: warn of cartesian products; default true */
    uint32_t max_identifier_length, label_length; /* 0 = the dialect's */
    /* log */
    ag_echo echo;
    const char *logging_name; /* copied */
} ag_engine_options;

/* Defaults of every field (create_engine's). */
ag_engine_options ag_engine_options_default(void);

/* *out gets one reference. url is ref'd. AG_EXC_ARGUMENT for contradictory options (an isolation level the driver
 * does not know …). */
ag_status ag_engine_new(ag_engine **out, const ag_alloc *a, ag_url *url, const ag_engine_options *o,
                        ag_error *err) AG_NODISCARD;
/* A sub-engine with `x` merged over the parent's options. */
ag_status ag_engine_with_options(ag_engine **out, ag_engine *parent, const ag_exec_options *x,
                                 ag_error *err) AG_NODISCARD;
ag_engine *ag_engine_ref(ag_engine *e);
void ag_engine_unref(ag_engine *e); /* NULL allowed; safe in finalisers */

/* All borrowed from the engine. */
ag_url *ag_engine_url(const ag_engine *e);
ag_pool *ag_engine_pool(const ag_engine *e); /* changes at dispose */
const ag_driver *ag_engine_driver(const ag_engine *e);
const struct ag_dialect *ag_engine_dialect(const ag_engine *e);
struct ag_cache *ag_engine_cache(const ag_engine *e);
ag_host *ag_engine_host(const ag_engine *e);
ag_engine *ag_engine_parent(const ag_engine *e); /* of a sub-engine, else NULL */
const ag_exec_options *ag_engine_exec_options(const ag_engine *e);
bool ag_engine_hides_parameters(const ag_engine *e);

/* Close the pool's idle connections and start a new, empty pool; connections lent out close when they come back.
 * close false: leave the sockets to the parent process (call it in a forked child; makes the engine usable there). */
ag_status ag_engine_dispose(ag_engine *e, bool close, ag_error *err) AG_NODISCARD;
void ag_engine_set_echo(ag_engine *e, ag_echo echo);
ag_echo ag_engine_echo(const ag_engine *e);
const char *ag_engine_logging_name(const ag_engine *e); /* NULL: none was given */
/* AG_EV_BIT of the events that have listeners on this engine itself (parents are asked too). */
void ag_engine_set_events(ag_engine *e, uint64_t mask);
uint64_t ag_engine_events(const ag_engine *e); /* own | parents' */

/* Server version after the first connect, encoded as driver.h says; 0 before. */
int ag_engine_server_version(const ag_engine *e);

/* Warnings are told whatever echo says. */
typedef enum ag_log_level { AG_LOG_INFO, AG_LOG_DEBUG, AG_LOG_WARNING } ag_log_level;

/* AG_HOOK_LOG's inout: one line for the log; fn 0. */
typedef struct ag_log_line {
    const char
        *logger; /* "argent.engine.Engine", "argent.pool.QueuePool" with ".name" behind when there is a logging_name */
    ag_log_level level;
    const char *text; /* NUL-terminated, may hold newlines */
    size_t len;
} ag_log_line;

#endif

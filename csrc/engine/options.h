/* Execution options that the core understands, at the levels engine < connection < statement < execute call.
 * Options the core does not know stay with the host. */
#ifndef AG_ENGINE_OPTIONS_H
#define AG_ENGINE_OPTIONS_H

#include "base/arena.h"
#include "base/error.h"

/* ORDER ag_isolation: options.c names them. */
typedef enum ag_isolation {
    AG_ISO_DEFAULT = 0,
    AG_ISO_AUTOCOMMIT,
    AG_ISO_READ_UNCOMMITTED,
    AG_ISO_READ_COMMITTED,
    AG_ISO_REPEATABLE_READ,
    AG_ISO_SERIALIZABLE, /* SQLite: BEGIN IMMEDIATE at the first statement of any kind */
    AG_ISO_DEFERRED,     /* SQLite: BEGIN at the first statement, a read snapshot */
    AG_ISO_COUNT
} ag_isolation;

/* "REPEATABLE READ" … in any case, with spaces, hyphens or underscores. AG_ERROR with AG_EXC_ARGUMENT, naming the
 * valid ones. */
ag_status ag_isolation_parse(ag_isolation *out, const char *s, size_t len, ag_error *err) AG_NODISCARD;
const char *ag_isolation_name(ag_isolation iso); /* "REPEATABLE READ"; "DEFAULT" */

/* Bits of ag_exec_options.has */
#define AG_XO_ISOLATION         0x0001u /* engine, connection */
#define AG_XO_TIMEOUT           0x0002u
#define AG_XO_STREAM            0x0004u
#define AG_XO_YIELD_PER         0x0008u
#define AG_XO_MAX_ROW_BUFFER    0x0010u
#define AG_XO_PAGE_SIZE         0x0020u
#define AG_XO_PRESERVE_ROWCOUNT 0x0040u
#define AG_XO_NO_PARAMETERS     0x0080u
#define AG_XO_LOGGING_TOKEN     0x0100u
#define AG_XO_CACHE             0x0200u
#define AG_XO_SCHEMA_MAP        0x0400u
#define AG_XO_READONLY          0x0800u /* postgresql_readonly */
#define AG_XO_DEFERRABLE        0x1000u /* postgresql_deferrable */

/* One entry of schema_translate_map; NULL = no schema. */
typedef struct ag_schema_pair {
    const char *from, *to;
} ag_schema_pair;

typedef struct ag_exec_options {
    unsigned has; /* AG_XO_*: which of the fields below were given */
    ag_isolation isolation;
    int64_t timeout_us; /* of one statement; 0 = none (overrides an outer level) */
    bool stream_results;
    uint32_t yield_per;      /* rows a window; implies streaming */
    uint32_t max_row_buffer; /* largest window of a growing buffer; default 1000 */
    uint32_t insertmanyvalues_page_size;
    bool preserve_rowcount, no_parameters;
    bool compiled_cache; /* false: do not use the cache */
    bool readonly, deferrable;
    const char *logging_token; /* borrowed, see ag_exec_options_copy */
    const ag_schema_pair *schema_map;
    size_t nschema_map;
} ag_exec_options;

/* Fields given in src replace those of dst. Shallow: texts stay src's owner's. */
void ag_exec_options_merge(ag_exec_options *dst, const ag_exec_options *src);
/* Deep copy of what src owns into ar. AG_NOMEM. */
ag_status ag_exec_options_copy(ag_exec_options *dst, const ag_exec_options *src, ag_arena *ar,
                               ag_error *err) AG_NODISCARD;

#endif

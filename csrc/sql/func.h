/* Functions: func.name(…), the known ones with their result types, and what stands around them (OVER, FILTER, WITHIN
 * GROUP …). */
#ifndef AG_SQL_FUNC_H
#define AG_SQL_FUNC_H

#include "sql/expr.h"

/* How the type of a known function comes about. */
typedef enum ag_func_type {
    AG_FT_FIXED,  /* the type in the list */
    AG_FT_ARGS,   /* the type of the first argument that has one (max, min, sum, coalesce …) */
    AG_FT_ARRAY,  /* ARRAY of the first argument's type (array_agg) */
    AG_FT_WITHIN, /* ordered-set aggregate: type of the first WITHIN GROUP expression */
    AG_FT_NULL,
} ag_func_type;

/* The known functions: X(id, name, how, type, AG_FUNC_* flags). Names are matched without regard to case, as
 * SQLAlchemy's registry does. ORDER ag_func_id */
#define AG_FUNC_LIST(X)                                                                                                \
    X(COALESCE, "coalesce", ARGS, NULL, 0)                                                                             \
    X(MAX, "max", ARGS, NULL, AG_FUNC_AGGREGATE)                                                                       \
    X(MIN, "min", ARGS, NULL, AG_FUNC_AGGREGATE)                                                                       \
    X(SUM, "sum", ARGS, NULL, AG_FUNC_AGGREGATE)                                                                       \
    X(NOW, "now", FIXED, DATETIME, 0)                                                                                  \
    X(POW, "pow", ARGS, NULL, 0)                                                                                       \
    X(CONCAT, "concat", FIXED, STRING, 0)                                                                              \
    X(CHAR_LENGTH, "char_length", FIXED, INTEGER, 0)                                                                   \
    X(RANDOM, "random", NULL, NULL, 0)                                                                                 \
    X(COUNT, "count", FIXED, INTEGER, AG_FUNC_AGGREGATE)                                                               \
    X(CURRENT_DATE, "current_date", FIXED, DATE, AG_FUNC_ANSI)                                                         \
    X(CURRENT_TIME, "current_time", FIXED, TIME, AG_FUNC_ANSI)                                                         \
    X(CURRENT_TIMESTAMP, "current_timestamp", FIXED, DATETIME, AG_FUNC_ANSI)                                           \
    X(CURRENT_USER, "current_user", FIXED, STRING, AG_FUNC_ANSI)                                                       \
    X(LOCALTIME, "localtime", FIXED, DATETIME, AG_FUNC_ANSI)                                                           \
    X(LOCALTIMESTAMP, "localtimestamp", FIXED, DATETIME, AG_FUNC_ANSI)                                                 \
    X(SESSION_USER, "session_user", FIXED, STRING, AG_FUNC_ANSI)                                                       \
    X(SYSDATE, "sysdate", FIXED, DATETIME, AG_FUNC_ANSI)                                                               \
    X(USER, "user", FIXED, STRING, AG_FUNC_ANSI)                                                                       \
    X(ARRAY_AGG, "array_agg", ARRAY, NULL, AG_FUNC_AGGREGATE)                                                          \
    X(MODE, "mode", WITHIN, NULL, AG_FUNC_WITHIN_GROUP | AG_FUNC_AGGREGATE)                                            \
    X(PERCENTILE_CONT, "percentile_cont", WITHIN, NULL, AG_FUNC_WITHIN_GROUP | AG_FUNC_AGGREGATE)                      \
    X(PERCENTILE_DISC, "percentile_disc", WITHIN, NULL, AG_FUNC_WITHIN_GROUP | AG_FUNC_AGGREGATE)                      \
    X(RANK, "rank", FIXED, INTEGER, 0)                                                                                 \
    X(DENSE_RANK, "dense_rank", FIXED, INTEGER, 0)                                                                     \
    X(PERCENT_RANK, "percent_rank", FIXED, NUMERIC, 0)                                                                 \
    X(CUME_DIST, "cume_dist", FIXED, NUMERIC, 0)                                                                       \
    X(CUBE, "cube", NULL, NULL, 0)                                                                                     \
    X(ROLLUP, "rollup", NULL, NULL, 0)                                                                                 \
    X(GROUPING_SETS, "grouping_sets", NULL, NULL, 0)                                                                   \
    X(AGGREGATE_STRINGS, "aggregate_strings", FIXED, STRING, AG_FUNC_AGGREGATE)                                        \
    X(HSTORE, "hstore", FIXED, PG_HSTORE, 0)                                                                           \
    X(TO_TSVECTOR, "to_tsvector", FIXED, PG_TSVECTOR, 0)                                                               \
    X(TO_TSQUERY, "to_tsquery", FIXED, PG_TSQUERY, 0)                                                                  \
    X(PLAINTO_TSQUERY, "plainto_tsquery", FIXED, PG_TSQUERY, 0)                                                        \
    X(PHRASETO_TSQUERY, "phraseto_tsquery", FIXED, PG_TSQUERY, 0)                                                      \
    X(WEBSEARCH_TO_TSQUERY, "websearch_to_tsquery", FIXED, PG_TSQUERY, 0)                                              \
    X(TS_HEADLINE, "ts_headline", FIXED, SQL_TEXT, 0)                                                                  \
    X(ANY, "any", NULL, NULL, 0)                                                                                       \
    X(ALL, "all", NULL, NULL, 0)                                                                                       \
    X(SOME, "some", NULL, NULL, 0)                                                                                     \
    X(SUBSTRING, "substring", NULL, NULL, 0)

typedef enum ag_func_id {
    AG_FUNC_UNKNOWN = 0,
#define X(id, name, how, type, flags) AG_FUNC_##id,
    AG_FUNC_LIST(X)
#undef X
        AG_FUNC_COUNT_
} ag_func_id;

typedef struct ag_func_info {
    const char *name;
    ag_func_type how;
    const ag_type *type; /* FIXED; else NULL */
    unsigned flags;
} ag_func_info;
ag_func_info ag_func_get(ag_func_id id);
ag_func_id ag_func_find(const char *name, size_t len);

/* func.name(args). packages: outermost first. type NULL: that of the known function, else NullType. extra flags:
 * AG_FUNC_*. count()
 * without arguments gets a STAR. */
const ag_node *ag_func(ag_builder *b, const ag_str *packages, size_t npackages, ag_str name, const ag_node *const *args,
                       size_t n, const ag_type *type, unsigned flags);
/* A function of a class of the host's, number cls; flags: AG_FUNC_CACHEABLE, AG_FUNC_GENERIC, AG_FUNC_AGGREGATE. type NULL: NullType. */
const ag_node *ag_func_custom(ag_builder *b, uint32_t cls, const ag_str *packages, size_t npackages, ag_str name,
                              const ag_node *const *args, size_t n, const ag_type *type, unsigned flags);

typedef struct ag_window {
    const ag_node *const *partition_by;
    size_t npartition;
    const ag_node *const *order_by;
    size_t norder;
    ag_frame frame;
    ag_bound lower, upper;
    const ag_node *lower_value, *upper_value; /* of PRECEDING / FOLLOWING */
    ag_exclude exclude;
} ag_window;
/* element: FUNC, FILTER, WITHIN_GROUP … */
const ag_node *ag_over(ag_builder *b, const ag_node *element, const ag_window *w);
/* A frame bound from a number as SQLAlchemy's rows=(-1, 0): negative PRECEDING, 0 CURRENT ROW, positive FOLLOWING.
 * None:
 * UNBOUNDED (the caller's affair). *value: set for PRECEDING/FOLLOWING, a bind of the absolute number; NULL with
 * b->err filled
 * when it could not be made. */
ag_bound ag_bound_of_int(ag_builder *b, int64_t n, const ag_node **value);
const ag_node *ag_within_group(ag_builder *b, const ag_node *fn, const ag_node *const *order_by, size_t n);
const ag_node *ag_filter(ag_builder *b, const ag_node *fn, const ag_node *const *criteria, size_t n);
const ag_node *ag_aggregate_order_by(ag_builder *b, const ag_node *element, const ag_node *const *order_by, size_t n);
const ag_node *ag_func_comparison(ag_builder *b, const ag_node *fn, uint32_t left, uint32_t right);
const ag_node *ag_func_column(ag_builder *b, const ag_node *fn, ag_str name,
                              const ag_type *type);                                    /* scalar_table_valued */
const ag_node *ag_from_value(ag_builder *b, const ag_node *from, const ag_type *type); /* column_valued */

#endif

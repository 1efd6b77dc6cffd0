/* What PostgreSQL's functions take. */
#include "dialect/postgresql.h"

/* Functions with arguments of the pseudo-types "any", anyelement, anynonarray and anycompatible, whose other arguments do not settle
 * them (pg_proc of PostgreSQL 15), and constructors of rows and grouping sets: an unknown literal there is an error. Sorted. */
static const char *const any_functions[] = {
    "array_agg",
    "array_fill",
    "concat",
    "concat_ws",
    "count",
    "cube",
    "cume_dist",
    "dense_rank",
    "first_value",
    "format",
    "grouping_sets",
    "json_agg",
    "json_build_array",
    "json_build_object",
    "json_object_agg",
    "jsonb_agg",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_object_agg",
    "lag",
    "last_value",
    "lead",
    "mode",
    "nth_value",
    "num_nonnulls",
    "num_nulls",
    "percent_rank",
    "percentile_disc",
    "pg_collation_for",
    "pg_column_compression",
    "pg_column_size",
    "pg_typeof",
    "quote_literal",
    "quote_nullable",
    "rank",
    "rollup",
    "row",
    "string_agg",
    "to_json",
    "to_jsonb",
};

/* Types of extensions that come with PostgreSQL; its own are known to ag_postgresql_own_type. Sorted. */
static const char *const more_types[] = {"citext", "hstore", "ltree"};

bool ag_postgresql_takes_any(ag_str function, uint32_t n)
{
    char name[32] = {0};
    if (function.n >= sizeof name)
        return false;
    for (size_t i = 0; i < function.n; i++) {
        char ch = function.p[i];
        name[i] = ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
    }
    const ag_str lower = {name, function.n};
    if (ag_postgresql_is_one_of(lower, any_functions, sizeof any_functions / sizeof *any_functions))
        return true;
    /* a type's name with one text in brackets is a cast, of an unknown parameter it is not */
    return n == 1 && (ag_postgresql_own_type(lower) ||
                      ag_postgresql_is_one_of(lower, more_types, sizeof more_types / sizeof *more_types));
}

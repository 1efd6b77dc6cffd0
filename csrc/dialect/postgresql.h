/* Private to the PostgreSQL dialect: its types and literals. */
#ifndef AG_DIALECT_POSTGRESQL_H
#define AG_DIALECT_POSTGRESQL_H

#include "compile/compiler.h"

void ag_postgresql_plain_type(ag_compiler *c, const ag_type *t); /* types written as their Lua names are */
void ag_postgresql_float(ag_compiler *c, const ag_type *t);
void ag_postgresql_double(ag_compiler *c, const ag_type *t);
void ag_postgresql_timestamp(ag_compiler *c, const ag_type *t);
void ag_postgresql_time(ag_compiler *c, const ag_type *t);
void ag_postgresql_interval(ag_compiler *c, const ag_type *t);
void ag_postgresql_bit(ag_compiler *c, const ag_type *t);
void ag_postgresql_bytea(ag_compiler *c, const ag_type *t);
void ag_postgresql_array(ag_compiler *c, const ag_type *t);
bool ag_postgresql_own_type(ag_str name);
bool ag_postgresql_is_one_of(ag_str name, const char *const *sorted, size_t n);
void ag_postgresql_label_cast(ag_compiler *c, const ag_node *n, const ag_type *t); /* behind n, a label of type t */
void ag_postgresql_visit_array(ag_compiler *c, const ag_node *n, unsigned k);
void ag_postgresql_named(ag_compiler *c, const ag_type *t); /* ENUM, DOMAIN */
bool ag_postgresql_serial(ag_compiler *c, const ag_column *col);
void ag_postgresql_unique_word(ag_compiler *c, const ag_constraint *k);
void ag_postgresql_constraint_middle(ag_compiler *c, const ag_constraint *k);
void ag_postgresql_constraint_tail(ag_compiler *c, const ag_constraint *k);
bool ag_postgresql_fk_action(ag_str a);
void ag_postgresql_exclude(ag_compiler *c, const ag_constraint *k);
void ag_postgresql_table_word(ag_compiler *c, const ag_table *t);
void ag_postgresql_index_word(ag_compiler *c, const ag_index *x);
void ag_postgresql_index_using(ag_compiler *c, const ag_index *x);
void ag_postgresql_index_item(ag_compiler *c, const ag_index *x, const ag_node *expr);
void ag_postgresql_view_tail(ag_compiler *c, const ag_table *t);
void ag_postgresql_index_tail(ag_compiler *c, const ag_index *x);
void ag_postgresql_table_tail(ag_compiler *c, const ag_table *t);
bool ag_postgresql_literal(ag_compiler *c, const ag_value *v, const ag_type *t);

#define AG_POSTGRESQL_PLAIN(id) [AG_TYPE_PG_##id] = ag_postgresql_plain_type
#define AG_POSTGRESQL_TYPES                                                                                            \
    {                                                                                                                  \
        [AG_TYPE_FLOAT] = ag_postgresql_float, [AG_TYPE_SQL_FLOAT] = ag_postgresql_float,                              \
        [AG_TYPE_DOUBLE] = ag_postgresql_double, [AG_TYPE_SQL_DOUBLE] = ag_postgresql_double,                          \
        [AG_TYPE_DATETIME] = ag_postgresql_timestamp, [AG_TYPE_SQL_DATETIME] = ag_postgresql_timestamp,                \
        [AG_TYPE_SQL_TIMESTAMP] = ag_postgresql_timestamp, [AG_TYPE_TIME] = ag_postgresql_time,                        \
        [AG_TYPE_SQL_TIME] = ag_postgresql_time, [AG_TYPE_INTERVAL] = ag_postgresql_interval,                          \
        [AG_TYPE_PG_INTERVAL] = ag_postgresql_interval, [AG_TYPE_PG_BIT] = ag_postgresql_bit,                          \
        [AG_TYPE_LARGEBINARY] = ag_postgresql_bytea, [AG_TYPE_SQL_BLOB] = ag_postgresql_bytea,                         \
        [AG_TYPE_ARRAY] = ag_postgresql_array, [AG_TYPE_ENUM] = ag_postgresql_named,                                   \
        [AG_TYPE_PG_DOMAIN] = ag_postgresql_named, AG_POSTGRESQL_PLAIN(BYTEA), AG_POSTGRESQL_PLAIN(JSONPATH),          \
        AG_POSTGRESQL_PLAIN(INET), AG_POSTGRESQL_PLAIN(CIDR), AG_POSTGRESQL_PLAIN(MACADDR),                            \
        AG_POSTGRESQL_PLAIN(MACADDR8), AG_POSTGRESQL_PLAIN(MONEY), AG_POSTGRESQL_PLAIN(OID),                           \
        AG_POSTGRESQL_PLAIN(REGCLASS), AG_POSTGRESQL_PLAIN(REGCONFIG), AG_POSTGRESQL_PLAIN(TSVECTOR),                  \
        AG_POSTGRESQL_PLAIN(TSQUERY), AG_POSTGRESQL_PLAIN(CITEXT), AG_POSTGRESQL_PLAIN(HSTORE),                        \
        AG_POSTGRESQL_PLAIN(INT4RANGE), AG_POSTGRESQL_PLAIN(INT8RANGE), AG_POSTGRESQL_PLAIN(NUMRANGE),                 \
        AG_POSTGRESQL_PLAIN(DATERANGE), AG_POSTGRESQL_PLAIN(TSRANGE), AG_POSTGRESQL_PLAIN(TSTZRANGE),                  \
        AG_POSTGRESQL_PLAIN(INT4MULTIRANGE), AG_POSTGRESQL_PLAIN(INT8MULTIRANGE), AG_POSTGRESQL_PLAIN(NUMMULTIRANGE),  \
        AG_POSTGRESQL_PLAIN(DATEMULTIRANGE), AG_POSTGRESQL_PLAIN(TSMULTIRANGE), AG_POSTGRESQL_PLAIN(TSTZMULTIRANGE),   \
    }

/* postgresql_func.c */
bool ag_postgresql_takes_any(ag_str function, uint32_t n);

/* postgresql_ddl.c */
void ag_postgresql_table_tail(ag_compiler *c, const ag_table *t);

#endif

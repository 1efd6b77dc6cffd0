/* SELECT and set operations: construction (every clause), and what a finished SELECT means: its FROM list, its join
 * chain, which
 * FROMs an enclosing statement takes over (correlation), and the names of its columns. */
#ifndef AG_SQL_SELECT_H
#define AG_SQL_SELECT_H

#include "sql/dml.h"
#include "sql/expr.h"
#include "sql/func.h"
#include "sql/table.h"
#include "sql/text.h"

/* ---- building: each returns a new SELECT ---- */
/* columns: expressions; FROMs stand for all their columns (t in select(t)). */
const ag_node *ag_select(ag_builder *b, const ag_node *const *columns, size_t n);
/* Which list a generative call adds to. */
typedef enum ag_clause {
    AG_CL_COLUMNS,
    AG_CL_FROM,
    AG_CL_WHERE,
    AG_CL_GROUP_BY,
    AG_CL_HAVING,
    AG_CL_ORDER_BY,
    AG_CL_PREFIX,
    AG_CL_SUFFIX,
    AG_CL_HINT,
    AG_CL_CTE,
    AG_CL_EXTENSION,
    AG_CL_RETURNING,
    AG_CL_RETURN_DEFAULTS,
    AG_CL_CORRELATE,
    AG_CL_CORRELATE_EXCEPT,
    AG_CL_COUNT
} ag_clause;
/* Append items to (or, append false, set) a clause of a SELECT, COMPOUND, INSERT, UPDATE, DELETE or TEXT_SELECT; a
 * statement without that
 * clause: AG_EXC_ARGUMENT. COLUMNS, RETURNING, GROUP_BY: FROMs stand for all their columns. WHERE, HAVING:
 * conditions. FROM: tables,
 * subqueries … (DELETE: using()). CORRELATE, CORRELATE_EXCEPT: FROMs. PREFIX, SUFFIX: ag_prefix. HINT: ag_hint. CTE:
 * use ag_stmt_ctes.
 * EXTENSION: ag_extension. */
const ag_node *ag_stmt_add(ag_builder *b, const ag_node *stmt, ag_clause clause, const ag_node *const *items, size_t n,
                           bool append);
/* order_by(nil), group_by(nil): the clause empty. correlate(nil), correlate_except(nil): nothing is correlated, not
 * even by itself. */
const ag_node *ag_stmt_clear(ag_builder *b, const ag_node *stmt, ag_clause clause);
/* join: right a FROM; onclause NULL: inferred when the FROM list is computed. left NULL: found. */
const ag_node *ag_select_join(ag_builder *b, const ag_node *select, const ag_node *left, const ag_node *right,
                              const ag_node *onclause, unsigned flags);
const ag_node *ag_select_distinct(ag_builder *b, const ag_node *select, const ag_node *const *on, size_t n);
/* The same, refused by the compiler where a dialect has no DISTINCT ON (where distinct(on) writes a plain DISTINCT). */
const ag_node *ag_select_distinct_on(ag_builder *b, const ag_node *select, const ag_node *const *on, size_t n);
/* limit, offset, fetch of SELECT and COMPOUND. A number comes as ag_limit_bind. limit clears fetch and the reverse. */
typedef enum ag_limit_kind { AG_LIMIT, AG_OFFSET, AG_FETCH } ag_limit_kind;
const ag_node *ag_stmt_limit(ag_builder *b, const ag_node *stmt, ag_limit_kind which, const ag_node *e,
                             unsigned fetch_flags);
/* limit(nil) … */
const ag_node *ag_stmt_limit_clear(ag_builder *b, const ag_node *stmt, ag_limit_kind which);
const ag_node *ag_limit_bind(ag_builder *b, int64_t n); /* "param", Integer; n < 0: AG_EXC_ARGUMENT */
/* slice(start, stop), rows from 0: LIMIT stop - start OFFSET start; on a select with an offset start is added to it.
 * stop < 0: none. */
const ag_node *ag_stmt_slice(ag_builder *b, const ag_node *stmt, int64_t start, int64_t stop);
/* of: tables and columns. flags AG_FOR_UPDATE_*. */
const ag_node *ag_stmt_for_update(ag_builder *b, const ag_node *stmt, const ag_node *const *of, size_t n,
                                  unsigned flags);
const ag_node *ag_stmt_for_update_clear(ag_builder *b, const ag_node *stmt);
const ag_node *ag_stmt_label_style(ag_builder *b, const ag_node *stmt, ag_label_style style);
/* exec_options / host numbers of any statement or TEXT (not part of the hash). */
const ag_node *ag_stmt_exec_options(ag_builder *b, const ag_node *stmt, int64_t id);
const ag_node *ag_stmt_host(ag_builder *b, const ag_node *stmt, int64_t id);
int64_t ag_stmt_get_exec_options(const ag_node *stmt);
int64_t ag_stmt_get_host(const ag_node *stmt);
const ag_node *ag_stmt_ctes(ag_builder *b, const ag_node *stmt, const ag_node *const *ctes, size_t n, bool nest_here);
const ag_node *ag_prefix(ag_builder *b, const ag_node *element, ag_str dialect);
const ag_node *ag_hint(ag_builder *b, const ag_node *from, ag_str text, ag_str dialect);
const ag_node *ag_extension(ag_builder *b, const ag_node *element, ag_ext_point point);
/* union, … of two or more selectables */
const ag_node *ag_compound(ag_builder *b, ag_compound_kw kw, const ag_node *const *selects, size_t n);
/* reduce_columns(only_synonyms=True): drops columns that are equal to one kept, by foreign keys and WHERE equalities.
 * */
const ag_node *ag_select_reduce_columns(ag_builder *b, const ag_node *select, bool only_synonyms);

/* ---- meaning ---- */

/* The statement's FROM list: joins resolved, FROMs swallowed by joins removed, in SQLAlchemy's order, before
 * correlation. Items are FROM nodes
 * (JOINs may be new, made with b in arena mode). Errors: join inference's. */
ag_status ag_select_froms(ag_builder *b, const ag_node *select, const ag_node ***out, size_t *n,
                          ag_error *err) AG_NODISCARD;
/* The SELECT with its chain of joins worked out and made part of its explicit FROMs (itself when it has none). Join
 * errors. */
const ag_node *ag_select_settle_joins(ag_builder *b, const ag_node *select);
/* ag_select_froms after correlation. enclosing: all FROMs of the enclosing statements (asfrom_froms: those of the
 * directly
 * enclosing
 * statement's FROM clause when this one stands in a FROM, lateral included). Rules: SQLAlchemy's
 * SelectState._get_display_froms: an explicit
 * correlate() removes what it names, correlate_except all others, else automatic: a scalar subquery / WHERE subquery
 * drops those FROMs that the
 * enclosing statement has, unless nothing would be left (then AG_EXC_INVALID_REQUEST names the way out). */
typedef struct ag_correlation {
    const ag_node *const *explicit_froms; /* explicit_correlate_froms of the enclosing statement */
    size_t nexplicit;
    const ag_node *const *implicit_froms; /* implicit_correlate_froms */
    size_t nimplicit;
} ag_correlation;
ag_status ag_select_display_froms(ag_builder *b, const ag_node *select, const ag_correlation *c, const ag_node ***out,
                                  size_t *n, ag_error *err) AG_NODISCARD;
/* The FROMs of the columns clause alone (columns_clause_froms). Memory from ar. */
ag_status ag_select_columns_froms(const ag_node *select, ag_arena *ar, const ag_node ***out, size_t *n,
                                  ag_error *err) AG_NODISCARD;
/* filter_by(key = …): the column of that key among all FROMs of a SELECT, UPDATE or DELETE, joined ones included. *rank (may be NULL)
 * grows with the FROMs and their columns. Returns NULL: AG_EXC_AMBIGUOUS_COLUMN, or AG_EXC_INVALID_REQUEST with the names that were searched. */
const ag_node *ag_stmt_filter_column(ag_builder *b, const ag_node *stmt, ag_str key, uint64_t *rank);
/* UPDATE … FROM, DELETE … USING: FROMs of the criteria and values other than the table itself. */
ag_status ag_dml_froms(ag_builder *b, const ag_node *stmt, const ag_node ***out, size_t *n, ag_error *err) AG_NODISCARD;
/* FROMs that an expression names, each once, in order of appearance (not those inside its subqueries). */
ag_status ag_expr_froms(const ag_node *e, ag_arena *ar, const ag_node ***out, size_t *n, ag_error *err) AG_NODISCARD;

/* One column of a columns clause as it will be written and found (SQLAlchemy: _ColumnsPlusNames). */
typedef struct ag_select_col {
    const ag_node *expr; /* as in the columns clause, a LABEL included */
    ag_name required;    /* the label that must be written; no name: the compiler decides by the kind of expr … */
    ag_name fallback;    /* … and, if it writes one, writes this */
    ag_name name;        /* what it is called as a column of a subquery */
    ag_str key;          /* how a subquery's .c finds it */
    bool repeated;       /* the same column again: row[column] finds the first */
    bool renamed;        /* another column has its name already: `required` is made up */
} ag_select_col;
/* Columns of a SELECT under its label style (SelectState._generate_columns_plus_names), of the first SELECT of a
 * COMPOUND, of a TEXT_SELECT,
 * VALUES, of the RETURNING list of a DML statement. anon_for_dupe: true for writing a columns clause, false for .c.
 * Memory from ar. */
ag_status ag_stmt_columns(const ag_node *stmt, bool anon_for_dupe, ag_arena *ar, const ag_select_col **out, uint32_t *n,
                          ag_error *err) AG_NODISCARD;
/* The same for any list of column expressions. */
ag_status ag_column_names(const ag_node *const *exprs, uint32_t n, ag_label_style style, bool anon_for_dupe,
                          ag_arena *ar, const ag_select_col **out, ag_error *err) AG_NODISCARD;
/* SQLAlchemy's _tq_label ("users_id", none for unnamed expressions), _anon_name_label ("count_1", a column's name …)
 * and
 * _non_anon_label. Parts from ar; no name also when memory ran out. */
ag_name ag_expr_tq_label(const ag_node *e, ag_arena *ar);
ag_name ag_expr_anon_label(const ag_node *e, ag_arena *ar);
ag_name ag_expr_own_label(const ag_node *e, ag_arena *ar);
/* Result columns count, without names. 0 for statements that give no rows. */
uint32_t ag_stmt_column_count(const ag_node *stmt);
/* Does it return rows when executed: SELECT …, DML with RETURNING; TEXT: unknown (false). */
bool ag_stmt_returns_rows(const ag_node *stmt);

#endif

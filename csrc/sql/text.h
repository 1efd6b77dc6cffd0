/* text(): raw SQL with :name placeholders. The scanner knows single-quoted and double-quoted strings, E'' strings, dollar quotes,
 * line and nested block comments, `::` casts, `:=`, and the escape `\:` (outside quotes), so that a colon inside any of them is no
 * placeholder. */
#ifndef AG_SQL_TEXT_H
#define AG_SQL_TEXT_H

#include "sql/expr.h"

typedef struct ag_text_part {
    ag_str text; /* SQL up to the placeholder; borrowed from the input, except that escapes are not undone */
    ag_str name; /* {NULL,0} in the last part */
} ag_text_part;

/* One step of the scan: *pos moves past the placeholder found. Returns false at the end. part.text may contain `\:`. Pure: allocates
 * nothing, works on any bytes. */
bool ag_text_next(const char *sql, size_t len, size_t *pos, ag_text_part *part);

/* text(sql). Every placeholder becomes a BIND (required, NullType); one bind a name. AG_EXC_ARGUMENT for invalid UTF-8 or NUL. */
const ag_node *ag_text(ag_builder *b, ag_str sql);
/* bindparams(): binds (BIND nodes by key) in place of the text's own. A key the text has not: AG_EXC_ARGUMENT with a hint. */
const ag_node *ag_text_bindparams(ag_builder *b, const ag_node *text, const ag_node *const *binds, size_t n);
/* columns(): columns are COLUMN_CLAUSE / COLUMN; positional: given as a list. */
const ag_node *ag_text_columns(ag_builder *b, const ag_node *text, const ag_node *const *columns, size_t n, bool positional);

#endif

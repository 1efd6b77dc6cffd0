/* text(): raw SQL with :name placeholders. The scanner knows single-quoted and double-quoted strings, E'' strings,
 * dollar quotes,
 * line and nested block comments, `::` casts, `:=`, and the escape `\:` (outside quotes), so that a colon inside any
 * of them is no
 * placeholder. */
#ifndef AG_SQL_TEXT_H
#define AG_SQL_TEXT_H

#include "sql/expr.h"

typedef enum ag_text_kind {
    AG_TEXT_PLAIN,  /* SQL without placeholders */
    AG_TEXT_QUOTED, /* a string, quoted identifier or comment (to the end when it is not closed) */
    AG_TEXT_ESCAPE, /* "\:", which stands for a colon */
    AG_TEXT_BIND,   /* ":name" */
} ag_text_kind;
/* The token at pos (< len) and where it ends (> pos). Tokens follow one another without gaps. Pure: works on any
 * bytes, never looks at
 * or behind sql + len. */
ag_text_kind ag_text_token(const char *sql, size_t len, size_t pos, size_t *end);

/* text(sql). Every placeholder becomes a BIND (required, NullType); one bind a name. AG_EXC_ARGUMENT for invalid
 * UTF-8 or NUL. */
const ag_node *ag_text(ag_builder *b, ag_str sql);
/* bindparams(): binds (BIND nodes by key) in place of the text's own. A key the text has not: AG_EXC_ARGUMENT with a
 * hint. */
const ag_node *ag_text_bindparams(ag_builder *b, const ag_node *text, const ag_node *const *binds, size_t n);
/* columns(): columns are COLUMN_CLAUSE / COLUMN; positional: given as a list. */
const ag_node *ag_text_columns(ag_builder *b, const ag_node *text, const ag_node *const *columns, size_t n,
                               bool positional);

#endif

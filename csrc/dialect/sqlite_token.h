/* Private to the SQLite dialect: the tokens of its SQL (sqlite.org/lang.html; tokenize.c of its source is the measure). */
#ifndef AG_DIALECT_SQLITE_TOKEN_H
#define AG_DIALECT_SQLITE_TOKEN_H

#include "base/buf.h"
#include "sql/table.h"

typedef enum ag_sqlite_token_kind {
    AG_SQLITE_END,    /* of the text */
    AG_SQLITE_WORD,   /* a bare word: a keyword or a name */
    AG_SQLITE_QUOTED, /* "name", `name` or [name] */
    AG_SQLITE_STRING, /* 'text' */
    AG_SQLITE_NUMBER,
    AG_SQLITE_BLOB, /* x'00' */
    AG_SQLITE_SIGN, /* any other byte */
    AG_SQLITE_BAD,  /* a quote or comment without end */
} ag_sqlite_token_kind;

typedef struct ag_sqlite_token {
    ag_sqlite_token_kind kind;
    size_t from, to; /* bytes of the text */
} ag_sqlite_token;

/* The token at or behind `at`, past blanks and comments. */
ag_sqlite_token ag_sqlite_next_token(ag_str sql, size_t at);

#endif

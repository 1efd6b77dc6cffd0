/* The state of one compilation, shared by the visitors. Private to compile/ and dialect/. Failures are sticky: the first one fills err and
 * sets failed, after it visitors do nothing, so that calls need no checks of their own; loops and whoever reads what a visitor made
 * look at failed.
 *
 * The text is written once, front to back, with marks (a byte 0xFF, which no valid text contains, a letter, four bytes of a number)
 * where placeholders go. Text that belongs elsewhere (CTEs) is cut out and put back; finish.c turns marks into placeholders. */
#ifndef AG_COMPILE_COMPILER_H
#define AG_COMPILE_COMPILER_H

#include "compile/dialect.h"

/* Keywords handed down: what a visitor is called for. Those of AG_KW_DOWN go on to children. */
#define AG_KW_COLUMNS   0x0001u /* in a columns clause: labels are written with AS */
#define AG_KW_INLABEL   0x0002u /* inside a label */
#define AG_KW_FROM      0x0004u /* stands in FROM (or is a subquery of one) */
#define AG_KW_LATERAL   0x0008u
#define AG_KW_NO_TABLE  0x0010u  /* columns without their table's name */
#define AG_KW_LITERAL   0x0020u  /* binds are written as literals */
#define AG_KW_COMPOUND0 0x0040u  /* first SELECT of a compound */
#define AG_KW_COMPOUND  0x0080u  /* another one */
#define AG_KW_INSERT    0x0100u  /* SELECT of INSERT … FROM SELECT */
#define AG_KW_AGGREGATE 0x0200u  /* among a function's arguments */
#define AG_KW_OPERATOR  0x0400u  /* an operand */
#define AG_KW_REFS      0x0800u  /* labels are written as their names (render_label_as_label) */
#define AG_KW_IN        0x1000u  /* right side of IN */
#define AG_KW_NOT_IN    0x2000u  /* … of NOT IN */
#define AG_KW_NO_EXPR   0x4000u  /* without the type's bind_expression */
#define AG_KW_DDL       0x8000u  /* inside DDL: literals, no table names */
#define AG_KW_RESULT    0x10000u /* this column goes into the result map */
#define AG_KW_UPSERT    0x20000u /* SET of ON CONFLICT */
#define AG_KW_DOWN                                                                                                     \
    (AG_KW_OPERATOR | AG_KW_NO_TABLE | AG_KW_LITERAL | AG_KW_DDL | AG_KW_AGGREGATE | AG_KW_REFS | AG_KW_NO_EXPR)

/* One member of a list of binds that stands alone, in the expression its type puts around it; list NULL: none. */
typedef struct ag_member {
    const ag_n_bind *list;
    uint32_t bind, index;
    bool literal;
} ag_member;

typedef AG_VEC(const ag_node *) ag_nodes;

/* The enclosing statements, innermost first. */
typedef struct ag_frame_entry {
    struct ag_frame_entry *up;
    const ag_node *stmt;
    uint32_t level; /* 1 at the top */
    const ag_node *const *correlate_froms;
    size_t ncorrelate;
    const ag_node *const *asfrom_froms;
    size_t nasfrom;
    bool column_exprs;             /* of this statement, or of every SELECT of this set operation: what the user gets */
    bool result_map, compound_map; /* this statement's columns are the result; its first SELECT's are */
    const ag_select_col *columns;  /* of the SELECT, for label references; NULL unknown */
    uint32_t ncolumns;
    const ag_node *const *froms; /* displayed ones */
    size_t nfroms;
    const ag_node *const *ambiguous; /* tables written under an alias, since a table of another schema has their name */
    size_t nambiguous;
} ag_frame_entry;

typedef struct ag_cte_entry {
    const ag_node *cte;       /* the one its name stands for now */
    const ag_node *reference; /* the first of the chain of restatements */
    ag_str name;
    uint32_t level;
    bool nesting, nest_here, dropped, alias;
    ag_str text; /* with marks; {NULL,0} while it is being written */
} ag_cte_entry;

struct ag_compiler {
    const ag_dialect *d;
    const ag_compile_options *o; /* never NULL */
    ag_compile_host *host;
    const ag_alloc
        *alloc; /* &watch: notices every failure, also one that a name function of sql/ answers with "no name" */
    ag_alloc watch;
    const ag_alloc *real;
    ag_error *err;
    bool oom, failed;
    ag_status status;

    ag_buf out;
    ag_buf scratch; /* of names.c */
    ag_arena *ar;   /* the compiled statement's: what stays */
    ag_arena tmp;   /* what dies with the compilation */
    ag_builder b;   /* nodes made on the way, in tmp */
    ag_compiled *result;

    ag_param_style style;
    const ag_node *stmt; /* the root */
    ag_frame_entry *frame;
    uint32_t depth;

    /* names */
    ag_map anon;      /* hash of (text, id, dedupe) → number */
    ag_map counters;  /* text → last number */
    ag_map truncated; /* long generated name → its short form */
    uint32_t hashed;

    /* binds */
    ag_binds *tree_binds;
    ag_map bind_index; /* node address → index in tree_binds; built at the first bind */
    bool bind_index_built;
    ag_map bind_names; /* name → index into binds */
    ag_map bind_nodes; /* node address → index into binds */
    AG_VEC(ag_compiled_bind) binds;

    AG_VEC(ag_result_col) columns;
    AG_VEC(ag_cte_entry) ctes;
    const ag_node *visiting_cte;
    const ag_node *ref_label; /* the LABEL that AG_KW_REFS means */
    /* OVER (…) is being written in this frame: names there mean columns, never labels */
    const ag_frame_entry *over_frame;
    void (*extra_columns)(ag_compiler *c,
                          uint32_t already); /* INSERT … FROM SELECT: the defaults that the SELECT lacks */
    uint32_t item;                           /* number of the columns clause's item being written */

    /* DML */
    ag_dml_facts *dml;        /* of the root statement, NULL for others */
    const ag_node *dml_stmt;  /* the INSERT or UPDATE being written */
    struct ag_crud *crud;     /* its columns and values (crud.h) */
    uint32_t dml_row;         /* 1 + row of multi-values, 0 none */
    const ag_node *dml_value; /* the value of a column being written: a bind is called as the column is */

    unsigned compiled_flags;

    /* constructs of the host */
    const ag_node *as_usual; /* this one is written as if it had no hook */
    bool host_began;
    ag_member member;
};

/* The longest identifier: the engine's option, or the dialect's. */
static inline uint32_t ag_c_max_identifier(const ag_compiler *c)
{
    return c->o->max_identifier ? c->o->max_identifier : c->d->max_identifier;
}

/* ---- failures ---- */
void ag_c_fail(ag_compiler *c, ag_exc cls, const char *fmt, ...) AG_PRINTF(3, 4);
void ag_c_nomem(ag_compiler *c);
/* False (and failed set) when st is a failure whose error is in c->err already. */
bool ag_c_ok(ag_compiler *c, ag_status st);

/* ---- writing ---- */
static inline void ag_c_str(ag_compiler *c, const char *s)
{
    ag_buf_str(&c->out, s);
}
static inline void ag_c_add(ag_compiler *c, ag_str s)
{
    ag_buf_add(&c->out, s.p, s.n);
}
void ag_c_quote(ag_compiler *c, ag_str name, int quote); /* an identifier of the user's */
void ag_c_string(ag_compiler *c, ag_str text);           /* a string literal */
/* Text from `at` to the end, cut off the output; bytes in tmp. */
ag_str ag_c_cut(ag_compiler *c, size_t at);
/* A keyword is only written when what fn wrote is not empty: cut back to `at` when nothing came after `start`. */

/* ---- visiting ---- */
void ag_c_visit(ag_compiler *c, const ag_node *n, unsigned k);
/* What an operand stands beside. op NONE: SQLAlchemy's self_group(None), brackets around every operation. */
typedef struct ag_against {
    ag_op_id op;
    int precedence;
    bool right; /* the operand is the right one */
} ag_against;
ag_against ag_c_against(ag_op_id op);
bool ag_c_needs_brackets(ag_compiler *c, const ag_node *n, ag_against a);
/* With brackets when n needs them. */
void ag_c_visit_against(ag_compiler *c, const ag_node *n, ag_against a, unsigned k);
void ag_c_visit_operand(ag_compiler *c, const ag_node *n, ag_op_id against, unsigned k);
/* n items with sep between. */
void ag_c_visit_list(ag_compiler *c, const void *owner, ag_nlist items, const char *sep, unsigned k);
void ag_c_visit_conjunction(ag_compiler *c, const void *owner, ag_nlist items, unsigned k);
/* prefixes and suffixes for this dialect, each followed by a blank */
void ag_c_visit_prefixes(ag_compiler *c, const void *owner, ag_nlist prefixes);
void ag_c_visit_extensions(ag_compiler *c, const void *owner, ag_nlist list, ag_ext_point point, const char *before,
                           const char *after);
bool ag_is_implicitly_boolean(const ag_node *n);
/* Precedence of an operator node by SQLAlchemy's table; AG_PRECEDENCE_NONE. */
int ag_node_precedence(const ag_node *n);

/* A SELECT or compound inside: with brackets. */
void ag_c_visit_subselect(ag_compiler *c, const ag_node *select, unsigned k);
/* Every CTE gathered so far that belongs to this level, before text position `at`. level 0 or 1: all. */
void ag_c_ctes_render(ag_compiler *c, size_t at, uint32_t level, bool following);
void ag_c_visit_independent_ctes(ag_compiler *c, const void *owner, ag_nlist refs);
void ag_c_visit_cte_full(ag_compiler *c, const ag_node *n, unsigned k, bool nest_here);
/* Columns of a RETURNING list. */
void ag_c_visit_returning(ag_compiler *c, const ag_node *stmt, ag_nlist returning, const ag_column *const *more,
                          uint32_t nmore, bool map);
/* One item of a columns clause. asfrom: of a subquery. */
void ag_c_label_column(ag_compiler *c, const ag_select_col *col, bool result_map, bool asfrom, unsigned k);

/* Writes n as a hook of the host wants it; false: there is none for it, or it is to be written as usual. */
bool ag_c_visit_hooked(ag_compiler *c, const ag_node *n, unsigned k);
/* The same for a function of a class of the host's. */
bool ag_c_func_hooked(ag_compiler *c, const ag_node *n, unsigned k);
/* For ag_visit_splice of `compiler:default(n)`: n without its hook. */
void ag_c_visit_as_usual(ag_compiler *c, const ag_node *n, unsigned k);
/* Before the host is shown nodes of this compilation; again is fine. False: it failed. */
bool ag_c_host_begin(ag_compiler *c);
/* At the end of the compilation. */
void ag_c_host_end(ag_compiler *c);

/* ---- for dialects ---- */
void ag_c_left(ag_compiler *c, const ag_node *binary, unsigned k);
void ag_c_right(ag_compiler *c, const ag_node *binary, unsigned k);
void ag_c_binary_text(ag_compiler *c, const ag_node *n, const char *text, unsigned k);
const char *ag_c_op_text(const ag_compiler *c, ag_op_id op);
void ag_c_args(ag_compiler *c, const ag_node *func, unsigned k);
void ag_c_func_name(ag_compiler *c, const ag_node *func);
void ag_c_aggregate_strings(ag_compiler *c, const ag_node *func, const ag_n_agg_order *order, const char *name,
                            unsigned k);

void ag_c_type_args(ag_compiler *c, const char *name, int32_t a, int32_t b); /* name(a, b); negative: left out */
/* COLLATE and its name, where the type has one. */
void ag_c_collation(ag_compiler *c, const ag_type *t);
/* The name of an ENUM or DOMAIN, behind its schema (before schema_translate_map; empty: none). Fails where it has no name, or one by which the
 * database would know a type of its own. */
void ag_c_type_name(ag_compiler *c, const ag_type *t, ag_str schema);
void ag_c_hex(ag_compiler *c, ag_str bytes);

void ag_c_frame_push(ag_compiler *c, ag_frame_entry *f, const ag_node *stmt);
void ag_c_frame_froms(ag_compiler *c, ag_frame_entry *f, const ag_node *const *froms, size_t n);
/* " ORDER BY a, b", or nothing. */
void ag_c_order_by(ag_compiler *c, const void *owner, ag_nlist items, unsigned k);
/* Columns of a SELECT under its frame; AG_KW_INSERT: with extra_columns behind. */
/* The columns of the SELECT into its frame, where labels are looked for; then their text. */
void ag_c_columns_find(ag_compiler *c, const ag_node *n);
void ag_c_columns_clause(ag_compiler *c, bool asfrom, unsigned k);
void ag_c_add_result(ag_compiler *c, const ag_node *e, ag_str key, const ag_type *type);
void ag_c_condition(ag_compiler *c, const ag_node *e, unsigned k);
/* Looks for FROM elements of a SELECT, UPDATE or DELETE (kind) that nothing connects (lint.c): the compiled statement's warning. After
 * its text. where: the criteria, which owner holds. */
void ag_c_lint(ag_compiler *c, const char *kind, const void *owner, ag_nlist where, const ag_node *const *froms,
               size_t n);

/* ---- names ---- */
/* The text of a name: numbers given, cut to the dialect's length, bytes in tmp. */
ag_str ag_c_name(ag_compiler *c, ag_name name);
/* The same for a name that is ours even where it is plain: cut to the length. */
ag_str ag_c_generated(ag_compiler *c, ag_name name);
/* The same from base and identity. */
ag_str ag_c_anon(ag_compiler *c, ag_str base, uint64_t id);
/* Name of a FROM as written. */
ag_str ag_c_from_name(ag_compiler *c, const ag_node *from);
/* An identifier made by us: quoted by rule, without a check of its length. */
void ag_c_quote_generated(ag_compiler *c, ag_str name);
/* A name as written: generated when it has made-up parts, else quoted as the user wants. text: what ag_c_name gave for it. */
void ag_c_quote_text(ag_compiler *c, ag_name name, ag_str text, int quote);
void ag_c_quote_name(ag_compiler *c, ag_name name, int quote);
void ag_c_quote_from(ag_compiler *c, const ag_node *from);
/* The made-up alias of a table without schema whose name is also that of a table in a schema that stands in the same FROM; else empty. */
ag_str ag_c_ambiguous(ag_compiler *c, const ag_node *table);
/* schema.table of a table, the translate map applied; schema only when there is one. */
void ag_c_table(ag_compiler *c, const ag_table *t);
ag_str ag_c_schema(ag_compiler *c, ag_str schema);

/* ---- binds ---- */
void ag_c_mark(ag_compiler *c, char letter, uint32_t number);
void ag_c_mark2(ag_compiler *c, uint32_t bind, uint32_t member);
/* Registers a bind of the tree, or one of column defaults; index into binds, UINT32_MAX after a failure. */
uint32_t ag_c_bind(ag_compiler *c, const ag_n_bind *n);
/* The placeholder of n, if it is a bind that has one, says its type: ag_dialect's takes_any. */
void ag_c_resolve(ag_compiler *c, const ag_node *n);
/* A bind that the call's parameter or an engine default feeds. */
uint32_t ag_c_param(ag_compiler *c, ag_str name, const ag_type *type, const ag_column *column, ag_bind_source source);
/* Writes a value as SQL text. */
void ag_c_literal(ag_compiler *c, const ag_value *v, const ag_type *t);
void ag_c_type(ag_compiler *c, const ag_type *t);
/* Is the right side of IN so long a list that it goes as one array? */
bool ag_c_array_form(const ag_compiler *c, const ag_node *right, unsigned k);
void ag_c_visit_json_index(ag_compiler *c, const ag_node *n, unsigned k);
void ag_c_visit_array_bind(ag_compiler *c, const ag_node *n);
/* The placeholder of a parameter without a node of its own (a key of the call, a default), with its type's bind_expression around it. */
void ag_c_write_param(ag_compiler *c, uint32_t bind, const ag_type *t);
/* n, a bindparam that was given no type: as one of type t. */
void ag_c_write_untyped(ag_compiler *c, const ag_node *n, const ag_type *t);
/* Text, positions, pieces, columns into the result. */
void ag_c_finish(ag_compiler *c);

/* Texts and marks (finish.c). */
#define AG_MARK              '\xff'
#define AG_MARK_LEN          6u
#define AG_MARK_BIND         'b' /* number: bind */
#define AG_MARK_MEMBER       'm' /* number: bind; another mark 'n' follows with the member */
#define AG_MARK_MEMBER2      'n'
#define AG_MARK_PIECE        'p' /* expanding bind of the user's: number of the bind */
#define AG_MARK_PIECE_IN     'i'
#define AG_MARK_PIECE_NOT_IN 'x'
#define AG_MARK_LITERAL      'l' /* literal_execute */
#define AG_MARK_VALUES       'v' /* begin of the one row of VALUES */
#define AG_MARK_VALUES_END   'w'

#endif

/* Private to sql/: building made-up names (table.h ag_name) and the labels that SQLAlchemy gives to expressions. */
#ifndef AG_SQL_NAMES_H
#define AG_SQL_NAMES_H

#include "base/buf.h"
#include "sql/build.h"
#include "sql/select.h"

#define AG_NO_NAME ((ag_name){NULL, 0, 0})

/* One round of naming: memory, and what is known of FROMs already (so that nested made-up names are worked out once).
 * */
typedef struct ag_namer {
    ag_arena *ar;
    ag_map froms; /* address of a FROM → ag_named_cols * */
    bool nomem;   /* sticky */
    ag_str clash; /* a label given twice, which a FROM would export by another name; nomem is set too */
} ag_namer;
void ag_namer_init(ag_namer *nm, ag_arena *ar);
void ag_namer_clear(ag_namer *nm);
/* Why naming stopped: nomem, or the clash (InvalidRequestError, as Label._make_proxy of SQLAlchemy's sql/elements.py). */
ag_status ag_namer_fail(const ag_namer *nm, ag_error *err);

/* Exported columns of a FROM or a statement; NULL with nm->nomem set, or *n 0. */
const ag_from_col *ag_namer_columns(ag_namer *nm, const ag_node *from, uint32_t *n);
/* Columns clause of a list of expressions. NULL: nm->nomem. */
const ag_select_col *ag_namer_clause(ag_namer *nm, const ag_node *const *exprs, uint32_t n, ag_label_style style,
                                     bool anon_for_dupe);
/* The expressions whose columns stmt exports, their number and the label style. */
const ag_node *const *ag_stmt_exprs(const ag_node *stmt, uint32_t *n, ag_label_style *style);

/* ---- names ---- parts from nm's arena */
ag_name ag_name_of_text(ag_namer *nm, ag_str s);
ag_name ag_name_join(ag_namer *nm, ag_name a, ag_name b);
ag_name ag_name_add_text(ag_namer *nm, ag_name a, ag_str s);
/* Made-up names have "_" for runs of the characters that SQLAlchemy's way of making them cannot hold. {NULL, …}: out of memory. */
ag_str ag_name_escaped(ag_arena *ar, ag_str s);
/* Plain parts made one, so that equal names have equal parts. */
ag_name ag_name_settle(ag_namer *nm, ag_name n);
/* SQLAlchemy's _anon_label: made up from seed ("anon" when it is no name) for the element id. */
ag_name ag_name_made_up(ag_namer *nm, uint64_t id, ag_name seed, uint32_t dedupe);
ag_name ag_name_of_from(ag_namer *nm, const ag_node *from);
/* The name that a FROM was given, {NULL,0} for none; *named false: its kind has no names. */
ag_str ag_from_given_name(const ag_node *from, bool *named);

/* ---- labels of expressions ---- */
/* The name attribute; functions: those of functions too (_non_anon_label leaves them out). */
ag_name ag_label_own(ag_namer *nm, const ag_node *e, bool functions);
ag_name ag_label_anon(ag_namer *nm, const ag_node *e);                        /* _anon_name_label */
ag_name ag_label_tq(ag_namer *nm, const ag_node *e, bool by_key);             /* _tq_label, _tq_key_label */
ag_name ag_label_dedupe(ag_namer *nm, const ag_node *e, uint32_t i, bool tq); /* _dedupe_anon_(tq_)label_idx */
ag_str ag_label_key(const ag_node *e);                                        /* _proxy_key */
/* Is it written without a label in any case (text(), column("x"), *)? */
bool ag_label_never(const ag_node *e);

#endif

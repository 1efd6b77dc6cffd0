/* Walking, copying and rewriting trees. All of it is driven by the field tables of nodes.def and runs in loops, never
 * by
 * recursion: a chain of 100,000 ANDs is as good as any tree. */
#ifndef AG_SQL_WALK_H
#define AG_SQL_WALK_H

#include "sql/node.h"

typedef enum ag_visit {
    AG_VISIT_CONTINUE = 0,
    AG_VISIT_PRUNE, /* enter: do not go below this node (leave is not called for it) */
    AG_VISIT_ABORT, /* stop the whole walk */
} ag_visit;

typedef struct ag_walker {
    void *ud;
    /* Before the children; NULL = continue. parent: NULL at the root. */
    ag_visit (*enter)(void *ud, const ag_node *n, const ag_node *parent);
    /* After the children; PRUNE means CONTINUE here; NULL = none. */
    ag_visit (*leave)(void *ud, const ag_node *n, const ag_node *parent);
    bool once; /* nodes with identity and FROMs are entered only the first time they are met */
} ag_walker;

/* Walks root's tree, children in the order of nodes.def (the order of the text, nearly). *aborted (may be NULL) tells
 * whether
 * a callback stopped it. Fails only for memory. */
ag_status ag_walk(const ag_node *root, const ag_walker *w, const ag_alloc *alloc, bool *aborted,
                  ag_error *err) AG_NODISCARD;

/* Number of direct children, and child i (from 0; i < number). */
uint32_t ag_child_count(const ag_node *n);

/* The first node of `kind` in pre-order, or NULL. */
const ag_node *ag_find_kind(const ag_node *root, ag_kind kind, const ag_alloc *alloc);

/* ---- rewriting ----
 * Replacement traversal (SQLAlchemy's replacement_traverse, ClauseAdapter): fn is asked for every node before its
 * children; what it
 * returns stands in the result and is not gone into; NULL = keep it and go into its children. Nodes whose children
 * did not
 * change are reused, not copied (unless copy_all); shared nodes stay shared. The result is made with b; b must be in
 * arena
 * mode or the result be taken out as a whole. */
typedef const ag_node *(*ag_replace_fn)(void *ud, const ag_node *n);
typedef struct ag_replacer {
    void *ud;
    ag_replace_fn fn;     /* may be NULL: a plain copy */
    bool copy_all;        /* copy every node but COLUMN and TABLE (which belong to their MetaData) */
    bool copy_schema;     /* with copy_all: COLUMN and TABLE blocks too (their schema pointers stay) */
    bool drop_values;     /* BINDs lose their values (number of expanding values stays); origin = 1 + gathered index */
    bool skip_subqueries; /* do not go into SELECTs inside (stop_on) */
} ag_replacer;
/* NULL on failure, b->err filled. */
const ag_node *ag_replace(ag_builder *b, const ag_node *root, const ag_replacer *r) AG_NODISCARD;

/* ClauseAdapter: columns that correspond to `from`'s columns (ag_corresponding_column, embedded) are replaced by
 * those, and
 * FROMs that from is derived from (the table of an alias) by from. */
typedef struct ag_adapter {
    const ag_node *from;
    /* columns that mean the same: when a column has none in from, those of its pairs are tried. May be NULL. */
    const ag_node *const (*equivalents)[2];
    size_t nequivalents;
    bool on_names; /* as a last resort from's column of the same name */
    /* NULL, or whether this column (COLUMN, COLREF) may be replaced. */
    bool (*include)(void *ud, const ag_node *column);
    void *ud;
} ag_adapter;
/* NULL on failure, b->err filled. */
const ag_node *ag_adapt(ag_builder *b, const ag_node *root, const ag_adapter *a) AG_NODISCARD;

typedef struct ag_param {
    ag_str key;
    const ag_value *values; /* one, or with list any number (for an expanding bind) */
    size_t n;
    bool list;
} ag_param;
/* params(), unique_params(): a copy in which named binds have other values. unique: all binds become unique ones.
 * Unknown names are
 * not an error (as SQLAlchemy's). */
const ag_node *ag_with_params(ag_builder *b, const ag_node *root, const ag_param *params, size_t n,
                              bool unique) AG_NODISCARD;

#endif

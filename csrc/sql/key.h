/* Cache keys. The key of a statement is the statement: equal hash, then an isomorphism walk that also gathers its
 * binds. Two
 * trees are the same when they print the same SQL for every dialect: same kinds, names, types and options, and the same
 * sharing of nodes with identity (`a.x = a.x` is not `a.x = b.x`). Bind values do not count, but those that are
 * written into
 * the text (literal_execute) do, and so does the number of members of an IN list. */
#ifndef AG_SQL_KEY_H
#define AG_SQL_KEY_H

#include "base/vec.h"
#include "sql/walk.h"

/* A statement's distinct BINDs in the order of the walk (ag_walk's order; a unique BIND each once, one that occurs
 * under the
 * same node twice once; named ones once a node). Entries live as long as their tree. */
typedef AG_VEC(const ag_n_bind *) ag_binds;

/* Appends root's binds to out (initialised by the caller with ag_vec_init). */
ag_status ag_tree_binds(ag_binds *out, const ag_node *root, const ag_alloc *alloc, ag_error *err) AG_NODISCARD;

/* Is the statement allowed in a cache: no CUSTOM without inherit_cache, no type that forbids it. */
static inline bool ag_tree_cacheable(const ag_node *root)
{
    return !(root->flags & AG_NF_UNCACHED);
}

/* *same: whether a and b print the same. binds (may be NULL): receives b's binds in the order in which ag_tree_binds
 * gives a's,
 * so that binds[i] of the one stands for binds[i] of the other; its content is undefined unless *same. Compares
 * hashes first;
 * allocates only for nodes with identity. */
ag_status ag_tree_same(bool *same, const ag_node *a, const ag_node *b, ag_binds *binds, const ag_alloc *alloc,
                       ag_error *err) AG_NODISCARD;

/* Structural equality as ClauseElement.compare(): like ag_tree_same, but bind values count too. */
ag_status ag_tree_equal(bool *equal, const ag_node *a, const ag_node *b, const ag_alloc *alloc,
                        ag_error *err) AG_NODISCARD;

/* A deep copy into ar for a cache entry: sharing kept, bind values dropped (their number and literal_execute values
 * stay),
 * BIND.origin = 1 + index in the original's ag_tree_binds. COLUMN and TABLE blocks are shared with their MetaData: the
 * entry must hold its owner (ag_tree_owners). *size: bytes used in ar. NULL: out of memory, err filled. */
const ag_node *ag_tree_copy(ag_arena *ar, const ag_node *root, const ag_alloc *alloc, size_t *size,
                            ag_error *err) AG_NODISCARD;

/* Calls fn for the owner (MetaData) of every table in the tree, each once. */
struct ag_owner;
ag_status ag_tree_owners(const ag_node *root, void (*fn)(void *ud, struct ag_owner *o), void *ud, const ag_alloc *alloc,
                         ag_error *err) AG_NODISCARD;

#endif

/* What the tests of the SQL tree share: a builder in arena mode, three tables made by hand (no MetaData), short
 * names. */
#ifndef AG_TEST_TREE_H
#define AG_TEST_TREE_H

#include "base/buf.h"
#include "sql/key.h"
#include "sql/select.h"

#include <string.h>

#define TREE_COLUMNS 5
#define TREE_FKS     4

typedef struct tree_table {
    ag_table t;
    ag_column cols[TREE_COLUMNS];
    ag_column *ptrs[TREE_COLUMNS];
    ag_column *pk[1];
    ag_fk fks[TREE_FKS], *fk_ptrs[TREE_FKS];
    ag_fk *col_fks[TREE_COLUMNS][TREE_FKS];
} tree_table;

/* users (id, name, age), addresses (id, user_id → users.id, email, backup_id), orders (id, user_id → users.id,
 * address_id →
 * addresses.id, total), pairs (two foreign keys to users: ambiguous). All in one owner. */
typedef struct tree {
    ag_owner owner;
    ag_arena arena;
    ag_types *types;
    ag_error err;
    ag_builder b;
    const ag_alloc *alloc;
    tree_table users, addresses, orders, pairs;
    ag_buf text;
} tree;

/* False when out of memory (then tree_clear still works). */
bool tree_init(tree *t, const ag_alloc *alloc);
void tree_clear(tree *t);

/* Column of one of the tables by key; asserts that it exists. */
const ag_node *tree_col(const tree_table *t, const char *key);
#define TABLE(x) ((x).t.node)
/* Column of any FROM by key. */
const ag_node *tree_c(tree *t, const ag_node *from, const char *key);
const ag_node *tree_int(tree *t, const ag_node *beside, ag_op_id op, int64_t v);
const ag_node *tree_text(tree *t, const ag_node *beside, ag_op_id op, const char *s);
/* column = integer */
const ag_node *tree_eq(tree *t, const ag_node *col, int64_t v);
const ag_node *tree_bin(tree *t, ag_op_id op, const ag_node *l, const ag_node *r);
/* select(columns …, NULL) */
const ag_node *tree_select(tree *t, ...);
const ag_node *tree_where(tree *t, const ag_node *select, const ag_node *cond);
static inline ag_str tree_str(const char *s)
{
    return s ? (ag_str){s, strlen(s)} : (ag_str){0};
}

/* Dump of n, "-" for NULL. Valid until the next call. */
const char *tree_dump(tree *t, const ag_node *n);
/* A made-up name in readable form: parts in their text, made-up ones as "base_#". */
const char *tree_name(tree *t, ag_name name);
/* "users, addresses": FROM nodes, joins in brackets. */
const char *tree_froms(tree *t, const ag_node *const *froms, size_t n);
/* Message of the last error, and forget it. */
const char *tree_error(tree *t);

#define assert_dump(t, n, expected) assert_string_equal(tree_dump((t), (n)), (expected))
/* The call failed with that class and a message that contains text. */
#define assert_fails(t, n, cls_, contains)                                                                             \
    do {                                                                                                               \
        assert_null(n);                                                                                                \
        assert_true((t)->err.set);                                                                                     \
        assert_int_equal((t)->err.cls, AG_EXC_##cls_);                                                                 \
        if (!strstr(ag_error_message(&(t)->err), (contains)))                                                          \
            fail_msg("message is: %s", ag_error_message(&(t)->err));                                                   \
        ag_error_clear(&(t)->err);                                                                                     \
    } while (0)

#endif

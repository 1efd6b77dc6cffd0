/* Private to sql/: the hash mixing of nodes, inline because it runs for every field of every node built. After wyhash's
 * multiply-and-fold, as base/hash.c. */
#ifndef AG_SQL_NODE_HASH_H
#define AG_SQL_NODE_HASH_H

#include "sql/node.h"

static inline uint64_t ag_mix(uint64_t h, uint64_t v)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 u128;
    u128 r = (u128)(v ^ UINT64_C(0x2d358dccaa6c78a5)) * (h ^ UINT64_C(0x8bb84b93962eacc9));
    return (uint64_t)r ^ (uint64_t)(r >> 64);
#else
    return ag_hash_u64(h, v);
#endif
}

/* Are the values of this node part of its identity? */
static inline bool ag_node_values_count(const ag_node *n)
{
    return n->kind != AG_K_BIND || (n->flags & AG_BIND_LITERAL_EXECUTE);
}

/* Is the number of its values? */
static inline bool ag_node_length_counts(const ag_node *n)
{
    return n->kind != AG_K_BIND || !(n->flags & AG_BIND_ARRAY);
}

/* Flags that decide text. */
#define AG_NF_HASHED AG_NF_KIND

#endif

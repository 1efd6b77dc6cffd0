/* Private to sql/: what stands before a node in a builder's scratch. */
#ifndef AG_SQL_SCRATCH_H
#define AG_SQL_SCRATCH_H

#include "sql/node.h"

/* Before every scratch node; 16 bytes keep it aligned. */
typedef struct ag_prefix {
    uint32_t generation;  /* of the take that placed it */
    uint32_t has_scratch; /* some of its children are in scratch, too */
    uint64_t offset;
} ag_prefix;

static inline ag_prefix *ag_prefix_of(const ag_node *n)
{
    /* scratch nodes are the builder's own memory, so writing to their prefix is no cheating */
    return (ag_prefix *)(uintptr_t)((const char *)n - sizeof(ag_prefix));
}

#endif

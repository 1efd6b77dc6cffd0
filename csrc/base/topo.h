/* Topological sorting of small integer graphs: layers by Kahn's algorithm, and the cycles that stop it. Used for table
 * creation order and for the unit of work. */
#ifndef AG_BASE_TOPO_H
#define AG_BASE_TOPO_H

#include "base/error.h"

typedef struct ag_edge {
    uint32_t before, after; /* node "before" comes earlier */
} ag_edge;

/* Sorts n nodes (0 … n-1). order receives all n nodes, stable: among free nodes the lower number first; layer[i]
 * (may be NULL) the layer of node i, from 0. Returns AG_OK; on a cycle AG_ERROR with class
 * AG_EXC_CIRCULAR_DEPENDENCY (its message without names; use ag_topo_cycles for the members). */
ag_status ag_topo_sort(const ag_alloc *a, uint32_t *order, uint32_t *layer, uint32_t n, const ag_edge *edges,
                       size_t nedges, ag_error *err) AG_NODISCARD;
/* Marks in_cycle[i] for every node in a strongly connected component of two or more nodes or with an edge to itself. */
ag_status ag_topo_cycles(const ag_alloc *a, bool *in_cycle, uint32_t n, const ag_edge *edges, size_t nedges,
                         ag_error *err) AG_NODISCARD;

#endif

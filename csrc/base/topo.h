/* Topological sorting of small integer graphs: layers by Kahn's algorithm, and the cycles that stop it. Used for table
 * creation order and for the unit of work. */
#ifndef AG_BASE_TOPO_H
#define AG_BASE_TOPO_H

#include "base/error.h"

typedef struct ag_edge {
    uint32_t before, after; /* node "before" comes earlier */
} ag_edge;

/* Sorts n nodes (0 … n-1) by layer, inside a layer by number. A node's layer is the length of the longest path that ends
 * in it, from 0. order receives all n nodes; layer[i] (layer may be NULL) the layer of node i. AG_ERROR: on a cycle class
 * AG_EXC_CIRCULAR_DEPENDENCY (its message without names; use ag_topo_cycles for the members), for an edge to a node >= n
 * class AG_EXC_ARGUMENT; order and layer are then undefined. AG_NOMEM. */
ag_status ag_topo_sort(const ag_alloc *a, uint32_t *order, uint32_t *layer, uint32_t n, const ag_edge *edges,
                       size_t nedges, ag_error *err) AG_NODISCARD;
/* Marks in_cycle[i] for every node in a strongly connected component of two or more nodes or with an edge to itself. */
ag_status ag_topo_cycles(const ag_alloc *a, bool *in_cycle, uint32_t n, const ag_edge *edges, size_t nedges,
                         ag_error *err) AG_NODISCARD;

#endif

/* Kahn's layers and Tarjan's strongly connected components over a graph in compressed rows: the successors of node i
 * are targets[start[i]] … targets[start[i + 1] - 1]. Linear in nodes and edges, without recursion. */
#include "base/topo.h"

#include <string.h>

typedef struct graph {
    uint32_t n;
    size_t *start;
    uint32_t *targets;
} graph;

static void graph_clear(graph *g, const ag_alloc *a)
{
    ag_mem_free(a, g->start);
    ag_mem_free(a, g->targets);
}

static ag_status graph_init(graph *g, const ag_alloc *a, uint32_t n, const ag_edge *edges, size_t nedges, ag_error *err)
{
    *g = (graph){.n = n};
    for (size_t i = 0; i < nedges; i++) {
        if (edges[i].before >= n || edges[i].after >= n)
            return ag_fail(err, AG_EXC_ARGUMENT, "edge %zu names a node beyond the last of %u", i, (unsigned)n);
    }
    g->start = ag_mem_zero(a, (size_t)n + 2, sizeof *g->start);
    g->targets = ag_mem_zero(a, nedges, sizeof *g->targets);
    if (!g->start || !g->targets) {
        graph_clear(g, a);
        return ag_fail_nomem(err);
    }
    /* counted one place further on, so that filling moves each start to where it belongs */
    for (size_t i = 0; i < nedges; i++)
        g->start[edges[i].before + 2]++;
    for (size_t i = 2; i < (size_t)n + 2; i++)
        g->start[i] += g->start[i - 1];
    for (size_t i = 0; i < nedges; i++)
        g->targets[g->start[edges[i].before + 1]++] = edges[i].after;
    return AG_OK;
}

/* Fills layer[] with the longest path to each node; returns how many nodes were reached. queue and waits: n each. */
static uint32_t find_layers(const graph *g, uint32_t *layer, uint32_t *queue, size_t *waits)
{
    uint32_t head = 0, tail = 0;
    for (size_t e = 0; e < g->start[g->n]; e++)
        waits[g->targets[e]]++;
    for (uint32_t i = 0; i < g->n; i++) {
        layer[i] = 0;
        if (waits[i] == 0)
            queue[tail++] = i;
    }
    while (head < tail) {
        uint32_t u = queue[head++];
        for (size_t e = g->start[u]; e < g->start[u + 1]; e++) {
            uint32_t v = g->targets[e];
            if (layer[v] < layer[u] + 1)
                layer[v] = layer[u] + 1;
            if (--waits[v] == 0)
                queue[tail++] = v;
        }
    }
    return tail;
}

/* Counting sort by (layer, number); at: n + 1 zeroes. */
static void order_by_layer(uint32_t *order, const uint32_t *layer, uint32_t n, size_t *at)
{
    for (uint32_t i = 0; i < n; i++)
        at[layer[i] + 1]++;
    for (size_t i = 1; i <= n; i++)
        at[i] += at[i - 1];
    for (uint32_t i = 0; i < n; i++)
        order[at[layer[i]]++] = i;
}

ag_status ag_topo_sort(const ag_alloc *a, uint32_t *order, uint32_t *layer, uint32_t n, const ag_edge *edges,
                       size_t nedges, ag_error *err)
{
    graph g;
    AG_TRY(graph_init(&g, a, n, edges, nedges, err));
    ag_status st = AG_OK;
    uint32_t *own_layer = layer ? NULL : ag_mem_zero(a, n, sizeof *layer);
    uint32_t *layers = layer ? layer : own_layer;
    size_t *counts = ag_mem_zero(a, (size_t)n + 1, sizeof *counts);
    if (!layers || !counts) {
        st = ag_fail_nomem(err);
    } else if (find_layers(&g, layers, order, counts) < n) {
        st = ag_fail(err, AG_EXC_CIRCULAR_DEPENDENCY, "circular dependency");
    } else {
        memset(counts, 0, ((size_t)n + 1) * sizeof *counts);
        order_by_layer(order, layers, n, counts);
    }
    ag_mem_free(a, counts);
    ag_mem_free(a, own_layer);
    graph_clear(&g, a);
    return st;
}

/* Tarjan's state of a node. */
typedef struct visit {
    size_t edge;     /* next edge to follow */
    uint32_t index;  /* order of discovery from 1, 0 = not seen */
    uint32_t low;    /* lowest index reachable */
    uint32_t parent; /* on the path, by number + 1 */
    bool open;       /* on the component stack */
} visit;

static void close_component(uint32_t root, visit *vs, uint32_t *stack, uint32_t *depth, bool *in_cycle)
{
    bool many = stack[*depth - 1] != root;
    for (;;) {
        uint32_t v = stack[--*depth];
        vs[v].open = false;
        if (many)
            in_cycle[v] = true;
        if (v == root)
            return;
    }
}

static void enter(const graph *g, visit *vs, uint32_t v, uint32_t parent, uint32_t *next_index)
{
    vs[v] = (visit){g->start[v], *next_index, *next_index, parent, true};
    (*next_index)++;
}

static void search_from(const graph *g, uint32_t root, visit *vs, uint32_t *stack, uint32_t *next_index, bool *in_cycle)
{
    uint32_t depth = 0, u = root;
    enter(g, vs, u, 0, next_index);
    stack[depth++] = u;
    for (;;) {
        if (vs[u].edge < g->start[u + 1]) {
            uint32_t v = g->targets[vs[u].edge++];
            if (v == u) {
                in_cycle[u] = true;
            } else if (vs[v].index == 0) {
                enter(g, vs, v, u + 1, next_index);
                stack[depth++] = v;
                u = v;
            } else if (vs[v].open && vs[v].index < vs[u].low) {
                vs[u].low = vs[v].index;
            }
            continue;
        }
        uint32_t parent = vs[u].parent;
        if (vs[u].low == vs[u].index)
            close_component(u, vs, stack, &depth, in_cycle);
        if (parent == 0)
            return;
        if (vs[u].low < vs[parent - 1].low)
            vs[parent - 1].low = vs[u].low;
        u = parent - 1;
    }
}

ag_status ag_topo_cycles(const ag_alloc *a, bool *in_cycle, uint32_t n, const ag_edge *edges, size_t nedges,
                         ag_error *err)
{
    graph g;
    AG_TRY(graph_init(&g, a, n, edges, nedges, err));
    ag_status st = AG_OK;
    visit *vs = ag_mem_zero(a, n, sizeof *vs);
    uint32_t *stack = ag_mem_zero(a, n, sizeof *stack);
    if (!vs || !stack) {
        st = ag_fail_nomem(err);
        goto done;
    }
    memset(in_cycle, 0, n * sizeof *in_cycle);
    uint32_t next_index = 1;
    for (uint32_t i = 0; i < n; i++) {
        if (vs[i].index == 0)
            search_from(&g, i, vs, stack, &next_index, in_cycle);
    }
done:
    ag_mem_free(a, stack);
    ag_mem_free(a, vs);
    graph_clear(&g, a);
    return st;
}

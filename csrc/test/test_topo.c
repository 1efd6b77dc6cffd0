/* Topological order and cycles of random graphs against slow definitions. */
#include "base/topo.h"
#include "test/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_NODES 12

typedef struct graph {
    uint32_t n;
    ag_edge edges[40];
    size_t nedges;
    bool reach[MAX_NODES][MAX_NODES]; /* by one edge or more */
} graph;

static void random_graph(graph *g, bool acyclic)
{
    memset(g, 0, sizeof *g);
    g->n = 1 + (uint32_t)rand() % MAX_NODES;
    size_t want = (size_t)rand() % (g->n * 2 + 1);
    for (size_t i = 0; i < want; i++) {
        uint32_t a = (uint32_t)rand() % g->n, b = (uint32_t)rand() % g->n;
        /* 7 and n have no common factor as a rule, so that the order is not simply ascending */
        if (acyclic && (a * 7) % 13 >= (b * 7) % 13)
            continue;
        g->edges[g->nedges++] = (ag_edge){a, b};
        g->reach[a][b] = true;
    }
    for (uint32_t k = 0; k < g->n; k++) {
        for (uint32_t i = 0; i < g->n; i++) {
            for (uint32_t j = 0; j < g->n; j++)
                g->reach[i][j] |= g->reach[i][k] && g->reach[k][j];
        }
    }
}

static bool is_cyclic(const graph *g)
{
    for (uint32_t i = 0; i < g->n; i++) {
        if (g->reach[i][i])
            return true;
    }
    return false;
}

static void check_sorted(const graph *g, const uint32_t *order, const uint32_t *layer)
{
    bool seen[MAX_NODES] = {false};
    for (uint32_t i = 0; i < g->n; i++) {
        assert_true(order[i] < g->n && !seen[order[i]]);
        seen[order[i]] = true;
        if (i > 0) {
            uint32_t before = layer[order[i - 1]], now = layer[order[i]];
            assert_true(before < now || (before == now && order[i - 1] < order[i]));
        }
    }
    for (uint32_t v = 0; v < g->n; v++) {
        uint32_t longest = 0;
        for (size_t e = 0; e < g->nedges; e++) {
            if (g->edges[e].after == v && layer[g->edges[e].before] + 1 > longest)
                longest = layer[g->edges[e].before] + 1;
        }
        assert_int_equal(layer[v], longest);
    }
}

static void random_graphs_are_sorted(void **state)
{
    (void)state;
    srand(3);
    int sorted = 0;
    for (int i = 0; i < 20000; i++) {
        graph g;
        uint32_t order[MAX_NODES], layer[MAX_NODES], again[MAX_NODES];
        ag_error err = {0};
        random_graph(&g, i % 2);
        ag_status st = ag_topo_sort(ag_alloc_libc(), order, layer, g.n, g.edges, g.nedges, &err);
        assert_int_equal(st, is_cyclic(&g) ? AG_ERROR : AG_OK);
        if (st == AG_OK) {
            sorted++;
            check_sorted(&g, order, layer);
            assert_int_equal(ag_topo_sort(ag_alloc_libc(), again, NULL, g.n, g.edges, g.nedges, &err), AG_OK);
            assert_memory_equal(order, again, g.n * sizeof order[0]);
        } else {
            assert_int_equal(err.cls, AG_EXC_CIRCULAR_DEPENDENCY);
        }
        ag_error_clear(&err);
    }
    assert_true(sorted > 10000);
}

static void members_of_cycles_are_marked(void **state)
{
    (void)state;
    srand(4);
    for (int i = 0; i < 20000; i++) {
        graph g;
        bool in_cycle[MAX_NODES];
        ag_error err = {0};
        random_graph(&g, false);
        assert_int_equal(ag_topo_cycles(ag_alloc_libc(), in_cycle, g.n, g.edges, g.nedges, &err), AG_OK);
        for (uint32_t v = 0; v < g.n; v++)
            assert_int_equal(in_cycle[v], g.reach[v][v]);
    }
}

static void layers_come_before_numbers(void **state)
{
    (void)state;
    /* 4 -> 0 -> 3; 1; 4 -> 2 */
    const ag_edge edges[] = {{4, 0}, {0, 3}, {4, 2}, {4, 0}};
    uint32_t order[5], layer[5];
    assert_int_equal(ag_topo_sort(ag_alloc_libc(), order, layer, 5, edges, 4, NULL), AG_OK);
    const uint32_t want[] = {1, 4, 0, 2, 3}, want_layer[] = {1, 0, 1, 2, 0};
    assert_memory_equal(order, want, sizeof want);
    assert_memory_equal(layer, want_layer, sizeof want_layer);
}

static void odd_graphs(void **state)
{
    (void)state;
    ag_error err = {0};
    uint32_t order[2] = {9, 9};
    bool in_cycle[2];
    const ag_edge self = {1, 1}, beyond = {0, 2};
    assert_int_equal(ag_topo_sort(ag_alloc_libc(), order, NULL, 0, NULL, 0, &err), AG_OK);
    assert_int_equal(ag_topo_sort(ag_alloc_libc(), order, NULL, 2, &self, 1, &err), AG_ERROR);
    assert_int_equal(err.cls, AG_EXC_CIRCULAR_DEPENDENCY);
    assert_int_equal(ag_topo_cycles(ag_alloc_libc(), in_cycle, 2, &self, 1, &err), AG_OK);
    assert_true(!in_cycle[0] && in_cycle[1]);
    assert_int_equal(ag_topo_sort(ag_alloc_libc(), order, NULL, 2, &beyond, 1, &err), AG_ERROR);
    assert_int_equal(err.cls, AG_EXC_ARGUMENT);
    assert_int_equal(ag_topo_cycles(ag_alloc_libc(), in_cycle, 2, &beyond, 1, &err), AG_ERROR);
    ag_error_clear(&err);
}

static void long_chains_need_no_stack(void **state)
{
    (void)state;
    enum { N = 300000 };
    ag_edge *edges = malloc(N * sizeof *edges);
    uint32_t *order = malloc(N * sizeof *order);
    bool *in_cycle = malloc(N);
    for (uint32_t i = 0; i < N; i++)
        edges[i] = (ag_edge){N - 1 - i, i + 1 < N ? N - 2 - i : N - 1};
    assert_int_equal(ag_topo_sort(ag_alloc_libc(), order, NULL, N, edges, N - 1, NULL), AG_OK);
    assert_int_equal(order[0], N - 1);
    assert_int_equal(ag_topo_cycles(ag_alloc_libc(), in_cycle, N, edges, N, NULL), AG_OK);
    for (size_t i = 0; i < N; i++)
        assert_true(in_cycle[i]);
    free(edges);
    free(order);
    free(in_cycle);
}

static ag_status work(const ag_alloc *a, void *ud)
{
    (void)ud;
    const ag_edge edges[] = {{0, 1}, {1, 2}};
    uint32_t order[3];
    bool in_cycle[3];
    ag_error err;
    ag_error_init(&err, a);
    ag_status st = ag_topo_sort(a, order, NULL, 3, edges, 2, &err);
    if (st == AG_OK)
        st = ag_topo_cycles(a, in_cycle, 3, edges, 2, &err);
    ag_error_clear(&err);
    return st;
}

static void sorting_survives_no_memory(void **state)
{
    (void)state;
    sweep_run(work, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_graphs_are_sorted),   cmocka_unit_test(members_of_cycles_are_marked),
        cmocka_unit_test(layers_come_before_numbers), cmocka_unit_test(odd_graphs),
        cmocka_unit_test(long_chains_need_no_stack),  cmocka_unit_test(sorting_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

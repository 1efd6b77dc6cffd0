/* Spike 4: who owns an expression tree, and what hashing it costs. A throw-away around the real csrc/sql: one
 * statement with
 * three joins is built through a Lua state in two ways, then hashed, compared, copied.
 *
 *   blocks  each call's nodes are one userdata block; what it refers to is anchored by user values
 *   boxes   a small userdata with __gc, the block malloc'ed, a reference count in it; children counted
 *   arena   C alone, all nodes in one arena (the floor)
 */
#include "sql/key.h"
#include "sql/select.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* ---- tables ---- */

typedef struct table {
    ag_table t;
    ag_column c[5], *p[5];
    ag_fk fk[2], *fkp[2];
} table;
static table users, addresses, orders, items;
static ag_arena schema;

static void make_table(table *t, const char *name, uint64_t serial, const char *const *cols, size_t n)
{
    ag_builder b;
    ag_builder_init(&b, ag_alloc_libc(), NULL, NULL);
    b.arena = &schema;
    t->t = (ag_table){.serial = serial, .name = {name, strlen(name)}, .columns = t->p, .ncolumns = (uint32_t)n};
    t->t.node = ag_table_node(&b, &t->t);
    ag_map_init(&t->t.by_key, ag_alloc_libc());
    for (size_t i = 0; i < n; i++) {
        ag_column *c = &t->c[i];
        *c = (ag_column){.table = &t->t,
                         .index = (uint32_t)i,
                         .name = {cols[i], strlen(cols[i])},
                         .key = {cols[i], strlen(cols[i])},
                         .type = ag_type_plain(i == 1 ? AG_TYPE_STRING : AG_TYPE_INTEGER)};
        t->p[i] = c;
        c->node = ag_column_node(&b, c);
    }
    ag_builder_clear(&b);
}

static void add_fk(table *t, size_t col, table *to)
{
    t->fk[0] = (ag_fk){.column = &t->c[col], .target = &to->c[0], .constraint = t};
    t->fkp[0] = &t->fk[0];
    t->c[col].fks = t->fkp;
    t->c[col].nfks = 1;
}

#define U(i) users.c[i].node
#define A(i) addresses.c[i].node
#define O(i) orders.c[i].node
#define I(i) items.c[i].node

/* ---- how a result is kept ---- */

enum mode { BLOCKS, BOXES, ARENA };
static enum mode mode;
static lua_State *L;
static ag_builder b;
static size_t made, bytes;

typedef struct box {
    struct counted *c;
} box;
typedef struct counted {
    size_t refs, nchildren;
    struct counted *children[8];
    /* the block */
} counted;

static void release(counted *c)
{
    if (c && --c->refs == 0) {
        for (size_t i = 0; i < c->nchildren; i++)
            release(c->children[i]);
        free(c);
    }
}

static int box_gc(lua_State *l)
{
    release(((box *)lua_touserdata(l, 1))->c);
    return 0;
}

/* Takes n out of the builder onto the Lua stack. anchors: stack indexes of the arguments it refers to. */
static const ag_node *keep(const ag_node *n, int nanchors, const int *anchors)
{
    bool outside;
    made++;
    if (!n)
        abort();
    if (mode == ARENA) {
        lua_pushnil(L);
        return n;
    }
    size_t size = ag_builder_take(&b, n, &outside);
    bytes += size;
    if (mode == BLOCKS) {
        void *p = lua_newuserdatauv(L, size, nanchors);
        n = ag_builder_move(&b, p);
        for (int i = 0; i < nanchors; i++) {
            lua_pushvalue(L, anchors[i]);
            lua_setiuservalue(L, -2, i + 1);
        }
    } else {
        box *x = lua_newuserdatauv(L, sizeof *x, 0);
        x->c = malloc(sizeof(counted) + size);
        x->c->refs = 1;
        x->c->nchildren = 0;
        for (int i = 0; i < nanchors; i++) {
            counted *child = ((box *)lua_touserdata(L, anchors[i]))->c;
            child->refs++;
            x->c->children[x->c->nchildren++] = child;
        }
        n = ag_builder_move(&b, x->c + 1);
    }
    lua_pushvalue(L, 1);
    lua_setmetatable(L, -2);
    return n;
}

static const ag_node *num(const ag_node *beside, ag_op_id op, int64_t v)
{
    ag_value value = ag_value_int(v);
    return ag_operand(&b, beside, op, &value);
}

/* Calls of a program: select(u.id, u.name, a.email, count(o.id):label("n")):join(a):join(o):outerjoin(i, on)
 * :where((u.age > 18) & u.name:like("x%"), a.email:in_{1, 2, 3}):group_by(u.id, u.name):having(count > 2)
 * :order_by(u.name:desc(), "n"):limit(10):offset(20) */
static const ag_node *build(void)
{
    lua_settop(L, 1); /* 1: the metatable */
    const ag_value like = ag_value_text("x%", 2), members[3] = {ag_value_int(1), ag_value_int(2), ag_value_int(3)};
    const ag_node *x = keep(ag_func(&b, NULL, 0, AG_STR("count"), &O(0), 1, NULL, 0), 0, NULL); /* 2 */
    const ag_node *label = keep(ag_label(&b, x, AG_STR("n")), 1, (int[]){2});                   /* 3 */
    const ag_node *cols[] = {U(0), U(1), A(2), label};
    const ag_node *s = keep(ag_select(&b, cols, 4), 1, (int[]){3});                            /* 4 */
    s = keep(ag_select_join(&b, s, NULL, addresses.t.node, NULL, 0), 1, (int[]){4});           /* 5 */
    s = keep(ag_select_join(&b, s, NULL, orders.t.node, NULL, 0), 1, (int[]){5});              /* 6 */
    const ag_node *on = keep(ag_binary(&b, AG_OP_EQ, I(1), O(0)), 0, NULL);                    /* 7 */
    s = keep(ag_select_join(&b, s, NULL, items.t.node, on, AG_JOIN_OUTER), 2, (int[]){6, 7});  /* 8 */
    const ag_node *c1 = keep(ag_binary(&b, AG_OP_GT, U(2), num(U(2), AG_OP_GT, 18)), 0, NULL); /* 9 */
    const ag_node *c2 =
        keep(ag_binary(&b, AG_OP_LIKE, U(1), ag_operand(&b, U(1), AG_OP_LIKE, &like)), 0, NULL);        /* 10 */
    const ag_node *c3 = keep(ag_binary(&b, AG_OP_AND, c1, c2), 2, (int[]){9, 10});                      /* 11 */
    const ag_node *c4 = keep(ag_binary(&b, AG_OP_IN, A(2), ag_in_list(&b, A(2), members, 3)), 0, NULL); /* 12 */
    const ag_node *conds[] = {c3, c4};
    s = keep(ag_stmt_add(&b, s, AG_CL_WHERE, conds, 2, true), 3, (int[]){8, 11, 12}); /* 13 */
    const ag_node *group[] = {U(0), U(1)};
    s = keep(ag_stmt_add(&b, s, AG_CL_GROUP_BY, group, 2, true), 1, (int[]){13});            /* 14 */
    const ag_node *h = keep(ag_binary(&b, AG_OP_GT, x, num(x, AG_OP_GT, 2)), 1, (int[]){2}); /* 15 */
    s = keep(ag_stmt_add(&b, s, AG_CL_HAVING, &h, 1, true), 2, (int[]){14, 15});             /* 16 */
    const ag_node *d = keep(ag_unary(&b, AG_OP_DESC, U(1)), 0, NULL);                        /* 17 */
    const ag_node *order[] = {d, ag_label_ref(&b, AG_STR("n"))};
    s = keep(ag_stmt_add(&b, s, AG_CL_ORDER_BY, order, 2, true), 2, (int[]){16, 17});    /* 18 */
    s = keep(ag_stmt_limit(&b, s, AG_LIMIT, ag_limit_bind(&b, 10), 0), 1, (int[]){18});  /* 19 */
    s = keep(ag_stmt_limit(&b, s, AG_OFFSET, ag_limit_bind(&b, 20), 0), 1, (int[]){19}); /* 20 */
    return s;
}

static int compare_doubles(const void *x, const void *y)
{
    double a = *(const double *)x, c = *(const double *)y;
    return (a > c) - (a < c);
}

#define RUNS 9
static double median(double *v)
{
    qsort(v, RUNS, sizeof *v, compare_doubles);
    return v[RUNS / 2];
}

static double time_build(enum mode m, long rounds)
{
    double runs[RUNS];
    ag_arena ar;
    mode = m;
    ag_arena_init(&ar, ag_alloc_libc());
    b.arena = m == ARENA ? &ar : NULL;
    for (int r = 0; r < RUNS; r++) {
        lua_settop(L, 1);
        lua_gc(L, LUA_GCCOLLECT);
        double t = now();
        for (long i = 0; i < rounds; i++) {
            build();
            if (m == ARENA)
                ag_arena_reset(&ar);
        }
        lua_settop(L, 1);
        lua_gc(L, LUA_GCCOLLECT); /* the collector's work is part of the price */
        runs[r] = (now() - t) / (double)rounds;
    }
    ag_arena_clear(&ar);
    b.arena = NULL;
    return median(runs);
}

#define TIME(what, rounds, expr)                                                                                       \
    do {                                                                                                               \
        double runs[RUNS];                                                                                             \
        for (int r_ = 0; r_ < RUNS; r_++) {                                                                            \
            double t_ = now();                                                                                         \
            for (long i_ = 0; i_ < (rounds); i_++)                                                                     \
                expr;                                                                                                  \
            runs[r_] = (now() - t_) / (double)(rounds);                                                                \
        }                                                                                                              \
        printf("%-46s %8.0f ns\n", what, median(runs));                                                                \
    } while (0)

static void chain(long n)
{
    ag_arena ar;
    ag_binds binds;
    bool same;
    ag_arena_init(&ar, ag_alloc_libc());
    ag_vec_init(&binds, ag_alloc_libc());
    b.arena = &ar;
    double t = now();
    const ag_node *c = NULL;
    for (long i = 0; i < n; i++) {
        const ag_node *term = ag_binary(&b, AG_OP_EQ, U(0), num(U(0), AG_OP_EQ, i));
        c = c ? ag_binary(&b, AG_OP_OR, c, term) : term;
    }
    printf("chain of %ld ORs: build %.0f ns a term", n, (now() - t) / (double)n);
    t = now();
    const ag_node *copy = ag_tree_copy(&ar, c, ag_alloc_libc(), NULL, NULL);
    printf(", copy %.0f", (now() - t) / (double)n);
    t = now();
    if (!copy || ag_tree_same(&same, copy, c, &binds, ag_alloc_libc(), NULL) != AG_OK || !same ||
        binds.len != (size_t)n)
        abort();
    printf(", compare + gather %.0f\n", (now() - t) / (double)n);
    ag_vec_clear(&binds);
    ag_arena_clear(&ar);
    b.arena = NULL;
}

static void measure_builds(long rounds)
{
    lua_newtable(L);
    mode = BLOCKS;
    const ag_node *s = build();
    printf("the statement: %u nodes (columns counted each time), %zu calls, %zu bytes of blocks, %u of them the last\n",
           s->count, made, bytes, s->size);
    printf("%-46s %8.0f ns\n", "build, blocks (userdata, user values)", time_build(BLOCKS, rounds));
    printf("%-46s %8.0f ns\n", "build, arena (C alone)", time_build(ARENA, rounds));
    lua_settop(L, 0);
    lua_newtable(L);
    lua_pushcfunction(L, box_gc);
    lua_setfield(L, -2, "__gc");
    printf("%-46s %8.0f ns\n", "build, boxes (malloc, __gc, counts)", time_build(BOXES, rounds));
    lua_settop(L, 0);
    lua_newtable(L);
}

static void measure_rest(long rounds)
{
    mode = BLOCKS;
    const ag_node *s = build();
    lua_insert(L, 1);
    ag_arena ar;
    ag_binds binds;
    bool same;
    ag_arena_init(&ar, ag_alloc_libc());
    ag_vec_init(&binds, ag_alloc_libc());
    size_t size;
    const ag_node *copy = ag_tree_copy(&ar, s, ag_alloc_libc(), &size, NULL);
    printf("copy for the cache: %zu bytes\n", size);
    TIME("compare with the copy and gather the binds", rounds,
         if (ag_tree_same(&same, copy, s, &binds, ag_alloc_libc(), NULL) != AG_OK || !same) abort());
    TIME("gather the binds alone", rounds, {
        binds.len = 0;
        if (ag_tree_binds(&binds, s, ag_alloc_libc(), NULL) != AG_OK)
            abort();
    });
    printf("binds: %zu\n", binds.len);
    ag_arena tmp;
    ag_arena_init(&tmp, ag_alloc_libc());
    TIME("copy without values", rounds, {
        ag_arena_reset(&tmp);
        if (!ag_tree_copy(&tmp, s, ag_alloc_libc(), NULL, NULL))
            abort();
    });
    ag_builder hb;
    ag_builder_init(&hb, ag_alloc_libc(), NULL, NULL);
    hb.arena = &tmp;
    void *last = ag_node_copy(&hb, s);
    TIME("hash of the last block (its own fields)", rounds, if (!ag_node_finish(&hb, last)) abort());
    ag_select_col const *cols;
    uint32_t ncols;
    TIME("names of its columns clause", rounds, {
        ag_arena_reset(&tmp);
        if (ag_stmt_columns(s, true, &tmp, &cols, &ncols, NULL) != AG_OK)
            abort();
    });
    const ag_node **froms;
    size_t nfroms;
    TIME("its FROM list, joins inferred", rounds, {
        ag_arena_reset(&tmp);
        if (ag_select_froms(&hb, s, &froms, &nfroms, NULL) != AG_OK || nfroms != 1)
            abort();
    });
    ag_arena_clear(&tmp);
    ag_vec_clear(&binds);
    ag_arena_clear(&ar);
    ag_builder_clear(&hb);
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? atol(argv[1]) : 20000;
    ag_arena_init(&schema, ag_alloc_libc());
    make_table(&users, "users", 1, (const char *[]){"id", "name", "age", "active"}, 4);
    make_table(&addresses, "addresses", 2, (const char *[]){"id", "street", "email", "user_id"}, 4);
    make_table(&orders, "orders", 3, (const char *[]){"id", "note", "user_id", "total"}, 4);
    make_table(&items, "items", 4, (const char *[]){"id", "order_id", "price"}, 3);
    add_fk(&addresses, 3, &users);
    add_fk(&orders, 2, &users);
    L = luaL_newstate();
    luaL_openlibs(L);
    ag_builder_init(&b, ag_alloc_libc(), NULL, NULL);

    measure_builds(rounds);
    measure_rest(rounds);
    chain(100000);
    ag_builder_clear(&b);
    lua_close(L);
    return 0;
}

/* The FROM linter: FROM elements of one SELECT, UPDATE or DELETE that no comparison and no JOIN connects multiply each other's rows. Follows SQLAlchemy's
 * FromLinter; what it finds becomes the compiled statement's warning. */
#include "compile/compiler.h"
#include "sql/walk.h"

/* Elements of the FROM clause, a JOIN with all that is inside it: group[i] is the number of the element's group. */
typedef struct linter {
    ag_compiler *c;
    const ag_node *const *froms;
    uint32_t *group;
    size_t n;
} linter;

static size_t element_of(const linter *l, const ag_node *from)
{
    size_t i = 0;
    while (i < l->n && !ag_from_joins(l->froms[i], from))
        i++;
    return i;
}

static void connect(linter *l, size_t a, size_t b)
{
    uint32_t from = l->group[b], to = l->group[a];
    for (size_t i = 0; i < l->n; i++)
        if (l->group[i] == from)
            l->group[i] = to;
}

/* All that one side of a comparison names with all that the other does. */
static void connect_sides(linter *l, const ag_node *left, const ag_node *right)
{
    const ag_node **a, **b;
    size_t na, nb;
    ag_compiler *c = l->c;
    if (!ag_c_ok(c, ag_expr_froms(left, &c->tmp, &a, &na, c->err)) ||
        !ag_c_ok(c, ag_expr_froms(right, &c->tmp, &b, &nb, c->err)))
        return;
    for (size_t i = 0; i < na; i++) {
        size_t x = element_of(l, a[i]);
        for (size_t j = 0; x < l->n && j < nb; j++) {
            size_t y = element_of(l, b[j]);
            if (y < l->n)
                connect(l, x, y);
        }
    }
}

static ag_visit enter(void *ud, const ag_node *n, const ag_node *parent)
{
    linter *l = ud;
    (void)parent;
    if (!(n->flags & AG_NF_FROMS) || ag_node_is(n, AG_CLASS_STMT))
        return AG_VISIT_PRUNE;
    if (n->kind == AG_K_BETWEEN) {
        const ag_n_between *b = AG_AS(between, BETWEEN, n);
        connect_sides(l, b->operand, b->lower);
        connect_sides(l, b->operand, b->upper);
    } else if (n->kind == AG_K_BINARY && ag_op_is((ag_op_id)n->op, AG_OPF_COMPARISON)) {
        const ag_n_binary *b = AG_AS(binary, BINARY, n);
        connect_sides(l, b->left, b->right);
    }
    return l->c->failed ? AG_VISIT_ABORT : AG_VISIT_CONTINUE;
}

/* Elements that are no rows of their own, as far as can be known: functions with joins_implicitly, raw SQL, constructs of the host. */
static bool is_neutral(const ag_node *n)
{
    switch (n->kind) {
    case AG_K_TABLE_FUNC: return (n->flags & AG_TABLE_FUNC_JOINS) != 0;
    case AG_K_TABLE:
    case AG_K_TABLE_CLAUSE:
    case AG_K_ALIAS:
    case AG_K_SUBQUERY:
    case AG_K_CTE:
    case AG_K_TABLESAMPLE:
    case AG_K_LATERAL:
    case AG_K_VALUES:
    case AG_K_JOIN: return false;
    default: return true;
    }
}

/* Inside a LATERAL or the arguments of a function: the columns of other elements. */
typedef struct reference {
    linter *l;
    size_t element;
} reference;

static ag_visit refer(void *ud, const ag_node *n, const ag_node *parent)
{
    const reference *r = ud;
    (void)parent;
    const ag_node *from = ag_column_from(n);
    if (!from)
        return AG_VISIT_CONTINUE;
    size_t i = element_of(r->l, from);
    if (i < r->l->n)
        connect(r->l, r->element, i);
    return AG_VISIT_PRUNE;
}

/* Connect element i with those that a side of it, or the ON clause of a JOIN in it, names. */
static void connect_inside(linter *l, size_t i, const ag_node *from)
{
    ag_compiler *c = l->c;
    const ag_walker on = {.ud = l, .enter = enter};
    for (; from->kind == AG_K_JOIN && !c->failed; from = AG_AS(join, JOIN, from)->left) {
        ag_c_ok(c, ag_walk(AG_AS(join, JOIN, from)->onclause, &on, c->alloc, NULL, c->err));
        connect_inside(l, i, AG_AS(join, JOIN, from)->right);
    }
    reference r = {l, i};
    const ag_walker inside = {.ud = &r, .enter = refer};
    if (!c->failed && (from->kind == AG_K_LATERAL || from->kind == AG_K_TABLE_FUNC || from->kind == AG_K_VALUES))
        ag_c_ok(c, ag_walk(from, &inside, c->alloc, NULL, c->err));
}

static void add_names(linter *l, ag_buf *b, const ag_node *from, bool *first)
{
    while (from->kind == AG_K_JOIN) {
        const ag_n_join *j = AG_AS(join, JOIN, from);
        add_names(l, b, j->right, first);
        from = j->left;
    }
    ag_str name = ag_c_from_name(l->c, from);
    ag_buf_str(b, *first ? "\"" : ", \"");
    ag_buf_add(b, name.p, name.n);
    ag_buf_char(b, '"');
    *first = false;
}

/* The rest, and the element `start` that it is not connected with. */
static void warn(linter *l, const char *kind, size_t at)
{
    ag_compiler *c = l->c;
    const ag_node *start = l->froms[at];
    bool first = true;
    ag_buf b;
    ag_buf_init(&b, c->alloc);
    while (start->kind == AG_K_JOIN)
        start = AG_AS(join, JOIN, start)->left;
    ag_buf_str(&b, kind);
    ag_buf_str(&b, " statement has a cartesian product between FROM element(s) ");
    for (size_t i = at + 1; i < l->n; i++)
        if (l->group[i] != l->group[at] && !is_neutral(l->froms[i]))
            add_names(l, &b, l->froms[i], &first);
    ag_str name = ag_c_from_name(c, start);
    ag_buf_str(&b, " and FROM element \"");
    ag_buf_add(&b, name.p, name.n);
    ag_buf_str(&b, "\".  Apply join condition(s) between each element to resolve.");
    c->result->warning.p = ag_buf_ok(&b) ? ag_arena_strndup(c->ar, b.data, b.len) : NULL;
    c->result->warning.n = b.len;
    ag_buf_clear(&b);
    if (!c->result->warning.p)
        ag_c_nomem(c);
}

static void warn_of_rest(linter *l, const char *kind)
{
    size_t start = 0;
    while (start < l->n && is_neutral(l->froms[start]))
        start++;
    for (size_t i = start + 1; i < l->n && !l->c->failed; i++) {
        if (l->group[i] != l->group[start] && !is_neutral(l->froms[i])) {
            warn(l, kind, start);
            return;
        }
    }
}

void ag_c_lint(ag_compiler *c, const char *kind, const void *owner, ag_nlist where, const ag_node *const *froms,
               size_t n)
{
    if (n < 2 || !c->o->linting || c->failed || c->result->warning.p)
        return;
    linter l = {c, froms, ag_arena_zero(&c->tmp, n, sizeof *l.group), n};
    if (!l.group) {
        ag_c_nomem(c);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        l.group[i] = i;
    for (size_t i = 0; i < n; i++)
        connect_inside(&l, i, froms[i]);
    const ag_walker w = {.ud = &l, .enter = enter};
    for (uint32_t i = 0; i < where.n && !c->failed; i++)
        ag_c_ok(c, ag_walk(ag_nlist_at(owner, where, i), &w, c->alloc, NULL, c->err));
    warn_of_rest(&l, kind);
}

/* Joins, and the ON clause that foreign keys suggest (SQLAlchemy: Join._join_condition and its helpers in
 * sql/selectable.py). */
#include "sql/names.h"

#include "base/vec.h"

/* One pair of equal columns, of one constraint. */
typedef struct join_pair {
    const void *constraint;
    const ag_node *x, *y;
} join_pair;

typedef struct scan {
    ag_builder *b;
    AG_VEC(join_pair) pairs;
    bool only_ask; /* whether there is a pair; none is made */
    bool found;
    bool failed;
} scan;

/* Does a table of this name stand in from? (Then a foreign key to it that cannot be resolved is an error.) */
static bool names_table(const ag_node *from, ag_str spec)
{
    const char *dot = spec.p ? memrchr(spec.p, '.', spec.n) : NULL;
    if (from->kind == AG_K_JOIN)
        return names_table(AG_AS(join, JOIN, from)->left, spec) || names_table(AG_AS(join, JOIN, from)->right, spec);
    if (from->kind == AG_K_ALIAS)
        return names_table(AG_AS(alias, ALIAS, from)->element, spec);
    if (from->kind != AG_K_TABLE || !dot)
        return false;
    ag_str name = AG_AS(table, TABLE, from)->table->name;
    size_t n = (size_t)(dot - spec.p);
    return n >= name.n && memcmp(dot - name.n, name.p, name.n) == 0 &&
           (n == name.n || dot[-(ptrdiff_t)name.n - 1] == '.');
}

/* The column of `other` that fk points to, or NULL. */
static const ag_node *referent(scan *s, ag_fk *fk, const ag_node *other)
{
    ag_column *target = NULL;
    ag_error err = {0};
    ag_error_init(&err, s->b->alloc);
    ag_status st = ag_fk_target(&target, fk, &err);
    if (st != AG_OK && (st == AG_NOMEM || names_table(other, fk->spec))) {
        s->failed = true;
        if (s->b->err)
            ag_error_move(s->b->err, &err);
    }
    ag_error_clear(&err);
    if (st != AG_OK)
        return NULL;
    if (other->kind == AG_K_TABLE)
        return target->table == AG_AS(table, TABLE, other)->table ? target->node : NULL;
    return ag_corresponding_column(s->b, other, target->node, false);
}

/* Foreign keys of from's columns that point into other. */
static void scan_side(scan *s, const ag_node *from, const ag_node *other)
{
    uint32_t n = ag_from_count(from);
    for (uint32_t i = 0; i < n && !s->failed; i++) {
        ag_from_col col;
        if (!ag_from_column(from, i, &col) || !col.column)
            continue;
        for (uint32_t k = 0; k < col.column->nfks && !s->failed; k++) {
            ag_fk *fk = col.column->fks[k];
            const ag_node *x = referent(s, fk, other);
            if (!x)
                continue;
            s->found = true;
            if (s->only_ask)
                return;
            join_pair p = {fk->constraint, x, ag_from_colref(s->b, from, i)};
            if (!p.y || !ag_vec_push(&s->pairs, p)) {
                s->failed = true;
                if (p.y)
                    (void)ag_fail_nomem(s->b->err);
            }
        }
    }
}

static void scan_both(scan *s, const ag_node *a, const ag_node *other)
{
    scan_side(s, other, a);
    if (!ag_from_same(a, other) && !(s->only_ask && s->found))
        scan_side(s, a, other);
}

static void scan_joinable(scan *s, const ag_node *a, const ag_node *a_subset, const ag_node *other)
{
    ag_vec_init(&s->pairs, s->b->alloc);
    if (a_subset)
        scan_both(s, a_subset, other);
    if (!s->found && !s->failed)
        scan_both(s, a, other);
}

/* The pairs of the constraint that the i-th pair belongs to, compared with those of the k-th's. */
static bool same_pairs(const scan *s, const void *one, const void *two)
{
    size_t i = 0, k = 0;
    for (;;) {
        while (i < s->pairs.len && s->pairs.items[i].constraint != one)
            i++;
        while (k < s->pairs.len && s->pairs.items[k].constraint != two)
            k++;
        if (i == s->pairs.len || k == s->pairs.len)
            return i == k;
        const join_pair *p = &s->pairs.items[i++], *q = &s->pairs.items[k++];
        if (ag_expr_id(p->x) != ag_expr_id(q->x) || ag_expr_id(p->y) != ag_expr_id(q->y))
            return false;
    }
}

static bool is_ambiguous(const scan *s)
{
    for (size_t i = 1; i < s->pairs.len; i++) {
        if (!same_pairs(s, s->pairs.items[0].constraint, s->pairs.items[i].constraint))
            return true;
    }
    return false;
}

static void describe_column(ag_buf *out, const ag_node *c)
{
    const ag_node *from = ag_column_from(c);
    ag_str name = ag_expr_name(c);
    if (from) {
        ag_from_describe(out, from);
        ag_buf_char(out, '.');
    }
    ag_buf_add(out, name.p, name.n);
}

static const ag_node *fail_join(scan *s, const ag_node *a, const ag_node *other)
{
    ag_buf msg;
    ag_buf_init(&msg, s->b->alloc);
    bool none = !s->pairs.len;
    ag_buf_str(&msg, none ? "Can't find any foreign key relationships between '" : "Can't determine join between '");
    ag_from_describe(&msg, a);
    ag_buf_str(&msg, "' and '");
    ag_from_describe(&msg, other);
    ag_buf_str(&msg, none ? "'." : "'; tables have more than one foreign key constraint relationship between them:");
    for (size_t i = 0; i < s->pairs.len; i++) {
        ag_buf_str(&msg, i ? ", " : " ");
        describe_column(&msg, s->pairs.items[i].y);
        ag_buf_str(&msg, " -> ");
        describe_column(&msg, s->pairs.items[i].x);
    }
    if (!none)
        ag_buf_str(&msg, ". Please specify the onclause of this join explicitly.");
    else if (other->kind == AG_K_JOIN)
        ag_buf_str(&msg, " Perhaps you meant to convert the right side to a subquery using alias()?");
    if (ag_buf_ok(&msg))
        ag_build_fail(s->b, none ? AG_EXC_NO_FOREIGN_KEYS : AG_EXC_AMBIGUOUS_FOREIGN_KEYS, "%s", msg.data);
    else
        (void)ag_fail_nomem(s->b->err);
    ag_buf_clear(&msg);
    return NULL;
}

static const ag_node *condition_of(scan *s)
{
    size_t n = 0;
    const ag_node **terms = ag_build_array(s->b, s->pairs.len);
    if (!terms)
        return NULL;
    for (size_t i = 0; i < s->pairs.len; i++) {
        const join_pair *p = &s->pairs.items[i];
        if (p->constraint == s->pairs.items[0].constraint)
            terms[n++] = ag_binary(s->b, AG_OP_EQ, p->x, p->y);
    }
    return ag_bool_list(s->b, AG_OP_AND, terms, n);
}

const ag_node *ag_join_condition(ag_builder *b, const ag_node *a, const ag_node *other, const ag_node *a_subset)
{
    scan s = {.b = b};
    scan_joinable(&s, a, a_subset, other);
    const ag_node *on = NULL;
    if (!s.failed)
        on = s.found && !is_ambiguous(&s) ? condition_of(&s) : fail_join(&s, a, other);
    ag_vec_clear(&s.pairs);
    return on;
}

static const ag_node *right_of(const ag_node *a)
{
    return a->kind == AG_K_JOIN ? AG_AS(join, JOIN, a)->right : NULL;
}

bool ag_can_join(ag_builder *b, const ag_node *a, const ag_node *other)
{
    ag_builder quiet = *b;
    scan s = {.b = &quiet, .only_ask = true};
    quiet.err = NULL;
    scan_joinable(&s, a, right_of(a), other);
    ag_vec_clear(&s.pairs);
    b->scratch = quiet.scratch;
    return s.found;
}

const ag_node *ag_join(ag_builder *b, const ag_node *left, const ag_node *right, const ag_node *onclause,
                       unsigned flags)
{
    if (!left || !right)
        return NULL;
    const ag_node *bad = !ag_node_is_from(left) ? left : !ag_node_is_from(right) ? right : NULL;
    if (bad)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "a join is between tables, aliases or subqueries, not a %s%s",
                             ag_kind_get(bad->kind)->name,
                             ag_node_is_selectable(bad) ? " (make it a subquery with :subquery())" : "");
    if (!onclause) {
        flags |= AG_JOIN_IMPLICIT_ON;
        onclause = ag_join_condition(b, left, right, right_of(left));
    }
    onclause = ag_as_condition(b, onclause);
    ag_n_join *n = onclause ? ag_node_new(b, AG_K_JOIN, NULL, 0) : NULL;
    if (!n)
        return NULL;
    n->node.flags |= (uint16_t)(flags & AG_NF_KIND);
    n->left = left;
    n->right = right;
    n->onclause = onclause;
    return ag_node_finish(b, n);
}

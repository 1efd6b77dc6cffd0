/* filter_by(): which column of a statement's FROMs a bare key names (SQLAlchemy 2.1: _entity_namespace_key_search_all). */
#include "base/buf.h"
#include "sql/build.h"
#include "sql/select.h"
#include <string.h>

typedef struct search {
    ag_builder *b;
    ag_str key;
    ag_arena tmp;
    const ag_node *seen[64]; /* FROMs looked at; more than that are not remembered, only looked at again */
    size_t nseen;
    const ag_node *from; /* the one that has it */
    int64_t index;
    size_t place; /* of from among those looked at */
    bool ambiguous, failed;
    bool open_joins; /* look at the sides of joins */
    bool joined;     /* what is looked at comes behind the statement's other FROMs */
    ag_buf names;    /* for the message */
} search;

static void look_at(search *s, const ag_node *from)
{
    int64_t index;
    for (size_t i = 0; i < s->nseen; i++) {
        if (ag_from_same(s->seen[i], from))
            return;
    }
    if (s->nseen < sizeof s->seen / sizeof *s->seen)
        s->seen[s->nseen++] = from;
    if (from->kind == AG_K_JOIN && s->open_joins) {
        look_at(s, AG_AS(join, JOIN, from)->left);
        look_at(s, AG_AS(join, JOIN, from)->right);
        return;
    }
    if (s->names.len)
        ag_buf_str(&s->names, ", ");
    ag_from_describe(&s->names, from);
    if (ag_from_find(from, s->key.p, s->key.n, &s->tmp, &index, s->b->err) != AG_OK) {
        s->failed = true;
    } else if (index >= 0) {
        s->ambiguous |= s->from != NULL;
        s->from = from;
        s->index = index;
        s->place = s->nseen + (s->joined ? sizeof s->seen : 0);
    }
}

static void look_at_list(search *s, const void *node, ag_nlist l)
{
    for (uint32_t i = 0; i < l.n; i++)
        look_at(s, ag_nlist_at(node, l, i));
}

static void look_at_exprs(search *s, const void *node, ag_nlist l)
{
    for (uint32_t i = 0; i < l.n && !s->failed; i++) {
        const ag_node **froms;
        size_t n;
        s->failed = ag_expr_froms(ag_nlist_at(node, l, i), &s->tmp, &froms, &n, s->b->err) != AG_OK;
        for (size_t k = 0; !s->failed && k < n; k++)
            look_at(s, froms[k]);
    }
}

static void look_at_select(search *s, const ag_n_select *x)
{
    s->joined = true;
    for (uint32_t i = 0; i < x->joins.n; i++) {
        const ag_n_join_spec *j = AG_AS(join_spec, JOIN_SPEC, ag_nlist_at(x, x->joins, i));
        look_at(s, j->right);
        if (j->left)
            look_at(s, j->left);
    }
    s->joined = false;
    look_at_list(s, x, x->from);
    look_at_exprs(s, x, x->columns);
}

static bool look_at_stmt(search *s, const ag_node *stmt)
{
    switch (stmt->kind) {
    case AG_K_SELECT: look_at_select(s, AG_AS(select, SELECT, stmt)); return true;
    case AG_K_UPDATE:
        look_at(s, AG_AS(update, UPDATE, stmt)->table);
        look_at_exprs(s, stmt, AG_AS(update, UPDATE, stmt)->where);
        return true;
    case AG_K_DELETE:
        look_at(s, AG_AS(delete, DELETE, stmt)->table);
        look_at_list(s, stmt, AG_AS(delete, DELETE, stmt)->from);
        look_at_exprs(s, stmt, AG_AS(delete, DELETE, stmt)->where);
        return true;
    default: return false;
    }
}

/* The column of the FROMs looked at that the key comes nearest to, or NULL. */
static const char *nearest_column(search *s)
{
    const char *best = NULL;
    char key[64];
    if (s->key.n >= sizeof key)
        return NULL;
    memcpy(key, s->key.p, s->key.n);
    key[s->key.n] = '\0';
    for (size_t i = 0; i < s->nseen && !best; i++) {
        const ag_from_col *cols;
        uint32_t n, kept = 0;
        if (s->seen[i]->kind == AG_K_JOIN || ag_from_columns(s->seen[i], &s->tmp, &cols, &n, s->b->err) != AG_OK)
            continue;
        const char **names = ag_arena_new(&s->tmp, (n + 1) * sizeof *names);
        for (uint32_t k = 0; names && k < n; k++) {
            if (cols[k].key.p)
                names[kept++] = cols[k].key.p;
        }
        best = names ? ag_nearest(key, names, kept) : NULL;
    }
    return best;
}

static const ag_node *tell(search *s)
{
    int n = (int)(s->key.n < 100 ? s->key.n : 100);
    const char *names = ag_buf_ok(&s->names) && s->names.data ? s->names.data : "";
    if (s->ambiguous)
        return ag_build_fail(
            s->b, AG_EXC_AMBIGUOUS_COLUMN,
            "the name \"%.*s\" is ambiguous; it exists in several FROM clause entities (%s). Use filter() "
            "with explicit column references instead of filter_by()",
            n, s->key.p, names);
    const char *near = nearest_column(s);
    return ag_build_fail(s->b, AG_EXC_INVALID_REQUEST,
                         "none of the FROM clause entities have a column \"%.*s\"%s%s%s. Searched: %s", n, s->key.p,
                         near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "", names);
}

const ag_node *ag_stmt_filter_column(ag_builder *b, const ag_node *stmt, ag_str key, uint64_t *rank)
{
    search s = {.b = b, .key = key};
    const ag_node *result = NULL;
    if (!stmt)
        return NULL;
    ag_arena_init(&s.tmp, b->alloc);
    ag_buf_init(&s.names, b->alloc);
    for (int round = 0; round < 2 && !s.from && !s.failed; round++) {
        s.nseen = 0;
        s.open_joins = round > 0 || (stmt->kind == AG_K_SELECT && (stmt->flags & AG_SELECT_SETTLED));
        ag_buf_reset(&s.names);
        if (!look_at_stmt(&s, stmt)) {
            ag_build_fail(b, AG_EXC_ARGUMENT, "a %s has no filter_by", ag_kind_get(stmt->kind)->name);
            s.failed = true;
        }
    }
    if (!s.failed)
        result = s.from && !s.ambiguous ? ag_from_colref(b, s.from, (uint32_t)s.index) : tell(&s);
    if (rank)
        *rank = (uint64_t)s.place << 32 | (uint32_t)s.index;
    ag_buf_clear(&s.names);
    ag_arena_clear(&s.tmp);
    return result;
}

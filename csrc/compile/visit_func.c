/* Functions and what stands around them. */
#include "compile/visitors.h"

#include <string.h>

void ag_c_args(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_func *f = AG_AS(func, FUNC, n);
    k = (k & AG_KW_DOWN) | AG_KW_AGGREGATE;
    for (uint32_t i = 0; i < f->args.n && !c->failed; i++) {
        const ag_node *arg = ag_nlist_at(f, f->args, i);
        if (i)
            ag_c_str(c, ", ");
        ag_c_visit_operand(c, arg, AG_OP_COMMA, k);
        if (arg->kind == AG_K_BIND && c->d->takes_any && c->d->takes_any(ag_nstr_get(f, f->name), f->args.n))
            ag_c_resolve(c, arg);
    }
}

static void quoted_part(ag_compiler *c, ag_str s, bool quoted)
{
    ag_c_quote(c, s, quoted ? -1 : ag_quote_illegal(s) ? 1 : 0);
}

void ag_c_func_name(ag_compiler *c, const ag_node *n)
{
    const ag_n_func *f = AG_AS(func, FUNC, n);
    ag_str name = ag_nstr_get(f, f->name);
    for (uint32_t i = 0; i < f->packages.n; i++) {
        quoted_part(c, ag_nstrs_at(f, f->packages, i), (n->flags & AG_FUNC_QUOTED) != 0);
        ag_c_str(c, ".");
    }
    if (f->id && (n->flags & AG_FUNC_ANSI) && f->id != AG_FUNC_SYSDATE) {
        const char *known = ag_func_get((ag_func_id)f->id).name;
        for (; *known; known++) {
            char ch = *known;
            ag_buf_char(&c->out, ch >= 'a' && ch <= 'z' ? (char)(ch - 'a' + 'A') : ch);
        }
        return;
    }
    if (n->flags & (AG_NAME_QUOTE | AG_NAME_NOQUOTE)) /* a class's name, given as a quoted_name */
        ag_c_quote(c, name, (n->flags & AG_NAME_QUOTE) != 0);
    else
        quoted_part(c, name, (n->flags & AG_FUNC_QUOTED) != 0);
}

/* "name(args)"; order: aggregate_order_by inside the brackets. */
static void call(ag_compiler *c, const ag_node *n, const ag_n_agg_order *order, unsigned k)
{
    const ag_n_func *f = AG_AS(func, FUNC, n);
    ag_c_func_name(c, n);
    if ((n->flags & AG_FUNC_ANSI) && !f->args.n)
        return;
    ag_c_str(c, "(");
    ag_c_args(c, n, k);
    if (order) {
        ag_c_str(c, " ORDER BY ");
        ag_c_visit_list(c, order, order->order_by, ", ", k & AG_KW_DOWN);
    }
    ag_c_str(c, ")");
}

/* cube(a, b), rollup(…): GROUP BY CUBE(a, b); grouping_sets(…): GROUPING SETS(…) */
static void grouping(ag_compiler *c, const ag_node *n, unsigned k)
{
    uint32_t id = AG_AS(func, FUNC, n)->id;
    ag_c_str(c, id == AG_FUNC_CUBE ? "CUBE(" : id == AG_FUNC_ROLLUP ? "ROLLUP(" : "GROUPING SETS(");
    ag_c_args(c, n, k);
    ag_c_str(c, ")");
}

/* aggregate_strings(x, delimiter): the delimiter is written as a literal. */
void ag_c_aggregate_strings(ag_compiler *c, const ag_node *n, const ag_n_agg_order *order, const char *name, unsigned k)
{
    const ag_n_func *f = AG_AS(func, FUNC, n);
    k = (k & AG_KW_DOWN) | AG_KW_AGGREGATE;
    ag_c_str(c, name);
    ag_c_str(c, "(");
    if (f->args.n > 0)
        ag_c_visit_operand(c, ag_nlist_at(f, f->args, 0), AG_OP_COMMA, k);
    if (f->args.n > 1) {
        const ag_node *delimiter = ag_nlist_at(f, f->args, 1);
        if (delimiter->kind == AG_K_BIND &&
            (delimiter->flags & AG_BIND_UNIQUE)) /* SQLAlchemy numbers it, though it is not sent */
            (void)ag_c_anon(c, ag_nstr_get(delimiter, AG_AS(bind, BIND, delimiter)->key),
                            (uint64_t)(uintptr_t)delimiter);
        ag_c_str(c, ", ");
        ag_c_visit_operand(c, delimiter, AG_OP_COMMA, delimiter->kind == AG_K_BIND ? k : k | AG_KW_LITERAL);
    }
    if (order) {
        ag_c_str(c, " ORDER BY ");
        ag_c_visit_list(c, order, order->order_by, ", ", k & AG_KW_DOWN);
    }
    ag_c_str(c, ")");
}

void ag_visit_func(ag_compiler *c, const ag_node *n, unsigned k)
{
    uint32_t id = AG_AS(func, FUNC, n)->id;
    if (id >= AG_FUNC_CUSTOM) {
        if (!ag_c_func_hooked(c, n, k))
            call(c, n, NULL, k);
    } else if (c->d->visit_func[id] && id)
        c->d->visit_func[id](c, n, k);
    else if (id == AG_FUNC_CUBE || id == AG_FUNC_ROLLUP || id == AG_FUNC_GROUPING_SETS)
        grouping(c, n, k);
    else if (id == AG_FUNC_AGGREGATE_STRINGS)
        ag_c_aggregate_strings(c, n, NULL, c->d->string_agg ? c->d->string_agg : "aggregate_strings", k);
    else
        call(c, n, NULL, k);
}

void ag_visit_agg_order(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_agg_order *a = AG_AS(agg_order, AGG_ORDER, n);
    if (a->element->kind != AG_K_FUNC) {
        ag_c_visit(c, a->element, k & AG_KW_DOWN);
        ag_c_str(c, " ORDER BY ");
        ag_c_visit_list(c, a, a->order_by, ", ", k & AG_KW_DOWN);
    } else if (AG_AS(func, FUNC, a->element)->id == AG_FUNC_AGGREGATE_STRINGS) {
        ag_c_aggregate_strings(c, a->element, a, c->d->string_agg ? c->d->string_agg : "aggregate_strings", k);
    } else {
        call(c, a->element, a, k);
    }
}

void ag_visit_func_comparison(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_c_visit(c, AG_AS(func_comparison, FUNC_COMPARISON, n)->function, k & AG_KW_DOWN);
}

/* ---- windows ---- */

static void bound(ag_compiler *c, uint32_t what, const ag_node *value, bool upper, unsigned k)
{
    switch ((ag_bound)what) {
    case AG_BOUND_UNBOUNDED: ag_c_str(c, upper ? "UNBOUNDED FOLLOWING" : "UNBOUNDED PRECEDING"); return;
    case AG_BOUND_CURRENT: ag_c_str(c, "CURRENT ROW"); return;
    default: break;
    }
    if (value)
        ag_c_visit(c, value, k);
    ag_c_str(c, what == AG_BOUND_PRECEDING ? " PRECEDING" : " FOLLOWING");
}

static void frame(ag_compiler *c, const ag_n_over *o, unsigned k)
{
    static const char *const words[] = {"", "ROWS", "RANGE", "GROUPS"};
    static const char *const excludes[] = {"", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES",
                                           " EXCLUDE NO OTHERS"};
    ag_c_str(c, words[o->frame & 3]);
    ag_c_str(c, " BETWEEN ");
    bound(c, o->lower, o->lower_value, false, k);
    ag_c_str(c, " AND ");
    bound(c, o->upper, o->upper_value, true, k);
    ag_c_str(c, o->exclude <= AG_EXCLUDE_NO_OTHERS ? excludes[o->exclude] : "");
}

void ag_visit_over(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_over *o = AG_AS(over, OVER, n);
    const char *sep = "";
    const ag_frame_entry *outer = c->over_frame;
    k &= AG_KW_DOWN;
    ag_c_visit(c, o->element, k);
    c->over_frame = c->frame;
    ag_c_str(c, " OVER (");
    if (o->partition_by.n) {
        ag_c_str(c, "PARTITION BY ");
        ag_c_visit_list(c, o, o->partition_by, ", ", k);
        sep = " ";
    }
    if (o->order_by.n) {
        ag_c_str(c, sep);
        ag_c_str(c, "ORDER BY ");
        ag_c_visit_list(c, o, o->order_by, ", ", k);
        sep = " ";
    }
    c->over_frame = outer;
    if (o->frame != AG_FRAME_NONE) {
        ag_c_str(c, sep);
        frame(c, o, k);
    }
    ag_c_str(c, ")");
}

void ag_visit_within_group(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_within_group *w = AG_AS(within_group, WITHIN_GROUP, n);
    ag_c_visit(c, w->element, k & AG_KW_DOWN);
    ag_c_str(c, " WITHIN GROUP (ORDER BY ");
    ag_c_visit_list(c, w, w->order_by, ", ", k & AG_KW_DOWN);
    ag_c_str(c, ")");
}

void ag_visit_filter(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_filter *f = AG_AS(filter, FILTER, n);
    ag_c_visit(c, f->element, k & AG_KW_DOWN);
    ag_c_str(c, " FILTER (WHERE ");
    ag_c_visit(c, f->criterion, k & AG_KW_DOWN);
    ag_c_str(c, ")");
}

void ag_visit_func_column(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_func_column *f = AG_AS(func_column, FUNC_COLUMN, n);
    ag_c_str(c, "(");
    ag_c_visit(c, f->function, k & AG_KW_DOWN);
    ag_c_str(c, ").");
    ag_c_quote(c, ag_nstr_get(f, f->name), -1);
}

void ag_visit_next_value(ag_compiler *c, const ag_node *n, unsigned k)
{
    (void)k;
    const ag_sequence *s = AG_AS(next_value, NEXT_VALUE, n)->sequence;
    if (c->d != ag_dialect_ansi()) {
        ag_c_fail(c, AG_EXC_UNSUPPORTED_COMPILATION, "Dialect '%s' does not support sequence increments.", c->d->name);
        return;
    }
    ag_c_str(c, "<next sequence value: ");
    ag_c_add(c, s->name);
    ag_c_str(c, ">");
}

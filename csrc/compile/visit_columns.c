/* The columns clause: which item is written with which label, what goes into the result map; and the names that ORDER BY and GROUP BY
 * use for its items. Follows SQLAlchemy's _label_select_column and visit_label_reference. */
#include "compile/visitors.h"

#include <string.h>

/* ---- the columns clause ---- */

/* A column with a key of its own is found in rows by that, too, where it stands under its name or behind its table's. */
static ag_str second_key(ag_compiler *c, const ag_node *e, ag_str key)
{
    ag_str name, own, none = {NULL, 0};
    if (e->kind != AG_K_COLUMN && e->kind != AG_K_COLREF)
        return none;
    name = ag_expr_name(e);
    own = ag_expr_key(e);
    if (!name.n || !own.n || (name.n == own.n && memcmp(name.p, own.p, own.n) == 0))
        return none;
    size_t before = key.n >= name.n ? key.n - name.n : SIZE_MAX;
    if (before == SIZE_MAX || memcmp(key.p + before, name.p, name.n) != 0 || (before && key.p[before - 1] != '_'))
        return none;
    char *p = ag_arena_new(c->ar, before + own.n + 1);
    if (!p) {
        ag_c_nomem(c);
        return none;
    }
    memcpy(p, key.p, before);
    memcpy(p + before, own.p, own.n);
    p[before + own.n] = '\0';
    return (ag_str){p, before + own.n};
}

void ag_c_add_result(ag_compiler *c, const ag_node *e, ag_str key, const ag_type *type)
{
    const ag_column *root = e->kind == AG_K_COLUMN || e->kind == AG_K_LABEL ? ag_column_root(e) : NULL;
    ag_result_col r = {.key = {ag_arena_strndup(c->ar, key.p ? key.p : "", key.n), key.n},
                       .type = type,
                       .item = c->item,
                       .expr = e->hash,
                       .alias = second_key(c, e, key)};
    if (root) {
        r.table = root->table->serial;
        r.column = root->index;
    }
    r.name = r.key;
    if (!r.key.p || !ag_vec_push(&c->columns, r))
        ag_c_nomem(c);
}

static bool wraps_unnamed(ag_compiler *c, const ag_node *e)
{
    const ag_node *in = AG_AS(unary, UNARY, e)->operand;
    switch (in->kind) {
    case AG_K_COLUMN:
    case AG_K_COLREF:
    case AG_K_COLUMN_CLAUSE:
    case AG_K_LABEL: return ag_expr_own_label(in, &c->tmp).n == 0;
    default: return true;
    }
}

/* Must an expression without a required label be written with one? */
static bool wants_label(ag_compiler *c, const ag_node *e, bool asfrom)
{
    switch (e->kind) {
    case AG_K_COLUMN:
    case AG_K_COLREF: return asfrom && !ag_expr_is_literal_column(e);
    case AG_K_COLUMN_CLAUSE:
    case AG_K_TEXT:
    case AG_K_SPLICE:
    case AG_K_STAR:
    case AG_K_FROM_VALUE:
    case AG_K_FUNC_COLUMN:
    case AG_K_LABEL_REF: return false;
    case AG_K_CUSTOM:
        if (e->flags & (AG_CUSTOM_CLAUSE | AG_CUSTOM_NAMED))
            return false;
        break;
    case AG_K_UNARY:
        return ((e->op == AG_OP_IS_TRUE || e->op == AG_OP_IS_FALSE) && !c->d->native_boolean) || wraps_unnamed(c, e) ||
               asfrom;
    default: break;
    }
    return ag_expr_own_label(e, &c->tmp).n == 0;
}

/* A type's column_expression around e. */
static const ag_node *column_expression(ag_compiler *c, const ag_node *e)
{
    const ag_node *out = e;
    if (ag_type_has_hook(e->type, c->d->name, AG_TYPE_HAS_COL_EXPR) && c->host && c->host->type_expr &&
        ag_c_host_begin(c))
        ag_c_ok(c, c->host->type_expr(c->host, e->type, c->d, true, e, &out, c->err));
    return out ? out : e;
}

static void write_labelled(ag_compiler *c, const ag_node *e, ag_str label, bool generated, int quote, unsigned k)
{
    ag_c_visit(c, e, k | AG_KW_INLABEL);
    ag_c_str(c, " AS ");
    if (generated && quote < 0)
        ag_c_quote_generated(c, label);
    else
        ag_c_quote(c, label, quote);
}

static ag_str unlabelled_key(ag_compiler *c, const ag_node *e)
{
    while (e->kind == AG_K_UNARY)
        e = AG_AS(unary, UNARY, e)->operand;
    if (e->kind == AG_K_COLREF && (e->flags & AG_COLREF_ANON))
        return ag_c_generated(c, ag_expr_own_label(e, &c->tmp));
    return ag_expr_name(e);
}

/* Has the text a comma outside of brackets and quotes, or a star that is no multiplication? */
static bool lists_columns(ag_str s)
{
    int depth = 0;
    char quote = 0, before = ',';
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        if (quote) {
            quote = ch == quote ? 0 : quote;
        } else if (ch == '\'' || ch == '"') {
            quote = ch;
        } else if (ch == '(' || ch == ')') {
            depth += ch == '(' ? 1 : -1;
        } else if (depth == 0 && (ch == ',' || (ch == '*' && (before == ',' || before == '.')))) {
            return true;
        }
        before = ch == ' ' || ch == '\n' || ch == '\t' ? before : ch;
    }
    return false;
}

/* Can this item be several columns of the result, or none? */
static bool may_be_many(const ag_node *e)
{
    ag_str text = {0};
    if (e->kind == AG_K_TEXT)
        text = ag_nstr_get(e, AG_AS(text, TEXT, e)->text);
    else if (ag_expr_is_literal_column(e))
        text = ag_expr_name(e);
    return e->kind == AG_K_STAR || lists_columns(text);
}

void ag_c_label_column(ag_compiler *c, const ag_select_col *col, bool result_map, bool asfrom, unsigned k)
{
    const ag_node *e = col->expr, *written = result_map || c->frame->column_exprs ? column_expression(c, e) : e;
    if (c->failed)
        return;
    k |= AG_KW_COLUMNS;
    ag_name label = {0};
    if (e->kind == AG_K_LABEL) {
        const ag_n_label *l = AG_AS(label, LABEL, e);
        const ag_name_part part = {.text = ag_nstr_get(l, l->name),
                                   .anon = e->flags & AG_LABEL_ANON ? (uint64_t)(uintptr_t)e : 0};
        ag_str name = ag_c_name(c, (ag_name){&part, 1, 0});
        if (written == e)
            ag_c_visit(c, e, k);
        else
            write_labelled(c, written, name, part.anon != 0, ag_name_quote(e), k);
        if (result_map)
            ag_c_add_result(c, e, name, e->type);
        return;
    }
    if (col->required.n)
        label = col->required;
    else if (written != e || wants_label(c, e, asfrom))
        label = col->fallback.n ? col->fallback : ag_expr_anon_label(e, &c->tmp);
    if (label.n) {
        ag_str name = ag_c_generated(c, label);
        write_labelled(c, written, name, true, ag_name_quoting(label), k);
        if (result_map)
            ag_c_add_result(c, e, name, e->type);
        return;
    }
    ag_c_visit(c, written, k);
    if (!result_map)
        return;
    if (e->kind == AG_K_STAR || e->kind == AG_K_TEXT || e->kind == AG_K_SPLICE)
        c->compiled_flags |= AG_COMPILED_AD_HOC_COLUMNS;
    if (may_be_many(e))
        c->compiled_flags |= AG_COMPILED_OPEN_COLUMNS;
    ag_c_add_result(c, e, unlabelled_key(c, e), e->type);
}

void ag_c_columns_find(ag_compiler *c, const ag_node *n)
{
    const ag_select_col *cols;
    uint32_t count;
    if (c->failed || !ag_c_ok(c, ag_stmt_columns(n, true, &c->tmp, &cols, &count, c->err)))
        return;
    c->frame->columns = cols;
    c->frame->ncolumns = count;
}

void ag_c_columns_clause(ag_compiler *c, bool asfrom, unsigned k)
{
    const ag_select_col *cols = c->frame->columns;
    uint32_t count = c->frame->ncolumns;
    for (uint32_t i = 0; i < count && !c->failed; i++) {
        if (i)
            ag_c_str(c, ", ");
        c->item = i;
        ag_c_label_column(c, &cols[i], c->frame->result_map, asfrom, k);
    }
    if (c->extra_columns && (k & AG_KW_INSERT))
        c->extra_columns(c, count);
}

/* ---- label references ---- */

static bool same_text(ag_str a, ag_str b)
{
    return a.n == b.n && a.n && memcmp(a.p, b.p, a.n) == 0;
}

/* Key of an item of the columns clause in SQLAlchemy's _label_resolve_dict: _tq_label or key. */
static bool resolves(ag_compiler *c, const ag_node *e, ag_str name)
{
    if (e->kind == AG_K_TEXT || e->kind == AG_K_STAR || e->kind == AG_K_SPLICE)
        return false;
    ag_name label = ag_expr_tq_label(e, &c->tmp); /* of an anonymous FROM's column: made up, like no other */
    return same_text(label.n ? ag_name_plain(label) : ag_expr_key(e), name);
}

static const ag_node *resolve_from_columns(ag_compiler *c, const ag_frame_entry *f, ag_str name)
{
    const ag_node *found = NULL;
    for (uint32_t i = 0; i < f->ncolumns; i++) {
        const ag_node *e = f->columns[i].expr;
        bool compound = f->stmt->kind == AG_K_COMPOUND;
        if (compound ? same_text(f->columns[i].key, name) : resolves(c, e, name))
            found = e;
    }
    return found;
}

/* A column that is selected goes before one of that name in another FROM (SQLAlchemy takes the last FROM's, selected or not). */
static const ag_node *resolve_selected(const ag_frame_entry *f, ag_str name)
{
    for (uint32_t i = 0; i < f->ncolumns; i++) {
        const ag_node *e = f->columns[i].expr;
        if ((e->kind == AG_K_COLUMN || e->kind == AG_K_COLREF) && same_text(ag_expr_key(e), name))
            return e;
    }
    return NULL;
}

/* The last one, as in SQLAlchemy. */
static const ag_node *resolve_from_froms(ag_compiler *c, const ag_frame_entry *f, ag_str name)
{
    for (size_t i = f->nasfrom; i-- > 0 && !c->failed;) {
        int64_t index = -1;
        const ag_node *from = f->asfrom_froms[i];
        if (from->kind == AG_K_JOIN || from->kind == AG_K_CUSTOM)
            continue;
        if (ag_c_ok(c, ag_from_find(from, name.p, name.n, &c->tmp, &index, c->err)) && index >= 0)
            return ag_from_colref(&c->b, from, (uint32_t)index);
    }
    return NULL;
}

/* The selected name that a name which means nothing comes nearest to, or NULL. */
static const char *nearest_selected(ag_compiler *c, const ag_frame_entry *f, ag_str name)
{
    char text[64];
    if (!f || name.n >= sizeof text || !f->ncolumns)
        return NULL;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    const char **names = ag_arena_new(&c->tmp, f->ncolumns * sizeof *names);
    size_t n = 0;
    for (uint32_t i = 0; names && i < f->ncolumns; i++) {
        ag_str key = ag_expr_key(f->columns[i].expr);
        if (key.p)
            names[n++] = key.p;
    }
    return names ? ag_nearest(text, names, n) : NULL;
}

void ag_visit_label_ref(ag_compiler *c, const ag_node *n, unsigned k)
{
    ag_str name = ag_nstr_get(n, AG_AS(label_ref, LABEL_REF, n)->name);
    const ag_frame_entry *f = c->frame;
    const ag_node *e = NULL;
    if (!f &&
        ag_node_is(c->stmt, AG_CLASS_EXPR)) { /* printed by itself: no SELECT that could give the name a meaning */
        ag_c_quote(c, name, -1);
        return;
    }
    if (f && ((k & AG_KW_COLUMNS) || c->over_frame == f))
        e = resolve_from_froms(c, f, name);
    else if (f && !(e = resolve_from_columns(c, f, name)) && !(e = resolve_selected(f, name)))
        e = resolve_from_froms(c, f, name);
    if (!e) {
        const char *near = nearest_selected(c, f, name);
        ag_c_fail(c, AG_EXC_COMPILE,
                  "Can't resolve label reference for ORDER BY / GROUP BY / DISTINCT etc. Textual SQL expression '%.*s' "
                  "should be "
                  "explicitly declared as text('%.*s')%s%s%s",
                  (int)name.n, name.p, (int)name.n, name.p, near ? "; did you mean '" : "", near ? near : "",
                  near ? "'?" : "");
        return;
    }
    if (f->stmt->kind == AG_K_COMPOUND) {
        ag_c_quote(c, name, -1);
        return;
    }
    const ag_node *outer = c->ref_label;
    c->ref_label = e;
    ag_c_visit(c, e, k | AG_KW_REFS);
    c->ref_label = outer;
}

static const ag_node *behind_label(const ag_node *e)
{
    return e->kind == AG_K_LABEL ? AG_AS(label, LABEL, e)->operand : e;
}

/* The label an ORDER BY item names, itself or under ordering modifiers: when an item of the columns clause is this label, or one of its
 * name with the same column behind it (SQLAlchemy's visit_label_reference), and no other item has the name: the databases would
 * refuse it or order by the first. */
static const ag_node *order_label(ag_compiler *c, const ag_node *item)
{
    const ag_node *e = ag_expr_unwrap_order(item);
    const ag_frame_entry *f = c->frame;
    bool found = false;
    if (e->kind != AG_K_LABEL || !f)
        return NULL;
    for (uint32_t i = 0; i < f->ncolumns; i++) {
        const ag_node *col = f->columns[i].expr, *inner = behind_label(e), *other = behind_label(col);
        bool same = col == e || inner == other;
        if (e->flags & AG_LABEL_ANON) {
            found |= col == e;
        } else if (same || ag_columns_share_lineage(inner, other, c->alloc)) {
            found |= col == e || resolves(c, col, ag_expr_name(e));
        } else if ((col->kind == AG_K_LABEL || !f->columns[i].required.n) &&
                   same_text(ag_expr_name(col), ag_expr_name(e))) {
            return NULL; /* one that is not a label may have been given another name */
        }
    }
    return found ? e : NULL;
}

void ag_c_order_by(ag_compiler *c, const void *owner, ag_nlist items, unsigned k)
{
    const ag_node *outer = c->ref_label;
    for (uint32_t i = 0; i < items.n && !c->failed; i++) {
        const ag_node *item = ag_nlist_at(owner, items, i);
        ag_c_str(c, i ? ", " : " ORDER BY ");
        c->ref_label = order_label(c, item);
        ag_c_visit(c, item, k | (c->ref_label ? AG_KW_REFS : 0));
    }
    c->ref_label = outer;
}

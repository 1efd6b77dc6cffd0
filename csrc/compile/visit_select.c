/* SELECT: the frame of enclosing statements (correlation), the columns clause with its labels, and the body. */
#include "compile/visitors.h"

#include <string.h>

/* ---- frames ---- */

/* from and, for joins, what is inside (SQLAlchemy's _from_objects). */
static bool push_froms(ag_compiler *c, ag_nodes *out, const ag_node *from)
{
    while (from->kind == AG_K_JOIN) {
        const ag_n_join *j = AG_AS(join, JOIN, from);
        if (!ag_vec_push(out, from) || !push_froms(c, out, j->right))
            return ag_c_nomem(c), false;
        from = j->left;
    }
    if (!ag_vec_push(out, from))
        return ag_c_nomem(c), false;
    return true;
}

static const ag_node **keep_nodes(ag_compiler *c, const ag_nodes *v)
{
    const ag_node **p =
        ag_arena_memdup(&c->tmp, v->items ? (const void *)v->items : (const void *)"", v->len * sizeof *p);
    if (!p)
        ag_c_nomem(c);
    return p;
}

/* What statements inside see: this one's FROMs, and with those of the enclosing ones. */
void ag_c_frame_froms(ag_compiler *c, ag_frame_entry *f, const ag_node *const *froms, size_t n)
{
    ag_nodes all;
    ag_vec_init(&all, c->alloc);
    f->froms = froms;
    f->nfroms = n;
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++)
        ok = push_froms(c, &all, froms[i]);
    f->nasfrom = all.len;
    for (size_t i = 0; f->up && ok && i < f->up->ncorrelate; i++)
        ok = ag_vec_push(&all, f->up->correlate_froms[i]);
    if (!ok)
        ag_c_nomem(c);
    else
        f->correlate_froms = f->asfrom_froms = keep_nodes(c, &all);
    f->ncorrelate = all.len;
    ag_vec_clear(&all);
}

void ag_c_frame_push(ag_compiler *c, ag_frame_entry *f, const ag_node *stmt)
{
    f->up = c->frame;
    f->stmt = stmt;
    f->level = f->up ? f->up->level + 1 : 1;
    c->frame = f;
}

static bool in_set(const ag_node *n, const ag_node *const *set, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ag_from_same(n, set[i]))
            return true;
    }
    return false;
}

/* The row that an INSERT could not write is in scope everywhere in its ON CONFLICT clause, and in no FROM. */
static const ag_node **without_excluded(const ag_node **froms, size_t *count)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        if (froms[i]->kind != AG_K_ALIAS || !(froms[i]->flags & AG_ALIAS_EXCLUDED))
            froms[kept++] = froms[i];
    }
    *count = kept;
    return froms;
}

/* The FROM list after correlation with the enclosing statements. */
static const ag_node **display_froms(ag_compiler *c, const ag_node *n, bool asfrom, size_t *count)
{
    ag_correlation k = {0};
    const ag_node **out = NULL;
    const ag_frame_entry *up = c->frame;
    ag_nodes outer;
    ag_vec_init(&outer, c->alloc);
    *count = 0;
    if (up && asfrom) {
        for (size_t i = 0; i < up->ncorrelate; i++) {
            if (!in_set(up->correlate_froms[i], up->asfrom_froms, up->nasfrom) &&
                !ag_vec_push(&outer, up->correlate_froms[i]))
                ag_c_nomem(c);
        }
        k.explicit_froms = outer.items;
        k.nexplicit = outer.len;
    } else if (up) {
        k = (ag_correlation){up->correlate_froms, up->ncorrelate, up->asfrom_froms, up->nasfrom};
    }
    if (!c->failed)
        ag_c_ok(c, ag_select_display_froms(&c->b, n, &k, &out, count, c->err));
    ag_vec_clear(&outer);
    return c->failed ? out : without_excluded(out, count);
}

typedef struct names {
    ag_str schema, name;
} names;

/* Of a table, declared or ad hoc; else nothing. */
static names table_names(const ag_node *from)
{
    if (from->kind == AG_K_TABLE) {
        const ag_table *t = AG_AS(table, TABLE, from)->table;
        return (names){t->schema, t->name};
    }
    if (from->kind != AG_K_TABLE_CLAUSE)
        return (names){{0}, {0}};
    const ag_n_table_clause *t = AG_AS(table_clause, TABLE_CLAUSE, from);
    return (names){ag_nstr_get(t, t->schema), ag_nstr_get(t, t->name)};
}

/* Tables of no schema that share their name with a FROM of a schema (SQLAlchemy: _ambiguous_table_name_map). */
static void find_ambiguous(ag_compiler *c, ag_frame_entry *f)
{
    bool schemas = false;
    if (c->failed)
        return;
    for (size_t i = 0; i < f->nasfrom; i++)
        schemas |= table_names(f->asfrom_froms[i]).schema.n > 0;
    if (!schemas)
        return;
    ag_nodes found;
    ag_vec_init(&found, c->alloc);
    for (size_t i = 0; i < f->nasfrom; i++) {
        const names a = table_names(f->asfrom_froms[i]);
        for (size_t j = 0; a.name.n && !a.schema.n && j < f->nasfrom; j++) {
            const names b = table_names(f->asfrom_froms[j]);
            if (b.schema.n && a.name.n == b.name.n && memcmp(a.name.p, b.name.p, a.name.n) == 0 &&
                !ag_vec_push(&found, f->asfrom_froms[i]))
                ag_c_nomem(c);
        }
    }
    f->nambiguous = found.len;
    f->ambiguous = c->failed ? NULL : keep_nodes(c, &found);
    ag_vec_clear(&found);
}

/* ---- the body ---- */

void ag_c_visit_conjunction(ag_compiler *c, const void *owner, ag_nlist items, unsigned k)
{
    uint32_t real = 0, n = 0;
    const ag_node *constant = NULL;
    for (uint32_t i = 0; i < items.n; i++) {
        const ag_node *e = ag_nlist_at(owner, items, i);
        if (e->kind == AG_K_FALSE || (e->kind == AG_K_TRUE && !constant))
            constant = e;
        if (e->kind == AG_K_FALSE)
            break;
        real += e->kind != AG_K_TRUE;
    }
    const ag_against a = real > 1 ? ag_c_against(AG_OP_AND) : (ag_against){AG_OP_COMMA, -10, false};
    if (constant && (constant->kind == AG_K_FALSE || !real)) {
        ag_c_condition(c, constant, k);
        return;
    }
    for (uint32_t i = 0; i < items.n && !c->failed; i++) {
        const ag_node *e = ag_nlist_at(owner, items, i);
        if (e->kind == AG_K_TRUE)
            continue;
        ag_c_str(c, n++ ? " AND " : "");
        ag_c_visit_against(c, e, a, k);
    }
}

/* TRUE or FALSE as a whole condition. */
void ag_c_condition(ag_compiler *c, const ag_node *e, unsigned k)
{
    if (c->d->native_boolean || (e->kind != AG_K_TRUE && e->kind != AG_K_FALSE))
        ag_c_visit(c, e, k);
    else
        ag_c_str(c, e->kind == AG_K_TRUE ? "1 = 1" : "0 = 1");
}

void ag_c_visit_prefixes(ag_compiler *c, const void *owner, ag_nlist prefixes)
{
    for (uint32_t i = 0; i < prefixes.n && !c->failed; i++) {
        const ag_n_prefix *p = AG_AS(prefix, PREFIX, ag_nlist_at(owner, prefixes, i));
        ag_str d = ag_nstr_get(p, p->dialect);
        if (d.n && !(d.n == 1 && *d.p == '*') && (d.n != strlen(c->d->name) || memcmp(d.p, c->d->name, d.n) != 0))
            continue;
        ag_c_visit(c, p->element, 0);
        ag_c_str(c, " ");
    }
}

void ag_c_visit_extensions(ag_compiler *c, const void *owner, ag_nlist list, ag_ext_point point, const char *before,
                           const char *after)
{
    for (uint32_t i = 0; i < list.n && !c->failed; i++) {
        const ag_n_extension *e = AG_AS(extension, EXTENSION, ag_nlist_at(owner, list, i));
        if (e->point != (uint32_t)point)
            continue;
        ag_c_str(c, before);
        ag_c_visit(c, e->element, 0);
        ag_c_str(c, after);
    }
}

static void from_clause(ag_compiler *c, const ag_node *const *froms, size_t n, unsigned k)
{
    for (size_t i = 0; i < n && !c->failed; i++) {
        ag_c_str(c, i ? ", " : " FROM ");
        ag_c_visit(c, froms[i], (k & AG_KW_DOWN) | AG_KW_FROM);
    }
}

static void statement_hints(ag_compiler *c, const void *owner, ag_nlist hints)
{
    for (uint32_t i = 0; i < hints.n && !c->failed; i++) {
        const ag_n_hint *h = AG_AS(hint, HINT, ag_nlist_at(owner, hints, i));
        ag_str d = ag_nstr_get(h, h->dialect);
        if (h->from ||
            (d.n && !(d.n == 1 && *d.p == '*') && (d.n != strlen(c->d->name) || memcmp(d.p, c->d->name, d.n) != 0)))
            continue;
        ag_c_str(c, " ");
        ag_c_add(c, ag_nstr_get(h, h->text));
    }
}

static void limit_clause(ag_compiler *c, const ag_node *n, const ag_limits *l)
{
    if (!l->limit && !l->offset && !l->fetch)
        return;
    c->d->limit(c, n, l);
}

static void select_head(ag_compiler *c, const ag_n_select *s, unsigned k)
{
    ag_c_str(c, "SELECT ");
    ag_c_visit_extensions(c, s, s->extensions, AG_EXT_POST_SELECT, "", " ");
    ag_c_visit_independent_ctes(c, s, s->ctes);
    ag_c_visit_prefixes(c, s, s->prefixes);
    if (s->node.flags & AG_SELECT_DISTINCT) {
        if (s->distinct_on.n && c->d->distinct)
            c->d->distinct(c, s, k & AG_KW_LITERAL);
        else if (s->node.flags & AG_SELECT_DISTINCT_ON)
            ag_c_fail(c, AG_EXC_UNSUPPORTED_COMPILATION, "the %s dialect has no DISTINCT ON", c->d->name);
        else
            ag_c_str(c, "DISTINCT ");
    }
    ag_c_visit_extensions(c, s, s->extensions, AG_EXT_PRE_COLUMNS, "", " ");
}

static void select_body(ag_compiler *c, const ag_n_select *s, unsigned k)
{
    from_clause(c, c->frame->froms, c->frame->nfroms, k);
    if (s->where.n) {
        ag_c_str(c, " WHERE ");
        ag_c_visit_conjunction(c, s, s->where, k);
    }
    if (s->group_by.n) {
        ag_c_str(c, " GROUP BY ");
        ag_c_visit_list(c, s, s->group_by, ", ", k);
    }
    if (s->having.n) {
        ag_c_str(c, " HAVING ");
        ag_c_visit_conjunction(c, s, s->having, k);
    }
    ag_c_visit_extensions(c, s, s->extensions, AG_EXT_POST_CRITERIA, " ", "");
    ag_c_order_by(c, s, s->order_by, k);
    limit_clause(c, &s->node, &(ag_limits){s->limit, s->offset, s->fetch, s->node.flags});
    if (s->for_update) {
        c->compiled_flags |= AG_COMPILED_FOR_UPDATE;
        c->d->for_update(c, AG_AS(for_update, FOR_UPDATE, s->for_update));
    }
    ag_c_visit_extensions(c, s, s->extensions, AG_EXT_POST_BODY, " ", "");
    statement_hints(c, s, s->hints);
}

void ag_visit_select(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_select *s = AG_AS(select, SELECT, n);
    ag_frame_entry f = {0}, *up = c->frame;
    bool top = !up, asfrom = (k & AG_KW_FROM) && !(k & AG_KW_LATERAL),
         embedded = (k & (AG_KW_COMPOUND0 | AG_KW_COMPOUND | AG_KW_INSERT)) != 0;
    size_t at = c->out.len, nfroms;
    const ag_node *outer_label = c->ref_label;
    const ag_node **froms = display_froms(c, n, asfrom, &nfroms);
    if (c->failed)
        return;
    c->ref_label = NULL;
    ag_c_frame_push(c, &f, n);
    f.result_map = (top || up->compound_map) && !(k & AG_KW_COMPOUND);
    f.column_exprs = top || ((k & (AG_KW_COMPOUND0 | AG_KW_COMPOUND)) && up->column_exprs);
    ag_c_frame_froms(c, &f, froms, nfroms);
    find_ambiguous(c, &f);
    unsigned down = k & (AG_KW_LITERAL | AG_KW_DDL | AG_KW_OPERATOR);
    ag_c_columns_find(c, n);
    select_head(c, s, k);
    ag_c_columns_clause(c, (k & AG_KW_FROM) != 0, down | (k & AG_KW_INSERT));
    if (!f.ncolumns && c->out.len && c->out.data[c->out.len - 1] == ' ')
        ag_buf_truncate(&c->out, c->out.len - 1);
    select_body(c, s, down);
    ag_c_lint(c, "SELECT", s, s->where, froms, nfroms);
    if (!embedded || top)
        ag_c_ctes_render(c, at, top ? 0 : f.level, false);
    if (s->suffixes.n) {
        ag_c_str(c, " ");
        ag_c_visit_prefixes(c, s, s->suffixes);
        if (c->out.len && c->out.data[c->out.len - 1] == ' ')
            ag_buf_truncate(&c->out, c->out.len - 1);
    }
    c->frame = up;
    c->ref_label = outer_label;
}

/* ---- set operations ---- */

static bool member_needs_brackets(const ag_node *n)
{
    if (n->kind == AG_K_COMPOUND)
        return true;
    if (n->kind != AG_K_SELECT)
        return false;
    const ag_n_select *s = AG_AS(select, SELECT, n);
    return s->limit || s->offset || s->order_by.n || s->fetch;
}

/* PostgreSQL refuses locks in set operations and in their members; SQLite, which has none, leaves those of members out. */
static void no_locks(ag_compiler *c)
{
    ag_c_fail(c, AG_EXC_COMPILE,
              "FOR UPDATE is not allowed in a set operation: lock the rows in a SELECT of their own");
}

static void compound_member(ag_compiler *c, const ag_node *n, bool first, unsigned k)
{
    bool brackets = member_needs_brackets(n);
    if (n->kind == AG_K_SELECT && AG_AS(select, SELECT, n)->for_update && c->d->compound_brackets)
        no_locks(c);
    unsigned down =
        (k & (AG_KW_LITERAL | AG_KW_FROM | AG_KW_LATERAL | AG_KW_DDL)) | (first ? AG_KW_COMPOUND0 : AG_KW_COMPOUND);
    if (brackets)
        ag_c_str(c, c->d->compound_brackets ? "(" : "SELECT * FROM (");
    ag_c_visit(c, n, down);
    if (brackets)
        ag_c_str(c, ")");
}

static void check_widths(ag_compiler *c, const ag_n_compound *s)
{
    uint32_t width = ag_stmt_column_count(ag_nlist_at(s, s->selects, 0));
    for (uint32_t i = 1; i < s->selects.n && !c->failed; i++) {
        uint32_t w = ag_stmt_column_count(ag_nlist_at(s, s->selects, i));
        if (w != width)
            ag_c_fail(c, AG_EXC_COMPILE,
                      "All selectables passed to CompoundSelect must have identical numbers of columns; select #1 has "
                      "%u columns, "
                      "select #%u has %u",
                      width, i + 1, w);
    }
}

void ag_visit_compound(ag_compiler *c, const ag_node *n, unsigned k)
{
    static const char *const words[] = {" UNION ",      " UNION ALL ", " EXCEPT ",
                                        " EXCEPT ALL ", " INTERSECT ", " INTERSECT ALL "};
    const ag_n_compound *s = AG_AS(compound, COMPOUND, n);
    ag_frame_entry f = {0}, *up = c->frame;
    bool top = !up;
    size_t at = c->out.len;
    ag_c_frame_push(c, &f, n);
    if (up) {
        f.correlate_froms = up->correlate_froms, f.ncorrelate = up->ncorrelate;
        f.asfrom_froms = up->asfrom_froms, f.nasfrom = up->nasfrom;
    }
    f.compound_map = top || (!(k & AG_KW_COMPOUND) && up->compound_map);
    f.column_exprs = top || ((k & (AG_KW_COMPOUND0 | AG_KW_COMPOUND)) && up->column_exprs);
    check_widths(c, s);
    ag_c_visit_independent_ctes(c, s, s->ctes);
    for (uint32_t i = 0; i < s->selects.n && !c->failed; i++) {
        ag_c_str(c, i ? words[s->keyword % 6] : "");
        compound_member(c, ag_nlist_at(s, s->selects, i), i == 0, k);
    }
    unsigned down = (k & AG_KW_LITERAL) | AG_KW_NO_TABLE;
    f.nasfrom = 0;
    if ((s->group_by.n || s->order_by.n) && !c->failed)
        ag_c_ok(c, ag_stmt_columns(n, false, &c->tmp, &f.columns, &f.ncolumns, c->err));
    if (s->group_by.n) {
        ag_c_str(c, " GROUP BY ");
        ag_c_visit_list(c, s, s->group_by, ", ", down);
    }
    ag_c_order_by(c, s, s->order_by, down);
    limit_clause(c, n, &(ag_limits){s->limit, s->offset, s->fetch, n->flags});
    if (s->for_update)
        no_locks(c);
    ag_c_ctes_render(c, at, top ? 0 : f.level, true);
    c->frame = up;
}

void ag_c_visit_subselect(ag_compiler *c, const ag_node *select, unsigned k)
{
    ag_c_str(c, "(");
    ag_c_visit(c, select, k);
    ag_c_str(c, ")");
}

/* ---- text with columns ---- */

void ag_visit_text_select(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_n_text_select *s = AG_AS(text_select, TEXT_SELECT, n);
    ag_frame_entry f = {0}, *up = c->frame;
    bool top = !up, map = top || (up->compound_map && !(k & AG_KW_COMPOUND));
    size_t at = c->out.len;
    ag_c_frame_push(c, &f, n);
    ag_c_visit_independent_ctes(c, s, s->ctes);
    for (uint32_t i = 0; map && i < s->columns.n && !c->failed; i++) {
        const ag_node *e = ag_nlist_at(s, s->columns, i);
        c->item = i;
        ag_c_add_result(c, e, ag_expr_name(e), e->type);
    }
    if (n->flags & AG_TEXT_SELECT_POSITIONAL)
        c->compiled_flags |= map ? AG_COMPILED_POSITIONAL_RESULT : 0;
    ag_c_visit(c, s->text, k & AG_KW_LITERAL);
    ag_c_ctes_render(c, at, top ? 0 : f.level, false);
    c->frame = up;
}

/* The names of a columns clause: which labels it writes, and what its columns are called outside (SQLAlchemy:
 * SelectsRows._generate_columns_plus_names and SelectState._column_naming_convention of sql/selectable.py). */
#include "sql/names.h"

typedef struct naming {
    ag_namer *nm;
    ag_label_style style;
    bool tq;
    bool anon_for_dupe;
    ag_map names;   /* hash of a name in use → id of its expression */
    ag_map keys;    /* keys in use */
    ag_map numbers; /* hash of a made-up part in a key → its number */
    ag_map counts;  /* hash of a base → numbers given */
    uint32_t dedupe;
} naming;

/* The id of the expression that has this name, 0 if it is free. */
static uint64_t taken(const naming *k, ag_name name)
{
    const ag_map_entry *e = ag_map_find_u64(&k->names, ag_name_hash(name));
    return e ? e->v.u : 0;
}

static void take(naming *k, ag_name name, const ag_node *e)
{
    bool added;
    ag_map_entry *entry = ag_map_put_u64(&k->names, ag_name_hash(name), &added);
    if (entry)
        entry->v.u = ag_expr_id(e);
    else
        k->nm->nomem = true;
}

/* The same again: a label that only holds its place. */
static void repeat(naming *k, ag_select_col *c)
{
    c->required = c->fallback = ag_label_dedupe(k->nm, c->expr, ++k->dedupe, k->tq);
    c->repeated = true;
}

/* Another column has the name already. */
static void disambiguate(naming *k, ag_select_col *c)
{
    ag_name label = k->tq ? ag_name_made_up(k->nm, ag_expr_id(c->expr), ag_label_tq(k->nm, c->expr, false), 0)
                          : ag_label_anon(k->nm, c->expr);
    if (k->anon_for_dupe && taken(k, label)) {
        repeat(k, c);
        return;
    }
    c->required = c->fallback = label;
    c->renamed = true;
    take(k, label, c->expr);
}

/* No name of its own: a made-up one, written if the compiler wants a label. */
static void name_unnamed(naming *k, ag_select_col *c)
{
    c->fallback = ag_label_anon(k->nm, c->expr);
    c->repeated = taken(k, c->fallback) != 0;
    take(k, c->fallback, c->expr);
    if (c->repeated)
        c->fallback = ag_label_dedupe(k->nm, c->expr, ++k->dedupe, k->tq);
}

static void name_column(naming *k, ag_select_col *c)
{
    const ag_node *e = c->expr;
    ag_name own = ag_label_own(k->nm, e, false);
    if (k->style == AG_LABEL_STYLE_NONE) {
        c->fallback = own.n ? own : ag_label_anon(k->nm, e);
        return;
    }
    ag_name effective = k->tq ? ag_label_tq(k->nm, e, false) : own;
    if (!effective.n) {
        name_unnamed(k, c);
        return;
    }
    c->fallback = effective;
    c->required = k->tq ? effective : AG_NO_NAME;
    uint64_t holder = taken(k, effective);
    if (!holder)
        take(k, effective, e);
    else if (holder != ag_expr_id(e))
        disambiguate(k, c);
    else if (k->anon_for_dupe)
        repeat(k, c);
}

/* ---- keys ---- */

/* The number of a made-up part, counted per base within this clause. */
static uint64_t part_number(naming *k, const ag_name_part *p)
{
    bool fresh, added;
    ag_map_entry *number = ag_map_put_u64(&k->numbers, ag_name_hash((ag_name){p, 1, 0}), &fresh);
    ag_map_entry *count = ag_map_put_u64(&k->counts, ag_hash_bytes(0, p->text.p, p->text.n), &added);
    if (!number || !count) {
        k->nm->nomem = true;
        return 0;
    }
    if (fresh)
        number->v.u = ++count->v.u;
    return number->v.u;
}

static ag_str key_text(naming *k, ag_name name)
{
    ag_buf b;
    ag_str plain = ag_name_plain(name);
    if (plain.p)
        return plain;
    ag_buf_init(&b, k->nm->ar->alloc);
    for (uint32_t i = 0; i < name.n; i++) {
        ag_buf_add(&b, name.parts[i].text.p, name.parts[i].text.n);
        if (name.parts[i].anon) {
            ag_buf_char(&b, '_');
            ag_buf_int(&b, (int64_t)part_number(k, &name.parts[i]));
        }
    }
    ag_str s = {ag_buf_ok(&b) ? ag_arena_strndup(k->nm->ar, b.data ? b.data : "", b.len) : NULL, b.len};
    ag_buf_clear(&b);
    k->nm->nomem |= !s.p;
    return s;
}

static void key_column(naming *k, ag_select_col *c)
{
    bool added;
    if (c->expr->kind == AG_K_TEXT || c->expr->kind == AG_K_SPLICE)
        return;
    ag_name name = k->tq ? ag_label_tq(k->nm, c->expr, true) : ag_name_of_text(k->nm, ag_label_key(c->expr));
    c->key = name.n ? key_text(k, name) : AG_STR("_no_label");
    if (k->style != AG_LABEL_STYLE_NONE && c->key.p && ag_map_find(&k->keys, c->key.p, c->key.n)) {
        ag_name again = ag_name_made_up(k->nm, ag_expr_id(c->expr), ag_name_of_text(k->nm, c->key), 0);
        c->key = key_text(k, again);
    }
    if (!c->key.p || !ag_map_put(&k->keys, c->key.p, c->key.n, &added))
        k->nm->nomem = true;
}

const ag_select_col *ag_namer_clause(ag_namer *nm, const ag_node *const *exprs, uint32_t n, ag_label_style style,
                                     bool anon_for_dupe)
{
    ag_select_col *cols = ag_arena_zero(nm->ar, n ? n : 1, sizeof *cols);
    naming k = {
        .nm = nm, .style = style, .anon_for_dupe = anon_for_dupe, .tq = style == AG_LABEL_STYLE_TABLENAME_PLUS_COL};
    nm->nomem |= !cols;
    ag_map_init(&k.names, nm->ar->alloc);
    ag_map_init(&k.keys, nm->ar->alloc);
    ag_map_init(&k.numbers, nm->ar->alloc);
    ag_map_init(&k.counts, nm->ar->alloc);
    for (uint32_t i = 0; i < n && !nm->nomem; i++) {
        ag_select_col *c = &cols[i];
        c->expr = exprs[i];
        if (!ag_label_never(c->expr))
            name_column(&k, c);
        key_column(&k, c);
        ag_name own = ag_label_own(nm, c->expr, false);
        c->name = c->required.n ? c->required : own.n ? own : ag_label_anon(nm, c->expr);
    }
    ag_map_clear(&k.names);
    ag_map_clear(&k.keys);
    ag_map_clear(&k.numbers);
    ag_map_clear(&k.counts);
    return nm->nomem ? NULL : cols;
}

ag_status ag_column_names(const ag_node *const *exprs, uint32_t n, ag_label_style style, bool anon_for_dupe,
                          ag_arena *ar, const ag_select_col **out, ag_error *err)
{
    ag_namer nm;
    ag_namer_init(&nm, ar);
    *out = ag_namer_clause(&nm, exprs, n, style, anon_for_dupe);
    ag_namer_clear(&nm);
    return *out ? AG_OK : ag_namer_fail(&nm, err);
}

/* ---- statements ---- */

static const ag_node *const *list_of(const void *node, ag_nlist l, uint32_t *n)
{
    *n = l.n;
    return l.n ? ag_nlist_items(node, l) : NULL;
}

const ag_node *const *ag_stmt_exprs(const ag_node *stmt, uint32_t *n, ag_label_style *style)
{
    *style = AG_LABEL_STYLE_DISAMBIGUATE_ONLY;
    *n = 0;
    while (stmt->kind == AG_K_COMPOUND)
        stmt = ag_nlist_at(stmt, AG_AS(compound, COMPOUND, stmt)->selects, 0);
    switch (stmt->kind) {
    case AG_K_SELECT:
        *style = (ag_label_style)AG_AS(select, SELECT, stmt)->label_style;
        return list_of(stmt, AG_AS(select, SELECT, stmt)->columns, n);
    case AG_K_TEXT_SELECT: return list_of(stmt, AG_AS(text_select, TEXT_SELECT, stmt)->columns, n);
    case AG_K_VALUES: return list_of(stmt, AG_AS(values, VALUES, stmt)->columns, n);
    case AG_K_INSERT: return list_of(stmt, AG_AS(insert, INSERT, stmt)->returning, n);
    case AG_K_UPDATE: return list_of(stmt, AG_AS(update, UPDATE, stmt)->returning, n);
    case AG_K_DELETE: return list_of(stmt, AG_AS(delete, DELETE, stmt)->returning, n);
    default: return NULL;
    }
}

ag_status ag_stmt_columns(const ag_node *stmt, bool anon_for_dupe, ag_arena *ar, const ag_select_col **out, uint32_t *n,
                          ag_error *err)
{
    ag_label_style style;
    const ag_node *const *exprs = ag_stmt_exprs(stmt, n, &style);
    return ag_column_names(exprs, *n, style, anon_for_dupe, ar, out, err);
}

uint32_t ag_stmt_column_count(const ag_node *stmt)
{
    uint32_t n;
    ag_label_style style;
    (void)ag_stmt_exprs(stmt, &n, &style);
    return n;
}

bool ag_stmt_returns_rows(const ag_node *stmt)
{
    return ag_node_is_selectable(stmt) || ag_stmt_column_count(stmt) > 0;
}

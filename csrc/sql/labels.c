/* The labels SQLAlchemy 2.1 gives to an expression (the _…_label and _proxy_key attributes of sql/elements.py), since
 * the SQL must come
 * out the same. */
#include "sql/names.h"
#include "sql/node_hash.h"

uint64_t ag_expr_id(const ag_node *e)
{
    if (e->kind == AG_K_COLUMN) {
        const ag_n_column *c = AG_AS(column, COLUMN, e);
        return ag_mix(ag_mix(1, c->table->serial), c->index) | 1;
    }
    if (e->kind == AG_K_COLREF) {
        const ag_n_colref *c = AG_AS(colref, COLREF, e);
        return ag_mix(ag_mix(2, ag_from_key(c->from)), c->index) | 1;
    }
    /* true(), false() and null() are one object each in SQLAlchemy: written twice they are a repeated column */
    if (e->kind == AG_K_TRUE || e->kind == AG_K_FALSE || e->kind == AG_K_NULL)
        return ag_mix(3, e->kind) | 1;
    return (uint64_t)(uintptr_t)e;
}

/* Constructs that are named after what they wrap (WrapsColumnExpression). */
static const ag_node *wrapped(const ag_node *e)
{
    ag_child_iter first = {0};
    switch (e->kind) {
    case AG_K_CAST:
    case AG_K_TRY_CAST:
    case AG_K_TYPE_COERCE:
    case AG_K_AGG_ORDER:
    case AG_K_WITHIN_GROUP: return ag_child_next(e, &first);
    case AG_K_UNARY: return e->op == AG_OP_IS_TRUE || e->op == AG_OP_IS_FALSE ? ag_child_next(e, &first) : NULL;
    default: return NULL;
    }
}

static bool is_text(const ag_node *e)
{
    return e->kind == AG_K_TEXT || e->kind == AG_K_SPLICE;
}

bool ag_label_never(const ag_node *e)
{
    return is_text(e) || e->kind == AG_K_COLUMN_CLAUSE || e->kind == AG_K_STAR || e->kind == AG_K_LABEL_REF ||
           ag_expr_is_literal_column(e);
}

/* A column whose name is made up inside the subquery is found there. */
static ag_name colref_name(ag_namer *nm, const ag_node *e)
{
    const ag_n_colref *r = AG_AS(colref, COLREF, e);
    if (!(e->flags & AG_COLREF_ANON))
        return ag_name_with_quote(ag_name_of_text(nm, ag_nstr_get(r, r->name)), ag_name_quote(e));
    uint32_t n;
    const ag_from_col *cols = ag_namer_columns(nm, r->from, &n);
    return cols && r->index < n ? cols[r->index].name : AG_NO_NAME;
}

ag_name ag_label_own(ag_namer *nm, const ag_node *e, bool functions)
{
    switch (e->kind) {
    case AG_K_COLREF: return colref_name(nm, e);
    case AG_K_COLUMN:
    case AG_K_COLUMN_CLAUSE: return ag_name_with_quote(ag_name_of_text(nm, ag_expr_name(e)), ag_name_quote(e));
    case AG_K_FROM_VALUE: return ag_name_of_from(nm, AG_AS(from_value, FROM_VALUE, e)->from);
    case AG_K_LABEL_REF: return AG_NO_NAME;
    case AG_K_FUNC: return functions ? ag_name_of_text(nm, ag_nstr_get(e, AG_AS(func, FUNC, e)->name)) : AG_NO_NAME;
    case AG_K_NEXT_VALUE: return functions ? ag_name_of_text(nm, AG_STR("next_value")) : AG_NO_NAME;
    case AG_K_LABEL: {
        ag_name name = ag_name_of_text(nm, ag_expr_name(e));
        return e->flags & AG_LABEL_ANON ? ag_name_made_up(nm, ag_expr_id(e), name, 0)
                                        : ag_name_with_quote(name, ag_name_quote(e));
    }
    default: return ag_name_of_text(nm, ag_expr_name(e));
    }
}

ag_str ag_label_key(const ag_node *e)
{
    bool named;
    switch (e->kind) {
    case AG_K_COLUMN: return ag_expr_key(e);
    case AG_K_COLREF: return e->flags & AG_COLREF_ANON ? (ag_str){0} : ag_expr_key(e);
    case AG_K_LABEL: return e->flags & AG_LABEL_ANON ? (ag_str){0} : ag_expr_name(e);
    case AG_K_BIND: return e->flags & AG_BIND_UNIQUE ? (ag_str){0} : ag_nstr_get(e, AG_AS(bind, BIND, e)->key);
    case AG_K_FUNC: return ag_nstr_get(e, AG_AS(func, FUNC, e)->name);
    case AG_K_NEXT_VALUE: return AG_STR("next_value");
    case AG_K_DML_COLUMN: return ag_expr_key(AG_AS(dml_column, DML_COLUMN, e)->column);
    case AG_K_FROM_VALUE: return ag_from_given_name(AG_AS(from_value, FROM_VALUE, e)->from, &named);
    case AG_K_LABEL_REF: return (ag_str){0};
    default: break;
    }
    const ag_node *w = wrapped(e);
    return w ? (is_text(w) ? (ag_str){0} : ag_label_key(w)) : ag_expr_name(e);
}

ag_name ag_label_anon(ag_namer *nm, const ag_node *e)
{
    const ag_node *w = wrapped(e);
    if (w && !is_text(w)) {
        ag_name own = ag_label_own(nm, w, false);
        return own.n ? own : ag_label_anon(nm, w);
    }
    return ag_name_made_up(nm, ag_expr_id(e), ag_label_own(nm, e, true), 0);
}

/* ---- qualified by the table ---- */

/* Does from export a column of that key? Only asked of tables and of aliases of them: elsewhere names cannot clash
 * so. */
static bool has_key(const ag_node *from, ag_str key)
{
    while (from->kind == AG_K_ALIAS)
        from = AG_AS(alias, ALIAS, from)->element;
    return from->kind == AG_K_TABLE && ag_table_column(AG_AS(table, TABLE, from)->table, key.p, key.n);
}

static ag_str numbered(ag_namer *nm, ag_str text, unsigned i)
{
    ag_buf b;
    ag_buf_init(&b, nm->ar->alloc);
    ag_buf_add(&b, text.p, text.n);
    ag_buf_printf(&b, "_%u", i);
    ag_str s = {ag_buf_ok(&b) ? ag_arena_strndup(nm->ar, b.data, b.len) : NULL, b.len};
    ag_buf_clear(&b);
    nm->nomem |= !s.p;
    return s;
}

/* label, or label_1, label_2 …: the first that no column of from has as its key. */
static ag_name free_label(ag_namer *nm, const ag_node *from, ag_name label)
{
    ag_str text = ag_name_plain(label), next = text;
    for (unsigned i = 1; next.p && has_key(from, next); i++)
        next = numbered(nm, text, i);
    return next.p != text.p ? ag_name_with_quote(ag_name_of_text(nm, next), ag_name_quoting(label)) : label;
}

static ag_str schema_of(const ag_node *from)
{
    if (from->kind == AG_K_TABLE)
        return AG_AS(table, TABLE, from)->table->schema;
    if (from->kind == AG_K_TABLE_CLAUSE)
        return ag_nstr_get(from, AG_AS(table_clause, TABLE_CLAUSE, from)->schema);
    return (ag_str){0};
}

/* "id" of s.users gives "s_users_id". */
static ag_name qualify(ag_namer *nm, const ag_node *from, ag_name name)
{
    ag_name t = ag_name_of_from(nm, from), q = AG_NO_NAME;
    ag_str schema = schema_of(from);
    if (!t.n)
        return name;
    if (schema.n) {
        char *s = ag_arena_strndup(nm->ar, schema.p, schema.n);
        nm->nomem |= !s;
        for (size_t i = 0; s && i < schema.n; i++)
            s[i] = s[i] == '.' ? '_' : s[i];
        q = ag_name_add_text(nm, ag_name_of_text(nm, (ag_str){s, schema.n}), AG_STR("_"));
    }
    q = ag_name_add_text(nm, ag_name_join(nm, q, t), AG_STR("_"));
    q = ag_name_settle(nm, ag_name_join(nm, q, name));
    /* the column's quoting goes before the table's */
    int quote = ag_name_quoting(name) >= 0 ? ag_name_quoting(name) : ag_name_quote(from);
    return free_label(nm, from, ag_name_with_quote(q, quote));
}

ag_name ag_label_tq(ag_namer *nm, const ag_node *e, bool by_key)
{
    const ag_node *w = wrapped(e), *from = ag_column_from(e);
    ag_name inside = w ? ag_label_tq(nm, w, false) : AG_NO_NAME;
    if (w && (inside.n || !by_key))
        return inside;
    if (e->kind == AG_K_COLUMN_CLAUSE && (e->flags & AG_COLUMN_CLAUSE_LITERAL))
        return AG_NO_NAME;
    ag_name name = ag_label_own(nm, e, false);
    ag_str key = by_key ? ag_label_key(e) : (ag_str){0};
    if (!name.n) /* no name, but perhaps a key: functions */
        return ag_name_of_text(nm, key);
    if (key.p && !ag_str_eq(key, ag_name_plain(name)))
        name = ag_name_with_quote(ag_name_of_text(nm, key), ag_name_quoting(name));
    return from ? qualify(nm, from, name) : name;
}

ag_name ag_label_dedupe(ag_namer *nm, const ag_node *e, uint32_t i, bool tq)
{
    const ag_node *w = wrapped(e);
    ag_name label = tq ? AG_NO_NAME : w ? ag_label_own(nm, w, false) : ag_label_own(nm, e, true);
    if (label.n && w)
        return ag_name_made_up(nm, ag_expr_id(e), ag_name_add_text(nm, label, AG_STR("_")), 0);
    if (!label.n)
        label = ag_label_tq(nm, e, false);
    return ag_name_made_up(nm, ag_expr_id(e), label.n ? label : ag_name_of_text(nm, AG_STR("anon")), i);
}

/* ---- for others ---- */

ag_name ag_expr_own_label(const ag_node *e, ag_arena *ar)
{
    ag_namer nm;
    ag_namer_init(&nm, ar);
    ag_name name = ag_label_own(&nm, e, false);
    ag_namer_clear(&nm);
    return name;
}

ag_name ag_expr_anon_label(const ag_node *e, ag_arena *ar)
{
    ag_namer nm;
    ag_namer_init(&nm, ar);
    ag_name name = ag_label_anon(&nm, e);
    ag_namer_clear(&nm);
    return name;
}

ag_name ag_expr_tq_label(const ag_node *e, ag_arena *ar)
{
    ag_namer nm;
    ag_namer_init(&nm, ar);
    ag_name name = ag_label_tq(&nm, e, false);
    ag_namer_clear(&nm);
    return name;
}

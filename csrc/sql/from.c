/* Constructors of what may stand in FROM: aliases, subqueries, CTEs, VALUES, table functions … */
#include "sql/names.h"

static const ag_node *not_a(ag_builder *b, const ag_node *n, const char *what)
{
    return ag_build_fail(b, AG_EXC_ARGUMENT, "%s is expected here, not a %s", what, ag_kind_get(n->kind)->name);
}

static bool valid_name(ag_builder *b, ag_str name, const char *what)
{
    if (!name.p || (name.n && !memchr(name.p, '\0', name.n)))
        return true;
    ag_build_fail(b, AG_EXC_IDENTIFIER, "the name of %s must not be empty or contain a NUL byte", what);
    return false;
}

/* Nodes of an element and a name: ALIAS, SUBQUERY, LATERAL. */
static const ag_node *wrap(ag_builder *b, ag_kind kind, const ag_node *element, ag_str name)
{
    if (!valid_name(b, name, ag_kind_get(kind)->name))
        return NULL;
    ag_n_alias *n = ag_node_new(b, kind, NULL, ag_room_str(name.n));
    if (!n)
        return NULL;
    n->element = element;
    n->name = ag_node_str(n, name);
    return ag_node_finish(b, n);
}

/* All of these are COLUMN_CLAUSEs (or, ordered last, WITH ORDINALITY's column). */
static bool are_columns(ag_builder *b, const ag_node *const *columns, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++) {
        if (!columns[i])
            return false;
        if (columns[i]->kind != AG_K_COLUMN_CLAUSE) {
            ag_build_fail(b, AG_EXC_ARGUMENT, "the columns of %s are made with column(), this is a %s", what,
                          ag_kind_get(columns[i]->kind)->name);
            return false;
        }
    }
    return true;
}

const ag_node *ag_table_clause(ag_builder *b, ag_str schema, ag_str name, const ag_node *const *columns, size_t n)
{
    if (!name.p || !valid_name(b, name, "a table") || !are_columns(b, columns, n, "table()"))
        return NULL;
    ag_n_table_clause *t =
        ag_node_new(b, AG_K_TABLE_CLAUSE, NULL, ag_room_str(schema.n) + ag_room_str(name.n) + ag_room_list(n));
    if (!t)
        return NULL;
    t->schema = ag_node_str(t, schema);
    t->name = ag_node_str(t, name);
    t->columns = ag_node_list(t, columns, n);
    return ag_node_finish(b, t);
}

/* ---- subqueries ---- */

/* Columns of a subquery need different names: LABEL_STYLE_NONE is no choice inside one. */
static const ag_node *with_distinct_names(ag_builder *b, const ag_node *stmt)
{
    const ag_node *first = stmt;
    while (first->kind == AG_K_COMPOUND)
        first = ag_nlist_at(first, AG_AS(compound, COMPOUND, first)->selects, 0);
    if (first->kind != AG_K_SELECT || AG_AS(select, SELECT, first)->label_style != AG_LABEL_STYLE_NONE)
        return stmt;
    return ag_stmt_label_style(b, stmt, AG_LABEL_STYLE_DISAMBIGUATE_ONLY);
}

const ag_node *ag_subquery(ag_builder *b, const ag_node *select, ag_str name)
{
    if (!select)
        return NULL;
    if (!ag_node_is_selectable(select))
        return not_a(b, select, "a select");
    select = with_distinct_names(b, select);
    return select ? wrap(b, AG_K_SUBQUERY, select, name) : NULL;
}

/* An alias of a join is a subquery of all its columns (SQLAlchemy: Join._anonymous_fromclause). */
static const ag_node *join_subquery(ag_builder *b, const ag_node *join, ag_str name)
{
    uint32_t n = ag_from_count(join);
    const ag_node **columns = ag_build_array(b, n);
    if (!columns || !ag_from_colrefs(b, join, columns))
        return NULL;
    const ag_node *s = ag_select(b, columns, n);
    s = s ? ag_stmt_add(b, s, AG_CL_FROM, &join, 1, true) : NULL;
    s = s ? ag_stmt_label_style(b, s, AG_LABEL_STYLE_TABLENAME_PLUS_COL) : NULL;
    s = s ? ag_stmt_clear(b, s, AG_CL_CORRELATE) : NULL;
    return s ? ag_subquery(b, s, name) : NULL;
}

/* A table function or VALUES under another name. */
static const ag_node *renamed(ag_builder *b, const ag_node *from, size_t field, ag_str name, unsigned flags)
{
    if (!valid_name(b, name, ag_kind_get(from->kind)->name))
        return NULL;
    ag_node *n = ag_node_with_str(b, from, field, name);
    if (!n)
        return NULL;
    n->flags |= (uint16_t)flags;
    return ag_node_finish(b, n);
}

const ag_node *ag_alias(ag_builder *b, const ag_node *element, ag_str name)
{
    if (!element)
        return NULL;
    if (element->kind == AG_K_JOIN)
        return join_subquery(b, element, name);
    if (element->kind == AG_K_CTE)
        return ag_cte_alias(b, element, name);
    if (element->kind == AG_K_FUNC)
        return ag_table_func(b, element, NULL, 0, name, AG_TABLE_FUNC_SCALAR);
    if (element->kind == AG_K_TABLE_FUNC)
        return renamed(b, element, offsetof(ag_n_table_func, name), name, 0);
    if (element->kind == AG_K_VALUES && name.p)
        return renamed(b, element, offsetof(ag_n_values, name), name, 0);
    if (element->kind == AG_K_LATERAL)
        return wrap(b, AG_K_LATERAL, AG_AS(lateral, LATERAL, element)->element, name);
    if (ag_node_is_from(element))
        return wrap(b, AG_K_ALIAS, element, name);
    return ag_node_is_selectable(element) ? ag_subquery(b, element, name) : not_a(b, element, "a table or a select");
}

const ag_node *ag_lateral(ag_builder *b, const ag_node *element, ag_str name)
{
    if (!element)
        return NULL;
    if (element->kind == AG_K_FUNC)
        return ag_table_func(b, element, NULL, 0, name, AG_TABLE_FUNC_SCALAR | AG_TABLE_FUNC_LATERAL);
    if (element->kind == AG_K_TABLE_FUNC)
        return renamed(b, element, offsetof(ag_n_table_func, name),
                       name.p ? name : ag_nstr_get(element, AG_AS(table_func, TABLE_FUNC, element)->name),
                       AG_TABLE_FUNC_LATERAL);
    if (element->kind == AG_K_VALUES)
        return renamed(b, element, offsetof(ag_n_values, name),
                       name.p ? name : ag_nstr_get(element, AG_AS(values, VALUES, element)->name), AG_VALUES_LATERAL);
    if (element->kind == AG_K_SUBQUERY)
        return wrap(b, AG_K_LATERAL, AG_AS(subquery, SUBQUERY, element)->element, name);
    if (ag_node_is_selectable(element)) {
        element = with_distinct_names(b, element);
        return element ? wrap(b, AG_K_LATERAL, element, name) : NULL;
    }
    return ag_node_is_from(element) ? wrap(b, AG_K_LATERAL, element, name)
                                    : not_a(b, element, "a select or a table function");
}

/* ---- CTE ---- */

static const ag_node *make_cte(ag_builder *b, const ag_node *element, ag_str name, unsigned flags,
                               const ag_node *restates, const ag_node *alias_of)
{
    const ag_node *model = restates ? restates : alias_of;
    const ag_n_cte *m = model ? AG_AS(cte, CTE, model) : NULL;
    size_t room = ag_room_str(name.n) + (m ? ag_room_list(m->prefixes.n) + ag_room_list(m->suffixes.n) : 0);
    if (!element || !valid_name(b, name, "a CTE"))
        return NULL;
    ag_n_cte *n = ag_node_new(b, AG_K_CTE, NULL, room);
    if (!n)
        return NULL;
    n->node.flags |= (uint16_t)(flags & AG_NF_KIND);
    n->element = element;
    n->name = ag_node_str(n, name);
    n->restates = restates;
    n->alias_of = alias_of;
    if (m) {
        n->prefixes = ag_node_list(n, m->prefixes.n ? ag_nlist_items(m, m->prefixes) : NULL, m->prefixes.n);
        n->suffixes = ag_node_list(n, m->suffixes.n ? ag_nlist_items(m, m->suffixes) : NULL, m->suffixes.n);
    }
    return ag_node_finish(b, n);
}

const ag_node *ag_cte(ag_builder *b, const ag_node *element, ag_str name, unsigned flags)
{
    if (!element)
        return NULL;
    bool dml = element->kind == AG_K_INSERT || element->kind == AG_K_UPDATE || element->kind == AG_K_DELETE;
    if (!dml && !ag_node_is_selectable(element))
        return not_a(b, element, "a select, or an insert, update or delete,");
    return make_cte(b, element, name, flags, NULL, NULL);
}

const ag_node *ag_cte_alias(ag_builder *b, const ag_node *cte, ag_str name)
{
    if (!cte)
        return NULL;
    if (cte->kind != AG_K_CTE)
        return not_a(b, cte, "a CTE");
    return make_cte(b, AG_AS(cte, CTE, cte)->element, name, cte->flags & AG_NF_KIND, NULL, cte);
}

const ag_node *ag_cte_compound(ag_builder *b, const ag_node *cte, ag_compound_kw kw, const ag_node *const *others,
                               size_t n)
{
    if (!cte)
        return NULL;
    if (cte->kind != AG_K_CTE)
        return not_a(b, cte, "a CTE");
    const ag_n_cte *c = AG_AS(cte, CTE, cte);
    const ag_node **all = ag_build_array(b, n + 1);
    if (!all)
        return NULL;
    all[0] = c->element;
    if (n)
        memcpy((void *)(all + 1), (const void *)others, n * sizeof *all);
    return make_cte(b, ag_compound(b, kw, all, n + 1), ag_nstr_get(c, c->name), cte->flags & AG_NF_KIND, cte, NULL);
}

/* ---- TABLESAMPLE, VALUES, table functions ---- */

const ag_node *ag_tablesample(ag_builder *b, const ag_node *element, const ag_node *sampling, const ag_node *seed,
                              ag_str name)
{
    if (!element || !sampling || !valid_name(b, name, "a TABLESAMPLE"))
        return NULL;
    if (!ag_node_is_from(element))
        return not_a(b, element, "a table");
    if (sampling->kind != AG_K_FUNC)
        sampling = ag_func(b, NULL, 0, AG_STR("system"), &sampling, 1, NULL, 0);
    ag_n_tablesample *n = sampling ? ag_node_new(b, AG_K_TABLESAMPLE, NULL, ag_room_str(name.n)) : NULL;
    if (!n)
        return NULL;
    n->element = element;
    n->name = ag_node_str(n, name);
    n->sampling = sampling;
    n->seed = seed;
    return ag_node_finish(b, n);
}

/* Columns of tables stand for ad-hoc ones of their name and type. */
static const ag_node **as_ad_hoc(ag_builder *b, const ag_node *const *columns, size_t n)
{
    const ag_node **out = ag_build_array(b, n);
    for (size_t i = 0; out && i < n; i++) {
        const ag_node *c = columns[i];
        bool of_table = c && (c->kind == AG_K_COLUMN || c->kind == AG_K_COLREF);
        out[i] =
            of_table ? ag_with_quote(b, ag_column_clause(b, ag_expr_name(c), c->type, false), ag_name_quote(c)) : c;
        if (c && !out[i])
            return NULL;
    }
    return out;
}

const ag_node *ag_values(ag_builder *b, ag_str name, const ag_node *const *columns, size_t n,
                         const ag_node *const *data, size_t nrows, unsigned flags)
{
    size_t ndata = 0;
    columns = as_ad_hoc(b, columns, n);
    if (!columns || !ag_size_mul(&ndata, n, nrows) || !are_columns(b, columns, n, "values()") ||
        !valid_name(b, name, "VALUES"))
        return NULL;
    const ag_node **exprs = ag_build_array(b, ndata);
    if (!exprs || !ag_as_exprs(b, exprs, data, ndata))
        return NULL;
    ag_n_values *v = ag_node_new(b, AG_K_VALUES, NULL, ag_room_str(name.n) + ag_room_list(n) + ag_room_list(ndata));
    if (!v)
        return NULL;
    v->node.flags |= (uint16_t)(flags & AG_NF_KIND);
    v->columns = ag_node_list(v, columns, n);
    v->name = ag_node_str(v, name);
    v->data = ag_node_list(v, exprs, ndata);
    return ag_node_finish(b, v);
}

const ag_node *ag_values_data(ag_builder *b, const ag_node *values, const ag_node *const *data, size_t nrows)
{
    size_t n;
    if (!values)
        return NULL;
    if (!ag_size_mul(&n, AG_AS(values, VALUES, values)->columns.n, nrows))
        return ag_build_fail(b, AG_EXC_ARGUMENT, "too many rows");
    const ag_node **exprs = ag_build_array(b, n);
    if (!exprs || !ag_as_exprs(b, exprs, data, n))
        return NULL;
    ag_node *v = ag_node_with_list(b, values, offsetof(ag_n_values, data), exprs, n, true);
    return v ? ag_node_finish(b, v) : NULL;
}

const ag_node *ag_table_func(ag_builder *b, const ag_node *fn, const ag_node *const *columns, size_t n, ag_str name,
                             unsigned flags)
{
    if (!fn || !valid_name(b, name, "a table function") || !are_columns(b, columns, n, "table_valued()"))
        return NULL;
    ag_n_table_func *t = ag_node_new(b, AG_K_TABLE_FUNC, NULL, ag_room_str(name.n) + ag_room_list(n));
    if (!t)
        return NULL;
    t->node.flags |= (uint16_t)(flags & AG_NF_KIND);
    t->function = fn;
    t->name = ag_node_str(t, name);
    t->columns = ag_node_list(t, columns, n);
    return ag_node_finish(b, t);
}

const ag_node *ag_table_func_bare(ag_builder *b, const ag_node *fn)
{
    return ag_table_func(b, fn, NULL, 0, (ag_str){0}, AG_TABLE_FUNC_BARE);
}

const ag_node *ag_table_func_derived(ag_builder *b, const ag_node *tf, ag_str name, bool with_types)
{
    if (!tf)
        return NULL;
    if (tf->kind != AG_K_TABLE_FUNC)
        return not_a(b, tf, "a table function");
    return renamed(b, tf, offsetof(ag_n_table_func, name), name,
                   AG_TABLE_FUNC_DERIVED | (with_types ? AG_TABLE_FUNC_TYPES : 0));
}

/* ---- quoting ---- */

static bool takes_quote(const ag_node *n)
{
    switch (n->kind) {
    case AG_K_LABEL:
    case AG_K_COLUMN_CLAUSE:
    case AG_K_TABLE_CLAUSE:
    case AG_K_ALIAS:
    case AG_K_SUBQUERY:
    case AG_K_CTE:
    case AG_K_LATERAL:
    case AG_K_TABLESAMPLE:
    case AG_K_VALUES:
    case AG_K_TABLE_FUNC:
    case AG_K_COLREF:
    case AG_K_COLLATION: return true;
    default: return false;
    }
}

const ag_node *ag_with_quote(ag_builder *b, const ag_node *n, int quote)
{
    if (!n || quote < 0)
        return n;
    if (!takes_quote(n))
        return ag_build_fail(b, AG_EXC_ARGUMENT, "the name of a %s cannot be a quoted_name",
                             ag_kind_get(n->kind)->name);
    ag_node *copy = ag_node_copy(b, n);
    if (!copy)
        return NULL;
    copy->flags |= quote ? AG_NAME_QUOTE : AG_NAME_NOQUOTE;
    return ag_node_finish(b, copy);
}

int ag_name_quote(const ag_node *n)
{
    if (n->kind == AG_K_TABLE)
        return AG_AS(table, TABLE, n)->table->quote;
    if (n->kind == AG_K_COLUMN) {
        const ag_n_column *c = AG_AS(column, COLUMN, n);
        return c->table->columns[c->index]->quote;
    }
    if (!takes_quote(n))
        return -1;
    return n->flags & AG_NAME_QUOTE ? 1 : n->flags & AG_NAME_NOQUOTE ? 0 : -1;
}

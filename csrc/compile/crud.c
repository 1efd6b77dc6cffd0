/* Which columns an INSERT or UPDATE writes, and where each value comes from: the statement, the call, a default. */
#include "compile/crud.h"

#include <string.h>

void ag_crud_init(ag_crud *u, const ag_alloc *alloc)
{
    memset(u, 0, sizeof *u);
    ag_vec_init(&u->items, alloc);
    ag_vec_init(&u->returning, alloc);
    ag_vec_init(&u->postfetch, alloc);
    ag_vec_init(&u->prefetch, alloc);
}

void ag_crud_clear(ag_crud *u)
{
    ag_vec_clear(&u->prefetch);
    ag_vec_clear(&u->postfetch);
    ag_vec_clear(&u->returning);
    ag_vec_clear(&u->items);
}

static const ag_table *table_of(const ag_node *from)
{
    while (from->kind == AG_K_ALIAS || from->kind == AG_K_JOIN)
        from = from->kind == AG_K_ALIAS ? AG_AS(alias, ALIAS, from)->element : AG_AS(join, JOIN, from)->left;
    return from->kind == AG_K_TABLE ? AG_AS(table, TABLE, from)->table : NULL;
}

static void push(ag_compiler *c, ag_crud *u, ag_crud_item item)
{
    if (!ag_vec_push(&u->items, item))
        ag_c_nomem(c);
}

static void push_column(ag_compiler *c, ag_columns *v, const ag_column *col)
{
    for (size_t i = 0; i < v->len; i++) {
        if (v->items[i] == col)
            return;
    }
    if (col && !ag_vec_push(v, col))
        ag_c_nomem(c);
}

/* ---- parameters of the call ---- */

static bool has_key(const ag_compiler *c, ag_str key)
{
    for (uint32_t i = 0; i < c->o->ncolumn_keys; i++) {
        ag_str k = c->o->column_keys[i];
        if (k.n == key.n && memcmp(k.p, key.p, k.n) == 0)
            return true;
    }
    return false;
}

static bool is_bind(const ag_compiler *c, ag_str key)
{
    for (size_t i = 0; i < c->tree_binds->len; i++) {
        const ag_n_bind *b = c->tree_binds->items[i];
        ag_str k = ag_nstr_get(b, b->key);
        if (!(b->node.flags & (AG_BIND_UNIQUE | AG_BIND_DML)) && k.n == key.n && memcmp(k.p, key.p, k.n) == 0)
            return true;
    }
    return false;
}

static bool table_has(const ag_node *from, const ag_table *t, ag_str key, ag_compiler *c)
{
    int64_t index = -1;
    if (t)
        return ag_table_column(t, key.p, key.n) != NULL;
    return ag_c_ok(c, ag_from_find(from, key.p, key.n, &c->tmp, &index, c->err)) && index >= 0;
}

static void unconsumed(ag_compiler *c, const ag_node *from, ag_str key)
{
    uint32_t n = 0;
    const ag_from_col *cols;
    char name[64] = {0};
    const char *near = NULL;
    memcpy(name, key.p ? key.p : "", key.n < 63 ? key.n : 63);
    if (!ag_c_ok(c, ag_from_columns(from, &c->tmp, &cols, &n, c->err)))
        return;
    const char **names = ag_arena_zero(&c->tmp, n ? n : 1, sizeof *names);
    for (uint32_t i = 0; names && i < n; i++)
        names[i] = cols[i].key.p;
    near = names ? ag_nearest(name, names, n) : NULL;
    ag_c_fail(c, AG_EXC_COMPILE, "Unconsumed column names: %s%s%s%s", name, near ? " (did you mean '" : "",
              near ? near : "", near ? "'?)" : "");
}

/* A key of the call that is neither a column nor a bind of the statement is a slip. */
static void check_keys(ag_compiler *c, const ag_node *from, const ag_table *t)
{
    for (uint32_t i = 0; i < c->o->ncolumn_keys && !c->failed; i++) {
        ag_str k = c->o->column_keys[i];
        if (!table_has(from, t, k, c) && !is_bind(c, k) && !c->failed)
            unconsumed(c, from, k);
    }
}

/* ---- the scan ---- */

typedef struct scan {
    ag_compiler *c;
    ag_crud *u;
    const void *owner; /* the statement */
    ag_nlist columns, values;
    const ag_table *table;
    bool top, use_keys, return_defaults;
    ag_nlist defaults; /* of return_defaults(…), empty: all */
} scan;

static bool same_column(const ag_node *a, const ag_column *col, ag_str key)
{
    if (!ag_expr_is_column(a)) /* an element of an array: no column as a whole */
        return false;
    if (a->kind == AG_K_COLUMN && col)
        return AG_AS(column, COLUMN, a)->table == col->table && AG_AS(column, COLUMN, a)->index == col->index;
    ag_str k = ag_expr_key(a);
    return k.n == key.n && memcmp(k.p, key.p, k.n) == 0;
}

static int64_t find_given(const scan *s, const ag_column *col, ag_str key)
{
    for (uint32_t i = 0; i < s->columns.n; i++) {
        if (same_column(ag_nlist_at(s->owner, s->columns, i), col, key))
            return i;
    }
    return -1;
}

static bool wants_default(const scan *s, const ag_column *col)
{
    if (!s->return_defaults || !s->u->implicit_returning)
        return false;
    for (uint32_t i = 0; i < s->defaults.n; i++) {
        if (same_column(ag_nlist_at(s->owner, s->defaults, i), col, col->key))
            return true;
    }
    return s->defaults.n == 0;
}

/* A value made by the server: bring it back, or note that it may be fetched. */
static void server_made(const scan *s, const ag_column *col)
{
    if (wants_default(s, col))
        push_column(s->c, &s->u->returning, col);
    else if (!col->primary_key)
        push_column(s->c, &s->u->postfetch, col);
}

/* A bindparam() with the name of a column that has a value of its own. */
static void reserved(ag_compiler *c, ag_str key)
{
    ag_c_fail(c, AG_EXC_COMPILE,
              "bindparam() name '%.*s' is reserved for automatic usage in the VALUES or SET clause of this "
              "insert/update statement.   Please use a name other than column name when using bindparam() with "
              "insert() or update() (for example, 'b_%.*s').",
              (int)key.n, key.p, (int)key.n, key.p);
}

static void given_value(const scan *s, const ag_node *target, const ag_column *col, uint32_t i)
{
    const ag_node *value = s->values.n ? ag_nlist_at(s->owner, s->values, i) : NULL;
    ag_crud *u = s->u;
    push(s->c, u, (ag_crud_item){AG_CRUD_VALUE, target, col, value, i});
    if (value && value->kind == AG_K_BIND && (value->flags & AG_BIND_DML) && is_bind(s->c, ag_expr_key(target)))
        reserved(s->c, ag_expr_key(target));
    if (!col || !value)
        return;
    bool null_key = value->kind == AG_K_BIND && AG_AS(bind, BIND, value)->value.kind == AG_V_NULL &&
                    !(value->flags & AG_BIND_REQUIRED) && s->c->d->null_key_numbers &&
                    col == s->table->autoincrement_column;
    if (value->kind == AG_K_BIND && !null_key)
        return;
    if (u->update || !col->primary_key)
        server_made(s, col);
    else if (u->implicit_returning)
        push_column(s->c, &u->returning, col);
    else if (u->lastrowid && col == s->table->autoincrement_column)
        u->keys_lastrowid = true;
}

static bool sequence_used(const scan *s, const ag_default *d)
{
    return s->c->d->sequences && d->sequence && !d->sequence->optional;
}

static void default_value(const scan *s, const ag_node *target, const ag_column *col, const ag_default *d, bool key)
{
    ag_crud *u = s->u;
    switch (d->kind) {
    case AG_DEFAULT_SEQUENCE:
        if (sequence_used(s, d))
            push(s->c, u, (ag_crud_item){AG_CRUD_SEQUENCE, target, col, d->sequence->next_value, 0});
        if (key && u->implicit_returning)
            push_column(s->c, &u->returning, col);
        else if (sequence_used(s, d))
            server_made(s, col);
        else if (key && u->lastrowid && col == s->table->autoincrement_column)
            u->keys_lastrowid = true;
        return;
    case AG_DEFAULT_SQL:
        push(s->c, u, (ag_crud_item){AG_CRUD_SQL, target, col, d->expr, 0});
        if (key && u->implicit_returning)
            push_column(s->c, &u->returning, col);
        else
            server_made(s, col);
        return;
    case AG_DEFAULT_SENTINEL: return;
    default: push(s->c, u, (ag_crud_item){AG_CRUD_PREFETCH, target, col, NULL, 0}); return;
    }
}

static void missing_key(const scan *s, const ag_node *target, const ag_column *col)
{
    ag_crud *u = s->u;
    if (col->def.kind != AG_DEFAULT_NONE) {
        default_value(s, target, col, &col->def, true);
        return;
    }
    if (u->implicit_returning) {
        if (col == s->table->autoincrement_column || col->server_default.kind != AG_SERVER_DEFAULT_NONE)
            push_column(s->c, &u->returning, col);
    } else if (u->lastrowid && col == s->table->autoincrement_column) {
        u->keys_lastrowid = true;
    }
}

static void missing_in_insert(const scan *s, const ag_node *target, const ag_column *col)
{
    if (col->primary_key && s->u->need_keys)
        missing_key(s, target, col);
    else if (col->def.kind != AG_DEFAULT_NONE)
        default_value(s, target, col, &col->def, false);
    else if (col->server_default.kind != AG_SERVER_DEFAULT_NONE)
        server_made(s, col);
    else if (wants_default(s, col))
        push_column(s->c, &s->u->returning, col);
}

static void missing_in_update(const scan *s, const ag_node *target, const ag_column *col)
{
    if (col->onupdate.kind == AG_DEFAULT_SQL) {
        push(s->c, s->u, (ag_crud_item){AG_CRUD_SQL, target, col, col->onupdate.expr, 0});
        server_made(s, col);
    } else if (col->onupdate.kind != AG_DEFAULT_NONE && col->onupdate.kind != AG_DEFAULT_SEQUENCE) {
        push(s->c, s->u, (ag_crud_item){AG_CRUD_PREFETCH, target, col, NULL, 0});
    } else if (col->server_onupdate.kind != AG_SERVER_DEFAULT_NONE) {
        server_made(s, col);
    } else if (s->defaults.n && wants_default(s, col)) {
        push_column(s->c, &s->u->returning, col);
    }
}

/* A parameter of the call; NULL for a key that the database numbers gives a number. */
static void param_value(const scan *s, const ag_node *target, const ag_column *col)
{
    push(s->c, s->u, (ag_crud_item){AG_CRUD_PARAM, target, col, NULL, 0});
    if (col && s->u->lastrowid && s->c->d->null_key_numbers && col == s->table->autoincrement_column)
        s->u->keys_lastrowid = true;
}

/* A plain value of values(), which the call's own parameter of that name goes before. */
static bool replaceable(const scan *s, uint32_t i)
{
    const ag_node *owner = s->owner, *value = s->values.n ? ag_nlist_at(owner, s->values, i) : NULL;
    if (owner->kind == AG_K_INSERT && AG_AS(insert, INSERT, owner)->rows)
        return false;
    return value && value->kind == AG_K_BIND && (value->flags & AG_BIND_DML);
}

static void scan_column(const scan *s, const ag_node *target, const ag_column *col, ag_str key)
{
    int64_t given = find_given(s, col, key);
    if (given >= 0 && s->use_keys && has_key(s->c, key) && replaceable(s, (uint32_t)given))
        param_value(s, target, col);
    else if (given >= 0)
        given_value(s, target, col, (uint32_t)given);
    else if (s->use_keys && has_key(s->c, key))
        param_value(s, target, col);
    else if (col && s->u->update)
        missing_in_update(s, target, col);
    else if (col)
        missing_in_insert(s, target, col);
}

static void scan_clause(const scan *s, const ag_node *from)
{
    uint32_t n = ag_from_count(from);
    for (uint32_t i = 0; i < n && !s->c->failed; i++) {
        const ag_node *target = ag_from_colref(&s->c->b, from, i);
        if (!target) {
            ag_c_nomem(s->c);
            return;
        }
        scan_column(s, target, NULL, ag_expr_key(target));
    }
}

static void scan_columns(const scan *s, const ag_node *from)
{
    for (uint32_t i = 0; i < s->columns.n && !s->c->failed; i++) {
        const ag_node *target = ag_nlist_at(s->owner, s->columns, i);
        if (!ag_expr_is_column(target))
            given_value(s, target, NULL, i);
    }
    if (!s->table) {
        scan_clause(s, from);
        return;
    }
    for (uint32_t i = 0; i < s->table->ncolumns && !s->c->failed; i++) {
        const ag_column *col = s->table->columns[i];
        scan_column(s, col->node, col, col->key);
    }
}

/* Neither values nor keys: a parameter for every column. */
static void all_columns(const scan *s, const ag_node *from)
{
    uint32_t n = s->table ? s->table->ncolumns : ag_from_count(from);
    for (uint32_t i = 0; i < n && !s->c->failed; i++) {
        const ag_column *col = s->table ? s->table->columns[i] : NULL;
        const ag_node *target = col ? col->node : ag_from_colref(&s->c->b, from, i);
        if (!target)
            ag_c_nomem(s->c);
        else if (!col || (!col->system && !col->omitted && col->def.kind != AG_DEFAULT_SENTINEL))
            push(s->c, s->u, (ag_crud_item){AG_CRUD_PARAM, target, col, NULL, 0});
    }
}

static void returning_strategy(scan *s, const ag_n_insert *i)
{
    const ag_dialect *d = s->c->d;
    ag_crud *u = s->u;
    bool many = s->c->o->for_executemany;
    u->need_keys = s->top && s->table && !(i->node.flags & AG_DML_INLINE) &&
                   (!many || (d->returning_insert && s->return_defaults)) && !i->returning.n && !i->rows &&
                   !i->from_select;
    u->lastrowid = u->need_keys && d->lastrowid && s->table->autoincrement_column;
    u->implicit_returning = u->need_keys && d->returning_insert && s->table->implicit_returning &&
                            !(i->on_conflict && d->upsert_returns_inserted_only) &&
                            (!u->lastrowid || s->return_defaults);
    if (u->implicit_returning)
        u->lastrowid = false;
}

/* The rest of from_select: defaults of the columns that it does not name. */
static void from_select(scan *s, const ag_n_insert *i)
{
    for (uint32_t k = 0; k < i->columns.n && !s->c->failed; k++) {
        const ag_node *target = ag_nlist_at(i, i->columns, k);
        const ag_column *col =
            target->kind == AG_K_COLUMN ? s->table->columns[AG_AS(column, COLUMN, target)->index] : NULL;
        push(s->c, s->u, (ag_crud_item){AG_CRUD_VALUE, target, col, NULL, k});
    }
    for (uint32_t k = 0; s->table && !(i->node.flags & AG_DML_NO_DEFAULTS) && k < s->table->ncolumns && !s->c->failed;
         k++) {
        const ag_column *col = s->table->columns[k];
        if (find_given(s, col, col->key) < 0 && col->def.kind != AG_DEFAULT_NONE)
            default_value(s, col->node, col, &col->def, false);
    }
}

void ag_crud_insert(ag_compiler *c, ag_crud *u, const ag_n_insert *i, bool top)
{
    scan s = {.c = c,
              .u = u,
              .owner = i,
              .columns = i->columns,
              .values = i->values,
              .table = table_of(i->table),
              .top = top,
              .use_keys = top,
              .return_defaults = (i->node.flags & AG_DML_RETURN_DEFAULTS) != 0,
              .defaults = i->return_defaults};
    bool no_keys = !top || !c->o->column_keys;
    if (s.return_defaults && i->returning.n) {
        ag_c_fail(c, AG_EXC_COMPILE,
                  "Can't compile statement that includes returning() and return_defaults() simultaneously");
        return;
    }
    returning_strategy(&s, i);
    if (top && c->o->ncolumn_keys)
        check_keys(c, i->table, s.table);
    if (i->from_select)
        from_select(&s, i);
    else if (no_keys && !i->columns.n && !(i->node.flags & AG_DML_VALUES))
        all_columns(&s, i->table);
    else
        scan_columns(&s, i->table);
}

static void ordered(const scan *s)
{
    for (uint32_t i = 0; i < s->columns.n && !s->c->failed; i++) {
        const ag_node *target = ag_nlist_at(s->owner, s->columns, i);
        const ag_column *col =
            target->kind == AG_K_COLUMN ? s->table->columns[AG_AS(column, COLUMN, target)->index] : NULL;
        given_value(s, target, col, i);
    }
    for (uint32_t i = 0; s->table && i < s->table->ncolumns && !s->c->failed; i++) {
        const ag_column *col = s->table->columns[i];
        if (find_given(s, col, col->key) < 0)
            scan_column(s, col->node, col, col->key);
    }
}

void ag_crud_update(ag_compiler *c, ag_crud *u, const ag_n_update *s, bool top)
{
    scan k = {.c = c,
              .u = u,
              .owner = s,
              .columns = s->columns,
              .values = s->values,
              .table = table_of(s->table),
              .top = top,
              .use_keys = top,
              .return_defaults = (s->node.flags & AG_DML_RETURN_DEFAULTS) != 0,
              .defaults = s->return_defaults};
    u->update = true;
    u->implicit_returning = k.return_defaults && k.table && k.table->implicit_returning && c->d->returning_update;
    if (top && c->o->ncolumn_keys)
        check_keys(c, s->table, k.table);
    if ((!top || !c->o->column_keys) && !s->columns.n && !(s->node.flags & AG_DML_VALUES))
        all_columns(&k, s->table);
    else if (s->node.flags & AG_DML_ORDERED)
        ordered(&k);
    else
        scan_columns(&k, s->table);
}

/* ---- writing ---- */

static void prefetch(ag_compiler *c, ag_crud *u, const ag_crud_item *it)
{
    uint32_t bind = ag_c_param(c, it->column->key, it->column->type, it->column, AG_SOURCE_DEFAULT);
    ag_fetch_col f = {.column = it->column, .bind = bind, .is_update = u->update};
    if (c->failed)
        return;
    ag_c_write_param(c, bind, it->column->type);
    if (!ag_vec_push(&u->prefetch, f))
        ag_c_nomem(c);
}

void ag_crud_value(ag_compiler *c, ag_crud *u, const ag_crud_item *it, const ag_node *value)
{
    if (c->failed)
        return;
    switch (it->how) {
    case AG_CRUD_PARAM: {
        uint32_t bind = ag_c_param(c, ag_expr_key(it->target), it->target->type, it->column, AG_SOURCE_PARAMETER);
        ag_c_write_param(c, bind, it->target->type);
        return;
    }
    case AG_CRUD_PREFETCH: prefetch(c, u, it); return;
    default: break;
    }
    size_t before = c->binds.len;
    c->dml_value = ag_expr_is_column(it->target) ? value : NULL;
    if (value->kind == AG_K_BIND && value->type->id == AG_TYPE_NULL && !c->o->literal_binds)
        ag_c_write_untyped(c, value, it->target->type);
    else
        ag_c_visit_operand(c, value, AG_OP_NONE, c->o->literal_binds ? AG_KW_LITERAL : 0);
    c->dml_value = NULL;
    if (!c->failed && value->kind == AG_K_BIND && c->binds.len == before + 1)
        c->binds.items[before].column = it->column;
}

static const void *keep(ag_compiler *c, const void *p, size_t n, size_t size)
{
    const void *out = n && !c->failed ? ag_arena_memdup(c->ar, p, n * size) : NULL;
    if (n && !out)
        ag_c_nomem(c);
    return out;
}

void ag_crud_facts(ag_compiler *c, ag_crud *u)
{
    ag_dml_facts *d = c->dml;
    ag_columns cols;
    ag_vec_init(&cols, c->alloc);
    for (size_t i = 0; i < u->items.len; i++) {
        if (!ag_vec_push(&cols, u->items.items[i].column))
            ag_c_nomem(c);
    }
    d->insert_columns = keep(c, cols.items, cols.len, sizeof *cols.items);
    d->ninsert_columns = (uint32_t)cols.len;
    ag_vec_clear(&cols);
    d->prefetch = keep(c, u->prefetch.items, u->prefetch.len, sizeof *u->prefetch.items);
    d->nprefetch = (uint32_t)u->prefetch.len;
    d->postfetch = keep(c, u->postfetch.items, u->postfetch.len, sizeof *u->postfetch.items);
    d->npostfetch = (uint32_t)u->postfetch.len;
    d->implicit_returning = keep(c, u->returning.items, u->returning.len, sizeof *u->returning.items);
    d->nimplicit_returning = (uint32_t)u->returning.len;
    d->lastrowid = u->keys_lastrowid;
}

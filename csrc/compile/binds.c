/* Binds: from nodes to numbered placeholders. */
#include "compile/compiler.h"

#include <string.h>

void ag_c_mark(ag_compiler *c, char letter, uint32_t number)
{
    char m[AG_MARK_LEN] = {AG_MARK, letter};
    memcpy(m + 2, &number, sizeof number);
    ag_buf_add(&c->out, m, sizeof m);
}

void ag_c_mark2(ag_compiler *c, uint32_t bind, uint32_t member)
{
    ag_c_mark(c, AG_MARK_MEMBER, bind);
    ag_c_mark(c, AG_MARK_MEMBER2, member);
}

static void index_tree(ag_compiler *c)
{
    c->bind_index_built = true;
    for (size_t i = 0; i < c->tree_binds->len; i++) {
        bool added;
        ag_map_entry *e = ag_map_put_u64(&c->bind_index, (uint64_t)(uintptr_t)c->tree_binds->items[i], &added);
        if (!e) {
            ag_c_nomem(c);
            return;
        }
        if (added)
            e->v.u = i;
    }
}

/* Index in the tree's binds, or -1 for a bind that is not of the tree (a column's default). A compile hook's copy of one, of another type
 * perhaps, stands for it: its value is that of each execution, not of the compilation. */
static int64_t tree_index(ag_compiler *c, const ag_n_bind *n)
{
    const ag_n_bind *const *binds = (const ag_n_bind *const *)c->tree_binds->items;
    if (c->tree_binds->len <= 8) {
        for (size_t i = 0; i < c->tree_binds->len; i++) {
            if (binds[i] == n)
                return (int64_t)i;
        }
    } else {
        if (!c->bind_index_built)
            index_tree(c);
        ag_map_entry *e = ag_map_find_u64(&c->bind_index, (uint64_t)(uintptr_t)n);
        if (e)
            return e->v.i;
    }
    for (size_t i = 0; n->serial && i < c->tree_binds->len; i++) {
        if (binds[i]->serial == n->serial)
            return (int64_t)i;
    }
    return -1;
}

static uint32_t add_bind(ag_compiler *c, const ag_compiled_bind *b)
{
    bool added;
    ag_map_entry *e = ag_map_put(&c->bind_names, b->name.p, b->name.n, &added);
    if (!e || !ag_vec_push(&c->binds, *b))
        return ag_c_nomem(c), UINT32_MAX;
    e->v.u = c->binds.len - 1;
    return (uint32_t)(c->binds.len - 1);
}

static ag_str keep_name(ag_compiler *c, ag_str s)
{
    ag_str out = {ag_arena_strndup(c->ar, s.p, s.n), s.n};
    if (!out.p)
        ag_c_nomem(c);
    return out;
}

/* An earlier bind of the same name: usable, or in conflict. */
static bool reusable(ag_compiler *c, const ag_compiled_bind *old, const ag_n_bind *n, ag_str name)
{
    bool unique = ((old->flags | n->node.flags) & AG_BIND_UNIQUE) != 0;
    if (unique) {
        ag_c_fail(c, AG_EXC_COMPILE, "Bind parameter '%.*s' conflicts with unique bind parameter of the same name",
                  (int)name.n, name.p);
        return false;
    }
    if (((old->flags ^ n->node.flags) & AG_BIND_EXPANDING) != 0) {
        ag_c_fail(c, AG_EXC_COMPILE,
                  "Can't reuse bound parameter name '%.*s' in both 'expanding' (e.g. within an IN expression) and "
                  "non-expanding "
                  "contexts",
                  (int)name.n, name.p);
        return false;
    }
    if (old->column && c->dml && c->dml_stmt == c->stmt && !(n->node.flags & AG_BIND_DML)) {
        ag_c_fail(
            c, AG_EXC_COMPILE,
            "bindparam() name '%.*s' is reserved for automatic usage in the VALUES or SET clause of this insert/update "
            "statement.   Please use a name other than column name when using bindparam() with insert() or update() "
            "(for "
            "example, 'b_%.*s').",
            (int)name.n, name.p, (int)name.n, name.p);
        return false;
    }
    return true;
}

/* Was its type only guessed from a value, as a text or a float? */
static bool is_guess(const ag_n_bind *n)
{
    unsigned flags = n->node.flags;
    if (!(flags & AG_BIND_UNIQUE) || (flags & (AG_BIND_TYPED | AG_BIND_EXPANDING | AG_BIND_DML | AG_BIND_JSON_PATH)))
        return false;
    return n->node.type == ag_type_plain(AG_TYPE_STRING) || n->node.type == ag_type_plain(AG_TYPE_DOUBLE);
}

/* Where b's value comes from: n, the last of those of that name that has one (as in SQLAlchemy). */
static bool take_value(ag_compiler *c, ag_compiled_bind *b, const ag_n_bind *n)
{
    int64_t index = tree_index(c, n);
    b->flags = n->node.flags & AG_NF_KIND;
    b->source = index < 0 ? AG_SOURCE_CONSTANT : AG_SOURCE_TREE;
    b->index = index < 0 ? 0 : (uint32_t)index;
    b->node = NULL;
    if (index >= 0)
        return true;
    ag_value v;
    ag_nval_get(&v, n, &n->value);
    b->node = n->callable || n->values.n ? &n->node : NULL;
    return ag_c_ok(c, ag_value_copy(&b->value, &v, c->ar, c->err));
}

static uint32_t new_bind(ag_compiler *c, const ag_n_bind *n, ag_str name)
{
    ag_compiled_bind b = {.name = keep_name(c, name),
                          .type = n->node.type,
                          .row = c->dml_row,
                          .tuple_width = n->tuple_width,
                          .unresolved = c->d->takes_any && is_guess(n),
                          .nmembers = n->values.n};
    if (!b.name.p)
        return UINT32_MAX;
    if (n->tuple_width && n->types.n == n->tuple_width) {
        const ag_type **types = ag_arena_new(c->ar, n->tuple_width * sizeof *types);
        if (!types)
            return ag_c_nomem(c), UINT32_MAX;
        for (uint32_t i = 0; i < n->tuple_width; i++)
            types[i] = ag_ntypes_at(n, n->types, i);
        b.types = types;
    }
    return take_value(c, &b, n) ? add_bind(c, &b) : UINT32_MAX;
}

/* "name_m1": the value of one row of multi-values. */
static ag_str row_name(ag_compiler *c, ag_str key)
{
    ag_buf_reset(&c->scratch);
    ag_buf_add(&c->scratch, key.p, key.n);
    ag_buf_printf(&c->scratch, "_m%u", c->dml_row - 1);
    ag_str s = {ag_buf_ok(&c->scratch) ? ag_arena_strndup(&c->tmp, c->scratch.data, c->scratch.len) : NULL,
                c->scratch.len};
    if (!s.p)
        return ag_c_nomem(c), (ag_str){"", 0};
    return s;
}

/* A value of values(): called as its column, or "column_m0" in the first of several rows; elsewhere, and where that name is taken, numbered. */
static ag_str value_name(ag_compiler *c, const ag_n_bind *n, ag_str key)
{
    if ((n->node.flags & AG_BIND_DML) && c->dml_value == &n->node && c->dml_stmt == c->stmt) {
        ag_str name = c->dml_row ? row_name(c, key) : key;
        if (c->failed || !ag_map_find(&c->bind_names, name.p, name.n))
            return name;
    }
    return ag_c_anon(c, key, (uint64_t)(uintptr_t)n);
}

uint32_t ag_c_bind(ag_compiler *c, const ag_n_bind *n)
{
    bool added;
    if (c->failed)
        return UINT32_MAX;
    ag_map_entry *known = ag_map_put_u64(&c->bind_nodes, (uint64_t)(uintptr_t)n, &added);
    if (!known)
        return ag_c_nomem(c), UINT32_MAX;
    if (!added)
        return (uint32_t)known->v.u;
    known->v.u = UINT32_MAX;
    ag_str key = ag_nstr_get(n, n->key), name = key;
    if ((n->node.flags & AG_BIND_UNIQUE) || ((n->node.flags & AG_BIND_DML) && c->dml_stmt != c->stmt))
        name = value_name(c, n, key);
    else if ((n->node.flags & AG_BIND_DML) && c->dml_row)
        name = row_name(c, key);
    if (c->failed)
        return UINT32_MAX;
    ag_map_entry *same = ag_map_find(&c->bind_names, name.p, name.n);
    uint32_t i;
    if (same) {
        ag_compiled_bind *old = &c->binds.items[same->v.u];
        bool ok = reusable(c, old, n, name);
        if (ok && !(n->node.flags & (AG_BIND_REQUIRED | AG_BIND_EXPANDING)) && !old->tuple_width)
            ok = take_value(c, old, n);
        i = ok ? (uint32_t)same->v.u : UINT32_MAX;
    } else {
        i = new_bind(c, n, name);
    }
    known = ag_map_find_u64(&c->bind_nodes, (uint64_t)(uintptr_t)n);
    known->v.u = i;
    return i;
}

void ag_c_resolve(ag_compiler *c, const ag_node *n)
{
    bool bind = !c->failed && n->kind == AG_K_BIND;
    const ag_map_entry *e = bind ? ag_map_find_u64(&c->bind_nodes, (uint64_t)(uintptr_t)n) : NULL;
    if (e && e->v.u < c->binds.len)
        c->binds.items[e->v.u].unresolved = false;
}

uint32_t ag_c_param(ag_compiler *c, ag_str name, const ag_type *type, const ag_column *column, ag_bind_source source)
{
    if (c->failed)
        return UINT32_MAX;
    if (c->dml_row)
        name = row_name(c, name);
    if (c->failed)
        return UINT32_MAX;
    ag_compiled_bind b = {.name = keep_name(c, name),
                          .type = type,
                          .column = column,
                          .source = source,
                          .row = c->dml_row,
                          .flags = AG_BIND_REQUIRED};
    if (!b.name.p)
        return UINT32_MAX;
    ag_map_entry *same = ag_map_find(&c->bind_names, name.p, name.n);
    if (!same)
        return add_bind(c, &b);
    ag_compiled_bind *old = &c->binds.items[same->v.u];
    if (old->source == source && old->column == column)
        return (uint32_t)same->v.u;
    ag_c_fail(c, AG_EXC_COMPILE,
              "bindparam() name '%.*s' is reserved for automatic usage in the VALUES or SET clause of this "
              "insert/update statement.  "
              " Please use a name other than column name when using bindparam() with insert() or update() (for "
              "example, 'b_%.*s').",
              (int)name.n, name.p, (int)name.n, name.p);
    return UINT32_MAX;
}

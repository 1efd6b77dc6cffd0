/* Compile hooks: what Lua writes in a construct's place. argent.custom (Lua) knows the hooks; here the compiler's question is handed
 * to it, and its answer, texts and constructs, becomes a SPLICE.
 *
 * A hook sees nodes of the compilation under way, which may live in its arena: their boxes are lent. They, and all that is built
 * upon them, end with the compilation (agl_node_at raises then), so that nothing in Lua can outlive what it points to. */
#include "binding/lua_custom.h"
#include "binding/host.h"
#include "binding/lua_compile_host.h"
#include "binding/lua_schema.h"
#include "sql/func.h"
#include "sql/select.h"
#include <string.h>

static const char find_key = 0, run_key = 0, lent_key = 0;

/* ---- lent boxes ---- */

/* Anchor the value at the top in the list of the innermost compilation. */
void agl_keep_lent(lua_State *L, agl_state *st)
{
    luaL_checkstack(L, 4, NULL);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &lent_key);
    lua_rawgeti(L, -1, (lua_Integer)st->compiles);
    lua_pushvalue(L, -3);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 2);
}

void agl_node_borrow(lua_State *L, agl_state *st)
{
    agl_node *p = lua_touserdata(L, -1);
    agl_keep_lent(L, st);
    if (!ag_vec_push(&st->lent, ((agl_lent){p, st->compiles}))) {
        p->node = NULL;
        p->box.flags |= AGL_NODE_BORROWED;
        agl_error(L, AG_EXC_MEMORY, "out of memory");
    }
    p->box.flags |= AGL_NODE_BORROWED;
}

void agl_push_borrowed(lua_State *L, agl_state *st, const ag_node *n)
{
    if (agl_schema_push_node(L, n))
        return;
    agl_node *p = agl_box_new(L, agl_node_kind(n), sizeof *p, 1);
    p->node = n;
    agl_node_borrow(L, st);
}

static int began_body(lua_State *L)
{
    agl_state *st = lua_touserdata(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &lent_key);
    lua_newtable(L);
    lua_rawseti(L, -2, (lua_Integer)st->compiles + 1);
    return 0;
}

static ag_status host_began(ag_compile_host *base, ag_error *err)
{
    agl_state *st = ((agl_compile_host *)base)->st;
    AG_TRY(agl_hook_run(st, began_body, st, err));
    st->compiles++;
    return AG_OK;
}

static void host_ended(ag_compile_host *base)
{
    agl_state *st = ((agl_compile_host *)base)->st;
    lua_State *L = st->L;
    while (st->lent.len && st->lent.items[st->lent.len - 1].depth == st->compiles)
        ((agl_node *)st->lent.items[--st->lent.len].box)->node = NULL;
    if (lua_checkstack(L, 3)) { /* else the list is replaced by the next compilation of this depth */
        lua_rawgetp(L, LUA_REGISTRYINDEX, &lent_key);
        lua_pushboolean(L, 0);
        lua_rawseti(L, -2, (lua_Integer)st->compiles);
        lua_pop(L, 1);
    }
    st->compiles--;
}

/* ---- a construct as a table ---- */

static void push_nodes(lua_State *L, agl_state *st, const ag_node *n, ag_nlist l)
{
    lua_createtable(L, (int)l.n, 0);
    for (uint32_t i = 0; i < l.n; i++) {
        agl_push_borrowed(L, st, ag_nlist_at(n, l, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_string(lua_State *L, ag_str s)
{
    if (s.p)
        lua_pushlstring(L, s.p, s.n);
    else
        lua_pushnil(L);
}

static void push_strings(lua_State *L, const ag_node *n, ag_nlist l)
{
    lua_createtable(L, (int)l.n, 0);
    for (uint32_t i = 0; i < l.n; i++) {
        push_string(L, ag_nstrs_at(n, l, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* Push one field of a node; false: nothing that Lua could use. */
static bool push_field(lua_State *L, agl_state *st, const ag_node *n, const ag_field *f)
{
    const char *at = (const char *)n + f->offset;
    const ag_node *child;
    const void *object;
    switch ((ag_field_kind)f->kind) {
    case AG_FIELD_CHILD:
    case AG_FIELD_OPT:
        memcpy(&child, at, sizeof child);
        if (!child)
            return false;
        agl_push_borrowed(L, st, child);
        return true;
    case AG_FIELD_LIST: push_nodes(L, st, n, *(const ag_nlist *)(const void *)at); return true;
    case AG_FIELD_STR:
        push_string(L, ag_nstr_get(n, *(const ag_nstr *)(const void *)at));
        return !lua_isnil(L, -1) || (lua_pop(L, 1), false);
    case AG_FIELD_STRS: push_strings(L, n, *(const ag_nlist *)(const void *)at); return true;
    case AG_FIELD_INT: lua_pushinteger(L, *(const uint32_t *)(const void *)at); return true;
    case AG_FIELD_I64: lua_pushinteger(L, *(const int64_t *)(const void *)at); return true;
    case AG_FIELD_OBJ: memcpy(&object, at, sizeof object); return object && agl_schema_push(L, object);
    default: return false;
    }
}

/* {element = the box, kind = "cast", type =, operator =, and the fields of nodes.def} */
static void push_element(lua_State *L, agl_state *st, const ag_node *n)
{
    luaL_checkstack(L, 10, NULL);
    lua_createtable(L, 0, 8);
    agl_push_borrowed(L, st, n);
    lua_setfield(L, -2, "element");
    lua_pushstring(L, ag_kind_get(n->kind)->name);
    lua_setfield(L, -2, "kind");
    if (n->type) {
        agl_push_type(L, n->type);
        lua_setfield(L, -2, "type");
    }
    lua_newtable(L); /* _absent: names that are known, but have nothing here */
    lua_insert(L, -2);
    for (const ag_field *f = ag_kind_get(n->kind)->fields; f->kind != AG_FIELD_END; f++) {
        bool there = push_field(L, st, n, f);
        if (!there)
            lua_pushboolean(L, 1);
        lua_setfield(L, there ? -2 : -3, f->name);
    }
    lua_insert(L, -2);
    lua_setfield(L, -2, "_absent");
    if (n->op != AG_OP_NONE) {
        lua_pushstring(L, ag_op_get((ag_op_id)n->op)->name);
        lua_setfield(L, -2, "operator");
    }
}

static void push_limits(lua_State *L, agl_state *st, const ag_limits *l)
{
    const ag_node *const nodes[] = {l->limit, l->offset, l->fetch};
    static const char *const names[] = {"limit", "offset", "fetch"};
    lua_createtable(L, 0, 7);
    lua_newtable(L); /* _absent */
    for (int i = 0; i < 3; i++) {
        if (nodes[i])
            agl_push_borrowed(L, st, nodes[i]);
        else
            lua_pushboolean(L, 1);
        lua_setfield(L, nodes[i] ? -3 : -2, names[i]);
    }
    lua_setfield(L, -2, "_absent");
    lua_pushliteral(L, "limit");
    lua_setfield(L, -2, "kind");
    lua_pushboolean(L, l->flags & AG_FETCH_TIES);
    lua_setfield(L, -2, "with_ties");
    lua_pushboolean(L, l->flags & AG_FETCH_PERCENT);
    lua_setfield(L, -2, "percent");
}

/* ---- asking ---- */

typedef struct question {
    agl_state *st;
    const ag_node *node;
    const ag_limits *limits;
    const ag_dialect *d;
    ag_builder *b;
    const ag_node *out;
    const ag_type *type; /* of type_text */
    ag_str text;
    ag_arena *ar;
} question;

static void push_dialect_names(lua_State *L, const question *q)
{
    const ag_dialect *base = agl_dialect_base(q->st, q->d);
    lua_pushstring(L, q->d->name);
    if (base)
        lua_pushstring(L, base->name);
    else
        lua_pushnil(L);
}

/* find(dialect, base, kind, class, name) → hook, class table; both stay on the stack. */
static bool find_hook(lua_State *L, const question *q)
{
    const ag_node *n = q->node;
    int64_t cls = 0;
    ag_str name = {0};
    lua_rawgetp(L, LUA_REGISTRYINDEX, &find_key);
    push_dialect_names(L, q);
    lua_pushstring(L, q->limits ? "limit" : ag_kind_get(n->kind)->name);
    if (n->kind == AG_K_CUSTOM) {
        cls = AG_AS(custom, CUSTOM, n)->class_id;
    } else if (n->kind == AG_K_FUNC) {
        uint32_t id = AG_AS(func, FUNC, n)->id;
        cls = id >= AG_FUNC_CUSTOM ? id - AG_FUNC_CUSTOM : 0;
        name = ag_nstr_get(n, AG_AS(func, FUNC, n)->name);
    } else if (n->op != AG_OP_NONE) {
        name.p = ag_op_get((ag_op_id)n->op)->name;
        name.n = strlen(name.p);
    }
    lua_pushinteger(L, cls);
    push_string(L, name);
    lua_call(L, 5, 2);
    return lua_toboolean(L, -2);
}

/* The lists of texts and items on the stack as a SPLICE. */
static const ag_node *make_splice(lua_State *L, const question *q, int texts, int items)
{
    size_t n = lua_rawlen(L, items);
    ag_str *t = ag_arena_new(q->b->arena, (n + 1) * sizeof *t);
    const ag_node **nodes = ag_arena_new(q->b->arena, (n + 1) * sizeof *nodes);
    if (!t || !nodes)
        agl_error(L, AG_EXC_MEMORY, "out of memory");
    for (size_t i = 0; i <= n; i++) {
        lua_rawgeti(L, texts, (lua_Integer)i + 1);
        t[i].p = lua_tolstring(L, -1, &t[i].n); /* the list keeps it */
        lua_pop(L, 1);
        if (i == n)
            break;
        bool as_usual = lua_rawgeti(L, items, (lua_Integer)i + 1) == LUA_TTABLE;
        if (as_usual)
            lua_rawgeti(L, -1, 1);
        nodes[i] = agl_node_at(L, -1);
        if (nodes[i] && as_usual)
            nodes[i] = ag_as_usual(q->b, nodes[i]);
        if (!nodes[i])
            agl_raise(L, q->b->err);
        lua_pop(L, as_usual ? 2 : 1);
    }
    if (n == 1 && !t[0].n && !t[1].n)
        return nodes[0];
    const ag_node *out = ag_splice(q->b, t, nodes, n, q->node->type);
    if (!out)
        agl_raise(L, q->b->err);
    return out;
}

static int construct_body(lua_State *L)
{
    question *q = lua_touserdata(L, 1);
    if (!find_hook(L, q))
        return 0;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &run_key); /* run(hook, class, dialect, base, element) → texts, items */
    lua_insert(L, -3);
    push_dialect_names(L, q);
    if (q->limits)
        push_limits(L, q->st, q->limits);
    else
        push_element(L, q->st, q->node);
    lua_call(L, 5, 2);
    int items = lua_gettop(L);
    lua_pushvalue(L, items);
    agl_keep_lent(L, q->st);
    q->out = make_splice(L, q, items - 1, items);
    return 0;
}

static ag_status host_construct(ag_compile_host *base, const ag_node *node, const ag_limits *limits,
                                const ag_dialect *d, ag_builder *b, const ag_node **out, ag_error *err)
{
    agl_state *st = ((agl_compile_host *)base)->st;
    question q = {.st = st, .node = node, .limits = limits, .d = d, .b = b};
    *out = NULL;
    AG_TRY(agl_hook_run(st, construct_body, &q, err));
    *out = q.out;
    return AG_OK;
}

static int type_body(lua_State *L)
{
    question *q = lua_touserdata(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &find_key);
    push_dialect_names(L, q);
    lua_pushliteral(L, "type");
    lua_pushinteger(L, q->type->host);
    lua_pushstring(L, ag_type_lua_name(q->type));
    lua_call(L, 5, 1);
    if (!lua_toboolean(L, -1))
        return 0;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &run_key);
    lua_insert(L, -2);
    lua_pushnil(L);
    push_dialect_names(L, q);
    agl_push_type(L, q->type);
    lua_call(L, 5, 1);
    size_t n;
    const char *s = lua_tolstring(L, -1, &n);
    char *copy = ag_arena_strndup(q->ar, s, n);
    if (!copy)
        agl_error(L, AG_EXC_MEMORY, "out of memory");
    q->text = (ag_str){copy, n};
    return 0;
}

static ag_status host_type_text(ag_compile_host *base, const ag_type *type, const ag_dialect *d, ag_str *out,
                                ag_arena *ar, ag_error *err)
{
    agl_state *st = ((agl_compile_host *)base)->st;
    question q = {.st = st, .type = type, .d = d, .ar = ar};
    AG_TRY(agl_hook_run(st, type_body, &q, err));
    *out = q.text;
    return AG_OK;
}

/* ---- functions for argent.custom ---- */

/* compile_hooks(find, run) */
static int compile_hooks(lua_State *L)
{
    lua_settop(L, 2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &run_key);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &find_key);
    return 0;
}

/* compile_override(kind): this kind ("cast", "type") has a hook, in whatever dialect. False: there is no such kind. */
static int compile_override(lua_State *L)
{
    agl_state *st = agl_state_get(L);
    const char *name = agl_check_string(L, 1, NULL);
    bool known = strcmp(name, "type") == 0 || strcmp(name, "custom") == 0;
    st->overrides.types |= strcmp(name, "type") == 0;
    for (unsigned k = 1; k < AG_K_COUNT && !known; k++) {
        if (strcmp(ag_kind_get(k)->name, name) != 0)
            continue;
        known = true;
        st->overrides.kinds[k >> 6] |= (uint64_t)1 << (k & 63);
    }
    st->overrides.generation++;
    lua_pushboolean(L, known);
    return 1;
}

/* is_kind(name): a construct of nodes.def? */
static int is_kind(lua_State *L)
{
    const char *name = agl_check_string(L, 1, NULL);
    bool known = false;
    for (unsigned k = 1; k < AG_K_COUNT; k++)
        known |= strcmp(ag_kind_get(k)->name, name) == 0;
    lua_pushboolean(L, known);
    return 1;
}

static const ag_type *type_or_null(lua_State *L, int idx)
{
    return lua_isnil(L, idx) ? NULL : agl_check_type(L, idx, idx);
}

/* custom_new(class, flags, identity, type|nil, holder|nil, children) */
static int custom_new(lua_State *L)
{
    lua_settop(L, 6);
    int64_t cls = agl_check_integer(L, 1, 1, INT32_MAX);
    unsigned flags = (unsigned)agl_check_integer(L, 2, 0, AG_NF_KIND);
    ag_str identity = agl_check_str(L, 3);
    const ag_type *type = type_or_null(L, 4);
    int64_t host = lua_isnil(L, 5) ? 0 : agl_hostvalue_id(L, 5);
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 5);
    agl_list children = agl_build_table(&x, 6, 6, agl_conv_node);
    return agl_build_push(&x, ag_custom(x.b, cls, host, identity, children.items, children.n, type, flags));
}

/* custom_holder(element box) → the table given to custom_new, or nil */
static int custom_holder(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    if (n && n->kind == AG_K_CUSTOM)
        agl_hostvalue_push(L, AG_AS(custom, CUSTOM, n)->host);
    else
        lua_pushnil(L);
    return 1;
}

/* The extensions that a statement has; NULL: it takes none. */
static const ag_nlist *extensions_of(const ag_node *n)
{
    switch (n->kind) {
    case AG_K_SELECT: return &AG_AS(select, SELECT, n)->extensions;
    case AG_K_INSERT: return &AG_AS(insert, INSERT, n)->extensions;
    case AG_K_UPDATE: return &AG_AS(update, UPDATE, n)->extensions;
    case AG_K_DELETE: return &AG_AS(delete, DELETE, n)->extensions;
    default: return NULL;
    }
}

static ag_ext_point check_point(lua_State *L, const ag_node *stmt, int arg)
{
    static const char *const points[] = {"post_select", "pre_columns", "post_criteria", "post_body", NULL};
    const char *name = agl_check_string(L, arg, NULL);
    if (stmt->kind == AG_K_INSERT && strcmp(name, "post_values") == 0)
        return AG_EXT_POST_VALUES;
    if ((stmt->kind == AG_K_UPDATE || stmt->kind == AG_K_DELETE) && strcmp(name, "post_criteria") == 0)
        return AG_EXT_POST_CRITERIA_DML;
    for (unsigned i = 0; points[i] && stmt->kind == AG_K_SELECT; i++)
        if (strcmp(points[i], name) == 0)
            return (ag_ext_point)(AG_EXT_POST_SELECT + i);
    agl_unknown(L, AG_EXC_ARGUMENT, "syntax extension point", name,
                stmt->kind == AG_K_SELECT   ? points
                : stmt->kind == AG_K_INSERT ? (const char *const[]){"post_values", NULL}
                                            : (const char *const[]){"post_criteria", NULL});
    return AG_EXT_POST_SELECT;
}

static bool same_class(const ag_node *extension, const ag_node *custom, ag_ext_point point)
{
    const ag_n_extension *e = AG_AS(extension, EXTENSION, extension);
    return e->point == (uint32_t)point && e->element->kind == AG_K_CUSTOM &&
           AG_AS(custom, CUSTOM, e->element)->class_id == AG_AS(custom, CUSTOM, custom)->class_id;
}

/* stmt_extend(stmt, extension, point, replace) → statement; replace: others of its class at this point go. */
static int stmt_extend(lua_State *L)
{
    lua_settop(L, 4);
    const ag_node *stmt = agl_node_at(L, 1), *element = agl_node_at(L, 2);
    const ag_nlist *old = stmt ? extensions_of(stmt) : NULL;
    if (!old)
        return agl_typeerror(L, 1, "a SELECT, INSERT, UPDATE or DELETE");
    if (!element || element->kind != AG_K_CUSTOM)
        return agl_typeerror(L, 2, "a syntax extension");
    ag_ext_point point = check_point(L, stmt, 3);
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    agl_build_anchor(&x, 2);
    const ag_node **items = agl_build_scratch(&x, (old->n + 1) * sizeof *items);
    size_t n = 0;
    for (uint32_t i = 0; i < old->n; i++) {
        const ag_node *e = ag_nlist_at(stmt, *old, i);
        if (!lua_toboolean(L, 4) || !same_class(e, element, point))
            items[n++] = e;
    }
    items[n] = ag_extension(x.b, element, point);
    if (!items[n++])
        return agl_build_raise(&x);
    return agl_build_push(&x, ag_stmt_add(x.b, stmt, AG_CL_EXTENSION, items, n, false));
}

/* select_distinct_on(select, expression …) → select; refused by the compiler where there is no DISTINCT ON. */
static int select_distinct_on(lua_State *L)
{
    int top = lua_gettop(L);
    const ag_node *stmt = agl_node_at(L, 1);
    if (!stmt || stmt->kind != AG_K_SELECT)
        return agl_typeerror(L, 1, "a SELECT");
    agl_build x = agl_build_begin(L);
    agl_build_anchor(&x, 1);
    agl_list l = agl_build_args(&x, 2, top, agl_conv_named);
    return agl_build_push(&x, ag_select_distinct_on(x.b, stmt, l.items, l.n));
}

/* custom_class(node) → number of its class, or nil */
static int custom_class(lua_State *L)
{
    const ag_node *n = agl_node_at(L, 1);
    if (n && n->kind == AG_K_CUSTOM)
        lua_pushinteger(L, AG_AS(custom, CUSTOM, n)->class_id);
    else
        lua_pushnil(L);
    return 1;
}

/* is_node(v): an SQL construct? */
static int is_node(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, agl_node_at(L, 1) != NULL);
    return 1;
}

/* quote_name(dialect, name), type_sql(dialect, type): for hooks that write text. */
static int quote_name(lua_State *L)
{
    const ag_dialect *d = agl_dialect_at(L, 1);
    ag_str name = agl_check_str(L, 2);
    agl_scope *s = agl_scope_open(L);
    agl_scope_must(L, s, ag_quote_identifier(&s->buf, d ? d : ag_dialect_ansi(), name, -1, &s->err));
    agl_scope_push_buf(L, s);
    return 1;
}
static int type_sql(lua_State *L)
{
    const ag_dialect *d = agl_dialect_at(L, 1);
    const ag_type *t = agl_check_type(L, 2, 2);
    agl_state *st = agl_state_get(L);
    agl_scope *s = agl_scope_open(L);
    agl_scope_must(
        L, s,
        ag_type_sql(&s->buf, d ? d : ag_dialect_ansi(), t, &agl_compile_host_for(L, NULL)->base, &st->alloc, &s->err));
    agl_scope_push_buf(L, s);
    return 1;
}

/* type:compile([dialect]), type:compile{dialect = …}: how the type is written in DDL */
int agl_type_compile(lua_State *L)
{
    static const char *const known[] = {"dialect", NULL};
    agl_check_args(L, 2);
    (void)agl_check_type(L, 1, 1);
    if (agl_is_plain_table(L, 2) && agl_check_options(L, 2, known)) {
        agl_opt_push(L, 2, "dialect");
        lua_replace(L, 2);
    }
    if (!lua_isnil(L, 2) && !agl_dialect_at(L, 2))
        return agl_typeerror(L, 2, "a dialect or its name");
    lua_insert(L, 1);
    return type_sql(L);
}

/* type_identity(type) → name, host number */
static int type_identity(lua_State *L)
{
    const ag_type *t = agl_check_type(L, 1, 1);
    lua_pushstring(L, ag_type_lua_name(t));
    lua_pushinteger(L, t->host);
    return 2;
}

static const luaL_Reg functions[] = {{"compile_hooks", compile_hooks},
                                     {"compile_override", compile_override},
                                     {"stmt_extend", stmt_extend},
                                     {"select_distinct_on", select_distinct_on},
                                     {"custom_class", custom_class},
                                     {"custom_new", custom_new},
                                     {"custom_holder", custom_holder},
                                     {"is_node", is_node},
                                     {"is_kind", is_kind},
                                     {"quote_name", quote_name},
                                     {"type_sql", type_sql},
                                     {"type_identity", type_identity},
                                     {NULL, NULL}};

void agl_open_custom(lua_State *L)
{
    agl_state *st = agl_state_get(L);
    ag_vec_init(&st->lent, &st->alloc);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &lent_key);
    ag_compile_host hooks = {.overrides = &st->overrides,
                             .construct = host_construct,
                             .began = host_began,
                             .ended = host_ended,
                             .type_text = host_type_text};
    agl_compile_host_set(L, &hooks);
    agl_functions_internal(L, functions);
}

/* The compiler's life and the dispatch of visitors. */
#include "compile/compiler.h"

#include "compile/visitors.h"

#include <string.h>

void ag_c_nomem(ag_compiler *c)
{
    if (!c->failed)
        c->status = ag_fail_nomem(c->err);
    c->failed = true;
}

bool ag_c_ok(ag_compiler *c, ag_status st)
{
    if (st != AG_OK && !c->failed) {
        c->failed = true;
        c->status = st;
    }
    return st == AG_OK && !c->failed;
}

void ag_c_fail(ag_compiler *c, ag_exc cls, const char *fmt, ...)
{
    if (c->failed)
        return;
    va_list ap;
    va_start(ap, fmt);
    c->status = ag_failv(c->err, cls, fmt, ap);
    va_end(ap);
    c->failed = true;
}

ag_str ag_c_cut(ag_compiler *c, size_t at)
{
    if (c->failed || !ag_buf_ok(&c->out) || at > c->out.len)
        return (ag_str){"", 0};
    size_t n = c->out.len - at;
    char *p = ag_arena_strndup(&c->tmp, n ? c->out.data + at : "", n);
    if (!p)
        return ag_c_nomem(c), (ag_str){"", 0};
    ag_buf_truncate(&c->out, at);
    return (ag_str){p, n};
}

/* A construct without a visitor does not link. */
static const ag_visit_fn ansi[AG_K_COUNT] = {
#define AG_NODE(KIND, name, CLASS) [AG_K_##KIND] = ag_visit_##name,
#include "sql/nodes.def"
};

void ag_c_visit(ag_compiler *c, const ag_node *n, unsigned k)
{
    if (c->failed)
        return;
    if (++c->depth > AG_DEPTH_MAX * 2) {
        ag_c_fail(c, AG_EXC_COMPILE, "a statement nested more than %u levels deep cannot be compiled", AG_DEPTH_MAX);
        return;
    }
    bool asks =
        c->host && (ag_overrides_has(c->host->overrides, n->kind) || ag_overrides_has(c->d->overrides, n->kind));
    if (!asks || !ag_c_visit_hooked(c, n, k)) {
        ag_visit_fn fn = c->d->visit[n->kind];
        (fn ? fn : ansi[n->kind])(c, n, k);
    }
    c->depth--;
}

/* ---- life ---- */

static void *watched(void *ud, void *ptr, size_t size)
{
    ag_compiler *c = ud;
    void *p = c->real->realloc(c->real->ud, ptr, size);
    c->oom |= !p && size;
    return p;
}

static void compiler_init(ag_compiler *c, const ag_alloc *alloc)
{
    c->real = alloc;
    c->watch = (ag_alloc){watched, c};
    c->alloc = &c->watch;
    ag_buf_init(&c->out, c->alloc);
    ag_buf_init(&c->scratch, c->alloc);
    ag_arena_init(&c->tmp, c->alloc);
    ag_builder_init(&c->b, c->alloc, c->o->types, c->err);
    c->b.arena = &c->tmp;
    ag_map_init(&c->anon, c->alloc);
    ag_map_init(&c->counters, c->alloc);
    ag_map_init(&c->truncated, c->alloc);
    ag_map_init(&c->bind_index, c->alloc);
    ag_map_init(&c->bind_names, c->alloc);
    ag_map_init(&c->bind_nodes, c->alloc);
    ag_vec_init(&c->binds, c->alloc);
    ag_vec_init(&c->columns, c->alloc);
    ag_vec_init(&c->ctes, c->alloc);
    c->style = c->o->named ? AG_PARAM_NAMED : c->d->param_style;
}

static void compiler_clear(ag_compiler *c)
{
    ag_c_host_end(c);
    if (c->oom) {
        c->failed = true;
        c->status = ag_fail_nomem(c->err);
    }
    ag_vec_clear(&c->ctes);
    ag_vec_clear(&c->columns);
    ag_vec_clear(&c->binds);
    ag_map_clear(&c->bind_nodes);
    ag_map_clear(&c->bind_names);
    ag_map_clear(&c->bind_index);
    ag_map_clear(&c->truncated);
    ag_map_clear(&c->counters);
    ag_map_clear(&c->anon);
    ag_builder_clear(&c->b);
    ag_arena_clear(&c->tmp);
    ag_buf_clear(&c->scratch);
    ag_buf_clear(&c->out);
}

static ag_stmt_kind stmt_kind(const ag_node *n)
{
    switch (n->kind) {
    case AG_K_SELECT:
    case AG_K_COMPOUND:
    case AG_K_VALUES: return AG_STMT_SELECT;
    case AG_K_INSERT: return AG_STMT_INSERT;
    case AG_K_UPDATE: return AG_STMT_UPDATE;
    case AG_K_DELETE: return AG_STMT_DELETE;
    case AG_K_TEXT:
    case AG_K_TEXT_SELECT: return AG_STMT_TEXT;
    default: return ag_node_is(n, AG_CLASS_DDL) ? AG_STMT_DDL : AG_STMT_OTHER;
    }
}

void ag_compiled_unref(ag_compiled *c)
{
    if (!c || --c->refs > 0)
        return;
    const ag_alloc *alloc = c->arena.alloc;
    if (c->release)
        c->release(c);
    ag_arena_clear(&c->arena);
    ag_mem_free(alloc, c);
}

int64_t ag_compiled_find_bind(const ag_compiled *c, const char *name, size_t len)
{
    for (uint32_t i = 0; i < c->nbinds; i++) {
        ag_str s = c->binds[i].name;
        if (s.n == len && memcmp(s.p, name, len) == 0)
            return (int64_t)i;
    }
    return -1;
}

static const ag_compile_options no_options;

static void run(ag_compiler *c)
{
    unsigned k = c->o->literal_binds || c->result->kind == AG_STMT_DDL ? AG_KW_LITERAL : 0;
    if (c->result->kind == AG_STMT_DDL)
        k |= AG_KW_DDL;
    ag_c_visit(c, c->stmt, k);
    ag_c_finish(c);
}

ag_status ag_compile(ag_compiled **out, ag_binds *binds, const ag_dialect *dialect, const ag_node *stmt,
                     const ag_compile_options *options, ag_compile_host *host, const ag_alloc *alloc, ag_error *err)
{
    ag_compiler c = {.d = dialect,
                     .o = options ? options : &no_options,
                     .host = host,
                     .err = err,
                     .stmt = stmt,
                     .tree_binds = binds};
    *out = NULL;
    binds->len = 0;
    if (stmt->flags & AG_NF_BINDS)
        AG_TRY(ag_tree_binds(binds, stmt, alloc, err));
    ag_compiled *r = ag_mem_zero(alloc, 1, sizeof *r);
    if (!r)
        return ag_fail_nomem(err);
    r->refs = 1;
    ag_arena_init(&r->arena, alloc);
    r->dialect = dialect;
    r->kind = stmt_kind(stmt);
    c.result = r;
    c.ar = &r->arena;
    compiler_init(&c, alloc);
    run(&c);
    compiler_clear(&c);
    if (c.failed) {
        ag_compiled_unref(r);
        return c.status;
    }
    *out = r;
    return AG_OK;
}

/* ---- one piece of SQL without a statement ---- */

static ag_status alone(ag_compiler *c, ag_buf *out)
{
    if (!c->failed && ag_buf_ok(&c->out))
        ag_buf_add(out, c->out.data ? c->out.data : "", c->out.len);
    if (!c->failed && (!ag_buf_ok(&c->out) || !ag_buf_ok(out)))
        ag_c_nomem(c);
    compiler_clear(c);
    return c->failed ? c->status : AG_OK;
}

ag_status ag_type_sql(ag_buf *out, const ag_dialect *d, const ag_type *t, ag_compile_host *host, const ag_alloc *alloc,
                      ag_error *err)
{
    ag_compiler c = {.d = d, .o = &no_options, .host = host, .err = err};
    compiler_init(&c, alloc);
    ag_c_type(&c, t);
    return alone(&c, out);
}

ag_status ag_literal_sql(ag_buf *out, const ag_dialect *d, const ag_value *v, const ag_type *t, ag_compile_host *host,
                         const ag_alloc *alloc, ag_error *err)
{
    ag_compiler c = {.d = d, .o = &no_options, .host = host, .err = err};
    compiler_init(&c, alloc);
    ag_c_literal(&c, v, t);
    return alone(&c, out);
}

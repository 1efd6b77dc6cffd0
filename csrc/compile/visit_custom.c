/* Constructs whose SQL the host writes: CUSTOM nodes, functions of a host's class, and constructs of ours that a hook or a dialect
 * of the host writes in another way. A hook answers with an expression, usually a SPLICE of texts and nodes, which is visited in the
 * construct's place; what it does not know is written as usual. */
#include "compile/visitors.h"

void ag_c_host_end(ag_compiler *c)
{
    if (c->host_began && c->host->ended)
        c->host->ended(c->host);
    c->host_began = false;
}

bool ag_c_host_begin(ag_compiler *c)
{
    if (!c->host_began && c->host->began) {
        if (!ag_c_ok(c, c->host->began(c->host, c->err)))
            return false;
        c->host_began = true;
    }
    return true;
}

/* Ask the host; NULL: it has no SQL for n, or it failed. */
static const ag_node *ask(ag_compiler *c, const ag_node *n, const ag_limits *limits)
{
    const ag_node *out = NULL;
    if (!c->host || !c->host->construct || c->failed)
        return NULL;
    if (!ag_c_host_begin(c))
        return NULL;
    return ag_c_ok(c, c->host->construct(c->host, n, limits, c->d, &c->b, &out, c->err)) ? out : NULL;
}

bool ag_c_visit_hooked(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_node *out, *before = c->as_usual;
    if (n == c->as_usual || n->kind == AG_K_CUSTOM)
        return false;
    out = ask(c, n, NULL);
    if (!out)
        return c->failed;
    if (n == c->stmt && out->kind == AG_K_SPLICE &&
        (out->flags & AG_SPLICE_AS_USUAL)) /* the statement, changed by its hook */
        c->stmt = ag_nlist_at(out, AG_AS(splice, SPLICE, out)->items, 0);
    c->as_usual = NULL;
    ag_c_visit(c, out, k);
    c->as_usual = before;
    return true;
}

void ag_c_visit_as_usual(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_node *before = c->as_usual;
    c->as_usual = n;
    ag_c_visit(c, n, k);
    c->as_usual = before;
}

void ag_c_limit_hooked(ag_compiler *c, const ag_node *select, const ag_limits *l)
{
    const ag_node *out = ask(c, select, l);
    if (out)
        ag_c_visit(c, out, c->o->literal_binds ? AG_KW_LITERAL : 0);
    else if (!c->failed)
        ag_c_fail(c, AG_EXC_UNSUPPORTED_COMPILATION, "the %s dialect has no SQL for the row limits", c->d->name);
}

static void unsupported(ag_compiler *c, const char *what, ag_str name)
{
    if (!c->failed)
        ag_c_fail(c, AG_EXC_UNSUPPORTED_COMPILATION, "the custom %s%s%.*s%s has no compile hook for the %s dialect",
                  what, name.n ? " '" : "", (int)name.n, name.p ? name.p : "", name.n ? "'" : "", c->d->name);
}

void ag_visit_custom(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_node *out = ask(c, n, NULL);
    if (!out)
        unsupported(c, "construct", (ag_str){0});
    else
        ag_c_visit(c, out, k);
    if (n == c->stmt)
        c->compiled_flags |= AG_COMPILED_AD_HOC_COLUMNS;
}

bool ag_c_func_hooked(ag_compiler *c, const ag_node *n, unsigned k)
{
    const ag_node *out;
    if (n == c->as_usual)
        return false;
    out = ask(c, n, NULL);
    if (out)
        ag_c_visit(c, out, k & AG_KW_DOWN);
    else if (!(n->flags & AG_FUNC_GENERIC))
        unsupported(c, "function", ag_nstr_get(n, AG_AS(func, FUNC, n)->name));
    return out || c->failed;
}

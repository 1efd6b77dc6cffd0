/* The small clauses: prefixes, hints, CTE references, syntax extensions; and the host's numbers on statements. */
#include "sql/select.h"

#include "sql/build.h"

const ag_node *ag_prefix(ag_builder *b, const ag_node *element, ag_str dialect)
{
    ag_n_prefix *n = element ? ag_node_new(b, AG_K_PREFIX, NULL, ag_room_str(dialect.n)) : NULL;
    if (!n)
        return NULL;
    n->element = element;
    n->dialect = ag_node_str(n, dialect);
    return ag_node_finish(b, n);
}

const ag_node *ag_hint(ag_builder *b, const ag_node *from, ag_str text, ag_str dialect)
{
    ag_n_hint *n = ag_node_new(b, AG_K_HINT, NULL, ag_room_str(text.n) + ag_room_str(dialect.n));
    if (!n)
        return NULL;
    n->from = from;
    n->text = ag_node_str(n, text);
    n->dialect = ag_node_str(n, dialect);
    return ag_node_finish(b, n);
}

const ag_node *ag_extension(ag_builder *b, const ag_node *element, ag_ext_point point)
{
    ag_n_extension *n = element ? ag_node_new(b, AG_K_EXTENSION, NULL, 0) : NULL;
    if (!n)
        return NULL;
    n->element = element;
    n->point = point;
    return ag_node_finish(b, n);
}

static const ag_node *cte_ref(ag_builder *b, const ag_node *cte, bool nest_here)
{
    if (cte && cte->kind != AG_K_CTE)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "add_cte takes CTEs, not a %s", ag_kind_get(cte->kind)->name);
    ag_n_cte_ref *n = cte ? ag_node_new(b, AG_K_CTE_REF, NULL, 0) : NULL;
    if (!n)
        return NULL;
    n->node.flags |= nest_here ? AG_CTE_REF_NEST_HERE : 0;
    n->cte = cte;
    return ag_node_finish(b, n);
}

const ag_node *ag_stmt_ctes(ag_builder *b, const ag_node *stmt, const ag_node *const *ctes, size_t n, bool nest_here)
{
    const ag_node **refs = ag_build_array(b, n);
    for (size_t i = 0; refs && i < n; i++) {
        refs[i] = cte_ref(b, ctes[i], nest_here);
        if (!refs[i])
            return NULL;
    }
    return refs ? ag_stmt_add(b, stmt, AG_CL_CTE, refs, n, true) : NULL;
}

/* ---- numbers of the host ---- */

/* Offsets of exec_options and host in each kind; 0: it has none. */
static size_t host_field(const ag_node *stmt, bool options)
{
#define CASE(KIND, name)                                                                                               \
    case AG_K_##KIND: return options ? offsetof(ag_n_##name, exec_options) : offsetof(ag_n_##name, host)
    switch (stmt->kind) {
        CASE(SELECT, select);
        CASE(COMPOUND, compound);
        CASE(TEXT_SELECT, text_select);
        CASE(INSERT, insert);
        CASE(UPDATE, update);
        CASE(DELETE, delete);
    case AG_K_TEXT: return options ? offsetof(ag_n_text, exec_options) : 0;
    default: return 0;
    }
#undef CASE
}

static const ag_node *with_number(ag_builder *b, const ag_node *stmt, bool options, int64_t id)
{
    size_t field = stmt ? host_field(stmt, options) : 0;
    if (!stmt)
        return NULL;
    if (!field)
        return ag_build_fail(b, AG_EXC_ARGUMENT, "a %s takes no %s", ag_kind_get(stmt->kind)->name,
                             options ? "execution options" : "options");
    ag_node *copy = ag_node_copy(b, stmt);
    if (!copy)
        return NULL;
    *(int64_t *)(void *)((char *)copy + field) = id;
    return ag_node_finish(b, copy);
}

static int64_t number_of(const ag_node *stmt, bool options)
{
    size_t field = host_field(stmt, options);
    return field ? *(const int64_t *)(const void *)((const char *)stmt + field) : 0;
}

const ag_node *ag_stmt_exec_options(ag_builder *b, const ag_node *stmt, int64_t id)
{
    return with_number(b, stmt, true, id);
}

const ag_node *ag_stmt_host(ag_builder *b, const ag_node *stmt, int64_t id)
{
    return with_number(b, stmt, false, id);
}

int64_t ag_stmt_get_exec_options(const ag_node *stmt)
{
    return number_of(stmt, true);
}

int64_t ag_stmt_get_host(const ag_node *stmt)
{
    return number_of(stmt, false);
}

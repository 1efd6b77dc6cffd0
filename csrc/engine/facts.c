/* Facts about a compiled statement: see facts.h. */
#include "engine/facts.h"
#include <string.h>

ag_exec_facts *ag_exec_facts_of(ag_compiled *c, const char *dialect)
{
    if (!c || !(c->flags & AG_COMPILED_CACHEABLE))
        return NULL;
    if (!c->facts) {
        c->facts = ag_arena_zero(&c->arena, 1, sizeof *c->facts);
        if (!c->facts)
            return NULL;
        c->facts->dialect = dialect;
    }
    return c->facts->dialect == dialect ? c->facts : NULL;
}

/* The database may describe a column otherwise than before: a "*" of its own, a table that was altered. */
const ag_result_column *ag_exec_facts_columns(const ag_exec_facts *f, const ag_column_info *info, uint32_t n)
{
    if (!f || !f->columns || f->ncolumns != n)
        return NULL;
    for (uint32_t i = 0; i < n; i++) {
        const ag_result_column *col = &f->columns[i];
        if (f->told[i] != info[i].type || col->db_type != info[i].db_type || col->db_name.n != info[i].name_len ||
            memcmp(col->db_name.p, info[i].name, info[i].name_len) != 0)
            return NULL;
    }
    return f->columns;
}

void ag_exec_facts_keep(ag_compiled *c, const ag_result_column *columns, const ag_column_info *info, uint32_t n)
{
    ag_exec_facts *f = c->facts;
    ag_result_column *copy = ag_arena_memdup(&c->arena, columns, n * sizeof *copy);
    const ag_type **told = ag_arena_zero(&c->arena, n, sizeof *told);
    for (uint32_t i = 0; copy && told && i < n; i++) {
        ag_str *name = &copy[i].db_name;
        bool same = name->p == copy[i].name.p;
        name->p = ag_arena_strndup(&c->arena, name->p, name->n);
        if (!name->p)
            return;
        if (same)
            copy[i].name.p = name->p;
        told[i] = info[i].type;
    }
    if (!copy || !told)
        return;
    f->told = told;
    f->ncolumns = n;
    f->columns = copy;
}

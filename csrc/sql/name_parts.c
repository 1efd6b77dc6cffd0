/* Made-up names as lists of parts, and the names of FROMs. */
#include "sql/names.h"
#include "sql/node_hash.h"

void ag_namer_init(ag_namer *nm, ag_arena *ar)
{
    nm->ar = ar;
    nm->nomem = false;
    nm->clash = (ag_str){0};
    ag_map_init(&nm->froms, ar->alloc);
}

void ag_namer_clear(ag_namer *nm)
{
    ag_map_clear(&nm->froms);
}

ag_status ag_namer_fail(const ag_namer *nm, ag_error *err)
{
    if (!nm->clash.p)
        return ag_fail_nomem(err);
    return ag_fail(err, AG_EXC_INVALID_REQUEST,
                   "the label '%.*s' is given to several columns of a subquery, which could not tell them apart: give "
                   "each its own name",
                   (int)nm->clash.n, nm->clash.p);
}

ag_name ag_name_join(ag_namer *nm, ag_name a, ag_name b)
{
    if (!b.n || nm->nomem)
        return a;
    ag_name_part *p = ag_arena_new(nm->ar, (a.n + b.n) * sizeof *p);
    if (!p) {
        nm->nomem = true;
        return AG_NO_NAME;
    }
    if (a.n)
        memcpy(p, a.parts, a.n * sizeof *p);
    memcpy(p + a.n, b.parts, b.n * sizeof *p);
    return (ag_name){p, a.n + b.n, 0};
}

ag_name ag_name_add_text(ag_namer *nm, ag_name a, ag_str s)
{
    const ag_name_part part = {.text = s};
    return s.p ? ag_name_join(nm, a, (ag_name){&part, 1, 0}) : a;
}

ag_name ag_name_of_text(ag_namer *nm, ag_str s)
{
    return ag_name_add_text(nm, AG_NO_NAME, s);
}

static bool has_anon(ag_name n)
{
    for (uint32_t i = 0; i < n.n; i++) {
        if (n.parts[i].anon)
            return true;
    }
    return false;
}

ag_name ag_name_settle(ag_namer *nm, ag_name n)
{
    size_t len = 0, at = 0;
    if (n.n < 2 || has_anon(n))
        return n;
    for (uint32_t i = 0; i < n.n; i++)
        len += n.parts[i].text.n;
    char *p = ag_arena_new(nm->ar, len + 1);
    if (!p) {
        nm->nomem = true;
        return AG_NO_NAME;
    }
    for (uint32_t i = 0; i < n.n; i++) {
        if (n.parts[i].text.n)
            memcpy(p + at, n.parts[i].text.p, n.parts[i].text.n);
        at += n.parts[i].text.n;
    }
    p[at] = '\0';
    return ag_name_of_text(nm, (ag_str){p, at});
}

static bool needs_escape(char c)
{
    return c == '%' || c == '(' || c == ')' || c == ' ' || c == '$';
}

ag_str ag_name_escaped(ag_arena *ar, ag_str s)
{
    size_t at = 0, i = 0;
    while (i < s.n && !needs_escape(s.p[i]))
        i++;
    if (i == s.n)
        return s;
    char *p = ag_arena_strndup(ar, s.p, s.n);
    for (i = 0; p && i < s.n; i++) {
        if (!needs_escape(s.p[i]))
            p[at++] = s.p[i];
        else if (!i || !needs_escape(s.p[i - 1]))
            p[at++] = '_';
    }
    if (p)
        p[at] = '\0';
    return (ag_str){p, at};
}

ag_name ag_name_made_up(ag_namer *nm, uint64_t id, ag_name seed, uint32_t dedupe)
{
    ag_name_part part = {.text = AG_STR("anon"), .anon = id, .dedupe = dedupe};
    if (dedupe && seed.n)
        seed = ag_name_add_text(nm, seed, AG_STR("_"));
    seed = ag_name_settle(nm, seed);
    if (has_anon(seed)) {
        part.text = AG_STR("");
        return ag_name_join(nm, seed, (ag_name){&part, 1, 0});
    }
    if (seed.n)
        part.text = ag_name_escaped(nm->ar, seed.parts[0].text);
    nm->nomem |= !part.text.p;
    return ag_name_join(nm, AG_NO_NAME, (ag_name){&part, 1, 0});
}

ag_str ag_name_plain(ag_name name)
{
    return name.n == 1 && !name.parts[0].anon ? name.parts[0].text : (ag_str){0};
}

uint64_t ag_name_hash(ag_name name)
{
    uint64_t h = name.n;
    for (uint32_t i = 0; i < name.n; i++) {
        const ag_name_part *p = &name.parts[i];
        h = ag_mix(ag_mix(h, p->anon), p->dedupe);
        h = ag_hash_bytes(h, p->text.p ? p->text.p : "", p->text.n);
    }
    return name.n ? h | 1 : 0;
}

/* ---- FROMs ---- */

ag_str ag_from_given_name(const ag_node *from, bool *named)
{
    *named = true;
    switch (from->kind) {
    case AG_K_TABLE: return AG_AS(table, TABLE, from)->table->name;
    case AG_K_TABLE_CLAUSE: return ag_nstr_get(from, AG_AS(table_clause, TABLE_CLAUSE, from)->name);
    case AG_K_ALIAS: return ag_nstr_get(from, AG_AS(alias, ALIAS, from)->name);
    case AG_K_SUBQUERY: return ag_nstr_get(from, AG_AS(subquery, SUBQUERY, from)->name);
    case AG_K_LATERAL: return ag_nstr_get(from, AG_AS(lateral, LATERAL, from)->name);
    case AG_K_CTE: return ag_nstr_get(from, AG_AS(cte, CTE, from)->name);
    case AG_K_TABLESAMPLE: return ag_nstr_get(from, AG_AS(tablesample, TABLESAMPLE, from)->name);
    case AG_K_VALUES: return ag_nstr_get(from, AG_AS(values, VALUES, from)->name);
    case AG_K_TABLE_FUNC: return ag_nstr_get(from, AG_AS(table_func, TABLE_FUNC, from)->name);
    default: *named = false; return (ag_str){0};
    }
}

/* The FROM whose name an unnamed one borrows. */
static const ag_node *name_giver(const ag_node *from)
{
    switch (from->kind) {
    case AG_K_ALIAS: return AG_AS(alias, ALIAS, from)->element;
    case AG_K_LATERAL: return AG_AS(lateral, LATERAL, from)->element;
    case AG_K_TABLESAMPLE: return AG_AS(tablesample, TABLESAMPLE, from)->element;
    case AG_K_CTE: return AG_AS(cte, CTE, from)->element;
    default: return NULL;
    }
}

/* An unnamed CTE that restates another is called as that one is. */
static const ag_node *first_version(const ag_node *from)
{
    while (from->kind == AG_K_CTE && AG_AS(cte, CTE, from)->restates)
        from = AG_AS(cte, CTE, from)->restates;
    return from;
}

ag_name ag_name_of_from(ag_namer *nm, const ag_node *from)
{
    bool named;
    ag_str name = ag_from_given_name(from, &named);
    if (name.p || !named)
        return ag_name_of_text(nm, name);
    const ag_node *giver = name_giver(from);
    ag_str base = giver ? ag_from_given_name(giver, &named) : (ag_str){0};
    return ag_name_made_up(nm, ag_from_key(first_version(from)), ag_name_of_text(nm, base), 0);
}

ag_name ag_from_name(const ag_node *from, ag_arena *ar)
{
    ag_namer nm;
    ag_namer_init(&nm, ar);
    ag_name name = ag_name_of_from(&nm, from);
    ag_namer_clear(&nm);
    return name;
}

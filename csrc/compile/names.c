/* Names that are made up while compiling: numbers for anonymous ones, cutting of long ones, names of tables with their schemas. */
#include "compile/compiler.h"

#include "base/utf8.h"

#include <string.h>

/* The number of (text, id, dedupe): given at the first question. */
static uint64_t number_of(ag_compiler *c, const ag_name_part *p)
{
    uint64_t key =
        ag_hash_u64(ag_hash_u64(ag_hash_bytes(7, p->text.p ? p->text.p : "", p->text.n), p->anon), p->dedupe);
    bool fresh, added;
    ag_map_entry *e = ag_map_put_u64(&c->anon, key, &fresh);
    if (!e)
        return ag_c_nomem(c), 0;
    if (!fresh)
        return e->v.u;
    const char *text = ag_arena_strndup(&c->tmp, p->text.p ? p->text.p : "", p->text.n);
    ag_map_entry *n = text ? ag_map_put(&c->counters, text, p->text.n, &added) : NULL;
    if (!n)
        return ag_c_nomem(c), 0;
    return e->v.u = ++n->v.u;
}

/* s in tmp. */
static ag_str keep(ag_compiler *c, const ag_buf *b)
{
    ag_str s = {ag_buf_ok(b) ? ag_arena_strndup(&c->tmp, b->data ? b->data : "", b->len) : NULL, b->len};
    if (!s.p)
        return ag_c_nomem(c), (ag_str){"", 0};
    return s;
}

static ag_str joined(ag_compiler *c, const ag_name_part *parts, uint32_t n)
{
    ag_buf *b = &c->scratch;
    ag_buf_reset(b);
    for (uint32_t i = 0; i < n; i++) {
        ag_buf_add(b, parts[i].text.p, parts[i].text.n);
        if (parts[i].anon) {
            ag_buf_char(b, '_');
            ag_buf_int(b, (int64_t)number_of(c, &parts[i]));
        }
    }
    return keep(c, b);
}

/* Cut and numbered as SQLAlchemy does: the first max - 6 bytes, "_", a number in hexadecimal. */
static ag_str truncated(ag_compiler *c, ag_str name)
{
    uint32_t max = c->o->label_length ? c->o->label_length : ag_c_max_identifier(c);
    if (!name.p || name.n <= max - 6)
        return name;
    bool added;
    ag_map_entry *e = ag_map_put(&c->truncated, name.p, name.n, &added);
    if (!e)
        return ag_c_nomem(c), name;
    if (added)
        e->v.u = ++c->hashed;
    ag_buf_reset(&c->scratch);
    ag_buf_add(&c->scratch, name.p, ag_utf8_cut(name.p, name.n, max - 6));
    ag_buf_printf(&c->scratch, "_%x", (unsigned)e->v.u);
    return keep(c, &c->scratch);
}

ag_str ag_c_name(ag_compiler *c, ag_name name)
{
    if (c->failed || !name.n)
        return (ag_str){"", 0};
    ag_str plain = ag_name_plain(name);
    return plain.p ? plain : truncated(c, joined(c, name.parts, name.n));
}

ag_str ag_c_generated(ag_compiler *c, ag_name name)
{
    return c->failed || !name.n ? (ag_str){"", 0} : truncated(c, joined(c, name.parts, name.n));
}

ag_str ag_c_anon(ag_compiler *c, ag_str base, uint64_t id)
{
    const ag_name_part part = {.text = base, .anon = id};
    return ag_c_name(c, (ag_name){&part, 1, 0});
}

void ag_c_quote_text(ag_compiler *c, ag_name name, ag_str text, int quote)
{
    if (ag_name_plain(name).p)
        ag_c_quote(c, text, quote);
    else
        ag_c_quote_generated(c, text);
}

void ag_c_quote_name(ag_compiler *c, ag_name name, int quote)
{
    ag_c_quote_text(c, name, ag_c_name(c, name), quote);
}

void ag_c_quote_from(ag_compiler *c, const ag_node *from)
{
    ag_c_quote_name(c, ag_from_name(from, &c->tmp), ag_name_quote(from));
}

ag_str ag_c_from_name(ag_compiler *c, const ag_node *from)
{
    return ag_c_name(c, ag_from_name(from, &c->tmp));
}

ag_str ag_c_schema(ag_compiler *c, ag_str schema)
{
    for (uint32_t i = 0; i < c->o->ntranslate; i++) {
        const ag_translate *t = &c->o->translate[i];
        if (t->from.n == schema.n && !t->from.p == !schema.p &&
            (schema.n == 0 || memcmp(t->from.p, schema.p, schema.n) == 0))
            return t->to;
    }
    return schema;
}

void ag_c_table(ag_compiler *c, const ag_table *t)
{
    ag_str schema = ag_c_schema(c, t->schema);
    if (schema.n) {
        ag_c_quote(c, schema, t->quote_schema);
        ag_c_str(c, ".");
    }
    ag_c_quote(c, t->name, t->quote);
}

ag_str ag_c_ambiguous(ag_compiler *c, const ag_node *table)
{
    for (const ag_frame_entry *f = c->frame; f; f = f->up) {
        for (size_t i = 0; i < f->nambiguous; i++) {
            const ag_node *n = f->ambiguous[i];
            if (ag_from_same(n, table))
                return ag_c_anon(c,
                                 n->kind == AG_K_TABLE ? AG_AS(table, TABLE, n)->table->name
                                                       : ag_nstr_get(n, AG_AS(table_clause, TABLE_CLAUSE, n)->name),
                                 (uint64_t)(uintptr_t)n);
        }
    }
    return (ag_str){0};
}

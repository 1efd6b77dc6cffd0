/* Finishing the pieces of a statement for one execution: IN lists and literal values whose binds have names of the user's. */
#include "compile/compiler.h"

#include <string.h>

typedef struct expansion {
    const ag_compiled *c;
    const ag_expand_values *values;
    ag_compiler *w; /* writes literals and empty sets */
    ag_buf *text;
    AG_VEC(ag_position) positions;
    ag_map numbers;
    ag_error *err;
} expansion;

static ag_status placeholder(expansion *x, uint32_t bind, uint32_t member)
{
    const ag_position p = {bind, member};
    size_t number = x->positions.len;
    if (x->c->dialect->param_style == AG_PARAM_DOLLAR) {
        bool added;
        ag_map_entry *e = ag_map_put_u64(&x->numbers, (uint64_t)bind << 32 | member, &added);
        if (!e)
            return ag_fail_nomem(x->err);
        if (added)
            e->v.u = number;
        number = e->v.u;
    }
    if (number == x->positions.len && !ag_vec_push(&x->positions, p))
        return ag_fail_nomem(x->err);
    if (x->c->dialect->param_style == AG_PARAM_QMARK) {
        ag_buf_char(x->text, '?');
    } else {
        ag_buf_char(x->text, '$');
        ag_buf_int(x->text, (int64_t)number + 1);
    }
    return AG_OK;
}

static ag_status literal(expansion *x, uint32_t bind, uint32_t member)
{
    ag_value v;
    AG_TRY(x->values->value(x->values->ud, bind, member, &v, x->err));
    ag_c_literal(x->w, &v, x->c->binds[bind].type);
    return x->w->failed ? x->w->status : AG_OK;
}

static ag_status one(expansion *x, uint32_t bind, uint32_t member)
{
    const ag_compiled_bind *b = &x->c->binds[bind];
    if (!(b->flags & AG_BIND_LITERAL_EXECUTE))
        return placeholder(x, bind, member);
    ag_buf_reset(&x->w->out);
    AG_TRY(literal(x, bind, member));
    ag_buf_add(x->text, x->w->out.data, x->w->out.len);
    return AG_OK;
}

static void nulls(expansion *x, uint32_t width)
{
    ag_buf_str(x->text, width > 1 ? "(" : "");
    for (uint32_t i = 0; i < (width ? width : 1); i++)
        ag_buf_str(x->text, i ? ", NULL" : "NULL");
    ag_buf_str(x->text, width > 1 ? ")" : "");
}

static ag_status empty(expansion *x, const ag_piece *p)
{
    const ag_compiled_bind *b = &x->c->binds[p->bind];
    if (p->in && !x->c->dialect->empty_in_select) {
        nulls(x, b->tuple_width);
        ag_buf_str(x->text, p->negated ? ") OR (1 = 1" : ") AND (1 != 1");
        return AG_OK;
    }
    const ag_type *types[16];
    uint32_t n = b->tuple_width ? b->tuple_width : 1;
    for (uint32_t i = 0; i < n && i < 16; i++)
        types[i] = b->type;
    ag_buf_reset(&x->w->out);
    if (x->c->dialect->empty_set)
        x->c->dialect->empty_set(x->w, types, n < 16 ? n : 16);
    ag_buf_add(x->text, x->w->out.data, x->w->out.len);
    return x->w->failed ? x->w->status : AG_OK;
}

static ag_status members(expansion *x, const ag_piece *p)
{
    const ag_compiled_bind *b = &x->c->binds[p->bind];
    uint32_t rows = x->values->count(x->values->ud, p->bind), width = b->tuple_width;
    ag_buf_char(x->text, '(');
    if (!rows)
        AG_TRY(empty(x, p));
    else if (width && x->c->dialect->tuple_in_values)
        ag_buf_str(x->text, "VALUES ");
    for (uint32_t i = 0; i < rows * (width ? width : 1); i++) {
        ag_buf_str(x->text, i ? ", " : "");
        ag_buf_str(x->text, width && i % width == 0 ? "(" : "");
        AG_TRY(one(x, p->bind, i));
        ag_buf_str(x->text, width && i % width == width - 1 ? ")" : "");
    }
    ag_buf_char(x->text, ')');
    return AG_OK;
}

/* A stretch of text without pieces. Its numbered placeholders are counted anew, since the pieces before it took numbers. */
static ag_status stretch(expansion *x, size_t from, size_t to)
{
    const char *s = x->c->text.p;
    for (uint32_t i = 0; i < x->c->nmarks; i++) {
        uint32_t at = x->c->marks[i].at, len = x->c->marks[i].len;
        if (at < from || at >= to)
            continue;
        const ag_position p = x->c->positions[x->c->marks[i].position];
        ag_buf_add(x->text, s + from, at - from);
        AG_TRY(placeholder(x, p.bind, p.member));
        from = at + len;
    }
    ag_buf_add(x->text, s + from, to - from);
    return AG_OK;
}

static ag_status expand(expansion *x)
{
    size_t from = 0;
    for (uint32_t i = 0; i < x->c->npieces; i++) {
        const ag_piece *p = &x->c->pieces[i];
        AG_TRY(stretch(x, from, p->at));
        if (p->kind == AG_PIECE_EXPANDING)
            AG_TRY(members(x, p));
        else
            AG_TRY(one(x, p->bind, AG_WHOLE));
        from = p->at;
    }
    AG_TRY(stretch(x, from, x->c->text.n));
    return ag_buf_ok(x->text) && ag_buf_ok(&x->w->out) ? AG_OK : ag_fail_nomem(x->err);
}

ag_status ag_compiled_expand(const ag_compiled *c, const ag_expand_values *values, ag_compile_host *host, ag_buf *text,
                             const ag_position **positions, uint32_t *npositions, ag_arena *ar, ag_error *err)
{
    static const ag_compile_options none;
    ag_compiler w = {.d = c->dialect, .o = &none, .host = host, .alloc = ar->alloc, .real = ar->alloc, .err = err};
    expansion x = {.c = c, .values = values, .w = &w, .text = text, .err = err};
    ag_buf_init(&w.out, ar->alloc);
    ag_arena_init(&w.tmp, ar->alloc);
    ag_vec_init(&x.positions, ar->alloc);
    ag_map_init(&x.numbers, ar->alloc);
    ag_buf_reset(text);
    ag_status st = expand(&x);
    if (st == AG_OK) {
        *npositions = (uint32_t)x.positions.len;
        *positions = ag_arena_memdup(ar, x.positions.items ? (const void *)x.positions.items : "",
                                     x.positions.len * sizeof **positions);
        if (!*positions)
            st = ag_fail_nomem(err);
    }
    ag_map_clear(&x.numbers);
    ag_vec_clear(&x.positions);
    ag_arena_clear(&w.tmp);
    ag_buf_clear(&w.out);
    return st;
}

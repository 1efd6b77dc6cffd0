/* The last pass: marks become placeholders, what was gathered becomes the compiled statement. */
#include "compile/compiler.h"

#include <string.h>

typedef struct finish {
    ag_compiler *c;
    ag_buf out;
    AG_VEC(ag_position) positions;
    AG_VEC(ag_piece) pieces;
    AG_VEC(struct ag_text_mark) marks;
    bool has_pieces;
    ag_map numbers; /* (bind, member) → position, for $n */
} finish;

static void named(finish *f, const ag_compiled_bind *b, uint32_t member)
{
    ag_buf_char(&f->out, ':');
    ag_buf_add(&f->out, b->name.p, b->name.n);
    if (member == AG_WHOLE)
        return;
    ag_buf_char(&f->out, '_');
    if (b->tuple_width) {
        ag_buf_int(&f->out, member / b->tuple_width + 1);
        ag_buf_char(&f->out, '_');
        ag_buf_int(&f->out, member % b->tuple_width + 1);
    } else {
        ag_buf_int(&f->out, (int64_t)member + 1);
    }
}

static void placeholder(finish *f, uint32_t bind, uint32_t member)
{
    ag_position p = {bind, member};
    size_t number = f->positions.len;
    if (f->c->style == AG_PARAM_DOLLAR) {
        bool added;
        ag_map_entry *e = ag_map_put_u64(&f->numbers, (uint64_t)bind << 32 | member, &added);
        if (!e) {
            ag_c_nomem(f->c);
            return;
        }
        if (added)
            e->v.u = number;
        number = e->v.u;
    }
    if (number == f->positions.len && !ag_vec_push(&f->positions, p)) {
        ag_c_nomem(f->c);
        return;
    }
    struct ag_text_mark m = {(uint32_t)f->out.len, 0, (uint32_t)number};
    switch (f->c->style) {
    case AG_PARAM_QMARK: ag_buf_char(&f->out, '?'); break;
    case AG_PARAM_DOLLAR:
        ag_buf_char(&f->out, '$');
        ag_buf_int(&f->out, (int64_t)number + 1);
        break;
    case AG_PARAM_NAMED: named(f, &f->c->binds.items[bind], member); break;
    }
    m.len = (uint32_t)f->out.len - m.at;
    if (f->has_pieces && !ag_vec_push(&f->marks, m))
        ag_c_nomem(f->c);
}

static void piece(finish *f, char letter, uint32_t bind)
{
    ag_piece p = {.kind = letter == AG_MARK_LITERAL ? AG_PIECE_LITERAL : AG_PIECE_EXPANDING,
                  .at = (uint32_t)f->out.len,
                  .bind = bind,
                  .position = (uint32_t)f->positions.len,
                  .negated = letter == AG_MARK_PIECE_NOT_IN,
                  .in = letter != AG_MARK_PIECE && letter != AG_MARK_LITERAL};
    if (f->c->style == AG_PARAM_NAMED) {
        ag_str name = f->c->binds.items[bind].name;
        ag_buf_str(&f->out, p.kind == AG_PIECE_LITERAL ? "__[POSTCOMPILE_" : "(__[POSTCOMPILE_");
        ag_buf_add(&f->out, name.p, name.n);
        ag_buf_str(&f->out, p.kind == AG_PIECE_LITERAL ? "]" : "])");
    }
    if (!ag_vec_push(&f->pieces, p))
        ag_c_nomem(f->c);
}

static void values_range(finish *f, bool end)
{
    ag_dml_facts *d = f->c->dml;
    uint32_t at = (uint32_t)f->out.len, n = (uint32_t)f->positions.len;
    if (!d)
        return;
    if (!end) {
        d->values_at = at;
        d->values_first = n;
    } else {
        d->values_len = at - d->values_at;
        d->values_count = n - d->values_first;
    }
}

/* One mark at s (AG_MARK_LEN bytes); returns the bytes used. */
static size_t mark(finish *f, const char *s, size_t left)
{
    uint32_t number, member;
    if (left < AG_MARK_LEN) {
        ag_c_fail(f->c, AG_EXC_COMPILE, "the text of the statement is not valid UTF-8");
        return left;
    }
    memcpy(&number, s + 2, sizeof number);
    switch (s[1]) {
    case AG_MARK_BIND: placeholder(f, number, AG_WHOLE); break;
    case AG_MARK_MEMBER:
        memcpy(&member, s + AG_MARK_LEN + 2, sizeof member);
        placeholder(f, number, member);
        return 2 * (size_t)AG_MARK_LEN;
    case AG_MARK_VALUES: values_range(f, false); break;
    case AG_MARK_VALUES_END: values_range(f, true); break;
    default: piece(f, s[1], number); break;
    }
    return AG_MARK_LEN;
}

static void convert(finish *f)
{
    const char *s = f->c->out.data, *end = s ? s + f->c->out.len : NULL;
    ag_buf_reserve(&f->out, f->c->out.len + 16);
    while (s && s < end && !f->c->failed) {
        const char *m = memchr(s, AG_MARK, (size_t)(end - s));
        ag_buf_add(&f->out, s, (size_t)((m ? m : end) - s));
        if (!m)
            return;
        s = m + mark(f, m, (size_t)(end - m));
    }
}

/* dup of n elements, NULL for none; nomem fails c. */
static const void *keep(ag_compiler *c, const void *p, size_t n, size_t size)
{
    void *out = n && !c->failed ? ag_arena_memdup(c->ar, p, n * size) : NULL;
    if (n && !out)
        ag_c_nomem(c);
    return out;
}

static void mark_ambiguous(ag_compiler *c)
{
    for (size_t i = 0; i < c->columns.len; i++) {
        for (size_t j = 0; j < i && c->columns.len <= 256; j++) {
            ag_result_col *a = &c->columns.items[i], *b = &c->columns.items[j];
            if (a->key.n && a->key.n == b->key.n && memcmp(a->key.p, b->key.p, a->key.n) == 0)
                a->ambiguous = b->ambiguous = true;
        }
    }
}

static void fill(finish *f)
{
    ag_compiler *c = f->c;
    ag_compiled *r = c->result;
    if (!ag_buf_ok(&f->out) || !ag_buf_ok(&c->out)) {
        ag_c_nomem(c);
        return;
    }
    if (f->out.len > INT32_MAX) {
        ag_c_fail(c, AG_EXC_COMPILE, "the text of the statement exceeds 2 GiB");
        return;
    }
    mark_ambiguous(c);
    r->text = (ag_str){ag_arena_strndup(c->ar, f->out.data ? f->out.data : "", f->out.len), f->out.len};
    if (!r->text.p) {
        ag_c_nomem(c);
        return;
    }
    r->id = ag_hash_bytes(1, r->text.p, r->text.n);
    r->binds = keep(c, c->binds.items, c->binds.len, sizeof *c->binds.items);
    r->nbinds = (uint32_t)c->binds.len;
    r->positions = keep(c, f->positions.items, f->positions.len, sizeof *f->positions.items);
    r->npositions = (uint32_t)f->positions.len;
    r->pieces = keep(c, f->pieces.items, f->pieces.len, sizeof *f->pieces.items);
    r->npieces = (uint32_t)f->pieces.len;
    r->marks = keep(c, f->marks.items, r->npieces ? f->marks.len : 0, sizeof *f->marks.items);
    r->nmarks = r->npieces ? (uint32_t)f->marks.len : 0;
    r->columns = keep(c, c->columns.items, c->columns.len, sizeof *c->columns.items);
    r->ncolumns = (uint32_t)c->columns.len;
    r->flags |= c->compiled_flags | (r->ncolumns ? AG_COMPILED_RETURNS_ROWS : 0) |
                (r->kind == AG_STMT_DDL ? AG_COMPILED_DDL : 0);
    if (c->o->literal_binds)
        r->flags |= AG_COMPILED_LITERAL_BINDS;
    r->dml = c->dml;
}

void ag_c_finish(ag_compiler *c)
{
    if (c->failed)
        return;
    finish f = {.c = c};
    ag_buf_init(&f.out, c->alloc);
    ag_vec_init(&f.positions, c->alloc);
    ag_vec_init(&f.pieces, c->alloc);
    ag_vec_init(&f.marks, c->alloc);
    for (size_t i = 0; i < c->binds.len; i++)
        f.has_pieces |= (c->binds.items[i].flags & (AG_BIND_EXPANDING | AG_BIND_LITERAL_EXECUTE)) != 0;
    ag_map_init(&f.numbers, c->alloc);
    convert(&f);
    if (!c->failed)
        fill(&f);
    ag_map_clear(&f.numbers);
    ag_vec_clear(&f.marks);
    ag_vec_clear(&f.pieces);
    ag_vec_clear(&f.positions);
    ag_buf_clear(&f.out);
}

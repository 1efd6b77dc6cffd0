/* Text search values and hstore in binary (tsvectorsend, tsquerysend, hstore_send) as the text that their output functions write. */
#include "driver/pq_codec.h"

/* s in quotes, with `quote` and the backslash doubled or escaped. */
static void add_quoted(ag_pq_codec *x, const char *s, size_t n, char quote, bool doubled)
{
    const ag_services *core = x->core;
    ag_driver_add_char(core, &x->own, quote);
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\\' || s[i] == quote)
            ag_driver_add_char(core, &x->own, doubled ? s[i] : '\\');
        ag_driver_add_char(core, &x->own, s[i]);
    }
    ag_driver_add_char(core, &x->own, quote);
}

static void add_int(ag_pq_codec *x, int64_t v)
{
    char digits[24];
    ag_driver_add(x->core, &x->own, digits, ag_driver_int_text(digits, v));
}

/* ---- tsvector ---- */

static bool read_positions(ag_pq_codec *x, const char **p, const char *end)
{
    if (end - *p < 2)
        return false;
    unsigned npos = ag_pq_get16(*p);
    *p += 2;
    if ((size_t)(end - *p) < 2u * npos)
        return false;
    for (unsigned i = 0; i < npos; i++, *p += 2) {
        unsigned pos = ag_pq_get16(*p), weight = pos >> 14;
        ag_driver_add_char(x->core, &x->own, i ? ',' : ':');
        add_int(x, pos & 0x3fff);
        if (weight)
            ag_driver_add_char(x->core, &x->own, "DCBA"[weight]);
    }
    return true;
}

static bool read_tsvector(ag_pq_codec *x, const char *p, size_t n)
{
    const char *end = p + n;
    if (n < 4)
        return false;
    uint32_t count = ag_pq_get32(p);
    p += 4;
    for (uint32_t i = 0; i < count; i++) {
        const char *stop = memchr(p, '\0', (size_t)(end - p));
        if (!stop)
            return false;
        if (i)
            ag_driver_add_char(x->core, &x->own, ' ');
        add_quoted(x, p, (size_t)(stop - p), '\'', true);
        p = stop + 1;
        if (!read_positions(x, &p, end))
            return false;
    }
    return p == end;
}

static ag_status finish(ag_pq_codec *x, ag_value *out, size_t start, bool ok, const char *what, ag_error *err)
{
    if (ok)
        return ag_pq_own_end(x, start, out, err);
    ag_pq_own_drop(x, start);
    return ag_pq_malformed(x, what, err);
}

ag_status ag_pq_bin_tsvector(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    size_t start = ag_pq_own_begin(x);
    return finish(x, out, start, read_tsvector(x, p, n), "tsvector", err);
}

/* ---- tsquery ---- */

enum { OP_NONE, OP_NOT, OP_AND, OP_OR, OP_PHRASE };

/* One token. The array is in prefix order with the right operand first: i + 1 is the right one, `left` the left one. */
struct token {
    uint8_t op, weight;
    bool prefix;
    uint16_t distance;
    uint32_t len, left;
    const char *s;
};

static bool read_value(struct token *t, const char **p, const char *end)
{
    const char *stop = end - *p > 2 ? memchr(*p + 2, '\0', (size_t)(end - *p - 2)) : NULL;
    if (!stop || (size_t)(stop - *p) > UINT32_MAX)
        return false;
    *t = (struct token){
        .weight = (uint8_t)(*p)[0], .prefix = (*p)[1] != 0, .s = *p + 2, .len = (uint32_t)(stop - *p - 2)};
    *p = stop + 1;
    return t->weight < 16;
}

static bool read_operator(struct token *t, const char **p, const char *end)
{
    if (*p == end)
        return false;
    *t = (struct token){.op = (uint8_t) * (*p)++};
    if (t->op < OP_NOT || t->op > OP_PHRASE)
        return false;
    if (t->op != OP_PHRASE)
        return true;
    if (end - *p < 2)
        return false;
    t->distance = ag_pq_get16(*p);
    *p += 2;
    return true;
}

/* Where each token's left operand begins; false when operands are missing. stack: room for count numbers. */
static bool link_tokens(struct token *t, uint32_t count, uint32_t *stack)
{
    uint32_t depth = 0;
    for (uint32_t i = count; i-- > 0;) {
        if (t[i].op == OP_NOT && depth < 1)
            return false;
        if (t[i].op > OP_NOT) {
            if (depth < 2)
                return false;
            depth--; /* the right operand, i + 1 */
            t[i].left = stack[--depth];
        } else if (t[i].op == OP_NOT) {
            depth--;
        }
        stack[depth++] = i;
    }
    return depth == 1;
}

static void add_value(ag_pq_codec *x, const struct token *t)
{
    add_quoted(x, t->s, t->len, '\'', true);
    if (!t->prefix && !t->weight)
        return;
    ag_driver_add_char(x->core, &x->own, ':');
    if (t->prefix)
        ag_driver_add_char(x->core, &x->own, '*');
    for (int i = 0; i < 4; i++) {
        if (t->weight & (8 >> i))
            ag_driver_add_char(x->core, &x->own, "ABCD"[i]);
    }
}

static void add_operator(ag_pq_codec *x, const struct token *t)
{
    if (t->op == OP_PHRASE && t->distance != 1) {
        ag_driver_add(x->core, &x->own, " <", 2);
        add_int(x, t->distance);
        ag_driver_add(x->core, &x->own, "> ", 2);
    } else if (t->op == OP_PHRASE) {
        ag_driver_add(x->core, &x->own, " <-> ", 5);
    } else {
        ag_driver_add(x->core, &x->own, t->op == OP_AND ? " & " : " | ", 3);
    }
}

/* Priorities of tsquery.c: OR 1, AND 2, PHRASE 3, NOT 4. */
static int priority(const struct token *t)
{
    static const uint8_t of[] = {5, 4, 2, 1, 3};
    return of[t->op];
}

/* What is still to be written: a token with its parent's priority, a token's operator, or a closing bracket. */
struct todo {
    uint32_t token;
    uint8_t parent;
    enum { WRITE, OPERATOR, CLOSE } what;
    bool right_phrase;
};

static uint32_t expand(ag_pq_codec *x, const struct token *t, struct todo it, struct todo *stack, uint32_t top)
{
    const struct token *k = &t[it.token];
    int own = priority(k);
    if (k->op == OP_NONE) {
        add_value(x, k);
        return top;
    }
    bool brackets = own < it.parent || (k->op == OP_PHRASE && it.right_phrase);
    if (brackets) {
        ag_driver_add(x->core, &x->own, "( ", 2);
        stack[top++] = (struct todo){.what = CLOSE};
    }
    if (k->op == OP_NOT) {
        ag_driver_add_char(x->core, &x->own, '!');
        stack[top++] = (struct todo){.token = it.token + 1, .parent = (uint8_t)own, .what = WRITE};
        return top;
    }
    stack[top++] =
        (struct todo){.token = it.token + 1, .parent = (uint8_t)own, .what = WRITE, .right_phrase = k->op == OP_PHRASE};
    stack[top++] = (struct todo){.token = it.token, .what = OPERATOR};
    stack[top++] = (struct todo){.token = k->left, .parent = (uint8_t)own, .what = WRITE};
    return top;
}

static void write_tokens(ag_pq_codec *x, const struct token *t, struct todo *stack)
{
    uint32_t top = 0;
    stack[top++] = (struct todo){.token = 0, .what = WRITE};
    while (top) {
        struct todo it = stack[--top];
        if (it.what == CLOSE)
            ag_driver_add(x->core, &x->own, " )", 2);
        else if (it.what == OPERATOR)
            add_operator(x, &t[it.token]);
        else
            top = expand(x, t, it, stack, top);
    }
}

static bool read_tokens(struct token *t, uint32_t count, const char *p, const char *end)
{
    for (uint32_t i = 0; i < count; i++) {
        if (p == end)
            return false;
        char kind = *p++;
        if (kind == 1 ? !read_value(&t[i], &p, end) : kind != 2 || !read_operator(&t[i], &p, end))
            return false;
    }
    return p == end;
}

ag_status ag_pq_bin_tsquery(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    uint32_t count = n >= 4 ? ag_pq_get32(p) : UINT32_MAX;
    if (count > n / 2) /* a token takes two bytes at least */
        return ag_pq_malformed(x, "tsquery", err);
    size_t start = ag_pq_own_begin(x);
    if (!count)
        return finish(x, out, start, n == 4, "tsquery", err);
    struct token *t = ag_pq_codec_new(x, count * sizeof *t);
    uint32_t *links = ag_pq_codec_new(x, count * sizeof *links);
    struct todo *stack = ag_pq_codec_new(x, ((size_t)count * 4 + 4) * sizeof *stack);
    if (!t || !links || !stack)
        return x->core->fail_nomem(err);
    bool ok = read_tokens(t, count, p + 4, p + n) && link_tokens(t, count, links);
    if (ok)
        write_tokens(x, t, stack);
    return finish(x, out, start, ok, "tsquery", err);
}

/* ---- hstore ---- */

static bool read_text(ag_pq_codec *x, const char **p, const char *end, bool nullable)
{
    if (end - *p < 4)
        return false;
    uint32_t len = ag_pq_get32(*p);
    *p += 4;
    if (len == UINT32_MAX && nullable) {
        ag_driver_add(x->core, &x->own, "NULL", 4);
        return true;
    }
    if (len > (size_t)(end - *p))
        return false;
    add_quoted(x, *p, len, '"', false);
    *p += len;
    return true;
}

ag_status ag_pq_bin_hstore(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    const char *end = p + n;
    size_t start = ag_pq_own_begin(x);
    bool ok = n >= 4;
    uint32_t count = ok ? ag_pq_get32(p) : 0;
    p += ok ? 4 : 0;
    for (uint32_t i = 0; i < count && ok; i++) {
        if (i)
            ag_driver_add(x->core, &x->own, ", ", 2);
        ok = read_text(x, &p, end, false);
        ag_driver_add(x->core, &x->own, "=>", 2);
        ok = ok && read_text(x, &p, end, true);
    }
    return finish(x, out, start, ok && p == end, "hstore", err);
}

/* A pattern becomes a program for a machine that follows all ways through it at once (Thompson, Pike). Bounded: the size of the program,
 * the nesting of groups. */
#include "driver/regex.h"
#include "driver/support.h"
#include <string.h>

#define PROGRAM_MAX 20000u
#define DEPTH_MAX   100u
#define REPEAT_MAX  1000u
#define WORK_MAX    200000u /* atoms, empty groups that are repeated included */
#define STOP_EVERY  4096u

enum { OP_CHAR, OP_ANY, OP_SET, OP_SPLIT, OP_JUMP, OP_BOL, OP_EOL, OP_START, OP_END, OP_WORD, OP_NOT_WORD, OP_MATCH };

typedef struct inst {
    uint8_t op;
    bool negated;  /* SET */
    uint32_t a, b; /* CHAR: code point; SET: first range, number of ranges; SPLIT, JUMP: targets */
} inst;
typedef struct range {
    uint32_t lo, hi;
} range;

struct ag_regex {
    inst *prog;
    range *ranges;
    size_t n, cap, nranges, cap_ranges;
    bool icase, multiline, dotall;
    uint32_t *list[2], *stack, *mark; /* of a search: threads, and the step at which each was added */
};

typedef struct parser {
    ag_regex *r;
    const ag_alloc *a;
    const char *s, *p, *end;
    const char *why;
    bool nomem;
    uint32_t depth, work;
} parser;

/* ---- code points ---- */

static uint32_t next_char(const char **p, const char *end)
{
    const unsigned char *s = (const unsigned char *)*p;
    size_t left = (size_t)(end - *p);
    uint32_t c = s[0];
    unsigned more = c < 0xC0 ? 0 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
    if (more && left > more) {
        uint32_t v = c & (0x3Fu >> more);
        for (unsigned i = 1; i <= more; i++)
            v = v << 6 | (s[i] & 0x3Fu);
        *p += more + 1;
        return v;
    }
    *p += 1;
    return c;
}

static uint32_t fold(uint32_t c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static bool is_word(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

/* ---- emitting ---- */

static bool fail(parser *p, const char *why)
{
    if (!p->why && !p->nomem)
        p->why = why;
    return false;
}

static bool nomem(parser *p)
{
    p->nomem = true;
    return false;
}

static bool emit(parser *p, uint8_t op, uint32_t a, uint32_t b)
{
    ag_regex *r = p->r;
    if (r->n >= PROGRAM_MAX)
        return fail(p, "the pattern is too large");
    if (!ag_driver_grow(p->a, (void **)&r->prog, &r->cap, r->n, sizeof *r->prog))
        return nomem(p);
    r->prog[r->n++] = (inst){.op = op, .a = a, .b = b};
    return true;
}

/* Make room for one instruction at `at`; what stands behind moves, and its targets with it. */
static bool insert(parser *p, size_t at, uint8_t op, uint32_t a, uint32_t b)
{
    ag_regex *r = p->r;
    if (!emit(p, op, a, b))
        return false;
    memmove(&r->prog[at + 1], &r->prog[at], (r->n - 1 - at) * sizeof *r->prog);
    r->prog[at] = (inst){.op = op, .a = a, .b = b};
    for (size_t i = at + 1; i < r->n; i++) {
        inst *x = &r->prog[i];
        if (x->op != OP_SPLIT && x->op != OP_JUMP)
            continue;
        x->a += x->a >= at;
        x->b += x->op == OP_SPLIT && x->b >= at;
    }
    return true;
}

static bool add_range(parser *p, uint32_t lo, uint32_t hi)
{
    ag_regex *r = p->r;
    if (r->nranges >= PROGRAM_MAX)
        return fail(p, "the pattern is too large");
    if (!ag_driver_grow(p->a, (void **)&r->ranges, &r->cap_ranges, r->nranges, sizeof *r->ranges))
        return nomem(p);
    r->ranges[r->nranges++] = (range){lo, hi};
    return true;
}

/* The ranges of \d, \w, \s; negated: of \D, \W, \S. */
static bool add_class(parser *p, char c)
{
    static const range digit[] = {{'0', '9'}},
                       word[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}, {0x80, 0x10FFFF}},
                       space[] = {{9, 13}, {28, 32}, {0x85, 0x85}, {0xA0, 0xA0}};
    char k = (char)(c | 32);
    const range *of = k == 'd' ? digit : k == 'w' ? word : space;
    size_t n = k == 'd' ? 1 : k == 'w' ? 5 : 4;
    if (c & 32) {
        for (size_t i = 0; i < n; i++)
            if (!add_range(p, of[i].lo, of[i].hi))
                return false;
        return true;
    }
    uint32_t from = 0;
    for (size_t i = 0; i < n; i++) {
        if (of[i].lo > from && !add_range(p, from, of[i].lo - 1))
            return false;
        from = of[i].hi + 1;
    }
    return from > 0x10FFFF || add_range(p, from, 0x10FFFF);
}

static bool is_class(char c)
{
    return c && strchr("dDwWsS", c) != NULL;
}

/* ---- parsing ---- */

static bool alternation(parser *p);

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* What stands behind a backslash, as one code point. */
static bool escaped(parser *p, uint32_t *out)
{
    static const char names[] = "ntrfva", values[] = "\n\t\r\f\v\a";
    char c = *p->p;
    const char *at = c ? strchr(names, c) : NULL;
    if (at) {
        *out = (unsigned char)values[at - names];
        p->p++;
        return true;
    }
    if (c == 'x' || c == 'u') {
        int want = c == 'x' ? 2 : 4;
        uint32_t v = 0;
        for (p->p++; want; want--, p->p++) {
            int d = p->p < p->end ? hex_digit(*p->p) : -1;
            if (d < 0)
                return fail(p, "incomplete escape");
            v = v << 4 | (uint32_t)d;
        }
        *out = v;
        return true;
    }
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return fail(p, c >= '1' && c <= '9' ? "back references are not supported" : "unknown escape");
    *out = next_char(&p->p, p->end);
    return true;
}

static bool set_member(parser *p, uint32_t *c, bool *single)
{
    *single = true;
    if (*p->p != '\\') {
        *c = next_char(&p->p, p->end);
        return true;
    }
    if (++p->p >= p->end)
        return fail(p, "the pattern ends in a backslash");
    if (is_class(*p->p)) {
        *single = false;
        return add_class(p, *p->p++);
    }
    if (*p->p == 'b') {
        p->p++;
        *c = '\b';
        return true;
    }
    return escaped(p, c);
}

static bool set(parser *p)
{
    bool negated = p->p < p->end && *p->p == '^';
    uint32_t first = (uint32_t)p->r->nranges, lo = 0, hi = 0;
    bool single;
    p->p += negated;
    for (bool begin = true; p->p < p->end && (*p->p != ']' || begin); begin = false) {
        if (!set_member(p, &lo, &single))
            return false;
        if (!single)
            continue;
        hi = lo;
        if (p->p + 1 < p->end && *p->p == '-' && p->p[1] != ']') {
            p->p++;
            if (!set_member(p, &hi, &single))
                return false;
            if (!single || hi < lo)
                return fail(p, "bad character range");
        }
        if (!add_range(p, lo, hi))
            return false;
    }
    if (p->p >= p->end)
        return fail(p, "unterminated character set");
    p->p++;
    if (!emit(p, OP_SET, first, (uint32_t)p->r->nranges - first))
        return false;
    p->r->prog[p->r->n - 1].negated = negated;
    return true;
}

static bool group(parser *p)
{
    if (p->p < p->end && *p->p == '?') {
        if (p->p + 1 < p->end && p->p[1] == ':')
            p->p += 2;
        else if (p->end - p->p > 2 && p->p[1] == 'P' && p->p[2] == '<') {
            while (p->p < p->end && *p->p != '>')
                p->p++;
            p->p += p->p < p->end;
        } else
            return fail(p, "this kind of group is not supported");
    }
    if (++p->depth > DEPTH_MAX)
        return fail(p, "groups are nested too deeply");
    if (!alternation(p))
        return false;
    p->depth--;
    if (p->p >= p->end || *p->p != ')')
        return fail(p, "missing )");
    p->p++;
    return true;
}

static bool escape(parser *p)
{
    uint32_t c;
    if (p->p >= p->end)
        return fail(p, "the pattern ends in a backslash");
    if (is_class(*p->p)) {
        uint32_t first = (uint32_t)p->r->nranges;
        return add_class(p, *p->p++) && emit(p, OP_SET, first, (uint32_t)p->r->nranges - first);
    }
    switch (*p->p) {
    case 'b': p->p++; return emit(p, OP_WORD, 0, 0);
    case 'B': p->p++; return emit(p, OP_NOT_WORD, 0, 0);
    case 'A': p->p++; return emit(p, OP_START, 0, 0);
    case 'Z': p->p++; return emit(p, OP_END, 0, 0);
    default: return escaped(p, &c) && emit(p, OP_CHAR, c, 0);
    }
}

static bool atom(parser *p)
{
    char c = *p->p;
    if (++p->work > WORK_MAX)
        return fail(p, "the pattern is too large");
    switch (c) {
    case '(': p->p++; return group(p);
    case '[': p->p++; return set(p);
    case '.': p->p++; return emit(p, OP_ANY, 0, 0);
    case '^': p->p++; return emit(p, OP_BOL, 0, 0);
    case '$': p->p++; return emit(p, OP_EOL, 0, 0);
    case '\\': p->p++; return escape(p);
    case '*':
    case '+':
    case '?': return fail(p, "nothing to repeat");
    default: return emit(p, OP_CHAR, next_char(&p->p, p->end), 0);
    }
}

/* "{2}", "{2,}", "{2,5}", "{,5}": false when it is none, and then the bracket stands for itself. */
static bool counted(const char **at, const char *end, uint32_t *min, uint32_t *max)
{
    const char *p = *at + 1;
    uint32_t n[2] = {0, 0};
    bool has[2] = {false, false}, comma = false;
    for (; p < end && *p != '}'; p++) {
        if (*p == ',' && !comma)
            comma = true;
        else if (*p >= '0' && *p <= '9' && n[comma] <= REPEAT_MAX)
            has[comma] = true, n[comma] = n[comma] * 10 + (uint32_t)(*p - '0');
        else
            return false;
    }
    if (p >= end || (!has[0] && !has[1]))
        return false;
    *min = n[0];
    *max = !comma ? n[0] : has[1] ? n[1] : UINT32_MAX;
    *at = p + 1;
    return true;
}

static bool quantifier(parser *p, uint32_t *min, uint32_t *max)
{
    char c = p->p < p->end ? *p->p : '\0';
    *min = c == '+';
    *max = c == '?' ? 1 : UINT32_MAX;
    if (c == '{') {
        if (!counted(&p->p, p->end, min, max))
            return false;
    } else if (c == '*' || c == '+' || c == '?')
        p->p++;
    else
        return false;
    if (p->p < p->end && *p->p == '?')
        p->p++; /* lazy: the same for a search */
    return true;
}

/* The atom from `from` on once more. */
static bool again(parser *p, const char *from)
{
    const char *here = p->p;
    p->p = from;
    bool ok = atom(p);
    p->p = here;
    return ok;
}

static bool star(parser *p, size_t at)
{
    return insert(p, at, OP_SPLIT, (uint32_t)at + 1, (uint32_t)p->r->n + 2) && emit(p, OP_JUMP, (uint32_t)at, 0);
}

/* x{min,max} as min times x, then max - min times an optional x, or x*. */
static bool repeat(parser *p, const char *from, size_t at, uint32_t min, uint32_t max)
{
    if (min > REPEAT_MAX || (max != UINT32_MAX && (max > REPEAT_MAX || max < min)))
        return fail(p, "bad repetition");
    if (max == 0) {
        p->r->n = at;
        return true;
    }
    for (uint32_t i = 1; i < min; i++)
        if (!again(p, from))
            return false;
    if (max == UINT32_MAX) {
        if (min) {
            at = p->r->n;
            if (!again(p, from))
                return false;
        }
        return star(p, at);
    }
    for (uint32_t i = min; i < max; i++) {
        size_t start = min || i > min ? p->r->n : at;
        if ((min || i > min) && !again(p, from))
            return false;
        if (!insert(p, start, OP_SPLIT, (uint32_t)start + 1, (uint32_t)p->r->n + 1))
            return false;
    }
    return true;
}

static bool sequence(parser *p)
{
    while (p->p < p->end && *p->p != '|' && *p->p != ')') {
        const char *from = p->p;
        size_t at = p->r->n;
        uint32_t min, max;
        if (!atom(p))
            return false;
        if (quantifier(p, &min, &max) && !repeat(p, from, at, min, max))
            return false;
        if (p->p < p->end && (*p->p == '*' || *p->p == '+' || *p->p == '?') && p->p[-1] != '\\' && p->p > from + 1 &&
            (p->p[-1] == '*' || p->p[-1] == '+' || p->p[-1] == '}'))
            return fail(p, "multiple repeat");
    }
    return true;
}

static bool alternation(parser *p)
{
    ag_regex *r = p->r;
    size_t at = r->n;
    uint32_t chain = UINT32_MAX; /* JUMPs to the end, each naming the one before it until that is known */
    while (sequence(p)) {
        if (p->p >= p->end || *p->p != '|') {
            while (chain != UINT32_MAX) {
                uint32_t before = r->prog[chain].a;
                r->prog[chain].a = (uint32_t)r->n;
                chain = before;
            }
            return true;
        }
        p->p++;
        if (!insert(p, at, OP_SPLIT, (uint32_t)at + 1, (uint32_t)r->n + 2) || !emit(p, OP_JUMP, chain, 0))
            return false;
        chain = (uint32_t)r->n - 1;
        at = r->n;
    }
    return false;
}

/* "(?ims)" at the beginning. */
static bool flags(parser *p)
{
    if (p->end - p->p < 4 || p->p[0] != '(' || p->p[1] != '?' || !strchr("imsux", p->p[2]))
        return true;
    for (p->p += 2; p->p < p->end && *p->p != ')'; p->p++) {
        switch (*p->p) {
        case 'i': p->r->icase = true; break;
        case 'm': p->r->multiline = true; break;
        case 's': p->r->dotall = true; break;
        case 'u': break;
        default: return fail(p, "unknown flag");
        }
    }
    p->p += p->p < p->end;
    return true;
}

bool ag_regex_new(ag_regex **out, const ag_alloc *a, const char *pattern, size_t len, const char **why)
{
    *out = NULL;
    *why = NULL;
    ag_regex *r = ag_driver_zero(a, sizeof *r);
    if (!r)
        return false;
    parser p = {.r = r, .a = a, .s = pattern, .p = pattern, .end = pattern + len};
    bool ok = flags(&p) && alternation(&p);
    if (ok && p.p < p.end)
        ok = fail(&p, "unbalanced )");
    ok = ok && emit(&p, OP_MATCH, 0, 0);
    for (int i = 0; ok && i < 2; i++)
        ok = (r->list[i] = ag_driver_zero(a, r->n * sizeof *r->list[i])) != NULL;
    ok = ok && (r->stack = ag_driver_zero(a, 2 * r->n * sizeof *r->stack)) != NULL;
    ok = ok && (r->mark = ag_driver_zero(a, r->n * sizeof *r->mark)) != NULL;
    if (!ok) {
        *why = p.why;
        ag_regex_free(r, a);
        return false;
    }
    *out = r;
    return true;
}

void ag_regex_free(ag_regex *r, const ag_alloc *a)
{
    if (!r)
        return;
    ag_driver_free(a, r->prog);
    ag_driver_free(a, r->ranges);
    ag_driver_free(a, r->list[0]);
    ag_driver_free(a, r->list[1]);
    ag_driver_free(a, r->stack);
    ag_driver_free(a, r->mark);
    ag_driver_free(a, r);
}

/* ---- matching ---- */

/* One place in the text, between two characters. */
typedef struct place {
    uint32_t before, after; /* code points; UINT32_MAX: none */
    bool last_newline;      /* only a newline follows */
} place;

static bool holds(const ag_regex *r, const inst *x, const place *at)
{
    bool start = at->before == UINT32_MAX, end = at->after == UINT32_MAX;
    bool border = is_word(start ? ' ' : at->before) != is_word(end ? ' ' : at->after);
    switch (x->op) {
    case OP_BOL: return start || (r->multiline && at->before == '\n');
    case OP_EOL: return end || at->last_newline || (r->multiline && at->after == '\n');
    case OP_START: return start;
    case OP_END: return end;
    case OP_WORD: return border;
    default: return !border;
    }
}

/* Follow everything that consumes nothing from pc on. True: a match. */
static bool add(ag_regex *r, uint32_t *list, uint32_t *n, uint32_t pc, uint32_t step, const place *at)
{
    size_t depth = 0;
    r->stack[depth++] = pc;
    while (depth) {
        pc = r->stack[--depth];
        if (r->mark[pc] == step)
            continue;
        r->mark[pc] = step;
        const inst *x = &r->prog[pc];
        switch (x->op) {
        case OP_MATCH: return true;
        case OP_JUMP: r->stack[depth++] = x->a; break;
        case OP_SPLIT:
            r->stack[depth++] = x->b;
            r->stack[depth++] = x->a;
            break;
        case OP_CHAR:
        case OP_ANY:
        case OP_SET: list[(*n)++] = pc; break;
        default:
            if (holds(r, x, at))
                r->stack[depth++] = pc + 1;
        }
    }
    return false;
}

static bool in_set(const ag_regex *r, const inst *x, uint32_t c)
{
    uint32_t other = c >= 'a' && c <= 'z' ? c - 32 : fold(c);
    for (uint32_t i = x->a; i < x->a + x->b; i++) {
        const range *g = &r->ranges[i];
        if ((c >= g->lo && c <= g->hi) || (r->icase && other >= g->lo && other <= g->hi))
            return !x->negated;
    }
    return x->negated;
}

static bool takes(const ag_regex *r, const inst *x, uint32_t c)
{
    switch (x->op) {
    case OP_CHAR: return x->a == c || (r->icase && fold(x->a) == fold(c));
    case OP_ANY: return r->dotall || c != '\n';
    default: return in_set(r, x, c);
    }
}

static place place_at(uint32_t before, const char *p, const char *end)
{
    place at = {before, UINT32_MAX, false};
    const char *q = p;
    if (p < end) {
        at.after = next_char(&q, end);
        at.last_newline = at.after == '\n' && q == end;
    }
    return at;
}

ag_regex_answer ag_regex_search(ag_regex *r, const char *text, size_t len, bool (*stop)(void *ud), void *ud)
{
    const char *p = text, *end = text + len;
    uint32_t *now = r->list[0], *next = r->list[1], n = 0, step = 1;
    size_t work = 0;
    memset(r->mark, 0, r->n * sizeof *r->mark);
    place at = place_at(UINT32_MAX, p, end);
    for (;; step++) {
        if (add(r, now, &n, 0, step, &at)) /* a match may begin anywhere */
            return AG_REGEX_YES;
        if (p >= end)
            return AG_REGEX_NO;
        work += n + 1;
        if (stop && work >= STOP_EVERY) {
            work = 0;
            if (stop(ud))
                return AG_REGEX_STOPPED;
        }
        uint32_t c = next_char(&p, end), m = 0;
        at = place_at(c, p, end);
        for (uint32_t i = 0; i < n; i++)
            if (takes(r, &r->prog[now[i]], c) && add(r, next, &m, now[i] + 1, step + 1, &at))
                return AG_REGEX_YES;
        uint32_t *other = now;
        now = next;
        next = other;
        n = m;
    }
}

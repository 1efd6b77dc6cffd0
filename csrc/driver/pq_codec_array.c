/* Arrays in both formats: the binary layout of array_send, and array literals with their quoting, nesting, NULLs and
 * explicit bounds ("[0:2]={1,2,3}"). */
#include "driver/pq_codec.h"

enum { MAX_DIMS = 6 }; /* MAXDIM of PostgreSQL */

/* ---- binary ---- */

struct header {
    unsigned ndim;
    uint32_t elem;
    size_t count;
    ag_array_dim dims[MAX_DIMS];
};

static bool read_header(struct header *h, const char *p, size_t n, size_t *used)
{
    if (n < 12)
        return false;
    h->ndim = ag_pq_get32(p);
    h->elem = ag_pq_get32(p + 8);
    if (h->ndim > MAX_DIMS || n < 12 + 8 * (size_t)h->ndim)
        return false;
    h->count = h->ndim ? 1 : 0;
    for (unsigned i = 0; i < h->ndim; i++) {
        int32_t length = (int32_t)ag_pq_get32(p + 12 + 8 * i);
        if (length < 0 || (length && h->count > SIZE_MAX / 64 / (size_t)length))
            return false;
        int32_t lower = (int32_t)ag_pq_get32(p + 16 + 8 * i);
        if ((int64_t)lower + length - 1 > INT32_MAX)
            return false;
        h->dims[i] = (ag_array_dim){.length = length, .lower = lower};
        h->count *= (size_t)length;
    }
    *used = 12 + 8 * (size_t)h->ndim;
    /* every element takes at least its length word: no allocation before that is known to be there */
    return h->count <= (n - *used) / 4;
}

static ag_status pack(ag_pq_codec *x, ag_value *out, unsigned ndim, const ag_array_dim *dims, const ag_value *items,
                      size_t count, ag_error *err)
{
    x->arena_used = true;
    return x->core->array_pack(out, count ? ndim : 0, dims, items, count, &x->arena, err);
}

ag_status ag_pq_bin_array(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    struct header h;
    size_t at;
    if (!read_header(&h, p, n, &at))
        return ag_pq_malformed(x, "array", err);
    const ag_pq_type *t = ag_pq_type_find(h.elem);
    if (!t || !t->binary || t->kind == AG_V_ARRAY)
        return ag_driver_fail(x->core, err, AG_EXC_DATA,
                              "an array of the type with OID %u came in a form that is not known", (unsigned)h.elem);
    ag_value *items = ag_pq_codec_new(x, (h.count ? h.count : 1) * sizeof *items);
    if (!items)
        return x->core->fail_nomem(err);
    for (size_t i = 0; i < h.count; i++) {
        if (n - at < 4)
            return ag_pq_malformed(x, "array", err);
        int32_t len = (int32_t)ag_pq_get32(p + at);
        at += 4;
        items[i] = ag_value_null();
        if (len == -1)
            continue;
        if (len < 0 || (size_t)len > n - at)
            return ag_pq_malformed(x, "array", err);
        AG_TRY(t->binary(x, &items[i], p + at, (size_t)len, err));
        at += (size_t)len;
    }
    return at == n ? pack(x, out, h.ndim, h.dims, items, h.count, err) : ag_pq_malformed(x, "array", err);
}

/* ---- text ---- */

struct literal {
    ag_pq_codec *x;
    const char *p, *end;
    ag_pq_decode_fn item;
    ag_value *items;
    size_t count, cap;
    unsigned ndim;
    ag_array_dim dims[MAX_DIMS];
    int32_t seen[MAX_DIMS]; /* elements so far at each open level */
    bool known[MAX_DIMS];
    ag_error *err;
};

static ag_status bad(struct literal *l)
{
    return ag_pq_malformed(l->x, "array", l->err);
}

static bool read_int(struct literal *l, int32_t *out)
{
    const char *s = l->p;
    int64_t v = 0;
    bool minus = s < l->end && *s == '-';
    s += minus;
    const char *digits = s;
    for (; s < l->end && *s >= '0' && *s <= '9' && v <= INT32_MAX; s++)
        v = v * 10 + (*s - '0');
    if (s == digits || v > (int64_t)INT32_MAX + minus)
        return false;
    *out = (int32_t)(minus ? -v : v);
    l->p = s;
    return true;
}

/* "[1:2][0:3]=" before the braces. */
static bool read_bounds(struct literal *l)
{
    unsigned d = 0;
    while (l->p < l->end && *l->p == '[') {
        int32_t lower, upper;
        l->p++;
        if (d == MAX_DIMS || !read_int(l, &lower) || l->p == l->end || *l->p++ != ':' || !read_int(l, &upper) ||
            l->p == l->end || *l->p++ != ']')
            return false;
        l->dims[d++].lower = lower;
    }
    return !d || (l->p < l->end && *l->p++ == '=');
}

static ag_status add_item(struct literal *l, const char *s, size_t n, bool null)
{
    const ag_services *core = l->x->core;
    if (l->count == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 16;
        ag_value *items = ag_pq_codec_new(l->x, cap * sizeof *items);
        if (!items)
            return core->fail_nomem(l->err);
        if (l->count)
            memcpy(items, l->items, l->count * sizeof *items);
        l->items = items;
        l->cap = cap;
    }
    ag_value *v = &l->items[l->count++];
    *v = ag_value_null();
    return null ? AG_OK : l->item(l->x, v, s, n, l->err);
}

static ag_status quoted_item(struct literal *l)
{
    char *s = ag_pq_codec_new(l->x, (size_t)(l->end - l->p));
    size_t n = 0;
    if (!s)
        return l->x->core->fail_nomem(l->err);
    for (l->p++; l->p < l->end && *l->p != '"'; l->p++) {
        if (*l->p == '\\' && ++l->p == l->end)
            return bad(l);
        s[n++] = *l->p;
    }
    if (l->p == l->end)
        return bad(l);
    l->p++;
    return add_item(l, s, n, false);
}

static ag_status plain_item(struct literal *l)
{
    const char *s = l->p;
    while (l->p < l->end && *l->p != ',' && *l->p != '}' && *l->p != '{' && *l->p != '"')
        l->p++;
    size_t n = (size_t)(l->p - s);
    if (!n)
        return bad(l);
    return add_item(l, s, n, n == 4 && memcmp(s, "NULL", 4) == 0);
}

/* One level is closed: its length must be that of its sisters. */
static bool close_level(struct literal *l, unsigned depth)
{
    if (l->known[depth] && l->dims[depth].length != l->seen[depth])
        return false;
    l->known[depth] = true;
    l->dims[depth].length = l->seen[depth];
    return true;
}

/* The braces, without recursion: depth is how many are open. */
static ag_status read_braces(struct literal *l)
{
    unsigned depth = 0;
    bool want_item = true;
    do {
        if (l->p == l->end)
            return bad(l);
        char ch = *l->p;
        if (ch == '{') {
            if (!want_item || depth == MAX_DIMS || (l->ndim && depth >= l->ndim))
                return bad(l);
            if (depth)
                l->seen[depth - 1]++;
            l->seen[depth++] = 0;
            l->p++;
        } else if (ch == '}') {
            if (!depth || (want_item && l->seen[depth - 1]) || !close_level(l, depth - 1))
                return bad(l);
            if (!l->ndim)
                l->ndim = depth;
            depth--;
            want_item = false;
            l->p++;
        } else if (ch == ',') {
            if (want_item || !depth)
                return bad(l);
            want_item = true;
            l->p++;
        } else {
            if (!want_item || !depth || (l->ndim && depth != l->ndim))
                return bad(l);
            if (!l->ndim)
                l->ndim = depth;
            AG_TRY(ch == '"' ? quoted_item(l) : plain_item(l));
            l->seen[depth - 1]++;
            want_item = false;
        }
    } while (depth);
    return l->p == l->end ? AG_OK : bad(l);
}

ag_status ag_pq_text_array(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_pq_decode_fn item, ag_error *err)
{
    struct literal l = {.x = x, .p = p, .end = p + n, .item = item, .err = err};
    for (unsigned i = 0; i < MAX_DIMS; i++)
        l.dims[i].lower = 1;
    if (!read_bounds(&l) || l.p == l.end || *l.p != '{')
        return bad(&l);
    AG_TRY(read_braces(&l));
    size_t product = l.ndim ? 1 : 0;
    for (unsigned i = 0; i < l.ndim; i++) {
        if (l.dims[i].length && product > SIZE_MAX / (size_t)l.dims[i].length)
            return bad(&l);
        product *= (size_t)l.dims[i].length;
    }
    return product == l.count ? pack(x, out, l.ndim, l.dims, l.items, l.count, err) : bad(&l);
}

ag_status ag_pq_text_vector(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    struct literal l = {.x = x, .p = p, .end = p + n, .item = ag_pq_text_int, .err = err};
    while (l.p < l.end) {
        const char *s = l.p;
        while (l.p < l.end && *l.p != ' ')
            l.p++;
        AG_TRY(add_item(&l, s, (size_t)(l.p - s), false));
        l.p += l.p < l.end;
    }
    if (l.count > INT32_MAX)
        return bad(&l);
    ag_array_dim dim = {.length = (int32_t)l.count, .lower = 0};
    return pack(x, out, 1, &dim, l.items, l.count, err);
}

/* Ranges and multiranges: the binary forms of range_send and multirange_send to and from their text, which is what argent keeps of them.
 * Bounds travel through the codecs of the element's type. */
#include "driver/pq_codec.h"

enum { EMPTY = 1, LOWER_INC = 2, UPPER_INC = 4, LOWER_INF = 8, UPPER_INF = 16 };

static const struct range_oid {
    uint16_t range, multi, element;
} range_oids[] = {{3904, 4451, AG_OID_INT4},        {3906, 4532, AG_OID_NUMERIC}, {3908, 4533, AG_OID_TIMESTAMP},
                  {3910, 4534, AG_OID_TIMESTAMPTZ}, {3912, 4535, AG_OID_DATE},    {3926, 4536, AG_OID_INT8}};

/* The element's OID of a range or multirange type, 0 for others. */
static uint32_t element_of(uint32_t oid, bool *multi)
{
    for (size_t i = 0; i < sizeof range_oids / sizeof *range_oids; i++) {
        *multi = range_oids[i].multi == oid;
        if (*multi || range_oids[i].range == oid)
            return range_oids[i].element;
    }
    return 0;
}

/* ---- binary to text ---- */

/* A bound's text, in quotes where range_out has them. */
static void add_bound(ag_pq_codec *x, const char *s, size_t n)
{
    bool quote = n == 0;
    for (size_t i = 0; i < n; i++)
        quote = quote || memchr("\"\\()[], \t\n", s[i], 10);
    if (quote)
        ag_driver_add_char(x->core, &x->own, '"');
    ag_driver_add(x->core, &x->own, s, n);
    if (quote)
        ag_driver_add_char(x->core, &x->own, '"');
}

static ag_status read_bound(ag_pq_codec *x, uint32_t element, const char **p, const char *end, ag_error *err)
{
    const ag_pq_type *t = ag_pq_type_find(element);
    ag_value v;
    if (end - *p < 4)
        return ag_pq_malformed(x, "range", err);
    uint32_t len = ag_pq_get32(*p);
    *p += 4;
    if (len > (size_t)(end - *p))
        return ag_pq_malformed(x, "range", err);
    AG_TRY(t->binary(x, &v, *p, len, err));
    *p += len;
    ag_buf text = {.alloc = x->alloc};
    ag_status st = ag_pq_put_text(x, &text, &v, err);
    if (st == AG_OK)
        add_bound(x, text.data ? text.data : "", text.len);
    x->own.failed = x->own.failed || text.failed;
    x->core->buf_clear(&text);
    return st;
}

static ag_status read_range(ag_pq_codec *x, uint32_t element, const char *p, size_t n, ag_error *err)
{
    const char *end = p + n;
    unsigned flags = n ? (unsigned char)*p++ : 0xff;
    if (flags > 31 || ((flags & EMPTY) && n != 1))
        return ag_pq_malformed(x, "range", err);
    if (flags & EMPTY) {
        ag_driver_add(x->core, &x->own, "empty", 5);
        return AG_OK;
    }
    ag_driver_add_char(x->core, &x->own, (flags & LOWER_INC) && !(flags & LOWER_INF) ? '[' : '(');
    if (!(flags & LOWER_INF))
        AG_TRY(read_bound(x, element, &p, end, err));
    ag_driver_add_char(x->core, &x->own, ',');
    if (!(flags & UPPER_INF))
        AG_TRY(read_bound(x, element, &p, end, err));
    ag_driver_add_char(x->core, &x->own, (flags & UPPER_INC) && !(flags & UPPER_INF) ? ']' : ')');
    return p == end ? AG_OK : ag_pq_malformed(x, "range", err);
}

static ag_status read_multirange(ag_pq_codec *x, uint32_t element, const char *p, size_t n, ag_error *err)
{
    const char *end = p + n;
    if (n < 4)
        return ag_pq_malformed(x, "multirange", err);
    uint32_t count = ag_pq_get32(p);
    p += 4;
    ag_driver_add_char(x->core, &x->own, '{');
    for (uint32_t i = 0; i < count; i++) {
        if (end - p < 4 || ag_pq_get32(p) > (size_t)(end - p - 4))
            return ag_pq_malformed(x, "multirange", err);
        size_t len = ag_pq_get32(p);
        if (i)
            ag_driver_add_char(x->core, &x->own, ',');
        AG_TRY(read_range(x, element, p + 4, len, err));
        p += 4 + len;
    }
    ag_driver_add_char(x->core, &x->own, '}');
    return p == end ? AG_OK : ag_pq_malformed(x, "multirange", err);
}

static ag_status decode(ag_pq_codec *x, ag_value *out, uint32_t oid, const char *p, size_t n, ag_error *err)
{
    bool multi;
    uint32_t element = element_of(oid, &multi);
    size_t start = ag_pq_own_begin(x);
    ag_status st = (multi ? read_multirange : read_range)(x, element, p, n, err);
    if (st == AG_OK)
        return ag_pq_own_end(x, start, out, err);
    ag_pq_own_drop(x, start);
    return st;
}

#define DECODER(name, oid)                                                                                             \
    ag_status ag_pq_bin_##name(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)                  \
    {                                                                                                                  \
        return decode(x, out, oid, p, n, err);                                                                         \
    }
DECODER(int4range, 3904)
DECODER(numrange, 3906)
DECODER(tsrange, 3908)
DECODER(tstzrange, 3910)
DECODER(daterange, 3912)
DECODER(int8range, 3926)
DECODER(int4multirange, 4451)
DECODER(nummultirange, 4532)
DECODER(tsmultirange, 4533)
DECODER(tstzmultirange, 4534)
DECODER(datemultirange, 4535)
DECODER(int8multirange, 4536)
#undef DECODER

/* ---- text to binary ---- */

struct reader {
    ag_pq_codec *x;
    ag_buf *out;
    const char *p, *end;
    uint32_t element;
    ag_error *err;
};

static void skip_space(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n'))
        r->p++;
}

/* The text of a bound up to `stop` or `other` into the codec's own buffer; *some: there was one (it may be ""). */
static bool bound_text(struct reader *r, char stop, char other, bool *some)
{
    bool quoted = false;
    *some = false;
    for (; r->p < r->end; r->p++) {
        char ch = *r->p;
        if (!quoted && (ch == stop || ch == other))
            return true;
        if (ch == '"') {
            bool twice = quoted && r->p + 1 < r->end && r->p[1] == '"';
            *some = true;
            if (!twice) {
                quoted = !quoted;
                continue;
            }
            r->p++;
        } else if (ch == '\\' && ++r->p == r->end) {
            return false;
        } else if (!quoted && memchr("()[]{},", ch, 7)) {
            return false;
        }
        *some = true;
        ag_driver_add_char(r->x->core, &r->x->own, *r->p);
    }
    return false;
}

/* A bound in binary. *done false: its spelling is not known here. */
static ag_status put_bound(struct reader *r, char stop, char other, bool *infinite, bool *done)
{
    ag_pq_codec *x = r->x;
    size_t start = ag_pq_own_begin(x), at = r->out->len;
    bool some;
    ag_value v;
    *done = bound_text(r, stop, other, &some) && !x->own.failed;
    *infinite = !some;
    if (*done && some) {
        ag_error why = {.alloc = x->alloc};
        ag_status st =
            ag_pq_type_find(r->element)->text(x, &v, x->own.data ? x->own.data + start : "", x->own.len - start, &why);
        x->core->error_clear(&why);
        *done = st == AG_OK;
        if (*done && ag_driver_put(x->core, r->out, 4))
            st = ag_pq_put_binary(x, r->out, r->element, &v, done, r->err);
        if (*done && !r->out->failed)
            ag_pq_set32(r->out->data + at, (uint32_t)(r->out->len - at - 4));
        if (st == AG_NOMEM)
            *done = false; /* the text form is tried, and says so */
    }
    ag_pq_own_drop(x, start);
    return AG_OK;
}

static ag_status put_range(struct reader *r, bool *done)
{
    size_t flags_at = r->out->len;
    bool infinite;
    *done = r->p < r->end;
    ag_driver_add_char(r->x->core, r->out, EMPTY);
    if (r->end - r->p >= 5 && memcmp(r->p, "empty", 5) == 0) {
        r->p += 5;
        return AG_OK;
    }
    if (!*done || (*r->p != '[' && *r->p != '(')) {
        *done = false;
        return AG_OK;
    }
    unsigned flags = *r->p++ == '[' ? LOWER_INC : 0;
    AG_TRY(put_bound(r, ',', ',', &infinite, done));
    if (!*done)
        return AG_OK;
    flags |= infinite ? LOWER_INF : 0u;
    r->p++;
    AG_TRY(put_bound(r, ')', ']', &infinite, done));
    if (!*done)
        return AG_OK;
    flags |= (infinite ? UPPER_INF : 0u) | (*r->p++ == ']' ? UPPER_INC : 0u);
    if (!r->out->failed)
        r->out->data[flags_at] = (char)flags;
    return AG_OK;
}

static ag_status put_multirange(struct reader *r, bool *done)
{
    size_t count_at = r->out->len;
    uint32_t count = 0;
    *done = r->p < r->end && *r->p == '{';
    (void)ag_driver_put(r->x->core, r->out, 4);
    for (r->p++; *done; count++) {
        skip_space(r);
        if (r->p < r->end && *r->p == '}' && !count)
            break;
        size_t at = r->out->len;
        (void)ag_driver_put(r->x->core, r->out, 4);
        AG_TRY(put_range(r, done));
        if (*done && !r->out->failed)
            ag_pq_set32(r->out->data + at, (uint32_t)(r->out->len - at - 4));
        skip_space(r);
        *done = *done && r->p < r->end && (*r->p == ',' || *r->p == '}');
        if (*done && *r->p++ == '}') {
            r->p--;
            count++;
            break;
        }
    }
    if (*done)
        r->p++;
    if (!r->out->failed)
        ag_pq_set32(r->out->data + count_at, count);
    return AG_OK;
}

ag_status ag_pq_put_range(ag_pq_codec *x, ag_buf *out, uint32_t oid, const ag_str *s, bool *done, ag_error *err)
{
    bool multi;
    struct reader r = {
        .x = x, .out = out, .p = s->p, .end = s->p + s->n, .element = element_of(oid, &multi), .err = err};
    *done = false;
    if (!r.element)
        return AG_OK;
    skip_space(&r);
    AG_TRY((multi ? put_multirange : put_range)(&r, done));
    skip_space(&r);
    *done = *done && r.p == r.end;
    return AG_OK;
}

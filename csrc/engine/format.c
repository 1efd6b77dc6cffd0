/* Readable parameters. Lengths follow SQLAlchemy's _repr_params: 300 characters a value, 8 + 2 sets. */
#include "engine/format.h"
#include "base/utf8.h"
#include "value/datetime.h"
#include "value/row.h"

#define VALUE_MAX  300u
#define SETS_HEAD  8u
#define SETS_TAIL  2u
#define VALUES_MAX 20u

static void quoted(ag_buf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\'')
            ag_buf_char(out, '\'');
        ag_buf_char(out, s[i]);
    }
}

/* A code point is never cut. */
static size_t skip_back(const char *s, size_t n, size_t at)
{
    while (at < n && ((unsigned char)s[at] & 0xC0u) == 0x80u)
        at++;
    return at;
}

static void text(ag_buf *out, const char *s, size_t n)
{
    ag_buf_char(out, '\'');
    if (n <= VALUE_MAX) {
        quoted(out, s, n);
    } else {
        size_t head = ag_utf8_cut(s, n, VALUE_MAX / 2), tail = skip_back(s, n, n - VALUE_MAX / 2);
        quoted(out, s, head);
        ag_buf_printf(out, " ... (%zu bytes cut) ... ", tail - head);
        quoted(out, s + tail, n - tail);
    }
    ag_buf_char(out, '\'');
}

static void bytes(ag_buf *out, const char *s, size_t n)
{
    size_t shown = n <= VALUE_MAX / 2 ? n : VALUE_MAX / 2;
    ag_buf_str(out, "x'");
    for (size_t i = 0; i < shown; i++)
        ag_buf_printf(out, "%02x", (unsigned)(unsigned char)s[i]);
    if (shown < n)
        ag_buf_printf(out, " ... (%zu bytes cut)", n - shown);
    ag_buf_char(out, '\'');
}

static void array(ag_buf *out, const ag_value *v)
{
    size_t n = ag_array_count(v->u.s.p, v->u.s.n);
    ag_buf_char(out, '[');
    for (size_t i = 0; i < n && i < VALUES_MAX; i++) {
        ag_value item;
        ag_array_get(&item, v->u.s.p, v->u.s.n, i);
        if (i)
            ag_buf_str(out, ", ");
        ag_format_value(out, &item);
    }
    if (n > VALUES_MAX)
        ag_buf_printf(out, " ... (%zu members)", n);
    ag_buf_char(out, ']');
}

void ag_format_value(ag_buf *out, const ag_value *v)
{
    char small[80];
    switch (v->kind) {
    case AG_V_NULL: ag_buf_str(out, "NULL"); break;
    case AG_V_BOOL: ag_buf_str(out, v->u.i ? "true" : "false"); break;
    case AG_V_INT: ag_buf_int(out, v->u.i); break;
    case AG_V_FLOAT: ag_buf_double(out, v->u.f); break;
    case AG_V_DECIMAL: ag_buf_add(out, v->u.s.p, v->u.s.n); break;
    case AG_V_BYTES: bytes(out, v->u.s.p, v->u.s.n); break;
    case AG_V_ARRAY: array(out, v); break;
    case AG_V_DATE:
    case AG_V_TIME:
    case AG_V_DATETIME:
    case AG_V_INTERVAL: {
        size_t n = ag_temporal_write(small, v, ' ', -1);
        ag_buf_char(out, '\'');
        ag_buf_add(out, small, n);
        ag_buf_char(out, '\'');
        break;
    }
    case AG_V_TEXT:
    case AG_V_UUID:
    case AG_V_JSON:
    case AG_V_RAW: text(out, v->u.s.p, v->u.s.n); break;
    default: ag_buf_str(out, "<host value>"); break;
    }
}

void ag_format_set(ag_buf *out, const ag_value *values, size_t n)
{
    bool cut = n > VALUES_MAX;
    ag_buf_char(out, '(');
    for (size_t i = 0; i < n; i++) {
        if (cut && i == VALUES_MAX / 2) {
            ag_buf_printf(out, " ... %zu parameters cut ... ", n - VALUES_MAX);
            i = n - VALUES_MAX / 2;
        } else if (i) {
            ag_buf_str(out, ", ");
        }
        ag_format_value(out, &values[i]);
    }
    ag_buf_char(out, ')');
}

void ag_format_sets(ag_buf *out, const ag_value *values, size_t nsets, size_t nparams, bool many)
{
    if (!many && nsets <= 1) {
        ag_format_set(out, values, nparams);
        return;
    }
    bool cut = nsets > SETS_HEAD + SETS_TAIL;
    ag_buf_char(out, '[');
    for (size_t i = 0; i < nsets; i++) {
        if (cut && i == SETS_HEAD) {
            ag_buf_printf(out, "  ... displaying %u of %zu total bound parameter sets ...  ", SETS_HEAD + SETS_TAIL,
                          nsets);
            i = nsets - SETS_TAIL;
        } else if (i) {
            ag_buf_str(out, ", ");
        }
        ag_format_set(out, values + i * nparams, nparams);
    }
    ag_buf_char(out, ']');
}

void ag_format_hidden(ag_buf *out)
{
    ag_buf_str(out, "[SQL parameters hidden due to hide_parameters=true]");
}

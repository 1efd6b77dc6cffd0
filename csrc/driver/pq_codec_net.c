/* Network addresses, bit strings, jsonpath and the system's numbers in binary (network.c, mac.c, mac8.c, varbit.c, jsonpath.c), whose
 * values are the types' own text. Encoders understand the canonical spellings; others go as text, which the server reads. */
#include "driver/pq_codec.h"

/* ---- text made here ---- */

size_t ag_pq_own_begin(const ag_pq_codec *x)
{
    return x->own.len;
}

void ag_pq_own_drop(ag_pq_codec *x, size_t start)
{
    x->own.len = start;
}

ag_status ag_pq_own_end(ag_pq_codec *x, size_t start, ag_value *out, ag_error *err)
{
    size_t n = x->own.len - start;
    char *s = x->own.failed ? NULL : ag_pq_codec_new(x, n ? n : 1);
    if (s && n)
        memcpy(s, x->own.data + start, n);
    x->own.len = start;
    if (!s)
        return x->core->fail_nomem(err);
    *out = ag_value_bytes(AG_V_RAW, s, n);
    return AG_OK;
}

static void add_int(ag_pq_codec *x, int64_t v)
{
    char digits[24];
    ag_driver_add(x->core, &x->own, digits, ag_driver_int_text(digits, v));
}

static void add_hex(ag_pq_codec *x, unsigned v, int digits)
{
    static const char hex[] = "0123456789abcdef";
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
        ag_driver_add_char(x->core, &x->own, hex[v >> shift & 15]);
}

/* ---- inet, cidr ---- */

enum { FAMILY_INET = 2, FAMILY_INET6 = 3 };

static void add_v4(ag_pq_codec *x, const unsigned char *a)
{
    for (int i = 0; i < 4; i++) {
        if (i)
            ag_driver_add_char(x->core, &x->own, '.');
        add_int(x, a[i]);
    }
}

struct run {
    int base, len;
};

/* The longest run of zero words, of at least two. */
static struct run zero_run(const unsigned words[8])
{
    struct run best = {-1, 0}, cur = {-1, 0};
    for (int i = 0; i < 8; i++) {
        if (words[i]) {
            cur = (struct run){-1, 0};
            continue;
        }
        cur = cur.base < 0 ? (struct run){i, 1} : (struct run){cur.base, cur.len + 1};
        if (cur.len > best.len)
            best = cur;
    }
    return best.len < 2 ? (struct run){-1, 0} : best;
}

/* As pg_inet_net_ntop writes it: the longest run of zeros shortened, an embedded IPv4 address in its own form. */
static void add_v6(ag_pq_codec *x, const unsigned char *a)
{
    unsigned w[8];
    for (int i = 0; i < 8; i++)
        w[i] = (unsigned)a[2 * i] << 8 | a[2 * i + 1];
    struct run z = zero_run(w);
    for (int i = 0; i < 8; i++) {
        if (z.base >= 0 && i >= z.base && i < z.base + z.len) {
            if (i == z.base)
                ag_driver_add_char(x->core, &x->own, ':');
            continue;
        }
        if (i)
            ag_driver_add_char(x->core, &x->own, ':');
        bool v4 = z.len == 6 || (z.len == 7 && w[7] != 1) || (z.len == 5 && w[5] == 0xffff);
        if (i == 6 && z.base == 0 && v4) {
            add_v4(x, a + 12);
            return;
        }
        add_hex(x, w[i], w[i] > 0xfff ? 4 : w[i] > 0xff ? 3 : w[i] > 0xf ? 2 : 1);
    }
    if (z.base >= 0 && z.base + z.len == 8)
        ag_driver_add_char(x->core, &x->own, ':');
}

static ag_status address(ag_pq_codec *x, ag_value *out, const char *p, size_t n, unsigned cidr, ag_error *err)
{
    const unsigned char *b = (const unsigned char *)p;
    size_t bytes = n < 4 ? 0 : b[0] == FAMILY_INET ? 4 : b[0] == FAMILY_INET6 ? 16 : 0;
    if (!bytes || n != 4 + bytes || b[3] != bytes || b[1] > 8 * bytes || b[2] != cidr)
        return ag_pq_malformed(x, "inet", err);
    size_t start = ag_pq_own_begin(x);
    if (bytes == 4)
        add_v4(x, b + 4);
    else
        add_v6(x, b + 4);
    if (cidr || b[1] != 8 * bytes) {
        ag_driver_add_char(x->core, &x->own, '/');
        add_int(x, b[1]);
    }
    return ag_pq_own_end(x, start, out, err);
}

ag_status ag_pq_bin_inet(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    return address(x, out, p, n, 0, err);
}

ag_status ag_pq_bin_cidr(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    return address(x, out, p, n, 1, err);
}

/* A number of up to three digits; false when there is none. */
static bool small_int(const char **p, const char *end, unsigned max, unsigned *out)
{
    const char *s = *p;
    unsigned v = 0;
    while (s < end && s - *p < 3 && *s >= '0' && *s <= '9')
        v = v * 10 + (unsigned)(*s++ - '0');
    bool ok = s > *p && v <= max && (s - *p == 1 || **p != '0');
    *p = s;
    *out = v;
    return ok;
}

/* Only IPv4 in full; IPv6 and short forms are left to the server. */
bool ag_pq_put_inet(ag_pq_codec *x, ag_buf *out, const char *s, size_t n)
{
    const char *end = s + n;
    unsigned char head[8] = {FAMILY_INET, 32, 0, 4};
    for (int i = 0; i < 4; i++) {
        unsigned v;
        if ((i && (s == end || *s++ != '.')) || !small_int(&s, end, 255, &v))
            return false;
        head[4 + i] = (unsigned char)v;
    }
    if (s < end) {
        unsigned bits;
        if (*s++ != '/' || !small_int(&s, end, 32, &bits) || s != end)
            return false;
        head[1] = (unsigned char)bits;
    }
    ag_driver_add(x->core, out, head, 8);
    return true;
}

/* ---- macaddr, macaddr8 ---- */

static ag_status mac(ag_pq_codec *x, ag_value *out, const char *p, size_t n, size_t want, ag_error *err)
{
    if (n != want)
        return ag_pq_malformed(x, "macaddr", err);
    size_t start = ag_pq_own_begin(x);
    for (size_t i = 0; i < n; i++) {
        if (i)
            ag_driver_add_char(x->core, &x->own, ':');
        add_hex(x, (unsigned char)p[i], 2);
    }
    return ag_pq_own_end(x, start, out, err);
}

ag_status ag_pq_bin_macaddr(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    return mac(x, out, p, n, 6, err);
}

ag_status ag_pq_bin_macaddr8(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    return mac(x, out, p, n, 8, err);
}

static int hex_digit(char ch)
{
    char low = (char)(ch | 0x20);
    return ch >= '0' && ch <= '9' ? ch - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* "08:00:2b:01:02:03" and no other spelling. */
bool ag_pq_put_macaddr(ag_pq_codec *x, ag_buf *out, const char *s, size_t n, unsigned bytes)
{
    char mac_bytes[8];
    if (n != 3 * (size_t)bytes - 1)
        return false;
    for (size_t i = 0; i < bytes; i++) {
        int hi = hex_digit(s[3 * i]), lo = hex_digit(s[3 * i + 1]);
        if (hi < 0 || lo < 0 || (i + 1 < bytes && s[3 * i + 2] != ':'))
            return false;
        mac_bytes[i] = (char)(hi << 4 | lo);
    }
    ag_driver_add(x->core, out, mac_bytes, bytes);
    return true;
}

/* ---- bit, varbit ---- */

ag_status ag_pq_bin_bit(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    size_t bits = n >= 4 ? ag_pq_get32(p) : SIZE_MAX;
    if (n < 4 || bits > INT32_MAX || n - 4 != (bits + 7) / 8)
        return ag_pq_malformed(x, "bit", err);
    char *s = ag_pq_codec_new(x, bits ? bits : 1);
    if (!s)
        return x->core->fail_nomem(err);
    for (size_t i = 0; i < bits; i++)
        s[i] = (char)('0' + ((unsigned char)p[4 + i / 8] >> (7 - i % 8) & 1));
    *out = ag_value_bytes(AG_V_RAW, s, bits);
    return AG_OK;
}

bool ag_pq_put_bit(ag_pq_codec *x, ag_buf *out, const char *s, size_t n)
{
    if (n > INT32_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s[i] != '0' && s[i] != '1')
            return false;
    }
    char *p = ag_driver_put(x->core, out, 4 + (n + 7) / 8);
    if (!p)
        return true;
    ag_pq_set32(p, (uint32_t)n);
    memset(p + 4, 0, (n + 7) / 8);
    for (size_t i = 0; i < n; i++)
        p[4 + i / 8] = (char)((unsigned char)p[4 + i / 8] | (unsigned)(s[i] - '0') << (7 - i % 8));
    return true;
}

/* ---- jsonpath, xid, tid ---- */

ag_status ag_pq_bin_jsonpath(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    if (n < 1 || p[0] != 1)
        return ag_pq_malformed(x, "jsonpath", err);
    *out = ag_value_bytes(AG_V_RAW, p + 1, n - 1);
    return AG_OK;
}

ag_status ag_pq_bin_xid(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    if (n != 4)
        return ag_pq_malformed(x, "xid", err);
    size_t start = ag_pq_own_begin(x);
    add_int(x, ag_pq_get32(p));
    return ag_pq_own_end(x, start, out, err);
}

ag_status ag_pq_bin_tid(ag_pq_codec *x, ag_value *out, const char *p, size_t n, ag_error *err)
{
    if (n != 6)
        return ag_pq_malformed(x, "tid", err);
    size_t start = ag_pq_own_begin(x);
    ag_driver_add_char(x->core, &x->own, '(');
    add_int(x, ag_pq_get32(p));
    ag_driver_add_char(x->core, &x->own, ',');
    add_int(x, ag_pq_get16(p + 4));
    ag_driver_add_char(x->core, &x->own, ')');
    return ag_pq_own_end(x, start, out, err);
}

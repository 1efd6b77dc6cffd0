/* Arrays as bytes: dimensions, then packed rows of elements. The bytes may stand at any address, so everything is read
 * by memcpy. Every row but the last has ROW_ELEMS elements. */
#include "value/row.h"
#include "value/cell.h"

#define ROW_ELEMS 65535u
#define MAX_DIMS  6u /* PostgreSQL's MAXDIM */
#define HEAD      8u

static size_t align8(size_t n)
{
    return (n + 7u) & ~(size_t)7u;
}

unsigned ag_array_ndim(const char *bytes, size_t n)
{
    uint32_t ndim;
    if (n < HEAD)
        return 0;
    memcpy(&ndim, bytes, sizeof ndim);
    return ndim <= MAX_DIMS && HEAD + ndim * sizeof(ag_array_dim) <= n ? ndim : 0;
}

ag_array_dim ag_array_dim_get(const char *bytes, size_t n, unsigned dim)
{
    ag_array_dim d = {0, 1};
    if (dim < ag_array_ndim(bytes, n))
        memcpy(&d, bytes + HEAD + dim * sizeof d, sizeof d);
    return d;
}

size_t ag_array_count(const char *bytes, size_t n)
{
    unsigned ndim = ag_array_ndim(bytes, n);
    size_t count = ndim > 0;
    for (unsigned i = 0; i < ndim; i++)
        count *= (size_t)ag_array_dim_get(bytes, n, i).length;
    return count;
}

void ag_array_get(ag_value *out, const char *bytes, size_t n, size_t index)
{
    *out = ag_value_null();
    if (index >= ag_array_count(bytes, n))
        return;
    const char *row = bytes + align8(HEAD + ag_array_ndim(bytes, n) * sizeof(ag_array_dim));
    ag_row head;
    for (memcpy(&head, row, sizeof head); index >= ROW_ELEMS; index -= ROW_ELEMS) {
        row += align8(head.size);
        memcpy(&head, row, sizeof head);
    }
    ag_cell_read(out, row, head.ncols, (unsigned)index);
}

static ag_status check_dims(unsigned ndim, const ag_array_dim *dims, size_t count, ag_error *err)
{
    size_t product = ndim > 0;
    if (ndim > MAX_DIMS)
        return ag_fail(err, AG_EXC_DATA, "an array has at most %u dimensions, not %u", MAX_DIMS, ndim);
    for (unsigned i = 0; i < ndim; i++) {
        if (dims[i].length < 0 || !ag_size_mul(&product, product, (size_t)dims[i].length))
            return ag_fail(err, AG_EXC_DATA, "dimension %u of an array has a bad length", i + 1);
    }
    if (product != count)
        return ag_fail(err, AG_EXC_DATA, "an array's dimensions ask for %zu elements, it has %zu", product, count);
    return AG_OK;
}

static ag_status build_rows(ag_rows *rs, const ag_value *items, size_t count, ag_error *err)
{
    size_t at = 0;
    do {
        size_t n = count - at < ROW_ELEMS ? count - at : ROW_ELEMS;
        if (!ag_rows_begin(rs, (unsigned)n))
            return ag_fail_nomem(err);
        for (size_t i = 0; i < n; i++, at++) {
            if (items[at].kind == AG_V_ARRAY)
                return ag_fail(err, AG_EXC_DATA, "element %zu of an array is an array: use dimensions", at + 1);
            ag_rows_value(rs, &items[at]);
        }
        ag_rows_end(rs);
        if (rs->failed)
            return ag_fail_nomem(err);
    } while (at < count);
    return AG_OK;
}

static char *join_rows(const ag_rows *rs, unsigned ndim, const ag_array_dim *dims, ag_arena *ar, size_t *len)
{
    size_t head = align8(HEAD + ndim * sizeof *dims), size = head;
    ag_rows_pos pos = {0};
    for (const ag_row *r; (r = ag_rows_next(rs, &pos));)
        size = align8(size) + r->size;
    char *bytes = ag_arena_zero(ar, size, 1);
    if (!bytes)
        return NULL;
    uint32_t n = ndim;
    memcpy(bytes, &n, sizeof n);
    if (ndim)
        memcpy(bytes + HEAD, dims, ndim * sizeof *dims);
    size_t at = head;
    pos = (ag_rows_pos){0};
    for (const ag_row *r; (r = ag_rows_next(rs, &pos)); at += r->size) {
        at = align8(at);
        memcpy(bytes + at, r, r->size);
    }
    *len = size;
    return bytes;
}

ag_status ag_array_pack(ag_value *out, unsigned ndim, const ag_array_dim *dims, const ag_value *items, size_t count,
                        ag_arena *ar, ag_error *err)
{
    AG_TRY(check_dims(ndim, dims, count, err));
    if (count == 0)
        ndim = 0;
    ag_rows rs;
    ag_rows_init(&rs, ar->alloc);
    ag_status st = build_rows(&rs, items, count, err);
    if (st == AG_OK) {
        size_t len;
        char *bytes = join_rows(&rs, ndim, dims, ar, &len);
        if (bytes)
            *out = ag_value_bytes(AG_V_ARRAY, bytes, len);
        else
            st = ag_fail_nomem(err);
    }
    ag_rows_clear(&rs);
    return st;
}

/* Chunks of packed rows and the reading of cells. Rows stand back to back in a chunk, each starting at a multiple of 8;
 * the row under construction is always the last thing in the last chunk, and moves to a new one when it outgrows it.
 * Invariant: only the last chunk can be without finished rows. */
#include "value/row.h"
#include "value/cell.h"

#define MIN_CHUNK 1024u /* malloc hands these out from its thread cache: most results are a row or two */
#define MAX_CHUNK ((size_t)1 << 20)

void ag_rows_init(ag_rows *rs, const ag_alloc *alloc)
{
    *rs = (ag_rows){.alloc = alloc};
}

void ag_rows_clear(ag_rows *rs)
{
    for (ag_rows_chunk *c = rs->first, *next; c; c = next) {
        next = c->next;
        ag_mem_free(rs->alloc, c);
    }
    ag_rows_init(rs, rs->alloc);
}

static bool fail(ag_rows *rs)
{
    rs->failed = true;
    return false;
}

/* Memory doubles from 1 KiB to 1 MiB a chunk; a row that needs more gets exactly that. */
static size_t chunk_room(const ag_rows *rs, size_t need)
{
    size_t size = rs->bytes < MIN_CHUNK ? MIN_CHUNK : rs->bytes > MAX_CHUNK ? MAX_CHUNK : rs->bytes;
    size -= sizeof(ag_rows_chunk);
    return size < need ? need : size;
}

static ag_rows_chunk *chunk_new(ag_rows *rs, size_t room)
{
    size_t size;
    if (!ag_size_add(&size, room, sizeof(ag_rows_chunk) + 7u))
        return NULL;
    size &= ~(size_t)7u;
    room = size - sizeof(ag_rows_chunk);
    ag_rows_chunk *c = ag_mem_new(rs->alloc, size);
    if (!c)
        return NULL;
    *c = (ag_rows_chunk){.prev = rs->last, .room = room};
    rs->bytes += size;
    return c;
}

static void chunk_free(ag_rows *rs, ag_rows_chunk *c)
{
    rs->bytes -= c->room + sizeof *c;
    ag_mem_free(rs->alloc, c);
}

static void chunk_append(ag_rows *rs, ag_rows_chunk *c)
{
    ag_rows_chunk *old = rs->last;
    /* An empty chunk has no reader and would break the invariant. */
    if (old && old->used == 0) {
        c->prev = old->prev;
        chunk_free(rs, old);
    }
    if (c->prev)
        c->prev->next = c;
    else
        rs->first = c;
    rs->last = c;
}

static void set_current(ag_rows *rs, ag_rows_chunk *c)
{
    size_t room = c->room - c->used;
    rs->cur = ag_rows_chunk_data(c) + c->used;
    rs->cap = room > UINT32_MAX ? UINT32_MAX : (uint32_t)room;
}

bool ag_rows_begin(ag_rows *rs, unsigned ncols)
{
    uint32_t need = ag_row_fixed_size(ncols);
    ag_rows_chunk *c = rs->last;
    if (rs->failed || ncols > UINT16_MAX)
        return fail(rs);
    if (!c || c->room - c->used < need) {
        c = chunk_new(rs, chunk_room(rs, need));
        if (!c)
            return fail(rs);
        chunk_append(rs, c);
    }
    set_current(rs, c);
    rs->used = need;
    rs->ncols = (uint16_t)ncols;
    rs->col = 0;
    ag_row head = {.ncols = (uint16_t)ncols};
    memcpy(rs->cur, &head, sizeof head);
    memset(rs->cur + sizeof head + 8u * ncols, AG_V_NULL, (ncols + 7u) & ~7u);
    return true;
}

bool ag_rows_grow(ag_rows *rs, size_t need)
{
    if (rs->failed || need > UINT32_MAX - (size_t)rs->used)
        return fail(rs);
    size_t least = rs->used + need;
    if (least <= rs->cap)
        return true;
    /* A row that grew before will grow again: half as much more keeps copying linear. */
    if (rs->last->used == 0)
        least += rs->cap / 2;
    ag_rows_chunk *c = chunk_new(rs, chunk_room(rs, least > UINT32_MAX ? UINT32_MAX : least));
    if (!c)
        return fail(rs);
    memcpy(ag_rows_chunk_data(c), rs->cur, rs->used);
    chunk_append(rs, c);
    set_current(rs, c);
    return true;
}

const ag_row *ag_rows_next(const ag_rows *rs, ag_rows_pos *pos)
{
    const ag_rows_chunk *c = pos->chunk;
    size_t offset = pos->offset;
    if (!c) {
        c = rs->first;
        offset = 0;
    } else if (offset == c->used && c->next) {
        c = c->next;
        offset = 0;
    }
    if (!c || offset == c->used)
        return NULL;
    const ag_row *r = (const ag_row *)(const void *)(ag_rows_chunk_data_const(c) + offset);
    pos->chunk = c;
    pos->offset = offset + ag_row_stride(r);
    pos->index++;
    return r;
}

void ag_rows_drop_read(ag_rows *rs, ag_rows_pos *pos)
{
    if (!pos->chunk)
        return;
    while (rs->first != pos->chunk) {
        ag_rows_chunk *next = rs->first->next;
        chunk_free(rs, rs->first);
        rs->first = next;
        next->prev = NULL;
    }
    ag_rows_chunk *c = rs->first;
    if (pos->offset < c->used)
        return;
    if (c->next) {
        rs->first = c->next;
        rs->first->prev = NULL;
        chunk_free(rs, c);
    } else if (!rs->cur) {
        c->used = 0; /* wholly read and the last: filled again from its start */
    } else {
        return;
    }
    pos->chunk = NULL;
    pos->offset = 0;
}

ag_status ag_rows_append(ag_rows *rs, const ag_row *r, ag_error *err)
{
    if (!ag_rows_begin(rs, r->ncols) || (r->size > rs->cap && !ag_rows_grow(rs, r->size - rs->used))) {
        ag_rows_abandon(rs);
        return ag_fail_nomem(err);
    }
    memcpy(rs->cur, r, r->size);
    rs->used = r->size;
    ag_rows_end(rs);
    return AG_OK;
}

void ag_rows_value(ag_rows *rs, const ag_value *v)
{
    bool zoned = v->flags & AG_V_ZONED;
    if (ag_vkind_has_bytes(v->kind)) {
        ag_rows_bytes(rs, v->kind, v->u.s.p, v->u.s.n, ag_rows_grow);
    } else if (v->kind == AG_V_FLOAT) {
        ag_rows_float(rs, v->u.f);
    } else if (v->kind == AG_V_INTERVAL) {
        ag_rows_bytes(rs, AG_V_INTERVAL, &v->u.iv, sizeof v->u.iv, ag_rows_grow);
    } else if (v->kind == AG_V_TIME && zoned) {
        int64_t pair[2] = {v->u.i, v->offset};
        ag_rows_bytes(rs, AG_V_TIME | AG_CELL_ZONED, pair, sizeof pair, ag_rows_grow);
    } else if (v->kind == AG_V_NULL) {
        ag_rows_null(rs);
    } else {
        ag_rows_int(rs, v->kind | (zoned ? AG_CELL_ZONED : 0u), v->u.i);
    }
}

void ag_cell_read(ag_value *out, const char *row, unsigned ncols, unsigned i)
{
    uint64_t bits;
    uint8_t kind = (uint8_t)row[sizeof(ag_row) + 8u * ncols + i];
    memcpy(&bits, row + sizeof(ag_row) + 8u * i, sizeof bits);
    const char *bytes = row + (uint32_t)bits;
    *out = (ag_value){.kind = AG_CELL_KIND(kind), .flags = kind & AG_CELL_ZONED ? AG_V_ZONED : 0};
    if (ag_vkind_has_bytes(out->kind)) {
        out->u.s = (ag_str){bytes, (size_t)(bits >> 32)};
    } else if (out->kind == AG_V_FLOAT) {
        memcpy(&out->u.f, &bits, sizeof bits);
    } else if (out->kind == AG_V_INTERVAL) {
        memcpy(&out->u.iv, bytes, sizeof out->u.iv);
    } else if (kind == (AG_V_TIME | AG_CELL_ZONED)) {
        int64_t pair[2];
        memcpy(pair, bytes, sizeof pair);
        out->u.i = pair[0];
        out->offset = (int32_t)pair[1];
    } else if (out->kind != AG_V_NULL) {
        out->u.i = (int64_t)bits;
    }
}

void ag_row_get(ag_value *out, const ag_row *r, unsigned i)
{
    ag_cell_read(out, (const char *)r, r->ncols, i);
}

/* Packed rows: one block a row, header, 8-byte cells, a kind byte per cell, then the bytes of strings. A row can be
 * copied with memcpy and holds no pointer. Drivers write rows through ag_rows' inline builder; the binding copies a
 * block into a userdata; entities (orm/state.h) have the same cells. */
#ifndef AG_VALUE_ROW_H
#define AG_VALUE_ROW_H

#include "value/value.h"
#include <string.h>

typedef struct ag_row {
    uint32_t size;  /* bytes of the whole block */
    uint16_t ncols; /* cells */
    uint16_t flags;
    /* uint64_t cells[ncols]; uint8_t kinds[ncols] (padded to 8); bytes */
} ag_row;

/* Cell contents by kind: BOOL, INT, DATE, TIME: int64; FLOAT: double; DATETIME: int64; byte kinds: {uint32 offset from
 * the block's start, uint32 length}, the bytes are followed by a NUL; INTERVAL: as byte kinds, 16 bytes ag_interval;
 * zoned TIME and DATETIME: kind byte has AG_CELL_ZONED set; DATETIME zoned is UTC (offset 0); zoned TIME: byte kind with
 * {int64 us; int64 offset}. */
#define AG_CELL_ZONED   0x80u
#define AG_CELL_KIND(k) ((k)&0x7fu)

static inline const uint64_t *ag_row_cells(const ag_row *r)
{
    return (const uint64_t *)(const void *)(r + 1);
}
static inline const uint8_t *ag_row_kinds(const ag_row *r)
{
    return (const uint8_t *)(ag_row_cells(r) + r->ncols);
}
/* Borrow cell i (from 0) as a value; its bytes live as long as the row. */
void ag_row_get(ag_value *out, const ag_row *r, unsigned i);
/* Bytes of a row before string bytes, for ncols cells. */
static inline uint32_t ag_row_fixed_size(unsigned ncols)
{
    return (uint32_t)(sizeof(ag_row) + 8u * ncols + ((ncols + 7u) & ~7u));
}

/* Bytes from this row to the next in a chunk: rows start at multiples of 8. */
static inline size_t ag_row_stride(const ag_row *r)
{
    return ((size_t)r->size + 7u) & ~(size_t)7u;
}

/* All rows of a result (or of a window of it), in chunks. A chunk's fields belong to row.c and the inlines below. */
typedef struct ag_rows_chunk ag_rows_chunk;
struct ag_rows_chunk {
    ag_rows_chunk *next, *prev;
    size_t room, used; /* bytes after this head; those of finished rows */
};
static inline char *ag_rows_chunk_data(ag_rows_chunk *c)
{
    return (char *)(c + 1);
}
static inline const char *ag_rows_chunk_data_const(const ag_rows_chunk *c)
{
    return (const char *)(c + 1);
}
typedef struct ag_rows {
    const ag_alloc *alloc;
    ag_rows_chunk *first, *last;
    size_t count; /* finished rows, those that were dropped too */
    size_t bytes; /* memory held */
    /* the row under construction */
    char *cur;          /* block start, inside last; NULL between rows */
    uint32_t used, cap; /* of the block: bytes written, room */
    uint16_t ncols, col;
    bool failed; /* sticky out of memory, or a row over 4 GiB */
} ag_rows;

void ag_rows_init(ag_rows *rs, const ag_alloc *alloc);
void ag_rows_clear(ag_rows *rs);
/* Iterate: pos starts zeroed. NULL at the end; rows finished later are found by calling again. The row stays valid until
 * ag_rows_clear or ag_rows_drop_read. */
typedef struct ag_rows_pos {
    const ag_rows_chunk *chunk;
    size_t offset;
    size_t index; /* rows returned so far */
} ag_rows_pos;
const ag_row *ag_rows_next(const ag_rows *rs, ag_rows_pos *pos);
/* Free the chunks of which every row was read. Other positions in these rows become invalid. */
void ag_rows_drop_read(ag_rows *rs, ag_rows_pos *pos);
/* Append a copy of a finished row; no other row may be under construction. AG_NOMEM. */
ag_status ag_rows_append(ag_rows *rs, const ag_row *r, ag_error *err) AG_NODISCARD;

/* ---- building, used by drivers (inline: one call a cell would cost more than the cell) ---- */
/* Slow path behind the inlines: make room for `need` bytes at the current row's end. In drivers that are modules this is
 * reached through ag_services. False when out of memory (rs->failed set). */
typedef bool (*ag_rows_grow_fn)(ag_rows *rs, size_t need);
bool ag_rows_grow(ag_rows *rs, size_t need);
/* Start a row of ncols cells (at most 65,535): room for them is made, all kinds NULL. False when out of memory. */
bool ag_rows_begin(ag_rows *rs, unsigned ncols);
/* Forget the row under construction, if there is one. */
static inline void ag_rows_abandon(ag_rows *rs)
{
    rs->cur = NULL;
}
/* Close the row. After a failure there is none to close: it is forgotten. */
static inline void ag_rows_end(ag_rows *rs)
{
    if (rs->failed || !rs->cur) {
        rs->cur = NULL;
        return;
    }
    ((ag_row *)(void *)rs->cur)->size = rs->used;
    rs->last->used += ((size_t)rs->used + 7u) & ~(size_t)7u; /* room is a multiple of 8 */
    rs->count++;
    rs->cur = NULL;
}

/* The cells below are written one after another; more than ncols of them is a bug of the caller. */

static inline void ag_rows_cell(ag_rows *rs, unsigned kind, uint64_t bits)
{
    uint64_t *cells = (uint64_t *)(void *)(rs->cur + sizeof(ag_row));
    cells[rs->col] = bits;
    ((uint8_t *)(cells + rs->ncols))[rs->col] = (uint8_t)kind;
    rs->col++;
}
static inline void ag_rows_null(ag_rows *rs)
{
    ag_rows_cell(rs, AG_V_NULL, 0);
}
static inline void ag_rows_int(ag_rows *rs, unsigned kind, int64_t v)
{
    ag_rows_cell(rs, kind, (uint64_t)v);
}
static inline void ag_rows_float(ag_rows *rs, double f)
{
    uint64_t bits;
    memcpy(&bits, &f, 8);
    ag_rows_cell(rs, AG_V_FLOAT, bits);
}
/* Byte kinds. Bytes are copied. After out of memory the cell is NULL and rs->failed set: test once per row. */
static inline void ag_rows_bytes(ag_rows *rs, unsigned kind, const void *p, size_t n, ag_rows_grow_fn grow)
{
    if ((size_t)rs->used + n + 1 > rs->cap && !grow(rs, n + 1)) {
        ag_rows_null(rs);
        return;
    }
    if (n)
        memcpy(rs->cur + rs->used, p, n);
    rs->cur[rs->used + n] = '\0';
    ag_rows_cell(rs, kind, (uint64_t)rs->used | (uint64_t)n << 32);
    rs->used += (uint32_t)n + 1;
}
/* Any value. */
void ag_rows_value(ag_rows *rs, const ag_value *v);

/* ---- arrays: the bytes of an AG_V_ARRAY value ----
 * {uint32 ndim; uint32 reserved; {int32 length, lower}[ndim]; then, 8-aligned, an ag_row whose cells are the elements in
 * row-major order}. An empty array has ndim 0 and a row of 0 cells. At most 65,535 elements per packed row: longer arrays
 * use ag_rows blocks back to back; ag_array_get hides that. */
typedef struct ag_array_dim {
    int32_t length, lower;
} ag_array_dim;
unsigned ag_array_ndim(const char *bytes, size_t n);
ag_array_dim ag_array_dim_get(const char *bytes, size_t n, unsigned dim);
size_t ag_array_count(const char *bytes, size_t n);
void ag_array_get(ag_value *out, const char *bytes, size_t n, size_t index);
/* Packs count elements (NULLs allowed, no nested arrays) into arena bytes. */
ag_status ag_array_pack(ag_value *out, unsigned ndim, const ag_array_dim *dims, const ag_value *items, size_t count,
                        ag_arena *ar, ag_error *err) AG_NODISCARD;

#endif

/* Rows into entity blocks. */
#include "orm/load.h"

void ag_load_map_init(ag_load_map *out, const ag_mapper *m, const uint16_t *cols, unsigned ncols)
{
    *out = (ag_load_map){.mapper = m, .cols = cols, .whole = ncols == m->nslots};
    for (unsigned i = 0; out->whole && i < m->nslots; i++)
        out->whole = cols[i] == i;
}

static bool has_bytes(unsigned kind)
{
    return ag_vkind_has_bytes(AG_CELL_KIND(kind)) || AG_CELL_KIND(kind) == AG_V_INTERVAL ||
           kind == (AG_V_TIME | AG_CELL_ZONED);
}

size_t ag_load_bytes(const ag_load_map *map, const ag_row *row)
{
    const uint64_t *cells = ag_row_cells(row);
    const uint8_t *kinds = ag_row_kinds(row);
    size_t n = 0;
    if (map->whole)
        return row->size - ag_row_fixed_size(row->ncols);
    for (unsigned i = 0; i < map->mapper->nslots; i++) {
        unsigned c = map->cols[i];
        if (c != AG_NO_COLUMN && has_bytes(kinds[c]))
            n += (size_t)(cells[c] >> 32) + 1;
    }
    return n;
}

static void copy_cell(ag_row *to, unsigned slot, const ag_row *row, unsigned c)
{
    uint64_t cell = ag_row_cells(row)[c];
    unsigned kind = ag_row_kinds(row)[c];
    if (has_bytes(kind)) {
        uint32_t n = (uint32_t)(cell >> 32);
        memcpy((char *)to + to->size, (const char *)row + (uint32_t)cell, n);
        ((char *)to)[to->size + n] = '\0';
        cell = (uint64_t)to->size | (uint64_t)n << 32;
        to->size += n + 1;
    }
    ag_row_cells_mut(to)[slot] = cell;
    ag_row_kinds_mut(to)[slot] = (uint8_t)kind;
}

void ag_load_fill(const ag_load_map *map, ag_entity *e, const ag_row *row)
{
    ag_row *to = ag_entity_row(e);
    if (map->whole) {
        memcpy(to, row, row->size);
        return;
    }
    for (unsigned i = 0; i < map->mapper->nslots; i++) {
        if (map->cols[i] == AG_NO_COLUMN)
            ag_bit_set(ag_entity_unloaded(e), i);
        else
            copy_cell(to, i, row, map->cols[i]);
    }
}

bool ag_load_key(const ag_load_map *map, ag_value *out, const ag_row *row)
{
    const ag_mapper *m = map->mapper;
    for (unsigned i = 0; i < m->npk; i++) {
        unsigned c = map->cols[m->pk[i]];
        if (c == AG_NO_COLUMN)
            return false;
        ag_row_get(&out[i], row, c);
        if (out[i].kind == AG_V_NULL)
            return false;
    }
    return true;
}

bool ag_load_wanted(const ag_load_map *map, const ag_entity *e)
{
    const uint64_t *unloaded = ag_entity_unloaded((ag_entity *)(uintptr_t)e);
    unsigned n = map->mapper->nslots;
    for (unsigned w = 0; w * 64 < n; w++) {
        uint64_t bits = unloaded[w];
        if (n - w * 64 < 64)
            bits &= (UINT64_C(1) << (n - w * 64)) - 1;
        for (; bits; bits &= bits - 1)
            if (map->cols[w * 64 + (unsigned)__builtin_ctzll(bits)] != AG_NO_COLUMN)
                return true;
    }
    return false;
}

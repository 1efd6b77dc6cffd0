/* Entity blocks: sizes, initial contents, cells. What a cell holds is value/row.h's affair. */
#include "orm/entity.h"

static size_t pad8(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

size_t ag_entity_size(const ag_mapper *m, size_t bytes)
{
    return m->row_offset + ag_row_fixed_size(m->nslots) + pad8(bytes);
}

void ag_entity_init(ag_entity *e, const ag_mapper *m, size_t size)
{
    ag_row *r;
    /* all but the host's header, which the host has written as what it is there */
    memset((char *)e + sizeof e->box, 0, m->row_offset + ag_row_fixed_size(m->nslots) - sizeof e->box);
    e->words = m->words;
    e->cap = (uint32_t)(size - m->row_offset);
    for (unsigned a = m->nslots; a < ag_mapper_nattrs(m); a++)
        ag_bit_set(ag_entity_unloaded(e), a);
    r = ag_entity_row(e);
    r->ncols = m->nslots;
    r->size = ag_row_fixed_size(m->nslots);
}

/* A place for n bytes (and a NUL) of a cell: its old one, the block's tail, or NULL. */
static char *cell_room(ag_entity *e, ag_row *r, unsigned slot, size_t n, uint32_t *offset)
{
    uint64_t old = ag_row_cells(r)[slot];
    unsigned kind = AG_CELL_KIND(ag_row_kinds(r)[slot]);
    if (ag_vkind_has_bytes(kind) && n <= old >> 32) {
        *offset = (uint32_t)old;
        return (char *)r + *offset;
    }
    if (n >= e->cap || r->size + n + 1 > e->cap)
        return NULL;
    *offset = r->size;
    r->size += (uint32_t)n + 1;
    return (char *)r + *offset;
}

static bool put_bytes(ag_entity *e, ag_row *r, unsigned slot, unsigned kind, const void *p, size_t n)
{
    uint32_t offset = 0;
    char *to = cell_room(e, r, slot, n, &offset);
    if (!to)
        return false;
    if (n)
        memmove(to, p, n);
    to[n] = '\0';
    ag_row_cells_mut(r)[slot] = (uint64_t)offset | (uint64_t)n << 32;
    ag_row_kinds_mut(r)[slot] = (uint8_t)kind;
    return true;
}

bool ag_entity_put(ag_entity *e, unsigned slot, const ag_value *v)
{
    ag_row *r = ag_entity_row(e);
    uint64_t bits = 0;
    unsigned kind = v->kind;
    if (ag_vkind_has_bytes(kind))
        return put_bytes(e, r, slot, kind, v->u.s.p, v->u.s.n);
    switch (kind) {
    case AG_V_NULL: break;
    case AG_V_FLOAT: memcpy(&bits, &v->u.f, 8); break;
    case AG_V_INTERVAL:
    case AG_V_HOST: return false;
    case AG_V_TIME:
        if (v->flags & AG_V_ZONED)
            return false;
        bits = (uint64_t)v->u.i;
        break;
    case AG_V_DATETIME:
        if (v->flags & AG_V_ZONED) {
            if (v->offset) /* the cell has no room for it */
                return false;
            kind |= AG_CELL_ZONED;
        }
        bits = (uint64_t)v->u.i;
        break;
    default: bits = (uint64_t)v->u.i; break;
    }
    ag_row_cells_mut(r)[slot] = bits;
    ag_row_kinds_mut(r)[slot] = (uint8_t)kind;
    return true;
}

void ag_entity_set_spilled(ag_entity *e, unsigned slot)
{
    ag_row *r = ag_entity_row(e);
    ag_row_cells_mut(r)[slot] = 0;
    ag_row_kinds_mut(r)[slot] = AG_V_HOST;
}

bool ag_entity_any_dirty(const ag_entity *e)
{
    const uint64_t *d = ag_entity_dirty((ag_entity *)(uintptr_t)e);
    for (unsigned w = 0; w < e->words; w++)
        if (d[w])
            return true;
    return false;
}

void ag_entity_clear_dirty(ag_entity *e)
{
    memset(ag_entity_dirty(e), 0, 8u * e->words);
}

void ag_entity_key(ag_value *out, const ag_mapper *m, const ag_entity *e, const ag_row *before)
{
    const ag_row *r = before ? before : ag_entity_row(e);
    for (unsigned i = 0; i < m->npk; i++)
        ag_row_get(&out[i], r, m->pk[i]);
}

/* Rows: a packed row in a userdata, and the shape that its metatable stands for (names, types). Rows of one shape share
 * the metatable; shapes of equal columns are shared between executions. */
#ifndef AGL_ROW_H
#define AGL_ROW_H

#include "binding/conv.h"
#include "engine/result.h"

typedef struct agl_row {
    agl_box box; /* flags: AGL_ROW_* */
    ag_row row;
} agl_row;
#define AGL_ROW_CACHES 1u /* user value 1 holds decoded cells by number */
#define AGL_ROW_ITEMS  2u /* user value 1 holds all values by number; the cells mean nothing */

/* User values: 1 names → number (false: ambiguous), 2 array of names, 3 metatable of the rows. */
typedef struct agl_shape {
    agl_box box;
    uint32_t ncols;
    bool caches; /* rows have a user value for decoded cells */
    bool plain;  /* no type needs looking at */
    agl_codec codec;
    uint64_t mark;      /* of results whose columns are these (ag_result_mark), 0 none yet */
    ag_str *names;      /* of the columns; bytes in the strings of user value 2 */
    struct agl_source { /* the table column a column is (serial 0: none), so that row[t.c.x] finds it */
        uint64_t table;
        uint32_t column;
        uint64_t expr;  /* hash of any other expression, 0 unknown */
        uint64_t alias; /* hash of the second key, 0 none */
    } * sources;
    const ag_type *types[]; /* NULL: nothing to do beyond the cell's own kind; names and sources stand behind */
} agl_shape;

/* Push the metatable of rows with these columns (made, or found among those in use); returns its shape, which the metatable
 * keeps alive. compiled: the statement they come from, NULL none. */
agl_shape *agl_shape_push(lua_State *L, const ag_result_column *cols, uint32_t n, const agl_codec *codec,
                          const struct ag_compiled *compiled);
/* The same for a statement's later execution: push the metatable found under mark (agl_shape.mark), or nothing and false. */
bool agl_shape_push_marked(lua_State *L, uint64_t mark, const struct ag_compiled *compiled, const agl_codec *codec);
/* Set up what shapes are remembered in; once a state. */
void agl_shapes_open(lua_State *L);
/* __index of rows; upvalues: the shape, its table name → number. */
int agl_row_index(lua_State *L);
/* The shape behind a row metatable at idx; NULL when it is none. */
agl_shape *agl_shape_of(lua_State *L, int mt);
/* The metamethods __lt and __le of rows (lua_row_order.c). */
int agl_row_lt(lua_State *L);
int agl_row_le(lua_State *L);
/* Push a row with the metatable at mt. */
void agl_row_push(lua_State *L, const ag_row *row, const agl_shape *shape, int mt);
/* Turn the array of values at the top (ag.null for nil) into a row with the metatable at mt: how the ORM's rows of entities are
 * made. The array is kept, not copied. */
void agl_row_push_items(lua_State *L, const agl_shape *shape, int mt);
/* Push the value of column i (from 0) of the row at idx; caches decoded ones. */
void agl_row_push_cell(lua_State *L, int idx, const agl_row *row, const agl_shape *shape, unsigned i);
/* Push the array of names of the shape behind the metatable at mt. */
void agl_shape_push_names(lua_State *L, int mt);
/* Number of the column (from 0) that the name, number or column object at idx means; raises NoSuchColumnError. */
unsigned agl_shape_column(lua_State *L, int mt, int idx);
/* Push a plain table of name → value (NULL: missing) for a packed row. */
void agl_row_push_table(lua_State *L, const ag_row *row, const agl_shape *shape, int mt);

#endif

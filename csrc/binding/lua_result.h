/* Results in Lua: a cursor over packed rows (engine/result.h), or over items that another part made (the ORM's entities),
 * with SQLAlchemy's views (rows, scalars, mappings, tuples) and reading methods. */
#ifndef AGL_RESULT_H
#define AGL_RESULT_H

#include "binding/host.h"
#include "binding/lua_row.h"

typedef enum agl_view { AGL_VIEW_ROWS, AGL_VIEW_SCALARS, AGL_VIEW_MAPPINGS, AGL_VIEW_TUPLES } agl_view;

/* User values: 1 metatable of the rows (nil: no columns), 2 extras: a table {map, seen, key, items, refill, anchor}, made on
 * demand. */
typedef struct agl_result {
    agl_box box;
    agl_state *st;
    ag_result *r; /* NULL: items, or closed */
    agl_host *host;
    uint8_t view;
    bool from_items; /* rows come from extras.items */
    bool mapped;     /* columns(…) was called: extras.map */
    bool unique;
    bool must_unique; /* items repeat (joined collections): reading without unique() raises */
    bool closed;
    uint32_t column;    /* SCALARS: which, from 0 */
    uint32_t ncols;     /* of a row as the user sees it */
    lua_Integer given;  /* tuples handed out by the running loop */
    lua_Integer window; /* yield_per */
    lua_Integer item;   /* items: next row, from 0 */
    lua_Integer nitems; /* items: rows there */
} agl_result;

/* Push an empty result: box it before the operation, fill it after. */
agl_result *agl_result_new(lua_State *L);
/* Give the box at idx its core result (the reference moves) and make its row shape; tells the collector. */
void agl_result_fill(lua_State *L, int idx, ag_result *r, agl_host *host, const agl_codec *codec);
/* Make the result at idx one over items: `items` is the stack index of a flat array of nrows * ncols values (ag.null for nil),
 * names that of an array of ncols names. refill: 0, or the stack index of a function that gives (items, nrows) for the
 * next window and nil at the end; it may yield. With scalars() and ncols 1 the items are what the user gets. */
void agl_result_fill_items(lua_State *L, int idx, int items, lua_Integer nrows, int names, uint32_t ncols, int refill);
/* result:unique() of C code: later duplicates are left out. */
void agl_result_set_unique(lua_State *L, int idx);
/* Push extras, made when missing. */
void agl_result_push_extras(lua_State *L, int idx);
agl_result *agl_result_check(lua_State *L, int arg);
/* Close: rows dropped, a stream's cursor closed without waiting. */
void agl_result_end(agl_result *res, lua_State *L);

/* The methods of lua_result_read.c and lua_result_iter.c */
extern const luaL_Reg agl_result_read_methods[];
/* The result at 1 as the core's; raises for one without (frozen and merged ones). */
ag_result *agl_result_core(lua_State *L);

/* lua_result_unique.c: was the item at the top, made of row (NULL: of items), given before? */
bool agl_result_seen_before(lua_State *L, agl_result *res, int view, const ag_row *row);

/* lua_result_dml.c */
int agl_result_get_inserted_primary_key(lua_State *L);
int agl_result_get_inserted_primary_key_rows(lua_State *L);
int agl_result_get_returned_defaults(lua_State *L);
int agl_result_get_returned_defaults_rows(lua_State *L);
int agl_result_prefetch_cols(lua_State *L);
int agl_result_postfetch_cols(lua_State *L);
int agl_result_supports_sane_rowcount(lua_State *L);
int agl_result_call(lua_State *L);
/* For functions that read one value of a fresh result at stack index 1 and return it: conn:scalar(). The frame is reused. */
int agl_result_read_scalar(lua_State *L);

#endif

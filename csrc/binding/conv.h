/* Lua values to ag_value and back. Converting towards the core borrows: text points into the Lua string, which the caller
 * keeps on the stack or in a user value while the core uses it. Nothing is coerced here (a numeric string stays text):
 * what a column takes is value/type.h's affair. */
#ifndef AGL_CONV_H
#define AGL_CONV_H

#include "binding/state.h"
#include "value/row.h"

/* A date, time, datetime, interval or decimal in Lua: kinds DATE … DECIMAL. A decimal's text stands behind the struct. */
typedef struct agl_value {
    agl_box box;
    ag_value v;
} agl_value;

/* Push a new box with a copy of v (DATE, TIME, DATETIME, INTERVAL or DECIMAL). */
void agl_value_new(lua_State *L, const ag_value *v);

/* How JSON text and host types are read: an engine's. Functions by callback number, 0 = argent's own. */
typedef struct agl_codec {
    int64_t json_decode;
    int64_t json_encode;
    const char *dialect; /* static name, for hooks of types; may be NULL */
} agl_codec;
/* Push what hooks get as `dialect`: a table {name = "sqlite"}, one for each name; nil for NULL. */
void agl_push_dialect(lua_State *L, const char *name);

/* Convert the value at idx.
 *   nil, ag.null → NULL; boolean, integer, float, string (TEXT); date … decimal; other tables and userdata → AG_V_HOST,
 *   with a number that AG_HOOK_BIND turns into bytes once the type is known.
 * False, and out untouched, for what can never be a value: functions, threads, light userdata, handles, SQL expressions.
 * Raises only on out of memory. */
bool agl_tovalue(lua_State *L, int idx, ag_value *out);

/* Push v. NULL → nil; text, bytes, uuid, raw → string; JSON → decoded with codec (NULL: argent's own decoder); arrays → table
 * with ag.null in holes; HOST → the value itself. type: what the column says, for TypeDecorators (process_result_value is
 * called, for NULL too); NULL = none. type->host is the callback number (agl_callback_ref) of the table that ag.TypeDecorator or
 * ag.UserDefinedType was given: {process_bind_param, process_result_value, process_literal_param}. */
void agl_push_value(lua_State *L, const ag_value *v, const ag_type *type, const agl_codec *codec);
/* The same with ag.null for NULL: lists and loops. */
void agl_push_value_or_null(lua_State *L, const ag_value *v, const ag_type *type, const agl_codec *codec);
/* Does t, or a type it decorates, have process_result_value, or a variant whose values the host makes? */
bool agl_type_has_result(const ag_type *t);
/* True when reading v makes a mutable Lua value or calls a hook: readers keep the first result. */
bool agl_value_is_decoded(const ag_value *v, const ag_type *type);

static inline void agl_push_null(lua_State *L)
{
    lua_pushlightuserdata(L, NULL);
}
static inline bool agl_is_null(lua_State *L, int idx) /* ag.null, not nil */
{
    return lua_type(L, idx) == LUA_TLIGHTUSERDATA && lua_touserdata(L, idx) == NULL;
}

/* Push cell i (from 0) of a packed row. Quick for the plain kinds. */
void agl_push_cell(lua_State *L, const ag_row *row, unsigned i, const ag_type *type, const agl_codec *codec);

#endif

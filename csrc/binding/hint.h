/* What newcomers write, and what would be right: endings of error messages where the nearest name is of no help. */
#ifndef AGL_HINT_H
#define AGL_HINT_H

#include "binding/box.h"

/* What to write instead of `object.name` on an object of this kind ("a statement is run by a connection: …"); NULL: nothing is
 * known. name NULL: an index that is no string. Static memory. */
const char *agl_hint(agl_kind kind, const char *name);
/* Is the key at 2 a column of the FROM element at 1 (which may be anything)? `users.id` is `users.c.id`. */
bool agl_is_column_of(lua_State *L);
/* The plain table at idx holds nothing but its items 1 … n; else raise: names in a list would be lost. conditions: it stands
 * where conditions are wanted. */
void agl_check_list(lua_State *L, int idx, int arg, bool conditions);
/* Raise for what is no condition: a boolean of Lua, SQL as a string. */
int agl_no_condition(lua_State *L, int idx, int arg);
/* Raise for what is no column. */
int agl_no_column(lua_State *L, int idx, int arg);
/* __lt and __le of expressions: Lua makes booleans of what they give, so that they raise. */
int agl_expr_less(lua_State *L);

#endif

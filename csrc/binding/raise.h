/* Errors between the core and Lua. An ag_error becomes an error object (a table of a class of ag.exc) with its fields;
 * a Lua error inside a callback goes through the core as a number and comes out as the value it was. Argument errors
 * name the function, the argument and what was given. Every function here that raises does not return; the int is for
 * `return agl_raise(…)`. */
#ifndef AGL_RAISE_H
#define AGL_RAISE_H

#include "binding/state.h"

/* ---- core errors ---- */
/* Raise what err says and leave it cleared. err must belong to something that is freed when Lua raises by itself (a scope's,
 * agl_err's): building the object may run out of memory. host_value set: the original Lua value is raised. */
int agl_raise(lua_State *L, ag_error *err);
/* The same with the statement and its readable parameters (either may be NULL; copied). */
int agl_raise_statement(lua_State *L, ag_error *err, ag_str statement, const char *params);
/* Room for n more values of a list that is read into the stack, piece by piece; an error object when there is none. what: "operands" */
void agl_check_room(lua_State *L, int n, const char *what);
/* if (status != AG_OK) raise err. */
void agl_must(lua_State *L, ag_status status, ag_error *err);
/* Push the error object (or the original Lua value) and clear err. */
void agl_push_error(lua_State *L, ag_error *err, ag_str statement, const char *params);

/* The same without clearing err. */
void agl_push_error_copy(lua_State *L, const ag_error *err, ag_str statement, const char *params);
#define AGL_NO_STATEMENT ((ag_str){NULL, 0})

/* ---- errors made here ---- */
/* Raise an error of a class; fmt as lua_pushfstring's (%s %d %I %f %p %c %U %%). */
int agl_error(lua_State *L, ag_exc cls, const char *fmt, ...);
/* Like agl_error, but names the function being called: "Connection:begin: …". */
int agl_error_in(lua_State *L, ag_exc cls, const char *fmt, ...);

/* Push the place of the user's code that is being run, "app.lua:12" (argent's own Lua modules are passed over), or "". */
void agl_push_where(lua_State *L);

/* ---- arguments ---- */
/* Raise ArgumentError "bad argument #N to Connection:execute: <text>". arg is the stack index (self is 1); it is shown as the
 * caller counts. Fields of the object: message, func, argument (number), func's name. */
int agl_argerror(lua_State *L, int arg, const char *fmt, ...);
/* "expected <expected>, got <what is there>". */
int agl_typeerror(lua_State *L, int arg, const char *expected);
/* Push a short description of the value at idx: `nil`, `number 5`, `string "abc"`, `a Connection`, `a table`; secret: without
 * contents. Returns the string, alive while on the stack. */
const char *agl_describe(lua_State *L, int idx, bool secret);
/* Unknown name: "no <what> 'nmae'; did you mean 'name'? known: a, b, c". known: NULL-ended. */
int agl_unknown(lua_State *L, ag_exc cls, const char *what, const char *name, const char *const *known);

/* Typed arguments; raise agl_typeerror. No number is ever converted from or to a string. */
const char *agl_check_string(lua_State *L, int arg, size_t *len);
lua_Integer agl_check_integer(lua_State *L, int arg, lua_Integer min, lua_Integer max);
lua_Number agl_check_number(lua_State *L, int arg);
bool agl_check_boolean(lua_State *L, int arg);
void agl_check_function(lua_State *L, int arg); /* a function or something with __call */
void agl_check_table(lua_State *L, int arg);    /* a plain table (no box) */
/* At most max arguments were given, else raises naming the count. */
void agl_check_top(lua_State *L, int max);
/* Missing arguments up to the n-th become nil, so that nothing pushed later is taken for one. */
void agl_pad(lua_State *L, int n);
/* Where the last argument is a plain table that names parameters of the function, they are moved to their places: join(t, {onclause = e,
 * full = true}) becomes join(t, e, {full = true}). names: the parameters from place first on, ended by NULL. What is given twice raises. */
void agl_keywords(lua_State *L, int first, const char *const *names);
#define AGL_KEYWORDS(L, first, ...) agl_keywords(L, first, (const char *const[]){__VA_ARGS__, NULL})
/* An option that SQLAlchemy also takes by place: a string, number or boolean at arg becomes {name = it}. */
void agl_option_by_place(lua_State *L, int arg, const char *name);
/* agl_check_top and agl_pad: the function takes n arguments, the last ones may be missing. */
void agl_check_args(lua_State *L, int n);

/* ---- options tables ---- */
/* The options table at arg: absent or nil is fine (false); a table whose keys are all in known (NULL-ended) too (true); else
 * raises, for an unknown key with the nearest name and the list. */
bool agl_check_options(lua_State *L, int arg, const char *const *known);
/* Read one option of the table at arg (nil, none: def). They raise "option 'name' of create_engine: expected …, got …". */
bool agl_opt_boolean(lua_State *L, int arg, const char *name, bool def);
lua_Integer agl_opt_integer(lua_State *L, int arg, const char *name, lua_Integer min, lua_Integer max, lua_Integer def);
lua_Number agl_opt_number(lua_State *L, int arg, const char *name, lua_Number min, lua_Number def);
/* Borrowed while the table keeps it; NULL = not given. */
const char *agl_opt_string(lua_State *L, int arg, const char *name, size_t *len);
/* Push the option's value; returns its type (LUA_TNIL when absent). */
int agl_opt_push(lua_State *L, int arg, const char *name);
/* Raise for an option's value at the top of the stack. */
int agl_opt_error(lua_State *L, const char *name, const char *expected);

/* ---- Lua errors on their way through the core ---- */
/* Fill err from the Lua error value at idx: host_value is its number, message its text; an error object of ours keeps class,
 * sqlstate and flags. Never raises but for memory. */
void agl_error_from_lua(lua_State *L, int idx, ag_error *err);

/* ---- classes ---- */
/* Push the class object ag.exc.X. */
void agl_exc_push(lua_State *L, ag_exc cls);
#endif

/* Type objects in Lua (ag.Integer, ag.String(120)): one box an interned type, so that equal types are the same Lua value. */
#ifndef AGL_LUA_TYPES_H
#define AGL_LUA_TYPES_H

#include "binding/conv.h"
#include "binding/raise.h"

typedef struct agl_type {
    agl_box box;
    const ag_type *type; /* interned: lives as long as the state */
} agl_type;

/* The type at idx (a type object), or NULL. Pushes nothing, never raises. */
const ag_type *agl_type_at(lua_State *L, int idx);
/* The same, and the table that a type with hooks was made of stands for the type; raises an argument error for argument arg when it
 * is neither. */
const ag_type *agl_check_type(lua_State *L, int idx, int arg);
/* Push the type object of type; nil for NULL. */
void agl_push_type(lua_State *L, const ag_type *type);
/* Push the object of the interned equal of proto. What proto borrows must live until the return. */
int agl_push_type_proto(lua_State *L, const ag_type *proto);

/* The table at idx holds the hooks of this type: what agl_check_type takes for it from now on. */
void agl_type_spec_set(lua_State *L, int idx, const ag_type *type);

/* proto is the plain type of type(…) with arguments 2 … top: fills it from them (lua_type_args.c). Raises for what does not
 * fit. What it borrows stays on the stack. */
void agl_type_args(lua_State *L, ag_type *proto);

/* DOMAIN: default, not_null, check, constraint_name, constraints, create_type of the options table at opts (0: none), into t
 * (lua_type_domain.c). What t borrows stays on the stack. */
void agl_domain_options(lua_State *L, int opts, ag_type *t);
/* Attributes of types; nil for those that are no domain: SQL of the default; name and SQL of the first check; a list of {name,
 * check}; is it NOT NULL. */
int agl_type_get_default(lua_State *L);
int agl_type_get_constraint_name(lua_State *L);
int agl_type_get_check(lua_State *L);
int agl_type_get_constraints(lua_State *L);
int agl_type_get_not_null(lua_State *L);

/* Option schema of the options table at opts (0: none): NULL not given, "" explicitly none (ag.null, ag.BLANK_SCHEMA). It stays on
 * the stack (lua_type_schema.c). */
const char *agl_type_schema_option(lua_State *L, int opts);
/* The type at the top becomes a member of the MetaData in option metadata of the table at opts, if there is one: the top is then
 * what stands for it there. */
void agl_type_join(lua_State *L, int opts);
/* Methods create and drop. */
int agl_type_create(lua_State *L);
int agl_type_drop(lua_State *L);
void agl_open_type_schema(lua_State *L);

/* Opens the class and puts the types into the core table at the top of the stack: generic and upper-case SQL types by name,
 * PostgreSQL's own in its field postgresql_types. */
/* TypeDecorator, UserDefinedType (lua_type_hooks.c); called by agl_open_types. */
void agl_open_type_hooks(lua_State *L);
void agl_open_types(lua_State *L);

#endif

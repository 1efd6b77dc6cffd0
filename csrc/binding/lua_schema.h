/* Handles of the schema: MetaData, Table, Column, and SCHEMA_ITEM for constraints, indexes and sequences. One struct for all of
 * them; its user value 1 is the `data` table of lua/argent/schema, which holds what Lua knows of the object: the classes look a
 * name up there first. A handle holds a reference to the owner (the MetaData), so that finalisers may run in any order; in Lua
 * all handles of one MetaData hold each other through their data tables. */
#ifndef AGL_LUA_SCHEMA_H
#define AGL_LUA_SCHEMA_H

#include "binding/lua_node.h"
#include "schema/metadata.h"

typedef struct agl_schema {
    agl_node n; /* node NULL: a column without a table, a MetaData or an item, or closed */
    union {
        void *p; /* NULL: a column without a table, or closed */
        ag_metadata *metadata;
        ag_table *table;
        ag_column *column;
        const ag_constraint *constraint; /* SCHEMA_ITEM: by its data's class */
        const ag_index *index;
        const ag_sequence *sequence;
    } u;
    ag_owner *owner;
    agl_state *st;
} agl_schema;

/* The handle at arg; raises when it is none of that kind, or closed. A COLUMN may be without a table (u.column NULL). */
agl_schema *agl_check_schema(lua_State *L, int arg, agl_kind kind);
/* Push a new, empty handle whose data table is at idx. */
agl_schema *agl_schema_new(lua_State *L, agl_kind kind, int data);
/* Let it stand for p, owned by owner; node may be NULL. */
void agl_schema_set(lua_State *L, agl_schema *h, void *p, const ag_node *node, ag_owner *owner);
/* Push the handle that stands for a table's, column's, constraint's … address; false (and nothing pushed) when there is none. */
bool agl_schema_push(lua_State *L, const void *p);
/* The handle of a TABLE or COLUMN node, so that users.c.id stays one object wherever it comes from. */
bool agl_schema_push_node(lua_State *L, const ag_node *node);

/* Getters of the class COLUMN (lua_schema_column.c). */
extern const luaL_Reg agl_column_getters[];

/* ---- reading spec tables (lua_schema_read.c): t is a stack index; what is read stays alive in the table ---- */
ag_str agl_spec_str(lua_State *L, int t, const char *field);
bool agl_spec_bool(lua_State *L, int t, const char *field, bool def);
/* true 1, false 0, absent -1 */
int8_t agl_spec_tristate(lua_State *L, int t, const char *field);
bool agl_spec_int(lua_State *L, int t, const char *field, int64_t *out);
const ag_node *agl_spec_node(lua_State *L, int t, const char *field);
/* Field `options`: a list of {dialect =, name =, value = | node = | pairs = {{key =, value = | node =}}}. Scratch memory is left on the
 * stack. */
ag_options agl_spec_options(lua_State *L, int t);
/* Number of items of the list in a field. */
uint32_t agl_spec_count(lua_State *L, int t, const char *field);
/* Columns of the list in a field, in scratch memory left on the stack. */
ag_column **agl_spec_columns(lua_State *L, int t, const char *field, uint32_t *n);
/* The handle in a field, or NULL. */
agl_schema *agl_spec_handle(lua_State *L, int t, const char *field, agl_kind kind);
/* A column's spec from the table at t. */
void agl_spec_column(lua_State *L, int t, ag_column_spec *out);
void agl_spec_identity(lua_State *L, int t, ag_identity_options *out);

void agl_open_schema(lua_State *L); /* after the SQL classes */
void agl_open_ddl(lua_State *L);    /* lua_ddl.c; called by agl_open_schema */

#endif

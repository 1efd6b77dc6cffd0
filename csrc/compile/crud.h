/* The columns and values of an INSERT or UPDATE: what the statement gives, what the call's parameters will give, what defaults give.
 * Private to compile/; the rules are SQLAlchemy's sql/crud.py. */
#ifndef AG_COMPILE_CRUD_H
#define AG_COMPILE_CRUD_H

#include "compile/compiler.h"

typedef enum ag_crud_how {
    AG_CRUD_VALUE,    /* value: an expression of the statement */
    AG_CRUD_PARAM,    /* a parameter of the call */
    AG_CRUD_PREFETCH, /* a default that the engine runs */
    AG_CRUD_SQL,      /* value: an SQL default */
    AG_CRUD_SEQUENCE, /* sequence */
} ag_crud_how;

typedef struct ag_crud_item {
    ag_crud_how how;
    const ag_node *target;   /* COLUMN, COLREF or COLUMN_CLAUSE; what is written left of = */
    const ag_column *column; /* NULL for a table() clause's */
    const ag_node *value;
    uint32_t given; /* VALUE: its index in the statement's columns */
} ag_crud_item;

typedef AG_VEC(const ag_column *) ag_columns;
typedef struct ag_crud {
    AG_VEC(ag_crud_item) items;
    ag_columns returning, postfetch;
    AG_VEC(ag_fetch_col) prefetch;
    bool need_keys, implicit_returning, lastrowid, update;
    bool keys_lastrowid; /* lastrowid turned out to be needed */
} ag_crud;

void ag_crud_init(ag_crud *u, const ag_alloc *alloc);
void ag_crud_clear(ag_crud *u);
void ag_crud_insert(ag_compiler *c, ag_crud *u, const ag_n_insert *s, bool top);
void ag_crud_update(ag_compiler *c, ag_crud *u, const ag_n_update *s, bool top);
/* One item's value as written in the statement. */
void ag_crud_value(ag_compiler *c, ag_crud *u, const ag_crud_item *it, const ag_node *value);
/* The facts that the engine needs, for the root statement. */
void ag_crud_facts(ag_compiler *c, ag_crud *u);

#endif

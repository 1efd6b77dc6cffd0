/* SQL nodes in Lua. Every box that stands for a node, a block of its own or a schema object's, begins with agl_node, so
 * that "give me the node at this stack index" is one check. What a node points to is kept alive by its box's user values.
 *
 * A function that builds follows one pattern:
 *
 *   static int expr_like(lua_State *L)
 *   {
 *       agl_build x = agl_build_begin(L);               resets the state's builder; anchors are stacked from here
 *       const ag_node *left = agl_build_expr(&x, 1);    convert arguments: may raise; pushes what must be kept alive
 *       return agl_build_push(&x, ag_expr_…(x.b, left, …));   box, anchor, done; raises x.b->err for NULL
 *   }
 *
 * Nothing that runs Lua code may stand between begin and push: the builder is one per state. */
#ifndef AGL_LUA_NODE_H
#define AGL_LUA_NODE_H

#include "binding/conv.h"
#include "binding/lua_types.h"
#include "binding/raise.h"
#include "sql/expr.h"
#include "sql/node.h"

/* In box.flags of a node box: what it shows lives only as long as the compilation that lent it to a hook; node becomes NULL then. The
 * rest of the flags is the number of a FROM's user value for `.c` (lua_from.c). */
#define AGL_NODE_BORROWED  0x8000u
#define AGL_NODE_UV(flags) ((flags)&0x3fffu)
/* The block ends with a number for the object: 0, 1 once it was executed, then its serial. Statements only. */
#define AGL_NODE_SERIAL 0x4000u

/* First members of every node box: kinds EXPR … DDL, the handles TABLE, COLUMN and MAPPER (a mapped class stands for its FROM). */
typedef struct agl_node {
    agl_box box;
    const ag_node *node;
} agl_node;

typedef struct agl_build agl_build;
struct agl_build {
    lua_State *L;
    ag_builder *b;
    agl_state *st;
    int base;   /* stack top at begin: anchors stand above it */
    int room;   /* stack slots known to be free */
    bool quick; /* the running function's first upvalue is the state: metatables are one step away */
};

agl_build agl_build_begin(lua_State *L);
/* Keep the value at idx alive as long as the node being built. */
void agl_build_anchor(agl_build *x, int idx);
/* Box n (made by x->b, or an existing node, whose box then is found or made) and leave only it above x->base. n NULL: raises the
 * builder's error. Returns 1. */
int agl_build_push(agl_build *x, const ag_node *n);
/* Raise the builder's error. */
int agl_build_raise(agl_build *x);
/* A box for a node of a compilation under way (tables and columns: their own objects); lua_custom.c. */
void agl_push_borrowed(lua_State *L, agl_state *st, const ag_node *n);
/* The box at the top shows borrowed nodes: it ends with the innermost compilation that has hooks. */
void agl_node_borrow(lua_State *L, agl_state *st);
/* Scratch memory until push, for lists. Raises on out of memory. */
void *agl_build_scratch(agl_build *x, size_t size);
/* Box kind of a node: EXPR, FROMCLAUSE, SELECT … */
agl_kind agl_node_kind(const ag_node *n);

/* The node of the node box at idx, or NULL. Pushes nothing. Raises for a node whose compilation is over. */
const ag_node *agl_node_at(lua_State *L, int idx);
/* For metamethods of values: an expression right of the value makes the operation (event "__add" …) its own. Then the result is
 * pushed, and true comes back. */
bool agl_node_takes(lua_State *L, const char *event);

/* An operand: a node as it is (a SELECT becomes a scalar subquery), a Lua value as a bind typed by `beside` and op (beside
 * NULL: by value). Raises for nil and anything else. idx: where it stands; arg: the argument it belongs to. */
const ag_node *agl_build_operand(agl_build *x, int idx, int arg, ag_op_id op, const ag_node *beside);
/* The same where a value's bind is not named after what it stands beside: cells of VALUES, WHEN of a CASE with a value. */
const ag_node *agl_build_unnamed(agl_build *x, int idx, int arg, ag_op_id op, const ag_node *beside);
/* The same for the node n that stands there. */
const ag_node *agl_build_expr(agl_build *x, int idx, int arg, const ag_node *n);
/* The type that a table with the metafield __sqltype says it has (pg.Range …), or NULL. */
const ag_type *agl_value_type(lua_State *L, int idx);
/* The converters below have this shape, so that lists can be made with any of them. */
typedef const ag_node *(*agl_conv)(agl_build *x, int idx, int arg);
const ag_node *agl_conv_expr(agl_build *x, int idx, int arg);      /* operand beside nothing */
const ag_node *agl_conv_named(agl_build *x, int idx, int arg);     /* order_by, group_by: a string is a LABEL_REF */
const ag_node *agl_conv_condition(agl_build *x, int idx, int arg); /* an expression; a Lua boolean raises */
const ag_node *agl_conv_from(agl_build *x, int idx, int arg);      /* table, alias, join …; a SELECT raises */
const ag_node *agl_conv_column(agl_build *x, int idx, int arg);    /* select(…): an expression or a FROM */
const ag_node *agl_conv_select(agl_build *x, int idx, int arg);    /* SELECT, set operation, text columns */
const ag_node *agl_conv_node(agl_build *x, int idx, int arg);      /* any node */
const ag_node *agl_conv_returning(agl_build *x, int idx, int arg); /* as select */

typedef struct agl_list {
    const ag_node **items;
    size_t n;
} agl_list;
/* Arguments first … last: f(a, b, c) or f{a, b, c} (one plain table). */
agl_list agl_build_args(agl_build *x, int first, int last, agl_conv conv);
/* The value at idx as a list: a plain table's items, or the single thing. */
agl_list agl_build_table(agl_build *x, int idx, int arg, agl_conv conv);
/* A Lua table without a metatable: a list or options. */
bool agl_is_plain_table(lua_State *L, int idx);
/* The options table, when the last argument (at least `first`) is a plain table with a string key; its index, or 0. Keys are
 * checked against known. */
int agl_build_options(lua_State *L, int first, const char *const *known);
/* After agl_build_options found none: the argument where they would stand is nothing (or an empty table), else an error that names it. */
void agl_build_no_rest(lua_State *L, int arg);

/* A string argument as ag_str; absent (nil, none): {NULL, 0}. */
ag_str agl_opt_str(lua_State *L, int arg);
/* A name, or none; an ag.quoted_name sets *quote to 0 or 1 (-1: by rule). The argument keeps the bytes. */
ag_str agl_opt_name(lua_State *L, int arg, int *quote);
ag_str agl_check_str(lua_State *L, int arg);
/* Field of an options table. */
ag_str agl_field_str(lua_State *L, int options, const char *name);

void agl_open_node(lua_State *L);    /* lua_node.c: classes shared by all; before the others */
void agl_open_expr(lua_State *L);    /* lua_expr.c, lua_expr_ops.c */
void agl_open_func(lua_State *L);    /* lua_func.c */
void agl_open_from(lua_State *L);    /* lua_from.c */
void agl_open_select(lua_State *L);  /* lua_select.c */
void agl_open_dml(lua_State *L);     /* lua_dml.c */
void agl_open_text(lua_State *L);    /* lua_text.c */
void agl_open_compile(lua_State *L); /* lua_compile.c */
/* All of the above; the core module table is on top of the stack. */
void agl_open_sql(lua_State *L);

#endif

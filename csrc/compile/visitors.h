/* The ANSI visitors: one a construct of nodes.def, private to compile/ and dialect/. */
#ifndef AG_COMPILE_VISITORS_H
#define AG_COMPILE_VISITORS_H

#include "compile/compiler.h"

#define AG_NODE(KIND, name, CLASS) void ag_visit_##name(ag_compiler *c, const ag_node *n, unsigned k);
#include "sql/nodes.def"

#endif

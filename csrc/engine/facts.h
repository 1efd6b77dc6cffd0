/* What executions of a cached statement have in common beyond its text: found out by the first one, kept with the compiled
 * statement (in its arena) and never changed after. */
#ifndef AG_ENGINE_FACTS_H
#define AG_ENGINE_FACTS_H

#include "compile/compiled.h"
#include "driver/driver.h"
#include "engine/result.h"

typedef struct ag_exec_facts {
    const char *dialect;       /* of the driver; what follows holds for it only */
    const ag_type *const *in;  /* types of the placeholders, NULL not known */
    const ag_type *const *out; /* types of the result columns, NULL not known */
    ag_result_column *columns; /* of its results, NULL not known */
    const ag_type **told;      /* the types that the driver gave for them */
    uint32_t ncolumns;
    uint64_t mark; /* the host's, for columns; 0 at first */
} ag_exec_facts;

/* The facts of c, made empty if there are none; NULL where they would not be used again, or when out of memory (doing without
 * them is no failure). */
ag_exec_facts *ag_exec_facts_of(ag_compiled *c, const char *dialect);
/* Columns of a result that is described like this, if they are known. */
const ag_result_column *ag_exec_facts_columns(const ag_exec_facts *f, const ag_column_info *info, uint32_t n);
/* Keep a copy of columns, made from info, for later results; f->columns stays as it is when out of memory. */
void ag_exec_facts_keep(ag_compiled *c, const ag_result_column *columns, const ag_column_info *info, uint32_t n);

#endif

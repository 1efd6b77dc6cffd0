/* Reading a cell of a packed row that may stand at any address: rows in chunks are aligned, those inside an array's
 * bytes are not. Private to row.c and array.c. */
#ifndef AG_VALUE_CELL_H
#define AG_VALUE_CELL_H

#include "value/row.h"

/* Cell i of the row of ncols cells at `row`; borrowed like ag_row_get. */
void ag_cell_read(ag_value *out, const char *row, unsigned ncols, unsigned i);

#endif

/* Parameters in readable form, for log lines and errors: cut to a sane length, never the whole of a long value. */
#ifndef AG_ENGINE_FORMAT_H
#define AG_ENGINE_FORMAT_H

#include "base/buf.h"
#include "value/value.h"

/* 'text', 42, 1.5, NULL, x'00ff…' (long ones cut in the middle). */
void ag_format_value(ag_buf *out, const ag_value *v);
/* "(1, 'a')"; more than 20 values are cut in the middle. */
void ag_format_set(ag_buf *out, const ag_value *values, size_t n);
/* One set as above; many: "[(1, 'a'), (2, 'b')  ... displaying 10 of 5000 total bound parameter sets ...  (5000,
 * 'z')]". */
void ag_format_sets(ag_buf *out, const ag_value *values, size_t nsets, size_t nparams, bool many);
/* "[SQL parameters hidden due to hide_parameters=true]" */
void ag_format_hidden(ag_buf *out);

#endif

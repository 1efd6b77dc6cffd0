/* JSON text of an index or a path: any bytes are written as a path of each database, or refused; never over the end, never another
 * error. Input: a byte that picks the kind of value and the form, the text. */
#include "compile/compiled.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    const ag_alloc *a = ag_alloc_libc();
    char *text = malloc(size); /* exactly as long as the text: a byte too many is seen */
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    ag_value v = {.kind = data[0] & 2 ? AG_V_TEXT : AG_V_JSON};
    v.u.s.p = text;
    v.u.s.n = size - 1;
    ag_path_form form = data[0] & 1 ? AG_PATH_DOLLAR : AG_PATH_BRACES;
    ag_buf out;
    ag_error err = {0};
    ag_buf_init(&out, a);
    if (ag_json_path_write(&out, form, &v, &err) == AG_OK) {
        if (!out.len || out.data[0] != (form == AG_PATH_DOLLAR ? '$' : '{'))
            abort();
    } else if (err.cls != AG_EXC_ARGUMENT) {
        abort();
    }
    ag_error_clear(&err);
    ag_buf_clear(&out);
    free(text);
    return 0;
}

/* Storage formats of dates and times against any format and any text: what is read is written again and read back equal. Input: a byte
 * that picks the kind, the format, a NUL, the text. */
#include "value/datetime.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(ag_vkind kind, const char *format, const char *text, size_t n)
{
    char out[AG_TEMPORAL_MAX];
    ag_value v, back;
    unsigned fields = ag_temporal_format_fields(format);
    if (!fields || !ag_temporal_scan(&v, kind, format, text, n))
        return;
    size_t len = ag_temporal_format(out, format, &v);
    if (!len)
        return; /* a year of five digits */
    if (len >= sizeof out || strlen(out) != len)
        abort();
    if (ag_temporal_scan(&back, kind, format, out, len) && back.kind != v.kind)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ag_vkind kinds[] = {AG_V_DATE, AG_V_TIME, AG_V_DATETIME};
    char format[128];
    const uint8_t *end = size > 1 ? memchr(data + 1, 0, size - 1) : NULL;
    if (!end || (size_t)(end - data) > sizeof format)
        return 0;
    memcpy(format, data + 1, (size_t)(end - data));
    run(kinds[data[0] % 3], format, (const char *)end + 1, size - (size_t)(end - data) - 1);
    return 0;
}

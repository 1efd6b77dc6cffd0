/* SQLSTATE classes as a table: the first two characters decide, a few whole codes are exceptions. */
#include "driver/sqlstate.h"

#include <string.h>

struct state_class {
    char code[3];
    uint8_t cls;
};

/* ORDER by code (binary search is not worth it: 40 entries, errors only). */
static const struct state_class classes[] = {
    {"03", AG_EXC_PROGRAMMING}, {"08", AG_EXC_OPERATIONAL}, {"09", AG_EXC_INTERNAL},    {"0A", AG_EXC_NOT_SUPPORTED},
    {"0B", AG_EXC_INTERNAL},    {"0F", AG_EXC_DATA},        {"0L", AG_EXC_PROGRAMMING}, {"0P", AG_EXC_PROGRAMMING},
    {"20", AG_EXC_PROGRAMMING}, {"21", AG_EXC_PROGRAMMING}, {"22", AG_EXC_DATA},        {"23", AG_EXC_INTEGRITY},
    {"24", AG_EXC_INTERNAL},    {"25", AG_EXC_INTERNAL},    {"26", AG_EXC_OPERATIONAL}, {"27", AG_EXC_OPERATIONAL},
    {"28", AG_EXC_OPERATIONAL}, {"2B", AG_EXC_INTERNAL},    {"2D", AG_EXC_INTERNAL},    {"2F", AG_EXC_INTERNAL},
    {"34", AG_EXC_OPERATIONAL}, {"38", AG_EXC_INTERNAL},    {"39", AG_EXC_INTERNAL},    {"3B", AG_EXC_INTERNAL},
    {"3D", AG_EXC_PROGRAMMING}, {"3F", AG_EXC_PROGRAMMING}, {"40", AG_EXC_OPERATIONAL}, {"42", AG_EXC_PROGRAMMING},
    {"44", AG_EXC_PROGRAMMING}, {"53", AG_EXC_OPERATIONAL}, {"54", AG_EXC_OPERATIONAL}, {"55", AG_EXC_OPERATIONAL},
    {"57", AG_EXC_OPERATIONAL}, {"58", AG_EXC_OPERATIONAL}, {"72", AG_EXC_OPERATIONAL}, {"F0", AG_EXC_INTERNAL},
    {"HV", AG_EXC_OPERATIONAL}, {"P0", AG_EXC_INTERNAL},    {"XX", AG_EXC_INTERNAL},
};

static const char *const disconnects[] = {
    "08000", "08001", "08003", "08004", "08006", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04",
};

ag_exc ag_sqlstate_class(const char *sqlstate)
{
    if (!sqlstate || !sqlstate[0])
        return AG_EXC_DATABASE;
    /* a transaction the server aborted for being idle or slow is not a fault of the program's logic */
    if (ag_sqlstate_is_disconnect(sqlstate))
        return AG_EXC_OPERATIONAL;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (strncmp(classes[i].code, sqlstate, 2) == 0)
            return (ag_exc)classes[i].cls;
    }
    return AG_EXC_DATABASE;
}

bool ag_sqlstate_is_retryable(const char *sqlstate)
{
    return sqlstate && (strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0);
}

bool ag_sqlstate_is_disconnect(const char *sqlstate)
{
    if (!sqlstate)
        return false;
    for (size_t i = 0; i < sizeof disconnects / sizeof *disconnects; i++) {
        if (strcmp(disconnects[i], sqlstate) == 0)
            return true;
    }
    return false;
}

void ag_sqlstate_set(ag_error *err, const char *sqlstate)
{
    if (!err || !sqlstate)
        return;
    size_t n = strlen(sqlstate);
    if (n >= sizeof err->sqlstate)
        n = sizeof err->sqlstate - 1;
    memcpy(err->sqlstate, sqlstate, n);
    err->sqlstate[n] = '\0';
    if (ag_sqlstate_is_retryable(err->sqlstate))
        err->retryable = true;
    if (ag_sqlstate_is_disconnect(err->sqlstate))
        err->disconnect = true;
}

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rows {
    char *block, *cur;
    size_t used, cap, len, count;
} rows;

typedef struct services {
    bool (*begin)(rows *r, unsigned ncols);
    void (*end)(rows *r);
    int (*plain)(void);
    int (*by_name)(int x);
} services;

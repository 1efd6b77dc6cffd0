/* What a Lua interpreter does with argent.core and a driver module, and what each way of reaching the core costs. */
#include "spike.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static void *must_open(const char *path)
{
    void *h = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!h) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return h;
}

static int by_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double best_of(double (*fn)(const services *, int), const services *s)
{
    double t[15];
    for (int i = 0; i < 15; i++)
        t[i] = fn(s, 2000000);
    qsort(t, 15, sizeof *t, by_double);
    return t[7];
}

static void row(const char *what, double ns)
{
    printf("%-52s %6.2f ns\n", what, ns);
}

typedef double (*bench)(const services *, int);
typedef const services *(*get_services)(void);

int main(void)
{
    void *core = must_open("./core.so");
    const services *s = ((get_services)dlsym(core, "core_services"))();

    void *named = dlopen("./driver_by_name.so", RTLD_NOW | RTLD_LOCAL);
    printf("a module that needs the core's symbol, core RTLD_LOCAL:  %s\n", named ? "opens" : dlerror());
    void *driver = must_open("./driver.so"), *copy = must_open("./driver_copy.so");
    printf("a copy of the core linked into the module:               %s\n",
           ((get_services)dlsym(copy, "core_services"))() == s ? "same addresses"
                                                               : "other addresses: a static type differs");

    row("row of 5 cells, begin and end through the table", best_of((bench)dlsym(driver, "driver_run"), s));
    row("row of 5 cells, the core linked in", best_of((bench)dlsym(copy, "driver_run"), s));
    row("one call through the table", best_of((bench)dlsym(driver, "driver_calls"), s));
    row("one call, the core linked in",
        best_of((bench)dlsym(copy, "driver_calls"), ((get_services)dlsym(copy, "core_services"))()));

    return 0;
}

/* The PostgreSQL server of ARGENT_PG_URL for C tests of the driver. */
#ifndef AG_TEST_PQ_SERVER_H
#define AG_TEST_PQ_SERVER_H

#include "drive.h"
#include "sweep.h"

#include "driver/drivers.h"

/* Parameters taken apart from the URL; the strings live as long as the process. */
typedef struct pq_server {
    ag_connect_params params;
    const char *hosts[1];
    uint16_t ports[1];
} pq_server;

bool pq_server_available(void);
/* The result must be kept where it is: params points into static memory. */
pq_server pq_server_params(void);
void pq_open(drive *t, const ag_connect_option *options, size_t n);
int pq_setup(void **state);
int pq_teardown(void **state);
void pq_sleep_ms(int ms);
/* A TCP socket that accepts (in the kernel) and never answers. */
void pq_silent_listener(int *fd, uint16_t *port);
void pq_close_fd(int fd);

#endif

/* What a driver needs to open a connection, read from a URL. */
#ifndef AG_ENGINE_URL_CONNECT_H
#define AG_ENGINE_URL_CONNECT_H

#include "driver/driver.h"
#include "engine/url.h"

/* Query arguments become options, connect_args (args) override those of the same name; host and port arguments
 * become hosts. Texts are borrowed from u and args, arrays live in ar. AG_EXC_ARGUMENT as ag_url_hosts. */
ag_status ag_url_connect_params(ag_connect_params *out, const ag_url *u, const ag_connect_option *args, size_t nargs,
                                ag_arena *ar, ag_error *err) AG_NODISCARD;

#endif

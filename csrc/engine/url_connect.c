/* From a URL and connect_args to what a driver's open takes. */
#include "engine/url_internal.h"
#include "engine/url_connect.h"
#include <string.h>

static bool overridden(const ag_connect_option *args, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(args[i].key, key) == 0)
            return true;
    return false;
}

ag_status ag_url_connect_params(ag_connect_params *out, const ag_url *u, const ag_connect_option *args, size_t nargs,
                                ag_arena *ar, ag_error *err)
{
    memset(out, 0, sizeof *out);
    out->username = u->p.username.p;
    out->password = u->p.password.p;
    out->database = u->p.database.n ? u->p.database.p : NULL;
    out->deadline = AG_NO_DEADLINE;
    AG_TRY(ag_url_hosts(u, ar, &out->hosts, &out->ports, &out->nhosts, err));
    ag_connect_option *list = ag_arena_zero(ar, u->p.nargs + nargs + 1, sizeof *list);
    if (!list)
        return ag_fail_nomem(err);
    size_t n = 0;
    for (size_t i = 0; i < u->p.nargs; i++) {
        const ag_url_arg *a = &u->p.args[i];
        if (!ag_str_is(a->key, "host") && !ag_str_is(a->key, "port") && !overridden(args, nargs, a->key.p))
            list[n++] = (ag_connect_option){a->key.p, a->value.p};
    }
    for (size_t i = 0; i < nargs; i++)
        list[n++] = args[i];
    out->options = list;
    out->noptions = n;
    return AG_OK;
}

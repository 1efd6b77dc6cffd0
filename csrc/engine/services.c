/* The table through which drivers reach the core, and the life of a reply. A driver module cannot link to these
 * functions (Lua opens modules RTLD_LOCAL), so they are handed over by address. */
#include "driver/driver.h"

#include "driver/sqlstate.h"
#include "value/datetime.h"
#include "value/decimal.h"

const ag_services ag_core_services = {
    .abi = AG_DRIVER_ABI,
    .size = sizeof(ag_services),
    .failv = ag_failv,
    .fail_nomem = ag_fail_nomem,
    .error_text = ag_error_text,
    .error_clear = ag_error_clear,
    .error_move = ag_error_move,
    .arena_init = ag_arena_init,
    .arena_new = ag_arena_new,
    .arena_reset = ag_arena_reset,
    .arena_clear = ag_arena_clear,
    .buf_reserve = ag_buf_reserve,
    .buf_clear = ag_buf_clear,
    .buf_double = ag_buf_double,
    .parse_int64 = ag_parse_int64,
    .parse_double = ag_parse_double,
    .utf8_valid = ag_utf8_valid,
    .rows_begin = ag_rows_begin,
    .rows_end = ag_rows_end,
    .rows_abandon = ag_rows_abandon,
    .rows_grow = ag_rows_grow,
    .rows_value = ag_rows_value,
    .array_pack = ag_array_pack,
    .array_ndim = ag_array_ndim,
    .array_dim_get = ag_array_dim_get,
    .array_count = ag_array_count,
    .array_get = ag_array_get,
    .date_parse = ag_date_parse,
    .time_parse = ag_time_parse,
    .datetime_parse = ag_datetime_parse,
    .interval_parse = ag_interval_parse,
    .temporal_write = ag_temporal_write,
    .decimal_parse = ag_decimal_parse,
    .decimal_digits = ag_decimal_digits,
    .decimal_to_double = ag_decimal_to_double,
    .type_plain = ag_type_plain,
    .type_lua_name = ag_type_lua_name,
    .type_kind = ag_type_kind,
    .vkind_name = ag_vkind_name,
    .sqlstate_set = ag_sqlstate_set,
    .sqlstate_class = ag_sqlstate_class,
    .now_us = ag_now_us,
    .reply_clear = ag_reply_clear,
    .type_plain_array = ag_type_plain_array,
    .temporal_format = ag_temporal_format,
    .temporal_scan = ag_temporal_scan,
};

void ag_reply_init(ag_reply *r, const ag_alloc *alloc)
{
    memset(r, 0, sizeof *r);
    ag_rows_init(&r->rows, alloc);
    ag_arena_init(&r->arena, alloc);
    r->rowcount = -1;
}

void ag_reply_clear(ag_reply *r)
{
    const ag_alloc *alloc = r->rows.alloc;
    if (!alloc) /* zeroed, never initialised: owns nothing */
        return;
    ag_mem_free(alloc, r->last_ids);
    ag_mem_free(alloc, r->rowcounts);
    ag_rows_clear(&r->rows);
    ag_arena_clear(&r->arena);
    ag_reply_init(r, alloc);
}

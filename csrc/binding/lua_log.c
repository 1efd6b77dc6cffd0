/* Log lines of engine and pool (echo): to stderr, or to the function given to ag.log.set_handler. */
#include "binding/host.h"
#include "binding/module.h"
#include "engine/engine.h"
#include <stdio.h>
#include <time.h>

static const char handler_key;
/* ORDER ag_log_level; warnings have no line here */
static const char *const levels[] = {"INFO", "DEBUG"};

static void to_stderr(const ag_log_line *line)
{
    struct timespec now;
    struct tm tm;
    char when[32];
    clock_gettime(CLOCK_REALTIME, &now);
    if (!localtime_r(&now.tv_sec, &tm) || strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        when[0] = '\0';
    fprintf(stderr, "%s,%03d %s %s %.*s\n", when, (int)(now.tv_nsec / 1000000), levels[line->level], line->logger,
            (int)line->len, line->text);
}

/* Warnings go to Lua's own warn, as those of lua/argent/warn.lua. */
static void to_warn(lua_State *L, const ag_log_line *line)
{
    if (lua_getglobal(L, "warn") != LUA_TFUNCTION)
        return;
    lua_pushliteral(L, "argent: ");
    lua_pushlstring(L, line->text, line->len);
    lua_concat(L, 2);
    lua_call(L, 1, 0);
}

static void hook_log(lua_State *L, agl_host *h, int64_t fn, void *inout)
{
    const ag_log_line *line = inout;
    (void)h;
    (void)fn;
    if (line->level == AG_LOG_WARNING) {
        to_warn(L, line);
        return;
    }
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &handler_key) == LUA_TNIL) {
        to_stderr(line);
        return;
    }
    lua_pushstring(L, line->logger);
    lua_pushstring(L, levels[line->level]);
    lua_pushlstring(L, line->text, line->len);
    lua_call(L, 3, 0);
}

/* log_handler([function]): called as f(logger, level, text), must not yield; nil: stderr. Returns the one before. */
static int log_handler(lua_State *L)
{
    lua_settop(L, 1);
    if (!lua_isnil(L, 1))
        agl_check_function(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &handler_key);
    lua_insert(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &handler_key);
    return 1;
}

static const luaL_Reg internal[] = {{"log_handler", log_handler}, {NULL, NULL}};

void agl_open_log(lua_State *L)
{
    agl_functions_internal(L, internal);
    agl_hook_set(L, AG_HOOK_LOG, hook_log);
}

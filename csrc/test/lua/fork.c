/* fork() for specs (spec/engine/fork_spec.lua): require("argent_test.fork")(function) runs the function in a child, which then collects all
 * garbage and ends. Gives the text that it returned, and the child's exit status. */
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(lua_State *L, int out)
{
    size_t n, done = 0;
    int status = lua_pcall(L, 0, 1, 0) == LUA_OK ? 0 : 1;
    const char *s = luaL_tolstring(L, -1, &n);
    while (done < n) {
        ssize_t k = write(out, s + done, n - done);
        if (k <= 0)
            _exit(3);
        done += (size_t)k;
    }
    lua_settop(L, 0);
    lua_gc(L, LUA_GCCOLLECT);
    lua_gc(L, LUA_GCCOLLECT);
    _exit(status);
}

static int run(lua_State *L)
{
    int ends[2], status = 0;
    char part[4096];
    ssize_t n;
    luaL_Buffer b;
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    fflush(NULL);
    if (pipe(ends) != 0)
        return luaL_error(L, "pipe failed");
    pid_t pid = fork();
    if (pid < 0)
        return luaL_error(L, "fork failed");
    if (pid == 0) {
        (void)close(ends[0]);
        child(L, ends[1]);
    }
    (void)close(ends[1]);
    luaL_buffinit(L, &b);
    while ((n = read(ends[0], part, sizeof part)) > 0)
        luaL_addlstring(&b, part, (size_t)n);
    (void)close(ends[0]);
    (void)waitpid(pid, &status, 0);
    luaL_pushresult(&b);
    lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 2;
}

__attribute__((visibility("default"))) int luaopen_argent_test_fork(lua_State *L);
int luaopen_argent_test_fork(lua_State *L)
{
    lua_pushcfunction(L, run);
    return 1;
}

# What is needed from outside: Lua's headers, and for each driver its client library. Sets LUA_INCLUDE_DIR,
# ARGENT_HAVE_<driver> and the target argent_client_<driver>.

find_program(ARGENT_LUA NAMES lua5.4 lua54 lua5.5 lua DOC "the Lua interpreter that runs the tests")
find_path(LUA_INCLUDE_DIR lua.h HINTS ENV LUA_INCDIR PATH_SUFFIXES lua5.4 lua54 lua5.5 lua
  DOC "folder of lua.h, 5.4.3 or later")
if(NOT LUA_INCLUDE_DIR)
  message(FATAL_ERROR "lua.h was not found: install Lua's headers (Debian: liblua5.4-dev) or pass -DLUA_INCLUDE_DIR=…")
endif()
file(STRINGS ${LUA_INCLUDE_DIR}/lua.h lua_version REGEX "^#define[ \t]+LUA_VERSION_(MAJOR|MINOR|RELEASE)(_N)?[ \t]+\"?[0-9]")
string(REGEX REPLACE "[^;]*(MAJOR|MINOR|RELEASE)(_N)?[ \t]+\"?([0-9]+)[^;]*" "\\3" lua_version "${lua_version}")
string(REPLACE ";" "." lua_version "${lua_version}")
if(lua_version VERSION_LESS 5.4.3)
  message(FATAL_ERROR "Lua ${lua_version} in ${LUA_INCLUDE_DIR} is too old: argent needs 5.4.3 or later")
endif()
message(STATUS "Lua ${lua_version}: ${LUA_INCLUDE_DIR}")

find_path(SQLITE3_INCLUDE_DIR sqlite3.h HINTS ${SQLITE_INCDIR} DOC "folder of sqlite3.h")
find_library(SQLITE3_LIBRARY sqlite3 HINTS ${SQLITE_LIBDIR})
find_path(PQ_INCLUDE_DIR libpq-fe.h HINTS ${PQ_INCDIR} PATH_SUFFIXES postgresql pgsql DOC "folder of libpq-fe.h")
find_library(PQ_LIBRARY pq HINTS ${PQ_LIBDIR})

function(argent_client driver label include library package)
  if(include AND library)
    add_library(argent_client_${driver} INTERFACE)
    # A folder that the compiler searches anyway is not repeated, else order of system folders would change.
    if(NOT include STREQUAL "/usr/include")
      target_include_directories(argent_client_${driver} SYSTEM INTERFACE ${include})
    endif()
    target_link_libraries(argent_client_${driver} INTERFACE ${library})
    set(ARGENT_HAVE_${driver} TRUE PARENT_SCOPE)
    message(STATUS "driver ${driver}: ${library}")
  else()
    set(ARGENT_HAVE_${driver} FALSE PARENT_SCOPE)
    message(STATUS "driver ${driver} is LEFT OUT: ${label} was not found (Debian: ${package})")
  endif()
endfunction()
argent_client(sqlite "SQLite (sqlite3.h, libsqlite3)" "${SQLITE3_INCLUDE_DIR}" "${SQLITE3_LIBRARY}" libsqlite3-dev)
argent_client(postgresql "libpq (libpq-fe.h, libpq)" "${PQ_INCLUDE_DIR}" "${PQ_LIBRARY}" libpq-dev)

set(ARGENT_INSTALL_LUADIR "share/lua/5.4" CACHE STRING "where install puts Lua files")
set(ARGENT_INSTALL_CDIR "lib/lua/5.4" CACHE STRING "where install puts modules")

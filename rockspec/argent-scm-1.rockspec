rockspec_format = "3.0"
package = "argent"
version = "scm-1"
source = {url = "."} -- luarocks make, in a checkout
description = {
  summary = "A database toolkit: SQL expressions, engine and ORM over a C core",
  detailed = [[To Lua what SQLAlchemy is to Python. SQLite and PostgreSQL; a driver whose client library's headers are
missing is left out. JSON columns use dkjson (or another module you name) when it is installed.]],
  license = "MIT",
  labels = {"database", "sql", "orm", "sqlite", "postgresql"},
}
-- Nothing else is declared, so that a build never needs the network. dkjson is asked for when a JSON column is used.
dependencies = {"lua >= 5.4, < 5.6"}
build = {
  type = "cmake",
  variables = {
    CMAKE_BUILD_TYPE = "Release",
    CMAKE_C_FLAGS = "$(CFLAGS)",
    CMAKE_INSTALL_PREFIX = "$(PREFIX)",
    LUA_INCLUDE_DIR = "$(LUA_INCDIR)",
    ARGENT_INSTALL_LUADIR = "$(LUADIR)",
    ARGENT_INSTALL_CDIR = "$(LIBDIR)",
    ARGENT_TESTS = "OFF",
    ARGENT_WERROR = "OFF",
  },
}

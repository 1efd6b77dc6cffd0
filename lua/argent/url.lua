--- ag.make_url and ag.URL. The objects are C's (csrc/binding/lua_url.c).
local core = require "argent.core"

local M = {make_url = core.make_url}

M.URL = {
  --- A URL from its parts; nothing needs escaping.
  ---
  ---     ag.URL.create("postgresql", {username = "app", password = "p@ss/word", host = "db", database = "shop"})
  ---@type fun(drivername: string, parts: table?): argent.URL
  create = core.url_create,
}

return M

-- types/argent.lua, the list for language servers of the names that Lua modules give, from lua/argent/names.lua. script/format runs it.
local names = dofile "lua/argent/names.lua"
local sorted = {}
for name in pairs(names) do sorted[#sorted + 1] = name end
table.sort(sorted)

local out = assert(io.open("types/argent.lua", "w"))
out:write [[
---@meta
-- What require "argent" gives beside the public part of the C core (types/core.lua), for a language server: one line for each
-- name of lua/argent/names.lua. Nothing here is run; script/format writes it.

---@class argent: argent.core
local argent = {}

]]
for _, name in ipairs(sorted) do
  local of = names[name]
  out:write(of == true and ('argent.%s = require("argent.%s")\n'):format(name, name)
            or ('argent.%s = require("argent.%s").%s\n'):format(name, of, name))
end
out:write "\nreturn argent\n"
out:close()

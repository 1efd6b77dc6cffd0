--- ag.unpack and ag.to_table: rows (and, with the ORM, entities) as plain Lua values.
local core = require "argent.core"

local M = {}

--- The values of a row: `local id, name = ag.unpack(row)`. NULL is nil.
---@param row argent.Row
---@param from? integer
---@param to? integer
---@return any ...
function M.unpack(row, from, to)
  return core.row_unpack(row, from, to)
end

--- A plain table of a row's values by name (NULL is missing), or with `{array = true}` by number (NULL is ag.null).
---@param row argent.Row
---@param options? {array: boolean?}
---@return table
function M.to_table(row, options)
  if core.kind_of(row) == "entity" then return require("argent.orm.inspect").to_table(row) end
  return core.row_to_table(row, options)
end

return M

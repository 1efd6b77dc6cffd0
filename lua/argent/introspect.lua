--- What statements tell about their columns: `stmt.selected_columns`, `stmt.column_descriptions`.
local core = require "argent.core"

local M = {}

--- A collection of columns: by number, by key, `#` and `pairs` in order. An unknown key raises.
---@param keys string[]
---@param columns any[]
function M.collection(keys, columns)
  local by_key = {}
  for i, key in ipairs(keys) do
    if by_key[key] == nil then by_key[key] = columns[i] end
  end
  return setmetatable({}, {
    __index = function(_, key)
      if math.type(key) == "integer" then return columns[key] end
      local found = by_key[key]
      if found == nil then
        local near = type(key) == "string" and core.nearest(key, keys)
        core.exc_raise("InvalidRequestError", ("no column '%s'%s"):format(tostring(key),
          near and ("; did you mean '%s'?"):format(near) or ""))
      end
      return found
    end,
    __newindex = function() core.exc_raise("InvalidRequestError", "a statement's columns cannot be changed") end,
    __len = function() return #columns end,
    __pairs = function()
      local i = 0
      return function()
        i = i + 1
        if columns[i] ~= nil then return keys[i], columns[i] end
      end
    end,
  })
end

--- {name =, type =, expr =} of each column.
---@param keys string[]
---@param columns any[]
function M.descriptions(keys, columns)
  local out = {}
  for i, expr in ipairs(columns) do out[i] = {name = keys[i], type = expr.type, expr = expr} end
  return out
end

return M

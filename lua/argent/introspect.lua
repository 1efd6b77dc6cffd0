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

--- subquery.primary_key: its columns that are of the primary key of their table; of a join without those that equal another.
---@param from any
---@return any[]
function M.primary_key(from)
  local found = {}
  for i = 1, #from.c do
    if from.c[i].primary_key then found[#found + 1] = from.c[i] end
  end
  if core.node_visit_name(from) ~= "join" or #found < 2 then return found end
  local ag = require "argent"
  local reduced = ag.select(table.unpack(found)):select_from(from):reduce_columns{only_synonyms = false}.selected_columns
  return {table.unpack(reduced, 1, #reduced)}
end

--- alias.foreign_keys: those of its columns.
---@param from any
---@return any[]
function M.foreign_keys(from)
  local found = {}
  for i = 1, #from.c do table.move(from.c[i].foreign_keys, 1, #from.c[i].foreign_keys, #found + 1, found) end
  return found
end

return M

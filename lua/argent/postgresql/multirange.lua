--- Lists of ranges as values: `pg.MultiRange{pg.Range(1, 3), pg.Range(7, 9)}`, what columns of INT4MULTIRANGE … hold. It is an array of
--- Range values: `m[1]`, `#m`, `ipairs(m)`. A plain table of ranges is taken as well where the column's type is known.
local core = require "argent.core"
local edges = require "argent.postgresql.range_edges"
local range = require "argent.postgresql.range"

---@class argent.postgresql.MultiRange
---@field [integer] argent.postgresql.Range
local meta = {__name = "MultiRange"}
meta.__index = meta

local M = {}

--- Raises when the table is no list of ranges.
---@param list any
---@param what string for the message
function M.check(list, what)
  if type(list) ~= "table" then
    core.exc_raise("DataError", ("%s: expected a list of Range values, got %s"):format(what, core.describe(list)))
  end
  local n = #list
  for key in pairs(list) do
    if math.type(key) ~= "integer" or key < 1 or key > n then
      core.exc_raise("DataError", ("%s: expected a list of Range values, got a table with the key %s"):format(what, core.describe(key)))
    end
  end
  for i = 1, n do
    if not range.is(list[i]) then
      core.exc_raise("DataError", ("%s: item %d: expected a Range, got %s"):format(what, i, core.describe(list[i])))
    end
  end
end

--- A MultiRange of a list of ranges.
---@param list? table
---@return argent.postgresql.MultiRange
function M.new(list)
  list = list or {}
  if not pcall(M.check, list, "") or getmetatable(list) ~= nil and getmetatable(list) ~= meta then
    core.exc_raise("ArgumentError", ("MultiRange takes a list of Range values, got %s"):format(core.describe(list)))
  end
  return setmetatable(table.move(list, 1, #list, 1, {}), meta)
end

--- Is it a MultiRange?
---@param list any
---@return boolean
function M.is(list)
  return getmetatable(list) == meta
end

function meta.__eq(a, b)
  if not M.is(a) or not M.is(b) or #a ~= #b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

function meta.__tostring(list)
  local out = {}
  for i = 1, #list do out[i] = tostring(list[i]) end
  return "{" .. table.concat(out, ",") .. "}"
end

function meta.__sqltype(list)
  return edges.type_of(list, "MULTIRANGE")
end

return M

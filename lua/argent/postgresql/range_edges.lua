--- The edges of ranges: how they compare (PostgreSQL's range_cmp_bounds), and which SQL type ranges of such bounds have.
---
--- An edge is {value = …, lower = boolean, inclusive = boolean}; the value nil is infinite. Integers and dates are discrete: their edges
--- are compared as if every range was written "[)".
local core = require "argent.core"

local M = {}

--- "integer", "float", "decimal", "date", "datetime", or nil for what is no bound.
---@param v any
---@return string?
function M.kind(v)
  if type(v) == "number" then return math.type(v) end
  local kind = core.kind_of(v)
  if kind == "decimal" or kind == "date" or kind == "datetime" then return kind end
  return nil
end

local day

--- The distance of neighbours, nil where there is always something between.
local function step(v)
  if math.type(v) == "integer" then return 1 end
  if type(v) ~= "number" and core.kind_of(v) == "date" then
    day = day or core.interval{days = 1}
    return day
  end
  return nil
end

local function infinite_date(v)
  local text = tostring(v)
  return text == "infinity" or text == "-infinity"
end

--- The value from which on an edge of "[)" counts, and whether there was such a step.
local function normal(e)
  local by = step(e.value)
  if not by or e.inclusive == e.lower then return e.value, by ~= nil end
  if e.value == math.maxinteger or (by ~= 1 and infinite_date(e.value)) then return e.value, false end
  return e.value + by, true
end

--- How two edges ({value =, lower =, inclusive =}) stand to each other: -1, 0 or 1.
---@param a table
---@param b table
---@return integer
function M.compare(a, b)
  if a.value == nil and b.value == nil then
    return a.lower == b.lower and 0 or a.lower and -1 or 1
  elseif a.value == nil then
    return a.lower and -1 or 1
  elseif b.value == nil then
    return b.lower and 1 or -1
  end
  local x, discrete_x = normal(a)
  local y, discrete_y = normal(b)
  if x < y then return -1 elseif y < x then return 1 end
  if discrete_x and discrete_y then -- [1 is 1, 1) is just before it
    return a.lower == b.lower and 0 or a.lower and 1 or -1
  end
  if a.inclusive and b.inclusive then return 0 end
  if not a.inclusive and not b.inclusive then return a.lower == b.lower and 0 or a.lower and 1 or -1 end
  if not a.inclusive then return a.lower and 1 or -1 end
  return b.lower and -1 or 1
end

--- Does the upper edge end where the lower one begins, without a gap or a common point?
---@param upper table
---@param lower table
---@return boolean
function M.touch(upper, lower)
  if upper.value == nil or lower.value == nil then return false end
  local x, discrete_x = normal(upper)
  local y, discrete_y = normal(lower)
  if x < y or y < x then return false end
  if discrete_x and discrete_y then return true end
  return upper.inclusive ~= lower.inclusive
end

--- Is there no value in the range? `[1,1)` is as empty as `empty`.
---@param r argent.postgresql.Range
---@return boolean
function M.is_empty(r)
  if r.empty then return true end
  if r.lower == nil or r.upper == nil then return false end
  local x, discrete_x = normal{value = r.lower, lower = true, inclusive = r.bounds:sub(1, 1) == "["}
  local y, discrete_y = normal{value = r.upper, lower = false, inclusive = r.bounds:sub(2) == "]"}
  if discrete_x and discrete_y then return y < x or x == y end
  return (r.upper < r.lower or r.lower == r.upper) and r.bounds ~= "[]"
end

--- Are the bounds of two ranges of one kind?
---@param a argent.postgresql.Range
---@param b argent.postgresql.Range
---@return boolean
function M.comparable(a, b)
  local one, other = a.lower, b.lower
  if one == nil then one = a.upper end
  if other == nil then other = b.upper end
  if one == nil or other == nil then return true end
  local x, y = M.kind(one), M.kind(other)
  return x == y or (type(one) == "number" and type(other) == "number")
end

local function fits_int4(v)
  return v == nil or (v >= -2147483648 and v <= 2147483647)
end

local prefixes = {float = "NUM", decimal = "NUM", date = "DATE"}

--- The type of a list of ranges: `suffix` is "RANGE" or "MULTIRANGE". Nil when no bound tells.
---@param ranges table
---@param suffix string
function M.type_of(ranges, suffix)
  local first = ranges[1]
  local v = first and first.lower
  if first and v == nil then v = first.upper end
  if v == nil then return nil end
  local kind = M.kind(v)
  local prefix = prefixes[kind]
  if kind == "integer" then
    prefix = "INT4"
    for _, r in ipairs(ranges) do
      if not fits_int4(r.lower) or not fits_int4(r.upper) then prefix = "INT8" end
    end
  elseif kind == "datetime" then
    prefix = v.offset and "TSTZ" or "TS"
  end
  return core.postgresql_types[prefix .. suffix]
end

return M

--- Ranges as values: `pg.Range(1, 5, "[)")`, what columns of INT4RANGE, NUMRANGE, DATERANGE … hold. Bounds are integers, floats, decimals,
--- dates or datetimes; nil is infinite. Values are compared as PostgreSQL does: `[1,5]` and `[1,6)` are equal for integers and dates.
local core = require "argent.core"
local edges = require "argent.postgresql.range_edges"

local compare = edges.compare

---@class argent.postgresql.Range
---@field lower any lower bound, nil when infinite or empty
---@field upper any upper bound, nil when infinite or empty
---@field bounds string "[)", "()", "[]" or "(]"
---@field empty boolean
---@field is_empty boolean the same as `empty`; so is `isempty`
---@field lower_inc boolean
---@field upper_inc boolean
---@field lower_inf boolean
---@field upper_inf boolean
---@operator add(argent.postgresql.Range): argent.postgresql.Range
---@operator sub(argent.postgresql.Range): argent.postgresql.Range
---@operator mul(argent.postgresql.Range): argent.postgresql.Range
local Range = {}
local meta = {__name = "Range"}

local known_bounds = {["[)"] = true, ["[]"] = true, ["()"] = true, ["(]"] = true}

local function fail(text, ...)
  core.exc_raise("ArgumentError", text:format(...))
end

local function is_range(v)
  return getmetatable(v) == meta
end

local function check(r, method, position)
  if is_range(r) then return r end
  fail("bad argument #%d to Range:%s: expected a Range, got %s", position, method, core.describe(r))
end

--- A range that is known to be right.
local function make(lower, upper, bounds)
  return setmetatable({_lower = lower, _upper = upper, _bounds = bounds, _empty = false}, meta)
end

local empty_range = setmetatable({_bounds = "[)", _empty = true}, meta)

local function check_bound(name, v)
  if v == core.null then return nil end
  if v ~= nil and not edges.kind(v) then
    fail("%s: expected an integer, float, decimal, date or datetime, got %s", name, core.describe(v))
  end
  if v ~= v then fail("%s: NaN is no bound of a Range", name) end
  return v
end

local function read_options(bounds, options)
  if type(bounds) == "table" and options == nil then bounds, options = nil, bounds end
  options = options == nil and {} or options
  if type(options) ~= "table" then fail("expected an options table, got %s", core.describe(options)) end
  for key in pairs(options) do
    if key ~= "bounds" and key ~= "empty" then
      fail("Range has no option '%s'; it has: bounds, empty", tostring(key))
    end
  end
  bounds = bounds or options.bounds or "[)"
  if not known_bounds[bounds] then fail("bounds: expected \"[)\", \"[]\", \"()\" or \"(]\", got %s", core.describe(bounds)) end
  return bounds, options.empty
end

--- `pg.Range(lower, upper, bounds)`; nil or `ag.null` as a bound is infinite; `pg.Range{empty = true}` is the empty range.
---@param lower? any
---@param upper? any
---@param bounds? string|table "[)" by default, or options {bounds = …, empty = …}
---@param options? table
---@return argent.postgresql.Range
local function new(lower, upper, bounds, options)
  if type(lower) == "table" and getmetatable(lower) == nil and upper == nil and bounds == nil then lower, bounds = nil, lower end
  local is_empty
  bounds, is_empty = read_options(bounds, options)
  lower, upper = check_bound("lower", lower), check_bound("upper", upper)
  if is_empty then
    if lower ~= nil or upper ~= nil then fail("an empty Range has no bounds") end
    return empty_range
  end
  if lower ~= nil and upper ~= nil then
    if edges.kind(lower) ~= edges.kind(upper) then
      fail("the bounds of a Range are of one kind, not %s and %s", core.describe(lower), core.describe(upper))
    end
    if upper < lower then fail("the lower bound of a Range is at most the upper one: %s, %s", tostring(lower), tostring(upper)) end
  end
  return make(lower, upper, bounds)
end

-- ---- what it says about itself ----

local getters = {
  lower = function(r) return r._lower end,
  upper = function(r) return r._upper end,
  bounds = function(r) return r._bounds end,
  empty = function(r) return r._empty end,
  is_empty = function(r) return r._empty end,
  isempty = function(r) return r._empty end,
  lower_inc = function(r) return not r._empty and r._lower ~= nil and r._bounds:sub(1, 1) == "[" end,
  upper_inc = function(r) return not r._empty and r._upper ~= nil and r._bounds:sub(2) == "]" end,
  lower_inf = function(r) return not r._empty and r._lower == nil end,
  upper_inf = function(r) return not r._empty and r._upper == nil end,
}

local function lower_of(r)
  return {value = r._lower, lower = true, inclusive = r._bounds:sub(1, 1) == "["}
end
local function upper_of(r)
  return {value = r._upper, lower = false, inclusive = r._bounds:sub(2) == "]"}
end

local function from_edges(low, high)
  return make(low.value, high.value, (low.inclusive and "[" or "(") .. (high.inclusive and "]" or ")"))
end

-- ---- comparisons ----

--- Is this range inside `other`?
---@param other argent.postgresql.Range
---@return boolean
function Range:contained_by(other)
  check(self, "contained_by", 0)
  check(other, "contained_by", 1)
  if edges.is_empty(self) then return true end
  if edges.is_empty(other) then return false end
  return compare(lower_of(self), lower_of(other)) >= 0 and compare(upper_of(self), upper_of(other)) <= 0
end

--- Is the value, or the whole range, in this range?
---@param value any
---@return boolean
function Range:contains(value)
  check(self, "contains", 0)
  if is_range(value) then return Range.contained_by(value, self) end
  if value == nil or value == core.null or not edges.kind(value) then
    fail("bad argument #1 to Range:contains: expected a value or a Range, got %s", core.describe(value))
  end
  if self._empty then return false end
  local low, high = self._lower, self._upper
  local above = low == nil or low < value or (low == value and self._bounds:sub(1, 1) == "[")
  return above and (high == nil or value < high or (value == high and self._bounds:sub(2) == "]"))
end

--- Have the two ranges points in common?
---@param other argent.postgresql.Range
---@return boolean
function Range:overlaps(other)
  check(self, "overlaps", 0)
  check(other, "overlaps", 1)
  if edges.is_empty(self) or edges.is_empty(other) then return false end
  return compare(lower_of(self), upper_of(other)) <= 0 and compare(lower_of(other), upper_of(self)) <= 0
end

local function placed(name, test)
  Range[name] = function(self, other)
    check(self, name, 0)
    check(other, name, 1)
    if edges.is_empty(self) or edges.is_empty(other) then return false end
    return test(self, other)
  end
end

placed("strictly_left_of", function(a, b) return compare(upper_of(a), lower_of(b)) < 0 end)
placed("strictly_right_of", function(a, b) return compare(lower_of(a), upper_of(b)) > 0 end)
placed("not_extend_left_of", function(a, b) return compare(lower_of(a), lower_of(b)) >= 0 end)
placed("not_extend_right_of", function(a, b) return compare(upper_of(a), upper_of(b)) <= 0 end)
placed("adjacent_to", function(a, b) return edges.touch(upper_of(a), lower_of(b)) or edges.touch(upper_of(b), lower_of(a)) end)

-- ---- arithmetic ----

local function lesser(a, b) return compare(a, b) <= 0 and a or b end
local function greater(a, b) return compare(a, b) >= 0 and a or b end

--- The range that covers both; raises when there is a gap between them.
---@param other argent.postgresql.Range
---@return argent.postgresql.Range
function Range:union(other)
  check(self, "union", 0)
  check(other, "union", 1)
  if edges.is_empty(self) then return other end
  if edges.is_empty(other) then return self end
  if not Range.overlaps(self, other) and not Range.adjacent_to(self, other) then
    fail("the union of %s and %s is not one Range", tostring(self), tostring(other))
  end
  return from_edges(lesser(lower_of(self), lower_of(other)), greater(upper_of(self), upper_of(other)))
end

--- What both have in common; the empty range when that is nothing.
---@param other argent.postgresql.Range
---@return argent.postgresql.Range
function Range:intersection(other)
  check(self, "intersection", 0)
  check(other, "intersection", 1)
  if not Range.overlaps(self, other) then return empty_range end
  return from_edges(greater(lower_of(self), lower_of(other)), lesser(upper_of(self), upper_of(other)))
end

--- This range without the other; raises when two parts would remain.
---@param other argent.postgresql.Range
---@return argent.postgresql.Range
function Range:difference(other)
  check(self, "difference", 0)
  check(other, "difference", 1)
  if not Range.overlaps(self, other) then return self end
  local starts = compare(lower_of(self), lower_of(other)) < 0
  local ends = compare(upper_of(self), upper_of(other)) > 0
  if starts and ends then fail("%s without %s is not one Range", tostring(self), tostring(other)) end
  if starts then
    local cut = lower_of(other)
    return from_edges(lower_of(self), {value = cut.value, inclusive = not cut.inclusive})
  elseif ends then
    local cut = upper_of(other)
    return from_edges({value = cut.value, inclusive = not cut.inclusive}, upper_of(self))
  end
  return empty_range
end

-- ---- the metatable ----

function meta.__index(r, name)
  local get = getters[name]
  if get then return get(r) end
  local method = Range[name]
  if method then return method end
  if type(name) == "string" and name:sub(1, 1) == "_" then return nil end
  local near = type(name) == "string" and core.nearest(name, meta.names)
  fail("Range has no attribute '%s'%s", tostring(name), near and ("; did you mean '%s'?"):format(near) or "")
end

function meta.__newindex(_, name)
  fail("a Range cannot be changed (assigning '%s'): make another", tostring(name))
end

function meta.__eq(a, b)
  if not is_range(a) or not is_range(b) then return false end
  local none, nothing = edges.is_empty(a), edges.is_empty(b)
  if none or nothing then return none == nothing end
  return edges.comparable(a, b) and compare(lower_of(a), lower_of(b)) == 0 and compare(upper_of(a), upper_of(b)) == 0
end

meta.__add, meta.__sub, meta.__mul = Range.union, Range.difference, Range.intersection
meta.__shl, meta.__shr = Range.strictly_left_of, Range.strictly_right_of

function meta.__tostring(r)
  if r._empty then return "empty" end
  local low, high = r._lower, r._upper
  return ("%s%s,%s%s"):format(r._bounds:sub(1, 1), low == nil and "" or tostring(low), high == nil and "" or tostring(high),
    r._bounds:sub(2))
end

--- The SQL type of such a value beside nothing that says it: a function of the value.
function meta.__sqltype(r)
  return edges.type_of({r}, "RANGE")
end

meta.names = {}
for name in pairs(getters) do meta.names[#meta.names + 1] = name end
for name in pairs(Range) do meta.names[#meta.names + 1] = name end

return {new = new, make = make, empty = empty_range, is = is_range}

--- The text forms of the types whose values are Lua tables: ranges, multiranges, HSTORE, BIT. The C core calls `encode` and `decode` with
--- the type's name; both raise DataError for what is no such value.
local core = require "argent.core"
local bitstring = require "argent.postgresql.bitstring"
local hstore = require "argent.postgresql.hstore"
local multirange = require "argent.postgresql.multirange"
local range = require "argent.postgresql.range"

local M = {}

local function fail(text, ...)
  core.exc_raise("DataError", text:format(...))
end

local function datetime(zoned)
  return function(text)
    local v = core.datetime(text)
    if zoned and v.offset == nil and not text:find("infinity", 1, true) then fail("'%s' has no time zone", text) end
    return v
  end
end

local function integer(text)
  return text:find("^-?%d+$") and math.tointeger(text) or fail("'%s' is no integer", text)
end

local function check_integer(low, high)
  return function(v) return math.type(v) == "integer" and v >= low and v <= high end
end

local function check_kind(kind)
  return function(v) return core.kind_of(v) == kind end
end

local function check_datetime(zoned)
  return function(v)
    if core.kind_of(v) ~= "datetime" then return false end
    return tostring(v):find("infinity", 1, true) ~= nil or (v.offset ~= nil) == zoned
  end
end

--- What the bounds of a range type are: how they are read, which are taken, and how the message calls them.
local subtypes = {
  INT4 = {read = integer, takes = check_integer(-2147483648, 2147483647), what = "integers of 32 bits"},
  INT8 = {read = integer, takes = check_integer(math.mininteger, math.maxinteger), what = "integers"},
  NUM = {
    read = function(text) return core.decimal(text) end,
    takes = function(v) return math.type(v) ~= nil or core.kind_of(v) == "decimal" end, what = "decimals or numbers",
  },
  DATE = {read = function(text) return core.date(text) end, takes = check_kind("date"), what = "dates"},
  TS = {read = datetime(false), takes = check_datetime(false), what = "datetimes without a time zone"},
  TSTZ = {read = datetime(true), takes = check_datetime(true), what = "datetimes with a time zone"},
}

-- ---- reading ----

--- One bound from `at` on, up to one of the characters in `stops`: its text, nil when there is none, and the position of the stop.
local function read_bound(text, at, stops)
  local out, from, some = {}, at, false
  while true do
    local c = text:sub(from, from)
    if c == "" then return nil, nil end
    if c == '"' then
      some = true
      local stop = from + 1
      while true do
        local next_at = text:find('["\\]', stop)
        if not next_at then return nil, nil end
        out[#out + 1] = text:sub(stop, next_at - 1)
        if text:sub(next_at, next_at) == "\\" or text:sub(next_at + 1, next_at + 1) == '"' then
          if next_at == #text then return nil, nil end
          out[#out + 1] = text:sub(next_at + 1, next_at + 1)
          stop = next_at + 2
        else
          from = next_at + 1
          break
        end
      end
    elseif c == "\\" then
      if from == #text then return nil, nil end
      some = true
      out[#out + 1] = text:sub(from + 1, from + 1)
      from = from + 2
    elseif stops:find(c, 1, true) then
      return (some or from > at) and table.concat(out) or false, from
    else
      out[#out + 1] = c
      from = from + 1
    end
  end
end

local function malformed(what, text)
  fail("this is no %s: '%s'", what, #text > 60 and text:sub(1, 60) .. "…" or text)
end

--- The range at position `at` and the position behind it.
local function read_range(text, at, sub, what)
  local word = text:match("^%a+", at)
  if word then
    if word:lower() ~= "empty" then malformed(what, text) end
    return range.empty, at + 5
  end
  local open = text:sub(at, at)
  if open ~= "[" and open ~= "(" then malformed(what, text) end
  local low, comma = read_bound(text, at + 1, ",")
  if low == nil then malformed(what, text) end
  local high, stop = read_bound(text, comma + 1, ")]")
  if high == nil then malformed(what, text) end
  local lower, upper = low and sub.read(low) or nil, high and sub.read(high) or nil
  return range.make(lower, upper, open .. text:sub(stop, stop)), stop + 1
end

local function decode_range(text, sub, what)
  local r, behind = read_range(text, text:match("^%s*()"), sub, what)
  if text:find("%S", behind) then malformed(what, text) end
  return r
end

local function decode_multirange(text, sub, what)
  local out, at = {}, text:match("^%s*{%s*()")
  if not at then malformed(what, text) end
  while text:sub(at, at) ~= "}" do
    out[#out + 1], at = read_range(text, at, sub, what)
    local comma = text:match("^%s*,%s*()", at)
    at = comma or text:match("^%s*()", at)
    local c = text:sub(at, at)
    if not comma and c ~= "}" or comma and c == "}" then malformed(what, text) end
  end
  if text:find("%S", at + 1) then malformed(what, text) end
  return multirange.new(out)
end

-- ---- writing ----

--- The shortest text that reads as the same float.
local function float_text(v)
  if v == math.huge or v == -math.huge then return v > 0 and "Infinity" or "-Infinity" end
  for digits = 15, 16 do
    local text = ("%." .. digits .. "g"):format(v)
    if tonumber(text) == v then return text end
  end
  return ("%.17g"):format(v)
end

local function write_bound(v, sub, what)
  if v == nil then return "" end
  if not sub.takes(v) then fail("the bounds of %s are %s, not %s", what, sub.what, core.describe(v)) end
  local text = math.type(v) == "float" and float_text(v) or tostring(v)
  return text:find("[%s,%[%]()\"\\{}]") and '"' .. text .. '"' or text
end

local function encode_range(r, sub, what)
  if not range.is(r) then fail("%s takes a Range, got %s", what, core.describe(r)) end
  if r.empty then return "empty" end
  return r.bounds:sub(1, 1) .. write_bound(r.lower, sub, what) .. "," .. write_bound(r.upper, sub, what) .. r.bounds:sub(2)
end

local function encode_multirange(list, sub, what)
  multirange.check(list, what)
  local out = {}
  for i = 1, #list do out[i] = encode_range(list[i], sub, what) end
  return "{" .. table.concat(out, ",") .. "}"
end

-- ---- by type ----

local function codec_of(name)
  local prefix = name:match("^(%u+%d?)MULTIRANGE$")
  if prefix then return subtypes[prefix], encode_multirange, decode_multirange end
  prefix = name:match("^(%u+%d?)RANGE$")
  return subtypes[prefix], encode_range, decode_range
end

--- The text that PostgreSQL reads for a value of the type called `name`.
---@param value any
---@param name string
---@return string
function M.encode(value, name)
  if name == "HSTORE" then return hstore.encode(value) end
  if name == "BIT" then
    if not bitstring.is(value) then fail("BIT takes a BitString or a string of 0 and 1, got %s", core.describe(value)) end
    return tostring(value)
  end
  local sub, encode = codec_of(name)
  return encode(value, sub, name)
end

--- The value of a text that PostgreSQL wrote for the type called `name`.
---@param text string
---@param name string
---@return any
function M.decode(text, name)
  if name == "HSTORE" then return hstore.decode(text) end
  if name == "BIT" then
    if text:find("[^01]") then fail("this is no bit string: '%s'", text:sub(1, 60)) end
    return bitstring.new(text)
  end
  local sub, _, decode = codec_of(name)
  return decode(text, sub, name)
end

return M

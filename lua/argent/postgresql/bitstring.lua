--- Bit strings as values: `pg.BitString("0101")`, what BIT and BIT VARYING columns hold. Positions count from 0 as in PostgreSQL's
--- get_bit. A plain string of 0 and 1 is taken by such columns as well.
local core = require "argent.core"

---@class argent.postgresql.BitString
---@field bit_length integer how many bits
---@field octet_length integer how many bytes they fill
---@operator band(argent.postgresql.BitString|string): argent.postgresql.BitString
---@operator bor(argent.postgresql.BitString|string): argent.postgresql.BitString
---@operator bxor(argent.postgresql.BitString|string): argent.postgresql.BitString
---@operator bnot: argent.postgresql.BitString
---@operator shl(integer): argent.postgresql.BitString
---@operator shr(integer): argent.postgresql.BitString
---@operator concat(argent.postgresql.BitString|string): argent.postgresql.BitString
---@operator len: integer
local Bits = {}
local meta = {__name = "BitString"}

local M = {}

local function fail(text, ...)
  core.exc_raise("ArgumentError", text:format(...))
end

--- Is it a BitString?
---@param v any
---@return boolean
function M.is(v)
  return getmetatable(v) == meta
end

local function make(digits)
  return setmetatable({_digits = digits}, meta)
end

--- The digits of a BitString or of a string of them.
local function digits_of(v, what)
  if M.is(v) then return v._digits end
  if type(v) == "string" and not v:find("[^01]") then return v end
  fail("%s: expected a BitString or a string of 0 and 1, got %s", what, core.describe(v))
end

local function check_count(v, what)
  if math.type(v) ~= "integer" or v < 0 then fail("%s: expected an integer ≥ 0, got %s", what, core.describe(v)) end
  return v
end

--- `pg.BitString("0101")`
---@param digits string|argent.postgresql.BitString
---@return argent.postgresql.BitString
function M.new(digits)
  if M.is(digits) then return digits end
  return make(digits_of(digits, "BitString"))
end

--- The bits of an integer ≥ 0, filled with zeros on the left up to `length`.
---@param value integer
---@param length integer
---@return argent.postgresql.BitString
function M.from_int(value, length)
  check_count(value, "from_int")
  check_count(length, "from_int")
  local out = {}
  local rest = value
  while rest > 0 do
    out[#out + 1] = rest & 1
    rest = rest >> 1
  end
  if #out > length then fail("%d does not fit in %d bits", value, length) end
  return make(("0"):rep(length - #out) .. table.concat(out):reverse())
end

--- The bits of a string of bytes; with `length`, exactly so many, filled with zeros on the left.
---@param bytes string
---@param length? integer
---@return argent.postgresql.BitString
function M.from_bytes(bytes, length)
  if type(bytes) ~= "string" then fail("from_bytes: expected a string, got %s", core.describe(bytes)) end
  local out = {}
  for i = 1, #bytes do
    out[i] = M.from_int(bytes:byte(i), 8)._digits
  end
  local digits = table.concat(out)
  if length == nil then return make(digits) end
  digits = digits:gsub("^0+", "")
  if #digits > check_count(length, "from_bytes") then fail("the bytes do not fit in %d bits", length) end
  return make(("0"):rep(length - #digits) .. digits)
end

local function check_index(self, index, method)
  if math.type(index) ~= "integer" or index < 0 or index >= #self._digits then
    fail("%s: expected a position from 0 to %d, got %s", method, #self._digits - 1, core.describe(index))
  end
end

--- "0" or "1".
---@param index integer from 0
---@return string
function Bits:get_bit(index)
  check_index(self, index, "get_bit")
  return self._digits:sub(index + 1, index + 1)
end

---@param index integer from 0
---@return boolean
function Bits:has_bit(index)
  return Bits.get_bit(self, index) == "1"
end

--- A copy with one bit changed.
---@param index integer from 0
---@param value boolean|integer|string
---@return argent.postgresql.BitString
function Bits:set_bit(index, value)
  check_index(self, index, "set_bit")
  if value == true or value == "1" or (math.type(value) == "integer" and value ~= 0) then value = "1"
  elseif value == false or value == "0" or value == 0 then value = "0"
  else fail("set_bit: expected a boolean, 0 or 1, got %s", core.describe(value)) end
  return make(self._digits:sub(1, index) .. value .. self._digits:sub(index + 2))
end

--- Without the zeros (or ones) on the left.
---@param digit? "0"|"1"
function Bits:lstrip(digit) return make((self._digits:gsub("^" .. (digit or "0") .. "+", ""))) end
--- Without the zeros (or ones) on the right.
---@param digit? "0"|"1"
function Bits:rstrip(digit) return make((self._digits:gsub((digit or "0") .. "+$", ""))) end
--- Without them on both sides.
---@param digit? "0"|"1"
function Bits:strip(digit) return Bits.rstrip(Bits.lstrip(self, digit), digit) end

--- Filled with zeros on the left up to `width`.
---@param width integer
function Bits:zfill(width)
  return make(("0"):rep(check_count(width, "zfill") - #self._digits) .. self._digits)
end

--- The integer with these bits; raises above 63 significant ones.
---@return integer
function Bits:to_int()
  local digits = self._digits:gsub("^0+", "")
  if #digits > 63 then fail("a BitString of %d significant bits does not fit an integer", #digits) end
  return digits == "" and 0 or math.tointeger(tonumber(digits, 2))
end

--- The bits as bytes, most significant first, filled with zeros on the left.
---@param length? integer how many bytes; as many as needed without it
---@return string
function Bits:to_bytes(length)
  local digits = length and self._digits:gsub("^0+", "") or self._digits
  length = length and check_count(length, "to_bytes") or (#digits + 7) // 8
  if #digits > length * 8 then fail("%d bits do not fit in %d bytes", #digits, length) end
  digits = ("0"):rep(length * 8 - #digits) .. digits
  return (digits:gsub("%d%d%d%d%d%d%d%d", function(eight) return string.char(tonumber(eight, 2)) end))
end

local getters = {
  bit_length = function(b) return #b._digits end,
  octet_length = function(b) return (#b._digits + 7) // 8 end,
}

function meta.__index(b, name)
  if getters[name] then return getters[name](b) end
  if Bits[name] then return Bits[name] end
  local near = type(name) == "string" and core.nearest(name, meta.names)
  fail("BitString has no attribute '%s'%s", tostring(name), near and ("; did you mean '%s'?"):format(near) or "")
end

function meta.__newindex(_, name)
  fail("a BitString cannot be changed (assigning '%s'): make another", tostring(name))
end

local function pairwise(name, digit)
  meta["__" .. name] = function(a, b)
    local x, y = digits_of(a, name), digits_of(b, name)
    if #x ~= #y then fail("the operands of a bitwise operator have the same length, not %d and %d", #x, #y) end
    local out = {}
    for i = 1, #x do out[i] = digit(x:byte(i) == 49, y:byte(i) == 49) and "1" or "0" end
    return make(table.concat(out))
  end
end
pairwise("band", function(a, b) return a and b end)
pairwise("bor", function(a, b) return a or b end)
pairwise("bxor", function(a, b) return a ~= b end)

function meta.__bnot(b)
  return make((b._digits:gsub("%d", {["0"] = "1", ["1"] = "0"})))
end
function meta.__shl(b, n)
  local digits = digits_of(b, "shl")
  n = math.min(check_count(n, "shl"), #digits)
  return make(digits:sub(n + 1) .. ("0"):rep(n))
end
function meta.__shr(b, n)
  local digits = digits_of(b, "shr")
  n = math.min(check_count(n, "shr"), #digits)
  return make(("0"):rep(n) .. digits:sub(1, #digits - n))
end
function meta.__concat(a, b)
  return make(digits_of(a, "concat") .. digits_of(b, "concat"))
end
function meta.__len(b) return #b._digits end
function meta.__eq(a, b) return M.is(a) and M.is(b) and a._digits == b._digits end
function meta.__lt(a, b) return digits_of(a, "lt") < digits_of(b, "lt") end
function meta.__le(a, b) return digits_of(a, "le") <= digits_of(b, "le") end
function meta.__tostring(b) return b._digits end

local varying

function meta.__sqltype()
  varying = varying or core.postgresql_types.BIT{varying = true}
  return varying
end

meta.names = {}
for name in pairs(getters) do meta.names[#meta.names + 1] = name end
for name in pairs(Bits) do meta.names[#meta.names + 1] = name end

return M

--- JSON for columns: dkjson with checks (no holes, mixed keys, cycles or NaN), and marks that keep empty arrays arrays.
local core = require "argent.core"

local M = {}

-- Kept by the core: the C side holds this module's functions, and would not know the marks of a second copy of it.
local marks = core.internal.json_marks
marks.array = marks.array or {__jsontype = "array", __name = "json_array"}
marks.object = marks.object or {__jsontype = "object", __name = "json_object"}
marks.NULL = marks.NULL or setmetatable({}, {__name = "JSON.NULL", __tostring = function() return "JSON.NULL" end,
  __newindex = function() core.exc_raise("ArgumentError", "JSON.NULL cannot be changed") end})
local array_mark, object_mark = marks.array, marks.object

local function check_table(func, t)
  if t == nil or (type(t) == "table" and (getmetatable(t) == nil or getmetatable(t) == array_mark or getmetatable(t) == object_mark))
  then return end
  core.exc_raise("ArgumentError", ("bad argument #1 to %s: expected a table without a metatable, got %s"):format(func, core.describe(t)))
end

--- Mark a table as a JSON array: an empty table is otherwise an object.
---
---     values{tags = ag.json_array{}}
---@generic T: table
---@param t? T
---@return T
function M.json_array(t)
  check_table("ag.json_array", t)
  return setmetatable(t or {}, array_mark)
end

--- Mark a table as a JSON object (needed only for one with the keys 1, 2, 3).
---@generic T: table
---@param t? T
---@return T
function M.json_object(t)
  check_table("ag.json_object", t)
  return setmetatable(t or {}, object_mark)
end

--- The JSON value `null` in a column, where `ag.null` is SQL NULL: `ag.JSON.NULL`.
M.NULL = marks.NULL

local function fail(text, path)
  core.exc_raise("DataError", ("cannot write JSON: %s at %s"):format(text, path == "" and "the top" or path))
end

local encode

local escapes = {['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t"}

local function quote(s, path)
  if not utf8.len(s) then fail("a string that is not UTF-8", path) end
  return '"' .. s:gsub('[%c"\\\127]', function(c)
    return escapes[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local function is_array(t, path)
  local meta = getmetatable(t)
  if type(meta) == "table" and meta.__jsontype then return meta.__jsontype == "array", true end
  local n, strings = 0, false
  for key in pairs(t) do
    if math.type(key) == "integer" and key >= 1 then n = n + 1
    elseif type(key) == "string" then strings = true
    else fail("a key that is " .. core.describe(key), path) end
  end
  if n > 0 and strings then fail("a table with both names and numbers as keys", path) end
  if n > 0 and n ~= #t then fail("an array with holes (write ag.null)", path) end
  return n > 0, false
end

local function encode_array(t, out, seen, path)
  local n, count = #t, 0
  for key in pairs(t) do
    if math.type(key) ~= "integer" or key < 1 or key > n then fail("a key of an array that is " .. core.describe(key), path) end
    count = count + 1
  end
  if count ~= n then fail("an array with holes (write ag.null)", path) end
  out[#out + 1] = "["
  for i = 1, n do
    if i > 1 then out[#out + 1] = "," end
    encode(t[i], out, seen, path .. "[" .. i .. "]")
  end
  out[#out + 1] = "]"
end

local function encode_object(t, out, seen, path)
  local keys = {}
  for key in pairs(t) do
    if type(key) ~= "string" and math.type(key) ~= "integer" then fail("a key that is " .. core.describe(key), path) end
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  out[#out + 1] = "{"
  for i, key in ipairs(keys) do
    out[#out + 1] = (i > 1 and "," or "") .. quote(tostring(key), path) .. ":"
    encode(t[key], out, seen, path .. "." .. tostring(key))
  end
  out[#out + 1] = "}"
end

local function number(v, path)
  if math.type(v) == "integer" then return tostring(v) end
  if v ~= v or v == math.huge or v == -math.huge then fail("NaN or an infinity", path) end
  local s = ("%.17g"):format(v)
  for digits = 15, 16 do
    local shorter = ("%." .. digits .. "g"):format(v)
    if tonumber(shorter) == v then s = shorter break end
  end
  return s:find("[%.eE]") and s or s .. ".0"
end

function encode(v, out, seen, path)
  local kind = type(v)
  if v == nil or v == core.null or v == M.NULL then out[#out + 1] = "null"
  elseif kind == "boolean" then out[#out + 1] = tostring(v)
  elseif kind == "number" then out[#out + 1] = number(v, path)
  elseif kind == "string" then out[#out + 1] = quote(v, path)
  elseif kind == "table" then
    if seen[v] then fail("a table that contains itself", path) end
    if #path > 4000 then fail("too deep a nesting", path:sub(1, 40) .. "…") end
    seen[v] = true
    if is_array(v, path) then encode_array(v, out, seen, path) else encode_object(v, out, seen, path) end
    seen[v] = nil
  elseif core.kind_of(v) == "decimal" then out[#out + 1] = tostring(v)
  else fail(core.describe(v), path) end
end

--- JSON text of a Lua value.
---@param value any
---@return string
function M.encode(value)
  local out = {}
  encode(value, out, {}, "")
  return table.concat(out)
end

--- A Lua value of JSON text: null is ag.null, arrays carry the json_array mark.
---@param text string
---@return any
function M.decode(text)
  local ok, value, _, problem = pcall(require("dkjson").decode, text, 1, core.null, nil, array_mark)
  if not ok then -- dkjson calls itself for what is nested
    local why = tostring(value)
    if why:find("not enough memory", 1, true) then error(value, 0) end
    core.exc_raise("DataError", "the column holds JSON that cannot be read: " .. (why:find("overflow", 1, true) and "it is nested too deep" or why))
  end
  if problem then core.exc_raise("DataError", "the column does not hold JSON: " .. problem) end
  return value
end

return M

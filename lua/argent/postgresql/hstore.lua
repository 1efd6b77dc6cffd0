--- HSTORE columns hold tables of strings: `{colour = "red", size = ag.null}`. This is their text form, as hstore_in reads and hstore_out
--- writes it.
local core = require "argent.core"

local M = {}

local function fail(text, ...)
  core.exc_raise("DataError", text:format(...))
end

local function quote(s)
  return '"' .. s:gsub('[\\"]', "\\%0") .. '"'
end

--- The text of a table; keys in order, so that equal tables have equal texts.
---@param t table
---@return string
function M.encode(t)
  if type(t) ~= "table" or getmetatable(t) ~= nil then
    fail("HSTORE takes a table of strings, got %s", core.describe(t))
  end
  local keys, out = {}, {}
  for key, value in pairs(t) do
    if type(key) ~= "string" then fail("HSTORE: a key is a string, not %s", core.describe(key)) end
    if type(value) ~= "string" and value ~= core.null then
      fail("HSTORE: the value of '%s' is a string or ag.null, not %s", key, core.describe(value))
    end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for i, key in ipairs(keys) do
    out[i] = quote(key) .. "=>" .. (t[key] == core.null and "NULL" or quote(t[key]))
  end
  return table.concat(out, ", ")
end

local function quoted(text, at)
  local out, from = {}, at + 1
  while true do
    local stop = text:find('[\\"]', from)
    if not stop then return nil end
    out[#out + 1] = text:sub(from, stop - 1)
    if text:sub(stop, stop) == '"' then return table.concat(out), stop + 1 end
    if stop == #text then return nil end
    out[#out + 1] = text:sub(stop + 1, stop + 1)
    from = stop + 2
  end
end

local function bare(text, at)
  local out, from = {}, at
  while from <= #text do
    local c = text:sub(from, from)
    if c == "\\" and from < #text then
      out[#out + 1] = text:sub(from + 1, from + 1)
      from = from + 2
    elseif c:find("[%s,\"\\]") or text:sub(from, from + 1) == "=>" then
      break
    else
      out[#out + 1] = c
      from = from + 1
    end
  end
  if from == at then return nil end
  return table.concat(out), from
end

--- A key or a value at `at`: its text, whether it was quoted, and the position behind it.
local function word(text, at)
  if text:sub(at, at) == '"' then
    local s, next_at = quoted(text, at)
    return s, true, next_at
  end
  local s, next_at = bare(text, at)
  return s, false, next_at
end

local function skip(text, at)
  return text:match("^%s*()", at)
end

local function malformed(text, at)
  fail("this is no hstore: '%s' at position %d", #text > 60 and text:sub(1, 60) .. "…" or text, at)
end

--- The table of a text.
---@param text string
---@return table<string, any>
function M.decode(text)
  local out, at = {}, skip(text, 1)
  while at <= #text do
    local key, _, after = word(text, at)
    if not key then malformed(text, at) end
    at = skip(text, after)
    if text:sub(at, at + 1) ~= "=>" then malformed(text, at) end
    at = skip(text, at + 2)
    local value, was_quoted, behind = word(text, at)
    if not value then malformed(text, at) end
    if not was_quoted and value:upper() == "NULL" then value = core.null end
    if out[key] == nil then out[key] = value end
    at = skip(text, behind)
    if at <= #text then
      if text:sub(at, at) ~= "," then malformed(text, at) end
      at = skip(text, at + 1)
      if at > #text then malformed(text, at) end
    end
  end
  return out
end

return M

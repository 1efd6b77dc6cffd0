--- Dialects written in Lua: a copy of one of argent's, with other words, features and hooks. They compile, and run on the driver of
--- the dialect they are based on:
---
---     local toy = ag.dialects.register("toy", {
---       base = "sqlite", identifier_quote = "[]",
---       visit = {limit = function(el) return {" FIRST ", el.limit} end},
---       types = {String = "TEXT"},
---     })
---     print(stmt:compile{dialect = toy})
---     local engine = ag.create_engine("sqlite://", {dialect = toy})
local core = require "argent.core"
local check = require "argent.check"
local custom = require "argent.custom"

local M = {}

local known = {
  base = "string", identifier_quote = "string", paramstyle = "string", max_identifier_length = "number", string_agg = "string",
  reserved_words = "table", features = "table", operators = "table", precedences = "table", visit = "table", types = "table",
  reflection = "table",
}
local registered = {}

local function type_hook(text)
  if type(text) == "function" then return text end
  check.type("ag.dialects.register", 2, text, "string")
  return function() return text end
end

---@class argent.DialectSpec
---@field base? string "sqlite", "postgresql" or "default": whose SQL it writes where nothing is said ("default")
---@field identifier_quote? string one character, or an opening and a closing one: "[]"
---@field paramstyle? "qmark"|"numeric_dollar"|"named"
---@field max_identifier_length? integer bytes
---@field reserved_words? string[] quoted as identifiers
---@field string_agg? string the function of aggregate_strings
---@field features? table<string, boolean>
---@field operators? table<string, string> texts of operators by their method's name: {concat = " + "}
---@field precedences? table<string, integer> how tightly they bind where the table of SQLAlchemy leaves brackets out
---@field visit? table<string, function> hooks by construct ("cast", "BinaryExpression"), by function ("func.now"), and "limit"
---@field reflection? table<string, function> how tables are read back, by the contract in argent.reflect (the base's)
---@field types? table<string, string|function> names of types in DDL: {String = "TEXT", Integer = function(t) … end}

--- Make a dialect known by name. It cannot be taken back.
---@param name string
---@param spec argent.DialectSpec
---@return table dialect for `compile{dialect = …}` and `ag.create_engine(url, {dialect = …})`
function M.register(name, spec)
  check.type("ag.dialects.register", 1, name, "string")
  check.type("ag.dialects.register", 2, spec, "table")
  check.options("ag.dialects.register", 2, spec, known)
  if name == "" or core.dialect_exists(name) then
    check.argument_error("ag.dialects.register", 1, ("there is a dialect '%s' already"):format(name))
  end
  local words, overrides = nil, {}
  if spec.reserved_words then
    words = {}
    for i, word in ipairs(spec.reserved_words) do words[i] = check.type("ag.dialects.register", 2, word, "string"):lower() end
    table.sort(words)
  end
  for key, fn in pairs(spec.visit or {}) do overrides[#overrides + 1] = custom._dialect_hook(name, key, fn) end
  for key, text in pairs(spec.types or {}) do
    custom._type_hook(name, key, type_hook(text))
    overrides[#overrides + 1] = "type"
  end
  local copy = {reserved_words = words, overrides = overrides}
  for key in pairs(known) do if copy[key] == nil then copy[key] = spec[key] end end
  copy.reflection = nil
  if spec.base and not core.dialect_exists(spec.base) then
    check.argument_error("ag.dialects.register", 2, ("option 'base': there is no dialect '%s'"):format(tostring(spec.base)))
  end
  core.dialect_new(name, spec.base or "default", copy)
  require "argent.reflect".register(name, spec.reflection or spec.base)
  registered[name] = setmetatable({name = name, base = spec.base or "default"}, {__tostring = function() return name end})
  return registered[name]
end

--- The dialect of that name, or nil.
---@param name string
function M.get(name)
  check.type("ag.dialects.get", 1, name, "string")
  return registered[name]
end

return M

--- engine.dialect and conn.dialect: the dialect's name, what it can, its quoting, and the look-ups that SQLAlchemy's dialects have.
local core = require "argent.core"
local check = require "argent.check"
local inspect = require "argent.inspect"

---@class argent.IdentifierPreparer
---@field dialect argent.Dialect
local Preparer = {}
Preparer.__index = Preparer

--- A name as SQL writes it, in quotes where it needs them.
---@param name string
---@return string
function Preparer:quote(name)
  check.type("identifier_preparer:quote", 1, name, "string")
  return core.quote_name(self.dialect.name, name)
end

--- A name in quotes.
---@param name string
---@return string
function Preparer:quote_identifier(name)
  check.type("identifier_preparer:quote_identifier", 1, name, "string")
  local quoted = core.quote_name(self.dialect.name, name .. " ") -- a blank needs quotes in every dialect
  return quoted:sub(1, -3) .. quoted:sub(-1)
end

--- A table's name with its schema, as SQL writes it.
---@param t argent.Table
---@return string
function Preparer:format_table(t)
  if core.kind_of(t) ~= "Table" then check.argument_error("identifier_preparer:format_table", 1, "expected a Table, got " .. core.describe(t)) end
  return (t.schema and self:quote(t.schema) .. "." or "") .. self:quote(t.name)
end

---@class argent.Dialect
---@field name string
---@field driver string
---@field paramstyle string
---@field max_identifier_length integer
---@field identifier_preparer argent.IdentifierPreparer
---@field server_version_info integer[]? `{15, 20}`, `{3, 40, 1}`; after the first connection
---@field default_schema_name string? asks the database

--- 150020 is 15.20, 3040001 is 3.40.1.
local function version(dialect, number)
  if not number then return nil end
  if dialect == "postgresql" then return {number // 10000, number % 10000} end
  return {number // 1000000, number // 1000 % 1000, number % 1000}
end

local asked = {
  server_version_info = function(engine) return version(engine.name, engine.server_version) end,
  default_schema_name = function(engine) return inspect(engine).default_schema_name end,
}

--- has_table(conn, …), get_columns(conn, …) and the others: those of the Inspector of the connection.
local function look_up(name)
  return function(_, conn, ...)
    local kind = core.kind_of(conn)
    if kind ~= "Connection" and kind ~= "Engine" then
      check.argument_error("dialect:" .. name, 1, "expected a Connection, got " .. core.describe(conn))
    end
    local inspector = inspect(conn)
    return inspector[name](inspector, ...)
  end
end

local function unknown(features, name)
  local known = {"name", "driver", "identifier_preparer"}
  for key in pairs(features) do known[#known + 1] = key end
  for key in pairs(asked) do known[#known + 1] = key end
  local near = core.nearest(name, known)
  core.exc_raise("ArgumentError", ("Dialect has no attribute '%s'%s"):format(name, near and ("; did you mean '%s'?"):format(near) or ""))
end

local made = setmetatable({}, {__mode = "k"})

--- The dialect of an engine.
---@param engine argent.Engine
---@param name string
---@return argent.Dialect
return function(engine, name)
  if made[engine] then return made[engine] end
  local features = core.dialect_features(name)
  local handle = setmetatable({engine}, {__mode = "v"}) -- the object does not keep its engine
  local dialect = setmetatable({name = name, driver = engine.driver}, {
    __index = function(_, key)
      if features[key] ~= nil then return features[key] end
      if type(key) ~= "string" then return nil end
      if asked[key] then return handle[1] and asked[key](handle[1]) end
      if key:find("^get_%l") or key:find("^has_%l") then return look_up(key) end
      return unknown(features, key)
    end,
    __newindex = function(_, key) check.argument_error("dialect", 0, ("the dialect's '%s' is not assigned"):format(tostring(key))) end,
    __tostring = function() return ("Dialect(%s)"):format(name) end,
    __name = "argent.Dialect",
  })
  rawset(dialect, "identifier_preparer", setmetatable({dialect = dialect}, Preparer))
  made[engine] = dialect
  return dialect
end

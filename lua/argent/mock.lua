--- ag.create_mock_engine: an engine that gives what it is told to execute to a function, for printing a schema.
local core = require "argent.core"
local check = require "argent.check"

local M = {}

---@class argent.MockEngine
---@field name string the dialect's name
---@field dialect {name: string}
---@field engine argent.MockEngine
local Mock = {__name = "argent.MockEngine", class_name = "MockEngine"}

local methods = {}

--- Give the statement to the executor.
---@param statement any
---@param parameters? table
function methods:execute(statement, parameters)
  if not core.kind_of(statement) then
    check.argument_error("MockEngine:execute", 1, "expected a statement, got " .. core.describe(statement))
  end
  self._executor(statement, parameters)
end
--- Itself: it is its own connection.
function methods:connect() return self end
--- A block on itself.
---@param fn fun(conn: argent.MockEngine)
function methods:begin(fn)
  if fn == nil then return self end
  return fn(self)
end
--- Options mean nothing here.
function methods:execution_options() return self end
function methods:get_execution_options() return {} end
function methods:close() end

local known = {name = 1, dialect = 1, engine = 1}
for name in pairs(methods) do known[name] = 1 end

function Mock.__index(self, key)
  if methods[key] then return methods[key] end
  if key == "engine" then return self end
  return check.unknown("MockEngine", "attribute", key, known)
end
function Mock.__close() end
function Mock.__tostring(self) return ("MockEngine(%s)"):format(self.name) end

--- Is it one?
---@private
function M._is(value) return type(value) == "table" and getmetatable(value) == Mock end

--- An engine without a database: `executor(statement, parameters)` gets what would be executed.
---
---     local engine
---     engine = ag.create_mock_engine("postgresql://", function(sql) print(sql:compile{dialect = engine.name}) end)
---     metadata:create_all(engine)
---@param url string|argent.URL only its dialect matters
---@param executor fun(statement: any, parameters: table?)
---@return argent.MockEngine
function M.create_mock_engine(url, executor)
  if type(url) ~= "string" and core.kind_of(url) ~= "URL" then
    check.argument_error("ag.create_mock_engine", 1, "expected a URL or its text, got " .. core.describe(url))
  end
  check.callable("ag.create_mock_engine", 2, executor)
  local name = core.make_url(url):get_backend_name()
  if name == "postgres" then name = "postgresql" end
  core.null_():compile{dialect = name} -- raises for an unknown dialect
  return setmetatable({name = name, dialect = {name = name}, _executor = executor}, Mock)
end

return M

--- ag.MetaData: a catalog of tables.
local core = require "argent.core"
local check = require "argent.check"
local naming = require "argent.schema.naming"
local util = require "argent.schema.util"

local M = {}
local bad = util.bad

--- `metadata.tables`: by full name, in order of declaration; an unknown name gives nil.
local function new_tables()
  local names = {}
  local tables = {}
  return setmetatable(tables, {
    __name = "argent.tables", _names = names,
    __newindex = function() util.fail("ArgumentError", "metadata.tables cannot be assigned: ag.Table adds to it") end,
    __pairs = function()
      local i = 0
      return function()
        i = i + 1
        if names[i] then return names[i], rawget(tables, names[i]) end
      end
    end,
    __len = function() return #names end,
  })
end

--- A catalog of tables, the owner of all that is declared with it.
---
---     local metadata = ag.MetaData{naming_convention = {fk = "fk_%(table_name)s_%(column_0_name)s"}}
---@param options? {schema?: string, naming_convention?: table<string, string|function>, quote_schema?: boolean, info?: table}
---@return argent.MetaData
function M.MetaData(options)
  if options ~= nil and not util.is_plain(options) then
    bad("ag.MetaData", "expected an options table, got %s", core.describe(options))
  end
  local o = util.options("ag.MetaData", options, {schema = true, naming_convention = "table", quote_schema = "boolean",
    info = "table"})
  local schema, quote = util.opt_name("ag.MetaData", "schema", o.schema)
  local convention = o.naming_convention and next(o.naming_convention) and naming.check("ag.MetaData", o.naming_convention)
    or naming.default
  local data = {tables = new_tables(), schema = schema, naming_convention = convention, info = o.info or {}, _sequences = {},
    _quote_schema = o.quote_schema}
  if quote ~= nil then data._quote_schema = quote end
  local tables = data.tables
  function data._put(tab)
    local names = getmetatable(tables)._names
    names[#names + 1] = tab.fullname
    rawset(tables, tab.fullname, tab)
  end
  return core.schema_metadata(data, schema)
end

local attributes = core.schema_attributes.MetaData
attributes.schema = true

--- Tables in creation order: those referred to first. Cycles are broken at foreign keys that ALTER must add.
attributes.sorted_tables = function(self)
  local list = {}
  for _, tab in pairs(self.tables) do list[#list + 1] = tab end
  return (core.schema_sort(list))
end

local methods = check.methods("MetaData")

--- Forget a table.
methods.remove = function(self, tab)
  if core.kind_of(tab) ~= "Table" then bad("MetaData:remove", "expected a Table, got %s", core.describe(tab)) end
  local tables = self.tables
  if rawget(tables, tab.fullname) ~= tab then
    util.fail("InvalidRequestError", "table '%s' is not in this MetaData", tab.fullname)
  end
  local names = getmetatable(tables)._names
  for i, name in ipairs(names) do
    if name == tab.fullname then
      table.remove(names, i)
      break
    end
  end
  rawset(tables, tab.fullname, nil)
  core.schema_remove(self, tab)
end

---@class argent.ReflectOptions
---@field schema? string
---@field views? boolean
---@field only? string[]|fun(name: string, metadata: argent.MetaData): boolean
---@field extend_existing? boolean
---@field autoload_replace? boolean
---@field resolve_fks? boolean

--- Make Tables of what the database has, but for those that are known.
---
---     metadata:reflect(engine, {schema = "shop", views = true, only = {"orders"}})
---@param bind argent.Engine|argent.Connection
---@param options? argent.ReflectOptions
methods.reflect = function(self, bind, options) require "argent.reflect".reflect(self, bind, options) end

--- Forget all tables.
methods.clear = function(self)
  local list = {}
  for _, tab in pairs(self.tables) do list[#list + 1] = tab end
  for _, tab in ipairs(list) do self:remove(tab) end
end

require "argent.schema.create" -- create_all, drop_all

return M

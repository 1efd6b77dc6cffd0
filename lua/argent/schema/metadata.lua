--- ag.MetaData: a catalog of tables.
local core = require "argent.core"
local check = require "argent.check"
local named = require "argent.schema.named"
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
  if util.read_name(options) then options = {schema = options} end
  if options ~= nil and not util.is_plain(options) then
    bad("ag.MetaData", "expected a schema's name or an options table, got %s", core.describe(options))
  end
  local o = util.options("ag.MetaData", options, {schema = true, naming_convention = "table", quote_schema = "boolean",
    info = "table"})
  local schema, quote = util.opt_name("ag.MetaData", "schema", o.schema)
  local convention = o.naming_convention and next(o.naming_convention) and naming.check("ag.MetaData", o.naming_convention)
    or naming.default
  local data = {tables = new_tables(), schema = schema, naming_convention = convention, info = o.info or {}, _sequences = {}, _types = {},
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

--- The schemas of its tables, sequences and types, its own first, each once.
attributes.schemas = function(self)
  local out, seen = {}, {}
  local function add(schema)
    if schema and not seen[schema] then out[#out + 1], seen[schema] = schema, true end
  end
  add(self.schema)
  for _, tab in pairs(self.tables) do add(tab.schema) end
  for _, s in ipairs(core.schema_data(self)._sequences) do add(s.schema) end
  for _, t in ipairs(core.schema_data(self)._types) do add(t.schema) end
  return out
end

local function check_list(func, tables)
  if not util.is_plain(tables) then bad(func, "expected a list of tables, got %s", core.describe(tables)) end
  for i, tab in ipairs(tables) do
    if core.kind_of(tab) ~= "Table" then bad(func, "item %d: expected a Table, got %s", i, core.describe(tab)) end
  end
end

--- Tables in creation order: those referred to first.
---@param tables argent.Table[]
---@return argent.Table[]
function M.sort_tables(tables)
  check_list("ag.sort_tables", tables)
  return (core.schema_sort(tables))
end

--- The same with the foreign keys that CREATE TABLE can have: pairs {table, constraints}; at the end {ag.null, constraints}, those
--- of cycles, which ALTER adds.
---@param tables argent.Table[]
---@return table[]
function M.sort_tables_and_constraints(tables)
  check_list("ag.sort_tables_and_constraints", tables)
  local list, handles = core.schema_sort(tables)
  local late, later, out = {}, {}, {}
  for i, h in ipairs(handles) do
    later[i] = core.schema_data(h)
    late[later[i]] = true
  end
  for i, tab in ipairs(list) do
    local own = {}
    for _, c in ipairs(tab.constraints) do
      if getmetatable(c).class_name == "ForeignKeyConstraint" and not late[c] then own[#own + 1] = c end
    end
    out[i] = {tab, own}
  end
  out[#out + 1] = {core.null, later}
  return out
end

local methods = check.methods("MetaData")

--- Its named types or sequences of a schema; without `schema` those of its own.
---
---     metadata:get_schema_objects(ag.Enum, {schema = "shop"})
---@param kind argent.Type|function ag.Enum, pg.DOMAIN or ag.Sequence
---@param options? {schema?: string}
---@return table
methods.get_schema_objects = function(self, kind, options)
  return named.objects("MetaData:get_schema_objects", self, kind, options)
end

--- The one of that name, or nil.
---@param kind argent.Type|function ag.Enum, pg.DOMAIN or ag.Sequence
---@param name string
---@param options? {schema?: string}
---@return any
methods.get_schema_object_by_name = function(self, kind, name, options)
  for _, object in ipairs(named.objects("MetaData:get_schema_object_by_name", self, kind, options)) do
    if object.name == name then return object end
  end
end

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
---@field bind? argent.Engine|argent.Connection the first argument, where it is given by name
---@field views? boolean
---@field only? string[]|fun(name: string, metadata: argent.MetaData): boolean
---@field extend_existing? boolean
---@field autoload_replace? boolean
---@field resolve_fks? boolean

--- Make Tables of what the database has, but for those that are known.
---
---     metadata:reflect(engine, {schema = "shop", views = true, only = {"orders"}})
---@param bind argent.Engine|argent.Connection|argent.ReflectOptions
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

--- Named types, which PostgreSQL creates by statements of their own: an Enum or a DOMAIN as a member of a MetaData, its schema, its
--- create and drop.
local core = require "argent.core"
local util = require "argent.schema.util"

local M = {}

--- The type that stands for `t` in a MetaData whose create_all creates it, also without a column.
---@param t argent.Type
---@param metadata argent.MetaData
---@return argent.Type
function M.join(t, metadata)
  if core.kind_of(metadata) ~= "MetaData" then
    util.bad(t.class_name, "option 'metadata': expected an ag.MetaData, got %s", core.describe(metadata))
  end
  local data = core.schema_data(metadata)
  if not t.inherit_schema then t = core.type_in_schema(t, nil, data.schema) end
  local list = data._types
  for _, other in ipairs(list) do
    if other == t then return t end
  end
  list[#list + 1] = t
  return t
end

--- The type of a column of a table: its own schema, with inherit_schema the table's, else the MetaData's.
---@param t argent.Type
---@param schema string?
---@param metadata argent.MetaData
---@return argent.Type
function M.of_column(t, schema, metadata)
  return core.type_in_schema(t, schema, core.schema_data(metadata).schema)
end

--- Add a named type to `list`, behind what it is made of (a domain's base).
local function add_type(list, seen, t, every)
  local open = {}
  while t do
    t = t:dialect_impl("postgresql")
    if t.class_name == "ARRAY" then t = t.item_type:dialect_impl("postgresql") end
    local domain = t.class_name == "DOMAIN"
    local named = t.name and (domain or t.class_name == "Enum")
    if named and (every or ((t.native or domain) and t.create_type)) then open[#open + 1] = t end
    t = domain and t.impl or nil
  end
  for i = #open, 1, -1 do
    local key = (open[i].schema or "") .. "\0" .. open[i].name
    if not seen[key] then
      seen[key] = true
      list[#list + 1] = open[i]
    end
  end
end

--- The named types of the tables' columns and those that are members of the MetaData, each once, in the order of their creation.
---@param tables argent.Table[]
---@param metadata argent.MetaData? nil: none
---@param every? boolean also those that are never created: create_type = false, native_enum = false
---@return argent.Type[]
function M.types(tables, metadata, every)
  local list, seen = {}, {}
  for _, t in ipairs(metadata and core.schema_data(metadata)._types or {}) do add_type(list, seen, t, every) end
  for _, tab in ipairs(tables) do
    for _, c in ipairs(tab.c) do add_type(list, seen, c.type, every) end
  end
  return list
end

--- What MetaData:get_schema_objects gives.
---@param func string
---@param metadata argent.MetaData
---@param kind any ag.Enum, pg.DOMAIN or ag.Sequence
---@param options {schema?: string}?
---@return table
function M.objects(func, metadata, kind, options)
  local o = util.options(func, options, {schema = true})
  local schema, out = util.opt_name(func, "schema", o.schema) or metadata.schema, {}
  local list, class
  if kind == require "argent.schema.items".Sequence then
    list = core.schema_data(metadata)._sequences
  elseif core.kind_of(kind) == "type" and ({Enum = 1, DOMAIN = 1})[kind.class_name] and not kind.name then
    local tables = {}
    class = kind.class_name
    for _, tab in pairs(metadata.tables) do tables[#tables + 1] = tab end
    list = M.types(tables, metadata, true)
  else
    util.bad(func, "expected ag.Enum, pg.DOMAIN or ag.Sequence, got %s", core.describe(kind))
  end
  for _, object in ipairs(list) do
    if object.schema == schema and (not class or object.class_name == class) then out[#out + 1] = object end
  end
  return out
end

return M

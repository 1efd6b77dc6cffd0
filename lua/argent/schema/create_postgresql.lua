--- What create_all does on PostgreSQL beyond CREATE TABLE: parents first, partitions attached, constraints that are NOT VALID added
--- afterwards (inside CREATE TABLE the server takes them for valid).
local core = require "argent.core"
local util = require "argent.schema.util"

local M = {}

--- A table of the same MetaData by its key: in its own schema first.
local function find(tab, name)
  local tables = tab.metadata.tables
  return tab.schema and rawget(tables, tab.schema .. "." .. name) or rawget(tables, name)
end

--- The tables it inherits from or is a partition of, as far as its MetaData knows them.
---@param tab argent.Table
---@return argent.Table[]
function M.parents(tab)
  local given, out = core.schema_data(tab)._given or {}, {}
  local names = given.postgresql_inherits or {}
  if type(names) == "string" then names = {names} end
  for _, name in ipairs(names) do out[#out + 1] = find(tab, util.read_name(name) or tostring(name)) end
  if given.postgresql_partition_of then out[#out + 1] = find(tab, given.postgresql_partition_of) end
  return out
end

--- `ALTER TABLE parent ATTACH PARTITION child bound`, or nil.
---@param tab argent.Table
---@param schema_of fun(schema: string?): string? what schema_translate_map makes of a schema
---@return argent.DDLElement?
function M.attach(tab, schema_of)
  local given = core.schema_data(tab)._given or {}
  local parent, bound = given.postgresql_partition_of, given.postgresql_partition_bound
  if not parent then return nil end
  if not bound then
    util.bad("ag.Table", "table '%s': postgresql_partition_of without postgresql_partition_bound (\"FOR VALUES …\" or \"DEFAULT\")",
      tab.name)
  end
  local function full(schema, name)
    schema = schema_of(schema)
    return (schema and util.quoted(schema) .. "." or "") .. util.quoted(name)
  end
  local known = find(tab, parent)
  return core.ddl_text(("ALTER TABLE %s ATTACH PARTITION %s %s"):format(
    known and full(known.schema, known.name) or util.quoted(parent), full(tab.schema, tab.name), bound))
end

--- Its constraints that are NOT VALID.
---@param tab argent.Table
---@return table<table, boolean>
function M.not_valid(tab)
  local out = {}
  for _, c in ipairs(tab.constraints) do
    for _, o in ipairs(c._options or {}) do
      if o.dialect == "postgresql" and o.name == "not_valid" and o.value then out[c] = true end
    end
  end
  return out
end

return M

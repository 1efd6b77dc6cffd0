--- Table:to_metadata: a table like another one in another MetaData. Expressions over the table's columns are made over the copy's.
local core = require "argent.core"
local column = require "argent.schema.column"
local constraints = require "argent.schema.constraints"
local events = require "argent.schema.events"
local items = require "argent.schema.items"
local util = require "argent.schema.util"

local M = {}

-- ── values over the copy's columns ───────────────────────────────────────────────────────────────────────────────────

--- pairs: {{old column, new column}, …}
local function adapt(value, old, pairs_)
  if core.kind_of(value) == "Column" then
    for _, p in ipairs(pairs_) do
      if p[1] == value then return p[2] end
    end
    return value
  end
  if core.schema_is_expression(value) then
    for _, c in ipairs(core.schema_columns_of(value)) do
      if c.table == old then return core.orm_adapt(value, pairs_) end
    end
    return value
  end
  if util.is_plain(value) then
    local out = {}
    for k, v in pairs(value) do out[adapt(k, old, pairs_)] = adapt(v, old, pairs_) end
    return out
  end
  return value
end

-- ── foreign keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

--- Schema, table and column of a target: "a.b.t.c" is schema "a.b".
local function tokens(fk, metadata)
  local target = fk._target
  if fk._absolute then return fk._absolute.schema, fk._absolute.table, fk._absolute.column end
  if type(target) ~= "string" then
    local c = target
    return c.table.schema, c.table.name, c.key
  end
  local schema, name, col = target:match("^(.+)%.([^.]+)%.([^.]+)$")
  if not schema then name, col = target:match("^([^.]+)%.([^.]+)$") end
  name = name or target
  return schema or core.schema_data(metadata).schema, name, col or fk.parent.key
end

--- The target in the new MetaData. schema: nil keeps the text, "" is none.
local function target_text(fk, self, schema, new_name)
  local old_schema, name, col = tokens(fk, self.metadata)
  local own = name == self.name and old_schema == self.schema
  if own then name = new_name end
  if schema == nil then
    if type(fk._target) == "string" and not own then return fk:_again() end
    schema = old_schema
  end
  if schema == "" then schema = nil end
  if fk._absolute then return items._target(schema, name, col) end
  return (schema and schema .. "." or "") .. name .. "." .. col
end

local function copy_foreign_key(item, self, tab, fn)
  local referred = tokens(item.elements[1], self.metadata)
  local schema
  if fn then
    schema = fn(self, tab.schema, item, referred)
    if schema == require "argent.schema.table".RETAIN_SCHEMA then schema = nil end
    if schema ~= nil and type(schema) ~= "string" and not util.read_name(schema) then
      util.bad("Table:to_metadata", "referred_schema_fn gave %s, not a schema's name", core.describe(schema))
    end
    schema = schema ~= nil and util.read_name(schema) or nil
  elseif referred == self.schema then
    schema = tab.schema or ""
  end
  local keys, targets = {}, {}
  for i, fk in ipairs(item.elements) do
    keys[i], targets[i] = item.columns[i].key, target_text(fk, self, schema, tab.name)
  end
  return constraints.ForeignKeyConstraint(keys, targets, item._given)
end

-- ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────────────

local function keys_of(item)
  local out = {}
  for i, c in ipairs(item.columns) do out[i] = c.key end
  return out
end

local function copy_constraint(item, self, tab, pairs_, fn)
  local class = getmetatable(item)
  if class == constraints._ForeignKeyConstraint then return copy_foreign_key(item, self, tab, fn) end
  local given = adapt(item._given, self, pairs_)
  if class == constraints._PrimaryKey then return constraints.PrimaryKeyConstraint(keys_of(item), given) end
  if class == constraints._Unique then return constraints.UniqueConstraint(keys_of(item), given) end
  if class == constraints._Check then return constraints.CheckConstraint(adapt(item.sqltext, self, pairs_), given) end
  local elements = adapt(item._elements, self, pairs_)
  elements[#elements + 1] = given
  return constraints.ExcludeConstraint(table.unpack(elements))
end

local function copy_index(ix, self, pairs_)
  return constraints.Index(ix._given_name and util.name(ix._given_name, ix._quote, ix._conv), adapt(ix.expressions, self, pairs_),
    adapt(ix._given, self, pairs_))
end

local function take_over(copy, item, tab)
  copy._ddl_if, copy._isolated = rawget(item, "_ddl_if"), rawget(item, "_isolated")
  copy.info = util.clone(item.info)
  events._propagate(item, copy)
  for i, fk in ipairs(rawget(item, "elements") or {}) do copy.elements[i].info = util.clone(fk.info) end
  if item._column then copy._column = rawget(tab.c, item._column.key) end
  require "argent.schema.table"._append(tab, copy)
end

--- The schema that a name, BLANK_SCHEMA or nothing stands for.
local function schema_text(schema, metadata)
  if schema == nil then return core.schema_data(metadata).schema end
  local text = util.read_name(schema)
  return text ~= "" and text or nil
end

--- The body of the copy: options and bare columns.
local function body_of(self, metadata, o)
  local data = core.schema_data(self)
  local body = {}
  for key, value in pairs(data._given) do body[key] = value end
  for _, key in ipairs{"extend_existing", "keep_existing", "must_exist", "autoload_with", "include_columns", "resolve_fks",
    "autoload_replace", "listeners"} do
    body[key] = nil
  end
  body.comment, body.info = data.comment, util.clone(data.info)
  body.schema = o.schema
  if o.schema == core.null then body.schema = nil
  elseif o.schema == nil and data.schema then body.schema = util.name(data.schema, data._quote_schema) end
  for _, c in ipairs(data.c) do
    local copy = column._copy(c, true)
    if o.schema ~= nil and c.type then -- named types go with the table
      core.schema_data(copy)._type = core.type_in_schema(c.type, schema_text(body.schema, metadata), nil, true)
    end
    body[#body + 1] = copy
  end
  return body
end

--- Table:to_metadata.
---@param self argent.Table
---@param metadata argent.MetaData
---@param opts? {schema?: any, name?: string, referred_schema_fn?: function}
---@return argent.Table
function M.table(self, metadata, opts)
  local func = "Table:to_metadata"
  local o = util.options(func, opts, {schema = true, name = true, referred_schema_fn = "function"})
  if core.kind_of(metadata) ~= "MetaData" then util.bad(func, "expected an ag.MetaData, got %s", core.describe(metadata)) end
  local data = core.schema_data(self)
  if data._copy_ddl then return data._copy_ddl(self, metadata, o) end
  local tables = require "argent.schema.table"
  if o.schema == tables.RETAIN_SCHEMA then o.schema = nil end
  local body = body_of(self, metadata, o)
  body.keep_existing = true
  local name = o.name or util.name(data.name, data._quote)
  local before = #metadata.tables
  local tab = tables.Table(name, metadata, body)
  if #metadata.tables == before then return tab end -- it was there
  core.schema_data(tab)._given.keep_existing = nil
  events._propagate(self, tab)
  local columns = {}
  for i, c in ipairs(data.c) do columns[i] = {c, rawget(tab.c, c.key)} end
  for _, item in ipairs(data.constraints) do
    if not (item._implicit or item._type_bound) then
      take_over(copy_constraint(item, self, tab, columns, o.referred_schema_fn), item, tab)
    end
  end
  if data.primary_key._implicit then tab.primary_key.info = util.clone(data.primary_key.info) end
  for _, ix in ipairs(data.indexes) do
    if not ix._of_column then take_over(copy_index(ix, self, columns), ix, tab) end
  end
  core.schema_data(tab).autoincrement_column = core.schema_finish(tab)
  return tab
end

return M

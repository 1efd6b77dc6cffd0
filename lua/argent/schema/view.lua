--- Views and tables made by a select: ag.CreateView, ag.CreateTableAs, select:into, ag.DropView. Their `.table` is a Table of the
--- MetaData: it can be queried, and create_all and drop_all know how it is made.
local core = require "argent.core"
local column = require "argent.schema.column"
local util = require "argent.schema.util"

local M = {}
local bad = util.bad

local selects = {Select = true, CompoundSelect = true, TextualSelect = true, VALUES = true}

local function check_select(func, select)
  if not selects[core.kind_of(select)] then bad(func, "expected a select, got %s", core.describe(select)) end
  return select
end

--- Columns like those of the select. Each needs a name of its own: the database would make one up that nobody knows.
local function columns_of(func, select)
  local list, seen = {}, {}
  for i, c in ipairs(core.schema_select_columns(select)) do
    if not c.name then bad(func, "column %d of the select has no name of its own: give it one with :label(name)", i) end
    if seen[c.name] then bad(func, "two columns of the select are called '%s': give one of them a :label(name)", c.name) end
    seen[c.name] = true
    list[i] = column.Column(c.name, c.type)
  end
  return list
end

--- What is selected from is created first.
local function depend(tab, select)
  for _, on in ipairs(core.schema_tables_of(select)) do
    if on ~= tab and on.metadata == tab.metadata then core.schema_depend(tab, on) end
  end
end

local function letters(o)
  return (o.if_not_exists and "i" or "") .. (o.temporary and "t" or "") .. (o.or_replace and "r" or "")
    .. (o.materialized and "m" or "")
end

local make

--- Table:to_metadata of such a table: the same select under the other MetaData.
local function copier(func, select, o, dialect, as_table)
  return function(tab, metadata, to)
    local copy = {}
    for key, value in pairs(o) do copy[key] = value end
    copy.metadata = metadata
    copy.schema = to.schema ~= nil and to.schema or core.schema_data(tab).schema
    return make(func, select, to.name or util.name(tab.name), copy, dialect, as_table).table
  end
end

function make(func, select, name, o, dialect, as_table)
  local text = util.read_name(name)
  if not text or text == "" then bad(func, "expected a name, got %s", core.describe(name)) end
  local columns = columns_of(func, check_select(func, select))
  local metadata = o.metadata or require "argent.schema.metadata".MetaData()
  local tab = require "argent.schema.table"._made_by_select(name, metadata, columns,
    {schema = o.schema, is_view = not as_table}, dialect)
  depend(tab, select)
  local data = core.schema_data(tab)
  data._create_ddl = core.ddl_create_view(tab, select, letters(o), as_table)
  data._drop_ddl = not as_table and core.ddl_drop_view(tab, o.materialized and "m" or "") or nil
  data._copy_ddl = copier(func, select, o, dialect, as_table)
  return data._create_ddl
end

---@class argent.CreateViewOptions
---@field metadata? argent.MetaData whose create_all creates the view; default: a new one
---@field schema? string
---@field temporary? boolean
---@field or_replace? boolean not on SQLite
---@field materialized? boolean PostgreSQL
---@field postgresql_with? table<string, any> `WITH (security_barrier = true)`
---@field sqlite_if_not_exists? boolean

local view_options = {metadata = "MetaData", schema = true, temporary = "boolean", or_replace = "boolean", materialized = "boolean"}

--- `CREATE VIEW name AS select`. The element's `.table` can be selected from.
---
---     local view = ag.CreateView(ag.select(users.c.id, users.c.name):where(users.c.active), "active_users", {metadata = metadata})
---     conn:execute(ag.select(view.table))
---@param select argent.Select
---@param name string
---@param options? argent.CreateViewOptions
---@return argent.DDLElement
function M.CreateView(select, name, options)
  local o, dialect = util.options("ag.CreateView", options, view_options, "View")
  if o.materialized and (o.temporary or o.or_replace) then
    bad("ag.CreateView", "a materialized view can be neither temporary nor replaced")
  end
  return make("ag.CreateView", select, name, o, dialect, false)
end

---@class argent.CreateTableAsOptions
---@field metadata? argent.MetaData
---@field schema? string
---@field temporary? boolean
---@field if_not_exists? boolean

local as_options = {metadata = "MetaData", schema = true, temporary = "boolean", if_not_exists = "boolean"}

--- `CREATE TABLE name AS select`. The element's `.table` can be selected from.
---@param select argent.Select
---@param name string
---@param options? argent.CreateTableAsOptions
---@return argent.DDLElement
function M.CreateTableAs(select, name, options)
  return make("ag.CreateTableAs", select, name, (util.options("ag.CreateTableAs", options, as_options)), {}, true)
end

--- `select:into(name)`: the same as ag.CreateTableAs(select, name).
---@private
function M._into(select, name, options)
  return make("Select:into", select, name, (util.options("Select:into", options, as_options)), {}, true)
end

--- `DROP VIEW`.
---@param tab argent.Table
---@param options? {if_exists?: boolean, materialized?: boolean, cascade?: boolean}
---@return argent.DDLElement
function M.DropView(tab, options)
  local o = util.options("ag.DropView", options, {if_exists = "boolean", materialized = "boolean", cascade = "boolean"})
  if core.kind_of(tab) ~= "Table" then bad("ag.DropView", "expected a Table, got %s", core.describe(tab)) end
  return core.ddl_drop_view(tab, (o.if_exists and "i" or "") .. (o.materialized and "m" or "") .. (o.cascade and "c" or ""))
end

return M

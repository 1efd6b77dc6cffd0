--- Reflection: reading tables back from a database. Here: which module does it for a dialect, MetaData:reflect and autoload_with.
---
--- A dialect's reflection module is a table of functions that get a connection and a request `o`:
---   o.schema: nil means the default one; o.cache: a table that lives as long as the inspector's cache, for what several functions
---   need; options of the dialect (`postgresql_…`) under their own names.
---   get_multi_X(conn, o) → {[table name] = value}; o.filter_names (list) and o.names (set) narrow it, nil: all. o.kind, o.scope:
---   flags of ag.ObjectKind, ag.ObjectScope. Every object that matches has an entry, empty where it has nothing. X is one of
---   columns pk_constraint foreign_keys indexes unique_constraints check_constraints table_comment table_options; values have
---   SQLAlchemy's shapes (sqlalchemy.engine.interfaces.Reflected…) with nil for None, but ag.null inside lists (column_names).
---   o.fold: the one name is to be found as the database finds it (SQLite: in any case), and answered as it was asked for.
---   A table that cannot be read gets an error object in o.unreflectable[name].
---   get_table_names … get_domains(conn, o) → list; default_schema_name(conn, o); get_view_definition(conn, name, o) → text or nil;
---   has_table, has_schema, has_sequence, has_type(conn, name, o) → boolean.
---   inspector_options = {get_X = {option = check}}: options of one method of the Inspector's, given in `o`.
--- A function that is missing raises NotImplementedError.
local core = require "argent.core"
local util = require "argent.schema.util"

local M = {}

local modules = {}

--- Give the reflection of a dialect that is not argent's own.
---@param dialect string as engine.name gives it
---@param module table<string, function>|string its functions, or the dialect whose they are
function M.register(dialect, module)
  modules[dialect] = module
end

--- The reflection module of a dialect.
---@param dialect string
---@return table<string, function>
function M.module(dialect)
  if type(modules[dialect]) == "string" then return M.module(modules[dialect]) end
  if modules[dialect] then return modules[dialect] end
  local ok, module = pcall(require, "argent.reflect." .. dialect)
  if ok and type(module) == "table" then return module end
  if package.searchpath("argent.reflect." .. dialect, package.path) then error(module, 0) end
  return {}
end

-- ── MetaData:reflect ─────────────────────────────────────────────────────────────────────────────────────────────────

local function append(list, more)
  for _, v in ipairs(more) do list[#list + 1] = v end
  return list
end

--- A request for a schema with the options that concern reading (`postgresql_ignore_search_path`).
local function reading(insp, schema, options)
  local o = {schema = schema}
  for key in pairs(insp._module.reflection_options or {}) do o[key] = (options or {})[key] end
  return o
end

--- Names of what is there, and which of them are views.
local function available(insp, o, views)
  local is_view = {}
  local list = insp:get_table_names(o)
  if not views then return list, is_view end
  local found = insp:get_view_names(o)
  if insp._module.get_materialized_view_names then append(found, insp:get_materialized_view_names(o)) end
  for _, name in ipairs(found) do is_view[name] = true end
  return append(list, found), is_view
end

local function check_only(names, only, schema)
  local there, absent = {}, {}
  for _, name in ipairs(names) do there[name] = true end
  only = util.names("MetaData:reflect", "option 'only', item", only)
  for _, name in ipairs(only) do
    if not there[name] then absent[#absent + 1] = name end
  end
  if absent[1] then
    local near = core.nearest(absent[1], names)
    util.fail("InvalidRequestError", "Could not reflect: requested table(s) not available%s: (%s)%s",
      schema and " in schema '" .. schema .. "'" or "", table.concat(absent, ", "), near and ("; did you mean '%s'?"):format(near) or "")
  end
  return only
end

--- Which of them to load.
local function choose(metadata, names, o, schema)
  local only = o.only
  if type(only) == "table" then names = check_only(names, only, schema) end
  local load = {}
  for _, name in ipairs(names) do
    local known = rawget(metadata.tables, schema and schema .. "." .. name or name) ~= nil
    if (o.extend_existing or not known) and (type(only) ~= "function" or only(name, metadata)) then load[#load + 1] = name end
  end
  return load
end

local reflect_options = {schema = true, views = "boolean", only = true, extend_existing = "boolean", autoload_replace = "boolean",
  resolve_fks = "boolean"}

local function check_reflect(bind, options)
  local kind = core.kind_of(bind)
  if kind ~= "Engine" and kind ~= "Connection" and not require "argent.inspector".is(bind) then
    require "argent.check".argument_error("MetaData:reflect", 1, "expected an Engine or a Connection, got " .. core.describe(bind))
  end
  local o, own = util.options("MetaData:reflect", options, reflect_options, "Table")
  if o.only ~= nil and type(o.only) ~= "function" and not util.is_plain(o.only) then
    util.bad("MetaData:reflect", "option 'only': expected a list of names or a function, got %s", core.describe(o.only))
  end
  return o, own
end

--- MetaData:reflect.
---@param metadata argent.MetaData
---@param bind argent.Engine|argent.Connection|table
---@param options? table
function M.reflect(metadata, bind, options)
  if options == nil and util.is_plain(bind) and bind.bind ~= nil then -- reflect{bind = engine, only = …}
    options = util.clone(bind)
    bind, options.bind = options.bind, nil
  end
  local o = check_reflect(bind, options)
  local schema = util.opt_name("MetaData:reflect", "schema", o.schema) or metadata.schema
  local inspector = require "argent.inspector"
  local insp = inspector.is(bind) and bind or inspector.new(bind)
  local Table = require "argent.schema.table"
  insp:_on_one_connection(function(on)
    local names, is_view = available(on, reading(on, schema, options), o.views)
    local load = choose(metadata, names, o, schema)
    if not load[1] then return end
    local kind = o.views and inspector.ObjectKind.ANY or inspector.ObjectKind.TABLE
    local request = reading(on, schema, options)
    request.kind, request.scope = kind, inspector.ObjectScope.ANY
    request.filter_names = (type(o.only) == "table" or #load <= 20) and load or nil
    on._work.found[schema or ""] = on:_get_all(request)
    on._work.busy = true
    local body = {}
    for key, value in pairs(options or {}) do body[key] = value end
    body.views, body.only = nil, nil
    body.schema, body.autoload_with = schema or Table.BLANK_SCHEMA, on
    for _, name in ipairs(load) do
      local bad = on._work.found[schema or ""].unreflectable[name]
      if bad then require "argent.warn"(("Skipping table %s: %s"):format(name, tostring(bad)))
      else
        body.is_view = is_view[name]
        Table.Table(name, metadata, body)
      end
    end
    on._work.busy = false
    require "argent.reflect.table".load_related(on)
  end)
end

-- ── autoload_with ────────────────────────────────────────────────────────────────────────────────────────────────────

--- Fill a new (or, with extend_existing, an old) table. `given`: columns of the caller's, which stand instead of those of their names.
---@param tab argent.Table
---@param o table the options of ag.Table
---@param given argent.Column[]
function M.autoload(tab, o, given)
  local inspector = require "argent.inspector"
  local bind = o.autoload_with
  local kind = core.kind_of(bind)
  if kind ~= "Engine" and kind ~= "Connection" and not inspector.is(bind) then
    util.bad("ag.Table", "option 'autoload_with': expected an Engine, a Connection or an Inspector, got %s", core.describe(bind))
  end
  local insp = inspector.is(bind) and bind or inspector.new(bind)
  local exclude = {}
  if o.extend_existing and o.autoload_replace == false then
    for _, c in ipairs(tab.c) do exclude[#exclude + 1] = c.name end
  end
  insp:_on_one_connection(function(on)
    local loader = require "argent.reflect.table"
    loader.fill(on, tab, {include_columns = o.include_columns, exclude_columns = exclude, resolve_fks = o.resolve_fks, given = given})
    loader.load_related(on)
  end)
end

return M

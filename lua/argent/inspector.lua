--- The Inspector: what a database says of itself. Its methods are SQLAlchemy's; what is asked of the database is written in the
--- reflection module of the dialect (argent.reflect.sqlite …; the contract is in argent.reflect).
local core = require "argent.core"
local exc = require "argent.exc"
local reflect = require "argent.reflect"
local util = require "argent.schema.util"

local M = {}

--- What get_multi_* look for: flags, joined with `|`.
M.ObjectKind = {TABLE = 1, VIEW = 2, MATERIALIZED_VIEW = 4, ANY_VIEW = 6, ANY = 7}
--- Where get_multi_* look: flags, joined with `|`.
M.ObjectScope = {DEFAULT = 1, TEMPORARY = 2, ANY = 3}

---@class argent.InspectorOptions
---@field schema? string

---@class argent.MultiOptions: argent.InspectorOptions
---@field filter_names? string[] only these tables
---@field kind? integer ag.ObjectKind.TABLE (the default), VIEW, MATERIALIZED_VIEW, ANY_VIEW, ANY
---@field scope? integer ag.ObjectScope.DEFAULT (the default), TEMPORARY, ANY

---@class argent.Inspector
---@field bind argent.Engine|argent.Connection
---@field engine argent.Engine
---@field dialect {name: string, driver: string}
---@field info_cache table what has been read; emptied by clear_cache
---@field default_schema_name string
local Inspector = util.class("Inspector", {"bind", "engine", "dialect", "info_cache"})

--- An Inspector of the database behind an engine or a connection. It remembers what it has read: after DDL make a new one, or
--- clear_cache().
---@param bind argent.Engine|argent.Connection
---@return argent.Inspector
function M.new(bind)
  local connection = core.kind_of(bind) == "Connection"
  local engine = connection and bind.engine or bind
  return Inspector.new{bind = bind, engine = engine, dialect = {name = engine.dialect.name, driver = engine.driver}, info_cache = {},
    _module = reflect.module(engine.dialect.name), _connection = connection and bind or nil}
end

M.is = Inspector.is

-- ── connections and the cache ────────────────────────────────────────────────────────────────────────────────────────

--- Run fn on the connection it was made for, else on one of the engine's.
local function run(self, fn, ...)
  if self._connection then return fn(self._connection, ...) end
  local conn <close> = self.bind:connect()
  return fn(conn, ...)
end

--- Call fn with an inspector that shares this one's cache and keeps one connection for all it asks. `_work`: what one reflection has
--- found and has still to do.
---@private
function Inspector.methods._on_one_connection(self, fn, ...)
  return run(self, function(conn, ...)
    local sub = setmetatable({}, Inspector)
    for key, value in next, self do sub[key] = value end
    sub._connection = conn
    sub._work = self._work or {queue = {}, found = {}}
    return fn(sub, ...)
  end, ...)
end

--- Plain tables are copied: what is in the cache must not change.
local function copy(value, depth)
  if type(value) ~= "table" or getmetatable(value) ~= nil or depth > 8 then return value end
  local out = {}
  for k, v in pairs(value) do out[k] = copy(v, depth + 1) end
  return out
end

local function with_own(known, more)
  if not more then return known end
  local out = {}
  for key, value in pairs(known) do out[key] = value end
  for key, value in pairs(more) do out[key] = value end
  return out
end

--- Options that go to the dialect as they are: `postgresql_…`, and those that its inspector_options name for the method.
local function check_options(self, func, options, known)
  if options == nil then return {} end
  known = with_own(known, (self._module.inspector_options or {})[func:match("[^:]*$")])
  if not util.is_plain(options) then
    util.bad(func, "expected a plain options table, got %s", core.describe(options))
  end
  local own = {}
  for key, value in pairs(options) do
    local dialect = type(key) == "string" and key:match("^(%l+)_")
    if known[key] ~= nil then own[key] = value
    elseif dialect ~= self.dialect.name and dialect ~= self.engine.name then require "argent.check".unknown(func, "option", key, known) end
  end
  util.options(func, own, known)
  return options
end

local simple = {schema = true}
local multi = {schema = true, filter_names = "table", kind = "number", scope = "number"}

--- What a dialect's function is given, and the key under which its answer is kept.
local function request(self, func, options, known)
  local o = {cache = self.info_cache}
  for key, value in pairs(check_options(self, func, options, known)) do o[key] = value end
  o.schema = util.opt_name(func, "schema", o.schema)
  local broken = "unreflectable\0" .. (o.schema or "")
  self.info_cache[broken] = self.info_cache[broken] or {}
  o.unreflectable = self.info_cache[broken]
  if o.filter_names then
    o.filter_names, o.names = util.names(func, "option 'filter_names', item", o.filter_names), {}
    for _, name in ipairs(o.filter_names) do o.names[name] = true end
  end
  return o
end

local function cache_key(what, o, name)
  local parts = {what}
  for key, value in pairs(o) do
    if type(value) ~= "table" then parts[#parts + 1] = key .. "=" .. tostring(value) end
  end
  table.sort(parts)
  if o.filter_names then
    local names = {}
    for n in pairs(o.names) do names[#names + 1] = n end
    table.sort(names)
    parts[#parts + 1] = table.concat(names, "\0")
  end
  return table.concat(parts, "\0") .. "\0\0" .. (name or "")
end

local function missing(self, func)
  util.fail(exc.NotImplementedError.name, "Inspector:%s is not there for the dialect '%s'", func, self.dialect.name)
end

--- The answer of the dialect's function, remembered. A nil answer is remembered as false.
local function ask(self, func, o, name)
  local key = cache_key(func, o, name)
  local found = self.info_cache[key]
  if found == nil then
    local fn = self._module[func]
    if not fn then missing(self, func) end
    if name ~= nil then found = run(self, fn, name, o) else found = run(self, fn, o) end
    if found == nil then found = false end
    self.info_cache[key] = found
  end
  return found
end

--- Forget what was read.
function Inspector.methods.clear_cache(self)
  for key in pairs(self.info_cache) do self.info_cache[key] = nil end
end

function Inspector.getters.default_schema_name(self)
  return ask(self, "default_schema_name", {}) or nil
end

local function check_name(func, position, name)
  local text = util.read_name(name)
  if not text or text == "" then
    require "argent.check".argument_error("Inspector:" .. func, position, "expected a name, got " .. core.describe(name))
  end
  return text
end

-- ── what belongs to tables ───────────────────────────────────────────────────────────────────────────────────────────

--- Of one table: get_multi_X for its name, whatever its kind.
local function of_table(self, what, name, options)
  local func = "get_" .. what
  name = check_name(func, 1, name)
  local o = request(self, "Inspector:" .. func, options, simple)
  o.filter_names, o.names, o.kind, o.scope, o.fold = {name}, {[name] = true}, M.ObjectKind.ANY, M.ObjectScope.ANY, true
  local found = ask(self, "get_multi_" .. what, o)[name]
  if found == nil then
    local broken = o.unreflectable[name]
    self:clear_cache() -- it may be created, or mended, yet
    if broken then error(broken, 0) end
    util.fail("NoSuchTableError", "no such table: %s", o.schema and o.schema .. "." .. name or name)
  end
  return copy(found, 0)
end

--- Of many tables: by name. `fold`: a name is found as the database finds it, in whatever case.
local function of_tables(self, what, options, fold)
  local func = "get_multi_" .. what
  local o = request(self, "Inspector:" .. func, options, multi)
  o.fold = fold
  o.kind, o.scope = o.kind or M.ObjectKind.TABLE, o.scope or M.ObjectScope.DEFAULT
  return ask(self, func, o), o.unreflectable
end

--- get_X(name, {schema}) and get_multi_X{schema, filter_names, kind, scope}.
for _, what in ipairs{"columns", "pk_constraint", "foreign_keys", "indexes", "unique_constraints", "check_constraints",
  "table_comment", "table_options", "exclude_constraints"} do
  Inspector.methods["get_" .. what] = function(self, name, options) return of_table(self, what, name, options) end
  Inspector.methods["get_multi_" .. what] = function(self, options) return copy((of_tables(self, what, options)), 0) end
end

--- Everything that a Table is made of, of many tables at once: {columns = {[name] = …}, pk_constraint = …}. The values are the cache's own.
---@private
function Inspector.methods._get_all(self, options, fold)
  local all = {unreflectable = {}}
  for _, what in ipairs{"columns", "pk_constraint", "foreign_keys", "indexes", "unique_constraints", "check_constraints"} do
    local bad
    all[what], bad = of_tables(self, what, options, fold)
    for name, e in pairs(bad) do all.unreflectable[name] = e end
  end
  for _, what in ipairs{"table_comment", "table_options", "exclude_constraints"} do
    all[what] = self._module["get_multi_" .. what] and of_tables(self, what, options, fold) or {}
  end
  return all
end

-- ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- get_X(options) → list of names.
for _, func in ipairs{"get_table_names", "get_view_names", "get_materialized_view_names", "get_temp_table_names",
  "get_temp_view_names", "get_schema_names", "get_sequence_names", "get_foreign_table_names", "get_enums", "get_domains"} do
  Inspector.methods[func] = function(self, options)
    if type(options) == "string" then options = {schema = options} end
    local o = request(self, "Inspector:" .. func, options, func == "get_view_names" and {schema = true, include = true} or simple)
    return copy(ask(self, func, o), 0)
  end
end

--- The SELECT of a view.
---@param name string
---@param options? argent.InspectorOptions
---@return string
function Inspector.methods.get_view_definition(self, name, options)
  name = check_name("get_view_definition", 1, name)
  local o = request(self, "Inspector:get_view_definition", options, simple)
  local text = ask(self, "get_view_definition", o, name)
  if not text then util.fail("NoSuchTableError", "no such view: %s", o.schema and o.schema .. "." .. name or name) end
  return text
end

--- Is there a table or view of that name?
---@param name string
---@param options? argent.InspectorOptions
---@return boolean
function Inspector.methods.has_table(self, name, options)
  name = check_name("has_table", 1, name)
  return ask(self, "has_table", request(self, "Inspector:has_table", options, simple), name)
end

---@param name string
---@return boolean
function Inspector.methods.has_schema(self, name)
  name = check_name("has_schema", 1, name)
  return ask(self, "has_schema", request(self, "Inspector:has_schema", nil, simple), name)
end

---@param name string
---@param options? argent.InspectorOptions
---@return boolean
function Inspector.methods.has_sequence(self, name, options)
  name = check_name("has_sequence", 1, name)
  return ask(self, "has_sequence", request(self, "Inspector:has_sequence", options, simple), name)
end

--- Which of these names are tables or views?
---@param names string[]
---@param options? argent.InspectorOptions
---@return table<string, boolean>
function Inspector.methods.has_multi_table(self, names, options)
  if not util.is_plain(names) then
    require "argent.check".argument_error("Inspector:has_multi_table", 1, "expected a list of names, got " .. core.describe(names))
  end
  names = util.names("Inspector:has_multi_table", "item", names)
  local o = request(self, "Inspector:has_multi_table", options, simple)
  if self._module.has_multi_table then return run(self, self._module.has_multi_table, names, o) end
  local out = {}
  for _, name in ipairs(names) do out[name] = self:has_table(name, options) end
  return out
end

--- PostgreSQL: the oid of a table or view.
---@param name string
---@param options? argent.InspectorOptions
---@return integer
function Inspector.methods.get_table_oid(self, name, options)
  name = check_name("get_table_oid", 1, name)
  local o = request(self, "Inspector:get_table_oid", options, simple)
  local oid = ask(self, "get_table_oid", o, name)
  if not oid then
    self.info_cache[cache_key("get_table_oid", o, name)] = nil
    util.fail("NoSuchTableError", "no such table: %s", o.schema and o.schema .. "." .. name or name)
  end
  return oid
end

--- PostgreSQL: is there a type of that name?
---@param name string
---@param options? argent.InspectorOptions
---@return boolean
function Inspector.methods.has_type(self, name, options)
  name = check_name("has_type", 1, name)
  return ask(self, "has_type", request(self, "Inspector:has_type", options, simple), name)
end

---@param name string the table's
---@param index string
---@param options? argent.InspectorOptions
---@return boolean false where there is no such table
function Inspector.methods.has_index(self, name, index, options)
  index = check_name("has_index", 2, index)
  if not self:has_table(name, options) then return false end
  for _, ix in ipairs(self:get_indexes(name, options)) do
    if ix.name == index then return true end
  end
  return false
end

---@param name string the table's
---@param column string
---@param options? argent.InspectorOptions
---@return boolean false where there is no such table
function Inspector.methods.has_column(self, name, column, options)
  column = check_name("has_column", 2, column)
  if not self:has_table(name, options) then return false end
  for _, c in ipairs(self:get_columns(name, options)) do
    if c.name == column then return true end
  end
  return false
end

-- ── order ────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Tables so that those referred to come first: list of {table name, {{table name, its foreign key's name or ag.null}, …}}. Foreign keys
--- that are part of a cycle stand in the last item, {ag.null, {{table name, name}, …}}.
---@param options? argent.InspectorOptions
---@return table[]
function Inspector.methods.get_sorted_table_and_fkc_names(self, options)
  if type(options) == "string" then options = {schema = options} end
  return require "argent.reflect.sort".names(self, options)
end

--- The same over several schemas: items {{schema, table name}, {{{schema, table name}, foreign key's name}, …}}.
---@param schemas? any[] names of schemas, ag.null for the default one (the default: only that)
---@param options? argent.MultiOptions
---@return table[]
function Inspector.methods.sort_tables_on_foreign_key_dependency(self, schemas, options)
  return require "argent.reflect.sort".dependency(self, schemas or {core.null}, options)
end

--- Fill a Table from the database.
---@param tab argent.Table
---@param options? {include_columns?: string[], exclude_columns?: string[], resolve_fks?: boolean}
function Inspector.methods.reflect_table(self, tab, options)
  if core.kind_of(tab) ~= "Table" then
    require "argent.check".argument_error("Inspector:reflect_table", 1, "expected a Table, got " .. core.describe(tab))
  end
  local o = util.options("Inspector:reflect_table", options, {include_columns = "table", exclude_columns = "table",
    resolve_fks = "boolean"})
  self:_on_one_connection(function(insp)
    local loader = require "argent.reflect.table"
    loader.fill(insp, tab, o)
    loader.load_related(insp)
  end)
end

--- Public methods refuse another self.
for name, fn in pairs(Inspector.methods) do
  if name:sub(1, 1) ~= "_" then
    Inspector.methods[name] = function(self, ...)
      if not Inspector.is(self) then
        core.exc_raise("ArgumentError", ("bad self of Inspector:%s: expected an Inspector, got %s (call methods with a colon)"):format(name,
          core.describe(self)))
      end
      return fn(self, ...)
    end
  end
end

return M

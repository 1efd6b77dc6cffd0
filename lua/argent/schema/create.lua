--- create_all, drop_all and their like: what exists is looked up, the rest is created in the order of dependencies.
local core = require "argent.core"
local check = require "argent.check"
local constraints = require "argent.schema.constraints"
local ddl = require "argent.schema.ddl"
local event = require "argent.event"
local items = require "argent.schema.items"
local util = require "argent.schema.util"

local M = {}
local bad = util.bad

--- An identifier in double quotes.
---@private
function M._quote(name) return '"' .. name:gsub('"', '""') .. '"' end

-- ── what is there ────────────────────────────────────────────────────────────────────────────────────────────────────

--- One look-up a schema and kind, remembered for the run.
local lookup = {sqlite = {}, postgresql = {}}

local function names(conn, sql, params)
  local out = {}
  for name in conn:execute(core.text(sql), params):scalars():rows() do out[name] = true end
  return out
end

function lookup.sqlite.table(conn, schema)
  local from = schema and M._quote(schema) .. ".sqlite_master" or
    "(SELECT name, type FROM sqlite_master UNION ALL SELECT name, type FROM sqlite_temp_master)"
  return names(conn, "SELECT name FROM " .. from:gsub(":", "\\:") .. " WHERE type IN ('table', 'view')")
end
function lookup.sqlite.index(conn, schema)
  local from = schema and M._quote(schema) .. "." or ""
  return names(conn, "SELECT name FROM " .. from:gsub(":", "\\:") .. "sqlite_master WHERE type = 'index'")
end

local function relations(conn, schema, kinds)
  local where = schema and "n.nspname = :schema" or "pg_catalog.pg_table_is_visible(c.oid) AND n.nspname <> 'pg_catalog'"
  return names(conn, "SELECT CAST(c.relname AS text) FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = "
    .. "c.relnamespace WHERE c.relkind IN (" .. kinds .. ") AND " .. where, schema and {schema = schema} or nil)
end
function lookup.postgresql.table(conn, schema) return relations(conn, schema, "'r', 'p', 'f', 'v', 'm'") end
function lookup.postgresql.index(conn, schema) return relations(conn, schema, "'i', 'I'") end
function lookup.postgresql.sequence(conn, schema) return relations(conn, schema, "'S'") end
function lookup.postgresql.type(conn, schema)
  local where = schema and "n.nspname = :schema" or "pg_catalog.pg_type_is_visible(t.oid)"
  return names(conn, "SELECT CAST(t.typname AS text) FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = "
    .. "t.typnamespace WHERE t.typtype IN ('e', 'd') AND " .. where, schema and {schema = schema} or nil)
end

--- One create or drop: connection, dialect, what was looked up.
local Run = {}
Run.__index = Run

local function new_run(conn, checkfirst)
  return setmetatable({conn = conn, dialect = conn.engine.name, checkfirst = checkfirst, seen = {}}, Run)
end

--- Is there a table, index, sequence or type of that name? Always nil without checkfirst.
function Run:exists(kind, schema, name)
  local find = self.checkfirst and lookup[self.dialect] and lookup[self.dialect][kind]
  if not find then return nil end
  local key = kind .. "\0" .. (schema or "")
  self.seen[key] = self.seen[key] or find(self.conn, schema)
  return self.seen[key][name] or false
end

function Run:execute(element) self.conn:execute(element) end

--- ALTER TABLE … ADD CONSTRAINT, named types and sequences are PostgreSQL's (SQLite has none of them).
function Run:can_alter() return self.dialect ~= "sqlite" end

local function fire(target, name, conn, info)
  local list = event.listeners(target, name)
  if list then event.call(list, target, conn, info) end
end

-- ── types and sequences ──────────────────────────────────────────────────────────────────────────────────────────────

--- The named types of columns, each once: {type, schema}.
local function types_of(tables)
  local list, seen = {}, {}
  for _, tab in ipairs(tables) do
    for _, c in ipairs(tab.c) do
      local t = c.type:dialect_impl("postgresql")
      if t.class_name == "ARRAY" then t = t.item_type:dialect_impl("postgresql") end
      local named = t.name and ((t.class_name == "Enum" and t.native) or t.class_name == "DOMAIN") and t.create_type
      if named then
        local schema = t.schema or (t.inherit_schema and tab.schema) or nil
        local key = (schema or "") .. "\0" .. t.name
        if not seen[key] then
          seen[key] = true
          list[#list + 1] = {type = t, schema = schema}
        end
      end
    end
  end
  return list
end

--- Sequences of the MetaData and of columns' defaults; of `tables` only when they are not all.
local function sequences_of(metadata, tables, all)
  local list, seen = {}, {}
  local function take(s)
    if not seen[s] and not (s.optional and s.column) then list[#list + 1] = s end
    seen[s] = true
  end
  for _, tab in ipairs(tables) do
    for _, c in ipairs(tab.c) do
      if items._Sequence.is(c.default) then take(c.default) end
    end
  end
  for _, s in ipairs(all and metadata and core.schema_data(metadata)._sequences or {}) do take(s) end
  return list
end

function Run:create_types(tables)
  if self.dialect ~= "postgresql" then return end
  for _, x in ipairs(types_of(tables)) do
    if not self:exists("type", x.schema, x.type.name) then self:execute(ddl.CreateType(x.type, {schema = x.schema})) end
  end
end
function Run:drop_types(tables)
  if self.dialect ~= "postgresql" then return end
  for _, x in ipairs(types_of(tables)) do
    if self:exists("type", x.schema, x.type.name) ~= false then self:execute(ddl.DropType(x.type, {schema = x.schema})) end
  end
end
function Run:create_sequences(list)
  if self.dialect ~= "postgresql" then return end
  for _, s in ipairs(list) do
    if not self:exists("sequence", s.schema, s.name) then self:execute(ddl.CreateSequence(s)) end
  end
end
function Run:drop_sequences(list)
  if self.dialect ~= "postgresql" then return end
  for _, s in ipairs(list) do
    if self:exists("sequence", s.schema, s.name) ~= false then self:execute(ddl.DropSequence(s)) end
  end
end

-- ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function Run:comments(tab)
  if self.dialect ~= "postgresql" then return end
  if tab.comment then self:execute(ddl.SetTableComment(tab)) end
  for _, c in ipairs(tab.c) do
    if c.comment then self:execute(ddl.SetColumnComment(c)) end
  end
  for _, c in ipairs(tab.constraints) do
    if c.comment and c.name then self:execute(ddl.SetConstraintComment(c)) end
  end
end

--- alter: set of the constraints that are added later.
function Run:create_table(tab, alter, info)
  local skip = {}
  for _, c in ipairs(tab.constraints) do
    local left = alter[c] and self:can_alter()
    if c._handle and (left or not ddl._holds(c._ddl_if, c, tab, self.conn, info)) then skip[#skip + 1] = c end
  end
  fire(tab, "before_create", self.conn, info)
  self:execute(core.ddl_create_table(tab, ddl._skipped(tab, skip), ""))
  for _, ix in ipairs(tab.indexes) do
    if ddl._holds(ix._ddl_if, ix, tab, self.conn, info) then self:execute(ddl.CreateIndex(ix)) end
  end
  self:comments(tab)
  fire(tab, "after_create", self.conn, info)
end

function Run:drop_table(tab, info)
  fire(tab, "before_drop", self.conn, info)
  self:execute(ddl.DropTable(tab))
  fire(tab, "after_drop", self.conn, info)
end

--- Sorted, with the set of the constraints left to ALTER (as objects of Lua).
local function sorted(tables)
  local list, handles = core.schema_sort(tables)
  local alter, order = {}, {}
  for i, h in ipairs(handles) do
    order[i] = core.schema_data(h)
    alter[order[i]] = true
  end
  return list, alter, order
end

--- Those of which exists() says `want`, or that were not looked up.
function Run:filter(list, want)
  local out = {}
  for _, tab in ipairs(list) do
    local there = self:exists("table", tab.schema, tab.name)
    if there == nil or there == want then out[#out + 1] = tab end
  end
  return out
end

--- Create tables (all of them known to be missing, in order) with all that belongs to them.
local function create_tables(run, metadata, list, all)
  local sorted_list, alter, order = sorted(list)
  local missing = run:filter(sorted_list, false)
  local info = {tables = missing, checkfirst = run.checkfirst}
  fire(metadata, "before_create", run.conn, info)
  run:create_types(missing)
  run:create_sequences(sequences_of(metadata, missing, all))
  local created = {}
  for _, tab in ipairs(missing) do
    run:create_table(tab, alter, info)
    created[tab] = true
  end
  if run:can_alter() then
    for _, c in ipairs(order) do
      if created[c.table] and ddl._holds(c._ddl_if, c, c.table, run.conn, info) then run:execute(ddl.AddConstraint(c)) end
    end
  end
  fire(metadata, "after_create", run.conn, info)
end

local function check_droppable(run, order)
  if not run:can_alter() then return end
  for _, c in ipairs(order) do
    if not c.name then
      util.fail("CircularDependencyError", "tables '%s' and '%s' refer to each other; to drop them, their foreign key on column "
        .. "'%s' needs a name", c.table.name, c.referred_table.name, c.columns[1].name)
    end
  end
end

local function drop_tables(run, metadata, list, all)
  local sorted_list, _, order = sorted(list)
  local present = run:filter(sorted_list, true)
  local is_present, drops = {}, {}
  for _, tab in ipairs(present) do is_present[tab] = true end
  for _, c in ipairs(order) do
    if is_present[c.table] then drops[#drops + 1] = c end
  end
  check_droppable(run, drops)
  local info = {tables = present, checkfirst = run.checkfirst}
  fire(metadata, "before_drop", run.conn, info)
  for _, c in ipairs(run:can_alter() and drops or {}) do run:execute(ddl.DropConstraint(c)) end
  for i = #present, 1, -1 do run:drop_table(present[i], info) end
  run:drop_sequences(sequences_of(metadata, present, all))
  run:drop_types(present)
  fire(metadata, "after_drop", run.conn, info)
end

-- ── public methods ───────────────────────────────────────────────────────────────────────────────────────────────────

--- Run fn on a connection: an engine lends one and commits.
local function with_connection(func, bind, checkfirst, fn)
  local kind = core.kind_of(bind)
  if kind == "Connection" then return fn(new_run(bind, checkfirst)) end
  if kind ~= "Engine" then bad(func, "expected an Engine or a Connection, got %s", core.describe(bind)) end
  bind:begin(function(conn) fn(new_run(conn, checkfirst)) end)
end

local function check_tables(func, metadata, list)
  local all = {}
  if list == nil then
    for _, tab in pairs(metadata.tables) do
      if not tab.is_view then all[#all + 1] = tab end
    end
    return all
  end
  for i, tab in ipairs(list) do
    if core.kind_of(tab) ~= "Table" then
      bad(func, "option 'tables', item %d: expected a Table, got %s", i, core.describe(tab))
    end
    all[i] = tab
  end
  return all
end

local all_options = {tables = "table", checkfirst = "boolean"}
local MetaData, Table = check.methods("MetaData"), check.methods("Table")

--- Create all tables (or those of `tables`) that are missing, in the order of their dependencies.
MetaData.create_all = function(self, bind, options)
  local o = util.options("MetaData:create_all", options, all_options)
  local list = check_tables("MetaData:create_all", self, o.tables)
  with_connection("MetaData:create_all", bind, o.checkfirst ~= false, function(run)
    create_tables(run, self, list, o.tables == nil)
  end)
end

--- Drop all tables (or those of `tables`) that are there.
MetaData.drop_all = function(self, bind, options)
  local o = util.options("MetaData:drop_all", options, all_options)
  local list = check_tables("MetaData:drop_all", self, o.tables)
  with_connection("MetaData:drop_all", bind, o.checkfirst ~= false, function(run)
    drop_tables(run, self, list, o.tables == nil)
  end)
end

local one_options = {checkfirst = "boolean"}

--- Create the table with its indexes; `checkfirst`: unless it is there.
Table.create = function(self, bind, options)
  local o = util.options("Table:create", options, one_options)
  with_connection("Table:create", bind, o.checkfirst or false, function(run)
    if run:exists("table", self.schema, self.name) then return end
    run.checkfirst = true -- types and sequences may be shared
    run:create_types{self}
    run:create_sequences(sequences_of(nil, {self}, false))
    run:create_table(self, {}, {tables = {self}, checkfirst = o.checkfirst or false})
  end)
end

--- Drop the table; `checkfirst`: if it is there.
Table.drop = function(self, bind, options)
  local o = util.options("Table:drop", options, one_options)
  with_connection("Table:drop", bind, o.checkfirst or false, function(run)
    if run:exists("table", self.schema, self.name) == false then return end
    run:drop_table(self, {tables = {self}, checkfirst = o.checkfirst or false})
  end)
end

--- create and drop of an index or a sequence.
local function single(class, kind, make, remove)
  local name = class.class_name
  class.methods.create = function(self, bind, options)
    local o = util.options(name .. ":create", options, one_options)
    with_connection(name .. ":create", bind, o.checkfirst or false, function(run)
      local tab = rawget(self, "table")
      if not run:exists(kind, tab and tab.schema or self.schema, self.name) then run:execute(make(self)) end
    end)
  end
  class.methods.drop = function(self, bind, options)
    local o = util.options(name .. ":drop", options, one_options)
    with_connection(name .. ":drop", bind, o.checkfirst or false, function(run)
      local tab = rawget(self, "table")
      if run:exists(kind, tab and tab.schema or self.schema, self.name) ~= false then run:execute(remove(self)) end
    end)
  end
end
constraints._Index.known.schema = true
single(constraints._Index, "index", ddl.CreateIndex, ddl.DropIndex)
single(items._Sequence, "sequence", ddl.CreateSequence, ddl.DropSequence)

-- ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────────

local names_of_events = {"target", "connection", "context"}
event.register{
  name = "schema",
  match = function(target)
    local kind = core.kind_of(target)
    return kind == "Table" or kind == "MetaData"
  end,
  events = {before_create = names_of_events, after_create = names_of_events, before_drop = names_of_events,
    after_drop = names_of_events},
}

return M

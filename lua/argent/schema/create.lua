--- create_all, drop_all and their like: what exists is looked up, the rest is created in the order of dependencies.
local core = require "argent.core"
local check = require "argent.check"
local constraints = require "argent.schema.constraints"
local create_postgresql = require "argent.schema.create_postgresql"
local ddl = require "argent.schema.ddl"
local event = require "argent.event"
local exists = require "argent.schema.exists"
local items = require "argent.schema.items"
local mock = require "argent.mock"
local named = require "argent.schema.named"
local util = require "argent.schema.util"

local M = {}
local bad = util.bad

M._quote = exists._quote
M.CheckFirst = exists.CheckFirst

--- One create or drop: connection, dialect, what was looked up.
local Run = {}
Run.__index = Run

--- flags: of ag.CheckFirst.
local function new_run(conn, flags)
  return setmetatable({conn = conn, dialect = conn.engine.name, flags = flags, seen = {},
    translate = conn:get_execution_options().schema_translate_map}, Run)
end

--- The schema that the connection's schema_translate_map puts in the place of this one.
function Run:schema(schema)
  local to = self.translate and self.translate[schema or core.null]
  if to == nil then return schema end
  return to ~= core.null and to or nil
end

--- Is there a table, view, index, sequence or type of that name? nil where it is not to be looked for.
function Run:exists(kind, schema, name)
  local find = self.flags & exists.bits[kind] ~= 0 and exists.lookup[self.dialect] and exists.lookup[self.dialect][kind]
  if not find then return nil end
  schema = self:schema(schema)
  local key = kind .. "\0" .. (schema or "")
  self.seen[key] = self.seen[key] or find(self.conn, schema)
  return self.seen[key][name] or false
end

--- The same of a table or view.
function Run:table_exists(tab) return self:exists(tab.is_view and "view" or "table", tab.schema, tab.name) end

function Run:execute(element) self.conn:execute(element) end

--- ALTER TABLE … ADD CONSTRAINT, named types and sequences are PostgreSQL's (SQLite has none of them).
function Run:can_alter() return self.dialect ~= "sqlite" end

--- The listeners of ag.Table or ag.MetaData, then those of the object.
local function fire(target, name, conn, info)
  local kind = core.kind_of(target)
  local class = kind == "Table" and require "argent.schema.table".Table or kind == "MetaData" and require "argent.schema.metadata".MetaData
  local list = class and event.listeners(class, name)
  if list then event.call(list, target, conn, info) end
  list = event.listeners(target, name)
  if list then event.call(list, target, conn, info) end
end

--- Create or drop one object, between its events.
function Run:emit(target, what, element)
  fire(target, "before_" .. what, self.conn, {checkfirst = self.flags})
  self:execute(element)
  fire(target, "after_" .. what, self.conn, {checkfirst = self.flags})
end

-- ── types and sequences ──────────────────────────────────────────────────────────────────────────────────────────────

--- Sequences of the MetaData and of columns' defaults; of `tables` only when they are not all.
local function sequences_of(metadata, tables, all)
  local list, seen = {}, {}
  local function take(s)
    if not seen[s] and not s.optional then list[#list + 1] = s end
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

--- Named types; list: in the order of their creation.
function Run:create_types(list)
  if self.dialect ~= "postgresql" then return end
  for _, t in ipairs(list) do
    if not self:exists("type", t.schema, t.name) then self:emit(t, "create", ddl.CreateType(t)) end
  end
end
function Run:drop_types(list)
  if self.dialect ~= "postgresql" then return end
  for i = #list, 1, -1 do
    if self:exists("type", list[i].schema, list[i].name) ~= false then self:emit(list[i], "drop", ddl.DropType(list[i])) end
  end
end
function Run:create_sequences(list)
  if self.dialect ~= "postgresql" then return end
  for _, s in ipairs(list) do
    if not self:exists("sequence", s.schema, s.name) then self:emit(s, "create", ddl.CreateSequence(s)) end
  end
end
function Run:drop_sequences(list)
  if self.dialect ~= "postgresql" then return end
  for _, s in ipairs(list) do
    if self:exists("sequence", s.schema, s.name) ~= false then self:emit(s, "drop", ddl.DropSequence(s)) end
  end
end

-- ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────────────

--- later: constraints that are not there yet.
function Run:comments(tab, later)
  if self.dialect ~= "postgresql" then return end
  if tab.comment then self:execute(ddl.SetTableComment(tab)) end
  for _, c in ipairs(tab.c) do
    if c.comment then self:execute(ddl.SetColumnComment(c)) end
  end
  for _, c in ipairs(tab.constraints) do
    if c.comment and c.name and not later[c] then self:execute(ddl.SetConstraintComment(c)) end
  end
end

--- Virtual columns came with PostgreSQL 18; before, the server only says "syntax error".
function Run:check_columns(tab)
  local engine = self.conn.engine
  if self.dialect ~= "postgresql" or mock._is(engine) or (engine.server_version or 180000) >= 180000 then return end
  for _, c in ipairs(tab.c) do
    if c.computed and c.computed.persisted == false then
      util.fail("CompileError", "column '%s' of table '%s': virtual computed columns need PostgreSQL 18; give {persisted = true}",
        c.name, tab.name)
    end
  end
end

--- Does the condition of a constraint's or index's ddl_if hold? element: what would be executed, for an index.
function Run:wants(item, info, element)
  if not item._ddl_if then return true end
  local context = {dialect = {name = self.dialect}}
  for key, value in pairs(info or {}) do context[key] = value end
  return ddl._holds(item._ddl_if, element or item, item, self.conn, context)
end

--- The statement that creates the table. alter: set of the constraints that are added later.
function Run:creation(tab, alter, info)
  local made = core.schema_data(tab)._create_ddl
  if made then return made end
  local skip = {}
  local late = self.dialect == "postgresql" and create_postgresql.not_valid(tab) or {}
  for _, c in ipairs(tab.constraints) do
    local left = (alter[c] or late[c]) and self:can_alter()
    if c._handle and (left or not self:wants(c, info)) then skip[#skip + 1] = c end
  end
  return core.ddl_create_table(tab, ddl._skipped(tab, skip), "a")
end

function Run:create_table(tab, alter, info)
  self:check_columns(tab)
  fire(tab, "before_create", self.conn, info)
  self:execute(self:creation(tab, alter, info))
  for _, ix in ipairs(tab.indexes) do
    local element = ddl.CreateIndex(ix)
    if self:wants(ix, info, element) then self:emit(ix, "create", element) end
  end
  if self.dialect == "postgresql" then self:complete(tab, alter, info) end
  self:comments(tab, self:can_alter() and alter or {})
  fire(tab, "after_create", self.conn, info)
end

--- PostgreSQL: what comes after CREATE TABLE and its indexes.
function Run:complete(tab, alter, info)
  local attach = create_postgresql.attach(tab, function(schema) return self:schema(schema) end)
  if attach then self:execute(attach) end
  local late = create_postgresql.not_valid(tab)
  for _, c in ipairs(tab.constraints) do
    if late[c] and not alter[c] and self:wants(c, info) then
      self:emit(c, "create", ddl.AddConstraint(c, {isolate_from_table = false}))
    end
  end
end

function Run:drop_table(tab, info)
  fire(tab, "before_drop", self.conn, info)
  self:execute(core.schema_data(tab)._drop_ddl or ddl.DropTable(tab))
  fire(tab, "after_drop", self.conn, info)
end

--- Sorted, with the set of the constraints left to ALTER (as objects of Lua).
local function sorted(tables)
  for _, tab in ipairs(tables) do
    for _, parent in ipairs(create_postgresql.parents(tab)) do core.schema_depend(tab, parent) end
  end
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
    local there = self:table_exists(tab)
    if there == nil or there == want then out[#out + 1] = tab end
  end
  return out
end

--- Create tables (all of them known to be missing, in order) with all that belongs to them.
local function create_tables(run, metadata, list, all)
  local sorted_list, alter, order = sorted(list)
  local missing = run:filter(sorted_list, false)
  local info = {tables = missing, checkfirst = run.flags}
  fire(metadata, "before_create", run.conn, info)
  run:create_types(named.types(missing, all and metadata or nil))
  run:create_sequences(sequences_of(metadata, missing, all))
  local created = {}
  for _, tab in ipairs(missing) do
    run:create_table(tab, alter, info)
    created[tab] = true
  end
  if run:can_alter() then
    for _, c in ipairs(order) do
      if created[c.table] and run:wants(c, info) then
        run:emit(c, "create", ddl.AddConstraint(c, {isolate_from_table = false}))
        if c.comment and c.name then run:execute(ddl.SetConstraintComment(c)) end
      end
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

--- The types that go with these tables: when they are not all of the MetaData's, those that no other table has.
local function unused_types(metadata, tables, all)
  if all then return named.types(tables, metadata) end
  local gone, others, used, out = {}, {}, {}, {}
  for _, tab in ipairs(tables) do gone[tab] = true end
  for _, tab in pairs(metadata.tables) do
    if not gone[tab] then others[#others + 1] = tab end
  end
  for _, t in ipairs(named.types(others, metadata)) do used[(t.schema or "") .. "." .. t.name] = true end
  for _, t in ipairs(named.types(tables)) do
    if not used[(t.schema or "") .. "." .. t.name] then out[#out + 1] = t end
  end
  return out
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
  local info = {tables = {}, checkfirst = run.flags}
  for i = #present, 1, -1 do info.tables[#info.tables + 1] = present[i] end -- as they are dropped
  fire(metadata, "before_drop", run.conn, info)
  for _, c in ipairs(run:can_alter() and drops or {}) do run:emit(c, "drop", ddl.DropConstraint(c, {isolate_from_table = false})) end
  for i = #present, 1, -1 do run:drop_table(present[i], info) end
  run:drop_sequences(sequences_of(metadata, present, all))
  run:drop_types(unused_types(metadata, present, all))
  fire(metadata, "after_drop", run.conn, info)
end

-- ── public methods ───────────────────────────────────────────────────────────────────────────────────────────────────

--- Run fn on a connection: an engine lends one and commits. A mock engine finds nothing, so nothing is looked up.
local function with_connection(func, bind, flags, fn)
  local kind = core.kind_of(bind)
  if kind == "Connection" then return fn(new_run(bind, flags)) end
  if mock._is(bind) then return fn(new_run(bind, exists.CheckFirst.NONE)) end
  if kind ~= "Engine" then bad(func, "expected an Engine or a Connection, got %s", core.describe(bind)) end
  bind:begin(function(conn) fn(new_run(conn, flags)) end)
end

local function check_tables(func, metadata, list)
  local all = {}
  if list == nil then
    for _, tab in pairs(metadata.tables) do
      if not tab.is_view or core.schema_data(tab)._create_ddl then all[#all + 1] = tab end
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

local all_options = {tables = "table", checkfirst = true}
local MetaData, Table = check.methods("MetaData"), check.methods("Table")

--- Create all tables (or those of `tables`) that are missing, in the order of their dependencies.
MetaData.create_all = function(self, bind, options)
  local o = util.options("MetaData:create_all", options, all_options)
  local list = check_tables("MetaData:create_all", self, o.tables)
  with_connection("MetaData:create_all", bind, exists.flags("MetaData:create_all", o.checkfirst, true), function(run)
    create_tables(run, self, list, o.tables == nil)
  end)
end

--- Drop all tables (or those of `tables`) that are there.
MetaData.drop_all = function(self, bind, options)
  local o = util.options("MetaData:drop_all", options, all_options)
  local list = check_tables("MetaData:drop_all", self, o.tables)
  with_connection("MetaData:drop_all", bind, exists.flags("MetaData:drop_all", o.checkfirst, true), function(run)
    drop_tables(run, self, list, o.tables == nil)
  end)
end

--- Types and sequences may be shared: a single table does not create them twice, unless it is told to.
local shared = exists.CheckFirst.TYPES | exists.CheckFirst.SEQUENCES
local one_options = {checkfirst = true}

--- Create the table with its indexes; `checkfirst`: unless it is there.
Table.create = function(self, bind, options)
  local o = util.options("Table:create", options, one_options)
  local checkfirst = o.checkfirst
  if checkfirst == nil then checkfirst = shared end
  with_connection("Table:create", bind, exists.flags("Table:create", checkfirst, false), function(run)
    if run:table_exists(self) then return end
    local info = {tables = {self}, checkfirst = run.flags}
    run:create_types(named.types{self})
    run:create_sequences(sequences_of(nil, {self}, false))
    run:create_table(self, {}, info)
  end)
end

--- The sequences that number its columns and no other table's.
local function own_sequences(tab)
  local shared_ones, out = {}, {}
  for _, other in pairs(tab.metadata.tables) do
    for _, c in ipairs(other ~= tab and other.c or {}) do shared_ones[c.default or false] = true end
  end
  for _, s in ipairs(sequences_of(nil, {tab}, false)) do
    if not shared_ones[s] then out[#out + 1] = s end
  end
  return out
end

--- Drop the table and the sequences of its columns; `checkfirst`: if it is there.
Table.drop = function(self, bind, options)
  local o = util.options("Table:drop", options, one_options)
  local checkfirst = o.checkfirst
  if checkfirst == nil then checkfirst = exists.CheckFirst.SEQUENCES end
  with_connection("Table:drop", bind, exists.flags("Table:drop", checkfirst, false), function(run)
    if run:table_exists(self) == false then return end
    run:drop_table(self, {tables = {self}, checkfirst = run.flags})
    run:drop_sequences(own_sequences(self))
  end)
end

--- Is the index built and dropped without a transaction?
local function concurrently(index)
  for _, o in ipairs(index._options or {}) do
    if o.dialect == "postgresql" and o.name == "concurrently" and o.value then return true end
  end
  return false
end

--- As with_connection; CONCURRENTLY on an engine has a connection without a transaction.
local function with_index_connection(func, self, bind, flags, fn)
  if core.kind_of(bind) ~= "Engine" or bind.name ~= "postgresql" or not concurrently(self) then
    return with_connection(func, bind, flags, fn)
  end
  local conn <close> = bind:connect()
  conn:execution_options{isolation_level = "AUTOCOMMIT"}
  fn(new_run(conn, flags))
end

--- create and drop of an index or a sequence.
local function single(class, kind, make, remove)
  local name = class.class_name
  local function add(what, want, element)
    local func = name .. ":" .. what
    class.methods[what] = function(self, bind, options)
      local o = util.options(func, options, one_options)
      with_index_connection(func, self, bind, exists.flags(func, o.checkfirst, false), function(run)
        local tab = kind == "index" and self.table
        if kind == "index" and not tab then bad(func, "index '%s' belongs to no table", tostring(self.name)) end
        if kind == "sequence" and run.dialect == "sqlite" then return end
        local statement = element(self)
        if run:exists(kind, (tab or self).schema, self.name) == want or not run:wants(self, nil, statement) then return end
        run:emit(self, what, statement)
      end)
    end
  end
  add("create", true, make)
  add("drop", false, remove)
end
single(constraints._Index, "index", ddl.CreateIndex, ddl.DropIndex)
single(items._Sequence, "sequence", ddl.CreateSequence, ddl.DropSequence)

-- ── named types ──────────────────────────────────────────────────────────────────────────────────────────────────────

--- create and drop of an Enum or DOMAIN, called by the core's methods; where the database has no such types, nothing happens.
local function of_type(what, want, element)
  local func = "type:" .. what
  M["_" .. what .. "_type"] = function(self, bind, options)
    local o = util.options(func, options, one_options)
    local class = self.class_name
    if not ({Enum = 1, DOMAIN = 1})[class] or not self.name then
      bad(func, "expected an Enum or DOMAIN with a name, got %s", tostring(self))
    end
    with_connection(func, bind, exists.flags(func, o.checkfirst, true), function(run)
      if run.dialect ~= "postgresql" or (class == "Enum" and not self.native) then return end
      if run:exists("type", self.schema, self.name) ~= want then run:execute(element(self)) end
    end)
  end
end
of_type("create", true, ddl.CreateType)
of_type("drop", false, ddl.DropType)

return M

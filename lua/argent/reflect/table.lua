--- Making a Table of what an Inspector found: columns, keys, constraints and indexes, in SQLAlchemy's order and with its rules for
--- what a caller gave or left out.
local core = require "argent.core"
local column = require "argent.schema.column"
local constraints = require "argent.schema.constraints"
local event = require "argent.event"
local items = require "argent.schema.items"
local table_ = require "argent.schema.table"
local util = require "argent.schema.util"

local M = {}

--- SQL of the database as a node: taken word for word, a colon in it is no parameter.
local function verbatim(text)
  return type(text) == "string" and core.literal_column(text) or text
end

--- A name that the database gave: no naming convention is applied to it again.
local function own_name(name)
  return name ~= nil and util.name(tostring(name), nil, true) or nil
end

local function set_of(list)
  if list == nil then return nil end
  local set = {}
  for _, v in ipairs(list) do set[v] = true end
  return set
end

-- ── columns ──────────────────────────────────────────────────────────────────────────────────────────────────────────

local function fire(insp, tab, info)
  for _, target in ipairs{require "argent.schema.metadata".MetaData, tab.metadata, table_.Table, tab} do
    local list = event.listeners(target, "column_reflect")
    if list then event.call(list, insp, tab, info) end
  end
end

--- What a listener may see and change: a copy, the Inspector's cache stays as it is.
local function shallow(info)
  local out = {}
  for k, v in pairs(info) do out[k] = v end
  return out
end

local function server_default(info)
  local value = info.default
  if value == nil then return nil end
  if items._FetchedValue.is(value) or items._DefaultClause.is(value) then return value end
  return items.DefaultClause(verbatim(value))
end

--- PostgreSQL's name for the sequence of a SERIAL column: of 63 bytes at most, the longer part is shortened first.
local function serial_name(tab, col)
  local room, a, b = 63 - #"__seq", #tab, #col
  while a + b > room do
    if a > b then a = a - 1 else b = b - 1 end
  end
  local function clip(text, n)
    while n < #text and n > 0 and text:byte(n + 1) & 0xC0 == 0x80 do n = n - 1 end
    return text:sub(1, n)
  end
  return clip(tab, a) .. "_" .. clip(col, b) .. "_seq"
end

--- May SERIAL stand for the default, which takes numbers from this sequence?
local function is_serial(tab, info)
  local s = info.sequence
  return not s or not s.shared and (s.owned or s.name == serial_name(tab.name, info.name))
end

--- A Column from what was reflected. `primary`: it is part of the key.
local function new_column(tab, info, primary)
  local o = {nullable = info.nullable, autoincrement = info.autoincrement, quote = info.quote, info = info.info, key = info.key,
    comment = info.comment, primary_key = primary or nil}
  if not is_serial(tab, info) then o.autoincrement = false end
  for key, value in pairs(info.dialect_options or {}) do o[key] = value end
  local args = {info.name, info.type}
  local function add(item)
    if item ~= nil then args[#args + 1] = item end
  end
  add(server_default(info))
  if info.computed and info.computed.sqltext ~= "" then
    add(items.Computed(verbatim(info.computed.sqltext), {persisted = info.computed.persisted}))
  end
  if info.identity then add(items.Identity(info.identity)) end
  args[#args + 1] = o
  return column.Column(table.unpack(args))
end

--- The caller's column in place of the reflected one.
local function check_given(tab, c, primary)
  local d = core.schema_data(c)
  if primary and not d._primary_key then
    util.fail("ArgumentError", "Trying to redefine primary-key column '%s' as a non-primary-key column on table '%s'", d.name,
      tab.fullname)
  end
  return c
end

--- One filling: the table, what was found, and which columns may come in.
local Fill = {}
Fill.__index = Fill

--- Add the columns. by_name: Column of each reflected name; given ones stand in place of the reflected.
function Fill:columns(list, pk)
  local tab, primary = self.tab, set_of(pk.constrained_columns)
  for _, found in ipairs(list) do
    local info = shallow(found)
    fire(self.insp, tab, info)
    local skip = (self.include and not self.include[info.name]) or self.exclude[info.name]
    local holder = self.given_keys[info.key or info.name] -- one of the caller's has its key, and its place already
    skip = skip or holder and holder.table == tab
    if self.given[info.name] and not skip then
      local c = check_given(tab, self.given[info.name], primary[found.name])
      table_._add_column(tab, c)
      self.by_name[found.name], self.replaced[found.name] = c, true
    elseif not skip then
      local c = new_column(tab, info, primary[found.name] or self.in_key[info.key or info.name] ~= nil)
      table_._add_column(tab, c)
      self.by_name[found.name] = c
    end
  end
end

--- The column of a name: a reflected one, else one that only the program knows.
function Fill:column(name)
  local c = self.by_name[name]
  if c then return c end
  for _, own in ipairs(self.tab.c) do
    if own.name == name then return own end
  end
end

--- Are all of these names among the columns asked for?
function Fill:wants(names)
  if not self.include then return true end
  for _, name in ipairs(names) do
    if name ~= core.null and not self.include[name] then return false end
  end
  return true
end

function Fill:find_all(names, what)
  local out = {}
  for i, name in ipairs(names) do
    out[i] = self:column(name)
    if not out[i] then
      require "argent.warn"(("%s key '%s' was not located in columns for table '%s'"):format(what, tostring(name), self.tab.name))
      return nil
    end
  end
  return out
end

-- ── keys and constraints ─────────────────────────────────────────────────────────────────────────────────────────────

local function with_options(o, more)
  for key, value in pairs(more or {}) do o[key] = value end
  return o
end

function Fill:primary_key(pk)
  local list, has = {}, {}
  local function add(c)
    if c and c.primary_key and c.table == self.tab and not has[c] then
      list[#list + 1], has[c] = c, true
    end
  end
  for _, c in ipairs(self.tab.primary_key.columns) do add(rawget(self.tab.c, c.key)) end
  for _, name in ipairs(pk.constrained_columns) do
    if not self.exclude[name] then add(self.by_name[name]) end
  end
  for _, c in ipairs(self.own_columns) do add(c) end
  for _, c in ipairs(self.tab.c) do add(c) end
  list[#list + 1] = with_options(with_options({name = own_name(pk.name), comment = pk.comment}, pk.options), pk.dialect_options)
  local key = constraints.PrimaryKeyConstraint(table.unpack(list))
  key._implicit = pk.name == nil and pk.comment == nil and not pk.dialect_options or nil
  table_._append(self.tab, key)
end

local integer_types = {bigint = core.BIGINT, integer = core.INTEGER, smallint = core.SMALLINT}

--- Sequences that defaults take numbers from, and that no SERIAL makes, become the MetaData's: create_all creates them first.
function Fill:sequences(list)
  local metadata = self.tab.metadata
  for _, info in ipairs(list) do
    local s, c = info.sequence, self.by_name[info.name]
    if s and c and not self.replaced[info.name] and c ~= self.tab.autoincrement_column then
      local known = false
      for _, other in ipairs(core.schema_data(metadata)._sequences) do
        known = known or other.name == s.name and (other.schema or "") == (s.schema or "")
      end
      if not known then
        items.Sequence(util.name(s.name), {schema = s.schema, metadata = metadata, data_type = integer_types[s.data_type],
          start = s.start, increment = s.increment, minvalue = s.minvalue, maxvalue = s.maxvalue, cycle = s.cycle, cache = s.cache})
      end
    end
  end
end

--- The table a foreign key refers to comes in too, unless it is known or must not be: later, so that long chains do not nest.
function Fill:resolve(fk)
  if not self.resolve_fks then return end
  local work = self.insp._work
  work.queue[#work.queue + 1] = {schema = fk.referred_schema, name = fk.referred_table, metadata = self.tab.metadata, own = self.own}
end

local function same_twice(names)
  local seen = {}
  for _, name in ipairs(names) do
    if seen[name] then return true end
    seen[name] = true
  end
  return false
end

--- Does the foreign key touch a column that was left out, or that the caller described?
function Fill:leaves_out(fk)
  for _, name in ipairs(fk.constrained_columns) do
    if self.exclude[name] or self.replaced[name] then return true end
  end
  return not self:wants(fk.constrained_columns)
end

--- A foreign key without columns means the other table's primary key: SQLite takes it though there is none.
function Fill:complete(fk)
  if #fk.referred_columns == #fk.constrained_columns then return true end
  local fullname = (fk.referred_schema and fk.referred_schema .. "." or "") .. fk.referred_table
  if self.resolve_fks and not self.insp:has_table(fk.referred_table, {schema = fk.referred_schema}) then
    util.fail("NoSuchTableError", "no such table: %s", fullname)
  end
  require "argent.warn"(("On reflected table %s, skipping reflection of a foreign key to %s, which has no such primary key"):format(
    self.tab.name, fullname))
  return false
end

function Fill:foreign_key(fk)
  if self:leaves_out(fk) or self:has(constraints._ForeignKeyConstraint, fk.name, fk.constrained_columns) then return end
  if same_twice(fk.constrained_columns) then
    require "argent.warn"(("On reflected table %s, skipping reflection of foreign key constraint %s; a column is named twice"):format(
      self.tab.name, tostring(fk.name)))
    return
  end
  local columns = self:find_all(fk.constrained_columns, "foreign key")
  if not columns or not self:complete(fk) then return end
  self:resolve(fk)
  local targets = {}
  for i, name in ipairs(fk.referred_columns) do
    targets[i] = items._target(fk.referred_schema, fk.referred_table, name)
  end
  local o = with_options({name = own_name(fk.name), link_to_name = true, comment = fk.comment}, fk.options)
  self:append(constraints.ForeignKeyConstraint(columns, targets, with_options(o, fk.dialect_options)))
end

function Fill:unique(u)
  if u.duplicates_index or not self:wants(u.column_names) then return end
  if self:has(constraints._Unique, u.name, u.column_names) then return end
  local columns = self:find_all(u.column_names, "unique constraint")
  if not columns then return end
  local o = with_options({name = own_name(u.name), comment = u.comment}, u.options)
  self:append(constraints.UniqueConstraint(columns, with_options(o, u.dialect_options)))
end

--- SQLAlchemy gives the options of checks without the dialect's name.
function Fill:check(k)
  if self:has(constraints._Check, k.name, {}, k.sqltext) then return end
  local o = {name = own_name(k.name), comment = k.comment}
  for key, value in pairs(k.dialect_options or {}) do o[self.insp.dialect.name .. "_" .. key] = value end
  self:append(constraints.CheckConstraint(verbatim(k.sqltext), o))
end

function Fill:exclusion(x)
  local list = {}
  for i, e in ipairs(x.elements) do
    local item = e.column and self:column(e.column)
    if e.column and not item then return end
    if e.opclass then item = verbatim((e.column and util.quoted(e.column) or e.expression) .. " " .. e.opclass) end
    list[i] = {item or verbatim(e.expression), e.operator}
  end
  list[#list + 1] = with_options({name = own_name(x.name), comment = x.comment, using = x.using,
    where = x.where and verbatim(x.where)}, x.options)
  self:append(constraints.ExcludeConstraint(table.unpack(list)))
end

-- ── indexes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

local sorting = {asc = "asc", desc = "desc", nulls_first = "nulls_first", nulls_last = "nulls_last"}

--- Collation of an element, and its schema where the search path does not find it.
local function collation_of(ix, key)
  return ix.column_collations and ix.column_collations[key], ix.column_collation_schemas and ix.column_collation_schemas[key]
end

--- One item with its collation and order. An expression's collation and operator class stand in its text: both are found by column.
function Fill:index_item(ix, name, text)
  local ops = ix.dialect_options and ix.dialect_options.postgresql_ops or {}
  local key = name == core.null and text or name
  local collation, schema = collation_of(ix, key)
  local item = name ~= core.null and self:column(name) or nil
  if schema or name == core.null then
    local sql = item and util.quoted(name) or name == core.null and text
    local collate = collation and " COLLATE " .. (schema and util.quoted(schema) .. "." or "") .. util.quoted(collation) or ""
    item = sql and verbatim(sql .. collate .. (ops[key] and " " .. ops[key] or ""))
  elseif item and collation then
    item = item:collate(collation)
  end
  for _, how in ipairs(item and ix.column_sorting and ix.column_sorting[key] or {}) do
    if sorting[how] then item = item[sorting[how]](item) end
  end
  return item
end

function Fill:index_items(ix)
  local list = {}
  for i, name in ipairs(ix.column_names) do
    local item = self:index_item(ix, name, ix.expressions and ix.expressions[i])
    if not item then
      require "argent.warn"(("index key '%s' was not located in columns for table '%s'"):format(tostring(name), self.tab.name))
      return nil
    end
    list[i] = item
  end
  return list
end

function Fill:index(ix)
  if ix.duplicates_constraint or not self:wants(ix.column_names) or self:has(constraints._Index, ix.name) then return end
  local list = self:index_items(ix)
  if not list then return end
  local o = {unique = ix.unique or nil}
  for key, value in pairs(ix.dialect_options or {}) do o[key] = key:match("_where$") and verbatim(value) or value end
  self:append(constraints.Index(own_name(ix.name), list, o))
end

--- Has the table this constraint or index already? (It is reflected again.) By name; without one by columns and text.
function Fill:has(class, name, columns, sqltext)
  if not self.extending then return false end
  for _, old in ipairs(class.is_index and self.tab.indexes or self.tab.constraints) do
    if getmetatable(old) == class and old.name == name then
      local same = name ~= nil or #old.columns == #columns
      for i, c in ipairs(name == nil and same and old.columns or {}) do same = same and c.name == columns[i] end
      if same and (name ~= nil or not sqltext or tostring(old.sqltext) == sqltext) then return true end
    end
  end
  return false
end

--- Attach what has not found its table by its columns.
function Fill:append(object)
  table_._append(self.tab, object)
end

-- ── all of it ────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Where the table's schema really is: schema_translate_map of the connection.
local function real_schema(insp, schema)
  local map = insp._connection:get_execution_options().schema_translate_map
  local to = map and map[schema or core.null]
  if to == nil then return schema end
  return to ~= core.null and to or nil
end

--- What was found of a table: read with others already, or now.
local function found(insp, tab, own)
  local schema, name = real_schema(insp, tab.schema), tab.name
  local known = insp._work.found[schema or ""]
  if not known or not known.columns[name] then
    local inspector = require "argent.inspector"
    known = insp:_get_all(with_options({schema = schema, filter_names = {name}, kind = inspector.ObjectKind.ANY,
      scope = inspector.ObjectScope.ANY}, own), true)
  end
  if not known.columns[name] then
    insp:clear_cache() -- it may be created, or mended, yet
    if known.unreflectable[name] then error(known.unreflectable[name], 0) end
    util.fail("NoSuchTableError", "no such table: %s", tab.fullname)
  end
  return known
end

--- Options of the dialect that were given with the table, for reading it.
local function own_options(insp, tab)
  local out, prefix = {}, insp.engine.name .. "_"
  for key, value in pairs(core.schema_data(tab)._given or {}) do
    if type(key) == "string" and key:sub(1, #prefix) == prefix and (insp._module.reflection_options or {})[key] then
      out[key] = value
    end
  end
  return out
end

local function fill_rest(self, all, name)
  for _, fk in ipairs(all.foreign_keys[name] or {}) do self:foreign_key(fk) end
  for _, ix in ipairs(all.indexes[name] or {}) do self:index(ix) end
  for _, u in ipairs(all.unique_constraints[name] or {}) do self:unique(u) end
  for _, k in ipairs(all.check_constraints[name] or {}) do self:check(k) end
  for _, x in ipairs(all.exclude_constraints[name] or {}) do self:exclusion(x) end
end

local function by(field, list)
  local out = {}
  for _, c in ipairs(list or {}) do out[c[field] or ""] = c end
  return out
end

--- Fill the table. o.given: columns of the caller's; o.include_columns, o.exclude_columns: names; o.resolve_fks.
---@param insp argent.Inspector with a connection of its own
---@param tab argent.Table
---@param o table
function M.fill(insp, tab, o)
  local own = own_options(insp, tab)
  local all, name = found(insp, tab, own), tab.name
  local self = setmetatable({insp = insp, tab = tab, own = own, by_name = {}, replaced = {}, own_columns = o.given or {},
    given = by("name", o.given), given_keys = by("key", o.given), in_key = by("key", tab.primary_key.columns),
    include = set_of(o.include_columns), exclude = set_of(o.exclude_columns) or {}, resolve_fks = o.resolve_fks ~= false,
    extending = #tab.constraints > 1 or #tab.indexes > 0}, Fill)
  local pk = all.pk_constraint[name] or {constrained_columns = {}}
  table_._change(tab, all.table_comment[name] and all.table_comment[name].text, all.table_options[name])
  self:columns(all.columns[name], pk)
  self:primary_key(pk)
  self:sequences(all.columns[name])
  fill_rest(self, all, name)
end

--- After so many rounds a chain is long: then the whole schema is read, once.
local FEW_ROUNDS = 4

--- One round of the queue: what is read of a schema is read at once.
local function load_queue(insp, queue)
  local work, names = insp._work, {}
  work.rounds = (work.rounds or 0) + 1
  for _, x in ipairs(queue) do
    local s = x.schema or ""
    local known = work.found[s] and work.found[s].columns[x.name]
    if not known and not rawget(x.metadata.tables, x.schema and x.schema .. "." .. x.name or x.name) then
      names[s] = names[s] or {own = x.own}
      names[s][#names[s] + 1] = x.name
    end
  end
  local inspector = require "argent.inspector"
  for s, list in pairs(names) do
    local own = list.own
    list.own = nil
    local more = insp:_get_all(with_options({schema = s ~= "" and s or nil, filter_names = work.rounds <= FEW_ROUNDS and list or nil,
      kind = inspector.ObjectKind.ANY, scope = inspector.ObjectScope.ANY}, own))
    for what, values in pairs(work.found[s] or {}) do
      for name, value in pairs(values) do more[what][name] = value end
    end
    work.found[s] = more
  end
  for _, x in ipairs(queue) do
    table_.Table(x.name, x.metadata, with_options({schema = x.schema or table_.BLANK_SCHEMA, autoload_with = insp,
      keep_existing = true}, x.own))
  end
end

--- Reflect the tables that foreign keys asked for; outermost call only.
---@param insp argent.Inspector
function M.load_related(insp)
  local work = insp._work
  if work.busy then return end
  work.busy = true
  while work.queue[1] do
    local queue = work.queue
    work.queue = {}
    load_queue(insp, queue)
  end
  work.busy = false
end

return M

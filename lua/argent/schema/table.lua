--- ag.Table: takes columns, constraints and indexes, and attaches them in SQLAlchemy's order.
local core = require "argent.core"
local check = require "argent.check"
local column = require "argent.schema.column"
local constraints = require "argent.schema.constraints"
local events = require "argent.schema.events"
local items = require "argent.schema.items"
local named = require "argent.schema.named"
local util = require "argent.schema.util"

local M = {}
local bad = util.bad

local options = {
  schema = true, quote = "boolean", quote_schema = "boolean", comment = "string", prefixes = "table", info = "table",
  extend_existing = "boolean", keep_existing = "boolean", must_exist = "boolean", implicit_returning = "boolean",
  is_view = "boolean", autoload_with = true, autoload_replace = "boolean", include_columns = "table", resolve_fks = "boolean",
  listeners = "table",
}
M._options = options

--- `schema = ag.BLANK_SCHEMA`: no schema, whatever the MetaData's default.
M.BLANK_SCHEMA = util.name("")
--- `to_metadata(metadata, {schema = ag.RETAIN_SCHEMA})`: the schema that the table has, as without the option.
M.RETAIN_SCHEMA = setmetatable({}, {__name = "RETAIN_SCHEMA"})

-- ── .c ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- `t.c`: columns by key and by number, in order. It has no methods, so every column name is free.
local function new_columns(tab_name)
  local names = {}
  local c = {}
  return setmetatable(c, {
    __name = "argent.columns", _names = names,
    __index = function(_, key)
      if math.type(key) == "integer" then return nil end
      local near = type(key) == "string" and core.nearest(key, names)
      util.fail("InvalidRequestError", "table '%s' has no column '%s'%s", tab_name, tostring(key),
        near and ("; did you mean '%s'?"):format(near) or "")
    end,
    __newindex = function() util.fail("ArgumentError", "the columns of table '%s' cannot be assigned", tab_name) end,
    __pairs = function()
      local i = 0
      return function()
        i = i + 1
        if names[i] then return names[i], rawget(c, i) end
      end
    end,
    __tostring = function() return ("%s.c(%s)"):format(tab_name, table.concat(names, ", ")) end,
  })
end

--- The columns in whose place one of this key and name stands: by key, and by name.
local function replaced_by(c, key, name)
  local out = {rawget(c, key)}
  for i = 1, #getmetatable(c)._names do
    local other = rawget(c, i)
    if core.schema_data(other).name == name and other ~= out[1] then out[#out + 1] = other end
  end
  return out
end

--- Put it in the first place of those that it replaces; the others go.
local function put_column(c, key, value, replaced)
  local names, gone, place = getmetatable(c)._names, {}, nil
  for _, old in ipairs(replaced) do gone[core.schema_data(old).key] = true end
  for i = #names, 1, -1 do
    if gone[names[i]] then
      if place then
        table.remove(names, place)
        for k = place, #names + 1 do rawset(c, k, rawget(c, k + 1)) end
      end
      place = i
      rawset(c, names[i], nil)
    end
  end
  place = place or #names + 1
  names[place] = key
  rawset(c, place, value)
  rawset(c, key, value)
end

-- ── attaching ────────────────────────────────────────────────────────────────────────────────────────────────────────

local function attach_sequence(d, metadata)
  if d._default and d._default.kind == "sequence" then
    items._attach_sequence(d._default.object, metadata)
    d._default.sequence = d._default.object._handle
  end
end

--- Tell the listeners of a constraint or index; a name that they give it is its name.
local function attached(object, tab, class)
  local name = object.name
  events._attach("after_parent_attach", object, tab)
  if object.name == name or not object._handle then return end
  local text, quote, conv = util.opt_name("ag." .. class.class_name, "name", object.name)
  object.name, object._given_name, object._quote, object._conv = text, text, quote, conv
  core.schema_rename(object._handle, class.is_index or false, text, quote)
end

local function register(tab, object)
  if object.table == tab then return end -- it came with its columns
  if object.table then
    bad("ag.Table", "%s belongs to table '%s' already", tostring(object), object.table.fullname)
  end
  events._attach("before_parent_attach", object, tab)
  local data = core.schema_data(tab)
  local class = getmetatable(object)
  class.attach(object, tab)
  if object._ddl_if and class.is_constraint and object._handle then require "argent.schema.ddl"._restrict(object) end
  if class == constraints._PrimaryKey then
    data.primary_key = object
    if data.constraints[1] and getmetatable(data.constraints[1]) == class then data.constraints[1] = object
    else table.insert(data.constraints, 1, object) end
  elseif class.is_index then
    data.indexes[#data.indexes + 1] = object
  else
    data.constraints[#data.constraints + 1] = object
  end
  attached(object, tab, class)
end

--- The constraints among a column's arguments; they know it from now on.
local function own_constraints(c)
  local list = core.schema_data(c).constraints
  for _, item in ipairs(list) do
    item._column = c
    if item._list and #item._list == 0 then item._list = {c} end
  end
  return list
end

--- What a column brings along: its constraints (unless the table has them already), index, UNIQUE, the CHECK of its type, foreign
--- keys; in this order.
local function attach_column_items(tab, c, d)
  for _, item in ipairs(own_constraints(c)) do
    if not item.table then register(tab, item) end
  end
  if d.index then
    local ix = constraints.Index(nil, d.key, {unique = d.unique or nil})
    ix._of_column = true
    register(tab, ix)
  elseif d.unique then
    local uq = constraints.UniqueConstraint(d.key)
    uq._implicit = true
    register(tab, uq)
  end
  for _, it in ipairs(core.type_checks(c.type)) do register(tab, constraints._of_type(c, it.type, it.index)) end
  for _, fk in ipairs(d.foreign_keys) do
    if not fk.parent then register(tab, constraints._of_column(fk, c)) end
  end
end

local function drop(list, gone)
  for i = #list, 1, -1 do
    if gone[list[i]] then table.remove(list, i) end
  end
end

--- The foreign keys of a column go with it when another one takes its place.
local function forget_foreign_keys(data, old)
  local gone, fks = {}, {}
  for _, fk in ipairs(core.schema_data(old).foreign_keys) do
    if fk.constraint then gone[fk.constraint] = true end
  end
  for constraint in pairs(gone) do
    for _, fk in ipairs(constraint.elements) do fks[fk] = true end
    for _, c in ipairs(constraint.columns) do drop(core.schema_data(c).foreign_keys, fks) end
  end
  drop(data.constraints, gone)
  drop(data.foreign_keys, fks)
end

--- What the column that is replaced brought along beside foreign keys: UNIQUE, the CHECK of its type, its index.
local function drop_column_items(data, old)
  for i = #data.constraints, 1, -1 do
    local item = data.constraints[i]
    local brought = item._column == old or (item._implicit and #item.columns == 1 and item.columns[1] == old)
    if brought and getmetatable(item) ~= constraints._PrimaryKey then
      table.remove(data.constraints, i)
      core.schema_remove_constraint(item._handle)
    end
  end
  for i = #data.indexes, 1, -1 do
    local ix = data.indexes[i]
    if ix._of_column and ix.columns[1] == old then table.remove(data.indexes, i) end
  end
end

--- A column of the primary key stays in it.
local function check_key(data, old, d)
  if d._primary_key then return end
  for _, c in ipairs(data.primary_key and data.primary_key.columns or {}) do
    if c == old then
      util.fail("ArgumentError", "Trying to redefine primary-key column '%s' as a non-primary-key column on table '%s'", d.key,
        data.fullname)
    end
  end
end

local function add_column(tab, c, replace)
  local d, data = core.schema_data(c), core.schema_data(tab)
  if not d.name then bad("ag.Table", "a column of table '%s' has no name", data.name) end
  if d.table then bad("ag.Table", "column '%s' belongs to table '%s' already", d.name, d.table.fullname) end
  events._attach("before_parent_attach", c, tab)
  attach_sequence(d, data.metadata)
  if d._type then d._type = named.of_column(d._type, data.schema, data.metadata) end
  local replaced = replace and replaced_by(data.c, d.key, d.name) or {}
  for _, old in ipairs(replaced) do
    check_key(data, old, d)
    forget_foreign_keys(data, old)
    drop_column_items(data, old)
  end
  core.schema_add_column(tab, c, column._spec(c, replace))
  d.table = tab
  for _, item in ipairs{d.identity or false, d.computed or false, items._Sequence.is(d.default) and d.default or false} do
    if item then item.column = c end
  end
  put_column(data.c, d.key, c, replaced)
  events._attach("after_parent_attach", c, tab)
end

--- What reflection adds: a column (in place of one of its key), a comment, options of the dialect.
---@private
function M._add_column(tab, c)
  add_column(tab, c, true)
  attach_column_items(tab, c, core.schema_data(c))
end

---@private
function M._change(tab, comment, dialect)
  local data = core.schema_data(tab)
  local given, list = util.options(("ag.Table '%s'"):format(data.name), dialect, {}, "Table")
  local new = {}
  for _, o in ipairs(list) do new[o.dialect .. "_" .. o.name] = true end
  for _, o in ipairs(data._options) do
    if not new[o.dialect .. "_" .. o.name] then list[#list + 1] = o end
  end
  local kept = {}
  for key, value in pairs(data._given) do kept[key] = value end
  for key, value in pairs(given) do kept[key] = value end
  data._options, data._given, data.comment = list, kept, comment or data.comment
  core.schema_change(tab, {comment = data.comment, options = list})
end

local function sort_items(list)
  table.sort(list, function(a, b) return a._order < b._order end)
end

--- Constraints and indexes that waited for the last of their columns.
local function settle(tab, columns)
  for _, c in ipairs(columns) do
    local d = core.schema_data(c)
    local waiting = d._waiting or {}
    d._waiting = nil
    for _, object in ipairs(waiting) do
      local ready = not object.table
      for _, other in ipairs(object._bare) do ready = ready and core.schema_data(other).table ~= nil end
      if ready then M._append(tab, object) end
    end
  end
end

--- Columns first, then the primary key, explicit constraints as they were made, what columns bring along, indexes.
local function attach_all(tab, columns, explicit, replace)
  local later = {}
  for _, c in ipairs(columns) do add_column(tab, c, replace) end
  local key
  for _, item in ipairs(explicit) do
    if getmetatable(item) == constraints._PrimaryKey then
      if key then bad("ag.Table", "table '%s': two primary key constraints", tab.name) end
      key = item
    else
      later[#later + 1] = item
    end
  end
  for _, c in ipairs(columns) do
    for _, item in ipairs(own_constraints(c)) do later[#later + 1] = item end
  end
  if not key then
    key = constraints.PrimaryKeyConstraint()
    key._implicit = true
  end
  register(tab, key)
  sort_items(later)
  local indexes = {}
  for _, item in ipairs(later) do
    if item._column == nil and getmetatable(item).is_index then indexes[#indexes + 1] = item else register(tab, item) end
  end
  for _, c in ipairs(columns) do attach_column_items(tab, c, core.schema_data(c)) end
  for _, ix in ipairs(indexes) do register(tab, ix) end
  settle(tab, columns)
  core.schema_data(tab).autoincrement_column = core.schema_finish(tab)
end

--- Append a constraint or index that was made after its table.
---@private
function M._append(tab, object)
  if object.table then return end
  register(tab, object)
  if getmetatable(object) == constraints._PrimaryKey then
    core.schema_data(tab).autoincrement_column = core.schema_finish(tab)
  end
end

-- ── arguments ────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Columns, constraints and indexes among the array part of the body; the rest are options.
local function split_body(name, args)
  local columns, explicit, opts = {}, {}, {}
  local function take(value, where)
    local kind = core.kind_of(value)
    local class = util.class_of(value)
    if kind == "Column" then
      columns[#columns + 1] = value
    elseif class and (class.is_constraint or class.is_index) then
      explicit[#explicit + 1] = value
    elseif class == items._ForeignKey then
      bad("ag.Table", "table '%s', item %s: a ForeignKey stands in a Column; a table takes ag.ForeignKeyConstraint", name, where)
    else
      bad("ag.Table", "table '%s', item %s: expected a column, a constraint or an index, got %s", name, where,
        core.describe(value))
    end
  end
  for i = 1, args.n do
    if util.is_plain(args[i]) then
      local n = 0
      for k, v in pairs(args[i]) do
        if math.type(k) == "integer" then n = math.max(n, k) else opts[k] = v end
      end
      for k = 1, n do take(args[i][k], tostring(k)) end
    else
      take(args[i], tostring(i))
    end
  end
  return columns, explicit, opts
end

local function read_prefixes(name, list)
  local out = {}
  for i, p in ipairs(list or {}) do
    out[i] = type(p) == "string" and core.text(p) or p
    if not core.schema_is_expression(out[i]) then bad("ag.Table", "table '%s': prefix %d is no text", name, i) end
  end
  return out
end

local function sort_columns(list)
  local order, at = {}, {}
  for i, c in ipairs(list) do order[c], at[c] = core.schema_data(c).sort_order or 0, i end
  table.sort(list, function(a, b)
    if order[a] ~= order[b] then return order[a] < order[b] end
    return at[a] < at[b]
  end)
end

--- Which schema: given, none for BLANK_SCHEMA, else the MetaData's.
local function read_schema(metadata, value)
  if value == M.BLANK_SCHEMA then return nil end
  local text, quote = util.opt_name("ag.Table", "schema", value)
  if text == nil then return core.schema_data(metadata).schema, core.schema_data(metadata)._quote_schema end
  return text, quote
end

local function new_table(name, quote, metadata, schema, quote_schema, o, dialect)
  local fullname = schema and schema .. "." .. name or name
  local data = {name = name, schema = schema, fullname = fullname, key = fullname, metadata = metadata, info = o.info or {},
    comment = o.comment, constraints = {}, indexes = {}, foreign_keys = {}, _options = dialect, _given = o, is_view = o.is_view or false,
    _prefixes = read_prefixes(name, o.prefixes)}
  data.c = new_columns(fullname)
  data.columns = data.c
  if o.quote ~= nil then quote = o.quote end
  if o.quote_schema ~= nil then quote_schema = o.quote_schema end
  data._quote, data._quote_schema = quote, quote_schema
  return core.schema_table(metadata, data, {name = name, schema = schema, quote = quote, quote_schema = quote_schema,
    comment = o.comment, implicit_returning = o.implicit_returning, is_view = o.is_view, prefixes = data._prefixes,
    options = dialect})
end

--- Fill the table from the database. Given columns stand in the places of reflected ones; returns those that found no place.
local function autoload(tab, columns, o)
  require "argent.reflect".autoload(tab, o, columns)
  local rest = {}
  for _, c in ipairs(columns) do
    if not core.schema_data(c).table then rest[#rest + 1] = c end
  end
  return rest
end

--- The column that has the place of this one now.
local function present(tab, c)
  for _, other in ipairs(tab.c) do
    if other.name == c.name then return other end
  end
  return rawget(tab.c, c.key)
end

--- A primary key is made again when one of its columns came or was replaced: the new ones stand behind those that it has.
local function renew_key(tab, columns)
  local old, keys, has = tab.primary_key, {}, {}
  local function add(c)
    if c and not has[c.key] then keys[#keys + 1], has[c.key] = c.key, true end
  end
  for _, c in ipairs(old.columns) do add(present(tab, c)) end
  for _, c in ipairs(columns) do
    if core.schema_data(c)._primary_key then add(c) end
  end
  local key = constraints.PrimaryKeyConstraint(keys, old._given)
  key._implicit = old._implicit
  register(tab, key)
end

--- Two columns that are given together may share neither key nor name.
local function check_distinct(tab, columns)
  for _, field in ipairs{"key", "name"} do
    local seen = {}
    for _, c in ipairs(columns) do
      local value = core.schema_data(c)[field]
      if value ~= nil and seen[value] then
        util.fail("DuplicateColumnError", "table '%s' has a column with %s '%s' already", core.schema_data(tab).name, field, value)
      end
      seen[value or c] = true
    end
  end
end

local function extend(tab, columns, explicit, o)
  local data = core.schema_data(tab)
  check_distinct(tab, columns)
  if o.autoload_with then columns = autoload(tab, columns, o) end
  for _, c in ipairs(columns) do
    local d = core.schema_data(c)
    add_column(tab, c, true)
    attach_column_items(tab, c, d)
  end
  renew_key(tab, columns)
  sort_items(explicit)
  for _, item in ipairs(explicit) do register(tab, item) end
  for key, value in pairs(o.info or {}) do data.info[key] = value end
  if o.comment then data.comment = o.comment end
  data.autoincrement_column = core.schema_finish(tab)
  return tab
end

--- Fill a new table and make it known.
local function publish(tab, columns, explicit)
  attach_all(tab, columns, explicit, false)
  core.schema_publish(tab)
  core.schema_data(tab.metadata)._put(tab)
  return tab
end

--- The table that stands for a view or for what CREATE TABLE AS makes. `dialect`: the options of util.options.
---@private
function M._made_by_select(name, metadata, columns, o, dialect)
  local text, quote = util.read_name(name)
  local schema, quote_schema = read_schema(metadata, o.schema)
  if rawget(core.schema_data(metadata).tables, schema and schema .. "." .. text or text) then
    util.fail("InvalidRequestError", "table '%s' is already defined for this MetaData", text)
  end
  return publish(new_table(text, quote, metadata, schema, quote_schema, o, dialect), columns, {})
end

--- f(…); the new table is forgotten when that fails.
local function or_forget(tab, f, ...)
  local ok, e = pcall(f, ...)
  if ok then return tab end
  if rawget(tab.metadata.tables, tab.fullname) == tab then tab.metadata:remove(tab) end
  error(e, 0)
end

--- Fill a new table from the database and add what was given besides, where that is asked for; then it is whole.
local function complete(tab, columns, explicit, o)
  if o.autoload_with then extend(tab, columns, explicit, o) end
  events._attach("after_parent_attach", tab, tab.metadata)
end

--- A table. The last argument lists columns, constraints and indexes; its string keys are options.
---
---     local users = ag.Table("users", metadata, {
---       ag.Column("id", ag.Integer, {primary_key = true}),
---       ag.Column("name", ag.String(50)),
---       comment = "people",
---     })
---@param name string
---@param metadata argent.MetaData
---@param ... any
---@return argent.Table
function M.Table(name, metadata, ...)
  local text, quote = util.read_name(name)
  if not text or text == "" then bad("ag.Table", "expected the table's name, got %s", core.describe(name)) end
  if core.kind_of(metadata) ~= "MetaData" then
    bad("ag.Table", "table '%s': expected an ag.MetaData as second argument, got %s", text, core.describe(metadata))
  end
  local columns, explicit, opts = split_body(text, table.pack(...))
  local o, dialect = util.options(("ag.Table '%s'"):format(text), opts, options, "Table")
  if o.extend_existing and o.keep_existing then bad("ag.Table", "extend_existing and keep_existing exclude each other") end
  local schema, quote_schema = read_schema(metadata, o.schema)
  local mdata = core.schema_data(metadata)
  local existing = rawget(mdata.tables, schema and schema .. "." .. text or text)
  if existing then
    if o.keep_existing or o.autoload_with and #columns + #explicit == 0 and not o.extend_existing then return existing end
    if o.extend_existing then return extend(existing, columns, explicit, o) end
    if #columns + #explicit == 0 and not o.autoload_with then return existing end
    util.fail("InvalidRequestError", "table '%s' is already defined for this MetaData. Give {extend_existing = true} to add to it "
      .. "or {keep_existing = true} to take it as it is", existing.fullname)
  end
  if o.must_exist then util.fail("InvalidRequestError", "table '%s' is not defined (must_exist)", text) end
  sort_columns(columns)
  local tab = new_table(text, quote, metadata, schema, quote_schema, o, dialect)
  events._attach("before_parent_attach", tab, metadata)
  publish(tab, o.autoload_with and {} or columns, o.autoload_with and {} or explicit)
  for i, l in ipairs(o.listeners or {}) do
    if not util.is_plain(l) then bad("ag.Table", "option 'listeners', item %d: expected {event, function}", i) end
    require "argent.event".listen(tab, l[1], l[2])
  end
  return or_forget(tab, complete, tab, columns, explicit, o)
end

-- ── methods ──────────────────────────────────────────────────────────────────────────────────────────────────────────

local attributes = core.schema_attributes.Table
for _, key in ipairs{"schema", "comment", "autoincrement_column", "primary_key", "name"} do attributes[key] = true end

require "argent.schema.kwargs".add(attributes, function(tab)
  local data = core.schema_data(tab)
  return data._options, data._given
end)

--- The table's foreign key constraints, in their order.
attributes.foreign_key_constraints = function(tab)
  local out = {}
  for _, c in ipairs(core.schema_data(tab).constraints) do
    if getmetatable(c) == constraints._ForeignKeyConstraint then out[#out + 1] = c end
  end
  return out
end

local methods = check.methods("Table")

--- Put a column of the table at another place.
local function move_column(tab, c, index)
  local columns = core.schema_data(tab).c
  local names, from = getmetatable(columns)._names, nil
  for i, key in ipairs(names) do from = key == core.schema_data(c).key and i or from end
  core.schema_move_column(tab, c, index)
  table.insert(names, index, table.remove(names, from))
  for i = math.min(from, index), math.max(from, index) do rawset(columns, i, rawget(columns, names[i])) end
end

--- Add a column; `replace_existing`: in place of one with its key.
local function append_column(func, self, c, opts)
  local o = util.options(func, opts, {replace_existing = "boolean"})
  if core.kind_of(c) ~= "Column" then bad(func, "expected a column, got %s", core.describe(c)) end
  add_column(self, c, o.replace_existing)
  local d = core.schema_data(c)
  attach_column_items(self, c, d)
  if d._primary_key then renew_key(self, {c}) end
  settle(self, {c})
  core.schema_data(self).autoincrement_column = core.schema_finish(self)
end
methods.append_column = function(self, c, opts) append_column("Table:append_column", self, c, opts) end

--- Add a column at a place, counted from 1.
methods.insert_column = function(self, c, index, opts)
  local n = #self.c + 1
  if math.type(index) ~= "integer" or index < 1 or index > n then
    bad("Table:insert_column", "expected a place from 1 to %d, got %s", n, core.describe(index))
  end
  append_column("Table:insert_column", self, c, opts)
  move_column(self, c, math.min(index, #self.c))
end

--- Add a constraint.
methods.append_constraint = function(self, c)
  local class = util.class_of(c)
  if not class or not class.is_constraint then
    bad("Table:append_constraint", "expected a constraint, got %s", core.describe(c))
  end
  M._append(self, c)
end

--- This table is created after the other and dropped before it, as if a foreign key referred to it.
methods.add_is_dependent_on = function(self, other)
  if core.kind_of(other) ~= "Table" then bad("Table:add_is_dependent_on", "expected a Table, got %s", core.describe(other)) end
  core.schema_depend(self, other)
end

--- A copy of the table in another MetaData: under another schema (ag.BLANK_SCHEMA: none) or name where they are given. The schema
--- of foreign keys to tables of the same schema follows; `referred_schema_fn(table, schema, constraint, referred_schema)` decides
--- for each.
methods.to_metadata = function(self, metadata, opts)
  return require "argent.schema.copy".table(self, metadata, opts)
end

return M

--- ag.Column: what a column says of itself. It gets its place and its SQL node when a Table takes it.
local core = require "argent.core"
local check = require "argent.check"
local events = require "argent.schema.events"
local items = require "argent.schema.items"
local util = require "argent.schema.util"

local M = {}
local bad = util.bad

local options = {
  name = true, type = "type", primary_key = "boolean", nullable = "boolean", unique = true, index = true, default = true,
  insert_default = true, onupdate = true, server_default = true, server_onupdate = true, autoincrement = true, key = "string",
  quote = "boolean", comment = "string", info = "table", doc = "string", system = "boolean", sort_order = "number",
  insert_sentinel = "boolean",
}
M._options = options

-- ── defaults ─────────────────────────────────────────────────────────────────────────────────────────────────────────

--- A function that takes a parameter gets the execution's context.
local function takes_context(fn)
  if type(fn) ~= "function" then return true end
  local info = debug.getinfo(fn, "u")
  return info.nparams > 0 or info.isvararg
end

--- What the core is told of default= and onupdate=.
local function read_default(func, option, value)
  if value == nil then return nil end
  if items._Sequence.is(value) then return {kind = "sequence", object = value} end
  if core.schema_is_expression(value) then
    local kind = core.kind_of(value)
    if kind == "Select" or kind == "CompoundSelect" then value = value:scalar_subquery() end
    return {kind = "sql", node = value}
  end
  if type(value) == "function" then return {kind = "callable", fn = value, context = takes_context(value)} end
  if check.meta_field(value, "__call") then
    return {kind = "callable", fn = function(...) return value(...) end, context = true}
  end
  local kind = core.kind_of(value)
  if items._Identity.is(value) or items._Computed.is(value) or items._FetchedValue.is(value) or items._DefaultClause.is(value) then
    bad(func, "option '%s': a %s is a server default", option, getmetatable(value).class_name)
  end
  if kind and not ({date = 1, time = 1, datetime = 1, interval = 1, decimal = 1})[kind] then
    bad(func, "option '%s': expected a value, a function or an expression, got %s", option, core.describe(value))
  end
  return {kind = "scalar", value = value}
end

local function read_server_default(func, option, value)
  if value == nil then return nil end
  local for_update = option == "server_onupdate"
  if type(value) == "string" then return {kind = "text", node = core.literal(value), for_update = for_update} end
  if items._DefaultClause.is(value) then
    local d = read_server_default(func, option, value.arg)
    d.for_update = d.for_update or value.for_update
    return d
  end
  if items._FetchedValue.is(value) then return {kind = "fetched", for_update = for_update or value.for_update} end
  if items._Computed.is(value) then
    return {kind = "computed", node = value.sqltext, persisted = value.persisted, for_update = true}
  end
  if items._Identity.is(value) then return {kind = "identity"} end
  if core.schema_is_expression(value) then return {kind = "expr", node = value, for_update = for_update} end
  return bad(func, "option '%s': expected a string, an expression, ag.FetchedValue, ag.Computed or ag.Identity, got %s",
    option, core.describe(value))
end

-- ── arguments ────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Name, type and the other items among the positional arguments.
local function read_arguments(func, args)
  local name, quote, type_
  local i, rest = 1, {}
  if i <= args.n and (args[i] == nil or util.read_name(args[i])) then
    name, quote = util.read_name(args[i])
    i = i + 1
  end
  if i <= args.n and (args[i] == nil or core.kind_of(args[i]) == "type") then
    type_ = args[i]
    i = i + 1
  end
  for k = i, args.n do
    local item = args[k]
    if core.kind_of(item) == "type" then bad(func, "a second type: %s", tostring(item)) end
    if not util.class_of(item) then
      bad(func, "argument %d: expected a type, ag.ForeignKey, ag.Sequence, ag.Identity, ag.Computed or a constraint, got %s", k,
        core.describe(item))
    end
    rest[#rest + 1] = item
  end
  return name, quote, type_, rest
end

local function read_key(data, o)
  if o.key == "" then bad("ag.Column", "option 'key' is empty") end
  data.key = o.key or data.name
  local auto = o.autoincrement
  if auto ~= nil and type(auto) ~= "boolean" and auto ~= "auto" and auto ~= "ignore_fk" then
    bad("ag.Column", "option 'autoincrement': expected true, false, \"auto\" or \"ignore_fk\", got %s", core.describe(auto))
  end
  data.autoincrement = auto == nil and "auto" or auto
  data._primary_key = o.primary_key or false
  data._nullable = o.nullable == nil and not data._primary_key or o.nullable or false
  for _, key in ipairs{"unique", "index"} do
    if o[key] ~= nil and type(o[key]) ~= "boolean" then
      bad("ag.Column", "option '%s': expected true or false (a name is given by ag.%s), got %s", key,
        key == "index" and "Index" or "UniqueConstraint", core.describe(o[key]))
    end
    data[key] = o[key]
  end
end

--- Sort the items: foreign keys, constraints, what is really a default.
local function read_items(data, rest)
  for _, item in ipairs(rest) do
    local class = getmetatable(item)
    if class == items._ForeignKey then
      if item.parent or item._held then
        bad("ag.Column", "this ForeignKey belongs to column '%s' already", tostring(item.parent or item._held))
      end
      item._held = data.name or "?"
      data.foreign_keys[#data.foreign_keys + 1] = item
    elseif class == items._Sequence then
      if data.default ~= nil then bad("ag.Column", "a Sequence and a default") end
      data.default = item
    elseif class == items._ColumnDefault then
      local field = item.for_update and "onupdate" or "default"
      if data[field] ~= nil then bad("ag.Column", "a ColumnDefault and option '%s'", field) end
      data[field] = item.arg
    elseif class == items._Identity or class == items._Computed or class == items._FetchedValue or class == items._DefaultClause then
      local field = (class == items._FetchedValue or class == items._DefaultClause) and item.for_update and "server_onupdate"
        or "server_default"
      if data[field] ~= nil then
        bad("ag.Column", "a %s and a server default: only one of them can be", class.class_name)
      end
      data[field] = item
      if class == items._Identity then data.identity = item end
      if class == items._Computed then data.computed = item end
    elseif class.is_constraint then
      data.constraints[#data.constraints + 1] = item
    else
      bad("ag.Column", "a %s cannot be part of a column", class.class_name or tostring(class.__name))
    end
  end
end

--- What cannot stand beside Identity and Computed.
local function check_generated(data)
  local what = data.identity and "Identity" or data.computed and "Computed"
  if not what then return end
  if data.server_onupdate ~= nil then bad("ag.Column", "option 'server_onupdate' beside %s: the database gives the value", what) end
  if data.identity and items._Sequence.is(data.default) then bad("ag.Column", "an Identity and a Sequence: only one of them can be") end
  if data.identity and data.autoincrement == false then bad("ag.Column", "an Identity, and autoincrement = false") end
end

--- Tell the listeners of the type, of foreign keys and of defaults that they have a column.
local function attach_items(c, data, rest, later)
  local list = {}
  for _, item in ipairs(rest) do
    if not getmetatable(item).is_constraint then list[#list + 1] = item end
  end
  if data._type and not later then table.insert(list, 1, data._type) end
  for _, item in ipairs(list) do
    events._attach("before_parent_attach", item, c)
    events._attach("after_parent_attach", item, c)
  end
  return c
end

--- A column, for ag.Table (or a model's table).
---
---     ag.Column("email", ag.String(120), {unique = true, nullable = false})
---     ag.Column("author_id", ag.ForeignKey("users.id", {ondelete = "CASCADE"}), {index = true})
---@param ... any name, type, then ForeignKey, Sequence, Identity, Computed, CheckConstraint …, then an options table
---@return argent.Column
function M.Column(...)
  local args, opts = util.arguments(...)
  local o, dialect = util.options("ag.Column", opts, options, "Column")
  local name, quote, type_, rest = read_arguments("ag.Column", args)
  if o.name ~= nil then
    if name then bad("ag.Column", "the name is given twice") end
    name, quote = util.opt_name("ag.Column", "name", o.name)
  end
  if o.type and type_ then bad("ag.Column", "the type is given twice") end
  local data = {name = name, _type = type_ or o.type, foreign_keys = {}, constraints = {}, info = o.info or {}, doc = o.doc,
    comment = o.comment, system = o.system or false, default = o.default, insert_default = o.insert_default,
    onupdate = o.onupdate, server_default = o.server_default, server_onupdate = o.server_onupdate, sort_order = o.sort_order,
    insert_sentinel = o.insert_sentinel or false, _options = dialect, quote = o.quote}
  if name == "" then bad("ag.Column", "the name is empty") end
  if quote ~= nil then data.quote = quote end
  if o.default ~= nil and o.insert_default ~= nil then bad("ag.Column", "options 'default' and 'insert_default' mean the same") end
  if data.default == nil then data.default = o.insert_default end
  if o.server_default ~= nil and type(o.server_default) == "table" then
    if items._Identity.is(o.server_default) then data.identity = o.server_default end
    if items._Computed.is(o.server_default) then data.computed = o.server_default end
  end
  for _, field in ipairs{"default", "onupdate"} do
    if items._ColumnDefault.is(data[field]) then data[field] = data[field].arg end
  end
  read_key(data, o)
  read_items(data, rest)
  check_generated(data)
  if data.identity and o.nullable == nil then data._nullable = false end
  if data.computed and (data.default ~= nil or data.onupdate ~= nil) then bad("ag.Column", "a Computed column has no default") end
  data._default = read_default("ag.Column", "default", data.default)
  data._onupdate = read_default("ag.Column", "onupdate", data.onupdate)
  data._server_default = read_server_default("ag.Column", "server_default", data.server_default)
  data._server_onupdate = read_server_default("ag.Column", "server_onupdate", data.server_onupdate)
  data._given, data._nullable_given = o, o.nullable
  if name then data._clause = core.column(data.quote ~= nil and items.quoted_name(name, data.quote) or name, data._type) end
  return attach_items(core.schema_column(data, data._clause), data, rest)
end

--- The column that SQLAlchemy calls insert_sentinel(): it tells the rows of a batched INSERT apart.
---@param name? string
---@param type_? argent.Type
---@param opts? {default?: any, omit_from_statements?: boolean}
---@return argent.Column
function M.insert_sentinel(name, type_, opts)
  local o = util.options("ag.insert_sentinel", opts, {default = true, omit_from_statements = "boolean"})
  local c = M.Column(name, type_ or core.Integer, {default = o.default, insert_sentinel = true})
  local data = core.schema_data(c)
  if o.default == nil then data._default = {kind = "sentinel"} end
  data._omitted = o.omit_from_statements ~= false
  return c
end

--- What the core is told of a column.
---@private
function M._spec(column, replace)
  local d = core.schema_data(column)
  return {name = d.name, key = d.key, type = d._type, quote = d.quote, primary_key = d._primary_key, nullable = d._nullable,
    unique = d.unique, system = d.system, insert_sentinel = d.insert_sentinel, omitted = d._omitted, autoincrement = d.autoincrement,
    default = d._default, onupdate = d._onupdate, server_default = d._server_default, server_onupdate = d._server_onupdate,
    identity = d.identity, comment = d.comment, options = d._options, replace = replace}
end

--- A column like this one, without a table: for mixins and to_metadata (which takes foreign keys and constraints from the table).
---@private
function M._copy(column, bare)
  local d = core.schema_data(column)
  local o = {}
  for key, value in pairs(d._given) do o[key] = value end
  o.name, o.type, o.info = nil, nil, util.clone(d.info)
  for _, key in ipairs{"default", "insert_default", "server_default", "server_onupdate", "onupdate"} do
    if items._Sequence.is(o[key]) then o[key] = o[key]:copy() end
  end
  local args = {d.name and util.name(d.name, d.quote), d._type}
  local n = 2
  local function add(item)
    n = n + 1
    args[n] = item:copy()
  end
  for _, fk in ipairs(bare and {} or d.foreign_keys) do
    if not fk._of_constraint then add(fk) end
  end
  for _, c in ipairs(bare and {} or d.constraints) do add(c) end
  if d.identity and not o.server_default then add(d.identity) end
  if d.computed and not o.server_default then add(d.computed) end
  if items._Sequence.is(d.default) and o.default == nil and o.insert_default == nil then add(d.default) end
  for _, field in ipairs{"default", "onupdate"} do
    if o[field] == nil and (field ~= "default" or o.insert_default == nil) and not items._Sequence.is(d[field]) then o[field] = d[field] end
  end
  for _, field in ipairs{"server_default", "server_onupdate"} do
    if o[field] == nil and (items._FetchedValue.is(d[field]) or items._DefaultClause.is(d[field])) then add(d[field]) end
  end
  args[n + 1] = o
  local copy = M.Column(table.unpack(args, 1, n + 1))
  core.schema_data(copy)._primary_key = d._primary_key
  if d._default and d._default.kind == "sentinel" then core.schema_data(copy)._default = d._default end
  core.schema_data(copy)._omitted = d._omitted
  events._propagate(column, copy)
  return copy
end

local attributes = core.schema_attributes.Column
for _, key in ipairs{"name", "key", "table", "unique", "index", "default", "insert_default", "onupdate", "server_default",
  "server_onupdate", "doc", "comment", "identity", "computed", "sort_order", "quote"} do
  attributes[key] = true
end

require "argent.schema.kwargs".add(attributes, function(column)
  local data = core.schema_data(column)
  return data._options, data._given
end)

local methods = check.methods("Column")

--- A copy without a table.
methods.copy = function(self) return M._copy(self) end

--- Add a foreign key to the column, and its constraint to the table that the column has.
methods.append_foreign_key = function(self, fk)
  if not items._ForeignKey.is(fk) then bad("Column:append_foreign_key", "expected an ag.ForeignKey, got %s", core.describe(fk)) end
  local data = core.schema_data(self)
  read_items(data, {fk})
  attach_items(self, data, {fk}, true)
  if data.table then
    require "argent.schema.table"._append(data.table, require "argent.schema.constraints"._of_column(fk, self))
  end
end

--- Does one of its foreign keys refer to this column?
methods.references = function(self, column)
  if not core.schema_is_expression(column) then bad("Column:references", "expected a column, got %s", core.describe(column)) end
  for _, fk in ipairs(self.foreign_keys) do
    if fk.column == column then return true end
  end
  return false
end

return M

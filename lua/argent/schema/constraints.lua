--- Constraints and indexes. Each is a plain object; a Table attaches it: finds its columns, names it, hands it to the core.
local core = require "argent.core"
local events = require "argent.schema.events"
local items = require "argent.schema.items"
local kwargs = require "argent.schema.kwargs"
local naming = require "argent.schema.naming"
local util = require "argent.schema.util"

local M = {}
local bad = util.bad

local shared = {"name", "table", "columns", "deferrable", "initially", "info", "comment"}

local function class(name, prefix, attributes)
  local list = {table.unpack(shared)}
  for _, a in ipairs(attributes or {}) do list[#list + 1] = a end
  local c = util.class(name, list)
  c.is_constraint, c.prefix = true, prefix
  c.methods.copy = function(self) return self._copy(self) end
  --- Is the column one of its own?
  c.methods.contains_column = function(self, column)
    if core.kind_of(column) ~= "Column" then bad(name .. ":contains_column", "expected a column, got %s", core.describe(column)) end
    for _, own in ipairs(self.columns) do
      if own == column then return true end
    end
    return false
  end
  kwargs.of_class(c)
  return c
end

local base_options = {name = true, deferrable = "boolean", initially = "string", info = "table", comment = "string"}

local function with(more)
  local out = {}
  for k, v in pairs(base_options) do out[k] = v end
  for k, v in pairs(more) do out[k] = v end
  return out
end

--- The fields that all constraints have.
local function start(cls, func, o, dialect)
  local name, quote, conv = util.opt_name(func, "name", o.name)
  items.check_initially(func, o)
  return cls.new{name = name, _given_name = name, _quote = quote, _conv = conv, _prefix = cls.prefix, deferrable = o.deferrable,
    initially = o.initially, info = o.info or {}, comment = o.comment, _options = dialect, columns = {}, _given = o}
end

-- ── columns by name ──────────────────────────────────────────────────────────────────────────────────────────────────

--- Names or columns, as arguments or one list.
local function read_columns(func, args, first)
  local list = {}
  if args.n == first and util.is_plain(args[first]) then
    for i, v in ipairs(args[first]) do list[i] = v end
  else
    for i = first, args.n do list[#list + 1] = args[i] end
  end
  for i, v in ipairs(list) do
    local text = util.read_name(v)
    if text then list[i] = text
    elseif core.kind_of(v) ~= "Column" then
      bad(func, "argument %d: expected a column or its name, got %s", i, core.describe(v))
    end
  end
  return list
end

--- The column of `tab` with this key or name; raises with a hint.
local function find_column(func, tab, what)
  if core.kind_of(what) == "Column" then
    if what.table ~= tab then
      bad(func, "column '%s' does not belong to table '%s'", tostring(what.table and what or what.name), tab.name)
    end
    return what
  end
  local c = rawget(tab.c, what)
  if c then return c end
  local names = {}
  for _, column in ipairs(tab.c) do
    if column.name == what then return column end
    names[#names + 1] = column.key
  end
  local near = core.nearest(what, names)
  return util.fail("ConstraintColumnNotFoundError", "%s: table '%s' has no column '%s'%s", func, tab.name, what,
    near and ("; did you mean '%s'?"):format(near) or "")
end
M._find_column = find_column

local function find_columns(func, tab, list)
  local out = {}
  for i, what in ipairs(list) do out[i] = find_column(func, tab, what) end
  return out
end

--- What is made from columns goes to their table: at once, or when the last of its columns has one. With names among them it
--- waits for nobody.
local function auto_attach(object, list)
  local tab, bare, named = nil, {}, false
  local function look(item)
    if type(item) == "string" then
      named = true
    elseif core.kind_of(item) ~= "Column" then
      for _, c in ipairs(core.schema_is_expression(item) and core.schema_columns_of(item) or {}) do look(c) end
    elseif item.table then
      tab = tab or item.table
    else
      bare[#bare + 1] = item
    end
  end
  for _, item in ipairs(list) do look(item) end
  if #bare > 0 and not named then
    object._bare = bare
    for _, c in ipairs(bare) do
      local d = core.schema_data(c)
      d._waiting = d._waiting or {}
      d._waiting[#d._waiting + 1] = object
    end
  elseif tab then
    require "argent.schema.table"._append(tab, object)
  end
  return object
end

-- ── attaching ────────────────────────────────────────────────────────────────────────────────────────────────────────

--- The options, with the columns of `include` (given by key or as columns) as columns, since a column knows how it is quoted.
local function dialect_options(func, options, tab)
  local out = {}
  for i, o in ipairs(options) do
    out[i] = o
    if o.name == "include" then
      local copy = {dialect = o.dialect, name = o.name, pairs = {}}
      for k, item in ipairs(o.pairs) do
        copy.pairs[k] = item.value and {node = find_column(func, tab, item.value)} or item
      end
      out[i] = copy
    end
  end
  return out
end

--- Give the constraint to the core. `spec` holds what its kind adds.
local function add(self, tab, spec)
  self.table = tab
  self._naming_columns = self.columns
  self.name, spec.generated = naming.apply(self, tab)
  spec.name, spec.quote, spec.columns = self.name, self._quote, self.columns
  spec.deferrable, spec.initially, spec.comment, spec.options = self.deferrable, self.initially, self.comment,
    dialect_options("ag." .. getmetatable(self).class_name, self._options, tab)
  self._handle = core.schema_add_constraint(tab, self, spec)
end

-- ── primary key, unique ──────────────────────────────────────────────────────────────────────────────────────────────

local PrimaryKey = class("PrimaryKeyConstraint", "pk", {"implicit"})
M._PrimaryKey = PrimaryKey

--- The primary key of a table, when it needs a name or an order of its own.
---@param ... any columns or their names, then options
---@return argent.Constraint
function M.PrimaryKeyConstraint(...)
  local args, opts = util.arguments(...)
  local o, dialect = util.options("ag.PrimaryKeyConstraint", opts, with{implicit_returning = "boolean"}, "PrimaryKeyConstraint")
  local self = start(PrimaryKey, "ag.PrimaryKeyConstraint", o, dialect)
  self._list = read_columns("ag.PrimaryKeyConstraint", args, 1)
  self._copy = function() return M._again(M.PrimaryKeyConstraint, self) end
  return auto_attach(self, self._list)
end
function PrimaryKey.attach(self, tab)
  self.columns = find_columns("ag.PrimaryKeyConstraint", tab, self._list)
  if #self.columns == 0 then
    for _, c in ipairs(tab.c) do
      if c.primary_key then self.columns[#self.columns + 1] = c end
    end
  end
  self.table = tab
  if #self.columns == 0 then return end
  add(self, tab, {kind = "PRIMARY KEY", implicit = self._implicit})
end

local Unique = class("UniqueConstraint", "uq")
M._Unique = Unique

--- A UNIQUE constraint.
---
---     ag.UniqueConstraint("owner", "name", {name = "uq_owner_name"})
---@param ... any columns or their names, then options
---@return argent.Constraint
function M.UniqueConstraint(...)
  local args, opts = util.arguments(...)
  local o, dialect = util.options("ag.UniqueConstraint", opts, base_options, "UniqueConstraint")
  local self = start(Unique, "ag.UniqueConstraint", o, dialect)
  self._list = read_columns("ag.UniqueConstraint", args, 1)
  if #self._list == 0 then bad("ag.UniqueConstraint", "expected at least one column") end
  self._copy = function() return M._again(M.UniqueConstraint, self) end
  return auto_attach(self, self._list)
end
function Unique.attach(self, tab)
  self.columns = find_columns("ag.UniqueConstraint", tab, self._list)
  add(self, tab, {kind = "UNIQUE", implicit = self._implicit})
end

--- The same constraint, its columns by key.
---@private
function M._again(make, self)
  local list = {}
  for i, c in ipairs(self._list) do list[i] = core.kind_of(c) == "Column" and c.key or c end
  return make(list, self._given)
end

-- ── foreign keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

local ForeignKey = class("ForeignKeyConstraint", "fk", {"elements", "ondelete", "onupdate", "match", "use_alter",
  "link_to_name"})
M._ForeignKeyConstraint = ForeignKey
function ForeignKey.getters.referred_table(self) return self.elements[1].column.table end
function ForeignKey.getters.column_keys(self)
  local out = {}
  for i, c in ipairs(self._list) do out[i] = core.kind_of(c) == "Column" and c.key or c end
  return out
end

--- The columns are different ones, and what they refer to is one table, as far as the texts tell.
local function check_targets(func, list, elements)
  local seen, first = {}, nil
  for i, c in ipairs(list) do
    local key = core.kind_of(c) == "Column" and c.key or c
    if seen[key] then bad(func, "column '%s' is given twice", tostring(key)) end
    seen[key] = true
    local target = elements[i]._absolute or elements[i]._target -- the database's may hold dots
    local other = type(target) == "string" and target:match("^(.+)%.[^.]+$") or type(target) ~= "string" and target.table or nil
    first = first or other
    if other and type(other) == type(first) and other ~= first then
      bad(func, "it refers to two tables: '%s' and '%s'", tostring(first), tostring(other))
    end
  end
end

--- A foreign key of several columns, or one with a name.
---
---     ag.ForeignKeyConstraint({"order_id", "line"}, {"lines.order_id", "lines.line"}, {ondelete = "CASCADE"})
---@param columns table columns or their names
---@param refcolumns table "table.column" texts or columns, as many
---@param options? table the options of ag.ForeignKey
---@return argent.Constraint
function M.ForeignKeyConstraint(columns, refcolumns, options)
  local func = "ag.ForeignKeyConstraint"
  local o, dialect = util.options(func, options, items.fk_options, "ForeignKeyConstraint")
  if not util.is_plain(columns) or not util.is_plain(refcolumns) then
    bad(func, "expected two lists: columns and what they refer to")
  end
  if #columns ~= #refcolumns or #columns == 0 then
    bad(func, "%d columns and %d referred columns: expected as many of both, at least one", #columns, #refcolumns)
  end
  items.check_fk_options(func, o)
  local self = start(ForeignKey, func, o, dialect)
  self._list = read_columns(func, {n = 1, columns}, 1)
  self.elements = {}
  for i, target in ipairs(refcolumns) do
    self.elements[i] = items.ForeignKey(target, {link_to_name = o.link_to_name, ondelete = o.ondelete, onupdate = o.onupdate,
      match = o.match, deferrable = o.deferrable, initially = o.initially, use_alter = o.use_alter})
    self.elements[i]._of_constraint = true
  end
  check_targets(func, self._list, self.elements)
  self.ondelete, self.onupdate, self.match, self.use_alter = o.ondelete, o.onupdate, o.match, o.use_alter or false
  self._copy = function()
    local keys, targets = {}, {}
    for i, c in ipairs(self._list) do
      keys[i] = core.kind_of(c) == "Column" and c.key or c
      targets[i] = self.elements[i]:_again()
    end
    return M.ForeignKeyConstraint(keys, targets, self._given)
  end
  return auto_attach(self, self._list)
end

--- The constraint of a ForeignKey that stands in a column.
---@private
function M._of_column(fk, column)
  local o = fk._given or {}
  local self = start(ForeignKey, "ag.ForeignKey", o, fk._options)
  self._list, self.elements, self._from_column = {column}, {fk}, true
  self.ondelete, self.onupdate, self.match, self.use_alter = fk.ondelete, fk.onupdate, fk.match, fk.use_alter or false
  return self
end

--- A target for the core. Columns of other tables must have one by now.
local function fk_spec(column, fk)
  local target = fk._target
  local spec = {column = column, link_to_name = fk.link_to_name, absolute = fk._absolute ~= nil}
  if type(target) == "string" then
    spec.spec = target
  elseif target.table then
    spec.target, spec.spec = target, fk.target_fullname
  else
    bad("ag.ForeignKey", "the column '%s' it refers to belongs to no table", tostring(target.name))
  end
  return spec
end

function ForeignKey.attach(self, tab)
  self.columns = find_columns("ag.ForeignKeyConstraint", tab, self._list)
  local fks, data = {}, core.schema_data(tab)
  for i, column in ipairs(self.columns) do
    local fk = self.elements[i]
    fks[i] = fk_spec(column, fk)
    if not self._from_column then events._attach("before_parent_attach", fk, column) end
    fk.parent, fk.constraint, fk._position = column, self, i
    data.foreign_keys[#data.foreign_keys + 1] = fk
    if not self._from_column then
      table.insert(column.foreign_keys, fk)
      events._attach("after_parent_attach", fk, column)
    end
  end
  add(self, tab, {kind = "FOREIGN KEY", fks = fks, ondelete = self.ondelete, onupdate = self.onupdate, match = self.match,
    use_alter = self.use_alter})
end

-- ── check ────────────────────────────────────────────────────────────────────────────────────────────────────────────

local Check = class("CheckConstraint", "ck", {"sqltext"})
M._Check = Check

--- A CHECK constraint: SQL text or an expression over the table's columns.
---
---     ag.CheckConstraint("age >= 0", {name = "age_positive"})
---@param sqltext string|argent.Expression
---@param options? {name?: string, deferrable?: boolean, initially?: string, info?: table, comment?: string}
---@return argent.Constraint
function M.CheckConstraint(sqltext, options)
  local o, dialect = util.options("ag.CheckConstraint", options, base_options, "CheckConstraint")
  local self = start(Check, "ag.CheckConstraint", o, dialect)
  self.sqltext = items._expression("ag.CheckConstraint", sqltext)
  self._copy = function() return M.CheckConstraint(self.sqltext, self._given) end
  local columns = core.schema_columns_of(self.sqltext)
  for _, c in ipairs(columns) do
    if c.table ~= columns[1].table then return self end -- of two tables: neither is the one
  end
  return auto_attach(self, columns)
end
function Check.attach(self, tab)
  self.columns = {}
  self.table = tab
  self._naming_columns = core.schema_columns_of(self.sqltext)
  if #self._naming_columns == 0 and self._column then self._naming_columns = {self._column} end
  local spec = {kind = "CHECK", sqltext = self.sqltext, type_column = self._type_column, type_index = self._type_index,
    comment = self.comment,
    column = not self._type_bound and self._column or nil,
    options = self._options, deferrable = self.deferrable, initially = self.initially, quote = self._quote}
  self.name, spec.generated = naming.apply(self, tab)
  spec.name = self.name
  self._handle = core.schema_add_constraint(tab, self, spec)
end

--- The CHECK of a column that is, on some dialect, a Boolean or Enum with create_constraint: `t`, of that index in the column's type.
---@private
function M._of_type(column, t, index)
  local values = t.enums or {false, true}
  local self = start(Check, "ag.CheckConstraint", {name = t.name ~= "" and t.name or nil}, {})
  self.sqltext = (column.type == t and column or core.type_coerce(column, t)):in_(values)
  self._type_bound, self._type_column, self._column, self._type_index = true, column, column, index
  return self
end

-- ── exclude (PostgreSQL) ─────────────────────────────────────────────────────────────────────────────────────────────

local Exclude = class("ExcludeConstraint", "ex", {"where", "using"})
M._Exclude = Exclude

--- PostgreSQL's EXCLUDE: no two rows for which all the operators are true.
---
---     pg.ExcludeConstraint({"room", "="}, {"during", "&&"}, {using = "gist"})
---@param ... any pairs {column or expression, operator}, then options
---@return argent.Constraint
function M.ExcludeConstraint(...)
  local func = "pg.ExcludeConstraint"
  local args, opts = util.arguments(...)
  local o = util.options(func, opts, with{using = "string", where = true, ops = "table"})
  local self = start(Exclude, func, o, {})
  self._elements = {}
  for i = 1, args.n do
    local e = args[i]
    if not util.is_plain(e) or e[1] == nil or type(e[2]) ~= "string" then
      bad(func, "argument %d: expected {column, operator}, got %s", i, core.describe(e))
    end
    self._elements[i] = {e[1], e[2]}
  end
  if #self._elements == 0 then bad(func, "expected at least one pair {column, operator}") end
  self.using = o.using or "gist"
  self.where = o.where ~= nil and items._expression(func, o.where) or nil
  self._copy = function()
    local list = {}
    for i, e in ipairs(self._elements) do list[i] = {core.kind_of(e[1]) == "Column" and e[1].key or e[1], e[2]} end
    list[#list + 1] = self._given
    return M.ExcludeConstraint(table.unpack(list))
  end
  local columns = {}
  for i, e in ipairs(self._elements) do columns[i] = e[1] end
  return auto_attach(self, columns)
end
function Exclude.attach(self, tab)
  local elements = {}
  for i, e in ipairs(self._elements) do
    local node = e[1]
    if type(node) == "string" then node = find_column("pg.ExcludeConstraint", tab, node) end
    if core.kind_of(node) ~= "Column" and not core.schema_is_expression(node) then
      bad("pg.ExcludeConstraint", "element %d: expected a column or an expression, got %s", i, core.describe(node))
    end
    if core.kind_of(node) == "Column" then self.columns[#self.columns + 1] = node end
    elements[i] = {node = node, op = e[2]}
  end
  self._options = {{dialect = "postgresql", name = "using", value = self.using}}
  if self.where then self._options[2] = {dialect = "postgresql", name = "where", node = self.where} end
  if self._given.ops then
    local _, list = util.options("pg.ExcludeConstraint", {postgresql_ops = self._given.ops}, {}, "Index")
    table.insert(self._options, list[1])
  end
  add(self, tab, {kind = "EXCLUDE", elements = elements})
end

-- ── indexes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

local Index = util.class("Index", {"name", "table", "columns", "expressions", "unique", "info"})
kwargs.of_class(Index)
Index.is_index = true
M._Index = Index

local function index_items(args)
  local list = {}
  if args.n == 2 and util.is_plain(args[2]) then
    for i, v in ipairs(args[2]) do list[i] = v end
  else
    for i = 2, args.n do list[#list + 1] = args[i] end
  end
  for i, v in ipairs(list) do
    local text = util.read_name(v)
    if text then
      list[i] = text
    elseif core.kind_of(v) ~= "Column" and not core.schema_is_expression(v) then
      bad("ag.Index", "item %d: expected a column, its name or an expression, got %s", i, core.describe(v))
    end
  end
  return list
end

--- An index. Items are columns, their names, or expressions (`users.c.name:desc()`, `ag.func.lower(users.c.name)`).
---
---     ag.Index("ix_users_age", "age", {unique = true, postgresql_where = users.c.age:gt(18)})
---@param name? string nil: by the naming convention
---@param ... any items, then options
---@return argent.Index
function M.Index(name, ...)
  local args, opts = util.arguments(name, ...)
  local o, dialect = util.options("ag.Index", opts, {unique = "boolean", quote = "boolean", info = "table"}, "Index")
  local text, quote, conv = util.read_name(args[1])
  if args[1] ~= nil and (not text or text == "") then
    bad("ag.Index", "expected the index's name (or nil), got %s", core.describe(args[1]))
  end
  if quote == nil then quote = o.quote end
  local self = Index.new{name = text, _given_name = text, _quote = quote, _conv = conv, _prefix = "ix", unique = o.unique or false,
    info = o.info or {}, _options = dialect, columns = {}, expressions = {}, _given = o}
  self._list = index_items(args)
  if #self._list == 0 then bad("ag.Index", "expected at least one column or expression") end
  return auto_attach(self, self._list)
end

function Index.attach(self, tab)
  local seen = {}
  for i, item in ipairs(self._list) do
    if type(item) == "string" then item = find_column("ag.Index", tab, item) end
    self.expressions[i] = item
    for _, c in ipairs(core.kind_of(item) == "Column" and {find_column("ag.Index", tab, item)} or core.schema_columns_of(item)) do
      if not seen[c] then self.columns[#self.columns + 1] = c end
      seen[c] = true
    end
  end
  self.table = tab
  self._naming_columns = self.columns
  local name, generated = naming.apply(self, tab)
  self.name = name
  self._handle = core.schema_add_index(tab, self, {name = name, generated = generated, quote = self._quote, unique = self.unique,
    exprs = self.expressions, options = dialect_options("ag.Index", self._options, tab)})
end

function Index.methods.copy(self)
  local list = {}
  for i, item in ipairs(self._list) do list[i] = core.kind_of(item) == "Column" and item.key or item end
  return M.Index(self._given_name and util.name(self._given_name, self._quote, self._conv), list, self._given)
end

return M

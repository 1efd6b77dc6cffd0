--- What stands beside columns: foreign keys, sequences, identity and computed columns, server defaults, names. Plain objects
--- that a Column or a Table reads when it is made.
local core = require "argent.core"
local util = require "argent.schema.util"

local M = {}
local bad = util.bad

--- A name that is always (`true`) or never (`false`) quoted.
---
---     ag.Column(ag.quoted_name("Name", true), ag.Text)
---@param name string
---@param quote boolean|table? also {quote = …}
---@return argent.quoted_name
function M.quoted_name(name, quote)
  if util.is_plain(quote) then quote = util.options("ag.quoted_name", quote, {quote = "boolean"}).quote end
  if type(name) ~= "string" or name == "" then bad("ag.quoted_name", "expected a name, got %s", core.describe(name)) end
  if quote ~= nil and type(quote) ~= "boolean" then bad("ag.quoted_name", "expected true, false or nil for quote") end
  return util.name(name, quote)
end

--- A constraint's name to which no naming convention is applied any more.
---@param name string
---@return argent.quoted_name
function M.conv(name)
  if type(name) ~= "string" or name == "" then bad("ag.conv", "expected a name, got %s", core.describe(name)) end
  return util.name(name, nil, true)
end

-- ── foreign keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

---@class argent.ForeignKeyOptions
---@field name? string
---@field ondelete? string CASCADE, SET NULL, SET DEFAULT, RESTRICT or NO ACTION
---@field onupdate? string the same
---@field deferrable? boolean
---@field initially? "DEFERRED"|"IMMEDIATE"
---@field match? "FULL"|"PARTIAL"|"SIMPLE"
---@field use_alter? boolean added by ALTER after the tables
---@field link_to_name? boolean the target's column is given by name, not by key
---@field info? table
---@field comment? string
M.fk_options = {ondelete = "string", onupdate = "string", deferrable = "boolean", initially = "string", match = "string",
  use_alter = "boolean", link_to_name = "boolean", name = true, info = "table", comment = "string", sort_order = "number"}

local actions = {CASCADE = true, ["SET NULL"] = true, ["SET DEFAULT"] = true, RESTRICT = true, ["NO ACTION"] = true}

--- Check the options that a ForeignKey and a ForeignKeyConstraint share.
---@private
function M.check_fk_options(func, o)
  for _, key in ipairs{"ondelete", "onupdate"} do
    local action = o[key]
    if action and not actions[action:upper()] and not action:upper():match("^SET %u+%s*%(") then
      bad(func, "option '%s': expected CASCADE, SET NULL, SET DEFAULT, RESTRICT or NO ACTION, got %q", key, action)
    end
  end
  M.check_initially(func, o)
  if o.match and not ({FULL = true, PARTIAL = true, SIMPLE = true})[o.match:upper()] then
    bad(func, "option 'match': expected FULL, PARTIAL or SIMPLE, got %q", o.match)
  end
end

---@private
function M.check_initially(func, o)
  if o.initially and not ({DEFERRED = true, IMMEDIATE = true})[o.initially:upper()] then
    bad(func, "option 'initially': expected DEFERRED or IMMEDIATE, got %q", o.initially)
  end
end

local ForeignKey = util.class("ForeignKey", {"parent", "constraint", "name", "ondelete", "onupdate", "deferrable", "initially",
  "match", "use_alter", "link_to_name", "info", "comment"})
M._ForeignKey = ForeignKey
require "argent.schema.kwargs".of_class(ForeignKey)

--- "schema.table.column" of a target.
local function target_text(target)
  if core.kind_of(target) ~= "Column" then return target end
  local t = target.table
  return t and (t.fullname .. "." .. target.key) or tostring(target.name)
end
M._target_text = target_text

local Target = {}

--- A target that the database told of: its names may hold any character, and without a schema it is in none.
---@private
function M._target(schema, tab, name)
  return setmetatable({text = (schema and schema .. "." or "") .. tab .. "." .. name, schema = schema, table = tab, column = name}, Target)
end

--- Check a target: text with a dot, a column, or a mapped attribute's column.
local function read_target(func, target)
  if core.kind_of(target) == "Column" then return target end
  if getmetatable(target) == Target then return target.text end
  local column = core.schema_is_expression(target) and core.schema_columns_of(target)[1] -- a mapped attribute
  if column then return column end
  if type(target) ~= "string" then bad(func, "expected \"table.column\" or a column, got %s", core.describe(target)) end
  if target:find("^%.") or target:find("%.$") or target:find("..", 1, true) or target == "" then
    bad(func, "expected \"table.column\", got %q", target)
  end
  return target
end
M._read_target = read_target

--- A reference to another table's column; the type of the referring column is taken from there when it has none.
---
---     ag.Column("user_id", ag.ForeignKey("users.id", {ondelete = "CASCADE"}))
---@param target string|argent.Column "table.column", "schema.table.column", "table" (the column of the same name), or the column
---@param options? argent.ForeignKeyOptions
---@return argent.ForeignKey
function M.ForeignKey(target, options)
  local o, list = util.options("ag.ForeignKey", options, M.fk_options, "ForeignKeyConstraint")
  M.check_fk_options("ag.ForeignKey", o)
  util.opt_name("ag.ForeignKey", "name", o.name)
  local fk = {_target = read_target("ag.ForeignKey", target), _options = list, _given = options, info = o.info or {},
    _absolute = getmetatable(target) == Target and target or nil}
  for key in pairs(M.fk_options) do
    if key ~= "info" then fk[key] = o[key] end
  end
  return ForeignKey.new(fk)
end

function ForeignKey.getters.target_fullname(self) return target_text(self._target) end
--- The column it refers to, found when it is asked for.
function ForeignKey.getters.column(self)
  if not self.constraint then util.fail("InvalidRequestError", "this ForeignKey belongs to no table yet") end
  return core.schema_fk_target(self.constraint._handle, self._position)
end
--- Does it refer to a column of this table?
function ForeignKey.methods.references(self, tab) return self.column.table == tab end
--- The column of `tab` that it refers to, or nil.
function ForeignKey.methods.get_referent(self, tab)
  local column = self.column
  return column.table == tab and column or nil
end
--- What another ForeignKey to the same column is made with.
---@private
function ForeignKey.methods._again(self)
  return self._absolute or self._target
end
function ForeignKey.methods.copy(self)
  local copy = M.ForeignKey(self:_again(), self._given)
  copy.info = util.clone(self.info)
  return copy
end

-- ── sequences, identity ──────────────────────────────────────────────────────────────────────────────────────────────

---@class argent.NumberingOptions
---@field start? integer
---@field increment? integer
---@field minvalue? integer
---@field maxvalue? integer
---@field nominvalue? boolean
---@field nomaxvalue? boolean
---@field cycle? boolean
---@field cache? integer
---@field order? boolean

---@class argent.SequenceOptions: argent.NumberingOptions
---@field schema? string
---@field optional? boolean only where the database cannot number a key by itself
---@field quote? boolean
---@field metadata? argent.MetaData whose create_all creates it
---@field data_type? argent.Type

---@class argent.IdentityOptions: argent.NumberingOptions
---@field always? boolean ALWAYS instead of BY DEFAULT
---@field on_null? boolean

local numbering = {start = "number", increment = "number", minvalue = "number", maxvalue = "number", nominvalue = "boolean",
  nomaxvalue = "boolean", cycle = "boolean", cache = "number", order = "boolean"}

local function with(base, more)
  local out = {}
  for k, v in pairs(base) do out[k] = v end
  for k, v in pairs(more) do out[k] = v end
  return out
end

local function read_numbering(func, o)
  local out = {}
  for key, want in pairs(numbering) do
    local value = o[key]
    if value ~= nil and want == "number" and math.type(value) ~= "integer" then
      bad(func, "option '%s': expected an integer, got %s", key, core.describe(value))
    end
    out[key] = value
  end
  if out.increment == 0 then bad(func, "option 'increment' must not be 0") end
  return out
end

local Sequence = util.class("Sequence", {"name", "schema", "metadata", "column", "data_type", "optional", "info", "start",
  "increment", "minvalue", "maxvalue", "nominvalue", "nomaxvalue", "cycle", "cache", "order"})
M._Sequence = Sequence
local sequence_options = with(numbering, {schema = true, optional = "boolean", quote = "boolean", quote_schema = "boolean",
  metadata = "MetaData", data_type = "type", info = "table"})

--- A named sequence; as a column's default it numbers its rows, `:next_value()` is an expression.
---
---     local seq = ag.Sequence("order_no", {start = 1000, metadata = metadata})
---@param name string
---@param options? argent.SequenceOptions
---@return argent.Sequence
function M.Sequence(name, options)
  local o = util.options("ag.Sequence", options, sequence_options)
  local text, quote = util.read_name(name)
  if not text or text == "" then bad("ag.Sequence", "expected a name, got %s", core.describe(name)) end
  local schema, quote_schema = util.opt_name("ag.Sequence", "schema", o.schema)
  local s = Sequence.new(read_numbering("ag.Sequence", o))
  s.name, s.schema, s.optional, s.data_type, s.info = text, schema, o.optional or false, o.data_type, o.info or {}
  s._quote, s._quote_schema = o.quote, quote_schema
  if o.quote_schema ~= nil then s._quote_schema = o.quote_schema end
  if quote ~= nil then s._quote = quote end
  s._given = options
  if o.metadata then M._attach_sequence(s, o.metadata) end
  return s
end

--- Make the sequence a member of a MetaData: create_all creates it.
---@private
function M._attach_sequence(s, metadata)
  if rawget(s, "_handle") then return end
  local data = core.schema_data(metadata)
  if not s.schema then s.schema, s._quote_schema = data.schema, data._quote_schema end
  s.metadata = metadata
  s._handle = core.schema_sequence(metadata, s, {name = s.name, schema = s.schema, quote = s._quote,
    quote_schema = s._quote_schema, optional = s.optional,
    type = s.data_type, start = s.start, increment = s.increment, minvalue = s.minvalue, maxvalue = s.maxvalue,
    nominvalue = s.nominvalue, nomaxvalue = s.nomaxvalue, cycle = s.cycle, cache = s.cache, order = s.order})
  data._sequences[#data._sequences + 1] = s
end

--- The expression that takes the sequence's next number.
function Sequence.methods.next_value(self)
  if not rawget(self, "_handle") then M._attach_sequence(self, require "argent.schema.metadata".MetaData()) end
  return core.schema_next_value(self._handle)
end
--- conn:scalar(sequence): its next number.
function Sequence.__executable(self) return self:next_value() end
function Sequence.methods.copy(self)
  return M.Sequence(util.name(self.name, self._quote), self._given)
end

local Identity = util.class("Identity", {"column", "always", "on_null", "start", "increment", "minvalue", "maxvalue",
  "nominvalue", "nomaxvalue", "cycle", "cache", "order"})
M._Identity = Identity

--- `GENERATED {ALWAYS | BY DEFAULT} AS IDENTITY`.
---@param options? argent.IdentityOptions
---@return argent.Identity
function M.Identity(options)
  local o = util.options("ag.Identity", options, with(numbering, {always = "boolean", on_null = "boolean"}))
  local i = Identity.new(read_numbering("ag.Identity", o))
  i.always, i.on_null, i._given = o.always or false, o.on_null, options
  return i
end
function Identity.methods.copy(self) return M.Identity(self._given) end

-- ── computed columns and server defaults ─────────────────────────────────────────────────────────────────────────────

--- Text or an expression as a node.
local function expression(func, value)
  if type(value) == "string" then return core.text(value) end
  if core.schema_is_expression(value) then return value end
  return bad(func, "expected SQL text or an expression, got %s", core.describe(value))
end
M._expression = expression

local Computed = util.class("Computed", {"column", "sqltext", "persisted"})
M._Computed = Computed

--- A column that the database computes: `GENERATED ALWAYS AS (sqltext)`.
---
---     ag.Column("area", ag.Integer, ag.Computed("width * height", {persisted = true}))
---@param sqltext string|argent.Expression
---@param options? {persisted?: boolean} true: STORED; false: VIRTUAL; nil: as the database does it
---@return argent.Computed
function M.Computed(sqltext, options)
  local o = util.options("ag.Computed", options, {persisted = "boolean"})
  return Computed.new{sqltext = expression("ag.Computed", sqltext), persisted = o.persisted, _given = options}
end
function Computed.methods.copy(self) return M.Computed(self.sqltext, self._given) end

local FetchedValue = util.class("FetchedValue", {"for_update", "column"})
M._FetchedValue = FetchedValue

--- Marks a column whose value a trigger sets: it is read back after an INSERT (or, with for_update, an UPDATE).
---@param for_update? boolean
---@return argent.FetchedValue
function M.FetchedValue(for_update)
  if for_update ~= nil and type(for_update) ~= "boolean" then
    bad("ag.FetchedValue", "expected true or false, got %s", core.describe(for_update))
  end
  return FetchedValue.new{for_update = for_update or false}
end
function FetchedValue.methods.copy(self) return self end

local DefaultClause = util.class("DefaultClause", {"arg", "for_update", "column"})
M._DefaultClause = DefaultClause

--- A `DEFAULT` clause; `server_default = x` makes one. A string is a literal, `ag.text` is SQL.
---@param arg string|argent.Expression
---@param options? {for_update?: boolean}
---@return argent.DefaultClause
function M.DefaultClause(arg, options)
  local o = util.options("ag.DefaultClause", options, {for_update = "boolean"})
  if type(arg) ~= "string" and not core.schema_is_expression(arg) then
    bad("ag.DefaultClause", "expected a string or an expression, got %s", core.describe(arg))
  end
  return DefaultClause.new{arg = arg, for_update = o.for_update or false}
end
function DefaultClause.methods.copy(self) return self end

local ColumnDefault = util.class("ColumnDefault", {"arg", "for_update", "column"})
M._ColumnDefault = ColumnDefault
function ColumnDefault.getters.is_callable(self)
  return type(self.arg) == "function" or (type(self.arg) == "table" and rawget(getmetatable(self.arg) or {}, "__call") ~= nil)
end
function ColumnDefault.getters.is_clause_element(self) return core.schema_is_expression(self.arg) end
function ColumnDefault.getters.is_scalar(self) return not self.is_callable and not self.is_clause_element end

--- A default as an argument of a column: `ag.Column("n", ag.Integer, ag.ColumnDefault(50))` is `{default = 50}`, with for_update
--- it is `{onupdate = 50}`.
---@param arg any a value, a function or an expression
---@param options? {for_update?: boolean}
---@return argent.ColumnDefault
function M.ColumnDefault(arg, options)
  local o = util.options("ag.ColumnDefault", options, {for_update = "boolean"})
  if arg == nil or type(arg) == "thread" then
    bad("ag.ColumnDefault", "expected a value, a function or an expression, got %s", core.describe(arg))
  end
  if util.class_of(arg) then bad("ag.ColumnDefault", "a %s is a default itself", util.class_of(arg).class_name) end
  return ColumnDefault.new{arg = arg, for_update = o.for_update or false}
end
function ColumnDefault.methods.copy(self) return self end

return M

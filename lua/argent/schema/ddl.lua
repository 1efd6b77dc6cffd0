--- DDL elements that can be executed or compiled: ag.CreateTable(t) … and ag.DDL(text).
local core = require "argent.core"
local constraints = require "argent.schema.constraints"
local items = require "argent.schema.items"
local util = require "argent.schema.util"

local M = {}
local bad = util.bad

--- The flags of the core's constructors.
local function flags(func, options, letters)
  local known = {}
  for key in pairs(letters) do known[key] = "boolean" end
  local o, out = util.options(func, options, known), ""
  for key, letter in pairs(letters) do
    if o[key] then out = out .. letter end
  end
  return out
end

local function check_kind(func, value, kind)
  if core.kind_of(value) ~= kind then bad(func, "expected a %s, got %s", kind, core.describe(value)) end
  return value
end

--- The core's handle of a constraint, index or sequence that belongs to a table or MetaData.
local function handle(func, object, matches, what)
  local class = util.class_of(object)
  if not class or not matches(class) then bad(func, "expected %s, got %s", what, core.describe(object)) end
  if not rawget(object, "_handle") and object.table then bad(func, "table '%s' has no primary key", object.table.fullname) end
  if not rawget(object, "_handle") then bad(func, "this %s belongs to no table or MetaData", class.class_name) end
  return object._handle
end

local function is_index(class) return class.is_index end
local function is_constraint(class) return class.is_constraint end
local function is_sequence(class) return class == items._Sequence end

--- Handles of the constraints that are not written into CREATE TABLE: those of `list`, and those that stand for themselves.
---@private
function M._skipped(tab, list)
  local out = {}
  for _, c in ipairs(tab.constraints) do
    if c._isolated and c._handle then out[#out + 1] = c._handle end
  end
  for _, c in ipairs(list or {}) do
    if c.table == tab and c._handle then out[#out + 1] = c._handle end
  end
  return out
end

--- `CREATE TABLE`. `include_foreign_key_constraints`: only these foreign keys are written inline.
---@param tab argent.Table
---@param options? {if_not_exists?: boolean, include_foreign_key_constraints?: table}
---@return argent.DDLElement
function M.CreateTable(tab, options)
  check_kind("ag.CreateTable", tab, "Table")
  local o = util.options("ag.CreateTable", options, {if_not_exists = "boolean", include_foreign_key_constraints = "table"})
  local skip = {}
  if o.include_foreign_key_constraints then
    local keep = {}
    for _, c in ipairs(o.include_foreign_key_constraints) do keep[c] = true end
    for _, c in ipairs(tab.constraints) do
      if getmetatable(c) == constraints._ForeignKeyConstraint and not keep[c] then skip[#skip + 1] = c end
    end
  end
  return core.ddl_create_table(tab, M._skipped(tab, skip), o.if_not_exists and "i" or "")
end

--- One column as `CREATE TABLE` writes it, for hooks of `ag.compiles(ag.CreateColumn, …)`.
---@param column argent.Column
---@return argent.DDLElement
function M.CreateColumn(column)
  return core.ddl_create_column(check_kind("ag.CreateColumn", column, "Column"))
end

--- `DROP TABLE`.
---@param tab argent.Table
---@param options? {if_exists?: boolean, cascade?: boolean}
---@return argent.DDLElement
function M.DropTable(tab, options)
  check_kind("ag.DropTable", tab, "Table")
  return core.ddl_drop_table(tab, flags("ag.DropTable", options, {if_exists = "i", cascade = "c"}))
end

--- `CREATE INDEX`.
---@param index argent.Index
---@param options? {if_not_exists?: boolean}
---@return argent.DDLElement
function M.CreateIndex(index, options)
  return core.ddl_create_index(handle("ag.CreateIndex", index, is_index, "an Index"),
    flags("ag.CreateIndex", options, {if_not_exists = "i"}))
end

--- `DROP INDEX`.
---@param index argent.Index
---@param options? {if_exists?: boolean}
---@return argent.DDLElement
function M.DropIndex(index, options)
  return core.ddl_drop_index(handle("ag.DropIndex", index, is_index, "an Index"),
    flags("ag.DropIndex", options, {if_exists = "i"}))
end

--- `ALTER TABLE … ADD CONSTRAINT`. From then on CREATE TABLE leaves the constraint out, unless `isolate_from_table = false`.
---@param constraint argent.Constraint
---@param options? {isolate_from_table?: boolean}
---@return argent.DDLElement
function M.AddConstraint(constraint, options)
  local o = util.options("ag.AddConstraint", options, {isolate_from_table = "boolean"})
  local element = core.ddl_add_constraint(handle("ag.AddConstraint", constraint, is_constraint, "a constraint"), "")
  if o.isolate_from_table ~= false then constraint._isolated = true end
  return element
end

--- `ALTER TABLE … DROP CONSTRAINT`. The constraint needs a name. From then on CREATE TABLE leaves it out, unless
--- `isolate_from_table = false`.
---@param constraint argent.Constraint
---@param options? {if_exists?: boolean, cascade?: boolean, isolate_from_table?: boolean}
---@return argent.DDLElement
function M.DropConstraint(constraint, options)
  local o = util.options("ag.DropConstraint", options, {if_exists = "boolean", cascade = "boolean", isolate_from_table = "boolean"})
  local element = core.ddl_drop_constraint(handle("ag.DropConstraint", constraint, is_constraint, "a constraint"),
    (o.if_exists and "i" or "") .. (o.cascade and "c" or ""))
  if o.isolate_from_table ~= false then constraint._isolated = true end
  return element
end

--- Name and the letter of its quotes.
local function schema_name(func, name)
  local text, quote = util.read_name(name)
  if not text or text == "" then bad(func, "expected the schema's name, got %s", core.describe(name)) end
  return text, quote == nil and "" or quote and "q" or "u"
end

--- `CREATE SCHEMA`.
---@param name string
---@param options? {if_not_exists?: boolean}
---@return argent.DDLElement
function M.CreateSchema(name, options)
  local text, quote = schema_name("ag.CreateSchema", name)
  return core.ddl_create_schema(text, quote .. flags("ag.CreateSchema", options, {if_not_exists = "i"}))
end

--- `DROP SCHEMA`.
---@param name string
---@param options? {if_exists?: boolean, cascade?: boolean}
---@return argent.DDLElement
function M.DropSchema(name, options)
  local text, quote = schema_name("ag.DropSchema", name)
  return core.ddl_drop_schema(text, quote .. flags("ag.DropSchema", options, {if_exists = "i", cascade = "c"}))
end

local function sequence_handle(func, sequence)
  if items._Sequence.is(sequence) and not rawget(sequence, "_handle") then
    items._attach_sequence(sequence, require "argent.schema.metadata".MetaData())
  end
  return handle(func, sequence, is_sequence, "a Sequence")
end

--- `CREATE SEQUENCE`.
---@param sequence argent.Sequence
---@param options? {if_not_exists?: boolean}
---@return argent.DDLElement
function M.CreateSequence(sequence, options)
  return core.ddl_create_sequence(sequence_handle("ag.CreateSequence", sequence),
    flags("ag.CreateSequence", options, {if_not_exists = "i"}))
end

--- `DROP SEQUENCE`.
---@param sequence argent.Sequence
---@param options? {if_exists?: boolean}
---@return argent.DDLElement
function M.DropSequence(sequence, options)
  return core.ddl_drop_sequence(sequence_handle("ag.DropSequence", sequence),
    flags("ag.DropSequence", options, {if_exists = "i"}))
end

local function named_type(func, t)
  if core.kind_of(t) ~= "type" or not t.name or not ({Enum = 1, DOMAIN = 1})[t.class_name] then
    bad(func, "expected an Enum or DOMAIN with a name, got %s", core.describe(t))
  end
  return t
end

--- `CREATE TYPE … AS ENUM`, `CREATE DOMAIN` (PostgreSQL). A domain's check is an expression or text over VALUE.
---@param t argent.Type
---@param options? {schema?: string, default?: any, check?: any, constraint_name?: string, not_null?: boolean}
---@return argent.DDLElement
function M.CreateType(t, options)
  local func = "pg.CreateType"
  named_type(func, t)
  local o = util.options(func, options, {schema = "string", default = true, check = true, constraint_name = "string",
    not_null = "boolean"})
  local extra = {constraint_name = o.constraint_name}
  if o.check ~= nil then extra.check = items._expression(func, o.check) end
  if o.default ~= nil then
    extra.default = core.schema_is_expression(o.default) and o.default or core.literal(o.default)
  end
  return core.ddl_create_type(t, o.schema or t.schema, extra, o.not_null and "n" or "")
end

--- `DROP TYPE`, `DROP DOMAIN` (PostgreSQL).
---@param t argent.Type
---@param options? {schema?: string, if_exists?: boolean, cascade?: boolean}
---@return argent.DDLElement
function M.DropType(t, options)
  local o = util.options("pg.DropType", options, {schema = "string", if_exists = "boolean", cascade = "boolean"})
  return core.ddl_drop_type(named_type("pg.DropType", t), o.schema or t.schema,
    (o.if_exists and "i" or "") .. (o.cascade and "c" or ""))
end

-- ── comments ─────────────────────────────────────────────────────────────────────────────────────────────────────────

--- `COMMENT ON TABLE`: the table's comment.
---@param tab argent.Table
---@return argent.DDLElement
function M.SetTableComment(tab)
  return core.ddl_comment(check_kind("ag.SetTableComment", tab, "Table"), tab.comment)
end

--- Remove the table's comment.
---@param tab argent.Table
---@return argent.DDLElement
function M.DropTableComment(tab)
  return core.ddl_comment(check_kind("ag.DropTableComment", tab, "Table"), nil)
end

--- `COMMENT ON COLUMN`: the column's comment.
---@param column argent.Column
---@return argent.DDLElement
function M.SetColumnComment(column)
  return core.ddl_comment(check_kind("ag.SetColumnComment", column, "Column"), column.comment)
end

--- Remove the column's comment.
---@param column argent.Column
---@return argent.DDLElement
function M.DropColumnComment(column)
  return core.ddl_comment(check_kind("ag.DropColumnComment", column, "Column"), nil)
end

--- A constraint without a name cannot be spoken of.
local function named_constraint(func, constraint)
  local h = handle(func, constraint, is_constraint, "a constraint")
  if not constraint.name then
    util.fail("CompileError", "%s: the constraint of table '%s' has no name", func, constraint.table.name)
  end
  return h
end

--- `COMMENT ON CONSTRAINT`: the constraint's comment.
---@param constraint argent.Constraint
---@return argent.DDLElement
function M.SetConstraintComment(constraint)
  return core.ddl_comment(named_constraint("ag.SetConstraintComment", constraint), constraint.comment)
end

--- Remove the constraint's comment.
---@param constraint argent.Constraint
---@return argent.DDLElement
function M.DropConstraintComment(constraint)
  return core.ddl_comment(named_constraint("ag.DropConstraintComment", constraint), nil)
end

-- ── conditions and text ──────────────────────────────────────────────────────────────────────────────────────────────

local condition_options = {dialect = true, callable_ = "function", state = true}

--- Check the options of ddl_if and execute_if.
local function read_condition(func, options)
  local o = util.options(func, options, condition_options)
  if o.dialect ~= nil and type(o.dialect) ~= "string" and not util.is_plain(o.dialect) then
    bad(func, "option 'dialect': expected a name or a list of names, got %s", core.describe(o.dialect))
  end
  return o
end
M._read_condition = read_condition

--- Does a condition hold? bind: the connection.
---@private
function M._holds(o, element, target, bind, context)
  if not o then return true end
  local names = type(o.dialect) == "string" and {o.dialect} or o.dialect
  if names then
    local found = false
    for _, name in ipairs(names) do found = found or name == bind.engine.name end
    if not found then return false end
  end
  return not o.callable_ or not not o.callable_(element, target, bind, o.state, context)
end

--- The condition of a constraint's ddl_if holds for CREATE TABLE compiled by itself, too.
---@private
function M._restrict(constraint)
  local o = constraint._ddl_if
  if not o then return end
  local names = type(o.dialect) == "string" and {o.dialect} or o.dialect or {}
  core.schema_only_dialects(constraint._handle, names, o.callable_ ~= nil)
end

--- Asked by the compiler of CREATE TABLE, where there is no connection. The function must not execute anything.
---@private
function M._wanted(constraint, dialect)
  local o = constraint._ddl_if
  return not o.callable_ or not not o.callable_(constraint, constraint, nil, o.state, {dialect = dialect})
end

--- Constraints and indexes are created only where the condition holds: `constraint:ddl_if{dialect = "postgresql"}`.
for _, class in ipairs{constraints._Unique, constraints._Check, constraints._ForeignKeyConstraint, constraints._PrimaryKey,
  constraints._Index, constraints._Exclude} do
  class.methods.ddl_if = function(self, options)
    self._ddl_if = read_condition(class.class_name .. ":ddl_if", options)
    if class.is_constraint and rawget(self, "_handle") then M._restrict(self) end
    return self
  end
end

--- What ag.DDL was made from, by element.
local texts = setmetatable({}, {__mode = "k"})

--- Names that a listener's target gives: they stay while there is none.
local of_target = {table = true, schema = true, fullname = true}

--- The text with its names replaced (quoted where the dialect must), and `%%` by `%`.
local function render(spec, target, dialect)
  local values = {}
  if core.kind_of(target) == "Table" then
    local function quote(name) return core.quote_name(dialect, name) end
    values.table, values.schema = quote(target.name), target.schema and quote(target.schema) or ""
    values.fullname = target.schema and values.schema .. "." .. values.table or values.table
  end
  for key, value in pairs(spec.context) do values[key] = tostring(value) end
  return (spec.text:gsub("%%(%%?)(%(?)([%w_]*)(%)?s?)", function(double, open, name, close)
    if double ~= "" then return "%" .. open .. name .. close end
    if open == "" or close ~= ")s" then return nil end
    if values[name] == nil and (target or not of_target[name]) then
      util.fail("ArgumentError", "ag.DDL: no value for '%%(%s)s' (a percent sign is written as %%%%)", name)
    end
    return values[name]
  end))
end

--- SQL text. `%(name)s` is replaced by what `context` has under the name and, when it is a listener of `after_create` and its like,
--- `%(table)s`, `%(schema)s`, `%(fullname)s` by the table's names, quoted where they must be; `%%` stands for a percent sign.
---
---     conn:execute(ag.DDL("VACUUM"))
---     ag.event.listen(users, "after_create", ag.DDL("GRANT SELECT ON %(fullname)s TO app"):execute_if{dialect = "postgresql"})
---@param text string
---@param options? {context?: table}
---@return argent.DDLElement
function M.DDL(text, options)
  if type(text) ~= "string" or text == "" then bad("ag.DDL", "expected SQL text, got %s", core.describe(text)) end
  local o = util.options("ag.DDL", options, {context = "table"})
  local spec = {text = text, context = o.context or {}}
  local element = core.ddl_text(render(spec))
  texts[element] = spec
  return element
end

local Element = core.methods("DDL element")

--- A copy of an ag.DDL that is executed, as a listener, only where the condition holds.
---@param options {dialect?: string|string[], callable_?: function, state?: any}
---@return argent.DDLElement
function Element:execute_if(options)
  local spec = texts[self]
  if not spec then bad("DDL:execute_if", "only an ag.DDL listens to events") end
  local copy = core.ddl_text(render(spec))
  texts[copy] = {text = spec.text, context = spec.context, condition = read_condition("DDL:execute_if", options)}
  return copy
end

--- As a listener: (target, connection, context).
---@private
function Element:_call(target, bind, context)
  local spec = texts[self]
  if not spec then bad("DDL element", "only an ag.DDL can be called, as a listener") end
  if core.kind_of(bind) ~= "Connection" and not require "argent.mock"._is(bind) then
    bad("DDL element", "is called as a listener, with a target and a Connection; got %s", core.describe(bind))
  end
  if M._holds(spec.condition, self, target, bind, context) then bind:execute(core.ddl_text(render(spec, target, bind.dialect.name))) end
end

return M

--- Declarative classes: ag.declarative_base(), Base:model(name, definition). A definition is read once: its columns become a
--- Table, the class a mapper (core.orm_class). Relationships wait for the first use of any class (argent.orm.configure).
local core = require "argent.core"
local check = require "argent.check"
local elements = require "argent.orm.elements"
local registry = require "argent.orm.registry"

local M = {}

local schema -- the public table, for Table, Column, MetaData (late: it requires us)
local function ag()
  schema = schema or require "argent"
  return schema
end

-- ── reading a definition ────────────────────────────────────────────────────────────────────────────────────────────────

local special = {
  __tablename = "string", __table = true, __table_args = "table", __mapper_args = "table", __abstract = "boolean", __mixins = "table",
  __inherits = true, __doc = "string",
}
local metamethods = {
  __tostring = true, __len = true, __concat = true, __eq = true, __lt = true, __le = true, __call = true, __add = true, __sub = true,
  __mul = true, __div = true, __mod = true, __unm = true, __idiv = true, __pow = true,
}

local function check_special(name, key, value)
  local want = special[key]
  if want == nil then
    if metamethods[key] then return end
    check.unknown(("class %s"):format(name), "special key", key, special)
  end
  if want ~= true and type(value) ~= want then
    core.exc_raise("ArgumentError", ("class %s: %s: expected a %s, got %s"):format(name, key, want, core.describe(value)))
  end
end

--- A definition taken apart: special keys, elements sorted by when they were made, members (functions and constants).
local function read_definition(name, definition)
  local out = {special = {}, elements = {}, members = {}}
  for key, value in pairs(definition) do
    if type(key) ~= "string" then
      if elements.kind(value) ~= "validates" then
        core.exc_raise("ArgumentError", ("class %s: the definition has an entry without a name: %s"):format(name, core.describe(value)))
      end
      out.elements[#out.elements + 1] = {key = ("validates %d"):format(value.order), value = value}
    elseif key:sub(1, 2) == "__" then
      check_special(name, key, value)
      out.special[key] = value
    elseif elements.kind(value) or core.kind_of(value) then
      out.elements[#out.elements + 1] = {key = key, value = value}
    else
      out.members[key] = value
    end
  end
  table.sort(out.elements, function(a, b)
    local x, y = a.value.order, b.value.order
    if type(x) == "number" and type(y) == "number" and x ~= y then return x < y end
    if (type(x) == "number") ~= (type(y) == "number") then return type(x) == "number" end
    return a.key < b.key
  end)
  return out
end

--- Mixins (and abstract parents) first, then the class's own: a later entry of a name replaces the earlier one.
local function merge_parts(parts)
  local out = {special = {}, elements = {}, members = {}}
  local at = {}
  for _, part in ipairs(parts) do
    for key, value in pairs(part.special) do out.special[key] = value end
    for key, value in pairs(part.members) do out.members[key] = value end
    for _, item in ipairs(part.elements) do
      if at[item.key] then
        out.elements[at[item.key]] = item
      else
        out.elements[#out.elements + 1] = item
        at[item.key] = #out.elements
      end
    end
  end
  return out
end

-- ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

local function make_column(key, item)
  local value = item.value
  if elements.kind(value) ~= "mapped_column" then return value end -- an ag.Column
  local args = table.pack(table.unpack(value.args, 1, value.args.n))
  local options = {}
  for name, option in pairs(value.options) do options[name] = option end
  if value.name and value.name ~= key then options.key = options.key or nil end
  args.n = args.n + 1
  args[args.n] = options
  return ag().Column(value.name or key, table.unpack(args, 1, args.n))
end

--- The columns of a definition in order, with sort_order.
local function column_items(def)
  local list = {}
  for i, item in ipairs(def.elements) do
    local kind = elements.kind(item.value)
    if kind == "mapped_column" or core.kind_of(item.value) == "Column" then
      list[#list + 1] = {key = item.key, value = item.value, at = i, sort = kind and item.value.own.sort_order or 0}
    end
  end
  table.sort(list, function(a, b)
    if a.sort ~= b.sort then return a.sort < b.sort end
    return a.at < b.at
  end)
  return list
end

local function table_arguments(name, def, columns)
  local args = {}
  for _, column in ipairs(columns) do args[#args + 1] = column.made end
  for key, value in pairs(def.special.__table_args or {}) do
    if type(key) == "number" then
      if type(value) == "table" and getmetatable(value) == nil then
        for option, setting in pairs(value) do args[option] = setting end -- SQLAlchemy's trailing dict
      end
    else
      args[key] = value
    end
  end
  for _, value in ipairs(def.special.__table_args or {}) do
    if type(value) ~= "table" or getmetatable(value) ~= nil then args[#args + 1] = value end
  end
  if #columns == 0 then core.exc_raise("ArgumentError", ("class %s has a __tablename but no columns"):format(name)) end
  return args
end

--- The class's own table: a new one, the one given, or nil (single inheritance).
local function make_table(base, name, def, columns)
  if def.special.__table ~= nil then
    local given = def.special.__table
    if core.kind_of(given) ~= "Table" then
      core.exc_raise("ArgumentError", ("class %s: __table: expected a Table, got %s"):format(name, core.describe(given)))
    end
    return given
  end
  if def.special.__tablename == nil then return nil end
  for _, column in ipairs(columns) do column.made = make_column(column.key, column) end
  return ag().Table(def.special.__tablename, base.metadata, table_arguments(name, def, columns))
end

-- ── attributes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Number of a deferred group of one registry.
local function group_number(reg, group)
  if not group then return nil end
  reg.groups = reg.groups or {n = 0}
  if not reg.groups[group] then
    reg.groups.n = reg.groups.n + 1
    reg.groups[group] = reg.groups.n
  end
  return reg.groups[group]
end

local function slot_of(reg, key, own, fields)
  own = own or {}
  fields.key = key
  fields.deferred = own.deferred
  fields.raise = own.deferred_raiseload
  fields.group = group_number(reg, own.deferred_group)
  fields.active_history = own.active_history
  return fields
end

--- Slots of the class's own columns: those declared, then those of a given table that were not.
local function column_slots(reg, table_, columns, def)
  local slots, seen = {}, {}
  for _, column in ipairs(columns) do
    local col_name = elements.kind(column.value) and column.value.name or column.value.name
    local col = table_.c[elements.kind(column.value) and (column.value.options.key or col_name or column.key) or column.value.key]
    seen[col.name] = true
    slots[#slots + 1] = slot_of(reg, column.key, elements.kind(column.value) and column.value.own, {column = col})
  end
  if def.special.__table then
    local args = def.special.__mapper_args or {}
    local wanted = args.include_properties and {} or nil
    for _, key in ipairs(args.include_properties or {}) do wanted[key] = true end
    local excluded = {}
    for _, key in ipairs(args.exclude_properties or {}) do excluded[key] = true end
    for _, col in ipairs(table_.c) do
      if not seen[col.name] and not excluded[col.key] and (not wanted or wanted[col.key] or col.primary_key) then
        slots[#slots + 1] = slot_of(reg, (args.column_prefix or "") .. col.key, nil, {column = col})
      end
    end
  end
  return slots
end

local mapper_args = {
  primary_key = true, polymorphic_on = true, polymorphic_identity = true, polymorphic_abstract = "boolean", version_id_col = true,
  version_id_generator = true, eager_defaults = true, include_properties = "table", exclude_properties = "table",
  column_prefix = "string", concrete = "boolean", with_polymorphic = true, polymorphic_load = "string",
}

--- A column named in __mapper_args: by attribute name, or itself.
local function named_column(name, slots, parent, value, option)
  if value == nil or core.kind_of(value) then return value end
  if elements.kind(value) then
    for _, slot in ipairs(slots) do
      if slot.element == value then return slot.column end
    end
  end
  if type(value) == "string" then
    for _, slot in ipairs(slots) do
      if slot.key == value then return slot.column end
    end
    local info = parent and core.orm_class_part(parent, "info")
    if info and info.columns[value] then return info.columns[value] end
  end
  local known = {}
  for _, slot in ipairs(slots) do known[#known + 1] = slot.key end
  local near = type(value) == "string" and core.nearest(value, known)
  core.exc_raise("ArgumentError", ("class %s: __mapper_args.%s: there is no column %s%s"):format(name, option, core.describe(value),
    near and ("; did you mean '%s'?"):format(near) or ""))
end

local function mapper_spec(name, def, slots, parent, table_)
  local args = check.options(("class %s: __mapper_args"):format(name), 1, def.special.__mapper_args, mapper_args)
  local spec = {
    name = name, slots = slots, inherits = parent, table = table_, polymorphic_identity = args.polymorphic_identity,
    abstract = args.polymorphic_abstract, eager_defaults = args.eager_defaults == true, version_id_generator = args.version_id_generator,
    polymorphic_on = named_column(name, slots, parent, args.polymorphic_on, "polymorphic_on"),
    version_id_col = named_column(name, slots, parent, args.version_id_col, "version_id_col"),
  }
  if args.primary_key then
    spec.primary_key = {}
    local list = core.kind_of(args.primary_key) and {args.primary_key} or args.primary_key
    for i, key in ipairs(list) do spec.primary_key[i] = named_column(name, slots, parent, key, "primary_key") end
  end
  if parent then spec.how = table_ and "joined" or "single" end
  return spec
end

-- ── the class ───────────────────────────────────────────────────────────────────────────────────────────────────────────

local element_handlers = {}

function element_handlers.relationship(info, _, key, value)
  info.relationships[#info.relationships + 1] = {key = key, element = value}
  info.relationship_by_name[key] = value
end

local function add_descriptor(_, descriptors, key, value) descriptors[key] = value end
element_handlers.hybrid_property = add_descriptor
element_handlers.synonym = add_descriptor
element_handlers.composite = add_descriptor
element_handlers.association_proxy = add_descriptor
element_handlers.hybrid_method = add_descriptor

function element_handlers.validates(info, _, _, value) info.validators[#info.validators + 1] = value end

--- Everything of the definition that is not a column goes where it belongs.
local function place_elements(class, def)
  local info, descriptors, members = core.orm_class_part(class, "info"), core.orm_class_part(class, "descriptors"),
    core.orm_class_part(class, "members")
  for _, item in ipairs(def.elements) do
    local handler = element_handlers[elements.kind(item.value)]
    if handler then handler(info, descriptors, item.key, item.value) end
  end
  for key, value in pairs(def.members) do members[key] = value end
  for key, value in pairs(def.special) do
    if metamethods[key] then class[key] = value end
  end
end

--- A SELECT as an expression is a scalar subquery.
local function as_expression(value)
  local kind = core.kind_of(value)
  if kind == "Select" or kind == "CompoundSelect" then return value:scalar_subquery() end
  return value
end

--- column_property(function(cls) …): the function wants the class's columns before the class exists.
local function expression_slots(reg, def, table_, slots)
  local columns = {}
  for _, slot in ipairs(slots) do columns[slot.key] = slot.column end
  local stand_in = setmetatable({__table = table_}, {__index = function(_, key)
    return columns[key] or (table_ and table_.c[key])
  end})
  for _, item in ipairs(def.elements) do
    local kind = elements.kind(item.value)
    local expression = nil
    if kind == "query_expression" then
      expression = item.value.expression
      if expression == nil then expression = ag().null_() end
    elseif kind == "column_property" then
      expression = item.value.expression
      if type(expression) == "function" then expression = expression(stand_in) end
    elseif not kind and core.kind_of(item.value) ~= "Column" then
      expression = item.value -- an SQL expression as it is
    end
    if expression ~= nil then
      slots[#slots + 1] = slot_of(reg, item.key, kind and item.value.own, {expr = as_expression(expression)})
    end
  end
end

--- declared_attr elements become what their functions give for this class.
local function declare(name, def)
  for _, item in ipairs(def.elements) do
    if elements.kind(item.value) == "declared_attr" then
      local value = item.value.fn{__name = name, __tablename = def.special.__tablename}
      if not elements.kind(value) and not core.kind_of(value) then
        core.exc_raise("ArgumentError", ("class %s: declared_attr '%s' gave %s"):format(name, item.key, core.describe(value)))
      end
      item.value = value
    end
  end
end

local function definition_of(name, definition, parent_parts)
  local parts = {}
  for _, part in ipairs(parent_parts) do parts[#parts + 1] = part end
  for _, mixin in ipairs(definition.__mixins or {}) do
    check.type(("class %s: __mixins"):format(name), 1, mixin, "table")
    parts[#parts + 1] = read_definition(name, mixin)
  end
  parts[#parts + 1] = read_definition(name, definition)
  local def = merge_parts(parts)
  if rawget(definition, "__abstract") == nil then def.special.__abstract = nil end
  declare(name, def)
  return def
end

local function has_column(table_, name)
  for _, column in ipairs(table_.c) do
    if column.name == name then return true end
  end
  return false
end

--- Columns of a single-table subclass join the parent's table.
local function extend_parent_table(parent, columns)
  local table_ = core.orm_class_part(parent, "info").table
  for _, column in ipairs(columns) do
    column.made = make_column(column.key, column)
    local own = elements.kind(column.value) and column.value.own
    if not (own and own.use_existing_column and has_column(table_, column.made.name)) then
      table_:append_column(column.made)
    end
  end
  return table_
end

--- A column with the name of a parent's attribute belongs to that attribute: in joined inheritance Manager.id is manager.id and
--- employee.id. Gives the other slots, and {key → column} of the shared ones.
local function split_shared(slots, parent)
  local known = core.orm_class_part(parent, "info").columns
  local own, shared = {}, {}
  for _, slot in ipairs(slots) do
    if slot.column ~= nil and known[slot.key] ~= nil then
      shared[slot.key] = slot.column
    else
      own[#own + 1] = slot
    end
  end
  return own, shared
end

local function build_class(base, name, def, parent)
  local reg = base.registry
  local columns = column_items(def)
  local table_ = make_table(base, name, def, columns)
  local from = table_
  if not table_ then
    if not parent then
      core.exc_raise("ArgumentError", ("class %s does not have a __table or __tablename specified and does not inherit from an existing "
        .. "table-mapped class"):format(name))
    end
    from = extend_parent_table(parent, columns)
  end
  local slots = column_slots(reg, from, columns, def)
  local shared = {}
  local concrete = parent and (def.special.__mapper_args or {}).concrete and parent or nil
  if concrete then parent = nil end
  if parent then slots, shared = split_shared(slots, parent) end
  expression_slots(reg, def, from, slots)
  local class = core.orm_class(reg.handle, mapper_spec(name, def, slots, parent, table_))
  local info = core.orm_class_part(class, "info")
  local parent_info = parent and core.orm_class_part(parent, "info")
  info.name, info.table, info.registry, info.base, info.parent = name, from, reg, base, parent
  info.concrete_parent = concrete
  if concrete then setmetatable(core.orm_class_part(class, "members"), {__index = core.orm_class_part(concrete, "members")}) end
  info.mapper_args = def.special.__mapper_args or {}
  info.relationships, info.relationship_by_name, info.validators, info.slots = {}, {}, {}, slots
  info.columns = setmetatable({}, parent_info and {__index = parent_info.columns})
  info.expressions = setmetatable({}, parent_info and {__index = parent_info.expressions})
  for _, slot in ipairs(slots) do
    info.columns[slot.key] = slot.column
    info.expressions[slot.key] = slot.expr
  end
  for key, column in pairs(shared) do info.columns[key] = column end
  place_elements(class, def)
  require("argent.orm.attribute_events").register_columns(class, slots)
  reg:add(name, class)
  return class
end

--- The parts that subclasses of an abstract class take over.
local function abstract_class(base, def, parts)
  local inherited = {}
  for _, part in ipairs(parts) do inherited[#inherited + 1] = part end
  def.special.__abstract = nil
  inherited[#inherited + 1] = def
  return setmetatable({registry = base.registry, metadata = base.metadata, parts = inherited}, getmetatable(base))
end

---@class argent.Base
---@field metadata argent.MetaData
---@field registry argent.Registry
local Base = {}
Base.__index = Base
Base.__name = "argent.orm.Base"

local function model(base, name, definition, parent)
  check.type("Base:model", 1, name, "string")
  if not name:match("^[%a_][%w_]*$") then
    check.argument_error("Base:model", 1, ("expected a class name, got %q"):format(name))
  end
  check.type("Base:model", 2, definition, "table")
  local inherits = definition.__inherits
  if inherits ~= nil and core.kind_of(inherits) ~= "Mapper" then
    core.exc_raise("ArgumentError", ("class %s: __inherits: expected a class, got %s"):format(name, core.describe(inherits)))
  end
  local def = definition_of(name, definition, base.parts or {})
  if def.special.__abstract then return abstract_class(base, read_definition(name, definition), base.parts or {}) end
  return build_class(base, name, def, inherits or parent)
end

--- Map a class.
---
---     local User = Base:model("User", {__tablename = "users", id = ag.mapped_column(ag.Integer, {primary_key = true})})
---@param name string
---@param definition table columns, relationships, methods; `__tablename`, `__table`, `__table_args`, `__mapper_args`, `__abstract`, `__mixins`
---@return argent.Class
function Base:model(name, definition)
  return model(self, name, definition, nil)
end

--- Subclass:model(name, definition); called by the C class.
---@param class argent.orm.Class
---@param name string
---@param definition table
function M.subclass(class, name, definition)
  return model(core.orm_class_part(class, "info").base, name, definition, class)
end

--- A base for classes that share a MetaData and a registry of names.
---
---     local Base = ag.declarative_base()
---@param options? {metadata: argent.MetaData?}
---@return argent.Base
function M.declarative_base(options)
  options = check.options("ag.declarative_base", 1, options, {metadata = "MetaData", name = "string", mixins = "table"})
  local metadata = options.metadata or ag().MetaData()
  local base = setmetatable({metadata = metadata, registry = registry.new(metadata)}, Base)
  base.registry.base = base
  if options.mixins then
    base.parts = {}
    for i, mixin in ipairs(options.mixins) do base.parts[i] = read_definition("Base", mixin) end
  end
  return base
end

return M

--- What may stand in a class definition: mapped_column, relationship, column_property, synonym, hybrid_property, validates,
--- composite … Each makes a plain description with a number, by which a definition's keys get back the order in which they were
--- written; argent.orm.declarative reads them.
local core = require "argent.core"
local check = require "argent.check"

local M = {}

local count = 0
local Element = {__name = "argent.orm.Element"}
Element.__index = Element
Element.__tostring = function(self) return self.kind end

local function element(kind, fields)
  count = count + 1
  fields.kind, fields.order = kind, count
  return setmetatable(fields, Element)
end

--- The description's kind ("mapped_column", "relationship" …), nil when the value is none.
---@param value any
function M.kind(value)
  return type(value) == "table" and getmetatable(value) == Element and value.kind or nil
end

-- ── columns ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Options of mapped_column that are the mapper's; all others are ag.Column's.
local mapper_options = {
  deferred = "boolean", deferred_group = "string", deferred_raiseload = "boolean", active_history = "boolean",
  sort_order = "number", use_existing_column = "boolean", insert_default = true,
}

local function split_options(options)
  local own, column = {}, {}
  for key, value in pairs(options) do
    if mapper_options[key] then own[key] = value else column[key] = value end
  end
  if own.deferred_group or own.deferred_raiseload then own.deferred = own.deferred ~= false end
  if own.insert_default ~= nil then column.default = own.insert_default end
  return own, column
end

--- A mapped column: `mapped_column([name,] [type,] [ForeignKey …,] [options])`. The type may be left out beside a foreign key: it is
--- the target's.
---
---     email = ag.mapped_column(ag.String(120), {nullable = false, unique = true})
---@param ... any column name, type, foreign keys and other column arguments, options table
---@return table
function M.mapped_column(...)
  local args = table.pack(...)
  for i = 1, args.n do
    local kind = type(args[i])
    if kind ~= "table" and kind ~= "userdata" and kind ~= "function" and (kind ~= "string" or i > 1) then
      check.argument_error("ag.mapped_column", i, "expected a type, a ForeignKey or options, got " .. core.describe(args[i]))
    end
  end
  local options = {}
  local last = args[args.n]
  if type(last) == "table" and getmetatable(last) == nil then
    options = last
    args.n = args.n - 1
  end
  local own, column = split_options(options)
  local name
  local first = 1
  if type(args[1]) == "string" then
    name = args[1]
    first = 2
  end
  return element("mapped_column", {name = name, args = table.pack(table.unpack(args, first, args.n)), own = own, options = column})
end

--- A column that is not read with the object, but when it is first asked for.
---@param column table a mapped_column
---@param options? {group: string?, raiseload: boolean?}
---@return table
function M.deferred(column, options)
  options = check.options("ag.deferred", 2, options, {group = "string", raiseload = "boolean"})
  if M.kind(column) ~= "mapped_column" and M.kind(column) ~= "column_property" then
    check.argument_error("ag.deferred", 1, "expected a mapped_column or column_property, got " .. core.describe(column))
  end
  column.own.deferred = true
  column.own.deferred_group = options.group
  column.own.deferred_raiseload = options.raiseload
  return column
end

--- An SQL expression, something that is made of one, or a function that gives one: whatever can never be that is refused at once.
local never = {["nil"] = true, thread = true, boolean = true, number = true, string = true}
local function check_expression(func, expression)
  if never[type(expression)] then
    check.argument_error(func, 1, "expected an SQL expression or a function that gives one, got " .. core.describe(expression))
  end
end

--- An attribute that is an SQL expression: it is selected with the object and cannot be assigned.
---
---     fullname = ag.column_property(function(cls) return cls.first .. " " .. cls.last end)
---@param expression any an SQL expression, or a function that gets the class and gives one
---@param options? {deferred: boolean?, group: string?, raiseload: boolean?}
---@return table
function M.column_property(expression, options)
  options = check.options("ag.column_property", 2, options,
    {deferred = "boolean", group = "string", raiseload = "boolean", active_history = "boolean", doc = "string", info = "table"})
  check_expression("ag.column_property", expression)
  return element("column_property", {expression = expression, own = {deferred = options.deferred or options.group ~= nil,
    deferred_group = options.group, deferred_raiseload = options.raiseload}})
end

--- An attribute whose SQL expression is given by each query: `ag.select(User):options(ag.with_expression(User.score, …))`.
---@param default? any the expression of queries that give none; NULL without it
---@return table
function M.query_expression(default)
  if default ~= nil then check_expression("ag.query_expression", default) end
  return element("query_expression", {expression = default, own = {}})
end

-- ── relationships ──────────────────────────────────────────────────────────────────────────────────────────────────────

---@class argent.RelationshipOptions
---@field back_populates? string the attribute on the other class that is the other side
---@field backref? string|table makes the other side: its name, or {name, options}
---@field secondary? argent.Table|string|function the association table of a many-to-many relationship
---@field primaryjoin? any condition, text or function; default: from foreign keys
---@field secondaryjoin? any
---@field foreign_keys? any column, list, text or function: which columns count as foreign keys
---@field remote_side? any columns on the far side, of a self-referential relationship
---@field cascade? string "save-update, merge" (default), "all", "all, delete-orphan" …
---@field order_by? any column, list, text or function
---@field uselist? boolean a collection; default by direction
---@field lazy? string "select", "selectin", "joined", "subquery", "immediate", "raise", "raise_on_sql", "noload", "write_only", "dynamic"
---@field viewonly? boolean
---@field passive_deletes? boolean|"all"
---@field passive_updates? boolean
---@field post_update? boolean
---@field single_parent? boolean
---@field innerjoin? boolean
---@field join_depth? integer
---@field active_history? boolean
---@field collection_class? string|function
---@field overlaps? string
---@field sync_backref? boolean
---@field doc? string
---@field info? table

local relationship_options = {
  back_populates = "string", backref = true, secondary = true, primaryjoin = true, secondaryjoin = true, foreign_keys = true,
  remote_side = true, cascade = "string", order_by = true, uselist = "boolean", lazy = true, viewonly = "boolean",
  passive_deletes = true, passive_updates = "boolean", post_update = "boolean", single_parent = "boolean", innerjoin = "boolean",
  join_depth = "number", active_history = "boolean", collection_class = true, overlaps = "string",
  sync_backref = "boolean", doc = "string", info = "table", omit_join = "boolean",
}

--- A relationship to another class.
---
---     posts = ag.relationship("Post", {back_populates = "author", cascade = "all, delete-orphan", order_by = "Post.id"})
---@param target string|argent.Class|fun(): argent.Class the class, or its name
---@param options? argent.RelationshipOptions
---@return table
function M.relationship(target, options)
  if type(target) ~= "string" and type(target) ~= "function" and core.kind_of(target) ~= "Mapper" then
    check.argument_error("ag.relationship", 1, "expected a class or its name, got " .. core.describe(target))
  end
  options = check.options("ag.relationship", 2, options, relationship_options)
  if options.sync_backref and options.viewonly then
    core.exc_raise("ArgumentError", "ag.relationship: sync_backref and viewonly cannot both be true: nothing is written through a viewonly one")
  end
  if options.sync_backref == false and not options.viewonly then
    core.exc_raise("ArgumentError", "ag.relationship: sync_backref = false is for viewonly relationships; others keep both sides in step")
  end
  if options.backref and options.back_populates then
    core.exc_raise("ArgumentError", "ag.relationship: backref and back_populates exclude each other")
  end
  return element("relationship", {target = target, options = options})
end

--- The other side of a `backref` with options: `backref = ag.backref("children", {cascade = "all"})`.
---@param name string
---@param options? argent.RelationshipOptions
---@return table
function M.backref(name, options)
  check.type("ag.backref", 1, name, "string")
  return {name, check.options("ag.backref", 2, options, relationship_options)}
end

-- ── attributes that are computed ────────────────────────────────────────────────────────────────────────────────────────

--- An attribute that is a function on objects, and an SQL expression on the class.
---
---     domain = ag.hybrid_property(function(self) return self.email:match("@(.+)$") end)
---@param getter fun(self): any called with an object; with the class when there is no `expression`
---@param options? {expression: (fun(cls): any)?, setter: fun(self, value)?, update_expression: function?}
---@return table
function M.hybrid_property(getter, options)
  check.callable("ag.hybrid_property", 1, getter)
  options = check.options("ag.hybrid_property", 2, options,
    {expression = "function", setter = "function", update_expression = "function", comparator = "function"})
  return element("hybrid_property", {getter = getter, expression = options.expression, setter = options.setter})
end

--- A method that works on objects and, with `expression`, on the class.
---@param method fun(self, ...): any
---@param options? {expression: (fun(cls, ...): any)?}
---@return table
function M.hybrid_method(method, options)
  check.callable("ag.hybrid_method", 1, method)
  options = check.options("ag.hybrid_method", 2, options, {expression = "function"})
  return element("hybrid_method", {method = method, expression = options.expression})
end

--- Another name of an attribute.
---@param name string
---@return table
function M.synonym(name)
  check.type("ag.synonym", 1, name, "string")
  return element("synonym", {name = name})
end

--- A value object made of several columns: `point = ag.composite(Point, "x", "y")`. The function gets the columns' values; the object
--- gives them back by `object:composite_values()` or as an array.
---@param class function|table
---@param ... string attribute names
---@return table
function M.composite(class, ...)
  check.callable("ag.composite", 1, class)
  local names = table.pack(...)
  for i = 1, names.n do check.type("ag.composite", i + 1, names[i], "string") end
  if names.n == 0 then check.argument_error("ag.composite", 2, "expected names of attributes, got none") end
  return element("composite", {class = class, names = names})
end

--- The attribute of the objects behind a relationship: `keywords = ag.association_proxy("kw", "keyword")`.
---@param relationship string
---@param attribute string
---@param options? {creator: function?}
---@return table
function M.association_proxy(relationship, attribute, options)
  check.type("ag.association_proxy", 1, relationship, "string")
  check.type("ag.association_proxy", 2, attribute, "string")
  options = check.options("ag.association_proxy", 3, options, {creator = "function"})
  return element("association_proxy", {relationship = relationship, attribute = attribute, creator = options.creator})
end

--- A function that sees every value before it is assigned, and gives the value to assign.
---
---     ag.validates("email", function(self, key, value) assert(value:find "@", "no address") return value end)
---@param names string|string[] attributes
---@param fn fun(self, key: string, value: any, is_remove: boolean?): any
---@param options? {include_removes: boolean?, include_backrefs: boolean?}
---@return table
function M.validates(names, fn, options)
  if type(names) == "string" then names = {names} end
  check.type("ag.validates", 1, names, "table")
  check.callable("ag.validates", 2, fn)
  options = check.options("ag.validates", 3, options, {include_removes = "boolean", include_backrefs = "boolean"})
  return element("validates", {names = names, fn = fn, include_removes = options.include_removes,
    include_backrefs = options.include_backrefs})
end

--- An element that depends on the class it stands in: the function gets {__name, __tablename} and gives a mapped_column,
--- relationship ….
---@param fn fun(cls): any
---@return table
function M.declared_attr(fn)
  check.callable("ag.declared_attr", 1, fn)
  return element("declared_attr", {fn = fn})
end

return M

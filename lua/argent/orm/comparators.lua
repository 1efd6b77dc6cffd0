--- User.posts on the class: what a relationship means in SQL. any, has, contains, eq, ne, is_, of_type, and_; joins and loader options
--- take it too.
local core = require "argent.core"
local check = require "argent.check"
local class_of = require "argent.orm.class"
local ag = require "argent"

local M = {}

---@class argent.RelationshipAttribute
---@field class argent.Class
---@field key string
local methods = core.methods("attribute")

local function part(class) return core.orm_class_part(class, "info") end

--- What an attribute is about: {class, key, alias (of the parent class), relation, target, of_type, criteria}.
local function facts(attribute, where)
  if core.kind_of(attribute) ~= "attribute" then check.type(where, 1, attribute, "attribute") end
  return core.orm_attribute_info(attribute)
end
M.facts = facts

--- The expression of a class's (or alias's) attribute.
local function column(class_or_alias, key)
  if not core.kind_of(class_or_alias) and type(class_or_alias) ~= "table" then
    core.exc_raise("ArgumentError", "expected a mapped class or an alias, got " .. core.describe(class_or_alias))
  end
  return class_or_alias[key]
end

-- ── join conditions ─────────────────────────────────────────────────────────────────────────────────────────────────────

--- Pairs (old expression, new expression) that turn the class's own columns into the alias's.
---@param class argent.orm.Class
---@param alias argent.orm.Alias?
---@param pairs_ table
function M.adaptation(class, alias, pairs_)
  pairs_ = pairs_ or {}
  if alias == class then return pairs_ end
  for key, expr in pairs(class_of.columns(class)) do pairs_[#pairs_ + 1] = {expr, column(alias, key)} end
  return pairs_
end

--- The ON clauses of a relationship between `parent` and `target` (classes or aliases): for a many-to-many the association table
--- (or an alias of it), its condition, and the condition from there to the target.
---@param f argent.orm.RelationshipFacts
---@param parent argent.orm.Class|argent.orm.Alias
---@param target any
---@param secondary argent.Table?
function M.conditions(f, parent, target, secondary)
  local pairs_ = M.adaptation(f.class, parent)
  local remote = M.adaptation(f.target, target)
  local spec = f.spec
  if spec.secondary then
    local own = {}
    if secondary ~= spec.secondary then
      for _, col in ipairs(spec.secondary.c) do own[#own + 1] = {col, secondary.c[col.key]} end
    end
    local first = core.orm_adapt(core.orm_condition(f.class, f.key, false), table.move(own, 1, #own, #pairs_ + 1, pairs_))
    local second = core.orm_adapt(core.orm_condition(f.class, f.key, true), table.move(own, 1, #own, #remote + 1, remote))
    return first, second
  end
  if f.made.self_referential then return M.self_condition(f, parent, target) end
  table.move(remote, 1, #remote, #pairs_ + 1, pairs_)
  return core.orm_adapt(core.orm_condition(f.class, f.key, false), pairs_)
end

--- Both sides are one table: which column means which side is known for the pairs only.
---@param f argent.orm.RelationshipFacts
---@param parent argent.orm.Class|argent.orm.Alias
---@param target any
function M.self_condition(f, parent, target)
  local list = core.orm_pairs(f.class, f.key)
  local condition
  local m2o = f.made.direction == "MANYTOONE"
  for _, pair in ipairs(list) do
    local key_side, fk_side = parent, target
    if m2o then key_side, fk_side = target, parent end
    local one = column(key_side, pair.source):eq(column(fk_side, pair.dest))
    condition = condition and condition & one or one
  end
  return condition
end

-- ── exists ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

local function target_for_exists(f)
  if f.of_type then return f.of_type end
  if f.made.self_referential then return ag.aliased(f.target) end
  return f.target
end

local function criterion_of(where, f, target, criterion, by)
  if criterion ~= nil and type(criterion) == "table" and getmetatable(criterion) == nil and not core.kind_of(criterion) then
    by, criterion = criterion, nil
  end
  if criterion ~= nil and f.made.self_referential and target ~= f.target then
    criterion = core.orm_adapt(criterion, M.adaptation(f.target, target))
  end
  if by then
    check.type(where, 2, by, "table")
    local names = {}
    for name in pairs(by) do
      if type(name) ~= "string" then check.type("criterion by name", 2, name, "string") end
      names[#names + 1] = name
    end
    table.sort(names)
    for _, name in ipairs(names) do
      local attribute = column(target, name)
      if core.kind_of(attribute) ~= "attribute" and not core.is_node(attribute) then
        core.exc_raise("InvalidRequestError", ("%s: '%s' of %s is no column or relationship"):format(where, name, core.describe(target)))
      end
      local one = attribute:eq(by[name])
      criterion = criterion ~= nil and criterion & one or one
    end
  end
  if criterion ~= nil and not core.kind_of(criterion) then
    check.argument_error(where, 1, "expected a condition, got " .. core.describe(criterion))
  end
  return criterion
end

local function exists(where, f, criterion, by)
  local parent = f.alias or f.class
  local target = target_for_exists(f)
  criterion = criterion_of(where, f, target, criterion, by)
  local stmt
  if f.spec.secondary then
    local secondary = f.spec.secondary
    if f.made.self_referential then secondary = secondary:alias() end
    local first, second = M.conditions(f, parent, target, secondary)
    stmt = ag.select(ag.literal_column("1")):select_from(secondary, target):where(first, second)
  else
    stmt = ag.select(ag.literal_column("1")):select_from(target):where(M.conditions(f, parent, target))
  end
  if f.criteria then stmt = stmt:where(f.criteria) end
  if criterion ~= nil then stmt = stmt:where(criterion) end
  return ag.exists(stmt:correlate(parent))
end

--- Objects with a member for which the criterion holds: `User.posts:any(Post.title:eq("x"))`, `User.posts:any{title = "x"}`.
---@param criterion? any
---@param by? table<string, any>
---@return argent.Expression
function methods:any(criterion, by)
  local f = facts(self, "any")
  if not f.made.uselist then
    core.exc_raise("InvalidRequestError", ("'any()' not implemented for scalar attributes. Use has(): %s.%s"):format(f.name, f.key))
  end
  return exists(("%s.%s:any"):format(f.name, f.key), f, criterion, by)
end

--- Objects whose one related object fulfils the criterion.
---@param criterion? any
---@param by? table<string, any>
---@return argent.Expression
function methods:has(criterion, by)
  local f = facts(self, "has")
  if f.made.uselist then
    core.exc_raise("InvalidRequestError", ("'has()' not implemented for collections. Use any(): %s.%s"):format(f.name, f.key))
  end
  return exists(("%s.%s:has"):format(f.name, f.key), f, criterion, by)
end

-- ── comparison with objects ─────────────────────────────────────────────────────────────────────────────────────────────

local function check_object(where, f, object)
  local class = core.orm_class_of(object)
  if not class or not core.orm_isa(class, f.target) then
    check.argument_error(where, 1, ("expected an object of class %s, got %s"):format(part(f.target).name, core.describe(object)))
  end
end

--- Equality of the joining columns with those of an object.
local function equals(f, parent, object)
  local condition
  for _, pair in ipairs((core.orm_pairs(f.class, f.key))) do
    local mine, theirs = pair.source, pair.dest
    if f.made.direction == "MANYTOONE" then mine, theirs = pair.dest, pair.source end
    local value = object[theirs]
    local one = column(parent, mine):eq(value == nil and ag.null or value)
    condition = condition and condition & one or one
  end
  return condition
end

local function contains_many(f, parent, object)
  local secondary = f.spec.secondary:alias()
  local mine, theirs = core.orm_pairs(f.class, f.key)
  local stmt = ag.select(ag.literal_column("1")):select_from(secondary)
  for _, pair in ipairs(mine) do stmt = stmt:where(column(parent, pair.source):eq(secondary.c[pair.column])) end
  for _, pair in ipairs(theirs) do
    local value = object[pair.source]
    stmt = stmt:where(secondary.c[pair.column]:eq(value == nil and ag.null or value))
  end
  return ag.exists(stmt:correlate(parent))
end

--- Objects in whose collection the object is.
---@param object any
---@return argent.Expression
function methods:contains(object)
  local f = facts(self, "contains")
  local where = ("%s.%s:contains"):format(f.name, f.key)
  if not f.made.uselist then
    core.exc_raise("InvalidRequestError", where .. ": 'contains' not implemented for scalar attributes. Use eq()")
  end
  check_object(where, f, object)
  local parent = f.alias or f.class
  if f.spec.secondary then return contains_many(f, parent, object) end
  return equals(f, parent, object)
end

local function is_null(f, parent)
  local condition
  for _, pair in ipairs((core.orm_pairs(f.class, f.key))) do
    local one = column(parent, pair.dest):is_(ag.null)
    condition = condition and condition & one or one
  end
  return condition
end

local function compare(self, object, method)
  local f = facts(self, method)
  local where = ("%s.%s:%s"):format(f.name, f.key, method)
  local none = object == nil or object == ag.null
  if f.made.uselist then
    if none then return ~exists(where, f) end
    core.exc_raise("InvalidRequestError", where .. ": Can't compare a collection to an object or collection; use contains() to test for "
      .. "membership.")
  end
  local parent = f.alias or f.class
  if none then
    if f.made.direction == "MANYTOONE" then return is_null(f, parent) end
    return ~exists(where, f)
  end
  check_object(where, f, object)
  return equals(f, parent, object)
end

--- The related object is this one (`ag.null`: there is none).
---@param object any
---@return argent.Expression
function methods:eq(object) return compare(self, object, "eq") end

--- The related object is another one.
---@param object any
---@return argent.Expression
function methods:ne(object)
  if object == nil or object == ag.null then return ~compare(self, object, "ne") end
  local f = facts(self, "ne")
  local equal = compare(self, object, "ne")
  if f.made.direction ~= "MANYTOONE" then return ~equal end
  return ~equal | is_null(f, f.alias or f.class)
end

--- There is no related object: `Post.author:is_(ag.null)`.
---@param null any
---@return argent.Expression
function methods:is_(null)
  if null ~= nil and null ~= ag.null then check.argument_error("is_", 1, "expected ag.null") end
  return compare(self, ag.null, "is_")
end

--- There is a related object.
---@param null any
---@return argent.Expression
function methods:is_not(null) return ~methods.is_(self, null) end

--- The relationship towards a subclass, or an alias of the target.
---@param target any
---@return argent.RelationshipAttribute
function methods:of_type(target)
  local f = facts(self, "of_type")
  local kind = core.kind_of(target)
  if kind ~= "Mapper" and kind ~= "class alias" then check.argument_error("of_type", 1, "expected a class or an alias of one") end
  return class_of.attribute(f.class, f.key, f.alias, {of_type = target, criteria = f.criteria})
end

--- The relationship with a further criterion, for joins and loader options.
---@param ... any
---@return argent.RelationshipAttribute
function methods:and_(...)
  local f = facts(self, "and_")
  local criteria = ag.and_(...)
  if f.criteria then criteria = f.criteria & criteria end
  return class_of.attribute(f.class, f.key, f.alias, {of_type = f.of_type, criteria = criteria})
end

-- ── joins ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

local join_options = {isouter = "boolean", full = "boolean"}

local function is_options(value)
  return type(value) == "table" and getmetatable(value) == nil
end

--- stmt:join(User.posts), join(Post, User.posts), join_from(User, User.posts) …: the hook of the C methods.
---@param outer boolean
---@param stmt argent.Statement
---@param ... any
function M.join(outer, stmt, ...)
  local args = table.pack(...)
  local options = {}
  if is_options(args[args.n]) then
    options = check.options("join", args.n, args[args.n], join_options)
    args.n = args.n - 1
  end
  local attribute, target
  for i = 1, args.n do
    local kind = core.kind_of(args[i])
    if kind == "attribute" then attribute = args[i]
    elseif kind == "Mapper" or kind == "class alias" or kind == "Table" or core.is_node(args[i]) then target = args[i]
    elseif args[i] ~= nil then
      check.argument_error("Select:join", i, "expected a class, an alias of one or a relationship, got " .. core.describe(args[i]))
    end
  end
  local f = facts(attribute, "join")
  options = {isouter = outer or options.isouter or false, full = options.full or false}
  if args.n > 1 and target == (f.alias or f.class) then target = nil end
  return M.join_along(stmt, f, target or f.of_type or f.target, options)
end

--- Joins from a relationship's parent to `target` (class, alias).
---@param stmt argent.Statement
---@param f argent.orm.RelationshipFacts
---@param target any
---@param options table?
function M.join_along(stmt, f, target, options)
  local parent = f.alias or f.class
  if f.spec.secondary then
    local secondary = f.spec.secondary
    if f.made.self_referential or f.alias or target ~= f.target then secondary = secondary:alias() end
    local first, second = M.conditions(f, parent, target, secondary)
    if f.criteria then second = second & f.criteria end
    return stmt:join_from(parent, secondary, first, options):join_from(secondary, target, second, options)
  end
  local on = M.conditions(f, parent, target)
  if f.criteria then on = on & f.criteria end
  return stmt:join_from(parent, target, on, options)
end

return M

--- Loader options: ag.selectinload(User.posts):joinedload(Post.tags), ag.load_only(User.name), ag.defer, ag.raiseload … An option is an
--- immutable path of steps; a statement carries a list of them (argent.orm.query reads it).
local core = require "argent.core"
local check = require "argent.check"

local M = {}

---@class argent.LoaderOption
---@field steps table[]
local Option = {__name = "argent.LoaderOption"}
Option.__index = Option

--- Is the value a loader option?
---@param value any
function M.is_option(value) return type(value) == "table" and getmetatable(value) == Option end

local function extend(option, step)
  local steps = table.move(option.steps, 1, #option.steps, 1, {})
  steps[#steps + 1] = step
  return setmetatable({steps = steps, root = option.root}, Option)
end

local function poly_classes(where, class, classes)
  if classes == "*" then return require("argent.orm.polymorphic").subclasses(class) end
  check.type(where, 2, classes, "table")
  for i, one in ipairs(classes) do
    if core.kind_of(one) ~= "Mapper" or not core.orm_isa(one, class) then
      check.argument_error(where, 2, ("item %d: expected a subclass, got %s"):format(i, core.describe(one)))
    end
  end
  return classes
end

local empty = setmetatable({steps = {}}, Option)

local function relationship_step(where, attribute, strategy, options)
  if attribute == "*" then return {strategy = strategy, wildcard = "relationship", options = options} end
  if core.kind_of(attribute) ~= "attribute" then
    check.argument_error(where, 1, "expected a relationship such as User.posts, got " .. core.describe(attribute))
  end
  local f = core.orm_attribute_info(attribute)
  return {strategy = strategy, key = f.key, class = f.class, facts = f, options = options}
end

local relationship_options = {
  selectinload = {recursion_depth = "number", chunksize = "number"}, joinedload = {innerjoin = "boolean"}, subqueryload = {},
  lazyload = {}, immediateload = {recursion_depth = "number"}, noload = {}, raiseload = {sql_only = "boolean"}, defaultload = {},
  contains_eager = {alias = true},
}
local strategies = {selectinload = "selectin", joinedload = "joined", subqueryload = "selectin", lazyload = "select",
  immediateload = "immediate", noload = "noload", raiseload = "raise", defaultload = "default", contains_eager = "contains"}

for name, strategy in pairs(strategies) do
  local function step(attribute, options)
    return relationship_step("ag." .. name, attribute, strategy, check.options("ag." .. name, 2, options, relationship_options[name]))
  end
  M[name] = function(attribute, options) return extend(empty, step(attribute, options)) end
  Option[name] = function(self, attribute, options) return extend(self, step(attribute, options)) end
end

-- ── columns ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Names of attributes: given as User.name, or as text.
local function names_of(where, ...)
  local list = table.pack(...)
  if list.n == 1 and type(list[1]) == "table" and getmetatable(list[1]) == nil then list = table.pack(table.unpack(list[1])) end
  local out = {}
  for i = 1, list.n do
    if type(list[i]) ~= "string" and not core.kind_of(list[i]) then
      check.argument_error(where, i, "expected an attribute such as User.name, got " .. core.describe(list[i]))
    end
    out[i] = list[i]
  end
  return out
end

local function last_options(args, known, where)
  local last = args[args.n]
  if type(last) == "table" and getmetatable(last) == nil and #last == 0 and next(last) ~= nil then
    args.n = args.n - 1
    return check.options(where, args.n + 1, last, known)
  end
  return {}
end

local function column_step(name, known, make)
  local where = "ag." .. name
  local function step(...)
    local args = table.pack(...)
    local options = last_options(args, known, where)
    return make(names_of(where, table.unpack(args, 1, args.n)), options)
  end
  M[name] = function(...) return extend(empty, step(...)) end
  Option[name] = function(self, ...) return extend(self, step(...)) end
end

column_step("load_only", {raiseload = "boolean"}, function(columns, o) return {columns = columns, only = true, raise = o.raiseload} end)
column_step("defer", {raiseload = "boolean"}, function(columns, o) return {columns = columns, defer = true, raise = o.raiseload} end)
column_step("undefer", {}, function(columns) return {columns = columns, undefer = true} end)
column_step("undefer_group", {}, function(columns) return {undefer_group = columns[1]} end)
column_step("with_expression", {}, function(columns) return {expression = columns} end)

--- The own columns of subclasses' objects are read by a second statement: `ag.selectin_polymorphic(Employee, {Manager, Engineer})`.
---@param class argent.Class
---@param classes argent.Class[]|"*"
---@return argent.LoaderOption
function M.selectin_polymorphic(class, classes)
  if core.kind_of(class) ~= "Mapper" then
    check.argument_error("ag.selectin_polymorphic", 1, "expected a class, got " .. core.describe(class))
  end
  return setmetatable({steps = {}, root = class, poly = poly_classes("ag.selectin_polymorphic", class, classes)}, Option)
end

--- The same below a path: `ag.selectinload(Company.employees):selectin_polymorphic({Manager})`.
---@param classes argent.Class[]|"*"
---@return argent.LoaderOption
function Option:selectin_polymorphic(classes)
  local last = self.steps[#self.steps]
  local class = last and last.facts and last.facts.target or self.root
  if class == nil then check.argument_error("selectin_polymorphic", 1, "there is no class before it") end
  return extend(self, {poly = poly_classes("selectin_polymorphic", class, classes)})
end

--- Several options below one path: `ag.selectinload(User.posts):options(ag.load_only(Post.title), …)`.
---@param ... argent.LoaderOption
---@return argent.LoaderOption
function Option:options(...)
  local out = setmetatable({steps = self.steps, root = self.root, children = table.move(self.children or {}, 1, #(self.children or {}), 1, {})},
    Option)
  for i, child in ipairs{...} do
    if not M.is_option(child) then check.argument_error("options", i, "expected a loader option, got " .. core.describe(child)) end
    out.children[#out.children + 1] = child
  end
  return out
end

--- Options for one class of a statement: `ag.Load(User):selectinload(User.posts)`.
---@param class argent.Class|argent.ClassAlias
---@return argent.LoaderOption
function M.Load(class)
  local kind = core.kind_of(class)
  if kind ~= "Mapper" and kind ~= "class alias" then
    check.argument_error("ag.Load", 1, "expected a class, got " .. core.describe(class))
  end
  return setmetatable({steps = {}, root = class}, Option)
end

--- A criterion that is added wherever the class is loaded: soft deletion, tenants.
---@param class argent.Class
---@param criterion any condition, or a function from the class (or an alias of it) to one
---@return table
function M.with_loader_criteria(class, criterion)
  if core.kind_of(class) ~= "Mapper" then
    check.argument_error("ag.with_loader_criteria", 1, "expected a class, got " .. core.describe(class))
  end
  if type(criterion) ~= "function" and not core.kind_of(criterion) then
    check.argument_error("ag.with_loader_criteria", 2, "expected a condition or a function that gives one, got " .. core.describe(criterion))
  end
  return setmetatable({steps = {}, criteria = {class = class, criterion = criterion}}, Option)
end

-- ── as a tree ───────────────────────────────────────────────────────────────────────────────────────────────────────────

local function node_for(tree, step)
  local key = step.wildcard and "*" or step.key
  tree.relations[key] = tree.relations[key] or {relations = {}, columns = {}}
  local node = tree.relations[key]
  if step.strategy ~= "default" then
    node.strategy, node.options, node.facts = step.strategy, step.options, step.facts
  end
  node.facts = node.facts or step.facts
  return node
end

local function add(tree, option)
  for _, step in ipairs(option.steps) do
    if step.strategy then
      tree = node_for(tree, step)
    elseif step.poly then
      tree.poly = table.move(step.poly, 1, #step.poly, #(tree.poly or {}) + 1, tree.poly or {})
    else
      tree.columns[#tree.columns + 1] = step
    end
  end
  if option.poly then tree.poly = table.move(option.poly, 1, #option.poly, #(tree.poly or {}) + 1, tree.poly or {}) end
  for _, child in ipairs(option.children or {}) do add(tree, child) end
end

--- What an option is about, for messages.
---@param option argent.LoaderOption
---@return string
function M.describe(option)
  local step = option.steps[1]
  if not step then return "an option" end
  if step.facts then return ("%s.%s"):format(step.facts.name, step.facts.key) end
  local name = (step.columns or {})[1]
  return type(name) == "string" and ("'%s'"):format(name) or tostring(name)
end

--- Do the option's first steps concern this class (or alias)?
local function concerns(option, entity, class)
  if option.root then return option.root == entity end
  local first = option.steps[1]
  if not first and option.children then return true end
  if not first then return false end
  if first.facts then
    local of = first.facts.alias or first.facts.class
    return of == entity or (entity == class and core.kind_of(of) == "Mapper" and (core.orm_isa(class, of) or core.orm_isa(of, class)))
  end
  return true
end

--- Options of a statement that concern one class or alias, as a tree {relations = {key → node}, columns = {steps}}; nil when none do.
---@param list any[]
---@param entity any
---@param class argent.orm.Class
---@param names_known boolean?
---@param used table<argent.LoaderOption, boolean>
function M.tree(list, entity, class, names_known, used)
  local tree
  for _, option in ipairs(list) do
    if #option.steps > 0 or option.children or option.poly then
      if concerns(option, entity, class) and (not names_known or names_known(option)) then
        used[option] = true
        tree = tree or {relations = {}, columns = {}}
        add(tree, option)
      end
    end
  end
  return tree
end

return M

--- Loading of inheritance hierarchies: ag.with_polymorphic (subclasses' tables joined), ag.selectin_polymorphic (their columns by a second
--- statement), and what __mapper_args say of either (with_polymorphic, polymorphic_load).
local core = require "argent.core"
local check = require "argent.check"
local class_of = require "argent.orm.class"
local configure = require "argent.orm.configure"

local M = {}

local function part(class) return core.orm_class_part(class, "info") end

--- All classes below one, parents before children.
---@param class argent.orm.Class
---@return argent.orm.Class[]
function M.subclasses(class)
  local list = {}
  for _, other in ipairs(part(class).registry.list) do
    if other and other ~= class and core.orm_isa(other, class) then list[#list + 1] = other end
  end
  return list
end

local function ancestors(class, base)
  local list, at = {}, class
  while at and at ~= base do
    table.insert(list, 1, at)
    at = part(at).parent
  end
  return list
end

--- The classes named, with those between them and the base; each once, parents first.
local function with_parents(base, classes)
  local list, seen = {}, {}
  for _, class in ipairs(classes) do
    for _, one in ipairs(ancestors(class, base)) do
      if not seen[one] then
        seen[one] = true
        list[#list + 1] = one
      end
    end
  end
  return list
end

local function check_classes(where, base, classes)
  if classes == "*" then return M.subclasses(base) end
  check.type(where, 2, classes, "table")
  for i, class in ipairs(classes) do
    if core.kind_of(class) ~= "Mapper" or not core.orm_isa(class, base) then
      check.argument_error(where, 2, ("item %d: expected a subclass of %s, got %s"):format(i, part(base).name, core.describe(class)))
    end
  end
  return classes
end

--- FROM of a base with the tables of these subclasses beside it.
---@param base argent.orm.Class
---@param classes argent.orm.Class[] as with_parents gives them
---@param inner boolean?
function M.join(base, classes, inner)
  local from = part(base).table
  local parent = part(base).parent
  while parent do -- the base is itself a joined subclass
    if part(parent).table ~= part(base).table then from = part(parent).table:join(from) end
    parent = part(parent).parent
  end
  local seen = {[part(base).table] = true}
  for _, class in ipairs(classes) do
    local own = part(class).table
    if not seen[own] then
      seen[own] = true
      local above = part(part(class).parent).table
      local on
      for i, key in ipairs(core.orm_class_facts(class).pk) do
        local column, other = part(class).columns[key], part(part(class).parent).columns[key]
        local one = other:eq(column)
        on = i == 1 and one or on & one
      end
      local _ = above
      from = inner and from:join(own, on) or from:outerjoin(own, on)
    end
  end
  return from
end

--- Columns of a class as its own and its parents' tables have them.
local function columns_of(class, base)
  local out = class_of.columns(class)
  if base then
    for key, column in pairs(class_of.columns(base)) do out[key] = column end
  end
  return out
end

--- A class whose rows come with the columns of subclasses, in one statement: `local all = ag.with_polymorphic(Employee, {Manager})`, then
--- `all.name`, `all.Manager.manager_data`.
---@param class argent.Class
---@param classes argent.Class[]|"*"
---@param options? {innerjoin: boolean?, aliased: boolean?, flat: boolean?}
---@return argent.ClassAlias
function M.with_polymorphic(class, classes, options)
  if core.kind_of(class) ~= "Mapper" then
    check.argument_error("ag.with_polymorphic", 1, "expected a class, got " .. core.describe(class))
  end
  options = check.options("ag.with_polymorphic", 3, options, {innerjoin = "boolean", aliased = "boolean", flat = "boolean"})
  configure.class(class)
  local list = with_parents(class, check_classes("ag.with_polymorphic", class, classes))
  local from = M.join(class, list, options.innerjoin)
  local poly = {}
  if options.aliased or options.flat then -- all columns come from one subquery
    local exprs, names = {}, {}
    local function add(of)
      for key, column in pairs(columns_of(of, of ~= class and class or nil)) do
        local name = part(of).name .. "_" .. key
        if not names[name] then
          names[name] = true
          exprs[#exprs + 1] = column:label(name)
        end
      end
    end
    add(class)
    for _, one in ipairs(list) do add(one) end
    local sub = require("argent").select(exprs):select_from(from):subquery()
    local function mapped(of)
      local out = {}
      for key in pairs(columns_of(of)) do out[key] = sub.c[part(of).name .. "_" .. key] end
      return out
    end
    for _, one in ipairs(list) do poly[part(one).name] = core.orm_alias(one, sub, {columns = mapped(one)}) end
    return core.orm_alias(class, sub, {columns = mapped(class), poly = poly, classes = list})
  end
  for _, one in ipairs(list) do poly[part(one).name] = core.orm_alias(one, from, {columns = columns_of(one, class)}) end
  return core.orm_alias(class, from, {columns = columns_of(class), poly = poly, classes = list})
end

-- ── what the mapper says ────────────────────────────────────────────────────────────────────────────────────────────────

--- Subclasses whose columns come with every SELECT of the class: with_polymorphic, or polymorphic_load = "inline"; nil: none.
---@param class argent.orm.Class
---@return argent.orm.Class[]?
function M.inline(class)
  local info = part(class)
  if info.inline ~= nil and info.inline_of == #info.registry.list then return info.inline or nil end
  local list = {}
  local own = info.mapper_args and info.mapper_args.with_polymorphic
  if own == "*" then
    list = M.subclasses(class)
  elseif type(own) == "table" then
    for i, one in ipairs(own) do list[i] = type(one) == "string" and info.registry:class(one, "with_polymorphic") or one end
  end
  for _, other in ipairs(M.subclasses(class)) do
    if (part(other).mapper_args or {}).polymorphic_load == "inline" then list[#list + 1] = other end
  end
  info.inline, info.inline_of = list[1] and with_parents(class, list) or false, #info.registry.list
  return info.inline or nil
end

--- Subclasses with polymorphic_load = "selectin".
---@param class argent.orm.Class
---@return argent.orm.Class[]
function M.selectin(class)
  local list = {}
  for _, other in ipairs(M.subclasses(class)) do
    if (part(other).mapper_args or {}).polymorphic_load == "selectin" then list[#list + 1] = other end
  end
  return list
end

--- After the rows: read the own columns of these subclasses' objects, a statement for each class.
---@param session argent.Session
---@param objects argent.orm.Entity[]
---@param base argent.orm.Class
---@param classes argent.orm.Class[]
function M.load(session, objects, base, classes)
  local load = require "argent.orm.load"
  local query = require "argent.orm.query"
  local had = {}
  for _, slot in ipairs(query.shape(base).slots) do had[slot.key] = true end
  for _, class in ipairs(with_parents(base, classes)) do
    local group = {}
    for _, object in ipairs(objects) do
      if core.orm_isa(core.orm_class_of(object), class) then group[#group + 1] = object end
    end
    local names = {}
    for _, slot in ipairs(query.shape(class).slots) do
      if not had[slot.key] and not slot.deferred then
        names[#names + 1] = slot.key
        had[slot.key] = true
      end
    end
    if group[1] and names[1] then load.columns(session, group, class, names) end
  end
end

return M

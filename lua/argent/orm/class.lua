--- User.name: what a name on a class gives. C asks here when it has not met the name yet.
local core = require "argent.core"
local configure = require "argent.orm.configure"
local descriptors = require "argent.orm.descriptors"
local declarative = require "argent.orm.declarative"
local elements = require "argent.orm.elements"

local M = {}

local function part(class) return core.orm_class_part(class, "info") end

local properties = {
  __table = function(_, info) return info.table end,
  __tablename = function(_, info) return info.table.name end,
  __name = function(_, info) return info.name end,
  __mapper = function(class) return require("argent.orm.inspect").mapper(class) end,
  metadata = function(_, info) return info.registry.metadata end,
  registry = function(_, info) return info.registry end,
}

--- The relationship of that name, here or on a parent class.
local function find_relationship(class, name)
  local at = class
  while at do
    local info = part(at)
    if info.relationship_by_name[name] then return at end
    at = info.parent
  end
end

--- Value of alias[name]: the class's attribute in terms of the alias.
local function alias_index(alias, name)
  local class, from, info = core.orm_alias_info(alias)
  local cinfo = part(class)
  if info.poly and info.poly[name] then return info.poly[name] end
  if cinfo.columns[name] ~= nil then return M.alias_column(class, from, info, name) end
  if cinfo.expressions[name] ~= nil then
    return core.orm_adapt(cinfo.expressions[name], require("argent.orm.alias").pairs(alias)):label(name)
  end
  configure.class(class)
  if find_relationship(class, name) then return M.attribute(class, name, alias) end
  local d = core.orm_class_part(class, "descriptors")[name]
  if d ~= nil then return descriptors.expression[elements.kind(d)](alias, d) end
  if properties[name] then return properties[name](class, cinfo) end
  return nil
end

--- The column of an alias's FROM that stands for an attribute.
---@param class argent.orm.Class
---@param from argent.FromClause
---@param info table
---@param name string
function M.alias_column(class, from, info, name)
  if info.columns then return info.columns[name] end
  return from.c[part(class).columns[name].key]
end

--- Value of class[name]; nil: unknown.
---@param class argent.orm.Class
---@param name string
function M.index(class, name)
  if core.kind_of(class) == "class alias" then return alias_index(class, name) end
  local info = part(class)
  local attrs = core.orm_class_part(class, "attrs")
  local value
  if info.columns[name] ~= nil then
    value = info.columns[name]
    attrs[name] = value
    return value
  elseif info.expressions[name] ~= nil then
    value = info.expressions[name]:label(name)
    attrs[name] = value
    return value
  end
  local d = core.orm_class_part(class, "descriptors")[name]
  if d == nil and not find_relationship(class, name) then -- a subclass may be made before the classes that relationships name
    if properties[name] then return properties[name](class, info) end
    if name == "model" then return declarative.subclass end
  end
  configure.class(class)
  if find_relationship(class, name) then
    value = M.attribute(class, name)
    attrs[name] = value
    return value
  end
  if d ~= nil then return descriptors.expression[elements.kind(d)](class, d) end
  return nil
end

--- Facts of a relationship: {class (that declares it), key, name, target, spec, made}.
---@param class argent.orm.Class
---@param key string
function M.relation(class, key)
  configure.class(class)
  local owner = find_relationship(class, key)
  if not owner then return nil end
  for _, entry in ipairs(part(owner).relationships) do
    if entry.key == key then
      return {class = class, key = key, name = part(class).name, target = entry.target, spec = entry.spec, made = entry.made}
    end
  end
end

--- A new attribute object of a relationship. alias: of the class; extra: {of_type =, criteria =}.
---@param class argent.orm.Class
---@param key string
---@param alias argent.orm.Alias?
---@param extra table?
function M.attribute(class, key, alias, extra)
  local facts = M.relation(class, key)
  facts.alias = alias
  for name, value in pairs(extra or {}) do facts[name] = value end
  return core.orm_attribute(facts)
end

--- All mapped columns of a class: name → expression.
---@param class argent.orm.Class
function M.columns(class)
  local out = {}
  local info = part(class)
  while info do
    for _, slot in ipairs(info.slots) do
      if slot.column ~= nil and out[slot.key] == nil then out[slot.key] = slot.column end
    end
    info = info.parent and part(info.parent)
  end
  return out
end

--- The primary key's columns.
---@param class argent.orm.Class
function M.key_columns(class)
  local out = {}
  for i, key in ipairs(core.orm_class_facts(class).pk) do out[i] = part(class).columns[key] end
  return out
end

--- Read a descriptor of an object: hybrid, synonym, proxy.
---@param object argent.orm.Entity
---@param d table
---@param name string
function M.get(object, d, name) return descriptors.get[elements.kind(d)](object, d, name) end
--- Assign to a descriptor of an object.
---@param object argent.orm.Entity
---@param d table
---@param name string
---@param value any
function M.set(object, d, name, value) return descriptors.set[elements.kind(d)](object, d, name, value) end

return M

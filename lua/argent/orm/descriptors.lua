--- Attributes that are no columns: hybrids, synonyms, composites, association proxies. On objects the C code asks here for a
--- value (get, set); on classes argent.orm.class does for an expression.
local core = require "argent.core"

local M = {get = {}, set = {}, expression = {}}

local function name_of(object) return core.orm_class_part(core.orm_class_of(object), "info").name end

local function cannot_set(object, name)
  core.exc_raise("InvalidRequestError", ("attribute '%s' of class %s cannot be assigned"):format(name, name_of(object)))
end

-- hybrid_property
function M.get.hybrid_property(object, d) return d.getter(object) end
function M.set.hybrid_property(object, d, name, value)
  if not d.setter then return cannot_set(object, name) end
  d.setter(object, value)
end
function M.expression.hybrid_property(class, d) return (d.expression or d.getter)(class) end

-- hybrid_method: the method itself
function M.get.hybrid_method(_, d) return d.method end
function M.set.hybrid_method(object, _, name) return cannot_set(object, name) end
function M.expression.hybrid_method(_, d) return d.expression or d.method end

-- synonym
function M.get.synonym(object, d) return object[d.name] end
function M.set.synonym(object, d, _, value) object[d.name] = value end
function M.expression.synonym(class, d) return class[d.name] end

-- composite
function M.get.composite(object, d)
  local values, any = {}, false
  for i = 1, d.names.n do
    values[i] = object[d.names[i]]
    any = any or values[i] ~= nil
  end
  if not any then return nil end
  return d.class(table.unpack(values, 1, d.names.n))
end
function M.set.composite(object, d, _, value)
  local values = value
  local method = type(value) == "table" and value.composite_values
  if method then values = method(value) end
  for i = 1, d.names.n do object[d.names[i]] = values and values[i] end
end
function M.expression.composite(class, d)
  local columns = {}
  for i = 1, d.names.n do columns[i] = class[d.names[i]] end
  return require("argent").tuple_(columns)
end

-- association_proxy
local Proxy = {__name = "argent.orm.AssociationProxy"}

local function proxy_items(p) return p.object[p.d.relationship] end
Proxy.methods = {
  append = function(self, value)
    local d = self.d
    local target = require("argent.orm.class").relation(core.orm_class_of(self.object), d.relationship).target
    local member = d.creator and d.creator(value) or target{[d.attribute] = value}
    proxy_items(self):append(member)
  end,
  remove = function(self, value)
    for _, member in ipairs(proxy_items(self):all()) do
      if member[self.d.attribute] == value then return proxy_items(self):remove(member) end
    end
    core.exc_raise("ArgumentError", "the value is not in the list")
  end,
  contains = function(self, value)
    for _, member in ipairs(proxy_items(self):all()) do
      if member[self.d.attribute] == value then return true end
    end
    return false
  end,
  all = function(self)
    local out = {}
    for i, member in ipairs(proxy_items(self):all()) do out[i] = member[self.d.attribute] end
    return out
  end,
  clear = function(self) proxy_items(self):clear() end,
}
Proxy.__index = function(self, key)
  if math.type(key) == "integer" then
    local member = proxy_items(self)[key]
    return member and member[self.d.attribute]
  end
  return Proxy.methods[key] or core.exc_raise("ArgumentError", ("a list behind an association proxy has no '%s'"):format(tostring(key)))
end
Proxy.__len = function(self) return #proxy_items(self) end

function M.get.association_proxy(object, d)
  local value = object[d.relationship]
  if core.kind_of(value) == "collection" then return setmetatable({object = object, d = d}, Proxy) end
  return value ~= nil and value[d.attribute] or nil
end
function M.set.association_proxy(object, d, name, value)
  local current = object[d.relationship]
  if core.kind_of(current) ~= "collection" then
    if current == nil then return cannot_set(object, name) end
    current[d.attribute] = value
    return
  end
  current:clear()
  local proxy = setmetatable({object = object, d = d}, Proxy)
  for _, item in ipairs(value) do Proxy.methods.append(proxy, item) end
end
function M.expression.association_proxy(class, d)
  return setmetatable({}, {__index = {
    contains = function(_, value) return class[d.relationship]:any{[d.attribute] = value} end,
    eq = function(_, value) return class[d.relationship]:has{[d.attribute] = value} end,
  }})
end

return M

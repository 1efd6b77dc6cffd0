--- The ORM: what ag.declarative_base, ag.Session … are, and the functions that the C code calls.
local core = require "argent.core"
local check = require "argent.check"
local alias = require "argent.orm.alias"
local attribute_events = require "argent.orm.attribute_events"
local class_of = require "argent.orm.class"
local configure = require "argent.orm.configure"
local declarative = require "argent.orm.declarative"
local elements = require "argent.orm.elements"
local events = require "argent.orm.events"
local load = require "argent.orm.load"
local options = require "argent.orm.options"
local session = require "argent.orm.session"
local query = require "argent.orm.query"
require "argent.orm.run"

local M = {}

for _, part in ipairs{elements, options, session} do
  for name, value in pairs(part) do
    if name:sub(1, 1) ~= "_" then M[name] = value end
  end
end
M.declarative_base = declarative.declarative_base
M.aliased = alias.aliased
M.attribute_keyed_dict = require("argent.orm.keyed").attribute_keyed_dict
M.keyfunc_mapping = require("argent.orm.keyed").keyfunc_mapping
M.with_polymorphic = require("argent.orm.polymorphic").with_polymorphic
M.scoped_session = require("argent.orm.scoped").scoped_session

--- Work out the relationships of all classes now, not at first use.
---@param class argent.Class|argent.Base
function M.configure_mappers(class)
  if core.kind_of(class) == "Mapper" then return configure.class(class) end
  local registry = type(class) == "table" and rawget(class, "registry")
  if type(registry) ~= "table" then
    check.argument_error("ag.configure_mappers", 1, "expected a mapped class or a base, got " .. core.describe(class))
  end
  configure.registry(registry)
end

--- A criterion: objects whose relationship holds this object: `ag.with_parent(user, User.posts)`.
---@param object any
---@param attribute argent.RelationshipAttribute
---@return any
function M.with_parent(object, attribute)
  if core.kind_of(object) ~= "entity" then
    check.argument_error("ag.with_parent", 1, "expected a mapped object, got " .. core.describe(object))
  end
  if core.kind_of(attribute) ~= "attribute" then
    check.argument_error("ag.with_parent", 2, "expected a relationship such as User.posts, got " .. core.describe(attribute))
  end
  local f = core.orm_attribute_info(attribute)
  local condition
  for _, pair in ipairs((core.orm_pairs(f.class, f.key))) do
    local one = f.target[pair.dest]:eq(object[pair.source])
    condition = condition and condition & one or one
  end
  return condition
end

core.orm_hooks{
  configure = configure.class,
  refresh = load.refresh,
  lazy = load.lazy,
  validate = attribute_events.validate,
  member = attribute_events.member,
  init_scalar = attribute_events.init_scalar,
  large = function(...) return require("argent.orm.large").collection(...) end,
  keyed = function(...) return require("argent.orm.keyed").get(...) end,
  keyed_set = function(...) return require("argent.orm.keyed").set(...) end,
  attach = function(...) return require("argent.orm.lifecycle").attach(...) end,
  class_index = class_of.index,
  descriptor_get = class_of.get,
  descriptor_set = class_of.set,
  init = events.init,
  event = events.flush_event,
  relation = load.relation,
  column = load.column,
  get = require("argent.orm.get").get,
  join = function(...) return require("argent.orm.comparators").join(...) end,
}

require "argent.orm.comparators"
local _ = query

return M

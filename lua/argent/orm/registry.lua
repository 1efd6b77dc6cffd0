--- Class registries: the classes of one declarative base by name, and the resolution of names that are used before the class
--- exists. One registry owns the mappers (core handle) and a MetaData.
local core = require "argent.core"
local text = require "argent.orm.text"

local M = {}

---@class argent.Registry
---@field metadata argent.MetaData
---@field classes table<string, argent.Class>
local Registry = {}
Registry.__index = Registry
Registry.__name = "argent.orm.Registry"

--- A registry of classes.
---@param metadata argent.MetaData
---@return argent.Registry
function M.new(metadata)
  return setmetatable({metadata = metadata, handle = core.orm_registry(), classes = {}, list = {}, pending = {}}, Registry)
end

--- Enter a class. Two classes of one name make the name ambiguous.
function Registry:add(name, class)
  if self.classes[name] ~= nil then
    self.ambiguous = self.ambiguous or {}
    self.ambiguous[name] = true
  end
  self.classes[name] = class
  self.list[#self.list + 1] = class
  self.pending[#self.pending + 1] = class
end

local function hint(self, name)
  local names = {}
  for known in pairs(self.classes) do names[#names + 1] = known end
  for known in pairs(self.metadata.tables) do
    if type(known) == "string" then names[#names + 1] = known end
  end
  table.sort(names)
  local near = core.nearest(name, names)
  return near and ("; did you mean '%s'?"):format(near) or ""
end

--- The class of that name, else raises.
function Registry:class(name, where)
  local class = self.classes[name]
  if class == nil then
    core.exc_raise("InvalidRequestError", ("When initializing %s, expression '%s' failed to locate a name ('%s')%s. If this is a class name, "
      .. "define the class before the first use of its classes."):format(where, name, name, hint(self, name)))
  end
  if self.ambiguous and self.ambiguous[name] then
    core.exc_raise("InvalidRequestError", ("Multiple classes found for the name '%s' in the registry of this declarative base. "
      .. "Give the class itself or a function."):format(name))
  end
  return class
end

--- What names in texts mean: classes, then tables (their columns).
function Registry:scope()
  return {
    lookup = function(name)
      if self.classes[name] ~= nil then return self.classes[name] end
      local table = self.metadata.tables[name]
      return table and M.columns_of(table)
    end,
    hint = function(name) return hint(self, name) end,
  }
end

--- A table as texts see it: posts.id and posts.c.id.
---@param table argent.Table
function M.columns_of(table)
  return setmetatable({}, {__index = function(_, name)
    if name == "c" or name == "columns" then return table.c end
    return table.c[name]
  end})
end

--- Map a class to a table without a declarative definition.
---
---     local User = Base.registry:map_imperatively("User", users, {properties = {posts = ag.relationship("Post")}})
---@param name string
---@param table argent.Table
---@param options? {properties: table?} and what __mapper_args take
---@return argent.Class
function Registry:map_imperatively(name, table, options)
  local definition = {__table = table, __mapper_args = {}}
  for key, value in pairs(options or {}) do
    if key ~= "properties" then definition.__mapper_args[key] = value end
  end
  for key, value in pairs(options and options.properties or {}) do definition[key] = value end
  return self.base:model(name, definition)
end

--- An option that may be a text, a function or the thing itself. Returns the thing and the annotations of a text.
function Registry:resolve(value, where)
  if type(value) == "function" then value = value() end
  if type(value) == "string" then return text.eval(value, where, self:scope()) end
  return value
end

--- The same for options that take lists: always an array.
function Registry:resolve_list(value, where)
  if value == nil then return nil end
  if type(value) == "function" then value = value() end
  if type(value) == "string" then return text.eval_list(value, where, self:scope()) end
  if core.kind_of(value) then return {value} end
  local list = {}
  for i, item in ipairs(value) do
    list[i] = type(item) == "string" and text.eval(item, where, self:scope()) or item
  end
  return list
end

return M

--- Collections by key: `collection_class = ag.attribute_keyed_dict("keyword")`, then `item.notes["color"]`. Members keep their order; the
--- key is always what the member says.
local core = require "argent.core"
local check = require "argent.check"

local M = {}

---@class argent.orm.Keyed
---@field key fun(member: any): any
local Keyed = {__name = "argent.orm.Keyed"}
Keyed.__index = Keyed

--- Is the value one of these?
---@param value any
---@return boolean
function M.is(value) return type(value) == "table" and getmetatable(value) == Keyed end

--- Members are found by an attribute: `notes = ag.relationship("Note", {collection_class = ag.attribute_keyed_dict("keyword")})`.
---@param name string
---@return argent.orm.Keyed
function M.attribute_keyed_dict(name)
  check.type("ag.attribute_keyed_dict", 1, name, "string")
  return setmetatable({key = function(member) return member[name] end, attribute = name}, Keyed)
end

--- Members are found by what a function says of them.
---@param fn fun(member: any): any
---@return argent.orm.Keyed
function M.keyfunc_mapping(fn)
  check.callable("ag.keyfunc_mapping", 1, fn)
  return setmetatable({key = fn}, Keyed)
end

local function keyed_of(owner, name)
  return require("argent.orm.query").shape(core.orm_class_of(owner)).relations[name].spec.keyed_by
end

--- The member under a key; nil when there is none.
---@param collection any
---@param owner any
---@param name string
---@param key any
function M.get(collection, owner, name, key)
  local by = keyed_of(owner, name)
  for _, member in ipairs(collection:all()) do
    if by.key(member) == key then return member end
  end
end

--- Put a member under a key, in place of the one that is there; nil takes it out.
---@param collection any
---@param owner any
---@param name string
---@param key any
---@param member any
function M.set(collection, owner, name, key, member)
  local by = keyed_of(owner, name)
  local old = M.get(collection, owner, name, key)
  if member ~= nil and core.kind_of(member) == "entity" then
    if by.attribute and member[by.attribute] == nil then member[by.attribute] = key end
    if by.key(member) ~= key then
      core.exc_raise("ArgumentError", ("Can not set the key %s: the member says that its key is %s"):format(core.describe(key),
        core.describe(by.key(member))))
    end
  end
  if old == member then return end
  if old ~= nil then collection:remove(old) end
  if member ~= nil then collection:append(member) end
end

return M

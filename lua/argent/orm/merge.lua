--- session:merge: the state of an object of another session (or of none) copied into this one's object.
local core = require "argent.core"
local check = require "argent.check"
local guard = require "argent.orm.guard"
local query = require "argent.orm.query"

---@class argent.Session
local Session = check.methods("Session")

local merge_one
local M = {}

local function merge_relation(session, object, copy, f, seen, reload)
  if not f.made.cascade.merge or not core.orm_is_loaded(object, f.key) then return end
  local value = core.orm_get(object, f.key)
  if f.made.uselist then
    local members = {}
    if value ~= nil then
      for _, member in ipairs(value:all()) do members[#members + 1] = merge_one(session, member, seen, reload) end
    end
    copy[f.key] = members
  elseif value ~= nil then
    copy[f.key] = merge_one(session, value, seen, reload)
  else
    copy[f.key] = nil
  end
end

local function key_of(object)
  local key = table.pack(core.orm_key(object))
  if key.n > 0 then return key end
  local pk = query.shape(core.orm_class_of(object)).pk
  for i, name in ipairs(pk) do
    local value = core.orm_get(object, name)
    if value == nil then return nil end
    key[i] = value
  end
  key.n = #pk
  return key
end

--- merge(load = false) of an object whose key the session does not have: as if its row had just been read, without SQL.
---@param session argent.Session
---@param object any
---@param class argent.orm.Class
---@param key any[]?
---@param seen table<any, any>
function M.take_over(session, object, class, key, seen)
  if key == nil or core.orm_key(object) == nil then
    core.exc_raise("InvalidRequestError", "merge() with load=False option does not support objects transient (i.e. unpersisted) objects. flush() "
      .. "all changes on mapped instances before merging with load=False.")
  end
  if require("argent.orm.inspect").inspect(object).modified then
    core.exc_raise("InvalidRequestError", "merge() with load=False option does not support objects marked as 'dirty'. flush() all changes on "
      .. "mapped instances before merging with load=False.")
  end
  local values, missing = {}, {}
  for _, slot in ipairs(query.shape(class).slots) do
    local value, loaded = core.orm_get(object, slot.key)
    if not loaded then missing[#missing + 1] = slot.key
    elseif not slot.expression then values[slot.key] = value end
  end
  local copy = class(values)
  core.orm_mark(copy, "loaded")
  session:add(copy)
  if missing[1] then session:expire(copy, missing) end
  seen[object] = copy
  local s = query.shape(class)
  for _, name in ipairs(s.relations) do
    local f = s.relations[name]
    if f.made.cascade.merge and core.orm_is_loaded(object, name) then
      local value = core.orm_get(object, name)
      if f.made.uselist then
        local members = {}
        for i, member in ipairs(value:all()) do members[i] = merge_one(session, member, seen, false) end
        core.orm_set_loaded(copy, name, members)
      elseif value ~= nil then
        core.orm_set_loaded(copy, name, merge_one(session, value, seen, false))
      else
        core.orm_set_loaded(copy, name, nil)
      end
    end
  end
  return copy
end

function merge_one(session, object, seen, reload)
  if seen[object] then return seen[object] end
  local state, owner = core.orm_state(object)
  if owner == session and state ~= "transient" then
    seen[object] = object
    return object
  end
  local class = core.orm_class_of(object)
  local key = key_of(object)
  local copy
  if key then
    copy = reload and session:get(class, key.n == 1 and key[1] or key) or session:_identity(class, table.unpack(key, 1, key.n))
  end
  if copy == nil and not reload then return M.take_over(session, object, class, key, seen) end
  if copy == nil then
    copy = class{}
    session:add(copy)
  end
  seen[object] = copy
  local s = query.shape(class)
  for _, slot in ipairs(s.slots) do
    local value, loaded = core.orm_get(object, slot.key)
    if loaded and not slot.expression and (value ~= nil or state ~= "transient" or core.orm_history(object, slot.key)) then
      if value ~= nil or not slot.pk then copy[slot.key] = value end
    end
  end
  for _, name in ipairs(s.relations) do merge_relation(session, object, copy, s.relations[name], seen, reload) end
  return copy
end

--- Copy the state of an object (of any session, or of none) into this session; gives the session's object.
---@param object any
---@param options? {load: boolean?}
---@return any
function Session:merge(object, options)
  options = check.options("Session:merge", 2, options, {load = "boolean", options = "table"})
  if not core.orm_class_of(object) then check.argument_error("Session:merge", 1, "expected a mapped object, got " .. core.describe(object)) end
  local _ <close> = guard.enter(self, "merge")
  self:_autoflush()
  return self:no_autoflush(function() return merge_one(self, object, {}, options.load ~= false) end)
end

--- Merge several objects.
---@param objects any[]
---@return any[]
function Session:merge_all(objects)
  check.type("Session:merge_all", 1, objects, "table")
  local out = {}
  for i, object in ipairs(objects) do out[i] = self:merge(object) end
  return out
end

return core.methods("Session")

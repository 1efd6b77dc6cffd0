--- Attribute events (set, append, remove, bulk_replace, init_scalar, modified) and validators. They run before the change, so that they
--- may query, yield, raise and give another value; what back_populates is going to change on the other side runs along.
local core = require "argent.core"
local event = require "argent.event"

local M = {}

local function part(class) return core.orm_class_part(class, "info") end

local events = {
  set = {"target", "value", "oldvalue", "initiator"}, append = {"target", "value", "initiator"},
  remove = {"target", "value", "initiator"}, bulk_replace = {"target", "values", "initiator"},
  init_scalar = {"target", "value", "dict_"}, modified = {"target", "initiator"},
}

-- ── targets ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- class → key → {class =, key =}: what listeners are kept by.
local keys = setmetatable({}, {__mode = "k"})
--- column → {class, key}: User.name is the table's column.
local columns = setmetatable({}, {__mode = "k"})

--- Columns of a class, so that ag.event.listen(User.name, …) finds the class.
---@param class argent.orm.Class
---@param slots table[]
function M.register_columns(class, slots)
  for _, slot in ipairs(slots) do
    if slot.column ~= nil and not columns[slot.column] then columns[slot.column] = {class, slot.key} end
  end
end

local function class_and_key(target)
  if core.kind_of(target) == "attribute" then
    local f = core.orm_attribute_info(target)
    return f.class, f.key
  end
  local known = columns[target] or target
  return known[1], known[2]
end

local function key_of(target)
  local class, key = class_and_key(target)
  keys[class] = keys[class] or {}
  keys[class][key] = keys[class][key] or {class = class, key = key}
  return keys[class][key]
end

local function is_attribute(target)
  if core.kind_of(target) == "attribute" or (core.kind_of(target) and columns[target]) then return true end
  return type(target) == "table" and getmetatable(target) == nil and core.kind_of(target[1]) == "Mapper" and type(target[2]) == "string"
end

-- ── which attributes ────────────────────────────────────────────────────────────────────────────────────────────────────

--- Listeners of an attribute, those of parent classes that propagate first.
local function listeners(class, key, name)
  local out
  local at = class
  while at do
    local list = keys[at] and keys[at][key] and event.listeners(keys[at][key], name)
    for i = #(list or {}), 1, -1 do
      if at == class or list[i].propagate then
        out = out or {}
        table.insert(out, 1, list[i])
      end
    end
    at = part(at).parent
  end
  return out
end

--- Validators of an attribute, the parents' first.
local function validators(class, key)
  local out = {}
  local at = class
  while at do
    local info = part(at)
    for _, v in ipairs(info.validators) do
      for _, name in ipairs(v.names) do
        if name == key then table.insert(out, 1, v) end
      end
    end
    at = info.parent
  end
  return out
end

local function watched(class, key)
  if validators(class, key)[1] then return true end
  for name in pairs(events) do
    if name ~= "init_scalar" and listeners(class, key, name) then return true end
  end
  return false
end

--- Mark the attributes of a configured class whose assignments come here: with listeners or validators of their own, or of the other
--- side of back_populates.
---@param class argent.orm.Class
function M.mark(class)
  local shape = require("argent.orm.query").shape(class)
  for _, slot in ipairs(shape.slots) do
    if not slot.expression then
      core.orm_set_validated(class, slot.key, watched(class, slot.key), listeners(class, slot.key, "init_scalar") ~= nil)
    end
  end
  for _, key in ipairs(shape.relations) do
    local f = shape.relations[key]
    local on = watched(class, key)
    for other in pairs(f.made.reverse or {}) do on = on or watched(f.target, other) end
    core.orm_set_validated(class, key, on)
  end
end

local function mark_all(target)
  local class = key_of(target).class
  for _, other in ipairs(part(class).registry.list) do
    if other and part(other).configured then M.mark(other) end
  end
end

event.register{name = "an attribute", events = events, key = key_of, match = is_attribute, changed = mark_all}

-- ── running ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

local function run_validators(object, class, key, value, removing, by_backref)
  for _, v in ipairs(validators(class, key)) do
    if by_backref and v.include_backrefs == false then
      value = value
    elseif removing then
      if v.include_removes then v.fn(object, key, value, true) end
    elseif v.include_removes then
      value = v.fn(object, key, value, false)
    else
      value = v.fn(object, key, value)
    end
  end
  return value
end

--- Validators and listeners of one change; gives the value. Listeners with `retval` hand theirs on to the next.
local function fire(object, key, name, value, initiator, old)
  local class = core.orm_class_of(object)
  if value ~= nil or name == "set" then
    value = run_validators(object, class, key, value, name == "remove", initiator.class ~= nil and initiator.object ~= object)
  end
  for _, listener in ipairs(listeners(class, key, name) or {}) do
    if not listener.done then
      if listener.once then listener.done = true end
      local result
      if name == "set" then result = listener.call(object, value, old, initiator) else result = listener.call(object, value, initiator) end
      if listener.retval and name ~= "remove" then value = result end
    end
  end
  return value
end

local function facts(object, key) return require("argent.orm.query").shape(core.orm_class_of(object)).relations[key] end

local function loaded(object, key)
  if core.orm_is_loaded(object, key) then return (core.orm_get(object, key)) end
end

--- What back_populates does to `other` when `object` comes to (or leaves) its side.
local function other_side(object, f, other, name, initiator)
  for key in pairs(f.made.reverse or {}) do
    local back = facts(other, key)
    if back and back.made.uselist then
      fire(other, key, name, object, initiator)
    elseif back then
      local now = loaded(other, key)
      if name == "append" and now ~= object then
        fire(other, key, "set", object, initiator, now)
        if now ~= nil then fire(now, f.key, f.made.uselist and "remove" or "set", f.made.uselist and other or nil, initiator, other) end
      elseif name == "remove" and now == object then
        fire(other, key, "set", nil, initiator, object)
      end
    end
  end
end

local function initiator_of(object, key, op)
  return {object = object, class = core.orm_class_of(object), key = key, op = op}
end

local function members_of(value) return core.kind_of(value) == "collection" and value:all() or value end

--- A list is assigned: bulk_replace for the whole, append for what comes, remove for what goes.
local function replace(object, key, f, value, by_method)
  local list = table.move(members_of(value), 1, #members_of(value), 1, {})
  local was = {}
  local initiator = initiator_of(object, key, by_method and "append" or "bulk_replace")
  if not by_method then
    for _, listener in ipairs(listeners(core.orm_class_of(object), key, "bulk_replace") or {}) do listener.call(object, list, initiator) end
  end
  local old = core.orm_is_loaded(object, key) and members_of(core.orm_get(object, key) or {}) or {}
  for _, member in ipairs(old) do was[member] = true end
  local is, out = {}, {}
  for i, member in ipairs(list) do
    if was[member] then
      out[i] = member
    else
      out[i] = fire(object, key, "append", member, initiator)
      if core.kind_of(out[i]) == "entity" then other_side(object, f, out[i], "append", initiator) end
    end
    is[out[i]] = true
  end
  for _, member in ipairs(old) do
    if not is[member] then
      fire(object, key, "remove", member, initiator)
      other_side(object, f, member, "remove", initiator)
    end
  end
  return out
end

--- Before object[key] = value: gives the value to assign.
---@param object argent.orm.Entity
---@param key string
---@param value any
---@param by_method boolean? a method of the collection, no assignment
function M.validate(object, key, value, by_method)
  local class = core.orm_class_of(object)
  local f = part(class).configured and facts(object, key)
  if value == core.null then value = nil end
  if f and f.made.uselist and (type(value) == "table" or core.kind_of(value) == "collection") then
    return replace(object, key, f, value, by_method)
  end
  local initiator = initiator_of(object, key, "set")
  local old = core.orm_get(object, key)
  local new = fire(object, key, "set", value, initiator, old)
  if f and new ~= old then
    if core.kind_of(old) == "entity" then other_side(object, f, old, "remove", initiator) end
    if core.kind_of(new) == "entity" then other_side(object, f, new, "append", initiator) end
  end
  return new
end

--- Before a member is appended to or removed from a collection: gives the member.
---@param object argent.orm.Entity
---@param key string
---@param member argent.orm.Entity
---@param what string
function M.member(object, key, member, what)
  local initiator = initiator_of(object, key, what)
  local new = fire(object, key, what, member, initiator)
  if core.kind_of(new) == "entity" then other_side(object, facts(object, key), new, what, initiator) end
  return new
end

--- An attribute of a new object is read that was never set.
---@param object argent.orm.Entity
---@param key string
function M.init_scalar(object, key)
  local value
  local dict = setmetatable({}, {__newindex = function(_, name, new) object[name] = new end})
  for _, listener in ipairs(listeners(core.orm_class_of(object), key, "init_scalar") or {}) do
    local result = listener.call(object, value, dict)
    if listener.retval then value = result end
  end
  return value
end

--- flag_modified was called.
---@param object argent.orm.Entity
---@param key string
function M.modified(object, key)
  for _, listener in ipairs(listeners(core.orm_class_of(object), key, "modified") or {}) do
    listener.call(object, initiator_of(object, key, "modified"))
  end
end

return M

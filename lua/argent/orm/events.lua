--- Events of the ORM: sessions, classes (mapper and instance events), attributes; and validators. Names and argument order are
--- SQLAlchemy's. Listeners may query, yield and raise.
local core = require "argent.core"
local event = require "argent.event"

local M = {}

local function part(class) return core.orm_class_part(class, "info") end

-- ── targets ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

local session_events = {
  before_flush = {"session", "flush_context", "instances"}, after_flush = {"session", "flush_context"},
  after_flush_postexec = {"session", "flush_context"}, before_commit = {"session"}, after_commit = {"session"},
  after_rollback = {"session"}, after_soft_rollback = {"session", "previous_transaction"},
  after_begin = {"session", "transaction", "connection"}, after_transaction_create = {"session", "transaction"},
  after_transaction_end = {"session", "transaction"}, do_orm_execute = {"orm_execute_state"},
}

--- `ag.event.listen(ag.Session, …)`: every session.
local function is_all_sessions(target) return target == require("argent.orm.session").Session end
local function is_maker(target)
  return type(target) == "table" and getmetatable(target) ~= nil and getmetatable(target).__name == "argent.sessionmaker"
end

local class_events = {
  before_insert = {"mapper", "connection", "target"}, after_insert = {"mapper", "connection", "target"},
  before_update = {"mapper", "connection", "target"}, after_update = {"mapper", "connection", "target"},
  before_delete = {"mapper", "connection", "target"}, after_delete = {"mapper", "connection", "target"},
  load = {"target", "context"}, refresh = {"target", "context", "attrs"}, refresh_flush = {"target", "flush_context", "attrs"},
  expire = {"target", "attrs"}, init = {"target"},
}
--- ORDER ag_mapper_event
local event_numbers = {"before_insert", "after_insert", "before_update", "after_update", "before_delete", "after_delete", "load", "refresh",
  "refresh_flush", "expire", "init"}

local attribute_events = {
  set = {"target", "value", "oldvalue", "initiator"}, append = {"target", "value", "initiator"},
  remove = {"target", "value", "initiator"}, bulk_replace = {"target", "values", "initiator"},
}

--- Listeners of a class: its own and those of its parents.
local function class_listeners(class, name)
  local out
  local at = class
  while at do
    local list = event.listeners(at, name)
    if list then
      out = out or {}
      table.move(list, 1, #list, #out + 1, out)
    end
    at = part(at).parent
  end
  return out
end

local function update_class(class)
  local registry = part(class).registry
  for _, other in ipairs(registry.list) do
    if other and core.orm_isa(other, class) then
      local mask = 0
      for i, name in ipairs(event_numbers) do
        if class_listeners(other, name) then mask = mask | (1 << (i - 1)) end
      end
      core.orm_set_events(other, mask, class_listeners(other, "init") ~= nil)
    end
  end
  require("argent.orm.query").changed(class)
end

event.register{name = "a Session", events = session_events,
  match = function(t) return core.kind_of(t) == "Session" or is_all_sessions(t) or is_maker(t) end}
event.register{name = "a class", events = class_events, match = function(t) return core.kind_of(t) == "Mapper" end, changed = update_class}

--- Attributes are named by User.posts (relationships) or by {User, "name"}: columns are plain expressions of the table.
local attribute_keys = setmetatable({}, {__mode = "k"})
local function attribute_key(target)
  local class, key
  if core.kind_of(target) == "attribute" then
    local f = core.orm_attribute_info(target)
    class, key = f.class, f.key
  else
    class, key = target[1], target[2]
  end
  attribute_keys[class] = attribute_keys[class] or {}
  attribute_keys[class][key] = attribute_keys[class][key] or {class = class, key = key}
  return attribute_keys[class][key]
end

event.register{name = "an attribute", events = attribute_events, key = attribute_key,
  match = function(t)
    return core.kind_of(t) == "attribute" or (type(t) == "table" and getmetatable(t) == nil and core.kind_of(t[1]) == "Mapper"
      and type(t[2]) == "string")
  end,
  changed = function(target)
    local k = attribute_key(target)
    for _, other in ipairs(part(k.class).registry.list) do
      if other and core.orm_isa(other, k.class) then core.orm_set_validated(other, k.key, true) end
    end
  end}

-- ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────────

local Session

--- Call the listeners of a session event.
---@param session argent.Session
---@param name string
---@param ... any
function M.emit(session, name, ...)
  local list = event.listeners(session, name)
  if list then event.call(list, ...) end
  Session = Session or require("argent.orm.session").Session
  list = event.listeners(Session, name)
  if list then event.call(list, ...) end
end

--- do_orm_execute: listeners may change statement and parameters, or give a result themselves.
---@param session argent.Session
---@param statement argent.Statement
---@param params table?
function M.orm_execute(session, statement, params)
  Session = Session or require("argent.orm.session").Session
  local own, all = event.listeners(session, "do_orm_execute"), event.listeners(Session, "do_orm_execute")
  if not own and not all then return statement, params end
  local kind = core.kind_of(statement)
  local state = {session = session, statement = statement, parameters = params, is_select = kind == "Select" or kind == "CompoundSelect",
    is_insert = kind == "Insert", is_update = kind == "Update", is_delete = kind == "Delete"}
  for _, list in ipairs{own or false, all or false} do
    if list then
      for _, listener in ipairs(list) do
        local result = listener.call(state)
        if core.kind_of(result) == "Result" then return result, nil end
      end
    end
  end
  return state.statement, state.parameters
end

-- ── objects ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- A mapper event during a flush (number from 0).
---@param session argent.Session
---@param number integer
---@param object argent.orm.Entity
function M.flush_event(session, number, object)
  local class = core.orm_class_of(object)
  local list = class_listeners(class, event_numbers[number + 1])
  if list then event.call(list, class.__mapper, session:connection(), object) end
end

--- Objects were loaded (or, refresh, loaded again).
---@param session argent.Session
---@param objects argent.orm.Entity[]
---@param refresh boolean
function M.loaded(session, objects, refresh)
  local context = {session = session}
  for _, object in ipairs(objects) do
    local list = class_listeners(core.orm_class_of(object), refresh and "refresh" or "load")
    if list then event.call(list, object, context) end
  end
end

--- A new object.
---@param object argent.orm.Entity
function M.init(object)
  local list = class_listeners(core.orm_class_of(object), "init")
  if list then event.call(list, object) end
end

-- ── attributes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

local function attribute_listeners(class, key, name)
  local at = class
  while at do
    local keys = attribute_keys[at]
    local list = keys and keys[key] and event.listeners(keys[key], name)
    if list then return list end
    at = part(at).parent
  end
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

local function run(object, class, key, value, name, removing, ...)
  for _, v in ipairs(validators(class, key)) do
    if removing then
      if v.include_removes then v.fn(object, key, value, true) end
    elseif v.include_removes then
      value = v.fn(object, key, value, false)
    else
      value = v.fn(object, key, value)
    end
  end
  local list = attribute_listeners(class, key, name)
  if list then
    local changed = event.call(list, object, value, ...)
    if changed ~= nil then value = changed end
  end
  return value
end

--- Before object[key] = value: gives the value to assign. A list is checked member by member.
---@param object argent.orm.Entity
---@param key string
---@param value any
function M.validate(object, key, value)
  local class = core.orm_class_of(object)
  local relation = part(class).configured and require("argent.orm.query").shape(class).relations[key]
  if relation and relation.made.uselist and (type(value) == "table" or core.kind_of(value) == "collection") then
    local list = {}
    local old = core.orm_is_loaded(object, key) and core.orm_get(object, key)
    local members = core.kind_of(value) == "collection" and value:all() or value
    for i, member in ipairs(members) do
      list[i] = old and old:contains(member) and member or run(object, class, key, member, "append", false)
    end
    return list
  end
  local old = core.orm_get(object, key)
  if value == core.null then value = nil end
  local new = run(object, class, key, value, "set", false, old)
  if new == nil and value ~= nil and relation == nil then return nil end
  return new
end

--- Before a member is appended to or removed from a collection: gives the member.
---@param object argent.orm.Entity
---@param key string
---@param member argent.orm.Entity
---@param what string
function M.member(object, key, member, what)
  return run(object, core.orm_class_of(object), key, member, what, what == "remove")
end

return M

--- Events of the ORM: sessions, classes (mapper and instance events). Names and argument order are SQLAlchemy's. Listeners may query,
--- yield and raise. Attributes: argent.orm.attribute_events; objects that enter and leave sessions: argent.orm.lifecycle.
local core = require "argent.core"
local check = require "argent.check"
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
  after_bulk_update = {"update_context"}, after_bulk_delete = {"delete_context"},
  before_attach = {"session", "instance"}, after_attach = {"session", "instance"},
}
--- Transitions between the states of an object, {session, instance} each.
M.transitions = {"transient_to_pending", "pending_to_transient", "persistent_to_transient", "pending_to_persistent", "deleted_to_persistent",
  "deleted_to_detached", "loaded_as_persistent", "persistent_to_deleted", "detached_to_persistent", "persistent_to_detached"}
for _, name in ipairs(M.transitions) do session_events[name] = {"session", "instance"} end

--- `ag.event.listen(ag.Session, …)`: every session.
local function is_all_sessions(target) return target == require("argent.orm.session").Session end
local function is_maker(target)
  return check.meta_field(target, "__name") == "argent.sessionmaker"
end

local class_events = {
  before_insert = {"mapper", "connection", "target"}, after_insert = {"mapper", "connection", "target"},
  before_update = {"mapper", "connection", "target"}, after_update = {"mapper", "connection", "target"},
  before_delete = {"mapper", "connection", "target"}, after_delete = {"mapper", "connection", "target"},
  load = {"target", "context"}, refresh = {"target", "context", "attrs"}, refresh_flush = {"target", "flush_context", "attrs"},
  expire = {"target", "attrs"}, init = {"target", "args", "kwargs"},
}
--- ORDER ag_mapper_event
local event_numbers = {"before_insert", "after_insert", "before_update", "after_update", "before_delete", "after_delete", "load", "refresh",
  "refresh_flush", "expire", "init"}

--- Listeners of a class: its own and those of its parents that propagate.
local function class_listeners(class, name)
  local out
  local at = class
  while at do
    for _, listener in ipairs(event.listeners(at, name) or {}) do
      if at == class or listener.propagate then
        out = out or {}
        out[#out + 1] = listener
      end
    end
    at = part(at).parent
  end
  return out
end
M.class_listeners = class_listeners

--- Tell C which events of a class have listeners.
---@param other argent.orm.Class
function M.mark(other)
  local mask = 0
  for i, name in ipairs(event_numbers) do
    if class_listeners(other, name) then mask = mask | (1 << (i - 1)) end
  end
  if class_listeners(other, "expire") then require("argent.orm.expire_events").install() end
  core.orm_set_events(other, mask, class_listeners(other, "init") ~= nil)
end

local function update_class(class)
  for _, other in ipairs(part(class).registry.list) do
    if other and core.orm_isa(other, class) then M.mark(other) end
  end
  require("argent.orm.query").changed(class)
end

--- Events whose objects C must tell of.
local watched = {before_attach = true, after_attach = true}
for _, name in ipairs(M.transitions) do watched[name] = true end

event.register{name = "a Session", events = session_events,
  changed = function(_, name)
    if not watched[name] then return end
    M.watching = true
    require("argent.orm.lifecycle").install()
  end,
  match = function(t) return core.kind_of(t) == "Session" or is_all_sessions(t) or is_maker(t) end}
event.register{name = "a class", events = class_events, match = function(t) return core.kind_of(t) == "Mapper" end, changed = update_class}

-- ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────────

local Session

--- The listeners of a session for an event: its own, those of its sessionmaker, those of every session. An array of lists.
---@param session argent.Session
---@param name string
function M.session_listeners(session, name)
  Session = Session or require("argent.orm.session").Session
  local maker = session:_info().maker
  local out = {event.listeners(session, name)}
  out[#out + 1] = maker and event.listeners(maker, name) or nil
  out[#out + 1] = event.listeners(Session, name)
  return out
end

--- Call the listeners of a session event.
---@param session argent.Session
---@param name string
---@param ... any
function M.emit(session, name, ...)
  for _, list in ipairs(M.session_listeners(session, name)) do event.call(list, ...) end
end

-- ── objects ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- A mapper event during a flush (number from 0). attrs: of refresh_flush.
---@param session argent.Session
---@param number integer
---@param object argent.orm.Entity
---@param attrs string[]?
function M.flush_event(session, number, object, attrs)
  local class = core.orm_class_of(object)
  local list = class_listeners(class, event_numbers[number + 1])
  if not list then return end
  if attrs then return event.call(list, object, {session = session}, attrs) end
  event.call(list, class.__mapper, session:connection(), object)
end

--- Objects were loaded.
---@param session argent.Session
---@param objects argent.orm.Entity[]?
function M.loaded(session, objects)
  local context = {session = session}
  for _, object in ipairs(objects or {}) do
    local list = class_listeners(core.orm_class_of(object), "load")
    if list then event.call(list, object, context) end
  end
  if M.watching then require("argent.orm.lifecycle").loaded(session, objects or {}) end
end

--- Objects were loaded again; attrs: which attributes, nil for all columns of the statement.
---@param session argent.Session
---@param objects argent.orm.Entity[]?
---@param attrs string[]?
function M.refreshed(session, objects, attrs)
  local context, seen = {session = session}, {}
  for _, object in ipairs(objects or {}) do
    local list = not seen[object] and class_listeners(core.orm_class_of(object), "refresh")
    seen[object] = true
    if list then event.call(list, object, context, attrs) end
  end
end

--- Objects were expired; attrs: which attributes, nil for all.
---@param objects argent.orm.Entity[]
---@param attrs string[]?
function M.expired(objects, attrs)
  for _, object in ipairs(objects) do
    local list = class_listeners(core.orm_class_of(object), "expire")
    if list then event.call(list, object, attrs) end
  end
end

--- A new object is made: gives the arguments for it, which listeners may change.
---@param object argent.orm.Entity
---@param arguments table
function M.init(object, arguments)
  local list = class_listeners(core.orm_class_of(object), "init")
  if not list then return arguments end
  local copy = {}
  for key, value in pairs(arguments) do copy[key] = value end
  event.call(list, object, {}, copy)
  return copy
end

return M
